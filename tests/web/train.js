// Section 4: Train.

const RATES = [0.001, 0.002, 0.005, 0.01, 0.014, 0.02, 0.05, 0.1, 0.2, 0.3, 1, 3];
const MEASURED = 20, WRITTEN = 100;     // how often it is measured; how many names are written
const WHO = {microdiffusion: 'diffusion', microgpt: 'gpt'};     // how the elements are called

const training = {
  state: 'idle',        // or running, paused, done, failed
  task: null,           // what works: {pause, goOn, stop}
  settings: null, learned: [],
  step: 0,
  losses: {}, held: {}, // by program: a loss for each step, and [step, nats] now and then
  models: null,         // what came of it, as saved() gives it
  seconds: 0, since: 0, // how long it has worked before, and when it went on
  drawn: 0,
};

/** Connect the elements of section 4. */
function startTrain() {
  for (const button of document.querySelectorAll('.preset')) {
    button.addEventListener('click', () => {
      useList(button.dataset.list);
      remember('train');
    });
  }
  for (const id of ['train-steps', 'train-rate', 'train-seed']) {
    byId(id).addEventListener('input', () => { showTrainSliders(); remember('train'); });
  }
  byId('train-seed').addEventListener('change', () => {
    byId('train-seed').value = chosenSeed();
    remember('train');
  });
  byId('train-list').addEventListener('input', sayList);
  byId('train-start').addEventListener('click', () => {
    if (training.state === 'running') pauseTraining();
    else if (training.state === 'paused') resumeTraining();
    else beginTraining();
  });
  byId('train-afresh').addEventListener('click', beginTraining);
  byId('train-use').addEventListener('click', useTrained);
  byId('train-back').addEventListener('click', useKept);
  byId('train-open').addEventListener('change', openFiles);
  for (const button of document.querySelectorAll('.keep')) {
    button.addEventListener('click', () => keep(button.dataset.program));
  }
  addEventListener('resize', drawCharts);
  sections.train = {
    get: () => ({
      steps: byId('train-steps').value,
      rate: String(RATES[byId('train-rate').value]),
      seed: String(chosenSeed()),
    }),
    set: get => {
      setSlider('train-steps', get('steps'), 700);
      setSlider('train-seed', get('seed'), 42);
      const rate = RATES.indexOf(Number(get('rate')));
      byId('train-rate').value = rate < 0 ? usualRate() : rate;
      showTrainSliders();
    },
  };
  useList('class.txt');
  byId('train-rate').value = usualRate();
  showTrainSliders();
  showButtons();
  tell('Press Train. It takes about ten seconds.');
}

/** Where on its slider the learning rate of the programs is. */
const usualRate = () => RATES.indexOf(known.constants.microgpt.learning_rate);

/** The seed that was typed, or the one nearest to it that there is. */
const chosenSeed = () => Math.max(1, Math.min(999, Math.round(byId('train-seed').value) || 42));

/** Put a list of this folder into the field, and the steps that suit it. */
function useList(name) {
  byId('train-list').value = known.lists[name].join('\n');
  byId('train-steps').value = name === 'few.txt' ? 2000 : 700;
  showTrainSliders();
  sayList();
}

/** Write the sliders' values beside them. */
function showTrainSliders() {
  byId('train-steps-out').textContent = byId('train-steps').value;
  byId('train-rate-out').textContent = RATES[byId('train-rate').value];
}

/** Say what the list is; returns its names, or null if one cannot learn from it. */
function sayList() {
  const {docs, leftOut} = readNames(byId('train-list').value,
                                    known.constants.microgpt.block_size);
  const [learned, heldOut] = split(docs);
  const said = [`${count(docs.length, 'name')}: ${learned.length} to learn from, ` +
                `${heldOut.length} held out.`];
  if (leftOut) {
    said.push(`${leftOut} ${are(leftOut)} left out: a name counts once, it has up to 13 ` +
              'printable characters, and there is no “_” and no “.” in it.');
  }
  const enough = docs.length >= 10 && learned.length > 0;
  if (!enough) said.push('Give ten or more names.');
  byId('train-counts').textContent = said.join(' ');
  byId('train-list').setAttribute('aria-invalid', String(!enough));
  return enough ? docs : null;
}

/** Begin from random weights. */
function beginTraining() {
  if (training.task) training.task.stop();
  training.task = null;
  const docs = sayList();
  if (!docs) {
    training.state = 'idle';
    showButtons();
    tell('The list has too few names: give ten or more.');
    return;
  }
  byId('train-held-out').scrollIntoView({block: 'nearest'});    // on a phone it is far below
  training.settings = {
    docs, heldOut: yardstick(docs, known.heldOut.split(' ')),
    steps: Number(byId('train-steps').value), learning_rate: RATES[byId('train-rate').value],
    seed: chosenSeed(), constants: known.constants,
    measured: MEASURED, written: WRITTEN,
  };
  Object.assign(training, {
    state: 'running', learned: split(docs)[0], step: 0, models: null, seconds: 0,
    since: performance.now(), losses: {microdiffusion: [], microgpt: []},
    held: {microdiffusion: [], microgpt: []},
  });
  for (const who of Object.values(WHO)) {
    for (const what of ['now', 'copies', 'of', 'names']) {
      byId(`train-${who}-${what}`).textContent = '';
    }
  }
  byId('train-why').textContent = '';
  tell('Both models begin with random weights.');
  showButtons();
  const {settings} = training;
  training.task = inBackground(byId('model').textContent, settings, message => {
    const over = training.settings !== settings || !['running', 'paused'].includes(training.state);
    if (!over) report(message);         // what comes late belongs to a training that is over
  });
}

/** Stop for a while; the models can be used as they are. */
function pauseTraining() {
  training.task.pause();
  training.seconds += (performance.now() - training.since) / 1000;
  training.state = 'paused';
  showButtons();
}

/** Go on where it was paused. */
function resumeTraining() {
  training.since = performance.now();
  training.state = 'running';
  training.task.goOn();
  showButtons();
}

/** What the training has to say: {reports, models, done, error}. */
function report({reports, models, done, error}) {
  for (const {step, losses, names, nats} of reports) {
    training.step = step;
    for (const [program, who] of Object.entries(WHO)) {
      if (losses) training.losses[program].push(losses[program]);
      if (nats) training.held[program].push([step, nats[program]]);
      if (names) byId(`train-${who}-now`).textContent = `writes “${names[program]}”`;
    }
    if (nats) sayTurn();
  }
  if (models && models.length) training.models = models;
  if (error) {
    training.state = 'failed';
    tell(error);
  } else if (done) {
    training.state = 'done';
    showCopies(done);
  } else if (training.state === 'paused') {
    tell(`Paused after step ${training.step}. The models can be used as they are now.`);
  } else {
    const {step, settings: {steps}} = training;
    const seconds = training.seconds + (performance.now() - training.since) / 1000;
    const left = Math.ceil(seconds / Math.max(1, step) * (steps - step));
    byId('train-says').textContent = step === steps ? 'Each model writes a hundred names.' :
      `Step ${step} of ${steps}. ` + (seconds > 1 ? `About ${count(left, 'second')} left.` : '');
  }
  if (error || done || models || performance.now() > training.drawn + 250) drawCharts();
  if (error || done || models) showButtons();
}

/** Say what has happened, on the page and to those who hear it. */
function tell(text) {
  byId('train-says').textContent = byId('train-live').textContent = text;
}

/** What the buttons say, and which of them can be used. */
function showButtons() {
  const {state, models} = training;
  byId('train-start').textContent =
    state === 'running' ? 'Pause' : state === 'paused' ? 'Go on' : 'Train';
  byId('train-afresh').disabled = state === 'idle';
  byId('train-use').disabled = !models;
  document.querySelectorAll('.keep').forEach(button => { button.disabled = !models; });
}

/** The sentence about a curve that turns up. */
function sayTurn() {
  const turned = [];
  for (const [program, points] of Object.entries(training.held)) {
    const [step, least] = points.reduce((a, b) => b[1] < a[1] ? b : a);
    const last = points[points.length - 1][1];
    if (last > least + 1) turned.push([program, step, last - least]);
  }
  turned.sort((a, b) => b[2] - a[2]);
  if (!turned.length) return;
  const [program, step] = turned[0];
  byId('train-why').textContent =
    `${step ? `Since step ${step},` : 'From the beginning,'} names that ${program} never sees ` +
    'cost it more and more, while its own names cost less and less. It learns them by heart.';
}

/** Show a hundred names of each model, with those marked that stand in the list. */
function showCopies(names) {
  const copied = {};
  for (const [program, who] of Object.entries(WHO)) {
    const list = byId(`train-${who}-names`);
    list.textContent = '';
    for (const name of names[program]) {
      const copy = training.learned.includes(name);
      put(put(list, 'li'), copy ? 'b' : 'span', '', name);
    }
    copied[program] = names[program].filter(name => training.learned.includes(name)).length;
    byId(`train-${who}-copies`).textContent = copied[program];
    byId(`train-${who}-of`).textContent =
      `of ${names[program].length} names are copied from the list (underlined)`;
  }
  const more = copied.microgpt >= copied.microdiffusion + 20;
  byId('train-why').textContent += (byId('train-why').textContent && ' ') + (more ?
    'Why does microgpt copy more? It reads a name in one way only, from left to right, again and ' +
    'again, until it knows what follows. microdiffusion has to guess other letters of the name ' +
    'each time. So a short list gives it many different tasks.' :
    'The longer the list, and the fewer the steps, the less a model copies.');
  if (copied.microdiffusion > WRITTEN / 2) {
    const steps = Math.max(100, Math.round(training.settings.docs.length / 5) * 100);
    byId('train-why').textContent += ' microdiffusion has copied more than half too: the list is ' +
      'short for so many steps.' + (steps < training.settings.steps ? ` Try ${steps} steps.` : '');
  }
  tell(`Done: ${training.settings.steps} steps. microgpt copied ${copied.microgpt} of ` +
       `${WRITTEN} names from the list, and microdiffusion ${copied.microdiffusion}.`);
}

/** Draw both charts. */
function drawCharts() {
  training.drawn = performance.now();
  if (!training.settings) return;
  const smooth = losses => {
    const points = [], every = Math.max(1, Math.round(training.settings.steps / 200));
    for (let end = every; end <= losses.length; end += every) {
      const last = losses.slice(Math.max(0, end - 20), end);
      points.push([end, last.reduce((a, b) => a + b) / last.length]);
    }
    return points;
  };
  const {microdiffusion, microgpt} = training.losses;
  drawChart('train-loss', {microdiffusion: smooth(microdiffusion), microgpt: smooth(microgpt)});
  drawChart('train-held-out', training.held, training.settings.heldOut.length ? '' :
    'Fewer than five names are held out: there is nothing to measure.');
}

/** A chart of nats over steps: by program, [[step, nats], ...]. */
function drawChart(id, curves, instead = '') {
  const parent = byId(id), width = parent.clientWidth, height = parent.clientHeight;
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const draw = (tag, attributes, text = '') => {
    const element = document.createElementNS(svg.namespaceURI, tag);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.textContent = text;
    svg.append(element);
  };
  svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
  parent.replaceChildren(svg);
  if (instead) {
    draw('text', {x: 0, y: 20}, instead);
    parent.setAttribute('aria-label', instead);
    return;
  }

  const all = Object.values(curves).flat().map(([, y]) => y);
  const most = Math.max(10, ...all), size = 10 ** Math.floor(Math.log10(most));
  const unit = [0.2, 0.5, 1, 2].map(n => n * size).find(unit => most / unit <= 5);
  const top = Math.ceil(most / unit) * unit, {steps} = training.settings;
  const heading = width < 400 ? 44 : 26;                        // two lines of it, or one
  const x = step => 44 + (width - 60) * step / steps;
  const y = nats => height - 22 - (height - 22 - heading) * nats / top;
  for (let nats = 0; nats <= top; nats += unit) {
    draw('line', {x1: 44, x2: width - 16, y1: y(nats), y2: y(nats)});
    draw('text', {x: 38, y: y(nats) + 4, 'text-anchor': 'end'}, nats);
  }
  for (const step of [0, steps / 2, steps]) {
    draw('text', {x: x(step), y: height - 4, 'text-anchor': step === steps ? 'end' : 'middle'},
         step === steps ? `step ${step}` : step);
  }
  const said = [];
  for (const [n, [program, points]] of Object.entries(curves).entries()) {
    const path = points.map(([step, nats], i) => `${i ? 'L' : 'M'}${x(step).toFixed(1)} ` +
                                                 y(nats).toFixed(1)).join('');
    if (points.length) draw('path', {d: path, class: WHO[program]});
    const last = points.length ? points[points.length - 1][1].toFixed(1) : '';
    const below = n && heading > 30, right = n && !below;
    draw('text', {x: right ? width - 16 : 44, y: below ? 32 : 14, class: WHO[program],
                  'text-anchor': right ? 'end' : 'start'}, `${n ? '╌' : '─'} ${program} ${last}`);
    if (last) said.push(`${program} ${last} nats`);
  }
  parent.setAttribute('aria-label', `After step ${training.step}: ${said.join(', ')}`);
}

/** Let sections 1 to 3 use what was trained. */
function useTrained() {
  const models = training.models.map(model => load(model, known.constants[model.program]));
  const {steps} = models[0];
  useModels(models, `Sections 1 to 3 use the models trained here: ${count(steps, 'step')} on ` +
                    `${count(training.learned.length, 'name')}.`);
}

/** Save a trained model as a file for the programs' --load. */
function keep(program) {
  const model = training.models.find(model => model.program === program);
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([JSON.stringify(model)], {type: 'application/json'}));
  link.download = `${program}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

/** Use the models in files that the programs, or this page, have saved. */
async function openFiles() {
  const models = [], said = [];
  for (const file of byId('train-open').files) {
    try {
      const kept = JSON.parse(await file.text());
      const constants = known.constants[Object(kept).program];
      if (!constants) throw new InputError('This is no model of microdiffusion or microgpt.');
      const model = load(kept, constants);
      models.push(model);
      said.push(`${model.program} comes from ${file.name}, trained for ` +
                `${count(model.steps, 'step')}.`);
    } catch (error) {
      said.push(error instanceof InputError ? `${file.name}: ${error.message}` :
        `${file.name} cannot be read as a model.`);
    }
  }
  byId('train-open').value = '';
  if (models.length) useModels(models, said.join(' '));
  else byId('train-models').textContent = said.join(' ');
}

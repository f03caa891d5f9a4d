// Section 2: Write.

const writing = {
  tokens: [],       // what stands in the fourteen places
  mine: [],         // the token that was typed into each place, or null
  fresh: [],        // whether a place was revealed by the last step
  runs: 0,          // how often microdiffusion has run
  gpt: [], gptRuns: 0,                          // the tokens of microgpt, and its runs
  gptStart: 0,                                  // how many of them were typed
  run: null, gptRun: null,                      // denoise and generate, at work; null at the end
  timer: null,
  tiles: [], sure: [], gptTiles: [],
};

/** Make the elements of section 2. */
function startWrite() {
  for (const n of places) {
    const place = put(byId('write-places'), 'div');
    const tile = put(place, 'input', 'tile');
    Object.assign(tile, {autocomplete: 'off', spellcheck: false, autocapitalize: 'none'});
    writing.tiles.push(tile);
    writing.sure.push(put(put(place, 'div', 'sure'), 'i'));
    put(place, 'span', 'number', n + 1);
    writing.gptTiles.push(put(byId('gpt-places'), 'div', 'tile'));
    tile.addEventListener('focus', () => tile.select());
    tile.addEventListener('click', () => tile.select());
    tile.addEventListener('input', event => typed(n, event.data || tile.value));
    tile.addEventListener('paste', event => {
      event.preventDefault();
      typed(n, event.clipboardData.getData('text'));
    });
    tile.addEventListener('keydown', event => {
      if (event.key === 'Enter') byId('step').click();
      if (event.key !== 'Backspace' && event.key !== 'Delete') return;
      event.preventDefault();
      const empty = writing.tokens[n] === MASK;
      if (!empty) typed(n, '_');
      if (empty && event.key === 'Backspace' && n) writing.tiles[n - 1].focus();
    });
  }
  moveByArrows(writing.tiles);

  for (const id of ['steps', 'temperature', 'noise', 'gpt-temperature']) {
    byId(id).addEventListener('input', () => {
      showSliders();
      again('A slider has moved, so both begin again.');
      remember('write');
    });
  }
  byId('step').addEventListener('click', () => { pause(); step(); });
  byId('play').addEventListener('click', play);
  byId('again').addEventListener('click', () => { pause(); again(); });
  byId('clear').addEventListener('click', () => {
    writing.mine = places.map(() => null);
    pause();
    again();
    remember('write');
  });
  sections.write = {
    get: () => ({
      prompt: writing.mine.map(token => token === null ? '_' : microdiffusion.vocab[token])
        .join('').replace(/_+$/, ''),
      ...Object.fromEntries(sliders().map(([id, value]) => [id, unlessDefault(id, value)])),
    }),
    set: get => {
      pause();
      sliders().forEach(([id, value]) => setSlider(id, get(id), value));
      showSliders();
      writing.mine = places.map(() => null);
      again();
      if (get('prompt')) typed(0, get('prompt'), false);
      again();
    },
  };
  writing.mine = places.map(() => null);
  sliders().forEach(([id, value]) => setSlider(id, null, value));
  showSliders();
  again();
}

/** The sliders of this section, and the programs' values. */
function sliders() {
  const {steps, temperature, noise} = microdiffusion.defaults;
  return Object.entries({steps, temperature, noise,
                         'gpt-temperature': microgpt.defaults.temperature});
}

/** The sliders as the options of denoise, and the temperature of generate. */
function options() {
  const [steps, temperature, noise, gptTemperature] =
    ['steps', 'temperature', 'noise', 'gpt-temperature'].map(id => Number(byId(id).value));
  return {steps, temperature, noise, gptTemperature};
}

/** Write the sliders' values beside them. */
function showSliders() {
  const {steps, temperature, noise, gptTemperature} = options();
  byId('steps-out').textContent = steps;
  byId('temperature-out').textContent = temperature.toFixed(2);
  byId('noise-out').textContent = noise.toFixed(1);
  byId('gpt-temperature-out').textContent = gptTemperature.toFixed(2);
}

/** Begin anew, with what was typed as the prompt. */
function again(reason = '') {
  writing.tokens = writing.mine.map(token => token === null ? MASK : token);
  const end = writing.tokens.indexOf(PAD);
  if (end >= 0) writing.tokens.fill(PAD, end);
  writing.fresh = places.map(() => false);
  writing.runs = 0;
  continueDiffusion();
  beginGpt();

  const others = writing.mine.filter(token => token !== null).length > writing.gptStart;
  say(others ? 'microdiffusion keeps all that you typed. microgpt can use letters at the ' +
               'beginning, but neither a letter nor an end that comes later.' :
      reason || 'Press Play or Step, or type a letter into the upper row.');
  showWrite();
}

/** Let microdiffusion fill in what is hidden now. */
function continueDiffusion() {
  const run = denoise(microdiffusion, writing.tokens, Math, options());
  writing.run = writing.tokens.includes(MASK) ? run : null;
}

/** Let microgpt begin with the letters that were typed at the beginning. */
function beginGpt() {
  const letters = writing.mine.map(token => token > PAD &&
    microgpt.vocab.indexOf(folded(microdiffusion.vocab[token], microgpt.vocab)));
  const usable = letters.findIndex(letter => !(letter > BOS));
  writing.gptStart = usable < 0 ? letters.length : usable;
  writing.gpt = letters.slice(0, writing.gptStart);
  writing.gptRuns = 0;
  writing.gptRun = generate(microgpt, writing.gpt, Math, options().gptTemperature);
}

/** Show a sentence below the tiles. */
function say(text) {
  byId('write-says').textContent = text;
}

/** Each model runs once; returns whether one of them goes on. */
function step() {
  if (!writing.run && !writing.gptRun) again();
  const before = writing.tokens, said = [];
  const next = writing.run ? writing.run.next() : {done: true};
  if (!next.done) {
    writing.tokens = next.value[2];
    writing.runs++;
    const fresh = places.filter(n => before[n] !== writing.tokens[n]);
    const letters = fresh.filter(n => writing.tokens[n] !== PAD);
    const what = letters.length > 3 ? [`${letters.length} letters`] :
      letters.map(n => `“${microdiffusion.vocab[writing.tokens[n]]}” at place ${n + 1}`);
    if (letters.length < fresh.length) what.push('where the name ends');
    said.push(`Run ${writing.runs} of microdiffusion reveals ${what.join(', ')}.`);
  }
  writing.fresh = writing.tokens.map((token, n) => token !== before[n]);
  if (next.done || !writing.tokens.includes(MASK)) writing.run = null;

  const nextLetter = writing.gptRun ? writing.gptRun.next() : {done: true};
  if (!nextLetter.done) {
    writing.gpt = nextLetter.value;
    writing.gptRuns++;
    const token = writing.gpt[writing.gpt.length - 1];
    said.push(token === BOS ? 'microgpt ends its name.' :
      `microgpt writes “${microgpt.vocab[token]}”.`);
    if (token === BOS) writing.gptRun = null;
  }
  if (!writing.run && !writing.gptRun) {
    said.push('Both are finished. Type a letter into the middle, and press Again and Play.');
    pause();
  }
  say(said.slice(-2).join(' '));
  showWrite();
  return Boolean(writing.run || writing.gptRun);
}

/** Step after step; at once for those who want nothing to move. */
function play() {
  if (writing.timer) {
    pause();
  } else if (still.matches) {
    while (step());
  } else {
    step();
    if (writing.run || writing.gptRun) {
      writing.timer = setInterval(step, 500);
      byId('play').textContent = 'Pause';
    }
  }
}

/** Stop the clock. */
function pause() {
  clearInterval(writing.timer);
  writing.timer = null;
  byId('play').textContent = 'Play';
}

/** Characters were typed from place n on: what stands there now is a part of the prompt. */
function typed(n, text, focus = true) {
  const chars = text.trim() === '' ? ['_'] : [...folded(normalized(text.trim()), microdiffusion.vocab)];
  let message = '';
  pause();
  for (const char of chars) {
    message = setPlace(n, char);
    if (message) break;
    n++;
  }
  writing.fresh = places.map(() => false);
  continueDiffusion();
  if (!writing.gptRuns) beginGpt();
  say(message || sayTyped(n - 1));
  showWrite();
  remember('write');
  if (focus && !message && chars[chars.length - 1] !== '_' && n < places.length) {
    writing.tiles[n].focus();
  }
}

/** Put a character into a place, with all that follows from it; returns a message if it cannot. */
function setPlace(n, char) {
  const last = places.length - 1, token = char === '_' ? MASK : microdiffusion.vocab.indexOf(char);
  if (n > last) return `A name has no place ${n + 1}.`;
  if (token < 0) {
    const letters = microdiffusion.vocab.slice(PAD + 1).join('');
    return `A place takes one of ${letters}, or a “.” as the end.`;
  }
  if (token > PAD && n === last) {
    return `The last place holds a “.”, as a name has up to ${last} letters.`;
  }
  if (token === PAD && n === 0) return 'A name has a letter: it cannot end at the first place.';

  const end = writing.tokens.indexOf(PAD), behind = end >= 0 && n > end;
  if (behind && token === MASK) {
    return `Place ${n + 1} stands behind the end, where each place holds a “.”. The end itself ` +
           `is at place ${end + 1}: it can be hidden.`;
  }
  writing.tokens = [...writing.tokens];
  const set = (m, token, mine) => { writing.tokens[m] = token; writing.mine[m] = mine; };
  if (token !== PAD && end >= 0 && n >= end) {                  // this takes the end away
    for (let m = end; m <= last; m++) set(m, MASK, null);
  }
  if (!behind || token !== PAD) set(n, token, token === MASK ? null : token);
  if (token === PAD) {                                          // nothing but ends behind an end
    for (let m = n + 1; m <= last; m++) set(m, PAD, null);
  }
  return '';
}

/** The sentence about a place that was typed into. */
function sayTyped(n) {
  const token = writing.tokens[n];
  if (token === MASK) return `Place ${n + 1} is hidden. microdiffusion can fill it in once more.`;
  return `Place ${n + 1} now has your “${microdiffusion.vocab[token]}”. ` +
    (writing.run ? 'microdiffusion goes on with it.' :
      'Press Again to keep it and hide the rest.') +
    (n < writing.gptStart && !writing.gptRuns ? ' microgpt goes on from there, too.' :
      writing.gptRuns ? ' microgpt cannot use it: it never goes back.' :
        ' microgpt cannot use it: it never sees what follows a letter.');
}

/** Show both rows of tiles. */
function showWrite() {
  const probs = predict(writing.tokens);
  for (const n of places) {
    const token = writing.tokens[n], hidden = token === MASK, tile = writing.tiles[n];
    const [guess, p] = likeliest(probs[n], 1)[0];
    tile.value = hidden ? '' : microdiffusion.vocab[token];
    tile.placeholder = guess;
    tile.className = 'tile' + (hidden ? ' hidden' : '') + (writing.fresh[n] ? ' new' : '') +
                     (writing.mine[n] !== null ? ' mine' : '');
    tile.setAttribute('aria-label', `place ${n + 1}` +
                      (hidden ? `, hidden, perhaps ${guess}, ${percent(p)} %` : ''));
    writing.sure[n].style.width = hidden ? `${100 * p}%` : '0';

    const written = writing.gpt[n], length = writing.gpt.length;
    const ended = writing.gpt[length - 1] === BOS && n >= length - 1;
    const latest = writing.gptRuns > 0 && n === length - 1;
    writing.gptTiles[n].textContent = ended ? '.' : microgpt.vocab[written] || '';
    writing.gptTiles[n].className = 'tile' + (written === undefined && !ended ? ' hidden' : '') +
      (latest ? ' new' : '') + (n < writing.gptStart ? ' mine' : '');
  }
  byId('diffusion-count').textContent = count(writing.runs, 'run');
  byId('gpt-count').textContent = count(writing.gptRuns, 'run');
  byId('gpt-places').setAttribute('aria-label',
                                  decode(writing.gpt, microgpt.vocab) || 'nothing yet');
}

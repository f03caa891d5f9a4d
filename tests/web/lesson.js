/* The things to touch in the lesson: each is put where the text has a mark for it. What they work
   out is in touch.js. None of them changes its height while it is used. */

const [known, pairCounts] = ['data', 'pairs'].map(
  id => JSON.parse(document.getElementById(id).textContent));
const SVG = 'http://www.w3.org/2000/svg';

/** A trained model of the page. It is made once. */
function keptModel(program) {
  keptModel.made = keptModel.made || {};
  if (!keptModel.made[program]) {
    keptModel.made[program] = load(unpacked(known.kept[program]), known.constants[program]);
  }
  return keptModel.made[program];
}


// 1. What all of them use.

/** A new element in parent. */
function put(parent, tag, className = '', text = '') {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  parent.append(element);
  return element;
}

/** A new element of a drawing. */
function sketch(parent, tag, attributes = {}, text = '') {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.textContent = text;
  parent.append(element);
  return element;
}

/** A button with what it does. */
function button(parent, text, act, className = '') {
  const element = put(parent, 'button', className, text);
  element.type = 'button';
  element.addEventListener('click', act);
  return element;
}

/** A number with so many digits after the point, and a minus as long as a plus. */
function fixed(x, digits = 2) {
  if (x === Infinity) return '∞';
  const text = x.toFixed(digits);
  return (Number(text) === 0 ? text.replace('-', '') : text).replace('-', '−');
}

const percent = p => `${Math.round(100 * p)} %`;
const shown = char => char === '.' ? 'the end' : char;

/** The frame of a thing to touch: the task, room for the thing itself, and the sentence after it.

    The sentence is covered until the reader has tried, so that it does not give the answer away.
    Returns {body, says, tried}. */
function frame(place, task, after) {
  const heading = put(place, 'p', 'task');
  put(heading, 'b', '', 'Try it. ');
  heading.append(task);
  const body = put(place, 'div', 'body');
  const says = put(place, 'p', 'says');
  says.setAttribute('aria-live', 'polite');
  const swap = put(place, 'div', 'swap');
  const waiting = put(swap, 'p', 'waiting', 'When you have tried it, the answer stands here.');
  const answer = put(swap, 'p', 'answer unseen', after);
  const tried = () => {
    waiting.classList.add('unseen');
    answer.classList.remove('unseen');
  };
  return {body, says, tried};
}

/** A field for a name, which use gets. What is wrong with it stands in the place of the hint. */
function nameField(parent, value, use) {
  const row = put(parent, 'div', 'row'), label = put(row, 'label', '', 'Name ');
  const field = put(label, 'input', 'field');
  Object.assign(field, {value, autocomplete: 'off', autocapitalize: 'none', spellcheck: false});
  const hint = 'All letters are from a to z, without accents.';
  const problem = put(parent, 'p', 'problem', hint);
  problem.setAttribute('role', 'alert');
  field.addEventListener('input', () => {
    problem.textContent = hint;
    try {
      use(normalized(field.value));
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      problem.textContent = error.message;
    }
    field.setAttribute('aria-invalid', String(problem.textContent !== hint));
  });
}

/** Only a name: no hidden letter and no end in it. */
function checked(name) {
  if (!name || /[_.]/.test(name)) {
    throw new InputError('Type a name of one letter or more, without “_” and “.”.');
  }
  return name;
}

/** A choice of one among some, as buttons; returns a function that marks one of them. */
function choose(parent, label, words, act) {
  const row = put(parent, 'div', 'row');
  row.setAttribute('role', 'group');
  row.setAttribute('aria-label', label);
  put(row, 'span', '', label);
  const buttons = words.map((word, n) => button(row, word, () => { mark(n); act(n); }, 'small'));
  const mark = n => buttons.forEach(
    (each, m) => each.setAttribute('aria-pressed', String(m === n)));
  return mark;
}

/** A table: its head, and rows of texts. Numbers stand below each other. */
function fill(table, head, rows, marked = []) {
  table.textContent = '';
  const first = put(put(table, 'thead'), 'tr');
  head.forEach(text => put(first, text.trim() ? 'th' : 'td', '', text));
  const body = put(table, 'tbody');
  rows.forEach((texts, n) => {
    const row = put(body, 'tr', marked.includes(n) ? 'marked' : '');
    texts.forEach((text, m) => put(row, m ? 'td' : 'th', '', text));
  });
}

/** A slider with its name and its value. */
function slider(parent, label, {min, max, step, value}, write, act) {
  const row = put(parent, 'label', 'slider');
  put(row, 'span', '', label);
  const input = put(row, 'input');
  Object.assign(input, {type: 'range', min, max, step});
  input.value = value;
  const output = put(row, 'output', '', write(value));
  input.addEventListener('input', () => {
    output.textContent = write(Number(input.value));
    act(Number(input.value));
  });
  return input;
}


// 2. The things.

const things = {};

/** Your own coin, divided before each character of a name. */
things.coin = place => {
  const vocab = keptModel('microgpt').vocab, {evenly, byLetter, byPair} = guessers(pairCounts);
  const names = known.names.filter(name => name.length >= 5 && name.length <= 6);
  const {body, says, tried} = frame(place,
    'A name is hidden, and you bet on its next character. Your coin has 20 pieces. Each tap on a ' +
    'character puts a piece there, and what you keep is divided evenly among all 27. Then show ' +
    'the character and see what you pay. Bet until the name ends. Can you beat the table of ' +
    'pairs?',
    'You pay little where a large share lay on the character that came, and a lot where the ' +
    'share was near 0. So a good guesser spreads the coin where it is unsure.');
  const written = put(body, 'p', 'big');
  const keys = put(body, 'div', 'keys');
  const tiles = vocab.map((char, token) => {
    const tile = button(keys, '', () => lay(token), 'key');
    put(tile, 'span', '', char);
    put(tile, 'small');
    return tile;
  });
  const row = put(body, 'div', 'row');
  const show = button(row, 'Show the character', reveal);
  const back = button(row, 'Take the coin back', () => { begin(); render(); });
  button(row, 'Another name', () => { at = (at + 1) % names.length; again(); });
  body.append(says);
  const table = put(put(body, 'div', 'scroll'), 'table', 'numbers');

  let at = 0, pieces, text, n, paid;
  function begin() { pieces = vocab.map(() => 0); }
  function again() {
    text = [...`.${names[at]}.`].map(char => vocab.indexOf(char));
    n = 1;
    paid = [];
    begin();
    says.textContent = 'The dot stands before the first letter. It also ends the name.';
    render();
  }
  function lay(token) {
    if (pieces.reduce((a, b) => a + b) < PIECES && n < text.length) pieces[token]++;
    render();
  }
  function reveal() {
    const mine = coinShares(pieces), token = text[n];
    const others = [evenly, byLetter, byPair].map(guess => guess(text[n - 1], token));
    paid.push([mine[token], ...others].map(price));
    const word = shown(vocab[token]);
    const share = (100 * mine[token]).toFixed(1);
    says.textContent = `It is ${word}. Your share on it was ${share} %, so you ` +
                       `pay ${fixed(price(mine[token]))} nats.` +
                       (n + 1 === text.length ? ' The name is finished.' : '');
    n++;
    begin();
    if (n === text.length) tried();
    render();
  }
  function render() {
    const over = n === text.length, mine = coinShares(pieces);
    written.textContent = text.slice(0, n).map(token => vocab[token]).join('') + (over ? '' : '?');
    tiles.forEach((tile, token) => {
      tile.lastChild.textContent = over ? '' : `${(100 * mine[token]).toFixed(0)} %`;
      tile.classList.toggle('some', pieces[token] > 0);
      tile.disabled = over;
    });
    show.disabled = back.disabled = over;
    const columns = [0, 1, 2, 3, 4, 5, 6], sum = list => list.reduce((a, b) => a + b, 0);
    fill(table, ['pays', ...columns.map(m => m + 1 < n ? vocab[text[m + 1]] : ' '), 'sum'],
      ['you', 'evenly', 'letters', 'pairs'].map((who, g) => [who,
        ...columns.map(m => paid[m] ? fixed(paid[m][g], 1) : ''),
        paid.length ? fixed(sum(paid.map(row => row[g])), 1) : '']));
  }
  again();
};

/** a, b and the graph: backward, one node at a time. */
things.graph = place => {
  const {body, says, tried} = frame(place,
    'Press Next, and each node in turn gives its grad to the nodes that it was made from, the ' +
    'youngest first: e, d, c. Before each press, say what it gives. Then change a or b.',
    'A node gives to each of its children its own grad times the derivative on the arrow. It ' +
    'does so only after all nodes that were made from it, so its grad is complete.');
  const row = put(body, 'div', 'row');
  const values = {a: 2, b: 3};
  for (const name of ['a', 'b']) {
    const group = put(row, 'span', 'stepper');
    const less = button(group, '−', () => change(name, -1), 'small');
    put(group, 'span', 'value').dataset.name = name;
    const more = button(group, '+', () => change(name, 1), 'small');
    less.setAttribute('aria-label', `${name} less 1`);
    more.setAttribute('aria-label', `${name} plus 1`);
  }
  const next = button(row, 'Next', turn);
  button(row, 'Begin again', again);
  const svg = sketch(put(body, 'div', 'drawing'), 'svg', {viewBox: '0 0 330 216', role: 'img'});
  const at = [[2, 12], [2, 138], [124, 12], [124, 138], [246, 75]], wide = 82, high = 62;

  let nodes, at_turn, given;
  function change(name, by) {
    values[name] = Math.max(-9, Math.min(9, values[name] + by));
    again();
  }
  function again() {
    nodes = graphNodes(values.a, values.b);
    at_turn = nodes.length;
    given = new Map();
    says.textContent = 'The data are worked out. The result has the grad 1, which is its ' +
                       'derivative by itself. All other grads are 0.';
    render();
  }
  function turn() {
    at_turn--;
    const {words, value} = nodes[at_turn];
    const parts = giveBack(nodes, at_turn).map(([child, local, gets]) => {
      given.set(`${at_turn} ${child}`, gets);
      const [grad, slope, result] = [value.grad, local, gets].map(x => fixed(x, 0));
      return `${grad} · ${slope} = ${result} to ${nodes[child].words}`;
    });
    says.textContent = `${words} has its turn. Its grad is ${fixed(value.grad, 0)}, so it gives ` +
                       `${parts.join(' and ')}.`;
    if (at_turn === 2) at_turn = 0;             // a and b were made from nothing
    if (at_turn === 0) {
      const [a, b] = nodes.map(node => fixed(node.value.grad, 0));
      says.textContent += ` Now a has ${a} and b has ${b}, and both are complete.`;
      tried();
    }
    render();
  }
  function render() {
    body.querySelectorAll('.value').forEach(element => {
      element.textContent = `${element.dataset.name} = ${fixed(values[element.dataset.name], 0)}`;
    });
    next.disabled = at_turn === 0;
    svg.textContent = '';
    svg.setAttribute('aria-label', nodes.map(({words, value}) =>
      `${words}: data ${value.data}, grad ${value.grad}`).join('; '));
    nodes.forEach(({children, value}, n) => children.forEach((child, i) => {
      const [x1, y1] = at[child], [x2, y2] = at[n];
      const start = [x1 + wide, y1 + high / 2], end = [x2, y2 + high / 2 + (y1 - y2) / 6];
      const gone = given.has(`${n} ${child}`);
      sketch(svg, 'path', {d: `M${start}L${end}`, class: gone ? 'way new' : 'way'});
      const middle = [0, 1].map(k => start[k] + 0.32 * (end[k] - start[k]));
      sketch(svg, 'circle', {cx: middle[0], cy: middle[1], r: 8, class: 'ground'});
      sketch(svg, 'text', {x: middle[0], y: middle[1] + 4, class: 'mono middle dim'},
        fixed(value.localGrads[i], 0));
    }));
    nodes.forEach(({words, value}, n) => {
      const [x, y] = at[n];
      const done = n >= at_turn && n > 1, turn = n === at_turn - 1 && n > 1;
      sketch(svg, 'rect', {x, y, width: wide, height: high, rx: 6,
                          class: turn ? 'box turn' : done ? 'box done' : 'box'});
      [words, `data ${fixed(value.data, 0)}`, `grad ${fixed(value.grad, 0)}`].forEach((text, m) =>
        sketch(svg, 'text', {x: x + wide / 2, y: y + 18 + 18 * m,
                            class: 'mono middle' + (m ? '' : ' bold')}, text));
    });
  }
  again();
};

/** The hill, with a slider for the learning rate. */
things.hill = place => {
  const letter = keptModel('microgpt').vocab.indexOf('a');
  const total = list => list.reduce((a, b) => a + b);
  const frequency = total(pairCounts.map(row => row[letter])) / total(pairCounts.flat());
  const {body, says, tried} = frame(place,
    'Start with a rate of 2 and walk down. Before you change the rate, guess: with which one are ' +
    'you nearest to the valley after two single steps? From which one on does the first step go ' +
    'over the valley and up again, higher than it began?',
    'A low rate needs many steps, and a good one only a few. With a rate that is too high, a ' +
    'step goes over the valley, and may end higher than where it began.');
  const rates = [0.3, 1, 2, 4, 6, 8, 12, 16, 20, 30], START = 0;
  const [low, high] = [-9, 5], bottom = hillAt(Math.log(frequency / (1 - frequency)), frequency)[0];
  const input = slider(body, 'Learning rate', {min: 0, max: rates.length - 1, step: 1, value: 2},
                       at => String(rates[at]), again);
  const row = put(body, 'div', 'row');
  button(row, 'One step', () => go(1));
  button(row, 'Eight steps', () => go(8));
  button(row, 'Begin again', again);
  const svg = sketch(put(body, 'div', 'drawing'), 'svg', {viewBox: '0 0 330 190', role: 'img'});

  const loss = w => hillAt(w, frequency)[0];
  const top = Math.max(loss(low), loss(high));
  const x = w => 10 + 310 * (w - low) / (high - low);
  const y = nats => 168 - 150 * (nats - bottom) / (top - bottom);
  let weights;
  function again() {
    weights = [START];
    render();
  }
  function go(steps) {
    const more = walk(weights[weights.length - 1], frequency, rates[Number(input.value)], steps);
    weights.push(...more.slice(1));
    tried();
    render();
  }
  function render() {
    const w = weights[weights.length - 1], count = weights.length - 1;
    const outside = w < low || w > high ? ' This is outside of the picture.' : '';
    const slope = fixed(hillAt(w, frequency)[1], 3);
    says.textContent = `After ${count} step${count === 1 ? '' : 's'} w is ${fixed(w)}, the slope ` +
      `there is ${slope}, and the loss is ${fixed(loss(w), 3)} nats. In the valley it is ` +
      `${fixed(bottom, 3)}.${outside}`;
    svg.textContent = '';
    svg.setAttribute('aria-label', says.textContent);
    const grid = Array.from({length: 81}, (_, n) => low + (high - low) * n / 80);
    sketch(svg, 'path', {class: 'curve', d: 'M' + grid.map(w => [x(w), y(loss(w))]).join('L')});
    sketch(svg, 'path', {class: 'axis', d: 'M10 174H320'});
    for (let mark = low + 1; mark < high; mark += 2) {
      sketch(svg, 'text', {x: x(mark), y: 187, class: 'note middle dim'}, fixed(mark, 0));
    }
    sketch(svg, 'text', {x: 320, y: 187, class: 'note end dim'}, 'w');
    sketch(svg, 'text', {x: 10, y: 12, class: 'note dim'}, 'loss');
    const points = weights.slice(-60).map(w => [
      Math.max(2, Math.min(328, x(w))), Math.max(4, y(loss(w)))]);
    sketch(svg, 'path', {class: 'walk', d: 'M' + points.join('L')});
    points.forEach(([cx, cy], n) => sketch(svg, 'circle', n === points.length - 1 ?
      {cx, cy, r: 6, class: 'now'} : {cx, cy, r: 3, class: 'place'}));
  }
  again();
};

/** A letter and those like it, by the trained embedding. */
things.letters = place => {
  const model = keptModel('microgpt'), {vocab} = model;
  const {body, says, tried} = frame(place,
    'Which letters should be most like an e? Say three, then tap the e. Then try k, n and y. A ' +
    'bar that goes up means alike, and one that goes down means opposite.',
    'The letters most like e are other vowels. Letters that can replace each other in a name got ' +
    'similar numbers. With rare letters it is less clear, as the model has seen few of them.');
  const grid = put(body, 'div', 'letters');
  const tokens = vocab.map((_, token) => token).slice(1);
  const tiles = tokens.map(token => {
    const tile = button(grid, '', () => { tried(); look(token); }, 'letter');
    const bar = put(tile, 'span', 'bar');
    put(bar, 'i');
    put(tile, 'b', '', vocab[token]);
    put(tile, 'small');
    return tile;
  });
  function look(token) {
    const alike = likenesses(model, token);
    tiles.forEach((tile, n) => {
      const likeness = alike[tokens[n]], bar = tile.firstChild.firstChild;
      bar.style.height = `${50 * Math.abs(likeness)}%`;
      bar.style.top = `${likeness > 0 ? 50 - 50 * likeness : 50}%`;
      tile.lastChild.textContent = fixed(likeness);
      tile.setAttribute('aria-pressed', String(tokens[n] === token));
    });
    const order = tokens.filter(other => other !== token).sort((a, b) => alike[b] - alike[a]);
    const name = other => `${vocab[other]} (${fixed(alike[other])})`;
    says.textContent = `Most like ${vocab[token]} are ${order.slice(0, 3).map(name).join(', ')}. ` +
                       `Least like it is ${name(order[order.length - 1])}.`;
  }
  says.textContent = 'No letter is chosen yet.';
};

/** One query through one head, on the reader's own name. */
things.query = place => {
  const model = keptModel('microgpt'), {vocab} = model;
  const {body, says, tried} = frame(place,
    'Type your first name, and tap the letter that looks. Before you press Next, say which ' +
    'letter it will look at most. All numbers are those of the trained GPT.',
    'A head asks with 4 numbers, compares them with the 4 of each key, and mixes the values by ' +
    'the shares. Its 4 numbers and those of the three other heads then change the vector of 16.');
  let tokens, position, head = 0, stage = 0, numbers;
  nameField(body, 'marina', name => {
    tokens = encode(model, checked(name)).slice(0, -1);
    position = tokens.length - 1;
    stage = 0;
    build();
  });
  const row = put(body, 'div', 'row tiles');
  row.setAttribute('role', 'group');
  row.setAttribute('aria-label', 'The letter that looks');
  const mark = choose(body, 'Head', ['1', '2', '3', '4'], n => { head = n; render(); });
  mark(head);
  const moves = put(body, 'div', 'row');
  const back = button(moves, 'Back', () => { stage--; render(); });
  const next = button(moves, 'Next', () => { stage++; tried(); render(); });
  const title = put(body, 'p', 'stage');
  body.append(says);
  const swap = put(body, 'div', 'swap'), box = put(swap, 'div', 'sixteen');
  const table = put(put(swap, 'div', 'scroll'), 'table', 'numbers');

  const list = vector => vector.map(x => fixed(x)).join(' ');
  const char = there => vocab[tokens[there]], named = there => there ? char(there) : 'the dot';
  function most() { return numbers.shares.indexOf(Math.max(...numbers.shares)); }
  const stages = [
    {title: 'The vector that looks: 16 numbers', columns: ['share'],
     box: () => numbers.vector,
     says: () => `These 16 numbers are the embedding of ${named(position)} and that of its ` +
                 'place, added and brought to size.'},
    {title: 'Query and keys: 4 numbers each', columns: ['key'],
     says: () => 'The layer wq makes 16 numbers of the 16. Of these, 4 belong to this ' +
                 `head. They are its query: ${list(numbers.query)}. In the same way wk makes the ` +
                 'keys.'},
    {title: 'Scores: 1 number each', columns: ['key', 'score'],
     says: () => `The query, ${list(numbers.query)}, times the key of ${named(most())}, number ` +
                 `by number and added up, is ${fixed(numbers.scores[most()])}.`},
    {title: 'Scores, halved', columns: ['score', 'halved'],
     says: () => 'A sum of 4 products is about twice as large as one product, because the root ' +
                 'of 4 is 2. So each score is halved.'},
    {title: 'Minus 2 for each step away', columns: ['halved', 'distance', 'nearer'],
     says: () => `The neighbour is at distance 0. The place itself comes last, at ` +
                 `${numbers.distances[position]}. For ${named(most())} the score becomes ` +
                 `${fixed(numbers.halved[most()])} − 2 · ${numbers.distances[most()]} = ` +
                 `${fixed(numbers.nearer[most()])}.`},
    {title: 'Shares, by the softmax', columns: ['nearer', 'share'],
     says: () => 'All shares together are 1. The largest, ' +
                 `${percent(numbers.shares[most()])}, goes to ${named(most())}.`},
    {title: 'The mix: 4 numbers', columns: ['share', 'value'],
     says: () => `Each value times its share, added up: ${list(numbers.mix)}. This is what the ` +
                 'head has found.'},
    {title: 'What is added to the vector: 16 numbers', columns: ['share'],
     box: () => numbers.change,
     says: () => 'The 4 · 4 numbers of the heads go through the layer wo. What comes out is ' +
                 `added to the vector of ${named(position)}.`},
  ];
  const column = {
    key: ['key (4 numbers)', there => list(numbers.keys[there])],
    value: ['value (4 numbers)', there => list(numbers.values[there])],
    score: ['score', there => fixed(numbers.scores[there])],
    halved: ['halved', there => fixed(numbers.halved[there])],
    distance: ['distance', there => String(numbers.distances[there])],
    nearer: ['with distance', there => fixed(numbers.nearer[there])],
    share: ['share', there => fixed(numbers.shares[there])],
  };
  function build() {
    row.textContent = '';
    tokens.forEach((token, n) => {
      button(row, vocab[token], () => { position = n; render(); }, 'tile');
    });
    body.style.setProperty('--rows', tokens.length);
    render();
  }
  function render() {
    numbers = throughHead(model, tokens, position, head);
    [...row.children].forEach((tile, n) => {
      tile.setAttribute('aria-pressed', String(n === position));
      tile.setAttribute('aria-label', `place ${n + 1}: ${vocab[tokens[n]]}`);
    });
    const now = stages[stage];
    title.textContent = `${stage + 1} of ${stages.length}. ${now.title}`;
    back.disabled = stage === 0;
    next.disabled = stage === stages.length - 1;
    box.textContent = '';
    (now.box ? now.box() : numbers.vector).forEach(x => put(box, 'span', '', fixed(x)));
    box.classList.toggle('unseen', !now.box);
    table.classList.toggle('unseen', Boolean(now.box));
    const seen = there => there <= position;
    fill(table, ['', ...now.columns.map(name => column[name][0])], tokens.map((_, there) =>
      [char(there), ...now.columns.map((name, n) => seen(there) ? column[name][1](there) :
        n ? '' : 'not seen')]), [most()]);
    says.textContent = now.says();
  }
  tokens = encode(model, 'marina').slice(0, -1);
  position = tokens.length - 1;
  build();
};

/** Hide and restore. */
things.hide = place => {
  const model = keptModel('microdiffusion'), {vocab} = model;
  const {body, says, tried} = frame(place,
    'Type your first name. Which of its letters is the easiest to guess from all the others? ' +
    'Hide it with a tap, and look at the guesses below it, in percent. The bold one is right. ' +
    'Then hide its neighbours too. A second tap shows a letter again, and what it cost.',
    'The more of a name can be seen, on both sides, the better the guess. With everything hidden ' +
    'the model only knows which letters are common at each place.');
  let clean, hidden, paid;
  nameField(body, 'jonah', name => {
    clean = encode(model, checked(name));
    all(false);
  });
  const row = put(body, 'div', 'row');
  button(row, 'Hide all', () => { tried(); all(true); });
  button(row, 'Show all', () => all(false));
  const grid = put(body, 'div', 'places');
  const tiles = Array.from({length: model.block_size}, (_, n) => {
    const cell = put(grid, 'div');
    return [button(cell, '', () => tap(n), 'tile'), put(cell, 'div', 'guesses')];
  });
  body.append(says);
  const noisy = () => clean.map((token, n) => hidden[n] ? MASK : token);
  function all(value) {
    hidden = clean.map(() => value);
    paid = clean.map(() => null);
    render(value ? 'All is hidden: the model guesses from the places alone.' :
      'Nothing is hidden.');
  }
  function tap(n) {
    tried();
    if (!hidden[n]) {
      hidden[n] = true;
      paid[n] = null;
      const [[token, p]] = guessHidden(model, noisy(), 1)[n];
      render(`Its best guess for place ${n + 1} is ${shown(vocab[token])}, with ${percent(p)}.`);
    } else {
      const guesses = guessHidden(model, noisy(), vocab.length)[n];
      const p = guesses.find(([token]) => token === clean[n])[1];
      paid[n] = price(p);
      hidden[n] = false;
      render(`It is ${shown(vocab[clean[n]])}. The model had given it ${(100 * p).toFixed(1)} %, ` +
             `which costs ${fixed(paid[n])} nats.`);
    }
  }
  function render(text) {
    const guesses = guessHidden(model, noisy(), vocab.length);
    tiles.forEach(([tile, below], n) => {
      tile.textContent = hidden[n] ? '_' : vocab[clean[n]];
      tile.className = hidden[n] ? 'tile hidden' : 'tile';
      tile.setAttribute('aria-label', `place ${n + 1}: ${hidden[n] ? 'hidden' : vocab[clean[n]]}`);
      below.textContent = '';
      const best = guesses[n].slice(0, 3), right = ([token]) => token === clean[n];
      if (!best.some(right)) best.splice(2, 1, ...guesses[n].filter(right));    // in the last line
      for (const [token, p] of best) {
        if (p >= 0.005 || token === clean[n]) {
          put(below, 'div', token === clean[n] ? 'paid' : '', `${vocab[token]} ${Math.round(100 * p)}`);
        }
      }
      if (paid[n] !== null) put(below, 'div', 'paid', fixed(paid[n]));
    });
    says.textContent = text;
  }
  clean = encode(model, 'jonah');
  all(false);
};

/** A hundred t, drawn evenly and log-uniformly. */
things.noise = place => {
  const tMin = keptModel('microdiffusion').t_min, PARTS = 4;
  const {body, says, tried} = frame(place,
    'Draw a hundred t in both ways. Which of the four parts will get the most of them? In the ' +
    'first way each t counts 1/t, and in the second way each counts 1. Which part will count ' +
    'most?',
    'Evenly drawn t with the factor 1/t, and log-uniform t without a factor, come to the same ' +
    'on average: draw more, and the two last lines come closer. Low t count more, either because ' +
    'each counts more or because there are more of them.');
  const row = put(body, 'div', 'row');
  button(row, 'Draw a hundred', draw100);
  button(row, 'Begin again', again);
  const rows = [['evenly', 't drawn evenly, factor 1/t', t => 1 / t],
                ['logUniform', 't drawn log-uniformly, factor 1', () => 1]];
  body.append(says);
  const edges = Array.from({length: PARTS + 1}, (_, n) => tMin + (1 - tMin) * n / PARTS);
  const shows = rows.map(([, heading]) => {
    put(body, 'p', 'stage', heading);
    const svg = sketch(put(body, 'div', 'drawing'), 'svg', {viewBox: '0 0 330 62', role: 'img'});
    const table = put(body, 'table', 'numbers equal');
    return {svg, table};
  });
  let drawn;
  function again() {
    drawn = {evenly: [], logUniform: []};
    says.textContent = `Each t lies between ${tMin} and 1.`;
    render();
  }
  function draw100() {
    const more = drawLevels(100, tMin, Math);
    for (const name of Object.keys(drawn)) drawn[name].push(...more[name]);
    tried();
    const many = drawn.evenly.length;
    const low = name => inParts(drawn[name], tMin, PARTS)[0];
    says.textContent = `Of ${many} t, ${low('evenly')} of the evenly drawn ones and ` +
                       `${low('logUniform')} of the log-uniform ones lie in the first part.`;
    render();
  }
  function render() {
    rows.forEach(([name, , weight], n) => {
      const {svg, table} = shows[n], levels = drawn[name];
      const x = t => 6 + 318 * (t - tMin) / (1 - tMin);
      svg.textContent = '';
      const walls = edges.map(t => `M${x(t)} 4V44`).join('');
      sketch(svg, 'path', {class: 'axis', d: 'M6 44H324' + walls});
      edges.forEach((t, m) => sketch(svg, 'text', {x: x(t), y: 58, class: 'note dim ' + (
        m === 0 ? '' : m === PARTS ? 'end' : 'middle')}, fixed(t, 1)));
      levels.slice(-400).forEach((t, m) => sketch(svg, 'circle',
        {cx: x(t), cy: 8 + (m * 7) % 34, r: 2, class: 'place'}));
      svg.setAttribute('aria-label', `${levels.length} t between ${tMin} and 1`);
      const weights = inParts(levels, tMin, PARTS, weight);
      const total = weights.reduce((a, b) => a + b);
      fill(table, ['', ...edges.slice(1).map((t, m) => `${fixed(edges[m], 1)}–${fixed(t, 1)}`)], [
        ['how many', ...inParts(levels, tMin, PARTS).map(String)],
        ['counts', ...weights.map(sum => total ? percent(sum / total) : '')]]);
    });
  }
  again();
};

/** One denoising step in slow motion. */
things.step = place => {
  const model = keptModel('microdiffusion'), {vocab, block_size} = model;
  const {steps} = model.defaults;
  const {body, says, tried} = frame(place,
    'Fourteen hidden places become a name. The first steps are taken already: they found where ' +
    'the name may end. Steps that reveal nothing are left out. Press Next for each small part of ' +
    'a step. Before a place is chosen, say which one it will be; before a letter is drawn, say ' +
    'which one you expect.',
    'The model looks once in a step, and only one of its guesses is used. In the next step it ' +
    'guesses anew, and then it can see one letter more.');
  const row = put(body, 'div', 'row');
  const next = button(row, 'Next', advance, 'main');
  const skip = button(row, 'To the next step', () => {
    do advance(); while (part > 0 && !over());
  });
  button(row, 'Begin again', again);
  const title = put(body, 'p', 'stage');
  body.append(says);
  const grid = put(body, 'div', 'places');
  const tiles = Array.from({length: block_size}, () => put(grid, 'div', 'tile'));
  const letters = put(body, 'table', 'numbers equal');
  const table = put(put(body, 'div', 'scroll'), 'table', 'numbers');

  // A step has these parts: 0 look, 1 add the noise, 2 choose, then for each place: end, letter.
  let rng, run, tokens, now, part, total;
  function again() {
    rng = recorder(Math);
    tokens = Array(block_size).fill(MASK);
    total = block_size;
    run = denoise(model, tokens, rng);
    begin();
    while (now.drawn.every(({ended}) => ended)) {       // until a letter is drawn
      tokens = now.after;
      begin();
    }
    render();
  }
  const over = () => now === null;
  function begin() {
    part = 0;
    rng.taken.length = 0;
    const {value, done} = run.next();
    now = done ? null : {...explain(model, tokens, total, value, rng.taken), i: value[0],
                         cooled: value[1]};
    // What is drawn at each place is told in two parts: whether it is the end, then the letter.
    if (now) {
      now.parts = ['look', 'noise', 'choose'];
      now.drawn.forEach((_, d) => now.parts.push(`end ${d}`, `letter ${d}`));
    }
  }
  function advance() {
    part++;
    if (part === now.parts.length) {
      tokens = now.after;
      tried();
      begin();
    }
    render();
  }
  function render() {
    if (over()) {
      next.disabled = skip.disabled = true;
      title.textContent = 'The name is finished';
      says.textContent = `The name is ${decode(tokens, vocab).replace(/\.+$/, '')}.`;
      tokens.forEach((token, n) => showTile(n, token, ''));
      fill(table, ['', 'guess', 'confidence', 'noise', 'sum'],
        tokens.map((_, n) => [String(n + 1), 'known', '', '', '']));
      showLetters([]);
      return;
    }
    next.disabled = skip.disabled = false;
    const [kind, d] = now.parts[part].split(' '), drawn = now.drawn[d];
    title.textContent = `Step ${now.i} of ${steps}: ` + {
      look: 'look', noise: 'add noise', choose: 'choose', end: 'does the name end?',
      letter: 'draw'}[kind];

    const before = [...tokens];
    now.drawn.forEach(({n, token}, m) => {
      if (m < d || (m === Number(d) && kind === 'letter')) {
        before[n] = token;
        if (token === PAD) before.fill(PAD, n);
      }
    });
    const chosen = part >= 2 ? now.chosen : [];
    before.forEach((token, n) => showTile(n, token, tokens[n] === MASK && token !== MASK ? 'new' :
      chosen.includes(n) ? 'from' : ''));
    const rated = new Map(now.rated.map(each => [each.n, each]));
    fill(table, ['', 'guess', 'confidence', 'noise', 'sum'], tokens.map((_, n) => {
      const each = rated.get(n);
      if (!each) return [String(n + 1), 'known', '', '', ''];
      return [String(n + 1), `${vocab[each.guess]} ${percent(each.p)}`, fixed(each.confidence),
              part > 0 ? fixed(each.noise) : '', part > 0 ? fixed(each.rating) : ''];
    }), chosen);

    showLetters(drawn && kind === 'letter' && !drawn.ended ? drawn.letters : []);
    const place = drawn && drawn.n + 1;
    says.textContent = {
      look: () => 'The model gives shares at each hidden place. The confidence is the ' +
                  'logarithm of the largest one.',
      noise: () => 'Each confidence gets a random number. It is large at first and fades as ' +
                   'fewer places are hidden.',
      choose: () => `${now.left} places may stay hidden, so the ${now.count === 1 ? 'place' :
        `${now.count} places`} with the largest sum ${now.count === 1 ? 'is' : 'are'} chosen: ` +
        `${now.chosen.map(n => n + 1).join(', ')}.`,
      end: () => `First: does the name end at place ${place}? The share of the end is ` +
        `${percent(drawn.end)}, at temperature 1. Chance says ${drawn.ended ? 'yes' : 'no'}.`,
      letter: () => drawn.ended ?
        `So place ${place} is a dot, and all places behind it are settled: they are dots too.` :
        `Letters with less than ${model.defaults.min_p} of the largest share are left out, and ` +
        `T is ${fixed(now.cooled)}. Drawn: ${vocab[drawn.token]}. Left of it there can be no ` +
        'end now.',
    }[kind]();
  }
  function showLetters(list) {
    const six = [0, 1, 2, 3, 4, 5].map(n => list[n] || []);
    const give = p => p === undefined ? '' : fixed(p);
    fill(letters, ['letter', ...six.map(([token]) => vocab[token] || '')],
         [['share', ...six.map(([, p]) => give(p))], ['with T', ...six.map(([, , p]) => give(p))]]);
  }
  function showTile(n, token, kind) {
    tiles[n].textContent = vocab[token];
    tiles[n].className = `tile ${token === MASK ? 'hidden' : ''} ${kind}`;
  }
  again();
};


/** Both models learn the names of a class. */
things.train = place => {
  const STEPS = 300, WRITTEN = 50;
  const MODELS = {microgpt: ['gpt', '╌ GPT'], microdiffusion: ['diffusion', '─ diffusion']};
  const {body, says, tried} = frame(place,
    'Both models begin with random weights and learn this list, or the names of your own class, ' +
    'one a line. Before you press Train, say what each curve will do: it is the price of names ' +
    'that nobody learns from.',
    'The GPT knows the list by heart long before diffusion does. Each name gives diffusion many ' +
    'different puzzles, and the GPT the same few guesses again and again. But with so short a ' +
    'list, the price of diffusion rises in the end too.');
  const label = put(body, 'label', '', 'The list');
  const names = known.lists['class.txt'].join('\n').toLowerCase();
  const list = put(label, 'textarea', 'field list', names);
  Object.assign(list, {rows: 4, spellcheck: false, autocapitalize: 'none'});
  const row = put(body, 'div', 'row');
  const start = button(row, 'Train', begin), stop = button(row, 'Stop', () => end('Stopped.'));
  body.append(says);
  const svg = sketch(put(body, 'div', 'drawing'), 'svg', {viewBox: '0 0 330 190', role: 'img'});
  const table = put(put(body, 'div', 'scroll'), 'table', 'numbers equal');

  let task = null, measured, written;
  function begin() {
    const {docs, leftOut} = readNames(list.value, known.constants.microgpt.block_size);
    if (new Set(docs).size < 10) {
      says.textContent = 'Give ten names or more, one a line, of up to 13 letters each.';
      return;
    }
    end('');
    measured = [];
    written = null;
    start.disabled = true;
    stop.disabled = false;
    says.textContent = leftOut ? `Left out: ${leftOut} lines that hold no name, or one that is there already.` : 'It begins.';
    const heldOut = yardstick(docs, known.heldOut.split(' ')).filter((_, n) => n % 3 === 0);
    const {constants} = known, {learning_rate} = constants.microgpt;
    const settings = {docs, heldOut, constants, learning_rate, steps: STEPS, seed: 42,
                      measured: 20, written: WRITTEN};
    const code = document.getElementById('models').textContent;
    task = inBackground(code, settings, message => report(message, docs));
  }
  function end(text) {
    if (task) task.stop();
    task = null;
    start.disabled = false;
    stop.disabled = true;
    if (text) says.textContent = text;
  }
  function report({reports, done, error}, docs) {
    measured.push(...reports.filter(each => each.names));
    const last = reports[reports.length - 1];
    if (last) says.textContent = `Step ${last.step} of ${STEPS}.`;
    if (done) {
      written = Object.fromEntries(Object.keys(done).map(program =>
        [program, done[program].filter(name => docs.includes(name)).length]));
      end(`Finished. Of ${WRITTEN} names that each model wrote, ${written.microgpt} of the GPT's ` +
          `and ${written.microdiffusion} of diffusion's stand in the list.`);
      tried();
    }
    if (error) end(error);
    render();
  }
  function render() {
    const [low, high] = [14, 74], x = step => 28 + 296 * step / STEPS;
    const y = nats => 168 - 156 * (Math.min(high, nats) - low) / (high - low);
    svg.textContent = '';
    for (let nats = 20; nats < high; nats += 10) {
      sketch(svg, 'path', {class: 'grid', d: `M28 ${y(nats)}H324`});
      sketch(svg, 'text', {x: 22, y: y(nats) + 4, class: 'note end dim'}, nats);
    }
    for (const step of [0, 100, 200, 300]) {
      const side = step < STEPS ? 'middle' : 'end';
      sketch(svg, 'text', {x: x(step), y: 184, class: `note ${side} dim`}, step);
    }
    sketch(svg, 'text', {x: 30, y: 10, class: 'note dim'}, 'nats for a new name, by steps');
    const programs = Object.keys(MODELS), latest = measured[measured.length - 1];
    for (const [program, [color]] of Object.entries(MODELS)) {
      const points = measured.filter(({nats}) => nats).map(
        ({step, nats}) => [x(step), y(nats[program])]);
      if (points.length) {
        sketch(svg, 'path', {class: `model ${color}`, d: 'M' + points.join('L')});
        const [cx, cy] = points[points.length - 1];
        sketch(svg, 'circle', {cx, cy, r: 4, class: color});
      }
    }
    svg.setAttribute('aria-label', 'The prices of new names while both models learn');
    fill(table, ['', ...programs.map(program => MODELS[program][1])], [
      ['price', ...programs.map(
        program => latest && latest.nats ? fixed(latest.nats[program], 1) : '')],
      ['writes', ...programs.map(program => latest ? latest.names[program] : '')],
      ['copied', ...programs.map(program => written ? `${written[program]} of ${WRITTEN}` : '')]]);
    programs.forEach((program, n) => table.rows[0].cells[n + 1].classList.add(MODELS[program][0]));
  }
  measured = [];
  written = null;
  end(`Each model will do ${STEPS} steps of 8 names.`);
  render();
};


// 3. The page.

for (const place of document.querySelectorAll('[data-touch]')) {
  const start = things[place.dataset.touch];
  if (start) start(place);
}

// The chapter that is read is marked in the list beside the text.
const chapters = [...document.querySelectorAll('main h2')];
function markChapter() {
  const begun = chapter => chapter.getBoundingClientRect().top < innerHeight / 3;
  const read = chapters.filter(begun).pop();
  for (const link of document.querySelectorAll('.side a')) {
    if (read && link.hash === '#' + read.id) link.setAttribute('aria-current', 'true');
    else link.removeAttribute('aria-current');
  }
}
addEventListener('scroll', markChapter, {passive: true});
markChapter();

const fold = document.querySelector('.fold');
fold.addEventListener('click', event => { if (event.target.closest('a')) fold.open = false; });
addEventListener('beforeprint', () => {
  document.querySelectorAll('main details').forEach(each => { each.open = true; });
});

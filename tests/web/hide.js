// Section 1: Hide.

const hide = {
  clean: [],        // the tokens of the name
  chances: [],      // a random number for each place: it is hidden at a t above it
  hidden: [],       // whether each place is hidden
  paid: [],         // what each place cost when it was shown, or null
  from: 4,          // the place from which we look
  tiles: [], below: [], labels: [],
};

/** Make the elements of section 1. */
function startHide(names) {
  const row = byId('hide-places');
  for (const n of places) {
    if (n % 7 === 0) {                          // a column of labels, before each row of a phone
      const label = put(row, 'div', n ? 'second' : '');
      hide.labels.push(put(label, 'div', 'below labels'));
    }
    const place = put(row, 'div');
    hide.tiles.push(put(place, 'button', 'tile'));
    hide.below.push(put(place, 'div', 'below'));
    hide.tiles[n].addEventListener('click', () => tap(n));
  }
  moveByArrows(hide.tiles);

  let at = 0;
  byId('name').value = names[0];
  byId('name').addEventListener('input', takeName);
  byId('name-form').addEventListener('submit', event => event.preventDefault());
  byId('another').addEventListener('click', () => {
    at = (at + 1) % names.length;
    byId('name').value = names[at];
    takeName();
  });
  byId('t').addEventListener('input', hideAtRandom);
  byId('redraw').addEventListener('click', drawChances);
  byId('tap-hide').addEventListener('change', showHide);
  byId('tap-look').addEventListener('change', showHide);
  hide.chances = places.map(() => Math.random());
  takeName();
}

/** Use the name in the field, or say what it takes. */
function takeName() {
  try {
    const name = normalized(byId('name').value);
    const clean = encode(microdiffusion, name);
    if (!name || /[_.]/.test(name)) {
      throw new InputError('Type a name: one letter at least, and no “_” or “.” in it.');
    }
    hide.clean = clean;
    complain('name', '');
    hideAtRandom();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    complain('name', error.message);
  }
}

/** Let chance decide anew. */
function drawChances() {
  hide.chances = places.map(() => Math.random());
  hideAtRandom();
}

/** Hide as the slider says. */
function hideAtRandom() {
  const t = Number(byId('t').value);
  byId('t-out').textContent = t.toFixed(2);
  const chances = hide.chances.values();
  hide.hidden = corrupt(hide.clean, t, {random: () => chances.next().value})
    .map(token => token === MASK);
  hide.paid = places.map(() => null);
  showHide();
}

/** What the model sees. */
function noisy() {
  return hide.clean.map((token, n) => hide.hidden[n] ? MASK : token);
}

/** A place was tapped. */
function tap(n) {
  if (byId('tap-look').checked) {
    hide.from = n;
  } else if (hide.hidden[n]) {
    hide.paid[n] = -Math.log(predict(noisy())[n][hide.clean[n]]);
    hide.hidden[n] = false;
  } else {
    hide.paid[n] = null;
    hide.hidden[n] = true;
  }
  showHide();
}

/** Show the tiles, what stands below them, and the sentence about it. */
function showHide() {
  const looking = byId('tap-look').checked, looked = [];
  const tokens = noisy(), probs = predict(tokens, looked);
  for (const n of places) {
    const tile = hide.tiles[n], guesses = likeliest(probs[n], 5);
    const hidden = hide.hidden[n];
    tile.textContent = microdiffusion.vocab[tokens[n]];
    tile.className = 'tile' + (hidden ? ' hidden' : '') +
                     (looking && n === hide.from ? ' from' : '');
    tile.setAttribute('aria-label', `place ${n + 1}: ` + (!hidden ? tile.textContent :
      'hidden, perhaps ' + guesses.map(([char, p]) => `${char} ${percent(p)} %`).join(', ')));

    hide.below[n].textContent = '';
    if (looking) {
      showLooked(hide.below[n], looked, n);
    } else if (hidden) {
      for (const [char, p] of guesses) {
        const guess = put(hide.below[n], 'div', 'guess', `${char} ${percent(p)}`);
        guess.style.backgroundSize = `${100 * p}% 100%`;
      }
    } else if (hide.paid[n] !== null) {
      const cost = put(hide.below[n], 'div', 'cost', nats(hide.paid[n]));
      put(cost, 'small', '', 'nats');
    }
  }
  for (const label of hide.labels) {
    label.textContent = '';
    looked.forEach(({look}, row) => looking &&
      put(label, 'div', cellClass(row), `${layerOf(row) + 1} ${look < 0 ? '←' : '→'}`));
  }
  byId('hide-says').textContent = looking ? sayLooked(looked, tokens) : sayCosts(tokens);
}

const layerOf = row => Math.floor(row / microdiffusion.heads.length);
const headOf = row => row % microdiffusion.heads.length;
const cellClass = row => 'cell' + (headOf(row) === microdiffusion.heads.length - 1 ? ' layer' : '');

/** A column of squares, one for each head: how much it looks at this place. */
function showLooked(below, looked, there) {
  looked.forEach(({weights}, row) => {
    const cell = put(below, 'div', cellClass(row));
    const weight = weights[hide.from] ? weights[hide.from][there] || 0 : 0;
    const side = `${15 * Math.sqrt(weight)}px`;                 // so the area is the weight
    Object.assign(put(cell, 'i').style, {width: side, height: side});
  });
}

/** The sentence about the heads. */
function sayLooked(looked, tokens) {
  const seen = settled(tokens).length;
  if (hide.from >= seen) {
    return `Place ${hide.from + 1} stands behind a visible “.”, so it is certain to hold a “.” ` +
           'too. The model does not look at it, and nothing looks from there.';
  }
  const [row, there] = looked.map(({weights}, row) => [row, weights[hide.from]])
    .map(([row, weights]) => [row, weights.indexOf(Math.max(...weights)), Math.max(...weights)])
    .sort((a, b) => b[2] - a[2])[0];
  const most = looked[row].weights[hide.from][there];
  return `From place ${hide.from + 1}, head ${headOf(row) + 1} of layer ${layerOf(row) + 1} ` +
         `gives ${percent(most)} % of its attention to place ${there + 1}. No other head ` +
         'gives so much to one place.';
}

/** The sentence about the costs. */
function sayCosts(tokens) {
  const costs = noGrad(() => dataOf(crossEntropies(microdiffusion, tokens, hide.clean)));
  const hidden = hide.hidden.filter(Boolean).length;
  const paid = hide.paid.filter(cost => cost !== null);
  const sum = list => nats(list.reduce((a, b) => a + b, 0));
  const now = hidden === 0 ? 'No place is hidden.' :
    `${count(hidden, 'hidden place')} cost${hidden === 1 ? 's' : ''} ${sum(costs)} nats.`;
  const certain = hidden > costs.length ? ' Behind a visible “.” all is certain and costs 0.' : '';
  return now + certain + (paid.length ? ` What you have shown cost ${sum(paid)} nats.` : '');
}

// Section 3: Hide.

const hide = {
  names: [],        // to begin with
  clean: [],        // the tokens of the name
  chances: [],      // a random number for each place: it is hidden at a t above it
  hidden: [],       // whether each place is hidden
  paid: [],         // what each place cost when it was shown, or null
  from: 4,          // the place from which we look
  tiles: [], squares: [], below: [], cells: [],
};

/** Make the elements of section 3. */
function startHide() {
  for (const n of places) {
    const place = put(byId('hide-places'), 'div');
    hide.squares.push(put(put(place, 'div', 'square'), 'i'));
    hide.tiles.push(put(place, 'button', 'tile'));
    put(place, 'span', 'number', n + 1);
    hide.below.push(put(place, 'div', 'below'));
    hide.cells.push(put(place, 'div', 'cells'));
    hide.tiles[n].addEventListener('click', () => tap(n));
  }
  moveByArrows(hide.tiles);

  byId('name').addEventListener('input', () => { takeName(); remember('hide'); });
  byId('name-form').addEventListener('submit', event => event.preventDefault());
  byId('another').addEventListener('click', () => {
    const at = hide.names.indexOf(byId('name').value);
    byId('name').value = hide.names[(at + 1) % hide.names.length];
    takeName();
    remember('hide');
  });
  byId('t').addEventListener('input', () => { hideAtRandom(); remember('hide'); });
  byId('redraw').addEventListener('click', () => { drawChances(); remember('hide'); });
  for (const id of ['tap-hide', 'tap-look', 'heads']) {
    byId(id).addEventListener('change', () => { showHide(); remember('hide'); });
  }
  sections.hide = {
    get: () => ({
      name: byId('name').value,
      hidden: places.filter(n => hide.hidden[n]).map(n => n + 1).join(','),
      look: byId('tap-look').checked ? String(hide.from + 1) : '',
    }),
    set: get => {
      const from = Number(get('look')) - 1, looking = places.includes(from);
      if (looking) hide.from = from;
      byId(looking ? 'tap-look' : 'tap-hide').checked = true;
      byId('name').value = get('name') || hide.names[0];
      takeName();
      hidePlaces((get('hidden') || '').split(',').map(Number));
    },
  };
  hide.chances = places.map(() => Math.random());
}

/** Begin with these names, and with the puzzle if the first of them is its name. */
function beginHide(names) {
  hide.names = names;
  byId('name').value = names[0];
  takeName();
  if (names[0] === known.puzzle.name) hidePlaces(known.puzzle.hidden);
}

/** Use the name in the field, or say what it takes. */
function takeName() {
  try {
    const name = folded(normalized(byId('name').value.trim()), microdiffusion.vocab);
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
  const t = Number(byId('t').value), chances = hide.chances.values();
  byId('t-out').textContent = t.toFixed(2);
  const noisy = corrupt(hide.clean, t, {random: () => chances.next().value});
  hidePlaces(places.map(n => n + 1).filter((_, n) => noisy[n] === MASK));
}

/** Hide these places, counted from 1, and no others. */
function hidePlaces(numbers) {
  hide.hidden = places.map(n => numbers.includes(n + 1));
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
  } else {
    hide.paid[n] = hide.hidden[n] ? -Math.log(predict(noisy())[n][hide.clean[n]]) : null;
    hide.hidden[n] = !hide.hidden[n];
  }
  showHide();
  remember('hide');
}

/** Show the tiles, what stands around them, and the sentence about it. */
function showHide() {
  const looking = byId('tap-look').checked, looked = [];
  const tokens = noisy(), probs = predict(tokens, looked), mean = meanLook(looked);
  const most = Math.max(...mean);
  byId('heads-choice').classList.toggle('unseen', !looking);
  for (const n of places) {
    const tile = hide.tiles[n], guesses = likeliest(probs[n], 5), hidden = hide.hidden[n];
    tile.textContent = microdiffusion.vocab[tokens[n]];
    tile.className = 'tile' + (hidden ? ' hidden' : '') +
                     (looking && n === hide.from ? ' from' : '');
    const heard = looking && most > 0 ? `, gets ${percent(mean[n])} % of the attention` : '';
    tile.setAttribute('aria-label', `place ${n + 1}: ` + (!hidden ? tile.textContent :
      'hidden, perhaps ' + guesses.map(([char, p]) => `${char} ${percent(p)} %`).join(', ')) +
      heard);

    const side = looking ? `${2 * Math.sqrt(mean[n])}rem` : '0';        // so the area is the share
    Object.assign(hide.squares[n].style, {width: side, height: side});

    hide.below[n].textContent = '';
    if (hidden) {
      for (const [char, p] of guesses) {
        const guess = put(hide.below[n], 'div', 'guess', `${char} ${percent(p)}`);
        guess.style.setProperty('--p', `${100 * p}%`);
      }
    } else if (hide.paid[n] !== null) {
      const cost = put(hide.below[n], 'div', 'cost', nats(hide.paid[n]));
      put(cost, 'small', '', 'nats');
    } else if (looking && most > 0) {
      put(hide.below[n], 'div', 'cost', `${percent(mean[n])} %`);
    }
    hide.cells[n].textContent = '';
    if (looking && byId('heads').checked) showHeads(hide.cells[n], looked, n);
  }
  byId('hide-says').textContent = looking ? sayLooked(tokens, mean) : sayCosts(tokens);
}

/** How much place hide.from looks at each place, on average over all heads; 0 if it is certain. */
function meanLook(looked) {
  return places.map(there => looked.map(({weights}) => weights[hide.from] || [])
    .reduce((sum, weights) => sum + (weights[there] || 0), 0) / looked.length);
}

/** A column of squares, one for each head: how much it looks at this place. */
function showHeads(cells, looked, there) {
  const heads = microdiffusion.heads.length;
  looked.forEach(({look, weights}, row) => {
    const cell = put(cells, 'div', 'cell' + ((row + 1) % heads ? '' : ' layer'));
    if (!there) put(cell, 'b', '', `${Math.floor(row / heads) + 1}${look < 0 ? '←' : '→'}`);
    const weight = weights[hide.from] ? weights[hide.from][there] || 0 : 0;
    const side = `${Math.sqrt(weight)}rem`;
    Object.assign(put(cell, 'i').style, {width: side, height: side});
  });
}

/** The sentence about where a place looks. */
function sayLooked(tokens, mean) {
  const from = hide.from, seen = settled(tokens).length;
  if (from >= seen) {
    return `Place ${from + 1} stands behind a visible “.”, so it is certain to hold a “.” ` +
           'too. The model does not look at it, and nothing looks from there.';
  }
  const order = places.filter(n => mean[n] > 0).sort((a, b) => mean[b] - mean[a]).slice(0, 2);
  const what = n => `place ${n + 1} (${hide.hidden[n] ? 'hidden' :
    `“${microdiffusion.vocab[tokens[n]]}”`}, ${percent(mean[n])} %)`;
  const sum = test => percent(places.filter(test).reduce((sum, n) => sum + mean[n], 0));
  const near = sum(n => Math.abs(n - from) === 1);
  const left = sum(n => n < from), right = sum(n => n > from);
  return `Place ${from + 1} looks most at ${order.map(what).join(' and ')}. ` +
    `It gives ${left} % of its attention to what stands left of it and ${right} % to what stands ` +
    'right of it. ' + (left >= 25 && right >= 25 ? 'So it uses both sides' :
      'So it uses mostly one side') +
    (near >= 50 ? ', and its neighbours count most.' : ', but places further away count too.');
}

/** The sentence about the costs. */
function sayCosts(tokens) {
  const costs = noGrad(() => dataOf(crossEntropies(microdiffusion, tokens, hide.clean)));
  const hidden = hide.hidden.filter(Boolean).length;
  const paid = hide.paid.filter(cost => cost !== null);
  const sum = list => nats(list.reduce((a, b) => a + b, 0));
  const now = hidden === 0 ? 'No place is hidden. Tap a letter to hide it.' :
    `${count(hidden, 'hidden place')} cost${hidden === 1 ? 's' : ''} ${sum(costs)} nats.`;
  const certain = hidden > costs.length ? ' Behind a visible “.” all is certain and costs 0.' : '';
  return now + certain + (paid.length ? ` What you have shown cost ${sum(paid)} nats.` : '');
}

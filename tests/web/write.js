// Section 2: Write.

const writing = {
  tokens: [],       // what stands in the fourteen places
  mine: [],         // the token that was typed into each place, or null
  fresh: [],        // whether a place was revealed by the last step
  work: 0,          // evaluations so far
  gpt: [], gptWork: 0,                          // the tokens of microgpt, and its evaluations
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
    writing.gptTiles.push(put(byId('gpt-places'), 'div', 'tile'));
    tile.addEventListener('focus', () => tile.select());
    tile.addEventListener('input', event => typed(n, event.data || tile.value));
    tile.addEventListener('keydown', event => event.key === 'Enter' && byId('step').click());
  }
  moveByArrows(writing.tiles);

  const {steps, temperature, noise} = microdiffusion.defaults;
  const given = {steps, temperature, noise, 'gpt-temperature': microgpt.defaults.temperature};
  for (const [id, value] of Object.entries(given)) {
    byId(id).value = value;
    byId(id).addEventListener('input', () => {
      showSliders();
      again();
    });
  }
  byId('step').addEventListener('click', () => { pause(); step(); });
  byId('play').addEventListener('click', play);
  byId('again').addEventListener('click', () => { pause(); again(); });
  byId('clear').addEventListener('click', () => {
    writing.mine = places.map(() => null);
    pause();
    again();
  });
  writing.mine = places.map(() => null);
  showSliders();
  again();
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
function again() {
  writing.tokens = writing.mine.map(token => token === null ? MASK : token);
  const end = writing.tokens.indexOf(PAD);
  if (end >= 0) writing.tokens.fill(PAD, end);
  writing.fresh = places.map(() => false);
  writing.work = writing.gptWork = 0;
  writing.run = denoise(microdiffusion, writing.tokens, Math, options());

  const letters = writing.mine.map(token => token > PAD);
  writing.gptStart = letters.includes(false) ? letters.indexOf(false) : letters.length;
  writing.gpt = writing.mine.slice(0, writing.gptStart).map(
    token => microgpt.vocab.indexOf(microdiffusion.vocab[token]));
  writing.gptRun = generate(microgpt, writing.gpt, Math, options().gptTemperature);

  const others = writing.mine.filter(token => token !== null).length > writing.gptStart;
  say(others ? 'microdiffusion keeps all that you typed. microgpt can use letters at the ' +
               'beginning, but neither a letter nor an end that comes later.' :
      'Nothing is written yet. Press Step or Play, or type a letter into the upper row.');
  showWrite();
}

/** Show a sentence below the tiles. */
function say(text) {
  byId('write-says').textContent = text;
}

/** Each model works once; returns whether one of them goes on. */
function step() {
  if (!writing.run && !writing.gptRun) again();
  const before = writing.tokens, said = [];
  const next = writing.run && writing.run.next();
  if (next && !next.done) {
    const [i, , tokens] = next.value;
    writing.tokens = tokens;
    writing.work++;
    const fresh = places.filter(n => before[n] !== tokens[n]);
    const letters = fresh.filter(n => tokens[n] !== PAD);
    const what = letters.length > 3 ? [`${letters.length} letters`] :
      letters.map(n => `${microdiffusion.vocab[tokens[n]]} at place ${n + 1}`);
    if (letters.length < fresh.length) what.push('where the name ends');
    said.push(`Step ${i} of ${options().steps}: microdiffusion reveals ${what.join(', ')}.`);
  }
  writing.fresh = writing.tokens.map((token, n) => token !== before[n]);
  if (!writing.tokens.includes(MASK)) writing.run = null;

  const nextLetter = writing.gptRun && writing.gptRun.next();
  if (nextLetter && !nextLetter.done) {
    writing.gpt = nextLetter.value;
    writing.gptWork++;
    const token = writing.gpt[writing.gpt.length - 1];
    said.push(`microgpt ${token === BOS ? 'ends its name' : 'writes ' + microgpt.vocab[token]}.`);
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

/** A place was typed into: what stands there now is a part of the prompt. */
function typed(n, text) {
  const char = normalized(text.slice(-1)), last = places.length - 1;
  const token = '_'.includes(char) ? MASK : microdiffusion.vocab.indexOf(char);
  const letter = token > PAD;
  pause();
  if (token < 0 || (letter && n === last) || (token === PAD && n === 0)) {
    const letters = microdiffusion.vocab.slice(PAD + 1).join('');
    say(token < 0 ? `A place takes one of ${letters}, or a “.” as the end.` :
        letter ? `The last place holds a “.”, as a name has up to ${last} letters.` :
        'A name has a letter: it cannot end at the first place.');
    showWrite();
    return;
  }
  writing.tokens = [...writing.tokens];
  writing.tokens[n] = token;
  writing.mine[n] = token === MASK ? null : token;
  for (const m of places) {
    if (letter && m < n && writing.tokens[m] === PAD) {           // no end before a letter
      writing.tokens[m] = MASK;
      writing.mine[m] = null;
    }
    if (token === PAD && m > n) {                               // nothing but ends behind an end
      writing.tokens[m] = PAD;
      writing.mine[m] = null;
    }
  }
  writing.fresh = places.map(() => false);
  const run = denoise(microdiffusion, writing.tokens, Math, options());
  writing.run = writing.tokens.includes(MASK) ? run : null;
  say(token === MASK ? `Place ${n + 1} is hidden. microdiffusion can fill it in once more.` :
      `Place ${n + 1} now has your “${char}”. ` +
      (writing.run ? 'microdiffusion goes on with it.' :
        'Press Again to keep it and hide the rest.') +
      ' microgpt cannot: it never goes back, and never sees what follows a letter.');
  showWrite();
  if (token !== MASK && n < last) writing.tiles[n + 1].focus();
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

    const written = writing.gpt[n];
    const ended = writing.gpt[writing.gpt.length - 1] === BOS && n >= writing.gpt.length - 1;
    const latest = writing.gptWork > 0 && n === writing.gpt.length - 1;
    writing.gptTiles[n].textContent = ended ? '.' : microgpt.vocab[written] || '';
    writing.gptTiles[n].className = 'tile' + (written === undefined && !ended ? ' hidden' : '') +
      (latest ? ' new' : '') + (n < writing.gptStart ? ' mine' : '');
  }
  byId('diffusion-count').textContent = count(writing.work, 'evaluation');
  byId('gpt-count').textContent = count(writing.gptWork, 'evaluation');
  byId('gpt-places').setAttribute('aria-label', decode(writing.gpt, microgpt.vocab) || 'nothing yet');
}

// Section 1: Compare.

const HOW_MANY = 20;

/** Connect the elements of section 1. */
function startCompare() {
  byId('prompt-form').addEventListener('submit', event => {
    event.preventDefault();
    compare();
    remember('compare');
  });
  for (const example of document.querySelectorAll('.example')) {
    example.addEventListener('click', () => {
      byId('prompt').value = example.textContent;
      compare();
      remember('compare');
    });
  }
  sections.compare = {
    get: () => ({prompt: byId('prompt').value}),
    set: get => {
      byId('prompt').value = get('prompt') || '';
      compare();
    },
  };
  compare();
}

/** Let both write, or say what the field takes. */
function compare() {
  const textFor = model => folded(byId('prompt').value.normalize('NFC'), model.vocab);
  let prompt;
  try {
    prompt = readPrompt(microdiffusion, textFor(microdiffusion));
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    complain('prompt', error.message);
    for (const who of ['diffusion', 'gpt']) {
      byId(who + '-names').textContent = byId(who + '-says').textContent = '';
    }
    return;
  }
  complain('prompt', '');

  const {gptTemperature, ...others} = options();
  const given = prompt.tokens.slice(0, prompt.leastLetters).map(
    token => token === MASK ? '_' : microdiffusion.vocab[token]).join('');
  const wanted = {given, ends: prompt.tokens[prompt.leastLetters] === PAD};
  showNames('diffusion', wanted, given, '', () => {
    const settings = {...others, leastLetters: prompt.leastLetters};
    const frames = [...denoise(microdiffusion, prompt.tokens, Math, settings)];
    const last = frames.length ? frames[frames.length - 1][2] : prompt.tokens;
    return [decode(last, microdiffusion.vocab), frames.length];
  });

  // microgpt refuses what it cannot use. Then it begins with the letters before that.
  let start = [], reason = '';
  try {
    start = readBeginning(microgpt, textFor(microgpt));
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const letters = [...folded(given, microgpt.vocab)];
    const unusable = letters.findIndex(char => microgpt.vocab.indexOf(char) <= BOS);
    const usable = unusable < 0 ? letters : letters.slice(0, unusable);
    start = usable.map(char => microgpt.vocab.indexOf(char));
    reason = `${error.message} It was given ${start.length ? `only “${usable.join('')}”` :
      'nothing'}. `;
  }
  showNames('gpt', wanted, decode(start, microgpt.vocab), reason, () => {
    const frames = [...generate(microgpt, start, Math, gptTemperature)];
    return [decode(frames[frames.length - 1], microgpt.vocab), frames.length];
  });
}

/** Whether a finished name, without the dots behind it, is what was asked for. */
function fits(name, {given, ends}) {
  const letters = [...name], places = [...given];
  const long = ends ? letters.length === places.length : letters.length >= places.length;
  return long && places.every((char, n) => char === '_' || char === letters[n]);
}

/** Twenty names in a list, what this model was given underlined; writeOne gives a name and its
    runs. */
function showNames(who, wanted, given, reason, writeOne) {
  const list = byId(who + '-names'), names = [], chars = [...given];
  let runs = 0;
  list.textContent = '';
  for (let i = 0; i < HOW_MANY; i++) {
    const [text, work] = writeOne();
    const name = text.replace(/\.+$/, ''), item = put(list, 'li');
    [...name].forEach((char, n) => put(item, char === chars[n] ? 'b' : 'span', '', char));
    if (reason && fits(name, wanted)) put(item, 'small', '', ' fits');
    names.push(name);
    runs += work;
  }
  const fitting = names.filter(name => fits(name, wanted)).length;
  const different = new Set(names).size;
  byId(who + '-says').textContent = reason +
    `${fitting} of ${HOW_MANY} names ${fitting === 1 ? 'fits' : 'fit'} what is known. ` +
    `${different === 1 ? 'All are the same.' : `${different} are different.`} ` +
    `On average the model ran ${(runs / HOW_MANY).toFixed(1)} times for a name.`;
}

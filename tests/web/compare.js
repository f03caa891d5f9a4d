// Section 3: Compare.

const HOW_MANY = 20;

/** Connect the elements of section 3. */
function startCompare() {
  byId('prompt-form').addEventListener('submit', event => {
    event.preventDefault();
    compare();
  });
  compare();
  for (const example of document.querySelectorAll('.example')) {
    example.addEventListener('click', () => {
      byId('prompt').value = example.textContent;
      compare();
    });
  }
}

/** Let both write, or say what the field takes. */
function compare() {
  const text = normalized(byId('prompt').value);
  let prompt;
  try {
    prompt = readPrompt(microdiffusion, text);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    complain('prompt', error.message);
    return;
  }
  complain('prompt', '');

  const {gptTemperature, ...others} = options();
  showNames('diffusion', text, '', () => {
    const settings = {...others, leastLetters: prompt.leastLetters};
    const frames = [...denoise(microdiffusion, prompt.tokens, Math, settings)];
    const last = frames.length ? frames[frames.length - 1][2] : prompt.tokens;
    return [decode(last, microdiffusion.vocab), frames.length];
  });

  // microgpt refuses what it cannot use. Then it begins with the letters before the first blank.
  const known = text.split(/[_.]/)[0];
  let start, reason = '';
  try {
    start = readBeginning(microgpt, text);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    start = readBeginning(microgpt, known);
    reason = `${error.message} It was given ${known ? 'only ' + known : 'nothing'}. `;
  }
  showNames('gpt', text, reason, () => {
    const frames = [...generate(microgpt, start, Math, gptTemperature)];
    return [decode(frames[frames.length - 1], microgpt.vocab), frames.length];
  });
}

/** Whether a finished name, without the dots behind it, is what a prompt asks for. */
function fits(name, prompt) {
  const [start, end] = prompt.split('.');
  const long = end === undefined ? name.length >= start.length : name.length === start.length;
  return long && [...start].every((char, n) => char === '_' || char === name[n]);
}

/** Twenty names in a list, with what was given underlined; writeOne gives a name and its work. */
function showNames(who, prompt, reason, writeOne) {
  const list = byId(who + '-names'), names = [];
  let work = 0;
  list.textContent = '';
  for (let i = 0; i < HOW_MANY; i++) {
    const [text, evaluations] = writeOne();
    const name = text.replace(/\.+$/, ''), item = put(list, 'li');
    [...name].forEach((char, n) => put(item, char === prompt[n] ? 'b' : 'span', '', char));
    if (reason && fits(name, prompt)) put(item, 'small', '', ' fits');
    names.push(name);
    work += evaluations;
  }
  const fitting = names.filter(name => fits(name, prompt)).length;
  byId(who + '-says').textContent = reason +
    `${fitting} of ${HOW_MANY} names fit. ${new Set(names).size} are different. ` +
    `On average a name took ${(work / HOW_MANY).toFixed(1)} evaluations.`;
}

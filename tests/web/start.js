// All of it begins when the models, which stand below, have been read.

/** Let sections 1 to 3 use these models; words say where they come from. */
function useModels(models, words) {
  for (const model of models) {
    if (model.program === 'microgpt') microgpt = model;
    else microdiffusion = model;
  }
  document.querySelectorAll('.used').forEach(element => { element.textContent = words; });
  byId('train-models').textContent = words || 'Sections 1 to 3 use the original models.';
  byId('train-back').disabled = !words;

  // Names to hide letters of: some that no model has seen, if this one has their letters.
  const usable = name => [...name].every(char => microdiffusion.vocab.includes(char));
  let names = [...known.names, ...known.heldOut.split(' ')].filter(usable).slice(0, 30);
  if (names.length < 5) names = Array.from({length: 10}, () => write(microdiffusion, Math));
  pause();
  writing.mine = places.map(() => null);
  beginHide(names);
  again();
  compare();
}

/** Go back to the models that the page was made with. */
function useKept() {
  useModels(['microdiffusion', 'microgpt'].map(program =>
    load(unpacked(known.kept[program]), known.constants[program])), '');
}

document.addEventListener('DOMContentLoaded', () => {
  known = JSON.parse(byId('data').textContent);
  [microdiffusion, microgpt] = ['microdiffusion', 'microgpt'].map(program =>
    load(unpacked(known.kept[program]), known.constants[program]));
  places = [...Array(microdiffusion.block_size).keys()];
  const size = model => parameters(model).length.toLocaleString('en');
  byId('sizes').textContent = 'All that the original models have learned is in ' +
    `${size(microdiffusion)} and ${size(microgpt)} numbers, at the end of this file.`;
  byId('listing').textContent = byId('model').textContent.trim();
  startHelp();
  startWrite();
  startHide();
  startTrain();
  startCompare();
  useKept();
  readAddress();
  addEventListener('hashchange', readAddress);

  // Who comes back by the button Back finds the page as it was. Safari's engine then resets all that
  // has autocomplete="off" to its default, so the default becomes what stands there.
  addEventListener('pagehide', () => {
    for (const input of document.querySelectorAll('input:not([type=file])')) {
      input.defaultValue = input.value;
      input.defaultChecked = input.checked;
    }
  });
});

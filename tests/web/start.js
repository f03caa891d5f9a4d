// All of it begins when the models, which stand below, have been read.

document.addEventListener('DOMContentLoaded', () => {
  const known = JSON.parse(byId('data').textContent);
  const keptModel = program => load(unpacked(known.kept[program]), known.constants[program]);
  microdiffusion = keptModel('microdiffusion');
  microgpt = keptModel('microgpt');
  places = [...Array(microdiffusion.block_size).keys()];
  const size = model => Object.values(model.state_dict).map(rows => rows.length * rows[0].length)
    .reduce((a, b) => a + b).toLocaleString('en');
  byId('sizes').textContent = 'All that the models have learned is in ' +
    `${size(microdiffusion)} and ${size(microgpt)} numbers, at the end of this file.`;
  byId('listing').textContent = byId('model').textContent.trim();
  startHide(known.names);
  startWrite();
  startCompare();
});

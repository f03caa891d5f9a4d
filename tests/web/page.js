'use strict';
// The page itself: it calls the functions above, and shows what they give.

const byId = id => document.getElementById(id);
const percent = p => Math.round(100 * p);
const nats = x => (Math.abs(x) < 0.005 ? 0 : x).toFixed(2);
const count = (n, thing) => `${n} ${thing}${n === 1 ? '' : 's'}`;
const still = matchMedia('(prefers-reduced-motion: reduce)');   // asked for no animation
let microdiffusion, microgpt, places;

/** A new element in parent. */
function put(parent, tag, className = '', text = '') {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  parent.append(element);
  return element;
}

/** Put a message in the place of a field's help, or with '' the help again. */
function complain(id, message) {
  byId(id).setAttribute('aria-invalid', String(message !== ''));
  byId(id + '-error').textContent = message;
  byId(id + '-help').classList.toggle('unseen', message !== '');
}

/** Arrow keys move the focus within the tiles: up and down where there are two rows of them. */
function moveByArrows(tiles) {
  const moves = {ArrowLeft: -1, ArrowRight: 1, Home: -99, End: 99};
  tiles.forEach((tile, n) => {
    tile.tabIndex = n ? -1 : 0;                                 // Tab enters the row once
    tile.addEventListener('focus', () => tiles.forEach(other => {
      other.tabIndex = other === tile ? 0 : -1;
    }));
    tile.addEventListener('keydown', event => {
      const twoRows = tiles[7].offsetTop > tiles[0].offsetTop;
      const rows = twoRows ? {ArrowUp: -7, ArrowDown: 7} : {};
      const move = {...moves, ...rows}[event.key];
      if (move === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      tiles[Math.min(tiles.length - 1, Math.max(0, n + move))].focus();
    });
  });
}

/** The likeliest tokens of a place as [character, probability], without those near 0 %. */
function likeliest(probs, many) {
  return probs.map((p, token) => [microdiffusion.vocab[token], p])
    .sort((a, b) => b[1] - a[1]).slice(0, many).filter(([, p]) => p >= 0.005);
}

/** The probabilities at all places: behind a visible end it is certain that PAD stands there. */
function predict(tokens, looked) {
  const probs = noGrad(() => maskPredictor(microdiffusion, tokens, looked).map(probabilities));
  const certain = microdiffusion.vocab.map((_, token) => token === PAD ? 1 : 0);
  return places.map(n => probs[n] || certain);
}

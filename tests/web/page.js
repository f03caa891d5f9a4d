'use strict';
// The page itself: it calls the functions above, and shows what they give.

const byId = id => document.getElementById(id);
const percent = p => Math.round(100 * p);
const nats = x => (Math.abs(x) < 0.005 ? 0 : x).toFixed(2);
const count = (n, thing) => `${n} ${thing}${n === 1 ? '' : 's'}`;
const are = n => n === 1 ? 'is' : 'are';
const still = matchMedia('(prefers-reduced-motion: reduce)');   // asked for no animation
let known, places;                      // what the page holds, and 0 to 13
let microdiffusion, microgpt;           // the models that sections 1 to 3 use

/** A new element in parent. */
function put(parent, tag, className = '', text = '') {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  parent.append(element);
  return element;
}

/** Show a message about a field, or with '' none. */
function complain(id, message) {
  byId(id).setAttribute('aria-invalid', String(message !== ''));
  byId(id + '-error').textContent = message;
}

/** A question mark shows its explanation, and hides it again. */
function startHelp() {
  for (const button of document.querySelectorAll('.help')) {
    const text = byId(button.getAttribute('aria-controls'));
    button.type = 'button';
    button.setAttribute('aria-expanded', 'false');
    button.addEventListener('click', () => {
      text.hidden = !text.hidden;
      button.setAttribute('aria-expanded', String(!text.hidden));
    });
  }
}

/** Arrow keys move the focus within the tiles: up and down where there are rows of them. */
function moveByArrows(tiles) {
  tiles.forEach((tile, n) => {
    tile.tabIndex = n ? -1 : 0;                                 // Tab enters the row once
    tile.addEventListener('focus', () => tiles.forEach(other => {
      other.tabIndex = other === tile ? 0 : -1;
    }));
    tile.addEventListener('keydown', event => {
      const top = tile => tile.getBoundingClientRect().top;
      const columns = tiles.filter(tile => top(tile) === top(tiles[0])).length;
      const to = {ArrowLeft: n - 1, ArrowRight: n + 1, ArrowUp: n - columns, Home: 0,
                  ArrowDown: n + columns, End: tiles.length - 1}[event.key];
      if (to === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      if (tiles[to]) tiles[to].focus();
    });
  });
}

/** A text whose letters lose their accents where the model does not have them. */
function folded(text, vocab) {
  const plain = char => char.normalize('NFD').replace(/\p{M}/gu, '');
  const has = char => vocab.includes(char.toLowerCase());
  return [...text].map(char => !has(char) && has(plain(char)) ? plain(char) : char).join('');
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


// The state of the page stands in its address, such as #write&prompt=j____a.&steps=8, so that it
// can be passed on. A list of names never stands there.

const sections = {};            // by id: {get: () => {key: text, ...}, set: (get => ...)}
let remembering = null;

/** Write the state of a section into the address, soon. */
function remember(id) {
  clearTimeout(remembering);
  remembering = setTimeout(() => {
    const parts = Object.entries(sections[id].get()).filter(([, value]) => value !== '')
      .map(([key, value]) => `&${key}=${encodeURIComponent(value).replace(/%2C/g, ',')}`);
    try {
      history.replaceState(null, '', '#' + id + parts.join(''));
    } catch (error) {           // some browsers allow it only so often, or not at all
    }
  }, 400);
}

/** Take the state of a section out of the address, and go there; returns whether there is one. */
function readAddress() {
  const [id, ...parts] = location.hash.slice(1).split('&');
  if (!sections[id] || !parts.length) return false;
  const values = new URLSearchParams(parts.join('&'));
  sections[id].set(key => values.get(key));
  byId(id).scrollIntoView();
  return true;
}

/** Set a slider to a text out of the address, or to what it should be without one. */
function setSlider(id, text, otherwise) {
  byId(id).value = text && isFinite(text) ? text : otherwise;
}

/** The text of a slider for the address: nothing if it is what it should be without it. */
const unlessDefault = (id, value) => Number(byId(id).value) === value ? '' : byId(id).value;

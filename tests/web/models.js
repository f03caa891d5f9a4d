'use strict';
/* Both models, to be read beside microdiffusion.py and microgpt.py: the same parts in the same
   order, with the same names. (JavaScript writes example_loss as exampleLoss.) No part of it knows
   that there is a page: it runs in a page, in a worker behind a page, and in Node.

   The programs keep constants such as n_embd at their top. Here two models share a file, so each is
   an object that carries its own: program, n_layer, n_embd, block_size, batch_size, heads, slope,
   t_min, vocab (a list of characters), special, end, state_dict, steps, and the defaults of its
   sampling. Where the programs take a state_dict, a function here takes such a model.

   Random numbers come from an rng: anything with a function random(), such as Math. Training needs
   a Random, which can be started again from its seed. Its seeds are not those of Python. */

const MASK = 0, PAD = 1;        // microdiffusion: one hides a letter, one fills up a short name
const BOS = 0;                  // microgpt: what stands before a name and behind it
const SPECIAL = {microdiffusion: '_.', microgpt: '.'};          // they open the vocabulary
const HUGE = 1e9;               // a weight grows so large only if the training has failed


// 1. Data: some names are held out. A token is the place of a character in the vocabulary.

/** What the user gave cannot be used; the message says what can. */
class InputError extends Error {}

/** The checksum CRC-32 of a text as UTF-8: zlib.crc32 in Python. */
function crc32(text) {
  let sum = 0xffffffff;
  for (const byte of new TextEncoder().encode(text)) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? sum >>> 1 ^ 0xedb88320 : sum >>> 1;
  }
  return (sum ^ 0xffffffff) >>> 0;
}

/** Whether a name is held out. Its checksum decides, so it is held out of every list. */
function isHeldOut(name) {
  return crc32(name) % 10 === 0;
}

/** Sorted as Python sorts text: by the numbers of its characters. */
function sorted(texts) {
  const numbers = text => [...text].map(char => char.codePointAt(0));
  const keyed = texts.map(text => [numbers(text), text]);
  keyed.sort(([a], [b]) => {
    const n = a.findIndex((number, i) => number !== b[i]);
    return n < 0 ? a.length - b.length : n >= b.length ? 1 : a[n] - b[n];
  });
  return keyed.map(([, text]) => text);
}

/** Names to train on, and about a tenth that are held out: training never sees them. */
function split(docs) {
  docs = sorted([...new Set(docs)]);
  return [docs.filter(doc => !isHeldOut(doc)), docs.filter(isHeldOut)];
}

/** All characters as a list: the special tokens, then the letters. */
function makeVocab(program, docs) {
  return [...SPECIAL[program], ...sorted([...new Set(docs.join(''))])];
}

/** The text of these tokens, special ones included. */
function decode(tokens, vocab) {
  return tokens.map(token => vocab[token]).join('');
}

/** The tokens of a name: with PAD after the last letter, or for microgpt with BOS at both ends. */
function encode(model, doc) {
  const {block_size, vocab, special} = model;
  const tokens = [...doc].map(char => vocab.indexOf(char));
  if (tokens.length >= block_size || tokens.includes(-1)) {
    throw new InputError(`A name has up to ${block_size - 1} letters, all of them from ` +
                         `${vocab.slice(special.length).join('')}.`);
  }
  if (model.program === 'microgpt') return [BOS, ...tokens, BOS];
  return [...tokens, ...Array(block_size - tokens.length).fill(PAD)];
}


// 2. Autograd: a Value remembers what it was made from, so gradients can find their way back.

/* The tape differs from the programs. Every Value that is made from others is put at its end, so
   the tape is in the order in which they were made. backward() goes through it from its end: no
   Value has to be searched for or sorted, and browsers take about a third of the time. The price is
   that somebody has to empty the tape: train() does so after each name, noGrad() after looking. */
const tape = [];

/** A number that remembers its computation: its data and, after a backward(), its grad. */
class Value {
  constructor(data, children = null, localGrads = null) {
    this.data = data;
    this.grad = 0;                      // d(the Value that called backward()) / d(this one)
    this.children = children;           // what it was made from: Values, or two lists of them
    this.localGrads = localGrads;       // d(this one) / d(each child); null if two lists
    if (children !== null) tape.push(this);     // a leaf, such as a weight, is made from nothing
  }

  // JavaScript has no operators for objects: a.add(b) is a + b in the programs. b may be a number.
  add(other) {
    if (!(other instanceof Value)) other = new Value(other);
    return new Value(this.data + other.data, [this, other], [1, 1]);
  }

  mul(other) {
    if (!(other instanceof Value)) other = new Value(other);
    return new Value(this.data * other.data, [this, other], [other.data, this.data]);
  }

  pow(k) {
    return new Value(this.data ** k, [this], [k === 0 ? 0 : k * this.data ** (k - 1)]);
  }

  neg() { return this.mul(-1); }
  sub(other) { return this.add(other instanceof Value ? other.neg() : -other); }
  div(other) { return this.mul(other instanceof Value ? other.pow(-1) : 1 / other); }

  // The model does not need these three: part 3 does the same with fewer Values.
  exp() { const e = Math.exp(this.data); return new Value(e, [this], [e]); }
  log() { return new Value(Math.log(this.data), [this], [1 / this.data]); }
  relu() { return new Value(Math.max(this.data, 0), [this], [this.data > 0 ? 1 : 0]); }

  /** Work out d(this)/d(each Value it was made from), as their grads.

      The grads of leaves add up from call to call, as in PyTorch. All others start from 0. */
  backward() {
    for (const node of tape) node.grad = 0;
    this.grad += 1;                     // d(this) / d(this)

    // This is the chain rule, from the youngest Value to the oldest. All that was made from a Value
    // is younger and has passed its grad on before. So the grad of the Value is complete.
    for (let n = tape.length - 1; n >= 0; n--) {
      const {grad, children, localGrads} = tape[n];
      if (grad === 0) continue;         // this one had no part in it
      if (localGrads === null) {        // a dot product: see linear
        const [a, b] = children;
        for (let i = 0; i < a.length; i++) {
          a[i].grad += b[i].data * grad;
          b[i].grad += a[i].data * grad;
        }
      } else {
        for (let i = 0; i < children.length; i++) children[i].grad += localGrads[i] * grad;
      }
    }
  }
}

/** What a function gives, where nothing is learned from it: its Values are off the tape again. */
function noGrad(look) {
  const before = tape.length;
  try {
    return look();
  } finally {
    tape.length = before;
  }
}


// 3. Building blocks: what the layers of a transformer are made of.

/** The plain numbers of a list of Values. */
function dataOf(values) {
  return values.map(value => value.data);
}

/** The dot products of vectors with the rows of w: (n, in) and (out, in) to (n, out).

    A dot product is one Value that holds its two vectors. Each is the other's local gradient: the
    derivative of a1*b1 + a2*b2 + ... by a1 is b1. */
function linear(xs, w) {
  if (xs.some(x => x.length !== w[0].length)) {
    throw new RangeError(`linear: vectors of ${xs.map(x => x.length)} numbers, and rows of ` +
                         `${w[0].length}`);
  }
  const vectors = xs.map(dataOf), rows = w.map(dataOf);
  return vectors.map((a, i) => rows.map((b, j) => {
    let sum = 0;
    for (let n = 0; n < a.length; n++) sum += a[n] * b[n];
    return new Value(sum, [xs[i], w[j]]);
  }));
}

/** linear(relu(x)) of one vector: relu replaces what is negative by 0.

    A 0 adds nothing to a dot product and gets no gradient, so it is left out. */
function reluLinear(x, w) {
  const alive = [...x.keys()].filter(n => !(x[n].data <= 0));
  return linear([alive.map(n => x[n])], w.map(row => alive.map(n => row[n])))[0];
}

/** Each exp(power) divided by their sum, and the log of the sum, for plain numbers. */
function plainSoftmax(powers) {
  const top = Math.max(...powers);              // with it subtracted, no exp can overflow
  const exps = powers.map(power => Math.exp(power - top));
  const total = exps.reduce((a, b) => a + b);
  return [exps.map(e => e / total), top + Math.log(total)];
}

/** log(sum(exp(z))) as one Value. Its local gradients are the probabilities of softmax. */
function logsumexp(logits) {
  const [probs, logTotal] = plainSoftmax(dataOf(logits));
  return new Value(logTotal, logits, probs);
}

/** Probabilities exp(scale * z + bias - logTotal): the higher a logit, the more likely. */
function softmax(logits, scale = 1, bias = logits.map(() => 0)) {
  const [probs, log] = plainSoftmax(logits.map((z, n) => scale * z.data + bias[n]));
  const logTotal = new Value(log, logits, probs.map(p => scale * p));
  return probs.map((p, n) => new Value(p, [logits[n], logTotal], [scale * p, -p]));
}

/** A vector scaled to a root mean square of 1, without gain (arXiv 1910.07467). */
function rmsnorm(x) {
  const square = linear([x], [x])[0][0];        // the dot product of x with itself
  const scale = square.div(x.length).add(1e-5).pow(-0.5);
  return x.map(v => v.mul(scale));
}

/** The sums of vectors. A layer adds to what was there: this is a residual connection. */
function add(xs, ys) {
  if (xs.length !== ys.length || xs.some((x, n) => x.length !== ys[n].length)) {
    throw new RangeError(`add: vectors of ${xs.map(x => x.length)} and of ` +
                         `${ys.map(y => y.length)} numbers`);
  }
  return xs.map((x, n) => x.map((v, i) => v.add(ys[n][i])));
}

/** For each query a mix of the values, weighted by how well their keys match it, per head.

    The weights of each head are also added to looked, so that a page can show them. */
function attention(model, queries, keys, values, looked = []) {
  const {n_embd, heads, slope, block_size} = model;
  const width = n_embd / heads.length;
  const mixed = heads.map((look, head) => {
    const [q, k, v] = [queries, keys, values].map(
      xs => xs.map(x => x.slice(head * width, (head + 1) * width)));
    const first = keys.length - queries.length;         // the position of the first query
    const weights = linear(q, k).map((scores, n) => {
      const bias = keys.map((_, there) => {
        // + block_size, as % gives a negative number for a negative number in JavaScript
        const distance = (look * (there - first - n) - 1 + block_size) % block_size;
        return -slope * distance;
      });
      return softmax(scores, width ** -0.5, bias);
    });
    looked.push({look, weights: weights.map(dataOf)});
    const channels = v[0].map((_, i) => v.map(x => x[i]));      // a row for each channel
    return linear(weights, channels);
  });
  return queries.map((_, n) => [].concat(...mixed.map(head => head[n])));      // side by side
}


// 4. Weights: small random numbers. microdiffusion's output matrix is wte once more: it is tied.

/** Random numbers from a seed; the same seed gives the same numbers. (Not those of Python.) */
class Random {
  constructor(seed) {
    this.state = [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0, 0x9e3779b9, 1];
    for (let n = 0; n < 15; n++) this.bits();           // so that near seeds have nothing in common
  }

  /** A whole number below 2 ** 32: the generator sfc32 of PractRand. */
  bits() {
    let [a, b, c, count] = this.state;
    const result = (a + b + count) >>> 0;
    a = b ^ b >>> 9;
    b = (c + (c << 3)) >>> 0;
    c = ((c << 21 | c >>> 11) + result) >>> 0;
    this.state = [a >>> 0, b, c, (count + 1) >>> 0];
    return result;
  }

  /** A number from 0 up to 1, with 53 bits. */
  random() {
    return ((this.bits() >>> 5) * 2 ** 26 + (this.bits() >>> 6)) / 2 ** 53;
  }

  /** A number of the normal distribution around 0, by Box and Muller. */
  gauss(std) {
    const radius = Math.sqrt(-2 * Math.log(1 - this.random()));
    return std * radius * Math.cos(2 * Math.PI * this.random());
  }

  /** A list in an order of its own. */
  shuffled(list) {
    const result = [...list];
    for (let n = result.length - 1; n > 0; n--) {
      const other = Math.floor(this.random() * (n + 1));
      [result[n], result[other]] = [result[other], result[n]];
    }
    return result;
  }

  /** Another Random: its seed is this one's next number. */
  another() {
    return new Random(this.bits());
  }
}

/** A model that has learned nothing: with these constants, these characters and random weights. */
function freshModel(constants, vocab, rng) {
  const special = SPECIAL[constants.program];
  const model = {...constants, vocab: [...vocab], special, end: special.length - 1, steps: 0};
  return {...model, state_dict: makeWeights(model, rng)};
}

/** The state_dict: every weight matrix, as rows of Values, by its name. */
function makeWeights(model, rng) {
  const {n_embd, n_layer, block_size, vocab} = model;
  const matrix = (rows, columns = n_embd, std = 0.15) => Array.from({length: rows}, () =>
    Array.from({length: columns}, () => new Value(rng.gauss(std))));

  // wpe begins smaller than wte, because the heads know most distances without it.
  const state_dict = {
    wte: matrix(vocab.length, n_embd, 0.2),
    wpe: matrix(block_size, n_embd, 0.05),
  };
  for (let layer = 0; layer < n_layer; layer++) {
    for (const name of 'qkvo') state_dict[`layer${layer}.attn_w${name}`] = matrix(n_embd);
    state_dict[`layer${layer}.mlp_fc1`] = matrix(4 * n_embd);
    state_dict[`layer${layer}.mlp_fc2`] = matrix(n_embd, 4 * n_embd);
  }
  if (model.program === 'microgpt') state_dict.lm_head = matrix(vocab.length);
  return state_dict;
}

/** Every weight once, in a fixed order. */
function parameters(model) {
  return Object.values(model.state_dict).flat(2);
}

/** The weights of a layer. */
function weightsOf(model, layer) {
  return ['attn_wq', 'attn_wk', 'attn_wv', 'attn_wo', 'mlp_fc1', 'mlp_fc2'].map(
    name => model.state_dict[`layer${layer}.${name}`]);
}


// 5. The models. First microdiffusion: which letter may each hidden token be, given all the others?

/** The tokens up to the first visible PAD. All that stands behind it is PAD for certain. */
function settled(tokens) {
  return tokens.includes(PAD) ? tokens.slice(0, tokens.indexOf(PAD) + 1) : tokens;
}

/** Give minus infinity to what cannot stand at a position: its probability is 0. */
function ruleOut(model, logits, tokens, leastLetters = 1) {
  tokens.forEach((token, n) => {
    if (token > PAD) leastLetters = Math.max(leastLetters, n + 1);
  });
  logits.forEach((z, n) => {
    z[MASK] = new Value(-Infinity);                             // no name has a MASK in it
    if (n < leastLetters) z[PAD] = new Value(-Infinity);        // no end before a letter
    if (n === model.block_size - 1) z.fill(new Value(-Infinity), PAD + 1);  // the last place
  });
}

/** The logits over the vocabulary at each position up to the first visible PAD. */
function maskPredictor(model, tokens, looked = []) {
  tokens = settled(tokens);
  const {wte, wpe} = model.state_dict;
  let xs = add(tokens.map(token => wte[token]), wpe.slice(0, tokens.length)).map(rmsnorm);

  for (let layer = 0; layer < model.n_layer; layer++) {
    const [wq, wk, wv, wo, fc1, fc2] = weightsOf(model, layer);
    const normed = xs.map(rmsnorm);
    const queries = linear(normed, wq);

    // Bidirectional: all keys and values are there at once, and every position sees them all.
    const keys = linear(normed, wk), values = linear(normed, wv);
    const mixed = attention(model, queries, keys, values, looked);
    xs = add(xs, linear(mixed, wo));

    const hidden = linear(xs.map(rmsnorm), fc1);
    xs = add(xs, hidden.map(x => reluLinear(x, fc2)));
  }
  const logits = linear(xs, wte);                               // tied
  ruleOut(model, logits, tokens);
  return logits;
}

// Now microgpt: which letter may come next, given those to its left? What differs is marked.

/** Give minus infinity to what cannot follow at a position. (It is rule_out in microgpt.py.) */
function ruleOutNext(model, logits, start) {
  logits.forEach((z, n) => {
    if (start + n === 0) z[BOS] = new Value(-Infinity);         // a name has a letter
    if (start + n === model.block_size - 1) z.fill(new Value(-Infinity), BOS + 1);  // the last
  });
}

/** An empty cache: the keys and the values of each layer. */
function emptyCache(model) {
  return Array.from({length: model.n_layer}, () => [[], []]);
}

/** The logits over the vocabulary after each token; they go on from the cache, which grows. */
function gpt(model, tokens, cache = emptyCache(model), looked = []) {
  const start = cache[0][0].length;                                             // differs
  const {wte, wpe, lm_head} = model.state_dict;
  const places = wpe.slice(start, start + tokens.length);                       // differs
  let xs = add(tokens.map(token => wte[token]), places).map(rmsnorm);

  for (let layer = 0; layer < model.n_layer; layer++) {
    const [wq, wk, wv, wo, fc1, fc2] = weightsOf(model, layer);
    const normed = xs.map(rmsnorm);
    const queries = linear(normed, wq);

    // Causal: keys and values grow with the name, and every position sees those up to itself.
    const [keys, values] = cache[layer];                                        // differs
    keys.push(...linear(normed, wk));
    values.push(...linear(normed, wv));
    const mixed = queries.map((query, i) => {
      const n = start + i + 1;
      return attention(model, [query], keys.slice(0, n), values.slice(0, n), looked)[0];
    });
    xs = add(xs, linear(mixed, wo));

    const hidden = linear(xs.map(rmsnorm), fc1);
    xs = add(xs, hidden.map(x => reluLinear(x, fc2)));
  }
  const logits = linear(xs, lm_head);                                           // differs
  ruleOutNext(model, logits, start);
  return logits;
}


// 6. Adam: a step against the running mean of the gradient, divided by its usual size.

/** The optimizer of Kingma & Ba (arXiv 1412.6980) for a list of distinct Values. */
class Adam {
  constructor(params) {
    this.params = params;
    this.steps = 0;
    this.means = params.map(() => 0);
    this.squares = params.map(() => 0);
  }

  /** Update every data by its grad. */
  step(lr, beta1 = 0.85, beta2 = 0.99, eps = 1e-8) {
    this.steps++;
    lr = lr / (1 - beta1 ** this.steps);                // makes up for means that begin at 0
    const unbias = 1 / (1 - beta2 ** this.steps);       // and likewise for the squares
    this.params.forEach((p, i) => {
      const mean = beta1 * this.means[i] + (1 - beta1) * p.grad;
      const square = beta2 * this.squares[i] + (1 - beta2) * p.grad * p.grad;
      this.means[i] = mean;
      this.squares[i] = square;
      p.data -= lr * mean / (Math.sqrt(square * unbias) + eps);
    });
  }
}


// 7. One example's loss. microdiffusion: tokens are hidden at random, and each is predicted from
// the others. microgpt: each token is predicted from those before it.

/** The forward process, from x_0 to x_t: each token is masked with probability t. */
function corrupt(tokens, t, rng) {
  return tokens.map(token => rng.random() < t ? MASK : token);
}

/** -log p(clean token | noisy tokens) of each masked token that is not certain, in nats. */
function crossEntropies(model, noisy, clean) {
  if (!settled(noisy).includes(MASK)) return [];        // there is nothing to guess
  const costs = [];
  maskPredictor(model, noisy).forEach((z, n) => {
    if (noisy[n] === MASK) costs.push(logsumexp(z).sub(z[clean[n]]));
  });
  return costs;
}

/** -log p(token | the tokens before it), in nats. (It is cross_entropies in microgpt.py.) */
function nextCrossEntropies(model, tokens) {
  const logits = gpt(model, tokens.slice(0, -1));
  return logits.map((z, n) => logsumexp(z).sub(z[tokens[n + 1]]));
}

/** The sum of Values. */
function sum(values) {
  return values.reduce((a, b) => a.add(b), new Value(0));
}

/** microgpt: -log p(name), exactly. microdiffusion: the part from t = t_min to 1 of the NELBO, a
    bound on -log p(name) (arXiv 2406.07524). Part 7 of microdiffusion.py says why. */
function exampleLoss(model, tokens, rng) {
  if (model.program === 'microgpt') return sum(nextCrossEntropies(model, tokens));
  const t = model.t_min ** rng.random();                // ln t is uniform between ln(t_min) and 0
  const noisy = corrupt(tokens, t, rng);
  return sum(crossEntropies(model, noisy, tokens)).mul(Math.log(1 / model.t_min));
}


// 8. Training: Adam, with a learning rate that falls to 0. The caller gets the loss of each step.

/** Train in place, step by step; yields each step's mean loss, in nats per name.

    rng is a Random: it shuffles the examples, and gives each one an rng of its own. */
function* train(model, examples, rng, steps, learning_rate = model.learning_rate) {
  examples = rng.shuffled(examples);
  const adam = new Adam(parameters(model)), {batch_size} = model;
  for (let step = 0; step < steps; step++) {
    for (const p of adam.params) p.grad = 0;            // as backward adds to it
    let losses = 0;
    for (let n = 0; n < batch_size; n++) {
      const tokens = examples[(step * batch_size + n) % examples.length];
      const loss = exampleLoss(model, tokens, rng.another());
      loss.backward();
      losses += loss.data;
      tape.length = 0;
    }
    for (const p of adam.params) p.grad /= batch_size;
    adam.step(learning_rate * (1 - step / steps));
    const loss = losses / batch_size;
    if (!(loss < 1e5 && adam.params.every(p => Math.abs(p.data) < HUGE))) {
      throw new InputError(`The training of ${model.program} has failed in step ${step + 1}: its ` +
                           `loss is ${loss.toPrecision(4)} nats. Lower the learning rate.`);
    }
    model.steps++;
    yield loss;
  }
}


// 9. Sampling. rng is anything with a function random(): a page gives Math.

/** The probabilities of logits, as plain numbers. */
function probabilities(logits) {
  return plainSoftmax(dataOf(logits))[0];
}

/** Draw a token: the end at its own rate, or a letter at the temperature; at 0 the likeliest. */
function draw(model, logits, rng, temperature, min_p = model.defaults.min_p) {
  const probs = probabilities(logits);
  if (temperature === 0) return probs.indexOf(Math.max(...probs));

  // Whether the name ends is drawn first, at temperature 1. So the temperature changes the letters,
  // but not how often a name ends.
  if (rng.random() < probs[model.end]) return model.end;

  // The unlikely letters are never drawn: those that are less than min_p times as likely as the
  // likeliest (min-p, arXiv 2407.01082).
  const letters = probs.slice(model.end + 1);
  const likeliest = Math.max(...letters);
  const relative = letters.map(p => p / likeliest);
  const weights = relative.map(r => r >= min_p ? r ** (1 / temperature) : 0);
  return model.end + 1 + choice(weights, rng);
}

/** A place in the list of weights: the larger a weight, the more often it is drawn. */
function choice(weights, rng) {
  const point = rng.random() * weights.reduce((a, b) => a + b);
  let sum = 0;
  for (let n = 0; n < weights.length; n++) {
    sum += weights[n];
    if (point < sum) return n;
  }
}

/** How many masks are left after step i: MaskGIT's cosine (arXiv 2202.04200), rounded down. */
function masksLeft(total, i, steps) {
  const left = total * Math.cos(Math.PI / 2 * i / steps);
  return Math.floor(left + 1e-9);                               // as 7.9999999999 stands for 8
}

/** Noise of the distribution that MaskGIT adds, mostly between -1 and 3. */
function gumbel(rng) {
  return -Math.log(-Math.log(rng.random() || 0.5));             // 0 has no log
}

/** Fill in the MASKs; yields [step, temperature, tokens] of each step that reveals some. */
function* denoise(model, tokens, rng, options = {}) {
  const {steps, temperature, noise, leastLetters = 1} = {...model.defaults, ...options};
  tokens = [...tokens];
  const masks = () => tokens.filter(token => token === MASK).length;
  const total = masks();
  for (let i = 1; i <= steps; i++) {
    const left = masksLeft(total, i, steps);
    const count = masks() - left;                               // how many to reveal
    if (count <= 0) continue;                   // nothing is revealed, so the model need not run

    // Confidence is the log of the largest probability. A little noise keeps the order from being
    // the same for all names; it fades with the masks. At temperature 0 nothing is left to chance.
    const cooled = temperature * (1 - (i - 1) / steps / 2);     // annealing, towards half of it
    noGrad(() => {
      const logits = maskPredictor(model, tokens);
      ruleOut(model, logits, tokens, leastLetters);     // the model cannot know how many
      const confidence = new Map();
      logits.forEach((z, n) => {
        if (tokens[n] !== MASK) return;
        const fading = temperature ? noise * left / total : 0;
        const sure = Math.max(...dataOf(z)) - logsumexp(z).data;
        confidence.set(n, sure + fading * gumbel(rng));
      });
      const order = [...confidence.keys()].sort((a, b) => confidence.get(b) - confidence.get(a));
      const surest = order.slice(0, count);

      for (const n of surest) {
        if (tokens[n] !== MASK) continue;       // the name has just ended before this place
        tokens[n] = draw(model, logits[n], rng, cooled);
        if (tokens[n] === PAD) tokens.fill(PAD, n);
        ruleOut(model, logits, tokens);         // no end is drawn before a letter that stands now
      }
    });
    yield [i, cooled, [...tokens]];
  }
}

/** Continue a name that begins with these letters.

    Where the program returns the letters at the end, this yields them after each evaluation, so
    that a page can show them: the last time with BOS as the end. */
function* generate(model, tokens, rng, temperature = model.defaults.temperature) {
  tokens = [...tokens];
  const cache = emptyCache(model);
  let fresh = [BOS, ...tokens];         // called new in the program, a word that JavaScript uses
  while (true) {
    const token = noGrad(() => {
      const logits = gpt(model, fresh, cache);
      return draw(model, logits[logits.length - 1], rng, temperature);
    });
    tokens.push(token);
    yield [...tokens];
    if (token === BOS) return;
    fresh = [token];
  }
}

/** A name by either model, with its defaults. */
function write(model, rng) {
  let tokens;
  if (model.program === 'microgpt') {
    for (tokens of generate(model, [], rng));
  } else {
    for ([, , tokens] of denoise(model, Array(model.block_size).fill(MASK), rng));
  }
  return decode(tokens, model.vocab).replace(/\.+$/, '');
}


// 10. The yardstick: the cost in nats of a name that training never saw. Less is better.

/** microgpt: -log p of a name. microdiffusion: its NELBO, an upper bound on -log p, estimated by
    one draw of masks. Part 10 of microdiffusion.py says how. */
function exampleNats(model, tokens, rng) {
  return noGrad(() => {
    if (model.program === 'microgpt') return sum(nextCrossEntropies(model, tokens)).data;
    const k = 1 + Math.floor(rng.random() * tokens.length);
    const masked = rng.shuffled([...tokens.keys()]).slice(0, k);
    const noisy = tokens.map((token, n) => masked.includes(n) ? MASK : token);
    return tokens.length / k * sum(crossEntropies(model, noisy, tokens)).data;
  });
}

/** The nats of each name. The masks depend on its place alone, so they are the same each time. */
function* heldOutNats(model, docs) {
  for (const [n, doc] of docs.entries()) {
    yield exampleNats(model, encode(model, doc), new Random(n));
  }
}


// 11. Both models learn, side by side. (In the programs this part lets several processes work.)

/** The names to measure by while a list is learned: up to 200 of the given names that nobody learns
    from and that the list's letters can write. In another script, the list's own held-out names. */
function yardstick(docs, given) {
  const letters = new Set(docs.join(''));
  const writable = given.filter(name => [...name].every(char => letters.has(char)));
  const names = writable.length < 5 ? split(docs)[1] : new Random(0).shuffled(writable);
  return names.length < 5 ? [] : sorted(names.slice(0, 200));
}

/** Train fresh models on a list; yields what there is to show, and returns the names they write.

    settings: docs (the list), heldOut (names to measure by), steps, learning_rate, seed, constants
    (those of each model, by program), measured (how often to measure), written (how many names at
    the end). What it yields has the step and, where there are some, the losses of this step, or a
    name of each model and the mean nats of heldOut: all by program. models is filled with the
    models, so that the caller can take their weights. */
function* learn(settings, models = {}) {
  const {docs, heldOut, steps, learning_rate, seed, constants, measured, written} = settings;
  const [learned] = split(docs), rng = new Random(seed), runs = {};
  for (const [program, own] of Object.entries(constants)) {
    models[program] = freshModel(own, makeVocab(program, docs), rng.another());
    const examples = learned.map(doc => encode(models[program], doc));
    runs[program] = train(models[program], examples, rng.another(), steps, learning_rate);
  }
  const all = give => Object.fromEntries(Object.keys(models).map(
    program => [program, give(models[program], program)]));

  /** What there is to show of a step; it rests after each name, as this takes a while. */
  function* look(step) {
    const names = all(model => write(model, rng)), sums = all(() => 0);
    const runs = all(model => heldOutNats(model, heldOut));
    for (const _ of heldOut) {
      for (const program of Object.keys(sums)) sums[program] += runs[program].next().value;
      yield {step};
    }
    const nats = heldOut.length ? all((_, program) => sums[program] / heldOut.length) : null;
    yield {step, names, nats};
  }

  yield* look(0);
  const due = step => Math.floor(step * measured / steps);      // how many times until a step
  for (let step = 1; step <= steps; step++) {
    yield {step, losses: all((_, program) => runs[program].next().value)};
    if (due(step) > due(step - 1)) yield* look(step);
  }

  const names = all(() => []);
  for (let n = 0; n < written; n++) {
    for (const program of Object.keys(names)) names[program].push(write(models[program], rng));
    yield {step: steps};
  }
  return names;
}

/** Run a generator in slices of some milliseconds, so that whoever waits gets a turn in between.

    report gets {reports: what a slice yielded} and in the end also done: what the generator
    returned, or error: a message. Returns {pause, goOn, stop}. */
function inSlices(run, milliseconds, report) {
  let timer = null;
  const work = () => {
    const end = Date.now() + milliseconds, reports = [];
    let next, error = null;
    try {
      do {
        next = run.next();
        if (!next.done) reports.push(next.value);
      } while (!next.done && Date.now() < end);
    } catch (caught) {
      error = caught.message;
    }
    timer = error === null && !next.done ? setTimeout(work) : null;
    report({reports, error, done: error === null && next.done ? next.value : null});
  };
  const pause = () => { clearTimeout(timer); timer = null; };
  const goOn = () => { if (timer === null) timer = setTimeout(work); };
  goOn();
  return {pause, goOn, stop: pause};
}

/** learn() in slices. When it rests, its report also has the models, as saved() gives them. */
function learnInSlices(settings, milliseconds, report) {
  const models = {};
  const withModels = message => report({...message, models: Object.values(models).map(saved)});
  const run = inSlices(learn(settings, models), milliseconds, message => {
    (message.done || message.error !== null ? withModels : report)(message);
  });
  const pause = () => {
    run.pause();
    withModels({reports: [], error: null, done: null, paused: true});
  };
  return {...run, pause};
}

/** What a worker does: it learns as it is told. */
function serve(scope) {
  let run = null;
  scope.onmessage = ({data: {settings, order}}) => {
    if (settings) run = learnInSlices(settings, 100, message => scope.postMessage(message));
    if (order) run[order]();
  };
}

/** Learn in a worker behind the page; where none starts, in slices between what the page does.

    code is the text of this file. Returns {pause, goOn, stop}. */
function inBackground(code, settings, report) {
  let heard = false, instead = null, worker = null;
  const here = () => { instead = instead || learnInSlices(settings, 12, report); };
  try {
    const file = new Blob([code, '\nserve(self);\n'], {type: 'text/javascript'});
    worker = new Worker(URL.createObjectURL(file));
    worker.onmessage = ({data}) => { heard = true; report(data); };
    worker.onerror = event => {
      if (heard) report({reports: [], error: event.message, done: null});
      else here();
    };
    worker.postMessage({settings});
  } catch (error) {
    here();
  }
  const order = name => () => instead ? instead[name]() : worker.postMessage({order: name});
  const stop = () => {
    if (worker) worker.terminate();
    if (instead) instead.stop();
  };
  return {pause: order('pause'), goOn: order('goOn'), stop};
}


// 12. What a user types, and files.

/** In lower case, no space before it, and a letter and its accent as one character. */
function normalized(text) {
  return text.trimStart().toLowerCase().replace(/i\u0307/g, 'i').normalize('NFC');
}

/** {docs, leftOut} of a text: its names, each once, and how many entries are left out. The entries
    stand one a line or with commas between them. */
function readNames(text, block_size) {
  const names = text.split(/[\r\n,;\u060c\u3001\uff0c]/).map(
    name => normalized(name.trim())).filter(name => name);
  const joiners = /[\u200c\u200d]/g;    // of Persian and Hindi: they show in what they join
  const printable = name => !/[\p{C}\p{Z}]/u.test(name.replace(joiners, '').replace(/ /g, ''));
  const docs = [...new Set(names)].filter(name => [...name].length < block_size &&
                                                  printable(name) && !/[_.\ufffd]/.test(name));
  return {docs, leftOut: names.length - docs.length};
}

/** What a prompt begins with: a space at its end counts, if the model has spaces. */
function beginning(model, text) {
  return normalized(model.vocab.includes(' ') ? text : text.trimEnd());
}

/** A prompt as {tokens, leastLetters}: _ is an unknown letter, . the end. */
function readPrompt(model, text) {
  const [start, ...ends] = beginning(model, text).split('.');
  if (ends.join('') || (ends.length && !start)) {
    throw new InputError('At least one letter or “_” comes before the “.”, and none after it.');
  }
  const tokens = encode(model, start);
  const length = [...start].length;
  if (!ends.length) tokens.fill(MASK, length);
  return {tokens, leastLetters: Math.max(1, length)};
}

/** The tokens of a prompt for microgpt. (It is read_prompt in microgpt.py.) */
function readBeginning(model, text) {
  const start = beginning(model, text);
  if (/[_.]/.test(start)) {
    throw new InputError('It writes each letter before it knows what follows. So it cannot fill ' +
                         'in a blank, nor know in advance where the name will end.');
  }
  return encode(model, start).slice(1, -1);
}

/** What a kept model and the program have to agree on. */
const CONSTANTS = ['program', 'n_layer', 'n_embd', 'block_size', 'heads', 'slope'];

/** A model as an object of plain numbers; JSON.stringify makes of it what --load takes. */
function saved(model) {
  const constants = Object.fromEntries(CONSTANTS.map(name => [name, model[name]]));
  const state_dict = Object.fromEntries(Object.entries(model.state_dict).map(
    ([name, matrix]) => [name, matrix.map(dataOf)]));
  return {...constants, steps: model.steps, vocab: model.vocab.join(''), state_dict};
}

/** A model as pages hold it, as saved() makes it: its weights are whole numbers of millionths. */
function unpacked(kept) {
  const state_dict = Object.fromEntries(Object.entries(kept.state_dict).map(
    ([name, rows]) => [name, rows.map(row => row.map(number => number / 1e6))]));
  return {...kept, state_dict};
}

/** The model that saved() or --save made an object of; constants are those of its program. */
function load(kept, constants) {
  const bad = why => { throw new InputError(`This is not a whole model: ${why}.`); };
  if (kept === null || typeof kept !== 'object') bad('it is no object');
  for (const name of CONSTANTS) {
    if (JSON.stringify(kept[name]) !== JSON.stringify(constants[name])) {
      bad(`its ${name} is ${JSON.stringify(kept[name])}, but here it is ` +
          JSON.stringify(constants[name]));
    }
  }
  const vocab = typeof kept.vocab === 'string' ? [...kept.vocab] : [];
  const special = SPECIAL[kept.program];
  if (!vocab.join('').startsWith(special) || new Set(vocab).size !== vocab.length ||
      vocab.length === special.length) bad('its vocab is no list of letters');

  const model = freshModel(constants, vocab, new Random(0));
  const steps = kept.steps === undefined ? 0 : kept.steps;
  if (!Number.isInteger(steps) || steps < 0) bad('its number of steps is none');
  for (const [name, matrix] of Object.entries(model.state_dict)) {
    const rows = Object(kept.state_dict)[name];
    if (!Array.isArray(rows) || rows.length !== matrix.length) bad(`${name} has another size`);
    matrix.forEach((row, i) => {
      const numbers = Object(rows[i]);
      if (numbers.length !== row.length) bad(`${name} has another size`);
      row.forEach((value, j) => {
        value.data = numbers[j];
        if (!(typeof value.data === 'number' && Math.abs(value.data) < HUGE)) {
          bad(`a weight of ${name} is ${numbers[j]}`);
        }
      });
    });
  }
  return {...model, steps};
}

/* What the things to touch in the lesson work out, with the models of models.js. lesson.js shows
   it. No part of this file knows that there is a page, so it also runs in Node. */

// 1. The coin.

const PIECES = 20;                              // a reader's coin has so many pieces

/** What a share p on the right character costs, in nats. */
function price(p) {
  return p === 1 ? 0 : -Math.log(p);
}

/** The shares of a coin: so many pieces lie on each character, and the rest evenly on all. */
function coinShares(pieces) {
  const rest = PIECES - pieces.reduce((a, b) => a + b);
  return pieces.map(count => (count + rest / pieces.length) / PIECES);
}

/** The three guessers, from counts[a][b]: how often b comes after a. Each gives b's share. */
function guessers(counts) {
  const total = list => list.reduce((a, b) => a + b);
  const firsts = counts.map(total);
  const letters = counts.map((_, b) => total(counts.map(row => row[b])));
  return {
    evenly: () => 1 / counts.length,
    byLetter: (a, b) => letters[b] / total(letters),
    byPair: (a, b) => (counts[a][b] + 1) / (firsts[a] + counts.length),
  };
}


// 2. The graph.

/** The nodes of (a * b) * (a + b), from the oldest to the youngest, with the places of their
    children in this list. The youngest has the grad 1, all others have 0. */
function graphNodes(a, b) {
  return noGrad(() => {
    const leaves = [new Value(a), new Value(b)];
    const c = leaves[0].mul(leaves[1]), d = leaves[0].add(leaves[1]);
    const nodes = [...leaves, c, d, c.mul(d)];
    const words = ['a', 'b', 'c = a * b', 'd = a + b', 'e = c * d'];
    nodes[4].grad = 1;
    return nodes.map((value, n) => ({
      value, words: words[n], children: (value.children || []).map(child => nodes.indexOf(child)),
    }));
  });
}

/** A node has its turn: it gives to its children. Returns [child, local gradient, what it gets]. */
function giveBack(nodes, n) {
  const {value, children} = nodes[n];
  return children.map((child, i) => {
    const given = value.localGrads[i] * value.grad;
    nodes[child].value.grad += given;
    return [child, value.localGrads[i], given];
  });
}


// 3. The hill.

/** [loss, slope] at a weight w. The softmax of w and 0 gives the share of a and that of all other
    characters; the loss is the mean price, if a character is an a with this frequency. */
function hillAt(w, frequency) {
  return [Math.log(1 + Math.exp(w)) - frequency * w, 1 / (1 + Math.exp(-w)) - frequency];
}

/** The weights of a walk downhill: where it begins, and after each step. */
function walk(w, frequency, rate, steps) {
  const weights = [w];
  for (let step = 0; step < steps; step++) {
    w -= rate * hillAt(w, frequency)[1];
    weights.push(w);
  }
  return weights;
}


// 4. Letters and those like them.

/** How much a letter is like each character of the vocabulary: 1 is like itself. */
function likenesses(model, token) {
  return noGrad(() => {
    const {wte} = model.state_dict;
    const normed = wte.map(rmsnorm);
    return dataOf(linear([normed[token]], normed)[0]).map(product => product / model.n_embd);
  });
}


// 5. One query through one head of microgpt.

/** All numbers on the way of one position through one head of the first layer. */
function throughHead(model, tokens, position, head) {
  return noGrad(() => {
    const {n_embd, heads, slope, block_size, state_dict: {wte, wpe}} = model;
    const width = n_embd / heads.length, [start, end] = [head * width, (head + 1) * width];
    const xs = add(tokens.map(token => wte[token]), wpe.slice(0, tokens.length)).map(rmsnorm);
    const normed = xs.map(rmsnorm), [wq, wk, wv, wo] = weightsOf(model, 0);
    const queries = linear(normed, wq);
    const keys = linear(normed, wk).slice(0, position + 1);     // causal: it sees up to itself
    const values = linear(normed, wv).slice(0, position + 1);

    const part = x => x.slice(start, end);
    const scores = linear([part(queries[position])], keys.map(part))[0], scale = width ** -0.5;
    const distances = keys.map(
      (_, there) => (heads[head] * (there - position) - 1 + block_size) % block_size);
    const bias = distances.map(distance => -slope * distance);
    const mixed = attention(model, [queries[position]], keys, values);
    const change = linear(mixed, wo)[0];
    return {
      vector: dataOf(normed[position]), query: dataOf(part(queries[position])),
      keys: keys.map(part).map(dataOf), values: values.map(part).map(dataOf),
      scores: dataOf(scores), halved: dataOf(scores).map(score => score * scale), distances,
      nearer: dataOf(scores).map((score, n) => score * scale + bias[n]),
      shares: dataOf(softmax(scores, scale, bias)),
      mix: dataOf(part(mixed[0])), mixed: dataOf(mixed[0]), change: dataOf(change),
    };
  });
}


// 6. Hide and restore.

/** For each hidden place the likeliest characters, as [token, share]; nothing for the others. */
function guessHidden(model, tokens, many) {
  return noGrad(() => {
    const logits = maskPredictor(model, tokens);
    return tokens.map((token, n) => {
      if (token !== MASK) return [];
      if (!logits[n]) return [[PAD, 1]];        // behind a visible end
      return ranked(probabilities(logits[n])).slice(0, many);
    });
  });
}

/** Shares as [token, share], the largest first. */
function ranked(probs) {
  return probs.map((p, token) => [token, p]).sort((a, b) => b[1] - a[1]);
}


// 7. A hundred t.

/** So many t between tMin and 1: {evenly, logUniform}. */
function drawLevels(many, tMin, rng) {
  const draws = Array.from({length: many}, () => rng.random());
  return {evenly: draws.map(u => tMin + (1 - tMin) * u), logUniform: draws.map(u => tMin ** u)};
}

/** How many t are in each of the equal parts between tMin and 1, or the sum of their weights. */
function inParts(levels, tMin, parts, weight = () => 1) {
  const sums = Array(parts).fill(0);
  for (const t of levels) {
    const part = Math.floor((t - tMin) / (1 - tMin) * parts);
    sums[Math.min(parts - 1, Math.max(0, part))] += weight(t);
  }
  return sums;
}


// 8. One denoising step, in slow motion.

/** An rng that keeps the numbers it gives, in taken. */
function recorder(rng) {
  const taken = [];
  return {taken, random() { taken.push(rng.random()); return taken[taken.length - 1]; }};
}

/** What happened in a step of denoise(), which made after out of before with the numbers taken.

    Returns {rated, chosen, drawn, ...}: for each hidden place {n, guess, p, confidence, noise,
    rating}; the places chosen; and for each of them that was still hidden {n, end, ended, letters,
    token}. The letters are those that can be drawn: [token, share, share at the temperature]. */
function explain(model, before, total, [i, cooled], taken) {
  const {steps, noise, min_p} = model.defaults;
  const numbers = [...taken], rng = {random: () => numbers.shift()};
  return noGrad(() => {
    const left = masksLeft(total, i, steps), tokens = [...before];
    const count = tokens.filter(token => token === MASK).length - left;
    const logits = maskPredictor(model, tokens);
    ruleOut(model, logits, tokens);

    const rated = [];
    logits.forEach((z, n) => {
      if (tokens[n] !== MASK) return;
      const [[guess, p]] = ranked(probabilities(z));
      const chance = noise * left / total * gumbel(rng);
      rated.push({n, guess, p, confidence: Math.log(p), noise: chance,
                  rating: Math.log(p) + chance});
    });
    const best = [...rated].sort((a, b) => b.rating - a.rating).slice(0, count);

    const drawn = [];
    for (const {n} of best) {
      if (tokens[n] === MASK) {
        ruleOut(model, logits, tokens);
        const probs = probabilities(logits[n]), end = probs[model.end];
        const likeliest = Math.max(...probs.slice(model.end + 1));
        const cut = ranked(probs).filter(
          ([token, p]) => token > model.end && p > 0 && p >= min_p * likeliest);
        const powers = cut.map(([, p]) => (p / likeliest) ** (1 / cooled));
        const sum = powers.reduce((a, b) => a + b, 0);
        const letters = cut.map(([token, p], m) => [token, p, powers[m] / sum]);
        tokens[n] = draw(model, logits[n], rng, cooled, min_p);
        drawn.push({n, end, ended: tokens[n] === PAD, letters, token: tokens[n]});
      }
      if (tokens[n] === PAD) tokens.fill(PAD, n);
    }
    return {left, count, rated, chosen: best.map(({n}) => n), drawn, after: tokens};
  });
}

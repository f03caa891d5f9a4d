"""A masked diffusion language model in plain Python: names emerge from noise, in any order.
Read it beside microgpt.py: the same parts, in order; where they differ, the ideas do."""
import argparse, gc, json, math, os, random, signal, sys, time, unicodedata
from itertools import compress, count
from operator import attrgetter, mul

# A diffusion model needs a token that hides a letter and one that fills up what follows a name.
PROGRAM = 'microdiffusion'
SPECIAL = '_.'              # how they are shown; they are the first tokens of the vocabulary
MASK, PAD = 0, 1
n_layer = 2                 # one layer to look around, one to look at what the others saw
learning_rate = 0.01
t_min = 0.2                 # the lowest noise level of the training: a fifth of the tokens masked
# The sizes that both programs have in common.
n_embd, n_head = 16, 4      # channels of each position, and attention heads that share them
block_size = 16             # positions: at most 15 letters and a special token
batch_size = 4              # names in a training step

# 1. Data: names, every tenth of them held out; a token is a character's place in the vocabulary.
def split(docs):
    """Names to train on, and names that training never sees, the same whatever the seed."""
    docs = sorted(set(docs))
    return [doc for n, doc in enumerate(docs) if n % 10], docs[::10]
def make_vocab(docs): return SPECIAL + ''.join(sorted(set(''.join(docs))))
def decode(tokens, vocab): return ''.join([vocab[token] for token in tokens])
# All at once: every name takes all positions, as its length is to emerge like its letters.
def encode(doc, vocab):
    """The tokens of a name: block_size of them, PAD after the last letter."""
    return [vocab.index(char) for char in doc] + [PAD] * (block_size - len(doc))

# 2. Autograd: a Value remembers what it was made from, so that gradients can flow back through it.
births = count()
class Value:
    """A number in a computation: its data, and after a backward() its grad."""
    __slots__ = ('data', 'grad', '_children', '_local_grads', '_born')
    def __init__(self, data, children=(), local_grads=()):
        self.data = data
        self.grad = 0.0                     # d(the Value that backward was called on) / d(this one)
        self._children = children           # the Values it was made from
        self._local_grads = local_grads     # d(this one) / d(each child); dot products: see part 3
        self._born = next(births)           # every Value is younger than its children
    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0))
    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))
    def __pow__(self, k): return Value(self.data ** k, (self,), (k * self.data ** (k - 1),))
    def exp(self): return Value(math.exp(self.data), (self,), (math.exp(self.data),))
    def log(self): return Value(math.log(self.data), (self,), (1 / self.data,))
    def relu(self): return Value(max(0.0, self.data), (self,), (1.0,) if self.data > 0 else (0.0,))
    def __neg__(self): return self * -1.0
    def __sub__(self, other): return self + -other
    def __rsub__(self, other): return -self + other
    def __truediv__(self, other): return self * other ** -1
    def __rtruediv__(self, other): return self ** -1 * other
    def __repr__(self): return f'Value({self.data}, grad={self.grad})'
    __radd__, __rmul__ = __add__, __mul__

    def backward(self):
        """Add d(self)/d(leaf) to the grad of each leaf; the Values in between start afresh."""
        nodes, vectors, stack = [], set(), [(self,)]
        while stack:                        # collect all that self was made from, the leaves aside
            for node in stack.pop():
                if node._children and node.grad is not None:
                    node.grad = None        # marks it as collected
                    nodes.append(node)
                    if type(node._children) is tuple:
                        stack.append(node._children)
                        continue
                    for vector in (node._children, node._local_grads):  # two lists: a dot product,
                        if id(vector) not in vectors:                   # and many share them
                            vectors.add(id(vector))
                            stack.append(vector)
        for node in nodes: node.grad = 0.0
        self.grad += 1.0
        for node in sorted(nodes, key=attrgetter('_born'), reverse=True):
            grad = node.grad                # the youngest first: its grad is complete
            if grad and type(node._children) is tuple:
                for child, local_grad in zip(node._children, node._local_grads):
                    child.grad += local_grad * grad
            elif grad:
                for a, b in zip(node._children, node._local_grads):
                    a.grad += b.data * grad
                    b.grad += a.data * grad

# 3. Building blocks: a dot product is one Value, its two lists each other's local gradients.
def linear(xs, w):
    """The dot products of each vector in xs with each row of w: (n, in), (out, in) to (n, out)."""
    rows = [(row, [v.data for v in row]) for row in w]
    vectors = [(x, [v.data for v in x]) for x in xs]
    return [[Value(sum(map(mul, a, b)), x, row) for row, b in rows] for x, a in vectors]
def relu_linear(x, w):
    """The dot products of relu(x) with each row of w; what the ReLU makes 0 is left out of them."""
    on = [v.data > 0 for v in x]
    return linear([list(compress(x, on))], [list(compress(row, on)) for row in w])[0]
def logsumexp(logits, scale=1.0):
    """log(sum(exp(scale z))) in one Value; no exp overflows, as the largest is taken out first."""
    top = max([z.data for z in logits])
    exps = [math.exp(scale * (z.data - top)) for z in logits]
    total = sum(exps)
    local_grads = tuple([scale * e / total for e in exps])
    return Value(scale * top + math.log(total), tuple(logits), local_grads)
def softmax(logits, scale=1.0):
    """Probabilities p = exp(scale z - logsumexp), so the local gradients are scale p and -p."""
    total = logsumexp(logits, scale)
    probs = [math.exp(scale * z.data - total.data) for z in logits]
    return [Value(p, (z, total), (scale * p, -p)) for z, p in zip(logits, probs)]
def rmsnorm(x):
    """A vector scaled to a root mean square of 1 (Zhang & Sennrich, arXiv 1910.07467), no gain."""
    [[square]] = linear([x], [x])           # the dot product of x with itself
    scale = (square / len(x) + 1e-5) ** -0.5
    return [v * scale for v in x]
def add(xs, ys): return [[a + b for a, b in zip(x, y)] for x, y in zip(xs, ys)]
def attention(queries, keys, values):
    """Each query gets a mix of the values, weighted by how well it matches their keys, per head."""
    heads, width = [], n_embd // n_head
    for start in range(0, n_embd, width):
        q, k, v = [[x[start:start + width] for x in xs] for xs in (queries, keys, values)]
        weights = [softmax(scores, width ** -0.5) for scores in linear(q, k)]
        heads.append(linear(weights, [list(channel) for channel in zip(*v)]))
    return [sum(mixed, []) for mixed in zip(*heads)]

# 4. Weights: small random numbers. What turns the last layer into logits is wte, tied.
def make_weights(vocab_size, rng):
    """The state_dict: every weight matrix, as rows of Values, by its name."""
    def matrix(rows, columns=n_embd):
        return [[Value(rng.gauss(0, 0.08)) for _ in range(columns)] for _ in range(rows)]
    state_dict = {'wte': matrix(vocab_size), 'wpe': matrix(block_size)}
    for layer in range(n_layer):
        for name in 'qkvo': state_dict[f'layer{layer}.attn_w{name}'] = matrix(n_embd)
        state_dict[f'layer{layer}.mlp_fc1'] = matrix(4 * n_embd)
        state_dict[f'layer{layer}.mlp_fc2'] = matrix(n_embd, 4 * n_embd)
    return state_dict

# 5. The model: what may each hidden token be, given all that is visible to its left and right?
def mask_predictor(state_dict, tokens, wanted=None):
    """The logits over the vocabulary at each of the wanted positions (default: all of them)."""
    wanted = range(len(tokens)) if wanted is None else wanted
    wte, wpe = state_dict['wte'], state_dict['wpe']
    xs = [rmsnorm(x) for x in add([wte[token] for token in tokens], wpe)]
    for layer in range(n_layer):
        wq, wk, wv, wo, fc1, fc2 = [state_dict[f'layer{layer}.{name}'] for name in (
            'attn_wq', 'attn_wk', 'attn_wv', 'attn_wo', 'mlp_fc1', 'mlp_fc2')]
        normed = [rmsnorm(x) for x in xs]
        # Bidirectional: keys and values are all there from the start, and every position sees all.
        keys, values = linear(normed, wk), linear(normed, wv)
        if layer == n_layer - 1:            # from here on, no position looks at another
            xs, normed = [xs[n] for n in wanted], [normed[n] for n in wanted]
        mixed = attention(linear(normed, wq), keys, values)
        xs = add(xs, linear(mixed, wo))
        hidden = linear([rmsnorm(x) for x in xs], fc1)
        xs = add(xs, [relu_linear(x, fc2) for x in hidden])
    logits = linear(xs, wte)
    for z in logits: z[MASK] = Value(-1e6)  # P(MASK) = 0: no name has one (arXiv 2406.07524)
    return logits

# 6. Adam: a step against the running mean of the gradient, in units of its usual size.
class Adam:
    """The optimizer of Kingma & Ba (arXiv 1412.6980) for a list of distinct Values."""
    def __init__(self, params):
        self.params, self.steps = params, 0
        self.means, self.squares = [0.0] * len(params), [0.0] * len(params)
    def step(self, lr, beta1=0.85, beta2=0.99, eps=1e-8):
        """Update every data, and set every grad back to 0."""
        self.steps += 1
        lr, unbias = lr / (1 - beta1 ** self.steps), 1 / (1 - beta2 ** self.steps)
        for i, p in enumerate(self.params):
            mean = self.means[i] = beta1 * self.means[i] + (1 - beta1) * p.grad
            square = self.squares[i] = beta2 * self.squares[i] + (1 - beta2) * p.grad * p.grad
            p.data -= lr * mean / (math.sqrt(square * unbias) + eps)
            p.grad = 0.0

# 7. One example's loss: tokens are hidden at random, and each is to be predicted from the others.
def corrupt(tokens, t, rng):
    """The forward process at noise level t: each token is masked with probability t."""
    return [MASK if rng.random() < t else token for token in tokens]
def cross_entropies(state_dict, noisy, clean):
    """-log p(clean token | noisy tokens) at each masked position, in nats."""
    masked = [n for n, token in enumerate(noisy) if token == MASK]
    logits = mask_predictor(state_dict, noisy, masked)
    return [logsumexp(z) - z[clean[n]] for z, n in zip(logits, masked)]
def example_loss(state_dict, tokens, rng):
    """The NELBO's integral from t_min to 1 by one draw of t, in nats (MDLM, arXiv 2406.07524).

    Its weight is 1/t. Drawn log-uniformly, t has the density 1 / (t ln(1/t_min)): the 1/t is in the
    draw, the plain sum remains. A mean over the masked tokens would divide by t a second time.
    """
    noisy = tokens
    while MASK not in noisy:                # if nothing was masked, t is drawn again as well
        noisy = corrupt(tokens, t_min ** rng.random(), rng)
    return sum(cross_entropies(state_dict, noisy, tokens)) * math.log(1 / t_min)

# 8. Training: Adam, at a learning rate that falls to 0. Each step's loss is handed to the caller.
def train(state_dict, examples, rng, steps=2000, lr=learning_rate):
    """Train in place; yields the mean loss over each step's names, in nats per name."""
    examples = rng.sample(examples, len(examples))
    adam = Adam([value for matrix in state_dict.values() for row in matrix for value in row])
    for step in range(steps):
        mean_loss = 0.0
        for n in range(step * batch_size, (step + 1) * batch_size):
            loss = example_loss(state_dict, examples[n % len(examples)], rng) / batch_size
            loss.backward()
            mean_loss += loss.data
            del loss                        # and its graph with it, before the next one is made
        adam.step(lr * (1 - step / steps))
        yield mean_loss

# 9. Sampling: each step guesses all masked tokens, keeps the surest guesses, remasks the others.
def allowed(tokens, n, letters, vocab_size):
    """The tokens that may stand at position n, so that a name ends once, after so many letters."""
    if PAD in tokens[:n] or n == block_size - 1: return [PAD]
    letters = max([letters] + [m + 1 for m, token in enumerate(tokens) if token > PAD])
    return range(PAD if n >= letters else PAD + 1, vocab_size)
def denoise(state_dict, tokens, rng, steps=8, temperature=1.0, letters=0, noise=4.5):
    """Fill in the MASKs; yields (step, temperature, tokens) for each step that reveals some.

    After step i of n, floor(K cos(pi/2 i/n)) of the K MASKs are left (MaskGIT, arXiv 2202.04200):
    few are revealed while little is known. What is revealed stays (MDLM's carry-over).
    """
    tokens = list(tokens)
    masked = [n for n, token in enumerate(tokens) if token == MASK]
    total, vocab_size = len(masked), len(state_dict['wte'])
    for i in range(1, steps + 1):
        left = math.floor(total * math.cos(math.pi / 2 * i / steps) + 1e-9)
        if left == len(masked): continue    # nothing to reveal, so nothing to evaluate
        heat = temperature * (1 - 5 / 8 * (i - 1) / max(1, steps - 1))      # falls to 3/8 of it
        logits = dict(zip(masked, mask_predictor(state_dict, tokens, masked)))
        # Confidence: log of the largest probability, at temperature 1 (MaskGIT and LLaDA take the
        # sampled token's). Gumbel noise that fades keeps the names from being all alike.
        confidence = {}
        for n in masked:
            options = [logits[n][token] for token in allowed(tokens, n, letters, vocab_size)]
            gumbel = -math.log(1e-9 - math.log(1 - rng.random()))   # 1e-9, so as not to be log(0)
            best = max([z.data for z in options]) - logsumexp(options).data
            confidence[n] = best + noise * left / total * gumbel
        masked.sort(key=confidence.get, reverse=True)
        for n in masked:                    # surest first
            choices = allowed(tokens, n, letters, vocab_size)
            probs = softmax([logits[n][token] for token in choices], 1 / heat)
            tokens[n] = rng.choices(choices, [p.data for p in probs])[0]
        masked = sorted(masked[len(masked) - left:])
        for n in masked: tokens[n] = MASK   # low-confidence remasking
        yield i, heat, list(tokens)

# 10. The yardstick: what names cost, in nats, that training never saw. The lower the better.
def held_out_nats(state_dict, examples, rng, draws=1):
    """Yields nats for each example; their mean estimates the NELBO, an upper bound on -log p.

    A draw masks k of the L tokens, k = 1..L in turn, and takes L/k times the summed cross-entropies
    (form 2 in the README; the integral of Binomial(k; L, t) / t over t is 1/k; arXiv 2406.03736).
    """
    for n, tokens in enumerate(examples):
        total, length = 0.0, len(tokens)
        for draw in range(n * draws, (n + 1) * draws):
            hidden = rng.sample(range(length), 1 + draw % length)
            noisy = [MASK if m in hidden else token for m, token in enumerate(tokens)]
            nats = sum([v.data for v in cross_entropies(state_dict, noisy, tokens)])
            total += nats * length / len(hidden)
        yield total / draws

# 11. You may stop reading here. What follows is there to be kind: input, files, progress, commands.
InputError = argparse.ArgumentTypeError     # for what the user gave; the message says what to do
def clean(text): return unicodedata.normalize('NFC', text.strip().lower())
def read_names(path):
    """The usable names of a UTF-8 file of one a line; the others are counted."""
    with open(path, encoding='utf-8-sig', errors='replace') as file:
        names = [clean(line) for line in file if line.strip()]
    if '\ufffd' in ''.join(names): raise InputError(f'{path} is not UTF-8: save it as UTF-8 text')
    docs = [name for name in names if len(name) < block_size]
    docs = [name for name in docs if name.isprintable() and not set(name) & set('_.')]
    if len(set(docs)) < 10:
        raise InputError(f'{path} has {len(set(docs))} usable names: give it ten or more, one a '
                         f'line, each of 1 to {block_size - 1} characters without _ or .')
    if len(docs) < len(names):
        print(f'left out {len(names) - len(docs)} of {len(names)} lines: too long, or with _ or .')
    return docs
# All at once: a prompt may leave open any letter, and the end.
def read_prompt(text, vocab):
    """A prompt as (tokens, least number of letters): _ is an unknown letter, . the end."""
    start, end, rest = clean(text).partition('.')
    if set(start) - set(vocab) or not len(end) <= len(start) < block_size or rest.strip('.'):
        raise InputError(f'--prompt {text!a}: it takes up to {block_size - 1} letters of the '
                         f'training names, _ for an unknown one, and . after the last')
    rest = [PAD if end else MASK] * (block_size - len(start))
    return [vocab.index(char) for char in start] + rest, len(start)
def save(path, state_dict, vocab):
    """Write a model as JSON, whole or not at all; without a state_dict, only see if it could be."""
    if os.path.exists(path) and not os.path.isfile(path): raise InputError(f'{path}: not a file')
    if os.path.exists(path): open(path, 'r+b').close()      # it may be replaced
    model = {'program': PROGRAM, 'vocab': vocab, 'n_head': n_head, 'state_dict': {
        name: [[v.data for v in row] for row in matrix] for name, matrix in state_dict.items()}}
    try:
        with open(path + '.part', 'w', encoding='utf-8') as file: json.dump(model, file)
        if state_dict: os.replace(path + '.part', path)
    finally:
        if os.path.exists(path + '.part'): os.remove(path + '.part')
def load(path):
    """The (state_dict, vocab) of a saved model, if it has the form of one made afresh."""
    with open(path, encoding='utf-8', errors='replace') as file:
        try:
            model = json.load(file)
            vocab, weights = model['vocab'], model['state_dict']
            form = {k: [[abs(x) < 1e9 for x in row] for row in weights[k]] for k in weights}
            fresh = make_weights(max(len(set(vocab)), len(SPECIAL) + 1), random.Random())
            fresh = {k: [[True for _ in row] for row in fresh[k]] for k in fresh}
            if vocab.isprintable() and (PROGRAM, n_head, SPECIAL, len(vocab), fresh) == (
                    model['program'], model['n_head'], vocab[:len(SPECIAL)], len(set(vocab)), form):
                return {k: [[Value(x) for x in row] for row in weights[k]] for k in weights}, vocab
        except Exception: pass              # whatever went wrong, it is no such model
    raise InputError(f'{path} is not a whole model of {PROGRAM}.py: make one with --save')
def watch(values, total, label, window):
    """Pass values on, with their number, mean and time left; Ctrl-C ends them, twice gets out."""
    start = shown = time.monotonic()
    n, mean, terminal, pressed, collecting = 0, 0.0, sys.stdout.isatty(), [], gc.isenabled()
    before = signal.signal(signal.SIGINT, lambda *_: pressed.append(
        signal.signal(signal.SIGINT, signal.default_int_handler)))
    if sys.implementation.name == 'cpython': gc.disable()   # no cycles to find, and it takes time
    try:
        for n, value in enumerate(values, 1):
            if not abs(value) < 1e9: raise InputError(f'{value} nats: lower the learning_rate')
            mean, now = mean + (value - mean) * max(1 / n, 1 / window), time.monotonic()
            if now > shown + (0.1 if terminal else 10) or n == total or pressed:
                left, shown = divmod(round((now - start) / n * (total - n)), 60), now
                line = f'{label} {n}/{total} {mean:.2f} nats {left[0]}:{left[1]:02d} left'
                print('\r' + line.ljust(39) if terminal else line + '\n', end='', flush=True)
            yield value
            if pressed: break
    finally:
        signal.signal(signal.SIGINT, before)
        if collecting: gc.enable()
        if terminal and n: print()
def learn(docs, vocab, args):
    """Train a model, save it and measure it; returns its state_dict."""
    rng, (docs, held_out) = random.Random(args.seed), split(docs)
    state_dict = make_weights(len(vocab), rng)
    size = len([value for matrix in state_dict.values() for row in matrix for value in row])
    print(f'{len(docs)} names, {len(held_out)} held out; {len(vocab)} tokens; {size} parameters')
    for t in (0.25, 0.5, 0.75, 1):          # noise: what the model learns to undo
        noisy = corrupt(encode(docs[args.seed % len(docs)], vocab), t, random.Random(args.seed))
        print(f'masked at t = {t:.2f}: {decode(noisy, vocab)}')
    start = time.perf_counter()
    losses = train(state_dict, [encode(doc, vocab) for doc in docs], rng, args.steps)
    done = len(list(watch(losses, args.steps, 'train', 100)))
    seconds = time.perf_counter() - start
    if done < args.steps: print('Ctrl-C: no more training, on with what was learnt')
    print(f'trained {done} steps of {batch_size} names in {seconds:.1f} s '
          f'({1000 * seconds / max(1, done * batch_size):.1f} ms per name)')
    if args.save: save(args.save, state_dict, vocab)
    held_out = random.Random(0).sample(held_out, min(1000, len(held_out)))  # whatever the seed
    rng, tokens = random.Random(0), [encode(doc, vocab) for doc in held_out]
    values = held_out_nats(state_dict, tokens, rng, 1 + 48 // len(held_out))    # few: more draws
    values = list(watch(values, len(held_out), 'held-out', 1000))
    if len(values) < len(held_out): raise KeyboardInterrupt
    n, mean = len(values), sum(values) / len(values)
    error = (sum([(v - mean) ** 2 for v in values]) / (n - 1 or math.nan) / n) ** 0.5
    per_character = sum(values) / (len(''.join(held_out)) + len(held_out))   # letters and the end
    print(f'held-out: {mean:.1f} +- {error:.1f} nats per name ({per_character:.2f} per character)')
    return state_dict
def main(argv=None):
    parser = argparse.ArgumentParser(PROGRAM + '.py', description=__doc__.splitlines()[0])
    for option, meta, least, default, text in (
            ('names', 'FILE', '', os.path.join(os.path.dirname(__file__), 'names.txt'),
             'what to learn from, one name a line (default: names.txt beside the program)'),
            ('steps', 'N', 0, 2000, 'training steps (%(default)s)'),
            ('samples', 'N', 0, 20, 'names to write (%(default)s)'),
            ('seed', 'N', 0, 42, 'where all random numbers start (%(default)s)'),
            # All at once: how many steps, and how hot the first is.
            ('temperature', 'T', 0.01, 1.0, 'of the first step; the last has 3/8 (%(default)s)'),
            ('denoise-steps', 'N', 1, 8, 'steps from noise to a name (%(default)s)'),
            ('prompt', 'TEXT', '', '', 'what is known: mar begins a name, m__ia. has five letters'),
            ('save', 'FILE', '', '', 'where to keep the trained model'),
            ('load', 'FILE', '', '', 'a kept model, to write names without training')):
        def number(text, least=least):
            if least == '' or least <= type(least)(text) <= 1e9: return type(least)(text)
            raise InputError(f'{text} is not between {least} and 1000000000')
        parser.add_argument('--' + option, metavar=meta, type=number, default=default, help=text)
    args = parser.parse_args(argv)
    getattr(sys.stdout, 'reconfigure', dict)(errors='replace')  # for consoles without accents
    try:
        docs = [] if args.load else read_names(args.names)
        state_dict, vocab = load(args.load) if args.load else ({}, make_vocab(docs))
        known = read_prompt(args.prompt, vocab)
        if args.load and args.save: raise InputError('--load trains nothing that --save could keep')
        if args.save: save(args.save, {}, vocab)
        state_dict, rng = state_dict or learn(docs, vocab, args), random.Random(args.seed)
        for n in range(1, args.samples + 1):
            # All at once: the first name is shown emerging.
            name = known[0]
            for i, heat, name in denoise(state_dict, known[0], rng, args.denoise_steps,
                                         args.temperature, letters=known[1]):
                if n == 1: print(f'step {i:2d}  T {heat:.2f}  {decode(name, vocab)}')
            print(f'sample {n:2d}: {decode(name, vocab).strip(SPECIAL)}')
        sys.stdout.flush()
    except InputError as error: parser.error(error)
    except KeyboardInterrupt: return 130
    except BrokenPipeError: os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        parser.error(f'{error.filename or args.save}: {error.strerror}; give another path')
if __name__ == '__main__': sys.exit(main())

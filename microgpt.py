"""A GPT in plain Python: names are written from left to right, letter by letter.
Read it beside microdiffusion.py: the same parts, in order; where they differ, the ideas do."""
import argparse, gc, json, math, os, random, signal, sys, time, unicodedata
from itertools import compress, count
from operator import attrgetter, mul

# A GPT needs one special token, for where a name begins and where it ends.
PROGRAM = 'microgpt'
SPECIAL = '.'               # how it is shown; it is the first token of the vocabulary
BOS = 0
n_layer = 1                 # one layer, to look at the letters before
learning_rate = 0.01
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
# Left to right: BOS stands on either side, as the first token to go on from and the last to reach.
def encode(doc, vocab):
    """The tokens of a name: BOS, its letters, BOS."""
    return [BOS] + [vocab.index(char) for char in doc] + [BOS]

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

# 4. Weights: small random numbers. What turns the last layer into logits is a matrix of its own.
def make_weights(vocab_size, rng):
    """The state_dict: every weight matrix, as rows of Values, by its name."""
    def matrix(rows, columns=n_embd):
        return [[Value(rng.gauss(0, 0.08)) for _ in range(columns)] for _ in range(rows)]
    state_dict = {'wte': matrix(vocab_size), 'wpe': matrix(block_size)}
    state_dict['lm_head'] = matrix(vocab_size)      # the output matrix
    for layer in range(n_layer):
        for name in 'qkvo': state_dict[f'layer{layer}.attn_w{name}'] = matrix(n_embd)
        state_dict[f'layer{layer}.mlp_fc1'] = matrix(4 * n_embd)
        state_dict[f'layer{layer}.mlp_fc2'] = matrix(n_embd, 4 * n_embd)
    return state_dict

# 5. The model: what may the next token be, given those to its left?
def gpt(state_dict, tokens, cache=None):
    """The logits over the vocabulary of what follows each token; the cache holds those before."""
    cache = [([], []) for _ in range(n_layer)] if cache is None else cache
    start = len(cache[0][0])
    wte, wpe = state_dict['wte'], state_dict['wpe'][start:]
    xs = [rmsnorm(x) for x in add([wte[token] for token in tokens], wpe)]
    for layer in range(n_layer):
        wq, wk, wv, wo, fc1, fc2 = [state_dict[f'layer{layer}.{name}'] for name in (
            'attn_wq', 'attn_wk', 'attn_wv', 'attn_wo', 'mlp_fc1', 'mlp_fc2')]
        normed = [rmsnorm(x) for x in xs]
        # Causal: keys and values grow with the name, and the nth position sees the first n.
        keys, values = cache[layer]
        keys += linear(normed, wk)
        values += linear(normed, wv)
        mixed = [attention([q], keys[:n], values[:n])[0]
                 for n, q in enumerate(linear(normed, wq), start + 1)]
        xs = add(xs, linear(mixed, wo))
        hidden = linear([rmsnorm(x) for x in xs], fc1)
        xs = add(xs, [relu_linear(x, fc2) for x in hidden])
    return linear(xs, state_dict['lm_head'])        # not tied, and any token may be next

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

# 7. One example's loss: each token is to be predicted from those before it.
def cross_entropies(state_dict, tokens):
    """-log p(token | the tokens before it) of the letters and the end, in nats."""
    logits = gpt(state_dict, tokens[:-1])
    return [logsumexp(z) - z[token] for z, token in zip(logits, tokens[1:])]
def example_loss(state_dict, tokens, rng):
    """-log p of the whole name, in nats: nothing is drawn, the chain rule makes it exact."""
    return sum(cross_entropies(state_dict, tokens))

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

# 9. Sampling: from left to right, a letter at a time, until the name ends.
def generate(state_dict, tokens, rng, temperature=0.5):
    """Continue a name that begins with these letters; returns all of its letters."""
    tokens, new, cache = list(tokens), [BOS] + tokens, [([], []) for _ in range(n_layer)]
    while len(tokens) < block_size - 1:
        logits = gpt(state_dict, new, cache)[-1]
        probs = softmax(logits, 1 / temperature)
        new = rng.choices(range(len(probs)), [p.data for p in probs])
        if new == [BOS]: break
        tokens += new
    return tokens

# 10. The yardstick: what names cost, in nats, that training never saw. The lower the better.
def held_out_nats(state_dict, examples, rng, draws=1):
    """Yields -log p of each example: exact, so neither rng nor draws make a difference."""
    for tokens in examples:
        yield sum([v.data for v in cross_entropies(state_dict, tokens)])

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
# Left to right: a prompt is the beginning of a name. What stands before a letter is long settled.
def read_prompt(text, vocab):
    """The tokens of a prompt, the beginning of a name."""
    start = clean(text)
    if '_' in start or '.' in start:
        raise InputError(f'--prompt {text!a}: a left-to-right model cannot fill in what stands '
                         f'before a known letter or end in one pass; give a beginning')
    if set(start) - set(vocab) or len(start) >= block_size:
        raise InputError(f'--prompt {text!a}: it takes up to {block_size - 1} letters of the '
                         f'training names')
    return [vocab.index(char) for char in start]
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
            # Left to right: one temperature for all letters.
            ('temperature', 'T', 0.01, 0.5, 'the lower, the more usual the names (%(default)s)'),
            ('prompt', 'TEXT', '', '', 'what is known: mar begins a name'),
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
            # Left to right: nothing to show but the name.
            name = generate(state_dict, known, rng, args.temperature)
            print(f'sample {n:2d}: {decode(name, vocab).strip(SPECIAL)}')
        sys.stdout.flush()
    except InputError as error: parser.error(error)
    except KeyboardInterrupt: return 130
    except BrokenPipeError: os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        parser.error(f'{error.filename or args.save}: {error.strerror}; give another path')
if __name__ == '__main__': sys.exit(main())

"""A GPT in plain Python: names are written from left to right, letter by letter.

Read it beside microdiffusion.py: the same parts in the same order. What differs comes from the
idea, but for the number of layers, the tied output matrix and the temperatures: these are choices.
"""
import argparse, collections, contextlib, errno, gc, itertools, json, math, multiprocessing
import os, random, shutil, signal, statistics, sys, time, unicodedata
from array import array
from operator import attrgetter, mul

# What a GPT needs: one token for where a name begins and where it ends.
PROGRAM = 'microgpt'
SPECIAL = '.'               # how BOS is shown; it opens the vocabulary
BOS = 0
END = BOS                   # what stands after the last letter
LEFT, RIGHT = -1, 1
heads = [LEFT, LEFT, LEFT, LEFT]        # where the attention heads look: back
n_layer = 1                 # one layer, to look at the letters before

# What both programs have in common.
n_embd = 16                 # channels of each position; the heads share them
slope = 2.0                 # how much a score falls with each position further away
block_size = 14             # positions: at most 13 letters, as in names.txt, and a special token
batch_size = 8              # names in a training step
learning_rate = 0.014


# 1. Data: names, every tenth held out; a token is a character's place in the vocabulary.

def split(docs):
    """Names to train on, and names that training never sees; no seed changes them."""
    docs = sorted(set(docs))
    return [doc for n, doc in enumerate(docs) if n % 10], docs[::10]

def make_vocab(docs):
    """All characters as one string: the special tokens, then the letters."""
    return SPECIAL + ''.join(sorted(set(''.join(docs))))

def decode(tokens, vocab):
    """The tokens as text."""
    return ''.join([vocab[token] for token in tokens])

# Left to right: BOS stands on either side, at first to begin, then to say that it is over.
def encode(doc, vocab):
    """The tokens of a name: BOS, its letters, BOS."""
    return [BOS] + [vocab.index(char) for char in doc] + [BOS]


# 2. Autograd: a Value remembers what it was made from; so gradients can flow back through it.

births = itertools.count()

class Value:
    """A number in a computation: its data, and after a backward() its grad."""
    __slots__ = ('data', 'grad', '_children', '_local_grads', '_born')

    def __init__(self, data, children=(), local_grads=()):
        self.data = data
        self.grad = 0.0                     # d(what backward() was called on) / d(this one)
        self._children = children           # the Values it was made from, or two vectors
        self._local_grads = local_grads     # d(this one) / d(each child); None: see linear
        self._born = next(births)           # every Value is younger than its children

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    # Part 3 does exp, log and relu with fewer Values; these are for experiments.
    def __pow__(self, k): return Value(self.data ** k, (self,), (k * self.data ** (k - 1),))
    def exp(self): return Value(math.exp(self.data), (self,), (math.exp(self.data),))
    def log(self): return Value(math.log(self.data), (self,), (1 / self.data,))
    def relu(self): return self if self.data > 0 else Value(0.0)
    def __neg__(self): return self * -1.0
    def __sub__(self, other): return self + -other
    def __rsub__(self, other): return -self + other
    def __truediv__(self, other): return self * other ** -1
    def __rtruediv__(self, other): return self ** -1 * other
    def __repr__(self): return f'Value({self.data}, grad={self.grad})'
    __radd__, __rmul__ = __add__, __mul__

    def backward(self):
        """Add d(self)/d(leaf) to each leaf's grad; the Values in between start afresh."""
        nodes = self.history()
        for node in nodes:
            node.grad = 0.0
        self.grad += 1.0                    # d(self) / d(self); added, as it may be a leaf
        # The chain rule, the youngest first. That is a topological order: when a Value passes its
        # grad on, all that was made from it has had its turn, so the grad is complete.
        for node in sorted(nodes, key=attrgetter('_born'), reverse=True):
            grad = node.grad
            if node._local_grads is None:   # a dot product: see linear
                for a, b in zip(*node._children):
                    a.grad += b.data * grad
                    b.grad += a.data * grad
            else:
                for child, local_grad in zip(node._children, node._local_grads):
                    child.grad += local_grad * grad

    def history(self):
        """The set of itself and all that it was made from; leaves are left out."""
        nodes = set()
        groups = [(self,)]                  # tuples and lists of Values to be looked at
        vectors = set()                     # ids of those seen: dot products share them
        while groups:
            for node in groups.pop():
                if not node._children or node in nodes:
                    continue
                nodes.add(node)
                if node._local_grads is None:           # a dot product has two vectors
                    for vector in node._children:
                        if id(vector) not in vectors:
                            vectors.add(id(vector))
                            groups.append(vector)
                else:
                    groups.append(node._children)
        return nodes


# 3. Building blocks: a dot product is one Value, its two vectors each other's local gradients.

def linear(xs, w):
    """The dot products of vectors with the rows of w: (n, in) and (out, in) to (n, out).

    Each is one Value with two children: the two vectors themselves, each of which holds the local
    gradients of the other. Whoever changes such a list before backward() gets wrong gradients.
    """
    vectors = [(x, [v.data for v in x]) for x in xs]
    rows = [(row, [v.data for v in row]) for row in w]
    return [[Value(sum(map(mul, a, b)), (x, row), None) for row, b in rows]
            for x, a in vectors]

def relu_linear(x, w):
    """linear of relu(x), one vector: what relu makes 0 adds nothing, so it is left out."""
    alive = [n for n, v in enumerate(x) if v.data > 0]
    return linear([[x[n] for n in alive]], [[row[n] for n in alive] for row in w])[0]

def logsumexp(logits, scale=1.0, bias=None):
    """log(sum(exp(scale * z + bias))) as one Value; minus the largest, no exp overflows."""
    bias = bias or [0.0] * len(logits)
    powers = [scale * z.data + b for z, b in zip(logits, bias)]
    top = max(powers)
    exps = [math.exp(power - top) for power in powers]
    total = sum(exps)
    local_grads = tuple([scale * e / total for e in exps])
    return Value(top + math.log(total), tuple(logits), local_grads)

def softmax(logits, scale=1.0, bias=None):
    """Probabilities p = exp(scale * z + bias - logsumexp), each made from its z and logsumexp."""
    log_total = logsumexp(logits, scale, bias)
    probs = [local_grad / scale for local_grad in log_total._local_grads]
    return [Value(p, (z, log_total), (scale * p, -p)) for z, p in zip(logits, probs)]

def rmsnorm(x):
    """A vector scaled to a root mean square of 1, without gain (arXiv 1910.07467)."""
    square = linear([x], [x])[0][0]         # the dot product of x with itself
    scale = (square / len(x) + 1e-5) ** -0.5
    return [v * scale for v in x]

def add(xs, ys):
    """Sums of vectors; in the model residual connections: what was there, and more."""
    return [[a + b for a, b in zip(x, y)] for x, y in zip(xs, ys)]

def attention(queries, positions, keys, values):
    """For each query a mix of the values, weighted by how well their keys match it, per head.

    A head looks one way, and sees less the further away a key is (after ALiBi, arXiv 2108.12409):
    the neighbour is at distance 0, the next at 1, and so on, as in a circle; itself comes last.
    """
    width = n_embd // len(heads)
    mixed = []
    for start, look in zip(range(0, n_embd, width), heads):
        q, k, v = [[x[start:start + width] for x in xs] for xs in (queries, keys, values)]
        weights = []
        for here, scores in zip(positions, linear(q, k)):
            distances = [(look * (there - here) - 1) % block_size for there in range(len(keys))]
            bias = [-slope * distance for distance in distances]
            weights.append(softmax(scores, width ** -0.5, bias))
        channels = list(zip(*v))            # transposed: a row for each channel
        mixed.append(linear(weights, channels))
    return [list(itertools.chain(*parts)) for parts in zip(*mixed)]     # the heads side by side


# 4. Weights: small random numbers. At the end a matrix of its own makes the logits.

def make_weights(vocab_size, rng):
    """The state_dict: every weight matrix, as rows of Values, by its name."""
    def matrix(rows, columns=n_embd, std=0.15):
        return [[Value(rng.gauss(0, std)) for _ in range(columns)] for _ in range(rows)]

    # wpe begins smaller than wte: much of what it could tell, the heads know without it.
    state_dict = {'wte': matrix(vocab_size, std=0.2), 'wpe': matrix(block_size, std=0.05)}
    for layer in range(n_layer):
        for name in 'qkvo':
            state_dict[f'layer{layer}.attn_w{name}'] = matrix(n_embd)
        state_dict[f'layer{layer}.mlp_fc1'] = matrix(4 * n_embd)
        state_dict[f'layer{layer}.mlp_fc2'] = matrix(n_embd, 4 * n_embd)
    state_dict['lm_head'] = matrix(vocab_size)      # the output matrix
    return state_dict

def parameters(state_dict):
    """Every weight once, in a fixed order."""
    return [value for matrix in state_dict.values() for row in matrix for value in row]


# 5. The model: what may the next token be, given those to its left?

def gpt(state_dict, tokens, cache=None):
    """The logits over the vocabulary after each token; they go on from the cache, which grows."""
    cache = [([], []) for _ in range(n_layer)] if cache is None else cache
    start = len(cache[0][0])
    wte, wpe = state_dict['wte'], state_dict['wpe'][start:start + len(tokens)]
    xs = [rmsnorm(x) for x in add([wte[token] for token in tokens], wpe)]

    for layer in range(n_layer):
        wq, wk, wv, wo, fc1, fc2 = [state_dict[f'layer{layer}.{name}'] for name in (
            'attn_wq', 'attn_wk', 'attn_wv', 'attn_wo', 'mlp_fc1', 'mlp_fc2')]
        normed = [rmsnorm(x) for x in xs]

        # Causal: keys and values grow with the name, and every position sees those up to itself.
        keys, values = cache[layer]
        keys.extend(linear(normed, wk))
        values.extend(linear(normed, wv))
        mixed = [attention([query], [n], keys[:n + 1], values[:n + 1])[0]
                 for n, query in enumerate(linear(normed, wq), start)]
        xs = add(xs, linear(mixed, wo))

        hidden = linear([rmsnorm(x) for x in xs], fc1)
        xs = add(xs, [relu_linear(x, fc2) for x in hidden])

    return linear(xs, state_dict['lm_head'])        # not tied, and any token may be next


# 6. Adam: a step against the running mean of the gradient, in units of its usual size.

class Adam:
    """The optimizer of Kingma & Ba (arXiv 1412.6980) for a list of distinct Values."""

    def __init__(self, params):
        self.params = params
        self.steps = 0
        self.means = [0.0] * len(params)
        self.squares = [0.0] * len(params)

    def step(self, lr, beta1=0.85, beta2=0.99, eps=1e-8):
        """Update every data by its grad."""
        self.steps += 1
        lr = lr / (1 - beta1 ** self.steps)         # makes up for means that begin at 0
        unbias = 1 / (1 - beta2 ** self.steps)      # and likewise for the squares
        for i, p in enumerate(self.params):
            mean = beta1 * self.means[i] + (1 - beta1) * p.grad
            square = beta2 * self.squares[i] + (1 - beta2) * p.grad * p.grad
            self.means[i], self.squares[i] = mean, square
            p.data -= lr * mean / (math.sqrt(square * unbias) + eps)


# 7. One example's loss: each token is to be predicted from those before it.

def cross_entropies(state_dict, tokens):
    """-log p(token | the tokens before it) of the letters and the end, in nats."""
    logits = gpt(state_dict, tokens[:-1])
    return [logsumexp(z) - z[token] for z, token in zip(logits, tokens[1:])]

def example_loss(state_dict, tokens, rng):
    """-log p of the name in nats: by the chain rule of probability a sum, so it is exact."""
    return sum(cross_entropies(state_dict, tokens))


# 8. Training: Adam, at a learning rate that falls to 0. The caller gets each step's loss.

def loss_and_gradient(state_dict, tokens, seed):
    """One example's loss and its gradient: plain numbers, for any process to work out."""
    params = parameters(state_dict)
    for p in params:
        p.grad = 0.0                        # as backward adds to it
    loss = example_loss(state_dict, tokens, random.Random(seed))
    loss.backward()
    return loss.data, [p.grad for p in params]

def train(state_dict, examples, rng, steps=1400, lr=learning_rate, spread=map):
    """Train in place, step by step; yields each step's mean loss, in nats per name."""
    examples = itertools.cycle(rng.sample(examples, len(examples)))     # shuffled
    adam = Adam(parameters(state_dict))
    for step in range(steps):
        batch = list(itertools.islice(examples, batch_size))
        seeds = [rng.getrandbits(32) for _ in batch]

        # Names are independent: in place of the built-in map, part 11 has processes share them.
        same = itertools.repeat(state_dict)
        losses, gradients = zip(*spread(loss_and_gradient, same, batch, seeds))
        for p, grads in zip(adam.params, zip(*gradients)):      # one of each name, in order
            p.grad = sum(grads) / batch_size
        adam.step(lr * (1 - step / steps))
        yield sum(losses) / batch_size


# 9. Sampling: from left to right, a letter at a time, until the name ends.

def draw(logits, tokens, rng, temperature, min_p=0.2):
    """One of these tokens: the end at its own rate, else a letter at the temperature."""
    # A temperature below 1 makes the likely likelier, and the end too: names would be short.
    probs = dict(zip(tokens, [p.data for p in softmax([logits[token] for token in tokens])]))
    if END in probs and rng.random() < probs[END]:      # 1, if nothing else may stand
        return END

    # One letter that does not fit is enough to spoil a name, so the least likely are never drawn:
    # those with less than min_p times the probability of the likeliest (min-p, arXiv 2407.01082).
    letters = [token for token in tokens if token != END]
    least = min_p * max([probs[token] for token in letters])
    letters = [token for token in letters if probs[token] >= least]
    cooled = softmax([logits[token] for token in letters], 1 / temperature)
    return rng.choices(letters, [p.data for p in cooled])[0]

def generate(state_dict, tokens, rng, temperature=0.7):
    """Continue a name that begins with these letters; returns all of its letters."""
    tokens = list(tokens)
    cache = [([], []) for _ in range(n_layer)]
    new = [BOS] + tokens
    while len(tokens) < block_size - 1:
        logits = gpt(state_dict, new, cache)[-1]
        options = range(BOS if tokens else BOS + 1, len(logits))    # a letter at least
        token = draw(logits, options, rng, temperature)
        if token == BOS:
            break
        tokens.append(token)
        new = [token]
    return tokens


# 10. The yardstick: what names that training never saw cost, in nats. Less is better.

def example_nats(state_dict, tokens):
    """-log p of a name, exactly."""
    return sum([v.data for v in cross_entropies(state_dict, tokens)])

def held_out_nats(state_dict, examples, rng, draws=1, spread=map):
    """Nats for each example: exact, so neither rng nor draws make a difference."""
    return spread(example_nats, itertools.repeat(state_dict), examples)


# 11. Every processor: processes share the names of a step (data parallelism).

def switch_collector_off():
    """No Value is in a cycle, so spend no time to look for any. (PyPy cannot do without.)"""
    if sys.implementation.name == 'cpython':
        gc.disable()

def work(connection, vocab_size, constants):
    """A worker process: it is sent weights, a function and rows, and answers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)        # Ctrl-C is for the main process
    switch_collector_off()
    globals().update(constants)         # as they are in the main process
    state_dict = make_weights(vocab_size, random.Random(0))
    params = parameters(state_dict)
    with contextlib.suppress(EOFError, OSError):        # the main process has ended
        while True:
            numbers, function, rows = connection.recv()
            for p, number in zip(params, numbers):
                p.data = number
            connection.send([function(state_dict, *row) for row in rows])

def start_workers(count, vocab_size):
    """Connections to new worker processes, or none where they cannot be started."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)   # so they never hear a Ctrl-C
    try:
        if __name__ == '__main__' and not os.path.isfile(globals().get('__file__', '')):
            raise OSError('a worker loads the program from its file')      # there is none

        spawn = multiprocessing.get_context('spawn')        # works on all systems
        constants = {name: value for name, value in globals().items()
                     if type(value) in (int, float, list)}
        connections = []
        for _ in range(count):
            ours, theirs = spawn.Pipe()
            spawn.Process(target=work, args=(theirs, vocab_size, constants), daemon=True).start()
            theirs.close()
            connections.append(ours)
        return connections
    except Exception as error:              # whatever it is, one process can do it all
        print(f'no worker processes ({error}): going on with one')
        return []
    finally:
        signal.signal(signal.SIGINT, before)

def end_workers(connections):
    """Close and forget all connections: a worker ends when nobody can send it more."""
    while connections:
        connections.pop().close()

def share_out(connections, function, rows):
    """The results of function(*row) for each row: some by each worker, some by this process."""
    size = math.ceil(len(rows) / (1 + len(connections)))
    own, *others = [rows[n:n + size] for n in range(0, len(rows), size)]
    numbers = array('d', [p.data for p in parameters(rows[0][0])])      # of the state_dict
    try:
        for connection, share in zip(connections, others):
            connection.send((numbers, function, [row[1:] for row in share]))
        results = [function(*row) for row in own]
        for connection, _ in zip(connections, others):      # shares may be fewer
            results += connection.recv()
        return results
    except (EOFError, OSError):
        print('\na worker process has ended: going on with one')
        end_workers(connections)
        return [function(*row) for row in rows]

@contextlib.contextmanager
def processes(count, vocab_size):
    """Gives a map that count processes share; each row begins with the state_dict."""
    connections = start_workers(count - 1, vocab_size) if count > 1 else []

    def spread(function, *columns):
        rows = zip(*columns)
        while group := list(itertools.islice(rows, batch_size * count)):
            yield from share_out(connections, function, group)

    try:
        yield spread
    finally:
        end_workers(connections)


# 12. You may stop reading here. What follows is there to be kind: input, files, commands.

class InputError(Exception):
    """Something is wrong with what the user gave; the message says what to do."""

def normalized(text):
    """In lower case, no space around it, and a letter and its accent as one character."""
    return unicodedata.normalize('NFC', text.strip().lower())

def read_names(path):
    """The usable names of a UTF-8 file of one a line; the others are counted."""
    with open(path, encoding='utf-8-sig', errors='replace') as file:
        names = [normalized(line) for line in file if line.strip()]
    if '\ufffd' in ''.join(names):
        raise InputError(f'{path} is not UTF-8: save it as UTF-8 text')
    docs = [name for name in names if len(name) < block_size
            and name.isprintable() and not set(name) & set('_.')]
    if len(set(docs)) < 10:
        raise InputError(
            f'{path} has {len(set(docs))} usable names: give it ten or more, one a line, '
            f'each of 1 to {block_size - 1} characters without _ or .')
    if len(docs) < len(names):
        left_out = len(names) - len(docs)
        print(f'left out {left_out} of {len(names)} lines: over {block_size - 1} characters, '
              'not printable, or with _ or .')
    return docs

# Left to right: a prompt is the beginning of a name; nothing before it can change.
def read_prompt(text, vocab):
    """The tokens of a prompt, the beginning of a name."""
    start = normalized(text)
    if '_' in start or '.' in start:
        raise InputError(
            f'--prompt {text!a}: a left-to-right model cannot fill in what stands before a '
            f'known letter or end in one pass; give a beginning')
    if not set(start) <= set(vocab) or len(start) >= block_size:
        raise InputError(
            f'--prompt {text!a}: it takes up to {block_size - 1} letters of the training names')
    return [vocab.index(char) for char in start]

def check_writable(path):
    """See before the training whether a model can be saved there."""
    if os.path.exists(path):
        if not os.path.isfile(path):
            raise InputError(f'{path}: not a file')
        open(path, 'r+b').close()           # one that is read-only is to stay
    open(path + '.part', 'wb').close()
    os.remove(path + '.part')

def save(path, state_dict, vocab):
    """Write a model as JSON, whole or not at all: beside an old file, then in its place."""
    weights = {name: [[v.data for v in row] for row in matrix]
               for name, matrix in state_dict.items()}
    model = {'program': PROGRAM, 'heads': heads, 'slope': slope, 'vocab': vocab,
             'state_dict': weights}
    try:
        with open(path + '.part', 'w', encoding='utf-8') as file:
            json.dump(model, file)
        os.replace(path + '.part', path)
    finally:
        if os.path.exists(path + '.part'):
            os.remove(path + '.part')

def load(path):
    """The (state_dict, vocab) of a saved model."""
    with open(path, encoding='utf-8', errors='replace') as file:
        try:
            return restore(json.load(file))
        except Exception:                   # whatever is missing in it, or does not fit
            raise InputError(
                f'{path} is not a whole model of {PROGRAM}.py, with n_layer {n_layer}, '
                f'n_embd {n_embd}, heads {heads} and slope {slope}: make one with --save')

def restore(model):
    """The (state_dict, vocab) of what save wrote, if it fits into a model made afresh."""
    vocab, weights = model['vocab'], model['state_dict']
    state_dict = make_weights(len(vocab), random.Random(0))
    theirs = model['program'], model['heads'], model['slope'], vocab[:len(SPECIAL)], set(weights)
    if theirs != (PROGRAM, heads, slope, SPECIAL, set(state_dict)):
        raise ValueError('another kind of model')
    if len(set(vocab)) < len(vocab) or vocab == SPECIAL or not vocab.isprintable():
        raise ValueError('no vocabulary')
    for name, matrix in state_dict.items():
        if [len(row) for row in weights[name]] != [len(row) for row in matrix]:
            raise ValueError('another size')
        numbers = itertools.chain(*weights[name])
        for value, number in zip(itertools.chain(*matrix), numbers):
            if not abs(number) < 1e9:
                raise ValueError('no weight')
            value.data = float(number)
    return state_dict, vocab

@contextlib.contextmanager
def first_ctrl_c():
    """Gives a list, empty until Ctrl-C is pressed; pressed again, it ends the program."""
    pressed = []

    def press(*_):
        pressed.append(True)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, press)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)

def until(pressed, values):
    """Pass values on, until Ctrl-C is pressed."""
    for value in values:
        yield value
        if pressed:
            return

def progress(values, total, label, remark=None):
    """Pass values on; now and then print how many, the mean of the last, the time left."""
    terminal = sys.stdout.isatty()
    start = shown = time.monotonic()
    last = collections.deque(maxlen=100)

    for n, value in enumerate(values, 1):
        if not abs(value) < 1e9:            # or it is no number
            raise InputError(f'{value} nats: lower learning_rate in {PROGRAM}.py')
        last.append(value)
        now = time.monotonic()
        if n == total or (n == 1 and remark) or now > shown + (3 if terminal else 10):
            shown = now
            minutes, seconds = divmod(round((now - start) / n * (total - n)), 60)
            line = f'{label} {n}/{total} {sum(last) / len(last):.2f} nats '
            line += f'{minutes}:{seconds:02d} left' + (' ' + remark() if remark else '')
            if terminal:                    # written over, and no wider than the window
                line = '\r' + line.ljust(60)[:shutil.get_terminal_size().columns - 1]
            print(line, end='' if terminal else '\n', flush=True)
        yield value
    if terminal and total:
        print()

def learn(docs, vocab, args, spread, pressed):
    """Train a model as long as Ctrl-C allows, and save it; returns its state_dict."""
    rng = random.Random(args.seed)
    state_dict = make_weights(len(vocab), rng)
    examples = [encode(doc, vocab) for doc in docs]
    seeds = itertools.count()               # not from rng: how often depends on the clock
    print(f'{len(docs)} names to learn from; {len(vocab)} tokens; '
          f'{len(parameters(state_dict))} parameters')
    show_task(docs[args.seed % len(docs)], vocab)

    def name_now():
        try:
            return write(state_dict, vocab, read_prompt('', vocab), args, next(seeds))[0]
        except (ValueError, OverflowError):
            raise InputError(f'weights outgrow all numbers: lower learning_rate in {PROGRAM}.py')

    start = time.perf_counter()
    losses = until(pressed, train(state_dict, examples, rng, args.steps, spread=spread))
    done = len(list(progress(losses, args.steps, 'train', name_now)))
    seconds = time.perf_counter() - start
    if pressed:
        print('Ctrl-C: no more training, on with what was learnt (once more ends it all)')
        pressed.clear()                     # held-out names are measured all the same
    print(f'trained {done} steps of {batch_size} names in {seconds:.1f} s '
          f'({1000 * seconds / max(1, done * batch_size):.1f} ms per name)', flush=True)
    if args.save:
        save(args.save, state_dict, vocab)
    return state_dict

def evaluate(state_dict, held_out, vocab, spread, pressed):
    """Measure a model on names that it has never seen; no seed changes which."""
    count = min(1024, len(held_out))
    draws = block_size if count < 4 * block_size else 1     # few names: more draws of each
    if draws == 1:
        count -= count % block_size         # in microdiffusion.py all k come as often
    docs = random.Random(0).sample(held_out, count)
    examples = [encode(doc, vocab) for doc in docs]
    values = held_out_nats(state_dict, examples, random.Random(0), draws, spread)
    values = list(progress(until(pressed, values), count, 'held-out'))
    if len(values) < count:
        print('Ctrl-C: no more measuring, on to the names')
        return
    mean = statistics.mean(values)
    error = statistics.stdev(values) / math.sqrt(count) if count > 1 else math.inf
    characters = sum([len(doc) + 1 for doc in docs]) / count        # + 1 for the end
    print(f'held-out: {mean:.1f} nats per name, standard error {error:.1f} '
          f'({mean / characters:.2f} per character)')

# Left to right: nothing to show but the name.
def show_task(doc, vocab):
    """Print a name as the model sees it."""
    print(f'a name, from its beginning to its end: {decode(encode(doc, vocab), vocab)}')

def write(state_dict, vocab, prompt, args, seed):
    """A name, and nothing more to show."""
    tokens = generate(state_dict, prompt, random.Random(seed), args.temperature)
    return decode(tokens, vocab), ''

def at_least(least, most=10 ** 9, kind=int):
    """The type of an option: a number of this kind, from least to most."""
    def number(text):
        value = kind(text)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f'{text} is not between {least} and {most}')
        return value
    return number

def make_parser():
    """The options of the command line."""
    parser = argparse.ArgumentParser(PROGRAM + '.py', description=__doc__.splitlines()[0])
    option = parser.add_argument
    here = os.path.dirname(globals().get('__file__', ''))

    option('--names', metavar='FILE', default=os.path.join(here, 'names.txt'),
           help='what to learn from, one name a line (default: names.txt beside the program)')
    option('--steps', type=at_least(0), default=1400, help='of training (%(default)s)')
    option('--samples', type=at_least(0), default=20, help='names to write (%(default)s)')
    option('--seed', type=at_least(0), default=42, help='of training and writing (%(default)s)')
    option('--processes', type=at_least(1), default=os.cpu_count() or 1,
           help='that share the work, with equal results (one per processor: %(default)s)')
    option('--save', metavar='FILE', help='where to keep the trained model')
    option('--load', metavar='FILE', help='a kept model, to write names without training')
    # Left to right: one temperature for all letters.
    option('--prompt', default='', help='what is known: mar begins a name')
    option('--temperature', type=at_least(0.01, kind=float), default=0.7,
           help='of the letters. Low: usual names (%(default)s)')
    return parser

def run(args):
    """Learn or load a model, and write names."""
    if args.load and args.save:
        raise InputError('--load trains nothing that --save could keep')
    if args.load:
        state_dict, vocab = load(args.load)
    else:
        docs = read_names(args.names)
        vocab = make_vocab(docs)            # of all names, so that all can be measured
    prompt = read_prompt(args.prompt, vocab)
    if args.save:
        check_writable(args.save)

    count = min(args.processes, batch_size, args.samples if args.load else batch_size)
    with processes(count, len(vocab)) as spread:
        if not args.load:
            with first_ctrl_c() as pressed:
                docs, held_out = split(docs)
                state_dict = learn(docs, vocab, args, spread, pressed)
                evaluate(state_dict, held_out, vocab, spread, pressed)

        rng = random.Random(args.seed)
        seeds = (rng.getrandbits(32) for _ in range(args.samples))
        same = [itertools.repeat(value) for value in (state_dict, vocab, prompt, args)]
        for n, (name, lines) in enumerate(spread(write, *same, seeds), 1):
            print((lines if n == 1 else '') + f'sample {n:2d}: {name}')
        sys.stdout.flush()                  # a full disk or closed pipe shows here

def main(argv=None):
    """Run the command line; returns the exit status."""
    if getattr(multiprocessing.current_process(), '_inheriting', False):
        return 0                            # a worker imports a script that calls main
    parser = make_parser()
    args = parser.parse_args(argv)
    for name, value in vars(args).items():
        if value == [] or (value == '' and name != 'prompt'):   # before 3.13, -- is []
            parser.error(f'--{name}: a value is missing')
    if sys.stdout is None:                  # closed, or Windows without a console
        sys.stdout = open(os.devnull, 'w')
    if hasattr(sys.stdout, 'reconfigure'):
        sys.stdout.reconfigure(errors='replace')        # for consoles without accents

    try:
        run(args)
    except InputError as error:
        parser.error(error)
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        if error.filename is None and error.errno in (errno.EPIPE, errno.EINVAL):
            # The reader has seen enough, like head (on Windows EINVAL); so the last flush works.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1 if args.save else 0    # the model may not have been saved
        path = error.filename or args.save or 'the output'
        parser.error(f'{path}: {error.strerror}; give another path')
    return 0


if __name__ == '__main__':
    switch_collector_off()
    sys.exit(main())

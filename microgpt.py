"""A GPT in plain Python: names are written from left to right, letter by letter.

Read it beside microdiffusion.py, which has the same parts in the same order. Most of what differs
follows from the idea. The number of layers, the output matrix and the temperature are choices.
"""
import itertools
import math
import random
import zlib
from operator import attrgetter, mul

# What a GPT needs: one token that shows where a name begins and where it ends.
PROGRAM = 'microgpt'
SPECIAL = '.'               # how BOS is shown; it opens the vocabulary
BOS = 0
END = BOS                   # what stands after the last letter
LEFT, RIGHT = -1, 1
heads = [LEFT, LEFT, LEFT, LEFT]        # where each attention head looks: back
n_layer = 1                 # one layer is enough to look at the letters before

# What both programs have in common.
n_embd = 16                 # numbers (channels) at each position; the heads share them
slope = 2.0                 # how much a score falls with each position further away
block_size = 14             # positions: the longest names have 13 letters, and one token ends them
batch_size = 8              # a step follows the mean gradient of so many names
num_steps = 2000            # training steps, if nothing else is asked for
learning_rate = 0.014
HUGE = 1e9                  # a weight grows so large only if the training has failed


# 1. Data: some names are held out. A token is the place of a character in the vocabulary.

class InputError(Exception):
    """What the user gave cannot be used; the message says what can."""

def split(docs):
    """Names to train on, and about a tenth that are held out: training never sees them.

    The checksum of a name decides. So the same name is held out of every list that has it.
    """
    docs = sorted(set(docs))
    held_out = [doc for doc in docs if zlib.crc32(doc.encode('utf-8')) % 10 == 0]
    return sorted(set(docs) - set(held_out)), held_out

def make_vocab(docs):
    """All characters as one string: the special tokens, then the letters."""
    return SPECIAL + ''.join(sorted(set(''.join(docs))))

def decode(tokens, vocab):
    """The text of these tokens, special ones included."""
    return ''.join([vocab[token] for token in tokens])

def encode(doc, vocab):
    """The tokens of a name: BOS, its letters, and BOS again as the end."""
    if len(doc) >= block_size or not set(doc) <= set(vocab):
        raise InputError(f'{doc!r}: a name has up to {block_size - 1} letters, all of them from '
                         f'{vocab[len(SPECIAL):]!r}')
    return [BOS] + [vocab.index(char) for char in doc] + [BOS]


# 2. Autograd: a Value remembers what it was made from, so gradients can find their way back.

births = itertools.count()

class Value:
    """A number that remembers its computation: its data and, after a backward(), its grad."""
    __slots__ = ('data', 'grad', '_children', '_local_grads', '_born')

    def __init__(self, data, children=(), local_grads=()):
        self.data = data
        self.grad = 0.0                     # d(the Value that called backward()) / d(this one)
        self._children = children           # what it was made from: Values, or two lists of them
        self._local_grads = local_grads     # d(this one) / d(each child); None if two lists
        self._born = next(births)           # every Value is younger than its children

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, k):
        if isinstance(k, Value):
            raise TypeError('the exponent of a Value has to be a plain number')
        if self.data == 0 and 0 <= k < 1:   # at 0 the slope is 0 (k = 0) or infinite (else)
            return Value(0.0 ** k, (self,), (math.inf if k else 0.0,))
        return Value(math.pow(self.data, k), (self,), (k * math.pow(self.data, k - 1),))

    def __neg__(self): return self * -1.0
    def __sub__(self, other): return self + -other
    def __rsub__(self, other): return -self + other
    def __truediv__(self, other): return self * other ** -1
    def __rtruediv__(self, other): return self ** -1 * other
    def __repr__(self): return f'Value({self.data}, grad={self.grad})'
    __radd__, __rmul__ = __add__, __mul__

    # The model does not need these three: part 3 does the same with fewer Values.
    def exp(self): return Value(math.exp(self.data), (self,), (math.exp(self.data),))
    def log(self): return Value(math.log(self.data), (self,), (1 / self.data,))
    def relu(self): return Value(max(self.data, 0.0), (self,), (float(self.data > 0),))

    def backward(self):
        """Work out d(self)/d(each Value it was made from), as their grads.

        A leaf is a Value that was made from nothing, such as a weight. The grads of leaves add up
        from call to call, as in PyTorch. All other grads start from 0 each time.
        """
        nodes = self.history()
        for node in nodes:
            node.grad = 0.0
        self.grad += 1.0

        # This is the chain rule, from the youngest Value to the oldest. All that was made from a
        # Value is younger and has passed its grad on before. So the grad of the Value is complete.
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
        """The set of all Values that this one was made from, with itself but without leaves."""
        nodes, seen = set(), set()
        todo = [[self]]                     # lists of Values that are still to be looked at
        while todo:
            for node in todo.pop():
                if not node._children or node in nodes:
                    continue
                nodes.add(node)
                if node._local_grads is not None:
                    todo.append(node._children)
                    continue

                # Many dot products share a list, such as a row of weights. We look at each list
                # only once. To look at it each time would make a step about a sixth longer.
                for values in node._children:
                    if id(values) not in seen:
                        seen.add(id(values))
                        todo.append(values)
        return nodes


# 3. Building blocks: what the layers of a transformer are made of.

def check_lengths(vectors):
    """Raise an error if these vectors differ in length, as zip would drop what is too much."""
    if len(set(map(len, vectors))) > 1:
        raise ValueError(f'lengths that differ: {sorted(set(map(len, vectors)))}')

def linear(xs, w):
    """The dot products of vectors with the rows of w: (n, in) and (out, in) to (n, out).

    A dot product is one Value that holds its two vectors. Each is the other's local gradient: the
    derivative of a1*b1 + a2*b2 + ... by a1 is b1. If all these numbers were ordinary children, a
    step would take more than half as long again. If each + and each * were a Value, it would take
    ten times as long or more. Do not change a vector between linear and backward.
    """
    vectors = [(x, [v.data for v in x]) for x in xs]
    rows = [(row, [v.data for v in row]) for row in w]
    check_lengths([vector for vector, _ in vectors + rows])
    return [[Value(sum(map(mul, a, b)), (x, row), None) for row, b in rows]
            for x, a in vectors]

def relu_linear(x, w):
    """linear(relu(x)) of one vector: relu replaces what is negative by 0.

    A 0 adds nothing to a dot product and gets no gradient, so it is left out. This saves a tenth
    of the time or more.
    """
    check_lengths([x] + w)
    alive = [n for n, v in enumerate(x) if not v.data <= 0]     # NaN stays
    return linear([[x[n] for n in alive]], [[row[n] for n in alive] for row in w])[0]

def plain_softmax(powers):
    """Each exp(power) divided by their sum, and the log of the sum, for plain numbers."""
    top = max(powers)                       # with it subtracted, no exp can overflow
    exps = [math.exp(power - top) for power in powers]
    total = sum(exps)
    return [e / total for e in exps], top + math.log(total)

def logsumexp(logits):
    """log(sum(exp(z))) as one Value. Its local gradients are the probabilities of softmax."""
    logits = tuple(logits)
    probs, log_total = plain_softmax([z.data for z in logits])
    return Value(log_total, logits, tuple(probs))

def softmax(logits, scale=1.0, bias=None):
    """Probabilities exp(scale * z + bias - log_total): the higher a logit, the more likely."""
    bias = bias or [0.0] * len(logits)
    check_lengths([logits, bias])
    probs, log_total = plain_softmax([scale * z.data + b for z, b in zip(logits, bias)])
    log_total = Value(log_total, tuple(logits), tuple([scale * p for p in probs]))
    return [Value(p, (z, log_total), (scale * p, -p)) for z, p in zip(logits, probs)]

def rmsnorm(x):
    """A vector scaled to a root mean square of 1, without gain (arXiv 1910.07467)."""
    square = linear([x], [x])[0][0]         # the dot product of x with itself
    scale = (square / len(x) + 1e-5) ** -0.5
    return [v * scale for v in x]

def add(xs, ys):
    """The sums of vectors. A layer adds to what was there: this is a residual connection."""
    check_lengths([xs, ys])
    check_lengths([*xs, *ys])
    return [[a + b for a, b in zip(x, y)] for x, y in zip(xs, ys)]

def attention(queries, keys, values):
    """For each query a mix of the values, weighted by how well their keys match it, per head.

    The queries belong to the last positions, or to all. Every head looks one way, and what is
    further away counts less (after ALiBi, arXiv 2108.12409). The neighbour is at distance 0. Then
    the head counts on, around the end of all block_size positions as in a circle: for the first
    position, a head that looks left finds the very last one at distance 0. The position itself
    comes last, because the residual connection keeps what stands there.
    """
    width = n_embd // len(heads)
    mixed = []
    for start, look in zip(range(0, n_embd, width), heads):
        q, k, v = [[x[start:start + width] for x in xs] for xs in (queries, keys, values)]
        weights = []
        for here, scores in enumerate(linear(q, k), len(keys) - len(queries)):
            distances = [(look * (there - here) - 1) % block_size for there in range(len(keys))]
            bias = [-slope * distance for distance in distances]
            weights.append(softmax(scores, width ** -0.5, bias))
        channels = list(zip(*v))            # transposed: a row for each channel
        mixed.append(linear(weights, channels))
    return [list(itertools.chain(*parts)) for parts in zip(*mixed)]     # the heads side by side


# 4. Weights: small random numbers. The output matrix is one of its own.

def make_weights(vocab_size, rng):
    """The state_dict: every weight matrix, as rows of Values, by its name."""
    check_constants()

    def matrix(rows, columns=n_embd, std=0.15):
        return [[Value(rng.gauss(0, std)) for _ in range(columns)] for _ in range(rows)]

    # wpe begins smaller than wte, because the heads know most distances without it.
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


# 5. The model: which letter may come next, given those to its left?

def rule_out(logits, start):
    """Give minus infinity to what cannot follow at a position: its probability is 0."""
    for n, z in enumerate(logits, start):
        if n == 0:
            z[BOS] = Value(-math.inf)       # a name has a letter
        if n == block_size - 1:
            z[BOS + 1:] = [Value(-math.inf)] * (len(z) - BOS - 1)  # the last place ends it

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
        queries = linear(normed, wq)

        # Causal: keys and values grow with the name, and every position sees those up to itself.
        keys, values = cache[layer]
        keys += linear(normed, wk)
        values += linear(normed, wv)
        mixed = [attention([query], keys[:n], values[:n])[0]
                 for n, query in enumerate(queries, start + 1)]
        xs = add(xs, linear(mixed, wo))

        hidden = linear([rmsnorm(x) for x in xs], fc1)
        xs = add(xs, [relu_linear(x, fc2) for x in hidden])

    logits = linear(xs, state_dict['lm_head'])
    rule_out(logits, start)
    return logits


# 6. Adam: a step against the running mean of the gradient, divided by its usual size.

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


# 7. One example's loss: each token is predicted from those before it.

def cross_entropies(state_dict, tokens):
    """-log p(token | the tokens before it) of the letters and the end, in nats."""
    logits = gpt(state_dict, tokens[:-1])
    return [logsumexp(z) - z[token] for z, token in zip(logits, tokens[1:])]

def example_loss(state_dict, tokens, rng):
    """-log p(name): by the chain rule of probability it is the sum, exactly. Nothing is drawn."""
    return sum(cross_entropies(state_dict, tokens), Value(0.0))


# 8. Training: Adam, with a learning rate that falls to 0. The caller gets the loss of each step.

def loss_and_gradient(state_dict, tokens, seed):
    """One example's loss and its gradient, as plain numbers; any process can work them out."""
    params = parameters(state_dict)
    for p in params:
        p.grad = 0.0                        # as backward adds to it
    loss = example_loss(state_dict, tokens, random.Random(seed))
    loss.backward()
    return loss.data, [p.grad for p in params]

def train(state_dict, examples, rng, steps, mapper=map, trained=0):
    """Train in place, step by step; yields each step's mean loss, in nats per name.

    mapper works like the built-in map. That of part 11 lets several processes do the work. If
    earlier runs have trained the model, it goes on with the names and the noise that come next.
    """
    shuffled = itertools.cycle(rng.sample(examples, len(examples)))
    rows = ((tokens, rng.getrandbits(32)) for tokens in shuffled)   # each has noise of its own
    rows = itertools.islice(rows, trained * batch_size, None)
    adam = Adam(parameters(state_dict))
    for step in range(steps):
        batch, seeds = zip(*itertools.islice(rows, batch_size))
        results = mapper(loss_and_gradient, [state_dict] * batch_size, batch, seeds)

        losses, gradients = zip(*results)
        for p, grads in zip(adam.params, zip(*gradients)):
            p.grad = sum(grads) / batch_size
        adam.step(learning_rate * (1 - step / steps))
        loss = sum(losses) / batch_size
        if not (loss < 1e5 and all([abs(p.data) < HUGE for p in adam.params])):
            raise InputError(f'the training has failed (its loss is {loss:.4g} nats): lower '
                             f'learning_rate in {PROGRAM}.py')
        yield loss


# 9. Sampling: from left to right, one letter at a time, until the name ends.

def draw(logits, rng, temperature, min_p=0.2):
    """Draw a token. The temperature changes the letters, but not how often a name ends.

    A low temperature favours likely letters. At 0 it is always the likeliest token.
    """
    probs = [p.data for p in softmax(logits)]
    if temperature == 0:
        return probs.index(max(probs))

    # Whether the name ends is drawn first, at temperature 1. A low temperature would favour the
    # end wherever it is likely, and the names would become shorter.
    if rng.random() < probs[END]:
        return END

    # One letter that does not fit is enough to spoil a name. So the unlikely ones are never drawn:
    # those that are less than min_p times as likely as the likeliest (min-p, arXiv 2407.01082).
    letters = range(END + 1, len(probs))
    likeliest = max(probs[END + 1:])
    relative = [probs[token] / likeliest for token in letters]
    weights = [r ** (1 / temperature) if r >= min_p else 0.0 for r in relative]
    return rng.choices(letters, weights)[0]

def generate(state_dict, tokens, rng, temperature=0.7):
    """Continue a name that begins with these letters; returns all of its letters."""
    tokens = list(tokens)
    cache = [([], []) for _ in range(n_layer)]
    new = [BOS] + tokens
    while True:
        logits = gpt(state_dict, new, cache)
        token = draw(logits[-1], rng, temperature)
        if token == END:
            return tokens
        tokens.append(token)
        new = [token]


# 10. The yardstick: the cost in nats of a name that training never saw. Less is better.

def example_nats(state_dict, tokens, seed):
    """-log p of a name. It is exact, so no seed is needed."""
    return sum([v.data for v in cross_entropies(state_dict, tokens)])

def held_out_nats(state_dict, examples, rng, mapper=map):
    """The nats of each example. What is drawn depends on rng alone, and not on the model."""
    seeds = [rng.getrandbits(32) for _ in examples]
    return mapper(example_nats, [state_dict] * len(examples), examples, seeds)


# 11. Every processor at work: processes share the names of a step (data parallelism).

import contextlib, gc, multiprocessing, os, signal, sys, threading

workers = {}                # the worker processes, by the pipe to each; empty if one does it all

def no_collector():
    """No Value is in a cycle, so Python need not look for cycles. (PyPy needs its collector.)"""
    if sys.implementation.name == 'cpython':
        gc.disable()

def end_with_parent():
    """Wait until the main process is gone, even if it was killed, and end the worker too."""
    multiprocessing.parent_process().join()
    os._exit(1)

def worker(pipe, vocab_size):
    """What a worker process does: it takes weights and rows of arguments, and sends the results."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)        # Ctrl-C is for the main process
    threading.Thread(target=end_with_parent, daemon=True).start()
    no_collector()
    model = make_weights(vocab_size, random.Random(0))
    with contextlib.suppress(EOFError, OSError):        # until the main process is gone
        pipe.send('ready')
        while True:
            function, numbers, rows = pipe.recv()
            for p, number in zip(parameters(model), numbers):
                p.data = number
            pipe.send([function(model, *row) for row in rows])

def receive(pipe):
    """What a worker sends. Once a second the waiting lets Ctrl-C in, and sees if a worker died."""
    while not pipe.poll(1):
        if not workers[pipe].is_alive():
            raise EOFError
    return pipe.recv()

def start_workers(count, vocab_size):
    """Start worker processes and wait for them, or have none if the system allows none."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)       # workers begin with this
    try:
        spawn = multiprocessing.get_context('spawn')            # works on all systems
        for _ in range(count):
            pipe, far_end = spawn.Pipe()
            process = spawn.Process(target=worker, args=(far_end, vocab_size), daemon=True)
            process.start()
            workers[pipe] = process
            far_end.close()                 # so the pipe breaks when the worker is killed
        signal.signal(signal.SIGINT, before)
        for pipe in workers:
            receive(pipe)                   # that it is ready
    except Exception:                       # systems differ in how they fail
        stop_workers()
    finally:
        signal.signal(signal.SIGINT, before)

def stop_workers():
    """End the workers, whatever they are busy with. From then on this process works alone."""
    processes = list(workers.values())
    workers.clear()
    for process in processes:
        process.kill()

def spread(function, state_dicts, *columns):
    """A map that the workers share; how many they are does not change any bit.

    Each result depends on its own row and on the weights alone, and results keep their order.
    """
    rows, state_dict = list(zip(*columns)), next(iter(state_dicts))     # one model for all rows
    numbers = [p.data for p in parameters(state_dict)]
    for start in range(0, len(rows), batch_size):           # in batches, so results come soon
        batch = rows[start:start + batch_size]
        count = len(workers)
        results = [None] * len(batch) if workers else []
        try:
            for n, pipe in enumerate(workers):              # of 3 workers, each gets every 3rd row
                pipe.send((function, numbers, batch[n::count]))
            for n, pipe in enumerate(workers):
                results[n::count] = receive(pipe)
        except BaseException as error:      # half a result may be left in a pipe
            stop_workers()
            if not isinstance(error, (EOFError, OSError)):      # such as Ctrl-C
                raise
            results = []                    # a worker was killed: the batch is done again, here
        yield from results or (function(state_dict, *row) for row in batch)


# 12. You may stop reading here. What follows is files and the command line.

import argparse, collections, errno, json, statistics, time, unicodedata

FILE = os.path.realpath(globals().get('__file__', 'a cell'))    # what is pasted has no file

def normalized(text):
    """In lower case, no space before it, and a letter and its accent as one character."""
    text = text.lstrip().lower().replace('i\u0307', 'i')        # lower makes two of a Turkish I
    return unicodedata.normalize('NFC', text)

def read_names(path, vocab=None):
    """The names of a file, each once; if a vocabulary is given, only those in its letters."""
    with open(path, encoding='utf-8-sig', errors='replace') as file:
        names = [normalized(line.rstrip()) for line in file if line.strip()]
    docs = [name for name in dict.fromkeys(names) if len(name) < block_size
            and name.translate({0x200c: '', 0x200d: ''}).isprintable()      # joiners (Persian)
            and not set(name) & set('_.\ufffd') and (not vocab or set(name) <= set(vocab))]

    rule = f'a name counts once; it has up to {block_size - 1} printable characters, no _ and no .'
    rule += ', all of them known to the model' if vocab else ''
    if len(docs) < 10:
        raise InputError(f'{path} has {len(docs)} names: give ten or more, one a line, as '
                         f'UTF-8 text; {rule}')
    if len(docs) < len(names):
        print(f'{len(names) - len(docs)} of {len(names)} lines were left out: {rule}')
    return docs

def read_prompt(text, vocab):
    """The tokens of a prompt, the beginning of a name."""
    start = normalized(text if ' ' in vocab else text.rstrip())
    if set(start) & set('_.'):
        raise InputError(f'{text!r}: a left-to-right model writes each letter before it knows what '
                         'follows, so it cannot fill in a blank: give the beginning of a name')
    return encode(start, vocab)[1:-1]

def check_constants():
    """Raise an InputError if the model cannot work with one of its constants."""
    for name, right, needed in (
            ('n_layer', n_layer >= 1, '1 or more'),
            ('block_size', block_size >= 2, '2 or more'),
            ('batch_size', batch_size >= 1, '1 or more'),
            ('heads', heads and set(heads) <= {LEFT, RIGHT}, 'a list of LEFT and RIGHT'),
            ('n_embd', n_embd > 0 and n_embd % (len(heads) or 1) == 0, 'a multiple of len(heads)')):
        if not right:
            raise InputError(f'{name} = {globals()[name]}, but it has to be {needed}')

def constants():
    """What a saved model and the program have to agree on."""
    return {'program': PROGRAM, 'n_layer': n_layer, 'n_embd': n_embd, 'block_size': block_size,
            'heads': list(heads), 'slope': slope}

def check_target(path):
    """Raise an error, before the training, if a model cannot be saved here; it makes the file."""
    with open(path, 'a+b') as file:
        file.seek(0)
        start = file.read(40).replace(b' ', b'')
    ours = f'{{"program":"{PROGRAM}"'.encode()
    if not os.path.isfile(path) or (start and not start.startswith(ours)):
        raise InputError(f'{path!r} is no model of {PROGRAM}.py: it is not replaced')
    os.replace(path, path)                  # Windows refuses if another program holds it open

def save(path, state_dict, vocab, trained=0):
    """Write a model and how many steps it was trained, as JSON; returns the exit status."""
    weights = {name: [[v.data for v in row] for row in matrix]
               for name, matrix in state_dict.items()}
    path = os.path.realpath(path)           # what a link points to
    part = f'{path}.{os.urandom(4).hex()}.part'         # a name that nobody else uses
    try:
        with open(part, 'x', encoding='utf-8') as file:
            json.dump({**constants(), 'steps': trained, 'vocab': vocab, 'state_dict': weights},
                      file)
        os.replace(part, path)              # only now, so the old file stays if the disk is full
    except OSError as error:                # the names can still be written
        print(f'{PROGRAM}.py: error: {error}; what was written is in {part}', file=sys.stderr)
        return 2
    return 0

def load(path):
    """The (state_dict, vocab, training steps so far) of a saved model that fits this program."""
    try:
        with open(path, encoding='utf-8') as file:
            model = json.load(file)
        for name, value in constants().items():
            if model[name] != value:
                raise InputError(f'{path}: its {name} is {model[name]!r}, but here it is {value!r}')

        vocab = model['vocab']
        if vocab != make_vocab(set(vocab) - set(SPECIAL)):
            raise ValueError(f'its vocab is {vocab!r}')
        state_dict = make_weights(len(vocab), random.Random(0))
        for name, matrix in state_dict.items():
            numbers = model['state_dict'][name]
            if list(map(len, numbers)) != list(map(len, matrix)):
                raise ValueError(f'{name} has another size')
            for value, number in zip(itertools.chain(*matrix), itertools.chain(*numbers)):
                value.data = float(number)
                if not abs(value.data) < HUGE:
                    raise ValueError(f'a weight of {name} is {number}')
        trained = max(0, int(model.get('steps', 0)))        # older models do not say
    except (OSError, InputError):
        raise
    except Exception as error:              # whatever is missing in it, or does not fit
        raise InputError(f'{path} is not a whole model ({type(error).__name__}: {error})')
    return state_dict, vocab, trained

def progress(values, total, label, sample=None):
    """Pass values on; every five seconds print how many, their mean, the time left, a sample."""
    start = shown = time.monotonic()
    last = collections.deque(maxlen=100)
    for n, value in enumerate(values, 1):
        last.append(value)
        now = time.monotonic()
        if n == total or (n == 1 and sample) or now > shown + 5:
            shown = now
            minutes, seconds = divmod(round((now - start) / n * (total - n)), 60)
            print(f'{label} {n}/{total} {sum(last) / len(last):.2f} nats '
                  f'{minutes}:{seconds:02d} left {sample() if sample else ""}'.rstrip(), flush=True)
        yield value

def learn(state_dict, docs, vocab, args, trained):
    """Train as long as Ctrl-C allows; returns the number of steps done."""
    letters = vocab[len(SPECIAL):]
    before = f', trained for {trained} steps before' if trained else ''
    print(f'{len(docs)} names to learn from; {len(letters)} letters: {letters}; '
          f'{len(parameters(state_dict))} parameters{before}')
    show_task(docs[args.seed % len(docs)], vocab)
    prompt, seeds = read_prompt('', vocab), itertools.count()

    def sample():
        """A name that the model writes now."""
        return write(state_dict, vocab, prompt, args, next(seeds))[0]

    losses = train(state_dict, [encode(doc, vocab) for doc in docs], random.Random(args.seed),
                   args.steps, spread, trained)
    done, start = 0, time.monotonic()
    try:
        for _ in progress(losses, args.steps, 'train', sample):
            done += 1
    except KeyboardInterrupt:
        print('\nCtrl-C: the training ends here. (Press it again to end the program.)')
    seconds = time.monotonic() - start
    print(f'trained {done} steps of {batch_size} names in {seconds:.1f} s '
          f'({1000 * seconds / max(1, done * batch_size):.1f} ms per name)', flush=True)
    return done

def evaluate(state_dict, held_out, vocab, mapper):
    """Measure a model on the held-out names, the same ones for every seed."""
    docs = random.Random(0).sample(held_out, min(1024, len(held_out)))
    if not docs:
        print('held-out: no name of this list is held out, so there is nothing to measure')
        return
    examples = [encode(doc, vocab) for doc in docs]
    values = held_out_nats(state_dict, examples, random.Random(0), mapper)
    values = list(progress(values, len(docs), 'held-out'))
    mean, error = statistics.mean(values), 'unknown: it is only one name'
    if len(docs) > 1:
        error = f'{statistics.stdev(values) / math.sqrt(len(docs)):.1f}'
    characters = sum([len(doc) + 1 for doc in docs]) / len(docs)        # + 1 for the end
    print(f'held-out: {mean:.1f} nats per name, standard error {error} '
          f'({mean / characters:.2f} per character)')

def show_task(doc, vocab):
    """Print a name as the model sees it."""
    print(f'a name, from its beginning to its end: {decode(encode(doc, vocab), vocab)}')

def write(state_dict, vocab, prompt, args, seed):
    """A name, and nothing more to show."""
    tokens = generate(state_dict, prompt, random.Random(seed), args.temperature)
    return decode(tokens, vocab), []

def show(written, args):
    """Print the names; returns them."""
    names = []
    for n, (name, _) in enumerate(written, 1):
        print(f'sample {n:2d}: {name}')
        names.append(name)
    return names

def at_least(least, kind=int, most=math.inf):
    """The type of an option: a number of this kind, not below least and not above most."""
    def number(text):
        if not least <= kind(text) <= most:
            limits = f'from {least} up' if most == math.inf else f'from {least} to {most}'
            raise argparse.ArgumentTypeError(f'{text} is not a number {limits}')
        return kind(text)
    return number

def make_parser():
    """The options of the command line."""
    parser = argparse.ArgumentParser(PROGRAM + '.py', description=__doc__)
    option = parser.add_argument
    option('--names', metavar='FILE', help='to learn from, one name a line (names.txt)')
    option('--steps', type=at_least(0), help=f'of training ({num_steps}; 0 with --load)')
    option('--samples', type=at_least(0), default=20, help='names to write (%(default)s)')
    option('--seed', type=at_least(0), default=42, help='of training and writing (%(default)s)')
    option('--processes', type=at_least(1), default=os.cpu_count() or 1,
           help='that share the work, with equal results (one per processor: %(default)s)')
    option('--save', metavar='FILE', help='where to keep the trained model')
    option('--load', metavar='FILE', help='a kept model to start from; with --steps it is trained '
           'further, and Adam and the learning rate begin afresh')
    option('--prompt', default='', help='what is known: mar begins a name')
    option('--temperature', type=at_least(0, float), default=0.7,
           help='of the letters. Low: usual names (%(default)s)')
    return parser

def run(args):
    """Make or load a model, train it, measure it, and write names."""
    docs, vocab, trained, fresh = [], None, 0, args.load is None
    if not fresh:
        state_dict, vocab, trained = load(args.load)
    if args.steps is None:
        args.steps = num_steps if fresh else 0
    if args.steps or fresh or args.names is not None:
        beside = os.path.join(os.path.dirname(FILE), 'names.txt')
        docs = read_names(beside if args.names is None else args.names, vocab)
    if fresh:
        vocab = make_vocab(docs)            # of all names, so that all can be measured
        state_dict = make_weights(len(vocab), random.Random(args.seed))
    prompt = read_prompt(args.prompt, vocab)
    if args.save is not None:
        check_target(args.save)

    if args.processes > 1:
        start_workers(min(args.processes, batch_size), len(vocab))
    docs, held_out = split(docs)
    if held_out and not docs:
        raise InputError(f'all {len(held_out)} names are held out: add others to learn from')
    done = learn(state_dict, docs, vocab, args, trained) if docs else 0
    status = 0 if args.save is None else save(args.save, state_dict, vocab, trained + done)
    if docs:
        try:
            evaluate(state_dict, held_out, vocab, spread)
        except KeyboardInterrupt:
            if done < args.steps:           # a first Ctrl-C has ended the training
                raise
            print('\nCtrl-C: the measuring ends here')

    rng = random.Random(args.seed)
    seeds = [rng.getrandbits(32) for _ in range(args.samples)]
    repeated = [itertools.repeat(value) for value in (state_dict, vocab, prompt, args)]
    names = show(spread(write, *repeated, seeds), args)
    if docs and names:
        copied = sum([name in docs for name in names])
        print(f'{copied} of these {len(names)} names are among the {len(docs)} learned from')
    sys.stdout.flush()                      # a full disk or a closed pipe shows here
    return status

def main(argv=(), one_process=True):
    """Run the command line, in this process alone or with workers; returns the exit status."""
    parser = make_parser()
    args = parser.parse_args(argv)
    if one_process:         # workers load the program from its file: they would not know what
        args.processes = 1  # you have changed since then
    try:
        return run(args)
    except (InputError, OSError) as error:
        if getattr(error, 'errno', 0) not in (errno.EPIPE, errno.EINVAL) or error.filename:
            parser.error(error)
        # The reader has seen enough, like head (EINVAL: on Windows). No model may have been saved.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1 if args.save else 0
    except KeyboardInterrupt:
        return 130
    finally:
        stop_workers()


if __name__ == '__main__':
    no_collector()
    signal.signal(signal.SIGTERM, signal.default_int_handler)   # it keeps what was learnt, too
    sys.stdout = sys.stdout or open(os.devnull, 'w')            # it may be closed
    if hasattr(sys.stdout, 'reconfigure'):
        sys.stdout.reconfigure(errors='replace')                # for consoles without accents
    sys.exit(main(sys.argv[1:] if '__file__' in globals() else [],
                  one_process=not os.path.isfile(FILE)))

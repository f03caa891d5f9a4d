"""Both models in PyTorch, in batches: larger ones, of names or of any text, on any processors.

    python -m tests.in_torch train diffusion
    python -m tests.in_torch train gpt --text python --checkpoint gpt.pt
    python -m tests.in_torch write gpt.pt --prompt 'The if statement'

Read it as a third column beside the two programs: it has the same parts in the same order. The same
seed gives the same model as there, because every example draws its noise from a seed of its own.
What needs no tensors is taken from the programs: reading names, sampling, progress and the rest.

A text has no names, so it needs no PAD. Both models learn from pieces of it that are a block long.
"""
import argparse, contextlib, itertools, json, math, os, random, re, signal, sys, time
from statistics import mean, stdev
from unittest import mock

import microdiffusion
import microgpt
from microdiffusion import LEFT, MASK, PAD, RIGHT, corrupt, masks_left
from microgpt import BOS, InputError
from tests.judge import NGram

try:
    import torch
    import torch.distributed as dist
    from torch.nn.functional import cross_entropy, embedding, linear, rms_norm
    from torch.nn.functional import scaled_dot_product_attention
except ImportError:         # main and the tests say how to get it
    torch = None
NO_TORCH = 'tests/in_torch.py needs PyTorch: pip install torch numpy'

LABS = {'gpt': microgpt, 'diffusion': microdiffusion}
LAB_EMBD = microgpt.n_embd  # with so many channels, the program's learning rate is right
NAMES = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, 'names.txt')
NOTHING = -100              # stands where no token is to be predicted
UNKNOWN = MASK              # a character that is still to be written; so is BOS, the other token 0
SHOWN = '\0'                # token 0 in the vocabulary of a text, where . and _ are characters

# What is usual: for names the sizes of the programs, for a text about 0.8 million parameters.
USUAL_NAMES = {'names': NAMES, 'n_embd': LAB_EMBD, 'n_layer': None, 'heads': None, 'block': None,
               'batch': microgpt.batch_size, 'examples': microgpt.num_steps * microgpt.batch_size}
USUAL_TEXT = {'n_embd': 128, 'n_layer': 4, 'heads': 8, 'block': 128, 'batch': 16,
              'examples': 40000}
USUAL = {'text': None, 'lr': None, 'seed': 42, 'device': 'cpu', 'double': False,
         'save': None, 'load': None, 'checkpoint': None, 'every': None, 'resume': None,
         'prompt': '', 'length': None, 'steps': 64, 'by_chance': False, 'temperature': 0.8,
         'min_p': 0.2, 'samples': None, 'judge': None}
SIZE = 'n_layer', 'n_embd', 'block_size', 'heads', 'slope'      # the constants of a model

def lab_of(state_dict):
    """The program that a model belongs to: a GPT has an output matrix of its own."""
    return microgpt if 'lm_head' in state_dict else microdiffusion

def of_text(lab):
    """Is the model one of text? Then each head has a slope of its own."""
    return isinstance(lab.slope, list)


# 1. Data: names as in the programs, or a text, whose last tenth is held out.

class Pieces:
    """All pieces of a text that are a block long, as a list that makes each when it is wanted."""

    def __init__(self, tokens, lab):
        self.tokens, self.length = tokens, lab.block_size
        self.opening = [BOS] if lab is microgpt else []

    def __len__(self):
        return max(0, len(self.tokens) - self.length + 1)

    def __getitem__(self, start):
        return self.opening + self.tokens[start:start + self.length]

def read_text(path):
    """The text of a file; python is the manual that comes with Python itself."""
    if path == 'python':
        from pydoc_data.topics import topics
        return '\n'.join(topics[name] for name in sorted(topics))
    try:
        with open(path, encoding='utf-8-sig') as file:
            return file.read().replace(SHOWN, '')
    except UnicodeDecodeError as error:
        raise InputError(f'{path} is not a text in UTF-8 ({error})')

def split_text(text):
    """The text to learn from, and its last tenth, which training never sees."""
    return text[:len(text) - len(text) // 10], text[len(text) - len(text) // 10:]

def encode_text(text, vocab):
    """Each character's place in the vocabulary."""
    unknown = set(text) - set(vocab)
    if unknown:
        raise InputError(f'the model does not know {"".join(sorted(unknown))[:20]!a}')
    places = {char: n for n, char in enumerate(vocab)}
    return [places[char] for char in text]


# 3. Building blocks: linear, softmax and all gradients are PyTorch's.

def rmsnorm(xs):
    """Each vector scaled to a root mean square of 1, without gain."""
    return rms_norm(xs, xs.shape[-1:], eps=1e-5)

def directions(lab, start, length):
    """What is added to the scores (heads, queries from start on, keys), so that heads look one way.

    In a name the distance goes on around the end, as in a circle. A text is no circle: what is not
    on a head's side is not seen.
    """
    ahead = torch.arange(length) - torch.arange(start, length)[:, None]     # key - query
    distance = torch.tensor(lab.heads)[:, None, None] * ahead
    if not of_text(lab):
        return -lab.slope * ((distance - 1) % lab.block_size)
    bias = -torch.tensor(lab.slope)[:, None, None] * distance
    return bias.masked_fill(distance < 0, -math.inf)

def slopes(heads):
    """ALiBi's slopes: of n heads that look the same way, the i-th has 2^(-8i/n)."""
    return [2.0 ** (-8 * heads[:n].count(look) / heads.count(look))
            for n, look in enumerate(heads, 1)]

def attention(q, k, v, bias):
    """Each position gets a mix of the values, per head; the heads side by side."""
    mixed = scaled_dot_product_attention(q, k, v, attn_mask=bias.to(q))
    return mixed.transpose(1, 2).flatten(2)


# 4. Weights: the program's own, so that a seed gives the same. The wider, the smaller.

def make_weights(lab, vocab_size, rng):
    """The state_dict: every weight matrix, by its name."""
    with mock.patch.object(lab, 'Value', float):        # plain numbers will do
        weights = lab.make_weights(vocab_size, rng)
    return {name: torch.tensor(weights[name], dtype=torch.float64)
            * math.sqrt(LAB_EMBD / lab.n_embd) for name in weights}


# 5. The models: tokens (names, positions) to logits (names, positions, vocabulary).

def positions_before(cache):
    """How many positions a cache has the keys of."""
    return sum(keys.shape[2] for keys in cache[0][0]) if cache else 0

def transformer(state_dict, tokens, seen, cache=None):
    """The vector at each position after the last layer; seen is True at the keys of each query."""
    lab, start = lab_of(state_dict), positions_before(cache)
    length = start + tokens.shape[1]
    bias = directions(lab, start, length).to(state_dict['wte'])
    bias = bias.masked_fill(~seen[:, None], -math.inf)
    xs = rmsnorm(embedding(tokens, state_dict['wte']) + state_dict['wpe'][start:length])

    for layer in range(sum(name.endswith('mlp_fc1') for name in state_dict)):
        wq, wk, wv, wo, fc1, fc2 = [state_dict[f'layer{layer}.{name}'] for name in (
            'attn_wq', 'attn_wk', 'attn_wv', 'attn_wo', 'mlp_fc1', 'mlp_fc2')]
        normed = rmsnorm(xs)
        q, k, v = [linear(normed, w).unflatten(-1, (len(lab.heads), -1)).transpose(1, 2)
                   for w in (wq, wk, wv)]
        if cache:                           # of the GPT alone: keys and values grow
            for kept, new in zip(cache[layer], (k, v)):
                kept.append(new)
            k, v = [torch.cat(kept, 2) for kept in cache[layer]]
        xs = xs + linear(attention(q, k, v, bias), wo)
        xs = xs + linear(linear(rmsnorm(xs), fc1).relu(), fc2)
    return xs

def gpt(state_dict, tokens, cache=None):
    """The logits of what follows each token; they go on from the cache, which grows."""
    tokens = torch.as_tensor(tokens, device=state_dict['wte'].device)
    start = positions_before(cache)
    positions = torch.arange(start + tokens.shape[1], device=tokens.device)
    causal = positions <= positions[start:, None]
    xs = transformer(state_dict, tokens, causal[None], cache)
    logits = linear(xs, state_dict['lm_head'])
    ruled_out = torch.zeros_like(logits, dtype=torch.bool)
    if of_text(microgpt):
        ruled_out[..., BOS] = True          # a text has no end
    else:
        ruled_out[:, :max(0, 1 - start), BOS] = True        # a name has a letter
        ruled_out[:, max(0, microgpt.block_size - 1 - start):, BOS + 1:] = True     # and an end
    return logits.masked_fill(ruled_out, -math.inf)

def settled(tokens):
    """True at each position that has no PAD before it; the others count for nothing."""
    pads = ((tokens == PAD) & (not of_text(microdiffusion))).long()
    return pads.cumsum(1) == pads

def mask_predictor(state_dict, tokens):
    """The logits of what stands at each position; those that are not settled are left as found."""
    tokens = torch.as_tensor(tokens, device=state_dict['wte'].device)
    logits = linear(transformer(state_dict, tokens, settled(tokens)[:, None]), state_dict['wte'])
    ruled_out = torch.zeros_like(logits, dtype=torch.bool)
    ruled_out[..., MASK] = True             # no name has a MASK in it
    if not of_text(microdiffusion):
        ruled_out[..., PAD] = (tokens > PAD).flip(1).cumsum(1).flip(1) > 0  # nor ends too early
        ruled_out[:, 0, PAD] = True
        ruled_out[:, microdiffusion.block_size - 1:, PAD + 1:] = True
    return logits.masked_fill(ruled_out, -math.inf)


# 7. The loss of each example: its noise, if any, comes from the example's own seed.

def cross_entropies(state_dict, names, noisy=None):
    """-log p of each token that is to be predicted, in nats; 0 at the other positions."""
    if lab_of(state_dict) is microgpt:      # every next token; short names are filled up
        longest = max(len(name) for name in names)
        filled = torch.tensor([name + [NOTHING] * (longest - len(name)) for name in names])
        logits = gpt(state_dict, filled[:, :-1].clamp(min=BOS))
        wanted = filled[:, 1:]
    else:                                   # every masked token that is not settled
        noisy = torch.tensor(noisy)
        logits = mask_predictor(state_dict, noisy)
        wanted = torch.tensor(names).masked_fill((noisy != MASK) | ~settled(noisy), NOTHING)
    return cross_entropy(logits.transpose(1, 2), wanted.to(logits.device), reduction='none')

def add_noise(name, seed):
    """The name, masked at a log-uniform noise level."""
    rng = random.Random(seed)
    return corrupt(name, microdiffusion.t_min ** rng.random(), rng)

def example_loss(state_dict, names, seeds):
    """-log p of each name, or the NELBO's integral from t_min to 1 by one draw of t."""
    if lab_of(state_dict) is microgpt:
        return cross_entropies(state_dict, names).sum(1)
    noisy = [add_noise(name, seed) for name, seed in zip(names, seeds)]
    sums = cross_entropies(state_dict, names, noisy).sum(1)
    return sums * math.log(1 / microdiffusion.t_min)


# 8. Training: Adam, at a learning rate that falls to 0; each step's loss goes to the caller.

def make_adam(state_dict):
    """PyTorch's Adam for all weights, with the constants of the programs."""
    *betas, eps = microgpt.Adam.step.__defaults__
    params = [matrix.requires_grad_() for matrix in state_dict.values()]
    return torch.optim.Adam(params, 0.0, betas, eps, fused=True)

def place():
    """Which of the processes of torchrun this is, and how many there are."""
    if dist.is_available() and dist.is_initialized():
        return dist.get_rank(), dist.get_world_size()
    return 0, 1

def train(state_dict, examples, rng, steps, lr, batch_size, adam=None, trained=0, start=0,
          stop=()):
    """Train in place; yields the mean loss over each step's names, in nats per name.

    It goes on behind what earlier runs have seen, and behind the steps of this run up to start.
    Something in stop ends the training, in all processes after the same step.
    """
    shuffled = itertools.cycle(rng.sample(range(len(examples)), len(examples)))
    rows = ((n, rng.getrandbits(32)) for n in shuffled)
    rows = itertools.islice(rows, (trained + start) * batch_size, None)
    adam = adam or make_adam(state_dict)
    params = list(state_dict.values())
    rank, processes = place()
    for step in range(start, steps):
        share = list(itertools.islice(rows, batch_size))[rank::processes]
        batch, seeds = [examples[n] for n, _ in share], [seed for _, seed in share]
        loss = example_loss(state_dict, batch, seeds).sum() / batch_size
        adam.zero_grad()
        loss.backward()
        report = torch.stack([loss.detach(), loss.new_tensor(bool(stop))])
        if processes > 1:                   # gradients are summed, like the shares of the loss
            for tensor in [*(matrix.grad for matrix in params), report]:
                dist.all_reduce(tensor)
        adam.param_groups[0]['lr'] = lr * (1 - step / steps)
        adam.step()
        mean_loss, stopped = report.tolist()
        if not mean_loss < 1e5:
            raise InputError(f'the training has failed (its loss is {mean_loss:.4g} nats): give a '
                             f'lower --lr than {lr:.4g}')
        yield mean_loss
        if stopped:
            return


# 9. Sampling. Names: the program's own, which asks for the logits of one name at a time.

def gpt_of_one(state_dict, tokens, cache):
    """In place of microgpt's gpt, with the same cache; its lists hold tensors here."""
    with torch.no_grad():
        logits = gpt(state_dict, [tokens], cache)[0]
    return [[microgpt.Value(z) for z in row] for row in logits.tolist()]

def mask_predictor_of_one(state_dict, tokens):
    """In place of microdiffusion's mask_predictor."""
    with torch.no_grad():
        logits = mask_predictor(state_dict, [tokens])[0, :len(microdiffusion.settled(tokens))]
    return [[microdiffusion.Value(z) for z in row] for row in logits.tolist()]

def write(state_dict, vocab, prompt, args, seed):
    """A name, drawn as the program draws it."""
    with mock.patch.object(microgpt, 'gpt', gpt_of_one), \
            mock.patch.object(microdiffusion, 'mask_predictor', mask_predictor_of_one):
        return lab_of(state_dict).write(state_dict, vocab, prompt, args, seed)[0]

# Texts: the same with tensors. The temperature stays, so both models draw by the same rule.

def draw(logits, generator, temperature, min_p):
    """A token for each row of logits; the unlikely ones are never drawn."""
    relative = logits - logits.max(1, keepdim=True).values      # log of p / p of the likeliest
    if temperature == 0:
        return relative.argmax(1)
    weights = (relative / temperature).exp().masked_fill(relative.exp() < min_p, 0)
    return torch.multinomial(weights, 1, generator=generator)[:, 0]

def generate(state_dict, tokens, generator, args):
    """Write a text on to its end, character by character; yields it after each evaluation.

    When the cache has a whole block, it begins afresh with the last half of it.
    """
    tokens, cache = list(tokens), None
    for n in range(len(tokens) - tokens.count(UNKNOWN), len(tokens)):
        if cache is None or positions_before(cache) == microgpt.block_size:
            cache = [([], []) for _ in range(microgpt.n_layer)]
            known = microgpt.block_size - 1 if n < microgpt.block_size else microgpt.block_size // 2
            new = [BOS] + tokens[max(0, n - known):n]
        with torch.no_grad():
            logits = gpt(state_dict, [new], cache)[0, -1:].float().cpu()
        tokens[n] = draw(logits, generator, args.temperature, args.min_p).item()
        new = [tokens[n]]
        yield list(tokens)

def denoise(state_dict, tokens, generator, args):
    """Fill in the MASKs, block after block; yields the text after each evaluation.

    Half of a block is what stands before its first MASK. A whole block of MASKs takes as many steps
    as asked for, and fewer MASKs take fewer.
    """
    tokens, size = torch.tensor(tokens), microdiffusion.block_size
    while MASK in tokens:
        first = (tokens == MASK).nonzero()[0].item()
        start = max(0, min(first - size // 2, len(tokens) - size))
        block = tokens[start:start + size]              # a view: what is put here stands there
        total = (block == MASK).sum().item()
        count = max(1, round(args.steps * total / size))
        for i in range(1, count + 1):
            masked, left = block == MASK, masks_left(total, i, count)
            if masked.sum() == left:
                continue                    # nothing is revealed, so the model need not run
            with torch.no_grad():
                logits = mask_predictor(state_dict, block[None])[0].float().cpu()
            confidence = logits.log_softmax(1).max(1).values
            if args.by_chance:
                confidence = torch.rand(len(block), generator=generator)
            confidence = confidence.masked_fill(~masked, -math.inf)
            surest = confidence.topk(masked.sum().item() - left).indices
            block[surest] = draw(logits[surest], generator, args.temperature, args.min_p)
            yield tokens.tolist()

def read_prompt(prompt, vocab, length):
    """The tokens of a text of this length: _ stands for an unknown character, {20} for twenty."""
    tokens = []
    for part in re.findall(r'\{\d+\}|.', prompt, re.DOTALL):
        if part == '_' or len(part) > 1:
            tokens += [UNKNOWN] * int(part.strip('{}_') or 1)
        else:
            tokens += encode_text(part, vocab)
    if length is None:                      # with a blank inside, the prompt is the whole text
        length = len(tokens) if UNKNOWN in tokens else 200
    return tokens + [UNKNOWN] * (length - len(tokens))


# 10. The yardstick: the program's held_out_nats, with in_batches in place of the built-in map.

def example_nats(state_dict, names, seeds, draws=itertools.repeat(1)):
    """-log p of each name, or its NELBO estimated by one draw of masks.

    If an example is drawn several times, each draw takes k from a part of its own of 1 ... L.
    """
    if lab_of(state_dict) is microgpt:
        return cross_entropies(state_dict, names).sum(1)
    noisy, weights = [], []
    for name, seed, count in zip(names, seeds, draws):
        rng = random.Random(seed)
        k = (rng.randint(1, len(name)) if count == 1
             else 1 + int(len(name) * (seed % count + rng.random()) / count))
        masked = rng.sample(range(len(name)), k)
        noisy.append([MASK if n in masked else token for n, token in enumerate(name)])
        weights.append(len(name) / k)
    sums = cross_entropies(state_dict, names, noisy).sum(1)
    return sums * sums.new_tensor(weights)

def in_batches(_, state_dicts, *columns):
    """Gives nats for each example, worked out for many at once."""
    rows = zip(*columns)
    for batch in iter(lambda: list(itertools.islice(rows, 256)), []):
        with torch.no_grad():
            nats = example_nats(state_dicts[0], *zip(*batch)).tolist()
        yield from nats

def block_nats(state_dict, text, vocab, draws):
    """Nats per character of each block of a text, without overlap; a GPT needs one draw."""
    lab = lab_of(state_dict)
    pieces = Pieces(encode_text(text, vocab), lab)
    draws = 1 if lab is microgpt else draws
    blocks = [pieces[n] for n in range(0, len(pieces), lab.block_size) for _ in range(draws)]
    nats = list(in_batches(None, [state_dict], blocks, range(len(blocks)),
                           itertools.repeat(draws)))
    return [mean(nats[n:n + draws]) / lab.block_size for n in range(0, len(nats), draws)]

def held_out_mean(state_dict, held_out, vocab):
    """The figure that says which checkpoint is the best: nats per name, or per character."""
    lab = lab_of(state_dict)
    if of_text(lab):
        return mean(block_nats(state_dict, held_out, vocab, draws=2))
    examples = [lab.encode(doc, vocab) for doc in held_out]
    return mean(lab.held_out_nats(state_dict, examples, random.Random(0), in_batches))


# 12. Files and commands, in the words of the programs.

def sized(lab, constants):
    """While this lasts, the program has these constants, so a save says what the model is."""
    return mock.patch.multiple(lab, **{name: constants[name] for name in SIZE})

def size_of(lab, args):
    """The constants that the options ask for; of the heads, half look to each side, if any."""
    heads = lab.heads
    if args.heads:
        right = args.heads // 2 if RIGHT in heads else 0
        heads = [LEFT] * (args.heads - right) + [RIGHT] * right
    return {'n_layer': args.n_layer or lab.n_layer, 'n_embd': args.n_embd, 'heads': heads,
            'block_size': args.block if args.text else lab.block_size,
            'slope': slopes(heads) if args.text else lab.slope}

class Zeros:
    """In place of a random generator, where only the shapes of weights matter."""
    gauss = staticmethod(lambda mean, deviation: 0.0)

def load(path):
    """A kept model of any size: the JSON of the programs, or a checkpoint."""
    try:
        with open(path, 'rb') as file:
            if file.peek(1)[:1] == b'{':
                model = json.load(file)
                model['state_dict'] = {name: torch.tensor(matrix, dtype=torch.float64)
                                       for name, matrix in model['state_dict'].items()}
            else:
                model = torch.load(file, 'cpu', weights_only=True)
        model['lab'], = [lab for lab in LABS.values() if lab.PROGRAM == model['program']]
        with sized(model['lab'], model):
            expected = make_weights(model['lab'], len(model['vocab']), Zeros)
        for name in {**expected, **model['state_dict']}:
            matrix = model['state_dict'][name]
            if matrix.shape != expected[name].shape or not matrix.isfinite().all():
                raise ValueError(f'{name} has another size, or a number that is not finite')
    except OSError:
        raise
    except Exception as error:              # whatever is missing in it, or does not fit
        first_line = str(error).partition('\n')[0]
        raise InputError(f'{path} is not a whole model ({type(error).__name__}: {first_line})')
    return model

def check_checkpoint(path):
    """Raise an error, before the training, if no checkpoint can be kept here; it makes the file."""
    with open(path, 'a+b') as file:
        file.seek(0)
        if file.read(2) not in (b'', b'PK'):
            raise InputError(f'{path!r} is no checkpoint: it is not replaced')

def save(path, state_dict, vocab, trained):
    """Write a model, which its program can load if it has the same size; returns the status."""
    lab = lab_of(state_dict)
    return lab.save(path, {name: [[lab.Value(number) for number in row] for row in matrix.tolist()]
                           for name, matrix in state_dict.items()}, vocab, trained)

@contextlib.contextmanager
def noted_signals():
    """Ctrl-C and SIGTERM only go into a list, so that no step is left half done.

    torchrun sends them twice; where no other process waits for this one, a second one ends it.
    """
    noted = []

    def note(number, frame):
        if noted and place()[1] == 1:
            raise KeyboardInterrupt
        noted.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield noted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

def read_data(args, lab, vocab):
    """What to learn from, what is held out, and the vocabulary: the model's, if it has one."""
    if args.text is None:
        names = lab.read_names(args.names, vocab)
        docs, held_out = lab.split(names)
        if not docs:
            raise InputError('every name is held out: add others to learn from')
        return docs, held_out, vocab or lab.make_vocab(names)
    text = read_text(args.text)
    docs, held_out = split_text(text)
    if len(held_out) < 2 * lab.block_size:
        raise InputError(f'{args.text} has {len(text)} characters: give {20 * lab.block_size} or '
                         'more, or a shorter --block')
    return docs, held_out, vocab or SHOWN + ''.join(sorted(set(text)))

def learn(args, lab, kept):
    """Make a model or take a kept one, train it, measure it, and let it write."""
    rank, processes = place()
    if args.batch < processes:
        raise InputError(f'--batch {args.batch} is too small for {processes} processes')
    for path, check in (args.save, lab.check_target), (args.checkpoint, check_checkpoint):
        if path is not None:
            check(path)
    docs, held_out, vocab = read_data(args, lab, kept and kept['vocab'])
    examples = (Pieces(encode_text(docs, vocab), lab) if args.text
                else [lab.encode(doc, vocab) for doc in docs])

    state_dict = (kept['state_dict'] if kept
                  else make_weights(lab, len(vocab), random.Random(args.seed)))
    state_dict = {name: matrix.to(args.device, torch.float64 if args.double else torch.float32)
                  for name, matrix in state_dict.items()}
    adam, start, best = make_adam(state_dict), 0, math.inf
    if args.resume is not None:
        adam.load_state_dict(kept['adam'])
        start, best = kept['done'], kept['best']
    trained = kept.get('steps', 0) - start if kept else 0       # by earlier runs
    unit = 'piece' if args.text else 'name'
    print(f'{len(examples)} {unit}s to learn from; {len(vocab)} tokens; '
          f'{sum(matrix.numel() for matrix in state_dict.values())} parameters')

    # Few steps have to be long ones, and wide layers want short ones. Both were tried: from 100 to
    # 5,000 steps, with batches of 8 to 256 names, and from 16 to 64 channels.
    steps = math.ceil(args.examples / args.batch)
    scale = min(3, (microgpt.num_steps / max(1, steps)) ** (1 / 3))
    lr = lab.learning_rate * scale * LAB_EMBD / lab.n_embd if args.lr is None else args.lr
    every = args.every or max(1, steps // 10)

    def keep(measured):
        """Write a checkpoint, and beside it the best one, by what the held-out part costs."""
        nonlocal best
        measured = measured and bool(held_out)
        nats = held_out_mean(state_dict, held_out, vocab) if measured else math.inf
        better, best = nats < best, min(nats, best)
        checkpoint = {**lab.constants(), 'steps': trained + done, 'done': done, 'vocab': vocab,
                      'state_dict': {name: state_dict[name].detach() for name in state_dict},
                      'adam': adam.state_dict(), 'best': best, 'options': vars(args)}
        root, ending = os.path.splitext(args.checkpoint)
        for path in [root + ending, root + '.best' + ending][:1 + better]:
            part = f'{path}.{os.getpid()}.part'
            torch.save(checkpoint, part)    # an old one is replaced by a whole one
            os.replace(part, path)
        print(f'step {done}: kept' + f', held-out {nats:.3f} nats' * measured, flush=True)

    done, clock = start, time.perf_counter()
    with noted_signals() as noted:
        losses = train(state_dict, examples, random.Random(args.seed), steps, lr, args.batch, adam,
                       trained, start, noted)
        losses = (loss / (lab.block_size if args.text else 1) for loss in losses)
        for _ in lab.progress(losses, steps - start, 'train'):
            done += 1
            if args.checkpoint is not None and rank == 0 and done % every == 0 and done < steps:
                keep(measured=True)
        seconds = time.perf_counter() - clock
        if rank:                            # the first process does the rest
            return 0
        status = 0 if args.save is None else save(args.save, state_dict, vocab, trained + done)
        if args.checkpoint is not None:
            keep(measured=not noted)
    if noted:
        print(f'{signal.Signals(noted[0]).name}: the training ends here')
    if signal.SIGTERM in noted:
        return 128 + signal.SIGTERM
    count = args.batch * (done - start)
    print(f'trained {done - start} steps of {args.batch} {unit}s in {seconds:.1f} s '
          f'({1000 * seconds / max(1, count):.3f} ms per {unit})', flush=True)
    report(state_dict, docs, held_out, vocab, args.seed)
    return status

def report(state_dict, docs, held_out, vocab, seed):
    """Print what the held-out part costs, and names or a text that the model writes."""
    lab = lab_of(state_dict)
    args = argparse.Namespace(**{**USUAL, 'seed': seed})
    if not of_text(lab):
        lab.evaluate(state_dict, held_out, vocab, in_batches)
        return write_names(state_dict, vocab, args)
    nats = block_nats(state_dict, held_out, vocab, draws=8)
    print(f'held-out: {mean(nats):.3f} nats per character{" at most" * (lab is microdiffusion)}, '
          f'standard error {stdev(nats) / math.sqrt(len(nats)):.3f}')
    for order in (3, 4, 5):
        cost = NGram([docs], order).nats(held_out) / len(held_out)
        print(f'groups of {order} characters: {cost:.3f} nats per character')
    return write_texts(state_dict, vocab, args)

def write_names(state_dict, vocab, args):
    """Print names, as the program draws them."""
    lab, rng = lab_of(state_dict), random.Random(args.seed)
    prompt, options = lab.read_prompt(args.prompt, vocab), lab.make_parser().parse_args([])
    for n in range(1, (args.samples or options.samples) + 1):
        name = write(state_dict, vocab, prompt, options, rng.getrandbits(32))
        print(f'sample {n:2d}: {name}')

def write_texts(state_dict, vocab, args):
    """Print texts, what they took, and for diffusion some of the states between, MASK as _."""
    lab = lab_of(state_dict)
    sampler = generate if lab is microgpt else denoise
    prompt = read_prompt(args.prompt, vocab, args.length)
    if lab is microgpt and UNKNOWN in prompt[:len(prompt) - prompt.count(UNKNOWN)]:
        raise InputError('a GPT writes from left to right: it cannot fill a blank inside')
    texts, evaluations, seconds = [], 0, 0.0
    for n in range(args.samples or 1):
        clock = time.perf_counter()
        generator = torch.Generator().manual_seed(args.seed + n)
        states = [prompt, *sampler(state_dict, prompt, generator, args)]
        seconds += time.perf_counter() - clock
        evaluations += len(states) - 1
        for i in range(0, len(states), math.ceil(len(states) / 8)) if lab is microdiffusion else ():
            state = lab.decode(states[i], vocab).replace(SHOWN, '_').replace('\n', ' ')
            print(f'evaluation {i:3d}: {state}')
        texts.append(lab.decode(states[-1], vocab))
        print(f'text {n + 1}:\n{texts[-1]}')
    count = len(texts) * prompt.count(UNKNOWN)
    print(f'{count} characters by {evaluations} evaluations in {seconds:.1f} s '
          f'({count / max(seconds, 1e-9):.0f} a second)')
    if args.judge is not None:
        docs, held_out = split_text(read_text(args.judge))
        judge, written = NGram([docs], 5), ''.join(texts)
        for whose, text in (('written', written), ('held-out', held_out[:len(written)])):
            grams = [text[n:n + 8] for n in range(len(text) - 7)] or ['']
            print(f'{whose}: {judge.nats(text) / len(text):.3f} nats per character by groups of '
                  f'five, {100 * len(set(grams)) / len(grams):.1f} % distinct groups of eight')

def make_parser():
    """The commands and their options; only what is given is in the result."""
    parser = argparse.ArgumentParser('python -m tests.in_torch',
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest='command', metavar='COMMAND')
    commands.required = True
    at_least = microgpt.at_least

    def command(name, does):
        return commands.add_parser(name, help=does, description=does,
                                   argument_default=argparse.SUPPRESS).add_argument

    option = command('train', 'train a model, measure it, and let it write')
    option('model', choices=LABS, nargs='?', default=None, help='(diffusion)')
    option('--names', metavar='FILE', help='to learn from, one name a line (names.txt)')
    option('--text', metavar='FILE', help="to learn from instead; python: Python's own manual")
    option('--examples', type=at_least(0), help='to train on (16000 names, 40000 pieces of a text)')
    option('--batch', type=at_least(1), help='examples in a step (8 names, 16 pieces)')
    option('--n-embd', type=at_least(1), help='channels (16; for a text 128)')
    option('--n-layer', type=at_least(1), help="layers (the program's; for a text 4)")
    option('--heads', type=at_least(1), help="(the program's; for a text 8)")
    option('--block', type=at_least(2), help='characters in a piece of the text (128)')
    option('--lr', type=at_least(0, float), help='learning rate (by steps and channels)')
    option('--seed', type=at_least(0), help='(42)')
    option('--device', help='such as cuda (cpu)')
    option('--double', action='store_true', help='numbers of 64 bits, like the programs')
    option('--save', metavar='FILE', help="where to keep the model, as the programs' JSON")
    option('--load', metavar='FILE', help='a kept model to train further')
    option('--checkpoint', metavar='FILE', help='where to keep all that --resume needs, now and '
           'then, and beside it (.best) the model that is best so far')
    option('--every', type=at_least(1), help='steps between two checkpoints (a tenth of all)')
    option('--resume', metavar='FILE', help='a checkpoint to go on from, with its options')

    option = command('write', 'write names or texts with a kept model')
    option('file', metavar='FILE', help='a checkpoint, or JSON')
    option('--prompt', help='what is known: _ is an unknown character, {20} are twenty')
    option('--length', type=at_least(1), help='characters of a text (200)')
    option('--steps', type=at_least(1), help='of diffusion, for a block of MASKs (64)')
    option('--by-chance', action='store_true', help='diffusion: not the surest places first')
    option('--temperature', type=at_least(0, float), help='of a text (0.8)')
    option('--min-p', type=at_least(0, float), help='a character that is less than so many times '
           'as likely as the likeliest is never drawn (0.2)')
    option('--samples', type=at_least(1), help='(20 names, 1 text)')
    option('--judge', metavar='FILE', help='the text learnt from: how good is what is written?')
    option('--seed', type=at_least(0), help='(42)')
    option('--device', help='(cpu)')
    parser.epilog = '\n'.join(each.format_usage() for each in commands.choices.values())
    return parser

def complete(given):
    """(all options, program, kept model or None): what is not given is as usual."""
    path = [given[name] for name in ('resume', 'load', 'file') if name in given]
    kept = load(path[0]) if path else None
    lab = kept['lab'] if kept else LABS[given.get('model', 'diffusion')]
    if LABS.get(given.get('model'), lab) is not lab:
        raise InputError(f'{path[0]} does not fit: its program is {lab.PROGRAM!a}')
    text = isinstance(kept['slope'], list) if kept else 'text' in given
    usual = {**USUAL, **(USUAL_TEXT if text else USUAL_NAMES)}
    if 'resume' in given:
        if 'options' not in kept:
            raise InputError(f'{path[0]} is no checkpoint: give it to --load')
        usual = {**kept['options'], 'checkpoint': path[0]}

    allowed = {'model', 'resume', 'device', 'save'}
    for applies, unused, why in (
            ('resume' in given, set(given) - allowed, 'with --resume'),
            ('load' in given, {'n_embd', 'n_layer', 'heads', 'block'}, 'with --load'),
            ('checkpoint' not in given, {'every'}, 'without --checkpoint'),
            (text, {'names'}, 'by a model of text'),
            (not text, {'text', 'block', 'length', 'steps', 'by_chance', 'temperature', 'min_p',
                         'judge'},
             'by a model of names'),
            (lab is microgpt, {'steps', 'by_chance'}, 'by a GPT')):
        for option in sorted(unused & set(given)) if applies else ():
            raise InputError(f'--{option.replace("_", "-")} is not used {why}')
    args = argparse.Namespace(**{**usual, **given})
    if text and 'load' in given and args.text is None:
        raise InputError(f'{path[0]} is a model of text: give one with --text')
    return args, lab, kept

def join_processes(device):
    """Raise an error if the device cannot be used; join the other processes, if torchrun runs."""
    try:
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError) as error:
        first_line = str(error).partition('\n')[0]
        raise InputError(f'--device {device} cannot be used: {first_line}')
    if dist.is_available() and dist.is_torchelastic_launched():
        if device.startswith('cuda'):
            torch.cuda.set_device(int(os.environ['LOCAL_RANK']))
        dist.init_process_group('nccl' if device.startswith('cuda') else 'gloo')

def main(argv=None):
    """Run the command line; returns the exit status."""
    parser = make_parser()
    given = {name: value for name, value in vars(parser.parse_args(argv)).items()
             if value is not None}
    if torch is None:
        print(NO_TORCH, file=sys.stderr)
        return 2
    try:
        join_processes(given.get('device', USUAL['device']))
        with contextlib.redirect_stdout(None if place()[0] else sys.stdout):    # one report
            command = given.pop('command')
            args, lab, kept = complete(given)
            with sized(lab, kept or size_of(lab, args)):
                if command == 'train':
                    status = learn(args, lab, kept)
                    if place()[1] > 1:      # the threads of gloo abort a process now and then that
                        sys.__stdout__.flush()          # ends in the usual way
                        os._exit(status)
                    return status
                state_dict = {name: matrix.to(args.device, torch.float32)
                              for name, matrix in kept['state_dict'].items()}
                (write_texts if of_text(lab) else write_names)(state_dict, kept['vocab'], args)
                return 0
    except (microgpt.InputError, microdiffusion.InputError, OSError) as error:
        if place()[0] == 0:                 # the others would say the same
            parser.error(error)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == '__main__':
    sys.exit(main())

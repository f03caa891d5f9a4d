"""Both models in PyTorch, in batches: python -m tests.in_torch train diffusion (or gpt).

Read it as a third column beside the two programs: the same parts in the same order. Each example
draws its numbers from a seed of its own, as there: the same seed gives the same model. What stands
around the models (reading names, progress, the held-out sample) is taken from the programs.
"""
import argparse, itertools, json, math, os, platform, random, re, subprocess, sys, time

import microdiffusion
import microgpt
from microdiffusion import MASK, allowed, corrupt, gumbel, masks_left
from microgpt import BOS

try:
    import torch
    from torch.nn.functional import cross_entropy, embedding, linear, rms_norm
    from torch.nn.functional import scaled_dot_product_attention
except ImportError:         # main and the tests say how to get it
    torch = None
NO_TORCH = 'tests/in_torch.py needs PyTorch: pip install torch numpy'

LABS = {'gpt': microgpt, 'diffusion': microdiffusion}
LAB_EMBD = microgpt.n_embd  # with so many channels and steps, the program's learning rate is right
LAB_STEPS = microgpt.make_parser().get_default('steps')
NOTHING = -100              # stands where no token is to be predicted

def lab_of(state_dict):
    """The program that a model belongs to: a GPT has an output matrix of its own."""
    return microgpt if 'lm_head' in state_dict else microdiffusion


# 3. Building blocks: linear, softmax and all gradients are PyTorch's.

def rmsnorm(xs):
    """Each vector scaled to a root mean square of 1, no gain."""
    return rms_norm(xs, xs.shape[-1:], eps=1e-5)

def directions(state_dict, length):
    """What is added to scores (heads, queries, keys): where a head looks, and causality."""
    lab = lab_of(state_dict)
    ahead = torch.arange(length) - torch.arange(length)[:, None]        # key - query
    look = torch.tensor(lab.heads)[:, None, None]
    bias = -lab.slope * ((look * ahead - 1) % lab.block_size)
    if lab is microgpt:                     # causal: what is ahead is not seen
        bias = bias.masked_fill(ahead > 0, -math.inf)
    return bias.to(state_dict['wte'])       # in its precision, on its device

def attention(xs, wq, wk, wv, bias):
    """Each position gets a mix of the values, per head; the heads side by side."""
    q, k, v = [linear(xs, w).unflatten(-1, (len(bias), -1)).transpose(1, 2)
               for w in (wq, wk, wv)]
    mixed = scaled_dot_product_attention(q, k, v, attn_mask=bias)
    return mixed.transpose(1, 2).flatten(2)


# 4. Weights: the program's own, so that a seed gives the same. The wider, the smaller.

def make_weights(lab, vocab_size, rng):
    """The state_dict: every weight matrix, by its name."""
    weights = {name: [[v.data for v in row] for row in matrix]
               for name, matrix in lab.make_weights(vocab_size, rng).items()}
    return {name: torch.tensor(weights[name], dtype=torch.float64)
            * math.sqrt(LAB_EMBD / lab.n_embd) for name in weights}


# 5. The models: tokens (names, positions) to logits (names, positions, vocabulary).

def transformer(state_dict, tokens):
    """The vector at each position after the last layer."""
    tokens = torch.as_tensor(tokens, device=state_dict['wte'].device)
    length = tokens.shape[1]
    bias = directions(state_dict, length)
    xs = rmsnorm(embedding(tokens, state_dict['wte']) + state_dict['wpe'][:length])

    for layer in range(sum(name.endswith('mlp_fc1') for name in state_dict)):
        wq, wk, wv, wo, fc1, fc2 = [state_dict[f'layer{layer}.{name}'] for name in (
            'attn_wq', 'attn_wk', 'attn_wv', 'attn_wo', 'mlp_fc1', 'mlp_fc2')]
        xs = xs + linear(attention(rmsnorm(xs), wq, wk, wv, bias), wo)
        xs = xs + linear(linear(rmsnorm(xs), fc1).relu(), fc2)
    return xs

def gpt(state_dict, tokens):
    """The logits of what follows each token."""
    return linear(transformer(state_dict, tokens), state_dict['lm_head'])

def mask_predictor(state_dict, tokens):
    """The logits of what stands at each position."""
    logits = linear(transformer(state_dict, tokens), state_dict['wte'])     # tied
    hidden = torch.tensor(MASK, device=logits.device)
    return logits.index_fill(-1, hidden, -1e6)          # P(MASK) = 0


# 7. The loss of each name: its noise, if any, comes from the name's own seed.

def cross_entropies(state_dict, names, noisy=None):
    """-log p of each token that is to be predicted, in nats; 0 at the other positions."""
    if lab_of(state_dict) is microgpt:      # every next token; short names are filled up
        longest = max(len(name) for name in names)
        filled = torch.tensor([name + [NOTHING] * (longest - len(name)) for name in names])
        logits = gpt(state_dict, filled[:, :-1].clamp(min=BOS))
        wanted = filled[:, 1:]
    else:                                   # every masked token
        noisy = torch.tensor(noisy)
        logits = mask_predictor(state_dict, noisy)
        wanted = torch.tensor(names).masked_fill(noisy != MASK, NOTHING)
    wanted = wanted.to(logits.device)
    return cross_entropy(logits.transpose(1, 2), wanted, reduction='none')

def add_noise(name, seed):
    """The name, masked at a log-uniform noise level, both drawn again until something is."""
    rng, noisy = random.Random(seed), name
    while MASK not in noisy:
        noisy = corrupt(name, microdiffusion.t_min ** rng.random(), rng)
    return noisy

def example_loss(state_dict, names, seeds):
    """-log p of each name, or the NELBO's integral from t_min to 1 by one draw of t."""
    if lab_of(state_dict) is microgpt:
        return cross_entropies(state_dict, names).sum(1)
    noisy = [add_noise(name, seed) for name, seed in zip(names, seeds)]
    sums = cross_entropies(state_dict, names, noisy).sum(1)
    return sums * math.log(1 / microdiffusion.t_min)


# 8. Training: Adam, at a learning rate that falls to 0; each step's loss goes to the caller.

def train(state_dict, examples, rng, steps, lr, batch_size):
    """Train in place; yields the mean loss over each step's names, in nats per name."""
    examples = itertools.cycle(rng.sample(examples, len(examples)))
    params = [matrix.requires_grad_() for matrix in state_dict.values()]
    *betas, eps = microgpt.Adam.step.__defaults__
    adam = torch.optim.Adam(params, lr, betas, eps, fused=True)
    falling = torch.optim.lr_scheduler.LambdaLR(adam, lambda n: 1 - n / max(1, steps))
    for step in range(steps):
        batch = list(itertools.islice(examples, batch_size))
        seeds = [rng.getrandbits(32) for _ in batch]
        mean_loss = example_loss(state_dict, batch, seeds).mean()
        adam.zero_grad()
        mean_loss.backward()
        adam.step()
        falling.step()
        yield mean_loss.item()


# 9. Sampling: a name for each rng, which draws what it would draw in the program.

def draw(logits, tokens, end, rng, temperature, min_p=0.2):
    """One of these tokens: the end at its own rate, else a letter at the temperature."""
    probs = dict(zip(tokens, logits[list(tokens)].softmax(0).tolist()))
    if end in probs and rng.random() < probs[end]:
        return end
    letters = [token for token in tokens if token != end]
    least = min_p * max([probs[token] for token in letters])
    letters = [token for token in letters if probs[token] >= least]
    return rng.choices(letters, (logits[letters] / temperature).softmax(0).tolist())[0]

def generate(state_dict, tokens, rngs, temperature):
    """Continue names that begin with these letters; returns all of their letters."""
    names = [list(tokens) for _ in rngs]
    going = list(zip(names, rngs))
    while going and len(going[0][0]) < microgpt.block_size - 1:
        with torch.no_grad():               # without a cache: all is worked out again
            logits = gpt(state_dict, [[BOS] + name for name, _ in going])[:, -1].cpu()
        for (name, rng), z in zip(going, logits):
            options = range(BOS if name else BOS + 1, len(z))       # a letter at least
            name.append(draw(z, options, BOS, rng, temperature))
        going = [(name, rng) for name, rng in going if name[-1] != BOS]
    return [[token for token in name if token != BOS] for name in names]

def denoise(state_dict, tokens, rngs, steps, temperature, shortest, noise):
    """Fill in the MASKs; yields (step, temperature, names) for each step that reveals some."""
    names = [list(tokens) for _ in rngs]
    masked = [[n for n, token in enumerate(tokens) if token == MASK] for _ in rngs]
    total, vocab_size = names[0].count(MASK), len(state_dict['wte'])
    for i in range(1, steps + 1):
        left = masks_left(total, i, steps)
        if left == len(masked[0]):
            continue
        cooled = temperature * (1 - (i - 1) / steps / 2)
        with torch.no_grad():
            batch = mask_predictor(state_dict, names).cpu()
        for name, places, logits, rng in zip(names, masked, batch, rngs):
            confidence = {}
            for n in places:
                options = logits[n, list(allowed(name, n, shortest, vocab_size))]
                best = options.log_softmax(0).max().item()
                confidence[n] = best + noise * left / total * gumbel(rng)
            places.sort(key=confidence.get, reverse=True)
            for n in places[:len(places) - left]:
                options = allowed(name, n, shortest, vocab_size)
                name[n] = draw(logits[n], options, microdiffusion.PAD, rng, cooled)
            places[:] = sorted(places[len(places) - left:])
        yield i, cooled, [list(name) for name in names]


# 10. The yardstick: the programs' held_out_nats, with in_batches instead of the built-in map.

def example_nats(state_dict, names, ks=None, seeds=None):
    """-log p of each name, or its NELBO estimated by one draw for each k in its ks."""
    if lab_of(state_dict) is microgpt:
        return cross_entropies(state_dict, names).sum(1)
    rngs, length, total = [random.Random(seed) for seed in seeds], len(names[0]), 0.0
    for turn in zip(*ks):                   # a k for each name
        hidden = [rng.sample(range(length), k) for rng, k in zip(rngs, turn)]
        noisy = [[MASK if n in places else token for n, token in enumerate(name)]
                 for name, places in zip(names, hidden)]
        sums = cross_entropies(state_dict, names, noisy).sum(1)
        total += sums * sums.new_tensor([length / k for k in turn])
    return total / len(ks[0])

def in_batches(_, state_dicts, *columns):
    """Gives nats for each example, worked out for many at once."""
    rows = zip(*columns)
    for batch in iter(lambda: list(itertools.islice(rows, 256)), []):
        with torch.no_grad():
            yield from example_nats(next(state_dicts), *zip(*batch)).tolist()


# 12. Files and commands, in the words of the programs.

def save(path, state_dict, vocab):
    """Write a model, which its program can load if it has the program's size."""
    lab = lab_of(state_dict)
    lab.save(path, {name: [[lab.Value(number) for number in row] for row in matrix.tolist()]
                    for name, matrix in state_dict.items()}, vocab)

def load(path, lab):
    """The (state_dict, vocab) of a saved model, whatever its size."""
    with open(path, encoding='utf-8') as file:
        model = json.load(file)
    ours = lab.PROGRAM, lab.heads, lab.slope
    if (model.get('program'), model.get('heads'), model.get('slope')) != ours:
        raise lab.InputError(f'{path} is not a model of {lab.PROGRAM}.py with heads {lab.heads} and '
                             f'slope {lab.slope}')
    return {name: torch.tensor(matrix, dtype=torch.float64)
            for name, matrix in model['state_dict'].items()}, model['vocab']

def write(state_dict, vocab, rngs):
    """A name for each rng, with the program's settings."""
    lab = lab_of(state_dict)
    if lab is microgpt:
        names = generate(state_dict, [], rngs, *lab.generate.__defaults__)
    else:
        start = [MASK] * lab.block_size
        *_, (_, _, names) = denoise(state_dict, start, rngs, *lab.denoise.__defaults__)
    return [lab.decode(tokens, vocab).strip(lab.SPECIAL) for tokens in names]

def learn(args):
    """Make or load a model, train it, measure it, and write names."""
    lab, rng = LABS[args.model], random.Random(args.seed)
    lab.n_embd, lab.n_layer = args.n_embd, args.n_layer or lab.n_layer
    if lab.n_embd % len(lab.heads):
        raise lab.InputError(f'--n-embd: {len(lab.heads)} heads cannot share {lab.n_embd} channels')
    if args.save:
        lab.check_writable(args.save)
    docs = lab.read_names(args.names)
    if args.load:
        state_dict, vocab = load(args.load, lab)
        docs = [doc for doc in docs if set(doc) <= set(vocab)]
    else:
        vocab = lab.make_vocab(docs)
        state_dict = make_weights(lab, len(vocab), rng)
    dtype = torch.float64 if args.double else torch.float32
    state_dict = {name: state_dict[name].to(args.device, dtype) for name in state_dict}
    docs, held_out = lab.split(docs)
    print(f'{len(docs)} names to learn from; {len(vocab)} tokens; '
          f'{sum(matrix.numel() for matrix in state_dict.values())} parameters')

    # Few steps have to be long ones, and wide layers want short ones. Both were tried: from 100 to
    # 5,000 steps, with batches of 8 to 256 names, and from 16 to 64 channels.
    steps = math.ceil(args.examples / args.batch)
    scale = min(3, (LAB_STEPS / max(1, steps)) ** (1 / 3))
    lr = args.lr or lab.learning_rate * scale * LAB_EMBD / state_dict['wte'].shape[1]
    examples = [lab.encode(doc, vocab) for doc in docs]
    losses = train(state_dict, examples, rng, steps, lr, args.batch)
    start = time.perf_counter()
    list(lab.progress(losses, steps, 'train'))
    seconds = time.perf_counter() - start
    print(f'trained {steps} steps of {args.batch} names in {seconds:.1f} s '
          f'({1000 * seconds / max(1, steps * args.batch):.3f} ms per name)')
    if args.save:
        save(args.save, state_dict, vocab)
    lab.evaluate(state_dict, held_out, vocab, in_batches, [])
    rng = random.Random(args.seed)
    rngs = [random.Random(rng.getrandbits(32)) for _ in range(20)]
    for n, name in enumerate(write(state_dict, vocab, rngs), 1):
        print(f'sample {n:2d}: {name}')

def table(args):
    """Print a Markdown table: the programs in 1 and 2 processes, PyTorch from equal to large."""
    print(f'{os.cpu_count()} processors, Python {platform.python_version()}, '
          f'PyTorch {torch.__version__}\n')
    print('| `python ...` | ms per name | seconds | held-out nats |')
    print('| --- | ---: | ---: | ---: |')
    examples = args.examples // 50 if args.quick else args.examples
    for model, lab in LABS.items():
        commands = [f'{lab.PROGRAM}.py --processes {count} --steps {examples // lab.batch_size}'
                    for count in (1, 2)]
        for n_embd, batch, times in [(16, 8, 1), (16, 64, 1), (16, 64, 10), (16, 256, 100),
                                     (64, 8, 1), (64, 64, 10), (64, 256, 100)]:
            commands.append(f'-m tests.in_torch train {model} --n-embd {n_embd} --batch {batch} '
                            f'--examples {times * examples}')
        for command in commands:
            output = subprocess.run([sys.executable, *command.split()], check=True,
                                    cwd=os.path.dirname(microgpt.__file__),
                                    stdout=subprocess.PIPE).stdout.decode()
            seconds, ms, nats = re.search(r' in (\S+) s \((\S+) ms (?s:.*)held-out: (\S+) nats',
                                          output).groups()
            print(f'| `{command}` | {ms} | {seconds} | {nats} |', flush=True)

def make_parser():
    """The options of the command line."""
    parser = argparse.ArgumentParser('python -m tests.in_torch')
    option, at_least = parser.add_argument, microgpt.at_least
    usual = microgpt.make_parser().get_default
    option('command', choices=['train', 'table'], help='one model; measure many')
    option('model', choices=LABS, nargs='?', default='diffusion', help='(%(default)s)')
    option('--names', metavar='FILE', default=usual('names'), help='one name a line')
    option('--examples', type=at_least(0), default=LAB_STEPS * microgpt.batch_size,
           help='to train on (%(default)s)')
    option('--batch', type=at_least(1), default=microgpt.batch_size,
           help='examples in a step (%(default)s)')
    option('--n-embd', type=at_least(1), default=LAB_EMBD, help='channels (%(default)s)')
    option('--n-layer', type=at_least(1), help='layers (those of the program)')
    option('--lr', type=at_least(1e-9), help='learning rate (by steps and channels)')
    option('--seed', type=at_least(0), default=usual('seed'), help='(%(default)s)')
    option('--device', default='cpu', help='such as cuda (%(default)s)')
    option('--double', action='store_true', help='numbers of 64 bits, like the programs')
    option('--save', metavar='FILE', help='where to keep the trained model')
    option('--load', metavar='FILE', help='a kept model to train further')
    option('--quick', action='store_true', help='a table from a fiftieth of the examples')
    return parser

def main(argv=None):
    """Run the command line; returns the exit status."""
    parser = make_parser()
    args = parser.parse_args(argv)
    if torch is None:
        print(NO_TORCH, file=sys.stderr)
        return 2
    try:
        table(args) if args.command == 'table' else learn(args)
    except (microgpt.InputError, microdiffusion.InputError, OSError) as error:
        parser.error(str(error))
    return 0


if __name__ == '__main__':
    sys.exit(main())

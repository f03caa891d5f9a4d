"""Both models in PyTorch, in batches: python -m tests.in_torch train diffusion (or gpt).

Read it as a third column beside the two programs: it has the same parts in the same order. The same
seed gives the same model as there, because every example draws its noise from a seed of its own.
What needs no tensors is taken from the programs: reading names, sampling, progress and the rest.
"""
import argparse, itertools, json, math, os, platform, random, re, subprocess, sys, time
from unittest import mock

import microdiffusion
import microgpt
from microdiffusion import MASK, PAD, corrupt
from microgpt import BOS

try:
    import torch
    from torch.nn.functional import cross_entropy, embedding, linear, rms_norm
    from torch.nn.functional import scaled_dot_product_attention
except ImportError:         # main and the tests say how to get it
    torch = None
NO_TORCH = 'tests/in_torch.py needs PyTorch: pip install torch numpy'

LABS = {'gpt': microgpt, 'diffusion': microdiffusion}
LAB_EMBD = microgpt.n_embd  # with so many channels, the program's learning rate is right
NAMES = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, 'names.txt')
NOTHING = -100              # stands where no token is to be predicted

def lab_of(state_dict):
    """The program that a model belongs to: a GPT has an output matrix of its own."""
    return microgpt if 'lm_head' in state_dict else microdiffusion


# 3. Building blocks: linear, softmax and all gradients are PyTorch's.

def rmsnorm(xs):
    """Each vector scaled to a root mean square of 1, without gain."""
    return rms_norm(xs, xs.shape[-1:], eps=1e-5)

def directions(lab, length):
    """What is added to the scores (heads, queries, keys), so that each head looks its way."""
    ahead = torch.arange(length) - torch.arange(length)[:, None]        # key - query
    look = torch.tensor(lab.heads)[:, None, None]
    return -lab.slope * ((look * ahead - 1) % lab.block_size)

def attention(xs, wq, wk, wv, bias):
    """Each position gets a mix of the values, per head; the heads side by side."""
    q, k, v = [linear(xs, w).unflatten(-1, (bias.shape[1], -1)).transpose(1, 2)
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

def transformer(state_dict, tokens, seen):
    """The vector at each position after the last layer; seen is True at the keys of each query."""
    length = tokens.shape[1]
    bias = directions(lab_of(state_dict), length).to(state_dict['wte'])
    bias = bias.masked_fill(~seen[:, None], -math.inf)
    xs = rmsnorm(embedding(tokens, state_dict['wte']) + state_dict['wpe'][:length])

    for layer in range(sum(name.endswith('mlp_fc1') for name in state_dict)):
        wq, wk, wv, wo, fc1, fc2 = [state_dict[f'layer{layer}.{name}'] for name in (
            'attn_wq', 'attn_wk', 'attn_wv', 'attn_wo', 'mlp_fc1', 'mlp_fc2')]
        xs = xs + linear(attention(rmsnorm(xs), wq, wk, wv, bias), wo)
        xs = xs + linear(linear(rmsnorm(xs), fc1).relu(), fc2)
    return xs

def gpt(state_dict, tokens):
    """The logits of what follows each token."""
    tokens = torch.as_tensor(tokens, device=state_dict['wte'].device)
    positions = torch.arange(tokens.shape[1], device=tokens.device)
    causal = positions <= positions[:, None]
    logits = linear(transformer(state_dict, tokens, causal[None]), state_dict['lm_head'])
    ruled_out = torch.zeros_like(logits, dtype=torch.bool)
    ruled_out[:, 0, BOS] = True             # a name has a letter
    ruled_out[:, microgpt.block_size - 1:, BOS + 1:] = True     # the last place ends it
    return logits.masked_fill(ruled_out, -1e6)

def settled(tokens):
    """True at each position that has no PAD before it; the others count for nothing."""
    pads = (tokens == PAD).long()
    return pads.cumsum(1) == pads

def mask_predictor(state_dict, tokens):
    """The logits of what stands at each position; those that are not settled are left as found."""
    tokens = torch.as_tensor(tokens, device=state_dict['wte'].device)
    logits = linear(transformer(state_dict, tokens, settled(tokens)[:, None]), state_dict['wte'])
    ruled_out = torch.zeros_like(logits, dtype=torch.bool)
    ruled_out[..., MASK] = True             # no name has a MASK in it
    ruled_out[..., PAD] = (tokens > PAD).flip(1).cumsum(1).flip(1) > 0      # nor ends too early
    ruled_out[:, 0, PAD] = True
    ruled_out[:, microdiffusion.block_size - 1:, PAD + 1:] = True
    return logits.masked_fill(ruled_out, -1e6)


# 7. The loss of each name: its noise, if any, comes from the name's own seed.

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

def train(state_dict, examples, rng, steps, lr, batch_size):
    """Train in place; yields the mean loss over each step's names, in nats per name."""
    examples = itertools.cycle(rng.sample(examples, len(examples)))
    params = [matrix.requires_grad_() for matrix in state_dict.values()]
    *betas, eps = microgpt.Adam.step.__defaults__
    adam = torch.optim.Adam(params, lr, betas, eps, fused=True)
    for step in range(steps):
        batch = list(itertools.islice(examples, batch_size))
        seeds = [rng.getrandbits(32) for _ in batch]
        mean_loss = example_loss(state_dict, batch, seeds).mean()
        adam.zero_grad()
        mean_loss.backward()
        adam.param_groups[0]['lr'] = lr * (1 - step / steps)
        adam.step()
        yield mean_loss.item()


# 9. Sampling: the program's own, which asks for the logits of one name at a time.

def gpt_of_one(state_dict, tokens, cache):
    """In place of microgpt's gpt: its cache keeps the tokens, and all is worked out again."""
    name, _ = cache[0]
    name += tokens
    with torch.no_grad():
        logits = gpt(state_dict, [name])[0, -len(tokens):]
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


# 10. The yardstick: the program's held_out_nats, with in_batches in place of the built-in map.

def example_nats(state_dict, names, seeds):
    """-log p of each name, or its NELBO estimated by one draw of masks."""
    if lab_of(state_dict) is microgpt:
        return cross_entropies(state_dict, names).sum(1)
    noisy, weights = [], []
    for name, seed in zip(names, seeds):
        rng = random.Random(seed)
        k = rng.randint(1, len(name))
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
    for name in ('program', 'block_size', 'heads', 'slope'):
        if model.get(name) != lab.constants()[name]:
            raise lab.InputError(f'{path} does not fit: its {name} is {model.get(name)!a}')
    return {name: torch.tensor(matrix, dtype=torch.float64)
            for name, matrix in model['state_dict'].items()}, model['vocab']

def learn(args):
    """Make or load a model, train it, measure it, and write names."""
    lab, rng = LABS[args.model], random.Random(args.seed)
    lab.n_embd, lab.n_layer = args.n_embd, args.n_layer or lab.n_layer
    if args.load:
        state_dict, vocab = load(args.load, lab)
        docs = lab.read_names(args.names, vocab)
    else:
        docs = lab.read_names(args.names)
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
    scale = min(3, (microgpt.num_steps / max(1, steps)) ** (1 / 3))
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
    lab.evaluate(state_dict, held_out, vocab, in_batches)

    rng, options = random.Random(args.seed), lab.make_parser().parse_args([])
    for n in range(1, options.samples + 1):
        name = write(state_dict, vocab, lab.read_prompt('', vocab), options, rng.getrandbits(32))
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
        for size, batch, times in [('', 8, 1), ('', 64, 1), ('', 64, 10), ('', 256, 100),
                                   (' --n-embd 64 --n-layer 2', 64, 10),
                                   (' --n-embd 64 --n-layer 2', 256, 100)]:
            commands.append(f'-m tests.in_torch train {model}{size} --batch {batch} '
                            f'--examples {times * examples}')
        for command in commands:
            output = subprocess.run([sys.executable, *command.split()], check=True,
                                    cwd=os.path.dirname(os.path.abspath(microgpt.__file__)),
                                    stdout=subprocess.PIPE).stdout.decode()
            seconds, ms, nats = re.search(r' in (\S+) s \((\S+) ms (?s:.*)held-out: (\S+) nats',
                                          output).groups()
            print(f'| `{command}` | {ms} | {seconds} | {nats} |', flush=True)

def make_parser():
    """The options of the command line."""
    parser = argparse.ArgumentParser('python -m tests.in_torch')
    option, at_least = parser.add_argument, microgpt.at_least
    option('command', choices=['train', 'table'], help='one model; measure many')
    option('model', choices=LABS, nargs='?', default='diffusion', help='(%(default)s)')
    option('--names', metavar='FILE', default=NAMES, help='one name a line')
    option('--examples', type=at_least(0), default=microgpt.num_steps * microgpt.batch_size,
           help='to train on (%(default)s)')
    option('--batch', type=at_least(1), default=microgpt.batch_size,
           help='examples in a step (%(default)s)')
    option('--n-embd', type=at_least(1), default=LAB_EMBD, help='channels (%(default)s)')
    option('--n-layer', type=at_least(1), help='layers (those of the program)')
    option('--lr', type=float, help='learning rate (by steps and channels)')
    option('--seed', type=at_least(0), default=42, help='(%(default)s)')
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
        parser.error(error)
    return 0


if __name__ == '__main__':
    sys.exit(main())

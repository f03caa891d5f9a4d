"""Make the models in tests/models, or say whether they are still what the programs make.

python -m tests.make_models trains both programs as their command lines do, and keeps the weights
rounded: small files that --load takes.
"""
import json
import multiprocessing
import os
import random
import sys

import microdiffusion
import microgpt

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDER = os.path.join(TOP, 'tests', 'models')
NAMES = os.path.join(TOP, 'names.txt')
SEED = 42                   # the default of --seed
DIGITS = 6                  # after the point


def train(lab, steps=None):
    """(state_dict, vocab) of the default run of a program, by all processors."""
    docs = lab.read_names(NAMES)
    vocab = lab.make_vocab(docs)
    rng = random.Random(SEED)
    state_dict = lab.make_weights(len(vocab), rng)
    examples = [lab.encode(doc, vocab) for doc in lab.split(docs)[0]]
    options = {} if steps is None else {'steps': steps}
    with lab.processes(min(multiprocessing.cpu_count(), lab.batch_size), len(vocab)) as spread:
        for n, loss in enumerate(lab.train(state_dict, examples, rng, spread=spread, **options), 1):
            if n % 100 == 0:
                print(f'{lab.PROGRAM}: step {n}, {loss:.2f} nats', file=sys.stderr, flush=True)
    return state_dict, vocab

def path_of(lab, folder):
    """Where the model of a program is kept."""
    return os.path.join(folder, lab.PROGRAM + '.json')

def write(lab, folder, state_dict, vocab):
    """Save a model with --save's own function, then round what it wrote; returns the path."""
    path = path_of(lab, folder)
    lab.save(path, state_dict, vocab)
    with open(path, encoding='utf-8') as file:
        model = json.load(file)
    for matrix in model['state_dict'].values():
        for row in matrix:
            row[:] = [round(number, DIGITS) for number in row]
    with open(path, 'w', encoding='utf-8') as file:
        json.dump(model, file, separators=(',', ':'))
    return path

def names(lab, state_dict, vocab):
    """The names that the command line writes with all its defaults."""
    args = lab.make_parser().parse_args([])
    rng = random.Random(SEED)
    seeds = [rng.getrandbits(32) for _ in range(args.samples)]
    prompt = lab.read_prompt('', vocab)
    return [lab.write(state_dict, vocab, prompt, args, seed)[0] for seed in seeds]

def make(folder, steps=None):
    """Train both, and keep them."""
    os.makedirs(folder, exist_ok=True)
    for lab in (microgpt, microdiffusion):
        state_dict, vocab = train(lab, steps)
        path = write(lab, folder, state_dict, vocab)
        exact, rounded = names(lab, state_dict, vocab), names(lab, *lab.load(path))
        alike = sum([a == b for a, b in zip(exact, rounded)])
        print(f'{lab.PROGRAM}: {os.path.getsize(path)} bytes; {alike} of the {len(exact)} names of '
              f'the exact weights: {" ".join(rounded)}')

def check(folder, steps=None):
    """Train both afresh, and compare: 0 if each kept weight is the new one, rounded."""
    status = 0
    for lab in (microgpt, microdiffusion):
        kept, vocab = lab.load(path_of(lab, folder))
        state_dict, new_vocab = train(lab, steps)
        pairs = zip(lab.parameters(kept), lab.parameters(state_dict))
        furthest = max([abs(a.data - b.data) for a, b in pairs])
        same = vocab == new_vocab and furthest <= 0.51 * 10 ** -DIGITS
        alike = names(lab, kept, vocab) == names(lab, state_dict, new_vocab)
        print(f'{lab.PROGRAM}: {"what" if same else "NOT what"} the program makes (weights differ '
              f'by up to {furthest:.1e}, {"no" if alike else "some"} names do)')
        status |= not same
    return status


if __name__ == '__main__':
    make(*(sys.argv[1:2] or [FOLDER]))

"""Write a hundred names with a trained model, and show figures to compare them by.

    python -m tests.exercises.sample microdiffusion --denoise-steps 4

It uses the trained model of tests/models. What follows the name of the program are options of the
program. The nats per character tell how usual the names are: a small model of the names in
names.txt, which counts four letters at a time, is asked what each character costs.
"""
import pathlib, sys
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))    # for an editor's Run button

import importlib
import os
import random
from unittest import mock

from tests.judge import NGram, characters

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAMS = {'microgpt': 'gpt', 'microdiffusion': 'mask_predictor'}


def figures(names, judge):
    """What is to be compared, in a line."""
    length = sum(map(len, names)) / len(names)
    nats = sum(map(judge.nats, names)) / characters(names)
    return (f'{len(names)} names, {len(set(names))} of them distinct; mean length {length:.2f}; '
            f'{nats:.2f} nats per character')

def write_names(program, options):
    """Names from the trained model of a program, and how often it was evaluated."""
    model = os.path.join(TOP, 'tests', 'models', program.PROGRAM + '.json')
    args = program.make_parser().parse_args(['--load', model, '--samples', '100', *options])
    state_dict, vocab, _ = program.load(args.load)
    prompt = program.read_prompt(args.prompt, vocab)
    rng = random.Random(args.seed)
    seeds = [rng.getrandbits(32) for _ in range(args.samples)]

    name = PROGRAMS[program.PROGRAM]
    with mock.patch.object(program, name, wraps=getattr(program, name)) as model:
        names = [program.write(state_dict, vocab, prompt, args, seed)[0] for seed in seeds]
    return names, model.call_count

def main(arguments):
    """Returns the exit status."""
    if not arguments or arguments[0] not in PROGRAMS:
        print(f'name a program: python -m tests.exercises.sample {" or ".join(PROGRAMS)}')
        return 2
    return show(importlib.import_module(arguments[0]), arguments[1:])

def show(program, options):
    """Print the names of a program in rows, and the figures; returns the exit status."""
    program.no_collector()
    try:
        names, evaluations = write_names(program, options)
    except (program.InputError, OSError) as error:
        print(error)
        return 2
    if not names:
        print('there is nothing to measure: let it write at least one name, with --samples 100')
        return 2
    for n in range(0, len(names), 6):
        print(' '.join([name.ljust(13) for name in names[n:n + 6]]).rstrip())

    train, held_out = program.split(program.read_names(os.path.join(TOP, 'names.txt')))
    judge = NGram(train, 4)
    print(f'from the model: {figures(names, judge)}; '
          f'{evaluations / len(names):.1f} evaluations a name')
    print(f'real names:     {figures(held_out, judge)}')
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))

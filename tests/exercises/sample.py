"""Names of a trained model, and figures to compare them by.

    python -m tests.exercises.sample microdiffusion --denoise-steps 4

It runs the program with the trained model of tests/models and 100 samples; what follows the name of
the program are options of the program. Nats per character are those of a small model of the names
in names.txt (4-grams): the lower, the more usual the names.
"""
import argparse
import os
import re
import subprocess
import sys

from tests.judge import NGram, characters

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def figures(names, judge):
    """What is to be compared, in a line."""
    length = sum(map(len, names)) / len(names)
    nats = sum(map(judge.nats, names)) / characters(names)
    return (f'{len(names)} names, {len(set(names))} of them distinct; mean length {length:.2f}; '
            f'{nats:.2f} nats per character')

def main(argv=None):
    """Run the program, print its names in rows, and the figures; returns the exit status."""
    parser = argparse.ArgumentParser('python -m tests.exercises.sample',
                                     description=__doc__.splitlines()[0])
    parser.add_argument('program', choices=('microgpt', 'microdiffusion'))
    parser.add_argument('options', nargs=argparse.REMAINDER, help='options of the program')
    args = parser.parse_args(argv)
    command = [sys.executable, os.path.join(TOP, args.program + '.py'), '--samples', '100',
               '--load', os.path.join(TOP, 'tests', 'models', args.program + '.json')]
    done = subprocess.run(command + args.options, stdout=subprocess.PIPE, universal_newlines=True)
    if done.returncode:
        return done.returncode

    names = re.findall(r'^sample +\d+: (.*)$', done.stdout, re.MULTILINE)
    for n in range(0, len(names), 6):
        print(' '.join([name.ljust(15) for name in names[n:n + 6]]).rstrip())
    with open(os.path.join(TOP, 'names.txt'), encoding='utf-8') as file:
        real = file.read().split()
    judge = NGram(real, 4)
    print('from the model: ' + figures(names, judge))
    print('names.txt:      ' + figures(real, judge))
    return 0


if __name__ == '__main__':
    sys.exit(main())

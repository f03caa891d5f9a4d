"""Make the models in tests/models: python -m tests.make_models. With --check, compare them instead.

Both programs are run with their defaults and --save. The weights are then rounded to six digits
after the point, which makes small files that --load takes.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import microdiffusion
import microgpt

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDER = os.path.join(TOP, 'tests', 'models')
DIGITS = 6

def make(lab, folder, options=()):
    """Train a model with the program's command line, and keep it in a folder; returns its path."""
    path = os.path.join(folder, lab.PROGRAM + '.json')
    program = os.path.join(TOP, lab.PROGRAM + '.py')
    subprocess.run([sys.executable, program, '--save', path, *options], check=True)
    with open(path, encoding='utf-8') as file:
        model = json.load(file)
    for matrix in model['state_dict'].values():
        for row in matrix:
            row[:] = [round(number, DIGITS) for number in row]
    with open(path, 'w', encoding='utf-8') as file:
        json.dump(model, file, separators=(',', ':'))
    return path

def furthest(lab, path, other):
    """How far the weights of two models are apart where they are furthest apart."""
    (one, vocab, _), (two, other_vocab, _) = lab.load(path), lab.load(other)
    if vocab != other_vocab:
        raise lab.InputError(f'the letters differ: {vocab} and {other_vocab}')
    return max([abs(a.data - b.data) for a, b in zip(lab.parameters(one), lab.parameters(two))])

def check(folder, options=()):
    """Train both models anew, and compare; returns the exit status."""
    status = 0
    with tempfile.TemporaryDirectory() as fresh:
        for lab in (microgpt, microdiffusion):
            kept = os.path.join(folder, lab.PROGRAM + '.json')
            distance = furthest(lab, kept, make(lab, fresh, options))
            equal = distance < 2 * 10 ** -DIGITS
            print(f'{lab.PROGRAM}: {"equal" if equal else "NOT equal"}; the weights differ by '
                  f'{distance:.6f} at most')
            status |= not equal
    return status

def main(argv=None):
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser('python -m tests.make_models',
                                     description=__doc__.splitlines()[0])
    parser.add_argument('--check', action='store_true',
                        help='train both models anew, and say whether the kept ones are equal')
    if parser.parse_args(argv).check:
        return check(FOLDER)
    for lab in (microgpt, microdiffusion):
        make(lab, FOLDER)
    return 0


if __name__ == '__main__':
    sys.exit(main())

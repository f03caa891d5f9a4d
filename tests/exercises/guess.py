"""What a trained model guesses at each hidden place of a name: the likeliest four, in percent.

    python -m tests.exercises.guess m__ia.

A _ is a hidden letter. The . ends the name; without it, the name may go on. The places are counted
from 1.
"""
import pathlib, sys
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))    # for an editor's Run button

import os

import microdiffusion
from microdiffusion import MASK

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MODEL = os.path.join(TOP, 'tests', 'models', 'microdiffusion.json')


def guesses(pattern):
    """For each hidden place of a name: its number, and (percent, letter) from the likeliest on."""
    state_dict, vocab, _ = microdiffusion.load(MODEL)
    tokens, least_letters = microdiffusion.read_prompt(pattern, vocab)
    logits = microdiffusion.mask_predictor(state_dict, tokens)
    microdiffusion.rule_out(logits, tokens, least_letters)
    for n, z in enumerate(logits):
        if tokens[n] == MASK:
            probs = [p.data for p in microdiffusion.softmax(z)]
            row = [(100 * p, letter) for p, letter in zip(probs, vocab)]
            yield n + 1, sorted(row, reverse=True)

def main(arguments):
    """Print the guesses; returns the exit status."""
    try:
        rows = list(guesses(*arguments)) if len(arguments) == 1 else []
    except microdiffusion.InputError as error:
        print(error)
        return 2
    if not rows:
        print('give one name with hidden letters: python -m tests.exercises.guess m__ia.')
        return 2
    for n, row in rows:
        print(f'place {n:2d}: ' + '  '.join([f'{letter} {percent:4.1f} %'
                                             for percent, letter in row[:4]]))
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))

"""Exercise 3, left to right: let the diffusion model write like a GPT.

Level: easy. About 15 minutes. It belongs to chapter 15 of the lesson.

Do: Change denoise in microdiffusion.py. Each step should reveal the masked positions that are
furthest to the left, not those that the model is surest of. It should reveal as many of them as
before. Predict first: will the names be better, worse or the same? Then compare. This command
writes a hundred names with a trained model, and shows figures of them:

    python -m tests.exercises.sample microdiffusion

Look at: the line in denoise, part 9, that makes the list `surest`.
Hint: The keys of `confidence` are the masked positions.
"""
import pathlib, sys
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))    # for an editor's Run button

import random

import microdiffusion
from microdiffusion import MASK
from tests.exercises import checking
from tests.exercises.checking import logs

VOCAB = '_.ab'


class LeftToRight(checking.Exercise):
    def check(self):
        for slope in (0.5, -0.5):           # surer to the right, surer to the left
            self.stand_in(microdiffusion, lambda tokens, n: logs(0, 1e-9) + [8 + slope * n, 0.0])
            for start in ([MASK] * 14, [3, 0, 0, 2, 0, 0, 0, 2] + [0] * 6):
                self.trying(f'denoise from {microdiffusion.decode(start, VOCAB)} (a made-up model '
                            'with the letters a and b; 16 steps)',
                            'what `surest` is sorted by: the place, not the confidence')
                masked = [n for n, token in enumerate(start) if token == MASK]
                steps = microdiffusion.denoise(None, start, random.Random(0), 16)
                try:
                    for i, _, tokens in steps:
                        self.check_step(i, masked, tokens)
                except TypeError as error:  # maybe in a line that only uses the list
                    self.expect(False, checking.blame(error), 'no exception',
                                'what `surest` is sorted by, and that it is a list of indexes, '
                                'such as [0, 1]; a line above that you did not change only uses it')

    def check_step(self, i, masked, tokens):
        """That the right number of positions has been revealed by step i, and the right ones."""
        shown = [n for n in masked if tokens[n] != MASK]
        count = len(masked) - microdiffusion.masks_left(len(masked), i, 16)
        got = f'{microdiffusion.decode(tokens, VOCAB)} after step {i}: revealed are {shown}'
        expected = f'{masked[:count]}'
        self.expect(len(shown) == count, got, f'{expected} ({count} revealed, not {len(shown)})',
                    '`surest`: how many it takes, and only masked places: the keys of confidence')
        self.expect(shown == masked[:count] or shown != masked[-count:], got, expected,
                    'which end comes first')
        self.expect(shown == masked[:count], got, expected)


if __name__ == '__main__':
    sys.exit(checking.run(__file__))

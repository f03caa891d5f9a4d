"""Exercise 6, left to right: let the diffusion model write like a GPT.

Level: easy. About 15 minutes.

Do: change denoise in microdiffusion.py so that each step reveals the masked positions
furthest to the left, not the surest ones, and as many of them as before. Then compare
the names with those of the surest first (100 names of a trained model, and figures of
them):

    python -m tests.exercises.sample microdiffusion --denoise-steps 4

Look at: in denoise, part 9, what `masked` is sorted by, and which of it are `surest`.
Hint: the confidence is no longer needed, and `masked` is in order from the start.
Lab tests this breaks: which positions are revealed, with and without noise; by chance,
that another seed gives other names; what the command line prints; a quoted line of the
README.
"""
import random

import microdiffusion
from microdiffusion import MASK
from tests.exercises import Exercise, logs, weights

VOCAB = '_.ab'


class LeftToRight(Exercise):
    def test_order(self):
        self.check(lambda tokens, n: logs(0, 0.01) + [n / 2, 0.0])          # surer to the right
        self.check(lambda tokens, n: logs(0, 0.01) + [8 - n / 2, 0.0])      # surer to the left

    def check(self, logits):
        self.stand_in(microdiffusion, logits)
        for start in ([MASK] * 14, [3, 0, 0, 2, 0, 0, 0, 2] + [0] * 6):
            self.trying(f'denoise from {microdiffusion.decode(start, VOCAB)}',
                        'the loop of denoise')
            masked = [n for n, token in enumerate(start) if token == MASK]
            tokens = start
            for i, _, tokens in microdiffusion.denoise(weights(microdiffusion, 4), start,
                                                       random.Random(0), 16):
                self.check_step(i, masked, tokens)
            self.expect(MASK not in tokens, microdiffusion.decode(tokens, VOCAB), 'no _ at the end',
                        'what is left in `masked`: all but the revealed')

    def check_step(self, i, masked, tokens):
        """That the right number of positions has been revealed by step i, and the right ones."""
        shown = [n for n in masked if tokens[n] != MASK]
        count = len(masked) - microdiffusion.masks_left(len(masked), i, 16)
        came_out = f'{microdiffusion.decode(tokens, VOCAB)} after step {i}: revealed are {shown}'
        expected = f'{masked[:count]}'
        self.expect(shown != masked[-count:] or shown == masked[:count], came_out, expected,
                    'which end comes first: `masked` is sorted the other way round, or `surest` is '
                    'cut from its end')
        self.expect(len(shown) == count, came_out, f'{expected}: {count}, not {len(shown)}',
                    'the slices: how many `surest` takes, and that the rest stays in `masked`')
        self.expect(shown == masked[:count], came_out, expected, 'what `masked` is sorted by')

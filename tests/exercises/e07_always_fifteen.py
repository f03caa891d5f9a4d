"""Exercise 7, always fifteen percent: why is BERT no diffusion model?

Level: medium. About 20 minutes. It belongs to chapter 12 of the lesson.

Do: BERT, a well-known model of 2018, also learns to guess hidden tokens. It always hides 15 % of
them. Change example_loss in microdiffusion.py so that each token is hidden with probability 0.15,
always. The loss is the sum of the cross-entropies, times any constant you like. Predict first: what
will become of the training loss, of the held-out nats, and of the names? Then train, before the
change and after it, about a minute each:

    python microdiffusion.py --steps 500

Look at: example_loss in part 7.
Hint: t is the probability that a token is hidden.
"""
import pathlib, sys
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))    # for an editor's Run button

import math
import random

import microdiffusion
from microdiffusion import MASK, PAD
from tests.exercises import checking

NAME = [2, 3] * 6 + [2, PAD]            # thirteen letters: no token is settled


class AlwaysFifteen(checking.Exercise):
    def check(self):
        inputs = self.stand_in(microdiffusion, most=1000, logits=lambda tokens, n:
                               checking.logs(0, 1e-12, 0.6, 0.4))
        masks, ratios = [], set()
        for seed in range(600):
            self.trying('example_loss of a name of 13 letters, 600 draws', 'example_loss in part 7')
            del inputs[:]
            loss = microdiffusion.example_loss(None, NAME, random.Random(seed))
            self.expect(isinstance(loss, microdiffusion.Value), repr(loss), 'a Value',
                        'what example_loss returns')
            hidden = [n for n, token in enumerate((inputs or [NAME])[-1]) if token == MASK]
            right = sum([-math.log({2: 0.6, 3: 0.4, PAD: 1.0}[NAME[n]]) for n in hidden])
            masks.append(len(hidden))
            if right:
                ratios.add(round(loss.data / right, 6))

        share = sum(masks) / len(masks) / 14
        self.expect(abs(share - 0.15) < 0.015, f'{100 * share:.0f} % of the tokens hidden', '15 %',
                    't: it is not drawn any more, it is 0.15')
        self.expect(max(masks) > 4, f'never more than {max(masks)} of 14 tokens hidden',
                    'now and then five or more', 'corrupt: each token is still hidden by itself')
        self.expect(len(ratios) == 1, 'losses that are not the sum of the cross-entropies',
                    'the sum, times a constant', 'what the sum is multiplied with or divided by')


if __name__ == '__main__':
    sys.exit(checking.run(__file__))

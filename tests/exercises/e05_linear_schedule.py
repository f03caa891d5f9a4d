"""Exercise 5, linear schedule: reveal about as many tokens at each step.

Level: easy. About 15 minutes.

Do: change masks_left in microdiffusion.py so that after step i, floor(total (1 - i /
steps)) MASKs are left, instead of the cosine. Then compare names of few steps with
those of the cosine (100 names of a trained model, and figures of them):

    python -m tests.exercises.sample microdiffusion --denoise-steps 3

Look at: masks_left in part 9, and where denoise calls it.
Hint: total is the number of MASKs at the start, not of those still there. floor and //
give whole numbers; beware of what floats make of 10 times (1 - 9 / 10).
Lab tests this breaks: how many MASKs are left; which positions are revealed without
noise; what the command line prints; a quoted line of the README.
"""
import math
import random

import microdiffusion
from microdiffusion import MASK
from tests.exercises import Exercise, logs, weights


class LinearSchedule(Exercise):
    def test_1_masks_left(self):
        for total, steps in ((14, 8), (14, 4), (6, 8), (5, 2), (3, 1), (10, 10)):
            turns = range(1, steps + 1)
            self.trying(f'masks_left({total}, i, {steps}) for i = 1 to {steps}',
                        'masks_left in part 9: total * (1 - i / steps), and its floor')
            got = [microdiffusion.masks_left(total, i, steps) for i in turns]
            right = [total * (steps - i) // steps for i in turns]
            self.expect(all(type(left) is int for left in got), got, f'{right}: whole numbers',
                        'what makes it a whole number: //, or math.floor')
            self.check(got, right, total, steps)

    def check(self, got, right, total, steps):
        """That these are the right numbers, or else which slip makes them."""
        turns = range(1, steps + 1)
        slips = {
            'the cosine: it is still there':
                [math.floor(round(total * math.cos(math.pi / 2 * i / steps), 9)) for i in turns],
            'what it returns: how many are left, not how many are revealed':
                [total * i // steps for i in turns],
            'which way it is rounded: down, with floor or //':
                [math.ceil(total * (steps - i) / steps) for i in turns],
            'i, which counts from 1: nothing is left after the last step':
                [total * (steps - i + 1) // steps for i in turns],
            'the rounding: floats make a little less than a whole number of some of these; use '
            'whole numbers and //, or round() as the cosine did':
                [math.floor(total * (1 - i / steps)) for i in turns]}
        for look, numbers in slips.items():
            self.expect(got == right or got != numbers, got, right, look)
        self.expect(got == right, got, right)

    def test_2_denoise(self):
        self.stand_in(microdiffusion, lambda tokens, n: logs(0, 0.1, 0.5, 0.4))
        for total, steps in ((14, 8), (6, 3)):
            tokens = [2] * (14 - total) + [MASK] * total
            self.trying(f'denoise with {total} MASKs in {steps} steps, the MASKs left',
                        'where denoise calls masks_left: its total is that of the start')
            got = [shown.count(MASK) for _, _, shown in microdiffusion.denoise(
                weights(microdiffusion, 4), tokens, random.Random(0), steps)]
            right = [total * (steps - i) // steps for i in range(1, steps + 1)]
            self.expect(got == right, got, right)

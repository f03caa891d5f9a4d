"""Exercise 4, the linear schedule: reveal equally many tokens at each step.

Level: easy. About 15 minutes. It belongs to chapter 15 of the lesson.

Do: Change masks_left in microdiffusion.py. After step i there should be total * (1 - i / steps)
MASKs left, rounded down, instead of what the cosine gives. Predict first: with few steps, will the
names become better or worse? With many? Then compare both schedules with 2, 3, 8 and 20 steps. This
command writes a hundred names with a trained model, and shows figures of them:

    python -m tests.exercises.sample microdiffusion --denoise-steps 3

Look at: masks_left in part 9. `total` is the number of MASKs at the start.
Hint: With whole numbers and // nothing needs to be rounded. With floats,
10 * (1 - 9 / 10) is 0.9999999999999998, so int gives 0.
"""
import pathlib, sys
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))    # for an editor's Run button

import math

import microdiffusion
from tests.exercises import checking


class LinearSchedule(checking.Exercise):
    def check(self):
        for total, steps in ((14, 8), (14, 4), (6, 8), (5, 2), (3, 1), (10, 10)):
            turns = range(1, steps + 1)
            self.trying(f'masks_left({total}, i, {steps}) for i = 1 to {steps}',
                        'masks_left in part 9: total * (1 - i / steps), rounded down')
            got = [microdiffusion.masks_left(total, i, steps) for i in turns]
            right = [total * (steps - i) // steps for i in turns]
            self.expect(None not in got, got, right,
                        'masks_left returns nothing: is there a return?')
            self.expect(all(type(left) is int for left in got), got, f'{right}: whole numbers',
                        '// of whole numbers gives a whole number, of a float it gives a float')
            if got == right:
                continue

            slips = {
                'the cosine: it is still there':
                    [int(total * math.cos(math.pi / 2 * i / steps) + 1e-9) for i in turns],
                'what it returns: how many are left, not how many are revealed':
                    [total * i // steps for i in turns],
                'which way it is rounded: round down what is left, not what is revealed':
                    [math.ceil(total * (steps - i) / steps) for i in turns],
                'i, which counts from 1: nothing is left after the last step':
                    [total * (steps - i + 1) // steps for i in turns],
                'the rounding: floats make a little less than a whole number of some of these':
                    [int(total * (1 - i / steps)) for i in turns]}
            for look, numbers in slips.items():
                self.expect(got != numbers, got, right, look)
            self.expect(False, got, right)


if __name__ == '__main__':
    sys.exit(checking.run(__file__))

"""Exercise 5, linear schedule: reveal about as many tokens at each step.

Level: easy. About 15 minutes.

Do: change denoise in microdiffusion.py so that after step i, floor(K (1 - i / steps)) of the K
MASKs are left, instead of the cosine. Then compare names of 2, 4 and 8 steps, with those of the
cosine too:

    python microdiffusion.py --steps 500 --save m.json
    python microdiffusion.py --load m.json --denoise-steps 4

Look at: `left`, `total` and the schedule's formula in denoise, part 9.
Hint: K is the number of MASKs at the start, not of those still there. Keep the 1e-9, as 10 times
(1 - 9 / 10) comes out just below 1; or use whole numbers: total * (steps - i) // steps.
Lab tests this breaks: how many tokens each step reveals; which positions are revealed without
noise, as there are more of them in the first step; an example and a quoted line of the README; the
reference output of the command line.
"""
import random
import microdiffusion as m
from tests.exercises import Exercise, logs, weights

class LinearSchedule(Exercise):
    def test_masks_left(self):
        self.stand_in(m, lambda tokens, n: logs(0, 0.1, 0.5, 0.4))
        for total, steps in ((16, 8), (16, 4), (6, 8), (5, 2), (3, 1), (10, 10)):
            tokens = [2] * (16 - total) + [m.MASK] * total
            found = {i: name.count(m.MASK) for i, heat, name in
                     m.denoise(weights(m, 4), tokens, random.Random(0), steps)}
            got, right, left = [], [], total
            for i in range(1, steps + 1):
                left = found.get(i, left)               # a step that reveals nothing is not shown
                got.append(left)
                right.append(total * (steps - i) // steps)
            self.expect(got == right, f'denoise with {total} MASKs in {steps} steps',
                        f'{got} of them left after each step', right, '`left` in denoise; the 1e-9')

"""Exercise 6, left to right: let the diffusion model write like a GPT.

Level: easy. About 15 minutes.

Do: change denoise in microdiffusion.py so that each step keeps the guesses furthest to the left,
not the surest ones. Then compare the names with those of the surest first:

    python microdiffusion.py --steps 500 --save m.json
    python microdiffusion.py --load m.json --denoise-steps 4

Look at: in denoise, part 9, what `masked` is sorted by, and what of it is remasked.
Hint: the confidence is no longer needed, and `masked` is in order from the start.
Lab tests this breaks: which positions are revealed without noise, and with much of it; a quoted
line of the README; of the command line, the reference output and, by chance, the names with
accents.
"""
import random
import microdiffusion as m
from tests.exercises import Exercise, logs, weights

class LeftToRight(Exercise):
    def test_order(self):
        def surer_to_the_right(tokens, n): return logs(0, 0.01, 0.9, 0.09)[:2] + [n / 2, 0.0]
        def surer_to_the_left(tokens, n): return logs(0, 0.01, 0.9, 0.09)[:2] + [8 - n / 2, 0.0]
        for logits in (surer_to_the_right, surer_to_the_left):
            self.stand_in(m, logits)
            for start in ([m.MASK] * 16, [3, 0, 0, 2, 0, 0, 0, 2] + [0] * 8):
                masked = [n for n, token in enumerate(start) if token == m.MASK]
                steps = list(m.denoise(weights(m, 4), start, random.Random(0)))
                for i, heat, name in steps:
                    shown = [n for n in masked if name[n] != m.MASK]
                    self.expect(shown == masked[:len(shown)], f'step {i} of denoise from '
                                f'{m.decode(start, "_.ab")}', f'{m.decode(name, "_.ab")}: '
                                f'revealed at {shown}', masked[:len(shown)], 'masked.sort(...)')
                self.expect(steps and m.MASK not in steps[-1][2], 'the last step of denoise',
                            m.decode(steps[-1][2] if steps else start, '_.ab'), 'no _ in it',
                            'what is remasked')

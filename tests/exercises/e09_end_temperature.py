"""Exercise 9, the end at temperature T: why do names come out short?

Level: medium. About 20 minutes.

Do: change draw in microgpt.py and microdiffusion.py alike, so that the end is a token
like any, and leave min-p out: one draw among all the tokens, from softmax(logits / T).
That is the plainest sampler there is. Then compare the lengths of the names, before the
change and after it, at a low temperature and at a high one:

    python -m tests.exercises.sample microdiffusion --temperature 0.4
    python -m tests.exercises.sample microgpt --temperature 0.4
    python -m tests.exercises.sample microgpt --temperature 1.5

Which way do they go, and why? Why more so in one of the programs?
Look at: draw in part 9.
Hint: the last two lines of draw do it, if they are not for letters only.
Lab tests this breaks: that a name ends at its own rate, and which letters may be drawn;
the shared parts, if only one file is changed; what the command line prints; a quoted
line of the README.
"""
import random

import microdiffusion
import microgpt
from tests.exercises import Exercise, logs

PROBS = 0.4, 0.32, 0.22, 0.06           # of the end, a, b and c, which min-p would leave out
DRAWS = 4000


class EndTemperature(Exercise):
    def test_1_microgpt(self):
        self.check(microgpt)

    def test_2_microdiffusion(self):
        self.check(microdiffusion)

    def check(self, module):
        end = module.END
        logits = [module.Value(z) for z in [-1e6] * end + logs(*PROBS)]
        for temperature in (0.5, 1.0, 2.0):
            powers = [p ** (1 / temperature) for p in PROBS]
            shares = [power / sum(powers) for power in powers]
            got = self.shares(module, logits, range(end, end + 4), temperature)
            self.check_shares(got, shares, temperature)

        for tokens in ([end], [end + 1, end + 2]):
            self.trying(f'draw in {module.__name__}.py from tokens {tokens} alone; END is {end}',
                        'the tokens that draw is given: there may be no end among them, or only it')
            got = {module.draw(logits, tokens, random.Random(n), 0.5) for n in range(20)}
            self.expect(got == set(tokens), f'tokens {sorted(got)}', f'tokens {tokens}')

    def shares(self, module, logits, tokens, temperature):
        """How often each token is drawn, as a share of all draws."""
        self.trying(f'{DRAWS} draws in {module.__name__}.py at temperature {temperature} from the '
                    f'end {PROBS[0]}, a {PROBS[1]}, b {PROBS[2]}, c {PROBS[3]}', 'draw in part 9')
        rng = random.Random(4)
        drawn = [module.draw(logits, tokens, rng, temperature) for _ in range(DRAWS)]
        return [drawn.count(token) / DRAWS for token in tokens]

    def check_shares(self, got, shares, temperature):
        came_out, expected = [', '.join([f'{name} {share:.2f}' for name, share in zip(
            ('end', 'a', 'b', 'c'), row)]) for row in (got, shares)]
        look = 'the temperature: softmax(logits / T), with all the tokens in one draw'
        if not got[0]:
            look = 'the end: it is never drawn'
        elif temperature >= 1 and not got[3]:
            look = 'min-p: it is to be left out, so that c is drawn too'
        elif self.alike(got, PROBS):
            look = 'the temperature: it makes no difference'
        elif abs(got[0] - PROBS[0]) < 0.04:
            look = 'the end: it is still drawn by itself, before the letters and without T'
        self.expect(self.alike(got, shares), came_out, expected, look)

    def alike(self, got, shares):
        return all(abs(x - y) < 0.04 for x, y in zip(got, shares))

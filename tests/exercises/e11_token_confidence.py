"""Exercise 11, the token's confidence: judge what was drawn, not what could have been.

Level: medium. About 30 minutes.

Do: change denoise in microdiffusion.py to the confidence of MaskGIT and LLaDA. At each step, first
draw a token for every masked position, from what allowed() gives before any of them is put in, at
the step's heat. Its confidence is the log of its own probability (at temperature 1, among the
allowed), plus the noise as before. Then go from the surest to the least sure and put these tokens
in; only where surer ones have made the token impossible (a letter right of a PAD, or a PAD left of
a letter), draw again from what allowed() gives now, at the step's heat; the order stays. In each
version, how many of 100 names occur more than once?

    python microdiffusion.py --steps 500 --save m.json
    python microdiffusion.py --load m.json --samples 100

Look at: the two loops of denoise, part 9.
Hint: keep what was drawn in a dict, as confidence does. The second loop takes it from there.
Lab tests this breaks: the length of the programs, as microdiffusion.py stands at its 400 lines;
which positions are revealed without noise; the reference output of the command line.
"""
import random
import microdiffusion as m
from tests.exercises import Exercise, legal, logs, weights

class TokenConfidence(Exercise):
    def test_first_revealed(self):
        # Of the letters, a has 0.6 and b 0.4 at position 0; at 1, a has 0.55 and b 0.45. The first
        # is the surer if it drew a, else the second is, whatever it drew.
        self.stand_in(m, lambda tokens, n: logs(0, 0.5, 0.3, 0.2) if n == 0 else
                      logs(0, 0.1, 0.495, 0.405))
        state_dict, start, rng = weights(m, 4), [m.MASK] * 2 + [m.PAD] * 14, random.Random(5)
        for temperature, share in ((1.0, 0.6), (0.2, 0.6 ** 5 / (0.6 ** 5 + 0.4 ** 5))):
            firsts = []
            for _ in range(240):
                steps = m.denoise(state_dict, start, rng, 2, temperature, 2, 0.0)
                firsts.append(m.decode(next(steps)[2][:2], '_.ab'))
            tried = (f'240 first steps from __ with a 0.6, b 0.4 at position 0 and a 0.55, b 0.45 '
                     f'at 1, PAD not allowed; T = {temperature}, no noise')
            counts = {name: firsts.count(name) for name in sorted(set(firsts))}
            self.expect(firsts.count('b_') == 0, tried, counts, 'no b_: where b was drawn at 0, '
                        'position 1 was surer', 'that the token put in is the one that was judged')
            got = firsts.count('a_') / len(firsts)
            self.expect(abs(got - share) < 0.12, tried, counts,
                        f'about {share * 240:.0f} times a_, else _a or _b',
                        'the draw: at the heat; and the confidence: of the token drawn, at '
                        'temperature 1, among the allowed')
            self.expect(firsts.count('_b') > 10 or temperature < 1, tried, counts, '_b also',
                        'how tokens are drawn')
    def test_temperature(self):
        # At temperature 3 even the b at 0 is likelier than any token at 1; at 1 it is not.
        self.stand_in(m, lambda tokens, n: logs(0, 0.1, 0.54, 0.36, 1e-9) if n == 0 else
                      logs(0, 0.1, 0.45, 0.225, 0.225))
        state_dict, start, rng = weights(m, 5), [m.MASK] * 2 + [m.PAD] * 14, random.Random(5)
        firsts = []
        for _ in range(150):
            steps = m.denoise(state_dict, start, rng, 2, 3.0, 2, 0.0)
            firsts.append(m.decode(next(steps)[2][:2], '_.abc'))
        counts = {name: firsts.count(name) for name in sorted(set(firsts))}
        self.expect(firsts.count('_a') > 8, '150 first steps from __ with a 0.6, b 0.4 at '
                    'position 0 and a 0.5, b 0.25, c 0.25 at 1; T = 3, no noise', counts,
                    '_a among them: a at 1 is surer than b at 0',
                    'the confidence: at temperature 1, whatever the heat')
    def test_noise(self):
        # At 1, whatever is drawn has 1/10: confidences 0 and -ln 10, Gumbel noise times 2.
        self.stand_in(m, lambda tokens, n: [-1e6, -1e6, 0.0] + [-1e6 if n == 0 else 0.0] * 9)
        state_dict, start, rng = weights(m, 12), [m.MASK] * 2 + [m.PAD] * 14, random.Random(7)
        firsts = [next(m.denoise(state_dict, start, rng, 2, 1.0, 2, 4.0))[2] for _ in range(400)]
        got, share = [name[1] for name in firsts].count(m.MASK), 10 ** 0.5 / (10 ** 0.5 + 1)
        self.expect(abs(got / 400 - share) < 0.09, '400 first steps from __ with a 1 at position 0 '
                    'and 10 letters 1/10 each at 1; noise=4.0', f'{got} times position 0 first',
                    f'about {400 * share:.0f} times', 'the noise: noise * left / total * gumbel')
    def test_drawn_apart(self):
        self.stand_in(m, lambda tokens, n: logs(0, 0.5, 0.5) if n == 0 else logs(0, 0.02, 0.98))
        state_dict, start, rng = weights(m, 3), [m.MASK] * 2 + [m.PAD] * 14, random.Random(8)
        firsts = [m.decode(next(m.denoise(state_dict, start, rng, 2, 1.0, 0, 0.0))[2][:2], '_.a')
                  for _ in range(100)]
        counts = {name: firsts.count(name) for name in sorted(set(firsts))}
        self.expect(firsts.count('_a') > 85, '100 first steps from __ with PAD 0.5, a 0.5 at '
                    'position 0 and PAD 0.02, a 0.98 at 1; T = 1, no noise', counts,
                    'nearly always _a, the surer', 'the draws: none is put in before all are made')
    def test_drawn_again(self):
        # The a at 1 is put in first, and forbids a PAD at 0.
        self.stand_in(m, lambda tokens, n: logs(0, 0.5, 0.3, 0.2) if n == 0 else logs(0, 0, 1, 0))
        state_dict, start, rng = weights(m, 4), [m.MASK] * 2 + [m.PAD] * 14, random.Random(9)
        names = [m.decode(next(m.denoise(state_dict, start, rng, 1, 0.2, 0, 0.0))[2][:2], '_.ab')
                 for _ in range(200)]
        counts = {name: names.count(name) for name in sorted(set(names))}
        share = 0.3 ** 5 / (0.3 ** 5 + 0.2 ** 5)
        self.expect(set(names) <= {'aa', 'ba'} and abs(names.count('aa') / 200 - share) < 0.1,
                    '200 names from __ in one step with PAD 0.5, a 0.3, b 0.2 at position 0 and '
                    'a 1 at 1; T = 0.2', counts, f'about {200 * share:.0f} times aa, else ba',
                    'what is drawn again: from what is allowed now, at the heat')
    def test_whole_names(self):
        self.stand_in(m, lambda tokens, n: logs(0, 0.3, 0.4, 0.3))
        state_dict, rng = weights(m, 4), random.Random(6)
        for steps in (1, 1, 2, 2, 8):
            for i, heat, name in m.denoise(state_dict, [m.MASK] * 16, rng, steps): pass
            self.expect(legal(name, m.MASK, m.PAD), f'a name of denoise in {steps} steps, each '
                        f'token PAD with 0.3, a 0.4, b 0.3', m.decode(name, '_.ab'),
                        'letters, then PADs only', 'allowed(): it may forbid the token drawn')

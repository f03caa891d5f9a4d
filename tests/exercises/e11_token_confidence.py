"""Exercise 11, the token's confidence: judge what was drawn, not what could have been.

Level: medium. About 30 minutes.

Do: change denoise in microdiffusion.py to the confidence of MaskGIT and LLaDA. At each step, first
draw a token for every masked position, from what allowed() gives at that moment and at the step's
heat. Its confidence is the log of its own probability (at temperature 1, among the allowed), plus
the noise as before. Then go from the surest to the least sure and put these tokens in; only where
a surer one has ended the name, so that the token is no longer allowed, draw again.
Look at: the two loops of denoise, part 9. Compare how many of 100 names are alike in both versions.
Hint: keep what was drawn in a dict, as confidence does. The second loop takes it from there.
Lab tests this breaks: those of the confidence, and those of particular names.
"""
import random
import microdiffusion as m
from tests.exercises import Exercise, legal, logs, weights

class TokenConfidence(Exercise):
    def test_first_revealed(self):
        # At position 0, a has 0.6 and b 0.4; at 1, a has 0.55 and b 0.45. The first is the surer if
        # it drew a, else the second is, whatever it drew.
        self.stand_in(m, lambda tokens, n: logs(0, 0.1, 0.54, 0.36) if n == 0 else
                      logs(0, 0.1, 0.495, 0.405))
        state_dict, start, rng = weights(m, 4), [m.MASK] * 2 + [m.PAD] * 14, random.Random(5)
        for temperature, share in ((1.0, 0.6), (0.5, 0.36 / (0.36 + 0.16))):
            firsts = []
            for _ in range(300):
                steps = m.denoise(state_dict, start, rng, 2, temperature, 2, 0.0)
                firsts.append(m.decode(next(steps)[2][:2], '_.ab'))
            tried = (f'300 first steps from __ with a 0.6, b 0.4 at position 0 and a 0.55, b 0.45 '
                     f'at 1; T = {temperature}, no noise')
            counts = {name: firsts.count(name) for name in sorted(set(firsts))}
            self.expect(firsts.count('b_') == 0, tried, counts, 'no b_: where b was drawn at 0, '
                        'position 1 was surer', 'that the token put in is the one that was judged')
            got = firsts.count('a_') / len(firsts)
            self.expect(abs(got - share) < 0.12, tried, counts,
                        f'about {share * 300:.0f} times a_, else _a or _b',
                        'the confidence: of the token drawn, at temperature 1')
            self.expect(firsts.count('_b') > 10, tried, counts, '_b also', 'how tokens are drawn')
    def test_temperature(self):
        # At temperature 3 even the b at 0 is likelier than any token at 1; at 1 it is not.
        self.stand_in(m, lambda tokens, n: logs(0, 0.1, 0.54, 0.36, 1e-9) if n == 0 else
                      logs(0, 0.1, 0.45, 0.225, 0.225))
        state_dict, start, rng = weights(m, 5), [m.MASK] * 2 + [m.PAD] * 14, random.Random(5)
        firsts = []
        for _ in range(300):
            steps = m.denoise(state_dict, start, rng, 2, 3.0, 2, 0.0)
            firsts.append(m.decode(next(steps)[2][:2], '_.abc'))
        counts = {name: firsts.count(name) for name in sorted(set(firsts))}
        self.expect(firsts.count('_a') > 20, '300 first steps from __ with a 0.6, b 0.4 at '
                    'position 0 and a 0.5, b 0.25, c 0.25 at 1; T = 3, no noise', counts,
                    '_a among them: a at 1 is surer than b at 0',
                    'the confidence: at temperature 1, whatever the heat')
    def test_whole_names(self):
        self.stand_in(m, lambda tokens, n: logs(0, 0.3, 0.4, 0.3))
        state_dict, rng = weights(m, 4), random.Random(6)
        for steps in (1, 1, 2, 2, 8):
            for i, heat, name in m.denoise(state_dict, [m.MASK] * 16, rng, steps): pass
            self.expect(legal(name, m.MASK, m.PAD), f'a name of denoise in {steps} steps, each '
                        f'token PAD with 0.3, a 0.4, b 0.3', m.decode(name, '_.ab'),
                        'letters, then PADs only', 'allowed(): it may forbid the token drawn')

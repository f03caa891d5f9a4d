"""Exercise 14, the token's confidence: judge what was drawn, not what could have been.

Level: medium. About 30 minutes.

Do: change denoise in microdiffusion.py to the confidence of MaskGIT and LLaDA. At each
step, first draw a token for every masked position, with draw, from what allowed() gives
before any of them is put in, at the step's temperature. Its confidence is the log of
its own probability (at temperature 1, among the allowed), plus the noise as before.
Then go from the surest to the least sure and put these tokens in; only where surer ones
have made the token impossible (a letter right of a PAD, or a PAD left of a letter),
draw again from what allowed() gives now, at the step's temperature; the order stays. In
each version, how many of 100 names occur more than once?

    python -m tests.exercises.sample microdiffusion

Look at: the two loops of denoise, part 9.
Hint: keep what was drawn in a dict, as confidence does. The second loop takes it from
there.
Lab tests this breaks: which positions are revealed without noise, and how noise fades;
which temperature a token is drawn at; what the command line prints; quoted lines of the
README.
"""
import random

import microdiffusion
from microdiffusion import MASK, PAD
from tests.exercises import Exercise, count_of, legal, logs, weights

TWO = [MASK] * 2 + [PAD] * 14           # a name of two letters at the most


def first_steps(count, vocab, seed, steps, temperature, shortest, noise):
    """The first two positions after a first step of denoise, so often, and its temperature."""
    rng = random.Random(seed)
    state_dict = weights(microdiffusion, len(vocab))
    shown = []
    for _ in range(count):
        _, cooled, tokens = next(microdiffusion.denoise(state_dict, TWO, rng, steps, temperature,
                                                        shortest, noise))
        shown.append(microdiffusion.decode(tokens[:2], vocab))
    return shown, cooled

def share(p, other, temperature):
    """The share of the first of two letters with these probabilities, at a temperature."""
    return p ** (1 / temperature) / (p ** (1 / temperature) + other ** (1 / temperature))


class TokenConfidence(Exercise):
    def test_1_first_revealed(self):
        # Of the letters, a has 0.6 and b 0.4 at position 0; at 1, a has 0.55 and b 0.45. The first
        # is the surer if it drew a, else the second is, whatever it drew.
        self.stand_in(microdiffusion, lambda tokens, n: logs(0, 0.5, 0.3, 0.2) if n == 0 else
                      logs(0, 0.1, 0.495, 0.405))
        for temperature in (1.0, 0.2):
            self.trying(f'240 first steps from __ with a 0.6, b 0.4 at position 0 and a 0.55, b '
                        f'0.45 at 1, PAD not allowed; temperature {temperature}, no noise',
                        'the first loop of denoise')
            firsts, cooled = first_steps(240, '_.ab', 5, 2, temperature, 2, 0.0)
            counts = count_of(firsts)
            self.expect(all(shown.count('_') == 1 for shown in firsts), counts,
                        'one position revealed by the first of two steps',
                        'the first loop of denoise: it draws tokens, but puts none of them in')
            self.expect('b_' not in firsts, counts, 'no b_: where b was drawn at 0, position 1 was '
                        'surer', 'that the token put in is the one that was drawn and judged, by '
                        'its own probability')
            right = share(0.6, 0.4, cooled)
            self.expect(abs(firsts.count('a_') / 240 - right) < 0.12, counts,
                        f'about {right * 240:.0f} times a_, else _a or _b',
                        'the draw: at the step\'s temperature; and the confidence: of the token '
                        'drawn, at temperature 1, among the allowed')
            self.expect('_b' in firsts or temperature < 1, counts, '_b also',
                        'how tokens are drawn')

    def test_2_temperature(self):
        # At temperature 3 even the b at 0 is likelier than any token at 1; at 1 it is not.
        self.stand_in(microdiffusion, lambda tokens, n: logs(0, 0.1, 0.54, 0.36, 1e-9) if n == 0
                      else logs(0, 0.1, 0.45, 0.225, 0.225))
        self.trying('150 first steps from __ with a 0.6, b 0.4 at position 0 and a 0.5, b 0.25, c '
                    '0.25 at 1; temperature 3, no noise',
                    'the confidence: at temperature 1, whatever the step\'s temperature')
        firsts, _ = first_steps(150, '_.abc', 5, 2, 3.0, 2, 0.0)
        self.expect(firsts.count('_a') > 8, count_of(firsts),
                    '_a among them: a at 1 is surer than b at 0')

    def test_3_noise(self):
        # At 1, whatever is drawn has 1/10: confidences 0 and -ln 10, Gumbel noise times 2.
        self.stand_in(microdiffusion, lambda tokens, n:
                      [-1e6, -1e6, 0.0] + [-1e6 if n == 0 else 0.0] * 9)
        self.trying('400 first steps from __ with a 1 at position 0 and 10 letters 1/10 each at 1; '
                    'noise=4.0', 'the noise: noise * left / total * gumbel(rng), as before')
        firsts, _ = first_steps(400, '_.abcdefghij', 7, 2, 1.0, 2, 4.0)
        got = len([shown for shown in firsts if shown[1] == '_'])
        right = 400 * 10 ** 0.5 / (10 ** 0.5 + 1)
        self.expect(abs(got - right) < 36, f'{got} times position 0 first',
                    f'about {right:.0f} times')

    def test_4_drawn_apart(self):
        self.stand_in(microdiffusion, lambda tokens, n: logs(0, 0.5, 0.5) if n == 0 else
                      logs(0, 0.02, 0.98))
        self.trying('100 first steps from __ with PAD 0.5, a 0.5 at position 0 and PAD 0.02, a '
                    '0.98 at 1; no noise', 'the draws: none is put in before all are made')
        firsts, _ = first_steps(100, '_.a', 8, 2, 1.0, 0, 0.0)
        self.expect(firsts.count('_a') > 85, count_of(firsts), 'nearly always _a, the surer')

    def test_5_drawn_again(self):
        # The a at 1 is put in first, and forbids a PAD at 0.
        self.stand_in(microdiffusion, lambda tokens, n: logs(0, 0.5, 0.3, 0.2) if n == 0 else
                      logs(0, 0, 1, 0))
        self.trying('200 names from __ in one step with PAD 0.5, a 0.3, b 0.2 at position 0 and a '
                    '1 at 1; temperature 0.15',
                    'what is drawn again: from what is allowed now, at the step\'s temperature')
        names, cooled = first_steps(200, '_.ab', 9, 1, 0.15, 0, 0.0)
        right = share(0.3, 0.2, cooled)
        self.expect(set(names) <= {'aa', 'ba'} and abs(names.count('aa') / 200 - right) < 0.1,
                    count_of(names), f'about {200 * right:.0f} times aa, else ba')

    def test_6_whole_names(self):
        self.stand_in(microdiffusion, lambda tokens, n: logs(0, 0.5, 0.3, 0.2))
        rng = random.Random(6)
        for steps in (1, 1, 2, 2, 8):
            self.trying(f'a name of denoise in {steps} steps, each token PAD 0.5, a 0.3, b 0.2',
                        'allowed(): it may forbid by now the token that was drawn')
            *_, (_, _, name) = microdiffusion.denoise(weights(microdiffusion, 4), [MASK] * 14, rng,
                                                      steps)
            self.expect(legal(name, MASK, PAD), microdiffusion.decode(name, '_.ab'),
                        'letters, then PADs only')

"""Exercise 8, min-p: never draw what is far less likely than the likeliest.

Level: medium. About 20 minutes.

Do: give generate in microgpt.py a last parameter min_p=0.0, which it hands on to draw.
A letter is drawn only if its probability is at least min_p times that of the likeliest
letter, both at the temperature asked for (min-p sampling, arXiv 2407.01082). The end is
drawn as before, at its own rate. With min_p=0.0 everything is as before. Then compare
names at temperature 1, with min_p=0.0 and with min_p=0.2 as the default of generate:

    python -m tests.exercises.sample microgpt --temperature 1

Look at: draw and generate in part 9.
Hint: rng.choices needs weights that stand in the right proportion; they need not add up
to 1.
Lab tests this breaks: the shared parts, as draw is changed in one file only; tests that
put something else in the place of draw.
"""
import random

import microgpt
from tests.exercises import Exercise, logs, weights


class MinP(Exercise):
    def draw(self, probs, temperature, min_p):
        """Forty names from a model that gives every token these probabilities."""
        self.replace(microgpt, gpt=lambda state_dict, tokens, cache=None: [
            [microgpt.Value(z) for z in logs(*probs)] for _ in tokens])
        state_dict = weights(microgpt, len(probs))
        rng = random.Random(3)
        return [microgpt.decode(microgpt.generate(state_dict, [], rng, temperature, min_p=min_p),
                                '.abc') for _ in range(40)]

    def test_1_which(self):
        self.need_option(microgpt.generate, 'min_p')
        for probs, temperature, min_p, letters in (
                ((0.1, 0.5, 0.3, 0.1), 1.0, 0.5, 'ab'), ((0.1, 0.5, 0.3, 0.1), 0.5, 0.3, 'ab'),
                ((0.1, 0.5, 0.3, 0.1), 0.5, 0.5, 'a'), ((0.1, 0.5, 0.3, 0.1), 2.0, 0.5, 'ab'),
                ((0.1, 0.5, 0.3, 0.1), 2.0, 0.4, 'abc'), ((0.1, 0.5, 0.3, 0.1), 1.0, 0.0, 'abc'),
                ((0.1, 0.5, 0.3, 0.1), 1.0, 1.0, 'a'), ((0.5, 0.3, 0.15, 0.05), 1.0, 0.4, 'ab')):
            self.trying(f'generate with min_p={min_p}, temperature {temperature} and probabilities '
                        f'{dict(zip(".abc", probs))}',
                        'the limit: min_p times the largest probability of a letter, both at the '
                        'temperature; what is equal to it stays')
            names = self.draw(probs, temperature, min_p)
            got = ''.join(sorted(set(''.join(names))))
            look = None
            if min_p and got == 'abc' and letters != 'abc':
                look = 'how min_p comes from generate to draw, and the weights of rng.choices there'
            self.expect(got == letters, f'the letters {got}', f'the letters {letters}', look)
            self.expect(min(map(len, names)) < microgpt.block_size - 1, 'no name ends',
                        'names that end as often as before', 'END: min_p is for letters only')

    def test_2_proportions(self):
        self.need_option(microgpt.generate, 'min_p')
        self.trying('generate with probabilities 0.5 of a, 0.3 of b, temperature 0.5, min_p=0.3',
                    'the weights of what is left: they keep their proportion')
        text = ''.join(self.draw((0.1, 0.5, 0.3, 0.1), 0.5, 0.3))
        share = 0.5 ** 2 / (0.5 ** 2 + 0.3 ** 2)
        self.expect_near(text.count('a') / max(1, len(text)), share, 'a share of a of',
                         tolerance=0.1)

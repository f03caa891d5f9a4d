"""Exercise 7, min-p: never draw what is far less likely than the likeliest.

Level: medium. About 20 minutes.

Do: give generate in microgpt.py a last parameter min_p=0.0. A token is drawn only if its
probability is at least min_p times that of the likeliest token, both at the temperature asked for
(min-p sampling, arXiv 2407.01082). With min_p=0.0 everything is as before. Then compare names at
temperature 1 with min_p=0.0 and with min_p=0.2 as the default:

    python microgpt.py --steps 500 --save g.json
    python microgpt.py --load g.json --temperature 1

Look at: `probs` in generate, part 9.
Hint: rng.choices needs weights that stand in the right proportion; they need not add up to 1.
Lab tests this breaks: none.
"""
import math, random
import microgpt as m
from tests.exercises import Exercise, logs, weights

class MinP(Exercise):
    def draw(self, probs, temperature, min_p):
        """Forty names from a model that gives every token these probabilities."""
        self.set(m, gpt=lambda state_dict, tokens, cache=None: [
            [m.Value(z) for z in logs(*probs)] for _ in tokens])
        state_dict, rng = weights(m, len(probs)), random.Random(3)
        return [m.decode(m.generate(state_dict, [], rng, temperature, min_p=min_p), '.abc')
                for _ in range(40)]
    def test_min_p(self):
        self.need_option(m.generate, 'min_p')
        look = 'what the limit is a share of: the largest probability, after the temperature'
        for probs, temperature, min_p, tokens in (
                ((0.1, 0.5, 0.3, 0.1), 1.0, 0.5, 'ab'), ((0.1, 0.5, 0.3, 0.1), 0.5, 0.3, 'ab'),
                ((0.1, 0.5, 0.3, 0.1), 0.5, 0.5, 'a'), ((0.1, 0.5, 0.3, 0.1), 2.0, 0.5, 'ab'),
                ((0.12, 0.48, 0.3, 0.1), 2.0, 0.49, '.ab'),
                ((0.1, 0.5, 0.3, 0.1), 1.0, 0.0, '.abc'),
                ((0.5, 0.3, 0.15, 0.05), 1.0, 0.5, '.a'), ((0.1, 0.5, 0.3, 0.1), 1.0, 1.0, 'a')):
            names = self.draw(probs, temperature, min_p)
            ended = min(map(len, names)) < m.block_size - 1
            got = ''.join(sorted(set(''.join(names) + ('.' if ended else ''))))
            self.expect(got == tokens, f'generate with probabilities {dict(zip(".abc", probs))}, '
                        f'temperature {temperature}, min_p={min_p}', f'draws of {got!r}',
                        f'draws of {tokens!r}', look)
    def test_proportions(self):
        self.need_option(m.generate, 'min_p')
        text = ''.join(self.draw((0.1, 0.5, 0.3, 0.1), 0.5, 0.3))
        share = 0.5 ** 2 / (0.5 ** 2 + 0.3 ** 2)
        self.expect_near(text.count('a') / max(1, len(text)), share, 'probabilities 0.5 of a, 0.3 '
                         'of b, temperature 0.5, min_p=0.3: the share of a',
                         'the weights of what is left: they keep their proportion', 0.1)

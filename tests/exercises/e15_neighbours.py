"""Exercise 15, neighbours: tell each position at once who stands beside it.

Level: medium. About 30 minutes.

Do: change mask_predictor in microdiffusion.py so that the vector of a position, before
the first layer, also depends on the tokens directly to its left and right, in a way
that tells left from right: for example by two more tables like wte, one for each side.
At either end of the sequence there is nothing to add. Each head can already find its
neighbour by itself; is there still something to gain? Train, before the change and
after it (a few minutes each; a minute or two with --steps 300), and see what you find.
How much larger than the standard error is the difference?

    python microdiffusion.py

Look at: the line of part 5 where wte and wpe are added, and make_weights in part 4.
Hint: in Python, tokens[-1] is the last token, not one before the first.
Lab tests this breaks: the number of parameters; what the command line prints; quoted
lines of the README. The trained models of tests/models can no longer be loaded: they
have fewer weights.
"""
import microdiffusion
from tests.exercises import Exercise, influences, weights

TOKENS = [2, 3, 0, 5, 4, 2]             # bc_edb, with the vocabulary _.bcde


class Neighbours(Exercise):
    def setUp(self):
        self.trying('make_weights with 6 tokens, and mask_predictor', 'the tables in make_weights')
        self.replace(microdiffusion, block_size=6)
        self.state_dict = weights(microdiffusion, 6)
        for name, matrix in self.state_dict.items():
            if name.endswith('attn_wo'):        # no position sees another by that
                for row in matrix:
                    for value in row:
                        value.data = 0.0

    def predict(self, tokens):
        return microdiffusion.mask_predictor(self.state_dict, tokens)

    def test_1_who_counts(self):
        for n in (2, 0, 5):
            self.trying(f'the logits at position {n} of 6, attention off (attn_wo is 0)',
                        'the line of mask_predictor that adds wte and wpe' if n == 2 else
                        'both ends of the sequence: no token before 0, none after 5')
            got = influences(self.predict, TOKENS, n, (3, 5))
            right = [k for k in (n - 1, n, n + 1) if 0 <= k < 6]
            self.expect(got == right, f'they depend on the tokens at {got}', f'on those at {right}')

    def test_2_left_is_not_right(self):
        self.trying('the logits between c and e, and between e and c, attention off',
                    'which side is which: a table for each, or a part of the vector')
        one = self.predict([2, 3, 0, 5, 4, 2])[2]
        other = self.predict([2, 5, 0, 3, 4, 2])[2]
        difference = max([abs(x.data - y.data) for x, y in zip(one, other)])
        self.expect(difference > 1e-9, 'the same', 'different ones')

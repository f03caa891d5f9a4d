"""Exercise 12, neighbours: tell each position at once who stands beside it.

Level: medium. About 30 minutes.

Do: change mask_predictor in microdiffusion.py so that the vector of a position, before the first
layer, also depends on the tokens directly to its left and right, in a way that tells left from
right: for example by two more tables like wte, one for each side. At either end of the sequence
there is nothing to add. In our measurement this was worth about 0.9 nats per name after the 2,000
steps of a default run. What do you find? Train, before the change and after it:

    python microdiffusion.py

Look at: the line of part 5 where wte and wpe are added, and make_weights in part 4.
Hint: in Python, tokens[-1] is the last token, not one before the first.
Lab tests this breaks: the length of the programs, as microdiffusion.py stands at its 400 lines; the
number of parameters; the reference output of the command line.
"""
import microdiffusion as m
from tests.exercises import Exercise, influences, weights

class Neighbours(Exercise):
    def setUp(self):
        self.set(m, block_size=6)
        self.state_dict = weights(m, 6)
        for name, matrix in self.state_dict.items():
            if name.endswith('attn_wo'):                        # no position sees another by that
                for row in matrix:
                    for value in row: value.data = 0.0
    def predict(self, tokens): return m.mask_predictor(self.state_dict, tokens)
    def test_who_counts(self):
        for n in (2, 0, 5):
            got = influences(self.predict, [2, 3, 0, 5, 4, 2], n, (3, 5))
            right = [k for k in (n - 1, n, n + 1) if 0 <= k < 6]
            self.expect(got == right, f'the logits at position {n} of 6, attention off (attn_wo '
                        f'is 0)', f'they depend on the tokens at {got}', f'on those at {right}',
                        'the line of mask_predictor that adds wte and wpe' if n == 2 else
                        'both ends of the sequence')
    def test_left_is_not_right(self):
        one, other = self.predict([2, 3, 0, 5, 4, 2])[2], self.predict([2, 5, 0, 3, 4, 2])[2]
        different = max([abs(x.data - y.data) for x, y in zip(one, other)]) > 1e-9
        self.expect(different, 'the logits between b and d, and between d and b, attention off',
                    'the same', 'different ones', 'a table, or a part of the vector, for each side')

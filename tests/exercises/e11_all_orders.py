"""Exercise 11, all orders: the bound, and what it is a bound of.

Level: hard. About 45 minutes. It belongs to chapter 13 of the lesson.

Do: Add this function to microdiffusion.py.

    def exact_nats(state_dict, tokens):

Suppose that the model writes a name by revealing one of the L tokens at a time, and that each of
the L! orders is equally likely. Return two numbers, (bound, nats). The bound is the mean over all
orders of the sum of -log p(token | tokens revealed before it). It is the NELBO, which held_out_nats
estimates. The nats are -log of the mean over all orders of the product of these probabilities.
That is the real price of the name. The checker makes block_size 3, 4 and 8. Then work out both
numbers for short names with a trained model. How far apart are they?

    python
    >>> import microdiffusion
    >>> state_dict, vocab, _ = microdiffusion.load('tests/models/microdiffusion.json')
    >>> microdiffusion.exact_nats(state_dict, microdiffusion.encode('leo', vocab))

Do not go through the orders one by one: 14 tokens have 87 billion of them. If each took a
thousandth of a second, you would wait for nearly three years. The checker stops a function that
tries it with 8 tokens.

Look at: cross_entropies in part 7. Masked tokens behind the first visible PAD are not in its list,
as they cost nothing.
Hint: Let a set of hidden positions have a bound and a probability. Both are means over the
position that is revealed next: its own cost, and that of the set without it. Remember the results
in a dict: settled(noisy) is the same for many sets, and so is the result.
"""
import pathlib, sys
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))    # for an editor's Run button

import math

import microdiffusion
from microdiffusion import PAD
from tests.exercises import answers, checking


class AllOrders(checking.Exercise):
    def check(self):
        exact_nats = self.need(microdiffusion, 'exact_nats', 'exact_nats(state_dict, tokens)')
        for tokens in ([3, 2, PAD], [2, PAD, PAD], [4, 3, 2, PAD]):
            self.replace(microdiffusion, block_size=len(tokens), n_layer=1)
            state_dict = checking.weights(microdiffusion, 5, 0.5)
            bound, p = answers.prices(state_dict, tokens)
            self.trying(f'exact_nats of {microdiffusion.decode(tokens, "_.abc")}', 'exact_nats')
            self.check_pair(exact_nats(state_dict, list(tokens)), bound, -math.log(p))
        self.check_effort(exact_nats)

    def check_effort(self, exact_nats):
        """That orders which share a set of hidden tokens share the work."""
        tokens = [4, 3, 2, 3, 4, 2, 3, PAD]
        self.replace(microdiffusion, block_size=len(tokens))
        look = ('the orders: 8 tokens have 40,320 and 14 have 87 billion. But they share their '
                'sets of hidden tokens: remember what came out for a set')
        self.stand_in(microdiffusion, lambda tokens, n: checking.logs(0, 0.2, 0.3, 0.3, 0.2), 3000,
                      lambda tokens: look)
        self.trying('exact_nats of 8 tokens, which have 256 sets of hidden tokens', look)
        exact_nats(None, list(tokens))

    def check_pair(self, got, bound, nats):
        """That these are the bound and the nats, in this order."""
        pair = isinstance(got, (tuple, list)) and len(got) == 2
        numbers = [getattr(number, 'data', number) for number in got] if pair else []
        self.expect(pair and all(map(checking.is_number, numbers)), repr(got),
                    'two numbers, (bound, nats)', 'what exact_nats returns')
        swapped = abs(numbers[0] - nats) < 1e-6 and abs(numbers[1] - bound) < 1e-6
        self.expect(not swapped, f'({numbers[0]:.6g}, {numbers[1]:.6g})',
                    f'({bound:.6g}, {nats:.6g})', 'the order of the two: (bound, nats)')
        self.expect_near(numbers[0], bound, 'a bound of', 'what is hidden when a token is guessed, '
                         'and the mean over orders; settled tokens have their turn too')
        self.expect_near(numbers[1], nats, 'nats of',
                         'the order of log and mean: the log of a mean of products')


if __name__ == '__main__':
    sys.exit(checking.run(__file__))

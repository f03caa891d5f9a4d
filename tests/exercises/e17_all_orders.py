"""Exercise 17, all orders: the bound, and what it is a bound of.

Level: hard. About 45 minutes.

Do: add this function to microdiffusion.py.

    def exact_nats(state_dict, tokens):

Suppose that the model writes a name by revealing one token at a time, each of the L!
orders being equally likely. Return two numbers, (bound, nats). The bound is the mean
over all orders of the sum of -log p(token | those revealed before it): the NELBO that
held_out_nats estimates. The nats are -log of the mean over all orders of the product of
these p: the real price of the name. p is that of cross_entropies, without allowed().
tokens is a list of 3 or 4 tokens; the checker makes block_size as small. Then set
block_size = 4 and train, which takes less than a minute: names of more than three
letters are left out by themselves. How far apart are the two numbers?

    python microdiffusion.py --steps 500 --save m.json
    python
    >>> import microdiffusion
    >>> state_dict, vocab = microdiffusion.load('m.json')
    >>> microdiffusion.exact_nats(state_dict, microdiffusion.encode('leo', vocab))

Look at: example_nats in part 10. Which of the two can be compared with microgpt's
held-out figure?
Hint: itertools.permutations. Or faster: a set of hidden positions costs the mean, over
the next one to reveal, of its price and that of the set without it. For which of the
two is it a mean of logs?
Lab tests this breaks: none, but most of them while block_size is 4.
"""
import math

import microdiffusion
from microdiffusion import MASK, PAD
from tests.exercises import Exercise, is_number, weights


class AllOrders(Exercise):
    def prices(self, state_dict, tokens, hidden):
        """The bound on the tokens at the hidden positions, and their probability."""
        if not hidden:
            return 0.0, 1.0
        noisy = [MASK if n in hidden else token for n, token in enumerate(tokens)]
        costs = [v.data for v in microdiffusion.cross_entropies(state_dict, noisy, tokens)]
        bound = 0.0
        p = 0.0
        for n, cost in zip(hidden, costs):
            rest = self.prices(state_dict, tokens, [k for k in hidden if k != n])
            bound += (cost + rest[0]) / len(hidden)
            p += math.exp(-cost) * rest[1] / len(hidden)
        return bound, p

    def test_both(self):
        exact_nats = self.need(microdiffusion, 'exact_nats', 'exact_nats(state_dict, tokens)')
        for tokens in ([3, 2, PAD], [2, 4, 2], [4, 3, 2, PAD]):
            self.replace(microdiffusion, block_size=len(tokens), n_layer=1)
            state_dict = weights(microdiffusion, 5, 0.5)
            bound, p = self.prices(state_dict, tokens, list(range(len(tokens))))
            self.trying(f'exact_nats of {microdiffusion.decode(tokens, "_.abc")}', 'exact_nats')
            got = exact_nats(state_dict, list(tokens))
            self.check(got, bound, -math.log(p))

    def check(self, got, bound, nats):
        """That these are the bound and the nats, in this order."""
        pair = isinstance(got, (tuple, list)) and len(got) == 2
        numbers = [getattr(number, 'data', number) for number in got] if pair else []
        self.expect(pair and all(map(is_number, numbers)), repr(got), 'two numbers, (bound, nats)',
                    'what exact_nats returns')
        swapped = abs(numbers[0] - nats) < 1e-6 and abs(numbers[1] - bound) < 1e-6
        self.expect(not swapped, f'({numbers[0]:.6g}, {numbers[1]:.6g})',
                    f'({bound:.6g}, {nats:.6g})', 'the order of the two: (bound, nats)')
        self.expect_near(numbers[0], bound, 'a bound of',
                         'what is hidden when a token is guessed, and the mean over orders')
        self.expect_near(numbers[1], nats, 'nats of',
                         'the order of log and mean: the log of a mean of products')

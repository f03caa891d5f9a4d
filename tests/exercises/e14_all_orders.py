"""Exercise 14, all orders: the bound, and what it is a bound of.

Level: hard. About 45 minutes.

Do: add this function to microdiffusion.py.

    def exact_nats(state_dict, tokens):

Suppose that the model writes a name by revealing one token at a time, each of the L! orders being
equally likely. Return two numbers, (bound, nats). The bound is the mean over all orders of the sum
of -log p(token | those revealed before it): the NELBO that held_out_nats estimates. The nats are
-log of the mean over all orders of the product of these p: the real price of the name. p is that of
cross_entropies, without allowed(). tokens is a list of 3 or 4 tokens; the checker makes block_size
as small. If you need an import, make it inside the function: the import lines are shared by both
programs. Then set block_size = 4 and train: names of more than three letters are left out by
themselves. How far apart are the two numbers?

    python microdiffusion.py --steps 500 --save m.json
    python
    >>> import microdiffusion as m
    >>> state_dict, vocab = m.load('m.json')
    >>> m.exact_nats(state_dict, m.encode('leo', vocab))

Look at: held_out_nats in part 10. Which of the two can be compared with microgpt's held-out figure?
Hint: itertools.permutations. Or faster: a set of hidden positions costs the mean, over the next one
to reveal, of its price and that of the set without it. For which of the two is it a mean of logs?
Lab tests this breaks: the length of the programs, as microdiffusion.py stands at its 400 lines; the
shared parts, as exact_nats is not on the list of what may differ (DIFFERENT in
tests/test_files.py).
"""
import math
import microdiffusion as m
from tests.exercises import Exercise, weights

class AllOrders(Exercise):
    def prices(self, state_dict, tokens, hidden):
        """The bound on the tokens at the hidden positions, and their probability."""
        if not hidden: return 0.0, 1.0
        noisy = [m.MASK if n in hidden else token for n, token in enumerate(tokens)]
        nats = [v.data for v in m.cross_entropies(state_dict, noisy, tokens)]
        bound, p = 0.0, 0.0
        for n, cost in zip(hidden, nats):
            rest = self.prices(state_dict, tokens, [k for k in hidden if k != n])
            bound += (cost + rest[0]) / len(hidden)
            p += math.exp(-cost) * rest[1] / len(hidden)
        return bound, p
    def test_both(self):
        exact_nats = self.need(m, 'exact_nats', 'exact_nats(state_dict, tokens)')
        for tokens in ([3, 2, m.PAD], [2, 4, 2], [4, 3, 2, m.PAD]):
            self.set(m, block_size=len(tokens), n_layer=1)
            state_dict = weights(m, 5, 6)
            bound, p = self.prices(state_dict, tokens, list(range(len(tokens))))
            tried = f'exact_nats of {m.decode(tokens, "_.abc")}'
            got = exact_nats(state_dict, list(tokens))
            self.expect(isinstance(got, (tuple, list)) and len(got) == 2, tried, repr(got),
                        'two numbers, (bound, nats)', 'the text of the exercise')
            one, other = [getattr(x, 'data', x) for x in got]
            swapped = (isinstance(one, float) and abs(one + math.log(p)) < 1e-6
                       and isinstance(other, float) and abs(other - bound) < 1e-6)
            self.expect(not swapped, tried, f'({one}, {other})', f'({other}, {one})',
                        'the order of the two: (bound, nats)')
            self.expect_near(got[0], bound, tried + ': the bound',
                             'what is hidden when a token is guessed, and the mean over orders')
            self.expect_near(got[1], -math.log(p), tried + ': the nats',
                             'the order of log and mean: the log of a mean of products')

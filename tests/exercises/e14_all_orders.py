"""Exercise 14, all orders: the bound, and what it is a bound of.

Level: hard. About 45 minutes.

Do: add this function to microdiffusion.py.

    def exact_nats(state_dict, tokens):

Suppose that the model writes a name by revealing one token at a time, each of the L! orders being
equally likely. It returns (bound, nats). The bound is the mean over all orders of the sum of
-log p(token | those revealed before it): the NELBO that held_out_nats estimates. The nats are -log
of the mean over all orders of the product of these p: the real price of the name. tokens is a list
of 3 or 4 tokens; the checker makes block_size as small.
Look at: held_out_nats in part 10, and how far apart the two are for a model trained with
block_size = 4 on short names. Which of the two can be compared with microgpt's held-out figure?
Hint: itertools.permutations. Or faster: a set of hidden positions costs the mean, over the next one
to reveal, of its price and that of the set without it. For which of the two is it a mean of logs?
Lab tests this breaks: none, unless it is one that limits the length of the programs.
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
            self.expect(isinstance(got, tuple) and len(got) == 2, tried, repr(got), '(bound, nats)',
                        'the text of the exercise')
            self.expect_near(got[0], bound, tried + ': the bound',
                             'what is hidden when a token is guessed, and the mean over orders')
            self.expect_near(got[1], -math.log(p), tried + ': the nats',
                             'the order of log and mean: the log of a mean of products')

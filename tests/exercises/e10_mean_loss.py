"""Exercise 10, sum or mean: which noise levels a slip makes count.

Level: medium. About 30 minutes.

Do: answer with two numbers between 0 and 1. Suppose that a masked token costs 1 nat at any noise
level. Which share of the expected loss of microdiffusion.py comes from examples with at most 8 of
the 16 tokens masked? Which share would it be if example_loss took the mean over the masked tokens,
not their sum? To 0.01 will do. For comparison: in the whole NELBO it is one half, as each k from
1 to 16 has the same share of it. Which way does t_min move the share, and which way the mean?
Look at: example_loss and corrupt in part 7: how t is drawn, and what happens if nothing is masked.
Hint: p(k masked) is the integral of Binomial(k; 16, t) over the density of t. Add it up in a loop
over many values of t, or count many draws of corrupt; a share is then two sums over k.
Lab tests this breaks: none.
"""
import math
import microdiffusion as m
from tests.exercises import Exercise

answer = None               # (share with the sum, share with the mean)

def chance(k, length, grid=4000):
    """p(k of the tokens masked), t log-uniform: the mean over values of t that are ln-spaced."""
    ts = [m.t_min ** ((i + 0.5) / grid) for i in range(grid)]
    ways = math.factorial(length) // math.factorial(k) // math.factorial(length - k)
    return math.fsum([ways * t ** k * (1 - t) ** (length - k) for t in ts]) / grid

class MeanLoss(Exercise):
    def test_answer(self):
        answers, length = self.need_answer(answer, 2), m.block_size
        chances = [(k, chance(k, length)) for k in range(1, length + 1)]
        def share(cost): return (sum([p * cost(k) for k, p in chances if k <= 8])
                                 / sum([p * cost(k) for k, p in chances]))
        shares = share(lambda k: k), share(lambda k: 1)
        for got, right, what in zip(answers, shares, ('sum', 'mean')):
            self.expect(abs(got - right) <= 0.01, f'the share of at most 8 masked tokens, {what}',
                        got, f'{"less" if got > right else "more"}', 'the density of t, '
                        '1 / (t ln 5) from 0.2 to 1, and what k masked tokens add to the loss: '
                        'k nats in the sum, 1 in the mean')

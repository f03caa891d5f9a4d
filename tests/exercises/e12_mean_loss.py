"""Exercise 12, sum or mean: which noise levels a slip makes count.

Level: medium. About 30 minutes.

Do: answer with two numbers between 0 and 1. Suppose that a masked token costs 1 nat at
any noise level. Which share of the expected loss of microdiffusion.py comes from
examples with at most 7 of the 14 tokens masked? Which share would it be if example_loss
took the mean over the masked tokens, not their sum? To 0.01 will do. For comparison: in
the whole NELBO it is one half, as each k from 1 to 14 has the same share of it. Which
way does t_min move the share, and which way the mean?
Look at: example_loss and corrupt in part 7: how t is drawn, and what happens if nothing
is masked.
Hint: p(k masked) is the integral of Binomial(k; 14, t) over the density of t. Add it up
in a loop over many values of t, or count many draws of corrupt; a share is then two
sums over k.
Lab tests this breaks: none.
"""
import microdiffusion
from tests.exercises import Exercise, answers

answer = None               # (share with the sum, share with the mean)


class MeanLoss(Exercise):
    def test_answer(self):
        numbers = self.need_answer(answer, 2)
        t_min = microdiffusion.t_min
        right = answers.shares_of_loss(microdiffusion.block_size, t_min)
        self.trying('the two shares', 'which is which: first the sum, then the mean')
        swapped = all(abs(x - y) <= 0.01 for x, y in zip(numbers, right[::-1]))
        self.expect(not swapped, answer, 'the two the other way round')

        density = f'the density of t, 1 / (t ln(1/t_min)) from {t_min} to 1, and what k masked '
        self.check(numbers[0], right[0], 'sum', density + 'tokens add: k nats')
        self.check(numbers[1], right[1], 'mean', density + 'tokens add: 1 nat, whatever k')

    def check(self, got, right, what, look):
        self.trying(f'the share of examples with at most 7 masked tokens, with the {what}', look)
        self.expect(abs(got - right) <= 0.01, f'answer {got:.6g}',
                    'less' if got > right else 'more')

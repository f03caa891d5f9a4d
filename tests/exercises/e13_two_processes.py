"""Exercise 13, two processes by hand: what keeps the bits?

Level: medium. About 25 minutes.

Do: a worker process sends the gradient of each of its names, and the main process adds
them all up in the order of the names. Suppose that each process added up its own share
first, and sent only the sum. Add this function to microdiffusion.py, which works it out
in one process:

    def shared_sum(gradients, count):

gradients is a list of gradients, lists of floats. They are cut into shares for `count`
processes as share_out cuts them: each has math.ceil(len(gradients) / count) of them,
the last one the rest. Each share is added up from its first to its last, then these
sums are, from the first to the last. Then answer with four numbers that a training step
of four names could have as the first entries of its gradients, so that two processes
get another sum than one does. Nearly equal is not equal.

    python
    >>> import microdiffusion
    >>> names = [[1.0], [2.0], [3.0], [4.0]]
    >>> microdiffusion.shared_sum(names, 1), microdiffusion.shared_sum(names, 2)

Look at: in train, part 8, how gradients are added; and share_out in part 11.
Hint: a float has about 16 digits. What is left of a small number next to one 1e16 times
as large, and of two of them?
Lab tests this breaks: none.
"""
import random

import microdiffusion
from tests.exercises import Exercise, answers

answer = None               # (of the first name, of the second, of the third, of the fourth)


class TwoProcesses(Exercise):
    def test_1_shared_sum(self):
        shared_sum = self.need(microdiffusion, 'shared_sum', 'shared_sum(gradients, count)')
        rng = random.Random(1)
        gradients = [[rng.gauss(0, 10 ** rng.randrange(9)) for _ in range(50)] for _ in range(8)]
        for count in (1, 2, 3, 8):
            self.trying(f'shared_sum of the gradients of 8 names, each 50 numbers, for {count} '
                        f'process{"es" if count > 1 else ""}', 'shared_sum')
            given = [list(gradient) for gradient in gradients]
            got = shared_sum(given, count)
            self.expect(given == gradients, 'the gradients that it was given have changed',
                        'the same as before', 'the first sum: it must be a list of its own')
            self.check(got, gradients, count)

    def check(self, got, gradients, count):
        """That the sum is right, and right to the bit."""
        self.expect(isinstance(got, (list, tuple)) and len(got) == 50, repr(got)[:60],
                    'a list of 50 numbers', 'what it returns: a sum for each entry of a gradient')
        right = answers.shared_sum(gradients, count)
        far = [n for n in range(50) if abs(got[n] - right[n]) > 1e-3]
        self.expect(not far, f'{len(far)} of 50 entries are far from the sum', 'the sum',
                    'the shares: each name is in one of them, and the last may be shorter')
        other = [n for n in range(50) if got[n] != right[n]]
        self.expect(not other, f'{len(other)} of 50 entries are off in their last digits',
                    'the same bits', 'the order of adding: within each share first, then the sums; '
                    'with +, as sum() and math.fsum() may add more exactly than + does')

    def test_2_answer(self):
        numbers = [float(number) for number in self.need_answer(answer, 4)]
        gradients = [[number] for number in numbers]
        [one] = answers.shared_sum(gradients, 1)
        [two] = answers.shared_sum(gradients, 2)
        self.trying(f'the sum of {numbers}',
                    'the digits: a float rounds each sum to about 16 of them')
        self.expect(abs(one) < 1e300 and abs(two) < 1e300, f'{one!r} and {two!r}',
                    'numbers that can be a gradient')
        self.expect(one != two, f'{one!r}, by one process as by two',
                    'another sum by two than by one')

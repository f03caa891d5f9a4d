"""Exercise 4, first loss: know what to expect before you run it.

Level: easy. About 15 minutes.

Do: answer with two numbers, in nats. Suppose that the names use only the 20 letters
from a to t, and that t_min is 0.4. What is the loss of the name penelope in microgpt.py
before any training, and what is it in microdiffusion.py, on average over the draws of t
and of the masks? The weights are small at first: take it that each model spreads its
guess evenly. To 0.5 nats will do.
Look at: example_loss in part 7 of both, and for microdiffusion.py at P(MASK), t_min and
block_size.
Hint: an even guess among n tokens costs ln(n). How many guesses are there? A token is
masked with probability t, and t has the density 1 / (t ln(1/t_min)): integrate t over
it.
Lab tests this breaks: none.
"""
import math                 # for the answer, which may be a formula

import microdiffusion
import microgpt
from tests.exercises import Exercise, answers

answer = None               # (microgpt's, microdiffusion's), in nats


class FirstLoss(Exercise):
    def test_answer(self):
        numbers = self.need_answer(answer, 2)
        right = answers.first_losses(microgpt, microdiffusion, 'penelope',
                                     'abcdefghijklmnopqrst', 0.4)
        self.check(numbers[0], right[0], 'microgpt.py',
                   'the number of guesses, the end is one of them, and how many tokens each guess '
                   'is spread over')
        self.check(numbers[1], right[1], 'microdiffusion.py',
                   'what counts: PAD is a token like any, but not all 14 are masked; MASK is never '
                   'guessed; and there is a factor ln(1/t_min)')

    def check(self, got, right, file, look):
        self.trying(f'the first loss of penelope in {file}', look)
        self.expect(abs(got - right) <= 0.5, f'answer {got:.6g}',
                    f'{"less" if got > right else "more"}, by over 0.5 nats')

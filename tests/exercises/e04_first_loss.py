"""Exercise 4, first loss: know what to expect before you run it.

Level: easy. About 15 minutes.

Do: answer with two numbers, in nats. Suppose that the names use only the 20 letters from a to t,
and that t_min is 0.4. What is the loss of the name penelope in microgpt.py before any training, and
what is it in microdiffusion.py, on average over the draws of t and of the masks? The weights are
small at first: take it that each model spreads its guess evenly. To 0.5 nats will do.
Look at: example_loss in part 7 of both, and for microdiffusion.py at P(MASK), t_min and block_size.
Hint: an even guess among n tokens costs ln(n). How many guesses are there? A token is masked with
probability t, and t has the density 1 / (t ln(1/t_min)): integrate t over it.
Lab tests this breaks: none.
"""
import microdiffusion, microgpt
from tests.exercises import Exercise, weights

answer = None               # (microgpt's, microdiffusion's), in nats

class FirstLoss(Exercise):
    def test_answer(self):
        answers = self.need_answer(answer, 2)
        letters, t_min = 'abcdefghijklmnopqrst', 0.4
        tokens = microgpt.encode('penelope', microgpt.SPECIAL + letters)    # all weights 0: an even
        nats = microgpt.cross_entropies(weights(microgpt, 21, 0), tokens)   # guess everywhere
        loss = sum([v.data for v in nats])
        tokens = microdiffusion.encode('penelope', microdiffusion.SPECIAL + letters)
        hidden = [microdiffusion.MASK] * len(tokens)
        nats = microdiffusion.cross_entropies(weights(microdiffusion, 22, 0), hidden, tokens)
        # The mean number of masked tokens is L (1 - t_min) / ln(1/t_min); the loss is times the ln.
        bound = sum([v.data for v in nats]) * (1 - t_min)
        for got, right, program, look in (
                (answers[0], loss, 'microgpt.py', 'the number of tokens, the end is one of them, '
                 'and of those that each guess is spread over'),
                (answers[1], bound, 'microdiffusion.py', 'what counts: PAD is a token like any, '
                 'but not all 16 are masked, MASK is never guessed, and there is a factor '
                 'ln(1/t_min)')):
            self.expect(abs(got - right) <= 0.5, f'the first loss of penelope in {program}', got,
                        f'{"less" if got > right else "more"}, by more than 0.5 nats', look)

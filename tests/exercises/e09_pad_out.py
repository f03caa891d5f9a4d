"""Exercise 9, PAD out of the loss: what is only filling may well need learning.

Level: medium. About 25 minutes.

Do: change the training of microdiffusion.py so that masked PADs do not count in example_loss: it
is the sum over the masked letters, times ln(1/t_min) as before. PADs are still masked like letters
(else the model would be told how long the name is), and an example in which no letter was masked is
drawn again. held_out_nats stays as it is: it counts every token. Then train, before the change and
after it, and look at the names and at the held-out figure. Which would have shown you the harm?

    python microdiffusion.py --steps 500

Look at: example_loss in part 7, and who else calls cross_entropies.
Hint: cross_entropies returns one Value for each masked position, from left to right.
Lab tests this breaks: the length of the programs, as microdiffusion.py stands at its 400 lines; the
expected training loss; the first losses; that a short run learns the order of letters; quoted lines
of the README; the reference output of the command line.
"""
import math, random
import microdiffusion as m
from tests.exercises import Exercise, logs, weights

class PadOut(Exercise):
    def setUp(self):
        self.set(m, block_size=6)
        self.inputs = self.stand_in(m, lambda tokens, n: logs(0, 1 / 3, 1 / 3, 1 / 3))
    def test_training(self):
        state_dict, clean = weights(m, 4), [2, 3] + [m.PAD] * 4
        hidden = 0
        for seed in range(60):
            loss = m.example_loss(state_dict, clean, random.Random(seed))
            noisy = self.inputs[-1]
            tried = f'the loss of ab.... seen as {m.decode(noisy, "_.ab")}, an even guess each'
            right = noisy[:2].count(m.MASK)
            self.expect(right and isinstance(loss, m.Value), tried, 'no letter is masked',
                        'another draw, until one is', 'the condition of the loop in example_loss')
            got = loss.data / (math.log(3) * math.log(1 / m.t_min))
            self.expect(abs(got - right) < 1e-6, tried, f'that of {got:.3g} tokens',
                        f'that of {right}, the letters', 'what is summed in example_loss')
            hidden += noisy[2:].count(m.MASK)
        self.expect(hidden, 'the PADs that the model sees in 60 draws', 'none is masked',
                    'PADs masked like letters', 'corrupt: leave it as it was')
    def test_held_out(self):
        for name in ([2, 3] + [m.PAD] * 4, [2] * 5 + [m.PAD]):
            [nats] = m.held_out_nats(weights(m, 4), [name], random.Random(0), 12)
            tried = f'held_out_nats of {m.decode(name, "_.ab")}, an even guess each'
            self.expect_near(nats, 6 * math.log(3), tried,
                             'cross_entropies: held_out_nats uses it as well')

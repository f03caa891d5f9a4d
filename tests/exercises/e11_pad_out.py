"""Exercise 11, PAD out of the loss: what is only filling may well need learning.

Level: medium. About 25 minutes.

Do: change the training of microdiffusion.py so that masked PADs do not count in
example_loss: it is the sum over the masked letters, times ln(1/t_min) as before. PADs
are still masked like letters (else the model would be told how long the name is), and
an example in which no letter was masked is drawn again. The held-out figure stays as it
is: it counts every token. Then train, before the change and after it (a few minutes
each; with these 300 steps a minute or two), and look at the names, at the training loss
and at the held-out figure. Which would have shown you the harm?

    python microdiffusion.py --steps 300

Look at: example_loss in part 7, and who else calls cross_entropies.
Hint: cross_entropies returns one Value for each masked position, from left to right.
Lab tests this breaks: what the training loss is on average; what the command line
prints; quoted lines of the README.
"""
import math
import random

import microdiffusion
from microdiffusion import MASK, PAD
from tests.exercises import Exercise, logs, weights

VOCAB = '_.ab'


class PadOut(Exercise):
    def test_1_training(self):
        self.replace(microdiffusion, block_size=6)
        inputs = self.stand_in(microdiffusion, lambda tokens, n: logs(0, 0.5, 0.25, 0.25))
        state_dict = weights(microdiffusion, 4)
        pads = 0
        for seed in range(60):
            self.trying('example_loss of ab...., where a letter costs ln 4 and a PAD ln 2',
                        'example_loss in part 7')
            loss = microdiffusion.example_loss(state_dict, [2, 3] + [PAD] * 4, random.Random(seed))
            noisy = inputs[-1]
            self.check(loss, noisy)
            pads += noisy[2:].count(MASK)
        self.trying('the PADs that the model sees in 60 draws', 'corrupt: leave it as it was')
        self.expect(pads, 'none is masked', 'PADs masked like letters')

    def check(self, loss, noisy):
        """That the loss is that of the masked letters."""
        self.tried += f', seen as {microdiffusion.decode(noisy, VOCAB)}'
        letters = noisy[:2].count(MASK)
        self.expect(letters, 'no letter is masked', 'another draw, until one is',
                    'the condition of the loop in example_loss')
        self.expect(isinstance(loss, microdiffusion.Value), repr(loss), 'a Value',
                    'what example_loss returns')
        factor = math.log(1 / microdiffusion.t_min)
        right = letters * math.log(4)
        slips = {'the factor ln(1/t_min): it stays': right / factor,
                 'the PADs: they still count': right + noisy[2:].count(MASK) * math.log(2),
                 'the sum: it is not a mean': math.log(4)}
        expected = f'{letters} ln 4 ln(1/t_min) = {right * factor:.4g}'
        near = abs(loss.data / factor - right) < 1e-6
        for look, nats in slips.items():
            self.expect(near or abs(loss.data / factor - nats) > 1e-6, f'{loss.data:.4g}', expected,
                        look)
        self.expect(near, f'{loss.data:.4g}', expected,
                    'which of the cross-entropies are summed: those of the letters')

    def test_2_held_out(self):
        self.replace(microdiffusion, block_size=6)
        self.stand_in(microdiffusion, lambda tokens, n: logs(0, 1 / 3, 1 / 3, 1 / 3))
        for name in ([2, 3] + [PAD] * 4, [2] * 5 + [PAD]):
            self.trying(f'held_out_nats of {microdiffusion.decode(name, VOCAB)}, even guesses',
                        'cross_entropies: the held-out figure uses it as well')
            [nats] = microdiffusion.held_out_nats(weights(microdiffusion, 4), [name],
                                                  random.Random(0), 12)
            self.expect_near(nats, 6 * math.log(3))

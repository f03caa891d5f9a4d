"""Exercise 20, no transformer: the same diffusion with another network.

Level: hard. About 60 minutes.

Do: replace make_weights and mask_predictor in microdiffusion.py by a multilayer
perceptron. Its input is the vectors of all block_size positions, one after the other;
it has a hidden layer with ReLU; and it gives logits for every position. No attention,
and no weights named attn. The functions keep their parameters and what they return, and
P(MASK) stays 0. Nothing else has to change. Train, before the change and after it, with
so many --steps that the time is equal, and compare the held-out figures. What is the
transformer for?

    python microdiffusion.py --steps 300

Look at: parts 4 and 5, and what the rest of the program asks of them.
Hint: sum(xs, []) makes one long vector of many; the output can be cut up again in
slices of n_embd, each of which meets wte as before. linear wants its matrices as (out,
in).
Lab tests this breaks: the number of parameters, and whatever looks at attention; what
the command line prints; quoted lines of the README. The trained models of tests/models
can no longer be loaded.
"""
import random

import microdiffusion
from microdiffusion import MASK, PAD
from tests.exercises import Exercise, floats, influences, weights


class Mlp(Exercise):
    def setUp(self):
        self.trying('make_weights with 5 tokens', 'make_weights, part 4 of microdiffusion.py')
        self.replace(microdiffusion, block_size=5)
        state_dict = microdiffusion.make_weights(5, random.Random(0))
        found = [name for name in state_dict if 'attn' in name]
        self.expect(not found, f'a state_dict with {", ".join(sorted(found))}', 'one without attn')

    def test_1_logits(self):
        self.trying('mask_predictor with a_b_c, 5 positions and 5 tokens',
                    'how the output is cut up, and how wte makes logits of it')
        state_dict = weights(microdiffusion, 5)
        tokens = [2, MASK, 3, MASK, 4]
        every = floats(microdiffusion.mask_predictor(state_dict, tokens))
        shape = [len(logits) for logits in every]
        self.expect(shape == [5] * 5, f'rows of {shape} logits', 'five rows of 5')
        top = max([logits[MASK] for logits in every])
        self.expect(top <= -1e5, f'{top:.3g} for MASK', '-1e6: a MASK is never guessed',
                    'z[MASK] in the last lines of the old mask_predictor')

        some = floats(microdiffusion.mask_predictor(state_dict, tokens, [1, 3]))
        self.tried += ', with wanted=[1, 3]'
        self.expect([every[1], every[3]] == some, some, [every[1], every[3]],
                    'where `wanted` is used')
        self.check_influences(state_dict, tokens)

    def check_influences(self, state_dict, tokens):
        """That each position depends on all others."""
        for n in (1, 3):
            self.trying(f'the logits at position {n} of 5', 'the input of the hidden layer, '
                        'and its matrix: linear wants it as (out, in)')
            got = influences(lambda x: microdiffusion.mask_predictor(state_dict, x), tokens, n,
                             (2, 3, 4))
            self.expect(set(got) | {n} == {0, 1, 2, 3, 4}, f'they depend on the tokens at {got}',
                        'on those of all positions')

    def test_2_gradients(self):
        state_dict = weights(microdiffusion, 5)
        for name in state_dict:
            self.trying(f'backward() from a loss, and the gradient of {name}',
                        f'where {name} is used')
            for value in microdiffusion.parameters(state_dict):
                value.grad = 0.0
            costs = microdiffusion.cross_entropies(state_dict, [2, 0, 3, 0, 1], [2, 4, 3, 1, 1])
            sum(costs).backward()
            self.expect(any([v.grad for row in state_dict[name] for v in row]), 'it is 0',
                        'it is not')

    def test_3_learning(self):
        self.trying('20 training steps on one name, and its nats when all is masked',
                    'what parts 4 and 5 give to train and denoise')
        self.replace(microdiffusion, batch_size=2)
        rng = random.Random(0)
        tokens, hidden = [2, 4, 3, PAD, PAD], [MASK] * 5
        state_dict = microdiffusion.make_weights(5, rng)

        def nats():
            return sum(microdiffusion.cross_entropies(state_dict, hidden, tokens)).data

        before = nats()
        list(microdiffusion.train(state_dict, [tokens], rng, steps=20, lr=0.03))
        after = nats()
        self.expect(after < before / 2, f'{after:.2f}',
                    f'less than half of the {before:.2f} before',
                    'make_weights, and the gradients: weights are small random numbers at first, '
                    'and every number remembers what it was made from')
        *_, (_, _, name) = microdiffusion.denoise(state_dict, hidden, rng, 4)
        self.expect(MASK not in name, microdiffusion.decode(name, '_.abc'), 'no _')

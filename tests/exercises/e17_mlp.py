"""Exercise 17, no transformer: the same diffusion with another network.

Level: hard. About 60 minutes.

Do: replace make_weights and mask_predictor in microdiffusion.py by a multilayer perceptron. Its
input is the vectors of all block_size positions, one after the other; it has a hidden layer with
ReLU; and it gives logits for every position. No attention, and no weights named attn. The functions
keep their parameters and what they return, and P(MASK) stays 0. Nothing else has to change. Train,
before the change and after it, with so many --steps that the time is equal, and compare the
held-out figures. What is the transformer for?

    python microdiffusion.py --steps 500

Look at: parts 4 and 5, and what the rest of the program asks of them.
Hint: sum(xs, []) makes one long vector of many; the output can be cut up again in slices of n_embd,
each of which meets wte as before. linear wants its matrices as (out, in).
Lab tests this breaks: the share of the GPT that stands in the diffusion model; what tests.compare
shows of part 5; the number of parameters; by chance, which positions are revealed without noise;
quoted lines of the README; the reference output of the command line.
"""
import random
import microdiffusion as m
from tests.exercises import Exercise, floats, influences, weights

class Mlp(Exercise):
    def setUp(self):
        self.set(m, block_size=4)
        found = sorted([name for name in m.make_weights(5, random.Random(0)) if 'attn' in name])
        self.expect(not found, 'make_weights', f'a state_dict with {", ".join(found)}',
                    'one without attn', 'part 4 of microdiffusion.py')
    def test_logits(self):
        state_dict, tokens = weights(m, 5), [2, 0, 3, 0]
        for n in (1, 3):
            got = influences(lambda x: m.mask_predictor(state_dict, x), tokens, n, (2, 3, 4))
            self.expect(set(got) | {n} == {0, 1, 2, 3}, f'the logits at position {n} of 4',
                        f'they depend on the tokens at {got}', 'on those of all positions',
                        'the input of the hidden layer')
        every, some = [floats(m.mask_predictor(state_dict, tokens, w)) for w in (None, [1, 3])]
        shape = [len(z) for z in every]
        self.expect(shape == [5] * 4, 'mask_predictor with 4 tokens and a vocabulary of 5',
                    f'rows of {shape} logits', 'four rows of 5', 'how the output is cut up')
        self.expect([every[1], every[3]] == some, 'mask_predictor with wanted=[1, 3]', some,
                    [every[1], every[3]], 'where `wanted` is used')
        top = max([z[m.MASK] for z in every])
        self.expect(top <= -1e5, 'the logit of MASK', top, '-1e6', 'the last line of the old one')
    def test_gradients(self):
        state_dict, tokens = weights(m, 5), [2, 4, 3, m.PAD]
        sum(m.cross_entropies(state_dict, [2, 0, 3, 0], tokens)).backward()
        for name, matrix in state_dict.items():
            self.expect(any([v.grad for row in matrix for v in row]), 'backward() from the loss',
                        f'no gradient in {name}', 'some in every matrix', f'where {name} is used')
    def test_learning(self):
        rng, tokens, hidden = random.Random(0), [2, 4, 3, m.PAD], [m.MASK] * 4
        state_dict = m.make_weights(5, rng)
        def loss(): return sum([v.data for v in m.cross_entropies(state_dict, hidden, tokens)])
        before = loss()
        for _ in m.train(state_dict, [tokens], rng, steps=20, lr=0.03): pass
        self.expect(loss() < before / 2, 'nats of one name, all masked, after 20 steps on it',
                    f'{loss():.2f}', f'less than half of the {before:.2f} before', 'the gradients')
        for i, heat, name in m.denoise(state_dict, hidden, rng, 4): pass
        self.expect(m.MASK not in name, 'denoise', m.decode(name, '_.abc'), 'no _', 'part 5')

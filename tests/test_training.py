"""Training: one example's gradient, a step's names added up in their order, and what is learnt."""
import collections
import itertools
import math
import random
import unittest
from unittest import mock

import microdiffusion
import microgpt
from tests.small_models import NAMES, PROGRAMS, SmallModels, shrink


class LossAndGradient(SmallModels):
    """What a process works out for one name: plain numbers, and nothing is left behind."""

    def both(self):
        for program, weights, vocab in ((microdiffusion, self.weights, self.vocab),
                                        (microgpt, self.gpt_weights, self.gpt_vocab)):
            yield program, weights, program.encode('cleo', vocab)

    def test_it_is_backward_by_hand(self):
        for program, weights, tokens in self.both():
            loss = program.example_loss(weights, tokens, random.Random(11))
            loss.backward()
            params = program.parameters(weights)
            by_hand = [p.grad for p in params]
            number, gradient = program.loss_and_gradient(weights, tokens, 11)
            self.assertEqual(loss.data, number)
            self.assertTrue(by_hand == gradient)    # assertEqual would compare at great length
            self.assertGreater(sum([g != 0 for g in gradient]), len(gradient) / 2)

    def test_what_was_in_the_grads_before_makes_no_difference(self):
        for program, weights, tokens in self.both():
            first = program.loss_and_gradient(weights, tokens, 11)
            for p in program.parameters(weights):
                p.grad = 0.5
            self.assertTrue(first == program.loss_and_gradient(weights, tokens, 11))

    def test_the_seed_alone_decides_which_tokens_are_masked(self):
        program, weights, tokens = next(self.both())
        losses = [program.loss_and_gradient(weights, tokens, seed)[0] for seed in range(12)]
        random.seed(1)
        self.assertEqual(losses, [program.loss_and_gradient(weights, tokens, seed)[0]
                                  for seed in range(12)])
        self.assertGreater(len(set(losses)), 10)


class Steps(SmallModels):
    """What train does with the names of a step, whatever shares them out."""

    def steps(self, program, count, spread=map, names=NAMES, lr=0.01):
        """(losses, weights after it) of so many steps, from the same beginning each time."""
        vocab, rng = program.make_vocab(NAMES), random.Random(9)
        weights = program.make_weights(len(vocab), rng)
        examples = [program.encode(name, vocab) for name in names]
        losses = list(program.train(weights, examples, rng, count, lr, spread))
        return losses, [p.data for p in program.parameters(weights)]

    def rows(self, count, program=microdiffusion, names=NAMES):
        """The (tokens, seed) of every name of so many steps, in their order."""
        seen = []

        def spread(function, *columns):
            for row in zip(*columns):
                seen.append(row[1:])
                yield 1.0, [0.0] * len(program.parameters(row[0]))

        self.steps(program, count, spread, names)
        return seen

    def test_whatever_shares_the_names_out_the_bits_are_the_same(self):
        def last_first(function, *columns):
            return [function(*row) for row in reversed(list(zip(*columns)))][::-1]

        def all_at_once(function, *columns):
            return list(map(function, *columns))

        def by_another_model(function, states, *columns):
            for state_dict, *row in zip(states, *columns):
                copy = program.make_weights(len(state_dict['wte']), random.Random(0))
                params = zip(program.parameters(copy), program.parameters(state_dict))
                for ours, theirs in params:     # as a worker process is sent the weights
                    ours.data = theirs.data
                yield function(copy, *row)

        for program in PROGRAMS:
            usual = self.steps(program, 3)
            for spread in (last_first, all_at_once, by_another_model):
                self.assertTrue(usual == self.steps(program, 3, spread), spread.__name__)

    def test_gradients_are_added_in_the_order_of_the_names(self):
        """In another order these may add up to something else; a step's mean is what counts."""
        grads = [1e16, 1.0, -1e16, 0.5, 0.25, 2.0, 4.0, 8.0]
        handed = []

        def step(adam, lr):
            handed.append({p.grad for p in adam.params})

        def spread(function, states, names, seeds):
            count = len(microdiffusion.parameters(next(states)))
            return [(1.0, [grad] * count) for grad, name in zip(grads, names)]

        with mock.patch.object(microdiffusion.Adam, 'step', step):
            self.steps(microdiffusion, 1, spread)
        self.assertIn(handed, ([{14.75 / 8}], [{15.75 / 8}]))     # from Python 3.12, sum is exact

    def test_loss_and_gradient_of_a_step_are_the_mean_of_its_names(self):
        program = microgpt
        tokens = [program.encode(name, self.gpt_vocab) for name in NAMES]
        alone = {str(t): program.loss_and_gradient(self.gpt_weights, t, 0) for t in tokens}
        params = program.parameters(self.gpt_weights)
        handed, names = [], []

        def step(adam, lr):
            handed.append([p.grad for p in adam.params])

        def spread(function, *columns):
            for row in zip(*columns):
                names.append(str(row[1]))
                yield function(*row)

        with mock.patch.object(program.Adam, 'step', step):
            [loss] = program.train(self.gpt_weights, tokens, random.Random(1), 1, spread=spread)
        results = [alone[name] for name in names]
        self.assertEqual(program.batch_size, len(results))
        self.assertAlmostEqual(sum([r[0] for r in results]) / len(results), loss)
        for n in random.Random(2).sample(range(len(params)), 50):
            mean = sum([r[1][n] for r in results]) / len(results)
            self.assertAlmostEqual(mean, handed[0][n])

    def test_every_example_has_a_seed_of_its_own(self):
        rows = self.rows(5)
        self.assertEqual(5 * microdiffusion.batch_size, len({seed for _, seed in rows}))

    def test_the_same_name_twice_in_a_step_has_other_masks(self):
        noisy = []

        def cross_entropies(weights, tokens, clean):
            noisy.append(tuple(tokens))
            return [microdiffusion.Value(1.0)]

        with mock.patch.object(microdiffusion, 'cross_entropies', cross_entropies):
            self.steps(microdiffusion, 4, names=['cleo'] * 8)
        self.assertGreater(len(set(noisy)), 16)

    def test_every_name_comes_once_before_one_comes_again_and_not_in_the_order_of_the_file(self):
        for program in PROGRAMS:
            vocab = program.make_vocab(NAMES)
            rows = self.rows(3, program)
            names = [program.decode(tokens, vocab).strip('.') for tokens, _ in rows]
            self.assertEqual(NAMES, sorted(names[:12]))
            self.assertEqual(names[:12], names[12:])
            self.assertNotEqual(NAMES, names[:12])

    def test_the_learning_rate_falls_by_the_same_with_each_step_to_0(self):
        rates = []

        def step(adam, lr):
            rates.append(lr)

        with mock.patch.object(microdiffusion.Adam, 'step', step):
            self.steps(microdiffusion, 5, lr=0.5)
        for expected, rate in zip([0.5, 0.4, 0.3, 0.2, 0.1], rates):    # a sixth would be 0
            self.assertAlmostEqual(expected, rate)
        self.assertEqual(5, len(rates))

    def test_one_adam_remembers_all_steps(self):
        seen = []
        usual = microdiffusion.Adam.step

        def step(adam, lr):
            usual(adam, lr)
            seen.append((id(adam), adam.steps))

        with mock.patch.object(microdiffusion.Adam, 'step', step):
            self.steps(microdiffusion, 3)
        self.assertEqual([1, 2, 3], [steps for _, steps in seen])
        self.assertEqual(1, len({adam for adam, _ in seen}))

    def test_same_seed_same_losses(self):
        for program in PROGRAMS:
            self.assertTrue(self.steps(program, 2) == self.steps(program, 2))

    def test_the_examples_themselves_are_left_in_their_order(self):
        examples = [microgpt.encode(name, self.gpt_vocab) for name in NAMES]
        before = list(examples)
        list(microgpt.train(self.gpt_weights, examples, random.Random(1), 1))
        self.assertEqual(before, examples)


class Learning(unittest.TestCase):
    def test_a_short_run_learns_more_than_how_often_letters_occur(self):
        """Of names that alternate two letters, the order is to be learnt, not only the letters."""
        shrink(self, block_size=6)
        names = [a + b + a + b for a in 'abcdef' for b in 'ghijkl']
        for program, characters, steps in ((microdiffusion, 6, 60), (microgpt, 5, 40)):
            with self.subTest(program=program.PROGRAM):
                vocab, rng = program.make_vocab(names), random.Random(1)
                tokens = [program.encode(name, vocab) for name in names]
                weights = program.make_weights(len(vocab), rng)
                losses = list(program.train(weights, tokens, rng, steps, 0.02))
                counts = collections.Counter(itertools.chain(*[t[-characters:] for t in tokens]))
                logs = [n * math.log(n / (36 * characters)) for n in counts.values()]
                frequency = -sum(logs) / 36
                nats = list(program.held_out_nats(weights, tokens, random.Random(1), 2))
                self.assertLess(sum(losses[-10:]), sum(losses[:10]))
                self.assertLess(sum(nats) / len(nats), frequency)


if __name__ == '__main__':
    unittest.main()

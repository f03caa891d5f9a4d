"""Training: Adam, one name's gradient, a step's names added up in their order, what is learnt."""
import math
import random
import unittest
from unittest import mock

import microdiffusion
import microgpt
from tests.small_models import NAMES, PROGRAMS, SmallModels, shrink


class Adam(unittest.TestCase):
    def test_it_makes_the_steps_of_the_paper(self):
        """Kingma & Ba's algorithm 1, written out for gradients that change their size and sign."""
        rng = random.Random(1)
        for program in PROGRAMS:
            value = program.Value(0.7)
            adam = program.Adam([value])
            x, m, v = 0.7, 0.0, 0.0
            for t in range(1, 30):
                gradient, lr = rng.gauss(0.2, 1.0) * 10 ** rng.uniform(-3, 1), 0.1 / t
                m = 0.85 * m + 0.15 * gradient
                v = 0.99 * v + 0.01 * gradient ** 2
                x -= lr * (m / (1 - 0.85 ** t)) / (math.sqrt(v / (1 - 0.99 ** t)) + 1e-8)
                value.grad = gradient
                adam.step(lr)
                self.assertAlmostEqual(x, value.data, places=9)

    def test_a_weight_without_a_gradient_stays(self):
        value = microgpt.Value(0.7)
        microgpt.Adam([value]).step(0.1)
        self.assertEqual(0.7, value.data)


class LossAndGradient(SmallModels):
    """What a process works out for one name: plain numbers, and nothing is left behind."""

    def test_it_is_backward_by_hand_whatever_the_grads_were_before(self):
        for program, weights, vocab in self.both():
            tokens = program.encode('cleo', vocab)
            loss = program.example_loss(weights, tokens, random.Random(11))
            loss.backward()
            params = program.parameters(weights)
            by_hand = [p.grad for p in params]
            for _ in range(2):
                number, gradient = program.loss_and_gradient(weights, tokens, 11)
                self.assertEqual(loss.data, number)
                self.assertTrue(by_hand == gradient)        # assertEqual would compare at length
                for p in params:
                    p.grad = 0.5
            self.assertGreater(sum([g != 0 for g in gradient]), len(gradient) / 2)

    def test_the_seed_alone_decides_which_tokens_are_masked(self):
        tokens = microdiffusion.encode('cleo', self.vocab)
        first, again = [[microdiffusion.loss_and_gradient(self.weights, tokens, seed)[0]
                         for seed in range(12)] for _ in range(2)]
        self.assertEqual(first, again)
        self.assertGreater(len(set(first)), 9)

    def test_where_nothing_is_left_to_guess_loss_and_gradient_are_0(self):
        tokens = microdiffusion.encode('j', self.vocab)     # two visible tokens settle the rest
        results = [microdiffusion.loss_and_gradient(self.weights, tokens, n) for n in range(20)]
        nothing = [gradient for loss, gradient in results if loss == 0]
        self.assertGreater(len(nothing), 3)
        for gradient in nothing:
            self.assertEqual([0.0] * len(microdiffusion.parameters(self.weights)), gradient)


class Steps(SmallModels):
    """What train does with the names of a step, whatever shares them out."""

    def run_steps(self, program, count, spread=map, names=NAMES):
        """The losses of so many steps, and the weights after them."""
        vocab, rng = program.make_vocab(NAMES), random.Random(9)
        weights = program.make_weights(len(vocab), rng)
        examples = [program.encode(name, vocab) for name in names]
        losses = list(program.train(weights, examples, rng, count, spread))
        return losses, [p.data for p in program.parameters(weights)]

    def rows(self, program, count, names=NAMES):
        """The (tokens, seed) of every name of so many steps, in their order."""
        seen = []

        def spread(function, *columns):
            for state_dict, tokens, seed in zip(*columns):
                seen.append((tokens, seed))
                yield 1.0, [0.0] * len(program.parameters(state_dict))

        self.run_steps(program, count, spread, names)
        return seen

    def test_whatever_shares_the_names_out_the_bits_are_the_same(self):
        def last_first(function, *columns):
            return [function(*row) for row in reversed(list(zip(*columns)))][::-1]

        def by_another_model(function, states, *columns):
            for state_dict, *row in zip(states, *columns):
                copy = program.make_weights(len(state_dict['wte']), random.Random(0))
                params = zip(program.parameters(copy), program.parameters(state_dict))
                for ours, theirs in params:     # as a worker process is sent the weights
                    ours.data = theirs.data
                yield function(copy, *row)

        for program in PROGRAMS:
            usual = self.run_steps(program, 2)
            for spread in (last_first, by_another_model):
                self.assertTrue(usual == self.run_steps(program, 2, spread), spread.__name__)

    def test_loss_and_gradient_of_a_step_are_the_mean_of_its_names(self):
        rng = random.Random(3)
        for program, weights, vocab in self.both():
            results = [(rng.random(), [rng.gauss(0, 1) for _ in program.parameters(weights)])
                       for _ in range(program.batch_size)]
            examples = [program.encode(name, vocab) for name in NAMES]
            [loss] = program.train(weights, examples, rng, 1, lambda *_: results)
            self.assertAlmostEqual(sum([loss for loss, _ in results]) / len(results), loss)
            for p, *grads in zip(program.parameters(weights), *[grads for _, grads in results]):
                self.assertAlmostEqual(sum(grads) / len(grads), p.grad)

    def test_the_learning_rate_counts_and_falls_by_the_same_with_each_step(self):
        """Where the gradient stays the same, Adam's step is as long as the learning rate."""
        def spread(function, states, *columns):
            count = len(program.parameters(list(states)[0]))
            return [(1.0, [0.5] * count)] * program.batch_size

        for program, weights, vocab in self.both():
            examples = [program.encode(name, vocab) for name in NAMES]
            first = program.parameters(weights)[0]
            for rate in (0.5, 0.02):
                moved, before = [], first.data
                with mock.patch.object(program, 'learning_rate', rate):     # as a reader sets it
                    for _ in program.train(weights, examples, random.Random(1), 5, spread):
                        moved.append((before - first.data) / rate)
                        before = first.data
                for want, got in zip([1, 0.8, 0.6, 0.4, 0.2], moved):       # a sixth would be 0
                    self.assertAlmostEqual(want, got, places=5)
                self.assertEqual(5, len(moved))

    def test_the_batch_size_counts(self):
        for program in PROGRAMS:
            with mock.patch.object(program, 'batch_size', 3):
                self.assertEqual(6, len(self.rows(program, 2)))

    def test_every_name_comes_once_before_one_comes_again_and_not_in_the_order_of_the_file(self):
        for program in PROGRAMS:
            vocab = program.make_vocab(NAMES)
            names = [program.decode(tokens, vocab).strip('.')
                     for tokens, _ in self.rows(program, 3)]
            self.assertEqual(NAMES, sorted(names[:12]))
            self.assertEqual(names[:12], names[12:])
            self.assertNotEqual(NAMES, names[:12])

    def test_every_example_has_a_seed_of_its_own(self):
        rows = self.rows(microdiffusion, 5, ['cleo'] * 8)
        self.assertEqual(5 * microdiffusion.batch_size, len({seed for _, seed in rows}))

    def test_the_examples_themselves_are_left_in_their_order(self):
        examples = [microgpt.encode(name, self.gpt_vocab) for name in NAMES]
        before = list(examples)
        list(microgpt.train(self.gpt_weights, examples, random.Random(1), 1))
        self.assertEqual(before, examples)


class Learning(unittest.TestCase):
    def test_a_short_run_learns_more_than_how_often_letters_occur(self):
        """Of names that alternate two letters, the order is to be learnt, not only the letters."""
        shrink(self, block_size=5)
        names = [a + b + a + b for a in 'abcdef' for b in 'ghijkl']
        for program in PROGRAMS:
            with self.subTest(program=program.PROGRAM):
                vocab, rng = program.make_vocab(names), random.Random(1)
                examples = [program.encode(name, vocab) for name in names]
                weights = program.make_weights(len(vocab), rng)
                list(program.train(weights, examples, rng, 30))
                nats = list(program.held_out_nats(weights, examples, random.Random(1)))
                # Four letters cost this much if any of the twelve may stand at each place.
                self.assertLess(sum(nats) / len(nats), 4 * math.log(12))


if __name__ == '__main__':
    unittest.main()

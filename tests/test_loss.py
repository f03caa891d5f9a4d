"""What a name costs: the forms of the bound agree, all names add up to 1, and the yardstick."""
import collections
import itertools
import math
import random
import statistics
import unittest
from unittest import mock

import microdiffusion
import microgpt
from tests.small_models import NAMES, PROGRAMS, SmallModels

MASK, PAD = microdiffusion.MASK, microdiffusion.PAD


class CrossEntropies(SmallModels):
    def test_each_masked_token_that_is_not_certain_costs_minus_its_log_probability(self):
        clean = microdiffusion.encode('ed', self.vocab)
        for masked, costs in (((1, 2, 3, 4), (1, 2, 3, 4)), ((0, 1), (0, 1)), ((1, 4, 5), (1,)),
                              ((2, 3, 4, 5), (2, 3, 4, 5)), ((2, 5), (2,)), ((0, 3, 4), (0,))):
            noisy = [MASK if n in masked else token for n, token in enumerate(clean)]
            logits = microdiffusion.mask_predictor(self.weights, noisy)
            expected = [-math.log(microdiffusion.softmax(logits[n])[clean[n]].data) for n in costs]
            terms = microdiffusion.cross_entropies(self.weights, noisy, clean)
            self.assertEqual(len(expected), len(terms), masked)
            for want, term in zip(expected, terms):
                self.assertAlmostEqual(want, term.data, places=9)

    def test_where_nothing_is_left_to_guess_it_costs_nothing_and_no_model_is_needed(self):
        clean = microdiffusion.encode('ed', self.vocab)
        for masked in ((), (3,), (4, 5), (3, 4, 5)):        # all of them behind the first PAD
            noisy = [MASK if n in masked else token for n, token in enumerate(clean)]
            self.assertEqual([], microdiffusion.cross_entropies({}, noisy, clean))

    def test_the_gpt_predicts_each_letter_and_the_end_from_what_stands_before(self):
        tokens = microgpt.encode('ed', self.gpt_vocab)
        terms = microgpt.cross_entropies(self.gpt_weights, tokens)
        self.assertEqual(3, len(terms))     # e, d and the end
        for n, term in enumerate(terms, 1):
            logits = microgpt.gpt(self.gpt_weights, tokens[:n])[-1]
            probability = microgpt.softmax(logits)[tokens[n]].data
            self.assertAlmostEqual(-math.log(probability), term.data, places=9)


class AllNames(SmallModels):
    """Four positions and two letters make 14 names of one to three letters. All is enumerated."""
    block_size = 4
    names = ['ab']
    every_name = [''.join(letters) for length in (1, 2, 3)
                  for letters in itertools.product('ab', repeat=length)]
    few_names = 'a', 'ba', 'bab'

    def setUp(self):
        super().setUp()
        known = {}
        model = microdiffusion.mask_predictor

        def remembering(state_dict, tokens):
            if tuple(tokens) not in known:
                known[tuple(tokens)] = model(state_dict, tokens)
            return known[tuple(tokens)]

        patch = mock.patch.object(microdiffusion, 'mask_predictor', remembering)
        patch.start()
        self.addCleanup(patch.stop)

    def costs(self, clean, masked):
        """{position: nats} with these positions masked; what stands behind a visible PAD is 0."""
        noisy = [MASK if n in masked else token for n, token in enumerate(clean)]
        terms = iter(microdiffusion.cross_entropies(self.weights, noisy, clean))
        costs = {n: 0.0 if PAD in noisy[:n] else next(terms).data for n in sorted(masked)}
        self.assertEqual([], list(terms))
        return costs

    def chain(self, clean, order):
        """-log p of a name when its positions are revealed in this order."""
        return sum([self.costs(clean, order[n:])[position] for n, position in enumerate(order)])

    def by_order(self, clean):
        """Form 3: the mean over all orders of revealing."""
        orders = itertools.permutations(range(4))
        return statistics.mean([self.chain(clean, order) for order in orders])

    def by_count(self, clean):
        """Form 2: the mean over k of 4/k times the mean cost with k of the 4 masked."""
        terms = []
        for k in (1, 2, 3, 4):
            sums = [sum(self.costs(clean, masked).values())
                    for masked in itertools.combinations(range(4), k)]
            terms.append(4 / k * statistics.mean(sums))
        return statistics.mean(terms)

    def over_noise(self, clean, t_min=0.0, points=4000):
        """Form 1: the integral over t, from t_min to 1, of 1/t times the expected cost."""
        sums = [(len(masked), sum(self.costs(clean, masked).values()))
                for k in (1, 2, 3, 4) for masked in itertools.combinations(range(4), k)]
        total = 0.0
        for i in range(points):
            t = t_min + (1 - t_min) * (i + 0.5) / points
            total += sum([t ** k * (1 - t) ** (4 - k) * nats for k, nats in sums]) / t
        return total * (1 - t_min) / points

    def test_three_forms_of_the_bound_agree(self):
        for name in self.every_name:
            clean = microdiffusion.encode(name, self.vocab)
            self.assertAlmostEqual(self.by_count(clean), self.by_order(clean), places=9)
            self.assertAlmostEqual(self.by_count(clean), self.over_noise(clean), places=5)

    def test_under_every_order_of_revealing_the_probabilities_of_all_names_add_up_to_1(self):
        names = [microdiffusion.encode(name, self.vocab) for name in self.every_name]
        self.assertEqual(14, len(names))
        for order in itertools.permutations(range(4)):
            total = sum([math.exp(-self.chain(clean, order)) for clean in names])
            self.assertAlmostEqual(1.0, total, places=9, msg=f'revealed in the order {order}')

    def test_the_mean_training_loss_is_the_integral_from_t_min_to_1(self):
        """Short names tell: draws that leave nothing to guess count as 0, and are not rare."""
        for t_min in (0.2, 0.4):
            with mock.patch.object(microdiffusion, 't_min', t_min):
                for name in self.few_names:
                    clean, rng = microdiffusion.encode(name, self.vocab), random.Random(4)
                    losses = [microdiffusion.example_loss(self.weights, clean, rng).data
                              for _ in range(6000)]
                    expected = self.over_noise(clean, t_min)
                    error = statistics.stdev(losses) / math.sqrt(len(losses))
                    self.assertLess(error, 0.02 * expected)
                    self.assertAlmostEqual(expected, statistics.mean(losses), delta=3 * error)
                    self.assertIn(0.0, losses)

    def test_the_mean_of_the_yardstick_is_the_bound(self):
        for name in self.few_names:
            clean = microdiffusion.encode(name, self.vocab)
            nats = list(microdiffusion.held_out_nats(
                self.weights, [clean] * 6000, random.Random(4)))
            error = statistics.stdev(nats) / math.sqrt(len(nats))
            self.assertLess(error, 0.02 * self.by_count(clean))
            self.assertAlmostEqual(self.by_count(clean), statistics.mean(nats), delta=3 * error)

    def test_in_the_gpt_too_the_probabilities_of_all_names_add_up_to_1(self):
        total = 0.0
        for name in self.every_name:
            tokens = microgpt.encode(name, self.gpt_vocab)
            loss = microgpt.example_loss(self.gpt_weights, tokens, None).data
            [nats] = microgpt.held_out_nats(self.gpt_weights, [tokens], random.Random(1))
            self.assertAlmostEqual(loss, nats, msg='loss and yardstick are both exact')
            total += math.exp(-nats)
        self.assertAlmostEqual(1.0, total, places=9)


class Noise(unittest.TestCase):
    def test_each_token_is_masked_with_probability_t(self):
        tokens, rng = [5] * 10000 + [PAD] * 10000, random.Random(1)
        for t in (0.0, 0.1, 0.5, 0.9, 1.0):
            noisy = microdiffusion.corrupt(tokens, t, rng)
            self.assertEqual([MASK if n == MASK else token for n, token in zip(noisy, tokens)],
                             noisy)
            for half in (noisy[:10000], noisy[10000:]):     # the PADs as well
                self.assertAlmostEqual(t, half.count(MASK) / 10000, delta=0.02)


class BeforeTraining(unittest.TestCase):
    def test_no_token_is_favoured(self):
        """The first losses are nearly those of a model in which all weights are 0."""
        for program in PROGRAMS:
            vocab = program.make_vocab(['abcdefghijklmnopqrstuvwxyz'])
            examples = [program.encode(name, vocab) for name in NAMES]
            first = program.make_weights(len(vocab), random.Random(1))
            zero = program.make_weights(len(vocab), random.Random(1))
            for value in program.parameters(zero):
                value.data = 0.0
            losses = [sum([program.example_loss(weights, tokens, random.Random(n)).data
                           for n, tokens in enumerate(examples)]) for weights in (first, zero)]
            self.assertNotEqual(*losses)
            self.assertAlmostEqual(1.0, losses[0] / losses[1], delta=0.15)


class Yardstick(SmallModels):
    """Which masks are measured, and how they count."""

    def measure(self, count, rng, spread=map):
        """The nats of one name so many times, and which of its positions were masked each time.

        In place of the model there is one that finds all tokens equally likely. The name is as
        long as can be, so there is something to guess whatever is masked.
        """
        masked, size = [], len(self.vocab)

        def indifferent(state_dict, tokens):
            masked.append([n for n, token in enumerate(tokens) if token == MASK])
            return [[microdiffusion.Value(0.0)] * size for _ in tokens]

        clean = microdiffusion.encode('cleon', self.vocab)
        with mock.patch.object(microdiffusion, 'mask_predictor', indifferent):
            return list(microdiffusion.held_out_nats({}, [clean] * count, rng, spread)), masked

    def test_k_is_drawn_uniformly_and_all_positions_equally_often(self):
        _, masked = self.measure(6000, random.Random(2))
        counts = collections.Counter(map(len, masked))
        self.assertEqual({1, 2, 3, 4, 5, 6}, set(counts))
        for k in counts:
            self.assertAlmostEqual(1000, counts[k], delta=100)
        self.assertEqual(20, len({tuple(m) for m in masked if len(m) == 3}))    # all 20 choices
        for n in range(6):
            self.assertAlmostEqual(3500, sum([n in m for m in masked]), delta=150)

    def test_k_masks_count_l_by_k_times(self):
        """6/k times k guesses of equal cost cost as much as 6, whatever k is."""
        for nats in self.measure(50, random.Random(2))[0]:
            self.assertAlmostEqual(6 * math.log(len(self.vocab)), nats, places=9)

    def test_what_is_drawn_depends_on_rng_alone(self):
        def last_first(function, *columns):
            return [function(*row) for row in reversed(list(zip(*columns)))][::-1]

        first, again, other = [self.measure(20, random.Random(seed))[1] for seed in (7, 7, 8)]
        self.assertEqual(first, again)
        self.assertNotEqual(first, other)
        self.assertGreater(len(set(map(str, first))), 10)   # each name has masks of its own
        self.assertEqual(first, self.measure(20, random.Random(7), last_first)[1][::-1])

        for program, weights, vocab in self.both():
            examples = [program.encode(name, vocab) for name in ('ed', 'cleo', 'ann')]
            usual, backwards = [
                list(program.held_out_nats(weights, examples, random.Random(1), spread))
                for spread in (map, last_first)]
            self.assertEqual(usual, backwards)


if __name__ == '__main__':
    unittest.main()

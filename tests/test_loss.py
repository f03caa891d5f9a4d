"""What the losses are, that the forms of the NELBO agree, and what the yardstick measures."""
import collections
import contextlib
import io
import itertools
import math
import random
import unittest
from unittest import mock

import microdiffusion
import microgpt
from tests.small_models import NAMES, PROGRAMS, SmallModels, large_weights, shrink


class Noise(unittest.TestCase):
    def test_share_of_masked_tokens_at_given_noise_levels(self):
        tokens, rng = [5] * 20000, random.Random(1)
        for t in (0.0, 0.1, 0.5, 0.9, 1.0):
            noisy = microdiffusion.corrupt(tokens, t, rng)
            self.assertLessEqual(set(noisy), {5, microdiffusion.MASK})
            self.assertAlmostEqual(t, noisy.count(microdiffusion.MASK) / 20000, delta=0.015)

    def test_pad_is_masked_as_often_as_a_letter(self):
        tokens = [5] * 10000 + [microdiffusion.PAD] * 10000
        noisy = microdiffusion.corrupt(tokens, 0.4, random.Random(1))
        for half in (noisy[:10000], noisy[10000:]):
            self.assertAlmostEqual(0.4, half.count(microdiffusion.MASK) / 10000, delta=0.02)

    def test_the_log_of_t_is_uniform_from_that_of_t_min_to_0(self):
        seen = []

        def corrupt(tokens, t, rng):
            seen.append(math.log(t) / math.log(microdiffusion.t_min))
            return [microdiffusion.MASK] * len(tokens)

        rng = random.Random(1)
        with mock.patch.object(microdiffusion, 'corrupt', corrupt), \
                mock.patch.object(microdiffusion, 'cross_entropies', lambda *_: [0.0]):
            for _ in range(4000):
                microdiffusion.example_loss({}, [3, 1], rng)
        self.assertTrue(0 <= min(seen) and max(seen) <= 1)
        for share in (0.25, 0.5, 0.75):
            below = sum([s < share for s in seen]) / len(seen)
            self.assertAlmostEqual(share, below, delta=0.03)

    def test_where_nothing_was_masked_t_is_drawn_again_as_well(self):
        drawn = []

        def corrupt(tokens, t, rng):
            drawn.append(t)
            return list(tokens) if len(drawn) < 4 else [microdiffusion.MASK] * len(tokens)

        with mock.patch.object(microdiffusion, 'corrupt', corrupt), \
                mock.patch.object(microdiffusion, 'cross_entropies', lambda *_: [1.0]):
            microdiffusion.example_loss({}, [3, 1], random.Random(1))
        self.assertEqual(4, len(set(drawn)))


class CrossEntropies(SmallModels):
    def test_only_masked_positions_have_a_loss_and_pad_is_among_them(self):
        mask = microdiffusion.MASK
        clean = microdiffusion.encode('ed', self.vocab)
        noisy = [clean[0], mask, clean[2], mask, mask, clean[5]]
        logits = microdiffusion.mask_predictor(self.weights, noisy)
        expected = []
        for n in (1, 3, 4):                 # the d, and two PADs
            probs = microdiffusion.softmax(logits[n])
            expected.append(-math.log(probs[clean[n]].data))
        terms = microdiffusion.cross_entropies(self.weights, noisy, clean)
        self.assertEqual(len(expected), len(terms))
        for want, term in zip(expected, terms):
            self.assertAlmostEqual(want, term.data, places=9)

    def test_the_gpt_predicts_each_letter_and_the_end_from_what_stands_before(self):
        tokens = microgpt.encode('ed', self.gpt_vocab)
        logits = microgpt.gpt(self.gpt_weights, tokens)
        terms = microgpt.cross_entropies(self.gpt_weights, tokens)
        self.assertEqual(3, len(terms))     # e, d and the end
        for z, token, term in zip(logits, tokens[1:], terms):
            self.assertAlmostEqual(-math.log(microgpt.softmax(z)[token].data), term.data, places=9)


class Likelihoods(SmallModels):
    block_size = 3

    def setUp(self):
        super().setUp()
        self.tokens = microdiffusion.encode('ed', self.vocab)
        self.sums = {}                      # of the cross-entropies, by which positions are masked
        for k in (1, 2, 3):
            for masked in itertools.combinations(range(3), k):
                self.sums[masked] = sum([v.data for v in self.terms(masked)])

    def terms(self, masked):
        """The cross-entropies with these positions masked."""
        noisy = [microdiffusion.MASK if n in masked else t for n, t in enumerate(self.tokens)]
        return microdiffusion.cross_entropies(self.weights, noisy, self.tokens)

    def by_count(self):
        """Form 2: the mean over k of L/k times the mean sum with k of L masked."""
        total = 0.0
        for k in (1, 2, 3):
            chosen = [value for masked, value in self.sums.items() if len(masked) == k]
            total += 3 / k * sum(chosen) / len(chosen)
        return total / 3

    def over_noise(self, t_min=0.0):
        """Form 1: the integral over t of 1/t times the expected sum, by the midpoint rule."""
        total, n = 0.0, 20000
        for i in range(n):
            t = t_min + (1 - t_min) * (i + 0.5) / n
            expected = sum([t ** len(masked) * (1 - t) ** (3 - len(masked)) * value
                            for masked, value in self.sums.items()])
            total += expected / t * (1 - t_min) / n
        return total

    def test_three_forms_of_the_nelbo_are_one(self):
        chains = []                         # form 3: reveal the positions in every order
        for order in itertools.permutations(range(3)):
            chain = 0.0
            for step, position in enumerate(order):
                masked = sorted(order[step:])
                chain += self.terms(masked)[masked.index(position)].data
            chains.append(chain)
        self.assertAlmostEqual(self.by_count(), sum(chains) / len(chains), places=9)
        self.assertAlmostEqual(self.by_count(), self.over_noise(), places=5)

    def test_held_out_nats_are_the_nelbo(self):
        [estimate] = microdiffusion.held_out_nats(
            self.weights, [self.tokens], random.Random(2), draws=1200)
        self.assertAlmostEqual(self.by_count(), estimate, delta=0.03 * self.by_count())

    def test_expected_training_loss_is_the_integral_above_t_min(self):
        """Up to the share of draws that mask nothing and are drawn again."""
        empty, n = 0.0, 20000               # the mean of (1 - t) ** 3 over log-uniform t
        for i in range(n):
            empty += (1 - microdiffusion.t_min ** ((i + 0.5) / n)) ** 3 / n
        rng, total, draws = random.Random(4), 0.0, 8000

        def enumerated(weights, noisy, clean):
            masked = tuple([n for n, token in enumerate(noisy) if token == microdiffusion.MASK])
            return [microdiffusion.Value(self.sums[masked])]

        with mock.patch.object(microdiffusion, 'cross_entropies', enumerated):
            for _ in range(draws):
                total += microdiffusion.example_loss(self.weights, self.tokens, rng).data
        expected = self.over_noise(microdiffusion.t_min) / (1 - empty)
        self.assertAlmostEqual(expected, total / draws, delta=0.03 * expected)

    def test_gpt_likelihoods_sum_to_one(self):
        """Over all names of up to two letters, and what is still open after two."""
        vocab = '.ab'
        weights = large_weights(microgpt, vocab, self.rng)
        total = 0.0
        for length in range(3):
            for letters in itertools.product((1, 2), repeat=length):
                tokens = [0, *letters] + [0] * (length < 2)
                nats = sum([v.data for v in microgpt.cross_entropies(weights, tokens)])
                total += math.exp(-nats)
        self.assertAlmostEqual(1.0, total)

    def test_gpt_loss_and_yardstick_are_exact(self):
        """Both are -log p of the whole name: nothing is drawn, whatever rng and draws are."""
        tokens = microgpt.encode('ed', self.gpt_vocab)
        exact = sum([v.data for v in microgpt.cross_entropies(self.gpt_weights, tokens)])
        self.assertEqual(exact, microgpt.example_loss(self.gpt_weights, tokens, None).data)
        for draws in (1, 5):
            nats = microgpt.held_out_nats(self.gpt_weights, [tokens], None, draws)
            self.assertEqual([exact], list(nats))


class FirstLosses(unittest.TestCase):
    """Before any training every token is about as likely as every other."""
    names = ['abcdefg', 'hijklmn', 'opqrstu', 'vwxyzab']

    def test_of_the_gpt(self):
        vocab = microgpt.make_vocab(self.names)
        weights = microgpt.make_weights(len(vocab), random.Random(1))
        losses = [microgpt.example_loss(weights, microgpt.encode(name, vocab), None).data
                  for name in self.names]
        self.assertAlmostEqual(8 * math.log(27), sum(losses) / 4, delta=3)

    def test_of_the_mask_predictor_padding_included(self):
        vocab, rng = microdiffusion.make_vocab(self.names), random.Random(1)
        weights = microdiffusion.make_weights(len(vocab), rng)
        tokens = [microdiffusion.encode(name, vocab) for name in self.names]
        losses = [microdiffusion.example_loss(weights, tokens[n % 4], rng).data for n in range(60)]
        expected = 16 * (1 - microdiffusion.t_min) * math.log(27)
        self.assertAlmostEqual(expected, sum(losses) / 60, delta=6)

    def test_nelbo_of_a_uniform_predictor_is_the_length_times_the_log_of_the_real_tokens(self):
        shrink(self, block_size=16)
        vocab = microdiffusion.make_vocab(NAMES)
        weights = microdiffusion.make_weights(len(vocab), random.Random(1))
        for value in microdiffusion.parameters(weights):
            value.data = 0.0
        tokens = [microdiffusion.encode(name, vocab) for name in NAMES]
        for nats in microdiffusion.held_out_nats(weights, tokens, random.Random(1), draws=2):
            self.assertAlmostEqual(16 * math.log(len(vocab) - 1), nats, places=9)


class Yardstick(SmallModels):
    """How often each number of masks k is measured, and with which random numbers."""

    def measure(self, names, draws, rng=None):
        """(nats, [positions masked in each draw]), by a model that pays one nat per mask."""
        masked = []

        def count(weights, noisy, clean):
            masked.append([n for n, token in enumerate(noisy) if token == microdiffusion.MASK])
            return [microdiffusion.Value(1.0)] * len(masked[-1])

        tokens = microdiffusion.encode('ed', self.vocab)
        with mock.patch.object(microdiffusion, 'cross_entropies', count):
            nats = list(microdiffusion.held_out_nats(
                self.weights, [tokens] * names, rng or random.Random(2), draws))
        return nats, masked

    def test_k_runs_on_from_name_to_name(self):
        """1 to L in turn: were it to start at 1 again for each name, few would measure a high k."""
        for names, draws in ((15, 1), (3, 4), (2, 9)):
            _, masked = self.measure(names, draws)
            expected = [1 + n % 6 for n in range(names * draws)]
            self.assertEqual(expected, [len(m) for m in masked], f'{names} names, {draws} draws')

    def test_each_k_has_an_equal_share_of_the_draws(self):
        _, masked = self.measure(8, 3)
        self.assertEqual({k: 4 for k in range(1, 7)}, dict(collections.Counter(map(len, masked))))

    def test_a_draw_of_k_masks_counts_l_by_k_times(self):
        """L/k times k terms of one nat are L nats, whatever k, and draws are averaged."""
        for draws in (1, 4):
            nats, _ = self.measure(6, draws)
            for value in nats:
                self.assertAlmostEqual(6.0, value)

    def test_masked_positions_are_drawn_afresh_each_time_and_all_are_drawn_as_often(self):
        _, masked = self.measure(600, 1)
        self.assertGreater(len(set(map(tuple, masked[2::6]))), 15)      # of 20 ways to mask three
        counts = collections.Counter(itertools.chain(*masked))
        for n in range(6):
            self.assertAlmostEqual(350, counts[n], delta=50)

    def test_every_name_has_masks_of_its_own(self):
        _, masked = self.measure(20, 6)
        by_name = {str(masked[n:n + 6]) for n in range(0, len(masked), 6)}
        self.assertEqual(20, len(by_name), 'each name draws from a seed of its own')

    def test_the_same_rng_measures_the_same(self):
        self.assertEqual(self.measure(9, 2, random.Random(7)), self.measure(9, 2, random.Random(7)))

    def test_names_are_measured_by_whatever_spread_there_is(self):
        tokens = [microdiffusion.encode(name, self.vocab) for name in ('ed', 'cleo', 'ann')]

        def backwards(function, *columns):
            return [function(*row) for row in reversed(list(zip(*columns)))][::-1]

        usual = list(microdiffusion.held_out_nats(self.weights, tokens, random.Random(1), 2))
        other = list(microdiffusion.held_out_nats(
            self.weights, tokens, random.Random(1), 2, backwards))
        self.assertEqual(usual, other)


class WhatIsMeasured(unittest.TestCase):
    """The command line's choice of held-out names and of random numbers."""

    def measured(self, program, *options):
        """What a run without training hands to held_out_nats: (examples, first numbers, draws)."""
        seen = []

        def record(state_dict, examples, rng, draws, spread):
            seen.append((examples, [rng.random() for _ in range(3)], draws))
            return iter([1.0] * len(examples))

        options = ['--steps', '0', '--samples', '0', '--processes', '1', *options]
        with mock.patch.multiple(program, held_out_nats=record, show_task=mock.DEFAULT), \
                contextlib.redirect_stdout(io.StringIO()):
            self.assertEqual(0, program.main(options))
        [run] = seen
        return run

    def test_the_seed_changes_neither_the_names_nor_the_draws(self):
        for program in PROGRAMS:
            runs = [self.measured(program, '--seed', seed) for seed in ('1', '2')]
            self.assertEqual(*runs, 'held-out figures are to be compared from seed to seed')

    def test_many_names_are_a_sample_of_all_that_are_held_out(self):
        """Not the first ones, which all begin with the first letters of the alphabet."""
        for program in PROGRAMS:
            examples, _, draws = self.measured(program)
            self.assertEqual((0, 1), (len(examples) % program.block_size, draws))
            first = 1 if program is microgpt else 0
            letters = [tokens[first] for tokens in examples]
            self.assertGreater(len(set(letters)), 20)
            self.assertNotEqual(sorted(letters), letters)
            self.assertEqual(len(examples), len(set(map(tuple, examples))))

    def test_few_names_are_measured_with_every_k(self):
        seen = []

        def record(state_dict, examples, rng, draws, spread):
            seen.append((len(examples), draws))
            return iter([1.0] * len(examples))

        size = microdiffusion.block_size
        vocab = microdiffusion.make_vocab(NAMES)
        for count in (1, 4 * size - 1, 4 * size, 4 * size + 5):
            held_out = [NAMES[n % 12] for n in range(count)]
            with mock.patch.object(microdiffusion, 'held_out_nats', record), \
                    contextlib.redirect_stdout(io.StringIO()):
                microdiffusion.evaluate({}, held_out, vocab, map, [])
        self.assertEqual([(1, size), (4 * size - 1, size), (4 * size, 1), (4 * size, 1)], seen)


if __name__ == '__main__':
    unittest.main()

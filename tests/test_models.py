"""What the two models may look at, what their losses are, and how names are sampled from them."""
import collections
import itertools
import math
import random
import unittest
from unittest import mock

import microdiffusion as diffusion
import microgpt as left_to_right

NAMES = ['ann', 'bea', 'cleo', 'dan', 'ed', 'fay', 'gus', 'hal', 'ida', 'jo', 'kay', 'leo']
SMALL = {'n_embd': 8, 'n_head': 2, 'block_size': 6}


class SmallModels(unittest.TestCase):
    """Both programs at a small size, with weights large enough for everything to matter."""
    sizes = SMALL

    def setUp(self):
        for lab in (diffusion, left_to_right):
            patch = mock.patch.multiple(lab, **self.sizes)
            patch.start()
            self.addCleanup(patch.stop)
        self.rng = random.Random(5)
        self.vocab = diffusion.make_vocab(NAMES)
        self.weights = self.random_weights(diffusion, self.vocab)
        self.gpt_vocab = left_to_right.make_vocab(NAMES)
        self.gpt_weights = self.random_weights(left_to_right, self.gpt_vocab)

    def random_weights(self, lab, vocab):
        weights = lab.make_weights(len(vocab), self.rng)
        for matrix in weights.values():
            for row in matrix:
                for value in row:
                    value.data *= 5
        return weights

    def data(self, logits):
        return [[z.data for z in row] for row in logits]


class Gradients(SmallModels):
    def check(self, weights, loss):
        loss().backward()
        places = [(name, r, c) for name, matrix in weights.items()
                  for r, row in enumerate(matrix) for c in range(len(row))]
        by_name = collections.defaultdict(list)
        for place in places:
            by_name[place[0]].append(place)
        for name, choices in by_name.items():       # a few weights of every matrix
            for _, r, c in self.rng.sample(choices, 4):
                value, step, sides = weights[name][r][c], 1e-5, []
                start = value.data
                for sign in (1, -1):
                    value.data = start + sign * step
                    sides.append(loss().data)
                value.data = start
                with self.subTest(weight=f'{name}[{r}][{c}]'):
                    self.assertAlmostEqual(value.grad, (sides[0] - sides[1]) / (2 * step), 6)

    def test_loss_of_the_mask_predictor_against_central_differences(self):
        tokens = diffusion.encode('cleo', self.vocab)
        self.check(self.weights,
                   lambda: diffusion.example_loss(self.weights, tokens, random.Random(3)))

    def test_loss_of_the_gpt_against_central_differences(self):
        tokens = left_to_right.encode('cleo', self.gpt_vocab)
        self.check(self.gpt_weights,
                   lambda: left_to_right.example_loss(self.gpt_weights, tokens, None))


class WhatAModelSees(SmallModels):
    def test_a_later_token_changes_no_earlier_logit_of_the_gpt(self):
        tokens = left_to_right.encode('cleo', self.gpt_vocab)
        before = self.data(left_to_right.gpt(self.gpt_weights, tokens))
        for n in range(len(tokens)):
            changed = tokens[:n] + [(tokens[n] + 1) % len(self.gpt_vocab)] + tokens[n + 1:]
            after = self.data(left_to_right.gpt(self.gpt_weights, changed))
            self.assertEqual(before[:n], after[:n])
            for m in range(n, len(tokens)):
                self.assertNotEqual(before[m], after[m])

    def test_the_cache_gives_the_logits_of_the_whole_sequence(self):
        tokens = left_to_right.encode('cleo', self.gpt_vocab)
        whole = self.data(left_to_right.gpt(self.gpt_weights, tokens))
        for split in range(1, len(tokens)):
            cache = [([], []) for _ in range(left_to_right.n_layer)]
            pieces = [left_to_right.gpt(self.gpt_weights, tokens[:split], cache)]
            pieces += [left_to_right.gpt(self.gpt_weights, [t], cache) for t in tokens[split:]]
            self.assertEqual(self.data(sum(pieces, [])), whole)

    def test_every_token_changes_every_logit_of_the_mask_predictor(self):
        tokens = diffusion.encode('cleo', self.vocab)
        before = self.data(diffusion.mask_predictor(self.weights, tokens))
        for n in range(len(tokens)):
            changed = tokens[:n] + [diffusion.MASK] + tokens[n + 1:]
            after = self.data(diffusion.mask_predictor(self.weights, changed))
            for m in range(len(tokens)):
                self.assertNotEqual(before[m], after[m], f'position {m} does not see {n}')

    def test_wanted_positions_have_the_logits_they_have_among_all(self):
        tokens = diffusion.encode('cleo', self.vocab)
        everything = self.data(diffusion.mask_predictor(self.weights, tokens))
        some = self.data(diffusion.mask_predictor(self.weights, tokens, [4, 1]))
        self.assertEqual(some, [everything[4], everything[1]])

    def test_mask_is_never_predicted(self):
        tokens = [diffusion.MASK] * 6
        for logits in diffusion.mask_predictor(self.weights, tokens):
            probs = [p.data for p in diffusion.softmax(logits)]
            self.assertEqual(probs[diffusion.MASK], 0.0)
            self.assertAlmostEqual(sum(probs), 1.0)
            self.assertTrue(all(p > 0 for p in probs[1:]))

    def test_the_output_matrix_of_the_mask_predictor_is_its_embedding(self):
        """A letter's row of wte changes its logit even where that letter is not in the input."""
        letter = self.vocab.index('g')
        tokens = [diffusion.MASK] * 6
        before = self.data(diffusion.mask_predictor(self.weights, tokens))
        for value in self.weights['wte'][letter]:
            value.data += 1
        after = self.data(diffusion.mask_predictor(self.weights, tokens))
        for b, a in zip(before, after):
            self.assertNotEqual(b[letter], a[letter])
            self.assertEqual(b[:letter] + b[letter + 1:], a[:letter] + a[letter + 1:])


class Parameters(unittest.TestCase):
    def test_number_of_distinct_parameters_with_26_letters(self):
        alphabet = ['abcdefghijklmnopqrstuvwxyz']
        for lab, expected in ((diffusion, 6848), (left_to_right, 4192)):
            weights = lab.make_weights(len(lab.make_vocab(alphabet)), random.Random(0))
            values = [v for matrix in weights.values() for row in matrix for v in row]
            self.assertEqual((len(values), len(set(map(id, values)))), (expected, expected))


class Data(unittest.TestCase):
    def test_every_tenth_distinct_name_is_held_out(self):
        names = [f'name{n:03d}' for n in range(100)]
        docs, held_out = diffusion.split(names[::-1] + names)
        self.assertEqual(held_out, names[::10])
        self.assertEqual(sorted(docs + held_out), names)

    def test_what_is_encoded_is_decoded(self):
        for lab, shown in ((diffusion, 'cleo' + '.' * 12), (left_to_right, '.cleo.')):
            vocab = lab.make_vocab(NAMES)
            self.assertEqual(lab.decode(lab.encode('cleo', vocab), vocab), shown)

    def test_held_out_names_are_not_trained_on(self):
        docs, held_out = diffusion.split(NAMES)
        self.assertFalse(set(docs) & set(held_out))


class Noise(unittest.TestCase):
    def test_share_of_masked_tokens_at_given_noise_levels(self):
        tokens, rng = [5] * 20000, random.Random(1)
        for t in (0.0, 0.1, 0.5, 0.9, 1.0):
            noisy = diffusion.corrupt(tokens, t, rng)
            self.assertTrue(set(noisy) <= {5, diffusion.MASK})
            self.assertAlmostEqual(noisy.count(diffusion.MASK) / 20000, t, delta=0.015)


class Losses(SmallModels):
    sizes = {'n_embd': 8, 'n_head': 2, 'block_size': 3}

    def setUp(self):
        super().setUp()
        self.tokens = diffusion.encode('ed', self.vocab)
        self.sums = {}                      # of the cross-entropies, by which positions are masked
        for k in (1, 2, 3):
            for masked in itertools.combinations(range(3), k):
                noisy = [diffusion.MASK if n in masked else t for n, t in enumerate(self.tokens)]
                terms = diffusion.cross_entropies(self.weights, noisy, self.tokens)
                self.sums[masked] = sum(terms).data

    def by_count(self, k):
        chosen = [value for masked, value in self.sums.items() if len(masked) == k]
        return sum(chosen) / len(chosen)

    def over_noise(self, t_min=0.0):
        """Form 1: the integral over t of 1/t times the expected sum, by the midpoint rule."""
        total, n = 0.0, 20000
        for i in range(n):
            t = t_min + (1 - t_min) * (i + 0.5) / n
            expected = sum(t ** len(masked) * (1 - t) ** (3 - len(masked)) * value
                           for masked, value in self.sums.items())
            total += expected / t * (1 - t_min) / n
        return total

    def test_three_forms_of_the_nelbo_are_one(self):
        by_count = sum(3 / k * self.by_count(k) for k in (1, 2, 3)) / 3
        chains = []
        for order in itertools.permutations(range(3)):
            chain = 0.0
            for step, position in enumerate(order):     # reveal the positions in this order
                masked = tuple(sorted(order[step:]))
                noisy = [diffusion.MASK if n in masked else t for n, t in enumerate(self.tokens)]
                terms = diffusion.cross_entropies(self.weights, noisy, self.tokens)
                chain += terms[masked.index(position)].data
            chains.append(chain)
        self.assertAlmostEqual(by_count, sum(chains) / len(chains), places=9)
        self.assertAlmostEqual(by_count, self.over_noise(), places=5)

    def test_held_out_nats_are_the_nelbo(self):
        exact = sum(3 / k * self.by_count(k) for k in (1, 2, 3)) / 3
        [estimate] = diffusion.held_out_nats(
            self.weights, [self.tokens], random.Random(2), draws=2400)
        self.assertAlmostEqual(estimate, exact, delta=0.03 * exact)

    def test_each_number_of_masks_has_an_equal_share_of_the_draws(self):
        seen = collections.Counter()

        def count(weights, noisy, clean):
            seen[noisy.count(diffusion.MASK)] += 1
            return [diffusion.Value(1.0) for token in noisy if token == diffusion.MASK]
        with mock.patch.object(diffusion, 'cross_entropies', count):
            nats = list(diffusion.held_out_nats(
                self.weights, [self.tokens] * 5, random.Random(2), draws=3))
        self.assertEqual(dict(seen), {1: 5, 2: 5, 3: 5})
        self.assertEqual(nats, [3.0] * 5)   # 3/k times k terms of 1, whatever k

    def test_expected_training_loss_is_the_integral_above_t_min(self):
        """Up to the share of draws that mask nothing and are drawn again."""
        empty, n = 0.0, 20000               # the mean of (1 - t) ** 3 over log-uniform t
        for i in range(n):
            empty += (1 - diffusion.t_min ** ((i + 0.5) / n)) ** 3 / n
        rng, total, draws = random.Random(4), 0.0, 8000

        def enumerated(weights, noisy, clean):
            masked = tuple(n for n, token in enumerate(noisy) if token == diffusion.MASK)
            return [diffusion.Value(self.sums[masked])]
        with mock.patch.object(diffusion, 'cross_entropies', enumerated):
            for _ in range(draws):
                total += diffusion.example_loss(self.weights, self.tokens, rng).data
        expected = self.over_noise(diffusion.t_min) / (1 - empty)
        self.assertAlmostEqual(total / draws, expected, delta=0.03 * expected)

    def test_gpt_likelihoods_sum_to_one(self):
        """Over all names of up to two letters, and what is still open after two."""
        vocab = '.ab'
        weights = self.random_weights(left_to_right, vocab)
        total = 0.0
        for length in range(3):
            for letters in itertools.product((1, 2), repeat=length):
                tokens = [0, *letters] + [0] * (length < 2)
                nats = sum(left_to_right.cross_entropies(weights, tokens))
                total += math.exp(-nats.data)
        self.assertAlmostEqual(total, 1.0)

    def test_gpt_yardstick_is_exact(self):
        tokens = left_to_right.encode('ed', self.gpt_vocab)
        terms = left_to_right.cross_entropies(self.gpt_weights, tokens)
        nats = left_to_right.held_out_nats(self.gpt_weights, [tokens], None)
        self.assertEqual(list(nats), [sum([v.data for v in terms])])
        self.assertEqual(len(terms), 3)     # e, d and the end


class UniformPredictor(unittest.TestCase):
    def test_nelbo_is_the_length_times_the_log_of_the_real_tokens(self):
        vocab = diffusion.make_vocab(NAMES)
        weights = diffusion.make_weights(len(vocab), random.Random(1))
        for matrix in weights.values():
            for row in matrix:
                for value in row:
                    value.data = 0.0
        tokens = [diffusion.encode(name, vocab) for name in NAMES]
        for nats in diffusion.held_out_nats(weights, tokens, random.Random(1), draws=2):
            self.assertAlmostEqual(nats, 16 * math.log(len(vocab) - 1), places=9)


class Sampling(SmallModels):
    sizes = {'n_embd': 8, 'n_head': 2, 'block_size': 16}

    def frames(self, steps=8, seed=1, tokens=None, **options):
        tokens = [diffusion.MASK] * 16 if tokens is None else tokens
        return list(diffusion.denoise(
            self.weights, tokens, random.Random(seed), steps, **options))

    def test_how_many_tokens_each_step_reveals(self):
        expected = {1: {1: 16}, 2: {1: 5, 2: 11},
                    8: {1: 1, 2: 1, 3: 1, 4: 2, 5: 3, 6: 2, 7: 3, 8: 3},
                    16: dict(zip(range(1, 17), [1, 0, 0, 1, 0, 1, 1, 1, 1, 2, 1, 1, 2, 1, 2, 1]))}
        for steps, reveals in expected.items():
            left, seen = 16, {}
            for step, _, tokens in self.frames(steps):
                seen[step] = left - tokens.count(diffusion.MASK)
                left = tokens.count(diffusion.MASK)
            self.assertEqual(seen, {step: n for step, n in reveals.items() if n}, f'{steps} steps')

    def test_steps_that_reveal_nothing_evaluate_nothing(self):
        for steps in (1, 8, 16, 100):
            with mock.patch.object(diffusion, 'mask_predictor',
                                   side_effect=diffusion.mask_predictor) as model:
                frames = self.frames(steps)
            self.assertEqual(model.call_count, len(frames))
            self.assertLessEqual(len(frames), min(steps, 16))

    def test_temperature_falls_from_the_first_to_three_eighths_of_it(self):
        heats = [heat for _, heat, _ in self.frames(8, temperature=0.8)]
        self.assertEqual(heats[0], 0.8)
        self.assertAlmostEqual(heats[-1], 0.3)
        steps = [a - b for a, b in zip(heats, heats[1:])]
        self.assertAlmostEqual(min(steps), max(steps))
        self.assertEqual([heat for _, heat, _ in self.frames(1, temperature=0.8)], [0.8])

    def test_what_is_revealed_stays(self):
        for seed in range(5):
            before = [diffusion.MASK] * 16
            for _, _, tokens in self.frames(12, seed):
                for old, new in zip(before, tokens):
                    self.assertTrue(old in (diffusion.MASK, new))
                before = tokens
            self.assertNotIn(diffusion.MASK, before)

    def test_a_name_ends_once_at_every_step(self):
        for seed in range(10):
            for steps in (1, 3, 8):
                for _, _, tokens in self.frames(steps, seed, temperature=3.0):
                    if diffusion.PAD in tokens:
                        end = tokens.index(diffusion.PAD)
                        self.assertFalse([t for t in tokens[end:] if t > diffusion.PAD])

    def test_prompts_keep_what_is_known(self):
        for text, pattern in (('m__ia.', 'm??ia' + '.' * 11), ('__.', '??' + '.' * 14),
                              ('leo', 'leo' + '*' * 13), ('a_d', 'a?d' + '*' * 13)):
            vocab = '_.' + ''.join(sorted('abdegilmno'))
            self.weights = self.random_weights(diffusion, vocab)
            for seed in range(4):
                tokens, letters = diffusion.read_prompt(text, vocab)
                *_, (_, _, out) = self.frames(5, seed, tokens, letters=letters)
                for wanted, got in zip(pattern, diffusion.decode(out, vocab)):
                    self.assertTrue(wanted == '*' or wanted == got or wanted == '?' and got != '.',
                                    f'{text}: {diffusion.decode(out, vocab)}')

    def test_same_seed_same_names_and_another_seed_another(self):
        self.assertEqual(self.frames(seed=3), self.frames(seed=3))
        self.assertNotEqual(self.frames(seed=3), self.frames(seed=4))
        first, again, other = [left_to_right.generate(self.gpt_weights, [], random.Random(s), 1.0)
                               for s in (3, 3, 4)]
        self.assertEqual(first, again)
        self.assertNotEqual(first, other)

    def test_without_noise_the_surest_positions_are_revealed(self):
        logits = diffusion.mask_predictor(self.weights, [diffusion.MASK] * 16)
        sure = [max(p.data for p in diffusion.softmax(z)) for z in logits]
        frame = self.frames(2, noise=0)[0][2]
        revealed = [n for n, token in enumerate(frame) if token != diffusion.MASK]
        self.assertEqual(revealed, sorted(sorted(range(16), key=lambda n: -sure[n])[:5]))

    def test_with_much_noise_the_order_is_nearly_random(self):
        first = collections.Counter()
        for seed in range(24):
            tokens = self.frames(2, seed, noise=1000.0)[0][2]
            first.update(n for n, token in enumerate(tokens) if token != diffusion.MASK)
        self.assertGreater(len(first), 9)

    def test_temperature_of_the_gpt(self):
        """Cold, it always writes its likeliest letters; hot, it writes all sorts."""
        cold = {tuple(left_to_right.generate(self.gpt_weights, [], random.Random(s), 0.01))
                for s in range(8)}
        hot = {tuple(left_to_right.generate(self.gpt_weights, [], random.Random(s), 2.0))
               for s in range(8)}
        self.assertEqual(len(cold), 1)
        self.assertGreater(len(hot), 6)

    def test_the_gpt_continues_a_beginning(self):
        start = [self.gpt_vocab.index(char) for char in 'le']
        for seed in range(5):
            name = left_to_right.generate(self.gpt_weights, start, random.Random(seed), 1.0)
            self.assertEqual(name[:2], start)
            self.assertLess(len(name), 16)
            self.assertNotIn(left_to_right.BOS, name)


class Training(unittest.TestCase):
    def test_a_short_run_learns_more_than_how_often_letters_occur(self):
        """Of names that alternate two letters, the order is to be learnt, not only the letters."""
        names = [a + b + a + b for a in 'abcdef' for b in 'ghijkl']
        for lab, characters, steps in ((diffusion, 6, 80), (left_to_right, 5, 50)):
            with self.subTest(program=lab.PROGRAM), mock.patch.object(lab, 'block_size', 6):
                vocab, rng = lab.make_vocab(names), random.Random(1)
                tokens = [lab.encode(name, vocab) for name in names]
                weights = lab.make_weights(len(vocab), rng)
                losses = list(lab.train(weights, tokens, rng, steps))
                counts = collections.Counter(itertools.chain(*[
                    t[-characters:] for t in tokens]))
                frequency = -sum(n * math.log(n / (36 * characters)) for n in counts.values()) / 36
                nats = list(lab.held_out_nats(weights, tokens, random.Random(1), 2))
                self.assertLess(sum(losses[-10:]), sum(losses[:10]))
                self.assertLess(sum(nats) / len(nats), frequency)

    def test_first_losses_are_those_of_a_guess(self):
        """42 nats for diffusion, padding included; (letters + 1) ln V for the GPT."""
        names = ['abcdefg', 'hijklmn', 'opqrstu', 'vwxyzab']
        rng = random.Random(1)
        vocab = left_to_right.make_vocab(names)
        weights = left_to_right.make_weights(len(vocab), rng)
        tokens = [left_to_right.encode(name, vocab) for name in names]
        self.assertAlmostEqual(next(left_to_right.train(weights, tokens, rng)),
                               8 * math.log(27), delta=0.5)
        vocab = diffusion.make_vocab(names)
        weights = diffusion.make_weights(len(vocab), rng)
        tokens = [diffusion.encode(name, vocab) for name in names]
        losses = [diffusion.example_loss(weights, tokens[n % 4], rng).data for n in range(100)]
        expected = 16 * 0.8 * math.log(27)
        self.assertAlmostEqual(sum(losses) / 100, expected, delta=5)

    def test_same_seed_same_losses(self):
        runs = []
        for _ in range(2):
            rng = random.Random(9)
            vocab = diffusion.make_vocab(NAMES)
            weights = diffusion.make_weights(len(vocab), rng)
            tokens = [diffusion.encode(name, vocab) for name in NAMES]
            runs.append(list(diffusion.train(weights, tokens, rng, steps=3)))
        self.assertEqual(runs[0], runs[1])


if __name__ == '__main__':
    unittest.main()

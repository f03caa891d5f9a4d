"""What the two models are given, what their positions may look at, and their gradients."""
import itertools
import math
import random
import statistics
import unittest
from unittest import mock

import microdiffusion
import microgpt
from tests.small_models import NAMES, PROGRAMS, SmallModels, data, large_weights, shrink


class Data(unittest.TestCase):
    def test_every_tenth_distinct_name_is_held_out(self):
        names = [f'name{n:03d}' for n in range(100)]
        for program in PROGRAMS:
            docs, held_out = program.split(names[::-1] + names)
            self.assertEqual(names[::10], held_out)
            self.assertEqual(names, sorted(docs + held_out))

    def test_held_out_names_are_not_trained_on(self):
        docs, held_out = microdiffusion.split(NAMES)
        self.assertFalse(set(docs) & set(held_out))

    def test_what_is_encoded_is_decoded(self):
        for program, shown in ((microdiffusion, 'cleo' + '.' * 10), (microgpt, '.cleo.')):
            vocab = program.make_vocab(NAMES)
            self.assertEqual(shown, program.decode(program.encode('cleo', vocab), vocab))

    def test_special_tokens_come_first_in_the_vocabulary(self):
        self.assertEqual('_.abcdef', microdiffusion.make_vocab(['fed', 'cab']))
        self.assertEqual((0, 1), (microdiffusion.MASK, microdiffusion.PAD))
        self.assertEqual('.abcdef', microgpt.make_vocab(['fed', 'cab']))
        self.assertEqual((0, 0), (microgpt.BOS, microgpt.END))

    def test_what_follows_the_last_letter_is_the_end(self):
        for program in PROGRAMS:
            vocab = program.make_vocab(NAMES)
            tokens = program.encode('cleo', vocab)
            self.assertEqual(program.END, tokens[tokens.index(vocab.index('o')) + 1])

    def test_every_name_of_the_diffusion_model_takes_all_positions(self):
        """PAD after the last letter: the length is a thing to be learnt."""
        vocab = microdiffusion.make_vocab(NAMES)
        for name in ('ed', 'cleo', 'a' * 13):
            tokens = microdiffusion.encode(name, vocab)
            self.assertEqual(microdiffusion.block_size, len(tokens))
            self.assertEqual([microdiffusion.PAD] * (14 - len(name)), tokens[len(name):])


class Parameters(unittest.TestCase):
    def test_number_of_distinct_parameters_with_26_letters(self):
        alphabet = ['abcdefghijklmnopqrstuvwxyz']
        for program, expected in ((microdiffusion, 6816), (microgpt, 4160)):
            vocab = program.make_vocab(alphabet)
            values = program.parameters(program.make_weights(len(vocab), random.Random(0)))
            self.assertEqual((expected, expected), (len(values), len(set(map(id, values)))))

    def test_at_first_tokens_stand_out_from_positions(self):
        """Standard deviations: 0.2 of the token vectors, 0.05 of the positions', 0.15 elsewhere."""
        for program in PROGRAMS:
            state_dict = program.make_weights(28, random.Random(1))
            for name, matrix in state_dict.items():
                numbers = [value.data for row in matrix for value in row]
                expected = {'wte': 0.2, 'wpe': 0.05}.get(name, 0.15)
                self.assertAlmostEqual(1, statistics.pstdev(numbers) / expected, delta=0.15,
                                       msg=f'{program.PROGRAM}: {name}')
                self.assertAlmostEqual(0, statistics.mean(numbers) / expected, delta=0.15)


class Gradients(SmallModels):
    def check(self, weights, loss):
        loss().backward()
        for name, matrix in weights.items():        # a few weights of every matrix
            values = list(itertools.chain(*matrix))
            for value in self.rng.sample(values, 4):
                step, start, sides = 1e-5, value.data, []
                for sign in (1, -1):
                    value.data = start + sign * step
                    sides.append(loss().data)
                value.data = start
                with self.subTest(weight=name):
                    self.assertAlmostEqual((sides[0] - sides[1]) / (2 * step), value.grad, 6)

    def test_loss_of_the_mask_predictor_against_central_differences(self):
        tokens = microdiffusion.encode('cleo', self.vocab)
        self.check(self.weights,
                   lambda: microdiffusion.example_loss(self.weights, tokens, random.Random(3)))

    def test_loss_of_the_gpt_against_central_differences(self):
        tokens = microgpt.encode('cleo', self.gpt_vocab)
        self.check(self.gpt_weights,
                   lambda: microgpt.example_loss(self.gpt_weights, tokens, None))


class DefaultHeads(unittest.TestCase):
    def test_half_of_the_heads_of_the_mask_predictor_look_either_way(self):
        heads = microdiffusion.heads
        self.assertEqual({microdiffusion.LEFT, microdiffusion.RIGHT}, set(heads))
        self.assertEqual(heads.count(microdiffusion.LEFT), heads.count(microdiffusion.RIGHT))

    def test_all_heads_of_the_gpt_look_left(self):
        self.assertEqual({microgpt.LEFT}, set(microgpt.heads))

    def test_heads_share_the_channels(self):
        for program in PROGRAMS:
            self.assertEqual(0, program.n_embd % len(program.heads))


class WhereAHeadLooks(unittest.TestCase):
    """The weights of attention themselves: no score, and values that tell the positions apart."""

    def setUp(self):
        shrink(self, block_size=6, n_embd=12)

    def weights(self, program, query, keys):
        """How much each head of `program` sees of so many keys from position `query`."""
        zero = [program.Value(0.0)] * 12
        values = [[program.Value(float(n == channel % 6)) for channel in range(12)]
                  for n in range(keys)]
        [mixed] = program.attention([zero], [query], [zero] * keys, values)
        return [[v.data for v in mixed[:keys]], [v.data for v in mixed[6:6 + keys]]]

    def check(self, weights, nearest_first):
        """Each position in this order has exp(-slope) times the weight of the one before."""
        self.assertAlmostEqual(1.0, sum(weights))
        for (d, n), (e, m) in zip(nearest_first, nearest_first[1:]):
            ratio = math.exp(-microdiffusion.slope * (e - d))
            self.assertAlmostEqual(ratio, weights[m] / weights[n], places=9,
                                   msg=f'position {n} at distance {d}, {m} at {e}: {weights}')

    def test_one_head_of_the_mask_predictor_looks_left_and_one_looks_right(self):
        """From the neighbour at distance 0 on around the end, to the position itself."""
        for query in range(6):
            left, right = self.weights(microdiffusion, query, 6)
            self.check(left, [(d, (query - 1 - d) % 6) for d in range(6)])
            self.check(right, [(d, (query + 1 + d) % 6) for d in range(6)])
            self.assertEqual(min(left), left[query], 'a position comes to itself last')
            self.assertEqual(min(right), right[query], 'a position comes to itself last')

    def test_all_heads_of_the_gpt_look_left(self):
        for query in range(1, 6):
            for weights in self.weights(microgpt, query, query + 1):
                before = [(d, query - 1 - d) for d in range(query)]
                self.check(weights, before + [(5, query)])

    def test_a_score_is_the_dot_product_by_the_root_of_the_width_and_the_bias_is_not_scaled(self):
        program = microdiffusion
        query = [program.Value(0.5 + n / 10) for n in range(12)]
        keys = [[program.Value(n * m % 5 - 2.0) for m in range(12)] for n in range(6)]
        values = [[program.Value(float(n == channel % 6)) for channel in range(12)]
                  for n in range(6)]
        [mixed] = program.attention([query], [2], keys, values)
        exps = []
        for n in range(6):
            score = sum([q.data * k.data for q, k in zip(query[:6], keys[n])]) / math.sqrt(6)
            exps.append(math.exp(score - program.slope * [1, 0, 5, 4, 3, 2][n]))
        for n in range(6):
            self.assertAlmostEqual(exps[n] / sum(exps), mixed[n].data, places=9)


class WhatAModelSees(SmallModels):
    def test_a_later_token_changes_no_earlier_logit_of_the_gpt(self):
        tokens = microgpt.encode('cleo', self.gpt_vocab)
        before = data(microgpt.gpt(self.gpt_weights, tokens))
        for n in range(len(tokens)):
            changed = tokens[:n] + [(tokens[n] + 1) % len(self.gpt_vocab)] + tokens[n + 1:]
            after = data(microgpt.gpt(self.gpt_weights, changed))
            self.assertEqual(before[:n], after[:n], f'a position before {n} sees it')
            for m in range(n, len(tokens)):
                self.assertNotEqual(before[m], after[m], f'position {m} does not see {n}')

    def test_the_cache_gives_the_logits_of_the_whole_sequence(self):
        tokens = microgpt.encode('cleo', self.gpt_vocab)
        whole = data(microgpt.gpt(self.gpt_weights, tokens))
        for split in range(1, len(tokens)):
            cache = [([], []) for _ in range(microgpt.n_layer)]
            pieces = microgpt.gpt(self.gpt_weights, tokens[:split], cache)
            for token in tokens[split:]:
                pieces += microgpt.gpt(self.gpt_weights, [token], cache)
            self.assertEqual(whole, data(pieces))

    def test_the_cache_of_two_layers_gives_the_logits_of_the_whole_sequence(self):
        with mock.patch.object(microgpt, 'n_layer', 2):
            self.gpt_weights = large_weights(microgpt, self.gpt_vocab, self.rng)
            self.test_the_cache_gives_the_logits_of_the_whole_sequence()

    def test_without_a_cache_nothing_is_kept_from_one_name_to_the_next(self):
        tokens = microgpt.encode('cleo', self.gpt_vocab)
        first, second = [data(microgpt.gpt(self.gpt_weights, tokens)) for _ in range(2)]
        self.assertEqual(first, second)

    def test_wanted_positions_have_the_logits_they_have_among_all(self):
        tokens = microdiffusion.encode('cleo', self.vocab)
        everything = data(microdiffusion.mask_predictor(self.weights, tokens))
        some = data(microdiffusion.mask_predictor(self.weights, tokens, [4, 1]))
        self.assertEqual([everything[4], everything[1]], some)

    def test_mask_is_never_predicted(self):
        for logits in microdiffusion.mask_predictor(self.weights, [microdiffusion.MASK] * 6):
            probs = [p.data for p in microdiffusion.softmax(logits)]
            self.assertEqual(0.0, probs[microdiffusion.MASK], 'P(MASK) = 0')
            self.assertAlmostEqual(1.0, sum(probs))
            self.assertTrue(all([p > 0 for p in probs[1:]]))

    def test_the_output_matrix_of_the_mask_predictor_is_its_embedding(self):
        """A letter's row of wte changes its logit even where that letter is not in the input."""
        letter = self.vocab.index('g')
        tokens = [microdiffusion.MASK] * 6
        before = data(microdiffusion.mask_predictor(self.weights, tokens))
        for value in self.weights['wte'][letter]:
            value.data += 1
        after = data(microdiffusion.mask_predictor(self.weights, tokens))
        for b, a in zip(before, after):
            self.assertNotEqual(b[letter], a[letter], 'the output matrix is tied to wte')
            self.assertEqual(b[:letter] + b[letter + 1:], a[:letter] + a[letter + 1:])

    def test_the_output_matrix_of_the_gpt_is_one_of_its_own(self):
        """Of a letter that is not in the input, wte changes nothing, and lm_head its own logit."""
        letter = self.gpt_vocab.index('g')
        tokens = microgpt.encode('cleo', self.gpt_vocab)
        before = data(microgpt.gpt(self.gpt_weights, tokens))
        for name, changed in (('wte', False), ('lm_head', True)):
            for value in self.gpt_weights[name][letter]:
                value.data += 1
            after = data(microgpt.gpt(self.gpt_weights, tokens))
            for b, a in zip(before, after):
                self.assertEqual(changed, b[letter] != a[letter], name)
                self.assertEqual(b[:letter] + b[letter + 1:], a[:letter] + a[letter + 1:])


class FarAway(SmallModels):
    """At the default length and slope: what is far away counts for little, and still counts."""
    block_size = 16

    def test_every_token_changes_every_logit_of_the_mask_predictor(self):
        tokens = microdiffusion.encode('cleofayhal', self.vocab)
        before = data(microdiffusion.mask_predictor(self.weights, tokens))
        for n in range(16):
            changed = tokens[:n] + [microdiffusion.MASK] + tokens[n + 1:]
            after = data(microdiffusion.mask_predictor(self.weights, changed))
            for m in range(16):
                most = max([abs(b - a) for b, a in zip(before[m], after[m])])
                self.assertGreater(most, 1e-9, f'position {m} does not see {n}')

    def test_every_token_changes_every_later_logit_of_the_gpt_and_no_earlier_one(self):
        tokens = [microgpt.BOS] + [self.gpt_vocab.index(char) for char in 'cleofayhalidjok']
        before = data(microgpt.gpt(self.gpt_weights, tokens))
        for n in range(16):
            changed = tokens[:n] + [(tokens[n] + 1) % len(self.gpt_vocab)] + tokens[n + 1:]
            after = data(microgpt.gpt(self.gpt_weights, changed))
            self.assertEqual(before[:n], after[:n], f'a position before {n} sees it')
            for m in range(n, 16):
                self.assertNotEqual(before[m], after[m], f'position {m} does not see {n}')

    def test_one_layer_too_sees_every_position(self):
        with mock.patch.object(microdiffusion, 'n_layer', 1):
            self.test_every_token_changes_every_logit_of_the_mask_predictor()

    def test_a_neighbour_counts_more_than_what_is_far_away(self):
        tokens = [self.vocab.index(char) for char in 'cleofayhalidjok'] + [microdiffusion.PAD]
        before = data(microdiffusion.mask_predictor(self.weights, tokens))[8]
        effects = []
        for n in range(16):
            changed = tokens[:n] + [microdiffusion.MASK] + tokens[n + 1:]
            after = data(microdiffusion.mask_predictor(self.weights, changed))[8]
            effects.append(max([abs(b - a) for b, a in zip(before, after)]))
        far = max(effects[:4] + effects[13:])
        self.assertGreater(effects[7], 3 * far)
        self.assertGreater(effects[9], 3 * far)


if __name__ == '__main__':
    unittest.main()

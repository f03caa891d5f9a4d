"""Data and weights, where the heads look, what may stand where, and the gradient of the loss."""
import itertools
import math
import random
import unittest
from unittest import mock

import microdiffusion
import microgpt
from tests.small_models import NAMES, PROGRAMS, SmallModels, data, large_weights, probabilities
from tests.small_models import shrink

MASK, PAD = microdiffusion.MASK, microdiffusion.PAD


class Data(unittest.TestCase):
    def test_the_name_alone_decides_whether_it_is_held_out(self):
        """It is held out of every list that has it, whatever else is there; about a tenth are."""
        names = [f'name{n:03d}' for n in range(1000)] + ['zo\u00eb', '\u5065']
        for program in PROGRAMS:
            docs, held_out = program.split(names[::-1] + names)
            self.assertEqual(sorted(names), sorted(docs + held_out))
            self.assertEqual([docs, held_out], [sorted(docs), sorted(held_out)])
            self.assertAlmostEqual(100, len(held_out), delta=30)
            for name in names[::50] + held_out[:20]:
                rest = [other for other in names[:30] if other != name]
                self.assertEqual(name in held_out, name in program.split([name] + rest)[1])
            self.assertEqual((['ada'], ['elias', 'ella']), program.split(['ella', 'elias', 'ada']))

    def test_special_tokens_come_first_in_the_vocabulary(self):
        for program, special in ((microgpt, '.'), (microdiffusion, '_.')):
            self.assertEqual(special + 'abcdef', program.make_vocab(['fed', 'cab']))

    def test_a_name_as_tokens_and_as_text_again(self):
        for program, shown in ((microdiffusion, 'cleo' + '.' * 10), (microgpt, '.cleo.')):
            vocab = program.make_vocab(NAMES)
            tokens = program.encode('cleo', vocab)
            self.assertEqual(shown, program.decode(tokens, vocab))
            self.assertEqual(program.END, tokens[tokens.index(vocab.index('o')) + 1])

    def test_the_longest_name_fits_and_what_is_longer_is_an_error_that_says_the_limit(self):
        for program in PROGRAMS:
            vocab = program.make_vocab(NAMES)
            self.assertIn('a' * 13, program.decode(program.encode('a' * 13, vocab), vocab))
            for doc in ('a' * 14, 'nora' * 4, 'nora' * 40):
                with self.assertRaisesRegex(program.InputError, 'up to 13 letters'):
                    program.encode(doc, vocab)

    def test_a_letter_that_the_model_does_not_know_is_an_error_that_says_which_it_knows(self):
        for program in PROGRAMS:
            with self.assertRaisesRegex(program.InputError, "'box'.* 'abo'"):
                program.encode('box', program.make_vocab(['abo']))


class Constants(unittest.TestCase):
    def test_what_is_out_of_range_is_named_when_the_weights_are_made(self):
        left = microgpt.LEFT
        for program in PROGRAMS:
            wrong = [('n_layer', 0), ('n_layer', -1), ('block_size', 1), ('batch_size', 0),
                     ('n_embd', 18), ('n_embd', 0), ('heads', []), ('heads', [left, 0]),
                     ('heads', [1.5] * 4)]
            if program is microdiffusion:
                wrong += [('t_min', 0), ('t_min', 0.0), ('t_min', 1), ('t_min', 1.5)]
            for name, value in wrong:
                with self.subTest(program=program.PROGRAM, name=name, value=value), \
                        mock.patch.object(program, name, value), \
                        self.assertRaisesRegex(program.InputError, f'^{name} = '):
                    program.make_weights(28, random.Random(1))

    def test_channels_that_the_heads_cannot_share_are_named(self):
        for program in PROGRAMS:
            with mock.patch.object(program, 'heads', [program.LEFT] * 3), \
                    self.assertRaisesRegex(program.InputError, '^n_embd = 16, '):
                program.make_weights(28, random.Random(1))

    def test_what_is_in_range_works(self):
        for program in PROGRAMS:
            right = [('n_layer', 3), ('block_size', 2), ('batch_size', 1), ('n_embd', 20),
                     ('heads', (program.LEFT, program.RIGHT)), ('heads', [program.RIGHT]),
                     ('slope', 0.0)]
            right += [('t_min', 0.01)] if program is microdiffusion else []
            vocab = program.make_vocab(NAMES)
            for name, value in right:
                with self.subTest(program=program.PROGRAM, name=name, value=value), \
                        mock.patch.object(program, name, value):
                    weights = program.make_weights(len(vocab), random.Random(1))
                    loss, _ = program.loss_and_gradient(weights, program.encode('a', vocab), 4)
                    self.assertGreater(loss, 0)


class Weights(SmallModels):
    def test_number_of_distinct_parameters_with_26_letters(self):
        vocab = 'abcdefghijklmnopqrstuvwxyz'
        for program, expected in ((microdiffusion, 6816), (microgpt, 4160)):
            with mock.patch.multiple(program, block_size=14, n_embd=16):
                weights = program.make_weights(len(program.SPECIAL + vocab), random.Random(0))
            values = program.parameters(weights)
            self.assertEqual((expected, expected), (len(values), len(set(map(id, values)))))

    def test_the_output_matrix_of_the_mask_predictor_is_its_embedding(self):
        """A letter's row of wte changes its logit even where that letter is not in the input."""
        letter = self.vocab.index('g')
        before = data(microdiffusion.mask_predictor(self.weights, [MASK] * 5))
        for value in self.weights['wte'][letter]:
            value.data += 1
        after = data(microdiffusion.mask_predictor(self.weights, [MASK] * 5))
        for b, a in zip(before, after):
            self.assertNotEqual(b[letter], a[letter], 'the output matrix is tied to wte')
            self.assertEqual(b[:letter] + b[letter + 1:], a[:letter] + a[letter + 1:])

    def test_the_output_matrix_of_the_gpt_is_one_of_its_own(self):
        """Of a letter that is not in the input, wte changes nothing, and lm_head its own logit."""
        letter = self.gpt_vocab.index('g')
        tokens = microgpt.encode('cleo', self.gpt_vocab)[:-1]
        before = data(microgpt.gpt(self.gpt_weights, tokens))
        for name, changed in (('wte', False), ('lm_head', True)):
            for value in self.gpt_weights[name][letter]:
                value.data += 1
            after = data(microgpt.gpt(self.gpt_weights, tokens))
            for b, a in zip(before, after):
                self.assertEqual(changed, b[letter] != a[letter], name)
                self.assertEqual(b[:letter] + b[letter + 1:], a[:letter] + a[letter + 1:])

    def test_layers_that_add_nothing_leave_what_was_there(self):
        for program, weights, vocab in self.both():
            for name in weights:
                if name.endswith(('attn_wo', 'mlp_fc2')):
                    weights[name] = [[program.Value(0.0) for _ in row] for row in weights[name]]
            tokens = program.encode('cleo', vocab)[:4]
            model = program.gpt if program is microgpt else program.mask_predictor
            for n, (token, z) in enumerate(zip(tokens, model(weights, tokens))):
                x = [a.data + b.data for a, b in zip(weights['wte'][token], weights['wpe'][n])]
                scale = (sum([a * a for a in x]) / len(x) + 1e-5) ** -0.5
                for row, logit in zip(weights.get('lm_head', weights['wte']), z):
                    if math.isfinite(logit.data):
                        self.assertAlmostEqual(sum([a * scale * w.data for a, w in zip(x, row)]),
                                               logit.data, msg='is a residual connection missing?')

    def test_gradients_of_the_whole_loss_against_central_differences(self):
        for program, weights, vocab in self.both():
            for name, seed in (('cleo', 3), ('ed', 4)):
                tokens = program.encode(name, vocab)
                _, gradient = program.loss_and_gradient(weights, tokens, seed)
                gradient = dict(zip(program.parameters(weights), gradient))
                for matrix, rows in weights.items():        # a few weights of every matrix
                    for value in self.rng.sample(list(itertools.chain(*rows)), 4):
                        start, sides = value.data, []
                        for moved in (start + 1e-5, start - 1e-5):
                            value.data = moved
                            loss = program.example_loss(weights, tokens, random.Random(seed))
                            sides.append(loss.data)
                        value.data = start
                        with self.subTest(program=program.PROGRAM, matrix=matrix):
                            self.assertAlmostEqual((sides[0] - sides[1]) / 2e-5, gradient[value],
                                                   places=6)


class Attention(unittest.TestCase):
    """Against the same thing in plain floats, from the description alone."""

    def setUp(self):
        shrink(self, block_size=6, n_embd=12)

    def mix(self, heads, queries, keys, values, slope):
        """Of each query and head: softmax(q . k / sqrt(6) - slope * distance) times the values."""
        out = []
        for n, query in enumerate(queries, len(keys) - len(queries)):
            row = []
            for head, look in enumerate(heads):
                channels = range(6 * head, 6 * head + 6)
                # A walk from the neighbour on, around the end, comes to the position itself last.
                walk = [(n + look * (step + 1)) % 6 for step in range(6)]
                exps = [math.exp(sum([query[c] * key[c] for c in channels]) / math.sqrt(6)
                                 - slope * walk.index(m)) for m, key in enumerate(keys)]
                row += [sum([e * value[c] for e, value in zip(exps, values)]) / sum(exps)
                        for c in channels]
            out.append(row)
        return out

    def test_it_is_the_mix_of_values_that_the_formula_gives(self):
        rng = random.Random(1)
        for program in PROGRAMS:
            left, right = program.LEFT, program.RIGHT
            for heads in ([left, left], [left, right], [right, left]):
                for queries, keys in ((1, 1), (1, 4), (3, 4), (6, 6)):
                    rows = [[[rng.gauss(0, 1) for _ in range(12)] for _ in range(count)]
                            for count in (queries, keys, keys)]
                    values = [[[program.Value(x) for x in row] for row in part] for part in rows]
                    for slope in (0.0, 0.5, 2.0):
                        with self.subTest(program=program.PROGRAM, heads=heads, keys=keys), \
                                mock.patch.multiple(program, heads=heads, slope=slope):
                            expected = self.mix(heads, *rows, slope)
                            for want, got in zip(expected, data(program.attention(*values))):
                                for x, y in zip(want, got):
                                    self.assertAlmostEqual(x, y, places=9)

    def test_heads_look_where_the_programs_say(self):
        self.assertEqual({microgpt.LEFT}, set(microgpt.heads))
        self.assertEqual([microdiffusion.LEFT, microdiffusion.RIGHT], microdiffusion.heads)
        self.assertEqual((-1, 1), (microdiffusion.LEFT, microdiffusion.RIGHT))


class WhatAModelSees(SmallModels):
    block_size = 14

    def test_a_later_token_changes_no_earlier_logit_of_the_gpt_and_all_from_its_own_place(self):
        tokens = microgpt.encode('cleofayhalidj', self.gpt_vocab)[:-1]
        before = data(microgpt.gpt(self.gpt_weights, tokens))
        for n in range(1, 14):
            changed = tokens[:n] + [tokens[n] - 1] + tokens[n + 1:]
            after = data(microgpt.gpt(self.gpt_weights, changed))
            self.assertEqual(before[:n], after[:n], f'a position before {n} sees it')
            for m in range(n, 14):
                self.assertNotEqual(before[m], after[m], f'position {m} does not see {n}')

    def test_the_cache_gives_the_logits_of_the_whole_sequence(self):
        tokens = microgpt.encode('cleofay', self.gpt_vocab)[:-1]
        for layers in (1, 2):
            with mock.patch.object(microgpt, 'n_layer', layers):
                weights = large_weights(microgpt, self.gpt_vocab, self.rng)
                whole = data(microgpt.gpt(weights, tokens))
                for split in (1, 3, 7):
                    cache = [([], []) for _ in range(layers)]
                    pieces = microgpt.gpt(weights, tokens[:split], cache)
                    for token in tokens[split:]:
                        pieces += microgpt.gpt(weights, [token], cache)
                    self.assertEqual(whole, data(pieces))
                self.assertEqual(whole, data(microgpt.gpt(weights, tokens)), 'a cache was kept')

    def test_every_token_changes_every_logit_of_the_mask_predictor(self):
        """Also what is far away; the very last place has no choice, and no logits that change."""
        tokens = microdiffusion.encode('cleofayhalidj', self.vocab)
        for layers in (1, 2):
            with mock.patch.object(microdiffusion, 'n_layer', layers):
                weights = large_weights(microdiffusion, self.vocab, self.rng)
                before = data(microdiffusion.mask_predictor(weights, tokens))
                for n in range(14):
                    changed = tokens[:n] + [MASK] + tokens[n + 1:]
                    after = data(microdiffusion.mask_predictor(weights, changed))
                    for m in range(13):
                        most = max([abs(b - a) for b, a in zip(before[m], after[m])
                                    if b > -math.inf < a])
                        self.assertGreater(most, 1e-9, f'position {m} does not see {n}')

    def test_behind_a_visible_end_nothing_is_looked_at_and_nothing_is_guessed(self):
        for open_name in ('_', 'a_', '___', 'c_e___', '_' * 13):
            tokens = ['_.acdefghijk'.index(char) for char in open_name + '.']
            behind = 14 - len(tokens)
            expected = data(microdiffusion.mask_predictor(self.weights, tokens))
            self.assertEqual(len(tokens), len(expected))
            for more in ([PAD] * behind, [MASK] * behind, [4, MASK, PAD, 5] * 3):
                more = (tokens + more)[:14]
                self.assertEqual(expected, data(microdiffusion.mask_predictor(self.weights, more)))


class WhatMayStandWhere(SmallModels):
    """The rules of both programs, seen in the probabilities: 0 or more than 0."""

    def check(self, probs, letter, end):
        """A letter may stand here, the end may, or both."""
        self.assertAlmostEqual(1.0, sum(probs))
        self.assertEqual(end, probs[PAD] > 0, 'the end')
        for p in probs[PAD + 1:]:
            self.assertEqual(letter, p > 0, 'a letter')

    def test_in_the_mask_predictor(self):
        """By the name's text: l where a letter alone may stand, . where the end alone, b both."""
        for text, expected in (('______', 'lbbbb.'),
                               ('___a__', 'llllb.'),
                               ('a_____', 'lbbbb.'),
                               ('____a_', 'lllll.'),
                               ('a__e__', 'llllb.'),
                               ('_____.', 'lbbbb.'),
                               ('__._..', 'lbb'),
                               ('_.....', 'lb'),
                               ('a_.___', 'lbb'),
                               ('_a_...', 'llbb')):
            tokens = [self.vocab.index(char) for char in text]
            logits = microdiffusion.mask_predictor(self.weights, tokens)
            self.assertEqual(len(expected), len(logits), text)
            for n, (z, may) in enumerate(zip(logits, expected)):
                with self.subTest(text=text, position=n):
                    probs = probabilities(z)
                    self.assertEqual(0.0, probs[MASK], 'MASK is never predicted')
                    self.check(probs, may in 'lb', may in '.b')

    def test_a_least_number_of_letters_rules_out_the_end_before_it(self):
        for text, least_letters, expected in (('______', 3, 'lllbb.'), ('______', 5, 'lllll.'),
                                         ('____a_', 2, 'lllll.'), ('_a____', 4, 'llllb.')):
            tokens = [self.vocab.index(char) for char in text]
            logits = microdiffusion.mask_predictor(self.weights, tokens)
            microdiffusion.rule_out(logits, tokens, least_letters)
            for n, (z, may) in enumerate(zip(logits, expected)):
                with self.subTest(text=text, least_letters=least_letters, position=n):
                    self.check(probabilities(z), may in 'lb', may in '.b')

    def test_in_the_gpt(self):
        """A name has a letter, and at most five here: one fewer than there are positions."""
        tokens = microgpt.encode('cleof', self.gpt_vocab)[:-1]
        cache = [([], []) for _ in range(microgpt.n_layer)]
        alone = [microgpt.gpt(self.gpt_weights, [token], cache)[0] for token in tokens]
        for logits in (microgpt.gpt(self.gpt_weights, tokens), alone):
            self.assertEqual(6, len(logits))
            for n, z in enumerate(logits):
                with self.subTest(letters=n):
                    probs = [0.0] + probabilities(z)        # the GPT has no MASK
                    self.check(probs, letter=n < 5, end=n > 0)


if __name__ == '__main__':
    unittest.main()

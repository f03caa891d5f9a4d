"""The tools that measure, at tiny sizes: results, judge, speed and make_models."""
import concurrent.futures
import contextlib
import functools
import gc
import io
import itertools
import json
import math
import os
import random
import shutil
import statistics
import subprocess
import tempfile
import unittest
from unittest import mock

import microdiffusion
import microgpt
from tests import make_models, results, speed
from tests.judge import NGram, quality
from tests.small_models import NAMES, PROGRAMS, SmallModels, large_weights, shrink

TINY = results.Size(1, 3, 2, 1, 1, 1, 2, 4)


class InTurn:
    """In place of a pool of processes: what is submitted is done at once."""

    def __init__(self, processes): pass
    def __enter__(self): return self
    def __exit__(self, *_): pass

    def submit(self, function, *args):
        future = concurrent.futures.Future()
        future.set_result(function(*args))
        return future


def output(function, *args):
    """(what a function returns, what it prints)."""
    with contextlib.redirect_stdout(io.StringIO()) as out, \
            contextlib.redirect_stderr(io.StringIO()):
        return function(*args), out.getvalue()


class Judge(unittest.TestCase):
    def test_all_continuations_together_have_probability_1(self):
        for order, context in (1, ''), (2, 'a'), (4, 'kay'), (4, 'xyz'):
            ngram = NGram(NAMES, order)
            with mock.patch.object(ngram, 'steps', lambda char: [(context, char)]):
                total = sum([math.exp(-ngram.nats(char)) for char in {*''.join(NAMES), '$'}])
            self.assertAlmostEqual(1, total, msg=f'after {context!r}')

    def test_samples_are_counted(self):
        texts = ['ann...', 'ann...', 'b.c...', 'zed...', '......']
        found = quality([texts], {'ann'}, NGram(NAMES, 2))
        self.assertEqual(['80.0 %', '40 %', '2', '2.00'], found[:4],
                         'distinct, in the training names, broken, mean length')
        found = quality([texts, ['jo.', 'jo.']], {'ann'}, NGram(NAMES, 2))
        self.assertEqual(['65.0 %', '20 %', '1', '2.00'], found[:4], 'the means of two models')


class Measuring(SmallModels):
    def setUp(self):
        super().setUp()
        self.addCleanup(gc.enable)

    def test_draws_of_masks_are_of_the_bound(self):
        """If every token costs 2 nats, the NELBO of six is 12, and so is each draw of it."""
        tokens = microdiffusion.encode('fayel', self.vocab)     # as long as can be: none is settled
        with mock.patch.object(microdiffusion, 'cross_entropies', lambda _, noisy, clean: [
                microdiffusion.Value(2.0)] * noisy.count(microdiffusion.MASK)):
            found = results.nats_of(microdiffusion, {}, tokens, 3, 6)
        self.assertEqual(set(range(1, 7)), set(found))
        for nats in found.values():
            self.assertAlmostEqual(2.0 * 6, nats)

    def test_fewer_draws_are_spread_over_the_names(self):
        tokens = microdiffusion.encode('fay', self.vocab)
        counts = [k for n in range(6)
                  for k in results.nats_of(microdiffusion, self.weights, tokens, n, 2)]
        self.assertEqual([1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6], sorted(counts))
        some = results.nats_of(microdiffusion, self.weights, tokens, 4, 2)
        every = results.nats_of(microdiffusion, self.weights, tokens, 4, 6)
        self.assertEqual(some, {k: every[k] for k in some}, 'the same masks')

    def test_by_any_order_all_names_together_have_probability_1(self):
        shrink(self, 3)
        vocab = microdiffusion.make_vocab(['ab'])
        weights = large_weights(microdiffusion, vocab, random.Random(1))
        names = ['a', 'b', 'aa', 'ab', 'ba', 'bb']
        for order in itertools.permutations(range(3)):
            total = sum([math.exp(-results.order_nats(microdiffusion, weights,
                                                      microdiffusion.encode(name, vocab), order))
                         for name in names])
            self.assertAlmostEqual(1, total, msg=str(order))

    def test_more_orders_come_closer_to_the_probability(self):
        rows = [[math.log(2), math.log(8)] * 8, [3.0, 3.0] * 8]     # p is 1/2 or 1/8, and constant
        _, out = output(results.looseness, rows)
        found = [line.split(' | ')[1] for line in out.splitlines() if line[:4] in ('| 1 ', '| 4 ')]
        expected = (math.log(4) + 3) / 2, (math.log(16 / 5) + 3) / 2
        self.assertEqual([f'{nats:.2f}' for nats in expected], found)

    def test_a_uniform_t_has_the_same_mean_loss(self):
        tokens = microdiffusion.encode('leo', self.vocab)
        means, errors = [], []
        for loss in microdiffusion.example_loss, results.uniform_t:
            found = [loss(self.weights, tokens, self.rng).data for _ in range(300)]
            means.append(statistics.mean(found))
            errors.append(results.error(found))
        self.assertLess(abs(means[0] - means[1]), 4 * math.hypot(*errors))
        self.assertGreater(means[0], 12 * errors[0], 'so the test could tell them apart')

    def test_matrices_are_tied_and_untied(self):
        count = len(self.vocab) * microdiffusion.n_embd
        weights = results.untied(len(self.vocab), self.rng)
        self.assertEqual(len(microdiffusion.parameters(self.weights)) + count,
                         len(microdiffusion.parameters(weights)))
        tokens = microdiffusion.encode('leo', self.vocab)
        _, gradient = microdiffusion.loss_and_gradient(weights, tokens, 1)
        self.assertLess(len(gradient) // 2, sum(map(bool, gradient)), 'gradients reach both')
        rows = {'embedding': weights['embedding'][0], 'output matrix': list(weights['wte'])[2]}
        for name, row in rows.items():
            before = microdiffusion.mask_predictor(weights, [0, 0, 5, 1])[0][2].data
            row[0].data += 1
            after = microdiffusion.mask_predictor(weights, [0, 0, 5, 1])[0][2].data
            self.assertNotEqual(before, after, f'the {name} counts')

        tied = results.tied(len(self.gpt_vocab), self.rng)
        self.assertEqual(len(microgpt.parameters(self.gpt_weights))
                         - len(self.gpt_vocab) * microgpt.n_embd, len(microgpt.parameters(tied)))
        self.assertEqual(len(self.gpt_vocab), len(microgpt.gpt(tied, [0])[0]))

    def test_the_confidence_of_the_drawn_token_writes_proper_names(self):
        for seed in range(30):
            rng, before = random.Random(seed), [microdiffusion.MASK] * 6
            for _, _, after in results.drawn_first(self.weights, before, rng, 3, 0.8):
                self.assertTrue(all(a in (b, microdiffusion.MASK) for a, b in zip(before, after)))
                before = after
            self.assertRegex(microdiffusion.decode(after, self.vocab), r'^[a-z]+\.+$')

    def test_a_variant_is_compared_name_by_name(self):
        found = {'diffusion': {'nats': [{1: 1.0, 2: 3.0}, {1: 5.0, 2: 7.0}, {1: 10.0, 2: 10.0}]},
                 'one layer': {'nats': [{1: 2.0}, {2: 8.0}]}}
        self.assertEqual((7.0, 0.0), results.against(found, 'one layer', 'diffusion'),
                         'the mean of all names, and what two of them cost more')

    def test_the_places_that_are_revealed_count_as_chosen(self):
        """Of six places the last two are surer; each step reveals one, without noise the surest."""
        def sure(state_dict, tokens):
            strengths = [1.0, 1.0, 1.0, 1.0, 4.0, 4.0]
            return [[microdiffusion.Value(strength * (token == 2) - 1e9 * (token < 2))
                     for token in range(28)] for strength in strengths]

        model = results.Model('diffusion', 1, 1, results.ALL, {'mask_predictor': sure})
        numbers = [0.0] * 9999
        with mock.patch.object(results, 'PHASES', {'all': range(1, 21)}):
            strict = output(results.sureness, model, numbers, 20, {'noise': 0.0})[0]['all']
            chance = output(results.sureness, model, numbers, 20,
                            {'noise': results.CHANCE})[0]['all']
        self.assertGreater(strict[0], strict[1] + 0.1)
        self.assertAlmostEqual(chance[0], chance[1], delta=0.1)

    def test_a_hidden_letter_that_is_sure_is_found(self):
        """A model that always says a is right as often as whoever always says a."""
        vocab = output(results.names_and_vocab, microdiffusion)[0][2]
        sure = [[microdiffusion.Value(float(char == 'a')) for char in vocab]] * 6
        numbers = [[p.data for p in lab.parameters(lab.make_weights(size, self.rng))]
                   for lab, size in ((microdiffusion, len(vocab)), (microgpt, len(vocab) - 1))]
        model = results.Model('diffusion', 1, 1, results.ALL, {})
        with mock.patch.object(microdiffusion, 'mask_predictor', lambda *_: sure):
            found, _ = output(results.restored, model, *numbers, 12)
        self.assertEqual(found['always "a"'], found['diffusion, one evaluation'])
        self.assertGreater(found['always "a"'][1], 0)


class Results(unittest.TestCase):
    def test_every_table_is_printed_and_the_figures_of_the_pictures_are_kept(self):
        self.addCleanup(gc.enable)
        shrink(self, 14, n_embd=4)
        for program in PROGRAMS:
            patch = mock.patch.object(program, 'batch_size', 2)
            patch.start()
            self.addCleanup(patch.stop)
        with tempfile.TemporaryDirectory() as folder, \
                mock.patch.object(results, 'HERE', os.path.join(folder, 'tests')), \
                mock.patch.object(results, 'QUICK', TINY), \
                mock.patch.object(concurrent.futures, 'ProcessPoolExecutor', InTurn):
            shutil.copytree(os.path.join(make_models.TOP, 'tests'), results.HERE,
                            ignore=lambda _, names: set(names) - {'few.txt', 'class.txt'})
            shutil.copy(os.path.join(results.HERE, results.FEW), os.path.join(folder, 'names.txt'))
            kept = os.path.join(folder, 'figures.json')
            command = ['--quick', '--keep', kept, '--jobs', folder]
            status, out = output(results.main, command)
            with mock.patch.object(results, 'train'), mock.patch.object(results, 'sample'):
                again = output(results.main, command)[1]        # all is there already
            with open(kept, encoding='utf-8') as file:
                figures = json.load(file)
        self.assertEqual(0, status)
        self.assertEqual(*[text.rpartition('; ')[0] for text in (out, again)])
        tables = [block.split('\n') for block in out.split('\n\n') if block.startswith('|')]
        self.assertEqual(14, len(tables), out)
        for rows in tables:
            self.assertGreater(len(rows), 3, rows[0])
            self.assertEqual({rows[0].count('|')}, {row.count('|') for row in rows}, rows[0])
        for curve in figures['few'].values():
            self.assertEqual(len(results.CURVE), len(curve))
        self.assertEqual(list(results.DENOISING), [row[0] for row in figures['steps']])
        self.assertEqual({'bigrams', 'trigrams', '4-grams'}, set(figures['ngrams']))
        self.assertIn(f'| 4-grams | exact |  | {figures["ngrams"]["4-grams"]:.2f} |', out)


class Speed(SmallModels):
    def test_an_engine_without_its_savings_has_the_same_gradients(self):
        expected = output(speed.gradients, 3, {})[0]()
        self.assertGreater(max(map(abs, expected)), 0.1)
        for label, changes in speed.ENGINES.items():
            found = output(speed.gradients, 3, changes)[0]()
            self.assertLess(max([abs(a - b) for a, b in zip(expected, found)]), 1e-9, label)

    def test_tasks_take_turns_and_the_median_counts(self):
        turns = []
        seconds = iter([0, 9, 0, 9, 0, 1, 0, 4, 0, 2, 0, 5, 0, 30, 0, 6])
        tasks = {'a': lambda: turns.append('a'), 'b': lambda: turns.append('b')}
        with mock.patch('time.perf_counter', lambda: next(seconds)):
            self.assertEqual({'a': 2000, 'b': 5000}, speed.in_turns(tasks, 3))
        self.assertEqual('abababab', ''.join(turns))


class Models(unittest.TestCase):
    def test_kept_models_are_rounded_and_a_longer_training_gives_others(self):
        quiet = functools.partial(subprocess.run, stdout=subprocess.DEVNULL)
        with tempfile.TemporaryDirectory() as folder, \
                mock.patch.object(subprocess, 'run', quiet):
            few = os.path.join(make_models.TOP, 'tests', 'class.txt')
            options = ['--names', few, '--samples', '0', '--processes', '1', '--steps']
            for lab in microgpt, microdiffusion:
                path = make_models.make(lab, folder, [*options, '1'])
                with open(path, encoding='utf-8') as file:
                    self.assertNotRegex(file.read(), r'\.\d{7}')
            self.assertEqual(0, output(make_models.check, folder, [*options, '1'])[0])
            status, out = output(make_models.check, folder, [*options, '2'])
            self.assertEqual((1, 2), (status, out.count('NOT equal')))


if __name__ == '__main__':
    unittest.main()

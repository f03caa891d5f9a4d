"""The pieces of tests.results, tests.make_models and tests.speed, at tiny sizes."""
import concurrent.futures
import contextlib
import functools
import gc
import io
import math
import multiprocessing
import os
import tempfile
import unittest
from unittest import mock

import microdiffusion
import microgpt
from tests import make_models, results, speed
from tests.judge import NGram, quality
from tests.small_models import NAMES, SmallModels, large_weights

TINY = results.Size(2, 6, 4, 6, 3, 2)


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


class Results(SmallModels):
    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        path = os.path.join(folder.name, 'names.txt')
        with open(path, 'w', encoding='utf-8') as file:
            file.write('\n'.join(NAMES + ['a' + x + y for x in 'bcdfghklmn' for y in 'aeiou']))
        self.replace(make_models, 'NAMES', path)
        self.replace(concurrent.futures, 'ProcessPoolExecutor', InTurn)
        self.replace(gc, 'disable', lambda: None)
        (_, self.held_out, self.vocab), _ = output(results.names_and_vocab, microdiffusion)
        self.numbers = [p.data for p in microdiffusion.parameters(
            large_weights(microdiffusion, self.vocab, self.rng))]

    def replace(self, where, name, value):
        patch = mock.patch.object(where, name, value)
        patch.start()
        self.addCleanup(patch.stop)

    def test_each_draw_is_of_the_bound(self):
        """When all is masked nothing is drawn, and the draw is the sum of all cross-entropies."""
        rows = results.held_out(microdiffusion, self.numbers, 3)
        state_dict = results.model_of(microdiffusion, self.numbers, self.vocab)
        for row, doc in zip(rows, results.some(self.held_out, 3)):
            tokens = microdiffusion.encode(doc, self.vocab)
            hidden = [microdiffusion.MASK] * len(tokens)
            terms = microdiffusion.cross_entropies(state_dict, hidden, tokens)
            self.assertAlmostEqual(sum([term.data for term in terms]), row[-1])
            self.assertEqual(len(tokens), len(set(row)), 'one draw for each number of masks')

    def test_fewer_names_have_the_same_masks(self):
        rows = results.held_out(microdiffusion, self.numbers, 4)
        self.assertEqual(rows[:2], results.held_out(microdiffusion, self.numbers, 2))

    def test_a_variant_is_compared_name_by_name(self):
        default = [[1.0, 3.0], [5.0, 7.0], [10.0, 10.0]]
        variant = [[2.0, 4.5], [6.0, 8.5]]
        found = {('held-out', 'diffusion'): default, ('held-out', 'one layer'): variant}
        self.assertEqual(['7.25', '0.00'], results.against(found, 'one layer'),
                         'the mean of all names, and what two of them cost more')

    def test_draws_that_agree_have_no_error(self):
        self.assertEqual(0, results.error_of_draws([[1.0, 1.0], [5.0, 5.0]]))
        self.assertGreater(results.error_of_draws([[1.0, 2.0], [5.0, 5.0]]), 0)

    def test_changes_are_in_place_while_a_model_works(self):
        model = results.Model('diffusion', 1, 1, {'slope': 0.0, 'n_layer': 1})
        before = microdiffusion.slope, microdiffusion.n_layer
        self.assertEqual((0.0, 1), results.work(model, lambda lab: (lab.slope, lab.n_layer)))
        self.assertEqual(before, (microdiffusion.slope, microdiffusion.n_layer))

    def test_variants_are_what_they_are_called(self):
        logits = [microdiffusion.Value(z) for z in (0.0, 2.0, 1.0)]
        tokens = [results.end_at_temperature(logits, range(1, 3), self.rng, 0.01)
                  for _ in range(50)]
        self.assertEqual({microdiffusion.END}, set(tokens), 'a cold draw takes the likelier end')
        logits = [microdiffusion.Value(z) for z in (0.0, -9.0, 3.0, 0.0)]
        for draw, letters in (microdiffusion.draw, {2}), (results.any_letter, {2, 3}):
            tokens = [draw(logits, range(2, 4), self.rng, 1.0) for _ in range(300)]
            self.assertEqual(letters, set(tokens), 'without min-p every letter may be drawn')

    def test_strict_confidence_agrees_with_itself(self):
        strict = functools.partial(microdiffusion.denoise, noise=0.0)
        with mock.patch.object(microdiffusion, 'denoise', strict):
            shares = results.agreement(microdiffusion, self.numbers, 3)
        self.assertEqual({1.0}, {share for _, share, _ in shares.values()})

    def test_a_letter_that_is_sure_is_found(self):
        """A model that always says a is right as often as whoever always says a."""
        def sure(state_dict, tokens, wanted):
            return [[microdiffusion.Value(float(char == 'a')) for char in self.vocab]]

        gpt = microgpt.make_weights(len(self.vocab) - 1, self.rng)
        gpt = [p.data for p in microgpt.parameters(gpt)]
        with mock.patch.object(microdiffusion, 'mask_predictor', sure):
            found = results.restored(microdiffusion, self.numbers, gpt, 10)
        self.assertEqual(found['always "a"'], found['diffusion, one evaluation'])
        self.assertGreater(found['always "a"'][1], 0)

    def test_every_table_is_printed(self):
        self.replace(results, 'QUICK', TINY)
        status, out = output(results.main, ['--quick'])
        self.assertEqual(0, status)
        tables = [block.split('\n') for block in out.split('\n\n') if block.startswith('|')]
        self.assertEqual(10, len(tables), out)
        for rows in tables:
            self.assertGreater(len(rows), 3, rows[0])
            self.assertEqual({rows[0].count('|')}, {row.count('|') for row in rows}, rows[0])

    def test_kept_models_are_checked(self):
        self.replace(multiprocessing, 'cpu_count', lambda: 1)
        out = output(make_models.make, self.folder, 2)[1]
        self.assertEqual(2, out.count('20 of the 20 names'), out)
        self.assertEqual(0, output(make_models.check, self.folder, 2)[0])
        status, out = output(make_models.check, self.folder, 3)
        self.assertEqual((1, 2), (status, out.count('NOT')), 'a longer training gives others')


class Speed(SmallModels):
    def test_the_textbook_engine_has_the_same_gradients(self):
        ours = output(speed.differentiating, 2)[0]()
        theirs = output(functools.partial(speed.differentiating, 2, **speed.TEXTBOOK))[0]()
        self.assertGreater(max(map(abs, ours)), 0.1)
        self.assertLess(speed.furthest_apart(ours, theirs), 1e-9)

    def test_tasks_take_turns_and_the_median_counts(self):
        turns = []
        seconds = iter([0, 9, 0, 9, 0, 1, 0, 4, 0, 2, 0, 5, 0, 30, 0, 6])
        tasks = {'a': lambda: turns.append('a'), 'b': lambda: turns.append('b')}
        with mock.patch('time.perf_counter', lambda: next(seconds)):
            self.assertEqual({'a': 2000, 'b': 5000}, speed.in_turns(tasks, 3))
        self.assertEqual('abababab', ''.join(turns))

    def test_no_work_sends_as_many_numbers_as_there_are_weights(self):
        for lab in speed.LABS:
            (state_dict, examples, _), _ = output(speed.setting, lab)
            _, gradient = speed.no_work(state_dict, examples[0], 1)
            self.assertEqual(len(lab.parameters(state_dict)), len(gradient), lab.PROGRAM)


if __name__ == '__main__':
    unittest.main()

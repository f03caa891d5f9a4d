"""What a run prints. `python -m tests.test_output` shows the reference outputs afresh."""
import contextlib
import functools
import io
import itertools
import math
import os
import re
import tempfile
import textwrap
import time
import types
from unittest import mock

import microdiffusion
import microgpt
from tests.command_line import (FEW, NAMES, PROGRAMS, QUICK, CommandLineTest, frames, run, samples,
                                shown_tokens, text_of, untimed)

# What the two programs print, constants and all. Where one of these is changed on purpose, the
# command above shows what to put here; it is the same on every Python.
REFERENCE = {
    microgpt: '''
        27 names to learn from; 19 tokens; 3904 parameters
        a name, from its beginning to its end: .amelia.
        train 1/3 18.00 nats <time> ihnsitemrsgti
        train 3/3 18.04 nats <time>
        trained 3 steps of 8 names in <time>
        held-out 3/3 11.65 nats <time>
        held-out: 11.6 nats per name, standard error 1.7 (2.50 per character)
        sample  1: agias
        sample  2: edroscliumndu
        sample  3: cdmeoliinaxui
        ''',
    microdiffusion: '''
        27 names to learn from; 20 tokens; 6688 parameters
        noise level t = 0.00: amelia........
        noise level t = 0.25: a_el_a_..._...
        noise level t = 0.50: a_el_a__._.__.
        noise level t = 0.75: ___l___..__.__
        noise level t = 1.00: ______________
        the training loss covers t from 0.2 to 1; the held-out bound covers every t
        train 1/3 38.13 nats <time> aunabeallae
        train 3/3 19.14 nats <time>
        trained 3 steps of 8 names in <time>
        held-out 3/3 14.61 nats <time>
        held-out: 14.6 nats per name, standard error 3.5 (3.13 per character)
        step  1  _____________.  13 masked, temperature 0.68
        step  6  __l__________.  12 masked, temperature 0.61
        step  9  _el__________.  11 masked, temperature 0.57
        step 11  _el____._____.  10 masked, temperature 0.54
        step 12  _el.___._____.   9 masked, temperature 0.52
        step 14  _el.___..____.   8 masked, temperature 0.50
        step 15  _el._._..____.   7 masked, temperature 0.48
        step 17  _el._._.._.__.   6 masked, temperature 0.45
        step 18  _el..._.._.__.   5 masked, temperature 0.44
        step 19  _el..._.._.._.   4 masked, temperature 0.43
        step 20  _el..._.._....   3 masked, temperature 0.41
        step 21  _el......_....   2 masked, temperature 0.40
        step 22  _el...........   1 masked, temperature 0.38
        step 23  ael...........   0 masked, temperature 0.37
        sample  1: ael
        sample  2: e
        sample  3: ug
        '''}


def reference_run(program, names):
    """What a short run on this file of names prints."""
    return run(program, '--names', names, '--steps', 3, '--samples', 3, '--seed', 4)


class ReferenceTest(CommandLineTest):
    """A whole run of the models as they are."""
    small = False

    def test_reference(self):
        """The same seed prints the same on every Python: sizes, losses, figures, steps, names."""
        names = self.write('names.txt', text_of(NAMES[:30]))
        for program, expected in REFERENCE.items():
            with self.subTest(program.PROGRAM):
                result = reference_run(program, names)
                self.assert_runs(result)
                self.assertEqual(textwrap.dedent(expected).lstrip(), untimed(result.out))


class OutputTest(CommandLineTest):
    """From the first line to the last."""

    def test_times(self):
        """The line about the training tells its time, and the time of each name."""
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                clock = mock.Mock(side_effect=[100, 103])
                fake = types.SimpleNamespace(perf_counter=clock, monotonic=time.monotonic)
                with mock.patch.object(program, 'time', fake):
                    result = run(program, '--names', self.few, '--steps', 3, '--samples', 0)
                each = 3000 / (3 * program.batch_size)
                self.assertIn(f'\ntrained 3 steps of {program.batch_size} names in 3.0 s '
                              f'({each:.1f} ms per name)\n', result.out)

    def test_seed(self):
        """The same seed prints the same again, another seed other names from another training."""
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                first, again, other = [
                    untimed(run(program, '--names', self.few, '--steps', 1, '--samples', 2,
                                '--seed', seed).out) for seed in (5, 5, 6)]
                self.assertEqual(first, again)
                self.assertNotEqual(samples(first), samples(other))
                held_out = re.compile('held-out: .*')
                self.assertNotEqual(held_out.search(first).group(), held_out.search(other).group())

    def test_held_out_line(self):
        """The figure is the mean in nats; the error that of a mean; its end counts as a letter."""
        nats = [10, 11, 14, 17, 18]
        names = ['aa', 'bbb', 'cccc', 'ddddd', 'e']
        error = math.sqrt(50 / 4 / 5)
        expected = (f'held-out: 14.0 nats per name, standard error {error:.1f} '
                    f'(3.50 per character)\n')
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM), contextlib.redirect_stdout(io.StringIO()) as out:
                with mock.patch.object(program, 'held_out_nats', lambda *_: iter(nats)):
                    program.evaluate(None, names, program.make_vocab(names), map, [])
            self.assertEqual(expected, out.getvalue().splitlines(True)[-1])

    def test_noise_levels(self):
        """First the clean name, then so many masks as the level says, and nothing else changed."""
        for seed in 1, 2:
            result = run(microdiffusion, '--names', self.few, '--steps', 0, '--samples', 0,
                         '--seed', seed)
            levels = re.findall(r'^noise level t = (\d\.\d\d): (.*)$', result.out, re.MULTILINE)
            self.assertEqual(['0.00', '0.25', '0.50', '0.75', '1.00'], [t for t, _ in levels])
            clean = levels[0][1]
            self.assertIn(clean.rstrip('.'), FEW)
            for t, noisy in levels:
                self.assertAlmostEqual(float(t) * microdiffusion.block_size, noisy.count('_'), delta=0.5)
                self.assertEqual(len(clean), len(noisy))
                for token, now in zip(clean, noisy):
                    self.assertIn(now, ('_', token))

    def test_a_name_as_the_gpt_sees_it(self):
        """Its letters, with the end on either side."""
        result = run(microgpt, '--names', self.few, '--steps', 0, '--samples', 0)
        shown = re.search(r'^a name, from its beginning to its end: \.(.*)\.$', result.out,
                          re.MULTILINE)
        self.assertIn(shown.group(1), FEW)

    def test_frames(self):
        """The steps of microdiffusion reveal token by token, and the last one is sample 1."""
        result = run(microdiffusion, '--load', self.model(microdiffusion), '--samples', 2)
        shown = shown_tokens(result.out)
        self.assertGreater(len(shown), microdiffusion.block_size / 2)
        for before, after in zip(shown, shown[1:]):
            self.assertGreater(before.count('_'), after.count('_'))
            for old, new in zip(before, after):
                self.assertIn(old, ('_', new))
        self.assertEqual(samples(result.out)[0], shown[-1].rstrip('.'))
        self.assertEqual(len(shown), result.out.count('step '))

    def test_masks_and_temperature(self):
        """Each step tells how many masks are left, and a temperature that falls from the start."""
        model, falls = self.model(microdiffusion), {}
        for start in 1, 2:
            shown = frames(run(microdiffusion, '--load', model, '--samples', 1,
                               '--temperature', start).out)
            self.assertEqual([tokens.count('_') for tokens, _, _ in shown],
                             [masked for _, masked, _ in shown])
            self.assertEqual(0, shown[-1][1])
            falls[start] = [temperature for _, _, temperature in shown]
            self.assertEqual(sorted(set(falls[start]), reverse=True), falls[start])
            self.assertLessEqual(falls[start][0], start)
        for one, two in zip(falls[1], falls[2]):
            self.assertAlmostEqual(2 * one, two, delta=0.011)

    def test_nothing_to_do(self):
        """No steps of training are allowed, and so are no samples."""
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                result = run(program, '--names', self.few, '--steps', 0, '--samples', 0)
                self.assert_runs(result)
                self.assertIn(f'trained 0 steps of {program.batch_size} names', result.out)
                self.assertIn('held-out: ', result.out)
                self.assertNotIn('sample', result.out)


def slow_clock(tick):
    """Stands in for the module time: so many seconds pass from look to look at the clock."""
    return types.SimpleNamespace(perf_counter=time.perf_counter,
                                 monotonic=functools.partial(next, itertools.count(0, tick)))


class ProgressTest(CommandLineTest):
    """The lines that tell how far the training is."""

    def test_a_name_of_that_moment(self):
        """Each ends with a name, written with the weights of that moment and a seed of its own."""
        calls = []

        def write(state_dict, vocab, prompt, args, seed):
            """A name that tells of the weights."""
            calls.append((prompt, seed))
            return f'w{state_dict["wte"][0][0].data:.3f}', ''

        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                del calls[:]
                weights = []

                def train(state_dict, *_, **__):
                    """Five steps that change one weight."""
                    for step in range(5):
                        state_dict['wte'][0][0].data = step
                        weights.append(f'w{step:.3f}')
                        yield 1.0

                with mock.patch.multiple(program, write=write, train=train, time=slow_clock(60)):
                    result = run(program, '--names', self.few, '--steps', 5, '--samples', 0)
                shown = re.findall(r'^train \d/5 1.00 nats \d+:\d\d left (.*)$', result.out,
                                   re.MULTILINE)
                self.assertEqual(weights, shown)
                empty = program.read_prompt('', program.make_vocab(FEW))
                self.assertEqual([empty] * 5, [prompt for prompt, _ in calls])
                self.assertEqual(5, len({seed for _, seed in calls}))

    def test_names_on_the_way_change_nothing(self):
        """However many are shown, as on a slow machine, the model and the samples are the same."""
        path = os.path.join(self.folder, 'model.json')
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                results = []
                for tick in 0, 60:
                    with mock.patch.object(program, 'time', slow_clock(tick)):
                        result = run(program, '--names', self.few, '--steps', 4, '--samples', 2,
                                     '--save', path, *QUICK[program])
                    results.append((result.out.count('train '), self.read(path),
                                    samples(result.out)))
                self.assertEqual([2, 4], [count for count, *_ in results])
                self.assertEqual(results[0][1:], results[1][1:])


def show_references():
    """Print the reference outputs as they belong into this file."""
    with tempfile.TemporaryDirectory() as folder:
        names = os.path.join(folder, 'names.txt')
        with open(names, 'w', encoding='utf-8') as file:
            file.write(text_of(NAMES[:30]))
        for program in PROGRAMS:
            print(program.PROGRAM)
            print(textwrap.indent(untimed(reference_run(program, names).out), ' ' * 8))


if __name__ == '__main__':
    show_references()

"""Ctrl-C: once in the training or the measuring it goes on with the rest, then it ends."""
import os
import signal
import unittest
from unittest import mock

from tests.command_line import (NAMES, PROGRAMS, QUICK, CommandLineTest, command, pty, run,
                                run_on_terminal, samples, text_of)

NO_TRAINING = 'Ctrl-C: no more training, on with what was learnt (once more ends it all)'
NO_MEASURING = 'Ctrl-C: no more measuring, on to the names'


class InterruptTest(CommandLineTest):
    """Signals at known moments, one process."""

    def setUp(self):
        super().setUp()
        self.names = self.write('names.txt', text_of(NAMES))
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        self.addCleanup(signal.signal, signal.SIGINT, before)

    def pressed(self, program, presses, *argv):
        """Run with so many Ctrl-C at the given call of each function; result and calls."""
        counts = dict.fromkeys(presses, 0)

        def interrupting(name, at, times):
            """The function of this name, with Ctrl-C pressed so often before one of its calls."""
            really = getattr(program, name)

            def function(*args):
                counts[name] += 1
                if counts[name] == at:
                    for _ in range(times):
                        signal.raise_signal(signal.SIGINT)
                return really(*args)
            return function

        functions = {name: interrupting(name, *when) for name, when in presses.items()}
        with mock.patch.multiple(program, **functions):
            result = run(program, '--names', self.names, '--samples', 2, *QUICK[program], *argv)
        self.assertEqual('', result.err)
        return result, counts

    def test_once_in_the_training(self):
        """The step is finished; then it is measured and put to use what was learnt."""
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                size = program.batch_size
                result, counts = self.pressed(program, {'loss_and_gradient': (size + 2, 1)},
                                              '--steps', 30)
                self.assert_runs(result)
                self.assertEqual(2 * size, counts['loss_and_gradient'])
                self.assertIn(f'\n{NO_TRAINING}\ntrained 2 steps of {size} names in ', result.out)
                self.assertNotIn(NO_MEASURING, result.out)
                self.assertRegex(result.out, r'\nheld-out: \d')
                self.assertEqual(2, len(samples(result.out)))

    def test_once_before_the_training(self):
        """Pressed as soon as the first line has shown, it still leaves a model of one step."""
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                path = os.path.join(self.folder, 'model.json')
                result, _ = self.pressed(program, {'show_task': (1, 1)}, '--steps', 30,
                                         '--save', path)
                self.assert_runs(result)
                self.assertIn('\ntrained 1 steps of ', result.out)
                self.assert_runs(run(program, '--load', path, '--samples', 1))

    def test_twice_in_the_training(self):
        """A second one in the same step does not wait for its end."""
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                result, counts = self.pressed(program, {'loss_and_gradient': (6, 2)},
                                              '--steps', 30)
                self.assertEqual(130, result.status)
                self.assertEqual(6, counts['loss_and_gradient'])
                self.assertNotIn('trained', result.out)

    def test_once_in_the_measuring(self):
        """The rest of the measuring is left out, which is said, and the names are written."""
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                result, _ = self.pressed(program, {'example_nats': (2, 1)}, '--steps', 1)
                self.assert_runs(result)
                self.assertIn(f'\n{NO_MEASURING}\n', result.out)
                self.assertNotIn('held-out: ', result.out)
                self.assertNotIn(NO_TRAINING, result.out)
                self.assertEqual(2, len(samples(result.out)))

    def test_once_in_each(self):
        """Pressed in the training and again in the measuring, it ends; the model is kept."""
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                path = os.path.join(self.folder, 'model.json')
                result, _ = self.pressed(
                    program, {'loss_and_gradient': (2, 1), 'example_nats': (2, 1)},
                    '--steps', 30, '--save', path)
                self.assertEqual(130, result.status)
                self.assertIn(NO_TRAINING, result.out)
                self.assertNotIn(NO_MEASURING, result.out)
                self.assertEqual([], samples(result.out))
                self.assert_runs(run(program, '--load', path, '--samples', 1))

    def test_once_in_the_samples(self):
        """While names are written it ends."""
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                # The progress of the training writes two names.
                result, _ = self.pressed(program, {'write': (4, 1)}, '--steps', 2)
                self.assertEqual(130, result.status)
                self.assertIn('held-out: ', result.out)


@unittest.skipIf(pty is None, 'no terminals here')
class TerminalInterruptTest(CommandLineTest):
    """Ctrl-C on a terminal, where it goes to the program and to its workers."""
    small = False

    def check(self, program, presses, argv, status, fragments):
        """It ends with this status, has shown this, and there is a traceback from no process."""
        with self.subTest(program.PROGRAM, presses=presses):
            args = command(program, *argv, '--processes', 2, *QUICK[program])
            result = run_on_terminal(args, self.folder, presses)
            self.assertEqual(status, result.status, result.out[-1000:])
            for word in 'Traceback', 'KeyboardInterrupt', 'worker', 'Exception':
                self.assertNotIn(word, result.out)
            for fragment in fragments:
                self.assertIn(fragment, result.out)
            self.assertEqual(NO_TRAINING in fragments, NO_TRAINING in result.out)
            self.assertEqual(NO_MEASURING in fragments, NO_MEASURING in result.out)
            if status == 0:
                self.assertEqual(2, len(samples(result.out)))

    def test_training(self):
        """Once ends the training after the step."""
        argv = '--names', self.few, '--steps', 1000000, '--samples', 2
        for program in PROGRAMS:
            self.check(program, ['train '], argv, 0, [NO_TRAINING, '\nheld-out: '])

    def test_measuring(self):
        """Once leaves out the rest of it."""
        for program in PROGRAMS:
            self.check(program, ['ms per name'], ('--steps', 0, '--samples', 2), 0, [NO_MEASURING])

    def test_both(self):
        """Once in the training and once more before the names gets out."""
        for program in PROGRAMS:
            self.check(program, ['train ', NO_TRAINING],
                       ('--steps', 1000000, '--samples', 2), 130, [NO_TRAINING])

    def test_samples(self):
        """Once gets out."""
        for program in PROGRAMS:
            argv = '--load', self.model(program), '--samples', 1000000
            self.check(program, ['sample  9'], argv, 130, ['sample  9'])

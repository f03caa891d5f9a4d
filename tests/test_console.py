"""Pipes, files, encodings, terminals, and what a computation that goes wrong looks like there."""
import contextlib
import functools
import io
import os
import re
import sys
import time
import types
import unittest
from unittest import mock

import microdiffusion
from tests.command_line import (ACCENTS, PROGRAMS, QUICK, CommandLineTest, command, finish,
                                pty, run, run_on_terminal, run_process, samples, start_process,
                                text_of, untimed)

try:
    import resource
except ImportError:                         # Windows
    resource = None


class Terminal(io.StringIO):
    """What is printed to it, which it takes for a terminal."""

    def isatty(self):
        return True


class ConsoleTest(CommandLineTest):
    """The same text everywhere."""
    small = False

    def read_a_line_and_leave(self, program, *argv):
        """What comes of a run whose reader leaves after the first line."""
        process = start_process(command(program, '--names', self.few, *argv, *QUICK[program]),
                                self.folder)
        self.assertIn(b'9 names to learn from', process.stdout.readline())
        process.stdout.close()
        process.stdout = None
        return finish(process)

    def test_closed_pipe(self):
        """A reader that leaves early, like head, is no reason for a traceback."""
        for program in PROGRAMS:
            for steps in 0, 1:              # the reader leaves in the sampling, in the evaluation
                with self.subTest(program.PROGRAM, steps=steps):
                    result = self.read_a_line_and_leave(
                        program, '--steps', steps, '--samples', 30, '--processes', 2)
                    self.assertEqual((0, '', ''), result)

    def test_closed_pipe_with_save(self):
        """Whoever asked for a model is told by the exit status that it may not have been saved."""
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                result = self.read_a_line_and_leave(
                    program, '--steps', 2, '--save', 'new.json', '--processes', 1)
                self.assertEqual((1, '', ''), result)

    def test_closed_before_the_end(self):
        """Where all is held back until the end, a reader who has left is noticed by then."""
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                process = start_process(
                    command(program, '--load', self.model(program), '--samples', 2,
                            '--processes', 1, *QUICK[program]), self.folder)
                process.stdout.close()
                process.stdout = None
                self.assertEqual((0, '', ''), finish(process))

    def in_python(self, program, lines, *argv):
        """What comes of running these lines and then main, in a Python of its own."""
        lines = [f'import errno, sys\nsys.path.insert(0, {os.path.dirname(program.__file__)!r})',
                 f'import {program.PROGRAM} as program', *lines, 'sys.exit(program.main())']
        return run_process([sys.executable, '-c', '\n'.join(lines), *map(str, argv)], self.folder)

    def test_no_output(self):
        """Where there is no output at all, as in a Windows program without a console, it works."""
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                result = self.in_python(program, ['sys.stdout = None'], '--names', self.few,
                                        '--steps', 1, '--save', 'new.json', '--processes', 1,
                                        *QUICK[program])
                self.assertEqual((0, ''), (result.status, result.out))
                self.assertNotIn('Traceback', result.err)
                self.assertIn('new.json', self.files())

    def test_closed_pipe_on_windows(self):
        """There a reader that has left is an invalid argument."""
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                lines = ['def run(args): raise OSError(errno.EINVAL, "Invalid argument")',
                         'program.run = run']
                self.assertEqual((0, '', ''), self.in_python(program, lines))

    def test_encodings(self):
        """Letters that a console lacks become question marks, and the others stay."""
        names = self.write('names.txt', text_of(ACCENTS))
        for program in PROGRAMS:
            argv = ('--names', names, '--steps', 0, '--samples', 1, '--processes', 1,
                    *QUICK[program])
            expected = untimed(run(program, *argv).out)
            self.assertRegex(samples(expected)[0], '^[\u00e8-\u00eb]+$')
            for encoding in 'ascii', 'cp1252', 'cp1251':
                with self.subTest(program.PROGRAM, encoding=encoding):
                    result = run_process(command(program, *argv), self.folder, encoding)
                    self.assert_runs(result)
                    self.assertEqual(
                        expected.encode(encoding, 'replace').decode(encoding).splitlines(),
                        untimed(result.out).splitlines())

    def test_errors_in_ascii(self):
        """An error about what a console cannot show is a line too."""
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                args = command(program, '--names', 'zo\u00eb.txt', '--prompt', 'zo\u00eb')
                self.assert_refused(run_process(args, self.folder, 'ascii'), '.txt: No such file')

    def test_file(self):
        """What is redirected to a file is what was printed."""
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                argv = ('--names', self.few, '--steps', 1, '--samples', 1, '--processes', 1,
                        *QUICK[program])
                path = os.path.join(self.folder, 'out.txt')
                with open(path, 'wb') as file:
                    self.assert_runs(run_process(command(program, *argv), self.folder, stdout=file))
                out = self.read(path).decode('ascii')
                self.assertEqual(untimed(run(program, *argv).out).splitlines(),
                                 untimed(out).splitlines())
                self.assertNotIn('\r', out.replace('\r\n', '\n'))


class ProgressTest(CommandLineTest):
    """A line that is written over on a terminal, a line now and then elsewhere."""
    small = False

    @unittest.skipIf(pty is None, 'no terminals here')
    def test_terminal(self):
        """On a terminal, progress is one line that is written over, and the rest is the same."""
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                argv = ('--names', self.few, '--steps', 2, '--samples', 1, '--processes', 1,
                        *QUICK[program])
                result = run_on_terminal(command(program, *argv), self.folder)
                self.assertEqual(0, result.status)
                plain, rewritten = [], []
                for line in result.out.split('\n'):
                    (rewritten if line.startswith('\r') else plain).append(line)
                self.assertEqual(2, len(rewritten))     # the training and the evaluation
                self.assertRegex(rewritten[0],
                                 r'^(\rtrain \d/2 \d+\.\d\d nats 0:\d\d left [a-z]* *)+$')
                self.assertRegex(rewritten[1], r'^(\rheld-out 1/1 \d+\.\d\d nats 0:00 left *)+$')
                expected = run(program, *argv).out
                self.assertEqual(untimed(re.sub('(train|held-out) \\d.*\n', '', expected)),
                                 untimed('\n'.join(plain)))

    @unittest.skipIf(pty is None, 'no terminals here')
    def test_small_window(self):
        """In a window of 40 columns no progress line is wider, or the terminal would wrap it."""
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                args = command(program, '--names', self.few, '--steps', 1, '--samples', 0,
                               '--processes', 1)
                result = run_on_terminal(args, self.folder, columns=40)
                self.assertEqual(0, result.status)
                lines = re.findall(r'\r([^\r\n]*)', result.out)
                self.assertEqual(['train 1/1', 'held-out 1/1'], [
                    ' '.join(line.split()[:2]) for line in lines])
                self.assertLess(max(map(len, lines)), 40)

    def train_slowly(self, program, screen):
        """What a screen shows of 2000 steps of a third of a second, with a loss that falls."""
        clock = mock.Mock(side_effect=[n * 0.35 for n in range(3000)])
        losses = [5 + 30 * 0.99 ** n for n in range(2000)]
        names = iter(['x' * (n % 14) for n in range(2001)])
        fakes = {'time': types.SimpleNamespace(monotonic=clock, perf_counter=time.perf_counter),
                 'train': lambda *args, **options: iter(losses),
                 'write': lambda *args: (next(names), '')}
        with mock.patch.multiple(program, **fakes), contextlib.redirect_stdout(screen):
            program.main(['--names', self.few, '--samples', '0', '--steps', '2000',
                          '--processes', '1'])
        return [line for line in re.split('[\r\n]', screen.getvalue()) if 'train ' in line]

    def test_narrow_terminal(self):
        """Progress on 40 columns is cut there, and covers the longer line before it."""
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM), mock.patch.dict(os.environ, COLUMNS='40'):
                lines = self.train_slowly(program, Terminal())
                self.assertIn('train 1/2000 35.00 nats 11:40 left', lines[0])
                self.assertTrue(200 < len(lines) < 250, len(lines))     # one in three seconds
                self.assertIn('train 2000/2000 5.00 nats 0:00 left', lines[-1])
                for before, line in zip(lines, lines[1:]):
                    self.assertEqual('', before.rstrip()[len(line):])
                self.assertLess(max(map(len, lines)), 40)

    def test_no_terminal(self):
        """Elsewhere progress is a plain line at the first step, every ten seconds, at the last."""
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                screen = io.StringIO()
                lines = self.train_slowly(program, screen)
                self.assertNotIn('\r', screen.getvalue())
                self.assertRegex(lines[0], r'^train 1/2000 35\.00 nats 11:')
                self.assertRegex(lines[1], r'^train 30/2000 \d+\.\d\d nats 11:')
                self.assertRegex(lines[-1], r'^train 2000/2000 5\.00 nats 0:00 left')
                self.assertTrue(60 < len(lines) < 80, len(lines))

    def test_pipe(self):
        """What was trained is sent on before the measuring, though a pipe may hold lines back."""
        for program in PROGRAMS:
            sent, seen = io.BytesIO(), []
            with mock.patch.object(program, 'evaluate', lambda *_: seen.append(sent.getvalue())), \
                    contextlib.redirect_stdout(io.TextIOWrapper(sent)):
                program.main(['--names', self.few, '--steps', '0', '--samples', '0',
                              '--processes', '1'])
            with self.subTest(program.PROGRAM):
                self.assertIn(b'trained 0 steps', seen[0])

    def test_mean_of_the_last(self):
        """The figure is the mean of the last hundred values, however many there were before."""
        values = [7.0] * 500 + [1.0] * 50 + [2.0] * 50
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM), contextlib.redirect_stdout(io.StringIO()) as out:
                self.assertEqual(values, list(program.progress(values, 600, 'test')))
            self.assertEqual('test 600/600 1.50 nats 0:00 left\n', out.getvalue())


class NumbersTest(CommandLineTest):
    """Computations that go wrong."""

    def train_at(self, program, lr, *argv):
        """Run with this learning rate, whose weights grow beyond all bounds."""
        hopeless = functools.partial(program.train, lr=lr)
        with mock.patch.object(program, 'train', hopeless):
            return run(program, '--names', self.few, *argv)

    def test_loss_is_not_a_number(self):
        """A loss that is no longer a number ends the training, with what to do."""
        for program in PROGRAMS:
            for lr in 1e100, 1e300:
                with self.subTest(program.PROGRAM, lr=lr):
                    path = os.path.join(self.folder, 'model.json')
                    result = self.train_at(program, lr, '--steps', 5, '--save', path)
                    self.assert_refused(result, f'lower learning_rate in {program.PROGRAM}.py')
                    self.assertEqual(['few.txt'], os.listdir(self.folder))

    def test_no_figure(self):
        """Nor is one passed on that is no number, or far too large, between two lines."""
        for program in PROGRAMS:
            for figure in float('nan'), float('inf'), -1e9:
                with contextlib.redirect_stdout(io.StringIO()):
                    figures = program.progress([1.0, figure, 1.0], 3, 'train')
                    self.assertEqual(1.0, next(figures))
                    with self.assertRaises(program.InputError):
                        next(figures)

    def test_rate_too_high(self):
        """A learning rate that is far too high makes bad names or an error, and no traceback."""
        for program in PROGRAMS:
            for lr in 1e3, 1e30, 1e100, 1e150:
                with self.subTest(program.PROGRAM, lr=lr):
                    result = self.train_at(program, lr, '--steps', 1, '--samples', 2)
                    self.assertIn(result.status, (0, 2))
                    if result.status:
                        self.assertIn('lower', result.err.splitlines()[-1])
                    else:
                        self.assert_runs(result)
                        self.assertEqual(2, len(samples(result.out)))

    @unittest.skipIf(resource is None, 'no measure of memory')
    def test_memory(self):
        """Training does not pile up memory: each example's computation is given back."""
        script = ('import resource, runpy, sys; sys.argv = sys.argv[1:]\n'
                  'def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n'
                  'start = peak()\n'
                  'try: runpy.run_path(sys.argv[0], run_name="__main__")\n'
                  'finally: print(start, peak())')
        args = command(microdiffusion, '--names', self.few, '--steps', 3, '--samples', 0,
                       '--processes', 1)
        args[3:3] = ['-c', script]
        result = run_process(args, self.folder)
        self.assert_runs(result)
        unit = 2 ** 20 if sys.platform == 'darwin' else 2 ** 10
        start, peak = [int(word) / unit for word in result.out.split()[-2:]]
        limit = 60 if sys.implementation.name == 'cpython' else 160
        # A new process begins with the peak of the one that started it, which may be higher.
        self.assertLess(peak, max(limit, start + 5), 'megabytes')

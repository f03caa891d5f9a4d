"""Worker processes: the same bits whatever their number, and none that outlives the program."""
import contextlib
import functools
import itertools
import multiprocessing
import os
import re
import signal
from unittest import mock

from tests.command_line import (NAMES, PATIENCE, PROGRAMS, QUICK, CommandLineTest, one_draw, run,
                                text_of, untimed)

ALONE = {}                                  # what one process makes, to compare with
NO_WORKERS = r'no worker processes \(.+\): going on with one'
GONE = 'a worker process has ended: going on with one'


class ProcessesTest(CommandLineTest):
    """Has names enough for several processes to share, and sees that no worker is left."""
    small = False

    def setUp(self):
        super().setUp()
        self.names = self.write('names.txt', text_of(NAMES[:30]))
        self.path = os.path.join(self.folder, 'model.json')
        for program in PROGRAMS:            # names that two or three can share, and no more
            patch = mock.patch.object(program, 'batch_size', 6)
            patch.start()
            self.addCleanup(patch.stop)
        self.addCleanup(self.assert_no_worker)
        if hasattr(signal, 'alarm'):        # not on Windows
            self.addCleanup(signal.signal, signal.SIGALRM,
                            signal.signal(signal.SIGALRM, self.lose_patience))
            self.addCleanup(signal.alarm, 0)
            signal.alarm(PATIENCE)

    def lose_patience(self, *_):
        """End a test that waits for an answer which will never come."""
        raise AssertionError('it waits for ever, as for a worker that has ended')

    def assert_no_worker(self):
        """All workers of this process end."""
        for worker in multiprocessing.active_children():
            worker.join(PATIENCE)
            self.assertIsNotNone(worker.exitcode, 'a worker outlives the run')

    def saved(self, program, processes, *argv):
        """Run two steps; the result and the bytes of the model."""
        if os.path.exists(self.path):
            os.remove(self.path)
        with one_draw():
            result = run(program, '--names', self.names, '--steps', 2, '--samples', 3, '--save',
                         self.path, *QUICK[program], '--processes', processes, *argv)
        self.assert_no_worker()
        return result, os.path.exists(self.path) and self.read(self.path)

    def alone(self, program):
        """What one process makes of it, worked out once for all tests."""
        key = program, self.small
        if key not in ALONE:
            ALONE[key] = self.saved(program, 1)
            self.assert_runs(ALONE[key][0])
        return ALONE[key]

    @contextlib.contextmanager
    def before_each_name(self, program, do):
        """Do this, given their number, before each of a step's names that this process takes."""
        really, counts = program.loss_and_gradient, itertools.count(1)

        @functools.wraps(really)            # so that it is sent to workers by its old name
        def loss_and_gradient(*args):
            do(next(counts))
            return really(*args)

        with mock.patch.object(program, 'loss_and_gradient', loss_and_gradient):
            yield

    def assert_same(self, program, result, model):
        """It ended well, with the output and the model that one process alone makes."""
        expected, expected_model = self.alone(program)
        self.assert_runs(result)
        out = re.sub(f'\n{GONE}\n|{NO_WORKERS}\n', '', result.out)
        self.assertEqual(untimed(expected.out), untimed(out))
        self.assertTrue(expected_model == model, 'other weights than with one process')


class SameBitsTest(ProcessesTest):
    """One, two or three processes, or one left over: nobody could tell from what they learn."""

    def test_any_number(self):
        """The model is the same to the last bit, and so are the figures and the names."""
        for program in PROGRAMS:
            for processes in 2, 3:
                with self.subTest(program.PROGRAM, processes=processes):
                    result, model = self.saved(program, processes)
                    self.assertNotRegex(result.out, f'{NO_WORKERS}|{GONE}')
                    self.assert_same(program, result, model)

    def test_load(self):
        """Loaded models write the same names whatever the number of processes."""
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                argv = '--load', self.model(program), '--samples', 5, *QUICK[program]
                self.assertEqual(run(program, *argv), run(program, *argv, '--processes', 2))

    def test_killed_worker(self):
        """Where a worker is killed, this is said in a line, and one process does it all."""
        for program in PROGRAMS:
            def train(*args, really=program.train, **options):
                """Kill the first of two workers after the first step."""
                for step, loss in enumerate(really(*args, **options)):
                    if step == 0:
                        worker, _ = multiprocessing.active_children()
                        worker.kill()
                        worker.join(PATIENCE)
                    yield loss

            with self.subTest(program.PROGRAM):
                with mock.patch.object(program, 'train', train):
                    result, model = self.saved(program, 3)
                self.assertEqual(1, result.out.count(f'\n{GONE}\n'), result.out)
                self.assert_same(program, result, model)

    def test_killed_at_work(self):
        """A worker that is killed in the middle of its share is missed as well."""
        for program in PROGRAMS:
            def kill(count):
                """Kill the worker, which has been sent its share by now."""
                if count == 2:
                    multiprocessing.active_children()[0].kill()

            with self.subTest(program.PROGRAM), self.before_each_name(program, kill):
                result, model = self.saved(program, 2)
                self.assertEqual(1, result.out.count(f'\n{GONE}\n'), result.out)
                self.assert_same(program, result, model)

    def test_spawn(self):
        """Workers start by spawn, which works the same way everywhere, and share the names."""
        for program in PROGRAMS:
            counts, workers = [], []

            def look(count):
                """Note who is at work."""
                counts.append(count)
                workers[:] = multiprocessing.active_children()

            with self.subTest(program.PROGRAM), self.before_each_name(program, look):
                self.saved(program, 2)
                self.assertEqual(1, len(workers))
                self.assertIsInstance(workers[0], multiprocessing.get_context('spawn').Process)
                self.assertEqual(2 * 3, len(counts), 'half of the names of two steps')

    def test_second_cannot_be_started(self):
        """A first worker ends again where the second cannot be started."""
        really = multiprocessing.get_context('spawn').Process.start
        for program in PROGRAMS:
            def start(worker):
                """Start one worker at most."""
                if multiprocessing.active_children():
                    raise OSError('too many')
                really(worker)

            with self.subTest(program.PROGRAM):
                with mock.patch.object(multiprocessing.process.BaseProcess, 'start', start):
                    result, model = self.saved(program, 3)
                self.assertIn('no worker processes (too many): going on with one\n', result.out)
                self.assert_same(program, result, model)

    def test_after_an_error(self):
        """No worker is left when the training fails."""
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                hopeless = functools.partial(program.train, lr=1e100)
                with mock.patch.object(program, 'train', hopeless):
                    result, _ = self.saved(program, 2)
                self.assert_refused(result, f'lower learning_rate in {program.PROGRAM}.py')

    def test_after_ctrl_c(self):
        """Twice gets out while workers are at work, and none is left; once goes on with them."""
        for program in PROGRAMS:
            for presses, status in (1, 0), (2, 130):
                def press(count):
                    """Press Ctrl-C in the first step."""
                    for _ in range(presses if count == 2 else 0):
                        signal.raise_signal(signal.SIGINT)

                with self.subTest(program.PROGRAM, presses=presses):
                    with self.before_each_name(program, press):
                        result, model = self.saved(program, 2)
                    self.assertEqual((status, ''), (result.status, result.err))
                    self.assertEqual(status == 0, '\ntrained 1 steps' in result.out)
                    self.assertEqual(status == 0, bool(model))
                    self.assertNotIn('worker', result.out)


class OtherConstantsTest(ProcessesTest):
    """What was put in the place of a constant holds for the workers as well."""
    small = True

    def test_other_constants(self):
        """Models of another size, or that do other sums, are the same with two processes."""
        both = dict(slope=0.5, heads=[-1, -1, 1], n_embd=9)
        for program, more in ((PROGRAMS[0], {}), (PROGRAMS[1], {'t_min': 0.9, 'n_layer': 1})):
            with self.subTest(program.PROGRAM), mock.patch.multiple(program, **both, **more):
                result, model = self.saved(program, 1)
                shared, shared_model = self.saved(program, 2)
                self.assertNotRegex(shared.out, f'{NO_WORKERS}|{GONE}')
                self.assertEqual(untimed(result.out), untimed(shared.out))
                self.assertTrue(model == shared_model, 'other weights than with one process')


class StartTest(ProcessesTest):
    """How many workers are started, and what if none can be."""
    small = True                            # none sees it

    def test_cannot_be_started(self):
        """Whatever keeps processes from starting is said in a line; one does it all."""
        context = multiprocessing.get_context('spawn')
        for program in PROGRAMS:
            for error in (OSError(38, 'Function not implemented'), ImportError('no _posixshmem'),
                          ValueError('no spawn here'), PermissionError(13, 'Permission denied')):
                for owner, name in ((multiprocessing, 'get_context'), (context.Process, 'start'),
                                    (type(context), 'Pipe')):
                    with self.subTest(program.PROGRAM, error=error, name=name):
                        with mock.patch.object(owner, name, side_effect=error):
                            result, model = self.saved(program, 2)
                        self.assertIn(f'no worker processes ({error}): going on with one\n',
                                      result.out)
                        self.assert_same(program, result, model)

    def test_ctrl_c_while_starting(self):
        """A worker never hears it: it is ignored here when one begins, and so from its birth on."""
        def handler(*_):
            """Not the usual one."""
        self.addCleanup(signal.signal, signal.SIGINT, signal.signal(signal.SIGINT, handler))
        for program in PROGRAMS:
            seen = []

            def start(worker):
                """Note what Ctrl-C would do, and start nothing."""
                seen.append(signal.getsignal(signal.SIGINT))
                raise OSError('enough seen')

            with mock.patch.object(multiprocessing.process.BaseProcess, 'start', start):
                self.assertEqual([], program.start_workers(1, 28))
            self.assertEqual([signal.SIG_IGN], seen)
            self.assertIs(handler, signal.getsignal(signal.SIGINT))

    def test_how_many(self):
        """As many as are asked for and have something to do: at most a name of a step for each."""
        for program in PROGRAMS:
            size, model = program.batch_size, self.model(program)
            learn = ['--names', self.few, '--steps', 0, '--samples', 0]
            for argv, processes, workers in (
                    (learn, 1, 0), (learn, 2, 1), (learn, size, size - 1),
                    (learn, 1000, size - 1), (['--load', model, '--samples', 0], 9, 0),
                    (['--load', model, '--samples', 1], 9, 0),
                    (['--load', model, '--samples', 3], 9, 2),
                    (['--load', model, '--samples', 100], 1000, size - 1)):
                with self.subTest(program.PROGRAM, argv=argv, processes=processes):
                    start = mock.Mock(return_value=[])
                    with mock.patch.object(program, 'start_workers', start):
                        self.assert_runs(run(program, *argv, '--processes', processes,
                                             *QUICK[program]))
                    self.assertEqual(workers, sum([args[0] for args, _ in start.call_args_list]))

    def test_default(self):
        """Unless told, as many processes as there are processors."""
        for program in PROGRAMS:
            for processors, processes in (4, 4), (1, 1), (None, 1):
                with mock.patch.object(os, 'cpu_count', return_value=processors):
                    self.assertEqual(processes, program.make_parser().parse_args([]).processes)

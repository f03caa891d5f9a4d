"""How rows are shared among processes, and how all processes end with the one that began."""
import contextlib
import io
import os
import signal
import unittest
from unittest import mock

from tests.command_line import (NAMES, PROGRAMS, QUICK, CommandLineTest, command, finish, run,
                                run_process, samples, start_process, text_of, untimed, wait_for)


class Worker:
    """Stands in for the connection to a worker process: it answers when it is asked."""

    def __init__(self, program, log):
        self.program, self.log = program, log

    def send(self, message):
        self.log.append('send')
        self.message = message

    def recv(self):
        self.log.append('recv')
        numbers, function, rows = self.message
        return [function(list(numbers), *row) for row in rows]

    def close(self):
        self.log.append('close')


class ShareTest(unittest.TestCase):
    """How the rows of a map are shared out."""

    def test_order_and_weights(self):
        """Results come in the order of the rows, whoever made them, with the weights of now."""
        for program in PROGRAMS:
            for workers in range(8):
                for count in range(1, 20):
                    with self.subTest(program.PROGRAM, workers=workers, count=count):
                        self.check(program, workers, count)

    def check(self, program, workers, count):
        """So many workers share so many rows."""
        log = []
        weights = {'w': [[program.Value(0.5), program.Value(-3.0)]]}
        rows = [(weights, n) for n in range(count)]

        def function(state_dict, n):
            """What it was given, as numbers."""
            if state_dict is weights:
                log.append('own')
                state_dict = [p.data for p in program.parameters(state_dict)]
            return state_dict, n

        connections = [Worker(program, log) for _ in range(workers)]
        results = program.share_out(connections, function, rows)
        self.assertEqual([([0.5, -3.0], n) for n in range(count)], results)
        self.assertLessEqual(log.count('own'), -(-count // (workers + 1)))
        order = [kind for n, kind in enumerate(log) if log[n - 1:n] != [kind]]
        self.assertIn(order, (['own'], ['send', 'own', 'recv']), 'all are to work at once')

    def test_lost_workers(self):
        """However a lost worker shows, all rows are done here, and the other workers let go."""
        rows = [({'w': []}, n) for n in range(7)]
        for program in PROGRAMS:
            for name, error in (('send', BrokenPipeError()), ('send', ConnectionResetError()),
                                ('recv', EOFError()), ('recv', ConnectionResetError())):
                with self.subTest(program.PROGRAM, name=name, error=error):
                    lost = Worker(program, [])
                    setattr(lost, name, mock.Mock(side_effect=error))
                    log = []
                    connections = [Worker(program, log), lost]
                    with contextlib.redirect_stdout(io.StringIO()) as out:
                        results = program.share_out(connections, lambda _, n: n, rows)
                    self.assertEqual(list(range(7)), results)
                    self.assertEqual('\na worker process has ended: going on with one\n',
                                     out.getvalue())
                    self.assertEqual(([], 'close'), (connections, log[-1]))

    def test_an_endless_map(self):
        """Rows are taken as they are needed: who stops early has not had them all made."""
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM), program.processes(1, 5) as spread:
                made = iter(range(10 ** 9))
                weights = [{}] * 10 ** 6
                results = spread(lambda state_dict, n: n, weights, made)
                self.assertEqual([0, 1, 2], [next(results) for _ in range(3)])
                self.assertLess(next(made), 100)


class EndingTest(CommandLineTest):
    """No process outlives the program: each of them holds on to the pipes that finish reads."""
    small = False

    def start(self, program, argv, line):
        """Start a run with workers and wait until it prints a line that begins like this."""
        process = start_process(command(program, *argv, '--processes', 3, *QUICK[program]),
                                self.folder)
        wait_for(process, line)
        return process

    def test_the_program_is_killed(self):
        """Workers end where the program has no chance to tell them, at work or waiting."""
        for program in PROGRAMS:
            for stop in [signal.SIGTERM, getattr(signal, 'SIGKILL', signal.SIGTERM)]:
                for argv, line in ((('--steps', 1000000), 'train 1/'),
                                   (('--steps', 0), 'trained 0 steps')):
                    with self.subTest(program.PROGRAM, stop=stop, line=line):
                        process = self.start(program, argv, line)
                        process.send_signal(stop)
                        result = finish(process)
                        self.assertEqual('', result.err)
                        self.assertNotIn('worker', result.out)
                        if os.name != 'nt':
                            self.assertEqual(-stop, result.status)

    def test_code_from_standard_input(self):
        """Such code cannot be imported by a worker: one process does it all, and says so."""
        names = self.write('names.txt', text_of(NAMES[:10]))
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM), open(program.__file__, 'rb') as code:
                argv = [str(arg) for arg in ('--steps', 1, '--samples', 2, *QUICK[program])]
                args = command(program, *argv, '--processes', 2)
                args[3] = '-'
                result = run_process(args, self.folder, stdin=code)
                self.assert_runs(result)
                first, rest = result.out.split('\n', 1)
                self.assertRegex(first, r'^no worker processes \(.+\): going on with one$')
                expected = run(program, '--names', names, *argv)
                self.assertEqual(untimed(expected.out).splitlines(), untimed(rest).splitlines())

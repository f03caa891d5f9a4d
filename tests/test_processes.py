"""Worker processes: the same bits whatever their number, and none that outlives the program."""
import os
import re
import signal
import unittest
from unittest import mock

from tests.command_line import (NAMES, PROGRAMS, CommandLineTest, command, finish, kill_group, pty,
                                run, run_on_terminal, samples, start_process, untimed)

# Lines for a copy of a program: each process tells its number before its first loss, and what
# stands for {} is done before every loss.
TELL = '''
told, really = [], example_loss

def example_loss(*args):
    if not told:
        told.append(os.write(2, b'process %d\\n' % os.getpid()))
    {}
    return really(*args)

'''
BUSY = TELL.format('while True: pass')

# Lines for a copy: Ctrl-C is pressed when the first results of a training have come.
PRESS = '''
pressed, spawn_pipe = [], type(multiprocessing.Pipe()[0])
really_recv = spawn_pipe.recv

def recv(pipe):
    result = really_recv(pipe)
    if not pressed and result != 'ready':
        pressed.append(True)
        signal.raise_signal(signal.SIGINT)
    return result

spawn_pipe.recv = recv
'''

# Lines for a copy: the measuring takes its time.
SLOW_MEASURE = '''
really_nats = example_nats

def example_nats(*args):
    time.sleep(0.2)
    return really_nats(*args)
'''

# Lines for a copy: a worker takes its time to start, and the program to mind a Ctrl-C.
SLOW_START = '''
def later(*details):
    time.sleep(0.5)
    raise KeyboardInterrupt

if __name__ == '__main__':
    signal.signal(signal.SIGINT, later)
else:
    os.write(2, b'worker starts')
    time.sleep(0.3)
'''

# Lines for a copy: the training is interrupted as IDLE does it, which wakes nobody who waits.
IDLE = BUSY + '''
import _thread
really_learn = learn

def learn(*args):
    threading.Timer(0.5, _thread.interrupt_main).start()
    return really_learn(*args)
'''

# Lines for a copy: a worker dies while it starts; a worker takes a second to start.
STILLBORN = '''
if __name__ != '__main__':
    os._exit(1)
'''
LATE = '''
if __name__ != '__main__':
    time.sleep(1)
'''
TRACES = 'Traceback', 'KeyboardInterrupt', 'Exception', 'Error', 'Warning'


class ProcessesTest(CommandLineTest):
    """Runs small copies of the programs. finish waits for the workers too: they hold the pipes."""

    def setUp(self):
        super().setUp()
        self.names = self.write('names.txt', '\n'.join(NAMES))

    def start(self, program, *argv, more=TELL.format('pass')):
        """Start a copy with two processes; the process, and the numbers of its workers."""
        args = command(self.copy(program, more), '--names', 'names.txt', '--processes', 2, *argv)
        process = start_process(args, self.folder)
        self.addCleanup(kill_group, process)
        workers = []
        while len(workers) < 2:
            line = process.stderr.readline().decode()
            self.assertRegex(line, r'^process \d+\n$')
            workers.append(int(line.split()[1]))
        self.assertNotIn(process.pid, workers)
        return process, workers

    def assert_clean(self, text):
        """There is no traceback in it, from no process."""
        for trace in TRACES:
            self.assertNotIn(trace, text)

    def test_same_bits(self):
        """Models, figures and names are equal to the last bit for 1, 2 and 3 processes."""
        for program in PROGRAMS:
            path, found = self.copy(program), []
            for count in 1, 2, 3:
                result = finish(start_process(
                    command(path, '--names', 'names.txt', '--steps', 3, '--samples', 10,
                            '--save', self.new(), '--processes', count), self.folder))
                self.assert_runs(result)
                self.assertEqual(10, len(samples(result.out)))
                found.append((untimed(result.out), self.read('new.json')))
            with self.subTest(program.PROGRAM):
                self.assertEqual(found[0], found[1])
                self.assertEqual(found[0], found[2])
                expected = run(program, '--names', self.names, '--steps', 3, '--samples', 10)
                self.assertEqual(untimed(expected.out), found[0][0])

    def test_killed_worker(self):
        """When a worker is killed in the training, one process goes on with all, and as well."""
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                argv = '--steps', 15, '--samples', 2, '--save', self.new()
                slow = TELL.format('time.sleep(0.005)')     # so the kill comes before the end
                process, workers = self.start(program, *argv, more=slow)
                os.kill(workers[0], getattr(signal, 'SIGKILL', signal.SIGTERM))
                result = finish(process)
                self.assertEqual(0, result.status, result)
                self.assert_clean(result.out + result.err)
                self.assertRegex(result.err, rf'^process {process.pid}\n')
                found = untimed(result.out), self.read('new.json')
                expected = run(program, '--names', self.names, '--steps', 15, '--samples', 2,
                               '--save', self.path('new.json'))
                self.assertEqual((untimed(expected.out), self.read('new.json')), found)

    def test_killed_program(self):
        """When the program is killed its workers end, even one that is busy for ever."""
        for program in PROGRAMS:
            for more in TELL.format('pass'), BUSY:
                with self.subTest(program.PROGRAM, more=more):
                    process, _ = self.start(program, '--steps', 1000000, more=more)
                    process.kill()
                    self.assert_clean(finish(process).err)

    @unittest.skipUnless(hasattr(os, 'killpg'), 'no groups of processes')
    def test_busy_workers(self):
        """After Ctrl-C the names come, even if no worker ever comes back."""
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                process, _ = self.start(program, '--samples', 2, more=BUSY)
                os.killpg(process.pid, signal.SIGINT)
                result = finish(process)
                self.assertEqual((0, ''), (result.status, result.err))
                self.assertEqual(2, len(samples(result.out)))

    def test_interrupted_as_in_idle(self):
        """There the waiting for a worker, even one that never comes back, ends as with Ctrl-C."""
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                result = finish(start_process(command(
                    self.copy(program, IDLE), '--names', 'names.txt', '--samples', 2,
                    '--processes', 2), self.folder))
                self.assertEqual(0, result.status, result)
                self.assert_clean(result.err)
                self.assertIn('\nCtrl-C: the training ends here', result.out)
                self.assertEqual(2, len(samples(result.out)))

    def test_late_workers(self):
        """The time that workers take to start is no part of the time that is left."""
        for program in PROGRAMS:
            args = command(self.copy(program, LATE), '--names', 'names.txt', '--steps', 1000000,
                           '--processes', 2)
            with self.subTest(program.PROGRAM):
                process = start_process(args, self.folder)
                self.addCleanup(kill_group, process)
                for line in process.stdout:
                    if line.startswith(b'train 1/'):
                        break
                process.kill()
                finish(process)             # and the workers
                hours = int(re.search(r'(\d+):\d\d left', line.decode()).group(1)) / 60
                self.assertLess(hours, 1000000 / 3600, line)

    def test_unread_results(self):
        """What workers had ready when Ctrl-C came is not taken for an answer later on."""
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                argv = '--names', 'names.txt', '--samples', 5, '--processes', 2
                result = finish(start_process(command(self.copy(program, PRESS), *argv),
                                              self.folder))
                self.assert_runs(result)
                self.assertIn('\nCtrl-C: the training ends here', result.out)
                expected = run(program, '--names', self.names, '--samples', 5, '--steps', 0)
                self.assertEqual(untimed(expected.out).split('held-out')[1:],
                                 untimed(result.out).split('held-out')[1:])

    @unittest.skipIf(pty is None, 'no terminals here')
    def test_terminal(self):
        """On a terminal Ctrl-C reaches every process, and only the program minds it."""
        for program in PROGRAMS:
            args = command(self.copy(program, SLOW_MEASURE), '--names', 'names.txt', '--steps',
                           1000000, '--samples', 2, '--processes', 2)
            for presses, status in (['train 1/'], 0), (['train 1/', 'trained '], 130):
                with self.subTest(program.PROGRAM, presses=presses):
                    result = run_on_terminal(args, self.folder, presses, env={'TERM': 'dumb'})
                    self.assertEqual(status, result.status, result.out)
                    self.assertIn('Ctrl-C: the training ends here', result.out)
                    self.assertEqual(0 if status else 2, len(samples(result.out)))
                    self.assertEqual(not status, '\nheld-out: ' in result.out)
                    self.assert_clean(result.out)

    @unittest.skipIf(pty is None, 'no terminals here')
    def test_starting_workers(self):
        """A worker that is still starting does not mind Ctrl-C either."""
        for program in PROGRAMS:
            args = command(self.copy(program, SLOW_START), '--names', 'names.txt', '--steps', 1000,
                           '--samples', 2, '--processes', 2)
            with self.subTest(program.PROGRAM):
                result = run_on_terminal(args, self.folder, ['worker starts'], env={'TERM': 'dumb'})
                self.assertIn(result.status, (0, 130), result.out)
                self.assert_clean(result.out)

    def test_no_workers(self):
        """Where no process can be started, as under a profiler, one does it all."""
        lacking = ('import multiprocessing.process, runpy, sys\n'
                   'def lack(*args): raise OSError("no processes here")\n'
                   'multiprocessing.process.BaseProcess.start = lack\n'
                   'sys.argv = sys.argv[1:]\n'
                   'runpy.run_path(sys.argv[0], run_name="__main__")')
        for program in PROGRAMS:
            argv = ['--names', 'names.txt', '--steps', 1, '--samples', 1, '--processes', 2]
            expected = untimed(run(program, *argv, '--names', self.names).out)
            for more, before in (('', ['-m', 'cProfile']), ('', ['-c', lacking]), (STILLBORN, []),
                                 ('', ['-'])):          # the program comes from standard input
                with self.subTest(program.PROGRAM, before=before, more=more):
                    path = self.copy(program, more)
                    args = command(path, *argv)
                    with open(path, 'rb') as file:
                        result = finish(start_process(
                            args[:1] + before + args[3 + (before == ['-']):], self.folder,
                            stdin=file))
                    self.assertEqual(0, result.status, result)
                    if os.name == 'posix' or before != ['-m', 'cProfile']:
                        self.assertEqual('', result.err)
                    self.assertTrue(untimed(result.out).startswith(expected), result.out)

    def test_in_a_notebook(self):
        """Where the Python goes on after the program, as with %run, no worker is left."""
        script = ('import multiprocessing, runpy, sys\n'
                  'sys.argv = sys.argv[1:]\n'
                  'try: runpy.run_path(sys.argv[0], run_name="__main__")\n'
                  'except SystemExit: print("goes on")\n'
                  'left = multiprocessing.active_children()\n'
                  'for process in left: process.join(5)\n'
                  'print("left:", [process for process in left if process.is_alive()])')
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                args = command(self.copy(program, TELL.format('pass')), '--names', 'names.txt',
                               '--steps', 1, '--processes', 2)
                result = finish(start_process(args[:1] + ['-c', script] + args[3:], self.folder))
                self.assertEqual(2, len(set(re.findall(r'process \d+', result.err))), result.err)
                self.assertTrue(result.out.endswith('goes on\nleft: []\n'), result.out)

    def test_in_a_shell(self):
        """What was changed in a shell after the program, as in IDLE, counts for any --processes."""
        script = ('import sys\n'
                  'sys.argv = sys.argv[1:]\n'
                  '__file__ = sys.argv[0]\n'
                  'try: exec(open(__file__).read())\n'
                  'except SystemExit: print("goes on")\n'
                  'slope = 0.5\n'
                  'main(sys.argv[1:] + ["--steps", "2"])')
        for program in PROGRAMS:
            argv = '--names', self.names, '--samples', 2, '--processes', 2
            with self.subTest(program.PROGRAM), mock.patch.object(program, 'slope', 0.5):
                args = command(self.copy(program), *argv, '--steps', 0)
                result = finish(start_process(args[:1] + ['-c', script] + args[3:], self.folder))
                expected = untimed(run(program, *argv, '--steps', 2).out)
                self.assertEqual(expected, untimed(result.out).split('goes on\n')[-1])

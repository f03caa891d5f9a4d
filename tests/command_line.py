"""What the tests of the command line share: ways to run a program, and a folder for each test."""
import collections
import contextlib
import io
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest
from unittest import mock

import microdiffusion
import microgpt

try:
    import fcntl
    import pty
    import select
    import termios
except ImportError:                         # Windows
    pty = None

PROGRAMS = (microgpt, microdiffusion)
NAMES = '''
    ada adam agnes albert alice amelia anna anton beatrice bella ben bruno carla carlos cecilia
    clara daniel diana edgar eleanor elias ella emil emma felix fiona frida george greta hanna
    '''.split()
HELD_OUT = ['elias', 'ella', 'george']      # of these; their checksums say so
FEW = NAMES[:8] + HELD_OUT[:2]              # the least that a program takes
PATIENCE = 60                               # seconds until a process that does not end is a failure
Result = collections.namedtuple('Result', 'status out err')


def untimed(text):
    """What a program printed, without what depends on the time that it took."""
    text = re.sub(r'\d+:\d\d left|[\d.]+ s \([\d.]+ ms per name\)', '<time>', text)
    lines = []
    for line in text.splitlines():
        # A slow run shows more lines between the first and the last, each with a name of its own.
        progress = re.match(r'(train|held-out) (\d+)/(\d+) .*?<time>', line)
        if not progress or progress.group(2) == '1':
            lines.append(line)
        elif progress.group(2) == progress.group(3):
            lines.append(progress.group())
    return '\n'.join(lines)

def samples(text):
    """The names that a program printed."""
    return re.findall(r'^sample +\d+: (.*)$', text, re.MULTILINE)

def run(program, *argv, out=None):
    """Call a program's main as after an import: its status and output."""
    out, err = out or io.StringIO(), io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = program.main([str(arg) for arg in argv])
    except SystemExit as end:
        status = end.code
    return Result(status, out.getvalue(), err.getvalue())

def command(path, *argv):
    """The command line that runs a program file, with every warning an error."""
    return [sys.executable, '-W', 'error', path, *map(str, argv)]

def start_process(args, cwd, **options):
    """Start a command as the first of a group of processes, each of which holds on to its pipes."""
    env = {**os.environ, 'PYTHONIOENCODING': 'utf-8', **options.pop('env', {})}
    for name in 'PYTHONUNBUFFERED', 'LINES', 'COLUMNS', 'JPY_PARENT_PID':
        env.pop(name, None)
    pipes = {'stdin': subprocess.DEVNULL, 'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE}
    # What is ignored stays so in a new process, as Ctrl-C does behind an & in a script.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(args, cwd=cwd, env=env, start_new_session=True,
                                **{**pipes, **options})
    finally:
        signal.signal(signal.SIGINT, before)

def finish(process, encoding='utf-8'):
    """Wait until neither a process nor a worker of it is left: its status and what they printed."""
    with process:
        try:
            out, err = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            kill_group(process)
            out, err = process.communicate()
            raise AssertionError(f'it or a worker does not end: {out!r} {err!r}') from None
    return Result(process.returncode, *[(text or b'').decode(encoding).replace(os.linesep, '\n')
                                        for text in (out, err)])

def kill_group(process):
    """End a process and all that it started."""
    if hasattr(os, 'killpg'):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()

def run_on_terminal(args, cwd, presses=(), lines=24, **options):
    """Run a command on a terminal of its own, with a Ctrl-C each time the next text has shown."""
    def take_terminal():
        """Make it what Ctrl-C is pressed on: it goes to every process of the group."""
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack('HHHH', lines, 80, 0, 0))
    process = start_process(args, cwd, stdin=theirs, stdout=theirs, stderr=theirs,
                            preexec_fn=take_terminal, **options)
    os.close(theirs)
    shown, seen, presses, deadline = '', 0, list(presses), time.monotonic() + PATIENCE
    try:
        while select.select([ours], [], [], max(0, deadline - time.monotonic()))[0]:
            try:
                data = os.read(ours, 4096)
            except OSError:                 # how Linux says that the other end was closed
                data = b''
            if not data:                    # by all of its processes
                return Result(process.wait(PATIENCE), shown.replace('\r\n', '\n'), '')
            shown += data.decode('ascii')
            if presses and presses[0] in shown[seen:]:
                seen = len(shown)
                presses.pop(0)
                os.write(ours, b'\x03')     # Ctrl-C
        raise AssertionError('it does not end; it has shown: ' + shown[-1000:])
    finally:
        os.close(ours)
        if process.poll() is None:
            kill_group(process)
            process.wait()


class CommandLineTest(unittest.TestCase):
    """Gives each test small models, and a folder with a list of ten names in it."""
    maxDiff = None                          # what a program says is shown whole

    def setUp(self):
        for program in PROGRAMS:
            patch = mock.patch.multiple(program, n_embd=4, n_layer=1, heads=program.heads[::2])
            patch.start()
            self.addCleanup(patch.stop)
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.few = self.write('few.txt', '\n'.join(FEW))

    def path(self, name):
        """The path of a file of the folder."""
        return os.path.join(self.folder, name)

    def write(self, name, content):
        """Write a text or bytes to a file of the folder; its path."""
        with open(self.path(name), 'wb') as file:
            file.write(content if isinstance(content, bytes) else content.encode('utf-8'))
        return self.path(name)

    def read(self, name):
        """The bytes of a file of the folder."""
        with open(self.path(name), 'rb') as file:
            return file.read()

    def new(self):
        """The path of an empty file: what has something in it is replaced by no other program."""
        return self.write('new.json', '')

    def files(self):
        """All that is in the folder, with its content."""
        return {name: os.path.isfile(self.path(name)) and self.read(name)
                for name in os.listdir(self.folder)}

    def model(self, program, names=NAMES):
        """The path of a saved model that has not been trained."""
        vocab = program.make_vocab(names)
        path = self.path(program.PROGRAM + '.json')
        program.save(path, program.make_weights(len(vocab), program.random.Random(1)), vocab)
        return path

    def copy(self, program, more=''):
        """A copy of the program in the folder, made small by hand, and with more lines in it."""
        with open(program.__file__, encoding='utf-8') as file:
            text = file.read()
        for name in 'n_embd', 'n_layer', 'heads':       # as they are patched above
            text = re.sub(rf'^{name} = .*', f'{name} = {getattr(program, name)!r}', text,
                          flags=re.MULTILINE)
        guard = "\nif __name__ == '__main__':"
        assert guard in text
        text = text.replace(guard, more + guard)
        return self.write(program.PROGRAM + '.py', text)

    def assert_runs(self, result):
        """It ended well and complained of nothing."""
        self.assertEqual('', result.err, result.out)
        self.assertEqual(0, result.status, result.out)

    def assert_refused(self, result, fragment):
        """It ended with status 2 and one line that has this in it, before any training."""
        self.assertEqual(2, result.status, result)
        lines = result.err.splitlines()
        self.assertEqual(1, len([line for line in lines if 'error:' in line]), result.err)
        self.assertIn('error: ', lines[-1])
        self.assertIn(fragment, lines[-1])
        self.assertNotIn('Traceback', result.err)
        self.assertNotIn('trained', result.out)

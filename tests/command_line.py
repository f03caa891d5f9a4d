"""What the tests of the command line share: ways to run a program, names, and a folder each."""
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
    ida ines iris ivan jakob jonas julia karl klara lena leo lina luis maria marius marta max
    mia mila nina noah nora oscar paul paula rosa sara simon sofia
    '''.split()
FEW = NAMES[:10]                            # enough to train on, and one held out: the fastest run
ACCENTS = ['\u00e9', '\u00e8\u00ea', '\u00eb\u00e9', '\u00ea', '\u00e8\u00e8', '\u00eb\u00ea',
           '\u00e9\u00e9\u00ea', '\u00e8', '\u00eb', '\u00ea\u00ea']    # none of it is ASCII
QUICK = {microgpt: [], microdiffusion: ['--denoise-steps', 2]}      # as few evaluations as it goes
PATIENCE = 120                              # seconds until a process that does not end is a failure
Result = collections.namedtuple('Result', 'status out err')


def text_of(names):
    """The content of a names file."""
    return '\n'.join(names) + '\n'

def untimed(text):
    """What a program printed, without what depends on the time that it took."""
    text = re.sub(r'\d+:\d\d left|[\d.]+ s \([\d.]+ ms per name\)', '<time>', text)
    lines = text.split('\n')
    progress = [re.match(r'(train|held-out) (\d+)/(\d+) (.*?<time>)', line) for line in lines]
    # A slow run shows more lines between the first and the last, and each of them draws a name.
    kept = [match.group() if match and match.group(2) == match.group(3) else line
            for line, match in zip(lines, progress)
            if not match or match.group(2) in ('1', match.group(3))]
    return '\n'.join([line.rstrip() for line in kept])

def samples(text):
    """The names that a program printed."""
    return re.findall(r'^sample +\d+: (.*)$', text, re.MULTILINE)

def frames(text):
    """(tokens, number of masks, temperature) of the steps that microdiffusion printed."""
    pattern = r'^step +\d+  (\S{14})  ([ \d]\d) masked, temperature (\d+\.\d\d)$'
    return [(tokens, int(masked), float(temperature))
            for tokens, masked, temperature in re.findall(pattern, text, re.MULTILINE)]

def shown_tokens(text):
    """The tokens alone of those steps."""
    return [tokens for tokens, _, _ in frames(text)]

def run(program, *argv):
    """Call a program's main, with one process unless argv says how many: status and output."""
    argv = [str(arg) for arg in argv]
    if not any([arg.startswith('--processes') for arg in argv]):
        argv += ['--processes', '1']        # workers take time to start, and see no mocks
    out, err = io.StringIO(), io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = program.main(argv)
    except SystemExit as end:
        status = end.code
    except KeyboardInterrupt:
        status = 'KeyboardInterrupt'        # as a traceback it would end all tests
    return Result(status or 0, out.getvalue(), err.getvalue())

def command(program, *argv):
    """The command line that runs a program file, with every warning an error."""
    return [sys.executable, '-W', 'error', os.path.abspath(program.__file__), *map(str, argv)]

def run_process(args, cwd, encoding='utf-8', **options):
    """Run a command in a folder until no process of it is left: its status and what it printed."""
    process = start_process(args, cwd, encoding, **options)
    return finish(process, encoding)

def start_process(args, cwd, encoding='utf-8', **options):
    """Start a command as the first of a group of processes, each of which holds on to its pipes."""
    env = dict(os.environ, PYTHONIOENCODING=encoding)
    env.pop('PYTHONUNBUFFERED', None)       # it hides what is never flushed
    pipes = {'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE, **options}
    # What is ignored stays so in a new process, as Ctrl-C behind an & in a script.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(args, cwd=cwd, env=env, start_new_session=True, **pipes)
    finally:
        signal.signal(signal.SIGINT, before)

def finish(process, encoding='utf-8'):
    """Wait for the end of what a process prints, and so of all its workers: status and output."""
    with process:
        try:
            out, err = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            kill_group(process)
            out, err = process.communicate()
            raise AssertionError(f'it or a worker does not end: {out!r} {err!r}') from None
    return Result(process.returncode, (out or b'').decode(encoding), (err or b'').decode('ascii'))

def wait_for(process, start):
    """Read what a process prints, up to the line that begins like this: all of these lines."""
    lines = []
    for line in iter(process.stdout.readline, b''):
        lines.append(line.decode('ascii'))
        if lines[-1].startswith(start):
            return lines
    kill_group(process)
    raise AssertionError(f'no line begins with {start}: {lines}')

def kill_group(process):
    """End a process and all that it started."""
    if hasattr(os, 'killpg'):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()

def run_on_terminal(args, cwd, presses=(), columns=80):
    """Run a command on a terminal of its own, with a Ctrl-C each time the next text has shown."""
    def take_terminal():
        """Make it what Ctrl-C is pressed on: it goes to every process of the group."""
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack('HHHH', 24, columns, 0, 0))
    process = start_process(args, cwd, 'ascii', stdin=theirs, stdout=theirs, stderr=theirs,
                            preexec_fn=take_terminal)
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

def one_draw():
    """Until it ends, held-out names are measured by one draw each, however few they are."""
    stack = contextlib.ExitStack()
    for program in PROGRAMS:
        def quick(state_dict, examples, rng, draws, spread, measure=program.held_out_nats):
            return measure(state_dict, examples, rng, 1, spread)
        stack.enter_context(mock.patch.object(program, 'held_out_nats', quick))
    return stack


class CommandLineTest(unittest.TestCase):
    """Gives each test a temporary folder, with a list of ten names in it, and small models."""
    small = True                            # not where other processes are to load them

    def setUp(self):
        for program in PROGRAMS:
            if self.small:
                patch = mock.patch.multiple(program, n_embd=4, n_layer=1, heads=program.heads[::2])
                patch.start()
                self.addCleanup(patch.stop)
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.few = self.write('few.txt', text_of(FEW))

    def write(self, name, content):
        """Write a text or bytes to a file of the folder; its path."""
        path = os.path.join(self.folder, name)
        with open(path, 'wb') as file:
            file.write(content if isinstance(content, bytes) else content.encode('utf-8'))
        return path

    def read(self, path):
        """The bytes of a file."""
        with open(path, 'rb') as file:
            return file.read()

    def files(self):
        """All that is in the folder, with its content."""
        return {name: os.path.isfile(path) and self.read(path)
                for name in os.listdir(self.folder)
                for path in [os.path.join(self.folder, name)]}

    def model(self, program, names=FEW):
        """The path of a saved model that has not been trained."""
        path = os.path.join(self.folder, program.PROGRAM + '.json')
        rng, vocab = program.random.Random(1), program.make_vocab(names)
        program.save(path, program.make_weights(len(vocab), rng), vocab)
        return path

    def assert_runs(self, result):
        """It ended well and complained of nothing."""
        self.assertEqual((0, ''), (result.status, result.err), result.out)

    def assert_refused(self, result, fragment):
        """It ended with status 2 and one line that has this in it, before any training."""
        self.assertEqual(2, result.status, result)
        lines = result.err.splitlines()
        self.assertEqual(1, len([line for line in lines if 'error:' in line]), result.err)
        self.assertIn('error:', lines[-1])
        self.assertIn(fragment, lines[-1])
        self.assertNotIn('Traceback', result.err)
        self.assertNotIn('trained', result.out)

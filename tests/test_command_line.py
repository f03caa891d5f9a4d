"""The two programs as their users meet them: options, files, consoles, Ctrl-C, bad input."""
import collections
import contextlib
import functools
import gc
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
import types
import unittest
from unittest import mock

import microdiffusion
import microgpt

try:
    import pty
    import select
except ImportError:                         # Windows
    pty = None
try:
    import resource
except ImportError:                         # Windows
    resource = None

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
Result = collections.namedtuple('Result', 'status out err')


def text_of(names):
    """The content of a names file."""
    return '\n'.join(names) + '\n'


def untimed(text):
    """What a program printed, without the times, which differ from run to run."""
    return re.sub(r'\d+:\d\d left|[\d.]+ s \([\d.]+ ms per name\)', '<time>', text)


def samples(text):
    """The names that a program printed."""
    return re.findall(r'^sample +\d+: (.*)$', text, re.MULTILINE)


def frames(text):
    """The steps of its first name that microdiffusion printed."""
    return re.findall(r'^step +\d+  T \d\.\d\d  (.*)$', text, re.MULTILINE)


def run(program, *argv):
    """Call a program's main; its exit status and what it printed."""
    out, err = io.StringIO(), io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = program.main([str(arg) for arg in argv])
    except SystemExit as end:
        status = end.code
    except KeyboardInterrupt:
        status = 'KeyboardInterrupt'        # as a traceback it would end all tests
    return Result(status or 0, out.getvalue(), err.getvalue())


def command(program, *argv):
    """The command line that runs a program file, with every warning an error."""
    return [sys.executable, '-W', 'error', os.path.abspath(program.__file__), *map(str, argv)]


def run_process(args, cwd, encoding='utf-8', **options):
    """Run a command in a folder; its exit status and what it printed."""
    env = dict(os.environ, PYTHONIOENCODING=encoding)
    pipes = {'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE, **options}
    done = subprocess.run(args, cwd=cwd, env=env, timeout=60, **pipes)
    return Result(done.returncode, (done.stdout or b'').decode(encoding),
                  done.stderr.decode('ascii'))


def default_interrupt():
    """Let Ctrl-C through to a new process, even where it is ignored, as behind an & in a script."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def run_on_terminal(args, cwd, presses=()):
    """Run a command on a terminal, with a Ctrl-C each time that the next text has shown."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(args, cwd=cwd, stdin=theirs, stdout=theirs, stderr=theirs,
                               preexec_fn=default_interrupt)
    os.close(theirs)
    shown, seen, presses, deadline = '', 0, list(presses), time.monotonic() + 60
    try:
        while select.select([ours], [], [], max(0, deadline - time.monotonic()))[0]:
            try:
                data = os.read(ours, 4096)
            except OSError:                 # how Linux says that the other end was closed
                data = b''
            if not data:
                return Result(process.wait(60), shown.replace('\r\n', '\n'), '')
            shown += data.decode('ascii')
            if presses and presses[0] in shown[seen:]:
                seen = len(shown)
                presses.pop(0)
                process.send_signal(signal.SIGINT)
        raise AssertionError('it does not end; it has shown: ' + shown[-1000:])
    finally:
        os.close(ours)
        if process.poll() is None:
            process.kill()
            process.wait()


def one_draw():
    """Until it ends, held-out names are measured by one draw each, however few they are."""
    stack = contextlib.ExitStack()
    for program in PROGRAMS:
        def quick(state_dict, examples, rng, draws, measure=program.held_out_nats):
            return measure(state_dict, examples, rng)
        stack.enter_context(mock.patch.object(program, 'held_out_nats', quick))
    return stack


class CommandLineTest(unittest.TestCase):
    """Gives each test a temporary folder, with a list of ten names in it."""

    def setUp(self):
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


REFERENCE = {
    microgpt: '''
        53 names, 6 held out; 23 tokens; 4064 parameters
        train 5/5 17.78 nats <time>
        trained 5 steps of 4 names in <time>
        held-out 6/6 13.43 nats <time>
        held-out: 13.4 +- 0.9 nats per name (2.98 per character)
        sample  1: l
        sample  2: ehrsuahadm
        sample  3: conenv
        sample  4: rokbxhbbtntpmxh
        ''',
    microdiffusion: '''
        53 names, 6 held out; 24 tokens; 6784 parameters
        masked at t = 0.25: m_a_..._.__.__..
        masked at t = 0.50: m___...____.__..
        masked at t = 0.75: ______._________
        masked at t = 1.00: ________________
        train 5/5 26.90 nats <time>
        trained 5 steps of 4 names in <time>
        held-out 6/6 27.78 nats <time>
        held-out: 27.8 +- 1.1 nats per name (6.17 per character)
        step  1  T 1.00  ____________.___
        step  2  T 0.91  _________.__.___
        step  3  T 0.82  _____t___.__.___
        step  4  T 0.73  ____gt___.__..__
        step  5  T 0.64  ____gt___._.....
        step  6  T 0.55  _r__gt___.......
        step  7  T 0.46  fr__gt_.........
        step  8  T 0.38  frntgt..........
        sample  1: frntgt
        sample  2: aiud
        sample  3: llsjernfalotrmo
        sample  4: ejtjrendrxulj
        '''}


class OutputTest(CommandLineTest):
    """What a run prints."""

    def test_reference(self):
        """The same seed prints the same on every Python: sizes, losses, figures, frames, names."""
        names = self.write('names.txt', text_of(NAMES))
        for program, expected in REFERENCE.items():
            with self.subTest(program.PROGRAM):
                result = run(program, '--names', names, '--steps', 5, '--samples', 4)
                self.assert_runs(result)
                self.assertEqual(textwrap.dedent(expected).lstrip(), untimed(result.out))

    def test_times(self):
        """The line about the training tells its time, and the time of each name."""
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                result = run(program, '--names', self.few, '--steps', 3, '--samples', 0)
                self.assertRegex(result.out, r'(?m)^trained 3 steps of 4 names in \d+\.\d s '
                                             r'\(\d+\.\d ms per name\)$')

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

    def test_frames(self):
        """The frames of microdiffusion reveal token by token, and the last one is sample 1."""
        result = run(microdiffusion, '--load', self.model(microdiffusion), '--samples', 2)
        shown = frames(result.out)
        self.assertEqual(8, len(shown))
        for before, after in zip(shown, shown[1:]):
            self.assertGreater(before.count('_'), after.count('_'))
            for old, new in zip(before, after):
                self.assertIn(old, ('_', new))
        self.assertNotIn('_', shown[-1])
        self.assertEqual(samples(result.out)[0], shown[-1].rstrip('.'))

    def test_nothing_to_do(self):
        """No steps of training are allowed, and so are no samples."""
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                result = run(program, '--names', self.few, '--steps', 0, '--samples', 0)
                self.assert_runs(result)
                self.assertIn('trained 0 steps of 4 names', result.out)
                self.assertIn('held-out: ', result.out)
                self.assertNotIn('sample', result.out)

    def test_another_folder(self):
        """A program that was copied finds the names beside it, wherever it is run from."""
        self.write('names.txt', text_of(FEW))
        elsewhere = os.path.join(self.folder, 'elsewhere')
        os.mkdir(elsewhere)
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                shutil.copy(program.__file__, self.folder)
                copy = types.SimpleNamespace(
                    __file__=os.path.join(self.folder, program.PROGRAM + '.py'))
                argv = '--steps', 0, '--samples', 1
                result = run_process(command(copy, *argv), elsewhere)
                self.assert_runs(result)
                expected = run(program, '--names', self.few, *argv)
                self.assertEqual(untimed(expected.out).splitlines(),
                                 untimed(result.out).splitlines())
        os.remove(os.path.join(self.folder, 'names.txt'))
        self.assert_refused(run_process(command(copy), elsewhere), 'names.txt')
        self.assertEqual([], os.listdir(elsewhere))

    def test_import(self):
        """An import prints nothing, opens nothing, and leaves the collector and Ctrl-C alone."""
        script = '''
            import argparse, builtins, gc, io, json, random, shutil, signal, sys, unicodedata
            def refuse(*args, **options): raise AssertionError('a file was opened')
            sys.path.insert(0, sys.argv[1])
            for switch in gc.enable, gc.disable:
                switch()
                before = gc.isenabled(), signal.getsignal(signal.SIGINT)
                really, builtins.open, io.open = open, refuse, refuse
                import microdiffusion, microgpt
                builtins.open, io.open = really, really
                assert before == (gc.isenabled(), signal.getsignal(signal.SIGINT))
                del sys.modules['microdiffusion'], sys.modules['microgpt']
            '''
        root = os.path.dirname(os.path.abspath(microgpt.__file__))
        result = run_process([sys.executable, '-W', 'error', '-c', textwrap.dedent(script), root],
                             self.folder)
        self.assertEqual((0, '', ''), result)

    def test_nothing_left_switched(self):
        """After a run, good or bad, the collector and what Ctrl-C does are as they were."""
        def handler(*_):
            """Not the usual one."""
        self.addCleanup(signal.signal, signal.SIGINT, signal.signal(signal.SIGINT, handler))
        self.addCleanup(gc.enable if gc.isenabled() else gc.disable)
        hopeless = functools.partial(microgpt.train, lr=1e300)
        for switch in gc.enable, gc.disable:
            for train, status in (microgpt.train, 0), (hopeless, 2):
                with self.subTest(switch=switch, status=status):
                    switch()
                    before = gc.isenabled()
                    with mock.patch.object(microgpt, 'train', train):
                        result = run(microgpt, '--names', self.few, '--steps', 3, '--samples', 1)
                    self.assertEqual(status, result.status)
                    self.assertEqual(before, gc.isenabled())
                    self.assertIs(handler, signal.getsignal(signal.SIGINT))


class PromptTest(CommandLineTest):
    """What is known of a name."""

    def check(self, program, prompt, name, *argv):
        """The names that a prompt gives, each of which must match."""
        result = run(program, '--load', self.model(program), '--samples', 3, '--prompt', prompt,
                     *argv)
        self.assert_runs(result)
        self.assertEqual(3, len(samples(result.out)))
        for sample in samples(result.out):
            self.assertRegex(sample, f'^{name}$')
        return result

    def test_microgpt(self):
        """A beginning is continued, in upper case or between spaces too."""
        for prompt, name in (
                ('', '[a-z]*'), (' ', '[a-z]*'), ('mar', 'mar[a-z]*'), ('MAR', 'mar[a-z]*'),
                (' Mar ', 'mar[a-z]*'), ('a' * 14, 'a{14}[a-z]?'), ('a' * 15, 'a{15}')):
            with self.subTest(prompt):
                self.check(microgpt, prompt, name)

    def test_microdiffusion(self):
        """What a prompt leaves open is filled in, and nothing else is changed in any frame."""
        for prompt, name, frame in (
                ('', '[a-z]*', '[a-z_.]*'),
                ('mar', 'mar[a-z]*', 'mar[a-z_.]*'),
                ('MAR', 'mar[a-z]*', 'mar[a-z_.]*'),
                (' Mar ', 'mar[a-z]*', 'mar[a-z_.]*'),
                ('m__ia.', 'm[a-z]{2}ia', r'm[a-z_]{2}ia\.{11}'),
                ('M__IA.', 'm[a-z]{2}ia', r'm[a-z_]{2}ia\.{11}'),
                ('m__', 'm[a-z]{2,}', 'm[a-z_]{2}[a-z_.]*'),
                ('__b', '[a-z]{2}b[a-z]*', '[a-z_]{2}b[a-z_.]*'),
                ('_' * 15, '[a-z]{15,16}', '[a-z_]{15}[a-z_.]'),
                ('_' * 15 + '.', '[a-z]{15}', r'[a-z_]{15}\.'),
                ('_' * 4 + '.' * 12, '[a-z]{4}', r'[a-z_]{4}\.{12}'),
                ('__.........................', '[a-z]{2}', r'[a-z_]{2}\.{14}')):
            with self.subTest(prompt):
                result = self.check(microdiffusion, prompt, name, '--denoise-steps', 2)
                self.assertGreater(len(frames(result.out)), 0)
                for shown in frames(result.out):
                    self.assertRegex(shown, f'^{frame}$')
                    self.assertEqual(16, len(shown))

    def test_nothing_open(self):
        """A prompt that leaves nothing open is the name."""
        for prompt in 'anna.', 'anna............', 'a' * 15 + '.':
            with self.subTest(prompt):
                result = self.check(microdiffusion, prompt, prompt.strip('.'))
                self.assertEqual([], frames(result.out))

    def test_accents(self):
        """A letter that is typed as letter and accent is the same letter."""
        for program in PROGRAMS:
            model = self.model(program, ACCENTS)
            for prompt in '\u00e9', 'e\u0301', 'E\u0301':
                with self.subTest(program.PROGRAM, prompt=ascii(prompt)):
                    result = run(program, '--load', model, '--samples', 1, '--prompt', prompt)
                    self.assert_runs(result)
                    self.assertEqual('\u00e9', samples(result.out)[0][0])


def without(model, *keys):
    """A copy of a model (a dict of dicts) in which something is missing."""
    first, *others = keys
    model = dict(model)
    if others:
        model[first] = without(model[first], *others)
    else:
        del model[first]
    return model


def with_weight(model, value):
    """A copy of a model in which one weight is another value."""
    matrix = [list(row) for row in model['state_dict']['wpe']]
    matrix[2][3] = value
    return dict(model, state_dict=dict(model['state_dict'], wpe=matrix))


def with_weights(model, value):
    """A copy of a model in which all weights are of this size, some of them negative."""
    return dict(model, state_dict={
        name: [[value if x > 0 else -value for x in row] for row in matrix]
        for name, matrix in model['state_dict'].items()})


USABLE = 'usable names: give it ten or more, one a line, each of 1 to 15 characters without _ or .'
BAD_NAMES = (                               # content of a names file, fragment of the message
    ('', 'bad has 0 ' + USABLE),
    ('\ufeff', 'bad has 0 ' + USABLE),
    ('\r\n \t\n\n', 'bad has 0 ' + USABLE),
    ('anna', 'bad has 1 ' + USABLE),
    ('anna\n' * 20, 'bad has 1 ' + USABLE),
    (text_of(NAMES[:9] + [NAMES[0].upper()]), 'bad has 9 ' + USABLE),
    (text_of([name + 'x' * 15 for name in NAMES]), 'bad has 0 ' + USABLE),
    (text_of([name + '_' for name in NAMES]), 'bad has 0 ' + USABLE),
    (text_of(['.' + name for name in NAMES]), 'bad has 0 ' + USABLE),
    (text_of(['a\0' + name for name in NAMES]), 'bad has 0 ' + USABLE),
    (bytes(range(256)), 'bad is not UTF-8: save it as UTF-8 text'),
    (text_of(ACCENTS).encode('latin-1'), 'bad is not UTF-8: save it as UTF-8 text'),
    (text_of(NAMES).encode('utf-16'), 'bad is not UTF-8: save it as UTF-8 text'),
    (text_of(ACCENTS).encode('utf-8')[:-2], 'bad is not UTF-8: save it as UTF-8 text'))
BAD_MODELS = (                              # how to spoil a saved model
    ('empty', lambda text, model, other: ''),
    ('no JSON', lambda text, model, other: text_of(NAMES)),
    ('cut short', lambda text, model, other: text[:len(text) // 2]),
    ('its end cut off', lambda text, model, other: text[:-1]),
    ('binary', lambda text, model, other: bytes(range(256))),
    ('a number', lambda text, model, other: 1),
    ('a list', lambda text, model, other: [model]),
    ('nested too deep', lambda text, model, other: '[' * 100000),
    ('of the other program', lambda text, model, other: other),
    ('no program', lambda text, model, other: without(model, 'program')),
    ('no vocabulary', lambda text, model, other: without(model, 'vocab')),
    ('no weights', lambda text, model, other: without(model, 'state_dict')),
    ('a matrix missing', lambda text, model, other: without(model, 'state_dict', 'wpe')),
    ('a letter too many', lambda text, model, other: dict(model, vocab=model['vocab'] + 'z')),
    ('a letter too few', lambda text, model, other: dict(model, vocab=model['vocab'][:-1])),
    ('a letter twice', lambda text, model, other: dict(model, vocab=model['vocab'][:-1] + 'a')),
    ('a line break as a letter', lambda text, model, other: dict(
        model, vocab=model['vocab'][:-1] + '\n')),
    ('letters in a list', lambda text, model, other: dict(model, vocab=list(model['vocab']))),
    ('other heads', lambda text, model, other: dict(model, n_head=8)),
    ('NaN', lambda text, model, other: with_weight(model, float('nan'))),
    ('infinity', lambda text, model, other: with_weight(model, float('-inf'))),
    ('null', lambda text, model, other: with_weight(model, None)),
    ('text for a number', lambda text, model, other: with_weight(model, '0.1')),
    ('a whole number that no float holds', lambda text, model, other: with_weight(
        model, 10 ** 400)),
    ('huge whole numbers', lambda text, model, other: with_weights(model, 10 ** 300)),
    ('huge numbers', lambda text, model, other: with_weights(model, 1e300)))
NUMBER = 'is not between {} and 1000000000'
BAD_ARGUMENTS = (                           # for which programs, arguments, fragment
    (PROGRAMS, ['--names', 'missing.txt'], 'missing.txt: No such file or directory; give another'),
    (PROGRAMS, ['--names', ''], 'No such file or directory; give another path'),
    (PROGRAMS, ['--names', '.'], 'error: .: '),
    (PROGRAMS, ['--load', 'missing.json'], 'missing.json: No such file or directory; give another'),
    (PROGRAMS, ['--load', '.'], 'error: .: '),
    (PROGRAMS, ['--save', 'missing/model.json'], 'No such file or directory; give another path'),
    (PROGRAMS, ['--save', '.'], '.: not a file'),
    (PROGRAMS, ['--load', 'model.json', '--save', 'new.json'],
     '--load trains nothing that --save could keep'),
    (PROGRAMS, ['--prompt', 'm@r'], "--prompt 'm@r': it takes up to 15 letters of the training"),
    (PROGRAMS, ['--prompt', 'a n'], "--prompt 'a n': it takes up to 15 letters of the training"),
    (PROGRAMS, ['--prompt', 'zo\u00eb'], "--prompt 'zo\\xeb': it takes up to 15 letters of the"),
    (PROGRAMS, ['--prompt', 'a' * 16], "a': it takes up to 15 letters of the training names"),
    (PROGRAMS, ['--prompt', 'b@d', '--save', 'new.json'], 'it takes up to 15 letters'),
    ([microgpt], ['--prompt', 'm__ia.'], "--prompt 'm__ia.': a left-to-right model cannot fill in"),
    ([microgpt], ['--prompt', 'm__'], 'what stands before a known letter or end in one pass; give'),
    ([microgpt], ['--prompt', 'mar.'], 'give a beginning'),
    ([microgpt], ['--prompt', '_'], 'give a beginning'),
    ([microdiffusion], ['--prompt', '.'], '_ for an unknown one, and . after the last'),
    ([microdiffusion], ['--prompt', '.mar'], '_ for an unknown one, and . after the last'),
    ([microdiffusion], ['--prompt', 'ma.r'], '_ for an unknown one, and . after the last'),
    ([microdiffusion], ['--prompt', '_' * 16], '_ for an unknown one, and . after the last'),
    (PROGRAMS, ['--steps', '-1'], 'argument --steps: -1 ' + NUMBER.format(0)),
    (PROGRAMS, ['--steps', '1000000001'], 'argument --steps: 1000000001 ' + NUMBER.format(0)),
    (PROGRAMS, ['--steps', '1.5'], "argument --steps: invalid number value: '1.5'"),
    (PROGRAMS, ['--steps', 'ten'], "argument --steps: invalid number value: 'ten'"),
    (PROGRAMS, ['--steps', ''], "argument --steps: invalid number value: ''"),
    (PROGRAMS, ['--steps'], 'argument --steps: expected one argument'),
    (PROGRAMS, ['--samples', '-1'], 'argument --samples: -1 ' + NUMBER.format(0)),
    (PROGRAMS, ['--seed', '-1'], 'argument --seed: -1 ' + NUMBER.format(0)),
    (PROGRAMS, ['--seed', '0x10'], "argument --seed: invalid number value: '0x10'"),
    (PROGRAMS, ['--temperature', '0'], 'argument --temperature: 0 ' + NUMBER.format(0.01)),
    (PROGRAMS, ['--temperature', '-1'], 'argument --temperature: -1 ' + NUMBER.format(0.01)),
    (PROGRAMS, ['--temperature', 'nan'], 'argument --temperature: nan ' + NUMBER.format(0.01)),
    (PROGRAMS, ['--temperature', 'inf'], 'argument --temperature: inf ' + NUMBER.format(0.01)),
    (PROGRAMS, ['--temperature', 'hot'], "--temperature: invalid number value: 'hot'"),
    ([microdiffusion], ['--denoise-steps', '0'],
     'argument --denoise-steps: 0 ' + NUMBER.format(1)),
    ([microgpt], ['--denoise-steps', '8'], 'unrecognized arguments: --denoise-steps 8'),
    (PROGRAMS, ['mar'], 'unrecognized arguments: mar'))


class BadInputTest(CommandLineTest):
    """What is wrong is said in one line, with status 2, before anything is written."""

    def check(self, program, argv, fragment):
        """The program refuses these arguments, and the folder is as it was."""
        with self.subTest(program.PROGRAM, argv=argv, fragment=fragment):
            before, here = self.files(), os.getcwd()
            os.chdir(self.folder)
            try:
                result = run(program, *argv)
            finally:
                os.chdir(here)
            self.assert_refused(result, fragment)
            self.assertEqual(before, self.files())

    def test_arguments(self):
        """Files that are missing, prompts that do not fit, numbers out of range."""
        for program in PROGRAMS:
            os.replace(self.model(program), os.path.join(self.folder, 'model.json'))
            for programs, argv, fragment in BAD_ARGUMENTS:
                if program in programs:
                    names = [] if '--names' in argv else ['--names', 'few.txt']
                    self.check(program, names + argv, fragment)

    def test_names(self):
        """Files without ten names that can be used."""
        for content, fragment in BAD_NAMES:
            self.write('bad', content)
            for program in PROGRAMS:
                self.check(program, ['--names', 'bad', '--save', 'new.json'], fragment)

    def test_models(self):
        """Files that are no model of this program."""
        for program, other in zip(PROGRAMS, reversed(PROGRAMS)):
            texts = [self.read(self.model(p)).decode() for p in (program, other)]
            for what, spoil in BAD_MODELS:
                bad = spoil(texts[0], json.loads(texts[0]), json.loads(texts[1]))
                self.write('bad', bad if isinstance(bad, (str, bytes)) else json.dumps(bad))
                with self.subTest(what):
                    self.check(program, ['--load', 'bad', '--samples', '1'],
                               f'bad is not a whole model of {program.PROGRAM}.py: make one with '
                               f'--save')

    def test_model_without_letters(self):
        """A model that knows the special tokens alone may be refused, but no traceback comes."""
        path = self.model(microdiffusion, [])
        result = run(microdiffusion, '--load', path, '--prompt', '__', '--samples', 1)
        self.assertIn(result.status, (0, 2))

    def test_process(self):
        """A real process says so on its error output, and exits with that status."""
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                result = run_process(command(program, '--names', 'missing.txt'), self.folder)
                self.assert_refused(result, 'missing.txt: No such file or directory')
                self.assertEqual('', result.out)


class AcceptedInputTest(CommandLineTest):
    """What a names file may look like."""

    def output(self, program, content):
        """What a run on a names file of this content prints."""
        path = self.write('names.txt', content)
        result = run(program, '--names', path, '--steps', 0, '--samples', 0)
        self.assert_runs(result)
        return untimed(result.out)

    def test_same_names(self):
        """However a list is written down, it is the same list."""
        self.addCleanup(one_draw().close)
        names = FEW + ['zo\u00eb']
        plain = text_of(names)
        for program in PROGRAMS:
            expected = self.output(program, plain)
            for what, content in (
                    ('no last line end', plain.rstrip()),
                    ('CRLF', plain.replace('\n', '\r\n')),
                    ('CR', plain.replace('\n', '\r')),
                    ('byte-order mark', '\ufeff' + plain),
                    ('blank lines', '\n\n' + plain.replace('\n', '\n \n')),
                    ('spaces', text_of([f'\t {name}  ' for name in names])),
                    ('upper case', plain.upper()),
                    ('capitals', plain.title()),
                    ('letter and accent apart', plain.replace('\u00eb', 'e\u0308')),
                    ('capital and accent apart', plain.upper().replace('\u00cb', 'E\u0308')),
                    ('duplicates', plain + plain.upper() + plain),
                    ('another order', text_of(reversed(names)))):
                with self.subTest(program.PROGRAM, what=what):
                    self.assertEqual(expected, self.output(program, content))

    def test_left_out(self):
        """Names that are too long, or hold _ or . or what cannot be printed, are counted."""
        longest = FEW + ['a' * 15]
        unusable = ['a' * 16, 'e' + 'e\u0301' * 15, 'an_na', 'j.', '_', 'an\tna']
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                expected = self.output(program, text_of(longest))
                self.assertNotIn('left out', expected)
                first, rest = self.output(program, text_of(unusable + longest)).split('\n', 1)
                self.assertIn('left out 6 of 17 lines: too long, or with _ or .',
                              first)
                self.assertEqual(expected, rest)


class SaveTest(CommandLineTest):
    """Models in files."""

    def setUp(self):
        super().setUp()
        self.path = os.path.join(self.folder, 'model.json')

    def save(self, program, *argv):
        """Run with --save."""
        return run(program, '--names', self.few, '--steps', 1, '--samples', 2, '--save', self.path,
                   *argv)

    def assert_only(self, content):
        """The target has this content, and nothing but it and the names is in the folder."""
        self.assertEqual(content, self.read(self.path))
        self.assertEqual(['few.txt', 'model.json'], sorted(os.listdir(self.folder)))

    def test_round_trip(self):
        """A saved model writes the same names for the same seed, without a names file."""
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                saved = self.save(program)
                self.assert_runs(saved)
                self.assert_only(self.read(self.path))
                argv = '--load', self.path, '--samples', 2, '--names', 'missing.txt'
                loaded, other = run(program, *argv), run(program, *argv, '--seed', 1)
                self.assert_runs(loaded)
                names = saved.out[saved.out.index('held-out: '):].split('\n', 1)[1]
                self.assertEqual(names, loaded.out)
                self.assertEqual(2, len(samples(names)))
                self.assertNotEqual(samples(names), samples(other.out))

    def test_replaces(self):
        """A model takes the place of what was there."""
        self.write('model.json', 'old')
        self.assert_runs(self.save(microgpt))
        self.assertEqual('microgpt', json.loads(self.read(self.path).decode())['program'])

    def test_fails(self):
        """A save that is interrupted or fails leaves the old file whole, and no other."""
        def dump_half(model, file):
            """Fail when there are weights to be written."""
            if model['state_dict']:
                file.write(json.dumps(model)[:5000])
                raise KeyboardInterrupt
        self.write('model.json', 'old')
        refuse = mock.Mock(side_effect=PermissionError(13, 'Permission denied', self.path))
        for program in PROGRAMS:
            for owner, name, fake, status in (
                    (json, 'dump', dump_half, 130), (os, 'replace', refuse, 2)):
                with self.subTest(program.PROGRAM, name=name):
                    with mock.patch.object(owner, name, fake):
                        result = self.save(program)
                    self.assertEqual(status, result.status)
                    self.assertIn('trained 1 steps', result.out)
                    self.assert_only(b'old')
        self.assertIn('Permission denied; give another path', result.err.splitlines()[-1])

    @unittest.skipIf(resource is None, 'no limit to the size of files')
    def test_full_disk(self):
        """A disk that is full while a model is written is an error of one line."""
        script = ('import resource, runpy, sys; sys.argv = sys.argv[1:];'
                  'resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000));'
                  'runpy.run_path(sys.argv[0], run_name="__main__")')
        self.write('model.json', 'old')
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                args = command(program, '--names', self.few, '--steps', 0, '--samples', 1,
                               '--save', self.path)
                args[3:3] = ['-c', script]
                result = run_process(args, self.folder)
                self.assert_only(b'old')
                self.assertEqual(2, result.status)
                self.assertIn('error:', result.err.splitlines()[-1])
                self.assertNotIn('Traceback', result.err)

    def test_before_the_evaluation(self):
        """The model is saved before the evaluation, so an end there loses nothing learnt."""
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                with mock.patch.object(program, 'held_out_nats', side_effect=KeyboardInterrupt):
                    result = self.save(program)
                self.assertEqual(130, result.status)
                self.assertNotIn('held-out:', result.out)
                self.assert_runs(run(program, '--load', self.path, '--samples', 1))
                os.remove(self.path)

    def test_not_for_nothing(self):
        """A target that cannot be written is refused before the training."""
        for program in PROGRAMS:
            for target in os.path.join(self.folder, 'missing', 'model.json'), self.folder:
                with self.subTest(program.PROGRAM, target=target):
                    with mock.patch.object(program, 'train', side_effect=AssertionError):
                        result = run(program, '--names', self.few, '--save', target)
                    self.assert_refused(result, '')
                    self.assertEqual('', result.out)


class InterruptTest(CommandLineTest):
    """Ctrl-C."""

    def pressed(self, program, presses):
        """Run with so many Ctrl-C while the second step is under way."""
        example_loss, calls = program.example_loss, []

        def interrupted(*args):
            calls.append(args)
            if len(calls) == 6:
                for _ in range(presses):
                    signal.raise_signal(signal.SIGINT)
            return example_loss(*args)
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        self.addCleanup(signal.signal, signal.SIGINT, before)
        with mock.patch.object(program, 'example_loss', interrupted):
            return run(program, '--names', self.few, '--steps', 1000, '--samples', 2), len(calls)

    def test_once(self):
        """The step is finished; then it is measured and put to use what was learnt."""
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                result, calls = self.pressed(program, 1)
                self.assert_runs(result)
                self.assertEqual(8, calls)
                self.assertIn('\nCtrl-C: no more training, on with what was learnt\n'
                              'trained 2 steps of 4 names in ', result.out)
                self.assertRegex(result.out, r'\nheld-out: \d')
                self.assertEqual(2, len(samples(result.out)))

    def test_twice(self):
        """A second one in the same step does not wait for its end."""
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                result, calls = self.pressed(program, 2)
                self.assertEqual((130, ''), (result.status, result.err))
                self.assertEqual(6, calls)

    @unittest.skipIf(pty is None, 'no terminals here')
    def test_on_a_terminal(self):
        """A process that is interrupted goes on or ends as it should, and with no traceback."""
        training = '--steps', 1000000, '--samples', 2
        for program in PROGRAMS:
            for presses, argv, status in (
                    (['train '], ('--names', self.few, *training), 0),
                    (['train ', 'no more training'], training, 130),
                    (['held-out '], ('--steps', 0), 130),
                    (['sample  9'], ('--load', self.model(program), '--samples', 1000000), 130)):
                with self.subTest(program.PROGRAM, presses=presses):
                    result = run_on_terminal(command(program, *argv), self.folder, presses)
                    self.assertEqual(status, result.status, result.out[-1000:])
                    self.assertNotIn('Traceback', result.out)
                    self.assertEqual('train ' in presses, 'no more training' in result.out)
                    if status == 0:
                        self.assertIn('\nheld-out: ', result.out)
                        self.assertEqual(2, len(samples(result.out)))


class Terminal(io.StringIO):
    """What is printed to it, which it takes for a terminal."""

    def isatty(self):
        return True


class ConsoleTest(CommandLineTest):
    """Pipes, files, encodings, terminals."""

    def test_closed_pipe(self):
        """A reader that leaves early, like head, is no reason for a traceback."""
        for program in PROGRAMS:
            for steps in 0, 1:              # the reader leaves in the sampling, in the evaluation
                with self.subTest(program.PROGRAM, steps=steps):
                    process = subprocess.Popen(
                        command(program, '--names', self.few, '--steps', steps, '--samples', 30),
                        cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                    with process:
                        self.assertIn(b'9 names, 1 held out', process.stdout.readline())
                        process.stdout.close()
                        self.assertEqual(b'', process.stderr.read())
                    self.assertEqual(0, process.returncode)

    def test_encodings(self):
        """Letters that a console lacks become question marks, and the others stay."""
        names = self.write('names.txt', text_of(ACCENTS))
        for program in PROGRAMS:
            argv = '--names', names, '--steps', 0, '--samples', 1
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
                argv = '--names', self.few, '--steps', 1, '--samples', 1
                path = os.path.join(self.folder, 'out.txt')
                with open(path, 'wb') as file:
                    self.assert_runs(run_process(command(program, *argv), self.folder, stdout=file))
                out = self.read(path).decode('ascii')
                self.assertEqual(untimed(run(program, *argv).out).splitlines(),
                                 untimed(out).splitlines())
                self.assertNotIn('\r', out.replace('\r\n', '\n'))

    @unittest.skipIf(pty is None, 'no terminals here')
    def test_terminal(self):
        """On a terminal, progress is one line that is written over, and the rest is the same."""
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                argv = '--names', self.few, '--steps', 3, '--samples', 1
                result = run_on_terminal(command(program, *argv), self.folder)
                self.assertEqual(0, result.status)
                plain, rewritten = [], []
                for line in result.out.split('\n'):
                    (rewritten if line.startswith('\r') else plain).append(line)
                self.assertEqual(2, len(rewritten))     # the training and the evaluation
                self.assertRegex(rewritten[0], r'^(\rtrain \d/3 \d+\.\d\d nats 0:0\d left *)+$')
                self.assertRegex(rewritten[1], r'^(\rheld-out 1/1 \d+\.\d\d nats 0:00 left *)+$')
                self.assertEqual(
                    untimed(re.sub('train .*\n|held-out 1/1.*\n', '', run(program, *argv).out)),
                    untimed('\n'.join(plain)))

    def train_slowly(self, program, screen):
        """What a screen shows of 2000 steps of a third of a second, with a loss that falls."""
        clock = mock.Mock(side_effect=[n * 0.35 for n in range(3000)])
        losses = [5 + 30 * 0.99 ** n for n in range(2000)]
        with mock.patch.object(program, 'time', types.SimpleNamespace(
                monotonic=clock, perf_counter=time.perf_counter)):
            with mock.patch.object(program, 'train', lambda *args: iter(losses)):
                with contextlib.redirect_stdout(screen):
                    program.main(['--names', self.few, '--samples', '0'])
        return [line for line in re.split('[\r\n]', screen.getvalue()) if 'train ' in line]

    def test_narrow_terminal(self):
        """Progress fits on 40 columns, and leaves nothing of the longer line before it."""
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                lines = self.train_slowly(program, Terminal())
                self.assertEqual(2000, len(lines))
                self.assertIn(' 11:40 left', lines[0])
                for before, line in zip(lines, lines[1:]):
                    self.assertEqual('', before.rstrip()[len(line):])
                self.assertLessEqual(max(map(len, lines)), 40)

    def test_no_terminal(self):
        """Elsewhere progress is a plain line every ten seconds."""
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                screen = io.StringIO()
                lines = self.train_slowly(program, screen)
                self.assertNotIn('\r', screen.getvalue())
                self.assertRegex(lines[0], r'^train 29/2000 \d+\.\d\d nats 11:')
                self.assertTrue(60 < len(lines) < 80, len(lines))


class NumbersTest(CommandLineTest):
    """Computations that go wrong."""

    def test_loss_is_not_a_number(self):
        """A loss that is no longer a number ends the training, with what to do."""
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                hopeless = functools.partial(program.train, lr=1e300)
                path = os.path.join(self.folder, 'model.json')
                with mock.patch.object(program, 'train', hopeless):
                    result = run(program, '--names', self.few, '--steps', 5, '--save', path)
                self.assert_refused(result, 'lower')
                self.assertIn('nan', result.err)
                self.assertEqual(['few.txt'], os.listdir(self.folder))

    def test_rate_too_high(self):
        """A learning rate that is far too high makes bad names or an error, and no traceback."""
        names = self.write('names.txt', text_of(NAMES))
        for program in PROGRAMS:
            for lr in 1e30, 1e100, 1e150:
                with self.subTest(program.PROGRAM, lr=lr):
                    hopeless = functools.partial(program.train, lr=lr)
                    with mock.patch.object(program, 'train', hopeless):
                        result = run(program, '--names', names, '--steps', 1, '--samples', 2)
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
        args = command(microdiffusion, '--names', self.few, '--steps', 15, '--samples', 0)
        args[3:3] = ['-c', script]
        result = run_process(args, self.folder)
        self.assert_runs(result)
        unit = 2 ** 20 if sys.platform == 'darwin' else 2 ** 10
        start, peak = [int(word) / unit for word in result.out.split()[-2:]]
        limit = 60 if sys.implementation.name == 'cpython' else 160
        # A new process begins with the peak of the one that started it, which may be higher.
        self.assertLess(peak, max(limit, start + 5), 'megabytes')

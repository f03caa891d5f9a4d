"""Every exercise in all directions: untouched it fails, the reference passes, slips are refused.

This is a test of the exercises, on programs in which none of them has been done.
"""
import ast
import contextlib
import functools
import importlib.util
import io
import itertools
import os
import random
import re
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

import microgpt
from tests import exercises
from tests.exercises import answers, sample, solutions

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(HERE)
PROGRAMS = exercises.PROGRAMS
NAMES = sorted([file[:-3] for file in os.listdir(os.path.join(HERE, 'exercises'))
                if re.match(r'e\d\d_\w+\.py$', file)])


def path(folder, name):
    """Where a program or an exercise stands, below a folder laid out like this one."""
    return os.path.join(folder, *([] if name in PROGRAMS else ['tests', 'exercises']), name + '.py')

def read(name):
    """The text of a program or an exercise."""
    with open(path(TOP, name), encoding='utf-8') as file:
        return file.read()

@functools.lru_cache(maxsize=64)        # most runs need the untouched programs once more
def compiled(file):
    """The code of a file."""
    with open(file, encoding='utf-8') as source:
        return compile(source.read(), file, 'exec')

DOCS = {name: ast.get_docstring(ast.parse(read(name))) for name in NAMES}


class Laboratory(unittest.TestCase):
    """Copies of the programs and of an exercise, with edits, and the checker run on them."""

    def lay_out(self, name, edits):
        """A new folder with copies of the programs and of an exercise, the edits applied."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        os.makedirs(os.path.join(folder.name, 'tests', 'exercises'))
        copies = [*PROGRAMS, name]
        self.assertLessEqual({file for file, _, _ in edits}, {copy + '.py' for copy in copies})
        for copy in copies:
            text = read(copy)
            for file, old, new in edits:
                if file == copy + '.py':
                    self.assertEqual(1, text.count(old), f'{file} does not have this once: {old!r}')
                    text = text.replace(old, new)
            with open(path(folder.name, copy), 'w', encoding='utf-8') as file:
                file.write(text)
        return folder.name

    def check(self, name, edits):
        """Run a checker on copies: its failures, and the ids of all its tests."""
        folder = self.lay_out(name, edits)
        result = unittest.TestResult()
        with mock.patch.dict(sys.modules), mock.patch.object(sys, 'dont_write_bytecode', True):
            for module in (*PROGRAMS, name):
                full = module if module in PROGRAMS else 'tests.exercises.' + module
                edited = any(file == module + '.py' for file, _, _ in edits)
                file = path(folder if edited else TOP, module)
                spec = importlib.util.spec_from_file_location(full, file)
                sys.modules[full] = importlib.util.module_from_spec(spec)
                exec(compiled(file), vars(sys.modules[full]))
            suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules[full])
            suite = list(itertools.chain(*suite))       # they would be gone when they have run
            with contextlib.redirect_stdout(io.StringIO()) as self.printed:
                unittest.TestSuite(suite).run(result)
        self.assertEqual([], [text for _, text in result.errors], 'the checker broke down')
        self.assertGreater(result.testsRun, 0)
        return {test.id(): text for test, text in result.failures}, {test.id() for test in suite}

    def check_failures(self, name, failures, place=''):
        """That failures are in the form that teaches, and that one of them tells the place."""
        self.assertTrue(failures, 'the checker let it pass')
        places = []
        for text in failures.values():
            self.assertIn('AssertionError: ' + DOCS[name].partition(':')[0] + ': ', text)
            self.assertEqual(1, text.count('\n  came out: '), text)
            self.assertEqual(1, text.count('\n  expected: '), text)
            self.assertEqual(1, text.count('\n  look at: '), text)
            self.assertNotIn('tests/exercises', text.replace(os.sep, '/').replace(HERE, ''), text)
            places.append(text.partition('\n  look at: ')[2])
        self.assertIn(place, ''.join(places), '\n'.join(failures.values()))


class Exercises(Laboratory):
    def test_untouched_files_fail(self):
        for name in NAMES:
            with self.subTest(name):
                failures, _ = self.check(name, [])
                self.check_failures(name, failures)

    def test_reference_passes_and_closing_questions_are_answered(self):
        for name in NAMES:
            with self.subTest(name):
                failures, _ = self.check(name, solutions.reference[name])
                self.assertEqual({}, failures)
                self.assertEqual(answers.AFTERWARDS.get(name, ''), self.printed.getvalue().strip())

    def test_wrong_is_refused_and_told_where(self):
        for name in NAMES:
            refused, tests = set(), set()
            for slip, (edits, place) in solutions.wrong[name].items():
                with self.subTest(name, slip=slip):
                    failures, tests = self.check(name, edits)
                    self.check_failures(name, failures, place)
                    self.assertEqual('', self.printed.getvalue())
                    refused.update(failures)
            with self.subTest(name):
                self.assertEqual(set(), tests - refused, 'no slip fails these')

    def test_exceptions_are_shown_with_file_line_and_text(self):
        edits, _ = solutions.wrong['e15_neighbours']['beyond the last']
        failures, _ = self.check('e15_neighbours', edits)
        for text in failures.values():
            self.assertRegex(text, r'came out: IndexError: list index out of range\n'
                                   r'    in microdiffusion\.py, line \d+: xs = add')


class Messages(unittest.TestCase):
    """What Exercise makes of what goes wrong."""

    def failure(self, method):
        """The text of the failure of an exercise with this checker."""
        case = type('Case', (exercises.Exercise,), {'test': method, '__module__': __name__})('test')
        result = unittest.TestResult()
        unittest.TestSuite([case]).run(result)
        self.assertEqual([], result.errors)
        [(_, text)] = result.failures
        return text

    def test_ctrl_c_ends_what_has_no_end(self):
        def test(self):
            self.trying('a loop', 'when it ends')
            raise KeyboardInterrupt
        self.assertIn('a loop\n  came out: KeyboardInterrupt\n', self.failure(test))

    def test_what_the_checker_cannot_use(self):
        def test(self):
            self.trying('a function', 'the function')
            None + 1
        self.assertRegex(self.failure(test), r'a function\n  came out: TypeError: .*\n    in '
                         r'test_exercises\.py, line \d+: None \+ 1\n  expected: no exception\n'
                         r'  look at: the function; what it returns is nothing that the checker')

    def test_the_programs_are_shown_where_they_call_the_checker(self):
        def test(self):
            list(microgpt.until([], (1 / n for n in (1, 0))))
        text = self.failure(test)
        self.assertRegex(text, r'ZeroDivisionError: .*\n    in microgpt\.py, line \d+: for value in ')
        self.assertNotIn('test_exercises.py', text)
        self.assertNotIn('what it returns', text)

    def test_only_the_first_failure_is_shown(self):
        def test(self):
            self.expect(False, 1, 2)
        case = type('Case', (exercises.Exercise,), {
            'test_1': test, 'test_2': test, '__module__': __name__})
        result = unittest.TestResult()
        unittest.TestSuite([case('test_1'), case('test_2')]).run(result)
        self.assertEqual((1, 1), (len(result.failures), len(result.skipped)))

    def test_nothing_of_the_checker_is_shown(self):
        self.assertNotIn('File "', self.failure(lambda self: self.expect(False, 1, 2)))

    def test_a_program_that_cannot_be_imported(self):
        for slip, came_out in (
                ('def f()\n', r'SyntaxError: .*\n    in microgpt\.py, line 3: def f\(\)\n'),
                ('f()\n', r"NameError: .*\n    in microgpt\.py, line 3: f\(\)\n")):
            with tempfile.TemporaryDirectory() as folder:
                with open(path(folder, 'microgpt'), 'w', encoding='utf-8') as file:
                    file.write('# A line\n\n' + slip)
                with mock.patch.dict(sys.modules), mock.patch.object(sys, 'path', [folder]):
                    with mock.patch.object(sys, 'dont_write_bytecode', True):
                        del sys.modules['microgpt']
                        with self.assertRaises(SystemExit) as caught:
                            exercises.import_programs()
            self.assertRegex(str(caught.exception), 'import microgpt\n  came out: ' + came_out)


class Texts(Laboratory):
    def test_documented_command(self):
        [command] = re.findall(r'python (-m unittest tests\.exercises\.\w+)', exercises.__doc__)
        name = command.split('.')[-1]
        for edits in ([], solutions.reference[name]):
            with self.subTest(done=bool(edits)):
                folder = self.lay_out(name, edits)
                for file in ('__init__.py', os.path.join('exercises', '__init__.py'),
                             os.path.join('exercises', 'answers.py')):
                    with open(os.path.join(HERE, file), encoding='utf-8') as source:
                        text = source.read()
                    with open(os.path.join(folder, 'tests', file), 'w', encoding='utf-8') as copy:
                        copy.write(text)
                done = subprocess.run([sys.executable] + command.split(), cwd=folder,
                                      stderr=subprocess.PIPE, universal_newlines=True)
                self.assertEqual(bool(edits), done.returncode == 0, done.stderr)
                self.assertIn('OK' if edits else DOCS[name].partition(':')[0], done.stderr)

    def test_all_have_solutions(self):
        self.assertEqual(NAMES, sorted(solutions.reference))
        self.assertEqual(NAMES, sorted(solutions.wrong))
        self.assertLessEqual(set(answers.AFTERWARDS), set(NAMES))
        for name in NAMES:
            self.assertGreaterEqual(len(solutions.wrong[name]), 3, name)

    def test_exercises_have_all_their_parts(self):
        levels = []
        for n, name in enumerate(NAMES, 1):
            with self.subTest(name):
                self.assertEqual(f'e{n:02d}_', name[:4])
                self.assertRegex(DOCS[name], rf'^Exercise {n}, [^:\n]+: .+[.?]\n\nLevel: ')
                [level] = re.findall(r'\nLevel: (\w+)\. About \d+ minutes\.\n', DOCS[name])
                levels.append(('easy', 'medium', 'hard').index(level))
                for part in ('Do: ', 'Look at: ', 'Hint: ', 'Lab tests this breaks: '):
                    self.assertEqual(1, DOCS[name].count('\n' + part), part)
        self.assertEqual(sorted(levels), levels)
        self.assertIn(f'{NAMES[0][:4]}... to {NAMES[-1][:4]}...', exercises.__doc__)

    def test_readme_lists_every_exercise_as_it_is(self):
        with open(os.path.join(HERE, 'exercises', 'README.md'), encoding='utf-8') as file:
            text = file.read()
        rows = re.findall(r'^\| (\d+) \| `(\w+)` \| .* \| (\w+) \| (\d+) \|$', text,
                          re.MULTILINE)
        expected = []
        for n, name in enumerate(NAMES, 1):
            [(level, minutes)] = re.findall(r'\nLevel: (\w+)\. About (\d+) minutes\.\n', DOCS[name])
            expected.append((str(n), name, level, minutes))
        self.assertEqual(expected, rows)

    def test_commands_are_ones_that_work(self):
        with open(os.path.join(HERE, 'exercises', 'README.md'), encoding='utf-8') as file:
            texts = [file.read(), sample.__doc__, *DOCS.values()]
        for command in re.findall(r'^ *(python .+)$', '\n'.join(texts), re.MULTILINE):
            with self.subTest(command):
                words = command.split()[1:]
                if words[:2] == ['-m', 'tests.exercises.sample']:
                    words = [words[2] + '.py'] + words[3:]
                if words[0] == '-m':
                    self.assertIn(words[1], ('unittest', 'tests.compare'))
                    for module in words[2:] if words[1] == 'unittest' else []:
                        file = os.path.join(TOP, *module.split('.')) + '.py'
                        self.assertTrue(os.path.isfile(file), file)
                else:
                    program = {'microgpt.py': microgpt,
                               'microdiffusion.py': sys.modules['microdiffusion']}[words[0]]
                    program.make_parser().parse_args(words[1:])


class Sample(unittest.TestCase):
    def test_names_and_figures(self):
        vocab = microgpt.make_vocab(['ada', 'bob'])
        with tempfile.TemporaryDirectory() as folder:
            model = os.path.join(folder, 'm.json')
            microgpt.save(model, microgpt.make_weights(len(vocab), random.Random(0)), vocab)
            with contextlib.redirect_stdout(io.StringIO()) as out:
                status = sample.main(['microgpt', '--load', model, '--samples', '7'])
        self.assertEqual(0, status)
        lines = out.getvalue().splitlines()
        self.assertEqual(4, len(lines), 'seven names take two rows')
        self.assertRegex(lines[2], r'^from the model: 7 names, \d of them distinct; mean length \d')
        self.assertRegex(lines[3], r'^names\.txt: +\d+ names, \d+ of them distinct; mean length')


if __name__ == '__main__':
    unittest.main()

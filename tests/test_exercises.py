"""Every exercise in both directions: untouched it fails, with its solution it passes.

Wrong solutions are refused, with a message that points. These tests are meant for programs in which
no exercise has been done.
"""
import contextlib
import importlib.util
import io
import math
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

import microdiffusion
from tests.exercises import __main__ as command
from tests.exercises import answers, checking, guess, pupils, sample, slides, solutions, solved

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(HERE)
NAMES = checking.exercise_names()
compiled = {}


def path(name):
    """Where a program or an exercise stands."""
    return os.path.join(TOP, *([] if name in checking.PROGRAMS else ['tests', 'exercises']),
                        name + '.py')

def read(name):
    """The text of a program or an exercise."""
    with open(path(name), encoding='utf-8') as file:
        return file.read()

def edited(name, edits):
    """The text of a program or an exercise after those of the edits that are meant for it."""
    text = read(name)
    for file, old, new in edits:
        if file == name + '.py':
            assert text.count(old) == 1, f'{file} does not have this once: {old!r}'
            text = text.replace(old, new)
    return text

def check(name, edits):
    """Run a checker on edited programs: the message if it fails, or None; and what it prints."""
    result = unittest.TestResult()
    with mock.patch.dict(sys.modules):
        for module in (*checking.PROGRAMS, name):
            full = module if module in checking.PROGRAMS else 'tests.exercises.' + module
            text = edited(module, edits)
            if text not in compiled:
                compiled[text] = compile(text, path(module), 'exec')
            spec = importlib.util.spec_from_file_location(full, path(module))
            sys.modules[full] = importlib.util.module_from_spec(spec)
            exec(compiled[text], vars(sys.modules[full]))
        suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules[full])
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            suite.run(result)
    assert result.testsRun == 1 and not result.errors, result.errors
    return ([text for _, text in result.failures] or [None])[0], printed.getvalue()


class Exercises(unittest.TestCase):
    def check_message(self, name, message, place=''):
        """That a message is in the form that teaches, and points to the place."""
        self.assertIsNotNone(message, 'the checker let it pass')
        self.assertIn(f'Exercise {int(name[1:3])}, ', message)
        for part in ('\n  came out: ', '\n  expected: ', '\n  look at:  '):
            self.assertEqual(1, message.count(part), message)
        self.assertNotIn('File "', message)
        self.assertNotIn('checking.py', message)
        self.assertIn(place, message)

    def test_untouched_programs_fail(self):
        for name in NAMES:
            with self.subTest(name):
                message, printed = check(name, [])
                self.check_message(name, message)
                self.assertEqual('', printed)

    def test_solution_passes_and_the_closing_answer_comes(self):
        for name in NAMES:
            with self.subTest(name):
                message, printed = check(name, solutions.reference[name])
                self.assertIsNone(message)
                self.assertIn(': right.', printed)
                self.assertIn(answers.closing[name].strip(), printed)

    def test_wrong_solutions_are_refused_and_told_where(self):
        for name in NAMES:
            for slip, (edits, place) in solutions.wrong[name].items():
                with self.subTest(name, slip=slip):
                    message, printed = check(name, edits)
                    self.check_message(name, message, place)
                    self.assertEqual('', printed)

    def test_ctrl_c_ends_what_has_no_end(self):
        endless = [(file, old, 'raise KeyboardInterrupt')
                   for file, old, _ in solutions.reference['e03_left_to_right']]
        message, _ = check('e03_left_to_right', endless)
        self.check_message('e03_left_to_right', message, 'came out: KeyboardInterrupt\n')


class Commands(unittest.TestCase):
    def lay_out(self, *edits):
        """A copy of what the exercises need, with edits."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        tests = os.path.join(folder.name, 'tests')
        shutil.copytree(os.path.join(HERE, 'exercises'), os.path.join(tests, 'exercises'),
                        ignore=shutil.ignore_patterns('__pycache__'))
        shutil.copy(os.path.join(HERE, '__init__.py'), tests)
        for name in checking.PROGRAMS:
            with open(os.path.join(folder.name, name + '.py'), 'w', encoding='utf-8') as file:
                file.write(edited(name, edits))
        return folder.name

    def run_python(self, arguments, folder):
        """The exit status of a command, and all that it prints."""
        done = subprocess.run([sys.executable, *arguments], cwd=folder, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, universal_newlines=True)
        return done.returncode, done.stdout

    def test_ways_to_run_an_exercise(self):
        done = solutions.reference['e01_tanh']
        for edits, expected, text in (([], 1, 'Exercise 1, tanh. '),
                                      (done, 0, 'Exercise 1, tanh: right.')):
            folder = self.lay_out(*edits)
            file = os.path.join(folder, 'tests', 'exercises', 'e01_tanh.py')
            for name in (file, os.path.join(folder, 'microdiffusion.py')):
                with open(name, encoding='utf-8') as before:
                    text_before = before.read()
                with open(name, 'w', encoding='utf-8-sig') as after:    # as some editors save it
                    after.write(text_before)
            for arguments, place in ((['-m', 'tests.exercises', '1'], folder), ([file], '/'),
                                     (['-m', 'unittest', 'tests.exercises.e01_tanh'], folder)):
                with self.subTest(arguments, done=bool(edits)):
                    status, printed = self.run_python(arguments, place)
                    self.assertEqual(expected, status, printed)
                    self.assertIn(text, printed)

    def test_what_is_no_exercise_is_no_success(self):
        folder = self.lay_out()
        for arguments in (['-m', 'tests.exercises', '13'], ['-m', 'tests.exercises', 'tanh'],
                          ['-m', 'unittest', 'tests.exercises']):
            with self.subTest(arguments):
                status, printed = self.run_python(arguments, folder)
                self.assertNotEqual(0, status)
                self.assertIn('python -m tests.exercises 1', printed)

    def test_all_tests_leave_the_exercises_out(self):
        status, printed = self.run_python(['-m', 'unittest'], self.lay_out())
        self.assertIn('Ran 0 tests', printed)
        self.assertNotIn('python -m tests.exercises', printed)

    def test_an_exception_is_shown_with_the_line_of_the_program(self):
        edits, _ = solutions.wrong['e04_linear_schedule']['a name that masks_left does not have']
        status, printed = self.run_python(['-m', 'tests.exercises', '4'], self.lay_out(*edits))
        self.assertEqual(1, status)
        self.assertRegex(printed, r"came out: NameError: name 'tokens' is not defined\n"
                                  r'    in microdiffusion\.py, line \d+: return tokens\.count')

    def test_a_program_that_cannot_be_imported(self):
        folder = self.lay_out(('microgpt.py', 'import math\n', 'import math(\n'))
        status, printed = self.run_python(['-m', 'tests.exercises', '1'], folder)
        self.assertEqual(1, status)
        self.assertRegex(printed, r'^import microgpt\n  came out: SyntaxError: .*\n'
                                  r'    in microgpt\.py, line \d+: import math\(\n')

    def test_list_has_every_exercise(self):
        with contextlib.redirect_stdout(io.StringIO()) as out:
            self.assertEqual(0, command.main([]))
        for n, name in enumerate(NAMES, 1):
            self.assertRegex(out.getvalue(), rf'(?m)^ *{n}  .*/{name}\.py$')

    def test_page_lists_the_exercises_as_they_are(self):
        with open(os.path.join(HERE, 'exercises', 'README.md'), encoding='utf-8') as file:
            text = file.read()
        rows = re.findall(r'^\| (\d+) \| \[([^\]]+)\]\((\w+)\.py\) \|.*\| (\w+) \| (\d+) \|$', text,
                          re.MULTILINE)
        expected = []
        for n, name in enumerate(NAMES, 1):
            title, level, minutes = checking.heading(name)
            expected.append((str(n), title, name, level, minutes))
        self.assertEqual(expected, rows)

    def test_documented_commands_are_ones_that_work(self):
        texts = [read(name) for name in NAMES]
        with open(os.path.join(HERE, 'exercises', 'README.md'), encoding='utf-8') as file:
            texts.append(file.read())
        for line in re.findall(r'^ *python (\S+\.py|-m tests\.exercises\.sample \S+)(.*)$',
                               '\n'.join(texts), re.MULTILINE):
            with self.subTest(line):
                name = line[0].split()[-1].split('.')[0]
                program = importlib.import_module(name)
                args = program.make_parser().parse_args(line[1].split())
                for file in (args.names, args.load):
                    self.assertTrue(not file or os.path.exists(os.path.join(TOP, file)), file)


class Sample(unittest.TestCase):
    def test_names_and_figures(self):
        with contextlib.redirect_stdout(io.StringIO()) as out:
            status = sample.main(['microdiffusion', '--samples', '7', '--denoise-steps', '2'])
        self.assertEqual(0, status)
        lines = out.getvalue().splitlines()
        self.assertEqual(4, len(lines), 'seven names take two rows')
        self.assertEqual(7, len(' '.join(lines[:2]).split()))
        self.assertRegex(lines[2], r'^from the model: 7 names, \d of them distinct; mean length '
                                   r'\d.\d\d; \d.\d\d nats per character; [12]\.\d evaluations')
        self.assertRegex(lines[3], r'^real names: +\d+ names, \d+ of them distinct; mean length')

    def test_what_it_cannot_do_is_said_in_a_line(self):
        for options, expected in ((['--samples', '0'], 'one name'),
                                  (['--prompt', 'm__\xf1.'], 'letters'),
                                  (['--load', 'no.json'], 'no.json')):
            with self.subTest(options), contextlib.redirect_stdout(io.StringIO()) as out:
                self.assertEqual(2, sample.main(['microdiffusion', *options]))
                self.assertIn(expected, out.getvalue())
                self.assertEqual(1, out.getvalue().count('\n'))


class Solved(unittest.TestCase):
    def test_figures_with_a_solution_in_the_program(self):
        shown = {}
        for arguments in (['3'], ['4'], ['8'], ['9', 'threshold=0.2'], ['9', 'threshold=0.9'],
                          ['10'], ['12']):
            with contextlib.redirect_stdout(io.StringIO()) as out, mock.patch.dict(sys.modules):
                self.assertEqual(0, solved.main([*arguments, '--samples', '2']))
            shown[' '.join(arguments)] = out.getvalue()
        self.assertEqual(len(shown), len(set(shown.values())), shown)
        with contextlib.redirect_stdout(io.StringIO()):
            self.assertEqual(2, solved.main(['1']))


class Guess(unittest.TestCase):
    def test_places_are_counted_from_one(self):
        with contextlib.redirect_stdout(io.StringIO()) as out:
            self.assertEqual(0, guess.main(['ma_i_.']))
        self.assertEqual(['3', '5'], re.findall(r'(?m)^place +(\d+): ', out.getvalue()))

    def test_what_it_cannot_do_is_said_in_a_line(self):
        for arguments in (['m__\xf1.'], ['..'], ['maria.'], [], ['ma', '_a']):
            with self.subTest(arguments), contextlib.redirect_stdout(io.StringIO()) as out:
                self.assertEqual(2, guess.main(arguments))
                self.assertEqual(1, out.getvalue().count('\n'))


class Worksheet(unittest.TestCase):
    def page(self, name):
        with open(os.path.join(HERE, 'exercises', name), encoding='utf-8') as file:
            return file.read()

    def test_guesses_are_those_of_the_model(self):
        command = r'python -m tests\.exercises\.guess (\S+)\n((?:place .*\n)+)'
        question = r'>(\w+\.)</code> These are[^<]*</p>\n<pre>\n((?:place .*\n)+)'
        shown = re.findall(command, self.page('worksheet_solution.html'))
        shown += re.findall(question, self.page('worksheet.html'))
        self.assertEqual(5, len(shown))
        for pattern, lines in shown:
            with self.subTest(pattern):
                with contextlib.redirect_stdout(io.StringIO()) as out:
                    self.assertEqual(0, guess.main([pattern]))
                self.assertEqual(out.getvalue(), lines)

    def test_coins_cost_what_the_tables_say(self):
        for name in ('worksheet.html', 'cards.html'):
            rows = re.findall(r'(?s)<tr><th>(coins|cost if[^<]*)</th>(.*?)</tr>', self.page(name))
            coins, named, kept = [[float(number) for number in re.findall(r'<td>([\d.]+)<', cells)]
                                  for _, cells in rows]
            self.assertEqual(11, len(coins))
            self.assertEqual([round(-math.log(n / 20), 1) for n in coins], named)
            self.assertEqual([round(-math.log(n / 20 / 23), 1) for n in coins], kept)


class Slides(unittest.TestCase):
    def test_the_page_is_what_the_command_makes_of_the_models(self):
        with open(slides.PAGE, encoding='utf-8') as file:
            self.assertEqual(slides.make(), file.read(), 'run python -m tests.exercises.slides')


class Pupils(unittest.TestCase):
    """The folder for pupils."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = os.path.join(folder.name, 'pupils')

    def run_main(self, *options):
        with contextlib.redirect_stdout(io.StringIO()) as out:
            self.assertEqual(0, pupils.main([self.folder, *options]))
        return out.getvalue()

    def texts(self):
        for folder, _, names in os.walk(self.folder):
            for name in names:
                with open(os.path.join(folder, name), encoding='utf-8') as file:
                    yield os.path.relpath(os.path.join(folder, name), self.folder), file.read()

    def test_it_has_what_pupils_need_and_no_solution(self):
        self.assertIn('learns them: lara, mila\n',
                      self.run_main('--names', os.path.join(HERE, 'class.txt')))
        texts = dict(self.texts())
        index = texts['index.html']
        self.assertIn('yusuf', index)
        self.assertIn('steps to 700', index)
        self.assertEqual(texts['microgpt.py'], texts[os.path.join('keep', 'microgpt.py')])
        for link in re.findall('<a href="([^"#]+)', index):
            self.assertTrue(os.path.exists(os.path.join(self.folder, link)), link)
        secret = solutions.reference['e03_left_to_right'][0][2]
        for name, text in texts.items():
            self.assertNotIn(secret, text, name)
            self.assertNotRegex(name, 'solution|teacher|quiz|slides')
        done = subprocess.run([sys.executable, '-m', 'tests.exercises', '3'], cwd=self.folder,
                              stdout=subprocess.PIPE, universal_newlines=True)
        self.assertIn('Exercise 3, left to right. ', done.stdout)

    def test_a_folder_that_is_there_is_left_as_it_is(self):
        self.run_main()
        before = dict(self.texts())
        self.assertIn('used as it is', self.run_main())
        with contextlib.redirect_stderr(io.StringIO()) as out, self.assertRaises(SystemExit):
            pupils.main([self.folder, '--names', os.path.join(HERE, 'class.txt')])
        self.assertIn('another one', out.getvalue())
        self.assertEqual(before, dict(self.texts()))


class Plan(unittest.TestCase):
    def test_costs_on_the_board_are_those_of_the_model(self):
        with open(os.path.join(HERE, 'exercises', 'teacher.md'), encoding='utf-8') as file:
            rows = re.findall(r'^\| [\d.]+ \| `(\S{14})` \| (.*) \|$', file.read(), re.MULTILINE)
        self.assertEqual(3, len(rows))
        state_dict, vocab, _ = microdiffusion.load(guess.MODEL)
        clean = microdiffusion.encode('nora', vocab)
        for pattern, shown in rows:
            with self.subTest(pattern):
                noisy = [vocab.index(char) for char in pattern]
                costs = [cost.data for cost in
                         microdiffusion.cross_entropies(state_dict, noisy, clean)]
                total = f'{sum(costs):.1f}'
                parts = ' + '.join([f'{cost:.1f}' for cost in costs])
                self.assertIn(shown, (total, f'{parts} = {total}'))


if __name__ == '__main__':
    unittest.main()

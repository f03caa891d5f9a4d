"""Every exercise in all directions: untouched it fails, the reference passes, slips are refused.

This is a test of the exercises, on programs in which none of them has been done.
"""
import importlib.util, itertools, os, re, subprocess, sys, tempfile, unittest
from unittest import mock
from tests import exercises
from tests.exercises import solutions

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(HERE)
PROGRAMS = 'microgpt', 'microdiffusion'
NAMES = sorted([file[:-3] for file in os.listdir(os.path.join(HERE, 'exercises'))
                if re.match(r'e\d\d_\w+\.py$', file)])
def path(folder, name):
    """Where a program or an exercise stands, below a folder laid out like this one."""
    return os.path.join(folder, *([] if name in PROGRAMS else ['tests', 'exercises']), name + '.py')
def read(name):
    with open(path(TOP, name), encoding='utf-8') as file: return file.read()
DOCS = {name: read(name).split('"""')[1] for name in NAMES}

class Exercises(unittest.TestCase):
    methods = {}                # of each checker that has run
    def lay_out(self, name, edits):
        """A new folder with copies of the programs and of an exercise, the edits applied."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        os.makedirs(os.path.join(folder.name, 'tests', 'exercises'))
        for copy in (*PROGRAMS, name):
            text = read(copy)
            for file, old, new in edits:
                if file == copy + '.py':
                    self.assertEqual(text.count(old), 1, f'{file} does not have this once: {old!r}')
                    text = text.replace(old, new)
            with open(path(folder.name, copy), 'w', encoding='utf-8') as file: file.write(text)
        self.assertLessEqual({file for file, old, new in edits},
                             {copy + '.py' for copy in (*PROGRAMS, name)})
        return folder.name
    def check(self, name, edits):
        """Run a checker on copies with the edits applied."""
        folder, result = self.lay_out(name, edits), unittest.TestResult()
        with mock.patch.dict(sys.modules), mock.patch.object(sys, 'dont_write_bytecode', True):
            for module in (*PROGRAMS, name):
                full = module if module in PROGRAMS else 'tests.exercises.' + module
                spec = importlib.util.spec_from_file_location(full, path(folder, module))
                sys.modules[full] = importlib.util.module_from_spec(spec)
                spec.loader.exec_module(sys.modules[full])
            suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules[full])
            suite = list(itertools.chain(*suite))       # they would be gone when they have run
            unittest.TestSuite(suite).run(result)
        self.assertEqual([text for test, text in result.errors], [], 'the checker broke down')
        self.assertGreater(result.testsRun, 0)
        self.methods[name] = {test.id() for test in suite}
        return {test.id(): text for test, text in result.failures}
    def check_failures(self, name, failures):
        self.assertTrue(failures, 'the checker let it pass')
        for text in failures.values():
            self.assertIn('AssertionError: ' + DOCS[name].partition(':')[0] + ': ', text)
            for part in ('\n  came out: ', '\n  expected: ', '\n  look at: '):
                self.assertIn(part, text)

    def test_untouched_files_fail(self):
        for name in NAMES:
            with self.subTest(name): self.check_failures(name, self.check(name, []))
    def test_reference_passes(self):
        for name in NAMES:
            with self.subTest(name):
                self.assertEqual(self.check(name, solutions.reference[name]), {})
    def test_wrong_is_refused(self):
        for name in NAMES:
            refused = set()
            for slip, edits in solutions.wrong[name].items():
                with self.subTest(name, slip=slip):
                    failures = self.check(name, edits)
                    self.check_failures(name, failures)
                    refused.update(failures)
            with self.subTest(name):
                self.assertEqual(self.methods[name] - refused, set(), 'no slip fails these')

    def test_documented_command(self):
        [command] = re.findall(r'python (-m unittest tests\.exercises\.\w+)', exercises.__doc__)
        for name in (command.split('.')[-1], 'e02_order'):
            for edits in ([], solutions.reference[name]):
                with self.subTest(name, done=bool(edits)):
                    folder = self.lay_out(name, edits)
                    for file in ('__init__.py', os.path.join('exercises', '__init__.py')):
                        with open(os.path.join(HERE, file), encoding='utf-8') as source:
                            text = source.read()
                        with open(os.path.join(folder, 'tests', file), 'w',
                                  encoding='utf-8') as copy: copy.write(text)
                    words = command.replace(command.split('.')[-1], name).split()
                    done = subprocess.run([sys.executable] + words, cwd=folder,
                                          stderr=subprocess.PIPE, universal_newlines=True)
                    self.assertEqual(done.returncode == 0, bool(edits), done.stderr)
                    self.assertIn('OK' if edits else DOCS[name].partition(':')[0], done.stderr)

    def test_all_have_solutions(self):
        self.assertEqual(sorted(solutions.reference), NAMES)
        self.assertEqual(sorted(solutions.wrong), NAMES)
        for name in NAMES: self.assertTrue(solutions.wrong[name], name)
    def test_texts(self):
        levels = []
        for n, name in enumerate(NAMES, 1):
            with self.subTest(name):
                self.assertEqual(name[:4], f'e{n:02d}_')
                self.assertRegex(DOCS[name], rf'^Exercise {n}, [^:\n]+: .+\.\n\nLevel: ')
                [level] = re.findall(r'\nLevel: (\w+)\. About \d+ minutes\.\n', DOCS[name])
                levels.append(('easy', 'medium', 'hard').index(level))
                for part in ('Do: ', 'Look at: ', 'Hint: ', 'Lab tests this breaks: '):
                    self.assertEqual(DOCS[name].count('\n' + part), 1, part)
                lines = read(name).splitlines()
                self.assertLessEqual(max(map(len, lines)), 100)
                self.assertTrue(read(name).isascii())
        self.assertEqual(levels, sorted(levels))
        self.assertIn(f'{NAMES[0][:4]}... to {NAMES[-1][:4]}...', exercises.__doc__)

if __name__ == '__main__': unittest.main()

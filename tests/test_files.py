"""The shape of the project: the two files side by side, the top level, and the names."""
import ast
import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from tests import compare
from tests.small_models import NAMES

# Where the ideas differ, the programs may; what stands in both is the same to the letter elsewhere.
# (A function that only one of them has is free: an exercise may add one.)
DIFFERENT = {
    'the docstring', 'PROGRAM', 'SPECIAL', 'END', 'heads', 'n_layer', 'encode',
    'check_constants', 'make_weights', 'rule_out', 'cross_entropies', 'example_loss',
    'example_nats', 'the imports of part 12', 'read_prompt', 'show_task', 'write', 'show',
    'make_parser', '# 4.', '# 5.', '# 7.', '# 9.'}          # the lines that open a part


def named_parts(text):
    """A program as {name: text}: every top-level name and heading, with the comment above it."""
    names, part = {}, 0                     # what each line is the last of
    headings = {n: line.split()[1] for n, line in enumerate(text.splitlines(), 1)
                if re.match(r'# \d+\. ', line)}
    for node in ast.parse(text).body:
        part = sum([n < node.lineno for n in headings])
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            name = node.name
        elif isinstance(node, ast.Assign):
            target = node.targets[0]
            name = (target.elts[0] if isinstance(target, ast.Tuple) else target).id
        elif isinstance(node, ast.Expr):
            name = 'the docstring'
        elif isinstance(node, ast.If):
            name = 'the end'
        else:
            name = f'the imports of part {part}'
        names[node.end_lineno] = name
    names.update({n: f'# {number}' for n, number in headings.items()})

    parts, lines = {}, []
    for n, line in enumerate(text.splitlines(), 1):
        lines += [line] if line.strip() else []
        if n in names:
            parts[names[n]] = parts.get(names[n], []) + lines
            lines = []
    return {name: '\n'.join(lines) for name, lines in parts.items()}

def unequal_parts(ours, theirs):
    """What is wrong with two programs that should be the same but for DIFFERENT, in words."""
    ours, theirs = named_parts(ours), named_parts(theirs)
    both = [name for name in ours if name in theirs]
    wrong = [f'{name} is not the same in both files: change both' for name in both
             if ours[name] != theirs[name] and name not in DIFFERENT]
    if both != [name for name in theirs if name in ours]:
        wrong.append('what the files have in common stands in two orders')
    return wrong


class TwoFiles(unittest.TestCase):
    def setUp(self):
        self.texts = ['\n'.join(compare.read(name)) for name in compare.FILES]

    def test_shared_parts_are_the_same_to_the_letter_and_in_the_same_order(self):
        self.assertEqual([], unequal_parts(*self.texts))

    def test_what_is_changed_or_moved_in_one_file_alone_is_named(self):
        gpt, diffusion = self.texts
        for name, old, new in (('softmax', 'def softmax(', 'def softmax(more, '),
                               ('draw', '    # Whether the name ends', '    # If the name ends'),
                               ('# 3.', '\n# 3. ', '\n# 3. More: ')):
            self.assertEqual([f'{name} is not the same in both files: change both'],
                             unequal_parts(gpt, diffusion.replace(old, new)))
        moved = gpt.replace('def rmsnorm(', 'def other(').replace('def add(', 'def rmsnorm(')
        self.assertIn('what the files have in common stands in two orders',
                      unequal_parts(moved.replace('def other(', 'def add('), diffusion))

    def test_a_function_of_an_exercise_may_stand_in_one_file(self):
        gpt, diffusion = self.texts
        added = '# Of an exercise.\ndef of_an_exercise(tokens):\n    return tokens\n\ndef {}('
        for before in ('softmax', 'example_nats', 'split', 'draw'):
            changed = diffusion.replace(f'def {before}(', added.format(before))
            self.assertNotEqual(diffusion, changed)
            self.assertEqual([], unequal_parts(gpt, changed))

    def test_what_may_differ_does(self):
        gpt, diffusion = map(named_parts, self.texts)
        for name in DIFFERENT:
            self.assertNotEqual(gpt[name], diffusion[name], name)

    def test_the_twelve_parts_have_equal_numbers(self):
        for text in self.texts:
            self.assertEqual([str(n) for n in range(1, 13)], re.findall(r'(?m)^# (\d+)\. ', text))


class Compare(unittest.TestCase):
    """python -m tests.compare, on a projector with 100 columns and 40 rows."""

    def lines(self, *options):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            compare.main(['--width', '100', *options])
        return out.getvalue().splitlines()

    def test_the_parts_that_differ_most_fit_one_screen(self):
        for part in ('5', '7', '9'):
            lines = self.lines(part)
            self.assertLess(len(lines), 40, f'part {part}, and a line for the prompt')
            self.assertLessEqual(max(map(len, lines)), 100)

    def test_what_differs_is_shown_and_what_does_not_is_left_out(self):
        lines = self.lines('5')
        text = '\n'.join(lines)
        for shown in ('def gpt(', 'def mask_predictor(', 'keys += linear(normed, wk)',
                      'tokens = settled(tokens)'):
            self.assertIn(shown, text)
        for left_out in ('wq, wk', 'fc1', '#', '"""', 'minus infinity', 'def softmax('):
            self.assertNotIn(left_out, text)
        [heads] = [line for line in lines if line.startswith('def rule_out(logits, start):')]
        self.assertIn('| def rule_out(logits, tokens, least_letters=1):', heads)

    def test_every_statement_that_differs_is_there_and_no_name_is_broken(self):
        def words(lines):
            return set(re.findall(r'\w+', ' '.join(lines)))

        for width in ('60', '100', '200'):
            shown = words(self.lines('9', '--width', width))
            ours, theirs = [compare.statements(compare.read(name))[9] for name in compare.FILES]
            different = set(ours) ^ set(theirs)
            self.assertGreater(len(different), 30)
            self.assertLessEqual(words(different), shown)
            self.assertLessEqual(shown, words(ours + theirs + list(compare.FILES)))

    def test_a_part_that_does_not_differ_says_so(self):
        self.assertIn('part 3: the same in both', '\n'.join(self.lines('3')))


class TopLevel(unittest.TestCase):
    def test_nothing_but_the_fixed_shape(self):
        self.assertEqual(
            {'microgpt.py', 'microdiffusion.py', 'names.txt', 'README.md', 'tests'},
            {name for name in os.listdir(compare.TOP)      # caches and saved models aside
             if not name.startswith(('.', '__')) and not name.endswith('.json')})

    def test_each_program_is_one_file_that_runs_anywhere_without_packages(self):
        for name in compare.FILES:
            with self.subTest(program=name), tempfile.TemporaryDirectory() as folder:
                shutil.copy(os.path.join(compare.TOP, name), folder)
                with open(os.path.join(folder, 'names.txt'), 'w') as file:
                    file.write('\n'.join(NAMES))
                done = subprocess.run(
                    [sys.executable, '-I', '-S', os.path.join(folder, name), '--steps', '1',
                     '--samples', '1', '--processes', '1'],
                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=folder)
                self.assertEqual(0, done.returncode, done.stdout)
                self.assertRegex(done.stdout.decode(), r'sample  1: [a-z]+')


class Names(unittest.TestCase):
    def test_ten_thousand_names_that_are_sorted_distinct_and_fit(self):
        with open(os.path.join(compare.TOP, 'names.txt'), 'rb') as file:
            text = file.read().decode('ascii')
        names = text.split('\n')[:-1]
        self.assertTrue(text.endswith('\n'))
        self.assertGreaterEqual(len(names), 10000)
        self.assertEqual(sorted(set(names)), names)
        for name in names:
            self.assertRegex(name, r'^[a-z]{2,13}$')


if __name__ == '__main__':
    unittest.main()

"""The shape of the project: the two files side by side, how long they are, and the names."""
import ast
import contextlib
import io
import os
import re
import unittest

from tests import compare

# Where the ideas differ, the programs may; what stands in both is the same to the letter elsewhere.
# (A function that only one of them has is free: an exercise may add one.)
DIFFERENT = {
    'the docstring', 'PROGRAM', 'SPECIAL', 'END', 'heads', 'n_layer', 'learning_rate',
    'encode', 'make_weights', 'cross_entropies', 'example_loss', 'example_nats', 'held_out_nats',
    'read_prompt', 'show_task', 'write', 'make_parser',
    '# 4.', '# 5.', '# 7.', '# 9.'}         # the lines that open a part

# So much may be added before a limit counts: an exercise is not to fail because it adds a line.
# Whoever changes the programs for good runs `SLACK=0 python -m unittest tests.test_files`.
SLACK = int(os.environ.get('SLACK', '40'))
CODE = 570                  # neither blank nor comment nor docstring
FIRST_NINE = 360
WIDEST, WIDE = 100, 90                      # columns: of all lines, and of nine in ten
FUNCTION = 40                               # lines of a function
STRETCH = 20                                # lines without a blank one
BLANK = 0.12, 0.20                          # the share of blank lines
COMMON = 0.8                                # of the GPT's code, in the order of the other file


def named_parts(text):
    """A program as {name: text}: every top-level name and heading, with the comment above it."""
    names = {}                              # what the line is the last of
    for node in ast.parse(text).body:
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
            name = 'the imports'
        names[node.end_lineno] = name

    parts, lines = {}, []
    for n, line in enumerate(text.splitlines(), 1):
        if line.strip():                    # blank lines are looked at elsewhere
            lines.append(line)
        heading = re.match(r'# \d+\.', line)
        name = heading.group() if heading else names.get(n)
        if name:
            parts[name] = parts.get(name, []) + lines
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

def code_lines(text):
    """The lines that are neither blank nor comment nor docstring."""
    words = set()                           # the lines of docstrings
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
            continue
        if ast.get_docstring(node):
            words.update(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return [line for n, line in enumerate(text.splitlines(), 1)
            if n not in words and line.strip() and not line.strip().startswith('#')]

def longest_stretch(lines):
    """The most lines in a row of which none is blank."""
    stretches = ''.join(['x' if line.strip() else ' ' for line in lines]).split()
    return max([len(stretch) for stretch in stretches])

def broken_limits(text, slack):
    """What about a program is too long or too dense, in words."""
    lines = text.splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith('# 1. '))
    end = next(n for n, line in enumerate(lines) if line.startswith('# 10. '))
    functions = [(0, 'none')]
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            functions.append((node.end_lineno - node.lineno + 1, node.name))
    blank = sum([not line.strip() for line in lines])
    widest = sum([len(line) > WIDEST for line in lines])
    wide = sum([len(line) > WIDE for line in lines])
    longest, name = max(functions)

    limits = [
        (len(code_lines(text)), CODE, 'lines of code'),
        (end - start, FIRST_NINE, 'lines of parts 1 to 9'),
        (widest, 0, f'lines of over {WIDEST} columns'),
        (wide, len(lines) // 10, f'lines of over {WIDE} columns, which one in ten may have'),
        (longest, FUNCTION, f'lines of a function, {name}'),
        (longest_stretch(lines), STRETCH, 'lines in a row without a blank one'),
        (blank, int(BLANK[1] * len(lines)), 'blank lines'),
        (int(BLANK[0] * len(lines)) - blank, 0, 'blank lines too few')]
    return [f'{number} {what}: at most {limit}, and {slack} more for exercises'
            for number, limit, what in limits if number > limit + slack]


class TwoFiles(unittest.TestCase):
    def setUp(self):
        self.texts = ['\n'.join(compare.read(name)) for name in compare.FILES]

    def test_shared_parts_are_the_same_to_the_letter(self):
        self.assertEqual([], unequal_parts(*self.texts))

    def test_a_shared_function_that_was_changed_in_one_file_is_named(self):
        gpt, diffusion = self.texts
        for name, old, new in (('softmax', 'def softmax(', 'def softmax(more, '),
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

    def test_what_may_differ_stands_in_both_files(self):
        for text in self.texts:
            self.assertEqual(set(), DIFFERENT - set(named_parts(text)))

    def test_four_fifths_of_the_gpt_stand_in_the_diffusion_model(self):
        gpt, diffusion = [code_lines(text) for text in self.texts]
        self.assertGreaterEqual(compare.common(gpt, diffusion), COMMON * len(gpt) - SLACK)

    def test_parts_come_in_the_same_order(self):
        titles = [re.findall(r'(?m)^# (\d+)\. ', text) for text in self.texts]
        self.assertEqual(*titles)
        self.assertEqual([str(n + 1) for n in range(len(titles[0]))], titles[0])

    def test_ascii_alone_is_written(self):
        for text in self.texts:
            text.encode('ascii')


class Limits(unittest.TestCase):
    def test_no_program_is_too_long_or_too_dense(self):
        for name in compare.FILES:
            self.assertEqual([], broken_limits('\n'.join(compare.read(name)), SLACK), name)

    table = ['x = 1'] * 6 + ['']            # a seventh of it is blank

    def check(self, before, *expected, after=()):
        """A program of these lines before and in its part 10 breaks these limits, with no slack."""
        text = '\n'.join(['# 1. One', *before, '# 10. Ten', *after])
        broken = broken_limits(text, 0)
        self.assertEqual(len(expected), len(broken), broken)
        for part, message in zip(expected, broken):
            self.assertIn(part, message)
        self.assertEqual([], broken_limits(text, 40))

    def test_lengths_are_counted(self):
        table = self.table * 2
        self.check(table, after=['x = 1'] * (CODE % 6) + [''] + self.table * ((CODE - 12) // 6))
        self.check(table, f'{CODE + 6} lines of code',
                   after=['x = 1'] * (CODE % 6) + [''] + self.table * ((CODE - 6) // 6))
        comments = [line.replace('x = 1', '# why') for line in self.table] * FIRST_NINE
        self.check(comments[:FIRST_NINE - 1])
        self.check(comments[:FIRST_NINE], f'{FIRST_NINE + 1} lines of parts 1 to 9')
        docstring = ['class C:', '    """What', '    it is."""', '']
        self.assertEqual(['class C:'], code_lines('\n'.join(docstring)))

    def test_functions_widths_and_blank_lines_are_counted(self):
        table = self.table
        function = ['def f():'] + (['    x = 1'] * 7 + ['']) * 4 + ['    x = 1'] * 7     # 40 lines
        self.check(table + function)
        self.check(table + function + ['    x = 1', ''], '41 lines of a function, f')
        self.check(table * 6 + ['x = 1' + ' ' * 91 + '# is x'], '1 lines of over 100')
        self.check(table * 6 + ['x = 1' + ' ' * 81 + '# is x'] * 6 + [''], '6 lines of over 90')
        self.check(table * 20 + ['x = 1'] * 21 + [''], '21 lines in a row')
        self.check(table * 6 + [''] * 9, 'blank lines: at most')
        self.check((['x = 1'] * 12 + ['']) * 6, 'blank lines too few')

    def test_an_exercise_of_forty_lines_breaks_none(self):
        """Wherever they stand and whatever they look like, in programs as long as they may be."""
        nine = (self.table * FIRST_NINE)[:FIRST_NINE - 2] + ['']
        code = len(code_lines('\n'.join(nine)))
        rest = ['x = 1', '', '# x', '# x', '# x'] * (CODE - code)
        lines = ['# 1. One', *nine, '# 10. Ten', *rest]
        self.assertEqual([], broken_limits('\n'.join(lines), 0))
        self.assertEqual(CODE, len(code_lines('\n'.join(lines))))
        for place in (5, len(nine), len(lines) - 5):
            for line in ('y = 1', '# y', '', 'y = 1' + ' ' * 99 + '# y'):
                added = lines[:place] + [line] * 40 + lines[place:]
                self.assertEqual([], broken_limits('\n'.join(added), 40))


class Compare(unittest.TestCase):
    def rows(self, *options):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            compare.main(['--width', '203', *options])
        return out.getvalue().splitlines()[2:]

    def setUp(self):
        self.gpt, self.diffusion = [compare.read(name) for name in compare.FILES]
        self.same = compare.common(self.gpt, self.diffusion)

    def test_every_line_of_both_is_shown(self):
        rows = self.rows()
        marks = [row[101:102] for row in rows]
        self.assertEqual(len(self.gpt) - self.same, sum([m in ('<', '|') for m in marks]))
        self.assertEqual(len(self.diffusion) - self.same, sum([m in ('>', '|') for m in marks]))
        for line in ('class Value:', 'def gpt(', 'def mask_predictor('):
            self.assertTrue(any([line in row for row in rows]))

    def test_one_part_is_shown(self):
        text = '\n'.join(self.rows('5'))
        self.assertIn('Bidirectional', text)
        self.assertNotIn('class Value', text)

    def test_changed_shows_all_that_differs_and_leaves_out_what_does_not(self):
        everything, some = self.rows(), self.rows('--changed')
        for mark in '<>|':
            self.assertEqual([row for row in everything if row[101:102] == mark],
                             [row for row in some if row[101:102] == mark])
        text = '\n'.join(some)
        self.assertNotIn('def __mul__', text)
        self.assertIn('def mask_predictor(', text)
        self.assertLess(len(some), len(everything) / 2)
        self.assertEqual(everything[-1], some[-1], 'the count is that of the whole files')

    def test_changed_leaves_three_lines_on_either_side(self):
        left = [str(n) for n in range(30)]
        right = left[:10] + ['ten'] + left[11:17] + ['x', 'y'] + left[17:]
        shown = [one if mark == ' ' else mark
                 for mark, one, _ in compare.changed(list(compare.pairs(left, right)))]
        self.assertEqual('... 7 8 9 | 11 12 13 14 15 16 > > 17 18 19 ...'.split(), shown)
        right = ['zero'] + left[1:20] + left[21:]
        shown = [one if mark == ' ' else mark
                 for mark, one, _ in compare.changed(list(compare.pairs(left, right)))]
        self.assertEqual('| 1 2 3 ... 17 18 19 < 21 22 23 ...'.split(), shown)
        self.assertEqual([(' ', '...', '...')],
                         list(compare.changed(list(compare.pairs(left, left)))))

    def test_what_goes_on_is_indented_deeper_than_its_line(self):
        for width in (20, 40, 60, 100):
            for line in self.gpt + self.diffusion:
                first, *others = compare.wrapped(line, width)
                indent = len(line) - len(line.lstrip())
                for piece in others:
                    self.assertGreater(len(piece) - len(piece.lstrip()), min(indent, width - 2))
                self.assertLessEqual(max([len(piece) for piece in [first, *others]]), width)
                self.assertEqual(line.replace(' ', ''),
                                 ''.join([first, *others]).replace(' ', ''))
        self.assertEqual(['    if first == second', '            and third:'],
                         compare.wrapped('    if first == second and third:', 24))


class TopLevel(unittest.TestCase):
    def test_nothing_but_the_fixed_shape(self):
        self.assertEqual(
            {'microgpt.py', 'microdiffusion.py', 'names.txt', 'README.md', 'tests'},
            {name for name in os.listdir(compare.TOP)      # caches and saved models aside
             if not name.startswith(('.', '__')) and not name.endswith('.json')})


class Names(unittest.TestCase):
    def setUp(self):
        with open(os.path.join(compare.TOP, 'names.txt'), 'rb') as file:
            self.text = file.read().decode('ascii')
        self.names = self.text.split('\n')[:-1]

    def test_ten_thousand_names_sorted_and_distinct(self):
        self.assertTrue(self.text.endswith('\n') and '\r' not in self.text)
        self.assertGreaterEqual(len(self.names), 10000)
        self.assertEqual(sorted(set(self.names)), self.names)

    def test_letters_and_lengths(self):
        for name in self.names:
            self.assertRegex(name, r'^[a-z]{2,15}$')

    def test_first_letters_and_lengths_are_shared_as_among_names(self):
        def share(test):
            return 100 * sum([test(name) for name in self.names]) / len(self.names)

        for letters, expected in {'a': 14, 'k': 9, 'm': 8, 'j': 7.5, 's': 6.5, 'd': 5.5, 'lrec': 20,
                                  'tb': 8, 'n': 3.5, 'zh': 6, 'g': 2, 'iyp': 5.1, 'fvo': 3.6,
                                  'w': 1, 'xqu': 1}.items():
            self.assertAlmostEqual(expected, share(lambda name: name[0] in letters), delta=1)
        for length, expected in {3: 2, 4: 9, 5: 22, 6: 30, 7: 22, 8: 10}.items():
            self.assertAlmostEqual(expected, share(lambda name: len(name) == length), delta=3)


if __name__ == '__main__':
    unittest.main()

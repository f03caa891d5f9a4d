"""The shape of the project: the two files side by side, and the list of names."""
import ast
import contextlib
import io
import os
import re
import unittest

from tests import compare

# Where the ideas differ, the programs may; everywhere else they are the same to the letter.
DIFFERENT = {
    'encode', 'make_weights', 'gpt', 'mask_predictor', 'corrupt', 'cross_entropies',
    'example_loss', 'generate', 'allowed', 'denoise', 'held_out_nats', 'read_prompt', 'learn',
    'main', 'PROGRAM', 'SPECIAL', 'BOS', 'MASK', 'n_layer', 'learning_rate', 't_min',
    'the docstring'}


def owners(lines):
    """For each line, the top-level name it belongs to (its comment lines above included)."""
    tree, names = ast.parse('\n'.join(lines)), {}
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            name = node.name
        elif isinstance(node, ast.Assign):
            target = node.targets[0]
            name = (target.elts[0] if isinstance(target, ast.Tuple) else target).id
        elif isinstance(node, ast.Expr):
            name = 'the docstring'
        else:
            name = 'the imports'
        for line in range(node.lineno - 1, node.end_lineno):
            names[line] = name
    out, below = [], 'the end'
    for line in reversed(range(len(lines))):
        below = names.get(line, below)
        out.append(below)
    return out[::-1]


class TwoFiles(unittest.TestCase):
    def setUp(self):
        self.gpt, self.diffusion = map(compare.read, compare.FILES)

    def test_shared_parts_are_the_same_to_the_letter(self):
        owner = owners(self.gpt), owners(self.diffusion)
        n = m = 0
        for mark, one, other in compare.pairs(self.gpt, self.diffusion):
            if mark != ' ':
                for name, line in ((owner[0][n] if one is not None else None, one),
                                   (owner[1][m] if other is not None else None, other)):
                    self.assertIn(name, DIFFERENT | {None}, (
                        f'the files part company at line {n + 1} of microgpt.py and line {m + 1} '
                        f'of microdiffusion.py: {line!r} stands in one of them only; change both'))
            n += one is not None
            m += other is not None

    def test_four_fifths_of_the_gpt_stand_in_the_diffusion_model(self):
        same = compare.common(self.gpt, self.diffusion)
        self.assertGreaterEqual(same / len(self.gpt), 0.8)

    def test_parts_come_in_the_same_order(self):
        titles = [[re.match(r'# (\d+)\. ', line).group(1) for line in lines
                   if re.match(r'# \d+\. ', line)] for lines in (self.gpt, self.diffusion)]
        self.assertEqual(titles[0], titles[1])
        self.assertEqual(titles[0], [str(n + 1) for n in range(len(titles[0]))])

    def test_lengths(self):
        for lines in (self.gpt, self.diffusion):
            self.assertLessEqual(max(map(len, lines)), 100)
            self.assertLessEqual(len(lines), 400)
            sampling = next(n for n, line in enumerate(lines) if line.startswith('# 10. '))
            self.assertLessEqual(sampling, 270)

    def test_compare_shows_every_line_of_both(self):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            compare.main(['--width', '203'])
        rows = out.getvalue().splitlines()
        self.assertEqual(sum(row[101:102] in ('<', '|') for row in rows[2:]),
                         len(self.gpt) - compare.common(self.gpt, self.diffusion))
        for row in ('class Value:', 'def gpt(', 'def mask_predictor('):
            self.assertTrue(any(row in shown for shown in rows))
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            compare.main(['--width', '203', '5'])
        self.assertIn('Bidirectional', out.getvalue())
        self.assertNotIn('class Value', out.getvalue())


class TopLevel(unittest.TestCase):
    def test_nothing_but_the_fixed_shape(self):
        self.assertEqual(
            {name for name in os.listdir(compare.TOP)      # caches and saved models aside
             if not name.startswith(('.', '__')) and not name.endswith('.json')},
            {'microgpt.py', 'microdiffusion.py', 'names.txt', 'README.md', 'tests'})

    def test_ascii_alone_is_written(self):
        for name in compare.FILES:
            '\n'.join(compare.read(name)).encode('ascii')


class Names(unittest.TestCase):
    def setUp(self):
        with open(os.path.join(compare.TOP, 'names.txt'), 'rb') as file:
            self.text = file.read().decode('ascii')
        self.names = self.text.split('\n')[:-1]

    def test_ten_thousand_names_sorted_and_distinct(self):
        self.assertTrue(self.text.endswith('\n') and '\r' not in self.text)
        self.assertGreaterEqual(len(self.names), 10000)
        self.assertEqual(self.names, sorted(set(self.names)))

    def test_letters_and_lengths(self):
        for name in self.names:
            self.assertRegex(name, r'^[a-z]{2,15}$')

    def test_first_letters_and_lengths_are_shared_as_among_names(self):
        def share(test):
            return 100 * sum(map(test, self.names)) / len(self.names)
        for letters, expected in {'a': 14, 'k': 9, 'm': 8, 'j': 7.5, 's': 6.5, 'd': 5.5, 'lrec': 20,
                                  'tb': 8, 'n': 3.5, 'zh': 6, 'g': 2, 'iyp': 5.1, 'fvo': 3.6,
                                  'w': 1, 'xqu': 1}.items():
            self.assertAlmostEqual(share(lambda name: name[0] in letters), expected, delta=1)
        for length, expected in {3: 2, 4: 9, 5: 22, 6: 30, 7: 22, 8: 10}.items():
            self.assertAlmostEqual(share(lambda name: len(name) == length), expected, delta=3)


if __name__ == '__main__':
    unittest.main()

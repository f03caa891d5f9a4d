"""The pages keep their word: examples, quoted code, commands, links and pictures."""
import doctest
import json
import math
import os
import random
import re
import shlex
import subprocess
import sys
import unittest

import microdiffusion
import microgpt

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PAGES = ('README.md', 'tests/README.md', 'tests/lesson/README.md', 'tests/exercises/README.md',
         'tests/exercises/teacher.md', 'tests/exercises/quiz.md')
PROGRAMS = ('microgpt.py', 'microdiffusion.py')


def read(page):
    """The text of a file of the project."""
    with open(os.path.join(TOP, *page.split('/')), encoding='utf-8') as file:
        return file.read()

def blocks(text, language):
    """The fenced blocks of a language, as lists of lines, indented as far as their fence is not."""
    bodies = re.findall(rf'^( *)```{language}\n(.*?)^ *```$', text, re.MULTILINE | re.DOTALL)
    return [[line[len(fence):].rstrip() for line in body.splitlines()] for fence, body in bodies]

def stands(lines, name):
    """Whether lines stand in a program as they are, one after the other."""
    program = read(name).splitlines()
    return any(program[n:n + len(lines)] == lines for n in range(len(program)))

def anchors(text):
    """What a link to a heading of the page may be."""
    headings = re.findall(r'^#+ (.*)$', text, re.MULTILINE)
    return {re.sub(r'[^\w -]', '', heading.lower()).replace(' ', '-') for heading in headings}


class Pages(unittest.TestCase):
    def test_examples_print_what_is_printed(self):
        text = read('tests/README.md')      # the lesson has a test of its own
        examples = doctest.DocTestParser().get_doctest(text, {}, 'tests/README.md', None, 0)
        self.assertGreater(len(examples.examples), 6)
        report = []
        result = doctest.DocTestRunner(verbose=False).run(examples, out=report.append)
        self.assertEqual(0, result.failed, ''.join(report))

    def test_quoted_code_stands_in_a_program(self):
        quotes = [(page, lines) for page in PAGES for lines in blocks(read(page), 'python')
                  if not lines[0].startswith(('>>>', '# Try'))]
        self.assertGreater(len(quotes), 3)
        for page, lines in quotes:
            with self.subTest(page=page, quote=lines[0]):
                self.assertTrue(any(stands(lines, name) for name in PROGRAMS), '\n'.join(lines))

    def test_quoted_differences_are_those_of_the_programs(self):
        differences = [lines for page in PAGES for lines in blocks(read(page), 'diff')]
        self.assertGreater(len(differences), 0)
        for lines in differences:
            for sign, name in zip('-+', PROGRAMS):
                other = '+' if sign == '-' else '-'
                side = [line[1:] for line in lines if line[0] != other]
                self.assertTrue(stands(side, name), '\n'.join(side))

    def commands(self):
        """Every command of the pages, as words without the python."""
        for page in PAGES:
            text = read(page)
            lines = {line.lstrip('$ ') for language in ('sh', 'text')
                     for lines in blocks(text, language) for line in lines}
            lines |= set(re.findall(r'`(python [^`]*)`', text))
            for line in sorted(lines):
                if line.startswith('python '):
                    yield page, shlex.split(line)[1:]

    def test_commands_exist_and_know_their_options(self):
        helps = {}
        for page, words in self.commands():
            with self.subTest(page=page, command=' '.join(words)):
                module = words[1] if words[0] == '-m' else None
                if module == 'http.server' or words[0] == '-c':
                    continue
                for name in words[2:] if module == 'unittest' else [module] if module else []:
                    path = os.path.join(TOP, *name.split('.'))
                    self.assertTrue(os.path.isfile(path + '.py') or os.path.isdir(path), path)
                program = tuple(words[:2] if module else words[:1])
                if program not in helps:
                    helps[program] = self.help_of(program)
                for word in words[len(program):]:
                    if word.startswith('--') and helps[program]:
                        self.assertRegex(helps[program], re.escape(word) + r'[\s,\]]')
                    if word.startswith('tests/'):
                        self.assertTrue(os.path.exists(os.path.join(TOP, word)), word)
        self.assertGreater(len(helps), 4)

    def help_of(self, program):
        """What a program says of its options; nothing if it takes none, or lacks a package."""
        if program[-1] == 'unittest' or 'exercises' in program[-1]:
            return ''
        done = subprocess.run([sys.executable, *program, '--help'], cwd=TOP,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              universal_newlines=True)
        if done.returncode and 'torch' in done.stderr:
            return ''
        self.assertEqual(0, done.returncode, done.stderr)
        return done.stdout

    def test_links_lead_somewhere(self):
        for page in PAGES:
            for link in re.findall(r'\]\(([^)]*)\)', read(page)):
                with self.subTest(page=page, link=link):
                    target, _, anchor = link.partition('#')
                    if target.startswith('https:'):
                        continue
                    other = os.path.normpath(os.path.join(os.path.dirname(page), target))
                    other = other.replace(os.sep, '/') if target else page
                    self.assertTrue(os.path.exists(os.path.join(TOP, other)), other)
                    if anchor:
                        self.assertIn(anchor, anchors(read(other)))

    def test_every_picture_is_shown_somewhere(self):
        shown = set()
        for page in PAGES:
            for link in re.findall(r'!\[[^\]]{20,}\]\(([^)]*)\)', read(page)):
                shown.add(os.path.basename(link))
        self.assertEqual(set(os.listdir(os.path.join(TOP, 'tests', 'pictures'))), shown)

    def test_links_of_html_pages_lead_somewhere(self):
        pages = [os.path.join(folder, name) for folder, _, names in os.walk(TOP) for name in names
                 if name.endswith('.html') and os.sep + '.' not in folder and 'web' not in folder]
        self.assertGreater(len(pages), 1)
        for page in pages:
            with open(page, encoding='utf-8') as file:
                text = file.read()
            for link in re.findall(r'\shref="([^"{$]*)"', text):
                with self.subTest(page=page, link=link):
                    target, _, anchor = link.partition('#')
                    if target.startswith(('https:', 'data:')):
                        continue
                    other = os.path.join(os.path.dirname(page), *target.split('/'))
                    self.assertTrue(os.path.exists(other if target else page))
                    if anchor and (not target or target.endswith('.html')):
                        with open(other if target else page, encoding='utf-8') as file:
                            self.assertIn(f'id="{anchor}"', file.read())
                    elif anchor:
                        self.assertIn(anchor, anchors(read(os.path.relpath(other, TOP)
                                                           .replace(os.sep, '/'))))


def run(*words):
    """(output, errors) of a program of the project."""
    done = subprocess.run([sys.executable, *words], cwd=TOP, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, universal_newlines=True)
    return done.stdout, done.stderr

def cells(page):
    """{(first cell of a row, head of a column): the figures of all tables that have both}."""
    found, heads = {}, None
    for line in read(page).splitlines():
        row = [cell.strip() for cell in line.strip('|').split('|')] if line[:1] == '|' else None
        if not row:
            heads = None
        elif heads is None:
            heads = row
        else:
            for head, cell in zip(heads, row):
                found.setdefault((row[0], head), []).append(cell)
    return found


class Landing(unittest.TestCase):
    """The page at the top: what its commands print, and where its figures come from."""

    @classmethod
    def setUpClass(cls):
        cls.text = read('README.md')
        cls.words = ' '.join(cls.text.split())
        cls.blocks = [[line.rstrip() for line in body.splitlines()] for body in
                      re.findall(r'^```text\n(.*?)^```$', cls.text, re.MULTILINE | re.DOTALL)]

    def assertSays(self, words):
        self.assertTrue(words in self.words, f'the page does not say: {words}')

    def test_commands_with_trained_models_print_what_the_page_shows(self):
        shown = [lines for lines in self.blocks if '--load' in lines[0]]
        self.assertEqual(2, len(shown))
        for command, *lines in shown:
            out, errors = run(*shlex.split(command)[2:])
            if errors:
                self.assertTrue(' '.join(errors.split()).endswith(' '.join(lines)), errors)
            else:
                out, count = out.splitlines(), len(lines)
                self.assertTrue(any(out[n:n + count] == lines for n in range(len(out))), out)

    def test_the_lines_of_a_training_run_are_those_of_the_program(self):
        """The kept model comes from the run that is shown; what time decides has only its form."""
        (lines,) = [lines for lines in self.blocks if 'to learn from' in lines[0]]
        kept = os.path.join('tests', 'models', 'microdiffusion.json')
        out, _ = run('microdiffusion.py', '--load', kept, '--names', 'names.txt')
        out = out.replace(', trained for 2000 steps before', '').splitlines()
        left = [line for line in lines if line not in out]
        self.assertEqual([], [line for line in left if not line.startswith('train')])
        self.assertGreater(len(lines) - len(left), 4)
        self.assertGreater(len(left), 2)
        for line in left:
            self.assertRegex(line, r'^train \d+/2000 \d\d\.\d\d nats \d+:\d\d left [a-z]+$')
        self.assertIn('train 2000/2000', left[-1])

    def test_sizes_and_constants_are_those_of_the_programs(self):
        names = microgpt.read_names(os.path.join(TOP, 'names.txt'))
        learned, vocab_size = microgpt.split(names)[0], len(microgpt.make_vocab(names))
        self.assertSays(f'on {len(learned):,} names of')
        self.assertSays(f'(The other {len(names) - len(learned):,} are kept for the test.)')
        self.assertSays(f'trained on {len(learned):,} names')
        sizes = [len(lab.parameters(lab.make_weights(size, random.Random(0))))
                 for lab, size in ((microgpt, vocab_size), (microdiffusion, vocab_size + 1))]
        self.assertSays(f'GPT: one layer, {sizes[0]:,} parameters')
        self.assertSays(f'diffusion: two layers, {sizes[1]:,} parameters')
        self.assertSays(f'eight billion parameters where ours has {sizes[1]:,}')
        self.assertEqual((1, 2), (microgpt.n_layer, microdiffusion.n_layer))
        self.assertSays(f'noise levels t below {microdiffusion.t_min} in training')
        self.assertSays(f'There are always {microdiffusion.block_size} places')
        self.assertSays(f'of up to {microgpt.block_size - 1} letters')
        self.assertSays(f'For the four above they would be {(vocab_size - 1) ** 4:,}.')
        self.assertSays(f'p = 1/2 costs {math.log(2):.2f} nats, p = 1/1000 costs '
                        f'{math.log(1000):.1f})')
        for name in PROGRAMS:
            lines = read(name).splitlines()
            lesson = [n for n, line in enumerate(lines) if line.startswith('# 11.')][0]
            self.assertSays('fewer than 900 lines, and nearly half of these are')
            self.assertLess(len(lines), 900)
            self.assertTrue(0.4 < 1 - lesson / len(lines) < 0.5)

    def test_figures_are_those_that_were_measured(self):
        table = cells('tests/README.md')
        with open(os.path.join(TOP, 'tests', 'figures.json'), encoding='utf-8') as file:
            kept = json.load(file)

        def measured(row, column, figure):
            self.assertIn(figure, table[row, column], (row, column))

        few = re.search(r'\| GPT \| (\S+) \| (\S+) % \|\n'
                        r'\| diffusion \| (\S+) \(at most\) \| (\S+) % \|', self.text)
        with open(os.path.join(TOP, 'tests', 'few.txt'), encoding='utf-8') as file:
            learned = len(microgpt.split(file.read().split())[0])
        measured(str(learned), 'GPT', few[1])
        measured(str(learned), 'diffusion', few[3])
        self.assertEqual([few[2], few[4]], [f'{kept["copied"][lab]:g}' for lab in
                                            ('microgpt', 'microdiffusion')])
        for lab, words in (('microgpt', 'after about {} steps, it has {:.2f} nats'),
                           ('microdiffusion', 'and the best of diffusion is {1:.2f}.')):
            self.assertSays(words.format(*min(kept['few'][lab], key=lambda point: point[1])))

        for row, label in (('GPT', 'GPT: one layer'), ('diffusion', 'diffusion: two layers')):
            nats, distinct, character = re.search(
                rf'\| {label}[^|]*\| (\S+)[^|]*\| ([^|]*?) \| (\S+) \|', self.text).groups()
            measured(row, 'mean', nats)
            measured(row, 'distinct', distinct)
            measured(row, 'nats per character', character)
        for label, row in (('pairs of', 'bigrams'), ('groups of four', '4-grams')):
            self.assertSays(f'| counting {label} letters | {kept["ngrams"][row]:.2f} |')
        self.assertSays(f'| real names | | | {kept["compared"]["real names"]:.2f} |')
        alike = 'GPT of the size of diffusion (two layers, tied)'
        self.assertSays(f'two layers like the diffusion model has {table[alike, "held-out nats"][0]} '
                        'nats')

        found = [table[f'{way}', 'any one letter'][0] for way in
                 ('GPT, scoring 26 names', 'diffusion, one evaluation')]
        self.assertSays('even more often ({} against {})'.format(*found))
        runs = {count: round(evaluations) for count, evaluations, _ in kept['steps']}
        self.assertSays('a name takes about nine runs')
        self.assertSays('With `--denoise-steps 4` it takes about three.')
        self.assertEqual((9, 3), (runs[20], runs[4]))
        for count, words in ((20, '({} nats per letter against {})'), (4, '({} against {})')):
            row = [table[str(count), head][0].split()[0] for head in ('noise 1.5', 'by chance')]
            self.assertSays(words.format(*row))
        self.assertSays(f'too many nats, {table["64", "less than the bound"][0]} too many')
        alone = table['confidence of the drawn token, no noise', 'distinct'][0]
        usual = table['diffusion', 'distinct'][1]       # of the 300 names of one model
        self.assertSays(f'only {float(alone.split()[0]):.0f} % of 300 written names would be '
                        f'different from each other, instead of {float(usual.split()[0]):.0f} %')
        for name in 'jelina', 'jolina', 'jeanna':
            self.assertEqual(name != 'jelina', name in read('names.txt').split())

    def test_what_two_hundred_names_bring_agrees_with_the_measurements(self):
        """A run takes minutes, so the figures of the page are compared with those of many runs."""
        (lines,) = [lines for lines in self.blocks if '--names tests/few.txt' in lines[0]]
        copied = [int(n) for n in re.findall(r'^(\d+) of these 20 names are among the 197 learned '
                                             r'from$', '\n'.join(lines), re.MULTILINE)]
        nats = [float(n) for n in re.findall(r'^held-out: (\S+) nats per name, standard error \d',
                                             '\n'.join(lines), re.MULTILINE)]
        self.assertEqual(2, len(nats))
        gpt, diffusion = copied
        self.assertGreater(gpt, 15)
        self.assertLess(diffusion, 3)
        self.assertGreater(nats[0], 30)
        self.assertLess(nats[1], 20)


if __name__ == '__main__':
    unittest.main()

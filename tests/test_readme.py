"""The three pages are held to what they say: examples, quoted code, commands, links, pictures."""
import doctest
import os
import re
import shlex
import subprocess
import sys
import unittest

from tests import compare

PAGES = ('README.md', 'tests/README.md', 'tests/exercises/README.md')


def read(page):
    with open(os.path.join(compare.TOP, *page.split('/')), encoding='utf-8') as file:
        return file.read()

def blocks(text, language):
    """The fenced blocks of a language, as lists of lines without the indentation of a list."""
    bodies = re.findall(rf'^ *```{language}\n(.*?)^ *```$', text, re.MULTILINE | re.DOTALL)
    return [[line.strip() for line in body.splitlines()] for body in bodies]

def stands(lines, name):
    """Whether lines stand in a program, one after the other."""
    program = [line.strip() for line in compare.read(name)]
    return any(program[n:n + len(lines)] == lines for n in range(len(program)))

def anchors(text):
    """The links to the headings of a page."""
    headings = re.findall(r'^#+ (.*)$', text, re.MULTILINE)
    return {re.sub(r'[^a-z0-9 -]', '', heading.lower()).replace(' ', '-') for heading in headings}


class Pages(unittest.TestCase):
    def test_examples_print_what_is_printed(self):
        for page, least in (('README.md', 12), ('tests/README.md', 6)):
            examples = doctest.DocTestParser().get_doctest(read(page), {}, page, None, 0)
            self.assertGreater(len(examples.examples), least)
            report = []
            result = doctest.DocTestRunner(verbose=False).run(examples, out=report.append)
            self.assertEqual(0, result.failed, ''.join(report))

    def test_quoted_code_stands_in_the_program(self):
        quotes = [lines for page in PAGES for lines in blocks(read(page), 'python')
                  if not lines[0].startswith('>>>')]
        self.assertGreater(len(quotes), 3)
        for lines in quotes:
            with self.subTest(quote=lines[0]):
                self.assertTrue(stands(lines, 'microdiffusion.py'), '\n'.join(lines))

    def test_quoted_differences_are_those_of_the_programs(self):
        differences = blocks(read('README.md'), 'diff')
        self.assertGreater(len(differences), 0)
        for lines in differences:
            for sign, name in (('-', 'microgpt.py'), ('+', 'microdiffusion.py')):
                other = '+' if sign == '-' else '-'
                side = [line.lstrip('+-').strip() for line in lines if line[0] != other]
                self.assertTrue(stands(side, name), '\n'.join(side))

    def commands(self):
        """Every command of the pages, as words without the python."""
        for page in PAGES:
            text = read(page)
            lines = {line for lines in blocks(text, 'sh') for line in lines}
            lines |= set(re.findall(r'`(python [^`]*)`', text))
            for line in sorted(lines):
                if line.startswith('python '):
                    yield page, shlex.split(line)[1:]

    def test_commands_exist_and_know_their_options(self):
        helps = {}
        for page, words in self.commands():
            with self.subTest(page=page, command=' '.join(words)):
                module = words[1] if words[0] == '-m' else None
                modules = words[2:] if module == 'unittest' else [module] if module else []
                for name in modules:
                    path = os.path.join(compare.TOP, *name.split('.'))
                    self.assertTrue(os.path.isfile(path + '.py') or os.path.isdir(path), path)
                if module == 'unittest' or words[0] == '-c':
                    continue
                program = tuple(words[:2] if module else words[:1])
                if program not in helps:
                    helps[program] = self.help_of(program)
                for word in words[len(program):]:
                    if word.startswith('--') and helps[program]:
                        self.assertRegex(helps[program], re.escape(word) + r'[\s,\]]')
                    if word.startswith('tests/'):
                        self.assertTrue(os.path.exists(os.path.join(compare.TOP, word)), word)
        self.assertGreater(len(helps), 5)

    def help_of(self, program):
        """What a program says of its options; nothing if it needs a package that is not there."""
        done = subprocess.run([sys.executable, *program, '--help'], cwd=compare.TOP,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              universal_newlines=True)
        if done.returncode and 'torch' in done.stderr:
            return ''
        self.assertEqual(0, done.returncode, done.stderr)
        if 'tests.in_torch' in program or 'tests.exercises.sample' in program:
            return ''                       # its options follow after another word
        return done.stdout

    def test_links_lead_somewhere(self):
        for page in PAGES:
            text = read(page)
            links = re.findall(r'\]\(([^)]*)\)', text)
            links += re.findall(r'src="([^"]*)"', text)
            for link in links:
                with self.subTest(page=page, link=link):
                    target, _, anchor = link.partition('#')
                    if target.startswith('https:'):
                        continue
                    other = os.path.normpath(os.path.join(os.path.dirname(page), target))
                    other = other.replace(os.sep, '/') if target else page
                    self.assertTrue(os.path.exists(os.path.join(compare.TOP, other)), other)
                    if anchor:
                        self.assertIn(anchor, anchors(read(other)))

    def test_every_picture_is_shown(self):
        folder = os.path.join(compare.TOP, 'tests', 'pictures')
        pictures = {f'tests/pictures/{name}' for name in os.listdir(folder)}
        shown = set(re.findall(r'!\[[^\]]{20,}\]\(([^)]*)\)', read('README.md')))
        self.assertEqual(pictures, shown)

    def test_every_exercise_is_listed(self):
        folder = os.path.join(compare.TOP, 'tests', 'exercises')
        files = {name[:-3] for name in os.listdir(folder) if re.match(r'e\d\d_.*\.py$', name)}
        self.assertEqual(files, set(re.findall(r'\be\d\d_\w+', read('tests/exercises/README.md'))))

    def test_the_page_can_be_read_in_twenty_minutes(self):
        self.assertLessEqual(len(read('README.md').split()), 2800)


if __name__ == '__main__':
    unittest.main()

"""The pages keep their word: examples, quoted code, commands, links and pictures."""
import doctest
import os
import re
import shlex
import subprocess
import sys
import unittest

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

    def test_the_gpt_refuses_a_blank_in_the_words_that_the_page_quotes(self):
        done = subprocess.run(
            [sys.executable, 'microgpt.py', '--load', 'tests/models/microgpt.json', '--prompt',
             'j____a.'], cwd=TOP, stderr=subprocess.PIPE, universal_newlines=True)
        self.assertEqual(2, done.returncode)
        message = ' '.join(done.stderr[done.stderr.index('microgpt.py: error'):].split())
        self.assertIn(message, ' '.join(read('README.md').split()))


if __name__ == '__main__':
    unittest.main()

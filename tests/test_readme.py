"""The README is held to what it says: its examples, its quoted code, its commands and links."""
import doctest
import os
import re
import shlex
import subprocess
import sys
import unittest

from tests import compare

with open(os.path.join(compare.TOP, 'README.md'), encoding='utf-8') as file:
    README = file.read()


def blocks(language):
    """The fenced blocks of a language, as lists of lines without the indentation of a list."""
    return [[line.strip() for line in body.splitlines()] for body in re.findall(
        rf'^ *```{language}\n(.*?)^ *```$', README, re.MULTILINE | re.DOTALL)]


def stands(lines, name):
    """Whether lines stand in a program, one after the other."""
    program = [line.strip() for line in compare.read(name)]
    return any(program[n:n + len(lines)] == lines for n in range(len(program)))


class Readme(unittest.TestCase):
    def test_examples_print_what_is_printed(self):
        """The worked example of the engine among them."""
        tests = doctest.DocTestParser().get_doctest(README, {}, 'README.md', None, 0)
        self.assertGreater(len(tests.examples), 10)
        report = []
        result = doctest.DocTestRunner(verbose=False).run(tests, out=report.append)
        self.assertEqual(result.failed, 0, ''.join(report))

    def test_quoted_code_stands_in_the_programs(self):
        quotes = [lines for lines in blocks('python') if not lines[0].startswith('>>>')]
        self.assertGreater(len(quotes), 5)
        for lines in quotes:
            with self.subTest(quote=lines[0]):
                self.assertTrue(stands(lines, 'microdiffusion.py'), '\n'.join(lines))

    def test_quoted_differences_are_those_of_the_programs(self):
        self.assertGreater(len(blocks('diff')), 1)
        for lines in blocks('diff'):
            for sign, name in (('-', 'microgpt.py'), ('+', 'microdiffusion.py')):
                other = '+' if sign == '-' else '-'
                side = [line.lstrip('+-').strip() for line in lines if line[0] != other]
                self.assertTrue(stands(side, name), '\n'.join(side))

    def test_commands_exist_and_know_their_options(self):
        commands = {line for lines in blocks('sh') for line in lines}
        commands |= set(re.findall(r'`(python [^`]*)`', README))
        self.assertGreater(len(commands), 8)
        helps = {}
        for command in commands:
            with self.subTest(command=command):
                words = shlex.split(command)[1:]
                if words[:2] == ['-m', 'unittest']:
                    for module in words[2:]:
                        path = os.path.join(compare.TOP, *module.split('.')) + '.py'
                        self.assertTrue(os.path.isfile(path), path)
                    continue
                program = tuple(words[:2] if words[0] == '-m' else words[:1])
                if program not in helps:
                    helps[program] = subprocess.run(
                        [sys.executable, *program, '--help'], cwd=compare.TOP, check=True,
                        stdout=subprocess.PIPE, universal_newlines=True).stdout
                for word in words[len(program):]:
                    if word.startswith('--'):
                        self.assertRegex(helps[program], re.escape(word) + r'[\s,\]]')

    def test_links_lead_to_headings(self):
        headings = {re.sub(r'[^a-z0-9 -]', '', heading.lower()).replace(' ', '-')
                    for heading in re.findall(r'^#+ (.*)$', README, re.MULTILINE)}
        links = re.findall(r'\]\(#([^)]*)\)', README)
        self.assertEqual(len(links), 12)
        self.assertLessEqual(set(links), headings)

    def test_every_exercise_is_listed(self):
        folder = os.path.join(compare.TOP, 'tests', 'exercises')
        files = {name[:-3] for name in os.listdir(folder) if re.match(r'e\d\d_.*\.py$', name)}
        self.assertEqual(set(re.findall(r'\be\d\d_\w+', README)), files)


if __name__ == '__main__':
    unittest.main()

"""The lesson keeps its word: examples, quoted functions, figures, chapters, and its notebook."""
import doctest
import json
import math
import os
import re
import shutil
import sys
import tempfile
import unittest

from tests import notebook, pictures
from tests.test_readme import PAGES, TOP, anchors, blocks, read

LESSON = 'tests/lesson/README.md'
TOUCHED = {'coin', 'graph', 'hill', 'letters', 'query', 'hide', 'noise', 'step', 'train'}

# Figures of the text that one works out by hand, and how.
BY_HAND = {
    '7.39': math.exp(2), '2.72': math.e, '1.00': 1.0, '11.11': math.exp(2) + math.e + 1,
    '0.665': math.exp(2) / (math.exp(2) + math.e + 1), '0.69': math.log(2), '0.00': 0.0,
    '0.245': math.e / (math.exp(2) + math.e + 1), '0.090': 1 / (math.exp(2) + math.e + 1),
    '0.41': -math.log(0.665), '2.41': math.log(11.11), '3.30': math.log(27), '3.3': math.log(27),
    '3.296': math.log(27), '6.91': math.log(1000), '33.75': 90 * 3 / 8,
    '11.6': 14 * math.cos(math.radians(33.75)), '0.45': 0.2 ** 0.5, '2.8': 14 * 0.2,
    '1.3': 9 / 7, '2.08': math.log(8), '1.39': math.log(4), '1.16': -math.log(5 / 16),
    '1.0': (0.5 + 1.0 + 1.5) / 3, '0.21': 1 / (math.e + 2), '0.58': math.e / (math.e + 2),
    '1.61': math.log(5), '0.25': 0.1 / 0.4, '0.43': math.log(2) / math.log(5)}
GIVEN = {'0.5', '1.5', '0.2', '0.4', '0.8', '0.1', '0.05', '0.0001', '0.001',
         '0.01', '0.7', '2.3', '4.5', '40.4', '56.5'}      # of suppositions, options and sources


def prose(text):
    """A text without its code."""
    text = re.sub(r'^ *```\w+\n.*?^ *```$', '', text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r'\]\([^)]*\)|<[^>]*>|`[^`]*`', '', text)

def lesson_chapters():
    """{number: (title, text)} of the lesson."""
    texts = re.split(r'^(?=## )', read(LESSON), flags=re.MULTILINE)
    found = [re.match(r'## (\d+)\. (.*)\n', text) for text in texts]
    return {int(head[1]): (head[2], text) for head, text in zip(found, texts) if head}

def printed(text):
    """The numbers that the examples of a text print."""
    wants = [example.want for block in notebook.pieces(text)[1::2] if block.startswith('>>>')
             for example in doctest.DocTestParser().get_examples(block)]
    return [float(number) for want in wants for number in re.findall(r'\d+\.?\d*', want)]

def measured():
    """The numbers that tests.results has measured, as the page of the measurements has them."""
    return [float(number) for number in re.findall(r'\d+\.\d+', read('tests/README.md'))]

def minutes(text):
    """An estimate of how long a text takes to read, as the lesson explains it."""
    code = re.findall(r'^ *```\w+\n.*?^ *```$', text, re.MULTILINE | re.DOTALL)
    questions = re.findall(r'^\*\*A (?:last )?question', text, re.MULTILINE)
    return len(prose(text).split()) / 200 + len(code) + 3 * len(questions)


def cells():
    """The notebook's cells with code, as pairs: the code, and what stands below it."""
    for cell in json.loads(notebook.read(notebook.NOTEBOOK))['cells']:
        if cell['cell_type'] == 'code':
            texts = [out['text'] if 'text' in out else out['data']['text/plain']
                     for out in cell['outputs']]
            yield ''.join(cell['source']), ''.join([''.join(text) for text in texts])


class Lesson(unittest.TestCase):
    def test_all_code_is_an_example_or_to_be_tried_or_a_whole_function_of_its_program(self):
        functions = 0
        for program, text in notebook.chapters(read(LESSON)):
            fences = re.findall(r'^ *```(\w*)$', text, re.MULTILINE)
            self.assertLessEqual(set(fences), {'python', 'sh', 'diff', ''})
            for lines in blocks(text, 'python'):
                with self.subTest(code=lines[0]):
                    if not lines[0].startswith(('>>>', '# Try')):
                        quote = '\n'.join(lines) + '\n'
                        self.assertEqual(notebook.function(program, quote), quote,
                                         'run python -m tests.notebook --outputs')
                        functions += 1
        self.assertGreater(functions, 10)

    def test_a_function_that_has_moved_by_one_column_is_noticed(self):
        [quote] = [lines for lines in blocks(read(LESSON), 'python') if 'def __mul__' in lines[0]]
        moved = '\n'.join([line[4:] for line in quote]) + '\n'
        self.assertNotEqual(moved, notebook.function(notebook.microgpt, moved))

    def test_each_chapter_has_a_picture_something_to_try_and_a_question_with_its_answer(self):
        for number, (title, text) in lesson_chapters().items():
            with self.subTest(chapter=number):
                self.assertRegex(text, r'(?m)^!\[')
                self.assertEqual(1, len(re.findall(r'^# Try: ', text, re.MULTILINE)))
                self.assertEqual(1, len(re.findall(r'(?m)^\*\*A (?:last )?question', text)))
                self.assertEqual(1, text.count('<details><summary>Answer</summary>\n\n'))
                self.assertEqual(1, text.count('**What we have now.**'))

    def test_what_can_be_touched_has_a_picture_above_it(self):
        touched = re.findall(r'(?m)^(!\[.*\)\n\n)?<!-- touch: (\w+) -->\n\n', read(LESSON))
        self.assertEqual(sorted(TOUCHED), sorted(name for _, name in touched))
        self.assertTrue(all(picture for picture, _ in touched))

    def test_contents_and_times_are_those_of_the_chapters(self):
        chapters, head = lesson_chapters(), read(LESSON).split('\n## ')[0]
        listed = re.findall(r'^(\d+)\. \[(.*)\]\(#(.*)\)$', head, re.MULTILINE)
        self.assertEqual([(str(number), title) for number, (title, _) in chapters.items()],
                         [(number, title) for number, title, _ in listed])
        self.assertLessEqual({link for *_, link in listed}, anchors(read(LESSON)))
        sittings = re.split(r'^\*\*\w+ sitting, about (\d+) minutes', head, flags=re.MULTILINE)[1:]
        self.assertEqual(8, len(sittings))
        for said, numbers in zip(sittings[::2], sittings[1::2]):
            took = sum([minutes(chapters[int(number)][1])
                        for number in re.findall(r'^(\d+)\. ', numbers, re.MULTILINE)])
            self.assertLess(abs(int(said) - took), 5, f'{took:.0f} minutes, from {numbers[:30]!r}')

    def test_pages_and_exercises_name_chapters_that_exist(self):
        chapters = lesson_chapters()
        count = ('twelve', 'thirteen', 'fourteen', 'fifteen', 'sixteen', 'seventeen', 'eighteen',
                 'nineteen', 'twenty')[len(chapters) - 12]
        for page in PAGES:
            self.assertLessEqual(set(re.findall(r'(twelve|\w+teen|twenty) chapters', read(page))),
                                 {count}, page)
        belongs = {}
        folder = os.path.join(TOP, 'tests', 'exercises')
        for name in sorted(os.listdir(folder)):
            number = re.match(r'e(\d+)_', name)
            if number:
                chapter = re.search(r'chapter (\d+) of the', read(f'tests/exercises/{name}'))
                belongs[int(number[1])] = chapters[int(chapter[1])][0]
        self.assertEqual({
            1: 'A number that remembers', 2: 'How good is it?',
            3: 'Writing from nothing but masks', 4: 'Writing from nothing but masks',
            5: 'Four heads', 6: 'Hide and restore', 7: 'How much to hide',
            8: 'Writing from nothing but masks', 9: 'The large ones', 10: 'The large ones',
            11: 'Why the price is a limit', 12: 'The large ones'}, belongs)

    def test_words_stand_in_the_chapters_that_the_list_names(self):
        chapters = lesson_chapters()
        rows = re.findall(r'^\| (.+?) \| .* \| (.*#.*) \|$', read(LESSON).split('\n## Words')[1],
                          re.MULTILINE)
        self.assertGreater(len(rows), 40)
        self.assertEqual(sorted(rows, key=lambda row: row[0].lower()), rows)
        for words, places in rows:
            for word in words.split(', '):
                texts = [chapters[int(number)][1].lower()
                         for number in re.findall(r'\[(\d+)\]', places)]
                self.assertTrue(any(word.lower() in text for text in texts), word)

    def test_chapters_name_chapters_by_their_number(self):
        chapters = lesson_chapters()
        for number, link in re.findall(r'\[(?:chapter\s+)?(\d+)\]\(#(.*?)\)', read(LESSON)):
            self.assertTrue(link.startswith(number + '-'), link)
        for number in re.findall(r'[Cc]hapters? (\d+)', read(LESSON)):
            self.assertIn(int(number), chapters)

    def test_figures_of_the_text_come_from_somewhere(self):
        """Each is printed by an example, measured, worked out by hand here, or given."""
        for words, value in BY_HAND.items():
            self.assertEqual(words, f'{value:.{len(words.split(".")[1])}f}')
        results, shown = measured(), []
        for number, (title, text) in lesson_chapters().items():
            shown += printed(text)
            known = shown + (results if number in (13, 16) else [])
            for words in re.findall(r'(?<![\d.,])\d+\.\d+(?! %)(?![\d.]*\d)', prose(text)):
                digits = len(words.split('.')[1])
                self.assertTrue(words in GIVEN or words in BY_HAND or
                                any(abs(value - float(words)) < 0.5001 * 10 ** -digits
                                    for value in known), f'{words} in chapter {number}')
            for words in re.findall(r'(\d+(?:\.\d+)?) %', prose(text)):
                digits = len(words.partition('.')[2])
                self.assertTrue(words in GIVEN or
                                any(abs(value - float(words)) < 0.5001 * 10 ** -digits
                                    for value in [100 * value for value in shown] + results),
                                f'{words} % in chapter {number}')

    def test_pictures_show_what_the_examples_print(self):
        models, text = pictures.load(), read(LESSON)
        *_, shares, _ = pictures.one_head(models[pictures.microgpt], pictures.LOOKS, pictures.HEAD)
        self.assertIn(str([round(share, 2) for share in shares]), text)
        found = pictures.moments(models[pictures.microdiffusion], pictures.NAME)
        self.assertIn(str([round(found[k], 2) for k in (1, 5, 10, 14)]), text)


class Notebook(unittest.TestCase):
    def setUp(self):
        self.addCleanup(os.chdir, os.getcwd())
        self.addCleanup(sys.path.__setitem__, slice(None), list(sys.path))

    def test_it_is_what_the_command_makes_of_the_page(self):
        made = notebook.notebook(notebook.read(notebook.PAGE))
        self.assertTrue(made == notebook.read(notebook.NOTEBOOK), 'run python -m tests.notebook')

    def test_its_cells_show_what_stands_below_them(self):
        os.chdir(os.path.dirname(notebook.NOTEBOOK))
        names = {}
        tried = 0
        for code, output in cells():
            with self.subTest(code=code):
                shown = notebook.run(code, names)
                if code.startswith('# Try'):        # what it shows is for the reader to find out
                    self.assertEqual('', output)
                    self.assertNotEqual('', shown)
                    tried += 1
                else:
                    self.assertEqual(output.strip('\n'), shown.strip('\n'))
        self.assertEqual(len(lesson_chapters()), tried)

    def test_the_first_cell_finds_files_beside_it_or_says_which_are_missing(self):
        setup = next(cells())[0]
        with tempfile.TemporaryDirectory() as folder:
            os.makedirs(os.path.join(folder, 'deep', 'er', 'still'))
            os.chdir(os.path.join(folder, 'deep', 'er', 'still'))
            shutil.copy(os.path.join(notebook.TOP, 'names.txt'), '.')
            with self.assertRaisesRegex(FileNotFoundError, 'microgpt.py, microdiffusion.py, '
                                        'microgpt.json, microdiffusion.json'):
                notebook.run(setup, {})

            models = os.path.join('tests', 'models')
            for name in ('microgpt.py', 'microdiffusion.py', os.path.join(models, 'microgpt.json'),
                         os.path.join(models, 'microdiffusion.json')):
                shutil.copy(os.path.join(notebook.TOP, name), '.')
            self.assertEqual('', notebook.run(setup, {}))
            self.assertEqual(2, len(os.listdir(models)))
            self.assertEqual(os.path.realpath(sys.path[0]), os.path.realpath(os.getcwd()))
            os.chdir(notebook.TOP)          # so that the folder can be removed on every system


if __name__ == '__main__':
    unittest.main()

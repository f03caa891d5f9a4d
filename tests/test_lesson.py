"""The lesson and its notebook are the same, and every example shows what stands below it."""
import json
import os
import shutil
import sys
import tempfile
import unittest

from tests import notebook


def cells():
    """The notebook's cells with code, as pairs: the code, and what stands below it."""
    for cell in json.loads(notebook.read(notebook.NOTEBOOK))['cells']:
        if cell['cell_type'] == 'code':
            texts = [out['text'] if 'text' in out else out['data']['text/plain']
                     for out in cell['outputs']]
            yield ''.join(cell['source']), ''.join([''.join(text) for text in texts])


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
        for code, output in cells():
            with self.subTest(code=code):
                self.assertEqual(output.strip('\n'), notebook.run(code, names).strip('\n'))

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

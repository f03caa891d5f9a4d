"""Make the lesson's notebook and its web page from its text.

python -m tests.notebook writes tests/lesson/lesson.ipynb and tests/lesson/lesson.html, with the
text, the examples and the outputs of tests/lesson/README.md. With --outputs it first puts into the
text what the examples print now, and the functions of the programs as they are now: for when a
model or a program has changed.
"""
import argparse
import ast
import contextlib
import doctest
import io
import json
import os
import re

import microdiffusion
import microgpt
from tests import lesson_page

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PAGE = os.path.join(TOP, 'tests', 'lesson', 'README.md')
NOTEBOOK = os.path.join(TOP, 'tests', 'lesson', 'lesson.ipynb')

FIRST_OF_DIFFUSION = 10     # the first chapter that quotes microdiffusion.py

INTRODUCTION = """\
This notebook is made from the page `README.md` beside it. Run its cells from the top. The first one
finds the programs, in the folder of the notebook or above it. In Colab or JupyterLite put these
five files beside the notebook: `microgpt.py`, `microdiffusion.py`, `names.txt`, and from the folder
`tests/models` the two trained models `microgpt.json` and `microdiffusion.json`.

Cells that begin with `# Try` show nothing yet. Guess what they will show, write your guess down, run
them, and change them.
"""

SETUP = """\
import os, shutil, sys

for folder in ('.', '..', os.path.join('..', '..')):
    if os.path.exists(os.path.join(folder, 'microdiffusion.py')):
        os.chdir(folder)
        break
sys.path.insert(0, os.getcwd())

for model in ('microgpt.json', 'microdiffusion.json'):
    if os.path.exists(model):
        os.makedirs(os.path.join('tests', 'models'), exist_ok=True)
        shutil.copy(model, os.path.join('tests', 'models'))

needed = ['microgpt.py', 'microdiffusion.py', 'names.txt',
          'tests/models/microgpt.json', 'tests/models/microdiffusion.json']
missing = [os.path.basename(file) for file in needed if not os.path.exists(file)]
if missing:
    raise FileNotFoundError('put beside the notebook: ' + ', '.join(missing))
"""


def read(path):
    with open(path, encoding='utf-8') as file:
        return file.read()

def write(path, text):
    with open(path, 'w', encoding='utf-8', newline='\n') as file:
        file.write(text)

def pieces(page):
    """The page in turns: text, the inside of a block that can be run, text, ..., text.

    A block that can be run has examples, or begins with "# Try" and is for the reader to change.
    """
    return re.split(r'^```python\n(?=>>>|# Try)(.*?)^```\n', page, flags=re.MULTILINE | re.DOTALL)

def chapters(page):
    """[(program, text)] of the chapters; the program is the module whose functions they quote."""
    texts = re.split(r'^(?=## )', page, flags=re.MULTILINE)
    numbers = [re.match(r'## (\d+)\. ', text) for text in texts]
    return [(microdiffusion if number and int(number[1]) >= FIRST_OF_DIFFUSION else microgpt, text)
            for number, text in zip(numbers, texts)]

def function(program, quote):
    """The whole function of a program of which a quote has the first line."""
    with open(program.__file__, encoding='utf-8') as file:
        lines = file.read().splitlines()
    name = re.match(r' *def (\w+)', quote)[1]
    [node] = [node for node in ast.walk(ast.parse('\n'.join(lines)))
              if isinstance(node, ast.FunctionDef) and node.name == name]
    return '\n'.join(lines[node.lineno - 1:node.end_lineno]) + '\n'

def run(code, names):
    """What Python shows for a piece of code; names are its global variables."""
    with contextlib.redirect_stdout(io.StringIO()) as shown:
        for statement in ast.parse(code).body:
            if isinstance(statement, ast.Expr):             # its value is shown
                exec(compile(ast.Interactive([statement]), 'lesson', 'single'), names)
            else:
                exec(compile(ast.Module([statement], []), 'lesson', 'exec'), names)
    return shown.getvalue()

def renew(page):
    """The page with what its examples show now."""
    names = {}

    def renewed(block):
        parts = doctest.DocTestParser().parse(block)        # examples, with text between them
        for part in parts:
            if isinstance(part, doctest.Example):
                lines = part.source.splitlines(keepends=True)
                yield '>>> ' + '... '.join(lines).replace('... \n', '...\n')
                yield run(part.source, names)
            else:
                yield part

    page = ''.join([re.sub(r'(?<=^```python\n)( *def .*?)(?=^```$)',
                           lambda quote: function(program, quote[0]), text,
                           flags=re.MULTILINE | re.DOTALL) for program, text in chapters(page)])
    texts = pieces(page)
    for n in range(1, len(texts), 2):
        shown = texts[n] if texts[n].startswith('#') else ''.join(renewed(texts[n]))
        texts[n] = f'```python\n{shown}```\n'
    return ''.join(texts)

def cell(kind, source, **more):
    """A cell of a notebook, as a dict."""
    return {'cell_type': kind, 'metadata': {}, 'source': source.strip('\n').splitlines(True), **more}

def code_cell(source, output=''):
    """A cell with code. What is a value is shown as a value, and the rest as printed."""
    outputs = []
    last = ast.parse(source).body[-1]
    if output and isinstance(last, ast.Expr) and not source.splitlines()[-1].startswith('print('):
        try:
            ast.literal_eval(output)
            outputs = [{'output_type': 'execute_result', 'metadata': {}, 'execution_count': None,
                        'data': {'text/plain': output.strip('\n').splitlines(True)}}]
        except (SyntaxError, ValueError):
            pass
    if output and not outputs:
        outputs = [{'output_type': 'stream', 'name': 'stdout', 'text': output.splitlines(True)}]
    return cell('code', source, execution_count=None, outputs=outputs)

def code_cells(block):
    """The examples of a block. A cell ends where there is something to show."""
    source = ''
    for part in doctest.DocTestParser().parse(block):
        if not isinstance(part, doctest.Example):
            source += '\n' if source and part else ''
            continue
        source += part.source
        if part.want:
            yield code_cell(source, part.want)
            source = ''
    if source:
        yield code_cell(source)

def notebook(page):
    """The text of the notebook that is made from the text of the page."""
    for heading in re.findall(r'^## (.*)$', page, re.MULTILINE):        # its own form of a link
        link = re.sub(r'[^a-z0-9 ]', '', heading.lower()).replace(' ', '-')
        page = page.replace(f'(#{link})', '(#' + heading.replace(' ', '-') + ')')
    page = re.sub(r'^<!-- touch: \w+ -->\n\n', '', page, flags=re.MULTILINE)       # for lesson.html
    texts = pieces(page)
    cells = []
    for n, text in enumerate(texts):
        if n % 2:
            cells += [code_cell(text)] if text.startswith('#') else code_cells(text)
        else:
            cells += [cell('markdown', part) for _, part in chapters(text) if part.strip()]
    cells[1:1] = [cell('markdown', INTRODUCTION), code_cell(SETUP)]

    for n, each in enumerate(cells, 1):
        each['id'] = f'cell-{n}'
    kernel = {'display_name': 'Python 3', 'language': 'python', 'name': 'python3'}
    metadata = {'kernelspec': kernel, 'language_info': {'name': 'python'}}
    whole = {'cells': cells, 'metadata': metadata, 'nbformat': 4, 'nbformat_minor': 5}
    return json.dumps(whole, indent=1, ensure_ascii=False) + '\n'

def main(argv=None):
    """Write the notebook and the web page, and before them the outputs if they are wanted."""
    parser = argparse.ArgumentParser('python -m tests.notebook', description=__doc__.split('\n')[0])
    parser.add_argument('--outputs', action='store_true',
                        help='first put into the page what its examples print now')
    args = parser.parse_args(argv)
    if args.outputs:
        os.chdir(TOP)
        write(PAGE, renew(read(PAGE)))
    write(NOTEBOOK, notebook(read(PAGE)))
    write(lesson_page.PAGE, lesson_page.make(read(PAGE)))


if __name__ == '__main__':
    main()

"""Put together a folder with only what pupils need: python -m tests.exercises.pupils FOLDER.

It has the pages, the worksheet, both programs (and a copy of them in the folder keep) and the
exercises, but no solutions and nothing for the teacher. Open its index.html, or copy it to each
computer. Two options may follow:

    --names FILE    the names of your class, one a line, for pupils to copy into the page
    --serve         let phones and computers of the same network open it in their browser
"""
import pathlib, sys
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))    # for an editor's Run button

import argparse
import functools
import html
import http.server
import os
import shutil
import socket

import microdiffusion

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WHAT = ['microgpt.py', 'microdiffusion.py', 'names.txt', 'README.md'] + [
    os.path.join('tests', name) for name in (
        '__init__.py', 'README.md', 'playground.html', 'class.txt', 'few.txt', 'judge.py',
        'compare.py', 'models', 'pictures', 'lesson', 'exercises')]
FOR_TEACHERS = ['solutions.py', 'solved.py', 'teacher.md', 'quiz.md', 'worksheet_solution.html',
                'slides.html', 'slides.py', 'pupils.py', '__pycache__']

INDEX = '''<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>Names from noise</title>
<style>
  body {{ max-width: 32em; margin: 0 auto; padding: 1em; font: 1.1em/1.5 system-ui, sans-serif;
         color: #1f2328; background: #fff; }}
  li {{ margin: 0.6em 0; }}
  textarea {{ width: 100%; box-sizing: border-box; height: 9em; font: inherit; }}
  button {{ font: inherit; padding: 0.4em 1em; }}
</style>
</head>
<body>
<h1>Names from noise</h1>
<ul>
{links}
</ul>
{names}</body>
</html>
'''
NAMES = '''<h2>The names of the class</h2>
<p>Copy them. Then go to <a href="tests/playground.html#train">Train</a>, and paste them in place of
the list. Set the training steps to {steps}.</p>
<p><textarea id="list" readonly>{names}</textarea></p>
<p><button id="copy">Copy</button></p>
<script>
document.getElementById('copy').onclick = () => {{
  document.getElementById('list').select();
  if (document.execCommand('copy')) document.getElementById('copy').textContent = 'Copied';
}};
</script>
'''
LINKS = [('tests/playground.html', 'The page: hide, write, compare and train'),
         ('tests/exercises/worksheet.html', 'The worksheet'),
         ('tests/exercises/cards.html', 'Cards to cut out, for a game without a computer'),
         ('tests/lesson/lesson.html', 'The lesson'),
         ('tests/exercises/README.md', 'The exercises, at a computer with Python')]


def make(folder, names=()):
    """Write the folder, which must not be there yet."""
    os.makedirs(os.path.join(folder, 'tests'))
    for name in WHAT:
        source, target = os.path.join(TOP, name), os.path.join(folder, name)
        if os.path.isdir(source):
            shutil.copytree(source, target, ignore=shutil.ignore_patterns(*FOR_TEACHERS))
        else:
            shutil.copy(source, target)
    os.mkdir(os.path.join(folder, 'keep'))
    for name in WHAT[:2]:
        shutil.copy(os.path.join(TOP, name), os.path.join(folder, 'keep'))

    links = [f'<li><a href="{link}">{words}</a></li>' for link, words in LINKS
             if os.path.exists(os.path.join(folder, link))]
    steps = min(3000, max(100, round(len(names) / 5) * 100))       # about 20 for each name
    shown = NAMES.format(names=html.escape('\n'.join(names)), steps=steps) if names else ''
    with open(os.path.join(folder, 'index.html'), 'w', encoding='utf-8', newline='\n') as file:
        file.write(INDEX.format(links='\n'.join(links), names=shown))

def address():
    """This computer's address in its network. (Nothing is sent: the system only picks a way.)"""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
        try:
            way.connect(('192.0.2.1', 80))
            return way.getsockname()[0]
        except OSError:
            return 'the address of this computer'

def serve(folder, port=8000):
    """Serve a folder until Ctrl-C."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    with http.server.ThreadingHTTPServer(('', port), handler) as server:
        print(f'Open http://{address()}:{port} on the phones and computers of this network. '
              'Ctrl-C ends it.', flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()

def main(arguments):
    """Returns the exit status."""
    parser = argparse.ArgumentParser('python -m tests.exercises.pupils',
                                     description=__doc__.splitlines()[0])
    parser.add_argument('folder', metavar='FOLDER', help='a new one')
    parser.add_argument('--names', metavar='FILE', help='the names of your class, one a line')
    parser.add_argument('--serve', action='store_true', help='to the network, until Ctrl-C')
    args = parser.parse_args(arguments)
    try:
        names = microdiffusion.read_names(args.names) if args.names else []
        if os.path.exists(os.path.join(args.folder, 'index.html')) and not args.names:
            print(f'{args.folder} is there already, and is used as it is')
        elif os.path.exists(args.folder):
            parser.error(f'{args.folder} is there already: delete it first, or name another one')
        else:
            make(args.folder, names)
            print(f'{args.folder} is made: open {os.path.join(args.folder, "index.html")}')
            if names:
                print('Held out, so that no model learns them:',
                      ', '.join(microdiffusion.split(names)[1]) or 'none')
        if args.serve:
            serve(args.folder)
    except (OSError, microdiffusion.InputError) as error:
        parser.error(error)
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))

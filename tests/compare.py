"""Show the two programs side by side: python -m tests.compare [--changed] [PART ...].

Lines that stand in only one of them are marked < or >, lines that differ |. Parts are named by
their numbers; without any, the whole files are shown.
"""
import argparse
import difflib
import itertools
import os
import re
import shutil
import sys
import textwrap

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FILES = ('microgpt.py', 'microdiffusion.py')
CONTEXT = 3                 # lines shown before and after what has changed
LEFT_OUT = '...'


def read(name):
    """The lines of a file of the project."""
    with open(os.path.join(TOP, name), encoding='utf-8') as file:
        return file.read().splitlines()

def part(lines, number):
    """The lines from `# number.` up to the next part; part 0 is what stands before the first."""
    starts = [n for n, line in enumerate(lines) if re.match(r'# \d+\. ', line)]
    bounds = [0] + starts + [len(lines)]
    return lines[bounds[number]:bounds[number + 1]] if number < len(bounds) - 1 else []

def pairs(left, right):
    """(mark, left line, right line) down both files; a line that is missing is None."""
    matcher = difflib.SequenceMatcher(None, left, right, autojunk=False)
    for kind, a, b, c, d in matcher.get_opcodes():
        for one, other in itertools.zip_longest(left[a:b], right[c:d]):
            mark = ' ' if kind == 'equal' else '<' if other is None else '>' if one is None else '|'
            yield mark, one, other

def common(left, right):
    """How many lines stand in both, in the same order."""
    return sum([mark == ' ' for mark, _, _ in pairs(left, right)])

def changed(rows):
    """What differs, with a few lines around it; LEFT_OUT stands for the rest."""
    near = set()
    for n, (mark, _, _) in enumerate(rows):
        if mark != ' ':
            near.update(range(n - CONTEXT, n + CONTEXT + 1))

    last = -1
    for n in sorted(near & set(range(len(rows)))):
        if n > last + 1:
            yield ' ', LEFT_OUT, LEFT_OUT
        yield rows[n]
        last = n
    if last + 1 < len(rows):
        yield ' ', LEFT_OUT, LEFT_OUT

def wrapped(line, width):
    """A line as pieces no wider than this; what goes on is indented deeper than its beginning."""
    indent = len(line) - len(line.lstrip()) + 8
    if indent > width // 2:                 # as deep as a narrow screen allows
        indent = min(indent - 7, width - 1)
    pieces = textwrap.wrap(line, width, subsequent_indent=' ' * indent, break_on_hyphens=False)
    return pieces or ['']

def show(rows, width):
    """Print (mark, left line, right line) side by side."""
    for mark, *lines in rows:
        cells = [wrapped(line or '', width) for line in lines]
        for n, (one, other) in enumerate(itertools.zip_longest(*cells, fillvalue='')):
            print(f'{one:{width}} {mark if n == 0 else " "} {other}'.rstrip())

def main(argv=None):
    """Run the command line."""
    parser = argparse.ArgumentParser('python -m tests.compare', description=__doc__.splitlines()[0])
    parser.add_argument('parts', metavar='PART', type=int, nargs='*', help='number of a part')
    parser.add_argument('--changed', action='store_true',
                        help='only what differs, with a few lines around it')
    parser.add_argument('--width', metavar='N', type=int, help='columns of the screen',
                        default=shutil.get_terminal_size((205, 50)).columns)
    args = parser.parse_args(argv)
    left, right = [read(name) for name in FILES]
    width = max(20, (args.width - 3) // 2)

    show([('|', *FILES), (' ', '', '')], width)
    shown = [(part(left, n), part(right, n)) for n in args.parts] or [(left, right)]
    for ours, theirs in shown:
        rows = list(pairs(ours, theirs))
        show(changed(rows) if args.changed else rows, width)
    same = common(left, right)
    print(f'\n{same} of the {len(left)} lines of {FILES[0]} ({100 * same // len(left)} %) stand '
          f'unchanged and in order among the {len(right)} of {FILES[1]}')


if __name__ == '__main__':
    try:
        main()
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

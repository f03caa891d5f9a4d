"""Show the two programs side by side: python -m tests.compare [PART ...].

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


def read(name):
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
    return sum(mark == ' ' for mark, _, _ in pairs(left, right))


def show(left, right, width):
    for mark, *lines in pairs(left, right):
        cells = [textwrap.wrap(line or '', width, drop_whitespace=False, replace_whitespace=False,
                               subsequent_indent='    ') or [''] for line in lines]
        for n, (one, other) in enumerate(itertools.zip_longest(*cells, fillvalue='')):
            print(f'{one:{width}} {mark if n == 0 else " "} {other}'.rstrip())


def main(argv=None):
    parser = argparse.ArgumentParser('python -m tests.compare', description=__doc__.splitlines()[0])
    parser.add_argument('parts', metavar='PART', type=int, nargs='*', help='number of a part')
    parser.add_argument('--width', metavar='N', type=int, help='columns of the screen',
                        default=shutil.get_terminal_size((205, 50)).columns)
    args = parser.parse_args(argv)
    left, right = map(read, FILES)
    width = max(20, (args.width - 3) // 2)
    show([FILES[0], ''], [FILES[1], ''], width)
    if not args.parts:
        show(left, right, width)
    for number in args.parts:
        show(part(left, number), part(right, number), width)
    same = common(left, right)
    print(f'\n{same} of the {len(left)} lines of {FILES[0]} ({100 * same // len(left)} %) stand '
          f'unchanged and in order among the {len(right)} of {FILES[1]}')


if __name__ == '__main__':
    try:
        main()
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

"""Show what differs between the two programs, side by side: python -m tests.compare [PART ...].

Only code is shown, without comments, and only the statements that differ, each under the head of
its function. What is the same in both is left out, and ... stands in its place. Lines are indented
by half of what they are in the files, so that a projector has room for both.
"""
import argparse
import difflib
import io
import itertools
import os
import re
import shutil
import sys
import textwrap
import tokenize

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FILES = ('microgpt.py', 'microdiffusion.py')
LEFT_OUT = '...'
BETWEEN = ' | '             # the two columns


def read(name):
    """The lines of a file of the project."""
    with open(os.path.join(TOP, name), encoding='utf-8-sig') as file:
        return file.read().splitlines()

def statements(lines):
    """The statements of each part, a line for each; part 0 is what stands before the first."""
    parts, kinds, lines = [[]], [], list(lines)
    for token in tokenize.generate_tokens(io.StringIO('\n'.join(lines) + '\n').readline):
        row, column = token.start
        if token.type == tokenize.COMMENT:
            lines[row - 1] = lines[row - 1][:column]
            if re.match(r'# \d+\. ', token.string) and column == 0:
                parts.append([])
        elif token.type == tokenize.NEWLINE:
            if kinds != [tokenize.STRING]:              # a docstring
                parts[-1].append(joined(lines[first - 1:row]))
            kinds = []
        elif token.type not in (tokenize.NL, tokenize.INDENT, tokenize.DEDENT):
            first = first if kinds else row
            kinds.append(token.type)
    return parts

def joined(lines):
    """The lines of a statement as one."""
    text = lines[0].rstrip()
    for line in lines[1:]:
        text += ('' if text[-1] in '([{' else ' ') + line.strip()
    return text.rstrip()

def blocks(part):
    """The functions and classes of a part, and what stands between them: lists of statements."""
    found = []
    for line in part:
        outside = line[0] != ' ' and (not found or found[-1][-1][0] == ' ')
        if outside or line.startswith(('def ', 'class ')):
            found.append([])
        found[-1].append(line)
    return found

def name(block):
    """What a function or class is called."""
    return block[0].split('(')[0]

def beginning(line):
    """The first words of a statement: what is set, as a rule."""
    return re.match(r'[\w, ]*', line).group()

def paired(left, right, key=str):
    """Two lists as pairs, by equal keys; None stands for what is missing in one of them.

    Where some stand in the place of others, the last of them make a pair, then those before.
    """
    keys = [[key(thing) for thing in things] for things in (left, right)]
    for _, a, b, c, d in difflib.SequenceMatcher(None, *keys, False).get_opcodes():
        yield from [*itertools.zip_longest(left[a:b][::-1], right[c:d][::-1])][::-1]

def common(left, right):
    """How many lines stand in both, in the same order."""
    return sum([one == other for one, other in paired(left, right)])

def differences(left, right):
    """Pairs of lines for the screen: what differs in two parts, a blank line between functions."""
    rows = []
    for ours, theirs in paired(blocks(left), blocks(right), name):
        if ours == theirs:
            continue
        rows += [('', '')] if rows else []
        (head, *ours), (other_head, *theirs) = ours or [''], theirs or ['']
        rows.append((head, other_head))
        pairs = paired(ours, theirs, beginning)
        for same, run in itertools.groupby(pairs, lambda pair: pair[0] == pair[1]):
            run = list(run)
            if same and len(run) > 1:       # one line alone takes no more room than the dots
                indent = re.match(' *', run[0][0]).group()
                run = [(indent + LEFT_OUT, indent + LEFT_OUT)]
            rows += [(one or '', other or '') for one, other in run]
    return rows

def wrapped(line, width):
    """A line as pieces that fit, unless a word does not; half of its indentation saves room."""
    text = line.lstrip()
    indent = ' ' * ((len(line) - len(text)) // 2)
    return textwrap.wrap(indent + text, width, subsequent_indent=indent + ' ' * 4,
                         break_long_words=False, break_on_hyphens=False) or ['']

def side_by_side(rows, width):
    """The lines of the screen, with the left column as wide as makes them fewest."""
    choices = []
    for left in range(width // 3, 2 * width // 3):
        lines = []
        for one, other in rows:
            cells = wrapped(one, left), wrapped(other, width - left - len(BETWEEN))
            for a, b in itertools.zip_longest(*cells, fillvalue=''):
                lines.append(f'{a:{left}}{BETWEEN}{b}'.rstrip())
        choices.append((max(map(len, lines)) > width, len(lines), abs(2 * left - width), lines))
    return min(choices)[-1]

def main(argv=None):
    """Run the command line."""
    parser = argparse.ArgumentParser('python -m tests.compare', description=__doc__.split(': ')[0])
    parser.add_argument('parts', metavar='PART', type=int, nargs='*',
                        help='the number of a part; 0 is what stands before part 1 (all parts)')
    parser.add_argument('--width', metavar='N', type=int, help='columns of the screen',
                        default=shutil.get_terminal_size((100, 40)).columns)
    args = parser.parse_args(argv)
    files = [read(name) for name in FILES]
    left, right = [statements(lines) for lines in files]
    rows = [FILES]
    for n in args.parts or range(len(left)):
        if not 0 <= n < len(left):
            parser.error(f'there is no part {n}: the last one is {len(left) - 1}')
        found = differences(left[n], right[n])
        if args.parts and not found:
            found = [(f'part {n}: the same in both', '')]
        rows += [('', '')] * (len(rows) > 1 and len(found) > 0) + found

    print('\n'.join(side_by_side(rows, max(40, args.width))))
    if not args.parts:
        same = common(*files)
        print(f'\n{same} of the {len(files[0])} lines of {FILES[0]} '
              f'({100 * same // len(files[0])} %) stand unchanged and in order among the '
              f'{len(files[1])} of {FILES[1]}')


if __name__ == '__main__':
    try:
        main()
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

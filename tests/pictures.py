"""Draw the pictures of the pages into tests/pictures: python -m tests.pictures.

They are SVG, written as text. Most of what they show is worked out from the trained models in
tests/models. What takes long to measure is read from tests/figures.json, which was written by
python -m tests.results --keep tests/figures.json.
"""
import collections
import html
import json
import math
import os
import random
import re
from unittest import mock

import microdiffusion
import microgpt

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(HERE, 'pictures')
MODELS = os.path.join(HERE, 'models')
FIGURES = os.path.join(HERE, 'figures.json')

PUZZLE, SEED = 'j____a.', 1             # of moving; the command with them writes the same names
STILL_SEED = 42                         # of the name in still
HIDDEN = 'c_th_r_ne'                    # in playground
LOOKED_AT = {microdiffusion: 'chr__top_er.', microgpt: '.christopher'}  # by the attention heads
HEADS = [(microdiffusion, 0, 0), (microdiffusion, 0, 2),        # (program, layer, head)
         (microdiffusion, 1, 3), (microgpt, 0, 0)]

# Each colour for a light page and for a dark one; each kind of text with its font and its size.
COLORS = {'panel': ('#ffffff', '#0d1117'), 'edge': ('#d0d7de', '#30363d'),
          'ink': ('#1f2328', '#e6edf3'), 'dim': ('#59636e', '#9198a1'),
          'blue': ('#0969da', '#58a6ff'), 'orange': ('#bc4c00', '#f0883e')}
ROLES = {'microdiffusion': 'blue', 'microgpt': 'orange'}
SANS = 'system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif'
MONO = 'ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace'
FONTS = {'head': (SANS, 20), 'label': (SANS, 16), 'note': (SANS, 15),
         'name': (MONO, 30), 'cell': (MONO, 21), 'code': (MONO, 16),
         'title': (SANS, 28), 'say': (SANS, 22), 'tile': (MONO, 32)}

MASK, PAD = microdiffusion.SPECIAL      # as they are shown; BOS is shown like PAD
NAME = 'jonah'                          # the held-out name of the lesson
WIDTH, MARGIN = 640, 26
CELL = 42                               # how wide a position of a name is
TILE = 56                               # and in moving
SCALE = 1.2                             # how large a picture is shown where there is room


# 1. SVG as text.

def num(x):
    """A number, rounded to a tenth of a pixel."""
    return f'{round(x, 1) + 0.0:g}'

def tenth(x):
    """A number rounded to one digit, as people do: 17.15 becomes 17.2."""
    return f'{math.floor(10 * x + 0.5 + 1e-9) / 10:.1f}'

def tag(tag_name, content=None, **attributes):
    """An element; class_ stands for the attribute class, and fill_opacity for fill-opacity."""
    given = ''.join([f' {key.strip("_").replace("_", "-")}='
                     f'"{value if isinstance(value, str) else num(value)}"'
                     for key, value in attributes.items()])
    return f'<{tag_name}{given}' + ('/>' if content is None else f'>{content}</{tag_name}>')

def text(x, y, words, classes='label ink', anchor='start', **attributes):
    """A line of text; the anchor says whether x is its start, its middle or its end."""
    return tag('text', html.escape(words), x=x, y=y, class_=classes, text_anchor=anchor,
               **attributes)

def line(points, classes, **attributes):
    """A line through points."""
    return tag('path', d='M' + 'L'.join([f'{num(x)} {num(y)}' for x, y in points]),
               class_=classes, **attributes)

def rect(x, y, width, height, classes, **attributes):
    """A rectangle."""
    return tag('rect', x=x, y=y, width=width, height=height, class_=classes, **attributes)

def styles(body):
    """The style sheet: fonts, colours for light and dark pages, and what is shown when."""
    rules = [f'.{name}{{font:{size}px {font}}}' for name, (font, size) in FONTS.items()]
    rules.append('.head,.title,.say,.tile,.bold{font-weight:600}')
    for theme in (0, 1):
        colors = ''.join([f'.{name}{{fill:{pair[theme]}}}'
                          f'.{name}-line{{stroke:{pair[theme]};fill:none}}'
                          for name, pair in COLORS.items()])
        rules.append(f'@media (prefers-color-scheme:dark){{{colors}}}' if theme else colors)
    return '\n'.join(rules + animation(body))

def picture(height, title, description, parts):
    """A whole SVG file, on a panel of its own, so that it can be read on any page."""
    body = '\n'.join(parts)
    frame = [(0.5, 0.5, WIDTH - 1, height - 1, classes) for classes in ('panel', 'edge-line')]
    lines = [tag('title', html.escape(title), id='title'),
             tag('desc', html.escape(description), id='desc'),
             tag('style', '\n' + styles(body) + '\n'),
             *[rect(*corners, rx=8) for corners in frame], body]
    svg = tag('svg', '\n' + '\n'.join(lines) + '\n', xmlns='http://www.w3.org/2000/svg',
              role='img', width=SCALE * WIDTH, height=SCALE * height,
              viewBox=f'0 0 {WIDTH} {height}', aria_labelledby='title desc')
    return svg.encode('ascii', 'xmlcharrefreplace').decode('ascii') + '\n'


# 2. What the trained models do.

def load():
    """{program: (state_dict, vocab)} of the trained models."""
    return {program: program.load(os.path.join(MODELS, program.PROGRAM + '.json'))[:2]
            for program in (microdiffusion, microgpt)}

def likeliest(program, logits, vocab):
    """(character, probability) of the likeliest token."""
    p, token = max([(p.data, token) for token, p in enumerate(program.softmax(logits))])
    return vocab[token], p

def revealed(model, tokens, seed, least_letters=1):
    """What each run of the diffusion model reveals: {position: character}."""
    state_dict, vocab = model
    rng = random.Random(seed)
    for _, _, after in microdiffusion.denoise(state_dict, tokens, rng, least_letters=least_letters):
        yield {n: vocab[new] for n, (old, new) in enumerate(zip(tokens, after)) if old != new}
        tokens = after

def attention_weights(program, model, layer, head):
    """A row for each position of the name: how much it looks at each of the others."""
    (state_dict, vocab), letters = model, LOOKED_AT[program]
    rows, softmax = [], program.softmax

    def recorded(*scores):
        probs = softmax(*scores)
        rows.append([p.data for p in probs])
        return probs

    tokens = [vocab.index(char) for char in letters]
    with mock.patch.object(program, 'softmax', recorded):
        (microgpt.gpt if program is microgpt else microdiffusion.mask_predictor)(state_dict, tokens)
    size, count = len(letters), len(program.heads)
    rows = rows[layer * size * count:][:size * count]
    if program is microgpt:
        return rows[head::count]            # the heads take turns, position by position
    return rows[head * size:][:size]        # one head after the other


# 3. The moving picture: a blank is filled in. Its time goes by in ticks of 0.4 seconds.

def shown(start, end=''):
    """The class of what is shown from a tick to another, or from a tick to the end."""
    return f'from{start}to{end}'

def animation(body):
    """The rules for what is shown when. Who wants no motion sees the end."""
    times = [(int(start), end and int(end))
             for start, end in sorted(set(re.findall(r'from(\d+)to(\d*)', body)))]
    total = max([start for start, _ in times], default=0) + 14      # the end stays
    rules = []
    for start, end in times:
        turns = {0: 0, start: 1, **({end: 0} if end else {})}
        frames = ''.join([f'{num(100 * tick / total)}%{{opacity:{opacity}}}'
                          for tick, opacity in turns.items()])
        name = shown(start, end)
        rules.append(f'.{name}{{opacity:{0 if end else 1};animation:{name} {num(total * 0.4)}s '
                     f'step-end infinite}}\n@keyframes {name}{{{frames}}}')
    if rules:
        rules.append('@media (prefers-reduced-motion:reduce){*{animation:none!important}}')
    return rules

def during(window, *parts):
    """Parts that are shown for a time."""
    return tag('g', ''.join(parts), class_=window)

def tile(x, y, char, kind, role=''):
    """A place of a name; one that a program has just filled in has the colour of the program."""
    filled = [rect(x, y, TILE, TILE, role, rx=6, fill_opacity='.08'),
              rect(x, y, TILE, TILE, f'{role}-line', rx=6, stroke_width=2)]
    return ''.join([*(filled if role else [rect(x, y, TILE, TILE, 'edge-line', rx=6)]),
                    text(x + TILE / 2, y + 39, char, f'tile {kind}', 'middle')])

def fillings(model):
    """What each run reveals, for each of the names of python microdiffusion.py --prompt PUZZLE."""
    rng = random.Random(SEED)
    tokens, least_letters = microdiffusion.read_prompt(PUZZLE, model[1])
    for _ in range(3):
        yield list(revealed(model, tokens, rng.getrandbits(32), least_letters))

def spelled(runs):
    """PUZZLE with what the runs have revealed, without its end."""
    letters = {n: char for run in runs for n, char in run.items()}
    return ''.join([letters.get(n, char) for n, char in enumerate(PUZZLE)]).strip(PAD)

def moving(models):
    """The opening picture: diffusion fills in a blank, in three ways; the GPT cannot."""
    xs = [MARGIN + (TILE + 6) * n for n in range(len(PUZZLE))]
    known = {n: char for n, char in enumerate(PUZZLE) if char != MASK}
    parts = [text(MARGIN, 50, 'Four letters are missing', 'title ink'),
             text(MARGIN, 96, 'microdiffusion sees both sides of a blank', 'say blue')]
    tick, names, right = 2, [], xs[-1] + TILE + 18
    for y, runs in zip((112, 176, 240), fillings(models[microdiffusion])):
        names.append(spelled(runs))
        parts += [tile(xs[n], y, char, 'ink' if char != PAD else 'dim')
                  for n, char in known.items()]
        for number, letters in enumerate(runs, 1):
            for n, char in letters.items():
                parts += [during(shown(0, tick), tile(xs[n], y, MASK, 'dim')),
                          during(shown(tick), tile(xs[n], y, char, 'blue', 'blue'),
                                 text(xs[n] + TILE - 5, y + TILE - 5, str(number), 'label dim',
                                      'end'))]
            end = '' if number == len(runs) else tick + 2
            parts.append(during(shown(tick, end), text(right, y + 36, f'run {number}', 'say dim')))
            tick += 2
        tick += 1
    y = 364
    parts += [text(MARGIN, y - 16, 'microgpt sees only what comes before', 'say orange'),
              tile(xs[0], y, PUZZLE[0], 'orange', 'orange')]
    for n, char in enumerate(PUZZLE[1:], 1):
        parts += [rect(xs[n], y, TILE, TILE, 'edge', rx=6) if n > 1 else '',
                  tile(xs[n], y, char, 'dim') if n > 1 else
                  during(shown(0, 2), tile(xs[n], y, char, 'dim'))]
    parts += [during(shown(2), tile(xs[1], y, '?', 'orange', 'orange'),
                     text(right, y + 36, 'stops', 'say dim')),
              text(MARGIN, y + TILE + 34, 'It writes from left to right and cannot see the a.',
                   'say dim')]
    known_words = f'{PUZZLE[:1]}, four hidden letters, {PUZZLE[-2]} and the end'
    description = (
        f'Above, the diffusion model is given {known_words}. It fills in the blank three times, '
        f'one letter in each run, in three orders: {", ".join(names)}. Below, the GPT is given '
        f'the same. It stops after {PUZZLE[0]}: it writes from left to right, and cannot see the '
        f'{PUZZLE[-2]}.')
    return picture(y + TILE + 56, f'Diffusion fills in {PUZZLE} in three ways, and a GPT cannot',
                   description, parts)


# 4. From noise to a name.

def still(models):
    """A name emerges from noise: a row for each run of the model."""
    runs = list(revealed(models[microdiffusion], [microdiffusion.MASK] * microdiffusion.block_size,
                         STILL_SEED))
    now = dict.fromkeys(range(microdiffusion.block_size), MASK)
    parts = [text(MARGIN, 48, 'A name emerges from noise', 'title ink'),
             text(MARGIN, 80, 'Blue: what a run of the model reveals. It begins where it is '
                  'surest.', 'label dim')]
    for number, letters in enumerate([{}, *runs]):
        y = 98 + 44 * number
        now.update(letters)
        parts.append(text(MARGIN, y + 25, f'run {number}' if number else 'noise', 'label dim'))
        for n, char in now.items():
            x, new = 92 + 30 * n, n in letters
            if char != PAD:
                parts += [rect(x + 1, y, 28, 36, 'blue', rx=4, fill_opacity='.08') if new else '',
                          rect(x + 1, y, 28, 36, 'blue-line' if new else 'edge-line', rx=4)]
            kind = 'blue' if new else 'dim' if char in (MASK, PAD) else 'ink'
            parts.append(text(x + 15, y + 26, char, f'cell {kind}', 'middle'))
        if set(letters.values()) == {PAD}:
            parts.append(text(92 + 30 * len(now) + 8, y + 25, 'it ends here', 'note dim'))
    name = ''.join(now.values()).strip(PAD)
    description = (
        f'{len(runs) + 1} rows of {len(now)} places. In the first all are hidden. In each of the '
        f'others the model has run once more, and what it has revealed is blue. It begins with '
        f'the end of the name, and goes on letter by letter, not from left to right, until '
        f'{name} stands there.')
    return picture(98 + 44 * (len(runs) + 1) + 14, 'A name emerges from noise, run by run',
                   description, parts)


# 5. Where the heads look.

def heat_map(x, y, side, letters, rows, heading, role):
    """Attention weights as squares: a row for each position that looks, a column for each seen."""
    size = side * len(letters)
    parts = [text(x - 22, y - 34, heading), rect(x, y, size, size, 'edge-line')]
    for n, char in enumerate(letters):
        kind = 'code ink bold' if char == MASK else 'code dim'
        low = 5 if char == MASK else 0      # a _ hangs low, so it is raised
        parts += [text(x + side * (n + 0.5), y - 8 - low, char, kind, 'middle'),
                  text(x - 11, y + side * (n + 0.5) + 5 - low, char, kind, 'middle')]
        for column, weight in enumerate(rows[n]):
            if weight >= 0.05:              # less cannot be seen
                parts.append(rect(x + side * column, y + side * n, side, side, role,
                                  fill_opacity=f'{weight:.1f}'))
    return parts

def attention(models):
    """Heat maps of four heads, on one name."""
    parts, side = [text(MARGIN, 46, 'Each head looks to its own side', 'head ink')], 22
    for n, (program, layer, head) in enumerate(HEADS):
        rows = attention_weights(program, models[program], layer, head)
        looks = 'left' if program.heads[head] == program.LEFT else 'right'
        x, y = 48 + 302 * (n % 2), 118 + 338 * (n // 2)
        parts += heat_map(x, y, side, LOOKED_AT[program], rows,
                          f'{program.PROGRAM}, layer {layer + 1}, looks {looks}',
                          ROLES[program.PROGRAM])
    bottom = y + side * len(rows)
    notes = ['Each row is a letter that looks. The stronger the colour, the more of its',
             'attention goes to the letter above that column. A line is a hidden letter.',
             'At an end of the row a head of microdiffusion goes on at the other end.']
    parts += [text(MARGIN, bottom + 34 + 22 * n, note, 'note dim') for n, note in enumerate(notes)]
    description = (
        'Four heat maps of attention weights on one name. Three are of the mask predictor, with '
        'hidden letters: a head that looks left has its weights just below the diagonal, and two '
        'that look right have them just above it, so they look at their neighbours. The fourth '
        'is of the GPT: all of its weights lie below the diagonal, or on it.')
    return picture(bottom + 98, 'Where four attention heads look, on one name', description, parts)


# 6. Curves of what was measured.

Plot = collections.namedtuple('Plot', 'left top width height low high')   # the corners as (x, y)

def place(plot, x, y):
    """Where the point (x, y) is drawn."""
    (x_low, y_low), (x_high, y_high) = plot.low, plot.high
    return (plot.left + plot.width * (x - x_low) / (x_high - x_low),
            plot.top + plot.height * (y_high - y) / (y_high - y_low))

def marks(points, role):
    """A curve with its measured points; their shape tells it, too, so no colour is needed."""
    return [line(points, f'{role}-line', stroke_width=2.5)] + [
        rect(x - 4.5, y - 4.5, 9, 9, role) if role == ROLES['microgpt'] else
        tag('circle', cx=x, cy=y, r=5, class_=role) for x, y in points]

def chart(words, curves, levels, x_ticks, y_step, remarks):
    """(plot, parts): curves {program: {x: y}} and level lines {name: y}, named at the right.

    The words are a heading, what y is, and what the lines of x_ticks {x: lines} are. The remarks
    {program: lines} stand under the program's name.
    """
    heading, y_words, *x_words = words
    heights = [y for curve in [levels, *curves.values()] for y in curve.values()]
    low, high = math.floor(min(heights) / y_step - 0.9), math.ceil(max(heights) / y_step)
    widths = [x for curve in [x_ticks, *curves.values()] for x in curve]
    plot = Plot(64, 104, 370, 250, (min(widths), low * y_step), (max(widths), high * y_step))
    right, bottom = plot.left + plot.width, plot.top + plot.height

    parts = [text(MARGIN, 46, heading, 'head ink'), text(MARGIN, 80, y_words, 'note dim')]
    for y in [n * y_step for n in range(low, high + 1)]:
        height = place(plot, 0, y)[1]
        parts += [line([(plot.left, height), (right, height)], 'edge-line'),
                  text(plot.left - 10, height + 5, f'{y:g}', 'note dim', 'end')]
    for n, meaning in enumerate(x_words):
        parts.append(text(right + 34, bottom + 24 + 24 * n, meaning, 'note dim'))
        parts += [text(place(plot, x, 0)[0], bottom + 24 + 24 * n, lines[n], 'note dim', 'middle')
                  for x, lines in x_ticks.items()]

    shorter = (lambda y: f'{y:.2f}') if y_step < 1 else tenth
    ends = []                               # (height, role, lines) of the names at the right
    for name, y in levels.items():
        role, height = ROLES.get(name, 'dim'), place(plot, 0, y)[1]
        parts.append(line([(plot.left, height), (right, height)], f'{role}-line',
                          stroke_dasharray='2 5', stroke_width=2))
        ends.append((height, role, [f'{name} {shorter(y)}']))
    for name, curve in curves.items():
        points = [place(plot, x, y) for x, y in curve.items()]
        parts += marks(points, ROLES[name])
        ends.append((points[-1][1], ROLES[name],
                     [f'{name} {shorter(curve[max(curve)])}', *remarks.get(name, [])]))
    free = 0
    for height, role, lines in sorted(ends):
        free = max(free, height + 5)        # further down, if another name stands there
        parts.append(line([(right + 8, height), (right + 18, free - 5)], 'dim-line'))
        for n, part in enumerate(lines):
            parts.append(text(right + 22, free, part, f'{"note" if n else "label"} {role}'))
            free += 21
    return plot, parts

def measured(kind):
    """What python -m tests.results measured of a kind: curves {program: {x: y}} or others."""
    with open(FIGURES, encoding='utf-8') as file:
        figures = json.load(file)[kind]
    if kind in ('held_out', 'few'):
        return {name: dict(points) for name, points in figures.items()}
    return figures

def in_words(levels):
    """Level lines {name: y} in words."""
    return ', '.join([f'{name} {y}' for name, y in levels.items()])

COUNTED = {'bigrams': 'pairs', 'trigrams': 'threes', '4-grams': 'fours'}

def held_out(models):
    """Held-out nats against the examples seen, and what n-gram models reach."""
    curves, ngrams = measured('held_out'), measured('ngrams')
    levels = {COUNTED[name]: nats for name, nats in ngrams.items()}
    words = ['The GPT knows new names better',
             'nats per name: less is better; dotted: counted pairs and so on', 'examples seen']
    most = max(curves['microgpt'])
    _, parts = chart(words, curves, levels,
                     {x: [f'{x:,}'] for x in range(0, most + 1, 8000)}, 0.5, {})
    description = (
        'Nats per held-out name fall as more examples are seen in training. After '
        f'{most} of them: {in_words({name: curve[most] for name, curve in curves.items()})}. '
        f'Level lines: {in_words(levels)}. The figures of microdiffusion are an upper bound, the '
        'others are exact.')
    return picture(400, 'Held-out nats against examples seen', description, parts)

def few(models):
    """Two hundred names, seen again and again: the GPT learns them by heart."""
    curves, copied = measured('few'), measured('copied')
    words = ['With two hundred names the GPT copies',
             'nats per held-out name: less is better; a ring marks the lowest', 'training steps']
    most = max(curves['microgpt'])
    plot, parts = chart(words, curves, {}, {x: [f'{x:,}'] for x in range(0, most + 1, 500)}, 5,
                        {name: [f'{share:g} % are copies', '(mean of 3 models)']
                         for name, share in copied.items()})
    best = {name: min(curve, key=curve.get) for name, curve in curves.items()}
    for name, count in best.items():
        nats, role = curves[name][count], ROLES[name]
        x, y = place(plot, count, nats)
        parts += [tag('circle', cx=x, cy=y, r=10, class_=f'{role}-line', stroke_width=2),
                  text(x, y + 30, tenth(nats), f'label {role} bold', 'middle')]
    lowest = {name: f'{curves[name][count]} at {count} steps' for name, count in best.items()}
    ends = {name: f'{curve[most]}, and {copied[name]:g} % of its names are copies'
            for name, curve in curves.items()}
    description = (
        'Nats per held-out name after training on 197 names, by the number of training steps. '
        f'The lowest: {in_words(lowest)}. After {most} steps: {in_words(ends)}.')
    return picture(400, 'Two hundred names: the GPT learns them by heart', description, parts)

def steps(models):
    """Denoising steps against evaluations and the quality of the names."""
    rows, levels = measured('steps'), measured('compared')
    words = ['With few steps the names are unusual',
             'nats per letter, judged by counted pieces of four: less is more usual',
             'denoising steps', 'runs of the model']
    curve = {n: nats for n, (_, _, nats) in enumerate(rows)}
    _, parts = chart(words, {'microdiffusion': curve}, levels,
                     {n: [str(count), f'{evaluations:.1f}']
                      for n, (count, evaluations, _) in enumerate(rows)}, 0.5, {})
    points = ', '.join([f'{nats} with {count} steps and {evaluations} evaluations'
                        for count, evaluations, nats in rows])
    description = ('Nats per character of written names under a 4-gram model, by the number of '
                   f'denoising steps: {points}. For comparison: {in_words(levels)}.')
    return picture(424, 'Denoising steps against quality', description, parts)


def playground(models):
    """What there is to do in the page: hide letters, and train both models."""
    state_dict, vocab = models[microdiffusion]
    xs = [MARGIN + (TILE + 6) * n for n in range(len(HIDDEN))]
    parts = [rect(0.5, 0.5, WIDTH - 1, 46, 'edge', rx=8),
             *[tag('circle', cx=MARGIN + 22 * n, cy=23, r=6, class_='dim') for n in range(3)],
             text(MARGIN + 74, 29, 'tests/playground.html', 'label ink'),
             text(MARGIN, 90, 'Hide letters, and see the guesses', 'say ink')]
    tokens = microdiffusion.read_prompt(HIDDEN + PAD, vocab)[0]
    for n, logits in enumerate(microdiffusion.mask_predictor(state_dict, tokens)[:len(HIDDEN)]):
        parts.append(tile(xs[n], 106, HIDDEN[n], 'dim' if HIDDEN[n] == MASK else 'ink'))
        if HIDDEN[n] == MASK:
            shares = [(p.data, char) for p, char in zip(microdiffusion.softmax(logits), vocab)]
            for place_, (share, char) in enumerate(sorted(shares, reverse=True)[:3]):
                y = 186 + 25 * place_
                parts += [rect(xs[n], y - 15, max(2, TILE * share), 19, 'blue', rx=2,
                               fill_opacity='.25'),
                          text(xs[n] + 5, y, f'{char} {100 * share:.0f} %', 'code ink')]
    parts += [line([(0, 256), (WIDTH, 256)], 'edge-line'),
              text(MARGIN, 296, 'Train both on your own names', 'say ink')]
    with open(os.path.join(HERE, 'few.txt'), encoding='utf-8') as file:
        names = file.read().split()[:5]
    parts += [rect(MARGIN, 314, 150, 136, 'dim-line', rx=6), rect(MARGIN, 464, 84, 34, 'ink', rx=6),
              text(MARGIN + 42, 487, 'Train', 'label panel bold', 'middle'),
              *[text(MARGIN + 14, 340 + 24 * n, name, 'code ink') for n, name in enumerate(names)]]
    curves = measured('few')
    most, heights = max(curves['microgpt']), [y for c in curves.values() for y in c.values()]
    plot = Plot(220, 326, 230, 142, (0, min(heights) - 2), (most, max(heights)))
    base, right = plot.top + plot.height, plot.left + plot.width
    for name, curve in curves.items():
        points = [place(plot, x, y) for x, y in curve.items()]
        parts += [line(points, f'{ROLES[name]}-line', stroke_width=3),
                  text(right + 10, points[-1][1] + 6, name, f'label {ROLES[name]}')]
    parts += [line([(plot.left, plot.top - 10), (plot.left, base), (right, base)], 'dim-line'),
              text(plot.left, base + 25, 'what a new name costs, while both learn', 'label dim')]
    description = (
        f'A window with two parts. In the first, letters of a name are hidden: {HIDDEN}. Under '
        'each hidden letter stand the three likeliest guesses of the diffusion model, as bars '
        'with percentages. In the second, a list of names stands beside a button, Train, and two '
        'curves show what a new name costs while both models learn: that of the GPT rises, that '
        'of the diffusion model stays low.')
    return picture(516, 'The playground: hide letters, and train both models', description,
                   parts)


# 7. Density times weight.

def small_plot(left, top, function, start, role, words):
    """A shaded curve over t from start to 1, cut off at the top, with t_min marked."""
    plot, t_min = Plot(left, top, 150, 120, (0, 0), (1, 8)), microdiffusion.t_min
    grid = [start + (1 - start) * n / 80 for n in range(81)]
    points = [place(plot, t, function(t)) for t in grid if function(t) <= 8]
    area = [place(plot, t, min(function(t), 8)) for t in grid]
    base, middle, right = top + plot.height, place(plot, t_min, 0)[0], left + plot.width
    return [line([(area[0][0], base), *area, (right, base)], role, fill_opacity='.18'),
            line(points, f'{role}-line', stroke_width=2.5),
            line([(middle, top), (middle, base)], 'dim-line', stroke_dasharray='2 4'),
            line([(left, base), (right, base)], 'dim-line'),
            *[text(x, base + 20, mark, 'note dim', 'middle')
              for x, mark in ((left, '0'), (middle, f'{t_min:g}'), (right, 't = 1'))],
            text(left + 96, top + 26, words, 'label ink', 'middle')]

def density(models):
    """Why a log-uniform t needs no weight of 1/t: density times weight is the same."""
    t_min = microdiffusion.t_min
    scale, inverse = math.log(1 / t_min), lambda t: 1 / t
    rows = [('t is drawn uniformly from 0 to 1', 1e-9, [
                ('1', lambda t: 1), ('1/t', inverse), ('1/t', inverse)]),
            (f't is drawn log-uniformly from {t_min:g} to 1', t_min, [
                (f'1/(t ln {1 / t_min:g})', lambda t: 1 / t / scale),
                (f'ln {1 / t_min:g} = {scale:.2f}', lambda t: scale), ('1/t', inverse)])]
    parts = [text(MARGIN, 46, 'Drawn log-uniformly, t needs no weight 1/t', 'head ink')]
    for column, words in enumerate(('how often t comes', 'weight of its loss', 'what t counts')):
        parts.append(text(40 + 200 * column, 82, words, 'label dim'))
    for n, (heading, start, curves) in enumerate(rows):
        top = 140 + 194 * n
        parts.append(text(MARGIN, top - 22, heading, 'label ink bold'))
        for column, (words, function) in enumerate(curves):
            role = 'ink' if column == 2 else 'dim'
            parts += small_plot(40 + 200 * column, top, function, start, role, words)
        parts += [text(x, top + 74, sign, 'name dim', 'middle')
                  for x, sign in ((214, '\u00d7'), (414, '='))]
    parts.append(text(MARGIN, 506, f'From t = {t_min:g} on both products are the same. Lower t are '
                                   'left out in training.', 'note dim'))
    description = (
        'Two rows of three curves over the noise level t: how often t comes, times the weight of '
        'its loss, is what t counts. Drawn uniformly, t has the density 1 and the weight 1/t. '
        f'Drawn log-uniformly from {t_min:g} to 1, it has the density 1/(t ln {1 / t_min:g}) and '
        f'the constant weight ln {1 / t_min:g}. Both products are 1/t.')
    return picture(526, 'Density times weight: how a log-uniform t takes the 1/t out of the loss',
                   description, parts)


# 8. A computation graph.

def graph(models):
    """(a * b) * (a + b) as a graph of Values, with what backward() leaves in each."""
    a, b = microdiffusion.Value(2.0), microdiffusion.Value(3.0)
    product, total = a * b, a + b
    result = product * total
    result.backward()
    boxes = {'a': (a, 30, 84), 'b': (b, 30, 222), 'c = a * b': (product, 245, 84),
             'd = a + b': (total, 245, 222), 'e = c * d': (result, 460, 153)}
    places = {id(node): (x, y) for node, x, y in boxes.values()}
    wide, high = 150, 92

    tip = tag('marker', tag('path', d='M0 0L8 4L0 8z', class_='dim'), id='tip', orient='auto',
              markerWidth=8, markerHeight=8, refX=8, refY=4)
    parts = [tag('defs', tip),
             text(MARGIN, 46, 'The grads go back, and add up where they meet', 'head ink')]
    for node, x, y in boxes.values():
        for child, slope in zip(node._children, node._local_grads):
            left, middle = places[id(child)]
            start, end = (left + wide, middle + high / 2), (x - 1, y + high / 2 + (middle - y) / 5)
            along = 0.3 if x == 245 and middle != y else 0.5        # off the crossing
            at = [one + along * (other - one) for one, other in zip(start, end)]
            parts += [line([start, end], 'dim-line', stroke_width=1.5, marker_end='url(#tip)'),
                      rect(at[0] - 9, at[1] - 11, 18, 22, 'panel'),
                      text(at[0], at[1] + 5, f'{slope:g}', 'code dim slope', 'middle')]
    for words, (node, x, y) in boxes.items():
        parts += [rect(x, y, wide, high, 'dim-line', rx=8),
                  text(x + wide / 2, y + 27, words, 'code ink', 'middle'),
                  line([(x, y + 38), (x + wide, y + 38)], 'edge-line'),
                  text(x + wide / 2, y + 59, f'data {node.data:g}', 'code dim', 'middle'),
                  text(x + wide / 2, y + 81, f'grad {node.grad:g}', 'code ink bold', 'middle')]
    ways = f'{b.data:g} * {product.grad:g} + 1 * {total.grad:g}'
    notes = ['The data are worked out along the arrows.',
             'The grads go back against them, times the number on each arrow.',
             f'a is used twice, and its two ways add up: {ways} = {a.grad:g}.']
    parts += [text(MARGIN, 350 + 25 * n, words, 'label ink') for n, words in enumerate(notes)]
    figures = '; '.join([f'{words} has data {node.data:g} and grad {node.grad:g}'
                         for words, (node, _, _) in boxes.items()])
    description = ('Boxes from left to right, joined by arrows that bear the local gradients. '
                   f'{figures}. The grad of a is the sum over its two ways, {ways}.')
    return picture(420, 'The graph of (a * b) * (a + b) with data and gradients', description,
                   parts)


# 9. The pictures of the lesson: how a program learns.

def frame(x, y, words, width=CELL, height=34, classes='cell ink', edge='edge-line'):
    """A box with a word in its middle."""
    return [rect(x, y, width, height, edge, rx=4),
            text(x + width / 2, y + height / 2 + 7, words, classes, 'middle')]

def bar(x, y, share, words, role='dim', full=100, classes='note ink'):
    """A share as a bar, with words behind it."""
    return [rect(x, y - 11, max(1, full * share), 13, role, rx=2),
            text(x + full * share + 6, y, words, classes)]

def strip(x, y, numbers, step, scale, classes='ink'):
    """A vector: a bar for each number, upwards if it is above 0, downwards if it is below."""
    parts = [line([(x, y), (x + step * len(numbers), y)], 'dim-line')]
    for n, number in enumerate(numbers):
        high = min(34, abs(number) * scale)
        if high >= 0.5:
            parts.append(rect(x + step * (n + 0.15), y - high if number > 0 else y,
                              step * 0.7, high, classes))
    return parts

def arrow(points, classes='dim-line'):
    """A line with a tip at its end."""
    (x, y), (before_x, before_y) = points[-1], points[-2]
    turn = math.atan2(y - before_y, x - before_x)
    tip = [(x - 9 * math.cos(turn + side), y - 9 * math.sin(turn + side)) for side in (0.4, -0.4)]
    return [line(points, classes, stroke_width=1.5), line([tip[0], (x, y), tip[1]], classes,
                                                          stroke_width=1.5)]

def learned_names():
    """The names that the models have learned from."""
    return microgpt.split(microgpt.read_names(os.path.join(os.path.dirname(HERE), 'names.txt')))[0]

def tokens(models):
    """The vocabulary as a row of hooks, and the tokens of a name."""
    vocab = models[microgpt][1]
    parts = [text(MARGIN, 46, 'A token is a place in the row', 'head ink'),
             text(MARGIN, 82, 'the vocabulary: 27 characters, counted from 0', 'label dim')]
    for n, char in enumerate(vocab):
        x, y = MARGIN + CELL * (n % 14), 94 + 70 * (n // 14)
        parts += frame(x + 1, y, char, CELL - 2)
        parts.append(text(x + CELL / 2, y + 52, str(n), 'note dim', 'middle'))
    name = f'.{NAME}.'
    parts.append(text(MARGIN, 262, f'the name {NAME}, with a dot before and after it',
                      'label dim'))
    for n, char in enumerate(name):
        x = MARGIN + CELL * n
        parts += frame(x + 1, 274, char, CELL - 2, classes='cell ink bold')
        parts.append(text(x + CELL / 2, 326, str(vocab.index(char)), 'note ink bold', 'middle'))
    listed = ' '.join(str(vocab.index(char)) for char in name)
    return picture(348, 'A token is the place of a character in the vocabulary',
                   'The vocabulary is a row of 27 characters, the dot first and then the letters, '
                   f'counted from 0. The name {NAME} with a dot before and after it has the tokens '
                   f'{listed}.', parts)

def guessers():
    """{name: function of two neighbouring characters} of the three guessers of chapter 2."""
    letters, pairs, firsts = [collections.Counter() for _ in range(3)]
    for name in learned_names():
        around = f'.{name}.'
        letters.update(around[1:])
        pairs.update(zip(around, around[1:]))
        firsts.update(around[:-1])
    total = sum(letters.values())
    return {'evenly': lambda a, b: 1 / 27, 'by letter': lambda a, b: letters[b] / total,
            'by pair': lambda a, b: (pairs[a, b] + 1) / (firsts[a] + 27)}

def coin(models):
    """Three guessers divide a coin before each character of a name."""
    name, sums = f'.{NAME}.', {}
    parts = [text(MARGIN, 46, 'Whoever knows more pays less', 'head ink'),
             text(MARGIN, 74, 'The bar is the share of the coin on the character that came. Behind '
                  'it', 'note dim'),
             text(MARGIN, 94, 'stands the price, in nats.', 'note dim')]
    for column, (words, guesser) in enumerate(guessers().items()):
        x, total = 84 + 184 * column, 0.0
        parts.append(text(x, 128, words, 'label ink bold'))
        for row_number, (a, b) in enumerate(zip(name, name[1:])):
            y, share = 160 + 30 * row_number, guesser(a, b)
            total -= math.log(share)
            parts += bar(x, y, share, f'{-math.log(share):.2f}', full=200)
        sums[words] = f'{total:.1f}'
        parts.append(text(x, 160 + 30 * len(NAME) + 46, f'sum {total:.1f} nats', 'label ink bold'))
    for row_number, char in enumerate(name[1:]):
        parts.append(text(MARGIN + 14, 161 + 30 * row_number, char, 'cell ink bold', 'middle'))
    below = 160 + 30 * len(NAME) + 20
    parts.append(line([(MARGIN, below), (WIDTH - MARGIN, below)], 'edge-line'))
    return picture(below + 46, 'Three guessers over one name: whoever knows more pays less',
                   f'For each character of {NAME} and its end, the share of the coin that three '
                   f'guessers put on it, and the price. The sums in nats: {in_words(sums)}.', parts)

RATES = {'too low': 0.3, 'good': 4.0, 'too high': 20.0}

def walk(rate, share, start=0.0, count=8):
    """The weights of a walk downhill whose loss is the price of one share (chapter 4)."""
    weights = [start]
    for _ in range(count):
        weights.append(weights[-1] - rate * (1 / (1 + math.exp(-weights[-1])) - share))
    return weights

def hill(models):
    """Three walks down the same hill."""
    letters = collections.Counter(''.join([name + '.' for name in learned_names()]))
    share = letters['a'] / sum(letters.values())
    loss = lambda w: math.log(1 + math.exp(w)) - share * w
    valley = math.log(share / (1 - share))
    parts = [text(MARGIN, 46, 'A good step goes down and stays down', 'head ink'),
             text(MARGIN, 76, 'Up: the loss. To the right: the weight w. Each walk begins at '
                  'w = 0.', 'note dim'),
             text(MARGIN, 404, 'The same walks. Up: w. To the right: the step. Dotted: the '
                  'valley.', 'note dim')]
    ends = {}
    for n, (words, rate) in enumerate(RATES.items()):
        plot = Plot(36 + 200 * n, 104, 170, 190, (-8, 0.36), (1.3, 1.36))
        grid = [-8 + 9.3 * i / 60 for i in range(61)]
        walked = [place(plot, w, loss(w)) for w in walk(rate, share)]
        ends[f'{words}, {rate:g}'] = f'{walk(rate, share)[-1]:.2f}'
        parts += [line([place(plot, w, loss(w)) for w in grid], 'dim-line', stroke_width=2),
                  line(walked, 'ink-line', stroke_width=1.5, stroke_dasharray='4 3')]
        parts += [tag('circle', cx=x, cy=y, r=4.5 if i else 7, class_='ink')
                  for i, (x, y) in enumerate(walked)]
        base = plot.top + plot.height
        parts += [line([(plot.left, base), (plot.left + plot.width, base)], 'edge-line'),
                  text(place(plot, -6, 0)[0], base + 20, '-6', 'note dim', 'middle'),
                  text(place(plot, 0, 0)[0], base + 20, '0', 'note dim', 'middle'),
                  text(plot.left + 85, base + 52, words, 'label ink bold', 'middle'),
                  text(plot.left + 85, base + 74, f'learning rate {rate:g}', 'note dim', 'middle')]

        plot = Plot(36 + 200 * n, 424, 170, 110, (0, -8), (8, 1))
        walked = [place(plot, step, w) for step, w in enumerate(walk(rate, share))]
        parts += [line([place(plot, step, valley) for step in (0, 8)], 'dim-line',
                       stroke_width=2, stroke_dasharray='2 5'),
                  line(walked, 'ink-line', stroke_width=1.5),
                  *[tag('circle', cx=x, cy=y, r=4, class_='ink') for x, y in walked],
                  line([place(plot, 0, -8), place(plot, 8, -8)], 'edge-line')]
        parts += [text(place(plot, step, 0)[0], 554, str(step), 'note dim', 'middle')
                  for step in (0, 8)]
    return picture(570, 'Three walks downhill: the learning rate decides who arrives',
                   'Three times the same valley of the loss over one weight, and a walk of eight '
                   'steps from w = 0. With a low learning rate the walk has hardly moved, with a '
                   'good one it lies in the valley, with a high one it jumps over the valley and '
                   f'back, and its jumps grow again. The last weights: {in_words(ends)}.', parts)


# 10. The pictures of the lesson: inside the GPT.

def data(vector):
    """The plain numbers of a vector of Values."""
    return [value.data for value in vector]

def principal(vectors):
    """Each vector as (x, y) in the plane of the two directions in which they differ most."""
    size = len(vectors[0])
    means = [sum(column) / len(vectors) for column in zip(*vectors)]
    vectors = [[v - m for v, m in zip(vector, means)] for vector in vectors]
    found = []
    for _ in range(2):
        direction = [1 / (n + 1) for n in range(size)]
        for _ in range(500):                # power iteration
            along = [sum([v * d for v, d in zip(vector, direction)]) for vector in vectors]
            direction = [sum([a * vector[n] for a, vector in zip(along, vectors)])
                         for n in range(size)]
            length = math.sqrt(sum([d * d for d in direction]))
            direction = [d / length for d in direction]
        along = [sum([v * d for v, d in zip(vector, direction)]) for vector in vectors]
        vectors = [[v - a * d for v, d in zip(vector, direction)]
                   for a, vector in zip(along, vectors)]
        found.append(along)
    return list(zip(*found))

def letters(models):
    """The trained embeddings of the letters on a map."""
    state_dict, vocab = models[microgpt]
    points = principal([data(microgpt.rmsnorm(row)) for row in state_dict['wte'][1:]])
    (left, right), (low, high) = [(min(axis), max(axis)) for axis in zip(*points)]
    spots = [[60 + 520 * (x - left) / (right - left), 110 + 300 * (y - low) / (high - low)]
             for x, y in points]
    for _ in range(200):                    # letters that would lie on one another are moved apart
        for n, one in enumerate(spots):
            for other in spots[:n]:
                dx, dy = one[0] - other[0], one[1] - other[1]
                if abs(dx) < 19 and abs(dy) < 23:
                    for spot, side in ((one, 1), (other, -1)):
                        spot[0] += side * (1 if dx >= 0 else -1)
                        spot[1] += side * (1 if dy >= 0 else -1)
    parts = [text(MARGIN, 46, 'Letters that occur in similar places lie together', 'head ink'),
             text(MARGIN, 76, 'The embeddings of the trained GPT, on a map. Bold: a, e, i, o, u.',
                  'note dim')]
    for char, (x, y) in zip(vocab[1:], spots):
        parts.append(text(x, y + 7, char, 'name ink bold' if char in 'aeiou' else 'name dim',
                          'middle'))
    return picture(448, 'The letters by their trained embeddings: vowels lie together',
                   'A map of the 26 letters by the embeddings of the trained GPT, in the plane of '
                   'the two directions in which they differ most. The vowels a, e, i, o and u are '
                   'bold.', parts)

def layer(models):
    """One vector through the MLP of the GPT."""
    state_dict, vocab = models[microgpt]
    char = 'n'
    x = microgpt.rmsnorm(state_dict['wte'][vocab.index(char)])
    answers = microgpt.linear([x], state_dict['layer0.mlp_fc1'])[0]
    change = microgpt.relu_linear(answers, state_dict['layer0.mlp_fc2'])
    awake = [max(0.0, number) for number in data(answers)]
    count = sum([number > 0 for number in awake])
    parts = [text(MARGIN, 46, f'Relu lets {count} of 64 answers through', 'head ink')]
    rows = [(f'the vector of {char}: 16 numbers', data(x), 18, 14, 'ink'),
            ('64 questions, and their answers (linear, fc1)', data(answers), 8.4, 9, 'ink'),
            ('what is below 0 becomes 0 (relu)', awake, 8.4, 9, 'ink'),
            ('16 sums of what is left (linear, fc2)', data(change), 18, 5, 'ink'),
            ('added to the vector: 16 numbers again',
             [a + b for a, b in zip(data(x), data(change))], 18, 5, 'ink')]
    for n, (words, numbers, step, scale, classes) in enumerate(rows):
        y = 84 + 104 * n
        parts.append(text(MARGIN, y, words, 'label dim'))
        parts += strip(MARGIN, y + 46, numbers, step, scale, classes)
        parts.append(text(WIDTH - MARGIN, y + 52, str(len(numbers)), 'label ink bold', 'end'))
        if n + 1 < len(rows):
            parts += arrow([(WIDTH - 36, y + 62), (WIDTH - 36, y + 128)])
    notes = ['Each bar is a number: upwards above 0, downwards below.',
             'Heights have another scale in each row.']
    parts += [text(MARGIN, 84 + 104 * 5 - 6 + 21 * n, note, 'note dim')
              for n, note in enumerate(notes)]
    return picture(84 + 104 * 5 + 34, f'Relu lets {count} of 64 answers through',
                   f'The vector of {char} has 16 numbers. 64 questions make 64 answers. Relu sets '
                   f'those below 0 to 0 and leaves {count}. From these the second layer makes 16 '
                   'sums, which are added to the vector.', parts)

def lookup(models):
    """The small example of attention: one query, three keys and values."""
    keys, values = [(1, 0), (0, 1), (1, 0)], [(2, 0), (0, 10), (4, 0)]
    query = (0, 3)
    scores = [sum([a * b for a, b in zip(query, key)]) for key in keys]
    exps = [math.exp(score) for score in scores]
    shares = [e / sum(exps) for e in exps]
    mix = [sum([share * value[n] for share, value in zip(shares, values)]) for n in (0, 1)]
    parts = [text(MARGIN, 46, 'The query finds the vowel', 'head ink'),
             text(MARGIN, 84, f'query: {query[0]} {query[1]}', 'code ink bold'),
             text(MARGIN + 130, 84, 'Where is a vowel?', 'label dim')]
    columns = {'': 40, 'key': 90, 'score': 180, 'share': 270, 'value': 470}
    parts += [text(x, 124, words, 'label dim') for words, x in columns.items() if words]
    for n, char in enumerate('jon'):
        y = 160 + 38 * n
        parts += [text(columns[''], y, char, 'cell ink bold', 'middle'),
                  text(columns['key'], y, f'{keys[n][0]} {keys[n][1]}', 'code ink'),
                  text(columns['score'], y, str(scores[n]), 'code ink'),
                  text(columns['value'], y, f'{values[n][0]} {values[n][1]}', 'code ink')]
        parts += bar(columns['share'], y, shares[n], f'{shares[n]:.3f}', full=110)
    mixed = ', '.join(f'{m:.2f}' for m in mix)
    listed = ', '.join(f'{share:.3f}' for share in shares)
    sums = ' + '.join(f'{share:.3f} * {value[1]}' for share, value in zip(shares, values))
    parts += [line([(MARGIN, 258), (WIDTH - MARGIN, 258)], 'edge-line'),
              text(MARGIN, 290, f'mix of the values: {mixed}', 'label ink bold'),
              text(MARGIN, 316, f'the second number is {sums}', 'note dim')]
    return picture(336, 'A query, three keys and three values: the query finds the vowel',
                   'The query 0 3 looks for a vowel. The keys of j, o and n are 1 0, 0 1 and 1 0. '
                   f'The scores are 0, 3 and 0, the shares {listed}. '
                   f'The values are mixed by these shares to {mixed}.', parts)

LOOKS = f'.{NAME[:4]}'                  # what the head of the next picture sees
HEAD = 2                                # its number, from 0

def one_head(model, letters, number):
    """(vector, query, keys, values, scores, distances, shares, mix) of the last letter's look."""
    state_dict, vocab = model
    rows = [state_dict['wte'][vocab.index(char)] for char in letters]
    xs = [microgpt.rmsnorm(x) for x in microgpt.add(rows, state_dict['wpe'][:len(rows)])]
    normed = [microgpt.rmsnorm(x) for x in xs]
    queries, keys, values = [
        [data(vector) for vector in microgpt.linear(normed, state_dict[f'layer0.attn_w{kind}'])]
        for kind in 'qkv']
    width = microgpt.n_embd // len(microgpt.heads)
    query, *rest = [[vector[number * width:(number + 1) * width] for vector in vectors]
                    for vectors in (queries[-1:], keys, values)]
    query, (keys, values) = query[0], rest
    scores = [sum([a * b for a, b in zip(query, key)]) for key in keys]
    distances = [(len(letters) - 2 - n) % microgpt.block_size for n in range(len(letters))]
    exps = [math.exp(score / 2 - microgpt.slope * d) for score, d in zip(scores, distances)]
    shares = [e / sum(exps) for e in exps]
    mix = [sum([share * value[n] for share, value in zip(shares, values)]) for n in range(width)]
    return data(normed[-1]), query, keys, values, scores, distances, shares, mix

def numbers_at(x, y, numbers, classes='code ink'):
    """Numbers in columns, the first one ending at x."""
    return [text(x + 46 * n, y, f'{number:.1f}', classes, 'end')
            for n, number in enumerate(numbers)]

def head(models):
    """One query carried through one head of the GPT, with every size."""
    vector, query, keys, values, scores, distances, shares, mix = one_head(
        models[microgpt], LOOKS, HEAD)
    last = LOOKS[-1]
    best = LOOKS[max(range(len(shares)), key=shares.__getitem__)]
    parts = [text(MARGIN, 46, f'In this head the {last} looks at the {best}: {max(shares):.0%}',
                  'head ink'),
             text(MARGIN, 78, f'the vector of {last}, after rmsnorm', 'label dim'),
             text(WIDTH - MARGIN, 78, '16 numbers', 'note ink bold', 'end')]
    parts += strip(MARGIN, 114, vector, 18, 12)
    parts += arrow([(340, 114), (378, 114)])
    parts += [text(388, 108, 'wq: 16 numbers, cut into', 'note dim'),
              text(388, 128, f'four times 4. Head {HEAD + 1} has:', 'note dim'),
              text(MARGIN, 176, 'query', 'label dim'),
              *numbers_at(116, 176, query, 'code ink bold'),
              text(WIDTH - MARGIN, 176, '4 numbers', 'note ink bold', 'end'),
              line([(MARGIN, 192), (WIDTH - MARGIN, 192)], 'edge-line')]
    columns = {'key': 116, 'score': 304, 'half': 354, 'distance': 438, 'sum': 500, 'share': 516}
    parts += [text(70, 218, 'key: 4 numbers each', 'note dim'),
              text(columns['score'], 218, 'score', 'note dim', 'end'),
              text(columns['half'], 218, 'half', 'note dim', 'end'),
              text(columns['distance'], 218, '- 2 * dist.', 'note dim', 'end'),
              text(columns['sum'], 218, 'sum', 'note dim', 'end'),
              text(columns['share'], 218, 'share', 'note dim')]
    for n, char in enumerate(LOOKS):
        y = 250 + 32 * n
        parts += [text(40, y, char, 'cell ink bold', 'middle'),
                  *numbers_at(columns['key'], y, keys[n]),
                  text(columns['score'], y, f'{scores[n]:.1f}', 'code ink', 'end'),
                  text(columns['half'], y, f'{scores[n] / 2:.1f}', 'code ink', 'end'),
                  text(columns['distance'], y, f'- {2 * distances[n]}', 'code ink', 'end'),
                  text(columns['sum'], y, f'{scores[n] / 2 - 2 * distances[n]:.1f}', 'code ink',
                       'end')]
        parts += bar(columns['share'], y, shares[n], f'{shares[n]:.2f}', 'orange', 50)
    y = 250 + 32 * len(LOOKS)
    parts += [line([(MARGIN, y - 12), (WIDTH - MARGIN, y - 12)], 'edge-line'),
              text(MARGIN, y + 16, 'values: 4 numbers each, mixed by the shares', 'label dim')]
    for n, char in enumerate(LOOKS):
        below = y + 46 + 28 * n
        parts += [text(40, below, char, 'cell ink', 'middle'),
                  *numbers_at(116, below, values[n]),
                  text(280, below, f'* {shares[n]:.2f}', 'code ink')]
    below = y + 56 + 28 * len(LOOKS)
    parts += [text(MARGIN, below + 6, 'mix', 'label dim'),
              *numbers_at(116, below + 6, mix, 'code ink bold'),
              text(WIDTH - MARGIN, below + 6, '4 numbers', 'note ink bold', 'end'),
              text(MARGIN, below + 38, 'Side by side with the mixes of the other three heads: 16 '
                   'numbers, for wo.', 'note dim')]
    listed = ', '.join(f'{char} {share:.2f}' for char, share in zip(LOOKS, shares))
    return picture(below + 60, 'One name carried through one attention head, with every size',
                   f'The last letter of {LOOKS} looks back. Its vector of 16 numbers gives a query '
                   'of 4. With the keys of 4 numbers it makes five scores; they are halved, and '
                   f'two for each step of distance are subtracted. The shares: {listed}. They mix '
                   'the values to 4 numbers.', parts)

def best_of(program, logits, vocab, count=4):
    """[(character, probability)] of the likeliest tokens."""
    probs = [p.data for p in program.softmax(logits)]
    order = sorted(range(len(probs)), key=probs.__getitem__, reverse=True)
    return [(vocab[token], probs[token]) for token in order[:count]]

def transformer(program, characters, logits, notes, marks=()):
    """The boxes of a whole model, a column for each position, with the sizes at the right."""
    role, size = ROLES[program.PROGRAM], program.n_embd
    count, vocab_size = len(characters), len(logits[0])
    both = program.RIGHT in program.heads
    stages = [('letter + place', f'{count} * {size}'), ('attention', f'{count} * {size}'),
              ('MLP', f'{size}, 64, {size}'), ('logits', f'{count} * {vocab_size}')]
    step, wide = 56, 46
    xs = [34 + step * n for n in range(count)]
    right = xs[-1] + step + 10
    parts = []
    for n, char in enumerate(characters):
        parts.append(text(xs[n] + wide / 2, 112, char, 'name ink bold', 'middle'))
    parts.append(text(right, 108, 'tokens', 'label dim'))
    for level, (words, numbers) in enumerate(stages):
        y = 144 + 84 * level
        for n, x in enumerate(xs):
            parts += [rect(x, y, wide, 38, f'{role}-line', rx=5, stroke_width=1.5),
                      text(x + wide / 2, y + 25, str(vocab_size if level == 3 else size),
                           'note ink', 'middle'),
                      line([(x + wide / 2, y - (18 if level == 0 else 46)),
                            (x + wide / 2, y)], 'dim-line')]
            if level == 1:                  # who looks at whom
                parts += [line([(other + wide / 2, y - 46), (x + wide / 2, y)],
                               f'{role}-line', stroke_opacity='.55')
                          for m, other in enumerate(xs) if m != n and (both or m < n)]
        parts += [text(right, y + 17, words, 'label ink bold'),
                  text(right, y + 38, numbers, 'note dim')]
    y = 144 + 84 * 4
    for n, guess in enumerate(notes):
        parts += [line([(xs[n] + wide / 2, y - 46), (xs[n] + wide / 2, y - 22)], 'dim-line'),
                  *[text(xs[n] + wide / 2, y + 22 * m, words, 'code ink bold' if m == 0
                         else 'note dim', 'middle') for m, words in enumerate(guess)]]
    parts.append(text(right, y, 'the likeliest token', 'label dim'))
    for number, x, y in marks:
        parts += [tag('circle', cx=x, cy=y - 5, r=12, class_='ink'),
                  text(x, y, str(number), 'note panel bold', 'middle')]
    return parts, right

def gpt(models):
    """The whole GPT in boxes."""
    state_dict, vocab = models[microgpt]
    letters = f'.{NAME}'
    logits = microgpt.gpt(state_dict, [vocab.index(char) for char in letters])
    notes = []
    for row in logits:
        char, p = likeliest(microgpt, row, vocab)
        notes.append((char, f'{p:.2f}'))
    parts, _ = transformer(microgpt, letters, logits, notes)
    parts.insert(0, text(MARGIN, 46, 'Each position guesses the next token from its left',
                         'head ink'))
    listed = ', '.join(f'{char} after {letters[:n + 1]}' for n, (char, _) in enumerate(notes))
    return picture(524, 'The whole GPT in boxes: each position guesses the next token',
                   f'The tokens of {letters}, one column each. A vector of 16 numbers for letter '
                   'and place, attention in which lines come from the left only, an MLP, and 27 '
                   f'logits. The likeliest token: {listed}.', parts)

def changes(models):
    """The same boxes for the mask predictor, with the three places that change."""
    state_dict, vocab = models[microdiffusion]
    letters = f'j_n_h{PAD}'
    logits = microdiffusion.mask_predictor(state_dict, [vocab.index(char) for char in letters])
    notes = [likeliest(microdiffusion, row, vocab) if char == MASK else ('', '')
             for row, char in zip(logits, letters)]
    notes = [(char, f'{p:.2f}') if char else ('', '') for char, p in notes]
    spots = [(1, 608, 246), (2, 608, 480), (3, 608, 512)]
    parts, right = transformer(microdiffusion, letters, logits, notes, spots)
    parts = [part for part in parts if '></text>' not in part]
    parts.insert(0, text(MARGIN, 46, 'The same boxes, and three changes', 'head ink'))
    parts += [text(MARGIN, 552, '1  Attention looks to both sides.', 'label ink'),
              text(MARGIN, 578, '2  The loss: hidden tokens are guessed, each at its own place.',
                   'label ink'),
              text(MARGIN, 604, '3  Writing: the surest place is revealed first, not the next '
                   'one.', 'label ink'),
              text(MARGIN, 634, 'Attention and MLP come twice here: attention, MLP, attention, MLP.',
                   'note dim')]
    return picture(654, 'The same boxes for diffusion, with the three places that change',
                   f'The tokens of the puzzle {letters}, one column each, in the same boxes as '
                   'those of the GPT. Three places change: attention has lines from both sides; '
                   'only the hidden tokens are guessed, each at its own place; and the surest '
                   'place is revealed first.', parts)


# 11. The pictures of the lesson: what diffusion learns and how it writes.

GAP = 2                                 # the hidden letter of the name in hide

def hide(models):
    """The shares for one hidden letter: seen from the left, and from both sides."""
    puzzle = NAME[:GAP] + MASK + NAME[GAP + 1:] + PAD
    state_dict, vocab = models[microgpt]
    before = [vocab.index(char) for char in '.' + NAME[:GAP]]
    rows = {microgpt: best_of(microgpt, microgpt.gpt(state_dict, before)[-1], vocab, 7)}
    state_dict, vocab = models[microdiffusion]
    logits = microdiffusion.mask_predictor(state_dict, [vocab.index(char) for char in puzzle])
    rows[microdiffusion] = best_of(microdiffusion, logits[GAP], vocab, 7)
    parts = [text(MARGIN, 46, 'Both sides tell more than one', 'head ink')]
    for n, (program, best) in enumerate(rows.items()):
        x, role = 40 + 300 * n, ROLES[program.PROGRAM]
        seen = NAME[:GAP] + MASK if program is microgpt else puzzle
        parts += [text(x, 84, f'{program.PROGRAM} sees', f'label {role} bold'),
                  text(x, 120, seen, 'name ink')]
        for m, (char, p) in enumerate(best):
            y = 160 + 30 * m
            parts.append(text(x + 8, y, char, 'cell ink bold' if char == NAME[GAP]
                              else 'cell dim', 'middle'))
            parts += bar(x + 26, y, p, f'{p:.2f}', role, 250)
    parts.append(text(MARGIN, 380, f'Right is {NAME[GAP]}. Seven likeliest characters each.',
                      'note dim'))
    listed = '; '.join([f'{program.PROGRAM}: ' + ', '.join(f'{char} {p:.2f}' for char, p in best)
                        for program, best in rows.items()])
    return picture(400, f'The hidden letter of {puzzle}, guessed from one side and from both',
                   f'Bars of the likeliest characters for the hidden letter of {puzzle}. {listed}.',
                   parts)

def moments(model, name, draws=30):
    """{k: mean cost of the moment with k hidden tokens} of a name (chapter 11)."""
    state_dict, vocab = model
    clean, found = microdiffusion.encode(name, vocab), {}
    for k in range(1, len(clean) + 1):
        total = 0.0
        for seed in range(draws):
            places = random.Random(seed).sample(range(len(clean)), k)
            noisy = [microdiffusion.MASK if n in places else token for n, token in enumerate(clean)]
            total += sum(data(microdiffusion.cross_entropies(state_dict, noisy, clean)))
        found[k] = total / draws / k
    return found

def hidden(models):
    """The price of a name is the sum of fourteen moments."""
    found = moments(models[microdiffusion], NAME)
    total, top = sum(found.values()), 250
    parts = [text(MARGIN, 46, f'Fourteen moments cost {total:.1f} nats together', 'head ink'),
             text(MARGIN, 76, f'{NAME}: from everything hidden to one hidden token. Each moment '
                  'costs S / k.', 'note dim')]
    for n, (k, nats) in enumerate(sorted(found.items(), reverse=True)):
        x, high = MARGIN + CELL * n, 96 * nats
        parts += [rect(x + 5, top - high, CELL - 10, high, 'blue', rx=2),
                  text(x + CELL / 2, top - high - 7, f'{nats:.2f}', 'note ink', 'middle'),
                  text(x + CELL / 2, top + 22, str(k), 'note dim', 'middle')]
    parts += [line([(MARGIN, top), (WIDTH - MARGIN, top)], 'dim-line'),
              text(MARGIN, top + 48, 'k, the number of hidden tokens', 'label dim'),
              text(WIDTH - MARGIN, top + 48, f'sum: {total:.1f} nats', 'label blue bold', 'end')]
    listed = ', '.join(f'{k}: {nats:.2f}' for k, nats in sorted(found.items(), reverse=True))
    return picture(top + 66, f'The price of {NAME} is the sum of fourteen moments',
                   f'A bar for each number of hidden tokens: what it costs on average to uncover '
                   f'one of them. {listed}. Together {total:.1f} nats.', parts)

NOISE_SEED = 36                         # its counts are near those that are expected, 25 and 43

def noise(models):
    """A hundred noise levels, drawn evenly and log-uniformly."""
    t_min, rng = microdiffusion.t_min, random.Random(NOISE_SEED)
    kinds = {'drawn evenly': [t_min + (1 - t_min) * rng.random() for _ in range(100)],
             'drawn log-uniformly': [t_min ** rng.random() for _ in range(100)]}
    parts = [text(MARGIN, 46, 'Log-uniform draws many more low t', 'head ink')]
    counts = {}
    for n, (words, levels) in enumerate(kinds.items()):
        base, low = 216 + 186 * n, len([t for t in levels if t < 0.4])
        counts[words] = f'{low} of 100 are below 0.4'
        parts += [text(MARGIN, base - 126, words, 'label ink bold'),
                  text(WIDTH - MARGIN, base - 126, counts[words], 'label ink', 'end')]
        piles = collections.Counter()
        for t in levels:
            pile = int((t - t_min) / (1 - t_min) * 32)
            piles[pile] += 1
            parts.append(tag('circle', cx=MARGIN + 10 + 17.8 * pile, cy=base - 10 * piles[pile] + 3,
                             r=4.5, class_='dim' if t >= 0.4 else 'ink'))
        parts.append(line([(MARGIN, base), (WIDTH - MARGIN, base)], 'dim-line'))
        for t in (0.2, 0.4, 0.6, 0.8, 1.0):
            x = MARGIN + 2 + 569.6 * (t - t_min) / (1 - t_min)
            parts.append(text(min(max(x, MARGIN + 12), WIDTH - MARGIN - 12), base + 20, f'{t:g}',
                              'note dim', 'middle'))
    parts.append(text(MARGIN, 456, 'Each point is a noise level t. Those below 0.4 are dark.',
                      'note dim'))
    return picture(476, 'A hundred noise levels t: log-uniform draws many more low ones',
                   'Two rows of a hundred points between 0.2 and 1, piled up where they fall. '
                   f'{"; ".join(f"{words}: {count}" for words, count in counts.items())}.', parts)

def orders(models):
    """Why the mean of the prices lies above the price of the mean."""
    first, second = 1 / 8, 1 / 2
    price = lambda p: -math.log(p)
    mean, line_at = (first + second) / 2, (price(first) + price(second)) / 2
    plot = Plot(50, 108, 470, 270, (0, 0), (0.6, 2.6))
    grid = [0.075 + 0.525 * n / 80 for n in range(81)]
    parts = [text(MARGIN, 46, 'The mean of the prices is never the lower one', 'head ink'),
             text(MARGIN, 78, 'price -ln p, in nats', 'note dim')]
    corner, right = place(plot, 0, 0), place(plot, 0.6, 0)
    parts += [line([(corner[0], plot.top - 10), corner, right], 'dim-line'),
              line([place(plot, p, price(p)) for p in grid], 'ink-line', stroke_width=2.5),
              line([place(plot, p, price(p)) for p in (first, second)], 'dim-line',
                   stroke_width=2, stroke_dasharray='6 4')]
    for p, words in ((first, '1/8'), (mean, '5/16'), (second, '1/2')):
        x, base = place(plot, p, 0)
        parts += [line([(x, base), place(plot, p, price(p))], 'edge-line'),
                  text(x, base + 22, words, 'note ink', 'middle')]
    parts.append(text(right[0], right[1] + 46, 'probability p of the name', 'note dim', 'end'))
    for p, y, words in ((first, price(first), f'one order: {price(first):.2f}'),
                        (mean, line_at, f'mean of the prices: {line_at:.2f}'),
                        (second, price(second), f'another order: {price(second):.2f}')):
        x, height = place(plot, p, y)
        parts += [tag('circle', cx=x, cy=height, r=5, class_='ink'),
                  text(x + 14, height - 9, words, 'label ink bold')]
    x, height = place(plot, mean, price(mean))
    parts += [tag('circle', cx=x, cy=height, r=5, class_='ink'),
              line([(x - 4, height + 6), (x - 26, height + 48)], 'dim-line'),
              text(x - 20, height + 64, f'price of the mean: {price(mean):.2f}', 'label ink bold',
                   'end')]
    return picture(446, 'The mean of two prices lies above the price of the mean',
                   'The curve of -ln p bends upwards. A straight line joins its points at p = 1/8, '
                   f'which costs {price(first):.2f}, and p = 1/2, which costs {price(second):.2f}. '
                   f'The middle of the line is {line_at:.2f}. The curve below it, at 5/16, is at '
                   f'{price(mean):.2f}.', parts)

def draw(models):
    """How a letter is drawn: shares, min-p, temperature."""
    state_dict, vocab = models[microgpt]
    logits = microgpt.gpt(state_dict, [vocab.index(char) for char in '.' + NAME[:3]])[-1]
    probs = {vocab[token]: p.data for token, p in enumerate(microgpt.softmax(logits))}
    end = probs.pop(PAD)
    best = sorted(probs, key=probs.get, reverse=True)[:8]
    relative = {char: probs[char] / probs[best[0]] for char in probs}
    kept = {char: r for char, r in relative.items() if r >= 0.2}
    cooled = {char: r ** (1 / 0.7) for char, r in kept.items()}
    columns = [('shares of the model', {char: probs[char] for char in best}, 1.0),
               ('below a fifth: out', {char: kept.get(char, 0) for char in best},
                sum(kept.values())),
               ('with T = 0.7', {char: cooled.get(char, 0) for char in best},
                sum(cooled.values()))]
    parts = [text(MARGIN, 46, 'Unlikely letters go, likely ones gain', 'head ink'),
             text(MARGIN, 76, f'After {NAME[:3]} the share of the end is {end:.2f}. If it is not '
                  'drawn, a letter is:', 'note dim')]
    for n, (words, weights, total) in enumerate(columns):
        x = 56 + 196 * n
        parts.append(text(x - 16, 112, words, 'label ink bold'))
        for m, char in enumerate(best):
            y, share = 144 + 28 * m, weights[char] / total
            parts.append(text(x - 8, y, char, 'cell ink' if share else 'cell dim', 'middle'))
            if share:
                parts += bar(x + 8, y, share, f'{share:.2f}', 'orange', 160)
    return picture(144 + 28 * 8, 'A letter is drawn: unlikely ones are left out',
                   f'Three columns of bars for the letters that may follow {NAME[:3]}: the shares '
                   'of the trained GPT, what is left without those below a fifth of the largest, '
                   f'and the same with temperature 0.7. Left are {", ".join(kept)}.', parts)

STEP_SEED, STEP_FROM = 39, 5            # which name is written, and which of its frames is shown

def one_step(model, seed, number):
    """A denoising step of the default settings, with all that it works out on the way."""
    state_dict, vocab = model
    start = [microdiffusion.MASK] * microdiffusion.block_size
    rng, frames = random.Random(seed), []
    defaults = dict(zip(('steps', 'temperature', 'least_letters', 'noise'),
                        microdiffusion.denoise.__defaults__))
    for frame_number, (i, _, after) in enumerate(
            microdiffusion.denoise(state_dict, start, rng, **defaults)):
        frames.append((i, list(after)))
        if frame_number == number:
            state = rng.getstate()
    (_, before), (i, after) = frames[number:number + 2]
    rng.setstate(state)
    total, left = len(start), microdiffusion.masks_left(len(start), i, defaults['steps'])
    logits = microdiffusion.mask_predictor(state_dict, before)
    places = {}
    for n, z in enumerate(logits):
        if before[n] == microdiffusion.MASK:
            best = best_of(microdiffusion, z, vocab, 3)
            sure = math.log(best[0][1])
            extra = defaults['noise'] * left / total * microdiffusion.gumbel(rng)
            places[n] = (best, sure, extra)
    chosen = max(places, key=lambda n: places[n][1] + places[n][2])
    temperature = defaults['temperature'] * (1 - (i - 1) / defaults['steps'] / 2)
    end = microdiffusion.softmax(logits[chosen])[microdiffusion.PAD].data
    drawn = microdiffusion.draw(logits[chosen], rng, temperature)
    rng.setstate(state)
    numbers = [rng.random() for _ in range(len(places) + 1)]
    return i, before, places, chosen, end, numbers[-1], temperature, drawn, after

def step(models):
    """One denoising step in full."""
    vocab = models[microdiffusion][1]
    i, before, places, chosen, end, number, temperature, drawn, after = one_step(
        models[microdiffusion], STEP_SEED, STEP_FROM)
    logits = microdiffusion.mask_predictor(models[microdiffusion][0], before)[chosen]
    shares = dict(best_of(microdiffusion, logits, vocab, len(vocab)))
    likeliest = max(set(shares) - set(microdiffusion.SPECIAL), key=shares.get)
    shown = before[:len(microdiffusion.settled(before))]
    wide, left = 52, 160
    rows = {'the puzzle': 92, 'likeliest': 142, 'share': 168, 'ln share': 208,
            'random number': 234, 'sum': 260}
    parts = [text(MARGIN, 46, 'First the surest place, then the token', 'head ink'),
             text(WIDTH - MARGIN, 46, f'step {i} of {microdiffusion.denoise.__defaults__[0]}', 'label dim',
                  'end')]
    parts += [text(MARGIN, y, words, 'label ink bold' if words == 'sum' else 'label dim')
              for words, y in rows.items()]
    for n, token in enumerate(shown):
        x = left + wide * (n + 0.5)
        parts += frame(x - 20, 68, vocab[token], 40,
                       classes='cell ink bold' if token > microdiffusion.PAD else 'cell dim')
        if n in places:
            best, sure, extra = places[n]
            for words, row_name in ((best[0][0], 'likeliest'), (f'{best[0][1]:.2f}', 'share'),
                                    (f'{sure:.2f}', 'ln share'), (f'{extra:+.2f}', 'random number'),
                                    (f'{round(sure, 2) + round(extra, 2):.2f}', 'sum')):
                kind = 'cell ink' if row_name == 'likeliest' else 'note ink'
                if row_name == 'sum' and n == chosen:
                    kind = 'note blue bold'
                parts.append(text(x, rows[row_name], words, kind, 'middle'))
    x = left + wide * (chosen + 0.5)
    parts += [rect(x - 25, 118, 50, 152, 'blue-line', rx=6, stroke_width=2)]
    char = vocab[drawn]
    ended = drawn == microdiffusion.PAD
    lines = [f'The largest sum is at place {chosen + 1}. The share of the end is {end:.2f} there.',
             f'A random number between 0 and 1 decides: below {end:.2f} the name ends.',
             f'It is {number:.2f}, so the name {"ends" if ended else "does not end"} here.',
             *([] if ended else [
                 f'The likeliest letter, {likeliest}, has {shares[likeliest]:.3f}. Those below a '
                 'fifth of it are left out.',
                 f'One of those that are left is drawn with T = {temperature:.2f}: {char} '
                 f'({shares[char]:.3f}).'])]
    parts += [text(MARGIN, 306 + 26 * n, words, 'label ink') for n, words in enumerate(lines)]
    base = 306 + 26 * len(lines)
    parts.append(text(MARGIN, base + 24, 'the new puzzle', 'label dim'))
    for n, token in enumerate(after[:len(shown)]):
        x, new = left + wide * (n + 0.5), before[n] != token
        kind = 'cell blue bold' if new else ('cell ink bold' if token > microdiffusion.PAD
                                             else 'cell dim')
        parts += frame(x - 20, base, vocab[token], 40, classes=kind)
    note = ('Behind a dot there are only dots, so these places are settled too.' if ended else
            f'No end can stand before the {char} now. The rest stays hidden.')
    parts.append(text(MARGIN, base + 66, note, 'note dim'))
    text_of = lambda row: microdiffusion.decode(row, vocab)
    return picture(base + 86, 'One denoising step in full: choose the surest place, then draw',
                   f'Step {i} of the default settings. The puzzle {text_of(before)}: for each '
                   'hidden place the likeliest token, its share, the logarithm of the share, a '
                   f'random number and their sum. The largest sum is at place {chosen + 1}. The '
                   f'share of the end is {end:.2f} there, and the number drawn is {number:.2f}. '
                   f'Drawn is {char}. The new puzzle is {text_of(after)}.', parts)

def llada(models):
    """How LLaDA answers: a sketch."""
    question = ['How', 'many', 'legs', 'has', 'a', 'spider', '?']
    frames = [('everything hidden', [''] * 8),
              ('the first block', ['A', '', 'has', '', '', '', '', '']),
              ('', ['A', 'spider', 'has', 'eight', '', '', '', '']),
              ('the second block', ['A', 'spider', 'has', 'eight', '', '.', '', 'end']),
              ('finished', ['A', 'spider', 'has', 'eight', 'legs', '.', 'end', 'end'])]
    parts = [text(MARGIN, 46, 'The question stays, the answer emerges', 'head ink'),
             text(MARGIN, 80, 'the question: visible from the start', 'label dim')]
    wide = 72
    for n, word in enumerate(question):
        parts += frame(MARGIN + wide * n, 92, word, wide - 6, 32, 'note ink bold')
    for m, (words, answer) in enumerate(frames):
        y = 160 + 62 * m
        parts.append(text(MARGIN, y, words or 'the first block, finished', 'label dim'))
        for n, word in enumerate(answer):
            new = word and (m == 0 or frames[m - 1][1][n] != word)
            kind = 'note blue bold' if new else 'note dim' if word in ('', 'end') else 'note ink'
            parts += frame(MARGIN + wide * n + (8 if n > 3 else 0), y + 8, word or MASK, wide - 6,
                           30, kind)
    parts.append(text(MARGIN, 478, 'A sketch with words as tokens and two blocks of four. Blue: '
                      'just revealed.', 'note dim'))
    return picture(498, 'LLaDA: the question stays visible, and the answer is filled in',
                   'A sketch. The question, How many legs has a spider?, stays visible. Behind it '
                   'eight masks are filled in, the first block of four, then the second: A spider '
                   'has eight legs. Two tokens at the end say that nothing follows.', parts)


# 12. The command.

PICTURES = [moving, still, playground, attention, held_out, few, steps, density, graph, tokens,
            coin, hill, letters, layer, lookup, head, gpt, changes, hide, hidden, noise, orders,
            draw, step, llada]

def main():
    """Draw every picture, and write it to its file."""
    models = load()
    for function in PICTURES:
        svg = function(models)
        with open(os.path.join(FOLDER, function.__name__ + '.svg'), 'w', encoding='ascii',
                  newline='\n') as file:
            file.write(svg)
        print(f'{function.__name__}.svg: {len(svg)} bytes')


if __name__ == '__main__':
    main()

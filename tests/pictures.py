"""Draw the pictures of the pages: python -m tests.pictures [--models FOLDER] [--names N].

They are SVG, written as text: no scripts, a panel of their own, colours for light pages and
for dark ones. What the models do is worked out from those in tests/models. Only what takes
long to measure stands in tables here: copied from what python -m tests.results prints.
"""
import argparse
import collections
import html
import math
import os
import random
from unittest import mock

import microdiffusion
import microgpt

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(HERE, 'pictures')
MODELS = os.path.join(HERE, 'models')

# Printed by python -m tests.results.
# "How many examples": {examples: nats per held-out name}, and n-gram models beside them.
HELD_OUT = {'microdiffusion': {5600: 16.70, 11200: 16.44, 22400: 16.17, 33600: 16.04},
            'microgpt': {5600: 15.42, 11200: 15.17, 22400: 14.96, 33600: 14.87}}
NGRAMS = {'bigrams': 17.15, 'trigrams': 15.45, '4-grams': 14.46}
# "Denoising steps": {steps: nats per character under a 4-gram model}, and others' names.
QUALITY = {1: 3.47, 2: 2.97, 4: 2.61, 8: 2.37, 16: 2.31, 24: 2.30, 32: 2.29}
COMPARED = {'microgpt': 1.96, 'real names': 2.05}

# Seeds whose names are shown; python -m tests.pictures --names 40 lists others.
MOVING_SEEDS = {'microdiffusion': 21, 'microgpt': 32}
STILL_SEEDS = [4, 11, 16, 18, 28, 37]
LOOKED_AT = 'chr__top_er', 'christopher'    # a held-out name, for the heads

# Each colour on a light page and on a dark one; each text class with its font and size.
COLORS = {'panel': ('#ffffff', '#0d1117'), 'edge': ('#d0d7de', '#30363d'),
          'ink': ('#1f2328', '#e6edf3'), 'dim': ('#59636e', '#9198a1'),
          'blue': ('#0969da', '#58a6ff'), 'orange': ('#bc4c00', '#f0883e')}
ROLES = {'microdiffusion': 'blue', 'microgpt': 'orange'}
SANS = 'system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif'
MONO = 'ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace'
FONTS = {'head': (SANS, 17), 'label': (SANS, 14), 'note': (SANS, 12.5),
         'name': (MONO, 30), 'cell': (MONO, 20), 'code': (MONO, 15), 'axis': (MONO, 11)}
# From light to dark, for steps: told apart without seeing colour, and in grey print.
RAMP = ['#ffffd9', '#c7e9b4', '#41b6c4', '#225ea8', '#081d58']

MASK, PAD = microdiffusion.SPECIAL     # as they are shown; BOS is shown like PAD
WIDTH = 800
INDENT, CELL = 48, 50       # where the first position of a name begins, and how wide each is
SQUARE = 11                 # the side of an attention weight's square
SIDES = {microdiffusion.LEFT: 'left', microdiffusion.RIGHT: 'right'}


# 1. SVG as text.

def num(x):
    """A number in as few characters as a tenth of a pixel takes."""
    digits = f'{x:.1f}'
    if digits.endswith('.0'):
        digits = digits[:-2]
    return '0' if digits == '-0' else digits

def tag(tag_name, content=None, **attributes):
    """An element; numbers are rounded, class_ gives class, and fill_opacity fill-opacity."""
    given = ''.join([f' {key.strip("_").replace("_", "-")}='
                     f'"{value if isinstance(value, str) else num(value)}"'
                     for key, value in attributes.items()])
    if content is None:
        return f'<{tag_name}{given}/>'
    return f'<{tag_name}{given}>{content}</{tag_name}>'

def text(x, y, content, classes='label ink', anchor='', **attributes):
    """A line of text; anchor is middle or end where x is not its beginning."""
    if anchor:
        attributes['text_anchor'] = anchor
    return tag('text', html.escape(content), x=x, y=y, class_=classes, **attributes)

def line(x1, y1, x2, y2, classes, **attributes):
    """A straight line."""
    return tag('line', x1=x1, y1=y1, x2=x2, y2=y2, class_=classes, **attributes)

def path(points, classes, **attributes):
    """A line through points."""
    return tag('path', d='M' + 'L'.join([f'{num(x)} {num(y)}' for x, y in points]),
               class_=classes, **attributes)

def rect(x, y, width, height, classes, **attributes):
    """A rectangle."""
    return tag('rect', x=x, y=y, width=width, height=height, class_=classes, **attributes)

def styles():
    """The style sheet: fonts, and each colour as a fill and as a line, light and dark."""
    rules = [f'.{name}{{font:{size}px {font}}}' for name, (font, size) in FONTS.items()]
    rules += ['.head,.kept{font-weight:600}']
    for theme in (0, 1):
        colors = ''.join([f'.{name}{{fill:{pair[theme]}}}'
                          f'.{name}-line{{stroke:{pair[theme]};fill:none}}'
                          for name, pair in COLORS.items()])
        rules.append(f'@media (prefers-color-scheme:dark){{{colors}}}' if theme else colors)
    return '\n'.join(rules)

def picture(height, title, description, parts, css=''):
    """A whole SVG file, on a panel of its own: it is read on any page."""
    lines = [tag('title', html.escape(title), id='title'),
             tag('desc', html.escape(description), id='desc'),
             tag('style', '\n' + styles() + '\n' + css),
             rect(0.5, 0.5, WIDTH - 1, height - 1, 'panel', rx=8.0),
             rect(0.5, 0.5, WIDTH - 1, height - 1, 'edge-line', rx=8.0)]
    body = '\n'.join(lines + list(parts))
    svg = tag('svg', f'\n{body}\n', xmlns='http://www.w3.org/2000/svg', role='img',
              width=WIDTH, height=height, viewBox=f'0 0 {WIDTH} {height}',
              aria_labelledby='title desc')
    return svg.encode('ascii', 'xmlcharrefreplace').decode('ascii') + '\n'


# 2. What the trained models do.

def load(folder):
    """{program: (state_dict, vocab)} of the trained models."""
    names = {program: program.PROGRAM for program in (microdiffusion, microgpt)}
    return {name: program.load(os.path.join(folder, name + '.json'))
            for program, name in names.items()}

def likeliest(program, logits, tokens, vocab):
    """(character, probability) of the likeliest of these tokens."""
    probs = program.softmax([logits[token] for token in tokens])
    p, token = max([(p.data, token) for p, token in zip(probs, tokens)])
    return vocab[token], p

def emerging(state_dict, vocab, seed):
    """Each denoising step: (step, {position: guess}, {position: revealed character})."""
    lab, before = microdiffusion, [microdiffusion.MASK] * microdiffusion.block_size
    for step, _, after in lab.denoise(state_dict, before, random.Random(seed)):
        masked = [n for n, token in enumerate(before) if token == lab.MASK]
        guesses = {}
        for n, logits in zip(masked, lab.mask_predictor(state_dict, before, masked)):
            tokens = lab.allowed(before, n, 0, len(vocab))
            guesses[n] = likeliest(lab, logits, tokens, vocab)
        yield step, guesses, {n: vocab[after[n]] for n in masked if after[n] != lab.MASK}
        before = after

def growing(state_dict, vocab, seed):
    """The same of each letter that the GPT writes, and of the end of its name."""
    letters = microgpt.generate(state_dict, [], random.Random(seed))
    tokens = (letters + [microgpt.BOS])[:microgpt.block_size - 1]
    for n, logits in enumerate(microgpt.gpt(state_dict, [microgpt.BOS] + tokens[:-1])):
        guess = likeliest(microgpt, logits, range(len(vocab)), vocab)
        yield n + 1, {n: guess}, {n: vocab[tokens[n]]}

FRAMES = {'microdiffusion': emerging, 'microgpt': growing}

def attention_weights(program, model, *args):
    """All rows of attention weights that a call of the model works out, in that order."""
    rows, softmax = [], program.softmax

    def recorded(*scores):
        probs = softmax(*scores)
        rows.append([p.data for p in probs])
        return probs

    with mock.patch.object(program, 'softmax', recorded):
        model(*args)
    return rows


# 3. The moving picture: both programs write a name, on one clock.

Clock = collections.namedtuple('Clock', 'start guess keep pause steps windows')

def begins(clock, step):
    """When the guesses of a step are shown, in seconds; what it keeps follows."""
    return clock.start + step * (clock.guess + clock.keep)

def during(clock, start, end=None):
    """The class of what is shown from start to end only, or to the end of it all."""
    return clock.windows.setdefault((start, end), f'w{len(clock.windows)}')

def animation(clock):
    """The style sheet of the clock; who wants no motion sees the end."""
    total = begins(clock, clock.steps) + clock.pause
    rules = []
    for (start, end), name in clock.windows.items():
        frames = '0%{opacity:0}' if start else ''
        frames += f'{num(100 * start / total)}%{{opacity:1}}'
        frames += f'{num(100 * end / total)}%{{opacity:0}}' if end else ''
        rules.append(f'.{name}{{opacity:{0 if end else 1};'
                     f'animation:{name} {num(total)}s step-end infinite}}\n'
                     f'@keyframes {name}{{{frames}}}')
    rules.append('@media (prefers-reduced-motion:reduce){*{animation:none!important}}')
    return '\n'.join(rules)

def letter(n, y, char, classes, **attributes):
    """A character at a position of a name."""
    return text(INDENT + CELL * (n + 0.5), y, char, f'name {classes}', 'middle', **attributes)

def film(clock, y, frames):
    """The guesses and the kept characters of one program, a frame with each evaluation."""
    parts = []
    for i, (_, guesses, kept) in enumerate(frames):
        now, then = begins(clock, i), begins(clock, i + 1)
        shown = {during(clock, now, now + clock.guess): kept,
                 during(clock, now, then): set(guesses) - set(kept)}
        for window, positions in shown.items():
            parts.append(tag('g', ''.join([
                letter(n, y, guesses[n][0], 'ink',
                       fill_opacity=f'{0.2 + 0.6 * guesses[n][1]:.2f}')
                for n in sorted(positions)]), class_=window))
        for color, faint, window in (('blue', 'blue', during(clock, now + clock.guess, then)),
                                     ('ink', 'dim', during(clock, then))):
            parts.append(tag('g', ''.join([
                letter(n, y, char, faint if char == PAD else f'{color} kept')
                for n, char in sorted(kept.items())]), class_=window))
    return [part for part in parts if '<text' in part]

def captions(clock, y, first, lines, last):
    """The words beside a heading: one line at a time, on the clock."""
    parts = [text(748, y, first, f'label dim {during(clock, 0, begins(clock, 0))}', 'end')]
    for i, words in enumerate(lines):
        window = during(clock, begins(clock, i), begins(clock, i + 1))
        parts.append(text(748, y, words, f'label dim {window}', 'end'))
    window = during(clock, begins(clock, len(lines)))
    return parts + [text(748, y, last, f'label dim {window}', 'end')]

def spelled(frames):
    """The name that has emerged, without what fills it up."""
    characters = {n: char for *_, kept in frames for n, char in kept.items()}
    return ''.join([characters[n] for n in sorted(characters)]).rstrip('.')

def moving(models):
    """The opening picture: a name emerges from masks; below, the GPT writes one."""
    diffusion, gpt = [list(FRAMES[name](*models[name], seed))
                      for name, seed in MOVING_SEEDS.items()]
    clock = Clock(1.0, 0.5, 0.4, 4.0, max(len(diffusion), len(gpt)), {})
    total = microdiffusion.block_size

    parts = [text(52, 42, 'microdiffusion: all at once, in any order', 'head ink'),
             text(52, 182, 'microgpt: from left to right', 'head ink')]
    lines = []
    for i, (step, _, kept) in enumerate(diffusion):
        window = during(clock, 0, begins(clock, i) + clock.guess)
        middles = [INDENT + CELL * (n + 0.5) for n in sorted(kept)]
        parts += [line(x - 12, 116, x + 12, 116, f'dim-line {window}', stroke_width=2)
                  for x in middles]
        lines.append(f'step {step} of {diffusion[-1][0]}')
    parts += captions(clock, 42, f'{total} masks', lines,
                      f'{diffusion[-1][0]} steps, {len(diffusion)} evaluations')
    lines = [f'letter {n}' for n, *_ in gpt[:-1]] + ['the end']
    parts += captions(clock, 182, 'nothing yet', lines, f'{len(gpt)} evaluations')
    parts += film(clock, 106, diffusion) + film(clock, 236, gpt)
    parts += [line(52, 268, 748, 268, 'edge-line'),
              text(52, 294, 'grey: the likeliest letter, fainter where less sure', 'note dim'),
              text(494, 294, 'blue: just kept', 'note blue', 'middle'),
              text(748, 294, 'a dot: the name has ended', 'note dim', 'end')]
    description = (
        f'Above, {total} masks become the name {spelled(diffusion)} in '
        f'{len(diffusion)} evaluations of the mask predictor. Each shows its '
        'likeliest letter for every masked position in grey, fainter where it is '
        'less sure, and keeps a few, in any order; dots fill up what follows the '
        f'name. Below, on the same clock, the GPT writes {spelled(gpt)} from left to '
        f'right, a letter with each of {len(gpt)} evaluations; the last ends the name.')
    return picture(316, 'A name emerges from masks; below it, a GPT writes one',
                   description, parts, animation(clock))


# 4. The same for print: finished names, and which step revealed what.

def luminance(rgb):
    """The relative luminance of three numbers up to 255, as WCAG 2 defines it."""
    r, g, b = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4
               for c in rgb]
    return 0.2126 * r + 0.7152 * g + 0.0722 * b

def shade(share):
    """The colour at a place from 0 to 1 of the ramp, and the ink that reads on it."""
    place = share * (len(RAMP) - 1)
    n = min(int(place), len(RAMP) - 2)
    low, high = [[int(color[k:k + 2], 16) for k in (1, 3, 5)] for color in RAMP[n:n + 2]]
    rgb = [round(a + (b - a) * (place - n)) for a, b in zip(low, high)]
    ink = '#ffffff' if luminance(rgb) < 0.18 else '#000000'
    return '#%02x%02x%02x' % tuple(rgb), ink

def revealed_cell(x, y, char, step, steps):
    """A character of a finished name over the step that revealed it."""
    if char == PAD:
        return [rect(x + 1, y, CELL - 2, 46, 'edge-line', rx=4),
                text(x + CELL / 2, y + 21, char, 'cell dim', 'middle'),
                text(x + CELL / 2, y + 39, str(step), 'note dim', 'middle')]
    fill, ink = shade((step - 1) / max(1, steps - 1))
    return [rect(x + 1, y, CELL - 2, 46, 'edge-line', rx=4, style=f'fill:{fill}'),
            text(x + CELL / 2, y + 21, char, 'cell kept', 'middle', fill=ink),
            text(x + CELL / 2, y + 39, str(step), 'note', 'middle', fill=ink)]

def still(models):
    """Finished names, each letter coloured and numbered by the step that revealed it."""
    parts = [text(48, 40, 'Which step revealed which letter', 'head ink')]
    names = []
    for row, seed in enumerate(STILL_SEEDS):
        frames = list(emerging(*models['microdiffusion'], seed))
        steps = frames[-1][0]
        names.append(spelled(frames))
        for step, _, kept in frames:
            for n, char in sorted(kept.items()):
                parts += revealed_cell(INDENT + CELL * n, 62 + 54 * row, char, step, steps)
    y = 62 + 54 * len(STILL_SEEDS)
    for step in range(steps):
        parts.append(rect(552 + 176 / steps * step, 27, 176 / steps, 16, 'edge-line',
                          style=f'fill:{shade(step / max(1, steps - 1))[0]}'))
    parts += [text(544, 40, 'step 1', 'note dim', 'end'),
              text(752, 40, str(steps), 'note dim', 'end'),
              text(48, y + 18, 'The number is the step; dots fill up what follows a name.',
                   'note dim')]
    description = (
        f'{len(names)} finished names of the diffusion model: {", ".join(names)}. '
        f'Under each character stands the denoising step, 1 to {steps}, that revealed '
        'it, and its colour is the darker the later. They were not revealed from '
        'left to right.')
    return picture(y + 34, 'Finished names, and the step that revealed each letter',
                   description, parts)


# 5. Where the heads look.

def axis_letters(x, y, labels, down):
    """The letters along an axis of a heat map, the hidden ones in another colour."""
    parts = []
    for hidden, classes in ((False, 'axis dim'), (True, 'axis orange kept')):
        places = [n for n, char in enumerate(labels) if (char == MASK) == hidden]
        middles = [SQUARE * n + SQUARE / 2 for n in places]
        xs, ys = [x + middle for middle in middles], [y - 6 - 3 * hidden for _ in middles]
        if down:                            # and a line that is low is raised to its row
            xs = [x - 9 for _ in middles]
            ys = [y + middle + 4 - 3 * hidden for middle in middles]
        if places:
            parts.append(tag('text', ''.join([labels[n] for n in places]), class_=classes,
                             x=' '.join(map(num, xs)), y=' '.join(map(num, ys)),
                             text_anchor='middle'))
    return parts

def heat_map(x, y, rows, labels, heading):
    """Attention weights as squares; a row is the position that looks."""
    levels = collections.defaultdict(str)
    for row, weights in enumerate(rows):
        for column, weight in enumerate(weights):
            if round(10 * weight):
                corner = f'M{num(x + SQUARE * column)} {num(y + SQUARE * row)}'
                levels[round(10 * weight)] += f'{corner}h{SQUARE}v{SQUARE}h-{SQUARE}z'
    width = SQUARE * len(labels)
    squares = [tag('path', d=levels[level], class_='blue', fill_opacity=f'{level / 10:.1f}')
               for level in sorted(levels)]
    return [text(x, y - 24, heading, 'note ink'), *squares,
            rect(x, y, width, width, 'edge-line'),
            *axis_letters(x, y, labels, False), *axis_letters(x, y, labels, True)]

def all_heads(models):
    """(heading, labels, rows of weights) for every head of both models, on one name."""
    hidden, name = LOOKED_AT
    state_dict, vocab = models['microdiffusion']
    tokens = [vocab.index(char) for char in hidden.ljust(microdiffusion.block_size, '.')]
    heads, size = microdiffusion.heads, len(tokens)
    rows = attention_weights(microdiffusion, microdiffusion.mask_predictor, state_dict, tokens)
    labels = microdiffusion.decode(tokens, vocab)
    for n in range(len(rows) // size):      # head by head, all positions of each
        layer, head = divmod(n, len(heads))
        yield (f'layer {layer + 1}, head {head + 1}, looks {SIDES[heads[head]]}', labels,
               rows[n * size:(n + 1) * size])

    state_dict, vocab = models['microgpt']
    tokens = [microgpt.BOS] + [vocab.index(char) for char in name]
    rows = attention_weights(microgpt, microgpt.gpt, state_dict, tokens)
    labels = microgpt.decode(tokens, vocab)
    for head, look in enumerate(microgpt.heads):        # position by position, all heads of each
        yield (f'GPT, head {head + 1}, looks {SIDES[look]}', labels,
               rows[head::len(microgpt.heads)])

def attention(models):
    """Heat maps of the attention weights, a layer in a row."""
    hidden, name = LOOKED_AT
    parts = [text(40, 40, 'Where the heads look', 'head ink'),
             text(40, 64, 'Each row is a position that looks, each column one that it looks '
                          'at; orange: a hidden letter.', 'note dim')]
    columns = len(microdiffusion.heads)
    for n, (heading, labels, rows) in enumerate(all_heads(models)):
        x, y = 50 + 186 * (n % columns), 126 + 216 * (n // columns)
        parts += heat_map(x, y, rows, labels, heading)
        bottom = y + SQUARE * len(labels)
    notes = ('To a head that looks left, the neighbour on the left is nearest, and the first '
             'position looks on around', 'the end, at the top right. In the GPT nothing stands '
             'to the right yet, nor around the end.')
    parts += [text(40, bottom + 28 + 18 * n, note, 'note dim') for n, note in enumerate(notes)]
    description = (
        'Heat maps of attention weights, four heads in each row. Above, both layers '
        f'of the mask predictor on {hidden}, where _ is a hidden letter, and what '
        'fills it up: the heads that look left have their weights just below the '
        'diagonal, those that look right just above it, and both reach around the '
        f'end. Below, the heads of the GPT on {name}: all below the diagonal, or on '
        'it.')
    return picture(bottom + 64, 'Where the heads look: attention weights on a name',
                   description, parts)


# 6. Curves: what was measured, and density times weight.

Plot = collections.namedtuple('Plot', 'left top width height low high')       # low, high: the corners' (x, y)

def place(plot, x, y):
    """Where the point (x, y) is drawn."""
    (x_low, y_low), (x_high, y_high) = plot.low, plot.high
    return (plot.left + plot.width * (x - x_low) / (x_high - x_low),
            plot.top + plot.height * (y_high - y) / (y_high - y_low))

def axes(plot, x_ticks, y_ticks, x_words, y_words):
    """A grid and its labels: ticks are pairs of a number and what is written there."""
    parts = []
    for y, words in y_ticks:
        left, middle = place(plot, plot.low[0], y)
        parts += [line(left, middle, left + plot.width, middle, 'edge-line'),
                  text(left - 10, middle + 4.5, words, 'note dim', 'end')]
    for x, words in x_ticks:
        middle, bottom = place(plot, x, plot.low[1])
        parts += [line(middle, bottom, middle, bottom + 5, 'edge-line'),
                  text(middle, bottom + 20, words, 'note dim', 'middle')]
    right, bottom = plot.left + plot.width, plot.top + plot.height
    return parts + [text(plot.left - 10, plot.top - 14, y_words, 'note dim'),
                    text(right, bottom + 40, x_words, 'note dim', 'end')]

def spaced(heights, gap):
    """The heights, moved as little as they must be to have so much between them."""
    order = sorted(range(len(heights)), key=heights.__getitem__)
    groups = []                 # [the mean of heights that touch, how many], less the gaps
    for rank, n in enumerate(order):
        groups.append([heights[n] - gap * rank, 1])
        while len(groups) > 1 and groups[-2][0] > groups[-1][0]:
            (one, count), (other, more) = groups[-2:]
            groups[-2:] = [[(one * count + other * more) / (count + more), count + more]]
    starts = [start for start, count in groups for _ in range(count)]
    return [starts[order.index(n)] + gap * order.index(n) for n in range(len(heights))]

def marks(points, role, square):
    """A curve with its measured points: round or square, so that no colour is needed."""
    shapes = [rect(x - 4, y - 4, 8, 8, role) if square else
              tag('circle', cx=x, cy=y, r=4.5, class_=role) for x, y in points]
    return [path(points, f'{role}-line', stroke_width=2)] + shapes

def labelled(plot, curves, levels):
    """Curves {name: {x: y}} and level lines {name: y}, named at their right ends."""
    parts, ends = [], []
    for name, value in levels.items():
        x, y = place(plot, plot.high[0], value)
        role = ROLES.get(name, 'dim')
        parts.append(line(plot.left, y, x, y, f'{role}-line', stroke_dasharray='2 5',
                          stroke_width=1.5))
        ends.append((x, y, f'{name} {value:.2f}', role))
    for name, curve in curves.items():
        points = [place(plot, x, y) for x, y in curve.items()]
        parts += marks(points, ROLES[name], name == 'microgpt')
        ends.append((*points[-1], f'{name} {curve[max(curve)]:.2f}', ROLES[name]))
    right = plot.left + plot.width + 22
    for (x, y, words, role), height in zip(ends, spaced([end[1] for end in ends], 19)):
        parts += [path([(x + 7, y), (right - 4, height)], 'edge-line'),
                  text(right, height + 4.5, words, f'label {role}')]
    return parts

def ticks(values, step):
    """Ticks that hold all values between them, so far apart."""
    first, last = math.floor(min(values) / step), math.ceil(max(values) / step)
    return [(step * n, f'{step * n:g}') for n in range(first, last + 1)]

def held_out(models):
    """Held-out nats against the examples seen, and what n-gram models reach."""
    measured = [point for curve in HELD_OUT.values() for point in curve.items()]
    y_ticks = ticks([y for _, y in measured] + list(NGRAMS.values()), 0.5)
    seen = sorted({x for x, _ in measured})
    plot = Plot(60, 84, 500, 290, (0, y_ticks[0][0]), (max(seen), y_ticks[-1][0]))
    parts = [text(50, 40, 'What names cost that training never saw', 'head ink')]
    parts += axes(plot, [(x, f'{x:,}') for x in seen], y_ticks, 'examples seen in training',
                  'nats per name, the lower the better; of microdiffusion an upper bound')
    parts += labelled(plot, HELD_OUT, NGRAMS)
    figures = [f'{name} {y:.2f} after {x}' for name, curve in HELD_OUT.items()
               for x, y in curve.items()]
    levels = [f'{name} {y:.2f}' for name, y in NGRAMS.items()]
    description = (
        f'Nats per held-out name against the examples seen in training: {", ".join(figures)}. '
        f'Level lines: {", ".join(levels)}. '
        'The figure of microdiffusion is an upper bound, the others are exact.')
    return picture(430, 'Held-out nats against examples seen', description, parts)

def quality(models):
    """Denoising steps against the quality of the names."""
    y_ticks = ticks([*QUALITY.values(), *COMPARED.values()], 0.5)
    most = math.log2(max(QUALITY))
    plot = Plot(60, 84, 520, 250, (0, y_ticks[0][0]), (most, y_ticks[-1][0]))
    parts = [text(50, 40, 'How many denoising steps are enough', 'head ink')]
    parts += axes(plot, [(math.log2(steps), str(steps)) for steps in QUALITY], y_ticks,
                  'denoising steps',
                  'nats per character under a 4-gram model, the lower the better')
    curve = {math.log2(steps): nats for steps, nats in QUALITY.items()}
    parts += labelled(plot, {'microdiffusion': curve}, COMPARED)
    figures = ', '.join([f'{nats:.2f} with {steps}' for steps, nats in QUALITY.items()])
    levels = [f'{name} {y:.2f}' for name, y in COMPARED.items()]
    description = (
        'Nats per character of written names under a 4-gram model, against the '
        f'number of denoising steps: {figures}. For comparison: '
        f'{", ".join(levels)}.')
    return picture(390, 'Denoising steps against quality', description, parts)

def small_plot(left, top, function, start, role, words):
    """A shaded curve over t from start to 1, cut off at the top, with t_min marked."""
    plot = Plot(left, top, 190, 120, (0, 0), (1, 8))
    t_min = microdiffusion.t_min
    grid = [start + (1 - start) * n / 80 for n in range(81)]
    points = [place(plot, t, function(t)) for t in grid if function(t) <= plot.high[1]]
    base = top + plot.height
    area = [(points[0][0], base), *points, (points[-1][0], base)]
    middle = place(plot, t_min, 0)[0]
    return [path(area, role, fill_opacity='.18'),
            path(points, f'{role}-line', stroke_width=2),
            line(middle, top, middle, base, 'dim-line', stroke_dasharray='2 4'),
            line(left, base, left + plot.width, base, 'dim-line'),
            text(left, base + 17, '0', 'note dim', 'middle'),
            text(middle, base + 17, 't_min', 'note dim', 'middle'),
            text(left + plot.width, base + 17, 't = 1', 'note dim', 'middle'),
            text(left + plot.width / 2 + 24, top + 30, words, 'label ink', 'middle')]

def density(models):
    """Why a log-uniform t needs no weight of 1/t: density times weight is the same."""
    t_min = microdiffusion.t_min
    scale = math.log(1 / t_min)
    rows = [('t drawn uniformly from 0 to 1', 1e-9, [
        ('1', lambda t: 1), ('1/t', lambda t: 1 / t), ('1/t', lambda t: 1 / t)]),
        (f't drawn log-uniformly from t_min = {t_min:g} to 1', t_min, [
            (f'1 / (t ln {1 / t_min:g})', lambda t: 1 / t / scale),
            (f'ln {1 / t_min:g} = {scale:.2f}', lambda t: scale), ('1/t', lambda t: 1 / t)])]
    parts = [text(40, 40, 'Why a log-uniform t takes the 1/t out of the loss', 'head ink')]
    for x, words in ((40, 'density: how often t is drawn'), (300, 'weight of its loss'),
                     (560, 'product: what t counts')):
        parts.append(text(x, 72, words, 'label dim'))
    for row, (heading, start, curves) in enumerate(rows):
        top = 122 + 190 * row
        parts.append(text(40, top - 18, heading, 'label ink'))
        for column, (words, function) in enumerate(curves):
            role = 'orange' if column == 2 else 'blue'
            parts += small_plot(40 + 260 * column, top, function, start, role, words)
        for x, sign in ((265, '\u00d7'), (525, '=')):
            parts.append(text(x, top + 62, sign, 'name dim', 'middle'))
    description = (
        'Two rows of three curves over the noise level t: density times weight is '
        'what t counts. Drawn uniformly, t has the density 1 and needs the weight '
        '1/t, which grows without end towards 0. Drawn log-uniformly from t_min = '
        f'{t_min:g} to 1, its density is 1/t divided by ln {1 / t_min:g}, and the '
        f'constant weight ln {1 / t_min:g} = {scale:.2f} gives the same 1/t from '
        't_min on.')
    note = (f'From t_min on, both products are the same: a plain sum times ln {1 / t_min:g}. '
            'Below t_min, training sees nothing.')
    parts.append(text(40, 478, note, 'note dim'))
    return picture(498, 'Density times weight: why log-uniform t takes the 1/t', description,
                   parts)


# 7. A computation graph.

def edge(start, end, slope):
    """An arrow from a child to what was made of it, with the local gradient on it."""
    x, y = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
    return [path([start, end], 'dim-line', stroke_width=1.5, marker_end='url(#tip)'),
            rect(x - 14, y - 12, 28, 24, 'panel'),
            text(x, y + 5, f'{slope:g}', 'code dim', 'middle')]

def node_box(x, y, words, node):
    """A Value: what it is, its data and its grad."""
    return [rect(x, y, 190, 76, 'dim-line', rx=8),
            text(x + 95, y + 25, words, 'code ink kept', 'middle'),
            line(x, y + 38, x + 190, y + 38, 'edge-line'),
            text(x + 14, y + 62, f'data {node.data:g}', 'code blue'),
            text(x + 176, y + 62, f'grad {node.grad:g}', 'code orange', 'end')]

def graph(models):
    """a * b + a ** 2 as a graph of Values, with what backward() leaves in each."""
    a, b = microdiffusion.Value(2.0), microdiffusion.Value(-3.0)
    product, square = a * b, a ** 2
    total = product + square
    total.backward()
    boxes = {'b': (b, 30, 84), 'a': (a, 30, 214), 'a * b': (product, 305, 84),
             'a ** 2': (square, 305, 214), 'a * b + a ** 2': (total, 580, 149)}
    places = {id(node): (x, y) for node, x, y in boxes.values()}

    tip = tag('marker', tag('path', d='M0 0L8 4L0 8z', class_='dim'), id='tip', orient='auto',
              markerWidth=8, markerHeight=8, refX=8, refY=4)
    parts = [tag('defs', tip),
             text(30, 42, 'The graph of a * b + a ** 2, after backward()', 'head ink')]
    for words, (node, x, y) in boxes.items():
        for child, slope in zip(node._children, node._local_grads):
            x0, y0 = places[id(child)]
            parts += edge((x0 + 190, y0 + 38), (x - 1, y + 38 + (y0 - y) / 6), slope)
        parts += node_box(x, y, words, node)
    ways = ' + '.join([f'{slope:g} * {node.grad:g}' for node in (product, square)
                       for child, slope in zip(node._children, node._local_grads)
                       if child is a])
    parts += [text(30, 324, 'data: worked out along the arrows', 'label blue'),
              text(30, 348, 'grad: passed back against them, times the number on each',
                   'label orange'),
              text(30, 372, f'a is used twice, and both ways add up: {ways} = {a.grad:g}',
                   'label ink')]
    figures = '; '.join([f'{words} has data {node.data:g} and grad {node.grad:g}'
                         for words, (node, _, _) in boxes.items()])
    description = (
        'Boxes from left to right, joined by arrows that bear the local gradients. '
        f'{figures}. The grad of a is the sum over its two ways, {ways}.')
    return picture(394, 'The graph of a * b + a ** 2 with data and gradients', description,
                   parts)


# 8. The command.

PICTURES = {'moving': moving, 'still': still, 'attention': attention, 'held_out': held_out,
            'density': density, 'graph': graph, 'steps': quality}

def list_names(models, count):
    """Print the names of the first seeds, to choose from."""
    for seed in range(count):
        print(seed, *[spelled(FRAMES[name](*models[name], seed)) for name in FRAMES])

def main(argv=None):
    """Write all pictures, or list names to choose seeds from."""
    parser = argparse.ArgumentParser('python -m tests.pictures',
                                     description='Draw the pictures of the pages.')
    option = parser.add_argument
    option('--models', metavar='FOLDER', default=MODELS, help='of the trained models')
    option('--out', metavar='FOLDER', default=FOLDER, help='where to write them')
    option('--names', metavar='N', type=int, help='list the names of the first N seeds instead')
    args = parser.parse_args(argv)
    models = load(args.models)
    if args.names:
        list_names(models, args.names)
        return
    os.makedirs(args.out, exist_ok=True)
    for name, draw in PICTURES.items():
        svg = draw(models)
        kept = os.path.join(args.out, name + '.svg')
        with open(kept, 'w', encoding='ascii', newline='\n') as file:
            file.write(svg)
        print(f'{name}.svg: {len(svg)} bytes')


if __name__ == '__main__':
    main()

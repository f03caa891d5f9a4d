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

SEED = 0                                # of the names in moving; still has six, from this seed on
LOOKED_AT = {microdiffusion: 'chr__top_er.', microgpt: '.christopher'}  # by the attention heads
HEADS = [(microdiffusion, 0, 0), (microdiffusion, 0, 2),        # (program, layer, head)
         (microdiffusion, 1, 3), (microgpt, 0, 1)]

# Each colour for a light page and for a dark one; each kind of text with its font and its size.
COLORS = {'panel': ('#ffffff', '#0d1117'), 'edge': ('#d0d7de', '#30363d'),
          'ink': ('#1f2328', '#e6edf3'), 'dim': ('#59636e', '#9198a1'),
          'blue': ('#0969da', '#58a6ff'), 'orange': ('#bc4c00', '#f0883e')}
ROLES = {'microdiffusion': 'blue', 'microgpt': 'orange'}
SANS = 'system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif'
MONO = 'ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace'
FONTS = {'head': (SANS, 20), 'label': (SANS, 16), 'note': (SANS, 15),
         'name': (MONO, 30), 'cell': (MONO, 21), 'code': (MONO, 16)}

MASK, PAD = microdiffusion.SPECIAL      # as they are shown; BOS is shown like PAD
WIDTH, MARGIN = 640, 26
CELL = 42                               # how wide a position of a name is
SCALE = 1.2                             # how large a picture is shown where there is room


# 1. SVG as text.

def num(x):
    """A number, rounded to a tenth of a pixel."""
    return f'{round(x, 1) + 0.0:g}'

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
    rules.append('.head,.bold{font-weight:600}')
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

def emerging(state_dict, vocab, seed):
    """Each denoising step: (step, {position: guess}, {position: revealed character})."""
    hidden, before = microdiffusion.MASK, [microdiffusion.MASK] * microdiffusion.block_size
    for step, _, after in microdiffusion.denoise(state_dict, before, random.Random(seed)):
        logits = microdiffusion.mask_predictor(state_dict, before)
        guesses = {n: likeliest(microdiffusion, logits[n], vocab)
                   for n, token in enumerate(before) if token == hidden}
        yield step, guesses, {n: vocab[after[n]] for n in guesses if after[n] != hidden}
        before = after

def growing(state_dict, vocab, seed):
    """The same of each letter that the GPT writes, and of the end of its name."""
    tokens = microgpt.generate(state_dict, [], random.Random(seed)) + [microgpt.BOS]
    for n, logits in enumerate(microgpt.gpt(state_dict, [microgpt.BOS] + tokens[:-1])):
        yield n + 1, {n: likeliest(microgpt, logits, vocab)}, {n: vocab[tokens[n]]}

def spelled(frames):
    """The name that has emerged, without what fills it up."""
    characters = {n: char for *_, revealed in frames for n, char in revealed.items()}
    return ''.join([characters[n] for n in sorted(characters)]).rstrip(PAD)

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


# 3. The moving picture: both programs write a name. Its time goes by in ticks of half a second.

def shown(start, end=''):
    """The class of what is shown from a tick to another, or from a tick to the end."""
    return f'from{start}to{end}'

def animation(body):
    """The rules for what is shown when. Who wants no motion sees the end."""
    times = [(int(start), end and int(end))
             for start, end in sorted(set(re.findall(r'from(\d+)to(\d*)', body)))]
    total = max([start for start, _ in times], default=0) + 10      # the end stays for 5 s
    rules = []
    for start, end in times:
        turns = {0: 0, start: 1, **({end: 0} if end else {})}
        frames = ''.join([f'{num(100 * tick / total)}%{{opacity:{opacity}}}'
                          for tick, opacity in turns.items()])
        name = shown(start, end)
        rules.append(f'.{name}{{opacity:{0 if end else 1};animation:{name} {num(total / 2)}s '
                     f'step-end infinite}}\n@keyframes {name}{{{frames}}}')
    if rules:
        rules.append('@media (prefers-reduced-motion:reduce){*{animation:none!important}}')
    return rules

def row(y, characters, classes, window, **attributes):
    """Characters {position: character} of a name, for a time."""
    letters = [text(MARGIN + CELL * (n + 0.5), y, char, classes, 'middle', **attributes)
               for n, char in sorted(characters.items())]
    return [tag('g', ''.join(letters), class_=window)] if letters else []

def film(y, heading, frames, captions):
    """A program at work: guesses in grey, what it reveals in blue, and the step under it."""
    parts, right = [text(MARGIN, y - 62, heading, 'head ink')], WIDTH - MARGIN
    for i, ((step, guesses, revealed), caption) in enumerate(zip(frames, captions)):
        now, then, end = 2 * i + 2, 2 * i + 3, 2 * i + 4        # first the guesses, then the rest
        parts.append(text(right, y - 62, caption, f'label dim {shown(now, end)}', 'end'))
        for n, (char, p) in sorted(guesses.items()):
            parts += row(y, {n: char}, 'name dim', shown(now, then if n in revealed else end),
                         fill_opacity=0.25 + 0.75 * p)
        letters = {n: char for n, char in revealed.items() if char != PAD}
        dots = {n: char for n, char in revealed.items() if char == PAD}
        parts += row(y, letters, 'name blue bold', shown(then, end))
        parts += row(y, letters, 'name ink bold', shown(end))
        parts += row(y, dots, 'name dim', shown(then))
        parts += row(y + 30, dict.fromkeys(revealed, str(step)), 'note dim', shown(then))
    return parts + [text(right, y - 62, f'done: the model ran {len(frames)} times',
                         f'label dim {shown(end)}', 'end')]

def moving(models):
    """The opening picture: a name emerges from masks; below it, the GPT writes one."""
    diffusion = list(emerging(*models[microdiffusion], SEED))
    gpt = list(growing(*models[microgpt], SEED))
    total, end = microdiffusion.block_size, 2 * max(len(diffusion), len(gpt)) + 2
    parts = film(108, 'microdiffusion: in any order', diffusion,
                 [f'step {step} of {diffusion[-1][0]}' for step, *_ in diffusion])
    for i, (*_, revealed) in enumerate(diffusion):
        parts += row(112, dict.fromkeys(revealed, MASK), 'name dim', shown(0, 2 * i + 3))
    parts += [text(WIDTH - MARGIN, 46, f'{total} masks', f'label dim {shown(0, 2)}', 'end')]
    parts += film(248, 'microgpt: from left to right', gpt,
                  [f'letter {n}' for n in range(1, len(gpt))] + ['the end'])
    parts += [line([(MARGIN, 300), (WIDTH - MARGIN, 300)], 'edge-line'),
              text(MARGIN, 328, 'Grey: a guess, fainter where less sure.',
                   f'note dim {shown(0, end)}'),
              text(MARGIN + 330, 328, 'Blue: just revealed.', f'note blue {shown(0, end)}'),
              text(MARGIN, 328, 'Each number is the step of its letter. A dot ends a name.',
                   f'note dim {shown(end)}')]
    description = (
        f'Above, {total} masks become the name {spelled(diffusion)}. The diffusion model runs '
        f'{len(diffusion)} times. Each time it guesses every masked letter, and a few are '
        f'revealed, in any order. Below, the GPT writes {spelled(gpt)} from left to right. It '
        f'runs {len(gpt)} times: once for each letter, and once for the end.')
    return picture(346, 'A name emerges from masks, and a GPT writes one from left to right',
                   description, parts)


# 4. The same for print: finished names, and the step that revealed each letter.

def still(models):
    """Finished names, each letter numbered and coloured by the step that revealed it."""
    parts = [text(MARGIN, 46, 'Which step revealed which letter?', 'head ink')]
    names, top = [], 68
    for n_row in range(6):
        frames = list(emerging(*models[microdiffusion], SEED + n_row))
        names.append(spelled(frames))
        last = frames[-1][0]
        for step, _, revealed in frames:
            for n, char in sorted(revealed.items()):
                x, y, faint = MARGIN + CELL * n, top + 58 * n_row, char == PAD
                if not faint:
                    parts.append(rect(x + 1, y, CELL - 2, 52, 'blue', rx=4,
                                      fill_opacity=f'{0.05 + 0.4 * (step / last) ** 2:.2f}'))
                parts += [rect(x + 1, y, CELL - 2, 52, 'edge-line', rx=4),
                          text(x + CELL / 2, y + 23, char,
                               'cell dim' if faint else 'cell ink bold', 'middle'),
                          text(x + CELL / 2, y + 44, str(step),
                               'note dim' if faint else 'note ink', 'middle')]
    bottom = top + 58 * len(names)
    parts.append(text(MARGIN, bottom + 18, 'The stronger the blue, the later the step. Dots fill '
                                           'the places behind a name.', 'note dim'))
    description = (
        f'{len(names)} finished names of the diffusion model: {", ".join(names)}. Under each '
        f'letter stands the denoising step, from 1 to {last}, that revealed it. The steps do not '
        'go from left to right.')
    return picture(bottom + 36, 'Finished names, and the step that revealed each letter',
                   description, parts)


# 5. Where the heads look.

def heat_map(x, y, side, letters, rows, heading):
    """Attention weights as squares: a row for each position that looks, a column for each seen."""
    size = side * len(letters)
    parts = [text(x - 22, y - 34, heading), rect(x, y, size, size, 'edge-line')]
    for n, char in enumerate(letters):
        kind = 'code orange bold' if char == MASK else 'code dim'
        low = 5 if char == MASK else 0      # a _ hangs low, so it is raised
        parts += [text(x + side * (n + 0.5), y - 8 - low, char, kind, 'middle'),
                  text(x - 11, y + side * (n + 0.5) + 5 - low, char, kind, 'middle')]
        for column, weight in enumerate(rows[n]):
            if weight >= 0.05:              # less cannot be seen
                parts.append(rect(x + side * column, y + side * n, side, side, 'blue',
                                  fill_opacity=f'{weight:.1f}'))
    return parts

def attention(models):
    """Heat maps of four heads, on one name."""
    parts, side = [text(MARGIN, 46, 'Where do the heads look?', 'head ink')], 22
    for n, (program, layer, head) in enumerate(HEADS):
        rows = attention_weights(program, models[program], layer, head)
        looks = 'left' if program.heads[head] == program.LEFT else 'right'
        x, y = 48 + 302 * (n % 2), 118 + 338 * (n // 2)
        parts += heat_map(x, y, side, LOOKED_AT[program], rows,
                          f'{program.PROGRAM}, layer {layer + 1}, looks {looks}')
    bottom = y + side * len(rows)
    notes = ['Each row is a letter that looks. The stronger the blue, the more of its attention',
             'goes to the letter above that column. An orange line is a hidden letter.',
             'Where the name ends, a head of microdiffusion goes on at its other end.']
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

    digits = 2 if y_step < 1 else 1
    ends = []                               # (height, role, lines) of the names at the right
    for name, y in levels.items():
        role, height = ROLES.get(name, 'dim'), place(plot, 0, y)[1]
        parts.append(line([(plot.left, height), (right, height)], f'{role}-line',
                          stroke_dasharray='2 5', stroke_width=2))
        ends.append((height, role, [f'{name} {y:.{digits}f}']))
    for name, curve in curves.items():
        points = [place(plot, x, y) for x, y in curve.items()]
        parts += marks(points, ROLES[name])
        ends.append((points[-1][1], ROLES[name],
                     [f'{name} {curve[max(curve)]:.{digits}f}', *remarks.get(name, [])]))
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

def held_out(models):
    """Held-out nats against the examples seen, and what n-gram models reach."""
    curves, levels = measured('held_out'), measured('ngrams')
    words = ['How well do they know names they never saw?', 'nats per name: less is better',
             'examples seen']
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
    words = ['What if there are only two hundred names?',
             'nats per held-out name: less is better; a ring marks the lowest', 'training steps']
    most = max(curves['microgpt'])
    plot, parts = chart(words, curves, {}, {x: [f'{x:,}'] for x in range(0, most + 1, 500)}, 5,
                        {name: [f'{share:g} % of its names', 'are copies']
                         for name, share in copied.items()})
    best = {name: min(curve, key=curve.get) for name, curve in curves.items()}
    for name, count in best.items():
        nats, role = curves[name][count], ROLES[name]
        x, y = place(plot, count, nats)
        parts += [tag('circle', cx=x, cy=y, r=10, class_=f'{role}-line', stroke_width=2),
                  text(x, y + 30, f'{nats:.1f}', f'label {role} bold', 'middle')]
    lowest = {name: f'{curves[name][count]} at {count} steps' for name, count in best.items()}
    ends = {name: f'{curve[most]}, and {copied[name]:g} % of its names are copies'
            for name, curve in curves.items()}
    description = (
        'Nats per held-out name after training on 199 names, by the number of training steps. '
        f'The lowest: {in_words(lowest)}. After {most} steps: {in_words(ends)}.')
    return picture(400, 'Two hundred names: the GPT learns them by heart', description, parts)

def steps(models):
    """Denoising steps against evaluations and the quality of the names."""
    rows, levels = measured('steps'), measured('compared')
    words = ['How many denoising steps are enough?',
             'nats per character by a 4-gram model: lower is more usual',
             'denoising steps', 'evaluations a name']
    curve = {n: nats for n, (_, _, nats) in enumerate(rows)}
    _, parts = chart(words, {'microdiffusion': curve}, levels,
                     {n: [str(count), f'{evaluations:.1f}']
                      for n, (count, evaluations, _) in enumerate(rows)}, 0.5, {})
    points = ', '.join([f'{nats} with {count} steps and {evaluations} evaluations'
                        for count, evaluations, nats in rows])
    description = ('Nats per character of written names under a 4-gram model, by the number of '
                   f'denoising steps: {points}. For comparison: {in_words(levels)}.')
    return picture(424, 'Denoising steps against quality', description, parts)


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
    parts = [text(MARGIN, 46, 'How a log-uniform t takes the 1/t out of the loss', 'head ink')]
    for column, words in enumerate(('how often t comes', 'weight of its loss', 'what t counts')):
        parts.append(text(40 + 200 * column, 82, words, 'label dim'))
    for n, (heading, start, curves) in enumerate(rows):
        top = 140 + 194 * n
        parts.append(text(MARGIN, top - 22, heading, 'label ink bold'))
        for column, (words, function) in enumerate(curves):
            role = 'orange' if column == 2 else 'blue'
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
    """a * b + a ** 2 as a graph of Values, with what backward() leaves in each."""
    a, b = microdiffusion.Value(2.0), microdiffusion.Value(-3.0)
    product, square = a * b, a ** 2
    total = product + square
    total.backward()
    boxes = {'b': (b, 30, 84), 'a': (a, 30, 222), 'a * b': (product, 245, 84),
             'a ** 2': (square, 245, 222), 'a * b + a ** 2': (total, 460, 153)}
    places = {id(node): (x, y) for node, x, y in boxes.values()}
    wide, high = 150, 92

    tip = tag('marker', tag('path', d='M0 0L8 4L0 8z', class_='dim'), id='tip', orient='auto',
              markerWidth=8, markerHeight=8, refX=8, refY=4)
    parts = [tag('defs', tip),
             text(MARGIN, 46, 'The graph of a * b + a ** 2, after backward()', 'head ink')]
    for words, (node, x, y) in boxes.items():
        for child, slope in zip(node._children, node._local_grads):
            left, middle = places[id(child)]
            start, end = (left + wide, middle + high / 2), (x - 1, y + high / 2 + (middle - y) / 5)
            at = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
            parts += [line([start, end], 'dim-line', stroke_width=1.5, marker_end='url(#tip)'),
                      rect(at[0] - 13, at[1] - 12, 26, 24, 'panel'),
                      text(at[0], at[1] + 5, f'{slope:g}', 'code dim slope', 'middle')]
        parts += [rect(x, y, wide, high, 'dim-line', rx=8),
                  text(x + wide / 2, y + 27, words, 'code ink bold', 'middle'),
                  line([(x, y + 38), (x + wide, y + 38)], 'edge-line'),
                  text(x + wide / 2, y + 59, f'data {node.data:g}', 'code blue', 'middle'),
                  text(x + wide / 2, y + 81, f'grad {node.grad:g}', 'code orange', 'middle')]
    ways = f'{b.data:g} * {product.grad:g} + {2 * a.data:g} * {square.grad:g}'
    notes = [('The data are worked out along the arrows.', 'blue'),
             ('The grads go back against them, times the number on each arrow.', 'orange'),
             (f'a is used twice, and its two ways add up: {ways} = {a.grad:g}.', 'ink')]
    parts += [text(MARGIN, 350 + 25 * n, words, f'label {role}')
              for n, (words, role) in enumerate(notes)]
    figures = '; '.join([f'{words} has data {node.data:g} and grad {node.grad:g}'
                         for words, (node, _, _) in boxes.items()])
    description = ('Boxes from left to right, joined by arrows that bear the local gradients. '
                   f'{figures}. The grad of a is the sum over its two ways, {ways}.')
    return picture(420, 'The graph of a * b + a ** 2 with data and gradients', description, parts)


# 9. The command.

PICTURES = [moving, still, attention, held_out, few, steps, density, graph]

def main():
    """Draw every picture, and write it to its file."""
    models = load()
    for draw in PICTURES:
        svg = draw(models)
        with open(os.path.join(FOLDER, draw.__name__ + '.svg'), 'w', encoding='ascii',
                  newline='\n') as file:
            file.write(svg)
        print(f'{draw.__name__}.svg: {len(svg)} bytes')


if __name__ == '__main__':
    main()

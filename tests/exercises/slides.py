"""Build the slides of lesson 1: python -m tests.exercises.slides.

They are one file, slides.html, beside this one. What the models say in them comes from the trained
models, and the measured figures from tests/README.md, tests/figures.json and answers.py.
"""
import pathlib, sys
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))    # for an editor's Run button

import html
import json
import math
import os
import random
import re

import microdiffusion
import microgpt
from tests.exercises import answers, guess
from tests.pictures import FIGURES, line, load, num, rect, tag, text

HERE = os.path.dirname(os.path.abspath(__file__))
PAGE = os.path.join(HERE, 'slides.html')
MEASURED = os.path.join(os.path.dirname(HERE), 'README.md')
PROMPT = 'j____a.'
RIDDLES = [('victor', 'v_ctor', 2), ('george', 'g__rge', 3), ('walter', '______', 5)]
SEEDS = 5, 22                           # of the names on slides 3 and 4
BLUE, ORANGE = 'blue', 'orange'         # diffusion, GPT
CELL = 62


# 1. Pieces of pictures.

def svg(width, height, title, *parts):
    """A picture of this size; its title is for those who cannot see it."""
    lines = [tag('title', html.escape(title)), *parts]
    return tag('svg', '\n' + '\n'.join(lines) + '\n', role='img', viewBox=f'0 0 {width} {height}')

def tiles(x, y, letters, color, filled=(), size=CELL):
    """A row of tiles; those whose places are in filled are filled, and a _ is left empty."""
    parts = []
    for n, letter in enumerate(letters):
        left = x + n * size
        new = n in filled
        parts.append(rect(left + 2, y, size - 4, size - 4, color if new else f'{color}-line', rx=6))
        if letter != '_':
            parts.append(text(left + size / 2, y + size * 0.66, letter,
                              'tile paper' if new else 'tile ink', 'middle',
                              style=f'font-size:{num(size * 0.56)}px'))
    return '\n'.join(parts)

def heading(x, y, words, color):
    """A model's name, in its colour."""
    return text(x, y, words, f'big bold {color}')

def grid(x, y, color, filled, size=34):
    """A hundred squares; so many of them are filled."""
    parts = []
    for n in range(100):
        corner = x + n % 10 * size, y + n // 10 * size
        parts.append(rect(*corner, size - 5, size - 5,
                          color if filled is not None and n < filled else f'{color}-line'))
    return '\n'.join(parts)


# 2. What the models say.

def fitting(models, count=5):
    """Names that the diffusion model makes of the prompt, and that the GPT begins with its j."""
    state_dict, vocab = models[microdiffusion]
    tokens, least_letters = microdiffusion.read_prompt(PROMPT, vocab)
    diffusion, seed = [], 0
    while len(diffusion) < count:
        *_, (_, _, out) = microdiffusion.denoise(state_dict, tokens, random.Random(seed),
                                                 least_letters=least_letters)
        name = microdiffusion.decode(out, vocab).strip('.')
        diffusion += [name] if name not in diffusion else []
        seed += 1
    state_dict, vocab = models[microgpt]
    gpt, seed = [], 0
    while len(gpt) < count:
        start = microgpt.read_prompt(PROMPT[0], vocab)
        name = microgpt.decode(microgpt.generate(state_dict, start, random.Random(seed)), vocab)
        gpt += [name] if name not in gpt else []
        seed += 1
    return diffusion, gpt

def emerging(models):
    """The rows of slide 3: what the sequence is after each step that reveals something."""
    state_dict, vocab = models[microdiffusion]
    tokens = [microdiffusion.MASK] * microdiffusion.block_size
    steps = microdiffusion.denoise(state_dict, tokens, random.Random(SEEDS[0]))
    return [microdiffusion.decode(row, vocab) for row in [tokens, *[row for _, _, row in steps]]]

def growing(models):
    """The rows of slide 4: a name from its first letter to its end."""
    state_dict, vocab = models[microgpt]
    name = microgpt.decode(microgpt.generate(state_dict, [], random.Random(SEEDS[1])), vocab) + '.'
    return [name[:n].ljust(len(name), '_') for n in range(1, len(name) + 1)]

def riddles():
    """For each riddle of the worksheet: its pattern, place, the guesses there, and the cost."""
    for name, pattern, place in RIDDLES:
        rows = dict(guess.guesses(pattern + '.'))
        [percent] = [percent for percent, letter in rows[place] if letter == name[place - 1]]
        yield name, pattern, place, rows[place][:4], -math.log(percent / 100)


# 3. The pictures.

def compared(models):
    diffusion, gpt = fitting(models)
    parts = [tiles(40, 0, PROMPT[:-1], BLUE, (0, 5)), heading(40, 112, 'diffusion', BLUE),
             tiles(560, 0, PROMPT[0], ORANGE, (0,)), heading(560, 112, 'GPT, given the j', ORANGE)]
    for n, (left, right) in enumerate(zip(diffusion, gpt)):
        parts.append(text(40, 170 + 52 * n, left, 'name ink'))
        parts.append(text(560, 170 + 52 * n, right, 'name ink'))
    return svg(1000, 400, f'Names that fit {PROMPT}, and names that begin with j', *parts)

def written(rows, color, title):
    """Rows of tiles, one below the other: what is new is filled."""
    size = min(46 if len(rows[0]) > 9 else 62, 400 / len(rows))
    parts, before = [], '_' * len(rows[0])
    for n, row in enumerate(rows):
        new = [k for k, letter in enumerate(row) if before[k] == '_' != letter]
        parts.append(tiles(500 - size * len(row) / 2, size * n, row, color, new, size))
        before = row
    return svg(1000, math.ceil(size * len(rows)) + 4, title, *parts)

def coins():
    parts = []
    for n, count in enumerate((19, 15, 10, 5, 2, 1)):
        y, cost = 30 + 66 * n, -math.log(count / 20)
        for k in range(count):
            parts.append(tag('circle', cx=40 + 27 * k, cy=y - 10, r=11, class_='dim'))
        parts.append(text(600, y, f'{count} of 20', 'big ink'))
        parts.append(text(960, y, f'{cost:.1f} nats', 'big bold ink', 'end'))
    return svg(1000, 400, 'What a guess costs, by the coins on the right letter', *parts)

def priced():
    parts = []
    for n, (name, pattern, place, guesses, cost) in enumerate(riddles()):
        y = 20 + 132 * n
        shown = [name[k] if k == place - 1 else letter for k, letter in enumerate(pattern)]
        parts.append(tiles(10, y, shown, BLUE, (place - 1,), 54))
        for k, (percent, letter) in enumerate(guesses):
            top = y - 18 + 29 * k
            parts += [text(380, top + 22, letter, 'code ink'),
                      rect(405, top + 3, max(2, 3.6 * percent), 22, BLUE),
                      text(413 + 3.6 * percent, top + 22, f'{percent:.0f} %', 'code ink')]
        parts.append(text(990, y + 40, f'{cost:.1f} nats', 'big bold ink', 'end'))
    return svg(1000, 400, 'What the model guesses for the three riddles, and what it pays', *parts)

def copies(counts):
    parts = []
    for x, color, name, filled in ((70, ORANGE, 'GPT', counts and counts[0]),
                                   (590, BLUE, 'diffusion', counts and counts[1])):
        says = f'{name}: {"?" if filled is None else filled}'
        parts += [heading(x, 34, says, color), grid(x, 56, color, filled)]
    title = 'How many of 100 names are copies? ' + ('' if counts is None else
                                                    f'{counts[0]} and {counts[1]}')
    return svg(1000, 400, title, *parts)

def asked():
    """The two kinds of puzzles of nora, without their numbers."""
    parts = [heading(20, 34, 'GPT: what comes next?', ORANGE), tiles(20, 58, 'n', ORANGE, (0,), 54),
             tiles(20, 116, 'no', ORANGE, (1,), 54),
             text(20, 206, 'and so on, to the dot', 'label ink'),
             heading(20, 274, 'diffusion: what is hidden?', BLUE),
             tiles(20, 296, 'n_r_____._____', BLUE, (), 54),
             text(20, 392, 'each letter: hidden or not', 'label ink'),
             text(990, 392, 'first visible dot: one of ten places, or none', 'label ink', 'end')]
    return svg(1000, 404, 'What the GPT sees of nora, and what the diffusion model sees', *parts)

def puzzles():
    name = 'nora'
    gpt, diffusion = answers.puzzles(name)
    parts = [heading(20, 34, f'GPT: {gpt} puzzles', ORANGE)]
    for n in range(gpt):
        row = (name + '.')[:n + 1]
        parts.append(tiles(20, 58 + 58 * n, row, ORANGE, (n,), 54))
    parts.append(heading(420, 34, f'diffusion: {diffusion} puzzles', BLUE))
    for n in range(16):
        for k in range(11):
            nothing = n == 15 and k == 0
            parts.append(rect(420 + 35 * n, 58 + 28 * k, 31, 24, 'dim-line' if nothing else BLUE))
    parts.append(text(420, 394, '16 ways for the letters · 11 for the dots − 1', 'label ink'))
    title = f'The GPT has {gpt} puzzles of {name}, the diffusion model {diffusion}'
    return svg(1000, 404, title, *parts)

def other_side():
    with open(FIGURES, encoding='utf-8') as file:
        figures = json.load(file)
    with open(MEASURED, encoding='utf-8') as file:          # the means of three seeds
        measured = file.read()
    bars = [(program, float(re.search(fr'\n\| {row} \|[\d. ]+\| ([\d.]+) \|', measured).group(1)))
            for program, row in (('microgpt', r'GPT \| exact'),
                                 ('microdiffusion', r'diffusion \| bound'))]
    few = [(program, figures['few'][program]) for program in ('microgpt', 'microdiffusion')]
    colors = {'microgpt': ORANGE, 'microdiffusion': BLUE}
    names = {'microgpt': 'GPT', 'microdiffusion': 'diffusion'}

    parts = [text(20, 34, 'ten thousand names', 'big bold ink')]
    for n, (program, nats) in enumerate(bars):
        y = 80 + 110 * n
        parts += [rect(20, y, 22 * nats, 60, colors[program]),
                  text(32, y + 40, names[program], 'label bold paper'),
                  text(32 + 22 * nats, y + 40, f'{nats:.1f}', 'big bold ink')]
    parts.append(text(20, 330, 'nats for a new name', 'label dim'))
    parts.append(text(20, 362, '(less is better)', 'label dim'))

    def at(steps, nats):
        return 545 + steps * 0.17, 360 - 9.2 * (nats - 10)

    parts += [text(540, 34, 'two hundred names', 'big bold ink'),
              line([at(0, 40), at(0, 10), at(2150, 10)], 'dim-line')]
    for program, points in few:
        parts.append(line([at(*point) for point in points], f'{colors[program]}-line thick'))
        x, y = at(*points[-1])
        parts.append(text(x + 10, y + 8, f'{points[-1][1]:.0f}', f'big bold {colors[program]}'))
        x, y = at(*min(points, key=lambda point: point[1]))
        parts.append(tag('circle', cx=x, cy=y, r=7, class_=colors[program]))
    parts.append(text(545, 394, 'the same, while training goes on', 'label dim'))
    return svg(1000, 404, 'The GPT is better with ten thousand names; with two hundred its price '
               'for new names rises again', *parts)


# 4. The slides: a title, a picture, what stands below it, and what to say.

def slides():
    """(title, picture, words, notes) of each slide."""
    models = load()
    first = svg(1000, 240, PROMPT, tiles(110, 60, PROMPT, BLUE, (0, 5, 6), 110))
    steps = [text(60, 60 + 70 * n, words, 'name ink') for n, words in enumerate((
        '1. Open the address, and press Copy', '2. Under Train, paste the list',
        '3. Steps: about 20 for each name', '4. Seed: your number. Press Train'))]
    question = [text(500, 60 + 60 * n, words, 'name ink', 'middle') for n, words in enumerate((
        'Why does one of the two models', 'copy so many names?', 'And when is it the better one?'))]
    return [
        ('Two models write names', first,
         'Six letters. The first is a j, and the last is an a.',
         'Ask: which names fit? Let the class find some. The next slide shows what two models '
         'find. One of them is called a diffusion model, the other a '
         'GPT. The chatbots that you know are mostly GPTs, only much larger.'),
        ('Which of these fit?', compared(models),
         '',
         'All names of the diffusion model have six letters, a j and an a. The GPT can only be '
         'given the j: it writes from left to right, and it does not know what will follow. '
         'These names are from the two models of the page. Both have learnt from the same ten '
         'thousand names.'),
        ('Diffusion: in any order', written(emerging(models), BLUE, 'A name emerges'),
         '',
         'At first all 14 places are hidden. In each step the model guesses every hidden '
         'place, and the surest are revealed first, with a little chance. A dot says that the '
         'name is over. Filled tiles are new.'),
        ('GPT: from left to right', written(growing(models), ORANGE, 'A name grows'),
         '',
         'The GPT sees what stands to the left, and guesses the next letter. The dot at the '
         'end is guessed too. It never goes back.'),
        ('Your turn: bet 20 coins', coins(),
         'Sure and right is cheap. Sure and wrong is dear.',
         'Worksheet, question 1. Put coins on up to three letters, and keep at least one for '
         'all other letters. What you pay depends on the coins on the right letter: it is the '
         'negative logarithm of their share. Three minutes for the first two rows.'),
        ('What the model bet', priced(),
         '',
         'Compare with your own costs. Where people know the name, they pay less than the '
         'model: it only knows which letters like to stand together. In the last riddle nobody '
         'can know more than how often each letter stands there. The model has not learnt from '
         'any of the three names.'),
        ('Each writes 100 names', copies(None),
         'How many of them are copies from the list that it learnt?',
         'Worksheet, question 2: everybody writes down two guesses, before anything runs. To '
         'learn means: several thousand numbers are turned a little, 700 times, so that the '
         'puzzles cost less.'),
        ('Train them yourself', svg(1000, 300, 'Four steps', *steps),
         '',
         'The address and the number of steps are on the board: 700 for 34 names, 500 for 27, 400 '
         'for 20. One device for two is enough. The page says how long it will take; on a phone '
         'it takes longer than on a computer. Watch the curves. Then write both numbers down, '
         'and turn the device over.'),
        ('Who copied?', copies(answers.COPIES),
         'A list of 34 names, 700 steps',
         'This is what came out of the two programs with the list class.txt. Put the numbers '
         'of six devices on the board beside it. The costs of new names say the same: those of '
         'the GPT rise far above those of the diffusion model.'),
        ('Why? Count the puzzles in nora', asked(),
         '',
         'Worksheet, question 3: four minutes alone, three together. The numbers are on the next '
         'slide. Some forget that the GPT guesses the end too. For diffusion ask: each letter is '
         'hidden or not, how many ways are there for two letters? And for four?'),
        ('5 puzzles, or 175', puzzles(),
         'Each name is seen 700 · 8 / 32 = 175 times.',
         'GPT: four letters and the end. Diffusion: 16 ways for the letters, 11 for the first '
         'visible dot; one of the 176 leaves nothing to guess. So the GPT meets each of its 5 '
         'puzzles 175 times. Diffusion meets each of its 175 once on average, and can hardly '
         'learn the answers by heart. (700 steps with eight of 32 names. That both are 175 is '
         'chance.)'),
        ('The other side', other_side(),
         '',
         'Do not go home with "diffusion is better". With ten thousand names the GPT is '
         'better. With two hundred names the GPT is as good where its curve is lowest (the '
         'circle), if one stops there. It gets worse when training goes on.'),
        ('In one or two sentences', svg(1000, 220, 'A question', *question),
         '',
         'Worksheet, question 4. Two and a half minutes. Then read three of them aloud.')
    ]


# 5. The page.

TEMPLATE = '''<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
      content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline';
               img-src data:">
<link rel="icon" href="data:,">
<title>Names from noise: slides for lesson 1</title>
<style>
  @page { size: landscape; margin: 10mm; }
  body { margin: 0; color: #1f2328; background: #fff;
         font: 22px/1.35 system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; }
  section { position: relative; box-sizing: border-box; max-width: 62rem; margin: 0 auto;
            padding: 1.2rem 1.5rem; }
  h1 { font-size: 1.9em; line-height: 1.15; margin: 0 0 0.5em; text-align: center; }
  h1 small { position: absolute; top: 1em; right: 1.5em; font-size: 0.45em; font-weight: 400;
             color: #59636e; }
  section > p { font-size: 1.35em; text-align: center; margin: 0.4em 0 0; }
  aside { font-size: 0.8em; border-left: 4px solid #d0d7de; padding-left: 0.8em;
          margin: 1em auto 0; max-width: 46em; }
  svg { display: block; width: 100%; }
  svg text { font-family: system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; }
  svg .tile, svg .name, svg .code { font-family: Consolas, Menlo, "DejaVu Sans Mono", monospace; }
  .big { font-size: 32px } .name { font-size: 38px }
  .code { font-size: 22px } .label { font-size: 24px }
  .tile, .bold { font-weight: 600 }
  .ink { fill: #1f2328 } .dim { fill: #59636e } .paper { fill: #fff }
  .blue { fill: #0969da } .orange { fill: #bc4c00 }
  .blue-line, .orange-line, .dim-line { fill: none; stroke-width: 2 } .thick { stroke-width: 5 }
  .blue-line { stroke: #0969da } .orange-line { stroke: #bc4c00 } .dim-line { stroke: #59636e }
  @media screen {
    .show section { display: none; height: 100vh; max-width: none; overflow: auto; padding: 2vh 4vw;
                    font-size: min(2.2vw, 3.6vh); flex-direction: column; justify-content: center; }
    .show section.now { display: flex; }
    .show svg { flex: 0 1 auto; min-height: 0; max-height: 66vh; }
    .show.silent aside { display: none; }
    .show:not(.silent) svg { max-height: 52vh; }
  }
  @media print {
    section { break-after: page; page-break-after: always; padding: 0; font-size: 15pt;
              max-width: 100%; }
    aside { font-size: 1em; }
    section:last-child { break-after: auto; page-break-after: auto; }
    svg { max-height: 112mm; }
  }
</style>
</head>
<body>
SLIDES
<script>
'use strict';
// Arrow keys, page keys (as a remote sends them), the space bar and a click move; n shows notes.
const slides = [...document.querySelectorAll('section')];
let now = 0;

function show(n) {
  now = Math.min(slides.length - 1, Math.max(0, n));
  slides.forEach((slide, k) => slide.classList.toggle('now', k === now));
  history.replaceState(null, '', '#' + (now + 1));
}

document.body.className = 'show silent';
document.addEventListener('keydown', event => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const moves = {ArrowRight: 1, ArrowDown: 1, PageDown: 1, ' ': 1, Enter: 1, ArrowLeft: -1,
                 ArrowUp: -1, PageUp: -1, Backspace: -1, Home: -99, End: 99};
  if (event.key in moves) {
    event.preventDefault();
    show(now + moves[event.key]);
  } else if (event.key === 'n') {
    document.body.classList.toggle('silent');
  }
});
document.addEventListener('click', event => show(now + (event.clientX < innerWidth / 4 ? -1 : 1)));
addEventListener('hashchange', () => show(parseInt(location.hash.slice(1)) - 1 || 0));
show(parseInt(location.hash.slice(1)) - 1 || 0);
</script>
</body>
</html>
'''


def make():
    """The text of the page."""
    sections, all_slides = [], slides()
    for n, (title, picture, words, notes) in enumerate(all_slides, 1):
        said = f'<p>{html.escape(words)}</p>\n' if words else ''
        number = f'<small>{n}/{len(all_slides)}</small>'
        sections.append(f'<section>\n<h1>{html.escape(title)}{number}</h1>\n{picture}\n{said}'
                        f'<aside>{html.escape(notes)}</aside>\n</section>\n')
    return TEMPLATE.replace('SLIDES', '\n'.join(sections))


if __name__ == '__main__':
    made = make()
    with open(PAGE, 'w', encoding='utf-8', newline='\n') as file:
        file.write(made)
    print(f'{os.path.relpath(PAGE)}: {len(made.encode("utf-8"))} bytes')

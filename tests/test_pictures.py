"""The pictures are what the command draws, true to the programs, and can be read on any page."""
import math
import os
import random
import re
import subprocess
import sys
import unittest
from xml.etree import ElementTree

import microdiffusion
import microgpt
from tests import pictures

SVG = '{http://www.w3.org/2000/svg}'
NARROW, WIDE = " ,.:;'()/-fijlrtI", 'mwMWO%='      # letters of a sans-serif font


def boxes(element, classes=()):
    """(words, classes, left, top, right, bottom) of all texts, in fonts as wide as they come."""
    classes += tuple(element.get('class', '').split())
    for child in element:
        yield from boxes(child, classes)
    if element.tag == SVG + 'text':
        font, size = [pictures.FONTS[name] for name in classes if name in pictures.FONTS][-1]
        width = sum([0.61 if font == pictures.MONO else 0.37 if char in NARROW else
                     0.92 if char in WIDE else 0.61 for char in element.text]) * size
        width *= 1.1 if 'head' in classes else 1        # which is bold
        x, y = float(element.get('x')), float(element.get('y'))
        left = x - width * {'start': 0, 'middle': 0.5, 'end': 1}[element.get('text-anchor')]
        top, bottom = (y, y + 2) if element.text == pictures.MASK else (y - 0.75 * size, y)
        yield element.text, classes, left, top, left + width, bottom

def there(box, tick):
    """Whether a text is shown at a tick of the picture's time."""
    times = [re.fullmatch(r'from(\d+)to(\d*)', name) for name in box[1]]
    return all([int(time[1]) <= tick < int(time[2] or tick + 1) for time in times if time])

def luminance(color):
    """How bright (r, g, b) is, from 0 to 1, as WCAG 2 defines it."""
    parts = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in color]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

def contrast(one, other):
    """The contrast of two colours, from 1 to 21, as WCAG 2 defines it."""
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


class Pictures(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.models = pictures.load()
        cls.made = {draw.__name__: draw(cls.models) for draw in pictures.PICTURES}
        cls.roots = {name: ElementTree.fromstring(svg) for name, svg in cls.made.items()}

    def test_kept_pictures_are_what_the_command_draws(self):
        self.assertEqual(sorted(name + '.svg' for name in self.made),
                         sorted(os.listdir(pictures.FOLDER)))
        for name, svg in self.made.items():
            with open(os.path.join(pictures.FOLDER, name + '.svg'), encoding='ascii',
                      newline='') as file:
                self.assertTrue(file.read() == svg, f'tests/pictures/{name}.svg is not what the '
                                'program draws: run python -m tests.pictures, and look at it')

    def test_each_is_small_and_safe_and_says_what_it_shows(self):
        for name, root in self.roots.items():
            with self.subTest(picture=name):
                self.assertLess(len(self.made[name]), 40000)
                self.assertGreater(len(root.find(SVG + 'title').text), 20)
                self.assertGreater(len(root.find(SVG + 'desc').text), 100)
                self.assertEqual([], re.findall(r'<script|\son\w+=|href|@import|url\((?!#)',
                                                self.made[name]))

    def test_texts_never_overlap_and_stay_on_the_panel(self):
        for name, root in self.roots.items():
            texts, height = list(boxes(root)), float(root.get('viewBox').split()[3])
            self.assertGreater(len(texts), 5)
            for words, _, left, top, right, bottom in texts:
                self.assertTrue(left >= 4 and right <= pictures.WIDTH - 4 and top >= 4
                                and bottom <= height - 4, f'{name}: {words!r} leaves the panel')
            for tick in range(40) if name == 'moving' else [0]:
                now = [box for box in texts if there(box, tick)]
                for n, (words, _, left, top, right, bottom) in enumerate(now):
                    for other in now[:n]:
                        self.assertFalse(left < other[4] and other[2] < right and top < other[5]
                                         and other[3] < bottom, f'{name}, tick {tick}: {words!r} '
                                         f'lies over {other[0]!r}')

    def test_texts_can_be_read_on_light_and_on_dark_pages(self):
        for theme in (0, 1):
            colors = {name: [int(pair[theme][n:n + 2], 16) for n in (1, 3, 5)]
                      for name, pair in pictures.COLORS.items()}
            for name in ('ink', 'dim', 'blue', 'orange'):
                self.assertGreaterEqual(contrast(colors[name], colors['panel']), 4.5, name)
            for name, role, words in (('moving', 'blue', 'blue'), ('moving', 'orange', 'orange'),
                                      ('still', 'blue', 'blue'), ('playground', 'blue', 'ink')):
                tints = re.findall(f'class="{role}"[^>]*fill-opacity="(.*?)"', self.made[name])
                strongest = max(map(float, tints))
                tinted = [panel + strongest * (color - panel)
                          for panel, color in zip(colors['panel'], colors[role])]
                self.assertGreaterEqual(contrast(colors[words], tinted), 4.5, name)

    def test_moving_has_the_names_that_the_command_writes(self):
        done = subprocess.run(
            [sys.executable, 'microdiffusion.py', '--load', 'tests/models/microdiffusion.json',
             '--prompt', pictures.PUZZLE, '--seed', str(pictures.SEED), '--samples', '3'],
            cwd=os.path.dirname(pictures.HERE), stdout=subprocess.PIPE, universal_newlines=True,
            check=True)
        names = re.findall('sample .*: (.*)', done.stdout)
        self.assertEqual(3, len(set(names)))
        self.assertIn(f': {", ".join(names)}.', self.roots['moving'].find(SVG + 'desc').text)

    def rows(self, name, tick, *classes):
        """Words by their line in a picture at a tick, from the left: {y: [(words, classes)]}."""
        found = {}
        for box in sorted(boxes(self.roots[name]), key=lambda box: box[2]):
            if set(classes) & set(box[1]) and there(box, tick):
                y = box[5] - 2 * (box[0] == pictures.MASK)      # a mask hangs below the line
                found.setdefault(y, []).append((box[0], box[1]))
        return [found[y] for y in sorted(found)]

    def test_moving_fills_in_what_is_hidden_and_the_gpt_stops(self):
        svg, puzzle = self.made['moving'], pictures.PUZZLE
        self.assertIn('prefers-reduced-motion:reduce){*{animation:none', svg)
        for start, end, opacity in re.findall(r'\.from(\d+)to(\d*)\{opacity:(\d)', svg):
            self.assertEqual(opacity, '0' if end else '1')      # what holds without animation
        before = 12
        for tick in [*range(40), 99]:
            *rows, gpt = self.rows('moving', tick, 'tile')
            self.assertEqual([len(puzzle)] * 4, [len(row) for row in (*rows, gpt)], tick)
            for row in rows:
                for (char, classes), given in zip(row, puzzle):
                    self.assertTrue(char == given or given == '_' and 'blue' in classes, tick)
            left = [char for row in rows for char, _ in row].count('_')
            self.assertIn(left, (before, before - 1), f'tick {tick}: one letter at a time')
            before = left
            self.assertEqual('j?' + puzzle[2:] if tick > 1 else puzzle,
                             ''.join([char for char, _ in gpt]))
            self.assertTrue(all(('orange' in classes) == (char in 'j?') for char, classes in gpt))
        self.assertEqual(0, before)
        self.assertEqual(12, sum(self.made['moving'].count(f'>{n}</text>') for n in range(1, 5)))

    def test_still_goes_from_noise_to_a_name_and_what_is_new_is_blue(self):
        state_dict, vocab = self.models[microdiffusion]
        masks = [microdiffusion.MASK] * microdiffusion.block_size
        frames = [masks] + [tokens for *_, tokens in microdiffusion.denoise(
            state_dict, masks, random.Random(pictures.STILL_SEED))]
        before = microdiffusion.decode(masks, vocab)
        for tokens, row in zip(frames, self.rows('still', 0, 'cell')):
            self.assertEqual(microdiffusion.decode(tokens, vocab), ''.join([c for c, _ in row]))
            for old, (char, classes) in zip(before, row):
                self.assertEqual(char != old, 'blue' in classes)
            before = ''.join([char for char, _ in row])
        self.assertEqual(len(frames), len(self.rows('still', 0, 'cell')))
        self.assertIn(before.strip('.'), self.roots['still'].find(SVG + 'desc').text)

    def test_the_guesses_of_playground_are_the_likeliest_tokens(self):
        state_dict, vocab = self.models[microdiffusion]
        tokens, _ = microdiffusion.read_prompt(pictures.HIDDEN + '.', vocab)
        logits = microdiffusion.mask_predictor(state_dict, tokens)
        rows = self.rows('playground', 0, 'code')
        for column, n in enumerate([n for n, c in enumerate(pictures.HIDDEN) if c == '_']):
            probs = [p.data for p in microdiffusion.softmax(logits[n])]
            for row, share in zip(rows[:3], sorted(probs, reverse=True)):
                char = vocab[probs.index(share)]
                self.assertEqual(f'{char} {100 * share:.0f} %', row[column][0])
        self.assertEqual([3, 3, 3], [len(row) for row in rows[:3]])

    def test_attention_is_on_the_side_where_the_head_looks(self):
        for program, layer, head in pictures.HEADS:
            rows = pictures.attention_weights(program, self.models[program], layer, head)
            middle = len(rows) // 2
            for n, row in enumerate(rows):
                self.assertEqual(n + 1 if program is microgpt else len(rows), len(row))
                self.assertAlmostEqual(1, sum(row))
            side = (rows[middle][:middle] if program.heads[head] == program.LEFT
                    else rows[middle][middle + 1:])
            self.assertGreater(sum(side), 0.5, (program, layer, head))

    def test_the_graph_shows_what_backward_leaves(self):
        said = self.roots['graph'].find(SVG + 'desc').text
        for words in ('a has data 2 and grad 21;', 'b has data 3 and grad 16;',
                      'c = a * b has data 6 and grad 5;', 'd = a + b has data 5 and grad 6;',
                      'e = c * d has data 30 and grad 1.', 'two ways, 3 * 5 + 1 * 6.'):
            self.assertIn(words, said)
        slopes = [(box[0], box[3]) for box in boxes(self.roots['graph']) if 'slope' in box[1]]
        self.assertEqual(['3', '2', '1', '1', '5', '6'], [words for words, _ in slopes])
        self.assertLess(slopes[0][1], slopes[1][1])             # that of a is above that of b

    def test_blue_and_orange_are_the_two_models_and_nothing_else(self):
        programs = {'orange': 'microgpt', 'blue': 'microdiffusion'}
        shown = {name: {color for color in programs if re.search(
            rf'class="[^"]*\b{color}\b', svg)} for name, svg in self.made.items()}
        for name in ('attention', 'few', 'held_out', 'hide'):
            self.assertEqual({'orange', 'blue'}, shown[name], name)
        for name in ('head', 'gpt', 'draw'):
            self.assertEqual({'orange'}, shown[name], name)
        for name in ('changes', 'hidden', 'steps', 'step'):
            self.assertIn('blue', shown[name])
            self.assertNotIn('orange', shown['step'])
        for name in ('tokens', 'coin', 'hill', 'letters', 'layer', 'lookup', 'noise', 'orders',
                     'graph', 'density'):
            self.assertEqual(set(), shown[name], name)

    def test_both_sides_tell_more_of_the_hidden_letter(self):
        said = self.roots['hide'].find(SVG + 'desc').text
        left, both = [dict(re.findall(r'(\S) (\d\.\d+)', part)) for part in said.split('; ')]
        hidden = pictures.NAME[pictures.GAP]
        self.assertEqual(('0.14', '0.30'), (left[hidden], both[hidden]))    # as the lesson says

    def test_headings_say_what_is_so(self):
        sums = [sum([-math.log(guesser(a, b)) for a, b in zip('.jonah', 'jonah.')])
                for guesser in pictures.guessers().values()]
        self.assertEqual(sorted(sums, reverse=True), sums)      # whoever knows more pays less

        share, valley = 0.147, math.log(0.147 / 0.853)
        low, good, high = [pictures.walk(rate, share) for rate in pictures.RATES.values()]
        self.assertGreater(low[-1], valley + 0.5)
        self.assertAlmostEqual(valley, good[-1], delta=0.1)
        sides = [weight > valley for weight in high]            # it goes over the valley and back
        self.assertGreater(sum([a != b for a, b in zip(sides, sides[1:])]), 3)

        curves = pictures.measured('held_out')
        for steps, nats in curves['microgpt'].items():
            self.assertLess(nats, curves['microdiffusion'][steps] - 0.5)
        copied = pictures.measured('copied')
        self.assertGreater(copied['microgpt'], 10 * copied['microdiffusion'])
        nats = {steps: nats for steps, _, nats in pictures.measured('steps')}
        self.assertLess(abs(nats[20] - nats[24]), 0.05)
        self.assertGreater(nats[4], nats[20] + 0.2)

    def test_vowels_lie_together(self):
        state_dict, vocab = self.models[microgpt]
        rows = [[v.data for v in microgpt.rmsnorm(row)] for row in state_dict['wte'][1:]]
        spots = dict(zip(vocab[1:], pictures.principal(rows)))
        apart = {pair: math.dist(spots[pair[0]], spots[pair[1]])
                 for pair in ('ae', 'ao', 'eu', 'ak', 'es', 'ot')}
        self.assertLess(max(list(apart.values())[:3]), min(list(apart.values())[3:]))

    def test_the_step_is_one_that_the_program_takes(self):
        i, before, places, chosen, end, number, _, drawn, after = pictures.one_step(
            self.models[microdiffusion], pictures.STEP_SEED, pictures.STEP_FROM)
        self.assertEqual([chosen], [n for n, token in enumerate(before) if token != after[n]])
        self.assertEqual(drawn, after[chosen])
        self.assertEqual(chosen, max(places, key=lambda n: places[n][1]))   # the surest place
        self.assertTrue(0 < end < 1)
        self.assertEqual(number < end, drawn == microdiffusion.PAD)
        self.assertIn(f'Step {i} ', self.roots['step'].find(SVG + 'desc').text)


if __name__ == '__main__':
    unittest.main()

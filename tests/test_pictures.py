"""The pictures: what the command draws, on any page, true to the programs, and legible."""
import os
import random
import re
import unittest
from xml.etree import ElementTree

import microdiffusion
import microgpt
from tests import pictures

SVG = '{http://www.w3.org/2000/svg}'
LINE = 0.75                 # the height of a letter, in parts of its size; and widths:
NARROW = dict.fromkeys(" ,.:;'()/-fijlrtI", 0.42)
WIDE = dict.fromkeys('mwMWO%=', 0.95)


def kept(name):
    """A picture as it is kept in tests/pictures."""
    path = os.path.join(pictures.FOLDER, name + '.svg')
    with open(path, encoding='ascii', newline='') as file:
        return file.read()

def windows(svg):
    """{class: (start, end)} of what is shown for a part of the time only, in percent of it."""
    shown = {}
    for name, frames in re.findall(r'@keyframes (\w+)\{(.*)\}\n', svg):
        times = [float(time) for time, opacity in re.findall(r'([\d.]+)%\{opacity:(\d)\}', frames)
                 if opacity == '1' or float(time) > 0]
        shown[name] = times[0], times[1] if times[1:] else 100.1
    return shown

def width(words, font, size):
    """How wide a text is in a wide font, such as those of Linux."""
    if font == pictures.MONO:
        return 0.61 * size * len(words)
    return size * sum([NARROW.get(char, WIDE.get(char, 0.62)) for char in words])

def boxes(element, classes=()):
    """(text, classes, left, top, right, bottom) of all texts."""
    classes = classes + tuple(element.get('class', '').split())
    for child in element:
        yield from boxes(child, classes)
    if element.tag != SVG + 'text':
        return
    [(font, size)] = [pictures.FONTS[name] for name in classes if name in pictures.FONTS]
    xs, ys = [[float(number) for number in element.get(key).split()] for key in 'xy']
    chunks = [element.text] if len(xs) == 1 else element.text
    for chunk, x, y in zip(chunks, xs, ys):
        wide = width(chunk, font, size * (1.1 if 'head' in classes else 1))     # which is bold
        x -= {None: 0, 'middle': wide / 2, 'end': wide}[element.get('text-anchor')]
        top, bottom = (y, y + 2) if chunk == '_' else (y - LINE * size, y)
        yield chunk, classes, x, top, x + wide, bottom

def overlap(one, other):
    """Whether two boxes have a part in common."""
    return (one[2] < other[4] and other[2] < one[4] and one[3] < other[5] and other[3] < one[5])

def contrast(one, other):
    """The contrast of two colours, from 1 to 21, as WCAG 2 defines it."""
    low, high = sorted([pictures.luminance([int(color[n:n + 2], 16) for n in (1, 3, 5)])
                        for color in (one, other)])
    return (high + 0.05) / (low + 0.05)


class Pictures(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.models = pictures.load(pictures.MODELS)
        cls.made = {name: draw(cls.models) for name, draw in pictures.PICTURES.items()}

    def test_kept_pictures_are_what_the_command_draws(self):
        self.assertEqual(sorted(name + '.svg' for name in self.made),
                         sorted(os.listdir(pictures.FOLDER)))
        for name, svg in self.made.items():
            self.assertTrue(kept(name) == svg, f'tests/pictures/{name}.svg is not what the '
                            f'program draws: run python -m tests.pictures, and look at it')

    def test_each_is_small_and_safe_and_says_what_it_shows(self):
        for name, svg in self.made.items():
            with self.subTest(picture=name):
                self.assertLess(len(svg.encode('ascii')), 60000)
                root = ElementTree.fromstring(svg)
                self.assertGreater(len(root.find(SVG + 'title').text), 20)
                self.assertGreater(len(root.find(SVG + 'desc').text), 100)
                tags = {element.tag for element in root.iter()}
                self.assertNotIn(SVG + 'script', tags)
                attributes = {key for element in root.iter() for key in element.keys()}
                self.assertEqual([], [key for key in attributes if key.startswith('on')])
                self.assertEqual([], re.findall(r'href|@import|url\((?!#)', svg))

    def test_texts_never_overlap_and_stay_on_the_panel(self):
        for name, svg in self.made.items():
            root, shown = ElementTree.fromstring(svg), windows(svg)
            height = float(root.get('height'))
            texts = list(boxes(root))
            self.assertGreater(len(texts), 10)
            for words, _, left, top, right, bottom in texts:
                self.assertTrue(left >= 5 and right <= pictures.WIDTH - 5 and top >= 5
                                and bottom <= height - 5, f'{name}: {words!r} leaves the panel')
            for time in range(0, 101, 2) if shown else [100]:
                there = [box for box in texts if all(
                    shown[part][0] <= time < shown[part][1] for part in box[1] if part in shown)]
                for n, box in enumerate(there):
                    for other in there[:n]:
                        self.assertFalse(overlap(box, other), f'{name}, at {time} % of its time: '
                                         f'{box[0]!r} lies over {other[0]!r}')

    def test_texts_can_be_read_on_light_and_on_dark_pages(self):
        for theme in (0, 1):
            for name in ('ink', 'dim', 'blue', 'orange'):
                colors = [pictures.COLORS[role][theme] for role in (name, 'panel')]
                self.assertGreaterEqual(contrast(*colors), 4.5, f'{name}, theme {theme}')

    def test_steps_are_told_apart_in_grey(self):
        shades = [pictures.shade(step / 15) for step in range(16)]
        for (fill, ink), (darker, _) in zip(shades, shades[1:]):
            self.assertGreaterEqual(contrast(fill, ink), 4.5, fill)
            self.assertGreater(contrast(fill, '#000000'), contrast(darker, '#000000'),
                               f'{darker} is not darker than {fill}')

    def test_the_names_are_those_that_the_programs_write(self):
        for seed in (pictures.MOVING_SEEDS['microdiffusion'], pictures.STILL_SEEDS[0]):
            state_dict, vocab = self.models['microdiffusion']
            frames = list(pictures.emerging(state_dict, vocab, seed))
            *_, (last, _, tokens) = microdiffusion.denoise(
                state_dict, [microdiffusion.MASK] * microdiffusion.block_size, random.Random(seed))
            revealed = sorted([n for _, _, characters in frames for n in characters])
            self.assertEqual(list(range(microdiffusion.block_size)), revealed)
            self.assertEqual(last, frames[-1][0])
            self.assertEqual(microdiffusion.decode(tokens, vocab).rstrip('.'),
                             pictures.spelled(frames))
        seed = pictures.MOVING_SEEDS['microgpt']
        state_dict, vocab = self.models['microgpt']
        tokens = microgpt.generate(state_dict, [], random.Random(seed))
        self.assertEqual(microgpt.decode(tokens, vocab),
                         pictures.spelled(pictures.growing(state_dict, vocab, seed)))

    def test_guesses_are_the_likeliest_tokens(self):
        state_dict, vocab = self.models['microdiffusion']
        step, guesses, _ = next(pictures.emerging(state_dict, vocab, 0))
        [logits] = microdiffusion.mask_predictor(
            state_dict, [microdiffusion.MASK] * microdiffusion.block_size, [2])
        probs = [p.data for p in microdiffusion.softmax(logits)]
        self.assertEqual(vocab[probs.index(max(probs))], guesses[2][0])
        self.assertAlmostEqual(max(probs), guesses[2][1])

    def test_the_end_is_shown_for_a_while_and_without_motion(self):
        svg = self.made['moving']
        self.assertIn('prefers-reduced-motion', svg)
        starts = [start for start, end in windows(svg).values()]
        self.assertLess(max(starts), 80)
        for name, (_, end) in windows(svg).items():     # the first opacity is the one without
            self.assertIn(f'.{name}{{opacity:{int(end > 100)};', svg)

    def test_attention_weights_are_of_every_head_and_add_up_to_1(self):
        heads = list(pictures.all_heads(self.models))
        self.assertEqual(microdiffusion.n_layer * len(microdiffusion.heads) + len(microgpt.heads),
                         len(heads))
        for heading, labels, rows in heads:
            self.assertEqual(len(labels), len(rows))
            for n, row in enumerate(rows):
                self.assertEqual(n + 1 if heading.startswith('GPT') else len(labels), len(row))
                self.assertAlmostEqual(1, sum(row))

    def test_attention_weights_are_on_the_side_where_the_head_looks(self):
        for heading, labels, rows in pictures.all_heads(self.models):
            middle = len(rows) // 2
            left, right = sum(rows[middle][:middle]), sum(rows[middle][middle + 1:])
            self.assertGreater(left if heading.endswith('left') else right, 0.5, heading)

    def test_the_graph_shows_what_backward_leaves(self):
        said = ElementTree.fromstring(self.made['graph']).find(SVG + 'desc').text
        for words in ('a has data 2 and grad 1;', 'b has data -3 and grad 2;',
                      'a * b has data -6 and grad 1;', 'a ** 2 has data 4 and grad 1;',
                      'a * b + a ** 2 has data -2 and grad 1.', 'two ways, -3 * 1 + 4 * 1.'):
            self.assertIn(words, said)

    def test_labels_are_spread_no_more_than_they_must_be(self):
        for heights, expected in (([10, 50], [10, 50]), ([50, 10], [50, 10]),
                                  ([10, 12], [1, 21]), ([12, 10], [21, 1]),
                                  ([10, 10, 100], [0, 20, 100]), ([30, 30, 30], [10, 30, 50])):
            self.assertEqual(expected, pictures.spaced(heights, 20))


if __name__ == '__main__':
    unittest.main()

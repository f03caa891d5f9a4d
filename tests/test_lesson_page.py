"""The lesson as a web page: it says what the Markdown says, and what can be touched works."""
import collections
import glob
import html
import html.parser
import json
import math
import os
import random
import re
import shutil
import subprocess
import unittest
import urllib.parse

import microdiffusion
import microgpt
from tests import browser, lesson_page, notebook, playground
from tests.test_readme import anchors

TOP = lesson_page.TOP
TOUCH = ['coin', 'graph', 'hill', 'letters', 'query', 'hide', 'noise', 'step', 'train']
NODE = shutil.which('node') or shutil.which('nodejs')
PATIENCE = 240              # seconds until a program that does not end is a failure
VOID = {'meta', 'link', 'img', 'br', 'input', 'hr', 'col', 'wbr',
        'path', 'rect', 'circle', 'line', 'use'}


class Parsed(html.parser.HTMLParser):
    """What a page consists of: its words, ids and addresses; every element has to be closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.words, self.ids, self.addresses, self.touch = [], [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)
        for key, value in attrs:
            self.ids += [value] if key == 'id' else []
            self.addresses += [value] if key in ('href', 'src', 'srcset', 'data', 'action') else []
            self.touch += [value] if key == 'data-touch' else []

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        expected = self.open.pop()
        assert tag == expected, f'</{tag}> for <{expected}>, line {self.getpos()[0]}'

    def handle_data(self, data):
        if 'main' in self.open:
            self.words += data.split()


def converted(markdown):
    """Markdown as HTML, without the ends of lines."""
    return ''.join(lesson_page.blocks(markdown)).replace('\n', ' ').strip()


class Converter(unittest.TestCase):
    """Each kind of block and of inline text."""

    def test_inline(self):
        for markdown, expected in (
                ('a < b & c', 'a &lt; b &amp; c'),
                ('`a * b` and `<b>`', '<code>a * b</code> and <code>&lt;b&gt;</code>'),
                ('``a `b` c``', '<code>a `b` c</code>'),
                ('**bold `x` word**', '<strong>bold <code>x</code> word</strong>'),
                ('an *italic* word, 2 * 3 * 4', 'an <em>italic</em> word, 2 * 3 * 4'),
                ('`j____a` and __init__', '<code>j____a</code> and __init__'),
                ('[words `x` [1]](file.md#a)', '<a href="file.md#a">words <code>x</code> [1]</a>'),
                ('x<sub>1</sub>', 'x<sub>1</sub>'),
                (r'\*not\*', '*not*')):
            self.assertEqual(expected, lesson_page.inline(markdown))

    def test_blocks(self):
        for markdown, expected in (
                ('## 1. A `b`, c?', '<h2 id="1-a-b-c">1. A <code>b</code>, c?</h2>'),
                ('one\ntwo\n\nthree', '<p>one two</p> <p>three</p>'),
                ('- one\n  more\n- two', '<ul> <li>one more</li> <li>two</li> </ul>'),
                ('2. a\n3. b\n   - c\n', '<ol start="2"> <li>a</li> '
                                         '<li>b <ul> <li>c</li> </ul></li> </ol>'),
                ('> a\n> b', '<blockquote><p>a b</p> </blockquote>'),
                ('```text\n  <a>\n    b\n```',
                 '<pre tabindex="0"><code>&lt;a&gt;   b</code></pre>'),
                ('<details><summary>**A**</summary>\n\nb\n\n</details>',
                 '<details><summary><strong>A</strong></summary> <p>b</p> </details>'),
                ('<!-- touch: coin -->', '<div class="touch" data-touch="coin"></div>')):
            self.assertEqual(expected, converted(markdown))
        table = converted('| a | b |\n| --- | --- |\n| `x\\|y` | −ln p |')
        self.assertIn('<tr><td><code>x|y</code></td><td>−ln p</td></tr>',
                      table.replace('\\|', '|'))

    def test_code_keeps_every_character(self):
        for language in ('python', 'diff', 'sh', ''):
            for code in (">>> def f(a='#', b=\"<\"):   # why\n...     return {1: None}\n1\n\nx",
                         '-  old "\n+  new & # \n   same'):
                shown = lesson_page.colored(code, language)
                words = re.sub('<[^>]*>', '', shown)
                self.assertEqual(code, html.unescape(words))


class Page(unittest.TestCase):
    """The page as a whole."""

    @classmethod
    def setUpClass(cls):
        cls.markdown = notebook.read(notebook.PAGE)
        cls.page = notebook.read(lesson_page.PAGE)
        cls.parsed = Parsed(cls.page)

    def test_it_is_what_the_command_makes_of_the_text(self):
        made = lesson_page.make(self.markdown)
        self.assertTrue(made == self.page, 'run python -m tests.notebook')

    def test_it_says_what_the_text_says(self):
        text = re.sub(r'```\w*\n(.*?)```|<!--.*?-->|!\[[^\]]*\]\([^)]*\)', r'\1', self.markdown,
                      flags=re.DOTALL)
        text = re.sub(r'\]\([^)\s]*\)|</?[a-z][^>]*>', ' ', text)
        words = r'[^\W\d]\w*'              # not the numbers of lists
        self.assertEqual(re.findall(words, text), re.findall(words, ' '.join(self.parsed.words)))

    def test_no_line_begins_a_list_by_accident(self):
        """A wrapped line that begins with 1. or - is a list, here as on GitHub."""
        text = re.sub(r'^```.*?^```$', '', self.markdown, flags=re.MULTILINE | re.DOTALL)
        for paragraph in text.split('\n\n'):
            first, *lines = paragraph.strip('\n').split('\n')
            if not re.match(r'\s*([-*]|\d+\.) ', first):
                self.assertEqual([], [line for line in lines if re.match('([-*]|1\\.) ', line)])

    def test_it_is_small_and_asks_for_nothing(self):
        self.assertLessEqual(len(self.page.encode('utf-8')), 800000)
        self.assertRegex(self.page, r'"Content-Security-Policy"\s+content="default-src ' "'none'")
        self.assertNotRegex(self.page, r'fetch\(|import\(|XMLHttpRequest|@import|url\(h')
        sources = re.findall(r'\bsrc="([^"]{0,20})', self.page)
        self.assertEqual(set(), {source for source in sources if not source.startswith('data:')})
        self.assertEqual(len(self.parsed.ids), len(set(self.parsed.ids)))

    def test_every_picture_of_the_text_is_inside(self):
        pictures = re.findall(r'!\[[^\]]*\]\(([^)]*)\)', self.markdown)
        inside = [address for address in self.parsed.addresses if address.startswith('data:image')]
        self.assertEqual(len(pictures), len(inside))
        for name, address in zip(pictures, inside):
            svg = lesson_page.read(os.path.join(lesson_page.FOLDER, *name.split('/')))
            self.assertEqual(svg.strip(), urllib.parse.unquote(address.partition(',')[2]), name)


@unittest.skipUnless(NODE, 'Node is not here, which runs what the things to touch work out')
class InNode(unittest.TestCase):
    """What the things to touch work out is what the programs work out."""

    @classmethod
    def setUpClass(cls):
        cls.code = '\n'.join([
            playground.part('models.js'), playground.part('touch.js'),
            f'const known = {playground.data()}, counts = {lesson_page.pairs()};',
            'const [gptModel, diffusion] = ["microgpt", "microdiffusion"].map(',
            '  program => load(unpacked(known.kept[program]), known.constants[program]));', ''])

    def in_node(self, expression, **given):
        """The value of an expression of touch.js, for these constants."""
        constants = [f'const {name} = {json.dumps(value)};\n' for name, value in given.items()]
        code = self.code + ''.join(constants)
        code += f'process.stdout.write(JSON.stringify({expression}));'
        result = subprocess.run([NODE, '-'], input=code.encode('utf-8'), stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, timeout=PATIENCE)
        self.assertEqual((0, b''), (result.returncode, result.stderr))
        return json.loads(result.stdout.decode('utf-8'))

    def assert_close(self, expected, found):
        self.assertEqual(len(expected), len(found))
        for x, y in zip(expected, found):
            self.assertAlmostEqual(x, y, delta=1e-9)

    def test_coin(self):
        learned, _ = microgpt.split(microgpt.read_names(os.path.join(TOP, 'names.txt')))
        letters, firsts, both = [collections.Counter() for _ in range(3)]
        for name in learned:
            text = f'.{name}.'
            letters.update(text[1:])
            firsts.update(text[:-1])
            both.update(zip(text, text[1:]))
        vocab = microgpt.make_vocab(learned)
        for a, b in ('.m', 'ar', 'qz', 'n.'):
            found = self.in_node('Object.values(guessers(counts)).map(guess => guess(a, b))',
                                 a=vocab.index(a), b=vocab.index(b))
            self.assert_close([1 / 27, letters[b] / sum(letters.values()),
                               (both[a, b] + 1) / (firsts[a] + 27)], found)
        shares = self.in_node('coinShares(pieces)', pieces=[0] * 26 + [5])
        self.assert_close([15 / 20 / 27] * 26 + [5 / 20 + 15 / 20 / 27], shares)
        self.assert_close([0, math.log(2)], self.in_node('[price(1), price(0.5)]'))

    def test_graph(self):
        for a, b in ((2, 3), (-3, 5), (0, 4)):
            x, y = microgpt.Value(a), microgpt.Value(b)
            (x * y * (x + y)).backward()
            grads = self.in_node('(nodes => { for (let n = 4; n >= 0; n--) giveBack(nodes, n);'
                                 ' return nodes.map(({value}) => value.grad); })(graphNodes(a, b))',
                                 a=a, b=b)
            self.assert_close([x.grad, y.grad, a + b, a * b, 1], grads)

    def test_hill(self):
        weight, share, expected = 3.0, 0.15, [3.0]
        for _ in range(5):
            logits = [microgpt.Value(weight), microgpt.Value(0.0)]
            (microgpt.logsumexp(logits) - logits[0] * share).backward()
            weight -= 2 * logits[0].grad
            expected.append(weight)
        self.assert_close(expected, self.in_node('walk(3, 0.15, 2, 5)'))

    def test_letters(self):
        state_dict, vocab, _ = microgpt.load(os.path.join(playground.MODELS, 'microgpt.json'))
        x, y = [microgpt.rmsnorm(state_dict['wte'][vocab.index(letter)]) for letter in 'eo']
        found = self.in_node('likenesses(gptModel, token)', token=vocab.index('e'))
        self.assertAlmostEqual(1, found[vocab.index('e')], delta=0.01)
        self.assertAlmostEqual(microgpt.linear([x], [y])[0][0].data / 16, found[vocab.index('o')])

    def test_query(self):
        """The shares and the mix are those of the attention of the model."""
        for name, position in (('marvin', 4), ('jo', 0), ('jo', 2)):
            found = self.in_node("""(() => {
                const tokens = encode(gptModel, name).slice(0, -1), looked = [];
                noGrad(() => gpt(gptModel, tokens, emptyCache(gptModel), looked));
                const width = gptModel.heads.length;
                return gptModel.heads.map((_, head) => [
                    looked[position * width + head].weights[0],
                    throughHead(gptModel, tokens, position, head)]);
            })()""", name=name, position=position)
            for head, (shares, numbers) in enumerate(found):
                self.assert_close(shares, numbers['shares'])
                self.assertEqual(numbers['mixed'][4 * head:4 * head + 4], numbers['mix'])
                self.assert_close(numbers['mix'], [
                    sum([share * value[n] for share, value in zip(shares, numbers['values'])])
                    for n in range(4)])
                self.assert_close(numbers['scores'], [
                    sum([a * b for a, b in zip(numbers['query'], key)]) for key in numbers['keys']])

    def test_hide(self):
        state_dict, vocab, _ = microdiffusion.load(
            os.path.join(playground.MODELS, 'microdiffusion.json'))
        tokens, _ = microdiffusion.read_prompt('m_ria.', vocab)
        shares = [p.data for p in microdiffusion.softmax(
            microdiffusion.mask_predictor(state_dict, tokens)[1])]
        found = self.in_node('guessHidden(diffusion, tokens, 3)', tokens=tokens)
        best = sorted(range(len(vocab)), key=shares.__getitem__, reverse=True)[:3]
        self.assertEqual(best, [token for token, _ in found[1]])
        self.assert_close([shares[token] for token in best], [p for _, p in found[1]])
        self.assertEqual([1], [n for n, guesses in enumerate(found) if guesses])

    def test_noise(self):
        rng = random.Random(3)
        draws = [rng.random() for _ in range(2000)]
        found = self.in_node("""(({evenly, logUniform}) => [
            inParts(evenly, 0.2, 4, t => 1 / t), inParts(logUniform, 0.2, 4),
            evenly, logUniform])(drawLevels(2000, 0.2, {random: () => draws.shift()}))""",
                             draws=draws)
        self.assert_close([0.2 + 0.8 * u for u in draws], found[2])
        self.assert_close([0.2 ** u for u in draws], found[3])
        for parts in found[:2]:             # both ways count each part alike, but for chance
            for n, part in enumerate(parts):
                low, high = 0.2 + 0.2 * n, 0.4 + 0.2 * n
                self.assertAlmostEqual(math.log(high / low) / math.log(5), part / sum(parts),
                                       delta=0.03)

    def test_step(self):
        """What is told of each step is what the sampler did, down to the letter."""
        runs = self.in_node("""[1, 2, 3, 4, 5].map(seed => {
            const rng = recorder(new Random(seed)), told = [];
            let tokens = Array(14).fill(MASK);
            for (const step of denoise(diffusion, tokens, rng)) {
                told.push({...explain(diffusion, tokens, 14, step, rng.taken), really: step[2]});
                tokens = step[2];
                rng.taken.length = 0;
            }
            return told;
        })""")
        for steps in runs:
            self.assertGreater(len(steps), 4)
            for step in steps:
                self.assertEqual(step['really'], step['after'])
                self.assertEqual(step['count'], len(step['chosen']))
                best = max(step['rated'], key=lambda each: each['rating'])
                self.assertEqual(best['n'], step['chosen'][0])
                for each in step['rated']:
                    self.assertAlmostEqual(math.log(each['p']) + each['noise'], each['rating'])
                for each in step['drawn']:
                    tokens = [token for token, _, _ in each['letters']]
                    self.assertTrue(each['ended'] or each['token'] in tokens)
                    self.assertAlmostEqual(1, sum([p for _, _, p in each['letters']] or [1]))


USE = r"""(() => {
  const told = {jumps: [], touch: [], seen: {}}, heights = {};
  const part = name => document.querySelector(`[data-touch=${name}]`);
  const says = name => part(name).querySelector('.says').textContent;
  const buttons = name => [...part(name).querySelectorAll('button')].filter(b => !b.disabled);
  const press = (name, text) => {
    const found = buttons(name).find(b => b.textContent === text);
    if (!found) throw new Error(`${name} has no button ${text}`);
    found.click();
  };
  const type = (name, text) => {
    const field = part(name).querySelector('input, textarea');
    field.value = text;
    field.dispatchEvent(new Event('input'));
  };
  /** The thing is as high as it was at first. */
  const check = name => {
    const height = part(name).offsetHeight;
    heights[name] = heights[name] || height;
    if (height !== heights[name]) {
      told.jumps.push(`${name}: ${heights[name]} to ${height}: ${says(name)}`);
    }
  };
  /** Press every button of a thing, one after the other. */
  const all = name => { for (const each of buttons(name)) { each.click(); check(name); } };

  told.touch = [...document.querySelectorAll('[data-touch]')].map(each => [
    each.dataset.touch, each.querySelector('.task').textContent.length,
    each.querySelector('.answer').textContent.length, each.offsetHeight > 0]);
  for (const [name] of told.touch) check(name);

  all('coin');
  press('coin', 'Another name');
  for (let n = 0; n < 9 && buttons('coin').length > 3; n++) {
    part('coin').querySelectorAll('.key')[1 + n].click();
    press('coin', 'Show the character');
    check('coin');
  }
  told.seen.coin = [part('coin').querySelector('table').innerText, says('coin')];

  press('graph', '+');
  for (let n = 0; n < 3; n++) { press('graph', 'Next'); check('graph'); }
  told.seen.graph = says('graph');

  press('hill', 'Eight steps');
  told.seen.hill = [says('hill')];
  type('hill', '9');
  press('hill', 'One step');
  told.seen.hill.push(says('hill'));
  for (let n = 0; n < 4; n++) { press('hill', 'Eight steps'); check('hill'); }

  all('letters');
  part('letters').querySelectorAll('.letter')[4].click();
  told.seen.letters = says('letters');

  told.seen.query = [];
  for (const name of ['jonah', 'jo', 'maximilianova']) {
    type('query', name);
    delete heights.query;
    for (let n = 0; n < 7; n++) { press('query', 'Next'); check('query'); }
    for (const tile of part('query').querySelectorAll('.tile')) { tile.click(); check('query'); }
    told.seen.query.push(part('query').querySelector('.stage').textContent, says('query'));
    for (let n = 0; n < 7; n++) { press('query', 'Back'); check('query'); }
  }
  for (const wrong of ['', 'a.b', 'm_x', '7', 'x'.repeat(99), 'zoe']) {
    type('query', wrong);
    type('hide', wrong);
    told.seen.query.push(part('query').querySelector('.problem').textContent);
  }

  type('hide', 'zoe');
  delete heights.hide;
  press('hide', 'Hide all');
  check('hide');
  part('hide').querySelectorAll('.tile')[1].click();
  check('hide');
  told.seen.hide = [[...part('hide').querySelectorAll('.tile')].map(t => t.textContent).join(''),
                    says('hide')];
  all('hide');

  for (let n = 0; n < 3; n++) { press('noise', 'Draw a hundred'); check('noise'); }
  told.seen.noise = says('noise');

  for (let n = 0; n < 12; n++) { press('step', 'Next'); check('step'); }
  while (buttons('step').length > 1) { press('step', 'To the next step'); check('step'); }
  told.seen.step = says('step');

  press('train', 'Train');
  check('train');
  press('train', 'Stop');
  told.seen.train = says('train');

  told.overflow = document.documentElement.scrollWidth > innerWidth;
  told.small = [...document.querySelectorAll('.touch button, .touch input')].filter(
    each => each.offsetHeight < 44).length;
  return told;
})()"""


@unittest.skipUnless(browser.CHROMIUM, 'Chromium is not here, which opens the page')
class InBrowser(unittest.TestCase):
    """A browser opens the page, and everything in it is touched."""

    @classmethod
    def setUpClass(cls):
        cls.browser = browser.Browser()
        cls.browser.__enter__()
        cls.addClassCleanup(cls.browser.__exit__)

    def check(self, width):
        """Everything does what it should, and nothing moves."""
        self.browser.open(lesson_page.PAGE, width=width)
        told = self.browser.run(USE)
        self.assertEqual([], self.browser.problems)
        self.assertEqual([], told['jumps'])
        self.assertEqual(TOUCH, [name for name, *_ in told['touch']])
        for name, task, answer, shown in told['touch']:
            self.assertTrue(task > 60 and answer > 60 and shown, name)
        self.assertEqual((0, False), (told['small'], told['overflow']))

        seen = told['seen']
        self.assertRegex(seen['coin'][0],
                         r'you(\s+\d+\.\d)+\s+evenly(\s+\d+\.\d)+\s+letters')
        self.assertIn('The name is finished', seen['coin'][1])
        self.assertIn('Now a has 27 and b has 27', seen['graph'])       # a is 3, and so is b
        self.assertIn('outside', seen['hill'][1])
        self.assertRegex(seen['letters'], r'Most like e are \w \(0\.\d\d\)')
        self.assertRegex(seen['query'][0], '^8 of 8')
        *refused, hint = seen['query'][-6:]
        self.assertNotIn(hint, refused)
        self.assertEqual('_o' + '_' * 12, seen['hide'][0])
        self.assertRegex(seen['hide'][1], r'^It is o\. .* costs \d\.\d\d nats')
        self.assertIn('Of 300 t', seen['noise'])
        self.assertRegex(seen['step'], r'^The name is [a-z]+\.$')
        self.assertEqual('Stopped.', seen['train'])

    def test_on_a_computer(self):
        self.check(1280)

    def test_on_a_phone(self):
        self.check(360)

    def test_both_models_learn_the_names_of_a_class(self):
        says = 'document.querySelector("[data-touch=train] .says").textContent'
        self.browser.open(lesson_page.PAGE)
        self.browser.click('[data-touch=train] button')
        self.browser.wait(says + '.startsWith("Finished")')
        gpt, diffusion = map(int, re.findall(r'(\d+) of (?:the|diff)', self.browser.run(says)))
        self.assertGreater(gpt, diffusion)                  # the GPT copies more

        self.browser.open(lesson_page.PAGE, before='window.Worker = undefined;')
        self.browser.click('[data-touch=train] button')     # now the page has to work alone
        self.browser.wait(says + '.startsWith("Step")')
        self.browser.click('[data-touch=train] button', 1)
        self.assertEqual('Stopped.', self.browser.run(says))
        self.assertEqual([], self.browser.problems)

    def test_an_address_leads_to_its_chapter(self):
        for width in (1280, 360):
            self.browser.open(lesson_page.PAGE + '#words', width=width)
            self.browser.wait('Math.abs(words.getBoundingClientRect().top) < 100')

    def test_keys_are_enough(self):
        self.browser.open(lesson_page.PAGE)
        self.browser.run('document.querySelector("[data-touch=query] .field").select()')
        self.browser.keys('z', 'o', 'e', 'Tab', 'Tab', 'Enter')
        self.assertEqual('.zoe', self.browser.run(
            '[...document.querySelectorAll("[data-touch=query] .tile")]'
            '.map(tile => tile.textContent).join("")'))
        self.assertEqual('z', self.browser.run(
            'document.querySelector("[data-touch=query] .tile[aria-pressed=true]").textContent'))


class Links(unittest.TestCase):
    """The links of all web pages of the project."""

    def test_links_lead_somewhere(self):
        pages = glob.glob(os.path.join(TOP, 'tests', '**', '*.html'), recursive=True)
        pages = [page for page in pages if os.path.dirname(page) != lesson_page.WEB]        # parts
        self.assertGreater(len(pages), 2)
        for page in pages:
            for address in Parsed(lesson_page.read(page)).addresses:
                if address.startswith(('data:', 'https:')):
                    continue
                with self.subTest(page=os.path.relpath(page, TOP), address=address):
                    target, _, anchor = address.partition('#')
                    other = os.path.join(os.path.dirname(page), *target.split('/'))
                    other = os.path.normpath(other) if target else page
                    self.assertTrue(os.path.exists(other), other)
                    if anchor:
                        text = lesson_page.read(other)
                        ids = Parsed(text).ids if other.endswith('.html') else anchors(text)
                        self.assertIn(anchor, ids)


if __name__ == '__main__':
    unittest.main()

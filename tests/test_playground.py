"""The playground: a page of its own whose models are the programs' models, and that works."""
import html.parser
import inspect
import json
import math
import os
import random
import re
import shutil
import subprocess
import tempfile
import unittest
from unittest import mock

import microdiffusion
import microgpt
from tests import playground

MASK, PAD = microdiffusion.MASK, microdiffusion.PAD
NAMES = os.path.join(os.path.dirname(playground.HERE), 'names.txt')
NODE = shutil.which('node') or shutil.which('nodejs')
CHROMIUM = next(filter(None, map(shutil.which, ('chromium', 'chromium-browser', 'google-chrome'))),
                None)
PATIENCE = 120              # seconds until a program that does not end is a failure


def kept_page():
    """The page as it is kept."""
    with open(playground.PAGE, encoding='utf-8') as file:
        return file.read()

def script(name):
    """The text of a script of the page."""
    pattern = f'<script id="{name}"[^>]*>(.*?)</script>'
    return re.search(pattern, kept_page(), re.DOTALL).group(1)

def load(program):
    """A kept model, as a program loads it."""
    return program.load(os.path.join(playground.MODELS, program.PROGRAM + '.json'))[:2]

def numbers(rows):
    """The plain numbers of lists of Values."""
    return [[value.data for value in row] for row in rows]

class Replayed(random.Random):
    """It gives the numbers that were recorded; choices draws one of them, as it always does."""
    def __init__(self, numbers):
        super().__init__()
        self.random = iter(numbers).__next__

class Recorded:
    """Random numbers that are kept, so that the page can be given the same ones."""
    def __init__(self, seed, many=1000):
        rng = random.Random(seed)
        self.numbers = [rng.random() for _ in range(many)]

    def generator(self):
        """A random.Random that gives them."""
        return Replayed(self.numbers)


class Page(unittest.TestCase):
    """What the file is."""

    def test_the_command_makes_the_very_file_that_is_kept(self):
        self.assertTrue(kept_page() == playground.make(), 'run: python -m tests.playground')

    def test_the_page_holds_every_weight_and_every_default(self):
        data = json.loads(script('data'))
        for program in (microgpt, microdiffusion):
            state_dict, vocab = load(program)
            model = data['kept'][program.PROGRAM]
            self.assertEqual(vocab, model['vocab'])
            weights = {name: [[number / 1e6 for number in row] for row in matrix]
                       for name, matrix in model['state_dict'].items()}
            self.assertEqual({name: numbers(matrix) for name, matrix in state_dict.items()}, weights)
        options = microdiffusion.make_parser().parse_args([])
        given = inspect.signature(microdiffusion.denoise).parameters['noise'].default
        self.assertEqual([options.denoise_steps, options.temperature, given],
                         [data['constants']['microdiffusion']['defaults'][name]
                          for name in ('steps', 'temperature', 'noise')])
        self.assertEqual(microgpt.make_parser().parse_args([]).temperature,
                         data['constants']['microgpt']['defaults']['temperature'])

    def test_the_page_is_small_and_asks_for_nothing(self):
        page = kept_page()
        self.assertLessEqual(len(page.encode('utf-8')), 300000)
        addresses = []

        class Parser(html.parser.HTMLParser):
            """It collects whatever an element could load."""
            def handle_starttag(self, tag, attrs):
                addresses.extend([value for key, value in attrs
                                  if key in ('src', 'href', 'srcset', 'action', 'data', 'poster')])
        Parser().feed(page)
        self.assertEqual([], [address for address in addresses
                              if not address.startswith('#') and address != 'data:,'])
        self.assertRegex(page, r'"Content-Security-Policy"\s+content="default-src ' "'none'")
        self.assertNotRegex(page, r'https?://|fetch\(|import\(|XMLHttpRequest|@import|url\(')

    def test_the_names_to_begin_with_are_held_out(self):
        names = json.loads(script('data'))['names']
        self.assertGreater(len(names), 9)
        held_out = microdiffusion.split(microdiffusion.read_names(NAMES))[1]
        self.assertEqual([], [name for name in names if name not in held_out])

    def test_every_note_names_the_part_and_a_function_that_stands_there(self):
        notes = re.findall(r'<span class="part">\s*Part (\d+)(?: of (\w+)\.py)?,\s*<code[^>]*>(\w+)'
                           r'</code></span>', kept_page())
        self.assertEqual(len(notes), kept_page().count('<span class="part">'))
        self.assertGreater(len(notes), 10)
        for part, program, function in notes:
            with self.subTest(part=part, function=function):
                program = microgpt if program == 'microgpt' else microdiffusion
                parts = re.split(r'^# (\d+)\. ', inspect.getsource(program), flags=re.MULTILINE)
                self.assertIn(f'def {function}(', dict(zip(parts[1::2], parts[2::2]))[part])


@unittest.skipUnless(NODE, 'Node is not here, which runs the models of the page')
class InNode(unittest.TestCase):
    """The page's models give what the programs give."""

    def setUp(self):
        self.rng = random.Random(28)
        held_out = microdiffusion.split(microdiffusion.read_names(NAMES))[1]
        self.names = self.rng.sample(held_out, 50)

    def in_node(self, expression, **given):
        """The value of an expression of the page's script, for these constants."""
        constants = [f'const {name} = {json.dumps(value)};\n' for name, value in given.items()]
        code = (script('model') + f'const known = {script("data")};\n' + ''.join(constants)
                + 'const [microdiffusion, microgpt] = ["microdiffusion", "microgpt"].map(program =>\n'
                + '  load(unpacked(known.kept[program]), known.constants[program]));\n'
                + 'const plain = rows => rows.map(dataOf);\n'
                + 'const recorded = numbers => ({random: () => numbers.shift()});\n'
                + 'const attempt = f => { try { return f(); } catch (error) {\n'
                + '  if (!(error instanceof InputError)) throw error; return null; } };\n'
                + f'process.stdout.write(JSON.stringify({expression}));\n')
        result = subprocess.run([NODE, '-'], input=code.encode('utf-8'), stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, timeout=PATIENCE)
        self.assertEqual((0, b''), (result.returncode, result.stderr))
        return json.loads(result.stdout.decode('utf-8'))

    def noisy_names(self, vocab):
        """(clean, noisy) of fifty names, from hardly hidden to all hidden."""
        clean = [microdiffusion.encode(name, vocab) for name in self.names]
        levels = [n / (len(clean) - 1) for n in range(len(clean))]
        return clean, [microdiffusion.corrupt(tokens, t, self.rng)
                       for tokens, t in zip(clean, levels)]

    def assert_close(self, expected, found):
        """Two lists of lists of numbers are the same but for rounding."""
        self.assertEqual([len(row) for row in expected], [len(row) for row in found])
        for row, other in zip(expected, found):
            self.assertEqual([x < -1e5 for x in row], [x is None for x in other])
            for x, y in zip(row, other):
                if y is not None:           # which is what JSON makes of minus infinity
                    self.assertAlmostEqual(x, y, delta=1e-9)

    def test_logits_and_rules_of_fifty_noisy_names(self):
        state_dict, vocab = load(microdiffusion)
        _, noisy = self.noisy_names(vocab)
        found = self.in_node('noisy.map(tokens => plain(maskPredictor(microdiffusion, tokens)))',
                             noisy=noisy)
        self.assertEqual(50, len(found))
        for tokens, logits in zip(noisy, found):
            self.assert_close(numbers(microdiffusion.mask_predictor(state_dict, tokens)), logits)

    def test_rules_of_a_least_length(self):
        _, vocab = load(microdiffusion)
        cases, expected = [([MASK] * 14, 1), ([MASK] * 14, 6), ([5] + [MASK] * 13, 3)], []
        for tokens, least_letters in cases:
            logits = [[microdiffusion.Value(0.0) for _ in vocab] for _ in tokens]
            microdiffusion.rule_out(logits, tokens, least_letters)
            expected.append(numbers(logits))
        found = self.in_node('cases.map(given => { const logits = given[0].map(() => '
                             'zeros.map(zero => new Value(zero)));'
                             'ruleOut(microdiffusion, logits, ...given); return plain(logits); })',
                             cases=cases, zeros=[0.0] * len(vocab))
        for rows, others in zip(expected, found):
            self.assert_close(rows, others)

    def test_logits_and_rules_of_fifty_beginnings(self):
        """All at once, and token by token with a cache."""
        state_dict, vocab = load(microgpt)
        beginnings = []
        for n, name in enumerate(self.names):
            tokens = microgpt.encode(name, vocab)[:-1]
            beginnings.append(tokens[:1 + n % len(tokens)])
        beginnings[0] = microgpt.encode('maximilianooo', vocab)[:-1]    # up to the last place
        whole = self.in_node('beginnings.map(tokens => plain(gpt(microgpt, tokens)))',
                             beginnings=beginnings)
        single = self.in_node('beginnings.map(tokens => { const cache = emptyCache(microgpt);'
                              'return tokens.map(token => dataOf(gpt(microgpt, [token], cache)[0])); })',
                              beginnings=beginnings)
        for tokens, at_once, one_by_one in zip(beginnings, whole, single):
            expected = numbers(microgpt.gpt(state_dict, tokens))
            self.assert_close(expected, at_once)
            self.assert_close(expected, one_by_one)

    def test_what_the_page_shows_of_the_heads_is_what_attention_weighs_by(self):
        """By layer, head and place; the page also tells where each head looks."""
        state_dict, vocab = load(microdiffusion)
        _, noisy = self.noisy_names(vocab)
        tokens, weights, softmax = noisy[20], [], microdiffusion.softmax

        def recording(*args):
            """softmax, with what it gives kept."""
            probs = softmax(*args)
            weights.append([p.data for p in probs])
            return probs
        with mock.patch.object(microdiffusion, 'softmax', recording):
            microdiffusion.mask_predictor(state_dict, tokens)
        looked = self.in_node('(() => { const looked = []; maskPredictor(microdiffusion, tokens, '
                              'looked); return looked; })()', tokens=tokens)
        self.assertEqual(microdiffusion.heads * microdiffusion.n_layer,
                         [head['look'] for head in looked])
        self.assert_close(weights, [row for head in looked for row in head['weights']])

    def test_what_hidden_letters_cost(self):
        state_dict, vocab = load(microdiffusion)
        clean, noisy = self.noisy_names(vocab)
        found = self.in_node('noisy.map((tokens, n) => dataOf(crossEntropies(microdiffusion, '
                             'tokens, clean[n])))', noisy=noisy, clean=clean)
        self.assert_close([[cost.data for cost in microdiffusion.cross_entropies(state_dict, *pair)]
                           for pair in zip(noisy, clean)], found)

    def test_denoise_takes_the_same_steps(self):
        state_dict, vocab = load(microdiffusion)
        options = [{}, {'temperature': 0}, {'temperature': 1.5, 'noise': 0}, {'steps': 3},
                   {'steps': 32, 'noise': 8}, {'steps': 1}]
        prompts = ['', '', 'mar', 'j____a.', '___th___.', '_' * 13]
        cases, expected = [], []
        for n, (option, prompt) in enumerate(zip(options * 2, prompts + prompts[::-1])):
            recorded = Recorded(n)
            tokens, least_letters = microdiffusion.read_prompt(prompt, vocab)
            option = {'leastLetters': least_letters, **option}
            given = {name.replace('leastLetters', 'least_letters'): value
                     for name, value in option.items()}
            frames = microdiffusion.denoise(state_dict, tokens, recorded.generator(), **given)
            expected.append(list(frames))
            cases.append([tokens, recorded.numbers, option])
        found = self.in_node('cases.map(([tokens, numbers, option]) => '
                             '[...denoise(microdiffusion, tokens, recorded(numbers), option)])',
                             cases=cases)
        for (_, _, option), frames, others in zip(cases, expected, found):
            with self.subTest(option=option):
                self.assertEqual([(i, list(tokens)) for i, _, tokens in frames],
                                 [(i, tokens) for i, _, tokens in others])
                self.assert_close([[cooled] for _, cooled, _ in frames],
                                  [[cooled] for _, cooled, _ in others])

    def test_generate_writes_the_same_names(self):
        state_dict, vocab = load(microgpt)
        cases, expected = [], []
        for n, prompt in enumerate(('', 'm', 'mar', 'maximilianooo', '', '')):
            recorded, temperature = Recorded(n), (0.7, 0, 1.5)[n % 3]
            tokens = microgpt.read_prompt(prompt, vocab)
            expected.append(microgpt.generate(state_dict, tokens, recorded.generator(),
                                              temperature))
            cases.append([tokens, recorded.numbers, temperature])
        found = self.in_node('cases.map(([tokens, numbers, temperature]) => '
                             '[...generate(microgpt, tokens, recorded(numbers), temperature)])',
                             cases=cases)
        for (tokens, _, _), name, frames in zip(cases, expected, found):
            self.assertEqual(name + [microgpt.BOS], frames[-1])
            self.assertEqual(len(name) + 1 - len(tokens), len(frames))      # one more each time

    def test_prompts_and_names_mean_the_same_and_the_same_are_refused(self):
        prompts = ['', 'mar', ' MAR ', 'j____a.', '___th___.', '.', '..', 'a.', 'a...', 'a.b',
                   '_.', '_' * 13, '_' * 14, 'a' * 13, 'a' * 14, 'zo\u00eb', '7', 'a b',
                   'I\u0307da', '<b>', '\U0001f600', 'mar\u0000']

        def attempt(program, function, text):
            """What the program makes of it, or None."""
            try:
                return function(text, load(program)[1])
            except program.InputError:
                return None
        expected = [attempt(microdiffusion, microdiffusion.read_prompt, text) for text in prompts]
        found = self.in_node('prompts.map(text => attempt(() => readPrompt(microdiffusion, text)))',
                             prompts=prompts)
        self.assertEqual(expected, [both and (both['tokens'], both["leastLetters"]) for both in found])
        expected = [attempt(microgpt, microgpt.read_prompt, text) for text in prompts]
        found = self.in_node('prompts.map(text => attempt(() => readBeginning(microgpt, text)))',
                             prompts=prompts)
        self.assertEqual(expected, found)
        self.assertLess(3, found.count(None))

    def test_gradients_of_twenty_examples(self):
        """Of both models; the noise is the same, and backward() adds nothing to what was there."""
        for program in (microdiffusion, microgpt):
            state_dict, vocab = load(program)
            cases, expected = [], []
            for n, name in enumerate(self.names[:20]):
                recorded, tokens = Recorded(n), program.encode(name, vocab)
                with mock.patch.object(program.random, 'Random', lambda seed: seed):
                    loss, gradient = program.loss_and_gradient(state_dict, tokens,
                                                               recorded.generator())
                expected.append([loss] + gradient)
                cases.append([tokens, recorded.numbers])
            found = self.in_node(
                f'cases.map(([tokens, numbers]) => {{ const model = {program.PROGRAM}; '
                'for (const p of parameters(model)) p.grad = 0; tape.length = 0;'
                'const loss = exampleLoss(model, tokens, recorded(numbers)); loss.backward(); '
                'return [loss.data, ...parameters(model).map(p => p.grad)]; })', cases=cases)
            self.assert_close(expected, found)

    def test_thirty_steps_from_the_same_weights_and_noise(self):
        for program in (microdiffusion, microgpt):
            state_dict, vocab = load(program)
            examples = [program.encode(name, vocab) for name in self.names]
            noise = [Recorded(n, 15) for n in range(30 * program.batch_size)]
            generators = iter(noise)

            class Generator(random.Random):
                """It leaves the examples in their order, and gives each one its noise."""
                def sample(self, population, k):
                    return population
                def getrandbits(self, k):
                    return next(generators)
            with mock.patch.object(program.random, 'Random', Recorded.generator):
                expected = list(program.train(state_dict, examples, Generator(), 30))
            found = self.in_node(
                f'(() => {{ const model = {program.PROGRAM}; const losses = [...train(model, examples, '
                '{shuffled: list => list, another: () => recorded(noise.shift())}, 30)];'
                'return [losses, parameters(model).map(p => p.data)]; })()', examples=examples,
                noise=[recorded.numbers for recorded in noise])
            weights = [p.data for p in program.parameters(state_dict)]
            self.assert_close([expected, weights], found)

    def test_what_part_2_of_the_lesson_asks_of_an_engine(self):
        """A Value used twice, a second backward(), one from the middle, and nothing left on the tape."""
        found = self.in_node('''(() => {
            const a = new Value(3), b = a.add(a), c = b.mul(b), d = c.add(b).div(2).sub(1);
            const grads = [];
            for (const from of [d, d, b]) { a.grad = 0; from.backward(); grads.push(a.grad); }
            b.backward();
            grads.push(a.grad);
            tape.length = 0;
            const x = new Value(-2);
            x.relu().add(x.exp()).add(x.pow(2)).add(x.neg().log()).backward();
            return [[...grads, x.grad], [noGrad(() => a.add(1)).data, tape.length]];
        })()''')
        # d = ((2a)^2 + 2a) / 2 - 1, so its derivative is 4a + 1
        self.assert_close([[13, 13, 2, 4, math.exp(-2) - 4 - 0.5], [4, 8]], found)

    def test_vectors_of_other_sizes_are_an_error(self):
        found = self.in_node('''[() => add([[1, 2, 3]], [[1, 2]]), () => add([[1]], [[1], [1]]),
            () => linear([[1, 2, 3]], [[1, 2]]), () => linear([[1, 2]], [[1, 2, 3]])].map(f => {
                try { f(); return ''; } catch (error) { return error.message; } })''')
        self.assertEqual([], [message for message in found if not message])

    def test_masks_left_by_the_same_schedule(self):
        cases = [(total, i, steps) for total in (1, 5, 13, 14) for steps in (1, 3, 16, 39)
                 for i in range(1, steps + 1)]
        self.assertEqual([microdiffusion.masks_left(*case) for case in cases],
                         self.in_node('cases.map(given => masksLeft(...given))', cases=cases))


# What a browser runs at the end of the page: it uses every control, and tells the page around it.
USE = r'''
<script>
addEventListener('DOMContentLoaded', async () => {
  const told = {errors, overflow: null, jumps: []};
  const all = () => [...document.querySelectorAll('h2, h3, button, input, output, .says, .tile')];
  const top = element => Math.round(element.getBoundingClientRect().top + scrollY);
  const tops = () => all().map(top);
  const before = tops();
  const check = what => tops().some((y, n) => y !== before[n]) && told.jumps.push(what);
  const use = (id, value) => {
    byId(id).value = value;
    byId(id).dispatchEvent(new Event('input', {bubbles: true}));
    check(id + ' ' + value);
  };
  const press = id => { byId(id).click(); check(id); };
  const text = tiles => tiles.map(tile => tile.value === undefined || tile.tagName === 'BUTTON' ?
    tile.textContent : tile.value || '_').join('');

  // Hide.
  told.first = text(hide.tiles);
  told.sliders = options();
  use('t', 1);
  told.allHidden = text(hide.tiles);
  told.guesses = hide.below.map(below => below.children.length);
  hide.tiles[0].click();
  told.shown = text(hide.tiles);
  told.paid = hide.below[0].textContent;
  check('tap');
  use('t', 0);
  told.noneHidden = text(hide.tiles);
  hide.tiles[1].click();
  told.hidden = text(hide.tiles);
  press('another');
  press('redraw');
  press('tap-look');
  hide.tiles[3].click();
  told.looked = [...hide.below[4].children].length;
  told.lookSays = byId('hide-says').textContent;
  check('look');
  hide.tiles[13].click();
  check('look from behind the end');
  press('tap-hide');
  told.errorsShown = ['', '7', 'zoë', '<b>', 'a_b', 'x'.repeat(10000)].map(name => {
    use('name', name);
    return byId('name-error').textContent;
  });
  use('name', 'Nora');
  told.errorsShown.push(byId('name-error').textContent);
  told.named = text(hide.tiles);
  hide.tiles[0].focus();
  hide.tiles[0].dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowRight'}));
  told.arrow = hide.tiles.indexOf(document.activeElement);

  // Write.
  const type = (n, char) => {
    writing.tiles[n].value = char;
    writing.tiles[n].dispatchEvent(new Event('input'));
    check('type ' + char);
  };
  press('step');
  press('step');
  told.steps = [byId('diffusion-count').textContent, byId('gpt-count').textContent];
  type(4, 'k');
  type(13, 'x');
  told.last = byId('write-says').textContent;
  type(2, '?');
  press('play');
  told.playing = byId('play').textContent;
  await new Promise(done => setTimeout(done, 15000));
  check('play');
  told.played = byId('play').textContent;
  told.written = text(writing.tiles);
  told.gptWritten = text(writing.gptTiles);
  press('again');
  told.again = text(writing.tiles);
  use('steps', 1);
  use('temperature', 0);
  use('noise', 0);
  use('gpt-temperature', 0);
  press('step');
  told.oneStep = [text(writing.tiles), byId('diffusion-count').textContent];
  type(6, '.');
  type(6, ' ');
  press('clear');
  told.clear = text(writing.tiles);
  use('temperature', 0.85);
  use('steps', 16);

  // Compare.
  const lists = () => ['diffusion', 'gpt'].map(who => [...byId(who + '-names').children].map(
    item => item.firstChild && item.textContent.replace(' fits', '')));
  told.compared = [...document.querySelectorAll('.example')].map(example => {
    example.click();
    check(example.textContent);
    return [byId('prompt').value, ...lists(), byId('gpt-says').textContent];
  });
  for (const prompt of ['', 'a.b', '7', 'x'.repeat(1000), '_'.repeat(13)]) {
    use('prompt', prompt);
    document.querySelector('#prompt-form button').click();
    check('prompt ' + prompt);
    told.errorsShown.push(byId('prompt-error').textContent);
  }
  document.querySelector('summary').click();
  told.listing = byId('listing').textContent.includes('function* denoise');
  told.overflow = document.documentElement.scrollWidth > innerWidth;
  parent.postMessage(JSON.stringify(told), '*');
});
</script>
'''
LISTEN = '''<script>
const errors = [];
let state = 28;             // random numbers that are the same each time
Math.random = () => { state = state * 16807 % 2147483647; return state / 2147483647; };
addEventListener('error', event => errors.push(event.message));
addEventListener('unhandledrejection', event => errors.push(String(event.reason)));
addEventListener('securitypolicyviolation', event => errors.push(event.blockedURI));
</script>
'''
AROUND = '''<!DOCTYPE html><pre id="told"></pre>
<iframe src="page.html" style="border: 0; width: %dpx; height: 900px"></iframe>
<script>addEventListener('message', event => { told.textContent = event.data; });</script>
'''


@unittest.skipUnless(CHROMIUM, 'Chromium is not here, which opens the page')
class InBrowser(unittest.TestCase):
    """A browser opens the page, and a script uses everything in it."""

    def use(self, width):
        """What the script tells of the page at a width in pixels."""
        page = kept_page().replace('<title>', LISTEN + '<title>')
        page = page.replace('<script id="data"', USE + '<script id="data"')
        with tempfile.TemporaryDirectory() as folder:
            for name, text in ('page.html', page), ('around.html', AROUND % width):
                with open(os.path.join(folder, name), 'w', encoding='utf-8') as file:
                    file.write(text)
            result = subprocess.run(
                [CHROMIUM, '--headless', '--no-sandbox', '--disable-gpu', '--window-size=1400,1000',
                 '--virtual-time-budget=60000', '--user-data-dir=' + os.path.join(folder, 'user'),
                 '--dump-dom', 'file://' + os.path.join(folder, 'around.html')],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE)
        told = re.search('<pre id="told">(.*?)</pre>', result.stdout.decode('utf-8'), re.DOTALL)
        self.assertTrue(told and told.group(1), result.stderr.decode('utf-8', 'replace'))
        return json.loads(html.unescape(told.group(1)))

    def check(self, width):
        """Everything does what it should, and nothing moves."""
        told = self.use(width)
        self.assertEqual([], told['errors'])
        self.assertEqual([], told['jumps'])
        self.assertFalse(told['overflow'])

        self.assertRegex('christopher...', told['first'].replace('.', r'\.').replace('_', '.'))
        given = json.loads(script('data'))['constants']
        sampling = given['microdiffusion']['defaults']
        self.assertEqual({**{name: sampling[name] for name in ('steps', 'temperature', 'noise')},
                          'gptTemperature': given['microgpt']['defaults']['temperature']},
                         told['sliders'])
        self.assertEqual('_' * 14, told['allHidden'])
        self.assertTrue(all(told['guesses']))
        self.assertEqual('c' + '_' * 13, told['shown'])
        self.assertRegex(told['paid'], r'^\d+\.\d\dnats$')
        self.assertEqual('christopher...', told['noneHidden'])
        self.assertEqual('c_ristopher...', told['hidden'])
        self.assertEqual(8, told['looked'])
        self.assertRegex(told['lookSays'], r'From place 4, head \d of layer \d gives \d+ %')
        self.assertRegex('nora' + '.' * 10, told['named'].replace('.', r'\.').replace('_', '.'))
        self.assertEqual(1, told['arrow'])

        wrong, right = told['errorsShown'][:6], told['errorsShown'][6]
        self.assertEqual('', right)
        self.assertEqual([], [message for message in wrong if not message or len(message) > 120])
        self.assertIn('13 letters', wrong[-1])
        self.assertEqual([False, True, True, True, False],
                         [message != '' for message in told['errorsShown'][7:]])

        self.assertEqual(['2 evaluations', '2 evaluations'], told['steps'])
        self.assertIn('last place', told['last'])
        self.assertEqual(['Pause', 'Play'], [told['playing'], told['played']])
        self.assertRegex(told['written'], r'^[a-z]{4}k[a-z]*\.+$')
        self.assertRegex(told['gptWritten'], r'^[a-z]+\.+$')
        self.assertEqual('____k_________', told['again'])
        self.assertRegex(told['oneStep'][0], r'^[a-z]{4}k[a-z]*\.+$')
        self.assertEqual('1 evaluation', told['oneStep'][1])
        self.assertEqual('_' * 14, told['clear'])

        for prompt, *lists, says in told['compared']:
            pattern = prompt.rstrip('.').replace('_', '[a-z]') + ('$' if '.' in prompt else '')
            self.assertEqual([20, 20], [len(names) for names in lists])
            for name in lists[0] if '_' in prompt else lists[0] + lists[1]:
                self.assertRegex(name, '^' + pattern)
            self.assertEqual('_' in prompt, 'cannot fill in a blank' in says)
        self.assertTrue(told['listing'])

    def test_on_a_computer(self):
        self.check(1280)

    def test_on_a_phone(self):
        self.check(360)


if __name__ == '__main__':
    unittest.main()

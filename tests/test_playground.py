"""The playground: a page of its own whose models are the programs' models, and that works."""
import contextlib
import functools
import html.parser
import inspect
import io
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
from tests import browser, playground

MASK, PAD = microdiffusion.MASK, microdiffusion.PAD
NAMES = os.path.join(os.path.dirname(playground.HERE), 'names.txt')
NODE = shutil.which('node') or shutil.which('nodejs')
PATIENCE = 120              # seconds until a program that does not end is a failure


def kept_page():
    """The page as it is kept."""
    with open(playground.PAGE, encoding='utf-8') as file:
        return file.read()

def script(name):
    """The text of a script of the page."""
    pattern = f'<script id="{name}"[^>]*>(.*?)</script>'
    return re.search(pattern, kept_page(), re.DOTALL).group(1)

@functools.lru_cache(maxsize=None)
def load(program):
    """A kept model, as a program loads it. What trains it, loads one of its own: see fresh."""
    return program.load(os.path.join(playground.MODELS, program.PROGRAM + '.json'))[:2]

def fresh(program):
    """A kept model that may be changed."""
    return load.__wrapped__(program)

def numbers(rows):
    """The plain numbers of lists of Values."""
    return [[value.data for value in row] for row in rows]

class Replayed(random.Random):
    """It gives the numbers that were recorded; choices draws one of them, as it always does."""
    def __new__(cls, numbers):
        return super().__new__(cls)         # before Python 3.11 a list would not do as a seed

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
            self.assertEqual({name: numbers(matrix) for name, matrix in state_dict.items()},
                             weights)
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
        links = [address for address in addresses
                 if not address.startswith('#') and address != 'data:,']
        self.assertEqual(['../README.md', '../microdiffusion.py', '../microgpt.py',
                          'lesson/lesson.html'], sorted(links))
        self.assertEqual([], [link for link in links
                              if not os.path.exists(os.path.join(playground.HERE, link))])
        self.assertRegex(page, r'"Content-Security-Policy"\s+content="default-src ' "'none'")
        self.assertNotRegex(page, r'https?://(?!www\.w3\.org/2000/svg)|fetch\(|import\(|'
                                  r'XMLHttpRequest|@import|url\(')

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
        self.names = self.rng.sample(held_out, 20)

    def in_node(self, expression, **given):
        """The value of an expression of the page's script, for these constants."""
        constants = [f'const {name} = {json.dumps(value)};\n' for name, value in given.items()]
        code = (script('model') + f'const known = {script("data")};\n' + ''.join(constants)
                + 'const [microdiffusion, microgpt] = ["microdiffusion", "microgpt"].map(\n'
                + '  program => load(unpacked(known.kept[program]), known.constants[program]));\n'
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
        """(clean, noisy) of twenty names, from hardly hidden to all hidden."""
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

    def test_logits_and_rules_of_twenty_noisy_names(self):
        state_dict, vocab = load(microdiffusion)
        _, noisy = self.noisy_names(vocab)
        found = self.in_node('noisy.map(tokens => plain(maskPredictor(microdiffusion, tokens)))',
                             noisy=noisy)
        self.assertEqual(20, len(found))
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

    def test_logits_and_rules_of_twenty_beginnings(self):
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
                              'return tokens.map(token => dataOf('
                              'gpt(microgpt, [token], cache)[0])); })',
                              beginnings=beginnings)
        for tokens, at_once, one_by_one in zip(beginnings, whole, single):
            expected = numbers(microgpt.gpt(state_dict, tokens))
            self.assert_close(expected, at_once)
            self.assert_close(expected, one_by_one)

    def test_what_the_page_shows_of_the_heads_is_what_attention_weighs_by(self):
        """By layer, head and place; the page also tells where each head looks."""
        state_dict, vocab = load(microdiffusion)
        _, noisy = self.noisy_names(vocab)
        tokens, weights, softmax = noisy[8], [], microdiffusion.softmax

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
        self.assertEqual(expected, [both and (both['tokens'], both['leastLetters'])
                                    for both in found])
        expected = [attempt(microgpt, microgpt.read_prompt, text) for text in prompts]
        found = self.in_node('prompts.map(text => attempt(() => readBeginning(microgpt, text)))',
                             prompts=prompts)
        self.assertEqual(expected, found)
        self.assertLess(3, found.count(None))

    def test_a_space_at_the_end_of_a_prompt_counts_if_the_model_has_spaces(self):
        prompts, vocab = ['mary ', ' mary', 'mary', 'mary  ', 'm_ ry.', 'ma. '], '_. amry'
        expected = [microdiffusion.read_prompt(text, vocab) for text in prompts[:-1]] + [None]
        found = self.in_node('prompts.map(text => attempt(() => readPrompt({...microdiffusion, '
                             'vocab: [...vocab]}, text)))', prompts=prompts, vocab=vocab)
        self.assertEqual(expected, [both and (both['tokens'], both['leastLetters'])
                                    for both in found])
        expected = [microgpt.read_prompt(text, vocab[1:]) for text in prompts[:4]]
        found = self.in_node('prompts.slice(0, 4).map(text => readBeginning({...microgpt, '
                             'vocab: [...vocab].slice(1)}, text))', prompts=prompts, vocab=vocab)
        self.assertEqual(expected, found)

    def test_gradients_of_twenty_examples(self):
        """Of both models; the noise is the same, and backward() adds nothing to what was there."""
        for program in (microdiffusion, microgpt):
            state_dict, vocab = fresh(program)
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
            state_dict, vocab = fresh(program)
            examples = [program.encode(name, vocab) for name in self.names]
            noise = [Recorded(n, 15) for n in range(30 * 2)]
            generators = iter(noise)

            class Generator(random.Random):
                """It leaves the examples in their order, and gives each one its noise."""
                def sample(self, population, k):
                    return population
                def getrandbits(self, k):
                    return next(generators)
            with mock.patch.object(program.random, 'Random', Recorded.generator), \
                    mock.patch.object(program, 'batch_size', 2):
                expected = list(program.train(state_dict, examples, Generator(), 30))
            found = self.in_node(
                f'(() => {{ const model = {{...{program.PROGRAM}, batch_size: 2}}; '
                'const losses = [...train(model, examples, {shuffled: list => list, '
                'another: () => recorded(noise.shift())}, 30)];'
                'return [losses, parameters(model).map(p => p.data)]; })()', examples=examples,
                noise=[recorded.numbers for recorded in noise])
            weights = [p.data for p in program.parameters(state_dict)]
            self.assert_close([expected, weights], found)

    def test_what_part_2_of_the_lesson_asks_of_an_engine(self):
        """A Value used twice, a second backward(), one from the middle, and an empty tape."""
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

    def test_the_same_names_are_read_and_held_out(self):
        """Of a text with other scripts, joiners, things that are no names, and doublets."""
        lines = ['Anna', ' zo\u00eb ', 'ZOE\u0308', '\u0130da', 'mary ann', 'a' * 13, 'a' * 14, 'a_b',
                 'a.b', 'tab\there', 'no\u00a0break', '\u0645\u06cc\u200c\u0631\u0627', '\u200d',
                 '\u0430\u043d\u043d\u0430', '\u674e\u96f7', '\U0001f600', '\uffff', "o'neil", '1st', '',
                 '  ', 'anna'] + self.names
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'names')
            with open(path, 'w', encoding='utf-8') as file:
                file.write('\n'.join(lines))
            with contextlib.redirect_stdout(io.StringIO()) as said:
                docs = microdiffusion.read_names(path)
        found = self.in_node('(() => { const {docs, leftOut} = readNames(lines, 14); '
                             'return [docs, split(docs), leftOut]; })()', lines='\n'.join(lines))
        self.assertEqual([docs, list(map(list, microdiffusion.split(docs)))], found[:2])
        self.assertIn(f'{found[2]} of {len(docs) + found[2]} lines were left out', said.getvalue())
        with_commas = self.in_node('readNames("ana, bea,\\r\\ncleo;dan\u060c eva", 14).docs')
        self.assertEqual(['ana', 'bea', 'cleo', 'dan', 'eva'], with_commas)

    def test_training_learns_from_no_name_that_is_held_out(self):
        """What a list holds out could be left out of it: each loss stays the same."""
        docs = self.names + microdiffusion.read_names(NAMES)[::40]
        learned, held_out = microdiffusion.split(docs)
        self.assertGreater(len(held_out), 19)
        letters = [name for name in learned if set(name) & set('qxz')]
        found = self.in_node(
            '[docs, learned].map(list => [...learn({docs: list, heldOut: [], steps: 3, seed: 1, '
            'learning_rate: 0.01, constants: known.constants, measured: 1, written: 2})]'
            '.filter(({losses}) => losses).map(({losses}) => Object.values(losses)))',
            docs=sorted(set(docs) - set(held_out)) + held_out, learned=learned)
        self.assertEqual(3, len(found[0]))
        self.assertEqual(set(''.join(docs)), set(''.join(learned)))
        self.assertTrue(letters)
        self.assertEqual(*found)

    def test_what_the_page_has_trained_loads_in_the_programs(self):
        """With its steps, and to the last bit; and the same seed trains the same models."""
        docs = microdiffusion.read_names(os.path.join(playground.HERE, 'class.txt'))
        found = self.in_node(
            '[1, 1, 2].map(seed => { const models = {}; const names = [...learn({docs, steps: 3, '
            'heldOut: [], learning_rate: 0.01, constants: known.constants, measured: 1, '
            'written: 2, seed}, models)].filter(({names}) => names).map(({names}) => names); '
            'const logits = [maskPredictor(models.microdiffusion, [5, 0, 7, 0, 0, 1, 1]), '
            'gpt(models.microgpt, [0, 5, 7])].map(plain); '
            'return [Object.values(models).map(saved), logits, names]; })', docs=docs)
        self.assertEqual(found[0], found[1])
        self.assertNotEqual(found[0], found[2])
        models, logits, _ = found[0]
        with tempfile.TemporaryDirectory() as folder:
            for program, tokens, expected in ((microdiffusion, [5, 0, 7, 0, 0, 1, 1], logits[0]),
                                              (microgpt, [0, 5, 7], logits[1])):
                path = os.path.join(folder, program.PROGRAM)
                with open(path, 'w', encoding='utf-8') as file:
                    json.dump([model for model in models
                               if model['program'] == program.PROGRAM][0], file)
                state_dict, vocab, trained = program.load(path)
                self.assertEqual((3, program.make_vocab(docs)), (trained, vocab))
                model = program.mask_predictor if program is microdiffusion else program.gpt
                self.assert_close(numbers(model(state_dict, tokens)), expected)

    def test_what_is_no_whole_model_is_refused(self):
        found = self.in_node("""(() => {
            const good = JSON.stringify(saved(microgpt)), constants = known.constants.microgpt;
            return [model => model, model => { delete model.steps; return model; },
                () => null, () => 'text', model => ({...model, program: 'microdiffusion'}),
                model => ({...model, n_embd: 17}), model => ({...model, vocab: '.aab'}),
                model => ({...model, vocab: model.vocab + 'y'}), model => ({...model, vocab: 3}),
                model => { model.state_dict.wte[0][0] = null; return model; },
                model => { model.state_dict.wpe.pop(); return model; },
                model => { delete model.state_dict.lm_head; return model; },
                model => { model.state_dict.wte[3] = null; return model; },
                model => ({...model, steps: -1})].map(spoil =>
                    attempt(() => load(spoil(JSON.parse(good)), constants).steps));
        })()""")
        self.assertEqual([2000, 0] + [None] * 12, found)

    def test_a_training_that_fails_says_so(self):
        found = self.in_node("""(() => {
            try {
                const examples = [encode(microgpt, 'anna')];
                for (const loss of train(microgpt, examples, new Random(1), 50, 9));
            } catch (error) { return error.message; }
        })()""")
        self.assertRegex(found, r'^The training of microgpt has failed in step \d+: .* Lower the')

    def test_masks_left_by_the_same_schedule(self):
        cases = [(total, i, steps) for total in (1, 5, 13, 14) for steps in (1, 3, 16, 39)
                 for i in range(1, steps + 1)]
        self.assertEqual([microdiffusion.masks_left(*case) for case in cases],
                         self.in_node('cases.map(given => masksLeft(...given))', cases=cases))


class Sequence:
    """Numbers that look random, for Python and, as Math.random, for the page."""

    def __init__(self, seed):
        rng = random.Random(seed)
        self.numbers = [rng.random() for _ in range(4000)]
        self.script = f'Math.random = (numbers => () => numbers.shift())({self.numbers});'

    def generator(self):
        """A random.Random that gives them."""
        return Replayed(self.numbers)


@unittest.skipUnless(browser.CHROMIUM, 'Chromium is not here, which opens the page')
class InBrowser(unittest.TestCase):
    """What a visitor reads is what the programs work out, and what is in the page can be used."""

    @classmethod
    def setUpClass(cls):
        cls.browser = browser.Browser().__enter__()
        cls.addClassCleanup(cls.browser.__exit__)

    def setUp(self):
        self.browser.problems.clear()
        self.diffusion, self.vocab = load(microdiffusion)
        self.gpt, self.gpt_vocab = load(microgpt)

    def tearDown(self):
        self.assertEqual([], self.browser.problems)

    def open(self, state='', **given):
        self.browser.open(playground.PAGE + ('#' + state if state else ''), **given)

    def text(self, selector):
        """The texts of all elements that a selector finds."""
        return self.browser.run(f'[...document.querySelectorAll({json.dumps(selector)})]'
                                '.map(element => element.textContent)')

    def write_row(self):
        """What stands in the upper and in the lower row of section Write."""
        return self.browser.run("""['write', 'gpt'].map(which =>
            [...document.querySelectorAll(`#${which}-places .tile`)].map(tile =>
                (tile.value === undefined ? tile.textContent : tile.value) || '_').join(''))""")

    def slide(self, name, value):
        self.browser.run(f"""(() => {{
            const slider = document.getElementById({json.dumps(name)});
            slider.value = {value};
            slider.dispatchEvent(new Event('input', {{bubbles: true}}));
        }})()""")

    def noisy(self, name, hidden):
        """The tokens of a name, and those with these places hidden, counted from 1."""
        clean = microdiffusion.encode(name, self.vocab)
        return clean, [MASK if n in hidden else token for n, token in enumerate(clean, 1)]

    def predicted(self, noisy):
        """The probabilities at each place up to the end."""
        logits = microdiffusion.mask_predictor(self.diffusion, noisy)
        return [microdiffusion.plain_softmax([v.data for v in z])[0] for z in logits]

    # Hide.

    def test_guesses_and_what_they_cost(self):
        """Percentages, bars, prices and sums, with an end that is hidden and one that is not."""
        for name, hidden in (('catherine', (2, 5, 7)), ('leila', (1, 5, 6, 9)), ('ann', (2, 7))):
            with self.subTest(name=name):
                clean, noisy = self.noisy(name, hidden)
                probs = self.predicted(noisy)
                self.open(f'hide&name={name}&hidden=' + ','.join(map(str, hidden)))
                for n in hidden:
                    found = self.browser.run(f"""[...document.querySelectorAll(
                        '#hide-places .below')[{n - 1}].children].map(guess => [guess.textContent,
                        parseFloat(getComputedStyle(guess).backgroundSize) / 100])""")
                    here = probs[n - 1] if n <= len(probs) else [
                        float(token == PAD) for token, _ in enumerate(self.vocab)]
                    best = sorted(range(len(here)), key=lambda token: -here[token])[:5]
                    best = [token for token in best if here[token] >= 0.005]
                    self.assertEqual([f'{self.vocab[token]} {math.floor(100 * here[token] + 0.5)}'
                                      for token in best], [text for text, _ in found])
                    for token, (_, bar) in zip(best, found):
                        self.assertAlmostEqual(here[token], bar, places=4)

                costs = [-math.log(probs[n - 1][clean[n - 1]]) for n in hidden if n <= len(probs)]
                said = self.text('#hide-says')[0]
                self.assertIn(f'{len(hidden)} hidden places cost {sum(costs):.2f} nats.', said)
                self.assertEqual(len(costs) < len(hidden), 'all is certain' in said)
                self.browser.click('#hide-places .tile', hidden[0] - 1)
                self.assertEqual([f'{costs[0]:.2f}nats'], self.text('#hide-places .cost'))
                self.assertIn(f'What you have shown cost {costs[0]:.2f} nats.',
                              self.text('#hide-says')[0])
                self.assertEqual(name[hidden[0] - 1],
                                 self.text('#hide-places .tile')[hidden[0] - 1])

    def test_where_a_place_looks(self):
        """The squares, each head's squares, and the sentence."""
        _, noisy = self.noisy('catherine', (2, 5, 7))
        weights, softmax = [], microdiffusion.softmax

        def recording(*args):
            """softmax, with what it gives kept."""
            probs = softmax(*args)
            weights.append([p.data for p in probs])
            return probs
        with mock.patch.object(microdiffusion, 'softmax', recording):
            microdiffusion.mask_predictor(self.diffusion, noisy)
        seen = len(microdiffusion.settled(noisy))
        heads = [weights[start:start + seen] for start in range(0, len(weights), seen)]
        for place in (5, 1):
            rows = [head[place - 1] + [0.0] * (14 - seen) for head in heads]
            mean = [sum(column) / len(rows) for column in zip(*rows)]
            self.open(f'hide&name=catherine&hidden=2,5,7&look={place}')
            areas = self.browser.run("""
                [...document.querySelectorAll('#hide-places .square i')].map(
                    square => (parseFloat(square.style.width) / 2) ** 2)""")
            self.assertEqual(14, len(areas))
            for share, area in zip(mean, areas):
                self.assertAlmostEqual(share, area, places=4)

            order = sorted(range(14), key=lambda n: -mean[n])
            said = self.text('#hide-says')[0]
            for n in order[:2]:
                what = 'hidden' if noisy[n] == MASK else f'\u201c{self.vocab[noisy[n]]}\u201d'
                self.assertIn(f'place {n + 1} ({what}, {math.floor(100 * mean[n] + 0.5)} %)', said)
            left, right = sum(mean[:place - 1]), sum(mean[place:])
            self.assertIn(f'{math.floor(100 * left + 0.5)} % of its attention to what stands left '
                          f'of it and {math.floor(100 * right + 0.5)} % to', said)
            self.assertEqual(min(left, right) >= 0.25, 'uses both sides' in said)

            self.browser.click('#heads')
            columns = self.browser.run("""[...document.querySelectorAll('#hide-places .cells')].map(
                cells => [...cells.querySelectorAll('i')].map(
                    square => parseFloat(square.style.width) ** 2))""")
            for row, squares in zip(rows, zip(*columns)):
                for share, area in zip(row, squares):
                    self.assertAlmostEqual(share, area, places=4)
            arrows = ['\u2190', '\u2190', '\u2192', '\u2192']
            self.assertEqual(['1' + a for a in arrows] + ['2' + a for a in arrows],
                             self.text('#hide-places .cell b'))

    def test_the_slider_and_the_buttons_hide_by_chance(self):
        """A place is hidden when its random number is below t; two buttons change what it is."""
        sequence = Sequence(5)
        self.open(before=sequence.script)
        chances = self.browser.run('hide.chances')
        for t in (0, 0.3, 0.95, 1):
            self.slide('t', t)
            self.assertEqual(''.join('_' if chance < t else letter for chance, letter
                                     in zip(chances, 'catherine.....')),
                             ''.join(self.text('#hide-places .tile')))
            self.assertEqual([f'{t:.2f}'], self.text('#t-out'))
        self.slide('t', 0.5)
        before = self.text('#hide-places .tile')
        self.browser.click('#redraw')
        chances, others = self.browser.run('hide.chances'), chances
        self.assertNotEqual(others, chances)
        self.assertNotEqual(before, self.text('#hide-places .tile'))
        self.browser.click('#another')
        self.assertEqual(playground.NAMES[1], self.browser.run("byId('name').value"))
        self.slide('t', 0)
        self.assertEqual(playground.NAMES[1].ljust(14, '.'),
                         ''.join(self.text('#hide-places .tile')))

    def test_names_that_are_typed(self):
        """A bad one is refused in a sentence; an accent that the model does not have is lost."""
        self.open()
        for name, good in (('Nora', True), ('', False), ('7', False), ('zo\u00eb', True),
                           ('<b>', False), ('a_b', False), ('x' * 10000, False), ('bea', True)):
            self.browser.run(f"byId('name').value = {json.dumps(name)}; "
                             "byId('name').dispatchEvent(new Event('input'))")
            error = self.text('#name-error')[0]
            self.assertEqual(good, error == '', error)
            self.assertLess(len(error), 120)
            self.slide('t', 0)
            if good:
                plain = name.lower().replace('\u00eb', 'e')
                self.assertEqual(plain.ljust(14, '.'), ''.join(self.text('#hide-places .tile')))

    # Write.

    def test_both_models_write_what_the_programs_write(self):
        """Away from the defaults, each with its own temperature, and from a typed beginning."""
        for n, (state, prompt, options, gpt_temperature) in enumerate((
                ('', '', {}, None),
                ('&steps=5&noise=0&temperature=1.5&gpt-temperature=0.3', '',
                 {'steps': 5, 'noise': 0.0, 'temperature': 1.5}, 0.3),
                ('&prompt=mar&noise=8&temperature=0.4&gpt-temperature=1.9', 'mar',
                 {'noise': 8.0, 'temperature': 0.4}, 1.9),
                ('&prompt=___k&steps=2', '___k', {'steps': 2}, None))):
            with self.subTest(state=state):
                sequence = Sequence(n)
                self.open('write' + state)
                self.browser.run(sequence.script)
                tokens = [MASK] * 14
                for place, char in enumerate(prompt):
                    tokens[place] = self.vocab.index(char)
                rng = sequence.generator()
                start = [self.gpt_vocab.index(char) for char in prompt] if prompt == 'mar' else []
                steps = microdiffusion.denoise(self.diffusion, tokens, rng, **options)
                gpt_temperature = gpt_temperature or microgpt.make_parser().parse_args(
                    []).temperature
                letters, ended, runs, gpt_runs = list(start), False, 0, 0
                cache, new = None, [microgpt.BOS] + letters
                while True:
                    frame = next(steps, None)
                    if frame:
                        tokens, runs = frame[2], runs + 1
                    if not ended:
                        logits = microgpt.gpt(self.gpt, [microgpt.BOS] + letters)
                        token = microgpt.draw(logits[-1], rng, gpt_temperature)
                        ended, gpt_runs = token == microgpt.BOS, gpt_runs + 1
                        letters += [] if ended else [token]
                    self.browser.click('#step')
                    lower = microgpt.decode(letters, self.gpt_vocab)
                    self.assertEqual([microdiffusion.decode(tokens, self.vocab),
                                      lower.ljust(14, '.' if ended else '_')], self.write_row())
                    if MASK not in tokens and ended:
                        break
                self.assertEqual([f'{runs} run' + 's' * (runs != 1)],
                                 self.text('#diffusion-count'))
                self.assertEqual([f'{gpt_runs} run' + 's' * (gpt_runs != 1)],
                                 self.text('#gpt-count'))

    def test_letters_typed_into_the_upper_row(self):
        """What keys do, one after the other; the rows that come of it, and what is said."""
        self.open(media=[('prefers-reduced-motion', 'reduce')])
        for keys, upper, lower, said in (
                ((1, 'm', 'a', 'r'), 'mar' + '_' * 11, 'mar' + '_' * 11, 'microgpt goes on'),
                ((3, 'k'), '__k' + '_' * 11, '_' * 14, 'never sees what follows'),
                ((1, 'm', 'a', 'Backspace', 'Backspace'), 'm' + '_' * 13, 'm' + '_' * 13, ''),
                ((1, 'm', 'ArrowLeft', 'ArrowRight', 'ArrowLeft', 'Backspace'),
                 '_' * 14, '_' * 14, 'is hidden'),
                ((6, '.', 9, 'k'), '_' * 8 + 'k' + '_' * 5, '_' * 14, ''),
                ((6, '.', 6, 'k'), '_' * 5 + 'k' + '_' * 8, '_' * 14, ''),
                ((6, '.', 3, 'k'), '__k__' + '.' * 9, '_' * 14, ''),
                ((6, '.', 9, ' '), '_' * 5 + '.' * 9, '_' * 14, 'behind the end'),
                ((6, '.', 9, '.'), '_' * 5 + '.' * 9, '_' * 14, ''),
                ((6, '.', 6, ' '), '_' * 14, '_' * 14, 'is hidden'),
                ((1, '.'), '_' * 14, '_' * 14, 'cannot end at the first'),
                ((14, 'x'), '_' * 14, '_' * 14, 'last place'),
                ((2, '?'), '_' * 14, '_' * 14, 'takes one of'),
                ((1, '\u00eb'), 'e' + '_' * 13, 'e' + '_' * 13, '')):
            with self.subTest(keys=keys):
                self.browser.click('#clear')
                for key in keys:
                    if isinstance(key, int):
                        self.browser.click('#write-places .tile', key - 1)
                    else:
                        self.browser.keys(key)
                self.assertEqual([upper, lower], self.write_row())
                self.assertIn(said, self.text('#write-says')[0])
                self.browser.click('#play')     # whatever was typed, it comes to an end
                self.assertNotIn('_', ''.join(self.write_row()))

    def test_a_word_that_is_pasted_fills_the_places_from_there(self):
        self.open()
        self.browser.run("""(() => {
            const data = new DataTransfer();
            data.setData('text', 'ann.');
            writing.tiles[2].dispatchEvent(new ClipboardEvent('paste', {clipboardData: data}));
        })()""")
        self.assertEqual('__ann' + '.' * 9, self.write_row()[0])

    def test_play_ends_for_those_who_want_nothing_to_move(self):
        """Even when the place behind the end is hidden, which froze the page once."""
        self.open(media=[('prefers-reduced-motion', 'reduce')])
        self.browser.click('#play')
        upper, _ = self.write_row()
        self.assertNotIn('_', upper)
        self.browser.click('#write-places .tile', min(13, upper.index('.') + 1))
        self.browser.keys(' ')
        self.browser.click('#play')
        self.assertNotIn('_', ''.join(self.write_row()))

    def test_a_slider_moved_in_play(self):
        self.open()
        self.browser.click('#play')
        self.slide('temperature', 1.2)
        self.assertIn('A slider has moved', self.text('#write-says')[0])
        self.assertEqual(['Pause'], self.text('#play'))
        self.browser.click('#play')
        self.assertEqual(['1.20'], self.text('#temperature-out'))

    # Compare.

    def test_twenty_names_each(self):
        """The names that the programs write, what was given underlined, and their sentence."""
        self.open('write&steps=5&temperature=1.1&gpt-temperature=0.5')
        for n, (prompt, known, gpt_known) in enumerate((
                ('j____a.', 'j____a', 'j'), ('___th___.', '___th___', ''), ('', '', ''),
                ('zo\u00eb', 'zoe', 'zoe'))):
            with self.subTest(prompt=prompt):
                sequence = Sequence(n)
                self.browser.run(sequence.script)
                self.browser.run(f"byId('prompt').value = {json.dumps(prompt)}")
                self.browser.click('#prompt-form .main')
                rng, expected, runs = sequence.generator(), [], 0
                tokens, least = microdiffusion.read_prompt(known + '.' * ('.' in prompt),
                                                           self.vocab)
                for _ in range(20):
                    frames = list(microdiffusion.denoise(self.diffusion, tokens, rng, 5, 1.1,
                                                         least))
                    runs += len(frames)
                    expected.append(microdiffusion.decode(frames[-1][2], self.vocab).strip('.'))
                start = [self.gpt_vocab.index(char) for char in gpt_known]
                gpt_expected = [microgpt.decode(microgpt.generate(self.gpt, list(start), rng, 0.5),
                                                self.gpt_vocab) for _ in range(20)]
                for who, names, given in (('diffusion', expected, known),
                                          ('gpt', gpt_expected, gpt_known)):
                    found = [name.replace(' fits', '') for name in self.text(f'#{who}-names li')]
                    self.assertEqual(names, found)
                    lines = self.browser.run(f"""[...document.querySelectorAll('#{who}-names li')]
                        .map(item => [...item.children].filter(child => child.matches('b, span'))
                            .map(child => child.matches('b') ? child.textContent : '_').join(''))
                        """)
                    self.assertEqual({given.rstrip('_').ljust(len(name), '_') if len(given) <=
                                      len(name) else line for name, line in zip(names, lines)},
                                     set(lines) if given else {'_' * len(name) for name in names})
                self.assertEqual([f'20 of 20 names fit what is known. {len(set(expected))} are '
                                  'different. On average the model ran '
                                  f'{runs / 20:.1f} times for a name.'],
                                 self.text('#diffusion-says'))
                pattern = known.replace('_', '.') + ('$' if '.' in prompt else '')
                fitting = sum(bool(re.match(pattern, name)) and len(name) >= len(known)
                              for name in gpt_expected)
                self.assertIn(f'{fitting} of 20 names fit', self.text('#gpt-says')[0])
                said = self.text('#gpt-says')[0]
                self.assertEqual('_' in prompt, 'cannot fill in a blank' in said)

    def test_a_bad_prompt_leaves_nothing_of_the_last_one(self):
        self.open()
        for prompt in ('a.b', '7', 'x' * 1000, '.'):
            self.browser.run(f"byId('prompt').value = {json.dumps(prompt)}")
            self.browser.click('#prompt-form .main')
            self.assertTrue(self.text('#prompt-error')[0])
            self.assertEqual([], self.text('#compare li'))
            self.assertEqual(['', ''], self.text('#compare .says'))
        self.browser.click('.example')
        self.assertEqual([''], self.text('#prompt-error'))
        self.assertEqual(40, len(self.text('#compare li')))

    # Train.

    def trained(self):
        """Train in few steps, measured by few names; the two lists of names that are written."""
        self.browser.run("byId('train-steps').min = byId('train-steps').step = 10; "
                         "known.heldOut = known.heldOut.split(' ').slice(0, 10).join(' ')")
        self.slide('train-steps', 20)
        self.browser.click('#train-start')
        self.browser.wait("byId('train-gpt-copies').textContent")
        return self.text('#train-diffusion-names li'), self.text('#train-gpt-names li')

    def test_training_marks_and_counts_the_copies(self):
        """With a worker and without one the same names come out, as the seed says."""
        self.open('train&rate=0.05')
        names = self.trained()
        self.assertEqual([100, 100], [len(list_) for list_ in names])
        learned, _ = microdiffusion.split(microdiffusion.read_names(
            os.path.join(playground.HERE, 'class.txt')))
        for who, written in zip(('diffusion', 'gpt'), names):
            copies = [name for name in written if name in learned]
            self.assertEqual(copies, self.text(f'#train-{who}-names b'))
            self.assertEqual([str(len(copies))], self.text(f'#train-{who}-copies'))
        self.assertIn('Done: 20 steps', self.text('#train-says')[0])
        curves = self.browser.run("document.querySelectorAll('#train-loss path').length")
        self.assertEqual(2, curves)

        self.open('train&rate=0.05', before='delete window.Worker;')
        self.assertEqual(names, self.trained())

    def test_what_was_trained_is_used_above_and_can_be_left(self):
        self.open()
        names = [''.join([chr(0x430 + ord(char) - ord('a')) for char in name])
                 for name in 'anna bea carl dora emil fia gina hans ida jan'.split()]
        self.browser.run(f"byId('train-list').value = {json.dumps(', '.join(names))}")
        self.trained()
        self.assertIn('Fewer than five', self.text('#train-held-out')[0])
        self.browser.click('#train-use')
        self.assertEqual(['trained here'] * 3, re.findall('trained here',
                                                          ''.join(self.text('.used'))))
        for name in self.text('#diffusion-names li'):
            self.assertRegex(name, '^[\u0430-\u044f\u0451]+$')
        self.browser.click('#train-back')
        self.assertEqual(['', '', ''], self.text('.used'))
        self.assertEqual(playground.NAMES[0], self.browser.run("byId('name').value"))

    def test_a_learning_rate_that_is_too_high_is_said(self):
        self.open('train&rate=3')
        self.browser.run("known.heldOut = 'anna'")
        self.browser.click('#train-start')
        self.browser.wait("training.state === 'failed'")
        self.assertIn('Lower the learning rate', self.text('#train-says')[0])
        self.assertEqual(['Train'], self.text('#train-start'))

    # The page as a whole.

    def test_the_state_in_the_address(self):
        """It is taken from there, it is kept there, and no list is ever in it."""
        self.open('write&prompt=j____a.&steps=8&noise=0.5')
        self.assertEqual('j____a' + '.' * 8, self.write_row()[0])
        self.assertEqual(['8', '0.5'], self.text('#steps-out') + self.text('#noise-out'))
        self.slide('temperature', 0.5)
        self.browser.wait("location.hash === "
                          "'#write&prompt=j____a.&steps=8&temperature=0.5&noise=0.5'")
        self.browser.run("byId('train-list').value = 'secret'; "
                         "byId('train-list').dispatchEvent(new Event('input'))")
        self.slide('train-seed', 7)
        self.browser.wait("location.hash === '#train&steps=700&rate=0.014&seed=7'")

    def test_back_to_the_page_finds_sliders_and_labels_that_agree(self):
        """Whether the browser has kept the page or opens it anew."""
        self.open('write')
        self.slide('steps', 3)
        self.slide('temperature', 0.9)
        self.browser.wait("location.hash === '#write&steps=3'")
        self.browser.run("dispatchEvent(new Event('pagehide')); "
                         "byId('steps').value = byId('steps').defaultValue")    # as WebKit does
        self.assertEqual('3', self.browser.run("byId('steps').value"))
        self.browser.ask('Page.navigate', url='about:blank')
        self.browser.wait("location.href === 'about:blank'")
        self.browser.run('void setTimeout(() => history.back())')
        self.browser.wait("location.hash && document.readyState === 'complete'")
        self.assertEqual(['3', '0.9'], self.browser.run("[byId('steps').value, "
                                                        "byId('temperature').value]"))
        self.assertEqual(['3', '0.90'], self.text('#steps-out') + self.text('#temperature-out'))

    def test_nothing_is_wider_than_the_window_and_letters_stay_in_their_tiles(self):
        """On a computer, on a phone, and with letters of twice the size."""
        self.open('hide&name=catherine&hidden=2,5,7&look=5')
        for width, size in ((1280, 17), (360, 17), (1280, 34), (360, 32)):
            with self.subTest(width=width, size=size):
                self.browser.ask('Emulation.setDeviceMetricsOverride', width=width, height=900,
                                 deviceScaleFactor=1, mobile=False)
                self.browser.run(f"document.documentElement.style.fontSize = '{size}px'")
                self.assertLessEqual(self.browser.run('document.documentElement.scrollWidth'),
                                     width)
                heights = self.browser.run("[...document.querySelectorAll('.tile')].map(tile => "
                                           "tile.clientHeight - parseFloat("
                                           "getComputedStyle(tile).fontSize))")
                self.assertGreater(min(heights), 0)

    def test_every_question_mark_explains(self):
        self.open()
        shown = self.browser.run("""[...document.querySelectorAll('.help')].map(button => {
            const text = byId(button.getAttribute('aria-controls')), before = text.offsetHeight;
            button.click();
            return [before, text.offsetHeight, button.getAttribute('aria-expanded')];
        })""")
        self.assertGreater(len(shown), 15)
        for before, after, expanded in shown:
            self.assertEqual((0, 'true'), (before, expanded))
            self.assertGreater(after, 20)

    def test_what_colour_alone_shows_is_left_in_high_contrast(self):
        self.open('hide&name=catherine&hidden=2,5,7&look=5', media=[('forced-colors', 'active')])
        self.browser.click('#step')
        seen = self.browser.run("""['.square i', '.sure i', '.tile.new', '.guess'].map(selector => {
            const style = getComputedStyle(document.querySelector(selector));
            const page = getComputedStyle(document.body).backgroundColor;
            return style.backgroundColor !== page && style.backgroundColor !== 'rgba(0, 0, 0, 0)' ||
                   style.backgroundImage !== 'none';
        })""")
        self.assertEqual([True] * 4, seen)


if __name__ == '__main__':
    unittest.main()

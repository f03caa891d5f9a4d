"""Input that nobody means to give, made at random: a result or a line of error, no traceback."""
import json
import random
from unittest import mock

from tests.command_line import (ACCENTS, FEW, NAMES, PROGRAMS, QUICK, CommandLineTest, command,
                                one_draw, run, run_process)

PIECES = ['a', 'an', 'Mar', '\u00e9', 'e\u0301', '\u00df', '\u0130', '\u03a3', '\u4e2d',
          '\U0001f600', '\u0958', '\u200d', '\u202e', '\ufeff', '\ufffd', '\xa0', '\xad', '_', '.',
          ' ', '-', "'", '"', '\\', '%s', '{}', '\t', '\x0b', '\x1b[2J', '\x85', '\u2028', '7',
          '\u0663', 'x' * 15]
LINE_ENDS = ['\n', '\r\n', '\r', '\n\n', '\x0b', '\x1c', '\u2028', '\n \n', '\0']
NUMBERS = ['0', '1', '2', '3', '-0', '+1', ' 1 ', '1_0', '\u0661', '-1', '0.5', '.5', '1e-2', '1e9',
           '1e10', '1e400', '-inf', 'nan', '', ' ', 'x', '0x1', '1,5', '9' * 30, '9' * 5000, '1/2',
           '--', '\udcff', 'None', '1 2', '0.01', '0.00999', 'True']
OPTIONS = ['samples', 'seed', 'temperature', 'denoise-steps', 'temp', 'steps', 'processes']
JUNK = [None, True, False, 0, -1, 3, 0.5, -0.0, 1e-320, 1e9, 1e155, -1e300, 10 ** 18, 10 ** 300,
        10 ** 400, float('nan'), float('inf'), '', 'a', '.', '_.', '_.ab', '\ud800', 'x' * 300, [],
        [[]], [[0.5] * 16] * 16, {}, {'wte': []}, {'a': {'b': [1]}}]


def random_names(rng):
    """The content of a names file: real names, pieces of all kinds, or bytes of any value."""
    kind = rng.randrange(5)
    if kind == 0:
        return bytes(rng.randrange(256) for _ in range(rng.randrange(200)))
    pieces = rng.sample(PIECES, 5)
    names = [''.join(rng.choice(pieces) for _ in range(rng.randrange(5)))
             for _ in range(rng.randrange(30))]
    if kind in (1, 4):
        names += rng.sample(NAMES, 10)
    line_ends = LINE_ENDS if kind == 2 else LINE_ENDS[:4]
    content = ''.join([name + rng.choice(line_ends) for name in names])
    content = content.encode(rng.choice(['utf-8', 'utf-8', 'utf-8', 'utf-8-sig', 'utf-16']))
    return content[:rng.randrange(len(content) + 1)] if kind == 3 else content

def random_prompt(rng):
    """A prompt: letters and signs of prompts, or pieces of all kinds."""
    pieces = rng.choice([list('aemnr'), list('amn_') + ['_', '.'], PIECES + ['\udcff']])
    text = ''.join(rng.choice(pieces) for _ in range(rng.randrange(rng.choice([4, 8, 20]))))
    return text + rng.choice(['', '', '.'])

def random_options(rng):
    """Some options, with numbers that may or may not be any."""
    names = rng.sample(OPTIONS, 2)
    numbers = rng.choice([NUMBERS[:8], NUMBERS])
    return [f'--{name}={rng.choice(numbers)}' for name in names]

def places(tree):
    """All (container, key) in a tree of lists and dicts, the outer first; of lists, a few."""
    keys = list(tree) if isinstance(tree, dict) else range(min(len(tree), 3))
    found = [(tree, key) for key in keys]
    for key in keys:
        if isinstance(tree[key], (dict, list)):
            found += places(tree[key])
    return found

def scaled(tree, factor):
    """A tree of lists and dicts with its numbers multiplied."""
    if isinstance(tree, dict):
        return {key: scaled(value, factor) for key, value in tree.items()}
    return [scaled(value, factor) for value in tree] if isinstance(tree, list) else tree * factor

def random_model(rng, texts):
    """The content of a file that was a saved model, of this program or of the other."""
    text = texts[rng.random() < 0.1]
    kind = rng.randrange(7)
    if kind == 0:                           # the text cut, or nested, or with something else in it
        at, end = sorted([rng.randrange(len(text)), rng.randrange(len(text))])
        return rng.choice([text[:at], text[at:], text[:at] + text[end:], '[' * end, '{"a":' * end,
                           text[:at] + rng.choice(PIECES) + text[at:], text + text])
    if kind == 1:                           # bytes changed
        data = bytearray(text.encode('utf-8'))
        for _ in range(rng.choice([1, 3, 100])):
            data[rng.randrange(len(data))] = rng.randrange(256)
        return bytes(data)
    model = json.loads(text)
    if kind == 2:                           # other letters
        letters = list(model['vocab'])
        letters[rng.randrange(len(letters))] = rng.choice(PIECES)
        rng.shuffle(letters)
        model['vocab'] = ''.join(letters)
        return json.dumps(model)
    if kind == 3:                           # weights of another size
        factor = rng.choice([0, -1, 1e8, 1e150, 1e200, 1e-300])
        names = rng.sample(sorted(model['state_dict']), rng.choice([1, len(model['state_dict'])]))
        model['state_dict'].update(scaled({k: model['state_dict'][k] for k in names}, factor))
        return json.dumps(model)
    for _ in range(rng.choice([1, 1, 3])):  # keys and values deleted or replaced or doubled
        if isinstance(model, (dict, list)) and places(model):
            container, key = rng.choice(places(model)[:rng.choice([6, None])])
            change = rng.randrange(4)
            if change == 0:
                del container[key]
            elif change == 1 and isinstance(container, dict):
                container[str(key) + '2'] = container[key]
            else:
                container[key] = rng.choice(JUNK)
    return json.dumps(model)


class FuzzCase(CommandLineTest):
    """Each case is made from its number, so that one which fails can be made again."""

    def setUp(self):
        super().setUp()
        for program in PROGRAMS:            # any number of processes is asked for
            patch = mock.patch.object(program, 'start_workers', return_value=[])
            patch.start()
            self.addCleanup(patch.stop)
        self.models = {program: self.model(program, FEW + ACCENTS) for program in PROGRAMS}
        self.texts = {program: self.read(path).decode() for program, path in self.models.items()}

    def check(self, case, program, argv, process=False):
        """The exit status is 0 or 2, with a line of error in the second case alone."""
        with self.subTest(program.PROGRAM, case=case, argv=argv):
            if process:
                result = run_process(command(program, *argv), self.folder)
            else:
                result = run(program, *argv)
            self.assertIn(result.status, (0, 2))
            self.assertNotIn('Traceback', result.err)
            self.assertEqual(result.status // 2, result.err.count(f'{program.PROGRAM}.py: error: '))

    def run_names(self, case, process=False):
        """Programs that learn from a random file."""
        rng = random.Random(f'names {case}')
        path = self.write('fuzz.txt', random_names(rng))
        for program in PROGRAMS:
            self.check(case, program, ['--names', path, '--steps', 0, '--samples', 1,
                                       *QUICK[program]], process)

    def run_prompt(self, case, process=False):
        """Models that are given a random prompt, and random numbers."""
        rng = random.Random(f'prompt {case}')
        prompt, options = random_prompt(rng), random_options(rng) if case % 3 == 0 else []
        for program in PROGRAMS:
            self.check(case, program, ['--load', self.models[program], '--samples=1',
                                       '--prompt=' + prompt, *QUICK[program], *options],
                       process)

    def run_model(self, case, process=False):
        """Programs that load a spoilt model."""
        for program in PROGRAMS:
            rng = random.Random(f'model {case}')
            texts = [self.texts[program]] + [self.texts[p] for p in PROGRAMS if p is not program]
            path = self.write('fuzz.json', random_model(rng, texts))
            prompt = rng.choice(['', 'a', 'mar'])
            self.check(case, program, ['--load', path, '--samples=1', '--prompt=' + prompt,
                                       *QUICK[program]], process)


class FuzzTest(FuzzCase):
    """Many cases, one after the other in this process."""

    def test_names(self):
        """Names files of any content."""
        self.addCleanup(one_draw().close)
        for case in range(60):
            self.run_names(case)

    def test_prompts_and_numbers(self):
        """Prompts and numbers of any form."""
        for case in range(80):
            self.run_prompt(case)

    def test_models(self):
        """Saved models with anything changed in them."""
        for case in range(80):
            self.run_model(case)


class FuzzProcessTest(FuzzCase):
    """Some of each as real processes."""
    small = False

    def test_processes(self):
        """Names, models, a prompt."""
        for case in range(1000, 1002):
            self.run_names(case, process=True)
            self.run_model(case, process=True)
        self.run_prompt(1000, process=True)

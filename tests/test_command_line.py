"""The command line: what it takes, what it refuses in one line, what it prints, saves and loads."""
import contextlib
import gc
import io
import json
import math
import os
import re
import signal
import sys
import textwrap
import threading
import types
import unicodedata
import unittest
from unittest import mock

import microdiffusion
import microgpt
from tests.command_line import (FEW, HELD_OUT, NAMES, PROGRAMS, CommandLineTest, command, finish,
                                pty, run, run_on_terminal, samples, start_process, untimed)

try:
    import resource
except ImportError:                         # Windows
    resource = None

# What the two programs print at the small size of the tests. It is the same on every Python. Where
# something is changed on purpose, the failing test shows what to put here.
REFERENCE = {
    microgpt: '''
        27 names to learn from; 18 letters: abcdefghilmnorstux; 400 parameters
        a name, from its beginning to its end: .alice.
        train 1/3 18.55 nats <time> ofheolrfxunob
        train 3/3 18.20 nats <time>
        trained 3 steps of 8 names in <time>
        held-out 3/3 17.71 nats <time>
        held-out: 17.7 nats per name, standard error 1.7 (2.95 per character)
        sample  1: it
        sample  2: dmtxgsnloo
        sample  3: aeca
        0 of these 3 names are among the 27 learned from
        ''',
    microdiffusion: '''
        27 names to learn from; 18 letters: abcdefghilmnorstux; 328 parameters
        noise level t = 0.00: alice.........
        noise level t = 0.25: a_ic_._..._...
        noise level t = 0.50: a_ic_.__._.__.
        noise level t = 0.75: ___c___..__.__
        noise level t = 1.00: ______________
        train 1/3 8.71 nats <time> iexodrfdcmmmx
        train 3/3 16.12 nats <time>
        trained 3 steps of 8 names in <time>
        held-out 3/3 19.21 nats <time>
        held-out: 19.2 nats per name, standard error 1.8 (3.20 per character)
        step  0  ______________  14 masked, temperature 0.90
        step  1  ___c__________  13 masked, temperature 0.90
        step  2  d__c__________  12 masked, temperature 0.84
        step  3  dc_c__________  11 masked, temperature 0.79
        step  4  dc_c___a_____.   9 masked, temperature 0.73
        step  5  dc_c___a__i_h.   7 masked, temperature 0.68
        step  6  dclc_u_a__i_h.   5 masked, temperature 0.62
        step  7  dclc_ufafai_h.   2 masked, temperature 0.56
        step  8  dclcuufafaish.   0 masked, temperature 0.51
        sample  1: dclcuufafaish
        sample  2: nsafdbdmssgag
        sample  3: smebsshhet
        0 of these 3 names are among the 27 learned from
        '''}

BAD_NAMES = (
    ('no name at all', b'', 'bad has 0 names: give ten or more, one a line, as UTF-8 text; '),
    ('bytes that are no text', bytes(range(256)) * 9, 'bad has '),
    ('nine names', '\n'.join(FEW[:9]), 'bad has 9 names: '),
    ('one name ten times', 'anna\n' * 10, 'bad has 1 names: '),
    ('UTF-16', '\n'.join(NAMES).encode('utf-16'), 'as UTF-8 text'),
    ('Latin-1', 'zo\xeb\n'.encode('latin-1') * 10, 'as UTF-8 text'),
    ('long names', '\n'.join([name + 'x' * 14 for name in FEW]), 'it has up to 13 printable '),
    ('names with a dot', '\n'.join([name + '.' for name in FEW]), 'no _ and no .'))

BAD_ARGUMENTS = (
    (PROGRAMS, ['--names', 'missing.txt'], 'missing.txt'),
    (PROGRAMS, ['--names', '.'], "'.'"),
    (PROGRAMS, ['--load', 'missing.json'], 'missing.json'),
    (PROGRAMS, ['--load', 'few.txt'], 'few.txt is not a whole model'),
    (PROGRAMS, ['--load', 'model', '--steps', '5', '--names', 'missing.txt'], 'missing.txt'),
    (PROGRAMS, ['--load', 'model', '--names', 'greek.txt'], 'all of them known to the model'),
    (PROGRAMS, ['--names', ''], "''"),     # an unset variable is not the same as no option
    (PROGRAMS, ['--load', ''], "''"),
    (PROGRAMS, ['--save', ''], "''"),
    (PROGRAMS, ['--save', '.'], "'.'"),
    (PROGRAMS, ['--save', os.path.join('missing', 'model.json')], 'missing'),
    (PROGRAMS, ['--save', 'few.txt'], "'few.txt' is no model of "),
    (PROGRAMS, ['--names', 'few.txt', '--save', 'program.py'], "'program.py' is no model of "),
    (PROGRAMS, ['--names', 'few.txt', '--save', 'other'], "'other' is no model of "),
    (PROGRAMS, ['--steps', '-1'], '--steps: -1 is not a number from 0'),
    (PROGRAMS, ['--steps', '1.5'], "--steps: invalid number value: '1.5'"),
    (PROGRAMS, ['--samples', '-1'], '--samples: -1 is not a number from 0'),
    (PROGRAMS, ['--seed', '-1'], '--seed: -1 is not a number from 0'),
    (PROGRAMS, ['--processes', '0'], '--processes: 0 is not a number from 1'),
    (PROGRAMS, ['--temperature', '-0.1'], '--temperature: -0.1 is not a number from 0'),
    (PROGRAMS, ['--temperature', 'nan'], '--temperature: nan is not a number from 0'),
    ([microdiffusion], ['--denoise-steps', '0'], '--denoise-steps: 0 is not a number from 1'),
    ([microdiffusion], ['--denoise-steps', '1000000000'], 'is not a number from 1 to 1000'),
    ([microgpt], ['--denoise-steps', '8'], 'unrecognized arguments: --denoise-steps 8'),
    (PROGRAMS, ['--prompt', 'm@r'], "'m@r': a name has up to 13 letters, all of them from 'abcd"),
    (PROGRAMS, ['--prompt', 'm\xe9r'], "'m\xe9r': a name has up to 13 letters"),
    (PROGRAMS, ['--prompt', 'a' * 14], 'a name has up to 13 letters'),
    ([microgpt], ['--prompt', 'a_n'], "'a_n': a left-to-right model"),
    ([microgpt], ['--prompt', 'an.'], "'an.': a left-to-right model"),
    ([microdiffusion], ['--prompt', 'a.n'], "'a.n': at least one letter or _ comes before the ."),
    ([microdiffusion], ['--prompt', '.'], "'.': at least one letter or _ comes before the ."),
    ([microdiffusion], ['--prompt', '_' * 14], 'a name has up to 13 letters'))

# How to spoil the text of a saved model, or what stands in it, and what is said about it.
BAD_TEXTS = (
    ('empty', lambda text: ''),
    ('cut short', lambda text: text[:len(text) // 2]),
    ('its end cut off', lambda text: text[:-1]),
    ('bytes that are no text', lambda text: bytes(range(256)) * 100),
    ('a list', lambda text: f'[{text}]'),
    ('nested too deep', lambda text: '[' * 100000))
BAD_MODELS = (
    ('no vocabulary', lambda model, wpe: model.pop('vocab'), 'vocab'),
    ('a letter too few', lambda model, wpe: model.update(vocab=model['vocab'][:-1]), 'wte'),
    ('a letter twice', lambda model, wpe: model.update(vocab=model['vocab'][:-1] + 'a'), 'vocab'),
    ('no special tokens', lambda model, wpe: model.update(vocab='01' + model['vocab'][2:]),
     'vocab'),
    ('a list of letters', lambda model, wpe: model.update(vocab=list(model['vocab'])), 'vocab'),
    ('no letters', lambda model, wpe: model.update(vocab=[1] * len(model['vocab'])), 'not a whole'),
    ('no weights', lambda model, wpe: model.pop('state_dict'), 'state_dict'),
    ('a matrix missing', lambda model, wpe: model['state_dict'].pop('wpe'), 'wpe'),
    ('a row missing', lambda model, wpe: wpe.pop(), 'wpe'),
    ('a column missing', lambda model, wpe: [row.pop() for row in wpe], 'wpe'),
    ('a weight that is no number', lambda model, wpe: wpe[2].__setitem__(3, math.nan), 'wpe is nan'),
    ('an infinite weight', lambda model, wpe: wpe[2].__setitem__(3, -math.inf), 'wpe is -inf'),
    ('a weight missing', lambda model, wpe: wpe[2].__setitem__(3, None), 'not a whole model'),
    ('a weight too large', lambda model, wpe: wpe[2].__setitem__(3, 10 ** 400), 'not a whole'),
    ('no slope', lambda model, wpe: model.pop('slope'), 'slope'),
    ('another slope', lambda model, wpe: model.update(slope=0.25), 'its slope is 0.25, but '),
    ('other heads', lambda model, wpe: model.update(heads=[1]), 'its heads is [1], but here'),
    ('more layers', lambda model, wpe: model.update(n_layer=3), 'its n_layer is 3, but here'),
    ('wider', lambda model, wpe: model.update(n_embd=8), 'its n_embd is 8, but here'),
    ('longer', lambda model, wpe: model.update(block_size=16), 'its block_size is 16, but here'))


class BadInputTest(CommandLineTest):
    """What cannot be used is said in one line, with status 2, and nothing is trained or kept."""

    def check(self, program, argv, fragment):
        """The program refuses these arguments, and the folder is as it was."""
        with self.subTest(program.PROGRAM, argv=argv):
            before, here = self.files(), os.getcwd()
            os.chdir(self.folder)
            try:
                result = run(program, '--steps', 0, *argv)
            finally:
                os.chdir(here)
            self.assert_refused(result, fragment)
            self.assertLess(len(result.err), 2000)
            self.assertEqual(before, self.files())

    def test_arguments(self):
        """Files that are missing, numbers out of range, prompts that cannot be."""
        greek = 'αννα βάσω γιάννης δανάη ελένη ζωή ηλίας θάνος ιώ κώστας'
        self.write('greek.txt', greek.replace(' ', '\n'))
        self.write('program.py', 'print("a program of the user")')
        for program, other in zip(PROGRAMS, reversed(PROGRAMS)):
            os.replace(self.model(program), self.path('model'))
            os.replace(self.model(other), self.path('other'))
            for programs, argv, fragment in BAD_ARGUMENTS:
                if program in programs:
                    names = [] if {'--names', '--load'} & set(argv) else ['--names', 'few.txt']
                    self.check(program, names + argv, fragment)

    def test_names(self):
        """Files without ten names that can be used."""
        for what, content, fragment in BAD_NAMES:
            self.write('bad', content)
            for program in PROGRAMS:
                with self.subTest(what):
                    self.check(program, ['--names', 'bad', '--save', 'new.json'], fragment)

    def test_models(self):
        """A model that is broken, or was made for another size; the message says what differs."""
        for program in PROGRAMS:
            with open(self.model(program), encoding='utf-8') as file:
                text = file.read()
            for what, spoil in BAD_TEXTS:
                with self.subTest(what):
                    self.write('bad', spoil(text))
                    self.check(program, ['--load', 'bad'], 'bad is not a whole model (')
            for what, spoil, fragment in BAD_MODELS:
                with self.subTest(what):
                    model = json.loads(text)
                    spoil(model, model['state_dict']['wpe'])
                    self.write('bad', json.dumps(model))
                    self.check(program, ['--load', 'bad'], fragment)

    def test_constants(self):
        """A constant that was changed is named, be it out of range or not that of a kept model."""
        for program, other in zip(PROGRAMS, reversed(PROGRAMS)):
            here = 'but here it is '
            self.check(program, ['--load', self.model(other)],
                       f"its program is '{other.PROGRAM}', {here}'{program.PROGRAM}'")
            for name, value, argv, fragment in (
                    ('block_size', 18, ['--load', self.model(program)],
                     f'its block_size is 14, {here}18'),
                    ('n_embd', 5, ['--names', 'few.txt'],
                     'n_embd = 5, but it has to be a multiple of len(heads)')):
                with mock.patch.object(program, name, value):
                    self.check(program, argv, fragment)

    def test_divergence(self):
        """A training that leaves all bounds ends with the advice to lower the learning rate."""
        for program in PROGRAMS:
            for rate in 1e3, 1e50, 1e160:
                for seed in 1, 2, 3, 42:
                    with self.subTest(program.PROGRAM, rate=rate, seed=seed), \
                            mock.patch.object(program, 'learning_rate', rate):
                        result = run(program, '--names', self.few, '--steps', 5, '--seed', seed)
                        self.assert_refused(result, 'lower learning_rate')


class NamesTest(CommandLineTest):
    """Lists of names as people have them."""

    def test_same_names(self):
        """However a list is written down, it is the same list."""
        names = FEW + ['zo\u00eb']
        plain = '\n'.join(names)
        for what, content in (
                ('CRLF', plain.replace('\n', '\r\n')), ('CR', plain.replace('\n', '\r')),
                ('byte-order mark', '\ufeff' + plain), ('a last line end', plain + '\n'),
                ('blank lines and spaces', '\n\n' + plain.replace('\n', ' \n \n\t ')),
                ('letter and accent apart', unicodedata.normalize('NFD', plain)),
                ('capitals', plain.upper()),
                ('capital and accent apart', unicodedata.normalize('NFD', plain.upper()))):
            path = self.write('names.txt', content)
            for program in PROGRAMS:
                with self.subTest(program.PROGRAM, what=what):
                    self.assertEqual(names, program.read_names(path))

    def test_scripts(self):
        """Capitals become small letters, one character each, in every script."""
        for given, expected in (
                ('\u0130LKER \u0130nan I\u0307pek', 'ilker inan ipek'),         # the Turkish I
                ('\u0395\u039b\u0388\u039d\u0397 \u03a3\u039f\u03a6\u039f\u03a3',
                 '\u03b5\u03bb\u03ad\u03bd\u03b7 \u03c3\u03bf\u03c6\u03bf\u03c2'),
                ('\u0419\u041e\u0421\u0418\u0424 \u0401\u043b\u043a\u0430',
                 '\u0439\u043e\u0441\u0438\u0444 \u0451\u043b\u043a\u0430'),
                ('\u0930\u093e\u092e', '\u0930\u093e\u092e'),                   # vowel signs stay
                ('\u05d3\u05d5\u05d3', '\u05d3\u05d5\u05d3'),
                ('\u06cc\u200c\u0631 \u0915\u094d\u200d\u0937',                 # joiners stay
                 '\u06cc\u200c\u0631 \u0915\u094d\u200d\u0937'),
                ('\u5065 \u1e9eA', '\u5065 \xdfa')):
            path = self.write('names.txt', '\n'.join(given.split() + FEW))
            for program in PROGRAMS:
                with self.subTest(program.PROGRAM, given=given):
                    self.assertEqual(expected.split() + FEW, program.read_names(path))

    def test_left_out(self):
        """What cannot be a name is left out and counted; the letters of the others are shown."""
        unusable = 'a' * 14 + '\nan_na\nj.\nan\tna\n' + 'e\u0301' * 14 + '\n'
        path = self.write('names.txt', unusable.encode('utf-8') + b'zo\xeb\n' +
                          '\n'.join(FEW + ['b' * 13, 'Nora,F,812', ' ADA ']).encode('utf-8'))
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                result = run(program, '--names', path, '--steps', 0, '--samples', 0)
                self.assert_runs(result)
                first, second = result.out.splitlines()[:2]
                self.assertEqual('7 of 19 lines were left out: a name counts once; it has up '
                                 'to 13 printable characters, no _ and no .', first)
                self.assertTrue(second.startswith(      # three of the twelve are held out
                    '9 names to learn from; 19 letters: ,128abcdefgilmnorst; '), second)


class OutputTest(CommandLineTest):
    """What a run prints, from the first line to the last."""

    def test_reference(self):
        """A whole run: sizes, losses, figures, steps and names."""
        names = self.write('names.txt', '\n'.join(NAMES))
        for program, expected in REFERENCE.items():
            with self.subTest(program.PROGRAM):
                eight = ['--denoise-steps', 8] if program is microdiffusion else []
                result = run(program, '--names', names, '--steps', 3, '--samples', 3,
                             '--seed', 1795830133, *eight)
                self.assert_runs(result)
                self.assertEqual(textwrap.dedent(expected).strip(), untimed(result.out))

    def test_defaults(self):
        """What a run does that is asked for nothing: how many steps, names, samples, processes."""
        for program in PROGRAMS:
            asked = {}

            def train(state_dict, examples, rng, steps, *more):
                asked.update(steps=steps, learnt=len(examples))
                return iter(())

            with self.subTest(program.PROGRAM), mock.patch.multiple(
                    program, train=train, held_out_nats=lambda _, docs, *more: [1.0] * len(docs),
                    start_workers=lambda count, _: asked.update(processes=count)):
                for processors, processes in (1, None), (3, 3), (64, 8):
                    asked.clear()
                    with mock.patch('os.cpu_count', return_value=processors), \
                            mock.patch.object(program, 'write', return_value=('anna', [])), \
                            contextlib.redirect_stdout(io.StringIO()) as out:
                        self.assertEqual(0, program.main([], one_process=False))
                    self.assertEqual((2000, 10395, processes),
                                     (asked['steps'], asked['learnt'], asked.get('processes')))
                self.assertIn('\nheld-out 1024/1024 ', out.getvalue())
                self.assertEqual(20, len(samples(out.getvalue())))

    def test_temperature_0(self):
        """At 0 nothing is left to chance: every sample is the same name, whatever the seed."""
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                model = self.model(program)
                found = [samples(run(program, '--load', model, '--samples', 3, '--temperature', 0,
                                     '--seed', seed).out) for seed in (1, 2)]
                self.assertEqual([found[0][0]] * 6, found[0] + found[1])
                found = samples(run(program, '--load', model, '--samples', 9).out)
                self.assertGreater(len(set(found)), 1)

    def test_prompts(self):
        """What a prompt says stays, in every name and in every step."""
        for program, prompt, pattern in (
                (microgpt, '', r'\w{1,13}'), (microgpt, 'an', r'an\w{0,11}'),
                (microgpt, ' AN ', r'an\w{0,11}'), (microgpt, 'a' * 13, 'a{13}'),
                (microdiffusion, 'an', r'an\w{0,11}'), (microdiffusion, 'A__n', r'a\w\wn\w{0,9}'),
                (microdiffusion, '_____.', r'\w{5}'), (microdiffusion, '__n', r'\w\wn\w{0,10}'),
                (microdiffusion, 'an_a..', r'an\wa'), (microdiffusion, 'anna.', 'anna'),
                (microdiffusion, '_' * 13 + '.', r'\w{13}'),
                (microgpt, ' mary ', r'mary [ \w]{0,8}'),
                (microdiffusion, ' mary ', r'mary [ \w]{0,8}')):
            names = NAMES + ['mary ann'] * ('y' in prompt)      # this one has a space
            with self.subTest(program.PROGRAM, prompt=prompt):
                result = run(program, '--load', self.model(program, names), '--samples', 4,
                             '--prompt', prompt)
                self.assert_runs(result)
                self.assertEqual(4, len(samples(result.out)))
                for name in samples(result.out):
                    self.assertRegex(name, f'^{pattern}$')
                    self.assertLessEqual(set(name), set(''.join(names)))

    def test_held_out(self):
        """The figure is the mean in nats, with the error of a mean; the end counts as a letter."""
        nats, names = [10, 11, 14, 17, 18], ['aa', 'bbb', 'cccc', 'ddddd', 'e']
        expected = (f'held-out: 14.0 nats per name, standard error {math.sqrt(50 / 4 / 5):.1f} '
                    '(3.50 per character)\n')
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM), contextlib.redirect_stdout(io.StringIO()) as out:
                with mock.patch.object(program, 'held_out_nats', lambda *_: iter(nats)):
                    program.evaluate(None, names, program.make_vocab(names), map)
                self.assertTrue(out.getvalue().endswith(expected), out.getvalue())

    def test_copied(self):
        """The last line counts the names that were learned from, not those that were held out."""
        held_out, learned = 'x' * 13, 'b' * 13          # a prompt that long is the whole name
        path = self.write('names.txt', '\n'.join([held_out, learned] + FEW[1:]))
        for program in PROGRAMS:
            for prompt, count in (learned, 3), (held_out, 0):
                with self.subTest(program.PROGRAM, prompt=prompt):
                    result = run(program, '--names', path, '--steps', 0, '--samples', 3,
                                 '--prompt', prompt)
                    self.assertIn(f'\n{count} of these 3 names are among the 8 learned from\n',
                                  result.out)

    def test_progress(self):
        """Now and then a line tells the mean of the last hundred, the time left, and a name."""
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM), contextlib.redirect_stdout(io.StringIO()) as out:
                clock = iter(range(0, 10000, 2))        # two seconds pass from look to look
                names = iter('abcdefghijklmnopqrstuvwxyz' * 10)
                fake = types.SimpleNamespace(monotonic=lambda: next(clock))
                with mock.patch.object(program, 'time', fake):
                    passed = list(program.progress(range(300), 300, 'train', lambda: next(names)))
                self.assertEqual(list(range(300)), passed)
                lines = out.getvalue().splitlines()
                self.assertEqual('train 1/300 0.00 nats 9:58 left a', lines[0])
                self.assertEqual('train 4/300 1.50 nats 9:52 left b', lines[1])
                self.assertRegex(lines[-1], r'^train 300/300 249.50 nats 0:00 left [a-z]$')

    def test_a_slow_computer(self):
        """However many lines show the progress, the model and the names are the same."""
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                found = []
                for tick in 0, 60:
                    clock = iter(range(0, 10000 * tick + 1, tick) if tick else [0] * 10000)
                    fake = types.SimpleNamespace(monotonic=lambda: next(clock))
                    with mock.patch.object(program, 'time', fake):
                        result = run(program, '--names', self.few, '--steps', 4, '--samples', 2,
                                     '--save', self.new())
                    found.append((samples(result.out), self.read('new.json')))
                    self.assertEqual(4 if tick else 2, result.out.count('\ntrain '))
                self.assertEqual(*found)


class SaveAndLoadTest(CommandLineTest):
    """Models in files."""

    def test_round_trip(self):
        """A kept model writes the same names for the same seed, and needs no list for it."""
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                path = self.new()
                saved = run(program, '--names', self.few, '--steps', 2, '--samples', 2,
                            '--save', path)
                self.assert_runs(saved)
                self.assertEqual({'few.txt', 'new.json'}, set(self.files()))
                loaded = run(program, '--load', path, '--samples', 2)
                self.assert_runs(loaded)
                self.assertEqual(samples(saved.out), samples(loaded.out))
                for word in 'train', 'held-out', 'learned from':
                    self.assertNotIn(word, loaded.out)
                again = self.path('again.json')
                self.assert_runs(run(program, '--load', path, '--samples', 0, '--save', again))
                self.assertTrue(self.read('new.json') == self.read('again.json'), 'not the same')
                os.remove(again)

    def test_heads(self):
        """Whether heads are a list or a tuple makes no difference to a file."""
        for program in PROGRAMS:
            heads = (program.LEFT, program.RIGHT)
            with self.subTest(program.PROGRAM), mock.patch.object(program, 'heads', heads):
                self.assert_runs(run(program, '--load', self.model(program), '--samples', 1))

    def test_trained_further(self):
        """With --steps a kept model is trained from where it stands, with --names on that list."""
        names = self.write('bs.txt', '\n'.join(['b' * n for n in range(1, 14)]))
        for program in PROGRAMS:
            model = self.model(program)
            start = json.loads(self.read(model).decode())
            for steps, learning_rate in ([], 0.2), (['--steps', 2], 0.0), (['--steps', 8], 0.2):
                with self.subTest(program.PROGRAM, steps=steps), mock.patch.object(
                        program, 'learning_rate', learning_rate):
                    result = run(program, '--load', model, '--names', names, *steps,
                                 '--samples', 1, '--save', self.new())
                    self.assert_runs(result)
                    further = json.loads(self.read('new.json').decode())
                    self.assertIn('13 names to learn from; ', result.out)
                    self.assertIn(f'\ntrained {steps[1] if steps else 0} steps of ', result.out)
                    self.assertIn('\nheld-out: no name of this list is held out', result.out)
                    if steps and learning_rate:
                        self.assertEqual({'b'}, set(samples(result.out)[0]))
                        self.assertEqual(start['vocab'], further['vocab'])
                    else:                   # measured, or trained in steps of length 0
                        self.assertTrue({**start, 'steps': steps[1] if steps else 0} == further,
                                        'not the weights that were loaded, or not the steps')

    def test_in_parts(self):
        """A training that goes on sees the names and the noise that one long run sees next."""
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                path = self.new()
                def seen(*argv):
                    """The (tokens, seed) of all examples of such a run."""
                    rows, really = [], program.loss_and_gradient
                    def watched(state_dict, tokens, seed):
                        rows.append((tokens, seed))
                        return really(state_dict, tokens, seed)
                    with mock.patch.object(program, 'loss_and_gradient', watched):
                        self.assert_runs(run(program, '--names', self.few, '--samples', 0,
                                             '--save', path, *argv))
                    return rows

                whole = seen('--steps', 6)
                parts = seen('--steps', 2)
                for steps in 2, 4:
                    more = ['--load', path, '--steps', 2]
                    told = run(program, '--names', self.few, '--samples', 0, *more).out
                    self.assertIn(f', trained for {steps} steps before\n', told)
                    parts += seen(*more)
                self.assertEqual(48, len(whole))
                self.assertTrue(whole == parts, 'other names, or other noise')
                self.assertEqual(6, json.loads(self.read(path).decode())['steps'])

    def test_honest(self):
        """Whatever becomes of the list, no name that was learnt from is held out later."""
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                path, figures = self.new(), set()
                self.assert_runs(run(program, '--names', self.few, '--steps', 4, '--samples', 0,
                                     '--save', path))
                for names in FEW, ['abba'] + FEW, FEW[1:] + ['abba', 'lola']:
                    few = self.write('few.txt', '\n'.join(names))
                    out = run(program, '--load', path, '--names', few, '--samples', 0).out
                    figures.update(re.findall('\nheld-out: .*', out))
                self.assertEqual(1, len(figures), figures)

    def test_held_out_names(self):
        """One held-out name has no standard error; a list with no other name teaches nothing."""
        none, ten = [name for name in NAMES if name not in HELD_OUT][:10], [
            'ella', 'elias', 'george', 'bea', 'aarian', 'alva', 'amber', 'kylie', 'noelia', 'rami']
        for program in PROGRAMS:
            for names, status, text in (
                    (none + ['ella'], 0, 'standard error unknown'),
                    (none, 0, 'there is nothing to measure'),
                    (ten, 2, 'all 10 names are held out: add others to learn from')):
                with self.subTest(program.PROGRAM, text=text):
                    names = self.write('few.txt', '\n'.join(names))
                    result = run(program, '--names', names, '--steps', 0, '--samples', 0)
                    self.assertEqual(status, result.status)
                    self.assertIn(text, result.err if status else result.out)

    def test_unknown_letters(self):
        """Names in letters that a kept model does not know are left out and counted."""
        path = self.write('names.txt', '\n'.join(['zo\u00eb', 'quentin', 'ren\u00e9'] + FEW))
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                result = run(program, '--load', self.model(program), '--names', path,
                             '--steps', 1, '--samples', 1)
                self.assert_runs(result)
                self.assertIn('3 of 13 lines were left out: ', result.out)
                self.assertIn(', all of them known to the model\n8 names to learn from; ',
                              result.out)

    def test_what_stands_there(self):
        """A link stays a link, the mode is the usual one, and no other file is touched."""
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                path = self.new()
                self.write('new.json.part', 'a file of the user')
                before = self.files(), os.stat(self.few).st_mode
                link = self.path('link.json')
                if os.name == 'posix':
                    os.symlink(path, link)
                for target in path, (link if os.name == 'posix' else path):
                    self.assert_runs(run(program, '--names', self.few, '--steps', 0, '--samples', 0,
                                         '--save', target))
                    after = self.files(), os.stat(path).st_mode
                    self.assertNotEqual(b'', after[0].pop('new.json'))
                    after[0].pop('link.json', None)
                    self.assertEqual((dict(before[0], **after[0]), before[1]),
                                     (dict(after[0], **{'new.json': b''}), after[1]))
                if os.name == 'posix':
                    self.assertEqual(path, os.readlink(link))
                    os.remove(link)

    def test_full_disk(self):
        """A model that cannot be written at last is no loss: the old one stays, the names come."""
        def fail(*args):
            """What Linux says of a full disk, and Windows of a file that somebody holds open."""
            raise OSError(28, 'No space left on device')

        for program in PROGRAMS:
            for module, name in (program.json, 'dump'), (os, 'replace'):
                with self.subTest(program.PROGRAM, name=name):
                    path = self.model(program)
                    before = self.read(path)
                    argv = '--names', self.few, '--steps', 1, '--samples', 2, '--save', path
                    with mock.patch.object(program, 'check_target'), \
                            mock.patch.object(module, name, fail):
                        result = run(program, *argv)
                    self.assertEqual(before, self.read(path))
                    self.assertEqual((2, 2), (result.status, len(samples(result.out))))
                    self.assertIn('\nheld-out: ', result.out)
                    found = re.fullmatch('.*error: .* No space .*; what was written is in (.*)\n',
                                         result.err)
                    if name == 'replace':
                        os.replace(found.group(1), path)
                        self.assert_runs(run(program, '--load', path, '--samples', 1))

    def test_held_open(self):
        """What cannot be replaced, as an open file on Windows, is refused before the training."""
        for program in PROGRAMS:
            path = self.model(program)
            with self.subTest(program.PROGRAM), open(path), contextlib.ExitStack() as stack:
                if os.name == 'posix':
                    error = OSError(13, 'Permission denied', path)
                    stack.enter_context(mock.patch('os.replace', side_effect=error))
                self.assert_refused(run(program, '--names', self.few, '--save', path), path[-9:])


class InterruptTest(CommandLineTest):
    """Ctrl-C at known moments."""

    def setUp(self):
        super().setUp()
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        self.addCleanup(signal.signal, signal.SIGINT, before)

    def pressed(self, program, **presses):
        """Run 4 steps with Ctrl-C in the given call of each function: status, output."""
        def interrupting(really, calls):
            """The function, but with a Ctrl-C in one of its calls."""
            def function(*args):
                calls[0] -= 1
                if calls[0] == 0:
                    signal.raise_signal(signal.SIGINT)
                return really(*args)
            return function

        functions = {name: interrupting(getattr(program, name), [calls])
                     for name, calls in presses.items()}
        with mock.patch.multiple(program, **functions):
            return run(program, '--names', self.few, '--steps', 4, '--samples', 2,
                       '--save', self.new())

    def test_presses(self):
        """In the training it ends that, in the measuring that, and then it ends the program."""
        training, measuring = '\nCtrl-C: the training ends here.', '\nCtrl-C: the measuring ends '
        held_out, names = '\nheld-out: ', '\nsample  2: '
        for presses, status, steps, shown in (
                ({'loss_and_gradient': 19}, 0, 2, {training, held_out, names}),
                ({'example_nats': 1}, 0, 4, {measuring, names}),
                ({'loss_and_gradient': 3, 'example_nats': 1}, 130, 0, {training}),
                ({'show': 1}, 130, 4, {held_out})):
            for program in PROGRAMS:
                with self.subTest(program.PROGRAM, presses=presses):
                    result = self.pressed(program, **presses)
                    self.assertEqual((status, ''), (result.status, result.err))
                    self.assertIn(f'\ntrained {steps} steps of 8 names ', result.out)
                    self.assertEqual(shown, {text for text in (training, measuring, held_out, names)
                                             if text in result.out})
                    loaded = run(program, '--load', self.path('new.json'), '--samples', 2)
                    self.assert_runs(loaded)        # what was learnt is kept, however it ended
                    if names in shown:
                        self.assertEqual(samples(loaded.out), samples(result.out))


class Screen(io.StringIO):
    """An output that is a terminal as far as one can ask it: like IDLE's, it has no number."""

    def isatty(self):
        return True


class TerminalTest(CommandLineTest):
    """On a terminal all names of microdiffusion emerge together."""

    def shown(self, samples, lines=24, **variables):
        """What a run prints on a screen of so many lines."""
        with mock.patch.dict(os.environ, {'TERM': 'xterm', 'COLUMNS': '80', 'LINES': str(lines),
                                          **variables}):
            if not variables:
                os.environ.pop('JPY_PARENT_PID', None)
            with mock.patch('time.sleep'):
                result = run(microdiffusion, '--load', self.model(microdiffusion), '--samples',
                             samples, '--denoise-steps', 6, out=Screen())
        self.assert_runs(result)
        return result.out

    def test_frames(self):
        """Frame after frame takes the place of the one before; the list takes that of the last."""
        shown = self.shown(3)
        *frames, last = shown.split('\033[4A\033[J')    # four lines up, and clear what is below
        listed = run(microdiffusion, '--load', self.model(microdiffusion), '--samples', 3,
                     '--denoise-steps', 6).out
        self.assertEqual(samples(listed), samples(last))
        self.assertEqual(3, len(last.splitlines()))
        self.assertEqual(6, len(frames))

        before = ['_' * 14] * 3
        for step, frame in enumerate(frames, 1):
            first, *lines = frame.splitlines()
            self.assertEqual(f'step {step} of 6', first)
            marked = samples('\n'.join(lines))
            now = [re.sub(r'\033\[[\d;]*m', '', line) for line in marked]
            for old, new, line in zip(before, now, marked):
                self.assertEqual(line, ''.join([
                    a if a == b else f'\033[1;7m{b}\033[0m' for a, b in zip(old, new)]))
                self.assertTrue(all([a in ('_', b) for a, b in zip(old, new)]), (old, new))
            before = now
        self.assertEqual(samples(listed), [line.rstrip('.') for line in before])
        self.assertLess(''.join([re.sub(r'\033\[[\d;]*m', '', line) for line in
                                 samples(frames[1])]).count('_'), 42)

    def test_no_room(self):
        """In a window that is too low for them, and where nothing can move, there are lines."""
        self.assertIn('\033[4A', self.shown(3, lines=5))
        for how in (dict(samples=3, lines=4), dict(samples=0), dict(samples=3, TERM='dumb'),
                    dict(samples=3, COLUMNS='24'),
                    dict(samples=3, JPY_PARENT_PID='7')):           # in a cell of a notebook
            with self.subTest(**how):
                shown = self.shown(**how)
                self.assertNotIn('\033', shown)
                self.assertEqual(how['samples'], len(samples(shown)))
                self.assertEqual(bool(how['samples']), 'step  0  ____' in shown)
        with mock.patch.dict(sys.modules, idlelib=types.ModuleType('idlelib')):
            self.assertNotIn('\033', self.shown(3))

    @unittest.skipIf(pty is None, 'no terminals here')
    def test_real_terminal(self):
        """The program finds out by itself what its terminal is and how many lines it has."""
        args = command(self.copy(microdiffusion), '--load', self.model(microdiffusion),
                       '--samples', 3, '--denoise-steps', 2, '--processes', 1)
        for lines, count in (5, 2), (4, 0):
            result = run_on_terminal(args, self.folder, lines=lines, env={'TERM': 'xterm'})
            self.assertEqual(0, result.status, result.out)
            self.assertEqual(count, result.out.count('\033[4A\033[J'))
            self.assertEqual(3, len(samples(result.out.split('\033[J')[-1])))


class SurroundingsTest(CommandLineTest):
    """Pipes, files, consoles, folders, threads."""

    def test_head(self):
        """A reader that leaves early is no reason for a traceback; a model may be missing then."""
        for program in PROGRAMS:
            path = self.copy(program)
            for more, status in ([], 0), (['--save', self.new()], 1):
                with self.subTest(program.PROGRAM, more=more):
                    process = start_process(command(path, '--names', 'few.txt', '--steps', 4,
                                                    '--processes', 1, *more), self.folder)
                    process.stdout.readline()
                    process.stdout.close()
                    process.stdout = None
                    self.assertEqual((status, '', ''), finish(process))

    @unittest.skipUnless(os.path.exists('/dev/full'), 'no device that is always full')
    def test_full(self):
        """Where nothing can be printed, this is one line of error."""
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM), open('/dev/full', 'w') as full:
                args = command(self.copy(program), '--load', self.model(program), '--samples', 1)
                result = finish(start_process(args, self.folder, stdout=full))
                self.assertNotEqual(0, result.status)
                self.assertEqual(1, result.err.count('error: [Errno 28] No space left on device'))
                self.assertNotIn('Traceback', result.err)

    def test_consoles(self):
        """Letters that a console lacks become question marks, and the others stay."""
        names = ['\xe9' * n for n in range(1, 6)] + ['\u03b1' * n for n in range(1, 6)]
        path = self.write('names.txt', '\n'.join(names))
        for program in PROGRAMS:
            argv = '--names', path, '--steps', 0, '--samples', 9, '--processes', 1
            expected = untimed(run(program, *argv).out)
            for encoding in 'ascii', 'cp1252':
                with self.subTest(program.PROGRAM, encoding=encoding):
                    result = finish(start_process(command(self.copy(program), *argv), self.folder,
                                                  env={'PYTHONIOENCODING': encoding}), encoding)
                    self.assert_runs(result)
                    self.assertEqual(expected.encode(encoding, 'replace').decode(encoding),
                                     untimed(result.out))

    def test_another_folder(self):
        """A copied program finds the names beside it, wherever it is run; nothing is left there."""
        self.write('names.txt', '\n'.join(FEW))
        elsewhere = self.path('elsewhere')
        os.mkdir(elsewhere)
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                self.copy(program)
                result = finish(start_process(
                    command(os.path.join(os.pardir, program.PROGRAM + '.py'), '--steps', 1,
                            '--samples', 2, '--processes', 2), elsewhere))
                self.assert_runs(result)
                expected = run(program, '--names', self.few, '--steps', 1, '--samples', 2)
                self.assertEqual(untimed(expected.out), untimed(result.out))
        self.assertEqual([], os.listdir(elsewhere))

    def test_odd_ways(self):
        """Without docstrings, without an output, by a link from elsewhere, and pasted."""
        os.mkdir(self.path('elsewhere'))
        self.write('names.txt', '\n'.join(FEW))
        pasted = ('import sys; sys.argv = ["kernel", "-f", "kernel.json"]\n'
                  'exec(open({!r}).read(), {{"__name__": "__main__"}})')
        usual = {'PYTHONWARNINGS': ''}      # of a file that is open at the end Python says nothing
        for program in PROGRAMS:
            path = self.copy(program, 'num_steps = 2\n')
            expected = untimed(run(program, '--names', self.few, '--steps', 2).out)
            link = os.path.join(self.folder, 'elsewhere', program.PROGRAM + '.py')
            ways = [[sys.executable, '-OO', path], [sys.executable, '-c', pasted.format(path)]]
            if os.name == 'posix':
                os.symlink(path, link)
                ways.append([sys.executable, link])
                closed = ['sh', '-c', '"$0" "$1" --save closed.json >&-', sys.executable,
                          path]
                self.write('closed.json', '')
                self.assertEqual((0, '', ''), finish(start_process(closed, self.folder, env=usual)))
                self.assert_runs(run(program, '--load', self.path('closed.json')))
            for way in ways:
                with self.subTest(program.PROGRAM, way=way):
                    result = finish(start_process(way, self.folder, env=usual))
                    self.assert_runs(result)
                    self.assertEqual(expected, untimed(result.out))

    @unittest.skipUnless(os.name == 'posix', 'TERM ends a process at once')
    def test_ended_by_term(self):
        """A training that is told to end keeps what was learnt, as with Ctrl-C."""
        for program in PROGRAMS:
            args = command(self.copy(program), '--names', 'few.txt', '--steps', 1000000,
                           '--samples', 2, '--processes', 1, '--save', self.new())
            with self.subTest(program.PROGRAM), start_process(args, self.folder) as process:
                while not process.stdout.readline().startswith(b'train 1/'):
                    pass
                process.terminate()
                result = finish(process)
                self.assert_runs(result)
                self.assertEqual(2, len(samples(result.out)))
                self.assert_runs(run(program, '--load', self.path('new.json'), '--samples', 1))

    def test_import(self):
        """An import prints nothing, and changes neither what Ctrl-C does nor the collector."""
        script = ('import gc, signal; before = signal.getsignal(signal.SIGINT);'
                  'import microdiffusion, microgpt;'
                  'assert gc.isenabled() and before == signal.getsignal(signal.SIGINT)')
        root = os.path.dirname(os.path.abspath(microgpt.__file__))
        result = finish(start_process([sys.executable, '-W', 'error', '-c', script], root))
        self.assertEqual((0, '', ''), result)

    def test_thread(self):
        """As in a notebook: main works in any thread, with what was changed since the import."""
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                argv = '--names', self.few, '--steps', 2, '--samples', 2, '--processes'
                alone, found = run(program, *argv, 1), []
                thread = threading.Thread(target=lambda: found.append(run(program, *argv, 2)))
                thread.start()
                thread.join()
                self.assert_runs(found[0])
                self.assertEqual(untimed(alone.out), untimed(found[0].out))
                self.assertTrue(gc.isenabled())

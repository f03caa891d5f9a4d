"""Names files and options: what is wrong with them is said in a line, what is right is taken."""
import os
from unittest import mock

import microdiffusion
import microgpt
from tests.command_line import (ACCENTS, FEW, NAMES, PROGRAMS, CommandLineTest, command, one_draw,
                                run, run_process, text_of, untimed)

USABLE = 'usable names: give it ten or more, one a line, each of 1 to 13 characters without _ or .'
BAD_NAMES = (                               # content of a names file, fragment of the message
    ('', 'bad has 0 ' + USABLE),
    ('\ufeff', 'bad has 0 ' + USABLE),
    ('\r\n \t\n\n', 'bad has 0 ' + USABLE),
    ('anna', 'bad has 1 ' + USABLE),
    ('anna\n' * 20, 'bad has 1 ' + USABLE),
    (text_of(NAMES[:9] + [NAMES[0].upper()]), 'bad has 9 ' + USABLE),
    (text_of([name + 'x' * 13 for name in NAMES]), 'bad has 0 ' + USABLE),
    (text_of([name + '_' for name in NAMES]), 'bad has 0 ' + USABLE),
    (text_of(['.' + name for name in NAMES]), 'bad has 0 ' + USABLE),
    (text_of(['a\0' + name for name in NAMES]), 'bad has 0 ' + USABLE),
    (bytes(range(256)), 'bad is not UTF-8: save it as UTF-8 text'),
    (text_of(ACCENTS).encode('latin-1'), 'bad is not UTF-8: save it as UTF-8 text'),
    (text_of(NAMES).encode('utf-16'), 'bad is not UTF-8: save it as UTF-8 text'),
    (text_of(ACCENTS).encode('utf-8')[:-2], 'bad is not UTF-8: save it as UTF-8 text'))
MISSING = 'No such file or directory; give another path'
LONG = 'it takes up to 13 letters of the training names'
LEFT_TO_RIGHT = ('a left-to-right model cannot fill in what stands before a known letter or end in '
                 'one pass; give a beginning')
ANY_ORDER = '_ for an unknown one, and . after the last'
NUMBER = 'is not between {} and 1000000000'
INVALID = 'invalid number value: {!r}'
BAD_ARGUMENTS = (                           # for which programs, arguments, fragment
    (PROGRAMS, ['--names', 'missing.txt'], 'missing.txt: ' + MISSING),
    (PROGRAMS, ['--names', ''], '--names: a value is missing'),
    (PROGRAMS, ['--names', '.'], 'error: .: '),
    (PROGRAMS, ['--load', 'missing.json'], 'missing.json: ' + MISSING),
    (PROGRAMS, ['--load', '.'], 'error: .: '),
    (PROGRAMS, ['--save', 'missing/model.json'], MISSING),
    (PROGRAMS, ['--save', '.'], '.: not a file'),
    (PROGRAMS, ['--load', 'model.json', '--save', 'new.json'],
     '--load trains nothing that --save could keep'),
    (PROGRAMS, ['--prompt', 'm@r'], "--prompt 'm@r': " + LONG),
    (PROGRAMS, ['--prompt', 'a n'], "--prompt 'a n': " + LONG),
    (PROGRAMS, ['--prompt', 'zo\u00eb'], "--prompt 'zo\\xeb': " + LONG),
    (PROGRAMS, ['--prompt', 'a' * 14], "a': " + LONG),
    (PROGRAMS, ['--prompt', 'b@d', '--save', 'new.json'], LONG),
    (PROGRAMS, ['--save', ''], '--save: a value is missing'),
    (PROGRAMS, ['--load', ''], '--load: a value is missing'),
    ([microgpt], ['--prompt', 'm__ia.'], "--prompt 'm__ia.': " + LEFT_TO_RIGHT),
    ([microgpt], ['--prompt', 'm__'], LEFT_TO_RIGHT),
    ([microgpt], ['--prompt', 'mar.'], LEFT_TO_RIGHT),
    ([microgpt], ['--prompt', '_'], LEFT_TO_RIGHT),
    ([microdiffusion], ['--prompt', '.'], ANY_ORDER),
    ([microdiffusion], ['--prompt', '.mar'], ANY_ORDER),
    ([microdiffusion], ['--prompt', 'ma.r'], ANY_ORDER),
    ([microdiffusion], ['--prompt', '_' * 14], ANY_ORDER),
    (PROGRAMS, ['--steps', '-1'], 'argument --steps: -1 ' + NUMBER.format(0)),
    (PROGRAMS, ['--steps', '1000000001'], 'argument --steps: 1000000001 ' + NUMBER.format(0)),
    (PROGRAMS, ['--steps', '1.5'], 'argument --steps: ' + INVALID.format('1.5')),
    (PROGRAMS, ['--steps', 'ten'], 'argument --steps: ' + INVALID.format('ten')),
    (PROGRAMS, ['--steps', ''], 'argument --steps: ' + INVALID.format('')),
    (PROGRAMS, ['--steps'], 'argument --steps: expected one argument'),
    (PROGRAMS, ['--names=--'], 'error: --'),
    (PROGRAMS, ['--samples', '-1'], 'argument --samples: -1 ' + NUMBER.format(0)),
    (PROGRAMS, ['--seed', '-1'], 'argument --seed: -1 ' + NUMBER.format(0)),
    (PROGRAMS, ['--seed', '0x10'], 'argument --seed: ' + INVALID.format('0x10')),
    (PROGRAMS, ['--processes', '0'], 'argument --processes: 0 ' + NUMBER.format(1)),
    (PROGRAMS, ['--processes', '-2'], 'argument --processes: -2 ' + NUMBER.format(1)),
    (PROGRAMS, ['--processes', 'all'], 'argument --processes: ' + INVALID.format('all')),
    (PROGRAMS, ['--temperature', '0'], 'argument --temperature: 0 ' + NUMBER.format(0.01)),
    (PROGRAMS, ['--temperature', '-1'], 'argument --temperature: -1 ' + NUMBER.format(0.01)),
    (PROGRAMS, ['--temperature', 'nan'], 'argument --temperature: nan ' + NUMBER.format(0.01)),
    (PROGRAMS, ['--temperature', 'inf'], 'argument --temperature: inf ' + NUMBER.format(0.01)),
    (PROGRAMS, ['--temperature', 'hot'], 'argument --temperature: ' + INVALID.format('hot')),
    ([microdiffusion], ['--denoise-steps', '0'],
     'argument --denoise-steps: 0 is not between 1 and 1000'),
    ([microdiffusion], ['--denoise-steps', '1001'],
     'argument --denoise-steps: 1001 is not between 1 and 1000'),
    ([microdiffusion], ['--denoise-steps', '1000000000'],
     'argument --denoise-steps: 1000000000 is not between 1 and 1000'),
    ([microgpt], ['--denoise-steps', '8'], 'unrecognized arguments: --denoise-steps 8'),
    (PROGRAMS, ['mar'], 'unrecognized arguments: mar'))


class BadInputTest(CommandLineTest):
    """What is wrong is said in one line, with status 2, before anything is written."""

    def check(self, program, argv, fragment):
        """The program refuses these arguments, and the folder is as it was."""
        with self.subTest(program.PROGRAM, argv=argv, fragment=fragment):
            before, here = self.files(), os.getcwd()
            os.chdir(self.folder)
            accepted = AssertionError('it was accepted')
            try:
                with mock.patch.object(program, 'learn', side_effect=accepted):
                    result = run(program, *argv)
            finally:
                os.chdir(here)
            self.assert_refused(result, fragment)
            self.assertEqual(before, self.files())

    def test_arguments(self):
        """Files that are missing, prompts that do not fit, numbers out of range."""
        for program in PROGRAMS:
            os.replace(self.model(program), os.path.join(self.folder, 'model.json'))
            for programs, argv, fragment in BAD_ARGUMENTS:
                if program in programs:
                    names = [] if '--names' in argv else ['--names', 'few.txt']
                    self.check(program, names + argv, fragment)

    def test_names(self):
        """Files without ten names that can be used."""
        for content, fragment in BAD_NAMES:
            self.write('bad', content)
            for program in PROGRAMS:
                self.check(program, ['--names', 'bad', '--save', 'new.json'], fragment)

    def test_no_process_is_started_for_nothing(self):
        """What is refused is refused before any worker starts."""
        for program in PROGRAMS:
            with mock.patch.object(program, 'start_workers', None):
                for argv in (['--names', 'missing.txt'], ['--names', 'few.txt', '--prompt', 'm@r'],
                             ['--names', 'few.txt', '--save', '.']):
                    self.check(program, argv + ['--processes', '2'], '')

    def test_process(self):
        """A real process says so on its error output, and exits with that status."""
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                result = run_process(command(program, '--names', 'missing.txt'), self.folder)
                self.assert_refused(result, 'missing.txt: No such file or directory')
                self.assertEqual('', result.out)


class AcceptedInputTest(CommandLineTest):
    """What a names file may look like."""

    def output(self, program, content):
        """What a run on a names file of this content prints."""
        path = self.write('names.txt', content)
        result = run(program, '--names', path, '--steps', 0, '--samples', 0)
        self.assert_runs(result)
        return untimed(result.out)

    def test_same_names(self):
        """However a list is written down, it is the same list."""
        self.addCleanup(one_draw().close)
        names = FEW + ['zo\u00eb']
        plain = text_of(names)
        for program in PROGRAMS:
            expected = self.output(program, plain)
            for what, content in (
                    ('no last line end', plain.rstrip()),
                    ('CRLF', plain.replace('\n', '\r\n')),
                    ('CR', plain.replace('\n', '\r')),
                    ('byte-order mark', '\ufeff' + plain),
                    ('blank lines', '\n\n' + plain.replace('\n', '\n \n')),
                    ('spaces', text_of([f'\t {name}  ' for name in names])),
                    ('upper case', plain.upper()),
                    ('capitals', plain.title()),
                    ('letter and accent apart', plain.replace('\u00eb', 'e\u0308')),
                    ('capital and accent apart', plain.upper().replace('\u00cb', 'E\u0308')),
                    ('duplicates', plain + plain.upper() + plain),
                    ('another order', text_of(reversed(names)))):
                with self.subTest(program.PROGRAM, what=what):
                    self.assertEqual(expected, self.output(program, content))

    def test_left_out(self):
        """Names that are too long, or hold _ or . or what cannot be printed, are counted."""
        longest = FEW + ['a' * 13]
        unusable = ['a' * 14, 'e' + 'e\u0301' * 13, 'an_na', 'j.', '_', 'an\tna']
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                expected = self.output(program, text_of(longest))
                self.assertNotIn('left out', expected)
                first, rest = self.output(program, text_of(unusable + longest)).split('\n', 1)
                self.assertIn('left out 6 of 17 lines: over 13 characters, not printable, or with '
                              '_ or .', first)
                self.assertEqual(expected, rest)

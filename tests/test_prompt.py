"""What is known of a name, as a user tells it."""
import microdiffusion
import microgpt
from tests.command_line import (ACCENTS, PROGRAMS, QUICK, CommandLineTest, run, samples,
                                shown_tokens)


class PromptTest(CommandLineTest):
    """Every sample has what the prompt says."""

    def check(self, program, prompt, name, *argv):
        """The names that a prompt gives, each of which must match."""
        result = run(program, '--load', self.model(program), '--samples', 3, '--prompt', prompt,
                     *argv)
        self.assert_runs(result)
        self.assertEqual(3, len(samples(result.out)))
        for sample in samples(result.out):
            self.assertRegex(sample, f'^{name}$')
        return result

    def test_microgpt(self):
        """A beginning is continued, in upper case or between spaces too."""
        for prompt, name in (
                ('', '[a-z]*'), (' ', '[a-z]*'), ('mar', 'mar[a-z]*'), ('MAR', 'mar[a-z]*'),
                (' Mar ', 'mar[a-z]*'), ('a' * 12, 'a{12}[a-z]?'), ('a' * 13, 'a{13}')):
            with self.subTest(prompt):
                self.check(microgpt, prompt, name)

    def test_microdiffusion(self):
        """What a prompt leaves open is filled in, and nothing else is changed in any step."""
        for prompt, name, frame in (
                ('', '[a-z]*', '[a-z_.]*'),
                ('mar', 'mar[a-z]*', 'mar[a-z_.]*'),
                ('MAR', 'mar[a-z]*', 'mar[a-z_.]*'),
                (' Mar ', 'mar[a-z]*', 'mar[a-z_.]*'),
                ('m__ia.', 'm[a-z]{2}ia', r'm[a-z_]{2}ia\.{9}'),
                ('M__IA.', 'm[a-z]{2}ia', r'm[a-z_]{2}ia\.{9}'),
                ('m__', 'm[a-z]{2,}', 'm[a-z_]{2}[a-z_.]*'),
                ('__b', '[a-z]{2}b[a-z]*', '[a-z_]{2}b[a-z_.]*'),
                ('_' * 13, '[a-z]{13}', r'[a-z_]{13}[_.]'),
                ('_' * 13 + '.', '[a-z]{13}', r'[a-z_]{13}\.'),
                ('_' * 4 + '.' * 10, '[a-z]{4}', r'[a-z_]{4}\.{10}'),
                ('__.........................', '[a-z]{2}', r'[a-z_]{2}\.{12}')):
            with self.subTest(prompt):
                result = self.check(microdiffusion, prompt, name, *QUICK[microdiffusion])
                self.assertGreater(len(shown_tokens(result.out)), 0)
                for shown in shown_tokens(result.out):
                    self.assertRegex(shown, f'^{frame}$')
                    self.assertEqual(14, len(shown))

    def test_nothing_open(self):
        """A prompt that leaves nothing open is the name."""
        for prompt in 'anna.', 'anna..........', 'a' * 13 + '.':
            with self.subTest(prompt):
                result = self.check(microdiffusion, prompt, prompt.strip('.'))
                self.assertEqual([], shown_tokens(result.out))

    def test_accents(self):
        """A letter that is typed as letter and accent is the same letter."""
        for program in PROGRAMS:
            model = self.model(program, ACCENTS)
            for prompt in '\u00e9', 'e\u0301', 'E\u0301':
                with self.subTest(program.PROGRAM, prompt=ascii(prompt)):
                    result = run(program, '--load', model, '--samples', 1, '--prompt', prompt)
                    self.assert_runs(result)
                    self.assertEqual('\u00e9', samples(result.out)[0][0])

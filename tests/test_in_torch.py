"""The models in PyTorch are the programs' own, to the last digits. Skipped without PyTorch."""
import contextlib
import gc
import io
import os
import random
import re
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

import microdiffusion
import microgpt
from tests import in_torch

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
NAMES = ['ada', 'bo', 'carmen', 'dee', 'eleonora', 'fred', 'gus', 'hannah', 'ivo', 'jo', 'kay',
         'lena', 'marc', 'nan', 'olaf', 'pam', 'quentin', 'ray', 'sue', 'theodora', 'uma', 'vic']


@unittest.skipIf(in_torch.torch is None, in_torch.NO_TORCH)
class InTorch(unittest.TestCase):
    """Models of the programs' own size, once as Values and once as tensors of 64 bits."""

    def setUp(self):
        gc.disable()                            # as the programs do
        self.addCleanup(gc.enable)
        threads = in_torch.torch.get_num_threads()
        in_torch.torch.set_num_threads(1)       # quickest for so few names
        self.addCleanup(in_torch.torch.set_num_threads, threads)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, 'model.json')
        self.names = os.path.join(folder.name, 'names.txt')
        with open(self.names, 'w', encoding='utf-8') as file:
            file.write('\n'.join(NAMES))
        for lab in in_torch.LABS.values():      # the command sets them
            patch = mock.patch.multiple(lab, n_embd=lab.n_embd, n_layer=lab.n_layer)
            patch.start()
            self.addCleanup(patch.stop)

    def models(self):
        """(program, vocab, its names as tokens, weights, the same weights as tensors) of both."""
        for lab in in_torch.LABS.values():
            vocab = lab.make_vocab(NAMES)
            weights = lab.make_weights(len(vocab), random.Random(5))
            tensors = in_torch.make_weights(lab, len(vocab), random.Random(5))
            yield lab, vocab, [lab.encode(doc, vocab) for doc in NAMES], weights, tensors

    def assertClose(self, expected, actual, what):
        """Assert equality to a relative 1e-9, the largest number taken as the measure."""
        double = in_torch.torch.float64
        expected = in_torch.torch.tensor(expected, dtype=double)
        actual = in_torch.torch.as_tensor(actual, dtype=double)
        self.assertEqual(expected.shape, actual.shape, what)
        error = (expected - actual).abs().max() / expected.abs().max()
        self.assertLess(error.item(), 1e-9, f'{what}: the program and PyTorch differ')

    def printed(self, main, *words):
        """What a command prints, without how far it is and how long it took."""
        with contextlib.redirect_stdout(io.StringIO()) as output:
            self.assertEqual(0, main([*words, '--names', self.names]))
        return output.getvalue()


class Numbers(InTorch):
    def test_the_same_seed_gives_the_same_weights(self):
        for lab, _, _, weights, tensors in self.models():
            self.assertEqual(list(weights), list(tensors))
            for name, matrix in weights.items():
                numbers = [[v.data for v in row] for row in matrix]
                self.assertTrue(numbers == tensors[name].tolist(), f'{lab.PROGRAM}, {name}')

    def test_logits(self):
        for lab, _, names, weights, tensors in self.models():
            if lab is microgpt:
                for length in (1, 4, lab.block_size):
                    tokens = (names[4] + names[7])[:length]
                    logits = [[z.data for z in row] for row in lab.gpt(weights, tokens)]
                    found = in_torch.gpt(tensors, [tokens])
                    self.assertClose([logits], found, f'{lab.PROGRAM}, logits')
                continue
            rng = random.Random(1)
            batch = [lab.corrupt(name, t, rng) for name, t in zip(names, (0.2, 0.5, 0.8, 1))]
            logits = [[[z.data for z in row] for row in lab.mask_predictor(weights, tokens)]
                      for tokens in batch]
            found = in_torch.mask_predictor(tensors, batch)
            self.assertEqual({-1e6}, set(found[..., lab.MASK].flatten().tolist()))
            others = [[row[lab.MASK + 1:] for row in name] for name in logits]
            self.assertClose(others, found[..., lab.MASK + 1:], f'{lab.PROGRAM}, logits')

    def test_losses_and_gradients(self):
        for lab, _, names, weights, tensors in self.models():
            names, seeds = names[:4], range(4)
            expected = [lab.loss_and_gradient(weights, *row) for row in zip(names, seeds)]
            for matrix in tensors.values():
                matrix.requires_grad_()
            losses = in_torch.example_loss(tensors, names, seeds)
            self.assertClose([loss for loss, _ in expected], losses, f'{lab.PROGRAM}, losses')
            losses.sum().backward()
            sums = iter([sum(grads) for grads in zip(*[gradient for _, gradient in expected])])
            for name, matrix in weights.items():
                gradient = [[next(sums) for _ in row] for row in matrix]
                self.assertClose(gradient, tensors[name].grad, f'{lab.PROGRAM}, gradient of {name}')

    def test_five_steps_of_adam(self):
        for lab, _, names, weights, tensors in self.models():
            one, other = random.Random(2), random.Random(2)
            expected = list(lab.train(weights, names, one, 5))
            losses = list(in_torch.train(tensors, names, other, 5, lab.learning_rate,
                                         lab.batch_size))
            self.assertClose(expected, losses, f'{lab.PROGRAM}, losses')
            for name, matrix in weights.items():
                numbers = [[v.data for v in row] for row in matrix]
                self.assertClose(numbers, tensors[name].detach(), f'{lab.PROGRAM}, {name}')
            self.assertEqual(one.random(), other.random())

    def test_held_out_nats(self):
        for lab, _, names, weights, tensors in self.models():
            for draws in (1, 2):
                expected = list(lab.held_out_nats(weights, names[:17], random.Random(0), draws))
                nats = list(lab.held_out_nats(tensors, names[:17], random.Random(0), draws,
                                              in_torch.in_batches))
                self.assertClose(expected, nats, f'{lab.PROGRAM}, nats of {draws} draws')

    def test_directions_and_causality_reach_every_head(self):
        for lab, _, names, _, tensors in self.models():
            heads = [lab.RIGHT] * len(lab.heads)
            other = lab.make_weights(tensors['wte'].shape[0], random.Random(5))
            with mock.patch.object(lab, 'heads', heads):
                expected = list(lab.held_out_nats(other, names[:4], random.Random(0)))
                nats = list(lab.held_out_nats(tensors, names[:4], random.Random(0), 1,
                                              in_torch.in_batches))
            self.assertClose(expected, nats, f'{lab.PROGRAM}, heads that look right')


class Sampling(InTorch):
    def test_the_same_draws_give_the_same_names(self):
        seeds = range(5)
        for lab, vocab, names, weights, tensors in self.models():
            list(in_torch.train(tensors, names, random.Random(3), 20, 0.02, 8))
            for name, matrix in weights.items():        # trained, so that it matters what is drawn
                for row, numbers in zip(matrix, tensors[name].tolist()):
                    for value, number in zip(row, numbers):
                        value.data = number
            prompts = ['', 'ma'] if lab is microgpt else ['', 'm__n.', '____a____']
            for prompt in prompts:
                tokens = lab.read_prompt(prompt, vocab)
                rngs = [random.Random(seed) for seed in seeds]
                if lab is microgpt:
                    expected = [lab.generate(weights, tokens, random.Random(seed))
                                for seed in seeds]
                    found = in_torch.generate(tensors, tokens, rngs, *lab.generate.__defaults__)
                else:
                    tokens, shortest = tokens
                    steps, temperature, _, noise = lab.denoise.__defaults__
                    one_by_one = [lab.denoise(weights, tokens, random.Random(seed),
                                              shortest=shortest) for seed in seeds]
                    expected = [(rows[0][0], rows[0][1], [row[2] for row in rows])
                                for rows in zip(*one_by_one)]
                    found = list(in_torch.denoise(tensors, tokens, rngs, steps, temperature,
                                                  shortest, noise))
                self.assertEqual(expected, found, f'{lab.PROGRAM}, prompt {prompt!r}')


class Files(InTorch):
    def test_what_the_program_saves_comes_back_to_the_byte(self):
        for lab, vocab, _, weights, _ in self.models():
            lab.save(self.path, weights, vocab)
            with open(self.path, 'rb') as file:
                saved = file.read()
            in_torch.save(self.path, *in_torch.load(self.path, lab))
            with open(self.path, 'rb') as file:
                self.assertTrue(saved == file.read(), f'{lab.PROGRAM}: other bytes')

    def test_the_program_loads_what_is_saved_here(self):
        for lab, vocab, _, _, tensors in self.models():
            tensors = {name: matrix.float() for name, matrix in tensors.items()}
            in_torch.save(self.path, tensors, vocab)
            weights, loaded = lab.load(self.path)
            self.assertEqual(vocab, loaded)
            for name, matrix in weights.items():
                numbers = [[v.data for v in row] for row in matrix]
                self.assertTrue(tensors[name].tolist() == numbers, f'{lab.PROGRAM}, {name}')

    def test_another_size_is_saved_and_the_program_says_why_it_cannot_load_it(self):
        for lab, vocab, _, _, _ in self.models():
            self.printed(in_torch.main, 'train', model_of(lab), '--n-embd', '8', '--n-layer', '3',
                         '--examples', '8', '--save', self.path)
            tensors, _ = in_torch.load(self.path, lab)
            self.assertEqual((len(vocab), 8), tuple(tensors['wte'].shape))
            self.assertIn('layer2.mlp_fc1', tensors)
            lab.n_embd, lab.n_layer = 16, 1
            with self.assertRaises(lab.InputError) as caught:
                lab.load(self.path)
            self.assertRegex(str(caught.exception), '^.* is not a whole model .*16.*$')

    def test_a_model_of_the_other_program_is_refused(self):
        for lab, vocab, _, weights, _ in self.models():
            lab.save(self.path, weights, vocab)
            for other in set(in_torch.LABS.values()) - {lab}:
                with self.assertRaisesRegex(other.InputError, f'not a model of {other.PROGRAM}'):
                    in_torch.load(self.path, other)

    def test_a_model_with_another_slope_is_refused(self):
        for lab, vocab, _, weights, _ in self.models():
            lab.save(self.path, weights, vocab)
            with mock.patch.object(lab, 'slope', 0.5):
                with self.assertRaisesRegex(lab.InputError, 'and slope 0.5'):
                    in_torch.load(self.path, lab)


def model_of(lab):
    """What the command calls this program's model."""
    return next(model for model in in_torch.LABS if in_torch.LABS[model] is lab)


class Command(InTorch):
    def test_the_same_seed_gives_the_figure_and_names_of_the_program(self):
        for lab, _, _, _, _ in self.models():
            expected = self.printed(lab.main, '--steps', '2', '--processes', '1', '--seed', '9',
                                    '--samples', '3', '--save', self.path)
            weights, _ = in_torch.load(self.path, lab)
            with mock.patch.object(in_torch, 'LAB_STEPS', 2):       # so the learning rate stays
                found = self.printed(in_torch.main, 'train', model_of(lab), '--seed', '9',
                                     '--double', '--examples', str(2 * lab.batch_size),
                                     '--save', self.path)
            tensors, _ = in_torch.load(self.path, lab)
            for name, matrix in weights.items():
                self.assertClose(matrix.tolist(), tensors[name], f'{lab.PROGRAM}, {name}')
            for pattern in ('.* parameters', 'trained 2 steps of .* names in', 'held-out: .*',
                            'sample  [123]: .*'):
                lines = re.findall(f'^{pattern}', found, re.M)
                self.assertTrue(lines, pattern)
                self.assertEqual(re.findall(f'^{pattern}', expected, re.M), lines)

    def test_a_loaded_model_is_trained_further(self):
        for lab, _, _, _, _ in self.models():
            saved = self.printed(in_torch.main, 'train', model_of(lab), '--n-embd', '8',
                                 '--examples', '40', '--batch', '20', '--save', self.path)
            start = self.printed(in_torch.main, 'train', model_of(lab), '--load', self.path,
                                 '--examples', '0')
            more = self.printed(in_torch.main, 'train', model_of(lab), '--load', self.path,
                                '--examples', '40')
            figures = [re.search('held-out: .*', text)[0] for text in (saved, start, more)]
            self.assertEqual(figures[0], figures[1])
            self.assertNotEqual(figures[1], figures[2])

    def test_heads_share_the_channels_evenly(self):
        with contextlib.redirect_stderr(io.StringIO()) as error, self.assertRaises(SystemExit):
            in_torch.main(['train', 'gpt', '--n-embd', '18', '--names', self.names])
        self.assertIn('4 heads cannot share 18 channels', error.getvalue())

    def test_the_table_has_a_row_for_each_command_with_the_figures_that_it_prints(self):
        outputs = {'microgpt.py': self.printed(microgpt.main, '--steps', '1', '--processes', '1'),
                   '-m': self.printed(in_torch.main, 'train', 'gpt', '--examples', '8')}
        commands = []

        def run(words, **_):
            commands.append(words[1:])
            output = outputs['-m' if words[1] == '-m' else 'microgpt.py']
            return mock.Mock(stdout=output.encode())

        with mock.patch.object(subprocess, 'run', run):
            printed = self.printed(in_torch.main, 'table', '--quick')
        self.assertGreater(len(commands), 10)
        for command in commands:
            output = outputs['-m' if command[0] == '-m' else 'microgpt.py']
            figures = [re.search(pattern, output)[1] for pattern in (
                r'\((\S+) ms per name\)', r'names in (\S+) s ', r'held-out: (\S+) nats')]
            self.assertIn(f'| `{" ".join(command)}` | {" | ".join(figures)} |\n', printed)
            parser = in_torch.make_parser() if command[0] == '-m' else microgpt.make_parser()
            parser.parse_args(command[2 if command[0] == '-m' else 1:])


class WithoutTorch(unittest.TestCase):
    def run_python(self, *words):
        """Run Python as if PyTorch were not installed."""
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, 'torch.py'), 'w', encoding='ascii') as file:
                file.write('raise ImportError\n')
            return subprocess.run([sys.executable, *words], cwd=TOP, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, universal_newlines=True,
                                  env=dict(os.environ, PYTHONPATH=folder))

    def test_the_command_says_in_one_line_how_to_get_it(self):
        done = self.run_python('-m', 'tests.in_torch', 'train', 'gpt')
        self.assertEqual((2, '', in_torch.NO_TORCH + '\n'),
                         (done.returncode, done.stdout, done.stderr))

    def test_its_tests_are_skipped_with_that_line(self):
        done = self.run_python('-m', 'unittest', '-v', 'tests.test_in_torch.Numbers')
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIn(in_torch.NO_TORCH, done.stderr)
        self.assertRegex(done.stderr, r'OK \(skipped=[1-9]\d*\)')


if __name__ == '__main__':
    unittest.main()

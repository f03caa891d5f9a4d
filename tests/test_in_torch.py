"""The models in PyTorch are the programs' own, to the last digits. Skipped without PyTorch."""
import contextlib
import io
import math
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
        self.program = ''
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
            self.program = lab.PROGRAM
            yield lab, vocab, [lab.encode(doc, vocab) for doc in NAMES], weights, tensors

    def assertClose(self, expected, actual, what):
        """Assert equality to a relative 1e-9, the largest number taken as the measure."""
        expected = in_torch.torch.tensor(expected, dtype=in_torch.torch.float64)
        actual = in_torch.torch.as_tensor(actual, dtype=in_torch.torch.float64)
        self.assertEqual(expected.shape, actual.shape, f'{what} of {self.program}')
        error = (expected - actual).abs().max() / expected.abs().max()
        self.assertLess(error.item(), 1e-9, f'{what} of {self.program} differ in PyTorch')

    def run_main(self, main, *words):
        """What a command prints."""
        with contextlib.redirect_stdout(io.StringIO()) as output:
            self.assertEqual(0, main([*words, '--names', self.names]))
        return output.getvalue()


def numbers(matrix, least=-math.inf):
    """The plain numbers of a matrix of Values, those below the least replaced by it."""
    return [[max(value.data, least) for value in row] for row in matrix]


class Numbers(InTorch):
    def test_logits(self):
        least = -9                          # -10^6 would hide small differences of the others
        for lab, _, names, weights, tensors in self.models():
            if lab is microgpt:
                for tokens in ([0], names[4], (names[4] + names[7][1:])[:lab.block_size]):
                    self.assertClose([numbers(lab.gpt(weights, tokens), least)],
                                     in_torch.gpt(tensors, [tokens]).clamp(min=least),
                                     f'logits after {tokens}')
                continue
            batch = [lab.corrupt(names[n], t, random.Random(n))
                     for n, t in enumerate((0.1, 0.3, 0.5, 0.7, 0.9, 1))]
            for tokens, found in zip(batch, in_torch.mask_predictor(tensors, batch)):
                expected = numbers(lab.mask_predictor(weights, tokens), least)
                self.assertClose(expected, found[:len(expected)].clamp(min=least),
                                 f'logits for {tokens}')

    def test_losses_and_gradients(self):
        for lab, _, names, weights, tensors in self.models():
            names, seeds = names[:6], range(6)
            losses, gradients = zip(*map(lab.loss_and_gradient, [weights] * 6, names, seeds))
            for matrix in tensors.values():
                matrix.requires_grad_()
            found = in_torch.example_loss(tensors, names, seeds)
            self.assertClose(losses, found, 'losses')
            found.sum().backward()
            sums = iter([sum(grads) for grads in zip(*gradients)])
            for name, matrix in weights.items():
                gradient = [[next(sums) for _ in row] for row in matrix]
                self.assertClose(gradient, tensors[name].grad, f'gradient of {name}')

    def test_the_same_seed_trains_the_same_model(self):
        for lab, _, names, weights, tensors in self.models():
            one, other = random.Random(2), random.Random(2)
            expected = list(lab.train(weights, names, one, 5))
            losses = list(in_torch.train(tensors, names, other, 5, lab.learning_rate,
                                         lab.batch_size))
            self.assertClose(expected, losses, 'losses')
            for name, matrix in weights.items():
                self.assertClose(numbers(matrix), tensors[name].detach(), name)
            self.assertEqual(one.random(), other.random())

    def test_held_out_nats(self):
        for lab, _, names, weights, tensors in self.models():
            expected = list(lab.held_out_nats(weights, names, random.Random(0)))
            nats = list(lab.held_out_nats(tensors, names, random.Random(0), in_torch.in_batches))
            self.assertClose(expected, nats, 'nats')

    def test_every_head_looks_its_way(self):
        for lab, _, names, weights, tensors in self.models():
            with mock.patch.object(lab, 'heads', [lab.RIGHT, lab.LEFT] * 2):
                expected = list(lab.held_out_nats(weights, names, random.Random(0)))
                nats = list(lab.held_out_nats(tensors, names, random.Random(0),
                                              in_torch.in_batches))
            self.assertClose(expected, nats, 'nats')


class Command(InTorch):
    def test_the_same_seed_gives_the_figure_and_names_of_the_program(self):
        for model, lab in in_torch.LABS.items():
            self.program = lab.PROGRAM
            expected = self.run_main(lab.main, '--steps', '6', '--seed', '9', '--save', self.path)
            weights, _ = in_torch.load(self.path, lab)
            with mock.patch.object(microgpt, 'num_steps', 6):       # so the learning rate stays
                found = self.run_main(in_torch.main, 'train', model, '--seed', '9', '--double',
                                      '--examples', str(6 * lab.batch_size), '--save', self.path)
            tensors, _ = in_torch.load(self.path, lab)
            for name, matrix in weights.items():
                self.assertClose(matrix.tolist(), tensors[name], name)
            for pattern in 'held-out: .*', 'sample .*':
                lines = re.findall(f'^{pattern}', found, re.M)
                self.assertEqual(re.findall(f'^{pattern}', expected, re.M), lines, lab.PROGRAM)
                self.assertTrue(lines, pattern)

    def test_the_program_writes_with_what_is_saved_here(self):
        for model, lab in in_torch.LABS.items():
            found = self.run_main(in_torch.main, 'train', model, '--examples', '80', '--double',
                                  '--save', self.path)
            expected = self.run_main(lab.main, '--load', self.path)
            for pattern in 'held-out: .*', 'sample .*':
                lines = re.findall(f'^{pattern}', found, re.M)
                self.assertEqual(re.findall(f'^{pattern}', expected, re.M), lines, lab.PROGRAM)

    def test_a_model_of_another_size_is_trained_further(self):
        for model in in_torch.LABS:
            saved = self.run_main(in_torch.main, 'train', model, '--n-embd', '8', '--n-layer', '3',
                                  '--examples', '40', '--batch', '20', '--save', self.path)
            start = self.run_main(in_torch.main, 'train', model, '--load', self.path,
                                  '--examples', '0')
            more = self.run_main(in_torch.main, 'train', model, '--load', self.path,
                                 '--examples', '40')
            figures = [re.search('held-out: .*', text)[0] for text in (saved, start, more)]
            self.assertEqual(figures[0], figures[1])
            self.assertNotEqual(figures[1], figures[2])

    def test_what_does_not_fit_is_one_line(self):
        self.run_main(microgpt.main, '--steps', '0', '--samples', '0', '--save', self.path)
        for words, message in ((['diffusion', '--load', self.path], 'its program is'),
                               (['gpt', '--n-embd', '18'],
                                'n_embd = 18, but it has to be a multiple of ')):
            with contextlib.redirect_stderr(io.StringIO()) as error, \
                    self.assertRaises(SystemExit) as caught:
                in_torch.main(['train', *words, '--names', self.names])
            self.assertEqual(2, caught.exception.code)
            self.assertIn(message, error.getvalue().splitlines()[-1])

    def test_the_table_has_a_row_for_each_command_with_the_figures_that_it_prints(self):
        output = self.run_main(in_torch.main, 'train', 'gpt', '--examples', '8')
        commands = []

        def run(words, **_):
            commands.append(words[1:])
            return mock.Mock(stdout=output.encode())

        with mock.patch.object(subprocess, 'run', run):
            printed = self.run_main(in_torch.main, 'table', '--quick')
        figures = [re.search(pattern, output)[1] for pattern in (
            r'\((\S+) ms per name\)', r'names in (\S+) s ', r'held-out: (\S+) nats')]
        for command in commands:
            self.assertIn(f'| `{" ".join(command)}` | {" | ".join(figures)} |\n', printed)
            parser = in_torch.make_parser() if command[0] == '-m' else microgpt.make_parser()
            parser.parse_args(command[2 if command[0] == '-m' else 1:])


class WithoutTorch(unittest.TestCase):
    def test_the_command_says_in_one_line_how_to_get_it_and_its_tests_are_skipped(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, 'torch.py'), 'w', encoding='ascii') as file:
                file.write('raise ImportError\n')       # as if PyTorch were not installed
            options = {'cwd': TOP, 'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE,
                       'universal_newlines': True, 'env': dict(os.environ, PYTHONPATH=folder)}
            done = subprocess.run([sys.executable, '-m', 'tests.in_torch', 'train', 'gpt'],
                                  **options)
            self.assertEqual((2, '', in_torch.NO_TORCH + '\n'),
                             (done.returncode, done.stdout, done.stderr))
            done = subprocess.run([sys.executable, '-m', 'unittest', '-v',
                                   'tests.test_in_torch.Numbers'], **options)
            self.assertIn(in_torch.NO_TORCH, done.stderr)
            self.assertRegex(done.stderr, r'OK \(skipped=[1-9]\d*\)')


if __name__ == '__main__':
    unittest.main()

"""The models in PyTorch are the programs' own, to the last digits. Skipped without PyTorch."""
import contextlib
import io
import itertools
import json
import math
import os
import random
import re
import signal
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
         'lena', 'marc', 'nan', 'olaf', 'pam', 'quentin', 'ray', 'sue', 'theodora', 'uma', 'vic',
         'amanda', 'nadine', 'dorothea', 'martha', 'hector', 'ruth', 'edgar', 'nora', 'cindy',
         'hazen', 'leia', 'rory', 'tomas']      # the last five are held out
LEFT, RIGHT = microgpt.LEFT, microgpt.RIGHT
OTHER_SIZE = {'n_layer': 3, 'n_embd': 24, 'block_size': 10, 'slope': 1.5}
OTHER_HEADS = {microgpt: [LEFT] * 6, microdiffusion: [RIGHT, LEFT, LEFT, RIGHT, RIGHT, LEFT]}
SMALL = '--n-embd', '16', '--n-layer', '2', '--heads', '4', '--block', '12', '--batch', '8'
PHRASE = 'tell me, '        # a text that a small model learns at once


@unittest.skipIf(in_torch.torch is None, in_torch.NO_TORCH)
class InTorch(unittest.TestCase):
    """Models of the programs' own size and of others, as Values and as tensors of 64 bits."""

    def setUp(self):
        self.program = ''
        threads = in_torch.torch.get_num_threads()
        in_torch.torch.set_num_threads(1)       # quickest for so few names
        self.addCleanup(in_torch.torch.set_num_threads, threads)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.path = os.path.join(self.folder, 'model.json')
        self.names = self.write('names.txt', '\n'.join(NAMES))
        self.text = self.write('text.txt', PHRASE * 90)

    def write(self, name, text):
        """The path of a new file."""
        path = os.path.join(self.folder, name)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
        return path

    def models(self, other=False):
        """(program, vocab, its names as tokens, weights, the same weights as tensors) of both."""
        for lab in in_torch.LABS.values():
            size = {**OTHER_SIZE, 'heads': OTHER_HEADS[lab]} if other else {}
            with mock.patch.multiple(lab, **size) if other else contextlib.nullcontext():
                docs = [name for name in NAMES if len(name) < lab.block_size]
                vocab = lab.make_vocab(docs)
                weights = lab.make_weights(len(vocab), random.Random(5))
                tensors = {name: in_torch.torch.tensor(numbers(matrix), dtype=in_torch.torch.double)
                           for name, matrix in weights.items()}
                self.program = lab.PROGRAM
                yield lab, vocab, [lab.encode(doc, vocab) for doc in docs], weights, tensors

    def both_sizes(self):
        """The models of both programs, in their own size and in another."""
        return itertools.chain(self.models(), self.models(other=True))

    def text_models(self):
        """(program, state_dict, tokens of a text) of both, small, but nothing too small to see."""
        for lab in in_torch.LABS.values():
            args = mock.Mock(n_layer=2, n_embd=8, heads=4, block=9, text='text')
            with in_torch.sized(lab, in_torch.size_of(lab, args)):
                self.program = lab.PROGRAM
                rng = random.Random(3)
                weights = lab.make_weights(7, rng)
                for value in lab.parameters(weights):
                    value.data = rng.gauss(0, 0.5)
                tensors = {name: in_torch.torch.tensor(numbers(matrix), dtype=in_torch.torch.double)
                           for name, matrix in weights.items()}
                yield lab, weights, tensors, [rng.randrange(1, 7) for _ in range(60)]

    def assertClose(self, expected, actual, what):
        """Assert equality to a relative 1e-9, the largest number taken as the measure."""
        expected = in_torch.torch.as_tensor(expected, dtype=in_torch.torch.float64)
        actual = in_torch.torch.as_tensor(actual, dtype=in_torch.torch.float64)
        self.assertEqual(expected.shape, actual.shape, f'{what} of {self.program}')
        error = (expected - actual).abs().max() / expected.abs().max()
        self.assertLess(error.item(), 1e-9, f'{what} of {self.program} differ in PyTorch')

    def run_main(self, main, *words, status=0):
        """What a command prints; names of its own if it says nothing of names or a text."""
        words = [str(word) for word in words]
        if not {'--names', '--text', '--resume', 'write'} & set(words):
            words += ['--names', self.names]
        with contextlib.redirect_stdout(io.StringIO()) as output:
            self.assertEqual(status, main(words), words)
        return output.getvalue()

    def train(self, *words, status=0):
        """What a training prints."""
        return self.run_main(in_torch.main, 'train', *words, status=status)

    def train_text(self, *words, status=0):
        """What a training on a small text prints."""
        return self.train(*words, '--text', self.text, *SMALL, status=status)

    def assertFails(self, message, *words):
        """Assert that a command ends before it trains, and that its last line has the message."""
        with contextlib.redirect_stderr(io.StringIO()) as error, \
                contextlib.redirect_stdout(io.StringIO()), \
                mock.patch.object(in_torch, 'train', side_effect=AssertionError('it trains')), \
                self.assertRaises(SystemExit) as caught:
            in_torch.main([str(word) for word in words])
        self.assertEqual(2, caught.exception.code)
        self.assertIn(message, error.getvalue().splitlines()[-1], words)


def numbers(matrix, least=-math.inf):
    """The plain numbers of a matrix of Values, those below the least replaced by it."""
    return [[max(value.data, least) for value in row] for row in matrix]

def figure(output):
    """The line of what the held-out part costs."""
    return re.search('held-out: .*', output)[0]

def plain_attention(lab):
    """The attention of a model of text, as Values: a slope for each head, and its own side only."""
    def attention(queries, keys, values):
        width, mixed = lab.n_embd // len(lab.heads), []
        for head, look in enumerate(lab.heads):
            start = head * width
            q, k, v = [[x[start:start + width] for x in xs] for xs in (queries, keys, values)]
            rows = []
            for here, scores in enumerate(lab.linear(q, k), len(keys) - len(queries)):
                bias = [-lab.slope[head] * abs(there - here)
                        if there == here or (there > here) == (look == RIGHT) else -math.inf
                        for there in range(len(keys))]
                rows.append(lab.softmax(scores, width ** -0.5, bias))
            mixed.append(lab.linear(rows, list(zip(*v))))
        return [list(itertools.chain(*parts)) for parts in zip(*mixed)]
    return attention

def only_the_special(logits, *_):
    """The rule of a text: no MASK and no BOS."""
    for z in logits:
        z[0] = microgpt.Value(-math.inf)


class Numbers(InTorch):
    def test_the_weights_of_a_seed_are_those_of_the_program_and_smaller_if_wide(self):
        for other, scale in (False, 1), (True, math.sqrt(16 / 24)):
            for lab, vocab, _, weights, _ in self.models(other):
                found = in_torch.make_weights(lab, len(vocab), random.Random(5))
                for name, matrix in weights.items():
                    expected = in_torch.torch.tensor(numbers(matrix), dtype=found[name].dtype)
                    self.assertClose(expected * scale, found[name], name)

    def test_logits(self):
        least = -9                          # minus infinity has no difference to itself
        for lab, _, names, weights, tensors in self.both_sizes():
            if lab is microgpt:
                for tokens in ([0], names[4], (names[3] + names[7][1:])[:lab.block_size]):
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
        for lab, _, names, weights, tensors in self.both_sizes():
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
        for (lab, _, names, weights, tensors), other in zip(self.both_sizes(), (0, 0, 1, 1)):
            options = {'batch_size': 5, 'learning_rate': 0.03} if other else {}
            trained = 3 if other else 0
            with mock.patch.multiple(lab, **options) if other else contextlib.nullcontext():
                expected = list(lab.train(weights, names, random.Random(2), 5, trained=trained))
                losses = list(in_torch.train(tensors, names, random.Random(2), 5,
                                             lab.learning_rate, lab.batch_size, trained=trained))
            self.assertClose(expected, losses, 'losses')
            for name, matrix in weights.items():
                self.assertClose(numbers(matrix), tensors[name].detach(), name)

    def test_held_out_nats_of_more_than_one_batch(self):
        for lab, _, names, weights, tensors in self.both_sizes():
            if lab.n_layer != 3:            # for the larger ones six names are enough
                names = names + [names[0]] * (257 - len(names))
            else:
                names = names[:6]
            expected = list(lab.held_out_nats(weights, names, random.Random(0)))
            nats = list(lab.held_out_nats(tensors, names, random.Random(0), in_torch.in_batches))
            self.assertClose(expected, nats, 'nats')

    def test_a_cache_changes_nothing(self):
        for lab, _, names, _, tensors in self.both_sizes():
            if lab is microgpt:
                self.check_cache(tensors, max(names, key=len), lab.n_layer)
        for lab, _, tensors, tokens in self.text_models():
            if lab is microgpt:
                self.check_cache(tensors, [0] + tokens[:8], lab.n_layer)

    def check_cache(self, tensors, tokens, n_layer):
        """Assert that the logits are the same all at once and piece by piece."""
        cache = [([], []) for _ in range(n_layer)]
        parts = [in_torch.gpt(tensors, [tokens[start:end]], cache)[0]
                 for start, end in ((0, 2), (2, 3), (3, len(tokens)))]
        self.assertClose(in_torch.gpt(tensors, [tokens])[0].clamp(min=-9),
                         in_torch.torch.cat(parts).clamp(min=-9), 'logits')


class Text(InTorch):
    def test_slopes_are_those_of_alibi_on_each_side(self):
        self.assertEqual([2.0 ** -n for n in range(1, 9)], in_torch.slopes([LEFT] * 8))
        self.assertEqual([2.0 ** -4, 2.0 ** -8] * 2, in_torch.slopes([LEFT, LEFT, RIGHT, RIGHT]))

    def test_logits_are_those_of_the_program_with_such_heads(self):
        for lab, weights, tensors, tokens in self.text_models():
            self.assertEqual([LEFT] * (4 if lab is microgpt else 2),
                             [look for look in lab.heads if look == LEFT])
            with mock.patch.multiple(lab, attention=plain_attention(lab),
                                     rule_out=only_the_special):
                if lab is microgpt:
                    tokens = [0, 1, 2, 1, 3, 4, 1, 5, 6]
                    expected = lab.gpt(weights, tokens)
                    found = in_torch.gpt(tensors, [tokens])[0]
                else:                       # 1 is a character here, and no PAD
                    tokens = [0, 1, 2, 0, 0, 4, 1, 0, 6]
                    with mock.patch.object(lab, 'settled', lambda tokens: tokens):
                        expected = lab.mask_predictor(weights, tokens)
                    found = in_torch.mask_predictor(tensors, [tokens])[0]
            self.assertClose(numbers(expected, -30), found.clamp(min=-30), 'logits')
            self.assertEqual([-math.inf] * 9, found[:, 0].tolist())

    def test_the_cost_of_a_block(self):
        """By hand: one character after the other, and the mean over all sets of masks."""
        for lab, _, tensors, tokens in self.text_models():
            blocks = [tokens[n:n + 4] for n in (0, 4)]
            with mock.patch.object(lab, 'block_size', 4), \
                    mock.patch.object(in_torch, 'encode_text', lambda text, vocab: list(text)):
                found = in_torch.block_nats(tensors, tokens[:11], None, draws=6000)
                expected = [self.cost_by_hand(lab, tensors, block) / 4 for block in blocks]
            for one, other in zip(expected, found):
                self.assertAlmostEqual(one, other, delta=1e-9 if lab is microgpt else 0.12)
            self.assertEqual(2, len(found))             # the last three make no block

    def cost_by_hand(self, lab, tensors, block):
        """-log p(block), or the mean over k = 1 ... L of L/k times the cost of k masks."""
        if lab is microgpt:
            probs = in_torch.gpt(tensors, [[0] + block[:-1]])[0].softmax(1)
            return -sum(math.log(probs[n, token]) for n, token in enumerate(block))
        total = 0.0
        for k in range(1, 5):
            ways = list(itertools.combinations(range(4), k))
            for places in ways:
                noisy = [0 if n in places else token for n, token in enumerate(block)]
                probs = in_torch.mask_predictor(tensors, [noisy])[0].softmax(1)
                cost = -sum(math.log(probs[n, block[n]]) for n in places)
                total += 4 / k * cost / len(ways) / 4
        return total

    def test_each_draw_has_its_own_part_of_the_numbers_of_masks(self):
        noisy = []
        with mock.patch.object(in_torch, 'cross_entropies',
                               lambda model, names, rows: noisy.extend(rows)
                               or in_torch.torch.zeros(len(rows), 9)):
            in_torch.example_nats({}, [[1] * 9] * 27, range(27), itertools.repeat(9))
        self.assertEqual([*range(1, 10)] * 3, [row.count(0) for row in noisy])

    def test_a_tenth_is_never_seen_in_training(self):
        self.text = self.write('two.txt', 'ab' * 450 + 'cd' * 50)
        for model in in_torch.LABS:
            with mock.patch.object(in_torch, 'train', return_value=[]) as train, \
                    mock.patch.object(in_torch, 'report'):
                self.train_text(model)
            pieces = train.call_args[0][1]
            self.assertEqual(900 - 11, len(pieces))
            for tokens in [pieces[n] for n in range(889)]:
                self.assertIn(''.join(' abcd'[token] for token in tokens[-12:]), 'ab' * 7)
                self.assertEqual([0] * (model == 'gpt'), tokens[:-12])

    def test_both_learn_a_text_and_write_it(self):
        for model in in_torch.LABS:
            path = os.path.join(self.folder, model + '.pt')
            output = self.train_text(model, '--examples', 3000, '--lr', 0.01, '--checkpoint', path)
            nats = float(re.search(r'held-out: (\S+) nats', output)[1])
            self.assertLess(nats, 0.4 if model == 'gpt' else 1.0)       # one needs 2.2 to guess
            nats = float(re.search(r'train 375/375 (\S+) nats', output)[1])     # of a character too
            self.assertLess(nats, 0.6)
            self.assertEqual([*range(37, 375, 37), 375],        # every tenth of the run
                             [int(step) for step in re.findall(r'step (\d+): kept', output)])
            output = self.run_main(in_torch.main, 'write', path, '--prompt', 'ell me',
                                   '--temperature', 0.1, '--length', 60, '--judge', self.text)
            text = re.search(r'text 1:\n(.*)', output)[1]
            self.assertEqual((PHRASE * 9)[1:61], text, model)       # four times over a block's end
            evaluations = int(re.search(r'54 characters by (\d+) evaluations', output)[1])
            self.assertTrue(evaluations == 54 if model == 'gpt' else 27 < evaluations <= 54)
            self.assertIn('17.0 % distinct groups of eight', re.search('written: .*', output)[0])

    def test_diffusion_fills_blanks(self):
        path = os.path.join(self.folder, 'diffusion.pt')
        self.train_text('diffusion', '--examples', 1200, '--lr', 0.01, '--checkpoint', path)
        for more in (), ('--by-chance',):
            output = self.run_main(in_torch.main, 'write', path, '--temperature', 0, '--prompt',
                                   'me, tell me, te{2} me, t_ll me', '--steps', 2, *more)
            self.assertIn('me, tell me, te__ me, t_ll me', output)
            self.assertEqual('me, tell me, tell me, tell me', re.search('text 1:\n(.*)', output)[1])

    def test_fewer_steps_take_fewer_evaluations(self):
        path = os.path.join(self.folder, 'diffusion.pt')
        self.train_text('diffusion', '--examples', 0, '--checkpoint', path)
        for steps, most in (1, 1 + 8), (4, 4 + 8 * 2):      # the first block, and halves of blocks
            output = self.run_main(in_torch.main, 'write', path, '--steps', steps, '--length', 60)
            evaluations = int(re.search(r'60 characters by (\d+) evaluations', output)[1])
            self.assertTrue(most - 8 <= evaluations <= most, evaluations)


class Command(InTorch):
    def test_the_same_seed_gives_the_figure_and_names_of_the_program(self):
        for model, lab in in_torch.LABS.items():
            self.program = lab.PROGRAM
            expected = self.run_main(lab.main, '--steps', 6, '--seed', 9, '--samples', 3,
                                     '--save', self.path)
            weights = in_torch.load(self.path)['state_dict']
            with mock.patch.object(microgpt, 'num_steps', 6):       # so the learning rate stays
                found = self.train(model, '--seed', 9, '--double', '--examples',
                                   6 * lab.batch_size, '--save', self.path)
            kept = in_torch.load(self.path)
            self.assertEqual(6, kept['steps'])
            for name, matrix in weights.items():
                self.assertClose(matrix.tolist(), kept['state_dict'][name], name)
            self.assertEqual(self.figure_and_names(expected), self.figure_and_names(found))
            os.remove(self.path)

    def figure_and_names(self, output):
        """What the held-out part costs, and the first names that the model writes."""
        names = re.findall('^sample .*', output, re.M)[:3]
        self.assertEqual(3, len(names))
        return re.findall('held-out: .*', output) + names

    def test_the_program_writes_with_what_is_saved_here(self):
        for model, lab in in_torch.LABS.items():
            found = self.train(model, '--examples', 80, '--double', '--save', self.path)
            expected = self.run_main(lab.main, '--load', self.path, '--samples', 3)
            self.assertEqual(self.figure_and_names(expected), self.figure_and_names(found))
            again = self.run_main(in_torch.main, 'write', self.path, '--samples', 3)
            self.assertEqual(self.figure_and_names(expected)[1:], again.splitlines())
            os.remove(self.path)

    def test_a_model_of_another_size_is_trained_further_and_saved_as_what_it_is(self):
        for model, lab in in_torch.LABS.items():
            size = '--n-embd', 8, '--n-layer', 3, '--heads', 2
            saved = self.train(model, *size, '--examples', 40, '--batch', 20, '--save', self.path)
            start = self.train(model, '--load', self.path, '--examples', 0)
            checkpoint = os.path.join(self.folder, model + '.pt')
            more = self.train(model, '--load', self.path, '--examples', 40, '--save', self.path,
                              '--checkpoint', checkpoint)
            self.assertEqual(2 + 5, in_torch.load(checkpoint)['steps'])
            self.assertEqual(figure(saved), figure(start))
            self.assertNotEqual(figure(start), figure(more))
            with open(self.path, encoding='utf-8') as file:
                kept = json.load(file)
            self.assertEqual((8, 3, 2 + 5), (kept['n_embd'], kept['n_layer'], kept['steps']))
            heads = [LEFT, LEFT if lab is microgpt else RIGHT]
            self.assertEqual(heads, kept['heads'])
            with mock.patch.multiple(lab, n_embd=8, n_layer=3, heads=heads):
                expected = self.run_main(lab.main, '--load', self.path, '--samples', 3)
            found = self.run_main(in_torch.main, 'write', self.path, '--samples', 3)
            self.assertEqual(self.figure_and_names(expected)[1:], found.splitlines())
            # What was loaded before does not stay with the program.
            count = len(lab.parameters(lab.make_weights(len(kept['vocab']), random.Random(0))))
            self.assertIn(f'; {count} parameters', self.train(model, '--examples', 0))
            os.remove(self.path)

    def test_a_learning_rate_of_zero_is_zero(self):
        before = self.train('gpt', '--examples', 0, '--save', self.path)
        after = self.train('gpt', '--load', self.path, '--examples', 80, '--lr', 0)
        self.assertEqual(figure(before), figure(after))
        self.assertNotEqual(figure(before), figure(
            self.train('gpt', '--load', self.path, '--examples', 80, '--lr', 0.01)))

    def test_a_learning_rate_that_is_too_high_is_named(self):
        with contextlib.redirect_stderr(io.StringIO()) as error, self.assertRaises(SystemExit):
            self.train('gpt', '--lr', 1e9)
        self.assertRegex(error.getvalue().splitlines()[-1], 'training has failed.*lower --lr')

    def test_what_cannot_be_is_one_line_before_the_training(self):
        other = os.path.join(self.folder, 'other.json')
        checkpoint = os.path.join(self.folder, 'run.pt')
        self.run_main(microgpt.main, '--steps', '0', '--samples', '0', '--save', self.path)
        self.train_text('diffusion', '--examples', 8, '--checkpoint', checkpoint)
        with open(self.path, encoding='utf-8') as file:
            model = json.load(file)
        cut = self.write('cut.json', json.dumps(model)[:5000])
        row = model['state_dict']['wpe'].pop()
        short = self.write('short.json', json.dumps(model))
        model['state_dict']['wpe'].append([math.nan] * len(row))
        no_number = self.write('no_number.json', json.dumps(model))
        cut_checkpoint = os.path.join(self.folder, 'cut.pt')
        with open(checkpoint, 'rb') as file, open(cut_checkpoint, 'wb') as copy:
            copy.write(file.read()[:-4000])
        latin = os.path.join(self.folder, 'latin.txt')
        with open(latin, 'wb') as file:
            file.write(b'caf\xe9 ' * 1000)
        for message, words in {
                'its program is': ['diffusion', '--load', self.path],
                'is not a whole model': ['gpt', '--load', cut],
                'wpe has another size': ['gpt', '--load', short],
                'wpe has another size, or a number that is not': ['gpt', '--load', no_number],
                'is not a whole model (Runtime': ['--resume', cut_checkpoint],
                'No such file': ['--load', ''],
                'is no checkpoint': ['--resume', self.path],
                'its program is \'microdiffusion\'': ['gpt', '--resume', checkpoint],
                '--batch is not used with --resume': ['--resume', checkpoint, '--batch', 9],
                '--n-embd is not used with --load': ['--load', self.path, '--n-embd', 16],
                '--text is not used by a model of names': ['--load', self.path, '--text', 'python'],
                '--names is not used by a model of text': ['--load', checkpoint, '--names', 'x'],
                'give one with --text': ['--load', checkpoint],
                '--names is not used by a model of tex': ['--text', 'python', '--names', NAMES[0]],
                '--block is not used by a model of names': ['gpt', '--block', 9],
                '--every is not used without --checkpoint': ['gpt', '--every', 9],
                'n_embd = 18, but it has to be a multiple': ['gpt', '--n-embd', 18],
                '--device nowhere cannot be used': ['gpt', '--device', 'nowhere'],
                'give 2560 or more': ['gpt', '--text', self.text],
                'is not a text in UTF-8': ['gpt', '--text', latin],
                'Is a directory': ['gpt', '--checkpoint', self.folder],
                'No such file or directory': ['gpt', '--save', os.path.join(self.folder, 'a', 'm')],
                'is no model of microgpt.py': ['gpt', '--save', self.names],
                'is no checkpoint: it is not replaced': ['gpt', '--checkpoint', self.path],
                'unrecognized arguments: --prompt': ['gpt', '--prompt', 'a']}.items():
            self.assertFails(message, 'train', *words)
        for message, words in {
                '--steps is not used by a model of names': [self.path, '--steps', 3],
                'the model does not know': [checkpoint, '--prompt', 'XYZ'],
                'unrecognized arguments: --batch': [self.path, '--batch', 3]}.items():
            self.assertFails(message, 'write', *words)
        self.train_text('gpt', '--examples', 8, '--save', other)
        self.assertFails('--by-chance is not used by a GPT', 'write', other, '--by-chance')
        self.assertFails('cannot fill a blank', 'write', other, '--prompt', 'te__ me')
        with contextlib.redirect_stderr(io.StringIO()) as error, self.assertRaises(SystemExit):
            self.run_main(microgpt.main, '--load', other)
        self.assertIn('its n_layer is 2, but here it is 1', error.getvalue())


class LongRuns(InTorch):
    """Checkpoints: what was learnt is kept, and a run goes on exactly where it was."""

    def interrupted(self, sent, after, run, *words):
        """Run a training that gets a signal after some steps, and what it prints."""
        really = microgpt.progress

        def progress(values, *args):
            for n, value in enumerate(really(values, *args), 1):
                if n == after and args[1] == 'train':
                    signal.raise_signal(sent)
                yield value

        with mock.patch.object(microgpt, 'progress', progress), \
                mock.patch.object(microdiffusion, 'progress', progress):
            return run(*words, status=143 if sent == signal.SIGTERM else 0)

    def test_a_run_that_was_ended_goes_on_to_the_same_weights(self):
        for run, model, sent in ((self.train_text, 'diffusion', signal.SIGTERM),
                                 (self.train, 'gpt', signal.SIGINT)):
            path, whole = [os.path.join(self.folder, name + model) for name in ('a.', 'b.')]
            words = model, '--examples', 96, '--every', 5, '--seed', 3
            expected = run(*words, '--checkpoint', whole)
            output = self.interrupted(sent, 7, run, *words, '--checkpoint', path,
                                      '--save', self.path)
            self.assertIn('the training ends here', output)
            self.assertEqual(sent == signal.SIGINT, 'held-out: ' in output)
            part = in_torch.load(path)
            self.assertEqual((8, 8), (part['done'], part['steps']))
            for name, matrix in in_torch.load(self.path)['state_dict'].items():
                self.assertTrue(matrix.equal(part['state_dict'][name].double()))
            found = self.train('--resume', path)
            self.assertEqual(figure(expected), figure(found))
            one, other = in_torch.load(path), in_torch.load(whole)
            self.assertEqual((12, 12), (one['done'], other['done']))
            for name, matrix in other['state_dict'].items():
                self.assertTrue(matrix.equal(one['state_dict'][name]), name)
            os.remove(self.path)

    def test_a_second_ctrl_c_ends_the_program(self):
        self.assertRaises(KeyboardInterrupt, self.press_twice)

    def press_twice(self):
        """Two signals while they are only noted."""
        with in_torch.noted_signals() as noted:
            signal.raise_signal(signal.SIGINT)
            self.assertEqual([signal.SIGINT], noted)
            signal.raise_signal(signal.SIGINT)

    def test_the_best_model_is_kept_beside_the_last(self):
        path = os.path.join(self.folder, 'run.pt')
        with mock.patch.object(in_torch, 'held_out_mean', side_effect=[3.0, 1.0, 2.0, 5.0]):
            self.train('gpt', '--examples', 64, '--every', 2, '--checkpoint', path)
        self.assertEqual(8, in_torch.load(path)['done'])
        best = in_torch.load(os.path.join(self.folder, 'run.best.pt'))
        self.assertEqual((4, 1.0), (best['done'], best['best']))

    def test_the_held_out_part_says_which_is_the_best(self):
        path = os.path.join(self.folder, 'run.pt')
        for run, model, delta in ((self.train, 'gpt', 0.06), (self.train_text, 'gpt', 0.001),
                                  (self.train_text, 'diffusion', 0.2)):
            output = run(model, '--examples', 400, '--every', 40, '--checkpoint', path)
            kept = [float(nats) for nats in re.findall(r'kept, held-out (\S+) nats', output)]
            last = float(re.search(r'held-out: (\S+) nats', output)[1])
            self.assertAlmostEqual(last, kept[-1], delta=delta)
            best = in_torch.load(os.path.join(self.folder, 'run.best.pt'))
            self.assertEqual(f'{best["best"]:.3f}', f'{min(kept):.3f}')
            os.remove(path)

    def test_two_processes_learn_what_one_does(self):
        words = ['train', 'diffusion', '--text', self.text, *SMALL, '--double', '--examples', '160']
        losses = []
        progress = microdiffusion.progress
        with mock.patch.object(microdiffusion, 'progress',
                               lambda values, *args: progress(map(noted(losses), values), *args)):
            self.run_main(in_torch.main, *words, '--checkpoint', os.path.join(self.folder, '1.pt'))
        environment = dict(os.environ, OMP_NUM_THREADS='1')
        done = subprocess.run(
            [sys.executable, '-m', 'torch.distributed.run', '--standalone', '--nproc-per-node', '2',
             '-m', 'tests.in_torch', *words, '--checkpoint', os.path.join(self.folder, '2.pt')],
            cwd=TOP, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300,
            universal_newlines=True)
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual(1, done.stdout.count('held-out: '), done.stdout)
        self.assertEqual(1, done.stdout.count('pieces to learn from'))
        one, two = [in_torch.load(os.path.join(self.folder, name)) for name in ('1.pt', '2.pt')]
        self.assertEqual((20, 20), (one['done'], two['done']))
        for name, matrix in one['state_dict'].items():
            self.assertClose(matrix, two['state_dict'][name], name)
        mean = re.search(r'train 20/20 (\S+) nats', done.stdout)[1]
        self.assertEqual(f'{sum(losses) / 20:.2f}', mean)


def noted(values):
    """A function that gives what it gets, and notes it."""
    return lambda value: values.append(value) or value


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

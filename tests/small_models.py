"""Both programs at a small size, with weights large enough for everything to matter."""
import os
import random
import unittest
from unittest import mock

import microdiffusion
import microgpt

PROGRAMS = microgpt, microdiffusion
NAMES = ['ann', 'bea', 'cleo', 'dan', 'ed', 'fay', 'gus', 'hal', 'ida', 'jo', 'kay', 'leo']


def shrink(case, block_size, n_embd=8):
    """Make both models small until the test is over: of the heads they keep the first and last."""
    for program in PROGRAMS:
        heads = [program.heads[0], program.heads[-1]]
        patch = mock.patch.multiple(program, block_size=block_size, n_embd=n_embd, heads=heads)
        patch.start()
        case.addCleanup(patch.stop)

def large_weights(program, vocab, rng):
    """A state_dict in which no part of the model is too small to be seen."""
    state_dict = program.make_weights(len(vocab), rng)
    for value in program.parameters(state_dict):
        value.data = rng.gauss(0, 0.4)
    return state_dict

def kept(program):
    """The trained (state_dict, vocab) of a program at its full size."""
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'models')
    return program.load(os.path.join(folder, program.PROGRAM + '.json'))[:2]

def data(rows):
    """The plain numbers of lists of Values."""
    return [[value.data for value in row] for row in rows]

def probabilities(logits):
    """The plain probabilities of one position."""
    return [p.data for p in microdiffusion.softmax(logits)]


class SmallModels(unittest.TestCase):
    """A test that has a model of each kind, and their vocabularies."""
    block_size = 6
    names = NAMES

    def setUp(self):
        shrink(self, self.block_size)
        self.rng = random.Random(5)
        self.vocab = microdiffusion.make_vocab(self.names)
        self.weights = large_weights(microdiffusion, self.vocab, self.rng)
        self.gpt_vocab = microgpt.make_vocab(self.names)
        self.gpt_weights = large_weights(microgpt, self.gpt_vocab, self.rng)

    def both(self):
        """(program, its weights, its vocabulary) of each."""
        return [(microgpt, self.gpt_weights, self.gpt_vocab),
                (microdiffusion, self.weights, self.vocab)]

"""Exercise 3, parameters: count the weights of both models.

Level: easy. About 15 minutes.

Do: answer with three numbers, worked out on paper. Suppose that the names use 30
letters and that n_embd = 32 and n_layer = 3; the other sizes are those at the top of
each program. How many parameters would microgpt.py have? How many would
microdiffusion.py have? And how many would microdiffusion.py have if n_embd was 64?
Look at: make_weights in part 4, and how many special tokens each vocabulary has.
Hint: a layer has four square matrices and two of four times their size. What turns the
last layer into logits?
Lab tests this breaks: none.
"""
import random
from unittest import mock

import microdiffusion
import microgpt
from tests.exercises import Exercise

answer = None               # (microgpt's, microdiffusion's, microdiffusion's with n_embd = 64)


def count(module, n_embd):
    """How many parameters a model has."""
    with mock.patch.multiple(module, n_embd=n_embd, n_layer=3):
        state_dict = module.make_weights(len(module.SPECIAL) + 30, random.Random(0))
    return len({id(value) for value in module.parameters(state_dict)})


class Parameters(Exercise):
    def test_answer(self):
        numbers = self.need_answer(answer, 3)
        self.check(numbers[0], microgpt, 32,
                   'wte, wpe and lm_head: the vocabulary is 30 letters and BOS, and has a row for '
                   'each in wte and in lm_head')
        self.check(numbers[1], microdiffusion, 32,
                   'wte, which is there twice in use, but once in the count; the vocabulary is 30 '
                   'letters, MASK and PAD')
        self.check(numbers[2], microdiffusion, 64,
                   'which matrices grow with n_embd, and which with its square')

    def check(self, got, module, n_embd, look):
        self.trying(f'{module.__name__}.py with 30 letters, n_layer = 3, n_embd = {n_embd}', look)
        right = count(module, n_embd)
        self.expect(got == right, f'answer {got}', 'fewer' if got > right else 'more')

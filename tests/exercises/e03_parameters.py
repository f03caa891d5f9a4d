"""Exercise 3, parameters: count the weights of both models.

Level: easy. About 15 minutes.

Do: answer with three numbers, worked out on paper from the sizes at the top of each program. How
many parameters has microgpt.py with names of 26 letters? How many has microdiffusion.py? How many
would microdiffusion.py have if n_embd was 32?
Look at: make_weights in part 4, and how many special tokens each vocabulary has.
Hint: a layer has four square matrices and two of four times their size. What turns the last layer
into logits?
Lab tests this breaks: none.
"""
import random
from unittest import mock
import microdiffusion, microgpt
from tests.exercises import Exercise

answer = None               # (microgpt's, microdiffusion's, microdiffusion's with n_embd = 32)

def count(module, n_embd):
    with mock.patch.object(module, 'n_embd', n_embd):
        state_dict = module.make_weights(len(module.SPECIAL) + 26, random.Random(0))
    return len({id(value) for matrix in state_dict.values() for row in matrix for value in row})

class Parameters(Exercise):
    def test_answer(self):
        answers, width = self.need_answer(answer, 3), microdiffusion.n_embd
        for got, module, n_embd, look in zip(
                answers, (microgpt, microdiffusion, microdiffusion), (microgpt.n_embd, width, 32),
                ('the vocabulary, 26 letters and BOS: it has a row each in wte and in lm_head',
                 'its logits: wte is there twice in use, but once in the count',
                 'which matrices grow with n_embd, and which with its square')):
            right = count(module, n_embd)
            self.expect(got == right, f'{module.__name__}.py with n_embd = {n_embd}', got,
                        f'{"fewer" if got > right else "more"} parameters', look)

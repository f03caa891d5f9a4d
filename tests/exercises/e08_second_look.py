"""Exercise 8, a second look: does it help to draw each finished letter again?

Level: medium. About 30 minutes. It belongs to chapter 15 of the lesson.

Do: The first letters of a name are drawn when little of it is known, and what is revealed stays.
Give them a second chance: add this function to microdiffusion.py.

    def second_look(state_dict, tokens, rng, temperature):

`tokens` is a finished name. The function goes through its letters from left to right. It hides one
letter, asks the model what may stand there, given all the rest, draws that letter again with draw,
and goes on to the next. It returns the new tokens, and leaves the list that it was given as it is.
The name keeps its length. To try it, put this behind the loop of denoise, as its last line:

    yield steps, cooled, second_look(state_dict, tokens, rng, cooled)

Predict first: will the names be better? Will there be more different ones? Then compare. This
command writes a thousand names with a trained model, which takes a minute or two, and shows figures
of them:

    python -m tests.exercises.sample microdiffusion --samples 1000

Look at: how denoise uses mask_predictor, rule_out and draw, part 9.
Hint: rule_out forbids the end before index `least_letters`.
"""
import pathlib, sys
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))    # for an editor's Run button

import random

import microdiffusion
from microdiffusion import MASK
from tests.exercises import checking
from tests.exercises.checking import logs

VOCAB = '_.abc'


def text(rows):
    """Names, to look at."""
    return ' '.join([microdiffusion.decode(tokens, VOCAB) for tokens in rows])


class SecondLook(checking.Exercise):
    def check(self):
        second_look = self.need(microdiffusion, 'second_look',
                                'second_look(state_dict, tokens, rng, temperature)')
        self.watch_draw()

        # The model says c, or rather often the end, wherever it is asked.
        inputs = self.stand_in(microdiffusion, lambda tokens, n: logs(0, 0.6, 0, 0, 0.4))
        for name in ('abab', 'b', 'abaabbabaabba'):
            start = microdiffusion.encode(name, VOCAB)
            self.trying(f'second_look at {name}, with a model that says c everywhere',
                        'which positions it goes through: the letters, from left to right')
            given = list(start)
            del inputs[:]
            got = second_look(None, given, random.Random(1), 1.0)
            self.expect(isinstance(got, list) and len(got) == 14, repr(got), 'a list of 14 tokens',
                        'what it returns')
            self.expect(given == start, 'the list that it was given has changed', 'a new list',
                        'the first line: list(tokens) makes a copy')
            self.check_inputs(inputs, name)
            right = 'c' * len(name) + '.' * (14 - len(name))
            self.expect(text([got]) == right, text([got]), right,
                        'rule_out: with a large enough `least_letters` the name cannot end earlier')

        self.stand_in(microdiffusion, lambda tokens, n: logs(0, 0, 0.6, 0.4, 0), most=4000)
        for temperature, share in ((1.0, 0.6), (0.5, 0.36 / 0.52), (0, 1.0)):
            self.trying(f'second_look at 100 names, with a model that says a 0.6, b 0.4; '
                        f'temperature {temperature}', 'draw, and the temperature it is given')
            rng = random.Random(2)
            names = [second_look(None, microdiffusion.encode('bbbbbbbb', VOCAB), rng, temperature)
                     for _ in range(100)]
            self.expect_near(text(names).count('a') / 800, share, 'a share of a of', tolerance=0.05)

    def watch_draw(self):
        """Let draw say what it needs, if it is given something else."""
        draw = microdiffusion.draw

        def watched(logits, rng, temperature, *rest, **named):
            values = [isinstance(z, microdiffusion.Value) for z in logits]
            if values and not all(values):
                self.trying('what second_look gives to draw', 'draw: it takes the logits of one '
                            'place, as denoise gives them: draw(logits[n], rng, temperature)')
                self.expect(False, f'a list of {type(logits[0]).__name__}s', 'a list of Values')
            return draw(logits, rng, temperature, *rest, **named)

        self.replace(microdiffusion, draw=watched)

    def check_inputs(self, inputs, name):
        """That the model saw one hidden letter at a time, and what was drawn to its left."""
        end = '.' * (14 - len(name))
        right = ' '.join(['c' * n + '_' + name[n + 1:] + end for n in range(len(name))])
        got = text(inputs)
        look = 'what is put back: the new letter, before the next one is hidden'
        if any(row.count(MASK) != 1 for row in inputs):
            look = 'what is hidden when the model is asked: one letter'
        elif [row.index(MASK) for row in inputs] != list(range(len(name))):
            look = 'which positions it goes through: the letters, from left to right'
        self.expect(got == right, f'the model saw {got}', right, look)


if __name__ == '__main__':
    sys.exit(checking.run(__file__))

"""Exercise 10, the token's confidence: rate what was drawn, not what could have been drawn.

Level: medium. About 30 minutes. It belongs to chapter 17 of the lesson.

Do: Change denoise in microdiffusion.py to what MaskGIT and LLaDA do. At each step, first draw a
token for every masked position, at the step's temperature, but put none of them in yet. The
confidence of a position is now the log of the probability of the token that was drawn there (the
probability at temperature 1), plus the noise as before. Then put in the tokens of the surest
positions, the surest first. It may be that a letter put in a moment ago has made a PAD to its left
impossible: only then draw again.

Predict first: in which version will more names be the same? This command writes a thousand names
with a trained model, which takes a minute or two, and shows figures of them:

    python -m tests.exercises.sample microdiffusion --samples 1000

Look at: the two loops of denoise, part 9. The first has to draw now, and `cooled` has to stand
above it.
Hint: Keep what was drawn in a dict, as confidence is kept. After rule_out, the logit of what is
impossible is minus infinity.
"""
import pathlib, sys
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))    # for an editor's Run button

import random

import microdiffusion
from microdiffusion import MASK, PAD
from tests.exercises import checking
from tests.exercises.checking import logs

VOCAB = '_.abc'
TWO = [MASK] * 2 + [PAD] * 12           # a name of two letters at the most


def first_steps(count, temperature, noise=0):
    """The first two positions after a first step of denoise, so often."""
    rng = random.Random(5)
    shown = []
    for _ in range(count):
        _, _, tokens = next(microdiffusion.denoise(None, TWO, rng, 2, temperature, 2, noise))
        shown.append(microdiffusion.decode(tokens[:2], VOCAB))
    return shown


class TokenConfidence(checking.Exercise):
    def check(self):
        self.check_chosen()
        self.check_temperature()
        self.check_impossible()

    def check_chosen(self):
        """That the surest of the drawn tokens is put in, and that it is the one that was drawn."""
        self.stand_in(microdiffusion, most=10 ** 6, logits=lambda tokens, n:
                      logs(0, 0, 0.6, 0.4, 0) if n == 0 else logs(0, 0, 0.55, 0.45, 0))
        self.trying('240 first steps from __ with a 0.6, b 0.4 at index 0 and a 0.55, b 0.45 at '
                    '1; temperature 1, no noise', 'the first loop of denoise')
        got = first_steps(240, 1.0)
        self.expect(all(shown.count('_') == 1 for shown in got), checking.count_of(got),
                    'one position revealed by the first of two steps',
                    'the first loop of denoise: it draws tokens, but puts none of them in')
        self.expect({'_a', '_b'} & set(got), checking.count_of(got),
                    'also _a and _b: where b was drawn at 0, index 1 is surer',
                    'the confidence: it is the log of the probability of the token that was drawn')
        self.expect('b_' not in got, checking.count_of(got),
                    'no b_: where b was drawn at 0, index 1 is surer',
                    'what is put in: the token that was drawn and rated, not another one')
        self.expect('_b' in got and abs(got.count('a_') - 144) < 30, checking.count_of(got),
                    'about 144 times a_, else _a or _b')

    def check_temperature(self):
        """That tokens are drawn at the temperature, and rated at temperature 1."""
        self.stand_in(microdiffusion, most=10 ** 6, logits=lambda tokens, n:
                      logs(0, 0, 0.6, 0.4, 0) if n == 0 else logs(0, 0, 0.5, 0.25, 0.25))
        for temperature, right, look in (
                (3.0, 160, 'the confidence: at temperature 1, whatever the temperature is'),
                (0.4, 220, 'the draw: at the temperature of the step')):
            self.trying(f'300 first steps from __ with a 0.6, b 0.4 at index 0 and a 0.5, b '
                        f'0.25, c 0.25 at 1; temperature {temperature}', look)
            got = first_steps(300, temperature)
            self.expect(abs(got.count('a_') - right) < 30 and got.count('_a') > 20,
                        checking.count_of(got), f'about {right} times a_, 55 times _a')

        self.trying('300 first steps with noise=100',
                    'the noise: it is added to the confidence, as before')
        got = first_steps(300, 1.0, 100.0)
        self.expect(100 < len([shown for shown in got if shown[0] == '_']) < 200,
                    checking.count_of(got), 'index 1 as often as index 0')

    def check_impossible(self):
        """That a PAD is drawn again if a letter to its right forbids it, and only then."""
        self.stand_in(microdiffusion, most=10 ** 6, logits=lambda tokens, n:
                      logs(0, 0, 0.7, 0.3, 0) if n == 0 else
                      logs(0, 0.5, 0.4, 0.1, 0) if n == 1 else logs(0, 0, 1, 0, 0))
        start = [MASK] * 3 + [PAD] * 11
        self.trying('200 names from ___ in one step, with the end 0.5, a 0.4, b 0.1 at index 1 '
                    'and a 1 at 2', 'what is drawn again: a PAD that has become impossible')
        rng, names = random.Random(3), []
        for _ in range(200):
            *_, (_, _, tokens) = microdiffusion.denoise(None, start, rng, 1, 1.0, 1, 0)
            names.append(microdiffusion.decode(tokens[:3], VOCAB))
        broken = [name for name in names if '_' in name or '.' in name.rstrip('.')]
        self.expect(not broken, checking.count_of(names), 'letters, then PADs only')
        self.expect('.' not in ''.join(names), checking.count_of(names),
                    'no end: as a is put in at 2, the end at 1 is impossible',
                    'the order: the surest is put in first')


if __name__ == '__main__':
    sys.exit(checking.run(__file__))

"""Exercise 9, threshold: reveal whatever is sure enough.

Level: medium. About 25 minutes. It belongs to chapter 17 of the lesson.

Do: The cosine tells in advance how many tokens a step reveals. Let the model decide instead, as
Fast-dLLM does for large models (arXiv 2505.22618). Put a constant at the top of microdiffusion.py,

    threshold = 0.6

and change denoise. Each step reveals every masked position whose likeliest token has at least this
probability. If there is none, it reveals the surest position alone. Add no noise to confidence. The
steps go on until no MASK is left, so masks_left is no longer needed. `steps` stays as a parameter,
though it decides nothing now, and `i` still counts the steps for yield. Draw all tokens at
`temperature`: it no longer falls. So start the program with a lower one, 0.6. Then compare some
values of `threshold` with the cosine: how many evaluations does a name take, and how usual are the
names? These commands write a thousand names with a trained model, as the differences are small, and
show figures of them. The first is for your program, the second for the cosine, before your change:

    python -m tests.exercises.sample microdiffusion --samples 1000 --temperature 0.6
    python -m tests.exercises.sample microdiffusion --samples 1000 --denoise-steps 12

Look at: denoise in part 9: how `surest` is chosen, and what `confidence` is the logarithm of.
Hint: while MASK in tokens. The exponential function undoes the logarithm.
"""
import pathlib, sys
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))    # for an editor's Run button

import random
from unittest import mock

import microdiffusion
from microdiffusion import MASK, PAD
from tests.exercises import checking
from tests.exercises.checking import logs

VOCAB = '_.ab'
FALLBACK = 'what is revealed if none is sure enough'


# The probability of the likeliest token at indexes 0 to 5: first, and once any of them is known.
FIRST = [0.55, 0.95, 0.75, 0.6, 0.85, 0.65]
LATER = [0.75, 0.95, 0.55, 0.9, 0.85, 0.65]
START = [MASK] * 6 + [2] * 7 + [PAD]


class Threshold(checking.Exercise):
    def check(self):
        self.trying('threshold in microdiffusion.py', 'the constants at the top')
        self.expect(hasattr(microdiffusion, 'threshold'), 'no such constant yet',
                    'a line `threshold = 0.6`')

        def logits(tokens, n):
            p = (FIRST if set(tokens[:6]) == {MASK} else LATER)[n] if n < 6 else 1.0
            return [z + 2.0 for z in logs(0, 0, p, 1 - p)]      # their exp is no probability

        def endless(tokens):
            return FALLBACK if MASK in tokens else 'what ends the loop'

        inputs = self.stand_in(microdiffusion, logits, most=20, endless=endless)
        for threshold, right in ((0.7, [[1, 2, 4], [0, 3], [5]]), (0.5, [[0, 1, 2, 3, 4, 5]]),
                                 (0.88, [[1], [3], [4], [0], [5], [2]])):
            self.trying('the indexes that denoise(..., steps=2) reveals, one list for each step, '
                        f'with threshold = {threshold}\n  A made-up model. Probability of the '
                        f'likeliest token at indexes 0 to 5:\n  first {FIRST};\n  once any of '
                        f'them is known {LATER}.', 'the condition on the confidence')
            self.replace(microdiffusion, threshold=threshold)
            for seed in range(3):
                inputs.clear()
                got, before = [], START
                for _, _, tokens in microdiffusion.denoise(None, START, random.Random(seed),
                                                           steps=2):
                    got.append([n for n in range(6) if before[n] == MASK != tokens[n]])
                    before = tokens
                if got != right:
                    self.expect(False, got, right, self.slip(got, right, threshold, inputs))

        self.trying('the temperature of each step of denoise', 'what draw is given')
        got = [cooled for _, cooled, _ in microdiffusion.denoise(
            None, START, random.Random(0), temperature=0.7)]
        self.expect(set(got) == {0.7}, got, 'always the 0.7 that was asked for')
        self.trying('the steps that denoise counts', 'what yield gives: i is 1, then 2, then 3 ...')
        got = [i for i, _, _ in microdiffusion.denoise(None, START, random.Random(0))]
        self.expect(got == [1, 2, 3, 4, 5, 6], got, [1, 2, 3, 4, 5, 6])
        self.check_equal()
        self.check_end()

    def check_equal(self):
        """That a probability which equals the threshold is enough: 1.0 is the same in floats."""
        with mock.patch.multiple(microdiffusion, threshold=1.0):
            self.stand_in(microdiffusion, lambda tokens, n:
                          logs(0, 0, 1.0, 0) if n in (1, 3) else logs(0, 0, 0.6, 0.4), most=20)
            self.trying('the indexes that the first step of denoise reveals, with threshold = 1.0 '
                        'and a model that is certain at 1 and 3',
                        'the condition: a probability of at least threshold is enough, so equal is')
            _, _, tokens = next(microdiffusion.denoise(None, START, random.Random(0)))
            got = [n for n in range(6) if tokens[n] != MASK]
            self.expect(got == [1, 3], got, [1, 3])

    def check_end(self):
        """That what rules out an early end has stayed, and what fills up the end of a name."""
        self.replace(microdiffusion, threshold=0.2)
        self.stand_in(microdiffusion, lambda tokens, n: logs(0, 0.6, 0.3, 0.1), most=10 ** 4)
        for least_letters in (1, 9):
            for seed in range(10):
                self.trying(f'a name from 14 masks, with least_letters={least_letters}',
                            'rule_out, and what happens behind a PAD: both stay as they were')
                steps = microdiffusion.denoise(None, [MASK] * 14, random.Random(seed),
                                               least_letters=least_letters)
                name = microdiffusion.decode([tokens for _, _, tokens in steps][-1], VOCAB)
                letters = name.rstrip('.')
                self.expect(least_letters <= len(letters) < 14 and set(letters) <= set('ab'), name,
                            f'letters, at least {least_letters}, then only PADs')

    def slip(self, got, right, threshold, inputs):
        """Where to look if these positions were revealed."""
        if not got:
            return 'where yield stands: once for each step'
        if sorted(sum(got, [])) != list(range(6)):
            if inputs[-1:] == inputs[-2:-1]:
                return FALLBACK
            return 'the end of the loop: it goes on until no MASK is left; `steps` decides nothing'
        if [] in got:
            return 'what ends the loop'
        if len(got) != len(inputs):
            return 'where yield stands: once for each step'
        if [len(places) for places in got] == [2, 4]:       # as the cosine has it with two steps
            return 'denoise: the schedule still decides how many'
        if len(got) == 6 != len(right):
            return 'the condition: confidence is the log of a probability, so it is below 0'

        same = [places == other for places, other in zip(got, right)].index(False)
        masked = sum(right[same:], [])
        if max([(LATER if same else FIRST)[n] for n in masked]) < threshold:
            return 'which one is revealed if none is sure enough'
        return ('the condition on the confidence, without noise; write threshold, not 0.6, and not '
                "as a parameter's default")


if __name__ == '__main__':
    sys.exit(checking.run(__file__))

"""Exercise 9, threshold: reveal whatever is sure enough.

Level: medium. About 25 minutes. It belongs to chapter 12 of the lesson.

Do: The cosine tells in advance how many tokens a step reveals. Let the model decide instead, as
Fast-dLLM does for large models (arXiv 2505.22618). Put a constant at the top of microdiffusion.py,

    threshold = 0.6

and change denoise. Each step reveals every masked position whose likeliest token has at least this
probability. If there is none, it reveals the surest position alone. Confidence gets no noise now.
The steps go on until no MASK is left; `steps` and masks_left are no longer needed, and all tokens
are drawn at `temperature` itself, so give it a lower one. Then compare some values of `threshold`
with the cosine: how many evaluations does a name take, and how usual are the names? This command
writes a hundred names with a trained model, and shows figures of them:

    python -m tests.exercises.sample microdiffusion --temperature 0.6

Look at: denoise in part 9: how `surest` is chosen, and what `confidence` is the logarithm of.
Hint: while MASK in tokens. The exponential function undoes the logarithm.
"""
import pathlib, sys
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))    # for an editor's Run button

import random

import microdiffusion
from microdiffusion import MASK
from tests.exercises import checking
from tests.exercises.checking import logs

VOCAB = '_.ab'


class Threshold(checking.Exercise):
    def check(self):
        self.trying('threshold in microdiffusion.py', 'the constants at the top')
        self.expect(hasattr(microdiffusion, 'threshold'), 'no such constant yet',
                    'a line `threshold = 0.6`')

        # From position 0 to 5 the likeliest token has these probabilities: first, and once any
        # position is known.
        first = [0.55, 0.95, 0.75, 0.6, 0.85, 0.65]
        later = [0.75, 0.95, 0.55, 0.9, 0.85, 0.65]

        def logits(tokens, n):
            p = (first if set(tokens[:6]) == {MASK} else later)[n] if n < 6 else 1.0
            return logs(0, 0, p, 1 - p)

        self.stand_in(microdiffusion, logits, most=60)
        start = [MASK] * 6 + [2] * 7 + [microdiffusion.PAD]
        for threshold, right in ((0.7, [[1, 2, 4], [0, 3], [5]]), (0.5, [[0, 1, 2, 3, 4, 5]]),
                                 (0.88, [[1], [3], [4], [0], [5], [2]])):
            self.trying(f'the positions that denoise reveals, one list for each step, with '
                        f'threshold = {threshold}\n  the likeliest tokens have {first};\n'
                        f'  when some are known, {later}', 'the condition on the confidence')
            self.replace(microdiffusion, threshold=threshold)
            for seed in range(3):
                got, before = [], start
                for _, _, tokens in microdiffusion.denoise(None, start, random.Random(seed)):
                    got.append([n for n in range(6) if before[n] == MASK != tokens[n]])
                    before = tokens
                self.expect(got == right, got, right, self.slip(got, right))

        self.trying('the temperature of each step of denoise', 'what draw is given')
        got = [cooled for _, cooled, _ in microdiffusion.denoise(
            None, start, random.Random(0), temperature=0.7)]
        self.expect(set(got) == {0.7}, got, 'always the 0.7 that was asked for')

    def slip(self, got, right):
        """Where to look if these positions were revealed."""
        if sorted(sum(got, [])) != list(range(6)):
            return 'the end of the loop: it goes on until no MASK is left'
        if len(got) == 6:
            return ('the condition: confidence is the log of a probability, so it is below 0; '
                    'noise is not to be added')
        if [] in got:
            return 'the steps in which none is sure enough: the surest position is revealed'
        return 'the condition on the confidence, without noise; `threshold` is read at each step'


if __name__ == '__main__':
    sys.exit(checking.run(__file__))

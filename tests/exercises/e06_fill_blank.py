"""Exercise 6, fill a blank: what a left-to-right model can do after all.

Level: medium. About 25 minutes. It belongs to chapter 10 of the lesson.

Do: Add this function to microgpt.py.

    def fill_blank(state_dict, vocab, pattern):

The pattern is a name with one unknown letter, such as m_ria. The function returns a dict: for each
letter of the vocabulary (not for the `.`) its probability at the place of the _, given all other
letters and that the name ends where the pattern ends. Then try it on a trained model:

    python
    >>> import microgpt
    >>> state_dict, vocab, _ = microgpt.load('tests/models/microgpt.json')
    >>> microgpt.fill_blank(state_dict, vocab, 'm_ria')

What does a blank cost: how often is the GPT evaluated, and how often the diffusion model?

Look at: cross_entropies in part 7. It gives the costs of a whole name.
Hint: p(letter | the rest) is p(the name with that letter), divided by the sum over all letters.
"""
import pathlib, sys
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))    # for an editor's Run button

import math

import microgpt
from tests.exercises import checking

VOCAB = '.abcd'


class FillBlank(checking.Exercise):
    def check(self):
        fill_blank = self.need(microgpt, 'fill_blank', 'fill_blank(state_dict, vocab, pattern)')
        state_dict = checking.weights(microgpt, len(VOCAB), 0.3)
        for pattern in ('_ad', 'd_ca', 'ba_', '_'):
            self.trying(f'fill_blank(state_dict, {VOCAB!r}, {pattern!r})', 'fill_blank')
            probs = {}
            for letter in VOCAB[1:]:
                tokens = microgpt.encode(pattern.replace('_', letter), VOCAB)
                probs[letter] = math.exp(-microgpt.example_nats(state_dict, tokens, 0))
            self.check_probs(fill_blank(state_dict, VOCAB, pattern), probs)

    def check_probs(self, got, probs):
        """That these are the probabilities of names, divided by their sum."""
        is_dict = isinstance(got, dict)
        self.expect(is_dict and set(got) == set(probs),
                    f'the keys {sorted(map(str, got))}' if is_dict else repr(got),
                    f'a dict with the keys {sorted(probs)}',
                    'what it returns: a dict from letters to numbers; vocab[0] is no letter')
        total = sum(probs.values())
        for letter, p in probs.items():
            look = 'what is added up: all costs of the name, those after the blank and the end too'
            number = getattr(got[letter], 'data', got[letter])
            if abs(number - p) < 1e-9 < abs(p / total - p):
                look = 'the sum over all letters: each has still to be divided by it'
            self.expect_near(number, p / total, f'for {letter} a probability of', look)


if __name__ == '__main__':
    sys.exit(checking.run(__file__))

"""Exercise 10, fill a blank: what a left-to-right model can do after all.

Level: medium. About 30 minutes.

Do: add this function to microgpt.py.

    def fill_blank(state_dict, vocab, pattern):

The pattern is a name with one letter unknown, as in m_ria. It returns a dict from each
letter (not `.`) to its probability at the place of the _, given all other letters and
the name's end. Then try it on a trained model:

    python
    >>> import microgpt
    >>> microgpt.fill_blank(*microgpt.load('tests/models/microgpt.json'), 'm_ria')

Look at: cross_entropies in part 7, and at the price: how often is the model evaluated?
How often by microdiffusion.py with --prompt m_ria.?
Hint: p(letter | the rest) is p(the name with that letter), divided by the sum over all
letters.
Lab tests this breaks: none.
"""
import math

import microgpt
from tests.exercises import Exercise, weights

VOCAB = '.abcd'


class FillBlank(Exercise):
    def test_probabilities(self):
        fill_blank = self.need(microgpt, 'fill_blank', 'fill_blank(state_dict, vocab, pattern)')
        state_dict = weights(microgpt, len(VOCAB), 0.3)
        for pattern in ('_ad', 'd_ca', 'ba_', '_'):
            self.trying(f'fill_blank(state_dict, {VOCAB!r}, {pattern!r})', 'fill_blank')
            probs = {}
            for letter in VOCAB[1:]:
                tokens = microgpt.encode(pattern.replace('_', letter), VOCAB)
                probs[letter] = math.exp(-microgpt.example_nats(state_dict, tokens))
            got = fill_blank(state_dict, VOCAB, pattern)
            self.check(got, probs)

    def check(self, got, probs):
        """That these are the probabilities of names, divided by their sum."""
        is_dict = isinstance(got, dict)
        self.expect(is_dict and set(got) == set(probs),
                    f'the keys {sorted(map(str, got))}' if is_dict else repr(got),
                    f'a dict with the keys {sorted(probs)}',
                    'what it returns: a dict from letters to numbers; vocab[0] is no letter')
        total = sum(probs.values())
        for letter, p in probs.items():
            look = 'what is added up: all tokens of the name, those after the blank and the end too'
            number = getattr(got[letter], 'data', got[letter])
            if abs(number - p) < 1e-9 < abs(p / total - p):
                look = 'the sum over all letters: it is still to be divided by'
            self.expect_near(number, p / total, f'for {letter} a probability of', look)

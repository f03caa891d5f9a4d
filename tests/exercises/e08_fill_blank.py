"""Exercise 8, fill a blank: what a left-to-right model can do after all.

Level: medium. About 30 minutes.

Do: add this function to microgpt.py.

    def fill_blank(state_dict, vocab, pattern):

The pattern is a name with one letter unknown, as in m_ria. It returns a dict from each letter (not
`.`) to its probability at the place of the _, given all other letters and the name's end. Then try
it on a trained model:

    python microgpt.py --steps 500 --save g.json
    python -c "import microgpt as m; print(m.fill_blank(*m.load('g.json'), 'm_ria'))"

Look at: cross_entropies in part 7, and at the price: how often is the model evaluated? How often by
microdiffusion.py with --prompt m_ria.?
Hint: p(letter | the rest) is p(the name with that letter), divided by the sum over all letters.
Lab tests this breaks: the shared parts, as fill_blank is not on the list of what may differ
(DIFFERENT in tests/test_files.py).
"""
import math
import microgpt as m
from tests.exercises import Exercise, weights

class FillBlank(Exercise):
    def test_probabilities(self):
        fill_blank = self.need(m, 'fill_blank', 'fill_blank(state_dict, vocab, pattern)')
        state_dict, vocab = weights(m, 5), '.abcd'
        for pattern in ('_ad', 'd_ca', 'ba_', '_'):
            probs = {}
            for letter in vocab[1:]:
                tokens = m.encode(pattern.replace('_', letter), vocab)
                nats = sum([v.data for v in m.cross_entropies(state_dict, tokens)])
                probs[letter] = math.exp(-nats)
            got, total = fill_blank(state_dict, vocab, pattern), sum(probs.values())
            tried = f'fill_blank(state_dict, {vocab!r}, {pattern!r})'
            self.expect(isinstance(got, dict) and set(got) == set(probs), tried,
                        f'the keys {sorted(got)}' if isinstance(got, dict) else repr(got),
                        f'a dict with the keys {sorted(probs)}', 'vocab: its first is no letter')
            look = 'what is added up: all tokens of the name, those after the blank and the end too'
            for letter in probs:
                self.expect_near(got[letter], probs[letter] / total,
                                 f'{tried}: the probability of {letter}', look)

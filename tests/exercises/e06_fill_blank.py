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


def shares(numbers):
    """Numbers divided by their sum."""
    return [number / sum(numbers) for number in numbers]

def near(numbers, others):
    """Whether these are the same numbers, but for rounding."""
    return all(checking.is_number(a) and abs(a - b) < 1e-9 for a, b in zip(numbers, others))


class FillBlank(checking.Exercise):
    def check(self):
        fill_blank = self.need(microgpt, 'fill_blank', 'fill_blank(state_dict, vocab, pattern)')
        state_dict = checking.weights(microgpt, len(VOCAB), 0.3)
        for pattern in ('_ad', 'd_ca', 'ba_', '_'):
            self.trying(f'fill_blank(state_dict, {VOCAB!r}, {pattern!r})', 'fill_blank')
            costs = {}
            for letter in VOCAB:
                tokens = [microgpt.BOS, *map(VOCAB.index, pattern.replace('_', letter)),
                          microgpt.BOS]
                costs[letter] = [v.data for v in microgpt.cross_entropies(state_dict, tokens)]
            self.check_probs(fill_blank(state_dict, VOCAB, pattern), costs, pattern.index('_'))

    def check_probs(self, got, costs, blank):
        """That these are the probabilities of names, divided by their sum."""
        is_dict = isinstance(got, dict)
        self.expect(is_dict and set(got) == set(VOCAB[1:]),
                    f'the keys {sorted(map(str, got))}' if is_dict else repr(got),
                    f'a dict with the keys {sorted(VOCAB[1:])}',
                    'what it returns: a dict from letters to numbers; vocab[0] is no letter')
        numbers = [getattr(got[letter], 'data', got[letter]) for letter in VOCAB[1:]]
        dot, *nats = map(sum, costs.values())
        probs = [math.exp(-n) for n in nats]

        # What the well-known slips give for each letter.
        part = [math.exp(-sum(costs[letter][:blank + 1])) for letter in VOCAB[1:]]
        alone = [math.exp(-costs[letter][blank]) for letter in VOCAB[1:]]
        endless = [math.exp(-sum(costs[letter][:-1])) for letter in VOCAB[1:]]
        means = [math.exp(-n / len(costs['a'])) for n in nats]
        everything = ('what is added up: all costs of the name, those after the blank and the end '
                      'too')
        slips = (
            ('the sum over all letters: each has still to be divided by it', probs),
            ('how the costs become one: it is the sum of the costs, not their mean', shares(means)),
            ('the sign: a cost is -log p, so p is math.exp(-cost)',
             shares([math.exp(n) for n in nats])),
            ('what is divided: a cost is -log p, and p is math.exp(-cost)', nats),
            ('what is divided: a cost is -log p, and p is math.exp(-cost)', shares(nats)),
            ('what is divided: a cost is -log p, and p is math.exp(-cost)', [-n for n in nats]),
            ('the sum: the dot is in it, and it is no letter',
             [p / (sum(probs) + math.exp(-dot)) for p in probs]),
            (everything, shares(part)), (everything, shares(alone)), (everything, shares(endless)))
        right = shares(probs)
        if not near(numbers, right):
            looks = [look for look, wrong in slips if near(numbers, wrong)]
            look = (looks or [everything + '; then p = math.exp(-sum), divided by the sum of all p'
                              ])[0]
            for letter, number, share in zip(VOCAB[1:], numbers, right):
                self.expect_near(number, share, f'for {letter} a probability of', look, 1e-9)


if __name__ == '__main__':
    sys.exit(checking.run(__file__))

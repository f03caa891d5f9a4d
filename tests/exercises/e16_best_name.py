"""Exercise 16, the best name: of all names there are, the likeliest.

Level: hard. About 45 minutes.

Do: add this function to microgpt.py.

    def best_name(state_dict, vocab):

It returns (name, nats): the likeliest of all names of 0 to block_size - 1 letters, as a
string, and its -log p, the end included. It must be exact and must not try all names:
of 26 letters there are some 10**21. Which name is it with a trained model? Do you ever
sample it? Would you want to?

    python
    >>> import microgpt
    >>> microgpt.best_name(*microgpt.load('tests/models/microgpt.json'))

Look at: cross_entropies in part 7: each letter adds to the cost, and none takes away
from it.
Hint: keep the beginnings in a heap (heapq), the cheapest on top, and go on from that
one only. When a name that has ended comes to the top, can a cheaper one still follow?
Lab tests this breaks: none, or the shared parts, if an import is added to one file: put
it inside the function.
"""
import itertools
import math

import microgpt
from tests.exercises import Exercise, is_number, logs, weights


class BestName(Exercise):
    def best(self, state_dict, vocab, tried):
        """What best_name returns."""
        best_name = self.need(microgpt, 'best_name', 'best_name(state_dict, vocab)')
        self.trying(tried, 'best_name')
        found = best_name(state_dict, vocab)
        pair = isinstance(found, tuple) and len(found) == 2 and isinstance(found[0], str)
        self.expect(pair and is_number(getattr(found[1], 'data', found[1])), repr(found),
                    '(name, nats), a string and a number', 'what best_name returns')
        return found

    def test_4_against_all(self):
        self.replace(microgpt, block_size=4)
        for std, seed in ((1.0, 1), (1.0, 6), (1.0, 14), (1.0, 19)):
            state_dict = weights(microgpt, 3, std, seed)
            costs = {}
            for n in range(4):
                for name in map(''.join, itertools.product('ab', repeat=n)):
                    costs[name] = microgpt.example_nats(state_dict, microgpt.encode(name, '.ab'))
            right = min(costs, key=costs.get)
            name, nats = self.best(state_dict, '.ab', f'random weights (seed {seed}), names of 0 '
                                   f'to 3 letters a, b')
            self.expect(name == right, f'{name!r} ({costs.get(name, math.inf):.2f} nats)',
                        f'{right!r} ({costs[right]:.2f} nats)',
                        'what is compared: whole names, the end among their tokens')
            self.expect_near(nats, costs[right], f'{name!r} and nats', 'the nats: -log p of the '
                             'whole name, its end included')

    def test_1_what_it_looks_at(self):
        calls = self.put_model([0.05, 0.5, 0.3, 0.15], [0.1, 0.3, 0.3, 0.3],
                               [0.9, 0.04, 0.03, 0.03], [0.4, 0.2, 0.2, 0.2])
        name, _ = self.best(weights(microgpt, 4), '.abc', 'p(a) 0.5 and p(b) 0.3 at the start, '
                            'p(end) 0.1 after a and 0.9 after b')
        self.expect(name == 'b', repr(name), "'b', of probability 0.3 * 0.9",
                    'when to stop: the likeliest beginning need not have the likeliest end')
        self.expect(len(calls) <= 100, f'{len(calls)} evaluations of gpt',
                    'a few: only a, b and the empty beginning are likelier than the best name',
                    'which beginning is looked at next')

    def test_2_end_of_the_longest(self):
        self.put_model([0.1, 0.8, 0.1], [0.1, 0.8, 0.1], [0.1, 0.8, 0.1])
        name, _ = self.best(weights(microgpt, 3), '.ab', 'p(a) 0.8, p(b) 0.1, p(end) 0.1 always')
        self.expect(name == '', repr(name), "the empty name, ''",
                    'the price of the end: names of block_size - 1 letters pay it too')

    def test_3_length(self):
        self.put_model([0.03, 0.94, 0.01, 0.01, 0.01], [0.03, 0.01, 0.94, 0.01, 0.01],
                       [0.03, 0.01, 0.01, 0.94, 0.01], [0.10, 0.01, 0.01, 0.01, 0.87],
                       [0.96, 0.01, 0.01, 0.01, 0.01], block_size=4)
        name, _ = self.best(weights(microgpt, 5), '.abcd', 'a, b, c, d and the end, each 0.9 or so '
                            'after the one before; block_size 4')
        self.expect(name == 'abc', repr(name), "'abc', as no name has more than 3 letters",
                    'how long a beginning may be that is gone on from')

    def put_model(self, *rows, block_size=7):
        """In gpt's place, a model that knows only the last token; returns all its inputs."""
        calls = []

        def gpt(state_dict, tokens, cache=None):
            calls.append(tokens)
            return [[microgpt.Value(z) for z in logs(*rows[token])] for token in tokens]

        self.replace(microgpt, block_size=block_size, gpt=gpt)
        return calls

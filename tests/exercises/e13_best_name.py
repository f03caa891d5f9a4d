"""Exercise 13, the best name: of all names there are, the likeliest.

Level: hard. About 45 minutes.

Do: add this function to microgpt.py.

    def best_name(state_dict, vocab):

It returns (name, nats): the likeliest of all names of 0 to block_size - 1 letters, as a string, and
its -log p, the end included. It must be exact and must not try all names: of 26 letters there are
some 10**21. If you need an import, make it inside the function: the import lines are shared by both
programs. Then train, and see which name it is. Do you ever sample it? Would you want to?

    python microgpt.py --steps 500 --save g.json
    python -c "import microgpt as m; print(m.best_name(*m.load('g.json')))"

Look at: cross_entropies in part 7: each letter adds to the cost, and none takes away from it.
Hint: keep the beginnings in a heap (heapq), the cheapest on top, and go on from that one only. When
a name that has ended comes to the top, can a cheaper one still follow?
Lab tests this breaks: the shared parts, as best_name is not on the list of what may differ
(DIFFERENT in tests/test_files.py).
"""
import itertools, math
import microgpt as m
from tests.exercises import Exercise, logs, weights

class BestName(Exercise):
    def best(self, state_dict, vocab, tried):
        found = self.need(m, 'best_name', 'best_name(state_dict, vocab)')(state_dict, vocab)
        pair = isinstance(found, tuple) and len(found) == 2 and isinstance(found[0], str)
        self.expect(pair, tried, repr(found), '(name, nats)', 'the text of the exercise')
        return found
    def test_against_all(self):
        self.set(m, block_size=4)
        for scale, seed in ((3, 7), (3, 13), (5, 20), (7, 15)):
            state_dict, costs = weights(m, 3, scale, seed), {}
            for n in range(4):
                for name in map(''.join, itertools.product('ab', repeat=n)):
                    tokens = m.encode(name, '.ab')
                    costs[name] = sum([v.data for v in m.cross_entropies(state_dict, tokens)])
            right = min(costs, key=costs.get)
            tried = f'random weights (seed {seed}, times {scale}), names of 0 to 3 letters a, b'
            name, nats = self.best(state_dict, '.ab', tried)
            self.expect(name == right, tried, f'{name!r} ({costs.get(name, math.inf):.2f} nats)',
                        f'{right!r} ({costs[right]:.2f} nats)',
                        'what is compared: whole names, the end among their tokens')
            self.expect_near(nats, costs[right], f'{tried}: the nats of {name!r}', 'the end')
    def test_what_it_looks_at(self):
        calls = self.put_model([0.05, 0.5, 0.3, 0.15], [0.1, 0.3, 0.3, 0.3],
                               [0.9, 0.04, 0.03, 0.03], [0.4, 0.2, 0.2, 0.2])
        tried = 'p(a) 0.5 and p(b) 0.3 at the start, p(end) 0.1 after a and 0.9 after b'
        name, nats = self.best(weights(m, 4), '.abc', tried)
        self.expect(name == 'b', tried, repr(name), "'b', of probability 0.3 * 0.9",
                    'when to stop: the likeliest beginning need not have the likeliest end')
        self.expect(len(calls) <= 100, tried, f'{len(calls)} evaluations of gpt',
                    'a few: only a, b and the empty beginning are likelier than the best name',
                    'which beginning is looked at next')
    def test_end_of_the_longest(self):
        self.put_model([0.1, 0.8, 0.1], [0.1, 0.8, 0.1], [0.1, 0.8, 0.1])
        tried = 'p(a) 0.8, p(b) 0.1, p(end) 0.1 everywhere'
        name, nats = self.best(weights(m, 3), '.ab', tried)
        self.expect(name == '', tried, repr(name), "the empty name, ''",
                    'the price of the end: names of block_size - 1 letters pay it too')
    def put_model(self, *rows):
        """In gpt's place, a model that knows only the last token; returns all its inputs."""
        calls = []
        def gpt(state_dict, tokens, cache=None):
            calls.append(tokens)
            return [[m.Value(z) for z in logs(*rows[token])] for token in tokens]
        self.set(m, block_size=7, gpt=gpt)
        return calls

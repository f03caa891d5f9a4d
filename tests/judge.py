"""What samples are judged by, from outside: it is no part of either program."""
import collections
import math
from statistics import mean


class NGram:
    """Character n-gram model, each order smoothed by the next lower one (Witten-Bell style)."""

    def __init__(self, docs, order, strength=5.0):
        self.order = order
        self.strength = strength
        self.vocab_size = len(set(''.join(docs))) + 1
        self.counts = collections.Counter()
        self.totals = collections.Counter()
        for doc in docs:
            for context, char in self.steps(doc):
                for start in range(order):
                    self.counts[context[start:], char] += 1
                    self.totals[context[start:]] += 1

    def steps(self, doc):
        """Each character, the end included, with those before it."""
        text = '^' * (self.order - 1) + doc + '$'
        for n in range(self.order - 1, len(text)):
            yield text[n - self.order + 1:n], text[n]

    def nats(self, doc):
        """-log p(doc), its end included."""
        total = 0.0
        for context, char in self.steps(doc):
            p = 1 / self.vocab_size
            for start in range(self.order - 1, -1, -1):
                seen = context[start:]
                p = ((self.counts[seen, char] + self.strength * p)
                     / (self.totals[seen] + self.strength))
            total -= math.log(p)
        return total


def characters(docs):
    """How many there are, the end of each name included."""
    return sum([len(doc) + 1 for doc in docs])

QUALITY = ['distinct', 'in the training names', 'broken', 'mean length', 'nats per character']

def quality(samples, known, judge):
    """The figures on texts under the heads of QUALITY; of several models' texts, the means."""
    rows = []
    for texts in samples:
        names = [text.split('.')[0] for text in texts]
        broken = [text for text, name in zip(texts, names) if text.rstrip('.') != name or not name]
        rows.append((100 * len(set(names)) / len(names), 100 * mean([n in known for n in names]),
                     len(broken), mean(map(len, names)),
                     sum(map(judge.nats, names)) / characters(names)))
    distinct, seen, broken, length, nats = map(mean, zip(*rows))
    return [f'{distinct:.1f} %', f'{seen:.0f} %', f'{broken:g}', f'{length:.2f}', f'{nats:.2f}']

"""Exercise 8, top-p: another way to never draw what hardly fits.

Level: medium. About 20 minutes.

Do: in draw of microgpt.py, put top-p in the place of min-p (nucleus sampling, Holtzman
et al., arXiv 1904.09751), and give generate a last parameter top_p=1.0, which it hands
on to draw. Of the letters, only the likeliest may be drawn: as few of them as together
have at least the share top_p of the probability of all letters, before the temperature
is applied. They are drawn at the temperature; the end is drawn as before, at its own
rate. With top_p=1.0 every letter may be drawn. Then compare names at temperature 1 with
min-p as it was, with top_p=1.0, and with top_p=0.8 as the default of generate. Where do
the two ways differ?

    python -m tests.exercises.sample microgpt --temperature 1

Look at: draw and generate in part 9.
Hint: sort the letters, the likeliest first, and take them until their sum is large
enough. Probabilities are rounded: those of all letters may add up to 0.9999999999.
Lab tests this breaks: the shared parts, as draw is changed in one file only; which
letters may be drawn; tests that put something else in the place of draw; what the
command line prints; quoted lines of the README.
"""
import random

import microgpt
from tests.exercises import Exercise, logs, weights

END_RATE = 0.2


def taken(order, shares, top_p):
    """The letters in this order, until they have the share top_p."""
    found, total = '', 0.0
    for letter in order:
        if total < top_p:
            found += letter
            total += shares[letter]
    return ''.join(sorted(found))


class TopP(Exercise):
    def names(self, shares, temperature, top_p):
        """300 names from a model that gives the letters these shares of what the end leaves."""
        probs = [END_RATE] + [share * (1 - END_RATE) for share in shares.values()]
        self.replace(microgpt, gpt=lambda state_dict, tokens, cache=None: [
            [microgpt.Value(z) for z in logs(*probs)] for _ in tokens])
        state_dict, rng = weights(microgpt, len(probs)), random.Random(3)
        return [microgpt.decode(microgpt.generate(state_dict, [], rng, temperature, top_p=top_p),
                                '.' + ''.join(shares)) for _ in range(300)]

    def test_1_which(self):
        self.need_option(microgpt.generate, 'top_p', 1.0, 'every letter may be drawn')
        for row, temperature, top_p in (
                ((0.2, 0.4, 0.1, 0.3), 1.0, 0.55), ((0.2, 0.4, 0.1, 0.3), 0.5, 0.75),
                ((0.2, 0.4, 0.1, 0.3), 2.0, 0.65), ((0.2, 0.4, 0.1, 0.3), 1.0, 0.35),
                ((0.2, 0.4, 0.1, 0.3), 1.0, 0.95), ((0.14, 0.5, 0.06, 0.3), 2.0, 1.0)):
            shares = dict(zip('abcd', row))
            self.trying(f'300 names with top_p={top_p}, temperature {temperature}, of the letters '
                        f'{shares}',
                        'which letters stay: the likeliest, until they add up to top_p or more')
            names = self.names(shares, temperature, top_p)
            right = taken(sorted(shares, key=shares.get, reverse=True), shares, top_p)
            for place, texts in (('at the beginning', [name[:1] for name in names]),
                                 ('later in names', [name[1:] for name in names])):
                got = ''.join(sorted(set(''.join(texts))))
                self.expect(got == right, f'the letters {got} {place}', f'the letters {right}',
                            self.slip(place, got, shares, temperature, top_p))
            self.check_ends(names)

    def slip(self, place, got, shares, temperature, top_p):
        """Where to look if these are the wrong letters."""
        order = sorted(shares, key=shares.get, reverse=True)
        right = taken(order, shares, top_p)
        powers = {letter: share ** (1 / temperature) for letter, share in shares.items()}
        cooled = {letter: power / sum(powers.values()) for letter, power in powers.items()}
        if place == 'later in names':
            return 'the end, which may come here: top_p is a share of the letters alone'
        if top_p == 1.0:
            return 'what was there before: min-p leaves out letters that top_p=1.0 does not'
        if temperature != 1 and got == taken(order, cooled, top_p):
            return 'the temperature: it is applied to what is left'
        if len(got) == len(shares):
            return 'how top_p comes from generate to draw, and what is drawn from there'
        if got == ''.join(sorted(order[:len(right) - 1])):
            return 'the letter that crosses the limit: it stays too'
        if got == taken(shares, shares, top_p):
            return 'the order: the likeliest first'

    def check_ends(self, names):
        """That names end at their own rate after the first letter."""
        ends = [len(name) < microgpt.block_size - 1 for name in names].count(True)
        rate = ends / max(1, sum(map(len, names)) - len(names) + ends)
        self.expect_near(rate, END_RATE, 'an end after each letter with probability',
                         'END: top_p and the temperature are for letters only', 0.06)

    def test_2_proportions(self):
        self.need_option(microgpt.generate, 'top_p', 1.0, 'every letter may be drawn')
        self.trying('300 names with top_p=0.7, temperature 0.5, of the letters a 0.5, b 0.3, c 0.2',
                    'the weights of what is left: they keep their proportion, at the temperature')
        text = ''.join(self.names({'a': 0.5, 'b': 0.3, 'c': 0.2}, 0.5, 0.7))
        share = 0.5 ** 2 / (0.5 ** 2 + 0.3 ** 2)
        self.expect_near(text.count('a') / max(1, len(text)), share, 'a share of a of',
                         tolerance=0.06)

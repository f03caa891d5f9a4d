"""Exercise 16, blocks: half a GPT, half a diffusion model.

Level: hard. About 60 minutes.

Do: add this function to microdiffusion.py, the semi-autoregressive sampling of LLaDA.

    def denoise_blocks(state_dict, tokens, rng, size=4, steps=2, temperature=1.0, letters=0,
                       noise=4.5):

Positions 0 to size - 1 are the first block, the next size of them the second, and so on; the last
may be shorter. The MASKs of a block are filled as denoise would, in so many steps and with its
cosine schedule, K being the number of MASKs in the block; then comes the next block. A block with
no MASKs takes no step. The model always sees the whole sequence, later blocks with their MASKs.
Yield (step, heat, tokens) as denoise does; step and heat start afresh with each block. tokens
is always the whole sequence.
Then compare names of 4 blocks of 2 steps with names of 8 steps at once: let main call
denoise_blocks(state_dict, known[0], rng, letters=known[1]) in place of denoise.

    python microdiffusion.py --steps 500 --save m.json
    python microdiffusion.py --load m.json

Look at: denoise, part 9, and where main calls it.
Hint: denoise itself can do it, if it is told which MASKs it may touch.
Lab tests this breaks: the length of the programs, as microdiffusion.py stands at its 400 lines; the
shared parts, as denoise_blocks is not on the list of what may differ (DIFFERENT in
tests/test_files.py).
"""
import random
import microdiffusion as m
from tests.exercises import Exercise, legal, logs, weights

class Blocks(Exercise):
    def test_blocks(self):
        denoise_blocks = self.need(m, 'denoise_blocks', 'denoise_blocks(state_dict, tokens, rng, '
                                   'size=4, steps=2, temperature=1.0, letters=0, noise=4.5)')
        inputs = self.stand_in(m, lambda tokens, n: logs(0, 0.4, 0.3, 0.3))
        state_dict, fixed = weights(m, 4), [m.PAD] * 4
        for start, size, steps, letters, right in (
                ([m.MASK] * 16, 4, 2, 0, [14, 12, 10, 8, 6, 4, 2, 0]),
                ([m.MASK] * 16, 4, 1, 16, [12, 8, 4, 0]), ([m.MASK] * 16, 5, 1, 0, [11, 6, 1, 0]),
                ([m.MASK] * 9 + [2] + [m.MASK] * 2 + fixed, 4, 2, 12, [9, 7, 5, 3, 2, 0]),
                ([0] * 4 + [2, 3, 3, 2] + [0] * 4 + fixed, 4, 2, 12, [6, 4, 2, 0])):
            del inputs[:]
            tried = f'blocks of {size}, {steps} steps each, from {m.decode(start, "_.ab")}'
            shown = [name for i, heat, name in denoise_blocks(
                state_dict, list(start), random.Random(1), size, steps, letters=letters)]
            names = ' '.join([m.decode(name, '_.ab') for name in shown])
            lengths = sorted({len(name) for name in shown + inputs})
            self.expect(lengths == [16], tried, f'lengths {lengths}, yielded or seen by the model',
                        '16 only', 'what is handed on: always the whole sequence')
            self.expect([name.count(m.MASK) for name in shown] == right, tried, names,
                        f'{right} masks left', 'K and the steps of each block')
            for name in shown:
                masked = [n for n, token in enumerate(name) if token == m.MASK]
                later = [n for n, token in enumerate(start) if token == m.MASK
                         and masked and n // size > masked[0] // size]
                self.expect(set(later) <= set(masked), tried, names,
                            'no block begun before the one to its left is whole', 'the order')
            seen, states = {tuple(x) for x in inputs}, {tuple(x) for x in [start] + shown[:-1]}
            self.expect(seen == states, tried, 'the model saw '
                        + ' '.join([m.decode(x, '_.ab') for x in inputs]),
                        'at each step what was yielded last', 'what is handed on')
            kept = all(s in (m.MASK, t) for s, t in zip(start, shown[-1]))
            self.expect(kept and legal(shown[-1], m.MASK, m.PAD), tried, names,
                        'a name that keeps what was given: letters, then PADs',
                        'allowed(): it must know of letters in later blocks')

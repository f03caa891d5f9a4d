"""Exercise 19, blocks: half a GPT, half a diffusion model.

Level: hard. About 60 minutes.

Do: add this function to microdiffusion.py, the semi-autoregressive sampling of LLaDA.

    def denoise_blocks(state_dict, tokens, rng, size, steps, temperature, shortest=1):

Positions 0 to size - 1 are the first block, the next size of them the second, and so
on; the last may be shorter. The MASKs of a block are filled as denoise would, in so
many steps and with its schedule, total being the number of MASKs in the block; then
comes the next block. A block with no MASKs takes no step. The model always sees the
whole sequence, later blocks with their MASKs. Yield (step, temperature, tokens) as
denoise does; step and temperature start afresh with each block. tokens is always the
whole sequence. Then compare names of 4 blocks of 4 steps with names of 16 steps at
once: in write, let denoise_blocks(state_dict, tokens, random.Random(seed), 4, 4,
args.temperature, shortest) take the place of denoise.

    python -m tests.exercises.sample microdiffusion --denoise-steps 16

Look at: denoise, part 9, and write, part 12, which calls it.
Hint: denoise itself can do it, if it is told which MASKs it may touch.
Lab tests this breaks: none, or a quoted line of the README; once write calls it, what
the command line prints.
"""
import random

import microdiffusion
from microdiffusion import MASK, PAD
from tests.exercises import Exercise, legal, logs, weights

VOCAB = '_.ab'
FIXED = [PAD] * 2


def text(rows):
    """Sequences of tokens, to look at."""
    return ' '.join([microdiffusion.decode(tokens, VOCAB) for tokens in rows])


class Blocks(Exercise):
    def test_blocks(self):
        denoise_blocks = self.need(microdiffusion, 'denoise_blocks', 'denoise_blocks(state_dict, '
                                   'tokens, rng, size, steps, temperature, shortest=1)')
        inputs = self.stand_in(microdiffusion, lambda tokens, n: logs(0, 0.4, 0.3, 0.3))
        for start, size, steps, shortest, left in (
                ([MASK] * 14, 4, 2, 0, [12, 10, 8, 6, 4, 2, 1, 0]),
                ([MASK] * 14, 4, 1, 14, [10, 6, 2, 0]),
                ([MASK] * 14, 5, 1, 0, [9, 4, 0]),
                ([MASK] * 9 + [2] + [MASK] * 2 + FIXED, 4, 2, 12, [9, 7, 5, 3, 2, 0]),
                ([MASK] * 4 + [2, 3, 3, 2] + [MASK] * 4 + FIXED, 4, 2, 12, [6, 4, 2, 0])):
            self.trying(f'blocks of {size}, {steps} steps each, from {text([start])}',
                        'denoise_blocks')
            del inputs[:]
            shown = [tokens for _, _, tokens in denoise_blocks(
                weights(microdiffusion, 4), list(start), random.Random(1), size, steps, 0.8,
                shortest)]
            self.check_steps(shown, start, size, left)
            self.check_inputs(inputs, [start] + shown[:-1])

    def check_steps(self, shown, start, size, left):
        """That each step reveals as many as it should, of the leftmost block that is not whole."""
        lengths = sorted({len(tokens) for tokens in shown})
        self.expect(lengths == [14], f'sequences of {lengths or "none"} tokens', 'sequences of 14',
                    'what is yielded: always the whole sequence')
        got = [tokens.count(MASK) for tokens in shown]
        self.expect(got == left, f'{text(shown)}: {got} MASKs left', f'{left} left',
                    'the total and the steps of each block')
        for tokens in shown:
            masked = [n for n, token in enumerate(tokens) if token == MASK]
            later = [n for n, token in enumerate(start) if token == MASK
                     and masked and n // size > masked[0] // size]
            self.expect(set(later) <= set(masked), text(shown),
                        'no block begun before the one to its left is whole',
                        'which MASKs denoise may touch')
        kept = all(given in (MASK, token) for given, token in zip(start, shown[-1]))
        self.expect(kept and legal(shown[-1], MASK, PAD), text(shown),
                    'a name that keeps what was given: letters, then PADs',
                    'allowed(): it must know of letters in later blocks')

    def check_inputs(self, inputs, states):
        """That the model saw what was yielded last."""
        seen = {tuple(tokens) for tokens in inputs}
        self.expect(seen == {tuple(tokens) for tokens in states},
                    f'the model saw {text(inputs)}', f'at each step what was yielded last: '
                    f'{text(states)}', 'what mask_predictor is given: always the whole sequence')

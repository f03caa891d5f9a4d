"""Exercise 12, blocks: half a GPT, half a diffusion model.

Level: hard. About 50 minutes. It belongs to chapter 17 of the lesson.

Do: Large diffusion models often write block by block: the blocks from left to right, and the tokens
of a block in any order. LLaDA calls it semi-autoregressive. Add this function to microdiffusion.py.

    def denoise_blocks(state_dict, tokens, rng, size, steps, temperature, least_letters=1):

The indexes 0 to size - 1 are the first block, the next `size` of them are the second, and so on;
the last block may be shorter. The MASKs of a block are filled as denoise does it, in `steps` steps,
and the number of MASKs in the block is the `total` of the schedule. Then comes the next block. A
block without MASKs takes no step. The model always sees the whole sequence. Yield (step,
temperature, tokens) as denoise does: step and temperature start afresh with each block, and tokens
are the whole sequence. To try it, let write, part 12, call denoise_blocks(state_dict, tokens,
random.Random(seed), 4, 4, args.temperature, least_letters). Predict what it does to the names. This
command writes a hundred names with a trained model, and shows figures of them:

    python -m tests.exercises.sample microdiffusion

Look at: denoise, part 9.
Hint: denoise itself can do it, if one more parameter says which positions it may touch.
"""
import pathlib, sys
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))    # for an editor's Run button

import random

import microdiffusion
from microdiffusion import MASK, PAD
from tests.exercises import checking
from tests.exercises.checking import logs

VOCAB = '_.ab'


def text(rows):
    """Sequences of tokens, to look at."""
    return ' '.join([microdiffusion.decode(tokens, VOCAB) for tokens in rows])


class Blocks(checking.Exercise):
    def check(self):
        denoise_blocks = self.need(microdiffusion, 'denoise_blocks', 'denoise_blocks(state_dict, '
                                   'tokens, rng, size, steps, temperature, least_letters=1)')
        inputs = self.stand_in(microdiffusion, lambda tokens, n: logs(0, 1e-9, 0.6, 0.4))
        for start, size, steps, left in (
                ([MASK] * 14, 4, 2, [12, 10, 8, 6, 4, 2, 1, 0]),
                ([MASK] * 14, 5, 1, [9, 4, 0]),
                ([MASK] * 4 + [2, 3, 3, 2] + [MASK] * 4 + [PAD] * 2, 4, 2, [6, 4, 2, 0])):
            self.trying(f'blocks of {size}, {steps} steps each, from {text([start])}',
                        'denoise_blocks')
            del inputs[:]
            shown = [tokens for _, _, tokens in denoise_blocks(
                None, list(start), random.Random(1), size, steps, 0.8, 12)]
            self.check_steps(shown, start, size, left)
            states = [start] + shown[:-1]
            self.expect(inputs == states, f'the model saw {text(inputs)}',
                        f'at each step what was yielded last: {text(states)}',
                        'what mask_predictor is given: the whole sequence, as it is by now')

        self.stand_in(microdiffusion, lambda tokens, n: logs(0, 1.0 * (n > 1), 0.6, 0.4))
        self.trying('blocks of 4, 2 steps each, with a model that ends all names early',
                    'the blocks that have no MASK, as the name has ended before them')
        *_, (_, _, name) = denoise_blocks(None, [MASK] * 14, random.Random(1), 4, 2, 0.8)
        self.expect(MASK not in name and PAD not in name[:name.index(PAD)], text([name]),
                    'letters, then PADs only')

    def check_steps(self, shown, start, size, left):
        """That each step reveals as many as it should, of the leftmost block that is not whole."""
        self.expect({len(tokens) for tokens in shown} == {14}, text(shown), 'sequences of 14',
                    'what is yielded: always the whole sequence')
        got = [tokens.count(MASK) for tokens in shown]
        self.expect(got == left, f'{text(shown)}: {got} MASKs left', f'{left} left',
                    'the total and the steps of each block')
        for tokens in shown:
            masked = [n for n, token in enumerate(tokens) if token == MASK]
            later = [n for n, token in enumerate(start)
                     if token == MASK and masked and n // size > masked[0] // size]
            self.expect(set(later) <= set(masked), text(shown),
                        'no block begun before the one to its left is whole',
                        'which MASKs denoise may touch')
        kept = all(given in (MASK, token) for given, token in zip(start, shown[-1]))
        self.expect(kept, text(shown), 'a name that keeps what was given', 'what is changed')


if __name__ == '__main__':
    sys.exit(checking.run(__file__))

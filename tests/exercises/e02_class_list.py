"""Exercise 2, the class list: who copies, and why?

Level: easy. About 20 minutes. It belongs to chapter 16 of the lesson.

Do: A class of 34 gives its names to both programs. Each program learns from 32 of them and then
writes 100 names. Before you run anything, write down how many of the 100 you expect to be copies,
for each program. Then run both, a minute or two each. (With a list of your own, take about 20 steps
for each name: 400 for 20 names.)

    python microgpt.py --names tests/class.txt --steps 700 --samples 100
    python microdiffusion.py --names tests/class.txt --steps 700 --samples 100

(The page tests/playground.html does the same in your browser, under Train.)

The last line that they print says how many names are copies. Now explain what you saw by counting
puzzles. A puzzle is what the model sees, together with what it has to guess. From the name nora the
GPT makes the same puzzles each time: given nothing, guess n; given n, guess o; and so on. How many
are they? The diffusion model sees nora with some of its 14 tokens hidden. How many different
puzzles can it be given? Two of them are the same if the model sees the same: it does not look
behind the first visible PAD. If nothing is left to guess, it is no puzzle.

Put the four numbers into the line `answer = ...` below.

Look at: cross_entropies in part 7 of both programs; settled in part 5 of microdiffusion.py.
Hint: Each letter is hidden or visible. Where can the first visible PAD stand?
"""
import pathlib, sys
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))    # for an editor's Run button

from tests.exercises import answers, checking

answer = None               # (GPT's copies, diffusion's copies, GPT's puzzles, diffusion's puzzles)


class ClassList(checking.Exercise):
    def check(self):
        gpt, diffusion, of_gpt, of_diffusion = self.need_answer(answer, 4)
        self.trying('the copies among 100 names', 'the last line that each program prints')
        self.expect(0 <= gpt <= 100 and 0 <= diffusion <= 100, f'{gpt} and {diffusion}',
                    'numbers from 0 to 100')
        self.expect(gpt > diffusion, f'{gpt} by the GPT, {diffusion} by the diffusion model',
                    'more from one than from the other',
                    'which is which; and whether both were trained on the short list')

        self.trying('the number of puzzles that the GPT makes of nora',
                    'what is guessed: each token after the first BOS')
        self.expect(of_gpt != 4, of_gpt, 'another number', 'the end: it is guessed as well')
        self.expect(of_gpt == answers.puzzles('nora')[0], of_gpt, 'another number')

        right = answers.puzzles('nora')[1]
        self.trying('the number of puzzles that the diffusion model can be given of nora',
                    'each letter may be hidden or not; then come the PADs')
        slips = {16: 'the PADs: they can be hidden as well',
                 2 ** 14: 'what stands behind the first visible PAD: the model does not see it',
                 2 ** 14 - 1: 'what stands behind the first visible PAD: the model does not see it',
                 right - 10: 'the name when all letters are visible: its PADs may still be hidden',
                 right + 1: 'what is no puzzle: is there always something left to guess?',
                 right - 15: 'the PADs: it may also be that none of them is visible',
                 right - 16: 'the PADs: it may also be that none of them is visible'}
        self.expect_not(of_diffusion, slips, 'another number')
        self.expect(of_diffusion == right, of_diffusion, 'another number')


if __name__ == '__main__':
    sys.exit(checking.run(__file__))

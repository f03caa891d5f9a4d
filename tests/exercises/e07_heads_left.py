"""Exercise 7, heads to the left: what if nothing looks to the right?

Level: easy. About 15 minutes.

Do: answer a question, and change a line. In microdiffusion.py half of the attention
heads look to the left, half to the right, and each loses `slope` of its score for each
position of distance. For a head that looks LEFT from position 5 of 14, how far away are
the positions 4, 6, 5 and 13? Answer with these four numbers. Then turn all heads of
microdiffusion.py to the left, and see what the mask predictor loses: train, before the
change and after it (some minutes each, fewer with --steps 300), and compare the
held-out figures, and the names. Which of these two prompts should suffer more?

    python microdiffusion.py --prompt _aria.
    python microdiffusion.py --prompt mari_.

Look at: `heads` at the top, and `distances` in attention, part 3.
Hint: the distance goes on around the end of the sequence. In Python, -2 % 14 is 12.
Lab tests this breaks: where the heads look, and what they see; loading of the trained
models, which were trained with other heads; what the command line prints; quoted lines
of the README.
"""
import microdiffusion
from microdiffusion import LEFT
from tests.exercises import Exercise, answers

answer = None               # (of position 4, of 6, of 5 itself, of 13)


class HeadsLeft(Exercise):
    def test_1_answer(self):
        numbers = self.need_answer(answer, 4)
        keys = 4, 6, 5, 13
        right = answers.distances(LEFT, 5, keys, 14)
        looks = ('the - 1: a neighbour is at distance 0',
                 'the sign of look: to the left of 5 come 4, 3, ..., then 13, 12, and 6 at the end',
                 'itself: (look * 0 - 1) % 14',
                 'the way around: to the left of 5 come 4, 3, 2, 1, 0, and then 13')
        for key, got, distance, look in zip(keys, numbers, right, looks):
            self.trying(f'how far position {key} is from 5, for a head that looks LEFT', look)
            self.expect(got == distance, f'answer {got}', 'fewer' if got > distance else 'more')

    def test_2_heads(self):
        heads = microdiffusion.heads
        self.trying('heads in microdiffusion.py', 'the line `heads = ...` at the top')
        self.expect(isinstance(heads, list) and len(heads) == 4, heads, 'a list of four, as before',
                    '`heads`: each has a quarter of the channels, and looks one way')
        self.expect(set(heads) == {LEFT}, heads, [LEFT] * 4,
                    f'each of `heads`: LEFT is {LEFT}, RIGHT is {microdiffusion.RIGHT}')

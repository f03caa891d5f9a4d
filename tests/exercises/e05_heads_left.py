"""Exercise 5, heads to the left: what if nothing looks to the right?

Level: easy. About 20 minutes. It belongs to chapter 8 of the lesson.

Do: In microdiffusion.py half of the attention heads look to the left and half to the right. A
score falls by `slope` with each position of distance. Take a head that looks LEFT, and the position
with the index 5 (of 0 to 13). How far away are the indexes 4, 6, 5 and 13? Put the four numbers
into the line `answer = ...` below.

Then turn all heads of microdiffusion.py to the left. Train before the change and after it, less
than a minute each, and compare the held-out nats and the names that the prompts give. Predict
first: which of the two prompts will suffer more?

    python microdiffusion.py --steps 500 --prompt _aria.
    python microdiffusion.py --steps 500 --prompt mari_.

Look at: `heads` at the top, and `distances` in attention, part 3.
Hint: Draw the 14 positions as a ring and walk to the left. In Python, -2 % 14 is 12.
"""
import pathlib, sys
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))    # for an editor's Run button

import microdiffusion
from microdiffusion import LEFT
from tests.exercises import answers, checking

answer = None               # (of index 4, of 6, of 5 itself, of 13)


class HeadsLeft(checking.Exercise):
    def check(self):
        numbers = self.need_answer(answer, 4)
        looks = ('the - 1 in `distances`: the next neighbour is at distance 0',
                 'the sign of look: to the left of 5 come 4, 3 and so on, and 6 comes late',
                 'itself: work out (look * 0 - 1) % 14',
                 'the way around the ring: to the left of 5 come 4, 3, 2, 1, 0, and then 13')
        for key, got, look in zip((4, 6, 5, 13), numbers, looks):
            self.trying(f'how far index {key} is from 5, for a head that looks LEFT', look)
            self.expect(got == answers.distance(LEFT, 5, key, 14), got, 'another distance')

        self.trying('heads in microdiffusion.py', 'the line `heads = ...` at the top')
        heads = microdiffusion.heads
        self.expect(len(heads) == 4, heads, 'four heads, as before')
        self.expect(set(heads) == {LEFT}, heads, f'{[LEFT] * 4}: LEFT is {LEFT}')


if __name__ == '__main__':
    sys.exit(checking.run(__file__))

"""Exercise 15, guidance: listen to the prompt more than the model does.

Level: hard. About 45 minutes.

Do: give denoise in microdiffusion.py a last parameter guidance=0.0, for classifier-free guidance
(arXiv 2207.12598). If it is not 0, each step evaluates the model twice: on the tokens as they are,
and on the same tokens with MASK in place of all that was given at the start (letters and PADs of
the prompt; what denoise has revealed since stays visible). In all that follows,

    with_prompt + guidance * (with_prompt - without_prompt)

takes the place of the logits. Then compare names with 0.0, 1.0 and 3.0 as the default of guidance:

    python microdiffusion.py --steps 500 --save m.json
    python microdiffusion.py --load m.json --prompt qu

Look at: where denoise calls mask_predictor, part 9.
Hint: remember which positions were given before the loop begins.
Lab tests this breaks: the length of the programs, as microdiffusion.py stands at its 400 lines.
"""
import random
import microdiffusion as m
from tests.exercises import Exercise, weights

class Guidance(Exercise):
    def test_guidance(self):
        self.need_option(m.denoise, 'guidance')
        def logits(tokens, n):                  # the a in front makes a b likelier, but not an a
            return [-1e6, 0.0, 1.0, 0.9 if tokens[0] == 2 else 0.0]
        inputs = self.stand_in(m, logits)
        start, state_dict = [2] + [m.MASK] * 5 + [m.PAD] * 10, weights(m, 4)
        for guidance, letters in ((0.0, 'aaaaaa'), (0.05, 'aaaaaa'), (1.0, 'abbbbb')):
            del inputs[:]
            states, tried = [start], f'denoise of a_____. at T = 0.01 with guidance={guidance}'
            for i, heat, name in m.denoise(state_dict, start, random.Random(0), 4, 0.01, 6, 0.0,
                                           guidance=guidance):
                states.append(name)
            got = m.decode(states[-1], '_.ab').rstrip('.')
            self.expect(got == letters, f'{tried}; the logits: a 1, b 0.9 with the prompt, '
                        f'a 1, b 0 without', got, letters, 'the formula: what is added to what?')
            for tokens in states[:-1] if guidance else []:
                blank = [m.MASK] + tokens[1:6] + [m.MASK] * 10
                for needed in (tokens, blank):
                    self.expect(needed in inputs, tried, 'inputs of the model '
                                + ' '.join([m.decode(x, '_.ab') for x in inputs]),
                                f'{m.decode(needed, "_.ab")} among them', 'what is masked in the '
                                'second evaluation: all of the prompt, and nothing else')
    def test_confidence(self):
        self.need_option(m.denoise, 'guidance')
        def logits(tokens, n):                  # the prompt makes an a likelier at 2, but not at 1
            return [-1e6, 0.0, 2.0 if n == 1 else 1.0 if tokens[0] == 2 else 0.0, 0.0]
        self.stand_in(m, logits)
        for guidance, right in ((0.0, 'aa_'), (2.0, 'a_a')):
            steps = m.denoise(weights(m, 4), [2, m.MASK, m.MASK] + [m.PAD] * 13, random.Random(0),
                              2, 0.01, 3, 0.0, guidance=guidance)
            got = m.decode(next(steps)[2][:3], '_.ab')
            self.expect(got == right, f'a first step from a__. with guidance={guidance}; logits of '
                        f'b 0, of a 2 at position 1, at 2 of 1 with the prompt and 0 without', got,
                        right, 'the confidence: it follows from the guided logits too')

"""Exercise 18, guidance: listen to the prompt more than the model does.

Level: hard. About 45 minutes.

Do: give denoise in microdiffusion.py a last parameter guidance=0.0, for classifier-free
guidance (arXiv 2207.12598). If it is not 0, each step evaluates the model twice: on the
tokens as they are, and on the same tokens with MASK in place of all that was given at
the start (letters and PADs of the prompt; what denoise has revealed since stays
visible). In all that follows,

    with_prompt + guidance * (with_prompt - without_prompt)

takes the place of the logits. Then compare names with 0.0, 1.0 and 3.0 as the default
of guidance:

    python -m tests.exercises.sample microdiffusion --prompt qu

Look at: where denoise calls mask_predictor, part 9.
Hint: remember which positions were given before the loop begins.
Lab tests this breaks: none, or a quoted line of the README.
"""
import random

import microdiffusion
from microdiffusion import MASK, PAD
from tests.exercises import Exercise, weights

VOCAB = '_.ab'


class Guidance(Exercise):
    def test_1_names(self):
        self.need_option(microdiffusion.denoise, 'guidance')

        def logits(tokens, n):                  # the a in front makes a b likelier, but not an a
            return [-1e6, 0.0, 1.0, 0.9 if tokens[0] == 2 else 0.0]

        inputs = self.stand_in(microdiffusion, logits)
        start = [2] + [MASK] * 5 + [PAD] * 10
        for guidance, letters in ((0.0, 'aaaaaa'), (0.05, 'aaaaaa'), (1.0, 'abbbbb')):
            self.trying(f'denoise of a_____. at temperature 0.01 with guidance={guidance}; the '
                        f'logits: a 1, b 0.9 with the prompt, a 1, b 0 without',
                        'where guidance is used')
            del inputs[:]
            states = [start]
            for _, _, tokens in microdiffusion.denoise(weights(microdiffusion, 4), start,
                                                       random.Random(0), 4, 0.01, 6, 0.0,
                                                       guidance=guidance):
                states.append(tokens)
            if guidance:
                self.check_inputs(inputs, states[:-1])
            got = microdiffusion.decode(states[-1], VOCAB).rstrip('.')
            self.expect(got == letters, got, letters, 'the formula: what is added to what?')

    def check_inputs(self, inputs, states):
        """That the model saw each state twice: with the prompt, and without it."""
        shown = ' '.join([microdiffusion.decode(tokens, VOCAB) for tokens in inputs])
        for tokens in states:
            for needed in (tokens, [MASK] + tokens[1:6] + [MASK] * 10):
                self.expect(needed in inputs, f'inputs of the model {shown}',
                            f'{microdiffusion.decode(needed, VOCAB)} among them',
                            'what is masked in the second evaluation: all of the prompt, its PADs '
                            'too, and nothing else')

    def test_2_confidence(self):
        self.need_option(microdiffusion.denoise, 'guidance')

        def logits(tokens, n):                  # the prompt makes an a likelier at 2, but not at 1
            return [-1e6, 0.0, 2.0 if n == 1 else 1.0 if tokens[0] == 2 else 0.0, 0.0]

        self.stand_in(microdiffusion, logits)
        for guidance, right in ((0.0, 'aa_'), (2.0, 'a_a')):
            self.trying(f'a first step from a__. with guidance={guidance}; logits of b 0, of a 2 '
                        f'at position 1, at 2 of 1 with the prompt and 0 without',
                        'the confidence: it follows from the guided logits too')
            steps = microdiffusion.denoise(weights(microdiffusion, 4), [2, MASK, MASK] + [PAD] * 13,
                                           random.Random(0), 2, 0.01, 3, 0.0, guidance=guidance)
            got = microdiffusion.decode(next(steps)[2][:3], VOCAB)
            self.expect(got == right, got, right)

"""Exercise 1, tanh: teach the engine one more operation.

Level: easy. About 15 minutes.

Do: give Value a method tanh(self), in microgpt.py and in microdiffusion.py alike. The
derivative of tanh(x) is 1 - tanh(x) ** 2. It must bear large numbers: the tanh of 1000
is 1.
Look at: exp, log and relu in part 2. Each is one line: the data, the child, the local
gradient.
Hint: math.tanh, twice.
Lab tests this breaks: none, or the shared parts, if only one file is changed.
"""
import math

import microdiffusion
import microgpt
from tests.exercises import Exercise, is_number


class Tanh(Exercise):
    def test_1_microgpt(self):
        self.check(microgpt)

    def test_2_microdiffusion(self):
        self.check(microdiffusion)

    def check(self, module):
        file = module.__name__ + '.py'
        beside = f'class Value in {file}, beside relu'
        self.trying(f'Value(0.3).tanh() in {file}', beside)
        self.expect(hasattr(module.Value, 'tanh'), 'Value has no tanh yet', f'{math.tanh(0.3):.6g}')

        for x in (-2.0, -0.5, 0.0, 0.3, 1.5, 1000.0, -1000.0):
            self.trying(f'Value({x}).tanh() in {file}',
                        f'{beside}: math.tanh takes self.data, a number, and bears large ones')
            leaf = module.Value(x)
            y = leaf.tanh()
            self.check_parts(module, y)
            self.expect_near(y, math.tanh(x), tolerance=1e-9)

            self.trying(f'Value({x}).tanh() in {file}, and backward()',
                        'the local gradient: 1 - tanh(x) ** 2, not 1 - x ** 2')
            y.backward()
            self.expect_near(leaf.grad, 1 - math.tanh(x) ** 2, 'a gradient of', tolerance=1e-9)

        self.trying('the gradient of (x * 2).tanh() * x at x = 0.4',
                    'the children of the new Value')
        leaf = module.Value(0.4)
        ((leaf * 2).tanh() * leaf).backward()
        slope = math.tanh(0.8) + 0.4 * 2 * (1 - math.tanh(0.8) ** 2)
        self.expect_near(leaf.grad, slope, tolerance=1e-9)

    def check_parts(self, module, y):
        """That the new Value is one, with a tuple of children and a tuple of local gradients."""
        self.expect(isinstance(y, module.Value), f'a {type(y).__name__}', 'a Value',
                    'what tanh returns: Value(data, children, local gradients)')
        for part, what in ((y._children, 'children'), (y._local_grads, 'local gradients')):
            self.expect(isinstance(part, (tuple, list)), f'{what} {part!r}', f'a tuple of {what}',
                        f'the comma: (x) is x itself, (x,) is a tuple; see the {what} of exp')
        self.expect(all(map(is_number, y._local_grads)), f'local gradients {y._local_grads}',
                    'a tuple of plain numbers',
                    'the local gradient: made of self.data, not of Values')

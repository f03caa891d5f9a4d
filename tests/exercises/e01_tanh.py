"""Exercise 1, tanh: teach the engine one more operation.

Level: easy. About 15 minutes. It belongs to chapter 3 of the lesson.

Do: Give the class Value a method tanh(self), in microgpt.py and in microdiffusion.py alike. The
derivative of tanh(x) is 1 - tanh(x) ** 2. The method has to work for large numbers too: the tanh
of 1000 is 1.

Then find out what it is good for. At the end of the loop over the layers of microgpt.py, each
hidden vector goes through relu_linear(x, fc2). Put linear([[v.tanh() for v in x]], fc2)[0] there
and train, once with the change and once without it. What happens to the held-out nats, and to the
milliseconds per name?

    python microgpt.py --steps 500

Look at: exp, log and relu in part 2. Each is one line: the data, the child, the local gradient.
Hint: math.tanh, twice.
"""
import pathlib, sys
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))    # for an editor's Run button

import math

import microdiffusion
import microgpt
from tests.exercises import checking


class Tanh(checking.Exercise):
    def check(self):
        for module in microgpt, microdiffusion:
            beside = f'class Value in {module.PROGRAM}.py, beside relu'
            self.trying(f'Value(0.3).tanh() in {module.PROGRAM}.py', beside)
            self.expect(hasattr(module.Value, 'tanh'), 'Value has no tanh yet',
                        f'{math.tanh(0.3):.6g}')
            for x in (-2.0, 0.0, 0.3, 1000.0, -1000.0):
                self.trying(f'Value({x}).tanh() in {module.PROGRAM}.py',
                            f'{beside}: math.tanh takes a number, such as self.data')
                leaf = module.Value(x)
                y = leaf.tanh()
                self.check_parts(module, y)
                self.expect_near(y, math.tanh(x), tolerance=1e-9)

                self.trying(f'Value({x}).tanh() in {module.PROGRAM}.py, and backward()',
                            'the local gradient: 1 - tanh(x) ** 2, not 1 - x ** 2')
                y.backward()
                self.expect_near(leaf.grad, 1 - math.tanh(x) ** 2, 'a gradient of', tolerance=1e-9)

    def check_parts(self, module, y):
        """That the new Value is one, with a tuple of children and a tuple of local gradients."""
        self.expect(isinstance(y, module.Value), f'a {type(y).__name__}', 'a Value',
                    'what tanh returns: Value(data, children, local gradients)')
        for part, what in ((y._children, 'children'), (y._local_grads, 'local gradients')):
            self.expect(isinstance(part, (tuple, list)), f'{what} {part!r}', f'a tuple of {what}',
                        f'the comma: (x) is x itself, (x,) is a tuple; see the {what} of exp')
        self.expect(len(y._children) == len(y._local_grads) > 0,
                    f'children: {len(y._children)}, local gradients: {len(y._local_grads)}',
                    'as many local gradients as children',
                    'the arguments of Value: the third argument is a tuple of local gradients; '
                    'see exp')
        self.expect(all(map(checking.is_number, y._local_grads)),
                    f'local gradients {y._local_grads}', 'a tuple of plain numbers',
                    'the local gradient: it is made of self.data, not of Values')


if __name__ == '__main__':
    sys.exit(checking.run(__file__))

"""Exercise 1, tanh: teach the engine one more operation.

Level: easy. About 15 minutes.

Do: give Value a method tanh(self), in microgpt.py and in microdiffusion.py alike. The derivative of
tanh(x) is 1 - tanh(x) ** 2. It must bear large numbers: the tanh of 1000 is 1.
Look at: exp, log and relu in part 2. Each is one line: the data, the child, the local gradient.
Hint: math.tanh, twice.
Lab tests this breaks: the length of the programs, as microdiffusion.py stands at its 400 lines; if
only one file is changed, the shared parts.
"""
import math
import microdiffusion, microgpt
from tests.exercises import Exercise

class Tanh(Exercise):
    def test_microgpt(self): self.check(microgpt)
    def test_microdiffusion(self): self.check(microdiffusion)
    def check(self, module):
        Value, look = module.Value, f'class Value in {module.__name__}.py, beside relu'
        self.expect(hasattr(Value, 'tanh'), f'Value(0.3).tanh() in {module.__name__}.py',
                    'Value has no tanh yet', f'{math.tanh(0.3):.6g}', look)
        for x in (-2.0, -0.5, 0.0, 0.3, 1.5, 1000.0, -1000.0):
            leaf, tried = Value(x), f'Value({x}).tanh() in {module.__name__}.py'
            try: y = leaf.tanh()
            except ArithmeticError as error:
                self.expect(False, tried, repr(error), f'{math.tanh(x):.6g}', look)
            self.expect(isinstance(y, Value), tried, f'a {type(y).__name__}', 'a Value', look)
            self.expect_near(y, math.tanh(x), tried, look, 1e-9)
            y.backward()
            self.expect_near(leaf.grad, 1 - math.tanh(x) ** 2, tried + ': its gradient',
                             'the local gradient: 1 - tanh(x) ** 2, not 1 - x ** 2', 1e-9)
        leaf = Value(0.4)
        ((leaf * 2).tanh() * leaf).backward()                   # y = x tanh(2x)
        slope = math.tanh(0.8) + 0.4 * 2 * (1 - math.tanh(0.8) ** 2)
        self.expect_near(leaf.grad, slope, 'the gradient of (x * 2).tanh() * x at x = 0.4',
                         'the children of the new Value', 1e-9)

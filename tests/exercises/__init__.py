"""Exercises on microgpt.py and microdiffusion.py, each with a checker.

Each file e01_... to e17_... opens with its exercise. Do it in the programs themselves, or, if it is
a question, at the line `answer = None` of its own file. Then, in the folder of the two programs:

    python -m unittest tests.exercises.e01_tanh

Every exercise starts from the untouched programs: keep a copy, and go back to it for the next one.
tests/test_exercises.py is meant for untouched files too: it fails once an exercise is done in them.
"""
import inspect, math, random, sys, unittest
from unittest import mock

__unittest = True           # keeps the helpers below out of the tracebacks that unittest shows

class Exercise(unittest.TestCase):
    """A checker whose failures say what was tried, what came out, what was expected and where."""
    def expect(self, true, tried, got, expected, look):
        if not true:
            task = sys.modules[type(self).__module__].__doc__.partition(':')[0]
            self.fail(f'{task}: {tried}\n  came out: {got}\n  expected: {expected}\n'
                      f'  look at: {look}')
    def expect_near(self, got, value, tried, look, tolerance=1e-6):
        number = getattr(got, 'data', got)                      # a Value will do
        near = isinstance(number, (int, float)) and abs(number - value) <= tolerance
        self.expect(near, tried, number, f'{value:.6g}', look)
    def need(self, module, name, signature):
        """The function that the exercise asks for."""
        function = getattr(module, name, None)
        self.expect(callable(function), f'{name}() in {module.__name__}.py', 'no such function yet',
                    f'def {signature}', 'the text of the exercise')
        return function
    def need_option(self, function, option):
        found = inspect.signature(function).parameters
        self.expect(option in found, f'{function.__name__}() with {option}',
                    f'it takes only {", ".join(found)}', f'{option} as its last parameter',
                    'the text of the exercise')
    def need_answer(self, answer, count):
        """The answer to a question, as a tuple of so many numbers."""
        answers = answer if isinstance(answer, (tuple, list)) else (answer,)
        right = len(answers) == count and all(isinstance(a, (int, float)) for a in answers)
        self.expect(right, 'answer', answer, f'{count} number{"s" if count > 1 else ""}',
                    f'the line `answer = ...` of {type(self).__module__.split(".")[-1]}.py')
        return tuple(answers)
    def set(self, module, **values):
        """Give a program's constants or functions other values until the test ends."""
        patch = mock.patch.multiple(module, **values)
        patch.start()
        self.addCleanup(patch.stop)
    def stand_in(self, module, logits):
        """Put logits(tokens, n), a list of floats, in the model's place; returns all its inputs."""
        inputs = []
        def mask_predictor(state_dict, tokens, wanted=None):
            inputs.append(list(tokens))
            wanted = range(len(tokens)) if wanted is None else wanted
            return [[module.Value(z) for z in logits(tokens, n)] for n in wanted]
        self.set(module, mask_predictor=mask_predictor)
        return inputs

def weights(module, vocab_size, scale=10, seed=1):
    """Weights far from 0, so that every token makes a difference."""
    state_dict = module.make_weights(vocab_size, random.Random(seed))
    for matrix in state_dict.values():
        for row in matrix:
            for value in row: value.data *= scale
    return state_dict
def logs(*probs): return [math.log(p) if p else -1e6 for p in probs]
def floats(rows): return [[value.data for value in row] for row in rows]
def influences(predict, tokens, n, others):
    """The positions whose token makes a difference to the logits at position n."""
    before, found = floats(predict(tokens))[n], []
    for m in range(len(tokens)):
        for token in others:
            changed = floats(predict(tokens[:m] + [token] + tokens[m + 1:]))[n]
            if max([abs(x - y) for x, y in zip(before, changed)]) > 1e-9 and m not in found:
                found.append(m)
    return found
def legal(tokens, mask, pad):
    """Whether this is a whole name: no MASK, and nothing but PAD after a PAD."""
    rest = tokens[tokens.index(pad):] if pad in tokens else []
    return mask not in tokens and set(rest) <= {pad}

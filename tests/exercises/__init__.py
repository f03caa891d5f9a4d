"""Exercises on microgpt.py and microdiffusion.py, each with a checker.

Each file e01_... to e20_... opens with its exercise. Do it in the programs themselves, or, if it is
a question, at the line `answer = None` of its own file. Then, in the folder of the two programs:

    python -m unittest tests.exercises.e01_tanh

Every exercise starts from the untouched programs: keep a copy, and go back to it for the next one.
tests/test_exercises.py is meant for untouched files too: it fails once an exercise is done in them.
README.md in this folder has the table of the exercises, and a plan for a class.
"""
import functools
import importlib
import inspect
import math
import os
import random
import re
import sys
import traceback
import unittest
from unittest import mock

from tests.exercises import answers

__unittest = True           # keeps what is below out of the tracebacks that unittest shows

PROGRAMS = 'microgpt', 'microdiffusion'


def report(task, tried, got, expected, look):
    """The text of a failure, in the form that all of them have."""
    return f'{task}: {tried}\n  came out: {got}\n  expected: {expected}\n  look at: {look}'

def blame(error):
    """An exception in words with the lines that it came through, and whether a program has any."""
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [frame for frame in frames
              if os.path.basename(frame.filename) in [name + '.py' for name in PROGRAMS]]
    places = []
    for frame in theirs or frames[-1:]:
        place = f'in {os.path.basename(frame.filename)}, line {frame.lineno}: {frame.line}'
        if place not in places[-1:]:        # a comprehension is a function on the same line
            places.append(place)
    words = f'{type(error).__name__}: {error}'.rstrip(': ')
    return '\n    '.join([words, *places[-3:]]), bool(theirs)

def import_programs():
    """See that both programs can be imported: a slip that prevents it is shown like any other."""
    for name in PROGRAMS:
        try:
            importlib.import_module(name)
        except Exception as error:
            came_out, _ = blame(error)
            if isinstance(error, SyntaxError):
                came_out = (f'{type(error).__name__}: {error.msg}\n    in {name}.py, line '
                            f'{error.lineno}: {(error.text or "").strip()}')
            raise SystemExit(report('The exercises', f'import {name}', came_out, 'no exception',
                                    'that line and the one above it: brackets, colons, spaces'))


class Exercise(unittest.TestCase):
    """A checker whose failures say what was tried, what came out, what was expected and where."""

    def __init__(self, methodName='runTest'):
        super().__init__(methodName)
        self.trying('the checker', 'what you changed')
        self.setUp = self.guarded(self.setUp)
        if hasattr(self, methodName):
            setattr(self, methodName, self.guarded(getattr(self, methodName)))

    def guarded(self, method):
        """The method, but whatever goes wrong in it becomes a failure in the form of expect."""
        @functools.wraps(method)
        def run():
            if type(self).failed:
                self.skipTest('first the failure above')
            try:
                return method()
            except self.failureException as failure:
                message = str(failure)
            except (Exception, KeyboardInterrupt) as error:     # Ctrl-C ends what has no end
                message = self.exception_report(error)
            type(self).failed = True
            raise self.failureException(message)
        return run

    def exception_report(self, error):
        """The report of an exception in a student's code, or in the checker because of it."""
        came_out, theirs = blame(error)
        look = self.look
        if not theirs:
            look += '; what it returns is nothing that the checker can go on with'
        return report(self.task(), self.tried, came_out, 'no exception', look)

    @classmethod
    def setUpClass(cls):
        cls.failed = False

    @classmethod
    def tearDownClass(cls):
        """An exercise that ends with a question of its own has its answer when all is done."""
        afterwards = answers.AFTERWARDS.get(cls.__module__.split('.')[-1])
        if afterwards and not cls.failed:
            print('\n' + afterwards)

    def task(self):
        """The exercise's number and name, from the text that its file opens with."""
        return sys.modules[type(self).__module__].__doc__.partition(':')[0]

    def trying(self, tried, look):
        """Say what is tried next, and where to look if it fails."""
        self.tried = tried
        self.look = look

    def expect(self, true, got, expected, look=None):
        """Fail if this is not true of what is being tried."""
        if not true:
            self.fail(report(self.task(), self.tried, got, expected, look or self.look))

    def expect_near(self, got, value, what='', look=None, tolerance=1e-6):
        """Fail if this number, or Value, is another one."""
        number = getattr(got, 'data', got)
        near = is_number(number) and abs(number - value) <= tolerance
        shown = f'{number:.6g}' if is_number(number) else repr(number)
        self.expect(near, f'{what} {shown}'.strip(), f'{what} {value:.6g}'.strip(), look)

    def need(self, module, name, signature):
        """The function that the exercise asks for."""
        self.trying(f'{name}() in {module.__name__}.py',
                    f'where {name} stands: at the left margin, outside of classes and functions')
        function = getattr(module, name, None)
        got = 'no such function yet'
        for other in PROGRAMS:
            if hasattr(sys.modules[other], name):
                got = f'{other}.py has one'
        self.expect(callable(function), got, f'def {signature}')
        wanted = re.findall(r'[(,]\s*(\w+)', signature)
        found = list(inspect.signature(function).parameters)
        self.expect(found[:len(wanted)] == wanted, f'it takes {", ".join(found) or "nothing"}',
                    f'def {signature}', f'the parameters of {name}')
        return function

    def need_option(self, function, option, default=0.0, meaning='everything is as before'):
        """The parameter that the exercise asks for, with its default."""
        name = function.__name__
        self.trying(f'{name}() with {option}', f'the parameters of {name}')
        found = inspect.signature(function).parameters
        self.expect(option in found, f'it takes only {", ".join(found)}',
                    f'{option}={default} as its last parameter')
        self.expect(found[option].default == default, f'{found[option]}',
                    f'{option}={default}: without it, {meaning}')

    def need_answer(self, answer, count):
        """The answer to a question, as a tuple of so many numbers."""
        file = type(self).__module__.split('.')[-1] + '.py'
        self.trying('answer', f'the line `answer = ...` of {file}')
        numbers = tuple(answer) if isinstance(answer, (tuple, list)) else (answer,)
        self.expect(len(numbers) == count and all(map(is_number, numbers)), repr(answer),
                    f'{count} numbers, with commas between them' if count > 1 else 'one number')
        return numbers

    def replace(self, module, **values):
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

        self.replace(module, mask_predictor=mask_predictor)
        return inputs


def is_number(value):
    """Whether this is a number that can be compared."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value == value

def weights(module, vocab_size, std=0.8, seed=1):
    """Weights far from 0, so that every token makes a difference; or all 0, with an std of 0."""
    rng = random.Random(seed)
    state_dict = module.make_weights(vocab_size, random.Random(seed))
    for value in module.parameters(state_dict):
        value.data = rng.gauss(0, std)
    return state_dict

def logs(*probs):
    """Logits that give these probabilities."""
    return [math.log(p) if p else -1e6 for p in probs]

def floats(rows):
    """Rows of Values as rows of numbers."""
    return [[value.data for value in row] for row in rows]

def count_of(items):
    """How often each of these strings occurs."""
    return {item: items.count(item) for item in sorted(set(items))}

def influences(predict, tokens, n, others):
    """The positions whose token makes a difference to the logits at position n."""
    before = floats(predict(tokens))[n]
    found = set()
    for m in range(len(tokens)):
        for token in others:
            changed = floats(predict(tokens[:m] + [token] + tokens[m + 1:]))[n]
            if max([abs(x - y) for x, y in zip(before, changed)]) > 1e-9:
                found.add(m)
    return sorted(found)

def legal(tokens, mask, pad):
    """Whether this is a whole name: no MASK, and nothing but PAD after a PAD."""
    rest = tokens[tokens.index(pad):] if pad in tokens else []
    return mask not in tokens and set(rest) <= {pad}


import_programs()

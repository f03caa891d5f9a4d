"""What the checkers of all exercises share: how to try something, and how to say what came out."""
import ast
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

__unittest = True           # unittest leaves the lines of this file out of its tracebacks

PROGRAMS = 'microgpt', 'microdiffusion'
FOLDER = os.path.dirname(os.path.abspath(__file__))


def exercise_names():
    """The names of all exercises, in their order."""
    return sorted([file[:-3] for file in os.listdir(FOLDER) if re.match(r'e\d\d_\w+\.py$', file)])

def heading(name):
    """The title of an exercise, its level, and the minutes that it takes, from its text."""
    with open(os.path.join(FOLDER, name + '.py'), encoding='utf-8-sig') as file:
        text = ast.get_docstring(ast.parse(file.read()))
    return re.search(r'^Exercise \d+, ([^:]+):.*?^Level: (\w+)\. About (\d+) minutes', text,
                     re.DOTALL | re.MULTILINE).groups()

def run(name):
    """Check one exercise; print what is wrong, or the closing answer. Returns the exit status."""
    name = os.path.splitext(os.path.basename(name))[0]      # it may also be the path of the file
    for module in (*PROGRAMS, 'tests.exercises.' + name):   # a notebook would keep the old ones
        sys.modules.pop(module, None)
    import_programs()
    try:
        module = importlib.import_module('tests.exercises.' + name)
    except Exception as error:              # in the line `answer = ...`
        print(report(f'{name}.py', blame(error), 'a file that Python can run', 'that line'))
        return 1
    [[exercise]] = unittest.defaultTestLoader.loadTestsFromModule(module)
    try:
        exercise.debug()
    except AssertionError as failure:
        print(failure)
        return 1
    return 0

def report(tried, got, expected, look):
    """The text of a failure, in the form that all of them have."""
    return f'{tried}\n  came out: {got}\n  expected: {expected}\n  look at:  {look}'

def program_frames(error):
    """The places in the two programs that an exception came through."""
    return [frame for frame in traceback.extract_tb(error.__traceback__)
            if os.path.basename(frame.filename) in [name + '.py' for name in PROGRAMS]]

def blame(error):
    """An exception in words, with the lines of the programs that it came through."""
    words = f'{type(error).__name__}: {error}'.rstrip(': ')
    if isinstance(error, SyntaxError):
        return (f'{type(error).__name__}: {error.msg}\n    in {os.path.basename(error.filename)}, '
                f'line {error.lineno}: {(error.text or "").strip()}')

    places = []
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if re.match(r'e\d\d_', os.path.basename(frame.filename))]
    for frame in program_frames(error) or ours[-1:] or frames[-1:]:
        place = f'in {os.path.basename(frame.filename)}, line {frame.lineno}: {frame.line}'
        if place not in places[-1:]:        # a comprehension is a function on the same line
            places.append(place)
    return '\n    '.join([words, *places[-3:]])

def import_programs():
    """See that both programs can be imported: a slip that prevents it is shown like any other."""
    for name in PROGRAMS:
        try:
            importlib.import_module(name)
        except (Exception, SystemExit) as error:
            look = 'that line'
            if isinstance(error, SyntaxError):
                look += ' and the one above it: brackets, colons, spaces'
            raise SystemExit(report(f'import {name}', blame(error), 'no exception', look))


class Wrong(Exception):
    """What a checker has found, apart from the exceptions of the programs themselves."""


class Exercise(unittest.TestCase):
    """An exercise has a method check(); its failures say what was tried and where to look."""

    def test(self):
        """Check the exercise, and print the closing answer if it is right."""
        name = type(self).__module__.split('.')[-1]
        title = f'Exercise {int(name[1:3])}, {heading(name)[0]}'
        self.trying('what you changed', 'the text of the exercise')
        try:
            self.check()
        except Wrong as wrong:
            message = str(wrong)
        except (Exception, SystemExit, KeyboardInterrupt) as error:     # Ctrl-C: no end
            look = f'the line above, then {self.look}'
            if isinstance(error, RecursionError):
                look = 'the line above: it calls itself, and that has no end'
            elif not program_frames(error):
                look = ('what your function takes and gives back; the line above is in the checker '
                        'and is right')
            message = report(self.tried, blame(error), 'no exception', look)
        else:
            print(f'{title}: right.\n\n{answers.closing[name].strip()}')
            return
        raise self.failureException(f'{title}. {message}') from None

    def trying(self, tried, look):
        """Say what is tried next, and where to look if it fails."""
        self.tried = tried
        self.look = look

    def expect(self, true, got, expected, look=None):
        """Fail if this is not true of what is being tried."""
        if not true:
            raise Wrong(report(self.tried, got, expected, look or self.look))

    def expect_near(self, got, value, what='', look=None, tolerance=1e-6):
        """Fail if this number, or Value, is another one."""
        number = getattr(got, 'data', got)
        near = is_number(number) and abs(number - value) <= tolerance
        shown = f'{number:.6g}' if is_number(number) else repr(number)
        self.expect(near, f'{what} {shown}'.strip(), f'{what} {value:.6g}'.strip(), look)

    def expect_not(self, got, slips, expected):
        """Fail if this is what one of the well-known slips gives; slips maps each to its hint."""
        for slip, look in slips.items():
            self.expect(got != slip, got, expected, look)

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

    def need_answer(self, answer, count):
        """The answer to a question, as a tuple of so many numbers."""
        file = type(self).__module__.split('.')[-1] + '.py'
        self.trying('answer', f'the line `answer = ...` of {file}')
        numbers = tuple(answer) if isinstance(answer, (tuple, list)) else (answer,)
        self.expect(len(numbers) == count and all(map(is_number, numbers)), repr(answer),
                    f'{count} numbers with commas between them')
        return numbers

    def replace(self, module, **values):
        """Give a program's constants or functions other values until the check is over."""
        patch = mock.patch.multiple(module, **values)
        patch.start()
        self.addCleanup(patch.stop)

    def stand_in(self, module, logits, most=200, endless=lambda tokens: 'what ends the loop'):
        """Put logits(tokens, n), a list of floats, in the model's place; returns all its inputs.

        If the model is evaluated more than `most` times, endless(tokens) says where to look.
        """
        inputs = []

        def mask_predictor(state_dict, tokens):
            inputs.append(list(tokens))
            self.expect(len(inputs) <= most, f'more than {most} evaluations of the model',
                        'an end', endless(tokens))
            seen = module.settled(tokens)
            rows = [[module.Value(z) for z in logits(tokens, n)] for n in range(len(seen))]
            module.rule_out(rows, seen)
            return rows

        self.replace(module, mask_predictor=mask_predictor)
        return inputs


def is_number(value):
    """Whether this is a number that can be compared."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value == value

def weights(module, vocab_size, std=0.8, seed=1):
    """Weights far from 0, so that every token makes a difference."""
    rng = random.Random(seed)
    state_dict = module.make_weights(vocab_size, random.Random(seed))
    for value in module.parameters(state_dict):
        value.data = rng.gauss(0, std)
    return state_dict

def logs(*probs):
    """Logits that give these probabilities."""
    return [math.log(p) if p else -math.inf for p in probs]

def count_of(items):
    """How often each of these strings occurs, in words."""
    return ', '.join([f'{items.count(item)} times {item}' for item in sorted(set(items))])


import_programs()

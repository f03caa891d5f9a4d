"""STOP: show the names and figures of a program in which an exercise has been done.

    python -m tests.exercises.solved 3 --denoise-steps 4
    python -m tests.exercises.solved 9 threshold=0.5 --temperature 0.6 --samples 1000

It puts the solution into a copy of microdiffusion.py in memory, and then does what
tests.exercises.sample does. The file itself stays as it is. Options of the program may follow, and
before them a constant with another value. It is for the exercises 3, 4, 8, 9, 10 and 12.
"""
import pathlib, sys
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))    # for an editor's Run button

import importlib.util
import os

from tests.exercises import checking, sample, solutions

EXERCISES = {int(name[1:3]): name for name in checking.exercise_names()}
SHOWN = [3, 4, 8, 9, 10, 12]


def solved(name):
    """The program microdiffusion with the solution of an exercise in it."""
    path = os.path.join(sample.TOP, solutions.DIFFUSION)
    with open(path, encoding='utf-8') as file:
        text = file.read()
    for file, old, new in solutions.reference[name] + solutions.tried.get(name, []):
        assert file == solutions.DIFFUSION and text.count(old) == 1, old
        text = text.replace(old, new)
    module = importlib.util.module_from_spec(
        importlib.util.spec_from_file_location('microdiffusion', path))
    sys.modules['microdiffusion'] = module
    exec(compile(text, path, 'exec'), vars(module))
    return module

def main(arguments):
    """Returns the exit status."""
    if not arguments or arguments[0] not in map(str, SHOWN):
        print(f'give the number of an exercise, one of {SHOWN}: python -m tests.exercises.solved 3')
        return 2
    module = solved(EXERCISES[int(arguments[0])])
    options = arguments[1:]
    while options and '=' in options[0]:
        name, value = options.pop(0).split('=')
        setattr(module, name, float(value))
    return sample.show(module, options)


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))

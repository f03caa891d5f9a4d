"""List the exercises, or check one: python -m tests.exercises [NUMBER]."""
import pathlib, sys
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))    # for an editor's Run button

from tests.exercises import checking


def main(arguments):
    """Returns the exit status: 0 if there was only a list to print, or if the exercise is right."""
    names = checking.exercise_names()
    if not arguments:
        print('     what                        level    minutes')
        for n, name in enumerate(names, 1):
            title, level, minutes = checking.heading(name)
            print(f'{n:3d}  {title:26s}  {level:7s}  {minutes:>5s}    tests/exercises/{name}.py')
        print('Read the text at the top of the file. Then check: python -m tests.exercises 1')
        return 0
    if len(arguments) > 1 or arguments[0] not in [str(n + 1) for n in range(len(names))]:
        print(f'Give one number, from 1 to {len(names)}: python -m tests.exercises 1')
        return 2
    return checking.run(names[int(arguments[0]) - 1])


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))

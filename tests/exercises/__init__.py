"""A dozen exercises on the two programs: README.md says how to do them, alone or in a class."""

def load_tests(loader, tests, pattern):
    """Called for `python -m unittest tests.exercises`, which says how the exercises are run.

    With a pattern it is called for `python -m unittest`, which does not run the exercises.
    """
    if pattern is None:
        raise SystemExit('To check one exercise, give its number: python -m tests.exercises 1')
    return tests

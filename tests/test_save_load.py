"""Models in files: kept whole, refused unless they fit."""
import builtins
import json
import os
import unittest
from unittest import mock

from tests.command_line import (FEW, NAMES, PROGRAMS, QUICK, CommandLineTest, command, run,
                                run_process, samples, text_of)

try:
    import resource
except ImportError:                         # Windows
    resource = None


def without(model, *keys):
    """A copy of a model (a dict of dicts) in which something is missing."""
    first, *others = keys
    model = dict(model)
    if others:
        model[first] = without(model[first], *others)
    else:
        del model[first]
    return model

def with_weight(model, value):
    """A copy of a model in which one weight is another value."""
    matrix = [list(row) for row in model['state_dict']['wpe']]
    matrix[2][3] = value
    return dict(model, state_dict=dict(model['state_dict'], wpe=matrix))

def with_weights(model, value):
    """A copy of a model in which all weights are of this size, some of them negative."""
    return dict(model, state_dict={
        name: [[value if x > 0 else -value for x in row] for row in matrix]
        for name, matrix in model['state_dict'].items()})

def cut(model, name):
    """A copy of a model in which a matrix has lost its last column."""
    matrix = [row[:-1] for row in model['state_dict'][name]]
    return dict(model, state_dict=dict(model['state_dict'], **{name: matrix}))


# How to spoil a saved model, given its text and itself.
BAD_FILES = (
    ('empty', lambda text, model: ''),
    ('no JSON', lambda text, model: text_of(NAMES)),
    ('cut short', lambda text, model: text[:len(text) // 2]),
    ('its end cut off', lambda text, model: text[:-1]),
    ('binary', lambda text, model: bytes(range(256))),
    ('a number', lambda text, model: 1),
    ('a list', lambda text, model: [model]),
    ('nested too deep', lambda text, model: '[' * 100000),
    ('no program', lambda text, model: without(model, 'program')),
    ('no heads', lambda text, model: without(model, 'heads')),
    ('no slope', lambda text, model: without(model, 'slope')),
    ('another slope', lambda text, model: dict(model, slope=model['slope'] / 2)),
    ('no vocabulary', lambda text, model: without(model, 'vocab')),
    ('no weights', lambda text, model: without(model, 'state_dict')),
    ('a matrix missing', lambda text, model: without(model, 'state_dict', 'wpe')),
    ('a matrix too many', lambda text, model: dict(
        model, state_dict=dict(model['state_dict'], more=[[0.5]]))),
    ('a column missing', lambda text, model: cut(model, 'layer0.mlp_fc1')),
    ('NaN', lambda text, model: with_weight(model, float('nan'))),
    ('infinity', lambda text, model: with_weight(model, float('-inf'))),
    ('null', lambda text, model: with_weight(model, None)),
    ('text for a number', lambda text, model: with_weight(model, '0.1')),
    ('a whole number that no float holds', lambda text, model: with_weight(model, 10 ** 400)),
    ('huge whole numbers', lambda text, model: with_weights(model, 10 ** 300)),
    ('huge numbers', lambda text, model: with_weights(model, 1e300)))
BAD_VOCABULARIES = (
    ('a letter too many', lambda vocab: vocab + 'z'),
    ('a letter too few', lambda vocab: vocab[:-1]),
    ('a letter twice', lambda vocab: vocab[:-1] + vocab[-2]),
    ('a line break as a letter', lambda vocab: vocab[:-1] + '\n'),
    ('special tokens at the end', lambda vocab: vocab[::-1]),
    ('letters in a list', list))


class LoadTest(CommandLineTest):
    """A file that is no whole model of this program, with all its constants, is refused."""

    def check(self, program, content):
        """The program refuses to load a file of this content."""
        path = self.write('bad', content if isinstance(content, (str, bytes)) else
                          json.dumps(content))
        result = run(program, '--load', path, '--samples', 1, *QUICK[program])
        self.assert_refused(result, f'bad is not a whole model of {program.PROGRAM}.py, ')
        self.assert_refused(result, f' heads {program.heads} and slope {program.slope}: make one '
                                    'with --save')
        self.assertEqual('', result.out)

    def saved(self, program):
        """A saved model that fits, as its text and as JSON; it does load."""
        path = self.model(program)
        self.assert_runs(run(program, '--load', path, '--samples', 0))
        text = self.read(path).decode()
        return text, json.loads(text)

    def test_spoilt(self):
        """Files that are cut, or lack something, or hold what is no weight."""
        for program in PROGRAMS:
            saved = self.saved(program)
            for what, spoil in BAD_FILES:
                with self.subTest(program.PROGRAM, what=what):
                    self.check(program, spoil(*saved))

    def test_whole_numbers(self):
        """A weight may be written as a whole number; it is a float like the others."""
        for program in PROGRAMS:
            _, model = self.saved(program)
            path = self.write('whole', json.dumps(with_weight(model, 1)))
            state_dict, _ = program.load(path)
            self.assertEqual({float}, {type(p.data) for p in program.parameters(state_dict)})

    def test_of_the_other_program(self):
        """Each program refuses the models of the other, even where all weights would fit."""
        for program, other in zip(PROGRAMS, reversed(PROGRAMS)):
            _, model = self.saved(program)
            _, others = self.saved(other)
            with self.subTest(program.PROGRAM):
                self.check(program, others)
                self.check(program, dict(model, program=other.PROGRAM))

    def test_vocabulary(self):
        """Every letter stands once in it, after the special tokens, and each has its weights."""
        for program in PROGRAMS:
            _, model = self.saved(program)
            for what, spoil in BAD_VOCABULARIES:
                with self.subTest(program.PROGRAM, what=what):
                    self.check(program, dict(model, vocab=spoil(model['vocab'])))

    def test_heads(self):
        """Weights that were learnt with heads of another kind would mean something else here."""
        for program in PROGRAMS:
            _, model = self.saved(program)
            for heads in ([-look for look in program.heads], program.heads[:1],
                          program.heads * 2, len(program.heads), [], None):
                with self.subTest(program.PROGRAM, heads=heads):
                    self.check(program, dict(model, heads=heads))

    def test_without_letters(self):
        """A model that knows the special tokens alone is refused: it could write no name."""
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                self.check(program, self.read(self.model(program, [])))


class SaveTest(CommandLineTest):
    """A model is written whole or not at all."""

    def setUp(self):
        super().setUp()
        self.path = os.path.join(self.folder, 'model.json')

    def save(self, program, *argv):
        """Run with --save."""
        return run(program, '--names', self.few, '--steps', 1, '--samples', 2, '--save', self.path,
                   *argv)

    def assert_only(self, content):
        """The target has this content, and nothing but it and the names is in the folder."""
        self.assertEqual(content, self.read(self.path))
        self.assertEqual(['few.txt', 'model.json'], sorted(os.listdir(self.folder)))

    def test_round_trip(self):
        """A saved model writes the same names for the same seed, without a names file."""
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                saved = self.save(program)
                self.assert_runs(saved)
                self.assert_only(self.read(self.path))
                argv = '--load', self.path, '--samples', 2, '--names', 'missing.txt'
                loaded, other = run(program, *argv), run(program, *argv, '--seed', 1)
                self.assert_runs(loaded)
                names = saved.out[saved.out.index('held-out: '):].split('\n', 1)[1]
                self.assertEqual(names, loaded.out)
                self.assertEqual(2, len(samples(names)))
                self.assertNotEqual(samples(names), samples(other.out))

    def test_nothing_is_left_by_looking_whether_it_can_be_saved(self):
        """Nor is an old file touched."""
        for program in PROGRAMS:
            program.check_writable(self.path)
            self.assertEqual(['few.txt'], os.listdir(self.folder))
        self.write('model.json', 'old')
        for program in PROGRAMS:
            program.check_writable(self.path)
            self.assert_only(b'old')

    def test_replaces(self):
        """A model takes the place of what was there, and of a part that a kill left."""
        self.write('model.json', 'old')
        self.write('model.json.part', '{"program": "microg')
        for program in PROGRAMS:
            self.assert_runs(self.save(program, '--samples', 0))
            self.assertEqual(program.PROGRAM, json.loads(self.read(self.path).decode())['program'])
            self.assert_only(self.read(self.path))

    def test_fails(self):
        """A save that is interrupted or fails leaves the old file whole, and no other."""
        def dump_half(model, file):
            """Fail when there are weights to be written."""
            if model['state_dict']:
                file.write(json.dumps(model)[:5000])
                raise KeyboardInterrupt
        self.write('model.json', 'old')
        refuse = mock.Mock(side_effect=PermissionError(13, 'Permission denied', self.path))
        for program in PROGRAMS:
            for owner, name, fake, status in (
                    (json, 'dump', dump_half, 130), (os, 'replace', refuse, 2)):
                with self.subTest(program.PROGRAM, name=name):
                    with mock.patch.object(owner, name, fake):
                        result = self.save(program)
                    self.assertEqual(status, result.status)
                    self.assertIn('trained 1 steps', result.out)
                    self.assert_only(b'old')
        self.assertIn('Permission denied; give another path', result.err.splitlines()[-1])

    @unittest.skipIf(resource is None, 'no limit to the size of files')
    def test_full_disk(self):
        """A disk that is full while a model is written is an error of one line."""
        script = ('import resource, runpy, sys; sys.argv = sys.argv[1:];'
                  'resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000));'
                  'runpy.run_path(sys.argv[0], run_name="__main__")')
        self.write('model.json', 'old')
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                args = command(program, '--names', self.few, '--steps', 0, '--samples', 1,
                               '--save', self.path, '--processes', 1)
                args[3:3] = ['-c', script]
                result = run_process(args, self.folder)
                self.assert_only(b'old')
                self.assertEqual(2, result.status)
                self.assertIn(f'error: {self.path}: ', result.err.splitlines()[-1])
                self.assertNotIn('Traceback', result.err)

    def test_before_the_evaluation(self):
        """The model is saved before the evaluation, so an end there loses nothing learnt."""
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                with mock.patch.object(program, 'held_out_nats', side_effect=KeyboardInterrupt):
                    result = self.save(program)
                self.assertEqual(130, result.status)
                self.assertNotIn('held-out:', result.out)
                self.assert_runs(run(program, '--load', self.path, '--samples', 1))
                os.remove(self.path)

    def refused_before_training(self, program, target, fragment):
        """A run that should save there ends before it has trained or printed anything."""
        with mock.patch.object(program, 'train', side_effect=AssertionError):
            result = run(program, '--names', self.few, '--save', target)
        self.assert_refused(result, fragment)
        self.assertEqual('', result.out)

    def test_not_for_nothing(self):
        """A target that cannot be written is refused before the training."""
        for program in PROGRAMS:
            for target in os.path.join(self.folder, 'missing', 'model.json'), self.folder:
                with self.subTest(program.PROGRAM, target=target):
                    self.refused_before_training(program, target, '')

    def test_write_protected(self):
        """A file that must not be written is not replaced, even where its folder allows it."""
        def open_as_user(path, mode='r', *args, **options):
            """What open does for a user who may not write this file, as root may."""
            if os.path.realpath(path) == os.path.realpath(self.path) and set(mode) & set('wa+'):
                raise PermissionError(13, 'Permission denied', path)
            return really(path, mode, *args, **options)
        really = builtins.open
        self.write('model.json', 'old')
        os.chmod(self.path, 0o444)
        self.addCleanup(os.chmod, self.path, 0o644)     # Windows deletes nothing protected
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                with mock.patch.object(builtins, 'open', open_as_user):
                    self.refused_before_training(program, self.path, 'Permission denied')
                self.assert_only(b'old')

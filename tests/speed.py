"""Measure how fast both programs are, and on what that depends: python -m tests.speed [--quick].

What is compared takes turns, in several short rounds, and the medians are printed. So the figures
hold on a machine that is busy with something else now and then.
"""
import argparse
import contextlib
import itertools
import os
import random
import sys
import time
from statistics import median
from unittest import mock

import microdiffusion
import microgpt
from microdiffusion import Value

LABS = (microgpt, microdiffusion)
TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
COUNTS = [count for count in (1, 2, 4, 8) if count == 1 or count <= (os.cpu_count() or 1)]


# The engine without one of its savings: each function stands in for one of microdiffusion.

def children_by_number(xs, w):
    """linear, with both vectors' numbers as ordinary children of a dot product."""
    xs = [(x, [v.data for v in x]) for x in xs]
    w = [(row, [v.data for v in row]) for row in w]
    return [[Value(sum(map(float.__mul__, a, b)), (*x, *row), (*b, *a)) for row, b in w]
            for x, a in xs]

def one_by_one(xs, w):
    """linear, with a Value for each product and each sum."""
    return [[sum([a * b for a, b in zip(x, row)], Value(0.0)) for row in w] for x in xs]

def all_of_relu(x, w):
    """relu_linear, with the zeros taken along."""
    return microdiffusion.linear([[v.relu() for v in x]], w)[0]

def every_list(self):
    """Value.history, which goes through a list once for each dot product that it is part of."""
    nodes, todo = set(), [[self]]
    while todo:
        for node in todo.pop():
            if node._children and node not in nodes:
                nodes.add(node)
                todo += [node._children] if node._local_grads is not None else node._children
    return nodes

ENGINES = {
    'as it is': {},
    'zeros of relu are taken along': {'relu_linear': all_of_relu},
    'shared lists are looked at each time': {'history': every_list},
    'ordinary children for dot products': {'linear': children_by_number},
    'a Value for each + and *': {'linear': one_by_one, 'relu_linear': all_of_relu},
}


# Measuring: a task is a function without arguments.

def replaced(lab, changes):
    """The program with some of its parts replaced, inside a with."""
    stack = contextlib.ExitStack()
    for name, value in changes.items():
        where = lab.Value if name == 'history' else lab
        stack.enter_context(mock.patch.object(where, name, value))
    return stack

def setting(lab):
    """(state_dict, examples, vocabulary): untrained, and some names of names.txt."""
    docs = lab.read_names(os.path.join(TOP, 'names.txt'))
    vocab = lab.make_vocab(docs)
    state_dict = lab.make_weights(len(vocab), random.Random(0))
    return state_dict, [lab.encode(doc, vocab) for doc in random.Random(0).sample(docs, 256)], vocab

def in_turns(tasks, rounds):
    """The median milliseconds of each task by its label; a first round warms up."""
    times = {label: [] for label in tasks}
    for _ in range(rounds + 1):
        for label, task in tasks.items():
            start = time.perf_counter()
            task()
            times[label].append(1000 * (time.perf_counter() - start))
    return {label: median(found[1:]) for label, found in times.items()}

def training(lab, steps, spread=map, **changes):
    """A task of so many training steps, always the same ones: the learning rate is 0."""
    changes = {**changes, 'learning_rate': 0.0}
    with replaced(lab, changes):
        state_dict, examples, _ = setting(lab)

    def task():
        with replaced(lab, changes):
            list(lab.train(state_dict, examples, random.Random(0), steps, spread))

    return task

def after_training(lab, count, spread):
    """Two tasks of the kept model: so many held-out names are measured, and so many written."""
    examples = setting(lab)[1]
    state_dict, vocab, _ = lab.load(os.path.join(TOP, 'tests', 'models', lab.PROGRAM + '.json'))
    rows = [itertools.repeat(value) for value in (
        state_dict, vocab, lab.read_prompt('', vocab), lab.make_parser().parse_args([]))]

    def held_out():
        list(lab.held_out_nats(state_dict, examples[:count], random.Random(0), spread))

    def writing():
        list(spread(lab.write, *rows, range(count)))

    return held_out, writing

def by_team(lab, team, task):
    """The task, done by these workers."""
    def changed():
        lab.workers.clear()
        lab.workers.update(team)
        task()

    return changed

def gradients(names, changes):
    """A task: the losses and gradients of so many names in microdiffusion, as a list of numbers."""
    state_dict, examples, _ = setting(microdiffusion)

    def task():
        with replaced(microdiffusion, changes):
            found = [microdiffusion.loss_and_gradient(state_dict, tokens, seed)
                     for seed, tokens in enumerate(examples[:names])]
        return [number for loss, gradient in found for number in (loss, *gradient)]

    return task


# The tables.

def table(title, heads, rows):
    """Print a table in Markdown."""
    print(f'\n{title}\n\n| {" | ".join(heads)} |\n|{" --- |" * len(heads)}')
    for row in rows:
        print(f'| {" | ".join(map(str, row))} |')
    sys.stdout.flush()

def show_processes(steps, rounds):
    """A default run by one process and by more, put together from its parts."""
    tasks, names, teams = {}, steps * microgpt.batch_size, {}
    for lab, count in itertools.product(LABS, COUNTS):
        lab.workers.clear()
        if count > 1:
            lab.start_workers(count, len(setting(lab)[2]))
        teams[lab, count] = dict(lab.workers)
        for part, task in enumerate([training(lab, steps, lab.spread),
                                     *after_training(lab, names, lab.spread)]):
            tasks[lab, count, part] = by_team(lab, teams[lab, count], task)
    found = in_turns(tasks, rounds)
    for (lab, _), team in teams.items():
        by_team(lab, team, lab.stop_workers)()

    rows = []
    for lab, count in itertools.product(LABS, COUNTS):
        ms = [found[lab, count, part] / names for part in range(3)]
        samples = lab.make_parser().get_default('samples')
        whole = ms[0] * lab.num_steps * lab.batch_size + ms[1] * 1024 + ms[2] * samples
        rows.append([lab.PROGRAM, count, *[f'{part:.1f}' for part in ms],
                     f'{found[lab, 1, 0] / found[lab, count, 0]:.2f}', f'{whole / 1000:.0f}'])
    table('Milliseconds a name; a default run is put together from them',
          ['program', 'processes', 'training', 'measuring', 'writing',
           'training is times as fast', 'a default run: seconds'], rows)

def show_growth(steps, rounds):
    """How time grows with the sizes, by one process."""
    tasks = {}
    for lab in LABS:
        tasks[lab, 'as it is'] = training(lab, steps)
        for name in ('block_size', 'n_embd', 'n_layer'):
            size = 2 * getattr(lab, name)
            tasks[lab, f'{name} {size}'] = training(lab, steps, **{name: size})
    found = in_turns(tasks, rounds)
    table('How the time of training grows, by one process',
          ['program', 'size', 'ms a name', 'times'],
          [[lab.PROGRAM, label, f'{ms / steps / lab.batch_size:.1f}',
            f'{ms / found[lab, "as it is"]:.2f}'] for (lab, label), ms in found.items()])

def show_engines(names, rounds):
    """The same losses and gradients, with one saving of the engine left out."""
    tasks = {label: gradients(names, changes) for label, changes in ENGINES.items()}
    expected = tasks['as it is']()
    for label, task in tasks.items():
        if not max([abs(a - b) for a, b in zip(expected, task())]) < 1e-9:
            sys.exit(f'{label}: other gradients')
    found = in_turns(tasks, rounds)
    table(f'What the engine saves: loss and gradient of a name in {microdiffusion.PROGRAM}',
          ['engine', 'ms a name', 'times'],
          [[label, f'{ms / names:.1f}', f'{ms / found["as it is"]:.2f}']
           for label, ms in found.items()])

def main(argv=None):
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser('python -m tests.speed', description=__doc__.splitlines()[0])
    parser.add_argument('--quick', action='store_true', help='fewer and shorter rounds')
    args = parser.parse_args(argv)
    steps, rounds = (1, 1) if args.quick else (4, 11)
    microdiffusion.no_collector()           # as the programs do
    show_processes(steps, rounds)
    show_growth(steps, rounds)
    show_engines(8 * steps, rounds)
    print(f'\nPython {sys.version.split()[0]}, {os.cpu_count()} processors')
    return 0


if __name__ == '__main__':
    sys.exit(main())

"""Measure how fast both programs are, and on what that depends: python -m tests.speed [--quick].

A benchmark, no test. What is compared takes turns, several short rounds of it, and the medians are
printed: so a machine that is now and then busy with something else does not decide.
"""
import argparse
import contextlib
import inspect
import itertools
import math
import os
import pickle
import random
import subprocess
import sys
import time
from array import array
from statistics import median
from unittest import mock

import microdiffusion
import microgpt

LABS = (microgpt, microdiffusion)
NAMES = os.path.join(os.path.dirname(os.path.abspath(microdiffusion.__file__)), 'names.txt')
HELD_OUT = 64               # names, as many as eight processes are given at a time
COUNTS = [count for count in (1, 2, 4, 8) if count == 1 or count <= (os.cpu_count() or 1)]


# A textbook engine: one node per + and *. The model and its loss remain those of the program.

class Node:
    """A number in a computation, with its gradient."""

    def __init__(self, data, children=(), local_grads=()):
        self.data = data
        self.grad = 0.0
        self.children = children
        self.local_grads = local_grads

    def __add__(self, other):
        other = other if isinstance(other, Node) else Node(other)
        return Node(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        other = other if isinstance(other, Node) else Node(other)
        return Node(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, k): return Node(self.data ** k, (self,), (k * self.data ** (k - 1),))
    def exp(self): return Node(math.exp(self.data), (self,), (math.exp(self.data),))
    def log(self): return Node(math.log(self.data), (self,), (1 / self.data,))
    def relu(self): return Node(max(0.0, self.data), (self,), (float(self.data > 0),))
    def __sub__(self, other): return self + other * -1.0
    def __truediv__(self, other): return self * other ** -1
    __radd__ = __add__

    def backward(self):
        """Sort all nodes, then the chain rule, from the last to the first."""
        order = []
        visit(self, order, set())
        self.grad = 1.0
        for node in reversed(order):
            for child, local_grad in zip(node.children, node.local_grads):
                child.grad += local_grad * node.grad

def visit(node, order, seen):
    """Append a node after all that it was made from."""
    if node not in seen:
        seen.add(node)
        for child in node.children:
            visit(child, order, seen)
        order.append(node)

def linear(xs, w):
    """In place of the program's: a node for each product and each sum."""
    return [[sum([a * b for a, b in zip(x, row)]) for row in w] for x in xs]

def relu_linear(x, w):
    """In place of the program's: nothing is left out."""
    return linear([[v.relu() for v in x]], w)[0]

def softmax(logits, scale=1.0, bias=None):
    """In place of the program's, node by node."""
    powers = [z * scale + b for z, b in zip(logits, bias or [0.0] * len(logits))]
    top = max([power.data for power in powers])
    exps = [(power + -top).exp() for power in powers]
    total = sum(exps)
    return [e / total for e in exps]

def logsumexp(logits):
    """In place of the program's, node by node."""
    top = max([z.data for z in logits])
    return sum([(z + -top).exp() for z in logits]).log() + top

TEXTBOOK = {'Value': Node, 'linear': linear, 'relu_linear': relu_linear, 'softmax': softmax,
            'logsumexp': logsumexp}


# Measuring: a task is a function without arguments.

def replaced(lab, changes):
    """The program with some of its parts replaced, inside a with."""
    return mock.patch.multiple(lab, **changes) if changes else contextlib.nullcontext()

def setting(lab):
    """(state_dict, examples, vocabulary): untrained, and some names to learn from."""
    docs = lab.read_names(NAMES)
    vocab = lab.make_vocab(docs)
    state_dict = lab.make_weights(len(vocab), random.Random(0))
    return state_dict, [lab.encode(doc, vocab) for doc in random.Random(0).sample(docs, 256)], vocab

def in_turns(tasks, rounds):
    """The median milliseconds of each task by its label."""
    times = {label: [] for label in tasks}
    for _ in range(rounds + 1):
        for label, task in tasks.items():
            start = time.perf_counter()
            task()
            times[label].append(1000 * (time.perf_counter() - start))
    return {label: median(found[1:]) for label, found in times.items()}     # the first warms up

def stepping(lab, steps, spread=map, **changes):
    """A task of so many training steps, always the same ones: the learning rate is 0."""
    with replaced(lab, changes):
        state_dict, examples, _ = setting(lab)

    def task():
        with replaced(lab, changes):
            for _ in lab.train(state_dict, examples, random.Random(0), steps, 0.0, spread):
                pass

    return task

def no_work(state_dict, tokens, seed):
    """In place of loss_and_gradient: only what has to be sent and added."""
    return 0.0, [1e-9] * sum([len(matrix) * len(matrix[0]) for matrix in state_dict.values()])

def measuring(lab, spread):
    """The tasks of a default run that follow training: some held-out names, and all samples."""
    state_dict, examples, vocab = setting(lab)
    args = lab.make_parser().parse_args([])
    rows = state_dict, vocab, lab.read_prompt('', vocab), args

    def held_out():
        list(lab.held_out_nats(state_dict, examples[:HELD_OUT], random.Random(0), spread=spread))

    def samples():
        list(spread(lab.write, *map(itertools.repeat, rows), range(args.samples)))

    return held_out, samples

def start(lab, count):
    """Seconds from the command to the first step of the training."""
    begin = time.perf_counter()
    subprocess.run([sys.executable, lab.__file__, '--help'], check=True, stdout=subprocess.DEVNULL)
    state_dict, examples, vocab = setting(lab)
    with lab.processes(count, len(vocab)) as spread:
        rows = examples[:count]
        list(spread(no_work, itertools.repeat(state_dict), rows, rows))
    return time.perf_counter() - begin

MEMORY = """
import multiprocessing, resource, {0}
{0}.switch_collector_off()
{0}.main(['--names', {1!r}, '--steps', '10', '--samples', '2', '--processes', '2'])
for process in multiprocessing.active_children():
    process.join()
for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
    print(resource.getrusage(who).ru_maxrss)
"""

def memory(lab):
    """The peak of the main process and of a worker, in MB, in a short run of its own."""
    out = subprocess.run([sys.executable, '-c', MEMORY.format(lab.__name__, NAMES)], check=True,
                         cwd=os.path.dirname(NAMES), stdout=subprocess.PIPE).stdout.split()
    unit = 2 ** 20 if sys.platform == 'darwin' else 2 ** 10         # bytes there, kB elsewhere
    return [int(number) / unit for number in out[-2:]]

def differentiating(names, **changes):
    """A task: for each of so many names in microdiffusion, the loss and then the gradient."""
    with replaced(microdiffusion, changes):
        state_dict, examples, _ = setting(microdiffusion)

    def task():
        numbers = []
        with replaced(microdiffusion, changes):
            for seed, tokens in enumerate(examples[:names]):
                loss, gradient = microdiffusion.loss_and_gradient(state_dict, tokens, seed)
                numbers += [loss, *gradient]
        return numbers

    return task

def furthest_apart(ours, theirs):
    """How far two lists of numbers are apart, where they are furthest."""
    return max([abs(a - b) for a, b in zip(ours, theirs)])


# The tables.

def table(title, heads, rows):
    """Print a table in Markdown."""
    print(f'\n{title}\n\n| {" | ".join(heads)} |\n|{" --- |" * len(heads)}')
    for row in rows:
        print(f'| {" | ".join(map(str, row))} |')
    sys.stdout.flush()

def show_memory():
    """Needs the module resource, which Windows does not have."""
    try:
        import resource
        rows = [[lab.PROGRAM] + [f'{peak:.0f}' for peak in memory(lab)] for lab in LABS]
        table('Memory at its peak, MB', ['program', 'main process', 'each worker'], rows)
    except ImportError:
        print('\nMemory: not measured, this Python has no module resource')

def show_processes(steps, rounds):
    """Training by one process and by more, and a default run put together from its parts."""
    training, overhead, after = {}, {}, {}
    with contextlib.ExitStack() as stack:
        for lab in LABS:
            vocab_size = len(setting(lab)[2])
            for count in COUNTS:
                spread = stack.enter_context(lab.processes(count, vocab_size))
                key = lab, count
                training[key] = stepping(lab, steps, spread)
                overhead[key] = stepping(lab, steps, spread, loss_and_gradient=no_work)
                after[key, 'held-out'], after[key, 'samples'] = measuring(lab, spread)
        training, overhead = in_turns(training, rounds), in_turns(overhead, rounds)
        after = in_turns(after, max(1, rounds // 5))

    rows = []
    for lab, count in training:
        faster = training[lab, 1] / training[lab, count]
        rows.append([lab.PROGRAM, count, f'{training[lab, count] / steps / lab.batch_size:.1f}',
                     f'{faster:.2f}', f'{overhead[lab, count] / steps:.1f}'])
    table(f'Training: ms per name, in steps of {microgpt.batch_size} names',
          ['program', 'processes', 'ms per name', 'times as fast', 'ms a step besides the names'],
          rows)

    rows = []
    for key in training:
        lab, count = key
        default = inspect.signature(lab.train).parameters['steps'].default
        parts = [start(lab, count), training[key] / steps * default / 1000,
                 after[key, 'held-out'] / HELD_OUT * 1.024, after[key, 'samples'] / 1000]
        rows.append([lab.PROGRAM, count] + [f'{part:.1f}' for part in parts + [sum(parts)]])
    table('A default run, put together from its parts: seconds',
          ['program', 'processes', 'start', 'training', 'held-out names', 'samples', 'whole'], rows)

def show_main_process(rounds):
    """What the main process does between the steps."""
    rows = []
    for lab in LABS:
        state_dict, _, _ = setting(lab)
        params = lab.parameters(state_dict)
        numbers = [p.data for p in params]
        adam = lab.Adam(params)
        packed = pickle.dumps((0.0, numbers))
        gradients = [numbers] * lab.batch_size
        tasks = {
            'pack': lambda: pickle.dumps(array('d', [p.data for p in lab.parameters(state_dict)])),
            'unpack': lambda: pickle.loads(packed),
            'add': lambda: [sum(grads) / lab.batch_size for grads in zip(*gradients)],
            'Adam': lambda: adam.step(0.0)}
        found = in_turns(tasks, 4 * rounds)
        rows.append([lab.PROGRAM, len(params)] + [f'{found[label]:.2f}' for label in tasks])
    table('What the main process does in a step: ms, each time that it does so',
          ['program', 'parameters', 'pack the weights (once a worker)',
           'unpack a gradient (once a name of a worker)', 'add the gradients', 'Adam'],
          rows)

def show_growth(steps, rounds):
    """How time grows with the sizes, by one process."""
    tasks = {}
    for lab in LABS:
        changes = {'as it is': {}, 'half the layers': {'n_layer': lab.n_layer // 2}}
        for name in ('block_size', 'n_embd', 'n_layer'):
            changes[f'{name} {2 * getattr(lab, name)}'] = {name: 2 * getattr(lab, name)}
        for label, change in changes.items():
            if 0 not in change.values():
                tasks[lab, label] = stepping(lab, steps, **change)
    found = in_turns(tasks, rounds)
    rows = [[lab.PROGRAM, label, f'{ms / steps / lab.batch_size:.1f}',
             f'{ms / found[lab, "as it is"]:.2f}'] for (lab, label), ms in found.items()]
    table('How time grows: training by one process',
          ['program', 'size', 'ms per name', 'times'], rows)

def show_textbook(names, rounds):
    """The same names on both engines, after their losses and gradients were compared."""
    tasks = {'Value': differentiating(names),
             'one node per + and *': differentiating(names, **TEXTBOOK)}
    furthest = furthest_apart(*[task() for task in tasks.values()])
    if not furthest < 1e-9:
        sys.exit(f'the two engines disagree by {furthest}')
    found = in_turns(tasks, rounds)
    rows = [[label, f'{ms / names:.1f}', f'{ms / found["Value"]:.1f}']
            for label, ms in found.items()]
    table(f'Loss and gradient of a name in {microdiffusion.PROGRAM}, on two engines (they differ by '
          f'{furthest:.0e} at most)', ['engine', 'ms per name', 'times'], rows)

def main(argv=None):
    """Run the command line."""
    parser = argparse.ArgumentParser('python -m tests.speed', description=__doc__.splitlines()[0])
    parser.add_argument('--quick', action='store_true', help='fewer and shorter rounds')
    args = parser.parse_args(argv)
    steps, rounds = (1, 3) if args.quick else (4, 15)
    show_memory()                           # first, as a process begins with its parent's peak
    microdiffusion.switch_collector_off()
    show_processes(steps, rounds)
    show_main_process(rounds)
    show_growth(steps, rounds)
    show_textbook(2 * steps, rounds)
    print(f'\nPython {sys.version.split()[0]}, {os.cpu_count()} processors; cyclic collector off')


if __name__ == '__main__':
    main()

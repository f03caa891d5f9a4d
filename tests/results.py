"""Measure all that the README says about quality: python -m tests.results [--quick].

Trains both programs, as they are and with parts left out, and prints the tables of the README.
Nothing was tuned on the seeds of the models. One model per process, as many processes as processors.
"""
import argparse
import collections
import concurrent.futures
import contextlib
import gc
import inspect
import math
import os
import random
import statistics
import sys
import time
from statistics import mean
from unittest import mock

import microdiffusion
import microgpt
from tests import make_models
from tests.judge import QUALITY, NGram, characters, quality

LABS = {'diffusion': microdiffusion, 'GPT': microgpt}
TEMPERATURES = (0.5, 0.6, 0.7, 0.8, 1.0, 1.2)
STEPS = (1, 2, 4, 8, 16, 24, 32)
TIMES = (0.5, 1, 2, 3)          # the number of examples, as multiples of the default

# How much is done: training steps (None: the default), names to measure the default on and the
# variants, samples at the defaults and otherwise, and names with a hidden letter.
Size = collections.namedtuple('Size', 'steps names fewer samples some questions')
FULL = Size(None, 1024, 256, 1000, 300, 500)
QUICK = Size(40, 32, 16, 20, 10, 10)


# What is trained and how names are sampled: rows of the tables.

DRAW = microdiffusion.draw

def end_at_temperature(logits, tokens, rng, temperature):
    """In place of draw: the end is drawn like the letters."""
    with mock.patch.object(microdiffusion, 'END', None):
        return DRAW(logits, tokens, rng, temperature)

def any_letter(logits, tokens, rng, temperature):
    """In place of draw: without min-p every letter may be drawn."""
    return DRAW(logits, tokens, rng, temperature, min_p=0.0)

# A model: its program, seed, training steps as a multiple of the default, and what it replaces.
Model = collections.namedtuple('Model', 'kind seed times changes')

MORE = 2.75                 # times the examples make one layer take about the time of two
LEFT_OUT = {
    'heads without direction (slope 0)': ('diffusion', 1, {'slope': 0.0}),
    'all heads look left': ('diffusion', 1, {'heads': microgpt.heads}),
    'one layer': ('diffusion', 1, {'n_layer': 1}),
    f'one layer, {MORE} times the examples': ('diffusion', MORE, {'n_layer': 1}),
}
LEFT_OUT_OF_GPT = {'GPT, heads without direction': ('GPT', 1, {'slope': 0.0})}
VARIANTS = {**LEFT_OUT, **LEFT_OUT_OF_GPT}

# A way to sample from the first diffusion model: what it replaces, and options of denoise.
SAMPLERS = {
    'the end at temperature T too': ({'draw': end_at_temperature}, {}),
    'every letter may be drawn (no min-p)': ({'draw': any_letter}, {}),
    'no min-p, T = 0.62': ({'draw': any_letter}, {'temperature': 0.62}),
    'strict confidence (noise 0)': ({}, {'noise': 0.0}),
    'random order': ({}, {'noise': 1e6}),
}


# What a process does: train a model, or measure one.

def work(model, function, *args):
    """function(program, *args) with the model's changes in place."""
    gc.disable()                            # as the programs do
    lab = LABS[model.kind]
    with contextlib.ExitStack() as stack:
        for name, value in model.changes.items():
            stack.enter_context(mock.patch.object(lab, name, value))
        return function(lab, *args)

def names_and_vocab(lab):
    """(names to train on, names held out, vocabulary), as the programs have them."""
    docs = lab.read_names(make_models.NAMES)
    return (*lab.split(docs), lab.make_vocab(docs))

def train(lab, seed, steps):
    """Train as the command line does; returns the weights as numbers, fit to be sent."""
    docs, _, vocab = names_and_vocab(lab)
    rng = random.Random(seed)
    state_dict = lab.make_weights(len(vocab), rng)
    for _ in lab.train(state_dict, [lab.encode(doc, vocab) for doc in docs], rng, steps):
        pass
    return [value.data for value in lab.parameters(state_dict)]

def model_of(lab, numbers, vocab):
    """The state_dict that these numbers came from."""
    state_dict = lab.make_weights(len(vocab), random.Random(0))
    for value, number in zip(lab.parameters(state_dict), numbers):
        value.data = number
    return state_dict

def held_out(lab, numbers, count):
    """For each of so many held-out names a list of nats: exact, or a draw for each number of masks.

    The masks do not depend on the model, so that models may be compared name by name.
    """
    _, docs, vocab = names_and_vocab(lab)
    state_dict, rows = model_of(lab, numbers, vocab), []
    for n, doc in enumerate(some(docs, count)):
        tokens = lab.encode(doc, vocab)
        if lab is microgpt:
            rows.append([lab.example_nats(state_dict, tokens)])
        else:
            rows.append([lab.example_nats(state_dict, tokens, [k], (lab.block_size + 1) * n + k)
                         for k in range(1, lab.block_size + 1)])
    return rows

def some(docs, count):
    """So many held-out names; fewer are the first of more."""
    docs = random.Random(0).sample(docs, len(docs))
    return docs[:count]

def sample(lab, numbers, count, options):
    """(texts with their PADs, evaluations per name)."""
    _, _, vocab = names_and_vocab(lab)
    state_dict, texts, evaluations = model_of(lab, numbers, vocab), [], 0
    for seed in range(count):
        rng = random.Random(seed)
        if lab is microgpt:
            tokens = lab.generate(state_dict, [], rng, **options)
            evaluations += min(len(tokens) + 1, lab.block_size - 1)
        else:
            hidden = [lab.MASK] * lab.block_size
            for _, _, tokens in lab.denoise(state_dict, hidden, rng, **options):
                evaluations += 1
        texts.append(lab.decode(tokens, vocab))
    return texts, evaluations / count

def surest(lab, state_dict, tokens, count):
    """The positions that confidence without noise would reveal, so many of them."""
    masked = [n for n, token in enumerate(tokens) if token == lab.MASK]
    confidence = {}
    for n, logits in zip(masked, lab.mask_predictor(state_dict, tokens, masked)):
        options = [logits[t] for t in lab.allowed(tokens, n, 1, len(logits))]
        confidence[n] = max([z.data for z in options]) - lab.logsumexp(options).data
    return sorted(masked, key=confidence.get, reverse=True)[:count]

def agreement(lab, numbers, count):
    """{step: (tokens revealed, share that is surest without noise too, share by chance)}."""
    _, _, vocab = names_and_vocab(lab)
    state_dict, rows = model_of(lab, numbers, vocab), collections.defaultdict(list)
    for seed in range(count):
        before = [lab.MASK] * lab.block_size
        for step, _, after in lab.denoise(state_dict, before, random.Random(seed)):
            new = {n for n, token in enumerate(before) if token != after[n]}
            both = new & set(surest(lab, state_dict, before, len(new)))
            rows[step].append((len(new), len(both) / len(new), len(new) / before.count(lab.MASK)))
            before = after
    return {step: list(map(mean, zip(*rows[step]))) for step in sorted(rows)}

def restored(lab, numbers, gpt_numbers, count):
    """{way: (share of hidden first letters found, share of any letters)}, one hidden a name."""
    docs, names, vocab = names_and_vocab(lab)
    gpt_vocab = names_and_vocab(microgpt)[2]
    state_dict, gpt = model_of(lab, numbers, vocab), model_of(microgpt, gpt_numbers, gpt_vocab)
    commonest = collections.Counter([doc[0] for doc in docs]).most_common(1)[0][0]
    letters, rng = gpt_vocab[1:], random.Random(0)

    def guesses(name, n):
        hidden = lab.encode(name, vocab)
        hidden[n] = lab.MASK
        [logits] = lab.mask_predictor(state_dict, hidden, [n])
        yield 'diffusion, one evaluation', lambda char: logits[vocab.index(char)].data
        after = microgpt.gpt(gpt, microgpt.encode(name[:n], gpt_vocab)[:-1])[-1]
        yield 'GPT, from the letters before', lambda char: after[gpt_vocab.index(char)].data
        yield f'GPT, scoring {len(letters)} names', lambda char: -microgpt.example_nats(
            gpt, microgpt.encode(name[:n] + char + name[n + 1:], gpt_vocab))
        yield f'always "{commonest}"', commonest.__eq__

    found = collections.defaultdict(lambda: [0, 0])
    for name in some(names, count):
        for task, n in enumerate((0, rng.randrange(len(name)))):
            for way, score in guesses(name, n):
                found[way][task] += (max(letters, key=score) == name[n]) / count
    return dict(found)


# The jobs: all that is trained first, then all that is measured, the longest jobs first.

Job = collections.namedtuple('Job', 'seconds model function args')      # seconds to sort by

def models_to_train(seeds):
    """{label: Model} of all that is trained; a kind alone is the default with the first seed."""
    made = {kind: Model(kind, seeds[0], 1, {}) for kind in LABS}
    for kind in LABS:
        made.update({(kind, 'seed', seed): Model(kind, seed, 1, {}) for seed in seeds[1:]})
        made.update({(kind, 'times', n): Model(kind, seeds[0], n, {}) for n in TIMES if n != 1})
    for label, (kind, times, changes) in VARIANTS.items():
        made[label] = Model(kind, seeds[0], times, changes)
    return made

def by_seed(made, kind):
    """The labels of the models of a kind that differ in nothing but their seeds."""
    return [kind] + [label for label in made if label[:2] == (kind, 'seed')]

def default_steps(lab):
    """How many steps training takes if nothing is said."""
    return inspect.signature(lab.train).parameters['steps'].default

def train_jobs(made, size):
    """{label: Job} that trains each model."""
    jobs = {}
    for label, model in made.items():
        lab = LABS[model.kind]
        steps = round((size.steps or default_steps(lab)) * model.times)
        layers = model.changes.get('n_layer', lab.n_layer)
        per_name = {('GPT', 1): 0.0055, ('diffusion', 1): 0.008}.get((model.kind, layers), 0.021)
        jobs[label] = Job(per_name * lab.batch_size * steps, model, train, (model.seed, steps))
    return jobs

def default(kind, name):
    """What an option of sampling is if nothing is said."""
    sampler = microdiffusion.denoise if kind == 'diffusion' else microgpt.generate
    return inspect.signature(sampler).parameters[name].default

def measure_jobs(made, numbers, size):
    """{(task, label): Job} that measures them."""
    jobs = {}

    def sampling(label, of, count, changes, options):
        model = made[of]._replace(changes={**made[of].changes, **changes})
        seconds = 0.007 * options.get('steps', 13) if model.kind == 'diffusion' else 0.003
        jobs['samples', label] = Job(seconds * count, model, sample, (numbers[of], count, options))

    for label, model in made.items():
        alike = model.kind == 'diffusion' and (model.changes or model.times != 1)
        count = size.fewer if alike else size.names
        seconds = 0.1 if model.kind == 'diffusion' else 0.003
        jobs['held-out', label] = Job(seconds * count, model, held_out, (numbers[label], count))
    for kind in LABS:
        for label in by_seed(made, kind):
            sampling(label, label, size.samples, {}, {})
        for t in set(TEMPERATURES) - {default(kind, 'temperature')}:
            sampling((kind, 'temperature', t), kind, size.some, {}, {'temperature': t})
    for n in set(STEPS) - {default('diffusion', 'steps')}:
        sampling(('diffusion', 'steps', n), 'diffusion', size.some, {}, {'steps': n})
    for label, (changes, options) in SAMPLERS.items():
        sampling(label, 'diffusion', size.some, changes, options)
    jobs['agreement', ''] = Job(0.18 * size.some, made['diffusion'], agreement,
                                (numbers['diffusion'], size.some))
    jobs['restored', ''] = Job(0.15 * size.questions, made['diffusion'], restored,
                               (numbers['diffusion'], numbers['GPT'], size.questions))
    return jobs

def do(jobs, pool):
    """The results of jobs by their labels, the longest begun first."""
    start = time.time()
    futures = {}
    for label in sorted(jobs, key=lambda label: -jobs[label].seconds):
        job = jobs[label]
        futures[pool.submit(work, job.model, job.function, *job.args)] = label
    for n, future in enumerate(concurrent.futures.as_completed(futures), 1):
        label = futures[future]
        print(f'[{time.time() - start:5.0f} s] {n}/{len(jobs)} {jobs[label].function.__name__} '
              f'{label}', file=sys.stderr, flush=True)
    return {label: future.result() for future, label in futures.items()}


# The tables.

def table(title, heads, rows):
    """Print a table in Markdown."""
    print(f'\n{title}\n\n| {" | ".join(heads)} |\n|{" --- |" * len(heads)}')
    for row in rows:
        print(f'| {" | ".join(map(str, row))} |')
    sys.stdout.flush()

def error(values):
    """The standard error of their mean."""
    return statistics.stdev(values) / math.sqrt(len(values))

def error_of_draws(rows):
    """The standard error of the mean that comes from the masks: from passes over all names."""
    draws = len(rows[0])
    passes = [mean([row[(n + turn) % draws] for n, row in enumerate(rows)])
              for turn in range(draws)]     # in each pass every number of masks, equally often
    return error(passes) if draws > 1 else 0.0

def against(results, label):
    """[nats, error of the difference from the default], by the same masks of the same names."""
    kind = next((kind for kind in LABS if kind in (label, label[0])), None) or VARIANTS[label][0]
    theirs = list(map(mean, results['held-out', kind]))
    if label == kind:
        return [f'{mean(theirs):.2f}', '']
    differences = [mean(a) - b for a, b in zip(results['held-out', label], theirs)]
    return [f'{mean(theirs) + mean(differences):.2f}', f'{error(differences):.2f}']

def likelihoods(results, made, seeds, docs, names):
    """How well each model predicts held-out names."""
    rows = []
    for kind in LABS:
        found = [results['held-out', label] for label in by_seed(made, kind)]
        nats = [mean(map(mean, one)) for one in found]
        rows.append([kind, 'bound' if kind == 'diffusion' else 'exact',
                     ' '.join([f'{n:.2f}' for n in nats]), f'{mean(nats):.2f}',
                     f'{statistics.stdev(nats):.2f}' if len(nats) > 1 else '-',
                     f'{error_of_draws(found[0]):.2f}', f'{error(list(map(mean, found[0]))):.2f}',
                     f'{mean(nats) * len(names) / characters(names):.2f}'])
    for order, label in enumerate(('letter frequencies', 'bigrams', 'trigrams', '4-grams'), 1):
        nats = list(map(NGram(docs, order).nats, names))
        rows.append([label, 'exact', '', f'{mean(nats):.2f}', '', '', f'{error(nats):.2f}',
                     f'{sum(nats) / characters(names):.2f}'])
    draws = len(results['held-out', 'diffusion'][0])
    table(f'Held-out: nats per name ({len(names)} names, {draws} draws each for diffusion; seeds '
          f'{" ".join(map(str, seeds))})',
          ['model', 'likelihood', 'by seed', 'mean', 'spread of seeds', 'error of draws',
           'error of names', 'per character'], rows)

def by_masked(results):
    """How much the number of masks matters, from the same draws."""
    rows = results['held-out', 'diffusion']
    length = len(rows[0])                   # a draw is L / k times the sum of k cross-entropies
    table('How much is masked: nats per masked token', [f'tokens masked of {length}', 'nats'],
          [[k, f'{mean([row[k - 1] for row in rows]) / length:.2f}']
           for k in sorted({1, 2, 4, 8, 12, length}) if k <= length])

def samples(results, made, docs, names, size):
    """The tables of sampled names; the first is of more names, and of every seed."""
    known, judge = set(docs), NGram(docs, 4)

    def judged(label, count):
        return quality([results['samples', label][0][:count]], known, judge)

    rows = []
    for kind in LABS:
        every = [results['samples', label][0] for label in by_seed(made, kind)]
        rows.append([kind] + quality(every, known, judge))
        rows += [['- one model'] + quality([one], known, judge) for one in every]
    rows.append(['held-out names'] + quality([names], known, judge))
    table(f'Samples at the defaults ({size.samples} of the model of each seed; nats by a 4-gram '
          'model of the training names)', ['from'] + QUALITY, rows)

    rows = []
    for label in ('diffusion', *LEFT_OUT, *SAMPLERS, 'GPT', *LEFT_OUT_OF_GPT):
        nats = ['', ''] if label in SAMPLERS else against(results, label)
        sampled = judged(label, size.some) if ('samples', label) in results else []
        rows.append([label, *nats, *(sampled or [''] * len(QUALITY))])
    table(f'What each ingredient brings, by leaving it out ({size.some} names each)',
          ['model', 'held-out nats', 'error of the difference'] + QUALITY, rows)

    rows = []
    for n in STEPS:
        usual = n == default('diffusion', 'steps')
        label = 'diffusion' if usual else ('diffusion', 'steps', n)
        rows.append([n, f'{results["samples", label][1]:.0f}', *judged(label, size.some)])
    table(f'Denoising steps ({size.some} names each)', ['steps', 'evaluations'] + QUALITY, rows)

    for kind in LABS:
        usual = default(kind, 'temperature')
        rows = [[t] + judged(kind if t == usual else (kind, 'temperature', t), size.some)
                for t in sorted({*TEMPERATURES, usual})]
        table(f'Temperature, {kind} ({size.some} names each)', ['T'] + QUALITY, rows)

def more_examples(results, steps):
    """What more training brings to both models."""
    rows = []
    for n in TIMES:
        labels = [kind if n == 1 else (kind, 'times', n) for kind in LABS]
        nats = [against(results, label)[0] for label in labels]
        rows.append([round(n * steps) * microgpt.batch_size, *nats,
                     f'{float(nats[0]) - float(nats[1]):.2f}'])
    table('How many examples: held-out nats', ['examples', *LABS, 'gap'], rows)

def order_and_letters(results, size):
    """In which order letters are revealed, and how often a hidden one is found."""
    table('Reveals that confidence without noise would choose too (chance in brackets)',
          ['step', 'tokens revealed', 'share'],
          [[step, f'{n:.0f}', f'{100 * share:.0f} % ({100 * chance:.0f} %)']
           for step, (n, share, chance) in results['agreement', ''].items()])
    table(f'One hidden letter of {size.questions} held-out names: how often it is found',
          ['by', 'the first letter', 'any one letter'],
          [[way] + [f'{100 * share:.0f} %' for share in shares]
           for way, shares in results['restored', ''].items()])

def main(argv=None):
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser('python -m tests.results', description=__doc__.splitlines()[0])
    parser.add_argument('--quick', action='store_true', help='a taste: hardly any training, 1 seed')
    parser.add_argument('--seeds', metavar='N', type=int, nargs='+', default=[7, 8, 9],
                        help='of the models (7 8 9)')
    parser.add_argument('--processes', metavar='N', type=int, default=os.cpu_count(),
                        help='how many at a time (one per processor)')
    parser.add_argument('--models', metavar='FOLDER',
                        help='only say whether the saved models are what the programs make')
    args = parser.parse_args(argv)
    if args.models:
        return make_models.check(args.models)
    size, seeds = (QUICK, args.seeds[:1]) if args.quick else (FULL, args.seeds)

    start = time.time()
    made = models_to_train(seeds)
    with concurrent.futures.ProcessPoolExecutor(args.processes) as pool:
        numbers = do(train_jobs(made, size), pool)
        results = do(measure_jobs(made, numbers, size), pool)

    docs, names, _ = names_and_vocab(microgpt)
    names = some(names, size.names)
    steps = size.steps or default_steps(microgpt)
    likelihoods(results, made, seeds, docs, names)
    by_masked(results)
    samples(results, made, docs, names, size)
    more_examples(results, steps)
    order_and_letters(results, size)
    print(f'\n{steps} steps of {microgpt.batch_size} names, so that training sees a name '
          f'{steps * microgpt.batch_size / len(docs):.1f} times; {time.time() - start:.0f} s with '
          f'{args.processes} processes, Python {sys.version.split()[0]}')
    return 0


if __name__ == '__main__':
    sys.exit(main())

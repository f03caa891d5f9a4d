"""Measure all that the pages say about quality: python -m tests.results [--quick].

It trains both programs, as they are and with parts left out, and prints tables in Markdown. The
seeds of the models were never used to choose anything. Each model is trained in one process, and as
many processes work as there are processors. (PyPy needs less than half the time of CPython.) With
--jobs FOLDER it keeps what is finished, and a run that was stopped goes on from there.
"""
import argparse
import collections
import concurrent.futures
import contextlib
import functools
import inspect
import itertools
import json
import math
import os
import pickle
import random
import re
import statistics
import sys
import time
from statistics import mean
from unittest import mock

import microdiffusion
import microgpt
from tests.judge import QUALITY, NGram, characters, quality

LABS = {'diffusion': microdiffusion, 'GPT': microgpt}
HERE = os.path.dirname(os.path.abspath(__file__))
ALL, FEW, CLASS = '../names.txt', 'few.txt', 'class.txt'         # lists of names

# How much is done: training steps, held-out names, samples at the defaults and otherwise, samples
# of models of few names, names with a hidden letter, names and random orders for the bound.
Size = collections.namedtuple('Size', 'steps names samples some few questions bound orders')
FULL = Size(microdiffusion.num_steps, 1024, 1000, 300, 200, 500, 256, 64)
QUICK = Size(10, 8, 10, 5, 5, 5, 2, 4)

DENOISING = (1, 2, 4, 8, 12, 16, 20, 24)
CHANCE = 1e6                        # so much noise that the order is left to chance
NOISES = (0.0, 0.5, 1.0, 1.5, 2.0, 4.0, 8.0, CHANCE)
PHASES = {'early': range(1, 10), 'middle': range(10, 16), 'late': range(16, 21)}    # of 20 steps
FEW_STEPS = (2, 4, 8, 12, 20)       # of denoising, in different orders
TEMPERATURES = (0.5, 0.6, 0.7, 0.8, 1.0, 1.2)
TIMES = (0.5, 1, 2)                 # the number of training steps, as multiples of the default
LISTS = (FEW, 500, 1000, 3000)      # few names: a file, or so many of names.txt
CURVE = (0.05, 0.1, 0.2, 0.35, 0.7, 1)      # the steps of the curve for few names, likewise


# What is left out or replaced: these stand in for parts of a program while a model works.

def default(kind, name):
    """What an option of sampling is if nothing is said."""
    sampler = microdiffusion.denoise if kind == 'diffusion' else microgpt.generate
    return inspect.signature(sampler).parameters[name].default

def uniform_t(state_dict, tokens, rng):
    """In place of example_loss: the same integral, with t drawn uniformly and the weight 1/t."""
    t = rng.uniform(microdiffusion.t_min, 1)
    noisy = microdiffusion.corrupt(tokens, t, rng)
    terms = microdiffusion.cross_entropies(state_dict, noisy, tokens)
    return sum(terms, microdiffusion.Value(0.0)) * ((1 - microdiffusion.t_min) / t)

class TwoMatrices(list):
    """The rows of an output matrix; a token's own row is one of the embedding."""

    def __getitem__(self, token):
        return self.embedding[token]

def untied(vocab_size, rng, make_weights=microdiffusion.make_weights):
    """In place of microdiffusion's make_weights: the output matrix is one of its own."""
    state_dict = make_weights(vocab_size, rng)
    state_dict['embedding'] = state_dict['wte']
    state_dict['wte'] = TwoMatrices([[microdiffusion.Value(rng.gauss(0, 0.15)) for _ in row]
                                     for row in state_dict['embedding']])
    state_dict['wte'].embedding = state_dict['embedding']
    return state_dict

class Tied(dict):
    """A state_dict in which the missing output matrix is the embedding."""

    def __missing__(self, name):
        return self['wte']

def tied(vocab_size, rng, make_weights=microgpt.make_weights):
    """In place of microgpt's make_weights: the output matrix is the embedding, as in diffusion."""
    state_dict = Tied(make_weights(vocab_size, rng))
    del state_dict['lm_head']
    return state_dict

def drawn_first(state_dict, tokens, rng, steps=default('diffusion', 'steps'),
                temperature=default('diffusion', 'temperature'), least_letters=1,
                noise=default('diffusion', 'noise')):
    """In place of denoise: every mask draws a token, whose probability is the confidence.

    This is what MaskGIT and LLaDA do. The program rates first and draws afterwards.
    """
    lab, tokens = microdiffusion, list(tokens)
    total = tokens.count(lab.MASK)
    for i in range(1, steps + 1):
        left = lab.masks_left(total, i, steps)
        count = tokens.count(lab.MASK) - left
        if count <= 0:
            continue
        logits = lab.mask_predictor(state_dict, tokens)
        cooled = temperature * (1 - (i - 1) / steps / 2)
        drawn, confidence = {}, {}
        for n, z in enumerate(logits):
            if tokens[n] == lab.MASK:
                drawn[n] = lab.draw(z, rng, cooled)
                confidence[n] = z[drawn[n]].data - lab.logsumexp(z).data
                confidence[n] += noise * left / total * lab.gumbel(rng)
        for n in sorted(confidence, key=confidence.get, reverse=True)[:count]:
            if tokens[n] == lab.MASK:
                lab.rule_out(logits, tokens, least_letters)
                possible = logits[n][drawn[n]].data > -math.inf
                tokens[n] = drawn[n] if possible else lab.draw(logits[n], rng, cooled)
            if tokens[n] == lab.PAD:
                tokens[n:] = [lab.PAD] * len(tokens[n:])
        yield i, cooled, list(tokens)

def constant(always, logits, rng, temperature, draw=microdiffusion.draw):
    """In place of draw: the same temperature at every step."""
    return draw(logits, rng, always)

# A model: its program, seed, training steps, the names it learns from, and what is replaced.
Model = collections.namedtuple('Model', 'kind seed steps source changes')

MORE = 2.2                  # so many times the examples make one layer take the time of two
ALIKE = {'n_layer': microdiffusion.n_layer, 'make_weights': tied}
LEFT_OUT = {                # the program, training steps as a multiple, what is replaced
    'heads without direction (slope 0)': ('diffusion', 1, {'slope': 0.0}),
    'all heads look left': ('diffusion', 1, {'heads': microgpt.heads}),
    'one layer': ('diffusion', 1, {'n_layer': 1}),
    f'one layer, {MORE} times the examples': ('diffusion', MORE, {'n_layer': 1}),
    't uniform, with the weight 1/t': ('diffusion', 1, {'example_loss': uniform_t}),
    'an output matrix of its own (not tied)': ('diffusion', 1, {'make_weights': untied}),
    'GPT, heads without direction': ('GPT', 1, {'slope': 0.0}),
    'GPT of the size of diffusion (two layers, tied)': ('GPT', 1, ALIKE),
}
USUAL = default('diffusion', 'temperature')
NO_MIN_P = {'draw': functools.partial(microdiffusion.draw, min_p=0.0)}
SAMPLERS = {                # what is replaced, and options of denoise
    'the end at temperature T too': ({'END': microdiffusion.MASK}, {}),     # so no end is special
    'every letter may be drawn (no min-p)': (NO_MIN_P, {}),
    'no min-p, T = 0.82': (NO_MIN_P, {'temperature': 0.82}),
    f'no annealing, T = {USUAL}': ({'draw': functools.partial(constant, USUAL)}, {}),
    'no annealing, T = 0.56': ({'draw': functools.partial(constant, 0.56)}, {}),
    'confidence of the drawn token': ({'denoise': drawn_first}, {}),
    'confidence of the drawn token, no noise': ({'denoise': drawn_first}, {'noise': 0.0}),
}


# What a process does: train a model, and measure one.

@contextlib.contextmanager
def changed(model):
    """Gives the model's program with the model's changes in place."""
    LABS[model.kind].no_collector()
    with mock.patch.multiple(LABS[model.kind], **model.changes) if model.changes else \
            contextlib.nullcontext():
        yield LABS[model.kind]

def names_and_vocab(lab, source=ALL):
    """(names to learn from, names held out, vocabulary): of a file, or so many of names.txt."""
    docs = lab.read_names(os.path.join(HERE, source if isinstance(source, str) else ALL))
    learned, held_out = lab.split(docs)
    if not isinstance(source, str):
        learned = random.Random(0).sample(learned, min(source, len(learned)))
    return learned, held_out, lab.make_vocab(docs)

def held_out_names(count):
    """So many held-out names of names.txt, always the same: no list has them to learn from."""
    docs = names_and_vocab(microgpt)[1]
    return random.Random(0).sample(docs, min(count, len(docs)))

def model_of(lab, numbers, vocab):
    """The state_dict that these numbers came from."""
    state_dict = lab.make_weights(len(vocab), random.Random(0))
    for value, number in zip(lab.parameters(state_dict), numbers):
        value.data = number
    return state_dict

def train(model, names, draws, count):
    """Train as the command line does, and measure; returns what the tables need, and the weights.

    names are how many held-out names are measured, with so many draws of masks each; count is how
    many names are sampled.
    """
    with changed(model) as lab:
        docs, _, vocab = names_and_vocab(lab, model.source)
        rng = random.Random(model.seed)
        state_dict = lab.make_weights(len(vocab), rng)
        for _ in lab.train(state_dict, [lab.encode(doc, vocab) for doc in docs], rng, model.steps):
            pass
        numbers = [value.data for value in lab.parameters(state_dict)]
        nats = [nats_of(lab, state_dict, lab.encode(doc, vocab), n, draws)
                for n, doc in enumerate(held_out_names(names))]
    texts, evaluations = sample(model, numbers, count, {})
    names_only = [text.strip(lab.SPECIAL) for text in texts]
    return {'numbers': numbers, 'nats': nats, 'texts': texts, 'evaluations': evaluations,
            'copied': mean([name in set(docs) for name in names_only]) if count else 0.0}

def nats_of(lab, state_dict, tokens, n, draws):
    """{number of masks: nats} of the nth name: exact (number 0), or so many draws of masks.

    The masks depend on n alone, so that models may be compared name by name. The numbers of masks
    are spread evenly from 1 to L, over each name's draws and over the names.
    """
    if lab is microgpt:
        return {0: lab.example_nats(state_dict, tokens, 0)}
    length, found = len(tokens), {}
    for draw in range(draws):
        k = 1 + (n + length * draw // draws) % length
        masked = random.Random((length + 1) * n + k).sample(range(length), k)
        noisy = [lab.MASK if n in masked else token for n, token in enumerate(tokens)]
        terms = lab.cross_entropies(state_dict, noisy, tokens)
        found[k] = length / k * sum([term.data for term in terms])
    return found

def sample(model, numbers, count, options):
    """(texts with their PADs, evaluations per name)."""
    texts, evaluations = [], 0
    with changed(model) as lab:
        vocab = names_and_vocab(lab, model.source)[2]
        state_dict = model_of(lab, numbers, vocab)
        for seed in range(count):
            rng = random.Random(seed)
            if lab is microgpt:
                tokens = lab.generate(state_dict, [], rng, **options)
                evaluations += len(tokens) + 1
            else:
                hidden = [lab.MASK] * lab.block_size
                for _, _, tokens in lab.denoise(state_dict, hidden, rng, **options):
                    evaluations += 1
            texts.append(lab.decode(tokens, vocab))
    return texts, evaluations / max(1, count)

def bound(model, numbers, names, orders):
    """For each held-out name its -log p by so many random orders of revealing."""
    rows = []
    with changed(model) as lab:
        vocab = names_and_vocab(lab)[2]
        state_dict = model_of(lab, numbers, vocab)
        for doc in held_out_names(names):
            tokens, rng = lab.encode(doc, vocab), random.Random(doc)
            rows.append([order_nats(lab, state_dict, tokens, rng.sample(range(len(tokens)),
                                                                        len(tokens)))
                         for _ in range(orders)])
    return rows

def order_nats(lab, state_dict, tokens, order):
    """-log p of a name if its tokens are revealed in this order."""
    visible, nats = [lab.MASK] * len(tokens), 0.0
    for n in order:
        if n < len(lab.settled(visible)):   # else it is certain
            z = lab.mask_predictor(state_dict, visible)[n]
            nats += lab.logsumexp(z).data - z[tokens[n]].data
            visible[n] = tokens[n]
    return nats

def sureness(model, numbers, count, options):
    """{phase: (mean of the top guess at the places chosen, at all hidden places)}, as shares."""
    passed, found = [], {phase: [] for phase in PHASES}
    with changed(model) as lab:
        vocab, look = names_and_vocab(lab)[2], lab.mask_predictor
        state_dict = model_of(lab, numbers, vocab)

        def watched(state_dict, tokens):
            """In place of mask_predictor: the top guess of each place is noted as it passes."""
            logits = look(state_dict, tokens)
            passed.append([max([p.data for p in lab.softmax(z)]) for z in logits])
            return logits

        with mock.patch.object(lab, 'mask_predictor', watched):
            for seed in range(count):
                before = [lab.MASK] * lab.block_size
                for step, _, after in lab.denoise(state_dict, before, random.Random(seed),
                                                  **options):
                    top = {n: share for n, share in enumerate(passed.pop())
                           if before[n] == lab.MASK}
                    chosen = [top[n] for n in top if n < len(lab.settled(after))    # none behind
                              and after[n] != lab.MASK]                             # a new PAD
                    for phase in PHASES:
                        if step in PHASES[phase]:
                            found[phase].append((mean(chosen), mean(top.values())))
                    before = after
    return {phase: tuple(map(mean, zip(*rows))) for phase, rows in found.items() if rows}

def restored(model, numbers, gpt_numbers, count):
    """{way: (share of hidden first letters found, share of any letters)}, one hidden a name."""
    lab = microdiffusion
    docs, _, vocab = names_and_vocab(lab)
    gpt_vocab = names_and_vocab(microgpt)[2]
    state_dict, gpt = model_of(lab, numbers, vocab), model_of(microgpt, gpt_numbers, gpt_vocab)
    commonest = collections.Counter([doc[0] for doc in docs]).most_common(1)[0][0]
    letters, rng = gpt_vocab[1:], random.Random(0)

    def guesses(name, n):
        hidden = lab.encode(name, vocab)
        hidden[n] = lab.MASK
        logits = lab.mask_predictor(state_dict, hidden)[n]
        yield 'diffusion, one evaluation', lambda char: logits[vocab.index(char)].data
        after = microgpt.gpt(gpt, microgpt.encode(name[:n], gpt_vocab)[:-1])[-1]
        yield 'GPT, from the letters before', lambda char: after[gpt_vocab.index(char)].data
        yield f'GPT, scoring {len(letters)} names', lambda char: -microgpt.example_nats(
            gpt, microgpt.encode(name[:n] + char + name[n + 1:], gpt_vocab), 0)
        yield f'always "{commonest}"', commonest.__eq__

    names = held_out_names(count)
    found = collections.defaultdict(lambda: [0, 0])
    lab.no_collector()
    for name in names:
        for task, n in enumerate((0, rng.randrange(len(name)))):
            for way, score in guesses(name, n):
                found[way][task] += (max(letters, key=score) == name[n]) / len(names)
    return dict(found)


# The jobs: first all models are trained and measured, then more is measured on two of them.

def models_to_train(seeds, size):
    """{label: (Model, held-out names, draws of each, samples)}; a kind alone is its default."""
    first, length, made = seeds[0], microdiffusion.block_size, {}
    for kind in LABS:
        for seed in seeds:
            label = kind if seed == first else (kind, 'seed', seed)
            made[label] = Model(kind, seed, size.steps, ALL, {}), size.names, length, size.samples
        for times in set(TIMES) - {1}:
            made[kind, 'times', times] = (Model(kind, first, round(times * size.steps), ALL, {}),
                                          size.names, 4, 0)
        for source in LISTS:
            for seed in seeds if source == FEW else [first]:
                made[kind, source, seed] = (Model(kind, seed, size.steps, source, {}),
                                            size.names, 4, size.few)
        made[kind, CLASS, first] = Model(kind, first, size.steps, CLASS, {}), 0, 0, size.few
        for times in set(CURVE) - {1}:
            made[kind, 'curve', times] = (Model(kind, first, round(times * size.steps), FEW, {}),
                                          size.names, 4, 0)
    for label, (kind, times, changes) in LEFT_OUT.items():
        made[label] = (Model(kind, first, round(times * size.steps), ALL, changes), size.names, 4,
                       size.some)
    return made

def more_jobs(made, found, size):
    """{label: (function, *arguments)} of what is measured on the first two models."""
    jobs, numbers = {}, {kind: found[kind]['numbers'] for kind in LABS}
    diffusion = made['diffusion'][0]
    jobs['bound'] = bound, diffusion, numbers['diffusion'], size.bound, size.orders
    jobs['restored'] = restored, diffusion, numbers['diffusion'], numbers['GPT'], size.questions
    for noise in NOISES:
        jobs['sureness', noise] = (sureness, diffusion, numbers['diffusion'], size.some,
                                   {'noise': noise})

    def sampling(label, kind, options, changes={}):
        model = made[kind][0]._replace(changes=changes)
        jobs[label] = sample, model, numbers[kind], size.some, options

    for kind in LABS:
        for t in set(TEMPERATURES) - {default(kind, 'temperature')}:
            sampling((kind, 'temperature', t), kind, {'temperature': t})
    for n in set(DENOISING) - {default('diffusion', 'steps')}:
        sampling(('diffusion', 'steps', n), 'diffusion', {'steps': n})
    for label in by_seed(made, 'diffusion'):
        for steps, noise in orders():
            options = {'steps': steps, 'noise': noise}
            jobs['order', steps, noise, made[label][0].seed] = (
                sample, made[label][0], found[label]['numbers'], size.samples, options)
    for label, (changes, options) in SAMPLERS.items():
        sampling(label, 'diffusion', options, changes)
    return jobs

def orders():
    """The (steps, noise) whose order of revealing is measured on the models of all seeds."""
    usual = default('diffusion', 'steps'), default('diffusion', 'noise')
    return [pair for pair in itertools.product(FEW_STEPS, (CHANCE, usual[1], 0.0))
            if pair != usual] + [(usual[0], noise) for noise in NOISES
                                 if noise not in (CHANCE, usual[1], 0.0)]

def do(jobs, pool, folder=None):
    """The results of jobs by their labels; a folder keeps them for a run after this one."""
    def path(label):
        return os.path.join(folder, re.sub(r'\W+', '-', str(label)) + '.pickle')

    start, found = time.monotonic(), {}
    for label in jobs if folder else ():
        with contextlib.suppress(FileNotFoundError), open(path(label), 'rb') as file:
            found[label] = pickle.load(file)
    futures = {pool.submit(*job): label for label, job in jobs.items() if label not in found}
    for future in concurrent.futures.as_completed(futures):
        label = futures[future]
        found[label] = future.result()
        print(f'[{time.monotonic() - start:5.0f} s] {len(found)}/{len(jobs)} {label} '
              f'{brief(found[label])}', file=sys.stderr, flush=True)
        if folder:
            with open(path(label) + '.part', 'wb') as file:
                pickle.dump(found[label], file)
            os.replace(path(label) + '.part', path(label))
    return {label: found[label] for label in jobs}

def brief(result):
    """A result in a few words, for whoever waits."""
    if isinstance(result, dict) and result.get('nats'):
        return f'{mean_nats(result):.2f} nats, {100 * result["copied"]:.0f} % copied'
    return ''


# The tables.

tables = {}                 # the rows of each, by its key

def table(key, title, heads, rows):
    """Print a table in Markdown, and remember its rows."""
    tables[key] = rows
    print(f'\n{title}\n\n| {" | ".join(heads)} |\n|{" --- |" * len(heads)}')
    for row in rows:
        print(f'| {" | ".join(map(str, row))} |')
    sys.stdout.flush()

def error(values):
    """The standard error of their mean."""
    return statistics.stdev(values) / math.sqrt(len(values))

def mean_nats(result):
    """The nats of a name, over all draws of all names."""
    return mean([nats for row in result['nats'] for nats in row.values()])

def against(found, label, kind):
    """(nats, error of the difference) of a variant of a default, by the same masks and names."""
    differences = [mean([row[k] - usual[k] for k in row])
                   for row, usual in zip(found[label]['nats'], found[kind]['nats'])]
    return mean_nats(found[kind]) + mean(differences), error(differences)

def by_seed(found, kind):
    """The labels of the models of a kind that differ in nothing but their seeds."""
    return [label for label in found if label == kind or label[:2] == (kind, 'seed')]

def held_out(found, seeds, docs, names):
    """How well each model predicts held-out names."""
    rows = []
    for kind in LABS:
        models = [found[label] for label in by_seed(found, kind)]
        nats = list(map(mean_nats, models))
        of_names = error([mean(row.values()) for row in models[0]['nats']])
        rows.append([kind, 'bound' if kind == 'diffusion' else 'exact',
                     ' '.join([f'{n:.2f}' for n in nats]), f'{mean(nats):.2f}',
                     f'{statistics.stdev(nats):.2f}' if len(nats) > 1 else '-', f'{of_names:.2f}',
                     f'{mean(nats) * len(names) / characters(names):.2f}'])
    for order, label in enumerate(('letter frequencies', 'bigrams', 'trigrams', '4-grams'), 1):
        nats = list(map(NGram(docs, order).nats, names))
        rows.append([label, 'exact', '', f'{mean(nats):.2f}', '', f'{error(nats):.2f}',
                     f'{sum(nats) / characters(names):.2f}'])
    table('held out', f'Held-out: nats per name ({len(names)} names, {microdiffusion.block_size} '
          f'draws of masks each for diffusion; seeds {" ".join(map(str, seeds))})',
          ['model', 'likelihood', 'by seed', 'mean', 'spread of seeds', 'error of names',
           'per character'], rows)

def by_masks(found):
    """How much the number of masks matters, from the same draws."""
    rows, length = found['diffusion']['nats'], microdiffusion.block_size
    table('masks', 'How much is masked: the first model of diffusion',
          [f'tokens masked of {length}', 'nats, all masked tokens', 'nats, each masked token'],
          [[k, f'{mean([row[k] for row in rows]) * k / length:.2f}',
            f'{mean([row[k] for row in rows]) / length:.2f}'] for k in (1, 2, 4, 8, 12, length)])

def samples(found, more, docs, names, size):
    """The tables of sampled names; the first is of more names, and of every seed."""
    known, judge = set(docs), NGram(docs, 4)
    heads = [*QUALITY, 'evaluations a name']

    def judged(results, count):
        evaluations = mean([evaluations for _, evaluations in results])
        return quality([texts[:count] for texts, _ in results], known, judge) + [
            f'{evaluations:.1f}']

    def of(label):
        result = found.get(label)
        return (result['texts'], result['evaluations']) if result else more[label]

    rows = []
    for kind in LABS:
        every = [of(label) for label in by_seed(found, kind)]
        rows.append([kind] + judged(every, size.samples))
        rows += [['- one model'] + judged([one], size.samples) for one in every]
    rows.append(['held-out names'] + quality([names], known, judge) + [''])
    table('samples', f'Samples at the defaults ({size.samples} of the model of each seed; nats by '
          'a 4-gram model of the training names)', ['from'] + heads, rows)

    rows = []
    for label in ('diffusion', *LEFT_OUT, *SAMPLERS, 'GPT'):
        kind = LEFT_OUT[label][0] if label in LEFT_OUT else label
        nats = ['', '']
        if label in LEFT_OUT:
            nats = [f'{number:.2f}' for number in against(found, label, kind)]
        elif label in LABS:
            nats = [f'{mean_nats(found[label]):.2f}', '']
        rows.append([label, *nats, *judged([of(label)], size.some)])
    table('left out', f'What each ingredient brings, by leaving it out ({size.some} names each)',
          ['model', 'held-out nats', 'error of the difference'] + heads, rows)

    for kind, name, key, title, values in (
            ('diffusion', 'steps', 'denoising', 'Denoising steps', DENOISING),
            ('diffusion', 'temperature', 'temperature, diffusion', 'Temperature of diffusion',
             TEMPERATURES),
            ('GPT', 'temperature', 'temperature, GPT', 'Temperature of the GPT', TEMPERATURES)):
        usual = default(kind, name)
        rows = [[value] + judged([of(kind if value == usual else (kind, name, value))], size.some)
                for value in sorted({*values, usual})]
        table(key, f'{title} ({size.some} names each)', [name] + heads, rows)

    usual_steps, usual_noise = default('diffusion', 'steps'), default('diffusion', 'noise')

    def of_order(steps, noise):
        """What the names of all models are like, in so many steps and with so much noise."""
        labels = [label for label in more if label[:3] == ('order', steps, noise)]
        return judged(list(map(of, labels or by_seed(found, 'diffusion'))), size.samples)

    names_of = f'{size.samples} names of each of {len(by_seed(found, "diffusion"))} models'
    rows = []
    for noise in NOISES:
        phases = more['sureness', noise]
        shares = [' / '.join([f'{share:.2f}' for share in phases.get(phase, ())])
                  for phase in PHASES]
        rows.append(['by chance' if noise == CHANCE else noise, *shares,
                     *of_order(usual_steps, noise)])
    table('order', f'The order of revealing: the top guess at the places chosen / at all hidden '
          f'places ({size.some} names of one model), and {names_of}',
          ['noise'] + [f'{phase} (steps {steps[0]} to {steps[-1]})'
                       for phase, steps in PHASES.items()] + heads, rows)

    rows = []
    for steps in FEW_STEPS:
        row = [steps]
        for noise in CHANCE, usual_noise, 0.0:
            figures = dict(zip(heads, of_order(steps, noise)))
            row.append(f'{figures["nats per character"]} ({figures["distinct"]})')
        rows.append(row)
    table('few steps', 'Few denoising steps, in different orders: nats per character (distinct '
          f'names), {names_of}', ['steps', 'by chance', f'noise {usual_noise}', 'noise 0'], rows)

def more_examples(found, size):
    """What more training brings to both models."""
    rows = []
    for times in TIMES:
        nats = [mean_nats(found[kind]) if times == 1 else
                against(found, (kind, 'times', times), kind)[0] for kind in LABS]
        rows.append([round(times * size.steps) * microgpt.batch_size,
                     *[f'{n:.2f}' for n in nats], f'{nats[0] - nats[1]:.2f}'])
    table('examples', 'How many examples: held-out nats', ['examples', *LABS, 'gap'], rows)

def looseness(rows):
    """How far the bound is above -log p: the mean of p over M orders comes closer to p."""
    def nats(m):
        return [mean([-math.log(mean([math.exp(min(row) - n) for n in group])) + min(row)
                      for group in zip(*[iter(row)] * m)]) for row in rows]

    bound, found = nats(1), []
    for m in (1, 4, 16, 64):
        if m <= len(rows[0]):
            less = [b - n for b, n in zip(bound, nats(m))]
            found.append([m, f'{mean(nats(m)):.2f}', f'{mean(less):.2f}', f'{error(less):.3f}'])
    table('bound', f'How loose the bound is: -log of the mean of p over M random orders '
          f'({len(rows)} names, {len(rows[0])} orders of each)',
          ['M', 'nats', 'less than the bound', 'error of the difference'], found)

def hidden_letters(more, size):
    """How often a hidden letter is found."""
    table('hidden letter',
          f'One hidden letter of {size.questions} held-out names: how often it is found',
          ['by', 'the first letter', 'any one letter'],
          [[way] + [f'{100 * share:.0f} %' for share in shares]
           for way, shares in more['restored'].items()])

def few_names(found, seeds, size):
    """What becomes of both models when the names are few and seen often."""
    def learned(source):
        return len(names_and_vocab(microgpt, source)[0])

    rows = []
    for source in (*LISTS, ALL):
        results = {kind: [found[label] for label in found if label[:2] == (kind, source)]
                   if source != ALL else [found[kind]] for kind in LABS}
        row = [learned(source), len(results['GPT'])]
        row += [f'{mean(map(mean_nats, results[kind])):.2f}' for kind in ('GPT', 'diffusion')]
        row += [f'{100 * mean([one["copied"] for one in results[kind]]):.1f}'
                for kind in ('GPT', 'diffusion')]
        rows.append(row)
    row = [learned(CLASS), 1, '', '']
    rows.insert(0, row + [f'{100 * found[kind, CLASS, seeds[0]]["copied"]:.1f}'
                          for kind in ('GPT', 'diffusion')])
    table('few names', f'Few names: {size.steps} steps of {microgpt.batch_size}, held-out '
          f'nats, and how many of {size.few} samples are copied from the names learned '
          f'({size.samples} in the last row)',
          ['names', 'seeds', 'GPT', 'diffusion', 'GPT: % copied', 'diffusion: % copied'], rows)

    rows = []
    for times in CURVE:
        steps = round(times * size.steps)
        label = ('curve', times) if times != 1 else (FEW, seeds[0])
        rows.append([steps, f'{steps * microgpt.batch_size / learned(FEW):.0f}']
                    + [f'{mean_nats(found[(kind, *label)]):.2f}' for kind in ('GPT', 'diffusion')])
    table('curve', f'{learned(FEW)} names, one training for each number of steps: '
          'held-out nats', ['steps', 'times each name is seen', 'GPT', 'diffusion'], rows)
    for column, kind in ((2, 'GPT'), (3, 'diffusion')):
        best = min(rows, key=lambda row: float(row[column]))
        print(f'\nThe best of {kind}: {best[column]} nats after {best[0]} steps')

def figures():
    """What the pictures show, in numbers, from the tables."""
    def numbers(key, *columns):
        return [[json.loads(str(row[column])) for column in columns] for row in tables[key]]

    def by_label(key, column, labels):
        return {row[0]: float(row[column]) for row in tables[key] if row[0] in labels}

    copied = next(row for row in tables['few names'] if row[2])     # of the shortest list measured
    compared = by_label('samples', -2, ['GPT', 'held-out names'])
    return {'held_out': {'microdiffusion': numbers('examples', 0, 1),
                         'microgpt': numbers('examples', 0, 2)},
            'ngrams': by_label('held out', 3, ['bigrams', 'trigrams', '4-grams']),
            'few': {'microdiffusion': numbers('curve', 0, 3), 'microgpt': numbers('curve', 0, 2)},
            'copied': {'microdiffusion': float(copied[5]), 'microgpt': float(copied[4])},
            'steps': numbers('denoising', 0, -1, -2),
            'compared': {'real names': compared['held-out names'], 'microgpt': compared['GPT']}}

def main(argv=None):
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser('python -m tests.results', description=__doc__.splitlines()[0])
    option = parser.add_argument
    option('--quick', action='store_true', help='a taste: hardly any training, one seed')
    option('--seeds', metavar='N', type=int, nargs='+', default=[7, 8, 9],
           help='of the models (7 8 9)')
    option('--processes', metavar='N', type=int, default=os.cpu_count(),
           help='how many at a time (one per processor)')
    option('--keep', metavar='FILE', help='where to keep the figures of the pictures')
    option('--jobs', metavar='FOLDER', help='that is there, for what is finished: a run that was '
           'stopped goes on from it')
    args = parser.parse_args(argv)
    size, seeds = (QUICK, args.seeds[:1]) if args.quick else (FULL, args.seeds)

    start = time.monotonic()
    made = models_to_train(seeds, size)
    with concurrent.futures.ProcessPoolExecutor(args.processes) as pool:
        slow = sorted(made, key=lambda label: (made[label][0].kind == 'GPT', -made[label][0].steps))
        found = do({label: (train, *made[label]) for label in slow}, pool, args.jobs)
        found = {label: found[label] for label in made}         # in the order of the seeds
        more = do(more_jobs(made, found, size), pool, args.jobs)

    docs, _, _ = names_and_vocab(microgpt)
    names = held_out_names(size.names)
    held_out(found, seeds, docs, names)
    by_masks(found)
    samples(found, more, docs, names, size)
    more_examples(found, size)
    looseness(more['bound'])
    hidden_letters(more, size)
    few_names(found, seeds, size)
    print(f'\n{size.steps} steps of {microgpt.batch_size} names, so that training sees a name of '
          f'names.txt {size.steps * microgpt.batch_size / len(docs):.1f} times; '
          f'{time.monotonic() - start:.0f} s with {args.processes} processes, Python '
          f'{sys.version.split()[0]}')
    if args.keep:
        with open(args.keep, 'w', encoding='utf-8') as file:
            json.dump(figures(), file)
    return 0


if __name__ == '__main__':
    sys.exit(main())

"""Measure all that the README says about quality: python -m tests.results [--quick].

Trains both programs with seeds that the defaults were not chosen on, and prints each table of the
README. Models are kept in a temporary folder while it runs; as many processes as processors.
"""
import argparse
import collections
import concurrent.futures
import functools
import gc
import math
import os
import random
import sys
import tempfile
import time

import microdiffusion as diffusion
import microgpt as left_to_right

PROGRAMS = {'diffusion': diffusion, 'GPT': left_to_right}


class NGram:
    """Character n-gram model, each order smoothed by the next lower one (Witten-Bell style).

    It judges samples from outside: it is no part of either program.
    """

    def __init__(self, docs, order, strength=5.0):
        self.order, self.strength = order, strength
        self.vocab = len(set(''.join(docs))) + 1
        self.counts, self.totals = collections.Counter(), collections.Counter()
        for doc in docs:
            for context, char in self.steps(doc):
                for start in range(order):
                    self.counts[context[start:], char] += 1
                    self.totals[context[start:]] += 1

    def steps(self, doc):
        text = '^' * (self.order - 1) + doc + '$'
        for n in range(self.order - 1, len(text)):
            yield text[n - self.order + 1:n], text[n]

    def nats(self, doc):
        """-log p(doc), its end included."""
        total = 0.0
        for context, char in self.steps(doc):
            p = 1 / self.vocab
            for start in range(self.order - 1, -1, -1):
                seen = context[start:]
                p = ((self.counts[seen, char] + self.strength * p)
                     / (self.totals[seen] + self.strength))
            total -= math.log(p)
        return total


def per_character(ngram, docs):
    return sum(map(ngram.nats, docs)) / sum(len(doc) + 1 for doc in docs)


def mean(values):
    return sum(values) / len(values)


def deviation(values):
    """Standard deviation of a sample; 0 for a single value."""
    return math.sqrt(sum((v - mean(values)) ** 2 for v in values) / max(1, len(values) - 1))


def data(count):
    """(training names, so many of the held-out names), the same ones the programs use."""
    path = os.path.join(os.path.dirname(os.path.abspath(diffusion.__file__)), 'names.txt')
    docs, held_out = diffusion.split(diffusion.read_names(path))
    return docs, random.Random(0).sample(held_out, min(count, len(held_out)))


def train(kind, seed, steps, path):
    """Train one model, as the command line does, and save it."""
    lab, (docs, _) = PROGRAMS[kind], data(1)
    rng, vocab = random.Random(seed), lab.make_vocab(docs)
    weights = lab.make_weights(len(vocab), rng)
    for _ in lab.train(weights, [lab.encode(doc, vocab) for doc in docs], rng, steps):
        pass
    lab.save(path, weights, vocab)


def held_out(kind, path, count, draws):
    """(mean nats, error from the draws, error from the names) of so many held-out names.

    Every draw is a pass over all names, so that the spread between the passes is the draws' own.
    """
    lab, (_, docs) = PROGRAMS[kind], data(count)
    weights, vocab = lab.load(path)
    tokens = [lab.encode(doc, vocab) for doc in docs]
    rng, passes = random.Random(0), []
    for draw in range(draws if lab is diffusion else 1):
        turn = draw % len(tokens)           # another k for each name
        nats = list(lab.held_out_nats(weights, tokens[turn:] + tokens[:turn], rng))
        passes.append(nats[len(nats) - turn:] + nats[:len(nats) - turn])
    by_name = [mean(nats) for nats in zip(*passes)]
    return (mean(by_name), deviation([mean(nats) for nats in passes]) / math.sqrt(len(passes)),
            deviation(by_name) / math.sqrt(len(by_name)))


def by_masked(path, count):
    """{k: mean cross-entropy of a token when k of the 16 are masked}."""
    _, docs = data(count)
    weights, vocab = diffusion.load(path)
    rng, out = random.Random(0), {}
    for k in (1, 2, 4, 8, 12, 16):
        terms = []
        for doc in docs:
            tokens = diffusion.encode(doc, vocab)
            hidden = rng.sample(range(len(tokens)), k)
            noisy = [diffusion.MASK if n in hidden else t for n, t in enumerate(tokens)]
            terms += [v.data for v in diffusion.cross_entropies(weights, noisy, tokens)]
        out[k] = mean(terms)
    return out


def sample(kind, path, count, seed, **options):
    """(texts with their PADs, evaluations per name)."""
    lab = PROGRAMS[kind]
    weights, vocab = lab.load(path)
    rng, texts, evaluations = random.Random(seed), [], 0
    for _ in range(count):
        if lab is left_to_right:
            tokens = lab.generate(weights, [], rng, **options)
            evaluations += min(len(tokens) + 1, lab.block_size - 1)
        else:
            for _, _, tokens in lab.denoise(weights, [lab.MASK] * lab.block_size, rng, **options):
                evaluations += 1
        texts.append(lab.decode(tokens, vocab))
    return texts, evaluations / count


def agreement(path, count):
    """[(reveals of a step, share that confidence without noise would choose too, chance)]."""
    weights, vocab = diffusion.load(path)
    rng, hits = random.Random(1), collections.defaultdict(list)
    for _ in range(count):
        before = [diffusion.MASK] * diffusion.block_size
        for step, _, after in diffusion.denoise(weights, before, rng):
            masked = [n for n, token in enumerate(before) if token == diffusion.MASK]
            sure = {}
            for n, logits in zip(masked, diffusion.mask_predictor(weights, before, masked)):
                options = [logits[t] for t in diffusion.allowed(before, n, 0, len(vocab))]
                sure[n] = max(z.data for z in options) - diffusion.logsumexp(options).data
            revealed = [n for n in masked if after[n] != diffusion.MASK]
            chosen = sorted(masked, key=sure.get, reverse=True)[:len(revealed)]
            hits[step].append((len(revealed), len(set(revealed) & set(chosen)) / len(revealed),
                               len(revealed) / len(masked)))
            before = after
    return {step: [mean(column) for column in zip(*rows)] for step, rows in hits.items()}


def restored(diffusion_path, gpt_path, count):
    """{(task, way): share of hidden letters found}, one hidden letter a name."""
    docs, names = data(count)
    weights, vocab = diffusion.load(diffusion_path)
    gpt_weights, gpt_vocab = left_to_right.load(gpt_path)
    letters, rng = gpt_vocab[1:], random.Random(0)
    commonest = collections.Counter(doc[0] for doc in docs).most_common(1)[0][0]
    right = collections.Counter()

    def gpt_logits(text):
        tokens = [left_to_right.BOS] + [gpt_vocab.index(char) for char in text]
        return left_to_right.gpt(gpt_weights, tokens)

    def gpt_nats(doc):
        return sum(left_to_right.cross_entropies(
            gpt_weights, left_to_right.encode(doc, gpt_vocab))).data
    for name in names:
        for task, n in (('first', 0), ('any', rng.randrange(len(name)))):
            tokens = diffusion.encode(name, vocab)
            tokens[n] = diffusion.MASK
            [logits] = diffusion.mask_predictor(weights, tokens, [n])
            best = max(letters, key=lambda char: logits[vocab.index(char)].data)
            right[task, 'diffusion, one evaluation'] += best == name[n]
            logits = gpt_logits(name[:n])[-1]
            best = max(letters, key=lambda char: logits[gpt_vocab.index(char)].data)
            right[task, 'GPT, from the letters before'] += best == name[n]
            best = min(letters, key=lambda char: gpt_nats(name[:n] + char + name[n + 1:]))
            right[task, f'GPT, scoring {len(letters)} names'] += best == name[n]
            right[task, f'always "{commonest}"'] += commonest == name[n]
    return {key: hits / len(names) for key, hits in right.items()}


def quality(texts, docs, ngram):
    """A row of figures on sampled texts."""
    names = [text.split('.')[0] for text in texts]
    broken = sum(text.rstrip('.') != name for text, name in zip(texts, names))
    return [f'{100 * len(set(names)) / len(names):.1f} %',
            f'{100 * mean([name in docs for name in names]):.0f} %', f'{broken}',
            f'{mean([len(name) for name in names]):.2f}', f'{per_character(ngram, names):.2f}']


def table(title, heads, rows):
    """Print a table in Markdown."""
    print(f'\n{title}\n\n| {" | ".join(heads)} |\n|{" --- |" * len(heads)}')
    for row in rows:
        print(f'| {" | ".join(map(str, row))} |')
    sys.stdout.flush()


def without_collector(function, *args, **options):
    gc.disable()                            # as the programs do while they train
    return function(*args, **options)


def main(argv=None):
    parser = argparse.ArgumentParser('python -m tests.results', description=__doc__.splitlines()[0])
    parser.add_argument('--quick', action='store_true', help='a taste: 500 steps, 1 seed, 100 names')
    parser.add_argument('--seeds', metavar='N', type=int, nargs='+', default=[1, 2, 3],
                        help='of the models (1 2 3)')
    parser.add_argument('--processes', metavar='N', type=int, default=os.cpu_count(),
                        help='how many at a time (one per processor)')
    args = parser.parse_args(argv)
    steps, count, few = (500, 100, 20) if args.quick else (2000, 1000, 200)
    seeds = args.seeds[:1] if args.quick else args.seeds
    start, done = time.time(), []
    docs, names = data(count)
    known = set(docs)
    judge = NGram(docs, 4)

    def progress(label):
        done.append(label)
        print(f'[{time.time() - start:5.0f} s] {len(done)}/{total} {label}', file=sys.stderr,
              flush=True)

    with tempfile.TemporaryDirectory() as folder, \
            concurrent.futures.ProcessPoolExecutor(args.processes) as pool:
        def submit(label, function, *arguments, **options):
            future = pool.submit(without_collector, function, *arguments, **options)
            future.add_done_callback(lambda _: progress(label))
            return future

        def path(kind, seed):
            return os.path.join(folder, f'{kind}-{seed}.json')
        first = functools.partial(path, seed=seeds[0])
        models = [(kind, seed) for seed in seeds for kind in PROGRAMS]
        samplers = {'default': {}}
        samplers.update({f'{n} steps': {'steps': n} for n in (1, 2, 4, 8, 16)})
        samplers.update({f'T = {t}': {'temperature': t} for t in (0.6, 0.8, 1.0, 1.3, 1.6)})
        samplers.update({'noise 4.5': {}, 'noise 0': {'noise': 0.0}, 'random': {'noise': 1e6}})
        total = 2 * len(models) + len(samplers) + 4
        training = [submit(f'trained {kind}, seed {seed}', train, kind, seed, steps,
                           path(kind, seed)) for kind, seed in models]
        for future in training:
            future.result()
        yardstick = {(kind, seed): submit(f'held-out names, {kind}, seed {seed}', held_out, kind,
                                          path(kind, seed), count, 32) for kind, seed in models}
        hidden = submit('hidden letters', restored, first('diffusion'), first('GPT'), count // 2)
        masked = submit('tokens masked', by_masked, first('diffusion'), count)
        agreeing = submit('confidence', agreement, first('diffusion'), few)
        drawn = {label: submit(f'samples, {label}', sample, 'diffusion', first('diffusion'),
                               count if label == 'default' else few, 7, **options)
                 for label, options in samplers.items()}
        drawn['GPT'] = submit('samples, GPT', sample, 'GPT', first('GPT'), count, 7)

        rows = []
        for kind in PROGRAMS:
            figures = [yardstick[kind, seed].result() for seed in seeds]
            nats = [figure[0] for figure in figures]
            rows.append([kind, 'bound' if kind == 'diffusion' else 'exact',
                         ' '.join(f'{n:.2f}' for n in nats), f'{mean(nats):.2f}',
                         f'{deviation(nats):.2f}' if len(nats) > 1 else '-',
                         f'{mean([figure[1] for figure in figures]):.2f}',
                         f'{mean([figure[2] for figure in figures]):.2f}',
                         f'{mean(nats) * len(names) / sum(len(d) + 1 for d in names):.2f}'])
        for order, label in ((1, 'letter frequencies'), (2, 'bigrams'), (3, 'trigrams'),
                             (4, '4-grams')):
            nats = list(map(NGram(docs, order).nats, names))
            rows.append([label, 'exact', '', f'{mean(nats):.2f}', '', '',
                         f'{deviation(nats) / math.sqrt(len(nats)):.2f}',
                         f'{sum(nats) / sum(len(d) + 1 for d in names):.2f}'])
        table(f'Held-out: nats per name ({steps} steps of 4 names, {len(names)} held-out names, '
              f'32 draws; seeds {" ".join(map(str, seeds))})',
              ['model', 'likelihood', 'by seed', 'mean', 'spread of seeds', 'error of draws',
               'error of names', 'per character'], rows)
        table('How much is masked: nats per masked token', ['tokens masked of 16', 'nats'],
              [[k, f'{nats:.2f}'] for k, nats in masked.result().items()])

        heads = ['distinct', 'in the training names', 'broken', 'mean length', 'nats per character']
        texts = {label: future.result() for label, future in drawn.items()}
        table(f'Samples ({count}; judged by a 4-gram model of the training names)', ['from'] + heads,
              [['diffusion'] + quality(texts['default'][0], known, judge),
               ['GPT'] + quality(texts['GPT'][0], known, judge),
               ['held-out names'] + quality(names, known, judge)])
        table(f'Denoising steps ({few} samples each)', ['steps', 'evaluations'] + heads,
              [[label.split()[0], f'{texts[label][1]:.0f}'] + quality(texts[label][0], known, judge)
               for label in texts if label.endswith(' steps')])
        table(f'First temperature ({few} samples each)', ['T'] + heads,
              [[label[4:]] + quality(texts[label][0], known, judge)
               for label in texts if label.startswith('T = ')])
        table(f'Order of revealing ({few} samples each)', ['order'] + heads,
              [[order] + quality(texts[label][0], known, judge) for label, order in (
                  ('noise 0', 'strict confidence'), ('noise 4.5', 'confidence and noise (default)'),
                  ('random', 'random'))])
        table('Reveals that confidence without noise would choose too (chance in brackets)',
              ['step', 'tokens revealed', 'share'],
              [[step, f'{n:.0f}', f'{100 * share:.0f} % ({100 * chance:.0f} %)']
               for step, (n, share, chance) in sorted(agreeing.result().items())])
        found = hidden.result()
        ways = list(dict.fromkeys(way for _, way in found))
        table(f'One hidden letter of {count // 2} held-out names: how often it is found',
              ['by', 'the first letter', 'any one letter'],
              [[way] + [f'{100 * found[task, way]:.0f} %' for task in ('first', 'any')]
               for way in ways])
    print(f'\n{time.time() - start:.0f} s with {args.processes} processes, '
          f'Python {sys.version.split()[0]}')


if __name__ == '__main__':
    main()

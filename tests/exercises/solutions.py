"""STOP: this file has the answers to the exercises. Look here when yours is done, or given up.

For each exercise: a reference solution, and wrong ones such as students hand in, each with the slip
in a word or two. A solution is a list of edits (file, old, new); old stands exactly once in its
file. New functions go before one that the programs have; that is the `BEFORE_...` below.
"""
GPT, DIFFUSION = 'microgpt.py', 'microdiffusion.py'
BEFORE_YARDSTICK = 'def held_out_nats(state_dict, examples, rng, draws=1):\n'
BEFORE_ADAM = 'class Adam:\n'

def both(old, new): return [(GPT, old, new), (DIFFUSION, old, new)]
def insert(file, before, code): return [(file, before, code.lstrip('\n') + before)]
def diffusion(*edits): return [(DIFFUSION, old, new) for old, new in edits]
def answer(file, text): return [(file, 'answer = None', 'answer = ' + text)]

reference, wrong = {}, {}

# Easy.
RELU = '    def relu(self):'
TANH = '    def tanh(self): return Value(math.tanh(self.data), (self,), (1 - {} ** 2,))\n'
reference['e01_tanh'] = both(RELU, TANH.format('math.tanh(self.data)') + RELU)
wrong['e01_tanh'] = {
    'the derivative takes x for tanh(x)': both(RELU, TANH.format('self.data') + RELU),
    'microgpt.py only': reference['e01_tanh'][:1],
    'microdiffusion.py only': reference['e01_tanh'][1:],
    'made of exp, which overflows': both(RELU, '''\
    def tanh(self): return ((self * 2).exp() - 1) / ((self * 2).exp() + 1)
''' + RELU)}

reference['e02_order'] = answer('e02_order.py', '12')
wrong['e02_order'] = {
    'the right derivative': answer('e02_order.py', '6'),
    'b.grad is whole each time': answer('e02_order.py', '3 * 2 * 3')}

reference['e03_parameters'] = answer('e03_parameters.py', '(39360, 38400, 150528)')
wrong['e03_parameters'] = {
    'wte counted twice': answer('e03_parameters.py', '(39360, 39424, 152576)'),
    'four times as many at twice the width': answer('e03_parameters.py', '(39360, 38400, 153600)'),
    'two of three numbers': answer('e03_parameters.py', '(39360, 38400)')}

reference['e04_first_loss'] = [
    ('e04_first_loss.py', 'import microdiffusion,', 'import math, microdiffusion,'),
    ('e04_first_loss.py', 'answer = None', 'answer = 9 * math.log(21), 16 * 0.6 * math.log(21)')]
wrong['e04_first_loss'] = {
    'as if all were masked': answer('e04_first_loss.py', '(27.4, 48.7)'),
    'the end is no token': answer('e04_first_loss.py', '(24.4, 29.2)'),
    '26 letters': answer('e04_first_loss.py', '(29.7, 31.6)'),
    't_min as it is': answer('e04_first_loss.py', '(27.4, 39.0)'),
    'the masked tokens, without ln(1/t_min)': answer('e04_first_loss.py', '(27.4, 31.9)')}

LEFT = 'left = math.floor(total * math.cos(math.pi / 2 * i / steps) + 1e-9)'
reference['e05_linear_schedule'] = diffusion((LEFT, 'left = total * (steps - i) // steps'))
wrong['e05_linear_schedule'] = {
    'a share of the masks left': diffusion((LEFT, 'left = len(masked) * (steps - i) // steps')),
    'without the 1e-9': diffusion((LEFT, 'left = math.floor(total * (1 - i / steps))')),
    'counts from 0': diffusion((LEFT, 'left = total * (steps - i + 1) // steps'))}

SURE = 'masked.sort(key=confidence.get, reverse=True)'
reference['e06_left_to_right'] = diffusion((SURE, 'masked.sort()'))
wrong['e06_left_to_right'] = {
    'right to left': diffusion((SURE, 'masked.sort(reverse=True)')),
    'the least sure': diffusion((SURE, 'masked.sort(key=confidence.get)'))}

# Medium.
GENERATE = [(GPT, 'temperature=0.5):\n', 'temperature=0.5, min_p=0.0):\n')]
DRAW = 'new = rng.choices(range(len(probs)), [p.data for p in probs])'
def min_p(condition):
    return GENERATE + [(GPT, DRAW, f'''probs = [p.data for p in probs]
        probs = [p if {condition} else 0.0 for p in probs]
        new = rng.choices(range(len(probs)), probs)''')]
reference['e07_min_p'] = min_p('p >= min_p * max(probs)')
wrong['e07_min_p'] = {
    'an absolute limit': min_p('p >= min_p * sum(probs)'),
    'the limit before the temperature': min_p(
        'p ** temperature >= min_p * max(probs) ** temperature'),
    'drawn evenly from what is left': GENERATE + [(GPT, DRAW, '''best = max([p.data for p in probs])
        kept = [n for n, p in enumerate(probs) if p.data >= min_p * best]
        new = rng.choices(kept)''')]}

def fill_blank(price):
    return insert(GPT, BEFORE_YARDSTICK, f'''
def fill_blank(state_dict, vocab, pattern):
    """The probability of each letter in the place of the _ of a pattern, given all the rest."""
    nats, blank = [], pattern.index('_')
    for letter in vocab[1:]:
        tokens = encode(pattern.replace('_', letter), vocab)
        costs = cross_entropies(state_dict, tokens)
        nats.append({price})
    return {{letter: p.data for letter, p in zip(vocab[1:], softmax([-n for n in nats]))}}
''')
reference['e08_fill_blank'] = fill_blank('sum(costs)')
wrong['e08_fill_blank'] = {
    'nothing after the blank counts': fill_blank('costs[blank]'),
    'the end is left out': fill_blank('sum(costs[:-1], Value(0.0))')}

RETURN = 'return sum(cross_entropies(state_dict, noisy, tokens)) * math.log(1 / t_min)'
WHILE = 'while MASK not in noisy:                #'
COSTS = 'return [logsumexp(z) - z[clean[n]] for z, n in zip(logits, masked)]'
PAD_OUT = '''letters = len(tokens) - tokens.count(PAD)
    while MASK not in noisy[:letters]:      #'''
reference['e09_pad_out'] = diffusion((WHILE, PAD_OUT), (RETURN, '''\
costs = cross_entropies(state_dict, noisy, tokens)[:noisy[:letters].count(MASK)]
    return sum(costs) * math.log(1 / t_min)'''))
wrong['e09_pad_out'] = {
    'PADs are not masked': diffusion(
        ('return [MASK if rng.random() < t else token for token in tokens]',
         'return [MASK if token != PAD and rng.random() < t else token for token in tokens]')),
    'the evaluation too': diffusion((WHILE, PAD_OUT), (COSTS, '''\
return [logsumexp(z) - z[clean[n]] for z, n in zip(logits, masked) if clean[n] != PAD]''')),
    'nothing drawn again': diffusion((RETURN, '''\
costs = cross_entropies(state_dict, noisy, tokens)
    letters = [token for token, seen in zip(tokens, noisy) if seen == MASK]
    costs = [cost for cost, token in zip(costs, letters) if token != PAD]
    return sum(costs) * math.log(1 / t_min)'''))}

reference['e10_mean_loss'] = answer('e10_mean_loss.py', '(0.375, 0.587)')
wrong['e10_mean_loss'] = {
    'the other way round': answer('e10_mean_loss.py', '(0.587, 0.375)'),
    't drawn evenly from 0.2 to 1': answer('e10_mean_loss.py', '(0.234, 0.411)')}

CONFIDENCE = 'confidence = {}'
BEST = 'best = max([z.data for z in options]) - logsumexp(options).data'
REVEAL = 'tokens[n] = rng.choices(choices, [p.data for p in probs])[0]'
NOISE = 'confidence[n] = best + noise * left / total * gumbel'
OPTIONS = '[z / heat for z in options]'
def judged(best, reveal, options=OPTIONS, draw='drawn[n]', noise=NOISE):
    return diffusion((CONFIDENCE, 'confidence, drawn = {}, {}'), (BEST, f'''\
choices = allowed(tokens, n, letters, vocab_size)
            probs = softmax({options})
            {draw} = rng.choices(choices, [p.data for p in probs])[0]
            {best}'''), (NOISE, noise), (REVEAL, reveal))
AGAIN = 'if drawn[n] in choices: tokens[n] = drawn[n]\n            else: ' + REVEAL
OF_DRAWN = 'best = logits[n][drawn[n]].data - logsumexp(options).data'
reference['e11_token_confidence'] = judged(OF_DRAWN, AGAIN)
wrong['e11_token_confidence'] = {
    'another token is put in': judged(OF_DRAWN, REVEAL),
    'none is drawn again': judged(OF_DRAWN, 'tokens[n] = drawn[n]'),
    'drawn again at temperature 1': judged(OF_DRAWN, AGAIN.replace(
        'p.data for p in probs', 'p.data ** heat for p in probs')),
    'drawn at temperature 1': judged(OF_DRAWN, AGAIN, 'options'),
    'each put in at once': judged(OF_DRAWN, AGAIN, draw='tokens[n] = drawn[n]'),
    'no noise': judged(OF_DRAWN, AGAIN, noise='confidence[n] = best'),
    'noise that does not fade': judged(OF_DRAWN, AGAIN,
                                       noise='confidence[n] = best + noise * gumbel'),
    'among the whole vocabulary': judged(OF_DRAWN.replace('options', 'logits[n]'), AGAIN),
    'of the likeliest token': judged(BEST, AGAIN),
    'at the heat': judged('best = math.log(probs[choices.index(drawn[n])].data)', AGAIN)}

INPUT = 'xs = [rmsnorm(x) for x in add([wte[token] for token in tokens], wpe)]'
TABLES = ("state_dict = {'wte': matrix(vocab_size), 'wpe': matrix(block_size)}\n",
          "state_dict = {'wte': matrix(vocab_size), 'wpe': matrix(block_size)}\n"
          "    for side in ('left', 'right'): state_dict[side] = matrix(vocab_size)\n")
def neighbours(left, right):
    return diffusion(TABLES, (INPUT, f'''nothing = [Value(0.0)] * n_embd
    left, right = state_dict['left'], state_dict['right']
    xs = add([wte[token] for token in tokens], wpe)
    xs = add(xs, {left})
    xs = add(xs, {right})
    xs = [rmsnorm(x) for x in xs]'''))
LEFT_OF = '[nothing] + [left[token] for token in tokens[:-1]]'
RIGHT_OF = '[right[token] for token in tokens[1:]] + [nothing]'
WRAPPED = '[left[tokens[n - 1]] for n in range(len(tokens))]'
reference['e12_neighbours'] = neighbours(LEFT_OF, RIGHT_OF)
wrong['e12_neighbours'] = {
    'the first sees the last': neighbours(WRAPPED, RIGHT_OF),
    'left is as right': diffusion((INPUT, '''nothing = [Value(0.0)] * n_embd
    xs = add([wte[token] for token in tokens], wpe)
    xs = add(xs, [nothing] + [wte[token] for token in tokens[:-1]])
    xs = add(xs, [wte[token] for token in tokens[1:]] + [nothing])
    xs = [rmsnorm(x) for x in xs]''')),
    'left only': neighbours(LEFT_OF, '[nothing] * len(tokens)')}

# Hard.
reference['e13_best_name'] = insert(GPT, BEFORE_YARDSTICK, '''
def best_name(state_dict, vocab):
    """The likeliest of all names and its nats: the cheapest beginning is always continued first."""
    from heapq import heappop, heappush
    heap = [(0.0, [BOS])]
    while True:
        nats, tokens = heappop(heap)
        if len(tokens) > 1 and tokens[-1] == BOS: return decode(tokens[1:-1], vocab), nats
        logits = gpt(state_dict, tokens)[-1]
        total = logsumexp(logits).data
        for token, z in enumerate(logits):
            if token == BOS or len(tokens) < block_size:
                heappush(heap, (nats + total - z.data, tokens + [token]))
''')
wrong['e13_best_name'] = {
    'the likeliest letter each time': insert(GPT, BEFORE_YARDSTICK, '''
def best_name(state_dict, vocab):
    nats, tokens = 0.0, [BOS]
    while True:
        logits = gpt(state_dict, tokens)[-1]
        options = range(len(logits)) if len(tokens) < block_size else [BOS]
        best = max(options, key=lambda token: logits[token].data)
        nats += logsumexp(logits).data - logits[best].data
        if best == BOS: return decode(tokens[1:], vocab), nats
        tokens.append(best)
'''),
    'all names': insert(GPT, BEFORE_YARDSTICK, '''
def best_name(state_dict, vocab):
    names, ends = [''], []
    for _ in range(block_size):
        ends += names
        names = [name + letter for name in names for letter in vocab[1:]]
    costs = {name: example_loss(state_dict, encode(name, vocab), None).data for name in ends}
    best = min(costs, key=costs.get)
    return best, costs[best]
'''),
    'the end of the longest names costs nothing': [(f, old, new.replace(
        'if len(tokens) > 1 and tokens[-1] == BOS:',
        'if len(tokens) == block_size: return decode(tokens[1:], vocab), nats\n'
        '        if len(tokens) > 1 and tokens[-1] == BOS:'))
        for f, old, new in reference['e13_best_name']]}

def exact_nats(p, nats='-math.log(sum(ps) / len(ps))', result='bound, nats'):
    return insert(DIFFUSION, BEFORE_YARDSTICK, f'''
def exact_nats(state_dict, tokens):
    """The bound on the nats of a name, and the nats, by all orders of revealing its tokens."""
    from itertools import permutations
    costs, ps = {{}}, []
    for order in permutations(range(len(tokens))):
        total = 0.0
        for k, n in enumerate(order):
            hidden = frozenset({p})
            if hidden not in costs:
                noisy = [MASK if m in hidden else token for m, token in enumerate(tokens)]
                values = cross_entropies(state_dict, noisy, tokens)
                costs[hidden] = dict(zip(sorted(hidden), values))
            total += costs[hidden][n].data
        ps.append(math.exp(-total))
    bound = -sum([math.log(p) for p in ps]) / len(ps)
    nats = {nats}
    return {result}
''')
reference['e14_all_orders'] = exact_nats('order[k:]')
wrong['e14_all_orders'] = {
    'the log inside the mean': exact_nats('order[k:]', 'sum([-math.log(p) for p in ps]) / len(ps)'),
    'all hidden each time': exact_nats('order'),
    'the two the other way round': exact_nats('order[k:]', result='nats, bound'),
    'a sum over orders': exact_nats('order[k:]', '-math.log(sum(ps))')}

EVALUATE = 'logits = dict(zip(masked, mask_predictor(state_dict, tokens, masked)))'
KNOWN = "total, vocab_size = len(masked), len(state_dict['wte'])"
def guidance(base, blank):
    return diffusion(
        ('letters=0, noise=4.5):\n', 'letters=0, noise=4.5,\n            guidance=0.0):\n'),
        (KNOWN, KNOWN + '\n    given = [n for n, token in enumerate(tokens) if token != MASK]'),
        (EVALUATE, EVALUATE + f'''
        if guidance:
            blank = {blank}
            without = mask_predictor(state_dict, blank, masked)
            for n, free in zip(masked, without):
                logits[n] = [{base} + (z - u) * guidance for z, u in zip(logits[n], free)]'''))
BLANK = '[MASK if n in given else token for n, token in enumerate(tokens)]'
reference['e15_guidance'] = guidance('z', BLANK)
wrong['e15_guidance'] = {
    'from the unguided logits': guidance('u', BLANK),
    'everything is masked': guidance('z', '[MASK] * len(tokens)'),
    'the PADs stay': guidance('z', BLANK.replace('n in given', 'n in given and token != PAD')),
    'the confidence is not guided': guidance('z', BLANK) + diffusion(
        (BEST, '''plain = [z.data for z in mask_predictor(state_dict, tokens, [n])[0]]
            plain = [Value(plain[token]) for token in allowed(tokens, n, letters, vocab_size)]
            best = max([z.data for z in plain]) - logsumexp(plain).data'''))}

def blocks(part, rest):
    return diffusion(
        ('letters=0, noise=4.5):\n', 'letters=0, noise=4.5,\n            where=None):\n'),
        ('    masked = [n for n, token in enumerate(tokens) if token == MASK]\n', '''\
    where = range(len(tokens)) if where is None else where
    masked = [n for n, token in enumerate(tokens) if token == MASK and n in where]
''')) + insert(DIFFUSION, BEFORE_YARDSTICK, f'''
def denoise_blocks(state_dict, tokens, rng, size=4, steps=2, temperature=1.0, letters=0, noise=4.5):
    """Fill in the MASKs block by block, from left to right; yields what denoise yields."""
    for start in range(0, len(tokens), size):
        for i, heat, done in denoise(state_dict, {part}, rng, steps, temperature,
                                     letters, noise, range(start, start + size)):
            tokens = done + {rest}
            yield i, heat, tokens
''')
reference['e16_blocks'] = blocks('tokens', '[]')
wrong['e16_blocks'] = {
    'later blocks are cut off': blocks('tokens[:start + size]', 'tokens[start + size:]'),
    'all at once': insert(DIFFUSION, BEFORE_YARDSTICK, '''
def denoise_blocks(state_dict, tokens, rng, size=4, steps=2, temperature=1.0, letters=0, noise=4.5):
    steps *= -(-len(tokens) // size)
    yield from denoise(state_dict, tokens, rng, steps, temperature, letters, noise)
''')}

VECTORS = "add([wte[token] for token in tokens], state_dict['wpe'])"
ONCE = '''\
    [hidden] = linear([sum(xs, [])], state_dict['mlp_fc1'])
    for n in wanted:
        rows = state_dict['mlp_fc2'][n * n_embd:(n + 1) * n_embd]'''
EACH = '''\
    for n in wanted:
        [hidden] = linear([xs[n]], state_dict['mlp_fc1'])
        rows = state_dict['mlp_fc2']'''
def mlp(body=ONCE, width='n_embd * block_size', zero='Value(-1e6)', vectors=VECTORS, logits='z'):
    # As text edits go, the new functions take the place of the old ones by standing below them.
    return insert(DIFFUSION, BEFORE_ADAM, f'''
def make_weights(vocab_size, rng):
    """The state_dict: every weight matrix, as rows of Values, by its name."""
    def matrix(rows, columns=n_embd):
        return [[Value(rng.gauss(0, 0.08)) for _ in range(columns)] for _ in range(rows)]
    return {{'wte': matrix(vocab_size), 'wpe': matrix(block_size),
            'mlp_fc1': matrix(4 * n_embd, {width}),
            'mlp_fc2': matrix({width}, 4 * n_embd)}}
def mask_predictor(state_dict, tokens, wanted=None):
    """The logits over the vocabulary at each of the wanted positions (default: all of them)."""
    wanted = range(len(tokens)) if wanted is None else wanted
    wte, out = state_dict['wte'], []
    xs = [rmsnorm(x) for x in {vectors}]
{body}
        change = linear([[value.relu() for value in hidden]], rows)
        [z] = linear(add([xs[n]], change), wte)
        out.append({logits})
    for z in out: z[MASK] = {zero}
    return out
''')
reference['e17_mlp'] = mlp()
wrong['e17_mlp'] = {
    'each position by itself': mlp(EACH, 'n_embd'),
    'MASK can be guessed': mlp(zero='z[MASK]'),
    'wanted is not heeded': mlp(ONCE.replace('wanted', 'range(len(tokens))')),
    'wpe is made but not used': mlp(vectors='[wte[token] for token in tokens]'),
    'logits cut off from what they come from': mlp(logits='[Value(v.data) for v in z]')}

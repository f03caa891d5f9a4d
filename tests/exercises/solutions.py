"""STOP: this file has the answers to the exercises. Look here when yours is done, or given up.

For each exercise: a reference solution, and wrong ones such as students hand in. Each wrong one has
words that the checker's answer must have where it says where to look. A solution is a list of edits
(file, old, new): old stands exactly once in its file, and new takes its place.
"""
GPT = 'microgpt.py'
DIFFUSION = 'microdiffusion.py'

reference = {}
wrong = {}
tried = {}                  # further edits that the text asks for, to try a solution


def gpt(*edits):
    """Edits of microgpt.py."""
    return [(GPT, old, new) for old, new in edits]

def diffusion(*edits):
    """Edits of microdiffusion.py."""
    return [(DIFFUSION, old, new) for old, new in edits]

def both(*edits):
    """The same edits of both programs."""
    return gpt(*edits) + diffusion(*edits)

def function(file, code):
    """A new function, which stands before part 10."""
    place = '# 10. The yardstick'
    return [(file, place, code.lstrip('\n') + '\n\n' + place)]

def answer(name, text):
    """An answer to a question."""
    return [(name + '.py', 'answer = None', 'answer = ' + text)]

def with_edit(edits, old, new):
    """The edits, changed in one place of what they put in."""
    assert any(old in text for _, _, text in edits), old
    return [(file, place, text.replace(old, new)) for file, place, text in edits]


# 1

RELU = '    def relu(self): '

def tanh(text):
    """An edit that gives Value this method before relu."""
    return RELU, f'    def tanh(self): return {text}\n{RELU}'

TANH = tanh('Value(math.tanh(self.data), (self,), (1 - math.tanh(self.data) ** 2,))')
reference['e01_tanh'] = both(TANH)
wrong['e01_tanh'] = {
    'no comma after the local gradient': (
        both(tanh('Value(math.tanh(self.data), (self,), (1 - math.tanh(self.data) ** 2))')),
        'the comma'),
    'the derivative takes x for tanh(x)': (
        both(tanh('Value(math.tanh(self.data), (self,), (1 - self.data ** 2,))')),
        '1 - tanh(x) ** 2'),
    'no local gradient': (both(tanh('Value(math.tanh(self.data), (self,))')), 'third argument'),
    'tanh of itself in its own gradient': (
        both(tanh('Value(math.tanh(self.data), (self,), (1 - self.tanh() ** 2,))')),
        'calls itself'),
    'a float, not a Value': (both(tanh('math.tanh(self.data)')), 'what tanh returns'),
    'a Value is given to math.tanh': (
        both(tanh('Value(math.tanh(self), (self,), (1 - math.tanh(self) ** 2,))')), 'a number'),
    'one program only': (gpt(TANH), 'class Value in microdiffusion.py'),
    'made of exp, which overflows': (
        both(tanh('((self * 2).exp() - 1) / ((self * 2).exp() + 1)')), 'math.tanh')}


# 2

reference['e02_class_list'] = answer('e02_class_list', '97, 40, 5, 175')
wrong['e02_class_list'] = {
    'the other way round': (answer('e02_class_list', '40, 97, 5, 175'), 'which is which'),
    'the end is not guessed': (answer('e02_class_list', '97, 40, 4, 175'), 'the end'),
    'letters only': (answer('e02_class_list', '97, 40, 5, 16'), 'the PADs'),
    'all that can be hidden': (
        answer('e02_class_list', '97, 40, 5, 2 ** 14'), 'the first visible PAD'),
    'with what is no puzzle': (answer('e02_class_list', '97, 40, 5, 176'), 'left to guess'),
    'always a hidden letter': (
        answer('e02_class_list', '97, 40, 5, 165'), 'all letters are visible'),
    'always a visible PAD': (answer('e02_class_list', '97, 40, 5, 160'), 'none of them'),
    'three numbers': (answer('e02_class_list', '97, 40, 5'), 'the line `answer')}


# 3

SUREST = 'surest = sorted(confidence, key=confidence.get, reverse=True)[:count]'
reference['e03_left_to_right'] = diffusion((SUREST, 'surest = sorted(confidence)[:count]'))
wrong['e03_left_to_right'] = {
    'right to left': (
        diffusion((SUREST, 'surest = sorted(confidence, reverse=True)[:count]')), 'which end'),
    'cut from the end': (diffusion((SUREST, 'surest = sorted(confidence)[-count:]')), 'which end'),
    'the least sure': (
        diffusion((SUREST, 'surest = sorted(confidence, key=confidence.get)[:count]')),
        'the place'),
    'places that are not masked': (
        diffusion((SUREST, 'surest = list(range(count))')), 'only masked places'),
    'an assert of the student': (
        diffusion((SUREST, 'assert not confidence\n        surest = sorted(confidence)[:count]')),
        'the line above, then'),
    'a program that stops': (
        diffusion((SUREST, 'raise SystemExit')), 'the line above, then'),
    'another parameter': (
        diffusion(('steps=20, temperature=0.9', '*, steps=20, temperature=0.9')),
        'what your function takes'),
    'as many as are left': (
        diffusion((SUREST, 'surest = sorted(confidence)[:left]')), 'how many it takes'),
    'places with their confidence': (
        diffusion((SUREST, 'surest = sorted(confidence.items())[:count]')), 'a list of indexes'),
    'one place': (diffusion((SUREST, 'surest = min(confidence)')), 'a list of indexes'),
    'places as text': (
        diffusion((SUREST, 'surest = sorted(map(str, confidence))[:count]')), 'a list of indexes'),
    'a list of numbers as the key': (
        diffusion((SUREST, 'surest = sorted(confidence, key=range(14))[:count]')), 'sorted by')}


# 4

LEFT = '    left = total * math.cos(math.pi / 2 * i / steps)\n'
REST = '    return int(left + 1e-9)                 # rounding may have made 7.9999999999 of an 8\n'

def linear(text):
    """Edits that make this the masks left."""
    return diffusion((LEFT, ''), (REST, f'    return {text}\n'))

reference['e04_linear_schedule'] = linear('total * (steps - i) // steps')
wrong['e04_linear_schedule'] = {
    'not rounded': (linear('total * (1 - i / steps)'), 'a whole number'),
    'how many are revealed': (linear('total * i // steps'), 'not how many are revealed'),
    'floats, rounded down': (linear('int(total * (1 - i / steps))'), 'the rounding'),
    'counts from 0': (linear('total * (steps - i + 1) // steps'), 'counts from 1'),
    'what is revealed is rounded down': (
        linear('total - total * i // steps'), 'not what is revealed'),
    'a float, rounded down': (linear('total * (1 - i / steps) // 1'), 'of a float'),
    'no return': (diffusion((LEFT, ''), (REST, '    total * (steps - i) // steps\n')),
                  'is there a return'),
    'rounded up': (linear('math.ceil(total * (steps - i) / steps)'), 'which way'),
    'a name that masks_left does not have': (
        linear('tokens.count(MASK) * (steps - i) // steps'), 'masks_left')}


# 5

HEADS = 'heads = [LEFT, LEFT, RIGHT, RIGHT]'
ALL_LEFT = diffusion((HEADS, 'heads = [LEFT, LEFT, LEFT, LEFT]'))
RING = answer('e05_heads_left', '0, 12, 13, 5')
reference['e05_heads_left'] = ALL_LEFT + RING
wrong['e05_heads_left'] = {
    'only the line': (ALL_LEFT, 'answer'),
    'only the answer': (RING, 'the line `heads'),
    'to the right': (diffusion((HEADS, 'heads = [RIGHT] * 4')) + RING, 'the line `heads'),
    'one head': (diffusion((HEADS, 'heads = [LEFT]')) + RING, 'the line `heads'),
    'a neighbour is at 1': (answer('e05_heads_left', '1, 13, 0, 6'), 'the next neighbour'),
    'either way': (answer('e05_heads_left', '0, 0, 13, 7'), 'the sign of look'),
    'itself comes first': (answer('e05_heads_left', '0, 12, 0, 5'), 'itself'),
    'not around the ring': (answer('e05_heads_left', '0, 12, 13, 8'), 'the way around')}


# 6

FILL_BLANK = function(GPT, '''
def fill_blank(state_dict, vocab, pattern):
    """The probability of each letter in the place of the _ of a pattern, given all the rest."""
    nats = []
    blank = pattern.index('_')
    for letter in vocab[1:]:
        tokens = encode(pattern.replace('_', letter), vocab)
        costs = cross_entropies(state_dict, tokens)
        nats.append(sum(costs))
    probs = softmax([-n for n in nats])
    return {letter: p.data for letter, p in zip(vocab[1:], probs)}
''')
reference['e06_fill_blank'] = FILL_BLANK
wrong['e06_fill_blank'] = {
    'nothing after the blank counts': (
        with_edit(FILL_BLANK, 'sum(costs)', 'costs[blank]'), 'those after the blank'),
    'the end is left out': (
        with_edit(FILL_BLANK, 'sum(costs)', 'sum(costs[:-1], Value(0.0))'), 'the end'),
    'not divided by the sum': (
        with_edit(with_edit(FILL_BLANK, 'probs = softmax(', 'probs = ('),
                  'p.data for', '(p + 0).exp().data for'), 'the sum over all letters'),
    'the mean of the costs': (
        with_edit(FILL_BLANK, 'sum(costs)', 'sum(costs) / len(costs)'), 'the sum of the costs'),
    'the wrong sign': (with_edit(FILL_BLANK, '[-n for', '[n for'), 'the sign'),
    'costs as shares of their sum': (
        with_edit(FILL_BLANK, 'softmax([-n for n in nats])', '[n / sum(nats) for n in nats]'),
        'math.exp'),
    'one less the shares of the costs': (
        with_edit(FILL_BLANK, 'softmax([-n for n in nats])', 'nats'), 'math.exp'),
    'the dot is in the sum': (
        with_edit(with_edit(FILL_BLANK, 'in vocab[1:]:', 'in vocab:'), 'probs)}', 'probs[1:])}'),
        'the dot'),
    'a list': (with_edit(FILL_BLANK, '{letter: p.data for letter, p in zip(vocab[1:], probs)}',
                         '[p.data for p in probs]'), 'what it returns'),
    'the pattern is encoded with its blank': (
        with_edit(FILL_BLANK, "pattern.replace('_', letter)", 'pattern'), 'fill_blank'),
    'in the other program': ([(DIFFUSION, *edit[1:]) for edit in FILL_BLANK], 'stands')}


# 7

DRAWN = 't = t_min ** rng.random()               # ln t is uniform between ln(t_min) and 0'
LOSS = 'return sum(cross_entropies(state_dict, noisy, tokens), Value(0.0)) * math.log(1 / t_min)'
ALWAYS = (DRAWN, 't = 0.15')
reference['e07_always_fifteen'] = diffusion(ALWAYS)
wrong['e07_always_fifteen'] = {
    't_min instead of t': (diffusion(('t_min = 0.2 ', 't_min = 0.15 ')), 'it is 0.15'),
    'always two tokens': (
        diffusion((DRAWN + '\n    noisy = corrupt(tokens, t, rng)\n', 'masked = rng.sample('
                   'range(14), 2)\n    noisy = [MASK if n in masked else token '
                   'for n, token in enumerate(tokens)]\n')), 'by itself'),
    'the mean': (
        diffusion(ALWAYS, (LOSS, 'costs = cross_entropies(state_dict, noisy, tokens)\n    '
                           'return sum(costs, Value(0.0)) / max(1, len(costs))')), 'the sum is'),
    'a plain number': (diffusion(ALWAYS, (LOSS, LOSS + '.data')), 'AttributeError'),
    'what is kept, not what is hidden': (diffusion((DRAWN, 't = 1 - 0.15')), 'it is 0.15')}


# 8

SECOND_LOOK = function(DIFFUSION, '''
def second_look(state_dict, tokens, rng, temperature):
    """Hide each letter of a finished name once more, from left to right, and draw it again."""
    tokens = list(tokens)
    length = len([token for token in tokens if token != PAD])
    for n in range(length):
        tokens[n] = MASK
        logits = mask_predictor(state_dict, tokens)
        rule_out(logits, tokens, length)
        tokens[n] = draw(logits[n], rng, temperature)
    return tokens
''')
tried['e08_second_look'] = diffusion((
    '        yield i, cooled, list(tokens)\n', '        yield i, cooled, list(tokens)\n'
    '    yield steps, cooled, second_look(state_dict, tokens, rng, cooled)\n'))
RULE_OUT = '        rule_out(logits, tokens, length)\n'
reference['e08_second_look'] = SECOND_LOOK
wrong['e08_second_look'] = {
    'the name may end earlier': (with_edit(SECOND_LOOK, RULE_OUT, ''), 'cannot end earlier'),
    'PADs too': (with_edit(SECOND_LOOK, 'range(length)', 'range(14)'), 'the letters'),
    'all hidden at once': (
        with_edit(SECOND_LOOK, 'tokens[n] = MASK', 'tokens[:length] = [MASK] * length'),
        'one letter'),
    'each given the old name': (
        with_edit(with_edit(with_edit(SECOND_LOOK, '    length', '    old = tokens[:]\n    length'),
                            'tokens[n] = MASK', 'noisy = old[:n] + [MASK] + old[n + 1:]'),
                  'mask_predictor(state_dict, tokens)', 'mask_predictor(state_dict, noisy)'),
        'the new letter'),
    'nothing is hidden': (
        with_edit(SECOND_LOOK, '        tokens[n] = MASK\n', ''), 'what is hidden'),
    'right to left': (
        with_edit(SECOND_LOOK, 'range(length)', 'reversed(range(length))'), 'left to right'),
    'in place': (with_edit(SECOND_LOOK, 'tokens = list(tokens)', 'pass'), 'makes a copy'),
    'the logits of all places': (
        with_edit(SECOND_LOOK, 'draw(logits[n]', 'draw(logits'), 'of one place'),
    'probabilities, not logits': (
        with_edit(SECOND_LOOK, 'draw(logits[n]', 'draw([p.data for p in softmax(logits[n])]'),
        'of one place'),
    'always at temperature 1': (
        with_edit(SECOND_LOOK, 'rng, temperature)\n    return', 'rng, 1.0)\n    return'),
        'the temperature')}


# 9

CONFIDENCE = '                confidence[n] += noise * left / total * gumbel(rng)\n'
LOOP = '''\
    for i in range(1, steps + 1):
        left = masks_left(total, i, steps)
        count = tokens.count(MASK) - left   # how many to reveal
        if count <= 0:
            continue                        # nothing is revealed, so the model need not run
'''
ANNEALED = 'cooled = temperature * (1 - (i - 1) / steps / 2)'
THRESHOLD = diffusion(
    ('slope = 2.0 ', 'threshold = 0.6\nslope = 2.0 '),
    (LOOP, '    i = 0\n    while MASK in tokens:\n        i += 1\n'), (CONFIDENCE, ''),
    (SUREST, 'surest = sorted(confidence, key=confidence.get, reverse=True)\n        '
             'sure = [n for n in surest if math.exp(confidence[n]) >= threshold]\n        '
             'surest = sure or surest[:1]'),
    (ANNEALED, 'cooled = temperature'))
reference['e09_threshold'] = with_edit(THRESHOLD, 'threshold = 0.6', 'threshold = 0.9')
FILLED = '''\
            if tokens[n] == PAD:
                tokens[n:] = [PAD] * len(tokens[n:])
'''
YIELD = '        yield i, cooled, list(tokens)\n'
YIELD_INSIDE = diffusion((YIELD, '    ' + YIELD))
YIELD_AFTER = diffusion((YIELD, YIELD[4:]))
SURE = 'sure or surest[:1]'
wrong['e09_threshold'] = {
    'only the constant': (THRESHOLD[:1], 'the schedule still decides'),
    'the log is compared': (
        with_edit(THRESHOLD, 'math.exp(confidence[n])', 'confidence[n]'), 'the log of'),
    'a logit, not less logsumexp': (
        with_edit(THRESHOLD, 'math.exp(confidence[n])', 'math.exp(max(z.data for z in logits[n]))'),
        'the condition on the confidence'),
    'none if none is sure': (with_edit(THRESHOLD, SURE, 'sure'), 'what is revealed if none'),
    'the last one if none is sure': (
        with_edit(THRESHOLD, SURE, 'sure or [max(confidence)]'), 'which one is revealed'),
    'the least sure if none is sure': (
        with_edit(THRESHOLD, SURE, 'sure or surest[-1:]'), 'which one is revealed'),
    'the schedule is still there': (
        [edit for edit in THRESHOLD if edit[1] not in (LOOP, CONFIDENCE)], 'without noise'),
    'a loop over steps': (
        with_edit(THRESHOLD, '    i = 0\n    while MASK in tokens:\n        i += 1\n',
                  '    for i in range(1, steps + 1):\n        if MASK not in tokens:\n'
                  '            break\n'), 'the end of the loop'),
    'a loop that goes on': (
        with_edit(THRESHOLD, 'while MASK in tokens', 'while i < 15'), 'what ends the loop'),
    'a loop without an end': (
        with_edit(THRESHOLD, 'while MASK in tokens', 'while True'), 'what ends the loop'),
    'yield for each token': (THRESHOLD + YIELD_INSIDE, 'where yield stands'),
    'yield after the loop': (THRESHOLD + YIELD_AFTER, 'where yield stands'),
    'no steps': (
        THRESHOLD + diffusion(('rng, steps=20, temp', 'rng, temp')), 'what your function takes'),
    'the steps are not counted': (
        with_edit(THRESHOLD, '        i += 1\n', ''), 'what yield gives'),
    'more than the threshold': (
        with_edit(THRESHOLD, '>= threshold', '> threshold'), 'at least'),
    'the less sure': (with_edit(THRESHOLD, '>= threshold', '<= threshold'), 'the condition'),
    'a limit that is bound too early': (
        with_edit(THRESHOLD, '>= threshold', '>= 0.6'), 'write threshold, not 0.6'),
    'with noise': (
        [edit for edit in THRESHOLD if edit[1] != CONFIDENCE] + diffusion(
            (CONFIDENCE, '                confidence[n] += noise / total * gumbel(rng)\n')),
        'without noise'),
    'still annealed': (
        [edit for edit in THRESHOLD if edit[1] != ANNEALED], 'what draw is given'),
    'an early end is not ruled out': (
        THRESHOLD + diffusion(('        rule_out(logits, tokens, least_letters)     # the model '
                               'cannot know how many are asked for\n', '')), 'rule_out'),
    'nothing follows from a PAD': (
        THRESHOLD + diffusion((FILLED, '')), 'behind a PAD'),
    'drawn again behind a PAD': (
        THRESHOLD + diffusion(('if tokens[n] != MASK: ', 'if False: ')),
        'behind a PAD'),
    'no constant': (THRESHOLD[1:], 'the constants')}


# 10

BEST = 'confidence[n] = max([v.data for v in z]) - logsumexp(z).data'
COOLED = f'        {ANNEALED}    # annealing, towards half of it\n'
FIRST = '        confidence = {}\n'
DRAW = 'tokens[n] = draw(logits[n], rng, cooled)'
TOKEN = diffusion(
    (COOLED, ''), (FIRST, COOLED + '        confidence, drawn = {}, {}\n'),
    (BEST, 'drawn[n] = draw(z, rng, cooled)\n                '
           'confidence[n] = z[drawn[n]].data - logsumexp(z).data'),
    (DRAW, '''\
tokens[n] = drawn[n]
            if logits[n][drawn[n]].data == -math.inf:
                tokens[n] = draw(logits[n], rng, cooled)'''))
reference['e10_token_confidence'] = TOKEN
wrong['e10_token_confidence'] = {
    'drawn, but rated by the likeliest': (
        with_edit(TOKEN, 'z[drawn[n]].data', 'max([v.data for v in z])'), 'that was drawn'),
    'rated, but another one is put in': (
        with_edit(TOKEN, '            if logits[n][drawn[n]].data == -math.inf:\n    ', ''),
        'not another one'),
    'put in at once': (
        with_edit(TOKEN, 'drawn[n] = draw(z, rng, cooled)\n',
                  'tokens[n] = drawn[n] = draw(z, rng, cooled)\n'), 'puts none of them in'),
    'drawn at temperature 1': (with_edit(TOKEN, 'draw(z, rng, cooled)', 'draw(z, rng, 1.0)'),
                               'the draw'),
    'rated at the temperature': (
        with_edit(TOKEN, 'z[drawn[n]].data - logsumexp(z).data',
                  '(z[drawn[n]].data - logsumexp([v * (1 / cooled) for v in z]).data * cooled) '
                  '/ cooled'), 'at temperature 1'),
    'no noise': (
        TOKEN + diffusion((CONFIDENCE, '')), 'the noise'),
    'what is impossible is not drawn again': (
        with_edit(TOKEN, 'if logits[n][drawn[n]].data == -math.inf:', 'if False:'), 'impossible')}


# 11

ALL_ORDERS = function(DIFFUSION, '''
def exact_nats(state_dict, tokens):
    """The mean over all orders of revealing of -log p, and -log of the mean of p."""
    known = {}

    def price(hidden):
        noisy = [MASK if n in hidden else token for n, token in enumerate(tokens)]
        seen = settled(noisy)
        places = [n for n, token in enumerate(seen) if token == MASK]
        if tuple(seen) not in known:
            costs = [v.data for v in cross_entropies(state_dict, noisy, tokens)]
            rests = [price(hidden - {n}) for n in places]
            bound = sum([c + rest[0] for c, rest in zip(costs, rests)]) / max(1, len(places))
            p = sum([math.exp(-c) * rest[1] for c, rest in zip(costs, rests)])
            known[tuple(seen)] = bound, p / len(places) if places else 1.0
        return known[tuple(seen)]

    bound, p = price(frozenset(range(len(tokens))))
    return bound, -math.log(p)
''')
reference['e11_all_orders'] = ALL_ORDERS
wrong['e11_all_orders'] = {
    'the other way round': (
        with_edit(ALL_ORDERS, 'return bound, -math.log(p)', 'return -math.log(p), bound'),
        'the order of the two'),
    'the bound twice': (
        with_edit(ALL_ORDERS, 'return bound, -math.log(p)', 'return bound, bound'),
        'the order of log and mean'),
    'all orders, one by one': (
        function(DIFFUSION, '''
def exact_nats(state_dict, tokens):
    """The mean over all orders of -log p, and -log of the mean of p."""
    nats = []
    for order in itertools.permutations(range(len(tokens))):
        nats.append(0.0)
        for n in range(len(order)):
            hidden = order[n:]
            noisy = [MASK if k in hidden else token for k, token in enumerate(tokens)]
            places = [k for k, token in enumerate(settled(noisy)) if token == MASK]
            if order[n] in places:
                costs = cross_entropies(state_dict, noisy, tokens)
                nats[-1] += costs[places.index(order[n])].data
    return sum(nats) / len(nats), -math.log(sum([math.exp(-x) for x in nats]) / len(nats))
'''), '87 billion'),
    'one number': (
        with_edit(ALL_ORDERS, 'return bound, -math.log(p)', 'return bound'), 'returns'),
    'a sum over the positions, not a mean': (
        with_edit(ALL_ORDERS, '/ max(1, len(places))', ''), 'the mean over orders'),
    'the probabilities are added up': (
        with_edit(ALL_ORDERS, 'p / len(places) if', 'p if'), 'a mean of products')}


# 12

MASKED = '            if tokens[n] == MASK:\n                confidence[n] = '
BLOCKS = diffusion(
    ('least_letters=1, noise=1.5):', 'least_letters=1, noise=1.5, where=None):'),
    ('    total = tokens.count(MASK)\n', '    where = where or range(len(tokens))\n'
     '    total = len([n for n in where if tokens[n] == MASK])\n'),
    ('count = tokens.count(MASK) - left ',
     'count = len([n for n in where if tokens[n] == MASK]) - left '),
    (MASKED, MASKED.replace('== MASK:', '== MASK and n in where:'))
) + function(DIFFUSION, '''
def denoise_blocks(state_dict, tokens, rng, size, steps, temperature, least_letters=1):
    """Fill in the MASKs block by block, from left to right; yields what denoise yields."""
    for start in range(0, len(tokens), size):
        block = range(start, min(start + size, len(tokens)))
        for i, cooled, tokens in denoise(state_dict, tokens, rng, steps, temperature, least_letters,
                                         where=block):
            yield i, cooled, tokens
''')
reference['e12_blocks'] = BLOCKS
tried['e12_blocks'] = diffusion(
    ('denoise(state_dict, tokens, random.Random(seed), args.denoise_steps, args.temperature,',
     'denoise_blocks(state_dict, tokens, random.Random(seed), 4, 4, args.temperature,'))
wrong['e12_blocks'] = {
    'later blocks are cut off': (
        with_edit(BLOCKS, 'denoise(state_dict, tokens,', 'denoise(state_dict, tokens[:start + '
                  'size],'), 'always the whole sequence'),
    'returned, not yielded': (
        with_edit(BLOCKS, 'yield i, cooled, tokens', 'return i, cooled, tokens'), 'denoise_blocks'),
    'each block has all the steps': (
        with_edit(BLOCKS, 'rng, steps,', 'rng, steps * 4,'), 'the steps of each block'),
    'the total of the whole name': (
        [edit for edit in BLOCKS if 'total =' not in edit[2]], 'the total'),
    'all at once': (
        with_edit(BLOCKS, 'where=block', 'where=None'), 'the steps of each block')}

"""STOP: this file has the answers to the exercises. Look here when yours is done, or given up.

For each exercise: a reference solution, and wrong ones such as students hand in, each with the slip
in a word or two, and with words that the checker's answer must have where it says where to look.
A solution is a list of edits (file, old, new); old stands exactly once in its file. New functions
go before one that the programs have; that is the `BEFORE_...` below.
"""
import os
import re
import sys

GPT = 'microgpt.py'
DIFFUSION = 'microdiffusion.py'
BEFORE_YARDSTICK = {GPT: 'def example_nats(state_dict, tokens):\n',
                    DIFFUSION: 'def example_nats(state_dict, tokens, ks, seed):\n'}
BEFORE_ADAM = 'class Adam:\n'

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

reference = {}
wrong = {}


def text_of(file, pattern):
    """The lines of a program that match a pattern, up to the end of the last one."""
    with open(os.path.join(TOP, file), encoding='utf-8') as program:
        return re.search(f'^{pattern}.*', program.read(), re.MULTILINE).group()

def with_parameter(signature, parameter):
    """An edit that gives a function one more parameter."""
    return signature, signature[:-2] + f',\n            {parameter}):'

def gpt(*edits):
    """Edits of microgpt.py."""
    return [(GPT, old, new) for old, new in edits]

def diffusion(*edits):
    """Edits of microdiffusion.py."""
    return [(DIFFUSION, old, new) for old, new in edits]

def both(*edits):
    """The same edits of both programs."""
    return gpt(*edits) + diffusion(*edits)

def function(file, code, before=None):
    """A new function for one of the programs."""
    before = before or BEFORE_YARDSTICK[file]
    return [(file, before, code.lstrip('\n') + '\n' + before)]

def answer(file, text):
    """An answer to a question."""
    return [(file + '.py', 'answer = None', 'answer = ' + text)]


# Easy.

RELU = '    def relu(self):'

def tanh(text):
    """An edit that gives Value this method before relu."""
    return RELU, f'    def tanh(self): return {text}\n{RELU}'

TANH = tanh('Value(math.tanh(self.data), (self,), (1 - math.tanh(self.data) ** 2,))')
reference['e01_tanh'] = both(TANH)
wrong['e01_tanh'] = {
    'no comma after the local gradient': (
        both(tanh('Value(math.tanh(self.data), (self,), (1 - math.tanh(self.data) ** 2))')),
        'the comma'),
    'no comma after the child': (
        both(tanh('Value(math.tanh(self.data), (self), (1 - math.tanh(self.data) ** 2,))')),
        'the comma'),
    'the derivative takes x for tanh(x)': (
        both(tanh('Value(math.tanh(self.data), (self,), (1 - self.data ** 2,))')),
        '1 - tanh(x) ** 2'),
    'a float, not a Value': (both(tanh('math.tanh(self.data)')), 'what tanh returns'),
    'a Value is given to math.tanh': (
        both(tanh('Value(math.tanh(self), (self,), (1 - math.tanh(self) ** 2,))')), 'math.tanh'),
    'the local gradient calls tanh of the Value': (
        both(tanh('Value(math.tanh(self.data), (self,), (1 - self.tanh() ** 2,))')), 'class Value'),
    'microgpt.py only': (gpt(TANH), 'class Value in microdiffusion.py'),
    'microdiffusion.py only': (diffusion(TANH), 'class Value in microgpt.py'),
    'made of exp, which overflows': (
        both(tanh('((self * 2).exp() - 1) / ((self * 2).exp() + 1)')), 'bears large ones')}

reference['e02_order'] = answer('e02_order', '12')
wrong['e02_order'] = {
    'the right derivative': (answer('e02_order', '6'), 'three times'),
    'b.grad is whole each time': (answer('e02_order', '3 * 2 * 3'), 'at that moment'),
    'ends at b': (answer('e02_order', '1 + 2 + 3'), 'three times'),
    'the last b.grad': (answer('e02_order', '3'), 'from b to a'),
    'in words': (answer('e02_order', "'twelve'"), 'e02_order.py')}

reference['e03_parameters'] = answer('e03_parameters', '(39296, 38336, 150400)')
wrong['e03_parameters'] = {
    'wte counted twice': (answer('e03_parameters', '(39296, 39360, 152448)'), 'twice in use'),
    'BOS forgotten': (answer('e03_parameters', '(39232, 38336, 150400)'), 'and BOS'),
    'wpe forgotten': (answer('e03_parameters', '(38848, 37888, 149504)'), 'wpe'),
    'four times as many at twice the width': (
        answer('e03_parameters', '(39296, 38336, 153344)'), 'with its square'),
    'two of three numbers': (answer('e03_parameters', '(39296, 38336)'), 'the line `answer')}

reference['e04_first_loss'] = answer('e04_first_loss', '9 * math.log(21), 14 * 0.6 * math.log(21)')
wrong['e04_first_loss'] = {
    'as if all were masked': (answer('e04_first_loss', '(27.4, 42.6)'), 'not all 14'),
    'the end is no token': (answer('e04_first_loss', '(24.4, 25.6)'), 'the end'),
    '26 letters': (answer('e04_first_loss', '(29.7, 27.7)'), 'spread over'),
    't_min as it is': (answer('e04_first_loss', '(27.4, 34.1)'), 'ln(1/t_min)'),
    'PAD does not count': (
        answer('e04_first_loss', '(9 * math.log(21), 8 * 0.6 * math.log(21))'), 'PAD'),
    'the masked tokens, without ln(1/t_min)': (
        answer('e04_first_loss', '(27.4, 27.9)'), 'ln(1/t_min)'),
    'log10': (
        answer('e04_first_loss', '(9 * math.log10(21), 14 * 0.6 * math.log10(21))'), 'guesses')}

COSINE = 'return math.floor(round(left, 9))'
CALL = 'left = masks_left(total, i, steps)'

def linear(text):
    """An edit that makes this the masks left."""
    return COSINE, f'return {text}'

reference['e05_linear_schedule'] = diffusion(linear('total * (steps - i) // steps'))
wrong['e05_linear_schedule'] = {
    'no floor': (diffusion(linear('total * (1 - i / steps)')), 'a whole number'),
    'how many are revealed': (diffusion(linear('total * i // steps')), 'not how many are revealed'),
    'floats, not rounded': (diffusion(linear('math.floor(total * (1 - i / steps))')), 'rounding'),
    'counts from 0': (diffusion(linear('total * (steps - i + 1) // steps')), 'counts from 1'),
    'up, not down': (diffusion(linear('math.ceil(total * (steps - i) / steps)')), 'floor'),
    'a name that masks_left does not have': (
        diffusion(linear('len(masked) * (steps - i) // steps')), 'masks_left'),
    'a share of the masks left': (
        diffusion(linear('total * (steps - i) // steps'),
                  (CALL, 'left = masks_left(len(masked), i, steps)')), 'that of the start')}

SORT = 'masked.sort(key=confidence.get, reverse=True)'
SUREST = 'surest = masked[:count]'
REST = 'masked = sorted(masked[count:])'
reference['e06_left_to_right'] = diffusion((SORT, 'masked.sort()'))
wrong['e06_left_to_right'] = {
    'right to left': (diffusion((SORT, 'masked.sort(reverse=True)')), 'which end'),
    'the least sure': (diffusion((SORT, 'masked.sort(key=confidence.get)')), 'sorted by'),
    'the right sort, as many as are left': (
        diffusion((SORT, 'masked.sort()'), (SUREST, 'surest = masked[:left]')), 'the slices'),
    'the right sort, cut from the end': (
        diffusion((SORT, 'masked.sort()'), (SUREST, 'surest = masked[left:]')), 'which end'),
    'one at a time': (
        diffusion((SORT, 'masked.sort()'), (SUREST, 'surest = masked[:1]')), 'the slices'),
    'the rest is not kept': (
        diffusion((SORT, 'masked.sort()'), (REST, 'masked = masked[:left]')), 'the slices'),
    'the key is no function': (diffusion((SORT, 'masked.sort(key=range(16))')), 'denoise')}

HEADS = 'heads = [LEFT, LEFT, RIGHT, RIGHT]'
ALL_LEFT = (HEADS, 'heads = [LEFT, LEFT, LEFT, LEFT]')
RING = answer('e07_heads_left', '0, 12, 13, 5')
reference['e07_heads_left'] = diffusion(ALL_LEFT) + RING
wrong['e07_heads_left'] = {
    'only the line': (diffusion(ALL_LEFT), 'answer'),
    'only the answer': (RING, 'each of `heads`'),
    'to the right': (diffusion((HEADS, 'heads = [RIGHT] * 4')) + RING, 'each of `heads`'),
    'one head': (diffusion((HEADS, 'heads = [LEFT]')) + RING, 'a quarter of the channels'),
    'a neighbour is at 1': (answer('e07_heads_left', '1, 13, 0, 6'), 'a neighbour'),
    'either way': (answer('e07_heads_left', '0, 0, 13, 7'), 'the sign of look'),
    'itself comes first': (answer('e07_heads_left', '0, 12, 0, 5'), 'itself'),
    'not around the end': (answer('e07_heads_left', '0, 12, 13, 8'), 'the way around')}


# Medium.

DRAW = text_of(GPT, r'def draw\(')
GENERATE = text_of(GPT, r'def generate\(')
HAND_ON = 'token = draw(logits, options, rng, temperature)'
MIN_P = '''\
    # One letter that does not fit is enough to spoil a name, so the least likely are never drawn:
    # those with less than min_p times the probability of the likeliest (min-p, arXiv 2407.01082).
    letters = [token for token in tokens if token != END]
    least = min_p * max([probs[token] for token in letters])
    letters = [token for token in letters if probs[token] >= least]
'''
COOL = 'cooled = softmax([logits[token] for token in letters], 1 / temperature)'
CHOICE = 'return rng.choices(letters, [p.data for p in cooled])[0]'
TOP_P = [(DRAW, DRAW.replace('min_p=0.2', 'top_p=1.0')), with_parameter(GENERATE, 'top_p=1.0'),
         (HAND_ON, HAND_ON.replace('temperature)', 'temperature, top_p)'))]
LIKELIEST = 'letters.sort(key=probs.get, reverse=True)'
UNTIL = '''\
nucleus, needed = [], top_p * sum([probs[token] for token in letters])
    for token in letters:
        if needed > 0:
            nucleus.append(token)
            needed -= probs[token]'''

def top_p(*lines, tokens='token for token in tokens if token != END', more=()):
    """draw with these lines in the place of min-p; they leave the letters in nucleus."""
    code = [f'letters = [{tokens}]', *lines, 'letters = nucleus']
    return gpt(*TOP_P, (MIN_P, ''.join([f'    {line}\n' for line in code])), *more)

def without(edits, *olds):
    """All of these edits, but not those of these places."""
    return [edit for edit in edits if edit[1] not in olds]

reference['e08_top_p'] = top_p(LIKELIEST, UNTIL)
wrong['e08_top_p'] = {
    'an absolute limit': (
        top_p('nucleus = [token for token in letters if probs[token] >= top_p]'), 'add up'),
    'what is left of 1 as an absolute limit': (
        top_p('nucleus = [token for token in letters if probs[token] >= 1 - top_p]'), 'add up'),
    'the letter that crosses the limit is left out': (
        top_p(LIKELIEST, UNTIL.replace('needed > 0', 'needed >= probs[token]').replace(
            '    needed -=', 'needed -=')), 'it stays too'),
    'not sorted': (top_p(UNTIL), 'the likeliest first'),
    'the least likely first': (top_p(LIKELIEST.replace(', reverse=True', ''), UNTIL), 'add up'),
    'a share of all tokens': (
        top_p(LIKELIEST, UNTIL.replace(' * sum([probs[token] for token in letters])', '')),
        'the end'),
    'the end among the letters': (
        top_p(LIKELIEST, UNTIL, 'nucleus = [token for token in nucleus if token != END]',
              tokens='*tokens'), 'the end'),
    'the end drawn among them': (
        top_p(LIKELIEST, UNTIL, tokens='*tokens', more=[('if END in probs and', 'if False and')]),
        'END'),
    'after the temperature': (
        top_p('cooled = softmax([logits[token] for token in letters], 1 / temperature)',
              'probs = dict(zip(letters, [p.data for p in cooled]))', LIKELIEST, UNTIL),
        'the temperature'),
    'min-p is still there': (
        gpt(*TOP_P, (MIN_P, MIN_P.replace('min_p *', '0.2 *') + ''.join(
            [f'    {line}\n' for line in (LIKELIEST, UNTIL, 'letters = nucleus')]))), 'min-p'),
    'the parameter is not handed on': (
        without(top_p(LIKELIEST, UNTIL), HAND_ON), 'from generate to draw'),
    'generate does not have it': (
        without(top_p(LIKELIEST, UNTIL), GENERATE, HAND_ON), 'the parameters of generate'),
    'another default': (
        without(top_p(LIKELIEST, UNTIL), GENERATE) + gpt(with_parameter(GENERATE, 'top_p=0.8')),
        'the parameters of generate'),
    'drawn evenly from what is left': (
        top_p(LIKELIEST, UNTIL, more=[(CHOICE, 'return rng.choice(letters)')]),
        'their proportion'),
    'drawn at temperature 1': (
        top_p(LIKELIEST, UNTIL, more=[(COOL, COOL.replace(', 1 / temperature', ''))]),
        'at the temperature'),
    'no end': (top_p(LIKELIEST, UNTIL, more=[('if END in probs and', 'if False and')]), 'END')}

PROBS = text_of(GPT, r'    probs = dict\(') + '\n'
END_FIRST = text_of(GPT, r'    if END in probs.*\n') + '\n'
OF_LETTERS = '    letters = [token for token in tokens if token != END]\n'
ONE_DRAW = (PROBS, ''), (END_FIRST, ''), (MIN_P, '    letters = tokens\n')
reference['e09_end_temperature'] = both(*ONE_DRAW)
wrong['e09_end_temperature'] = {
    'no end': (both((END_FIRST, ''), (MIN_P, OF_LETTERS)), 'never drawn'),
    'an end that is always possible': (
        both((END_FIRST, ''), (MIN_P, '    letters = sorted({END, *tokens})\n')),
        'there may be no end'),
    'the end still by itself': (both((MIN_P, OF_LETTERS)), 'by itself'),
    'min-p for all tokens': (
        both((END_FIRST, ''), (MIN_P, MIN_P.replace(OF_LETTERS, '    letters = tokens\n'))),
        'min-p'),
    'min-p for the letters': (
        both((END_FIRST, ''),
             (MIN_P, MIN_P + '    letters += [token for token in tokens if token == END]\n')),
        'min-p'),
    'all at temperature 1': (
        both(*ONE_DRAW, (COOL, COOL.replace(', 1 / temperature', ''))), 'no difference'),
    'times T': (
        both(*ONE_DRAW, (COOL, COOL.replace('1 / temperature', 'temperature'))),
        'softmax(logits / T)'),
    'microgpt.py only': (gpt(*ONE_DRAW), 'the end'),
    'microdiffusion.py only': (diffusion(*ONE_DRAW), 'the end')}

def fill_blank(price, result='{letter: p.data for letter, p in zip(vocab[1:], probs)}'):
    """A function that adds up these costs of a name."""
    return function(GPT, f'''
def fill_blank(state_dict, vocab, pattern):
    """The probability of each letter in the place of the _ of a pattern, given all the rest."""
    nats = []
    blank = pattern.index('_')
    for letter in vocab[1:]:
        tokens = encode(pattern.replace('_', letter), vocab)
        costs = cross_entropies(state_dict, tokens)
        nats.append({price})
    probs = softmax([-n for n in nats])
    return {result}
''')

reference['e10_fill_blank'] = fill_blank('sum(costs)')
wrong['e10_fill_blank'] = {
    'nothing after the blank counts': (fill_blank('costs[blank]'), 'those after the blank'),
    'the end is left out': (fill_blank('sum(costs[:-1], Value(0.0))'), 'the end'),
    'not divided by the sum': (
        fill_blank('sum(costs)', '{a: math.exp(-n.data) for a, n in zip(vocab[1:], nats)}'),
        'the sum over all letters'),
    'a list': (fill_blank('sum(costs)', '[p.data for p in probs]'), 'what it returns'),
    'the pattern is encoded with its blank': (
        [(file, old, new.replace('pattern.replace(\'_\', letter)', 'pattern'))
         for file, old, new in fill_blank('sum(costs)')], 'fill_blank'),
    'in the other program': (
        [(DIFFUSION, BEFORE_YARDSTICK[DIFFUSION], new.replace(old, BEFORE_YARDSTICK[DIFFUSION]))
         for _, old, new in fill_blank('sum(costs)')], 'where fill_blank stands')}

LOSS = 'return sum(cross_entropies(state_dict, noisy, tokens)) * math.log(1 / t_min)'
LOOP = 'while MASK not in noisy:                #'
COSTS = 'return [logsumexp(z) - z[clean[n]] for z, n in zip(logits, masked)]'
LETTERS = '''letters = len(tokens) - tokens.count(PAD)
    while MASK not in noisy[:letters]:      #'''

def of_letters(result):
    """The loss made of the costs of the masked letters."""
    return (LOSS, f'''\
costs = cross_entropies(state_dict, noisy, tokens)[:noisy[:letters].count(MASK)]
    return {result}''')

reference['e11_pad_out'] = diffusion(
    (LOOP, LETTERS), of_letters('sum(costs) * math.log(1 / t_min)'))
wrong['e11_pad_out'] = {
    'PADs are not masked': (diffusion(
        ('return [MASK if rng.random() < t else token for token in tokens]',
         'return [MASK if token != PAD and rng.random() < t else token for token in tokens]')),
        'corrupt'),
    'the evaluation too': (diffusion((LOOP, LETTERS), (COSTS, '''\
return [logsumexp(z) - z[clean[n]] for z, n in zip(logits, masked) if clean[n] != PAD]''')),
        'the held-out figure'),
    'nothing drawn again': (diffusion((LOSS, '''\
costs = cross_entropies(state_dict, noisy, tokens)
    letters = [token for token, seen in zip(tokens, noisy) if seen == MASK]
    costs = [cost for cost, token in zip(costs, letters) if token != PAD]
    return sum(costs) * math.log(1 / t_min)''')), 'the loop'),
    'the loop only': (diffusion((LOOP, LETTERS)), 'the PADs: they still count'),
    'cut by position': (diffusion((LOOP, LETTERS), (LOSS, '''\
costs = cross_entropies(state_dict, noisy, tokens)[:letters]
    return sum(costs) * math.log(1 / t_min)''')), 'those of the letters'),
    'the mean': (diffusion((LOOP, LETTERS), of_letters(
        'sum(costs) / len(costs) * math.log(1 / t_min)')), 'not a mean'),
    'without the factor': (diffusion((LOOP, LETTERS), of_letters('sum(costs)')), 'the factor'),
    'a number': (diffusion((LOOP, LETTERS), of_letters(
        'sum([c.data for c in costs]) * math.log(1 / t_min)')), 'what example_loss returns'),
    'the noisy tokens are asked which are PAD': (diffusion((LOOP, LETTERS), (LOSS, '''\
costs = cross_entropies(state_dict, noisy, tokens)
    costs = [costs[n] for n, token in enumerate(tokens) if noisy[n] == MASK and token != PAD]
    return sum(costs) * math.log(1 / t_min)''')), 'those of the letters')}

reference['e12_mean_loss'] = answer('e12_mean_loss', '(0.375, 0.588)')
wrong['e12_mean_loss'] = {
    'the other way round': (answer('e12_mean_loss', '(0.588, 0.375)'), 'which is which'),
    't drawn evenly from 0.2 to 1': (answer('e12_mean_loss', '(0.236, 0.415)'), 'the density'),
    'fewer than 7': (answer('e12_mean_loss', '(0.287, 0.500)'), 'the density'),
    'both the same': (answer('e12_mean_loss', '(0.375, 0.375)'), '1 nat'),
    'percent': (answer('e12_mean_loss', '(37.5, 58.8)'), 'the density')}

def shared_sum(code):
    """A function with these lines."""
    return function(DIFFUSION, f'''
def shared_sum(gradients, count):
    """The sum of gradients, if each process adds up its own share first."""
    def added(rows):
        total = [0.0] * len(rows[0])
        for row in rows:
            total = [a + b for a, b in zip(total, row)]
        return total

{code}
''')

SIZE = '    size = math.ceil(len(gradients) / count)\n'
STARTS = 'for start in range(0, len(gradients), size)'
SHARES = f'added(gradients[start:start + size]) {STARTS}'
FOUR = answer('e13_two_processes', '1.0, 0.0, 1e-16, 1e-16')
RIGHT_SUM = shared_sum(f'{SIZE}    return added([{SHARES}])')
reference['e13_two_processes'] = RIGHT_SUM + FOUR
wrong['e13_two_processes'] = {
    'one name after the other': (shared_sum('    return added(gradients)') + FOUR, 'the order'),
    'rounded down': (
        shared_sum('    size = len(gradients) // count\n    return added(['
                   'added(gradients[n * size:(n + 1) * size]) for n in range(count)])') + FOUR,
        'the shares'),
    'every so many': (
        shared_sum('    return added([added(gradients[n::count]) for n in range(count)])') + FOUR,
        'the order'),
    'the mean': (shared_sum(f'{SIZE}    total = added([{SHARES}])\n'
                            '    return [a / len(gradients) for a in total]') + FOUR, 'the shares'),
    'fsum': (shared_sum('    return [math.fsum(column) for column in zip(*gradients)]') + FOUR,
             'math.fsum'),
    'a sum of the sums': (
        shared_sum(f'{SIZE}    return sum([sum({SHARES.replace(" for", ") for", 1)}])') + FOUR,
        'what it returns'),
    'into the first gradient': (shared_sum(f'''\
    for other in gradients[1:]:
        for n, number in enumerate(other):
            gradients[0][n] += number
    return gradients[0]''') + FOUR, 'a list of its own'),
    'lists put together': (shared_sum('    return sum(gradients, [])') + FOUR, 'what it returns'),
    'whole numbers': (RIGHT_SUM + answer('e13_two_processes', '1, 2, 3, 4'), 'the digits'),
    'tenths that happen to agree': (
        RIGHT_SUM + answer('e13_two_processes', '0.1, 0.2, 0.3, 0.4'), 'the digits'),
    'infinite': (RIGHT_SUM + answer('e13_two_processes', '1e308, 1e308, -1e308, -1e308'),
                 'the digits')}
if sys.version_info >= (3, 12) and sys.implementation.name == 'cpython':
    wrong['e13_two_processes']['sum() of Python 3.12'] = (shared_sum(SIZE + '''\
    shares = [[sum(column) for column in zip(*gradients[n:n + size])]
              for n in range(0, len(gradients), size)]
    return [sum(column) for column in zip(*shares)]''') + FOUR, 'sum()')

OPTIONS = '''\
            options = allowed(tokens, n, shortest, vocab_size)
            zs = [logits[n][token] for token in options]
            best = max([z.data for z in zs]) - logsumexp(zs).data
'''
NOISE = 'confidence[n] = best + noise * left / total * gumbel(rng)'
EMPTY = '        confidence = {}\n'
COOLED = text_of(DIFFUSION, '        cooled = ')
REVEAL = 'tokens[n] = draw(logits[n], options, rng, cooled)'

def judged(own, reveal, heat='cooled', place='drawn[n]', noise=NOISE):
    """denoise with confidences of what is drawn at this temperature and put in this place."""
    return diffusion(
        (COOLED, ''), (EMPTY, '        confidence, drawn = {}, {}\n' + COOLED + '\n'),
        (OPTIONS, f'''\
            choices = allowed(tokens, n, shortest, vocab_size)
            zs = [logits[n][token] for token in choices]
            {place} = draw(logits[n], choices, rng, {heat})
            drawn[n] = {place}
            {own}
'''), (NOISE, noise), (REVEAL, reveal))

AGAIN = f'''if drawn[n] in options:
                tokens[n] = drawn[n]
            else:
                {REVEAL}'''
OWN = 'best = logits[n][drawn[n]].data - logsumexp(zs).data'
LARGEST = 'best = max([z.data for z in zs]) - logsumexp(zs).data'
reference['e14_token_confidence'] = judged(OWN, AGAIN)
wrong['e14_token_confidence'] = {
    'another token is put in': (judged(OWN, REVEAL), 'the token put in'),
    'none is drawn again': (judged(OWN, 'tokens[n] = drawn[n]'), 'drawn again'),
    'drawn again at temperature 1': (
        judged(OWN, AGAIN.replace('rng, cooled)', 'rng, 1.0)')), 'drawn again'),
    'drawn at temperature 1': (judged(OWN, AGAIN, heat='1.0'), 'the draw'),
    'drawn before cooled is known': (
        [edit for edit in judged(OWN, AGAIN) if edit[1] not in (EMPTY, COOLED)]
        + diffusion((EMPTY, EMPTY + '        drawn = {}\n')), 'the first loop'),
    'each put in at once': (judged(OWN, AGAIN, place='tokens[n]'), 'puts none of them in'),
    'what is allowed follows the draws': (
        [(file, old, new.replace('choices = allowed(tokens,', 'choices = allowed('
                                 '[drawn.get(k, token) for k, token in enumerate(tokens)],'))
         for file, old, new in judged(OWN, AGAIN)], 'none is put in before'),
    'letters right of a PAD stay': (
        judged(OWN, AGAIN.replace('if drawn', 'if drawn[n] != PAD or drawn')), 'it may forbid'),
    'no noise': (judged(OWN, AGAIN, noise='confidence[n] = best'), 'the noise'),
    'noise that does not fade': (
        judged(OWN, AGAIN, noise='confidence[n] = best + noise * gumbel(rng)'), 'the noise'),
    'among the whole vocabulary': (
        judged(OWN.replace('zs', 'logits[n]'), AGAIN), 'among the allowed'),
    'of the likeliest token': (judged(LARGEST, AGAIN), 'its own probability'),
    'at the step\'s temperature': (
        judged('best = math.log(softmax(zs, 1 / cooled)[list(choices).index(drawn[n])].data)',
               AGAIN), 'at temperature 1')}

INPUT = 'xs = [rmsnorm(x) for x in add([wte[token] for token in tokens], wpe)]'
TABLES = text_of(DIFFUSION, "    state_dict = {'wte'") + '\n'
SIDES = (TABLES, TABLES + "    for side in ('left', 'right'):\n"
                          "        state_dict[side] = matrix(vocab_size)\n")

def neighbours(left, right, tables=(SIDES,)):
    """Vectors that depend on these rows too."""
    return diffusion(*tables, (INPUT, f'''nothing = [Value(0.0)] * n_embd
    left, right = state_dict['left'], state_dict['right']
    xs = add([wte[token] for token in tokens], wpe)
    xs = add(xs, {left})
    xs = add(xs, {right})
    xs = [rmsnorm(x) for x in xs]'''))

LEFT_OF = '[nothing] + [left[token] for token in tokens[:-1]]'
RIGHT_OF = '[right[token] for token in tokens[1:]] + [nothing]'
reference['e15_neighbours'] = neighbours(LEFT_OF, RIGHT_OF)
wrong['e15_neighbours'] = {
    'the first sees the last': (
        neighbours('[left[tokens[n - 1]] for n in range(len(tokens))]', RIGHT_OF), 'both ends'),
    'beyond the last': (
        neighbours(LEFT_OF, '[right[tokens[n + 1]] for n in range(len(tokens))]'),
        'adds wte and wpe'),
    'left is as right': (diffusion((INPUT, '''nothing = [Value(0.0)] * n_embd
    xs = add([wte[token] for token in tokens], wpe)
    xs = add(xs, [nothing] + [wte[token] for token in tokens[:-1]])
    xs = add(xs, [wte[token] for token in tokens[1:]] + [nothing])
    xs = [rmsnorm(x) for x in xs]''')), 'which side is which'),
    'too few vectors': (
        neighbours('[left[token] for token in tokens[:-1]]', RIGHT_OF), 'adds wte and wpe'),
    'no tables': (neighbours(LEFT_OF, RIGHT_OF, ()), 'adds wte and wpe'),
    'left only': (neighbours(LEFT_OF, '[nothing] * len(tokens)'), 'adds wte and wpe')}


# Hard.

BEST_NAME = '''
def best_name(state_dict, vocab):
    """The likeliest of all names and its nats: the cheapest beginning is always continued first."""
    from heapq import heappop, heappush
    heap = [(0.0, [BOS])]
    while True:
        nats, tokens = heappop(heap)
        if len(tokens) > 1 and tokens[-1] == BOS:
            return decode(tokens[1:-1], vocab), nats
        logits = gpt(state_dict, tokens)[-1]
        total = logsumexp(logits).data
        for token, z in enumerate(logits):
            if token == BOS or len(tokens) < block_size:
                heappush(heap, (nats + total - z.data, tokens + [token]))
'''
ENDED = 'if len(tokens) > 1 and tokens[-1] == BOS:'
reference['e16_best_name'] = function(GPT, BEST_NAME)
wrong['e16_best_name'] = {
    'the likeliest letter each time': (function(GPT, '''
def best_name(state_dict, vocab):
    nats, tokens = 0.0, [BOS]
    while True:
        logits = gpt(state_dict, tokens)[-1]
        options = range(len(logits)) if len(tokens) < block_size else [BOS]
        best = max(options, key=lambda token: logits[token].data)
        nats += logsumexp(logits).data - logits[best].data
        if best == BOS:
            return decode(tokens[1:], vocab), nats
        tokens.append(best)
'''), 'when to stop'),
    'all names': (function(GPT, '''
def best_name(state_dict, vocab):
    names, ends = [''], []
    for _ in range(block_size):
        ends += names
        names = [name + letter for name in names for letter in vocab[1:]]
    costs = {name: example_nats(state_dict, encode(name, vocab)) for name in ends}
    best = min(costs, key=costs.get)
    return best, costs[best]
'''), 'which beginning is looked at next'),
    'the end of the longest names costs nothing': (function(GPT, BEST_NAME.replace(
        ENDED, 'if len(tokens) == block_size:\n            return decode(tokens[1:], vocab), nats\n'
        '        ' + ENDED)), 'the price of the end'),
    'the likeliest comes last': (
        function(GPT, BEST_NAME.replace('nats + total - z.data', 'nats + z.data - total')),
        'when to stop'),
    'a letter too many': (
        function(GPT, BEST_NAME.replace('len(tokens) < block_size:', 'len(tokens) <= block_size:')),
        'how long'),
    'a probability': (
        function(GPT, BEST_NAME.replace('vocab), nats', 'vocab), math.exp(-nats)')), '-log p'),
    'heapq is not imported': (
        function(GPT, BEST_NAME.replace('    from heapq import heappop, heappush\n', '')),
        'best_name'),
    'the name only': (
        function(GPT, BEST_NAME.replace('vocab), nats', 'vocab)')), 'what best_name returns')}

def exact_nats(p, nats='-math.log(sum(ps) / len(ps))', result='bound, nats', end='tokens'):
    """A function with some of its formulas."""
    return function(DIFFUSION, f'''
def exact_nats(state_dict, tokens):
    """The bound on the nats of a name, and the nats, by all orders of revealing its tokens."""
    from itertools import permutations
    costs, ps = {{}}, []
    for order in permutations(range(len({end}))):
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

reference['e17_all_orders'] = exact_nats('order[k:]')
wrong['e17_all_orders'] = {
    'the log inside the mean': (
        exact_nats('order[k:]', 'sum([-math.log(p) for p in ps]) / len(ps)'), 'log and mean'),
    'all hidden each time': (exact_nats('order'), 'what is hidden'),
    'the token itself is not hidden': (exact_nats('order[k + 1:]'), 'exact_nats'),
    'the two the other way round': (exact_nats('order[k:]', result='nats, bound'), 'the order of'),
    'PADs are not revealed': (
        exact_nats('order[k:]', end='tokens[:len(tokens) - tokens.count(PAD)]'), 'what is hidden'),
    'one number': (exact_nats('order[k:]', result='nats'), 'what exact_nats returns'),
    'a sum over orders': (exact_nats('order[k:]', '-math.log(sum(ps))'), 'log and mean')}

DENOISE = text_of(DIFFUSION, r'def denoise\(')
MASKED = ('    masked = [n for n, token in enumerate(tokens) if token == MASK]\n'
          '    total, vocab_size')
LOGITS = '        logits = dict(zip(masked, mask_predictor(state_dict, tokens, masked)))\n'

def guidance(base, blank):
    """denoise with logits from this base, and with these tokens for the second evaluation."""
    return diffusion(
        with_parameter(DENOISE, 'guidance=0.0'),
        (MASKED, '    given = [n for n, token in enumerate(tokens) if token != MASK]\n' + MASKED),
        (LOGITS, LOGITS + f'''
        if guidance:
            blank = {blank}
            without = mask_predictor(state_dict, blank, masked)
            for n, free in zip(masked, without):
                logits[n] = [{base} + (z - u) * guidance for z, u in zip(logits[n], free)]
'''))

BLANK = '[MASK if n in given else token for n, token in enumerate(tokens)]'
reference['e18_guidance'] = guidance('z', BLANK)
wrong['e18_guidance'] = {
    'from the unguided logits': (guidance('u', BLANK), 'the formula'),
    'everything is masked': (guidance('z', '[MASK] * len(tokens)'), 'nothing else'),
    'the PADs stay': (
        guidance('z', BLANK.replace('n in given', 'n in given and token != PAD')), 'its PADs'),
    'always two evaluations of the same': (guidance('z', 'tokens'), 'all of the prompt'),
    'what is given is asked for too late': (
        [edit for edit in guidance('z', BLANK) if edit[1] != MASKED], 'where guidance is used'),
    'no default': (
        [(file, old, new.replace('guidance=0.0', 'guidance=1.0'))
         for file, old, new in guidance('z', BLANK)], 'the parameters of denoise'),
    'the confidence is not guided': (guidance('z', BLANK) + diffusion((OPTIONS, '''\
            plain = mask_predictor(state_dict, tokens, [n])[0]
            plain = [plain[token] for token in allowed(tokens, n, shortest, vocab_size)]
            best = max([z.data for z in plain]) - logsumexp(plain).data
''')), 'the confidence')}

BLOCKS = 'state_dict, tokens, rng, size, steps, temperature, shortest=1'

def blocks(part, rest='', steps='steps'):
    """A function that hands these tokens to denoise, told which MASKs it may touch."""
    return diffusion(
        with_parameter(DENOISE, 'where=None'),
        (MASKED, '    where = range(len(tokens)) if where is None else where\n'
         + MASKED.replace('token == MASK]', 'token == MASK and n in where]'))
    ) + function(DIFFUSION, f'''
def denoise_blocks({BLOCKS}):
    """Fill in the MASKs block by block, from left to right; yields what denoise yields."""
    for start in range(0, len(tokens), size):
        block = range(start, start + size)
        for i, cooled, done in denoise(state_dict, {part}, rng, {steps}, temperature, shortest,
                                       where=block):
            tokens = done{rest}
            yield i, cooled, tokens
''')

reference['e19_blocks'] = blocks('tokens')
wrong['e19_blocks'] = {
    'later blocks are cut off': (
        blocks('tokens[:start + size]', ' + tokens[start + size:]'), 'the whole sequence'),
    'only the beginning is yielded': (blocks('tokens[:start + size]'), 'what is yielded'),
    'a list, not one step after the other': (
        [(file, old, new.replace('yield i, cooled, tokens', 'return i, cooled, tokens'))
         for file, old, new in blocks('tokens')], 'denoise_blocks'),
    'each block has all the steps': (
        blocks('tokens', steps='steps * math.ceil(len(tokens) / size)'), 'the steps of each block'),
    'each block from the start': (
        [(file, old, new.replace('tokens = done\n            yield i, cooled, tokens',
                                 'yield i, cooled, done')) for file, old, new in blocks('tokens')],
        'the total'),
    'all at once': (function(DIFFUSION, f'''
def denoise_blocks({BLOCKS}):
    steps *= math.ceil(len(tokens) / size)
    yield from denoise(state_dict, tokens, rng, steps, temperature, shortest)
'''), 'the steps of each block')}

VECTORS = "add([wte[token] for token in tokens], state_dict['wpe'])"
ONCE = '''\
    [hidden] = linear([sum(xs, [])], state_dict['mlp_fc1'])
    for n in wanted:
        rows = state_dict['mlp_fc2'][n * n_embd:(n + 1) * n_embd]'''
EACH = '''\
    for n in wanted:
        [hidden] = linear([xs[n]], state_dict['mlp_fc1'])
        rows = state_dict['mlp_fc2']'''

def mlp(body=ONCE, width='n_embd * block_size', zero='Value(-1e6)', vectors=VECTORS, logits='z',
        first='(4 * n_embd, {})', std=0.1):
    """Another make_weights and mask_predictor.

    As text edits go, they take the place of the old ones by standing below them.
    """
    return function(DIFFUSION, f'''
def make_weights(vocab_size, rng):
    """The state_dict: every weight matrix, as rows of Values, by its name."""
    def matrix(rows, columns=n_embd):
        return [[Value(rng.gauss(0, {std})) for _ in range(columns)] for _ in range(rows)]

    return {{'wte': matrix(vocab_size), 'wpe': matrix(block_size),
            'mlp_fc1': matrix{first.format(width)},
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
    for z in out:
        z[MASK] = {zero}
    return out
''', BEFORE_ADAM)

reference['e20_mlp'] = mlp()
wrong['e20_mlp'] = {
    'each position by itself': (mlp(EACH, 'n_embd'), 'the input of the hidden layer'),
    'MASK can be guessed': (mlp(zero='z[MASK]'), 'z[MASK]'),
    'wanted is not heeded': (mlp(ONCE.replace('wanted', 'range(len(tokens))')), '`wanted`'),
    'wpe is made but not used': (mlp(vectors='[wte[token] for token in tokens]'), 'wpe'),
    'all weights 0 at first': (mlp(std=0.0), 'make_weights'),
    'a vector of vectors': (mlp(ONCE.replace('sum(xs, [])', 'xs')), 'how the output is cut up'),
    'a matrix as (in, out)': (mlp(first='({}, 4 * n_embd)'), '(out, in)'),
    'logits cut off from what they come from': (
        mlp(logits='[Value(v.data) for v in z]'), 'where')}

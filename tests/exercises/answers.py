"""STOP: what the checkers compare answers with. Look here when yours is done, or given up."""
import math


def pushed(c):
    """Exercise 2: what is in each grad if backward() is no more than push()."""
    def push(node):
        for child, local_grad in zip(node._children, node._local_grads):
            child.grad += local_grad * node.grad
            push(child)

    c.grad = 1.0
    push(c)

def first_losses(microgpt, microdiffusion, name, letters, t_min):
    """Exercise 4: the mean loss of a name in both models, if every guess is spread evenly."""
    gpt = (len(name) + 1) * math.log(len(microgpt.SPECIAL + letters))

    # On average L (1 - t_min) / ln(1/t_min) of L tokens are masked; the loss is times that ln.
    # MASK is never guessed, so it is not among the tokens that a guess is spread over.
    masked = microdiffusion.block_size * (1 - t_min)
    return gpt, masked * math.log(len(microdiffusion.SPECIAL + letters) - 1)

def distances(look, query, keys, block_size):
    """Exercise 7: how far away each key is for a head that looks this way."""
    return tuple([(look * (key - query) - 1) % block_size for key in keys])

def chance(k, length, t_min, grid=4000):
    """The probability that k of the tokens are masked: the mean over t, whose ln is uniform."""
    ways = math.factorial(length) // math.factorial(k) // math.factorial(length - k)
    ts = [t_min ** ((i + 0.5) / grid) for i in range(grid)]
    return math.fsum([ways * t ** k * (1 - t) ** (length - k) for t in ts]) / grid

def shares_of_loss(length, t_min, most=7):
    """Exercise 12: the share of at most so many masked tokens, with the sum and with the mean."""
    chances = {k: chance(k, length, t_min) for k in range(1, length + 1)}

    def share(cost):
        costs = {k: p * cost(k) for k, p in chances.items()}
        return sum([costs[k] for k in costs if k <= most]) / sum(costs.values())

    return share(lambda k: k), share(lambda k: 1)

def shared_sum(gradients, count):
    """Exercise 13: the sum of gradients, if each process adds up its own share first."""
    size = math.ceil(len(gradients) / count)
    sums = []
    for start in range(0, len(gradients), size):
        sums.append(added(gradients[start:start + size]))
    return added(sums)

def added(gradients):
    """Lists of floats added up, one after the other."""
    total = [0.0] * len(gradients[0])
    for gradient in gradients:
        total = [a + b for a, b in zip(total, gradient)]
    return total


# Some exercises end with a question. The checker prints this when all else is done.

AFTERWARDS = {
    'e04_first_loss': '''\
Tried out, with the mean of many draws, both begin higher: small weights do not make
quite even guesses, and one that leans at random costs more on average than an even one.
More so in microdiffusion.py, which makes its logits of wte: its weights are larger at
first.''',
    'e05_linear_schedule': '''\
The linear schedule reveals as much in its first step, when nothing is known yet, as in
its last; the cosine leaves most letters to the steps in which most of the name is
there. With names as short as these it makes little difference: a tenth of a nat is
chance with 100 names (try another --seed), and from step to step there are larger
gains.''',
    'e06_left_to_right': '''\
Names are less usual now, with 3 or 4 steps by three or four tenths of a nat per
character. From left to right, several neighbours are revealed at once that do not know
of each other, though they depend on each other most; in any other order they are mostly
further apart.''',
    'e07_heads_left': '''\
_aria: the first letter must be guessed from what stands to its right. That side is not
hidden, as in a GPT, but faint: it comes at the end of the way around, and only a very
large score could outweigh the distance. The last letter, which twice as many heads look
left from now, hardly suffers, if at all. The held-out figure, which has both, rises.''',
    'e08_top_p': '''\
Both keep out what hardly fits, and names are far more usual than with top_p=1.0, by
half a nat per character or so; which of the two does better depends on the two
numbers. They differ in what they hold on to. top-p needs its share: where the likeliest
letter has 0.5 to 0.7, it keeps three or four letters, min-p about two. The limit of
min-p goes with the likeliest letter: none with less than a fifth of its probability is
ever drawn, while about every other time top-p 0.8 keeps one. Where the model is unsure,
and the likeliest letter has less than 0.15, min-p keeps more of them than top-p does.''',
    'e09_end_temperature': '''\
At a low temperature the names of microdiffusion.py are shorter by a letter and more. A
temperature below 1 makes the likely likelier, and in a sequence of 14 PAD is the
commonest token by far. microgpt.py is asked for the end only where the name has come
to: there a low temperature makes the unlikely end after two letters rarer, and the
likely one after six surer, and the mean moves by half a letter or less. Above 1 the end
loses to the many letters, and both write longer names. (They are also far less usual:
among these letters are many that min-p would have left out.)''',
    'e10_fill_blank': '''\
A blank costs the GPT one evaluation of the whole name for each of the 26 letters;
microdiffusion.py has it from one evaluation, but only if it was trained to. Two blanks
would cost 26 * 26.''',
    'e11_pad_out': '''\
Both show the harm, the names at once: hardly any of them ends, as nobody has taught the
model where PAD belongs. The held-out figure is far worse than before, because it counts
the PADs; and had you taken them out of it too, it would have looked better than before,
for a model that cannot write. The training loss falls with the change, as it has fewer
tokens to count: it shows no harm at all. A loss that you have changed cannot tell you
whether the change was good.''',
    'e12_mean_loss': '''\
The lower t_min, the more draws with few masks, and the larger their share. The mean
divides by the number of masked tokens, about 14 t, once more, and so moves the weight
to them as well.''',
    'e13_two_processes': '''\
A worker that adds up its own share sends one gradient instead of one for each name. It
is a good bargain, and large models are trained so; but then the bits depend on how many
processes there are. Here the main process adds the gradients of single names, always in
the same order.''',
    'e14_token_confidence': '''\
A draw that is unlikely is judged so, and is more likely to be thrown away and drawn
anew, so names are a little more usual, though the temperature has not changed; and a
little shorter. With as much noise as there is, only a few more of them are the same.''',
    'e16_best_name': '''\
The likeliest of all names is a very short one, or even none at all: each letter costs
something. A sample is seldom the likeliest thing, and the likeliest thing is seldom
what one wants to read.''',
    'e17_all_orders': '''\
The bound is never below the nats (Jensen's inequality), and equal only if all orders
agree on the price of a name. microgpt's held-out figure is exact, so it is to be
compared with the nats.''',
    'e19_blocks': '''\
With blocks of one position it writes from left to right like a GPT, with one block of
all of them it is denoise. In between, each block is begun with all that stands to its
left.''',
    'e20_mlp': '''\
The transformer uses the same weights at every position: what it learns about a letter
and its neighbour in one place, it knows everywhere. The perceptron must learn it for
each place anew.''',
}

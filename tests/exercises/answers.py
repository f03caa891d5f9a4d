"""STOP: what the checkers compare answers with, and what they say at the end.

Look here when your exercise is done, or given up.
"""
import itertools
import math


# Exercise 2: how many of 100 names were copies of those in tests/class.txt, after 700 steps.
COPIES = 100, 51            # by the GPT, by the diffusion model


def puzzles(name):
    """Exercise 2: how many different puzzles the GPT and the diffusion model make of a name."""
    import microdiffusion
    from microdiffusion import MASK
    tokens = microdiffusion.encode(name, microdiffusion.make_vocab([name]))
    seen = set()
    for hidden in itertools.product((False, True), repeat=len(tokens)):
        noisy = [MASK if hide else token for hide, token in zip(hidden, tokens)]
        if MASK in microdiffusion.settled(noisy):
            seen.add(tuple(microdiffusion.settled(noisy)))
    return len(name) + 1, len(seen)

def distance(look, query, key, block_size):
    """Exercise 5: how far away a key is for a head that looks this way."""
    return (look * (key - query) - 1) % block_size

def prices(state_dict, tokens, hidden=None):
    """Exercise 11: the bound on the tokens at the hidden positions, and their probability."""
    from microdiffusion import MASK, cross_entropies, settled
    hidden = range(len(tokens)) if hidden is None else hidden
    if not hidden:
        return 0.0, 1.0
    noisy = [MASK if n in hidden else token for n, token in enumerate(tokens)]
    guessed = [n for n, token in enumerate(settled(noisy)) if token == MASK]
    costs = dict(zip(guessed, cross_entropies(state_dict, noisy, tokens)))
    bound = p = 0.0
    for n in hidden:
        cost = costs[n].data if n in costs else 0.0
        rest = prices(state_dict, tokens, [k for k in hidden if k != n])
        bound += (cost + rest[0]) / len(hidden)
        p += math.exp(-cost) * rest[1] / len(hidden)
    return bound, p


# What a checker prints when all is right. Figures of names are those of 1,000 names of the trained
# model: before the change by python -m tests.exercises.sample microdiffusion --samples 1000, with
# further options, and after it by python -m tests.exercises.solved with the number of the exercise.
# Those of fifteen seeds are of 100 names each: --seed 1 to --seed 15.

closing = {
    'e01_tanh': """
After 500 steps: 15.8 nats with relu, 16.1 with tanh. So tanh does the job, as would most
functions that are not straight lines. Relu is also the cheaper one: where it gives 0,
relu_linear leaves the number out, and its derivative is 0 or 1. That of tanh is small wherever
tanh(x) is near 1 or -1, so little of a gradient comes through.
""",
    'e02_class_list': """
With tests/class.txt: 100 of the 100 names of the GPT are copies, and 51 of those of the
diffusion model; among its others are elina, emi and saria. (Training in the page gives other
models: five seeds gave 100 copies each time for the GPT, and 43 to 57 for diffusion.) The training
loss of the GPT ends at 3.48 nats, near ln(32) = 3.47: only which of the 32 names it is remains to
be guessed. The GPT meets the same 5 puzzles each time it sees nora, and soon knows the answers by
heart. The diffusion model can be given 175 puzzles of nora: 16 ways to hide the letters, times 11
places for the first visible PAD (one of ten, or none), less the one that leaves nothing to
guess. In 700 steps both see nora 175 times. So the GPT meets each of its puzzles 175 times, while
the diffusion model meets about 61 different ones, most of them once or twice. It has to learn what
the names have in common. With many names the GPT has no time to learn them by heart either.
""",
    'e03_left_to_right': """
They get worse: 2.39 nats per character left to right, 2.23 surest first, with 97 % and 92 %
distinct names (1,000 names of seed 42). A hundred names show it too: for each of fifteen seeds the
figure rose, by 0.10 to 0.27. There are two reasons. Left to right the letters come in the first
steps, when the temperature is still high; surest first, the end of the name comes first, and the
letters later. That is about half of it: with --temperature 1.1 the surest first have 96 %
distinct names and 2.32. The other half is the order itself: the first letters are drawn before
anything is known of the rest, even of the length. With --denoise-steps 4 it is 2.97 against 2.91,
and that drowns in chance: the fifteen seeds changed by -0.11 to 0.38.
""",
    'e04_linear_schedule': """
Nats per character (1,000 names of seed 42):

    steps   cosine  linear
        2     3.22    3.17
        3     3.15    2.80
        4     2.91    2.64
        8     2.49    2.42
       20     2.23    2.25

With 4 steps and a hundred names, fifteen seeds gave 2.72 to 3.06 with the cosine and 2.44 to 2.75
with the linear schedule: each of the seeds fell, by 0.12 to 0.51. With 20 steps the same fifteen
seeds changed by -0.05 to 0.13, so that is chance. Why? The surest places are those behind the
end of the name, so they are revealed first, and the letters are left for the last steps. With 3
steps the cosine leaves 7 of the 14 tokens to the last one. They are drawn at once and do not know
of each other; the linear schedule leaves 4. The cosine comes from pictures, where the first
few of hundreds of tokens are drawn with nothing to go by, and where it pays to be slow at the
beginning. With many steps nearly all tokens are drawn alone by both schedules.
""",
    'e05_heads_left': """
_aria suffers more. Its first letter has to be guessed from what stands to its right. A head
that looks left gets there around the end of the ring, and from the wrong side: it comes to the
end of the name first, at distance 8, and to the neighbour a last, at distance 12. After 500
steps a hidden first letter costs 3.01 nats instead of 2.74, a hidden last letter 2.22 instead
of 2.19 (256 held-out names). The held-out figure has all places in it, and rises from 17.0 to
17.5. The standard error of 0.3 is not that of the difference: both models are measured on the
same names with the same letters hidden, so much of the chance in it is the same for both.
""",
    'e06_fill_blank': """
A blank costs the GPT 26 evaluations of the whole name, one for each letter, and two blanks cost
26 * 26. The diffusion model has all blanks from one evaluation, as that is what it was trained
for. The GPT is right more often, though: for a letter in the middle 39 % against 29 %, for the
first letter 28 % against 22 % (1,177 held-out names). To know which names are likely is enough
to fill a blank; it only takes long to find out.
""",
    'e07_always_fifteen': """
After 500 steps the training loss is 3.9 nats instead of 13.7 (if it is still multiplied with
ln(1/t_min)), but the held-out figure is 17.6 instead of 17.0. The names show the harm at once:
of 200 names 29 had one or two letters, and 33 had more than ten (3 and 1 before), with parts that
do not fit together: mananananena. With 2 of 14 tokens hidden, the model never learns what to do
when it sees little or nothing, and each name begins with nothing. BERT is good at what it was made
for, which is reading. A diffusion model has to learn all noise levels. And a training loss that you
have changed cannot tell you whether the change was good: ask the held-out figure, which has stayed
the same.
""",
    'e08_second_look': """
The names are more usual, 2.15 nats per character instead of 2.23, but there are fewer different
ones: 89 % instead of 92 %. A lower temperature does nearly the same and costs nothing: at 0.8 it
is 2.21 with 90 %, and at 0.7 it is 2.16 with 86 %. So the second look brings a little, for 15
evaluations a name instead of 9. The first letters were drawn with little to go by, and each new
draw is made from all the rest; but the rest was chosen to fit the old letter, and holds it in its
place.
""",
    'e09_threshold': """
With --temperature 0.6 for the threshold, and 0.9 as it was for the cosine (1,000 names of seed
42; with a hundred names, fifteen seeds spread over 0.25 nats):

                       evaluations    nats per    distinct
                            a name   character       names
    threshold 0.3              5.0        2.51        96 %
    threshold 0.5              7.0        2.38        96 %
    threshold 0.7              8.0        2.32        95 %
    cosine, 8 steps            5.3        2.49        97 %
    cosine, 12 steps           6.5        2.38        95 %
    cosine, 16 steps           8.1        2.29        94 %

So for names the threshold wins nothing. What it reveals together are dots at the end: hardly any
letter is as sure as 0.5, so nearly each letter takes an evaluation of its own. Without noise the
first step is even the same for all names. A large model is sure of many tokens of a sentence,
and there the same rule saves many evaluations.
""",
    'e10_token_confidence': """
In the new version: 53 % distinct names instead of 92 %. It draws for every position and keeps the
draws that happened to be likely, so the usual wins twice. The end is among the surest of all, so
names also become shorter, 4.9 letters instead of 6.1. They are more usual too, 1.95 nats per
character instead of 2.23; but so are those of the old version at temperature 0.5 (2.01, 66 %),
with 6.1 letters. Without any noise only 31 % are distinct. In a long text, with thousands of
tokens to choose from, one does not notice: two texts are hardly ever the same.
""",
    'e11_all_orders': """
For leo the bound is 13.25 and the real price 13.09 nats; for nora it is 11.77 and 11.66. Over
ten names of four letters the gap is 0.11 on average. The bound is never below the price, because
the mean of -log p is never below -log of the mean (Jensen's inequality). Both are equal only if
all orders give the name the same probability, and the model does not quite manage that. The
figure of microgpt.py is exact, so the price is what should be compared with it; the bound is a
little unfair to diffusion.
""",
    'e12_blocks': """
Four blocks of up to four letters, four steps each: 2.35 nats per character with 97 % distinct
names, for 7.6 evaluations a name (1,000 names of seed 42). That is much like denoise with 12 steps
(2.38, 95 %, 6.5 evaluations). With blocks of one position the program writes from left to right
like a GPT, and with one block of 14 it is denoise. Large models use blocks for two reasons: a text
can go on without end, and what is whole to the left need not be worked out again.
""",
}

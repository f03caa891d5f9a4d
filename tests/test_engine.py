"""The scalar engine: every gradient against central differences, and every way to use a graph."""
import gc
import math
import operator
import random
import sys
import unittest

import microdiffusion
from microdiffusion import Value, linear, logsumexp, relu_linear, rmsnorm, softmax

if sys.implementation.name == 'cpython':
    import tracemalloc                      # PyPy has none, and frees memory in its own time
cpython_only = unittest.skipUnless(sys.implementation.name == 'cpython', 'counts references')

THREE = [0.2, -1.1, 0.9]
BIAS = [-4.0, 0.0, -2.0]

# what is worked out, as a function of Values, and the point where its gradient is checked
OPERATIONS = [
    ('a + b', operator.add, [1.3, -0.4]),
    ('a + 2', lambda a: a + 2, [1.3]),
    ('2 + a', lambda a: 2 + a, [1.3]),
    ('a - b', operator.sub, [1.3, -0.4]),
    ('a - 2', lambda a: a - 2, [1.3]),
    ('2 - a', lambda a: 2 - a, [1.3]),
    ('a * b', operator.mul, [1.3, -0.4]),
    ('a * 3', lambda a: a * 3, [1.3]),
    ('3 * a', lambda a: 3 * a, [1.3]),
    ('a / b', operator.truediv, [1.3, -0.4]),
    ('a / 4', lambda a: a / 4, [1.3]),
    ('4 / a', lambda a: 4 / a, [1.3]),
    ('-a', operator.neg, [1.3]),
    ('a ** 3', lambda a: a ** 3, [-1.3]),
    ('a ** -0.5', lambda a: a ** -0.5, [1.3]),
    ('a.exp()', lambda a: a.exp(), [0.7]),
    ('a.log()', lambda a: a.log(), [0.7]),
    ('a.relu() of 0.7', lambda a: a.relu() * 3, [0.7]),
    ('a.relu() of -0.7', lambda a: a.relu() * 3 + a, [-0.7]),
    ('a * a', lambda a: a * a, [1.3]),
    ('a used often', lambda a, b: (a * b + a) * (b - a) / (a + 3) + a, [1.3, -0.4]),
    ('logsumexp', lambda *z: logsumexp(z), THREE),
    ('softmax', lambda *z: softmax(z)[1] * 3 + softmax(z)[0], THREE),
    ('softmax, scaled', lambda *z: softmax(z, 0.4)[1] * 3 + softmax(z, 2)[0], THREE),
    ('softmax, with a bias', lambda *z: softmax(z, 0.4, BIAS)[1] * 3 + softmax(z, 2, BIAS)[0],
     THREE),
    ('rmsnorm', lambda *x: rmsnorm(list(x))[0] - rmsnorm(list(x))[2] * 2, THREE),
    ('dot product', lambda a, b, c, d: linear([[a, b]], [[c, d]])[0][0], [0.2, -1.1, 0.9, 2]),
    ('dot product with itself', lambda a, b: linear([[a, b]], [[a, b]])[0][0], [0.2, -1.1]),
    ('dot product with shared parts', lambda a, b: linear([[a, b]], [[b, a]])[0][0] * a,
     [0.2, -1.1]),
    ('two layers', lambda a, b, c, d: linear(
        linear([[a, b], [b, a]], [[c, d], [d, d]]), [[a, c]])[1][0], [0.2, -1.1, 0.9, 2]),
    ('relu_linear', lambda a, b, c, d, e: sum(relu_linear(
        [a, b, c], [[d, e, a], [c, d, e]])), [0.2, -1.1, 0.9, 2, -0.6]),
    ('residual connection', lambda a, b: microdiffusion.add([[a, b]], [[b, b]])[0][0] * a,
     [0.2, -1.1]),
]


def central_difference(function, point, n, step=1e-5):
    """d function / d point[n], from the numbers on either side of it."""
    sides = []
    for sign in (1, -1):
        moved = [Value(x + sign * step * (m == n)) for m, x in enumerate(point)]
        sides.append(function(*moved).data)
    return (sides[0] - sides[1]) / (2 * step)


class Gradients(unittest.TestCase):
    def test_each_operation_against_central_differences(self):
        for name, function, point in OPERATIONS:
            leaves = [Value(x) for x in point]
            function(*leaves).backward()
            for n, leaf in enumerate(leaves):
                with self.subTest(operation=name, argument=n):
                    self.assertAlmostEqual(central_difference(function, point, n), leaf.grad,
                                           delta=1e-8 * max(1, abs(leaf.grad)) + 1e-8)

    def test_attention_against_central_differences(self):
        rng = random.Random(1)
        width = microdiffusion.n_embd
        point = [rng.gauss(0, 1) for _ in range(5 * width)]     # a query, two keys, two values

        def mixed(*flat):
            rows = [list(flat[n:n + width]) for n in range(0, len(flat), width)]
            [out] = microdiffusion.attention(rows[:1], rows[1:3], rows[3:])
            return sum([v * (n % 5 - 1.7) for n, v in enumerate(out)])

        leaves = [Value(x) for x in point]
        mixed(*leaves).backward()
        for n in rng.sample(range(len(point)), 30):
            self.assertAlmostEqual(central_difference(mixed, point, n), leaves[n].grad, delta=1e-7)


def values(count):
    """A vector of so many Values."""
    return [Value(n + 1.0) for n in range(count)]

# What takes vectors of two lengths, or more of one kind than of the other. zip would drop the rest.
MISFITS = [
    ('an input longer than a row', lambda: linear([values(3)], [values(2)])),
    ('a row longer than an input', lambda: linear([values(2)], [values(2), values(3)])),
    ('relu: an input longer than a row', lambda: relu_linear(values(3), [values(2)])),
    ('relu: a row longer than an input', lambda: relu_linear(values(2), [values(2), values(3)])),
    ('three vectors and two', lambda: microdiffusion.add([values(2)] * 3, [values(2)] * 2)),
    ('two vectors and three', lambda: microdiffusion.add([values(2)] * 2, [values(2)] * 3)),
    ('vectors of three and of two', lambda: microdiffusion.add([values(3)], [values(2)])),
    ('a bias too short', lambda: softmax(values(3), 1.0, BIAS[:2])),
    ('a key without values', lambda: microdiffusion.attention(
        [values(16)], [values(16)] * 2, [values(16)])),
]

# What is made of vectors, to be tried with vectors that can be read only once.
ITERATORS = [
    ('linear, an input', lambda x, y, once: linear([once(x)], [y])[0][0]),
    ('linear, a row', lambda x, y, once: linear([x], [once(y)])[0][0]),
    ('linear, all inputs', lambda x, y, once: linear(once([x]), [y])[0][0]),
    ('linear, all rows', lambda x, y, once: linear([x], once([y]))[0][0]),
    ('relu_linear, the input', lambda x, y, once: relu_linear(once(x), [y])[0]),
    ('relu_linear, a row', lambda x, y, once: relu_linear(x, [once(y)])[0]),
    ('relu_linear, all rows', lambda x, y, once: relu_linear(x, once([y]))[0]),
    ('logsumexp', lambda x, y, once: logsumexp(once(x)) + y[0]),
    ('softmax', lambda x, y, once: softmax(once(x))[0] + y[0]),
    ('rmsnorm', lambda x, y, once: rmsnorm(once(x))[0] + y[0]),
    ('add', lambda x, y, once: microdiffusion.add(once([x]), [y])[0][0]),
    ('add, one vector', lambda x, y, once: microdiffusion.add([once(x)], [y])[0][0]),
]


class NothingIsLost(unittest.TestCase):
    """Students change sizes: what does not fit is an error, and never half a result."""

    def test_lengths_that_do_not_fit_are_an_error_that_tells_them(self):
        for what, call in MISFITS:
            with self.subTest(what), self.assertRaisesRegex(ValueError, r'lengths .*\[\d+, \d+\]'):
                call()

    def test_what_can_be_read_only_once_gives_the_same_gradients_or_an_error(self):
        for what, function in ITERATORS:
            found = []
            for once in (list, iter):
                x, y = values(3), values(3)
                with self.subTest(what):
                    try:
                        function(x, y, once).backward()
                    except TypeError as error:
                        self.assertIs(iter, once)
                        self.assertRegex(str(error), 'len|subscriptable|concatenate')
                    else:
                        found.append([v.grad for v in x + y])
            with self.subTest(what):
                self.assertEqual(found[0], found[-1])

    def test_what_is_no_number_stays_so(self):
        for x in ([math.nan, 1.0], [1.0, math.nan]):
            for function in (lambda x: relu_linear(x, [values(2)])[0], logsumexp,
                             lambda x: softmax(x)[0], lambda x: rmsnorm(x)[0]):
                self.assertTrue(math.isnan(function([Value(z) for z in x]).data))


class EdgesOfTheDomain(unittest.TestCase):
    """Where a plain derivative does not exist, it is as in PyTorch."""

    def test_powers_of_0(self):
        for exponent, power, grad in ((0, 1.0, 0.0), (0.5, 0.0, math.inf), (1, 0.0, 1.0),
                                      (1.5, 0.0, 0.0), (2, 0.0, 0.0)):
            with self.subTest(exponent=exponent):
                leaf = Value(0.0)
                value = leaf ** exponent
                value.backward()
                self.assertEqual((power, grad), (value.data, leaf.grad))

    def test_an_exponent_that_is_a_value_is_an_error_that_says_so(self):
        with self.assertRaisesRegex(TypeError, 'exponent'):
            Value(2.0) ** Value(3.0)

    def test_relu(self):
        for x, out, grad in ((2.0, 2.0, 3.0), (-2.0, 0.0, 0.0), (0.0, 0.0, 0.0)):
            leaf = Value(x)
            value = leaf.relu() * 3
            value.backward()
            self.assertEqual((3 * out, grad), (value.data, leaf.grad))
        self.assertTrue(math.isnan(Value(math.nan).relu().data))


class BuildingBlocks(unittest.TestCase):
    def test_linear_gives_each_vector_times_each_row(self):
        xs = [[Value(1.0), Value(2.0)], [Value(-1.0), Value(0.5)]]
        w = [[Value(3.0), Value(4.0)], [Value(5.0), Value(6.0)], [Value(0.0), Value(1.0)]]
        out = [[v.data for v in row] for row in linear(xs, w)]
        self.assertEqual([[11.0, 17.0, 2.0], [-1.0, -2.0, 0.5]], out)

    def test_relu_linear_is_relu_and_then_linear(self):
        for signs in ((1, -1, 1, -1), (-1, -1, -1, -1), (1, 1, 1, 1)):
            results = []
            for function in (relu_linear, lambda x, w: linear([[v.relu() for v in x]], w)[0]):
                x = [Value(sign * (n + 0.5)) for n, sign in enumerate(signs)]
                w = [[Value((row - 1) * 0.3 + n) for n in range(4)] for row in range(3)]
                out = function(x, w)
                sum([v * (n + 1) for n, v in enumerate(out)]).backward()
                results.append([[v.data for v in out], [v.grad for v in sum(w, x)]])
            self.assertEqual(*results)

    def test_softmax_and_logsumexp_by_their_formulas(self):
        """p = exp(scale * z + bias) / sum: the bias is not scaled."""
        for scale, bias in ((1.0, None), (0.4, BIAS)):
            exps = [math.exp(scale * z + b) for z, b in zip(THREE, bias or [0.0] * 3)]
            for e, p in zip(exps, softmax([Value(z) for z in THREE], scale, bias)):
                self.assertAlmostEqual(e / sum(exps), p.data, places=12)
        total = sum([math.exp(z) for z in THREE])
        self.assertAlmostEqual(math.log(total), logsumexp([Value(z) for z in THREE]).data)

    def test_logits_far_apart_do_not_overflow(self):
        for logits in ([1000.0, -1000.0], [-1000.0, -1001.0], [1000.0] * 3, [-1e6, 0.0, 2.0]):
            with self.subTest(logits=logits):
                values = [Value(z) for z in logits]
                probs = softmax(values)
                (logsumexp(values) + probs[0]).backward()
                top = max(logits)
                exact = top + math.log(sum([math.exp(z - top) for z in logits]))
                self.assertAlmostEqual(1.0, sum([p.data for p in probs]), places=12)
                self.assertAlmostEqual(exact, logsumexp(values).data, places=9)
                self.assertTrue(all([math.isfinite(v.grad) for v in values]))

    def test_what_is_ruled_out_has_no_probability_and_no_gradient(self):
        values = [Value(1.0), Value(2.0), Value(-1e6)]
        probs = softmax(values)
        (probs[0] * 3 + logsumexp(values)).backward()
        self.assertEqual((0.0, 0.0), (probs[2].data, values[2].grad))

    def test_rmsnorm_makes_the_root_mean_square_1_and_keeps_the_direction(self):
        for size in (0.5, 40.0):
            x = [size * z for z in THREE]
            y = [v.data for v in rmsnorm([Value(z) for z in x])]
            self.assertAlmostEqual(1.0, math.sqrt(sum([z * z for z in y]) / 3), places=3)
            for before, after in zip(x, y):
                self.assertAlmostEqual(y[0] / x[0], after / before)
        self.assertEqual([0.0] * 3, [v.data for v in rmsnorm([Value(0.0)] * 3)])


class Graphs(unittest.TestCase):
    def test_a_value_used_twice_at_two_levels(self):
        a = Value(3.0)
        b = a + a
        c = b + b
        c.backward()
        self.assertEqual((4.0, 2.0, 1.0), (a.grad, b.grad, c.grad))

    def test_a_value_that_is_used_late_and_early_is_complete_before_it_passes_on(self):
        a = Value(3.0)
        b = a * 2
        c = b * 5
        d = c + b * 7                       # b is used again after c was made of it
        (d * b).backward()                  # 12 b ** 2, and b is 2 a
        self.assertEqual(12 * 2 * 6 * 2, a.grad)

    def test_dot_products_that_share_vectors_and_are_made_of_each_other(self):
        a, b, c, d = leaves = [Value(x) for x in (2.0, 3.0, 5.0, 7.0)]
        [inner] = linear([[a, b]], [[c, d], [d, c]])        # 2 * 5 + 3 * 7 = 31, 2 * 7 + 3 * 5 = 29
        [[top]] = linear([inner], [inner])                  # 31 ** 2 + 29 ** 2
        top.backward()
        self.assertEqual([62.0, 58.0], [v.grad for v in inner])
        self.assertEqual([62 * 5 + 58 * 7, 62 * 7 + 58 * 5, 62 * 2 + 58 * 3, 62 * 3 + 58 * 2],
                         [v.grad for v in leaves])

    def test_two_losses_that_share_a_part_both_reach_the_leaves(self):
        a, b = Value(2.0), Value(5.0)
        shared = a * b
        (shared * 3).backward()
        (shared + a).backward()
        self.assertEqual((3 * 5 + 5 + 1, 3 * 2 + 2), (a.grad, b.grad))

    def test_backward_from_the_middle_of_a_graph(self):
        a = Value(2.0)
        middle = a * 3
        top = middle * middle
        middle.backward()
        self.assertEqual((3.0, 1.0, 0.0), (a.grad, middle.grad, top.grad))

    def test_backward_twice_doubles_the_leaves_and_starts_the_others_afresh(self):
        a, b = Value(2.0), Value(5.0)
        inner = a * b
        [[loss]] = linear([[inner, a]], [[a, b]])           # a * a * b + a * b
        for times in (1, 2):
            loss.backward()
            self.assertEqual((25.0 * times, 6.0 * times), (a.grad, b.grad))
            self.assertEqual((2.0, 1.0), (inner.grad, loss.grad))

    def test_backward_of_a_leaf_is_its_own_derivative(self):
        leaf = Value(2.0)
        leaf.backward()
        leaf.backward()
        self.assertEqual(2.0, leaf.grad)

    def test_what_is_used_twice_is_looked_at_once(self):
        """Doubled 60 times, there are 2 ** 60 ways from the end to the leaf."""
        x = leaf = Value(1.0)
        for _ in range(60):
            x = x + x
        x.backward()
        self.assertEqual(2.0 ** 60, leaf.grad)

    def test_a_chain_100000_deep(self):
        x = leaf = Value(1.0)
        for _ in range(100000):
            x = x + 1
        x.backward()
        self.assertEqual((100001.0, 1.0), (x.data, leaf.grad))
        del x                               # nor may its end be too deep for the interpreter

    def work(self, backward):
        """What a model does with its weights, at a small size."""
        weights = [[Value(0.1) for _ in range(4)] for _ in range(4)]
        out = linear([rmsnorm(weights[0])], weights)[0]
        loss = sum(softmax(out, 0.5, [-1.0] * 4)[:2]) * logsumexp(out).exp()
        if backward:
            loss.backward()

    @cpython_only
    def test_nothing_piles_up_and_no_cycle_is_left_to_collect(self):
        for backward in (False, True):
            self.work(backward)
            gc.collect()
            collecting = gc.isenabled()
            gc.disable()                    # so that a cycle would stay, and show
            tracemalloc.start()
            try:
                for n in range(300):
                    self.work(backward)
                    if n == 20:
                        early = tracemalloc.get_traced_memory()[0]
                late = tracemalloc.get_traced_memory()[0]
            finally:
                tracemalloc.stop()
                if collecting:
                    gc.enable()
            self.assertEqual(0, gc.collect())
            self.assertLess(late - early, 10000)


if __name__ == '__main__':
    unittest.main()

"""The scalar engine: every gradient against central differences, and every way to use a graph."""
import gc
import math
import operator
import random
import sys
import unittest

import microdiffusion as lab

if sys.implementation.name == 'cpython':
    import tracemalloc                      # PyPy has none, and frees memory in its own time
cpython_only = unittest.skipUnless(sys.implementation.name == 'cpython', 'counts references')


def central_difference(function, point, n, step=1e-5):
    """d function / d point[n], from the plain numbers on either side of it."""
    sides = []
    for sign in (1, -1):
        moved = [lab.Value(x + sign * step * (m == n)) for m, x in enumerate(point)]
        sides.append(function(*moved).data)
    return (sides[0] - sides[1]) / (2 * step)


# name, function of Values, the point where its gradient is checked
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
    ('a.relu(), a > 0', lambda a: a.relu(), [0.7]),
    ('a.relu(), a < 0', lambda a: a.relu() + a * 0, [-0.7]),
    ('a * a', lambda a: a * a, [1.3]),
    ('a used often', lambda a, b: (a * b + a) * (b - a) / (a + 3) + a, [1.3, -0.4]),
    ('logsumexp', lambda *z: lab.logsumexp(z), [0.2, -1.1, 0.9]),
    ('softmax', lambda *z: lab.softmax(z)[1] * 3 + lab.softmax(z)[0], [0.2, -1.1, 0.9]),
    ('softmax, scaled', lambda *z: lab.softmax(z, 0.4)[1] * 3 + lab.softmax(z, 2)[0],
     [0.2, -1.1, 0.9]),
    ('logsumexp, scaled', lambda *z: lab.logsumexp(z, 0.4), [0.2, -1.1, 0.9]),
    ('rmsnorm', lambda *x: lab.rmsnorm(list(x))[0] - lab.rmsnorm(list(x))[2] * 2, [0.2, -1.1, 0.9]),
    ('dot product', lambda a, b, c, d: lab.linear([[a, b]], [[c, d]])[0][0], [0.2, -1.1, 0.9, 2]),
    ('dot product with itself', lambda a, b: lab.linear([[a, b]], [[a, b]])[0][0], [0.2, -1.1]),
    ('dot product with shared parts', lambda a, b: lab.linear([[a, b]], [[b, a]])[0][0] * a,
     [0.2, -1.1]),
    ('two layers', lambda a, b, c, d: lab.linear(
        lab.linear([[a, b], [b, a]], [[c, d], [d, d]]), [[a, c]])[1][0], [0.2, -1.1, 0.9, 2]),
    ('relu, then dot products', lambda a, b, c, d, e: sum(lab.relu_linear(
        [a, b, c], [[d, e, a], [c, d, e]])), [0.2, -1.1, 0.9, 2, -0.6]),
]


class Gradients(unittest.TestCase):
    def test_each_operation_against_central_differences(self):
        for name, function, point in OPERATIONS:
            leaves = [lab.Value(x) for x in point]
            function(*leaves).backward()
            for n, leaf in enumerate(leaves):
                with self.subTest(operation=name, argument=n):
                    self.assertAlmostEqual(leaf.grad, central_difference(function, point, n),
                                           delta=1e-8 * max(1, abs(leaf.grad)) + 1e-8)

    def test_relu_linear_is_relu_and_then_linear(self):
        for signs in ((1, -1, 1, -1), (-1, -1, -1, -1), (1, 1, 1, 1)):
            grads = []
            for function in (lab.relu_linear, lambda x, w: lab.linear([[v.relu() for v in x]], w)[0]):
                x = [lab.Value(sign * (n + 0.5)) for n, sign in enumerate(signs)]
                w = [[lab.Value((row - 1) * 0.3 + n) for n in range(4)] for row in range(3)]
                out = function(x, w)
                sum([v * (n + 1) for n, v in enumerate(out)]).backward()
                grads.append([[v.data for v in out], [v.grad for v in sum(w, x)]])
            self.assertEqual(*grads)

    def test_attention_against_central_differences(self):
        rng = random.Random(1)
        point = [rng.gauss(0, 1) for _ in range(3 * 2 * lab.n_embd)]

        def mixed(*flat):
            rows = [list(flat[n:n + lab.n_embd]) for n in range(0, len(flat), lab.n_embd)]
            out = lab.attention(rows[:2], rows[2:4], rows[4:])
            return sum([v * (n % 5 - 1.7) for row in out for n, v in enumerate(row)])
        leaves = [lab.Value(x) for x in point]
        mixed(*leaves).backward()
        for n in rng.sample(range(len(point)), 20):
            self.assertAlmostEqual(leaves[n].grad, central_difference(mixed, point, n), delta=1e-7)


class Graphs(unittest.TestCase):
    def test_a_value_used_twice_at_two_levels(self):
        a = lab.Value(3.0)
        b = a + a
        c = b + b
        c.backward()
        self.assertEqual((a.grad, b.grad, c.grad), (4.0, 2.0, 1.0))

    def test_two_losses_that_share_a_part_both_reach_the_leaves(self):
        a, b = lab.Value(2.0), lab.Value(5.0)
        shared = a * b
        (shared * 3).backward()
        (shared + a).backward()
        self.assertEqual((a.grad, b.grad), (3 * 5 + 5 + 1, 3 * 2 + 2))

    def test_backward_from_the_middle_of_a_graph(self):
        a = lab.Value(2.0)
        middle = a * 3
        top = middle * middle
        middle.backward()
        self.assertEqual((a.grad, middle.grad, top.grad), (3.0, 1.0, 0.0))

    def test_backward_twice_doubles_the_leaves_and_starts_the_others_afresh(self):
        a, b = lab.Value(2.0), lab.Value(5.0)
        inner = a * b
        [[loss]] = lab.linear([[inner, a]], [[a, b]])
        loss.backward()
        first = a.grad, b.grad
        inner_grad = inner.grad
        loss.backward()
        self.assertEqual((a.grad, b.grad), (2 * first[0], 2 * first[1]))
        self.assertEqual((inner.grad, loss.grad), (inner_grad, 1.0))

    def test_backward_of_a_leaf_is_its_own_derivative(self):
        leaf = lab.Value(2.0)
        leaf.backward()
        leaf.backward()
        self.assertEqual(leaf.grad, 2.0)

    def test_a_chain_100000_deep(self):
        x = leaf = lab.Value(1.0)
        for _ in range(100000):
            x = x + 1
        x.backward()
        self.assertEqual((x.data, leaf.grad), (100001.0, 1.0))
        del x                               # nor may its end be too deep for the interpreter

    @cpython_only
    def test_forward_passes_without_backward_leave_nothing_behind(self):
        weights = [[lab.Value(0.1) for _ in range(4)] for _ in range(4)]

        def forward():
            out = lab.linear([lab.rmsnorm(weights[0])], weights)[0]
            return sum(lab.softmax(out)[:2]) * lab.logsumexp(out).exp()
        forward()
        collecting = gc.isenabled()
        gc.disable()                        # so that a cycle would stay, and show
        tracemalloc.start()
        try:
            for n in range(10000):
                forward()
                if n == 100:
                    early = tracemalloc.get_traced_memory()[0]
            late = tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()
            if collecting:
                gc.enable()
        self.assertLess(late - early, 10000)

    @cpython_only
    def test_a_training_step_leaves_no_cycle_to_collect(self):
        gc.collect()
        gc.disable()
        try:
            a = [lab.Value(n / 7) for n in range(8)]
            for _ in range(3):
                (lab.logsumexp(lab.linear([lab.rmsnorm(a)], [a, a])[0]) * 2).backward()
            self.assertEqual(gc.collect(), 0)
        finally:
            gc.enable()


class ExtremeNumbers(unittest.TestCase):
    def test_softmax_and_logsumexp_of_logits_far_apart(self):
        for logits in ([1000.0, -1000.0], [-1000.0, -1001.0], [1000.0] * 3, [-1e6, 0.0, 2.0]):
            with self.subTest(logits=logits):
                values = [lab.Value(z) for z in logits]
                probs = lab.softmax(values)
                (lab.logsumexp(values) + probs[0]).backward()
                top = max(logits)
                exact = top + math.log(sum(math.exp(z - top) for z in logits))
                self.assertAlmostEqual(sum(p.data for p in probs), 1.0, places=12)
                self.assertAlmostEqual(lab.logsumexp(values).data, exact, places=9)
                self.assertTrue(all(math.isfinite(v.grad) for v in values))

    def test_cross_entropy_of_what_was_held_impossible_is_large_and_finite(self):
        logits = [lab.Value(z) for z in (900.0, -900.0)]
        loss = lab.logsumexp(logits) - logits[1]
        loss.backward()
        self.assertEqual(loss.data, 1800.0)
        self.assertEqual([z.grad for z in logits], [1.0, -1.0])


class Optimizer(unittest.TestCase):
    def test_first_steps_of_adam(self):
        """After one step with any gradient, Adam has moved by lr against its sign (eps aside)."""
        params = [lab.Value(1.0), lab.Value(-2.0), lab.Value(3.0)]
        for p, grad in zip(params, (0.5, -8.0, 0.0)):
            p.grad = grad
        lab.Adam(params).step(0.1)
        for p, data in zip(params, (0.9, -1.9, 3.0)):
            self.assertAlmostEqual(p.data, data, places=6)
            self.assertEqual(p.grad, 0.0)

    def test_adam_finds_the_bottom_of_a_bowl(self):
        x = lab.Value(5.0)
        adam = lab.Adam([x])
        for step in range(200):
            ((x - 2) ** 2).backward()
            adam.step(0.2 * (1 - step / 200))
        self.assertAlmostEqual(x.data, 2.0, places=2)


if __name__ == '__main__':
    unittest.main()

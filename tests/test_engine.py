"""The scalar engine: every gradient against central differences, and every way to use a graph."""
import gc
import math
import operator
import random
import sys
import unittest

import microdiffusion
from microdiffusion import Value, linear, logsumexp, rmsnorm, softmax

if sys.implementation.name == 'cpython':
    import tracemalloc                      # PyPy has none, and frees memory in its own time
cpython_only = unittest.skipUnless(sys.implementation.name == 'cpython', 'counts references')


def central_difference(function, point, n, step=1e-5):
    """d function / d point[n], from the plain numbers on either side of it."""
    sides = []
    for sign in (1, -1):
        moved = [Value(x + sign * step * (m == n)) for m, x in enumerate(point)]
        sides.append(function(*moved).data)
    return (sides[0] - sides[1]) / (2 * step)


THREE = [0.2, -1.1, 0.9]
BIAS = [-4.0, 0.0, -2.0]

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
    ('a.relu(), a > 0', lambda a: a.relu() * 3, [0.7]),
    ('a.relu(), a < 0', lambda a: a.relu() * 3 + a * 0, [-0.7]),
    ('a * a', lambda a: a * a, [1.3]),
    ('a used often', lambda a, b: (a * b + a) * (b - a) / (a + 3) + a, [1.3, -0.4]),
    ('logsumexp', lambda *z: logsumexp(z), THREE),
    ('logsumexp, scaled', lambda *z: logsumexp(z, 0.4), THREE),
    ('logsumexp with a bias', lambda *z: logsumexp(z, 0.4, BIAS), THREE),
    ('softmax', lambda *z: softmax(z)[1] * 3 + softmax(z)[0], THREE),
    ('softmax, scaled', lambda *z: softmax(z, 0.4)[1] * 3 + softmax(z, 2)[0], THREE),
    ('softmax with a bias', lambda *z: softmax(z, 0.4, BIAS)[1] * 3 + softmax(z, 2, BIAS)[0],
     THREE),
    ('rmsnorm', lambda *x: rmsnorm(list(x))[0] - rmsnorm(list(x))[2] * 2, THREE),
    ('dot product', lambda a, b, c, d: linear([[a, b]], [[c, d]])[0][0], [0.2, -1.1, 0.9, 2]),
    ('dot product with itself', lambda a, b: linear([[a, b]], [[a, b]])[0][0], [0.2, -1.1]),
    ('dot product with shared parts', lambda a, b: linear([[a, b]], [[b, a]])[0][0] * a,
     [0.2, -1.1]),
    ('two layers', lambda a, b, c, d: linear(
        linear([[a, b], [b, a]], [[c, d], [d, d]]), [[a, c]])[1][0], [0.2, -1.1, 0.9, 2]),
    ('relu, then dot products', lambda a, b, c, d, e: sum(linear(
        [[v.relu() for v in (a, b, c)]], [[d, e, a], [c, d, e]])[0]), [0.2, -1.1, 0.9, 2, -0.6]),
    ('both in one', lambda a, b, c, d, e: sum(microdiffusion.relu_linear(
        [a, b, c], [[d, e, a], [c, d, e]])), [0.2, -1.1, 0.9, 2, -0.6]),
    ('residual connection', lambda a, b: microdiffusion.add([[a, b]], [[b, b]])[0][0] * a,
     [0.2, -1.1]),
]


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
        point = [rng.gauss(0, 1) for _ in range(3 * 2 * width)]

        def mixed(*flat):
            rows = [list(flat[n:n + width]) for n in range(0, len(flat), width)]
            out = microdiffusion.attention(rows[:2], range(2), rows[2:4], rows[4:])
            return sum([v * (n % 5 - 1.7) for row in out for n, v in enumerate(row)])

        leaves = [Value(x) for x in point]
        mixed(*leaves).backward()
        for n in rng.sample(range(len(point)), 20):
            self.assertAlmostEqual(central_difference(mixed, point, n), leaves[n].grad, delta=1e-7)


class Relu(unittest.TestCase):
    def test_what_is_negative_becomes_0_and_passes_no_gradient_on(self):
        for x, out, grad in ((2.0, 2.0, 3.0), (-2.0, 0.0, 0.0), (0.0, 0.0, 0.0)):
            with self.subTest(x=x):
                leaf = Value(x)
                value = leaf.relu() * 3
                value.backward()
                self.assertEqual((3 * out, grad), (value.data, leaf.grad))

    def test_what_one_relu_makes_0_is_not_shared_with_another(self):
        zero, other = Value(-1.0).relu(), Value(-1.0).relu()
        (zero * 2).backward()
        self.assertEqual((2.0, 0.0), (zero.grad, other.grad))

    def test_relu_linear_is_relu_and_then_linear(self):
        for signs in ((1, -1, 1, -1), (-1, -1, -1, -1), (1, 1, 1, 1)):
            results = []
            for function in (microdiffusion.relu_linear,
                             lambda x, w: linear([[v.relu() for v in x]], w)[0]):
                x = [Value(sign * (n + 0.5)) for n, sign in enumerate(signs)]
                w = [[Value((row - 1) * 0.3 + n) for n in range(4)] for row in range(3)]
                out = function(x, w)
                sum([v * (n + 1) for n, v in enumerate(out)]).backward()
                results.append([[v.data for v in out], [v.grad for v in sum(w, x)]])
            self.assertEqual(*results)


class Softmax(unittest.TestCase):
    def test_scale_and_bias_stand_inside_the_exponent(self):
        """p = exp(scale * z + bias) / sum: the bias is not scaled, as in the scores of a head."""
        exps = [math.exp(0.4 * z + b) for z, b in zip(THREE, BIAS)]
        values = [Value(z) for z in THREE]
        self.assertAlmostEqual(math.log(sum(exps)), logsumexp(values, 0.4, BIAS).data, places=12)
        for e, p in zip(exps, softmax(values, 0.4, BIAS)):
            self.assertAlmostEqual(e / sum(exps), p.data, places=12)

    def test_without_scale_and_bias(self):
        exps = [math.exp(z) for z in THREE]
        for e, p in zip(exps, softmax([Value(z) for z in THREE])):
            self.assertAlmostEqual(e / sum(exps), p.data, places=12)

    def test_logits_far_apart(self):
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

    def test_a_bias_far_down_takes_all_probability_and_all_gradient(self):
        values = [Value(1.0), Value(50.0)]
        probs = softmax(values, 1.0, [0.0, -1e6])
        (probs[0] * 3 + probs[1]).backward()
        self.assertEqual([1.0, 0.0], [p.data for p in probs])
        self.assertEqual([0.0, 0.0], [v.grad for v in values])

    def test_cross_entropy_of_what_was_held_impossible_is_large_and_finite(self):
        logits = [Value(z) for z in (900.0, -900.0)]
        loss = logsumexp(logits) - logits[1]
        loss.backward()
        self.assertEqual(1800.0, loss.data)
        self.assertEqual([1.0, -1.0], [z.grad for z in logits])


class RmsNorm(unittest.TestCase):
    def test_the_root_mean_square_becomes_1_and_the_direction_stays(self):
        for size in (0.5, 40.0):
            x = [Value(size * z) for z in THREE]
            y = [v.data for v in rmsnorm(x)]
            self.assertAlmostEqual(1.0, math.sqrt(sum([z * z for z in y]) / 3), places=3)
            for before, after in zip(x, y):
                self.assertAlmostEqual(y[0] / x[0].data, after / before.data)

    def test_nothing_is_divided_by_0(self):
        self.assertEqual([0.0] * 3, [v.data for v in rmsnorm([Value(0.0)] * 3)])


class DotProducts(unittest.TestCase):
    def test_linear_gives_each_vector_times_each_row(self):
        xs = [[Value(1.0), Value(2.0)], [Value(-1.0), Value(0.5)]]
        w = [[Value(3.0), Value(4.0)], [Value(5.0), Value(6.0)], [Value(0.0), Value(1.0)]]
        out = linear(xs, w)
        self.assertEqual([[11.0, 17.0, 2.0], [-1.0, -2.0, 0.5]], [[v.data for v in r] for r in out])

    def test_one_node_for_a_whole_dot_product(self):
        [[dot]] = linear([[Value(1.0), Value(2.0)]], [[Value(3.0), Value(4.0)]])
        self.assertEqual({dot}, dot.history())

    def test_both_vectors_may_be_made_of_others(self):
        a, b = Value(2.0), Value(5.0)
        [[dot]] = linear([[a * 3, a]], [[b, b * 4]])        # 3ab + 4ab
        dot.backward()
        self.assertEqual((35.0, 14.0), (a.grad, b.grad))

    def test_gradients_go_by_both_vectors(self):
        """Also where dot products share a vector, and where a vector is made of them."""
        a, b, c, d = leaves = [Value(x) for x in (2.0, 3.0, 5.0, 7.0)]
        [inner] = linear([[a, b]], [[c, d], [d, c]])        # 2 * 5 + 3 * 7 = 31, 2 * 7 + 3 * 5 = 29
        [[top]] = linear([inner], [inner])                  # 31 ** 2 + 29 ** 2
        top.backward()
        self.assertEqual([62.0, 58.0], [v.grad for v in inner])
        self.assertEqual([62 * 5 + 58 * 7, 62 * 7 + 58 * 5, 62 * 2 + 58 * 3, 62 * 3 + 58 * 2],
                         [v.grad for v in leaves])


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
        [[loss]] = linear([[inner, a]], [[a, b]])
        loss.backward()
        first = a.grad, b.grad
        inner_grad = inner.grad
        loss.backward()
        self.assertEqual((2 * first[0], 2 * first[1]), (a.grad, b.grad))
        self.assertEqual((inner_grad, 1.0), (inner.grad, loss.grad))

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

    @cpython_only
    def test_forward_passes_without_backward_leave_nothing_behind(self):
        weights = [[Value(0.1) for _ in range(4)] for _ in range(4)]

        def forward():
            out = linear([rmsnorm(weights[0])], weights)[0]
            return sum(softmax(out, 0.5, [-1.0] * 4)[:2]) * logsumexp(out).exp()

        forward()
        collecting = gc.isenabled()
        gc.disable()                        # so that a cycle would stay, and show
        tracemalloc.start()
        try:
            for n in range(3000):
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
            a = [Value(n / 7) for n in range(8)]
            for _ in range(3):
                (logsumexp(linear([rmsnorm(a)], [a, a])[0]) * 2).backward()
            self.assertEqual(0, gc.collect())
        finally:
            gc.enable()


class Optimizer(unittest.TestCase):
    def steps(self, gradients, lr=0.1, **betas):
        """An Adam, and its one parameter after a step with each of these gradients."""
        p = Value(1.0)
        adam = microdiffusion.Adam([p])
        for grad in gradients:
            p.grad = grad
            adam.step(lr, **betas)
        return adam, p.data

    def test_the_first_step_goes_by_lr_against_the_gradient_whatever_its_size(self):
        params = [Value(1.0), Value(-2.0), Value(3.0)]
        for p, grad in zip(params, (0.5, -8.0, 0.0)):
            p.grad = grad
        microdiffusion.Adam(params).step(0.1)
        for p, expected in zip(params, (0.9, -1.9, 3.0)):
            self.assertAlmostEqual(expected, p.data, places=6)

    def test_the_same_gradient_again_and_again_goes_by_lr_each_time(self):
        """Both running means begin at 0, and are made up for it at every step."""
        _, x = self.steps([3.0] * 5)
        self.assertAlmostEqual(1 - 5 * 0.1, x, places=6)

    def test_by_default_beta1_is_0_85(self):
        adam, _ = self.steps([2.0])
        self.assertAlmostEqual(0.15 * 2.0, adam.means[0], places=12)

    def test_by_default_beta2_is_0_99(self):
        adam, _ = self.steps([2.0])
        self.assertAlmostEqual(0.01 * 2.0 ** 2, adam.squares[0], places=12)

    def test_by_default_eps_is_1e_8(self):
        _, x = self.steps([1e-8])
        self.assertAlmostEqual(1 - 0.1 * 0.5, x, places=9)  # half of lr, as the gradient is eps

    def test_five_steps_by_the_formulas_of_the_paper(self):
        gradients = [2.0, -1.0, 0.5, 0.0, 3.0]
        x, mean, square = 1.0, 0.0, 0.0
        for n, grad in enumerate(gradients, 1):
            mean = 0.7 * mean + 0.3 * grad
            square = 0.9 * square + 0.1 * grad ** 2
            x -= 0.1 * (mean / (1 - 0.7 ** n)) / (math.sqrt(square / (1 - 0.9 ** n)) + 1e-3)
        self.assertAlmostEqual(x, self.steps(gradients, beta1=0.7, beta2=0.9, eps=1e-3)[1])

    def test_adam_finds_the_bottom_of_a_bowl(self):
        x = Value(5.0)
        adam = microdiffusion.Adam([x])
        for step in range(200):
            x.grad = 0.0
            ((x - 2) ** 2).backward()
            adam.step(0.2 * (1 - step / 200))
        self.assertAlmostEqual(2.0, x.data, places=2)


if __name__ == '__main__':
    unittest.main()

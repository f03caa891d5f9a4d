"""Exercise 2, order: what backward() would get wrong if it did not sort.

Level: easy. About 10 minutes.

Do: answer the question. With a = Value(1.0), b = a + a and c = b + b + b, the
derivative of c with respect to a is 6. Suppose that backward() was no more than `c.grad
= 1.0; push(c)`, with

    def push(node):
        for child, local_grad in zip(node._children, node._local_grads):
            child.grad += local_grad * node.grad
            push(child)

What would a.grad be then? Follow it on paper before you run it.
Look at: backward() in part 2, and at what it says of the youngest.
Hint: c is made of two Values: b + b, and b. So b is pushed from three times; what is
b.grad each time?
Lab tests this breaks: none.
"""
import microgpt
from tests.exercises import Exercise, answers

answer = None               # a.grad, one number


class Order(Exercise):
    def test_answer(self):
        [got] = self.need_answer(answer, 1)
        a = microgpt.Value(1.0)
        b = a + a
        c = b + b + b
        c.backward()
        expected = 'what push() leaves in a.grad'
        self.expect(got != a.grad, got, f'{expected}; {a.grad:g} is the right derivative, that of '
                    f'backward()', 'b: push() reaches it three times and goes on from it each time')

        for value in (a, b, c, *c._children):
            value.grad = 0.0
        answers.pushed(c)
        self.expect(got != b.grad, got, f'{expected}; {b.grad:g} is what it leaves in b.grad',
                    'the last step, from b to a: each push adds to a.grad twice')
        self.expect(got == a.grad, got, expected,
                    'each line that adds to a.grad, and what b.grad is at that moment')

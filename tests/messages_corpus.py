"""Problems that have the sentences about questions, graphs and programs, and those about rare steps and checks."""

from __future__ import annotations

from collections.abc import Iterator

# Every kind of slip fits somewhere in it: signs, numbers, two ways to x, factors of the same size.
QUIZ = '''
equations = """
h = tanh(x @ W)
g = sigmoid(x @ V)
y = h * g - 3 * x
E = sum((y - t)**2) / 2
"""
[given]
x = [[1, 2], [0.5, -1]]
t = [[1, 0], [0, 1]]
[parameters]
W = [[0.5, -0.25], [1, 0.75]]
V = [[1, -1], [0.5, 0.25]]
[ask]
gradients = ["W", "V", "x"]
choose = ["W", "V", "x", "h", "g"]
judge = ["y", "h", "g", "W", "V", "x"]
find_error = true
'''
PLAIN = '''
equations = """
y = 3 * w - x
E = sum((y - t)**2)
"""
[given]
x = [1, 2]
t = [0, 1]
[parameters]
w = [0.5, 0.25]
[ask]
gradients = ["w", "x", "y"]
choose = ["y", "w", "x"]
[convention]
fractions = true
'''
SHAPES = '''
equations = """
z = X @ W + c
E = sum(z**2)
"""
[shapes]
X = [3, 2]
W = [2, 2]
c = []
[ask]
gradients = ["W", "c"]
code = true
costs = true
'''
VALUES = """
equations = "f = (x + y) * exp(-x)"
[given]
x = 1
y = 3
[ask]
gradients = []
graph = true
"""
GRAPH = VALUES.replace("[]", '["x", "y"]')
ANY_LABELS = """
equations = "J = cross_entropy(z, y)"
[given]
z = [1, 2]
y = [0.5, 0.25]
[ask]
gradients = ["z"]
"""
STACKED = """
equations = "L = sum(softmax(X, axis=0) * C)"
[given]
X = [[[1, 2], [3, 4]], [[0, 1], [1, 0]]]
C = [[[1, 0], [0, 2]], [[2, 1], [1, 1]]]
[ask]
gradients = ["X"]
"""
NEGATED = '''
equations = """
u = -x
v = x.T
E = sum(u**2) + sum(v**3)
"""
[given]
x = [1, 2]
[ask]
gradients = ["x"]
'''
# The residual is what is left of the label's last digit: a relative bound says nothing about such a derivative.
VANISHING = '''
equations = """
y = sigmoid(w)
E = (y - t)**2 / 2
"""
[given]
t = 0.62245933120185
[parameters]
w = 0.5
'''


def texts() -> Iterator[str]:
    """The problem files."""
    yield from (QUIZ, PLAIN, SHAPES, VALUES, GRAPH, ANY_LABELS, STACKED, NEGATED, VANISHING)

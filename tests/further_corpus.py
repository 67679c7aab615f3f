"""Problems that have every sentence about the further questions and about conventions that can be taken otherwise."""

from __future__ import annotations

from collections.abc import Iterator

LAYER = '''
equations = """
z = x @ W + b
h = sigmoid(z)
y = {loss}
"""
[given]
x = [1, 2]
t = [0, 1]
[parameters]
W = [[0.1, 0.2], [0.3, -0.4]]
b = 0.5
[ask]
'''
CLASSES = '''
equations = """
s = {scores}
J = cross_entropy(s, y, axis={axis}, reduction="{reduction}")
"""
[shapes]
X = {X}
W = {W}
y = {y}
[ask]
gradients = ["W"]
'''
NUMBER = 'equations = "f = {f}"\n[given]\nx = {x}\n[ask]\ngradients = ["x"]\ndifferences = {{ of = "x", h = 0.1 }}\n'


def texts() -> Iterator[str]:
    """The problem files."""
    squares, mean = "sum((h - t)**2) / 2", "mean((h - t)**2)"
    second = 'gradients = ["d2y/dx2", "d2y/db2", "d2y/dbdx"]\n'
    signals = 'delta = {{ z = "delta" }}\n[convention]\ndelta_sign = "{sign}"\nindex_order = "{order}"\n'
    plain = LAYER.format(loss=squares)
    yield plain + second + 'forward = [{ x = [1, 0] }, "b"]\n'
    yield (
        plain
        + 'batch = "N"\nin_terms_of = ["x", "t", "h"]\ngradients = ["W"]\n'
        + signals.format(sign="negative", order="to-from")
    )
    yield plain + 'batch = { size = "N", of = ["x", "t"], reduction = "sum" }\ngradients = ["d2y/dx2", "W", "b"]'
    yield (
        LAYER.format(loss=mean)
        + 'batch = { size = "N", of = ["x", "t"] }\n'
        + signals.format(sign="positive", order="from-to")
    )
    yield NUMBER.format(f="x**3", x=2)
    yield NUMBER.format(f="abs(x) * x + abs(x)", x=0.01)
    yield NUMBER.format(f="x**2", x=2) + 'forward = ["x"]\n'
    yield NUMBER.format(f="log(x) + log2(x)", x=2)
    yield NUMBER.format(f="log2(x)", x=2)
    for reduction in ("sum", "mean"):
        rows = {"scores": "X @ W", "axis": 1, "X": '["N", "n"]', "W": '["n", "k"]', "y": '["N", "k"]'}
        yield CLASSES.format(reduction=reduction, **rows) + 'forward = ["W"]\n'
    for reduction in ("sum", "mean"):
        yield f'''
equations = """
z = x @ w
E = (z - t)**2
"""
[given]
x = [1, 2]
t = [[3]]
[parameters]
w = [[0.5], [-1]]
[ask]
batch = {{ size = "N", of = ["x", "t"], reduction = "{reduction}" }}
'''
    yield '''
equations = """
y = x @ w
E = (y - t)**2 / 2
P = sum(E) + sum(w**2) / 10
"""
[given]
x = [1, 2]
t = 3
[parameters]
w = [[0.5], [-1]]
[ask]
gradients = ["w"]
batch = { size = "N", of = ["x"] }
'''
    for of in ('["x"]', '["x", "t"]'):
        yield f'''
equations = """
E = sum((W @ x - t)**2)
"""
[given]
x = [[1], [2]]
t = [[3]]
[parameters]
W = [[0.5, -1]]
[ask]
batch = {{ size = "N", of = {of} }}
'''
    yield '''
equations = """
z = x @ W
s = softmax(z)
"""
[shapes]
x = [1, "n"]
W = ["n", "m"]
[ask]
gradients = ["ds/dz"]
'''

"""Small problems that between them say everything that a report can say of updates."""

from __future__ import annotations

from collections.abc import Iterator

NEURON = '''equations = """
y = {product}
E = sum((y - t)**2) / 2
"""
given = {{ x = {x}, t = {t} }}
parameters = {{ w = 0.5, b = 0.1 }}
ask = {{ gradients = [], update = {{ rate = 0.1, {update} }} }}
'''


def texts() -> Iterator[str]:
    """One problem file after the other."""
    rows = {"x": "[[1], [2], [-1]]", "t": "[[0.5], [1], [0]]", "product": "x * w + b"}
    columns = {"x": "[1, 2, -1]", "t": "[0.5, 1, 0]", "product": "x * w + b"}
    samples = 'over = ["x", "t"]'
    for update in (
        'rule = "momentum", steps = 2',
        'rule = "momentum", form = "mean", t = 1, state = { v = { w = 1, b = 0 } }',
        'rule = "momentum", form = "step", state = { v = { w = 1, b = 0 } }',
        'rule = "nesterov", steps = 2',
        'rule = "nesterov", form = "sum"',
        'rule = "adagrad"',
        'rule = "rmsprop", decay = 0.1',
        'rule = "adam", steps = 201',
        'rule = "adamw"',
        f"{samples}, order = [2, 0, 1]",
        f"{samples}, batch = 2, steps = 2",
    ):
        yield NEURON.format(update=update, **rows)
    yield NEURON.format(update=f"{samples}, along = 1", **columns)
    yield NEURON.format(update=f"{samples}, along = 1, batch = 2", **columns)
    yield 'parameters = { w = 1 }\nask = { update = { rate = 0.1, rule = "momentum", with = { w = 2 } } }\n'
    yield NEURON.replace("gradients = [], ", "").format(update="steps = 2", **rows)
    many = "parameters = { w = [[1, 2, 3], [4, 5, 6], [7, 8, 9]] }\n"
    yield many + "ask = { update = { rate = 1, decay = 0.1, with = { w = [[1, 1, 1], [1, 1, 1], [1, 1, 1]] } } }\n"

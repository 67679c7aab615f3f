"""Random networks in the equation language: any operation on any names of fitting sizes, values kept in range.

The same seed gives the same program on every machine. Numbers have two decimals, so that everything up to the first
transcendental function is exact; the only kinks met are those that a relu hands down (its exact zeros).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from derive.problem import Problem

Shape = tuple[int, ...]

TAME = ("sigmoid", "tanh", "softplus", "sin", "cos", "relu", "abs", "silu", "gelu", "elu", "leaky_relu")


class Writer:
    """Writes one program, statement by statement; ``shapes`` says what there is."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.shapes: dict[str, Shape] = {}
        self.data: dict[str, Any] = {}
        self.lines: list[str] = []

    def pick(self, choices: Any) -> Any:
        """One of several."""
        return choices[int(self.random.integers(len(choices)))]

    def datum(self, shape: Shape) -> str:
        """A new name with numbers of its own."""
        name = f"d{len(self.data)}"
        numbers = np.round(self.random.uniform(-1.5, 1.5, size=shape), 2)
        self.data[name] = [[repr(float(x)) for x in row] for row in numbers] if shape else repr(float(numbers))
        self.shapes[name] = shape
        return name

    def known(self, shape: Shape) -> str:
        """A name of this shape, now and then a new one."""
        fitting = [name for name, have in self.shapes.items() if have == shape]
        return self.datum(shape) if not fitting or self.random.random() < 0.25 else self.pick(fitting)

    def stretched(self, shape: Shape) -> str:
        """A name that broadcasts to a shape, or to which everything does."""
        if len(shape) < 2:
            return self.known(())
        rows, columns = shape
        return self.known(self.pick([shape, shape, (1, columns), (rows, 1), ()]))

    def step(self, depth: int = 0) -> tuple[str, Shape]:
        """An expression over the names there are, and its shape."""
        name = self.pick(list(self.shapes))
        shape = self.shapes[name]
        if depth < 2 and self.random.random() < 0.3:
            name, shape = self.step(depth + 1)
            name = f"({name})"
        kind = self.pick(
            ["function"] * 3 + ["binary"] * 4 + ["matmul"] * 4 + ["reduce", "softmax", "turn", "power", "safe"]
        )
        if kind == "function":
            return f"{self.pick(TAME)}({name})", shape
        if kind == "binary":
            other = self.stretched(shape)
            sides = (name, other) if self.random.random() < 0.5 else (other, name)
            if self.random.random() < 0.25:
                return f"{self.pick(['maximum', 'minimum'])}({sides[0]}, {sides[1]})", shape
            return f"{sides[0]} {self.pick('+-**')[0]} {sides[1]}", shape
        if kind == "safe":
            inner = self.stretched(shape)
            return self.pick([
                f"log({name}**2 + 0.5)", f"sqrt(1 + square({name}))", f"{name} / (1 + {inner}**2)",
                f"exp(-{name}**2)", f"log2(2 + cos({name}))", f"binary_cross_entropy(sigmoid({name}), sigmoid({inner}))",
            ]), shape  # fmt: skip
        if kind == "power":
            return self.pick(
                [f"({name})**2", f"({name})**3 / 3", f"-{name}", f"2 * {name}", f"{name} / 4", f"1 - {name}"]
            ), shape
        if len(shape) < 2:
            return f"tanh({name}) * {self.known(())}", shape
        rows, columns = shape
        if kind == "turn":
            return f"({name}).T", (columns, rows)
        if kind == "reduce":
            axis = self.pick([None, 0, 1])
            size = () if axis is None else (1, columns) if axis == 0 else (rows, 1)
            return f"{self.pick(['sum', 'mean'])}({name}{'' if axis is None else f', axis={axis}'})", size
        if kind == "softmax":
            return f"{self.pick(['softmax', 'log_softmax'])}({name}, axis={self.pick([0, 1, -1])})", shape
        size = self.pick([1, 2, 3])
        if self.random.random() < 0.5:
            return f"{name} @ {self.known((columns, size))}", (rows, size)
        return f"{self.known((size, rows))} @ {name}", (size, columns)

    def line(self) -> None:
        """One more named equation; what may have grown large is brought back by a tanh or a sigmoid now and then."""
        text, shape = self.step()
        if self.random.random() < 0.3:
            text = f"{self.pick(['tanh', 'sigmoid'])}({text})"
        name = f"v{len(self.lines)}"
        self.lines.append(f"{name} = {text}")
        self.shapes[name] = shape

    def loss(self) -> None:
        """A scalar that rests on the last names."""
        terms = []
        for name in list(self.shapes)[-2:]:
            target = self.stretched(self.shapes[name])
            terms.append(
                self.pick([f"sum(({name} - {target})**2) / 2", f"mean({name} * {target})", f"sum(tanh({name}))"])
            )
        matrices = [n for n, s in self.shapes.items() if len(s) == 2 and s[1] > 1 and n.startswith("v")]
        if matrices and self.random.random() < 0.4:
            logits = self.pick(matrices)
            rows, columns = self.shapes[logits]
            self.data["label"] = [int(k) for k in self.random.integers(columns, size=rows)]
            terms.append(f"cross_entropy({logits}, label)")
        self.lines.append(f"loss = {' + '.join(terms)}")


def program(seed: int) -> Problem:
    """The random program of a seed, with the gradient by every name, in one layout or the other."""
    writer = Writer(seed)
    for _ in range(2):
        writer.datum(writer.pick([(1, 2), (2, 1), (2, 3), (1, 3), (3, 1), ()]))
    for _ in range(int(writer.random.integers(2, 7))):
        writer.line()
    writer.loss()
    parameters = {name: value for name, value in writer.data.items() if name != "label" and int(name[1:]) % 2}
    given = {name: value for name, value in writer.data.items() if name not in parameters}
    return Problem.from_equations(
        "\n".join(writer.lines),
        given=given,
        parameters=parameters,
        ask={"gradients": "all"} | ({"update": {"rate": 0.1, "steps": 2}} if parameters and seed % 3 == 0 else {}),
        convention={"layout": "numerator" if seed % 4 == 3 else "shape"},
        name=f"program-{seed}",
    )

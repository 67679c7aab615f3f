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
            ["function"] * 3
            + ["binary"] * 4
            + ["matmul"] * 4
            + ["reduce", "softmax", "turn", "power", "safe", "whole", "whole", "slide"]
            + ["move"] * 3
            + ["choose"] * 2
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
        if kind == "move":
            return self.move(name, shape)
        if kind == "choose":
            return self.choose(name, shape)
        if kind == "whole":
            return self.whole(name, shape)
        if kind == "slide":
            return self.slide(name, shape)
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

    def move(self, name: str, shape: Shape) -> tuple[str, Shape]:
        """A slice, an entry, blocks side by side, a stack, another shape, rows of a table."""
        rows, columns = shape
        kind = self.pick(["slice", "entry", "concat", "stack", "reshape", "embedding"])
        if kind == "slice":
            places = [range(size)[slice(*(self.end(size) for _ in range(2)))] for size in shape]
            parts = [slice(part.start, part.stop) if part else slice(0, 1) for part in places]
            written = [f"{part.start}:{part.stop}" if self.random.random() < 0.8 else ":" for part in parts]
            lengths = [
                n if text == ":" else part.stop - part.start
                for n, text, part in zip(shape, written, parts, strict=True)
            ]
            return f"({name})[{', '.join(written)}]", (lengths[0], lengths[1])
        if kind == "entry":
            i, j = int(self.random.integers(-rows, rows)), int(self.random.integers(columns))
            return f"({name})[{i}, {j}]", ()
        if kind == "concat":
            axis, size = self.pick([0, 1]), self.pick([1, 2])
            other = self.known((size, columns) if axis == 0 else (rows, size))
            whole = (rows + size, columns) if axis == 0 else (rows, columns + size)
            sides = (name, other) if self.random.random() < 0.5 else (other, name)
            return f"concat({sides[0]}, {sides[1]}, axis={axis})", whole
        if kind == "stack" and 1 in shape and shape != (1, 1):
            axis, length = self.pick([0, 1]), rows * columns
            return f"stack({name}, {self.known(shape)}, axis={axis})", (2, length) if axis == 0 else (length, 2)
        if kind == "embedding":
            label = f"k{sum(key[0] == 'k' for key in self.data)}"
            self.data[label] = [int(k) for k in self.random.integers(rows, size=3)]
            return f"embedding({name}, {label})", (3, columns)
        return f"reshape({name}, {columns}, -1)", (columns, rows)

    def end(self, size: int) -> int | None:
        """One end of a slice: a number, from the end, or none."""
        ends = [None, int(self.random.integers(size)), -int(self.random.integers(1, size + 1))]
        end: int | None = self.pick(ends)
        return end

    def choose(self, name: str, shape: Shape) -> tuple[str, Shape]:
        """The largest or smallest along an axis, a value held within bounds, a comparison as a mask."""
        rows, columns = shape
        kind = self.pick(["extreme", "extreme", "clip", "mask"])
        if kind == "clip":
            return f"clip({name}, -0.513, {self.pick(['0.717', '1.013'])})", shape
        if kind == "mask":
            return f"{name} * ({self.stretched(shape)} {self.pick(['<', '>', '<=', '>='])} 0.313)", shape
        axis = self.pick([None, 0, 1])
        size = () if axis is None else (1, columns) if axis == 0 else (rows, 1)
        return f"{self.pick(['max', 'min'])}({name}{'' if axis is None else f', axis={axis}'})", size

    def regular(self, size: int) -> str:
        """A new square matrix that stays regular when something below 1 is added to its entries."""
        name = self.datum((size, size))
        for k in range(size):
            self.data[name][k][k] = repr(round(float(self.data[name][k][k]) / 10 + 3 * (-1) ** k, 2))
            for j in range(size):
                if j != k:
                    self.data[name][k][j] = repr(round(float(self.data[name][k][j]) / 10, 2))
        return name

    def whole(self, name: str, shape: Shape) -> tuple[str, Shape]:
        """A matrix as a whole: norms, normalisations, quadratic forms, diagonals; inverse and determinant if square."""
        rows, columns = shape
        lines = [
            (f"norm(1 + ({name})**2)", ()),
            (f"norm(2 + tanh({name}), axis=0)", (1, columns)),
            (f"norm(2 + tanh({name}), axis=1)", (rows, 1)),
            (f"norm({name} - {self.known(shape)})**2", ()),
            (f"({name}) @ {self.known((columns, columns))} @ ({name}).T", (rows, rows)),
            (f"trace(({name}) @ {self.known((columns, rows))})", ()),
        ]
        if columns > 1:
            lines += 2 * [(f"layer_norm({name}, eps=0.1)", shape)]
        if rows > 1:
            lines += 2 * [(f"batch_norm({name}, eps=0.1)", shape)]
        if 1 in shape:
            size = max(shape)
            lines += [(f"diag({name})", (size, size)), (f"outer({name}, {self.known((1, 2))})", (size, 2))]
        if rows == columns:
            matrix = f"({self.regular(rows)} + tanh({name}) / 4)"
            lines += 2 * [(f"inv{matrix}", shape), (f"det{matrix} / 9", ()), (f"logdet{matrix}", ())]
            lines += [(f"diag({name})", (1, columns) if columns > 1 else (1, 1))]
        return self.pick(lines)  # type: ignore[no-any-return]

    def slide(self, name: str, shape: Shape) -> tuple[str, Shape]:
        """A window over a matrix: a filter on an image, one on a signal with channels, the largest or the mean."""
        rows, columns = shape
        choice = self.pick(["conv2d", "conv1d", "max_pool", "avg_pool"])
        if choice.startswith("conv"):
            h, w = int(self.random.integers(1, min(rows, 2) + 1)), int(self.random.integers(1, min(columns, 2) + 1))
            h = rows if choice == "conv1d" else h
            stride, padding = self.pick([1, 1, 2]), int(self.random.integers(0, w if choice == "conv1d" else min(h, w)))
            sides = (0 if choice == "conv1d" else padding, padding)
            places = [(s + 2 * side - k) // stride + 1 for s, side, k in zip(shape, sides, (h, w), strict=True)]
            return f"{choice}({name}, {self.known((h, w))}, stride={stride}, padding={padding})", tuple(places)
        fitting = [n for n in (1, 2, 3) if all(size == 1 or (size >= n and size % n == 0) for size in shape)]
        n = self.pick(fitting)
        # Numbers of their own, all different: what is equal by two roads could never be told to be.
        image = f"{name} + {self.datum(shape)}" if choice == "max_pool" else name
        return f"{choice}({image}, {n})", (max(rows // n, 1), max(columns // n, 1))

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
    parameters = {name: value for name, value in writer.data.items() if name[0] == "d" and int(name[1:]) % 2}
    given = {name: value for name, value in writer.data.items() if name not in parameters}
    return Problem.from_equations(
        "\n".join(writer.lines),
        given=given,
        parameters=parameters,
        ask={"gradients": "all"} | ({"update": {"rate": 0.1, "steps": 2}} if parameters and seed % 3 == 0 else {}),
        convention={"layout": "numerator" if seed % 4 == 3 else "shape"},
        name=f"program-{seed}",
    )


def network(seed: int) -> Problem:
    """A random network over stacks of images: convolutions, activations, pooling, then a dense layer."""
    writer = Writer(seed)
    pick, whole = writer.pick, writer.random.integers

    def stack(shape: Shape) -> str:
        name = f"d{len(writer.data)}"
        writer.data[name] = np.vectorize(repr, otypes=[object])(
            np.round(writer.random.uniform(-1.5, 1.5, size=shape), 2).astype(float)
        ).tolist()
        writer.shapes[name] = shape
        return name

    dims = pick([1, 2, 2])
    shape: Shape = (pick([1, 2]), pick([1, 2]), *(int(whole(4, 6)) for _ in range(dims)))
    name = stack(shape)
    for _ in range(pick([1, 2])):
        k = int(whole(1, min(3, *shape[2:]) + 1))
        filters, stride, padding = pick([1, 2]), pick([1, 1, 2]), int(whole(0, k))
        call = f"conv{dims}d({name}, {stack((filters, shape[1], *(k,) * dims))}, stride={stride}, padding={padding})"
        bias = f" + {stack((1, filters, *(1,) * dims))}" if whole(0, 2) else ""
        name = f"v{len(writer.lines)}"
        writer.lines.append(f"{name} = {pick(TAME)}({call}{bias})")
        shape = (shape[0], filters, *((size + 2 * padding - k) // stride + 1 for size in shape[2:]))
    fitting = [n for n in (2, 3) if all(size == 1 or (size >= n and size % n == 0) for size in shape[2:])]
    if fitting:
        n = pick(fitting)
        image = f"{name} + {stack(shape)}"
        name = f"v{len(writer.lines)}"
        writer.lines.append(f"{name} = {pick(['max_pool', 'avg_pool'])}({image}, {n})")
        shape = (*shape[:2], *(max(size // n, 1) for size in shape[2:]))
    width = int(np.prod(shape[1:]))
    writer.lines.append(f"f = reshape({name}, {shape[0]}, {width})")
    writer.lines.append(f"y = f @ {stack((width, 2))}")
    writer.lines.append(pick(["loss = sum(y**2) / 2", "loss = mean(log_softmax(y))", "loss = sum(tanh(y))"]))
    return Problem.from_equations(
        "\n".join(writer.lines), given=writer.data, ask={"gradients": "all"}, name=f"network-{seed}"
    )

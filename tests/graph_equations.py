"""An equation for every row of the op table, with sizes of every kind."""

from __future__ import annotations

from collections.abc import Iterator

from derive.problem.functions import FUNCTIONS as LANGUAGE

Shape = tuple[int, ...]


SIZES: list[Shape] = [(2, 3), (1, 3), (3, 1), (1, 1), ()]
PAIRS: list[tuple[Shape, Shape]] = [
    ((2, 3), (2, 3)), ((2, 3), (1, 3)), ((1, 3), (2, 3)), ((2, 3), (2, 1)), ((2, 1), (2, 3)), ((2, 3), ()),
    ((), (2, 3)), ((2, 3), (1, 1)), ((1, 3), (1, 3)), ((3, 1), (3, 1)), ((3, 1), ()), ((1, 3), (1, 1)), ((), ()),
]  # fmt: skip


PRODUCTS: list[tuple[Shape, Shape]] = [
    ((2, 3), (3, 4)), ((1, 3), (3, 2)), ((2, 3), (3, 1)), ((1, 3), (3, 1)), ((3, 1), (1, 2)), ((2, 1), (1, 1)),
]  # fmt: skip


POSITIVE = ("log", "log2", "sqrt", "binary_cross_entropy", "/", "**")


def equations() -> Iterator[tuple[str, tuple[Shape, ...]]]:
    """Every operation with the sizes it is to be tried on: ``a`` and ``b`` are the operands."""
    for name, row in LANGUAGE.items():
        if row.elementwise and row.built and row.operands == 1 and name != "square":
            yield from ((f"{name}(a)", (shape,)) for shape in SIZES)
    for text in ("a + b", "a - b", "a * b", "a / b", "maximum(a, b)", "minimum(a, b)", "binary_cross_entropy(a, b)"):
        yield from ((text, pair) for pair in PAIRS)
    yield from (("a @ b", pair) for pair in PRODUCTS)
    for text in (
        "-a",
        "a**2",
        "a**3",
        "a**-1",
        "a**0.5",
        "a**(-3/2)",
        "square(a)",
        "3 * a",
        "a / 4",
        "2 - a",
        "a + a * a",
    ):
        yield from ((text, (shape,)) for shape in SIZES)
    for shape in SIZES[:-1]:
        yield "a.T", (shape,)
        for function in ("sum", "mean"):
            yield from ((f"{function}(a{axis})", (shape,)) for axis in ("", ", axis=0", ", axis=1", ", axis=-1"))
        for function in ("softmax", "log_softmax"):
            yield from ((f"{function}(a, axis={axis})", (shape,)) for axis in (0, 1, -1))
    for function in ("softmax", "log_softmax"):
        yield from ((f"{function}(a, axis={axis})", ((2, 3, 2),)) for axis in (0, 1, 2, -1))
    yield from ((f"{function}(a)", ((),)) for function in ("sum", "mean"))
    for shape, axis in (((2, 3), 1), ((2, 3), 0), ((1, 3), -1), ((3, 1), 0)):
        for reduction in ("mean", "sum"):
            yield f'cross_entropy(a, b, axis={axis}, reduction="{reduction}")', (shape, shape)


def of_matrices() -> Iterator[tuple[str, tuple[Shape, ...]]]:
    """Matrices as wholes: square ones, diagonals both ways, norms, products of several factors."""
    for size in (1, 2, 3):
        for text in ("trace(a)", "det(a)", "logdet(a)", "inv(a)", "diag(a)", "logdet(a @ a.T)", "det(a)**3"):
            yield text, ((size, size),)
        yield from ((text, ((size, size), (size, size))) for text in ("trace(a @ b @ a)", "inv(a) @ b", "b * inv(a)"))
    yield from (("diag(a)", (shape,)) for shape in ((1, 3), (3, 1)))
    for shape in SIZES[:-1]:
        yield from ((f"norm(a{axis})", (shape,)) for axis in ("", ", axis=0", ", axis=1"))
        yield from ((f"norm(a{axis})**2", (shape,)) for axis in ("", ", axis=0", ", axis=1"))
    yield "norm(a)", ((),)
    yield "norm(a - b)**2 / 2", ((2, 3), (2, 3))
    yield from (
        ("outer(a, b)", pair) for pair in (((1, 3), (1, 2)), ((3, 1), (1, 2)), ((3, 1), (2, 1)), ((1, 2), (2, 1)))
    )
    yield from (("a.T @ b @ a", pair) for pair in (((3, 1), (3, 3)), ((2, 2), (2, 2))))
    yield "a @ b @ a.T", ((1, 3), (3, 3))
    yield "a.T @ inv(b) @ a / 2 - sum(a)", ((2, 1), (2, 2))
    yield from (("layer_norm(a)", (shape,)) for shape in ((2, 3), (1, 3), (3, 2)))
    yield from (("batch_norm(a, eps=0.01)", (shape,)) for shape in ((2, 3), (3, 1), (3, 2)))
    yield "a + 2 * layer_norm(a * b)", ((2, 3), (1, 3))
    yield "a @ b.T / sqrt(7)", ((2, 3), (2, 3))


def of_choices() -> Iterator[tuple[str, tuple[Shape, ...]]]:
    """What chooses: the largest and the smallest along every axis, clipping, comparisons; pi, ones and zeros."""
    for shape in ((2, 3), (1, 3), (3, 1), (1, 1)):
        yield from ((f"{name}(a{axis})", (shape,)) for name in ("max", "min") for axis in ("", ", axis=0", ", axis=-1"))
    yield from ((text, ((),)) for text in ("max(a)", "pi * a", "sin(a * pi / 4) + pi"))
    yield "a - max(a, axis=1)", ((2, 3),)
    yield "max(a @ b, axis=0) - min(tanh(a))", ((2, 3), (3, 2))
    yield from (("clip(a, -0.5, 0.7)", (shape,)) for shape in SIZES)
    yield from (("clip(a, b, 3)", pair) for pair in (((2, 3), (1, 3)), ((2, 3), ()), ((3, 1), (3, 1))))
    yield "clip(a @ b, -1, 0.25)", ((2, 3), (3, 1))
    for relation in ("<", "<=", ">", ">=", "==", "!="):
        yield f"(a {relation} b) * a + b", ((2, 3), (1, 3))
    yield "a * (abs(a) < 1)", ((2, 3),)
    yield "(a @ b > 0) * 2", ((2, 3), (3, 2))
    yield "concat(a, ones(2, 1), zeros(2, 2), axis=1)", ((2, 3),)
    yield "a @ ones(3, 2) + zeros(2, 2)", ((2, 3),)


def of_blocks() -> Iterator[tuple[str, tuple[Shape, ...]]]:
    """Entries moved: slices with every kind of end, single entries, blocks both ways, stacks, other shapes."""
    for text in (
        "a[0:1]",
        "a[:, 1:]",
        "a[-1]",
        "a[:, ::2]",
        "a[::-1, 0:2]",
        "a[1, 2]",
        "a[:, 0:1] * a[:, 1:2]",
        "a[:, :]",
    ):
        yield text, ((2, 3),)
    yield from (("a[:, 1:3]", (shape,)) for shape in ((1, 3), (1, 4)))
    yield from ((text, ((3, 1),)) for text in ("a[1:]", "a[2]", "a[0, 0] + sum(a[1:])", "2 * a[::2]"))
    yield "(a @ b)[0:1, 1]", ((2, 3), (3, 2))
    for axis, pair in ((0, ((2, 3), (1, 3))), (1, ((2, 3), (2, 1))), (-1, ((1, 3), (1, 2))), (0, ((3, 1), (1, 1)))):
        yield f"concat(a, b, axis={axis})", pair
    yield "concat(tanh(a), b, a, axis=1)", ((2, 1), (2, 3))
    yield "concat(a, a)[1:3] * 2", ((2, 3),)
    yield "concat(a[:, 2:3], 3 * a[:, 0:2], axis=1)", ((2, 3),)
    yield from (("stack(a, b)", (shape, shape)) for shape in ((), (1, 3), (3, 1), (1, 1)))
    yield from (("stack(a, b, a, axis=1)", (shape, shape)) for shape in ((1, 3), (3, 1)))
    yield from ((text, ((2, 3),)) for text in ("reshape(a, 3, 2)", "reshape(a, 1, -1)", "reshape(tanh(a), -1, 1)"))
    yield "reshape(a, 2, 2) @ b", ((1, 4), (2, 3))
    yield from (("flatten(a)", (shape,)) for shape in ((2, 3), (3, 1), (2, 2, 3), (2, 1, 2, 2)))


def of_windows() -> Iterator[tuple[str, tuple[Shape, ...]]]:
    """Convolutions and pooling: matrices and stacks, strides, zeros around, channels, windows that overlap or do not."""
    for text in ("conv2d(a, b)", "conv2d(a, b, padding=1)", "conv2d(a, b, stride=2)", "conv2d(a, b, 2, 1)"):
        yield text, ((4, 5), (2, 3))
        yield text, ((2, 2, 3, 4), (2, 2, 2, 2))
    yield "conv2d(a, b, padding=1)", ((1, 4), (2, 3))
    yield from (("conv2d(a, b)", pair) for pair in (((3, 3), (3, 3)), ((3, 3), (1, 1)), ((1, 3, 2, 2), (1, 3, 2, 2))))
    for text in (
        "conv1d(a, b)",
        "conv1d(a, b, padding=1)",
        "conv1d(a, b, stride=2)",
        "conv1d(a, b, stride=2, padding=2)",
    ):
        yield from ((text, pair) for pair in (((1, 6), (1, 3)), ((2, 5), (2, 3)), ((2, 2, 5), (3, 2, 3))))
    yield "tanh(conv2d(a, b)) * 2", ((2, 1, 3, 3), (2, 1, 2, 2))
    for name in ("max_pool", "avg_pool"):
        for shape in ((4, 4), (1, 6), (6, 1), (2, 4), (1, 2, 4, 4), (2, 2, 4)):
            yield f"{name}(a, 2)", (shape,)
        yield from ((f"{name}(a, 3, stride=1)", (shape,)) for shape in ((4, 5), (2, 1, 4, 3)))
        yield f"{name}(a, 3, 2)", ((5, 7),)
        yield f"{name}(a, 1, stride=2)", ((3, 5),)
        yield f"{name}(relu(a), 2)", ((4, 4),)  # windows of zeros alone
    yield from ((f"sum(a * b{axis})", ((2, 2, 2, 3), (1, 2, 1, 1))) for axis in ("", ", axis=1", ", axis=-1"))
    yield "relu(a - b) / 3 + b**2", ((2, 3, 2), (1, 3, 1))
    yield "mean(a, axis=2)", ((2, 3, 2),)


EQUATIONS = [*equations(), *of_matrices(), *of_blocks(), *of_choices(), *of_windows()]
IDS = [f"{text}-{'-'.join('x'.join(map(str, shape)) or 'scalar' for shape in shapes)}" for text, shapes in EQUATIONS]

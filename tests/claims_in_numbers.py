"""Claims of rules tried in numbers, by an evaluator of the tests' own."""

from __future__ import annotations

from typing import Any

import numpy as np

from derive.calculus.proofs import Claim
from derive.graph import ops
from derive.graph.expression import Expression
from derive.problem.problem import Shape, Size
from derive.problem.size_terms import worked_out

Array = Any


def called(claim: Claim) -> str:
    """A claim in the words of a test's name."""
    return "; ".join((claim.rule, f"by {claim.by}", claim.variant, *claim.hypotheses))


SIZES = {"N": 4, "n": 3, "m": 2, "p": 2, "s": 2, "t": 2}  # slices start at s and t; what is square has the size n
SIZES |= {"M": 3, "L": 2, "K": 2, "r": 3, "c": 2}  # filters have r rows and t columns, and L times K places


def extent(size: Size) -> int:
    """A size as a number."""
    return worked_out(size, SIZES)


def extents(shape: Shape) -> tuple[int, ...]:
    """A shape with every letter a number."""
    return tuple(map(extent, shape))


def window(slices: Any, shape: tuple[int, ...]) -> Any:
    """NumPy's index of slices."""
    whole = [range(size) for size in shape]
    for axis, part in enumerate(slices):
        if part is not None:
            start, count = extent(part.start), extent(part.count)
            whole[axis] = range(start, start + part.step * count, part.step)
    return np.ix_(*whole)


# f, f', f'' and f''' of a function that stands for any: no accidental identities, defined for positive numbers.
ANY: tuple[Any, ...] = (
    lambda x: np.exp(x / 2) + x**3,
    lambda x: np.exp(x / 2) / 2 + 3 * x**2,
    lambda x: np.exp(x / 2) / 4 + 6 * x,
    lambda x: np.exp(x / 2) / 8 + 6,
)


KNOWN: dict[str, tuple[Any, ...]] = {
    "exp": 4 * (np.exp,),
    "log": (np.log, lambda x: 1 / x, lambda x: -1 / x**2, lambda x: 2 / x**3),
}


def softmax(x: Array, axis: int) -> Array:
    """e^x over its sums."""
    return np.exp(x) / np.exp(x).sum(axis=axis, keepdims=True)


def number(node: Expression, env: dict[str, Array]) -> Array:
    """The value of an expression in doubles."""
    args = [number(arg, env) for arg in node.args]
    if node.op in ops.FUNCTIONS:
        return KNOWN.get(node.op, ANY)[0](args[0])
    match node.op:
        case "name":
            return env[str(node.name)]
        case "constant":
            return np.array(int(node.number.p) / int(node.number.q))
        case "size":
            return np.array(float(extent(node.at[0])))
        case "zeros":
            return np.zeros(extents(node.shape))
        case "add":
            return sum(args[1:], start=args[0])
        case "multiply":
            return np.prod(np.broadcast_arrays(*args), axis=0)
        case "divide":
            return args[0] / args[1]
        case "power":
            return args[0] ** (int(node.at[0].p) / int(node.at[0].q))
        case "matmul":
            return args[0] @ args[1]
        case "transpose":
            return args[0].T
        case "sum":
            return args[0].sum(axis=node.at[0], keepdims=node.at[0] is not None)
        case "spread":
            return np.broadcast_to(args[0], extents(node.shape))
        case "derivative":
            order = sum(part == "derivative" for part in node.at) + 1
            name = next(part for part in node.at if part != "derivative")
            return KNOWN.get(name, ANY)[order](args[0])
        case "maximum":
            return np.maximum(*args)
        case "minimum":
            return np.minimum(*args)
        case "first_wins":
            return (args[0] >= args[1] if node.at[0] == "maximum" else args[0] <= args[1]) * 1.0
        case "softmax":
            return softmax(args[0], node.at[0])
        case "log_softmax":
            return np.log(softmax(args[0], node.at[0]))
        case "cross_entropy":
            return -(args[1] * np.log(softmax(args[0], node.at[0]))).sum() / (
                args[0].shape[1 - node.at[0]] if node.at[1] == "mean" else 1
            )
        case "binary_cross_entropy":
            p, t = args
            return -(t * np.log(p) + (1 - t) * np.log(1 - p))
        case "diag":
            return np.diag(args[0].ravel())
        case "diagonal":
            return np.diagonal(args[0]).reshape(extents(node.shape))
        case "trace":
            return np.trace(args[0])
        case "det":
            return np.linalg.det(args[0])
        case "logdet":
            return np.linalg.slogdet(args[0])[1]
        case "inv":
            return np.linalg.inv(args[0])
        case "layer_norm" | "batch_norm":
            axis = 1 if node.op == "layer_norm" else 0
            c = args[0] - args[0].mean(axis=axis, keepdims=True)
            return c / np.sqrt((c**2).mean(axis=axis, keepdims=True) + int(node.at[0].p) / int(node.at[0].q))
        case "squared_norm":
            return (args[0] ** 2).sum(axis=node.at[0], keepdims=node.at[0] is not None)
        case "norm":
            return np.sqrt((args[0] ** 2).sum(axis=node.at[0], keepdims=node.at[0] is not None))
        case "compare":
            return {"<": np.less, ">": np.greater}[node.at[0]](*args) * 1.0
        case "clip":
            return np.clip(*args)
        case "inside":
            return ((args[1] < args[0]) & (args[0] < args[2])) * 1.0
        case "max" | "min":
            return getattr(np, node.op)(args[0], axis=node.at[0], keepdims=node.at[0] is not None)
        case "first_of":
            return (args[0] == getattr(np, node.at[0])(args[0], axis=node.at[1], keepdims=True)) * 1.0
        case "slice":
            return args[0][window(node.at, args[0].shape)]
        case "place":
            whole = np.zeros(extents(node.shape))
            whole[window(node.at[:-1], whole.shape)] = args[0]
            return whole
        case "entry":
            return args[0][tuple(map(extent, node.at))]
        case "concat":
            return np.concatenate([arg if arg.ndim else arg.reshape(1, 1) for arg in args], axis=node.at[0])
        case "reshape":
            return args[0].reshape(extents(node.shape))
        case op if op.startswith("conv"):
            return convolved(node, *args)
        case "max_pool" | "avg_pool":
            return pooled(args[0], args[0], node)
        case "max_pool_pick":
            return pooled(args[0], args[1], node)
        case "max_pool_route" | "avg_pool_back":
            return adjoint(lambda image: pooled(image, args[-1], node), extents(node.shape), args[0])
    raise AssertionError(f"{node.op} has no value here")


def convolved(node: Expression, a: Array, b: Array) -> Array:
    """A convolution by its loops; an adjoint of one as the map that is linear in what is looked for."""
    name, _, role = node.op.partition("_")
    stride, padding = node.at[:2]
    if role == "image":
        return adjoint(lambda x: convolution(name, x, b, stride, padding), extents(node.shape), a)
    if role == "filter":
        return adjoint(lambda w: convolution(name, a, w, stride, padding), extents(node.shape), b)
    return convolution(name, a, b, stride, padding)


def convolution(name: str, x: Array, w: Array, stride: int, padding: int) -> Array:
    """Window by window; the rows of a signal are channels."""
    sides = (0, padding) if name == "conv1d" else (padding, padding)
    image = np.pad(x, [(side, side) for side in sides])
    places = [(size - k) // stride + 1 for size, k in zip(image.shape, w.shape, strict=True)]
    out = np.zeros(places)
    for i, j in np.ndindex(*places):
        out[i, j] = (image[i * stride : i * stride + w.shape[0], j * stride : j * stride + w.shape[1]] * w).sum()
    return out


def pooled(taken: Array, image: Array, node: Expression) -> Array:
    """The mean of each window, or what stands in ``taken`` where ``image`` has its largest entry."""
    n, stride = node.at[:2]
    shape = taken.shape
    out = np.zeros([(size - n) // stride + 1 for size in shape])
    for i, j in np.ndindex(*out.shape):
        window = (slice(i * stride, i * stride + n), slice(j * stride, j * stride + n))
        best = np.argmax(image[window]) if not node.op.startswith("avg") else 0
        out[i, j] = taken[window].mean() if node.op.startswith("avg") else taken[window].ravel()[best]
    return out


def adjoint(linear: Any, shape: tuple[int, ...], upstream: Array) -> Array:
    """The adjoint of a linear map, one unit after another."""
    found = np.zeros(shape)
    for index in np.ndindex(*shape):
        unit = np.zeros(shape)
        unit[index] = 1
        found[index] = (linear(unit) * upstream).sum()
    return found


def point(claim: Claim, seed: int) -> dict[str, Array]:
    """Numbers for the letters of a claim, between 0.1 and 0.9; labels add up to 1 where the claim supposes it."""
    rng = np.random.default_rng(seed)
    shapes = {**claim.sizes, "G": claim.expression.shape}
    env = {name: np.array(rng.uniform(0.1, 0.9, extents(shape))) for name, shape in shapes.items()}
    if claim.expression.op in ("clip", "inside"):
        low, high = (str(arg.name) for arg in claim.expression.args[1:])
        env |= {low: np.array(env[low] * 0.4), high: np.array(env[high] + 0.5)}  # the lower bound below the upper one
    if claim.expression.op in ("max", "min", "first_of"):
        op, axis = (claim.expression.op, *claim.expression.at)[-2:]
        env["w"] = number(Expression("first_of", claim.expression.args[:1], (op, axis), claim.sizes["X"]), env)
    if "labels" in claim.hypotheses:
        labels = str(claim.expression.args[1].name)
        env[labels] = env[labels] / env[labels].sum(axis=claim.expression.at[0], keepdims=True)
    return env


def slopes(claim: Claim, env: dict[str, Array]) -> Array:
    """The adjoint of ``claim.by`` by central differences of sum(G * out)."""
    found, h = np.zeros(env[claim.by].shape), 1e-5
    for index in np.ndindex(found.shape):
        ends = []
        for step in (h, -h):
            moved = env[claim.by].copy()
            moved[index] += step
            ends.append((env["G"] * number(claim.expression, env | {claim.by: moved})).sum())
        found[index] = (ends[0] - ends[1]) / (2 * h)
    return found


def is_right(claim: Claim) -> bool:
    """Whether a claim is right in numbers, at three points."""
    points = (point(claim, seed) for seed in range(3))
    with np.errstate(all="ignore"):  # a wrong claim may well take the root of a negative number
        return all(np.allclose(number(claim.value, env), slopes(claim, env), rtol=1e-6, atol=1e-7) for env in points)

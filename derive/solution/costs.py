"""What a pass costs: multiplications, additions and values of functions, counted equation by equation.

A count is a polynomial in the sizes that are letters. Divisions count as multiplications, a change of sign as nothing;
a product of an ``m x k`` and a ``k x n`` matrix takes ``m k n`` multiplications and ``m (k - 1) n`` additions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from math import prod

from derive.errors import Unsupported
from derive.graph.expression import Expression, is_constant
from derive.graph.ops import FUNCTIONS
from derive.graph.ops.windows import work
from derive.problem.problem import Shape
from derive.records import dataclass

Count = Counter[tuple[str, ...]]  # letters of a product of sizes -> how often


@dataclass(frozen=True, slots=True)
class Cost:
    """Numbers of operations."""

    multiplications: Count
    additions: Count
    functions: Count

    def __add__(self, other: Cost) -> Cost:
        """Both together."""
        return Cost(
            _sum(self.multiplications, other.multiplications),
            _sum(self.additions, other.additions),
            _sum(self.functions, other.functions),
        )


def nothing() -> Cost:
    """No operation at all."""
    return Cost(Counter(), Counter(), Counter())


def _sum(a: Count, b: Count) -> Count:
    result: Count = Counter(a)
    for letters, number in b.items():
        result[letters] += number
    return Counter({letters: number for letters, number in result.items() if number})


def entries(shape: Iterable[int | str]) -> Count:
    """How many entries a shape has."""
    sizes = tuple(shape)
    letters = tuple(sorted(str(size) for size in sizes if isinstance(size, str)))
    return Counter({letters: prod(size for size in sizes if isinstance(size, int))})


def _times(count: Count, number: int) -> Count:
    return Counter({letters: number * many for letters, many in count.items() if number * many})


def _less(a: Count, b: Count) -> Count:
    return _sum(a, _times(b, -1))


def cost(expression: Expression) -> Cost:
    """The operations of one right-hand side; what occurs twice in it is worked out once."""
    seen: dict[Expression, None] = dict.fromkeys(expression.nodes())
    total = nothing()
    for node in seen:
        total += _of(node)
    return total


def _of(node: Expression) -> Cost:
    if not node.args or not node.names():
        return nothing()  # a name, a number, a factor such as 1/N
    if node.op in FUNCTIONS or node.op in ONE_AN_ENTRY:
        return Cost(Counter(), Counter(), entries(node.shape))
    if node.op in FREE:
        return nothing()
    rule = RULES.get(node.op)
    if rule is None:
        raise Unsupported(f"the operations of {node.op} are not counted yet")
    return rule(node)


def _add(node: Expression) -> Cost:
    return Cost(Counter(), _times(entries(node.shape), len(node.args) - 1), Counter())


def _multiply(node: Expression) -> Cost:
    factors = [arg for arg in node.args if not is_constant(arg, -1)]
    return Cost(_times(entries(node.shape), len(factors) - 1), Counter(), Counter())


def _divide(node: Expression) -> Cost:
    return Cost(entries(node.shape), Counter(), Counter())


def _power(node: Expression) -> Cost:
    exponent = node.at[0]
    if exponent.q != 1:
        return Cost(Counter(), Counter(), entries(node.shape))
    steps = abs(int(exponent.p)) - 1 + (exponent < 0)
    return Cost(_times(entries(node.shape), steps), Counter(), Counter())


def _matmul(node: Expression) -> Cost:
    inner = node.args[0].shape[1]
    products = entries((*node.shape, inner))
    return Cost(products, _less(products, entries(node.shape)), Counter())


def _total(node: Expression) -> Cost:
    return Cost(Counter(), _less(entries(node.args[0].shape), entries(node.shape)), Counter())


def _lines(shape: Shape, axis: int) -> Count:
    """How many lines along an axis there are."""
    return entries(size for k, size in enumerate(shape) if k != axis)


def _softmax(node: Expression) -> Cost:
    every = entries(node.shape)
    return Cost(every, _less(every, _lines(node.shape, node.at[0])), every)


def _log_softmax(node: Expression) -> Cost:
    every, lines = entries(node.shape), _lines(node.shape, node.at[0])
    return Cost(Counter(), _sum(_less(every, lines), every), _sum(every, lines))


def _cross_entropy(node: Expression) -> Cost:
    """From the probabilities, which an equation of their own has worked out: logs, products with labels, their sum."""
    every = entries(node.args[0].shape)
    mean = entries(()) if node.at[1] == "mean" else Counter()
    return Cost(_sum(every, mean), _less(every, entries(())), every)


def _choice(node: Expression) -> Cost:
    """The largest along an axis: one comparison less than there are entries."""
    return Cost(Counter(), Counter(), _less(entries(node.args[0].shape), entries(node.shape)))


def _trace(node: Expression) -> Cost:
    line = entries(node.args[0].shape[:1])
    return Cost(Counter(), _less(line, entries(())), Counter())


def _norm(node: Expression) -> Cost:
    every, lines = entries(node.args[0].shape), entries(node.shape)
    return Cost(every, _less(every, lines), lines)


def _squared_norm(node: Expression) -> Cost:
    every = entries(node.args[0].shape)
    return Cost(every, _less(every, entries(node.shape)), _times(every, 0))


def _normal(node: Expression) -> Cost:
    """Mean, what is left without it, its squares' mean, root and quotient."""
    every = entries(node.shape)
    lines = _lines(node.shape, 1 if node.op == "layer_norm" else 0)
    sums = _times(_less(every, lines), 2)
    return Cost(_sum(_times(every, 2), _times(lines, 2)), _sum(_sum(sums, every), lines), lines)


def _convolution(node: Expression) -> Cost:
    """One product for every place of the window at every window, channel and filter."""
    products: Count = Counter({(): work(node)})
    return Cost(products, _less(products, entries(node.shape)), Counter())


def _average(node: Expression) -> Cost:
    seen = entries((*node.shape, node.at[0], node.at[0]))
    return Cost(entries(node.shape), _less(seen, entries(node.shape)), Counter())


def _average_back(node: Expression) -> Cost:
    return Cost(entries(node.args[0].shape), Counter(), Counter())


def _pooled(node: Expression) -> Cost:
    return Cost(Counter(), Counter(), _less(entries((*node.shape, node.at[0], node.at[0])), entries(node.shape)))


def _binary_cross_entropy(node: Expression) -> Cost:
    every = entries(node.shape)
    return Cost(_times(every, 2), _times(every, 3), _times(every, 2))


ONE_AN_ENTRY = frozenset(
    {"derivative", "maximum", "minimum", "first_wins", "first_of", "compare", "clip", "inside", "det", "logdet", "inv"}
)  # a value of a function; of a determinant or an inverse one for each entry of the result
FREE = frozenset(
    {
        "transpose",
        "spread",
        "zeros",
        "diag",
        "diagonal",
        "slice",
        "place",
        "entry",
        "concat",
        "reshape",
        "one_hot",
        "pi",
        "max_pool_pick",
        "max_pool_route",
        "constant",
        "size",
    }
)  # numbers that are only moved, chosen by what is known, or repeated
RULES: Mapping[str, Callable[[Expression], Cost]] = {
    "add": _add,
    "multiply": _multiply,
    "divide": _divide,
    "power": _power,
    "matmul": _matmul,
    "sum": _total,
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "cross_entropy": _cross_entropy,
    "binary_cross_entropy": _binary_cross_entropy,
    **dict.fromkeys(("max", "min"), _choice),
    "trace": _trace,
    "norm": _norm,
    "squared_norm": _squared_norm,
    **dict.fromkeys(("layer_norm", "batch_norm"), _normal),
    **dict.fromkeys(
        ("conv1d", "conv1d_image", "conv1d_filter", "conv2d", "conv2d_image", "conv2d_filter"), _convolution
    ),
    "avg_pool": _average,
    "avg_pool_back": _average_back,
    "max_pool": _pooled,
}

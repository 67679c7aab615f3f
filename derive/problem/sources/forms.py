"""Functions that people write out: ``1 / (1 + exp(-z))`` is the sigmoid, whatever its author called it.

Two expressions are the same form where they agree as sums of products: order, signs and quotients do not matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from flint import fmpq

from derive.problem.functions import FUNCTIONS
from derive.problem.language import read_equations
from derive.problem.sources.rewrite import replaced
from derive.problem.syntax import Binary, Call, Name, Negate, Node, Number, walk

# Elementwise in z; a is a constant.
ELEMENTWISE = {
    "sigmoid": ("1 / (1 + exp(-z))", "exp(z) / (1 + exp(z))", "(1 + tanh(z / 2)) / 2"),
    "tanh": (
        "(exp(z) - exp(-z)) / (exp(z) + exp(-z))",
        "(exp(2 * z) - 1) / (exp(2 * z) + 1)",
        "(1 - exp(-2 * z)) / (1 + exp(-2 * z))",
        "2 / (1 + exp(-2 * z)) - 1",
        "2 * sigmoid(2 * z) - 1",
    ),
    "relu": ("maximum(z, 0)", "maximum(0, z)", "z * (z > 0)", "z * (z >= 0)", "(abs(z) + z) / 2"),
    "leaky_relu": ("maximum(z, a * z)", "maximum(a * z, z)", "z * (z > 0) + (1 - (z > 0)) * (a * z)"),
    "elu": ("z * (z > 0) + (1 - (z > 0)) * (exp(z) - 1)",),
    "softplus": ("log(1 + exp(z))",),
    "silu": ("z / (1 + exp(-z))", "z * sigmoid(z)"),
}
SHARES = (
    "exp(z) / sum(exp(z){axis})",
    "exp(z - max(z)) / sum(exp(z - max(z)){axis})",
    "exp(z - max(z{axis})) / sum(exp(z - max(z{axis})){axis})",
)

Form = tuple[Any, ...]


def recognised(node: Node, variable: str, shape: tuple[Any, ...]) -> Call | None:
    """The language's function that this expression in one variable is, applied to it; ``None`` where it is none.

    ``shape`` is the variable's in the language: what is summed over all entries of a row is summed along the row.
    """
    found = form(node, variable)
    numbers = {part.value for part in walk(node) if isinstance(part, Number)}
    for function, texts in ELEMENTWISE.items():
        for text in texts:
            template = _read(text)
            for slope in sorted(numbers) if function == "leaky_relu" else [fmpq(0)]:
                if form(replaced(template, {"a": Number(slope)}), "z") == found:
                    options = (("slope", slope),) if function == "leaky_relu" else ()
                    return Call(function, (Name(variable),), options)
    for axis, text in _shares(shape):
        if form(_read(text), "z") == found:
            return Call("softmax", (Name(variable),), (("axis", axis),))
    return None


def _shares(shape: tuple[Any, ...]) -> Iterator[tuple[int, str]]:
    last = len(shape) - 1
    for text in SHARES:
        if "max" in text and not FUNCTIONS["max"].built:
            continue
        for axis in range(len(shape)):
            yield (-1 if axis == last else axis), text.format(axis=f", axis={axis}")
        if len([size for size in shape if size != 1]) == 1:
            along = next(k for k, size in enumerate(shape) if size != 1)
            yield (-1 if along == last else along), text.format(axis="")


@cache
def _read(text: str) -> Node:
    (statement,) = read_equations(f"form = {text}")
    return statement.expression


def form(node: Node, variable: str) -> Form:
    """A sum of products in one order, as data: ``("sum", ((product, coefficient), …))``. The variable is called z."""
    return _canonical(replaced(node, {variable: Name("z")}))


def _canonical(node: Node) -> Form:
    terms: dict[Form, fmpq] = {}
    for product, coefficient in _terms(node, fmpq(1)):
        terms[product] = terms.get(product, fmpq(0)) + coefficient
    kept = [(product, coefficient) for product, coefficient in terms.items() if coefficient != 0]
    return ("sum", tuple(sorted(((repr(p), str(c)) for p, c in kept))))


def _terms(node: Node, factor: fmpq) -> Iterator[tuple[Form, fmpq]]:
    match node:
        case Binary(operator="+" | "-" as sign, left=left, right=right):
            yield from _terms(left, factor)
            yield from _terms(right, factor if sign == "+" else -factor)
        case Negate(operand=operand):
            yield from _terms(operand, -factor)
        case _:
            powers: dict[Form, fmpq] = {}
            factor *= _factors(node, fmpq(1), powers)
            yield tuple(sorted((repr(base), str(power)) for base, power in powers.items() if power != 0)), factor


def _factors(node: Node, power: fmpq, powers: dict[Form, fmpq]) -> fmpq:
    """Gather the factors of a product; gives its number in front."""
    match node:
        case Number(value=value) if value != 0 and power.q == 1:
            return value ** int(power.p) if power > 0 else 1 / value ** int(-power.p)
        case Negate(operand=operand) if power.q == 1:
            sign = fmpq(-1 if int(power.p) % 2 else 1)
            return sign * _factors(operand, power, powers)
        case Binary(operator="*" | "/" as sign, left=left, right=right):
            first = _factors(left, power, powers)
            return first * _factors(right, power if sign == "*" else -power, powers)
        case Binary(operator="**", left=left, right=Number(value=exponent)):
            return _factors(left, power * exponent, powers)
    base = _base(node)
    powers[base] = powers.get(base, fmpq(0)) + power
    return fmpq(1)


def _base(node: Node) -> Form:
    match node:
        case Binary(operator="+" | "-"):
            return _canonical(node)
        case Call(function="square", arguments=(operand,)):
            return _canonical(Binary("*", operand, operand))
        case Call(function=function, arguments=arguments, options=options):
            shown = tuple((key, str(value)) for key, value in options)
            return (function, tuple(map(_canonical, arguments)), shown)
        case Binary(operator=operator, left=left, right=right):
            return (operator, _canonical(left), _canonical(right))
        case Name(id=name):
            return ("name", name)
        case Number(value=value):
            return ("number", str(value))
    kind = type(node).__name__
    parts = [(key, getattr(node, key)) for key in node.__match_args__ if key != "line"]
    return (kind, *((k, _canonical(v) if hasattr(v, "__match_args__") else str(v)) for k, v in parts))

"""Expressions as NumPy: the same names, the same operations, and functions written out from their definitions.

There are no one-dimensional arrays: a reduction along an axis keeps it, as in the equation language.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Mapping
from typing import Any

import sympy
from flint import fmpq
from sympy.printing.numpy import NumPyPrinter

from derive.calculus.functions import Functions, Z
from derive.errors import Unsupported
from derive.graph.expression import Adjoint, Expression, Name
from derive.graph.ops import FUNCTIONS
from derive.report.notation import python_windows

SUM, PRODUCT, SIGN, POWER, ATOM = 1, 2, 3, 4, 5  # how tightly a text binds
IN_NUMPY = {"exp", "log", "log2", "sqrt", "abs", "sin", "cos", "tanh"}
HELPERS: Mapping[str, tuple[str, ...]] = {
    "first_of": (
        "def first_of(x, which, axis):",
        "    at = np.expand_dims(which(x, axis=axis), axis if axis is not None else (0, 1))",
        "    order = np.arange(x.size).reshape(x.shape) if axis is None else np.indices(x.shape)[axis]",
        "    return (order == at) * 1.0",
    ),
    "normalise": (
        "def normalise(x, axis, eps):",
        "    centred = x - np.mean(x, axis=axis, keepdims=True)",
        "    return centred / np.sqrt(np.mean(centred**2, axis=axis, keepdims=True) + eps)",
    ),
    "place": (
        "def place(x, where, shape):",
        "    whole = np.zeros(shape)",
        "    whole[where] = x",
        "    return whole",
    ),
    "softmax": (
        "def softmax(z, axis):",
        "    powers = np.exp(z - np.max(z, axis=axis, keepdims=True))",
        "    return powers / np.sum(powers, axis=axis, keepdims=True)",
    ),
    "log_softmax": (
        "def log_softmax(z, axis):",
        "    shifted = z - np.max(z, axis=axis, keepdims=True)",
        "    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))",
    ),
}


class Code:
    """Prints expressions, and remembers which functions they need."""

    def __init__(self, functions: Functions, sizes: Mapping[str, str]) -> None:
        self._functions, self._sizes = functions, sizes
        self._needed: dict[str, tuple[str, ...]] = {}

    @property
    def helpers(self) -> tuple[tuple[str, ...], ...]:
        """The definitions of what has been used so far, in the order of use."""
        return tuple(self._needed.values())

    def text(self, node: Expression) -> str:
        """The expression as one line of NumPy."""
        return self._cell(node)[0]

    def _cell(self, node: Expression) -> tuple[str, int]:
        rule = _RULES.get(node.op)
        if rule is not None:
            return rule(self, node)
        if node.op in FUNCTIONS:
            return self._function(node.op, node.at, 0, node.args[0])
        if node.op == "derivative":
            name, *at = node.at
            order = 1
            while name == "derivative":
                name, *at = at
                order += 1
            return self._function(str(name), tuple(at), order, node.args[0])
        raise Unsupported(f"NumPy code for {node.op} is not built yet")

    def inside(self, node: Expression, least: int) -> str:
        """An operand, in brackets where it binds more loosely than what is around it."""
        text, binding = self._cell(node)
        return text if binding >= least else f"({text})"

    def _function(self, name: str, at: tuple[Any, ...], order: int, argument: Expression) -> tuple[str, int]:
        if name in IN_NUMPY and not order:
            return f"np.{name}({self.text(argument)})", ATOM
        own = str(at[0]) if name == "own" else name
        label = "".join(["d_" * order, own, *(f"_{_plain(x)}" for x in (at[1:] if name == "own" else at))])
        if label not in self._needed:
            formula = self._functions.definition(name, at)
            if formula is None:
                raise Unsupported(f"{own} has no formula, so there is no code for it")
            if order:
                formula = self._functions.derivative(name, at)
                formula = sympy.diff(formula, Z, order - 1) if order > 1 else formula
            self._needed[label] = (f"def {label}(z):", f"    return {_printer().doprint(formula)}")
        return f"{label}({self.text(argument)})", ATOM

    def helper(self, name: str) -> str:
        """A function that is written out once; its name."""
        self.write_out(name, HELPERS[name])
        return name

    def write_out(self, name: str, lines: tuple[str, ...]) -> None:
        """Define a function, unless it is there."""
        self._needed.setdefault(name, lines)

    def size(self, name: str) -> str:
        """A size that is a letter: read off an array that has it."""
        return self._sizes[name]

    def shape(self, shape: tuple[int | str, ...]) -> str:
        """``(2, 3)``, with letters read off arrays."""
        sizes = [size if isinstance(size, int) else self.size(size) for size in shape]
        return f"({', '.join(map(str, sizes))}{',' if len(sizes) == 1 else ''})"


def identifier(name: Name) -> str:
    """``W1``, ``dE_dW1``; the member ``h[1]`` of a family is ``h_1``, a word of Python gets a line behind it."""
    if isinstance(name, Adjoint):
        return f"d{identifier(name.of)}_d{identifier(name.by)}"
    text = re.sub(r"\[(-?\d+)\]", lambda match: "_" + match[1].replace("-", "m"), str(name))
    return f"{text}_" if keyword.iskeyword(text) or text == "np" else text


def number(value: fmpq) -> tuple[str, int]:
    """An exact number: a decimal where it is one, else a quotient."""
    if value.q == 1:
        return str(value.p), ATOM if value >= 0 else SIGN
    below = int(value.q)
    for prime in (2, 5):
        while below % prime == 0:
            below //= prime
    if below == 1:
        whole = sympy.Rational(int(value.p), int(value.q))
        digits = next(k for k in range(1, 400) if (whole * 10**k).is_integer)
        text = str(abs(int(whole * 10**digits))).rjust(digits + 1, "0")
        return ("-" if value < 0 else "") + f"{text[:-digits]}.{text[-digits:]}", ATOM if value >= 0 else SIGN
    return f"{value.p} / {value.q}", PRODUCT


def _plain(value: Any) -> str:
    return re.sub(r"\W", "_", number(value)[0] if isinstance(value, fmpq) else str(value))


def _printer() -> NumPyPrinter:
    class Printer(NumPyPrinter):  # type: ignore[misc]
        def _module_format(self, fqn: str, register: bool = True) -> str:
            name: str = fqn.rsplit(".", 1)[-1]
            return f"np.{name}"

        def _print_Piecewise(self, expr: Any) -> str:
            *cases, (last, _) = expr.args
            text: str = self._print(last)
            for value, condition in reversed(cases):
                text = f"np.where({self._print(condition)}, {self._print(value)}, {text})"
            return text

        def _print_Relational(self, expr: Any) -> str:
            return f"{self._print(expr.lhs)} {expr.rel_op} {self._print(expr.rhs)}"

        def _print_Pow(self, expr: Any, rational: bool = False) -> str:
            if expr.exp == -1:
                return f"1 / ({self._print(expr.base)})"
            text: str = super()._print_Pow(expr, rational)
            return text

        def _print_erf(self, expr: Any) -> str:
            return f"np.vectorize(math.erf)({self._print(expr.args[0])})"

    return Printer()


# ── one printer for each operation ──────────────────────────────────────────────────────────────────────────────


def _name(code: Code, node: Expression) -> tuple[str, int]:
    return identifier(node.name), ATOM


def _constant(code: Code, node: Expression) -> tuple[str, int]:
    return number(node.number)


def _add(code: Code, node: Expression) -> tuple[str, int]:
    parts: list[str] = []
    for term in node.args:
        text = code.inside(term, SUM)
        if parts and text.startswith("-"):
            parts.append(f" - {text[1:]}")
        else:
            parts.append(f" + {text}" if parts else text)
    return "".join(parts), SUM


def _multiply(code: Code, node: Expression) -> tuple[str, int]:
    first, *rest = node.args
    if first.op == "constant" and first.number == -1 and rest:
        inner = Expression("multiply", tuple(rest), (), node.shape) if len(rest) > 1 else rest[0]
        return f"-{code.inside(inner, PRODUCT)}", PRODUCT
    if first.op == "constant" and first.number.p == 1 and first.number.q != 1 and rest:
        inner = Expression("multiply", tuple(rest), (), node.shape) if len(rest) > 1 else rest[0]
        return f"{code.inside(inner, PRODUCT)} / {first.number.q}", PRODUCT
    texts = [code.inside(arg, PRODUCT if k == 0 else SIGN) for k, arg in enumerate(node.args)]
    return " * ".join(f"({text})" if k and text.startswith("-") else text for k, text in enumerate(texts)), PRODUCT


def _divide(code: Code, node: Expression) -> tuple[str, int]:
    return f"{code.inside(node.args[0], PRODUCT)} / {code.inside(node.args[1], SIGN)}", PRODUCT


def _power(code: Code, node: Expression) -> tuple[str, int]:
    exponent, binding = number(node.at[0])
    return f"{code.inside(node.args[0], ATOM)}**{exponent if binding == ATOM else f'({exponent})'}", POWER


def _matmul(code: Code, node: Expression) -> tuple[str, int]:
    left, right = node.args
    return f"{code.inside(left, PRODUCT)} @ {code.inside(right, SIGN)}", PRODUCT


def _transpose(code: Code, node: Expression) -> tuple[str, int]:
    return f"{code.inside(node.args[0], ATOM)}.T", ATOM


def _sum(code: Code, node: Expression) -> tuple[str, int]:
    axis = node.at[0]
    along = "" if axis is None else f", axis={axis}, keepdims=True"
    return f"np.sum({code.text(node.args[0])}{along})", ATOM


def _spread(code: Code, node: Expression) -> tuple[str, int]:
    return f"np.broadcast_to({code.text(node.args[0])}, {code.shape(node.shape)})", ATOM


def _softmax(code: Code, node: Expression) -> tuple[str, int]:
    return f"{code.helper(node.op)}({code.text(node.args[0])}, axis={node.at[0]})", ATOM


def _cross_entropy(code: Code, node: Expression) -> tuple[str, int]:
    axis, reduction = node.at
    logs = f"{code.helper('log_softmax')}({code.text(node.args[0])}, axis={axis})"
    whole = f"-np.sum({code.inside(node.args[1], PRODUCT)} * {logs})"
    samples = node.args[0].shape[1 - axis]
    if reduction == "sum" or samples == 1:
        return whole, PRODUCT
    return f"{whole} / {samples if isinstance(samples, int) else code.size(samples)}", PRODUCT


def _binary_cross_entropy(code: Code, node: Expression) -> tuple[str, int]:
    p, t = (code.inside(arg, POWER) for arg in node.args)
    return f"-({t} * np.log({p}) + (1 - {t}) * np.log(1 - {p}))", PRODUCT


def _extreme(code: Code, node: Expression) -> tuple[str, int]:
    return f"np.{node.op}({', '.join(code.text(arg) for arg in node.args)})", ATOM


def _first_wins(code: Code, node: Expression) -> tuple[str, int]:
    sign = ">=" if node.at[0] == "maximum" else "<="
    return f"({code.inside(node.args[0], SUM)} {sign} {code.inside(node.args[1], SUM)})", ATOM


def _axis(node: Expression, axis: int | None) -> str:
    return "" if axis is None else f", axis={axis}, keepdims=True"


def _reduced(code: Code, node: Expression) -> tuple[str, int]:
    return f"np.{node.op}({code.text(node.args[0])}{_axis(node, node.at[0])})", ATOM


def _first_of(code: Code, node: Expression) -> tuple[str, int]:
    op, axis = node.at
    return f"{code.helper('first_of')}({code.text(node.args[0])}, np.arg{op}, axis={axis})", ATOM


def _compare(code: Code, node: Expression) -> tuple[str, int]:
    left, right = (code.inside(arg, SUM) for arg in node.args)
    return f"({left} {node.at[0]} {right})", ATOM


def _inside(code: Code, node: Expression) -> tuple[str, int]:
    x, low, high = (code.inside(arg, ATOM) for arg in node.args)
    return f"(({low} < {x}) & ({x} < {high}))", ATOM


def _norm(code: Code, node: Expression) -> tuple[str, int]:
    return f"np.sqrt(np.sum({code.inside(node.args[0], ATOM)}**2{_axis(node, node.at[0])}))", ATOM


def _squared_norm(code: Code, node: Expression) -> tuple[str, int]:
    return f"np.sum({code.inside(node.args[0], ATOM)}**2{_axis(node, node.at[0])})", ATOM


def _normalised(code: Code, node: Expression) -> tuple[str, int]:
    axis = 1 if node.op == "layer_norm" else 0
    return f"{code.helper('normalise')}({code.text(node.args[0])}, axis={axis}, eps={number(node.at[0])[0]})", ATOM


def _cut(code: Code, slices: tuple[Any, ...]) -> str:
    """``0:2, :``; a slice whose ends are letters cannot be written."""
    texts = []
    for part in slices:
        if part is None:
            texts.append(":")
            continue
        if isinstance(part.start, str) or isinstance(part.count, str):
            raise Unsupported("NumPy code for a slice with a letter for its end is not built yet")
        stop = part.start + part.step * part.count
        step = "" if part.step == 1 else f":{part.step}"
        texts.append(f"{part.start}:{stop if stop >= 0 else ''}{step}")
    return ", ".join(texts)


def _slice(code: Code, node: Expression) -> tuple[str, int]:
    return f"{code.inside(node.args[0], ATOM)}[{_cut(code, node.at)}]", ATOM


def _place(code: Code, node: Expression) -> tuple[str, int]:
    *slices, shape = node.at
    where = f"np.s_[{_cut(code, tuple(slices))}]"
    return f"{code.helper('place')}({code.text(node.args[0])}, {where}, {code.shape(shape)})", ATOM


def _concat(code: Code, node: Expression) -> tuple[str, int]:
    parts = [code.text(arg) if arg.shape else f"np.reshape({code.text(arg)}, (1, 1))" for arg in node.args]
    return f"np.concatenate(({', '.join(parts)}), axis={node.at[0]})", ATOM


def _one_hot(code: Code, node: Expression) -> tuple[str, int]:
    _, chosen, classes = node.at
    return f"np.eye({classes})[[{', '.join(map(str, chosen))}]]", ATOM


_RULES: Mapping[str, Callable[[Code, Expression], tuple[str, int]]] = {
    "name": _name,
    "constant": _constant,
    "size": lambda code, node: (code.size(node.at[0]), ATOM),
    "zeros": lambda code, node: (f"np.zeros({code.shape(node.shape)})" if node.shape else "0", ATOM),
    "add": _add,
    "multiply": _multiply,
    "divide": _divide,
    "power": _power,
    "matmul": _matmul,
    "transpose": _transpose,
    "sum": _sum,
    "spread": _spread,
    "diag": lambda code, node: (f"np.diagflat({code.text(node.args[0])})", ATOM),
    "diagonal": lambda code, node: (
        f"np.diagonal({code.text(node.args[0])}).reshape({code.shape(node.shape)})", ATOM,
    ),
    "softmax": _softmax,
    "log_softmax": _softmax,
    "cross_entropy": _cross_entropy,
    "binary_cross_entropy": _binary_cross_entropy,
    "maximum": _extreme,
    "minimum": _extreme,
    "first_wins": _first_wins,
    "max": _reduced,
    "min": _reduced,
    "first_of": _first_of,
    "compare": _compare,
    "clip": lambda code, node: (f"np.clip({', '.join(code.text(arg) for arg in node.args)})", ATOM),
    "inside": _inside,
    "one_hot": _one_hot,
    "pi": lambda code, node: ("np.pi", ATOM),
    "trace": lambda code, node: (f"np.trace({code.text(node.args[0])})", ATOM),
    "det": lambda code, node: (f"np.linalg.det({code.text(node.args[0])})", ATOM),
    "logdet": lambda code, node: (f"np.linalg.slogdet({code.text(node.args[0])})[1]", ATOM),
    "inv": lambda code, node: (f"np.linalg.inv({code.text(node.args[0])})", ATOM),
    "norm": _norm,
    "squared_norm": _squared_norm,
    "layer_norm": _normalised,
    "batch_norm": _normalised,
    "slice": _slice,
    "place": _place,
    "entry": lambda code, node: (f"{code.inside(node.args[0], ATOM)}[{', '.join(map(str, node.at))}]", ATOM),
    "concat": _concat,
    "reshape": lambda code, node: (f"np.reshape({code.text(node.args[0])}, {code.shape(node.shape)})", ATOM),
    **dict.fromkeys(python_windows.OPERATIONS, lambda code, node: (python_windows.call(code, node), ATOM)),
}  # fmt: skip

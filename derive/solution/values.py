"""Certified values of named equations: exact rationals as far as they go, balls from there, refined on demand."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import replace
from typing import Any

from flint import fmpq

from derive.calculus.functions import Functions, Key
from derive.calculus.numeric import of_one_variable
from derive.errors import ProblemError
from derive.graph.expression import Adjoint, Expression, Name, Plane
from derive.graph.ops import evaluate
from derive.numbers import arrays, linear
from derive.numbers.arrays import Array
from derive.numbers.balls import DomainError, Number, UndecidedSign, enclosure, precision, working_precision
from derive.numbers.certify import Undecided
from derive.numbers.functions import log_softmax, pi, power, softmax
from derive.numbers.rearranged import Rearranged
from derive.numbers.rounding import Printed, Rounding, printed
from derive.problem.problem import Shape

START_BITS, MOST_BITS = 128, 4096
LOST = 24  # bits that may be lost before a formula is asked again

Data = Callable[[int], Mapping[Name, Array]]  # the data at a working precision of so many bits


class Balls(Rearranged):
    """Certified numbers as a kind of number for the graph's op table; the working precision is FLINT's."""

    zero, one = fmpq(0), fmpq(1)

    def __init__(self, functions: Functions) -> None:
        self._functions = functions
        self._compiled: dict[tuple[bool, str, Key], Callable[[Number], Number]] = {}

    def settle(self, value: Any, expression: Expression) -> Array:
        """An array whose rationals are short enough to go on exactly."""
        return arrays.settle_all(value)

    def number(self, value: fmpq) -> Array:
        return arrays.wrap(value)

    def size(self, name: str) -> Array:
        raise TypeError(f"the size {name} has no number")

    def matmul(self, a: Array, b: Array) -> Array:
        return arrays.matmul(a, b)

    def power(self, a: Array, exponent: fmpq) -> Array:
        return arrays.elementwise(lambda x: power(x, exponent), a)

    def divide(self, a: Array, b: Array) -> Array:
        return arrays.divide(a, b)

    def function(self, name: str, at: Key, a: Array) -> Array:
        return arrays.elementwise(_same_for_same(self._compile(False, name, at)), a)

    def derivative(self, name: str, at: Key, a: Array) -> Array:
        return arrays.elementwise(self._compile(True, name, at), a)

    def first_wins(self, kind: str, a: Array, b: Array) -> Array:
        from derive.numbers.functions import compare

        relation = ">=" if kind == "maximum" else "<="
        # One and the same number is its own equal, however wide its ball.
        return arrays.elementwise(lambda x, y: fmpq(int(x is y or compare(relation, x, y))), a, b)

    def softmax(self, a: Array, axis: int) -> Array:
        return arrays.along(softmax, a, axis)

    def log_softmax(self, a: Array, axis: int) -> Array:
        return arrays.along(log_softmax, a, axis)

    def total(self, a: Array, axis: int | None) -> Array:
        return arrays.total(a, axis)

    def spread(self, a: Array, shape: Shape) -> Array:
        import numpy as np

        return np.broadcast_to(a, tuple(int(size) for size in shape))

    def choice(self, name: str, at: Key, operands: tuple[Array, ...]) -> Array:
        from derive.numbers.choices import chooser

        return arrays.elementwise(chooser(name, at), *operands)

    def pi(self) -> Array:
        return arrays.wrap(pi())

    def diag(self, vector: Array) -> Array:
        return arrays.diag(vector)

    def diagonal(self, a: Array, axis: int) -> Array:
        return a.diagonal().reshape((1, -1) if axis == 0 else (-1, 1))

    def wins(self, rows: Array) -> Array:
        import numpy as np

        from derive.numbers.functions import first_largest

        wins = np.full(rows.shape, fmpq(0), dtype=object)
        for k, entries in enumerate(rows):
            wins[k, first_largest(list(entries))] = fmpq(1)
        return wins

    def trace(self, a: Array) -> Array:
        return arrays.total(a.diagonal())

    def determinant(self, a: Array) -> Array:
        return linear.determinant(a)

    def log_determinant(self, a: Array) -> Array:
        return linear.log_determinant(a)

    def inverse(self, a: Array) -> Array:
        return linear.inverse(a)

    def _compile(self, slope: bool, name: str, at: Key) -> Callable[[Number], Number]:
        key = (slope, name, at)
        if key not in self._compiled:
            formula = (self._functions.derivative if slope else self._functions.definition)(name, at)
            if formula is None:
                raise TypeError(f"{at[0]} has no formula")
            self._compiled[key] = _sharp(of_one_variable(formula))
        return self._compiled[key]


def _same_for_same(f: Callable[[Number], Number]) -> Callable[[Number], Number]:
    """``f`` that gives one and the same number for equal rationals, and for one and the same ball.

    So a tie of its values is seen to be one, however wide they are.
    """
    known: dict[fmpq | int, Number] = {}
    met: list[Number] = []  # balls go by their identity, so they have to stay

    def value(x: Number) -> Number:
        key = x if isinstance(x, fmpq) else id(x)
        if key not in known:
            met.append(x)
            known[key] = f(x)
        return known[key]

    return value


def _sharp(f: Callable[[Number], Number]) -> Callable[[Number], Number]:
    """``f`` with more bits where its formula cancels: (e^z - e^-z) / (e^z + e^-z) at a z near 0."""

    def value(x: Number) -> Number:
        y, bits = f(x), working_precision()
        wanted, have = bits - LOST, _accuracy(y)
        while have < wanted and bits < MOST_BITS:
            bits *= 2
            with precision(bits):
                y = f(x)
            before, have = have, _accuracy(y)
            if have <= before:  # it is not the formula that blurs it
                break
        return y

    return value


def _accuracy(x: Number) -> int:
    return MOST_BITS if isinstance(x, fmpq) else int(x.rel_accuracy_bits())


class Run:
    """One pass through a list of named equations, forward and backward.

    ``equations`` maps names to right-hand sides, ``lines`` to where they stand in the file. With ``carried``, every
    named value is rounded as it is shown before the next equation uses it, as in work by hand. ``unnamed`` are the
    steps that the problem gave no name to.
    """

    def __init__(
        self,
        equations: Mapping[Name, Expression],
        data: Data,
        kind: Balls,
        *,
        carried: Rounding | None = None,
        where: Mapping[Name, tuple[str | None, int | None]] | None = None,
        unnamed: frozenset[Name] = frozenset(),
    ) -> None:
        self.equations, self.data, self.kind, self.carried = equations, data, kind, carried
        self._where, self._unnamed = where or {}, unnamed
        self._known: dict[int, dict[Name, Array]] = {}
        self._blamed: Name | None = None  # whose branch was not decided last

    def value(self, name: Name, bits: int = START_BITS) -> Array:
        """The entries of a name; more bits than asked for where a branch needs them to be decided."""
        return self._decided(bits, lambda now: self._named(name, now))

    def expression(self, expression: Expression, bits: int = START_BITS) -> Array:
        """The value of an expression in the names of this run."""
        return self._decided(bits, lambda now: evaluate(expression, lambda name: self._named(name, now), self.kind))

    def shown(self, value: Name | Expression, rounding: Rounding) -> list[Printed | Undecided]:
        """Every entry as it is printed, row by row; precision is doubled until the digits are decided."""
        if self.carried is not None and not isinstance(value, Expression) and value in self.equations:
            value = self.equations[value]  # what is rounded, with the zeros it ends in, and not what is carried on
        find = self.expression if isinstance(value, Expression) else self.value
        bits = START_BITS
        found: list[Printed | None] = [None]
        while bits <= MOST_BITS:
            with precision(bits):
                entries = arrays.entries(find(value, bits))  # type: ignore[arg-type]
                found = [printed(entry, rounding) for entry in entries]
            if None not in found:
                break
            bits *= 2
        return [
            self._plainly(entry, rounding) if text is None else text for entry, text in zip(entries, found, strict=True)
        ]

    @staticmethod
    def _plainly(entry: Number, rounding: Rounding) -> Printed | Undecided:
        """What is zero for all that can be told (1 - 1, each by another road) has no power of ten: its decimals."""
        text = printed(entry, replace(rounding, tiny="plain")) if rounding.tiny == "scientific" else None
        return Undecided(*enclosure(entry)) if text is None else text

    def _decided(self, bits: int, compute: Callable[[int], Array]) -> Array:
        while True:
            try:
                with precision(bits):
                    return compute(bits)
            except UndecidedSign as error:
                if bits >= MOST_BITS:
                    file, line = self.place(self._blamed) if self._blamed is not None else (None, None)
                    raise ProblemError(
                        f"{error.message}: a value is zero, or too near to zero to tell at {MOST_BITS} bits",
                        file=file,
                        line=line,
                    ) from None
                bits *= 2

    def _named(self, name: Name, bits: int) -> Array:
        if isinstance(name, Plane):
            whole = self._named(name.of, bits)[name.lead]
            plane: Array = whole if whole.ndim == 2 else whole.reshape(1, -1)
            return plane
        known = self._known.setdefault(bits, {})
        if not known:
            known.update(self.data(bits))
        if name not in known:
            for needed in self.order(name, known):
                known[needed] = self._carry(self._compute(needed, known), bits)
        return known[name]

    def order(self, name: Name, known: Container[Name]) -> Iterator[Name]:
        """What has to be worked out for a name, in order; no recursion, so that depth does not matter."""
        stack: list[tuple[Name, bool]] = [(name, False)]
        seen: set[Name] = set()
        while stack:
            here, ready = stack.pop()
            if ready:
                yield here
            elif here not in known and here not in seen:
                seen.add(here)
                stack.append((here, True))
                if here in self.equations:
                    stack += [(below, False) for below in reversed(self.equations[here].names())]

    def _compute(self, name: Name, known: Mapping[Name, Array]) -> Array:
        try:
            value: Array = evaluate(self.equations[name], lambda used: known[used], self.kind)
            return value
        except DomainError as error:
            file, line = self.place(name)
            entry = f"[{','.join(str(k + 1) for k in error.entry)}]" if error.entry else ""
            what = f"the derivative {name}" if isinstance(name, Adjoint) else name
            if name in self._unnamed:  # a name that stands in no problem file
                entry += ", a step of this equation without a name"
            norm = self._norm_of_zero(name)
            if norm is not None:
                raise ProblemError(
                    f"{what}: the norm in the equation for {norm} is 0, where it has a kink and no derivative",
                    file=file,
                    line=self.place(norm)[1],
                    hint="the square of the norm has one everywhere: norm(x)**2",
                ) from None
            raise ProblemError(f"{what}{entry}: {error.message}", file=file, line=line) from None
        except UndecidedSign as error:
            self._blamed = name
            raise UndecidedSign(f"{name}: {error.message}", error.entry) from None

    def _norm_of_zero(self, name: Name) -> Name | None:
        """The equation with a norm that is 0, among those that a derivative that does not exist came back through."""
        if not isinstance(name, Adjoint):
            return None
        for equation, value in self.equations.items():
            if isinstance(equation, Adjoint) or name.by not in value.names():
                continue
            for node in value.nodes():
                if node.op == "norm":
                    lengths = evaluate(node, lambda used: self._named(used, working_precision()), self.kind)
                    if any(entry == 0 for entry in arrays.entries(lengths)):
                        return equation
        return None

    def place(self, name: Name) -> tuple[str | None, int | None]:
        """File and line of the equation of a name; of a derivative, of the equation of what it is the derivative by."""
        for key in (name, name.by, name.of) if isinstance(name, Adjoint) else (name,):
            if key in self._where:
                return self._where[key]
        return next(iter(self._where.values()), (None, None))[0], None

    def _carry(self, value: Array, bits: int) -> Array:
        if self.carried is None:
            return value
        from derive.numbers.decimals import read_number

        rounded: list[Number] = []
        for entry in arrays.entries(value):
            text = printed(entry, self.carried)
            if text is None:
                raise UndecidedSign("the digits to carry are not decided")
            rounded.append(read_number(text.text))
        return arrays.filled(value.shape, rounded)


def data_with(data: Data, more: Mapping[Name, Array]) -> Data:
    """The same data and some more."""
    return lambda bits: {**data(bits), **more}

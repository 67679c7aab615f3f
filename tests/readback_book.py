"""What printed symbols stand for: the names of a part with their certified values, in whichever state they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import sympy
from flint import arb, fmpq

from derive.calculus.numeric import compiled
from derive.graph.expression import Adjoint, Plane
from derive.report.notation import Symbols, letter
from derive.solution.part import Part
from readback import Digits, Running, Setting
from readback_tokens import NotRead, Slip, tokens, written
from readback_values import BITS, FUNCTIONS, SLOPES, Number, Value, _relu, _step

# ── what printed symbols stand for ──────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Whole:
    """A name with all its entries."""

    name: str


@dataclass(frozen=True)
class One:
    """An entry of a name."""

    name: str
    index: tuple[int, ...]


@dataclass(frozen=True)
class InStack:
    """One matrix (or row) of a name with more than two axes."""

    name: str
    lead: tuple[int, ...]


def _planes(shape: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """The places of the matrices of a stack, and of its rows where it has three axes; and the sizes there."""
    for count in (len(shape) - 2, len(shape) - 1) if len(shape) == 3 else (len(shape) - 2,) if len(shape) > 3 else ():
        for lead in np.ndindex(*shape[:count]):
            yield lead, shape[count:]


def _plane(array: Any, lead: tuple[int, ...]) -> Value:
    inner = array[lead]
    return Value(np.array(inner, dtype=object).reshape(1, -1) if inner.ndim == 1 else np.array(inner, dtype=object))


class Book:
    """The printed symbols of one part and their certified values.

    ``local`` says how a fraction is understood whose upper name is not the loss, or which may be both: as the local
    derivative of one equation (True), or as the derivative along all ways where the solution has one. ``turned``: with
    rows and columns exchanged. With ``carried`` the values are the displayed ones that work by hand goes on with.
    """

    def __init__(self, part: Part, *, local: bool = False, turned: bool = False, carried: bool = False) -> None:
        self.part, self.local, self.turned, self.carried = part, local, turned, carried
        self.run = part.shown if carried else part.run
        self.symbols = Symbols(part.problem, part.network)
        convention = part.problem.convention
        self.digits = Digits(None if convention.significant else convention.digits, convention.significant)
        self._values: dict[Any, Value] = {}

    # ── names ──

    @cached_property
    def _all(self) -> tuple[str, ...]:
        return (*self.part.network.data, *(str(equation.name) for equation in self.part.network.equations))

    @cached_property
    def names(self) -> dict[tuple[str, ...], Any]:
        """The tokens of every symbol and what it stands for. A symbol of two things is a ``Slip``."""
        table: dict[tuple[str, ...], Any] = {}

        def enter(latex: str, key: Any) -> None:
            held = table.setdefault(tokens(latex), key)
            if held != key and not self._same(held, key):
                raise Slip(f"{latex} stands for {held} and for {key}")

        for name in self._all:
            enter(self.symbols.name(name), Whole(name))
            for index in np.ndindex(*self._shape(name)):
                if len(self._shape(name)) >= 2:
                    enter(self.symbols.entry(name, index), One(name, index))
            for lead, rest in _planes(self._shape(name)):
                if np.prod(rest) > 1:
                    enter(self.symbols.name(Plane(name, lead)), InStack(name, lead))
        for key, adjoint in self.signals.items():
            enter(self.symbols.name(adjoint), Whole(key))
            for index in np.ndindex(*self._shape(key)):
                enter(self.symbols.entry(adjoint, index), One(key, index))
        for text in self._seconds:
            enter(self.symbols.name(text), Whole(text))
        for upstream in self.part.problem.ask.upstream:
            enter(self.symbols.name(upstream.of), Whole(upstream.of))
        update = self.part.problem.ask.update
        if update is not None:
            enter(letter(update.symbol), "rate")
        return table

    @cached_property
    def running(self) -> dict[tuple[str, ...], Any]:
        """The names with running indices, for sums."""
        table = dict(self.names)
        for name in self._all:
            shape = self._shape(name)
            letters = "".join(letter for letter, size in zip("ij", shape, strict=False) if size != 1)
            if len(shape) == 2 and letters:
                key = tokens(self.symbols.indexed(name, letters))
                if key in table:
                    raise Slip(f"{written(key)} is a name and a running entry")
                table[key] = Running(Whole(name), letters)
        return table

    @cached_property
    def own(self) -> dict[tuple[str, ...], Any]:
        """The symbols of the problem's own functions."""
        return {tokens(self.symbols.function("own", (name,))): ("own", name) for name in self.part.problem.functions}

    def _same(self, a: Any, b: Any) -> bool:
        return (
            isinstance(a, Whole | One)
            and isinstance(b, Whole | One)
            and a.name == b.name
            and np.prod(self._shape(a.name)) == 1
        )

    def _shape(self, name: str) -> tuple[int, ...]:
        if name in self.signals:
            adjoint = self.signals[name]
            shape = tuple(int(size) for size in self.part.network.shape(adjoint.by))
            return shape[::-1] if adjoint.numerator else shape
        if name in {upstream.of for upstream in self.part.problem.ask.upstream}:
            return ()
        return tuple(int(size) for size in self.part.network.shape(name))

    # ── values ──

    def value(self, key: Any) -> Value:
        """The certified value of a symbol."""
        if key not in self._values:
            self._values[key] = self._find(key)
        return self._values[key]

    @cached_property
    def signals(self) -> dict[str, Adjoint]:
        """The error signals: a name for each, and the adjoint that it is."""
        part = self.part
        names = part.problem.ask.questions.delta if part.problem.ask.questions is not None else {}
        if part.derivation is None:
            return {}
        negative = part.problem.convention.delta_sign == "negative"
        found = (a for a in part.derivation.adjoints if a.by in names)
        return {f"delta {a.by}": Adjoint(a.of, a.by, a.numerator, negative) for a in found}

    @property
    def _seconds(self) -> tuple[str, ...]:
        """The second derivatives that the part has."""
        ratios = tuple(ratio.text for ratio in self.part.asked.ratios if ratio.text.startswith("d2"))
        return ratios + (tuple(one.text for one in self.part.further.seconds) if self.part.further is not None else ())

    def _find(self, key: Any) -> Value:
        if isinstance(key, Whole) and key.name in self.signals:
            return _matrix(self.run.value(self.signals[key.name], BITS))
        if isinstance(key, Whole) and key.name in self._seconds:
            return _matrix(self.part.value_of(key.name, BITS))
        if isinstance(key, Whole):
            return _matrix(self.run.value(key.name, BITS))
        if isinstance(key, One) and len(self._shape(key.name)) > 2:
            return Value.scalar(self.run.value(key.name, BITS)[key.index])
        if isinstance(key, InStack):
            return _plane(self.run.value(key.name, BITS), key.lead)
        if isinstance(key, One):
            return Value.scalar(self.value(Whole(key.name)).array[key.index])
        if isinstance(key, fmpq | arb):
            return Value.scalar(key)
        raise NotRead(f"{key} without a value")

    def partial(self, above: Any, below: Any, direct: bool = False) -> Value:
        """d above / d below; ``direct``: by one equation alone, whatever other ways there are."""
        key = ("d", above, below, direct)
        if key not in self._values:
            self._values[key] = self._partial(above, below, direct)
        return self._values[key]

    def _partial(self, above: Any, below: Any, only: bool) -> Value:
        of, by = above.name, below.name
        if len(self._shape(by)) > 2 and not isinstance(below, Whole):
            found = self._of_stack(above, below, only)
            if found is not None:
                return found
        ratio = next((ratio for ratio in self.part.asked.ratios if (ratio.of, ratio.by) == (of, by)), None)
        if (
            not only
            and ratio is not None
            and ratio.kind == "jacobian"
            and isinstance(above, Whole)
            and isinstance(below, Whole)
        ):
            return _matrix(self.part.value_of(ratio.text, BITS))
        total = self._total(of, by) if np.prod(self._shape(of)) == 1 or isinstance(above, Whole) else None
        direct = (
            of in {str(e.name) for e in self.part.network.equations}
            and by in self.part.network.equation(of).value.names()
        )
        if total is not None and not ((self.local or only) and direct):
            if isinstance(below, One) and len(below.index) > 2:
                return Value.scalar(self.run.value(Adjoint(of, by), BITS)[below.index])
            if isinstance(below, One):
                return Value.scalar(total.array[below.index])
            numerator = self.part.derivation is not None and self.part.derivation.layout == "numerator"
            return Value(total.array.T) if numerator != self.turned else total
        if not direct and of == by:
            return Value.scalar(fmpq(1))
        rows = [above.index] if isinstance(above, One) else list(np.ndindex(*self._shape(of)))
        columns = [below.index] if isinstance(below, One) else list(np.ndindex(*self._shape(by)))
        array = np.empty((len(rows), len(columns)), dtype=object)
        for place, (row, column) in zip(np.ndindex(*array.shape), ((r, c) for r in rows for c in columns), strict=True):
            array[place] = self._local(of, row, by, column)
        return Value(array)

    def _of_stack(self, above: Any, below: Any, only: bool) -> Value | None:
        """The derivative of the loss by an entry or a matrix of a stack; ``None`` where that of one equation is meant."""
        if np.prod(self._shape(above.name)) != 1 or only or self.local:
            return None
        adjoint = Adjoint(above.name, below.name)
        if adjoint not in self.part.shape_adjoints:
            return None
        whole = self.run.value(adjoint, BITS)
        return _plane(whole, below.lead) if isinstance(below, InStack) else Value.scalar(whole[below.index])

    def _total(self, of: str, by: str) -> Value | None:
        for adjoint in (*self.part.shape_adjoints, Adjoint(of, by)):
            if (adjoint.of, adjoint.by) == (of, by):
                try:
                    return _matrix(self.run.value(adjoint, BITS))
                except KeyError:
                    return None
        return None

    def _local(self, of: str, row: tuple[int, ...], by: str, column: tuple[int, ...]) -> Number:
        explicit = self.part.explicit
        if explicit is None:
            raise NotRead("a local derivative of a large network")
        right, symbol = explicit.equation(of)[row], explicit.symbols(by)[column]
        slope = explicit.with_definitions(sympy.diff(right, symbol))
        return self._evaluate(slope)

    def _evaluate(self, formula: sympy.Expr) -> Number:
        explicit = self.part.explicit
        assert explicit is not None
        env = {}
        for symbol in formula.free_symbols:
            entry = explicit.entry_of[symbol]
            if len(entry.index) > 2:
                env[symbol] = self.value(One(str(entry.name), entry.index)).array[0, 0]
                continue
            array = self.value(Whole(str(entry.name))).array
            env[symbol] = array[entry.index] if entry.index else array[0, 0]
        result: Number = compiled(formula)(env)
        return result

    def function(self, name: Any, primes: int) -> Any:
        """A function of the op table, or one of the problem's own, or its derivative."""
        if isinstance(name, tuple) and name[0] == "own":
            return self._own(name[1], primes)
        at = next((node.at for e in self.part.network.equations for node in e.value.nodes() if node.op == name), ())
        if name == "relu" and primes:
            kink = self.part.problem.convention.relu_at_zero
            return lambda x: _step(x, fmpq(0), fmpq(kink))
        if name == "leaky_relu":
            slope = fmpq(at[0])
            return (
                (lambda x: _relu(x, slope))
                if not primes
                else (lambda x: _step(x, slope, fmpq(self.part.problem.convention.relu_at_zero)))
            )
        table = (FUNCTIONS, SLOPES)
        if primes > 1 or name not in table[primes]:
            raise NotRead(f"{name} with {primes} primes")
        return table[primes][name]

    def _own(self, name: str, primes: int) -> Any:
        from derive.calculus.functions import Z

        formula = self.part.functions.definition("own", (name,))
        if formula is None:
            raise NotRead("a function without a formula")
        evaluate = compiled(sympy.diff(formula, Z, primes))
        return lambda x: evaluate({Z: x})

    @cached_property
    def axis(self) -> int:
        """The axis of the network's softmax."""
        for equation in self.part.network.equations:
            for node in equation.value.nodes():
                if node.op in ("softmax", "log_softmax", "cross_entropy"):
                    return int(node.at[0])
        return 1

    def setting(self, more: Mapping[Any, Value] | None = None) -> Setting:
        """What a reader needs, with some symbols standing for something else."""
        more = more or {}
        return Setting(
            lambda key: more[key] if key in more else self.value(key), self.partial, self.function, self.axis
        )

    @cached_property
    def constants(self) -> frozenset[fmpq]:
        """The numbers of the problem: data, rates, constants of the equations."""
        found: set[fmpq] = set()
        for datum in self.part.network.data.values():
            if datum.tensor is not None:
                found |= {abs(entry) for entry in datum.tensor.entries}
        update = self.part.problem.ask.update
        if update is not None:
            found |= {abs(rate) for rate in update.rates.values()}
        for e in self.part.network.equations:
            found |= {abs(node.number) for node in e.value.nodes() if node.op == "constant"}
        return frozenset(found)

    def after_update_of(self, key: Any) -> tuple[Value, fmpq] | None:
        """``after_update`` of a name, or of one matrix of a stack."""
        update, loss = self.part.problem.ask.update, self.part.asked.loss
        if not isinstance(key, InStack) or update is None or loss is None:
            return self.after_update(key.name)
        rate = update.rates[key.name]
        old, slope = (_plane(self.run.value(of, BITS), key.lead) for of in (key.name, Adjoint(loss, key.name)))
        return Value(old.array - slope.array * rate), rate

    def after_update(self, name: str) -> tuple[Value, fmpq] | None:
        """The value of a parameter after one update, and its rate."""
        stage = getattr(self.part, "stage", None)
        if stage is not None:
            return _matrix(stage.after_update(name, BITS, self.carried)), fmpq(0)
        update, loss = self.part.problem.ask.update, self.part.asked.loss
        if update is None or loss is None or name not in update.rates:
            return None
        total = self._total(loss, name)
        if total is None:
            return None
        rate = update.rates[name]
        old = self.value(Whole(name)).array
        return Value(old - total.array * rate), rate


def _matrix(array: Any) -> Value:
    lone = sum(size != 1 for size in array.shape) <= 1 and (array.size == 1 or array.shape[1] != 1)
    if array.ndim > 2 and lone:  # one entry for each filter
        return Value(np.array(array, dtype=object).reshape(1, -1))
    if array.ndim > 2:
        raise NotRead("more than two axes")
    return Value(np.array(array, dtype=object).reshape((1, 1)) if array.ndim < 2 else np.array(array, dtype=object))

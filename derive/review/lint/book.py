"""What the names of a solved problem are worth: certified values, and derivatives of one name by another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flint import fmpq

from derive.errors import DeriveError
from derive.graph.expression import Adjoint
from derive.numbers import arrays
from derive.numbers.arrays import Array
from derive.numbers.balls import Number
from derive.records import dataclass
from derive.review.lint.evaluate import Nameless
from derive.review.lint.functions import relu, step
from derive.review.lint.tree import Unread
from derive.review.lint.values import Value, scalar
from derive.review.lint.vocabulary import InStack, One, Running, Vocabulary, Whole, seconds_of, shapes_of
from derive.solution.part import Part

BITS = 128


@dataclass(frozen=True)
class World:
    """One state of a part: its values at the start, after an update, or with displayed values carried.

    ``find`` gives the entries of a name or an adjoint, ``after`` the new value of a name that an update assigns
    (``None`` where it assigns none). ``carried`` is the world of the displayed values, where those are carried on.
    """

    part: Part
    vocabulary: Vocabulary
    find: Callable[[Any], Array]
    after: Callable[[str], Array | None]
    carried: World | None = None
    said: str = ""


class Book(Nameless):
    """A world, as one reads it.

    ``local``: a fraction of partials that may be two things is the derivative by one equation; ``turned``: with rows
    and columns exchanged.
    """

    def __init__(self, world: World, local: bool = False, turned: bool = False) -> None:
        self.world, self.part, self.local, self.turned = world, world.part, local, turned
        self.shapes = shapes_of(world.part)
        self._known: dict[Any, Value] = {}
        self.axis = _axis(world.part)
        self.seconds = seconds_of(world.part)

    # ── names ──

    def value(self, key: Any) -> Value:
        """The value of a name, an entry or a matrix of a stack. Raises ``Unread``."""
        if key not in self._known:
            self._known[key] = self._find(key)
        return self._known[key]

    def running(self, key: Any) -> tuple[Value, str]:
        """A name with running indices: its value, and the letters."""
        return self.value(key.name), key.letters

    def _find(self, key: Any) -> Value:
        match key:
            case fmpq():
                return scalar(key)
            case Whole():
                return as_value(self._array(key.name))
            case One():
                return scalar(_picked(self._array(key.name), key.index))
            case InStack():
                return as_value(self._array(key.name)[key.lead])
        raise Unread("symbolic", str(key))

    def _array(self, name: Any) -> Array:
        try:
            if name in self.seconds:
                return self.part.value_of(name, BITS)
            return self.world.find(name)
        except (KeyError, DeriveError):
            raise Unread("symbolic", str(name)) from None

    def after(self, key: Any) -> Value | None:
        """The value that an update assigns to a name."""
        array = self.world.after(key.name)
        if array is None:
            return None
        if isinstance(key, One):
            return scalar(_picked(array, key.index))
        return as_value(array[key.lead] if isinstance(key, InStack) else array)

    # ── derivatives ──

    def partial(self, above: Any, below: Any, direct: bool) -> Value:
        """d above / d below; ``direct``: by one equation alone. Raises ``Unread``."""
        key = ("d", above, below, direct)
        if key not in self._known:
            if isinstance(above, Running) or isinstance(below, Running):
                raise Unread("symbolic", "∂")
            if not (isinstance(getattr(above, "name", None), str) and isinstance(getattr(below, "name", None), str)):
                raise Unread("symbolic", "∂")
            self._known[key] = self._partial(above, below, direct)
        return self._known[key]

    def _partial(self, above: Any, below: Any, only: bool) -> Value:
        of, by = above.name, below.name
        if of not in self.shapes or by not in self.shapes:
            raise Unread("symbolic", f"∂{of}/∂{by}")
        ratio = next((one for one in self.part.asked.ratios if (one.of, one.by) == (of, by)), None)
        whole = isinstance(above, Whole) and isinstance(below, Whole)
        if whole and not only and ratio is not None and ratio.kind == "jacobian":
            return as_value(self.part.value_of(ratio.text, BITS))
        stands = of in {str(equation.name) for equation in self.part.network.equations}
        direct = stands and by in self.part.network.equation(of).value.names()
        if not (direct and (self.local or only)):
            total = self._total(above, below)
            if total is not None:
                return total
        if not direct and of == by:
            return scalar(fmpq(1))
        if not direct:  # by no equation alone: no derivative that the solution has
            raise Unread("symbolic", f"∂{of}/∂{by}")
        return self._jacobian(above, below)

    def _total(self, above: Any, below: Any) -> Value | None:
        """The derivative along all ways, where the solution has it."""
        size = 1
        for n in self.shapes[above.name]:
            size *= n
        if size != 1 and not isinstance(above, Whole):
            return None
        try:
            array = self.world.find(Adjoint(above.name, below.name))
        except (KeyError, DeriveError):
            return None
        if isinstance(below, One):
            return scalar(_picked(array, below.index))
        found = as_value(array[below.lead] if isinstance(below, InStack) else array)
        numerator = self.part.derivation is not None and self.part.derivation.layout == "numerator"
        return found.turned if numerator != self.turned else found

    def _jacobian(self, above: Any, below: Any) -> Value:
        """The derivatives of the entries above (rows) by those below, by one equation."""
        explicit = self.part.explicit
        stands = above.name in {str(equation.name) for equation in self.part.network.equations}
        if self._array(above.name).shape != self.shapes[above.name]:  # another number of samples than the whole has
            raise Unread("symbolic", f"∂{above.name}/∂{below.name}")
        if explicit is None or not stands or isinstance(above, InStack) or isinstance(below, InStack):
            raise Unread("symbolic", f"∂{above.name}/∂{below.name}")
        import sympy

        from derive.calculus.numeric import compiled

        rights, symbols = explicit.equation(above.name), explicit.symbols(below.name)
        rows = [rights[above.index]] if isinstance(above, One) else list(rights.ravel())
        columns = [symbols[below.index]] if isinstance(below, One) else list(symbols.ravel())
        if len(rows) * len(columns) > 400:
            raise Unread("symbolic", f"∂{above.name}/∂{below.name}")
        entries = []
        for right in rows:
            for symbol in columns:
                slope = explicit.with_definitions(sympy.diff(right, symbol))
                env = {}
                for free in slope.free_symbols:
                    if free not in explicit.entry_of:
                        raise Unread("symbolic", str(free))
                    entry = explicit.entry_of[free]
                    env[free] = self._entry(entry.name, entry.index)
                entries.append(compiled(slope)(env))
        return Value(len(rows), len(columns), tuple(entries))

    def _entry(self, name: Any, index: tuple[int, ...]) -> Number:
        return _picked(self._array(name if isinstance(name, Adjoint) else str(name)), index)

    # ── functions ──

    def function(self, name: Any, primes: int) -> Callable[[Number], Number]:
        """A function of the problem, with its parameters, or its derivative. Raises ``Unread``."""
        if isinstance(name, tuple):
            return self._own(name[1], primes)
        kink = self.part.problem.convention.relu_at_zero
        if name == "relu" and primes == 1:
            return lambda x: step(x, fmpq(kink))
        if name == "leaky_relu" and primes < 2:
            nodes = (node for e in self.part.network.equations for node in e.value.nodes() if node.op == name)
            slope = next((fmpq(node.at[0]) for node in nodes if node.at), None)
            if slope is not None:
                return (lambda x: step(x, fmpq(kink), slope)) if primes else (lambda x: relu(x, slope))
        return super().function(name, primes)

    def _own(self, name: str, primes: int) -> Callable[[Number], Number]:
        import sympy

        from derive.calculus.functions import Z
        from derive.calculus.numeric import compiled

        formula = self.part.functions.definition("own", (name,))
        if formula is None:
            raise Unread("symbolic", name)
        evaluate = compiled(sympy.diff(formula, Z, primes) if primes else formula)
        return lambda x: evaluate({Z: x})


def _picked(array: Array, index: tuple[int, ...]) -> Number:
    """One entry; of a number the number. Raises ``Unread`` for one that this state has not (of fewer samples)."""
    if array.ndim and any(k >= size for k, size in zip(index, array.shape, strict=False)):
        raise Unread("symbolic", str(index))
    found: Any = array[index] if array.ndim else array[()]
    number: Number = found
    return number


def as_value(array: Array) -> Value:
    """An array as a matrix; of a stack only what is a single line. Raises ``Unread``."""
    if array.ndim > 2:
        if sum(size != 1 for size in array.shape) > 1:
            raise Unread("stack", " × ".join(map(str, array.shape)))
        return Value(1, int(array.size), tuple(arrays.entries(array)))
    rows, columns = (1, 1) if array.ndim == 0 else (1, array.shape[0]) if array.ndim == 1 else array.shape
    return Value(int(rows), int(columns), tuple(arrays.entries(array)))


def _axis(part: Part) -> int:
    """The axis of the network's softmax."""
    for equation in part.network.equations:
        for node in equation.value.nodes():
            if node.op in ("softmax", "log_softmax", "cross_entropy") and node.at:
                return int(node.at[0])
    return 1

"""A network: data by name, and named equations in the order of evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from flint import fmpq

from derive.graph.expression import Expression, Name
from derive.numbers.tensor import Tensor
from derive.problem.problem import Shape
from derive.records import dataclass


@dataclass(frozen=True, slots=True)
class Datum:
    """An input. ``role`` is ``"given"``, ``"parameter"`` or ``"shape"`` (no numbers)."""

    shape: Shape
    role: str
    tensor: Tensor | None = None


@dataclass(frozen=True, slots=True)
class Equation:
    """``name = value``. ``auto`` marks an intermediate that the problem left without a name.

    ``step`` says which step of a normalisation it is: the function, the step, what is normalised.
    """

    name: Name
    value: Expression
    line: int | None = field(default=None, compare=False)
    comment: str = ""
    auto: bool = False
    step: tuple[str, ...] = ()


@dataclass(frozen=True)
class Network:
    """What a problem's equations mean, sizes checked.

    ``labels`` names data that were given as class numbers and are one-hot here; it maps them to what was given.
    """

    data: Mapping[str, Datum]
    equations: tuple[Equation, ...]
    labels: Mapping[str, Tensor] = field(default_factory=dict)
    assumed: Mapping[str, int] = field(default_factory=dict)

    def shape(self, name: str) -> Shape:
        """The shape of a datum or an equation; ``KeyError`` for any other name."""
        if name in self.data:
            return self.data[name].shape
        return self.equation(name).value.shape

    def equation(self, name: str) -> Equation:
        """The equation that defines a name."""
        return self._by_name[name]

    @property
    def _by_name(self) -> dict[str, Equation]:
        cache = self.__dict__.get("_index")
        if cache is None:
            cache = {str(equation.name): equation for equation in self.equations}
            object.__setattr__(self, "_index", cache)
        result: dict[str, Equation] = cache
        return result

    @property
    def numeric(self) -> bool:
        """Whether every datum has numbers."""
        return all(datum.tensor is not None for datum in self.data.values())

    @property
    def class_numbers(self) -> frozenset[str]:
        """The data that hold class numbers, by which there is no derivative: labels, and what picks rows."""
        nodes = (node for equation in self.equations for node in equation.value.nodes())
        return frozenset((*self.labels, *(node.at[0] for node in nodes if node.op == "one_hot" and node.at[0])))

    def sums_to_one(self, name: str, axis: int) -> bool:
        """Whether the numbers given under a name add up to exactly 1 along an axis, in every row or column.

        Of labels without numbers that is assumed: ``assumed`` maps them to the axis of their classes. The only answer
        about a network's numbers that its formulas rest on, so it is kept in ``answers``.
        """
        found = self._sums_to_one(name, axis)
        self.answers[name, axis] = found
        return found

    @property
    def answers(self) -> dict[tuple[str, int], bool]:
        """What ``sums_to_one`` has answered so far, by name and axis."""
        known: dict[tuple[str, int], bool] = self.__dict__.setdefault("_answers", {})
        return known

    def _sums_to_one(self, name: str, axis: int) -> bool:
        if name in self.assumed:
            return self.assumed[name] == axis
        if name in self._by_name and self.equation(name).value.op == "one_hot":
            return axis == 1
        datum = self.data.get(name)
        if datum is None or datum.tensor is None or len(datum.shape) != 2:
            return False
        rows, columns = datum.tensor.shape
        entries = datum.tensor.entries
        lines = (
            [entries[j::columns] for j in range(columns)]
            if axis == 0
            else [entries[i * columns : (i + 1) * columns] for i in range(rows)]
        )
        return all(sum(line, fmpq(0)) == 1 for line in lines)

    def users(self) -> dict[str, tuple[str, ...]]:
        """For each name, the equations that use it, in order."""
        found: dict[str, list[str]] = {name: [] for name in self.data}
        for equation in self.equations:
            found[str(equation.name)] = []
            for name in equation.value.names():
                found[str(name)].append(str(equation.name))
        return {name: tuple(users) for name, users in found.items()}

    def is_direct(self, of: str, by: str) -> bool:
        """Whether ``of`` depends on ``by`` along other ways than the equation for ``of`` itself."""
        others = tuple(user for user in self.users()[by] if user != of)
        return bool(others) and of in self.descendants(others)

    def ancestors(self, top: str) -> frozenset[str]:
        """``top`` and every name it rests on."""
        seen = {top}
        for equation in reversed(self.equations):
            if equation.name in seen:
                seen.update(str(name) for name in equation.value.names())
        return frozenset(seen)

    def descendants(self, names: tuple[str, ...]) -> frozenset[str]:
        """``names`` and every name that rests on one of them."""
        seen = set(names)
        for equation in self.equations:
            if any(name in seen for name in equation.value.names()):
                seen.add(str(equation.name))
        return frozenset(seen)

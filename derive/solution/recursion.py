"""The recursion of a network with a loop: its adjoint equations for any step, put together, and summed over time.

All of it is read off the engine's own equations: members of a family that are alike up to a shift of index stand for
one general equation (``graph.recurrence``). What one step's derivative owes to the next is found by putting a step's
equations into each other, until the derivative by one family stands on both sides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from derive.calculus.closed_form import named_values
from derive.graph import ops
from derive.graph.collect import collect
from derive.graph.expression import Adjoint, Expression, Name, leaf
from derive.graph.recurrence import General, at, common, generals, index_of, own
from derive.problem.names import stem_of
from derive.records import dataclass
from derive.solution.derivation import in_normal_form

if TYPE_CHECKING:
    from derive.solution.part import Part

LONGEST = 60  # operations and names in a recursion that is written in one formula
MOST_STEPS = 6  # steps of a loop that a reader wants to see one by one


@dataclass(frozen=True, slots=True)
class TimeSum:
    """A derivative as a sum over steps: ``term`` for every index in ``indices``, and ``rest`` beside it."""

    term: Expression
    indices: tuple[int, ...]
    rest: tuple[Expression, ...]


class Recursion:
    """What the loops of one part have in common with themselves. ``variable`` is the letter of the index."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self._outputs = named_values(part.network) if part.derivation is not None else {}
        self.variable = next((s.loop for s in part.problem.statements if s.loop), "") or _free(part)

    @cached_property
    def forward(self) -> tuple[General, ...]:
        """The general equations of the forward pass."""
        return generals({e.name: e.value for e in self._part.network.equations}, self.variable)

    @cached_property
    def adjoints(self) -> Mapping[Adjoint, Expression]:
        """The way back; an error signal that is the negative of a derivative stands in the place of that."""
        derivation = self._part.derivation
        if derivation is None:
            return {}
        return {
            replace(name, negative=True) if name.by in derivation.signals else name: collect(ops.negate(value))
            if name.by in derivation.signals
            else value
            for name, value in derivation.adjoints.items()
        }

    @cached_property
    def backward(self) -> tuple[General, ...]:
        """The general equations of the way back, in its order."""
        return generals(self.adjoints, self.variable)

    @cached_property
    def starts(self) -> tuple[Adjoint, ...]:
        """Members that a general equation leads to and does not hold for: where the recursion begins."""
        general = {(own(g.name).partition("[")[0], index) for g in self.backward for index in g.indices}
        families = {stem for stem, _ in general}
        return tuple(
            name
            for name in self.adjoints
            if stem_of(name.by) in families and (stem_of(name.by), index_of(name)) not in general
        )

    @cached_property
    def pattern(self) -> Mapping[Name, tuple[int, ...]]:
        """In a long loop, what is one of many of its kind: neither of the first two steps nor of the last.

        Each name is mapped to all the steps that are left out with it.
        """
        found: dict[Name, tuple[int, ...]] = {}
        for general in (*self.forward, *self.backward):
            inner = general.indices[2:-1]
            if len(general.indices) > MOST_STEPS:
                name = replace(general.name, negative=False) if isinstance(general.name, Adjoint) else general.name
                found |= {at(leaf(name, ()), index, self.variable).name: inner for index in inner}
        for wanted in self._singled_out:
            found.pop(wanted, None)
            if self._part.derivation is not None:
                found.pop(self._part.derivation.adjoint(wanted), None)
        return found

    @property
    def _singled_out(self) -> tuple[str, ...]:
        """Members that are asked for by themselves, and not with all of their family."""
        asked = [name for name in self._part.asked.gradients if index_of(name) is not None]
        many = Counter(_stem(name) for name in asked)
        return tuple(name for name in asked if many[_stem(name)] <= MOST_STEPS)

    @cached_property
    def closed(self) -> tuple[General, ...]:
        """The recursions: the derivative by a family's member in terms of that by its neighbour."""
        return tuple(
            found for stem in dict.fromkeys(_stem(g.name) for g in self.backward) for found in self._closed(stem)
        )

    @cached_property
    def sums(self) -> tuple[TimeSum, ...]:
        """Every derivative that is a sum over the steps."""
        derivation = self._part.derivation
        names = derivation.adjoints if derivation is not None else ()
        return tuple(found for name in names if (found := self.sum_over_time(name)) is not None)

    def sum_over_time(self, adjoint: Adjoint) -> TimeSum | None:
        """The derivative by a name that every step uses, as a sum over the steps; ``None`` where it is none."""
        derivation = self._part.derivation
        if derivation is None or index_of(adjoint) is not None:
            return None
        chain = derivation.about(Adjoint(adjoint.of, adjoint.by))[:1]
        if not chain or chain[0].rule != "chain" or len(chain[0].steps) < 2:
            return None
        inside: list[tuple[int, Expression]] = []
        rest: list[Expression] = []
        for path in chain[0].steps:
            index = index_of(path.why[0]) if path.why else None
            value = in_normal_form(path.after, derivation, self._outputs)
            if index is None:
                rest.append(value)
            else:
                inside.append((index, value))
        term = common(inside, self.variable) if len(inside) > 1 else None
        indices = sorted(index for index, _ in inside)
        if term is None or indices != list(range(indices[0], indices[0] + len(indices))):
            return None  # a sum has its limits: every step once, and none left out
        whole = collect(ops.add(*(value for _, value in inside), *rest))
        if whole != collect(derivation.adjoints[adjoint]) and {*_terms(whole)} != {
            *_terms(derivation.adjoints[adjoint])
        }:
            return None
        return TimeSum(term, tuple(index for index, _ in inside), tuple(rest))

    def _closed(self, stem: str) -> Iterator[General]:
        """Each derivative by a member with all others put in that lead back to the family, where any does."""
        leads: dict[Name, bool] = {}  # whether a derivative rests on one by a member of the family
        written: dict[Name, Expression] = {}
        found: dict[Name, Expression] = {}
        for name, value in self.adjoints.items():
            used = value.names()
            leads[name] = _stem(name) == stem or any(leads.get(other, False) for other in used)
            inside = {other: written[other] for other in used if _stem(other) != stem and leads.get(other, False)}
            if _size(value) + sum(_size(other) for other in inside.values()) > LONGEST:
                return  # several families that lead to each other, as in an LSTM: no one formula says it
            written[name] = collect(_put_in(value, inside)) if inside else value
            if _stem(name) == stem and any(_stem(other) == stem for other in written[name].names() if other in leads):
                found[name] = written[name]
        yield from generals(found, self.variable)


def _stem(name: Name) -> str:
    return stem_of(own(name))


def _size(value: Expression) -> int:
    return sum(1 for _ in value.nodes())


def _put_in(value: Expression, inside: Mapping[Name, Expression]) -> Expression:
    def change(node: Expression) -> Expression:
        return inside.get(node.name, node) if node.op == "name" else node

    return value.rebuild(change)


def _terms(value: Expression) -> tuple[Expression, ...]:
    return value.args if value.op == "add" else (value,)


def _free(part: Part) -> str:
    """A letter for an index that nothing else is called."""
    taken = {*part.network.data, *(str(equation.name) for equation in part.network.equations)}
    return next(letter for letter in ("t", "k", "l", "n", "m", "index") if letter not in taken)

"""Recurrences, found in equations and not typed in: what members of a family share, up to a shift of index.

``h[1] = tanh(z[1])``, ``h[2] = tanh(z[2])``, … are one equation for ``h[t]``. Two right-hand sides are alike where the
same operations stand at the same places, and every name is the same one, or a member as many steps away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from derive.graph.expression import Adjoint, Expression, Name
from derive.problem.names import member, stem_of
from derive.records import dataclass

SHAPED = ("spread", "sum", "mean", "zeros", "constant", "size")  # printed otherwise for a row than for a matrix


@dataclass(frozen=True, slots=True)
class General:
    """``name = value`` for every index in ``indices``, with members ``h[t]``, ``h[t-1]`` of any such index ``t``."""

    name: Name
    value: Expression
    indices: tuple[int, ...]


def index_of(name: Name) -> int | None:
    """The number of a member, or of what an adjoint is the derivative by; ``None`` for a plain name."""
    parts = member(own(name))
    return None if parts is None else parts[1]


def own(name: Name) -> str:
    """The name itself, or what an adjoint is the derivative by."""
    return name.by if isinstance(name, Adjoint) else str(name)


def generals(equations: Mapping[Any, Expression], variable: str) -> tuple[General, ...]:
    """The general equations of a list, largest groups first seen first; each stands for two members or more.

    ``variable`` is the letter of the index. What fits no other member is left out.
    """
    groups: dict[tuple[Any, ...], list[tuple[int, Name, Expression]]] = {}
    for name, value in equations.items():
        index = index_of(name)
        if index is not None:
            groups.setdefault((_family(name), _pattern(value)), []).append((index, name, value))
    found: list[General] = []
    for same in groups.values():
        for run in _fitting(same):
            if len(run) > 1:
                value = _generalised([value for _, _, value in run], [index for index, _, _ in run], variable)
                found.append(General(_member_of(run[0][1], 0, variable), value, tuple(index for index, _, _ in run)))
    return tuple(found)


def common(terms: Sequence[tuple[int, Expression]], variable: str) -> Expression | None:
    """The general form of terms with their indices; ``None`` where they are not alike."""
    if len({_pattern(value) for _, value in terms}) != 1:
        return None
    runs = _fitting([(index, "", value) for index, value in terms])
    if len(runs) != 1:
        return None
    return _generalised([value for _, value in terms], [index for index, _ in terms], variable)


def at(expression: Expression, index: int, variable: str) -> Expression:
    """A general form at one index."""

    def change(node: Expression) -> Expression:
        if node.op != "name":
            return node
        return Expression("name", (), (_at(node.name, index, variable),), node.shape)

    return expression.rebuild(change)


def _family(name: Name) -> Name:
    return replace(name, by=stem_of(name.by)) if isinstance(name, Adjoint) else stem_of(own(name))


def _pattern(node: Expression) -> tuple[Any, ...]:
    """What has to be the same in every member: operations, constants, families; and of sizes that they are 1."""
    if node.op == "name":
        return ("name", _family(node.name))
    at: Any = node.at
    if node.op in SHAPED:
        at = (tuple(size == 1 for size in node.shape), node.at if node.op != "zeros" else ())
        at = (*at, *(tuple(size == 1 for size in arg.shape) for arg in node.args))
    return (node.op, at, *map(_pattern, node.args))


def _leaves(node: Expression) -> list[Name]:
    return [part.name for part in node.nodes() if part.op == "name"]


def _fitting(same: Iterable[tuple[int, Name, Expression]]) -> list[list[tuple[int, Name, Expression]]]:
    """Members of one pattern, parted into lists in which every name is fixed or shifts with the index."""
    lists: list[list[tuple[int, Name, Expression]]] = []
    states: list[list[tuple[Name | None, int | None]]] = []
    for item in same:
        index, _, value = item
        here = [(name, None if index_of(name) is None else (index_of(name) or 0) - index) for name in _leaves(value)]
        for k, state in enumerate(states):
            merged = [
                (a[0] if a[0] == b[0] else None, a[1] if a[1] == b[1] else None)
                for a, b in zip(state, here, strict=True)
            ]
            if all(fixed is not None or offset is not None for fixed, offset in merged):
                states[k] = merged
                lists[k].append(item)
                break
        else:
            lists.append([item])
            states.append([*here])
    return lists


def _generalised(values: Sequence[Expression], indices: Sequence[int], variable: str) -> Expression:
    """The form of values that fit together: what is the same name everywhere stays, all else shifts.

    Its sizes are those of the member with the fewest sizes of 1: it is to be printed as for matrices.
    """
    model = min(values, key=_ones)
    columns = iter(list(zip(*map(_leaves, values), strict=True)))
    first = indices[0]

    def build(node: Expression) -> Expression:
        if node.op == "name":
            names = next(columns)
            if len(set(names)) == 1 and len(names) > 1:
                return node
            offset = (index_of(names[0]) or 0) - first
            return Expression("name", (), (_member_of(names[0], offset, variable),), node.shape)
        return Expression(node.op, tuple(map(build, node.args)), node.at, node.shape)

    return build(model)


def _ones(value: Expression) -> int:
    return sum(size == 1 for node in value.nodes() for size in node.shape)


def _member_of(name: Name, offset: int, variable: str) -> Name:
    """``h[t-1]`` for a member of ``h`` and -1."""
    text = f"{stem_of(own(name))}[{_shown(offset, variable)}]"
    return replace(name, by=text) if isinstance(name, Adjoint) else text


def _shown(offset: int, variable: str) -> str:
    return variable if offset == 0 else f"{variable}{offset:+d}"


def offset_of(name: Name, variable: str) -> int | None:
    """1 for ``h[t+1]``; ``None`` for what is no general member."""
    inside = own(name).partition("[")[2].removesuffix("]")
    rest = inside.removeprefix(variable)
    if rest == inside:
        return None
    return int(rest) if rest else 0


def _at(name: Name, index: int, variable: str) -> Name:
    offset = offset_of(name, variable)
    if offset is None:
        return name
    fresh = f"{stem_of(own(name))}[{index + offset}]"
    return replace(name, by=fresh) if isinstance(name, Adjoint) else fresh

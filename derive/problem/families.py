"""Families in the tables: data whose first axis is time, members one by one, and asks that mean every member.

``x = [[1, 0], [0, 1]]`` gives the family ``x`` of the equations its members in order, ``"h[0]" = [0, 0]`` gives one
member, ``W = { 1 = …, 2 = … }`` gives several by number. Above this module a member is a name like any other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from derive.problem import wording
from derive.problem.names import NAME, joined, member, members, stem_of
from derive.problem.places import Places
from derive.problem.syntax import Name, Statement, walk
from derive.problem.toml import KeyPath
from derive.problem.values import read_list

HEADINGS = ("given", "parameters", "shapes")
_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,4}", re.ASCII)


class Position(int):
    """A place in a list that is called by the name of a member: an index in a path, ``x[3]`` in a message."""

    name: str

    def __new__(cls, number: int, name: str) -> Position:
        """``number`` counts from 0."""
        position = super().__new__(cls, number)
        position.name = name
        return position

    def __str__(self) -> str:
        return self.name


def declared(tables: Iterable[Mapping[str, object]]) -> frozenset[str]:
    """The families that problem tables give member by member."""
    found: set[str] = set()
    for table in tables:
        for heading in HEADINGS:
            data = table.get(heading)
            if isinstance(data, Mapping):
                for key, value in data.items():
                    if isinstance(key, str) and member(key):
                        found.add(stem_of(key))
                    elif isinstance(key, str) and NAME.fullmatch(key) and _numbered(value):
                        found.add(key)
    return frozenset(found)


def _numbered(value: object) -> bool:
    return (
        isinstance(value, Mapping)
        and bool(value)
        and all(_NUMBER.fullmatch(str(key)) and not isinstance(key, bool) for key in value)
    )


class Families:
    """The families of a network: which members its equations use and which of them data have to give."""

    def __init__(self, statements: Sequence[Statement], given: Iterable[str]) -> None:
        assigned = {statement.name for statement in statements}
        names = [n.id for s in statements for n in walk(s.expression) if isinstance(n, Name)]
        self.needed = members(name for name in dict.fromkeys(names) if name not in assigned)
        self.stems = {*members([*names, *assigned]), *given}

    def spread(
        self, heading: str, table: Mapping[str, object], places: Places, folder: Path | None
    ) -> dict[str, tuple[object, KeyPath]]:
        """The values of a table by name, families taken apart; each with the path to where it stands."""
        found: dict[str, tuple[object, KeyPath]] = {}
        for name, value in table.items():
            path: KeyPath = (heading, name)
            if name not in self.stems:
                own: dict[str, tuple[object, KeyPath]] = {name: (value, path)}
            elif _numbered(value):
                assert isinstance(value, Mapping)
                own = {joined(name, int(key)): (inner, (*path, str(key))) for key, inner in value.items()}
            elif heading == "shapes":
                own = dict.fromkeys(self._members(name, places, path), (value, path))
            else:
                own = self._along(name, read_list(value, places, folder, *path), places, path)
            for one, item in own.items():
                if one in found:
                    raise places.error(f"{one} is given twice", *path)
                found[one] = item
        return found

    def _members(self, stem: str, places: Places, path: KeyPath) -> list[str]:
        needed = self.needed.get(stem, {})
        if not needed:
            raise places.error(
                f"{stem} is a family that the equations define", *path, hint=f'a single member is "{stem}[0]" = …'
            )
        return [joined(stem, index) for index in range(min(needed), max(needed) + 1)]

    def _along(
        self, stem: str, values: Sequence[object], places: Places, path: KeyPath
    ) -> dict[str, tuple[object, KeyPath]]:
        """One member for each entry of the first axis, from the first member that the equations use."""
        names = self._members(stem, places, path)
        if len(values) != len(names):
            used = f"{names[0]} to {names[-1]}" if len(names) > 1 else names[0]
            raise places.error(
                f"{stem} has {len(values)} {'entry' if len(values) == 1 else 'entries'} along its first axis, "
                f"and the equations use {used}",
                *path,
                hint=_about_length(names, len(values)),
            )
        return {
            name: (value, (*path, Position(k, name))) for k, (name, value) in enumerate(zip(names, values, strict=True))
        }


def _about_length(names: Sequence[str], count: int) -> str:
    if count < len(names):
        return f"there is no {names[count]}"
    return f'a single member is "{names[0]}" = …' if len(names) == 1 else "range(1, 4) is 1, 2, 3, without 4"


def missing(name: str, known: Iterable[str]) -> str | None:
    """What to say of a member that is not there: which ones are."""
    parts = member(name)
    if parts is None:
        return None
    there = sorted(members(known).get(parts[0], {}))
    if not there:
        return f'a member of a family is assigned, or given: "{name}" = …'
    shown = wording.listing([joined(parts[0], index) for index in there], "and")
    if len(there) > 3 and there == list(range(there[0], there[-1] + 1)):
        shown = f"{joined(parts[0], there[0])} to {joined(parts[0], there[-1])}"
    return f"there {'is' if len(there) == 1 else 'are'} {shown}"

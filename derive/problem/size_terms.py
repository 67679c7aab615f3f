"""Sizes that are linear expressions in names: ``N - k + 1``, how many places a filter of size k has on N entries.

A size is a whole number or a text. The text of a linear expression is canonical (what is added first, names in order,
the number last), so that equal sizes are equal texts and nothing else has to know that a size may be more than a name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

Size = int | str
Terms = tuple[int, dict[str, int]]  # the number, and each name with its coefficient

_TERM = re.compile(r"\s*([+-]?)\s*(?:(\d{1,9})\s*\*\s*)?([A-Za-z][A-Za-z0-9_]*|\d{1,9})\s*", re.ASCII)


def terms(size: Size) -> Terms:
    """The number and the coefficients of a size. Raises ``ValueError`` for what is no linear expression."""
    if isinstance(size, int):
        return size, {}
    number, names, place = 0, dict[str, int](), 0
    while place < len(size) or not place:
        match = _TERM.match(size, place)
        if match is None or (place and not match[1]):
            raise ValueError(f"{size!r} is no linear expression")
        factor = (-1 if match[1] == "-" else 1) * int(match[2] or 1)
        if match[3].isdigit():
            number += factor * int(match[3])
        else:
            names[match[3]] = names.get(match[3], 0) + factor
        place = match.end()
    return number, {name: factor for name, factor in names.items() if factor}


def joined(number: int, names: Mapping[str, int]) -> Size:
    """The size with these terms; a number where no name is left."""
    kept = [(name, factor) for name, factor in names.items() if factor]
    if not kept:
        return number
    text = ""
    for name, factor in sorted(kept, key=lambda term: (term[1] < 0, term[0])):
        sign = ("-" if factor < 0 else "") if not text else " - " if factor < 0 else " + "
        text += sign + (name if abs(factor) == 1 else f"{abs(factor)}*{name}")
    return text + (f" {'-' if number < 0 else '+'} {abs(number)}" if number else "")


def canonical(text: str) -> Size:
    """A linear expression in its canonical form. Raises ``ValueError``."""
    return joined(*terms(text))


def plus(*parts: tuple[int, Size]) -> Size:
    """The sum of multiples: ``plus((1, "N"), (-1, "k"), (1, 1))`` is ``"N - k + 1"``."""
    number, names = 0, dict[str, int]()
    for factor, size in parts:
        own, others = terms(size)
        number += factor * own
        for name, coefficient in others.items():
            names[name] = names.get(name, 0) + factor * coefficient
    return joined(number, names)


def names_in(size: Size) -> tuple[str, ...]:
    """The names that a size is made of."""
    return tuple(terms(size)[1])


def worked_out(size: Size, values: Mapping[str, int]) -> int:
    """The number that a size is where its names are these numbers."""
    number, names = terms(size)
    return number + sum(factor * values[name] for name, factor in names.items())

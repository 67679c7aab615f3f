r"""Convolutions and pooling, by their definitions: ``\star``, ``\operatorname{pad}_1``, ``\operatorname{up}_2``, …"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from flint import fmpq

from derive.numbers.balls import Number
from derive.review.lint.functions import larger
from derive.review.lint.tree import Misfit, Unread
from derive.review.lint.values import ZERO, Value, ball

Cell = Callable[[int, int], Number]
MOST = 10_000  # entries of a result


def _made(rows: int, columns: int, cell: Cell) -> Value:
    if rows < 1 or columns < 1:
        raise Misfit(f"{rows} × {columns}")
    if rows * columns > MOST:
        raise Unread("too long", f"{rows} × {columns}")
    return Value(rows, columns, tuple(cell(r, c) for r in range(rows) for c in range(columns)))


def _sized(value: Value) -> Value:
    if value.eye or value.free != (False, False):
        raise Unread("ambiguous", "ones without a size")
    return value


def star(a: Value, b: Value, step: int) -> Value:
    """The cross-correlation of a matrix with a filter; of several rows over a single one, each row by itself."""
    a, b = _sized(a), _sized(b)
    if a.rows == 1 < b.rows:
        rows = [star(a, Value(1, b.columns, b.row(r)), step) for r in range(b.rows)]
        return Value(b.rows, rows[0].columns, tuple(x for row in rows for x in row.entries))
    if len(a.entries) * len(b.entries) > 100 * MOST:
        raise Unread("too long", f"{a.rows} × {a.columns}")

    def cell(r: int, c: int) -> Number:
        total: Number = ZERO
        for p in range(b.rows):
            for q in range(b.columns):
                total += a.at(step * r + p, step * c + q) * b.at(p, q)
        return total

    return _made((a.rows - b.rows) // step + 1, (a.columns - b.columns) // step + 1, cell)


def word(name: str, script: str, parts: Sequence[Value]) -> Value:
    r"""The value of ``\operatorname{name}_{script}(parts)``."""
    a = _sized(parts[0])
    match name:
        case "vec":
            return Value(len(a.entries), 1, a.entries)
        case "rot" if script == "180":
            return Value(a.rows, a.columns, a.entries[::-1])
        case "flip":
            return _made(a.rows, a.columns, lambda r, c: a.at(r, a.columns - 1 - c))
        case "crop":
            ends = _numbers(script)
            rows, columns = ends if len(ends) == 2 else (0 if a.rows == 1 else ends[0], ends[0])
            return _made(a.rows - rows, a.columns - columns, a.at)
        case "pad":
            return _padded(a, script)
        case "dil":
            (across,) = _numbers(script)
            down = 1 if a.rows == 1 else across
            return _made(
                down * (a.rows - 1) + 1,
                across * (a.columns - 1) + 1,
                lambda r, c: ZERO if r % down or c % across else a.at(r // down, c // across),
            )
    return _pooled(name, script, parts)


def _numbers(script: str) -> list[int]:
    found = re.split(r",|\\times", script)
    if not all(re.fullmatch(r"[0-9]{1,3}", part) for part in found):
        raise Unread("symbolic", script[:20])
    return [int(part) for part in found]


def _padded(a: Value, script: str) -> Value:
    sides = [_numbers(side.replace(r"\mid", ",")) for side in script.split(",")]
    both = [(side[0], side[-1]) for side in sides]
    if len(both) == 1:
        both = [(0, 0) if a.rows == 1 else both[0], both[0]]
    if len(both) != 2:
        raise Unread("symbolic", script[:20])
    (top, bottom), (left, right) = both

    def cell(r: int, c: int) -> Number:
        inside = 0 <= r - top < a.rows and 0 <= c - left < a.columns
        return a.at(r - top, c - left) if inside else ZERO

    return _made(a.rows + top + bottom, a.columns + left + right, cell)


def _pooled(name: str, script: str, parts: Sequence[Value]) -> Value:
    image = _sized(parts[-1])
    size, _, apart = script.partition(",")
    sides = _numbers(size)
    h, w = sides if len(sides) == 2 else sides * 2
    down, across = (_numbers(apart) * 2)[:2] if apart else (h, w)
    if min(h, w, down, across) < 1:
        raise Misfit(script)
    if name == "up":
        return _made(image.rows * h, image.columns * w, lambda r, c: image.at(r // h, c // w))
    rows, columns = (image.rows - h) // down + 1, (image.columns - w) // across + 1

    def window(r: int, c: int) -> list[tuple[int, int]]:
        return [(r * down + p, c * across + q) for p in range(h) for q in range(w)]

    if name == "avgpool":
        return _made(rows, columns, lambda r, c: sum((image.at(*k) for k in window(r, c)), ZERO) / (h * w))
    if name == "maxpool":
        return _made(rows, columns, lambda r, c: _largest([image.at(*k) for k in window(r, c)]))
    if name not in ("mask", "route"):
        raise Unread("symbolic", name)
    found: dict[tuple[int, int], Number] = {}
    for r in range(rows):
        for c in range(columns):
            winner = _winner(image, window(r, c))
            found[winner] = found.get(winner, ZERO) + (fmpq(1) if name == "mask" else parts[0].at(r, c))
    return _made(image.rows, image.columns, lambda r, c: found.get((r, c), ZERO))


def _largest(entries: Sequence[Number]) -> Number:
    best = entries[0]
    for x in entries[1:]:
        best = larger(best, x)
    return best


def _winner(image: Value, places: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """The first largest. Raises ``Unread`` where rounding leaves open which it is."""
    best = places[0]
    for place in places[1:]:
        x, y = image.at(*place), image.at(*best)
        if x > y:
            best = place
        elif not x <= y and ball(x).mid() != ball(y).mid():
            raise Unread("unbounded", "max")
    return best

"""Values in words: as many digits as a reader needs to see what disagrees."""

from __future__ import annotations

from flint import arb, fmpq

from derive.numbers.balls import Number
from derive.review.lint.values import Value, ball


def certain(x: Number) -> bool:
    """Whether a value is known to far more digits than are printed."""
    return not isinstance(x, arb) or bool(x.rel_accuracy_bits() > 60 or x.rad() < arb(2) ** -90)


def number(x: Number) -> str:
    """A value for a message: a rational as a decimal where it is short, a wide ball by its ends."""
    if isinstance(x, fmpq):
        if x.q == 1 and abs(x) < 10**15:
            return str(x)
        text = arb(x).str(10, radius=False)
        return _tidy(text)
    if certain(x):
        return _tidy(x.str(10, radius=False))
    low, high = (_tidy(ball(end).str(7, radius=False)) for end in (x.lower(), x.upper()))
    return low if low == high else f"[{low}, {high}]"


def _tidy(text: str) -> str:
    """Without the zeros that FLINT leaves behind the last digit."""
    head, mark, power = text.partition("e")
    if "." in head:
        head = head.rstrip("0").rstrip(".")
    return head + mark + power


def certainly(value: Value) -> bool:
    """Whether all entries are known to far more digits than are printed."""
    return all(certain(x) for x in value.entries)


def shown(value: Value | None) -> str:
    """A value in one line; of a large matrix its size."""
    if value is None:
        return ""
    if value.lone:
        return number(value.entries[0])
    if len(value.entries) > 12:
        return f"{value.rows} × {value.columns}"
    rows = ("  ".join(map(number, value.row(r))) for r in range(value.rows))
    return "(" + "; ".join(rows) + ")"

"""Printed arithmetic with rows and matrices: one entry of what it comes to.

The reader is that of ``derive lint``; its numbers are balls, which hold at least the interval that is meant.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from flint import arb

from derive.numbers.balls import Number, enclosure, precision
from derive.numbers.intervals import Interval
from derive.review.lint.evaluate import Evaluator, Nameless, half_unit, literally
from derive.review.lint.parser import Parser
from derive.review.lint.tokens import tokens
from derive.review.lint.tree import Misfit, Node, Unread
from derive.review.lint.values import Value, widened

BITS = 256


def entry_of(
    text: str, decimal: str, exact: Callable[[str], bool], index: tuple[int, ...]
) -> tuple[Interval, Interval] | str:
    """An entry, counted from 0, with the digits as they stand and for all that they can stand for; or why not."""
    if decimal == ",":
        text = re.sub(r"([0-9])(?:,|\{,\})([0-9])", r"\1.\2", text)

    def spread(node: Node) -> Number:
        spelled = literally(node)
        return spelled if exact(_spelled(node)) else widened(spelled, half_unit(node))

    try:
        with precision(BITS):
            tree = Parser([token.text for token in tokens(text)], {}, {}).read()
            found = [_entry(Evaluator(Nameless(), decimals).value(tree), index) for decimals in (literally, spread)]
            literal, wide = (Interval(*enclosure(entry)) for entry in found)
    except Unread as reason:
        return f"{reason.reason}: {reason.what}" if reason.what else reason.reason
    except Misfit as sizes:
        return f"sizes that do not fit: {sizes}"
    except (ValueError, OverflowError, ZeroDivisionError):
        return "a value without bounds"
    return literal, wide


def _entry(value: Value, index: tuple[int, ...]) -> arb | Number:
    if value.lone:
        return value.entries[0]
    row, column = (*(0,) * (2 - len(index)), *index) if len(index) < 3 else (-1, -1)
    if value.free != (False, False) or value.eye or not (0 <= row < value.rows and 0 <= column < value.columns):
        raise Misfit(f"{value.rows} × {value.columns}")
    return value.at(row, column)


def _spelled(node: Node) -> str:
    """The number as a text: ``0.75``, ``2.4e-3``."""
    digits, exponent = node.at
    return f"{digits}e{exponent}" if exponent else str(digits)

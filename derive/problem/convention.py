"""``[convention]``: how things are laid out and rounded."""

from __future__ import annotations

from collections.abc import Mapping

from derive.errors import ProblemError
from derive.problem import wording
from derive.problem.exact import exact
from derive.problem.places import Places
from derive.problem.problem import Convention

STYLES = ("matrix", "elements", "jacobian")
WORDS: Mapping[str, tuple[str, ...]] = {
    "layout": ("shape", "numerator"),
    "rounding": ("half-up", "half-even"),
    "carry": ("full", "displayed"),
    "delta_sign": ("positive", "negative"),
    "index_order": ("from-to", "to-from"),
    "decimal": ("point", "comma"),
}
KEYS = (
    *("style", "layout", "digits", "significant", "rounding", "carry", "relu_at_zero", "delta_sign", "index_order"),
    *("decimal", "fractions"),
)
MOST_DIGITS = 15


def read_convention(table: Mapping[str, object], places: Places) -> Convention:
    """The convention in force; raises ``ProblemError`` for a key or a value that is not one of those allowed."""
    places.keys(table, KEYS, "convention")
    settings: dict[str, object] = {}
    for key, value in table.items():
        path = ("convention", key)
        if key == "style":
            settings[key] = _styles(value, places)
        elif key in WORDS:
            settings[key] = _word(value, WORDS[key], places, *path)
        elif key == "digits":
            settings[key] = whole(value, 0, MOST_DIGITS, places, *path)
        elif key == "significant":
            settings[key] = whole(value, 1, MOST_DIGITS, places, *path)
        elif key == "fractions":
            if not isinstance(value, bool):
                raise places.error(f"fractions is {wording.kind(value)}, expected is true or false", *path)
            settings[key] = value
        else:
            try:
                slope = exact(value)
            except ProblemError as error:
                raise places.placed(error, *path) from None
            if not 0 <= slope <= 1:
                raise places.error(f"relu_at_zero is {slope}, expected is a number from 0 to 1", *path)
            settings[key] = slope
    if "digits" in table and "significant" in table:
        raise places.error(
            "digits and significant exclude each other: decimals, or significant digits", "convention", "significant"
        )
    return Convention(**settings)  # type: ignore[arg-type]


def whole(value: object, least: int, most: int, places: Places, *path: str | int) -> int:
    """``value`` as a whole number from ``least`` to ``most``."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise places.error(
            f"{path[-1]} is {wording.kind(value)}, expected is a whole number from {least} to {most}", *path
        )
    return value


def _styles(value: object, places: Places) -> tuple[str, ...]:
    every = [value] if isinstance(value, str) else value
    if not isinstance(every, list | tuple) or not every:
        found = "empty" if every == [] else wording.kind(value)
        raise places.error(f"style is {found}, expected is a list of {wording.listing(STYLES)}", "convention", "style")
    styles = tuple(_word(style, STYLES, places, "convention", "style") for style in every)
    if len(set(styles)) != len(styles):
        raise places.error("style names the same style twice", "convention", "style")
    return styles


def _word(value: object, words: tuple[str, ...], places: Places, *path: str | int) -> str:
    if not isinstance(value, str) or value not in words:
        tip = wording.hint(value, words) if isinstance(value, str) else None
        raise places.error(
            f"{path[-1]} is {wording.kind(value)}, expected is {wording.listing(words)}", *path, hint=tip
        )
    return value

"""The few turns of phrase that error messages share: the nearest name, a list of names, a value cut to length."""

from __future__ import annotations

from collections.abc import Iterable


class Written(str):
    """The source text of a number that TOML calls a float: told apart from a quoted text, and never rounded."""

    __slots__ = ()


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The name most like ``name``, or ``None`` where nothing is near.

    Case and underscores are looked through first (``w_1`` is near ``W1``), then spelling.
    """
    known = list(names)
    plain = _plain(name)
    for candidate in known:
        if _plain(candidate) == plain:
            return candidate
    from difflib import get_close_matches  # only a message on its way out needs it

    close = get_close_matches(name[:80], known, n=1, cutoff=0.6)
    return close[0] if close else None


def hint(name: str, names: Iterable[str]) -> str | None:
    """``nearest: h`` for an error's hint, or ``None``."""
    found = nearest(name, names)
    return None if found is None else f"nearest: {found}"


def listing(names: Iterable[str], last: str = "or") -> str:
    """``a, b or c``; of a long list the first twenty-four stand."""
    every = list(names)
    if len(every) > 24:
        return ", ".join(every[:24]) + f", … ({len(every)} in all)"
    return every[0] if len(every) == 1 else ", ".join(every[:-1]) + f" {last} {every[-1]}" if every else "none"


def shown(value: object, width: int = 60) -> str:
    """A value as a message shows it: on one line, cut to ``width`` characters, control characters spelled out."""
    try:
        text = ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value)
    except Exception:  # noqa: BLE001 - a foreign object's repr, or the limit on the digits of an integer
        text = f"a {type(value).__name__}"
    text = " ".join(text.split())
    return text if len(text) <= width else text[: width - 1] + "…"


def kind(value: object) -> str:
    """What a value of a TOML file or of a Python call is, in words."""
    match value:
        case bool():
            return f"the truth value {str(value).lower()}"
        case dict():
            return "a table"
        case list() | tuple():
            return "a list"
        case Written():
            return f"the number {value}"
        case str():
            return f"the text {shown(value)}"
        case int() | float():
            return f"the number {shown(value)}"
        case None:
            return "nothing"
        case _:
            name = type(value).__name__
            return "a date or time" if name in ("datetime", "date", "time") else f"a value of type {name}"


def _plain(name: str) -> str:
    return name.replace("_", "").casefold()

"""Commented problem files to start from, one for each kind of network: what ``derive new`` writes."""

from __future__ import annotations

from pathlib import Path

from derive.errors import ProblemError
from derive.problem.wording import hint, listing, shown

FOLDER = Path(__file__).parent


def starter_names() -> tuple[str, ...]:
    """The kinds, in alphabetical order."""
    return tuple(sorted(place.stem for place in FOLDER.glob("*.toml")))


def starter(kind: str) -> str:
    """The file of a kind. Raises ``ProblemError`` that lists the kinds."""
    names = starter_names()
    if kind not in names:
        known = f"there are {listing(names, 'and')}"
        raise ProblemError(f"there is no starter {shown(kind)[1:-1]}; {known}", hint=hint(kind, names))
    return (FOLDER / f"{kind}.toml").read_text(encoding="utf-8")


def about(kind: str) -> str:
    """What a starter is, by its first line."""
    return starter(kind).partition("\n")[0].lstrip("# ").rstrip()

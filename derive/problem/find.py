"""From a name or a path to a ``Problem``: files, built-in problems, text, and equations from Python."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from derive.errors import ProblemError
from derive.problem.problem import Problem
from derive.problem.read import problem_from_tables
from derive.problem.toml import Source, load
from derive.problem.wording import hint, listing, shown

CASES = Path(__file__).parent.parent / "cases"
LONGEST_NAME = 80
FIRST_KIND = "Cases of the textbook"


def read_problem(path: str | Path) -> Problem:
    """The problem in a TOML file. Raises ``ProblemError`` with file and line."""
    file = str(path)
    if "\0" in file:
        raise ProblemError(f"{shown(file)} is no path")
    return _from_file(Path(path), file)


def find_problem(name_or_path: str) -> Problem:
    """A file where the text ends in ``.toml`` or has a slash, else the built-in problem of that name."""
    if name_or_path.endswith(".toml") or "/" in name_or_path or "\\" in name_or_path:
        return read_problem(name_or_path)
    return _from_file(built_in_file(name_or_path), f"{name_or_path}.toml")


def built_in_file(name: str) -> Path:
    """The file of the built-in problem of that name. Raises ``ProblemError`` with the nearest name."""
    names = _places()
    if name not in names:
        raise ProblemError(
            f"there is no built-in problem {shown(name)[1:-1]}; there are {listing(tuple(names), 'and')}",
            hint=hint(name, names) or "a file of one's own ends in .toml",
        )
    return names[name]


def _from_file(place: Path, file: str) -> Problem:
    """``file`` is what messages call the file; of a built-in one it does not tell where derive is installed."""
    source = load(place, file)
    return problem_from_tables(source.tables, name=safe_name(place.stem), source=source, file=file, folder=place.parent)


def built_in() -> tuple[str, ...]:
    """The names of the built-in problems: the textbook's cases, then the gallery, kind by kind."""
    return tuple(_places())


def kinds() -> dict[str, tuple[str, ...]]:
    """The built-in problems by kind: those of the textbook first, then the folders of the gallery by name."""
    found: dict[str, list[str]] = {FIRST_KIND: []}
    for name, place in _places().items():
        kind = FIRST_KIND if place.parent == CASES else place.parent.name.replace("-", " ").capitalize()
        found.setdefault(kind, []).append(name)
    return {kind: tuple(names) for kind, names in found.items()}


@cache
def _places() -> dict[str, Path]:
    """Where each built-in problem stands: the textbook's cases first, then the gallery, folder by folder."""
    gallery = sorted(CASES.glob("*/*.toml"), key=lambda place: (place.parent.name, place.name))
    return {place.stem: place for place in (*sorted(CASES.glob("*.toml")), *gallery)}


def problem_from_text(text: str, name: str = "problem", folder: Path | None = None) -> Problem:
    """The problem in a text of TOML; ``folder`` is where its data files lie. Errors call the text by ``name``."""
    file = f"{name}.toml"
    source = Source(text, file)
    return problem_from_tables(source.tables, name=safe_name(name), source=source, file=file, folder=folder)


def problem_from_equations(
    equations: str, *, name: str = "problem", folder: str | Path | None = None, **tables: object
) -> Problem:
    """The problem of ``Problem.from_equations``: the same tables as in a file, as Python values."""
    plain: dict[str, object] = {key: value for key, value in tables.items() if value is not None}
    plain["equations"] = equations
    for key in ("given", "parameters"):
        if isinstance(table := plain.get(key), Mapping):
            plain[key] = dict(table)
    return problem_from_tables(plain, name=safe_name(name), folder=None if folder is None else Path(folder))


def safe_name(stem: str) -> str:
    """A file name's stem as the name of files to write: letters, digits, ``.``, ``_`` and ``-``."""
    plain = unicodedata.normalize("NFC", stem)
    kept = "".join(character if character.isalnum() or character in "._-" else "-" for character in plain)
    return kept.strip(".-")[:LONGEST_NAME] or "problem"

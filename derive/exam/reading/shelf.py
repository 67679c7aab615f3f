"""Where an exam finds its problems: files beside it and built-in ones, or the texts that it was read from before."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from derive.errors import ProblemError
from derive.problem.find import built_in_file, problem_from_text, safe_name
from derive.problem.read import problem_from_tables
from derive.problem.toml import Source, load
from derive.problem.wording import hint, listing, shown

EXAM = "exam.toml"  # what the exam file itself is called among the texts of an exam
DATA = ("given", "parameters", "ask")  # the tables in which a value may come from a file of an array

Shelf = Callable[[str], Source]


def beside(folder: Path) -> Shelf:
    """The problem files of a folder (and of the folders in it), and the built-in problems.

    What is handed out needs no other file: values from files of arrays stand in it as numbers. Raises ``ProblemError``,
    with a place where the problem file itself is to blame.
    """

    def find(name: str) -> Source:
        if not is_file(name):
            place = built_in_file(name)
            return load(place, f"{name}.toml")
        place = _inside(name, folder)
        file = os.fspath(place)
        source = load(place, file)
        problem = problem_from_tables(
            source.tables, name=safe_name(place.stem), source=source, file=file, folder=place.parent
        )
        return Source(problem.to_toml(), file) if _has_arrays(source.tables) else source

    return find


def stored(texts: Mapping[str, str]) -> Shelf:
    """The problems in texts that were kept, by the names that the exam file calls them."""

    def find(name: str) -> Source:
        if name not in texts or name == EXAM:
            raise ProblemError(f"the text of the problem {shown(name)[1:-1]} was not kept with the exam")
        file = name if is_file(name) else f"{name}.toml"
        problem_from_text(texts[name], file.removesuffix(".toml"))
        return Source(texts[name], file)

    return find


def is_file(name: str) -> bool:
    """Whether a name means a file, as on the command line; else it is that of a built-in problem."""
    return name.endswith(".toml") or "/" in name or "\\" in name


def stem(name: str) -> str:
    """The name of the problem that is read under a name."""
    return safe_name(Path(name).stem if is_file(name) else name)


def _inside(name: str, folder: Path) -> Path:
    """The file of that name, if it lies in the folder, however the name goes about it."""
    if "\0" in name or "\\" in name or not name.endswith(".toml"):
        raise ProblemError(f"{shown(name)[1:-1]} is no problem file: its name ends in .toml, and folders end in /")
    try:
        home = folder.resolve()
        place = (home / name).resolve()
        inside, there = place.is_relative_to(home) and not name.startswith("/"), place.is_file()
    except (OSError, ValueError, RuntimeError) as error:
        raise ProblemError(f"{shown(name)[1:-1]} cannot be found: {error}") from None
    if not inside:
        raise ProblemError(f"{shown(name)[1:-1]} lies outside the folder of the exam file")
    if not there:
        files = sorted(one.name for one in folder.glob("*.toml"))
        tip = hint(name, files) or (f"there are {listing(files, 'and')}" if files else None)
        raise ProblemError(f"there is no file {shown(name)[1:-1]} beside the exam file", hint=tip)
    return folder / name


def _has_arrays(tables: Mapping[str, object]) -> bool:
    """Whether any value of a problem comes from a file of an array."""
    parts = tables.get("part", [])
    every = [tables, *(part for part in parts if isinstance(part, Mapping))] if isinstance(parts, list) else [tables]
    return any(_names_file(table.get(key)) for table in every for key in DATA)


def _names_file(value: object) -> bool:
    if isinstance(value, Mapping):
        return isinstance(value.get("file"), str) or any(map(_names_file, value.values()))
    return isinstance(value, list) and any(isinstance(one, list | Mapping) and _names_file(one) for one in value)

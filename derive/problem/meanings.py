"""What names mean: each one thing, defined above its use; every function exists, and a part gives what is used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from derive.errors import ProblemError
from derive.problem import wording
from derive.problem.families import missing
from derive.problem.functions import FUNCTIONS
from derive.problem.language import walk
from derive.problem.names import member, members, stem_of
from derive.problem.places import Places
from derive.problem.problem import Shape
from derive.problem.size_terms import names_in
from derive.problem.syntax import Call, Name, Statement

DATA = ("given", "parameters", "shapes")  # the headings under which data stand


def check_once(statements: Iterable[Statement], headings: Mapping[str, Iterable[str]], places: Places) -> None:
    """Each name has one meaning: an equation, or data under one heading."""
    seen: dict[str, str] = {}
    for heading, names in headings.items():
        for name in names:
            if name in seen:
                raise places.error(f"{name} stands in [{seen[name]}] and in [{heading}]", heading, name)
            seen[name] = heading
    lines: dict[str, int] = {}
    for statement in statements:
        name = statement.name
        if name in lines:
            raise _at(statement.line, f"{name} is defined twice, first on line {lines[name]}", places)
        if name in seen:
            raise _at(
                statement.line,
                f"{name} is an equation, and data in [{seen[name]}] as well",
                places,
                hint="a name has one meaning",
            )
        lines[name] = statement.line
    _check_members(statements, seen, lines, places)


def _check_members(
    statements: Iterable[Statement], data: Mapping[str, str], lines: Mapping[str, int], places: Places
) -> None:
    """What a loop counts with is no quantity, and no member is printed like a plain name (``h[1]`` like ``h1``)."""
    for statement in statements:
        name = statement.loop
        if name and (name in data or name in lines):
            raise _at(
                statement.line,
                f"{name} counts a loop, and names a quantity as well",
                places,
                hint="give one of them another name",
            )
    for stem, indices in members([*data, *lines]).items():
        for index, name in indices.items():
            for plain in (f"{stem}{index}", f"{stem}_{index}"):
                if plain in data or plain in lines:
                    line = lines.get(name) or lines.get(plain)
                    message = f"{plain} and {name} would be printed alike"
                    tip = f"write {name} for both, or call {plain} otherwise"
                    if line is not None:
                        raise _at(line, message, places, hint=tip)
                    raise places.error(message, data[plain], plain, hint=tip)


def check_order(statements: Sequence[Statement], data: Mapping[str, Shape], places: Places, complete: bool) -> None:
    """A name is defined above its use."""
    known = {*data, "pi"}
    later = {statement.name: statement.line for statement in statements}
    sizes = {name for shape in data.values() for size in shape for name in names_in(size)}
    for statement in statements:
        for node in walk(statement.expression):
            if not isinstance(node, Name) or node.id in known:
                continue
            name = node.id
            if name == statement.name:
                raise _at(node.line, f"{name} is used in its own equation", places)
            if name in later:
                raise _at(
                    node.line,
                    f"{name} is used before it is defined",
                    places,
                    hint=f"it is defined on line {later[name]}",
                )
            if not complete:
                continue
            if name in sizes:
                raise _at(node.line, f"{name} is a size, and an equation uses values", places)
            tip = wording.hint(name, [*data, *later])
            raise _at(
                node.line,
                f"{name} is used and is nowhere defined" if member(name) is None else f"there is no {name}",
                places,
                hint=missing(name, [*data, *later]) or tip or "a value stands in [given], [parameters] or [shapes]",
            )
        known.add(statement.name)


def check_functions(statements: Iterable[Statement], functions: Mapping[str, object], places: Places) -> None:
    """Every function that an equation calls exists; a part may be the one that brings it."""
    for statement in statements:
        for node in walk(statement.expression):
            if isinstance(node, Call) and node.function not in FUNCTIONS and node.function not in functions:
                raise _at(
                    node.line,
                    f"{node.function} is no function of the language",
                    places,
                    hint=wording.hint(node.function, [*functions, *FUNCTIONS]),
                )


def check_part_data(statements: Sequence[Statement], places: Places) -> None:
    """What a part gives replaces something or is used; else it is a slip of the pen that would go unseen."""
    used = {node.id for statement in statements for node in walk(statement.expression) if isinstance(node, Name)}
    used |= {stem_of(name) for name in used}
    for path in places.own:
        if len(path) == 2 and path[0] in DATA and path[1] not in used:
            data = used - {statement.name for statement in statements}
            raise places.unknown("no equation uses", str(path[1]), data, *path)


def _at(line: int, message: str, places: Places, hint: str | None = None) -> ProblemError:
    """An error on a line of the equations."""
    return Places(file=places.file or "equations", part=places.part).placed(ProblemError(message, line=line, hint=hint))

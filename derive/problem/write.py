"""From a ``Problem`` back to its file: TOML that reads as the same problem, entry by entry.

One function for each table, in the order in which a person writes them. What is written is read again before it is
handed out, so that nothing a problem says can get lost on the way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields

from derive.errors import ProblemError, Unsupported
from derive.numbers.tensor import Tensor
from derive.problem import write_toml as toml
from derive.problem.convention import WORDS
from derive.problem.names import members, stem_of
from derive.problem.problem import Convention, Problem
from derive.problem.read import FORMAT
from derive.problem.spell import spell
from derive.problem.syntax import Node
from derive.problem.wording import listing
from derive.problem.write_ask import ask_rows, withdrawn
from derive.problem.write_equations import equations
from derive.problem.write_toml import Rows


def problem_to_toml(problem: Problem) -> str:
    """The problem file of a problem. Values that came from files of arrays stand in it as numbers.

    Raises ``Unsupported`` for what a file cannot say.
    """
    for stacked in (True, False):
        text = "\n".join(_document(problem, stacked)) + "\n"
        try:
            _check_same(problem, text)
        except Unsupported:
            if not stacked:
                raise
        else:
            break
    return text


def _check_same(problem: Problem, text: str) -> None:
    """Read the text as a file and hold it against the problem: a field that this module does not know is no secret."""
    from derive.problem.find import problem_from_text  # the reader leans on nothing here; the check closes the circle

    try:
        again = problem_from_text(text, problem.name)
    except ProblemError as error:
        raise Unsupported(f"a problem file cannot say {problem.name}: {error.message}", hint=error.hint) from None
    for one, other in zip((problem, *problem.parts), (again, *again.parts), strict=False):
        unlike = [f.name for f in fields(Problem) if f.compare and getattr(one, f.name) != getattr(other, f.name)]
        unlike = [name for name in unlike if name not in ("name", "parts")]
        if [statement.loop for statement in one.statements] != [statement.loop for statement in other.statements]:
            unlike.append("loops")
        if unlike:
            part = "" if one.part is None else f" of part {one.part}"
            raise Unsupported(f"a problem file cannot say the {listing(unlike, 'and')}{part} of {problem.name} yet")


def _document(problem: Problem, stacked: bool) -> Iterator[str]:
    """The lines; ``stacked``: the members of a family are one list, which not every problem lets them be."""
    yield f"format = {FORMAT}"
    if problem.title and dict(problem.title) != {"": problem.name}:  # a problem without a title goes by its name
        yield f"title = {toml.text(problem.title)}"
    yield ""
    yield equations(problem.statements)
    for heading, rows in _tables(problem, stacked).items():
        yield from _table(f"[{heading}]", rows)
    for part in problem.parts:
        yield from _part(problem, part, stacked)


def _table(header: str, rows: Rows) -> Iterator[str]:
    if rows:
        yield ""
        yield header
        yield from toml.aligned(rows)


def _tables(problem: Problem, stacked: bool) -> dict[str, Rows]:
    return {
        "given": _data(problem.given, stacked),
        "parameters": _data(problem.parameters, stacked),
        "shapes": {name: toml.listed(map(toml.size, shape)) for name, shape in problem.shapes.items()},
        "functions": {name: _function(formula) for name, formula in problem.functions.items()},
        "names": {name: toml.string("; ".join(map(" ".join, rows))) for name, rows in problem.names.items()},
        "symbols": {name: toml.string(symbol) for name, symbol in problem.symbols.items()},
        "captions": {name: toml.text(text) for name, text in problem.captions.items()},
        "ask": ask_rows(problem),
        "convention": _convention(problem.convention, Convention()),
    }


def _data(values: Mapping[str, Tensor], stacked: bool) -> Rows:
    """Data by name; the members of a family that has several, one after the other, as a list."""
    families = members(values) if stacked else {}
    rows: Rows = {}
    for name, value in values.items():
        stem = stem_of(name)
        numbers = sorted(families.get(stem, ()))
        if len(numbers) < 2 or numbers != list(range(numbers[0], numbers[-1] + 1)):
            rows[name] = toml.value(value, name)
        elif stem not in rows:
            rows[stem] = toml.stacked([values[families[stem][number]] for number in numbers], stem)
    return rows


def _function(formula: tuple[str, Node] | None) -> str:
    return toml.string("unspecified" if formula is None else spell(formula[1]))


def _convention(convention: Convention, other: Convention) -> Rows:
    """What a convention says otherwise than another one."""
    rows: Rows = {}
    if convention.style != other.style:
        rows["style"] = toml.listed(map(toml.string, convention.style))
    if convention.significant is not None:
        if convention.significant != other.significant:
            rows["significant"] = str(convention.significant)
    elif convention.digits != other.digits or other.significant is not None:
        rows["digits"] = str(convention.digits)
    for key in WORDS:
        word = getattr(convention, key)
        if word != getattr(other, key) and word is not None:
            rows[key] = toml.string(word)
    if convention.relu_at_zero != other.relu_at_zero:
        rows["relu_at_zero"] = toml.number(convention.relu_at_zero)
    if convention.fractions != other.fractions:
        rows["fractions"] = str(convention.fractions).lower()
    return rows


def _part(base: Problem, part: Problem, stacked: bool) -> Iterator[str]:
    """What a part lays over the tables above it: what it says otherwise than they do."""
    yield ""
    yield "[[part]]"
    title = {} if part.title == base.title else {"title": toml.text(part.title)}
    yield from toml.aligned({"name": toml.string(part.part or ""), **title})
    above = _tables(base, stacked)
    for heading, rows in _tables(part, stacked).items():
        own = {key: value for key, value in rows.items() if above[heading].get(key) != value}
        if heading == "ask":
            own |= withdrawn(above[heading], rows)
        if heading == "convention":
            own = _convention(part.convention, base.convention)
        yield from _table(f"[part.{heading}]", own)

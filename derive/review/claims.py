"""The claims file: what a printed solution says, value by value, read into frozen ``Claim``s.

It is TOML: the problem that was solved (``problem = "…"``, a built-in name or a problem file beside the claims), and
one ``[[claim]]`` for each printed number. Unknown keys, and everything else that cannot be meant, are errors with file
and line, as in problem files.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from derive.errors import ProblemError, Unsupported
from derive.problem import wording
from derive.problem.ask import RATIO
from derive.problem.places import Places
from derive.problem.problem import Text
from derive.problem.questions import SECOND
from derive.problem.texts import read_text
from derive.problem.toml import Source, load
from derive.records import dataclass
from derive.review.numerals import MARKS, Numeral, read_numeral

FORMAT = 1
KEYS = ("format", "title", "source", "problem", "decimal", "claim")
CLAIM_KEYS = ("id", "place", "quantity", "index", "part", "printed", "expression", "expect", "note")
EXPECTATIONS = ("agrees", "carried", "consistent", "wrong")
LONGEST_EXPRESSION = 4000  # characters
MOST_UPDATES = 1_000_000

_QUANTITY = re.compile(r"(-?)\s*([^@]+?)(?:@([0-9]{1,9}))?")
_NAME = re.compile(r"[^\W\d]\w*(?:\[[^\]]*\])?")
_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Quantity:
    """What a value is claimed of.

    ``name`` is a name, a gradient (``dE/dW2``) or a ratio; ``update`` counts the updates that were made before, and is
    ``None`` at the start. With ``negated`` the claim is on the negative, as in older texts, whose error signal is
    -dE/dz.
    """

    text: str
    name: str
    update: int | None = None
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """One printed number. ``index`` counts from 1 and is empty for a scalar; ``expect`` is one of ``EXPECTATIONS``.

    ``place`` tells where it is printed and ``note`` what is known of it. ``line`` is that of the claims file.
    """

    id: str
    quantity: Quantity
    index: tuple[int, ...]
    part: str | None
    printed: Numeral
    expression: str | None = None
    expect: str = "agrees"
    place: Text = _NOTHING
    note: Text = _NOTHING
    file: str | None = None
    line: int | None = None

    def error(self, message: str, hint: str | None = None) -> ProblemError:
        """The error for a claim that cannot be judged, with its place."""
        return ProblemError(message, file=self.file, line=self.line, hint=hint)

    @property
    def label(self) -> str:
        """The entry as a person points at it: ``dE/dW2[1,2]``."""
        return f"{self.quantity.text}[{','.join(map(str, self.index))}]" if self.index else self.quantity.text


@dataclass(frozen=True, slots=True)
class Claims:
    """A claims file. ``problem`` is a built-in name, or the path of a problem file as seen from here."""

    file: str
    problem: str
    claims: tuple[Claim, ...]
    title: Text = _NOTHING
    source: Text = _NOTHING
    decimal: str = "."
    problem_line: int | None = None


def read_claims(path: str | os.PathLike[str]) -> Claims:
    """The claims file at ``path``. Raises ``ProblemError`` with file and line."""
    place, file = Path(path), os.fspath(path)
    return claims_of(load(place, file), file, place.parent)


def claims_of(source: Source, file: str, folder: Path) -> Claims:
    """The claims in a text of TOML; ``folder`` is where problem files are looked for."""
    places, tables = Places(source, file), source.tables
    places.keys(tables, KEYS)
    _check_format(tables.get("format", FORMAT), places)
    problem = tables.get("problem")
    if not isinstance(problem, str) or not problem.strip():
        what = "there is no problem" if problem is None else f"problem is {wording.kind(problem)}"
        tip = 'problem = "my.toml", beside this file, or the name of a built-in one'
        raise places.error(f"{what}: claims need the problem that they are about", "problem", hint=tip)
    decimal = tables.get("decimal", ".")
    if decimal not in MARKS:
        raise places.error(f'decimal is {wording.kind(decimal)}, expected is "." or ","', "decimal")
    found = tables.get("claim", [])
    if not isinstance(found, list) or not found:
        raise places.error(
            "there are no claims", "claim", hint='[[claim]], then quantity = "z_h" and printed = "4.3" below it'
        )
    texts = {key: read_text(tables[key], places, key) for key in ("title", "source") if key in tables}
    claims = tuple(_claim(value, number, str(decimal), places) for number, value in enumerate(found))
    _different(claims, places)
    if problem.endswith(".toml") or "/" in problem or "\\" in problem:
        problem = os.fspath(folder / problem)
    return Claims(file, problem, claims, decimal=str(decimal), problem_line=places.line("problem"), **texts)


def claim(
    quantity: str,
    printed: str,
    *,
    part: str | None = None,
    index: Sequence[int] = (),
    expression: str | None = None,
    decimal: str = ".",
) -> Claim:
    """A claim from Python, read as one of a file is. Raises ``ProblemError``."""
    table: dict[str, object] = {"quantity": quantity, "printed": printed, "index": list(index)}
    table |= {key: value for key, value in (("part", part), ("expression", expression)) if value is not None}
    if decimal not in MARKS:
        raise ProblemError(f'decimal is {wording.kind(decimal)}, expected is "." or ","')
    return _claim(table, 0, decimal, Places())


def read_quantity(text: str) -> Quantity:
    """``W1@1`` as a name and an update, ``-dL/dz`` as the negative of a gradient. Raises ``ProblemError``."""
    match = _QUANTITY.fullmatch(text.strip())
    name = match[2].strip() if match else ""
    if match is None or not (_NAME.fullmatch(name) or RATIO.fullmatch(name) or SECOND.fullmatch(name)):
        raise ProblemError(
            f"{wording.shown(text)} is no quantity", hint='expected is a name such as "z_h", "dE/dW2", or "W1@1"'
        )
    if match[3] is not None and int(match[3]) > MOST_UPDATES:
        raise ProblemError(f"{wording.shown(text)} is after more than {MOST_UPDATES:,} updates")
    update = int(match[3]) if match[3] is not None else None
    return Quantity(text.strip(), name, update, bool(match[1]))


def _check_format(number: object, places: Places) -> None:
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise places.error(f"format is {wording.kind(number)}, expected is {FORMAT}", "format")
    if number > FORMAT:
        raise places.placed(Unsupported(f"format is {number}, and this program knows up to {FORMAT}"), "format")


def _claim(value: object, number: int, decimal: str, places: Places) -> Claim:
    path = ("claim", number)
    table = places.table(value, *path)
    places.keys(table, CLAIM_KEYS, *path)
    texts: dict[str, str | None] = {}
    for key in ("id", "quantity", "part", "printed", "expression", "expect"):
        texts[key] = _text(table, key, places, path)
    quantity, printed, expect = texts["quantity"], texts["printed"], texts["expect"] or "agrees"
    if quantity is None:
        raise places.error("a claim without a quantity", *path, hint='quantity = "dE/dW2"')
    if printed is None:
        raise places.error("a claim without printed", *path, hint='printed = "0.0765", in quotes: its digits count')
    if expect not in EXPECTATIONS:
        raise places.unknown("expect is", expect, EXPECTATIONS, *path, "expect")
    try:
        what = read_quantity(quantity)
    except ProblemError as error:
        raise places.placed(error, *path, "quantity") from None
    try:
        numeral = read_numeral(printed, decimal)
    except ProblemError as error:
        raise places.placed(error, *path, "printed") from None
    expression = texts["expression"]
    if expression is not None and len(expression) > LONGEST_EXPRESSION:
        raise places.error(
            f"expression has {len(expression)} characters, at most {LONGEST_EXPRESSION} are allowed",
            *path, "expression",
        )  # fmt: skip
    index = _index(table.get("index", []), places, path)
    prose = {key: read_text(table[key], places, *path, key) for key in ("place", "note") if key in table}
    made = Claim(
        "", what, index, texts["part"], numeral, expression, expect, file=places.file, line=places.line(*path), **prose
    )
    name = texts["id"] or (f"{made.part}: {made.label}" if made.part is not None else made.label)
    return Claim(name, what, index, made.part, numeral, expression, expect, made.place, made.note, made.file, made.line)


def _text(table: Mapping[str, object], key: str, places: Places, path: tuple[str | int, ...]) -> str | None:
    value = table.get(key)
    if value is None:
        return None
    if not isinstance(value, str) or isinstance(value, wording.Written):
        tip = f'{key} = "{value}"' if isinstance(value, int | str) and not isinstance(value, bool) else None
        why = ": its digits count" if key == "printed" else ""
        raise places.error(f"{key} is {wording.kind(value)}, expected is a text in quotes{why}", *path, key, hint=tip)
    if not value.strip() or not value.isprintable():
        raise places.error(f"{key} is {wording.kind(value)}, expected is a text on one line", *path, key)
    return value


def _index(value: object, places: Places, path: tuple[str | int, ...]) -> tuple[int, ...]:
    good = isinstance(value, list) and all(
        isinstance(entry, int) and not isinstance(entry, bool) and entry > 0 for entry in value
    )
    if not good:
        what = f"the list {wording.shown(value)}" if isinstance(value, list) else wording.kind(value)
        raise places.error(
            f"index is {what}, expected are whole numbers from 1",
            *path,
            "index",
            hint="index = [1, 2]: row 1, column 2",
        )
    assert isinstance(value, list)
    return tuple(value)


def _different(claims: Iterable[Claim], places: Places) -> None:
    """Claims with an id of their own: a second one of the same name gets a number."""
    seen: dict[str, int] = {}
    for number, claim in enumerate(claims):
        seen[claim.id] = seen.get(claim.id, 0) + 1
        if seen[claim.id] > 1 and places.source is not None and "id" in places.source.tables["claim"][number]:
            raise places.error(f"the id {wording.shown(claim.id)} stands twice", "claim", number, "id")

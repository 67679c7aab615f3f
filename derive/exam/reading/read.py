"""The exam file: questions on problems, what each is worth, what varies in it and what must hold of every variant.

    format = 1
    title = { en = "Backpropagation quiz", zh = "反向传播测验" }
    date = "Autumn term 2026"         # a line of text
    instructions = "Show your work."
    languages = ["en", "zh"]          # default: ["en"]
    paper = "a4"                      # or "us-letter"
    points = 10                       # optional: what the questions have to add up to

    [[question]]
    id = "a"                          # default: a, b, c, … by position
    problem = "net.toml"              # in the folder of the exam file, or the name of a built-in problem
    part = "b"                        # of a problem with parts
    text = "What does one step change?"
    form = "worked"                   # or "matrix", "table", "choice", "judge", "find_error"
    ask = { gradients = ["W1"] }      # laid over the problem's [ask], key by key
    points = 10                       # default: the sum of its steps
    steps = { z = 2, "dE/dW1" = 4, "W1@1" = 4 }    # default: equal points for all that the problem asks for
    space = 6                         # centimetres for the answer
    blanks = true                     # empty matrices of the right shape
    vary = { … }                      # see ``derive.exam.reading.vary``
    require = { … }                   # see ``derive.exam.reading.require``

Everything else is an error with file and line.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from flint import fmpq

from derive.errors import ProblemError, Unsupported
from derive.exam.exam import FORMS, PAPERS, Exam, Question, Require
from derive.exam.reading.require import read_require, switch
from derive.exam.reading.shelf import EXAM, Shelf, beside, stem, stored
from derive.exam.reading.steps import checked_quantity, read_points, read_work
from derive.exam.reading.vary import first_choice, read_vary
from derive.graph import build
from derive.problem import wording
from derive.problem.find import safe_name
from derive.problem.places import Places
from derive.problem.problem import Problem, Text
from derive.problem.quiz import QUIZ_KEYS
from derive.problem.rates import number
from derive.problem.read import narrowed
from derive.problem.texts import clean, read_text
from derive.problem.toml import KeyPath, Source, load
from derive.report.catalogue import languages

FORMAT = 1
KEYS = ("format", "title", "date", "instructions", "languages", "paper", "points", "question")
QUESTION_KEYS = (
    *("id", "problem", "part", "text", "form", "ask", "points", "steps"),
    *("space", "blanks", "vary", "require"),
)
MOST_QUESTIONS = 100
MOST_SPACE = 100  # cm
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}", re.ASCII)


def read_exam(path: str | os.PathLike[str]) -> Exam:
    """The exam in a file, with the problems beside it. Raises ``ProblemError`` with file and line."""
    place, file = Path(path), os.fspath(path)
    return _exam(load(place, file), safe_name(place.stem), beside(place.parent))


def exam_of(texts: Mapping[str, str], name: str) -> Exam:
    """The exam in the texts of ``Exam.sources``, and in nothing else. Raises ``ProblemError`` as ``read_exam`` does."""
    if EXAM not in texts:
        raise ProblemError("the text of the exam file was not kept with the exam")
    return _exam(Source(texts[EXAM], f"{name}.toml"), safe_name(name), stored(texts))


def _exam(source: Source, name: str, shelf: Shelf) -> Exam:
    places, tables = Places(source, source.file), source.tables
    places.keys(tables, KEYS)
    _check_format(tables.get("format", FORMAT), places)
    texts: dict[str, Text] = {
        key: read_text(tables[key], places, key) for key in ("title", "date", "instructions") if key in tables
    }
    wished = _languages(tables.get("languages", ["en"]), places)
    paper = _one_of("paper", tables.get("paper", PAPERS[0]), PAPERS, places, ("paper",))
    found = tables.get("question", [])
    if not isinstance(found, list) or not found:
        raise places.error(
            "there are no questions", "question", hint='[[question]], then problem = "net.toml" and points = 4 below it'
        )
    if len(found) > MOST_QUESTIONS:
        raise places.error(f"{len(found)} questions, at most {MOST_QUESTIONS} are allowed", "question")
    sources: dict[str, Source] = {EXAM: source}
    questions: list[Question] = []
    for position, value in enumerate(found):
        path: KeyPath = ("question", position)
        table = places.table(value, *path)
        places.keys(table, QUESTION_KEYS, *path)
        id = _id(table, position, questions, places, path)
        questions.append(_question(id, table, shelf, sources, places, path))
    _add_up(tables, questions, places)
    return Exam(
        name=name,
        title=texts.pop("title", MappingProxyType({"": name})),
        questions=tuple(questions),
        languages=wished,
        paper=paper,
        sources=MappingProxyType({key: one.text for key, one in sources.items()}),
        file=source.file,
        **texts,
    )


def _check_format(value: object, places: Places) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise places.error(f"format is {wording.kind(value)}, expected is {FORMAT}", "format")
    if value > FORMAT:
        raise places.placed(Unsupported(f"format is {value}, and this program knows up to {FORMAT}"), "format")


def _languages(value: object, places: Places) -> tuple[str, ...]:
    path, usage = ("languages",), 'languages = ["en", "zh"]'
    if not isinstance(value, list) or not value:
        what = "an empty list" if isinstance(value, list) else wording.kind(value)
        raise places.error(f"languages is {what}, expected is a list of languages", *path, hint=usage)
    for at, one in enumerate(value):
        if not isinstance(one, str):
            raise places.error(f"languages has {wording.kind(one)}, expected are texts", *path, at, hint=usage)
        if one not in languages():
            raise places.unknown("there is no language", one, languages(), *path, at)
        if one in value[:at]:
            raise places.error(f"languages has {one} twice", *path, at)
    return tuple(value)


def _one_of(what: str, value: object, known: tuple[str, ...], places: Places, path: KeyPath) -> str:
    if not isinstance(value, str) or value not in known:
        tip = wording.hint(value, known) if isinstance(value, str) else None
        raise places.error(f"{what} is {wording.kind(value)}, expected is {wording.listing(known)}", *path, hint=tip)
    return value


def _add_up(tables: Mapping[str, object], questions: list[Question], places: Places) -> None:
    if "points" not in tables:
        return
    points, total = read_points(tables["points"], places, ("points",)), sum((one.points for one in questions), fmpq(0))
    if points != total:
        raise places.error(f"points is {points}, and the questions add up to {total}", "points")


def _id(table: Mapping[str, object], position: int, others: list[Question], places: Places, path: KeyPath) -> str:
    """The id of a question, unlike every other one also where capitals do not count, as in names of files."""
    id = table.get("id", _letters(position))
    if not isinstance(id, str) or not _ID.fullmatch(id):
        raise places.error(
            f"id is {wording.kind(id)}, expected are letters a to z, digits, - and _, at most 40", *path, "id"
        )
    for other in others:
        if other.id.casefold() == id.casefold():
            what = (
                f"the id {id} stands twice"
                if other.id == id
                else f"the ids {other.id} and {id} differ in capitals alone"
            )
            raise places.error(f"{what}, first on line {other.line}", *path, "id")
    return id


def _letters(position: int) -> str:
    """a, b, …, z, aa, ab, …"""
    rest, last = divmod(position, 26)
    return (_letters(rest - 1) if rest else "") + "abcdefghijklmnopqrstuvwxyz"[last]


def _question(
    id: str, table: dict[str, object], shelf: Shelf, sources: dict[str, Source], places: Places, path: KeyPath
) -> Question:
    form = _one_of("form", table.get("form", FORMS[0]), FORMS, places, (*path, "form"))
    with _about(places, path, "problem"):
        problem = _problem(table, shelf, sources, places, path)
        vary = read_vary(table.get("vary", {}), problem, places, *path, "vary")
        _check_numbers(first_choice(problem, vary), places, path)
    with _about(places, path, "ask" if "ask" in table else "problem"):
        work = read_work(table, form, problem, places, path)

        def check(quantity: str, here: KeyPath) -> None:
            checked_quantity(quantity, work.problem, places, here)

        require = read_require(table["require"], check, places, *path, "require") if "require" in table else Require()
    blanks = switch(table.get("blanks", False), places, (*path, "blanks"))
    if blanks and form not in ("worked", "matrix", "table"):
        raise places.error(f"blanks = true says nothing for the form {form}", *path, "blanks")
    return Question(
        id=id,
        problem=work.problem,
        points=work.points,
        steps=MappingProxyType(dict(work.steps)),
        form=form,
        text=read_text(table["text"], places, *path, "text") if "text" in table else MappingProxyType({}),
        space=_space(table["space"], places, (*path, "space")) if "space" in table else None,
        blanks=blanks,
        vary=MappingProxyType(vary),
        require=require,
        line=places.line(*path),
    )


@contextmanager
def _about(places: Places, path: KeyPath, key: str) -> Iterator[None]:
    """Errors that know no line are put on that of a key of the question; the file that they are in is named."""
    try:
        yield
    except ProblemError as error:
        if error.line is not None:
            raise
        message = error.message if error.file in (None, places.file) else f"{error.file}: {error.message}"
        raise places.placed(type(error)(message, hint=error.hint), *path, key) from None


def _problem(
    table: dict[str, object], shelf: Shelf, sources: dict[str, Source], places: Places, path: KeyPath
) -> Problem:
    """The problem of a question: the one that it names, a part of it where there are parts, narrowed by ``ask``."""
    name = table.get("problem")
    if not isinstance(name, str) or not name.strip() or isinstance(name, wording.Written):
        what = "a question without a problem" if name is None else f"problem is {wording.kind(name)}"
        tip = 'problem = "net.toml", beside the exam file, or the name of a built-in one'
        raise places.error(what, *path, "problem", hint=tip)
    if name == EXAM:
        raise places.error(f"a problem cannot be called {EXAM}: that is the exam file", *path, "problem")
    if name not in sources:
        sources[name] = shelf(name)
    source = sources[name]
    part = _part(table.get("part"), source, name, places, path)
    ask = places.table(table.get("ask", {}), *path, "ask")
    for key in ask:
        if key in QUIZ_KEYS:
            tip = {"choose": 'form = "choice"', "judge": 'form = "judge"'}.get(key, 'form = "find_error"')
            raise places.error(f"{key} in ask: the form of a question says that", *path, "ask", key, hint=tip)
    over = Places(places.source, places.file, own={("ask", key): path for key in ask})
    return narrowed(source.tables, part, ask, over, name=stem(name), source=source)


def _part(value: object, source: Source, name: str, places: Places, path: KeyPath) -> str | None:
    """The part that is meant, spelled as the problem does."""
    parts = [clean(part["name"]) for part in source.tables.get("part", [])]
    if value is None and not parts:
        return None
    if not isinstance(value, str):
        what = "no part is named" if value is None else f"part is {wording.kind(value)}"
        there = f"{name} has the parts {wording.listing(parts, 'and')}" if parts else f"{name} has no parts"
        raise places.error(f"{what}, and {there}", *path, "problem" if value is None else "part")
    if value not in parts:
        tip = wording.hint(value, parts) or (f"there are {wording.listing(parts, 'and')}" if parts else None)
        without = "" if parts else ", which has no parts"
        raise places.error(f"there is no part {wording.shown(value)} in {name}{without}", *path, "part", hint=tip)
    return value


def _check_numbers(problem: Problem, places: Places, path: KeyPath) -> None:
    """Every question has numbers: answers are told from wrong ones, and variants from each other, by values."""
    unspecified = [name for name, formula in problem.functions.items() if formula is None]
    if unspecified:
        name = unspecified[0]
        raise places.error(
            f"the function {name} of the problem is unspecified, and an exam needs numbers", *path, "problem",
            hint=f'vary = {{ {name} = ["relu", "tanh"] }}',
        )  # fmt: skip
    without = [name for name, datum in build(problem).data.items() if datum.tensor is None]
    if without:
        names = wording.listing(without, "and")
        raise places.error(f"the problem has no numbers for {names}, and an exam needs numbers", *path, "problem")
    for upstream in problem.ask.upstream:
        if upstream.value is None:
            raise places.error(
                f"the upstream at {upstream.at} has no numbers, and an exam needs numbers", *path, "problem"
            )


def _space(value: object, places: Places, path: KeyPath) -> fmpq:
    found = number(value, places, path)
    if not 0 <= found <= MOST_SPACE:
        raise places.error(f"space is {found}, expected are centimetres from 0 to {MOST_SPACE}", *path)
    return found

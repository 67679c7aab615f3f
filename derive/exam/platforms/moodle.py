"""Moodle XML: for each question of the exam a category that holds its variants, so that Moodle draws one at random.

A single number is a ``numerical`` question, a single choice ``multichoice``, a single judgement ``truefalse``, and
everything else one ``cloze`` question with a field for each entry. The worked solution is the general feedback.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping
from xml.etree import ElementTree as ET

from flint import fmpq

from derive.exam.platforms import cloze
from derive.exam.platforms.fragment import Dialect, add_text, body, html, inline, line, plain
from derive.exam.platforms.items import Choice, Entries, Field, Item, Judgement, Task
from derive.exam.platforms.layout import laid_out
from derive.exam.platforms.targets import decimal
from derive.exam.platforms.weights import weights
from derive.exam.platforms.xml import DECLARATION, child, serialised
from derive.report.catalogue import catalogue
from derive.report.document import Spans

DIALECT = Dialect(qti=False, folder="@@PLUGINFILE@@/")


def question(item: Item) -> bytes:
    """One variant of a question as a ``<question>``."""
    match item.tasks:
        case (Entries(fields=(field,)) as only,):
            found = _frame(item, "numerical", only.label)
            _numerical(found, field, item)
        case (Choice() as only,):
            found = _frame(item, "multichoice", only.asked)
            _multichoice(found, only, item)
        case (Judgement() as only,):
            found = _frame(item, "truefalse", only.asked)
            _truefalse(found, only, item)
        case _:
            found = _frame(item, "cloze", None)
    return serialised(found)


def quiz(title: str, groups: Iterable[tuple[str, Iterable[bytes]]]) -> bytes:
    """A whole file: for each question of the exam its title and the ``<question>`` of every variant."""
    pieces = [DECLARATION, b"<quiz>\n"]
    for name, questions in groups:
        category = ET.Element("question", {"type": "category"})
        path = "/".join(("$course$", "top", _part(title), _part(name)))
        child(child(category, "category"), "text", path)
        pieces.append(serialised(category))
        pieces += questions
    return b"".join((*pieces, b"</quiz>\n"))


def _part(name: str) -> str:
    """A name in the path of a category, where a slash of its own is doubled."""
    return plain(name).replace("/", "//")


# ── what all types of questions share ───────────────────────────────────────────────────────────────────────────


def _frame(item: Item, type: str, task: Spans | None) -> ET.Element:
    """A question with its text, feedback, grade and name; ``task`` is a line behind the prompt, ``None`` in Cloze."""
    found = ET.Element("question", {"type": type})
    child(child(found, "name"), "text", plain(item.title))
    prompt = body(item.prompt, item.language, DIALECT)
    text = html(prompt.elements)
    advice = html([line("p", item.advice, item.language, DIALECT)]) if item.advice else ""
    if task is None:
        text = "\n".join(filter(None, (cloze.outside(text), cloze.outside(advice), _fields(item))))
    else:
        text = "\n".join(filter(None, (text, advice, html([line("p", task, item.language, DIALECT)]))))
    _html(found, "questiontext", text, prompt.pictures)
    solution = body(item.solution, item.language, DIALECT)
    _html(found, "generalfeedback", html(solution.elements), solution.pictures)
    child(found, "defaultgrade", decimal(item.points))
    child(found, "penalty", "0")
    child(found, "hidden", "0")
    child(found, "idnumber", item.identifier)
    return found


def _html(parent: ET.Element, tag: str, text: str, pictures: Mapping[str, bytes] | None = None) -> None:
    """Text of HTML with the files that it shows."""
    found = child(parent, tag, format="html")
    child(found, "text", text)
    for name, drawn in (pictures or {}).items():
        child(found, "file", b64encode(drawn).decode(), name=name, path="/", encoding="base64")


def _answer(parent: ET.Element, fraction: int, text: str, feedback: str, format: str) -> ET.Element:
    found = child(parent, "answer", fraction=str(fraction), format=format)
    child(found, "text", text)
    _html(found, "feedback", feedback)
    return found


# ── the types of questions ──────────────────────────────────────────────────────────────────────────────────────


def _numerical(question: ET.Element, field: Field, item: Item) -> None:
    off = decimal(field.tolerance)
    child(_answer(question, 100, field.answer, "", "moodle_auto_format"), "tolerance", off)
    for wrong in field.wrong:
        why = inline(wrong.said, item.language, DIALECT)
        child(_answer(question, 0, wrong.answer, why, "moodle_auto_format"), "tolerance", off)


def _multichoice(question: ET.Element, task: Choice, item: Item) -> None:
    child(question, "single", "true")
    child(question, "shuffleanswers", "false" if task.fixed else "true")
    child(question, "answernumbering", "123" if task.fixed else "abc")
    for option in task.options:
        said, why = (inline(spans, item.language, DIALECT) for spans in (option.said, option.feedback))
        _answer(question, 100 if option.right else 0, said, why if option.feedback else "", "html")


def _truefalse(question: ET.Element, task: Judgement, item: Item) -> None:
    why = inline(task.feedback, item.language, DIALECT)
    for text, right in (("true", task.true), ("false", not task.true)):
        _answer(question, 100 if right else 0, text, why, "moodle_auto_format")


def _fields(item: Item) -> str:
    """The tasks of a Cloze question, each field with the weight of its points."""
    share = iter(weights([points for task in item.tasks for points in _points(task)]))
    return "\n".join(_task(task, [next(share) for _ in _points(task)], item) for task in item.tasks)


def _points(task: Task) -> tuple[fmpq, ...]:
    return tuple(field.points for field in task.fields) if isinstance(task, Entries) else (task.points,)


def _task(task: Task, share: list[int], item: Item) -> str:
    language = item.language
    if isinstance(task, Entries):
        fields: dict[str, str] = {}

        def place(cell: ET.Element, field: Field) -> None:
            # A mark in place of the field: its HTML is finished when the page around it is.
            mark = f"\N{REPLACEMENT CHARACTER}{len(fields)}\N{REPLACEMENT CHARACTER}"
            fields[mark] = cloze.numerical(field, share[len(fields)], language, DIALECT)
            add_text(cell, mark)

        page = cloze.outside(html([laid_out(task, language, DIALECT, place)]))
        for mark, field in fields.items():
            page = page.replace(mark, field)
        return page
    asked = cloze.outside(html([line("p", task.asked, language, DIALECT)]))
    if isinstance(task, Choice):
        return f"{asked}\n<p>{cloze.choice(task, share[0], language, DIALECT)}</p>"
    return f"{asked}\n<p>{cloze.judgement(task, share[0], catalogue(language), DIALECT)}</p>"

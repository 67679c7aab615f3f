"""One question of one variant as an ``assessmentItem`` of QTI 2.1: what is asked, what is right, and how it is scored.

Each entry is a ``textEntryInteraction`` of its own, right within an absolute tolerance. Weights are whole numbers, and
only the end divides them into points, so that all of them right is all the points exactly. Which field is right, and
which slip a wrong value shows, are outcomes that feedback goes by.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from xml.etree import ElementTree as ET

from flint import fmpq

from derive.exam.platforms.cloze import verdicts
from derive.exam.platforms.fragment import Body, Dialect, add_text, body, line, plain, put
from derive.exam.platforms.items import Choice, Entries, Field, Item, Option
from derive.exam.platforms.layout import laid_out
from derive.exam.platforms.targets import decimal
from derive.exam.platforms.weights import weights
from derive.exam.platforms.xml import child
from derive.records import dataclass
from derive.report.catalogue import Catalogue, catalogue
from derive.report.document import Spans

NAMESPACE = "http://www.imsglobal.org/xsd/imsqti_v2p1"
SCHEMA = "http://www.imsglobal.org/xsd/qti/qtiv2p1/imsqti_v2p1.xsd"
INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
STYLES = "styles.css"
DIALECT = Dialect(qti=True, folder="media/")
ROOM = 12  # characters of a field


@dataclass(frozen=True, slots=True)
class Chosen:
    """A choice or a judgement as QTI has it: options with identifiers."""

    asked: Spans
    options: tuple[Option, ...]
    fixed: bool
    points: fmpq


Part = Field | Chosen


class QtiItem:
    """An item on its way to its XML."""

    def __init__(self, item: Item) -> None:
        self.item, self.language = item, item.language
        self.words: Catalogue = catalogue(item.language)
        self.parts: tuple[Part, ...] = tuple(self._parts())
        self.weights = weights([part.points for part in self.parts])
        self.prompt: Body = body(item.prompt, self.language, DIALECT)
        self.solution: Body = body(item.solution, self.language, DIALECT)

    @property
    def pictures(self) -> dict[str, bytes]:
        """The pictures that it shows, by file name."""
        return {**self.prompt.pictures, **self.solution.pictures}

    def _parts(self) -> Iterator[Part]:
        for task in self.item.tasks:
            if isinstance(task, Entries):
                yield from task.fields
            elif isinstance(task, Choice):
                yield Chosen(task.asked, task.options, task.fixed, task.points)
            else:
                yield Chosen(task.asked, verdicts(task, self.words), True, task.points)

    @cached_property
    def element(self) -> ET.Element:
        """The whole ``<assessmentItem>``."""
        found = ET.Element("assessmentItem", {
            "xmlns": NAMESPACE, "xmlns:xsi": INSTANCE, "xsi:schemaLocation": f"{NAMESPACE} {SCHEMA}",
            "identifier": self.item.identifier, "title": plain(self.item.title), "xml:lang": self.language,
            "adaptive": "false", "timeDependent": "false", "toolName": "derive",
        })  # fmt: skip
        for number, part in enumerate(self.parts, 1):
            _response(found, number, part)
        _outcomes(found, decimal(self.item.points), len(self.parts))
        child(found, "stylesheet", href=f"../{STYLES}", type="text/css")
        found.append(self._body())
        found.append(self._processing())
        for one in self._feedback():
            found.append(one)
        return found

    # ── what is shown ──

    def _body(self) -> ET.Element:
        found = ET.Element("itemBody")
        found.extend(_beside(self.prompt))
        if self.item.advice:
            found.append(line("p", self.item.advice, self.language, DIALECT))
        number = 0
        for task in self.item.tasks:
            if isinstance(task, Entries):
                start = number

                def place(cell: ET.Element, field: Field, task: Entries = task, start: int = start) -> None:
                    at = start + next(k for k, one in enumerate(task.fields, 1) if one is field)
                    length = str(max(ROOM, len(field.answer) + 2))
                    child(cell, "textEntryInteraction", responseIdentifier=f"R{at}", expectedLength=length)

                found.append(laid_out(task, self.language, DIALECT, place))
                number += len(task.fields)
            else:
                number += 1
                found.append(self._choice(number))
        return found

    def _choice(self, number: int) -> ET.Element:
        part = self.parts[number - 1]
        assert isinstance(part, Chosen)
        found = ET.Element("choiceInteraction", {
            "responseIdentifier": f"R{number}", "shuffle": "false" if part.fixed else "true", "maxChoices": "1",
        })  # fmt: skip
        found.append(line("prompt", part.asked, self.language, DIALECT))
        for k, option in enumerate(part.options, 1):
            found.append(line("simpleChoice", option.said, self.language, DIALECT, identifier=f"C{k}"))
        return found

    def _feedback(self) -> Iterator[ET.Element]:
        """The slip behind what was entered or chosen, and the solution for everybody."""
        for number, part in enumerate(self.parts, 1):
            for identifier, said in _remarks(part):
                shown = _modal(f"F{number}", identifier)
                if isinstance(part, Field):
                    added = put(ET.Element("p"), part.label, self.language, DIALECT)
                    add_text(added, self.words.text("locale.colon") if self.language == "zh" else ": ")
                    shown.append(put(added, said, self.language, DIALECT))
                else:
                    shown.append(line("p", said, self.language, DIALECT))
                yield shown
        solution = _modal("SOLUTION", "shown")
        solution.extend(_beside(self.solution))
        yield solution

    # ── how it is scored ──

    def _processing(self) -> ET.Element:
        found = ET.Element("responseProcessing")
        _set(found, "RAW", _value("0", "float"))
        for number, (part, weight) in enumerate(zip(self.parts, self.weights, strict=True), 1):
            if isinstance(part, Field):
                _judge_number(found, number, part, weight)
            else:
                _judge_choice(found, number, weight)
        points, total = decimal(self.item.points), str(sum(self.weights))
        scaled = ET.Element("divide")
        product = child(scaled, "product")
        product.append(_variable("RAW"))
        product.append(_value(points, "float"))
        scaled.append(_value(total, "float"))
        _set(found, "SCORE", scaled)
        _set(found, "SOLUTION", _value("shown", "identifier"))
        return found


def _beside(of: Body) -> tuple[ET.Element, ...]:
    """The elements of a body, its pictures found from the folder of items."""
    for one in of.elements:
        for picture in one.iter("img"):
            if not picture.get("src", "").startswith("../"):
                picture.set("src", f"../{picture.get('src')}")
    return of.elements


# ── declarations ────────────────────────────────────────────────────────────────────────────────────────────────


def _response(item: ET.Element, number: int, part: Part) -> None:
    type = "float" if isinstance(part, Field) else "identifier"
    found = child(item, "responseDeclaration", identifier=f"R{number}", cardinality="single", baseType=type)
    right = part.answer if isinstance(part, Field) else next(f"C{k}" for k, o in enumerate(part.options, 1) if o.right)
    child(child(found, "correctResponse"), "value", right)


def _outcomes(item: ET.Element, points: str, fields: int) -> None:
    for name, most in (("SCORE", points), ("MAXSCORE", ""), ("RAW", "")):
        limits = {"normalMaximum": most, "normalMinimum": "0"} if most else {}
        found = child(item, "outcomeDeclaration", identifier=name, cardinality="single", baseType="float", **limits)
        child(child(found, "defaultValue"), "value", points if name == "MAXSCORE" else "0")
    for name in (*(f"F{number}" for number in range(1, fields + 1)), "SOLUTION"):
        child(item, "outcomeDeclaration", identifier=name, cardinality="single", baseType="identifier")


# ── processing ──────────────────────────────────────────────────────────────────────────────────────────────────


def _judge_number(processing: ET.Element, number: int, field: Field, weight: int) -> None:
    """Right within the tolerance; otherwise the first slip whose value it is."""
    condition = child(processing, "responseCondition")
    branch = child(condition, "responseIf")
    right = ET.Element("correct", {"identifier": f"R{number}"})
    branch.append(_near(number, right, decimal(field.tolerance)))
    _add(branch, weight)
    _set(branch, f"F{number}", _value("right", "identifier"))
    for k, wrong in enumerate(field.wrong, 1):
        other = child(condition, "responseElseIf")
        other.append(_near(number, _value(wrong.answer, "float"), decimal(field.tolerance)))
        _set(other, f"F{number}", _value(f"W{k}", "identifier"))


def _judge_choice(processing: ET.Element, number: int, weight: int) -> None:
    condition = child(processing, "responseCondition")
    branch = child(condition, "responseIf")
    match = child(branch, "match")
    match.append(_variable(f"R{number}"))
    child(match, "correct", identifier=f"R{number}")
    _add(branch, weight)
    _set(processing, f"F{number}", _variable(f"R{number}"))


def _near(number: int, to: ET.Element, tolerance: str) -> ET.Element:
    """Something was entered, and it is no further off than the tolerance."""
    both = ET.Element("and")
    child(child(both, "not"), "isNull").append(_variable(f"R{number}"))
    equal = child(both, "equal", toleranceMode="absolute", tolerance=f"{tolerance} {tolerance}")
    equal.append(_variable(f"R{number}"))
    equal.append(to)
    return both


def _add(branch: ET.Element, weight: int) -> None:
    total = ET.Element("sum")
    total.append(_variable("RAW"))
    total.append(_value(str(weight), "float"))
    _set(branch, "RAW", total)


def _set(parent: ET.Element, outcome: str, value: ET.Element) -> None:
    child(parent, "setOutcomeValue", identifier=outcome).append(value)


def _variable(name: str) -> ET.Element:
    return ET.Element("variable", {"identifier": name})


def _value(text: str, type: str) -> ET.Element:
    found = ET.Element("baseValue", {"baseType": type})
    found.text = text
    return found


# ── feedback ────────────────────────────────────────────────────────────────────────────────────────────────────


def _modal(outcome: str, identifier: str) -> ET.Element:
    return ET.Element("modalFeedback", {"outcomeIdentifier": outcome, "identifier": identifier, "showHide": "show"})


def _remarks(part: Part) -> Iterator[tuple[str, Spans]]:
    """What is said to whom, by the identifier of what they entered or chose."""
    if isinstance(part, Field):
        for k, wrong in enumerate(part.wrong, 1):
            yield f"W{k}", wrong.said
    else:
        for k, option in enumerate(part.options, 1):
            if option.feedback:
                yield f"C{k}", option.feedback

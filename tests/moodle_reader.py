"""Moodle's side of Moodle XML: reads a file, finds the fields of Cloze questions, and marks what a student enters.

Written from Moodle's documentation and the regular expressions of its question type ``multianswer``; it shares nothing
with what writes the files.
"""

from __future__ import annotations

import html
import re
from base64 import b64decode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

NUMBER = r"-?(?:(?:[0-9]+[.,]?[0-9]*|[.,][0-9]+)(?:[eE][-+]?[0-9]+)?)"
_FRACTION = r"=|%(-?[0-9]+)%"
_ANSWER = r".+?(?<!\\|&)(?<!&amp;)(?=[~#}]|$)"
_FEEDBACK = r".*?(?<!\\)(?=[~}]|$)"
_ALTERNATIVE = rf"(?P<fraction>{_FRACTION})?(?P<answer>{_ANSWER})(?:#(?P<feedback>{_FEEDBACK}))?"
_ONE = re.sub(r"\?P<\w+>", "?:", _ALTERNATIVE)
_KINDS = "NUMERICAL|NM|MULTICHOICE_VS|MULTICHOICE_V|MULTICHOICE_HS|MULTICHOICE_H|MULTICHOICE|MC|SHORTANSWER|SA"
_FIELD = re.compile(rf"\{{(?P<weight>[0-9]*):(?P<kind>{_KINDS}):(?P<all>{_ONE}(?:~{_ONE})*)\}}", re.DOTALL)
_EACH = re.compile(rf"~?{_ALTERNATIVE}", re.DOTALL)


@dataclass(frozen=True)
class Alternative:
    """One answer that a field knows; ``fraction`` is of the field's weight."""

    fraction: float
    answer: str
    tolerance: float
    feedback: str


@dataclass(frozen=True)
class Field:
    """One thing to enter or to choose."""

    weight: float
    kind: str
    alternatives: tuple[Alternative, ...]

    def mark(self, response: str) -> tuple[float, str]:
        """The fraction that a response earns, and what is said to it."""
        for one in self.alternatives:
            if self.kind == "NUMERICAL":
                given, right = _number(response), float(one.answer)
                slack = 1e-9 * max(one.tolerance, abs(right) * 1e-3)
                if given is not None and abs(given - right) <= one.tolerance + slack:
                    return one.fraction, one.feedback
            elif one.answer == response:
                return one.fraction, one.feedback
        return 0.0, ""

    @property
    def right(self) -> str:
        """The answer that earns everything."""
        [found] = [one.answer for one in self.alternatives if one.fraction == 1]
        return found


@dataclass(frozen=True)
class Question:
    """A question as Moodle has it after an import."""

    category: tuple[str, ...]
    type: str
    name: str
    idnumber: str
    grade: float
    text: str
    feedback: str
    files: dict[str, bytes]
    fields: tuple[Field, ...]

    def mark(self, responses: Sequence[str]) -> float:
        """The points for a response to each field."""
        whole = sum(field.weight for field in self.fields)
        got = sum(f.weight * f.mark(r)[0] for f, r in zip(self.fields, responses, strict=True))
        return self.grade * got / whole

    @property
    def right(self) -> list[str]:
        """The responses that earn everything."""
        return [field.right for field in self.fields]


def read(data: bytes) -> tuple[Question, ...]:
    """All questions of a file, each in its category."""
    return tuple(_questions(ET.fromstring(data)))


def _questions(quiz: ET.Element) -> Iterator[Question]:
    assert quiz.tag == "quiz"
    category: tuple[str, ...] = ()
    for node in quiz:
        assert node.tag == "question"
        if node.get("type") == "category":
            path = _text(node, "category/text")
            category = tuple(part.replace("\0", "/") for part in path.replace("//", "\0").split("/"))
            continue
        text = _text(node, "questiontext/text")
        files = {f"{one.get('path')}{one.get('name')}": _decoded(one) for one in node.findall("questiontext/file")}
        yield Question(
            category, str(node.get("type")), _text(node, "name/text"), _text(node, "idnumber"),
            float(_text(node, "defaultgrade")), text, _text(node, "generalfeedback/text"), files,
            tuple(_cloze(text) if node.get("type") == "cloze" else [_single(node)]),
        )  # fmt: skip


def _decoded(file: ET.Element) -> bytes:
    assert file.get("encoding") == "base64"
    return b64decode(file.text or "", validate=True)


def _single(node: ET.Element) -> Field:
    kind = "NUMERICAL" if node.get("type") == "numerical" else "MULTICHOICE"
    found = []
    for answer in node.findall("answer"):
        fraction = float(str(answer.get("fraction"))) / 100
        tolerance = float(answer.findtext("tolerance") or 0)
        found.append(Alternative(fraction, _text(answer, "text"), tolerance, _text(answer, "feedback/text")))
    return Field(1.0, kind, tuple(found))


def _cloze(text: str) -> Iterator[Field]:
    for match in _FIELD.finditer(text):
        kind = "NUMERICAL" if match["kind"] in ("NUMERICAL", "NM") else "MULTICHOICE"
        yield Field(float(match["weight"] or 1), kind, tuple(_alternatives(match["all"], kind)))


def _alternatives(text: str, kind: str) -> Iterator[Alternative]:
    for match in _EACH.finditer(text):
        fraction = 1.0 if match["fraction"] == "=" else float((match["fraction"] or "%0%").strip("%")) / 100
        feedback = html.unescape(match["feedback"] or "")
        if kind == "NUMERICAL":
            number = re.fullmatch(rf"({NUMBER})(?::({NUMBER}))?", match["answer"])
            assert number, match["answer"]
            yield Alternative(fraction, number[1], float(number[2] or 0), feedback)
        else:
            yield Alternative(fraction, html.unescape(match["answer"]), 0.0, feedback)


def _number(text: str) -> float | None:
    try:
        return float(text.strip())
    except ValueError:
        return None


def _text(node: ET.Element, path: str) -> str:
    found = node.find(path)
    assert found is not None, path
    return found.text or ""


# ── pages ───────────────────────────────────────────────────────────────────────────────────────────────────────

VOID = {"img", "br"}
INERT = frozenset("p div span h4 h5 h6 ul ol li table caption thead tbody tr th td strong code pre img br".split())


class Page(HTMLParser):
    """The elements of a fragment in the order of their tags; raises ``AssertionError`` where they do not nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element opens."""
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """An element closes."""
        assert self.open
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Text."""
        self.words.append(data)

    def strangers(self) -> set[str]:
        """Elements that are neither harmless HTML nor MathML."""
        inside = {tag for tag, _ in self.elements}
        return {tag for tag in inside if tag not in INERT and not re.fullmatch(r"math|m[a-z]+", tag)}


def without_fields(text: str) -> str:
    """The page around the fields of a Cloze question."""
    return _FIELD.sub("", text)


def formulas(text: str) -> list[ET.Element]:
    """The formulas of a page, each as XML: raises where one is not well-formed."""
    return [ET.fromstring(one) for one in re.findall(r"<math\b.*?</math>", text, re.DOTALL)]

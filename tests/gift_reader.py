"""Moodle's side of GIFT: an independent reader of categories, numbers with tolerances, choices and judgements.

Written from Moodle's description of the format; it shares nothing with what writes the files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_MEANT = ":#={}~"
_HIDDEN = {c: chr(0xE000 + k) for k, c in enumerate(("\\", *_MEANT))}


@dataclass(frozen=True)
class Answer:
    """One answer; ``fraction`` is of the question's points, ``tolerance`` that of a number."""

    fraction: float
    text: str
    feedback: str
    tolerance: float = 0.0


@dataclass(frozen=True)
class Question:
    """One question: ``kind`` is number, choice or judgement."""

    category: tuple[str, ...]
    title: str
    format: str
    text: str
    kind: str
    answers: tuple[Answer, ...]

    def mark(self, response: str) -> float:
        """The fraction that a response earns."""
        for one in self.answers:
            if self.kind == "number":
                if abs(float(response) - float(one.text)) <= one.tolerance * (1 + 1e-9):
                    return one.fraction
            elif one.text == response:
                return one.fraction
        return 0.0

    @property
    def right(self) -> str:
        """The answer that earns everything."""
        [found] = [one.text for one in self.answers if one.fraction == 1]
        return found


def read(data: bytes) -> tuple[Question, ...]:
    """All questions of a file."""
    return tuple(_questions(data.decode()))


def _questions(text: str) -> Iterator[Question]:
    category: tuple[str, ...] = ()
    for block in re.split(r"\n[ \t]*\n", text):
        lines = [line for line in block.splitlines() if line.strip() and not line.lstrip().startswith("//")]
        if not lines:
            continue
        if lines[0].startswith("$CATEGORY:"):
            assert len(lines) == 1
            path = lines[0].partition(":")[2].strip().replace("//", "\0")
            category = tuple(part.replace("\0", "/") for part in path.split("/"))
            continue
        yield _question(category, "\n".join(lines))


def _question(category: tuple[str, ...], text: str) -> Question:
    hidden = re.sub(r"\\(.)", lambda m: _HIDDEN.get(m[1], m[0]), text)
    titled = re.fullmatch(r"::(.*?)::(?:\[(\w+)\])?([^{}]*)\{([^{}]*)\}\s*", hidden, re.DOTALL)
    assert titled, text[:200]
    title, format, prompt, body = titled.groups()
    kind, answers = _answers(body.strip())
    return Question(category, _shown(title), format or "", _shown(prompt), kind, tuple(answers))


def _answers(body: str) -> tuple[str, list[Answer]]:
    if body.startswith("#"):
        return "number", [_number(one) for one in body[1:].split("=") if one.strip()]
    judged = re.fullmatch(r"(TRUE|FALSE|T|F)(?:#(.*))?", body, re.DOTALL)
    if judged:
        right = judged[1].startswith("T")
        wrong = (judged[2] or "").split("#")[0]
        return "judgement", [
            Answer(float(right), "true", "" if right else _shown(wrong)),
            Answer(float(not right), "false", "" if not right else _shown(wrong)),
        ]
    assert "->" not in body or "[html]" in body
    return "choice", [_option(sign, one) for sign, one in re.findall(r"([=~])([^=~]*)", body)]


def _number(text: str) -> Answer:
    text, _, feedback = text.strip().partition("#")
    weight = re.fullmatch(r"%(-?[\d.]+)%(.*)", text.strip(), re.DOTALL)
    fraction, text = (float(weight[1]) / 100, weight[2]) if weight else (1.0, text)
    value, _, tolerance = text.strip().partition(":")
    float(value)
    return Answer(fraction, value.strip(), _shown(feedback.strip()), float(tolerance or 0))


def _option(sign: str, text: str) -> Answer:
    said, _, feedback = text.strip().partition("#")
    return Answer(float(sign == "="), _shown(said.removeprefix("[html]").strip()), _shown(feedback.strip()))


def _shown(text: str) -> str:
    back = {hidden: c for c, hidden in _HIDDEN.items()}
    return "".join(back.get(c, c) for c in text)

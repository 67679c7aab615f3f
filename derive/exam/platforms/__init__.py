"""An exam's variants on learning platforms: Moodle XML, QTI 2.1 and GIFT, made from the same items.

    Variant, Solutions ─ compose ─▶ Item ─ moodle ─▶ quiz.moodle.xml
                                        ├─ qti ────▶ quiz.qti.zip
                                        └─ gift ───▶ quiz.gift.txt

An ``Item`` knows no format; a format knows no problem. Every variant is turned into its pieces of the files before the
next one is looked at, so that nothing but finished text is held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from derive.errors import ProblemError
from derive.exam.exam import Exam
from derive.exam.platforms import gift, moodle, qti
from derive.exam.platforms.compose import items
from derive.exam.platforms.items import Item
from derive.exam.tolerance import ONE_UNIT, Tolerance
from derive.exam.variant import Variant
from derive.problem import wording
from derive.records import dataclass
from derive.report.compose.statement import localised
from derive.report.document import stem_in
from derive.solution import Solution

Groups = Iterable[tuple[str, Sequence[Any]]]  # the title of each question, and the pieces of its variants


@dataclass(frozen=True, slots=True)
class Platform:
    """How a platform's file is made: a piece of every item, and the whole of a title and all pieces, by question."""

    suffix: str
    piece: Callable[[Item], Any]
    whole: Callable[[str, Groups], bytes]


PLATFORMS: Mapping[str, Platform] = {
    "moodle": Platform("moodle.xml", moodle.question, moodle.quiz),
    "qti": Platform("qti.zip", qti.packed, qti.package),
    "gift": Platform("gift.txt", gift.questions, gift.whole),
}


def known(platforms: Iterable[str]) -> tuple[str, ...]:
    """The platforms, each once. Raises ``ProblemError`` for one that is not known, and for none at all."""
    wanted = tuple(dict.fromkeys(platforms))
    for name in wanted:
        if name not in PLATFORMS:
            tip = wording.hint(name, PLATFORMS) or f"known are {wording.listing(PLATFORMS, 'and')}"
            raise ProblemError(f"the platform {wording.shown(name)} is not known", hint=tip)
    if not wanted:
        raise ProblemError("no platform is named", hint=f"known are {wording.listing(PLATFORMS, 'and')}")
    return wanted


def export(
    exam: Exam,
    solved: Iterable[tuple[Variant, Mapping[str, Solution]]],
    platforms: Iterable[str],
    languages: Sequence[str] = (),
    tolerance: Tolerance = ONE_UNIT,
) -> dict[str, bytes]:
    """The files of an exam for each platform and language, by name (``quiz.moodle.xml``, ``quiz.zh.qti.zip``).

    ``solved`` gives each variant with the solutions of its questions, and is gone through once; ``languages`` are by
    default those of the exam. Raises ``ProblemError`` for an unknown platform or language.
    """
    wanted, languages = known(platforms), tuple(languages) or exam.languages
    pieces: dict[tuple[str, str], dict[str, list[Any]]] = {
        (platform, language): {question.id: [] for question in exam.questions}
        for language in languages
        for platform in wanted
    }
    for variant, solutions in solved:
        for language in languages:
            for item in items(exam, variant, solutions, language, tolerance):
                for platform in wanted:
                    pieces[platform, language][item.question].append(PLATFORMS[platform].piece(item))
    made: dict[str, bytes] = {}
    for (platform, language), by_question in pieces.items():
        titled = [(_title(exam, id, language), found) for id, found in by_question.items()]
        name = f"{stem_in(language, exam.name)}.{PLATFORMS[platform].suffix}"
        made[name] = PLATFORMS[platform].whole(localised(exam.title, language) or exam.name, titled)
    return made


def _title(exam: Exam, id: str, language: str) -> str:
    """A question's number and the title of its problem: different for each, and in their order."""
    number = next(k for k, question in enumerate(exam.questions, 1) if question.id == id)
    problem = exam.question(id).problem
    return f"{number:02d} {localised(problem.title, language) or problem.name}"

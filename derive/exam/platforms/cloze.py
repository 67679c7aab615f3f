"""Moodle's Cloze fields: ``{2:NUMERICAL:=0.5:0.0001~%0%-0.5:0.0001#why it is wrong}`` inside the HTML of a question.

Moodle reads the fields off the finished HTML by a regular expression and decodes entities in answers and feedback once
(``question/type/multianswer/questiontype.php``). So no other brace of the page may open a field, and what stands in an
answer is written in entities where it has a meaning of its own.
"""

from __future__ import annotations

from derive.exam.platforms.fragment import Dialect, inline
from derive.exam.platforms.items import Choice, Field, Judgement, Option
from derive.exam.platforms.targets import decimal
from derive.report.catalogue import Catalogue

_MEANT = {c: f"&#{ord(c)};" for c in '~#{}\\"'}


def outside(html: str) -> str:
    """HTML in which no field begins."""
    return html.replace("{", "&#123;")


def inside(html: str) -> str:
    """HTML as an answer or as feedback: once decoded it is what it was."""
    return "".join(_MEANT.get(c, c) for c in html.replace("&", "&amp;"))


def numerical(field: Field, weight: int, language: str, dialect: Dialect) -> str:
    """The field of one number; what slips give earns nothing and is told the slip."""
    off = decimal(field.tolerance)
    wrong = (f"~%0%{one.answer}:{off}#{inside(inline(one.said, language, dialect))}" for one in field.wrong)
    return f"{{{weight}:NUMERICAL:={field.answer}:{off}{''.join(wrong)}}}"


def choice(task: Choice, weight: int, language: str, dialect: Dialect) -> str:
    """The field of a choice, its options below each other; shuffled where their order means nothing."""
    return _among(task.options, "V" if task.fixed else "VS", weight, language, dialect)


def judgement(task: Judgement, weight: int, words: Catalogue, dialect: Dialect) -> str:
    """The field of a choice between right and wrong."""
    return _among(verdicts(task, words), "V", weight, words.language, dialect)


def verdicts(task: Judgement, words: Catalogue) -> tuple[Option, Option]:
    """Right and wrong as options to choose; why is said to those who miss it."""
    true, false = words.say("platforms.true"), words.say("platforms.false")
    why = task.feedback
    return Option(true, task.true, () if task.true else why), Option(false, not task.true, why if task.true else ())


def _among(options: tuple[Option, ...], how: str, weight: int, language: str, dialect: Dialect) -> str:
    shown = []
    for option in options:
        said = f"{'=' if option.right else '%0%'}{inside(inline(option.said, language, dialect))}"
        shown.append(f"{said}#{inside(inline(option.feedback, language, dialect))}" if option.feedback else said)
    return f"{{{weight}:MULTICHOICE_{how}:{'~'.join(shown)}}}"

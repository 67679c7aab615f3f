"""GIFT: text that a teacher can read, without pictures, formulas as TeX.

A GIFT question holds one number, one choice or one judgement, so that every entry is a question of its own. Those of
one variant lie in a category of their own: its questions belong together, and a quiz takes all of them, none of another
variant. GIFT has no points: every question is worth the same until the platform is told otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from derive.exam.platforms.fragment import plain
from derive.exam.platforms.items import Choice, Entries, Field, Item, Judgement, Option
from derive.exam.platforms.targets import decimal
from derive.records import dataclass
from derive.report.catalogue import catalogue
from derive.report.document import (
    Block,
    Chain,
    Code,
    Display,
    Figure,
    Heading,
    Items,
    Listing,
    Math,
    Note,
    Paragraph,
    Spans,
    Strong,
    Table,
    Text,
)
from derive.report.escape import HTML
from derive.report.latex_dialects import with_gaps

_MEANT = frozenset("\\~=#{}:")


@dataclass(frozen=True, slots=True)
class Question:
    """One question of GIFT; ``variant`` is the code of the variant that it belongs to."""

    variant: str
    text: str


def questions(item: Item) -> tuple[Question, ...]:
    """A question for each entry, each choice and each judgement of an item."""
    return tuple(_questions(item))


def whole(title: str, groups: Iterable[tuple[str, Iterable[tuple[Question, ...]]]]) -> bytes:
    """A whole file: for each question of the exam its title and the questions of every variant."""
    lines: list[str] = []
    for name, variants in groups:
        by_variant: dict[str, list[str]] = {}
        for made in variants:
            for one in made:
                by_variant.setdefault(one.variant, []).append(one.text)
        for code, texts in by_variant.items():
            path = "/".join(("$course$", "top", *(plain(piece).replace("/", "//") for piece in (title, name, code))))
            lines += [f"$CATEGORY: {path}", "", *(line for text in texts for line in (text, ""))]
    return "\n".join(lines).encode()


def escaped(text: str) -> str:
    """Text in which nothing means anything to GIFT."""
    return "".join("\\" + c if c in _MEANT else c for c in text)


def _questions(item: Item) -> Iterator[Question]:
    stated = "".join(_block(block, item.language) for block in item.prompt)
    advice = f"<p>{_line(item.advice)}</p>" if item.advice else ""
    for number, task in enumerate(item.tasks, 1):
        if isinstance(task, Entries):
            for field in task.fields:
                index = f" [{','.join(map(str, field.index))}]" if field.index else ""
                relation = _relation(task)
                asked = catalogue(item.language).say("platforms.enter", name=(*field.label, *relation))
                part = f"{number:02d} {task.quantity}{index}"
                yield _question(item, part, f"{stated}{advice}<p>{_line(asked)}</p>", _number(field))
        else:
            answer = _options(task.options) if isinstance(task, Choice) else _judgement(task)
            yield _question(item, f"{number:02d}", f"{stated}<p>{_line(task.asked)}</p>", answer)


def _relation(task: Entries) -> Spans:
    """The arrow behind a parameter after an update, which its symbol alone does not tell."""
    return (Math(r"\leftarrow"),) if "@" in task.quantity else ()


def _question(item: Item, part: str, prompt: str, answer: str) -> Question:
    title = escaped(f"{plain(item.title)} {part}".strip())
    return Question(item.variant, f"::{title}::[html]{escaped(prompt)}{{{answer}}}")


# ── answers ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _number(field: Field) -> str:
    off = decimal(field.tolerance)
    wrong = (f"=%0%{one.answer}:{off}#{escaped(_line(one.said))}" for one in field.wrong)
    return " ".join(("#", f"={field.answer}:{off}", *wrong))


def _options(options: tuple[Option, ...]) -> str:
    shown = []
    for option in options:
        why = f"#{escaped(_line(option.feedback))}" if option.feedback else ""
        shown.append(f"{'=' if option.right else '~'}[html]{escaped(_line(option.said))}{why}")
    return " ".join(shown)


def _judgement(task: Judgement) -> str:
    """Behind the first sign stands what is said to those who miss it."""
    return f"{'TRUE' if task.true else 'FALSE'}#{escaped(_line(task.feedback))}"


# ── prose in HTML, formulas in TeX ──────────────────────────────────────────────────────────────────────────────


def _text(text: str) -> str:
    return "".join(HTML.get(c, c) for c in plain(text))


def _tex(latex: str) -> str:
    shown = " ".join(with_gaps(latex).split())
    return "\\(" + "".join(HTML.get(c, c) for c in shown) + "\\)"


def _line(spans: Spans) -> str:
    parts = []
    for span in spans:
        match span:
            case Text(words):
                parts.append(_text(words))
            case Strong(words):
                parts.append(f"<strong>{_text(words)}</strong>")
            case Code(words):
                parts.append(f"<code>{_text(words)}</code>")
            case Math(latex):
                parts.append(_tex(latex))
    return "".join(parts)


def _block(block: Block, language: str) -> str:
    match block:
        case Heading(_, spans):
            return f"<h4>{_line(spans)}</h4>"
        case Paragraph(spans) | Note(spans):
            return f"<p>{_line(spans)}</p>"
        case Items(items):
            tag = "ol" if block.ordered else "ul"
            return f"<{tag}>{''.join(f'<li>{_line(one)}</li>' for one in items)}</{tag}>"
        case Display(chains):
            return "".join(f"<p>{_tex(_chain(chain))}</p>" for chain in chains)
        case Table(head, rows):
            return f"<table>{_row('th', head)}{''.join(_row('td', row) for row in rows)}</table>"
        case Figure():
            said = catalogue(language).say("platforms.figure", said=block.alternative)
            return f"<p>{_line(said)}</p>"
        case Listing(_, lines):
            return f"<pre>{'<br>'.join(map(_text, lines))}</pre>"
    raise TypeError(f"no platform shows a {type(block).__name__}")


def _row(tag: str, row: tuple[Spans, ...]) -> str:
    return f"<tr>{''.join(f'<{tag}>{_line(cell)}</{tag}>' for cell in row)}</tr>"


def _chain(chain: Chain) -> str:
    return " ".join((chain.left, *(f"{link.relation} {' '.join(link.terms)}" for link in chain.links)))

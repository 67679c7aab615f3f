"""The room between Chinese and everything else on a line, decided here and nowhere else.

Chinese is set without blanks. Beside a formula, a word in Latin letters, a number or a piece of a program it has one
blank, and none beside a mark of punctuation, which brings its own room. So no catalogue and no caption has to hold
such blanks: ``spaced`` puts them into a finished document, whatever its language, and takes double ones out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from derive.report.document import (
    Block,
    Code,
    Display,
    Document,
    Figure,
    Heading,
    Items,
    Masthead,
    Math,
    Note,
    Paragraph,
    Question,
    Span,
    Spans,
    Table,
    Text,
)

IDEOGRAPHS = "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
"""Characters of Chinese that are no punctuation, as a range of a regular expression."""
MARKS = "\u3001-\u3003\u3008-\u3020\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65\u201c\u201d"
"""Punctuation as wide as a character; curly quotation marks are, where they stand beside one."""
OPENING = "\u3008\u300a\u300c\u300e\u3010\uff08\u201c"
CLOSING = "\u3001\u3002\u3009\u300b\u300d\u300f\u3011\uff01\uff09\uff0c\uff1a\uff1b\uff1f\u201d"
"""The marks that open, and those that no line begins with."""
WIDE = re.compile("[\u2e80-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]")
"""A character that takes two columns of a terminal."""

_HAN = re.compile(f"[{IDEOGRAPHS}]")
_WORD = r"[A-Za-z0-9\u00c0-\u024f\u0370-\u03ff+\u2212-]"
_BETWEEN = re.compile(
    f"(?<=[{IDEOGRAPHS}]) *(?={_WORD})|(?<=[A-Za-z0-9\u00c0-\u024f\u0370-\u03ff%]) *(?=[{IDEOGRAPHS}])"
)
_BESIDE = re.compile(f" *([{MARKS}]) *")


def is_chinese(text: str) -> bool:
    """Whether there is Chinese in the text: a character of the script, or its punctuation."""
    return WIDE.search(text) is not None


def columns(text: str) -> int:
    """The columns of a terminal that a text takes: a character of Chinese two, any other one."""
    return len(text) + len(WIDE.findall(text))


def padded(text: str, width: int) -> str:
    """The text with blanks behind it up to a number of columns."""
    return text + " " * (width - columns(text))


def spaced_text(text: str) -> str:
    """A text with the right blanks between Chinese and words of other scripts; any other text as it is."""
    if not is_chinese(text):
        return text
    return _BESIDE.sub(r"\1", _BETWEEN.sub(" ", text))


def spaced_spans(spans: Spans) -> Spans:
    """A line with the right blanks between Chinese and its formulas, its code, and words of other scripts."""
    if not any(is_chinese(span.text) for span in spans if not isinstance(span, Math | Code)):
        return spans
    found: list[Span] = []
    for span in spans:
        if isinstance(span, Math | Code) or not found or isinstance(found[-1], Math | Code):
            found.append(span)
        elif isinstance(span, Text) and isinstance(found[-1], Text):
            found[-1] = Text(found[-1].text + span.text)
        else:
            found.append(span)
    found = [span if isinstance(span, Math | Code) else replace(span, text=spaced_text(span.text)) for span in found]
    out: list[Span] = []
    for k, span in enumerate(found):
        if isinstance(span, Math | Code):
            out.append(span)
            continue
        text = span.text
        after = isinstance(found[k - 1], Math | Code) if k else False
        before = isinstance(found[k + 1], Math | Code) if k + 1 < len(found) else False
        if after:
            text = _opened(text)
        if before:
            text = _closed(text)
        if text:
            out.append(replace(span, text=text))
    return tuple(out)


def _opened(text: str) -> str:
    """A text behind a formula."""
    bare = text.lstrip(" ")
    if _HAN.match(bare):
        return " " + bare
    return bare if re.match(f"[{MARKS}]", bare) else text


def _closed(text: str) -> str:
    """A text before a formula."""
    bare = text.rstrip(" ")
    if _HAN.search(bare[-1:]):
        return bare + " "
    return bare if re.search(f"[{MARKS}]", bare[-1:]) else text


def spaced(document: Document) -> Document:
    """The document with these blanks in all of its prose. To do it again changes nothing."""
    return replace(document, title=spaced_text(document.title), blocks=tuple(map(_block, document.blocks)))


def _block(block: Block) -> Block:
    match block:
        case Heading() | Paragraph() | Note():
            return replace(block, spans=spaced_spans(block.spans))
        case Question():
            return replace(block, spans=spaced_spans(block.spans), points=spaced_text(block.points))
        case Display(points=points) if points:
            return replace(block, points=spaced_text(points))
        case Masthead(lines, fields):
            fields = tuple((spaced_text(label), spaced_text(filled)) for label, filled in fields)
            return replace(block, lines=_lines(lines), fields=fields)
        case Items(items):
            return replace(block, items=_lines(items), points=tuple(map(spaced_text, block.points)))
        case Table(head, rows):
            return replace(block, head=_lines(head), rows=tuple(map(_lines, rows)), caption=spaced_spans(block.caption))
        case Figure(_, caption, alternative):
            return replace(block, caption=spaced_spans(caption), alternative=spaced_text(alternative))
    return block


def _lines(lines: Iterable[Spans]) -> tuple[Spans, ...]:
    return tuple(map(spaced_spans, lines))

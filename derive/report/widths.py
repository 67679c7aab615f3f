"""How wide a formula can be at most, from the classes of its characters: cheap, and never too little.

The bound saves the exact measurement: what fits by the bound fits. Numbers are em of the running text, from the
advance widths of Computer Modern (the widest of a class) and TeX's spaces around operators (4/18) and relations (5/18).
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache

from derive.report.document import Code, Math, Span, Spans, Strong, Text
from derive.report.escape import BREAK, softened
from derive.report.latex_reader import parse
from derive.report.latex_tree import (
    BIG_OPERATORS,
    BINARY,
    GREEK,
    NAMED_OPERATORS,
    RELATIONS,
    Accent,
    Array,
    Big,
    Boxed,
    Braced,
    Fenced,
    Fraction,
    Group,
    Node,
    Number,
    Operator,
    Phantom,
    Root,
    Row,
    Scripts,
    Space,
    Styled,
    Switch,
    Symbol,
    Words,
)
from derive.report.spacing import CLOSING, IDEOGRAPHS

# Advance widths of Computer Modern Roman in thousandths of an em, letter by letter.
_WIDTHS = {
    278: "ijlI.,:;!'|`[]", 306: "fj", 334: " -", 361: "I", 392: "rst()", 444: "cez", 500: "ago012345689/\"_~^",
    515: "7", 528: "kqvxy?", 556: "bdhnpuS$", 611: "Z", 625: "LJ", 681: "EPF", 722: "wBCT", 764: "ADHNRUVXY",
    779: "GKOQ+=<>&@*", 834: "m%#", 917: "M", 1028: "W",
}  # fmt: skip
_ROMAN = {c: width / 1000 for width, letters in _WIDTHS.items() for c in letters}
# A line of Chinese may end before any character and behind the marks that close something.
_PLACES = re.compile(f"[ {BREAK}]|(?=[{IDEOGRAPHS}])|(?<=[{CLOSING}])(?![{CLOSING}])")
_SCRIPT = 0.76  # of the size of a base
_MARKS = {
    "+": 1.23, "-": 1.23, "*": 0.95, "=": 1.34, "<": 1.34, ">": 1.34, ":": 0.84, ",": 0.45, ";": 0.45, ".": 0.28,
    "!": 0.28, "?": 0.48, "'": 0.31, "|": 0.28, "(": 0.39, ")": 0.39, "[": 0.29, "]": 0.29, "/": 0.5,
}  # fmt: skip


@lru_cache(maxsize=1024)
def bound(latex: str) -> float:
    """An upper bound of the width of a displayed formula, in em."""
    return _row(parse(latex))


@lru_cache(maxsize=1024)
def text_bound(text: str, face: float = 1.02) -> float:
    """An upper bound of the width of prose in em; ``face`` is 1.2 for bold."""
    return sum([_ROMAN.get(c, 1.03) for c in text]) * face


def span_bound(span: Span) -> float:
    """An upper bound of the width of one span, in em."""
    match span:
        case Math(latex):
            return bound(latex)
        case Code(text):
            return 0.54 * len(text)
        case Strong(text):
            return text_bound(text, 1.2)
        case Text(text):
            return text_bound(text)


def spans_bound(spans: Spans) -> float:
    """An upper bound of the width of spans set on one line, in em."""
    return sum(map(span_bound, spans))


def unbreakable_bound(spans: Spans) -> float:
    """An upper bound of the widest piece of the spans in which no line may end, in em."""
    widest = piece = 0.0
    for span in spans:
        if isinstance(span, Math):
            piece += span_bound(span)
        else:
            first, *rest = _PLACES.split(softened(span.text))
            piece += span_bound(replace(span, text=first))
            for word in rest:
                widest, piece = max(widest, piece), span_bound(replace(span, text=word))
    return max(widest, piece)


def _row(row: Row) -> float:
    return sum(map(_node, row))


@lru_cache(maxsize=2048)
def _node(node: Node) -> float:
    match node:
        case Symbol(name):
            return _symbol(name)
        case Number(digits):
            return 0.52 * len(digits)
        case Group(body) | Phantom(body):
            return _row(body)
        case Scripts(base, sub, sup, primes):
            return _node(base) + 0.1 + max(_row(sub or ()), _row(sup or ()) + 0.4 * primes) * _SCRIPT
        case Fraction(_, above, below):
            return max(_row(above), _row(below)) + 0.3
        case Root(index, body):
            return _row(index or ()) + _row(body) + 1.1
        case Fenced(_, body, _):
            return _row(body) + 2.1
        case Big():
            return 0.9
        case Styled(style, body):
            return _row(body) * (1.0 if style == "mathrm" else 1.35) + 0.3 * len(body)
        case Words(text):
            return text_bound(text)
        case Operator(name):
            return text_bound(name) + 0.34
        case Accent(_, body):
            return max(_row(body), 0.6) + 0.15
        case Space(width):
            return max(width, 0.0)
        case Switch():
            return 0.0
        case Braced(_, body):
            return _row(body) + 1.0
        case Boxed(body):
            return _row(body) + 1.0
        case Array():
            columns = max(len(row) for row in node.rows)
            widest = [max((_row(row[c]) for row in node.rows if c < len(row)), default=0.0) for c in range(columns)]
            return sum(widest) + 1.0 * columns + 2.0


def _symbol(name: str) -> float:
    if not name.startswith("\\"):
        if name.isalpha():
            return {"m": 0.9, "w": 0.74, "W": 1.1, "M": 1.1}.get(name, 0.95 if name.isupper() else 0.64)
        return _MARKS[name]
    word = name[1:]
    if word in GREEK:
        return 0.86 if word[0].isupper() or word == "varpi" else 0.72
    if word in BINARY:
        return 1.25
    if word in RELATIONS:
        return 2.3 if word[0].isupper() or word.startswith("long") or word in ("iff", "implies") else 1.7
    if word in BIG_OPERATORS:
        return 1.85
    if word in NAMED_OPERATORS:
        return text_bound(word) + 0.4
    return {"cdots": 1.6, "ldots": 1.6, "dots": 1.6, "ddots": 1.3}.get(word, 1.05)

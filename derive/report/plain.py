"""A document as text for a terminal: formulas on one line in Unicode, prose folded to the width of the page.

The formulas are the same LaTeX that every format is made from, read through the same tree.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

from derive.report.document import (
    Block,
    Chain,
    Code,
    Display,
    Document,
    Figure,
    Heading,
    Items,
    Listing,
    Masthead,
    Math,
    Note,
    Paragraph,
    Question,
    Room,
    Spans,
    Table,
)
from derive.report.latex_reader import parse
from derive.report.latex_tree import (
    Accent,
    Array,
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
    Symbol,
    Words,
    children,
)
from derive.report.spacing import CLOSING, IDEOGRAPHS, MARKS, OPENING, WIDE, columns, padded, spaced
from derive.report.typst_math import GLYPHS

# What stays on one line: a character of Chinese, or a word of any other script, with the marks that close it.
_PIECE = re.compile(rf"(?:[{OPENING}]*(?:[{IDEOGRAPHS}]|[^\s{IDEOGRAPHS}{MARKS}]+)|[{OPENING}]+)[{CLOSING}]*\s*|\s+|.")
WIDTH = 100
INDENT = "    "


def plain(document: Document, width: int = WIDTH) -> str:
    """The document as lines of text; figures are told by their alternative in words."""
    document = spaced(document)
    blocks = ["\n".join(_block(block, width)) for block in document.blocks]
    return "\n\n".join([document.title, *blocks]) + "\n"


def _block(block: Block, width: int) -> Iterator[str]:
    match block:
        case Heading(level, spans):
            text = words(spans)
            yield text
            yield ("=" if level == 1 else "-") * columns(text)
        case Paragraph(spans) | Note(spans):
            yield from _folded(words(spans), width)
        case Display(chains):
            for chain in chains:
                yield from _chain(chain, width)
        case Items(items, ordered):
            for k, item in enumerate(items, start=1):
                mark = f"({chr(96 + k)}) " if block.letters else f"{k}. " if ordered else "- "
                points = f" {block.points[k - 1]}" if block.points else ""
                yield from _folded(mark + words(item) + points, width, indent=len(mark))
        case Table(head, rows):
            yield from _table([[words(cell) for cell in row] for row in (head, *rows)])
        case Question(number, spans, points):
            yield from _folded(f"{number}{'' if block.part else '.'} {words(spans)} {points}", width)
        case Masthead(lines, fields, _, code):
            for line in lines:
                yield from _folded(words(line), width)
            yield from (f"{label} {filled or '_' * 24}" for label, filled in fields)
            yield code
        case Room():
            yield ""
        case Listing(_, lines):
            yield from (INDENT + line if line else line for line in lines)
        case Figure(_, _, alternative):
            yield from _folded(f"[{alternative}]", width)


def _chain(chain: Chain, width: int) -> Iterator[str]:
    left = formula(chain.left)
    for k, link in enumerate(chain.links):
        start = INDENT + (left if k == 0 else " " * len(left)) + f" {formula(link.relation)} "
        line = start
        for n, term in enumerate(map(formula, link.terms)):
            if n and len(line) + len(term) > width:
                yield line.rstrip()
                line = " " * len(start)
            line += (f"{term[0]} {term[1:].lstrip()}" if n and term[0] in "+−" else term) + " "
        yield line.rstrip()


def _table(rows: list[list[str]]) -> Iterator[str]:
    widths = [max(map(columns, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(map(padded, row, widths)).rstrip()


def _folded(text: str, width: int, indent: int = 0) -> Iterator[str]:
    """Lines of at most ``width`` columns; Chinese may end a line before any character that is no mark."""
    if not WIDE.search(text):
        yield from textwrap.wrap(text, width, subsequent_indent=" " * indent)
        return
    line = ""
    for piece in _PIECE.findall(text):
        if line.strip() and columns((line + piece).rstrip()) > width:
            yield line.rstrip()
            line = " " * indent + piece.lstrip()
        else:
            line += piece
    yield line.rstrip()


def words(spans: Spans) -> str:
    """Prose with its formulas, on one line."""
    return "".join(
        formula(span.latex) if isinstance(span, Math) else f"`{span.text}`" if isinstance(span, Code) else span.text
        for span in spans
    )


# ── formulas ────────────────────────────────────────────────────────────────────────────────────────────────────

_SUPERSCRIPTS = str.maketrans("0123456789+-()ni", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿⁱ")
_SPACED = frozenset("=≈+−⊙⊘·×≤≥→⇒<>")


def formula(latex: str) -> str:
    """A formula on one line: ``Σ_{i≤N} z_ik g_il`` for a sum from 1 to N, ``a/b`` for a fraction.

    Raises ``ProblemError`` for what is not in the subset that derive sets.
    """
    return " ".join(_row(parse(latex)).split())


def _row(row: Row) -> str:
    text = ""
    for k, node in enumerate(row):
        shown = _node(node)
        if shown in _SPACED:
            text += shown if shown == "−" and not text.strip() else f" {shown} "
        elif k and not isinstance(node, Fenced) and _stands_apart(row[k - 1], node):
            text += f" {shown}"
        else:
            text += shown
    return text


def _stands_apart(before: Node, node: Node) -> bool:
    """Factors side by side are kept apart; brackets, signs and what follows a function's name are not."""
    before, node = (part.base if isinstance(part, Scripts) else part for part in (before, node))
    if isinstance(before, Symbol) and before.name in ("(", "[", "{", "|", "\\partial", "-", "/"):
        return False
    if isinstance(node, Symbol) and node.name in (")", "]", ",", "/"):
        return False
    return not (isinstance(node, Symbol) and node.name == "(" and not isinstance(before, Number))


def _node(node: Node) -> str:
    match node:
        case Symbol("-"):
            return "−"
        case Symbol(name):
            return GLYPHS.get(name[1:], name[1:]) if name.startswith("\\") else name
        case Number(digits):
            return digits
        case Scripts(Symbol("\\sum"), sub, sup) if sub and sup and isinstance(sub[0], Symbol):
            return f"Σ_{{{_node(sub[0])}≤{_row(sup)}}}"
        case Scripts(base, sub, sup, primes):
            return _node(base) + "'" * primes + _lowered(sub) + _raised(sup)
        case Fraction(_, above, below):
            return f"{_part(above)}/{_part(below)}"
        case Root(_, body):
            return f"√{_part(body)}"
        case Fenced(_, (Array() as array,), _):  # which has brackets of its own on a line
            return _node(array)
        case Fenced(left, body, right):
            return f"{left}{_row(body)}{right}"
        case Phantom():
            return ""
        case Styled(_, body) | Group(body):
            return _row(body).replace(" ", "")
        case Words(text):
            return text
        case Operator(name):
            return name
        case Accent(accent, body):
            return f"{accent}({_row(body)})" if accent != "hat" else f"{_row(body)}\u0302"
        case Space():
            return " "
        case Array(_, _, rows):
            return "(" + "; ".join("  ".join(_row(cell) for cell in row) for row in rows) + ")"
    return "".join(_row(row) for row in children(node))


def _lowered(sub: Row | None) -> str:
    return "" if sub is None else "_" + _row(sub).replace(" ", "")


def _raised(sup: Row | None) -> str:
    if sup is None:
        return ""
    text = _row(sup).strip()
    if text == "⊤":
        return "ᵀ"
    if all(character in "0123456789" for character in text):
        return text.translate(_SUPERSCRIPTS)
    return f"^({text})" if len(text) > 1 else f"^{text}"


def _part(row: Row) -> str:
    """Above or below a line: in brackets unless it is one piece."""
    text = _row(row).strip()
    return text if len(row) == 1 or (len(row) == 2 and text.startswith("∂")) else f"({text})"

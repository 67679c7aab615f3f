"""How the numbers of a finished document are set: their columns aligned, and with the decimal sign that is wanted.

Everything before this step writes a decimal point, as NumPy, JSON and the problem file do, and so do listings of a
program after it. With a comma, ``0.5`` is written ``0{,}5`` (in TeX the braces keep it one number), and what commas
separated is separated by semicolons wherever one of the separated things has a decimal comma: ``max(0; 0,5)``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, partial

from derive.report.alignment import aligned, aligned_table
from derive.report.catalogue import Catalogue
from derive.report.document import (
    Block,
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
from derive.report.latex_reader import tokens
from derive.report.notation.printed import UNDECIDED
from derive.report.scene import Bare, Scene

_POINT = re.compile(r"(?<=\d)\.(?=\d)")
_OPENS = frozenset(("(", "[", "{", r"\{", r"\lbrace", r"\lbrack", r"\langle"))
_CLOSES = frozenset((")", "]", "}", r"\}", r"\rbrace", r"\rbrack", r"\rangle"))


def set_numbers(document: Document, words: Catalogue) -> Document:
    """The document with its columns of numbers aligned, and with the decimal sign of ``words``.

    Titles, captions and other words of a user's stay as they are. What a number is called whose digits cannot be
    decided is said in the language.
    """
    undecided = rf"\text{{{words.text('terminal.undecided')}}}"
    document = replace(document, blocks=tuple(_laid_out(block, undecided) for block in document.blocks))
    sign = words.text("locale.decimal")
    if sign == ".":
        return document
    commas = {words.text("locale.comma"): words.text("locale.semicolon")}
    return replace(document, blocks=tuple(_signed(block, sign, commas) for block in document.blocks))


def in_text(text: str, sign: str) -> str:
    """Plain text with the decimal sign in its numbers: ``0,5`` and ``1,2e-05``."""
    return text if sign == "." else _POINT.sub(sign, text)


@lru_cache(maxsize=1024)
def in_latex(latex: str, sign: str) -> str:
    """A formula with the decimal sign in its numbers, and its lists told apart from it."""
    if sign == "." or "." not in latex:
        return latex
    # Each level of brackets, cells of a matrix included: where its commas are, and whether a number of it has a sign.
    pieces: list[str] = []
    levels: list[tuple[list[int], bool]] = [([], False)]

    def close() -> bool:
        commas, decimal = levels.pop()
        for place in commas if decimal else ():
            pieces[place] = ";"
        return decimal

    for token in tokens(latex):
        text = token.text
        if token.kind == "number" and "." in text:
            text = text.replace(".", "{" + sign + "}")
            levels[-1] = (levels[-1][0], True)
        elif text in _OPENS or text.startswith(r"\begin"):
            levels.append(([], False))
        elif (text in _CLOSES or text.startswith(r"\end")) and len(levels) > 1:
            inner = close()
            levels[-1] = (levels[-1][0], levels[-1][1] or inner)
        elif text in ("&", r"\\"):
            close()
            levels.append(([], False))
        elif text == "," and token.kind == "character":
            levels[-1][0].append(len(pieces))
        pieces.append(text)
    while levels:
        close()
    return "".join(pieces)


# ── a document, block by block ──────────────────────────────────────────────────────────────────────────────────


def _laid_out(block: Block, undecided: str) -> Block:
    if isinstance(block, Figure):  # whose labels keep the room that was measured for them
        return block
    changed = _formulas(block, lambda latex: aligned(latex.replace(UNDECIDED, undecided)), lambda spans: spans)
    return aligned_table(changed) if isinstance(changed, Table) else changed


def _signed(block: Block, sign: str, commas: dict[str, str]) -> Block:
    changed = _formulas(block, partial(in_latex, sign=sign), partial(_told_apart, commas=commas))
    if isinstance(changed, Figure):
        return replace(changed, alternative=in_text(changed.alternative, sign))
    return changed


def _told_apart(spans: Spans, commas: dict[str, str]) -> Spans:
    """A line with semicolons between formulas that have decimal commas."""

    def decimal(place: int) -> bool:
        span = spans[place] if 0 <= place < len(spans) else None
        return isinstance(span, Math) and "{,}" in span.latex

    return tuple(
        Text(commas[span.text])
        if isinstance(span, Text) and span.text in commas and decimal(place - 1) and decimal(place + 1)
        else span
        for place, span in enumerate(spans)
    )


def _formulas(block: Block, change: Callable[[str], str], finish: Callable[[Spans], Spans]) -> Block:
    """The block with every formula changed, and every line of spans finished after that."""

    def span(one: Span) -> Span:
        return Math(change(one.latex)) if isinstance(one, Math) else one

    def line(spans: Spans) -> Spans:
        return finish(tuple(map(span, spans)))

    match block:
        case Heading() | Paragraph() | Note() | Question():
            return replace(block, spans=line(block.spans))
        case Masthead(lines):
            return replace(block, lines=tuple(map(line, lines)))
        case Items(items):
            return replace(block, items=tuple(map(line, items)))
        case Table(head, rows):
            return replace(
                block,
                head=tuple(map(line, head)),
                rows=tuple(tuple(map(line, row)) for row in rows),
                caption=line(block.caption),
            )
        case Display(chains):
            return replace(
                block,
                chains=tuple(
                    replace(
                        chain,
                        left=change(chain.left),
                        links=tuple(replace(link, terms=tuple(map(change, link.terms))) for link in chain.links),
                    )
                    for chain in chains
                ),
            )
        case Figure(scene):
            return replace(block, scene=_labels(scene, change), caption=line(block.caption))
    return block


def _labels(scene: Scene, change: Callable[[str], str]) -> Scene:
    marks = tuple(mark if isinstance(mark, Bare) else replace(mark, latex=change(mark.latex)) for mark in scene.marks)
    return replace(scene, marks=marks)

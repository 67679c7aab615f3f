"""What readers of Markdown make of a report's formulas: one that knows mathematics, and one that does not.

Both are markdown-it, a CommonMark reader with GitHub's tables. With its plug-in for dollars it reads as Jupyter,
Obsidian and VS Code do, which look for mathematics first; without it as GitHub does, which looks afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin

import corpus
from derive.report.breaking import lay_out
from derive.report.document import Display, Document, Figure, Items, Math, Spans, Table
from derive.report.latex_dialects import for_markdown
from derive.report.spacing import spaced

PLAIN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
WITH_MATHS = (
    MarkdownIt("commonmark")
    .enable(["table", "strikethrough"])
    .use(dollarmath_plugin, allow_space=False, allow_digits=False, allow_labels=False, allow_blank_lines=False)
)
# What GitHub's MathJax refuses, and what Markdown would take away: a backslash before punctuation.
REFUSED = re.compile(r"\\(?:operatorname|mbox|phantom|[^A-Za-z])")
_BLANK = re.compile(r"\s+")


def inline(tokens: list[Token]) -> Iterator[Token]:
    """The tokens inside of lines, in order."""
    for token in tokens:
        yield from token.children or ()


def _formulas(lines: Iterator[Spans]) -> list[str]:
    return [for_markdown(span.latex) for line in lines for span in line if isinstance(span, Math)]


def _displays(document: Document) -> list[str]:
    """The displayed formulas without blanks."""
    layout = lay_out(document)
    found = []
    for place, block in enumerate(document.blocks):
        if isinstance(block, Display):
            rows = (
                for_markdown(row.left) + "&" + r"\quad" * row.indent + for_markdown(row.relation)
                + for_markdown(row.latex) for row in layout.rows[place]
            )  # fmt: skip
            body = r"\begin{aligned}" + r"\cr".join(rows) + r"\end{aligned}"
            found.append(_BLANK.sub("", rf"\boxed{{{body}}}" if block.boxed else body))
    return found


def misread(document: Document, markdown: str) -> list[str]:
    """What a reader of the Markdown would take otherwise than it was meant; every formula is looked at."""
    document = spaced(document)
    wanted, displays = _formulas(corpus.prose(document)), _displays(document)
    slips = [f"refused: {latex}" for latex in (*wanted, *displays) if REFUSED.search(latex)]

    tokens = WITH_MATHS.parse(markdown)
    found = [token.content for token in inline(tokens) if token.type == "math_inline"]
    slips += [f"with maths: {a} is read as {b}" for a, b in _pairs(wanted, found)]
    found = [_BLANK.sub("", token.content) for token in tokens if token.type == "math_block"]
    slips += [f"with maths: {a} is read as {b}" for a, b in _pairs(displays, found)]
    slips += [f"a dollar is left: {token.content}" for token in inline(tokens) if _loose(token)]

    tokens = PLAIN.parse(markdown)
    lines = ["".join(_kept(token) for token in part.children or ()) for part in tokens if part.type == "inline"]
    shown = [line for line in lines if not line.startswith("$$")]
    # GitHub: behind white space or an opening bracket, and before white space or punctuation
    github = re.compile(r"(?<![^\s(])\$([^$\s](?:[^$]*[^$\s])?)\$(?![\w$])")
    found = [latex for line in shown for latex in github.findall(line)]
    slips += [f"without maths: {a} is read as {b}" for a, b in _pairs(wanted, found)]
    found = [_BLANK.sub("", line.strip("$\n")) for line in lines if line.startswith("$$")]
    slips += [f"without maths: {a} is read as {b}" for a, b in _pairs(displays, found)]

    count = {kind: sum(token.type == kind for token in tokens) for kind in ("table_open", "ordered_list_open", "hr")}
    tables = sum(isinstance(block, Table) for block in document.blocks)
    lists = sum(isinstance(block, Items) and block.ordered for block in document.blocks)
    slips += [] if list(count.values()) == [tables, lists, 0] else [f"blocks: {count}"]
    images = sum(token.type == "image" for token in inline(tokens))
    slips += [] if images == sum(isinstance(block, Figure) for block in document.blocks) else [f"{images} images"]
    return slips


def _pairs(wanted: list[str], found: list[str]) -> list[tuple[str, str]]:
    """Where two lists differ."""
    if len(wanted) != len(found):
        return [(f"{len(wanted)} formulas", f"{len(found)}")]
    return [(a, b) for a, b in zip(wanted, found, strict=True) if a != b]


def _loose(token: Token) -> bool:
    return token.type == "text" and "$" in token.content


def _kept(token: Token) -> str:
    """What a reader sees of a token; a dollar of prose stands in a tag of its own and is none of mathematics."""
    if token.type in ("softbreak", "hardbreak"):
        return "\n"
    return token.content if token.type == "text" else "·" if token.type == "html_inline" else ""

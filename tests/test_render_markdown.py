"""Markdown: what GitHub, Jupyter and VS Code are given, and what Markdown makes of it."""

from __future__ import annotations

import re

import math_core
import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

import mathml
from derive.report.document import Code, Display, Document, Figure, Heading, Math, Paragraph, Spans, Strong, Table, Text
from derive.report.escape import plain
from derive.report.latex_dialects import for_markdown
from derive.report.render import render
from documents import HOSTILE, HOSTILE_STRINGS, REALISTIC, WIDE, chain
from formulas import FORMULAS

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def document(*blocks: Paragraph | Display | Heading | Table) -> Document:
    return Document("sample", "Sample", "en", blocks)


def body(*blocks: Paragraph | Display | Heading | Table) -> str:
    """The Markdown of the blocks, without the title."""
    return render(document(*blocks), "md").text.split("\n", 2)[2].strip("\n")


def inline(tokens: list[Token]) -> list[Token]:
    return [child for token in tokens for child in token.children or ()]


def shown(tokens: list[Token]) -> str:
    """The text a reader sees."""
    return "".join(
        token.content if token.type in ("text", "code_inline") else "\n" * (token.type == "softbreak")
        for token in inline(tokens)
    )


@pytest.mark.parametrize("formula", FORMULAS)
def test_markdown_without_maths_leaves_every_formula_alone(formula: str) -> None:
    """A CommonMark reader that knows no maths changes no character of an inline or displayed formula.

    So it does not matter whether a site looks for dollars before or after it reads Markdown.
    """
    for text in (
        body(Paragraph((Text("so "), Math(formula), Text(" and "), Math(formula), Text("; "), Math(formula)))),
        body(Display((chain(formula, ("=", formula, "+ " + formula), (r"\approx", formula)),))),
        body(Display((chain("", ("", formula)),))),
        body(Display((chain("", (">", "- 1")), chain("", ("", "+ 1"))), boxed=True)),
    ):
        read = MARKDOWN.parse(text)
        assert [token.type for token in read] == ["paragraph_open", "inline", "paragraph_close"]
        assert {token.type for token in inline(read)} <= {"text", "softbreak"}
        stripped = "\n".join(line.strip() for line in text.splitlines())
        assert shown(read) == stripped


# The bar in an array's columns has no other spelling; no array stands in a table.
@pytest.mark.parametrize("formula", [formula for formula in FORMULAS if r"{cc|c}" not in formula])
def test_a_formula_in_a_table_keeps_its_cell(formula: str) -> None:
    """No bar of a formula ends a cell."""
    read = MARKDOWN.parse(body(Table(((Text("a"),), (Text("b"),)), (((Math(formula),), (Text("|"),)),), "lr")))
    cells = [token for token in read if token.type == "inline"]
    assert [shown([cell]) for cell in cells] == ["a", "b", f"${for_markdown(formula)}$", "|"]


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_formula_for_markdown_stays_the_same_formula(formula: str) -> None:
    """The rewritten formula has no macro that GitHub refuses, and an independent converter reads the same in both."""
    written = for_markdown(formula)
    assert "\n" not in written
    assert not re.search(r"\\(?:operatorname|mbox|phantom|[^A-Za-z])", written)
    convert = math_core.LatexToMathML().convert_with_local_state
    before, after = (
        mathml.read(convert(text, displaystyle=True))
        for text in (
            re.sub(r"\[\d+ex\]", "", formula).replace(r"\_", "-"),
            written.replace(r"\cr ", r"\\ "),
        )  # math-core knows no \cr
    )
    assert after == before


def test_rewriting_is_visible_where_it_must_be() -> None:
    """The pitfalls by name: operatorname, braces, bars, spaces, row ends, angles, brackets, underscores."""
    assert for_markdown(r"\operatorname{softmax}(z)") == r"\mathrm{softmax}(z)"
    assert for_markdown(r"\{1\}") == r"\lbrace1\rbrace"
    assert for_markdown("|x|") == r"\vert x\vert"
    assert for_markdown(r"a\,b\!c\;d") == r"a\thinspace b\negthinspace c\thinspace\thinspace d"
    assert for_markdown(r"\begin{cases} a \\[3ex] b \end{cases}") == r"\begin{cases} a \cr b \end{cases}"
    assert for_markdown("a<b") == r"a \lt b"
    assert for_markdown("[1](2)") == r"\lbrack1\rbrack(2)"
    assert for_markdown(r"\hat{y}_1x_1") == r"\hat{y}_ 1x_1"
    assert for_markdown(r"\sqrt[3]{x}\phantom{abc}y") == r"\sqrt[3]{x}\quad y"


@pytest.mark.parametrize("text", HOSTILE_STRINGS)
def test_prose_prints_as_it_was_written(text: str) -> None:
    """Headings, paragraphs, strong words, code, cells and notes show every character and nothing more."""
    expected = plain(text).strip()
    for block in (
        Heading(1, (Text(text),)),
        Paragraph((Text(text),)),
        Paragraph((Strong(text),)),
        Paragraph((Code(text),)),
    ):
        read = MARKDOWN.parse(body(block))
        assert shown(read).strip() == expected
        assert len([token for token in read if token.type == "inline"]) == 1
        kinds = {token.type for token in inline(read)} - {"strong_open", "strong_close"}
        assert kinds <= {"text", "code_inline", "html_inline"}
        assert {t.content for t in inline(read) if t.type == "html_inline"} <= {
            "<span>",
            "</span>",
            "<strong>",
            "</strong>",
        }
    table = MARKDOWN.parse(body(Table(((Text("a"),), (Text("b"),)), (((Text(text),), (Code(text),)),), "lr")))
    cells = [shown([token]).strip() for token in table if token.type == "inline"]
    assert cells == ["a", "b", expected, expected]


@pytest.mark.parametrize("text", HOSTILE_STRINGS)
@pytest.mark.parametrize("neighbour", ["a", ".", " "])
def test_strong_words_are_strong_between_any_neighbours(text: str, neighbour: str) -> None:
    """Whatever stands beside the stars, what a reader sees has no stars."""
    read = MARKDOWN.parse(body(Paragraph((Text("x" + neighbour), Strong(text), Text(neighbour + "x")))))
    assert shown(read) == f"x{neighbour}{plain(text)}{neighbour}x"
    kinds = [token.type for token in inline(read)]
    assert ("strong_open" in kinds) != any(token.content == "<strong>" for token in inline(read))


def test_blanks_stand_round_inline_maths() -> None:
    """A dollar opens behind a blank and closes before a blank or a full stop."""
    spans: Spans = (
        Text("("),
        Math("x"),
        Text("的"),
        Math("y"),
        Math("z"),
        Text("."),
        Strong("b"),
        Math("w"),
        Text(")"),
    )
    assert body(Paragraph(spans)) == "( $x$ 的 $y$ $z$.**b** $w$)"


def test_a_dollar_in_prose_is_no_maths() -> None:
    """A price beside a formula stays a price, on GitHub too."""
    assert body(Paragraph((Text("$5 and "), Math("x")))) == r"<span>\$</span>5 and $x$"


def test_figures_lie_beside_the_text() -> None:
    """Each figure is an SVG file that the text names."""
    rendered = render(REALISTIC, "md")
    assert list(rendered.attachments) == ["case1-figure-1.svg"]
    assert rendered.attachments["case1-figure-1.svg"].startswith(b"<svg")
    images = [token for token in inline(MARKDOWN.parse(rendered.text)) if token.type == "image"]
    assert [image.attrs["src"] for image in images] == ["case1-figure-1.svg"]
    figure = next(block for block in REALISTIC.blocks if isinstance(block, Figure))
    assert images[0].content == figure.alternative


@pytest.mark.parametrize("sample", [REALISTIC, WIDE, HOSTILE], ids=lambda sample: sample.name)
def test_structure_survives(sample: Document) -> None:
    """Markdown finds as many headings, tables and images as the document has, and no list, quote or rule of its own."""
    read = MARKDOWN.parse(render(sample, "md").text)
    count = {
        kind: sum(token.type == kind for token in read)
        for kind in ("heading_open", "table_open", "hr", "code_block", "fence", "html_block")
    }
    assert count["heading_open"] == 1 + sum(isinstance(block, Heading) for block in sample.blocks)
    assert count["table_open"] == sum(isinstance(block, Table) for block in sample.blocks)
    assert count["hr"] == count["code_block"] == count["fence"] == count["html_block"] == 0

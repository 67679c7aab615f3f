"""The corpus in every format: no error, nothing wider than its room, no formula read otherwise than it was written.

A sample runs each time; ``-m nightly`` runs the rest.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

import corpus
from corpus import CHAPTERS, NAMES, SOURCES, documents, formulas
from derive.report.document import Document, Math, Paragraph, Table, Text
from derive.report.pdf import pdf
from derive.report.render import render
from differences import different
from documents import REALISTIC
from formulas import WIDE_MATRIX
from markdown_maths import misread
from overflow import overflows

pytestmark = (
    pytest.mark.slow
)  # many documents, which do not depend on what is installed: once for each change is enough

EACH_TIME = (*NAMES[::37], *CHAPTERS[:1])


def test_the_corpus_is_large() -> None:
    """Several hundred documents, of which a part is looked at each time; random matrices reach 12 × 12."""
    assert len(SOURCES) * len(corpus.wishes()) + len(CHAPTERS) * len(corpus.LANGUAGES) >= 1000
    assert len(set(NAMES)) == len(NAMES)
    assert {name.split("-")[0] for name in EACH_TIME} >= {"dense", "program", "network", "small", "chapter"}
    for seed in range(5):
        shapes = [tensor.shape for tensor in corpus.dense(seed).parameters.values()]
        assert (corpus.LARGEST, corpus.LARGEST) in shapes


def test_the_corpus_is_the_same_everywhere() -> None:
    """The same seed gives the same problem."""
    assert corpus.dense(3) == corpus.dense(3)
    assert corpus.dense(3) != corpus.dense(4)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in EACH_TIME else pytest.mark.nightly) for name in NAMES]
)
def test_a_document_of_the_corpus(name: str) -> None:
    """Every format is made without an error, nothing is wider than its room, and each formula is read as it was written.

    The readers are Typst's own export of the converted formula, and Markdown with and without mathematics.
    """
    found: set[tuple[str, ...]] = set()
    for document in documents(name):
        text = {format: render(document, format).text for format in ("md", "tex", "html", "typ")}
        assert pdf(document).startswith(b"%PDF-")
        assert overflows(document) == [], document.name
        assert misread(document, text["md"]) == [], document.name
        found |= formulas(document)
    assert found
    assert different(found) == []


def _sample(*blocks: Paragraph | Table) -> Document:
    return Document("sample", "Sample", "en", blocks)


def test_a_formula_that_sticks_out_is_seen() -> None:
    """In running text, where it ends beyond the margin; in a table, where it is wider than its column."""
    wide = Math(WIDE_MATRIX)  # a sum would break
    assert {found.split(":")[0] for found in overflows(_sample(Paragraph((Text("see "), wide))))} == {"line", "inline"}
    assert overflows(_sample(Paragraph((Text("see " * 20), Math("x"), Text(" and " * 20), Math("y_1"))))) == []
    both = Table(((Text("a"),), (Text("b"),)), (((wide,), (wide,)),), "ll")
    assert "table" in {found.split(":")[0] for found in overflows(_sample(both))}
    assert overflows(_sample(replace(both, rows=(((Math("x"),), (Math("y"),)),)))) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (r"\cr", r"\\\\"),  # Markdown takes one backslash of two away
        ("$x$ to", "$x$to"),
        (" $x$ to", "a$x$ to"),
        (r"$\lVert x\rVert$", r"$|x|$"),
        (r"\begin{aligned}", "\n\n\\begin{aligned}"),
        ("z_h", "z_{h"),
        ("$x$ to", "$ x$ to"),
    ],
)
def test_a_formula_that_markdown_spoils_is_seen(right: str, wrong: str) -> None:
    """A slip in one place of the text is named; without it there is none."""
    text = render(REALISTIC, "md").text
    assert right in text
    assert misread(REALISTIC, text) == []
    assert misread(REALISTIC, text.replace(right, wrong, 1))

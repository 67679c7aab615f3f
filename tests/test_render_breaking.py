"""Line breaking: what the estimates promise, what the rows hold, and that nothing sticks out."""

from __future__ import annotations

import string
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from derive.report import breaking
from derive.report.breaking import Row, lay_out, wide_inline
from derive.report.document import Chain, Code, Display, Document, Link, Math, Paragraph, Table, Text
from derive.report.page import A4, LETTER, Page
from derive.report.pdf import typst_widths
from derive.report.render import render
from derive.report.widths import bound, text_bound
from documents import HOSTILE, REALISTIC, WIDE, chain, pmatrix
from formulas import FORMULAS, LONG_SUM, WIDE_MATRIX
from overflow import extents, overflows


def document(*blocks: Display | Paragraph | Table) -> Document:
    return Document("sample", "Sample", "en", blocks)


def rows(*chains: Chain) -> tuple[Row, ...]:
    return lay_out(document(Display(chains))).rows[0]


def test_the_bound_is_never_too_small() -> None:
    """No formula of the corpus is wider than its bound, and together the bounds stay within half as much again."""
    exact = typst_widths(FORMULAS)
    bounds = [bound(formula) for formula in FORMULAS]
    assert not [(formula, b, w) for formula, b, w in zip(FORMULAS, bounds, exact, strict=True) if b < w]
    assert sum(bounds) < 1.6 * sum(exact)


def test_every_symbol_is_bounded() -> None:
    """Each letter, sign and command alone is no wider than its bound."""
    from derive.report import latex_tree

    names = latex_tree.ORDINARY | latex_tree.BINARY | latex_tree.RELATIONS | latex_tree.NAMED_OPERATORS
    symbols = [f"\\{name}" for name in sorted(names | latex_tree.BIG_OPERATORS)]
    symbols += string.ascii_letters + string.digits + "+-=<>,;.!?|()[]/*:"
    for inner in ("{}", "a {} b", r"\mathbf{{x}} {}", "x_{{{}}}"):
        formulas = [inner.replace("{}", s) if inner == "{}" else inner.format(s) for s in symbols]
        for formula, width in zip(formulas, typst_widths(formulas), strict=True):
            assert width <= bound(formula) + 1e-9, formula
    styles = [rf"\{style}{{{letter}}}" for style in sorted(latex_tree.STYLES) for letter in "mwWMxABCQ1"]
    for formula, width in zip(styles, typst_widths(styles), strict=True):
        assert width <= bound(formula) + 1e-9, formula


def test_what_fits_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """A document of short formulas costs no Typst query."""
    monkeypatch.setattr(breaking, "measure", lambda formulas: pytest.fail("measured") if list(formulas) else {})
    assert rows(chain("z", ("=", "a", "+ b"), ("=", "3"))) == (Row("z", "=", "a + b"), Row("", "=", "3"))


def test_one_query_serves_the_document(monkeypatch: pytest.MonkeyPatch) -> None:
    """All wide formulas of a document are measured together."""
    from derive.report import pdf

    calls = []
    query = pdf.typst_query

    def counted(source: str, label: str) -> list[Any]:
        calls.append(label)
        return query(source, label)

    monkeypatch.setattr(pdf, "typst_query", counted)
    lay_out(replace(WIDE, title="measured afresh"))
    assert len(calls) == 1


def test_a_long_sum_breaks_between_its_terms() -> None:
    """Every term stands once, in order; rows after the first open with their sign, indented, without a relation."""
    found = rows(chain("z", ("=", *LONG_SUM), (r"\approx", "4.3")))
    assert len(found) > 3
    assert " ".join(row.latex.removeprefix("{} ") for row in found) == " ".join((*LONG_SUM, "4.3"))
    assert [row.relation for row in found] == ["=", *[""] * (len(found) - 2), r"\approx"]
    assert [row.left for row in found] == ["z", *[""] * (len(found) - 1)]
    assert all(row.latex.startswith("{} +") and row.indent for row in found[1:-1])
    assert found[-1].indent == 0
    assert not any(row.fit for row in found)


def test_rows_are_filled() -> None:
    """A row of a broken sum has no room for the next term."""
    found = rows(chain("z", ("=", *LONG_SUM)))
    widths = typst_widths([row.latex for row in found])
    assert all(width > 0.8 * A4.line * breaking.MARGIN for width in widths[:-1])


def test_only_what_cannot_break_is_scaled() -> None:
    """A wide matrix is marked with its limit; its neighbours are not."""
    found = rows(chain("W", ("=", WIDE_MATRIX), ("=", "A", "+ B")))
    assert [row.fit for row in found] == [True, False]
    assert 0.5 * A4.line < found[0].limit < A4.line


def test_a_wide_left_hand_side_stands_alone() -> None:
    """Where the left-hand side leaves no room, the relations hang below it, indented."""
    left = " ".join(LONG_SUM[:7])
    found = rows(chain(left, ("=", pmatrix(*["0.1234 0.1234 0.1234 0.1234"] * 2)), ("=", "1")))
    assert found[0] == Row("", "", left)
    assert [(row.left, row.relation, row.indent) for row in found[1:]] == [("", "=", 1), ("", "=", 1)]
    assert not any(row.fit for row in found)


def test_a_boxed_chain_has_less_room() -> None:
    """The frame is counted."""
    terms = LONG_SUM[:11]
    widths = [
        len(lay_out(document(Display((chain("z", ("=", *terms)),), boxed=boxed))).rows[0]) for boxed in (False, True)
    ]
    assert widths[0] <= widths[1]


@pytest.mark.parametrize("page", [A4, LETTER], ids=["a4", "letter"])
@pytest.mark.parametrize("sample", [REALISTIC, WIDE, HOSTILE], ids=lambda sample: sample.name)
def test_nothing_sticks_out(sample: Document, page: Page) -> None:
    """After layout no display, result or table is wider than its room, and no inline formula over half a line."""
    assert overflows(sample, page) == []


def test_the_overflow_test_sees_an_overflow() -> None:
    """The same source on narrower paper is caught, display, result and table alike."""
    source = render(WIDE, "typ").text
    narrow = source.replace("margin: 25.0mm", "margin: 45mm")
    assert narrow != source
    assert {kind for kind, width, room in extents(narrow) if width > room} == {"display", "result", "table"}


def test_a_wide_inline_formula_is_reported() -> None:
    """Inline formulas cannot break: one over half a line is named, in every kind of block."""
    wide = " ".join(LONG_SUM[:10])
    assert wide_inline(document(Paragraph((Text("see "), Math(wide), Math("x"))))) == [wide]
    assert wide_inline(document(Table(((Math(wide),),), (), "l"))) == [wide]
    assert wide_inline(REALISTIC) == []


def test_a_table_shares_the_line() -> None:
    """Narrow columns keep their width; wide ones share what is left and no more than the line."""
    table = Table(
        ((Text("a"),), (Text("b"),), (Text("c"),)),
        (((Math("x"),), (Text("w" * 10 + " " + "word " * 60),), (Code("c" * 60),)),),
        "lll",
    )
    columns = lay_out(document(table)).columns[0]
    assert columns[0] is None
    assert columns[1] is not None
    assert columns[2] is not None
    assert columns[1] + columns[2] < A4.line


_TERM = st.sampled_from(
    [
        r"\frac{\partial E}{\partial w_1}",
        "w_{10} x_{10}",
        "0.1234",
        pmatrix("0.1 0.2", "0.3 0.4"),
        r"\sigma(z)\bigl(1-\sigma(z)\bigr)",
    ]
)
_SUM = st.lists(_TERM, min_size=1, max_size=25).map(lambda terms: (terms[0], *(f"+ {term}" for term in terms[1:])))
_CHAIN = st.builds(
    Chain,
    st.sampled_from(
        ["", "z", r"\frac{\partial E}{\partial W_1}", " ".join(LONG_SUM[:5]), pmatrix("a b c d e f g h i j")]
    ),
    st.lists(st.builds(Link, st.sampled_from(["=", r"\approx", r"\Longrightarrow"]), _SUM), min_size=1, max_size=4).map(
        tuple
    ),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(_CHAIN, min_size=1, max_size=4), st.booleans())
def test_any_display_fits_and_keeps_its_terms(chains: list[Chain], boxed: bool) -> None:
    """Whatever the chains, the rows hold every term in order, and Typst finds nothing wider than the line."""
    sample = document(Display(tuple(chains), boxed))
    found = lay_out(sample).rows[0]
    said = " ".join(" ".join((row.left, row.relation, row.latex.removeprefix("{} "))) for row in found).split()
    meant = " ".join(
        " ".join((c.left, *(f"{link.relation} {' '.join(link.terms)}" for link in c.links))) for c in chains
    ).split()
    assert said == meant
    assert overflows(sample) == []


def test_prose_is_bounded_closely() -> None:
    """Prose is no wider than its bound, letter by letter and in a sentence, and the bound is close."""
    letters = string.ascii_letters + string.digits + " .,:;!?'()/+=-"
    formulas = [rf"\text{{{c}{c}{c}{c}}}" for c in letters]
    for formula, width in zip(formulas, typst_widths(formulas), strict=True):
        assert width <= bound(formula) + 1e-9, formula
    sentence = "Every number is worked out at full precision and rounded only where it is shown"
    (width,) = typst_widths([rf"\text{{{sentence}}}"])
    assert width <= text_bound(sentence) < 1.06 * width

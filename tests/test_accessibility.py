"""PDF/UA-1: what a screen reader finds in the PDF of a report, held against the document that it was made from."""

from __future__ import annotations

from functools import cache

import pytest

from derive import api
from derive.chapters import chapter_names
from derive.chapters.chapter import work_out
from derive.errors import ProblemError
from derive.problem import built_in
from derive.report.compose import compose
from derive.report.document import (
    Block,
    Chain,
    Display,
    Document,
    Figure,
    Heading,
    Items,
    Math,
    Note,
    Paragraph,
    Spans,
    Table,
    Text,
)
from derive.report.pdf import STANDARD, pdf, typst_pdf
from derive.report.render import render
from derive.report.spacing import spaced
from derive.report.speech import spoken, spoken_display
from documents import HOSTILE, HOSTILE_STRINGS, REALISTIC, WIDE
from sampling import sampled
from tagged import Tagged, tagged

LANGUAGES = ("en", "zh")


@cache
def solved(name: str) -> api.Solution:
    """A built-in problem, solved once."""
    return api.solve(name)


def document(name: str, language: str, questions: bool = False) -> Document:
    """A built-in problem or chapter, composed."""
    if name in chapter_names():
        return work_out(name, language=language).document()
    return compose(solved(name).core, questions=questions, language=language)


def _lines(block: Block) -> list[Spans]:
    """The lines of a block in the order in which they are read."""
    match block:
        case Items(items):
            return list(items)
        case Table(head, rows, _, caption):
            return [*head, *(cell for row in rows for cell in row), caption]
        case Figure(_, caption):
            return [caption]
        case Heading(_, spans) | Paragraph(spans) | Note(spans):
            return [spans]
    return []


def _words(of: Document) -> list[str]:
    """What is to be read out for each formula, in order."""
    said: list[str] = []
    for block in of.blocks:
        if isinstance(block, Display):
            said.append(spoken_display(block, of.language))
        said += [spoken(s.latex, of.language) for line in _lines(block) for s in line if isinstance(s, Math)]
    return said


def _hold(of: Document) -> Tagged:
    """Compile the document under the standard and compare tag by tag."""
    of = spaced(of)
    found = tagged(pdf(of))
    assert "<pdfuaid:part>1</pdfuaid:part>" in found.promises
    assert found.marked
    assert found.shows_title
    assert found.language == of.language
    assert [tag.alternative for tag in found.all("Formula")] == _words(of)
    figures = [block for block in of.blocks if isinstance(block, Figure)]
    assert [tag.alternative for tag in found.all("Figure")] == [figure.alternative for figure in figures]
    levels = [int(tag.type[1:]) for tag in found.all(*(f"H{level}" for level in range(1, 7)))]
    assert len(levels) == sum(isinstance(block, Heading) for block in of.blocks)
    assert all(level <= before + 1 for before, level in zip([0, *levels], levels, strict=False))
    tables = [block for block in of.blocks if isinstance(block, Table)]
    assert len(found.all("Table")) == len(tables)
    assert len(found.all("TH")) == sum(len(table.head) for table in tables)
    assert len(found.all("TD")) == sum(len(row) for table in tables for row in table.rows)
    return found


@pytest.mark.parametrize("sample", [REALISTIC, WIDE], ids=lambda sample: sample.name)
def test_what_a_screen_reader_finds(sample: Document) -> None:
    """Title, language, headings, tables with their heads, every formula and figure with its words, in order."""
    assert _hold(sample).title == sample.title


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["case1", "module"])
def test_reports_are_accessible(name: str, language: str) -> None:
    """A report, in both languages; the second one's headings skip a level in what they look like."""
    _hold(document(name, language))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "language"), sampled([(name, one) for name in (*built_in(), *chapter_names()) for one in LANGUAGES], 3)
)
def test_every_report_and_chapter_is_accessible(name: str, language: str) -> None:
    """Every built-in problem, with and without its solution, and every chapter."""
    _hold(document(name, language))
    if name not in chapter_names():
        _hold(document(name, language, questions=True))


@pytest.mark.parametrize("detail", ["brief", "full"])
@pytest.mark.parametrize("name", ["case2", "classifier"])
def test_other_forms_of_a_report_are_accessible(name: str, detail: str) -> None:
    """Less and more detail, aligned columns of numbers with decimal commas."""
    _hold(compose(api.solve(name, decimal="comma").core, detail=detail))


def test_headings_leave_no_level_out() -> None:
    """A heading that looks like one of level 3 is one of level 2 behind one of level 1, in the PDF and on the page."""
    levels = (2, 3, 1, 3, 3, 2, 3)
    sample = Document("d", "Title", "en", tuple(Heading(k, (Text(f"Level {k}"),)) for k in levels))
    assert [tag.type for tag in _hold(sample).all("H1", "H2", "H3")] == ["H1", "H2", "H1", "H2", "H2", "H2", "H3"]
    page = render(sample, "html").text
    assert '<h3 class="minor"' in page
    assert "<h5" not in page


def test_hostile_prose_is_text_to_a_screen_reader_too() -> None:
    """Titles, captions and alternatives of any characters stay text, and nothing in them is read as Typst."""
    alternative = tagged(pdf(HOSTILE)).all("Figure")[0].alternative
    assert alternative == HOSTILE_STRINGS[2]


@pytest.mark.parametrize("latex", ["", "{}", r"\,", r"\phantom{x}"])
def test_a_formula_without_ink_is_announced(latex: str) -> None:
    """What prints nothing has words all the same: the standard knows no formula without."""
    empty = Document("d", "Title", "en", (Paragraph((Math(latex),)), Display((Chain(latex, ()),)), Display(())))
    assert [tag.alternative for tag in tagged(pdf(empty)).all("Formula")] == ["blank"] * 3


@pytest.mark.parametrize("title", ["", " ", '"', "\\", '");#panic("', "a" * 10_000, "网络 & <b>", "tab\tnew\nline\x00"])
def test_any_title_names_the_document(title: str) -> None:
    """A PDF of the standard has a title; where the document has none, it has the name of the file."""
    found = tagged(pdf(Document("name", title, "en", (Paragraph((Math("x"),)),))))
    assert found.title.strip()
    if not title.strip():
        assert found.title == "name"


@pytest.mark.parametrize(
    ("source", "lacks"),
    [
        ("#set document(title: [t])\n$ x $", "missing alt text"),
        ("#math.equation(alt: \"x\", $x$.body)", "missing document title"),
        ("#set document(title: [t])\n== Section", "the first heading must be of level 1"),
    ],
)  # fmt: skip
def test_what_the_standard_lacks_is_named(source: str, lacks: str) -> None:
    """A template of one's own that leaves words or a title out is refused with what is missing."""
    with pytest.raises(ProblemError, match=f"PDF/UA-1 error: {lacks}"):
        typst_pdf(source, STANDARD)


@pytest.mark.parametrize("language", LANGUAGES)
def test_formulas_of_a_page_have_their_words(language: str) -> None:
    """On a page every formula carries the same words as their label, escaped."""
    import re
    from html import unescape

    sample = document("module", language)
    said = [unescape(words) for words in re.findall(r'<math aria-label="([^"]*)"', render(sample, "html").text)]
    assert len(said) == render(sample, "html").text.count("<math")
    assert set(_words(sample)) <= set(said)

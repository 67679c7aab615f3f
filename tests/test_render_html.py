"""HTML: one file that stands alone, every formula as MathML, nothing in it that runs or is fetched."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from derive.problem import built_in, find_problem
from derive.report.compose import compose
from derive.report.document import Display, Document, Heading, Math, Paragraph
from derive.report.outline import outline
from derive.report.render import render
from derive.solution import solve
from documents import HOSTILE, REALISTIC, WIDE

VOID = {"meta", "br", "hr", "img", "input", "link"}


class Balanced(HTMLParser):
    """Every element is closed, in order; what could run or be fetched is kept."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.suspicious: list[str] = []
        self.tags: dict[str, int] = {}
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] = self.tags.get(tag, 0) + 1
        if tag not in VOID:
            self.open.append(tag)
        for key, value in attrs:
            fetched = key in ("src", "href", "data", "action") and not str(value).startswith("#")
            if key.startswith("on") or fetched or tag in ("script", "iframe", "object", "embed", "link"):
                self.suspicious.append(f"{tag} {key}={value}")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read(document: Document) -> Balanced:
    """The page of a document, read by Python's own parser."""
    page = Balanced()
    rendered = render(document, "html")
    assert not rendered.attachments
    page.feed(rendered.text)
    page.close()
    assert page.open == []
    return page


@pytest.mark.parametrize("document", [REALISTIC, WIDE, HOSTILE], ids=["realistic", "wide", "hostile"])
def test_a_page_stands_alone(document: Document) -> None:
    """Every element is closed, nothing runs, nothing is fetched; what a user wrote is text."""
    page = read(document)
    assert page.suspicious == []
    assert "script" not in page.tags
    assert "url(" not in render(document, "html").text.split("</style>")[0]


def test_what_a_user_wrote_is_there_as_text() -> None:
    """Tags and entities of a title come out as the characters they are."""
    text = "".join(read(HOSTILE).text)
    assert "<script>alert(1)</script>" in text
    assert "pipe & amp; &lt;" in text


@pytest.mark.parametrize("name", built_in())
def test_every_built_in_problem_is_a_page(name: str) -> None:
    """Every formula is MathML, every figure an SVG inside; each page is below 400 KB, case 1 below 250."""
    document = compose(solve(find_problem(name)))
    page = read(document)
    formulas = sum(isinstance(block, Display) for block in document.blocks)
    formulas += sum(
        isinstance(span, Math)
        for block in document.blocks
        if isinstance(block, Paragraph | Heading)
        for span in block.spans
    )
    assert page.tags["math"] >= formulas
    assert not re.search(r"\\(frac|partial|begin)", "".join(page.text))
    assert len(render(document, "html").text.encode()) < (250_000 if name == "case1" else 400_000)


def test_details_fold_and_steps_do_too() -> None:
    """Runs of entries stand in a closed fold, steps in open ones; both close again."""
    document = compose(solve(find_problem("case1")))
    plan = outline(document)
    opened = sum(place.opens_fold for place in plan.places)
    assert opened == sum(place.closes_fold for place in plan.places) + plan.ends_in_fold > 0
    assert len(plan.contents) == sum(isinstance(b, Heading) and b.level == 1 for b in document.blocks)
    anchors = [place.anchor for place in plan.places if place.anchor]
    assert len(set(anchors)) == len(anchors)
    text = render(document, "html").text
    assert text.count('<details class="more">') == opened
    assert text.count('<details class="step" open') == len(plan.contents)


def test_what_is_used_leads_to_where_it_was_found() -> None:
    """Under the derivative by W2 stand links to h and to the derivative by z_o, which are anchors further up."""
    document = compose(solve(find_problem("case1")))
    text = render(document, "html").text
    links = re.findall(r'<p class="uses">.*?</p>', text)
    assert len(links) > 8
    anchors = {anchor: text.index(f'id="{anchor}"') for anchor in re.findall(r'href="#(q\d+)"', text)}
    assert all(place < text.rindex(f'href="#{anchor}"') for anchor, place in anchors.items())
    by_weights = next(b for b in document.blocks if isinstance(b, Display) and b.of == "dE/dW2")
    assert [name for name, _ in by_weights.uses] == ["h", "dE/dz_o"]

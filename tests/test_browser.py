"""HTML in a real Chromium: nothing is wider than its place, formulas have size, folds open without a script.

Asked for with ``-m browser``; ``.ci/run`` does.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest

from browser import COMMAND, Chromium, Page
from corpus import documents
from derive.report.document import Document, stem_in
from derive.report.render import render
from documents import HOSTILE, REALISTIC, WIDE

pytestmark = pytest.mark.browser

SAMPLES = {"sample": REALISTIC, "wide": WIDE, "hostile": HOSTILE}
PAGES = [
    *(f"{name}{language}" for name in ("case1", "case2", "chapter-backprop", "attention") for language in ("", ".zh")),
    *("dense-0", "dense-9", "hessian", "wide", "hostile"),
]
WIDTHS = (1200, 400)

# Formulas that stick out of the box around them, unless that box scrolls by itself; parts of formulas without size.
_MEASURE = """(() => {
  document.querySelectorAll("details").forEach(fold => { fold.open = true });
  const scrolls = box => ["auto", "scroll"].includes(getComputedStyle(box).overflowX);
  const wide = [], empty = [], seen = document.querySelectorAll("math");
  for (const math of seen) {
    let box = math.parentElement;
    while (getComputedStyle(box).display.startsWith("inline")) box = box.parentElement;
    const inner = math.getBoundingClientRect(), outer = box.getBoundingClientRect();
    const scrolled = box.closest(".display, .table");
    if ((inner.right > outer.right + 1 || inner.left < outer.left - 1) && !(scrolled && scrolls(scrolled)))
      wide.push(math.textContent.slice(0, 80));
    for (const part of [math, ...math.querySelectorAll("mi, mn, mo, mtext, mfrac, msub, msup, msubsup, msqrt, mtable, mtd")]) {
      const box = part.getBoundingClientRect();
      if (part.textContent.replace(/[\\s\\u2061-\\u2064]/g, "") && !(box.width > 0 && box.height > 0))
        empty.push(part.outerHTML.slice(0, 80));
    }
  }
  for (const box of document.querySelectorAll("svg, table, pre, p, li, h1, h2, h3, h4, figcaption")) {
    const holder = box.closest(".display, .table, pre");
    const edge = holder && scrolls(holder) ? holder : box;
    if (edge.getBoundingClientRect().right > innerWidth + 1) wide.push(box.outerHTML.slice(0, 80));
  }
  return { count: seen.length, wide, empty, sideways: document.documentElement.scrollWidth - innerWidth };
})()"""

# The contrast of text with the paper under it, as WCAG counts it.
_CONTRAST = """(() => {
  const light = colour => {
    const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map(x => x / 255)
      .map(x => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = element => {
    for (; element; element = element.parentElement) {
      const colour = getComputedStyle(element).backgroundColor;
      if (!/, 0\\)$/.test(colour)) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const found = {};
  for (const element of document.querySelectorAll("h1, h2, p, math, a, summary, caption, figcaption, td, .note, code")) {
    const [a, b] = [light(getComputedStyle(element).color), light(behind(element))].sort((x, y) => y - x);
    const name = element.tagName.toLowerCase();
    found[name] = Math.min(found[name] ?? 99, (a + 0.05) / (b + 0.05));
  }
  return found;
})()"""


@cache
def document(name: str) -> Document:
    """A document of the corpus or one made by hand, in English or, with ``.zh`` behind its name, in Chinese."""
    if name in SAMPLES:
        return SAMPLES[name]
    bare = name.removesuffix(".zh")
    stem = stem_in("zh" if name != bare else "en", bare.removeprefix("chapter-"))
    return next(d for d in documents(bare) if d.name == stem)


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    """One Chromium for all pages."""
    assert COMMAND, "no Chromium on the PATH (Debian: apt-get install chromium)"
    with Chromium() as running:
        yield running


@pytest.fixture
def page(browser: Chromium, request: pytest.FixtureRequest) -> Page:
    """The page of a document, loaded."""
    return browser.page(render(document(request.param), "html").text)


@pytest.mark.parametrize("page", PAGES, indirect=True)
def test_every_formula_has_its_place_and_a_size(page: Page) -> None:
    """In a wide window and a narrow one, light and dark: no formula is wider than its column unless it stands in a box
    that scrolls by itself, the page never moves sideways, and every part of a formula has a size. Nothing is fetched,
    and the console stays empty."""
    for width in WIDTHS:
        for dark in (False, True):
            page.look(width, dark=dark)
            found = page.evaluate(_MEASURE)
            assert found["count"] > 0
            assert (found["wide"], found["empty"], found["sideways"]) == ([], [], 0)
            assert min(page.evaluate(_CONTRAST).values()) >= 4.5
    assert page.requests() == []
    assert page.complaints() == []


@pytest.mark.parametrize("page", ["case1"], indirect=True)
def test_dark_is_dark(page: Page) -> None:
    """The paper follows the reader's setting."""
    colours = []
    for dark in (False, True):
        page.look(1200, dark=dark)
        colours.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert colours[0] == "rgb(255, 255, 255)"
    assert max(int(part) for part in colours[1].strip("rgb()").split(",")) < 60


@pytest.mark.parametrize("page", ["case1", "case1.zh"], indirect=True)
def test_folds_open_and_close_by_the_keyboard(page: Page) -> None:
    """A step is open and a detail is closed; Enter and the space bar turn either round, and Tab leads to them."""
    page.look(1200)
    for kind, opened in (("step", True), ("more", False)):
        fold = f'document.querySelector("details.{kind}")'
        shown = f"{fold}.open && {fold}.lastElementChild.checkVisibility()"
        assert page.evaluate(shown) is opened
        page.evaluate(f"{fold}.firstElementChild.focus()")
        page.press("Enter", 13, "\r")
        assert page.evaluate(shown) is not opened
        page.press(" ", 32, " ")
        assert page.evaluate(shown) is opened
    page.evaluate("document.querySelector('nav a').focus()")
    for _ in range(page.evaluate("document.querySelectorAll('nav a').length")):
        page.press("Tab", 9)
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"


@pytest.mark.parametrize("page", ["case1", "chapter-backprop.zh"], indirect=True)
def test_paper_shows_what_is_folded(page: Page) -> None:
    """On paper every detail and every step is there, whether it was open or not, and what serves a screen only is not."""
    page.look(794, dark=True)
    page.evaluate('document.querySelectorAll("details").forEach(fold => { fold.open = false })')
    hidden = '[...document.querySelectorAll("details > *")].filter(part => !part.checkVisibility()).length'
    assert page.evaluate(hidden) > 0
    page.look(794, dark=True, medium="print")
    assert (
        page.evaluate(
            '[...document.querySelectorAll("details > :not(.uses)")].filter(part => !part.checkVisibility()).length'
        )
        == 0
    )
    assert not page.evaluate('document.querySelector("nav").checkVisibility()')
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


@pytest.mark.parametrize("page", ["sample"], indirect=True)
def test_the_measurement_sees_what_is_wrong(page: Page) -> None:
    """A formula out of its box, one without size, a page that moves sideways and a faint colour are each found."""
    page.look(1200)
    assert page.evaluate(_MEASURE)["wide"] == []
    page.evaluate(
        'document.querySelectorAll(".display").forEach(box => { box.style.overflow = "visible"; box.style.width = "60px" })'
    )
    assert page.evaluate(_MEASURE)["wide"]
    page.evaluate('document.querySelector("mi").style.fontSize = "0"')
    assert page.evaluate(_MEASURE)["empty"]
    page.evaluate('document.querySelector("table").parentElement.style.width = "2000px"')
    assert page.evaluate(_MEASURE)["sideways"] > 0
    page.evaluate('document.querySelector("p").style.color = "#bbb"')
    assert page.evaluate(_CONTRAST)["p"] < 4.5
    page.evaluate('(() => { new Image().src = "http://example.org/a.png"; console.log("so") })()')
    page.evaluate("new Promise(done => setTimeout(done, 300))")
    assert page.requests() == ["http://example.org/a.png"]
    assert page.complaints()

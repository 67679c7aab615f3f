"""The Typst source and the PDF that is made of it inside this process."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from derive.errors import ProblemError, Unsupported
from derive.report.document import (
    Block,
    Chain,
    Code,
    Display,
    Document,
    Figure,
    Heading,
    Link,
    Note,
    Paragraph,
    Table,
    Text,
)
from derive.report.escape import BREAK, NON_JOINER, plain, typst_text
from derive.report.page import LETTER
from derive.report.pdf import Pending, pdf, typst_pdf, typst_query, warm_up
from derive.report.render import render
from derive.report.scene import Circle, Scene
from derive.report.setting import Setting
from documents import HOSTILE, HOSTILE_STRINGS, REALISTIC, WIDE
from formulas import FORMULAS


def test_the_same_document_gives_the_same_bytes() -> None:
    """No clock, no hash order: this process, compiled twice, and a process with another hash seed agree."""
    first = pdf(REALISTIC)
    assert first.startswith(b"%PDF-")
    assert pdf(replace(REALISTIC, blocks=tuple(REALISTIC.blocks))) == first
    code = "import sys; from documents import REALISTIC; from derive.report.pdf import pdf; sys.stdout.buffer.write(pdf(REALISTIC))"
    root = Path(__file__).resolve().parent.parent
    other = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONHASHSEED": "7", "PYTHONPATH": f"{root}{':'}{root / 'tests'}", "TZ": "Asia/Tokyo"},
        capture_output=True, check=True, cwd="/",
    )  # fmt: skip
    assert other.stdout == first


@pytest.mark.parametrize("sample", [REALISTIC, WIDE, HOSTILE], ids=lambda sample: sample.name)
def test_documents_compile_without_a_warning(sample: Document) -> None:
    """Typst takes each sample and warns of nothing (``typst_pdf`` makes an error of a warning)."""
    assert len(pdf(sample)) > 20_000
    assert pdf(sample, Setting(page=LETTER)) != pdf(sample)


def test_every_formula_compiles_in_a_document() -> None:
    """All formulas of the corpus in one document, inline and displayed."""
    blocks = tuple(Display((Chain(formula, (Link("=", (formula,)),)),)) for formula in FORMULAS)
    assert pdf(Document("all", "All", "en", blocks)).startswith(b"%PDF-")


def test_a_warning_is_an_error() -> None:
    """A font that is not there stops the PDF and is named."""
    with pytest.raises(ProblemError, match="unknown font family: nowhere sans"):
        typst_pdf('#set text(font: "Nowhere Sans")\nx')


def test_an_error_of_typst_is_one_line() -> None:
    """What Typst refuses is said without a traceback."""
    with pytest.raises(ProblemError, match=r"^Typst refuses the document: [^\n]+$"):
        typst_pdf("#panic()")


@pytest.mark.parametrize("text", HOSTILE_STRINGS)
def test_prose_is_text_to_typst(text: str) -> None:
    """Typst reads hostile prose back character by character: it is one string, nothing ran."""
    source = f"#metadata([{typst_text(text)}].text) <said>"
    (said,) = typst_query(source, "said")
    assert said.replace(NON_JOINER, "").replace(BREAK, "").replace("’", "'") == plain(text)


def test_no_prose_reaches_typst_outside_a_string() -> None:
    """With all its string literals taken out, the source of a document full of hostile prose has none of it left."""
    import re

    source = re.sub(r'"(?:[^"\\\n]|\\.)*"', '""', render(HOSTILE, "typ").text)
    for word in ("passwd", "write18", "panic", "script", "bold", "starts", "looks", "quotes", "bell"):
        assert word not in source


def test_the_compiler_reads_no_file() -> None:
    """Even a source that asks for a file of the machine gets none."""
    with pytest.raises(ProblemError):
        typst_pdf('#read("/etc/passwd")')
    with pytest.raises(ProblemError):
        typst_pdf('#read("../../../../../../etc/passwd")')


def _places(*blocks: Block) -> tuple[int, int, int]:
    """The pages on which the last heading and the last displayed formula begin, and the number of pages."""
    source = render(Document("pages", "Pages", "en", blocks), "typ").text
    asked = (
        "\n#context [#metadata((query(heading).last().location().page(), "
        "query(math.equation.where(block: true)).last().location().page(), counter(page).final().first())) <places>]\n"
    )
    ((heading, equation, pages),) = typst_query(source + asked, "places")
    return heading, equation, pages


def _chain(rows: int) -> Display:
    return Display((Chain("z", tuple(Link("=", (r"\dfrac{a}{b}",)) for _ in range(rows))),))


def _lines(count: int) -> list[Block]:
    return [Paragraph((Text("Some words of a paragraph."),)) for _ in range(count)]


def test_headings_stick_to_what_follows() -> None:
    """Wherever on the page it falls, a heading, and the paragraph that leads to a display, stand on the display's page."""
    heading = Heading(1, (Text("Head"),))
    seen = set()
    for lines in range(20, 40):
        begins, display, _ = _places(*_lines(lines), heading, _chain(4))
        assert begins == display
        seen.add(begins)
        begins, display, _ = _places(*_lines(lines), heading, *_lines(1), _chain(4))
        assert begins == display
    assert seen == {1, 2}


def test_long_chains_break_across_pages() -> None:
    """A chain of many rows begins where it stands and goes on over the page."""
    assert _places(Heading(1, (Text("Head"),)), *_lines(12), _chain(20))[1:] == (1, 2)
    assert _places(Heading(1, (Text("Head"),)), _chain(70))[1:] == (1, 3)


def test_unknown_engines_are_named() -> None:
    """An engine that does not exist is refused with those that do."""
    with pytest.raises(ProblemError, match=r"unknown PDF engine 'word'.*typst, xelatex, lualatex, pdflatex, tectonic"):
        pdf(REALISTIC, "word")


def test_a_missing_engine_names_those_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that is not installed is said to be, with what is."""
    import shutil

    monkeypatch.setattr(shutil, "which", lambda name: "/bin/true" if name == "lualatex" else None)
    with pytest.raises(ProblemError, match=r"'xelatex' is not on this machine \(found here: typst, lualatex\)"):
        pdf(REALISTIC, "xelatex")


def test_unknown_formats_are_named() -> None:
    """A format that does not exist is refused with those that do."""
    with pytest.raises(ProblemError, match=r"unknown format 'doc' \(known: md, html, tex, typ\)"):
        render(REALISTIC, "doc")


@pytest.mark.parametrize("format", ["md", "tex", "typ"])
def test_a_formula_outside_the_subset_is_refused_in_every_format(format: str) -> None:
    """Also in Markdown and TeX, which could print it: no format is laxer than another. Figures included."""
    scene = Scene(2, 2, (Circle(1, 1, 0.5, r"\input{x}", "input"),))
    for block in (Display((Chain(r"\input{x}", ()),)), Figure(scene, (), "a circle")):
        with pytest.raises(ProblemError, match=r"\\input"):
            render(Document("bad", "Bad", "en", (block,)), format)


@pytest.mark.parametrize("format", ["md", "tex", "typ"])
def test_empty_things_render(format: str) -> None:
    """A document without blocks, an empty note, a table without rows and an empty text are no errors."""
    blocks = (Note((Text(""),)), Table(((Text("a"),),), (), "c"), Paragraph((Code(""),)), Paragraph(()))
    for document in (Document("empty", "", "en", ()), Document("empty", "x", "en", blocks)):
        text = render(document, format).text
        if format == "typ":
            assert typst_pdf(text).startswith(b"%PDF-")


def test_a_pdf_in_the_background_is_the_same_pdf() -> None:
    """The bytes are those of ``pdf``, other formats may be rendered meanwhile, and errors come out at the end."""
    pending = Pending(REALISTIC)
    assert render(REALISTIC, "md").text.startswith("# One gradient")
    assert pending.result() == pdf(REALISTIC)
    refused = Pending(Document("script", "نص", "en", ()))
    with pytest.raises(Unsupported):
        refused.result()
    unknown = Pending(REALISTIC, "word")
    with pytest.raises(ProblemError, match="unknown PDF engine"):
        unknown.result()


@pytest.mark.parametrize("text", ["שלום", "नमस्ते", "🙂", "ᄀ", "\U00030000"])
def test_a_script_without_a_font_is_refused(text: str) -> None:
    """No empty boxes: the character is named. Markdown shows it."""
    document = Document("script", text, "en", ())
    assert text in render(document, "md").text
    with pytest.raises(Unsupported, match=f"none yet for '{text[0]}'"):
        pdf(document)


def test_european_prose_has_its_glyphs() -> None:
    """Accents, Greek, Cyrillic and signs are set."""
    assert pdf(Document("europe", "Größe, żółć, Ελλάς, Ещё, 5 € – ½ → ∂ ≈", "en", ()))


def test_warming_up_is_safe_beside_a_first_page() -> None:
    """A PDF asked for while the fonts are still loading is the same PDF."""
    thread = warm_up()
    result = pdf(REALISTIC)
    thread.join()
    assert result == pdf(REALISTIC)


def test_no_line_ends_behind_what_opens() -> None:
    """A long word in brackets stays with its bracket."""
    assert BREAK not in typst_text("temperature (distillation)")
    assert BREAK in typst_text("a/rather/long/path/to/a.file")

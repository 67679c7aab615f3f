"""The TeX source, read as text; and, with ``-m tex``, compiled by the engines of a TeX distribution."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from derive.errors import ProblemError, Unsupported
from derive.report import tex_engines
from derive.report.document import Display, Document, Math, Paragraph, Text
from derive.report.escape import plain, tex_text
from derive.report.latex_dialects import for_tex
from derive.report.page import LETTER
from derive.report.pdf import pdf
from derive.report.render import render
from derive.report.setting import Setting
from derive.report.tex_engines import run_tex
from documents import HOSTILE, HOSTILE_STRINGS, REALISTIC, WIDE, chain
from formulas import FORMULAS

ALL = Document(
    "all",
    "All formulas",
    "en",
    tuple(
        block
        for formula in FORMULAS
        for block in (Display((chain("x", ("=", formula)),)), Paragraph((Text("and "), Math("x"), Text("."))))
    ),
)


# ── as text ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("text", HOSTILE_STRINGS)
def test_prose_has_no_live_character(text: str) -> None:
    """Every backslash belongs to a command of ours, every brace and dollar is paired by us, no special is bare."""
    rest = (
        re.sub(r"\\(?:text[a-z]+\{\}|ldots\{\}|allowbreak\{\}|[{}$&#%_])", "", tex_text(text))
        .replace("{}", "")
        .replace("{[}", "")
    )
    rest = rest.replace("{]}", "").replace("{*}", "")
    assert not set(rest) & set('\\{}$&#%_~^<>|"`[]*')


def test_displayed_fractions_are_pushed_apart() -> None:
    r"""``\\[3ex]`` between rows with ``\dfrac``, less for ``\frac``, nothing for letters, and a given gap stays."""
    assert (
        for_tex(r"\begin{cases} \dfrac{a}{b} \\ c \end{cases}") == r"\begin{cases} \dfrac{a}{b} \\[3ex] c \end{cases}"
    )
    assert (
        for_tex(r"\begin{pmatrix} a \\ \frac{a}{b} \end{pmatrix}")
        == r"\begin{pmatrix} a \\[1ex] \frac{a}{b} \end{pmatrix}"
    )
    for unchanged in (r"\begin{pmatrix} a \\ b \end{pmatrix}", r"\begin{pmatrix} \dfrac{a}{b} \\[2ex] c \end{pmatrix}"):
        assert for_tex(unchanged) == unchanged


def test_a_bracket_behind_a_row_is_no_gap() -> None:
    r"""``\\ [1]`` would be read as a row gap by TeX."""
    assert for_tex(r"\begin{pmatrix} a \\ [1] \end{pmatrix}") == r"\begin{pmatrix} a \\{} [1] \end{pmatrix}"


def test_short_displays_stay_together_and_long_ones_break() -> None:
    r"""``\\*`` forbids a page break: everywhere in a display of few rows, after the first and before the last of a long one."""
    few, many = (
        render(Document("d", "d", "en", (Display((chain("z", *[("=", "1")] * n),)),)), "tex").text for n in (4, 7)
    )
    assert re.findall(r" \\\\(\*?)\n", few[few.index(r"\begin{derivation}") :]) == ["*"] * 3
    assert re.findall(r" \\\\(\*?)\n", many[many.index(r"\begin{derivation}") :]) == ["*", "", "", "", "", "*"]


def test_the_source_is_readable() -> None:
    """Rows stand on lines of their own, formulas as they were written, without trailing blanks or holes."""
    text = render(REALISTIC, "tex").text
    assert "z_h & = x W_1 + b_1 \\\\*\n" in re.sub(" +", " ", text)
    assert "\n\n\n" not in text
    assert not re.search(r"[ \t]+$", text, re.MULTILINE)


def test_wide_matrices_are_announced() -> None:
    """amsmath is told how many columns the widest matrix has, where it would not expect so many."""
    assert r"\setcounter{MaxMatrixCols}{12}" in render(WIDE, "tex").text
    assert "MaxMatrixCols" not in render(REALISTIC, "tex").text


def test_the_paper_can_be_chosen() -> None:
    """Letter paper in place of A4."""
    assert r"\documentclass[11pt,letterpaper,fleqn]{article}" in render(REALISTIC, "tex", Setting(page=LETTER)).text


# ── a stand-in for an engine ────────────────────────────────────────────────────────────────────────────────────


def _engine(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    program = folder / "xelatex"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(program) if name == "xelatex" else None)


def test_the_engine_is_kept_in_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No shell escape, paranoid reading and writing, no clock, a folder of its own that is gone afterwards."""
    _engine(
        tmp_path,
        monkeypatch,
        'echo "$PWD $* $openin_any $openout_any $SOURCE_DATE_EPOCH $FORCE_SOURCE_DATE" > report.pdf',
    )
    folder, *said = run_tex("xelatex", "x", "name").pdf.decode().split()
    assert said == [*"-interaction=nonstopmode -halt-on-error -no-shell-escape report.tex p p 0 1".split()]
    assert not Path(folder).exists()


def test_the_first_error_of_tex_is_the_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line that begins with an exclamation mark, and the line of the source."""
    _engine(
        tmp_path,
        monkeypatch,
        r"printf 'noise\n! Undefined control sequence.\nl.12 \\foo\n! Second.\n' > report.log; exit 1",
    )
    with pytest.raises(ProblemError, match=r"^xelatex refuses name\.tex, line 12: ! Undefined control sequence\.$"):
        run_tex("xelatex", "x", "name")


def test_a_silent_failure_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that ends well but writes nothing has refused."""
    _engine(tmp_path, monkeypatch, "exit 0")
    with pytest.raises(ProblemError, match=r"xelatex refuses name\.tex"):
        run_tex("xelatex", "x", "name")


def test_an_endless_run_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit on time is named."""
    _engine(tmp_path, monkeypatch, "exec sleep 60")
    monkeypatch.setattr(tex_engines, "TIME_LIMIT", 0.2)
    with pytest.raises(ProblemError, match=r"xelatex did not finish name\.tex within 0\.2 seconds"):
        run_tex("xelatex", "x", "name")


def test_a_missing_character_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TeX leaves a hole and notes it in its log; here it is an error that names the character."""
    _engine(
        tmp_path, monkeypatch, "echo x > report.pdf; echo 'Missing character: There is no 网 in font x' > report.log"
    )
    with pytest.raises(Unsupported, match=r"xelatex finds no '网' in the fonts of name\.tex"):
        run_tex("xelatex", "x", "name")


# ── compiled ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.tex
@pytest.mark.parametrize("sample", [REALISTIC, WIDE, HOSTILE, ALL], ids=lambda sample: sample.name)
@pytest.mark.parametrize("engine", ["xelatex", "lualatex", "pdflatex"])
def test_documents_compile_cleanly(sample: Document, engine: str) -> None:
    """No error, no overfull box, no missing character, no warning about fonts."""
    made = render(sample, "tex")
    log = run_tex(engine, made.text, sample.name, made.attachments).log
    assert not re.findall(
        r"^(?:!|Overfull|Missing character|LaTeX Font Warning|LaTeX Warning: (?!Label)).*", log, re.MULTILINE
    )


@pytest.mark.tex
def test_tex_gives_the_same_bytes_twice() -> None:
    """A fixed date, and no names of folders in the PDF."""
    assert pdf(REALISTIC, "xelatex") == pdf(REALISTIC, "xelatex")


@pytest.mark.tex
def test_hostile_prose_prints_as_text(tmp_path: Path) -> None:
    """What a reader of the PDF can copy is what the problem file said."""
    for engine in ("xelatex", "typst"):
        (tmp_path / "hostile.pdf").write_bytes(pdf(HOSTILE, engine))
        said = subprocess.run(["pdftotext", "-raw", "hostile.pdf", "-"], cwd=tmp_path, capture_output=True, check=True)
        words = (
            "".join(said.stdout.decode().split())
            .replace("\u200c", "")
            .replace("\u200b", "")
            .replace("’", "'")
            .replace("\u2010", "-")
        )
        for text in HOSTILE_STRINGS:
            for word in plain(text).replace("\N{REPLACEMENT CHARACTER}", "").split():
                assert word in words or not word.isascii() or "-" in word, (engine, word)

"""Every built-in report through every TeX engine, in every language: no error, nothing too wide, no empty reference."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial

import pytest

import derive
from derive.chapters import chapter_names
from derive.chapters.chapter import work_out
from derive.errors import ProblemError
from derive.problem import built_in
from derive.report.catalogue import languages
from derive.report.compose import compose
from derive.report.compose.exam import composed
from derive.report.document import Document
from derive.report.render import Rendered, render
from derive.report.setting import Setting
from derive.report.tex_engines import run_tex

ENGINES = ("pdflatex", "xelatex", "lualatex")
EXAM = Setting(frame="exam")
BAD = re.compile(r"^(?:!|Overfull|Missing character|LaTeX (?:Font )?Warning|Package \w+ Error).*", re.MULTILINE)

pytestmark = pytest.mark.tex


def documents() -> Iterator[Document]:
    """The report of every built-in problem, and every chapter, in every language."""
    for name in built_in():
        solution = derive.solve(name).core
        yield from (compose(solution, language=language) for language in languages())
    for name in chapter_names():
        yield from (work_out(name, language=language).document() for language in languages())


@cache
def sources() -> dict[str, Rendered]:
    """The TeX file of every report, by its name."""
    return {document.name: render(document, "tex") for document in documents()}


@cache
def exams() -> dict[str, Rendered]:
    """Sheets and their solutions as exams."""
    return {
        f"{name} {language} {questions}": render(
            composed(derive.solve(name).core, EXAM, questions=questions, language=language), "tex", EXAM
        )
        for name in ("case1", "case2", "choice")
        for language in languages()
        for questions in (True, False)
    }


def complaints(engine: str, made: Rendered) -> list[str]:
    """What an engine has to say against a file: errors, boxes that are too wide, references that are not there."""
    try:
        log = run_tex(engine, made.text, "report", made.attachments).log
    except ProblemError as error:
        return [str(error)]
    # labels that nothing refers to need no second pass
    idle = "" if r"\eqref" in made.text else "LaTeX Warning: Label(s) may have changed."
    return [said for said in BAD.findall(log) if not idle or not said.startswith(idle)]


def judged(engine: str, files: dict[str, Rendered]) -> dict[str, list[str]]:
    """The complaints by file, as many engines at a time as there are cores."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = zip(files, pool.map(partial(complaints, engine), files.values()), strict=True)
        return {name: said for name, said in found if said}


@pytest.mark.parametrize("engine", ENGINES)
def test_every_report_compiles(engine: str) -> None:
    """0 errors, 0 overfull boxes, 0 undefined references, 0 missing characters, 0 fonts that stand in for others."""
    assert len(sources()) == len(languages()) * (len(built_in()) + len(chapter_names()))
    assert judged(engine, sources()) == {}


@pytest.mark.parametrize("engine", ENGINES)
def test_exams_compile(engine: str) -> None:
    """The class exam, sheets and solutions."""
    assert judged(engine, exams()) == {}


PAPER = r"""\documentclass[a4paper]{{article}}
\usepackage[margin=25mm]{{geometry}}
\usepackage{{lmodern}}
\usepackage{options}{{derive}}
\begin{{document}}
\section{{A paper}}
See \eqref{{{name}:dE/dW2}} in section \ref{{{name}:backward}}.
\input{{fragment}}
\end{{document}}
"""


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("language", languages())
def test_a_paper_takes_a_fragment(engine: str, language: str) -> None:
    """The body alone, in a paper of one's own, which refers to its formulas and sections."""
    document = compose(derive.solve("case1").core, language=language)
    made = render(document, "tex", Setting(fragment=True))
    assert "documentclass" not in made.text
    paper = PAPER.format(options="[chinese]" if language == "zh" else "", name=document.name)
    beside = {**made.attachments, "fragment.tex": made.text.encode()}
    assert complaints(engine, Rendered(paper, beside)) == []


def test_a_complaint_is_heard() -> None:
    """What the tests above look for is found where it is: a line too long, a reference to nothing."""
    text = sources()["case1"].text
    wide = text.replace(r"\end{document}", r"\hbox to \linewidth{\hskip 2\linewidth} \eqref{nothing}\end{document}")
    said = " ".join(complaints("pdflatex", Rendered(wide, sources()["case1"].attachments)))
    assert "Overfull" in said
    assert "Reference `nothing'" in said

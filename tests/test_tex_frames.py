"""What a TeX file builds on: one macro file, labels and references, the body alone, the frame of an exam."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import derive
import exams
from derive.errors import ProblemError
from derive.exam.building.solved import solved
from derive.exam.papers import documents
from derive.report.compose import compose
from derive.report.compose.exam import composed
from derive.report.document import Display, Document, Heading, Items
from derive.report.references import references
from derive.report.render import MACROS, render
from derive.report.setting import Setting, setting_for
from documents import HOSTILE, REALISTIC, WIDE, chain

CASES = ("case1", "case2", "choice")
EXAM = Setting(frame="exam")


@cache
def report(name: str, language: str = "en") -> Document:
    """The report of a built-in problem."""
    return compose(derive.solve(name).core, language=language)


@cache
def exam(name: str, questions: bool = False) -> Document:
    """The exam of a built-in problem."""
    return composed(derive.solve(name).core, EXAM, questions=questions)


def papers() -> list[Document]:
    """The papers of an exam in which every form of question stands."""
    whole = exams.every_form()
    variant = exams.variant_of(whole)
    return list(documents(whole, variant, solved(whole, variant), "zh").values())


def labels(text: str) -> list[str]:
    """The labels of a TeX file."""
    return re.findall(r"\\label\{([^{}]*)\}", text)


# ── one macro file ──────────────────────────────────────────────────────────────────────────────────────────────


def test_all_files_share_one_macro_file() -> None:
    """Whatever the document, language, frame: the same bytes, so that files in one folder share it."""
    made = [render(document, "tex") for document in (REALISTIC, WIDE, HOSTILE, report("case1", "zh"))]
    made += [render(REALISTIC, "tex", setting) for setting in (EXAM, Setting(fragment=True))]
    assert len({one.attachments[MACROS] for one in made}) == 1
    assert all(set(one.attachments) == {MACROS} for one in made)


def test_the_document_defines_nothing_itself() -> None:
    """Macros and page are the macro file's; the document has its class, its paper and its text."""
    text = render(report("case1"), "tex").text
    assert not re.search(r"\\(?:new|renew|provide)(?:command|environment)|\\def\b|\\definecolor|\\tikzset", text)
    assert re.findall(r"\\usepackage(?:\[[^]]*\])?\{(.*)\}", text) == ["derive"]


def test_every_macro_is_used_and_every_used_one_is_there() -> None:
    """The documents' own commands and those of the macro file are the same."""
    macros = render(REALISTIC, "tex").attachments[MACROS].decode()
    texts = [render(document, "tex").text for document in (REALISTIC, WIDE, report("case1"), report("case1", "zh"))]
    texts.append(render(exam("case1"), "tex", EXAM).text)
    texts += [render(paper, "tex", setting).text for paper in papers() for setting in (Setting(), EXAM)]
    used = {name for text in texts for name in re.findall(r"\\(dv[a-z]+)", text)}
    made = set(re.findall(r"\\newcommand\{\\(dv[a-z]+)\}", macros))
    assert used == made - {"dvspacing"} | {"dvfit"}


# ── labels and references ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_reference_has_its_label(name: str, language: str) -> None:
    """A label stands once, every section has one, every reference leads to a numbered formula before it."""
    document = report(name, language)
    text = render(document, "tex").text
    found = labels(text)
    assert len(set(found)) == len(found)
    assert all(label.startswith(f"{document.name}:") for label in found)
    sections = re.findall(r"^\\(?:sub)*section\{.*$", text, re.MULTILINE)
    assert all(labels(section) for section in sections)
    for use in re.finditer(r"\\eqref\{([^{}]*)\}", text):
        assert rf"\dvnumber\label{{{use[1]}}}" in text[: use.start()]


def test_displays_refer_to_what_they_use() -> None:
    """What a display is made of, by its number: what was worked out before, not data, not itself."""
    document = report("case1")
    named = references(document)
    of = {
        block.of: named[k].label for k, block in enumerate(document.blocks) if isinstance(block, Display) and block.of
    }
    assert of["dE/dW2"] == "case1:dE/dW2"
    for k, block in enumerate(document.blocks):
        if isinstance(block, Display) and block.of:
            assert named[k].uses == tuple(of[name] for name, _ in block.uses if name in of and name != block.of)
    assert any(one.uses for one in named)


def test_a_later_part_refers_to_its_own_quantities() -> None:
    """Parts of a problem have quantities of the same names: each refers to its own, never to those of the part before."""
    document = report("case2")
    named = references(document)
    starts = [k for k, block in enumerate(document.blocks) if isinstance(block, Heading) and block.level == 1]
    for first, last in zip(starts, [*starts[1:], len(document.blocks)], strict=True):
        own = {named[k].label for k in range(first, last)}
        assert all(set(named[k].uses) <= own for k in range(first, last))


def test_names_that_are_no_labels_become_some() -> None:
    """Blanks, percent signs, braces and other scripts in names are spelled out; equal names are numbered."""
    odd = r"a b%{}\#网"
    blocks = tuple(Display((chain("x", ("=", "1")),), of=name) for name in (odd, odd, "E"))
    used = Display((chain("y", ("=", "x")),), of="y", uses=((odd, "x"),))
    document = Document(r"my {net}%", "d", "en", (*blocks, Heading(1, ()), used))
    found = labels(render(document, "tex").text)
    assert len(set(found)) == len(found) == 5
    assert all(re.fullmatch(r"[A-Za-z0-9/.:+_()-]+", label) for label in found)
    assert references(document)[-1].uses == (references(document)[1].label,)


# ── the body alone ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_fragment_is_the_body_of_the_document() -> None:
    """The same text without class, packages and title; only the TeX file knows of it."""
    document = report("case1")
    whole, part = render(document, "tex").text, render(document, "tex", Setting(fragment=True)).text
    body = whole[whole.index("\n\n", whole.index(r"\dvtitle")) : whole.index(r"\end{document}")].strip()
    assert part.endswith(body + "\n")
    assert not re.search(r"\\(?:documentclass|usepackage|begin\{document\}|dvtitle)", re.sub("%.*", "", part))
    assert render(document, "md", Setting(fragment=True)) == render(document, "md")


@pytest.mark.parametrize(
    ("wish", "formats", "told"),
    [
        ({"fragment": True}, ["md"], "a fragment is a TeX file"),
        ({"fragment": True, "engine": "xelatex"}, ["tex", "pdf"], "no document that xelatex could set"),
        ({"fragment": True, "frame": "exam"}, ["tex"], "no frame of its own"),
        ({"frame": "exam"}, ["md", "pdf"], "is one of LaTeX"),
        ({"frame": "letter"}, ["tex"], "known are article, exam"),
    ],
)
def test_wishes_that_contradict_each_other(wish: dict[str, Any], formats: list[str], told: str) -> None:
    """What cannot be had is said, with what can."""
    with pytest.raises(ProblemError, match=told):
        setting_for(formats, **wish)
    assert setting_for(["tex", "pdf"], fragment=True).engine == "typst"
    assert setting_for(["pdf"], frame="exam", engine="xelatex").frame == "exam"


def test_contradictions_on_the_command_line(
    run: Callable[..., subprocess.CompletedProcess[bytes]], tmp_path: Path
) -> None:
    """Exit status 2, one message, nothing written."""
    done = run("case1", "--fragment", "--format", "md")
    assert (done.returncode, done.stderr.decode().count("\n")) == (2, 1)
    assert not (tmp_path / "reports").exists()


# ── exams ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", CASES)
def test_a_sheet_asks_one_question_for_each_task(name: str) -> None:
    """The tasks are questions of the class exam, without their answers, with room below each."""
    document = exam(name, questions=True)
    text = render(document, "tex", EXAM).text
    tasks = [block for block in document.blocks if isinstance(block, Items) and block.tasks]
    assert text.count(r"\begin{questions}") == len(tasks) > 0
    assert text.count(r"\question ") == text.count(r"\dvroom") == sum(len(block.items) for block in tasks)
    assert r"\noprintanswers" in text
    assert r"\begin{solution}" not in text


@pytest.mark.parametrize("name", CASES)
def test_an_exam_with_its_solution(name: str) -> None:
    """The sheet as it is, then every step of the report; what the sheet has stated is not stated again."""
    sheet, both, alone = exam(name, questions=True), exam(name), report(name)
    assert both.answers == len(sheet.blocks)
    assert both.blocks[: both.answers] == sheet.blocks
    sections = [k for k, block in enumerate(alone.blocks) if isinstance(block, Heading) and block.level == 1]
    behind = next(k for k in sections if alone.blocks[k] != sheet.blocks[0])
    assert both.blocks[behind - len(alone.blocks) :] == alone.blocks[behind:]
    text = render(both, "tex", EXAM).text
    assert text.count(r"\begin{solution}") == text.count(r"\end{solution}") == 1
    assert text.index(r"\end{questions}") < text.index(r"\begin{solution}") < text.index(r"\end{solution}")
    assert r"\printanswers" in text


def test_a_report_is_no_exam() -> None:
    """In the frame of an article a list of tasks is a list, and nothing is called a solution."""
    text = render(exam("case1", questions=True), "tex").text
    assert not re.search(r"\\question|\\begin\{solution\}|dvroom", text)
    assert r"\begin{enumerate}" in text

"""The values of a solution as TeX macros: what is in the file, and a paper that uses it."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

import derive
from derive.errors import ProblemError
from derive.report.tex_engines import run_tex

_SET = re.compile(r"^\\derive@set\{(\w+)\}\{([^{}]*)\}\{(.*)\}$", re.MULTILINE)
SOME = ("case1", "case2", "hessian", "attention", "adam", "any-activation")


@cache
def solved(name: str) -> derive.Solution:
    """A built-in problem, solved once."""
    return derive.solve(name)


def told(text: str) -> dict[tuple[str, str], str]:
    """What a file of macros defines, by kind and key."""
    found = _SET.findall(text)
    assert len({(what, key) for what, key, _ in found}) == len(found)
    return {(what, key): latex for what, key, latex in found}


@pytest.mark.parametrize("name", SOME)
def test_the_entries_are_those_of_the_results(name: str) -> None:
    """Loss, gradients, ratios and second derivatives have the very digits that the summary shows."""
    solution = solved(name)
    made, compared = told(solution.macros()), 0
    for result in solution.results():
        prefix = "" if result.part is None else f"{result.part}:"
        if ("value", prefix + result.quantity) not in made:
            assert " after " in result.quantity or not result.rows
            continue
        for i, row in enumerate(result.rows):
            for j, text in enumerate(row):
                kind, key = "value", prefix + result.quantity
                if len(result.shape) == 2:
                    kind, key = "entry", f"{key}:{i + 1},{j + 1}"
                if len(result.shape) < 3 and "e" not in text:
                    assert made[kind, key] == text
                    compared += 1
    assert compared or not solution.results()


@pytest.mark.parametrize("name", SOME)
def test_every_quantity_is_there(name: str) -> None:
    """Data, values and derivatives: a symbol for each, a formula where it has one, a value where there are numbers."""
    solution = solved(name)
    made = told(solution.macros())
    for part in solution.core.parts:
        prefix = "" if part.problem.part is None else f"{part.problem.part}:"
        derived = [*part.derivation.adjoints] if part.derivation is not None else []
        names = [str(equation.name) for equation in part.network.equations] + [str(name) for name in derived]
        for quantity in names:
            assert made["formula", prefix + quantity]
        for quantity in (*part.network.data, *names):
            assert made["symbol", prefix + quantity]
            assert (("value", prefix + quantity) in made) == part.numeric


def test_updated_parameters_have_the_number_of_the_update() -> None:
    """``W1@1`` is ``W1`` after the first update, ``E@1`` the loss there."""
    solution = solved("case1")
    made = told(solution.macros())
    [after] = [result.rows[0][0] for result in solution.results() if "after" in result.quantity]
    assert made["value", "E@1"] == after != made["value", "E"]
    assert made["entry", "W1@1:1,1"] != ""


def test_a_part_goes_before_its_quantities() -> None:
    """The parts of a problem have quantities of the same names; the file tells them apart."""
    solution = solved("case2")
    parts = [part.problem.part for part in solution.core.parts]
    assert len(set(parts)) == len(parts) > 1
    made = told(solution.macros())
    prefixes = {key.split(":")[0] for kind, key in made if kind == "value"}
    assert prefixes == set(parts)


def test_the_command_writes_the_macros_with_the_rest(
    run: Callable[..., subprocess.CompletedProcess[bytes]], tmp_path: Path
) -> None:
    """The file goes where it is said, and is what Python gives."""
    done = run("case1", "--format", "md", "--macros", "paper/values.tex")
    assert done.returncode == 0, done.stderr.decode()
    assert (tmp_path / "paper/values.tex").read_text(encoding="utf-8") == solved("case1").macros()
    assert b"values.tex" in done.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("case1", "--macros", "values.txt"), "ends in .tex"),
        (("case1", "--macros", "reports/case1.tex"), "two files cannot both be"),
        (("case1", "--json", "--macros", "v.tex"), "--json writes no files"),
        (("backprop", "--macros", "v.tex"), "is a chapter"),
    ],
)
def test_a_wrong_file_is_refused(
    words: tuple[str, ...], told: str, run: Callable[..., subprocess.CompletedProcess[bytes]], tmp_path: Path
) -> None:
    """Another ending, the name of the report itself, options that write nothing: status 2 and no file."""
    done = run(*words)
    assert done.returncode == 2
    assert told in done.stderr.decode()
    assert not list(tmp_path.rglob("*.tex"))


# ── compiled ────────────────────────────────────────────────────────────────────────────────────────────────────

PAPER = r"""\documentclass{article}
\usepackage{amsmath,amssymb}
\input{other}
\input{values}
\begin{document}
\section{The error is \derivevalue{E}}
An entry of \derivesymbol{dE/dW2} is \deriveentry{dE/dW2}{1, 2}. % a blank behind the comma is no matter
The loss of the other one: \derivevalue[case2]{KEY}.
\begin{align}
  \derivesymbol{dE/dz_o} &= \deriveformula{dE/dz_o} \approx \derivevalue{dE/dz_o} \\
  \deriveresult{W2@1}
\end{align}
\end{document}
"""


@pytest.mark.tex
@pytest.mark.parametrize("engine", ["xelatex", "lualatex", "pdflatex"])
def test_a_paper_uses_the_macros(engine: str, tmp_path: Path) -> None:
    """Values stand in headings, text and formulas of a paper; what its PDF says is what the solution has."""
    assert shutil.which("pdftotext")
    other = told(solved("case2").macros())
    key = next(key for kind, key in other if kind == "value" and re.fullmatch(r"-?[\d.]+", other[kind, key]))
    beside = {"values.tex": solved("case1").macros().encode(), "other.tex": solved("case2").macros().encode()}
    made = run_tex(engine, PAPER.replace("KEY", key), "paper", beside)
    assert not re.findall(r"^(?:!|Overfull|Missing character|LaTeX Warning: (?!Label)).*", made.log, re.MULTILINE)
    (tmp_path / "paper.pdf").write_bytes(made.pdf)
    said = subprocess.run(["pdftotext", "paper.pdf", "-"], cwd=tmp_path, capture_output=True, check=True)
    words = said.stdout.decode().split()
    values = told(solved("case1").macros())
    for wanted in (values["value", "E"], other["value", key]):
        assert wanted in {word.rstrip(".") for word in words}
    entries = [("dE/dW2:1,2",), ("dE/dz_o:1,1", "dE/dz_o:1,2"), ("W2@1:1,1", "W2@1:2,2")]
    for entry in (entry for group in entries for entry in group):
        assert values["entry", entry] in {word.rstrip(".,") for word in words}, entry


@pytest.mark.tex
@pytest.mark.parametrize(
    ("use", "named"),
    [
        (r"\derivevalue{dE/dW3}", "There is no value of dE/dW3 in case1"),
        (r"\deriveentry{dE/dW2}{9,9}", "There is no entry of dE/dW2:9,9 in case1"),
        (r"\derivevalue[case9]{E}", "There is no value of E in case9"),
    ],
)
def test_an_unknown_name_is_an_error_that_names_it(use: str, named: str) -> None:
    """A slip in a paper does not leave a hole: LaTeX stops and says which name is not there."""
    paper = "\n".join(
        [r"\documentclass{article}\usepackage{amsmath}\input{values}\begin{document}", use, r"\end{document}"]
    )
    with pytest.raises(ProblemError, match=re.escape(named)):
        run_tex("pdflatex", paper, "paper", {"values.tex": solved("case1").macros().encode()})

"""The textbook's own displays, linted: what is wrong in print is found, what holds is not accused.

``tests/textbook/*.tex`` has the displays of both worked cases and of the derivation as they are printed, each under the
claims that it makes and their verdicts (``claims.toml``). The derivation stands in letters; ``layers.toml`` puts numbers
in. The published examples (``tests/examples``) are linted as a list of their printed values.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from derive.cli.lint import Printed
from derive.graph.expression import Adjoint
from derive.problem import Problem, find_problem, problem_from_text, read_problem
from derive.report.notation import Symbols
from derive.review.lint import Linted, lint_file, lint_text
from derive.review.lint.scenes import Known
from derive.solution import Solution, solve

HERE = Path(__file__).parent
LAYERS = (HERE / "textbook" / "layers.toml").read_text("utf-8")
CLAIM = re.compile(r"^% (?P<ids>case[12]\.\S+|\w+\.\S+)[^:\n]*: (?P<verdict>.*)$")

# What is to be found wrong: errata (E), and slips of notation (N) that the form of the formulas shows.
FOUND = {
    "case1": {"E1", "E2", "E4", "N9"},
    "case2": {"E3"},
    "layers": {"N6"},
    "layers-tanh": {"N6"},
    "layers-relu": {"N6"},
}


def problem(name: str) -> Problem:
    """The problem that a file is about."""
    if name.startswith("layers"):
        function = name.partition("-")[2] or "sigmoid"
        return problem_from_text(LAYERS.replace("sigmoid(h)", f"{function}(h)"))
    return find_problem(name)


@cache
def linted(name: str) -> Linted:
    """A file of the textbook, linted."""
    return lint_file(HERE / "textbook" / f"{name}.tex", Known(solve(problem(name)), Printed()))


def verdict_above(name: str, line: int) -> str:
    """The verdict on the claims of the display in which a line stands."""
    lines = (HERE / "textbook" / f"{name}.tex").read_text("utf-8").splitlines()
    match = next(match for text in reversed(lines[:line]) if (match := CLAIM.match(text)))
    entrywise = "notation N6, entry by entry: " if match["ids"].startswith("bp4.") else ""  # judged so in claims.toml
    return entrywise + match["verdict"]


@pytest.mark.parametrize("name", FOUND)
def test_the_textbook(name: str) -> None:
    """Each erratum that the form can show is found in its display, and no display that holds is accused."""
    found: set[str] = set()
    for link in linted(name).wrong:
        verdict = verdict_above(name, link.line)
        found |= set(re.findall(r"[EN]\d+", verdict))
        assert re.search(r"wrong|notation", verdict), f"line {link.line}, {verdict}: {link.text}"
    assert found == FOUND[name]


@pytest.mark.parametrize(("name", "share"), [("case1", 1.0), ("case2", 0.85), ("layers", 0.6)])
def test_most_of_the_textbook_is_read(name: str, share: float) -> None:
    """Case 1 is read whole; of the derivation what is not in letters alone."""
    links = linted(name).links
    assert len(links) - linted(name).count("not read") >= share * len(links)


def test_rounding_is_no_error() -> None:
    """R1 to R3: what the book carried at full precision and printed rounded is right as it stands."""
    for result in ("2.0862", "0.0983", "0.1502"):
        lines = [link for link in linted("case1").links if result in link.right]
        assert lines
        assert all(link.verdict.kind == "right" for link in lines if "db_1" not in link.left)  # E1 has them, too


REGRESSION = """
equations = '''
J = sum((y - t)**2) / 4
'''
given = { y = [[0.5], [2]], t = [[1], [0.25]] }
[ask]
gradients = ["y"]
"""
LOGITS = """
equations = '''
J = cross_entropy(out, t)
'''
given = { out = [[0.5, -1, 2]], t = [[0, 1, 0]] }
[ask]
gradients = ["out"]
"""
FORWARD = """
equations = '''
h1 = X @ W1 + b1.T
J = sum(h1**2)
'''
given = { X = [[1, 2], [3, -1]], W1 = [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]], b1 = [[0.1], [0.2], [0.3]] }
"""
# Of each erratum a printed line in numbers (N = 2), and the line that should stand there.
BY_FORMULA = {
    "E5": (
        REGRESSION,
        r"\frac{\partial J}{\partial y_1} = \frac{1}{2} \sum_{i=1}^{2} (y_i - t_i)",
        r"\frac{\partial J}{\partial y_1} = \frac{1}{2} (y_1 - t_1)",
    ),
    "E6, squared error": (
        REGRESSION,
        r"\frac{\partial J}{\partial y} = y - t",
        r"\frac{\partial J}{\partial y} = \frac{1}{2} (y - t)",
    ),
    "E6, cross-entropy": (
        LOGITS,
        r"\frac{\partial J}{\partial out} = out - t",
        r"\frac{\partial J}{\partial out} = \operatorname{softmax}(out) - t",
    ),
    "E7": (
        FORWARD,
        r"h_1 = X W_1 + \begin{pmatrix} 0.1 & 0.2 \\ 0.1 & 0.2 \end{pmatrix}_{2 \times 2}",
        r"h_1 = X W_1 + \mathbf{1} b_1^T",
    ),
}


@pytest.mark.parametrize("erratum", BY_FORMULA)
def test_errata_by_formula(erratum: str) -> None:
    """E5 to E7, with numbers for their letters: the printed formula is wrong, the corrected one right."""
    text, printed, right = BY_FORMULA[erratum]
    scene = Known(solve(problem_from_text(text)), Printed())
    verdicts = [lint_text(f"\\[{line}\\]", markdown=False, scene=scene).links for line in (printed, right)]
    assert [[link.verdict.kind for link in links] for links in verdicts] == [["wrong"], ["right"]]


# ── published examples ──────────────────────────────────────────────────────────────────────────────────────────

SOURCES = {path.stem: tomllib.loads(path.read_text("utf-8")) for path in sorted((HERE / "examples").glob("*.toml"))}


@cache
def example(name: str) -> Solution:
    """The problem of a published example."""
    return solve(read_problem(HERE / "problems" / f"{name}.toml"))


def lines(facts: dict[str, Any], verdict: str) -> Iterator[tuple[str, str, str]]:
    """Printed values of a source as chains: the problem, the symbol with its relation, and the value."""
    for one in facts["printed"]:
        base, _, kind = one["name"].partition(".")
        prefix = next(start for start in facts["problems"] if one["name"].startswith(start))
        name = facts.get("means", {}).get(base, base.removeprefix(prefix))
        part = example(facts["problems"][prefix]).parts[0]
        if one["verdict"] != verdict or "@" in base or name.startswith("-") or "/" in name:
            continue
        if name not in part.network.data and name not in {str(e.name) for e in part.network.equations}:
            continue
        symbols, shape = Symbols(part.problem, part.network), part.network.shape(name)
        index = tuple(one["index"])
        if len(index) == 1:
            index = tuple(int(k) for k in np.unravel_index(index[0], [int(size) for size in shape]))
        what = Adjoint(str(part.asked.loss), name) if kind == "grad" else name
        symbol = symbols.entry(what, index or tuple(0 for _ in shape))
        yield facts["problems"][prefix], f"{symbol} " + (r"\leftarrow" if kind == "new" else r"\approx"), one["value"]


def judged(name: str, line: str) -> str:
    """The verdict on one line about an example."""
    (link,) = lint_text(f"$$ {line} $$", markdown=True, scene=Known(example(name), Printed())).links
    return link.verdict.kind


@pytest.mark.parametrize("source", SOURCES)
def test_examples_are_right_and_spoiled_ones_are_not(source: str) -> None:
    """What a published example prints right is right; with its last digit changed by two, or its sign, it is wrong."""
    found = list(lines(SOURCES[source], "agree"))
    assert len(found) >= 5
    for name, left, value in found:
        assert judged(name, f"{left} {value}") == "right", f"{left} {value}"
        digit = value[-1]
        spoiled = value[:-1] + str((int(digit) + 2) % 10) if digit.isdigit() and "e" not in value else f"1{value}"
        assert judged(name, f"{left} {spoiled}") == "wrong", f"{left} {spoiled}"
        if float(value):
            assert judged(name, f"{left} {value[1:] if value[0] == '-' else '-' + value}") == "wrong"

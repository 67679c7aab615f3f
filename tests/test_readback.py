"""What is printed can be read back: every chain of every report, number by number, against the certified solution."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest

from derive.errors import ProblemError, Unsupported
from derive.problem import problem_from_text
from derive.report.compose import compose
from derive.report.document import Document
from derive.report.render import render
from derive.solution import Solution, solve
from readback import Report
from readback_book import Whole
from readback_document import Books, Chained, _defines_a_function, _precision, check_row, read_document, read_tex
from readback_grammar import Parser
from readback_problems import CONVENTIONS, PROBLEMS, text_of, with_convention
from readback_rows import Row, rows_of, rows_of_tex
from readback_tokens import Slip, split, tokens
from readback_values import Number, Value
from sampling import sampled

pytestmark = pytest.mark.slow  # hundreds of documents or proofs: once for each change is enough

Item = TypeVar("Item")

ROOT = Path(__file__).resolve().parent.parent
CASES = ("case1", "case2")
EXAMPLES = tuple(sorted(path.stem for path in (ROOT / "tests" / "problems").glob("*.toml")))

# The only shapes that may stay unread, each with its reason.
NOT_READ = {
    "elided matrix",  # a product of matrices that are printed in part cannot be worked out from what is printed
    "a unit matrix in a sum",
    "no numbers",
    "more than two axes",  # of a stack each matrix is read by itself
    "shares of windows that overlap",
}


@cache
def solved(text: str, name: str = "problem") -> tuple[Solution, Document]:
    """A problem solved and composed."""
    solution = solve(problem_from_text(text, name))
    return solution, compose(solution)


def case(name: str) -> str:
    """The problem file of a built-in case."""
    return (ROOT / "derive" / "cases" / f"{name}.toml").read_text(encoding="utf-8")


def example(name: str) -> str:
    """A published example."""
    return (ROOT / "tests" / "problems" / f"{name}.toml").read_text(encoding="utf-8")


def judged(report: Report) -> None:
    """Nothing wrong, nothing outside the grammar, and only known shapes unread."""
    assert not report.of("wrong", "slip"), "\n".join(map(str, report.of("wrong", "slip")))
    unread = {finding.why for finding in report.of("not read")}
    assert unread <= NOT_READ
    assert report.links > 0 or unread == {"no numbers"}  # formulas alone are judged by their instance


# ── whole documents ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", CASES)
def test_every_chain_of_the_cases_is_read_and_right(name: str) -> None:
    """Both cases are read whole: no shape is left unread and none is wrong."""
    solution, document = solved(case(name))
    report = read_document(document, solution)
    judged(report)
    assert not report.findings
    assert report.links > 100
    assert report.numbers > 200


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("name", CASES)
def test_the_cases_under_other_conventions(name: str, convention: str) -> None:
    """Digits, carrying, layout and style change what is printed, not whether it is right."""
    solution, document = solved(with_convention(case(name), convention))
    judged(read_document(document, solution))


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_chain_of_the_published_examples_is_right(name: str) -> None:
    """The published examples read back as their certified values."""
    solution, document = solved(example(name), name)
    judged(read_document(document, solution))


@pytest.mark.parametrize("name", CASES)
def test_the_latex_file_holds_the_same_chains(name: str) -> None:
    """The chains of the rendered LaTeX file are those of the document, token by token, and as right."""
    solution, document = solved(case(name))
    text = render(document, "tex").text
    composed = [(tokens(row.left), tokens(row.text)) for row in rows_of(document, solution)]
    printed = [(tokens(row.left), tokens(row.text)) for row in rows_of_tex(text, solution)]
    assert printed == composed
    judged(read_tex(text, solution))


def _pairs() -> list[Any]:
    """Every problem plainly, and a sample with one convention each, all of them in turn."""
    names, conventions = list(PROBLEMS), list(CONVENTIONS)
    turns = [(name, conventions[k % len(conventions)]) for k, name in enumerate(names)]
    return [*((name, "") for name in names), *sampled(turns, 2)]


@pytest.mark.parametrize(("name", "convention"), _pairs())
def test_every_shape_of_formula_reads_back(name: str, convention: str) -> None:
    """Networks in rows and columns, circuits, losses, skips, ties, ratios, updates: every chain is read and right."""
    try:
        solution, document = solved(text_of(name, convention))
    except Unsupported:
        assert "jacobian" in convention  # chains of Jacobians are for vectors, and the program says so
        return
    except ProblemError:
        assert "numerator" in convention  # a stack has no transpose, and the program says so
        return
    judged(read_document(document, solution))


# ── spoiled prints are caught ───────────────────────────────────────────────────────────────────────────────────


class Dice:
    """Seeded choices."""

    def __init__(self, seed: int) -> None:
        self._numbers = np.random.default_rng(seed)

    def choice(self, of: Sequence[Item]) -> Item:
        """One of several."""
        return of[int(self._numbers.integers(len(of)))]


def spoiled(text: tuple[str, ...], dice: Dice) -> tuple[str, tuple[str, ...]] | None:
    """One number, sign, factor, bracket, name or relation of a row spoiled; what it was, and the row."""
    kind = dice.choice(("digit", "digit", "sign", "factor", "bracket", "name", "relation", "product"))
    places = [k for k in range(len(text)) if _spoilable(kind, text, k)]
    if not places:
        return None
    k = dice.choice(places)
    match kind:
        case "digit":
            digits = [j for j, digit in enumerate(text[k]) if digit.isdigit()]
            j = dice.choice(digits)
            new = dice.choice([digit for digit in "0123456789" if digit != text[k][j]])
            return kind, (*text[:k], text[k][:j] + new + text[k][j + 1 :], *text[k + 1 :])
        case "sign":
            return kind, (*text[:k], "-" if text[k] == "+" else "+", *text[k + 1 :])
        case "factor":
            return kind, (*text[:k], *text[k + 2 :])
        case "bracket":
            end = _closing(text, k)
            return kind, (*text[:k], *text[k + 1 : end], *text[end + 1 :])
        case "name":
            other = dice.choice([j for j in range(len(text)) if _spoilable("name", text, j)])
            return kind, (*text[: k + 1], text[other + 1], *text[k + 2 :])
        case "relation":
            return kind, (*text[:k], "=", *text[k + 1 :])
    return kind, (*text[:k], "+", *text[k + 1 :])


def _spoilable(kind: str, text: tuple[str, ...], k: int) -> bool:
    number = text[k][0].isdigit()
    match kind:
        case "digit":
            return number and text[k - 1] != "_"
        case "sign":
            return text[k] in ("+", "-") and text[k - 1] != "^"
        case "factor":
            return text[k] == r"\cdot" and text[k + 1][0].isdigit() and text[k + 2 : k + 3] != (r"\times",)
        case "bracket":
            return (
                text[k] in ("(", "[")
                and text[k - 1] not in (r"\sigma", "'", r"\left")
                and not text[k - 1].startswith(r"\op")
            )
        case "name":
            return text[k] == "_" and text[k + 1].isdigit()
        case "relation":
            return text[k] == r"\approx"
    return text[k] == r"\cdot"


def _closing(text: tuple[str, ...], k: int) -> int:
    depth = 0
    for j in range(k, len(text)):
        depth += text[j] in ("(", "[")
        depth -= text[j] in (")", "]")
        if depth == 0:
            return j
    raise AssertionError("brackets do not pair")


def same_value(row: Row, text: tuple[str, ...], books: Books) -> bool:
    """Whether a spoiled row still says the same: every side has the value it had."""
    book = next(books.of(row.part))[0]
    with _precision():
        return _values(Chained(row, book)) == _values(Chained(Row(row.part, row.left, " ".join(text)), book))


def _values(chained: Chained) -> list[list[str]] | None:
    """The literal values of all sides; ``=`` between equal ones is as true as ``≈``."""
    found: list[list[str]] = []
    left = chained._parse(tokens(chained.row.left))
    moved = (
        chained.book.after_update(left.at[0].name) if left.kind == "name" and isinstance(left.at[0], Whole) else None
    )
    chained.more = {} if moved is None else {"rate": Value.scalar(moved[1])}
    try:
        for relation, piece in split(tokens(chained.row.text))[1:]:
            node = Parser(piece, chained.book.running, chained.book.own).read()
            value = [_text(x) for x in chained._reader(chained._literally).value(node).array.ravel()]
            same = bool(found) and found[-1][1:] == value
            found.append(["=" if same else relation, *value])
    except Slip:
        return None
    return found


def _text(x: Number) -> str:
    return str(x) if not hasattr(x, "mid") else x.mid().str(30, radius=False)


def test_spoiled_prints_are_caught() -> None:
    """Of 600 seeded spoilings of case 1 that change what is said, at least 99 % are caught."""
    solution, document = solved(case("case1"))
    books, dice = Books(), Dice(20240607)
    rows = [row for row in rows_of(document, solution) if not _defines_a_function(row)]
    tried: Counter[str] = Counter()
    missed: list[str] = []
    while tried.total() < 600:
        row = dice.choice(rows)
        found = spoiled(tokens(row.text), dice)
        if found is None:
            continue
        kind, text = found
        if same_value(row, text, books):
            continue
        tried[kind] += 1
        report = Report()
        check_row(Row(row.part, row.left, " ".join(text)), books, report)
        if not report.of("wrong", "slip"):
            missed.append(f"{kind}: {row.left} {' '.join(text)}")
    assert set(tried) == {"digit", "sign", "factor", "bracket", "name", "relation", "product"}, tried
    assert len(missed) <= 6, "\n".join(missed)

"""Large matrices: printed in part, with their corners, their size beside them and a word on where the whole is."""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cache
from typing import Any

import numpy as np
import pytest

import derive
from derive import Problem
from derive.report.breaking import lay_out, measure
from derive.report.catalogue import catalogue
from derive.report.compose import compose
from derive.report.compose.sheet import Sheet
from derive.report.document import Display, Document, Items, Math, Paragraph, Text
from derive.report.notation.matrices import LEAST_SCALE, MOST_COLUMNS, MOST_ROWS, matrix_of
from derive.report.notation.printed import printed_text
from derive.report.render import render
from derive.solution import Solution
from overflow import overflows
from readback_document import read_document
from sampling import sampled

DOTS = re.compile(r"\\cdots|\\vdots|\\ddots")
PROBLEMS: dict[
    str, tuple[int, int, int, int, int, dict[str, Any]]
] = {  # samples, inputs, units, outputs, decimals of the data, what the report shows
    "wide": (1, 40, 30, 2, 2, {}),
    "units": (1, 5, 64, 3, 2, {}),
    "batch": (12, 12, 12, 12, 2, {}),
    "many digits": (1, 9, 9, 9, 2, {"digits": 12}),
    "long data": (3, 9, 8, 9, 9, {"digits": 15}),
    "numerator": (12, 9, 10, 1, 2, {"layout": "numerator"}),
    "significant": (2, 9, 4, 9, 9, {"significant": 13}),
}


@cache
def solved(name: str) -> Solution:
    """A network with one hidden layer of such sizes."""
    samples, inputs, units, outputs, places, convention = PROBLEMS[name]
    dice = np.random.default_rng(len(name))

    def matrix(rows: int, columns: int) -> list[list[str]]:
        return [[f"{dice.uniform(-1, 1):.{places}f}" for _ in range(columns)] for _ in range(rows)]

    problem = Problem.from_equations(
        "z = x @ W + b\nh = tanh(z)\ny = h @ V + c\nE = sum((y - t)**2) / 2",
        given={"x": matrix(samples, inputs), "t": matrix(samples, outputs)},
        parameters={
            "W": matrix(inputs, units), "b": matrix(1, units), "V": matrix(units, outputs), "c": matrix(1, outputs),
        },
        ask={"gradients": "all", "update": {"rate": "0.1"}},
        convention=convention,
        name="large",
    )  # fmt: skip
    return derive.solve(problem).core


def texts(document: Document) -> list[str]:
    """Every formula of the displays."""
    shown = (block for block in document.blocks if isinstance(block, Display))
    return [term for block in shown for chain in block.chains for link in chain.links for term in link.terms]


def entries(latex: str) -> list[list[str]]:
    """The entries of a matrix, row by row."""
    body = latex.partition(r"\begin{pmatrix} ")[2].partition(r" \end{pmatrix}")[0]
    return [row.split(" & ") for row in body.split(r" \\ ")]


@pytest.mark.parametrize("shape", [(1, 40), (40, 1), (30, 40), (MOST_ROWS + 1, 2), (2, MOST_COLUMNS + 1), (64, 3)])
def test_the_corners_and_the_size_of_a_large_matrix(shape: tuple[int, int]) -> None:
    """Three first rows and columns and the last, dots between, and the size as an index."""
    latex = matrix_of(shape, lambda index: f"{index[0] + 1}.{index[1] + 1}")
    rows = entries(latex)
    assert latex.endswith(rf"\end{{pmatrix}}_{{{shape[0]} \times {shape[1]}}}")
    assert rows[0][0] == "1.1"
    assert rows[-1][0] == f"{shape[0]}.1"
    assert rows[0][-1] == f"1.{shape[1]}"
    assert rows[-1][-1] == f"{shape[0]}.{shape[1]}"
    assert len(rows) == (5 if shape[0] > MOST_ROWS else shape[0])
    assert len(rows[0]) == (5 if shape[1] > MOST_COLUMNS else shape[1])
    dots = Counter(DOTS.findall(latex))
    assert bool(dots[r"\ddots"]) == (shape[0] > MOST_ROWS and shape[1] > MOST_COLUMNS)


@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (MOST_ROWS, MOST_COLUMNS), (1, MOST_COLUMNS)])
def test_what_is_printed_whole_has_no_size(shape: tuple[int, int]) -> None:
    """Up to eight rows and nine columns of short numbers every entry stands there."""
    latex = matrix_of(shape, lambda index: "0.25")
    assert latex.count("0.25") == shape[0] * shape[1]
    assert "_" not in latex
    assert DOTS.search(latex) is None


@pytest.mark.parametrize("columns", range(2, MOST_COLUMNS + 1))
@pytest.mark.parametrize("characters", [4, 9, 14, 19, 30])
def test_columns_give_way_where_the_line_is_too_short(columns: int, characters: int) -> None:
    """As many columns as can be read stay, the first and the last among them; and no dots stand for a single column."""
    latex = matrix_of((2, columns), lambda index: "1" * characters)
    kept = len(entries(latex)[0]) - latex.count(r"\cdots") // 2
    assert kept == columns or (kept >= 2 and columns - kept >= 2)
    if kept == columns and columns > 3:
        assert measure([latex])[latex] * LEAST_SCALE < 42
    if kept < columns:
        whole = r"\begin{pmatrix} " + " & ".join(["1" * characters] * columns) + r" \end{pmatrix}"
        assert measure([whole])[whole] > 42


@pytest.mark.parametrize(
    ("name", "detail"), sampled([(name, detail) for name in PROBLEMS for detail in ("brief", "standard", "full")], 2)
)
def test_nothing_is_set_too_small_to_be_read(name: str, detail: str) -> None:
    """Of all rows of a document none is scaled below 65 % of the size of the text."""
    if (name, detail) == ("many digits", "full"):
        return  # hundreds of chains, of the same width as those of the standard report
    document = compose(solved(name), detail=detail)
    rows = [row for rows in lay_out(document).rows.values() for row in rows if row.fit]
    widths = measure(row.latex for row in rows)
    assert all(row.limit / widths[row.latex] >= LEAST_SCALE for row in rows)
    assert overflows(document) == []


@pytest.mark.parametrize("name", PROBLEMS)
def test_what_is_printed_in_part_says_so(name: str) -> None:
    """Dots and sizes go together, each size is that of a name, and the conventions say where the whole is."""
    document = compose(solved(name))
    network = solved(name).parts[0].network
    shapes = {shape for n in (*network.data, "z", "h", "y") for shape in (network.shape(n), network.shape(n)[::-1])}
    sizes = [
        tuple(map(int, pair))
        for text in texts(document)
        for pair in re.findall(r"pmatrix}_\{(\d+) \\times (\d+)\}", text)
    ]
    assert sizes
    assert set(sizes) <= shapes
    for text in texts(document):
        pieces = re.findall(r"\\begin\{pmatrix\}.*?\\end\{pmatrix\}(_)?", text)
        dotted = [bool(DOTS.search(piece)) for piece in re.findall(r"\\begin\{pmatrix\}.*?\\end\{pmatrix\}", text)]
        assert [bool(mark) for mark in pieces] == dotted
    items = [item for block in document.blocks if isinstance(block, Items) for item in block.items]
    assert any("--json" in "".join(span.text for span in item if isinstance(span, Text)) for item in items)


@pytest.mark.parametrize("name", PROBLEMS)
def test_what_is_printed_in_part_is_right(name: str) -> None:
    """Every chain reads back: values by their corners; a product of matrices in part is the only thing unread."""
    report = read_document(compose(solved(name)), solved(name))
    assert not report.of("wrong", "slip"), "\n".join(map(str, report.of("wrong", "slip")))
    assert {finding.why for finding in report.of("not read")} <= {"elided matrix"}
    assert report.links > 3 * len(report.of("not read"))


@pytest.mark.parametrize("name", ["wide", "long data"])
def test_the_corners_are_those_of_the_value(name: str) -> None:
    """First and last entries of each value are the certified ones."""
    part = solved(name).parts[0]
    sheet = Sheet(part, catalogue("en"))
    for what in (*part.network.data, "z", "h", "y"):
        array, printed = part.run.value(what), entries(sheet.value(what))
        for i, j in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
            certified = sheet.printed_entry(
                what, tuple(int(k) % size for k, size in zip((i, j), array.shape, strict=True))
            )
            assert printed[i][j] == printed_text(certified), what


def test_json_has_what_a_report_leaves_out() -> None:
    """Data, values, gradients and the derivatives on the way: every entry of each is in the JSON document."""
    part = derive.Solution(solved("wide")).json()["parts"][0]
    assert np.array(part["data"]["W"]).shape == (40, 30)
    assert np.array(part["values"]["h"]).shape == (1, 30)
    assert np.array(part["gradients"]["W"]).shape == (40, 30)
    less = derive.solve(
        Problem.from_equations(
            "h = x @ W\nE = sum(h**2)", given={"x": [[1] * 12]}, parameters={"W": [[0.5] * 11] * 12}, name="less"
        )
    )
    there = less.json()["parts"][0]
    assert np.array(there["adjoints"]["dE/dh"]).shape == (1, 11)
    assert json.dumps(there)


def test_a_list_that_is_cut_says_how_much_is_left_out() -> None:
    """Of entries that are written out one by one: how many stand there, how many do not, and where they are."""
    for lang in ("en", "zh"):
        document = compose(derive.solve("tied-weights").core, language=lang)
        found = [
            text
            for block in document.blocks
            if isinstance(block, Paragraph) and block.detail
            if "--json" in (text := "".join(span.text for span in block.spans if isinstance(span, Text)))
        ]
        assert found
        for text in found:
            first, second, rest = sorted(map(int, re.findall(r"\d+", text)), reverse=True)
            assert first == second + rest
            assert rest > 0


@pytest.mark.parametrize("format", ["md", "html", "tex", "typ"])
@pytest.mark.parametrize("name", ["wide", "batch"])
def test_sizes_stand_in_every_format(name: str, format: str) -> None:
    """A matrix with its size is within the subset of LaTeX that every format knows."""
    assert render(compose(solved(name)), format).text


def test_formulas_in_a_line_hold_no_matrix() -> None:
    """What is printed in part stands in displays and tables."""
    document = compose(solved("wide"))
    inline = [
        span.latex for b in document.blocks if isinstance(b, Paragraph) for span in b.spans if isinstance(span, Math)
    ]
    assert not any("pmatrix" in latex for latex in inline)

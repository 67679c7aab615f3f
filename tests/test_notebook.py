"""The example notebook under ``reports/``, and what a notebook makes of a solution."""

from __future__ import annotations

import base64
import json
import re
import xml.etree.ElementTree as ElementTree
from functools import cache
from typing import Any

import pytest
from markdown_it import MarkdownIt

import notebook
from derive.problem import find_problem
from derive.report.compose import compose
from derive.report.document import Document, Figure
from derive.report.notebook import markdown
from derive.report.render import render
from derive.solution import solve
from documents import HOSTILE, REALISTIC

COMMITTED = notebook.FILE.read_bytes()
IMAGE = re.compile(r'<img alt="([^"]*)" src="data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)">')


@cache
def cells() -> list[dict[str, Any]]:
    """The cells of the committed notebook."""
    found: list[dict[str, Any]] = json.loads(COMMITTED)["cells"]
    return found


def test_the_committed_notebook_is_what_its_cells_give() -> None:
    """Run anew, every cell gives the same bytes; ``python tests/notebook.py`` writes them."""
    assert notebook.made() == COMMITTED


def test_the_notebook_is_one_of_jupyter() -> None:
    """Format 4.5: every cell has a name of its own, code cells have outputs and a count, and none of them failed."""
    read = json.loads(COMMITTED)
    assert (read["nbformat"], read["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in cells()}) == len(cells())
    code = [cell for cell in cells() if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    assert all(cell["outputs"] for cell in code)
    kinds = {output["output_type"] for cell in code for output in cell["outputs"]}
    assert kinds == {"execute_result", "stream"}


def test_a_solution_is_shown_as_its_report() -> None:
    """The outputs hold Markdown with formulas, tables and pictures; text for whoever shows no Markdown."""
    shown = [output["data"] for cell in cells() for output in cell.get("outputs", ()) if "data" in output]
    reports = ["".join(data["text/markdown"]) for data in shown if "text/markdown" in data]
    assert len(reports) == 2
    for report in reports:
        assert report.startswith("# ")
        assert "$$\n\\begin{aligned}" in report
        assert IMAGE.search(report)
    assert all(data["text/plain"] for data in shown)
    assert any("text/latex" in data for data in shown)


@pytest.mark.parametrize("document", [REALISTIC, HOSTILE, "case1", "circuit"], ids=str)
def test_figures_stand_inside(document: Document | str) -> None:
    """Each figure is an element with its words and its picture, also to the reader of VS Code; all else is as in the file."""
    if isinstance(document, str):
        document = compose(solve(find_problem(document)))
    shown = markdown(document)
    figures = [block for block in document.blocks if isinstance(block, Figure)]
    found = IMAGE.findall(shown)
    assert len(found) == len(figures) > 0
    pictures = list(render(document, "md").attachments.values())
    for (_, data), picture in zip(found, pictures, strict=True):
        assert base64.b64decode(data) == picture
        assert ElementTree.fromstring(picture).tag.endswith("svg")
    assert IMAGE.sub("", shown) == re.sub(r"^!\[.*\]\(\S+\.svg\)$", "", render(document, "md").text, flags=re.MULTILINE)
    page = MarkdownIt("commonmark", {"html": True}).enable("table").render(shown)
    assert len(IMAGE.findall(page)) == len(figures)
    assert "base64" not in re.sub(r"<[^>]*>", "", page)


def test_markdown_it_refuses_such_data_in_an_image_of_markdown() -> None:
    """Why a figure is an element: the reader that VS Code uses would print an address of this kind as text."""
    page = MarkdownIt("commonmark").render("![a](data:image/svg+xml;base64,AAAA)")
    assert "<img" not in page


def test_a_cell_is_run_as_jupyter_runs_it() -> None:
    """One namespace; only the value of a last expression is shown."""
    names: dict[str, Any] = {}
    assert notebook.run("x = 2\nprint(x)\nx + 1", names) == ("2\n", 3)
    assert notebook.run("y = x", names) == ("", None)
    with pytest.raises(ZeroDivisionError):
        notebook.run("1 / 0", names)

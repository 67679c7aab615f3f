"""The example notebook, executed: ``python tests/notebook.py`` writes ``reports/notebook.ipynb``.

Cells are run here as Jupyter runs them (one namespace, the value of a last expression shown by its richest form), so
that nothing of Jupyter is needed, and the same cells give the same bytes.
"""

from __future__ import annotations

import ast
import io
import json
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parent.parent / "reports/notebook.ipynb"

# Text and code take turns; text comes first.
CELLS = (
    """\
# Backpropagation in a notebook

`derive` works a small network out: every gradient derived, put in numbers and checked. A solution shows itself as its
report.""",
    """\
import derive

derive.solve("case1")""",
    """\
## A network of your own

Equations are written as in NumPy. Numbers may stand as text, so that 0.1 is exactly one tenth.""",
    '''\
problem = derive.Problem.from_equations(
    """
    z = x @ W + b        # one layer
    p = softmax(z)       # probabilities
    E = cross_entropy(z, y)
    """,
    name="softmax",
    title="Softmax regression, one sample",
    given={"x": [["1", "2"]], "y": [[0, 0, 1]]},
    names={"x": "x_1 x_2", "y": "y_1 y_2 y_3", "W": "w_1 w_2 w_3; w_4 w_5 w_6", "b": "b_1 b_2 b_3"},
    parameters={"W": [["0.1", "0.2", "0.3"], ["0.4", "0.5", "0.6"]], "b": [["0", "0", "0"]]},
    ask={"gradients": ["W", "b"], "update": {"rate": "0.5"}},
)
solution = derive.solve(problem)
solution''',
    """\
## Numbers and formulas to go on with

Every quantity has a value, certified to the digits that are printed, and a formula in SymPy.""",
    """\
print(solution.value("dE/dW"))
for result in solution.results():
    print(result.quantity, result.rows)""",
    """\
The derivative by the first bias, written out in data and parameters:""",
    """\
solution.sympy("dE/db")[0]""",
)


def _output(kind: str, **more: Any) -> dict[str, Any]:
    return {**more, "output_type": kind}


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def _shown(value: Any) -> dict[str, list[str]]:
    """What a notebook stores of a value: its plain form, and the richer ones that it has."""
    data = {"text/plain": _lines(repr(value))}
    for kind, method in (("text/markdown", "_repr_markdown_"), ("text/latex", "_repr_latex_")):
        rich = getattr(value, method, None)
        if rich is not None and (text := rich()) is not None:
            data[kind] = _lines(text)
    return data


def run(code: str, names: dict[str, Any]) -> tuple[str, Any]:
    """What a cell prints, and the value of its last line if that is an expression."""
    body = ast.parse(code).body
    last = body.pop() if isinstance(body[-1], ast.Expr) else None
    value = None
    with redirect_stdout(io.StringIO()) as printed:
        exec(compile(ast.Module(body, []), "<cell>", "exec"), names)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), "<cell>", "eval"), names)
    return printed.getvalue(), value


def notebook() -> dict[str, Any]:
    """The notebook with its outputs (format 4.5 of Jupyter)."""
    names: dict[str, Any] = {"__name__": "__main__"}
    cells: list[dict[str, Any]] = []
    for number, text in enumerate(CELLS):
        cell: dict[str, Any] = {"id": f"cell-{number}", "metadata": {}, "source": _lines(text)}
        if number % 2 == 0:
            cells.append({"cell_type": "markdown", **cell})
            continue
        count = number // 2 + 1
        printed, value = run(text, names)
        outputs = [_output("stream", name="stdout", text=_lines(printed))] if printed else []
        if value is not None:
            outputs.append(_output("execute_result", data=_shown(value), execution_count=count, metadata={}))
        cells.append({"cell_type": "code", **cell, "execution_count": count, "outputs": outputs})
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def made() -> bytes:
    """The file, byte for byte."""
    return (json.dumps(notebook(), ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


if __name__ == "__main__":
    FILE.write_bytes(made())

"""The face for Python: what a notebook or a script gets."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy

import derive
from derive import Problem, ProblemError, Unsupported

SIGMOID = Problem.from_equations(
    """
    z = x @ W + b
    h = sigmoid(z)
    E = sum((h - t)**2) / 2
    """,
    given={"x": [[1, 2], [0, -1], [3, 0.5]], "t": [[0, 1], [1, 1], [0, 0]]},
    parameters={"W": [[0.1, -0.2], [0.3, 0.4]], "b": [0.5, -0.5]},
    ask={"gradients": "all"},
    name="sigmoid",
)
COLUMN = Problem.from_equations(
    "z = W @ x\nh = relu(z)\nl = (v @ h - y)**2 / 2",
    given={"x": [[1], [-2]], "y": 1, "W": [[1, 0.5], [2, 1.5], [3, 1]], "v": [1, 2, 3]},
    ask={"gradients": ["x", "W"]},
    convention={"layout": "numerator"},
    name="column",
)


@pytest.fixture(scope="module")
def sigmoid() -> derive.Solution:
    """A batch of three through one sigmoid layer."""
    return derive.solve(SIGMOID)


@pytest.fixture(scope="module")
def column() -> derive.Solution:
    """A column network in numerator layout."""
    return derive.solve(COLUMN)


def numbers(solution: derive.Solution) -> dict[sympy.Symbol, sympy.Rational]:
    """The data of a solution, by the symbols of their entries."""
    part = solution.core.part()
    assert part.explicit is not None
    return {
        symbol: sympy.Rational(int(value.p), int(value.q))
        for name in part.network.data
        for symbol, value in zip(part.explicit.symbols(name).ravel(), part.run.value(name).ravel(), strict=True)
    }


# ── values ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_value_is_exact_or_enclosed(sigmoid: derive.Solution) -> None:
    """An affine value is the rational itself; a sigmoid lies in an interval of less than 10⁻³⁰."""
    z, h = sigmoid.value("z"), sigmoid.value("h")
    assert z.exact
    assert z.enclosure(0, 0) == (Fraction(6, 5), Fraction(6, 5))
    assert repr(z) == "[[1.2, 0.1], [0.2, -0.9], [0.95, -0.9]]"
    assert not h.exact
    low, high = h.enclosure(2, 1)
    assert 0 < high - low < Fraction(1, 10**30)
    assert repr(h[0, 0]) == "0.76852478349901764"
    assert float(h[0, 0]) == pytest.approx(0.76852478349901764, rel=1e-16)


def test_a_value_is_an_array_to_numpy(sigmoid: derive.Solution) -> None:
    """``floats`` has the shape of the quantity, and NumPy takes the value as it is."""
    h = sigmoid.value("h")
    assert h.shape == h.floats().shape == (3, 2)
    assert np.allclose(np.asarray(h), 1 / (1 + np.exp(-sigmoid.value("z").floats())), rtol=1e-15)
    assert sigmoid.value("E").floats().shape == ()


def test_numerator_layout_turns_gradients(column: derive.Solution) -> None:
    """In numerator layout a gradient by a column is a row, and values keep their shape."""
    assert column.value("x").shape == (2, 1)
    assert column.value("dl/dx").shape == (1, 2)
    assert column.value("dl/dW").shape == (2, 3)
    assert column.sympy("dl/dx").shape == (1, 2)
    assert column.sympy("dl/dx", form="matrix").shape == (1, 2)


def test_floats_are_read_as_they_print() -> None:
    """A Python float 0.1 and a NumPy array are the decimals they show."""
    solution = derive.solve(
        Problem.from_equations("y = x @ w", given={"x": [0.1, 0.2]}, parameters={"w": np.array([[3], [0.7]])})
    )
    assert solution.value("y").enclosure(0, 0) == (Fraction(44, 100),) * 2


# ── SymPy ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("fixture", ["sigmoid", "column"])
def test_explicit_entries_are_the_values(fixture: str, request: pytest.FixtureRequest) -> None:
    """Put the data into any explicit SymPy object and the certified value comes out."""
    solution: derive.Solution = request.getfixturevalue(fixture)
    data = numbers(solution)
    part = solution.core.part()
    names = [str(e.name) for e in part.network.equations] + sorted({str(a) for a in part.shape_adjoints})
    for name in names:
        explicit = solution.sympy(name)
        assert explicit.free_symbols <= set(data)
        value = solution.value(name).floats()
        found = np.array(sympy.Matrix([explicit]).subs(data).evalf(20).tolist(), dtype=float).reshape(value.shape)
        assert np.allclose(found, value, rtol=1e-14, atol=0), name


def test_the_explicit_gradient_is_sympys_own(sigmoid: derive.Solution) -> None:
    """dE/dW, written out, is what SymPy's ``diff`` makes of the written-out loss."""
    loss, gradient, W = sigmoid.sympy("E"), sigmoid.sympy("dE/dW"), sigmoid.sympy("W")
    for i in range(2):
        for j in range(2):
            difference = sympy.diff(loss, W[i, j]) - gradient[i, j]
            assert abs(difference.subs(numbers(sigmoid)).evalf(30)) < 1e-25


@pytest.mark.parametrize("fixture", ["sigmoid", "column"])
def test_the_matrix_form_is_the_value(fixture: str, request: pytest.FixtureRequest) -> None:
    """Every equation, as a matrix expression with numbers for its symbols, gives the value of its name."""
    solution: derive.Solution = request.getfixturevalue(fixture)
    part = solution.core.part()
    assert part.explicit is not None
    names = [str(e.name) for e in part.network.equations] + sorted({str(a) for a in part.shape_adjoints})
    for name in names:
        formula = solution.sympy(name, form="matrix")
        put_in = {}
        for symbol in formula.free_symbols:
            value = solution.value(str(symbol)).floats()
            put_in[symbol] = sympy.Matrix(value) if value.shape else sympy.Float(value.item())
        found = formula.subs(put_in).replace(sympy.Trace, lambda inside: inside.as_explicit().trace()).doit()
        entries = [found] if found.is_scalar else list(found.as_explicit())
        floats = [float(part.explicit.with_definitions(entry).evalf()) for entry in entries]
        assert np.allclose(floats, solution.value(name).floats().ravel(), rtol=1e-12), name


def test_the_matrix_form_reads_as_a_formula() -> None:
    """Sizes may be names; what NumPy stretches stands as matrices of ones."""
    solution = derive.solve(
        Problem.from_equations(
            "z = x @ W + b\nE = sum(tanh(z))",
            shapes={"x": ["N", "m"], "W": ["m", "n"], "b": [1, "n"]},
            ask={"gradients": ["W", "b"]},
        )
    )
    assert str(solution.sympy("z", form="matrix")) == "x*W + 1*b"
    assert str(solution.sympy("dE/dW", form="matrix")) == "x.T*dE/dz"
    assert solution.sympy("dE/dW", form="matrix").shape == sympy.symbols("m n", integer=True, positive=True)
    with pytest.raises(Unsupported, match="form='matrix'"):
        solution.sympy("dE/dW")
    with pytest.raises(ProblemError, match="sizes without numbers"):
        solution.value("z")


def test_a_jacobian_written_out() -> None:
    """A ratio of two vectors is a Jacobian: rows by the entries above, columns by the entries below."""
    solution = derive.solve(
        Problem.from_equations(
            "y = tanh(x @ W)", given={"x": [0.1, 0.2], "W": [[1, 2, 3], [3, 4, 5]]}, ask={"gradients": ["dy/dx"]}
        )
    )
    explicit = solution.sympy("dy/dx")
    assert explicit.shape == solution.value("dy/dx").shape == (3, 2)
    found = np.array(explicit.subs(numbers(solution)).evalf(20).tolist(), dtype=float)
    assert np.allclose(found, solution.value("dy/dx").floats(), rtol=1e-14)


# ── results, conventions, files ─────────────────────────────────────────────────────────────────────────────────


def test_results_are_shown_as_the_convention_says(sigmoid: derive.Solution) -> None:
    """Four decimals unless told otherwise; ``solve`` overrides the problem's convention."""
    shown = {result.quantity: result.rows for result in sigmoid.results()}
    assert shown["E"] == (("1.0640",),)
    assert [len(row) for row in shown["dE/dW"]] == [2, 2]
    finer = {result.quantity: result.rows for result in derive.solve(SIGMOID, digits=8).results()}
    assert finer["E"] == (("1.06396552",),)
    coarse = {result.quantity: result.rows for result in derive.solve(SIGMOID, significant=2).results()}
    assert coarse["E"] == (("1.1",),)


def test_overrides_reach_every_part_and_are_checked() -> None:
    """``digits`` and ``style`` hold for the parts too; what a problem file may not say, ``solve`` may not."""
    from derive.api import read

    changed = read("case2", digits=2, style="matrix")
    assert {part.convention.digits for part in changed.each()} == {2}
    assert {part.convention.style for part in changed.each()} == {("matrix",)}
    assert {part.convention.layout for part in changed.each()} == {"numerator"}
    wrongs: tuple[dict[str, Any], ...] = (
        {"digits": 99},
        {"significant": 0},
        {"style": ["matrx"]},
        {"digits": 3, "significant": 3},
    )
    for wrong in wrongs:
        with pytest.raises(ProblemError):
            read("case2", **wrong)


def test_parts_are_asked_for_by_name() -> None:
    """With parts, a value belongs to one of them."""
    solution = derive.solve("case2")
    assert {name: repr(solution.value("dl/dx", part=name)) for name in "abc"} == {
        "a": "[[-1, 2]]",
        "b": "[[0, 2]]",
        "c": "[[0, -2]]",
    }
    with pytest.raises(ProblemError, match="a, b, c"):
        solution.value("dl/dx")


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda s: s.value("dE/dV"), "dE/dV"),
        (lambda s: s.sympy("dE/dw"), "nearest: dE/dW"),
        (lambda s: s.sympy("V", form="matrix"), "there are x, t, W"),
        (lambda s: s.sympy("E", form="latex"), "explicit"),
        (lambda s: s.files(["pfd"]), "pdf"),
        (lambda s: s.check("F", "0.8"), "there is no quantity F"),
    ],
)
def test_wrong_questions(sigmoid: derive.Solution, ask: Any, words: str) -> None:
    """A quantity, form or format that is not there is a ``ProblemError`` that says what is."""
    with pytest.raises(ProblemError, match=words):
        ask(sigmoid)


def test_a_notebook_shows_the_report_with_its_figures(sigmoid: derive.Solution) -> None:
    """The Markdown that Jupyter gets stands alone: every picture is inside."""
    shown = sigmoid._repr_markdown_()
    assert shown.startswith("# ")
    assert shown.count('src="data:image/svg+xml;base64,') == shown.count("<img alt=") == 2
    assert "](" not in shown  # markdown-it refuses such data in an image of Markdown


def test_save_writes_what_files_says(sigmoid: derive.Solution, tmp_path: Path) -> None:
    """``save`` writes all files, figures included, and returns their paths."""
    written = sigmoid.save(tmp_path / "out", formats=["md", "tex"])
    files = sigmoid.files(["md", "tex"])
    assert {path.name: path.read_bytes() for path in written} == files
    assert set(files) >= {"sigmoid.md", "sigmoid.tex"}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(files)

"""What a user can get wrong between reading and printing: one message each, on the right line; and what is allowed."""

from __future__ import annotations

from typing import Any

import pytest

from derive.errors import ProblemError, Unsupported
from derive.problem import problem_from_text
from derive.solution import Solution, solve


def solved(equations: str, tables: str = "") -> Solution:
    """The solution of a problem file: the equations start on line 2, the tables three lines below the last of them."""
    return solve(problem_from_text(f'equations = """\n{equations}\n"""\n{tables}'))


WRONG: dict[str, tuple[str, str, str]] = {
    "inner sizes": (
        "z = x @ W\nL = sum(z)",
        "[given]\nx = [1, 2, 3]\nW = [[1, 2], [3, 4]]",
        "problem.toml:2: in the equation 'z = x @ W': 1 x 3 @ 2 x 2: the inner sizes 3 and 2 differ",
    ),
    "an upstream below another": (
        "c = x * w\nh = tanh(c)",
        "[given]\nx = 2\n[parameters]\nw = 1\n[ask]\n"
        'upstream = [{ of = "L", at = "h", value = 1 }, { of = "L", at = "c", value = 2 }]',
        "upstream at c and at h, which follows from it",
    ),
    "a flat list is a row": (
        "z = W @ x\nL = sum(z)",
        "[given]\nx = [1, 2]\nW = [[1, 2], [3, 4]]",
        "problem.toml:2: in the equation 'z = W @ x': 2 x 2 @ 1 x 2: the inner sizes 2 and 1 differ "
        "(the second is a row, as a flat list is; a column is its .T, or [[1], [2]])",
    ),
    "an index out of range": (
        "z = x[1]",
        "[given]\nx = [1, 2, 3]",
        "problem.toml:2: in the equation 'z = x[1]': there is no index 1 along axis 0 of 1 x 3; indices count from 0, "
        "so the last is 0; a row has its entries along axis 1: [0, 1]",
    ),
    "an empty slice": (
        "z = x[:, 3:]",
        "[given]\nx = [1, 2, 3]",
        "problem.toml:2: in the equation 'z = x[:, 3:]': the slice 3: along axis 1 of 1 x 3 is empty",
    ),
    "indices for more axes than there are": ("z = s[0]", "[given]\ns = 1", "a number has no entries to index"),
    "blocks that do not fit": (
        "z = concat(x, W)",
        "[given]\nx = [1, 2, 3]\nW = [[1, 2], [3, 4]]",
        "problem.toml:2: in the equation 'z = concat(x, W)': concat along axis 0 of 1 x 3 and 2 x 2: "
        "their sizes along the other axis differ",
    ),
    "a number among blocks": (
        "z = concat(x, 1, axis=1)",
        "[given]\nx = [1, 2]",
        "concat joins matrices, and this is a number",
    ),
    "a stack of matrices": ("z = stack(W, W)", "[given]\nW = [[1, 2], [3, 4]]", "stack takes numbers, rows or columns"),
    "a shape that is not filled": (
        "z = reshape(x, 2, 2)",
        "[given]\nx = [1, 2, 3]",
        "problem.toml:2: in the equation 'z = reshape(x, 2, 2)': reshape of 1 x 3 to 2 x 2: 3 entries do not fill it",
    ),
    "a shape of one axis": ("z = reshape(x, 3)", "[given]\nx = [1, 2, 3]", "a row is reshape(a, 1, -1)"),
    "ones of one axis": ("z = x * ones(3)", "[given]\nx = [1, 2, 3]", "ones(1, 3) is a row"),
    "a label outside of the classes": (
        "z = one_hot(y, 2)",
        "[given]\ny = [0, 2]",
        "problem.toml:5: one_hot gets 2 from y, which is no class number; there are 2 classes; "
        "expected are whole numbers from 0 to 1",
    ),
    "a row that the table has not": (
        "z = embedding(E, k)",
        "[given]\nE = [[1, 2], [3, 4]]\nk = [1, -1]",
        "problem.toml:6: embedding gets -1 from k, and the table has 2 rows; expected are whole numbers from 0 to 1",
    ),
    "half a row": ("z = embedding(E, k)", "[given]\nE = [[1, 2], [3, 4]]\nk = 0.5", "embedding gets 1/2 from k"),
    "an index that is computed": (
        "k = x * 2\nz = embedding(x, k)",
        "[given]\nx = [[1], [0]]",
        "problem.toml:3: in the equation 'z = embedding(x, k)': embedding takes its class numbers from the data",
    ),
    "a gradient by an index": (
        "z = embedding(E, k)\nL = sum(z)",
        '[given]\nE = [[1, 2], [3, 4]]\nk = [1]\n[ask]\ngradients = ["k"]',
        "k holds class numbers; there is no gradient by them",
    ),
    "bounds the wrong way round": (
        "z = clip(x, 2, 1)",
        "[given]\nx = [1, 2]",
        "problem.toml:2: z[1,1]: clip with a lower",
    ),
    "sizes of a sum": (
        "y = x * 2\nz = y + W",
        "[given]\nx = [1, 2, 3]\nW = [[1, 2], [3, 4]]",
        "problem.toml:3: in the equation 'z = y + W': 1 x 3 and 2 x 2 do not fit together",
    ),
    "both stretched": (
        "z = x - y",
        "[given]\nx = [1, 2, 3]\ny = [[1], [2]]",
        "problem.toml:2: in the equation 'z = x - y': 1 x 3 and 2 x 1 would both have to be stretched",
    ),
    "loss with entries": (
        "z = x * 2",
        '[given]\nx = [1, 2, 3]\n[ask]\ngradients = ["x"]',
        "problem.toml:2: the loss z is 1 x 3, not a scalar",
    ),
    "gradient by nobody": (
        "z = sum(x)",
        '[given]\nx = [1, 2]\n[ask]\ngradients = ["w"]',
        "problem.toml:7: gradients names what does not exist: w",
    ),
    "gradient by class numbers": (
        "L = cross_entropy(z, y)",
        '[given]\ny = [0]\n[parameters]\nz = [[1, 2, 3]]\n[ask]\ngradients = ["y"]',
        "problem.toml:9: y holds class numbers; there is no gradient by them",
    ),
    "division by zero": (
        "a = x - 0.3\nz = sum(1 / a)",
        "[given]\nx = [[1, 0.3], [2, 3]]",
        "problem.toml:3: z[1,2]: division by zero",
    ),
    "log of a negative number": (
        "z = sum(log(x))",
        "[given]\nx = [[1, 2], [3, -1]]",
        "problem.toml:2: z[2,2]: log of a number that is not positive",
    ),
    "log inside an equation": (
        "y = 2 * exp(log(x @ x.T - 4))",
        "[given]\nx = [1, 1]",
        "problem.toml:2: u2[1,1], a step of this equation without a name: log of a number that is not positive",
    ),
    "root of a negative number": ("z = sqrt(x)", "[given]\nx = [1, -4]", "problem.toml:2: z[1,2]: sqrt of a negative"),
    "slope of a root at zero": (
        "z = sum(sqrt(x))",
        "[parameters]\nx = [0, 1]",
        "problem.toml:2: the derivative dz/dx[1,1]: division by zero",
    ),
    "fraction of a power": ("z = x**0.3", "[given]\nx = -1", "problem.toml:2: z: a fractional power of a negative"),
    "power of zero": ("z = x**-1", "[given]\nx = [1, 0]", "problem.toml:2: z[1,2]: a negative power of zero"),
    "constant over zero": ("L = x / 0", "[parameters]\nx = 2", "problem.toml:2: L: division by zero"),
    "too large": ("z = exp(x)", "[parameters]\nx = 1e300", "problem.toml:2: equation 'z' is too large for a double"),
    "too large at last": (
        "a = exp(x)\nb = exp(a)\nL = 1 / b",
        "[parameters]\nx = 8",
        "problem.toml:3: equation 'b' is too large for a double",
    ),
    "too small": ("z = exp(-x)", "[parameters]\nx = 1e300", "problem.toml:2: z is too near to zero to be written"),
    "undecided branch": (
        "a = tanh(x) - tanh(x)\nL = relu(a)",
        "[parameters]\nx = 2",
        "problem.toml:3: L: > is not decided: a value is zero, or too near to zero to tell at 4096 bits",
    ),
    "class out of range": (
        "L = cross_entropy(z, y)",
        "[given]\ny = [3]\n[parameters]\nz = [[1, 2, 3]]",
        "problem.toml:5: y has 3, which is no class number; expected whole numbers from 0 to 2",
    ),
    "half a class": (
        "L = cross_entropy(z, y)",
        "[given]\ny = [0.5]\n[parameters]\nz = [[1, 2, 3]]",
        "problem.toml:5: y has 1/2, which is no class number; expected whole numbers from 0 to 2",
    ),
    "one class": (
        "L = cross_entropy(z, y)",
        "[given]\ny = [0]\n[parameters]\nz = [[1], [2], [3]]",
        "there is only one in 3 x 1; did you mean axis=0?",
    ),
    "labels of another size": (
        "L = cross_entropy(z, y)",
        "[given]\ny = [0, 1]\n[parameters]\nz = [[1, 2, 3]]",
        "y is 1 x 2; expected labels of 1 x 3 or a flat list of 1 class numbers",
    ),
    "upstream of another size": (
        "z = x * 2",
        '[given]\nx = [1, 2]\n[ask]\nupstream = { of = "J", at = "z", value = [[1], [2]] }\ngradients = ["x"]',
        "problem.toml:7: the upstream at z is 2 x 1, and z is 1 x 2",
    ),
    "no such axis": ("z = sum(x, axis=2)", "[given]\nx = [1, 2]", "there is no axis 2 in 1 x 2"),
    "softmax of a scalar": ("z = softmax(x)", "[given]\nx = 1", "problem.toml:2: in the equation 'z = softmax(x)'"),
    "updates that overflow": (
        "L = exp(w)",
        "[parameters]\nw = 5\n[ask]\nupdate = { rate = -100, steps = 3 }",
        "'L' leaves the range of doubles after 1 update",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_input_gets_one_message(name: str) -> None:
    """File, line, what was found, what is expected; never a traceback, never a warning of NumPy's."""
    equations, tables, message = WRONG[name]
    with pytest.raises(ProblemError) as caught:
        solved(equations, tables)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_not_built_says_so() -> None:
    """Right input for later work is told apart from wrong input."""
    with pytest.raises(Unsupported, match=r"^problem.toml:2: embedding needs the numbers of k, .* not built yet"):
        solved("z = embedding(E, k)", "[shapes]\nE = [3, 2]\nk = [1, 2]")


ALLOWED: dict[str, tuple[str, str]] = {
    "sizes by name": (
        "z = x @ W + b\nh = tanh(z)\nL = mean(h**2)",
        '[shapes]\nx = ["N", "m"]\nW = ["m", "n"]\nb = [1, "n"]\n[ask]\ngradients = ["W", "b", "x"]',
    ),
    "large sizes": (
        "z = x @ W\nL = sum(sigmoid(z))",
        '[shapes]\nx = [1000000, 1000000]\nW = [1000000, 1000000]\n[ask]\ngradients = ["W", "x"]',
    ),
    "an activation without a formula": (
        "z = x @ W\nh = phi(z)",
        '[shapes]\nx = ["N", "m"]\nW = ["m", "n"]\n[functions]\nphi = "unspecified"\n'
        '[ask]\nupstream = { of = "J", at = "h" }\ngradients = ["W"]',
    ),
    "an activation without a formula, beside numbers": (
        "z = x @ W\nL = sum(phi(z))",
        '[given]\nx = [1, 2]\n[parameters]\nW = [[1], [2]]\n[functions]\nphi = "unspecified"',
    ),
    "an upstream by name": (
        "z = x @ W",
        '[given]\nx = [1, 2]\n[parameters]\nW = [[1], [2]]\n[ask]\nupstream = { of = "J", at = "z" }',
    ),
    "an upstream in numbers": (
        "z = x @ W",
        '[given]\nx = [1, 2]\n[parameters]\nW = [[1], [2]]\n[ask]\nupstream = { of = "J", at = "z", value = [[3]] }',
    ),
    "a function of one's own": (
        "L = sum(f(z))",
        '[parameters]\nz = [1, 2]\n[functions]\nf = "z**3 / 3 + sin(pi * z)"',
    ),
    "an equation that is a number": ("c = 3\nL = c * x", "[parameters]\nx = 2"),
    "no gradient at all": ("z = x * 2", "[parameters]\nx = [1, 2]\n[ask]\ngradients = []"),
    "a value far below one": ("z = exp(-x)", "[parameters]\nx = 10000"),
}


@pytest.mark.parametrize("name", ALLOWED)
def test_allowed(name: str) -> None:
    """Sizes that need no numbers, unknown functions, known upstreams: solved, replayed, checked as far as can be."""
    part = solved(*ALLOWED[name]).parts[0]
    assert part.derivation is None or part.checks


def test_upstream_in_numbers_is_multiplied_through() -> None:
    """dJ/dW is the transpose of x times the given dJ/dz."""
    part = solved(*ALLOWED["an upstream in numbers"]).parts[0]
    assert part.value_of("dJ/dW").tolist() == [[3], [6]]


def test_large_sizes_need_no_numbers() -> None:
    """10^6 x 10^6 by 10^6 x 10^6: the formula, at once and without memory."""
    import resource

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    part = solved(*ALLOWED["large sizes"]).parts[0]
    assert not part.numeric
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kilobytes


def shown(convention: str, *names: Any) -> list[list[str]]:
    """How the values of case 1's first layers are printed under a convention."""
    from derive.problem import find_problem
    from derive.problem.convention import read_convention
    from derive.problem.places import Places

    problem = find_problem("case1")
    from dataclasses import replace

    table = dict(pair.split("=") for pair in convention.split())
    plain: dict[str, object] = {key: int(value) if value.isdigit() else value for key, value in table.items()}
    part = solve(replace(problem, convention=read_convention(plain, Places()))).parts[0]
    return [[entry.text for entry in part.shown.shown(name, part.rounding)] for name in names]  # type: ignore[union-attr]


def test_displayed_values_are_carried() -> None:
    """With carry = displayed z_o is what four-decimal h give by hand: 0.9866 0.7 + 0.9950 0.9 + 0.5 = 2.08612."""
    full, carried = (shown(f"carry={how} digits=4", "h", "z_o", "o") for how in ("full", "displayed"))
    assert full == [["0.9866", "0.9950"], ["2.0862", "1.3888"], ["0.8896", "0.8004"]]
    assert carried == [["0.9866", "0.9950"], ["2.0861", "1.3888"], ["0.8895", "0.8004"]]


def test_rounding_and_significant_digits() -> None:
    """Ties follow the declared rule; significant digits are counted from the first that is not zero."""
    from derive.problem import Problem

    def printed(**convention: Any) -> list[str]:
        part = solve(
            Problem.from_equations("y = x / 8", given={"x": [1, 3, 0.01]}, convention={"digits": 2} | convention)
        ).parts[0]
        return [entry.text for entry in part.shown.shown("y", part.rounding)]  # type: ignore[union-attr]

    assert printed() == ["0.13", "0.38", "1.3e-03"]
    assert printed(rounding="half-even") == ["0.12", "0.38", "1.2e-03"]
    part = solve(Problem.from_equations("y = x / 7", given={"x": [1, 100, 0.01]}, convention={"significant": 3})).parts[
        0
    ]
    assert [entry.text for entry in part.shown.shown("y", part.rounding)] == ["0.143", "14.3", "0.00143"]  # type: ignore[union-attr]


@pytest.mark.parametrize("formula", ["abs(z)", "relu(z) * z", "maximum(z, 0)", "z * (z > 0)"])
def test_a_formula_with_a_kink_needs_a_declared_value(formula: str) -> None:
    """A function of one's own has no convention at a kink: one message, on the line of the formula."""
    text = f"equations = 'E = phi(x)'\n[given]\nx = 1\n[functions]\nphi = '{formula}'\n"
    with pytest.raises(ProblemError, match=r"(has a kink|jumps) .* no value is declared") as caught:
        solve(problem_from_text(text))
    assert caught.value.line == 5

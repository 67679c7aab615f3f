"""Checks that can fail: each kind of slip is seen by a witness that knows nothing of it; hard but right input passes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import sympy
from flint import fmpq

from derive.calculus import functions
from derive.calculus.functions import H, Z
from derive.calculus.vanish import vanishes
from derive.errors import ProblemError
from derive.graph import ops, reverse
from derive.graph.expression import Expression, constant, is_constant, leaf
from derive.graph.ops import OPS, arithmetic, matmul, multiply, transpose
from derive.oracle import Oracle
from derive.problem import Problem, find_problem
from derive.solution import CheckFailed, ReplayError, derivation, elementwise, path_sums, replay, rules, solve
from derive.solution.differentiate import differentiated
from derive.solution.part import Part

SQUARE = {"x": [[1, 2], [3, -1]], "t": [[0.5, 0.25], [0.1, 0.3]]}
WEIGHTS = {"W": [[0.3, -0.2], [0.5, 0.1]], "V": [[0.7, 0.4], [-0.6, 0.2]], "b": [[0.1, -0.3]]}
NETWORK = """
z = x @ W + b
h = tanh(z)
y = h @ V
L = mean((y - t)**2 / 2)
"""


def square() -> Problem:
    """A network in which every matrix is 2 x 2, so that a wrong transpose fits."""
    return Problem.from_equations(NETWORK, given=SQUARE, parameters=WEIGHTS)


def mutated(monkeypatch: pytest.MonkeyPatch, op: str, pullback: Callable[..., tuple[Expression, ...]]) -> None:
    """Puts a wrong pullback into the table."""
    monkeypatch.setitem(OPS, op, replace(OPS[op], pullback=pullback))


PRODUCT_RULE = OPS["multiply"].pullback


def without_minus(G: Expression, node: Expression) -> tuple[Expression, ...]:
    """The product rule with every -1 left out."""
    right = PRODUCT_RULE(G, node)
    dropped = [arg for arg in node.args if not is_constant(arg, -1)]
    return tuple(multiply(G, *(a for a in dropped if a is not x)) if x.shape == G.shape else r
                 for x, r in zip(node.args, right, strict=True))  # fmt: skip


def without_mean(G: Expression, node: Expression) -> tuple[Expression, ...]:
    """The product rule with every 1/N left out."""
    kept = [arg for arg in node.args if not (arg.op == "constant" and 0 < arg.number < 1)]
    return tuple(multiply(G, *(a for a in kept if a is not x)) if x in kept else constant(0) for x in node.args)


SUM_TO = ops.sum_to


def wrong_axis(x: Expression, shape: Any) -> Expression:
    """Adds up along the rows where the columns are meant."""
    if shape == (1, 2) and x.shape == (2, 2):
        return transpose(ops.total(x, 1))
    return SUM_TO(x, shape)


PULL = reverse.pull


def one_path(upstream: Expression, value: Expression, needed: frozenset[str]) -> Iterator[tuple[str, Expression]]:
    """Reverse mode that forgets all but the first use of a name in an equation."""
    seen = set()
    for name, handed in PULL(upstream, value, needed):
        if name not in seen:
            yield name, handed
        seen.add(name)


SLIPS: dict[str, tuple[str, Callable[[pytest.MonkeyPatch], None]]] = {
    "transpose of the weights": (
        "dL/dh",
        lambda m: mutated(m, "matmul", lambda G, n: (matmul(G, n.args[1]), matmul(transpose(n.args[0]), G))),
    ),
    "transpose of the input": (
        "dL/dV",
        lambda m: mutated(m, "matmul", lambda G, n: (matmul(G, transpose(n.args[1])), matmul(n.args[0], G))),
    ),
    "order of a product": (
        "dL/dV",
        lambda m: mutated(m, "matmul", lambda G, n: (matmul(G, transpose(n.args[1])), matmul(G, transpose(n.args[0])))),
    ),
    "derivative of the activation": ("dL/dz", lambda m: mutated(m, "tanh", lambda G, n: (G,))),
    "factor 1/N": ("dL/dy", lambda m: mutated(m, "multiply", without_mean)),
    "factor of a power": ("dL/dy", lambda m: mutated(m, "power", lambda G, n: (multiply(G, n.args[0]),))),
    "axis of a sum": ("dL/db", lambda m: m.setattr(arithmetic, "sum_to", wrong_axis)),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_slip_is_seen_by_the_oracle(slip: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong rule stops the solution; the message names the quantity and shows both numbers."""
    quantity, make = SLIPS[slip]
    make(monkeypatch)
    with pytest.raises(CheckFailed, match=rf"{quantity}, entry \d+: the rule gives -?\d\S*, the backprop gives -?\d"):
        solve(square())


@pytest.mark.parametrize("slip", SLIPS)
def test_slip_is_seen_by_sympy(slip: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same without the oracle: SymPy's derivatives of the entries do not meet the rule's."""
    quantity, make = SLIPS[slip]
    make(monkeypatch)
    with pytest.raises(CheckFailed, match=rf"{quantity}\[[\d,]+\]: SymPy's derivative gives \S+, the rule gives \S+"):
        list(elementwise.proofs(differentiated(square())))
    with pytest.raises(CheckFailed, match=rf"{quantity}\[[\d,]+\]: its paths add up to .*, the matrix rule gives"):
        list(path_sums.path_sums(differentiated(square())))


def test_lost_minus(monkeypatch: pytest.MonkeyPatch) -> None:
    """A minus that gets lost in a difference."""
    problem = Problem.from_equations("L = sum((t - y)**2) / 2", given={"t": [1, 2]}, parameters={"y": [0.5, 3]})
    assert solve(problem).parts
    mutated(monkeypatch, "multiply", without_minus)
    with pytest.raises(CheckFailed, match=r"dL/dy, entry 2: the rule gives -1\.0, the backprop gives 1\.0"):
        solve(problem)


def test_forgotten_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name used twice hands back along both paths; with one of them left out the gradient is refused."""
    problem = Problem.from_equations("L = a * a * 2 + tanh(a)", parameters={"a": 3})
    assert solve(problem).parts
    for module in (reverse, derivation):
        monkeypatch.setattr(module, "pull", one_path)
    with pytest.raises(CheckFailed, match=r"dL/da, entry 1: the rule gives 6\.0\d*, the backprop gives 12\.0"):
        solve(problem)


def test_cross_entropy_without_the_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    """softmax - labels without 1/N is refused for a batch of two."""
    problem = Problem.from_equations(
        "z = x @ W\nL = cross_entropy(z, y)", given={"x": SQUARE["x"], "y": [0, 1]}, parameters={"W": WEIGHTS["W"]}
    )
    assert solve(problem).parts
    mutated(
        monkeypatch,
        "cross_entropy",
        lambda G, n: (multiply(G, ops.subtract(ops.apply("softmax", n.args[0], at=(1,)), n.args[1])), n.args[1]),
    )
    with pytest.raises(CheckFailed, match=r"dL/dz, entry \d: the rule gives"):
        solve(problem)


# --- definitions, updates, steps ---------------------------------------------------------------------------------------


@pytest.fixture
def fresh_functions() -> Iterator[None]:
    """What is cached of a function is forgotten before and after."""
    caches = (functions._definition, functions._slope, functions._through_output)
    for cached in caches:
        cached.cache_clear()
    yield
    for cached in caches:
        cached.cache_clear()


@pytest.mark.usefixtures("fresh_functions")
def test_wrong_definition(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sigmoid with a wrong formula is seen in its first value."""
    monkeypatch.setitem(functions.DEFINITIONS, "sigmoid", lambda: 1 / (1 + sympy.exp(-2 * Z)))
    with pytest.raises(CheckFailed, match=r"h, entry 1: the rule gives 0\.99981"):
        solve(find_problem("case1"))


@pytest.mark.usefixtures("fresh_functions")
def test_wrong_form_through_the_output(monkeypatch: pytest.MonkeyPatch) -> None:
    """h in place of h (1 - h): rule and elementwise derivation agree on it, the oracle does not."""
    monkeypatch.setattr(functions, "_through_output", lambda name, at: (H, sympy.S.One))
    with pytest.raises(CheckFailed, match="dE/dz_o, entry 1: the rule gives"):
        solve(find_problem("case1"))


def test_wrong_update(monkeypatch: pytest.MonkeyPatch) -> None:
    """An update up the slope."""
    right = rules.lines
    monkeypatch.setattr(rules, "lines", lambda update, name, g, *more: right(update, name, ops.negate(g), *more))
    with pytest.raises(CheckFailed, match=r"W1, entry \d: the rule gives .*, the updates gives"):
        solve(find_problem("case1"))


def steps() -> Part:
    """Case 1, differentiated."""
    return differentiated(find_problem("case1"))


def test_replay_counts_its_steps() -> None:
    """A derivation as it was made is replayed to its end."""
    made = steps().derivation
    assert made is not None
    assert replay(made) == len(made.steps) > len(made.adjoints)


@pytest.mark.parametrize("number", range(13))
def test_tampered_steps_fail_the_replay(number: int) -> None:
    """A step with another result, an unknown rule, another start, or none at all: each is refused."""
    made = steps().derivation
    assert made is not None
    step = made.steps[number]
    shape = step.after.shape
    other = ops.add(step.after, Expression("spread", (constant(1),), (), shape) if shape else constant(1))
    tampered = [
        replace(step, after=other),
        replace(step, rule="wishful"),
        replace(step, quantity="W1"),
        *([replace(step, before=other)] if step.rule not in ("chain", "known") else []),
        *([replace(step, steps=step.steps[1:])] if step.steps else []),
    ]
    for wrong in tampered:
        with pytest.raises(ReplayError):
            replay(replace(made, steps=(*made.steps[:number], wrong, *made.steps[number + 1 :])))
    with pytest.raises((ReplayError, KeyError)):
        replay(replace(made, steps=(*made.steps[:number], *made.steps[number + 1 :])))


def test_proofs_do_not_show_what_is_false() -> None:
    """Equal expressions are shown equal through exponentials, roots and fractions; unequal ones never are."""
    a, b, c = sympy.symbols("a b c", real=True)
    e, root = sympy.exp, sympy.sqrt
    right = [
        (a + b) ** 2 - a**2 - 2 * a * b - b**2,
        e(a + b) / e(a) - e(b),
        1 / (1 + e(-a)) - e(a) / (1 + e(a)),
        e(a / 2) * e(a / 3) - e(5 * a / 6),
        e(a * (b + c)) - e(a * b) * e(a * c),
        sympy.sin(a * (b + c)) - sympy.sin(a * b + a * c),
        1 / (a * b + a * c) - 1 / a / (b + c),
        root(a) * a - a ** sympy.Rational(3, 2),
        1 / (1 + 1 / (1 + 1 / a)) - (a + 1) / (2 * a + 1),
    ]
    assert all(map(vanishes, right))
    assert not any(vanishes(difference + wrong) for difference in right for wrong in (1, a, e(a), root(b), a / (b + c)))


# --- hard, and right ---------------------------------------------------------------------------------------------------


def figures(problem: Problem) -> set[str]:
    """The bounds that the checks of a solved problem met."""
    return {check.figure for check in solve(problem).parts[0].checks}


def one(equations: str, **tables: Any) -> Problem:
    """A problem from equations and tables."""
    return Problem.from_equations(equations, **tables)


LINEAR = "y = x @ W\nL = sum((y - t)**2) / 2"
HARD: dict[str, Problem] = {
    "predictions equal to targets": one(LINEAR, given={"x": [1, 2], "t": ["1.3", "0"]}, parameters={"W": WEIGHTS["W"]}),
    "nearly equal": one(
        LINEAR, given={"x": [1, 2], "t": ["1.300000000001", "1e-12"]}, parameters={"W": WEIGHTS["W"]}
    ),
    "sigmoid nearly equal": one(
        "y = sigmoid(x @ W)\nL = sum((y - t)**2) / 2",
        given={"x": [1, 2], "t": ["0.785834983042", "0.5"]},
        parameters={"W": WEIGHTS["W"]},
    ),
    **{
        f"sigmoid at {z}": one("h = sigmoid(z)\nL = sum((h - 1)**2) / 2", parameters={"z": [z, 0.3]})
        for z in (40, -40, 700)
    },
    "saturated and right": one("h = sigmoid(z)\nL = sum((h - 1)**2) / 2", parameters={"z": [40]}),
    "saturated tanh": one("L = sum(tanh(z))", parameters={"z": [40, -40]}),
    "softmax far apart": one("L = cross_entropy(z, y)", given={"y": [1]}, parameters={"z": [800, -800, 3]}),
    "p near 1": one("L = sum(binary_cross_entropy(sigmoid(z), t))", given={"t": [0, 1]}, parameters={"z": [30, -0.2]}),
    "millions": one(LINEAR, given={"x": [1000000, 2000000], "t": [500000, 1]}, parameters={"W": [[1000000, 2], [3, 4]]}),
    "fast waves": one("L = sin(x)", parameters={"x": 1000000}),
    "tiny": one(
        "L = sum((tanh(x @ W) @ V)**2)",
        given={"x": ["1e-30", "1e-25"]},
        parameters={"W": WEIGHTS["W"], "V": [["1e-20"], ["1e-22"]]},
    ),
    "one by one": one("y = x @ W\nL = (y - t)**2", given={"x": [[1]], "t": [[2]]}, parameters={"W": [[0.5]]}),
    "all zero": one(
        "y = sigmoid(x @ W + b) @ V\nL = sum(y**2) / 2",
        given={"x": [0, 0]},
        parameters={"W": [[0, 0], [0, 0]], "b": 0, "V": [[0], [0]]},
    ),
    "dead units": one("L = sum(relu(x @ W))", given={"x": [1, 1]}, parameters={"W": [[-1, -2], [-1, -3]]}),
    "equal logits": one("L = cross_entropy(z, y)", given={"y": [0, 2]}, parameters={"z": [[1, 1, 1], [2, 2, 2]]}),
    "classes as columns": one(
        "L = cross_entropy(z, y, axis=0)", given={"y": [0, 2]}, parameters={"z": [[1, 1], [0.5, 1], [2, 3]]}
    ),
    "a shift of all logits": one(
        "z = x @ W + b\nL = cross_entropy(z, y)",
        given={"x": SQUARE["x"], "y": [0, 1]},
        parameters={"W": WEIGHTS["W"], "b": 0.3},
    ),
    "two rests in a row": one(
        "z = x + b\np = softmax(z)\nL = sum(p)",
        given={"x": [1, 2, 3]},
        parameters={"b": 0.5},
        ask={"gradients": ["dp/db", "b", "z"]},
    ),
    "many updates": one(
        "L = (sigmoid(w * x) - t)**2 / 2",
        given={"x": 1, "t": 0},
        parameters={"w": 1},
        ask={"update": {"rate": 1, "steps": 200}},
    ),
    "updates that run away": one(
        "L = (w * x - t)**2", given={"x": 3, "t": 1}, parameters={"w": 1}, ask={"update": {"rate": 1, "steps": 60}}
    ),
    "the goal met exactly": one(
        "L = (w - t)**2 / 2", given={"t": 3}, parameters={"w": 1}, ask={"update": {"rate": 1, "steps": 5}}
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HARD)
def test_hard_input_passes(name: str) -> None:
    """Nothing is refused because doubles are doubles; where they are the limit, the bound that was met is printed."""
    assert figures(HARD[name])


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu"])
@pytest.mark.parametrize("depth", [30, 100])
@pytest.mark.parametrize("width", [1, 2])
def test_deep_chains_pass(activation: str, depth: int, width: int) -> None:
    """Gradients that all but vanish on their way down are held to the same relative bound."""
    lines = [f"h{k} = {activation}({f'h{k - 1}' if k else 'x'} @ W{k})" for k in range(depth)]
    weights = [[0.5]] if width == 1 else [[0.5, -0.3], [0.2, 0.9]]
    problem = one(
        "\n".join([*lines, f"L = sum((h{depth - 1} - t)**2) / 2"]),
        given={"x": [0.7, 0.2][:width], "t": [0.1, 0.3][:width]},
        parameters={f"W{k}": weights for k in range(depth)},
    )
    part = solve(problem).parts[0]
    assert {check.figure for check in part.checks if check.check == "backprop"} == {"1e-09"}
    assert 0 < abs(part.value_of("dL/dW0")).max() < 1


def test_kinks_are_left_out_and_said() -> None:
    """ReLU at exactly 0.1 + 0.2 - 0.3, and equals in a maximum: rules hold, differences there are left out."""
    relu = one("z = a + b - c\nL = relu(z) * 2", parameters={"a": 0.1, "b": 0.2, "c": 0.3})
    part = solve(relu).parts[0]
    assert [(kink.name, kink.function) for kink in part.kinks] == [("L", "relu")]
    assert part.value_of("dL/da").item() == 0
    assert not [check for check in part.checks if check.check == "complex_step"]
    half = solve(replace(relu, convention=replace(relu.convention, relu_at_zero=fmpq(1, 2)))).parts[0]
    assert half.value_of("dL/da").item() == 1
    ties = solve(one("L = sum(maximum(a, b)**2)", parameters={"a": [1, 2], "b": [1, 3]})).parts[0]
    assert [str(x) for x in ties.value_of("dL/da").ravel()] == ["2", "0"]
    assert "1e-09, 1 of 2 entries" in {check.figure for check in ties.checks}


def test_gradient_of_what_the_loss_does_not_use() -> None:
    """It is zero, in the shape of its name, and no error."""
    part = solve(one("u = B * 2\nL = sum(W)", parameters={"W": [1, 2], "B": [[1, 2], [3, 4]]})).parts[0]
    assert part.value_of("dL/dB").tolist() == [[0, 0], [0, 0]]


def test_what_is_named_keeps_its_own_derivative() -> None:
    """In h = relu(z), y = relu(z) @ V the derivative by h knows nothing of y, though both hold the same numbers."""
    part = solve(
        one("h = tanh(z)\nL = sum(h * 2) + sum(tanh(z) * 5)", parameters={"z": [0.5, 1]}, ask={"gradients": ["h", "z"]})
    ).parts[0]
    assert part.value_of("dL/dh").tolist() == [[2, 2]]


def test_sampled_differences_say_so() -> None:
    """Above 2,000 entries differences are taken for some of them and along directions."""
    import numpy as np

    random = np.random.default_rng(1)
    x, w = random.random((4, 60)).round(2), random.standard_normal((60, 40)).round(2)
    part = solve(one("L = mean(tanh(x @ W))", given={"x": x}, parameters={"W": w})).parts[0]
    found = {check.check: check.figure for check in part.checks}
    assert found["complex_step"] == "1e-09, 200 sampled entries and 3 directions"
    assert found["backprop"] == "1e-09"


def test_witness_is_not_the_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that is wrong itself is refused as well: no side is taken for granted."""
    backprop = Oracle.backprop
    monkeypatch.setattr(
        Oracle, "backprop", lambda self, loss, **more: {k: 2 * v for k, v in backprop(self, loss, **more).items()}
    )
    with pytest.raises(CheckFailed, match="dE/do, entry 1"):
        solve(find_problem("case1"))


def test_names_are_no_problem() -> None:
    """A leaf is a leaf: what the table cannot differentiate it says."""
    assert leaf("W", (2, 2)).names() == ("W",)
    with pytest.raises(ProblemError):
        solve(one("L = sum(x)", parameters={"x": [1]})).parts[0].value_of("dL/dnothing")


def test_what_is_normalised_twice_has_two_means() -> None:
    """The one formula of each normalisation is held against the steps of that normalisation."""
    equations = "v = layer_norm(d, eps=0.1)\nw = tanh(layer_norm(d, eps=0.1) / 4)\nL = sum(w * a) + sum(v * b)"
    given = {"a": [1, 2, 4], "b": [0, 1, 3]}
    part = solve(Problem.from_equations(equations, given=given, parameters={"d": [1, 2, 4]})).parts[0]
    assert sum(check.check == "fused" and check.passed for check in part.checks) == 2

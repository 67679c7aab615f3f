"""The op table, row by row: no holes, values as their index form says, pullbacks as two outside engines have them.

Each equation below stands for an operation and a combination of sizes. Its gradients by rule are compared with the
oracle's and with HIPS autograd's; its entries in SymPy with its certified numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
import sympy
from flint import arb, fmpq
from hypothesis import given, settings
from hypothesis import strategies as st

from derive.calculus.explicit import Explicit
from derive.calculus.functions import DEFINITIONS, Functions, H, Z
from derive.calculus.numeric import compiled, of_one_variable
from derive.errors import ProblemError
from derive.graph import ops
from derive.graph.collect import collect, transposed
from derive.graph.expression import Adjoint, Expression, constant, leaf
from derive.graph.ops import FUNCTIONS, OPS, evaluate
from derive.graph.sizes import ShapeError
from derive.numbers import arrays
from derive.numbers.balls import overlaps, precision
from derive.numbers.functions import compare, power
from derive.oracle import Oracle
from derive.problem import Problem, find_problem
from derive.solution import solve
from derive.solution.differentiate import differentiated
from derive.solution.part import Part
from derive.solution.values import Balls
from graph_equations import EQUATIONS, IDS, POSITIVE, Shape
from outside import autograd_gradients
from programs import network, program
from sampling import sampled


def numbers(shape: Shape, seed: int, low: float, high: float) -> Any:
    """Decimals away from zero, nested as in a problem file."""
    values = np.round(np.random.default_rng(seed).uniform(low, high, size=shape), 3)
    return np.vectorize(lambda x: repr(float(x)), otypes=[object])(values).tolist()


@cache
def problem(text: str, shapes: tuple[Shape, ...], layout: str = "shape") -> Problem:
    """``u = <text>`` under a weighted sum, so that every entry has an upstream of its own."""
    low, high = (0.15, 0.85) if any(word in text for word in POSITIVE) else (-1.5, 1.5)
    data = {name: numbers(shape, k, low, high) for k, (name, shape) in enumerate(zip("ab", shapes, strict=False))}
    shape = tuple(map(int, differentiated(Problem.from_equations(f"u = {text}", given=data)).network.shape("u")))
    data["c"] = numbers(shape, 7, 0.5, 2.0)
    return Problem.from_equations(
        f"u = {text}\nL = sum(c * u)", given=data, ask={"gradients": "all"}, convention={"layout": layout}
    )


@cache
def part(text: str, shapes: tuple[Shape, ...], layout: str = "shape") -> Part:
    """The same differentiated, with none of its checks run."""
    return differentiated(problem(text, shapes, layout))


def close(a: Any, b: Any) -> bool:
    """Equal to 1e-9, relative to the largest entry; a sum that vanishes is 1e-15 in doubles."""
    return np.shape(a) == np.shape(b) and bool(np.max(np.abs(a - b)) <= 1e-9 * np.max(np.abs(b)) + 1e-15)


# --- the table ---------------------------------------------------------------------------------------------------------


def test_no_row_has_a_hole() -> None:
    """Every row has its name, shape rule, value, pullback, notation and index form."""
    for name, op in OPS.items():
        assert op.name == name
        assert op.notation
        assert all(callable(column) for column in (op.shape, op.value, op.pullback, op.index))


def test_every_function_has_one_definition() -> None:
    """The functions of the table are those that calculus defines, and the problem's own."""
    assert set(FUNCTIONS) - {"own"} == set(DEFINITIONS)
    assert set(FUNCTIONS) <= set(OPS)


def test_every_row_is_reached() -> None:
    """No row is there for nothing: the equation language leads to it, or the pullback of a row that is reached."""
    reached = {
        "name",
        "own",
        "zeros",
        "size",
        "diag",
        "diagonal",
        "layer_norm",
        "batch_norm",
        "max_pool_pick",
        "one_hot",
    }  # by other roads: tests below, of Jacobians, of second derivatives
    for text, shapes in EQUATIONS:
        solved = part(text, shapes)
        values = [*(e.value for e in solved.network.equations), *solved.shape_adjoints.values()]
        assert solved.derivation is not None
        values += [path.after for step in solved.derivation.steps for path in step.steps]
        reached |= {node.op for value in values for node in value.nodes()}
    assert set(OPS) <= reached


def test_names_sizes_become_numbers_of_terms() -> None:
    """A mean over a size that is a name divides by that name; a name the loss does not use has zeros."""
    asked = {"upstream": {"of": "J", "at": "m"}, "gradients": ["X", "Y"]}
    solved = differentiated(
        Problem.from_equations("m = mean(X, axis=0)\nv = Y * 2", shapes={"X": ["N", 2], "Y": [1, "N"]}, ask=asked)
    )
    by_x, by_y = solved.shape_adjoints[Adjoint("J", "X")], solved.shape_adjoints[Adjoint("J", "Y")]
    assert {"size", "divide"} <= {node.op for node in by_x.nodes()}
    assert by_y == Expression("zeros", (), ((1, "N"),), (1, "N"))


# --- values and their index form -----------------------------------------------------------------------------------------


class Numbers:
    """The entries of one node's operands as certified numbers: what an index form talks about."""

    def __init__(self, kind: Balls, node: Expression, operands: tuple[Any, ...]) -> None:
        self.kind, self.node, self.operands = kind, node, operands

    def operand(self, k: int, *index: int) -> Any:
        array = self.operands[k]
        if self.node.op.startswith(("conv", "max_pool", "avg_pool")):
            inside = all(0 <= i < size for i, size in zip(index, array.shape, strict=True))
            return array[index] if inside else fmpq(0)
        return array[tuple(i if size > 1 else 0 for i, size in zip(index, array.shape, strict=False))]

    def reached(self, i: int, p: int, stride: int, padding: int) -> int:
        return stride * i + p - padding

    def total(self, size: int, term: Callable[[int], Any]) -> Any:
        return sum((term(k) for k in range(size)), fmpq(0))

    def function(self, name: str, at: tuple[Any, ...], x: Any) -> Any:
        if name in ("maximum", "minimum", "first_wins"):
            wins = self.kind.first_wins(at[0] if at else name, *map(arrays.wrap, x)).item()
            return wins if name == "first_wins" else x[0] if wins == 1 else x[1]
        if name == "picked":
            seen, taken = x
            best = 0
            for k in range(1, len(seen)):
                if seen[k] is not seen[best] and compare(">", seen[k], seen[best]):
                    best = k
            return taken[best]
        if name == "derivative":
            return self.kind.derivative(at[0], at[1:], arrays.wrap(x)).item()
        return self.kind.function(name, at, arrays.wrap(x)).item()

    def power(self, x: Any, exponent: fmpq) -> Any:
        return power(x, exponent)

    def number(self, value: fmpq) -> Any:
        return value

    def size(self, size: Any) -> Any:
        return fmpq(size)

    def delta(self, i: int, j: int) -> Any:
        return fmpq(int(i == j))

    def choice(self, name: str, at: tuple[Any, ...], operands: tuple[Any, ...]) -> Any:
        return self.kind.choice(name, at, tuple(map(arrays.wrap, operands))).item()

    def taken(self, op: str, axis: int | None, i: int, j: int) -> Any:
        (x,) = self.operands
        line = [(i, q) for q in range(x.shape[1])] if axis == 1 else [(p, j) for p in range(x.shape[0])]
        line = list(np.ndindex(x.shape)) if axis is None else line
        best = line[0]
        for place in line[1:]:
            if compare("<" if op == "min" else ">", x[place], x[best]):
                best = place
        return fmpq(int(best == (i, j)))

    def pi(self) -> Any:
        return arb.pi()

    def fixed(self, place: int) -> int:
        return place

    def shifted(self, i: int, start: int, step: int) -> int:
        return start + step * i

    def reread(self, i: tuple[int, ...], of: Shape, to: Shape) -> tuple[int, ...]:
        return tuple(map(int, np.unravel_index(np.ravel_multi_index(i[: len(of)], of), to)))


def agree_by_index(solved: Part, expression: Expression) -> set[str]:
    """Holds every node of an expression against its index form; the operations that were seen."""
    seen = set()
    for node in expression.nodes():
        if node.op == "name":
            continue
        value: Any = solved.run.expression(node)
        operands = tuple(solved.run.expression(arg) for arg in node.args)
        entries = Numbers(solved.run.kind, node, operands)
        for index in np.ndindex(tuple(map(int, node.shape))):
            found = OPS[node.op].index(entries, node, *(index or (0, 0)))
            assert overlaps(value[index], found), (node.op, index)
        seen.add(node.op)
    return seen


@pytest.mark.parametrize(("text", "shapes"), EQUATIONS, ids=IDS)
def test_index_form_is_the_value(text: str, shapes: tuple[Shape, ...]) -> None:
    """Entry (i, j) by a row's index form is entry (i, j) of its value, forward and in every gradient."""
    solved = part(text, shapes)
    for expression in (*(e.value for e in solved.network.equations), *solved.shape_adjoints.values()):
        agree_by_index(solved, expression)


@pytest.mark.parametrize("shape", [(1, 3), (3, 1)])
def test_diagonals(shape: Shape) -> None:
    """diag puts a vector on a diagonal, diagonal takes it off again, and each is the other's pullback."""
    solved = part("a * 2", (shape,))
    a = leaf("a", shape)
    matrix = ops.apply("diag", a)
    back = ops.apply("diagonal", matrix, at=(0 if shape[0] == 1 else 1,))
    assert matrix.shape == (3, 3)
    assert agree_by_index(solved, back) == {"diag", "diagonal"}
    assert (solved.run.expression(back) == solved.run.value("a")).all()
    assert OPS["diag"].pullback(matrix, matrix) == (back,)
    assert OPS["diagonal"].pullback(a, back) == (ops.apply("diag", a),)


# --- pullbacks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "shapes"), EQUATIONS, ids=IDS)
def test_pullback_agrees_with_two_outside_engines(text: str, shapes: tuple[Shape, ...]) -> None:
    """Each gradient by rule is the oracle's and autograd's, to 1e-9."""
    solved = part(text, shapes)
    by_oracle, by_autograd = Oracle(solved.problem).backprop("L"), autograd_gradients(solved.problem, "L")
    names = [name for name in ("a", "b", "c", "u") if name in by_oracle]
    for name in names:
        ours = arrays.to_floats(solved.value_of(f"dL/d{name}"))
        assert close(ours, by_oracle[name]), name
        assert close(ours, by_autograd[name]), name


@pytest.mark.parametrize(("text", "shapes"), EQUATIONS, ids=IDS)
def test_numerator_layout_is_the_transpose(text: str, shapes: tuple[Shape, ...]) -> None:
    """In numerator layout every adjoint is the transpose of the one in the shape of its variable, exactly as certain."""
    if any(len(shape) > 2 for shape in shapes):
        with pytest.raises(ProblemError, match="numerator"):
            part(text, shapes, "numerator")
        return
    solved = part(text, shapes, "numerator")
    assert solved.derivation is not None
    for adjoint in solved.derivation.adjoints:
        assert adjoint.numerator
        value, twin = solved.run.value(adjoint), solved.run.value(Adjoint(adjoint.of, adjoint.by))
        assert value.shape == twin.T.shape
        assert all(map(overlaps, arrays.entries(value), arrays.entries(twin.T)))


@pytest.mark.parametrize(("text", "shapes"), EQUATIONS, ids=IDS)
def test_sympy_entries_have_the_certified_numbers(text: str, shapes: tuple[Shape, ...]) -> None:
    """The explicit entries of each equation and each adjoint, with numbers put in, are the certified values."""
    solved = part(text, shapes)
    explicit = Explicit(solved.network, solved.functions, {})
    wanted: list[tuple[Any, Expression]] = [(str(e.name), e.value) for e in solved.network.equations]
    for name, value in [*wanted, *solved.shape_adjoints.items()]:
        certified: Any = solved.run.value(name)
        entries = explicit.entries(value)
        assert entries.shape == certified.shape
        for index in np.ndindex(certified.shape):
            env = {
                s: solved.run.value(explicit.entry_of[s].name)[explicit.entry_of[s].index]
                for s in entries[index].free_symbols
            }
            with precision(128):
                assert overlaps(compiled(explicit.with_definitions(entries[index]))(env), certified[index])


# --- functions ---------------------------------------------------------------------------------------------------------


AT = {"leaky_relu": (fmpq(1, 100),)}


@pytest.mark.parametrize("name", DEFINITIONS)
@pytest.mark.parametrize("point", ["0.3", "1.7", "-0.9", "-2.2"])
def test_derivative_is_the_limit_of_differences(name: str, point: str) -> None:
    """f' agrees with a central difference of f, taken with so many digits that nothing is lost."""
    if name in ("log", "log2", "sqrt") and point.startswith("-"):
        point = point[1:]
    functions, at = Functions(find_problem("case1")), AT.get(name, ())
    definition, slope = functions.definition(name, at), functions.derivative(name, at)
    assert definition is not None
    assert slope is not None
    f, f_prime = of_one_variable(definition), of_one_variable(slope)
    with precision(400):
        x, h = arb(point), arb(2) ** -100
        difference = (f(x + h) - f(x - h)) / (2 * h)
        assert abs(difference - f_prime(x)) < arb("1e-50")


def test_derivatives_through_the_output() -> None:
    """sigma' = h (1 - h), tanh' = 1 - h^2, exp' = h, sqrt' = 1 / (2 h); the others have no such form."""
    functions = Functions(find_problem("case1"))
    forms = {name: functions.through_output(name, AT.get(name, ())) for name in DEFINITIONS}
    found = {name: sympy.expand(form[0] / form[1]) for name, form in forms.items() if form is not None}
    assert found == {"sigmoid": H - H**2, "tanh": 1 - H**2, "exp": H, "sqrt": 1 / (2 * H)}
    for name, form in found.items():
        definition = Functions.definition_of(name)
        assert sympy.simplify(form.subs(H, definition) - sympy.diff(definition, Z)) == 0


# --- normal form -------------------------------------------------------------------------------------------------------

LEAVES = {"A": (2, 3), "B": (3, 2), "C": (2, 2), "r": (1, 3), "k": (2, 1), "s": (), "t": (), "o": (1, 1)}


def values(name: Any) -> Any:
    """Exact numbers for each name; a numerator-layout twin is the transpose."""
    base = name.by if isinstance(name, Adjoint) else name
    shape = LEAVES[base]
    offset = 3 if isinstance(name, Adjoint) else 0
    start = ord(base[0]) % 11 + offset
    array = arrays.filled(shape, [fmpq((start * (k + 2)) % 13 - 5, 3) for k in range(int(np.prod(shape, dtype=int)))])
    return array.T if isinstance(name, Adjoint) and name.numerator else array


def leaves() -> st.SearchStrategy[Expression]:
    """Names, adjoints, numbers."""
    names = [leaf(name, shape) for name, shape in LEAVES.items()]
    names += [leaf(Adjoint("L", name), shape) for name, shape in LEAVES.items()]
    return st.one_of(
        st.sampled_from(names), st.sampled_from([-1, 0, 1, 2]).map(constant), st.just(constant(fmpq(1, 3)))
    )


def grown(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    """One more operation on expressions that fit."""

    def tried(make: Any, *args: Expression) -> Expression:
        try:
            fitting: Expression = make(*args)
        except ShapeError:
            return args[0]
        return fitting

    pairs = st.tuples(st.sampled_from([ops.add, ops.subtract, ops.multiply, ops.matmul]), inner, inner)
    single = st.tuples(
        st.sampled_from(["negate", "transpose", "sum", "rows", "columns", "square", "spread", "halve"]), inner
    )

    def one(kind: str, x: Expression) -> Expression:
        match kind:
            case "negate":
                return ops.negate(x)
            case "transpose":
                return ops.transpose(x) if x.shape else x
            case "sum":
                return ops.total(x)
            case "rows" | "columns":
                return ops.total(x, 0 if kind == "rows" else 1) if x.shape else x
            case "square":
                return ops.power(x, 2)
            case "halve":
                return ops.divide(x, leaf("s", ()))
        return ops.spread(x, (2, 3)) if x.shape in ((), (1, 3), (2, 1), (1, 1)) else x

    return st.one_of(pairs.map(lambda p: tried(p[0], p[1], p[2])), single.map(lambda p: one(*p)))


EXPRESSIONS = st.recursive(leaves(), grown, max_leaves=8)
KIND = Balls(Functions(find_problem("case1")))


@settings(max_examples=400, deadline=None, derandomize=True)
@given(EXPRESSIONS)
def test_collect_keeps_value_and_shape(expression: Expression) -> None:
    """Like terms together, numbers in front: the same matrix of exact numbers; and done twice it is done."""
    normal = collect(expression)
    assert normal.shape == expression.shape
    assert (evaluate(normal, values, KIND) == evaluate(expression, values, KIND)).all()
    assert collect(normal) == normal


@settings(max_examples=400, deadline=None, derandomize=True)
@given(EXPRESSIONS)
def test_transposed_is_the_transpose(expression: Expression) -> None:
    """A transpose pushed inwards, adjoints turned into their twins, has the transposed matrix as its value."""
    if not expression.shape:
        return
    turned = transposed(expression)
    assert turned.shape == expression.shape[::-1]
    assert (evaluate(turned, values, KIND) == evaluate(expression, values, KIND).T).all()
    assert not any(isinstance(name, Adjoint) and not name.numerator for name in turned.names())


# --- whole programs ----------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("seed", sampled(range(0, 200, 10), 3))
def test_random_programs_verify(seed: int) -> None:
    """Ten random programs over the table pass every check that a solution has."""
    for number in range(seed, seed + 10):
        assert solve(program(number)).parts[0].checks


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(0, 10, 5))
def test_random_networks_over_stacks_verify(seed: int) -> None:
    """Random convolutions with channels, strides and zeros around, activations, pooling, a dense layer: all checks."""
    for number in range(seed, seed + 5):
        assert solve(network(number)).parts[0].checks


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(1000, 1300, 10))
def test_many_random_networks_over_stacks_verify(seed: int) -> None:
    """Three hundred more."""
    for number in range(seed, seed + 10):
        assert solve(network(number)).parts[0].checks


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(1000, 3000, 50))
def test_many_random_programs_verify(seed: int) -> None:
    """Two thousand more."""
    for number in range(seed, seed + 50):
        assert solve(program(number)).parts[0].checks

"""Proofs for all sizes: every rule of the op table is proved, and no wrong claim is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flint import fmpq

from claims_in_numbers import called, is_right
from derive.calculus.proofs import COMPOSITES, RULES, Claim, claims, composite, known, prove, prove_rule
from derive.calculus.proofs.claims import claims_of, general, rule_of
from derive.calculus.proofs.moved import MOVED
from derive.calculus.proofs.slid import SLID
from derive.errors import ProblemError
from derive.graph import build, ops
from derive.graph.expression import Expression, constant
from derive.graph.ops import OPS
from derive.graph.ops.rearranging import Slice
from derive.graph.sizes import ShapeError, broadcast
from derive.problem import built_in, find_problem
from derive.problem.problem import Shape
from derive.problem.size_terms import plus
from sampling import sampled

Array = Any


EVERY = [claim for rule in RULES for claim in claims(rule)]
NO_SUM = (
    "det",
    "logdet",
    "inv",
    "reshape",
    "max_pool",
    "max_pool_pick",
    "max_pool_route",
)  # sums over permutations, divisions with remainder, choices in a window: not shown, and said to be


# ── completeness ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("claim", EVERY, ids=called)
def test_every_claim_is_proved(claim: Claim) -> None:
    """Each pullback of the op table, in each form of broadcasting and by each operand, is proved for all sizes."""
    proof = prove(claim)
    assert proof.proved == (claim.rule not in NO_SUM)
    assert bool(proof.lines) == proof.proved


def test_every_op_has_claims() -> None:
    """No row with an operand is left out: its rule has a claim for each operand."""
    for name, row in OPS.items():
        if name in ("zeros", "constant", "size", "one_hot", "pi"):  # without operands there is nothing to pull back to
            continue
        assert rule_of(name) in RULES, row
        by = [claim.by for claim in claims(rule_of(name)) if claim.expression == claims(rule_of(name))[0].expression]
        assert set(by) == set(map(str, claims(rule_of(name))[0].expression.names()))


def test_a_bias_comes_in_four_forms() -> None:
    """A full matrix, a row, a column and one shared number are added by claims of their own."""
    shapes = {claim.sizes[claim.by] for claim in claims("add") if len(claim.sizes) == 2}
    assert shapes == {("N", "n"), (1, "n"), ("N", 1), (1, 1), ()}


@pytest.mark.parametrize("claim", EVERY, ids=called)
def test_what_is_proved_is_right_in_numbers(claim: Claim) -> None:
    """Every proved claim agrees with central differences."""
    assert is_right(claim)


@pytest.mark.parametrize("rule", COMPOSITES)
def test_composites_are_proved_rule_by_rule(rule: str) -> None:
    """A composite is proved because every rule in it is, and it has at least two of them."""
    found = composite(rule)
    assert found.proved
    assert len(found.parts) >= 2
    assert not replace(found, parts=(*found.parts, replace(found.parts[0], proved=False))).proved


@pytest.mark.parametrize("name", built_in())
def test_every_op_of_a_built_in_problem_is_proved(name: str) -> None:
    """Whatever a built-in network is made of: the general form of each of its ops is proved by every operand."""
    for part in find_problem(name).each():
        for equation in build(part).equations:
            for node in equation.value.nodes():
                if node.args and node.op != "name" and rule_of(node.op) not in NO_SUM:
                    assert all(prove(claim).proved for claim in claims_of(rule_of(node.op), general(node)))


def test_as_many_operands_as_there_are() -> None:
    """Sums and products of five terms, and of ten, have claims of their own, which are proved and right."""
    for count in (5, 10):
        for op in ("add", "multiply"):
            shapes: list[Shape] = [("a", "b"), (1, "b"), (), ("a", 1), (1, 1)] * (count // 5)
            node = ops.apply(op, *(ops.leaf(f"v{k}", shape) for k, shape in enumerate(shapes)))
            found = list(claims_of(op, general(node)))
            assert len(found) == count
            assert [claim.sizes[claim.by] for claim in found][:5] == [("N", "n"), (1, "n"), (), ("N", 1), (1, 1)]
            assert all(prove(claim).proved and is_right(claim) for claim in found)


# ── the textbook's unstated hypothesis ──────────────────────────────────────────────────────────────────────────


def test_softmax_minus_label_needs_labels_that_add_up_to_one() -> None:
    """With the hypothesis the claim is proved; the same formula without it is not, and numbers contradict it."""
    found = [claim for claim in claims("cross_entropy") if "labels" in claim.hypotheses]
    assert len(found) == 4
    for claim in found:
        assert prove(claim).proved
        bare = replace(claim, hypotheses=())
        assert not prove(bare).proved
        assert not is_right(bare)


def test_a_hypothesis_about_rows_says_nothing_about_columns() -> None:
    """Labels whose rows add up to 1 do not prove the claim along the other axis."""
    rows, columns = (
        next(c for c in claims("cross_entropy") if "labels" in c.hypotheses and c.expression.at[0] == axis)
        for axis in (1, 0)
    )
    assert not prove(replace(rows, value=columns.value)).proved
    assert not prove(replace(columns, value=rows.value)).proved


# ── soundness ───────────────────────────────────────────────────────────────────────────────────────────────────


def square(node: Expression) -> Expression:
    """The same expression with every size the same letter, so that a wrong transpose fits."""
    shape = tuple(1 if size == 1 else "n" for size in node.shape)
    at = tuple("n" if node.op == "size" else square_shape(part) for part in node.at)
    return Expression(node.op, tuple(map(square, node.args)), at, shape)


def square_shape(part: Any) -> Any:
    """The shape that a node of zeros carries."""
    return tuple(1 if size == 1 else "n" for size in part) if isinstance(part, tuple) else part


def mutants(node: Expression, letters: dict[str, Shape]) -> Iterator[Expression]:
    """Every expression that one slip makes of this one, with the same shape."""
    for changed in slips(node, letters):
        if changed.shape == node.shape and changed != node:
            yield changed
    for k, arg in enumerate(node.args):
        for inner in [*mutants(arg, letters), *reshaped(arg)]:
            args = (*node.args[:k], inner, *node.args[k + 1 :])
            try:
                again = rebuilt(node, args)
            except ShapeError:
                continue
            if again.shape == node.shape:
                yield again


def rebuilt(node: Expression, args: tuple[Expression, ...]) -> Expression:
    """The node over other operands; its shape is worked out again."""
    if node.op == "spread":
        if broadcast(args[0].shape, node.shape) != node.shape:
            raise ShapeError
        return Expression("spread", args, (), node.shape)
    return ops.apply(node.op, *args, at=node.at)


def reshaped(node: Expression) -> Iterator[Expression]:
    """A sum along the other axis, or none at all: of another shape, which broadcasting may well swallow."""
    if node.op == "sum":
        yield from (ops.apply("sum", node.args[0], at=(axis,)) for axis in (0, 1, None) if axis != node.at[0])
        yield node.args[0]
    if node.op == "spread":
        yield node.args[0]


def slips(node: Expression, letters: dict[str, Shape]) -> Iterator[Expression]:
    """What a hand may write in place of this node: transposes, orders, factors, terms, signs, axes, names."""
    args = node.args
    if node.shape == ("n", "n"):
        yield Expression("transpose", (node,), (), node.shape)
        yield Expression("multiply", (constant(2), node), (), node.shape)
    if node.shape:
        yield ops.negate(node)
    match node.op:
        case "transpose":
            yield args[0]
        case "matmul":
            yield ops.apply("matmul", *reversed(args))
            if args[0].shape == args[1].shape:
                yield ops.apply("multiply", *args)
            yield from args
        case "multiply" | "add":
            for k in range(len(args)):
                rest = (*args[:k], *args[k + 1 :])
                yield rest[0] if len(rest) == 1 else ops.apply(node.op, *rest)
                if node.op == "add":
                    yield ops.apply("add", *args[:k], ops.negate(args[k]), *args[k + 1 :])
            if node.op == "multiply":
                yield from products(node)
        case "divide":
            yield args[0]
            if args[0].shape == args[1].shape:
                yield ops.apply("divide", *reversed(args))
            yield ops.apply("multiply", *args)
        case "power":
            yield args[0]
            yield from (ops.apply("power", args[0], at=(node.at[0] + step,)) for step in (fmpq(1), fmpq(-1)))
        case "constant":
            yield constant(node.number + 1)
            yield constant(-node.number)
        case "derivative":
            yield ops.apply(node.at[0], args[0], at=node.at[1:]) if node.at[0] != "derivative" else args[0]
            yield args[0]
            yield ops.derivative("derivative", node.at, args[0])
        case "softmax" | "log_softmax":
            other = "log_softmax" if node.op == "softmax" else "softmax"
            yield ops.apply(node.op, args[0], at=(1 - node.at[0],))
            yield ops.apply(other, args[0], at=node.at)
            yield args[0]
        case "first_wins":
            yield ops.apply("first_wins", *args, at=("minimum" if node.at[0] == "maximum" else "maximum",))
            yield ops.subtract(constant(1), node)
        case "name":
            for name, shape in letters.items():
                if shape == node.shape and name != node.name:
                    yield ops.leaf(name, shape)
        case "zeros":
            for name, shape in letters.items():
                if shape == node.shape:
                    yield ops.leaf(name, shape)


def products(node: Expression) -> Iterator[Expression]:
    """Matrix products in place of an entrywise one."""
    matrices = [arg for arg in node.args if arg.shape == ("n", "n")]
    others = [arg for arg in node.args if arg.shape != ("n", "n")]
    if len(matrices) == 2:
        for pair in (matrices, matrices[::-1]):
            yield ops.multiply(*others, ops.matmul(*pair))


def mutated(rule: str) -> dict[Claim, None]:
    """Every claim of a rule with one slip in it, each once."""
    found: dict[Claim, None] = {}
    for claim in claims(rule):
        whole = square(claim.expression)
        even = replace(claim, expression=whole, value=square(claim.value))
        letters = {**even.sizes, "G": whole.shape}
        for value in mutants(even.value, letters):
            found.setdefault(replace(even, value=value))
    return found


def misplaced(value: Expression, letters: dict[str, Shape]) -> Iterator[Expression]:
    """Every formula with one slip in where entries go: a slice that starts or ends elsewhere, another block, a sign."""
    for k, part in enumerate(value.at if value.op in ("slice", "place") else ()):
        if isinstance(part, Slice):
            for start, step in ((plus((1, part.start), (1, 1)), part.step), (0, part.step), (part.start, -part.step)):
                at = (*value.at[:k], Slice(start, part.count, step), *value.at[k + 1 :])
                if at != value.at:
                    yield Expression(value.op, value.args, at, value.shape)
    if value.op == "entry":
        yield Expression("entry", value.args, (value.at[1], value.at[0]), ())
        yield Expression("entry", value.args, (0, value.at[1]), ())
    yield ops.negate(value)
    yield from (ops.leaf(name, shape) for name, shape in letters.items() if shape == value.shape)


@pytest.mark.parametrize("rule", [rule for rule in MOVED if rule not in NO_SUM])
def test_what_is_put_elsewhere_is_not_proved(rule: str) -> None:
    """No claim is proved whose slice starts at another place, runs the other way, or is another block."""
    tried = 0
    for claim in claims(rule):
        for value in misplaced(claim.value, {**claim.sizes, "G": claim.expression.shape}):
            slip = replace(claim, value=value)
            try:
                right = is_right(slip)
            except IndexError:  # with these numbers the slice does not even fit
                right = False
            tried += not right
            assert right or not prove.__wrapped__(slip).proved, called(claim)
    assert tried > 2


@pytest.mark.parametrize("rule", [rule for rule in SLID if rule not in NO_SUM])
def test_what_slides_the_wrong_way_is_not_proved(rule: str) -> None:
    """A sign, a factor, another stride or padding, and a letter in place of the formula: wrong in numbers, not proved."""
    for claim in claims(rule):
        value = claim.value
        slips = [ops.negate(value), ops.multiply(constant(2), value)]
        letters = {**claim.sizes, "G": claim.expression.shape}
        slips += [ops.leaf(name, shape) for name, shape in letters.items() if shape == value.shape]
        if value.op.endswith(("_image", "_filter")):
            slips.append(Expression(value.op, value.args, (value.at[0], value.at[1] + 1, value.at[2]), value.shape))
        for wrong in slips:
            slip = replace(claim, value=wrong)
            try:
                assert not prove.__wrapped__(slip).proved, called(claim)
                assert not is_right(slip)
            except (ShapeError, ValueError):
                continue  # with another padding the sizes do not even fit


# A choice may come out the same by accident (of 2 X the same entry is the largest): that is right, and not shown.
CHOOSING = ("max", "min", "first_of", "clip", "inside", "compare")


@pytest.mark.slow
@pytest.mark.parametrize("first", sampled(range(4), 4))
@pytest.mark.parametrize("rule", [rule for rule in RULES if rule not in (*MOVED, *SLID)])
def test_only_right_claims_are_proved(rule: str, first: int) -> None:
    """Of all claims with one slip in them, every size being the same, those are proved that are right in numbers."""
    found = list(mutated(rule))
    assert found
    for claim in found[first::4]:
        proved, right = prove.__wrapped__(claim).proved, is_right(claim)
        assert proved == right or (right and rule in (*CHOOSING, *NO_SUM)), called(claim)


def test_a_wrong_transpose_or_order_or_product_is_among_the_slips() -> None:
    """For the product of square matrices each of these fits, is wrong, and is not proved."""
    by_weights = next(claim for claim in mutated("matmul") if claim.by == "W")
    Z, G = ops.leaf("Z", ("n", "n")), ops.leaf("G", ("n", "n"))
    tried = [claim.value for claim in mutated("matmul") if claim.by == "W"]
    for wrong in (
        ops.matmul(Z, G),
        ops.matmul(G, ops.transpose(Z)),
        ops.matmul(ops.transpose(Z), ops.transpose(G)),
        ops.apply("multiply", ops.transpose(Z), G),
        ops.apply("transpose", ops.matmul(ops.transpose(Z), G)),
    ):
        assert wrong in tried
        assert not prove(replace(by_weights, value=wrong)).proved
        assert not is_right(replace(by_weights, value=wrong))


# ── what is asked for by name ───────────────────────────────────────────────────────────────────────────────────


def test_an_unknown_rule_is_refused_with_the_nearest() -> None:
    """``matmull`` is no rule; the message says what may have been meant."""
    with pytest.raises(ProblemError, match=r"there is no rule 'matmull'.*matmul"):
        known("matmull")


def test_a_composite_is_proved_by_its_parts() -> None:
    """``prove_rule`` of a composite gives the proofs of the rules in it."""
    assert prove_rule("affine") == composite("affine").parts

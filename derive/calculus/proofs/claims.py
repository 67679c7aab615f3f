"""What is to be proved: for each op, form of broadcasting and operand, that the row's pullback is the adjoint.

A claim is an expression ``out`` over letters of symbolic size, the letter that is differentiated by, and the formula
that the rows' ``pullback`` columns give for it. The formula is never typed in here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from flint import fmpq

from derive.calculus.proofs import moved, slid
from derive.graph import ops
from derive.graph.expression import Expression, leaf
from derive.graph.ops import FUNCTIONS, OPS
from derive.graph.ops.normal import AXES
from derive.graph.reverse import pull
from derive.graph.sizes import describe
from derive.problem.problem import Shape
from derive.records import dataclass

OUT, UPSTREAM = "out", "G"
MATRIX: Shape = ("N", "n")
FORMS: Mapping[str, Shape] = {"matrix": MATRIX, "row": (1, "n"), "column": ("N", 1), "entry": (1, 1), "scalar": ()}
LETTERS: Mapping[str, tuple[str, ...]] = {
    "matmul": ("Z", "W"),
    "diag": ("X",),
    **dict.fromkeys(("trace", "det", "logdet", "inv"), ("A",)),
    "cross_entropy": ("Z", "T"),
    "binary_cross_entropy": ("P", "T"),
}
KINKED = ("relu", "leaky_relu", "abs")
WHERE_POSITIVE = ("log", "log2", "sqrt")


@dataclass(frozen=True, slots=True)
class Claim:
    """d J / d ``by`` = ``value`` for ``out`` = ``expression`` and any scalar J of it, with ``G`` = d J / d out.

    ``hypotheses`` are keys of what must hold for it: ``labels`` (the labels of a sample add up to 1), ``kink`` (no
    entry lies at a kink), ``tie`` (no two entries that are compared are equal), ``domain`` (functions, powers and
    quotients are taken where they are defined).
    """

    rule: str
    expression: Expression
    by: str
    value: Expression
    hypotheses: tuple[str, ...] = ()

    @property
    def sizes(self) -> dict[str, Shape]:
        """The shape of each letter, in the order of writing."""
        return {str(node.name): node.shape for node in self.expression.nodes() if node.op == "name"}

    @property
    def variant(self) -> str:
        """What tells this claim from others of the rule: its sizes, and what is no operand."""
        parts = [f"{name} {describe(shape)}" for name, shape in self.sizes.items()]
        at = [str(value) for value in self.expression.at if not isinstance(value, tuple)]
        if self.expression.op in (
            "max",
            "min",
            "sum",
            "softmax",
            "log_softmax",
            "cross_entropy",
            "mean",
            "norm",
            "squared_norm",
        ):
            at[0] = "all" if self.expression.at[0] is None else f"axis {at[0]}"
        elif self.expression.op in ("diagonal", "first_wins", *FUNCTIONS):
            at = []
        return ", ".join(parts + at)


def claims_of(rule: str, expression: Expression) -> Iterator[Claim]:
    """The claims about an expression, one for each letter in it; with labels that add up to 1, one more."""
    upstream = leaf(UPSTREAM, expression.shape)
    names = tuple(str(name) for name in expression.names())
    found: dict[str, list[Expression]] = {name: [] for name in names}
    for name, value in pull(upstream, expression, frozenset(names)):
        found[name].append(value)
    hypotheses = tuple(dict.fromkeys(key for node in expression.nodes() for key in _hypotheses(node)))
    for name, values in found.items():
        value = ops.add(*values)
        yield Claim(rule, expression, name, value, hypotheses)
        if expression.op == "cross_entropy" and name == str(expression.args[0].name):
            labels = expression.args[1]
            yield Claim(rule, expression, name, _labels_are_one(value, labels), (*hypotheses, "labels"))


def _hypotheses(node: Expression) -> Iterator[str]:
    if node.op in KINKED or (node.op == "derivative" and set(node.at) & set(KINKED)):
        yield "kink"
    if node.op in ("maximum", "minimum", "first_wins", "max", "min", "first_of", "clip", "inside", "compare"):
        yield "tie"
    fractional = node.op == "power" and (node.at[0] < 0 or node.at[0].q != 1)
    quotient = node.op == "divide" and node.args[1].op != "size"  # no size is zero
    if (
        node.op in (*WHERE_POSITIVE, "binary_cross_entropy", "norm", "det", "logdet", "inv", *AXES)
        or quotient
        or fractional
    ):
        yield "domain"


def _labels_are_one(value: Expression, labels: Expression) -> Expression:
    """The claim with the sums of the labels left out: softmax minus label."""

    def change(node: Expression) -> Expression:
        if node.op != "multiply":
            return node
        kept = [part for part in node.args if not (part.op == "sum" and part.args[0] == labels)]
        return ops.multiply(*kept) if len(kept) < len(node.args) else node

    return value.rebuild(change)


# ── which expressions ───────────────────────────────────────────────────────────────────────────────────────────


def letters(op: str, shapes: Sequence[Shape]) -> tuple[Expression, ...]:
    """Letters for the operands: capitals for what has rows and columns, small ones for rows, columns and numbers."""
    own = LETTERS.get(op)
    capitals, smalls = iter("XYUVQR"), iter("bcadpr")
    found = []
    for k, shape in enumerate(shapes):
        whole = len(shape) == 2 and 1 not in shape
        if own is not None:
            name = own[k] if whole else own[k].lower()
        elif len(shapes) > 6:
            name = f"{'X' if whole else 'b'}{k + 1}"
        else:
            name = next(capitals if whole else smalls)
        found.append(leaf(name, shape))
    return tuple(found)


def _node(op: str, *forms: str, at: tuple[object, ...] = ()) -> Expression:
    return ops.apply(op, *letters(op, [FORMS[form] for form in forms]), at=at)


def _spread(form: str) -> Expression:
    return ops.spread(letters("spread", [FORMS[form]])[0], MATRIX)


BROADCAST = (("matrix", "matrix"), *(("matrix", form) for form in ("row", "column", "entry", "scalar")))
STRETCHED_FIRST = (("row", "matrix"), ("column", "matrix"), ("scalar", "matrix"))
EXPONENTS = (fmpq(2), fmpq(3), fmpq(-1), fmpq(1, 2))


def expressions(rule: str) -> Iterator[Expression]:
    """The expressions that a rule is proved on: every form of broadcasting, every axis, every reduction."""
    match rule:
        case "matmul":
            yield ops.matmul(*letters(rule, [("N", "m"), ("m", "n")]))
        case "add":
            yield from (_node(rule, *forms) for forms in (*BROADCAST, ("matrix", "matrix", "row")))
        case "multiply":
            yield from (_node(rule, *forms) for forms in (*BROADCAST, ("scalar", "matrix", "matrix")))
        case "subtract":
            for forms in BROADCAST:
                yield ops.subtract(*letters(rule, [FORMS[form] for form in forms]))
        case "negate":
            yield ops.negate(*letters(rule, [MATRIX]))
        case "divide" | "maximum" | "minimum" | "binary_cross_entropy":
            yield from (_node(rule, *forms) for forms in (*BROADCAST, *STRETCHED_FIRST))
        case "first_wins":
            yield from (_node(rule, *forms, at=("maximum",)) for forms in BROADCAST)
        case "compare":
            yield from (_node(rule, *forms, at=("<",)) for forms in (*BROADCAST, *STRETCHED_FIRST))
        case "clip" | "inside":
            for bounds in (("matrix", "matrix"), ("row", "row"), ("column", "column"), ("scalar", "scalar")):
                yield _node(rule, "matrix", *bounds)
        case "max" | "min":
            yield from (_node(rule, "matrix", at=(axis,)) for axis in (None, 0, 1))
        case "first_of":
            yield from (_node(rule, "matrix", at=("max", axis)) for axis in (None, 0, 1))
        case "power":
            yield from (_node(rule, "matrix", at=(exponent,)) for exponent in EXPONENTS)
        case "sum":
            yield from (_node(rule, "matrix", at=(axis,)) for axis in (None, 0, 1))
        case "mean":
            yield from (ops.mean(letters(rule, [MATRIX])[0], axis) for axis in (None, 0, 1))
        case "spread":
            yield from (_spread(form) for form in ("row", "column", "entry", "scalar"))
        case "softmax" | "log_softmax":
            yield from (_node(rule, "matrix", at=(axis,)) for axis in (1, 0))
        case "cross_entropy":
            for axis in (1, 0):
                yield from (_node(rule, "matrix", "matrix", at=(axis, how)) for how in ("mean", "sum"))
        case "diag":
            yield from (_node(rule, form) for form in ("row", "column"))
        case "trace" | "det" | "logdet" | "inv":
            yield ops.apply(rule, *letters(rule, [("n", "n")]))
        case "norm" | "squared_norm":
            yield from (_node(rule, "matrix", at=(axis,)) for axis in (None, 0, 1))
        case "layer_norm" | "batch_norm":
            yield _node(rule, "matrix", at=(fmpq(1, 100_000),))
        case "diagonal":
            square = letters(rule, [("n", "n")])
            yield from (ops.apply(rule, *square, at=(axis,)) for axis in (0, 1))
        case "derivative":
            yield _node(rule, "matrix", at=("own", "phi"))
        case "transpose":
            yield _node(rule, "matrix")
        case "slice" | "place" | "entry" | "concat" | "reshape":
            yield from moved.expressions(rule)
        case _ if rule in slid.SLID:
            yield from slid.expressions(rule)
        case "function":
            yield _node("own", "matrix", at=("phi",))
        case _ if rule in FUNCTIONS and rule != "own":
            yield _node(rule, "matrix", at=(fmpq(1, 100),) if rule == "leaky_relu" else ())


def rule_of(op: str) -> str:
    """The name of an op's rule: a function of a problem's own is any function."""
    return "function" if op == "own" else op


WORDS = ("subtract", "negate", "mean")  # what ``graph.ops`` builds from rows
RULES = tuple(rule for rule in (*map(rule_of, OPS), *WORDS) if any(True for _ in expressions(rule)))


def claims(rule: str) -> tuple[Claim, ...]:
    """Every claim of a rule."""
    return tuple(claim for expression in expressions(rule) for claim in claims_of(rule, expression))


def general(node: Expression) -> Expression:
    """The op of a node of any network over letters of symbolic size: what its rule is proved on.

    Sizes of operands that are stretched stay 1; a size that happens to be 1 is any size.
    """
    shapes = [arg.shape for arg in node.args]
    match node.op:
        case "matmul":
            return ops.matmul(*letters("matmul", [("N", "m"), ("m", "n")]))
        case "diag":
            return _node("diag", "row" if shapes[0][0] == 1 else "column")
        case "trace" | "det" | "logdet" | "inv":
            return ops.apply(node.op, *letters(node.op, [("n", "n")]))
        case "diagonal":
            return ops.apply("diagonal", *letters("diagonal", [("n", "n")]), at=node.at)
        case "spread":
            return _spread(_form(shapes[0], node.shape))
        case "slice" | "place" | "entry" | "concat" | "reshape":
            return moved.general(node)
        case op if op in slid.SLID:
            return slid.general(node)
    if len(node.shape) > 2 and any(shape not in ((), node.shape) for shape in shapes):
        return slid.stack(node)
    forms = [_form(shape, node.shape if OPS[node.op].elementwise else shape) for shape in shapes]
    if all(form == "scalar" for form in forms) and OPS[node.op].elementwise:
        forms = ["matrix"] * len(forms)  # numbers are matrices of one entry
    return _node(node.op, *forms, at=node.at)


def _form(shape: Shape, whole: Shape) -> str:
    """How an operand is stretched to the shape of the result."""
    if not shape:
        return "scalar"
    if shape == whole:
        return "matrix"
    return next(name for name, form in FORMS.items() if [size == 1 for size in form] == [size == 1 for size in shape])

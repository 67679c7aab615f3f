"""Names for unnamed intermediates: what a line of NumPy nests, a derivation writes out.

An inner step gets a name where its value or its derivative would otherwise have to be repeated: the argument of a
function or of a softmax, and a product of matrices inside anything but a sum. What a lecturer leaves in place stays:
a residual ``o - t`` under its square, a ``log`` of a name, a bias behind a product.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, count

from derive.graph import ops
from derive.graph.expression import Expression, leaf
from derive.graph.network import Equation
from derive.graph.normalising import hat, steps
from derive.graph.ops import FUNCTIONS
from derive.graph.ops.normal import AXES
from derive.problem.names import joined, member, stem_of

NORMALISING = ("softmax", "log_softmax", "cross_entropy", "binary_cross_entropy")
CHOOSING = ("maximum", "minimum", "max", "min", "clip")
# What is done with a matrix as a whole, and which operation may stay unnamed in it: tr(A B), the norm of a - b.
WHOLES = {"trace": "matmul", "det": "", "logdet": "", "inv": "", "norm": "add", "squared_norm": "add"}
LETTERS = ("z", "a", "s", "q", "v")  # of steps inside a family's equation: before the activation it is a z
WINDOWED = ("conv1d", "conv2d", "max_pool", "avg_pool")
TAKEN_FROM = ("slice", "entry", "reshape")
CHAIN = "chain"  # a product of several factors that stays in one piece
WHOLE_CHAINS = ("trace", CHAIN)


def named(
    value: Expression, known: Sequence[Equation], taken: set[str], of: str = ""
) -> tuple[list[Equation], Expression]:
    """``value`` with its inner steps named: the new equations, in order, and what is left of the value.

    In an equation for ``of = "h[2]"``, a member of a family, they are members as well: ``z[2]``, and ``z[3]`` in
    that for ``h[3]``. A step that occurs again has one name. What the user named is not looked up: beside
    ``h = relu(z)`` the derivative by h knows nothing of ``y = relu(z) @ W``.
    """
    table = {equation.value: leaf(equation.name, equation.value.shape) for equation in known if equation.auto}
    written = {equation.value for equation in known if equation.value.op == "softmax"}
    fresh: list[Equation] = []
    parts = member(of)
    index = None if parts is None else parts[1]

    def beside(node: Expression) -> str:
        assert index is not None
        users = {stem_of(name) for name in taken - {str(equation.name) for equation in known if equation.auto}}
        letters = ("p", *LETTERS) if node.op == "softmax" else LETTERS
        stem = next(
            stem
            for stem in chain(letters, (f"{letter}_{k}" for k in count(1) for letter in letters))
            if joined(stem, index) not in taken and not any(_alike(stem, user) for user in users)
        )
        taken.add(joined(stem, index))
        return joined(stem, index)

    def refer(node: Expression) -> Expression:
        if node not in table:
            label = _free("p" if node.op == "softmax" else "u", taken) if index is None else beside(node)
            fresh.append(Equation(label, node, auto=True))
            table[node] = leaf(label, node.shape)
        return table[node]

    def normalise(node: Expression, whole: bool) -> Expression:
        x = visit(node.args[0], node.op)
        node = Expression(node.op, (x if x.op == "name" else refer(x),), node.at, node.shape)
        if node not in table:
            made, quotient = steps(node, lambda label: _unused(label, taken))
            fresh.extend(made)
            if whole:
                return quotient
            label = _unused(hat(str(node.args[0].name)), taken)
            fresh.append(Equation(label, quotient, auto=True))
            table[node] = leaf(label, node.shape)
        return table[node]

    def visit(node: Expression, parent: str | None) -> Expression:
        if node.op in AXES:
            return normalise(node, node is value)
        deserves = _deserves(node, parent)
        under: str | None = node.op
        if (node.op == "add" or _is_multiple(node)) and (parent is None or deserves):
            under = None
        elif node.op == "matmul" and (parent in WHOLE_CHAINS or (not deserves and is_quadratic(node))):
            under = CHAIN
        args = tuple(visit(arg, under) for arg in node.args)
        if node.op == "cross_entropy":
            probabilities = Expression("softmax", args[:1], node.at[:1], args[0].shape)
            if probabilities not in written:
                refer(probabilities)
        node = Expression(node.op, args, node.at, node.shape)
        return refer(node) if deserves else node

    return fresh, visit(value, None)


def _is_multiple(node: Expression) -> bool:
    """A number times one other thing, or that thing over a number: Q K^T over the root of d."""
    if node.op == "divide":
        return not node.args[1].shape and not any(inner.op == "matmul" for inner in node.args[1].nodes())
    plain = [arg.op == "constant" or (arg.op == "name" and not arg.shape) for arg in node.args]
    return node.op == "multiply" and plain.count(False) == 1


def is_quadratic(node: Expression) -> bool:
    """x^T A x, or x A x^T of a row, which stays in one piece: its derivative is (A + A^T) x."""
    (left, x) = node.args
    vector = 1 in x.shape and x.shape != (1, 1)
    return vector and left.op == "matmul" and left.args[0] == ops.transpose(x) and _in_place(left.args[1])


def _in_place(node: Expression) -> bool:
    """A name, a slice of it, its transpose, its inverse: what needs no name beside other factors."""
    while node.op in ("transpose", "inv", "slice"):
        (node,) = node.args
    return node.op == "name"


def _deserves(node: Expression, parent: str | None) -> bool:
    """Whether a node under an operation of the kind ``parent`` gets a name; ``None`` is the top, sums included."""
    if node.op == "one_hot" and parent == "cross_entropy":
        return True
    if parent is None or not node.args or not node.names():  # a number is called by no name, however it is written
        return False
    plain = node.op == "transpose" and node.args[0].op == "name"
    if parent in (CHAIN, "matmul") and node.op == "transpose":
        return False  # what is transposed has the name
    if parent in (CHAIN, "matmul"):
        return not (_in_place(node) or (parent == CHAIN and node.op == "matmul"))
    if parent in WHOLES:
        return not (plain or WHOLES[parent] == node.op)
    if parent in FUNCTIONS or parent in NORMALISING or parent in CHOOSING:
        return not plain
    if parent == "transpose":
        return not _in_place(node)
    if parent == "concat" and node.op == "matmul":
        return False  # heads side by side
    if parent in WINDOWED or parent in TAKEN_FROM or parent == "compare":
        return True
    if node.op in ("softmax", "log_softmax", "matmul", *CHOOSING, *WINDOWED):
        return True
    return node.op in FUNCTIONS and parent in ("power", "divide") and not (node.op == "sqrt" and not node.shape)


def _alike(stem: str, name: str) -> bool:
    """Whether ``stem`` with an index might be printed like ``name``, or like it with an index."""
    return name == stem or (name.startswith(stem) and name[len(stem) :].replace("_", "").isdigit())


def _unused(label: str, taken: set[str]) -> str:
    """The label, or the first of ``label2``, ``label3``, … that nobody uses."""
    found = next(name for name in chain([label], (f"{label}{k}" for k in count(2))) if name not in taken)
    taken.add(found)
    return found


def _free(stem: str, taken: set[str]) -> str:
    """The first of ``u1``, ``u2``, … that nobody uses; probabilities are ``p`` if that is free.

    Beside a ``u`` of the problem's own, whose entries are u_1, u_2, …, another letter is taken.
    """
    if stem != "p" or "p" in taken:
        stem = next((letter for letter in (stem, "a", "q", "c") if letter not in taken), stem)
    label, number = (stem, 0) if stem == "p" else (f"{stem}1", 1)
    while label in taken or f"{stem}[{number}]" in taken:
        number += 1
        label = f"{stem}{number}"
    taken.add(label)
    return label

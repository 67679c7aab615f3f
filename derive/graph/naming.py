"""Names for unnamed intermediates: what a line of NumPy nests, a derivation writes out.

An inner step gets a name where its value or its derivative would otherwise have to be repeated: the argument of a
function or of a softmax, and a product of matrices inside anything but a sum. What a lecturer leaves in place stays:
a residual ``o - t`` under its square, a ``log`` of a name, a bias behind a product.
"""

from __future__ import annotations

from collections.abc import Sequence

from derive.graph.expression import Expression, leaf
from derive.graph.network import Equation
from derive.graph.ops import FUNCTIONS

NORMALISING = ("softmax", "log_softmax", "cross_entropy", "binary_cross_entropy")
CHOOSING = ("maximum", "minimum")


def named(value: Expression, known: Sequence[Equation], taken: set[str]) -> tuple[list[Equation], Expression]:
    """``value`` with its inner steps named: the new equations, in order, and what is left of the value.

    A step that occurs again has one name. What the user named is not looked up: beside ``h = relu(z)`` the
    derivative by h knows nothing of ``y = relu(z) @ W``.
    """
    table = {equation.value: leaf(equation.name, equation.value.shape) for equation in known if equation.auto}
    written = {equation.value for equation in known if equation.value.op == "softmax"}
    fresh: list[Equation] = []

    def refer(node: Expression) -> Expression:
        if node not in table:
            label = _free("p" if node.op == "softmax" else "u", taken)
            fresh.append(Equation(label, node, auto=True))
            table[node] = leaf(label, node.shape)
        return table[node]

    def visit(node: Expression, parent: str | None) -> Expression:
        deserves = _deserves(node, parent)
        under = None if node.op == "add" and (parent is None or deserves) else node.op
        args = tuple(visit(arg, under) for arg in node.args)
        if node.op == "cross_entropy":
            probabilities = Expression("softmax", args[:1], node.at[:1], args[0].shape)
            if probabilities not in written:
                refer(probabilities)
        node = Expression(node.op, args, node.at, node.shape)
        return refer(node) if deserves else node

    return fresh, visit(value, None)


def _deserves(node: Expression, parent: str | None) -> bool:
    """Whether a node under an operation of the kind ``parent`` gets a name; ``None`` is the top, sums included."""
    if parent is None or not node.args:
        return False
    plain = node.op == "transpose" and node.args[0].op == "name"
    if parent in FUNCTIONS or parent in NORMALISING or parent in CHOOSING or parent == "matmul":
        return not plain
    if parent == "transpose":
        return True
    if node.op in ("softmax", "log_softmax", "matmul", *CHOOSING):
        return True
    return node.op in FUNCTIONS and parent in ("power", "divide")


def _free(stem: str, taken: set[str]) -> str:
    """The first of ``u1``, ``u2``, … that nobody uses; probabilities are ``p`` if that is free."""
    label, number = (stem, 0) if stem == "p" else (f"{stem}1", 1)
    while label in taken:
        number += 1
        label = f"{stem}{number}"
    taken.add(label)
    return label

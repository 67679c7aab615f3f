"""Several rules in a row: what is proved of each carries over to what they are composed to.

A network is a list of equations, and the chain rule hands the adjoint of one name through one op at a time: if
J = J(u) and u = f(x), the adjoint of x is the pullback of f applied to the adjoint of u, and what comes back along
several uses adds up. So the composed formula holds for all sizes as soon as every single pullback in it does. Nothing
is multiplied out; each part is a claim about one op, over letters of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from derive.calculus.proofs.claims import UPSTREAM, Claim, claims_of, general, rule_of
from derive.calculus.proofs.proof import Proof, prove
from derive.graph.build import build
from derive.graph.expression import Expression, leaf
from derive.graph.network import Network
from derive.graph.reverse import AdjointEquation, differentiate
from derive.problem.problem import Problem
from derive.records import dataclass

LOSS = "J"  # any scalar function of a network that ends in ``out``


@dataclass(frozen=True, slots=True)
class Composite:
    """A network whose adjoints are pulled back rule by rule; ``parts`` are the rules used, in the order of use."""

    rule: str
    problem: Problem
    network: Network
    of: str
    adjoints: tuple[AdjointEquation, ...]
    parts: tuple[Proof, ...]

    @property
    def proved(self) -> bool:
        """Whether every rule in it is."""
        return all(part.proved for part in self.parts)

    @property
    def verdict(self) -> str:
        """``proved`` or ``not shown``."""
        return "proved" if self.proved else "not shown"


@dataclass(frozen=True, slots=True)
class _Sketch:
    """Equations, the sizes of their letters, and what is differentiated by."""

    equations: str
    shapes: Mapping[str, list[str | int]]
    by: tuple[str, ...]


_LAYER: Mapping[str, list[str | int]] = {"Z": ["N", "m"], "W": ["m", "n"], "b": [1, "n"]}
_SKETCHES: Mapping[str, _Sketch] = {
    "affine": _Sketch("out = Z @ W + b", _LAYER, ("W", "b", "Z")),
    "layer": _Sketch("u = Z @ W + b\nout = phi(u)", _LAYER, ("u", "W", "b", "Z")),
    "squared_error": _Sketch("E = sum((Y - T)**2) / 2", {"Y": ["N", "n"], "T": ["N", "n"]}, ("Y",)),
    "mean_squared_error": _Sketch("E = mean((Y - T)**2)", {"Y": ["N", "n"], "T": ["N", "n"]}, ("Y",)),
    "log_likelihood": _Sketch(
        "P = softmax(Z)\nE = -mean(sum(T * log(P), axis=1))", {"Z": ["N", "n"], "T": ["N", "n"]}, ("P", "Z")
    ),
    "quadratic_form": _Sketch("E = x.T @ A @ x", {"x": ["n", 1], "A": ["n", "n"]}, ("x", "A")),
    "outer": _Sketch("out = outer(x, y)", {"x": ["m", 1], "y": ["n", 1]}, ("x", "y")),
    "attention": _Sketch(
        "S = Q @ K.T / sqrt(d)\nP = softmax(S)\nO = P @ V",
        {"Q": ["N", "d_k"], "K": ["M", "d_k"], "V": ["M", "d_v"], "d": []},
        ("P", "S", "V", "Q", "K"),
    ),
    "logistic": _Sketch(
        "P = sigmoid(z)\nE = mean(binary_cross_entropy(P, t))", {"z": ["N", 1], "t": ["N", 1]}, ("P", "z")
    ),
}
COMPOSITES = tuple(_SKETCHES)


@cache
def composite(rule: str) -> Composite:
    """The composite of that name, each of its rules proved or not."""
    sketch = _SKETCHES[rule]
    functions = {"phi": "unspecified"} if "phi(" in sketch.equations else {}
    problem = Problem.from_equations(sketch.equations, shapes=sketch.shapes, functions=functions, name=rule)
    network = build(problem)
    last = str(network.equations[-1].name)
    known = bool(network.shape(last))
    seeds = {last: leaf(UPSTREAM, network.shape(last))} if known else None
    adjoints = differentiate(network, LOSS if known else last, sketch.by, seeds)
    return Composite(rule, problem, network, LOSS if known else last, adjoints, tuple(used(network, sketch.by, last)))


def used(network: Network, by: Iterable[str], *tops: str) -> Iterator[Proof]:
    """The proofs of every rule that carries an adjoint from ``tops`` to the names ``by``, each once."""
    names = tuple(by)
    needed = network.descendants(names) & frozenset().union(*(network.ancestors(top) for top in tops))
    seen: set[Claim] = set()
    for equation in reversed(network.equations):
        if equation.name in needed:
            for claim in _pulled(equation.value, needed, network):
                if claim not in seen:
                    seen.add(claim)
                    yield prove(claim)


def _pulled(value: Expression, needed: frozenset[str], network: Network) -> Iterator[Claim]:
    """One claim for each operand through which ``value`` hands something back, from the outside in."""
    if value.op == "name" or not any(name in needed for name in value.names()):
        return
    whole = general(value)
    claims = {(claim.by, "labels" in claim.hypotheses): claim for claim in claims_of(rule_of(value.op), whole)}
    for operand, letter in zip(value.args, whole.args, strict=True):
        if any(name in needed for name in operand.names()):
            labels = value.args[1] if value.op == "cross_entropy" else None
            certain = labels is not None and labels.op == "name" and network.sums_to_one(str(labels.name), value.at[0])
            by = str(letter.name)
            yield claims[by, certain and (by, True) in claims]
            yield from _pulled(operand, needed, network)

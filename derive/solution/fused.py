"""The derivative through a normalisation in one formula, beside the one along its steps, and held to it.

The steps of a layer or batch norm have adjoints of their own. What they come to for the matrix that is normalised is
the pullback of the row of the op table, which is proved for all sizes; here the two are compared in certified numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from derive.calculus.closed_form import close, named_values
from derive.graph import ops
from derive.graph.collect import collect, transposed
from derive.graph.expression import Adjoint, Expression, leaf
from derive.graph.normalising import Normalisation, normalisations
from derive.numbers import arrays
from derive.numbers.balls import overlaps
from derive.records import dataclass
from derive.solution.checks import Check, require

if TYPE_CHECKING:
    from derive.solution.derivation import Derivation
    from derive.solution.part import Part


@dataclass(frozen=True, slots=True)
class Fused:
    """d ``of`` / d x of a normalisation in one formula: in the shape of x, and in the layout of the derivation."""

    normalisation: Normalisation
    adjoint: Adjoint
    value: Expression
    shown: Expression


def fused(part: Part) -> Iterator[Fused]:
    """One for each normalisation through which something comes back."""
    derivation = part.derivation
    if derivation is None:
        return
    network = derivation.network
    known = {adjoint.by for adjoint in derivation.adjoints}
    for found in normalisations(network):
        if not {found.normalised, found.x, found.centred, found.mean} <= known:
            continue
        upstream = leaf(Adjoint(derivation.of, found.normalised), network.shape(found.normalised))
        whole = ops.add(found.fused(network, upstream), *_besides(derivation, found))
        whole = collect(close(collect(whole), named_values(network), part.functions))
        numerator = derivation.layout == "numerator"
        shown = collect(transposed(whole)) if numerator else whole
        yield Fused(found, Adjoint(derivation.of, found.x, numerator), whole, shown)


def _besides(derivation: Derivation, found: Normalisation) -> Iterator[Expression]:
    """What comes back to x along other ways: a connection that skips the normalisation."""
    for step in derivation.about(Adjoint(derivation.of, found.x)):
        if step.rule == "chain":
            yield from (path.after for path in step.steps if not {*path.why[:1]} & {found.mean, found.centred})


def checks(part: Part) -> Iterator[Check]:
    """The one formula and the steps give the same certified numbers."""
    for found in fused(part) if part.numeric else ():
        name = Adjoint(found.adjoint.of, found.adjoint.by)
        ours, theirs = (arrays.entries(value) for value in (part.run.expression(found.value), part.run.value(name)))
        agree = all(map(overlaps, ours, theirs))
        check = Check("fused", str(name), agree, f"{len(ours)} of {len(ours)}")
        yield require(check, f"{name}: one formula and the steps differ")

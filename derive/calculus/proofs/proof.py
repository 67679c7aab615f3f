"""The proof of one claim: entry, derivative, contraction with the upstream, deltas gone, entry of the claim.

    out_ij = Σ_q z_iq w_qj,   ∂out_ij/∂w_kl = Σ_q δ_jl δ_kq z_iq,   Σ_ij g_ij ∂out_ij/∂w_kl = Σ_i g_il z_ik = (Zᵀ G)_kl

Everything is SymPy's or the rows': the entries come from ``index`` columns, the derivative from SymPy, the claim from
``pullback`` columns. The verdict is *proved* or *not shown*, never *wrong*: only a number could say that.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import sympy

from derive.calculus.proofs.claims import UPSTREAM, Claim
from derive.calculus.proofs.entries import Fresh, entry, entry_of, index, places, size
from derive.calculus.proofs.normal import Fit, Key, Normal, NotNormal, whole
from derive.calculus.vanish import vanishes
from derive.graph.expression import Expression
from derive.graph.ops import NoSum
from derive.graph.ops.rearranging import slices_of
from derive.problem.problem import Shape
from derive.records import dataclass

OUT_ROW, OUT_COLUMN, ROW, COLUMN = map(index, "ijkl")  # entry (i, j) of the result, entry (k, l) of the operand


@dataclass(frozen=True, slots=True)
class Line:
    """``left = right``; ``key`` is the reason, and says what the left-hand side is.

    ``entry``: an entry of the result; ``derivative``: its derivative by an entry of the operand; ``contraction``: the
    adjoint of that entry, and in normal form (``deltas``, ``collected``); ``claim``: an entry of the claimed formula,
    and in normal form (``expanded``, ``fraction``). A normal form may repeat what stands before it. ``…_plain`` marks a
    derivative without deltas, and an adjoint without a sum.
    """

    key: str
    right: sympy.Expr


@dataclass(frozen=True, slots=True)
class Proof:
    """A claim, the lines of its proof, and whether they prove it for all sizes.

    Without lines an entry of the result is no sum over indices (a determinant): there is nothing to compare.
    """

    claim: Claim
    lines: tuple[Line, ...]
    proved: bool

    @property
    def verdict(self) -> str:
        """``proved`` or ``not shown``."""
        return "proved" if self.proved else "not shown"


@cache
def prove(claim: Claim) -> Proof:
    """Tries to prove a claim for all sizes."""
    fresh = Fresh()
    out, by = claim.expression, claim.sizes[claim.by]
    if any(len(shape) > 2 for shape in (*claim.sizes.values(), out.shape)):
        return Proof(claim, (), False)  # a stack: more indices than there are letters for
    i, j = places(out.shape, OUT_ROW, OUT_COLUMN)
    k, m = places(by, ROW, COLUMN)
    try:
        value = entry(out, i, j, fresh)
    except NoSum:
        return Proof(claim, (), False)
    local = value.diff(entry_of(claim.by, by, k, m))
    handed = _summed(entry_of(UPSTREAM, out.shape, i, j) * local, out.shape)
    claimed = entry(claim.value, k, m, fresh)
    axis = out.at[0] if "labels" in claim.hypotheses else 0
    ones = [(str(out.args[1].name), axis)] if "labels" in claim.hypotheses else []
    normal = Normal(_extents(claim), ones, [fit for side in (out, claim.value) for fit in _fits(side)])
    deltas = local.has(sympy.KroneckerDelta)
    lines = [
        Line("entry", value),
        Line("derivative" if deltas else "derivative_plain", local),
        Line("contraction" if any(extent != 1 for extent in out.shape) else "contraction_plain", handed),
    ]
    try:
        ours, theirs = normal.collected(handed), normal.collected(claimed)
    except NotNormal:
        return Proof(claim, (*lines, Line("claim", claimed)), False)
    same, over_a_denominator = _equal(ours, theirs)
    lines += [
        Line("deltas" if deltas else "collected", whole(ours)),
        Line("claim", claimed),
        Line("fraction" if same and over_a_denominator else "expanded", whole(theirs)),
    ]
    return Proof(claim, tuple(lines), same)


def _equal(ours: dict[Key, sympy.Rational], theirs: dict[Key, sympy.Rational]) -> tuple[bool, bool]:
    """Whether two normal forms are shown equal, and whether that took a common denominator.

    What is left of the difference is compared summand by summand under the same sums.
    """
    left: dict[object, sympy.Expr] = {}
    for key in {**ours, **theirs}:
        number = ours.get(key, sympy.S.Zero) - theirs.get(key, sympy.S.Zero)
        if number != 0:
            limits, summand = key
            left[limits] = left.get(limits, sympy.S.Zero) + number * summand
    if not left:
        return True, False
    return all(vanishes(difference) for difference in left.values()), True


def _summed(term: sympy.Expr, shape: Shape) -> sympy.Expr:
    pairs = zip((OUT_ROW, OUT_COLUMN), shape, strict=False)
    limits = [(place, 1, size(extent)) for place, extent in pairs if extent != 1]
    return sympy.Sum(term, *reversed(limits)) if limits else term


def _fits(expression: Expression) -> Iterator[Fit]:
    """The slices in an expression, which fit their axes: else there would be no such expression."""
    for node in expression.nodes():
        for part, extent in slices_of(node):
            yield size(part.start), size(part.count), part.step, size(extent)


def _extents(claim: Claim) -> dict[sympy.Symbol, sympy.Expr]:
    """Up to where the free indices run."""
    return {place: size(extent) for place, extent in zip((ROW, COLUMN), claim.sizes[claim.by], strict=False)}

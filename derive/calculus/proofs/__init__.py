"""Proofs for all sizes: that the pullback in each row of the op table is the adjoint of its op.

``prove_rule("matmul")`` gives a ``Proof`` for each operand and form of broadcasting. Verdicts are *proved* and *not
shown*: a proof that fails says nothing about the claim. ``README.md`` in this folder says how, and where it ends.
"""

from __future__ import annotations

from derive.calculus.proofs.claims import OUT, RULES, UPSTREAM, Claim, claims
from derive.calculus.proofs.composite import COMPOSITES, Composite, composite, used
from derive.calculus.proofs.proof import Line, Proof, prove
from derive.errors import ProblemError
from derive.problem.wording import hint, listing

__all__ = [
    "COMPOSITES", "OUT", "RULES", "UPSTREAM",
    "Claim", "Composite", "Line", "Proof",
    "claims", "composite", "known", "prove", "prove_rule", "used",
]  # fmt: skip


def known(rule: str) -> str:
    """The name of a rule or a composite, as it is. Raises ``ProblemError`` with the nearest one."""
    if rule not in RULES + COMPOSITES:
        names = RULES + COMPOSITES
        raise ProblemError(f"there is no rule {rule!r}", hint=hint(rule, names) or f"there are {listing(names, 'and')}")
    return rule


def prove_rule(rule: str) -> tuple[Proof, ...]:
    """The proofs of every claim of a rule; of a composite, those of the rules it is composed of.

    Raises ``ProblemError`` for an unknown rule.
    """
    if known(rule) in COMPOSITES:
        return composite(rule).parts
    return tuple(prove(claim) for claim in claims(rule))

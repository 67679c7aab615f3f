"""The rules below a loss of which nothing is known: SymPy's undefined function J(o_11, …) against the matrix rule.

The network's output is put into J entry by entry, SymPy differentiates the whole by an entry of a name, and what comes
out has to be the engine's entry with the partials of J at that output for those of the upstream.
"""

from __future__ import annotations

import sympy

from derive.graph.expression import Adjoint
from derive.solution import Part
from derive.solution.checks import CheckFailed


def holds_for_any_loss(part: Part, names: tuple[str, ...]) -> int:
    """The number of entries that were proved. Raises ``CheckFailed`` for the first one that is not.

    The problem has a single upstream by name, and is small enough to be written out.
    """
    (upstream,) = part.problem.ask.upstream
    explicit, derivation = part.explicit, part.derivation
    assert explicit is not None
    assert derivation is not None
    tops = explicit.symbols(upstream.at).ravel()
    loss = sympy.Function(upstream.of)(*(explicit.written_out(top) for top in tops))
    known = explicit.symbols(Adjoint(upstream.of, upstream.at)).ravel()
    slopes = {symbol: loss.fdiff(k + 1) for k, symbol in enumerate(known)}
    proved = 0
    for name in names:
        claimed = _explicitly(part, Adjoint(upstream.of, name))
        for symbol, entry in zip(explicit.symbols(name).ravel(), claimed.ravel(), strict=True):
            difference = sympy.diff(loss, symbol) - explicit.written_out(entry).xreplace(slopes)
            if sympy.expand(difference) != 0:
                of = f"d{upstream.of}/d{symbol}"
                raise CheckFailed(f"a check failed, nothing was written: {of} for an arbitrary loss")
            proved += 1
    return proved


def _explicitly(part: Part, adjoint: Adjoint) -> sympy.Basic:
    """The entries of the engine's formula; adjoints it uses by name are put in, down to the upstream."""
    explicit, derivation = part.explicit, part.derivation
    assert explicit is not None
    assert derivation is not None
    entries = explicit.entries(derivation.adjoints[adjoint])
    tops = {upstream.at for upstream in part.problem.ask.upstream}
    for used in derivation.adjoints[adjoint].names():
        if isinstance(used, Adjoint) and used.by not in tops:
            inner = dict(zip(explicit.symbols(used).ravel(), _explicitly(part, used).ravel(), strict=True))
            for index, entry in enumerate(entries.ravel()):
                entries.ravel()[index] = entry.xreplace(inner)
    return entries

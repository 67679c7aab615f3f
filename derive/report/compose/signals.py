"""Error signals: each defined once, as a derivative or its negative, and then used by its name."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from derive.calculus.paths import Path
from derive.graph import ops
from derive.graph.collect import coefficient, collect
from derive.graph.expression import Adjoint, Expression, is_constant
from derive.report.compose.sheet import Sheet
from derive.report.document import Display, Link
from derive.solution.derivation import Derivation


def defined(sheet: Sheet, derivation: Derivation, adjoint: Adjoint) -> Display:
    """``δ = ∂E/∂z = …``: what it stands for, the rule, the rule without derivatives that have no name, numbers."""
    signal = sheet.signal(adjoint)
    assert signal is not None
    final = derivation.adjoints[adjoint]
    value = collect(ops.negate(final)) if signal.negative else final
    sign = "-" if signal.negative else ""
    fraction = sheet.symbols.partial(sheet.symbols.name(adjoint.of), sheet.symbols.name(adjoint.by))
    links = [Link("=", (f"{sign}{fraction}",))]
    formulas = [value]
    # By hand the numbers that follow are those of the derivatives with names.
    if sheet.part.shown.carried is None and sheet.detail.rewritings:
        formulas.append(_without_others(sheet, derivation, value))
    for formula in formulas:
        for link in sheet.formula_links(formula):
            if all(link.terms != other.terms for other in links):
                links.append(link)
    numbers = sheet.number_links(signal, value) if sheet.numeric else []
    return Display((sheet.chain(sheet.symbols.name(signal), links, numbers),))


def shortened(paths: Sequence[Path], names: Collection[str]) -> list[Path]:
    """Paths that end at the first error signal on the way up; ways that meet there are one."""
    found: dict[Path, None] = {}
    for path in paths:
        at = [k for k, factor in enumerate(path.factors) if factor.of.name in names]
        found[Path(path.factors[at[-1]].of, path.factors[at[-1] :], False) if at else path] = None
    return list(found)


def _into_difference(value: Expression) -> Expression:
    """``-(o - t) G`` as ``(t - o) G``."""
    if value.op == "multiply" and is_constant(value.args[0], -1):
        for k, factor in enumerate(value.args):
            if factor.op == "add" and any(coefficient(term)[0] < 0 for term in factor.args):
                turned = [collect(ops.negate(term)) for term in factor.args]
                turned.sort(key=lambda term: coefficient(term)[0] < 0)
                return ops.multiply(*value.args[1:k], ops.add(*turned), *value.args[k + 1 :])
    return value


def _without_others(sheet: Sheet, derivation: Derivation, value: Expression) -> Expression:
    """Derivatives that are no error signals replaced by their own formulas, one step back: δ_o W^T for ∂E/∂h."""

    def change(node: Expression) -> Expression:
        named = node.name if node.op == "name" else None
        if isinstance(named, Adjoint) and not named.negative and sheet.signal(named) is None:
            return derivation.adjoints.get(named, node)
        return node

    return _into_difference(collect(value.rebuild(change)))

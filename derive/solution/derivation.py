"""The derivation as data: one step after another, each with the rule that made it, all of them replayable.

A step never says how it reads; ``rule`` is the key under which each language keeps its sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping

from derive.calculus.closed_form import close, named_values
from derive.calculus.functions import Functions
from derive.graph import ops
from derive.graph.collect import collect, label_sums, numerator_names, transposed
from derive.graph.expression import Adjoint, Expression, Name, constant, leaf
from derive.graph.network import Network
from derive.graph.reverse import AdjointEquation, differentiate, pull
from derive.records import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """``before`` becomes ``after`` by ``rule``, on the way to ``quantity``.

    ``why`` names what the rule was applied to: the operation of a pullback, the equation it went through. ``steps``
    are the smaller steps that this one is made of.
    """

    rule: str
    quantity: Name
    before: Expression
    after: Expression
    why: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True)
class Derivation:
    """How the adjoints of ``of`` follow: ``steps`` in order, ``adjoints`` what each ends in.

    ``layout`` is ``"shape"`` or ``"numerator"``: in the second, names and right-hand sides are transposed.
    """

    network: Network
    functions: Functions
    of: str
    by: tuple[str, ...]
    seeds: Mapping[str, Expression] | None
    layout: str
    steps: tuple[Step, ...]
    adjoints: Mapping[Adjoint, Expression]
    signals: tuple[str, ...] = ()

    def adjoint(self, name: str) -> Adjoint:
        """The name of d of / d ``name`` in this derivation's layout."""
        return Adjoint(self.of, name, self.layout == "numerator")

    def about(self, quantity: Name) -> tuple[Step, ...]:
        """The steps that end in a quantity."""
        return tuple(step for step in self.steps if step.quantity == quantity)


def derive(
    network: Network,
    functions: Functions,
    of: str,
    by: Iterable[str],
    *,
    layout: str = "shape",
    seeds: Mapping[str, Expression] | None = None,
) -> Derivation:
    """Differentiates and writes down every step: chain rule, like terms, f' through the output, layout."""
    wanted = tuple(by)
    outputs = named_values(network)
    steps: list[Step] = []
    adjoints: dict[Adjoint, Expression] = {}
    for equation in differentiate(network, of, wanted, seeds):
        made = _chain(equation, network)
        for rule in ("collect", "close", "labels", "collect"):
            after = _apply(rule, made[-1].after, outputs, functions, network)
            if after != made[-1].after:
                made.append(Step(rule, equation.name, made[-1].after, after))
        if layout == "numerator":
            name = Adjoint(of, equation.name.by, True)
            after = _apply("numerator", made[-1].after, outputs, functions, network)
            made.append(Step("numerator", name, made[-1].after, after))
            again = _apply("collect", made[-1].after, outputs, functions, network)
            if again != made[-1].after:
                made.append(Step("collect", name, made[-1].after, again))
        steps += made
        adjoints[Adjoint(of, equation.name.by, layout == "numerator")] = made[-1].after
    return Derivation(
        network, functions, of, wanted, None if seeds is None else dict(seeds), layout, tuple(steps), adjoints
    )


def with_signals(derivation: Derivation, names: Iterable[str]) -> Derivation:
    """The same derivation said with error signals: the negatives of the adjoints of ``names``, wherever used."""
    signals = tuple(names)
    steps: list[Step] = []
    adjoints: dict[Adjoint, Expression] = {}
    for adjoint, value in derivation.adjoints.items():
        made = list(derivation.about(Adjoint(adjoint.of, adjoint.by)))
        made += [step for step in derivation.about(adjoint) if step not in made]
        after = signalled(value, signals)
        if after != value:
            made.append(Step("signals", adjoint, value, after))
        steps += made
        adjoints[adjoint] = after
    return Derivation(**{**derivation.__dict__, "steps": tuple(steps), "adjoints": adjoints, "signals": signals})


def signalled(expression: Expression, names: Container[str]) -> Expression:
    """An adjoint of one of the ``names`` is minus its error signal; the signs come to the front."""

    def change(node: Expression) -> Expression:
        if node.op == "name" and isinstance(node.name, Adjoint) and node.name.by in names and not node.name.negative:
            name = Adjoint(node.name.of, node.name.by, node.name.numerator, True)
            return ops.negate(leaf(name, node.shape))
        return node

    return collect(expression.rebuild(change))


def in_normal_form(value: Expression, derivation: Derivation, outputs: Mapping[Expression, Expression]) -> Expression:
    """An expression as the result of a derivation would have it: the same rules in the same order."""
    rules = ("collect", "close", "labels", "collect")
    for rule in (*rules, "numerator", "collect") if derivation.layout == "numerator" else rules:
        value = _apply(rule, value, outputs, derivation.functions, derivation.network)
    return signalled(value, derivation.signals) if derivation.signals else value


def _chain(equation: AdjointEquation, network: Network) -> list[Step]:
    """The chain rule at one name: what comes back along each path, added up."""
    name = equation.name
    here = leaf(name, network.shape(name.by))
    if equation.known:
        return [Step("known", name, here, equation.value)]
    if not equation.contributions:
        return [Step("independent", name, here, equation.value)]
    paths = tuple(
        Step(
            "pullback" if part.via else "known",
            name,
            leaf(Adjoint(name.of, part.via), network.shape(part.via)) if part.via else here,
            part.value,
            _operations(network, part.via, name.by) if part.via else (),
        )
        for part in equation.contributions
    )
    through = tuple(dict.fromkeys(path.why[0] for path in paths if path.why))
    return [Step("chain", name, here, equation.value, through, paths)]


def _operations(network: Network, via: str, name: str) -> tuple[str, ...]:
    """The equation a pullback went through and the operations between its left side and the name."""
    found: list[str] = []
    node = network.equation(via).value
    while node.op != "name":
        found.append(node.op)
        node = next(arg for arg in node.args if name in arg.names())
    return (via, *found)


def _apply(
    rule: str,
    before: Expression,
    outputs: Mapping[Expression, Expression],
    functions: Functions,
    network: Network,
) -> Expression:
    """The rules that rewrite an expression into an equal one."""
    match rule:
        case "collect":
            return collect(before)
        case "close":
            return close(before, outputs, functions)
        case "labels":
            return label_sums(before, network)
        case "numerator":
            return transposed(before) if before.shape else numerator_names(before)
    raise ReplayError(f"there is no rule {rule!r}")


class ReplayError(Exception):
    """A step does not follow by its rule, or its rule is unknown."""


def replay(derivation: Derivation) -> int:
    """Does every step again from what stood before it, and compares. Returns the number of steps.

    Raises ``ReplayError`` at the first step that does not come out as recorded.
    """
    network, outputs = derivation.network, named_values(derivation.network)
    arrived = _arrivals(derivation)
    last: dict[str, Expression] = {}

    def rewritten_from(step: Step) -> Expression:
        if step.before != last[_by(step)]:
            raise ReplayError(f"{step.quantity}: the step {step.rule!r} does not start where the one before it ended")
        return step.before

    def rewrite(step: Step) -> Expression:
        return _apply(step.rule, rewritten_from(step), outputs, derivation.functions, network)

    def chain(step: Step) -> Expression:
        parts = [path.after for path in step.steps]
        if parts != arrived.get(_by(step), []):
            raise ReplayError(f"{step.quantity}: the paths are not those of the network")
        return ops.add(*parts)

    def given(step: Step) -> Expression:
        return (derivation.seeds or {})[_by(step)]

    def nothing(step: Step) -> Expression:
        if arrived.get(_by(step)):
            raise ReplayError(f"{step.quantity} does not vanish")
        shape = network.shape(_by(step))
        return Expression("zeros", (), (shape,), shape)

    rules: dict[str, Callable[[Step], Expression]] = {
        "chain": chain,
        "known": given,
        "independent": nothing,
        "collect": rewrite,
        "close": rewrite,
        "labels": rewrite,
        "numerator": rewrite,
        "signals": lambda step: signalled(rewritten_from(step), derivation.signals),
    }
    for step in derivation.steps:
        if step.rule not in rules:
            raise ReplayError(f"{step.quantity}: there is no rule {step.rule!r}")
        if rules[step.rule](step) != step.after:
            raise ReplayError(f"{step.quantity}: the rule {step.rule!r} gives something else")
        last[_by(step)] = step.after
    for adjoint, value in derivation.adjoints.items():
        if last.get(adjoint.by) != value:
            raise ReplayError(f"{adjoint}: the result is not where its steps end")
    return len(derivation.steps)


def _by(step: Step) -> str:
    if not isinstance(step.quantity, Adjoint):
        raise ReplayError(f"{step.quantity} is no derivative")
    return step.quantity.by


def _arrivals(derivation: Derivation) -> dict[str, list[Expression]]:
    """What comes back to each name, pulled back anew from the network."""
    network, of, seeds = derivation.network, derivation.of, derivation.seeds
    tops = tuple(seeds) if seeds is not None else (of,)
    needed = network.descendants(derivation.by) & frozenset().union(*(network.ancestors(top) for top in tops))
    found: dict[str, list[Expression]] = {name: [seed] for name, seed in (seeds or {}).items() if name in needed}
    for equation in reversed(network.equations):
        name = str(equation.name)
        if name not in needed or (name not in found and not (seeds is None and name == of)):
            continue
        shape = network.shape(name)
        one = ops.spread(constant(1), shape)
        upstream = one if seeds is None and name == of else leaf(Adjoint(of, name), shape)
        for source, value in pull(upstream, equation.value, needed):
            found.setdefault(source, []).append(value)
    return found

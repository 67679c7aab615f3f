"""A problem differentiated and evaluated: everything of a part but its checks."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

from derive.calculus.explicit import Explicit
from derive.calculus.functions import Functions
from derive.calculus.paths import Paths
from derive.errors import ProblemError, Unsupported
from derive.graph import build
from derive.graph.collect import collect
from derive.graph.expression import Adjoint, Expression, Name, leaf
from derive.graph.network import Network
from derive.graph.ops import negate
from derive.graph.ops.windows import work
from derive.graph.sizes import describe
from derive.numbers import arrays
from derive.problem import batches
from derive.problem.problem import Problem
from derive.records import dataclass
from derive.solution import elementwise
from derive.solution.asked import Asked, Ratio, asked
from derive.solution.derivation import Derivation, derive, with_signals
from derive.solution.history import MOST_CERTIFIED, data_of
from derive.solution.jacobian import Chain, chains
from derive.solution.part import Part, entry_texts, rounding_of
from derive.solution.values import Balls, Data, Run, data_with

MOST_PRODUCTS = 5_000_000  # of two numbers, in one convolution
MOST_NUMBERS = 20_000_000  # entries of one intermediate value


def differentiated(problem: Problem) -> Part:
    """Everything but the checks."""
    network, functions = build(problem), Functions(problem)
    return with_numbers(problem, formulas(problem, network, functions))


@dataclass(frozen=True)
class Formulas:
    """What of a part holds for all numbers: the fields of ``Part`` that have no number in them.

    ``equations`` are those of its run, forward and backward; ``kind`` evaluates them.
    """

    network: Network
    functions: Functions
    kind: Balls
    asked: Asked
    derivation: Derivation | None
    ratios: Mapping[str, Derivation]
    adjoints: Mapping[Adjoint, Expression]
    equations: Mapping[Name, Expression]
    chains: Mapping[str, tuple[Chain, ...]]
    explicit: Explicit | None
    paths: Paths | None

    def over(self, network: Network) -> Formulas:
        """The same formulas for a network that differs in its numbers alone."""

        def moved(derivation: Derivation) -> Derivation:
            return Derivation(**{**derivation.__dict__, "network": network})

        explicit = self.explicit.over(network) if self.explicit is not None else None
        found = {
            "network": network,
            "derivation": moved(self.derivation) if self.derivation is not None else None,
            "ratios": {text: moved(derivation) for text, derivation in self.ratios.items()},
            "explicit": explicit,
            "paths": self.paths.over(explicit) if self.paths is not None and explicit is not None else None,
        }
        return Formulas(**{**self.__dict__, **found})


def formulas(problem: Problem, network: Network, functions: Functions) -> Formulas:
    """The derivation, and what goes with it. Raises ``ProblemError`` and ``Unsupported`` for what cannot be asked."""
    affordable(problem, network)
    wish = asked(problem, network)
    derivation = shape_derivation = None
    if wish.top is not None:
        seeds = _seeds(problem, network)
        shape_derivation = derive(network, functions, wish.top, wish.gradients, seeds=seeds)
        derivation = shape_derivation
        if problem.convention.layout == "numerator":
            _only_matrices(problem, network)
            derivation = derive(network, functions, wish.top, wish.gradients, seeds=seeds, layout="numerator")
    ratios = {ratio.text: derived_ratio(network, functions, ratio) for ratio in wish.ratios}
    adjoints: dict[Adjoint, Expression] = dict(shape_derivation.adjoints) if shape_derivation else {}
    for ratio in wish.ratios:
        if ratio.kind != "jacobian":
            adjoints |= ratios[ratio.text].adjoints
    equations: dict[Name, Expression] = {e.name: e.value for e in network.equations}
    equations.update((adjoint, value) for adjoint, value in adjoints.items())
    if derivation is not None and derivation is not shape_derivation:
        equations |= {a: v for a, v in derivation.adjoints.items() if a not in equations}
    signals = problem.ask.questions.delta if problem.ask.questions is not None else {}
    if signals:
        derivation = _with_signals(problem, derivation, signals)
        if problem.convention.delta_sign == "negative":
            for adjoint, value in derivation.adjoints.items():
                if adjoint.by in signals:
                    negative = Adjoint(adjoint.of, adjoint.by, adjoint.numerator, True)
                    equations[negative] = collect(negate(value))
    small = elementwise.is_small(network)
    explicit = Explicit(network, functions, entry_texts(problem)) if small else None
    tops = tuple(upstream.at for upstream in problem.ask.upstream)
    paths = Paths(explicit, wish.top, tops) if explicit is not None and wish.top is not None else None
    return Formulas(
        network, functions, Balls(functions), wish, derivation, ratios, adjoints, equations,
        _chains(problem, network, functions, wish), explicit, paths,
    )  # fmt: skip


def with_numbers(problem: Problem, found: Formulas) -> Part:
    """The formulas with the numbers of a problem put in: the runs, and the updates that it asks for."""
    network, functions, wish, kind, equations = found.network, found.functions, found.asked, found.kind, found.equations
    where = {e.name: (problem.file, e.line) for e in network.equations}
    data = _data(problem, network)
    unnamed = frozenset(e.name for e in network.equations if e.auto)
    run = Run(equations, data, kind, where=where, unnamed=unnamed)
    carried = problem.convention.carry == "displayed"
    shown = Run(equations, data, kind, carried=rounding_of(problem), where=where, unnamed=unnamed) if carried else run
    update = problem.ask.update
    states = None
    ready = network.numeric and all(upstream.value is not None for upstream in problem.ask.upstream)
    opening = first = None
    if update is not None and ready and (wish.top is not None or not update.plain):
        if problem.ask.upstream and update.steps > 1:
            raise ProblemError(
                f"update with steps = {update.steps}: a known upstream holds for the first update alone",
                file=problem.file,
                line=problem.line("ask", "update"),
                hint="give steps = 1",
            )
        from derive.solution.samples import Samples, states_of

        samples, carry = (
            Samples(problem, network, functions, equations, data),
            rounding_of(problem) if carried else None,
        )
        if batches.count(update) <= MOST_CERTIFIED:
            opening = states = states_of(samples, update, kind, carry)
        else:
            opening = states_of(samples, batches.opening(update), kind, carry)
        if update.batches is not None:
            first = differentiated(batches.of_rows(problem, update.batches, opening.moves[0].rows))
    return Part(
        problem, network, functions, wish, found.derivation, found.ratios, found.adjoints, found.chains,
        run, shown, found.explicit, found.paths, states, None, batch=first, opening=opening,
    )  # fmt: skip


def derived_ratio(network: Network, functions: Functions, ratio: Ratio) -> Derivation:
    """The adjoints behind a ratio: of a Jacobian from a unit upstream that is put in row by row."""
    if ratio.kind != "jacobian":
        return derive(network, functions, ratio.of, (ratio.by,))
    seed = leaf(Adjoint("", ratio.of), network.shape(ratio.of))
    return derive(network, functions, ratio.of, (ratio.by,), seeds={ratio.of: seed})


def _chains(problem: Problem, network: Network, functions: Functions, wish: Asked) -> dict[str, tuple[Chain, ...]]:
    """The chains of Jacobians for everything that is shown by them."""
    found = {}
    for ratio in wish.ratios:
        if ratio.kind == "jacobian" and _is_vectors(network, ratio.of, ratio.by):
            found[ratio.text] = chains(network, functions, ratio.of, ratio.by)
        elif ratio.kind == "jacobian" and not (network.numeric and None not in problem.functions.values()):
            raise Unsupported(
                f"{ratio.text} is a Jacobian with a matrix on the way, and there are no numbers for its entries: "
                "its formula is not built yet",
                file=problem.file,
                line=problem.line("ask", "gradients"),
                hint=f'a known upstream gives the product with it: upstream = {{ of = "L", at = "{ratio.of}" }}',
            )
    if "jacobian" in problem.convention.style and wish.loss is not None:
        for name in wish.gradients:
            below = name if _is_vector(network.shape(name)) else None
            if below is not None and name != wish.loss and wish.loss in network.descendants((name,)):
                found[f"d{wish.loss}/d{name}"] = chains(network, functions, wish.loss, name)
    return found


def _is_vectors(network: Network, of: str, by: str) -> bool:
    between = network.descendants((by,)) & network.ancestors(of)
    return by in between and all(_is_vector(network.shape(name)) for name in between)


def _is_vector(shape: tuple[Any, ...]) -> bool:
    return not shape or (len(shape) == 2 and 1 in shape)


def _with_signals(problem: Problem, derivation: Derivation | None, names: Mapping[str, str]) -> Derivation:
    """The derivation in error signals; raises ``ProblemError`` for a name that no derivative passes through."""
    passed = {adjoint.by for adjoint in derivation.adjoints} if derivation is not None else set()
    for name in names:
        if derivation is None or name not in passed:
            raise ProblemError(
                f"delta names {name}, and no derivative that is asked for passes through it",
                file=problem.file,
                line=problem.line("ask", "delta"),
            )
    assert derivation is not None
    return with_signals(derivation, names) if problem.convention.delta_sign == "negative" else derivation


def _seeds(problem: Problem, network: Network) -> dict[str, Expression] | None:
    """The known adjoints: names of data that hold their numbers, or nothing but names."""
    if not problem.ask.upstream:
        return None
    for lower in problem.ask.upstream:
        for upper in problem.ask.upstream:
            if upper.at != lower.at and lower.at in network.ancestors(upper.at):
                raise Unsupported(
                    f"upstream at {lower.at} and at {upper.at}, which follows from it: d{lower.of}/d{lower.at} would "
                    "be known and have a part from above, which is not built yet",
                    file=problem.file,
                    line=problem.line("ask", "upstream"),
                    hint=f"write the sum that both feed: {lower.of} = sum(g1 * {lower.at}) + sum(g2 * {upper.at}), "
                    "with g1 and g2 under [given] or [shapes]",
                )
    return {
        upstream.at: leaf(Adjoint(upstream.of, upstream.at), network.shape(upstream.at))
        for upstream in problem.ask.upstream
    }


def _only_matrices(problem: Problem, network: Network) -> None:
    """Numerator layout turns matrices on their side; for more than two axes it says nothing."""
    for name in (*network.data, *(str(equation.name) for equation in network.equations)):
        if len(network.shape(name)) > 2:
            raise ProblemError(
                f'layout = "numerator" is for numbers, rows, columns and matrices; {name} is '
                f"{describe(network.shape(name))}",
                file=problem.file,
                line=problem.line("convention", "layout"),
                hint='leave layout out, or say layout = "shape"',
            )


def affordable(problem: Problem, network: Network) -> None:
    """Numbers for a matrix of more than ``MOST_NUMBERS`` entries are refused before they fill the memory."""
    if not network.numeric:
        return
    for equation in network.equations:
        products = sum(map(work, equation.value.nodes()))
        if products > MOST_PRODUCTS:
            raise ProblemError(
                f"the convolution in the equation for {equation.name} is made of {products:,} products; "
                f"the most is {MOST_PRODUCTS:,}",
                file=problem.file,
                line=equation.line,
                hint="take fewer samples, or a smaller image",
            )
        largest = max((node.shape for node in equation.value.nodes()), key=lambda shape: prod(map(int, shape)))
        if prod(map(int, largest)) > MOST_NUMBERS:
            raise ProblemError(
                f"the equation for {equation.name} needs {describe(largest)} numbers; the most is {MOST_NUMBERS:,}",
                file=problem.file,
                line=equation.line,
                hint="give sizes without numbers under [shapes]",
            )


def _data(problem: Problem, network: Network) -> Data:
    known = data_of(network)
    given: dict[Name, arrays.Array] = {}
    for upstream in problem.ask.upstream:
        if upstream.value is not None:
            value = arrays.from_tensor(upstream.value)
            given[Adjoint(upstream.of, upstream.at)] = value
            given[Adjoint(upstream.of, upstream.at, True)] = value.T
    return data_with(known, given) if given else known

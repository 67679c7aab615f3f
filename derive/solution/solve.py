"""One way through the house: problem, network, derivation, values, witnesses, solution."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy
from flint import fmpq

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
from derive.graph.sizes import describe, is_scalar
from derive.numbers import arrays
from derive.numbers.rounding import Rounding
from derive.oracle import Kink, Training
from derive.problem import batches
from derive.problem.problem import Problem
from derive.records import dataclass
from derive.solution import elementwise
from derive.solution.asked import Asked, Ratio, asked
from derive.solution.checks import Check, CheckFailed, Witness
from derive.solution.convergence import Convergence, converge
from derive.solution.derivation import Derivation, ReplayError, derive, replay, with_signals
from derive.solution.history import MOST_CERTIFIED, History, data_of
from derive.solution.instance import instance
from derive.solution.jacobian import Chain, chains
from derive.solution.path_sums import path_sums
from derive.solution.values import Balls, Data, Run

if TYPE_CHECKING:
    from derive.solution.further import Further
    from derive.solution.gates import Gates
    from derive.solution.quiz import Questions

MOST_PRODUCTS = 5_000_000  # of two numbers, in one convolution
MOST_NUMBERS = 20_000_000  # entries of one intermediate value


@dataclass(frozen=True)
class Part:
    """A solved problem without parts.

    ``derivation`` is laid out as the problem wishes; ``shape_adjoints`` are the same adjoints in the shape of their
    variables, ratios included. ``run`` holds certified values; ``shown`` is the run that is printed, which carries
    displayed values where the problem wants that. Without numbers there is neither. ``explicit`` and ``paths`` are
    there for small networks. ``batch`` is the network of the first mini-batch, solved like a problem of its own;
    ``opening`` holds the first updates, certified however many there are.
    """

    problem: Problem
    network: Network
    functions: Functions
    asked: Asked
    derivation: Derivation | None
    ratios: Mapping[str, Derivation]
    shape_adjoints: Mapping[Adjoint, Expression]
    chains: Mapping[str, tuple[Chain, ...]]
    run: Run
    shown: Run
    explicit: Explicit | None
    paths: Paths | None
    history: History | None
    training: Training | None
    checks: tuple[Check, ...] = ()
    kinks: tuple[Kink, ...] = ()
    convergence: Convergence | None = None
    gates: Gates | None = None
    quiz: Questions | None = None
    further: Further | None = None
    batch: Part | None = None
    opening: History | None = None
    _written: dict[str, sympy.Expr | None] = field(default_factory=dict, repr=False)

    @property
    def numeric(self) -> bool:
        """Whether there are numbers to put in."""
        return self.network.numeric and not self._symbolic_upstream and self._formulas

    @property
    def _symbolic_upstream(self) -> bool:
        return any(upstream.value is None for upstream in self.problem.ask.upstream)

    @property
    def _formulas(self) -> bool:
        return all(formula is not None for formula in self.problem.functions.values())

    @property
    def rounding(self) -> Rounding:
        """How numbers are shown."""
        return rounding_of(self.problem)

    def written_out(self, top: sympy.Symbol) -> sympy.Expr | None:
        """The loss in terms of data and parameters; ``None`` where that is too long to be of use."""
        key = str(top)
        if key not in self._written and self.explicit is not None:
            written: sympy.Expr | None = top
            for equation in reversed(self.network.equations):
                written = self.explicit.written_out(written, (str(equation.name),))
                if written.count_ops() > elementwise.LONGEST_WHOLE:
                    written = None
                    break
            self._written[key] = written
        return self._written.get(key)

    def ratio(self, text: str) -> Ratio | None:
        """The ratio that was asked for under this text."""
        return next((ratio for ratio in self.asked.ratios if ratio.text == text), None)

    def value_of(self, text: str, bits: int = 128) -> arrays.Array:
        """The certified value of a name, of ``dE/dW2`` or of a ratio. Raises ``ProblemError`` for any other text."""
        if text in self.network.data or text in self._equation_names:
            return self.run.value(text, bits)
        ratio = self.ratio(text)
        second = self.further.second(text) if self.further is not None else None
        if second is not None:
            return second.view.value_of(second.target, bits)
        if ratio is not None and ratio.kind == "jacobian":
            return self._jacobian(ratio, bits)
        if ratio is not None:
            return self.run.value(Adjoint(ratio.of, ratio.by), bits)
        for adjoint in self.shape_adjoints:
            if str(adjoint) == text:
                return self.run.value(adjoint, bits)
        if self.asked.loss is not None and text == f"d{self.asked.loss}/d{self.asked.loss}":
            return arrays.wrap(fmpq(1))
        known = [*self.network.data, *self._equation_names, *map(str, self.shape_adjoints)]
        known += [ratio.text for ratio in self.asked.ratios]
        known += [one.text for one in self.further.seconds] if self.further is not None else []
        raise ProblemError(f"there is no quantity {text!r} in this solution", hint="there are " + ", ".join(known))

    @property
    def _equation_names(self) -> tuple[str, ...]:
        return tuple(str(equation.name) for equation in self.network.equations)

    def _jacobian(self, ratio: Ratio, bits: int) -> arrays.Array:
        """One row for each entry of the upper name, by reverse mode from a unit upstream."""
        shape = tuple(int(size) for size in self.network.shape(ratio.of))
        derivation = self.ratios[ratio.text]
        seed = Adjoint("", ratio.of)
        rows = []
        for index in np.ndindex(*shape):
            unit = arrays.filled(shape, [fmpq(0)] * int(np.prod(shape)))
            unit[index] = fmpq(1)
            equations = dict(self.run.equations)
            equations.update((adjoint, value) for adjoint, value in derivation.adjoints.items())
            run = Run(equations, _with(self.run.data, {seed: unit}), self.run.kind)
            target = Adjoint(ratio.of, ratio.by)
            rows.append(arrays.entries(run.value(target, bits)))
        return arrays.filled((len(rows), len(rows[0])), [entry for row in rows for entry in row])


@dataclass(frozen=True)
class Solution:
    """A problem with all its parts solved and checked."""

    problem: Problem
    parts: tuple[Part, ...]

    def part(self, name: str | None = None) -> Part:
        """The part of that name; the only one where there is no choice. Raises ``ProblemError`` otherwise."""
        if name is None and len(self.parts) == 1:
            return self.parts[0]
        for part in self.parts:
            if part.problem.part == name:
                return part
        known = ", ".join(str(part.problem.part) for part in self.parts)
        raise ProblemError(f"there is no part {name!r}", hint=f"there are {known}")

    @property
    def checks(self) -> tuple[Check, ...]:
        """The checks of all parts."""
        return tuple(check for part in self.parts for check in part.checks)


def solve(problem: Problem) -> Solution:
    """Solves and verifies every part. Raises ``ProblemError`` for bad input, ``CheckFailed`` where two disagree."""
    return Solution(problem, tuple(verified(differentiated(part)) for part in problem.each()))


def rounding_of(problem: Problem) -> Rounding:
    """How a problem wants its numbers shown."""
    convention = problem.convention
    mode: Any = convention.rounding
    if convention.significant is not None:
        return Rounding(digits=None, significant=convention.significant, mode=mode)
    return Rounding(digits=convention.digits, mode=mode, tiny="scientific")


def differentiated(problem: Problem) -> Part:
    """Everything but the checks."""
    network, functions = build(problem), Functions(problem)
    _affordable(problem, network)
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
    kind = Balls(functions)
    where = {e.name: (problem.file, e.line) for e in network.equations}
    data = _data(problem, network)
    unnamed = frozenset(e.name for e in network.equations if e.auto)
    run = Run(equations, data, kind, where=where, unnamed=unnamed)
    carried = problem.convention.carry == "displayed"
    shown = Run(equations, data, kind, carried=rounding_of(problem), where=where, unnamed=unnamed) if carried else run
    small = elementwise.is_small(network)
    explicit = Explicit(network, functions, entry_texts(problem)) if small else None
    tops = tuple(upstream.at for upstream in problem.ask.upstream)
    paths = Paths(explicit, wish.top, tops) if explicit is not None and wish.top is not None else None
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
        problem, network, functions, wish, derivation, ratios, adjoints, _chains(problem, network, functions, wish),
        run, shown, explicit, paths, states, None, batch=first, opening=opening,
    )  # fmt: skip


def verified(part: Part) -> Part:
    """The part with its checks, every one of them passed. Raises ``CheckFailed``."""
    checks: list[Check] = list(_replayed(part))
    kinks: tuple[Kink, ...] = ()
    training = convergence = None
    if part.problem.ask.recursion:
        _has_recursion(part)
    train, loss = part.problem.ask.train, part.asked.loss
    if train is not None and (loss is None or not part.numeric):
        missing = "a loss that is a number" if part.numeric else "numbers for all data and parameters"
        where = part.problem.line("ask", "train")
        raise ProblemError(f"train needs {missing}", file=part.problem.file, line=where)
    if part.numeric:
        for name in part.run.equations:
            part.run.value(name)
        witness = Witness(part)
        kinks = witness.kinks
        checks += [*witness.values(), *witness.gradients(), *witness.ratios(), *witness.updates()]
        training = _training(part, witness)
        if train is not None and loss is not None:
            convergence = converge(witness.oracle, loss, train, part.problem.ask.update)
            checks += witness.first_iteration(convergence)
    else:
        checks += _tried(part)
    first = verified(part.batch) if part.batch is not None else None
    if first is not None:
        checks += first.checks
    checks += [*elementwise.proofs(part), *path_sums(part), *elementwise.substitutions(part)]
    checks += _in_one_formula(part)
    circuit = _gates(part)
    if circuit is not None:
        from derive.solution.gates import agree

        checks += agree(part, circuit)
    answers = None
    if _asks_further(part):
        from derive.solution.further import checks as judged
        from derive.solution.further import further  # only who asks for more pays for it

        answers = further(part)
        checks += judged(part, answers, Witness(part) if part.numeric else None)
    quiz = None
    if part.problem.ask.quiz is not None:
        from derive.solution.quiz import questions

        quiz = questions(part)
    found = {
        "quiz": quiz,
        "further": answers,
        "checks": tuple(checks), "kinks": kinks, "training": training, "convergence": convergence, "gates": circuit,
    }  # fmt: skip
    return Part(**{**part.__dict__, **found})


def _in_one_formula(part: Part) -> Iterator[Check]:
    """The derivative through each normalisation in one formula against that along its steps."""
    if any(equation.step for equation in part.network.equations):
        from derive.solution.fused import checks  # only who normalises pays for it

        yield from checks(part)


def _has_recursion(part: Part) -> None:
    """Raises ``ProblemError`` where a recursion is asked for and there is none to find."""
    from derive.solution.recursion import Recursion  # only who asks for it pays for it

    if not Recursion(part).backward:
        looped = any(statement.loop for statement in part.problem.statements)
        what = "no two steps of the loop go back by the same equations" if looped else "there is no loop"
        raise ProblemError(
            f"recursion = true, and {what}",
            file=part.problem.file,
            line=part.problem.line("ask", "recursion"),
            hint="for t in range(1, 4): h[t] = tanh(x[t] @ U + h[t-1] @ V)",
        )


def _gates(part: Part) -> Gates | None:
    """The computation graph where it is asked for, or where every name is a number and nobody says no."""
    wish = part.problem.ask.graph
    network = part.network
    if wish is None:
        names = (*network.data, *(str(equation.name) for equation in network.equations))
        wish = part.derivation is not None and all(is_scalar(network.shape(name)) for name in names)
    if not wish:
        return None
    from derive.solution.gates import MOST_GATES, UNASKED, gates  # only who sees the graph pays for it

    found = gates(part)
    if found is not None and len(found.network.equations) > UNASKED and not part.problem.ask.graph:
        return None
    if found is None and part.problem.ask.graph:
        raise ProblemError(
            f"graph: the computation graph has more than {MOST_GATES} operations",
            file=part.problem.file,
            line=part.problem.line("ask", "graph"),
        )
    return found


def _asks_further(part: Part) -> bool:
    """Whether anything is asked beyond values, gradients and updates."""
    return part.problem.ask.questions is not None or bool(part.asked.seconds)


def _tried(part: Part) -> Iterator[Check]:
    """Without numbers: the same equations with numbers of all kinds have to pass every check."""
    found = instance(part.problem, part.network)
    top = part.asked.top or (str(part.network.equations[-1].name) if _asks_further(part) else None)
    if found is not None and top is not None:
        problem, sizes = found
        checks = verified(differentiated(problem)).checks
        shown = ", ".join(f"{name} = {size}" for name, size in sizes.items())
        yield Check("instance", f"d{top}", True, f"{len(checks)} checks" + (f" at {shown}" if shown else ""))


def _replayed(part: Part) -> Iterator[Check]:
    derivations = [part.derivation] if part.derivation is not None else []
    for derivation in [*derivations, *part.ratios.values()]:
        try:
            steps = replay(derivation)
        except ReplayError as error:
            raise CheckFailed(f"a check failed, nothing was written: {error}") from None
        yield Check("replay", f"d{derivation.of}", True, str(steps))


def _training(part: Part, witness: Witness) -> Training | None:
    """A run too long to be certified, in doubles."""
    update = part.problem.ask.update
    if update is None or part.history is not None or (part.asked.loss is None and not update.slopes):
        return None
    try:
        return witness.oracle.follow(part.asked.loss, update)
    except ProblemError as error:
        raise error.at(part.problem.file, part.problem.line("ask", "update")) from None


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


def _with(data: Data, more: Mapping[Name, arrays.Array]) -> Data:
    """The same data and some more."""
    return lambda bits: {**data(bits), **more}


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


def _affordable(problem: Problem, network: Network) -> None:
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
    return _with(known, given) if given else known


def entry_texts(problem: Problem) -> dict[str, tuple[str, ...]]:
    """The problem's own names of entries, row by row."""
    return {name: tuple(text for row in rows for text in row) for name, rows in problem.names.items()}

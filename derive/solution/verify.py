"""A part with its checks, every one of them passed: the gate that nothing unverified gets through."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from derive.errors import ProblemError
from derive.graph.sizes import is_scalar
from derive.oracle import Kink, Training
from derive.solution import elementwise
from derive.solution.checks import Check, Witness
from derive.solution.convergence import converge
from derive.solution.differentiate import differentiated
from derive.solution.instance import instance
from derive.solution.part import Part
from derive.solution.path_sums import path_sums
from derive.solution.shown import Shown

if TYPE_CHECKING:
    from derive.solution.gates import Gates


def verified(part: Part, shown: Shown | None = None) -> Part:
    """The part with its checks, every one of them passed. Raises ``CheckFailed``.

    ``shown`` is what has been shown of the same formulas for all numbers; everything about numbers is checked here.
    """
    shown = shown or Shown(part)
    checks: list[Check] = list(shown.replayed)
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
    checks += [*elementwise.proofs(part, shown.entries), *path_sums(part), *elementwise.substitutions(part)]
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


def _training(part: Part, witness: Witness) -> Training | None:
    """A run too long to be certified, in doubles."""
    update = part.problem.ask.update
    if update is None or part.history is not None or (part.asked.loss is None and not update.slopes):
        return None
    try:
        return witness.oracle.follow(part.asked.loss, update)
    except ProblemError as error:
        raise error.at(part.problem.file, part.problem.line("ask", "update")) from None

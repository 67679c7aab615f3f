"""What a problem asks for: the loss, the names to differentiate by, and ratios such as ``do/dz_o``."""

from __future__ import annotations

from derive.errors import ProblemError
from derive.graph.network import Network
from derive.graph.ops import OPS
from derive.graph.sizes import describe, is_scalar
from derive.problem.ask import RATIO
from derive.problem.problem import Problem
from derive.problem.questions import SECOND
from derive.records import dataclass


@dataclass(frozen=True, slots=True)
class Ratio:
    """d ``of`` / d ``by`` for two names, ``of`` not being the loss.

    ``kind`` is ``"gradient"`` for a scalar ``of`` and ``"elementwise"`` where each entry depends on its own entry alone
    (both have the shape of ``by``), else ``"jacobian"`` (entries of ``of`` by entries of ``by``, both row by row).
    """

    text: str
    of: str
    by: str
    kind: str


@dataclass(frozen=True, slots=True)
class Asked:
    """``loss`` is ``None`` where only values are wanted; ``top`` is the name adjoints are derivatives of."""

    loss: str | None
    top: str | None
    gradients: tuple[str, ...]
    ratios: tuple[Ratio, ...]
    seconds: tuple[str, ...] = ()


def asked(problem: Problem, network: Network) -> Asked:
    """The wishes of a problem, checked against its network. Raises ``ProblemError`` for a loss that is no scalar."""
    ask = problem.ask
    last = str(network.equations[-1].name) if network.equations else ""
    loss = ask.loss or last
    scalar = bool(loss) and is_scalar(network.shape(loss))
    parameters = tuple(name for name, datum in network.data.items() if datum.role == "parameter")
    wish = ask.gradients
    if wish is None:
        given = ask.update is not None and bool(ask.update.slopes)
        wish = "parameters" if parameters and (scalar or ask.upstream) and not given else ()
    if wish == "parameters":
        names: tuple[str, ...] = parameters
        if not names:
            raise ProblemError(
                'gradients = "parameters", but there are no parameters',
                file=problem.file,
                line=problem.line("ask", "gradients"),
                hint='name them, as in gradients = ["x"], or put numbers under [parameters]',
            )
    elif wish == "all":
        equations = tuple(str(e.name) for e in network.equations if not e.auto and e.name != loss)
        data = (name for name in network.data if name not in parameters and name not in network.class_numbers)
        names = (*parameters, *data, *equations)
        if ask.upstream:
            above = frozenset().union(*(network.ancestors(upstream.at) for upstream in ask.upstream))
            names = tuple(name for name in names if name in above)
    else:
        names = tuple(wish)
    plain: list[str] = []
    ratios: list[Ratio] = []
    seconds = tuple(name for name in names if SECOND.fullmatch(name))
    for name in names:
        if name in seconds:
            continue
        match = RATIO.fullmatch(name)
        if match is None:
            plain.append(name)
        elif match[1] == (ask.upstream[0].of if ask.upstream else loss) and (scalar or ask.upstream):
            plain.append(match[2])
        else:
            ratios.append(_ratio(network, name, match[1], match[2]))
    if ask.update is not None:
        if ask.update.batches is None and not ask.update.slopes:
            plain += [name for name in ask.update.rates if name not in plain]
        for shown in ask.update.show:
            match = RATIO.fullmatch(shown)
            if match is not None and match[1] == loss:
                plain.append(match[2])
    for name in plain:
        if name in network.class_numbers:
            raise ProblemError(
                f"{name} holds class numbers; there is no gradient by them",
                file=problem.file,
                line=problem.line("ask", "gradients"),
            )
    for number, upstream in enumerate(ask.upstream):
        at, shape = upstream.at, network.shape(upstream.at)
        if upstream.value is not None and upstream.value.shape != shape:
            raise ProblemError(
                f"the upstream at {at} is {describe(upstream.value.shape)}, and {at} is {describe(shape)}",
                file=problem.file,
                line=problem.line("ask", "upstream", str(number)) or problem.line("ask", "upstream"),
            )
    needs_loss = bool(plain) and not ask.upstream
    of_samples = ask.update is not None and ask.update.batches is not None
    if (needs_loss or of_samples) and not loss:
        raise ProblemError("there is no equation, and so no loss to differentiate", file=problem.file)
    if (needs_loss or of_samples) and not scalar:
        raise ProblemError(
            f"the loss {loss} is {describe(network.shape(loss))}, not a scalar",
            file=problem.file,
            line=problem.line("ask", "loss") if ask.loss else network.equation(loss).line,
            hint="add up its entries, name a scalar under [ask] loss, or ask for a ratio of two names",
        )
    top = ask.upstream[0].of if ask.upstream else loss if needs_loss else None
    return Asked(
        loss if scalar and not ask.upstream else None, top, tuple(dict.fromkeys(plain)), tuple(ratios), seconds
    )


def _ratio(network: Network, text: str, of: str, by: str) -> Ratio:
    if is_scalar(network.shape(of)):
        return Ratio(text, of, by, "gradient")
    return Ratio(text, of, by, "elementwise" if elementwise_between(network, of, by) else "jacobian")


def elementwise_between(network: Network, of: str, by: str) -> bool:
    """Whether every equation from ``by`` to ``of`` acts entry by entry on operands of one size."""
    between = network.descendants((by,)) & network.ancestors(of)
    shape = network.shape(of)
    if by not in between or any(network.shape(name) != shape for name in between):
        return False
    for name in between - {by}:
        for node in network.equation(name).value.nodes():
            touched = any(used in between for used in node.names())
            if node.op != "name" and touched and not (OPS[node.op].elementwise and node.shape == shape):
                return False
    return True

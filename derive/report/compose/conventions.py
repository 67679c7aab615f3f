"""Conventions that a reader of the problem could take otherwise, stated from the equations.

The factor and the reduction of the loss, the order of a weight's indices, the sign of an error signal, the base of a
logarithm: many published questions leave them open, and another choice gives other numbers.
"""

from __future__ import annotations

from collections.abc import Iterator

from flint import fmpq

from derive.graph.expression import Expression
from derive.graph.network import Network
from derive.graph.sizes import count, is_scalar
from derive.problem.language import walk
from derive.problem.syntax import Call
from derive.report.compose.sheet import Sheet
from derive.report.document import Math, Spans, Text
from derive.report.notation.cells import number
from derive.report.notation.orientation import orders

NATURAL = ("log", "log_softmax", "cross_entropy", "binary_cross_entropy", "softplus", "logdet")


def of_the_loss(sheet: Sheet) -> Iterator[Spans]:
    """The factor in front of the loss and what is added up or averaged in it."""
    loss, network = sheet.part.asked.loss, sheet.part.network
    if loss is None or sheet.part.derivation is None:
        return
    factor, names, core = _peeled(network.equation(loss).value)
    factor = abs(factor)  # the minus of a logarithm is no factor
    places = {"loss": sheet.math(loss)}
    if core.op == "cross_entropy":
        logits, (axis, reduction) = core.args[0], core.at[:2]
        samples = logits.shape[1 - axis]
        if samples != 1:
            yield sheet.words.say(f"conventions.samples_{reduction}", **places, **_with(sheet, factor))
        return
    if core.op == "sum" and core.at[0] is None and not is_scalar(core.args[0].shape):
        size, letters = count(core.args[0].shape)
        if _averages(sheet, loss) and sorted(letters) == sorted(names):
            yield sheet.words.say("conventions.loss_mean", **places, **_with(sheet, factor * size))
        elif not names:
            yield sheet.words.say("conventions.loss_sum", **places, **_with(sheet, factor))
    elif not names and _squared_error(core, network):
        yield sheet.words.say("conventions.loss_factor", **places, **_with(sheet, factor))


def _squared_error(node: Expression, network: Network) -> bool:
    """The square of a difference of two single numbers, be the difference named or not."""
    if node.op == "sum":
        node = node.args[0]
    if node.op != "power" or node.at[0] != 2:
        return False
    base = node.args[0]
    if base.op == "name" and str(base.name) not in network.data:
        base = network.equation(str(base.name)).value
    return base.op == "add" and any(
        term.op == "multiply" and term.args[0].op == "constant" and term.args[0].number < 0 for term in base.args
    )


def _averages(sheet: Sheet, name: str) -> bool:
    """Whether the problem says ``mean``: half a sum over two entries is a sum."""
    written = [s.expression for s in sheet.part.problem.statements if s.name == name]
    return any(isinstance(node, Call) and node.function == "mean" for top in written for node in walk(top))


def _with(sheet: Sheet, factor: fmpq) -> dict[str, Spans]:
    """``, with the factor 1/2``; or that there is none."""
    if factor == 1:
        return {"factor": (Text(sheet.words.text("conventions.no_factor")),)}
    return {"factor": sheet.words.say("conventions.factor", value=Math(number(factor).text))}


def _peeled(node: Expression) -> tuple[fmpq, list[str], Expression]:
    """The number in front, the sizes that divide, and what is left."""
    factor, names = fmpq(1), list[str]()
    while True:
        if node.op == "multiply":
            rest = []
            for arg in node.args:
                if arg.op == "constant":
                    factor *= arg.number
                elif arg.op == "divide" and arg.args[0].op == "constant" and arg.args[1].op == "size":
                    factor *= arg.args[0].number
                    names.append(str(arg.args[1].at[0]))
                else:
                    rest.append(arg)
            if len(rest) != 1 or len(rest) == len(node.args):
                return factor, names, node
            node = rest[0]
        elif node.op == "divide" and node.args[1].op in ("constant", "size"):
            if node.args[1].op == "constant":
                factor /= node.args[1].number
            else:
                names.append(str(node.args[1].at[0]))
            node = node.args[0]
        else:
            return factor, names, node


def of_indices(sheet: Sheet) -> Iterator[Spans]:
    """What the first index of a weight stands for, where entries of weights are named."""
    network, problem = sheet.part.network, sheet.part.problem
    plain = {
        name: order
        for name, order in orders(network).items()
        if name not in problem.names and all(size != 1 for size in network.shape(name))
    }
    if sheet.part.explicit is None or not plain:
        return
    wanted = problem.convention.index_order
    for order in dict.fromkeys([wanted] if wanted is not None else plain.values()):
        yield sheet.words.say(f"conventions.index_{order.replace('-', '_')}")


def of_labels(sheet: Sheet) -> Iterator[Spans]:
    """What is assumed of labels that have no numbers."""
    network = sheet.part.network
    if network.assumed and sheet.part.asked.top is not None:
        yield sheet.words.say("conventions.labels_add_up", labels=sheet.listed(network.assumed))


def of_signals(sheet: Sheet) -> Iterator[Spans]:
    """The sign of the error signals."""
    questions = sheet.part.problem.ask.questions
    if questions is None or not questions.delta or sheet.part.derivation is None:
        return
    name = next(iter(questions.delta))
    adjoint = sheet.adjoint(name)
    signal = sheet.signal(adjoint)
    assert signal is not None
    fraction = Math(sheet.symbols.partial(sheet.symbols.name(adjoint.of), sheet.symbols.name(name)))
    sign = sheet.part.problem.convention.delta_sign
    yield sheet.words.say(f"conventions.delta_{sign}", delta=sheet.math(signal), derivative=fraction)


def of_logarithms(sheet: Sheet) -> Iterator[Spans]:
    """The base of every logarithm that occurs."""
    used = {node.op for equation in sheet.part.network.equations for node in equation.value.nodes()}
    natural = bool(used & set(NATURAL))
    if "log2" in used:
        yield sheet.words.say(
            "conventions.log_both" if natural else "conventions.log_two", two=Math(r"\log_2"), log=Math(r"\log")
        )
    elif natural:
        yield sheet.words.say("conventions.log_natural", log=Math(r"\log"))

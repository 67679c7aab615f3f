"""Why a derivative is what it is: one sentence for each rule, and for a name of several uses one for each path."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from derive.graph.expression import Adjoint, Expression, is_constant
from derive.graph.naming import is_quadratic
from derive.graph.ops import FUNCTIONS
from derive.graph.ops.windows import CONVOLUTIONS
from derive.graph.sizes import is_scalar
from derive.report.compose.sheet import Sheet
from derive.report.document import Block, Items, Math, Paragraph, Spans
from derive.solution.derivation import Derivation, Step, in_normal_form


def explained(sheet: Sheet, derivation: Derivation, steps: Sequence[Step]) -> Iterator[Block]:
    """The sentences as paragraphs; of several paths each with the term that it hands back."""
    for step in steps:
        if step.rule != "chain" or len(step.steps) < 2:
            for sentence in reasons(sheet, (step,)):
                yield Paragraph(sentence)
            continue
        assert isinstance(step.quantity, Adjoint)
        name = derivation.adjoint(step.quantity.by)
        gathered = sheet.recursion.sum_over_time(name) if sheet.recursion is not None else None
        if gathered is None:
            yield from _path_by_path(sheet, derivation, step, tuple(step.steps))
            continue
        from derive.report.compose.recursion import any_step  # only who has a loop pays for it

        by = sheet.math(step.quantity.by)
        inside = [path for path in step.steps if path.why and path.why[0].endswith("]")]
        via = Math(any_step(sheet, inside[0].why[0]))
        said = sheet.words.say("chain.every_step", by=by, via=via)
        yield Paragraph(sheet.words.sentences((said, _reason(sheet, inside[0], by, 0, via))))
        rest = tuple(path for path in step.steps if path not in inside)
        if rest:
            yield from _path_by_path(sheet, derivation, step, rest)


def _path_by_path(sheet: Sheet, derivation: Derivation, step: Step, paths: Sequence[Step]) -> Iterator[Block]:
    """Which way gives which term."""
    assert isinstance(step.quantity, Adjoint)
    by, words = sheet.math(step.quantity.by), sheet.words
    through = tuple(dict.fromkeys(path.why[0] for path in paths if path.why))
    if len(paths) == len(step.steps):
        if len(through) > 1:
            yield Paragraph(words.say("chain.several", by=by, via=sheet.listed(through)))
        elif len(through) == 1:
            yield Paragraph(words.say("chain.twice", by=by, via=sheet.math(through[0])))
    items: list[Spans] = []
    uses: dict[str, int] = {}
    for path in paths:
        term = Math(sheet.letters.text(in_normal_form(path.after, derivation, sheet.named)))
        if not path.why:
            items.append(words.say("backward.known", derivative=sheet.math(step.quantity)))
            continue
        via = path.why[0]
        uses[via] = uses.get(via, -1) + 1
        sentence = _reason(sheet, path, by, uses[via])
        items.append(words.sentences((words.say("chain.path", via=sheet.math(via), term=term), sentence)))
    yield Items(tuple(items))


def reasons(sheet: Sheet, steps: Sequence[Step]) -> Iterator[Spans]:
    """The sentences of the rules that were used, the chain rule's first."""
    for step in steps:
        by = sheet.math(step.quantity.by) if isinstance(step.quantity, Adjoint) else sheet.math(step.quantity)
        of = sheet.math(step.quantity.of) if isinstance(step.quantity, Adjoint) else by
        if step.rule == "known":
            yield sheet.words.say("backward.known", derivative=sheet.math(step.quantity))
        elif step.rule == "independent":
            yield sheet.words.say("backward.independent", loss=of, by=by)
        elif step.rule == "chain":
            said: dict[Spans, None] = {}
            if len(step.why) > 1:
                said[sheet.words.say("chain.several", by=by, via=sheet.listed(step.why))] = None
            uses: dict[str, int] = {}
            for path in step.steps:
                if path.why:
                    uses[path.why[0]] = uses.get(path.why[0], -1) + 1
                sentence = (
                    _reason(sheet, path, by, uses[path.why[0]])
                    if path.why
                    else sheet.words.say("backward.known", derivative=sheet.math(step.quantity))
                )
                said[sentence] = None
            yield sheet.words.sentences(said)


def _reason(sheet: Sheet, path: Step, by: Math, use: int, through: Math | None = None) -> Spans:
    """The sentence of one pullback: the operation nearest to the name decides; sums and constant factors do not.

    ``use`` counts the places of the name in the equation, from the left. ``through`` is what the equation is called,
    where it stands for those of all steps of a loop.
    """
    assert isinstance(path.quantity, Adjoint)
    network, name = sheet.part.network, path.quantity.by
    via = path.why[0]
    nodes = list(_ways(network.equation(via).value, name))[use]
    telling = [node for node in nodes if node.op != "sum" and not _passes(node, name)]
    places = {"via": through or sheet.math(via), "by": by}
    if not telling:
        summed = any(node.op == "sum" for node in nodes)
        shared = network.shape(via) != network.shape(name) and not is_scalar(network.shape(via))
        key = "sum" if summed else "add_shared" if shared else "add"
        factors = [arg for node in nodes if node.op == "multiply" for arg in node.args if name not in arg.names()]
        if key == "add" and factors:
            negated = all(is_constant(factor, -1) for factor in factors) and len(factors) % 2
            key = "negated" if negated else "multiple"
        return sheet.words.say(f"chain.{key}", **places)
    node = telling[-1]
    key = node.op
    if key == "transpose" and len(telling) > 1 and telling[-2].op == "matmul":
        node, key = telling[-2], "matmul_transposed"
    if key.startswith("matmul") and _quadratic(telling, name):
        key = "quadratic"
    if key == "trace":
        places |= {"unit": Math("I")}
    if key in FUNCTIONS:
        symbol, slope = sheet.symbols.function(key, node.at), sheet.symbols.slope(key, node.at)
        key = "function_scalar" if is_scalar(node.shape) else "function"
        places |= {"function": Math(symbol), "slope": Math(f"{slope}({by.latex})")}
    if key in CONVOLUTIONS:
        image = name in node.args[0].names()
        key = ("conv_signal" if key == "conv1d" else "conv_image") if image else "conv_filter"
        places["x"] = Math(sheet.letters.text(node.args[0]))
    if key == "matmul" and node.args[0].op == "one_hot":
        key = "embedding"
    if key == "matmul" and sheet.part.problem.convention.layout == "numerator":
        key = "matmul_numerator"
    if key == "cross_entropy" and not network.sums_to_one(*_labels(node)):
        key = "cross_entropy_any"
    return sheet.words.say(f"chain.{key}", **places)


def _quadratic(nodes: Sequence[Expression], name: str) -> bool:
    """Whether a name stands on both sides of a matrix, as in x^T A x."""
    return any(node.op == "matmul" and is_quadratic(node) and name in node.args[1].names() for node in nodes)


def _ways(node: Expression, name: str) -> Iterator[list[Expression]]:
    """The operations between an equation and each place of a name in it, from the left, the name's own last."""
    if node.op == "name":
        if node.name == name:
            yield []
        return
    for arg in node.args:
        for below in _ways(arg, name):
            yield [node, *below]


def _passes(node: Expression, name: str) -> bool:
    """Whether an operation hands the derivative on, but for a number: a sum, a constant factor."""
    if node.op == "multiply":
        others = [arg for arg in node.args if name not in arg.names()]
        alone = len(others) == len(node.args) - 1  # x times a function of x is a product of two factors
        return alone and all(arg.op in ("constant", "size", "divide") and not arg.names() for arg in others)
    return node.op == "add"


def _labels(node: Expression) -> tuple[str, int]:
    """The labels of a cross-entropy, and the axis along which they should add up to 1."""
    return str(node.args[1].at[0]) if node.args[1].op == "name" else "", node.at[0]

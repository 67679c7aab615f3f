"""From one sample to N: the same equations with a row for each sample, rebuilt and differentiated anew.

Nothing is typed in: the network is built again with x of N rows, and the engine derives the gradients for it. What the
loss does with several rows (add up, average) is found out on numbers. The witness is the other engine, sample by
sample: the gradient of the batch has to be the sum, or the mean, of the gradients of its samples.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from flint import fmpq

from derive.calculus.functions import Functions
from derive.errors import ProblemError
from derive.graph import build, ops
from derive.graph.expression import Adjoint, Expression, Name, constant, leaf
from derive.graph.network import Equation, Network
from derive.graph.sizes import is_scalar
from derive.numbers import arrays
from derive.numbers.tensor import Tensor
from derive.oracle import Oracle
from derive.problem.problem import Problem, Size
from derive.problem.questions import Batch
from derive.records import dataclass
from derive.solution.checks import RELATIVE, Check, require
from derive.solution.derivation import Derivation, derive, with_signals
from derive.solution.history import data_of
from derive.solution.instance import instance
from derive.solution.part import Part
from derive.solution.values import Balls, Run
from derive.solution.view import refused, view

TRIED = 3  # samples of the batch that is tried on numbers
SEED = 20240901


@dataclass(frozen=True)
class Rows:
    """``of`` are the names with a row (``axis`` 0) or a column (1) for each sample, ``derivation`` the batch's.

    ``kind`` says what the loss as it stands does with several rows: ``"sum"``, ``"mean"``, ``"each"`` (it has a row for
    each, and these are added up first), ``"other"`` (neither; a penalty term does that) or ``""`` (no loss).
    """

    label: str
    size: str
    of: tuple[str, ...]
    reduction: str
    kind: str
    view: Part
    derivation: Derivation
    axis: int = 0


def rows(part: Part) -> Rows | None:
    """The batch that is asked for. Raises ``ProblemError`` where the equations do not hold for several rows."""
    questions = part.problem.ask.questions
    wish = questions.batch if questions is not None else None
    if wish is None:
        return None
    if part.derivation is None:
        raise refused(part, "batch", "batch: no gradient is asked for, so there is nothing to restate")
    of, axis = _samples(part, wish)
    kind = _kind(part, of, axis)
    network = _network(part, part.problem, wish, of, wish.size, kind, axis)
    functions = Functions(part.problem)
    seeds = None
    if part.problem.ask.upstream:
        seeds = {u.at: leaf(Adjoint(u.of, u.at), network.shape(u.at)) for u in part.problem.ask.upstream}
    layout = part.problem.convention.layout
    derivation = derive(network, functions, part.derivation.of, part.asked.gradients, layout=layout, seeds=seeds)
    if part.derivation.signals:
        derivation = with_signals(derivation, part.derivation.signals)
    seen = view(part, network, problem=_symbolic(part.problem, network))
    seen = Part(**{**seen.__dict__, "derivation": derivation, "asked": part.asked})
    return Rows("batch", wish.size, of, wish.reduction, kind, seen, derivation, axis)


def _samples(part: Part, wish: Batch) -> tuple[tuple[str, ...], int]:
    """The names that get a row (or a column) for each sample, and which of the two.

    Raises ``ProblemError`` for one that is neither a single row nor a single column.
    """
    network = part.network
    for axis in (0, 1):
        if wish.of is not None:
            found = tuple(name for name in wish.of if _is_single(network.shape(name) or (1, 1), axis))
            if len(found) == len(wish.of):
                return found, axis
        else:
            given = (name for name, datum in network.data.items() if datum.role == "given")
            found = tuple(name for name in given if _is_single(network.shape(name), axis))
            if found:
                return found, axis
    if wish.of is not None:
        name = next(name for name in wish.of if not _is_single(network.shape(name) or (1, 1), 0))
        raise refused(part, "batch", f"batch: {name} is no row of a single sample, and not all of them are columns")
    raise refused(
        part,
        "batch",
        "batch: no data of [given] are a single row or column",
        hint='say which names have a row for each sample: batch = { size = "N", of = ["x", "t"] }',
    )


def _is_single(shape: tuple[Size, ...], axis: int) -> bool:
    return len(shape) == 2 and shape[axis] == 1


def _network(
    part: Part, problem: Problem, wish: Batch, of: tuple[str, ...], size: Size, kind: str, axis: int
) -> Network:
    """The network for ``size`` rows (columns), its loss reduced as is wished."""
    try:
        network = build(_symbolic(problem, part.network, dict.fromkeys(of, size), axis))
    except ProblemError as error:
        raise refused(part, "batch", f"batch: the equations do not hold for several rows: {error.message}") from None
    loss = part.asked.loss
    if loss is None:
        for upstream in problem.ask.upstream:
            if network.shape(upstream.at) == part.network.shape(upstream.at):
                raise refused(part, "batch", f"batch: {upstream.at} does not have a row for each sample")
        return network
    return _reduced(network, loss, _factor(size, kind, wish.reduction))


def _factor(size: Size, kind: str, reduction: str) -> Expression | None:
    """What the loss as it stands is multiplied by."""
    number = constant(size) if isinstance(size, int) else Expression("size", (), (size,), ())
    if kind in ("sum", "each") and reduction == "mean":
        return ops.divide(constant(1), number) if isinstance(size, str) else constant(fmpq(1, size))
    return number if kind == "mean" and reduction == "sum" else None


def _reduced(network: Network, loss: str, factor: Expression | None) -> Network:
    def changed(equation: Equation) -> Equation:
        if equation.name != loss:
            return equation
        value = equation.value if is_scalar(equation.value.shape) else ops.total(equation.value)
        return replace(equation, value=value if factor is None else ops.multiply(factor, value))

    return replace(network, equations=tuple(map(changed, network.equations)))


def _symbolic(problem: Problem, network: Network, rows: Mapping[str, Size] | None = None, axis: int = 0) -> Problem:
    """The problem with sizes in place of numbers, labels as rows; some of the sizes changed."""
    shapes = {name: datum.shape for name, datum in network.data.items()}
    for name, size in (rows or {}).items():
        height, width = shapes[name] or (1, 1)  # a number of a sample is a row of one entry
        shapes[name] = (size, width) if axis == 0 else (height, size)
    upstream = tuple(replace(one, value=None) for one in problem.ask.upstream)
    ask = replace(problem.ask, upstream=upstream)
    return replace(problem, given={}, parameters={}, shapes=shapes, ask=ask)


# ── on numbers ──────────────────────────────────────────────────────────────────────────────────────────────────


def _kind(part: Part, of: tuple[str, ...], axis: int) -> str:
    """What the loss as it stands does with several rows."""
    loss, base = part.asked.loss, _numeric(part)
    if loss is None:
        return ""
    if base is None:
        raise refused(part, "batch", "batch: the sizes are too large for the batch to be tried on numbers")
    singles = [Oracle(one).forward()[loss] for one in _singles(base, of, axis)]
    whole = _whole(base, of, axis)
    try:
        literal = Oracle(whole).forward()[loss]
    except ProblemError as error:
        raise refused(part, "batch", f"batch: the equations do not hold for several rows: {error.message}") from None
    total = float(np.sum(singles))
    if np.size(literal) != 1:
        return "each"
    value = float(np.sum(literal))
    if abs(value - total) <= RELATIVE * (abs(value) + abs(total)):
        return "sum"
    return "mean" if abs(value * TRIED - total) <= RELATIVE * (abs(value * TRIED) + abs(total)) else "other"


def _numeric(part: Part) -> Problem | None:
    """The problem itself, or with numbers for everything."""
    if part.numeric:
        return part.problem
    found = instance(part.problem, part.network)
    return None if found is None else found[0]


def _samples_of(name: str, network: Network, axis: int) -> list[tuple[fmpq, ...]]:
    """The rows of the tried batch: the problem's own, and seeded ones; of labels its classes in turn."""
    datum = network.data[name]
    assert datum.tensor is not None
    own = tuple(datum.tensor.entries)
    if name in network.labels or network.sums_to_one(name, 1 - axis):
        return [own[k:] + own[:k] for k in range(TRIED)]
    draws = np.random.default_rng(SEED + len(name)).integers(1, 90, size=(TRIED - 1, len(own))).tolist()
    return [own, *(tuple(fmpq(draw, 97) for draw in row) for row in draws)]


def _singles(base: Problem, of: tuple[str, ...], axis: int) -> list[Problem]:
    """One problem for each sample."""
    network = build(base)
    found = {name: _samples_of(name, network, axis) for name in of}
    return [_with_rows(base, {name: [found[name][k]] for name in of}, axis) for k in range(TRIED)]


def _whole(base: Problem, of: tuple[str, ...], axis: int) -> Problem:
    """The batch of all of them."""
    network = build(base)
    return _with_rows(base, {name: _samples_of(name, network, axis) for name in of}, axis)


def _with_rows(base: Problem, chosen: Mapping[str, list[tuple[fmpq, ...]]], axis: int) -> Problem:
    changed: dict[str, Tensor] = {}
    for name, lines in chosen.items():
        changed[name] = _beside([Tensor.of((1, len(line)), line) for line in lines], axis)
    given = {name: changed.get(name, tensor) for name, tensor in base.given.items()}
    parameters = {name: changed.get(name, tensor) for name, tensor in base.parameters.items()}
    ask = replace(
        base.ask, upstream=tuple(replace(one, value=_stacked(one.value, chosen, axis)) for one in base.ask.upstream)
    )
    return replace(base, given=given, parameters=parameters, ask=ask)


def _beside(lines: list[Tensor], axis: int) -> Tensor:
    """Lines of entries as the rows of a matrix, or as its columns."""
    count, width = len(lines), len(lines[0].entries)
    if axis == 0:
        return Tensor.of((count, width), (entry for line in lines for entry in line.entries))
    return Tensor.of((width, count), (line.entries[k] for k in range(width) for line in lines))


def _stacked(value: Tensor | None, chosen: Mapping[str, list[tuple[fmpq, ...]]], axis: int) -> Tensor | None:
    """The known upstream of each sample, the same for all of them."""
    count = len(next(iter(chosen.values())))
    return value if value is None or count == 1 else _beside([value] * count, axis)


def checks(part: Part, found: Rows | None) -> Iterator[Check]:
    """Every gradient of the tried batch against those of its samples, by the other engine."""
    if found is None:
        return
    base = _numeric(part)
    if base is None:
        return
    loss = part.asked.loss
    whole = _whole(base, found.of, found.axis)
    network = build(whole)
    if loss is not None:
        network = _reduced(network, loss, _factor(TRIED, found.kind, found.reduction))
    run = _run(part, whole, network)
    singles = [_gradients(one, loss) for one in _singles(base, found.of, found.axis)]
    averaged = loss is not None and (found.reduction == "mean" if found.kind in ("sum", "each", "mean") else False)
    if found.kind == "other":
        singles = []
    for name in part.asked.gradients:
        if not singles or name not in singles[0] or (name not in network.data):
            continue
        ours = arrays.to_floats(run(name))
        per = [single[name] for single in singles]
        theirs = np.concatenate(per, axis=found.axis) if name in found.of else np.sum(per, axis=0)
        theirs = theirs / TRIED if averaged else theirs
        text = f"d{part.derivation.of}/d{name}" if part.derivation is not None else name
        scale = float(np.max(np.abs(ours), initial=0.0))
        gap = float(np.max(np.abs(ours - theirs), initial=0.0))
        yield require(
            Check("batch", text, gap <= RELATIVE * scale + 1e-12, f"{RELATIVE:.0e}"),
            f"{text} of {TRIED} samples is {ours.ravel()}, sample by sample it is {theirs.ravel()}",
        )


def _gradients(one: Problem, loss: str | None) -> dict[str, Any]:
    """Of a single sample, by the other engine's back-propagation."""
    oracle = Oracle(one)
    if loss is not None:
        return oracle.backprop(loss)
    known = {u.at: arrays.to_floats(arrays.from_tensor(u.value)) for u in one.ask.upstream if u.value is not None}
    return oracle.backprop(known)


def _run(part: Part, whole: Problem, network: Network) -> Any:
    """The certified gradients of the tried batch."""
    assert part.derivation is not None
    functions = Functions(whole)
    seeds = {u.at: leaf(Adjoint(u.of, u.at), network.shape(u.at)) for u in whole.ask.upstream} or None
    derivation = derive(network, functions, part.derivation.of, part.asked.gradients, seeds=seeds)
    equations: dict[Any, Expression] = {e.name: e.value for e in network.equations}
    equations |= {a: v for a, v in derivation.adjoints.items() if v != leaf(a, v.shape)}
    ours = data_of(network)
    known: dict[Name, Any] = {
        Adjoint(u.of, u.at): arrays.from_tensor(u.value) for u in whole.ask.upstream if u.value is not None
    }
    run = Run(equations, lambda bits: {**ours(bits), **known}, Balls(functions))
    return lambda name: run.value(Adjoint(derivation.of, name))

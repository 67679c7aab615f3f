"""Updates as JSON: the last change, the parameters after it, what the rule remembers, and the entries of the history.

An entry for a state has ``step`` and what is seen there: the loss of the whole data, values, gradients. An entry for a
single update (``each = "update"``) has ``update``, ``pass`` and ``rows`` (from 0), and what that update finds in these
rows before it moves anything; parameters that are shown stand in it once more, as the update leaves them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from derive.graph import ops
from derive.graph.expression import Adjoint, Name, constant, leaf
from derive.oracle import Entry, Training
from derive.problem import batches
from derive.problem.rules import RULES
from derive.report.result import double, doubles, numbers
from derive.solution import Part
from derive.solution.history import History, Move, change
from derive.solution.rules import after, remembered
from derive.solution.values import Run


def certified(part: Part, history: History) -> dict[str, Any]:
    """The certified run."""
    update, end = history.update, history.runs[-1]
    entries = []
    for k, run in enumerate(history.runs):
        if k and update.batches is not None and update.batches.each:
            entries += [_move(part, move) for move in history.moves if move.lap == k and _kept(part, move.number)]
        if k % update.every == 0 or k == len(history.runs) - 1:
            entries.append({"step": k, **_seen(part, run)})
    return {
        "change": {name: numbers(partial(_change, part, history, name)) for name in update.rates},
        "updated": {name: numbers(partial(end.value, name)) for name in update.rates},
        **_memory(history),
        "history": entries,
    }


def in_doubles(part: Part, training: Training) -> dict[str, Any]:
    """A run that is too long to be certified."""
    state = {
        name: {key: doubles(value) for key, value in values.items()}
        for name, values in training.state.items()
        if values
    }
    return {
        "updated": {name: doubles(value) for name, value in training.parameters.items()},
        **({"t": _count(part), "state": state} if state else {}),
        "history": [_entry(entry) for entry in training.history],
    }


def _count(part: Part) -> int:
    """How many updates there have been in all."""
    update = part.problem.ask.update
    return 0 if update is None else update.t + batches.count(update)


def _entry(entry: Entry) -> dict[str, Any]:
    loss = {} if entry.loss is None else {"loss": double(entry.loss)}
    where: dict[str, Any] = {"step": entry.step}
    if entry.rows:
        where = {"update": entry.step, "pass": entry.number, "rows": list(entry.rows)}
    return {
        **where,
        **loss,
        "certified": False,
        **_shown(
            {k: doubles(v) for k, v in entry.values.items()},
            {k: doubles(v) for k, v in entry.gradients.items()},
        ),
    }


def _change(part: Part, history: History, name: str, bits: int) -> Any:
    """What the last update added to a parameter."""
    update, last = history.update, history.moves[-1]
    rate = update.rates[name]
    if update.plain or rate == 0:
        run = last.slopes if update.plain else last.found
        assert run is not None
        if rate != 0:
            return run.expression(change(part.network, history.loss, name, rate), bits)
        return run.expression(ops.multiply(constant(0), leaf(name, part.network.shape(name))), bits)
    shape = part.network.shape(name)
    return last.rule.expression(ops.subtract(leaf(after(name), shape), leaf(name, shape)), bits)


def _memory(history: History) -> dict[str, Any]:
    """What the rule remembers at the end, and how many updates that is after."""
    update, last = history.update, history.moves[-1]
    state = {
        name: {
            parameter: numbers(partial(last.rule.value, after(remembered(name, parameter))))
            for parameter in update.moving
        }
        for name in RULES[update.rule].state
    }
    return {"t": last.t, "state": state} if state else {}


def _kept(part: Part, number: int) -> bool:
    update = part.problem.ask.update
    return update is not None and number % update.every == 0


def _move(part: Part, move: Move) -> dict[str, Any]:
    update = part.problem.ask.update
    assert update is not None
    left = {text: numbers(partial(move.rule.value, after(text))) for text in update.show if text in update.moving}
    return {
        "update": move.number,
        "pass": move.lap,
        "rows": list(move.rows),
        **_seen(part, move.found),
        **({"updated": left} if left else {}),
    }


def _seen(part: Part, run: Run) -> dict[str, Any]:
    """Loss, values and gradients of a state."""
    update, loss = part.problem.ask.update, part.asked.loss
    assert update is not None
    values: dict[str, Any] = {}
    gradients: dict[str, Any] = {}
    adjoints = {str(name): name for name in run.equations if isinstance(name, Adjoint) and not name.numerator}
    for text in update.show:
        name: Name = adjoints.get(text, text)
        (gradients if text in adjoints else values)[text] = numbers(partial(run.value, name))
    known = {"loss": numbers(partial(run.value, loss))} if loss is not None else {}
    return {**known, **_shown(values, gradients)}


def _shown(values: Mapping[str, Any], gradients: Mapping[str, Any]) -> dict[str, Any]:
    return {key: table for key, table in (("values", dict(values)), ("gradients", dict(gradients))) if table}

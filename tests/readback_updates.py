"""Reading updates back: what each symbol stands for within the section of one update.

A section opens with the heading ``Update k``. In it the names of the network have the values at which that update takes
its gradients; the rule's names have their old values until a line assigns a new one (``v \\leftarrow …``). The
parameters themselves are old throughout the section. All values are the certified ones of the solution.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Any

from flint import fmpq

from derive.graph import build
from derive.graph.expression import Adjoint
from derive.graph.network import Datum, Network
from derive.numbers.tensor import Tensor
from derive.problem import batches
from derive.problem.rules import RULES
from derive.report.notation import Symbols
from derive.report.notation.rule_symbols import rule_symbols
from derive.solution import rules
from derive.solution.history import History, Move
from derive.solution.part import Part
from readback_tokens import tokens

HEADING = re.compile(r"Update (\d+)\b")


@dataclass(frozen=True)
class Merged:
    """The values of a network's names and of a rule's in one; as much of a ``Run`` as a reader asks for."""

    network: Any
    rule: Any
    own: frozenset[str]
    carried: Any = None

    def value(self, name: Any, bits: int) -> Any:
        """The entries of a name."""
        if isinstance(name, Adjoint) and rules.ahead(name.by).split(":")[0] != name.by:  # by a point ahead
            name = Adjoint(name.of, name.by.split(":")[0], name.numerator)
        return (self.rule if name in self.own else self.network).value(name, bits)


@dataclass(frozen=True)
class Staged:
    """A part as one update finds it, after some lines of the update have been read: ``assigned`` are their symbols."""

    part: Part
    move: Move
    moved: Mapping[str, Any]

    def after_update(self, name: str, bits: int, printed: bool) -> Any:
        """The value that this update assigns to a name."""
        return self.moved["printed" if printed else "rule"].value(rules.after(name), bits)


def update_of(title: str, part: Part) -> int | None:
    """The index of the update that a heading names; ``None`` for any other heading."""
    match, history = HEADING.match(title), part.opening
    if match is None or history is None:
        return None
    return next((k for k, move in enumerate(history.moves) if move.t == int(match[1])), None)


def staged(part: Part, index: int, assigned: frozenset[tuple[str, ...]]) -> Part:
    """The part whose names are those of one update; it knows of itself what the update assigns (``stage``)."""
    history = part.opening
    assert history is not None
    update, move, printed = history.update, history.moves[index], history.printed.moves[index]
    problem, network = part.problem, part.network
    if update.batches is not None and move.rows:
        problem = batches.of_rows(problem, update.batches, move.rows)
        network = build(problem)
    symbols = rule_symbols(update, history.loss, Symbols(part.problem, part.network), _names(part))
    labels = _labels(history, symbols, assigned)
    data = dict(network.data)
    for label, shape in labels.items():
        value = update.constants.get(label[1:]) if label.startswith(":") else None
        value = _constant(history, label) if value is None and label.startswith(":") else value
        entries = (fmpq(0) if value is None else value,) * prod(shape)  # only a constant's number is ever looked at
        data[label] = Datum(shape, "given", Tensor(shape, entries))
    own = frozenset(labels) | frozenset(update.moving)
    run, shown = (Merged(each.slopes or each.found, each.rule, own) for each in (move, printed))
    changed = {
        "problem": replace(problem, symbols={**problem.symbols, **symbols}, ask=replace(problem.ask, update=None)),
        "network": Network(data, network.equations, network.labels),
        "run": run,
        "shown": replace(shown, carried=part.shown.carried),
        "history": None,
    }
    first = part.batch if index == 0 and move.rows else None
    layout = part.derivation or (part.batch.derivation if part.batch is not None else None)
    base = first or replace(part, derivation=layout, explicit=None if move.rows else part.explicit)
    found = Part(**{**base.__dict__, **changed})
    object.__setattr__(found, "stage", Staged(part, move, {"rule": move.rule, "printed": printed.rule}))
    return found


def _names(part: Part) -> tuple[str, ...]:
    return (*part.network.data, *(str(equation.name) for equation in part.network.equations))


def _constant(history: History, label: str) -> fmpq | None:
    """The number of a rate, or of the weight decay."""
    update = history.update
    if label == rules.DECAY:
        return next(iter(update.decay.values()), None)
    return next((rate for name, rate in update.moving.items() if rules.rate_of(name, update) == label), None)


def _labels(history: History, symbols: Mapping[str, str], assigned: frozenset[tuple[str, ...]]) -> dict[str, Any]:
    """The names of the rule that can be used now, with their shapes."""
    update, rule = history.update, history.moves[0].rule
    found: dict[str, Any] = {label: () for label in symbols if label.startswith(":") and _used(history, label)}
    for name in update.moving:
        shape = rule.value(rules.after(name), 64).shape
        for state in RULES[update.rule].state:
            label = rules.remembered(state, name)
            found[rules.after(label) if tokens(symbols[label]) in assigned else label] = shape
            found |= {rules.corrected(state, name): shape} if rules.corrected(state, name) in rule.equations else {}
        for label in (rules.penalised(name), rules.ahead(name)):
            found |= {label: shape} if label in rule.equations else {}
        found |= {rules.given(name): shape} if update.slopes else {}
    return found


def _used(history: History, label: str) -> bool:
    return label != rules.DECAY or bool(history.update.decay)

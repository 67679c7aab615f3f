"""``[ask] train``: updates repeated until the loss is small, or settles, or their number is reached."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from flint import fmpq

from derive.errors import ProblemError, Unsupported
from derive.problem import wording
from derive.problem.convention import whole
from derive.problem.exact import decimal
from derive.problem.names import QUANTITY
from derive.problem.places import Places
from derive.problem.problem import Problem, Train, Update
from derive.problem.rates import number, rate_symbol, read_rates

KEYS = ("rate", "rest", "symbol", "until", "tolerance", "at_most")
TOLERANCE = fmpq(1, 10**5)
AT_MOST = 10_000
MOST_UPDATES = 1_000_000
USAGE = 'train = { rate = 0.01, until = "E < 0.01", at_most = 10000 }'

BELOW = re.compile(rf"\s*({QUANTITY})\s*<\s*(\S+)\s*", re.ASCII)


def read_train(
    value: object, parameters: Iterable[str], loss: str, update: Update | None, places: Places, *path: str
) -> Train:
    """The wish to train; rates and their symbol are those of the ``update`` where there is one.

    ``path`` is where the value stands, ``[ask] train`` if nothing else is said. Raises ``ProblemError``.
    """
    path = path or ("ask", "train")
    if value is True:
        value = {}
    table = places.table(value, *path)
    places.keys(table, KEYS, *path)
    parameters = tuple(parameters)
    if not parameters:
        raise places.error("train without [parameters]: there is nothing to move", *path)
    rates, symbol = _rates(table, parameters, update, places, path)
    until = table.get("until", "settled")
    below = None if until == "settled" else _below(until, loss, places, (*path, "until"))
    tolerance = TOLERANCE if below is None else None
    if "tolerance" in table:
        tolerance = number(table["tolerance"], places, (*path, "tolerance"))
        if not 0 <= tolerance < 1:
            raise places.error(f"tolerance is {tolerance}, expected is a number from 0 to below 1", *path, "tolerance")
    at_most = whole(table.get("at_most", AT_MOST), 1, MOST_UPDATES, places, *path, "at_most")
    return Train(rates, symbol, below, tolerance, at_most)


def with_training(problem: Problem, wished: object) -> Problem:
    """The problem trained to convergence, in every part with an update; the table ``wished`` overrides its own.

    Raises ``ProblemError`` for what a file could not say either, and where there is nothing to train.
    """
    table = Places().table(wished, "train")
    problems = problem.parts or (problem,)
    if not any(_trainable(one) for one in problems):
        raise ProblemError(f"{problem.name} has no update and no training to take a rate from", hint=USAGE)

    def trained(one: Problem) -> Problem:
        if not _trainable(one):
            return one
        own, update = one.ask.train, one.ask.update
        if update is not None and (update.batches is not None or update.slopes):
            raise Unsupported(
                "training from mini-batches or given gradients is not built yet; built is that on all samples",
                file=one.file,
                line=one.line("ask", "update"),
            )
        wish = {} if own is None else {"at_most": own.at_most}
        loss = one.ask.loss or one.statements[-1].name
        train = read_train({**wish, **table}, one.parameters, loss, update, Places(part=one.part), "train")
        if own is not None and "until" not in table:
            tolerance = train.tolerance if "tolerance" in table else own.tolerance
            train = replace(train, below=own.below, tolerance=tolerance)
        return replace(one, ask=replace(one.ask, train=train, update=update or Update(train.rates, train.symbol)))

    if problem.parts:
        return replace(problem, parts=tuple(map(trained, problem.parts)))
    return trained(problem)


def _trainable(problem: Problem) -> bool:
    return problem.ask.update is not None and not problem.ask.upstream


def _rates(
    table: Mapping[str, object],
    parameters: tuple[str, ...],
    update: Update | None,
    places: Places,
    path: tuple[str, ...],
) -> tuple[Mapping[str, fmpq], str]:
    """The rates and their symbol. The worked update is the first iteration, so that the two cannot differ."""
    symbol = rate_symbol(table, update.symbol if update is not None else "eta", places, *path)
    if "rate" not in table and update is not None:
        if "rest" in table:
            raise places.error("rest without rate in train", *path, "rest", hint="rate = { W1 = 0.5, rest = 0.3 }")
        rates = dict(update.rates)
    elif "rate" not in table:
        raise places.error("train has no rate, and there is no update to take it from", *path, hint=USAGE)
    else:
        rates = read_rates(table, parameters, places, *path)
    if update is not None and (rates != dict(update.rates) or symbol != update.symbol):
        key = "rate" if rates != dict(update.rates) else "symbol"
        raise places.error(
            f"train has another {key} than update, and its first iteration is that update",
            *path,
            key,
            hint=f"leave the {key} out of train, or write update = false",
        )
    if not any(rates.values()):
        raise places.error("train has no rate but 0: nothing would move", *path)
    return MappingProxyType(rates), symbol


def _below(until: object, loss: str, places: Places, path: tuple[str, ...]) -> fmpq:
    """The number under which the loss is to come: ``"E < 0.01"``, and nothing that would have to be worked out."""
    usage = f'"{loss} < 0.01" or "settled"'
    if not isinstance(until, str):
        raise places.error(f"until is {wording.kind(until)}, expected is {usage}", *path)
    match = BELOW.fullmatch(until)
    if match is None:
        tip = wording.hint(until, ["settled"])
        raise places.error(f"until is {wording.shown(until)}, expected is {usage}", *path, hint=tip)
    if match[1] != loss:
        raise places.error(f"until speaks of {match[1]}, and the loss is {loss}", *path, hint=f"expected is {usage}")
    try:
        return decimal(match[2])
    except ProblemError as error:
        raise places.error(f"until: {error.message}", *path, hint=error.hint) from None

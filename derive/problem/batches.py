"""Mini-batches: which rows of the data each update uses, and the problem that is left when only those are looked at.

Rows are counted from 0, and along = 1 makes them columns. Class numbers in a flat list (the labels of a cross-entropy)
are one to a sample, whichever way the list lies.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from derive.numbers.tensor import Tensor
from derive.problem import wording
from derive.problem.convention import whole
from derive.problem.places import Places
from derive.problem.problem import Ask, Batches, Problem, Update

if TYPE_CHECKING:
    from derive.problem.ask import Known

KEYS = ("over", "batch", "along", "each", "order")


def read_batches(table: Mapping[str, object], known: Known, steps: int, places: Places, *path: str) -> Batches | None:
    """The wish for mini-batches, if there is one. Raises ``ProblemError``."""
    if "over" not in table:
        for key in KEYS[1:]:
            if key in table:
                raise places.error(f"{key} without over: samples of what?", *path, key, hint='over = ["x", "t"]')
        return None
    over = _over(table["over"], known, places, (*path, "over"))
    along = whole(table.get("along", 0), 0, 1, places, *path, "along")
    if not known.complete and any(name not in known.data for name in over):
        return None  # each part brings its own
    counts = {name: _count(name, known, along, places, (*path, "over")) for name in over}
    lines = "columns" if along else "rows"
    rows = _rows(counts, known)
    for name, count in counts.items():
        if count != rows and not (_listed(name, known) and rows in known.data[name]):
            other = next(other for other, size in counts.items() if size == rows)
            raise places.error(
                f"{other} has {rows} {lines} and {name} has {count}: each sample needs one of each",
                *path,
                "over",
                hint=None if along else "along = 1 takes the columns as samples",
            )
    size = whole(table.get("batch", 1), 1, 10**9, places, *path, "batch")
    orders = (
        _orders(table["order"], rows, steps, places, (*path, "order")) if "order" in table else (tuple(range(rows)),)
    )
    shortest = min(map(len, orders))
    if size > shortest:
        raise places.error(f"batch is {size}, and there are {shortest} {lines} in a pass", *path, "batch")
    each = table.get("each", "pass")
    if each not in ("pass", "update"):
        raise places.error(f'each is {wording.kind(each)}, expected is "update" or "pass"', *path, "each")
    return Batches(over, size, rows, orders, along, each == "update")


def _rows(counts: Mapping[str, int], known: Known) -> int:
    """How many samples there are: as most of the data say that are no lists of numbers, one to a sample."""
    sure = [count for name, count in counts.items() if not _listed(name, known)]
    if not sure:
        sure = [max(size for size in known.data[name] if isinstance(size, int)) for name in counts]
    return max(sure, key=sure.count)


def _listed(name: str, known: Known) -> bool:
    """Whether a name may be a flat list of class numbers."""
    shape = known.data[name]
    return name in known.labels and len(shape) == 2 and 1 in shape


def _over(value: object, known: Known, places: Places, path: tuple[str, ...]) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not value:
        raise places.error(
            f"over is {wording.kind(value) if value != [] else 'empty'}, expected is a list of data", *path,
            hint='over = ["x", "t"]',
        )  # fmt: skip
    found: list[str] = []
    for name in value:
        if not isinstance(name, str):
            raise places.error(f"over has {wording.kind(name)}, expected are names of data", *path)
        if name in known.parameters or name in known.equations:
            what = "a parameter" if name in known.parameters else "an equation"
            raise places.error(f"over names {name}, which is {what}: samples are rows of data", *path)
        if name not in known.data and known.complete:
            data = [one for one in known.data if one not in known.parameters]
            raise places.unknown("over names no data:", name, data, *path)
        if name in found:
            raise places.error(f"over has {name} twice", *path)
        found.append(name)
    return tuple(found)


def _count(name: str, known: Known, along: int, places: Places, path: tuple[str, ...]) -> int:
    shape = known.data[name]
    if len(shape) <= along:
        raise places.error(f"over names {name}, which is a number and has no rows", *path)
    if not isinstance(shape[along], int):
        raise places.error(f"over names {name}, which has sizes but no numbers", *path)
    return int(shape[along])


def _orders(value: object, rows: int, steps: int, places: Places, path: tuple[str, ...]) -> tuple[tuple[int, ...], ...]:
    """One order for all passes, or one for each."""
    usage = f"order = {list(reversed(range(rows)))}" if rows <= 6 else None
    if not isinstance(value, list | tuple) or not value:
        raise places.error(
            f"order is {wording.kind(value) if value != [] else 'empty'}, expected is a list of rows", *path, hint=usage
        )
    nested = isinstance(value[0], list | tuple)
    orders = []
    for order in value if nested else [value]:
        if not isinstance(order, list | tuple) or not order:
            raise places.error("order has lists and rows side by side; expected is a list for each pass", *path)
        for row in order:
            if isinstance(row, bool) or not isinstance(row, int) or not 0 <= row < rows:
                raise places.error(
                    f"order has {wording.kind(row)}, expected are rows from 0 to {rows - 1}", *path, hint=usage
                )
        orders.append(tuple(order))
    if nested and len(orders) != steps:
        raise places.error(f"order has {len(orders)} passes, and steps is {steps}", *path)
    return tuple(orders)


def schedule(update: Update) -> Iterator[tuple[int, tuple[int, ...]]]:
    """The pass (from 1) and the rows of every update, in order."""
    batches = update.batches
    assert batches is not None
    for number in range(update.steps):
        order = batches.orders[number % len(batches.orders)]
        for start in range(0, len(order), batches.size):
            yield number + 1, order[start : start + batches.size]


def count(update: Update) -> int:
    """How many updates there are in all."""
    batches = update.batches
    if batches is None:
        return update.steps
    passes = [-(-len(order) // batches.size) for order in batches.orders]
    return sum(passes) if len(passes) > 1 else passes[0] * update.steps


def opening(update: Update) -> Update:
    """The first update alone."""
    found = update.batches
    if found is not None:
        found = replace(found, orders=(found.orders[0][: found.size],))
    return replace(update, steps=1, batches=found, slopes=update.slopes[:1])


def of_rows(problem: Problem, batches: Batches, rows: tuple[int, ...]) -> Problem:
    """The problem of one batch: the same equations and parameters over these rows alone; the loss's gradients asked."""
    given = dict(problem.given) | {
        name: _picked(problem.given[name], batches, rows) for name in batches.over if name in problem.given
    }
    update = problem.ask.update
    loss = problem.ask.loss or problem.statements[-1].name
    moving, shown = (update.moving, update.show) if update is not None else ({}, ())
    slopes = (text.removeprefix(f"d{loss}/d") for text in shown if text.startswith(f"d{loss}/d"))
    gradients = tuple(dict.fromkeys((*moving, *slopes)))
    names = {
        name: texts
        for name, texts in problem.names.items()
        if (name in given and given[name].shape == problem.given[name].shape) or name in problem.parameters
    }
    ask = Ask(problem.ask.loss, gradients)
    return replace(problem, given=given, names=names, ask=ask, parts=())


def _picked(tensor: Tensor, batches: Batches, rows: tuple[int, ...]) -> Tensor:
    shape, along = tensor.shape, batches.along
    if shape[along] != batches.rows:  # a flat list of class numbers
        along = shape.index(batches.rows)
    if along == 0:
        width = len(tensor.entries) // shape[0]
        picked = [entry for row in rows for entry in tensor.entries[row * width : (row + 1) * width]]
        return Tensor.of((len(rows), *shape[1:]), picked)
    inner = len(tensor.entries) // (shape[0] * shape[1])
    picked = [
        entry
        for line in range(shape[0])
        for row in rows
        for entry in tensor.entries[(line * shape[1] + row) * inner : (line * shape[1] + row + 1) * inner]
    ]
    return Tensor.of((shape[0], len(rows), *shape[2:]), picked)

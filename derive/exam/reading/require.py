"""``require``: what must hold of the solution of every variant of a question.

    require = { decimals = 2, dead_relu = 0, kinks = false, saturation = 6, smallest = 0.001, nonzero = true }
    require = { decimals = { z = 2, "dE/dW2" = 1 }, saturation = false, operations = 0.1 }
    require = { decimals = [{ places = 2, of = ["z", "h"] }, { places = 3 }] }

What is not said holds as ``Require`` has it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flint import fmpq

from derive.exam.exam import Decimals, Require
from derive.problem import wording
from derive.problem.convention import whole
from derive.problem.places import Places
from derive.problem.rates import number
from derive.problem.toml import KeyPath

KEYS = ("decimals", "kinks", "dead_relu", "saturation", "smallest", "nonzero", "operations")
MOST_PLACES = 30
MOST_LAYERS = 1000

Check = Callable[[str, KeyPath], None]  # of a quantity and its place; raises where the problem does not have it


def read_require(value: object, check: Check, places: Places, *path: str | int) -> Require:
    """What is required. ``check`` raises for a quantity that the problem does not have. Raises ``ProblemError``."""
    table = places.table(value, *path)
    places.keys(table, KEYS, *path)
    wishes: dict[str, Any] = {}
    if "decimals" in table:
        wishes["decimals"] = _decimals(table["decimals"], check, places, (*path, "decimals"))
    for key in ("kinks", "nonzero"):
        if key in table:
            wishes[key] = switch(table[key], places, (*path, key))
    if "dead_relu" in table:
        wishes["dead_relu"] = whole(table["dead_relu"], 0, MOST_LAYERS, places, *path, "dead_relu")
    if "saturation" in table:
        bound = table["saturation"]
        if bound is not False and bound is not True:
            bound = number(bound, places, (*path, "saturation"))
        if bound is True or (bound is not False and bound <= 0):
            raise places.error(
                f"saturation is {str(bound).lower()}, expected is a number above 0, or false for no bound",
                *path, "saturation",
            )  # fmt: skip
        wishes["saturation"] = None if bound is False else bound
    for key in ("smallest", "operations"):
        if key in table:
            wishes[key] = _share(table[key], places, (*path, key))
    return Require(**wishes)


def switch(value: object, places: Places, path: KeyPath) -> bool:
    """A truth value. Raises ``ProblemError`` for anything else."""
    if not isinstance(value, bool):
        raise places.error(f"{path[-1]} is {wording.kind(value)}, expected is true or false", *path)
    return value


def _share(value: object, places: Places, path: KeyPath) -> fmpq:
    found = number(value, places, path)
    if found < 0:
        raise places.error(f"{path[-1]} is {found}, expected is a number from 0", *path)
    return found


def _decimals(value: object, check: Check, places: Places, path: KeyPath) -> tuple[Decimals, ...]:
    """A number for everything; a table of numbers by quantity; or a list of tables."""
    if isinstance(value, Mapping):
        return _by_quantity(places.table(value, *path), check, places, path)
    if not isinstance(value, list):
        return (Decimals(whole(value, 0, MOST_PLACES, places, *path)),)
    found = []
    usage = 'decimals = [{ places = 2, of = ["z"] }]'
    if not value:
        raise places.error("decimals is an empty list", *path, hint=usage)
    for at, item in enumerate(value):
        here = (*path, at)
        if not isinstance(item, Mapping):
            raise places.error(f"decimals has {wording.kind(item)}, expected are tables", *here, hint=usage)
        table = places.table(item, *here)
        places.keys(table, ("places", "of"), *here)
        if "places" not in table:
            raise places.error("decimals without places: how many?", *here, hint=usage)
        of = table.get("of", [])
        if not isinstance(of, list) or ("of" in table and not of) or not all(isinstance(one, str) for one in of):
            raise places.error("of is no list of quantities", *here, "of", hint=usage)
        for one in of:
            check(one, (*here, "of"))
        found.append(Decimals(whole(table["places"], 0, MOST_PLACES, places, *here, "places"), tuple(of)))
    return tuple(found)


def _by_quantity(table: Mapping[str, object], check: Check, places: Places, path: KeyPath) -> tuple[Decimals, ...]:
    """Quantities of as many places stand together, in the order of the table."""
    if not table:
        raise places.error("decimals is an empty table", *path, hint="decimals = 2, or decimals = { z = 2 }")
    found: dict[int, list[str]] = {}
    for quantity, count in table.items():
        check(quantity, (*path, quantity))
        found.setdefault(whole(count, 0, MOST_PLACES, places, *path, quantity), []).append(quantity)
    return tuple(Decimals(count, tuple(of)) for count, of in found.items())

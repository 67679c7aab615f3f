"""Learning rates: one for all parameters, or a table by name in which ``rest`` stands for those left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from flint import fmpq

from derive.errors import ProblemError
from derive.problem import wording
from derive.problem.exact import exact
from derive.problem.names import check_name, members
from derive.problem.places import Places
from derive.problem.toml import KeyPath


def read_rates(table: Mapping[str, object], parameters: Iterable[str], places: Places, *path: str) -> dict[str, fmpq]:
    """A rate for every parameter, in the order of the file, from the ``rate`` (and ``rest``) of the table at ``path``.

    ``rest`` stands in the table of rates or beside it. Raises ``ProblemError``.
    """
    parameters = tuple(parameters)
    here: KeyPath = (*path, "rate")
    rate = table["rate"]
    if not isinstance(rate, Mapping):
        if "rest" in table:
            raise places.error(
                "rest stands beside one rate for all; it belongs to a table of rates",
                *path,
                "rest",
                hint="rate = { W1 = 0.5, rest = 0.3 }",
            )
        value = number(rate, places, here)
        return dict.fromkeys(parameters, value)
    rates = places.table(rate, *here)
    rest: fmpq | None = None
    if "rest" in table:
        rest = number(table["rest"], places, (*path, "rest"))
    if "rest" in rates and "rest" not in parameters:
        if rest is not None:
            raise places.error("rest stands twice, in the table of rates and beside it", *here, "rest")
        rest = number(rates.pop("rest"), places, (*here, "rest"))
    families = members(parameters)
    for name in [name for name in rates if name in families]:  # a rate for every member
        rates = dict.fromkeys(families[name].values(), rates.pop(name)) | rates
    for name in rates:
        if name not in parameters:
            raise places.unknown("rate names no parameter:", name, parameters, *here, name)
    missing = [name for name in parameters if name not in rates]
    if missing and rest is None:
        raise places.error(
            f"rate leaves out {wording.listing(missing, 'and')}",
            *here,
            hint="rest = 0.3 stands for all that are left out, 0 keeps one as it is",
        )
    found = {name: number(value, places, (*here, name)) for name, value in rates.items()}
    if rest is not None:
        found = dict.fromkeys(parameters, rest) | found
    return {name: found[name] for name in parameters}


def read_by_parameter(value: object, parameters: Iterable[str], places: Places, path: KeyPath) -> dict[str, fmpq]:
    """One number for all parameters, or a table by name in which ``rest`` stands for those left out, or else 0."""
    parameters = tuple(parameters)
    if not isinstance(value, Mapping):
        return dict.fromkeys(parameters, number(value, places, path))
    table = places.table(value, *path)
    rest = number(table.pop("rest"), places, (*path, "rest")) if "rest" in table else fmpq(0)
    for name in table:
        if name not in parameters:
            raise places.unknown(f"{path[-1]} names no parameter:", name, parameters, *path, name)
    return {name: number(table.get(name, rest), places, (*path, name)) for name in parameters}


def number(value: object, places: Places, path: KeyPath) -> fmpq:
    """An exact number that stands at ``path``. Raises ``ProblemError`` with its place."""
    try:
        return exact(value)
    except ProblemError as error:
        raise places.error(f"{path[-1]}: {error.message}", *path, hint=error.hint) from None


def rate_symbol(table: Mapping[str, object], default: str, places: Places, *path: str) -> str:
    """The name of the rate. Raises ``ProblemError`` for what is no name."""
    symbol = table.get("symbol", default)
    if not isinstance(symbol, str):
        raise places.error(f'symbol is {wording.kind(symbol)}, expected is a name such as "alpha"', *path, "symbol")
    try:
        check_name(symbol, "the rate")
    except ProblemError as error:
        raise places.placed(error, *path, "symbol") from None
    return symbol

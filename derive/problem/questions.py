"""The further questions of ``[ask]``: forward mode, an alphabet, error signals, a batch, difference quotients.

Each is one key with a frozen record of its own; ``false`` drops a key that a part would inherit. Second derivatives are
asked for among the gradients, as ``"d2f/dx2"`` or ``"d2f/dxdy"``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

from flint import fmpq

from derive.errors import ProblemError
from derive.numbers.tensor import Tensor
from derive.problem import wording
from derive.problem.exact import exact
from derive.problem.names import QUANTITY, check_name, joined, member, stem_of
from derive.problem.places import Places
from derive.problem.toml import KeyPath
from derive.problem.values import read_value
from derive.records import dataclass

if TYPE_CHECKING:
    from derive.problem.ask import Known

QUESTION_KEYS = ("forward", "in_terms_of", "delta", "batch", "differences")
REDUCTIONS = ("sum", "mean")
SECOND = re.compile(rf"d2({QUANTITY})/d({QUANTITY})", re.ASCII)
RATIO = re.compile(rf"d{QUANTITY}/d{QUANTITY}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Batch:
    """The same network for ``size`` rows: every name in ``of`` gets one row a sample (``None``: all given rows).

    ``reduction`` says what becomes of the losses of the samples: their mean or their sum.
    """

    size: str
    of: tuple[str, ...] | None = None
    reduction: str = "mean"


@dataclass(frozen=True, slots=True)
class Quotient:
    """A central difference quotient of the loss by one entry of ``of``.

    ``entry`` counts from 1, as in print, or is the entry's own name; empty for a number. ``step`` is h.
    """

    of: str
    entry: tuple[int, ...] | str
    step: fmpq


@dataclass(frozen=True, slots=True)
class Questions:
    """What is wanted beyond values, gradients and updates.

    ``forward`` has one table for each pass: the direction in which each name moves, ``None`` for a number that moves by
    1 (without numbers: in any direction). ``in_terms_of`` maps a gradient (``""``: every one) to the names that its
    formula may use. ``delta`` maps a name z to the name of its error signal, the derivative of the loss by z.
    """

    forward: tuple[Mapping[str, Tensor | None], ...] = ()
    in_terms_of: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    delta: Mapping[str, str] = field(default_factory=dict)
    batch: Batch | None = None
    differences: tuple[Quotient, ...] = ()


def second_of(text: str, names: Iterable[str]) -> tuple[str, str, str] | None:
    """``("f", "x", "y")`` for ``"d2f/dxdy"``; ``None`` for a text that is no second derivative of known names."""
    match = SECOND.fullmatch(text)
    if match is None:
        return None
    of, below = match[1], match[2]
    known = set(names)
    if below.endswith("2") and below[:-1] in known:
        return of, below[:-1], below[:-1]
    for k in range(1, len(below) - 1):
        if below[k] == "d" and below[:k] in known and below[k + 1 :] in known:
            return of, below[:k], below[k + 1 :]
    return None


def read_questions(
    table: Mapping[str, object], known: Known, tops: tuple[str, ...], places: Places, folder: Path | None
) -> Questions | None:
    """The further questions; ``None`` where there are none. Raises ``ProblemError``."""
    wanted = {key: table[key] for key in QUESTION_KEYS if table.get(key, False) is not False}
    if not wanted:
        return None
    return Questions(
        forward=_forward(wanted["forward"], known, places, folder) if "forward" in wanted else (),
        in_terms_of=_alphabet(wanted["in_terms_of"], known, tops, places) if "in_terms_of" in wanted else {},
        delta=_delta(wanted["delta"], known, tops, places) if "delta" in wanted else {},
        batch=_batch(wanted["batch"], known, places) if "batch" in wanted else None,
        differences=_differences(wanted["differences"], known, places) if "differences" in wanted else (),
    )


def _listed(value: object) -> list[object]:
    """The items of a list; one thing as a list of itself."""
    return list(value) if isinstance(value, list | tuple) else [value]


def _name(name: object, known: Known, places: Places, path: KeyPath) -> str:
    """A name of the problem."""
    key = path[1]
    if not isinstance(name, str):
        raise places.error(f"{key} has {wording.kind(name)}, expected are names", *path)
    if name not in known.names and known.complete:
        raise places.unknown(f"{key} names what does not exist:", name, known.names, *path)
    return name


def _names(value: object, known: Known, places: Places, path: KeyPath, what: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not value:
        found = "an empty list" if value == [] else wording.kind(value)
        raise places.error(f"{path[-1]} is {found}, expected is {what}", *path)
    names = tuple(_name(name, known, places, (*path, k)) for k, name in enumerate(value))
    if len(set(names)) != len(names):
        raise places.error(f"{path[-1]} has {next(n for n in names if names.count(n) > 1)} twice", *path)
    return names


def _forward(
    value: object, known: Known, places: Places, folder: Path | None
) -> tuple[Mapping[str, Tensor | None], ...]:
    """One pass for each name of a list, or for each table of directions."""
    path: KeyPath = ("ask", "forward")
    usage = 'forward = ["x"], or a direction by name: forward = { x = [1, 0] }'
    single = isinstance(value, Mapping)
    if not single and (not isinstance(value, list | tuple) or not value):
        found = "an empty list" if value == [] else wording.kind(value)
        raise places.error(f"forward is {found}, expected is a list of names or a table", *path, hint=usage)
    passes: list[Mapping[str, Tensor | None]] = []
    for k, item in enumerate(_listed(value)):
        here = path if single else (*path, k)
        if isinstance(item, str):
            passes.append({_name(item, known, places, here): None})
            continue
        if not isinstance(item, Mapping) or not item:
            found = "an empty table" if item == {} else wording.kind(item)
            raise places.error(f"forward has {found}, expected are names and tables", *here, hint=usage)
        directions: dict[str, Tensor | None] = {}
        for name, direction in places.table(item, *here).items():
            _name(name, known, places, (*here, name))
            tensor = read_value(direction, places, folder, *here, name)
            shape = known.data.get(name)
            if isinstance(shape, tuple) and all(isinstance(size, int) for size in shape) and tensor.shape != shape:
                raise places.error(
                    f"the direction of {name} is {_size(tensor.shape)}, and {name} is {_size(shape)}", *here, name
                )
            directions[name] = tensor
        passes.append(directions)
    for k, one in enumerate(passes):
        for name in one:
            if name in known.equations:
                raise places.error(
                    f"forward moves {name}, which is an equation: its tangent follows from what it is made of",
                    *path, *(() if single else (k,)), hint="start from data or parameters",
                )  # fmt: skip
        if one in passes[:k]:
            raise places.error(f"forward has the same pass twice: {wording.listing(one, 'and')}", *path, k)
    return tuple(passes)


def _size(shape: tuple[object, ...]) -> str:
    return " x ".join(map(str, shape)) if shape else "a scalar"


def _alphabet(value: object, known: Known, tops: tuple[str, ...], places: Places) -> Mapping[str, tuple[str, ...]]:
    """The names for every gradient, or a table of them by gradient. A known upstream may stand among them."""
    path: KeyPath = ("ask", "in_terms_of")

    def letters(value: object, here: KeyPath) -> tuple[str, ...]:
        usage = 'in_terms_of = ["y", "yhat", "U"]'
        if not isinstance(value, list | tuple) or not value:
            found = "an empty list" if value == [] else wording.kind(value)
            raise places.error(f"in_terms_of is {found}, expected is a list of names", *here, hint=usage)
        names: list[str] = []
        for k, name in enumerate(value):
            ratio = isinstance(name, str) and RATIO.fullmatch(name) is not None
            names.append(str(name) if ratio else _name(name, known, places, (*here, k)))
        if len(set(names)) != len(names):
            raise places.error(f"in_terms_of has {next(n for n in names if names.count(n) > 1)} twice", *here)
        return tuple(names)

    if not isinstance(value, Mapping):
        return {"": letters(value, path)}
    return {
        _name(name, known, places, (*path, name)): letters(names, (*path, name))
        for name, names in places.table(value, *path).items()
    }


def _delta(value: object, known: Known, tops: tuple[str, ...], places: Places) -> Mapping[str, str]:
    """Names of error signals: z -> the name of d loss / d z."""
    path: KeyPath = ("ask", "delta")
    usage = 'delta = { z_o = "delta_o" }'
    if not isinstance(value, Mapping):
        raise places.error(f"delta is {wording.kind(value)}, expected is a table of names", *path, hint=usage)
    found: dict[str, str] = {}
    for name, signal in places.table(value, *path).items():
        here = (*path, name)
        if known.every(name) == (name,):
            _name(name, known, places, here)
        if not isinstance(signal, str):
            raise places.error(f"the error signal of {name} is {wording.kind(signal)}, expected is a name", *here)
        try:
            check_name(stem_of(signal) if member(signal) else signal, "an error signal")
        except ProblemError as error:
            raise places.placed(error, *here) from None
        if signal in known.names or signal in tops:
            raise places.error(f"the error signal of {name} has the name of another quantity: {signal}", *here)
        if signal in found.values():
            raise places.error(f"two error signals have the name {signal}", *here)
        for one in known.every(name):  # a family's are a family: delta[2] of z[2]
            parts = member(one)
            if one == name or one in known.equations:
                found[one] = signal if one == name or parts is None else joined(signal, parts[1])
    return found


def _batch(value: object, known: Known, places: Places) -> Batch:
    path: KeyPath = ("ask", "batch")
    usage = 'batch = "N", or batch = { size = "N", of = ["x", "t"], reduction = "sum" }'
    table = {"size": value} if isinstance(value, str) else value
    if not isinstance(table, Mapping):
        raise places.error(f"batch is {wording.kind(value)}, expected is the name of a size", *path, hint=usage)
    table = places.table(table, *path)
    places.keys(table, ("size", "of", "reduction"), *path)
    size = table.get("size")
    if not isinstance(size, str):
        raise places.error(f"the size of the batch is {wording.kind(size)}, expected is a name", *path, hint=usage)
    try:
        check_name(size, "a size")
    except ProblemError as error:
        raise places.placed(error, *path) from None
    sizes = {size for shape in known.data.values() for size in shape}
    if size in known.names or size in sizes:
        raise places.error(f"the size of the batch has a name that is taken: {size}", *path)
    reduction = table.get("reduction", "mean")
    if not isinstance(reduction, str) or reduction not in REDUCTIONS:
        raise places.error(
            f"reduction is {wording.kind(reduction)}, expected is {wording.listing(REDUCTIONS)}", *path, "reduction"
        )
    of = None
    if "of" in table:
        of = _names(table["of"], known, places, (*path, "of"), "a list of the names that have a row for each sample")
        for name in of:
            if name in known.equations:
                raise places.error(f"batch has {name}, which is an equation; expected are data", *path, "of")
    return Batch(size, of, reduction)


def _differences(value: object, known: Known, places: Places) -> tuple[Quotient, ...]:
    path: KeyPath = ("ask", "differences")
    usage = 'differences = { of = "W1", entry = [1, 2], h = 0.001 }'
    single = isinstance(value, Mapping)
    if not single and (not isinstance(value, list | tuple) or not value):
        what = "an empty list" if value == [] else wording.kind(value)
        raise places.error(f"differences is {what}, expected is a table", *path, hint=usage)
    found: list[Quotient] = []
    for k, item in enumerate(_listed(value)):
        here = path if single else (*path, k)
        if not isinstance(item, Mapping):
            raise places.error(f"differences has {wording.kind(item)}, expected is a table", *here, hint=usage)
        table = places.table(item, *here)
        places.keys(table, ("of", "entry", "h"), *here)
        if "of" not in table or "h" not in table:
            raise places.error("differences needs of and h", *here, hint=usage)
        of = _name(table["of"], known, places, (*here, "of"))
        if of in known.equations:
            raise places.error(f"differences is of {of}, which is an equation; expected are data", *here, "of")
        try:
            step = exact(table["h"])
        except ProblemError as error:
            raise places.placed(error, *here, "h") from None
        if not 0 < step <= 1:
            raise places.error(f"h is {step}, expected is a small number above 0", *here, "h")
        found.append(Quotient(of, read_entry(table.get("entry", ()), of, known, places, (*here, "entry")), step))
    return tuple(found)


def read_entry(value: object, of: str, known: Known, places: Places, path: KeyPath) -> tuple[int, ...] | str:
    """Indices from 1, one for each axis, held against the size where it is known; or an entry's own name."""
    if isinstance(value, str):
        return value
    if not isinstance(value, list | tuple) or not all(isinstance(k, int) and not isinstance(k, bool) for k in value):
        raise places.error(
            f"entry is {wording.kind(value)}, expected are indices counted from 1, as in [1, 2], or an entry's name",
            *path,
        )
    entry = tuple(value)
    shape = known.data.get(of)
    if not isinstance(shape, tuple):
        return entry
    if len(shape) == 2 and len(entry) == 1 and 1 in shape:  # a row or a column by one index
        entry = (1, entry[0]) if shape[0] == 1 else (entry[0], 1)
    fits = len(entry) == len(shape) and all(
        k >= 1 and (not isinstance(size, int) or k <= size) for k, size in zip(entry, shape, strict=True)
    )
    if not fits:
        raise places.error(
            f"{of} is {_size(shape)} and has no entry {list(value)}", *path, hint="indices are counted from 1"
        )
    return entry

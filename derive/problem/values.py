"""Values of a problem: plain numbers, lists, NumPy arrays and files of arrays → ``Tensor``.

A number is a scalar, a flat list a row (1 × n), nested lists a matrix or more axes. Every entry is exact.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

from flint import fmpq

from derive.errors import ProblemError
from derive.numbers.tensor import Tensor
from derive.problem import wording
from derive.problem.exact import exact
from derive.problem.places import Places
from derive.problem.toml import KeyPath

MOST_ENTRIES = 10_000_000
MOST_AXES = 8


def read_value(value: object, places: Places, folder: Path | None, *path: str | int) -> Tensor:
    """The value at ``path``.

    ``{ file = "w.npz", array = "W1" }`` is read from ``folder`` and from nowhere else. Raises ``ProblemError`` for
    ragged or empty lists, for what is not a finite number, and for more than ten million entries.
    """
    if isinstance(value, Mapping):
        value = _from_file(places.table(value, *path), places, folder, path)
    return _tensor(value, places, path)


def read_list(value: object, places: Places, folder: Path | None, *path: str | int) -> list[object]:
    """The entries along the first axis of the value at ``path``, each to be read on its own."""
    if isinstance(value, Mapping):
        value = _from_file(places.table(value, *path), places, folder, path)
    value = _as_list(value, places, path)
    if not isinstance(value, list | tuple):
        raise places.error(
            f"{path[-1]} is {wording.kind(value)}, expected is a list: an entry for each member of the family", *path
        )
    return list(value)


def size_text(shape: tuple[int | str, ...]) -> str:
    """``2 × 3``, or ``a scalar``."""
    return " × ".join(str(size) for size in shape) if shape else "a scalar"


def _tensor(value: object, places: Places, path: KeyPath) -> Tensor:
    value = _as_list(value, places, path)
    if not isinstance(value, list | tuple):
        return Tensor((), (_entry(value, places, path),))
    shape = _shape(value, places, path)
    if prod(shape) > MOST_ENTRIES:
        raise places.error(f"{path[-1]} has {prod(shape)} entries, at most {MOST_ENTRIES} are allowed", *path)
    entries: list[fmpq] = []
    _fill(value, shape, entries, places, path, path)
    return Tensor((1, *shape) if len(shape) == 1 else shape, tuple(entries))


def _shape(value: object, places: Places, path: KeyPath) -> tuple[int, ...]:
    """The sizes that the first entries have; ``_fill`` holds all others against them."""
    shape: list[int] = []
    while isinstance(value := _as_list(value, places, path), list | tuple):
        if not value:
            raise places.error(f"{path[-1]} has an empty list; every axis has at least one entry", *path)
        shape.append(len(value))
        if len(shape) > MOST_AXES:
            raise places.error(f"{path[-1]} has more than {MOST_AXES} axes", *path)
        value = value[0]
    return tuple(shape)


def _fill(
    value: object, shape: tuple[int, ...], entries: list[fmpq], places: Places, path: KeyPath, name: KeyPath
) -> None:
    value = _as_list(value, places, path)
    where = _where(path, name, "row")
    if not isinstance(value, list | tuple):
        raise places.error(
            f"{where} is {wording.kind(value)}, expected is a list of {shape[0]} entries like the first one", *path
        )
    if len(value) != shape[0]:
        found = f"{where} has {len(value)} {'entry' if len(value) == 1 else 'entries'}"
        raise places.error(f"{found}, expected are {shape[0]} as in the first one", *path)
    if len(shape) > 1:
        for number, inner in enumerate(value):
            _fill(inner, shape[1:], entries, places, (*path, number), name)
        return
    try:
        entries.extend(map(exact, value))
    except ProblemError:
        for number, inner in enumerate(value):  # once more, for the entry that is to blame
            if isinstance(_as_list(inner, places, path), list | tuple):
                raise places.error(
                    f"{_where((*path, number), name)} is a list, expected is a number like the first one", *path, number
                ) from None
            _entry(inner, places, (*path, number), name)
        raise


def _entry(value: object, places: Places, path: KeyPath, name: KeyPath | None = None) -> fmpq:
    try:
        return exact(value)
    except ProblemError as error:
        where = _where(path, name or path)
        raise places.error(f"{where}: {error.message}", *path, hint=error.hint) from None


def _where(path: KeyPath, name: KeyPath, what: str = "entry") -> str:
    """``W1``, ``row 2 of W1``, ``entry (2, 3) of W1``: counted from 1, as people count rows."""
    inside = [int(number) + 1 for number in path[len(name) :]]
    if not inside:
        return str(name[-1])
    if len(inside) == 1:
        return f"{what} {inside[0]} of {name[-1]}"
    return f"entry ({', '.join(map(str, inside))}) of {name[-1]}"


def _as_list(value: object, places: Places, path: KeyPath) -> object:
    """A NumPy array (or what makes itself one) as nested lists; everything else as it is."""
    if isinstance(value, str | int | float | list | tuple) or "numpy" not in sys.modules:
        return value
    import numpy

    if isinstance(value, numpy.generic) or not hasattr(value, "__array__"):
        return value
    name = next(key for key in reversed(path) if isinstance(key, str))
    try:
        return _array_as_list(numpy.asarray(value))
    except ProblemError as error:
        raise places.error(f"{name} is {error.message}", *path) from None
    except Exception as error:  # noqa: BLE001 - foreign code: a tensor on another device, say
        raise places.error(
            f"{name} is a value of type {type(value).__name__} that gives no array: {error}", *path
        ) from None


def _array_as_list(array: Any) -> object:
    """An array of numbers as nested lists that ``exact`` reads; of any other array an error without a place."""
    if array.dtype.kind not in "iufO":
        raise ProblemError(f"an array of type {array.dtype}, expected are whole or real numbers")
    if array.size > MOST_ENTRIES:
        raise ProblemError(f"an array of {array.size} entries, at most {MOST_ENTRIES} are allowed")
    if array.dtype.kind == "f" and array.dtype.itemsize != 8:  # 0.1 in single precision is meant as 0.1
        return array.astype(str).astype(object).tolist()
    return array.tolist()


def _from_file(table: dict[str, object], places: Places, folder: Path | None, path: KeyPath) -> object:
    name = path[-1]
    usage = f'{name} = {{ file = "w.npz", array = "{name}" }}'
    places.keys(table, ("file", "array"), *path)
    file, array = table.get("file"), table.get("array")
    if not isinstance(file, str) or not file or "\0" in file:
        raise places.error(f"{name} is a table without the name of a file", *path, hint=usage)
    if array is not None and not isinstance(array, str):
        raise places.error(f"array of {name} is {wording.kind(array)}, expected is a text", *path, "array", hint=usage)
    place = _inside(file, places, folder, path)
    try:
        return _load(place, file, array)
    except ProblemError as error:
        raise places.placed(error, *path) from None
    except Exception as error:  # noqa: BLE001 - a damaged file makes NumPy and zipfile raise nearly anything
        reason = wording.shown(str(error), 120)[1:-1]
        raise places.error(f"{file} cannot be read as an array of NumPy: {reason}", *path) from None


def _inside(file: str, places: Places, folder: Path | None, path: KeyPath) -> Path:
    if folder is None:
        raise places.error(f"{path[-1]} comes from the file {file}, and this problem has no folder", *path)
    wanted = file.replace("\\", "/")
    try:
        home = folder.resolve()
        place = (home / wanted).resolve()
        inside = place.is_relative_to(home) and not wanted.startswith("/")
        exists = inside and place.is_file()
    except (OSError, ValueError, RuntimeError) as error:
        raise places.error(f"{wording.shown(file)} cannot be found: {error}", *path) from None
    if not inside:
        raise places.error(f"{file} lies outside the problem's folder, from where no data is read", *path)
    if not exists:
        raise places.error(f"there is no file {file} in the problem's folder", *path)
    if place.suffix not in (".npy", ".npz"):
        raise places.error(f"{file} is no .npy or .npz file", *path)
    return place


def _load(place: Path, file: str, array: str | None) -> object:
    """The array in nested lists. Its header is read first, so that no file can ask for more than the bound."""
    if place.suffix == ".npy":
        if array is not None:
            raise ProblemError(f"{file} holds one array without a name", hint="leave array out, or save as .npz")
        with place.open("rb") as stream:
            return _read_array(stream, file)
    from zipfile import ZipFile  # start-up time is a budget, and few problems have such files

    with ZipFile(place) as archive:
        names = sorted(name.removesuffix(".npy") for name in archive.namelist())
        if array is None:
            raise ProblemError(f"{file} holds {wording.listing(names, 'and')}; array says which is meant")
        if array not in names:
            tip = wording.hint(array, names) or f"there are {wording.listing(names, 'and')}"
            raise ProblemError(f"{file} has no array {wording.shown(array)[1:-1]}", hint=tip)
        with archive.open(f"{array}.npy") as stream:
            return _read_array(stream, file)


def _read_array(stream: Any, file: str) -> object:
    import numpy
    from numpy.lib import format as npy

    version = npy.read_magic(stream)
    if version == (1, 0):
        shape, _, dtype = npy.read_array_header_1_0(stream)
    elif version == (2, 0):
        shape, _, dtype = npy.read_array_header_2_0(stream)
    else:
        raise ProblemError(f"{file} has version {version} of NumPy's format, which holds no plain numbers")
    if dtype.kind not in "iuf":
        raise ProblemError(f"{file} holds values of type {dtype}, expected are whole or real numbers")
    if prod(shape) > MOST_ENTRIES:
        raise ProblemError(f"{file} has {prod(shape)} entries, at most {MOST_ENTRIES} are allowed")
    stream.seek(0)
    array = npy.read_array(stream, allow_pickle=False)
    assert isinstance(array, numpy.ndarray)
    return _array_as_list(array)

"""Rows of a table by number, and numbers as rows with a single 1."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from derive.oracle.fits import Misfit, describe
from derive.oracle.values import Array, real


def _whole(numbers: Array) -> npt.NDArray[np.int64]:
    """Class numbers, one behind another."""
    return np.rint(real(numbers)).astype(np.int64).ravel()


def pick_rows(table: Array, numbers: Array) -> Array:
    """The rows of the table, one for each number."""
    rows: Array = np.take(table, _whole(numbers), axis=0)
    return rows


def pick_rows_back(g: Array, y: Array, table: Array, numbers: Array) -> Array:
    """Each row of the adjoint is added to the row that it came from."""
    result = np.zeros(table.shape, dtype=np.result_type(g, table))
    np.add.at(result, _whole(numbers), g)
    return result


def rows_of_one(numbers: Array, classes: int) -> Array:
    """A row with a single 1 for each number."""
    return np.equal.outer(_whole(numbers), np.arange(classes)) * 1.0


def _check(numbers: Array, classes: int) -> None:
    plain = real(numbers).ravel()
    if ((plain != np.floor(plain)) | (plain < 0) | (plain >= classes)).any():
        raise Misfit(f"class numbers are whole, from 0 to {classes - 1}")


def fits_table(table: Array, numbers: Array) -> None:
    """Whole numbers inside the table."""
    if table.ndim != 2:
        raise Misfit(f"{describe(table.shape)} is no table of rows")
    _check(numbers, table.shape[0])


def fits_classes(numbers: Array, classes: int) -> None:
    """Whole numbers below ``classes``."""
    _check(numbers, classes)

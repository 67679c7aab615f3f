"""Exact numbers as texts, in the rows of their matrix, and back."""

from __future__ import annotations

from typing import Any

from flint import fmpq

from derive.errors import ProblemError
from derive.numbers.rounding import as_decimal
from derive.numbers.tensor import Tensor
from derive.problem.exact import decimal
from derive.problem.wording import kind

MOST_PLACES = 30


def exact_text(x: fmpq) -> str:
    """``"-0.5"``; ``"1/3"`` for what is no decimal, or one of very many places."""
    found = as_decimal(x)
    if found is None or found[1] < -MOST_PLACES:
        return str(x)
    digits, exponent = found
    if exponent >= 0:
        return str(x)
    text = str(abs(digits)).rjust(1 - exponent, "0")
    return ("-" if digits < 0 else "") + f"{text[:exponent]}.{text[exponent:]}"


def nested(tensor: Tensor) -> Any:
    """Texts in lists as deep as the tensor has axes; of a number its text alone."""
    return _nested([exact_text(x) for x in tensor], tensor.shape)


def _nested(texts: list[str], shape: tuple[int, ...]) -> Any:
    if not shape:
        return texts[0]
    width = len(texts) // shape[0] if shape[0] else 0
    return [_nested(texts[k * width : (k + 1) * width], shape[1:]) for k in range(shape[0])]


def read_nested(value: object, shape: tuple[int, ...]) -> Tensor:
    """The tensor of a known shape. Raises ``ValueError`` for another shape and for what is no number in a text."""
    entries: list[fmpq] = []
    _read(value, shape, (), entries)
    return Tensor.of(shape, entries)


def _read(value: object, shape: tuple[int, ...], place: tuple[int, ...], entries: list[fmpq]) -> None:
    where = f"entry {list(place)} is " if place else "it is "
    if not shape:
        if not isinstance(value, str):
            raise ValueError(f'{where}{kind(value)}, expected is an exact number in quotes, such as "-0.5"')
        try:
            entries.append(decimal(value))
        except ProblemError as error:
            raise ValueError((f"entry {list(place)}: " if place else "") + error.message) from None
        return
    if not isinstance(value, list):
        raise ValueError(f"{where}{kind(value)}, expected is a list of {shape[0]}")
    if len(value) != shape[0]:
        raise ValueError(f"{where}a list of {len(value)}, expected is one of {shape[0]}")
    for k, one in enumerate(value, start=1):
        _read(one, shape[1:], (*place, k), entries)

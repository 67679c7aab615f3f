"""Stacks of matrices: what has more than two axes is told matrix by matrix, each with its own formula and numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from derive.graph.expression import Adjoint, Expression, Name, Plane
from derive.graph.planes import Lead, by_rows, leads, plane
from derive.numbers.certify import Undecided
from derive.numbers.rounding import Printed
from derive.report.compose.sheet import Sheet, left_out, packed
from derive.report.document import Block, Chain, Display, Link
from derive.report.notation.matrices import matrix_of
from derive.report.notation.printed import printed_text


def planes(sheet: Sheet, name: Name, node: Expression) -> Iterator[Block]:
    """The matrices of a stack, each with its own formula where there is one; nothing for what is no stack."""
    shape = sheet.shape(name)
    if len(shape) < 3 or any(isinstance(size, str) for size in shape):
        return
    rows = len(shape) == 3 and plane(node, (0,)) is None and by_rows(node)
    places = list(leads(shape, rows))
    shown = _some(sheet, places)
    for lead in shown:
        what = Plane(_plain(name), lead)
        inner = plane(node, lead)
        links = [] if inner is None else [Link("=", sheet.letters.terms(inner))]
        if sheet.numeric:
            links += [_value(sheet, what)] if inner is None else sheet.number_links(what, inner)
        left = sheet.symbols.name(what)
        links = [link for link in links if link.terms != (left,)]
        if links:
            yield Display((Chain(left, tuple(packed(links))),))
    if len(shown) < len(places):
        yield left_out(sheet, "windows.more_matrices", len(places), len(shown))


def planes_of(sheet: Sheet, name: str, slope: Adjoint, after: Expression) -> Iterator[tuple[Name, Name, Expression]]:
    """A parameter, its derivative and its next value; those of a stack matrix by matrix, as many as are shown."""
    shape = sheet.shape(name)
    if len(shape) < 3 or sum(size != 1 for size in shape) <= 1:
        yield name, slope, after
        return
    for lead in _some(sheet, list(leads(shape))):
        new = plane(after, lead)
        assert new is not None  # a parameter minus a multiple of its derivative
        yield Plane(name, lead), Plane(slope, lead), new


def told(sheet: Sheet, name: str, texts: Sequence[Printed | Undecided]) -> Iterator[tuple[Name, str]]:
    """A name with given texts for its entries; of a stack its matrices, as many as are shown."""
    shape = tuple(map(int, sheet.shape(name)))
    if len(shape) < 3 or sum(size != 1 for size in shape) <= 1:
        yield name, sheet.assigned(name, texts).links[0].terms[0]
        return
    entries = np.arange(len(texts)).reshape(shape)
    for lead in _some(sheet, list(leads(shape))):
        inner = entries[lead]
        yield Plane(name, lead), matrix_of(inner.shape, partial(_text, texts, inner))


def _text(texts: Sequence[Printed | Undecided], places: Any, index: tuple[int, ...]) -> str:
    return printed_text(texts[places[index]])


def values(sheet: Sheet, name: Name) -> Iterator[Chain]:
    """The numbers of a name; those of a stack matrix by matrix."""
    shape = sheet.shape(name)
    if len(shape) < 3 or sum(size != 1 for size in shape) <= 1:
        yield Chain(sheet.symbols.name(name), (_value(sheet, name),))
        return
    for lead in _some(sheet, list(leads(shape))):
        what = Plane(_plain(name), lead)
        yield Chain(sheet.symbols.name(what), (_value(sheet, what),))


def _plain(name: Name) -> str | Adjoint:
    assert not isinstance(name, Plane)
    return name


def _value(sheet: Sheet, name: Name) -> Link:
    return Link("=" if sheet.exact(name) else r"\approx", (sheet.value(name),))


def _some(sheet: Sheet, places: list[Lead]) -> list[Lead]:
    most = sheet.detail.planes
    return places if len(places) <= most else places[: most - 2]

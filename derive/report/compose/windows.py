"""Convolutions and pooling, as a lecturer shows them.

Behind the matrix form of a convolution stand its index formula, its entries worked out by hand, and the same thing as a
product of matrices; behind a pooling the winners of its windows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import product
from math import prod
from typing import Any

import numpy as np

from derive.graph.expression import Adjoint, Expression, Name, Plane
from derive.graph.network import Equation
from derive.graph.ops.frames import Frame
from derive.graph.ops.reach import seen
from derive.graph.ops.windows import CONVOLUTIONS, POOLS, frame_of
from derive.graph.sizes import is_scalar
from derive.numbers.functions import first_largest
from derive.report.compose.sheet import Sheet, left_out, packed
from derive.report.compose.stacks import planes
from derive.report.document import Block, Chain, Display, Link, Math, Paragraph
from derive.report.notation.cells import Cell, rounded
from derive.report.notation.index_forms import Indexed
from derive.report.notation.matrices import WIDEST, matrix_of
from derive.report.widths import bound

Place = tuple[int, ...]
Entry = Callable[[Place], str]
Filling = Callable[[Name, Place], str]


# ── forward ─────────────────────────────────────────────────────────────────────────────────────────────────────


def behind_equation(sheet: Sheet, equation: Equation) -> Iterator[Block]:
    """What belongs behind the matrix form of an equation: the matrices of a stack, and how its windows work."""
    yield from planes(sheet, equation.name, equation.value)
    for node in _windows(equation.value) if sheet.detail.reasons else ():
        if node.op in CONVOLUTIONS:
            yield from _convolution(sheet, equation, node)
        else:
            yield from _pooling(sheet, equation, node)


def _windows(value: Expression) -> Iterator[Expression]:
    """The convolutions and poolings that an equation is, or is a sum of."""
    for term in value.args if value.op == "add" else (value,):
        if term.op in (*CONVOLUTIONS, *POOLS) and all(arg.op == "name" for arg in term.args):
            yield term


def _convolution(sheet: Sheet, equation: Equation, node: Expression) -> Iterator[Block]:
    words, name = sheet.words, str(equation.name)
    others = [term for term in equation.value.args if term is not node] if equation.value.op == "add" else []
    frame = frame_of(node)
    if all(term.op == "name" for term in others):
        left, right = Indexed(sheet.symbols, node, name).value(others)
        if r"\sum" in right:  # a single place of a filter of one entry is no sum
            key = "windows.padded" if frame.padding else "windows.formula"
            yield Paragraph(words.say(key, x=sheet.math(node.args[0].name)))
            yield Display((Chain(left, (Link("=", (right,)),)),))
    if not sheet.first or any(isinstance(size, str) for size in (*frame.image, *frame.filters)):
        return
    if any(frame.left_over):
        yield Paragraph(words.say("windows.left_over", stride=frame.stride))
    yield from _by_hand(sheet, equation, prod(map(int, (frame.image[1], *frame.window))))
    if frame.dims == 1 and frame.image[1] == 1 and frame.flat:
        yield from _toeplitz(sheet, name, node, others)
    else:
        yield from _patches(sheet, name, node, others)


def _by_hand(sheet: Sheet, equation: Equation, products: int) -> Iterator[Block]:
    """Entries, each with its own sum: names, numbers, result."""
    name, value = str(equation.name), equation.value
    shape = tuple(map(int, value.shape))
    if "elements" not in sheet.part.problem.convention.style or is_scalar(shape) or products > sheet.detail.products:
        return
    places = list(np.ndindex(*shape))
    shown = places if len(places) <= sheet.detail.by_hand and len(shape) < 3 else places[:2]
    yield Paragraph(sheet.words.say("backward.elements"))
    for place in shown:
        yield Display((_entry(sheet, name, value, place),))
    if len(shown) < len(places):
        yield left_out(sheet, "backward.more", len(places), len(shown))


def _entry(sheet: Sheet, name: str, value: Expression, place: Place) -> Chain:
    links = [Link("=", _terms(sheet.entry_names.cell(value, place)))]
    if sheet.numeric:
        numbers = _terms(sheet.entry_numbers.cell(value, place))
        relation = sheet.relation(value)
        result = sheet.number(name, place).text
        exact = relation == "=" and sheet.exact(name)
        links += [Link(relation, numbers)] if numbers != (result,) else []
        links.append(Link("=" if exact else r"\approx", (result,)))
    return Chain(sheet.symbols.entry(name, place), tuple(packed(links)))


def _terms(cell: Cell) -> tuple[str, ...]:
    return cell.terms or (cell.text,)


# ── as a product of matrices ────────────────────────────────────────────────────────────────────────────────────


def _toeplitz(sheet: Sheet, name: str, node: Expression, others: Sequence[Expression]) -> Iterator[Block]:
    """A signal as a row times the matrix whose columns hold the filter, one window further each."""
    x, w = (str(arg.name) for arg in node.args)
    if not all(_constant_in(other) for other in others):
        return
    yield Paragraph(sheet.words.say("windows.toeplitz", of=sheet.math(name), x=sheet.math(x), w=sheet.math(w)))
    links: list[Link] = []
    for cell in _fillings(sheet):
        row = matrix_of(_whole(node.args[0]), partial(cell, x))
        matrix = banded(node, partial(cell, w))
        text = f"{row} {matrix}" + _plus(others, cell)
        if bound(text) < WIDEST:
            links.append(Link("=" if not links or sheet.relation(node) == "=" else r"\approx", (text,)))
    yield Display((Chain(sheet.symbols.name(name), (*links, *_ending(sheet, name, node))),))


def banded(node: Expression, entry: Entry) -> str:
    """The banded (Toeplitz) matrix of a filter that a row is multiplied by."""
    frame = frame_of(node)
    (size,), (count,), (k,) = frame.space, frame.places, frame.window

    def cell(index: Place) -> str:
        place = index[0] - frame.stride * index[1] + frame.padding
        return entry((0, place)) if 0 <= place < int(k) else "0"

    return matrix_of((int(size), int(count)), cell)


def _patches(sheet: Sheet, name: str, node: Expression, others: Sequence[Expression]) -> Iterator[Block]:
    """The matrix of patches (a row for each window) times the entries of a filter in a column."""
    frame = frame_of(node)
    height, width = prod(map(int, frame.places)), prod(map(int, (frame.image[1], *frame.window)))
    x, w = (str(arg.name) for arg in node.args)
    shown = Plane(name, (0, 0)) if not frame.flat and frame.dims == 2 else None if not frame.flat else name
    places: dict[str, Math | int] = {"x": sheet.math(x), "w": sheet.math(w), "rows": height, "columns": width}
    if not all(_constant_in(other) for other in others):
        return
    if shown is None or max(height, width) > sheet.detail.patches or width == 1:
        yield Paragraph(sheet.words.say("windows.patches_large", **places))
        return
    yield Paragraph(sheet.words.say("windows.patches" if frame.flat else "windows.patches_first", **places))
    links: list[Link] = []
    for cell in _fillings(sheet):
        matrix = patches(frame, partial(cell, x))
        column = _column([cell(w, frame.filter_at(0, c, p)) for c, p in _inside(frame)])
        text = f"{matrix} {column}" + _plus(others, cell)
        if bound(text) < WIDEST:
            links.append(Link("=" if not links or sheet.relation(node) == "=" else r"\approx", (text,)))
    left = rf"\operatorname{{vec}}({sheet.symbols.name(shown)})"
    yield Display((Chain(left, (*links, *_ending(sheet, shown, node, column=True))),))


def patches(frame: Frame, entry: Entry) -> str:
    """The matrix of patches of the first sample."""
    inside = list(_inside(frame))
    windows = list(product(*(range(int(count)) for count in frame.places)))

    def cell(index: Place) -> str:
        (c, p), i = inside[index[1]], windows[index[0]]
        place = tuple(frame.stride * a + b - frame.padding for a, b in zip(i, p, strict=True))
        if not all(0 <= a < int(size) for a, size in zip(place, frame.space, strict=True)):
            return "0"
        return entry(frame.image_at(0, c, place))

    return matrix_of((len(windows), len(inside)), cell)


def _inside(frame: Frame) -> Iterator[tuple[int, Place]]:
    """The places of a filter, channel by channel, row by row."""
    for c in range(int(frame.image[1])):
        for p in product(*(range(int(k)) for k in frame.window)):
            yield c, p


def _fillings(sheet: Sheet) -> list[Filling]:
    def names(name: Name, index: Place) -> str:
        return sheet.symbols.entry(name, index)

    def numbers(name: Name, index: Place) -> str:
        return sheet.number(name, index).text

    return [names, numbers] if sheet.numeric else [names]


def _constant_in(other: Expression) -> bool:
    """Whether what is added is one number for every filter."""
    return other.op == "name" and all(
        size == 1 for k, size in enumerate(other.shape) if k != 1 or len(other.shape) == 2
    )


def _plus(others: Sequence[Expression], cell: Filling) -> str:
    return "".join(f" + {Cell(cell(other.name, (0,) * len(other.shape))).factor()}" for other in others)


def _column(entries: Sequence[str]) -> str:
    return matrix_of((len(entries), 1), lambda index: entries[index[0]])


def _ending(sheet: Sheet, what: Name, node: Expression, column: bool = False) -> list[Link]:
    """The value of a result, of a matrix as the column of its entries row by row."""
    if not sheet.numeric:
        return []
    shape = tuple(map(int, sheet.shape(what)))
    entries = [sheet.number(what, index).text for index in np.ndindex(*shape)]
    text = _column(entries) if column else sheet.value(what)
    exact = sheet.relation(node) == "=" and sheet.exact(what)
    return [Link("=" if exact else r"\approx", (text,))]


def _whole(node: Expression) -> Place:
    return tuple(int(size) for size in node.shape)


# ── pooling ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _pooling(sheet: Sheet, equation: Equation, node: Expression) -> Iterator[Block]:
    """Which entry won each window; the entries of a mean worked out."""
    if not sheet.numeric or node is not equation.value:
        return
    name, image = str(equation.name), str(node.args[0].name)
    if node.op == "avg_pool":
        yield from _by_hand(sheet, equation, len(seen(node, (0,) * len(node.shape))))
        return
    shape = _whole(node)
    places = list(np.ndindex(*shape))
    shown = places if len(places) <= sheet.detail.by_hand else places[:2]
    yield Paragraph(sheet.words.say("windows.winners", of=sheet.math(name), image=sheet.math(image)))
    values = sheet.part.shown.expression(node.args[0])
    chains = [_won(sheet, name, image, node, values, place) for place in shown]
    yield Display(tuple(chains))
    if len(shown) < len(places):
        yield left_out(sheet, "windows.more_winners", len(places), len(shown))


def _won(sheet: Sheet, name: str, image: str, node: Expression, values: Any, place: Place) -> Chain:
    """``y_{11} = \\max(a_{11}, …) = a_{12} = 5``"""
    entries = seen(node, place)
    cells = [sheet.symbols.entry(image, entry) for entry in entries]
    whole = rf"{sheet.symbols.function('maximum')}({', '.join(cells)})"
    winner = entries[first_largest([values[entry] for entry in entries])]
    value = sheet.number(name, place).text
    links = [Link("=", (whole,))] if 1 < len(cells) <= sheet.detail.products else []
    links.append(Link("=", (sheet.symbols.entry(image, winner),)))
    exact = sheet.goes_on(image) and sheet.exact(name)
    links.append(Link("=" if exact else r"\approx", (value,)))
    return Chain(sheet.symbols.entry(name, place), tuple(packed(links)))


# ── backward ────────────────────────────────────────────────────────────────────────────────────────────────────


def behind_adjoint(sheet: Sheet, adjoint: Adjoint, value: Expression) -> Iterator[Block]:
    """What belongs behind the matrix form of a derivative: the matrices of a stack, index formulas, matrix products."""
    yield from planes(sheet, adjoint, value)
    network, words = sheet.part.network, sheet.words
    if adjoint.numerator or not sheet.detail.reasons:
        return
    for node, via in _convolved(sheet, adjoint.by):
        frame, of = frame_of(node), sheet.symbols.name(adjoint.of)
        indexed = Indexed(sheet.symbols, node, via)
        filters = str(node.args[1].name) == adjoint.by
        left, right = (indexed.by_filter if filters else indexed.by_image)(of)
        several = len(network.users()[adjoint.by]) > 1
        if r"\sum" not in right or Adjoint(adjoint.of, via) not in sheet.part.shape_adjoints:
            continue  # no sum, or no way to the loss
        yield Paragraph(words.say("windows.formula_part" if several else "windows.formula_back", via=sheet.math(via)))
        yield Paragraph((Math(right),)) if several else Display((Chain(left, (Link("=", (right,)),)),))
        if not several and sheet.numeric and sheet.first and value.op.startswith(node.op):
            yield from _product_back(sheet, adjoint, node, via, frame, filters)


def _convolved(sheet: Sheet, name: str) -> Iterator[tuple[Expression, str]]:
    """The convolutions that a name enters, with the equations that they stand in."""
    for equation in sheet.part.network.equations:
        for node in _windows(equation.value):
            if node.op in CONVOLUTIONS and [str(arg.name) for arg in node.args].count(name) == 1:
                yield node, str(equation.name)


def _product_back(
    sheet: Sheet, adjoint: Adjoint, node: Expression, via: str, frame: Frame, filters: bool
) -> Iterator[Block]:
    """The derivative of a filter as patches transposed, that of a signal as the banded matrix transposed."""
    words, G = sheet.words, Adjoint(adjoint.of, via)
    x, w = (str(arg.name) for arg in node.args)
    if any(isinstance(size, str) for size in (*frame.image, *frame.filters)) or not frame.flat:
        return
    exact = all(sheet.goes_on(name) for name in (G, x if filters else w))
    end = Link("=" if exact and sheet.exact(adjoint) else r"\approx", (sheet.value(adjoint),))

    def number(name: Name) -> Entry:
        return lambda index: sheet.number(name, index).text

    if not filters:
        if frame.dims == 2 or frame.image[1] != 1:
            return
        yield Paragraph(words.say("windows.toeplitz_back"))
        row = matrix_of(tuple(map(int, sheet.shape(G))), number(G))
        named = rf"{sheet.symbols.name(G)} {banded(node, partial(sheet.symbols.entry, w))}^{{\top}}"
        text = rf"{row} {banded(node, number(w))}^{{\top}}"
        links = [Link("=", (named,)), Link("=" if exact else r"\approx", (text,)), end]
        yield Display((Chain(sheet.symbols.name(adjoint), tuple(packed(links))),))
        return
    height, width = prod(map(int, frame.places)), prod(map(int, (frame.image[1], *frame.window)))
    if max(height, width) > sheet.detail.patches or 1 in (width, height):
        return
    yield Paragraph(words.say("windows.patches_back"))
    column = _column([number(G)(index) for index in np.ndindex(*map(int, sheet.shape(G)))])
    entries = [number(adjoint)(index) for index in np.ndindex(*map(int, sheet.shape(adjoint)))]
    handed = rf"\operatorname{{vec}}{rounded(sheet.symbols.name(G))}"
    named = rf"{patches(frame, partial(sheet.symbols.entry, x))}^{{\top}} {handed}"
    text = rf"{patches(frame, number(x))}^{{\top}} {column}"
    left = rf"\operatorname{{vec}}{rounded(sheet.symbols.name(adjoint))}"
    links = [Link("=", (named,)), Link("=" if exact else r"\approx", (text,)), Link(end.relation, (_column(entries),))]
    yield Display((Chain(left, tuple(links)),))


# ── conventions ─────────────────────────────────────────────────────────────────────────────────────────────────


def notation_used(sheet: Sheet) -> Iterator[tuple[str, dict[str, Math]]]:
    """The keys of the sentences that explain the notation that a report uses, with what they speak of."""
    values = [equation.value for equation in sheet.part.network.equations]
    if sheet.part.derivation is not None:
        values += sheet.part.derivation.adjoints.values()
    nodes = [node for value in values for node in value.nodes()]
    used = {node.op for node in nodes}
    text = " ".join(sheet.letters.text(value) for value in values if any(node.op in SLIDING for node in value.nodes()))
    if used & set(CONVOLUTIONS):
        yield "star", {"star": Math(r"X \star W")}
    words = ("pad", "dil", "rot", "flip", "crop", "maxpool", "avgpool", "mask", "up", "route", "share")
    for word in words:
        if rf"\operatorname{{{word}}}" in text:
            script = {"rot": "_{180}", "flip": ""}.get(word, "_n")
            yield word, {"word": Math(rf"\operatorname{{{word}}}{script}"), "n": Math("n")}
    if "max_pool" in used:
        yield "ties", {}
    sums = [node for node in nodes if node.op == "add" and any(term.op in CONVOLUTIONS for term in node.args)]
    if any(len(term.shape) > 2 and term.shape != node.shape for node in sums for term in node.args):
        yield "bias", {}
    if any(len(node.shape) > 2 for node in nodes):
        yield "stack", {"plane": Math("X_{1,2,:,:}")}


SLIDING = (
    *(f"{name}{role}" for name in CONVOLUTIONS for role in ("", "_image", "_filter")),
    *("max_pool", "avg_pool", "max_pool_route", "max_pool_pick", "avg_pool_back"),
)

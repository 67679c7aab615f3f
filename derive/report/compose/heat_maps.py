"""A picture of a gradient of which the page prints only the corners."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import prod

import numpy as np

from derive.graph.expression import Adjoint
from derive.numbers import arrays
from derive.numbers.rounding import Printed
from derive.report.compose.sheet import Sheet
from derive.report.document import Block, Figure, Math
from derive.report.figures.heat_map import blocks, heat_map
from derive.report.speech import spoken

LEAST = 64  # entries: fewer tiles than these show nothing


def worth_a_map(sheet: Sheet, adjoint: Adjoint) -> bool:
    """Whether a gradient that was asked for is a matrix with numbers that is printed in part."""
    part = sheet.part
    shape = sheet.shape(adjoint)
    if not sheet.numeric or adjoint.by not in part.asked.gradients or adjoint.by not in part.network.data:
        return False
    if len(shape) != 2 or min(map(int, shape)) < 2 or prod(map(int, shape)) < LEAST:
        return False
    return re.search(r"\\[cv]dots", sheet.value(adjoint)) is not None


def map_of(sheet: Sheet, adjoint: Adjoint) -> Iterator[Block]:
    """The heat map; nothing where every entry prints as 0."""
    shape = tuple(map(int, sheet.shape(adjoint)))
    values = np.asarray(arrays.to_floats(sheet.part.shown.value(adjoint)), dtype=float).reshape(shape)
    if not np.isfinite(values).all() or not values.any():
        return
    places = [divmod(int(k), shape[1]) for k in (values.argmin(), values.argmax(), abs(values).argmax())]
    low, high, far = (sheet.number(adjoint, place).text for place in places)
    decided = all(isinstance(sheet.printed_entry(adjoint, place), Printed) for place in places)
    if not decided or not re.search("[1-9]", far):
        return
    most = far.removeprefix("-")
    matrix = values.tolist()
    scene = heat_map(matrix, (f"-{most}", "0", most))
    symbol = rf"\partial {sheet.symbols.name(adjoint.of)} / \partial {sheet.symbols.name(adjoint.by)}"
    size = rf"{shape[0]} \times {shape[1]}"
    tiles = blocks(matrix)
    whole = tiles.height == tiles.width == 1
    words = sheet.words
    caption = words.say("heat_map.caption", matrix=Math(symbol), size=Math(size))
    if not whole:
        caption += words.say("heat_map.blocks", block=Math(rf"{tiles.height} \times {tiles.width}"))
    said = words.text(
        "heat_map.alternative",
        matrix=spoken(symbol, words.language),
        rows=str(shape[0]),
        columns=str(shape[1]),
        low=spoken(low, words.language),
        high=spoken(high, words.language),
    )
    yield Figure(scene, caption, said)

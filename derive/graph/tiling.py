"""Blocks among zeros that fill a matrix between them: (A 0) + (0 B) is (A B)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flint import fmpq

from derive.graph.expression import Expression
from derive.graph.ops.rearranging import concat

Apart = Callable[[Expression], tuple[fmpq, Expression | None]]
Times = Callable[[fmpq, Expression | None], Expression]


def side_by_side(terms: Sequence[Expression], apart: Apart, times: Times) -> Expression | None:
    """The sum of the terms as its blocks; ``None`` where these leave a gap, overlap, or are none.

    ``apart`` takes the number in front of a term off, ``times`` puts it back.
    """
    found: list[tuple[int, Expression]] = []
    axes: set[int] = set()
    for term in terms:
        number, core = apart(term)
        if core is None or core.op != "place" or not core.args[0].shape:
            return None
        cut = [axis for axis, part in enumerate(core.at[:-1]) if part is not None]
        part = core.at[cut[0]]
        if len(cut) > 1 or part.step != 1 or not (isinstance(part.start, int) and isinstance(part.count, int)):
            return None
        axes.add(cut[0])
        found.append((part.start, times(number, core.args[0])))
    if len(found) < 2 or len(axes) > 1:
        return None
    (axis,) = axes
    found.sort(key=lambda block: block[0])
    end = 0
    for start, block in found:
        if start != end:
            return None
        end = start + int(block.shape[axis])
    return concat([block for _, block in found], axis) if end == terms[0].shape[axis] else None

"""Blocks among zeros that fill a matrix between them: (A 0) + (0 B) is (A B)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flint import fmpq

from derive.graph import ops
from derive.graph.expression import Expression
from derive.graph.ops.rearranging import concat

Apart = Callable[[Expression], tuple[fmpq, Expression | None]]
Times = Callable[[fmpq, Expression | None], Expression]


def side_by_side(terms: Sequence[Expression], apart: Apart, times: Times) -> Expression | None:
    """The sum of the terms as its blocks; ``None`` where these leave a gap, overlap, or are none.

    ``apart`` takes the number in front of a term off, ``times`` puts it back. Scalars of all blocks stand in front.
    """
    found: list[tuple[int, Expression]] = []
    axes: set[int] = set()
    fronts: list[tuple[Expression, ...]] = []
    for term in terms:
        number, core = apart(term)
        scalars, core = _scalars(core)
        fronts.append(scalars)
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
    starts = [start for start, _ in found]
    found.sort(key=lambda block: block[0])
    end = 0
    for start, block in found:
        if start != end:
            return None
        end = start + int(block.shape[axis])
    if end != terms[0].shape[axis]:
        return None
    same = len(set(fronts)) == 1
    order = sorted(range(len(found)), key=lambda k: starts[k])
    blocks = [block if same else ops.multiply(*fronts[k], block) for k, (_, block) in zip(order, found, strict=True)]
    whole = concat(blocks, axis)
    return ops.multiply(*fronts[0], whole) if same else whole


def _scalars(core: Expression | None) -> tuple[tuple[Expression, ...], Expression | None]:
    """The scalars of a product with one matrix, and that matrix."""
    if core is None or core.op != "multiply":
        return (), core
    solid = [factor for factor in core.args if factor.shape]
    if len(solid) != 1:
        return (), core
    return tuple(factor for factor in core.args if not factor.shape), solid[0]

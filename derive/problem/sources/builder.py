"""What a layer is drawn with: the arrays, and parameters that are given, drawn by a seed, or known by shape alone."""

from __future__ import annotations

import hashlib
from math import prod
from typing import Any, Protocol

from flint import fmpq

from derive.problem.sources.arrays import Array, Arrays
from derive.problem.sources.given import Shape, Values, filled, nested, shape_of, size
from derive.problem.wording import shown


class Builder:
    """What a layer is drawn with: the arrays, the seed of weights that are not given, and what the problem needs."""

    def __init__(self, arrays: Arrays, seed: int | None) -> None:
        self.arrays, self.seed = arrays, seed
        self.functions: dict[str, str] = {}
        self._drawn = 0

    def parameter(self, layer: object, key: str, shape: Shape, value: Values, role: str, plain: str = "") -> Array:
        """A parameter of this shape: its ``value``, a number shared by all, one drawn, or none.

        ``plain`` is what a seed makes of it where that is no draw: ones for a gain, zeros for a shift.
        """
        if value is None and self.seed is not None:
            value = {"ones": filled(shape, "1"), "zeros": filled(shape, "0")}.get(plain) or self._draw(shape)
        if value is not None:
            found = shape_of(value)
            if not found and role == "bias":
                shape = ()
            elif found != shape:
                raise self.arrays.draft.error(f"{key} of {label(layer)} is {size(found)}, expected is {size(shape)}")
        return self.arrays.datum(shape, value, trained=True, role=role)

    def _draw(self, shape: Shape) -> Any:
        """Tenths from -0.9 to 0.9 without 0, from a hash: the same on every machine and with every version."""
        tenths = [tenth for tenth in range(-9, 10) if tenth]
        whole = [size for size in shape if isinstance(size, int)]
        flat = []
        for _ in range(prod(whole)):
            self._drawn += 1
            digest = hashlib.sha256(f"{self.seed}:{self._drawn}".encode()).digest()
            flat.append(fmpq(tenths[int.from_bytes(digest[:8], "big") % len(tenths)], 10))
        return nested(flat, whole)


class Layer(Protocol):
    """What stands in a ``Sequential``."""

    def draw(self, builder: Builder, x: Array) -> Array:
        """The layer's output for the input ``x``, its equations added to the draft."""


def expect(builder: Builder, layer: object, x: Array, width: int) -> None:
    """Raise ``ProblemError`` unless the input is as wide as the layer takes it."""
    if not x.shape or x.shape[-1] != width:
        found = x.shape[-1] if x.shape else 0
        raise builder.arrays.draft.error(f"{label(layer)} takes {width} inputs, and it is given {found}")


def label(layer: object) -> str:
    """A layer as it is written, without its numbers: ``Dense(3, 2)``."""
    values = [getattr(layer, name) for name in getattr(layer, "__match_args__", ())]
    sizes = [str(value) for value in values if isinstance(value, int) and not isinstance(value, bool)]
    return f"{type(layer).__name__}({', '.join(sizes)})" if values else shown(layer)

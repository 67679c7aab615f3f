"""Networks of layers: ``Sequential(Dense(3, 2), Sigmoid(), Dense(2, 1))`` becomes a problem with data and a loss."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from derive.errors import ProblemError
from derive.problem.problem import Problem
from derive.problem.sources.arrays import Array, Arrays, shown
from derive.problem.sources.builder import Builder, Layer, label
from derive.problem.sources.draft import Draft, Size
from derive.problem.sources.given import Values, rows
from derive.problem.sources.losses import Loss


class Residual:
    """``x + f(x)``: a skip connection around some layers."""

    def __init__(self, *layers: Layer) -> None:
        self.layers = layers

    def draw(self, builder: Builder, x: Array) -> Array:
        """See ``Layer``."""
        inside = x
        for layer in self.layers:
            inside = layer.draw(builder, inside)
        if inside.shape != x.shape:
            raise builder.arrays.draft.error(
                f"a skip connection from {shown(x.shape)} to {shown(inside.shape)}: the shapes are to be the same"
            )
        return builder.arrays.let(builder.arrays.binary("+", inside, x), "activation")

    def __repr__(self) -> str:
        return f"Residual({', '.join(map(repr, self.layers))})"


# ── the network ─────────────────────────────────────────────────────────────────────────────────────────────────


class Sequential:
    """Layers one after another, by their usual names, or as one list. Samples are rows."""

    def __init__(self, *layers: Any) -> None:
        found = list(_layers(layers))
        if not found:
            raise ProblemError("Sequential has no layer", hint="Sequential(Dense(3, 2), Sigmoid())")
        for layer in found:
            if isinstance(layer, type) or not hasattr(layer, "draw"):
                written = f"{layer.__name__}, without brackets" if isinstance(layer, type) else label(layer)
                raise ProblemError(
                    f"Sequential has {written[:80]}, which is no layer", hint="Sigmoid(), Dense(3, 2), …"
                )
        self.layers: tuple[Layer, ...] = tuple(found)

    def __repr__(self) -> str:
        return f"Sequential({', '.join(map(repr, self.layers))})"

    def problem(
        self,
        x: Values = None,
        target: Values = None,
        *,
        loss: Loss | None = None,
        seed: int | None = None,
        samples: Size = 1,
        ask: Mapping[str, Any] | None = None,
        convention: Mapping[str, Any] | None = None,
        title: str | Mapping[str, str] | None = None,
        name: str = "problem",
        **tables: Mapping[str, Any],
    ) -> Problem:
        """The problem: this network at the input ``x``, and its ``loss`` against the ``target``.

        ``x`` is a list of samples, or one as a flat list; without it the first layer says how wide it is, and
        ``samples`` how many there are (a number, or a name such as ``"N"``). Weights that are not given are drawn in
        tenths where there is a ``seed``, and else known by their shape. ``ask``, ``convention`` and further tables
        (``captions``, ``symbols``, ``names``) are those of a problem file; the names are ``x``, ``W1``, ``b1``,
        ``z1``, ``h1``, …, ``y``, ``t``, and ``E`` or ``L`` for the loss. Raises ``ProblemError`` and ``Unsupported``.
        """
        draft = Draft("Sequential")
        builder = Builder(Arrays(draft), seed)
        y = self._input(builder, x, samples)
        for count, layer in enumerate(self.layers, 1):
            draft.where = f"layer {count}, {label(layer)}"
            y = layer.draw(builder, y)
        draft.where = ""
        if target is not None and loss is None:
            raise ProblemError("Sequential: a target without a loss", hint="loss=derive.MSELoss()")
        if loss is not None:
            y = loss.draw(builder.arrays, y, target)
        functions = {**builder.functions, **tables.pop("functions", {})}
        own = {"title": title, "ask": ask, "convention": convention, "functions": functions, **tables}
        return draft.problem(y.node, tables=own, name=name)

    def _input(self, builder: Builder, x: Values, samples: Size) -> Array:
        if x is not None:
            value, shape = rows(x)
            return builder.arrays.datum(shape, value, role="input")
        width = next((layer.inputs for layer in self.layers if hasattr(layer, "inputs")), None)
        if width is None or not hasattr(self.layers[0], "inputs"):
            raise ProblemError(f"Sequential: the size of x is not known from {label(self.layers[0])}", hint="give x")
        return builder.arrays.datum((samples, width), role="input")


def _layers(given: Any) -> Iterator[Any]:
    for layer in given:
        if isinstance(layer, list | tuple):
            yield from _layers(layer)
        else:
            yield layer

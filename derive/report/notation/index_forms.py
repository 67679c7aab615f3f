r"""Index formulas of convolutions: ``z_{ij} = \sum_{p=1}^{2} \sum_{q=1}^{2} w_{pq}\, x_{i+p-1,j+q-1}``.

Samples are n, filters f, channels c, places i and j, places in the filter p and q, all counted from 1. An axis of
size 1 has the index 1, and in a row or a column none. What an index beyond the border calls is 0.
"""

from __future__ import annotations

from collections.abc import Sequence

from derive.graph.expression import Expression
from derive.graph.ops.frames import Frame
from derive.graph.ops.windows import frame_of
from derive.problem.problem import Shape, Size
from derive.report.notation.symbols import Symbols

OUT, INSIDE, IMAGE = {1: ("j",), 2: ("i", "j")}, {1: ("q",), 2: ("p", "q")}, {1: ("l",), 2: ("k", "l")}


class Indexed:
    """Prints entries of the operands of one convolution with running indices."""

    def __init__(self, symbols: Symbols, node: Expression, result: str) -> None:
        self.symbols, self.node, self.result = symbols, node, result
        self.frame: Frame = frame_of(node)
        self.x, self.w = (str(arg.name) for arg in node.args)

    def value(self, others: Sequence[Expression] = ()) -> tuple[str, str]:
        """The entry of the result and the sum it is; ``others`` are added, entry by entry."""
        frame = self.frame
        i, p = OUT[frame.dims], INSIDE[frame.dims]
        sums = self._sums((("c", frame.image[1]), *zip(p, frame.window, strict=True)))
        terms = [rf"{sums} {self._filter('f', 'c', p)}\, {self._image('n', 'c', self._reached(i, p))}"]
        terms += [self._added(other, i) for other in others]
        return self._out("n", "f", i), " + ".join(terms)

    def by_filter(self, of: str) -> tuple[str, str]:
        """The derivative by an entry of the filter."""
        frame = self.frame
        i, p = OUT[frame.dims], INSIDE[frame.dims]
        sums = self._sums((("n", frame.image[0]), *zip(i, frame.places, strict=True)))
        handed = self.symbols.partial(of, self._out("n", "f", i))
        left = self.symbols.partial(of, self._filter("f", "c", p))
        return left, rf"{sums} {handed}\, {self._image('n', 'c', self._reached(i, p))}"

    def by_image(self, of: str) -> tuple[str, str]:
        """The derivative by an entry of the image."""
        frame = self.frame
        i, k = OUT[frame.dims], IMAGE[frame.dims]
        sums = self._sums((("f", frame.filters[0]), *zip(i, frame.places, strict=True)))
        handed = self.symbols.partial(of, self._out("n", "f", i))
        places = [
            _written([(1, a, size), (-frame.stride, b, count)], frame.stride + frame.padding)
            for a, b, size, count in zip(k, i, frame.space, frame.places, strict=True)
        ]
        # Even a filter of one entry has its index here: it is 0 wherever another window looks.
        entry = self._entry(self.w, self.node.args[1].shape, frame.filter_at("f", "c", places), len(places))
        return self.symbols.partial(of, self._image("n", "c", k)), rf"{sums} {handed}\, {entry}"

    # ── pieces ──

    def _reached(self, i: Sequence[str], p: Sequence[str]) -> list[str]:
        frame = self.frame
        return [
            _written([(frame.stride, a, count), (1, b, k)], -frame.stride - frame.padding)
            for a, b, count, k in zip(i, p, frame.places, frame.window, strict=True)
        ]

    def _sums(self, over: Sequence[tuple[str, Size]]) -> str:
        return " ".join(rf"\sum_{{{letter}=1}}^{{{self._size(size)}}}" for letter, size in over if size != 1)

    def _size(self, size: Size) -> str:
        return str(size) if isinstance(size, int) else self.symbols.size(size)

    def _filter(self, f: str, c: str, place: Sequence[str]) -> str:
        return self._entry(self.w, self.node.args[1].shape, self.frame.filter_at(f, c, place))

    def _image(self, n: str, c: str, place: Sequence[str]) -> str:
        return self._entry(self.x, self.node.args[0].shape, self.frame.image_at(n, c, place))

    def _out(self, n: str, f: str, place: Sequence[str]) -> str:
        return self._entry(self.result, self.node.shape, self.frame.out_at(n, f, place))

    def _added(self, other: Expression, i: Sequence[str]) -> str:
        if all(size == 1 for size in other.shape):
            return self.symbols.name(other.name)
        return self._entry(str(other.name), other.shape, self.frame.out_at("n", "f", i))

    def _entry(self, name: str, shape: Shape, index: Sequence[object], places: int = 0) -> str:
        """An entry: 1 along an axis of size 1 of a stack, no index there of a row or a column.

        The last ``places`` indices are written in any case.
        """
        lone = sum(size != 1 for size in shape) <= 1 and len(shape) > 2 and not places
        forced = range(len(shape) - places, len(shape))
        kept = [
            str(k) if size != 1 or axis in forced else "1"
            for axis, (k, size) in enumerate(zip(index, shape, strict=True))
            if size != 1 or axis in forced or (len(shape) > 2 and not lone) or (len(shape) == 2 and self._capital(name))
        ]
        if not kept:
            return self.symbols.name(name)
        return self.symbols.indexed(
            name, ("" if all(len(k) == 1 for k in kept) and len(shape) == 2 else ",").join(kept)
        )

    def _capital(self, name: str) -> bool:
        return self.symbols.keeps_ones(name)


def _written(terms: Sequence[tuple[int, str, Size]], number: int) -> str:
    """A linear index such as ``2i+p-3``; a letter that only takes the value 1 is that number."""
    text = ""
    for factor, letter, extent in terms:
        if extent == 1:
            number += factor
            continue
        sign = "-" if factor < 0 else "+" if text else ""
        text += sign + (str(abs(factor)) if abs(factor) != 1 else "") + letter
    if not text:
        return str(number)
    return text + (f"{number:+d}" if number else "")

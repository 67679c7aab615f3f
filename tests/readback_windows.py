r"""What a strict reader knows of convolutions and pooling: ``\star``, ``\operatorname{pad}_1``, ``\operatorname{mask}_2``, …

Everything is worked out from its definition, window by window, on matrices of numbers. An index formula is held at every
index that its left-hand side can have.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
from flint import arb, fmpq

Number = Any
Array = Any
ZERO = fmpq(0)
WORDS = ("pad", "dil", "rot", "flip", "crop", "maxpool", "avgpool", "mask", "up", "route", "share", "vec")


class Misread(Exception):
    """Sizes or indices that do not fit."""


class Unread(Exception):
    """A word that is not worked out; the message names it."""


def _grid(shape: Sequence[int], cell: Callable[[tuple[int, ...]], Number]) -> Array:
    array = np.empty(tuple(shape), dtype=object)
    for index in np.ndindex(*shape):
        array[index] = cell(index)
    return array


def star(a: Array, b: Array, stride: int) -> Array:
    """The cross-correlation of two matrices; a filter of several rows over a single one acts row by row."""
    if a.shape[0] == 1 < b.shape[0]:
        return np.concatenate([star(a, b[k : k + 1], stride) for k in range(b.shape[0])])
    places = [(size - k) // stride + 1 for size, k in zip(a.shape, b.shape, strict=True)]
    if min(places) < 1:
        raise Misread(f"a filter of {b.shape} on {a.shape}")

    def cell(i: tuple[int, ...]) -> Number:
        terms = [a[stride * i[0] + p, stride * i[1] + q] * b[p, q] for p, q in np.ndindex(*b.shape)]
        return sum(terms[1:], terms[0])

    return _grid(places, cell)


def word(name: str, script: str, parts: Sequence[Array], shape: tuple[int, int] | None = None) -> Array:
    """The value of ``\\operatorname{name}_{script}(parts)``."""
    a = parts[0]
    match name:
        case "vec":
            return a.reshape(-1, 1)
        case "rot":
            return a[::-1, ::-1]
        case "flip":
            return a[:, ::-1]
        case "crop":
            ends = [int(end) for end in script.split(",")]
            rows, columns = ends if len(ends) == 2 else (0 if a.shape[0] == 1 else ends[0], ends[0])
            return a[: a.shape[0] - rows, : a.shape[1] - columns]
        case "pad":
            return _padded(a, script)
        case "dil":
            step = int(script)
            steps = [1 if a.shape[0] == 1 else step, step]
            sizes = [s * (size - 1) + 1 for s, size in zip(steps, a.shape, strict=True)]
            return _grid(sizes, lambda i: a[i[0] // steps[0], i[1] // steps[1]] if not _off(i, steps) else ZERO)
    return _pooled(name, script, parts)


def _off(index: tuple[int, ...], steps: Sequence[int]) -> bool:
    return any(i % s for i, s in zip(index, steps, strict=True))


def _padded(a: Array, script: str) -> Array:
    sides = [tuple(map(int, side.split(r"\mid"))) for side in script.split(",")]
    both = [(side[0], side[-1]) for side in sides]
    if len(both) == 1:
        both = [(0, 0) if a.shape[0] == 1 else both[0], both[0]]
    (top, bottom), (left, right) = both

    def cell(index: tuple[int, ...]) -> Number:
        i, j = index[0] - top, index[1] - left
        return a[i, j] if 0 <= i < a.shape[0] and 0 <= j < a.shape[1] else ZERO

    return _grid([a.shape[0] + top + bottom, a.shape[1] + left + right], cell)


def _windows(script: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """The size of a window and how far apart they stand, along each axis."""
    text, _, apart = script.partition(",")
    sizes = [int(size) for size in text.split(r"\times")]
    h, w = sizes if len(sizes) == 2 else sizes * 2
    return (h, w), (int(apart), int(apart)) if apart else (h, w)


def _pooled(name: str, script: str, parts: Sequence[Array]) -> Array:
    image = parts[-1]
    (h, w), (down, across) = _windows(script)
    if name == "up":
        return _grid([image.shape[0] * h, image.shape[1] * w], lambda i: image[i[0] // h, i[1] // w])
    if name == "share":
        raise Unread("shares of windows that overlap")
    counts = ((image.shape[0] - h) // down + 1, (image.shape[1] - w) // across + 1)
    seen = {
        place: [(place[0] * down + p, place[1] * across + q) for p, q in np.ndindex(h, w)]
        for place in np.ndindex(*counts)
    }
    match name:
        case "avgpool":
            return _grid(counts, lambda place: sum((image[k] for k in seen[place]), ZERO) / (h * w))
        case "maxpool":
            return _grid(counts, lambda place: image[_winner(image, seen[place])])
    result = _grid(image.shape, lambda index: ZERO)
    for place, entries in seen.items():
        winner = _winner(image, entries)
        result[winner] = result[winner] + (fmpq(1) if name == "mask" else parts[0][place])
    return result


def _winner(image: Array, entries: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """The first largest. Of rounded numbers the middle decides: what is tied when rounded need not be."""
    best = entries[0]
    for entry in entries[1:]:
        if _middle(image[entry]) > _middle(image[best]):
            best = entry
    return best


def _middle(x: Number) -> Any:
    return x.mid() if isinstance(x, arb) else arb(x)


def most(f: Callable[[Number, Number], Number], parts: Sequence[Number]) -> Number:
    """``f`` folded over several."""
    whole = parts[0]
    for part in parts[1:]:
        whole = f(whole, part)
    return whole


# ── index formulas ──────────────────────────────────────────────────────────────────────────────────────────────

_SUM = re.compile(r"\\sum_\{([cfijnpq])=1\}\^\{(\d+)\}\s*")


def is_index_formula(text: str) -> bool:
    """Whether a row is a formula with sums over ranges and shifted indices."""
    return _SUM.search(text) is not None and r"\," in text and r"\begin" not in text


class IndexFormula:
    """Reads ``z_{ij} = \\sum_{p=1}^{2} … w_{pq}\\, x_{i+p-1,j+q-1} + b``.

    ``shapes`` and ``values`` are those of the names, ``slopes`` of the derivatives of ``of``; ``indexed`` prints a name
    with running indices.
    """

    def __init__(
        self,
        shapes: Mapping[str, tuple[int, ...]],
        symbol: Callable[[str], str],
        indexed: Callable[[str, str], str],
        value: Callable[[str], Array],
        slope: Callable[[str], Array],
        of: str,
    ) -> None:
        self.shapes, self.symbol, self.value, self.slope, self.of = shapes, symbol, value, slope, of
        self.patterns = {name: self._pattern(indexed(name, "@,@"), indexed(name, "@")) for name in shapes}

    @staticmethod
    def _pattern(many: str, one: str) -> re.Pattern[str]:
        several = re.escape(many).replace("@,@", r"(?P<many>[^{}]+)")
        single = re.escape(one).replace("@", r"(?P<one>[a-z0-9])")
        return re.compile(f"{several}|{single}")

    def disagreements(self, left: str, right: str) -> Iterator[str]:
        """The indices at which the two sides differ."""
        name, slope, places = self._entry(left)
        shape = self.shapes[name]
        letters = sorted({letter for place in places for letter in re.findall("[a-z]", place)})
        extents = {}
        for place, axis in zip(places, self._axes(name, len(places)), strict=True):
            if place in letters:
                extents[place] = shape[axis]
        for chosen in product(*(range(1, extents[letter] + 1) for letter in letters)):
            here = dict(zip(letters, chosen, strict=True))
            ours, theirs = self._at(name, slope, places, here), self._sum(right, here)
            same = (
                ours == theirs
                if isinstance(ours, fmpq) and isinstance(theirs, fmpq)
                else arb(ours).overlaps(arb(theirs))
            )
            if not same:
                yield f"{here}: {ours} is not {theirs}"

    def _sum(self, text: str, here: dict[str, int]) -> Number:
        """The leading sum, and what is added behind it."""
        match = _SUM.match(text)
        if match is None:
            terms = text.split(" + ")
            whole = self._product(terms[0], here)
            return sum((self._product(term, here) for term in terms[1:]), whole)
        rest = text[match.end() :]
        head, *others = self._terms(rest)
        total = ZERO
        for k in range(1, int(match[2]) + 1):
            total = total + self._sum(head, {**here, match[1]: k})
        return sum((self._product(term, here) for term in others), total)

    @staticmethod
    def _terms(text: str) -> list[str]:
        return text.split(" + ")

    def _product(self, text: str, here: dict[str, int]) -> Number:
        whole: Number = fmpq(1)
        for factor in text.split(r"\,"):
            name, slope, places = self._entry(factor.strip())
            whole = whole * self._at(name, slope, places, here)
        return whole

    def _entry(self, text: str) -> tuple[str, bool, list[str]]:
        match = re.fullmatch(r"\\frac\{\\partial (.*?)\}\{\\partial (.*)\}", text)
        inner = text if match is None else match[2]
        if match is not None and match[1] != self.of:
            raise Misread(f"the derivative of {match[1]}")
        for name, pattern in self.patterns.items():
            if inner == self.symbol(name):
                return name, match is not None, []
            found = pattern.fullmatch(inner)
            if found is not None:
                several = found["many"]
                if several is None:
                    return name, match is not None, [found["one"]]
                lone = sum(size != 1 for size in self.shapes[name]) == 1 and "," not in several
                plain = "," in several or not several.isalnum() or lone
                return name, match is not None, several.split(",") if plain else list(several)
        raise Misread(f"{text} is no entry")

    def _axes(self, name: str, count: int) -> list[int]:
        shape = self.shapes[name]
        if count == len(shape):
            return list(range(count))
        axes = [axis for axis, size in enumerate(shape) if size != 1]
        if len(axes) < count < len(shape):
            return list(range(len(shape) - count, len(shape)))  # a filter of one entry, with the index of its place
        if len(axes) != count:
            raise Misread(f"{count} indices for {shape}")
        return axes

    def _at(self, name: str, slope: bool, places: Sequence[str], here: Mapping[str, int]) -> Number:
        array = self.slope(name) if slope else self.value(name)
        index = [0] * array.ndim
        for place, axis in zip(places, self._axes(name, len(places)) if places else [], strict=True):
            index[axis] = _worked_out(place, here) - 1
        if any(not 0 <= k < size for k, size in zip(index, array.shape, strict=True)):
            return ZERO
        return array[tuple(index)] if index else array.item()


def _worked_out(text: str, here: Mapping[str, int]) -> int:
    """``2i+p-3``"""
    total, place = 0, 0
    for match in re.finditer(r"([+-]?)(\d*)([a-z]?)", text):
        if not match[0]:
            continue
        if match.start() != place:
            raise Misread(f"{text} is no index")
        place = match.end()
        number = int(match[2] or 1) * (here[match[3]] if match[3] else 1)
        total += -number if match[1] == "-" else number
    if place != len(text):
        raise Misread(f"{text} is no index")
    return total

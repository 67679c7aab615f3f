"""A printed line of numbers laid over the line of symbols that it comes from: which number stands for which symbol.

``0.7896 · 0.0983 · 0.9866`` over ``(o_1 - t_1) o_1 (1 - o_1) h_1``: each number has to be the rounding of what it
stands for, however little it weighs in the product.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import permutations
from typing import NamedTuple

from derive.numbers.balls import Number
from derive.review.lint.evaluate import Evaluator
from derive.review.lint.tree import Misfit, Node, Unread
from derive.review.lint.values import Value, meets, scalar

Lay = Callable[[Sequence[Node], Sequence[Node]], "Laid | None"]
MOST_TURNED = 4  # factors, or terms, that are tried in every order
MOST = 14  # factors, or terms, of a product that is laid over another


class Odd(NamedTuple):
    """A printed number that is not what stands in its place."""

    node: Node
    printed: Number
    right: Number


class Laid(NamedTuple):
    """How a line lies over another: numbers that do not fit, numbers in pieces that could only be compared as a whole,
    and numbers in all.
    """

    odd: tuple[Odd, ...] = ()
    loose: int = 0
    numbers: int = 0

    @property
    def cost(self) -> tuple[int, int]:
        """The less, the better it lies: a number laid over the wrong symbol tells more than none laid over any."""
        return len(self.odd) + 2 * self.loose, len(self.odd)

    def plus(self, other: Laid) -> Laid:
        """Both together."""
        return Laid(self.odd + other.odd, self.loose + other.loose, self.numbers + other.numbers)


class Overlay:
    """Lays lines over each other: ``sharp`` works symbols out, ``wide`` printed numbers."""

    def __init__(self, sharp: Evaluator, wide: Evaluator) -> None:
        self.sharp, self.wide = sharp, wide
        self._known: dict[int, tuple[Node, Value | None]] = {}
        self.left = 4_000  # comparisons; what takes more is compared as a whole

    def value(self, node: Node) -> Value | None:
        """The value of symbols; ``None`` where they are not read."""
        found = self._known.get(id(node))
        if found is None:
            try:
                found = node, self.sharp.value(node)
            except (Unread, Misfit):
                found = node, None
            self._known[id(node)] = found
        return found[1]

    def lay(self, symbols: Node, numbers: Node) -> Laid | None:
        """How the numbers lie over the symbols; ``None`` where they cannot."""
        self.left -= 1
        if plain(numbers) or self.left < 0:
            return self._whole(symbols, numbers)
        a, b = bare(symbols), bare(numbers)
        if a.kind == b.kind == "neg":
            return self.lay(a.kids[0], b.kids[0])
        if {"mul", "neg"} & {a.kind, b.kind}:
            factors = _factors(a), _factors(b)
            found = None if len(factors[0]) == len(factors[1]) == 1 else self._best(*factors, self._rows)
        elif a.kind == b.kind == "add":
            found = self._best(_signed_terms(a), _signed_terms(b), self._terms)
        elif a.kind == b.kind and a.at == b.at and len(a.kids) == len(b.kids):
            found = self._kids(a, b)
        else:
            found = None
        return found if found is not None else self._whole(symbols, numbers)

    def _kids(self, a: Node, b: Node) -> Laid | None:
        total = Laid()
        for one, other in zip(a.kids, b.kids, strict=True):
            laid = self.lay(one, other)
            if laid is None:
                return None
            total = total.plus(laid)
        return total

    def _terms(self, symbols: Sequence[Node], numbers: Sequence[Node]) -> Laid | None:
        """Terms over terms, signs and all."""
        if len(symbols) != len(numbers):
            return None
        total = Laid()
        for one, other in zip(symbols, numbers, strict=True):
            laid = self.lay(one, other)
            if laid is None:
                return None
            total = total.plus(laid)
        return total

    def _best(self, symbols: Sequence[Node], numbers: Sequence[Node], lay: Lay) -> Laid | None:
        """In the order of print; where that does not fit, in the one that does: b a may be printed for a b."""
        best = lay(symbols, numbers)
        if best is None or not best.odd or not 1 < len(numbers) <= MOST_TURNED or len(symbols) > MOST_TURNED + 2:
            return best
        if all(map(plain, numbers)) and self._lone(numbers):
            for turned in permutations(numbers):
                laid = lay(symbols, turned)
                if laid is not None and not laid.odd:
                    return laid
        return best

    def _lone(self, numbers: Sequence[Node]) -> bool:
        """Whether the order of the factors says nothing."""
        try:
            return all(self.wide.value(node).lone for node in numbers)
        except (Unread, Misfit):
            return False

    def _whole(self, symbols: Node, numbers: Node) -> Laid | None:
        """Compared as one: exactly what plain numbers stand for, and loosely anything else."""
        value = self.value(symbols)
        if value is None:
            return None
        try:
            printed = self.wide.value(numbers)
            value = value.fitted(printed.shape) if value.free != (False, False) or value.eye else value
        except (Unread, Misfit):
            return None
        if printed.shape != value.shape:
            return None
        leaves = _leaves(numbers) if plain(numbers) else None
        nodes = (
            leaves if leaves is not None and len(leaves) == len(printed.entries) else [numbers] * len(printed.entries)
        )
        odd = tuple(
            Odd(node, x, y) for node, x, y in zip(nodes, printed.entries, value.entries, strict=True) if not meets(x, y)
        )
        count = sum(node.kind in ("num", "sci") for node in numbers.walk())
        return Laid(odd, 0 if plain(numbers) else max(count, 1), max(count, 1))

    def _rows(self, symbols: Sequence[Node], numbers: Sequence[Node]) -> Laid | None:
        """Factors over factors, one for several or several for one; of all ways the one that fits best."""
        if len(symbols) > MOST or len(numbers) > MOST:
            return None
        best: dict[tuple[int, int], Laid] = {(0, 0): Laid()}
        for i in range(len(symbols) + 1):
            for j in range(len(numbers) + 1):
                ways = []
                for back_i, back_j in _steps(i, j):
                    before = best.get((i - back_i, j - back_j))
                    if before is None:
                        continue
                    laid = self._group(symbols[i - back_i : i], numbers[j - back_j : j])
                    if laid is not None:
                        ways.append(before.plus(laid))
                if ways:
                    best[i, j] = min(ways, key=lambda laid: laid.cost)
        return best.get((len(symbols), len(numbers)))

    @cached_property
    def _groups(self) -> dict[tuple[int, ...], Node]:
        return {}

    def _group(self, symbols: Sequence[Node], numbers: Sequence[Node]) -> Laid | None:
        one, other = (self._joined(nodes) for nodes in (symbols, numbers))
        if len(symbols) == len(numbers) == 1:
            return self.lay(one, other)
        if len(numbers) == 1 and not plain(other):
            return None
        return self._whole(one, other)

    def _joined(self, nodes: Sequence[Node]) -> Node:
        if len(nodes) == 1:
            return nodes[0]
        key = tuple(id(node) for node in nodes)
        if key not in self._groups:
            self._groups[key] = Node("mul", tuple(nodes))
        return self._groups[key]


class Mended(Evaluator):
    """Works a line out with the right numbers in place of the odd ones."""

    def __init__(self, wide: Evaluator, odd: Sequence[Odd]) -> None:
        super().__init__(wide.setting, wide.decimal)
        self._right: dict[int, Number] = {}
        for node, _, right in odd:
            synthetic = node.kind == "neg"
            self._right[id(bare(node.kids[0]) if synthetic else bare(node))] = -right if synthetic else right
        self._used: set[int] = set()
        self._count = len(odd)

    @property
    def done(self) -> bool:
        """Whether every odd number has been met, each in a place of its own."""
        return len(self._used) == self._count

    def value(self, node: Node) -> Value:
        """The value of a piece. Raises ``Unread`` and ``Misfit``."""
        if id(node) in self._right:
            self._used.add(id(node))
            return scalar(self._right[id(node)])
        return super().value(node)


def _steps(i: int, j: int) -> list[tuple[int, int]]:
    steps = [(1, 1)] if i and j else []
    steps += [(k, 1) for k in range(2, i + 1)] if j else []
    steps += [(1, k) for k in range(2, j + 1)] if i else []
    return steps


def bare(node: Node) -> Node:
    """Without brackets around all of it."""
    while node.kind == "bracket":
        node = node.kids[0]
    return node


def _factors(node: Node) -> list[Node]:
    if node.kind == "neg":  # the sign goes to the first of them
        first, *rest = _factors(bare(node.kids[0]))
        return [Node("neg", (first,)), *rest]
    if node.kind != "mul":
        return [node]
    return [factor for kid in node.kids for factor in (_factors(bare(kid)) if bare(kid).kind == "mul" else [kid])]


def _signed_terms(node: Node) -> list[Node]:
    return [kid if sign > 0 else Node("neg", (kid,)) for sign, kid in zip(node.at, node.kids, strict=True)]


def plain(node: Node) -> bool:
    """Whether it is a printed number, with its sign, or a matrix of such."""
    node = bare(node)
    if node.kind in ("num", "sci"):
        return True
    if node.kind in ("neg", "transpose"):
        return plain(node.kids[0])
    if node.kind == "frac":
        return all(bare(kid).kind == "num" for kid in node.kids)
    return node.kind == "matrix" and all(plain(kid) and bare(kid).kind != "matrix" for kid in node.kids)


def _leaves(node: Node) -> list[Node]:
    """The printed numbers of a plain matrix, row by row; a transposed one is taken as a whole."""
    node = bare(node)
    return [leaf for kid in node.kids for leaf in _leaves(kid)] if node.kind == "matrix" else [node]

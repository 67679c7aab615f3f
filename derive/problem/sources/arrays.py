"""NumPy's arrays in a language without 1-D arrays.

An ``Array`` has the shape that its source gives it and an expression of the language. Two axes and more are the same
in both; an array of one axis is laid out as a row, or as a column where a source writes ``W @ x``. Each operation says
which expression has the value that NumPy's operation has, transposes put in where the layout needs one.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, Literal

from flint import fmpq

from derive.problem.functions import FUNCTIONS
from derive.problem.sources.draft import Draft, Shape, Size
from derive.problem.syntax import Binary, Call, Compare, Index, Name, Negate, Node, Number, Transpose
from derive.records import dataclass

Layout = Literal["row", "column"]
Item = int | tuple[int | None, int | None, int | None]  # of an index: a number, or a slice


@dataclass(frozen=True, slots=True)
class Array:
    """An expression with the shape that NumPy gives it; ``value`` is its number where it is a plain one."""

    node: Node
    shape: Shape
    value: fmpq | None = None

    @property
    def axes(self) -> int:
        """How many axes."""
        return len(self.shape)


def number(value: fmpq) -> Array:
    """A scalar constant; a fraction whose decimals do not end is a quotient, a negative one a negation."""
    size = abs(value)
    plain: Node = Number(size)
    rest = int(size.q)
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if rest != 1:
        plain = Binary("/", Number(fmpq(size.p)), Number(fmpq(size.q)))
    return Array(Negate(plain) if value < 0 else plain, (), value)


class Arrays:
    """The operations, over one draft. ``layout`` is how an array of one axis lies; ``turns`` counts its transposes."""

    def __init__(self, draft: Draft, layout: Layout = "row") -> None:
        self.draft, self.layout, self.turns = draft, layout, 0

    # ── layout ──────────────────────────────────────────────────────────────────────────────────────────────────

    def laid(self, shape: Shape) -> Shape:
        """The shape in the language."""
        if len(shape) != 1:
            return shape
        return (1, shape[0]) if self.layout == "row" else (shape[0], 1)

    def turned(self, array: Array) -> Node:
        """The array, transposed in the language."""
        self.turns += 1
        return array.node.operand if isinstance(array.node, Transpose) else Transpose(array.node)

    def as_row(self, array: Array) -> Node:
        """An array of one axis as a row, the way it meets a matrix."""
        return self.turned(array) if array.axes == 1 and self.layout == "column" else array.node

    def fitted(self, node: Node, found: Shape, shape: Shape) -> Array:
        """What the language gives with the shape ``found``, as an array of ``shape``: the same entries in order."""
        wanted = self.laid(shape)
        if found == wanted:
            return Array(node, shape)
        if len(found) == len(wanted) == 2 and found[::-1] == wanted and 1 in found:
            return Array(self.turned(Array(node, shape)), shape)
        if not wanted and all(size == 1 for size in found):
            return Array(Index(node, (0,) * len(found)), ())
        self.draft.require("reshape")
        sizes = tuple(Number(fmpq(self.whole(size))) for size in wanted)
        return Array(Call("reshape", (node, *sizes)), shape)

    # ── steps and data ──────────────────────────────────────────────────────────────────────────────────────────

    def let(
        self, array: Array, role: str = "", comment: str = "", name: str | None = None, loop: bool = False
    ) -> Array:
        """The array under a name of its own."""
        if name is None and (array.value is not None or (role == "soft" and isinstance(array.node, Name))):
            return array
        return Array(self.draft.let(array.node, array.shape, role, comment, name, loop), array.shape)

    def datum(self, shape: Shape, value: Any = None, **what: Any) -> Array:
        """Data, laid out; ``value`` is a NumPy array, lists, or ``None``. The rest is as in ``Draft.datum``."""
        if value is not None and len(shape) == 1 and self.layout == "column":
            import numpy

            value = numpy.asarray(value).reshape(-1, 1)
        return Array(self.draft.datum(self.laid(shape), value, **what), shape)

    # ── elementwise ─────────────────────────────────────────────────────────────────────────────────────────────

    def binary(self, operator: str, left: Array, right: Array) -> Array:
        """``+ - * /`` or a comparison, with NumPy's broadcasting."""
        shape = self.broadcast(left.shape, right.shape)
        if self._stretches(left, shape) and self._stretches(right, shape):
            left = self.expand(left, shape)  # the language stretches one side of an operation only
        one, other = self._meeting(left, right)
        if operator in ("<", "<=", ">", ">=", "==", "!="):
            return Array(Compare(operator, one, other), shape)
        if operator == "+" and isinstance(other, Negate):
            return Array(Binary("-", one, other.operand), shape)
        return Array(Binary(operator, one, other), shape)

    def expand(self, array: Array, shape: Shape) -> Array:
        """The array stretched to a shape: a product with ones."""
        if array.shape == shape:
            return array
        self.draft.require("ones")
        ones = Call("ones", tuple(Number(fmpq(self.whole(size))) for size in self.laid(shape)))
        return Array(Binary("*", self._meeting(array, Array(ones, shape))[0], ones), shape)

    def _stretches(self, array: Array, shape: Shape) -> bool:
        """Whether an operand that is no scalar is repeated along some axis."""
        laid, whole = self.laid(array.shape), self.laid(shape)
        return bool(laid) and (1,) * (len(whole) - len(laid)) + laid != whole

    def power(self, base: Array, exponent: Array) -> Array:
        """A power with a constant exponent."""
        if exponent.value is None:
            raise self.draft.unsupported("a power whose exponent is no constant")
        return Array(Binary("**", base.node, Number(exponent.value)), base.shape)

    def negate(self, array: Array) -> Array:
        """``-array``"""
        return Array(Negate(array.node), array.shape, None if array.value is None else -array.value)

    def apply(self, function: str, *arrays: Array, **options: Any) -> Array:
        """An elementwise function of the language, several operands broadcast."""
        self.draft.require(function)
        shape: Shape = ()
        for array in arrays:
            shape = self.broadcast(shape, array.shape)
        nodes = self._meeting(*arrays)
        return Array(Call(function, nodes, _options(function, options)), shape)

    def _meeting(self, *arrays: Array) -> tuple[Node, ...]:
        """Operands that are broadcast: beside a matrix, an array of one axis is a row."""
        most = max(array.axes for array in arrays)
        return tuple(self.as_row(array) if most > 1 else array.node for array in arrays)

    def broadcast(self, left: Shape, right: Shape) -> Shape:
        """The shape of an elementwise operation. Raises ``ProblemError`` where the two do not fit."""
        if not left or not right:
            return left or right
        count = max(len(left), len(right))
        one, other = (1,) * (count - len(left)) + left, (1,) * (count - len(right)) + right
        found: list[Size] = []
        for a, b in zip(one, other, strict=True):
            if a != b and 1 not in (a, b):
                raise self.draft.error(f"shapes {shown(left)} and {shown(right)} do not fit")
            found.append(b if a == 1 else a)
        return tuple(found)

    # ── products, reductions ────────────────────────────────────────────────────────────────────────────────────

    def matmul(self, left: Array, right: Array) -> Array:
        """NumPy's ``@``: an array of one axis is a row on the left and a column on the right."""
        if not left.axes or not right.axes:
            raise self.draft.error("a matrix product with a scalar")
        if left.shape[-1] != right.shape[-2 if right.axes > 1 else 0]:
            raise self.draft.error(f"a matrix product of the shapes {shown(left.shape)} and {shown(right.shape)}")
        match left.axes, right.axes:
            case 1, 1:
                return Array(Call("sum", (Binary("*", left.node, right.node),), _options("sum", {})), ())
            case 1, _:
                one = self.as_row(left)
                shape = (*right.shape[:-2], right.shape[-1])
                return self.fitted(Binary("@", one, right.node), (*right.shape[:-2], 1, right.shape[-1]), shape)
            case 2, 1:
                if self.layout == "column":
                    return Array(Binary("@", left.node, right.node), (left.shape[0],))
                return Array(Binary("@", right.node, self.turned(left)), (left.shape[0],))
            case _, 1:
                other = self.turned(right) if self.layout == "row" else right.node
                return self.fitted(Binary("@", left.node, other), (*left.shape[:-1], 1), left.shape[:-1])
            case _:
                ahead = self.broadcast(left.shape[:-2], right.shape[:-2])
                return Array(Binary("@", left.node, right.node), (*ahead, left.shape[-2], right.shape[-1]))

    def reduce(self, function: str, array: Array, axes: Sequence[int] | None = None, keepdims: bool = False) -> Array:
        """``sum``, ``mean``, ``max`` or ``min`` over some axes (``None``: all)."""
        self.draft.require(function)
        if not array.axes:
            return array
        over = sorted({self.axis(axis, array.axes) for axis in axes}) if axes else list(range(array.axes))
        shape: Shape = tuple(1 if k in over else size for k, size in enumerate(array.shape))
        if not keepdims:
            shape = tuple(size for k, size in enumerate(array.shape) if k not in over)
        if len(over) == array.axes and not keepdims:
            return Array(Call(function, (_straight(array.node),), _options(function, {})), ())
        node, found = array.node, list(self.laid(array.shape))
        for axis in over:
            place = self.place(axis, array)
            node, found[place] = Call(function, (node,), _options(function, {"axis": place})), 1
        return self.fitted(node, tuple(found), shape)

    def along(self, function: str, array: Array, axis: int, *others: Array, **options: Any) -> Array:
        """A function along an axis that keeps the shape: softmax, and what is written like it."""
        self.draft.require(function)
        place = self.place(self.axis(axis, array.axes), array)
        last = len(self.laid(array.shape)) - 1
        settings = {"axis": -1 if place == last else place, **options}
        nodes = (array.node, *(other.node for other in others))
        return Array(Call(function, nodes, _options(function, settings)), array.shape)

    def axis(self, axis: int, count: int) -> int:
        """The number of an axis, from the front. Raises ``ProblemError`` where there is none."""
        if not -count <= axis < count:
            raise self.draft.error(f"axis {axis} of an array with {count} {'axis' if count == 1 else 'axes'}")
        return axis % count

    def place(self, axis: int, array: Array) -> int:
        """Which axis of the language an axis is."""
        return (1 if self.layout == "row" else 0) if array.axes == 1 else axis

    # ── rearranging ─────────────────────────────────────────────────────────────────────────────────────────────

    def transpose(self, array: Array, order: Sequence[int] | None = None) -> Array:
        """The axes in another order (``None``: reversed)."""
        count = array.axes
        order = tuple(range(count))[::-1] if order is None else tuple(self.axis(axis, count) for axis in order)
        if order == tuple(range(count)) or count < 2:
            return array
        shape = tuple(array.shape[axis] for axis in order)
        if count == 2:
            return Array(array.node.operand if isinstance(array.node, Transpose) else Transpose(array.node), shape)
        moved = [axis for axis in order if array.shape[axis] != 1]
        if moved == sorted(moved):  # only axes of size 1 change places, and no entry
            return self.fitted(array.node, array.shape, shape)
        raise self.draft.unsupported(f"axes in the order {order}", hint="supported is the transpose of a matrix")

    def reshape(self, array: Array, shape: Sequence[int]) -> Array:
        """The same entries in another shape; one size may be -1. Raises ``ProblemError`` where they do not fit."""
        sizes: list[Size] = list(shape)
        if -1 in sizes:
            known = prod(size for size in sizes if isinstance(size, int) and size != -1)
            sizes[sizes.index(-1)] = self.count(array) // max(known, 1)
        if array.shape == tuple(sizes):
            return array
        if prod(self.whole(size) for size in sizes) != self.count(array):
            raise self.draft.error(f"an array of the shape {shown(array.shape)} cannot have the shape {shown(shape)}")
        return self.fitted(array.node, self.laid(array.shape), tuple(sizes))

    def count(self, array: Array) -> int:
        """How many entries an array has."""
        return prod(self.whole(size) for size in array.shape)

    def whole(self, size: Size) -> int:
        """A size that is to be a number."""
        if isinstance(size, str):
            raise self.draft.unsupported(
                f"a step that needs the number behind the size {size}", hint="give values for the input"
            )
        return size

    def index(self, array: Array, items: Sequence[Item]) -> Array:
        """Basic indexing: numbers take an axis away, slices keep it."""
        if len(items) > array.axes:
            raise self.draft.error(f"{len(items)} indices into an array of the shape {shown(array.shape)}")
        every: list[Item] = [*items, *[(None, None, None)] * (array.axes - len(items))]
        shape: list[Size] = []
        kept: list[Item] = []
        found: list[Size] = []
        for item, size in zip(every, array.shape, strict=True):
            if isinstance(item, int):
                whole = self.whole(size)
                if not -whole <= item < whole:
                    raise self.draft.error(f"the index {item} into an axis of size {size}")
                start = item % whole
                kept.append((start, start + 1, None))
                found.append(1)
                continue
            length = size if item == (None, None, None) else len(range(self.whole(size))[slice(*item)])
            if not length:
                raise self.draft.error(f"an empty slice of an axis of size {size}")
            kept.append(item)
            shape.append(length)
            found.append(length)
        if all(item == (None, None, None) for item in every):
            return array
        if array.axes == 1:
            other: Item = 0 if not shape else (None, None, None)
            kept = [other, *kept] if self.layout == "row" else [*kept, other]
            found = [1, *found] if self.layout == "row" else [*found, 1]
        if not shape:  # all of them numbers: a scalar
            return Array(Index(array.node, tuple(i if isinstance(i, int) else i[0] or 0 for i in kept)), ())
        while kept[-1] == (None, None, None) and len(kept) > 1:
            kept.pop()
        return self.fitted(Index(array.node, tuple(kept)), tuple(found), tuple(shape))

    def join(self, arrays: Sequence[Array], axis: int) -> Array:
        """Arrays one after another along an axis."""
        self.draft.require("concat")
        first = arrays[0]
        axis = self.axis(axis, first.axes)
        for other in arrays[1:]:
            if [s for k, s in enumerate(other.shape) if k != axis] != [
                s for k, s in enumerate(first.shape) if k != axis
            ]:
                raise self.draft.error(f"the shapes {shown(first.shape)} and {shown(other.shape)} cannot be joined")
        total = sum(self.whole(array.shape[axis]) for array in arrays)
        shape = tuple(total if k == axis else size for k, size in enumerate(first.shape))
        nodes = tuple(array.node for array in arrays)
        return Array(Call("concat", nodes, _options("concat", {"axis": self.place(axis, first)})), shape)


def _straight(node: Node) -> Node:
    """An expression all of whose entries are gathered, without the transpose that changes only their order."""
    match node:
        case Transpose(operand=operand):
            return operand
        case Negate(operand=operand):
            return Negate(_straight(operand))
        case Binary(operator="**", left=left, right=right):
            return Binary("**", _straight(left), right)
        case Call(function=function, arguments=(operand,), options=options) if FUNCTIONS[function].elementwise:
            return Call(function, (_straight(operand),), options)
    return node


def shown(shape: Sequence[Any]) -> str:
    """``(2, 3)``"""
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def named(array: Array) -> str | None:
    """The name that an array is, where it is nothing but a name."""
    return array.node.id if isinstance(array.node, Name) else None


def _options(function: str, given: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    """The options in the order of the signature, defaults filled in."""
    row = FUNCTIONS[function]
    known = [option.key for option in row.options]
    return (
        *((option.key, given.get(option.key, option.default)) for option in row.options),
        *((key, value) for key, value in given.items() if key not in known),
    )

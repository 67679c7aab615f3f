"""Numbers in a matrix: exact rationals and FLINT balls; a ball holds every value that a printed decimal stands for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flint import arb, arb_mat, fmpq, fmpq_mat

from derive.numbers.balls import Number
from derive.records import dataclass
from derive.review.lint.tree import Misfit, Unread

ZERO, ONE = fmpq(0), fmpq(1)
LONGEST_RATIONAL = 4096  # bits


@dataclass(frozen=True, slots=True)
class Value:
    """``rows`` times ``columns`` numbers, row by row; a single number is 1 by 1.

    ``free`` marks an axis of fitting size along which nothing changes (rows, columns); with ``eye`` it is a multiple of
    the unit matrix of fitting size.
    """

    rows: int
    columns: int
    entries: tuple[Number, ...]
    free: tuple[bool, bool] = (False, False)
    eye: bool = False

    @property
    def lone(self) -> bool:
        """Whether it is one number."""
        return self.rows == self.columns == 1 and self.free == (False, False)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.rows, self.columns

    def row(self, k: int) -> tuple[Number, ...]:
        """The entries of one row, counted from 0."""
        return self.entries[k * self.columns : (k + 1) * self.columns]

    def at(self, row: int, column: int) -> Number:
        """One entry, counted from 0; along a free axis every place holds the same."""
        return self.entries[(0 if self.free[0] else row) * self.columns + (0 if self.free[1] else column)]

    def fitted(self, shape: tuple[int, int]) -> Value:
        """With free axes stretched. Raises ``Misfit`` where the sizes are others."""
        if self.eye and shape[0] == shape[1]:
            number = self.entries[0]
            flat = [number if r == c else ZERO for r in range(shape[0]) for c in range(shape[1])]
            return Value(*shape, tuple(flat))
        mine = tuple(size if free else own for size, own, free in zip(shape, self.shape, self.free, strict=True))
        if mine != shape:
            raise Misfit(f"{self.rows} × {self.columns}, {shape[0]} × {shape[1]}")
        if self.free == (False, False):
            return self
        return Value(*shape, tuple(self.at(r, c) for r in range(shape[0]) for c in range(shape[1])))

    @property
    def turned(self) -> Value:
        """The transpose."""
        flat = tuple(self.entries[r * self.columns + c] for c in range(self.columns) for r in range(self.rows))
        return Value(self.columns, self.rows, flat, (self.free[1], self.free[0]), self.eye)


def scalar(x: Number) -> Value:
    """One number."""
    return Value(1, 1, (x,))


ONES = Value(1, 1, (ONE,), (True, False))
EYE = Value(1, 1, (ONE,), eye=True)
ZEROS = Value(1, 1, (ZERO,), (True, True))


def ball(x: Number) -> arb:
    """A number as a ball."""
    return x if isinstance(x, arb) else arb(x)


def short(x: Number) -> Number:
    """A rational that has grown too long goes on as a ball."""
    return arb(x) if isinstance(x, fmpq) and x.height_bits() > LONGEST_RATIONAL else x


def combined(f: Callable[..., Number], *parts: Value) -> Value:
    """Entry by entry; a number, a row or a column is stretched. Raises ``Misfit``."""
    if len(parts) > 1 and any(part.eye for part in parts):
        shape = next((part.shape for part in parts if not part.eye and part.rows == part.columns > 1), None)
        if shape is None:
            raise Unread("ambiguous", "I")
        parts = tuple(part.fitted(shape) if part.eye else part for part in parts)
    sizes = []
    for axis in (0, 1):
        fixed = {part.shape[axis] for part in parts if not part.free[axis] and part.shape[axis] != 1}
        if len(fixed) > 1:
            raise Misfit(", ".join(f"{part.rows} × {part.columns}" for part in parts))
        sizes.append(fixed.pop() if fixed else 1)
    rows, columns = sizes
    flat = []
    for r in range(rows):
        for c in range(columns):
            at = [
                part.entries[(r if part.rows > 1 else 0) * part.columns + (c if part.columns > 1 else 0)]
                for part in parts
            ]
            flat.append(short(f(*at)))
    free = tuple(
        all(part.free[axis] or part.lone for part in parts) and any(part.free[axis] for part in parts)
        for axis in (0, 1)
    )
    return Value(rows, columns, tuple(flat), (free[0], free[1]), len(parts) == 1 and parts[0].eye)


def times(a: Value, b: Value) -> Value:
    """Scaling where one is a number, else the product of matrices. Raises ``Misfit``."""
    if a.eye or b.eye:
        scaled = times(Value(a.rows, a.columns, a.entries, a.free), Value(b.rows, b.columns, b.entries, b.free))
        if (a.eye and b.eye) or (a.lone and not a.eye) or (b.lone and not b.eye):
            return Value(scaled.rows, scaled.columns, scaled.entries, scaled.free, True)
        return scaled
    if a.lone or b.lone:
        return combined(lambda x, y: x * y, a, b)
    if a.free[1] and b.free[0]:
        raise Unread("ambiguous", "1ᵀ1")
    inner = b.rows if a.free[1] else a.columns
    if not b.free[0] and b.rows != inner:
        raise Misfit(f"{a.rows} × {a.columns}, {b.rows} × {b.columns}")
    flat = []
    for r in range(a.rows):
        for c in range(b.columns):
            total = a.at(r, 0) * b.at(0, c)
            for k in range(1, inner):
                total += a.at(r, k) * b.at(k, c)
            flat.append(short(total))
    return Value(a.rows, b.columns, tuple(flat), (a.free[0], b.free[1]))


def flint_matrix(value: Value) -> fmpq_mat | arb_mat:
    """The matrix of FLINT's that holds these numbers; it has to be square."""
    if value.rows != value.columns:
        raise Misfit(f"{value.rows} × {value.columns}")
    exact = [x for x in value.entries if isinstance(x, fmpq)]
    if len(exact) == len(value.entries):
        return fmpq_mat(value.rows, value.columns, exact)
    return arb_mat(value.rows, value.columns, [ball(x) for x in value.entries])


def inverse(value: Value) -> Value:
    """The inverse of a square matrix."""
    try:
        return Value(value.rows, value.columns, tuple(flint_matrix(value).inv().entries()))
    except ZeroDivisionError:
        raise Unread("domain", "the inverse of a singular matrix") from None


def grid(rows: int, columns: int, blocks: Sequence[Value]) -> Value:
    """Numbers or blocks as one matrix; a unit matrix among them has the size that the others leave it."""
    if all(block.lone and not block.eye for block in blocks):
        return Value(rows, columns, tuple(block.entries[0] for block in blocks))
    heights = [_size(blocks[r * columns : (r + 1) * columns], 0) for r in range(rows)]
    widths = [_size(blocks[c::columns], 1) for c in range(columns)]
    flat: list[Number] = []
    fitted: list[Value] = []
    for k, block in enumerate(blocks):
        height, width = heights[k // columns], widths[k % columns]
        if block.eye:
            height = height or width
            width = width or height
        if not height or not width:
            raise Unread("ambiguous", "a block without a size")
        heights[k // columns], widths[k % columns] = height, width
        fitted.append(block.fitted((height, width)))
    for r in range(rows):
        for line in range(heights[r]):
            for block in fitted[r * columns : (r + 1) * columns]:
                flat += block.row(line)
    return Value(sum(heights), sum(widths), tuple(flat))


def _size(blocks: Sequence[Value], axis: int) -> int:
    sizes = {block.shape[axis] for block in blocks if not block.eye and not block.free[axis]}
    if len(sizes) > 1:
        raise Misfit(" | ".join(f"{block.rows} × {block.columns}" for block in blocks))
    return sizes.pop() if sizes else 0


def meets(a: Number, b: Number) -> bool:
    """Whether two may be the same number."""
    if isinstance(a, fmpq) and isinstance(b, fmpq):
        return bool(a == b)
    return bool(ball(a).overlaps(ball(b)))


def bounded(value: Value) -> bool:
    """Whether every entry has bounds."""
    return all(isinstance(x, fmpq) or x.is_finite() for x in value.entries)


def widened(centre: Number, radius: Number) -> arb:
    """The ball around a number; it holds the closed interval."""
    return ball(centre) + arb(0, ball(radius))

"""The op table and the words for building expressions of its rows."""

from derive.graph.expression import constant, is_constant, leaf
from derive.graph.ops import (  # their rows
    arithmetic,
    choosing,
    classes,
    diagonals,
    linear_algebra,
    normal,
    rearranging,
    windows,
)
from derive.graph.ops.elementwise import FUNCTIONS
from derive.graph.ops.table import OPS, Arithmetic, Array, Entries, NoSum, Op, Pullback, apply, evaluate
from derive.graph.ops.words import (
    add,
    derivative,
    divide,
    matmul,
    mean,
    multiply,
    negate,
    power,
    spread,
    subtract,
    sum_to,
    total,
    transpose,
)

_ROWS = (arithmetic, choosing, classes, diagonals, linear_algebra, normal, rearranging, windows)

__all__ = [
    "FUNCTIONS",
    "OPS",
    "Arithmetic",
    "Array",
    "Entries",
    "NoSum",
    "Op",
    "Pullback",
    "add",
    "apply",
    "constant",
    "derivative",
    "divide",
    "evaluate",
    "is_constant",
    "leaf",
    "matmul",
    "mean",
    "multiply",
    "negate",
    "power",
    "spread",
    "subtract",
    "sum_to",
    "total",
    "transpose",
]

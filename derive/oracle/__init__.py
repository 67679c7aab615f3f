"""The witness: the same equations once more in plain NumPy doubles, with derivatives of its own.

A problem's statements are flattened into a list of single operations (a Wengert list), run forwards for the values
and backwards for the gradients. Every operation is one row of ``ROWS``: its value and, operand by operand, its
pullback. Besides the pullbacks there are two witnesses that use no derivative at all: the complex step, Im f(x + ih)/h,
which has no rounding error to speak of (Squire and Trapp, SIAM Review 40, 1998), and central differences.

Nothing here is shared with the graph, and nothing here knows SymPy. All numbers are doubles, with one exception: on
which side of a kink a value lies (is 0.1 + 0.2 - 0.3 above zero?) is looked up at 1,024 bits where doubles cannot tell.
"""

from derive.oracle.differences import Differences, Direction
from derive.oracle.engine import Kink, Oracle
from derive.oracle.rows import ROWS, Row
from derive.oracle.rules import Optimiser
from derive.oracle.training import Diverged, Entry, State, Training, update
from derive.oracle.values import Floats

__all__ = [
    "ROWS",
    "Differences",
    "Direction",
    "Diverged",
    "Entry",
    "Floats",
    "Kink",
    "Optimiser",
    "Oracle",
    "Row",
    "State",
    "Training",
    "update",
]

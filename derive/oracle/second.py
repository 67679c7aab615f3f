"""Second derivatives without a rule for them: complex steps through back-propagation.

The adjoints are functions of the data like any other value. At x + ih their imaginary parts over h are the derivatives
of the gradient along the step, with no rounding error to speak of.
"""

from __future__ import annotations

import math

import numpy as np

from derive.oracle.differences import COMPLEX_STEP
from derive.oracle.tape import Tape
from derive.oracle.values import Floats


def second(tape: Tape, of: str, first: str, then: str) -> Floats:
    """d^2 ``of`` / d ``first`` d ``then``, the entries of ``of`` added up.

    Rows are entries of ``first``, columns those of ``then``. Kinks keep the sides of the problem's own run. Raises
    ``ProblemError`` for a name that is not in the problem.
    """
    top, rows, columns = tape.slot(of), tape.slot(first), tape.slot(then)
    shape, wide = np.shape(tape.values[columns]), np.size(tape.values[rows])
    result = np.zeros((wide, math.prod(shape)))
    seeds = {top: np.ones(np.shape(tape.values[top]))}
    plan = tape.plan((top,), (rows,))
    steps = tape.between(columns, top)
    for k in range(math.prod(shape)):
        unit = np.zeros(math.prod(shape))
        unit[k] = 1
        v = list(tape.values)
        v[columns] = v[columns] + 1j * COMPLEX_STEP * unit.reshape(shape)
        tape.forward(v, steps, tape.sides, fixed=True)
        adjoints = tape.backward(v, tape.sides, seeds, plan)
        if rows in adjoints:
            result[:, k] = np.imag(np.broadcast_to(adjoints[rows], np.shape(tape.values[rows])).ravel()) / COMPLEX_STEP
    return result

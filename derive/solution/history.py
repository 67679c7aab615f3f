"""Gradient descent, certified: the parameters after each update are values like any others.

Update k takes the gradients at the parameters that update k - 1 left, all parameters at once. Each state is a ``Run``
whose data are worked out from the run before, at whatever precision is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping

from flint import fmpq

from derive.graph import ops
from derive.graph.expression import Adjoint, Expression, Name, constant, leaf
from derive.graph.network import Network
from derive.numbers import arrays
from derive.numbers.arrays import Array
from derive.problem.problem import Update
from derive.records import dataclass
from derive.solution.values import Balls, Data, Run

MOST_CERTIFIED = 200


@dataclass(frozen=True)
class History:
    """States 0 to ``steps``; ``runs[k]`` holds every value at the parameters after k updates."""

    update: Update
    runs: tuple[Run, ...]


def data_of(network: Network) -> Data:
    """The problem's own numbers, at any precision."""
    known: dict[Name, Array] = {
        name: arrays.from_tensor(datum.tensor) for name, datum in network.data.items() if datum.tensor is not None
    }
    return lambda bits: known


def updated(network: Network, loss: str, name: str, rate: fmpq) -> Expression:
    """``name - rate * gradient``, in the layout of the parameter."""
    shape = network.shape(name)
    step = ops.multiply(constant(rate), leaf(Adjoint(loss, name), shape))
    return ops.subtract(leaf(name, shape), step)


def change(network: Network, loss: str, name: str, rate: fmpq) -> Expression:
    """``-rate * gradient``"""
    return ops.multiply(constant(-rate), leaf(Adjoint(loss, name), network.shape(name)))


def history(
    network: Network, loss: str, update: Update, equations: Mapping[Name, Expression], kind: Balls, data: Data
) -> History:
    """The certified states; ``equations`` hold the forward pass and the adjoints in the shape of their variables.

    ``loss`` is what the gradients are derivatives of, ``data`` the numbers of the first state.
    """
    runs = [Run(equations, data, kind)]
    for _ in range(min(update.steps, MOST_CERTIFIED)):
        runs.append(Run(equations, _after(network, loss, update, runs[-1]), kind))
    return History(update, tuple(runs))


def _after(network: Network, loss: str, update: Update, before: Run) -> Data:
    known: dict[int, dict[Name, Array]] = {}

    def data(bits: int) -> Mapping[Name, Array]:
        if bits not in known:
            known[bits] = dict(before.data(bits)) | {
                name: before.expression(updated(network, loss, name, rate), bits)
                for name, rate in update.rates.items()
                if rate != 0
            }
        return known[bits]

    return data

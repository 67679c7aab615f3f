"""Forward mode beside reverse mode: passes that carry a tangent along with every value.

A pass starts from a direction for some of the data and ends in the derivative of every name along it. Its witnesses
are reverse mode (the adjoints, multiplied by the direction) and the complex steps of the other engine.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
from flint import fmpq

from derive.calculus.closed_form import close, named_values
from derive.graph import ops
from derive.graph.collect import collect, label_sums
from derive.graph.expression import Adjoint, Expression, Name, leaf
from derive.graph.forward import tangents
from derive.graph.network import Datum, Network
from derive.graph.sizes import describe, is_scalar
from derive.numbers import arrays
from derive.numbers.balls import Number, overlaps
from derive.numbers.tensor import Tensor
from derive.records import dataclass
from derive.solution.checks import Check, Witness, require
from derive.solution.derivation import derive
from derive.solution.flat import flat
from derive.solution.view import dot, extended, refused, view

if TYPE_CHECKING:
    from derive.solution.part import Part


@dataclass(frozen=True)
class Pass:
    """One pass: the names that it starts from, the tangents in the order in which they follow, and the end.

    ``products`` is the same derivative by reverse mode: the sum over the names of adjoint times direction, as an
    expression; ``None`` where the end is no number.
    """

    label: str
    moved: tuple[str, ...]
    names: tuple[str, ...]
    end: str
    view: Part
    products: Expression | None


def passes(part: Part) -> tuple[Pass, ...]:
    """Every pass that is asked for. Raises ``ProblemError`` for a direction that does not fit, or leads nowhere."""
    questions = part.problem.ask.questions
    wanted = questions.forward if questions is not None else ()
    return tuple(_pass(part, k + 1, moved) for k, moved in enumerate(wanted))


def _pass(part: Part, number: int, moved: Mapping[str, Tensor | None]) -> Pass:
    network, functions = _by_operation(part), part.functions
    seeds: dict[str, Datum] = {}
    for name, direction in moved.items():
        shape = network.shape(name)
        if direction is None and part.numeric and not is_scalar(shape):
            zeros = [0] * math.prod(map(int, shape))
            raise refused(
                part,
                "forward",
                f"forward: {name} is {describe(shape)}, and which way it moves is not said",
                hint=f"forward = {{ {name} = {_example(shape, [1, *zeros[1:]])} }}",
            )
        if direction is not None and direction.shape != shape:
            raise refused(
                part,
                "forward",
                f"the direction of {name} is {describe(direction.shape)}, and {name} is {describe(shape)}",
            )
        if direction is None and is_scalar(shape):
            direction = Tensor.of(tuple(map(int, shape)), (fmpq(1),))
        seeds[dot(name)] = Datum(shape, "given" if direction is not None else "shape", direction)
    outputs = named_values(network)

    def rewrite(value: Expression) -> Expression:
        return collect(label_sums(collect(flat(close(value, outputs, functions))), network))

    start: dict[Name, Expression] = {name: leaf(dot(name), network.shape(name)) for name in moved}
    found = tangents(network, start, dot, rewrite)
    end = part.asked.loss or str(network.equations[-1].name)
    if dot(end) not in found:
        raise refused(part, "forward", f"forward: {end} does not depend on {' and '.join(moved)}")
    adjoints: dict[Name, Expression] | None = None
    if is_scalar(network.shape(end)):
        adjoints = dict(derive(network, functions, end, moved).adjoints.items())
    seen = view(part, extended(network, found, seeds), more=adjoints)
    products = None if adjoints is None else _products(network, end, tuple(moved))
    return Pass(f"forward-{number}", tuple(moved), tuple(found), end, seen, products)


def _by_operation(part: Part) -> Network:
    """Of numbers, the network with a name for every operation, as the computation graph has it; else the equations'."""
    names = (*part.network.data, *(str(equation.name) for equation in part.network.equations))
    if part.problem.ask.graph is False or not all(is_scalar(part.network.shape(name)) for name in names):
        return part.network
    from derive.solution.gates import gates  # only a pass through numbers pays for it

    found = gates(part)
    return part.network if found is None else found.network


def _example(shape: tuple[int | str, ...], entries: list[int]) -> str:
    if shape[0] == 1:
        return str(entries)
    width = int(shape[1])
    return str([entries[k : k + width] for k in range(0, len(entries), width)])


def _products(network: Network, end: str, moved: tuple[str, ...]) -> Expression:
    """Adjoint times direction, added up."""
    terms = []
    for name in moved:
        shape = network.shape(name)
        product = ops.multiply(leaf(Adjoint(end, name), shape), leaf(dot(name), shape))
        terms.append(product if is_scalar(shape) else ops.total(product))
    return ops.add(*terms)


def checks(part: Part, found: tuple[Pass, ...], witness: Witness) -> Iterator[Check]:
    """Every tangent against complex steps, and the last one against reverse mode."""
    for one in found:
        known = [name for name in one.names if name.removeprefix("dot ") in witness.oracle.names]
        for name in known:  # unnamed steps are judged by what is made of them
            yield _against_steps(part, one, name.removeprefix("dot "), witness)
        if one.products is not None:
            ours = one.view.run.value(dot(one.end)).ravel()[0]
            theirs = one.view.run.expression(one.products).ravel()[0]
            text = f"d{one.end}/d{one.moved[0]}"
            yield require(
                Check("forward_reverse", text, _meet(ours, theirs), "1 of 1"),
                f"{text}: forward mode gives {ours}, reverse mode gives {theirs}",
            )


def _meet(a: Number, b: Number) -> bool:
    return bool(overlaps(a, b))


def _against_steps(part: Part, one: Pass, name: str, witness: Witness) -> Check:
    """The tangent of ``name`` is the derivative along the direction: one column after the other, by complex steps."""
    ours = arrays.to_floats(one.view.run.value(dot(name)))
    theirs = np.zeros(ours.shape)
    for start in one.moved:
        direction = arrays.to_floats(one.view.run.value(dot(start))).ravel()
        steps = witness.oracle.complex_step(name, start, range(direction.size))
        if steps.left_out.any():  # at a kink the declared derivative counts, and the engine's own rules know it
            theirs = theirs + (witness.oracle.jacobian(name, start) @ direction).reshape(ours.shape)
        else:
            theirs = theirs + np.tensordot(direction, steps.values, axes=1).reshape(ours.shape)
    return witness.against("tangents", f"d{name}", one.view.run.value(dot(name)), theirs)

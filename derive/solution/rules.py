"""The update rules as equations of the graph: one update is a small network of its own.

Its data are the parameters, their gradients, what the rule remembers and its constants; its equations are printed,
evaluated and read back like any others. A name of the rule has a colon, so that it meets no name of a problem:
``w:v`` is what the rule remembers of w before the update, ``w:v:after`` the same after it, ``w:after`` the new w,
``:beta`` a constant.
"""

from __future__ import annotations

from collections.abc import Mapping

from flint import arb, fmpq

from derive.calculus.functions import Key
from derive.graph import ops
from derive.graph.expression import Expression, Name, constant, leaf
from derive.graph.network import Equation
from derive.numbers import arrays
from derive.numbers.arrays import Array
from derive.numbers.balls import Number, sign
from derive.numbers.functions import sqrt
from derive.problem.problem import Shape, Update
from derive.problem.rules import RULES
from derive.solution.values import Balls


class Squares(Balls):
    """Balls for a rule, in which a root is taken of nothing but squares and their means.

    Where a gradient is zero for all that can be told, its square is a ball around zero, of which only the part that is
    not negative counts.
    """

    def function(self, name: str, at: Key, a: Array) -> Array:
        return arrays.elementwise(_root, a) if name == "sqrt" else super().function(name, at, a)


def _root(x: Number) -> Number:
    if isinstance(x, fmpq) or sign(x) is not None:
        return sqrt(x)
    return arb(0).union(x.upper().sqrt())


RATE, DECAY = ":rate", ":decay"
ONE = constant(1)


def after(name: str) -> str:
    """The value that an update gives to a parameter, or to what the rule remembers."""
    return f"{name}:after"


def remembered(state: str, name: str) -> str:
    """What a rule remembers of a parameter."""
    return f"{name}:{state}"


def corrected(state: str, name: str) -> str:
    """The same, freed of the bias towards the zeros that it started from."""
    return f"{name}:{state}:hat"


def ahead(name: str) -> str:
    """Where momentum alone would carry a parameter."""
    return f"{name}:ahead"


def slope_ahead(name: str, numerator: bool = False) -> str:
    """The gradient there; with ``numerator`` as numerator layout has it."""
    return f"{name}:g:ahead" + ":numerator" * numerator


def given(name: str) -> str:
    """The gradient, where the problem gives it."""
    return f"{name}:given"


def penalised(name: str) -> str:
    """The gradient with the weight decay in it."""
    return f"{name}:g"


def rate_of(name: str, update: Update) -> str:
    """The rate: one for all, or the parameter's own."""
    return RATE if len(set(update.moving.values())) == 1 else f"{RATE}:{name}"


def looks_ahead(update: Update) -> bool:
    """Whether the gradient is taken at another point than the parameters."""
    return (update.rule, update.form) == ("nesterov", "ahead")


def constants(update: Update) -> dict[Name, Array]:
    """The numbers of the rule by name."""
    found: dict[Name, fmpq] = {f":{role}": value for role, value in update.constants.items()}
    found |= {rate_of(name, update): rate for name, rate in update.moving.items()}
    if update.decay:
        found[DECAY] = next(iter(update.decay.values()))
    return {name: arrays.wrap(value) for name, value in found.items()}


def start(update: Update, shapes: Mapping[str, Shape]) -> dict[Name, Array]:
    """What the rule remembers before the first update: what the problem says, else zeros."""
    found: dict[Name, Array] = {}
    for state in RULES[update.rule].state:
        for name in update.moving:
            if state in update.state:
                found[remembered(state, name)] = arrays.from_tensor(update.state[state][name])
            else:
                shape = tuple(int(size) for size in shapes[name])
                count = 1
                for size in shape:
                    count *= size
                found[remembered(state, name)] = arrays.filled(shape, [fmpq(0)] * count)
    return found


def points(update: Update, name: str, shape: Shape) -> list[Equation]:
    """The point at which the gradient by a parameter is taken, where that is another than the parameter."""
    if not looks_ahead(update):
        return []
    v = leaf(remembered("v", name), shape)
    return [Equation(ahead(name), ops.add(leaf(name, shape), ops.multiply(leaf(":beta", ()), v)))]


def lines(update: Update, name: str, gradient: Expression, shape: Shape, t: int) -> list[Equation]:
    """The equations of update ``t`` (counted from 1) of one parameter; the last one is the parameter's."""
    w, rate = leaf(name, shape), leaf(rate_of(name, update), ())
    found: list[Equation] = []

    def let(label: str, value: Expression) -> Expression:
        found.append(Equation(label, value))
        return leaf(label, shape)

    def remember(state: str, value: Expression) -> Expression:
        return let(after(remembered(state, name)), value)

    decays = name in update.decay
    if decays and not update.decoupled:
        at = leaf(ahead(name), shape) if looks_ahead(update) else w
        gradient = let(penalised(name), ops.add(gradient, ops.multiply(leaf(DECAY, ()), at)))
    old = {state: leaf(remembered(state, name), shape) for state in RULES[update.rule].state}
    beta, eps = leaf(":beta", ()), leaf(":eps", ())

    def mean(weight: Expression, before: Expression, new: Expression) -> Expression:
        return ops.add(ops.multiply(weight, before), ops.multiply(ops.subtract(ONE, weight), new))

    def over_root(top: Expression, square: Expression) -> Expression:
        return ops.divide(top, ops.add(ops.apply("sqrt", square), eps))

    down: Expression  # what the rate is multiplied by
    match update.rule, update.form:
        case "sgd", _:
            down = gradient
        case "momentum", "sum":
            down = remember("v", ops.add(ops.multiply(beta, old["v"]), gradient))
        case "momentum", "mean":
            down = remember("v", mean(beta, old["v"], gradient))
        case ("momentum", "step") | ("nesterov", "ahead"):
            step = ops.subtract(ops.multiply(beta, old["v"]), ops.multiply(rate, gradient))
            moved = ops.add(w, remember("v", step))
            if decays and update.decoupled:
                moved = ops.subtract(moved, ops.multiply(rate, leaf(DECAY, ()), w))
            let(after(name), moved)
            return found
        case "nesterov", "sum":
            v = remember("v", ops.add(ops.multiply(beta, old["v"]), gradient))
            down = ops.add(gradient, ops.multiply(beta, v))
        case "adagrad", _:
            s = remember("s", ops.add(old["s"], ops.power(gradient, 2)))
            down = over_root(gradient, s)
        case "rmsprop", _:
            s = remember("s", mean(beta, old["s"], ops.power(gradient, 2)))
            down = over_root(gradient, s)
        case _:
            moments = {}
            for state, power in (("m", 1), ("v", 2)):
                weight = leaf(f":beta{power}", ())
                moments[state] = weight, remember(state, mean(weight, old[state], ops.power(gradient, power)))
            hats = [
                let(
                    corrected(state, name),
                    ops.divide(now, ops.subtract(ONE, ops.apply("power", weight, at=(fmpq(t),)))),
                )
                for state, (weight, now) in moments.items()
            ]
            down = over_root(*hats)
    moved = ops.subtract(w, ops.multiply(rate, down))
    if decays and update.decoupled:
        moved = ops.subtract(moved, ops.multiply(rate, leaf(DECAY, ()), w))
    let(after(name), moved)
    return found

"""What a question requires, as tests on the slots of its program: each can be made as soon as its slots are known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from flint import arb, fmpq

from derive.exam.exam import Question
from derive.exam.searching.program import Group, Program
from derive.numbers.balls import Number
from derive.numbers.functions import absolute
from derive.records import dataclass

ZERO = fmpq(0)


@dataclass(frozen=True, slots=True)
class Constraint:
    """What is required of what. ``kind`` is one of ``KINDS``, ``number`` its bound as text; decimals of no ``quantity``
    are those of all."""

    kind: str
    quantity: str = ""
    number: str = ""

    def __str__(self) -> str:
        return KINDS[self.kind].format(quantity=self.quantity or "any quantity", number=self.number)


KINDS = {
    "decimals": "at most {number} decimals in {quantity}",
    "kink": "no {number} at its kink in {quantity}",
    "dead_relu": "at most {number} layers without an active unit",
    "saturation": "arguments of size {number} at most in {quantity}",
    "smallest": "an entry of size {number} or more in {quantity}",
    "nonzero": "an entry other than 0 in {quantity}",
    "operations": "a count of operations near to that of the first variant",
    "value": "a value for every entry of {quantity}",
    "labels": "labels in {quantity} that add up to 1",
    "distinct": "numbers that no other variant has",
}


@dataclass(frozen=True, slots=True)
class Test:
    """``holds`` is asked with the values of ``slots``."""

    constraint: Constraint
    slots: tuple[int, ...]
    holds: Callable[[Sequence[Number]], bool]


@dataclass(frozen=True)
class Tests:
    """``places`` has the most decimals of a slot and whose they are; ``others`` all other tests."""

    places: dict[int, tuple[int, Constraint]]
    others: tuple[Test, ...]


def tests(program: Program, question: Question, gradients: Iterable[str]) -> Tests:
    """What ``question.require`` says of a program. ``gradients`` are the asked derivatives, such as ``"dE/dW2"``."""
    require = question.require
    others: list[Test] = []
    if not require.kinks:
        others += [_kink(group) for group in program.kinks]
    others += _dead(program.layers, require.dead_relu)
    if require.saturation is not None:
        others += [_bounded(group, slot, require.saturation) for group in program.saturating for slot in group.slots]
    for name in dict.fromkeys(gradients):
        if name in program.outputs:
            others += _large_enough(name, program.outputs[name], require.smallest, require.nonzero)
    return Tests(_places(program, question), (*others, *_handed_on(program, question)))


def decimal_places(x: fmpq, places: int) -> bool:
    """Whether a rational is a decimal of at most so many places."""
    return bool(10**places % int(x.q) == 0)


def _places(program: Program, question: Question) -> dict[int, tuple[int, Constraint]]:
    found: dict[int, tuple[int, Constraint]] = {}

    def limit(slot: int, places: int, quantity: str) -> None:
        if slot not in found or places < found[slot][0]:
            found[slot] = places, Constraint("decimals", quantity, str(places))

    for rule in question.require.decimals:
        for one in program.instructions:
            # -x has the decimals of x, which is either worked out itself or a number that is given, such as a rate.
            if one.op != "negative" and (not rule.of or one.quantity in rule.of):
                limit(one.output, rule.places, one.quantity)
        for name, slots in program.outputs.items():
            if not rule.of or name in rule.of:
                for slot in slots:
                    limit(slot, rule.places, name)
    return found


def _handed_on(program: Program, question: Question) -> Iterator[Test]:
    """Decimals of quantities whose entries are given numbers as they stand, such as the derivative of ``w * x``."""
    made = {one.output for one in program.instructions}
    for rule in question.require.decimals:
        for name, slots in program.outputs.items():
            for slot in slots if not rule.of or name in rule.of else ():
                if slot not in made:
                    constraint = Constraint("decimals", name, str(rule.places))
                    yield Test(constraint, (slot,), partial(_short, rule.places))


def _short(places: int, values: Sequence[Number]) -> bool:
    return isinstance(values[0], fmpq) and decimal_places(values[0], places)


def _kink(group: Group) -> Test:
    """A function at 0, two that tie, or the largest of several that has an equal."""
    constraint = Constraint("kink", group.quantity, group.function)
    if len(group.slots) == 1:
        return Test(constraint, group.slots, lambda v: _apart(v[0], ZERO))
    if group.function == "largest":
        return Test(constraint, group.slots, _single)
    return Test(constraint, group.slots, lambda v: _apart(v[0], v[1]))


def _apart(a: Number, b: Number) -> bool:
    return bool(a < b) or bool(a > b)


def _single(values: Sequence[Number]) -> bool:
    top = max(values, key=_middle)
    return sum(not bool(value < top) for value in values) == 1


def _middle(x: Number) -> fmpq | float:
    return float(x) if isinstance(x, arb) else x


def _dead(layers: Sequence[Group], allowed: int) -> Iterator[Test]:
    """One test for each layer, of how many are dead up to it."""
    constraint = Constraint("dead_relu", "", str(allowed))
    for count in range(allowed + 1, len(layers) + 1):
        up_to = layers[:count]
        slots = tuple(slot for layer in up_to for slot in layer.slots)
        sizes = [len(layer.slots) for layer in up_to]
        yield Test(constraint, slots, partial(_alive, sizes, allowed))


def _alive(sizes: Sequence[int], allowed: int, values: Sequence[Number]) -> bool:
    dead = start = 0
    for size in sizes:
        dead += not any(value > 0 for value in values[start : start + size])
        start += size
    return dead <= allowed


def _bounded(group: Group, slot: int, bound: fmpq) -> Test:
    constraint = Constraint("saturation", group.quantity, str(bound))
    return Test(constraint, (slot,), lambda v: bool(absolute(v[0]) <= bound))


def _large_enough(name: str, slots: tuple[int, ...], smallest: fmpq, nonzero: bool) -> Iterator[Test]:
    if nonzero:
        yield Test(Constraint("nonzero", name), slots, lambda v: any(_apart(value, ZERO) for value in v))
    if smallest > 0:
        constraint = Constraint("smallest", name, str(smallest))
        yield Test(constraint, slots, lambda v: any(bool(absolute(value) >= smallest) for value in v))

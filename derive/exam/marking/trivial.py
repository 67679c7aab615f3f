"""Values that everything follows from too easily: they are flagged, and what rests on them earns nothing.

Follow-through pays for work that was done with a wrong number. Where the wrong number takes the work away, there is
nothing to pay for. A *trivial* value is an answered quantity with a wrong entry, in which

- all of several entries are 0, or all are one and the same number, the right ones are not and more than one is wrong,
  and these are at least ``FEWEST``, or so many wrong entries so far are that number (``"constant"``);
- an entry is more than ``HUGE`` times as large as the largest right one and as 1 (``"huge"``);
- all entries, at least ``FEWEST`` and not all of them -1, 0 or 1, are those of another matrix or row of the question,
  which its equation does not use and which was not worked out from it, and no slip explains it (``"copied"``).

What follows and is not right is *degenerate*, and earns nothing, where

- it uses a trivial quantity, or one of which every entry is degenerate or a right 0 (``"trivial"``);
- all of its quantity comes out as 0 and the right one does not (``"vanished"``), unless it is a single number on the
  way to the loss, which may well be 0;
- it comes out as 0, and is not such a number, only because entries before it are 0 that are wrong or degenerate
  (``"vanished"``);
- every entry of a sigmoid, tanh or softmax is at its limit, to the digits shown, and of the right one not
  (``"saturated"``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from flint import fmpq

from derive.exam.marking.bench import Bench, Entry, middle
from derive.exam.marking.given import Given
from derive.exam.marking.own import Key, Own, Place, Written
from derive.graph.expression import Adjoint, Expression, Name
from derive.graph.ops import FUNCTIONS
from derive.numbers.balls import Number
from derive.solution import rules

if TYPE_CHECKING:
    from derive.exam.marking.judge import Judged

HUGE = 100
FEWEST = 3  # entries that are one and the same number by no accident
SQUASHING = ("sigmoid", "tanh", "softmax")


class Trivial:
    """Looks after one question of one student while it is judged; ``judged`` is filled as it goes."""

    def __init__(
        self,
        bench: Bench,
        given: Mapping[Entry, Given | None],
        written: Written,
        judged: dict[Entry, Judged],
        near: Callable[[fmpq, fmpq], bool],
    ) -> None:
        self.bench, self.given, self.written, self.judged, self.near = bench, given, written, judged, near
        self.quantity_at = {key: quantity for quantity, key in bench.keys.items()}
        self.tainted: set[Key] = set()
        self.idle: set[Key] = set()  # constant, and more than one entry wrong
        self.put_out: set[Entry] = set()  # zeros that come through a ReLU, of a number that is not 0

    # ── what rests on what ──

    def uses(self, key: Key) -> tuple[Key, ...]:
        """What a value is worked out from."""
        level, name = key
        if (right := self.formula(key)) is not None:
            return tuple((level, used) for used in right.names())
        history = self.bench.part.history
        made = history.moves[level - 1] if history is not None and 0 < level <= len(history.moves) else None
        if made is None or not isinstance(name, str) or rules.after(name) not in made.rule.equations:
            return ()
        return (level - 1, name), (level - 1, Adjoint(self.bench.part.asked.top or "", name))

    def formula(self, key: Key) -> Expression | None:
        """The equation of a value."""
        part, (level, name) = self.bench.part, key
        if not level:
            return part.run.equations.get(name)
        if part.history is None or level >= len(part.history.runs):
            return None
        return part.history.runs[level].equations.get(name)

    def answered_before(self, key: Key, through: bool) -> Iterator[Key]:
        """The answered quantities that a value rests on: those next to it, or with ``through`` all of them."""
        seen: set[Key] = set()
        stack = [*self.uses(key)]
        while stack:
            here = stack.pop()
            if here in seen:
                continue
            seen.add(here)
            if here in self.written:
                yield here
            if through or here not in self.written:
                stack += self.uses(here)

    def before(self, quantity: str) -> Iterator[Entry]:
        """The entries of all answered quantities that a quantity rests on."""
        key = self.bench.keys.get(quantity)
        for other in () if key is None else self.answered_before(key, True):
            if other in self.quantity_at:
                name = self.quantity_at[other]
                yield from ((name, one.index) for one in self.bench.quantities[name])

    # ── degenerate ──

    def settle(self, quantity: str, by_hand: Own, slip: bool) -> None:
        """Flag what is trivial or degenerate in a quantity just judged; ``slip``: something explains it."""
        entries = [(quantity, one.index) for one in self.bench.quantities[quantity]]
        key = self.bench.keys.get(quantity)
        if key is None:
            return
        follow = [entry for entry in entries if self.judged[entry].verdict in ("follows", "carried")]
        for entry in follow:
            if (why := self._degenerate(key, entry, entries, by_hand)) is not None:
                self.judged[entry] = replace(
                    self.judged[entry], verdict="degenerate", points=fmpq(0), flag=why
                )  # fmt: skip
        wrong = [entry for entry in entries if self.judged[entry].verdict == "wrong"]
        why = self._trivial(key, entries, slip) if wrong else None
        if why is not None:
            self.tainted.add(key)
            for entry in wrong:
                self.judged[entry] = replace(self.judged[entry], flag=why)
        if why == "constant" and len(wrong) > 1:
            self.idle.add(key)
        if why == "constant" or self._constant_again(key, entries):
            for entry in entries:
                if self.judged[entry].verdict == "right":
                    self.judged[entry] = replace(
                        self.judged[entry], verdict="degenerate", points=fmpq(0), flag="constant"
                    )  # fmt: skip
        found = [self.judged[entry] for entry in entries]
        if any(one.verdict == "degenerate" for one in found) and all(map(_nothing, found)):
            self.tainted.add(key)

    def _degenerate(self, key: Key, entry: Entry, entries: list[Entry], by_hand: Own) -> str | None:
        if any(other in self.tainted for other in self.answered_before(key, False)):
            return "trivial"
        if self._zero(entry) and not self.near(fmpq(0), self.bench.middle[entry]):
            if self._through_a_relu(key, entry, by_hand):
                self.put_out.add(entry)
            elif (
                not self._of_a_number(key, entry, by_hand)
                and not self._on_the_way(key, entries)
                and (all(self._zero(one) for one in entries) or self._only_by_zeros(key, entry))
            ):
                return "vanished"
        formula = self.formula(key)
        if formula is not None and formula.op in SQUASHING and self._at_limits(formula.op, entries):
            return "saturated"
        return None

    def _zero(self, entry: Entry) -> bool:
        """Whether what follows is 0 to the digits shown."""
        own = self.judged[entry].own
        if own is None:
            given = self.given.get(entry)
            own = None if given is None else given.value
        return own is not None and bool(abs(own) <= self.bench.unit(own) / 2)

    def _of_a_number(self, key: Key, entry: Entry, by_hand: Own) -> bool:
        """Whether this is an activation, of an answer that is not 0."""
        formula = self.formula(key)
        if formula is None or formula.op not in FUNCTIONS or formula.args[0].op != "name":
            return False
        below = by_hand.carried(key[0], formula.args[0].name)
        return below is not None and bool(middle(below[self.bench.place(entry)]) != 0)

    def _on_the_way(self, key: Key, entries: list[Entry]) -> bool:
        """Whether this is a single number of the forward pass, before the loss."""
        name, top = key[1], self.bench.part.asked.top
        return len(entries) == 1 and not isinstance(name, Adjoint) and self.formula(key) is not None and name != top

    def _through_a_relu(self, key: Key, entry: Entry, by_hand: Own) -> bool:
        """Whether the value would not be 0 if the units that a slip has put out were on."""
        out = self._units_put_out(key[0], by_hand)
        mended = out | {one: self.bench.middle[one] for one in self.put_out}
        return bool(mended) and self._something_with(key, entry, mended)

    def _units_put_out(self, level: int, by_hand: Own) -> dict[Entry, fmpq]:
        """The right values, before and behind the ReLU, of units that are off by a number that is not 0."""
        found: dict[Entry, fmpq] = {}
        for equation in self.bench.part.network.equations:
            value = equation.value
            if value.op != "relu" or value.args[0].op != "name":
                continue
            below, above = (self._answers(level, name) for name in (value.args[0].name, equation.name))
            off = [one for one in below if (given := self.given.get(one)) is not None and given.value < 0]
            wrongly = [one for one in off if self.bench.middle[one] > 0]
            if len(off) == len(below) and len(wrongly) > 1:
                continue  # all units are off, and with them all work is gone
            places = {self.bench.place(one) for one in wrongly}
            found |= {one: self.bench.middle[one] for one in wrongly}
            found |= {
                one: self.bench.middle[one] for one in above if self.bench.place(one) in places and self._zero(one)
            }
        return found

    def _answers(self, level: int, name: Name) -> list[Entry]:
        """The entries of a quantity, where it is asked for."""
        quantity = self.quantity_at.get((level, name))
        return [] if quantity is None else [(quantity, one.index) for one in self.bench.quantities[quantity]]

    def _only_by_zeros(self, key: Key, entry: Entry) -> bool:
        """Whether the value would not be 0 if zeros before it that earn nothing were what they should be."""
        mended = {
            other: self.bench.middle[other]
            for other, one in self.judged.items()
            if one.verdict in ("wrong", "degenerate") and one.given is not None and one.given.value == 0
            if other[0] != entry[0]
        }
        return bool(mended) and self._something_with(key, entry, mended)

    def _something_with(self, key: Key, entry: Entry, mended: Mapping[Entry, fmpq]) -> bool:
        """Whether a value is not 0 if these entries are what they should be, and all others as they were written."""
        written: dict[Key, dict[Place, Number]] = {at: dict(own) for at, own in self.written.items()}
        for other, right in mended.items():
            if other != entry and self.bench.keys.get(other[0]) in written:
                written[self.bench.keys[other[0]]][self.bench.place(other)] = right
        value = Own(self.bench.part, written).computed(*key)
        if value is None:
            return False
        found = middle(value[self.bench.place(entry)])
        return bool(abs(found) > self.bench.unit(found) / 2)

    def _at_limits(self, function: str, entries: list[Entry]) -> bool:
        """Whether all entries are at a limit of the function, to the digits shown, and not all of the right ones."""
        limits = [fmpq(k) for k in ((-1, 1) if function == "tanh" else (0, 1))]

        def reached(value: fmpq) -> bool:
            return any(abs(value - limit) <= self.bench.unit(limit) / 2 for limit in limits)

        given = [self.given.get(entry) for entry in entries]
        there = all(one is not None and reached(one.value) for one in given)
        return there and not all(reached(self.bench.middle[entry]) for entry in entries)

    # ── trivial ──

    def _trivial(self, key: Key, entries: list[Entry], slip: bool) -> str | None:
        values = self._values(entries)
        right = [self.bench.middle[entry] for entry in entries]
        apart = any(not self.near(value, right[0]) for value in right)
        single = len(entries) == 1
        if self._alike(entries) and values[0] == 0:
            return "constant"
        several = sum(self.judged[entry].verdict == "wrong" for entry in entries) > 1
        many = len(values) >= FEWEST or self._often(values[0]) >= FEWEST
        if (single or (self._alike(entries) and apart and several)) and many:
            return "constant"
        if any(abs(value) > HUGE * max(fmpq(1), *map(abs, right)) for value in values):
            return "huge"
        telling = len(values) == len(entries) >= FEWEST and len(set(values)) > 1
        if not slip and telling and not set(values) <= {-1, 0, 1} and self._copied(key, values):
            return "copied"
        return None

    def _values(self, entries: list[Entry]) -> list[fmpq]:
        """What was answered, without the blanks."""
        return [given.value for entry in entries if (given := self.given.get(entry)) is not None]

    def _alike(self, entries: list[Entry]) -> bool:
        """Whether the answers are several, and all the same number."""
        values = self._values(entries)
        return len(values) > 1 and len(set(values)) == 1

    def _constant_again(self, key: Key, entries: list[Entry]) -> bool:
        """Whether a quantity that rests on a constant one is constant, too, and should not be."""
        right = [self.bench.middle[entry] for entry in entries]
        apart = any(not self.near(value, right[0]) for value in right)
        return apart and self._alike(entries) and any(one in self.idle for one in self.answered_before(key, True))

    def _often(self, value: fmpq) -> int:
        """How many entries so far are this number, and wrong."""
        wrong = (one.given for one in self.judged.values() if one.verdict == "wrong")
        return sum(given is not None and bool(given.value == value) for given in wrong)

    def _copied(self, key: Key, values: list[fmpq]) -> bool:
        """Whether all entries, row by row, are those of something that the equation does not use.

        What was worked out from this very quantity may have the same numbers by honest work: h^T (y - t) where every
        unit is active and y - t is 1.
        """
        used = set(self.uses(key))
        for other, own in self.written.items():
            near = other == key or other in used or key in self.answered_before(other, True)
            if not near and [own[place] for place in sorted(own)] == values:
                return True
        data = self.bench.part.network.data
        return any(
            datum.tensor is not None and (key[0], name) not in used and list(datum.tensor.entries) == values
            for name, datum in data.items()
            if name != key[1]
        )


def _nothing(one: Judged) -> bool:
    """Whether nothing can be worked out with an entry."""
    zero = one.given is not None and bool(one.given.value == 0)
    return one.verdict == "degenerate" or (one.verdict == "right" and zero)

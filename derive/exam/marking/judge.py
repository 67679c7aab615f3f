"""Marking with follow-through: is an answer right, does it follow from the student's own numbers, or neither?

Entries are judged in the order of working. An entry earns its points in three cases.

*Right*: it lies within the tolerance of the right value, whatever stands before it.

*Follows*: it lies within the tolerance of what the equations give from the student's own answers. Three works are
tried, each carried through the whole question, and they are never mixed:

1. every answer goes on as its digits say, as the interval of all values that round to them, and what was not asked for
   as what it may have been rounded to (work with displayed values lies in it, and so does that of a calculator);
2. an answer that its own inputs explain goes on unrounded, any other as in 1 (a calculator all the way);
3. every answer goes on as the number that is written.

What was not answered follows from what was. An interval that is wider than ``WIDEST`` units or ``SHARE`` of its value
says nothing, and does not count. An equation may be worked from an equal form (the state of a ReLU from its output, a
cross-entropy from its softmax), and **one** of the quantities that it uses, if it was answered wrongly, may be passed
over: then what follows at that place from the values before it goes on (a number copied wrongly, or a way around it).
A 0 is never reached in this way: it is met too easily. No combination of several such is tried, so a wrong number has a
handful of values to meet by chance and not dozens.
A slip that is found in a formula whose value was not asked for goes on like a wrong answer: what rests on that formula
follows from it, and is paid.
Where all answers before it are right, the entry is *carried*: right but for rounding.

*Neither*: it is *wrong*, and earns nothing. What follows from an empty or degenerate value earns nothing either; see
``trivial``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from flint import arb, fmpq

from derive.exam.marking.bench import Bench, Entry, middle
from derive.exam.marking.given import Given
from derive.exam.marking.own import Key, Own, Place, formulas
from derive.exam.marking.tick import Tick
from derive.exam.marking.trivial import Trivial
from derive.exam.tolerance import ONE_UNIT, Tolerance
from derive.graph.expression import Expression
from derive.numbers.arrays import Array
from derive.numbers.balls import Number, enclosure, precision
from derive.records import dataclass
from derive.review.by_hand import BITS
from derive.review.explanation import Explanation
from derive.review.simulation import RIGHT as NO_SLIP
from derive.review.simulation import Change

WIDEST = 25  # units of the last digit, from end to end
SHARE = fmpq(1, 50)
MOST_WORLDS = 8  # ways in which slips in what was not asked for may have gone on

World = tuple[Own, Own, Own]

RIGHT, CARRIED, FOLLOWS, DEGENERATE, WRONG, EMPTY = "right", "carried", "follows", "degenerate", "wrong", "empty"
VERDICTS = (RIGHT, CARRIED, FOLLOWS, DEGENERATE, WRONG, EMPTY)
EARNS = (RIGHT, CARRIED, FOLLOWS)


@dataclass(frozen=True, slots=True)
class Judged:
    """One entry with its verdict. ``own`` is what follows from the student's numbers, to which ``given`` was held.

    Where a quantity is ticked it has one entry with an empty index, and a ``tick`` instead of a number.

    ``points`` are what it earns of ``of``. ``flag`` says why a value is trivial: ``"constant"``, ``"huge"``,
    ``"copied"`` of a wrong value that others then rest on, ``"vanished"``, ``"saturated"`` or ``"trivial"`` of a
    degenerate one.
    """

    quantity: str
    index: tuple[int, ...]
    given: Given | None
    verdict: str
    points: fmpq
    of: fmpq
    own: fmpq | None = None
    flag: str | None = None
    tick: Tick | None = None

    @property
    def answer(self) -> str | None:
        """What the student wrote."""
        found = self.given or self.tick
        return None if found is None else found.text


@dataclass(frozen=True, slots=True)
class Slipped:
    """What was done wrongly where a quantity first went wrong; ``alternatives`` cannot be told apart, or are none."""

    quantity: str
    entries: tuple[tuple[int, ...], ...]
    alternatives: tuple[Explanation, ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of slip that explain it, each once."""
        return tuple(dict.fromkeys(one.kind for one in self.alternatives))


@dataclass(frozen=True, slots=True)
class Marked:
    """A question as it was marked: every entry in the order of the exam, slips in the order of working."""

    question: str
    entries: tuple[Judged, ...]
    slips: tuple[Slipped, ...]

    @property
    def points(self) -> fmpq:
        """What it earns."""
        return sum((one.points for one in self.entries), fmpq(0))


def judge(bench: Bench, given: Mapping[Entry, Given | None], tolerance: Tolerance = ONE_UNIT) -> Marked:
    """Mark one student's answers to one question; what is not in ``given`` is empty."""
    return _Judge(bench, given, tolerance).marked()


class _Judge:
    def __init__(self, bench: Bench, given: Mapping[Entry, Given | None], tolerance: Tolerance) -> None:
        self.bench, self.given, self.tolerance = bench, given, tolerance
        self.judged: dict[Entry, Judged] = {}
        self.balls: dict[Key, dict[Place, Number]] = {}
        self.written: dict[Key, dict[Place, Number]] = {}
        for entry, number in given.items():
            key = bench.keys.get(entry[0])
            if number is not None and key is not None:
                place = bench.place(entry)
                self.balls.setdefault(key, {})[place] = self._ball(number)
                self.written.setdefault(key, {})[place] = number.value
        self.worlds = [self._world(NO_SLIP)]
        self.trivial = Trivial(bench, given, self.written, self.judged, self._near)

    def _world(self, change: Change) -> World:
        """The works of a student who made these slips in what was not asked for; the last one is by hand."""
        part = self.bench.part
        return (
            Own(part, self.balls, change=change, blurred=self._blurred),
            Own(part, self.balls, self._explained, change),
            Own(part, self.written, change=change),
        )

    @property
    def by_hand(self) -> Own:
        """Every answer goes on as the number that is written."""
        return self.worlds[0][-1]

    def _ball(self, number: Given) -> Number:
        """All values that round to the digits written; who writes 2 where 2.0000 is shown means 2.0000."""
        if number.last == 0:
            return number.value
        half = min(number.last, self.bench.unit(number.value)) / 2
        with precision(BITS):
            return arb(number.value, half)

    def _blurred(self, value: Number) -> Number:
        """What a value that was not asked for may have been rounded to before it went on."""
        if not isinstance(value, arb):
            unit = self.bench.unit(value)
            if (value / unit).q == 1:  # nothing to round
                return value
        else:
            if not value.is_finite():
                return value
            unit = self.bench.unit(middle(value))
        with precision(BITS):
            return arb(value) + arb(0, unit / 2)

    def _explained(self, computed: Number, written: Number) -> bool:
        """Whether what was written may be what was worked out."""
        return self._meets(middle(written), computed) is not None

    def _near(self, value: fmpq, of: fmpq) -> bool:
        return bool(abs(value - of) <= self.tolerance.of(of, self.bench.unit(of)))

    def _meets(self, value: fmpq, found: Number) -> fmpq | None:
        """What is found, where it is narrow enough to say something and the value is within the tolerance of it."""
        try:
            low, high = enclosure(found)
        except ValueError:
            return None
        centre = (low + high) / 2
        unit = self.bench.unit(centre)
        if high - low > max(WIDEST * unit, SHARE * abs(centre)):
            return None
        allowed = self.tolerance.of(centre, unit)
        return centre if low - allowed <= value <= high + allowed else None

    # ── verdicts ──

    def marked(self) -> Marked:
        slips: list[Slipped] = []
        for quantity in self.bench.order:
            entries = [(quantity, answer.index) for answer in self.bench.quantities[quantity]]
            for entry in entries:
                self.judged[entry] = self._judge(entry)
            slip = self._slip(quantity, [self.judged[entry] for entry in entries])
            self.trivial.settle(quantity, self.by_hand, slip is not None and bool(slip.alternatives))
            slips += [slip] if slip is not None else []
        return Marked(self.bench.question.id, tuple(self.judged[entry] for entry in self.bench.right), tuple(slips))

    def _judge(self, entry: Entry) -> Judged:
        of, given = self.bench.right[entry].points, self.given.get(entry)
        made = partial(Judged, entry[0], entry[1], given)
        if given is None:
            return made(EMPTY, fmpq(0), of)
        if self._near(given.value, self.bench.middle[entry]):
            return made(RIGHT, of, of)
        met = [self._follows(world, entry, given.value) for world in self.worlds]
        if any(own is not None for own in met):
            self.worlds = [world for world, own in zip(self.worlds, met, strict=True) if own is not None]
            own = next(own for own in met if own is not None)
            unasked = self.by_hand.change != NO_SLIP
            return made(FOLLOWS if unasked or self._slipped_before(entry[0]) else CARRIED, of, of, own)
        follows = self._expected(entry)
        return made(WRONG, fmpq(0), of, follows)

    def _follows(self, world: World, entry: Entry, value: fmpq) -> fmpq | None:
        """What follows at a place, where a value is within the tolerance of it."""
        met = (self._meets(value, found) for found in self._candidates(world, entry, value != 0))
        return next((own for own in met if own is not None), None)

    def _candidates(self, world: World, entry: Entry, around: bool) -> Iterator[Number]:
        """What may follow at a place, best first; with ``around`` also with one wrong quantity passed over."""
        key = self.bench.keys.get(entry[0])
        if key is None:
            return
        place = self.bench.place(entry)
        for work in world:
            yield from _at(work.computed(*key), place)
        right, *equal = formulas(self.bench.part, *key) or (None,)
        for formula in equal:
            for work in world:
                yield from _at(work.otherwise(*key, formula), place)
        if right is not None and around:
            for formula in (right, *equal):
                for besides in self._passed_over(key, formula):
                    for work in world:
                        yield from _at(work.otherwise(*key, formula, besides), place)

    def _passed_over(self, key: Key, formula: Expression) -> Iterator[Key]:
        """The quantities used here that were answered, and wrongly."""
        for quantity, own in self.bench.keys.items():
            wrong = (self.judged.get((quantity, one.index)) for one in self.bench.quantities[quantity])
            used = own[0] == key[0] and own[1] in formula.names() and own in self.written
            if used and any(one is not None and one.verdict == WRONG for one in wrong):
                yield own

    def _expected(self, entry: Entry) -> fmpq | None:
        """What follows from the written numbers, whatever was given."""
        key = self.bench.keys.get(entry[0])
        found = None if key is None else next(_at(self.by_hand.computed(*key), self.bench.place(entry)), None)
        try:
            return None if found is None else middle(found)
        except ValueError:
            return None

    def _slipped_before(self, quantity: str) -> bool:
        """Whether an answer that this one rests on is wrong, or rests on a wrong one itself."""
        bad = (FOLLOWS, DEGENERATE, WRONG)
        return any(self.judged[entry].verdict in bad for entry in self.trivial.before(quantity) if entry in self.judged)

    # ── slips ──

    def _slip(self, quantity: str, found: Sequence[Judged]) -> Slipped | None:
        """What went wrong in a quantity; where it was in a formula that nobody asked for, it may go on from there."""
        wrong = tuple(one.index for one in found if one.verdict == WRONG)
        if not wrong:
            return None
        from derive.exam.marking.naming import Naming

        named = Naming(self.bench, self.by_hand, self.tolerance).of(quantity, found)
        changes = [one.change for one in named if one.entry is None and self._unasked(quantity, one.change)]
        before = self.by_hand.change
        more = [self._world(before.with_more(change)) for change in changes]
        self.worlds = [*self.worlds, *more][:MOST_WORLDS]
        return Slipped(quantity, wrong, named)

    def _unasked(self, quantity: str, change: Change) -> bool:
        own = self.bench.keys[quantity][1] if quantity in self.bench.keys else None
        return bool(change.early) or any(name != own and (0, name) not in self.written for name, _ in change.formulas)


def _at(whole: Array | None, place: Place) -> Iterator[Number]:
    if whole is not None:
        yield whole[place]

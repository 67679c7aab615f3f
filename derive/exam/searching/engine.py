"""The search for numbers that meet every constraint: depth first, entry by entry, with conflict-directed backjumping.

Entries are chosen in the order in which the program needs them. After each choice the instructions that it completes
are worked out, and each constraint is tested as soon as its values are known. One that fails is blamed on the values
that it was worked out from, so that a search that has run dry goes back to an entry that one of these rests on, and
not merely to the last (Prosser, "Hybrid algorithms for the constraint satisfaction problem", 1993). The blame is kept:
an entry for which nothing fits when a certain sum is 1/4 is not tried again when that sum is 1/4, in this search or a
later one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flint import arb, fmpq

from derive.exam.searching.constraints import Constraint, Test, Tests
from derive.exam.searching.program import Instruction, Program
from derive.exam.searching.stream import Stream
from derive.numbers.balls import DomainError, Number, UndecidedSign, precision
from derive.records import dataclass

BITS = 64  # of balls: what they leave undecided is taken for a violation
LONGEST = 256  # bits of a rational that goes on as one
MOST_REASONS, MOST_DEAD_ENDS = 6, 20_000  # kept for one entry: combinations of values, and values of each
ZERO, ONE = fmpq(0), fmpq(1)

_SUM, _PRODUCT, _OTHER, _TEST = range(4)
_Step = tuple[int, int, tuple[int, ...], Any, int, Constraint, int]  # op, slot, inputs, call, …


@dataclass(frozen=True, slots=True)
class Point:
    """Numbers for the cells of a program, in its order, and how many operations they make of it."""

    values: tuple[fmpq, ...]
    operations: int


class Blocked(Exception):
    """No numbers were found. ``complete`` says that every choice was tried, so that there are none."""

    def __init__(self, complete: bool) -> None:
        super().__init__("complete" if complete else "bound")
        self.complete = complete


class Engine:
    """A program with its constraints, ready for any number of searches.

    ``domains`` gives what each cell may be. ``rejections`` counts what failed; ``candidates`` is how many values have
    been tried for an entry, and ``limit`` how many may be for one variant.
    """

    limit = 100_000

    def __init__(self, program: Program, tests: Tests, domains: Sequence[Sequence[fmpq]]) -> None:
        self.program = program
        self.rejections: Counter[Constraint] = Counter()
        self.candidates = 0
        used: dict[int, None] = {slot: None for one in program.instructions for slot in one.inputs}
        first = [cell.slot for cell in program.cells]
        position = {slot: k for k, slot in enumerate(used)}
        order = sorted(range(len(first)), key=lambda k: position.get(first[k], len(position)))
        self.order = tuple(order)  # the cell of each level
        self.slots = tuple(first[k] for k in order)
        self.domains = tuple(tuple(domains[k]) for k in order)
        self.values: list[Any] = [None] * program.size
        for slot, value in program.fixed.items():
            self.values[slot] = value
        self._reached = self._masks()
        self._needs = self._blame()
        self._made = [0] * len(self.slots)  # the slots that each level works out
        for slot, mask in enumerate(self._reached):
            if mask:
                self._made[mask.bit_length() - 1] |= 1 << slot
        self._everything = 1 << program.size  # the reason that rests on every choice
        self._dead_ends: list[dict[int, tuple[tuple[int, ...], set[tuple[fmpq, ...]]]]] = [{} for _ in self.slots]
        self._lifts: dict[tuple[int, int], int] = {}
        self.steps = self._schedule(tests)
        self.most = self._most_left()

    def _blame(self) -> list[int]:
        """For each slot the slots of earlier levels that it is worked out from, one bit each; an entry needs none."""
        needs = [0] * self.program.size
        for one in self.program.instructions:
            level = self._reached[one.output].bit_length()
            for slot in one.inputs:
                needs[one.output] |= self._needed(needs, slot, level)
        return needs

    def _needed(self, needs: Sequence[int], slot: int, level: int) -> int:
        """What a step of a level (counted from 1) needs from before it on account of one of its slots."""
        at = self._reached[slot].bit_length()
        return needs[slot] if at == level else 1 << slot if at else 0

    def _masks(self) -> list[int]:
        """For each slot, the levels that it rests on, one bit each."""
        masks = [0] * self.program.size
        for level, slot in enumerate(self.slots):
            masks[slot] = 1 << level
        for one in self.program.instructions:
            mask = 0
            for slot in one.inputs:
                mask |= masks[slot]
            masks[one.output] = mask
        return masks

    def _schedule(self, tests: Tests) -> list[list[_Step]]:
        """The steps of each level, those before any choice at the end."""
        levels: list[list[_Step]] = [[] for _ in range(len(self.slots) + 1)]
        ready: dict[int, list[Test]] = {}
        place = {one.output: k for k, one in enumerate(self.program.instructions)}
        for test in tests.others:
            last = max(test.slots, key=lambda slot: (self._reached[slot].bit_length(), place.get(slot, -1)))
            ready.setdefault(last, []).append(test)
        for slot in range(self.program.size):
            if slot not in place:
                self._add_tests(levels, ready.get(slot, ()))
        for one in self.program.instructions:
            mask = self._reached[one.output]
            limit = tests.places.get(one.output)
            scale, constraint = (10 ** limit[0], limit[1]) if limit else (0, Constraint("value", one.quantity))
            code = {"sum": _SUM, "product": _PRODUCT}.get(one.op, _OTHER)
            call = _operations_of(one) if code == _OTHER else None
            blame = self._needs[one.output]
            levels[mask.bit_length() - 1].append((code, one.output, one.inputs, call, scale, constraint, blame))
            self._add_tests(levels, ready.get(one.output, ()))
        return levels

    def _add_tests(self, levels: list[list[_Step]], tests: Sequence[Test]) -> None:
        for test in tests:
            level = max(self._reached[slot].bit_length() for slot in test.slots)
            blame = 0
            for slot in test.slots:
                blame |= self._needed(self._needs, slot, level)
            levels[level - 1].append((_TEST, -1, test.slots, test.holds, 0, test.constraint, blame))

    def _most_left(self) -> list[int]:
        """For each level, how many operations the later ones can make at most."""
        made = [0] * (len(self.slots) + 1)
        for one in self.program.instructions:
            made[self._reached[one.output].bit_length() - 1] += one.most
        left = [0] * len(self.slots)
        for level in range(len(self.slots) - 2, -1, -1):
            left[level] = left[level + 1] + made[level + 1]
        return left

    # ── one level ──

    def _run(self, steps: Sequence[_Step]) -> tuple[int, int]:
        """Works the steps out. Returns the operations they took and, where one failed, what to blame (else -1)."""
        values, operations = self.values, 0
        for op, slot, inputs, call, scale, constraint, blame in steps:
            if op == _PRODUCT:
                a, b = values[inputs[0]], values[inputs[1]]
                result = a * b
                if a != ZERO and b != ZERO and a != ONE and b != ONE:
                    operations += 1
            elif op == _SUM:
                result, terms = ZERO, -1
                for k in inputs:
                    a = values[k]
                    if a != ZERO:
                        terms += 1
                        result = result + a if terms else a
                if terms > 0:
                    operations += terms
            elif op == _TEST:
                if call([values[k] for k in inputs]):
                    continue
                self.rejections[constraint] += 1
                return operations, blame
            else:
                try:
                    result, more = call([values[k] for k in inputs])
                except (DomainError, UndecidedSign, ZeroDivisionError):
                    self.rejections[Constraint("value", constraint.quantity)] += 1
                    return operations, blame
                operations += more
            if type(result) is fmpq:
                if scale:
                    if scale % result.q != 0:
                        self.rejections[constraint] += 1
                        return operations, blame
                elif result.height_bits() > LONGEST:
                    result = arb(result)
            elif result.is_zero():
                result = ZERO
            elif not result.is_finite() or scale:
                self.rejections[constraint] += 1
                return operations, blame
            values[slot] = result
        return operations, -1

    # ── search ──

    def find(
        self,
        stream: Stream,
        bound: int,
        operations: tuple[int, int] | None = None,
        taken: Callable[[tuple[fmpq, ...]], bool] = lambda values: False,
    ) -> Point:
        """The first numbers in a random order of all choices that meet everything, after ``bound`` candidates at most.

        ``operations`` are the fewest and the most that are allowed, ``taken`` says which numbers are not new. Raises
        ``Blocked``.
        """
        with precision(BITS):
            base, blame = self._run(self.steps[-1])
            if blame >= 0:
                raise Blocked(complete=True)
            return self._descend(stream, bound, operations, taken, base)

    def _descend(
        self,
        stream: Stream,
        bound: int,
        operations: tuple[int, int] | None,
        taken: Callable[[tuple[fmpq, ...]], bool],
        base: int,
    ) -> Point:
        depth = len(self.slots)
        orders = [stream.shuffled(domain) for domain in self.domains]
        next_, reasons, counts = [0] * (depth + 1), [0] * (depth + 1), [base] * (depth + 1)
        level = tried = 0
        try:
            while True:
                if level == depth:
                    values = self._in_order()
                    if not taken(values):
                        return Point(values, counts[depth])
                    self.rejections[Constraint("distinct")] += 1
                    reason = self._everything
                elif next_[level] < len(orders[level]):
                    if tried >= bound:
                        raise Blocked(complete=False)
                    tried += 1
                    self.values[self.slots[level]] = orders[level][next_[level]]
                    next_[level] += 1
                    more, blame = self._run(self.steps[level])
                    count = counts[level] + more
                    if blame < 0 and operations is not None and self._off(count, level, operations):
                        self.rejections[Constraint("operations")] += 1
                        blame = self._everything
                    if blame >= 0:
                        reasons[level] |= blame
                        continue
                    level += 1
                    counts[level], next_[level], reasons[level] = count, 0, 0
                    reason = self._dead_end(level) if level < depth else 0
                    if not reason:
                        continue
                else:
                    reason = reasons[level]
                    self._remember(level, reason)
                level = self._back(level, reason, reasons)
        finally:
            self.candidates += tried

    def _off(self, count: int, level: int, operations: tuple[int, int]) -> bool:
        """Whether a count up to a level can no longer end between two bounds."""
        return count > operations[1] or count + self.most[level] < operations[0]

    def _back(self, level: int, reason: int, reasons: list[int]) -> int:
        """The last level that a dead end rests on; the dead end is a reason against its present value."""
        target = level - 1
        if not reason & self._everything:
            while target >= 0 and not reason & self._made[target]:
                target -= 1
        if target < 0:
            raise Blocked(complete=True)
        reasons[target] |= self._lifted(target, reason)
        return target

    def _lifted(self, level: int, reason: int) -> int:
        """The same reason in values from before a level: what the level works out is replaced by what it is made of."""
        key = (level, reason)
        if key not in self._lifts:
            mine = reason & self._made[level]
            lifted = reason & ~mine
            while mine:
                slot = mine.bit_length() - 1
                mine ^= 1 << slot
                lifted |= self._needs[slot]
            self._lifts[key] = lifted
        return self._lifts[key]

    def _remember(self, level: int, reason: int) -> None:
        """Keeps a dead end under the values that it rests on, unless it rests on everything."""
        known = self._dead_ends[level]
        if reason & self._everything or (reason not in known and len(known) >= MOST_REASONS):
            return
        slots, ends = known.setdefault(reason, (_bits(reason), set()))
        values = tuple(self.values[slot] for slot in slots)
        if len(ends) < MOST_DEAD_ENDS and all(type(value) is fmpq for value in values):
            ends.add(values)

    def _dead_end(self, level: int) -> int:
        """The reason why nothing will fit at a level with the values before it, if that is known; else 0."""
        for reason, (slots, ends) in self._dead_ends[level].items():
            values = tuple(self.values[slot] for slot in slots)
            if all(type(value) is fmpq for value in values) and values in ends:
                return reason
        return 0

    def _in_order(self) -> tuple[fmpq, ...]:
        return tuple(self.values[cell.slot] for cell in self.program.cells)

    def operations(self, values: Mapping[int, fmpq]) -> int | None:
        """How many operations given numbers (by slot) make; ``None`` where they fail a test."""
        with precision(BITS):
            for slot in self.slots:
                self.values[slot] = values[slot]
            total = 0
            for steps in (self.steps[-1], *self.steps[:-1]):
                more, blame = self._run(steps)
                total += more
                if blame >= 0:
                    return None
        return total


def _operations_of(one: Instruction) -> Callable[[list[Number]], tuple[Number, int]]:
    """The value of an instruction that is neither a sum nor a product, with its operations on two numbers."""
    call, most = one.value, one.most
    assert call is not None
    if not most:
        return lambda v: (call(*v), 0)
    if one.op == "divide":
        return lambda v: (call(*v), int(v[0] != ZERO and v[1] != ONE))
    return lambda v: (call(*v), most if v[0] != ZERO and v[0] != ONE else 0)


def _bits(mask: int) -> tuple[int, ...]:
    return tuple(k for k in range(mask.bit_length()) if mask >> k & 1)

"""Verdicts on printed numbers: does a number agree with the data, with the numbers printed before it, or with neither?

A printed number stands for its rounding interval, given data are exact, and right values are certified enclosures. A
number is *wrong* only where its interval and that of everything it may rest on have no point in common.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from functools import cached_property, partial

from flint import fmpq

from derive.graph.expression import Adjoint, Name
from derive.numbers.arrays import Array
from derive.numbers.balls import Number, enclosure
from derive.numbers.decimals import read_number
from derive.numbers.intervals import Interval
from derive.numbers.rounding import Rounding, printed
from derive.records import dataclass
from derive.review.answers import Answers
from derive.review.arithmetic import Arithmetic, NotRead, arithmetic, numbers_in
from derive.review.by_hand import ByHand, Level, rounded
from derive.review.claims import Claim
from derive.review.evidence import Observed
from derive.review.numerals import Numeral, in_full, read_numeral
from derive.solution import Part

STEPS_OF_BITS = (128, 512, 2048, 4096)


class Verdict(Enum):
    """What is to be said of a printed number; the value is the sentence."""

    AGREES = "agrees"
    CARRIED = "agrees if displayed values are carried"
    CONSISTENT = "consistent with the printed factors but not with the data"
    WRONG = "wrong"
    UNDECIDED = "undecided"

    @property
    def key(self) -> str:
        """The word for it in files."""
        return self.name.lower()

    @property
    def right(self) -> bool:
        """Whether the number may stand."""
        return self in (Verdict.AGREES, Verdict.CARRIED)


@dataclass(frozen=True, slots=True)
class Judged:
    """A claim with its verdict.

    ``low`` and ``high`` enclose the right value, ``right`` has it to the digits that are printed and ``full`` to ten.
    ``carried`` is what displayed values carried on give, to the digits printed, where those digits differ.
    ``literal`` is what the printed arithmetic gives, with its digits as they stand, where that rounds to another number
    than is printed; ``unread`` tells why the arithmetic was not read; ``follows`` is false where it cannot give what is
    printed. ``survives``: the number is right, the arithmetic
    in front of it is not. ``inherits`` has the claims that a consistent number takes its error from.
    """

    claim: Claim
    verdict: Verdict
    low: fmpq
    high: fmpq
    right: str
    full: str
    carried: str | None = None
    literal: str | None = None
    unread: str | None = None
    follows: bool = True
    survives: bool = False
    inherits: tuple[str, ...] = ()

    @property
    def expected(self) -> bool:
        """Whether the verdict is the one that the claim expects; ``wrong`` is met by every number that is not right."""
        if self.claim.expect == "wrong":
            return self.verdict in (Verdict.WRONG, Verdict.CONSISTENT)
        return self.verdict.key == self.claim.expect


class Bench:
    """The claims on one part, judged together: what one number is worth hangs on those before it."""

    def __init__(self, part: Part, claims: Sequence[Claim], decimal: str = ".") -> None:
        self.part, self.claims, self.decimal = part, claims, decimal
        self.answers = Answers(part)
        self._right = {id(claim): self._decided(claim) for claim in claims}
        self._at: dict[tuple[Level, Name], list[tuple[tuple[int, ...], Claim]]] = {}
        for claim in claims:
            if (key := self._key(claim)) is not None:
                self._at.setdefault(key, []).append((self.place(claim), claim))
        for on_name in self._at.values():  # of two claims on one entry, the one with more digits goes on
            on_name.sort(key=lambda pair: pair[1].printed.decimals)
        self._judged: dict[int, Judged] = {}
        digits = Rounding(digits=max(_commonest([claim.printed.decimals for claim in claims]), 0))
        self._trusting = ByHand(part, partial(self._carry, None, False))
        self._good = (
            self._trusting, ByHand(part, partial(self._carry, digits, False)), ByHand(part, rounded(digits)),
        )  # fmt: skip
        self._as_printed = ByHand(part, partial(self._carry, None, True))

    def judge(self, claim: Claim) -> Judged:
        """The claim with its verdict."""
        if id(claim) not in self._judged:
            self._judged[id(claim)] = self._judge(claim)
        return self._judged[id(claim)]

    def observed(self) -> tuple[Observed, ...]:
        """What the claims show of the values that the equations lead to, as evidence of what went wrong."""
        found = (self.observation(claim) for claim in self.claims)
        return tuple(one for one in found if one is not None)

    def observation(self, claim: Claim) -> Observed | None:
        """What one claim shows, where the equations have it; ``None`` for a Jacobian or a second derivative."""
        if self._key(claim) is None:
            return None
        numeral, update = _signed(claim), claim.quantity.update
        text = claim.quantity.name if not update else f"{claim.quantity.name}@{update}"
        return Observed(text, self.place(claim), numeral.low, numeral.high)

    # ── right values ──

    def _decided(self, claim: Claim) -> tuple[Number, fmpq, fmpq, bool | None]:
        """The right value, its enclosure, and whether it lies in the printed interval."""
        for bits in STEPS_OF_BITS:
            value = self.answers.entry(claim, bits)
            low, high = enclosure(value)
            inside = claim.printed.contains(low, high)
            if inside is not None:
                break
        return value, low, high, inside

    def _key(self, claim: Claim) -> tuple[Level, Name] | None:
        name = self.answers.name(claim.quantity.name)
        return None if name is None else (claim.quantity.update or 0, name)

    def place(self, claim: Claim) -> tuple[int, ...]:
        """The entry, counted from 0 along each axis, where the equations have it.

        Numerator layout lays a gradient on its side: there it stands where its variable does.
        """
        shape = self.answers.whole(claim, STEPS_OF_BITS[0]).shape
        place = self.answers.position(claim, shape)
        return place[::-1] if self.answers.turned(claim.quantity.name) else place

    # ── what is carried ──

    def _carry(self, digits: Rounding | None, always: bool, level: Level, name: Name, value: Array) -> Array:
        """Claimed entries go on as they are printed: ``always``, or those that may stand and the others corrected.

        Entries that no claim speaks of are rounded to ``digits``, where these are given.
        """
        on_name = self._at.get((level, name), [])
        if digits is None and not on_name:
            return value
        found = value.copy() if digits is None else rounded(digits)(level, name, value)
        for place, claim in on_name:
            numeral = _signed(claim)
            if always or self.judge(claim).verdict.right:
                found[place] = numeral.value
            elif (text := printed(value[place], numeral.rounding)) is not None:
                found[place] = read_number(text.text)
        return found

    def _entry(self, hand: ByHand, claim: Claim) -> Number | None:
        """What a work by hand gives for a claim; ``None`` for nothing, and for what is no step of it."""
        key = self._key(claim)
        value = None if key is None else hand.computed(*key)
        if value is None:
            return None
        entry: Number = value[self.place(claim)]
        return -entry if claim.quantity.negated else entry

    # ── verdicts ──

    def _judge(self, claim: Claim) -> Judged:
        value, low, high, inside = self._right[id(claim)]
        numeral = claim.printed
        read, unread = self._read(claim)
        follows = read is None or _meet(read.spread, numeral.low, numeral.high)
        sound = read is None or _meet(read.spread, low, high)
        literal = None if read is None or _meet(read.literal, numeral.low, numeral.high) else _shown(read, numeral)
        by_hand = self._entry(self._trusting, claim)
        right = numeral.like(value)
        carried = None if by_hand is None or _in(numeral, by_hand) else numeral.like(by_hand)
        carried = None if carried == right else carried
        if inside is None:
            verdict = Verdict.UNDECIDED
        elif inside and sound:
            verdict = Verdict.AGREES
        elif not follows:
            verdict = Verdict.WRONG
        elif inside:
            verdict = Verdict.CONSISTENT
        elif self._if_carried(claim) or (read is not None and sound and literal is None):
            verdict = Verdict.CARRIED
        elif read is not None or self._as_it_is_printed(claim):
            verdict = Verdict.CONSISTENT
        else:
            verdict = Verdict.WRONG
        inherits = self._sources(claim) if verdict is Verdict.CONSISTENT else ()
        survives = inside is True and not verdict.right
        return Judged(
            claim, verdict, low, high, right, in_full(value), carried, literal, unread, follows, survives, inherits
        )

    def _if_carried(self, claim: Claim) -> bool:
        return any(_in(claim.printed, entry) for hand in self._good if (entry := self._entry(hand, claim)) is not None)

    def _as_it_is_printed(self, claim: Claim) -> bool:
        entry = self._entry(self._as_printed, claim)
        return entry is not None and _in(claim.printed, entry)

    def _sources(self, claim: Claim) -> tuple[str, ...]:
        """The claims before this one whose numbers do not stand, and that take their error from nowhere else."""
        key = self._key(claim)
        if key is None:
            return ()
        level, name = key
        step = self._at.get((level - 1, Adjoint(self.part.asked.top or "", str(name))), []) if level else []
        own = [one for place, one in step if place == self.place(claim) and not self.judge(one).verdict.right]
        if own:  # an updated parameter takes its error from its own derivative
            return tuple(one.id for one in own)
        used = None if claim.expression is None else set(map(_digits, numbers_in(claim.expression, self.decimal)))
        found: list[str] = []
        for (at, other), on_name in self._at.items():
            if at <= level and (at, other) != key and self._leads(at, other, level, name):
                said = [one for _, one in on_name if used is None or _of(one) in used]
                judged = [self.judge(one) for one in said]
                found += [one.claim.id for one in judged if not (one.verdict.right or one.inherits or one.survives)]
        return tuple(dict.fromkeys(found))

    def _leads(self, at: Level, other: Name, level: Level, name: Name) -> bool:
        """Whether a name is used on the way to another; of an earlier level everything is."""
        if at < level:
            return True
        history = self.part.history
        run = self.part.run if not level or history is None else history.runs[level]
        return name in run.equations and other in set(run.order(name, ()))

    # ── printed arithmetic ──

    def _read(self, claim: Claim) -> tuple[Arithmetic | None, str | None]:
        if claim.expression is None:
            return None, None
        try:
            shape = self.answers.whole(claim, STEPS_OF_BITS[0]).shape
            index = self.answers.position(claim, shape)
            return arithmetic(claim.expression, self.decimal, self._is_data, index), None
        except NotRead as reason:
            return None, str(reason)

    def _is_data(self, text: str) -> bool:
        """Whether a number in printed arithmetic is given and not rounded.

        It is what the problem gives, counts, or has as an exact value; unless a claim prints the same digits for a
        value that is not quite theirs.
        """
        value = read_numeral(text).value
        if _digits(text) in self._roundings:
            return False
        return bool(value.q == 1) or value in self._exact

    @cached_property
    def _roundings(self) -> frozenset[Digits]:
        found = set()
        for claim in self.claims:
            right = self._right[id(claim)][0]
            if not (isinstance(right, fmpq) and right == claim.printed.value):
                found.add(_of(claim))
        return frozenset(found)

    @cached_property
    def _exact(self) -> frozenset[fmpq]:
        network, update = self.part.network, self.part.problem.ask.update
        found = {entry for datum in network.data.values() if datum.tensor is not None for entry in datum.tensor.entries}
        for equation in network.equations:
            found |= {node.number for node in equation.value.nodes() if node.op == "constant"}
        found |= set(update.rates.values()) if update is not None else set()
        found |= {right[0] for right in self._right.values() if isinstance(right[0], fmpq)}
        return frozenset(found | {abs(value) for value in found})


def _signed(claim: Claim) -> Numeral:
    """The number printed for the quantity itself, where the claim is on its negative."""
    return claim.printed.negative if claim.quantity.negated else claim.printed


def _in(numeral: Numeral, value: Number) -> bool:
    """Whether a printed number can stand for a value; where its enclosure lies across an end it can."""
    return numeral.contains(*enclosure(value)) is not False


def _meet(interval: Interval, low: fmpq, high: fmpq) -> bool:
    return bool(interval.low <= high and low <= interval.high)


def _shown(read: Arithmetic, numeral: Numeral) -> str:
    return numeral.like((read.literal.low + read.literal.high) / 2)


Digits = tuple[fmpq, int]


def _digits(text: str) -> Digits:
    """What tells one printed number from another: its size, and how many digits it has behind the point."""
    return _of_numeral(read_numeral(text))


def _of(claim: Claim) -> Digits:
    return _of_numeral(claim.printed)


def _of_numeral(numeral: Numeral) -> Digits:
    return abs(numeral.value), numeral.decimals


def _commonest(numbers: Sequence[int]) -> int:
    counts: Mapping[int, int] = {number: numbers.count(number) for number in sorted(set(numbers))}
    return max(counts, key=lambda number: counts[number]) if counts else 0

"""What a document's names are worth where they stand: which part of the problem, and before or after which update.

A document need not say so in words that are known. A chain is held against the state that held last, then against the
others; it is wrong only if it is wrong in all of them. A heading that names a part (``Part b``) rules the others out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from flint import fmpq

from derive.errors import DeriveError
from derive.graph.expression import Adjoint
from derive.numbers import arrays
from derive.numbers.arrays import Array
from derive.numbers.balls import Number
from derive.numbers.decimals import read_number
from derive.numbers.rounding import Rounding, printed
from derive.records import dataclass
from derive.review.lint.book import BITS, Book, World
from derive.review.lint.judge import CARRIED, UNREAD, WRONG, Digits, Printed, Verdict, cost, judged
from derive.review.lint.source import Heading
from derive.review.lint.tokens import keys
from derive.review.lint.vocabulary import Spelling, Vocabulary, Whole, vocabulary
from derive.solution import Solution, rules
from derive.solution.part import Part
from derive.solution.values import Run

READINGS = ((False, False), (True, False), (False, True), (True, True))
MOST_STATES = 24
LONGEST_TRIED = 3000
"""Pieces of a chain that is tried in more than one state and one reading."""


class Speller(Protocol):
    """The printer's symbols, handed in from above: of a part, and of its update rule by the names of that rule."""

    def names(self, part: Part) -> Spelling:
        """How the names of a part are printed."""

    def rule(self, part: Part) -> Mapping[str, str]:
        """How the names of its update rule are printed; empty where it has none."""


@dataclass(frozen=True)
class Place:
    """A part (or a view of one), its symbols, and the states its names may be in."""

    part: Part
    vocabulary: Vocabulary
    worlds: tuple[World, ...]
    digits: Digits


class Known:
    """The scene of a document about a solved problem."""

    def __init__(self, solution: Solution, speller: Speller | None = None) -> None:
        self.solution, self.speller = solution, speller
        self._places: dict[str | None, list[Place]] = {}
        self._books: dict[tuple[int, bool, bool], Book] = {}
        self._last: dict[int, int] = {}
        self._by_hand: dict[int, tuple[World, ...]] = {}
        self._only: str | None = None
        self._now: str | None = solution.parts[0].problem.part

    # ── where ──

    def heading(self, heading: Heading) -> None:
        """A heading of a part alone opens it; another one of the same level or above closes it."""
        named = self._named(heading.text)
        if named is not None:
            self._only, self._level = named, heading.level
            self._now = named
        elif self._only is not None and heading.level <= self._level:
            self._only = None

    def _named(self, title: str) -> str | None:
        """The part that a heading is the name of: ``Part b``, ``(b)``, ``b)``."""
        words = re.findall(r"\w+", title)
        longest = 8  # characters beside the name
        for part in self.solution.parts:
            name = part.problem.part
            if name is not None and len(words) <= 2 and name in words:
                return name
            own = re.escape(name or "")
            alone = rf"[(（]{own}[)）]|(?:^|[^\w]|[\u4e00-\u9fff]){own}$"
            if name is not None and len(title) <= len(name) + longest and re.search(alone, title):
                return name
        return None

    def vocabularies(self) -> Sequence[Vocabulary]:
        """The symbols that may be meant here, the likeliest first."""
        return [place.vocabulary for place in self._here()]

    def _here(self) -> list[Place]:
        names = (part.problem.part for part in self.solution.parts)
        order: list[str | None] = [self._only]
        if self._only is None:
            order = [self._now, *(name for name in names if name != self._now)]
        return [place for name in order for place in self._of(name)]

    def _of(self, name: str | None) -> list[Place]:
        if name not in self._places:
            part = next(part for part in self.solution.parts if part.problem.part == name)
            self._places[name] = list(places(part, self.speller))
        return self._places[name]

    def function(self, vocabulary: Vocabulary, name: Any, primes: int) -> Callable[[Number], Number]:
        """A function, with the parameters that it has in the problem. Raises ``Unread``."""
        place = next(place for place in self._here() if place.vocabulary is vocabulary)
        return self._book(place.worlds[0], False, False).function(name, primes)

    # ── verdicts ──

    def judged(self, sides: Sequence[Printed], vocabulary: Vocabulary) -> list[Verdict]:
        """The verdicts in the state in which the chain holds; in the likeliest where it holds in none."""
        place = next(place for place in self._here() if place.vocabulary is vocabulary)
        nodes = [node.kind for side in sides if side.tree is not None for node in side.tree.walk()]
        if "name" not in nodes and "partial" not in nodes:
            return judged(sides, self._book(place.worlds[0], False, False), place.digits)
        if not place.part.numeric:
            return [Verdict(UNREAD, "symbolic")] * (len(sides) - 1)
        last = self._last.get(id(place), 0)
        states = [last, *(k for k in range(len(place.worlds)) if k != last)]
        readings = READINGS if "partial" in nodes else READINGS[:1]
        if len(nodes) > LONGEST_TRIED:
            states, readings = states[:1], readings[:1]
        best: tuple[tuple[int, int], list[Verdict]] | None = None
        for k in states:
            for local, turned in readings:
                found = self._judge(sides, place, place.worlds[k], local, turned)
                price = cost(found)
                if best is None or price < best[0]:
                    best = price, found
                if price == (0, 0):
                    self._last[id(place)] = k
                    self._now = place.part.problem.part
                    return found
        assert best is not None
        return self._carried(sides, place, best[1]) if len(nodes) <= LONGEST_TRIED else best[1]

    def _carried(self, sides: Sequence[Printed], place: Place, found: list[Verdict]) -> list[Verdict]:
        """What is wrong at full precision may be right where rounded values were carried, in the whole chain."""
        world = place.worlds[0]
        if world.carried is not None or all(verdict.kind != WRONG for verdict in found):
            return found
        if id(world) not in self._by_hand:
            self._by_hand[id(world)] = tuple(by_hand(place))
        for hand in self._by_hand[id(world)]:
            for local, turned in READINGS:
                again = self._judge(sides, place, hand, local, turned, strict=True)
                if cost(again) <= (cost(found)[0], 0):
                    pairs = zip(found, again, strict=True)
                    return [replace(new, kind=CARRIED) if old.kind == WRONG else new for old, new in pairs]
        return found

    def _judge(
        self, sides: Sequence[Printed], place: Place, world: World, local: bool, turned: bool, strict: bool = False
    ) -> list[Verdict]:
        book = self._book(world, local, turned)
        hand = self._book(world.carried, local, turned) if world.carried is not None else None
        return judged(sides, book, place.digits, hand, strict)

    def _book(self, world: World, local: bool, turned: bool) -> Book:
        key = (id(world), local, turned)
        if key not in self._books:
            self._books[key] = Book(world, local, turned)
        return self._books[key]


# ── states ──────────────────────────────────────────────────────────────────────────────────────────────────────


def places(part: Part, speller: Speller | None) -> Iterator[Place]:
    """The part itself, with the symbols of its update rule, and its views with further names."""
    digits = Digits(constants(part), part.problem.convention.significant, part.problem.convention.digits)
    symbols = vocabulary(part, speller.names(part) if speller else None)
    yield Place(part, symbols, tuple(_worlds(part, symbols)), digits)
    if part.opening is not None and speller is not None and not part.opening.update.plain:
        ruled = _with_rule(part, symbols, speller.rule(part))
        yield Place(part, ruled, tuple(_moves(part, ruled)), digits)
    if part.gates is not None:
        found = part.gates
        view = replace(
            part, network=found.network, run=found.run, shown=found.shown, explicit=None, further=None, gates=None
        )
        more = vocabulary(view, speller.names(view) if speller else None)
        yield Place(view, more, (_start(view, more),), digits)
    if part.further is not None:
        for view in part.further.views.values():
            more = vocabulary(view, speller.names(view) if speller else None)
            yield Place(view, more, (_start(view, more),), digits)


def by_hand(place: Place) -> Iterator[World]:
    """The start of a part as work by hand has it.

    Every named value is rounded as it is shown, and carried on so; or values that are right as shown are put in.
    """
    part, world = place.part, place.worlds[0]
    run = Run(part.run.equations, part.run.data, part.run.kind, carried=part.rounding)
    finders: tuple[Callable[[Any], Array], ...] = (
        lambda name: run.value(name, BITS),
        lambda name: _rounded(world.find(name), part.rounding),
    )
    for find in finders:
        carried = World(part, place.vocabulary, find, lambda name: None)
        yield World(part, place.vocabulary, world.find, world.after, carried)


def _rounded(array: Array, rounding: Rounding) -> Array:
    """Every entry as it is shown; what is not decided stays."""
    found: list[Number] = []
    for x in arrays.entries(array):
        text = printed(x, rounding)
        found.append(x if text is None else read_number(text.text))
    return arrays.filled(array.shape, found)


def constants(part: Part) -> frozenset[fmpq]:
    """The numbers of a problem, without their signs: data, rates, constants of its equations and of its rule."""
    found: set[fmpq] = set()
    for datum in part.network.data.values():
        if datum.tensor is not None and len(datum.tensor.entries) <= 100_000:
            found |= {abs(fmpq(entry)) for entry in datum.tensor.entries}
    update = part.problem.ask.update
    if update is not None:
        found |= {abs(rate) for rate in (*update.rates.values(), *update.decay.values())}
        found |= {abs(number) for number in update.constants.values()}
        for slopes in update.slopes:
            found |= {abs(fmpq(entry)) for tensor in slopes.values() for entry in tensor.entries}
    for equation in part.network.equations:
        found |= {abs(node.number) for node in equation.value.nodes() if node.op == "constant"}
    return frozenset(found)


def _start(part: Part, symbols: Vocabulary) -> World:
    def finder(run: Any) -> Callable[[Any], Array]:
        return lambda name: run.value(name, BITS)

    def assigned(run_of: str) -> Callable[[str], Array | None]:
        def after(name: str) -> Array | None:
            return _assigned(part, 0, name, run_of == "shown")

        return after

    carried = None
    if part.problem.convention.carry == "displayed":
        carried = World(part, symbols, finder(part.shown), assigned("shown"))
    return World(part, symbols, finder(part.run), assigned("run"), carried)


def _assigned(part: Part, k: int, name: str, printed: bool) -> Array | None:
    history = part.opening or part.history
    if history is None or k >= len(history.moves) or name not in history.update.moving:
        return None
    moves = history.printed.moves if printed else history.moves
    found: Array = moves[k].rule.value(rules.after(name), BITS)
    return found


def _worlds(part: Part, symbols: Vocabulary) -> Iterator[World]:
    """The start; each state that updates lead to; the samples of each update."""
    yield _start(part, symbols)
    history = part.opening or part.history
    if history is None:
        return
    pairs = list(zip(history.moves, history.printed.moves, strict=False))
    by_hand = part.problem.convention.carry == "displayed"

    def world(run: Any, shown: Any, k: int) -> World:
        carried = None
        own = part.batch or part if k == 0 else part  # the first mini-batch is solved like a problem of its own
        if by_hand:
            carried = World(
                own, symbols, lambda name: shown.value(name, BITS), lambda name: _assigned(part, k, name, True)
            )
        return World(
            own, symbols, lambda name: run.value(name, BITS), lambda name: _assigned(part, k, name, False), carried
        )

    for k, (move, shown) in enumerate(pairs[:MOST_STATES]):
        if k or move.rows:
            yield world(move.found, shown.found, k)
    for other in (part.history, part.opening):
        if other is not None:
            runs = list(zip(other.runs, other.printed.runs, strict=False))[1:]
            for run, displayed in [*runs[: MOST_STATES - 1], *runs[-1:]]:
                yield world(run, displayed, len(pairs))


def _with_rule(part: Part, symbols: Vocabulary, printed: Mapping[str, str]) -> Vocabulary:
    """The symbols with those of the update rule: constants, memory, points ahead."""
    names = dict(symbols.names)
    for label, latex in printed.items():
        text = keys(latex)
        if text and text not in names and _used(label, part):
            names[text] = Whole(label)
    return Vocabulary(names, symbols.own, frozenset(text[0] for text in names if len(text) == 1))


def _used(label: str, part: Part) -> bool:
    """Whether the rule has anything under this name: several share a symbol, and one of them stands in the formulas."""
    history = part.opening
    assert history is not None
    update, rule = history.update, history.moves[0].rule
    moving = list(update.moving)
    if label in {rules.given(name) for name in moving}:
        return bool(update.slopes)
    if label in {make(name) for name in moving for make in (rules.penalised, rules.ahead)}:
        return label in rule.equations
    return label != rules.DECAY or bool(update.decay)


def _moves(part: Part, symbols: Vocabulary) -> Iterator[World]:
    """Each update of a rule that remembers, before and after what it remembers is assigned."""
    history = part.opening
    assert history is not None
    by_hand = part.problem.convention.carry == "displayed"
    for k in range(min(len(history.moves), MOST_STATES)):
        for new in (False, True):
            carried = _moved(part, symbols, k, new, True, None) if by_hand else None
            yield _moved(part, symbols, k, new, False, carried)


def _moved(part: Part, symbols: Vocabulary, k: int, new: bool, printed: bool, carried: World | None) -> World:
    history = part.opening
    assert history is not None
    move = (history.printed if printed else history).moves[k]
    states = {rules.after(label) for label in _labels(history.update)}

    def find(name: Any) -> Array:
        if isinstance(name, Adjoint):
            return (move.slopes or move.found).value(name, BITS)
        if new and rules.after(name) in states:
            return move.rule.value(rules.after(name), BITS)
        if ":" in name or name in history.update.moving:
            return move.rule.value(name, BITS)
        return (move.slopes or move.found).value(name, BITS)

    def after(name: str) -> Array | None:
        try:
            found: Array = move.rule.value(rules.after(name), BITS)
        except (KeyError, DeriveError):
            return None
        return found

    return World(part, symbols, find, after, carried)


def _labels(update: Any) -> Iterator[str]:
    """The names of what a rule remembers."""
    from derive.problem.rules import RULES

    for name in update.moving:
        for state in RULES[update.rule].state:
            yield rules.remembered(state, name)

"""What feedback and summaries have in common: symbols, numbers as they were written, slips in words, right formulas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from flint import fmpq

from derive.exam.marking.bench import Bench
from derive.exam.marking.given import Given
from derive.exam.marking.judge import Slipped
from derive.exam.marking.marks import number
from derive.numbers.rounding import Rounding, printed
from derive.problem.ask import split_ratio
from derive.report.catalogue import Catalogue
from derive.report.compose.sheet import Sheet
from derive.report.compose.slips import told
from derive.report.compose.updates import rule
from derive.report.document import Chain, Display, Link, Math, Spans, Text
from derive.report.notation import letter
from derive.report.notation.matrices import matrix_of
from derive.report.notation.printed import printed_text
from derive.review.evidence import base_of

NO_ANSWER = r"\text{–}"
PLACES = Rounding(digits=2)


class Named:
    """The names of one question in one language, and what slips were made in it."""

    def __init__(self, sheet: Sheet, words: Catalogue) -> None:
        self.sheet, self.words = sheet, words

    def symbol(self, quantity: str) -> Spans:
        """A quantity on one line, with the update that it stands behind."""
        name, update = base_of(quantity)
        ratio = split_ratio(name)
        symbols = self.sheet.symbols
        known = ratio is not None or name in symbols.known
        text = symbols.name(name) if ratio is None else r"\partial {} / \partial {}".format(*map(symbols.name, ratio))
        spans: Spans = (Math(text) if known else Text(name),)
        return self.words.say("marking.after", quantity=spans, update=str(update)) if update else spans

    def index(self, index: tuple[int, ...]) -> Math:
        """The place of an entry."""
        return Math("(" + ", ".join(map(str, index)) + ")")

    def slip(self, slip: Slipped) -> tuple[Spans, ...]:
        """What was done, in sentences; that nothing known explains it, where that is so."""
        if not slip.alternatives:
            return (self.words.say("marking.unknown", quantity=self.symbol(slip.quantity)),)
        return told(self.sheet, slip.alternatives)


class Spoken(Named):
    """One question that asks for values, in one language."""

    def __init__(self, bench: Bench, words: Catalogue) -> None:
        super().__init__(Sheet(bench.part, words), words)
        self.bench = bench

    def written(self, quantity: str, given: Mapping[tuple[int, ...], Given | None]) -> Spans:
        """The numbers of a quantity as they were written, in its shape."""

        def cell(index: tuple[int, ...]) -> str:
            one = given.get(tuple(k + 1 for k in index))
            return NO_ANSWER if one is None else latex(one)

        return (Math(matrix_of(self.shape(quantity), cell)),)

    def shape(self, quantity: str) -> tuple[int, ...]:
        """The shape of an asked quantity."""
        return self.bench.asked[quantity]

    def shown(self, value: fmpq) -> Math:
        """A value to the digits of the question."""
        found = printed(value, self.bench.part.rounding)
        return Math(printed_text(found)) if found is not None else Math("")

    def right(self, slip: Slipped) -> Display | None:
        """The formula as it should be: of what went wrong on the way, or else of the quantity itself."""
        inner = next((one.quantity for one in slip.alternatives if one.quantity not in ("", "update")), slip.quantity)
        name, update = base_of(inner)
        equations = self.bench.simulation.equations
        known = self.bench.simulation.names.get(name)
        wish, loss = self.bench.part.problem.ask.update, self.bench.part.asked.top
        if update and name in self.bench.simulation.rates and wish is not None and loss is not None:
            return Display((rule(self.sheet, loss, name, letter(wish.symbol)),))
        if known is None or known not in equations:
            return None
        terms = self.sheet.letters.terms(equations[known])
        return Display((Chain(self.sheet.symbols.name(known), (Link("=", terms),)),))


def latex(given: Given) -> str:
    """A number as it was written, never more than digits, a sign, a point and a fraction bar."""
    value = given.value
    if given.last == 0:
        found = printed(value, Rounding(fractions=True))
        return printed_text(found) if found is not None else ""
    places = 0
    while given.last * 10**places < 1 and places < 400:
        places += 1
    found = printed(value, Rounding(digits=places))
    if found is None:
        return ""
    text = printed_text(found)
    if found.exponent is None and places and found.below is None:
        whole, _, after = text.partition(".")
        text = f"{whole}.{after.ljust(places, '0')}" if places <= 12 else text
    return text


def points(words: Catalogue, value: fmpq) -> str:
    """Points to two decimals at the most, with the decimal sign of the language."""
    return words.numbers(number(value, PLACES))


def mean(values: Iterable[fmpq]) -> fmpq:
    """The mean; 0 of nothing."""
    every = list(values)
    return sum(every, fmpq(0)) / max(len(every), 1)

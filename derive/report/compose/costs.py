"""The section on costs: multiplications, additions and values of functions, for each equation of both passes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from derive.graph.expression import Expression, Name
from derive.report.compose.sheet import Sheet
from derive.report.document import Block, Heading, Math, Paragraph, Spans, Table, Text
from derive.solution.costs import Cost, Count, cost, nothing


def costs(sheet: Sheet) -> Iterator[Block]:
    """One table for each pass, with its total, and how many times the forward pass the backward pass costs."""
    words, part = sheet.words, sheet.part
    yield Heading(2, words.say("costs.heading"))
    yield Paragraph(words.say("costs.intro"))
    forward = [(equation.name, equation.value) for equation in part.network.equations]
    yield _table(sheet, "forward", forward)
    if part.derivation is not None:
        yield _table(sheet, "backward", list(part.derivation.adjoints.items()))
        there, back = _products(value for _, value in forward), _products(part.derivation.adjoints.values())
        if there and set(there) == {()} == set(back):
            share = f"{back[()] / there[()]:.1f}".removesuffix(".0")
            yield Paragraph(words.say("costs.share", share=Math(share)))


def _products(expressions: Iterable[Expression]) -> Count:
    total = nothing()
    for expression in expressions:
        total += cost(expression)
    return total.multiplications


def _table(sheet: Sheet, key: str, rows: list[tuple[Name, Expression]]) -> Table:
    words, total = sheet.words, nothing()
    cells: list[tuple[Spans, ...]] = []
    for name, expression in rows:
        found = cost(expression)
        total += found
        cells.append(((sheet.math(name),), *_counts(sheet, found)))
    cells.append((words.say("costs.total"), *_counts(sheet, total)))
    head = tuple(words.say(f"costs.{word}") for word in (key, "multiplications", "additions", "functions"))
    return Table(head, tuple(cells), "lrrr")


def _counts(sheet: Sheet, found: Cost) -> tuple[Spans, ...]:
    counts = (found.multiplications, found.additions, found.functions)
    return tuple((Math(polynomial(sheet, count)),) if count else (Text("0"),) for count in counts)


def polynomial(sheet: Sheet, count: Count) -> str:
    """``12``, ``6 N - 3``: the longest products of sizes first."""
    terms: list[str] = []
    for letters, number in sorted(count.items(), key=lambda item: (-len(item[0]), item[0])):
        powers = [(letter, letters.count(letter)) for letter in dict.fromkeys(letters)]
        product = " ".join(
            sheet.symbols.size(letter) + (f"^{{{power}}}" if power > 1 else "") for letter, power in powers
        )
        size = "" if abs(number) == 1 and product else str(abs(number))
        sign = "-" if number < 0 else "+" if terms else ""
        terms.append(" ".join(piece for piece in (sign, size, product) if piece))
    return " ".join(terms)

"""The recursion of a loop: the way back for any step, where it starts, and what the steps add up to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from derive.graph.collect import coefficient
from derive.graph.expression import Adjoint, Name, leaf
from derive.graph.recurrence import General, own
from derive.problem.names import joined, stem_of
from derive.report.compose.sheet import Sheet
from derive.report.document import Block, Chain, Display, Heading, Link, Math, Paragraph
from derive.report.notation import Matrices
from derive.report.notation.cells import PRODUCT, Cell, add
from derive.solution.recursion import Recursion, TimeSum

MOST_LISTED = 4  # numbers of steps that are listed one by one


def recursion(sheet: Sheet) -> Iterator[Block]:
    """General equations, start, the closed form, sums over the steps; nothing where no two steps are alike."""
    found = sheet.recursion
    assert found is not None
    network, words = sheet.part.network, sheet.words
    computed = {str(equation.name) for equation in network.equations}

    def inner(general: General) -> bool:
        return any(joined(stem_of(own(general.name)), index) in computed for index in general.indices)

    steps = [general for general in found.backward if inner(general)]
    if not steps:
        return
    yield Heading(3, words.say("recursion.heading"))
    yield Paragraph(words.say("recursion.step", index=Math(_letter(sheet, found))))
    yield Display(tuple(general_chain(sheet, general) for general in steps))
    assert sheet.part.derivation is not None
    starts = [name for name in found.starts if name.by in computed]
    known = [name for name in starts if found.adjoints[name].names() == (name,)]
    for name in known:
        yield Paragraph(words.say("recursion.known", derivative=sheet.math(name)))
    if starts[len(known) :]:
        yield Paragraph(words.say("recursion.start"))
        yield Display(tuple(_plain(sheet, name) for name in starts if name not in known))
    closed = _closed(found, steps)
    if closed:
        yield Paragraph(words.say("recursion.closed"))
        yield Display(tuple(general_chain(sheet, general) for general in closed))
    sums = [
        (adjoint, gathered)
        for adjoint in sheet.part.derivation.adjoints
        if (gathered := found.sum_over_time(adjoint)) is not None
    ]
    if sums:
        yield Paragraph(words.say("recursion.gathered"))
        yield Display(
            tuple(Chain(sheet.symbols.name(a), (Link("=", summed_over_time(sheet, gathered)),)) for a, gathered in sums)
        )
    alone = [general for general in found.backward if not inner(general)]
    if alone:
        yield Paragraph(words.say("recursion.each", index=Math(_letter(sheet, found))))
        yield Display(tuple(general_chain(sheet, general) for general in alone))


def any_step(sheet: Sheet, name: str) -> str:
    """``z_t`` for ``z[2]``."""
    found = sheet.recursion
    assert found is not None
    return sheet.symbols.name(f"{stem_of(name)}[{found.variable}]")


def once(sheet: Sheet) -> dict[Name, Chain | None]:
    """For each member of a general equation of the forward pass what stands in its place: the general one, once."""
    found = sheet.recursion
    assert found is not None
    places: dict[Name, Chain | None] = {}
    for general in found.forward:
        for k, index in enumerate(general.indices):
            places[joined(stem_of(own(general.name)), index)] = general_chain(sheet, general) if k == 0 else None
    return places


def general_chain(sheet: Sheet, general: General) -> Chain:
    """``z_t = …  (t = 1, 2, 3)``"""
    found = sheet.recursion
    assert found is not None
    terms = _letters(sheet).terms(general.value)
    condition = rf"\quad ({_letter(sheet, found)} = {_listed(general.indices)})"
    return Chain(sheet.symbols.name(general.name), (Link("=", (*terms[:-1], f"{terms[-1]} {condition}")),))


def summed_over_time(sheet: Sheet, gathered: TimeSum) -> tuple[str, ...]:
    """The sum over the steps, cut where a line may break."""
    found = sheet.recursion
    assert found is not None
    letter, low, high = _letter(sheet, found), min(gathered.indices), max(gathered.indices)
    number, rest = coefficient(gathered.term)
    sign = "-" if number == -1 else ""
    term = _letters(sheet).cell(rest if sign and rest is not None else gathered.term)
    whole = Cell(rf"{sign}\sum_{{{letter}={low}}}^{{{high}}} {term.factor()}", PRODUCT)
    cell = add([whole, *(sheet.letters.cell(other) for other in gathered.rest)])
    return cell.terms or (cell.text,)


def _closed(found: Recursion, steps: Sequence[General]) -> tuple[General, ...]:
    """The recursions of the families that parameters get their derivatives from; the first one where there are none."""
    inner = {stem_of(own(general.name)) for general in steps}
    used = [general.value for general in found.backward if stem_of(own(general.name)) not in inner]
    used += [gathered.term for gathered in found.sums]
    wanted = {stem_of(name.by) for value in used for name in value.names() if isinstance(name, Adjoint)}
    candidates = [general for general in found.closed if stem_of(own(general.name)) in inner]
    chosen = [general for general in candidates if stem_of(own(general.name)) in wanted] or candidates[:1]
    return tuple(general for general in chosen if general not in steps)


def _plain(sheet: Sheet, name: Adjoint) -> Chain:
    assert sheet.recursion is not None
    return Chain(sheet.symbols.name(name), (Link("=", sheet.letters.terms(sheet.recursion.adjoints[name])),))


def _letters(sheet: Sheet) -> Matrices:
    """The printer of general formulas, which calls what any step has named by its name."""
    found = sheet.recursion
    assert found is not None
    named = {general.value: leaf(general.name, general.value.shape) for general in found.forward}
    return Matrices(sheet.symbols).with_names({**sheet.named, **named})


def _letter(sheet: Sheet, found: Recursion) -> str:
    return sheet.symbols.name(found.variable)


def _listed(indices: Sequence[int]) -> str:
    """``3, 2, 1``; of many in a row the first and the last, and the second too where it is not the next number."""
    gaps = {after - before for before, after in pairwise(indices)}
    if len(indices) <= MOST_LISTED or len(gaps) > 1:
        return ", ".join(map(str, indices))
    first = indices[:1] if gaps <= {1, -1} else indices[:2]
    return rf"{', '.join(map(str, first))}, \dots, {indices[-1]}"

"""What is asked beyond values, gradients and updates: as tasks of a sheet, and as what a solution does."""

from __future__ import annotations

from collections.abc import Iterator

from derive.report.compose.further import letters_of, view_of
from derive.report.compose.sheet import Sheet
from derive.report.compose.statement import plain
from derive.report.document import Math, Spans


def tasks(sheet: Sheet) -> Iterator[Spans]:
    """One line for each."""
    words, further = sheet.words, sheet.part.further
    assert further is not None
    for one in further.seconds:
        derivative = Math(view_of(sheet, one.label).symbols.name(one.text))
        yield words.say("problem.find_second", derivative=derivative)
    for way in further.passes:
        yield words.say("problem.find_tangents", end=sheet.math(way.end), names=sheet.listed(way.moved))
    for spelled in further.spelled:
        derivative, letters = sheet.math(spelled.name), sheet.listed(letters_of(spelled.letters))
        yield words.say("problem.find_letters", derivative=derivative, letters=letters)
    if further.rows is not None:
        yield words.say("problem.find_batch", size=Math(sheet.symbols.size(further.rows.size)))
    for quotient in further.exercises:
        entry = Math(sheet.symbols.entry(quotient.of, quotient.index))
        step, loss = Math(plain(quotient.step)), sheet.math(quotient.loss)
        yield words.say("problem.find_quotient", loss=loss, entry=entry, step=step)


def introduction(sheet: Sheet) -> Iterator[Spans]:
    """One sentence for each kind."""
    words, further = sheet.words, sheet.part.further
    assert further is not None
    if further.seconds:
        found = [Math(view_of(sheet, one.label).symbols.name(one.text)) for one in further.seconds]
        key = "intro.second" if len(found) > 1 else "intro.second_one"
        yield words.say(key, derivatives=words.in_a_row(found))
    if further.passes:
        moved = dict.fromkeys(name for way in further.passes for name in way.moved)
        yield words.say("intro.tangents", names=sheet.listed(moved))
    if further.spelled:
        yield words.say("intro.letters")
    if further.exercises:
        yield words.say("intro.quotients")
    if further.rows is not None:
        yield words.say("intro.batch", size=Math(sheet.symbols.size(further.rows.size)))

"""What went wrong, in words: a slip with what was written beside what should stand there, in the problem's symbols."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from derive.calculus.explicit import Entry
from derive.calculus.paths import Factor, Path
from derive.graph.expression import Expression
from derive.problem.ask import split_ratio
from derive.problem.questions import SECOND
from derive.report.compose.sheet import ROOM, Sheet
from derive.report.document import Figure, Math, Span, Spans, Text
from derive.report.widths import bound

OF_QUESTIONS = (  # kinds that questions of choice have sentences for
    *("slope", "pre_activation", "transpose", "order", "term", "number", "sign", "entries", "other_name", "double"),
)
OF_FORMULAS = (
    *("loss", "part", "exponent", "sum_term", "other_derivative", "activation", "reduction", "base", "extra_slope"),
    *("softmax", "factor"),
)
OF_UPDATES = ("early", "late", "kept", "uphill", "no_rate")
OF_DIGITS = ("sign_lost", "sign_added", "truncated", "elsewhere", "swapped", "point", "digit")
MOST_TOLD = 7  # of one class


class Slip(Protocol):
    """What ``review`` hands over of an explanation; see ``derive.review.explanation``."""

    @property
    def kind(self) -> str:
        """The key of its sentence."""

    @property
    def quantity(self) -> str:
        """What was worked out wrongly; empty for the same slip in several, ``"update"`` for one of the order."""

    @property
    def right(self) -> Expression | None:
        """What should stand there."""

    @property
    def wrong(self) -> Expression | None:
        """What was written."""

    @property
    def place(self) -> Expression | None:
        """Where in the formula."""

    @property
    def entry(self) -> tuple[int, ...] | None:
        """The single entry that is concerned."""

    @property
    def names(self) -> tuple[str, ...]:
        """What else the sentence names."""

    @property
    def paths(self) -> tuple[int, ...]:
        """The paths that were dropped, by their places among all."""

    @property
    def besides(self) -> Slip | None:
        """The other slip of a pair."""


def told(sheet: Sheet, alternatives: Sequence[Slip]) -> tuple[Spans, ...]:
    """One sentence for a slip; of several that the numbers cannot tell apart a lead, and one for each."""
    first = sorted(alternatives, key=lambda slip: not (slip.kind in OF_DIGITS and slip.names))  # what can be looked up
    said = tuple(dict.fromkeys(_sentences(sheet, slip) for slip in first))
    if len(said) == 1:
        return said
    lead = sheet.words.say("slips.one_of", count=len(said))
    shown = [(Text(f"({number}) "), *spans) for number, spans in enumerate(said[:MOST_TOLD], start=1)]
    return (lead, *shown, *([sheet.words.say("slips.and_more")] if len(said) > MOST_TOLD else []))


def drawn(sheet: Sheet, slip: Slip) -> Figure | None:
    """The paths of an entry of whose sum some are left out; ``None`` for another slip, and where there is no room."""
    if slip.kind != "paths":
        return None
    from derive.report.compose.path_pictures import picture  # only who has paths pays for it

    entry, _ = _all_paths(sheet, slip)
    return picture(sheet, entry, slip.paths)


def _sentences(sheet: Sheet, slip: Slip) -> Spans:
    words = sheet.words
    pieces = [_sentence(sheet, slip)]
    if slip.wrong is not None and slip.right is not None:
        wrong, right = sheet.letters.text(slip.wrong), sheet.letters.text(slip.right)
        if bound(wrong) + bound(right) < ROOM and wrong != right:
            pieces.append(words.say("slips.written", wrong=Math(wrong), right=Math(right)))
        if slip.entry is not None:
            pieces.append(words.say("slips.alone"))
    if slip.kind == "sign_lost" and slip.names:
        pieces.append(words.say("slips.repeats", part=", ".join(slip.names)))
    if slip.quantity == "" and slip.names:
        pieces.append(words.say("slips.everywhere", names=words.listed(_symbol(sheet, name) for name in slip.names)))
    if slip.besides is not None:
        pieces.append(words.say("slips.besides", said=_sentences(sheet, slip.besides)))
    return words.sentences(pieces)


def _sentence(sheet: Sheet, slip: Slip) -> Spans:
    words = sheet.words
    if slip.kind == "paths":
        return _paths(sheet, slip)
    if slip.kind in OF_DIGITS:
        return words.say(f"slips.{slip.kind}", **_names(slip, words.listed(map(Text, slip.names))))
    if slip.kind in OF_UPDATES:
        return words.say(f"slips.{slip.kind}", **_names(slip, sheet.listed(slip.names)))
    place = Math(sheet.letters.text(slip.place)) if slip.place is not None else Math("")
    table = "slip" if slip.kind in OF_QUESTIONS else "slips"
    said = words.say(f"{table}.{slip.kind}", place=place)
    return words.say("slips.in", quantity=_symbol(sheet, slip.quantity), said=said) if slip.quantity else said


def _names(slip: Slip, names: Spans) -> dict[str, Spans]:
    return {"names": names} if slip.names else {"names": (Text(""),)}


def _symbol(sheet: Sheet, quantity: str) -> Span:
    """A name, or a derivative on one line."""
    name = quantity.partition("@")[0]
    ratio = split_ratio(name)
    if ratio is not None:
        of, by = map(sheet.symbols.name, ratio)
        return Math(rf"\partial {of} / \partial {by}")
    return Text(name) if SECOND.fullmatch(name) else Math(sheet.symbols.name(name))


def _all_paths(sheet: Sheet, slip: Slip) -> tuple[Entry, tuple[Path, ...]]:
    """The entry that is spoken of, and every path from it to the loss."""
    paths, ratio = sheet.part.paths, split_ratio(slip.quantity)
    assert paths is not None
    assert ratio is not None
    entry = Entry(ratio[1], slip.entry or ())
    found = paths.full(entry)
    assert found is not None
    return entry, found


def _paths(sheet: Sheet, slip: Slip) -> Spans:
    """How many of the paths are left out, and which."""
    words, (entry, found) = sheet.words, _all_paths(sheet, slip)
    gone = [Math(" \\to ".join(_walk(sheet, found[k].factors))) for k in slip.paths]
    return words.say(
        "slips.path" if len(gone) == 1 else "slips.paths",
        count=len(found), gone=len(gone), entry=Math(sheet.entry(entry)),
        loss=Math(sheet.entry(found[0].factors[0].of)), paths=words.listed(gone),
    )  # fmt: skip


def _walk(sheet: Sheet, factors: Sequence[Factor]) -> Iterator[str]:
    """From the entry to the loss."""
    yield sheet.entry(factors[-1].by)
    for factor in reversed(factors):
        yield sheet.entry(factor.of)

"""What a slip was, in words and formulas: what was written beside what should stand there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from derive.calculus.explicit import Entry
from derive.graph.expression import Adjoint, Expression, Name
from derive.records import dataclass
from derive.report.compose.backward import term
from derive.report.compose.path_pictures import picture
from derive.report.compose.sheet import Sheet
from derive.report.document import Figure, Math, Spans, Text

FORMULAS = 60  # operations of the longest formula that is set beside the right one


@dataclass(frozen=True, slots=True)
class Slipped:
    """A slip as it is told. ``kind`` is the key of its sentence.

    ``quantity`` is what was worked out wrongly, ``""`` for one and the same slip in all of ``names``. ``wrong`` was
    written where ``right`` should stand. ``entry`` counts from 0 and is set where one entry alone is concerned.
    ``names`` are parameters, quantities or parts that the sentence names, ``paths`` the places of the paths that were
    left out among all of an entry's. ``alone`` says that nothing follows from it, ``besides`` is the other one of a
    pair.
    """

    kind: str
    quantity: str
    right: Expression | None = None
    wrong: Expression | None = None
    entry: tuple[int, ...] | None = None
    names: tuple[str, ...] = ()
    paths: tuple[int, ...] = ()
    alone: bool = False
    besides: Slipped | None = None


def told(sheet: Sheet, slips: Sequence[Slipped]) -> tuple[Spans, ...]:
    """The slips of one class, a few sentences each, and that the numbers do not tell them apart."""
    words = sheet.words
    said = [words.sentences(_said(sheet, slip)) for slip in slips]
    if len(said) < 2:
        return tuple(said)
    numbered = [(Text(f"({number}) "), *spans) for number, spans in enumerate(said, 1)]
    return (*numbered, words.say("slipped.classes"))


def drawn(sheet: Sheet, slip: Slipped) -> Figure | None:
    """The paths of an entry of whose sum some were left out; ``None`` for another slip, and where there is no room."""
    if slip.kind != "paths" or slip.entry is None or sheet.part.paths is None:
        return None
    return picture(sheet, _entry(sheet, slip))


def _said(sheet: Sheet, slip: Slipped) -> Iterator[Spans]:
    words = sheet.words
    if not slip.quantity:
        yield words.say(f"slipped.{slip.kind}", quantity=_listed(sheet, slip.names[:1]))
        yield words.say("slipped.everywhere", names=_listed(sheet, slip.names))
        return
    places: dict[str, Math | Spans] = {
        "quantity": Math(_symbol(sheet, slip.quantity)), "names": _listed(sheet, slip.names),
    }  # fmt: skip
    if slip.kind == "paths":
        yield _paths(sheet, slip)
    else:
        yield words.say(f"slipped.{slip.kind}", **places)
    if slip.kind in ("sign_lost", "sign_added") and slip.names:
        yield words.say("slipped.repeats", parts=words.listed(Text(part) for part in slip.names))
    if slip.wrong is not None and slip.right is not None and sum(1 for _ in slip.wrong.nodes()) <= FORMULAS:
        formulas = {key: Math(sheet.letters.text(side)) for key, side in (("wrong", slip.wrong), ("right", slip.right))}
        yield words.say("slipped.written", **formulas)
        if slip.entry is not None:
            yield words.say("slipped.entry")
    if slip.alone and slip.wrong is not None:
        yield words.say("slipped.alone")
    if slip.besides is not None:
        yield words.say("slipped.besides")
        yield from _said(sheet, slip.besides)


def _paths(sheet: Sheet, slip: Slipped) -> Spans:
    paths = sheet.part.paths
    assert paths is not None
    found = paths.full(_entry(sheet, slip)) or ()
    terms = sheet.words.listed(Math(term(sheet, found[k])) for k in slip.paths)
    symbol = Math(_symbol(sheet, slip.quantity))
    return sheet.words.say("slipped.paths", quantity=symbol, count=len(found), dropped=len(slip.paths), terms=terms)


def _entry(sheet: Sheet, slip: Slipped) -> Entry:
    name = _name(sheet, slip.quantity)
    return Entry(name.by if isinstance(name, Adjoint) else slip.quantity, slip.entry or ())


def _listed(sheet: Sheet, texts: Sequence[str]) -> Spans:
    return sheet.words.listed(Math(_symbol(sheet, text)) for text in texts)


def _name(sheet: Sheet, text: str) -> Name | None:
    network = sheet.part.network
    names: list[Name] = [*network.data, *(equation.name for equation in network.equations), *sheet.part.shape_adjoints]
    return next((name for name in names if str(name) == text), None)


def _symbol(sheet: Sheet, text: str) -> str:
    """The symbol of a quantity, ``W1@1`` and ``h[1,2]`` included."""
    bare, _, made = text.partition("@")
    bare, _, index = bare.partition("[") if _name(sheet, bare) is None else (bare, "", "")
    name = _name(sheet, bare)
    if name is None:
        return rf"\text{{{text}}}" if text.isascii() and text.isalnum() else r"\text{update}"
    place = tuple(int(k) - 1 for k in index.rstrip("]").split(",")) if index else ()
    symbol = sheet.entry(Entry(name, place)) if place and not isinstance(name, Adjoint) else sheet.symbols.name(name)
    if place and isinstance(name, Adjoint):
        top = sheet.symbols.name(name.of)
        symbol = rf"\partial {top} / \partial {sheet.entry(Entry(name.by, place))}"
    elif isinstance(name, Adjoint):
        symbol = rf"\partial {sheet.symbols.name(name.of)} / \partial {sheet.symbols.name(name.by)}"
    return rf"{symbol}^{{({made})}}" if made else symbol

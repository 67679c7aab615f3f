"""The table of checks at the end of a report."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from derive.problem.questions import second_of
from derive.report.catalogue import Catalogue
from derive.report.compose.sheet import Sheet
from derive.report.document import Block, Math, Paragraph, Span, Spans, Table, Text
from derive.solution.checks import Check, by_name

_FIGURE = re.compile(r"\d+e[-+]\d+")  # a check that compares numbers begins its figure with the bound that was met


def checks(sheets: Sequence[Sheet], words: Catalogue) -> Iterator[Block]:
    """One row for each kind of check: what was judged, and the loosest bound that was met; in brief one sentence."""
    if not sheets[0].detail.reasons:
        yield Paragraph(_in_one_sentence(sheets, words))
        return
    yield Paragraph(words.say("checks.intro"))
    kinds = by_name(tuple(check for sheet in sheets for check in sheet.part.checks))
    of: dict[str, dict[Spans, None]] = {}
    for sheet in sheets:
        for check in sheet.part.checks:
            of.setdefault(check.check, {})[_judged(sheet, words, check.of)] = None
    rows = tuple(
        (
            words.say(f"checks.{kind}"),
            _of(words, tuple(of[kind]), sheets[0].detail.quantities),
            _bound(words, kind, found),
        )
        for kind, found in kinds.items()
    )
    head = tuple(words.say(f"checks.{key}") for key in ("check", "of", "bound"))
    yield Table(head, rows, "lll")


def _in_one_sentence(sheets: Sequence[Sheet], words: Catalogue) -> Spans:
    """How many checks there were, and the loosest bound of those that compare numbers."""
    found = [check for sheet in sheets for check in sheet.part.checks]
    bounds = [match[0] for check in found if (match := _FIGURE.match(check.figure))]
    if not bounds:
        return words.say("detail.checks", count=len(found))
    return words.say("detail.checks_bound", count=len(found), bound=Math(_power(max(bounds, key=float))))


def _power(value: str) -> str:
    """``1e-09`` as a power of ten."""
    mantissa, exponent = value.split("e")
    power = rf"10^{{{int(exponent)}}}"
    return power if mantissa == "1" else rf"{mantissa} \times {power}"


def _of(words: Catalogue, judged: Sequence[Spans], most: int) -> Spans:
    """The quantities, each once: their symbols where they are few, else their number."""
    if len(judged) <= most:
        return words.in_a_row(judged)
    shown = words.in_a_row([*judged[:most], Math(r"\ldots")])
    return (*shown, *words.say("locale.note", text=len(judged)))


def _judged(sheet: Sheet, words: Catalogue, name: str) -> Spans:
    """The symbol of a quantity; ``dE`` stands for every derivative of E."""
    known = name in sheet.part.network.data or any(e.name == name for e in sheet.part.network.equations)
    if known or "/" in name or not name.startswith("d"):
        return (Math(_symbol(sheet, name)),)
    return words.say("checks.every", loss=Math(sheet.symbols.name(name[1:])))


def _symbol(sheet: Sheet, name: str) -> str:
    """``dE/dW1`` as a fraction on one line."""
    symbols = sheet.symbols
    if (found := second_of(name, symbols.known)) is not None:
        of, first, then = map(symbols.name, found)
        below = rf"\partial {first}^{{2}}" if first == then else rf"\partial {first} \partial {then}"
        return rf"\partial^{{2}} {of} / {below}"
    if "/" in name:
        of, by = (part[1:] for part in name.split("/"))
        return rf"\partial {symbols.name(of)} / \partial {symbols.name(by)}"
    return symbols.name(name)


def _bound(words: Catalogue, kind: str, found: Sequence[Check]) -> Spans:
    """The loosest bound, or how much was shown of how much there is."""
    if kind == "replay":
        return words.say("checks.steps", count=sum(int(check.figure) for check in found))
    if kind in (
        "sympy_local",
        "sympy_whole",
        "paths",
        "fused",
        "gates",
        "forward_reverse",
        "second_sympy",
        "alphabet",
        "alphabet_sympy",
    ):
        shown, total = (sum(int(check.figure.split(" of ")[k]) for check in found) for k in (0, 1))
        return words.say("checks.entries", shown=shown, total=total)
    if kind == "instance":
        figures = [check.figure for check in found]
        count = sum(int(figure.split()[0]) for figure in figures)
        _, _, sizes = figures[0].partition(" at ")
        if sizes and len(figures) == 1:
            return words.say("checks.at", count=count, sizes=sizes)
        return words.say("checks.count", count=count)
    loosest = max((check.figure for check in found), key=lambda figure: float(figure.split(",")[0].split()[0]))
    number, _, _ = loosest.partition(",")
    value, _, kind_of = number.partition(" ")
    spans: list[Span] = [Math(_power(value))]
    if kind_of == "absolute":
        spans.append(Text(words.text("checks.absolute")))
    said = " ".join(check.figure for check in found)
    if "sampled" in said:
        spans += [Text(words.text("locale.clause")), *words.say("checks.sampled")]
    elif " of " in said:
        spans += [Text(words.text("locale.clause")), *words.say("checks.kinked")]
    return tuple(spans)

"""Errata as a document that an author can send to the publisher: where, what is printed, what is right, and why.

Each corrected line is derived as in a report: the same steps, the same symbols, with certified numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import prod

from derive.chapters.findings import RIGHT, Finding, number, reasons
from derive.chapters.prose import prose
from derive.graph.expression import Adjoint
from derive.problem.ask import split_ratio
from derive.problem.convention import MOST_DIGITS
from derive.problem.problem import Text as Texts
from derive.report.catalogue import Catalogue
from derive.report.compose.backward import one
from derive.report.compose.chains import chain_of_jacobians
from derive.report.compose.forward import shown
from derive.report.compose.sheet import Sheet
from derive.report.compose.statement import localised
from derive.report.compose.updates import in_numbers
from derive.report.document import (
    Block,
    Code,
    Display,
    Document,
    Heading,
    Items,
    Math,
    Paragraph,
    Spans,
    Table,
    Text,
    stem_in,
)
from derive.solution import Part, Solution


def errata(
    solution: Solution,
    findings: Sequence[Finding],
    *,
    name: str,
    title: Texts,
    source: Texts,
    language: str = "en",
) -> Document:
    """The errata among the findings, with the derivation of each; then what is right by a hair.

    ``solution`` has every quantity that is spoken of. Raises ``ProblemError`` for an unknown language.
    """
    words = prose(language)
    sheets = {part.problem.part: Sheet(part, words) for part in solution.parts}
    wrong = [finding for finding in findings if finding.verdict not in RIGHT]
    problem = localised(solution.problem.title, language) or solution.problem.name
    blocks: list[Block] = [
        Paragraph(
            words.say(
                "errata.intro" if len(findings) != 1 else "errata.intro_one", count=len(findings), problem=problem
            )
        )
    ]
    if said := localised(source, language):
        blocks.append(Paragraph(words.say("errata.source", source=said)))
    blocks.append(Heading(1, words.say("errata.list")))
    named = {finding.id: symbol(sheets[finding.part], finding) for finding in wrong}
    if wrong:
        blocks.append(_table(sheets, [(finding, finding.right) for finding in wrong], "right", words))
    else:
        blocks.append(Paragraph(words.say("errata.none")))
    derived: set[tuple[object, ...]] = set()
    for finding in wrong:
        blocks += _erratum(sheets[finding.part], finding, words, named)
        if _line(finding) not in derived:  # one line may have several wrong entries
            derived.add(_line(finding))
            digits = max(other.decimals for other in wrong if _line(other) == _line(finding))
            blocks += _corrected(sheets[finding.part], finding, digits)
    blocks += _by_a_hair(sheets, findings, words)
    heading = localised(title, language) or problem
    return Document(stem_in(language, name), words.text("errata.title", title=heading), language, tuple(blocks))


def _line(finding: Finding) -> tuple[object, ...]:
    """What tells one line of a solution from another."""
    return finding.part, finding.quantity, finding.update


def _table(
    sheets: Mapping[str | None, Sheet], found: Sequence[tuple[Finding, str]], last: str, words: Catalogue
) -> Table:
    """Where, what, what is printed, and one value more; without places where none is given."""
    placed = any(finding.place or finding.part is not None for finding, _ in found)
    head = tuple(words.say(f"errata.{key}") for key in ("place", "quantity", "printed", last))
    rows = tuple(
        (_place(finding, words), symbol(sheets[finding.part], finding), (number(finding.printed),), (number(value),))
        for finding, value in found
    )
    if placed:
        return Table(head, rows, "llrr")
    return Table(head[1:], tuple(row[1:] for row in rows), "lrr")


def _place(finding: Finding, words: Catalogue) -> Spans:
    if finding.place or finding.part is None:
        return (Text(finding.place),)
    return words.say("errata.part", part=finding.part)


def _erratum(sheet: Sheet, finding: Finding, words: Catalogue, named: Mapping[str, Spans]) -> Iterator[Block]:
    """One number: the two values, the reasons, and the line as it should read."""
    yield Heading(2, symbol(sheet, finding))
    said: list[tuple[str, Spans]] = [("place", (Text(finding.place),))] if finding.place else []
    said += [("printed", (number(finding.printed),)), ("right", (number(finding.right),))]
    said += [("value", (number(finding.full),))] if finding.full != finding.right else []
    why = [(Text(finding.note),)] if finding.note else []
    said.append(("reason", words.sentences((*reasons(finding, words, named=named), *why))))
    colon = Text(words.text("locale.colon"))
    yield Items(tuple((*words.say(f"errata.{key}"), colon, *spans) for key, spans in said))
    if finding.picture is not None:
        yield finding.picture


def _corrected(sheet: Sheet, finding: Finding, digits: int) -> Iterator[Block]:
    """The line as it should read."""
    words, blocks = sheet.words, list(derivation(_to_the_digits(sheet, digits), finding))
    if blocks:
        later = finding.update is not None and finding.update > 0 and not _is_parameter(sheet.part, finding)
        lead = words.say("errata.line_after", update=str(finding.update)) if later else words.say("errata.line")
        yield Paragraph(lead)
        yield from blocks


def _to_the_digits(sheet: Sheet, digits: int) -> Sheet:
    """The same sheet with as many decimals as are printed, where these are more."""
    part, digits = sheet.part, min(digits, MOST_DIGITS)
    convention = part.problem.convention
    if convention.significant is not None or digits <= convention.digits:
        return sheet
    problem = replace(part.problem, convention=replace(convention, digits=digits))
    return Sheet(Part(**{**part.__dict__, "problem": problem, "_written": {}}), sheet.words)


def _by_a_hair(sheets: Mapping[str | None, Sheet], findings: Sequence[Finding], words: Catalogue) -> Iterator[Block]:
    """Numbers that only carrying displayed values explains, and numbers whose arithmetic has too few digits."""
    carried = [(finding, finding.right) for finding in findings if finding.verdict == "carried"]
    rounding = [(f, f.literal) for f in findings if f.verdict == "agrees" and f.literal is not None]
    for key, last, found in (("carried", "right", carried), ("rounding", "arithmetic", rounding)):
        if found:
            yield Heading(1, words.say(f"errata.{key}_list"))
            yield Paragraph(words.say(f"errata.{key}_text"))
            yield _table(sheets, found, last, words)


# ── the quantity ────────────────────────────────────────────────────────────────────────────────────────────────


def symbol(sheet: Sheet, finding: Finding) -> Spans:
    """The entry that is spoken of, in the problem's symbols."""
    spans: Spans = (Code(finding.quantity),)
    if split_ratio(finding.quantity) is not None or finding.quantity in sheet.symbols.known:
        latex = _latex(sheet, finding)
        spans = (Math(f"-{latex}" if finding.negated else latex),)
    if finding.update:
        return sheet.words.say("errata.after", quantity=spans, update=str(finding.update))
    return spans


def _latex(sheet: Sheet, finding: Finding) -> str:
    symbols, network = sheet.symbols, sheet.part.network
    ratio = split_ratio(finding.quantity)
    if ratio is None:
        return symbols.entry(finding.quantity, finding.entry)
    of, by = ratio
    if finding.jacobian:
        upper = symbols.entry(of, _unflat(network.shape(of), finding.entry[0]))
        return _by(upper, symbols.entry(by, _unflat(network.shape(by), finding.entry[1])))
    elementwise = network.shape(of) == network.shape(by) and of != sheet.part.asked.loss
    upper = symbols.entry(of, finding.entry) if elementwise else symbols.name(of)
    return _by(upper, symbols.entry(by, finding.entry))


def _by(upper: str, lower: str) -> str:
    """A derivative on one line, for headings and tables."""
    return rf"\partial {upper} / \partial {lower}"


def _unflat(shape: tuple[int | str, ...], flat: int) -> tuple[int, ...]:
    """The index of the entry at a place counted row by row."""
    found: list[int] = []
    sizes = [int(size) for size in shape]
    for k in range(len(sizes)):
        below = prod(sizes[k + 1 :])
        found.append(flat // below)
        flat %= below
    return tuple(found)


# ── the line as it should read ──────────────────────────────────────────────────────────────────────────────────


def derivation(sheet: Sheet, finding: Finding) -> Iterator[Block]:
    """The steps that lead to a quantity, as a report has them; nothing for what no report works out."""
    part, update = sheet.part, finding.update or 0
    if update and _is_parameter(part, finding):
        yield from _of_update(sheet, finding)
        return
    if update:
        later = _after(part, update)
        if later is None:
            return
        sheet = Sheet(later, sheet.words)
    yield from _of_quantity(sheet, finding.quantity)


def _is_parameter(part: Part, finding: Finding) -> bool:
    return finding.quantity in part.problem.parameters


def _of_update(sheet: Sheet, finding: Finding) -> Iterator[Block]:
    """old - rate · gradient, where the update is the first and that plain."""
    wish = sheet.part.problem.ask.update
    if wish is None or not wish.plain or finding.update != 1 or finding.quantity not in wish.moving:
        return
    yield from in_numbers(sheet, finding.quantity, wish.moving[finding.quantity])


def _after(part: Part, update: int) -> Part | None:
    """The part at the parameters after so many updates; ``None`` where these are not certified."""
    history = part.history
    if history is None or update >= len(history.runs):
        return None
    runs = {"run": history.runs[update], "shown": history.printed.runs[update], "explicit": None, "paths": None}
    return Part(**{**part.__dict__, **runs, "_written": {}})


def _of_quantity(sheet: Sheet, quantity: str) -> Iterator[Block]:
    part = sheet.part
    equation = next((equation for equation in part.network.equations if equation.name == quantity), None)
    if equation is not None:
        yield shown(sheet, equation)
        return
    if (ways := part.chains.get(quantity)) is not None:
        blocks = chain_of_jacobians(sheet, ways[0].factors[0].of, ways[0].factors[-1].by, ways)
        yield from (block for block in blocks if not isinstance(block, Heading))
        return
    ratio = part.ratio(quantity)
    steps = part.derivation if ratio is None else part.ratios[quantity]
    if ratio is not None and ratio.kind == "jacobian":
        yield Display((sheet.ratio(ratio),))
        return
    name = split_ratio(quantity)
    if steps is None or name is None:
        return
    adjoint = steps.adjoint(name[1]) if ratio is None else Adjoint(*name)
    if adjoint in steps.adjoints:
        yield from one(sheet, steps, adjoint)

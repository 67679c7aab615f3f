"""A derivative as a chain of Jacobians: names, factors, numbers, the products one by one, the result."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from derive.graph import ops
from derive.graph.expression import Expression
from derive.graph.sizes import is_scalar
from derive.report.compose.sheet import ROOM, Sheet
from derive.report.document import Block, Chain, Display, Heading, Link, Math, Note, Paragraph
from derive.report.notation.cells import PRODUCT, Cell, add
from derive.report.widths import bound
from derive.solution.jacobian import Chain as Jacobians
from derive.solution.jacobian import Factor

GAP = r"\,"  # between two factors


def chain_of_jacobians(sheet: Sheet, of: str, by: str, ways: Sequence[Jacobians]) -> Iterator[Block]:
    """The whole section for d ``of`` / d ``by``."""
    words, symbols = sheet.words, sheet.symbols
    places = {"of": Math(symbols.name(of)), "by": Math(symbols.name(by))}
    alone = len(ways) == 1 and len(ways[0].factors) == 1
    yield Heading(3, words.say("jacobian.heading_alone" if alone else "jacobian.heading", **places))
    if alone:
        yield Paragraph(words.say("jacobian.alone"))
        yield Display((factor_chain(sheet, ways[0].factors[0]),))
        return
    yield Paragraph(words.say("jacobian.chain", **places))
    if sheet.part.problem.convention.layout == "shape" and _turns(sheet, ways):
        yield Note(words.say("jacobian.layout", **places))
    if len(ways) > 1:
        yield Paragraph(words.say("jacobian.several", count=len(ways), **places))
    factors = list(dict.fromkeys(factor for way in ways for factor in way.factors))
    yield Paragraph(words.say("jacobian.factors"))
    yield Display(tuple(factor_chain(sheet, factor) for factor in factors))
    yield Paragraph(words.say("jacobian.product"))
    left = symbols.partial(symbols.name(of), symbols.name(by))
    links = [
        Link("=", _sum(_side_by_side([_name(sheet, factor) for factor in way.factors]) for way in ways)),
        Link("=", _sum(_side_by_side([_letters(sheet, factor) for factor in way.factors]) for way in ways)),
    ]
    if sheet.numeric:
        links += _numbers(sheet, ways)
    yield Display((Chain(left, tuple(links)),))


def _name(sheet: Sheet, factor: Factor) -> Cell:
    symbols = sheet.symbols
    return Cell(sheet.local(factor.of, factor.by, symbols.name(factor.of), symbols.name(factor.by)))


def _letters(sheet: Sheet, factor: Factor) -> Cell:
    return sheet.letters.factor(factor.value)


def _side_by_side(parts: Sequence[Cell], ones: bool = False) -> Cell:
    """Factors with a little room between them, numbers with a dot; without ``ones`` a 1 is left out."""
    kept = parts if ones else [part for part in parts if part.text != "1"] or parts[:1]
    text, last = "", Cell("")
    for k, part in enumerate(kept):
        lone = len(kept) == 1
        shown = part.factor(first=k == 0 and (lone or not part.numeric))
        if k:
            beside_a_number = shown[:1].isdigit() or (part.numeric and shown[:1] == "(")  # v (-1) reads as a function
            text += r" \cdot " if beside_a_number or (last.numeric and part.numeric) else rf" {GAP} "
        text, last = text + shown, part
    return Cell(text, PRODUCT if len(kept) > 1 else kept[0].binding)


def _sum(parts: Iterable[Cell]) -> tuple[str, ...]:
    whole = add(list(parts))
    return tuple(piece for term in whole.terms or (whole.text,) for piece in _cut(term))


def _cut(term: str) -> Iterator[str]:
    """A product of matrices that may be too wide for a line is cut in front of its factors, where a line may end."""
    pieces = term.split(rf" {GAP} ") if bound(term) > ROOM else [term]
    if not all(piece.count(r"\left") == piece.count(r"\right") for piece in pieces):  # a factor in brackets is one
        pieces = [term]
    yield pieces[0]
    for piece in pieces[1:]:
        yield f"{GAP} {piece}"


def _turns(sheet: Sheet, ways: Sequence[Jacobians]) -> bool:
    """Whether a column's derivative stands here as a row, other than in the rest of the report."""
    shapes = [sheet.part.network.shape(factor.by) for way in ways for factor in way.factors]
    top = sheet.part.network.shape(ways[0].factors[0].of)
    return is_scalar(top) and any(len(shape) == 2 and shape[0] != 1 for shape in shapes)


def factor_chain(sheet: Sheet, factor: Factor) -> Chain:
    """One Jacobian: its formula, its entries, its numbers."""
    links = [Link("=", sheet.letters.terms(factor.value))]
    entries = sheet.names(factor.value)
    if sheet.first and entries is not None and not _plain(factor.value):
        links.append(Link("=", entries))
    if sheet.numeric:
        value = Link("=" if sheet.exact(factor.value) else r"\approx", (sheet.value(factor.value),))
        if all(value.terms != link.terms for link in links):
            links.append(value)
    return sheet.chain(_name(sheet, factor).text, links)


def _plain(node: Expression) -> bool:
    return node.op == "name" or (node.op == "transpose" and node.args[0].op == "name")


def _numbers(sheet: Sheet, ways: Sequence[Jacobians]) -> list[Link]:
    """The factors in numbers, then the product of the first two, of that with the third, and so on."""
    rows: list[list[Expression]] = [[factor.value for factor in way.factors] for way in ways]
    links: list[Link] = []
    while True:
        last = all(len(row) == 1 for row in rows)
        if last or sheet.detail.rewritings:
            shown = _sum(_side_by_side([_number(sheet, node) for node in row], ones=True) for row in rows)
            exact = all(sheet.exact(node) for row in rows for node in row)
            links.append(Link("=" if exact else r"\approx", shown))
        if last:
            break
        rows = [[_times(row[0], row[1]), *row[2:]] if len(row) > 1 else row for row in rows]
    if len(rows) > 1:
        links = links if sheet.detail.rewritings else []
        whole = ops.add(*(row[0] for row in rows))
        exact = sheet.exact(whole) and all(sheet.exact(row[0]) for row in rows)
        links.append(Link("=" if exact else r"\approx", (sheet.value(whole),)))
    return links


def _number(sheet: Sheet, node: Expression) -> Cell:
    return Cell(sheet.value(node), numeric=is_scalar(node.shape))


def _times(a: Expression, b: Expression) -> Expression:
    return ops.multiply(a, b) if is_scalar(a.shape) or is_scalar(b.shape) else ops.matmul(a, b)

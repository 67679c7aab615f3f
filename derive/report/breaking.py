"""Where displayed formulas break: one decision, on measured widths, for every format.

A chain ``left = a + b = c`` becomes rows. What fits on the line by an upper bound is not measured; everything in doubt,
in the whole document, is measured by one Typst query. A side is cut only between its ``terms``; a term that alone is
too wide (a large matrix) is marked to be scaled, as the last resort.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from derive.records import dataclass
from derive.report.document import (
    Chain,
    Display,
    Document,
    Figure,
    Heading,
    Items,
    Listing,
    Masthead,
    Math,
    Note,
    Paragraph,
    Question,
    Room,
    Spans,
    Table,
    Text,
)
from derive.report.page import A4, INDENT, Page
from derive.report.widths import bound, spans_bound, unbreakable_bound

# Typst and LaTeX differ by up to 6 % on the same formula (measured over the corpus of the tests).
MARGIN = 0.94
_BOX = 1.2  # em that the frame of a boxed result takes
_POINTS = 1.5  # em between a formula and its points at the margin
_COLUMN = 1.1  # em between two columns of a table

Widths = Callable[[str], float]


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a display: ``left`` before the alignment point, ``relation`` and ``latex`` behind it.

    ``indent`` counts quads between the alignment point and the rest. With ``fit``, ``latex`` is to be scaled down to
    ``limit`` em where it is wider.
    """

    left: str
    relation: str
    latex: str
    indent: int = 0
    fit: bool = False
    limit: float = 0.0


@dataclass(frozen=True, slots=True)
class Layout:
    """Rows of each display and column widths of each table, by the place of the block in the document.

    A column width is in em, or ``None`` for a column as wide as its widest cell.
    """

    rows: dict[int, tuple[Row, ...]]
    columns: dict[int, tuple[float | None, ...]]


@lru_cache(maxsize=4)
def lay_out(document: Document, page: Page = A4) -> Layout:
    """The rows and columns of a document on a page.

    Raises ``ProblemError`` for a formula outside the subset.
    """
    displays = {place: block for place, block in enumerate(document.blocks) if isinstance(block, Display)}
    doubtful = [block for block in displays.values() if not _fits(block, _room(block, page))]
    exact = measure(formula for block in doubtful for formula in _formulas(block))
    rows = {
        place: tuple(_rows(block, _room(block, page), exact.__getitem__ if block in doubtful else None))
        for place, block in displays.items()
    }
    columns = {place: _columns(block, page) for place, block in enumerate(document.blocks) if isinstance(block, Table)}
    return Layout(rows, columns)


def measure(formulas: Iterable[str]) -> dict[str, float]:
    """The exact width of each displayed formula in em, from one Typst query; none where nothing is to be measured."""
    wanted = list(dict.fromkeys(formulas))
    if not wanted:
        return {}
    from derive.report.pdf import typst_widths

    return dict(zip(wanted, typst_widths(wanted), strict=True))


def wide_inline(document: Document, page: Page = A4) -> list[str]:
    """The inline formulas wider than half a line: they cannot break and belong in a display."""
    limit = page.line / 2
    inline = [span.latex for spans in _all_spans(document) for span in spans if isinstance(span, Math)]
    exact = measure(latex for latex in inline if bound(latex) > limit)
    return [latex for latex, width in exact.items() if width > limit]


# ── chains ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _room(block: Display, page: Page) -> float:
    points = spans_bound((Text(block.points),)) + _POINTS if block.points else 0.0
    return page.line * MARGIN - INDENT - (_BOX if block.boxed else 0.0) - points


def _relation(relation: str) -> float:
    """The width of a relation with the space on both sides."""
    return bound(relation) if relation else 0.0


def _term(term: str) -> str:
    """A term as it stands inside a row: its sign a binary one."""
    return "{} " + term


def _formulas(block: Display) -> Iterator[str]:
    for chain in block.chains:
        if chain.left:
            yield chain.left
        for link in chain.links:
            yield link.terms[0]
            yield from map(_term, link.terms[1:])


def _fits(block: Display, room: float) -> bool:
    left = max((bound(chain.left) for chain in block.chains), default=0.0)
    return all(
        left + _relation(link.relation) + sum(map(bound, link.terms)) <= room
        for chain in block.chains
        for link in chain.links
    )


def _rows(block: Display, room: float, width: Widths | None) -> Iterator[Row]:
    """The rows of a display; without ``width`` every link fits on one row."""
    if width is None:
        for chain in block.chains:
            for place, link in enumerate(chain.links):
                yield Row("" if place else chain.left, link.relation, " ".join(link.terms))
            if not chain.links:
                yield Row("", "", chain.left)
        return
    left = max((width(chain.left) for chain in block.chains if chain.left), default=0.0)
    hanging = not all(_stands(chain, room - left, width) for chain in block.chains) and left > 0.1 * room
    for chain in block.chains:
        yield from _chain(chain, room if hanging else room - left, hanging, width)


def _stands(chain: Chain, room: float, width: Widths) -> bool:
    """Whether each link can be cut to fit behind the left-hand side without scaling."""
    return all(
        max(width(text) for text in _texts(link.terms)) + (1.0 if place else 0.0) <= room - _relation(link.relation)
        for link in chain.links
        for place in (0, 1)[: min(2, len(link.terms))]
    )


def _texts(terms: tuple[str, ...]) -> list[str]:
    return [terms[0], *map(_term, terms[1:])]


def _chain(chain: Chain, room: float, hanging: bool, width: Widths) -> Iterator[Row]:
    """The rows of one chain. Hanging: the left-hand side stands alone, and the relations follow below, indented."""
    left, indent = chain.left, 0
    if (hanging or not chain.links) and left:
        yield _row("", "", left, 0, width(left), room)
        left = ""
    if hanging:
        room, indent = room - 1.0, 1
    for link in chain.links:
        space = room - _relation(link.relation)
        relation, packed, used = link.relation, "", 0.0
        for text, term in zip(_texts(link.terms), link.terms, strict=True):
            if packed and used + width(text) > space:
                yield _row(left, relation, packed, indent, used, space)
                if relation:
                    left, relation, space, indent = "", "", room - 2.0, indent + 2
                packed, used = text, width(text)
            else:
                packed, used = f"{packed} {term}".strip(), used + width(text)
        yield _row(left, relation, packed, indent, used, space)
        left, indent = "", 1 if hanging else 0


def _row(left: str, relation: str, latex: str, indent: int, used: float, space: float) -> Row:
    return Row(left, relation, latex, indent, fit=used > space, limit=space if used > space else 0.0)


# ── tables and spans ────────────────────────────────────────────────────────────────────────────────────────────


def _columns(table: Table, page: Page) -> tuple[float | None, ...]:
    """Columns as wide as their cells where the line holds them; otherwise the widest give way.

    A column no wider than an equal share keeps its width. The others have room for their widest unbreakable piece, and
    share what is left in proportion to what they lack.
    """
    cells = [[row[c] for row in (table.head, *table.rows)] for c in range(len(table.align))]
    natural = [max(map(spans_bound, column)) for column in cells]
    least = [max(map(unbreakable_bound, column)) for column in cells]
    room = page.line * MARGIN - _COLUMN * len(natural)
    wide = list(range(len(natural)))
    while wide and (kept := [c for c in wide if natural[c] <= room / len(wide)]):
        room -= sum(natural[c] for c in kept)
        wide = [c for c in wide if c not in kept]
    lacking = sum(natural[c] - least[c] for c in wide)
    share = max(room - sum(least[c] for c in wide), 0.0) / lacking if lacking else 0.0
    return tuple(
        least[c] + share * (natural[c] - least[c]) if c in wide and natural[c] > least[c] else None
        for c in range(len(natural))
    )


def _all_spans(document: Document) -> Iterator[Spans]:
    for block in document.blocks:
        match block:
            case Paragraph(spans) | Note(spans) | Question(_, spans):
                yield spans
            case Masthead(lines):
                yield from lines
            case Items(items):
                yield from items
            case Table(head, rows, _, caption):
                yield from head
                yield caption
                for row in rows:
                    yield from row
            case Heading(_, spans):
                yield spans
            case Figure(_, caption):
                yield caption
            case Display() | Listing() | Room():
                pass

"""What sticks out of the text of a page, measured by Typst itself after layout.

Displays, results and tables are as wide as they are measured to be; a formula inside a line ends where Typst put its
end on the page; drawings are scaled to the line by the frame. A formula in a table is held to the width of its column.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace

import typst

from derive.report.breaking import lay_out, measure, wide_inline
from derive.report.document import Document, Math, Table
from derive.report.fonts import chinese_fonts
from derive.report.page import A4, Page
from derive.report.render import render
from derive.report.setting import Setting
from derive.report.spacing import spaced
from derive.report.widths import bound

_START = "// The document\n"
# The frame's own functions, made to report how wide what they set is and how much room it has (in points).
_PROBES = """
#let probe(kind, body) = layout(size => {
  [#metadata((kind, measure(body).width / 1pt, size.width / 1pt)) <extent>]
})
#let plain-display = derive-display
#let derive-display(breakable, body) = { probe("display", plain-display(breakable, body)); plain-display(breakable, body) }
#let plain-result = derive-result
#let derive-result(body) = { probe("result", plain-result(body)); plain-result(body) }
#let plain-table = derive-table
#let derive-table(breakable, caption, ..cells) = {
  probe("table", table(..cells))
  plain-table(breakable, caption, ..cells)
}
#show math.equation.where(block: false): it => {
  it
  context [#metadata(("line", here().position().x / 1pt, (page.width - MARGINmm) / 1pt)) <extent>]
}
"""


def extents(source: str, page: Page = A4) -> list[tuple[str, float, float]]:
    """Kind, width and room of each display, result and table of a Typst source that ``render`` made; where each formula
    inside a line ends, and where the text of the page does."""
    assert source.count(_START) == 1
    probed = source.replace(_START, _START + _PROBES.replace("MARGIN", f"{page.margin:g}"))
    fonts = typst.Fonts(include_system_fonts=False, font_paths=[str(chinese_fonts())])
    found = json.loads(typst.query(probed.encode(), "<extent>", field="value", font_paths=fonts))
    blocks = sum(kind != "line" for kind, _, _ in found)
    assert blocks == len(
        re.findall(r"^#(?:derive-earned\(.*\)\[#)?derive-(?:display|result|table)\(?", source, re.MULTILINE)
    )
    return [(kind, width, room) for kind, width, room in found]


def overflows(document: Document, page: Page = A4) -> list[str]:
    """Everything in the document that is wider than its room, and each formula in running text over half a line."""
    running = replace(document, blocks=tuple(block for block in document.blocks if not isinstance(block, Table)))
    wide = extents(render(document, "typ", Setting(page=page)).text, page)
    return [
        *(f"{kind}: {width:.1f} pt of {room:.1f} pt" for kind, width, room in wide if width > room + 0.01),
        *(f"inline: {latex}" for latex in wide_inline(running, page)),
        *(f"cell: {latex}" for latex in _wide_cells(document, page)),
    ]


def _wide_cells(document: Document, page: Page) -> Iterator[str]:
    """The formulas wider than the column that they stand in, where columns had to give way."""
    held = [
        (span.latex, width)
        for place, columns in lay_out(spaced(document), page).columns.items()
        if isinstance(table := document.blocks[place], Table)
        for row in (table.head, *table.rows)
        for cell, width in zip(row, columns, strict=True)
        for span in cell
        if isinstance(span, Math) and width is not None and bound(span.latex) > width
    ]
    exact = measure(latex for latex, _ in held)
    yield from (latex for latex, width in held if exact[latex] > width)

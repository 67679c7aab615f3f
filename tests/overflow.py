"""What sticks out of the text of a page, measured by Typst itself after layout."""

from __future__ import annotations

import json
import re

import typst

from derive.report.breaking import wide_inline
from derive.report.document import Document
from derive.report.fonts import chinese_fonts
from derive.report.page import A4, Page
from derive.report.render import render
from derive.report.setting import Setting

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
"""


def extents(source: str) -> list[tuple[str, float, float]]:
    """Kind, width and room of each display, result and table of a Typst source that ``render`` made."""
    assert source.count(_START) == 1
    probed = source.replace(_START, _START + _PROBES)
    fonts = typst.Fonts(include_system_fonts=False, font_paths=[str(chinese_fonts())])
    found = json.loads(typst.query(probed.encode(), "<extent>", field="value", font_paths=fonts))
    assert len(found) == len(re.findall(r"^#derive-(?:display|result|table)\(?", source, re.MULTILINE))
    return [(kind, width, room) for kind, width, room in found]


def overflows(document: Document, page: Page = A4) -> list[str]:
    """Everything in the document that is wider than its room, and each inline formula over half a line."""
    wide = extents(render(document, "typ", Setting(page=page)).text)
    return [f"{kind}: {width:.1f} pt of {room:.1f} pt" for kind, width, room in wide if width > room + 0.01] + [
        f"inline: {latex}" for latex in wide_inline(document, page)
    ]

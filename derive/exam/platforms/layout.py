"""Where the fields of a quantity stand: behind its symbol, a matrix in the shape of a matrix."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree import ElementTree as ET

from derive.exam.platforms.fragment import Dialect, line
from derive.exam.platforms.items import Entries, Field

_BRACKET = "border-left:2px solid;border-right:2px solid;border-radius:.5em;border-collapse:separate"
_BESIDE = "display:flex;align-items:center;gap:.5em;margin:.6em 0;overflow-x:auto"

Place = Callable[[ET.Element, Field], None]  # puts a field at the end of an element


def laid_out(entries: Entries, language: str, dialect: Dialect, place: Place) -> ET.Element:
    """The symbol, and behind it a field for each entry."""
    whole = ET.Element("div", {"class": "entries"} if dialect.qti else {"style": _BESIDE})
    whole.append(line("div", entries.label, language, dialect))
    if not entries.shape:
        place(ET.SubElement(whole, "div"), entries.fields[0])
        return whole
    table = ET.SubElement(whole, "table", {"class": "matrix"} if dialect.qti else {"style": _BRACKET})
    body = ET.SubElement(table, "tbody")
    for row in entries.rows:
        cells = ET.SubElement(body, "tr")
        for one in row:
            place(ET.SubElement(cells, "td", {} if dialect.qti else {"style": "padding:.15em .3em"}), one)
    return whole

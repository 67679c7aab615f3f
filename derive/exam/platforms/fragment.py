"""Blocks and spans as the body of a page: elements of HTML with MathML, in the one of two dialects that is wanted.

Nothing here is put together from text: a title, a caption or a comment of a stranger's is the text of an element,
whatever characters it has. Formulas and their line breaks are those of every other page.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from html import unescape
from xml.etree import ElementTree as ET

from derive.records import dataclass
from derive.report import escape
from derive.report.breaking import Row, lay_out
from derive.report.document import (
    Block,
    Code,
    Display,
    Document,
    Figure,
    Heading,
    Items,
    Listing,
    Math,
    Note,
    Paragraph,
    Spans,
    Strong,
    Table,
    Text,
)
from derive.report.drawing import scene_to_svg
from derive.report.html import to_mathml
from derive.report.spacing import spaced
from derive.report.speech import spoken, spoken_display
from derive.report.typst_math import to_typst

MATHML = "http://www.w3.org/1998/Math/MathML"
TOP = 4  # the rank of the highest headings: a platform's page has ranks of its own above
WORD_JOINER = "\u2060"
_OPENERS = ("\\(", "\\[", "$$", "\\)", "\\]")  # what a platform's MathJax would read as mathematics
_ENTITY = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);)[A-Za-z]+;")  # HTML has names for characters that XML has none for
_ALIGN = {"l": "left", "c": "center", "r": "right"}


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a platform's pages allow.

    ``qti``: the elements and attributes of QTI 2.1, which are those of XHTML 1 with MathML 2, and no styles. Otherwise
    HTML5 with styles beside the elements. ``folder`` stands before the names of pictures.
    """

    qti: bool
    folder: str


@dataclass(frozen=True, slots=True)
class Body:
    """The elements of a body, and the pictures that they show, by file name."""

    elements: tuple[ET.Element, ...]
    pictures: Mapping[str, bytes] = field(default_factory=dict)


def body(blocks: Iterable[Block], language: str, dialect: Dialect) -> Body:
    """Blocks one below the other. Raises ``ProblemError`` for a formula outside the LaTeX subset."""
    document = spaced(Document("item", "", language, tuple(blocks)))
    layout = lay_out(document)
    top = min((block.level for block in document.blocks if isinstance(block, Heading)), default=1)
    pictures: dict[str, bytes] = {}
    elements: list[ET.Element] = []
    for place, block in enumerate(document.blocks):
        match block:
            case Display():
                elements.append(_display(block, layout.rows[place], language, dialect))
            case Figure():
                elements.append(_figure(block, language, dialect, pictures))
            case Heading(level, spans):
                elements.append(line(f"h{min(TOP + level - top, 6)}", spans, language, dialect))
            case _:
                elements.append(_block(block, language, dialect))
    return Body(tuple(elements), pictures)


def plain(text: str) -> str:
    """Prose of a stranger's on one line, with nothing in it that a platform's MathJax would set."""
    text = escape.plain(text)
    for opener in _OPENERS:
        text = text.replace(opener, WORD_JOINER.join(opener))
    return text


# ── spans ───────────────────────────────────────────────────────────────────────────────────────────────────────


def line(tag: str, spans: Spans, language: str, dialect: Dialect, **attributes: str) -> ET.Element:
    """An element that holds a line of spans."""
    return put(ET.Element(tag, attributes), spans, language, dialect)


def put(element: ET.Element, spans: Spans, language: str, dialect: Dialect) -> ET.Element:
    """The element with the spans at its end."""
    for span in spans:
        match span:
            case Text(words):
                add_text(element, plain(words))
            case Strong(words):
                ET.SubElement(element, "strong").text = plain(words)
            case Code(words):
                ET.SubElement(element, "code").text = plain(words)
            case Math(latex):
                element.append(math(latex, spoken(latex, language), dialect))
    return element


def add_text(element: ET.Element, text: str) -> None:
    """Put text behind what the element holds already."""
    if len(element):
        element[-1].tail = (element[-1].tail or "") + text
    else:
        element.text = (element.text or "") + text


def math(latex: str, words: str, dialect: Dialect, display: bool = False) -> ET.Element:
    """A formula with its words: as the label that a browser reads out, or where QTI knows no labels as ``alttext``."""
    found = ET.fromstring(_ENTITY.sub(lambda match: unescape(match[0]), to_mathml(latex, display)))
    if not dialect.qti:
        found.set("aria-label", words)
        return found
    found.set("xmlns", MATHML)
    found.set("alttext", words)
    for table in found.iter("mtable"):
        table.attrib.pop("scriptlevel", None)  # which a table of MathML 2 does not have
    return found


# ── blocks ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _block(block: Block, language: str, dialect: Dialect) -> ET.Element:
    match block:
        case Paragraph(spans):
            return line("p", spans, language, dialect)
        case Note(spans):
            return line("p", spans, language, dialect, **{"class": "note"})
        case Items(items):
            found = ET.Element("ol" if block.ordered else "ul")
            for item in items:
                found.append(line("li", item, language, dialect))
            return found
        case Table():
            return _table(block, language, dialect)
        case Listing():
            listing = ET.Element("pre")
            ET.SubElement(listing, "code").text = "\n".join(block.lines)
            return listing
    raise TypeError(f"no platform shows a {type(block).__name__}")


def _display(block: Display, rows: tuple[Row, ...], language: str, dialect: Dialect) -> ET.Element:
    if len(rows) == 1 and not rows[0].left:
        latex = " ".join((rows[0].relation, rows[0].latex)).strip()
    else:
        lines = [row.left + " & " + r"\quad " * row.indent + row.relation + " " + row.latex for row in rows]
        latex = r"\begin{aligned} " + r" \\ ".join(lines) + r" \end{aligned}"
    found = ET.Element("div", {} if dialect.qti else {"style": "overflow-x:auto"})
    found.append(math(latex, spoken_display(block, language), dialect, display=True))
    return found


def _table(block: Table, language: str, dialect: Dialect) -> ET.Element:
    found = ET.Element("table")
    if block.caption:
        found.append(line("caption", block.caption, language, dialect))
    for tag, cell, rows in (("thead", "th", (block.head,)), ("tbody", "td", block.rows)):
        group = ET.SubElement(found, tag)
        for row in rows:
            group.append(_row(cell, row, block.align, language, dialect))
    return found


def _row(cell: str, row: tuple[Spans, ...], align: str, language: str, dialect: Dialect) -> ET.Element:
    found = ET.Element("tr")
    for spans, side in zip(row, align, strict=True):
        look = {"class": side} if dialect.qti else {"style": f"text-align:{_ALIGN[side]};padding:.1em .6em"}
        found.append(line(cell, spans, language, dialect, **look))
    return found


def _figure(block: Figure, language: str, dialect: Dialect, pictures: dict[str, bytes]) -> ET.Element:
    """A drawing as a picture with its alternative; its name is made of what it shows."""
    drawn = scene_to_svg(block.scene, "", block.alternative, to_typst).encode()
    name = f"figure-{hashlib.sha256(drawn).hexdigest()[:16]}.svg"
    pictures[name] = drawn
    found = ET.Element("div", {"class": "figure"} if dialect.qti else {"style": "text-align:center"})
    shown = ET.SubElement(found, "p")
    ET.SubElement(shown, "img", {"src": dialect.folder + name, "alt": escape.plain(block.alternative)})
    if block.caption:
        found.append(line("p", block.caption, language, dialect))
    return found


# ── text ────────────────────────────────────────────────────────────────────────────────────────────────────────


def html(elements: Iterable[ET.Element]) -> str:
    """The elements as HTML, one a line."""
    return "\n".join(ET.tostring(one, encoding="unicode", method="html") for one in elements)


def inline(spans: Spans, language: str, dialect: Dialect) -> str:
    """Spans as HTML without an element around them."""
    return ET.tostring(line("span", spans, language, dialect), encoding="unicode", method="html")


def formulas(spans: Spans) -> Iterator[str]:
    """The formulas of a line."""
    return (span.latex for span in spans if isinstance(span, Math))

"""Presentation MathML brought to one form, so that two converters' readings of a formula can be held side by side.

What is compared: every character, its order, and the structure of scripts, accents, fractions, roots and cells, a
matrix with its rows and columns. Not compared: spaces, sizes, fonts, which characters stretch, and limits against
scripts (a matter of display style).
"""

from __future__ import annotations

import html
import re
import unicodedata
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator

Tree = tuple[object, ...]

_SAME_TAG = {"munder": "msub", "mover": "msup", "munderover": "msubsup"}
_ACCENTS = frozenset("^¯~→˙¨_")  # alone above or below: an accent, no limit
_TRANSPARENT = frozenset("math mrow mstyle mpadded semantics menclose".split())
_ARGUMENT_IS_ROW = frozenset("msqrt mtd".split())
_INVISIBLE = "\u2061\u2062\u2063\u2064\u200b\u200c"
_SAME_CHARACTER = {
    "−": "-", "∗": "*", "‾": "¯", "\u0304": "¯", "\u0305": "¯", "ˆ": "^", "\u0302": "^", "˜": "~", "\u0303": "~",
    "\u20d7": "→", "\u0307": "˙", "∣": "|", "⟂": "⊥", "ϵ": "ε", "″": "′′", "…": "...", "∙": "•",
    **dict.fromkeys(_INVISIBLE, ""),
}  # fmt: skip


def read(source: str, *, empty_cells: bool = True) -> Tree:
    """The canonical tree of one ``<math>`` element.

    Without ``empty_cells`` those are left out: an alignment point inside a cell of Typst makes some of its own.
    """
    names = re.sub(r"&(?!lt;|gt;|amp;)(\w+);", lambda match: html.unescape(match[0]), source)
    tree = tuple(_element(ElementTree.fromstring(names)))
    return tree if empty_cells else _without_empty_cells(tree)


def aligned(latex: str) -> bool:
    """Whether a formula has an array whose cells Typst aligns by points inside them."""
    return re.search(r"\\begin\{(?:aligned|cases|array)\}", latex) is not None


def _without_empty_cells(tree: Tree) -> Tree:
    return tuple(
        _without_empty_cells(item) if isinstance(item, tuple) else item for item in tree if item != (("mtd", ()),)
    )


def characters(tree: Tree) -> Iterator[str]:
    """The characters of a tree in order."""
    for item in tree:
        if isinstance(item, str):
            yield item
        elif isinstance(item, tuple):
            for child in item[1:]:
                yield from characters(child)


def _text(text: str) -> list[str]:
    for _ in range(2):  # NFKC may bring characters that the table knows
        text = unicodedata.normalize("NFKC", "".join(_SAME_CHARACTER.get(c, c) for c in text))
    return ["".join(_SAME_CHARACTER.get(c, c) for c in text if not c.isspace())] if text.strip() else []


def _element(element: ElementTree.Element) -> list[object]:
    tag = element.tag.split("}")[-1]
    if tag in ("mi", "mn", "mo", "mtext", "ms"):
        return [c for word in _text("".join(element.itertext())) for c in word]
    if tag in ("mspace", "mphantom"):  # Typst exports what is hidden as a space
        return []
    children = [_element(child) for child in element]
    if tag in _TRANSPARENT:
        return [item for child in children for item in child]
    if tag in _ARGUMENT_IS_ROW:
        return [(tag, tuple(item for child in children for item in child))]
    if tag == "mtable" and not any(children):
        return []  # Typst's empty string
    if tag in ("mover", "munder") and len(children[1]) == 1 and children[1][0] in _ACCENTS:
        return [("accent", *(tuple(child) for child in children))]
    if tag == "mtable":
        return [(tag, *(tuple(child) for child in children))]
    return [(_SAME_TAG.get(tag, tag), *(tuple(child) for child in children))]

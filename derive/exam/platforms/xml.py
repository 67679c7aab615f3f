"""Elements made into text: always the same text for the same elements, and never a character that XML does not have."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def child(parent: ET.Element, tag: str, text: str | None = None, **attributes: str) -> ET.Element:
    """A new last child."""
    found = ET.SubElement(parent, tag, attributes)
    found.text = text
    return found


def serialised(element: ET.Element) -> bytes:
    """The element and what is in it, with each of its direct children on a line of its own."""
    for one in element.iter():
        one.text, one.tail = _clean(one.text), _clean(one.tail)
        for name, value in one.attrib.items():
            one.attrib[name] = str(_clean(value))
    if not (element.text or "").strip():
        element.text = "\n"
        for one in element:
            one.tail = "\n"
    return ET.tostring(element, encoding="unicode").encode() + b"\n"


def _clean(text: str | None) -> str | None:
    return None if text is None else _NO_XML.sub("\N{REPLACEMENT CHARACTER}", text)

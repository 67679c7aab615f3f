"""What a screen reader finds in a PDF: its tree of tags, and the promises in its catalogue."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pypdf
from pypdf.generic import ArrayObject, DictionaryObject


@dataclass(frozen=True)
class Tag:
    """An element of the structure: its type (``H1``, ``Formula``), its alternative text, and its own elements."""

    type: str
    alternative: str | None
    inside: tuple[Tag, ...]

    def walk(self) -> Iterator[Tag]:
        """The element and all within it, in reading order."""
        yield self
        for tag in self.inside:
            yield from tag.walk()


@dataclass(frozen=True)
class Tagged:
    """A PDF as its reader sees it. ``promises`` is the metadata (XMP) as text."""

    root: Tag
    language: str
    title: str
    shows_title: bool
    marked: bool
    promises: str

    def all(self, *types: str) -> list[Tag]:
        """All elements of these types, in reading order."""
        return [tag for tag in self.root.walk() if tag.type in types]


def tagged(pdf: bytes) -> Tagged:
    """The tags of a PDF."""
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    catalogue: Any = reader.trailer["/Root"]
    kids = tuple(_tags(catalogue["/StructTreeRoot"]["/K"]))
    metadata = catalogue["/Metadata"].get_object().get_data().decode()
    return Tagged(
        root=Tag("Root", None, kids),
        language=str(catalogue["/Lang"]),
        title=str(reader.metadata.title if reader.metadata else ""),
        shows_title=bool(catalogue["/ViewerPreferences"]["/DisplayDocTitle"]),
        marked=bool(catalogue["/MarkInfo"]["/Marked"]),
        promises=metadata,
    )


def _tags(kids: object) -> Iterator[Tag]:
    if isinstance(kids, pypdf.generic.IndirectObject):
        kids = kids.get_object()
    if isinstance(kids, ArrayObject):
        for kid in kids:
            yield from _tags(kid)
    elif isinstance(kids, DictionaryObject) and "/S" in kids:
        alternative = str(kids["/Alt"]) if "/Alt" in kids else None
        yield Tag(str(kids["/S"])[1:], alternative, tuple(_tags(kids.get("/K"))))

"""The fonts for Chinese in a PDF: where the package that brings them lies, and which characters they draw.

Typst says nothing of a character that no font has and prints an empty box; so the fonts are asked before.
"""

from __future__ import annotations

import struct
from functools import cache
from pathlib import Path

SERIF, SANS = "Noto Serif SC", "Noto Sans SC"
"""For running text, and for headings and what is set strong: the fonts have one weight each."""
PACKAGE = "pylopdf-fonts-zh-cn"


@cache
def chinese_fonts() -> str | None:
    """The folder of the fonts; ``None`` where they are not installed."""
    try:
        from pylopdf_fonts_zh_cn import sans_path, serif_path
    except ImportError:
        return None
    files = serif_path(), sans_path()
    return str(files[0].parent) if all(file.is_file() for file in files) else None


def undrawn(characters: set[str]) -> str | None:
    """The first, by code, of these characters that one of the Chinese fonts lacks. The fonts must be installed."""
    from pylopdf_fonts_zh_cn import sans_path, serif_path

    files = serif_path(), sans_path()
    return next((c for c in sorted(characters) if not all(_has(file, c) for file in files)), None)


def _has(path: Path, character: str) -> bool:
    return any(first <= ord(character) <= last for first, last in _ranges(path))


@cache
def _ranges(path: Path) -> tuple[tuple[int, int], ...]:
    """Runs of characters in the font's ``cmap``, from its subtable of format 12, which holds all of Unicode."""
    with path.open("rb") as file:
        count = struct.unpack(">4xH6x", file.read(12))[0]
        tables = dict(struct.iter_unpack(">4s4xI4x", file.read(16 * count)))
        start = tables[b"cmap"]
        file.seek(start)
        subtables = struct.unpack(">2xH", file.read(4))[0]
        for (offset,) in struct.iter_unpack(">4xI", file.read(8 * subtables)):
            file.seek(start + offset)
            if struct.unpack(">H", file.read(2))[0] == 12:
                groups = struct.unpack(">10xI", file.read(14))[0]
                found = struct.iter_unpack(">III", file.read(12 * groups))
                return tuple((first, last) for first, last, glyph in found if glyph)
    raise ValueError(f"{path.name} has no table of all characters")

"""Names for what a TeX file refers to: a label for every section and for each display that works a quantity out.

Every label opens with the document's name, so that several documents can stand in one paper.
"""

from __future__ import annotations

from derive.records import dataclass
from derive.report.document import Display, Document, Heading


@dataclass(frozen=True, slots=True)
class Reference:
    """The label of a block, empty where it has none, and the labels of the displays that it uses."""

    label: str = ""
    uses: tuple[str, ...] = ()


def references(document: Document) -> tuple[Reference, ...]:
    """One reference for each block.

    A quantity that is worked out again (in another part, say) is from there on what is meant by its name.
    """
    labels: list[str] = []
    uses: list[tuple[str, ...]] = []
    latest: dict[str, str] = {}
    taken: set[str] = set()
    sections = 0
    for block in document.blocks:
        label = ""
        used: tuple[str, ...] = ()
        if isinstance(block, Heading):
            sections += 1
            label = _free(f"{document.name}:{block.label or f'section-{sections}'}", taken)
        elif isinstance(block, Display) and block.of:
            wanted = (latest.get(name, "") for name, _ in block.uses if name != block.of)
            used = tuple(dict.fromkeys(found for found in wanted if found))
            label = latest[block.of] = _free(f"{document.name}:{block.of}", taken)
        labels.append(label)
        uses.append(used)
    return tuple(map(Reference, labels, uses))


def _free(text: str, taken: set[str]) -> str:
    """The text in characters that are safe in a label; numbered where another block has it."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "/.:-_()") else f"+{ord(c):x}" for c in text)
    label, count = plain, 1
    while label in taken:
        count += 1
        label = f"{plain}:{count}"
    taken.add(label)
    return label

"""The outline of a document on a page of its own: anchors of headings, steps that fold, details that are folded."""

from __future__ import annotations

from derive.records import dataclass
from derive.report.document import Block, Display, Document, Heading, Paragraph, Spans

LEAST = 2  # displayed formulas that are worth folding


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the table of contents."""

    anchor: str
    spans: Spans


@dataclass(frozen=True, slots=True)
class Use:
    """A quantity that a display is made of: where it was found, and its symbol."""

    anchor: str
    symbol: str


@dataclass(frozen=True, slots=True)
class Place:
    """What happens before a block: a fold that closes, a step that closes, a fold that opens; and its anchor.

    ``uses`` are the anchors of what a display is made of, each with its symbol.
    """

    anchor: str = ""
    uses: tuple[Use, ...] = ()
    closes_fold: bool = False
    closes_step: bool = False
    opens_fold: bool = False


@dataclass(frozen=True, slots=True)
class Outline:
    """``places`` has one entry a block; the flags say what is still open at the end."""

    contents: tuple[Entry, ...]
    places: tuple[Place, ...]
    ends_in_fold: bool
    ends_in_step: bool

    @property
    def worth_contents(self) -> bool:
        """Whether there are enough steps for a table of contents."""
        return len(self.contents) > 2


def outline(document: Document) -> Outline:
    """Steps are the sections of level 1; runs of blocks that are marked as detail are folded."""
    contents: list[Entry] = []
    places: list[Place] = []
    found: dict[str, str] = {}  # quantities that were worked out so far, and where each was last
    folded = in_step = False
    worked = 0
    for number, block in enumerate(document.blocks):
        anchor = ""
        closes_step = False
        detail = _detail(block)
        opens = detail and not folded and _worth(document.blocks[number:])
        closes_fold = folded and not detail
        if isinstance(block, Heading):
            anchor = block.label or f"h{number + 1}"
            if block.level == 1:
                closes_step, in_step = in_step, True
                contents.append(Entry(anchor, block.spans))
        uses: tuple[Use, ...] = ()
        if isinstance(block, Display) and block.of:
            uses = tuple(Use(found[name], symbol) for name, symbol in block.uses if name in found and name != block.of)
            # what is worked out again, in another part, is from there on what its name means
            worked += 1
            anchor = found[block.of] = f"q{worked}"
        folded = (folded and not closes_fold) or opens
        places.append(Place(anchor, uses, closes_fold, closes_step, opens))
    return Outline(tuple(contents), tuple(places), folded, in_step)


def _detail(block: Block) -> bool:
    return isinstance(block, Paragraph | Display) and block.detail


def _worth(blocks: tuple[Block, ...]) -> bool:
    """Whether a run of details has enough in it to be folded."""
    count = 0
    for block in blocks:
        if not _detail(block):
            break
        count += len(block.chains) if isinstance(block, Display) else 0
    return count >= LEAST

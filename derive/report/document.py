"""The closed vocabulary of a report: blocks that hold spans and formulas, and nothing that knows a format.

Prose is ``Text`` (any characters, escaped by each format), mathematics is ``Math`` or a ``Display`` (the strict LaTeX
subset that ``notation`` prints). A format is one frame and one partial per block class under ``templates/``.
"""

from __future__ import annotations

from derive.records import dataclass
from derive.report.scene import Scene

# ── spans: what stands inside a line ────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Text:
    """Prose. Any characters: each format escapes them."""

    text: str


@dataclass(frozen=True, slots=True)
class Math:
    """A short formula inside a line, as LaTeX without dollar signs."""

    latex: str


@dataclass(frozen=True, slots=True)
class Strong:
    """Prose set strong."""

    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """Characters of a file or a command, set in a typewriter face."""

    text: str


Span = Text | Math | Strong | Code
Spans = tuple[Span, ...]


# ── formulas ────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Link:
    """``relation`` and what follows it.

    ``terms`` is the right-hand side cut where a line may break: every term after the first opens with its own sign or
    operator (``+ w_3 x_2``), so that joining them with spaces gives the whole. A side that must not break has one term.
    """

    relation: str  # "=", "\\approx", ":=", "\\Rightarrow", …
    terms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """``left = a = b ≈ c``, one link a row, aligned at the relations.

    ``left`` may be empty to go on with the row above.
    """

    left: str
    links: tuple[Link, ...]


# ── blocks ──────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; level 1 is a section. ``label`` names it for references (ASCII letters, digits, hyphens)."""

    level: int
    spans: Spans
    label: str = ""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One paragraph; ``detail`` marks what a page may fold."""

    spans: Spans
    detail: bool = False


@dataclass(frozen=True, slots=True)
class Display:
    """Displayed chains, all aligned with each other. ``boxed`` frames a result worth remembering (a single chain).

    ``detail`` marks what a page may fold. ``of`` is the quantity that is worked out here (``dE/dW2``), and ``uses`` the
    quantities that it is made of, each with its symbol: a page leads from one to where the other was found. ``points``
    is what the step earns in an exam, as it stands at the right margin.
    """

    chains: tuple[Chain, ...]
    boxed: bool = False
    detail: bool = False
    of: str = ""
    uses: tuple[tuple[str, str], ...] = ()
    points: str = ""


@dataclass(frozen=True, slots=True)
class Items:
    """A list; each item is one line of spans. ``tasks`` are what the reader is to find, one an item.

    With ``letters`` it is counted (a), (b), …; ``points`` are what stands beside each item at the right margin.
    """

    items: tuple[Spans, ...]
    ordered: bool = False
    tasks: bool = False
    letters: bool = False
    points: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a head. ``align`` has one of ``l c r`` per column.

    With ``room`` it is a form to fill in: ruled, as wide as the page, each row as high as that many centimetres.
    """

    head: tuple[Spans, ...]
    rows: tuple[tuple[Spans, ...], ...]
    align: str
    caption: Spans = ()
    room: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing with its caption and, for those who cannot see it, its ``alternative`` in words."""

    scene: Scene
    caption: Spans
    alternative: str


@dataclass(frozen=True, slots=True)
class Note:
    """A remark set apart from the running text: a convention that bites, a kink, a cut list."""

    spans: Spans


@dataclass(frozen=True, slots=True)
class Listing:
    """Lines of a program in ``language``, set as they are. They hold names and operators, and no text of a user's."""

    language: str
    lines: tuple[str, ...]


# ── blocks of an exam ───────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Masthead:
    """What stands under the title of a paper: lines of text, fields to fill in, and a code that a machine reads.

    ``fields`` are pairs of a label and what is filled in already; an empty one is a rule to write on. ``scene`` is the
    drawing of the code, ``code`` what it says to people, ``alternative`` the drawing in words.
    """

    lines: tuple[Spans, ...]
    fields: tuple[tuple[str, str], ...]
    scene: Scene
    code: str
    alternative: str


@dataclass(frozen=True, slots=True)
class Question:
    """The line that opens a question: its number, its words, and its points at the right margin.

    ``part`` is one of several in a question, numbered ``1.2``.
    """

    number: str
    spans: Spans
    points: str
    part: bool = False


@dataclass(frozen=True, slots=True)
class Room:
    """A framed space for an answer, ``height`` centimetres high; never cut at the end of a page."""

    height: float


Block = Heading | Paragraph | Display | Items | Table | Figure | Note | Listing | Masthead | Question | Room


@dataclass(frozen=True, slots=True)
class Document:
    """A report, ready to be set. ``name`` is the stem of its files (see ``stem_in``), ``language`` a language code.

    ``answers`` is the number of the block that a solution behind its sheet of questions begins with. ``running`` is the
    head of every page but the first where that is not the title. ``pages`` is what stands before the number of a page,
    between it and the number of all, and behind that (``"page "``, ``" of "``, ``""``); without it the number of the
    page stands alone.
    """

    name: str
    title: str
    language: str
    blocks: tuple[Block, ...]
    answers: int | None = None
    running: str = ""
    pages: tuple[str, str, str] | None = None


def stem_in(language: str, stem: str) -> str:
    """The stem of a document's files in a language: ``net``, and ``net.zh`` in any language but English."""
    return stem if language == "en" else f"{stem}.{language}"

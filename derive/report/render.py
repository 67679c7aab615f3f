"""A document as text: each block handed to its partial under ``templates/``, each string through its format's escape.

Templates place; they never compute. Whatever a template prints is escaped unless a filter of this module made it, so
a template cannot forget to. Four formats: ``md`` (GitHub, Jupyter, VS Code), ``html``, ``tex``,
``typ`` (the source of the PDF).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING

from derive.errors import ProblemError
from derive.records import dataclass
from derive.report import escape
from derive.report.breaking import Row, lay_out
from derive.report.catalogue import catalogue
from derive.report.document import (
    Block,
    Display,
    Document,
    Figure,
    Heading,
    Items,
    Listing,
    Masthead,
    Math,
    Note,
    Paragraph,
    Question,
    Room,
    Table,
)
from derive.report.drawing import scene_to_svg, scene_to_tikz, scene_to_typst
from derive.report.fonts import SANS, SERIF
from derive.report.formats import FORMATS, Ready, environment, filters, options
from derive.report.latex_dialects import array_columns
from derive.report.latex_reader import parse
from derive.report.own_look import Look, partials, templates_folder
from derive.report.page import INDENT, SIZE, Page
from derive.report.references import Reference, references
from derive.report.scene import Bare, Scene
from derive.report.setting import PLAIN, Setting
from derive.report.spacing import is_chinese, spaced
from derive.report.speech import spoken_display
from derive.report.typst_math import PRELUDE, to_typst

if TYPE_CHECKING:
    from derive.report.outline import Outline, Place

_PARTIALS = {
    Heading: "heading", Paragraph: "paragraph", Display: "display", Items: "items", Table: "table", Figure: "figure",
    Note: "note", Listing: "listing", Masthead: "masthead", Question: "question", Room: "room",
}  # fmt: skip

_LONG_TABLE = 24  # rows, about half a page; a longer one may break across pages
_LONG_DISPLAY = 6  # rows; a longer one may break across pages
NO_REFERENCE = Reference()
MACROS = "derive.sty"  # the macro file beside every TeX file
RUNNING = 70  # characters of the title in the running head


@dataclass(frozen=True, slots=True)
class Rendered:
    """The text of one format, and the files that stand beside it (a Markdown report's figures), by name."""

    text: str
    attachments: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class View:
    """A block as its partial sees it: the block, and what was decided about it outside of the template.

    ``rows`` are a display's, ``columns`` a table's widths in em (``None``: natural), ``drawing`` is a figure in the
    format, ``picture`` the name of its file, ``spoken`` a display in words, for the formats that have a
    place for it. ``level`` is the outline's, where none is left out, whatever a heading looks like. ``keep`` ties
    the block to the next one on the page, ``long`` lets it break.
    """

    template: str
    block: Block
    rows: tuple[Row, ...] = ()
    columns: tuple[float | None, ...] = ()
    drawing: str = ""
    picture: str = ""
    spoken: str = ""
    level: int = 0
    keep: bool = False
    long: bool = False
    place: Place | None = None
    reference: Reference = NO_REFERENCE

    @property
    def aligned(self) -> str:
        """A display as one formula, its rows aligned at their relations."""
        rows = [row.left + " & " + r"\quad " * row.indent + row.relation + " " + row.latex for row in self.rows]
        return r"\begin{aligned} " + r" \\ ".join(rows) + r" \end{aligned}"

    @property
    def rank(self) -> int:
        """The rank of a heading on a page, whose title has rank 1."""
        return self.level + 1

    @property
    def wrapped(self) -> bool:
        """Whether cells of the table run over several lines or are high; its rows then stand further apart."""
        return any(width is not None for width in self.columns) or self._high

    @property
    def _high(self) -> bool:
        """Whether a cell holds a fraction or a matrix of several rows."""
        rows = self.block.rows if isinstance(self.block, Table) else ()
        formulas = [span.latex for row in rows for cell in row for span in cell if isinstance(span, Math)]
        return any(r"\frac" in latex or r"\\" in latex for latex in formulas)

    @property
    def tall(self) -> bool:
        """Whether a matrix of several rows stands in a line of the block, which then needs room above and below."""
        match self.block:
            case Table(rows=rows):
                lines = [cell for row in rows for cell in row]
            case Items(items=items):
                lines = list(items)
            case Paragraph(spans=spans):
                lines = [spans]
            case _:
                lines = []
        return any(r"\\" in span.latex for line in lines for span in line if isinstance(span, Math))

    @property
    def most_columns(self) -> int:
        """The columns of the widest matrix in the block's display (amsmath must be told beyond ten)."""
        return max((array_columns(row.latex) for row in self.rows), default=0)


def render(document: Document, format: str, setting: Setting = PLAIN) -> Rendered:
    """The document as ``"md"``, ``"html"``, ``"tex"`` or ``"typ"``.

    Raises ``ProblemError`` for a formula outside the LaTeX subset, naming it, and for a template of the user's that is
    broken, with its file and line.
    """
    if format not in FORMATS:
        raise ProblemError(f"unknown format '{format}'", hint=f"known: {', '.join(FORMATS)}")
    document = spaced(document)
    attachments: dict[str, bytes] = {}
    plan = _outline(document) if format == "html" else None
    views = _views(document, format, setting.page, attachments, plan)
    variables = {
        "document": document, "page": setting.page, "setting": setting, "views": views, "text_size": SIZE,
        "running": shortened(document.running or document.title),
        "matrix_columns": max([10, *(view.most_columns for view in views)]) if format == "tex" else 0, "indent": INDENT,
        "styles": Ready(FORMATS[format].styles), "drawn": any(map(_draws, document.blocks)),
        "posed": any(map(_poses, document.blocks)), "prelude": Ready(PRELUDE), "outline": plan,
        "subject": document.title if escape.plain(document.title).strip() else document.name,
        "words": _page_words(document.language) if format in ("html", "tex") else {},
        "serif": Ready(SERIF), "sans": Ready(SANS), "chinese": document.language == "zh",
    }  # fmt: skip
    fill = _filler(format, setting.look, variables)
    frame = _frame(format, setting)
    text = fill(frame)
    if is_chinese(text) and not variables["chinese"]:  # in a title of the user's, say
        variables["chinese"] = True
        text = fill(frame)
    if format == "tex":
        attachments[MACROS] = fill(f"tex/{MACROS}").encode()
    return Rendered(text.rstrip("\n") + "\n", attachments)


def _draws(block: Block) -> bool:
    """Whether a block has a drawing; a document without one needs no definitions for it."""
    return isinstance(block, Figure | Masthead)


def _poses(block: Block) -> bool:
    """Whether a block is one of an exam's, or has points beside it."""
    match block:
        case Question() | Room() | Masthead():
            return True
        case Display(points=points):
            return bool(points)
        case Items(points=points, letters=letters):
            return bool(points) or letters
        case Table(room=room):
            return bool(room)
    return False


def shortened(title: str, most: int = RUNNING) -> str:
    """A title of at most ``most`` characters, for the running head."""
    return title if len(title) <= most else title[: most - 1].rstrip() + "…"


def _frame(format: str, setting: Setting) -> str:
    """The template that holds all others."""
    if format != "tex":
        return f"{format}/frame.{format}"
    return "tex/fragment.tex" if setting.fragment else "tex/exam.tex" if setting.frame == "exam" else "tex/frame.tex"


def _filler(format: str, look: Look | None, variables: Mapping[str, object]) -> Callable[[str], str]:
    """The function that fills in a template of the format, by name."""
    if look is None:
        built_in_ones = environment(format)
        return lambda name: built_in_ones.get_template(name).render(variables)
    from derive.report.sandbox import OwnTemplates  # only who has templates of their own pays for it

    folder = templates_folder()
    built_in = {name: (folder / name).read_text(encoding="utf-8") for name in partials()}
    own = OwnTemplates(look, built_in, **options(format, strict=True))
    own.filters |= filters(format)
    own.check(format, variables)
    return lambda name: own.written(name, variables)


def load(format: str) -> None:
    """Compile the templates of a format, which its first document would else wait for."""
    compiled = environment(format)
    for name in compiled.list_templates(filter_func=lambda name: name.startswith(f"{format}/")):
        compiled.get_template(name)


def _outline(document: Document) -> Outline:
    from derive.report.outline import outline  # only a page pays for it

    return outline(document)


def _page_words(language: str) -> dict[str, str]:
    """The few words that a page adds to its document."""
    words = catalogue(language)
    return {key: words.text(f"page.{key}") for key in ("contents", "more", "uses")} | {
        "comma": words.text("locale.comma")
    }


def _views(
    document: Document, format: str, page: Page, attachments: dict[str, bytes], plan: Outline | None
) -> list[View]:
    layout = lay_out(document, page)
    speaks = format in ("html", "typ")
    named = references(document) if format == "tex" else ()
    views = []
    figures = 0
    above: list[int] = []  # the headings around a block, by what they look like
    for place, block in enumerate(document.blocks):
        if isinstance(block, Heading):
            above = [*(level for level in above if level < block.level), block.level]
        drawing, picture = "", ""
        if isinstance(block, Figure | Masthead):
            figures += 1
            _check_scene(block.scene)
            if format == "html":
                drawing = Ready(scene_to_svg(block.scene, "", block.alternative, to_typst))
            elif format == "md":
                picture = f"{document.name}-figure-{figures}.svg"
                attachments[picture] = scene_to_svg(block.scene, "", block.alternative, to_typst).encode()
            else:
                tex = format == "tex"
                drawing = Ready(scene_to_tikz(block.scene) if tex else scene_to_typst(block.scene, to_typst))
        rows = layout.rows.get(place, ())
        views.append(
            View(
                template=f"{format}/{_PARTIALS[type(block)]}.{format}",
                block=block,
                rows=rows,
                columns=layout.columns.get(place, ()),
                drawing=drawing,
                picture=picture,
                spoken=spoken_display(block, document.language) if speaks and isinstance(block, Display) else "",
                level=len(above),
                keep=_kept(document.blocks[place : place + 3]),
                long=len(rows) > _LONG_DISPLAY
                or (isinstance(block, Table) and _is_long(block, layout.columns.get(place, ()))),
                place=plan.places[place] if plan is not None else None,
                reference=named[place] if named else NO_REFERENCE,
            )
        )
    return views


def _kept(blocks: Sequence[Block]) -> bool:
    """Whether the first of these blocks stays on the page of the next: words with what they lead to."""
    block, following = blocks[0], blocks[1] if len(blocks) > 1 else None
    if isinstance(block, Items):
        return isinstance(following, Display)
    if isinstance(block, Question):
        return following is not None
    if isinstance(block, Paragraph) and isinstance(following, Paragraph):
        return _kept(blocks[1:])
    if isinstance(following, Question):
        return isinstance(block, Paragraph) and following.part
    return isinstance(block, Paragraph) and isinstance(following, Display | Table | Figure | Items)


def _is_long(table: Table, columns: tuple[float | None, ...]) -> bool:
    """Whether a table may break across pages; rows of several lines count double."""
    wrapped = any(width is not None for width in columns)
    return len(table.rows) * (2 if wrapped else 1) > _LONG_TABLE


def _check_scene(scene: Scene) -> None:
    """Formulas of a figure are held to the same subset as all others."""
    for mark in scene.marks:
        if not isinstance(mark, Bare):
            parse(mark.latex)

"""A document in every format that is wanted, as bytes by file name; the PDF is set while the others are written."""

from __future__ import annotations

from collections.abc import Iterable

from derive.errors import ProblemError
from derive.report.document import Document
from derive.report.setting import PLAIN, Setting, setting_of

FORMATS = ("md", "tex", "pdf", "html", "typ")


def check_formats(formats: str | Iterable[str]) -> tuple[str, ...]:
    """The formats, each once. Raises ``ProblemError`` for one that is not known."""
    wanted = tuple(dict.fromkeys((formats,) if isinstance(formats, str) else formats))
    for format in wanted:
        if format not in FORMATS:
            raise ProblemError(f"the format {format!r} is not known; known are {', '.join(FORMATS)}")
    return wanted


def files(document: Document, formats: Iterable[str], setting: Setting | str = PLAIN) -> dict[str, bytes]:
    """The document in each format, and the files beside it (figures, the TeX macros), by file name.

    ``setting`` may be the name of the engine alone. Raises ``ProblemError`` for an engine that is not installed.
    """
    from derive.report.pdf import Pending
    from derive.report.render import render

    wanted, setting = tuple(formats), setting_of(setting)
    setting.check(wanted)
    # A PDF is set outside of Python's lock: while that goes on, the other formats are written.
    pending = Pending(document, setting) if "pdf" in wanted else None
    made: dict[str, bytes] = {}
    for format in wanted:
        made[f"{document.name}.{format}"] = b""
        if format != "pdf":
            rendered = render(document, format, setting)
            made[f"{document.name}.{format}"] = rendered.text.encode()
            made.update(rendered.attachments)
    if pending is not None:
        made[f"{document.name}.pdf"] = pending.result()
    return made


def ready(formats: Iterable[str], setting: Setting | str = PLAIN) -> None:
    """Load and compile what these formats need, so that a document does not wait for it."""
    from derive.report import pdf, render

    for format in formats:
        if format != "pdf":
            render.load(format)
        elif setting_of(setting).engine == "typst":
            render.load("typ")
            pdf.warm_up()

"""A document in every format that is wanted, as bytes by file name; the PDF is set while the others are written."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Thread

from derive.errors import ProblemError
from derive.report.document import Document

FORMATS = ("md", "tex", "pdf", "typ")


def check_formats(formats: str | Iterable[str]) -> tuple[str, ...]:
    """The formats, each once. Raises ``ProblemError`` for one that is not known."""
    wanted = tuple(dict.fromkeys((formats,) if isinstance(formats, str) else formats))
    for format in wanted:
        if format not in FORMATS:
            raise ProblemError(f"the format {format!r} is not known; known are {', '.join(FORMATS)}")
    return wanted


def files(document: Document, formats: Iterable[str], engine: str = "typst") -> dict[str, bytes]:
    """The document in each format, and the figures beside it, by file name.

    Raises ``ProblemError`` for an engine that is not installed.
    """
    from derive.report.pdf import pdf
    from derive.report.render import render

    wanted = tuple(formats)
    # A PDF is set outside of Python's lock: while that goes on, the other formats are written.
    printing = _Meanwhile(lambda: pdf(document, engine)) if "pdf" in wanted else None
    made: dict[str, bytes] = {}
    try:
        for format in wanted:
            made[f"{document.name}.{format}"] = b""
            if format != "pdf":
                rendered = render(document, format)
                made[f"{document.name}.{format}"] = rendered.text.encode()
                made.update(rendered.attachments)
    finally:
        if printing is not None:
            printing.join()
    if printing is not None:
        made[f"{document.name}.pdf"] = printing.result()
    return made


class _Meanwhile(Thread):
    """A thread that works something out; ``result`` waits for it and raises what it raised."""

    def __init__(self, work: Callable[[], bytes]) -> None:
        super().__init__(name="derive-pdf")
        self._work, self._found = work, b""
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        """Do the work."""
        try:
            self._found = self._work()
        except BaseException as error:  # noqa: BLE001 - it is raised again where the result is asked for
            self._error = error

    def result(self) -> bytes:
        """What the work gave."""
        self.join()
        if self._error is not None:
            raise self._error
        return self._found

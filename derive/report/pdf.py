"""A document as a PDF: by Typst inside this process, or by a TeX engine of the user's.

Typst runs with its embedded fonts, for Chinese with those of a package, never with the machine's, and without a clock,
so the same document gives the same bytes everywhere; a warning of Typst (a font that is missing, say) is an error here.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from derive.errors import ProblemError, Unsupported
from derive.report.document import Document
from derive.report.fonts import PACKAGE, chinese_fonts, undrawn
from derive.report.setting import PLAIN, Setting, setting_of
from derive.report.spacing import WIDE, is_chinese
from derive.report.typst_math import PRELUDE, to_typst

if TYPE_CHECKING:
    import typst

# What the embedded fonts do not draw; Typst would print an empty box without a word.
_FOREIGN = re.compile("[^\0-\u058f\u1e00-\u2bff\ufb00-\ufb06\ufffd\U0001d400-\U0001d7ff]")
FONT = "New Computer Modern"
STANDARD: Literal["ua-1"] = "ua-1"
"""PDF/UA-1: a screen reader finds headings, tables and the words of each formula and figure; Typst refuses less."""
# The Typst compiler object is not for two threads at once; warm_up() and the first page may meet here.
_LOCK = threading.Lock()


def pdf(document: Document, setting: Setting | str = PLAIN) -> bytes:
    """The document set as a PDF by ``typst``, ``xelatex``, ``lualatex``, ``pdflatex`` or ``tectonic``.

    ``setting`` may be the name of the engine alone. Raises ``ProblemError`` for an engine that is unknown or not
    installed, and where the engine refuses the document.
    """
    from derive.report.render import render

    setting = setting_of(setting)
    if setting.engine == "typst":
        return typst_pdf(render(document, "typ", setting).text, STANDARD)
    from derive.report.tex_engines import run_tex

    rendered = render(document, "tex", setting)
    return run_tex(setting.engine, rendered.text, document.name, rendered.attachments).pdf


class Pending:
    """A PDF in the making: Typst works in its own thread, without Python's lock, while other formats are rendered."""

    def __init__(self, document: Document, setting: Setting | str = PLAIN) -> None:
        """Errors of the document itself are raised here, those of the engine by ``result``."""
        from derive.report.render import render

        self._made: bytes | BaseException | None = None
        wish = setting_of(setting)
        source = render(document, "typ", wish).text if wish.engine == "typst" else ""

        def work() -> None:
            try:
                self._made = typst_pdf(source, STANDARD) if wish.engine == "typst" else pdf(document, wish)
            except BaseException as error:  # noqa: BLE001 - handed over to the thread that asks for the result
                self._made = error

        self._thread = threading.Thread(target=work, name=f"pdf by {wish.engine}", daemon=True)
        self._thread.start()

    def result(self) -> bytes:
        """The PDF, once it is done. Raises what ``pdf`` raises."""
        self._thread.join()
        if isinstance(self._made, BaseException):
            raise self._made
        assert self._made is not None
        return self._made


def typst_pdf(source: str, standard: Literal["ua-1"] | None = None) -> bytes:
    """The PDF of a Typst source, held to a standard if one is named.

    Raises ``ProblemError`` for what Typst refuses or warns of and for Chinese without its fonts, ``Unsupported`` for a
    script without a font.
    """
    chinese = set(WIDE.findall(source))
    strange = next((c for c in _FOREIGN.findall(source) if c not in chinese), None)
    if chinese and chinese_fonts() is None:
        raise ProblemError(
            f"a PDF with Chinese ('{min(chinese)}') needs fonts that are not installed", hint=f"pip install {PACKAGE}"
        )
    strange = strange or (undrawn(chinese) if chinese else None)
    if strange is not None:
        raise Unsupported(
            f"a PDF by Typst has fonts for European scripts, Chinese and mathematics, and none yet for '{strange}'",
            hint="Markdown shows it, and so does the TeX file with a font of yours",
        )
    with _LOCK:
        compiler, _ = _typst(bool(chinese))
        try:
            result, warnings = compiler.compile_with_warnings(
                input=source.encode(), format="pdf", timestamp=0, pdf_standards=standard
            )
        except RuntimeError as error:
            raise ProblemError(f"Typst refuses the document: {_first_line(error)}") from error
    if warnings:
        raise ProblemError(f"Typst warns: {_first_line(warnings[0])}")
    if not isinstance(result, bytes):  # a list of pages is what other formats give
        raise TypeError(type(result).__name__)
    return result


def typst_query(source: str, label: str) -> list[Any]:
    """The values of the metadata that carry ``<label>`` in a Typst source."""
    with _LOCK:
        _, fonts = _typst(is_chinese(source) and chinese_fonts() is not None)
        import typst

        # A module function: a Compiler answers queries only about the source it was made with. Its types want the
        # root in the type of the source, but a source in a str would be taken for a path.
        found = typst.query(  # type: ignore[type-var]
            source.encode(), f"<{label}>", field="value", font_paths=fonts, root=_root(), ignore_system_fonts=True
        )
    values: list[Any] = json.loads(found)
    return values


def typst_widths(formulas: Sequence[str]) -> list[float]:
    """The width of each formula in em, displayed, all from one query."""
    measured = ",\n".join(f"measure($ {to_typst(formula)} $).width / 1pt" for formula in formulas)
    source = f'#set text(font: "{FONT}", size: 10pt)\n{PRELUDE}#context [#metadata(({measured},)) <widths>]\n'
    return [width / 10 for width in typst_query(source, "widths")[0]]


def warm_up() -> threading.Thread:
    """Start loading Typst's fonts in the background (Typst works without Python's lock); returns the running thread."""
    thread = threading.Thread(
        target=lambda: typst_pdf(f'#set text(font: "{FONT}")\n$ x = mat(1, 2; 3, 4) $ *b*'), name="typst", daemon=True
    )
    thread.start()
    return thread


@lru_cache(maxsize=2)
def _typst(chinese: bool) -> tuple[typst.Compiler, typst.Fonts]:
    try:
        import typst
    except ImportError as error:  # a platform without a wheel
        raise ProblemError(
            f"no PDF: the package typst cannot be imported ({error})", hint="--pdf-engine xelatex, or --format md,tex"
        ) from error
    folder = chinese_fonts() if chinese else None
    fonts = typst.Fonts(include_system_fonts=False, font_paths=[folder] if folder is not None else [])
    return typst.Compiler(font_paths=fonts, root=_root(), ignore_system_fonts=True), fonts


def _root() -> str:
    """The only folder Typst may read: this one, where nothing is worth reading."""
    return str(Path(__file__).parent)


def _first_line(message: object) -> str:
    return str(message).strip().splitlines()[0]

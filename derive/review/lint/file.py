"""A file to lint: read as UTF-8 text of sensible length, LaTeX or Markdown by its ending."""

from __future__ import annotations

from pathlib import Path

from derive.errors import ProblemError
from derive.review.lint.document import Linted, Scene, lint_text
from derive.review.lint.source import LARGEST

MARKDOWN = (".md", ".markdown", ".qmd", ".rmd")
LATEX = (".tex", ".ltx", ".latex")


def lint_file(path: str | Path, scene: Scene | None = None) -> Linted:
    """Judges every chain of a file.

    Raises ``ProblemError`` where there is no such file, for one that is no text or too large, and for formulas that do
    not end.
    """
    file, name = Path(path), str(path)
    ending = file.suffix.lower()
    if ending not in (*MARKDOWN, *LATEX):
        raise ProblemError(
            f"{name} is neither LaTeX nor Markdown", hint=f"a file that ends in {', '.join((*LATEX, *MARKDOWN))}"
        )
    try:
        with file.open("rb") as opened:
            content = opened.read(4 * LARGEST + 1)
    except FileNotFoundError:
        raise ProblemError("there is no such file", file=name) from None
    except OSError as error:
        raise ProblemError(f"the file cannot be read: {error.strerror or error}", file=name) from None
    try:
        text = content.decode("utf-8-sig") if len(content) <= 4 * LARGEST else ""
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ProblemError("the file is not UTF-8", file=name, line=line) from None
    if len(content) > 4 * LARGEST or len(text) > LARGEST:
        raise ProblemError(f"the file is too large: at most {LARGEST:,} characters are read", file=name)
    return lint_text(text.replace("\r\n", "\n"), markdown=ending in MARKDOWN, file=name, scene=scene)

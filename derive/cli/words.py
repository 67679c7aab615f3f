"""Words of the command line: lists with commas, words of a fixed set, names that can be printed."""

from __future__ import annotations

from collections.abc import Sequence

import click

from derive.errors import ProblemError, Unsupported

# What `report` makes, said here too: help and a slip of the pen need not wait until it is loaded. A test compares them.
FORMATS = ("md", "tex", "pdf", "html", "typ")
LATER_FORMATS = ("docx", "ipynb")
ENGINES = ("typst", "xelatex", "lualatex", "pdflatex", "tectonic")

# Options that mean the same wherever something is written.
in_language = click.option("--lang", metavar="LANGUAGE", default="en", show_default=True, help="Language of the prose.")
by_engine = click.option(
    "--pdf-engine",
    "engine",
    metavar="ENGINE",
    default="typst",
    show_default=True,
    help=f"Of {', '.join(ENGINES)}; all but typst must be installed beside derive.",
)


def words(ctx: click.Context, option: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    """``--format md,tex --format pdf`` as ``("md", "tex", "pdf")``, each once."""
    parts = [word.strip() for item in value for word in item.split(",")]
    if "" in parts:
        raise click.BadParameter(f"an empty word in {','.join(value)!r}")
    return tuple(dict.fromkeys(parts))


def one_of(word: str, known: Sequence[str], later: Sequence[str] = (), *, what: str) -> None:
    """Raise ``ProblemError`` unless the word is known, ``Unsupported`` where it is to be known later."""
    if word in later:
        raise Unsupported(f"{what} {word!r} is not built yet; built are {', '.join(known)}")
    if word not in known:
        from derive.problem.wording import hint

        raise ProblemError(f"{what} {word!r} is not known; known are {', '.join(known)}", hint=hint(word, known))


def require_text(word: str, what: str) -> None:
    """Raise ``ProblemError`` for a name that cannot be printed, in a report or anywhere."""
    if not word:
        raise ProblemError(f"{what} is empty")
    try:
        word.encode("utf-8")
    except UnicodeEncodeError:
        shown = word.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        raise ProblemError(f"{what}, '{shown}', is not valid UTF-8") from None


def check_printing(formats: Sequence[str], engine: str) -> None:
    """Raise ``ProblemError`` for a format or an engine that is not known, ``Unsupported`` for a format to come."""
    for name in formats:
        one_of(name, FORMATS, LATER_FORMATS, what="the format")
    one_of(engine, ENGINES, what="the PDF engine")

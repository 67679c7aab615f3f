"""Words of the command line: lists with commas, words of a fixed set, names that can be printed."""

from __future__ import annotations

from collections.abc import Sequence

import click

from derive.errors import ProblemError, Unsupported


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

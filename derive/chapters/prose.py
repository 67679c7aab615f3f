"""The sentences of the chapters, one file per language, together with those of all reports."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources

from derive.chapters import chapter_names
from derive.errors import ProblemError
from derive.report.catalogue import Catalogue, catalogue


@cache
def prose(language: str) -> Catalogue:
    """The catalogue of a language. Raises ``ProblemError`` where there is none, or none for chapters."""
    return catalogue(language).with_messages(own(language))


@cache
def own(language: str) -> dict[str, str]:
    """The chapters' own sentences, ``section.key`` each. Raises ``ProblemError`` for a language without them."""
    folder = resources.files("derive.chapters") / "languages"
    path = folder / f"{language}.toml"
    if not path.is_file():
        known = sorted(file.name.removesuffix(".toml") for file in folder.iterdir() if file.name.endswith(".toml"))
        raise ProblemError(
            f"the chapters are not written in the language {language!r}", hint=f"they are in {', '.join(known)}"
        )
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    return {f"{section}.{key}": text for section, table in tables.items() for key, text in table.items()}


def titles(language: str = "en") -> dict[str, str]:
    """The chapters and what each is about."""
    sentences = own(language)
    return {name: sentences[f"{name}.title"] for name in chapter_names()}

"""Prose from a problem file: titles and captions, plain or by language.

Any text may stand there; every format escapes it later. Only what could change the page behind the reader's back is
refused: control characters, and the marks that reverse the direction of writing.
"""

from __future__ import annotations

import re
import unicodedata
from types import MappingProxyType

from derive.errors import ProblemError
from derive.problem.places import Places
from derive.problem.problem import Text
from derive.problem.toml import KeyPath
from derive.problem.wording import kind, shown

LONGEST = 500  # characters
LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*", re.ASCII)


def read_text(value: object, places: Places, *path: str | int) -> Text:
    """A text, or texts by language (``{ en = "…", zh = "…" }``); the key ``""`` holds a text without a language."""
    if isinstance(value, str):
        return MappingProxyType({"": _checked(value, places, path)})
    if not isinstance(value, dict):
        raise places.error(
            f'{path[-1]} is {kind(value)}, expected is a text, or one for each language: {{ en = "…", zh = "…" }}',
            *path,
        )
    texts = {}
    for language, text in places.table(value, *path).items():
        if not LANGUAGE.fullmatch(language):
            raise places.error(f"{shown(language)} is no language code such as en or zh", *path, language)
        if not isinstance(text, str):
            raise places.error(f"the {language} text of {path[-1]} is {kind(text)}", *path, language)
        texts[language] = _checked(text, places, (*path, language))
    if not texts:
        raise places.error(f"{path[-1]} has no text", *path)
    return MappingProxyType(texts)


def clean(text: str) -> str:
    """The text with its blanks collapsed. Raises ``ProblemError`` (without a place) for what must not reach a page."""
    text = " ".join(text.split()) if text.isascii() else re.sub(r"[ \t\r\n]+", " ", text).strip(" ")
    if len(text) > LONGEST:
        raise ProblemError(f"a text of {len(text)} characters, at most {LONGEST} are allowed")
    for character in text:
        category = unicodedata.category(character)
        turns = character in _MARKS or unicodedata.bidirectional(character) in _DIRECTIONS
        if turns or category in ("Cc", "Cs", "Co", "Cn", "Zl", "Zp"):
            name = unicodedata.name(character, "a control character")
            raise ProblemError(f"a text has the character U+{ord(character):04X} ({name}), which is not allowed")
    return text


_DIRECTIONS = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
_MARKS = frozenset("\u061c\u200e\u200f")  # invisible, and turn what stands beside them


def _checked(text: str, places: Places, path: KeyPath) -> str:
    try:
        return clean(text)
    except ProblemError as error:
        raise places.placed(error, *path) from None

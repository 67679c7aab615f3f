"""Prose, keyed by rule: one TOML file per language, and nothing but sentences in it.

A message may hold ``{placeholders}``; what stands in for them is a span or a text. Asking for a message or a
placeholder that is not there is an error, and so is a message that nobody asks for (a test looks). The table
``[locale]`` of a language says how its lists, clauses and sentences are joined. How a language is added stands in
``languages/README.md``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from derive.errors import ProblemError
from derive.report.document import Code, Math, Span, Spans, Strong, Text

SIGNS = {"point": ".", "comma": ","}
_LANGUAGES = Path(__file__).parent / "languages"
_SIGN = re.compile(r"(?<=\d)[.,](?=\d)")
_PLACE = re.compile(r"\{(\w+)\}")


class Catalogue:
    """The sentences of one language."""

    def __init__(self, language: str, messages: Mapping[str, str]) -> None:
        self.language = language
        self._messages = messages

    @property
    def keys(self) -> frozenset[str]:
        """Every message there is."""
        return frozenset(self._messages)

    def with_messages(self, more: Mapping[str, str]) -> Catalogue:
        """The same catalogue with the messages of a document of its own kind."""
        return type(self)(self.language, {**self._messages, **more})

    def with_decimal(self, wish: str | None) -> Catalogue:
        """The same catalogue with the decimal sign wished for, ``"point"`` or ``"comma"``; as it is for ``None``.

        Thousands never have the sign that decimals have.
        """
        if wish is None:
            return self
        sign, other = SIGNS[wish], SIGNS["point" if wish == "comma" else "comma"]
        apart = self.text("locale.thousands")
        return self.with_messages({"locale.decimal": sign, "locale.thousands": other if apart == sign else apart})

    def has(self, key: str) -> bool:
        """Whether there is a message of that key."""
        return key in self._messages

    def template(self, key: str) -> str:
        """A message as it stands in the catalogue, with its ``{placeholders}``."""
        return self._messages[key]

    def text(self, key: str, **places: str) -> str:
        """A message without formulas."""
        return _PLACE.sub(lambda match: places[match[1]], self._messages[key])

    def say(self, key: str, **places: Span | Spans | str | int) -> Spans:
        """A message as spans. Raises ``KeyError`` for an unknown message or placeholder."""
        spans: list[Span] = []
        for k, piece in enumerate(_PLACE.split(self._messages[key])):
            if k % 2 == 0:
                spans += [Text(piece)] if piece else []
                continue
            value = places[piece]
            if isinstance(value, tuple):
                spans += value
            elif isinstance(value, Text | Math | Strong | Code):
                spans.append(value)
            else:
                spans.append(Text(str(value)))
        return tuple(spans)

    def count(self, number: int) -> str:
        """A whole number in a sentence, its thousands set apart as the language does it: ``10,000``."""
        return self.numbers(f"{number:,}")

    def numbers(self, text: str) -> str:
        """A text of the program's with the decimal sign and the thousands of the language: ``12,345.6 kB``."""
        signs = {".": self.text("locale.decimal"), ",": self.text("locale.thousands")}
        return _SIGN.sub(lambda match: signs[match[0]], text)

    def listed(self, items: Iterable[Span | Spans]) -> Spans:
        """``a, b and c``"""
        return self._joined(items, self.text("locale.comma"), self.text("and"))

    def in_a_row(self, items: Iterable[Span | Spans]) -> Spans:
        """``a, b, c``"""
        comma = self.text("locale.comma")
        return self._joined(items, comma, comma)

    def clauses(self, clauses: Iterable[Span | Spans]) -> Spans:
        """Clauses of one sentence: ``A is a matrix, b is a row and c is a number``."""
        return self._joined(clauses, self.text("locale.clause"), self.text("locale.last_clause"))

    def sentences(self, sentences: Iterable[Span | Spans]) -> Spans:
        """Whole sentences, one behind the other."""
        between = self.text("locale.sentence")
        return self._joined(sentences, between, between)

    @staticmethod
    def _joined(items: Iterable[Span | Spans], between: str, last: str) -> Spans:
        pieces = [item if isinstance(item, tuple) else (item,) for item in items]
        spans: list[Span] = []
        for k, piece in enumerate(pieces):
            mark = last if k == len(pieces) - 1 else between
            spans += [Text(mark)] if k and mark else []
            spans += piece
        return tuple(spans)


def languages() -> tuple[str, ...]:
    """The languages there are."""
    return tuple(sorted(path.stem for path in _LANGUAGES.glob("*.toml")))


@cache
def catalogue(language: str) -> Catalogue:
    """The catalogue of a language. Raises ``ProblemError`` with the known ones."""
    if language not in languages():
        raise ProblemError(f"there is no language {language!r}", hint="known are " + ", ".join(languages()))
    source = (_LANGUAGES / f"{language}.toml").read_text(encoding="utf-8")
    return Catalogue(language, dict(_flat(tomllib.loads(source))))


def _flat(table: Mapping[str, object], prefix: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, value in table.items():
        if isinstance(value, dict):
            found += _flat(value, f"{prefix}{key}.")
        else:
            found.append((prefix + key, str(value)))
    return found

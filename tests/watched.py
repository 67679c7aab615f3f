"""A catalogue that writes down which of its messages are asked for."""

from __future__ import annotations

from derive.report.catalogue import Catalogue, catalogue
from derive.report.document import Span, Spans


def watched(language: str = "en", templates: bool = False) -> tuple[Catalogue, set[str]]:
    """A language's catalogue, and the keys that it is asked for, kept up to date; of ``templates`` too where wanted."""
    asked: set[str] = set()

    class Watched(Catalogue):
        def template(self, key: str) -> str:
            if templates:
                asked.add(key)
            return super().template(key)

        def text(self, key: str, **places: str) -> str:
            asked.add(key)
            return super().text(key, **places)

        def say(self, key: str, **places: Span | Spans | str | int) -> Spans:
            asked.add(key)
            return super().say(key, **places)

    return Watched(language, catalogue(language)._messages), asked

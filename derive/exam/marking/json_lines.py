"""JSON whose values know their lines, so that a wrong answer is told with the line that it stands in.

Numbers stay the text that they are written as: ``0.10`` has two decimals. Nothing else of JSON is lost: the standard
library reads strings, and every text that is no JSON is an error with its line.
"""

from __future__ import annotations

import re
from json import JSONDecoder

from derive.errors import ProblemError
from derive.records import dataclass

DEEPEST = 12  # levels of lists and objects
MOST_VALUES = 500_000  # more than a file of answers has rows; counted while reading, which is slow beside refusing

_BLANK = re.compile(r"[ \t\r\n]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_STRINGS = JSONDecoder()
_WORD = re.compile(r"true|false|null")


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value of a file: a text, the text of a number, a list, an object as pairs, a truth value or nothing."""

    line: int
    kind: str  # "text", "number", "list", "object", "truth", "nothing"
    text: str = ""
    items: tuple[Leaf, ...] = ()
    pairs: tuple[tuple[str, Leaf], ...] = ()

    def __str__(self) -> str:
        words = {"list": "a list", "object": "an object", "nothing": "null", "text": f"the text {self.text!r}"}
        return words.get(self.kind, f"the {self.kind} {self.text}")[:80]


def read_json(text: str, file: str) -> Leaf:
    """The value of a whole text. Raises ``ProblemError`` with file and line for no JSON, and for a key twice."""
    return _Reader(text, file).whole()


class _Reader:
    def __init__(self, text: str, file: str) -> None:
        self.text, self.file, self.at, self.line, self._counted = text, file, 0, 1, 0
        self._values = 0

    def whole(self) -> Leaf:
        found = self._value(0)
        self._skip()
        if self.at < len(self.text):
            raise self._error("there is more behind the end of the JSON")
        return found

    def _here(self) -> int:
        self.line += self.text.count("\n", self._counted, self.at)
        self._counted = self.at
        return self.line

    def _error(self, message: str, line: int | None = None) -> ProblemError:
        return ProblemError(message, file=self.file, line=line or self._here())

    def _skip(self) -> str:
        match = _BLANK.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return self.text[self.at : self.at + 1]

    def _value(self, depth: int) -> Leaf:
        sign, line = self._skip(), self._here()
        self._values += 1
        if self._values > MOST_VALUES:
            raise self._error(f"there are more than {MOST_VALUES:,} values; mark it in several files")
        if depth > DEEPEST:
            raise self._error(f"lists and objects go deeper than {DEEPEST} levels")
        if sign == '"':
            return Leaf(line, "text", self._string())
        if sign == "[":
            return Leaf(line, "list", items=tuple(self._list(depth)))
        if sign == "{":
            return Leaf(line, "object", pairs=tuple(self._object(depth)))
        for kind, pattern in (("number", _NUMBER), ("truth", _WORD)):
            if match := pattern.match(self.text, self.at):
                self.at = match.end()
                return Leaf(line, "nothing" if match[0] == "null" else kind, match[0])
        raise self._error("this is no JSON: expected is a value" + (f", found is {sign!r}" if sign else ""))

    def _string(self) -> str:
        try:
            found, self.at = _STRINGS.raw_decode(self.text, self.at)
        except ValueError:
            raise self._error("this is no JSON: a text has no end, or a character that may not be in it") from None
        return str(found)

    def _list(self, depth: int) -> list[Leaf]:
        found: list[Leaf] = []
        self.at += 1
        if self._skip() == "]":
            self.at += 1
            return found
        while True:
            found.append(self._value(depth + 1))
            if self._between("]"):
                return found

    def _object(self, depth: int) -> list[tuple[str, Leaf]]:
        found: dict[str, Leaf] = {}
        self.at += 1
        if self._skip() == "}":
            self.at += 1
            return []
        while True:
            if self._skip() != '"':
                raise self._error("this is no JSON: expected is a key in quotation marks")
            key = self._string()
            if key in found:
                raise self._error(f"the key {key[:40]!r} stands twice")
            if self._skip() != ":":
                raise self._error("this is no JSON: expected is a colon behind a key")
            self.at += 1
            found[key] = self._value(depth + 1)
            if self._between("}"):
                return list(found.items())

    def _between(self, end: str) -> bool:
        """Past a comma, or past the end."""
        sign = self._skip()
        if sign not in (",", end) or not sign:
            raise self._error(f"this is no JSON: expected is a comma or {end}")
        self.at += 1
        return sign == end

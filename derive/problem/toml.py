"""TOML with exact decimals and known lines.

``tomllib`` says what the text means; a scanner goes over the text that ``tomllib`` has accepted and notes where each
key stands. So an error can name the line, and a float stays the text it was (``Written``).
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from derive.errors import ProblemError
from derive.problem.exact import LONGEST
from derive.problem.wording import Written

LARGEST_FILE = 64 * 1024 * 1024  # bytes
DEEPEST = 60  # brackets inside brackets

KeyPath = tuple[str | int, ...]

_STRING = re.compile(
    r'"""(?:[^"\\]++|\\.|"(?!""))*+""""{0,2}'
    r"|'''(?:[^']++|'(?!''))*+''''{0,2}"
    r'|"(?:[^"\\\n]++|\\.)*+"'
    r"|'[^'\n]*+'",
    re.DOTALL,
)
_BARE = re.compile(r"[A-Za-z0-9_-]++")
_BLANK = re.compile(r"[ \t]*+")
_BETWEEN = re.compile(r"(?:[ \t\n]++|#[^\n]*+)*+")
_ATOM = re.compile(r"[^\[\]{}\"'#,\n]++")
_SIZE = re.compile(
    _STRING.pattern + rf"|#[^\n]*+|[\[{{\]}}]|(?P<long>(?<![\w.+-])[+-]?\d[\d_]{{{LONGEST},}}+)", re.DOTALL
)
_BREAK = r"\\[ \t]*\n[ \t\n]*|\\u000[aA]|\\U0000000[aA]|\\.|\n"  # what breaks a line, in a text or in the file
_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


class Source:
    """A TOML text: what it says (``tables``) and where (``line``).

    ``tables`` is plain dicts, lists, strings, booleans and integers; a float is its source text, as ``Written``.
    Raises ``ProblemError`` with file and line for a text that is no TOML.
    """

    def __init__(self, text: str, file: str | None = None) -> None:
        self.file = file
        self.text = text = text.removeprefix("\ufeff").replace("\r\n", "\n")
        self._newlines = [match.start() for match in re.finditer("\n", text)]
        self._check_size()
        try:
            self.tables: dict[str, Any] = tomllib.loads(text, parse_float=Written)
        except (ValueError, RecursionError, MemoryError) as error:
            raise self._not_toml(error) from None
        self._keys: dict[KeyPath, int] = {}  # where a key, or an entry that is a list or a table, starts
        self._values: dict[KeyPath, int] = {}  # where the value of a key starts
        _Scanner(text, self._keys, self._values).document()

    def line(self, *path: str | int) -> int | None:
        """The line of a key or of an entry (``line("given", "x", 0, 2)``), or of the nearest thing that holds it."""
        for length in range(len(path), 0, -1):
            known = path[:length]
            if known in self._keys:
                start = self._keys[known]
                rest = path[length:]
                begin = self._values.get(known, start)
                if rest and isinstance(rest[0], int) and self.text.startswith("[", begin):
                    start = _entry(self.text, begin, rest[0]) or start
                return self._line_at(start)
        return None

    def key_lines(self) -> Iterator[tuple[KeyPath, int]]:
        """Every key with its line; an entry of a list stands as a number in the path."""
        for path, start in self._keys.items():
            yield path, self._line_at(start)

    def text_lines(self, *path: str | int) -> list[int]:
        """For the string at ``path``: the line of the file on which each of its own lines stands.

        A string over several lines starts on the line after its quotes; ``\\n`` inside one line stays on that line.
        """
        start = self._values[path]
        match = _STRING.match(self.text, start)
        if match is None:
            return []
        raw = match[0]
        quotes = raw[:3] if raw[:3] in ('"""', "'''") else raw[:1]
        line = self._line_at(start)
        at = len(quotes)
        if len(quotes) == 3 and raw[at : at + 1] == "\n":
            at, line = at + 1, line + 1
        lines = [line]
        for piece in re.finditer(_BREAK if quotes[0] == '"' else r"\n", raw[at:]):
            line += piece[0].count("\n")
            if piece[0] == "\n" or piece[0].lower() in (r"\n", r"\u000a", r"\u0000000a"):
                lines.append(line)
        return lines

    def _line_at(self, offset: int) -> int:
        return bisect_right(self._newlines, offset - 1) + 1

    def _check_size(self) -> None:
        """What the parser below cannot be trusted with: depth that exhausts the stack, integers beyond all bounds."""
        depth = 0
        for match in _SIZE.finditer(self.text):
            token = match[0]
            if token in ("[", "{"):
                depth += 1
                if depth > DEEPEST:
                    raise self._error(f"lists or tables are nested more than {DEEPEST} deep", match.start())
            elif token in ("]", "}"):
                depth = max(depth - 1, 0)
            elif match.lastgroup == "long":
                raise self._error(f"a number of {len(token)} characters, at most {LONGEST} are allowed", match.start())

    def _not_toml(self, error: BaseException) -> ProblemError:
        message = str(error)
        place = _PLACE.search(message)
        if place is None:  # no word from the parser on where: the recursion limit, mostly
            return ProblemError(f"this is not TOML that can be read: {message}", file=self.file, line=1)
        line = int(place[1]) if place[1] else max(1, len(self.text.rstrip().split("\n")))
        what = message[: place.start()]
        tip = None
        if "after a statement" in what or what.startswith(("Expected '=' after a key", "Invalid statement")):
            tip = 'text and equations stand in quotes: equations = """ … """'
        elif what.startswith("Invalid value"):
            tip = 'texts, equations and fractions stand in quotes: "1/3"'
        elif what.startswith("Cannot overwrite a value"):
            what, tip = "the same key stands twice", None
        elif what.startswith("Cannot declare"):
            what = f"the same table stands twice: {what}"
        elif "escape" in what:
            tip = r"inside \"…\" a backslash is written \\, inside '…' as it is"
        return ProblemError(f"this is not TOML: {what}", file=self.file, line=line, hint=tip)

    def _error(self, message: str, offset: int) -> ProblemError:
        return ProblemError(message, file=self.file, line=self._line_at(offset))


def load(path: Path, file: str) -> Source:
    """The TOML file at ``path``; ``file`` is what messages call it.

    Raises ``ProblemError`` for a file that is missing, unreadable, too large, or not UTF-8.
    """
    try:
        if not path.exists():
            raise ProblemError("there is no such file", file=file)
        if path.is_dir():
            raise ProblemError("this is a folder, expected is a problem file", file=file)
        if path.stat().st_size > LARGEST_FILE:
            raise ProblemError(
                f"the file has more than {LARGEST_FILE // 2**20} MiB",
                file=file,
                hint='large arrays can stand beside it: W = { file = "w.npz", array = "W" }',
            )
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ProblemError(f"the file cannot be read: {reason}", file=file) from None
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ProblemError("the file is UTF-16, expected is UTF-8", file=file, line=1)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ProblemError(f"byte 0x{data[error.start]:02x} is not UTF-8", file=file, line=line) from None
    return Source(text, file)


class _Scanner:
    """Walks a text that is known to be TOML and notes where keys and lists start."""

    def __init__(self, text: str, keys: dict[KeyPath, int], values: dict[KeyPath, int]) -> None:
        self.text, self.keys, self.values, self.at = text, keys, values, 0
        self.entries: dict[KeyPath, int] = {}  # how many tables an array of tables has so far

    def document(self) -> None:
        prefix: KeyPath = ()
        while self._skip(_BETWEEN) < len(self.text):
            if self.text[self.at] == "[":
                prefix = self._header()
            else:
                self._pair(prefix)

    def _header(self) -> KeyPath:
        start = self.at
        many = self.text.startswith("[[", start)
        self.at += 2 if many else 1
        written = self._key()
        self.at += 2 if many else 1
        path: KeyPath = ()
        for position, key in enumerate(written):
            path += (key,)
            if path in self.entries and not (many and position == len(written) - 1):
                path += (self.entries[path] - 1,)  # [part.given] belongs to the last [[part]]
            if position < len(written) - 1:
                self.keys.setdefault(path, start)  # a table that [a.b] alone makes
        if many:
            self.keys.setdefault(path, start)
            number = self.entries.get(path, 0)
            self.entries[path] = number + 1
            path += (number,)
        self.keys.setdefault(path, start)
        return path

    def _pair(self, prefix: KeyPath) -> None:
        start = self.at
        path = prefix
        for key in self._key():
            path += (key,)
            self.keys.setdefault(path, start)
        self._skip(_BLANK)
        self.at += 1  # =
        self._skip(_BLANK)
        self._value(path)

    def _key(self) -> list[str]:
        keys = []
        while True:
            self._skip(_BLANK)
            if quoted := _STRING.match(self.text, self.at):
                keys.append(str(next(iter(tomllib.loads(quoted[0] + " = 0")))))
                self.at = quoted.end()
            else:
                bare = _BARE.match(self.text, self.at)
                if bare is None:
                    return keys
                keys.append(bare[0])
                self.at = bare.end()
            self._skip(_BLANK)
            if self.text[self.at : self.at + 1] != ".":
                return keys
            self.at += 1

    def _value(self, path: KeyPath) -> None:
        self.values[path] = self.at
        first = self.text[self.at : self.at + 1]
        if first == "[":
            self._list(path)
        elif first == "{":
            self._table(path)
        elif string := _STRING.match(self.text, self.at):
            self.at = string.end()
        else:
            self._skip(_ATOM)

    def _list(self, path: KeyPath) -> None:
        self.at += 1
        number = 0
        while self._skip(_BETWEEN) < len(self.text):
            first = self.text[self.at]
            if first == "]":
                self.at += 1
                return
            if first == ",":
                number += 1
                self.at += 1
                continue
            if first in "[{":
                self.keys[(*path, number)] = self.at
                self._value((*path, number))
            elif string := _STRING.match(self.text, self.at):
                self.at = string.end()
            else:
                self._skip(_ATOM)

    def _table(self, path: KeyPath) -> None:
        self.at += 1
        while self._skip(_BETWEEN) < len(self.text):
            first = self.text[self.at]
            if first == "}":
                self.at += 1
                return
            if first == ",":
                self.at += 1
                continue
            self._pair(path)

    def _skip(self, pattern: re.Pattern[str]) -> int:
        match = pattern.match(self.text, self.at)
        if match is not None:
            self.at = match.end()
        return self.at


def _entry(text: str, start: int, number: int) -> int | None:
    """Where entry ``number`` of the list that opens at ``start`` stands; found only when a message asks for it."""
    scanner = _Scanner(text, {}, {})
    scanner.at = start + 1
    count = 0
    while scanner._skip(_BETWEEN) < len(text) and text[scanner.at] != "]":
        if text[scanner.at] == ",":
            count += 1
            scanner.at += 1
        elif count == number:
            return scanner.at
        else:
            scanner._value(())
    return None

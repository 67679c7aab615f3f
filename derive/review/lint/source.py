"""The formulas of a document, each with its line: displays and inline mathematics of LaTeX and of Markdown.

Nothing is carried out. Comments, program text and drawings are no mathematics; what no reader sees is not read.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from derive.errors import ProblemError
from derive.records import dataclass

LARGEST = 5_000_000
"""Characters of a document that is still read."""


@dataclass(frozen=True, slots=True)
class Formula:
    """The inside of a display or of inline mathematics, from the line ``line`` on (counted from 1)."""

    line: int
    text: str
    inline: bool = False
    proof: bool = False


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading, or the name of a part in front of a display."""

    line: int
    text: str
    level: int


_DISPLAYS = "equation|align|alignat|flalign|gather|multline|eqnarray|displaymath|derivation|math|split|aligned|gathered"
_UNREAD = "verbatim|lstlisting|minted|tikzpicture|comment|filecontents|thebibliography|alltt|Verbatim"
_TEX = re.compile(
    r"(?P<comment>(?<!\\)%[^\n]*)"
    rf"|\\begin\{{(?P<skip>{_UNREAD})\*?\}}"
    rf"|\\begin\{{(?P<env>(?:{_DISPLAYS})\*?)\}}"
    r"|\\(?P<head>(?:sub)*section|chapter|part|paragraph)\*?\s*(?:\[[^\]\n]*\])?\{"
    r"|(?P<proof>\\(?:begin|end)\{proof\})"
    r"|\\\\|\\[$%]|(?P<open>\\\[|\\\(|\$\$|\$)"
)
_MARKDOWN = re.compile(
    r"(?P<fence>^ {0,3}(?:```+|~~~+)[^\n]*$)"
    r"|(?P<comment><!--)"
    r"|(?P<code>(?<!`)`+(?!`))"
    r"|^ {0,3}(?P<head>#{1,6})\s+(?P<title>[^\n]*)$"
    rf"|\\begin\{{(?P<env>(?:{_DISPLAYS})\*?)\}}"
    r"|\\[$`]|(?P<open>\\\[|\\\(|\$\$|\$)",
    re.MULTILINE,
)
_CLOSE = {r"\[": r"\]", r"\(": r"\)", "$$": "$$", "$": "$"}


def formulas(text: str, markdown: bool, file: str | None = None) -> Iterator[Formula | Heading]:
    """Formulas and headings, from the top down. Raises ``ProblemError`` for one that does not end."""
    lines = [0, *(match.end() for match in re.finditer("\n", text))]
    yield from (_of_markdown if markdown else _of_tex)(text, lines, file)


def _line(place: int, lines: list[int]) -> int:
    return bisect_right(lines, place)


def _open(what: str, place: int, lines: list[int], file: str | None) -> ProblemError:
    return ProblemError(f"{what} is opened here and never closed", file=file, line=_line(place, lines))


def _math(text: str, opened: str, start: int, lines: list[int], file: str | None) -> tuple[Formula | None, int]:
    """The mathematics behind its opening sign, and where it ends; a dollar of money is none."""
    close = _CLOSE[opened]
    end = text.find(close, start)
    while close == "$" and end > 0 and text[end - 1] == "\\":
        end = text.find(close, end + 1)
    if opened == "$":
        blank = re.compile(r"\n[ \t]*\n").search(text, start, end if end > 0 else min(len(text), start + 2000))
        if end < 0 or blank is not None or end == start:
            return None, start
    if end < 0:
        raise _open(opened, start - len(opened), lines, file)
    first = start + len(text[start:end]) - len(text[start:end].lstrip())
    return Formula(_line(first, lines), text[first:end], opened in ("$", r"\(")), end + len(close)


def _environment(name: str, text: str, start: int, lines: list[int], file: str | None) -> tuple[Formula, int]:
    """A display environment; one of the same name inside is part of it."""
    depth, place = 1, start
    for match in re.compile(rf"\\(begin|end)\{{{re.escape(name)}\}}").finditer(text, start):
        depth += 1 if match[1] == "begin" else -1
        place = match.end()
        if depth == 0:
            body = text[start : match.start()]
            if name.startswith(("alignat",)):
                body = re.sub(r"^\s*\{\d+\}", "", body)
            first = start + len(body) - len(body.lstrip())
            return Formula(_line(first, lines), body.lstrip()), place
    raise _open(rf"\begin{{{name}}}", start, lines, file)


_TITLE = re.compile(r"((?:[^{}]|\{[^{}]*\})*)\}")


def _group(text: str, start: int) -> tuple[str, int]:
    """What stands in braces behind ``start``, and where they end; nothing where it is too long for a title."""
    match = _TITLE.match(text[start : start + 400])
    return (match[1], start + match.end()) if match else ("", start)


def _of_tex(text: str, lines: list[int], file: str | None) -> Iterator[Formula | Heading]:
    begin = re.search(r"^[^%\n]*\\begin\{document\}", text, re.MULTILINE)
    place = begin.end() if begin else 0
    end = text.find(r"\end{document}", place)
    last = end if end >= 0 else len(text)
    proof = False
    while match := _TEX.search(text, place, last):
        place = match.end()
        if match["skip"]:
            closing = text.find(rf"\end{{{match['skip']}", place)
            if closing < 0:
                raise _open(rf"\begin{{{match['skip']}}}", match.start(), lines, file)
            place = closing
        elif match["head"]:
            title, place = _group(text, place)
            yield Heading(_line(match.start(), lines), title.strip(), match["head"].count("sub") + 1)
        elif match["proof"]:
            proof = "begin" in match["proof"]
        elif match["env"] or match["open"]:
            found: Formula | None
            if match["env"]:
                found, place = _environment(match["env"], text, place, lines, file)
            else:
                found, place = _math(text, match["open"], place, lines, file)
            if found is not None:
                yield Formula(found.line, found.text, found.inline, True) if proof else found


def _of_markdown(text: str, lines: list[int], file: str | None) -> Iterator[Formula | Heading]:
    place = 0
    while match := _MARKDOWN.search(text, place):
        place = match.end()
        if match["fence"]:
            fence = match["fence"].strip()
            mark = re.match(r"`+|~+", fence)
            assert mark is not None
            closing = re.compile(rf"^ {{0,3}}{mark[0]}+[ \t]*$", re.MULTILINE).search(text, place)
            stop = closing.start() if closing else len(text)
            if fence[len(mark[0]) :].strip() in ("math", "latex-math", "{math}"):
                yield Formula(_line(min(place + 1, len(text)), lines), text[place:stop].strip())
            place = closing.end() if closing else len(text)
        elif match["comment"]:
            stop = text.find("-->", place)
            place = stop + 3 if stop >= 0 else len(text)
        elif match["code"]:
            stop = text.find(match["code"], place)
            place = stop + len(match["code"]) if 0 <= stop - place < 2000 else place
        elif match["head"]:
            yield Heading(_line(match.start(), lines), match["title"].strip(" #"), len(match["head"]))
        elif match["env"]:
            found, place = _environment(match["env"], text, place, lines, file)
            yield found
        elif match["open"]:
            inside, place = _math(text, match["open"], place, lines, file)
            if inside is not None:
                yield inside

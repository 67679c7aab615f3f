"""Printed mathematics as tokens: what is said twice is dropped, what lies outside the grammar is a slip."""

from __future__ import annotations

import re
from collections.abc import Sequence

RELATIONS = ("=", r"\approx", r"\leftarrow")


class Slip(Exception):
    """Printed text outside the grammar, or a side whose sizes do not fit."""


class NotRead(Exception):
    """A shape that the grammar allows and this reader does not work out; the message names it."""


_TOKEN = re.compile(
    r"\s+|\\(?:operatorname|mathrm|mathbf|text)\{[^{}]*\}|\\(?:begin|end)\{[a-z]+\}|\\[A-Za-z]+|\\\\|\\[,;|{}]"
    r"|(?<=[_^])[0-9]|[0-9]+(?:\.[0-9]+)?|[A-Za-z]|[-+=(){}\[\]|^_',:&<>/]"
)


# An array of numbers set flush right in round brackets, as it stands in a document and in a LaTeX file: a matrix.
_FLUSH = re.compile(r"\\left\(\\begin\{array\}\{[rc]+\}((?:(?!\\begin|\\end).)*)\\end\{array\}\\right\)", re.DOTALL)
_UNSEEN = re.compile(r"\\phantom\{(?:\.|\{,\})?0+\}")  # noughts that fill a column up to its longest number


def as_centred(latex: str) -> str:
    r"""The formula with its columns of numbers where they stood before they were aligned, and with decimal points.

    Where a number has a decimal comma, semicolons stand for the commas of a list.
    """
    latex = _FLUSH.sub(r"\\begin{pmatrix}\1\\end{pmatrix}", _UNSEEN.sub("", latex))
    latex = latex.replace(r"\begin{pmatrix*}[r]", r"\begin{pmatrix}").replace(r"\end{pmatrix*}", r"\end{pmatrix}")
    if re.search(r"\d\{,\}\d", latex) is None:
        return latex
    return re.sub(r"(?<!\\);", ",", re.sub(r"(?<=\d)\{,\}(?=\d)", ".", latex))


def tokens(latex: str) -> tuple[str, ...]:
    """The tokens of a formula; ``_{1}`` and ``_1`` are the same. Raises ``Slip`` for a character of no token."""
    latex = as_centred(latex)
    found: list[str] = []
    place = 0
    while place < len(latex):
        match = _TOKEN.match(latex, place)
        if match is None:
            raise Slip(f"unknown character {latex[place]!r}")
        place = match.end()
        if not match[0].isspace():
            found.append(match[0])
    return _without_idle_braces(found)


def _without_idle_braces(found: list[str]) -> tuple[str, ...]:
    kept: list[str] = []
    k = 0
    while k < len(found):
        if found[k] == "_" and k + 3 < len(found) and found[k + 1] == "{" and found[k + 3] == "}":
            kept += ["_", found[k + 2]]
            k += 4
        else:
            kept.append(found[k])
            k += 1
    return tuple(kept)


def split(text: tuple[str, ...]) -> list[tuple[str, tuple[str, ...]]]:
    """A row cut before each relation outside of all brackets; the first piece has no relation."""
    pieces: list[tuple[str, list[str]]] = [("", [])]
    depth = 0
    for token in text:
        if token in ("{", "(", "[") or token.startswith(r"\begin"):
            depth += 1
        elif token in ("}", ")", "]") or token.startswith(r"\end"):
            depth -= 1
        if depth == 0 and token in RELATIONS:
            pieces.append((token, []))
        else:
            pieces[-1][1].append(token)
    return [(relation, tuple(piece)) for relation, piece in pieces]


def written(text: Sequence[str]) -> str:
    """Tokens as text again, for messages."""
    return " ".join(text)

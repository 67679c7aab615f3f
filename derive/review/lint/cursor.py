"""Where a reader is in the tokens of one side, and what cannot be read there."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flint import fmpq

from derive.review.lint.tree import Node, Unread

DEEPEST = 40
"""Brackets, fractions and powers inside each other."""

Names = Mapping[tuple[str, ...], Any]

CLOSING = {"(": ")", "[": "]", "{": "}"}
DOTS = frozenset([r"\cdots", r"\vdots", r"\ddots", r"\dots"])
COMPARE = frozenset(["<", ">", "=", r"\leq", r"\geq", r"\neq"])


class Cursor:
    """A place in the tokens. ``names`` maps the tokens of a name to its key, ``own`` those of a problem's function."""

    def __init__(self, text: Sequence[str], names: Names, own: Names, taken: frozenset[str] = frozenset()) -> None:
        self.text, self.names, self.own, self.taken = tuple(text), names, own, taken
        self.place = self.depth = 0
        self._bars: list[str] = []
        self._longest_name = max(map(len, names), default=0)

    @property
    def peek(self) -> str:
        """The token ahead; empty at the end."""
        return self.text[self.place] if self.place < len(self.text) else ""

    def _ahead(self, k: int) -> str:
        return self.text[self.place + k] if self.place + k < len(self.text) else ""

    def _blanks(self) -> None:
        while self.peek == r"\quad":
            self.place += 1

    def _take(self, wanted: str) -> None:
        self._blanks()
        if self.peek != wanted:
            raise self._stuck()
        self.place += 1

    def _stuck(self) -> Unread:
        here = self.peek
        if here in DOTS:
            return Unread("elided", here)
        if here.startswith((r"\text{", r"\mbox{", r"\textbf{", r"\textrm{")) or ord(here[:1] or "a") > 0x2E7F:
            return Unread("text", here)
        if here in COMPARE or here in (r"\in", r"\to", r"\Rightarrow", r"\mapsto", r"\sim", r"\propto"):
            return Unread("relation", here)
        if re.fullmatch(r"[A-Za-z]|\\(?:[a-z]?[A-Z]?[a-z]{1,9})", here) and (len(here) == 1 or here[1:] in LETTERS):
            return Unread("symbolic", here)
        if here.startswith((r"\math", r"\boldsymbol", r"\operatorname", r"\bm")) or here in (r"\hat", r"\bar", r"\vec"):
            return Unread("symbolic", here)
        if here in (r"\tilde", r"\dot", r"\partial", r"\nabla", r"\Delta", r"\sum", r"\prod", "_", "'"):
            return Unread("symbolic", here)
        return Unread("unknown macro" if here.startswith("\\") and here[1:].isalpha() else "syntax", here or "end")

    def _in(self, read: Callable[[], Node]) -> Node:
        self.depth += 1
        if self.depth > DEEPEST:
            raise Unread("too deep", str(DEEPEST))
        node = read()
        self.depth -= 1
        return node

    def _longest(self, table: Names, longest: int) -> tuple[int, Any] | None:
        for length in range(min(longest, len(self.text) - self.place), 0, -1):
            key = self.text[self.place : self.place + length]
            if key in table:
                return length, table[key]
        return None

    def _script(self) -> list[str]:
        """The tokens of an exponent or an index."""
        if self.peek != "{":
            self.place += 1
            return [self.text[self.place - 1]] if self.place <= len(self.text) else []
        depth, start = 0, self.place + 1
        while self.peek:
            depth += {"{": 1, "}": -1}.get(self.peek, 0)
            self.place += 1
            if depth == 0:
                return list(self.text[start : self.place - 1])
        raise Unread("syntax", "{")

    def _after_score(self) -> str:
        self.place += 1
        return "".join(self._script())


LETTERS = frozenset(
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi rho sigma tau "
    "upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega ell infty nabla "
    "partial".split()
)


def literal(digits: str, exponent: int = 0) -> fmpq:
    """The rational that a decimal spells."""
    whole, _, part = digits.partition(".")
    return fmpq(int((whole + part) or "0")) * fmpq(10) ** (exponent - len(part))

"""What a printed formula says, as a tree; and why one cannot be read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from derive.records import dataclass


class Unread(Exception):
    """A formula, or a part of one, that is not read; ``reason`` is one of ``REASONS``, ``what`` says what was met."""

    def __init__(self, reason: str, what: str = "") -> None:
        super().__init__(reason, what)
        self.reason, self.what = reason, what


class Misfit(Exception):
    """Sizes that do not fit: a product, a sum or an equality that cannot be formed."""


# Why a link is not read, in the order in which a report lists them.
REASONS = (
    *("symbolic", "definition", "elided", "general", "proof", "text", "relation", "alone", "unknown macro"),
    *("syntax", "ambiguous", "domain", "stack", "unbounded", "too long", "too deep"),
)


@dataclass(frozen=True, slots=True)
class Node:
    """A piece of a formula: a kind, the pieces in it, and ``at``: digits, the key of a name, signs of a sum."""

    kind: str
    kids: tuple[Node, ...] = ()
    at: tuple[Any, ...] = ()

    def walk(self) -> Iterator[Node]:
        """This piece and all inside it."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting += reversed(node.kids)

    @property
    def symbolic(self) -> bool:
        """Whether names occur in it."""
        return any(node.kind in ("name", "partial") for node in self.walk())

    @property
    def elided(self) -> bool:
        """Whether dots stand for some of its entries."""
        return any(node.kind == "dots" for node in self.walk())

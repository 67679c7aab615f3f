"""Random whole numbers that are the same on every machine and in every version: SHA-256 of a counter."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import TypeVar

T = TypeVar("T")


class Stream:
    """A stream of its own for each name. Streams of different names have nothing to do with each other."""

    def __init__(self, *name: str | int) -> None:
        parts = [str(part).encode() for part in name]
        self._key = sha256(b"".join(len(part).to_bytes(4, "big") + part for part in parts)).digest()
        self._counter = 0
        self._words: list[int] = []

    def below(self, n: int) -> int:
        """A whole number from 0 to n - 1, each as likely as any other; n is at most 2**32."""
        most = 2**32 - 2**32 % n
        while True:
            if not self._words:
                block = sha256(self._key + self._counter.to_bytes(8, "big")).digest()
                self._words = [int.from_bytes(block[k : k + 4], "big") for k in range(0, 32, 4)]
                self._counter += 1
            word = self._words.pop()
            if word < most:
                return word % n

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """The same items in another order (Fisher and Yates)."""
        result = list(items)
        for k in range(len(result) - 1, 0, -1):
            other = self.below(k + 1)
            result[k], result[other] = result[other], result[k]
        return result

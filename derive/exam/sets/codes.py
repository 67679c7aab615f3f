"""Short codes that name a variant on its paper: four characters and a check character, none that is taken for another.

The characters are those of the field of 23 elements, and a code is right where its weighted sum is 0 in it, as in the
numbers of books: any one character that is misread, and any two that are swapped, are noticed.
"""

from __future__ import annotations

from derive.errors import ProblemError
from derive.exam.searching.stream import Stream

ALPHABET = "2346789CDFGHJKMNPQRTWXY"  # no vowels, so no words; no 0 O, 1 I L, 5 S, B, U V, Z
LENGTH = 5
MOST = 100_000
_WEIGHTS = (2, 3, 4, 5, 1)


def codes(name: str, seed: int, count: int) -> tuple[str, ...]:
    """The codes of an exam's variants 1 to ``count``, each once. Raises ``ProblemError`` for too many."""
    if count > MOST:
        raise ProblemError(f"{count:,} variants; the most is {MOST:,}")
    found: dict[str, None] = {}
    for number in range(1, count + 1):
        stream = Stream("code", name, seed, number)
        code = _code(stream)
        while code in found:
            code = _code(stream)
        found[code] = None
    return tuple(found)


def read_code(text: str) -> str | None:
    """The code that a text spells, in capitals and without what stands between; ``None`` where there is none."""
    code = "".join(text.split()).replace("-", "").upper()
    if len(code) != LENGTH or any(character not in ALPHABET for character in code):
        return None
    return code if _sum(code) % len(ALPHABET) == 0 else None


def _code(stream: Stream) -> str:
    body = "".join(ALPHABET[stream.below(len(ALPHABET))] for _ in range(LENGTH - 1))
    return body + ALPHABET[-_sum(body) % len(ALPHABET)]


def _sum(code: str) -> int:
    return sum(weight * ALPHABET.index(character) for weight, character in zip(_WEIGHTS, code, strict=False))

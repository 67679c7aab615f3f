"""Names for what has none: the letters of a lecture, numbered by layer.

``z1 = x @ W1.T + b1``, ``h1 = relu(z1)``, … and ``y`` for the output. A network of one layer has no numbers.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from derive.problem.functions import FUNCTIONS
from derive.problem.names import CONSTANTS, LONGEST_NAME, stem_of

if TYPE_CHECKING:
    from derive.problem.sources.draft import Datum, Step

STEPS: Mapping[str, str] = {
    "affine": "z",
    "logits": "z",
    "activation": "h",
    "pool": "p",
    "flat": "f",
    "norm": "n",
    "dropout": "d",
    "joined": "c",
    "share": "s",
    "embedding": "e",
}
DATA: Mapping[str, str] = {
    "weight": "W",
    "bias": "b",
    "gain": "gamma",
    "shift": "beta",
    "table": "M",
    "input": "x",
    "target": "t",
    "mask": "m",
    "recurrent": "V",
    "recurrent_bias": "c",
}
SINGLE: Mapping[str, str] = {"loss": "E", "log_loss": "L"}
OTHER, OUTPUT = "u", "y"


class Titles:
    """Final names for the steps and data of a draft. Names that the source gave (without a ``_`` in front) stay."""

    def __init__(self, steps: Sequence[Step], data: Iterable[Datum], taken: Collection[str] = ()) -> None:
        self.steps, self.data = steps, tuple(data)
        every = [step.name for step in steps] + [datum.name for datum in self.data]
        own = [name for name in every if not name.startswith("_")]
        self.found = {name: name for name in own}
        families = {stem_of(name) for name in own if name.endswith("]")}
        printed = {name.replace("[", "").rstrip("]") for name in own}  # h[1] is printed like h1
        self.taken = {*own, *families, *printed, *taken, *FUNCTIONS, *CONSTANTS}

    def names(self) -> dict[str, str]:
        """Provisional name -> name."""
        singles = [one for one in self.data if one.role in ("input", "target", "mask")]
        for one in singles:
            if one.name not in self.found:
                several = sum(other.role == one.role for other in singles) > 1
                time = one.role == "target" and any(step.loop for step in self.steps)
                letter = "d" if time else DATA[one.role]  # t counts the steps
                self._give(one.name, letter, 1 if several else 0)
        for role, letter in SINGLE.items():
            for step in self.steps:
                if step.role == role and step.name not in self.found:
                    self._give(step.name, letter, 0)
        last = self._output()
        if last is not None:
            self._give(last.name, OUTPUT, 0)
        self._number()
        return self.found

    def _output(self) -> Step | None:
        """What a network without a loss ends in, or what the loss is of; logits keep their letter."""
        rest = [step for step in self.steps if step.role not in SINGLE]
        if not rest or rest[-1].name in self.found or rest[-1].role == "logits":
            return None
        return rest[-1]

    def _number(self) -> None:
        """Everything that goes by layers. In a network of one layer the numbers are left out where nothing clashes."""
        wanted: list[tuple[str, str, int]] = []
        counts: dict[str, int] = {}
        latest = 0
        for datum in self.data:
            if datum.name not in self.found:
                letter = DATA.get(datum.role) or identifier(datum.caption) or OTHER
                wanted.append((datum.name, letter, datum.layer if datum.role else 0))
        for step in self.steps:
            if step.role in ("affine", "logits"):
                latest += 1
            if step.name in self.found:
                continue
            letter = STEPS.get(step.role, OTHER)
            number = max(counts.get(letter, 0) + 1, latest or 1) if letter != OTHER else counts.get(letter, 0) + 1
            counts[letter] = number
            wanted.append((step.name, letter, number))
        numbered = [(letter, number) for _, letter, number in wanted]
        plain = all(number <= 1 for _, number in numbered) and len(set(numbered)) == len(numbered)
        for name, letter, number in wanted:
            self._give(name, letter, 0 if plain else number)

    def _give(self, name: str, letter: str, number: int) -> None:
        """``letter`` with its number; where that is taken, with the next one that is free."""
        wish = f"{letter}{number}" if number else letter
        while wish in self.taken or keyword.iskeyword(wish):
            number += 1
            wish = f"{letter}{number}"
        self.taken.add(wish)
        self.found[name] = wish


def identifier(text: str) -> str:
    """The last word of a dotted name, as a name of the language; empty where nothing is left of it."""
    word = re.sub(r"[^A-Za-z0-9_]+", "_", text.rsplit(".", 1)[-1].rsplit("/", 1)[-1]).strip("_")
    word = re.sub(r"^[^A-Za-z]+", "", word)
    return word[: LONGEST_NAME - 6]

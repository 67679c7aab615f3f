"""Built-in documents that are more than one solved problem: functions from solutions to a ``Document``.

A chapter states problems in the equation language, and writes prose around what ``solve`` makes of them: every formula
that it shows of a network is the engine's. This table is all that the rest of the house knows of chapters; a chapter's
own module is imported when it is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping

MODULES: Mapping[str, str] = {
    "forward": "derive.chapters.forward",
    "mse": "derive.chapters.mse",
    "cross-entropy": "derive.chapters.cross_entropy",
    "binary-cross-entropy": "derive.chapters.binary_cross_entropy",
    "activations": "derive.chapters.activations",
    "backprop": "derive.chapters.backprop",
    "architecture": "derive.chapters.architecture",
}
"""Each chapter's name and the module that holds its ``CHAPTER``."""


def chapter_names() -> tuple[str, ...]:
    """The chapters there are."""
    return tuple(MODULES)

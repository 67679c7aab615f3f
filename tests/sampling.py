"""What runs each time, of tests over many examples; ``-m nightly`` runs the rest."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def sampled(values: Iterable[Any], each: int) -> list[Any]:
    """Parameters of a test: every ``each``-th plainly, the others marked ``nightly``. A tuple is several arguments."""
    return [
        pytest.param(*(value if isinstance(value, tuple) else (value,)), marks=pytest.mark.nightly if k % each else ())
        for k, value in enumerate(values)
    ]

"""Side by side, taking turns: a slow moment of the machine hits both sides alike."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent


def medians(*runs: Callable[[], object], rounds: int) -> list[float]:
    """The median seconds of each of ``runs``, which take turns for ``rounds`` rounds after one that does not count."""
    seconds: list[list[float]] = [[] for _ in runs]
    for number in range(rounds + 1):
        for run, taken in zip(runs, seconds, strict=True):
            gc.collect()
            start = time.perf_counter()
            run()
            if number:
                taken.append(time.perf_counter() - start)
    return [median(taken) for taken in seconds]


def environment() -> dict[str, str]:
    """This environment, with derive as it stands in the checkout, and free to keep its bytecode.

    An installed package comes with its bytecode, as SymPy does here; the checkout writes it in the round that does not
    count. Nothing else is kept from one run to the next.
    """
    return {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"} | {
        "PYTHONPATH": str(ROOT)
    }


def process(*arguments: str) -> Callable[[], None]:
    """A run of ``python arguments`` in a new process and an empty folder; a failure is an error, not a short time."""

    def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(
                [sys.executable, *arguments],
                cwd=folder,
                env=environment(),
                stdout=subprocess.DEVNULL,
                check=True,
            )

    return run

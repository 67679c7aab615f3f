"""Derivation against plain SymPy, and how it grows with layers and with width.

derive's side: from the equations as read to the adjoint of every parameter, named equation by named equation. SymPy's
side: ``diff`` of the composed loss by every parameter; composing it is not counted. Both leave numbers out.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmarks.measure import ROOT, environment, medians
from benchmarks.networks import layers, parameters, problem

DEPTHS = (2, 5, 10, 50, 100)
WIDTHS = (2, 4, 8, 16, 32)
CLASSIC = [784, 128, 10]
QUICK = [layers(2, 2), layers(2, 4), layers(2, 8), layers(5, 2)]
CAP = 20.0  # seconds for one run of plain SymPy


def derivation(widths: list[int]) -> Callable[[], object]:
    """A run that derives every parameter's gradient of the network with these widths."""
    from derive.graph import build, differentiate

    read = problem(widths)
    names = [f"{letter}{layer}" for layer in range(1, len(widths)) for letter in "Wb"]

    def run() -> object:
        found = differentiate(build(read), "E", names)
        if not {str(equation.name.by) for equation in found} >= set(names):
            raise RuntimeError("a gradient is missing")
        return found

    return run


@dataclass(frozen=True, slots=True)
class Plain:
    """What plain SymPy came to: gradients done of all, and the seconds that the last of them was done at."""

    done: int
    of: int
    seconds: float
    cap: float
    composed: bool

    @property
    def finished(self) -> bool:
        """Whether all gradients were done inside the cap."""
        return self.done == self.of

    def __str__(self) -> str:
        if self.finished:
            return f"{self.seconds:.3g} s"
        if not self.composed:
            return f"not finished: composing the loss took more than {self.cap:g} s"
        return f"not finished: {self.done:,} of {self.of:,} in {self.cap:g} s"


def plain(widths: list[int], cap: float) -> Plain:
    """One run of plain SymPy in a process of its own, cut off after ``cap`` seconds.

    Raises ``RuntimeError`` where SymPy stopped by itself before it was done.
    """
    command = [sys.executable, "-m", "benchmarks.plain_sympy", ",".join(map(str, widths))]
    try:
        ran = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, timeout=cap, check=True)
        output = ran.stdout
        if output.count(b"\n") != parameters(widths) + 1:
            raise RuntimeError(ran.stderr.decode(errors="replace"))
    except subprocess.TimeoutExpired as error:
        output = error.stdout or b""
    times = [float(line) for line in output.split(b"\n")[:-1]]
    return Plain(max(len(times) - 1, 0), parameters(widths), times[-1] if times else 0.0, cap, bool(times))


def table(quick: bool) -> Iterator[tuple[list[int], float, Plain | None]]:
    """Widths, seconds of derive, and what plain SymPy came to; the quick run asks SymPy only what it can finish."""
    every = [layers(depth, width) for depth in DEPTHS for width in WIDTHS]
    for widths in [*every, CLASSIC]:
        [own] = medians(derivation(widths), rounds=5)
        yield widths, own, None if quick and widths not in QUICK else plain(widths, CAP)


def ratios() -> dict[str, float]:
    """Depth against depth and width against width, taking turns."""
    fifty, hundred = medians(derivation(layers(50, 8)), derivation(layers(100, 8)), rounds=15)
    narrow, wide = medians(derivation(layers(10, 2)), derivation(layers(10, 32)), rounds=31)
    small, classic = medians(derivation([8, 8, 8]), derivation(CLASSIC), rounds=31)
    return {
        "100 layers / 50 layers": hundred / fifty,
        "width 32 / width 2": wide / narrow,
        "784-128-10 / 8-8-8": classic / small,
    }

"""Students made up in plain NumPy: their slips, their rounding, and what their answers are worth.

Nothing here knows derive's formulas. A line of ``slip_networks`` is Python; what follows from a student's own numbers
is the right line run on them, and how far rounding may carry it is found by moving each of those numbers half a unit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from slip_networks import WORDS, Injected, Network, Values, injections, work

PLACES = 4
UNIT = 10.0**-PLACES
# Other ways to write a line, equal to it where nothing has gone wrong before.
EQUAL = {
    ("relu", "d_z1"): ("d_z1 = d_h * (h > 0)",),
    ("classes", "L"): ("L = -(y * log(soft(Z2))).sum() / 3",),
}


@dataclass
class Student:
    """``values`` are what is handed in, rounded; ``slips`` are what was done wrongly, in the order of working."""

    network: Network
    values: Values
    slips: tuple[Injected, ...] = ()
    carried: bool = False
    kind: str = "slips"
    wrong: tuple[str, ...] = field(default=())


def names_of(network: Network) -> list[str]:
    """Everything that is asked, in the order of working: the lines, and the parameters after the update."""
    lines = [line.split(" = ")[0] for line in (*network.forward, *network.backward)]
    return lines + [f"{name}@1" for name in network.trained]


def rounded(values: Mapping[str, Any]) -> Values:
    """Every value to the digits that are handed in."""
    return {name: np.sign(v) * np.floor(np.abs(v) / UNIT + 0.5) * UNIT for name, v in values.items()}


def student(network: Network, slips: tuple[Injected, ...], carried: bool) -> Student | None:
    """Who makes these slips, and carries displayed values or the digits of a calculator; ``None``: nothing to read."""
    changed = {slip.name: slip.line for slip in slips if slip.line}
    order = next((slip.order for slip in slips if slip.order), "")
    try:
        values = work(network, changed, order, PLACES if carried else None)
    except (ValueError, NameError, TypeError):
        return None
    if not all(np.isfinite(values[name]).all() and np.abs(values[name]).max() < 50 for name in names_of(network)):
        return None
    return Student(network, rounded({name: values[name] for name in names_of(network)}), slips, carried)


def made_up(networks: tuple[Network, ...], count: int, seed: int) -> Iterator[Student]:
    """So many students with 0 to 3 slips, in different lines."""
    made = np.random.default_rng(seed)
    every = {network.name: list(injections(network)) for network in networks}
    found = 0
    while found < count:
        network = networks[int(made.integers(len(networks)))]
        number = found % 4
        chosen = made.permutation(len(every[network.name]))[:number]
        slips = tuple(every[network.name][k] for k in chosen)
        lines = [slip.name for slip in slips]
        if len(set(lines)) == number:
            one = student(network, slips, bool(found // 4 % 2))
            if one is not None:
                found += 1
                yield one


# ── what an answer is worth ─────────────────────────────────────────────────────────────────────────────────────


def line_of(network: Network, name: str) -> str:
    """The right line of a name."""
    base, _, after = name.partition("@")
    if after:
        return f"{name} = {base} - {network.rate} * d_{base}"
    return next(line for line in (*network.forward, *network.backward) if line.split(" = ")[0] == name)


def run(network: Network, line: str, own: Mapping[str, Any]) -> Any:
    """A line on a student's own numbers."""
    with np.errstate(all="ignore"):
        return eval(_compiled(line), {**WORDS, **_data(network), **own})


@cache
def _compiled(line: str) -> Any:
    return compile(line.split(" = ", 1)[1], line, "eval")


@cache
def _data(network: Network) -> Values:
    return network.data()


def reach(network: Network, line: str, own: Mapping[str, Any]) -> tuple[Any, Any]:
    """What a line gives, and how far the rounding of what goes in can move it."""
    centre = run(network, line, own)
    moved = np.zeros(np.shape(centre))
    for name in [name for name in own if name in line]:
        for index in np.ndindex(np.shape(own[name])):
            most = np.zeros(np.shape(centre))
            for sign in (-0.5, 0.5):
                other = np.array(own[name], dtype=float)
                other[index] += sign * UNIT
                with np.errstate(all="ignore"):
                    most = np.maximum(most, np.abs(run(network, line, {**own, name: other}) - centre))
            moved = moved + np.nan_to_num(most, nan=0.0)
    return centre, moved


def follows(one: Student, right: Values, name: str, extra: float = 1.0) -> Any:
    """Entry by entry: whether an answer follows from the student's own, one wrong value passed over at the most."""
    network, values = one.network, one.values
    before = names_of(network)[: names_of(network).index(name)]
    own = {k: values[k] for k in before if "@" not in k}
    found = np.zeros(np.shape(values[name]), dtype=bool)
    for line in (line_of(network, name), *EQUAL.get((network.name, name), ())):
        works = [own]
        for other in own:
            if other in line and (np.abs(own[other] - right[other]) > UNIT).any():
                passed = run(network, line_of(network, other), own)
                if np.shape(passed) == np.shape(own[other]):
                    works.append({**own, other: passed})
        for each in works:
            centre, moved = reach(network, line, each)
            with np.errstate(all="ignore"):
                found |= np.abs(values[name] - centre) <= extra * UNIT + 1.5 * moved + 1e-9
    return found


def is_right(one: Student, right: Values, name: str) -> Any:
    """Entry by entry: whether an answer is within one unit of the right one."""
    return np.abs(one.values[name] - right[name]) <= UNIT + 1e-9


# ── students who did no work ────────────────────────────────────────────────────────────────────────────────────


def idle(network: Network, kind: str, seed: int) -> Student:
    """Numbers without work: ``random``, ``zeros``, ``constant``, ``copied``, ``huge``, or right ones with digits spoilt."""
    made = np.random.default_rng(seed)
    right = rounded(work(network, {}))
    names = names_of(network)
    values: Values = {}
    for k, name in enumerate(names):
        shape = np.shape(right[name])
        if kind == "random":
            values[name] = np.round(made.uniform(-2, 2, shape), PLACES)
        elif kind in ("zeros", "constant"):
            values[name] = np.full(shape, 0.0 if kind == "zeros" else 0.5)
        elif kind == "huge":
            values[name] = np.round(made.uniform(1, 9, shape), 1) * 1e5
        elif kind == "copied":  # the numbers of the quantity before, as often as it takes
            other = np.ravel(right[names[k - 1]])
            values[name] = np.resize(other[::-1], shape)
        else:  # one digit of some entries, and never the last
            spoilt = made.random(shape) < 0.3
            step = made.integers(1, 9, shape) * 10.0 ** -made.integers(1, PLACES, shape)
            values[name] = np.where(spoilt, right[name] + step, right[name])
    return Student(network, values, kind=kind)

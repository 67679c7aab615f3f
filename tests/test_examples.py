"""Five published examples, number by number: what is printed right comes out, what is printed wrong does not.

``tests/examples/*.toml`` holds each printed number with a verdict. In a name, ``X.grad`` is dL/dX, ``X.new`` the
updated X, ``X@k`` the value at update (or pass) k; indices count from 0. ``agree`` means right to the printed
digits; of every other verdict (a mistake, a digit lost by carrying rounded values) the value is ``exact``.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from derive.numbers import arrays
from derive.numbers.balls import Number
from derive.numbers.decimals import read_number
from derive.numbers.intervals import contains, read_interval
from derive.problem import read_problem
from derive.solution import Part, Solution, solve

HERE = Path(__file__).parent
SOURCES = {path.stem: tomllib.loads(path.read_text("utf-8")) for path in sorted((HERE / "examples").glob("*.toml"))}
PRINTED = [(source, number) for source, facts in SOURCES.items() for number in range(len(facts["printed"]))]
COUNT = {"cs231n-circuits": 43, "cs231n-two-layer": 43, "freiburg-skip-connection": 28, "macleod-2-2-1": 15}
COUNT["mazur-2-2-2"] = 30


@cache
def solved(name: str) -> Solution:
    """The problem file of that name, solved once."""
    return solve(read_problem(HERE / "problems" / f"{name}.toml"))


def entry(array: Any, index: list[int]) -> Number:
    """The entry at ``index``; one index counts along a vector, none means the only entry there is."""
    if len(index) == 2:
        found: Number = array[tuple(index)]
        return found
    entries = arrays.entries(array)
    assert index or len(entries) == 1
    return entries[index[0] if index else 0]


def after(solution: Solution, name: str, updates: int) -> Any:
    """A value after so many updates, from whichever part went that far: certified, or a long run's doubles."""
    for part in solution.parts:
        if part.history is not None and updates < len(part.history.runs):
            return part.history.runs[updates].value(name)
        for state in part.training.history if part.training is not None else ():
            if state.step == updates:
                value: Any = state.loss if name == part.asked.loss else state.values[name]
                return arrays.filled(np.shape(value), [read_number(repr(float(x))) for x in np.ravel(value)])
    raise AssertionError(f"no part goes to update {updates}")


def quantity(part: Part, text: str) -> Any:
    """A value or a derivative; a minus in front turns its sign (the error signals of older texts are -dL/dz)."""
    return -part.value_of(text[1:]) if text.startswith("-") else part.value_of(text)


def value(facts: dict[str, Any], name: str, index: list[int]) -> Number:
    """What derive gives for a source's name."""
    prefix = next(start for start in facts["problems"] if name.startswith(start))
    solution = solved(facts["problems"][prefix])
    part = solution.parts[0]
    base, _, kind = name.partition(".")
    base, _, count = base.partition("@")
    base = facts["means"].get(base, base.removeprefix(prefix)) if "means" in facts else base.removeprefix(prefix)
    if count:
        return entry(after(solution, base, int(count) - facts.get("first", 0)), index)
    if kind == "new":
        return entry(after(solution, base, 1), index)
    return entry(quantity(part, f"d{part.asked.loss}/d{base}" if kind == "grad" else base), index)


@pytest.mark.parametrize("source", SOURCES)
def test_every_printed_number_is_there(source: str) -> None:
    """Each source is held with all its numbers, and says where it comes from."""
    facts = SOURCES[source]
    assert len(facts["printed"]) == COUNT[source]
    assert facts["title"]
    assert facts["url"].startswith("https://")


@pytest.mark.parametrize(
    ("source", "number"), PRINTED, ids=[f"{s}-{SOURCES[s]['printed'][n]['name']}-{n}" for s, n in PRINTED]
)
def test_printed_number(source: str, number: int) -> None:
    """What a source prints right lies within half a unit of its last digit; what it prints wrong does not."""
    fact = SOURCES[source]["printed"][number]
    found = value(SOURCES[source], fact["name"], fact["index"])
    right = contains(read_interval(fact["value"]), found)
    assert right is (fact["verdict"] == "agree")
    if fact["verdict"] != "agree":
        assert contains(read_interval(fact["exact"]), found) is True


def test_long_training_is_good_to_twelve_digits() -> None:
    """Mazur's loss after ten thousand updates, done right, is 3.51018778298e-05; the run says that it is in doubles."""
    part = solved("mazur-2-2-2").parts[1]
    assert part.history is None
    assert part.training is not None
    assert f"{part.training.history[-1].loss:.11e}" == "3.51018778298e-05"
    assert [state.step for state in part.training.history] == [0, 10000]


def test_second_pass_of_the_skip_connection() -> None:
    """After one update the chain is dead: every unit behind the first ReLU is exactly zero, and the loss exactly 3."""
    part = solved("freiburg-skip-connection").parts[0]
    assert part.history is not None
    last = part.history.runs[-1]
    assert [str(last.value(name).item()) for name in ("L", "y", "z2", "h1", "z1", "h0", "z0")] == [
        "3", "0", "0", "0", "0", "0", "-1/4",
    ]  # fmt: skip

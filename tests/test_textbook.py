"""The two built-in cases against the textbook they come from, number by number.

``tests/textbook/claims.toml`` holds what is printed there, the right value and a verdict. The book's names of single
entries (``w_7``, ``z_o1``) are looked up in the problem's own ``[names]``.
"""

from __future__ import annotations

import tomllib
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from derive.calculus.explicit import Entry
from derive.graph.expression import Adjoint
from derive.numbers import arrays
from derive.numbers.balls import Number
from derive.numbers.decimals import read_number
from derive.numbers.intervals import contains, read_interval
from derive.problem import find_problem
from derive.solution import Part, Solution, solve

CLAIMS: list[dict[str, Any]] = tomllib.loads((Path(__file__).parent / "textbook" / "claims.toml").read_text("utf-8"))[
    "claim"
]
LOCAL = ("do/dz_o", "dz_o/db2", "dz_o/dh", "dh/dz_h", "dz_h/dW1", "dz_h/db1", "o", "h")


@cache
def case1() -> Part:
    """Case 1 with the derivatives that its text uses on the way."""
    problem = find_problem("case1")
    gradients = (*(name for name in problem.parameters), *LOCAL)
    return solve(replace(problem, ask=replace(problem.ask, gradients=gradients))).parts[0]


@cache
def case2() -> Solution:
    """Case 2 as it stands."""
    return solve(find_problem("case2"))


@cache
def entries() -> dict[str, Entry]:
    """The entries of case 1 by the names that the book gives them."""
    part = case1()
    found = {name: Entry(name, ()) for name in ("b_1", "b_2", "E")}
    found |= {"b_1": Entry("b1", ()), "b_2": Entry("b2", ())}
    for name in ("x", "t", "W1", "W2", "z_h", "z_o", "h", "o"):
        rows, columns = map(int, part.network.shape(name))
        texts = part.problem.names.get(name, (tuple(f"{name}_{j + 1}" for j in range(columns)),))
        for i in range(rows):
            for j in range(columns):
                found[texts[i][j].replace("{", "").replace("}", "")] = Entry(name, (i, j))
    return found


def flat(part: Part, entry: Entry) -> int:
    """The position of an entry, row by row."""
    columns = part.network.shape(str(entry.name))[1] if entry.index else 1
    return entry.index[0] * int(columns) + entry.index[1] if entry.index else 0


def of_case1(quantity: str) -> Number:
    """What derive gives for one of the book's quantities: an entry, an updated entry, or one entry by another."""
    part, named = case1(), entries()
    if quantity.endswith("^new"):
        entry = named[quantity.removesuffix("^new")]
        assert part.history is not None
        return arrays.entries(part.history.runs[1].value(entry.name))[flat(part, entry)]
    if "/" not in quantity:
        return arrays.entries(part.value_of(str(named[quantity].name)))[flat(part, named[quantity])]
    above, below = (named[side.removeprefix("d")] for side in quantity.split("/"))
    text = f"d{above.name}/d{below.name}"
    ratio = part.ratio(text)
    value: Any = part.value_of(text)
    if ratio is not None and ratio.kind == "jacobian":
        result: Number = value[flat(part, above), flat(part, below)]
        return result
    assert above.name == "E" or flat(part, above) == flat(part, below)
    return arrays.entries(value)[flat(part, below)]


def of_case2(letter: str, quantity: str, index: list[int]) -> Number:
    """The same for case 2, whose derivatives are the Jacobians of its chain, and their product."""
    part = next(part for part in case2().parts if part.problem.part == letter)
    name = quantity.replace("_", "")
    if "/" not in name:
        value: Any = part.value_of(name)
    elif name == "dl/dx":
        value = part.run.value(Adjoint("l", "x", True))
    else:
        (chain,) = part.chains["dl/dx"]
        value = part.run.expression(next(f.value for f in chain.factors if f"d{f.of}/d{f.by}" == name))
    found: Number = value[index[0] - 1, index[1] - 1] if index else arrays.entries(value)[0]
    return found


def found(claim: dict[str, Any]) -> Number:
    """What derive gives for a claim's quantity."""
    if claim["case"] == "case1":
        return of_case1(claim["quantity"])
    return of_case2(claim["part"], claim["quantity"], claim["index"])


def test_all_claims_are_there() -> None:
    """All 99 numeric claims and the 12 updates with numbers, of which three are wrong."""
    assert [claim["kind"] for claim in CLAIMS].count("numeric") == 99
    assert [claim["kind"] for claim in CLAIMS].count("update") == 12
    assert [claim["id"] for claim in CLAIMS if claim["verdict"] == "wrong"] == [
        "case1.db1", "case1.update.b1", "case2.c.dldx.2",
    ]  # fmt: skip


@pytest.mark.parametrize("claim", CLAIMS, ids=[claim["id"] for claim in CLAIMS])
def test_claim(claim: dict[str, Any]) -> None:
    """The right value comes out to all its digits; what the book prints wrong is contradicted, the rest confirmed."""
    value = found(claim)
    if claim["case"] == "case2":
        assert value == read_number(claim["correct"])
    else:
        assert contains(read_interval(claim["correct"]), value) is True
    if claim["printed"] == r"\frac{1}{2}":
        assert value == read_number("1/2")
        return
    assert contains(read_interval(claim["printed"]), value) is (claim["verdict"] != "wrong" or "survives" in claim)


def test_numbers_the_book_leaves_out() -> None:
    """E is 0.5932448719; all four paths make dE/db1 0.002388201194; one update leaves a loss of 0.5924520978."""
    part = case1()
    assert part.history is not None
    for text, value in (
        ("0.5932448719", part.value_of("E")),
        ("0.002388201194", part.value_of("dE/db1")),
        ("0.5924520978", part.history.runs[1].value("E")),
    ):
        assert contains(read_interval(text), value.item()) is True


def test_updates_are_the_rule() -> None:
    """Each parameter moves by minus the rate times its gradient at the old values: W := W - 0.01 dE/dW."""
    part = case1()
    assert part.history is not None
    rate = read_number("0.01")
    for name in part.problem.parameters:
        before, slope = part.value_of(name), part.value_of(f"dE/d{name}")
        after = part.history.runs[1].value(name)
        for old, by, new in zip(*map(arrays.entries, (before, slope, after)), strict=True):
            assert new.overlaps(old - rate * by)


def test_gradients_by_the_input_in_case_2() -> None:
    """dl/dx is (-1 2), (0 2), (0 -2), a row as its numerator layout wants, and exact."""
    rows = [part.run.value(Adjoint("l", "x", True)) for part in case2().parts]
    assert [row.shape for row in rows] == [(1, 2)] * 3
    assert [[str(entry) for entry in row.ravel()] for row in rows] == [["-1", "2"], ["0", "2"], ["0", "-2"]]
    assert all(arrays.all_exact(row) for row in rows)

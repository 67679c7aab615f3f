"""Spoiled numbers are caught, sound ones are not accused: a thousand of each, drawn from the example solutions.

A number is spoiled by one wrong digit or a wrong sign. What is still inside the rounding interval of the right value is
not spoiled and does not count.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from derive.graph.expression import Adjoint
from derive.numbers.rounding import Printed
from derive.problem import built_in, find_problem
from derive.problem.problem import Problem
from derive.review.check import Reviewed, check
from derive.review.claims import Claim, Quantity
from derive.review.numerals import read_numeral
from derive.review.verdicts import Bench, Verdict
from derive.solution import Part, solve

pytestmark = pytest.mark.slow  # a dozen networks are solved

HERE = Path(__file__).parent
FILES = sorted([*(HERE / "textbook").glob("*.claims.toml"), *(HERE / "examples" / "claims").glob("*.claims.toml")])
MANY = 1000
LARGEST = 100  # entries of a matrix that numbers are drawn from


@cache
def review(path: Path) -> Reviewed:
    """A claims file with its verdicts."""
    return check(path)


def spoiled(text: str, rng: np.random.Generator) -> str:
    """One digit changed, or the sign."""
    places = [k for k, character in enumerate(text.partition("e")[0]) if character.isdigit()]
    if rng.integers(6) == 0:
        return text.removeprefix("-") if text.startswith("-") else f"-{text}"
    k = places[rng.integers(len(places))]
    digit = (int(text[k]) + 1 + int(rng.integers(9))) % 10
    return f"{text[:k]}{digit}{text[k + 1 :]}"


def test_spoiled_numbers_are_caught() -> None:
    """Of 1,000 spoilings of the printed numbers of textbook and examples, at least 99 in 100 may not stand any more."""
    rng = np.random.default_rng(6)
    benches = [bench for path in FILES for bench in review(path).benches.values() if "10000" not in str(bench.claims)]
    pool = [
        (bench, k) for bench in benches for k in range(len(bench.claims)) if "frac" not in bench.claims[k].printed.text
    ]
    missed, tried = [], 0
    while tried < MANY:
        bench, k = pool[rng.integers(len(pool))]
        claim = bench.claims[k]
        number = read_numeral(spoiled(claim.printed.text, rng))
        before = bench.judge(claim)
        if number.contains(before.low, before.high) is not False:
            continue  # the value is still inside
        tried += 1
        claims = [*bench.claims]
        claims[k] = replace(claim, printed=number)
        after = Bench(bench.part, claims, bench.decimal).judge(claims[k])
        if after.verdict.right:
            missed.append(f"{claim.id}: {claim.printed.text} as {number.text}")
    assert len(missed) <= MANY // 100, missed


def printed_numbers(problem: Problem) -> Iterator[tuple[Part, Claim]]:
    """Every value and gradient of a problem as derive prints it, as a claim."""
    for part in solve(problem).parts:
        names = [name for name in part.run.equations if not (isinstance(name, Adjoint) and name.numerator)]
        for name in names if part.numeric else ():
            shape = tuple(map(int, part.run.value(name).shape))
            if int(np.prod(shape)) > LARGEST or str(name).startswith("_"):
                continue
            for index, text in zip(np.ndindex(*shape), part.run.shown(name, part.rounding), strict=True):
                if isinstance(text, Printed):
                    quantity = Quantity(str(name), str(name))
                    turned = isinstance(name, Adjoint) and part.problem.convention.layout == "numerator"
                    place = tuple(k + 1 for k in (index[::-1] if turned else index))
                    yield part, Claim(str(name), quantity, place, part.problem.part, read_numeral(text.text))


def test_sound_numbers_are_not_accused() -> None:
    """Of 1,000 numbers that derive prints of built-in and other problems none is called anything but right."""
    rng = np.random.default_rng(7)
    found: list[tuple[Part, Claim]] = []
    for name in (*built_in(), *map(str, sorted((HERE / "problems").glob("*.toml")))):
        problem = find_problem(name)
        if problem.convention.carry == "full":  # of the others the printed numbers are not the values
            found += printed_numbers(problem)
        if len(found) > 3 * MANY // 2:
            break
    drawn = [found[k] for k in rng.choice(len(found), MANY, replace=False)]
    accused = []
    for part in {id(part): part for part, _ in drawn}.values():
        claims = [claim for other, claim in drawn if other is part]
        bench = Bench(part, claims)
        accused += [claim.id for claim in claims if bench.judge(claim).verdict is not Verdict.AGREES]
    assert accused == []


def test_sound_numbers_of_the_files_are_not_accused() -> None:
    """What the records call right, or right if rounded values are carried, is called so."""
    for path in FILES:
        for judged in review(path).judged:
            if judged.claim.expect in ("agrees", "carried"):
                assert judged.verdict.key == judged.claim.expect, judged.claim.id

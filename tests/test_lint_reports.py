"""derive's own reports, linted from the printed file alone: all right, and hardly a spoiled digit that goes unseen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from derive.cli.lint import Printed
from derive.problem import Problem, built_in, find_problem
from derive.report.compose import compose
from derive.report.render import render
from derive.review.lint import Linted, lint_text
from derive.review.lint.scenes import Known
from derive.solution import Solution, solve

pytestmark = pytest.mark.slow  # hundreds of documents or proofs: once for each change is enough

CARRIES = ("full", "displayed")
NAMES = built_in()
DECIMAL = re.compile(r"(?<![\w.{^\\])(?<!_)\d+\.\d+(?![\w.])")


def carrying(problem: Problem, carry: str) -> Problem:
    """The problem, carrying full precision or displayed values."""
    parts = tuple(carrying(part, carry) for part in problem.parts)
    return replace(problem, convention=replace(problem.convention, carry=carry), parts=parts)


@cache
def solved(name: str, carry: str) -> Solution:
    """A built-in problem, solved once."""
    return solve(carrying(find_problem(name), carry))


@cache
def printed(name: str, carry: str, format: str, language: str = "en") -> str:
    """The report, as a reader has it."""
    return render(compose(solved(name, carry), language=language), format).text


def linted(text: str, name: str, carry: str, format: str = "md") -> Linted:
    """A document about a problem."""
    return lint_text(text, markdown=format == "md", scene=Known(solved(name, carry), Printed()))


def wrong_on_purpose(solution: Solution, found: Linted) -> int:
    """How many lines a quiz has that its own text calls wrong."""
    return sum(part.quiz is not None for part in solution.parts) * bool(found.wrong)


@pytest.mark.parametrize("format", ["md", "tex"])
@pytest.mark.parametrize("carry", CARRIES)
@pytest.mark.parametrize("name", NAMES)
def test_reports_are_right(name: str, carry: str, format: str) -> None:
    """Nothing is accused but what a quiz itself calls wrong; unread are symbols, definitions and general lines alone."""
    found = linted(printed(name, carry, format), name, carry, format)
    assert len(found.wrong) == wrong_on_purpose(solved(name, carry), found), [link.text for link in found.wrong]
    assert set(found.unread) <= {"symbolic", "definition", "general", "relation", "elided", "proof"}
    if solved(name, carry).parts[0].numeric:
        assert found.count("right") > 5 * found.count("not read")


@pytest.mark.parametrize("language", ["zh"])
@pytest.mark.parametrize("format", ["md", "tex"])
@pytest.mark.parametrize("name", ["case1", "case2"])
def test_reports_in_other_languages(name: str, format: str, language: str) -> None:
    """The formulas are the same in every language, and so are the verdicts on them."""
    theirs = linted(printed(name, "full", format, language), name, "full", format)
    ours = linted(printed(name, "full", format), name, "full", format)
    assert [link.verdict for link in theirs.links] == [link.verdict for link in ours.links]


@pytest.mark.parametrize("carry", CARRIES)
@pytest.mark.parametrize("name", NAMES)
def test_every_link_of_numbers_is_judged(name: str, carry: str) -> None:
    """A link whose right side holds numbers alone is judged, unless nothing to its left has a value."""
    for link in linted(printed(name, carry, "md"), name, carry).links:
        if link.verdict.kind == "not read" and re.fullmatch(r"[-+0-9. ]+|.*\d\.\d{4}.*", link.right):
            assert link.verdict.why == "symbolic", link


def test_the_share_of_links_that_are_judged() -> None:
    """Of all links of all reports with numbers at least 97 of 100 are judged."""
    found = [
        linted(printed(name, "full", "md"), name, "full") for name in NAMES if solved(name, "full").parts[0].numeric
    ]
    judged = sum(one.count("right") for one in found)
    assert judged >= 0.97 * sum(len(one.links) for one in found)


# ── spoiled prints ──────────────────────────────────────────────────────────────────────────────────────────────


def spoilings(text: str, count: int, seed: int) -> Iterator[tuple[str, str]]:
    """Displays of a report with one digit or one sign of a printed number changed, each with the headings before it."""
    chance = np.random.default_rng(seed)
    body = text[: text.rindex("\n## ")]
    places = [
        (display.start(1) + number.start(), display.start(1) + number.end())
        for display in re.finditer(r"\$\$(.*?)\$\$", body, re.DOTALL)
        for number in DECIMAL.finditer(display[1])
        if float(number[0])
    ]
    for _ in range(count if places else 0):
        start, end = places[chance.integers(len(places))]
        old = text[start:end]
        before = text[:start].rstrip()
        if chance.random() < 0.2 and before[-1] in "&({[":
            new = "-" + old
        elif chance.random() < 0.2 and before[-1] == "+":
            start, new = len(before) - 1, "-" + old
        else:
            place = int(chance.choice([k for k, sign in enumerate(old) if sign.isdigit()]))
            new = old[:place] + str((int(old[place]) + chance.integers(1, 10)) % 10) + old[place + 1 :]
        spoiled = text[:start] + new + text[end:]
        opened = spoiled.rindex("$$", 0, start)
        headings = re.findall(r"^#+ .*$", text[:opened], re.MULTILINE)
        display = spoiled[opened : spoiled.index("$$", start) + 2]
        yield "\n\n".join([*headings, display]), f"{old} -> {new} in {display}"


def test_spoiled_numbers_are_caught() -> None:
    """Of 500 spoiled digits and signs in the reports of all built-in problems, at least 99 of 100 are found."""
    names = [name for name in NAMES if solved(name, "full").parts[0].numeric]
    each = -(-500 // (len(names) * len(CARRIES)))
    caught, missed = 0, []
    for name in names:
        for carry in CARRIES:
            for document, what in spoilings(printed(name, carry, "md"), each, NAMES.index(name)):
                if linted(document, name, carry).wrong:
                    caught += 1
                else:
                    missed.append(f"{name}, {carry}: {what}")
    assert caught + len(missed) >= 400
    assert caught >= 0.99 * (caught + len(missed)), "\n".join(missed)

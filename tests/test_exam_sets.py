"""Sets of a thousand variants: solved and checked anew, nothing that was required violated, every key linted."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from derive.cli.lint import Printed
from derive.exam.building.jobs import Wishes, jobs, packed, work
from derive.exam.building.solved import solved
from derive.exam.exam import Exam
from derive.exam.papers import documents
from derive.exam.searching.search import search
from derive.exam.searching.violations import violations
from derive.exam.variant import Variant
from derive.report.render import render
from derive.review.lint import lint_text
from derive.review.lint.scenes import Known
from exams import exam, relu_question, sigmoid_question, variant

COUNT = 1000
EXAMS = {"relu": exam(relu_question()), "sigmoid": exam(sigmoid_question("a"))}


def hold(which: Exam, variants: Sequence[Variant]) -> None:
    """Every variant passes all checks and requirements, and its solution and key survive the linter."""
    (question,) = which.questions
    first = solved(which, variants[0])[question.id]
    for one in variants:
        solutions = solved(which, one)
        solution = solutions[question.id]
        assert solution.checks
        assert all(check.passed for check in solution.checks)
        assert violations(question, solution, first) == ()
        for document in (documents(which, one, solutions, "en")[kind] for kind in ("solution", "key")):
            found = lint_text(render(document, "md").text, markdown=True, scene=Known(solution, Printed()))
            accused = [link.text for link in found.wrong]
            assert accused == [], (one.code, document.name)
            assert found.count("right") > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", EXAMS)
def test_some_of_a_thousand(name: str) -> None:
    """A sample of the set that the nightly run goes through whole."""
    found = search(EXAMS[name], COUNT, 7).variants
    assert len({one.code for one in found}) == COUNT
    assert len({str(one.chosen) for one in found}) == COUNT
    hold(EXAMS[name], found[:: COUNT // 20])


@pytest.mark.nightly
@pytest.mark.parametrize("name", EXAMS)
def test_a_thousand(name: str) -> None:
    """All thousand variants of each question."""
    hold(EXAMS[name], search(EXAMS[name], COUNT, 7).variants)


def test_nothing_is_printed_of_a_variant_that_lacks_what_is_required() -> None:
    """A variant with a ReLU at its kink, however it came about, is a failed check, and there are no files of it."""
    kinked = variant()
    wishes = Wishes(formats=("md",), languages=("en",), held=True)
    (job,) = jobs(EXAMS["relu"], [kinked], wishes)
    outcome = work(packed(job))
    assert outcome.files == {}
    assert outcome.failure is not None
    assert outcome.failure.status == 3
    assert "kink" in outcome.failure.reason

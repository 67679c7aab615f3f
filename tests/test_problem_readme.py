"""The README of the problem room: every example in it is solved, and what it is an example of is in the report."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from derive.problem import problem_from_text
from derive.problem.convention import KEYS as CONVENTIONS
from derive.problem.functions import FUNCTIONS
from derive.problem.questions import QUESTION_KEYS
from derive.problem.quiz import QUIZ_KEYS
from derive.report.compose import compose
from derive.report.document import Heading, Math, Text
from derive.solution import solve

README = (Path(__file__).resolve().parent.parent / "derive" / "problem" / "README.md").read_text(encoding="utf-8")
PARTS = [part.split("\n", 1) for part in README.split("\n## ")[1:]]
EXAMPLES = [(title, text) for title, body in PARTS for text in re.findall(r"```toml\n(.*?)```", body, re.DOTALL)[:1]]
SECTIONS = {
    "Updates": "Update",
    "Training to convergence": "Training to convergence",
    "Loops and families": "The recursion",
    "Second derivatives": "Second derivative of f by w",
    "Forward mode": "Along x",
    "Paths": "Derivative by W_1",
    "Error signals": "Backward pass",
    "How numbers are printed": "Conventions",
    "A prescribed alphabet": "In the letters of the question",
    "From one sample to a batch": "The same for N samples",
    "Difference quotients": "A difference quotient for w_{12}",
    "The computation graph": "The computation graph",
    "Sizes, operations, code": "The same in NumPy",
    "Questions of choice": "Questions and answers",
}


def test_every_key_is_described() -> None:
    """Each further key of [ask] stands in the README, and so does each convention that it adds."""
    wished = ("paths", "graph", "costs", "code", "delta_sign", "index_order", "decimal", "fractions")
    for key in (*QUESTION_KEYS, *QUIZ_KEYS, *wished):
        assert f"`{key} = " in README or f"\n{key} = " in README, key
    assert {"delta_sign", "index_order", "decimal", "fractions"} <= set(CONVENTIONS)


def test_every_function_is_described() -> None:
    """The table of functions names each function of the language, and no other."""
    table = README.split("| Functions | |", 1)[1].split("\n\n", 1)[0]
    named = set(re.findall(r"`(\w+)(?:\(.*?\))?`", table)) - {"axis"}
    assert named == set(FUNCTIONS)


@pytest.mark.parametrize(("title", "text"), EXAMPLES, ids=[title for title, _ in EXAMPLES])
def test_every_example_is_solved(title: str, text: str) -> None:
    """The example reads, passes its checks, and the section that it is about is there."""
    document = compose(solve(problem_from_text(text, "example")))
    headings = [
        "".join(s.latex if isinstance(s, Math) else s.text for s in block.spans if isinstance(s, Math | Text))
        for block in document.blocks
        if isinstance(block, Heading)
    ]
    assert any(heading.endswith(SECTIONS[title]) for heading in headings), headings


def test_the_examples_are_all_found() -> None:
    """One example for each key."""
    assert [title for title, _ in EXAMPLES] == list(SECTIONS)

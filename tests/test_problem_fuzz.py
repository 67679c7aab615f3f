from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import example, given, settings
from hypothesis import strategies as st

from derive.errors import ProblemError
from derive.problem import Problem, problem_from_text
from derive.problem.find import CASES
from derive.problem.language import DEEPEST, children, read_equations
from derive.problem.syntax import Node
from derive.problem.toml import Source

Read = TypeVar("Read")

CASE = (CASES / "case1.toml").read_text(encoding="utf-8")
LOOP = (Path(__file__).parent / "problems" / "rnn-many-to-one.toml").read_text(encoding="utf-8")
PARTS = (CASES / "case2.toml").read_text(encoding="utf-8")

PIECES = st.sampled_from(
    [
        *("x", "W", "y", "=", " = ", "==", "+", "-", "*", "**", "/", "@", ".T", ".", ",", ":", "(", ")", "[", "]"),
        *("{", "}", "\n", " ", "#", "'", '"', "\\", "1", "0.1", "1e9", "9**9", "sum(", "relu(", "softmax(", "axis=0"),
        *("lambda ", "for ", " if ", " else ", "not ", "import ", ":=", "f'", "None", "True", "pi", "...", "0x", "1_0"),
        *("é", "σ", "\x00", "\u2028", "slope=", "reduction=", "max(", "concat(", "np.", "~", "^", "%", ";", "await "),
        *("yield ", "*x", "**x", "<", ">="),
        *(
            "for t in range(1, 4): ",
            "for t in range(2):\n    ",
            "h[t] = ",
            "h[t-1]",
            "x[t]",
            "h[1]",
            "\n    ",
            "t",
            "range(",
        ),
    ]
)


def _depth(node: Node) -> int:
    return 1 + max((_depth(child) for child in children(node)), default=0)


def _attempt(read: Callable[[], Read]) -> Read | ProblemError:
    """What was read, or the error, which is one line. Any other exception fails the test."""
    try:
        return read()
    except ProblemError as error:
        message = error
    assert "\n" not in str(message)
    return message


@given(st.one_of(st.lists(PIECES, max_size=40).map("".join), st.text(max_size=80)))
@settings(max_examples=400, deadline=None)
def test_any_text_is_equations_or_one_message(text: str) -> None:
    """The equation language raises nothing but `ProblemError` with a line, and its trees are as flat as it says."""
    found = _attempt(lambda: read_equations(text))
    if isinstance(found, ProblemError):
        assert found.line is not None
        assert 1 <= found.line <= text.count("\n") + 1
    else:
        assert all(_depth(statement.expression) <= DEEPEST + 1 for statement in found)


@given(st.integers(0, len(CASE)), st.integers(0, 60), st.one_of(st.text(max_size=20), PIECES))
@settings(max_examples=120, deadline=None)
@example(0, 0, "[" * 3000)
@example(0, 0, "a" + ".a" * 5000 + " = 1\n")
@example(0, 0, "a = '''")
def test_a_damaged_file_is_a_problem_or_one_message(at: int, length: int, patch: str) -> None:
    """A problem file with any piece of it replaced raises nothing but `ProblemError`."""
    for case in (CASE, PARTS, LOOP):
        _attempt(lambda case=case: problem_from_text(case[:at] + patch + case[at + length :]))  # type: ignore[misc]


@given(st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=30).map("".join)))
@settings(max_examples=200, deadline=None)
def test_any_text_is_toml_or_one_message(text: str) -> None:
    """Whatever tomllib accepts is read to the same tables, each key with a line of the text; the rest is an error."""
    source = _attempt(lambda: Source(text))
    if isinstance(source, ProblemError):
        assert source.line is not None
        return
    for path, line in source.key_lines():
        assert 1 <= line <= text.count("\n") + 1
        value: Any = source.tables
        for key in path:
            value = value[key]


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.binary(max_size=3), st.just("x")
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["x", "en", "rate", "of", "at", "value", "file", "array", "name"]), inner),
    ),
    max_leaves=8,
)


@given(st.sampled_from([CASE, PARTS, LOOP]), st.data(), VALUES)
@settings(max_examples=150, deadline=None)
def test_any_value_anywhere_is_read_or_one_message(case: str, data: st.DataObject, value: object) -> None:
    """Whatever Python value stands at whatever key, `from_equations` gives a problem or a `ProblemError`."""
    tables: dict[str, Any] = tomllib.loads(case)
    tables.pop("format", None)
    tables["parts"] = tables.pop("part", None)
    key = data.draw(st.sampled_from(sorted(tables)))
    if isinstance(tables[key], dict) and data.draw(st.booleans()):
        at = tables[key]
        key = data.draw(st.sampled_from([*sorted(at), "update", "upstream", "show", "significant", "q"]))
        at[key] = value
    else:
        tables[key] = value
    _attempt(lambda: Problem.from_equations(**tables, folder=Path("/nowhere")))

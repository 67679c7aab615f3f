"""Updates as they are printed: every line of every rule reads back, and a spoiled one is seen."""

from __future__ import annotations

import numpy as np
import pytest

from derive.numbers import arrays
from derive.problem import problem_from_text, read_problem
from derive.problem.write import problem_to_toml
from derive.report.compose import compose
from derive.report.document import Heading, Table
from derive.report.plain import plain
from derive.solution import CheckFailed, rules, solve
from readback import Report
from readback_document import Books, check_row, read_document
from readback_rows import Row, rows_of
from readback_tokens import tokens
from update_rules import HERE, RULES, layer

# ── what is printed ─────────────────────────────────────────────────────────────────────────────────────────────

PRINTED = [
    *(f"{rule}, steps = 2" for rule in RULES),
    'rule = "adamw", over = ["x", "y"], batch = 2',
    'rule = "nesterov", over = ["x", "y"], batch = 2',
    'rule = "nesterov", steps = 2, state = { v = { W = [[1, 2], [3, 4]], b = [0.5, 1] } }',
    'rule = "nesterov", decay = 0.1, over = ["x", "y"], batch = 2, order = [2, 1, 0]',
    'rule = "adam", with = { W = [[1, 2], [3, 4]], b = [0.5, -1] }, decay = { W = 0.1 }',
    'rule = "rmsprop", t = 3, state = { s = { W = [[1, 2], [3, 4]], b = [0.5, 1] } }',
]


@pytest.mark.parametrize(
    ("update", "convention"),
    list(
        zip(
            PRINTED,
            ["", 'carry = "displayed"\nstyle = ["matrix"]', 'layout = "numerator"', "significant = 3"] * 4,
            strict=False,
        )
    ),
)
def test_every_line_of_every_rule_reads_back(update: str, convention: str) -> None:
    """Each number of each update, put in and come out, is the certified one, in every convention."""
    solution = solve(layer(update, f"[convention]\n{convention}"))
    report = read_document(compose(solution), solution)
    assert not report.of("wrong", "slip"), "\n".join(map(str, report.of("wrong", "slip")))
    assert report.links > 20


def test_a_spoiled_update_is_seen() -> None:
    """In the lines of an update every changed digit of a result, and each old value put for a new one, is found."""
    solution = solve(read_problem(HERE / "problems" / "nesterov-valley.toml"))
    rows = [row for row in rows_of(compose(solution), solution) if hasattr(row.part, "stage")]
    assert len(rows) > 20
    for row in rows:
        *front, last = tokens(row.text)
        if not last[-1].isdigit():
            continue
        spoiled = last[:-1] + str((int(last[-1]) + 5) % 10)
        report = Report()
        check_row(Row(row.part, row.left, " ".join([*front, spoiled])), Books(), report)
        assert report.of("wrong", "slip"), row.text


def test_later_updates_are_worked_in_numbers() -> None:
    """Of a few small updates each has its section, and says whose parameters it uses; of many there is a table."""
    solution = solve(read_problem(HERE / "problems" / "sgd-sample-by-sample.toml"))
    document = compose(solution)
    text = plain(document)
    titles = [plain_title(block) for block in document.blocks if isinstance(block, Heading)]
    assert [title for title in titles if title.startswith("Update")] == [
        f"Update {k + 1}: pass {k // 3 + 1}, row {k % 3 + 1}" for k in range(6)
    ]
    assert "taken at the parameters that update 5 left" in text
    tables = [block for block in document.blocks if isinstance(block, Table)]
    assert [len(table.rows) for table in tables][-3:-1] == [6, 3]
    many = solve(layer('rule = "momentum", steps = 9')).part()
    assert many.history is not None
    titles = [
        plain_title(b) for b in compose(solve(layer('rule = "momentum", steps = 9'))).blocks if isinstance(b, Heading)
    ]
    assert [title for title in titles if title.startswith("Update")] == ["Update 1"]


def plain_title(heading: Heading) -> str:
    """The words of a heading."""
    return "".join(getattr(span, "text", "") for span in heading.spans)


def test_the_question_sheet_says_what_the_rule_needs() -> None:
    """Without the constants, the state and the order of the samples nobody could do the exercise."""
    asked = 'rule = "momentum", mu = 0.7, decay = 0.1, over = ["x", "y"], order = [2, 0, 1]'
    text = plain(compose(solve(layer(asked)), questions=True))
    for words in ("0.7", "0.1", "momentum", "order 3, 1, 2", "one row of"):
        assert words in text
    given = compose(solve(read_problem(HERE / "problems" / "rmsprop-given-gradients.toml")), questions=True)
    [*_, table] = (block for block in given.blocks if isinstance(block, Table))
    assert len(table.rows) == 3
    assert "-0.05" in str(table.rows[2])


def test_a_spoiled_rule_fails_its_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule without its bias correction disagrees with the second engine's."""
    right = rules.lines
    monkeypatch.setattr(rules, "lines", lambda update, name, g, shape, t: right(update, name, g, shape, t + 1))
    with pytest.raises(CheckFailed, match="W, entry 1"):
        solve(layer('rule = "adam"'))


@pytest.mark.parametrize("update", PRINTED[-4:])
def test_a_problem_with_a_rule_is_written_as_it_was_read(update: str) -> None:
    """The file that is written reads as the same problem; the writer itself sees to that."""
    assert "rule" in problem_to_toml(layer(update))


def test_training_goes_on_with_the_rule() -> None:
    """The worked update is the first of the training run, whatever its rule."""
    text = 'equations = "E = (w - 1) ** 4 / 4"\nparameters = { w = 3 }\n'
    text += 'ask = { update = { rate = 0.1, rule = "adam" }, train = { at_most = 50, until = "E < 1e-9" } }'
    run = solve(problem_from_text(text, name="p")).part().convergence
    assert run is not None
    w, m, v = 3.0, 0.0, 0.0
    for t in range(1, 51):
        g = (w - 1) ** 3
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        w -= 0.1 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    assert run.parameters["w"].item() == pytest.approx(w, rel=1e-9)


def test_numbers_in_flat_lists_are_one_to_a_sample() -> None:
    """Class numbers and rows of a table, both as flat lists: each update sees its own, as NumPy does."""
    text = '''equations = """
Y = one_hot(y, 3)
z = embedding(T, k) @ W
E = -sum(Y * log(softmax(z)))
"""
given = { y = [0, 2, 1], k = [1, 0, 1] }
parameters = { T = [[0.1, 0.2], [0.3, -0.1]], W = [[0.1, -0.2, 0.3], [0.4, 0.5, 0.1]] }
ask = { gradients = [], update = { rate = 0.5, over = ["y", "k"] } }'''
    found = solve(problem_from_text(text, name="p")).part()
    table, w = np.array([[0.1, 0.2], [0.3, -0.1]]), np.array([[0.1, -0.2, 0.3], [0.4, 0.5, 0.1]])
    for label, row in ((0, 1), (2, 0), (1, 1)):
        e = np.exp(table[[row]] @ w)
        g = e / e.sum() - np.eye(3)[[label]]
        down = np.zeros_like(table)
        down[[row]] = g @ w.T
        table, w = table - 0.5 * down, w - 0.5 * table[[row]].T @ g
    assert found.history is not None
    assert np.allclose(arrays.to_floats(found.history.runs[1].value("T")), table, rtol=1e-12)
    assert np.allclose(arrays.to_floats(found.history.runs[1].value("W")), w, rtol=1e-12)


def test_each_part_may_have_a_rule_of_its_own() -> None:
    """Rules and samples come with the parts; what is read back knows in which part it stands."""
    text = """equations = "E = sum((x * w - t) ** 2) / 2"
given = { t = [[1], [2]] }
parameters = { w = 0.5 }
[[part]]
name = "a"
given = { x = [[1], [2]] }
ask = { update = { rate = 0.1, rule = "momentum", steps = 2 } }
[[part]]
name = "b"
given = { x = [[2], [1]] }
ask = { gradients = [], update = { rate = 0.1, over = ["x", "t"] } }
"""
    solution = solve(problem_from_text(text, name="p"))
    a, b = (part.history for part in solution.parts)
    assert a is not None
    assert b is not None
    # The gradient is 5 (w - 1): v = -2.5 and w = 0.75, then v = 0.9 (-2.5) - 1.25 = -3.5 and w = 0.75 + 0.35.
    assert str(a.runs[2].value("w").item()) == "11/10"
    assert len(b.moves) == 2
    report = read_document(compose(solution), solution)
    assert not report.of("wrong", "slip"), "\n".join(map(str, report.of("wrong", "slip")))


def test_constants_stand_as_they_were_given() -> None:
    """With two decimals 0.999 would read 1.00, and 1 - 1.00 would divide by zero."""
    solution = solve(layer('rule = "adam"', "[convention]\ndigits = 2"))
    text = " ".join(row.text for row in rows_of(compose(solution), solution))
    assert "1 - 0.999^1" in text
    assert r"\epsilon" in text
    report = read_document(compose(solution), solution)
    assert not report.of("wrong", "slip"), "\n".join(map(str, report.of("wrong", "slip")))


def test_a_gradient_that_is_zero_by_cancellation_moves_nothing() -> None:
    """One bias for all classes of a softmax: its gradient is zero, by sums of balls that never say so; b stays."""
    text = '''equations = """
z = x @ W + b
E = cross_entropy(z, y)
"""
given = { x = [[1, -2], [0.5, 3], [2, 1]], y = [0, 2, 1] }
parameters = { W = [[0.1, -0.2, 0.3], [0.4, 0.5, -0.1]], b = 0.1 }
ask = { gradients = [], update = { rate = 0.1, rule = "rmsprop", over = ["x", "y"], steps = 2 } }'''
    part = solve(problem_from_text(text, name="p")).part()
    assert part.history is not None
    [printed] = part.history.runs[-1].shown("b", part.rounding)
    assert getattr(printed, "text", "") == "0.1000"

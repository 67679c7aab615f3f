"""Training to convergence: what is read, which rule stops a run, that the run is held to the worked update."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from subprocess import CompletedProcess

import numpy as np
import pytest

import derive
from derive.errors import ProblemError
from derive.problem import problem_from_text
from derive.problem.problem import Problem
from derive.report.compose import compose
from derive.report.document import Figure, Table
from derive.report.figures.chart import Curve, chart
from derive.report.plain import plain
from derive.report.scene import Label, Line, Polyline
from derive.solution import CheckFailed, Part, solve
from derive.solution.checks import Witness
from derive.solution.convergence import Convergence


def quartic(ask: str, start: str = "3") -> Problem:
    """E = (w - 1)^4 / 4 with something asked of it."""
    return problem_from_text(
        f'equations = "E = (w - 1) ** 4 / 4"\n[parameters]\nw = {start}\n[ask]\n{ask}', name="quartic"
    )


def run_of(problem: Problem) -> Convergence:
    """The training run of a problem without parts."""
    found = solve(problem).part().convergence
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("ask", "stopped"),
    [
        ('train = { rate = 0.05, until = "E < 0.01" }', "loss"),
        ('train = { rate = 0.05, until = "settled", tolerance = 1e-4 }', "settled"),
        ('train = { rate = 0.05, until = "E<1e-30", at_most = 20 }', "at_most"),
        ("train = { rate = 10 }", "diverged"),
        ("update = { rate = 0.05, steps = 300 }\ntrain = true", "settled"),
    ],
)
def test_each_rule_stops_a_run_where_it_holds_for_the_first_time(ask: str, stopped: str) -> None:
    """The run ends with the first update at which its rule holds, as counted with plain Python numbers."""
    run = run_of(quartic(ask))
    assert run.stopped == stopped
    w, losses = 3.0, [4.0]
    while len(losses) < len(run.losses):
        w -= float(run.train.rates["w"].p) / float(run.train.rates["w"].q) * (w - 1) ** 3
        losses.append((w - 1) ** 4 / 4)
    assert np.allclose(run.losses, losses, rtol=1e-9)
    if stopped == "loss":
        assert losses[-1] < 0.01 <= losses[-2]
    if stopped == "at_most":
        assert run.updates == 20
    if stopped == "settled":
        tolerance = float(run.train.tolerance.p) / float(run.train.tolerance.q)  # type: ignore[union-attr]
        quiet = [run.change(k) <= tolerance and run.moves[k - 1] <= tolerance for k in range(1, run.updates + 1)]
        assert quiet.index(True) + 1 == run.updates
    if stopped == "diverged":
        assert all(map(np.isfinite, run.losses))
        with pytest.raises(OverflowError):
            _ = (w - 10 * (w - 1) ** 3 - 1) ** 4


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        ('train = { rate = 1, until = "F < 0.01" }', "until speaks of F, and the loss is E"),
        ('train = { rate = 1, until = "E < 1 + 1" }', "expected is"),
        ('train = { rate = 1, until = "E > 1" }', "expected is"),
        ('train = { rate = 1, until = "E < __import__" }', "is not a number"),
        ('train = { rate = 1, until = "E < nan" }', "is not a number"),
        ('train = { rate = 1, until = "setled" }', "expected is"),
        ("train = { rate = 1, until = 1 }", "until is the number 1"),
        ("train = { rate = 1, at_most = 0 }", "at_most is the number 0"),
        ("train = { rate = 1, at_most = 1000001 }", "from 1 to 1000000"),
        ("train = { rate = 1, tolerance = 1 }", "tolerance is 1"),
        ("train = { rate = 1, tolerance = -1 }", "tolerance is -1"),
        ("train = { rate = 1, unti = 1 }", "unknown key unti"),
        ("train = { rate = { v = 1 } }", "rate names no parameter"),
        ("train = { rate = 0 }", "no rate but 0"),
        ("train = {}", "train has no rate"),
        ("train = true", "train has no rate"),
        ("train = 3", "expected is a table"),
        ("update = { rate = 1 }\ntrain = { rate = 2 }", "another rate than update"),
        ('update = { rate = 1 }\ntrain = { symbol = "alpha" }', "another symbol than update"),
        ("update = { rate = 1 }\ntrain = { rest = 2 }", "rest without rate"),
        ('train = { rate = 1 }\nupstream = { of = "J", at = "E" }', "a loss of its own"),
    ],
)
def test_a_wrong_wish_is_one_message_with_its_line(ask: str, message: str) -> None:
    """What cannot be meant is refused at the line where it stands; nothing is ever worked out from ``until``."""
    with pytest.raises(ProblemError) as caught:
        quartic(ask)
    assert message in str(caught.value)
    assert caught.value.line in (5, 6)


def test_training_needs_numbers_and_parameters() -> None:
    """Without numbers, and without anything that moves, there is nothing to train."""
    with pytest.raises(ProblemError, match="nothing to move"):
        problem_from_text('equations = "E = x ** 2"\ngiven = { x = 1 }\nask = { train = { rate = 1 } }', name="p")
    text = 'equations = "E = (w * x) ** 2"\nshapes = { x = [1, 1] }\nparameters = { w = 1 }\nask = { train = { rate = 1 } }'
    with pytest.raises(ProblemError, match="train needs numbers"):
        solve(problem_from_text(text, name="p"))


def test_the_first_iteration_is_held_to_the_certified_update() -> None:
    """A run whose first state is off by a part in a million does not pass; the true one does."""
    part: Part = solve(quartic("train = { rate = 0.05, at_most = 3 }")).part()
    run, witness = part.convergence, Witness(part)
    assert run is not None
    assert run.first is not None
    assert {check.of for check in witness.first_iteration(run)} == {"w", "E"}
    with pytest.raises(CheckFailed, match="first iteration"):
        list(witness.first_iteration(replace(run, first={"w": run.first["w"] * (1 + 1e-6)})))
    with pytest.raises(CheckFailed, match="first iteration"):
        list(witness.first_iteration(replace(run, losses=(run.losses[0], run.losses[1] * 1.000001))))


def test_case1_from_python_and_its_report() -> None:
    """Training asked for in Python, with the problem's own rate: the figures of the run stand in report and JSON."""
    solution = derive.solve("case1", train={"until": "E < 0.01"})
    run = solution.core.part().convergence
    assert run is not None
    assert (run.stopped, run.updates) == ("loss", 1370)
    document = compose(solution.core)
    assert any(isinstance(block, Figure) and "1370 updates" in block.alternative for block in document.blocks)
    assert any(isinstance(block, Table) and len(block.rows) == 12 and len(block.head) == 4 for block in document.blocks)
    assert "After 1,370 updates the loss is small enough" in plain(document)
    [part] = solution.json()["parts"]
    assert part["history"][1] == {"step": 1, "loss": part["history"][1]["loss"]}  # the worked update stays certified
    assert part["training"]["stopped"] == "loss"
    assert all(entry["certified"] is False for entry in part["training"]["history"])
    assert part["training"]["history"][-1]["step"] == 1370
    assert all(len(entry["loss"].replace(".", "").lstrip("0")) <= 10 for entry in part["training"]["history"])


def test_training_on_the_command_line(run: Callable[..., CompletedProcess[bytes]]) -> None:
    """``--train`` with its two options; what makes no sense is exit status 2."""
    done = run("case1", "--train", "--at-most", "3", "--json")
    assert done.returncode == 0, done.stderr.decode()
    assert json.loads(done.stdout)["parts"][0]["training"]["stopped"] == "at_most"
    for words in (["--until", "settled"], ["--train", "--until", "o < 1"], ["--train", "--at-most", "0"]):
        assert run("case1", *words).returncode == 2


def test_a_problem_without_an_update_is_not_trained() -> None:
    """There is no rate to take, so the message says what to write."""
    with pytest.raises(ProblemError, match="no update and no training"):
        derive.solve("case2", train=True)


def test_from_python_a_wish_that_is_no_table_is_refused() -> None:
    """The same messages as for a file, without a traceback."""
    for wish in (3, None, "settled", {"unti": "settled"}, {"until": ["E < 1"]}):
        with pytest.raises(ProblemError, match=r"expected is|unknown key"):
            derive.solve("case1", train=wish)  # type: ignore[arg-type]


def test_a_trained_file_can_be_overridden() -> None:
    """What is said from outside goes before what the file says, which goes before what nobody said."""
    problem = quartic('update = { rate = 0.05 }\ntrain = { until = "E < 1", at_most = 7 }')
    plainly, shorter, other = (
        derive.solve(problem, train=wish).problem.ask.train for wish in (True, {"at_most": 3}, {"until": "settled"})
    )
    assert plainly == problem.ask.train
    assert shorter == replace(problem.ask.train, at_most=3)  # type: ignore[type-var]
    assert (other.below, other.at_most) == (None, 7)  # type: ignore[union-attr]


def test_a_chart_keeps_its_marks_inside_and_its_peaks() -> None:
    """Every line and label lies within the scene, and a single peak among a hundred thousand points is drawn."""
    points = tuple((float(k), 1e-3 if k != 70_001 else 5.0) for k in range(100_000))
    scene = chart([Curve(points, "loss", "a"), Curve(points[:3], "input", "b", dots=True)], "x", "y")
    assert scene is not None
    lines = [mark for mark in scene.marks if isinstance(mark, Line)]
    labels = [mark for mark in scene.marks if isinstance(mark, Label)]
    ways = [mark for mark in scene.marks if isinstance(mark, Polyline)]
    ends = [end for line in lines for end in ((line.x1, line.y1), (line.x2, line.y2))]
    assert all(
        0 <= x <= scene.width and 0 <= y <= scene.height for x, y in ends + [p for way in ways for p in way.points]
    )
    assert all(mark.x - mark.width / 2 >= 0 and mark.x + mark.width / 2 <= scene.width for mark in labels)
    highest = max(y for way in ways if way.role == "loss" for _, y in way.points)
    top = max(line.y1 for line in lines if line.role == "grid")
    assert highest > 0.8 * top
    assert sum(len(way.points) for way in ways) < 500
    assert chart([Curve(((0.0, -1.7e308), (1.0, 1.7e308)), "loss")], "x", "y") is None

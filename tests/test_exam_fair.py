"""What is too easy to be paid, and what is honest work all the same: students whose marks were disputed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from flint import fmpq

import exams
from derive.exam.exam import Question
from derive.exam.marking.bench import Bench, Entry
from derive.exam.marking.given import Given, read_given
from derive.exam.marking.judge import Marked, judge
from derive.problem.problem import Problem
from derive.review.mutants import mutants
from derive.solution import solve

POINTS = {"z": 2, "h": 1, "y": 1, "E": 1, "dE/dW2": 2, "dE/dz": 2, "dE/dW1": 2, "W2@1": 1}
PAPERS = {
    # y - t is 1 for who has z = (1, 2, 1), and so dE/dW2 = h^T (y - t) has the numbers of z
    "first": {
        "x": "2 -1", "t": "-3", "W1": "-1 1 1; -1 -0.5 0", "b1": "0 1 0.5", "W2": "2; -1; -1", "b2": "-1",
    },
    # only the first of the three units is on
    "second": {
        "x": "-2 1", "t": "-3", "W1": "-0.5 0 1; 0 -1 0", "b1": "-0.5 -0.5 1", "W2": "1; -1; -2", "b2": "0.5",
    },
    # z = (-1, 0.5, 0.5)
    "third": {
        "x": "1 1", "t": "-2", "W1": "-1 -0.5 -0.5; -0.5 1 0", "b1": "0.5 0 1", "W2": "2; -2; 1", "b2": "-0.5",
    },
}  # fmt: skip


@cache
def bench(paper: str) -> Bench:
    """The 2-3-1 network with ReLU and half the squared error, with the numbers of one paper."""
    rows = {name: [row.split() for row in text.split(";")] for name, text in PAPERS[paper].items()}
    problem = Problem.from_equations(
        exams.RELU,
        given={name: rows[name] for name in ("x", "t")},
        parameters={name: rows[name] for name in ("W1", "b1", "W2", "b2")},
        ask={"gradients": ["W1", "b1", "W2", "b2", "h", "z"], "update": {"rate": "0.2", "symbol": "alpha"}},
        name=paper,
    )
    steps = {quantity: fmpq(points) for quantity, points in POINTS.items()}
    return Bench(Question("a", problem, fmpq(sum(POINTS.values())), steps), solve(problem))


def marked(paper: str, answers: Mapping[str, str]) -> Marked:
    """A question marked: what is not answered is empty."""
    on = bench(paper)
    given: dict[Entry, Given | None] = {}
    for quantity, text in answers.items():
        for answer, word in zip(on.quantities[quantity], text.split(), strict=True):
            given[quantity, answer.index] = read_given(word)
    return judge(on, given)


def unpaid(found: Marked) -> list[tuple[str, tuple[int, ...]]]:
    return [(one.quantity, one.index) for one in found.entries if one.points != one.of]


def verdicts(found: Marked, quantity: str) -> list[str]:
    return [one.verdict for one in found.entries if one.quantity == quantity]


# ── copied ──────────────────────────────────────────────────────────────────────────────────────────────────────

OWN_LATER = {
    "z": "1 2 1", "h": "1 2 1", "y": "-2", "E": "0.5", "dE/dW2": "1 2 1", "dE/dz": "2 -1 -1",
    "dE/dW1": "4 -2 -2 -2 1 1", "W2@1": "1.8 -1.4 -1.2",
}  # fmt: skip


def test_the_numbers_of_later_work_are_no_copies() -> None:
    """z = (1, 2, 1) is wrong, and is dE/dW2 because y - t is 1: z is lost and everything that follows is paid."""
    found = marked("first", OWN_LATER)
    assert {quantity for quantity, _ in unpaid(found)} == {"z"}
    assert {one.flag for one in found.entries} == {None}


def test_a_row_copied_from_elsewhere_is_flagged() -> None:
    """dE/dz with the numbers of W2, which is not what it comes from, and dE/dW1 made of them: neither is paid."""
    found = marked("first", {"z": "-1 3.5 2.5", "dE/dz": "2 -1 -1", "dE/dW1": "4 -2 -2 -2 1 1"})
    assert {one.flag for one in found.entries if one.quantity == "dE/dz"} == {"copied"}
    assert set(verdicts(found, "dE/dW1")) == {"degenerate"}


def test_small_numbers_that_stand_in_the_data_are_no_copies() -> None:
    """(1, 0) for z is t, and is a sum with a slip: p and what comes after are paid."""
    problem = Problem.from_equations(
        exams.SIGMOID,
        given={"x": [-2, 2, -2], "t": [[1, 0]]},
        parameters={"W": [["-0.5", "-0.75"], ["0", "-0.5"], ["0", "0.5"]], "b": [["0", "0"]]},
        ask={"gradients": ["W", "b", "z"]},
    )
    on = Bench(Question("b", problem, fmpq(2), {"z": fmpq(1), "p": fmpq(1)}), solve(problem))
    given = {("z", (1, 1)): "1", ("z", (1, 2)): "0", ("p", (1, 1)): "0.7311", ("p", (1, 2)): "0.5"}
    found = judge(on, {entry: read_given(text) for entry, text in given.items()})
    assert verdicts(found, "z") == ["right", "wrong"]
    assert verdicts(found, "p") == ["right", "follows"]


# ── slips that nobody can have made ─────────────────────────────────────────────────────────────────────────────


def test_no_slip_works_a_value_out_from_itself() -> None:
    """h = (5, 6, 7) from nowhere: relu(h) in the place of relu(z) would explain it, as it would any numbers."""
    found = marked("first", {"h": "5 6 7", "y": "-4", "E": "0.5"})
    [slip] = found.slips
    assert (slip.quantity, slip.alternatives) == ("h", ())


def test_no_formula_with_a_slip_rests_on_its_own_value() -> None:
    """Neither on the name itself, nor on what is worked out from it, however far away."""
    simulation = bench("first").simulation
    for name in simulation.equations:
        rests = {name}
        for other, value in simulation.equations.items():
            rests |= {other} if rests & set(value.names()) else set()
        for slip in mutants(simulation, frozenset([name])):
            for changed, wrong in slip.change.formulas:
                assert changed != name or not rests & set(wrong.names()), slip


# ── zeros ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_unit_that_a_slip_has_put_out_is_paid_all_the_way() -> None:
    """z = -0.5 where 0.5 is right puts the only active unit out: only this entry of z is lost."""
    found = marked(
        "second",
        {
            "z": "-0.5 -1.5 -1", "h": "0 0 0", "y": "0.5", "E": "6.125", "dE/dW2": "0 0 0", "dE/dz": "0 0 0",
            "dE/dW1": "0 0 0 0 0 0", "W2@1": "1 -1 -2",
        },
    )  # fmt: skip
    assert unpaid(found) == [("z", (1, 1))]


def test_a_layer_that_is_put_out_altogether_leaves_no_work() -> None:
    """z = (-1, -2, -3), where two units should be on: of the gradients nothing is paid but what is right."""
    answers = {"z": "-1 -2 -3", "h": "0 0 0", "y": "-1", "E": "2", "dE/dW2": "0 0 0", "dE/dz": "0 0 0"}
    found = marked("first", answers)
    assert verdicts(found, "dE/dW2") == verdicts(found, "dE/dz") == ["right", "degenerate", "degenerate"]


def test_an_output_that_happens_to_be_zero_is_a_number_like_any_other() -> None:
    """z = (-1, 0.5, 1.5), wrong at its end alone, makes y = 0: E and the gradients follow, and are paid."""
    found = marked(
        "third",
        {
            "z": "-1 0.5 1.5", "h": "0 0.5 1.5", "y": "0", "E": "2", "dE/dW2": "0 1 3", "dE/dz": "0 -4 2",
            "dE/dW1": "0 -4 2 0 -4 2", "W2@1": "2 -2.2 0.4",
        },
    )  # fmt: skip
    assert unpaid(found) == [("z", (1, 3))]


def test_zeros_from_zeros_are_not_paid() -> None:
    """z = (1, 0, 0): what is 0 only because of these zeros earns nothing, however far behind them it stands."""
    found = marked(
        "first",
        {
            "z": "1 0 0", "h": "1 0 0", "y": "1", "E": "8", "dE/dW2": "4 0 0", "dE/dz": "8 0 0",
            "dE/dW1": "16 0 0 -8 0 0", "W2@1": "1.2 -1 -1",
        },
    )  # fmt: skip
    for quantity in ("h", "dE/dW2", "dE/dz", "dE/dW1"):
        for one in found.entries:
            if one.quantity == quantity and one.given is not None and one.given.value == 0:
                assert one.points == 0, one
    assert verdicts(found, "y") == ["follows"]


def test_zeros_everywhere_earn_nothing() -> None:
    """Where the right value is 0 here and there, who writes zeros everywhere has not worked it out."""
    for paper in PAPERS:
        on = bench(paper)
        found = marked(paper, {quantity: " ".join(["0"] * len(right)) for quantity, right in on.quantities.items()})
        assert any(value == 0 for value in on.middle.values())
        assert found.points == 0
        lucky = [one for one in found.entries if on.middle[one.quantity, one.index] == 0]
        assert {(one.verdict, one.flag) for one in lucky} == {("degenerate", "constant")}


def test_one_number_that_is_right_twice_is_no_constant() -> None:
    """dE/dW2 = (1, 1, 1) with one slip in it: one entry is lost there, and what follows from it is paid."""
    found = marked("first", {**OWN_LATER, "dE/dW2": "1 1 1", "W2@1": "1.8 -1.2 -1.2"})
    assert {one.flag for one in found.entries} == {None}
    assert set(verdicts(found, "W2@1")) == {"follows"}


def test_a_zero_is_not_reached_past_a_wrong_number() -> None:
    """z = -1 is written for a unit that is on, then 2 for h, and 0 for its gradient: dE/dW2 needs h as it stands."""
    past = {"z": "-1 -2 2.5", "h": "0 2 2.5", "y": "-5.5", "E": "3.125", "dE/dW2": "0 0 -6.25"}
    assert verdicts(marked("first", past), "dE/dW2") == ["right", "wrong", "follows"]
    followed = {**past, "dE/dW2": "0 -5 -6.25"}
    assert verdicts(marked("first", followed), "dE/dW2") == ["right", "follows", "follows"]

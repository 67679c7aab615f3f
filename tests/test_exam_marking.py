"""Marking with follow-through: students made up in plain NumPy get what they have earned, and nothing besides."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from functools import cache

import numpy as np
import numpy.typing as npt
import pytest
from flint import fmpq

import exams
from derive.exam.building.solved import solved
from derive.exam.exam import Question
from derive.exam.marking.bench import Bench, Entry
from derive.exam.marking.given import Given, read_given
from derive.exam.marking.judge import Judged, Marked, judge
from derive.exam.tolerance import ONE_UNIT, Tolerance
from derive.problem import problem_from_text
from derive.solution import solve
from marked_students import Student, follows, idle, is_right, made_up, names_of
from slip_networks import NETWORKS, Network, work

STUDENTS = 500
SEED = 1
IDLE = ("random", "zeros", "constant", "copied", "huge", "digits")


def quantity_of(network: Network, name: str) -> str:
    """``d_W`` of the plain lines is ``dE/dW``."""
    return f"d{network.loss}/d{name[2:]}" if name.startswith("d_") else name


@cache
def bench(network: Network, asked: tuple[str, ...] | None = None) -> Bench:
    """A question that asks for every line of a network, or for some."""
    problem = problem_from_text(network.problem(), network.name)
    steps = {quantity_of(network, name): fmpq(1) for name in names_of(network) if asked is None or name in asked}
    return Bench(Question("q", problem, fmpq(len(steps)), steps), solve(problem))


def handed_in(one: Student, on: Bench) -> dict[Entry, Given | None]:
    """A student's values as they stand on paper, to four places."""
    found: dict[Entry, Given | None] = {}
    for name, value in one.values.items():
        quantity = quantity_of(one.network, name)
        for number, answer in zip(np.ravel(value), on.quantities.get(quantity, ()), strict=False):
            found[quantity, answer.index] = read_given(f"{number + 0.0:.4f}")
    return found


def entries(marked: Marked, quantity: str) -> list[Judged]:
    return [one for one in marked.entries if one.quantity == quantity]


def worth(one: Student) -> dict[str, npt.NDArray[np.bool_]]:
    """For each line, entry by entry, whether a value is right or follows, by plain NumPy."""
    right = work(one.network, {})
    return {name: np.ravel(follows(one, right, name) | is_right(one, right, name)) for name in names_of(one.network)}


def unearned(one: Student, marked: Marked, deserved: Mapping[str, npt.NDArray[np.bool_]]) -> list[str]:
    """The lines in which points are given for a value that neither is right nor follows."""
    found = []
    for name in names_of(one.network):
        paid = np.array([entry.points > 0 for entry in entries(marked, quantity_of(one.network, name))])
        found += [name] if (paid & ~deserved[name]).any() else []
    return found


# ── the bar ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
def test_five_hundred_students_with_slips() -> None:
    """0 to 3 slips, displayed values or full digits carried: everything after a slip that follows is paid in full.

    The slip is located for at least 95 of 100, and nothing is paid that neither is right nor follows.
    """
    located, slipped, wrongly, lost, numbers = 0, 0, [], [], [0, 0, 0, 0]
    spent = 0.0
    for one in made_up(NETWORKS, STUDENTS, SEED):
        on, deserved = bench(one.network), worth(one)
        before = time.perf_counter()
        marked = judge(on, handed_in(one, on))
        spent += time.perf_counter() - before
        numbers[len(one.slips)] += 1
        wrongly += [(one.network.name, one.slips, name) for name in unearned(one, marked, deserved)]
        own = {slip.name for slip in one.slips if slip.line}
        for name in names_of(one.network):
            here = entries(marked, quantity_of(one.network, name))
            if name not in own and not any(slip.order for slip in one.slips):
                lost += [(one.network.name, one.slips, name) for entry in here if entry.points != entry.of]
        first = [quantity_of(one.network, name) for name in names_of(one.network) if not deserved[name].all()]
        slipped += bool(first)
        located += bool(first) and bool(marked.slips) and marked.slips[0].quantity == first[0]
    assert numbers == [STUDENTS // 4] * 4
    assert wrongly == []
    assert lost == []
    assert slipped > STUDENTS / 2
    assert located >= 0.95 * slipped
    assert spent / STUDENTS < 0.2  # seconds; 0.01 to 0.02 where nothing else runs


@pytest.mark.slow
def test_the_slip_is_named() -> None:
    """The first wrong quantity has an explanation that is a slip of its own formula, for at least 95 of 100."""
    named, total = 0, 0
    for one in made_up(NETWORKS, STUDENTS // 5, SEED + 1):
        marked = judge(bench(one.network), handed_in(one, bench(one.network)))
        if marked.slips and all(slip.line for slip in one.slips):
            first = marked.slips[0]
            total += 1
            named += any(why.quantity in (first.quantity, "") for why in first.alternatives)
    assert total > 20
    assert named >= 0.95 * total


@pytest.mark.slow
@pytest.mark.parametrize("kind", IDLE)
def test_no_points_without_work(kind: str) -> None:
    """Numbers at random, zeros, copies, huge ones, spoilt digits: only what is right or follows earns anything."""
    for seed, network in enumerate(NETWORKS):
        one = idle(network, kind, seed)
        marked = judge(bench(network), handed_in(one, bench(network)))
        assert unearned(one, marked, worth(one)) == [], network.name
        if kind in ("zeros", "constant", "huge"):
            right = work(network, {})
            for name in names_of(network):
                paid = [entry.points > 0 for entry in entries(marked, quantity_of(network, name))]
                assert not (np.array(paid) & ~np.ravel(is_right(one, right, name))).any(), (network.name, name)


@pytest.mark.slow
def test_what_was_not_asked_for_costs_nothing() -> None:
    """Where only some values are asked for, right work earns everything, whatever was rounded on the way."""
    for one in made_up(NETWORKS, 80, SEED + 2):
        if not one.slips:
            asked = tuple(
                name for name in names_of(one.network) if not name.startswith("d_") or name[2:] in one.network.trained
            )
            on = bench(one.network, asked)
            marked = judge(on, handed_in(one, on))
            assert marked.points == on.question.points, one.network.name
            assert marked.slips == ()


# ── one question by hand ────────────────────────────────────────────────────────────────────────────────────────


@cache
def quiz() -> dict[str, Bench]:
    """The two questions of ``exams``."""
    exam = exams.exam()
    solutions = solved(exam, exams.variant())
    return {question.id: Bench(question, solutions[question.id]) for question in exam.questions}


def marks(
    id: str, answers: Mapping[str, str | None], tolerance: Tolerance = ONE_UNIT
) -> tuple[Marked, dict[str, list[str]]]:
    """A question marked: right answers, but for quantities whose entries are given, blanks between them."""
    on = quiz()[id]
    given: dict[Entry, Given | None] = {entry: read_given(one.printed.text) for entry, one in on.right.items()}
    for quantity, text in answers.items():
        words: Iterable[str | None] = [None] * 99 if text is None else text.split()
        for answer, word in zip(on.quantities[quantity], words, strict=False):
            given[quantity, answer.index] = None if word in (None, "-") else read_given(str(word))
    marked = judge(on, given, tolerance)
    return marked, {quantity: [one.verdict for one in entries(marked, quantity)] for quantity in on.quantities}


BIAS_FORGOTTEN = {
    "z": "2 1.5 -1", "h": "2 1.5 0", "y": "-0.5", "E": "1.125", "dE/dW2": "-3 -2.25 0",
    "dE/dW1": "-1.5 3 0 -3 6 0", "W2@1": "1.3 -1.775 0.5",
}  # fmt: skip


def test_a_slip_costs_points_once() -> None:
    """The bias left out of z: two entries of z are lost, everything that follows from them is paid, the slip named."""
    marked, verdicts = marks("a", BIAS_FORGOTTEN)
    assert verdicts["z"] == ["wrong", "right", "wrong"]
    assert {v for quantity in verdicts if quantity != "z" for v in verdicts[quantity]} == {"right", "follows"}
    assert marked.points == 10 - fmpq(4, 3)
    [slip] = marked.slips
    assert (slip.quantity, slip.kinds) == ("z", ("sum_term",))


def test_the_state_of_a_relu_is_the_students() -> None:
    """A sign lost in z puts a unit on: h, and the gradient through it, are those of the student's own z."""
    _, verdicts = marks("a", {"z": "-2.5 1.5 0", "h": "0 1.5 0", "y": "-2.5", "E": "6.125", "dE/dW2": "0 -5.25 0"})
    assert verdicts["h"] == ["follows", "right", "right"]
    assert verdicts["y"] == verdicts["E"] == ["follows"]
    assert verdicts["dE/dW2"] == ["follows", "follows", "right"]


def test_a_number_copied_wrongly_is_passed_over() -> None:
    """One wrong digit in h, and the work went on with the right one: what comes after is right and is paid."""
    marked, verdicts = marks("a", {"h": "2.6 1.5 0"})
    assert verdicts["h"] == ["wrong", "right", "right"]
    assert marked.points == 10 - fmpq(1, 3)


def test_a_slip_in_what_was_not_asked_for_goes_on() -> None:
    """dE/dy = y - t taken with the wrong sign, which nobody asked for: dE/dW2 is lost, dE/dW1 and W2 follow."""
    marked, verdicts = marks("a", {"dE/dW2": "2.5 1.5 0", "dE/dW1": "1 -2 0 2 -4 0", "W2@1": "0.75 -2.15 0.5"})
    assert verdicts["dE/dW2"] == ["wrong", "wrong", "right"]
    assert set(verdicts["dE/dW1"]) == {"follows", "right"}
    assert set(verdicts["W2@1"]) == {"follows", "right"}
    assert {one.quantity for slip in marked.slips for one in slip.alternatives} >= {"dE/dy"}


def test_zeros_are_flagged_and_not_paid() -> None:
    """All zeros: paid is a single number that is right by being 0; what is 0 in a matrix is not, and is flagged."""
    zeros = {quantity: " ".join(["0"] * len(found)) for quantity, found in quiz()["a"].quantities.items()}
    marked, _ = marks("a", zeros)
    single = {entry for entry, value in quiz()["a"].middle.items() if value == 0 and entry[0] in ("y", "E")}
    assert {(one.quantity, one.index) for one in marked.entries if one.points > 0} == single
    flags = {one.flag for one in marked.entries if one.verdict == "degenerate"}
    assert flags <= {"trivial", "vanished", "constant"}
    assert "constant" in flags


def test_one_number_everywhere_is_not_paid() -> None:
    """2.5 in every cell: the first entry of z is right by luck, the ReLU of the others is no work, and none is paid."""
    answers = {quantity: " ".join(["2.5"] * len(found)) for quantity, found in quiz()["a"].quantities.items()}
    marked, verdicts = marks("a", answers)
    assert verdicts["z"] == ["degenerate", "wrong", "wrong"]
    assert verdicts["h"] == ["degenerate"] * 3
    assert marked.points == 0


def test_an_error_that_is_made_to_vanish_pays_nothing() -> None:
    """y = t makes every gradient 0: E and the gradients follow, and earn nothing."""
    answers = {"y": "1", "E": "0", "dE/dW2": "0 0 0", "dE/dW1": "0 0 0 0 0 0", "W2@1": "1 -2 0.5"}
    _, verdicts = marks("a", answers)
    assert verdicts["E"] == ["degenerate"]
    assert verdicts["dE/dW2"] == ["degenerate", "degenerate", "right"]
    assert "follows" not in {v for quantity in answers for v in verdicts[quantity]}


def test_empty_cells_earn_nothing_and_spoil_nothing() -> None:
    """h and y left out: their points are lost, and what comes after is judged from z."""
    marked, verdicts = marks("a", {**BIAS_FORGOTTEN, "h": None, "y": None})
    assert set(verdicts["h"]) == set(verdicts["y"]) == {"empty"}
    assert verdicts["E"] == ["follows"]
    assert marked.points == 10 - fmpq(4, 3) - 2


@pytest.mark.parametrize(
    ("text", "share", "verdict"),
    [
        ("1.0530", None, "right"), ("1.053", None, "right"), ("1.0529", None, "right"), ("1,0530", None, "right"),
        ("1.0527", None, "wrong"), ("1.05", None, "wrong"), ("1", None, "wrong"), ("1.0530e0", None, "right"),
        ("1.05", fmpq(1, 100), "right"), ("1.06", fmpq(1, 100), "right"), ("1.07", fmpq(1, 100), "wrong"),
    ],
)  # fmt: skip
def test_the_tolerance(text: str, share: fmpq | None, verdict: str) -> None:
    """One unit of the last digit that the question shows, or a share of the value; fewer digits are not enough."""
    _, verdicts = marks("b", {"L": text}, Tolerance(relative=share))
    assert verdicts["L"] == [verdict]


def test_a_fraction_stands_for_itself() -> None:
    """-5/2 for -2.5, and 19/3 for nothing."""
    _, verdicts = marks("a", {"dE/dW2": "-5/2 -3/2 19/3", "E": "1/2"})
    assert verdicts["dE/dW2"] == ["right", "right", "wrong"]
    assert verdicts["E"] == ["right"]


def test_the_slips_of_an_update() -> None:
    """Uphill, or by the whole gradient: the step is told, from the student's own gradient."""
    for answer, kind in (("0.75 -2.15 0.5", "uphill"), ("3.5 -0.5 0.5", "no_rate")):
        marked, _ = marks("a", {"W2@1": answer})
        [slip] = marked.slips
        assert (slip.quantity, slip.kinds) == ("W2@1", (kind,))

"""The search for variants: every requirement is met, nothing is lost, nothing is left to luck."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from flint import fmpq

import exams
from derive.errors import ProblemError
from derive.exam.building.solved import solved
from derive.exam.exam import Activations, Decimals, Domain, Exam, Numbers, Question, Require
from derive.exam.searching.constraints import tests as required
from derive.exam.searching.engine import Engine
from derive.exam.searching.program import Untraceable
from derive.exam.searching.search import Found, asked_derivatives, search
from derive.exam.searching.stream import Stream
from derive.exam.searching.trace import trace, varying
from derive.exam.searching.violations import count_operations, violations
from derive.exam.variant import Chosen, Variant, problem_of
from derive.numbers.tensor import Tensor
from derive.problem.problem import Problem
from derive.solution import solve
from derive.solution.differentiate import differentiated
from exam_by_hand import Relu, Sigmoid

MANY = 1000


def numbers(*values: int | str) -> Numbers:
    """A domain of these numbers."""
    return Numbers(tuple(fmpq(*map(int, str(value).split("/"))) for value in values))


def small(**changes: object) -> Question:
    """One unit with a squared error, over small domains."""
    problem = Problem.from_equations(
        "y = w * x + b\nE = (y - t)**2 / 2",
        given={"x": 1, "t": 0},
        parameters={"w": 1, "b": 0},
        ask={"gradients": ["w", "b"]},
    )
    fields: dict[str, object] = {
        "vary": {"x": numbers(1, 2, 3), "w": numbers("1/2", 1), "b": numbers(0, "1/4", "1/2"), "t": numbers(1, 2)},
        "require": Require(decimals=(Decimals(2),), operations=fmpq(1)),
        "line": 7,
    }
    steps = {"E": fmpq(1), "dE/dw": fmpq(1)}
    return Question("s", problem, fmpq(2), steps, **{**fields, **changes})  # type: ignore[arg-type]


def one(question: Question, count: int = 1, seed: int = 7) -> Found:
    """The variants of an exam of one question."""
    return search(Exam("quiz", {"en": "Quiz"}, (question,), file="quiz.toml"), count, seed)


# ── the two sets of a thousand ──


@pytest.fixture(scope="module")
def thousand() -> Found:
    """A thousand variants of both questions."""
    return search(exams.exam(), MANY, 7)


@pytest.mark.slow
def test_a_thousand_relu_variants_are_distinct_and_meet_everything(thousand: Found) -> None:
    """Products, sums, gradients and updates, worked out again in fractions by hand: two decimals at most, no kink, no dead layer, no gradient of zeros, operations within a tenth of the first."""
    hands = [Relu(variant.chosen["a"].values) for variant in thousand.variants]
    assert len({hand.key for hand in hands}) == MANY
    for hand in hands:
        assert hand.wrong() == []
    assert [hand.operations for hand in hands] == list(thousand.statistics[0].operations)
    assert all(abs(hand.operations - hands[0].operations) * 10 <= hands[0].operations for hand in hands)


@pytest.mark.slow
def test_a_thousand_sigmoid_variants_are_distinct_and_meet_everything(thousand: Found) -> None:
    """Every product and sum of z has two decimals at most, no unit is saturated, no gradient vanishes."""
    hands = [Sigmoid(variant.chosen["b"].values) for variant in thousand.variants]
    assert len({hand.key for hand in hands}) == MANY
    for hand in hands:
        assert hand.wrong() == []
    operations = thousand.statistics[1].operations
    assert all(abs(count - operations[0]) * 10 <= operations[0] for count in operations)


@pytest.mark.slow
def test_the_last_gate_finds_nothing_in_what_the_search_found(thousand: Found) -> None:
    """Solved and checked by the NumPy engine, a sample of the thousand has no violation."""
    exam = exams.exam()
    first = solved(exam, thousand.variants[0])
    for variant in thousand.variants[:: MANY // 20]:
        solutions = solved(exam, variant)
        for question in exam.questions:
            assert violations(question, solutions[question.id], first[question.id]) == ()


@pytest.mark.slow
def test_few_candidates_are_tried_for_a_variant(thousand: Found) -> None:
    """It is a search and no lottery: of 9²⁰ sets of numbers some two hundred entries are tried for each that fits."""
    assert all(searched.candidates < 300 * MANY for searched in thousand.statistics)


# ── the search is complete ──


def _all(question: Question) -> set[tuple[fmpq, ...]]:
    """Everything that meets the requirements, by trying all there is."""
    part = differentiated(question.problem)
    program = trace(part, question)
    engine = Engine(program, required(program, question, asked_derivatives(question, part)), [()] * len(program.cells))
    domains = [question.vary[cell.name] for cell in program.cells]
    every = product(*(domain.values for domain in domains if isinstance(domain, Numbers)))
    slots = [cell.slot for cell in program.cells]
    return {values for values in every if engine.operations(dict(zip(slots, values, strict=True))) is not None}


STEEP = {"gradients": ["w"], "update": {"rate": "0.001"}}
Numeric = dict[str, int | str]
AGREE: dict[str, tuple[str, Numeric, dict[str, Any], dict[str, fmpq], tuple[int | str, ...]]] = {
    "a rate of 0.001": ("y = w * x\nE = (y - t)**2 / 2", {"x": 1, "t": 0}, STEEP, {"w@1": fmpq(1)}, (0, 10, 20, "1/2", 40)),
    "minus a given number": (
        "y = -c * w\nE = (y - t)**2 / 2", {"c": "0.125", "t": 0}, {"gradients": ["w"]}, {"E": fmpq(1)}, (0, 4, "1/2", 8, 16)
    ),
    "a given number as a derivative": (
        "y = w * c\nE = y + t", {"c": "0.125", "t": 0}, {"gradients": ["w"]}, {"dE/dw": fmpq(1)}, (0, 8)
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", AGREE)
def test_search_and_gate_agree_on_every_choice(name: str) -> None:
    """Two decimals of everything, where a number that is given has three itself and stands under a minus: what the
    search takes is what the gate lets through, of all choices that there are."""
    text, given, ask, steps, domain = AGREE[name]
    problem = Problem.from_equations(text, given=given, parameters={"w": 1}, ask=ask)
    vary: dict[str, Domain] = {key: numbers(*domain) for key in (*given, "w") if key != "c"}
    question = Question("s", problem, fmpq(1), steps, vary=vary, require=Require((Decimals(2),), nonzero=False))
    question = replace(question, require=replace(question.require, smallest=fmpq(0)))
    by_search, by_gate = _all(question), set()
    names = [name for name, _ in varying(question)]
    for values in product(numbers(*domain).values, repeat=len(names)):
        chosen = Chosen({name: Tensor.of((), [value]) for name, value in zip(names, values, strict=True)})
        if violations(question, solve(problem_of(question, Variant(0, "", {"s": chosen})))) == ():
            by_gate.add(values)
    assert by_search == by_gate
    assert bool(by_gate) == ("derivative" not in name)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_search_finds_everything_there_is_and_says_how_many(seed: int) -> None:
    """Of small domains all choices that fit are found, none twice, and one more than there are is refused with their number."""
    everything = _all(small())
    assert 5 < len(everything) < 36
    found = one(small(), len(everything), seed)
    assert {_values(variant, "x", "t", "w", "b") for variant in found.variants} == everything
    with pytest.raises(ProblemError, match=f"only {len(everything)} distinct variants") as refused:
        one(small(), len(everything) + 1, seed)
    assert (refused.value.file, refused.value.line) == ("quiz.toml", 7)


def test_a_hidden_layer_over_small_domains_is_searched_to_its_end() -> None:
    """The dead ends that are kept from one search for the next rule nothing out: 2-2-1 with a ReLU, all its variants."""
    question = exams.relu_question()
    problem = Problem.from_equations(
        "z = x @ W1\nh = relu(z)\ny = h @ W2\nE = (y - t)**2 / 2",
        given={"x": [1, 2], "t": 1},
        parameters={"W1": [[1, "0.5"], [1, 1]], "W2": [[1], [1]]},
        ask={"gradients": ["W1", "W2"]},
    )
    vary = {"x": numbers(1, 2), "W1": numbers("-1/2", 1), "W2": numbers(-1, "1/2"), "t": numbers(0, 1)}
    require = Require(decimals=(Decimals(2),), operations=fmpq(1))
    question = replace(question, problem=problem, steps={"E": fmpq(10)}, vary=vary, require=require)
    everything = _all(question)
    assert len(everything) > 10
    found = one(question, len(everything))
    assert {_values(variant, "x", "t", "W1", "W2") for variant in found.variants} == everything


def _values(variant: Variant, *names: str) -> tuple[fmpq, ...]:
    (chosen,) = variant.chosen.values()
    return tuple(x for name in names for x in chosen.values[name])


# ── the same every time ──


def test_fewer_variants_are_the_first_of_more() -> None:
    """What a variant is does not depend on how many are asked for."""
    few, more = search(exams.exam(), 3, 11), search(exams.exam(), 8, 11)
    assert few.variants == more.variants[:3]
    assert search(exams.exam(), 3, 12).variants != few.variants


@pytest.mark.slow
def test_the_variants_do_not_depend_on_the_order_of_hashes() -> None:
    """Another PYTHONHASHSEED gives the same manifest, byte for byte."""
    program = (
        "import hashlib, exams\nfrom derive.exam.sets.manifest import manifest_bytes, manifest_of\n"
        "from derive.exam.searching.search import search\nexam = exams.exam()\n"
        "print(hashlib.sha256(manifest_bytes(manifest_of(exam, 5, search(exam, 6, 5).variants))).hexdigest())"
    )
    root = Path(__file__).parent
    path = os.pathsep.join([str(root.parent), str(root)])
    runs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": seed},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("0", "1")
    }  # fmt: skip
    assert len(runs) == 1


def test_the_stream_of_numbers_is_the_one_of_its_formula() -> None:
    """SHA-256 of name and counter: the first words, worked out by hand, and every order of three equally often."""
    assert [Stream("a", 1).below(1000) for _ in range(2)] == [Stream("a", 1).below(1000)] * 2
    assert Stream("ab", "c").below(2**32) != Stream("a", "bc").below(2**32)
    stream = Stream("orders")
    orders = [tuple(stream.shuffled("abc")) for _ in range(3000)]
    assert {order: 400 < orders.count(order) < 600 for order in set(orders)} == dict.fromkeys(set(orders), True)
    assert len(set(orders)) == 6


# ── what is spoilt is caught ──


@pytest.fixture(scope="module")
def good() -> Found:
    """One variant of both questions."""
    return search(exams.exam(), 1, 7)


def _spoilt(good: Found, id: str, name: str, values: dict[int, fmpq]) -> tuple[str, ...]:
    exam = exams.exam()
    variant, question = good.variants[0], exam.question(id)
    old = variant.chosen[id].values[name]
    entries = [values.get(k, x) for k, x in enumerate(old)]
    chosen = {**variant.chosen[id].values, name: Tensor.of(old.shape, entries)}
    other = replace(variant, chosen={**variant.chosen, id: Chosen(chosen)})
    first = solve(problem_of(question, variant))
    return violations(question, solve(problem_of(question, other)), first)


def test_one_spoilt_entry_is_caught(good: Found) -> None:
    """A seventh for a half, a number with three decimals, a weight that saturates: each is said, with its quantity."""
    assert any("decimals in z" in text for text in _spoilt(good, "a", "W1", {0: fmpq(1, 7)}))
    assert any("decimals in E" in text for text in _spoilt(good, "a", "b2", {0: fmpq(1, 100)}))
    assert any("size 6 at most in p" in text for text in _spoilt(good, "b", "b", {0: fmpq(20)}))
    dead = _spoilt(good, "a", "b1", dict.fromkeys(range(3), fmpq(-100)))
    assert any("active unit" in text for text in dead)
    assert any("other than 0 in dE/dW1" in text for text in dead)
    assert any("operations" in text for text in dead)


def test_a_kink_is_caught() -> None:
    """The problem's own numbers have a unit exactly at the kink of its ReLU."""
    question = exams.relu_question()
    solution = solve(question.problem)
    assert any("no relu at its kink in h" in text for text in violations(question, solution))
    allowed = replace(question, require=replace(question.require, kinks=True))
    assert not any("kink" in text for text in violations(allowed, solution))


def test_the_count_of_the_gate_is_that_of_the_search(good: Found) -> None:
    """Operations counted on a solved variant are those that the search counted."""
    exam = exams.exam()
    for searched in good.statistics:
        solution = solve(problem_of(exam.question(searched.question), good.variants[0]))
        assert count_operations(exam.question(searched.question), solution) == searched.operations[0]


# ── activations ──


def test_activations_vary_like_numbers() -> None:
    """Each variant has one of the activations, and both are met; its solution is that of the function on its paper."""
    question = exams.relu_question(
        vary={**exams.relu_question().vary, "h": Activations(("relu", "abs"))},
        require=Require(decimals=(Decimals(2, ("z", "y")),), operations=fmpq(1, 2)),
    )
    found = one(question, 12)
    used = {variant.chosen["a"].functions["h"] for variant in found.variants}
    assert used == {"relu", "abs"}
    for variant in found.variants[:4]:
        assert violations(question, solve(problem_of(question, variant))) == ()


def test_an_activation_that_cannot_meet_what_is_required_is_named() -> None:
    """With two decimals asked of h no tanh is possible: no variant has it, and the statistics say so."""
    question = exams.relu_question(vary={**exams.relu_question().vary, "h": Activations(("relu", "tanh"))})
    found = one(question, 100)
    assert {variant.chosen["a"].functions["h"] for variant in found.variants} == {"relu"}
    (unused,) = found.statistics[0].unused
    assert unused.functions == (("h", "tanh"),)
    assert str(unused).startswith("no variant has h = tanh: what blocks it is at most 2 decimals in")


def test_activations_come_in_turn_though_their_counts_of_operations_differ() -> None:
    """Zeros of a ReLU are no operations and a tanh has none: each has variants as often as the other, each near to the
    first of its own."""
    question = exams.relu_question(
        vary={**exams.relu_question().vary, "h": Activations(("relu", "tanh", "sigmoid"))}, require=Require()
    )
    found = one(question, 12)
    kinds = [variant.chosen["a"].functions["h"] for variant in found.variants]
    assert [sorted(kinds[k : k + 3]) for k in range(0, 12, 3)] == [["relu", "sigmoid", "tanh"]] * 4
    (searched,) = found.statistics
    assert searched.unused == ()
    for kind in set(kinds):
        counts = [count for name, count in zip(kinds, searched.operations, strict=True) if name == kind]
        assert all(abs(count - counts[0]) * 10 <= counts[0] for count in counts)
    assert one(question, 5).variants == found.variants[:5]


# ── what cannot be met ──


def test_what_blocks_is_named() -> None:
    """Fifths where the loss halves a square of thirds: no choice fits, and the message names the requirement."""
    thirds = small(vary={"x": numbers("1/3", "2/3"), "w": numbers("1/2", 1)})
    with pytest.raises(ProblemError) as refused:
        one(thirds)
    text = str(refused.value)
    assert text.startswith("quiz.toml:7: question s: no numbers meet what is required; every choice was tried")
    assert 'without this there are some: "at most 2 decimals in any quantity"' in text


def test_what_is_named_as_blocking_is_enough_to_leave_out() -> None:
    """Only E has more decimals than it may: it alone is named, and without its bound there are variants."""
    quarters = small(vary={"w": numbers("1/2", "3/2"), "x": numbers(1, 3)})
    require = Require(decimals=(Decimals(1, ("y",)), Decimals(2, ("E",))), operations=fmpq(1))
    with pytest.raises(ProblemError) as refused:
        one(replace(quarters, require=require))
    assert str(refused.value).endswith('(without this there are some: "at most 2 decimals in E")')
    assert one(replace(quarters, require=replace(require, decimals=require.decimals[:1]))).variants


def test_a_search_that_is_given_up_says_after_how_many() -> None:
    """Two decimals of everything with a tanh: the bound is reached or all is tried, and decimals are to blame."""
    question = exams.relu_question(require=Require(decimals=(Decimals(0),), smallest=fmpq(10**6)))
    with pytest.raises(ProblemError, match=r"question a: .*(candidates|every choice)"):
        one(question)


def test_bad_wishes_are_refused() -> None:
    """No variant at all, more variants than students, and many variants of what does not vary."""
    exam = exams.exam()
    with pytest.raises(ProblemError, match="expected is 1 or more"):
        search(exam, 0, 1)
    with pytest.raises(ProblemError, match="3 variants for 2 students"):
        search(exam, 3, 1, ["x", "y"])
    fixed = exams.exam(exams.relu_question(vary={}))
    with pytest.raises(ProblemError, match="nothing varies"):
        search(fixed, 2, 1)
    assert search(fixed, 1, 1).variants[0].chosen == {"a": Chosen()}


def test_every_student_has_a_variant_and_progress_is_told() -> None:
    """The students come in their order, and each search is counted."""
    told: list[tuple[int, int]] = []
    found = search(exams.exam(), 2, 1, ["ada", "=bob"], lambda done, of: told.append((done, of)))
    assert [variant.student for variant in found.variants] == ["ada", "=bob"]
    assert told == [(k, 4) for k in (1, 2, 3, 4)]


# ── what is no straight line ──


@pytest.mark.slow
def test_what_has_no_program_is_drawn_solved_and_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a program the same requirements hold, each draw being solved; too few are said to be too few."""

    def untraceable(*_: object) -> None:
        raise Untraceable("no straight line")

    for module in ("search", "violations"):
        monkeypatch.setattr(f"derive.exam.searching.{module}.trace", untraceable)
    question = small()
    found = one(question, 3)
    for variant in found.variants:
        assert violations(question, solve(problem_of(question, variant))) == ()
    assert len({_values(variant, "x", "t", "w", "b") for variant in found.variants}) == 3
    with pytest.raises(ProblemError, match=r"after .* candidates"):
        one(small(require=Require(smallest=fmpq(10**6))))


def test_labels_that_vary_stay_classes_and_soft_ones_add_up_to_1() -> None:
    """Class numbers are chosen like numbers; soft labels that the loss was derived with keep their sum of 1."""
    text = "z = x @ W\nL = cross_entropy(z, t)"
    given = {"x": [[1, 2], [0, 1]], "t": [0, 1]}
    parameters = {"W": [["0.5", 0], [1, "-0.5"]]}
    hard = Problem.from_equations(text, given=given, parameters=parameters, ask={"gradients": ["W"]})
    soft = replace(hard, given={**hard.given, "t": Tensor.of((2, 2), [fmpq(1, 2)] * 4)})
    weights = {"W": numbers(-1, "-1/2", "1/2", 1)}
    steps = {"dL/dW": fmpq(1)}
    for problem, labels in ((hard, numbers(0, 1)), (soft, numbers(0, "1/4", "1/2", "3/4", 1))):
        question = Question("l", problem, fmpq(1), steps, vary={**weights, "t": labels})
        for variant in one(question, 8).variants:
            assert violations(question, solve(problem_of(question, variant))) == ()
            entries = _values(variant, "t")
            assert problem is hard or sum(entries[:2], fmpq(0)) == sum(entries[2:], fmpq(0)) == fmpq(1)


def test_more_variants_than_anybody_prints_are_refused() -> None:
    """The search is bounded in their number too, and says so at once."""
    with pytest.raises(ProblemError, match="99,999,999,999 variants: at most 10,000"):
        search(exams.exam(exams.relu_question()), 99_999_999_999, 7)

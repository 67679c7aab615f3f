"""Which slip explains wrong numbers: slips put into plain NumPy are found, and no right number is accused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import cache
from typing import Any

import numpy as np
import pytest
from flint import fmpq

from derive.calculus.explicit import Entry
from derive.graph.expression import leaf
from derive.numbers.balls import midpoint
from derive.problem import find_problem, problem_from_text
from derive.review.diagnosis import diagnose
from derive.review.evidence import Observed
from derive.review.explanation import Diagnosis, Explanation
from derive.review.simulation import Simulation
from derive.solution import Part, solve
from slip_networks import NETWORKS, Injected, Network, Values, injections, outcome, work

WANTED = 500
SEED = 2
DRAWS = 2
# What the injected kinds are called where they are found; some are one and the same formula.
CALLED = {
    "sign": {"sign", "sum_term", "loss"},
    "square": {"exponent"},
    "half": {"part", "slope"},
    "number": {"number", "factor", "reduction"},
    "term": {"sum_term", "term", "loss"},
    "other": {"other_derivative"},
    "factor": {"factor", "double"},
    "extra_slope": {"extra_slope", "part"},
    "pre_activation": {"pre_activation", "other_name"},
}


def observed(quantity: str, index: tuple[int, ...], text: str) -> Observed:
    """A printed decimal."""
    places = -int(Decimal(text).as_tuple().exponent)
    value, half = fmpq(int(Decimal(text).scaleb(places)), 10**places), fmpq(1, 2 * 10**places)
    return Observed(quantity, index, value - half, value + half)


def quantity_of(network: Network, name: str) -> str:
    """``d_W`` of the plain lines is ``dE/dW``."""
    return f"d{network.loss}/d{name[2:]}" if name.startswith("d_") else name


def as_printed(network: Network, part: Part, values: Values, places: int = 4) -> Iterator[Observed]:
    """Every value with so many decimals."""
    for name, value in values.items():
        quantity = quantity_of(network, name)
        shape = part.network.shape(quantity.split("@")[0].split("/d")[-1])
        array = np.reshape(value, tuple(map(int, shape)))
        for index in np.ndindex(*array.shape):
            yield observed(quantity, index, f"{array[index] + 0.0:.{places}f}")


@cache
def solved(network: Network) -> Part:
    """The same network by derive."""
    return solve(problem_from_text(network.problem(), network.name)).part()


@cache
def every_slip() -> tuple[tuple[Network, Injected], ...]:
    """A seeded choice of all slips in all networks, with several draws of their numbers."""
    found = [
        (drawn, slip)
        for network in NETWORKS
        for drawn in (replace(network, draw=draw) for draw in range(DRAWS))
        for slip in injections(drawn)
    ]
    chosen = np.random.default_rng(SEED).permutation(len(found))[:WANTED]
    return tuple(found[k] for k in sorted(chosen))


def names_it(network: Network, slip: Injected, explanation: Explanation) -> bool:
    """Whether an explanation is the slip that was made."""
    if slip.order:
        kind, _, name = slip.order.partition(":")
        return explanation.kind == kind and (not name or name in explanation.names)
    kinds = CALLED.get(slip.kind, {slip.kind})
    return explanation.kind in kinds and explanation.quantity in (quantity_of(network, slip.name), "")


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.name)
def test_the_plain_lines_are_the_problem(network: Network) -> None:
    """Without a slip, plain NumPy and derive agree on every value, and nothing is accused."""
    part, values = solved(network), work(network, {})
    for name, value in values.items():
        if "@" not in name:
            certified = np.array([midpoint(x) for x in part.value_of(quantity_of(network, name)).ravel()])
            assert np.ravel(value) == pytest.approx(certified, abs=1e-12)
    assert diagnose(part, tuple(as_printed(network, part, values))) == Diagnosis()


@pytest.mark.slow
def test_five_hundred_slips_are_found() -> None:
    """The true slip is in the class ranked first for at least 95 of 100, and the middle class has three at the most."""
    found, sizes, missed = 0, [], []
    simulations: dict[Network, Simulation] = {}
    slips = every_slip()
    assert len(slips) == WANTED
    assert len({network.name for network, _ in slips}) == len(NETWORKS) == 10
    for network, slip in slips:
        part = solved(network)
        values = tuple(as_printed(network, part, outcome(network, slip)))
        diagnosis = diagnose(part, values, simulation=simulations.setdefault(network, Simulation(part)))
        first = diagnosis.findings[0].classes[0] if diagnosis.findings else ()
        sizes.append(len(first))
        if any(names_it(network, slip, explanation) for explanation in first):
            found += 1
        else:
            missed.append(f"{network.name}: {slip}")
    assert found >= 0.95 * WANTED, "\n".join(missed)
    assert np.median(sizes) <= 3


def test_a_softmax_taken_entry_by_entry() -> None:
    """-y (1 - p) for p - y: the softmax inside a cross-entropy differentiated as if its entries stood alone."""
    network = next(network for network in NETWORKS if network.name == "classes")
    part, [slip] = solved(network), [slip for slip in injections(network) if slip.kind == "softmax"]
    diagnosis = diagnose(part, tuple(as_printed(network, part, outcome(network, slip))))
    assert kinds(diagnosis) == ["softmax"]


# ── the textbook's and the web's ────────────────────────────────────────────────────────────────────────────────


def printed(part: Part, quantities: Mapping[str, int], wrong: Mapping[tuple[Any, ...], str]) -> list[Observed]:
    """Right values with so many decimals, but for those that are given."""
    found = []
    for quantity, places in quantities.items():
        array = part.value_of(quantity)
        for index in np.ndindex(*array.shape):
            value: Any = array[index]
            text = wrong.get((quantity, *index), f"{midpoint(value) + 0.0:.{places}f}")
            found.append(observed(quantity, index, text))
    return found


def kinds(diagnosis: Diagnosis) -> list[str]:
    """The kinds of the class that is ranked first."""
    return [explanation.kind for explanation in diagnosis.findings[0].classes[0]]


def test_two_of_four_paths_dropped() -> None:
    """Case 1's book prints dE/db1 = 0.0008: the sum of the two straight paths, the crossing ones forgotten."""
    part = solve(find_problem("case1")).part()
    names = ("h", "z_o", "o", "dE/do", "dE/dz_o", "dE/dW2", "dE/db2", "dE/dh", "dE/dW1", "dE/db1")
    diagnosis = diagnose(part, printed(part, dict.fromkeys(names, 4), {("dE/db1",): "0.0008"}))
    [finding] = diagnosis.findings
    [dropped] = finding.classes[0]
    assert (dropped.kind, dropped.kept, len(dropped.paths)) == ("paths", 2, 2)
    assert part.paths is not None
    whole = part.paths.full(Entry("b1", ()))
    assert whole is not None
    through = [{str(factor.of.name) + str(factor.of.index) for factor in whole[k].factors} for k in dropped.paths]
    assert all({"h(0, 0)", "o(0, 1)"} <= names or {"h(0, 1)", "o(0, 0)"} <= names for names in through)


def test_a_lost_sign_that_repeats_another_part() -> None:
    """Case 2's book prints (0, 2) where (0, -2) should stand: the row of part b."""
    solution = solve(find_problem("case2"))
    part = solution.part("c")
    names = ("z1", "z2", "yhat", "l", "dl/dyhat", "dl/dz2", "dl/dz1")
    right = [*printed(part, dict.fromkeys(names, 0), {}), observed("dl/dx", (0, 0), "0")]
    diagnosis = diagnose(part, [*right, observed("dl/dx", (1, 0), "2")], solution.parts)
    [lost] = diagnosis.findings[0].classes[0]
    assert (lost.kind, lost.names) == ("sign_lost", ("b",))


def test_weights_updated_too_early() -> None:
    """The web's best-known example: the loss after one step belongs to output weights that were updated first."""
    equations = "z1 = x @ W1 + b1\\na1 = sigmoid(z1)\\nz2 = a1 @ W2 + b2\\ny = sigmoid(z2)\\nE = sum((t - y)**2) / 2"
    text = (
        f'equations = "{equations}"\n[given]\nx = [0.05, 0.10]\nt = [0.01, 0.99]\n[parameters]\n'
        "W1 = [[0.15, 0.25], [0.20, 0.30]]\nb1 = 0.35\nW2 = [[0.40, 0.50], [0.45, 0.55]]\nb2 = 0.60\n"
        "[ask]\nupdate = { rate = { W1 = 0.5, W2 = 0.5, b1 = 0, b2 = 0 } }\n"
    )
    part = solve(problem_from_text(text, "web")).part()
    right = printed(part, dict.fromkeys(("z1", "a1", "y", "E", "dE/dW2", "dE/dW1"), 8), {})
    diagnosis = diagnose(part, [*right, observed("E@1", (), "0.291027924")])
    [early] = diagnosis.findings[0].classes[0]
    assert (early.kind, early.names) == ("early", ("W2",))


@pytest.mark.parametrize(
    ("quantity", "index", "text", "kind"),
    [
        ("dE/dW1", (0, 0), "0.0030", "digit"),
        ("h", (0, 0), "0.9686", "swapped"),
        ("z_o", (0, 1), "0.1389", "point"),
        ("dE/dW2", (0, 1), "0.0765", "elsewhere"),
    ],
)
def test_one_number_alone(quantity: str, index: tuple[int, ...], text: str, kind: str) -> None:
    """Digits swapped, a point moved, one digit wrong, another entry's number: told apart where all else is right."""
    part = solve(find_problem("case1")).part()
    names = ("h", "z_o", "o", "dE/dW2", "dE/dW1")
    wrong = {(quantity, *index): text}
    diagnosis = diagnose(part, printed(part, dict.fromkeys(names, 4), wrong))
    every = {explanation.kind for found in diagnosis.findings for rank in found.classes for explanation in rank}
    assert kind in every


def test_two_slips_apart_are_two_findings() -> None:
    """A wrong derivative and, elsewhere, a wrong digit: each explained by itself."""
    part = solve(find_problem("case1")).part()
    names = ("h", "z_o", "o", "dE/do", "dE/dW2", "dE/db2", "dE/dh", "dE/dW1", "dE/db1")
    wrong = {("dE/db1",): "0.0008", ("dE/do", 0, 0): "-0.7896"}
    diagnosis = diagnose(part, printed(part, dict.fromkeys(names, 4), wrong))
    assert {one.quantity for finding in diagnosis.findings for one in finding.explains} == {"dE/db1", "dE/do"}
    assert len(diagnosis.findings) == 2
    assert diagnosis.unexplained == ()


def test_a_pair_only_where_no_single_slip_will_do() -> None:
    """Two slips on the way to the one number that shows them: named together, each a common one."""
    network = NETWORKS[0]
    part = solved(network)
    values = work(network, {"d_h": "d_h = d_z2 @ W2", "d_z1": "d_z1 = d_h"})
    seen = {name: value for name, value in values.items() if name not in ("d_h", "d_z1") and "@" not in name}
    diagnosis = diagnose(part, tuple(as_printed(network, part, seen)))
    [pair] = diagnosis.findings[0].classes[0]
    assert pair.besides is not None
    assert {(one.kind, one.quantity) for one in (pair, pair.besides)} == {("transpose", "dE/dh"), ("slope", "dE/dz1")}


def test_a_step_is_shown_beside_the_right_one() -> None:
    """Of a parameter that went uphill, or stayed, what was done stands beside what should have been."""
    network = NETWORKS[0]
    part = solved(network)
    diagnosis = diagnose(part, tuple(as_printed(network, part, work(network, {}, "kept:b1"))))
    [kept] = diagnosis.findings[0].classes[0]
    assert kept.wrong == leaf("b1", (1, 2))
    assert kept.right is not None
    assert "b1" in map(str, kept.right.names())


def test_rounded_values_carried_are_no_slip() -> None:
    """Numbers worked with what is displayed are right as a whole; a slip among them is found all the same."""
    network = NETWORKS[0]
    part = solved(network)
    rounded = {name: np.round(value, 4) for name, value in work(network, {}, digits=4).items()}
    assert diagnose(part, tuple(as_printed(network, part, rounded))) == Diagnosis()
    slip = Injected("slope", "d_z1", "d_z1 = d_h")
    found = diagnose(part, tuple(as_printed(network, part, work(network, {"d_z1": slip.line}, digits=4))))
    assert "slope" in kinds(found)


def test_what_nothing_explains_is_said() -> None:
    """A number out of nowhere stays without an explanation."""
    part = solve(find_problem("case1")).part()
    names = ("h", "z_o", "o", "dE/dW2", "dE/dW1")
    diagnosis = diagnose(part, printed(part, dict.fromkeys(names, 4), {("o", 0, 0): "0.5137"}))
    assert diagnosis.findings == ()
    assert [one.quantity for one in diagnosis.unexplained] == ["o"]

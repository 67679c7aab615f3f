"""Verdicts on single numbers: what agrees, what only carried or printed values explain, and what nothing explains."""

from __future__ import annotations

from pathlib import Path

import pytest
from flint import fmpq

from derive import api
from derive.errors import ProblemError
from derive.problem import problem_from_text
from derive.problem.toml import Source
from derive.review.answers import answers
from derive.review.arithmetic import NotRead, arithmetic, numbers_in
from derive.review.check import reviewed
from derive.review.claims import Claims, claims_of
from derive.review.verdicts import Judged, Verdict

NET = """
equations = '''
z = x @ W
h = sigmoid(z)
y = h @ v
L = (y - t)**2 / 2
'''
given = { x = [0.35, 0.9], t = 0.5 }
parameters = { W = [[0.1, 0.4], [0.8, 0.6]], v = [[0.3], [0.9]] }
ask = { update = { rate = 0.5 } }
"""


def judge(claims: str, problem: str = NET) -> list[Judged]:
    """The verdicts on some claims about a problem."""
    found = claims_of(Source('problem = "net.toml"\n' + claims, "some"), "some", Path())
    return list(reviewed(found, answers(problem_from_text(problem), found.claims)).judged)


def claim(quantity: str, printed: str, index: str = "", **more: str) -> str:
    """One claim as it stands in a file."""
    lines = [f'quantity = "{quantity}"', f'printed = "{printed}"']
    lines += [f"index = {index}"] if index else []
    return "\n".join(["[[claim]]", *lines, *(f"{key} = '{value}'" for key, value in more.items())]) + "\n"


def test_digits_decide() -> None:
    """The same value agrees with every rounding of it, and with no other number of as many digits."""
    printed = ["0.7", "0.68", "0.680", "0.6803", "0.6802", "0.69", "-0.68", "6.803e-1"]
    found = judge("".join(claim("h", text, "[1]") for text in printed))
    assert [one.verdict is Verdict.AGREES for one in found] == [True, True, True, True, False, False, False, True]
    assert found[4].right == "0.6803"


def test_both_ends_of_the_interval_belong_to_it() -> None:
    """Which neighbour a tie was sent to is not known: 0.125 is 0.12 and 0.13."""
    problem = 'equations = "y = x"\ngiven = { x = 0.125 }'
    found = judge(claim("y", "0.12") + claim("y", "0.13") + claim("y", "0.11") + claim("y", "1/8"), problem)
    assert [one.verdict.key for one in found] == ["agrees", "agrees", "wrong", "agrees"]


def test_displayed_values_carried() -> None:
    """h is shown as 0.68 and 0.6637, so y comes out as 0.80133: right only if these are carried."""
    shown = claim("h", "0.68", "[1]") + claim("h", "0.6637", "[2]")
    (alone,) = judge(claim("y", "0.80133"))
    assert alone.verdict is Verdict.WRONG
    *_, carried = judge(shown + claim("y", "0.80133"))
    assert (carried.verdict, carried.right) == (Verdict.CARRIED, "0.80144")


def test_all_values_rounded_alike() -> None:
    """One number alone: with every value rounded to two decimals y is 0.80."""
    found = judge(claim("h", "0.68", "[1]") + claim("h", "0.66", "[2]") + claim("y", "0.798"))
    assert found[-1].verdict is Verdict.CARRIED


def test_an_error_is_passed_on() -> None:
    """h is printed wrong and y follows from it: the first is wrong, the second consistent, and says where it comes from."""
    wrong, other, follows, far = judge(
        claim("h", "0.78", "[1]") + claim("h", "0.6637", "[2]") + claim("y", "0.8313") + claim("L", "0.9")
    )
    assert wrong.verdict is Verdict.WRONG
    assert other.verdict is Verdict.AGREES
    assert (follows.verdict, follows.inherits) == (Verdict.CONSISTENT, ("h[1]",))
    assert (far.verdict, far.inherits) == (Verdict.WRONG, ())


def test_updates_pass_on_what_they_get() -> None:
    """A gradient printed wrong gives a parameter that is consistent with it, and a loss after the update as well."""
    found = judge(
        claim("dL/dv", "0.9", "[1]") + claim("dL/dv", "0.2001", "[2]") + claim("v@1", "-0.15", "[1]")
        + claim("v@1", "0.79995", "[2]") + claim("y@1", "0.4"),
    )  # fmt: skip
    assert [one.verdict.key for one in found] == ["wrong", "agrees", "consistent", "carried", "consistent"]
    assert found[2].inherits == found[4].inherits == ("dL/dv[1]",)


def test_arithmetic_is_held_against_data_and_result() -> None:
    """Printed arithmetic may give what is printed and what is right, one of them, or neither."""
    cases = {
        ("0.8014", "0.3 \\cdot 0.6803 + 0.9 \\cdot 0.6637"): (Verdict.AGREES, False, None),
        ("0.8014", "0.3 \\cdot 0.69 + 0.9 \\cdot 0.6637"): (Verdict.WRONG, True, "0.8043"),
        ("0.80", "0.3(0.690) + 0.9(0.6600)"): (Verdict.CONSISTENT, True, None),
        ("0.8043", "0.3(0.69) + 0.9(0.6637)"): (Verdict.CONSISTENT, False, None),
        ("0.7934", "0.3(0.69) + 0.9(0.6637)"): (Verdict.WRONG, False, "0.8043"),
        ("0.81", "0.3(0.7) + 0.9(0.66)"): (Verdict.CONSISTENT, False, "0.80"),
    }
    for (printed, text), (verdict, survives, literal) in cases.items():
        (one,) = judge(claim("y", printed, expression=text))
        assert (one.verdict, one.survives, one.literal) == (verdict, survives, literal), text


def test_what_cannot_be_read_is_said() -> None:
    """Arithmetic that is not read leaves the verdict to the number, and the reason stands beside it."""
    (one,) = judge(claim("y", "0.8014", expression="0.3 h_1 + 0.9 h_2"))
    assert one.verdict is Verdict.AGREES
    assert one.unread is not None
    assert "h" in one.unread


def test_data_are_exact_and_roundings_are_not() -> None:
    """0.9 is a datum and stands for itself; where a claim prints 0.9 for 0.8988 it stands for its interval."""
    near = claim("y", "0.87", expression="0.3 \\cdot 0.68 + 0.9 \\cdot 0.66")
    assert judge(near)[0].verdict is Verdict.WRONG
    loose = near + claim("z", "0.9", "[2]")
    assert judge(loose.replace("0.87", "0.81"))[0].verdict is not Verdict.WRONG


def test_the_negative_of_a_gradient() -> None:
    """Older texts print error signals, which are -dL/dz: the claim says so, and the sign is held to it."""
    plain, negative, turned = judge(claim("dL/dy", "0.3014") + claim("-dL/dy", "-0.3014") + claim("-dL/dy", "0.3014"))
    assert (plain.verdict, negative.verdict, turned.verdict) == (Verdict.AGREES, Verdict.AGREES, Verdict.WRONG)


def test_undecided_is_said() -> None:
    """More digits than a run in doubles is good for can be neither confirmed nor denied."""
    problem = NET.replace("rate = 0.5", "rate = 0.5, steps = 300, show = ['y']")
    few, many, wrong = judge(
        claim("y@300", "0.50") + claim("y@300", "0.5000000000000") + claim("y@300", "0.51"), problem
    )
    assert few.verdict is Verdict.AGREES
    assert many.verdict is Verdict.UNDECIDED
    assert not many.expected
    assert wrong.verdict is Verdict.WRONG


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("0.1 + 0.2", fmpq(2, 10), fmpq(4, 10)),
        ("(0.5)(2)", fmpq(9, 10), fmpq(11, 10)),
        ("-(0.5 - 1)", fmpq(45, 100), fmpq(55, 100)),
        (r"\frac{1}{2}\left(0.5\right)^2", fmpq(2025, 20000), fmpq(3025, 20000)),
        ("2 * -0.5", fmpq(-11, 10), fmpq(-9, 10)),
        ("1/0.5", fmpq(20, 11), fmpq(20, 9)),
        ("(0.5 - 0.5)^2", fmpq(0), fmpq(1, 100)),
        (r"10^{-2}", fmpq(1, 100), fmpq(1, 100)),
    ],
)
def test_intervals_of_arithmetic(text: str, low: fmpq, high: fmpq) -> None:
    """Sums, products, quotients and powers of intervals are exact, end by end; whole numbers are counts."""
    found = arithmetic(text, ".", lambda number: "." not in number).spread
    assert (found.low, found.high) == (low, high)


def test_functions_of_arithmetic() -> None:
    """The sigmoid of 4.3 is 0.98661308…, enclosed."""
    found = arithmetic(r"\sigma(4.3)", ".", lambda number: True).literal
    assert fmpq(98661308217233522, 10**17) < found.low < found.high < fmpq(98661308217233523, 10**17)
    assert found.high - found.low < fmpq(1, 10**40)


UNREAD = [
    "",
    "0.3 h",
    "2 3",
    "(1",
    "1)",
    "1 +",
    r"\begin{pmatrix} 1 & a \end{pmatrix}",
    "0,5",
    "1/(0.1 - 0.1)",
    "2^{0.5}",
]
UNREAD += ["2^{999}", "(" * 300 + "1" + ")" * 300, r"\ln(0)", r"\frac12", "1 & 2", "9" * 2000, "2^{99}^{99}^{99}", "e"]


@pytest.mark.parametrize("text", UNREAD)
def test_arithmetic_that_is_not_read(text: str) -> None:
    """What is not certain to mean one number is refused with a reason, and never guessed."""
    with pytest.raises(NotRead) as caught:
        arithmetic(text, ".", lambda number: False)
    assert str(caught.value)


def test_matrices_in_arithmetic() -> None:
    """Of rows and matrices the entry counts that the claim is on; sizes that do not fit are not read."""
    row = r"(1 \quad -1) \begin{pmatrix} 0.5 & 0 \\ 0 & 2 \end{pmatrix}"
    found = [arithmetic(row, ".", lambda number: "." not in number, (0, k)) for k in (0, 1)]
    first, second = found
    assert first.literal.low == first.literal.high == fmpq(1, 2)
    assert fmpq(449, 1000) < first.spread.low <= fmpq(45, 100) < fmpq(55, 100) <= first.spread.high < fmpq(551, 1000)
    assert second.spread.low == second.spread.high == -2
    comma = arithmetic(row.replace("0.5", "0,5"), ",", lambda number: True)
    assert comma.literal.low == fmpq(1, 2)
    for text, index in (
        (row, (0, 2)),
        (row, (1, 0)),
        (row + r"\begin{pmatrix} 1 \\ 2 \\ 3 \end{pmatrix}", (0, 0)),
        (r"(1 \quad", ()),
    ):
        with pytest.raises(NotRead):
            arithmetic(text, ".", lambda number: True, index)


def test_decimal_commas_in_arithmetic() -> None:
    """With a comma as the decimal mark 0,5 is a number, in LaTeX 0{,}5 too, and 0.5 is none."""
    assert arithmetic("0,5 + 0{,}5", ",", lambda number: True).literal.low == 1
    assert numbers_in("(0,5)(2)", ",") == ("0.5", "2")
    with pytest.raises(NotRead):
        arithmetic("0.5", ",", lambda number: True)


def test_solution_check() -> None:
    """From Python: a verdict, the right value to the same digits, and errors for what is not there."""
    solution = api.solve("case1")
    found = solution.check("dE/db1", "0.0008")
    assert (found.verdict, found.right) == ("wrong", "0.0024")
    assert str(found) == "dE/db1 = 0.0008: wrong; right is 0.0024 (0.002388201194)"
    assert found.diagnosis is not None
    assert ("paths", (1, 2)) in [(one.kind, one.paths) for one in found.diagnosis.classes[0]]  # two of four
    assert solution.check("dE/db1", "0.0024").diagnosis is None
    assert solution.check("dE/dW2", "0,1183", index=(1, 2), decimal=",").verdict == "agrees"
    assert solution.check("do/dz_o", "0.0983", index=(1, 1)).verdict == "agrees"  # worked out for the purpose
    assert solution.check("W1@2", "0.1000", index=(1, 1)).verdict == "agrees"
    printed = "(0.7896)(0.0983)(0.7) + (0.7504)(0.1598)(0.8)"
    assert solution.check("dE/dh", "0.1503", index=(1, 1), expression=printed).verdict.endswith("are carried")
    with pytest.raises(ProblemError):
        solution.check("E", "many")
    with pytest.raises(ProblemError):
        solution.check("F", "1")
    with pytest.raises(ProblemError):
        solution.check("E", "1", part="a")
    with pytest.raises(ProblemError):
        solution.check("E", "1", decimal=";")


def test_the_parts_of_a_problem_are_told_apart() -> None:
    """A claim names its part; a gradient in numerator layout has the index that is printed."""
    solution = api.solve("case2")
    assert solution.check("dl/dx", "2", "c", index=(1, 2)).verdict == "wrong"
    assert solution.check("dl/dx", "2", "b", index=(1, 2)).verdict == "agrees"
    assert solution.check("dl/dx", "2", "b", index=(2,)).verdict == "agrees"
    assert solution.check("dz2/dz1", "1", "c", index=(2, 2)).verdict == "agrees"
    with pytest.raises(ProblemError, match="off dl/dx, which is 1 × 2"):
        solution.check("dl/dx", "2", "b", index=(2, 1))


def test_claims_without_a_file_are_the_same() -> None:
    """What a record holds is plain: claims compare equal by what they say."""
    text = 'problem = "net.toml"\n' + claim("y", "0.8014")
    first, second = (claims_of(Source(text, "some"), "some", Path()) for _ in range(2))
    assert isinstance(first, Claims)
    assert first == second

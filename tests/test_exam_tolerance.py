"""How far an answer may be off: units of the last digit asked for, or a share of the value."""

from __future__ import annotations

import pytest
from flint import fmpq
from hypothesis import given
from hypothesis import strategies as st

from derive.errors import ProblemError
from derive.exam.tolerance import ONE_UNIT, tolerance, unit_of
from derive.numbers.decimals import read_number
from derive.numbers.rounding import Rounding, printed

FOUR, THREE = Rounding(digits=4, tiny="scientific"), Rounding(digits=None, significant=3)


@pytest.mark.parametrize(
    ("value", "rounding", "unit"),
    [
        ("1/3", FOUR, "0.0001"),
        ("-7", FOUR, "0.0001"),
        ("0", FOUR, "0.0001"),
        ("1/3000000", FOUR, "0.0001"),  # printed as 3.333e-07; four decimals of it are 0.0000
        ("2/3", THREE, "0.001"),
        ("20000/3", THREE, "10"),
        ("5", THREE, "0.01"),
        ("-0.05", THREE, "0.0001"),
        ("0", THREE, "0.01"),
        ("9.994", THREE, "0.01"),
        ("9.995", THREE, "0.1"),  # printed as 10.0
        ("9.996", THREE, "0.1"),
        ("-0.09996", THREE, "0.001"),
        ("1/3", Rounding(digits=4, fractions=True), "0.0001"),
        ("5/2", Rounding(digits=0), "1"),
        ("123456789012345678901.5", FOUR, "0.0001"),
        ("1234567890123456789012", FOUR, "1e17"),  # printed as 1.2346e+21
    ],
)
def test_one_unit_of_the_last_digit(value: str, rounding: Rounding, unit: str) -> None:
    """Of so many decimals, the same for all values; of significant digits, by what the value is rounded to."""
    assert unit_of(read_number(value), rounding) == read_number(unit)


@given(st.fractions(), st.integers(1, 6), st.sampled_from(["half-up", "half-even"]))
def test_the_unit_is_that_of_what_is_printed(value: object, digits: int, mode: str) -> None:
    """To significant digits, rounding a value does not change its unit; no value is further off than half of it."""
    exact = fmpq(value.numerator, value.denominator)  # type: ignore[attr-defined]
    rounding = Rounding(digits=None, significant=digits, mode=mode)  # type: ignore[arg-type]
    text = printed(exact, rounding)
    assert text is not None
    shown = read_number(text.text)
    assert unit_of(exact, rounding) == unit_of(shown, rounding)
    assert abs(exact - shown) <= unit_of(exact, rounding) / 2


def test_units_and_shares() -> None:
    """Half a unit, several, a share of the value; what is right as it is printed stays right under any share."""
    third, unit = fmpq(1, 3), unit_of(fmpq(1, 3), FOUR)
    for text, off in (
        (None, fmpq(1, 10000)),
        ("0.5u", fmpq(1, 20000)),
        ("3u", fmpq(3, 10000)),
        ("1%", third / 100),
        ("0.1", third / 10),
        ("0.5", third / 2),
        ("1e-9", unit / 2),
    ):
        assert tolerance(text).of(third, unit) == off
    assert tolerance("1%").of(fmpq(0), unit) == unit / 2
    assert tolerance(None) is ONE_UNIT


@pytest.mark.parametrize("text", ["", "u", "-1u", "0", "60%", "0.7", "0.51", "-0.1", "1", "1e", "half", "=1+1", "nan"])
def test_no_tolerance(text: str) -> None:
    """What is neither units nor a share up to a half is refused with what would do."""
    with pytest.raises(ProblemError, match="tolerance") as refused:
        tolerance(text)
    assert "1u" in str(refused.value.hint)

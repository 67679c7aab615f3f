"""How certified numbers are printed: fixed decimals, significant digits, powers of ten, and the form in JSON."""

from __future__ import annotations

import decimal
import math
from fractions import Fraction
from typing import Any

import pytest
from flint import arb, fmpq
from hypothesis import given
from hypothesis import strategies as st

from derive.numbers import functions
from derive.numbers.balls import (
    Number,
    UndecidedSign,
    enclosure,
    precision,
    settle,
)
from derive.numbers.certify import Undecided, certify
from derive.numbers.decimals import read_number
from derive.numbers.intervals import agrees
from derive.numbers.json_form import json_number, json_undecided
from derive.numbers.rounding import Printed, Rounding, printed
from roundings import EVEN, FOUR, SIGNIFICANT, TINY, ball, text

# --- printing --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("x", "fixed", "significant"),
    [
        ("4.3", "4.3", "4.3"),
        ("2", "2", "2"),
        ("-1", "-1", "-1"),
        ("0", "0", "0"),
        ("1/3", "0.3333", "0.3333"),
        ("-2/3", "-0.6667", "-0.6667"),
        ("0.49999", "0.5000", "0.5000"),
        ("0.99995", "1.0000", "1.000"),
        ("9.99951", "9.9995", "10.00"),
        ("0.12345", "0.1235", "0.1235"),
        ("-0.12345", "-0.1235", "-0.1235"),
        ("0.00003", "0.0000", "0.00003"),
        ("-0.00003", "0.0000", "-0.00003"),
        ("-0.00005", "-0.0001", "-0.00005"),
        ("0.0000123456", "0.0000", "0.00001235"),
        ("0.00000123456", "0.0000", "1.235e-06"),
        ("12345", "12345", "1.235e+04"),
        ("12340", "12340", "12340"),
        ("123456.789", "123456.789", "1.235e+05"),
        ("2e20", "200000000000000000000", "2e+20"),
        ("2e21", "2e+21", "2e+21"),
        ("1e30/7", "1.4286e+29", "1.429e+29"),
        ("1e-30", "0.0000", "1e-30"),
    ],
)
def test_exact_values(x: str, fixed: str, significant: str) -> None:
    """Short decimals print whole, others rounded and with their zeros, zero without a sign."""
    assert text(read_number(x)) == fixed
    assert text(read_number(x), SIGNIFICANT) == significant


def test_marks() -> None:
    """``exact`` says that the text is the value, ``tie`` that the mode chose."""
    assert printed(fmpq(43, 10), FOUR) == Printed("4.3", exact=True)
    assert printed(fmpq(1, 3), FOUR) == Printed("0.3333")
    assert printed(read_number("0.12345"), FOUR) == Printed("0.1235", tie=True)
    assert printed(read_number("0.12345"), EVEN) == Printed("0.1234", tie=True)
    assert printed(read_number("0.12355"), EVEN) == Printed("0.1236", tie=True)
    assert printed(read_number("-0.00005"), EVEN) == Printed("0.0000", tie=True)
    assert printed(read_number("1.235e-7/1"), Rounding(significant=3)) == Printed("1.24", -7, tie=True)
    assert text(read_number("2.5"), Rounding(0)) == "3"
    assert text(read_number("2.5"), Rounding(0, mode="half-even")) == "2"
    assert text(read_number("-0.4"), Rounding(0)) == "0"


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        ("0.00001234567", "1.235e-05"),
        ("-0.00003", "-3e-05"),
        ("0.00005", "0.0001"),
        ("0", "0"),
        ("1/7e7", "1.429e-08"),
        ("0.00004999999", "5.000e-05"),
    ],
)
def test_tiny_values_in_scientific_form(x: str, expected: str) -> None:
    """On wish a value whose decimals would all be zeros shows its digits, and a ball does so too."""
    value = read_number(x)
    assert text(value, TINY) == expected
    if "." in expected and value != 0 and "e" in expected:
        assert text(arb(value.p) / arb(value.q), TINY) == expected


def test_a_ball_around_zero_has_no_first_digit() -> None:
    """It prints as 0.0000 in decimals and is undecided where significant digits are asked for."""
    assert text(ball("0")) == "0.0000"
    assert text(ball("0"), TINY) is None
    assert text(ball("0"), SIGNIFICANT) is None
    assert text(settle(arb(0)), TINY) == "0"


def test_balls_print_when_they_lie_in_one_interval() -> None:
    """Near a boundary the width of the ball decides."""
    assert text(ball("0.12344")) == "0.1234"
    assert text(ball("0.12345", "1e-6")) is None
    assert text(ball("0.123451", "0.9e-6")) == "0.1235"
    assert text(ball("0.123451", "1.1e-6")) is None
    assert text(ball("0.99995", "1e-6"), Rounding(significant=3)) == "1.00"
    assert text(ball("123456789012345678901234567890"), FOUR) == "1.2346e+29"
    assert text(arb("inf")) is None
    assert text(arb("nan"), SIGNIFICANT) is None


def test_exponents_beyond_all_bounds() -> None:
    """exp(±10^9) is printed at once: no power of ten is ever written out."""
    assert text(arb(-(10**9)).exp()) == "0.0000"
    assert text(arb(10**9).exp(), SIGNIFICANT) == "8.003e+434294481"
    with precision(128):
        assert json_number(functions.exp(fmpq(-(10**9)))) == "1.2495342719210133e-434294482"


@pytest.mark.parametrize(
    ("power", "direction", "expected"), [(40, 1, "0.1235"), (400, 1, "0.1235"), (400, -1, "0.1234")]
)
def test_near_ties_are_decided_by_more_precision(power: int, direction: int, expected: str) -> None:
    """0.12345 ± 10^-40 needs 256 bits, 0.12345 ± 10^-400 needs 2,048; neither is a tie."""
    asked: list[int] = []

    def compute(bits: int) -> Number:
        asked.append(bits)
        return arb(fmpq(12345, 100000)) + arb(fmpq(direction, 10**power))

    assert certify(compute, FOUR) == Printed(expected)
    assert asked[-1] == {40: 256, 400: 2048}[power]
    assert asked == [64 * 2**k for k in range(len(asked))]


def test_a_hidden_tie_stays_undecided() -> None:
    """sigmoid(1) + sigmoid(-1) - 0.87655 is 0.12345 exactly, and no precision shows it."""

    def compute(bits: int) -> Number:
        return functions.sigmoid(fmpq(1)) + functions.sigmoid(fmpq(-1)) - fmpq(87655, 100000)

    result = certify(compute, FOUR)
    assert isinstance(result, Undecided)
    assert result.low < fmpq(12345, 100000) < result.high
    assert result.high - result.low < fmpq(1, 10**1000)
    assert json_undecided(result.low, result.high) == {"undecided": ["0.12344999999999999", "0.12345000000000001"]}


def test_an_undecided_sign_asks_for_more_precision() -> None:
    """A branch on 10^-100 is taken at 512 bits; a branch on a hidden zero never."""

    def relu_of(y: fmpq) -> Number:
        return functions.relu(arb(1).exp() + y - arb(1).exp())

    assert certify(lambda bits: relu_of(fmpq(1, 10**100)), SIGNIFICANT) == Printed("1.000", -100)
    with pytest.raises(UndecidedSign):
        certify(lambda bits: relu_of(fmpq(0)), FOUR)


@given(st.fractions(-1000, 1000, max_denominator=10**7), st.integers(0, 9), st.sampled_from(["half-up", "half-even"]))
def test_fixed_decimals_against_python(x: Fraction, digits: int, mode: Any) -> None:
    """Rounding to decimals is that of Python's ``decimal``, exactly and for a ball around the value."""
    with decimal.localcontext(prec=60) as context:
        context.traps[decimal.Inexact] = False
        rule = decimal.ROUND_HALF_UP if mode == "half-up" else decimal.ROUND_HALF_EVEN
        scaled = x * 10**digits
        exact_ = scaled.denominator == 1
        whole = decimal.Decimal(scaled.numerator) / decimal.Decimal(scaled.denominator)
        expected = whole.to_integral_value(rule).scaleb(-digits)
    value = fmpq(x.numerator, x.denominator)
    result = printed(value, Rounding(digits, mode=mode))
    assert result is not None
    assert Fraction(result.text) == Fraction(expected)
    assert result.exact == exact_
    assert not result.text.startswith("-0") or Fraction(result.text) != 0
    if exact_:
        assert len(result.text.partition(".")[2].rstrip("0")) == len(result.text.partition(".")[2])
    else:
        assert len(result.text.partition(".")[2]) == digits
    with precision(200):
        around = printed(arb(value), Rounding(digits, mode=mode))
    if around is not None:
        assert Fraction(around.text) == Fraction(expected)
    assert (around is not None) or result.tie
    assert agrees(value, result.text)


@given(
    st.fractions(max_denominator=10**9).filter(bool),
    st.integers(-30, 30),
    st.integers(1, 12),
    st.sampled_from(["half-up", "half-even"]),
)
def test_significant_digits_against_python(x: Fraction, power: int, significant: int, mode: Any) -> None:
    """Rounding to significant digits is that of Python's ``decimal``; the text reads back as the rounded value."""
    x = x * Fraction(10) ** power
    rule = decimal.ROUND_HALF_UP if mode == "half-up" else decimal.ROUND_HALF_EVEN
    with decimal.localcontext(prec=significant, rounding=rule, Emin=-9999, Emax=9999):
        expected = decimal.Decimal(x.numerator) / decimal.Decimal(1)
    with decimal.localcontext(prec=200, Emin=-9999, Emax=9999):
        long = decimal.Decimal(x.numerator) / decimal.Decimal(x.denominator)
    with decimal.localcontext(prec=significant, rounding=rule, Emin=-9999, Emax=9999):
        expected = +long
    result = printed(fmpq(x.numerator, x.denominator), Rounding(significant=significant, mode=mode))
    assert result is not None
    assert Fraction(result.text) == Fraction(expected)
    assert result.exact == (Fraction(expected) == x)
    assert float(result.text) == float(expected)
    if not result.exact:
        assert len(result.mantissa.lstrip("-0.").replace(".", "")) == significant


@given(st.fractions(-100, 100, max_denominator=10**6))
def test_certified_digits_are_right_at_any_width(x: Fraction) -> None:
    """Whatever a ball prints is what every value in it prints: its ends and its middle."""
    value = fmpq(x.numerator, x.denominator)
    for width in (fmpq(1, 10**3), fmpq(1, 10**5), fmpq(1, 10**9)):
        around = arb(arb(value).mid(), arb(width).upper())
        if (result := printed(around, FOUR)) is not None:
            low, high = enclosure(around)
            ends = [printed(end, FOUR) for end in (low, value, high)]
            assert {Fraction(end.text) for end in ends if end} == {Fraction(result.text)}


def test_roundings_that_make_no_sense() -> None:
    """A rounding needs a count, and known words."""
    for wrong in ({"digits": None}, {"digits": -1}, {"significant": 0}, {"mode": "up"}, {"tiny": "hide"}):
        with pytest.raises(ValueError, match=r"rounding|counts"):
            Rounding(**wrong)


# --- the form in JSON ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        ("4.3", "4.3"),
        ("1/3", "1/3"),
        ("-22/7", "-22/7"),
        ("0", "0"),
        ("120", "120"),
        ("0.00001234", "0.00001234"),
        ("0.000001234", "1.234e-06"),
        ("12345678901234567", "12345678901234567"),
        ("123456789012345678901", "123456789012345678901"),
        ("0.123456789012345678", "61728394506172839/500000000000000000"),
        ("1e20", "1e+20"),
        ("1e-300", "1e-300"),
        (f"{10**40}/{3**40}", "8.2252633399699591e+20"),
        (f"1/{3**60}", "1/42391158275216203514294433201"),
    ],
)
def test_json_of_exact_values(x: str, expected: str) -> None:
    """A decimal of up to 17 digits, else a fraction of up to 60 characters, else 17 digits."""
    assert json_number(read_number(x)) == expected


def test_json_of_balls() -> None:
    """Seventeen certified digits that ``float`` reads, or nothing."""
    with precision(128):
        x = functions.sigmoid(fmpq(43, 10))
    assert json_number(x) == "0.98661308217233522"
    assert float(json_number(x) or "") == pytest.approx(1 / (1 + math.exp(-4.3)), rel=1e-15)
    assert json_number(ball("0.5", "1e-10")) is None
    assert json_number(ball("0.000012345")) == "0.000012345000000000000"
    assert json_number(ball("-0.00000123", "1e-40")) == "-1.2300000000000000e-06"


@given(st.fractions(max_denominator=10**30))
def test_json_of_rationals_reads_back(x: Fraction) -> None:
    """Short forms are exact; seventeen digits are within half a unit of the last."""
    spelled = json_number(fmpq(x.numerator, x.denominator))
    assert spelled is not None
    assert len(spelled) <= 60
    if "/" in spelled or len(spelled.lstrip("-0.").replace(".", "").partition("e")[0]) < 17:
        assert Fraction(spelled) == x
    assert agrees(fmpq(x.numerator, x.denominator), spelled) if "/" not in spelled else True

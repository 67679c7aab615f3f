"""Certified numbers: what is read, what is kept exact, what is printed, and what is left undecided."""

from __future__ import annotations

import decimal
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from flint import arb, ctx, fmpq

from derive.numbers import arrays, functions
from derive.numbers.balls import (
    DomainError,
    Number,
    UndecidedSign,
    certainly_equal,
    enclosure,
    exact,
    midpoint,
    overlaps,
    precision,
    settle,
    sign,
)
from derive.numbers.decimals import rational, read_number
from derive.numbers.intervals import agrees, contains, read_interval
from derive.numbers.json_form import json_number
from derive.numbers.tensor import Tensor
from roundings import FOUR, SIGNIFICANT, ball, text

# --- reading ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spelled", "value"),
    [
        ("0.1", fmpq(1, 10)),
        ("-2.5e-3", fmpq(-1, 400)),
        ("1/3", fmpq(1, 3)),
        (" -1.5 / 0.5 ", fmpq(-3)),
        (".5", fmpq(1, 2)),
        ("5.", fmpq(5)),
        ("+1_000.000_1E2", fmpq(10000001, 100)),
        ("0e5", fmpq(0)),
    ],
)
def test_decimals_are_read_exactly(spelled: str, value: fmpq) -> None:
    """0.1 is 1/10."""
    assert read_number(spelled) == value


@pytest.mark.parametrize(
    ("spelled", "message"),
    [
        *(
            (word, "is not a number")
            for word in ("nan", "inf", "-Infinity", "", "1e", "e5", ".", "0x10", "1__0", "١", "1.2.3")
        ),
        *((word, "is out of range") for word in ("1e999999", "1e-1001", "1e99999999999999")),
        ("1" * 1001, "has more than 1000 digits"),
        ("1/0", "divides by zero"),
        ("1/2/3", "is not a number"),
    ],
)
def test_what_is_no_number(spelled: str, message: str) -> None:
    """No text makes the reader fail otherwise, or work long."""
    with pytest.raises(ValueError, match=message):
        read_number(spelled)


def test_python_numbers() -> None:
    """Floats are read by their repr, NumPy's by the shortest text of their own precision."""
    values = (
        1,
        0.1,
        Fraction(1, 3),
        "0.1",
        np.float64(0.1),
        np.float32(0.1),
        np.int64(7),
        decimal.Decimal("0.10"),
        1e-7,
    )
    tenth = fmpq(1, 10)
    assert [rational(v) for v in values] == [1, tenth, fmpq(1, 3), tenth, tenth, tenth, 7, tenth, fmpq(1, 10**7)]
    for bad in (math.nan, math.inf, np.float64("nan")):
        with pytest.raises(ValueError, match="not a number"):
            rational(bad)
    for wrong in (True, np.True_, None, [1], 1j):
        with pytest.raises(TypeError):
            rational(wrong)


# --- rationals and balls ---------------------------------------------------------------------------------------------


def test_settling() -> None:
    """A rational of more than 256 bits becomes a ball around it, a proved zero becomes exact."""
    short, long = fmpq(2**256 - 1, 3), fmpq(2**256, 3)
    assert settle(short) is short
    assert exact(settle(short))
    assert not exact(settle(long))
    assert overlaps(settle(long), long)
    zero = settle(arb(0) * arb(1).exp())
    assert exact(zero)
    assert zero == 0
    assert not exact(settle(ball("0")))


def test_precision_is_given_back() -> None:
    """The working precision is that of before, after an error too."""
    before = ctx.prec
    with precision(999):
        assert ctx.prec == 999
    with pytest.raises(ZeroDivisionError), precision(999):
        fmpq(1) / fmpq(0)
    assert ctx.prec == before


def test_enclosures_and_signs() -> None:
    """An enclosure holds the value; a sign is told only when it is certain."""
    low, high = enclosure(arb(2).sqrt())
    assert low**2 < 2 < high**2
    assert enclosure(fmpq(1, 3)) == (fmpq(1, 3), fmpq(1, 3))
    assert [sign(x) for x in (fmpq(-2), fmpq(0), arb(3), arb(0), ball("0"), ball("1e-40"))] == [-1, 0, 1, 0, None, None]
    for endless in (arb("inf"), arb("nan"), arb(-(10**9)).exp()):
        with pytest.raises(ValueError, match=r"bounds|fractions"):
            enclosure(endless)


def test_equal_and_overlapping() -> None:
    """A ball with a radius is certainly equal to nothing, and overlaps what it contains."""
    third = fmpq(1, 3)
    assert certainly_equal(third, fmpq(2, 6))
    assert certainly_equal(arb(2), fmpq(2))
    assert not certainly_equal(arb(third), arb(third))
    assert overlaps(arb(third), third)
    assert overlaps(third, third)
    assert not overlaps(arb(third), third + fmpq(1, 10**9))
    assert not overlaps(third, fmpq(1, 2))
    with precision(64):  # 1/3 + 10^-30 is not in a 128-bit ball around 1/3, however coarse the working precision is
        with precision(128):
            fine = arb(third)
        assert not overlaps(fine, third + fmpq(1, 10**30))


def test_midpoints() -> None:
    """Doubles for plotting and for the oracle's comparisons, beyond their range too."""
    assert midpoint(fmpq(1, 10)) == 0.1
    assert midpoint(ball("0.5")) == 0.5
    assert midpoint(fmpq(10**400, 10**400 + 1)) == 1.0
    assert midpoint(fmpq(10**400)) == math.inf


# --- printed decimals as intervals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spelled", "low", "high"),
    [
        ("0.7896", "0.78955", "0.78965"),
        ("-1.2", "-1.25", "-1.15"),
        ("2", "1.5", "2.5"),
        ("1.20e-05", "1.195e-5", "1.205e-5"),
        ("1e+04", "5000", "15000"),
        ("−0.50", "-0.505", "-0.495"),
    ],
)
def test_a_printed_decimal_is_an_interval(spelled: str, low: str, high: str) -> None:
    """Half a unit of the last digit to both sides."""
    interval = read_interval(spelled)
    assert (interval.low, interval.high) == (read_number(low), read_number(high))


def test_agreement() -> None:
    """Yes, no, or not to be told; either neighbour of a tie agrees."""
    assert agrees(fmpq(1, 3), "0.3333") is True
    assert agrees(fmpq(1, 3), "0.3334") is False
    assert agrees(read_number("0.12345"), "0.1234") is True
    assert agrees(read_number("0.12345"), "0.1235") is True
    assert agrees(ball("0.12345", "1e-6"), "0.1235") is None
    assert contains(read_interval("0.5"), ball("0.5")) is True
    for wrong in ("1/3", "nan", "", "."):
        with pytest.raises(ValueError, match="not a"):
            read_interval(wrong)


# --- functions -------------------------------------------------------------------------------------------------------

PYTHON: dict[str, Callable[[float], float]] = {
    "exp": math.exp,
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "tanh": math.tanh,
    "softplus": lambda x: math.log(1 + math.exp(x)),
    "sin": math.sin,
    "cos": math.cos,
    "erf": math.erf,
    "absolute": abs,
    "square": lambda x: x * x,
    "relu": lambda x: max(x, 0.0),
}


@pytest.mark.parametrize("name", PYTHON)
def test_functions_enclose_the_truth(name: str) -> None:
    """Each function of a rational, and of a ball, lies where the double says."""
    f, expected = getattr(functions, name), PYTHON[name]
    for p in (-7, -1, 1, 2, 30):
        x = fmpq(p, 4)
        for argument in (x, arb(x)):
            assert midpoint(f(argument)) == pytest.approx(expected(p / 4), rel=1e-13)


def test_expected_values_are_exact() -> None:
    """The values that a reader knows by heart are rationals, not balls."""
    zero, one = fmpq(0), fmpq(1)
    known = {
        functions.exp(zero): one,
        functions.log(one): zero,
        functions.sigmoid(zero): fmpq(1, 2),
        functions.tanh(zero): zero,
        functions.sin(zero): zero,
        functions.cos(zero): one,
        functions.log2(fmpq(1, 8)): fmpq(-3),
        functions.sqrt(fmpq(4, 9)): fmpq(2, 3),
        functions.power(fmpq(8, 27), fmpq(-2, 3)): fmpq(9, 4),
        functions.power(fmpq(-1), fmpq(10**30 + 1)): fmpq(-1),
        functions.divide(zero, arb(3).exp()): zero,
    }
    assert all(exact(found) and found == expected for found, expected in known.items())
    assert functions.softmax([fmpq(1, 7)] * 3) == [fmpq(1, 3)] * 3
    assert not exact(functions.sqrt(fmpq(2)))
    assert not exact(functions.power(fmpq(3, 2), fmpq(1000)))


def test_powers() -> None:
    """Whole powers take any base, fractional ones none below zero."""
    assert functions.power(fmpq(-2, 3), fmpq(3)) == fmpq(-8, 27)
    assert midpoint(functions.power(arb(fmpq(-2)), fmpq(-3))) == -0.125
    assert midpoint(functions.power(fmpq(2), fmpq(1, 2))) == pytest.approx(math.sqrt(2))
    assert midpoint(functions.power(arb(3), fmpq(-1, 2))) == pytest.approx(3**-0.5)
    assert midpoint(functions.power(fmpq(3, 2), fmpq(10**6))) == math.inf
    assert functions.power(ball("0"), fmpq(0)) == 1
    for base, exponent in ((fmpq(0), fmpq(-1)), (fmpq(-2), fmpq(1, 2)), (arb(-2), fmpq(1, 2))):
        with pytest.raises(DomainError):
            functions.power(base, exponent)
    with pytest.raises(UndecidedSign):
        functions.power(ball("0"), fmpq(1, 2))


def test_softmax_far_out() -> None:
    """A billion apart, nothing overflows, and both logarithms agree with the probabilities."""
    logits: list[Number] = [fmpq(-(10**9)), fmpq(0), arb(1)]
    values = functions.softmax(logits)
    assert text(values[0], SIGNIFICANT) == "3.361e-434294483"
    assert text(values[1]) == "0.2689"
    assert [text(x) for x in functions.log_softmax(logits)] == ["-1000000001.3133", "-1.3133", "-0.3133"]
    assert text(functions.log_sum_exp(logits)) == "1.3133"


def test_branches_need_a_certain_sign() -> None:
    """Where a ball does not tell, the caller is asked for precision; a convention fills in at zero."""
    assert functions.relu(arb(-1)) == 0
    assert functions.step(fmpq(0), fmpq(1, 2)) == fmpq(1, 2)
    assert functions.maximum(fmpq(1), fmpq(1)) == 1
    assert functions.minimum(arb(1), fmpq(2)) == 1
    assert functions.compare("<=", fmpq(1), arb(1))
    assert functions.compare("!=", ball("1"), fmpq(2))
    assert not functions.compare("==", ball("1"), fmpq(2))
    doubtful = ball("0")
    for call in (
        lambda: functions.relu(doubtful),
        lambda: functions.step(doubtful),
        lambda: functions.maximum(doubtful, fmpq(0)),
        lambda: functions.compare("==", doubtful, fmpq(0)),
        lambda: functions.log(doubtful),
        lambda: functions.sqrt(doubtful),
        lambda: functions.divide(fmpq(1), doubtful),
    ):
        with pytest.raises(UndecidedSign):
            call()
    for call in (
        lambda: functions.log(fmpq(0)),
        lambda: functions.log(arb(-1)),
        lambda: functions.log2(fmpq(-1)),
        lambda: functions.sqrt(arb(-1)),
        lambda: functions.sqrt(fmpq(-1)),
        lambda: functions.divide(arb(1), fmpq(0)),
    ):
        with pytest.raises(DomainError):
            call()


# --- arrays ----------------------------------------------------------------------------------------------------------


def numbers(values: Any) -> arrays.Array:
    """An array of tenths."""
    a = np.asarray(values)
    return arrays.filled(a.shape, [fmpq(int(x), 10) for x in a.ravel()])


def test_a_scalar_is_an_array() -> None:
    """Shape () goes in and comes out, though NumPy unwraps it on the way."""
    half = arrays.from_tensor(Tensor((), (fmpq(1, 2),)))
    assert half.shape == ()
    assert not isinstance(half + half, np.ndarray)
    total = arrays.settle_all(half + half)
    assert total.shape == ()
    assert total.item() == 1
    assert arrays.elementwise(functions.exp, arrays.wrap(half - half)).item() == 1
    assert arrays.to_floats(half).shape == ()


@pytest.mark.parametrize(("m", "n", "p"), [(1, 1, 1), (2, 3, 4), (7, 1, 5), (0, 3, 2), (2, 0, 3)])
@pytest.mark.parametrize("kind", ["exact", "left", "right", "both"])
def test_matmul_against_numpy(m: int, n: int, p: int, kind: str) -> None:
    """Exact and mixed products are NumPy's, and exact ones are exactly so."""
    rng = np.random.default_rng(m + 10 * n + 100 * p)
    left, right = rng.integers(-99, 99, size=(m, n)), rng.integers(-99, 99, size=(n, p))
    a, b = numbers(left), numbers(right)
    if kind in ("left", "both"):
        a = arrays.filled(a.shape, [arb(x) for x in arrays.entries(a)])
    if kind in ("right", "both"):
        b = arrays.filled(b.shape, [arb(x) for x in arrays.entries(b)])
    product = arrays.matmul(a, b)
    assert np.allclose(arrays.to_floats(product), left @ right / 100, rtol=1e-13)
    if kind == "exact":
        assert arrays.all_exact(product)
    truth = fmpq(1, 100) * arrays.filled(product.shape, map(fmpq, (left @ right).ravel().tolist()))
    assert all(overlaps(x, y) for x, y in zip(arrays.entries(product), arrays.entries(truth), strict=True))


def test_mixed_products_keep_exact_entries() -> None:
    """An entry is a ball only where a ball is multiplied with something other than zero."""
    e = arb(1).exp()
    half, zero, two = fmpq(1, 2), fmpq(0), fmpq(2)
    a = arrays.filled((3, 2), [half, zero, e, zero, two, e])
    b = arrays.filled((2, 3), [two, zero, e, e, zero, zero])
    product = arrays.matmul(a, b)
    assert [exact(x) for x in arrays.entries(product)] == [True, True, False, False, True, False, False, True, False]
    assert product[0, 0] == 1
    assert product[1, 1] == 0
    assert overlaps(product[2, 0], 4 + e * e)


def test_long_denominators_go_on_as_balls() -> None:
    """A product whose common denominator would be endless is worked out in balls; what comes out is still right."""
    primes = [p for p in range(3, 20000) if all(p % d for d in range(2, int(p**0.5) + 1))]
    a = arrays.filled((1, len(primes)), [fmpq(1, p) for p in primes])
    product = arrays.matmul(a, a.T)
    assert not arrays.all_exact(product)
    assert arrays.to_floats(product).item() == pytest.approx(sum(1 / p**2 for p in primes), rel=1e-12)


def test_errors_name_the_entry() -> None:
    """The index of the broadcast result, counted from 0."""
    a, row = numbers([[1, 2], [3, 4]]), numbers([[5, 0]])
    with pytest.raises(DomainError, match="division by zero") as caught:
        arrays.divide(a, row)
    assert caught.value.entry == (0, 1)
    assert arrays.divide(row, a)[1, 0] == fmpq(5, 3)
    doubtful = arrays.filled((1, 2), [fmpq(1), ball("0")])
    with pytest.raises(UndecidedSign) as unsure:
        arrays.elementwise(functions.relu, doubtful)
    assert unsure.value.entry == (0, 1)
    with pytest.raises(DomainError) as alone:
        arrays.elementwise(functions.log, arrays.wrap(fmpq(0)))
    assert alone.value.entry == ()
    with pytest.raises(ValueError, match="no matrix product"):
        arrays.matmul(a, numbers([[1, 2]]))


def test_sums_and_lines() -> None:
    """A sum along an axis keeps it; a function of lines works along any axis."""
    a = numbers([[1, 2, 3], [4, 5, 6]])
    assert arrays.total(a).item() == fmpq(21, 10)
    assert arrays.total(a).shape == ()
    assert arrays.total(a, 0).tolist() == [[fmpq(5, 10), fmpq(7, 10), fmpq(9, 10)]]
    assert arrays.total(a, -1).shape == (2, 1)
    assert arrays.total(numbers(7)).item() == fmpq(7, 10)
    columns = arrays.along(functions.softmax, a - a, 0)
    assert columns.tolist() == [[fmpq(1, 2)] * 3] * 2
    assert arrays.along(functions.softmax, a - a, 1).tolist() == [[fmpq(1, 3)] * 3] * 2
    upper = arrays.along(functions.softmax, a, 0)
    assert np.allclose(arrays.to_floats(upper).sum(axis=0), 1)


def test_many_entries_are_printed_in_good_time() -> None:
    """A hundred thousand balls print to 17 digits in seconds (some 5 microseconds each)."""
    with precision(128):
        some = [arb(fmpq(k + 1, 7919)).exp() for k in range(1000)]
    assert all(json_number(x) for x in some)
    assert all(arrays.print_array(arrays.filled((10, 100), some), FOUR))

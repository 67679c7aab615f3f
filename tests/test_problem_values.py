from __future__ import annotations

import decimal
import io
import zipfile
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from flint import fmpq, fmpz

from derive.errors import ProblemError
from derive.numbers.tensor import Tensor
from derive.problem import Problem, problem_from_text
from derive.problem.exact import exact


def _read(value: str, folder: Path | None = None) -> Tensor:
    return problem_from_text(f"equations = 'y = x'\n[given]\nx = {value}\n", folder=folder).given["x"]


def _refused(value: str, folder: Path | None = None) -> ProblemError:
    with pytest.raises(ProblemError) as caught:
        _read(value, folder)
    assert caught.value.file == "problem.toml"
    return caught.value


def _given(value: object) -> Tensor:
    return Problem.from_equations("y = x", given={"x": value}).given["x"]


@pytest.mark.parametrize(
    ("value", "shape", "entries"),
    [
        ("3", (), ["3"]),
        ("0.1", (), ["1/10"]),
        ("-1.5e-2", (), ["-3/200"]),
        ("0x10", (), ["16"]),
        ("1_000.5", (), ["2001/2"]),
        ("'1/3'", (), ["1/3"]),
        ("' -0.5 / 3 '", (), ["-1/6"]),
        ("[1, 2.5]", (1, 2), ["1", "5/2"]),
        ("[1]", (1, 1), ["1"]),
        ("[[1], ['2/4']]", (2, 1), ["1", "1/2"]),
        ("[[1, 2], [3, 4]]", (2, 2), ["1", "2", "3", "4"]),
        ("[[[1, 2]], [[3, 4]]]", (2, 1, 2), ["1", "2", "3", "4"]),
        ("-0.0", (), ["0"]),
        ("1e300", (), [str(10**300)]),
        ("0e99", (), ["0"]),
        ("0." + "3" * 900, (), [f"{'3' * 900}/{10**900}"]),
    ],
)
def test_values_are_exact(value: str, shape: tuple[int, ...], entries: list[str]) -> None:
    """A number is the written fraction; a flat list is a row, nested lists are more axes."""
    tensor = _read(value)
    assert tensor.shape == shape
    assert tensor.entries == tuple(fmpq(*map(int, entry.split("/"))) for entry in entries)


@pytest.mark.parametrize(
    ("value", "message", "line"),
    [
        ("nan", "'nan' is not a number", 3),
        ("-inf", "'-inf' is not a number", 3),
        ("1e999999", "'1e999999' is too large or too small", 3),
        ("1e-999999", "'1e-999999' is too large or too small", 3),
        ("1e301", "too large", 3),
        ("1" + "0" * 400, "too large", 3),
        ("0." + "0" * 400 + "1", "too small", 3),
        ("0." + "3" * 1000, "more than 1000 digits", 3),
        ("0x" + "f" * 5000, "too large", 3),
        ("true", "truth value true", 3),
        ("[1, true]", "entry 2 of x", 3),
        ("'x'", "'x' is not a number", 3),
        ("'1/0'", "divides by zero", 3),
        ("'1/2/3'", "is not a number", 3),
        ("'0,5'", "is not a number", 3),
        ("'１'", "is not a number", 3),
        ("'1e300/1e-300'", "too large", 3),
        ("2020-01-01", "a date or time", 3),
        ("[]", "empty", 3),
        ("[[]]", "empty", 3),
        ("[[1], []]", "row 2 of x has 0 entries, expected are 1", 3),
        ("[[1, 2],\n [3]]", "row 2 of x has 1 entry, expected are 2", 4),
        ("[\n 1,\n [2]]", "entry 2 of x is a list, expected is a number", 5),
        ("[[1, 2], 3]", "row 2 of x is the number 3, expected is a list of 2", 3),
        ("[[1, 2],\n [3,\n nan]]", "entry (2, 2) of x: 'nan'", 5),
        ("[[[1], [2]], [[3], [4, 5]]]", "entry (2, 2) of x has 2 entries", 3),
        ("[" * 9 + "1" + "]" * 9, "more than 8 axes", 3),
        ("{ fil = 'x.npy' }", "unknown key fil", 3),
        ("{ array = 'x' }", "without the name of a file", 3),
        ("{ file = 'x.npy' }", "no folder", 3),
    ],
)
def test_values_that_are_refused(value: str, message: str, line: int) -> None:
    """What is no finite number, and what is no full block of numbers, is one message that names entry and line."""
    found = _refused(value)
    assert message in found.message
    assert found.line == line
    assert len(str(found)) < 300


def test_a_decimal_comma_is_guessed() -> None:
    """`0,5` is answered with the right spelling."""
    assert _refused("'0,5'").hint == "write 0.5"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.1, fmpq(1, 10)),
        (np.float64(0.1), fmpq(1, 10)),
        (np.float32(0.1), fmpq(1, 10)),
        (np.int64(-3), fmpq(-3)),
        (1e-7, fmpq(1, 10**7)),
        (Fraction(1, 3), fmpq(1, 3)),
        (decimal.Decimal("0.10"), fmpq(1, 10)),
        (fmpq(1, 3), fmpq(1, 3)),
        (fmpz(3), fmpq(3)),
        (10**30, fmpq(10**30)),
        ("1/3", fmpq(1, 3)),
    ],
)
def test_python_numbers_are_exact(value: object, expected: fmpq) -> None:
    """A float is read by its repr, at its own width; fractions and decimals as they are."""
    assert exact(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        np.True_,
        1j,
        float("nan"),
        float("inf"),
        np.float64("nan"),
        decimal.Decimal("nan"),
        object(),
        b"1",
        10**301,
        {1},
    ],
)
def test_python_values_that_are_no_numbers(value: object) -> None:
    """Whatever is no finite number is a `ProblemError`."""
    with pytest.raises(ProblemError):
        exact(value)


def test_arrays_are_accepted_wherever_lists_are() -> None:
    """A 1-D array is a row, a 0-d array a scalar; lists of arrays nest."""
    assert _given(np.array([0.1, 0.2])) == Tensor((1, 2), (fmpq(1, 10), fmpq(1, 5)))
    assert _given(np.array(0.1, dtype=np.float32)) == Tensor((), (fmpq(1, 10),))
    assert _given(np.arange(4, dtype=np.uint8).reshape(2, 2)) == Tensor((2, 2), tuple(map(fmpq, range(4))))
    assert _given([np.array([1, 2]), (3, 4)]) == Tensor((2, 2), tuple(map(fmpq, range(1, 5))))
    assert _given(np.array(["1/3"], dtype=object)) == Tensor((1, 1), (fmpq(1, 3),))
    for wrong in (
        np.array([1j]),
        np.array([True]),
        np.array(["a"]),
        np.array([np.nan]),
        np.zeros((0, 3)),
        [[1], np.ones(2)],
    ):
        with pytest.raises(ProblemError, match="x"):
            _given(wrong)
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(ProblemError, match="8 axes"):
        _given(loop)


def test_values_from_files(tmp_path: Path) -> None:
    """An array may stand in an .npz or .npy file in the problem's folder or below it."""
    (tmp_path / "sub").mkdir()
    np.savez(tmp_path / "w.npz", W=np.array([[0.1, 0.2]]), b=np.float32(0.1))
    np.savez_compressed(tmp_path / "c.npz", W=np.arange(3))
    np.save(tmp_path / "sub" / "v.npy", np.asfortranarray([[1, 2], [3, 4]]))
    assert _read('{ file = "w.npz", array = "W" }', tmp_path) == Tensor((1, 2), (fmpq(1, 10), fmpq(1, 5)))
    assert _read('{ file = "w.npz", array = "b" }', tmp_path) == Tensor((), (fmpq(1, 10),))
    assert _read('{ file = "c.npz", array = "W" }', tmp_path).shape == (1, 3)
    assert _read('{ file = "sub/v.npy" }', tmp_path).entries == tuple(map(fmpq, (1, 2, 3, 4)))


def test_files_that_are_refused(tmp_path: Path) -> None:
    """No path out of the folder, no pickle, no array that is not there, and no damaged or monstrous file."""
    home = tmp_path / "home"
    home.mkdir()
    np.save(tmp_path / "out.npy", np.ones(2))
    np.save(home / "in.npy", np.ones(2))
    np.savez(home / "w.npz", W1=np.ones(2), W2=np.ones(2))
    np.save(home / "pickle.npy", np.array([{}], dtype=object), allow_pickle=True)
    np.save(home / "complex.npy", np.array([1j]))
    np.save(home / "nan.npy", np.array([1, np.nan]))
    (home / "broken.npy").write_bytes((home / "in.npy").read_bytes()[:-3])
    (home / "broken.npz").write_bytes((home / "w.npz").read_bytes()[:50])
    (home / "text.npy").write_text("hello")
    (home / "data.csv").write_text("1,2")
    (home / "link.npy").symlink_to(tmp_path / "out.npy")
    (home / "folder.npy").mkdir()
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (10**9, 10**9)})
    (home / "huge.npy").write_bytes(header.getvalue())
    with zipfile.ZipFile(home / "huge.npz", "w") as archive:
        archive.writestr("W.npy", header.getvalue())
    for value, message in (
        ('{ file = "../out.npy" }', "outside the problem's folder"),
        (f'{{ file = "{tmp_path}/out.npy" }}', "outside the problem's folder"),
        (f'{{ file = "{home}/in.npy" }}', "outside the problem's folder"),
        ('{ file = "..\\\\out.npy" }', "outside the problem's folder"),
        ('{ file = "link.npy" }', "outside the problem's folder"),
        ('{ file = "none.npy" }', "no file none.npy"),
        ('{ file = "folder.npy" }', "no file folder.npy"),
        ('{ file = "data.csv" }', "no .npy or .npz"),
        ('{ file = "w.npz" }', "w.npz holds W1 and W2"),
        ('{ file = "w.npz", array = "W3" }', "no array W3"),
        ('{ file = "w.npz", array = 3 }', "the number 3"),
        ('{ file = "in.npy", array = "x" }', "one array without a name"),
        ('{ file = "pickle.npy" }', "values of type object"),
        ('{ file = "complex.npy" }', "values of type complex128"),
        ('{ file = "nan.npy" }', "entry 2 of x: 'nan'"),
        ('{ file = "broken.npy" }', "cannot be read as an array"),
        ('{ file = "broken.npz", array = "W1" }', "cannot be read as an array"),
        ('{ file = "text.npy" }', "cannot be read as an array"),
        ('{ file = "huge.npy" }', "entries, at most"),
        ('{ file = "huge.npz", array = "W" }', "entries, at most"),
        ('{ file = "" }', "without the name of a file"),
        ('{ file = "a\\u0000.npy" }', "without the name of a file"),
        ('{ file = "' + "a" * 5000 + '.npy" }', ""),
    ):
        found = _refused(value, home)
        assert message in found.message, value
        assert found.line == 3
    assert "nearest: W1" in str(_refused('{ file = "w.npz", array = "w1" }', home))

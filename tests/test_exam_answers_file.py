"""Files of answers: what is read from CSV and JSON, and one message with file and line for what cannot be meant."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from flint import fmpq

import exams
from derive.errors import ProblemError
from derive.exam.marking import json_lines, read
from derive.exam.marking.given import Given, read_given
from derive.exam.marking.marks import is_number, table
from derive.exam.marking.matrices import entries_of
from derive.exam.marking.read import Sheet, read_sheets
from derive.exam.variant import Variant

ASKED = {"a": {"z": (1, 3), "W": (2, 2), "E": ()}}
HEAD = "student,variant,question,quantity,index,value"
WHOLE = [HEAD, "s1,AB2C,a,z,,1 2 3", "s1,AB2C,a,W,,1 2; 3 4", "s1,AB2C,a,E,,0.5"]


def sheets(folder: Path, text: str | bytes, suffix: str = "csv", **options: Any) -> tuple[Sheet, ...]:
    """What is read from a file with this content."""
    path = folder / f"answers.{suffix}"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_sheets(path, VARIANTS, ASKED, **options)


VARIANTS: Sequence[Variant] = (exams.variant(), exams.variant(2, "XY3Z"))


def values(sheet: Sheet, quantity: str) -> list[fmpq | None]:
    return [one.value if isinstance(one, Given) else None for one in sheet.answers["a"][quantity].values()]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.5", fmpq(1, 2)), ("0,5", fmpq(1, 2)), ("−2.5", fmpq(-5, 2)), ("–1", fmpq(-1)), ("3/4", fmpq(3, 4)),
        ("1 1/2", fmpq(3, 2)), ("-1 1/2", fmpq(-3, 2)), ("2.4e-3", fmpq(24, 10000)), ("2,4 · 10^-3", fmpq(24, 10000)),
        ("+7", fmpq(7)), ("０．５", fmpq(1, 2)), (" .5 ", fmpq(1, 2)),
    ],
)  # fmt: skip
def test_numbers_as_students_write_them(text: str, value: fmpq) -> None:
    """Points and commas, typographers' signs, fractions, mixed numbers, powers of ten, full-width digits."""
    assert read_given(text).value == value


@pytest.mark.parametrize(
    "text",
    ["abc", "=1+1", "@SUM(A1)", "1,234.5", "1 234", "1/0", "1 1/0", "nan", "inf", "0x1", "1+1", "9" * 200, "[1]"],
)
def test_what_is_no_number(text: str) -> None:
    """Texts, formulas, thousands, divisions by zero, and numbers longer than anyone writes."""
    with pytest.raises(ProblemError):
        read_given(text)


@pytest.mark.parametrize(
    "text", ["1 2; 3 4", "[[1, 2], [3, 4]]", "1, 2; 3, 4", "[1 2; 3 4]", "1,0 2,0; 3,0 4,0", "1 2\n3 4"]
)
def test_matrices_in_one_cell(text: str) -> None:
    """Rows and entries as NumPy, Matlab and people set them apart."""
    assert [read_given(entry).value for entry in entries_of(text, (2, 2))] == [1, 2, 3, 4]


@pytest.mark.parametrize(("text", "suffix"), [
    ("\n".join(WHOLE), "csv"),
    ("\ufeff" + "\r\n".join(WHOLE), "csv"),
    ("\n".join(WHOLE).replace(",", ";").replace("1 2; 3 4", '"1 2; 3 4"'), "csv"),
    ("\n".join(line.replace(",", "\t") for line in WHOLE), "csv"),
    (json.dumps({"students": [{"student": "s1", "variant": "AB2C", "answers": {
        "a": {"z": [1, 2, 3], "W": [[1, 2], [3, 4]], "E": 0.5}}}]}), "json"),
    (json.dumps([{"student": "s1", "variant": 1, "answers": {
        "a": {"z": {"1": 1, "1,2": "2", "3": 3}, "W": "1 2; 3 4", "E": "1/2"}}}]), "json"),
])  # fmt: skip
def test_one_sheet_in_many_forms(tmp_path: Path, text: str, suffix: str) -> None:
    """Commas, semicolons, tabs, a byte order mark, JSON nested or with indices: the same sheet."""
    [sheet] = sheets(tmp_path, text, suffix)
    assert (sheet.student, sheet.variant) == ("s1", 1)
    assert [values(sheet, quantity) for quantity in ("z", "W", "E")] == [[1, 2, 3], [1, 2, 3, 4], [fmpq(1, 2)]]


@pytest.mark.parametrize("code", ["quiz/AB2C", "AB 2C", "ab-2c", " ab2c ", "quiz/ab 2c", "1"])
def test_a_code_as_it_is_printed_or_scanned(tmp_path: Path, code: str) -> None:
    """What the square on a paper holds, and a code set apart by blanks or in small letters, name the variant."""
    [sheet] = sheets(tmp_path, "\n".join(WHOLE).replace("AB2C", code))
    assert sheet.variant == 1


def test_a_code_from_another_exam_is_refused(tmp_path: Path) -> None:
    """What is scanned names its exam, too; a code that is typed does not."""
    for code, fits in (("quiz/AB2C", True), ("AB2C", True), ("other/AB2C", False)):
        text = "\n".join(WHOLE).replace("AB2C", code)
        if fits:
            assert len(sheets(tmp_path, text, exam="quiz")) == 1
        else:
            with pytest.raises(ProblemError, match=r"'other/AB2C' is on a paper of another exam.*this one is quiz"):
                sheets(tmp_path, text, exam="quiz")


def test_an_empty_cell_is_no_answer(tmp_path: Path) -> None:
    """An empty cell stands for an entry that was left out, and that of a matrix for all of its entries."""
    [sheet] = sheets(tmp_path, "\n".join([*WHOLE[:2], "s1,AB2C,a,W,,", "s1,AB2C,a,E,,"]))
    assert values(sheet, "W") == [None] * 4
    assert values(sheet, "E") == [None]


def test_missing_rows_are_told_or_allowed(tmp_path: Path) -> None:
    """Entries without a row are one message that names the first; with --allow-missing they are empty."""
    with pytest.raises(ProblemError, match=r"rows are missing: a: W\[1,1\] of 's1', .*--allow-missing"):
        sheets(tmp_path, "\n".join(WHOLE[:2]))
    [sheet] = sheets(tmp_path, "\n".join(WHOLE[:2]), allow_missing=True)
    assert values(sheet, "E") == [None]


def test_students_of_the_manifest_need_no_variant(tmp_path: Path) -> None:
    """Where each variant is one student's, the column may be missing, and nobody else may answer."""
    own = (Variant(1, "AB2C", VARIANTS[0].chosen, "s1"), Variant(2, "XY3Z", VARIANTS[0].chosen, "s2"))
    path = tmp_path / "answers.csv"
    path.write_text("student,question,quantity,value\ns2,a,E,1\n")
    [sheet] = read_sheets(path, own, {"a": {"E": ()}})
    assert sheet.variant == 2
    path.write_text("student,question,quantity,value\ns3,a,E,1\n")
    with pytest.raises(ProblemError, match="no student 's3'"):
        read_sheets(path, own, {"a": {"E": ()}})


BAD = [
    ("", 1, "the file is empty"),
    (f"{HEAD}\n", 1, "no answers"),
    ("\n".join([*WHOLE, "s2,AB2C,a,E,,1"]), 5, "rows are missing: a: z.*'s2'"),
    (f'{HEAD}\ns1,AB2C,a,z,,"[[1, 2], [3]]"\n', 2, "expected is 1 × 3"),
    (f'{HEAD}\ns1,AB2C,a,z,,"1 2; 3"\n', 2, "expected is 1 × 3"),
    ("student,value\n", 1, "column question is missing"),
    (f"{HEAD},grade\n", 1, "no column 'grade'"),
    (f"{HEAD},value\n", 1, "column value stands twice"),
    (f"{HEAD}\ns1,AB2C,a,E,0.5\n", 2, "5 cells"),
    (f"{HEAD}\n,AB2C,a,E,,0.5\n", 2, "the id of a student is empty"),
    (f"{HEAD}\ns1,,a,E,,0.5\n", 2, "names no variant"),
    (f"{HEAD}\ns1,AB2D,a,E,,0.5\n", 2, "no variant 'AB2D'.*nearest: AB2C"),
    (f"{HEAD}\ns1,AB2C,b,E,,0.5\n", 2, "no question 'b'"),
    (f"{HEAD}\ns1,AB2C,a,w,,0.5\n", 2, "does not ask for 'w'.*nearest: W"),
    (f'{HEAD}\ns1,AB2C,a,z,"1,4",0.5\n', 2, "no entry '1,4'"),
    (f"{HEAD}\ns1,AB2C,a,z,x,0.5\n", 2, "not counted from 1"),
    (f"{HEAD}\ns1,AB2C,a,z,,1 2\n", 2, "expected is 1 × 3"),
    (f"{HEAD}\ns1,AB2C,a,E,,half\n", 2, "not a number"),
    (f"{HEAD}\n\ns1,AB2C,a,E,,=1+1\n", 3, "formula"),
    (f"{HEAD}\ns1,AB2C,a,z,,=1 2 3\n", 2, "formula"),
    (f"{HEAD}\ns1,AB2C,a,E,,1\ns1,AB2C,a,E,,1\n", 3, "stands twice, in line 2 and here"),
    (f"{HEAD}\ns1,AB2C,a,E,,1\ns1,XY3Z,a,z,,1 2 3\n", 3, "the variants AB2C and XY3Z"),
    (f'{HEAD}\ns1,AB2C,a,E,,"1\n', 2, "no CSV"),
    (f"{HEAD}\ns\u202e1,AB2C,a,E,,1\n", 2, "cannot be printed"),
    (HEAD.encode("utf-16"), None, "UTF-16"),
    (f"{HEAD}\nM\xfcller,AB2C,a,E,,1\n".encode("latin-1"), 2, "not in UTF-8"),
    (f"{HEAD}\ns1,AB2C,a,E,,\0\n", 2, "NUL"),
]


@pytest.mark.parametrize(("text", "line", "message"), BAD)
def test_a_table_that_cannot_be_meant(tmp_path: Path, text: str | bytes, line: int | None, message: str) -> None:
    """One message, with the file and the line that it is about."""
    with pytest.raises(ProblemError, match=message) as caught:
        sheets(tmp_path, text)
    assert caught.value.file == str(tmp_path / "answers.csv")
    assert caught.value.line == line


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "no JSON"), ("{", 1, "no JSON"), ('{"students": [1]}', 1, "expected is an object"),
        ("[]\n]", 2, "behind the end"), ('{"students":\n[],\n"students": []}', 3, "stands twice"),
        ('[{"student": "s1",\n"answer": {}}]', 2, "unknown key 'answer'.*nearest: answers"), ("[" * 50, 1, "deeper"),
        ('[{"student": "s1", "variant": 1, "answers":\n{"a": {"E":\ntrue}}}]', 3, "'true' is not a number"),
        ('[{"student": "s1", "variant": 1, "answers": {"a": {"E":\n"=1"}}}]', 2, "formula"),
        ('{"pupils": []}', 1, "unknown key 'pupils'"), ("3", 1, "expected is"),
    ],
)  # fmt: skip
def test_json_that_cannot_be_meant(tmp_path: Path, text: str, line: int, message: str) -> None:
    """The same of JSON: the line is that of the value."""
    with pytest.raises(ProblemError, match=message) as caught:
        sheets(tmp_path, text, "json")
    assert caught.value.line == line


def test_a_million_rows_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More rows than the bound end the reading there; a file too large is not read at all."""
    monkeypatch.setattr(read, "MOST_ROWS", 3)
    rows = "".join(f"s{k},AB2C,a,E,,1\n" for k in range(10))
    with pytest.raises(ProblemError, match="more than 3 rows") as caught:
        sheets(tmp_path, f"{HEAD}\n{rows}")
    assert caught.value.line == 5
    monkeypatch.setattr(read, "MOST_BYTES", 10)
    with pytest.raises(ProblemError, match="at most 10 are read"):
        sheets(tmp_path, HEAD)


def test_json_is_counted_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More values than the bound end the reading on the line where there is one too many."""
    monkeypatch.setattr(json_lines, "MOST_VALUES", 5)
    with pytest.raises(ProblemError, match="more than 5 values") as caught:
        sheets(tmp_path, "[" + "1,\n" * 20 + "1]", "json")
    assert caught.value.line == 5


def test_no_cell_starts_a_formula() -> None:
    """What a spreadsheet would work out gets an apostrophe; numbers, negative ones too, stay numbers."""
    texts = [
        "=1+1",
        "+SUM(A1)",
        "-2+3",
        "@x",
        "\tx",
        "\r=x",
        " =x",
        "＝1",
        "-3/4",
        '=cmd|"/c"!A1',
        "a,b",
        'say "x"',
        "\n=1",
        "\u200b=1",
        "\ufeff\u200d+A1",
        "\u00a0=1",
        "x;=1",
    ]
    numbers = ["-0.5", "+2", "3", "-2.4e-3"]
    assert b'"x;=1"' in table([texts])
    rows = list(csv.reader(io.StringIO(table([texts, numbers]).decode(), newline="")))
    assert rows[1] == numbers
    assert all(map(is_number, numbers))
    assert not any(cell.lstrip(" \u00a0\u200b\u200d\ufeff")[:1] in tuple("=+-@\t\r\n＝") for cell in rows[0])
    assert [cell.removeprefix("'") for cell in rows[0]] == texts

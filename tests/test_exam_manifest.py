"""The manifest of an exam, the codes of its variants, and lists of students: written, read back, and looked at."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flint import fmpq

import exams
from derive.errors import ProblemError
from derive.exam.exam import Activations, Exam
from derive.exam.reading.read import read_exam
from derive.exam.searching.search import search
from derive.exam.sets.codes import ALPHABET, codes, read_code
from derive.exam.sets.exact_text import exact_text, nested, read_nested
from derive.exam.sets.manifest import Manifest, manifest_bytes, manifest_from, manifest_of, read_manifest
from derive.exam.sets.students import read_students, students_from
from derive.exam.tables import LONGEST_ID
from derive.numbers.tensor import Tensor

Table = dict[str, Any]


def reader(texts: Mapping[str, str], name: str) -> Exam:
    """In place of ``exam_of``: the exam made in Python, whose activation varies too."""
    question = exams.relu_question()
    vary = {**question.vary, "h": Activations(("relu", "abs"))}
    return replace(exams.exam(replace(question, vary=vary), exams.sigmoid_question()), name=name, sources=texts)


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    """Three variants, two of them of students."""
    exam = replace(reader({"exam.toml": 'title = "Ünder"\n'}, "quiz"), file="m.json")
    found = search(exam, 3, 7, ["ada", "=HYPERLINK(1)", "王"])
    variants = (replace(found.variants[0], student=None), *found.variants[1:])
    return manifest_of(exam, 7, variants)


# ── written and read back ──


def test_a_manifest_comes_back_as_it_was(manifest: Manifest) -> None:
    """Values, activations, students, seed and texts; and what is written again is the same, byte for byte."""
    data = manifest_bytes(manifest)
    again = manifest_from(data, "m.json", reader)
    assert (again.variants, again.seed, again.version) == (manifest.variants, 7, manifest.version)
    assert again.exam.sources == manifest.exam.sources
    assert manifest_bytes(again) == data
    assert again.variant(manifest.variants[1].code.lower()) == manifest.variants[1]


def test_a_manifest_is_plain_json_with_sorted_keys(manifest: Manifest) -> None:
    """Every table has its keys in order, numbers are texts in the rows of their matrices, and no line is endless."""
    text = manifest_bytes(manifest).decode()

    def in_order(pairs: list[tuple[str, Any]]) -> Table:
        assert [key for key, _ in pairs] == sorted(key for key, _ in pairs)
        return dict(pairs)

    table = json.loads(text, object_pairs_hook=in_order)
    values = table["variants"][0]["questions"]["a"]["values"]
    assert [len(row) for row in values["W1"]] == [3, 3]
    assert isinstance(values["b2"], str)
    assert values["W1"][0][0] == exact_text(manifest.variants[0].chosen["a"].values["W1"].entries[0])
    assert max(map(len, text.splitlines())) < 120
    assert "王" in text


def test_a_manifest_of_files_needs_nothing_but_itself(tmp_path: Path) -> None:
    """The exam that a starter makes is read again from the texts in its manifest, elsewhere, and is the same."""
    from importlib import resources

    home, away = tmp_path / "home", tmp_path / "away"
    home.mkdir()
    away.mkdir()
    for file in resources.files("derive.exam.reading.starters").iterdir():
        if file.name.endswith(".toml"):
            (home / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    exam = read_exam(home / "exam.toml")
    found = search(exam, 2, 3)
    (away / "manifest.json").write_bytes(manifest_bytes(manifest_of(exam, 3, found.variants)))
    again = read_manifest(away / "manifest.json")
    assert again.variants == found.variants
    assert replace(again.exam, file=exam.file) == exam


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (fmpq(0), "0"), (fmpq(-1, 2), "-0.5"), (fmpq(1, 3), "1/3"), (fmpq(-7, 3), "-7/3"), (fmpq(10**20), "1" + "0" * 20),
        (fmpq(1, 1000), "0.001"), (fmpq(1234, 100), "12.34"), (fmpq(1, 10**40), "1/1" + "0" * 40),
    ],
)  # fmt: skip
def test_a_number_is_written_exactly(value: fmpq, text: str) -> None:
    """Decimals as decimals, the rest as fractions; what is read is what was written."""
    assert exact_text(value) == text
    assert read_nested(text, ()) == Tensor.of((), [value])


@pytest.mark.parametrize("shape", [(), (1, 3), (2, 2), (2, 1, 3)])
def test_rows_are_as_deep_as_the_shape(shape: tuple[int, ...]) -> None:
    """A number, a row, a matrix, a stack: the lists are nested like the axes."""
    size = 1
    for length in shape:
        size *= length
    tensor = Tensor.of(shape, [fmpq(k, 7) for k in range(size)])
    assert read_nested(nested(tensor), shape) == tensor


# ── what is no manifest ──


def _spoilt(manifest: Manifest, change: Callable[[Table], object]) -> bytes:
    table = json.loads(manifest_bytes(manifest))
    change(table)
    return json.dumps(table).encode()


def _values(table: Table) -> Table:
    values: Table = table["variants"][0]["questions"]["a"]["values"]
    return values


SPOILT: dict[str, tuple[Callable[[Table], object], str]] = {
    "newer": (lambda t: t.update(format=2), r"format 2, and this version reads up to 1"),
    "no format": (lambda t: t.pop("format"), r"format of the manifest is nothing"),
    "format true": (lambda t: t.update(format=True), r"format of the manifest is the truth value"),
    "unknown key": (lambda t: t.update(sede=1), r"'sede'.*nearest: seed"),
    "seed text": (lambda t: t.update(seed="7"), r"seed is the text '7', expected is a whole number"),
    "language": (lambda t: t.update(languages=["en", "xx"]), r"languages has 'xx'"),
    "no languages": (lambda t: t.update(languages=[]), r"languages is empty"),
    "sources": (lambda t: t.update(sources={"exam.toml": 3}), r"sources\.exam\.toml is the number 3"),
    "variants": (lambda t: t.update(variants={}), r"variants is a table, expected is a list"),
    "variant": (lambda t: t["variants"].append(3), r"a variant is the number 3, expected is a table"),
    "same code": (lambda t: t["variants"][1].update(code=t["variants"][0]["code"]), r"two variants have the code"),
    "same number": (lambda t: t["variants"][1].update(number=1), r"two variants have the number 1"),
    "same numbers": (
        lambda t: t["variants"][1]["questions"].update(b=t["variants"][2]["questions"]["b"]),
        r"the variants \w{5} and \w{5} have the same numbers in question b",
    ),
    "same student": (lambda t: t["variants"][1].update(student="王"), r"two variants have the student '王'"),
    "number 0": (lambda t: t["variants"][0].update(number=0), r"number of a variant is the number 0"),
    "misread code": (lambda t: t["variants"][0].update(code="AAAAA"), r"code of variant 1 is 'AAAAA'"),
    "student": (lambda t: t["variants"][0].update(student=" "), r"student of variant 1: the id of a student is empty"),
    "question": (lambda t: t["variants"][0]["questions"].update(z={}), r"has 'z', which the exam does not know"),
    "no question": (lambda t: t["variants"][0]["questions"].pop("a"), r"questions of variant 1 has no 'a'"),
    "name": (lambda t: _values(t).update(W3=[]), r"values of question a of variant 1 has 'W3'.*there are x, t, W1"),
    "no name": (lambda t: _values(t).pop("W1"), r"question a of variant 1 has no 'W1'"),
    "rows": (
        lambda t: _values(t)["W1"].pop(),
        r"W1 in question a of variant 1: it is a list of 1, expected is one of 2",
    ),
    "columns": (lambda t: _values(t)["W1"][1].pop(), r"W1 .*: entry \[2\] is a list of 2, expected is one of 3"),
    "deep": (lambda t: _values(t).update(b2=[["1"]]), r"b2 .*: it is a list, expected is an exact number in quotes"),
    "float": (lambda t: _values(t)["x"][0].__setitem__(1, 0.5), r"entry \[1, 2\] is the number 0.5, expected"),
    "formula": (lambda t: _values(t).update(b2="=1+1"), r"b2 .*: '=1\+1' is not a number"),
    "nan": (lambda t: _values(t).update(b2="nan"), r"b2 .*'nan' is not a number"),
    "function": (lambda t: t["variants"][0]["questions"]["a"]["functions"].update(h="rele"), r"h in .*nearest: relu"),
    "no function": (lambda t: t["variants"][0]["questions"]["a"]["functions"].clear(), r"has no 'h'"),
}


@pytest.mark.parametrize("case", SPOILT)
def test_what_is_wrong_in_a_manifest_is_said(case: str, manifest: Manifest) -> None:
    """One message with the file, for every kind of thing that may stand there instead of the right one."""
    change, message = SPOILT[case]
    with pytest.raises(ProblemError) as refused:
        manifest_from(_spoilt(manifest, change), "m.json", reader)
    assert refused.value.file == "m.json"
    refused.match(message)


@pytest.mark.parametrize(
    ("data", "line", "message"),
    [
        (b'{\n"format": 1,\n}', 3, "this is no JSON"),
        (b'{"a": 1,\n"\xff": 2}', 2, "no UTF-8"),
        (b"", 1, "this is no JSON"),
        (b"[" * 100_000, None, "too deep"),
        (b'{"seed": NaN}', None, "NaN is no number"),
        (b'{"seed": 1, "seed": 2}', None, "'seed' stands twice"),
        (b'{"format": ' + b"9" * 10_000 + b"}", None, "no manifest"),
        (b"[]", None, "the manifest is a list, expected is a table"),
    ],
)
def test_what_is_no_json_is_refused(data: bytes, line: int | None, message: str) -> None:
    """With the line where the text breaks off."""
    with pytest.raises(ProblemError, match=message) as refused:
        manifest_from(data, "m.json", reader)
    assert (refused.value.file, refused.value.line) == ("m.json", line)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    """Neither a missing file nor a folder ends in a traceback."""
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(ProblemError, match="cannot read the manifest"):
            read_manifest(path, reader)


# ── codes ──


def test_codes_are_different_and_show_a_misreading() -> None:
    """A thousand codes, each once; any one character changed and any two neighbours swapped make none."""
    found = codes("quiz", 7, 1000)
    assert len(set(found)) == 1000
    assert codes("quiz", 7, 10) == found[:10]
    assert codes("quiz", 8, 10) != found[:10]
    for code in found[:20]:
        assert read_code(f" {code[:2].lower()}-{code[2:]}") == code
        for k in range(len(code)):
            others = (code[:k] + letter + code[k + 1 :] for letter in ALPHABET if letter != code[k])
            assert {read_code(other) for other in others} == {None}
        for k in range(len(code) - 1):
            swapped = code[:k] + code[k + 1] + code[k] + code[k + 2 :]
            assert swapped == code or read_code(swapped) is None


def test_codes_have_no_characters_that_look_alike() -> None:
    """Neither 0 and O nor 1, I and L, 5 and S, 2 and Z, 8 and B, U and V; and the check needs a prime number of them."""
    for alike in ("0O", "1IL", "5S", "2Z", "8B", "UV"):
        assert sum(character in ALPHABET for character in alike) <= 1
    assert all(len(ALPHABET) % k for k in range(2, len(ALPHABET)))
    with pytest.raises(ProblemError, match="the most is"):
        codes("quiz", 7, 10**6)


# ── students ──


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("ada\nbob\n", ("ada", "bob")),
        ("\ufeffada\r\n\r\nbob", ("ada", "bob")),
        ("name,Student\nAda L.,s1\nBob,s2\n", ("s1", "s2")),
        ("id\n=1+1\n@x\n", ("=1+1", "@x")),
        ('"Lovelace, Ada"\n', ("Lovelace, Ada",)),
        ("王小明\n", ("王小明",)),
    ],
)
def test_students_stand_one_a_line_or_in_a_column(text: str, ids: tuple[str, ...], tmp_path: Path) -> None:
    """What looks like a formula is a text like any other."""
    (tmp_path / "s.csv").write_bytes(text.encode())
    assert read_students(tmp_path / "s.csv") == ids


@pytest.mark.parametrize(
    ("data", "line", "message"),
    [
        (b"ada\nbob\n\nada\n", 4, "'ada' stands on line 1 already"),
        (b"id\ns1\n\"\"\n", 3, "the id of a student is empty"),
        (b"name,mark\nada,3\n", 1, 'called "student" or "id"'),
        (b"id,name\ns1,Ada\ns2,Bob,C\n", 3, "3 cells, and the first line has 2"),
        (b"name,id\nada\n", 2, "no id"),
        (b"a" * (LONGEST_ID + 1), 1, f"the most is {LONGEST_ID}"),
        (b"ada\nb\x07b\n", 2, "cannot be printed"),
        (b"ada\n\xff\n", 2, "not in UTF-8"),
        (b"\xff\xfea\x00", None, "UTF-16"),
        (b'ada\n"bo', 2, "this is no CSV"),
        (b"\n\n", None, "there are no students"),
        (b"id\n", None, "there are no students"),
    ],
)  # fmt: skip
def test_a_bad_list_of_students_is_refused(data: bytes, line: int | None, message: str) -> None:
    """One message with file and line."""
    with pytest.raises(ProblemError, match=message) as refused:
        students_from(data, "s.csv")
    assert (refused.value.file, refused.value.line) == ("s.csv", line)

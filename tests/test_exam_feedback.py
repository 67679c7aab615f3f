"""``derive mark``: marks, pages and a summary from a manifest and a file of answers; every sentence of it is used."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

import exams
from derive.cli import main
from derive.exam.building.solved import solved
from derive.exam.exam import Exam
from derive.exam.marking import feedback as feedback_module
from derive.exam.marking import spoken as spoken_module
from derive.exam.marking import summary as summary_module
from derive.exam.marking import ticked_pages as ticked_pages_module
from derive.exam.marking.bench import Bench
from derive.exam.marking.judge import VERDICTS
from derive.exam.marking.marks import Room
from derive.exam.variant import Variant
from derive.report.catalogue import catalogue

HOSTILE = r"<script>alert(1)</script> {{7*7}} \input{x} =cmd"
SPOILT = {("a", "z", (1, 1)): "2", ("a", "E", ()): "", ("b", "p", (1, 1)): "1/2"}


@pytest.fixture
def manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An exam put together in Python stands behind whatever manifest is named."""
    made: tuple[Exam, tuple[Variant, ...]] = (exams.exam(), (exams.variant(),))
    monkeypatch.setattr("derive.cli.mark._exam", lambda word: made)
    return tmp_path


def answers(folder: Path, language: str = "") -> str:
    """Three students: one right, one with slips and a hostile name, one with zeros."""
    room = Room(exams.exam(), (exams.variant(),), solved)
    path = folder / "answers.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(("student", "variant", "question", "quantity", "index", "value", "language"))
        for student in ("ada", HOSTILE, "zoe"):
            for id, bench in room.benches(1).items():
                assert isinstance(bench, Bench)
                for (quantity, index), one in bench.right.items():
                    text = (
                        SPOILT.get((id, quantity, index), one.printed.text) if student == HOSTILE else one.printed.text
                    )
                    text = "0" if student == "zoe" else text
                    rows.writerow((student, "ab2c", id, quantity, ",".join(map(str, index)), text, language))
    return str(path)


def test_marks_pages_and_a_summary(manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Tables, data, a page for each student and a summary; the same bytes each time, and nothing hostile in them."""
    out = manifest / "out"
    arguments = ["mark", "exam", answers(manifest), "--out", str(out), "--format", "md,html"]
    assert main(arguments) == 0
    assert "3 papers marked" in capsys.readouterr().out
    first = {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    names = {str(path) for path in first}
    assert {"marks.csv", "totals.csv", "marks.json", "summary.md", "feedback/ada.md", "feedback/zoe.html"} <= names
    assert sum(name.startswith("feedback/") and name.endswith(".md") for name in names) == 3
    assert not any(b"<script>alert" in content for path, content in first.items() if path.suffix == ".html")
    totals = list(csv.DictReader((out / "totals.csv").read_text("utf-8").splitlines()))
    assert totals[0]["points"] == totals[0]["of"] == "16"
    assert float(totals[1]["points"]) < 16
    assert int(totals[2]["flagged"]) > 0
    assert main(arguments) == 0
    assert first == {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()}


def test_marks_as_json(manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--json prints the marks and writes nothing."""
    file = answers(manifest)
    before = set(manifest.iterdir())
    assert main(["mark", "exam", file, "--json", "--out", str(manifest / "out")]) == 0
    data = json.loads(capsys.readouterr().out)
    assert [one["student"] for one in data["students"]] == ["ada", HOSTILE, "zoe"]
    assert data["students"][0]["points"] == "16"
    assert set(manifest.iterdir()) == before


def test_a_page_in_the_students_language(manifest: Path) -> None:
    """The column language decides, unless --lang does."""
    out = manifest / "out"
    assert main(["mark", "exam", answers(manifest, "zh"), "--out", str(out)]) == 0
    assert "评阅反馈" in (out / "feedback" / "ada.md").read_text("utf-8")
    assert main(["mark", "exam", answers(manifest, "zh"), "--out", str(out), "--lang", "en"]) == 0
    assert "feedback" in (out / "feedback" / "ada.md").read_text("utf-8")


def test_what_a_value_is_of_is_named(manifest: Path) -> None:
    """Behind the right formula, which may be of a step on the way, stands the quantity whose value follows."""
    out = manifest / "out"
    assert main(["mark", "exam", answers(manifest), "--out", str(out)]) == 0
    pages = "".join(path.read_text("utf-8") for path in (out / "feedback").iterdir())
    said = re.findall(r"With your own values before it, (.*)", pages)
    assert said
    assert all(re.match(r"\$[^$]+\$( after update \d+)? is ", one) for one in said), said


def test_bad_input_writes_nothing(manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One message, exit status 2, and no folder."""
    out = manifest / "out"
    file = answers(manifest)
    Path(file).write_text(Path(file).read_text("utf-8").replace(",2.5,", ",=1+1,", 1), "utf-8")
    for arguments in (["mark", "exam", file], ["mark", "exam", file, "--tolerance", "x"], ["mark", "exam", "none.csv"]):
        assert main([*arguments, "--out", str(out)]) == 2
        assert "Traceback" not in capsys.readouterr().err
        assert not out.exists()


def test_a_decimal_comma_is_a_number_in_the_table(manifest: Path) -> None:
    """An answer of -0,25 stands in the table as a negative number and not as a text."""
    file, out = Path(answers(manifest)), manifest / "out"
    file.write_text(file.read_text("utf-8").replace(",2.5,", ',"-0,25",', 1), "utf-8")
    assert main(["mark", "exam", str(file), "--out", str(out), "--no-feedback"]) == 0
    rows = list(csv.DictReader((out / "marks.csv").read_text("utf-8").splitlines()))
    assert [row["answer"] for row in rows].count("-0.25") == 1


def test_every_word_on_marks_is_used() -> None:
    """The sentences of marking are those that pages and summaries ask for."""
    modules = (feedback_module, spoken_module, summary_module, ticked_pages_module)
    source = "".join(Path(str(module.__file__)).read_text("utf-8") for module in modules)
    asked = set(re.findall(r'"(marking\.\w+)"', source))
    asked |= {f"marking.{key}" for key in (*VERDICTS, *feedback_module.FLAGS)}
    asked |= {f"marking.{key}" for key in ("quantity", "answer", "verdict", "points", "entries", "share", "slip")}
    asked |= {f"marking.{key}" for key in ("students", "place")}
    assert asked == {key for key in catalogue("en").keys if key.startswith("marking.")}

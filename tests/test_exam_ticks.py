"""Questions that are answered by ticking: what may be ticked, what it earns, and what the pages say of it."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from flint import fmpq

import exams
from derive.cli import main
from derive.errors import ProblemError
from derive.exam.building.solved import solved
from derive.exam.exam import Exam
from derive.exam.marking.bench import Bench
from derive.exam.marking.judge import EMPTY, RIGHT, WRONG
from derive.exam.marking.marks import Paper, Room, mark
from derive.exam.marking.read import Sheet, read_sheets
from derive.exam.marking.tick import FALSE, TRUE, Ticks, read_tick
from derive.exam.marking.ticked import FORMS, TickBench
from derive.exam.papers import documents
from derive.exam.platforms.compose import items
from derive.exam.platforms.items import Choice, Judgement
from derive.exam.variant import Variant
from derive.report.document import Items, Math, Paragraph, Question, Strong

HEAD = ("student", "variant", "question", "quantity", "index", "value", "language")
VARIANTS = tuple(range(1, 6))
Ticked = Mapping[tuple[str, str], str]  # what is ticked, by question and quantity


@cache
def exam() -> Exam:
    """A question in each form that is ticked, between two whose values are asked for."""
    every = {one.id: one for one in exams.every_form().questions}
    return exams.exam(*(every[id] for id in ("worked", *FORMS, "blanks")))


@cache
def variants() -> tuple[Variant, ...]:
    return tuple(exams.variant_of(exam(), number, f"V{number}XY") for number in VARIANTS)


@cache
def room() -> Room:
    return Room(exam(), variants(), solved)


@cache
def right(number: int) -> Ticked:
    """The right ticks of a variant, as the items of the learning platforms have them."""
    variant = variants()[number - 1]
    found = {}
    for item in items(exam(), variant, solved(exam(), variant), "en"):
        steps = iter(exam().question(item.question).steps)
        for task in item.tasks:
            if isinstance(task, Judgement):
                found[item.question, next(steps)] = "true" if task.true else "false"
            elif isinstance(task, Choice):
                [k] = [k for k, option in enumerate(task.options) if option.right]
                hunted = exam().question(item.question).form == "find_error"
                found[item.question, "line" if hunted else next(steps)] = str(k + 1) if hunted else "abcd"[k]
    return found


def turned(ticks: Ticked, keep: str = "") -> Ticked:
    """Every tick made wrong: the next letter, the other word, the next line, but for one question."""
    other = {"true": "false", "false": "true", "a": "b", "b": "c", "c": "d", "d": "a"}
    return {
        key: word if key[0] == keep else other.get(word, "1" if word != "1" else "2") for key, word in ticks.items()
    }


def rows(student: str, number: int, ticks: Ticked, language: str = "") -> Iterator[tuple[str, ...]]:
    """The rows of a student who has every value right, and these ticks."""
    for id, bench in room().benches(number).items():
        if isinstance(bench, Bench):
            for (quantity, index), one in bench.right.items():
                place = ",".join(map(str, index))
                yield student, variants()[number - 1].code, id, quantity, place, one.printed.text, language
    for (id, quantity), word in ticks.items():
        yield student, variants()[number - 1].code, id, quantity, "", word, language


def written(folder: Path, *every: Iterator[tuple[str, ...]]) -> Path:
    path = folder / "answers.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([HEAD, *(row for each in every for row in each)])
    return path


def sheets(path: Path, **options: Any) -> tuple[Sheet, ...]:
    return read_sheets(path, variants(), room().asked(), **options)


def verdicts(paper: Paper) -> dict[tuple[str, str], str]:
    """The verdicts on ticks."""
    return {
        (one.question, entry.quantity): entry.verdict
        for one in paper.questions
        if exam().question(one.question).form in FORMS
        for entry in one.entries
    }


# ── right and wrong ─────────────────────────────────────────────────────────────────────────────────────────────


def test_every_right_tick_earns_its_points(tmp_path: Path) -> None:
    """In every variant what the platforms hold to be right earns all points, whose right letters differ."""
    path = written(tmp_path, *(rows(f"s{number}", number, right(number)) for number in VARIANTS))
    papers = mark(room(), sheets(path))
    assert [paper.points for paper in papers] == [exam().points] * len(VARIANTS)
    assert {verdict for paper in papers for verdict in verdicts(paper).values()} == {RIGHT}
    for key in right(1):
        assert len({right(number)[key] for number in VARIANTS}) > 1, key


def test_the_printed_solution_has_the_same_letters() -> None:
    """Bold letters of the printed solution: those of each choice in their order, and the wrong line."""
    for number in VARIANTS:
        variant = variants()[number - 1]
        blocks = documents(exam(), variant, solved(exam(), variant), "en", ["solution"])["solution"].blocks
        printed: dict[str, list[str]] = {}
        question = iter(exam().questions)
        for block in blocks:
            if isinstance(block, Question) and not block.part:
                printed[id := next(question).id] = []
            elif isinstance(block, Paragraph) and printed:
                printed[id] += [span.text.strip("()") for span in block.spans if isinstance(span, Strong)]
            elif isinstance(block, Items) and exam().question(id).form == "judge":
                strong = [span.text for item in block.items for span in item if isinstance(span, Strong)]
                printed[id] += [{"right": "true", "wrong": "false"}[text] for text in strong]
        for form in ("choice", "judge"):
            assert printed[form] == [right(number)[form, quantity] for quantity in exam().question(form).steps]
        [line] = printed["find_error"]
        lines = Ticks("find_error", 26)
        assert read_tick(line, lines).option == read_tick(right(number)["find_error", "line"], lines).option


def test_a_wrong_tick_earns_nothing_and_its_slip_is_named(tmp_path: Path) -> None:
    """Everything ticked wrongly: only values earn points; the slip is the one behind the option that was ticked."""
    for number in VARIANTS:
        wrong = turned(right(number))
        [paper] = mark(room(), sheets(written(tmp_path, rows("s", number, wrong))))
        assert set(verdicts(paper).values()) == {WRONG}
        values = [question.points for question in exam().questions if question.form not in FORMS]
        assert paper.points == sum(values, fmpq(0))
        variant = variants()[number - 1]
        [item] = [one for one in items(exam(), variant, solved(exam(), variant), "en") if one.question == "choice"]
        [marked] = [one for one in paper.questions if one.question == "choice"]
        assert [slip.quantity for slip in marked.slips] == list(exam().question("choice").steps)
        for task, slip in zip(item.tasks, marked.slips, strict=True):
            assert isinstance(task, Choice)
            bench = room().benches(number)["choice"]
            assert isinstance(bench, TickBench)
            option = "abcd".index(wrong["choice", slip.quantity])
            choice = bench.ticked[slip.quantity].choice
            assert choice is not None
            assert not task.options[option].right
            assert choice.options[option].slip is slip.alternatives[0]
            assert [Math(choice.options[option].latex)] == list(task.options[option].said)


def test_only_a_wrong_equation_has_a_slip_to_overlook(tmp_path: Path) -> None:
    """Who takes a wrong equation for right overlooks its slip; who takes a right one for wrong has none."""
    [paper] = mark(room(), sheets(written(tmp_path, rows("s", 1, turned(right(1))))))
    [marked] = [one for one in paper.questions if one.question == "judge"]
    overlooked = [quantity for (id, quantity), word in right(1).items() if id == "judge" and word == "false"]
    assert [slip.quantity for slip in marked.slips] == overlooked
    assert 0 < len(overlooked) < len(marked.entries)


def test_an_empty_tick_is_no_answer(tmp_path: Path) -> None:
    """Empty cells are empty answers; rows that are not there are an error, unless they are allowed to be missing."""
    path = written(tmp_path, rows("s", 1, dict.fromkeys(right(1), " ")))
    [paper] = mark(room(), sheets(path))
    assert set(verdicts(paper).values()) == {EMPTY}
    path = written(tmp_path, rows("s", 1, {}))
    with pytest.raises(ProblemError, match="rows are missing: choice: z of 's'"):
        sheets(path)
    [again] = mark(room(), sheets(path, allow_missing=True))
    assert again.points == paper.points


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_ticks_as_students_write_them() -> None:
    """Letters in either case, words of both languages, signs, full-width characters, brackets, numbers and letters."""
    four, judged = Ticks("choice", 4), Ticks("judge", 2)
    assert [read_tick(text, four).option for text in ("a", "B", " c ", "(d)", "Ｄ", "（b）")] == [0, 1, 2, 3, 3, 1]
    assert {read_tick(text, judged).option for text in (*TRUE, "TRUE", "T", "Yes", "Ｔ")} == {0}
    assert {read_tick(text, judged).option for text in (*FALSE, "False", "F", "WRONG")} == {1}
    assert [read_tick(text, Ticks("find_error", 9)).option for text in ("1", "9", "３", "(c)", "C")] == [0, 8, 2, 2, 2]


BAD = [
    ("choice", "z", "e", "expected is one letter from a to d"),
    ("choice", "z", "a b", "expected is one letter from a to d"),
    ("choice", "z", "[1 2 3]", "expected is one letter from a to d"),
    ("choice", "z", "2.5", "expected is one letter from a to d"),
    ("choice", "z", "=1", "expected is one letter from a to d"),
    ("choice", "z", "a" * 5000, "expected is one letter from a to d"),
    ("judge", "z", "maybe", "expected is true or false"),
    ("judge", "z", "=1", "expected is true or false"),
    ("find_error", "line", "99", "expected is the number of the wrong line, from 1 to"),
    ("find_error", "line", "0", "expected is the number of the wrong line, from 1 to"),
    ("find_error", "line", "1.0", "expected is the number of the wrong line, from 1 to"),
    ("find_error", "line", "=1", "expected is the number of the wrong line, from 1 to"),
    ("find_error", "z", "1", "asked are line"),
    ("choice", "line", "a", "asked are z"),
]


@pytest.mark.parametrize(("id", "quantity", "word", "tip"), BAD)
def test_what_cannot_be_ticked(tmp_path: Path, id: str, quantity: str, word: str, tip: str) -> None:
    """One message with file and line that says what is expected."""
    path = written(tmp_path, iter([("s", "V1XY", id, quantity, "", word, "")]))
    with pytest.raises(ProblemError) as caught:
        sheets(path)
    assert (caught.value.file, caught.value.line) == (str(path), 2)
    assert tip in (caught.value.hint or "")
    assert len(str(caught.value)) < 400


def test_a_tick_has_no_index_and_stands_once(tmp_path: Path) -> None:
    """An index, and the same quantity ticked twice, are errors at the row."""
    for more, message in (("1,1", "there is no entry '1,1' of a tick"), ("", "stands twice, in line 2 and here")):
        both = [("s", "V1XY", "choice", "z", place, "a", "") for place in ("", more)]
        path = written(tmp_path, iter(both))
        with pytest.raises(ProblemError, match=message) as caught:
            sheets(path)
        assert caught.value.line == 3


def test_an_option_that_this_paper_lacks(tmp_path: Path) -> None:
    """Where few slips show, a paper has fewer options than others: a letter behind its last is an error at its line."""
    question = replace(exams.steps_question(), form="choice", steps={"w@2": fmpq(2)})
    whole = exams.exam(question)
    made = Room(whole, (exams.variant_of(whole),), solved)
    [ticked] = [bench.ticked["w@2"] for bench in made.benches(1).values() if isinstance(bench, TickBench)]
    assert ticked.ticks.count == 2
    for word, points in (("a", 2 * (ticked.right == 0)), ("b", 2 * (ticked.right == 1)), ("c", None)):
        path = written(tmp_path, iter([("s", "AB2C", "steps", "w@2", "", word, "")]))
        read = read_sheets(path, list(made.variants.values()), made.asked())
        if points is not None:
            assert mark(made, read)[0].points == points
            continue
        with pytest.raises(ProblemError, match="'c' is no option of variant AB2C") as caught:
            mark(made, read)
        assert (caught.value.file, caught.value.line) == (str(path), 2)
        assert "from a to b" in str(caught.value)


def test_json_has_the_same(tmp_path: Path) -> None:
    """Ticks in JSON: letters as texts, truth values as such, numbers; the same sheet as in CSV."""
    nested: dict[str, dict[str, object]] = {}
    for _, _, id, quantity, index, word, _ in rows("s", 1, right(1)):
        if index:
            own = nested.setdefault(id, {}).setdefault(quantity, {})
            assert isinstance(own, dict)
            own[index] = word
        else:
            value: object = {"true": True, "false": False}.get(word, word)
            nested.setdefault(id, {})[quantity] = int(word) if quantity == "line" else value
    path = tmp_path / "answers.json"
    student = {"student": "s", "variant": 1, "answers": nested}
    path.write_text(json.dumps({"students": [student]}), "utf-8")
    assert mark(room(), sheets(path))[0].points == exam().points
    for bad, message in (([1], "no option"), ({"1": "a"}, "there is no entry '1' of a tick")):
        nested["choice"]["z"] = bad
        path.write_text(json.dumps({"students": [student]}), "utf-8")
        with pytest.raises(ProblemError, match=message) as caught:
            sheets(path)
        assert (caught.value.file, caught.value.line) == (str(path), 1)


# ── the command ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The exam put together here stands behind whatever manifest is named."""
    monkeypatch.setattr("derive.cli.mark._exam", lambda word: (exam(), variants()))
    return tmp_path


def test_tables_pages_and_the_summary(manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Totals have all questions; a page says what is wrong with a tick and which was right, the summary how often."""
    made = zip(("ada", "bob", "eve"), (right(1), turned(right(1)), dict.fromkeys(right(1), "")), cycle(("en",)))
    path = written(manifest, *(rows(student, 1, ticks, language) for student, ticks, language in made))
    out = manifest / "out"
    assert main(["mark", "exam", str(path), "--out", str(out)]) == 0
    totals = list(csv.DictReader((out / "totals.csv").read_text("utf-8").splitlines()))
    assert [totals[0][one.id] for one in exam().questions] == [str(one.points) for one in exam().questions]
    assert totals[0]["points"] == totals[0]["of"] == totals[1]["of"] == str(exam().points)
    assert [totals[1][form] for form in FORMS] == ["0"] * 3 == [totals[2][form] for form in FORMS]
    marks = list(csv.DictReader((out / "marks.csv").read_text("utf-8").splitlines()))
    own = [row for row in marks if row["student"] == "bob" and row["question"] in FORMS]
    assert [row["answer"] for row in own] == list(turned(right(1)).values())
    assert all(row["slip"] for row in own if row["question"] != "judge")
    page = (out / "feedback" / "bob.md").read_text("utf-8")
    for (id, _), word in right(1).items():
        if id == "choice":
            assert f"Right is ({word}): " in page
    assert "is right as it stands." in page
    assert "It should read" in page
    assert "What went wrong" not in (out / "feedback" / "ada.md").read_text("utf-8")
    assert "Right is" in (out / "feedback" / "eve.md").read_text("utf-8")
    assert "What was ticked" in (out / "summary.md").read_text("utf-8")
    data = json.loads((out / "marks.json").read_text("utf-8"))
    [hunted] = [one for one in data["questions"] if one["question"] == "find_error"]
    line = right(1)["find_error", "line"]
    assert {"quantity": "line", "answer": line, "count": 1} in hunted["ticks"]
    assert sum(one["count"] for one in hunted["ticks"]) == 2
    assert "question find_error: mean" in capsys.readouterr().out


def test_pages_in_chinese(manifest: Path) -> None:
    """The same in Chinese, without a space between Chinese characters and what is put in."""
    out = manifest / "out"
    path = written(manifest, rows("bob", 1, turned(right(1)), "zh"))
    assert main(["mark", "exam", str(path), "--out", str(out)]) == 0
    page = (out / "feedback" / "bob.md").read_text("utf-8")
    for said in ("不正确。", "正确选项为", "是正确的。", "应为", "行有错。", "错误的行"):
        assert said in page


def test_an_exam_of_ticks_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exam that asks for no values at all is marked like any other."""
    whole = exams.exam(exam().question("find_error"))
    one = exams.variant_of(whole)
    monkeypatch.setattr("derive.cli.mark._exam", lambda word: (whole, (one,)))
    path = written(tmp_path, iter([("s", "AB2C", "find_error", "line", "", "1", "")]))
    out = tmp_path / "out"
    assert main(["mark", "exam", str(path), "--out", str(out)]) == 0
    assert (out / "totals.csv").read_text("utf-8").startswith("student,variant,find_error,points,of,flagged")


def test_a_bad_tick_writes_nothing(manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One message with file and line, exit status 2, no folder."""
    path = written(manifest, rows("s", 1, {**right(1), ("find_error", "line"): "99"}))
    assert main(["mark", "exam", str(path), "--out", str(manifest / "out")]) == 2
    said = capsys.readouterr().err
    assert f"{path}:{len(path.read_text('utf-8').splitlines())}" in said
    assert "from 1 to" in said
    assert not (manifest / "out").exists()

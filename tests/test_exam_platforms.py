"""What all platforms share: items, targets with their tolerances, whole weights, the same bytes, the command."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from flint import fmpq
from hypothesis import given
from hypothesis import strategies as st

import exams
from derive import cli
from derive.cli.exam import export as command
from derive.errors import ProblemError
from derive.exam.building.solved import solved
from derive.exam.exam import Question
from derive.exam.platforms import PLATFORMS, export, known
from derive.exam.platforms.compose import identifier, items
from derive.exam.platforms.items import Choice, Entries, Judgement
from derive.exam.platforms.targets import target
from derive.exam.platforms.weights import weights
from derive.exam.sets.manifest import read_manifest
from derive.exam.tolerance import unit_of
from derive.exam.variant import Chosen, Variant
from derive.numbers.decimals import read_number
from derive.numbers.rounding import Rounding, printed
from derive.problem.problem import Problem
from derive.problem.quiz import Quiz
from derive.report.document import Figure, Heading, Math, Text
from exported import EXAM, double, every_item, files, right_values, solutions
from moodle_reader import read

# ── items ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_item_for_each_question_of_each_variant() -> None:
    """Items come in the order of the exam, have names of their own, and the points of their question."""
    found = every_item()
    assert [item.question for item in found] == [question.id for question in EXAM.questions] * 2
    assert len({item.identifier for item in found}) == len(found)
    assert [item.points for item in found] == [question.points for question in EXAM.questions] * 2
    assert [item.identifier for item in every_item("zh")] == [item.identifier for item in found]


def test_the_prompt_states_the_problem_and_not_its_answers() -> None:
    """A prompt has the equations, the data and a figure; the solution has the steps, and no word of the prompt's."""
    item = every_item()[0]
    assert any(isinstance(block, Figure) for block in item.prompt)
    assert not set(item.prompt) & set(item.solution)
    labels = [block.label for block in item.solution if isinstance(block, Heading)]
    assert {"forward", "loss", "backward", "update"} <= set(labels)
    assert not any(isinstance(block, Heading) and block.label in labels for block in item.prompt)


def test_the_solution_has_no_other_questions() -> None:
    """A problem's own questions of choice, with other answers than the item's, are no step of its solution."""
    question = exams.relu_question("c", form="choice", points=fmpq(1), steps={"dE/dW2": fmpq(1)})
    wish = replace(question.problem.ask, quiz=Quiz(choose=("W2",)))
    exam = exams.exam(replace(question, problem=replace(question.problem, ask=wish)))
    variant = exams.variant_of(exam)
    [item] = items(exam, variant, solved(exam, variant), "en")
    labels = [block.label for block in item.solution if isinstance(block, Heading)]
    assert "backward" in labels
    assert "quiz" not in labels


def test_forms_become_tasks() -> None:
    """Numbers to enter, one of several to choose, right or wrong; the lines to search keep their order."""
    kinds = {item.question: {type(task) for task in item.tasks} for item in every_item()}
    assert kinds == {
        **{id: {Entries} for id in "abgn"}, "c": {Choice}, "d": {Judgement}, "e": {Judgement}, "f": {Choice},
    }  # fmt: skip
    fixed = {item.question: task.fixed for item in every_item() for task in item.tasks if isinstance(task, Choice)}
    assert fixed == {"c": False, "f": True}


def test_fields_in_the_shape_of_their_matrix() -> None:
    """A quantity has a row of fields for each of its rows, in the order of the answers."""
    shapes = {task.quantity: task for task in every_item()[0].tasks if isinstance(task, Entries)}
    assert [len(row) for row in shapes["dE/dW1"].rows] == [3, 3]
    assert [len(row) for row in shapes["E"].rows] == [1]
    fields = [(task.quantity, field.index) for task in shapes.values() for field in task.fields]
    assert fields == [(quantity, index) for quantity, index, _, _ in right_values("a", 1)]


def test_decimal_commas() -> None:
    """Where a problem prints commas, formulas and feedback have them, answers do not, and the student is told so."""
    item = next(item for item in every_item() if item.question == "n")
    assert any("point" in span.text for span in item.advice if isinstance(span, Text))
    fields = [field for task in item.tasks if isinstance(task, Entries) for field in task.fields]
    said = [span.latex for field in fields for one in field.wrong for span in one.said if isinstance(span, Math)]
    assert said
    assert not any("0.5" in latex for latex in said)
    assert not any("," in text for field in fields for text in (field.answer, *(one.answer for one in field.wrong)))


def test_a_wrong_value_is_never_taken_for_a_right_one() -> None:
    """What slips give lies further from the right value, and from each other, than both tolerances together."""
    met = 0
    for item in every_item():
        for task in item.tasks:
            for field in task.fields if isinstance(task, Entries) else ():
                values = [float(text) for text in (field.answer, *(one.answer for one in field.wrong))]
                met += len(values) - 1
                apart = [abs(a - b) for k, a in enumerate(values) for b in values[:k]]
                assert all(distance > 2 * double(field.tolerance) for distance in apart)
    assert met > 50


@pytest.mark.parametrize(
    ("quantity", "labels"),
    [
        ("dz/dx", [r"\frac{\partial z_1}{\partial x_1}", r"\frac{\partial z_1}{\partial x_2}",
                   r"\frac{\partial z_2}{\partial x_1}", r"\frac{\partial z_2}{\partial x_2}"]),
        ("dh/dz", [r"\frac{\partial h_1}{\partial z_1}", r"\frac{\partial h_2}{\partial z_2}"]),
        ("ds/dh", [r"\frac{\partial s}{\partial h_1}", r"\frac{\partial s}{\partial h_2}"]),
    ],
)  # fmt: skip
def test_a_ratio_has_a_derivative_in_each_field(quantity: str, labels: list[str]) -> None:
    """Entries of a Jacobian are labelled by row and column, those of other ratios as the entries that they are."""
    problem = Problem.from_equations(
        "z = x @ W\nh = tanh(z)\ns = sum(h)\nE = s**2",
        given={"x": [1, 2]},
        parameters={"W": [["0.5", 1], [-1, "0.25"]]},
        ask={"gradients": ["W", "dz/dx", "dh/dz", "ds/dh"]},
        name="ratios",
    )
    made = exams.exam(Question("j", problem, fmpq(1), {quantity: fmpq(1)}))
    variant = Variant(1, "AB2C", {"j": Chosen()})
    [item] = items(made, variant, solved(made, variant), "en")
    [task] = item.tasks
    assert isinstance(task, Entries)
    assert [field.label for field in task.fields] == [(Math(label),) for label in labels]


NAMES = st.text(min_size=1, max_size=6)


@given(st.tuples(NAMES, NAMES), st.tuples(NAMES, NAMES))
def test_identifiers(first: tuple[str, str], second: tuple[str, str]) -> None:
    """Names of a stranger's become ASCII letters, digits, hyphens and underscores, and stay different."""
    a, b = (identifier("q", *("".join(c for c in one if c != "-") for one in names)) for names in (first, second))
    assert a.replace("-", "").replace("_", "").isalnum()
    assert a.isascii()
    same = tuple(one.replace("-", "") for one in first) == tuple(one.replace("-", "") for one in second)
    assert (a == b) == same


# ── targets ─────────────────────────────────────────────────────────────────────────────────────────────────────

FOUR, THREE = Rounding(digits=4, tiny="scientific"), Rounding(digits=None, significant=3)


@pytest.mark.parametrize(
    ("value", "rounding", "answer"),
    [
        (fmpq(1, 3), FOUR, "0.3333"),
        (fmpq(1, 2), FOUR, "0.5"),
        (fmpq(-7), FOUR, "-7"),
        (fmpq(0), FOUR, "0"),
        (fmpq(1, 3 * 10**6), FOUR, "3.333e-07"),
        (fmpq(1, 4 * 10**6), FOUR, "2.5e-07"),
        (fmpq(2, 3), THREE, "0.667"),
        (fmpq(20000, 3), THREE, "6.67e+03"),
        (fmpq(5), THREE, "5"),
        (fmpq(1, 3), Rounding(digits=4, fractions=True), "0.3333"),
        (fmpq(5, 2), Rounding(digits=0), "3"),
    ],
)
def test_an_answer_is_a_decimal(value: fmpq, rounding: Rounding, answer: str) -> None:
    """Even where a fraction is printed."""
    text = printed(value, rounding)
    assert text is not None
    assert target(value, text, rounding).text == answer


@given(st.fractions(), st.integers(0, 6))
def test_what_rounds_to_it_is_right(value: object, digits: int) -> None:
    """The exact value is within half a unit of the answer, so whoever does not round at all is right, too."""
    exact = fmpq(value.numerator, value.denominator)  # type: ignore[attr-defined]
    rounding = Rounding(digits=digits)
    text = printed(exact, rounding)
    assert text is not None
    right = read_number(target(exact, text, rounding).text)
    assert abs(right - exact) <= unit_of(right, rounding) / 2


@given(st.lists(st.fractions(min_value=0, max_value=20), min_size=1, max_size=12))
def test_weights(points: Sequence[object]) -> None:
    """Whole weights in the ratio of the points, with no common factor."""
    shares = [fmpq(one.numerator, one.denominator) for one in points]  # type: ignore[attr-defined]
    whole = weights(shares)
    total = sum(shares, fmpq(0))
    if total != 0:
        assert [fmpq(one, sum(whole)) for one in whole] == [share / total for share in shares]
    else:
        assert set(whole) == {0}


# ── files ───────────────────────────────────────────────────────────────────────────────────────────────────────

SCRIPT = """
import hashlib, sys
import exams
from derive.exam.exam import Question
from derive.exam.sets.manifest import read_manifest
from derive.exam.platforms import PLATFORMS, export
from derive.exam.building.solved import solved
made = exams.exam(exams.sigmoid_question("b"))
variant = exams.Variant(1, "AB2C", {"b": exams.Chosen()})
for name, data in export(made, [(variant, solved(made, variant))], PLATFORMS).items():
    print(name, hashlib.sha256(data).hexdigest())
"""


def test_the_same_bytes() -> None:
    """In another process, with another order of hashes, time zone and locale, every file has the same bytes."""
    root = Path(__file__).parent.parent
    path = os.pathsep.join((str(root), str(root / "tests")))
    said = set()
    for seed, zone in (("1", "UTC"), ("2", "Asia/Shanghai")):
        environment = {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": "C"}
        ran = subprocess.run(
            [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True
        )
        said.add(ran.stdout)
    [text] = said
    names = [line.split()[0] for line in text.splitlines()]
    assert names == [
        "quiz.moodle.xml", "quiz.qti.zip", "quiz.gift.txt", "quiz.zh.moodle.xml", "quiz.zh.qti.zip", "quiz.zh.gift.txt",
    ]  # fmt: skip
    assert len({line.split()[1] for line in text.splitlines()}) == len(names)


def test_an_export_is_made_again() -> None:
    """The same variants give the same bytes, and a stream of them is gone through once."""
    again = export(EXAM, iter(solutions()), ["gift"], ["en"])
    assert hashlib.sha256(again["quiz.gift.txt"]).digest() == hashlib.sha256(files()["gift"]).digest()


def test_unknown_platforms() -> None:
    """An unknown platform is refused with the known ones, or the nearest."""
    with pytest.raises(ProblemError, match="modle") as error:
        known(["modle"])
    assert "moodle" in str(error.value.hint)
    with pytest.raises(ProblemError) as error:
        known(["blackboard"])
    assert all(name in str(error.value.hint) for name in PLATFORMS)
    assert known(["gift", "qti", "gift"]) == ("gift", "qti")


# ── the command ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_help_names_the_platforms() -> None:
    """What the command says it can write is what there is."""
    assert tuple(PLATFORMS) == command.PLATFORMS


@pytest.fixture
def manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A manifest of two variants of one question, as its reader hands it over."""
    made = exams.exam(exams.sigmoid_question("b"))
    both = tuple(Variant(n, code, {"b": Chosen()}) for n, code in ((1, "AB2C"), (2, "XK7D")))
    path = tmp_path / "manifest.json"
    path.write_text("{}")

    def read(asked: Path) -> SimpleNamespace:
        assert asked == path
        return SimpleNamespace(exam=made, variants=both)

    monkeypatch.setattr("derive.exam.sets.manifest.read_manifest", read)
    return path


def test_the_command_writes_the_files(manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a manifest or of its folder, beside it or where it is asked for, in the languages of the exam or those asked for."""
    assert cli.main(["exam", "export", str(manifest), "--to", "moodle,gift", "--lang", "zh"]) == 0
    beside = {path.name for path in manifest.parent.iterdir()}
    assert beside == {"manifest.json", "quiz.zh.moodle.xml", "quiz.zh.gift.txt"}
    assert "quiz.zh.moodle.xml" in capsys.readouterr().out
    folder = manifest.parent / "for" / "us"
    assert cli.main(["exam", "export", str(manifest.parent), "--to", "qti", "--out", str(folder)]) == 0
    assert {path.name for path in folder.iterdir()} == {"quiz.qti.zip", "quiz.zh.qti.zip"}


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (("--to", "modle"), "moodle"),
        (("--to", "moodle", "--lang", "tlh"), "tlh"),
        (("--to", "moodle", "--tolerance", "much"), "much"),
        (("--to", "moodle", "--out", ""), "empty"),
    ],
)
def test_bad_wishes(manifest: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...], named: str) -> None:
    """One message, exit status 2, nothing written."""
    assert cli.main(["exam", "export", str(manifest), *more]) == 2
    said = capsys.readouterr()
    assert named in said.err
    assert "Traceback" not in said.err
    assert {path.name for path in manifest.parent.iterdir()} == {"manifest.json"}


def test_from_an_exam_file_to_the_platforms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `new` writes and `build` makes of it, `export` reads: every question has each variant once."""
    monkeypatch.chdir(tmp_path)
    assert cli.main(["exam", "new", "quiz"]) == 0
    assert cli.main(["exam", "build", "quiz.toml", "--variants", "2", "--seed", "7"]) == 0
    assert cli.main(["exam", "export", "quiz", "--to", "moodle", "--out", "for"]) == 0
    made = read_manifest(tmp_path / "quiz" / "manifest.json")
    found = read((tmp_path / "for" / "quiz.moodle.xml").read_bytes())
    expected = [identifier("q", q.id, f"{v.number:04d}", v.code) for q in made.exam.questions for v in made.variants]
    assert [one.idnumber for one in found] == expected
    assert all(one.mark(one.right) == pytest.approx(one.grade) for one in found)
    assert sum(one.grade for one in found) == 2 * double(made.exam.points)

"""The exam file read: every key, problems and parts, what varies and what is required."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from flint import fmpq

from derive.cli import main
from derive.errors import ProblemError
from derive.exam.answers import answers
from derive.exam.building.solved import solved
from derive.exam.exam import Activations, Decimals, Exam, Numbers, Require
from derive.exam.papers import documents
from derive.exam.reading.read import exam_of, read_exam
from derive.exam.reading.starters import starter
from derive.exam.searching.search import search
from derive.exam.variant import Chosen, Variant, problem_of
from derive.graph import build
from derive.problem.find import built_in, built_in_file, read_problem
from derive.problem.problem import Problem
from derive.report.document import Question as AskedFor
from derive.solution import solve
from exam_texts import EXAM, NET, relu, written


def one(folder: Path, question: str, problem: str = NET) -> Exam:
    """An exam of one question, whose lines these are, on ``net.toml``."""
    return read_exam(written(folder, f'[[question]]\nproblem = "net.toml"\n{question}\n', net=problem))


def own(exam: Exam) -> Variant:
    """The variant with the problems' own numbers, and the first of the functions that vary."""
    return Variant(
        1,
        "AB2C",
        {
            question.id: Chosen(
                functions={key: d.names[0] for key, d in question.vary.items() if isinstance(d, Activations)}
            )
            for question in exam.questions
        },
    )


def test_every_key_of_an_exam_is_read(tmp_path: Path) -> None:
    """Numbers are exact, an id is a letter by position, and texts go by language."""
    exam = read_exam(written(tmp_path))
    first, second = exam.questions
    assert (exam.name, dict(exam.title), dict(exam.date)) == (
        "quiz", {"en": "Quiz", "zh": "测验"}, {"": "Autumn term 2026"},
    )  # fmt: skip
    assert (exam.languages, exam.paper, exam.points) == (("en", "zh"), "us-letter", fmpq(25, 2))
    assert dict(exam.instructions) == {"": "Show your work."}
    assert (first.id, second.id, first.form, second.form) == ("a", "second", "worked", "matrix")
    assert (first.points, second.points, first.space, second.space) == (fmpq(10), fmpq(5, 2), fmpq(13, 2), None)
    assert dict(first.text) == {"en": "Work it out.", "zh": "求解。"}
    assert dict(first.steps) == {"z": 2, "h": 1, "dE/dW2": 4, "W2@1": 3}
    assert (first.blanks, second.blanks, first.line, second.line) == (True, False, 9, 19)
    assert exam.question("second") is second


def test_what_varies_is_exact_and_ascending(tmp_path: Path) -> None:
    """A grid with numbers left out, whole numbers, a list, and activations."""
    vary = read_exam(written(tmp_path)).questions[0].vary
    half = fmpq(1, 2)
    assert vary["W1"] == Numbers(tuple(half * k for k in (-4, -3, -2, -1, 1, 3, 4)))
    assert vary["x"] == Numbers(tuple(map(fmpq, (-3, -2, -1, 2, 3))))
    assert vary["b1"] == Numbers((fmpq(0), half, fmpq(1)))
    assert vary["hidden"] == Activations(("relu", "tanh"))


def test_what_is_required_is_read_and_the_rest_stays(tmp_path: Path) -> None:
    """Quantities of as many decimals stand together; saturation may be unbounded."""
    first, second = read_exam(written(tmp_path)).questions
    assert first.require == Require(
        (Decimals(2, ("z", "h")), Decimals(1, ("dE/dW2",))),
        kinks=True, dead_relu=1, saturation=None, smallest=fmpq(1, 100), nonzero=False, operations=fmpq(1, 5),
    )  # fmt: skip
    assert second.require == Require()
    every = one(tmp_path, "points = 1\nrequire = { decimals = 2 }", relu()).questions[0].require
    assert every.decimals == (Decimals(2),)
    listed = 'points = 1\nrequire = { decimals = [{ places = 2, of = ["z"] }, { places = 3 }] }'
    assert one(tmp_path, listed, relu()).questions[0].require.decimals == (Decimals(2, ("z",)), Decimals(3))


def test_an_exam_is_read_again_from_its_texts_alone(tmp_path: Path) -> None:
    """Files and built-in problems are kept as text: the same exam, when the folder is gone."""
    path = written(tmp_path, EXAM.replace("points = 12.5\n", "") + '[[question]]\nproblem = "case1"\npoints = 1\n')
    exam = read_exam(path)
    for file in tmp_path.iterdir():
        file.unlink()
    assert set(exam.sources) == {"exam.toml", "net.toml", "parts.toml", "case1"}
    assert exam.sources["case1"] == built_in_file("case1").read_text(encoding="utf-8")
    again = exam_of(exam.sources, exam.name)
    assert again == exam
    assert again.sources == exam.sources


def test_numbers_from_files_of_arrays_are_kept_as_numbers(tmp_path: Path) -> None:
    """In the text of the problem, so that no file is needed to read it again."""
    np.savez(tmp_path / "weights.npz", W1=np.array([[0.5, -1.0], [2.0, 0.25]]))
    from_file = relu().replace("W1 = [[1, 2], [3, 4]]", 'W1 = { file = "weights.npz", array = "W1" }')
    exam = one(tmp_path, "points = 1", from_file)
    (tmp_path / "weights.npz").unlink()
    assert "weights.npz" not in exam.sources["net.toml"]
    again = exam_of(exam.sources, "quiz")
    assert again == exam
    assert again.questions[0].problem.parameters["W1"].entries == (fmpq(1, 2), fmpq(-1), fmpq(2), fmpq(1, 4))


def test_a_part_and_what_is_asked_are_laid_over_the_problem(tmp_path: Path) -> None:
    """A part as in the problem's own report; an ask key by key over that; the problem has no parts left."""
    whole = read_problem(written(tmp_path).parent / "parts.toml")
    second = read_exam(tmp_path / "quiz.toml").questions[1]
    assert second.problem.parameters == whole.parts[1].parameters
    assert (second.problem.title, second.problem.part, second.problem.parts) == (whole.parts[1].title, None, ())
    assert dict(second.steps) == dict.fromkeys(("E", "dE/dz", "dE/dw", "w@1"), fmpq(5, 8))
    head = '[[question]]\nproblem = "parts.toml"\npart = "b"\npoints = 1\n'
    laid = read_exam(written(tmp_path, f'{head}ask = {{ gradients = ["z"] }}')).questions[0]
    assert laid.problem.ask.gradients == ("z", "w")
    assert laid.problem.ask.update is not None
    dropped = read_exam(written(tmp_path, f"{head}ask = {{ update = false }}")).questions[0]
    assert dict(dropped.steps) == dict.fromkeys(("E", "dE/dz", "dE/dw"), fmpq(1, 3))


def test_steps_narrow_what_is_asked(tmp_path: Path) -> None:
    """Derivatives and updates that earn no points are not worked out, unless the question says so itself."""
    plain = one(tmp_path, 'steps = { "dE/dW2" = 1 }', relu()).questions[0].problem
    assert plain.ask.gradients == ("W2",)
    assert plain.ask.update is None
    said = one(tmp_path, 'steps = { "dE/dW2" = 1 }\nask = { gradients = ["z"] }', relu()).questions[0].problem
    assert set(said.ask.gradients or ()) == {"z", "W2"}
    forward = one(tmp_path, "steps = { z = 1, h = 1 }", relu()).questions[0]
    assert forward.problem.ask.gradients == ()
    assert forward.points == 2


def test_points_are_shared_by_what_is_worked_out(tmp_path: Path) -> None:
    """Loss, derivatives from the last to the first, new parameters; without a derivative the named values."""
    steps = one(tmp_path, "points = 7", relu()).questions[0].steps
    assert list(steps) == ["E", "dE/dW2", "dE/dW1", "dE/db1", "W1@1", "b1@1", "W2@1"]
    assert set(steps.values()) == {fmpq(1)}
    values = one(tmp_path, "points = 2\nask = { gradients = [], update = false }", relu()).questions[0].steps
    assert dict(values) == dict.fromkeys(("z", "h", "y", "E"), fmpq(1, 2))


@pytest.mark.parametrize("names", [("W2@3", "h@1"), ("dy/dz", "dE/dh"), ("d2E/dy2", "y")])
def test_every_step_has_answers(tmp_path: Path, names: tuple[str, ...]) -> None:
    """Updates beyond the problem's own, ratios and second derivatives are worked out because a step asks for them."""
    exam = one(tmp_path, f"steps = {{ {', '.join(f'{chr(34)}{name}{chr(34)} = 1' for name in names)} }}", relu())
    found = answers(exam.questions[0], solved(exam, own(exam))["a"])
    assert tuple(dict.fromkeys(answer.quantity for answer in found)) == names
    assert sum((answer.points for answer in found), fmpq(0)) == exam.points


def test_a_function_that_varies_makes_a_problem_numeric(tmp_path: Path) -> None:
    """An unspecified function, one that is called by its name, and the outermost one of an equation."""
    exam = read_exam(written(tmp_path))
    assert exam.questions[0].problem.functions == {"hidden": None}
    assert solve(problem_of(exam.questions[0], own(exam))).part().numeric
    for key in ("relu", "h"):
        question = one(tmp_path, f'points = 1\nvary = {{ {key} = ["leaky_relu", "sigmoid"] }}', relu()).questions[0]
        for name in ("leaky_relu", "sigmoid"):
            problem = problem_of(question, Variant(1, "X", {"a": Chosen(functions={key: name})}))
            assert str(build(problem).equation("h").value.op) == name


def test_class_numbers_and_families_vary(tmp_path: Path) -> None:
    """Labels that are class numbers among the classes that there are, and every member of a family alike."""
    problem = """
equations = '''
for t in range(1, 3):
    h[t] = tanh(x[t] @ U)
s = h[2] + h[1]
L = cross_entropy(s, y)
'''
[given]
x = [[1, 0], [0, 1]]
y = [2]
[parameters]
U = [[0.5, -0.3, 1], [0.2, 0.4, 0]]
"""
    exam = one(tmp_path, 'points = 1\nvary = { y = "integers 0..2", x = [0, 1], "h[1]" = ["relu", "tanh"] }', problem)
    vary = exam.questions[0].vary
    assert list(vary) == ["y", "x[1]", "x[2]", "h[1]"]
    assert vary["x[1]"] == vary["x[2]"] == Numbers((fmpq(0), fmpq(1)))
    assert set(one(tmp_path, 'points = 1\nvary = { h = ["relu", "tanh"] }', problem).questions[0].vary) == {
        "h[1]",
        "h[2]",
    }


@pytest.mark.parametrize(
    ("question", "steps"),
    [
        ('form = "choice"\nsteps = { "dE/dW1" = 2 }', {"dE/dW1": 2}),
        ('form = "choice"\nsteps = { z = 1, E = 1, "dE/dz" = 2, "W1@1" = 1 }', {"z": 1, "E": 1, "dE/dz": 2, "W1@1": 1}),
        ('form = "judge"\npoints = 2\nask = { gradients = ["z"], update = false }', {"dE/dz": 2}),
        ('form = "judge"\nsteps = { z = 1, "dE/dz" = 1, "dE/dh" = 1 }', {"z": 1, "dE/dz": 1, "dE/dh": 1}),
        ('form = "find_error"\npoints = 2', {}),
        ('form = "table"\nsteps = { z = 1, "dE/dz" = 1 }', {"z": 1, "dE/dz": 1}),
    ],
)
def test_each_form_asks_for_its_steps(tmp_path: Path, question: str, steps: dict[str, int]) -> None:
    """What earns points is what is asked for, be it worked out or ticked; a paper can be made of it."""
    exam = one(tmp_path, question, relu().replace("W1 = [[1", "W1 = [[1.5"))
    (made,) = exam.questions
    assert dict(made.steps) == steps
    paper = documents(exam, Variant(1, "AB2C", {made.id: Chosen()}), {made.id: solve(made.problem)}, "en")
    assert next(block for block in paper["paper"].blocks if isinstance(block, AskedFor)).points


def test_a_problems_own_quiz_is_no_part_of_a_question(tmp_path: Path) -> None:
    """A problem's own questions of choice are no part of it, whatever its form."""
    problem = relu().replace("[ask]\n", '[ask]\nchoose = ["W1"]\n')
    for form in ("worked", "choice", "find_error"):
        (question,) = one(tmp_path, f'points = 1\nform = "{form}"', problem).questions
        assert problem_of(question, Variant(1, "AB2C", {question.id: Chosen()})).ask.quiz is None


@pytest.mark.parametrize("name", built_in())
def test_built_in_problems_make_questions(name: str, tmp_path: Path) -> None:
    """Each with numbers is read whole or part by part, and again from its texts; one without numbers says so."""
    text = built_in_file(name)
    parts = [part.part for part in read_problem(text).parts] or [None]
    path = tmp_path / "quiz.toml"
    for part in parts:
        said = "" if part is None else f'part = "{part}"\n'
        path.write_text(f'[[question]]\nproblem = "{name}"\n{said}points = 1\n', encoding="utf-8")
        problem = read_problem(text)
        its = next((one for one in problem.parts if one.part == part), problem)
        if _has_numbers(its):
            exam = read_exam(path)
            assert exam_of(exam.sources, "quiz") == exam
        else:
            with pytest.raises(ProblemError, match=r"an exam needs numbers") as error:
                read_exam(path)
            assert (error.value.file, error.value.line) == (str(path), 2)


def _has_numbers(problem: Problem) -> bool:
    """Data, a known upstream and functions: all in numbers."""
    known = all(top.value is not None for top in problem.ask.upstream)
    return known and build(problem).numeric and None not in problem.functions.values()


def test_new_writes_an_exam_that_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three files: a network with ReLU, one with a sigmoid, a question of choice; every answer has its points."""
    monkeypatch.chdir(tmp_path)
    assert main(["exam", "new", "deep/quiz"]) == 0
    names = sorted(path.name for path in (tmp_path / "deep").iterdir())
    assert names == ["quiz-logistic.toml", "quiz-network.toml", "quiz.toml"]
    assert sorted(Path(line).name for line in capsys.readouterr().out.split()) == names
    exam = read_exam(tmp_path / "deep" / "quiz.toml")
    assert [question.form for question in exam.questions] == ["worked", "worked", "choice"]
    assert exam.languages == ("en", "zh")
    assert all({"en", "zh"} <= set(text) for text in (exam.title, *(question.text for question in exam.questions)))
    solutions = solved(exam, own(exam))
    found = {one.id: answers(one, solutions[one.id]) for one in exam.questions}
    assert sum((answer.points for every in found.values() for answer in every), fmpq(0)) == exam.points
    assert all(
        "." not in answer.printed.text or len(answer.printed.text.partition(".")[2]) <= 2 for answer in found["a"]
    )
    for variant in search(exam, 3, seed=7).variants:
        for id, solution in solved(exam, variant).items():
            printed = [answer.printed.text for answer in answers(exam.question(id), solution)]
            assert id == "b" or all(len(text.partition(".")[2]) <= 2 for text in printed)


def test_new_writes_all_files_or_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where one of the files is there already, and for a name that is none."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "quiz-network.toml").write_text("mine")
    assert main(["exam", "new", "quiz.toml"]) == 2
    assert "quiz-network.toml is there already" in capsys.readouterr().err
    for name in ("", "a b", '"q', "..", "x\udcff"):
        assert main(["exam", "new", name]) == 2
        assert capsys.readouterr().err.startswith("derive: ")
    assert [path.name for path in tmp_path.iterdir()] == ["quiz-network.toml"]
    assert (tmp_path / "quiz-network.toml").read_text() == "mine"
    assert set(starter("exam")) == {"exam.toml", "exam-network.toml", "exam-logistic.toml"}

"""Exam files that cannot be meant: each is one message with file and line, and nothing in them is run."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from flint import fmpq

from derive.errors import ProblemError, Unsupported
from derive.exam.reading.read import exam_of, read_exam
from exam_texts import EXAM, NET, relu, written

HEAD = 'title = "Quiz"\n[[question]]\nproblem = "net.toml"\n'  # the question starts on line 2, what is added on line 4


def refused(path: Path) -> ProblemError:
    """The one error of an exam file, which has a line."""
    with pytest.raises(ProblemError) as error:
        read_exam(path)
    found = error.value
    assert found.line is not None, found
    assert "\n" not in str(found)
    assert len(str(found)) < 1200
    return found


def test_the_base_of_these_tests_is_an_exam(tmp_path: Path) -> None:
    """Whatever is refused below is refused for the line that is changed."""
    assert len(read_exam(written(tmp_path)).questions) == 2
    assert read_exam(written(tmp_path, HEAD + "points = 1\n", net=relu())).points == 1


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("format = 1", "format = 0", 1, "format is the number 0, expected is 1"),
        ("format = 1", "format = 2", 1, "format is 2, and this program knows up to 1"),
        ("format = 1", "format = true", 1, "format is the truth value true"),
        ('date = "Autumn term 2026"', "date = 2026-10-01", 3, "date is a date or time, expected is a text"),
        ('date = "Autumn term 2026"', 'dates = "Autumn"', 3, "unknown key dates (nearest: date)"),
        ('zh = "测验"', 'Chinese = "测验"', 2, "'Chinese' is no language code"),
        ('languages = ["en", "zh"]', 'languages = "en"', 5, "languages is the text 'en', expected is a list"),
        ('languages = ["en", "zh"]', "languages = []", 5, "languages is an empty list"),
        ('languages = ["en", "zh"]', 'languages = ["en", "zz"]', 5, "there is no language zz (there are"),
        ('languages = ["en", "zh"]', 'languages = ["en", 1]', 5, "languages has the number 1"),
        ('languages = ["en", "zh"]', 'languages = ["en", "en"]', 5, "languages has en twice"),
        ('paper = "us-letter"', 'paper = "letter"', 6, "expected is a4 or us-letter (nearest: us-letter)"),
        ("points = 12.5", "points = 12", 7, "points is 12, and the questions add up to 25/2"),
        ("points = 12.5", "points = 0", 7, "points is 0, expected are points above 0"),
        ("points = 12.5", 'points = "many"', 7, "points: 'many' is not a number"),
        ("points = 12.5", "points = nan", 7, "points: "),
        ('form = "matrix"', 'form = "essay"', 23, "form is the text 'essay', expected is worked, matrix"),
        ('id = "second"', 'id = "a"', 20, "the id a stands twice, first on line 9"),
        ('id = "second"', 'id = "A"', 20, "the ids a and A differ in capitals alone"),
        ('id = "second"', 'id = "../x"', 20, "id is the text '../x', expected are letters"),
        ('id = "second"', "id = 2", 20, "id is the number 2"),
        ('id = "second"', 'ids = "b"', 20, "unknown key ids in [question]"),
        ('part = "b"\n', "", 21, "no part is named, and parts.toml has the parts a and b"),
        ('part = "b"', 'part = "c"', 22, "there is no part 'c' in parts.toml"),
        ('part = "b"', "part = 2", 22, "part is the number 2, and parts.toml has the parts a and b"),
        ('problem = "net.toml"', 'problem = "net.toml"\npart = "a"', 11, "there is no part 'a' in net.toml, which has no"),
        ("points = 10", "points = 9", 12, "points is 9, and the steps add up to 10"),
        ("space = 6.5", "space = -1", 14, "space is -1, expected are centimetres from 0 to 100"),
        ("blanks = true", "blanks = 1", 15, "blanks is the number 1, expected is true or false"),
    ],
)  # fmt: skip
def test_a_wrong_line_is_named(tmp_path: Path, old: str, new: str, line: int, message: str) -> None:
    """What was found, what is expected and the nearest right name, on the line of the exam file."""
    assert old in EXAM
    path = written(tmp_path, EXAM.replace(old, new, 1))
    error = refused(path)
    assert message in str(error)
    assert (error.file, error.line) == (str(path), line)


@pytest.mark.parametrize(
    ("added", "message"),
    [
        ("", "a question without points"),
        ("points = -1", "points is -1, expected are points above 0"),
        ("points = 1e9", "at most 10,000"),
        ("points = [1]", "points: a list is not a number"),
        ("steps = {}", "steps is an empty table"),
        ("steps = 3", "[question.steps] is the number 3, expected is a table"),
        ("steps = { q = 1 }", "there is no quantity q"),
        ('steps = { "dE/dW3" = 1 }', "there is no name W3 (there are x, t, W1"),
        ('steps = { "dF/dW1" = 1 }', "there is no equation F"),
        ('steps = { "W1@0" = 1 }', "W1@0 is at the start"),
        ('steps = { "dz/dz" = 1 }', "dz/dz is the derivative of z by itself"),
        ('steps = { "z " = 1 }', "has blanks, expected is 'z'"),
        ('steps = { "-dE/dz" = 1 }', "has a sign"),
        ('steps = { "=1+1" = 1 }', "is no quantity"),
        ('steps = { "z\\n" = 1 }', "expected is a text on one line"),
        ('steps = { "W1@99999999999" = 1 }', "is no quantity"),
        ("steps = { x = 1 }", "x is given, and points are for what is worked out"),
        ("steps = { W1 = 1 }", "W1@1 is its value after one update"),
        ('steps = { "x@1" = 1 }', "x does not move"),
        ("steps = { z = 0 }", "z is 0, expected are points above 0"),
        ('steps = { "d2E/dW1" = 1 }', "there is no quantity d2E/dW1"),
        ('ask = { update = false }\nsteps = { "W1@1" = 1 }', "the problem makes no updates"),
        ('points = 1\nask = { gradients = ["W3"] }', "gradients names what does not exist: W3 (there are E"),
        ("points = 1\nask = { gradient = [] }", "unknown key gradient in [ask]"),
        ("points = 1\nask = 3", "[question.ask] is the number 3"),
        ('points = 1\nask = { choose = ["W1"] }', 'the form of a question says that (form = "choice")'),
        ('points = 1\nask = { loss = "z" }', "net.toml: the loss z is 1 x 2, not a scalar"),
        ("points = 1\nask = { gradients = [], update = { rate = -0.1, steps = 0 } }", "steps is the number 0"),
        ('points = 1\nask = { gradients = [], update = false }\nform = "judge"', "nothing is asked"),
        ('form = "judge"\nsteps = { "W1@1" = 1 }', "the form judge asks for equations, and W1@1 has none of its own"),
        ('form = "judge"\nsteps = { "dy/dz" = 1 }', "dy/dz has none of its own (there are those of z, h, y and E)"),
        ('form = "find_error"\nsteps = { z = 1 }', "the form find_error has no steps"),
        ('form = "find_error"', "a question without points"),
        ('points = 1\nask = { gradients = [], update = false }\nform = "find_error"', "find_error needs derivatives"),
        ('form = "choice"\nsteps = { "dE/dz" = 1 }\nblanks = true', "blanks = true says nothing for the form choice"),
        ('points = 1\ntext = ["a"]', "text is a list, expected is a text"),
        ('points = 1\ntext = "a\\u202Eb"', "U+202E"),
        ('points = 1\ntext = "a\\u0007b"', "U+0007"),
        (f'points = 1\ntext = "{"a" * 501}"', "a text of 501 characters, at most 500"),
        ('points = 1\nspace = "wide"', "space: 'wide' is not a number"),
        ("points = 1\nrequire = 2", "[question.require] is the number 2"),
        ("points = 1\nrequire = { decimal = 2 }", "unknown key decimal in [question.require] (nearest: decimals)"),
        ("points = 1\nrequire = { decimals = 2.5 }", "decimals is the number 2.5, expected is a whole number from 0"),
        ("points = 1\nrequire = { decimals = -1 }", "decimals is the number -1"),
        ("points = 1\nrequire = { decimals = [] }", "decimals is an empty list"),
        ("points = 1\nrequire = { decimals = {} }", "decimals is an empty table"),
        ("points = 1\nrequire = { decimals = [1] }", "decimals has the number 1, expected are tables"),
        ("points = 1\nrequire = { decimals = [{ of = ['z'] }] }", "decimals without places"),
        ("points = 1\nrequire = { decimals = [{ places = 1, of = [] }] }", "of is no list of quantities"),
        ("points = 1\nrequire = { decimals = { q = 2 } }", "there is no quantity q"),
        ('points = 1\nrequire = { decimals = { "W1@1" = 2 } }', "is after an update"),
        ("points = 1\nrequire = { dead_relu = -1 }", "dead_relu is the number -1"),
        ("points = 1\nrequire = { dead_relu = false }", "dead_relu is the truth value false"),
        ("points = 1\nrequire = { kinks = 0 }", "kinks is the number 0, expected is true or false"),
        ("points = 1\nrequire = { saturation = 0 }", "saturation is 0, expected is a number above 0, or false"),
        ("points = 1\nrequire = { saturation = true }", "saturation is true, expected is a number above 0"),
        ('points = 1\nrequire = { smallest = "tiny" }', "smallest: 'tiny' is not a number"),
        ("points = 1\nrequire = { operations = -0.1 }", "operations is -1/10, expected is a number from 0"),
    ],
)
def test_a_wrong_question_is_named(tmp_path: Path, added: str, message: str) -> None:
    """On a line of the question, in the exam file."""
    path = written(tmp_path, HEAD + added + "\n", net=relu())
    error = refused(path)
    assert message in str(error)
    line = 2 if "without points" in message else 4 + added.count("\n")  # the last line that was added is to blame
    assert (error.file, error.line) == (str(path), line)


@pytest.mark.parametrize(
    ("vary", "message"),
    [
        ("3", "[question.vary] is the number 3"),
        ("{ q = [1] }", "or the name of an equation that ends in one (there are x, t, W1"),
        ("{ w1 = [1] }", "nearest: W1"),
        ("{ y = ['relu'] }", "vary has y (its equation does not end in an activation)"),
        ("{ W1 = 3 }", "W1 is the number 3, expected is how it varies"),
        ("{ W1 = true }", "W1 is the truth value true, expected is how it varies"),
        ("{ W1 = [] }", "W1 is an empty list"),
        ("{ W1 = [1, 2, 1.0] }", "W1 has 1 twice"),
        ("{ W1 = [1, 'a'] }", "'a' is not a number"),
        ("{ W1 = [1, [2]] }", "W1 has a list, expected are numbers"),
        ("{ W1 = [1, nan] }", "W1: 'nan' is not a number"),
        ("{ W1 = {} }", "from of W1 is nothing, expected are two numbers"),
        ("{ W1 = { from = [1, 2, 3] } }", "from of W1 is a list of 3"),
        ("{ W1 = { from = [2, -2], step = 0.5 } }", "from of W1 goes down, from 2 to -2"),
        ("{ W1 = { from = [-2, 2], step = 0 } }", "step of W1 is 0, expected is a number above 0"),
        ("{ W1 = { from = [-2, 2], step = -0.5 } }", "step of W1 is -1/2"),
        ("{ W1 = { from = [-2, 2], step = 0.3 } }", "steps of 3/10 from -2 do not meet 2"),
        ("{ W1 = { from = [0, 1e9] } }", "1,000,000,001 numbers for one entry, at most 10,000"),
        ("{ W1 = { from = [0, 1], step = 1e-250 } }", "numbers for one entry, at most 10,000"),
        ("{ W1 = { from = [0, 1e400] } }", "too large"),
        ("{ W1 = { from = [0, 1], stop = 1 } }", "unknown key stop in [question.vary.W1]"),
        ("{ W1 = { from = [0, 1], except = [0, 1] } }", "W1 has no number left to be"),
        ("{ W1 = { from = [0, 1], except = [3] } }", "except has 3, which is not among the numbers from 0 to 1"),
        ("{ W1 = 'integers 3..-3' }", "W1 goes down, from 3 to -3"),
        ("{ W1 = 'integers 0..100000' }", "100,001 numbers for one entry"),
        ("{ W1 = 'integers -3...3' }", "expected is how it varies"),
        ("{ W1 = 'integers 0..3 except all' }", "'all' is not a number"),
        ("{ W1 = '__import__(\"os\").getcwd()' }", "expected is how it varies"),
        ("{ relu = 'tanh' }", "relu is the text 'tanh', expected is a list of activations"),
        ("{ relu = [] }", "relu is an empty list"),
        ("{ relu = [1] }", "relu has the number 1, expected are names of activations"),
        ("{ relu = ['softmax'] }", "relu has no elementwise function of one argument: softmax"),
        ("{ relu = ['maximum'] }", "relu has no elementwise function of one argument: maximum"),
        ("{ relu = ['tahn'] }", "nearest: tanh"),
        ("{ relu = ['tanh', 'tanh'] }", "relu has tanh twice"),
    ],
)
def test_what_cannot_vary_is_named(tmp_path: Path, vary: str, message: str) -> None:
    """On the line of the key; a range without end is refused before it is gone through."""
    path = written(tmp_path, f"{HEAD}points = 1\nvary = {vary}\n", net=relu())
    error = refused(path)
    assert message in str(error)
    assert (error.file, error.line) == (str(path), 5)


def test_labels_vary_among_the_classes_that_there_are(tmp_path: Path) -> None:
    """A class number that is none is found before any variant is looked for."""
    net = (
        "equations = 'L = cross_entropy(x @ W, y)'\n[given]\nx = [1, 2]\ny = [1]\n[parameters]\nW = [[1, 2], [0, 1]]\n"
    )
    for numbers in ('"integers 0..2"', "[0, 0.5]", '"integers -1..1"'):
        error = refused(written(tmp_path, f"{HEAD}points = 1\nvary = {{ y = {numbers} }}\n", net=net))
        assert "vary of y" in str(error)
        assert "no class number" in str(error)
        assert error.line == 5


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("'../net.toml'", "../net.toml lies outside the folder of the exam file"),
        ("'/etc/net.toml'", "/etc/net.toml lies outside"),
        ("'other/../../net.toml'", "lies outside"),
        ("'link.toml'", "link.toml lies outside"),
        ("'nte.toml'", "there is no file nte.toml beside the exam file (nearest: net.toml)"),
        ("'..\\net.toml'", "is no problem file"),
        ("'folder/net'", "is no problem file"),
        ('"net\\u0000.toml"', "is no problem file"),
        ("'cse1'", "there is no built-in problem cse1"),
        ("'exam.toml'", "a problem cannot be called exam.toml"),
        ("''", "problem is the text ''"),
        ("3", "problem is the number 3"),
    ],
)
def test_a_problem_lies_beside_the_exam(tmp_path: Path, name: str, message: str) -> None:
    """No path leads out of the folder, and a slip of the pen finds its neighbour."""
    folder = tmp_path / "exams"
    folder.mkdir()
    (tmp_path / "net.toml").write_text(relu())
    (folder / "link.toml").symlink_to(tmp_path / "net.toml")
    path = written(folder, f"[[question]]\nproblem = {name}\npoints = 1\n")
    error = refused(path)
    assert message in str(error)
    assert (error.file, error.line) == (str(path), 2)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("W1 = [[1, 2], [3, 4]]", "W1 = [[1, 2], [3]]", "net.toml:12: row 2 of W1"),
        ("y = h @ W2", "y = h @ W9", "net.toml:5: W9 is used and is nowhere defined"),
        ("W2 = [[1], [2]]", "W2 = [[1], [2], [3]]", "net.toml:5: in the equation"),
        ("t = [1]", "t = [1]\n[shapes]\nb1 = [1, 2]", "b1 stands in [parameters] and in [shapes]"),
    ],
)
def test_a_wrong_problem_is_named_in_its_own_file(tmp_path: Path, old: str, new: str, message: str) -> None:
    """With the line there."""
    net = relu()
    assert old in net
    with pytest.raises(ProblemError) as error:
        read_exam(written(tmp_path, HEAD + "points = 1\n", net=net.replace(old, new)))
    assert message in str(error.value)


def test_an_exam_needs_numbers(tmp_path: Path) -> None:
    """An unspecified function that does not vary, sizes alone, an upstream known by name."""
    symbolic = relu().replace("x = [1, 2]\n", "").replace("[parameters]", '[shapes]\nx = ["N", 2]\n[parameters]')
    above = relu().replace("update = { rate = 0.1 }", 'upstream = { of = "J", at = "y" }\ngradients = ["W1"]')
    for net, message in (
        (NET, "the function hidden of the problem is unspecified"),
        (symbolic.replace("t = [1]", "t = [[1]]"), "the problem has no numbers for x"),
        (above, "the upstream at y has no numbers"),
    ):
        error = refused(written(tmp_path, HEAD + "points = 1\n", net=net))
        assert message in str(error)
        assert error.line == 3
    error = refused(written(tmp_path, HEAD + "points = 1\nvary = { x = [1] }\n", net=symbolic))
    assert "x has a size and no numbers" in str(error)


def test_an_exam_without_questions(tmp_path: Path) -> None:
    """None, no table, too many, and what is no TOML."""
    for text, message in (
        ('title = "Q"\nquestion = []\n', "there are no questions"),
        ('title = "Q"\nquestion = 1\n', "there are no questions"),
        ('title = "Q"\nquestion = [1]\n', "[question] is the number 1, expected is a table"),
        ("\n" + '[[question]]\nproblem = "net.toml"\npoints = 1\n' * 101, "101 questions, at most 100"),
        ('title = "Q"\n= 2\n', "this is not TOML"),
        ('title = "Q"\n[other.require]\n', "unknown key other"),
    ):
        error = refused(written(tmp_path, text))
        assert message in str(error)
        assert error.line == 2
    with pytest.raises(ProblemError, match="there are no questions"):
        read_exam(written(tmp_path, ""))


def test_files_that_are_none(tmp_path: Path) -> None:
    """Missing, a folder, no UTF-8: one message that names the file."""
    (tmp_path / "bytes.toml").write_bytes(b'title = "\xff"')
    (tmp_path / "folder.toml").mkdir()
    for name in ("missing.toml", "folder.toml", "bytes.toml", "nul\0.toml"):
        with pytest.raises(ProblemError) as error:
            read_exam(tmp_path / name)
        assert error.value.file == str(tmp_path / name)


def test_texts_that_were_not_kept(tmp_path: Path) -> None:
    """An exam from its texts opens no file, not even one that is there."""
    exam = read_exam(written(tmp_path))
    for missing in exam.sources:
        texts = {name: text for name, text in exam.sources.items() if name != missing}
        with pytest.raises(ProblemError, match="was not kept with the exam"):
            exam_of(texts, str(tmp_path / "quiz"))
    texts = {"exam.toml": HEAD.replace("net.toml", "case1") + "points = 1\n", "case1": relu()}
    assert exam_of(texts, "quiz").questions[0].problem.parameters["W2"].entries == (fmpq(1), fmpq(2))


def test_a_later_format_is_not_built_yet(tmp_path: Path) -> None:
    """``Unsupported``, which says what is built."""
    with pytest.raises(Unsupported, match="knows up to 1"):
        read_exam(written(tmp_path, EXAM.replace("format = 1", "format = 7")))


@pytest.mark.parametrize("text", ["#{sys.exit()}", "\\input{/etc/passwd}", "<script>x</script>", "=1+1", "{{ 7*7 }}"])
def test_hostile_texts_are_plain_texts(tmp_path: Path, text: str) -> None:
    """They are kept letter by letter, for each format to escape."""
    exam = read_exam(
        written(tmp_path, f"title = '{text}'\n{HEAD.partition(chr(10))[2]}text = '{text}'\npoints = 1\n", net=relu())
    )
    assert dict(exam.title) == dict(exam.questions[0].text) == {"": text}


WORDS = (
    *("[", "]", "{", "}", "=", '"', "'", "-1", "0", "1e308", "nan", "inf", "true", "[]", "{}", '""', "1/0", "9" * 40),
    *("x", "W1", "dE/dW1", "z@1", "dE/dE", "relu", "from", "except", "integers", "..", "\n", "#", ",", "\\u0000"),
    *("[[question]]\n", "choice", "find_error", "judge"),
)


def test_whatever_is_written_is_an_exam_or_one_message(tmp_path: Path) -> None:
    """Words of an exam file left out, put in and put for each other, 300 times: an error has its line."""
    drawn = np.random.default_rng(7)
    path = written(tmp_path)
    refusals = []
    for _ in range(300):
        words = re.findall(r"\w+|\s+|.", EXAM)
        for _ in range(drawn.integers(1, 4)):
            at = int(drawn.integers(len(words)))
            other = [WORDS[drawn.integers(len(WORDS))], words[drawn.integers(len(words))]][: drawn.integers(3)]
            words[at : at + int(drawn.integers(2))] = other
        path.write_text("".join(words), encoding="utf-8")
        try:
            exam = read_exam(path)
        except ProblemError as error:
            refusals.append(error)
        else:
            assert exam_of(exam.sources, exam.name) == exam
    assert 100 < len(refusals) < 300
    assert [str(error) for error in refusals if error.line is None or "\n" in str(error)] == []

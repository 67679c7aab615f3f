from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import pytest
from flint import fmpq

from derive.errors import ProblemError, Unsupported
from derive.numbers.tensor import Tensor
from derive.problem import Problem, built_in, find_problem, problem_from_text, read_problem
from derive.problem.problem import Convention, Update, Upstream
from derive.problem.toml import Source

SMALL = """\
equations = '''
z = x @ W + b   # affine
y = relu(z)
E = sum((y - t)**2) / 2
'''
[given]
x = [1, 2]
t = 3
[parameters]
W = [[1], [0.5]]
b = "1/3"
"""


def _error(text: str) -> ProblemError:
    with pytest.raises(ProblemError) as caught:
        problem_from_text(text)
    found = caught.value
    assert found.file == "problem.toml"
    assert found.line is not None
    assert "\n" not in str(found)
    assert len(str(found)) < 400
    return found


def _with_ask(ask: str) -> str:
    return f"{SMALL}[ask]\n{ask}\n"


def test_case1_is_read_exactly() -> None:
    """Case 1: exact fractions, rows, one scalar for each bias, entry names, the update, and their lines."""
    problem = find_problem("case1")
    assert problem.name == "case1"
    assert problem.file == "case1.toml"
    assert [(s.name, s.line) for s in problem.statements] == [("z_h", 5), ("h", 6), ("z_o", 7), ("o", 8), ("E", 9)]
    assert problem.captions["E"]["en"] == "error: half the sum of the squared differences"
    assert problem.given["t"] == Tensor((1, 2), (fmpq(1, 10), fmpq(1, 20)))
    assert problem.parameters["W1"] == Tensor((3, 2), tuple(fmpq(k, 10) for k in range(1, 7)))
    assert problem.parameters["b2"] == Tensor((), (fmpq(1, 2),))
    assert problem.names["W2"] == (("w_7", "w_8"), ("w_9", "w_10"))
    assert problem.ask.update == Update(dict.fromkeys(("W1", "b1", "W2", "b2"), fmpq(1, 100)), symbol="alpha")
    assert problem.title["zh"].endswith("一步梯度下降")
    assert problem.convention == Convention()
    assert problem.line("given", "x") == 13
    assert problem.line("ask", "update", "rate") == 46
    assert problem.line("names", "z_o", "nowhere") == 28
    assert list(problem.each()) == [problem]


def test_case2_has_three_finished_parts() -> None:
    """Case 2: each part is a problem with the tables above it, its own data, and its own lines."""
    problem = find_problem("case2")
    assert [part.part for part in problem.each()] == ["a", "b", "c"]
    assert [part.given["y"].entries for part in problem.parts] == [(fmpq(y),) for y in (2, 0, -2)]
    assert [part.given["x"] for part in problem.parts] == [
        Tensor((2, 1), entries) for entries in ((fmpq(1), fmpq(0)), (fmpq(0), fmpq(1)), (fmpq(1), fmpq(1)))
    ]
    assert {part.ask.gradients for part in problem.parts} == {("x",)}
    assert {part.convention.layout for part in problem.parts} == {"numerator"}
    assert [part.line("given", "x") for part in problem.parts] == [40, 44, 48]
    assert [part.line("given", "W1") for part in problem.parts] == [12, 12, 12]
    assert problem.symbols == {"l": "\\ell"}


def test_names_and_paths() -> None:
    """A bare name is a built-in problem; what ends in .toml or has a slash is a file."""
    assert built_in()[:2] == ("case1", "case2")
    with pytest.raises(ProblemError, match="nearest: case1") as caught:
        find_problem("case11")
    assert "case2" in caught.value.message
    for missing in ("nothing.toml", "./nothing", "a\\nothing"):
        with pytest.raises(ProblemError, match="no such file") as caught:
            find_problem(missing)
        assert caught.value.file == missing


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """A folder, bytes that are no UTF-8, UTF-16 and a zero in the path are one message each."""
    folder, latin, wide = tmp_path / "folder.toml", tmp_path / "latin.toml", tmp_path / "wide.toml"
    folder.mkdir()
    latin.write_bytes(SMALL.encode() + "# Größe\n".encode("latin-1"))
    wide.write_bytes(SMALL.encode("utf-16"))
    for path, message, line in (
        (folder, "folder", None),
        (latin, "byte 0xf6 is not UTF-8", 12),
        (wide, "UTF-16", 1),
    ):
        with pytest.raises(ProblemError, match=message) as caught:
            read_problem(path)
        assert (caught.value.file, caught.value.line) == (str(path), line)
    with pytest.raises(ProblemError, match="no path"):
        read_problem("a\0.toml")


def test_line_ends_and_marks_do_not_matter(tmp_path: Path) -> None:
    """CRLF line ends and a byte order mark give the same problem with the same lines."""
    plain, dos = tmp_path / "plain.toml", tmp_path / "dos.toml"
    plain.write_bytes(SMALL.encode())
    dos.write_bytes(b"\xef\xbb\xbf" + SMALL.replace("\n", "\r\n").encode())
    one, other = read_problem(plain), read_problem(dos)
    assert dataclasses.replace(one, name="", title={}) == dataclasses.replace(other, name="", title={})
    assert one.lines == other.lines
    assert [s.line for s in other.statements] == [2, 3, 4]


def test_equations_keep_their_lines_however_the_text_is_written() -> None:
    """An equation's line is that of the file: in literal and basic texts, after escapes, in a text on one line."""
    for written, lines in (
        ('"""a = 1\nb = a"""', [1, 2]),
        ('"""\na = 1\n\nb = a"""', [2, 4]),
        ("'''\na = 1\nb = a'''", [2, 3]),
        ('"a = 1\\nb = a"', [1, 1]),
        ('"""\na = \\\n   1\nb = a"""', [2, 4]),
        ('"""\na = 1\\u000ab = a"""', [2, 2]),
        ('"""\na = 1 # say \\"x\\" \\\\\nb = a"""', [2, 3]),
    ):
        problem = problem_from_text(f"equations = {written}\n[convention]\n")
        assert [s.line for s in problem.statements] == lines, written


def test_the_scanner_agrees_with_the_parser_on_odd_spellings() -> None:
    """Quoted and dotted keys, tables in lists, quotes inside values: every key has the line it stands on."""
    source = Source(
        "a.b.'c d' = 1 # x = 2\n"
        '"é\\u0041" = [ # [\n 1, "]", # ,\n [2,\n 3], {k = 1, l = [\n4]}]\n'
        "[t . u]\nv = '''\n[no]\n''''\nw = \"\"\"x\\\"\"\"\"\n"
        "[[p]]\n[p.q]\nr=1.5\n[[p]]\n  [[p.s]]\n m = {}\n"
    )
    assert source.tables["t"]["u"] == {"v": "[no]\n'", "w": 'x"'}
    lines = {
        ("a", "b", "c d"): 1,
        ("éA",): 2,
        ("éA", 1): 3,
        ("éA", 2): 4,
        ("éA", 2, 1): 5,
        ("éA", 3, "l"): 5,
        ("éA", 3, "l", 0): 6,
        ("t", "u"): 7,
        ("t", "u", "v"): 8,
        ("t", "u", "w"): 11,
        ("p", 0): 12,
        ("p", 0, "q", "r"): 14,
        ("p", 1): 15,
        ("p", 1, "s", 0, "m"): 17,
        ("p", 1, "s", 0, "m", "none"): 17,
    }
    assert {path: source.line(*path) for path in lines} == lines
    assert source.line("none") is None


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("equations = ", "Invalid value", 1),
        ("\n\nx == 1", "Invalid value", 3),
        ("a = 1\na = 2", "twice", 2),
        ("[a]\nb = 1\n[a]", "twice", 3),
        ('a = "x', "Unterminated string", 1),
        ('a = """x\n\n', "Unterminated", 1),
        ("y = x @ W\n", "Invalid value", 1),
        ("a = 1 2", "after a statement", 1),
        ("a = 1\nb = \x00", "not TOML", 2),
        ("a = 1\nb = " + "1" * 5000, "5000 characters", 2),
        ("a = '" + "1" * 5000 + "'\nb = " + "1" * 5000, "5000 characters", 2),
        ("\na = " + "[" * 100000, "60 deep", 2),
        ("\na = " + "[" * 70 + "]" * 70, "60 deep", 2),
        ("\na = " + "{b = " * 3000, "60 deep", 2),
        ("a = 1\rb = 2", "not TOML", 1),
        ("", "no equations", None),
        ("a = 1e", "after a statement", 1),
    ],
)
def test_what_is_not_toml(text: str, message: str, line: int | None) -> None:
    """Text that is no TOML, or that no parser should be trusted with, is one message with its line."""
    with pytest.raises(ProblemError) as caught:
        problem_from_text(text)
    assert message in caught.value.message
    assert caught.value.line == line


@pytest.mark.parametrize(
    ("text", "message", "line", "hint"),
    [
        (SMALL + "[givn]\n", "unknown key givn", 12, "nearest: given"),
        (SMALL + "[convention]\ndigit = 4", "unknown key digit in [convention]", 13, "nearest: digits"),
        (SMALL + "[convention]\ndigits = 16", "from 0 to 15", 13, None),
        (SMALL + "[convention]\ndigits = 4.0", "digits is the number 4.0", 13, None),
        (SMALL + "[convention]\ndigits = true", "truth value", 13, None),
        (SMALL + "[convention]\nsignificant = 0", "from 1 to 15", 13, None),
        (SMALL + "[convention]\ndigits = 4\nsignificant = 3", "exclude each other", 14, None),
        (SMALL + '[convention]\nrounding = "up"', "half-up or half-even", 13, None),
        (SMALL + '[convention]\nlayout = "numerater"', "shape or numerator", 13, "nearest: numerator"),
        (SMALL + '[convention]\ncarry = "none"', "full or displayed", 13, None),
        (SMALL + '[convention]\nstyle = ["matrix", "element"]', "jacobian", 13, "nearest: elements"),
        (SMALL + '[convention]\nstyle = ["matrix", "matrix"]', "twice", 13, None),
        (SMALL + "[convention]\nstyle = []", "style is empty", 13, None),
        (SMALL + "[convention]\nrelu_at_zero = 2", "from 0 to 1", 13, None),
        ("format = 2\n" + SMALL, "format is 2", 1, "newer"),
        ('format = "1"\n' + SMALL, "format is", 1, None),
        ("given = 3\n" + "equations = 'y = 1'", "[given] is the number 3", 1, None),
        ("equations = 3", "equations is the number 3", 1, None),
        ("equations = '# nothing'", "no equation", 1, "y = x @ W"),
        ("title = 3\n" + SMALL, "title is", 1, None),
        ('title = "a\\u202eb"\n' + SMALL, "U+202E", 1, None),
        ('title = "a\\u0007b"\n' + SMALL, "U+0007", 1, None),
        ("title = '" + "x" * 501 + "'\n" + SMALL, "501 characters", 1, None),
        ('title = { english = "x" }\n' + SMALL, "'english' is no language code", 1, None),
        ("title = {}\n" + SMALL, "no text", 1, None),
        ("equations = '''\ny = q1\n'''\n[given]\nq_1 = 2", "q1 is used and is nowhere defined", 2, "nearest: q_1"),
        ("equations = '''\ny = (z +\n q)\n'''\n[given]\nz = 2", "q is used", 3, "[given]"),
        ("equations = '''\ny = z\nz = 2\n'''", "used before it is defined", 2, "line 3"),
        ("equations = '''\ny = y\n'''", "its own equation", 2, None),
        ("equations = '''\ny = 1\n\ny = 2\n'''", "y is defined twice, first on line 2", 4, None),
        ("equations = '''\ny = 1\n'''\n[given]\ny = 2", "an equation, and data in [given]", 2, None),
        ("equations = 'y = x'\n[given]\nx = 2\n[parameters]\nx = 3", "[given] and in [parameters]", 5, None),
        ("equations = 'y = x'\n[given]\nx = 2\n[shapes]\nx = [2, 2]", "[given] and in [shapes]", 5, None),
        ("equations = 'y = x'\n[given]\n'1x' = 2", "'1x' cannot name a value", 3, None),
        ("equations = 'y = x'\n[given]\n'σ' = 2", "cannot name a value", 3, "write sigma"),
        ("equations = 'y = x'\n[given]\nexp = 2", "it is a function", 3, None),
        ("equations = 'y = x'\n[given]\npi = 2", "it is a constant", 3, None),
        ("equations = 'y = x'\n[given]\nlambda = 2", "word of the language", 3, None),
        ("equations = 'y = x'\n[given]\n" + "x" * 61 + " = 2", "61 characters", 3, None),
        (SMALL + "[functions]\nphi = 3", "expected is", 13, None),
        (SMALL + "[functions]\nexp = 'z'", "function of the language already", 13, None),
        (SMALL + "[functions]\nphi = 'a + b'", "the variables a and b", 13, None),
        (SMALL + "[functions]\nphi = 'z @ z'", "not elementwise", 13, None),
        (
            "equations = 'y = 1'\n[given]\nx = 1\n[functions]\nx = 'z'",
            "x is a function of [functions] and a value",
            3,
            None,
        ),
        (SMALL + '[names]\nx = "x_1"', "1 × 1, and x is 1 × 2", 13, None),
        (SMALL + '[names]\nW = "w_1 w_2"', "1 × 2, and W is 2 × 1", 13, "parted by ;"),
        (SMALL + '[names]\nx = "x_1 x_1"', "stands twice", 13, None),
        (SMALL + '[names]\nx = "x_1 x_{1}"', "stands twice", 13, None),
        (SMALL + '[names]\nx = "a_1 a_2"\nW = "a_2; a_3"', "a_2 stands twice: it is in the names of x", 14, None),
        (SMALL + '[names]\nx = "t s"', "the name of another quantity: t", 13, None),
        (SMALL + '[names]\nx = "x_1 \\\\input{x}"', "\\input is not allowed", 13, None),
        (SMALL + '[names]\nW = "w_1; "', "empty row", 13, None),
        (SMALL + '[names]\ny = "a d; c"', "1 and 2 names", 13, None),
        (SMALL + '[names]\nq = "a"', "does not exist: q", 13, None),
        (SMALL + "[names]\nx = 3", "the names of x are", 13, None),
        (
            SMALL + '[symbols]\nx = "\\\\write18{x}"',
            "cannot be printed".replace("cannot", "not one that can"),
            13,
            None,
        ),
        (SMALL + '[symbols]\nWW = "x"', "does not exist: WW", 13, "nearest: W"),
        (SMALL + '[symbols]\nx = "a"\ny = "a"', "same symbol a", 14, None),
        (SMALL + '[captions]\nzz = "a"', "[captions] has what does not exist: zz", 13, "nearest: z"),
        (SMALL + "[captions]\nz = 3", "z is", 13, None),
        (SMALL + "[shapes]\nq = 3", "the shape of q", 13, None),
        (SMALL + "[shapes]\nq = [3]", "one size", 13, "[1, 3] is a row"),
        (SMALL + "[shapes]\nq = [0, 3]", "a size of q is the number 0", 13, None),
        (SMALL + '[shapes]\nq = ["n m", 3]', "cannot name a size", 13, None),
        (SMALL + '[shapes]\nq = ["x", 3]', "x is a size of q and the name of a quantity", 13, None),
        ("equations = 'y = N'\n[shapes]\nq = ['N', 3]", "N is a size", 1, None),
        ("part = 3\n" + SMALL, "part is the number 3", 1, None),
        (SMALL + "[[part]]\n", "no name", 12, 'name = "a"'),
        (SMALL + '[[part]]\nname = "a"\n[[part]]\nname = "a"', "two parts have the name a", 15, None),
        (SMALL + '[[part]]\nname = "a"\nequations = "y = 1"', "share one network", 14, None),
        (SMALL + '[[part]]\nname = "a"\ngiven = { xx = 3 }', "in part a: no equation uses xx", 14, "nearest: x"),
        (SMALL + '[[part]]\nname = "a"\ngiven = { x = "u" }', "in part a: x: 'u' is not a number", 14, None),
        (SMALL + '[[part]]\nname = "a"\nask = { los = "E" }', "unknown key los in [ask]", 14, "nearest: loss"),
        (SMALL + '[[part]]\nname = "a"\nasks = 3', "unknown key asks in [part]", 14, "nearest: ask"),
    ],
)
def test_wrong_input_names_its_line(text: str, message: str, line: int, hint: str | None) -> None:
    """Each slip gets one message: what was found, on the line where it stands, with the nearest right name."""
    found = _error(text)
    assert message in found.message
    assert found.line == line
    if hint:
        assert hint in (found.hint or "")


@pytest.mark.parametrize(
    ("ask", "message", "hint"),
    [
        ('loss = "e"', "loss names no equation: e", "nearest: E"),
        ('loss = "W"', "which is data", None),
        ("loss = 3", "loss is the number 3", None),
        ('los = "E"', "unknown key los", "nearest: loss"),
        ('gradients = "W"', "expected is", '["W"]'),
        ('gradients = ["W1"]', "gradients names what does not exist: W1", "nearest: W"),
        ('gradients = ["W", "W"]', "W twice", None),
        ('gradients = ["dE/dq"]', "there is no name q", None),
        ('gradients = ["dQ/dW"]', "there is no equation Q", None),
        ('gradients = ["dx/dW"]', "x is data", None),
        ('gradients = ["E/W"]', "no ratio", "dE/dW1"),
        ('gradients = ["∂E/∂W"]', "no ratio", "dE/dW1"),
        ("gradients = [3]", "gradients has the number 3", None),
        ("update = true", "update is true", None),
        ("update = { steps = 2 }", "no rate", None),
        ('update = { rate = "x" }', "rate: 'x' is not a number", None),
        ("update = { rate = nan }", "rate: 'nan'", None),
        ("update = { rate = 1, steps = 0 }", "steps is", None),
        ("update = { rate = 1, stepps = 2 }", "unknown key stepps", "nearest: steps"),
        ("update = { rate = 1, every = 1.5 }", "every is", None),
        ("update = { rate = 1, rest = 2 }", "rest stands beside one rate", None),
        ("update = { rate = { W = 1 } }", "rate leaves out b", "rest"),
        ("update = { rate = { W = 1, b = 1, c = 1 } }", "rate names no parameter: c", None),
        ("update = { rate = { W = 1, rest = 1 }, rest = 2 }", "rest stands twice", None),
        ('update = { rate = 1, symbol = "\\\\alpha" }', "cannot name the rate", None),
        ('update = { rate = 1, show = ["q"] }', "show names what does not exist: q", None),
        ('update = { rate = 1, show = "y" }', "show is", None),
        ("upstream = {}", "needs of and at", None),
        ('upstream = { of = "J", at = "Y" }', "upstream is at what does not exist: Y", "nearest: y"),
        ('upstream = { of = "E", at = "y" }', "which is a name of the problem already", None),
        ('loss = "E"\nupstream = { of = "J", at = "y" }', "exclude each other", None),
        ('upstream = { of = "J", at = "y", value = [[1], []] }', "row 2 of value has 0 entries", None),
        ('upstream = { of = "J", at = "y" }\nupdate = { rate = 1 }', "needs the numbers", None),
        ('upstream = [{ of = "J", at = "y" }, { of = "J", at = "y" }]', "at y twice", None),
    ],
)
def test_wrong_wishes(ask: str, message: str, hint: str | None) -> None:
    """Each wrong entry of [ask] gets one message on one of its lines."""
    found = _error(_with_ask(ask))
    assert not isinstance(found, Unsupported)
    assert message in found.message
    assert found.line in (13, 14)
    if hint:
        assert hint in (found.hint or "")


def test_wishes_are_read() -> None:
    """Rates by name with a rest, kept parameters, negative rates, several upstreams, ratios, second names of tops."""
    update = 'update = { rate = { W = "-1/3", rest = 0 }, steps = 3, show = ["y", "dE/dW", "W"], every = 2 }'
    ask = problem_from_text(_with_ask(f'gradients = ["x", "z", "dy/dz"]\n{update}')).ask
    assert ask.gradients == ("x", "z", "dy/dz")
    assert ask.update == Update({"W": fmpq(-1, 3), "b": fmpq(0)}, "eta", 3, ("y", "dE/dW", "W"), 2)
    beside = problem_from_text(_with_ask("update = { rate = { b = 2 }, rest = 0.5 }")).ask.update
    assert beside is not None
    assert dict(beside.rates) == {"W": fmpq(1, 2), "b": fmpq(2)}
    upstream = 'upstream = [{ of = "J", at = "y", value = 2 }, { of = "J", at = "z" }]\ngradients = ["dJ/dW"]'
    ask = problem_from_text(_with_ask(upstream)).ask
    assert ask.upstream == (Upstream("J", "y", Tensor((), (fmpq(2),))), Upstream("J", "z"))
    assert problem_from_text(_with_ask("update = false\ngradients = []")).ask.gradients == ()


def test_a_part_is_laid_over_key_by_key() -> None:
    """A part replaces a value whole, may turn numbers into sizes, drops an update, and overrides its excluded twin."""
    text = _with_ask('loss = "E"\nupdate = { rate = 1, steps = 5 }') + (
        "[convention]\ndigits = 3\n"
        '[[part]]\nname = "a"\ngiven = { x = [1, 2, 3] }\nparameters = { W = [[1], [2], [3]] }\n'
        '[[part]]\nname = "b"\nask = { update = { rate = 2 } }\nconvention = { significant = 2 }\n'
        '[[part]]\nname = "c"\nask = { update = false }\nshapes = { x = ["N", 2] }\ntitle = "c alone"\n'
        '[[part]]\nname = "d"\nask = { upstream = { of = "J", at = "y" }, update = false }\n'
    )
    a, b, c, d = problem_from_text(text).parts
    assert a.given["x"].shape == (1, 3)
    assert a.parameters["W"].shape == (3, 1)
    assert a.ask.update is not None
    assert a.ask.update.steps == 5
    assert b.ask.update == Update({"W": fmpq(2), "b": fmpq(2)})
    assert (b.convention.significant, a.convention.digits) == (2, 3)
    assert c.ask.update is None
    assert "x" not in c.given
    assert c.shapes == {"x": ("N", 2)}
    assert c.title == {"": "c alone"}
    assert d.ask.loss is None
    assert d.ask.upstream == (Upstream("J", "y"),)


def test_sizes_need_no_numbers() -> None:
    """A name may have a shape in place of a value, with sizes that are names or as large as one likes."""
    problem = problem_from_text(
        "equations = 'out = phi(Z @ W + b)'\n[shapes]\nZ = ['N', 1000000]\nW = [1000000, 'n']\nb = [1, 'n']\ns = []\n"
        "[functions]\nphi = 'unspecified'\nswoosh = 'q**3 / 3'\n[symbols]\nphi = '\\varphi'\nN = 'M'\n"
        "J = '\\mathcal{J}'\n"
        "[ask]\nupstream = { of = 'J', at = 'out' }\n"
    )
    assert problem.shapes == {"Z": ("N", 1000000), "W": (1000000, "n"), "b": (1, "n"), "s": ()}
    assert problem.functions["phi"] is None
    formula = problem.functions["swoosh"]
    assert formula is not None
    assert formula[0] == "q"
    assert problem.symbols == {"phi": "\\varphi", "N": "M", "J": "\\mathcal{J}"}


def test_python_and_toml_make_the_same_problem() -> None:
    """`Problem.from_equations` with the tables of a file is the problem of that file."""
    equations = "z = x @ W + b   # affine\ny = relu(z)\nE = sum((y - t)**2) / 2"
    made = Problem.from_equations(
        equations, given={"x": [1, 2], "t": 3}, parameters={"W": [[1], [0.5]], "b": "1/3"}, ask={"loss": "E"}
    )
    assert made == problem_from_text(_with_ask('loss = "E"'))
    with pytest.raises(ProblemError, match="equations:2: q is used"):
        Problem.from_equations("y = 1\nz = q")
    with pytest.raises(ProblemError, match="in part a: entry 1 of x: 'nan'"):
        Problem.from_equations("y = x", parts=[{"name": "a", "given": {"x": [float("nan")]}}])
    with pytest.raises(ProblemError, match="has the key 3"):
        Problem.from_equations("y = x", given={3: 4})  # type: ignore[dict-item]


def test_file_names_are_safe() -> None:
    """The problem's name can be a file name anywhere."""
    for stem, name in (("my net", "my-net"), ("../x", "x"), ("", "problem"), ("...", "problem"), ("网络", "网络")):
        assert problem_from_text(SMALL, name=stem).name == name


@pytest.mark.slow
def test_a_large_file_is_read_in_seconds() -> None:
    """A 784 × 128 matrix in decimals is read, with lines, in a few seconds."""
    row = "[" + ", ".join(["-0.0123"] * 128) + "],\n"
    text = "equations = 'y = x @ W'\n[given]\nx = [[" + ", ".join(["1"] * 784) + "]]\nW = [\n" + row * 784 + "]\n"
    start = time.perf_counter()
    problem = problem_from_text(text)
    assert time.perf_counter() - start < 10
    assert problem.given["W"].shape == (784, 128)
    broken = _error(text.replace("-0.0123],\n]", "-0.0.123],\n]"))
    assert broken.line == 4 + 784
    ragged = _error(text.replace(", -0.0123],\n]", "],\n]"))
    assert ragged.line == 4 + 784
    assert "row 784 of W has 127 entries, expected are 128" in ragged.message

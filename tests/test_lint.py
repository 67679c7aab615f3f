"""What ``derive lint`` makes of a formula: read, judged by rounding intervals, or left out with a reason."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from flint import arb, fmpq

from derive.calculus.functions import DEFINITIONS, Functions
from derive.calculus.numeric import of_one_variable
from derive.cli import main
from derive.cli.lint import Printed
from derive.errors import ProblemError
from derive.problem import find_problem, problem_from_text
from derive.report.catalogue import catalogue, languages
from derive.review.lint import Linted, lint_text
from derive.review.lint.document import MOST_LINKS
from derive.review.lint.functions import FUNCTIONS, SLOPES
from derive.review.lint.scenes import Known
from derive.review.lint.source import LARGEST
from derive.review.lint.tree import REASONS
from derive.solution import solve

SMALL = """
equations = '''
z = x @ W1 + b
h = sigmoid(z)
E = sum((h - t)**2) / 2
'''
[given]
x = [1, 4]
t = [0.1, 0.05]
[parameters]
W1 = [[0.1, 0.2], [0.3, 0.4]]
b = 0.5
[ask]
update = { rate = 0.01, symbol = "alpha", steps = 2 }
"""


def linted(text: str, *, markdown: bool = True, problem: str = "") -> Linted:
    """A document, with the names of a problem or without."""
    scene = Known(solve(problem_from_text(problem)), Printed()) if problem else None
    return lint_text(text, markdown=markdown, scene=scene)


def verdicts(formula: str, problem: str = "") -> list[str]:
    """The verdicts on one formula; of what is not read the reason."""
    found = linted(f"$$\n{formula}\n$$", problem=problem).links
    return [link.verdict.why if link.verdict.kind == "not read" else link.verdict.kind for link in found]


# ── numbers alone ───────────────────────────────────────────────────────────────────────────────────────────────

NUMBERS: dict[str, list[str]] = {
    # a printed decimal is an interval; whole numbers are themselves
    r"(0.7896)(0.0983)(7)+(0.7504)(0.1598)(8) = 1.5026": ["right"],
    r"(0.7896)(0.0983)(7)+(0.7504)(0.1598)(8) = 1.504": ["wrong"],
    r"1 + 2 = 3": ["right"],
    r"1 + 2 = 4": ["wrong"],
    r"\frac{1}{3} \approx 0.3333": ["right"],
    r"\frac{1}{3} = 0.3334": ["wrong"],
    r"0.15 \cdot 4 = 0.6 = 0.67": ["right", "wrong"],
    # each link against its neighbour, the ends against each other
    r"1 = 1.0 = 1.1": ["right", "wrong"],
    r"1.00 \approx 1.005 \approx 1.01 \approx 1.015": ["right", "right", "wrong"],
    r"1 \approx 1.0 \approx 1.05": ["right", "wrong"],
    # functions, powers, roots, bars
    r"\sigma(4.3) \approx 0.9866": ["right"],
    r"\sigma(4.3) \approx 0.9886": ["wrong"],
    r"\tanh(0.5) = 0.46, \quad \mathrm{ReLU}(-3) = 0": ["right", "right"],
    r"e^{-1} \approx 0.3679": ["right"],
    r"\exp(-1) \approx 0.3679, \quad \ln 2 \approx 0.6931": ["right", "right"],
    r"\sqrt{2} \approx 1.414": ["right"],
    r"\sqrt 2 \approx 1.415": ["wrong"],
    r"|{-2}| = 2": ["right"],
    r"2 \left|-3\right| = 6": ["right"],
    r"\left\|(3, 4)\right\| = 5": ["right"],
    r"\max(0, -3, 2) = 2": ["right"],
    r"\operatorname{softmax}(1, 2, 3) \approx (0.0900, 0.2447, 0.6652)": ["right"],
    r"\operatorname{softmax}(1, 2, 3) \approx (0.0900, 0.2447, 0.6662)": ["wrong"],
    r"1.20 \times 10^{-5} = 0.000012": ["right"],
    r"3 \cdot 10^{2} = 300": ["right"],
    r"(-0.5)^2 = 0.25": ["right"],
    r"-0.5^2 = 0.25": ["wrong"],
    r"\frac12 + 1/4 = 0.75": ["right"],
    # rows, columns, small matrices
    r"\begin{pmatrix} 1 & 2 \end{pmatrix} \begin{pmatrix} 3 \\ 4 \end{pmatrix} = 11": ["right"],
    r"(1 \quad -1) \begin{bmatrix} 1 & -2 \\ 0 & 2 \end{bmatrix} = (1 \quad -4)": ["right"],
    r"(1, 2)^T = \begin{pmatrix} 1 \\ 2 \end{pmatrix}": ["right"],
    r"(1, 2) = \begin{pmatrix} 1 \\ 2 \end{pmatrix}": ["wrong"],
    r"\begin{pmatrix} 1 \\ 2 \end{pmatrix} \odot \begin{pmatrix} 3 \\ 4 \end{pmatrix} = \begin{pmatrix} 3 \\ 8 \end{pmatrix}": ["right"],
    r"\begin{pmatrix} 1 \\ 2 \end{pmatrix} \begin{pmatrix} 3 \\ 4 \end{pmatrix} = \begin{pmatrix} 3 \\ 8 \end{pmatrix}": ["wrong"],
    r"\left(\begin{array}{rr} 1 & 2 \\ 3 & 4 \end{array}\right)^{-1} = \begin{pmatrix} -2 & 1 \\ 1.5 & -0.5 \end{pmatrix}": ["right"],
    r"\begin{vmatrix} 1 & 2 \\ 3 & 4 \end{vmatrix} = -2": ["right"],
    # a decimal comma, Unicode, boxes, labels, colours
    r"0{,}5 \cdot 3 = 1{,}5 \label{eq:one} \tag{7}": ["right"],
    "0.5·3 ≈ 1.5": ["right"],
    "2² + 3 = 7": ["right"],
    r"\boxed{0.5 \cdot 3 = 1.71}": ["wrong"],
    r"\textcolor{red}{1} + 1 = 2": ["right"],
    # definitions of functions, at three places
    r"\sigma(x) = \frac{1}{1 + e^{-x}}": ["right"],
    r"\sigma'(z) = \sigma(z)(1 - \sigma(z))": ["right"],
    r"\sigma'(z) = \sigma(z)(1 + \sigma(z))": ["wrong"],
    # not read, each with its reason
    r"h_1 = \sigma(4.3)": ["symbolic"],
    r"h_1 = \sigma(4.3) \approx 0.9866 \approx 0.98": ["symbolic", "right", "wrong"],
    r"0.5 0.3 = 0.15": ["ambiguous"],
    r"2 \frac{1}{3} = 2.333": ["ambiguous"],
    r"1 / 2 \cdot 3 = 1.5": ["ambiguous"],
    r"(4, 6) \oslash (2, 3) \cdot 2 = (4, 4)": ["ambiguous"],
    r"2 \cdot -3 = -6": ["ambiguous"],
    r"\begin{pmatrix} 1 & \cdots & 3 \end{pmatrix} = 2": ["elided"],
    r"1 + \dots + 3 = 6": ["elided"],
    r"\frac{1}{0} = 1": ["domain"],
    r"\frac{1}{0.0} = 1": ["unbounded"],
    r"\text{loss} = 1": ["text"],
    r"x > 1 = 1": ["relation"],
    r"\mathrm{ReLU}(z) = \begin{cases} z, & z > 0 \\ 0, & z \le 0 \end{cases}": ["definition"],
    r"\foo{1} = 1": ["unknown macro"],
    r"\frac{1}{2 = 0.5": ["syntax"],
    r"\left( 1 + 2 \right. = 3": ["syntax"],
    r"1 = ": ["syntax"],
}  # fmt: skip


@pytest.mark.parametrize("formula", NUMBERS)
def test_numbers_alone(formula: str) -> None:
    """Every link of numbers is judged by intervals; what may mean two things, or nothing, is not read."""
    assert verdicts(formula) == NUMBERS[formula]


def test_rows_of_a_display() -> None:
    """A row without a left side goes on from the one before it, and every link has the line it stands on."""
    text = (
        "\n\\begin{align*}\na &= 0.5 \\cdot 3 \\\\[4pt]\n  &\\approx 1.5 \\\\*\n  & \\quad {} + 1 \\\\\n"
        "2 + 2 &= 4 & 3 + 3 &= 7\n\\end{align*}\n"
    )
    found = linted(text, markdown=False).links
    assert [(link.line, link.verdict.kind) for link in found] == [
        *((3, "not read"), (4, "wrong")),  # 0.5 · 3 is not 1.5 + 1
        *((6, "right"), (6, "wrong")),
    ]


def test_where_mathematics_stands() -> None:
    """Displays, fences and inline chains are read; comments, code, drawings and money are none."""
    markdown = "# 1 = 2\n`$1=2$` costs $5 and $7\n<!-- $$1=2$$ -->\n```\n$$1=2$$\n```\n```math\n1=2\n```\n\\[1=2\\] $1=2$ $x$\n"
    assert [link.line for link in linted(markdown).links] == [8, 10, 10]
    latex = (
        "\\newcommand{\\x}{$1=2$}\n\\begin{document}\n% $1=2$\n\\begin{verbatim}\n$1=2$\n\\end{verbatim}\n"
        "\\(1=2\\) \\$1=2\\$ \\begin{equation*}1=2\\end{equation*}\n\\begin{proof}$1=2$\\end{proof}\n\\end{document} $1=2$"
    )
    found = linted(latex, markdown=False).links
    assert [(link.line, link.verdict.kind) for link in found] == [(7, "wrong"), (7, "wrong"), (8, "not read")]
    assert found[-1].verdict.why == "proof"


# ── with a problem ──────────────────────────────────────────────────────────────────────────────────────────────

NAMES: dict[str, list[str]] = {
    r"z_1 = x_1 w_{11} + x_2 w_{21} + b = 1 \cdot 0.1 + 4 \cdot 0.3 + 0.5 = 1.8": ["right"] * 3,
    r"z = (1.8, 2.3)": ["right"],
    r"z = (1.8, 2.4)": ["wrong"],
    r"\mathbf{z} = \mathbf{x} W^{(1)} + b": ["right"],
    r"z = W_1 x + b": ["wrong"],  # sizes
    r"h = \sigma(z) \approx (\sigma(1.8), \sigma(2.3)) \approx (0.8581, 0.9089)": ["right"] * 3,
    r"E = \frac{1}{2} \sum_j (h_j - t_j)^2": ["right"],
    r"E = \sum_j (h_j - t_j)^2": ["wrong"],
    r"\frac{\partial E}{\partial z} = (h - t) \odot h \odot (1 - h)": ["right"],
    r"\frac{\partial E}{\partial z} = (h - t) \odot h": ["wrong"],
    r"\frac{dE}{dz_1} = \frac{dE}{dh_1} \frac{dh_1}{dz_1}": ["right"],
    r"\frac{\partial E}{\partial w_{21}} = (h_1 - t_1) h_1 (1 - h_1) x_2 \approx 0.7581 \cdot 0.1217 \cdot 4": ["right"] * 2,
    # a factor that no interval of the product would catch, held against the symbol it stands for
    r"\frac{\partial E}{\partial w_{21}} = (h_1 - t_1) h_1 (1 - h_1) x_2 \approx 0.7582 \cdot 0.1217 \cdot 4": ["right", "wrong"],
    r"\frac{\partial E}{\partial w_{21}} = (h_1 - t_1) h_1 (1 - h_1) x_2 \approx 0.1217 \cdot 4 \cdot 0.7581": ["right"] * 2,
    # data are exact: taken as rounded they would let this pass
    r"E \approx \frac{1}{2} [(0.8581 - 0.1)^2 + (0.9089 - 0.05)^2] \approx 0.6562": ["right", "right"],
    r"E \approx \frac{1}{2} [(0.8581 - 0.1)^2 + (0.9089 - 0.07)^2]": ["wrong"],
    # assignments: the new value is on the left, the old one on the right
    r"b \leftarrow b - \alpha \frac{\partial E}{\partial b}": ["right"],
    r"b = b - \alpha \frac{\partial E}{\partial b} \approx 0.5 - 0.01 \cdot 0.1634 \approx 0.4984": ["right"] * 3,
    r"b \leftarrow b + \alpha \frac{\partial E}{\partial b}": ["wrong"],
    # a value after an update, by whatever name it stands there
    r"E \approx 0.6536": ["right"],
    r"E \approx 0.6545": ["wrong"],
    # what may be a function's value or a product
    r"E(h) = \frac{1}{2} \sum_j (h_j - t_j)^2": ["ambiguous"],
    r"u = x + 1": ["symbolic"],
    r"\begin{pmatrix} h_1 & \cdots \end{pmatrix} = h": ["elided"],
}  # fmt: skip


@pytest.mark.parametrize("formula", NAMES)
def test_names_of_a_problem(formula: str) -> None:
    """With the problem at hand symbols have values: formulas are judged, and every number by what it stands for."""
    assert verdicts(formula, SMALL) == NAMES[formula]


def test_parts_and_their_headings() -> None:
    """Under the heading of a part its own values count; elsewhere those of any part may be meant."""
    scene = Known(solve(find_problem("case2")), Printed())
    text = "## Part b\n$\\hat{y} = -1$ $\\hat{y} = 1$\n## Summary\n$\\hat{y} = 1$ $\\hat{y} = 3$\n"
    kinds = [link.verdict.kind for link in lint_text(text, markdown=True, scene=scene).links]
    assert kinds == ["right", "wrong", "right", "wrong"]


# ── hostile input ───────────────────────────────────────────────────────────────────────────────────────────────

HOSTILE = {
    "terms": "$$ 1 = " + "1+" * 50_000 + "1 $$",
    "factors": "$$ 1 = " + r"0.9 \cdot " * 1_900 + "1 $$",
    "fractions": "$$ 1 = " + r"\frac{1}{" * 1_000 + "1" + "}" * 1_000 + " $$",
    "brackets": "$$ 1 = " + "-(" * 3_000 + "1" + ")" * 3_000 + "$$",
    "braces": "$$ a = " + "{" * 9_000 + "}" * 9_000 + "$$",
    "scripts": "$$ x" + "_{a" * 3_000 + "}" * 3_000 + " = 1 $$",
    "powers": "$$ 1" + "^2" * 5_000 + " = 1 $$",
    "towers": r"$$ \exp(\exp(\exp(\exp(1000)))) = (((9^{999})^{999})^{999})^{999} $$",
    "stars": "$$ 1 = 1 " + r" \star 1" * 2_000 + "$$",
    "pads": r"$$ \operatorname{pad}_{999}(\operatorname{pad}_{999}(1)) = 1 $$",
    "marks": "$$ 1 = 1 " + "& " * 9_000 + "$$",
    "relations": "$$ 1 " + "= 1 " * 4_500 + "$$",
    "digits": "$$ 0." + "1" * 15_000 + " = 0.1 $$",
    "dollars": "$" * 100_000,
    "ticks": "`" * 100_001,
    "sections": "\\section{" * 50_000,
    "comments": "<!--" * 50_000,
    "definition": r"$$ \def\x{1} \x = 1 $$",
    "category": r"$$ \catcode`\@=11 1 = 1 $$",
    "input": r"$$ \input{/etc/passwd} = 1 $$",
    "nothing": "",
}


@pytest.mark.parametrize("markdown", [True, False])
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_documents(name: str, markdown: bool) -> None:
    """Whatever stands in a document, it is read in seconds, nothing is carried out and nothing is taken for right."""
    start = time.perf_counter()
    found = lint_text(HOSTILE[name], markdown=markdown)
    assert time.perf_counter() - start < 20
    judged = {"factors", "powers", "marks", "relations", "towers", "pads"}
    assert name in judged or {link.verdict.kind for link in found.links} <= {"not read"}
    assert len(found.links) <= MOST_LINKS


@pytest.mark.parametrize(("text", "line"), [("\n$$ 1 = 1", 2), ("a\n\n\\begin{align} 1 = 1", 3), ("\\[ 1", 1)])
def test_what_is_never_closed(text: str, line: int) -> None:
    """A display that does not end is named with its line."""
    with pytest.raises(ProblemError, match="never closed") as error:
        linted(text)
    assert error.value.line == line


# ── the command ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 0 where all is right and 1 where something is wrong; a table with file and line, or everything as JSON."""
    right, wrong = tmp_path / "right.md", tmp_path / "wrong.tex"
    right.write_text("$$1 + 1 = 2$$ and $x = 1$\n")
    wrong.write_text("\n\\[\n1 + 1 = 3\n\\]\n")
    assert main(["lint", str(right)]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "1 right, 0 wrong, 1 not read"
    assert main(["lint", str(wrong)]) == 1
    assert capsys.readouterr().out.startswith(f"{wrong}:3  WRONG  1 + 1 = 3\n")
    assert main(["lint", str(wrong), "--json"]) == 1
    data: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert data["counts"] == {"right": 0, "carried": 0, "wrong": 1, "not read": 0}
    assert data["links"][0]["line"] == 3
    assert main(["lint", str(right), "--lang", "zh", "--all"]) == 0
    assert "正确 1 处" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("none.tex", None, "no such file"),
        ("folder.tex", "folder", "cannot be read"),
        ("latin.md", b"$1 = 1$\n\xe9", "latin.md:2: the file is not UTF-8"),
        ("large.md", b"a" * (LARGEST + 1), "too large"),
        ("page.html", b"", "neither LaTeX nor Markdown"),
        ("open.tex", b"\n\\[ 1 = 1", "open.tex:2: "),
    ],
)
def test_bad_files(
    name: str, content: bytes | str | None, expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 2 and one message, with the line where there is one."""
    if isinstance(content, bytes):
        (tmp_path / name).write_bytes(content)
    elif content is not None:
        (tmp_path / name).mkdir()
    assert main(["lint", str(tmp_path / name)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert expected in said.err
    assert len(said.err.splitlines()) == 1


def test_every_message_is_said() -> None:
    """The table of each language has a sentence for every verdict and for every reason, and no other."""
    reasons = {f"unread_{reason.replace(' ', '_')}" for reason in REASONS}
    whys = {f"why_{why}" for why in ("neighbour", "left", "ends", "place", "definition")}
    plain = {"right", "wrong", "not_read", "counts", "nothing", "unread_line", "works_out", "sizes", "entry"}
    plain |= {"carried", "carried_line"}
    for language in languages():
        keys = {key.partition(".")[2] for key in catalogue(language).keys if key.startswith("lint.")}
        assert keys == reasons | whys | plain


@pytest.mark.parametrize(
    "formula", [r"E = " + "h_1 t_1 + " * 1_500 + "1", r"E = " + r"\frac{\partial E}{\partial b} " * 400 + "= 0.5"]
)
def test_long_chains_of_names(formula: str) -> None:
    """A long formula of symbols is tried in one state and one reading, and so takes no longer than it is long."""
    start = time.perf_counter()
    assert set(verdicts(formula, SMALL)) == {"wrong"}
    assert time.perf_counter() - start < 20


@pytest.mark.parametrize("x", [fmpq(3, 10), fmpq(7, 5), fmpq(9, 4), fmpq(-6, 5)], ids=str)
def test_functions_are_those_of_the_calculus(x: fmpq) -> None:
    """What lint knows of a function without SymPy, and of its slope, is what SymPy has for it, and encloses its values."""
    calculus = Functions(find_problem("case1"))
    for table, known in ((FUNCTIONS, calculus.definition), (SLOPES, calculus.derivative)):
        for name in table.keys() & set(DEFINITIONS) - {"leaky_relu"}:
            if x < 0 and name in ("log", "log2", "sqrt"):
                continue
            right = arb(of_one_variable(known(name, ()))(x))
            assert right.overlaps(arb(table[name](x))), name
            wide = table[name](arb(x, "0.01"))
            assert arb(wide).contains(right.mid()), name

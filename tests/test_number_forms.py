"""How numbers look: decimal commas, exact fractions, columns at their decimal signs, never a minus before zero."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest
from flint import arb, fmpq
from hypothesis import given
from hypothesis import strategies as st

from derive import api
from derive.cli import main
from derive.errors import ProblemError
from derive.numbers.balls import precision
from derive.numbers.rounding import MOST_ABOVE, MOST_BELOW, Printed, Rounding, printed
from derive.problem import Problem, built_in, find_problem, problem_from_text
from derive.report import catalogue as catalogues
from derive.report.alignment import aligned, aligned_table, in_columns
from derive.report.breaking import measure
from derive.report.catalogue import catalogue
from derive.report.compose import compose
from derive.report.compose.updates import double as in_a_table
from derive.report.document import Display, Document, Figure, Items, Listing, Math, Paragraph, Spans, Table, Text
from derive.report.html import to_mathml
from derive.report.latex_dialects import for_markdown, for_tex
from derive.report.latex_reader import parse, tokens
from derive.report.latex_tree import Number
from derive.report.notation.printed import printed_text
from derive.report.numerals import in_latex, set_numbers
from derive.report.render import render
from derive.report.result import double
from derive.report.scene import Bare
from readback_tokens import as_centred

POINT = re.compile(r"\d\.\d")
COMMA = re.compile(r"\d\{,\}\d")


# ── certified numbers ───────────────────────────────────────────────────────────────────────────────────────────

RATIONALS = st.builds(fmpq, st.integers(-(10**9), 10**9), st.integers(1, 10**9))
ROUNDINGS = st.builds(
    Rounding,
    digits=st.integers(0, 8),
    significant=st.none() | st.integers(1, 8),
    mode=st.sampled_from(["half-up", "half-even"]),
    tiny=st.sampled_from(["plain", "scientific"]),
    fractions=st.booleans(),
)


def value_of(latex: str) -> Fraction:
    """The rational that a printed number spells in LaTeX."""
    minus, rest = (-1, latex[1:]) if latex.startswith("-") else (1, latex)
    if fraction := re.fullmatch(r"\\frac\{(\d+)\}\{(\d+)\}", rest):
        return Fraction(minus * int(fraction[1]), int(fraction[2]))
    decimal = re.fullmatch(r"(\d+(?:\.\d+)?)(?: \\times 10\^\{(-?\d+)\})?", rest)
    assert decimal is not None, latex
    return minus * Fraction(decimal[1]) * Fraction(10) ** int(decimal[2] or 0)


def half_a_unit(number: Printed) -> Fraction:
    """Half a unit of the last digit that is printed."""
    decimals = len(number.mantissa.partition(".")[2])
    return Fraction(10) ** ((number.exponent or 0) - decimals) / 2


@given(RATIONALS, ROUNDINGS)
def test_what_is_printed_holds_the_value(x: fmpq, rounding: Rounding) -> None:
    """An exact print is the value itself, any other the middle of an interval that holds it; read back from LaTeX."""
    number, value = printed(x, rounding), Fraction(int(x.p), int(x.q))
    assert number is not None
    found = value_of(printed_text(number))
    assert (found == value) == number.exact
    assert number.exact or abs(found - value) <= half_a_unit(number)


@given(RATIONALS, ROUNDINGS)
def test_zero_has_no_minus(x: fmpq, rounding: Rounding) -> None:
    """Whatever is rounded, exact or in a ball: a minus stands only before a number that is not zero."""
    with precision(200):
        narrow = arb(x) + arb(0, "1e-40")
    for number in (printed(x, rounding), printed(narrow, rounding)):
        if number is not None and number.text.startswith("-"):
            assert value_of(printed_text(number)) < 0


def test_a_double_that_is_zero_has_no_minus() -> None:
    """What training leaves prints as 0.0, in JSON and in a table."""
    assert (double(-0.0), double(-1e-300), in_a_table(-0.0)) == ("0.0", "-1e-300", "0")


@given(RATIONALS.filter(lambda x: x != 0), st.integers(0, 8), st.booleans())
def test_no_value_but_zero_prints_as_noughts(x: fmpq, digits: int, fractions: bool) -> None:
    """As a report rounds it a number has a power of ten where its decimals would all be noughts."""
    rounding = Rounding(digits=digits, tiny="scientific", fractions=fractions)
    number = printed(x / 10**6, rounding)
    assert number is not None
    assert value_of(printed_text(number)) != 0


@given(RATIONALS, ROUNDINGS.filter(lambda rounding: rounding.fractions))
def test_fractions_are_exact_and_short(x: fmpq, rounding: Rounding) -> None:
    """A rational with short parts is a fraction in lowest terms, a whole number is whole, and any other is rounded."""
    number = printed(x, rounding)
    assert number is not None
    if 1 < x.q < MOST_BELOW and abs(x.p) < MOST_ABOVE:
        assert (number.mantissa, number.below, number.exact) == (str(x.p), int(x.q), True)
        assert number.text == f"{x.p}/{x.q}"
    else:
        assert number == printed(x, replace(rounding, fractions=False))


def test_reports_print_tiny_values_with_a_power_of_ten() -> None:
    """A gradient of 0.0000004 is no 0.0000 in a report, nor at the terminal."""
    problem = Problem.from_equations("E = (w * x)**2 / 2", given={"x": "0.001"}, parameters={"w": "0.4"})
    solution = api.solve(problem)
    assert solution.results()[-1].rows == (("4e-07",),)
    text = render(compose(solution.core), "md").text
    assert r"4 \times 10^{-7}" in text
    assert "0.0000" not in text


# ── fractions in reports ────────────────────────────────────────────────────────────────────────────────────────

HALVES = '''
equations = """
y = x @ w
E = (y - t)**2 / 2
"""
[given]
x = ["1/3", "1/2"]
t = 1
[parameters]
w = [["2"], ["0.5"]]
[convention]
'''


def report(convention: str, language: str = "en") -> str:
    """The Markdown of a problem in thirds and halves under a convention."""
    core = api.solve(problem_from_text(HALVES + convention, "halves")).core
    return render(compose(core, language=language), "md").text


def test_fractions_where_a_problem_asks() -> None:
    """A third is a third with an equality sign; without the wish it is a rounded decimal behind an approximate one."""
    asked, plain = report("fractions = true"), report("")
    assert (
        r"E & = \frac{1}{2} (y - t)^2 \cr & = \frac{1}{2} \left(\frac{11}{12} - 1\right)^2 = \frac{1}{288}"
        in " ".join(asked.split())
    )
    assert r"\begin{pmatrix} 2 \cr \frac{1}{2} \end{pmatrix}" in asked
    assert r"\approx" not in asked.partition("## Step 1")[2].partition("## Results")[0]
    assert r"\approx" in plain.partition("## Step 1")[2]
    assert "shown as a fraction" in asked
    assert "shown as a fraction" not in plain


def test_fractions_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``--fractions`` prints them at the terminal and in the files."""
    (tmp_path / "halves.toml").write_text(HALVES, encoding="utf-8")
    arguments = ["--fractions", "--format", "md", "--out", str(tmp_path)]
    assert main([str(tmp_path / "halves.toml"), *arguments]) == 0
    assert re.search(r"^E +1/288$", capsys.readouterr().out, re.MULTILINE)
    assert r"= \frac{1}{288}" in (tmp_path / "halves.md").read_text(encoding="utf-8")


# ── the decimal comma ───────────────────────────────────────────────────────────────────────────────────────────

COMMAS = {
    "0.5": "0{,}5",
    r"-0.5 \times 10^{-7}": r"-0{,}5 \times 10^{-7}",
    r"\max(0, 0.5)": r"\max(0; 0{,}5)",
    r"\max(0, x_{1,2})": r"\max(0, x_{1,2})",
    r"f(w_{1,2}, (0.1), 3)": r"f(w_{1,2}; (0{,}1); 3)",
    r"a = 0.5,\; b = 2": r"a = 0{,}5,\; b = 2".replace(",\\;", ";\\;"),
    r"\begin{pmatrix} f(1, 2) & 0.5 \end{pmatrix}": r"\begin{pmatrix} f(1, 2) & 0{,}5 \end{pmatrix}",
    r"\begin{cases} x, & x > 0.5 \\ 0.1 x, & x \le 0 \end{cases}": (
        r"\begin{cases} x, & x > 0{,}5 \\ 0{,}1 x; & x \le 0 \end{cases}"
    ),
    r"(0.1, 0.2": "(0{,}1; 0{,}2",  # a line may be cut inside of brackets
    r"x_1, x_2)": "x_1, x_2)",
    "12": "12",
}


@pytest.mark.parametrize("latex", COMMAS)
def test_a_comma_for_the_point(latex: str) -> None:
    """Numbers have a comma, and only beside such numbers a list has semicolons; a point changes nothing."""
    assert in_latex(latex, ",") == COMMAS[latex]
    assert in_latex(latex, ".") == latex


def test_a_number_with_a_comma_is_one_number_everywhere() -> None:
    """In the tree, as MathML, in TeX and Markdown; its width is that of the same number with a point."""
    assert parse("0{,}25") == (Number("0,25"),)
    assert "<mn>0,25</mn>" in to_mathml("x = 0{,}25")
    assert for_tex("0{,}25") == for_markdown("0{,}25") == "0{,}25"
    comma, point = measure(["12{,}25", "12.25"]).values()
    assert comma == pytest.approx(point, abs=0.01)


def formulas(document: Document) -> Iterator[str]:
    """Every formula of a document, those of its figures included."""
    for block in document.blocks:
        match block:
            case Display(chains):
                for chain in chains:
                    yield chain.left
                    for link in chain.links:
                        yield from link.terms
            case Figure(scene):
                yield from (mark.latex for mark in scene.marks if not isinstance(mark, Bare))
        for line in lines(block):
            yield from (span.latex for span in line if isinstance(span, Math))


def lines(block: object) -> list[Spans]:
    """The lines of spans of a block."""
    found: list[Spans] = [getattr(block, part, ()) for part in ("spans", "caption")]
    if isinstance(block, Items):
        found += block.items
    if isinstance(block, Table):
        found += [cell for row in (block.head, *block.rows) for cell in row]
    return found


@cache
def document(name: str, decimal: str) -> Document:
    """A built-in problem, composed with one of the signs."""
    return compose(api.solve(name, decimal=decimal).core)


@pytest.mark.slow
@pytest.mark.parametrize("name", built_in())
def test_reports_differ_in_the_sign_alone(name: str) -> None:
    """Formula by formula a report with commas is the report with points; no point is left in it but in programs."""
    point, comma = document(name, "point"), document(name, "comma")
    for one, changed in zip(formulas(point), formulas(comma), strict=True):
        assert as_centred(one) == as_centred(changed)
        assert not POINT.search(changed), changed
        assert len(POINT.findall(one)) == len(COMMA.findall(changed)), changed
    for before, other in zip(point.blocks, comma.blocks, strict=True):
        if isinstance(other, Listing):
            assert before == other
        if isinstance(other, Figure):
            assert not POINT.search(other.alternative)
        words = [span.text for line in lines(other) for span in line if isinstance(span, Text)]
        assert not any(POINT.search(text) for text in words)


@pytest.mark.parametrize("format", ["md", "tex", "html", "typ"])
def test_every_format_prints_the_comma(format: str) -> None:
    """In the finished files of case 1, figures included, every number with decimals has the comma, as the format has it."""
    rendered = render(document("case1", "comma"), format)
    comma = {"md": "0{,}5932", "tex": "0{,}5932", "html": "<mn>0,5932</mn>", "typ": '"0,5932"'}[format]
    assert comma in rendered.text
    assert "0.5932" not in rendered.text
    assert ("w_1 = 0{,}1" in rendered.text) == (format == "tex")  # an edge of the figure, in TikZ
    for name, picture in rendered.attachments.items():
        if name.endswith(".svg"):
            said = re.sub(r"<[^>]*>", "\n", picture.decode())  # the alternative in words
            assert re.search(r"\d,\d", said)
            assert not re.search(r"\d\.\d", said)
    if format == "html":
        assert not re.search(r"<mn>\d*\.\d+</mn>", rendered.text)


def test_lists_in_prose_are_told_apart() -> None:
    """Between formulas with decimal commas stands a semicolon; between others, and in other words, the comma stays."""
    comma = Text(", ")
    line = (Math("a = 0.5"), comma, Math("b = 0.25"), comma, Math("c"), Text(", or 1.5 as you wrote"))
    words = catalogue("en").with_decimal("comma")
    made = set_numbers(Document("d", "1.5", "en", (Paragraph(line), Listing("python", ("x = 0.5",)))), words)
    paragraph, listing = made.blocks
    assert isinstance(paragraph, Paragraph)
    assert paragraph.spans == (Math("a = 0{,}5"), Text("; "), Math("b = 0{,}25"), comma, Math("c"), line[-1])
    assert listing == Listing("python", ("x = 0.5",))
    assert made.title == "1.5"


def test_counts_never_share_the_sign_of_decimals() -> None:
    """Ten thousand has another sign than a half."""
    english = catalogue("en")
    assert (english.count(10_000), english.numbers("1,234.5 kB")) == ("10,000", "1,234.5 kB")
    commas = english.with_decimal("comma")
    assert (commas.count(10_000), commas.numbers("1,234.5 kB")) == ("10.000", "1.234,5 kB")


def test_the_comma_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``--significant 3 --decimal comma`` holds in the summary as in the files; ``--json`` keeps the point."""
    wish = ["case1", "--significant", "3", "--decimal", "comma"]
    assert main([*wish, "--format", "md", "--out", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^E +0,593$", out, re.MULTILINE)
    assert not POINT.search(out)
    assert "0{,}593" in (tmp_path / "case1.md").read_text(encoding="utf-8")
    assert main([*wish, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["parts"][0]["values"]["z_h"] == [["4.3", "5.3"]]


def test_a_chapter_with_the_comma(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Chapters have the sign too."""
    assert main(["activations", "--decimal", "comma", "--format", "md", "--out", str(tmp_path)]) == 0
    text = "".join(re.findall(r"\$[^$]*\$", (tmp_path / "activations.md").read_text(encoding="utf-8")))
    assert COMMA.search(text)
    assert not POINT.search(text)
    assert main(["activations", "--fractions"]) == 2
    assert "--fractions is for problems" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ('decimal = "komma"', 'decimal is the text "komma", expected is point or comma'),
        ("decimal = 1", "decimal is the number 1"),
        ('fractions = "yes"', 'fractions is the text "yes", expected is true or false'),
        ('[[part]]\nname = "a"\nconvention = { decimal = "comma" }', "part a has a decimal sign of its own"),
    ],
)
def test_wrong_wishes_are_refused(said: str, why: str) -> None:
    """A sign or a switch that is not known, and a part that wants a sign of its own, which a report has but one of."""
    with pytest.raises(ProblemError) as caught:
        problem_from_text(HALVES + said, "halves")
    assert why in str(caught.value).replace("'", '"')
    assert caught.value.line == len((HALVES + said).splitlines())


def test_an_unknown_sign_at_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The known ones are named, and nothing is written."""
    assert main(["case1", "--decimal", "komma", "--out", str(tmp_path)]) == 2
    assert "known are point, comma" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_problem_file_says_both() -> None:
    """What a problem file says of its numbers stands in the file that is written of it."""
    problem = replace(find_problem("case1"), parts=())
    problem = replace(problem, convention=replace(problem.convention, decimal="comma", fractions=True))
    again = problem_from_text(problem.to_toml(), "case1")
    assert (again.convention.decimal, again.convention.fractions) == ("comma", True)


# ── a third language ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def third(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A language that is one more file: English words, and a comma in its locale data."""
    english = catalogues._LANGUAGES / "en.toml"
    data = english.read_text(encoding="utf-8")
    made = data.replace('decimal = "."', 'decimal = ","').replace('thousands = ","', 'thousands = "."')
    (tmp_path / "languages").mkdir()
    (tmp_path / "languages" / "xx.toml").write_text(made, encoding="utf-8")
    (tmp_path / "languages" / "en.toml").write_text(data, encoding="utf-8")
    monkeypatch.setattr(catalogues, "_LANGUAGES", tmp_path / "languages")
    catalogue.cache_clear()
    yield "xx"
    catalogue.cache_clear()


def test_a_third_language_is_one_file(third: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A catalogue with a decimal comma in its locale data is a language: files of every format and the terminal have it."""
    assert catalogues.languages() == ("en", third)
    assert main(["case1", "--lang", third, "--format", "md,tex,html,pdf", "--out", str(tmp_path)]) == 0
    assert not POINT.search(re.sub(r"1e-\d+", "", capsys.readouterr().out))
    for ending in ("md", "tex", "html"):
        text = (tmp_path / f"case1.{third}.{ending}").read_text(encoding="utf-8")
        assert ("0{,}5932" in text) or ("<mn>0,5932</mn>" in text)
        assert "0.5932" not in text
    assert (tmp_path / f"case1.{third}.pdf").stat().st_size > 10_000
    assert main(["case1", "--lang", third, "--decimal", "point", "--format", "md", "--out", str(tmp_path)]) == 0
    assert "0.5932" in (tmp_path / f"case1.{third}.md").read_text(encoding="utf-8")


# ── columns ─────────────────────────────────────────────────────────────────────────────────────────────────────

ALIGNED = {
    r"\begin{pmatrix} 1 & -2 \\ 3 & 4 \end{pmatrix}": r"\left(\begin{array}{rr} 1 & -2 \\ 3 & 4 \end{array}\right)",
    r"\begin{pmatrix} 0.5 \\ -12.25 \\ 3 \end{pmatrix}": (
        r"\left(\begin{array}{r} 0.5\phantom{0} \\ -12.25 \\ 3\phantom{.00} \end{array}\right)"
    ),
    r"\begin{pmatrix} 0.5 & \cdots & 1 \\ \vdots & \ddots & \vdots \\ -0.25 & \cdots & 2 \end{pmatrix}": (
        r"\left(\begin{array}{rrr} 0.5\phantom{0} & \cdots & 1 \\ \vdots\phantom{00} & \ddots & \vdots \\"
        r" -0.25 & \cdots & 2 \end{array}\right)"
    ),
    r"\begin{pmatrix} x & -1 \\ \frac{1}{2} & 1 \end{pmatrix}": (
        r"\left(\begin{array}{cr} x & -1 \\ \frac{1}{2} & 1 \end{array}\right)"
    ),
}
CENTRED = (
    r"\begin{pmatrix} 0.1 & 0.25 & -3 \end{pmatrix}",
    r"\begin{pmatrix} 0.10 & -2 \\ 0.25 & -3 \end{pmatrix}",
    r"\begin{pmatrix} x & y \\ -z & 1 \end{pmatrix}",
    r"\begin{pmatrix} 1 \times 10^{-7} \\ -0.5 \end{pmatrix}",
    r"\begin{pmatrix} \frac{1}{3} \\ -\frac{1}{2} \end{pmatrix}",
    r"\begin{cases} x, & x > 0 \\ -1, & x \le 0 \end{cases}",
    "x",
)


@pytest.mark.parametrize("latex", [*ALIGNED, *CENTRED])
def test_columns_that_would_not_be_aligned(latex: str) -> None:
    """Numbers of unlike lengths stand at their signs; what is aligned as it is, or is no number, stays centred."""
    assert aligned(f"a {latex} b") == f"a {ALIGNED.get(latex, latex)} b"
    assert as_centred(aligned(latex)) == latex


@pytest.mark.parametrize("sign", [".", ","])
def test_what_is_not_seen_is_as_wide_as_what_would_be(sign: str) -> None:
    """The right-hand parts of the numbers of a column are equally wide, in Typst and by the widths of Markdown's blanks."""
    made = aligned(r"\begin{pmatrix} 0.5 \\ -0.25 \\ 7 \end{pmatrix}")
    assert re.findall(r"\\phantom\{[.0]+\}", made) == [r"\phantom{0}", r"\phantom{.00}"]
    column = [in_latex(number, sign) for number in (r"0.5\phantom{0}", "0.25", r"7\phantom{.00}")]
    typst = list(measure(column).values())
    assert typst == pytest.approx([typst[0]] * 3, abs=0.02)  # a 7 and the sign behind it stand closer
    markdown = list(measure(map(for_markdown, column)).values())
    assert markdown == pytest.approx([typst[0]] * 3, abs=0.07)


def test_each_format_aligns_with_its_own_means() -> None:
    """TeX by mathtools, Markdown without what GitHub refuses, MathML by its cells."""
    latex = aligned(r"\begin{pmatrix} 0.5 \\ -1 \end{pmatrix}")
    assert for_tex(latex) == r"\begin{pmatrix*}[r] 0.5 \\ -1\phantom{.0} \end{pmatrix*}"
    markdown = for_markdown(latex)
    assert markdown == r"\left(\begin{array}{r} 0.5 \cr -1\thinspace\thinspace\enspace \end{array}\right)"
    assert to_mathml(latex).count("text-align: right") == 2


def test_tables_and_the_terminal_are_aligned() -> None:
    """Right-aligned columns of a table have their signs in line, where they hold nothing but numbers; so has plain text."""

    def table(*cells: str) -> Table:
        return Table(((Text("n"),),), tuple(((Math(cell),),) for cell in cells), "r")

    assert [row[0][0] for row in aligned_table(table("0.5", "-12", "0.25")).rows] == [
        Math(r"0.5\phantom{0}"), Math(r"-12\phantom{.00}"), Math("0.25"),
    ]  # fmt: skip
    mixed = table("0.5", r"1 \times 10^{-7}", "0.25")
    assert aligned_table(mixed) == mixed
    assert in_columns((("0,5", "1"), ("-12", "1/3"))) == [["  0,5", "  1"], ["-12  ", "1/3"]]


@pytest.mark.slow
@pytest.mark.parametrize("name", built_in())
def test_reports_hold_no_ragged_column(name: str) -> None:
    """In every built-in report a centred matrix of numbers has columns of numbers of one length."""
    for latex in formulas(document(name, "point")):
        assert aligned(latex) == latex
        tokens(latex)


def test_undecided_digits_are_said_in_the_language() -> None:
    """No English word is left in a Chinese formula."""
    words = catalogue("zh")
    made = set_numbers(Document("d", "", "zh", (Paragraph((Math(r"x = \text{undecided}"),)),)), words)
    assert made.blocks == (Paragraph((Math(rf"x = \text{{{words.text('terminal.undecided')}}}"),)),)

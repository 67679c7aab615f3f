"""Chapters: every one solved, written in all formats, at other sizes, and as data; what it says of sizes and factors."""

from __future__ import annotations

import ast
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sympy
from flint import fmpq

from derive.calculus.functions import H, Z
from derive.chapters import chapter_names
from derive.chapters.arbitrary import holds_for_any_loss
from derive.chapters.behaviour import behaviour, dip, functions, rises, steepest, through, turns
from derive.chapters.blocks import final
from derive.chapters.chapter import Worked, find_chapter, read_sizes, work_out
from derive.chapters.losses import FACTORS
from derive.chapters.prose import own, titles
from derive.cli import main
from derive.errors import ProblemError
from derive.report.document import Chain, Code, Display, Document, Figure, Heading, Math, Table
from derive.report.files import files
from derive.report.scene import Circle
from derive.solution.checks import CheckFailed
from sampling import sampled

pytestmark = pytest.mark.slow  # hundreds of documents or proofs: once for each change is enough

SIZES = {"forward": "N=1,m=2,m_3=7", "backprop": "N=3,m=2,n=4", "cross-entropy": "N=1,n=2"}


@pytest.fixture(scope="module")
def worked() -> dict[str, Worked]:
    """Every chapter at its own sizes."""
    return {name: work_out(name) for name in chapter_names()}


def chains(document: Document) -> list[Chain]:
    """Every chain of a document."""
    return [chain for block in document.blocks if isinstance(block, Display) for chain in block.chains]


@pytest.mark.parametrize("name", chapter_names())
def test_every_chapter_is_written_in_every_format(name: str, worked: dict[str, Worked]) -> None:
    """Markdown, LaTeX and Typst come out of the same blocks, twice the same; the title is the one in the list."""
    document = worked[name].document()
    assert document == worked[name].document()
    assert document.title == titles()[name]
    made = files(document, ("md", "tex", "typ"))
    assert {f"{name}.{format}" for format in ("md", "tex", "typ")} <= made.keys()
    assert worked[name].checks
    assert all(check.passed for check in worked[name].checks)


@pytest.mark.slow
@pytest.mark.parametrize("name", sampled(chapter_names(), 3))
def test_the_written_out_case_has_the_sizes_that_are_asked_for(name: str) -> None:
    """Other sizes, the smallest and the largest ones: solved and written like the chapter's own."""
    chapter = find_chapter(name)
    smallest = ",".join(f"{size}={chapter.least.get(size, 1)}" for size in chapter.sizes)
    for sizes in (SIZES.get(name, ""), smallest):
        document = work_out(name, sizes).document()
        assert files(document, ("md",))[f"{name}.md"]


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ("N=0", "N is 0, expected is a whole number from 1 to 4"),
        ("m=5", "m is 5, expected is a whole number from 1 to 4"),
        ("N=two", "N is two, expected is a whole number from 1 to 4"),
        ("N=-1", "N is -1, expected is a whole number from 1 to 4"),
        ("N=", "N is empty"),
        ("k=2", "backprop has no size 'k'"),
        ("N", "'N' is not NAME=NUMBER"),
        ("N=2,N=3", "N is given twice"),
        (",", "'' is not NAME=NUMBER"),
    ],
)
def test_a_bad_size_is_named_with_its_bound(sizes: str, said: str) -> None:
    """One message: what was found, and which numbers there may be."""
    with pytest.raises(ProblemError, match="--sizes") as error:
        read_sizes(find_chapter("backprop"), sizes)
    assert said in str(error.value)


def test_words_of_chapters_and_problems_do_not_mix(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 2 and nothing written for sizes of a problem, decimals of a chapter, a factor where there is no loss."""
    for words in (
        ["case1", "--sizes", "N=2"],
        ["backprop", "--digits", "3"],
        ["backprop", "--factor", "1/N"],
        ["mse", "--factor", "2"],
        ["backprop", "--sizes", "N=0"],
        ["forward", "--sizes", "m_4=2"],
        ["mse", "--lang", "xx"],
    ):
        assert main([*words, "--out", str(tmp_path / "out")]) == 2, words
        assert capsys.readouterr().out == ""
    assert not (tmp_path / "out").exists()


def test_a_chapter_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The files of a chapter lie where those of a problem do; --json gives every solved problem."""
    assert main(["mse", "--factor", "1/N", "--format", "md,typ", "--out", str(tmp_path)]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"mse.md", "mse.typ"}
    assert "1/N" in capsys.readouterr().out
    assert main(["backprop", "--json", "--sizes", "N=1"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["chapter"], found["sizes"]["N"]) == ("backprop", 1)
    assert {"special", "general", "below", "layer"} <= found["problems"].keys()
    assert all(check["passed"] for one in found["problems"].values() for check in one["parts"][0]["checks"])


def test_a_chapter_appends_the_rules_it_used(worked: dict[str, Worked]) -> None:
    """``proofs=True`` adds the proof of each rule behind the table of checks; the chapter itself stays as it is."""
    without, with_proofs = (worked["backprop"].document(proofs=proofs) for proofs in (False, True))
    assert with_proofs.blocks[: len(without.blocks)] == without.blocks
    added = with_proofs.blocks[len(without.blocks) :]
    titles = [block.spans for block in added if isinstance(block, Heading) and block.level == 2]
    rules = {span.text for spans in titles for span in spans if isinstance(span, Code)}
    assert rules == {"matmul", "transpose", "add", "sigmoid", "tanh", "relu", "function"}


def test_the_spread_bias_has_the_width_of_its_layer(worked: dict[str, Worked]) -> None:
    """1 b^T is N x m_1, not N x m, and all its rows are one and the same."""
    (spread,) = (chain for chain in chains(worked["forward"].document()) if chain.left == r"\mathbf{1} b_1^{\top}")
    body = spread.links[0].terms[0].removeprefix(r"\begin{pmatrix} ").removesuffix(r" \end{pmatrix}")
    rows = [row.split(" & ") for row in body.split(r" \\ ")]
    assert (len(rows), len(rows[0])) == (4, 5)
    assert all(row == rows[0] for row in rows)


def test_parameters_are_counted_from_the_shapes(worked: dict[str, Worked]) -> None:
    """3-5-4-2: 20 + 24 + 10 parameters; the table of the network in numbers says 54."""
    table = [block for block in worked["forward"].document().blocks if isinstance(block, Table)][2]
    assert [row[-1][0].latex for row in table.rows] == ["15 + 5 = 20", "20 + 4 = 24", "8 + 2 = 10", "54"]  # type: ignore[union-attr]


def test_backprop_writes_out_every_partial_and_boxes_three_rules(worked: dict[str, Worked]) -> None:
    """6 weights, 2 biases and 6 activations as sums over paths; ①, ② and ③ end in a framed rule."""
    document = worked["backprop"].document()
    lefts = [chain.left for chain in chains(document)]
    for letter, count in (("w", 6), ("z", 6)):
        assert sum(left.startswith(rf"\frac{{\partial J}}{{\partial {letter}_{{") for left in lefts) == count
    boxes = [block for block in document.blocks if isinstance(block, Display) and block.boxed]
    assert [box.chains[0].links[0].terms for box in boxes] == [
        (r"Z_L^{\top} \frac{\partial J}{\partial \mathrm{out}}",),
        (r"\mathbf{1}^{\top} \frac{\partial J}{\partial \mathrm{out}}",),
        (r"\frac{\partial J}{\partial \mathrm{out}} W_{L+1}^{\top}",),
    ]


def test_any_loss_will_do_and_a_wrong_rule_is_noticed(worked: dict[str, Worked]) -> None:
    """With J an undefined function of the outputs SymPy finds the same 14 entries; a transposed rule fails."""
    part = worked["backprop"].solutions["special"].part()
    assert holds_for_any_loss(part, ("W", "b", "Z_L")) == 14
    assert part.derivation is not None
    square = work_out("backprop", "N=2,m=2,n=2").solutions["special"].part()
    assert square.derivation is not None
    right = square.derivation.adjoints
    weights, hidden = (square.derivation.adjoint(name) for name in ("W", "Z_L"))
    wrong = replace(square.derivation, adjoints={**right, weights: right[hidden]})
    square = replace(square, derivation=wrong)
    with pytest.raises(CheckFailed, match="arbitrary loss"):
        holds_for_any_loss(square, ("W",))


@pytest.mark.parametrize(("factor", "number"), list(zip(FACTORS, (2, 1, 2 / 3, 1 / 3, 2 / 6), strict=True)))
def test_the_factor_of_the_loss_is_in_the_derivative(factor: str, number: float) -> None:
    """For 3 samples and 2 outputs: 2, 1, 2/N, 1/N and 2/Nn times (output - label), from the engine's own rule."""
    sheet = work_out("mse", "N=3,n=2", factor=factor).sheets["small"]
    explicit = sheet.part.explicit
    assert explicit is not None
    ours = explicit.entries(final(sheet, "out"))
    for index in np.ndindex(3, 2):
        difference = explicit.symbols("out")[index] - explicit.symbols("Y")[index]
        assert sympy.nsimplify(sympy.expand(ours[index] / difference).simplify()) == sympy.nsimplify(number)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cross-entropy", "binary-cross-entropy"])
def test_the_factor_of_a_cross_entropy_is_in_its_derivative(name: str) -> None:
    """What is shown as the rule for each factor has that factor, as one fraction, in front of the difference."""
    shown = {
        "1": "",
        "1/2": r"\frac{1}{2} ",
        "1/N": r"\frac{1}{N} ",
        "1/2N": r"\frac{1}{2 N} ",
        "1/Nn": r"\frac{1}{N n} ",
    }
    for factor in find_chapter(name).factors:
        document = work_out(name, factor=factor).document()
        boxed = next(block for block in document.blocks if isinstance(block, Display) and block.boxed)
        text = "".join(boxed.chains[0].links[0].terms)
        assert text.startswith(f"{shown[factor]}[" if factor != "1" else ("s", r"\sigma")), text


def test_every_sentence_has_its_place() -> None:
    """A chapter's sentences stand under its name or under one that chapters share; errata are a document too."""
    shared = {"activation", "errata", "legend", "losses"}
    assert {key.split(".")[0] for key in own("en")} - set(chapter_names()) <= shared


def test_headings_of_backprop_follow_the_five_parts(worked: dict[str, Worked]) -> None:
    """Five numbered parts, then any depth, then the algorithm."""
    heads = [
        "".join(getattr(span, "text", "") for span in block.spans)
        for block in worked["backprop"].document().blocks
        if isinstance(block, Heading) and block.level == 1
    ]
    assert [head[:6] for head in heads[2:7]] == [f"Part {k}" for k in range(1, 6)]
    assert heads[7:9] == ["Any depth", "The whole algorithm"]


def test_limits_and_ranges_of_activations() -> None:
    """Sigmoid and tanh saturate on both sides, ReLU and its smooth kin on the left, the leaky one nowhere."""
    both, left, none = (True, True), (True, False), (False, False)
    saturating = {
        "sigmoid": both,
        "tanh": both,
        "relu": left,
        "softplus": left,
        "elu": left,
        "gelu": left,
        "silu": left,
    }
    assert {name: behaviour(name).saturates for name in saturating} == saturating
    assert behaviour("leaky_relu", (fmpq(1, 100),)).saturates == none
    assert [name for name in saturating if not rises(name)] == ["gelu", "silu"]
    assert (behaviour("tanh").low, behaviour("tanh").high) == (-1, 1)


@pytest.mark.parametrize(
    ("name", "place", "bottom"), [("gelu", -0.7517916, -0.1699712), ("silu", -1.2784645, -0.2784645)]
)
def test_where_gelu_and_silu_turn(name: str, place: float, bottom: float) -> None:
    """The place where the slope changes its sign, enclosed; compared with a search by plain doubles."""
    low, high = dip(name)
    assert float(low.p) / float(low.q) == pytest.approx(place, abs=1e-6)
    assert high - low < fmpq(1, 10**9)
    values = {
        "gelu": lambda z: z * (1 + math.erf(z / math.sqrt(2))) / 2,
        "silu": lambda z: z / (1 + math.exp(-z)),
    }
    assert min(values[name](k / 1000) for k in range(-5000, 5000)) == pytest.approx(bottom, abs=1e-6)


def test_a_slope_turns_as_often_as_its_zeros_are_counted() -> None:
    """GELU and SiLU turn once and tanh never; where SymPy cannot find the level places, nothing is claimed."""
    assert [turns(name) for name in ("gelu", "silu", "tanh", "sigmoid")] == [1, 1, 0, 0]
    with pytest.raises(ValueError, match="cannot be counted"):
        turns("sin")


@pytest.mark.parametrize(("name", "at"), [("relu", ()), ("leaky_relu", (fmpq(1, 100),)), ("elu", ()), ("softplus", ())])
def test_slopes_through_the_output_agree_with_differences(name: str, at: tuple[object, ...]) -> None:
    """What stands in the output h alone is the slope, on both sides of 0; GELU and SiLU have no such form."""
    found, formula = through(name, at), functions().definition(name, at)
    assert found is not None
    assert formula is not None
    for place in (-2.0, -0.5, 0.7, 3.0):
        low, here, high = (float(formula.subs(Z, place + step)) for step in (-1e-6, 0, 1e-6))
        assert math.isclose(float(found.subs(H, here)), (high - low) / 2e-6, abs_tol=1e-8)
    assert through("gelu") is None
    assert through("silu") is None


def test_forward_shows_its_network(worked: dict[str, Worked]) -> None:
    """The network with numbers for its sizes is drawn: every unit, and the biases, which are columns."""
    (figure,) = [block for block in worked["forward"].document().blocks if isinstance(block, Figure)]
    texts = [mark.latex for mark in figure.scene.marks if isinstance(mark, Circle)]
    assert texts.count("+1") == 3
    assert len(texts) == 3 + 3 + 5 + 4 + 2


def test_the_bound_of_the_vanishing_gradient() -> None:
    """Sigmoid is nowhere steeper than 1/4 and tanh nowhere steeper than 1, both at 0; ReLU has no such place."""
    assert steepest("sigmoid") == (0, sympy.Rational(1, 4))
    assert steepest("tanh") == (0, 1)
    with pytest.raises(ValueError, match="softplus"):
        steepest("softplus")


def test_the_table_of_depth_is_the_product_of_the_slopes(worked: dict[str, Worked]) -> None:
    """At 10 layers: 4^-10 for the sigmoid's bound, tanh'(1)^10, and 1 for an active ReLU."""
    table = [block for block in worked["activations"].document().blocks if isinstance(block, Table)][2]
    (row,) = (row for row in table.rows if row[0] == (Math("10"),))
    bound, _, away, relu = (str(cell[0].latex) for cell in row[1:])  # type: ignore[union-attr]
    assert bound == r"9.54 \times 10^{-7}"  # 4^-10 = 9.5367e-7
    assert float(away) == pytest.approx((1 - math.tanh(1) ** 2) ** 10, rel=5e-3)
    assert relu == "1"


def test_only_the_registry_knows_a_chapter_by_name() -> None:
    """The command line and the face for Python hold no string with a chapter's name in it."""
    package = Path(find_chapter.__code__.co_filename).parent.parent
    for file in ("cli/__init__.py", "api.py"):
        strings = [
            node.value
            for node in ast.walk(ast.parse((package / file).read_text(encoding="utf-8")))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]
        commands = {text.split()[0] for text in strings if text.split()}
        assert not commands & set(chapter_names()), file


@pytest.mark.parametrize("name", chapter_names())
def test_a_legend_opens_every_chapter(name: str, worked: dict[str, Worked]) -> None:
    """The first table tells what each name of the chapter's problems is, and its size in letters where it has some."""
    document = worked[name].document()
    headings = [block for block in document.blocks if isinstance(block, Heading)]
    assert headings[0].spans == worked[name].words.say("problem.legend")
    table = next(block for block in document.blocks if isinstance(block, Table))
    told = {span.latex for row in table.rows for span in row[0] if isinstance(span, Math)}
    shown = {chain.left for block in document.blocks if isinstance(block, Display) for chain in block.chains}
    known = {
        sheet.symbols.name(str(equation.name))
        for sheet in worked[name].sheets.values()
        for equation in sheet.part.network.equations
    }
    stems = {symbol[:1] if symbol[0] != "\\" else symbol for symbol in told}
    assert {symbol[:1] if symbol[0] != "\\" else symbol for symbol in known & shown} <= stems
    assert all(row[1] and row[2] for row in table.rows)

"""How much a report shows, and of what: levels of detail, and single quantities with what they rest on."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

import derive
from derive import Problem, ProblemError, Unsupported
from derive.problem import built_in
from derive.report.compose import compose
from derive.report.compose.detail import LEVELS, STANDARD
from derive.report.compose.only import quantities, stem
from derive.report.document import Display, Document, Figure, Heading, Math, Paragraph, Spans, Table, Text
from derive.report.notation import Symbols
from derive.report.render import render
from derive.solution import Solution
from readback_document import read_document

NET = """
z = x @ W + b     # hidden layer
h = tanh(z)
y = h @ V
E = sum((y - t)**2) / 2
R = sum(W**2)     # nothing rests on it
"""
TWO_LAYERS = Problem.from_equations(
    NET,
    given={"x": [1, 2], "t": [0.5]},
    parameters={"W": [[0.1, -0.2], [0.3, 0.4]], "b": [0, 0.1], "V": [[0.5], [-0.5]]},
    ask={"loss": "E", "update": {"rate": "0.1"}, "gradients": ["W", "b", "V", "dh/dz"]},
    name="net",
)
READABLE = ("case1", "case2", "rnn", "circuit", "classifier", "convolution", "hessian", "tied-weights", "layer-norm")


@cache
def solved(name: str = "net") -> Solution:
    """A built-in problem solved, or the two layers of this module."""
    return derive.solve(TWO_LAYERS if name == "net" else name).core


def spans(document: Document) -> Iterator[Spans]:
    """All that stands in lines."""
    for block in document.blocks:
        if isinstance(block, Paragraph | Heading):
            yield block.spans
        elif isinstance(block, Table):
            yield from (cell for row in block.rows for cell in row)


def lefts(document: Document) -> list[str]:
    """The left-hand sides of all chains behind the first heading of a step."""
    steps = next(k for k, block in enumerate(document.blocks) if isinstance(block, Heading) and "Step" in said(block))
    shown = (block for block in document.blocks[steps:] if isinstance(block, Display))
    return [chain.left for block in shown for chain in block.chains]


def said(block: Heading | Paragraph) -> str:
    """The words of a block."""
    return "".join(span.text for span in block.spans if isinstance(span, Text))


def legend(document: Document) -> list[str]:
    """The symbols that the legend explains."""
    table = next(block for block in document.blocks if isinstance(block, Table))
    return [span.latex for row in table.rows for span in row[0] if isinstance(span, Math)]


# ── levels ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["net", "case1", "convolution", "rnn"])
def test_the_levels_hold_more_and_more(name: str) -> None:
    """Every quantity of the brief report is in the standard one, and of that every row is in the full one."""
    brief, standard, full = (compose(solved(name), detail=level) for level in LEVELS)
    assert standard == compose(solved(name))
    assert set(lefts(brief)) <= set(lefts(standard)) <= set(lefts(full))

    def links(document: Document) -> int:
        return sum(len(chain.links) for b in document.blocks if isinstance(b, Display) for chain in b.chains)

    assert links(brief) < links(standard) <= links(full)


@pytest.mark.parametrize("name", ["net", "case1", "classifier"])
def test_brief_is_formula_and_result(name: str) -> None:
    """In brief a quantity has its formula and at most one value, no entry has a chain, and the checks are a sentence."""
    document = compose(solved(name), detail="brief")
    part = solved(name).parts[0]
    names = [*part.network.data, *(str(e.name) for e in part.network.equations)]
    known = set(map(symbols(name).name, names))
    assert part.derivation is not None
    known |= set(map(symbols(name).name, part.derivation.adjoints))
    ratios = {r"\frac{\partial h}{\partial z}"} if name == "net" else set()
    assert set(lefts(document)) <= known | ratios
    for block in document.blocks:
        if isinstance(block, Display) and block.of:
            (chain,) = block.chains
            assert sum(term.count(r"\begin{pmatrix}") for link in chain.links for term in link.terms) <= 1
    assert not any(block.detail for block in document.blocks if isinstance(block, Display | Paragraph))
    assert "checks of the solution were passed" in said([b for b in document.blocks if isinstance(b, Paragraph)][-1])


def symbols(name: str) -> Symbols:
    """The symbols of a problem."""
    part = solved(name).parts[0]
    return Symbols(part.problem, part.network)


def test_full_has_every_entry_and_every_path() -> None:
    """In full every entry of every derivative has a chain, and each of the hidden units both its paths to the loss."""
    full = compose(solved("case1"), detail="full")
    part = solved("case1").parts[0]
    assert part.derivation is not None
    assert part.explicit is not None
    left = lefts(full)
    for adjoint in part.derivation.adjoints:
        for symbol in part.explicit.symbols(adjoint.by).ravel():
            entry = part.explicit.entry_of[symbol]
            fraction = rf"\frac{{\partial E}}{{\partial {symbols('case1').entry(entry.name, entry.index)}}}"
            assert fraction in left, fraction
    paths = [said(block) for block in full.blocks if isinstance(block, Paragraph) and "paths" in said(block)]
    assert len(paths) > len(
        [b for b in compose(solved("case1")).blocks if isinstance(b, Paragraph) and "paths" in said(b)]
    )
    assert not any("left out" in said(block) for block in full.blocks if isinstance(block, Paragraph))


@pytest.mark.parametrize("level", ["brief", "full"])
@pytest.mark.parametrize("name", READABLE)
def test_every_chain_of_every_level_is_right(name: str, level: str) -> None:
    """What the other levels print reads back as the certified values, as the standard report does."""
    report = read_document(compose(solved(name), detail=level), solved(name))
    assert not report.of("wrong", "slip"), "\n".join(map(str, report.of("wrong", "slip")))
    assert report.links > 5


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_legend_opens_every_report(level: str, lang: str) -> None:
    """Whatever is left out, the symbols come first, and every symbol of an equation is among them."""
    for only in ((), "dE/dW"):
        document = compose(solved(), detail=level, language=lang, only=only)
        table = next(k for k, block in enumerate(document.blocks) if isinstance(block, Table))
        equations = next(k for k, block in enumerate(document.blocks) if isinstance(block, Display))
        assert equations < table < equations + 5
        assert {"x", "W", "b", "V", "t", "z", "h", "y", "E"} <= set(legend(document))


@pytest.mark.parametrize("format", ["md", "html", "tex", "typ"])
@pytest.mark.parametrize("level", LEVELS)
def test_every_level_renders(level: str, format: str) -> None:
    """Each level is text in each format and language."""
    for lang in ("en", "zh"):
        assert render(compose(solved("rnn"), detail=level, language=lang), format).text


# ── single quantities ───────────────────────────────────────────────────────────────────────────────────────────


def test_only_a_value_has_its_ancestors() -> None:
    """A value rests on its equations and their data: no derivative, no loss, no target, no figure."""
    document = compose(solved(), only="h")
    assert lefts(document) == ["x", "W", "b", "z", "h"]
    assert legend(document) == ["x", "W", "b", "z", "h"]
    assert not any(isinstance(block, Figure) for block in document.blocks)
    assert not any(r"\partial" in span.latex for line in spans(document) for span in line if isinstance(span, Math))


def test_only_a_derivative_has_the_way_back_to_it() -> None:
    """dE/dV rests on dE/dy and h, not on dE/dh; the loss is stated, and its number is not needed."""
    document = compose(solved(), only="dE/dV")
    left = lefts(document)
    assert left[:7] == ["x", "t", "W", "b", "V", "z", "h"]
    assert r"\frac{\partial E}{\partial y}" in left
    assert r"\frac{\partial E}{\partial V}" in left
    assert not {
        r"\frac{\partial E}{\partial h}",
        r"\frac{\partial E}{\partial z}",
        r"\frac{\partial E}{\partial W}",
    } & set(left)
    assert "E" not in left
    assert "R" not in legend(document)
    assert "E" in legend(document)


def test_only_an_update_has_its_derivative_and_no_other() -> None:
    """b after the update: dE/db and the step; W stands still."""
    document = compose(solved(), only="b@1")
    left = lefts(document)
    assert left[-1] == "b"
    assert left.count("b") == 2
    assert left.count("W") == 1
    assert r"\frac{\partial E}{\partial b}" in left
    assert r"\frac{\partial E}{\partial V}" not in left
    assert "0.1" in "".join(span.latex for line in spans(document) for span in line if isinstance(span, Math))


def test_only_a_ratio() -> None:
    """A ratio of two names rests on what stands in it."""
    left = lefts(compose(solved(), only="dh/dz"))
    assert left[-1] == r"\frac{\partial h}{\partial z}"
    assert "y" not in left


def test_a_ratio_has_no_paths_to_the_loss() -> None:
    """In full too, what is written out entry by entry belongs to the loss: a ratio of two names ends in its value."""
    document = compose(solved(), only="dh/dz", detail="full")
    assert not any(r"\partial E" in side for side in lefts(document))


@pytest.mark.parametrize("only", ["dE/dV", "h", "b@1", "dh/dz", "dE/dW,dE/dz"])
def test_steps_are_numbered_in_a_row_and_checks_are_those_of_the_quantities(only: str) -> None:
    """Steps count 1, 2, 3; no check is of something that is not worked out."""
    document = compose(solved(), only=only)
    steps = [said(b).split(":")[0] for b in document.blocks if isinstance(b, Heading) and said(b).startswith("Step")]
    assert steps == [f"Step {k + 1}" for k in range(len(steps))]
    table = [block for block in document.blocks if isinstance(block, Table)][-1]
    judged = {span.latex for row in table.rows for span in row[1] if isinstance(span, Math)}
    left = {re.sub(r"\\frac{(.*)}{(.*)}", r"\1 / \2", side) for side in lefts(document)}
    assert judged <= left | {"E", r"\ldots"}  # every derivative of E


@pytest.mark.parametrize("name", built_in())
def test_every_quantity_of_every_built_in_problem_can_stand_alone(name: str) -> None:
    """Each derivative that a problem asks for composes alone, is worked out in it, and reads back right."""
    solution = solved(name)
    part = solution.parts[-1]
    derivation = part.derivation
    if derivation is None:
        return
    for adjoint in derivation.adjoints:
        document = compose(solution, only=str(adjoint), detail="brief")
        assert any(isinstance(block, Display) for block in document.blocks)
    last = str(list(derivation.adjoints)[-1])
    report = read_document(compose(solution, only=last), solution)
    assert not report.of("wrong", "slip"), "\n".join(map(str, report.of("wrong", "slip")))


def test_a_loss_rests_on_the_softmax_that_it_is_printed_with() -> None:
    """A cross-entropy of logits names the softmax that has a name: it is stated and explained with the loss."""
    problem = Problem.from_equations(
        "z = x @ W\np = softmax(z)\nE = cross_entropy(z, t)",
        given={"x": [1, 2], "t": [1, 0]},
        parameters={"W": [[0.5, 1], [-1, 0]]},
        name="softmax",
    )
    solution = derive.solve(problem).core
    for only in ("E", "dE/dW"):
        assert "p" in legend(compose(solution, only=only))
    assert "p" not in legend(compose(solution, only="z"))


def test_a_derivative_that_vanishes_has_its_name_in_the_legend() -> None:
    """What the loss does not depend on is still what the derivative is taken by."""
    problem = Problem.from_equations("E = w**2", given={"x": 2}, parameters={"w": 3}, ask={"gradients": ["w", "x"]})
    document = compose(derive.solve(problem).core, only="dE/dx")
    assert "x" in legend(document)
    assert lefts(document)[-1] == r"\frac{\partial E}{\partial x}"


def test_parts_that_have_the_quantity() -> None:
    """Of a problem with parts those are shown that have what is asked for."""
    problem = Problem.from_equations(
        "y = w * x\nE = y**2",
        given={"x": 2},
        parameters={"w": 3},
        parts=[{"name": "a", "ask": {"gradients": ["w"]}}, {"name": "b", "ask": {"gradients": ["x"]}}],
        name="parts",
    )
    solution = derive.solve(problem).core
    headings = [said(b) for b in compose(solution, only="dE/dx").blocks if isinstance(b, Heading)]
    assert any("b" in text for text in headings if "Part" in text)
    assert not any("Part a" in text for text in headings)


# ── words ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_quantities_are_named_as_in_the_problem() -> None:
    """Commas and repetition say the same; each stands once, and in the file's name."""
    assert quantities("h, dE/dW2") == quantities(["h", "dE/dW2", "h"]) == ("h", "dE/dW2")
    assert compose(solved(), only="dE/dW, h").name == "net-dE-dW-h"
    assert compose(solved(), only="b@1", detail="brief", language="zh").name == "net-b-updated-brief.zh"
    assert compose(solved(), detail="full").name == "net-full"
    assert compose(solved(), detail=STANDARD.name).name == "net"
    assert len(stem([f"dE/dW{k}" for k in range(40)])) < 70


@pytest.mark.parametrize(
    ("only", "hint"),
    [
        ("dE/dw", "nearest: dE/dW"),
        ("dE/dW@1", "nearest: dE/dW"),
        ("nothing", "there are x, t"),
        ("W@2", "nearest: W@1"),
    ],
)
def test_an_unknown_quantity_has_the_nearest(only: str, hint: str) -> None:
    """One message: what was asked for, and what may have been meant."""
    with pytest.raises(ProblemError) as error:
        compose(solved(), only=("h", only))
    assert repr(only) in error.value.message
    assert hint in str(error.value)


def test_what_is_not_to_be_had() -> None:
    """An unknown level, an empty name, a sheet of questions cut down, one parameter of Adam: each is one message."""
    with pytest.raises(ProblemError, match=r"'ful' is not known \(full\)|nearest: full"):
        compose(solved(), detail="ful")
    with pytest.raises(ProblemError, match="empty"):
        compose(solved(), only="h,")
    with pytest.raises(ProblemError, match="questions"):
        compose(solved(), questions=True, only="h")
    with pytest.raises(Unsupported, match="adam"):
        compose(solved("adam"), only="w@1")
    (second,) = solved("hessian").parts[0].asked.seconds[:1]
    with pytest.raises(Unsupported, match="second derivative alone"):
        compose(solved("hessian"), only=second)


def test_the_face_for_python_writes_them_beside_the_report(tmp_path: Path) -> None:
    """``save`` with a level or a quantity leaves the report alone."""
    solution = derive.solve(TWO_LAYERS)
    written = [
        *solution.save(tmp_path, ["md"]),
        *solution.save(tmp_path, ["md"], detail="brief"),
        *solution.save(tmp_path, ["md"], only="dE/dV"),
    ]
    reports = [path.name for path in written if path.suffix == ".md"]
    assert reports == ["net.md", "net-brief.md", "net-dE-dV.md"]
    sizes = [(tmp_path / name).stat().st_size for name in reports]
    assert sizes[0] > max(sizes[1:])


def test_the_command_line(run: Callable[..., subprocess.CompletedProcess[bytes]], tmp_path: Path) -> None:
    """Levels and quantities reach the files; what cannot be is status 2, one message, and nothing written."""
    (tmp_path / "net.toml").write_text(TWO_LAYERS.to_toml())
    done = run("net.toml", "--only", "h,dE/dV", "--only", "z", "--detail", "brief", "--format", "md", "--out", "out")
    assert done.returncode == 0, done.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["net-h-dE-dV-z-brief.md"]
    for words in (
        ("net.toml", "--only", "dE/dw"),
        ("net.toml", "--detail", "short"),
        ("net.toml", "--only", "h", "--json"),
        ("net.toml", "--only", "h", "--questions"),
        ("backprop", "--detail", "brief"),
        ("backprop", "--only", "h"),
    ):
        refused = run(*words, "--out", "nowhere") if "--json" not in words else run(*words)
        assert refused.returncode == 2, words
        assert b"Traceback" not in refused.stderr
        assert not (tmp_path / "nowhere").exists()

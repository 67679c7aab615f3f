"""The squared error: its derivative by the output from the definition, for every factor that stands in front of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from derive.chapters.blocks import boxed, equations
from derive.chapters.chapter import Chapter, Sizes, Worked
from derive.chapters.losses import FACTORS, by_factor, lettered, slopes, small
from derive.problem.problem import Problem
from derive.report.compose.backward import matrix_form
from derive.report.compose.forward import shown
from derive.report.document import Block, Heading, Math, Note, Paragraph

TERM = "(out - Y) ** 2"


def problems(sizes: Sizes, factor: str) -> Mapping[str, Problem]:
    """The loss in a small case, and with letters for every factor."""
    equation = f"J = {FACTORS[factor].format(TERM)}"
    return {"small": small(equation, sizes["N"], sizes["n"]), **lettered(TERM, FACTORS)}


def write(work: Worked) -> Iterator[Block]:
    """The chapter, section by section."""
    words, sheet, letters = work.words, work.sheets["small"], work.sheets[f"letters {work.factor}"]
    out, label = letters.math("out"), letters.math("Y")
    yield Paragraph(words.say("mse.intro", out=out, label=label, samples=Math("N"), outs=Math("n")))
    yield equations(letters)
    yield Heading(1, words.say("mse.small"))
    places = {"samples": Math(str(work.sizes["N"])), "outs": Math(str(work.sizes["n"]))}
    yield Paragraph(words.say("mse.small_text", **places))
    yield shown(sheet, sheet.part.network.equation("J"))
    entry = Math(sheet.symbols.entry("out", (0, 0)))
    yield Paragraph(words.say("mse.entries", entry=entry))
    yield slopes(sheet)
    yield Note(words.say("mse.free"))
    yield Heading(1, words.say("mse.rule"))
    yield Paragraph(words.say("mse.collect"))
    assert sheet.part.derivation is not None
    yield matrix_form(sheet, sheet.part.derivation, sheet.adjoint("out"))
    yield Paragraph(words.say("mse.general"))
    yield boxed(letters, "out")
    yield Heading(1, words.say("losses.factors"))
    yield Paragraph(words.say("mse.factors_text"))
    yield by_factor(work, (f"letters {factor}" for factor in FACTORS))
    yield Note(words.say("mse.claim", difference=Math(f"{out.latex} - {label.latex}"), half=Math(r"\frac{1}{2}")))


CHAPTER = Chapter(
    "mse",
    sizes={"N": 2, "n": 2},
    most={"N": 4, "n": 4},
    problems=problems,
    write=write,
    factors=("1/2N", *(factor for factor in FACTORS if factor != "1/2N")),
)

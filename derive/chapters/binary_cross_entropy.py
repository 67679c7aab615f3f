"""The binary cross-entropy of a sigmoid: two ways to the same derivative, sigmoid minus label, whatever the label.

``through`` takes the loss of the probability and goes back through the sigmoid; ``letters`` writes the same loss as a
softplus of the logit, which is the log-sum-exp of two classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import sympy

from derive.chapters.blocks import boxed, equations, rules
from derive.chapters.chapter import Chapter, Sizes, Worked
from derive.chapters.losses import FACTORS, by_factor, entry_text, lettered, require_zero, small
from derive.problem.problem import Problem
from derive.report.compose.sheet import Sheet, packed
from derive.report.compose.statement import definition
from derive.report.document import Block, Chain, Display, Heading, Link, Note, Paragraph

TERM = "(softplus(out) - Y * out)"
KEYS = ("1/N", *(key for key in FACTORS if key != "1/N"))


def problems(sizes: Sizes, factor: str) -> Mapping[str, Problem]:
    """The loss through the probability, small and in letters, and through softplus for every factor."""
    loss = FACTORS[factor].format("binary_cross_entropy(p, Y)")
    return {
        "through": Problem.from_equations(
            f"p = sigmoid(out)\nJ = {loss}",
            shapes={"out": ["N", "n"], "Y": ["N", "n"]},
            ask={"gradients": ["p", "out"]},
            name="through",
        ),
        "small": small(f"p = sigmoid(out)\nJ = {loss}", sizes["N"], sizes["n"], ("p", "out")),
        **lettered(TERM, KEYS),
    }


def write(work: Worked) -> Iterator[Block]:
    """The chapter, section by section."""
    words, through, letters = work.words, work.sheets["through"], work.sheets[f"letters {work.factor}"]
    small_case = work.sheets["small"]
    out, label = letters.math("out"), letters.math("Y")
    yield Paragraph(words.say("binary-cross-entropy.intro", out=out, label=label, probability=through.math("p")))
    yield equations(through)
    yield Heading(1, words.say("binary-cross-entropy.through"))
    yield Paragraph(words.say("binary-cross-entropy.through_text"))
    yield rules(through, ("p", "out"))
    yield Paragraph(words.say("binary-cross-entropy.cancel"))
    yield _cancelled(small_case)
    yield Heading(1, words.say("binary-cross-entropy.softplus"))
    yield Paragraph(words.say("binary-cross-entropy.softplus_text"))
    yield equations(letters)
    _same_loss(letters)
    found = definition(letters, "softplus")
    assert found is not None
    yield found
    yield Paragraph(words.say("binary-cross-entropy.rule"))
    yield boxed(letters, "out")
    yield Note(words.say("binary-cross-entropy.claim", label=label))
    yield Heading(1, words.say("losses.factors"))
    yield Paragraph(words.say("binary-cross-entropy.factors_text"))
    yield by_factor(work, (f"letters {key}" for key in KEYS))


def _cancelled(sheet: Sheet) -> Display:
    """Entry by entry: slope of the loss by the probability times slope of the sigmoid, and what is left of it."""
    explicit = sheet.part.explicit
    assert explicit is not None
    chains = []
    loss = explicit.with_definitions(explicit.equation("J").ravel()[0])
    for index in np.ndindex(*map(int, sheet.shape("p"))):
        p, o = (explicit.symbols(name)[index] for name in ("p", "out"))
        first = sympy.factor(sympy.diff(loss, p))
        whole = sympy.cancel(first * p * (1 - p))
        sigmoid = explicit.with_definitions(explicit.equation("p")[index])
        require_zero(
            sympy.diff(loss.xreplace({p: sigmoid}), o) - whole.xreplace({p: sigmoid}), "the logit's derivative"
        )
        left = sheet.symbols.partial(sheet.symbols.name("J"), sheet.symbols.entry("out", index))
        product = rf"{_quotient(sheet, first, p)} \cdot {entry_text(sheet, p * (1 - p))}"
        chains.append(Chain(left, (Link("=", (product,)), Link("=", (entry_text(sheet, sympy.factor(whole)),)))))
    return Display(tuple(Chain(chain.left, tuple(packed(chain.links))) for chain in chains))


def _quotient(sheet: Sheet, slope: sympy.Expr, p: sympy.Symbol) -> str:
    """A slope by p over p (1 - p), its number in front."""
    number, rest = sympy.factor(slope * p * (1 - p)).as_coeff_Mul()
    over = rf"\frac{{{entry_text(sheet, rest)}}}{{{entry_text(sheet, p * (1 - p))}}}"
    return over if number == 1 else rf"{entry_text(sheet, number)} {over}"


def _same_loss(sheet: Sheet) -> None:
    """-(y log p + (1 - y) log(1 - p)) with p = sigmoid(z) is softplus(z) - y z, for every y."""
    functions = sheet.part.functions
    z, y = sympy.Symbol("z", real=True), sympy.Symbol("y", real=True)
    p, soft = functions.definition("sigmoid"), functions.definition("softplus")
    assert p is not None
    assert soft is not None
    u = sympy.Symbol("u", positive=True)
    defined = -(y * sympy.log(p) + (1 - y) * sympy.log(1 - p))
    difference = (defined - (soft - y * z)).subs(z, sympy.log(u))
    parts = sympy.expand_log(
        sympy.expand(difference.replace(sympy.log, lambda x: sympy.log(sympy.factor(x)))), force=True
    )
    require_zero(sympy.expand(parts), "the binary cross-entropy through softplus")


CHAPTER = Chapter(
    "binary-cross-entropy",
    sizes={"N": 3, "n": 1},
    most={"N": 4, "n": 4},
    problems=problems,
    write=write,
    factors=KEYS,
)

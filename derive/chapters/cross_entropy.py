"""The cross-entropy of a softmax: through log-sum-exp to softmax minus label, and when that is true.

``sample`` is one sample with its normaliser and the logarithm of that as equations of their own; ``letters`` is the
loss of a batch for any label, ``one class`` the same for labels that add up to 1, ``labelled`` with such in numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import sympy

from derive.chapters.blocks import boxed, equations, final, rules
from derive.chapters.chapter import Chapter, Sizes, Worked
from derive.chapters.losses import by_factor, entry_text, require_zero
from derive.problem.problem import Problem
from derive.report.compose.forward import shown
from derive.report.compose.sheet import Sheet
from derive.report.document import Block, Chain, Display, Heading, Link, Math, Note, Paragraph

LOSSES = {
    "1/N": "cross_entropy(out, {})",
    "1": 'cross_entropy(out, {}, reduction="sum")',
    "1/2": 'cross_entropy(out, {}, reduction="sum") / 2',
    "1/2N": "cross_entropy(out, {}) / 2",
}
"""What may stand in front of the sum over samples and classes, and the loss with it, around the labels."""

ANY, ONE_CLASS = "1 * Y", "Y"
"""The labels: a name alone stands for labels of one class, whose rows add up to 1; of a product nothing is assumed."""


def problems(sizes: Sizes, factor: str) -> Mapping[str, Problem]:
    """One sample through log-sum-exp; the batch for any labels, and for labels with a single 1."""
    classes, samples = sizes["n"], sizes["N"]

    def names(stem: str) -> str:
        return " ".join(f"{stem}_{j + 1}" for j in range(classes))

    found = {
        "sample": Problem.from_equations(
            "s = softmax(out)\nr = sum(exp(out))\nlse = log(r)\nJ = lse * sum(Y) - sum(Y * out)",
            shapes={"out": [1, classes], "Y": [1, classes]},
            names={"out": names("o"), "Y": names("y")},
            symbols={"lse": r"\ell"},
            ask={"gradients": ["out"], "loss": "J"},
            name="sample",
        )
    }
    batches = {f"letters {key}": loss.format(ANY) for key, loss in LOSSES.items()}
    for key, loss in {**batches, "one class": LOSSES[factor].format(ONE_CLASS)}.items():
        found[key] = Problem.from_equations(
            f"s = softmax(out)\nJ = {loss}",
            shapes={"out": ["N", "n"], "Y": ["N", "n"]},
            ask={"gradients": ["out"]},
            name=key,
        )
    found["labelled"] = Problem.from_equations(
        f"s = softmax(out)\nJ = {LOSSES[factor].format(ONE_CLASS)}",
        shapes={"out": [samples, classes]},
        given={"Y": [k % classes for k in range(samples)]},
        ask={"gradients": ["out"]},
        name="labelled",
    )
    return found


def write(work: Worked) -> Iterator[Block]:
    """The chapter, section by section."""
    words, sample, letters = work.words, work.sheets["sample"], work.sheets[f"letters {work.factor}"]
    out, label, soft = (letters.math(name) for name in ("out", "Y", "s"))
    yield Paragraph(words.say("cross-entropy.intro", out=out, label=label, soft=soft))
    yield equations(letters)
    yield Heading(1, words.say("cross-entropy.sample"))
    yield Paragraph(words.say("cross-entropy.sample_text", classes=Math(str(work.sizes["n"]))))
    yield shown(sample, sample.part.network.equation("s"))
    yield Paragraph(words.say("cross-entropy.logarithm"))
    yield equations(sample, ("r", "lse", "J"))
    _same_loss(sample)
    yield Paragraph(words.say("cross-entropy.same"))
    yield Paragraph(words.say("cross-entropy.entries"))
    yield _slopes(sample)
    total = Math(entry_text(sample, _labels(sample)))
    yield Heading(1, words.say("cross-entropy.hypothesis"))
    yield Paragraph(words.say("cross-entropy.any", total=total, sums=_row_sums(letters)))
    yield boxed(letters, "out")
    yield Paragraph(words.say("cross-entropy.one"))
    yield boxed(work.sheets["one class"], "out")
    yield Paragraph(words.say("cross-entropy.numbers", samples=Math(str(work.sizes["N"]))))
    yield rules(work.sheets["labelled"], ("out",))
    rest = Math(rf"{sample.symbols.entry('s', (0, 0))} \, ({total.latex} - 1)")
    yield Note(words.say("cross-entropy.proof", rest=rest, count=_only_if(sample)))
    yield Note(words.say("cross-entropy.not_logits", soft=soft, out=out, label=label))
    yield Heading(1, words.say("losses.factors"))
    yield Paragraph(words.say("cross-entropy.factors_text"))
    yield by_factor(work, (f"letters {key}" for key in LOSSES))


def _row_sums(sheet: Sheet) -> Math:
    """The sum of each sample's labels, as the rule has it."""
    return Math(sheet.letters.text(next(node for node in final(sheet, "out").nodes() if node.op == "sum")))


def _labels(sheet: Sheet) -> sympy.Expr:
    explicit = sheet.part.explicit
    assert explicit is not None
    return sympy.Add(*explicit.symbols("Y").ravel())


def _loss(sheet: Sheet) -> sympy.Expr:
    """The loss of the sample in logits and labels, with exponentials and logarithms written out."""
    explicit = sheet.part.explicit
    assert explicit is not None
    return explicit.with_definitions(explicit.written_out(explicit.symbols("J")[()]))


def _same_loss(sheet: Sheet) -> None:
    """- sum y log softmax and log-sum-exp times the sum of labels - sum y o are one function."""
    explicit = sheet.part.explicit
    assert explicit is not None
    rights = [explicit.with_definitions(right) for right in explicit.equation("s").ravel()]
    defined = -sum(y * sympy.log(s) for y, s in zip(explicit.symbols("Y").ravel(), rights, strict=True))
    require_zero(sympy.expand_log(defined, force=True) - _loss(sheet), "the cross-entropy through log-sum-exp")


def _slopes(sheet: Sheet) -> Display:
    """Each derivative of the sample's loss: along log-sum-exp and directly, then with the softmax by its name."""
    explicit, paths = sheet.part.explicit, sheet.part.paths
    assert explicit is not None
    assert paths is not None
    loss, chains = _loss(sheet), []
    softmax = [explicit.with_definitions(right) for right in explicit.equation("s").ravel()]
    r = explicit.symbols("r")[()]
    total = _labels(sheet)
    for k, symbol in enumerate(explicit.symbols("out").ravel()):
        label, s = explicit.symbols("Y").ravel()[k], explicit.symbols("s").ravel()[k]
        slope = sympy.diff(loss, symbol)
        by_log_sum = total * sympy.exp(symbol) / r - label
        by_name = total * s - label
        require_zero(slope - explicit.with_definitions(explicit.written_out(by_log_sum)), "the derivative by a logit")
        require_zero(slope - by_name.xreplace({s: softmax[k]}), "the derivative by a logit")
        left = sheet.symbols.partial(sheet.symbols.name("J"), sheet.symbols.entry("out", (0, k)))
        links = tuple(Link("=", (entry_text(sheet, side),)) for side in (by_log_sum, by_name))
        chains.append(Chain(left, links))
    return Display(tuple(chains))


def _only_if(sheet: Sheet) -> int:
    """The derivative less (softmax - label) is softmax times (sum of labels - 1), entry by entry; their number."""
    explicit = sheet.part.explicit
    assert explicit is not None
    loss, total = _loss(sheet), _labels(sheet)
    rights = [explicit.with_definitions(right) for right in explicit.equation("s").ravel()]
    for o, y, s in zip(explicit.symbols("out").ravel(), explicit.symbols("Y").ravel(), rights, strict=True):
        require_zero(sympy.diff(loss, o) - (s - y) - s * (total - 1), "softmax minus label")
    return len(rights)


CHAPTER = Chapter(
    "cross-entropy",
    sizes={"N": 2, "n": 3},
    most={"N": 6, "n": 6},
    least={"n": 2},
    problems=problems,
    write=write,
    factors=tuple(LOSSES),
)

"""Back-propagation: a small case entry by entry, collected into matrix rules, and the recursion for any depth.

The loss J is any function of the output: its derivative by the output is taken as known. ``special`` is the written-out
case, ``general`` the same equation with letters for its sizes; ``below`` goes one layer further down, and ``layer`` is
the l-th layer, whose solution is the induction step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from derive.calculus.explicit import Entry
from derive.chapters.arbitrary import holds_for_any_loss
from derive.chapters.blocks import (
    adjoint,
    boxed,
    equations,
    final,
    inline,
    is_turned,
    math,
    outputs,
    partials,
    rule,
    rules,
    size,
    with_entries,
)
from derive.chapters.chapter import Chapter, Sizes, Worked
from derive.chapters.flow import flow_scene
from derive.graph.expression import Adjoint
from derive.problem.problem import Problem
from derive.report.compose.backward import matrix_form
from derive.report.compose.forward import shown
from derive.report.compose.path_pictures import picture
from derive.report.compose.reasons import reasons
from derive.report.compose.sheet import Sheet, fits
from derive.report.compose.statement import definition
from derive.report.compose.updates import rule as update_rule
from derive.report.document import (
    Block,
    Chain,
    Display,
    Figure,
    Heading,
    Items,
    Link,
    Math,
    Note,
    Paragraph,
    Spans,
    Table,
    Text,
)
from derive.report.notation import letter
from derive.report.notation.matrices import matrix_of

ACTIVATIONS = ("sigmoid", "tanh", "relu")
OUTPUT = {"Z_L": "Z_L", "W": "W_{L+1}", "b": "b_{L+1}"}
RATE = "eta"
MOST_ARGUMENTS = 6  # of the loss that are written out in a line of prose


def problems(sizes: Sizes, factor: str) -> Mapping[str, Problem]:
    """The solved problems that the chapter is made of."""
    samples, hidden, outs = sizes["N"], sizes["m"], sizes["n"]
    known = {"of": "J", "at": "out"}
    found = {
        "special": Problem.from_equations(
            "out = Z_L @ W + b.T",
            shapes={"Z_L": [samples, hidden], "W": [hidden, outs], "b": [outs, 1]},
            names={
                "Z_L": _entry_names("z", samples, hidden),
                "W": _entry_names("w", hidden, outs),
                "b": "; ".join(f"b_{j + 1}" for j in range(outs)),
                "out": _entry_names("o", samples, outs),
            },
            symbols=OUTPUT,
            ask={"upstream": known, "gradients": ["W", "b", "Z_L"]},
            name="special",
        ),
        "general": Problem.from_equations(
            "out = Z_L @ W + b.T",
            shapes={"Z_L": ["N", "m_L"], "W": ["m_L", "n"], "b": ["n", 1]},
            symbols=OUTPUT,
            ask={"upstream": known, "gradients": ["W", "b", "Z_L"]},
            name="general",
        ),
    }
    for function in ACTIVATIONS:
        found[function] = Problem.from_equations(
            f"Z_L = {function}(h_L)",
            shapes={"h_L": ["N", "m_L"]},
            ask={"upstream": {"of": "J", "at": "Z_L"}, "gradients": ["h_L"]},
            name=function,
        )
    found["below"] = Problem.from_equations(
        "h_L = Z @ W_L + b_L.T\nZ_L = f_L(h_L)\nout = Z_L @ W + b.T",
        shapes={
            "Z": ["N", "m"],
            "W_L": ["m", "m_L"],
            "b_L": ["m_L", 1],
            "W": ["m_L", "n"],
            "b": ["n", 1],
        },
        functions={"f_L": "unspecified"},
        symbols={**OUTPUT, "Z": "Z_{L-1}", "m": "m_{L-1}"},
        ask={"upstream": known, "gradients": ["W", "b", "Z_L", "h_L", "W_L", "b_L", "Z"]},
        name="below",
    )
    found["layer"] = Problem.from_equations(
        "h_l = Z @ W_l + b_l.T\nZ_l = f_l(h_l)",
        shapes={"Z": ["N", "m"], "W_l": ["m", "m_l"], "b_l": ["m_l", 1]},
        functions={"f_l": "unspecified"},
        symbols={"Z": "Z_{l-1}", "m": "m_{l-1}"},
        ask={"upstream": {"of": "J", "at": "Z_l"}, "gradients": ["h_l", "W_l", "b_l", "Z"]},
        name="layer",
    )
    return found


def _entry_names(stem: str, rows: int, columns: int) -> str:
    return "; ".join(" ".join(f"{stem}_{i + 1}{j + 1}" for j in range(columns)) for i in range(rows))


def write(work: Worked) -> Iterator[Block]:
    """The chapter, section by section."""
    words, sheets = work.words, work.sheets
    loss = Math(sheets["special"].symbols.name("J"))
    yield Paragraph(words.say("backprop.intro", loss=loss, out=sheets["special"].math("out")))
    yield from _special(work)
    yield from _weights(work)
    yield from _bias(work)
    yield from _hidden(work)
    yield from _activation(work)
    yield from _below(work)
    yield from _recursion(work)
    yield from _algorithm(work)


def _special(work: Worked) -> Iterator[Block]:
    """The matrices of the written-out case, the product, and its entries."""
    words, sheet = work.words, work.sheets["special"]
    places = {name: Math(str(work.sizes[key])) for name, key in (("samples", "N"), ("hidden", "m"), ("outs", "n"))}
    yield Heading(1, words.say("backprop.special"))
    yield Paragraph(words.say("backprop.special_text", **places))
    names = ("Z_L", "W", "out")
    bias = sheet.symbols.name("b")
    samples, outs = work.sizes["N"], work.sizes["n"]
    spread = matrix_of((samples, outs), lambda index: sheet.symbols.entry("b", (index[1], 0)))
    rows = Chain(rf"\mathbf{{1}} {bias}^{{\top}}", (Link("=", (spread,)),))
    first, second, last = (with_entries(sheet, name) for name in names)
    yield Display((first, second, rows, last))
    yield Table(
        (words.say("backprop.matrix"), words.say("backprop.size")),
        tuple((((sheet.math(name)),), math(size(sheet, name))) for name in (*names[:2], "b", "out")),
        "ll",
    )
    yield Note(words.say("backprop.spread", bias=Math(bias), ones=Math(rows.left), samples=places["samples"]))
    yield Paragraph(words.say("backprop.product"))
    yield shown(sheet, sheet.part.network.equation("out"))
    yield Paragraph(words.say("backprop.outputs"))
    yield outputs(sheet, "out")


def _collected(sheet: Sheet, name: str) -> Display:
    assert sheet.part.derivation is not None
    return matrix_form(sheet, sheet.part.derivation, adjoint(sheet, name))


def _weights(work: Worked) -> Iterator[Block]:
    words, sheet, general = work.words, work.sheets["special"], work.sheets["general"]
    by = sheet.math("W")
    yield Heading(1, words.say("backprop.weights", by=by))
    yield Paragraph(words.say("backprop.weights_text", by=by, count=work.sizes["m"] * work.sizes["n"]))
    yield partials(sheet, "W")
    yield Paragraph(words.say("backprop.collect_weights"))
    yield _collected(sheet, "W")
    yield Paragraph(words.say("backprop.general", sizes=_letters(general, "Z_L", "W")))
    yield boxed(general, "W")


def _bias(work: Worked) -> Iterator[Block]:
    words, sheet, general = work.words, work.sheets["special"], work.sheets["general"]
    by = sheet.math("b")
    yield Heading(1, words.say("backprop.bias", by=by))
    yield Paragraph(words.say("backprop.bias_text", by=by))
    yield partials(sheet, "b")
    yield Paragraph(words.say("backprop.collect_bias"))
    yield _as_row(sheet)
    yield Paragraph(words.say("backprop.general", sizes=_letters(general, "b", "out")))
    yield boxed(general, "b")
    yield Note(words.say("backprop.bias_note", upstream=inline(general, "out")))


def _as_row(sheet: Sheet) -> Display:
    """(dJ/db)^T: its entries, and the sums that the engine's formula makes of them."""
    chain = rule(sheet, "b", is_turned(sheet, "b"))
    node = final(sheet, "b")
    row = node.args[0] if node.op == "transpose" else node
    columns = int(row.shape[1])
    named = matrix_of((1, columns), lambda index: sheet.symbols.entry(Adjoint("J", "b"), (index[1], 0)))
    sums = matrix_of((1, columns), lambda index: sheet.entry_names.cell(row, index).text)
    written = [Link("=", (matrix,)) for matrix in (named, sums) if fits((matrix,))]
    return Display((Chain(chain.left, (*written, *chain.links)),))


def _hidden(work: Worked) -> Iterator[Block]:
    words, sheet, general = work.words, work.sheets["special"], work.sheets["general"]
    by = sheet.math("Z_L")
    yield Heading(1, words.say("backprop.hidden", by=by))
    yield Paragraph(words.say("backprop.hidden_text", by=by))
    yield partials(sheet, "Z_L")
    drawn = picture(sheet, Entry("Z_L", (0, 0)))
    if drawn is not None:
        yield drawn
    yield Paragraph(words.say("backprop.collect_hidden"))
    yield _collected(sheet, "Z_L")
    yield Paragraph(words.say("backprop.general", sizes=_letters(general, "Z_L", "W")))
    yield boxed(general, "Z_L")
    proved = holds_for_any_loss(sheet.part, ("W", "b", "Z_L"))
    arguments = [sheet.symbols.entry("out", index) for index in np.ndindex(*map(int, sheet.shape("out")))]
    if len(arguments) > MOST_ARGUMENTS:
        arguments = [*arguments[:2], r"\ldots", arguments[-1]]
    loss = Math(rf"{sheet.symbols.name('J')}({', '.join(arguments)})")
    yield Note(words.say("backprop.arbitrary", loss=loss, count=proved))


def _letters(sheet: Sheet, *names: str) -> Spans:
    """``Z_L in N x m_L, W in m_L x n``"""
    return sheet.words.listed(
        Math(rf"{sheet.symbols.name(name)} \in \mathbb{{R}}^{{{size(sheet, name)}}}") for name in names
    )


def _activation(work: Worked) -> Iterator[Block]:
    words = work.words
    first = work.sheets[ACTIVATIONS[0]]
    yield Heading(1, words.say("backprop.activation", by=first.math("h_L")))
    yield Paragraph(words.say("backprop.activation_text", after=first.math("Z_L"), before=first.math("h_L")))
    for name in ACTIVATIONS:
        sheet = work.sheets[name]
        assert sheet.part.derivation is not None
        yield Heading(2, words.say(f"activation.{name}"))
        found = definition(sheet, name)
        assert found is not None
        yield found
        yield matrix_form(sheet, sheet.part.derivation, adjoint(sheet, "h_L"))
    relu = work.sheets["relu"]
    yield Note(words.say("backprop.kink", slope=Math(f"{relu.symbols.slope('relu')}(0) = 0")))
    yield Note(words.say("backprop.hadamard", sign=Math(r"\odot")))


def _below(work: Worked) -> Iterator[Block]:
    words, sheet = work.words, work.sheets["below"]
    assert sheet.part.derivation is not None
    yield Heading(1, words.say("backprop.below"))
    yield Paragraph(words.say("backprop.below_text"))
    yield equations(sheet)
    yield Paragraph(words.say("backprop.below_rules"))
    yield rules(sheet, ("W", "b", "Z_L", "h_L", "W_L", "b_L", "Z"))
    yield Paragraph(words.say("backprop.why"))
    names = ("h_L", "W_L", "Z")
    sentences = [s for name in names for s in reasons(sheet, sheet.part.derivation.about(Adjoint("J", name)))]
    yield Items(tuple(sentences))


def _recursion(work: Worked) -> Iterator[Block]:
    words, sheet, general = work.words, work.sheets["layer"], work.sheets["general"]
    yield Heading(1, words.say("backprop.recursion"))
    yield Paragraph(words.say("backprop.recursion_text"))
    yield equations(sheet)
    known, start = inline(sheet, "Z_l"), inline(general, "Z_L")
    yield Items(
        (
            words.say("backprop.start", known=start, by=general.math("out")),
            words.say("backprop.step", known=known),
        ),
        ordered=True,
    )
    yield rules(sheet, ("h_l", "W_l", "b_l", "Z"))
    below = inline(sheet, "Z")
    yield Paragraph(words.say("backprop.induction", below=below, known=known, inputs=Math("Z_0 = X")))


def _algorithm(work: Worked) -> Iterator[Block]:
    words, sheet = work.words, work.sheets["below"]
    rate = letter(RATE)
    yield Heading(1, words.say("backprop.algorithm"))
    yield Paragraph(words.say("backprop.algorithm_text"))
    yield Figure(flow_scene(sheet.symbols, rate), words.say("backprop.flow"), words.text("backprop.flow_words"))
    yield Paragraph(words.say("backprop.update", rate=Math(rate)))
    yield Display(tuple(update_rule(sheet, "J", name, rate) for name in ("W", "b", "W_L", "b_L")))
    yield Paragraph(words.say("backprop.old"))
    yield _uses(sheet)
    yield Note(words.say("backprop.old_note", weights=sheet.math("W"), by=inline(sheet, "Z_L")))


def _uses(sheet: Sheet) -> Table:
    """For every derivative what its formula reads, weights apart from what the forward pass has kept."""
    words = sheet.words
    rows = []
    for name in ("W", "b", "Z_L", "h_L", "W_L", "b_L", "Z"):
        used = final(sheet, name).names()
        weights = [n for n in used if isinstance(n, str) and n in ("W", "W_L")]
        kept = [n for n in used if isinstance(n, str) and n not in weights]
        above = tuple(inline(sheet, n.by) for n in used if isinstance(n, Adjoint))
        cells = [group or (Text("–"),) for group in (above, sheet.listed(kept), sheet.listed(weights))]
        rows.append(((inline(sheet, name),), *cells))
    head = tuple(words.say(f"backprop.{key}") for key in ("derivative", "above", "kept", "weights_read"))
    return Table(head, tuple(rows), "llll")


CHAPTER = Chapter(
    "backprop",
    sizes={"N": 2, "m": 3, "n": 2},
    most={"N": 4, "m": 4, "n": 4},
    problems=problems,
    write=write,
)

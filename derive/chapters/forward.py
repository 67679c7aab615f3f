"""Forward propagation through L hidden layers: the recursion with every size, the spread bias, and what it all counts.

``first`` holds the first two layers, ``layer`` the l-th, ``output`` the last, all with letters for sizes and the bias
spread over the batch by a column of ones; ``case`` is a network with numbers for its sizes, without a single value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod

from derive.chapters.blocks import equations, math, size
from derive.chapters.chapter import Chapter, Sizes, Worked
from derive.errors import ProblemError
from derive.graph.expression import Expression
from derive.problem.problem import Problem
from derive.report.compose.sheet import Sheet
from derive.report.compose.statement import figure
from derive.report.document import Block, Chain, Display, Heading, Link, Math, Note, Paragraph, Spans, Table, Text
from derive.report.notation.matrices import matrix_of

ONES = r"\mathbf{1}"
MOST = 16  # of a size of the network with numbers
DEEPEST = 6  # hidden layers that --sizes may name


def problems(sizes: Sizes, factor: str) -> Mapping[str, Problem]:
    """The solved problems that the chapter is made of."""
    ones = {"one": ["N", 1]}
    return {
        "first": Problem.from_equations(
            "h_1 = X @ W_1 + one @ b_1.T\nZ_1 = f_1(h_1)\nh_2 = Z_1 @ W_2 + one @ b_2.T\nZ_2 = f_2(h_2)",
            shapes={
                "X": ["N", "m"],
                "W_1": ["m", "m_1"],
                "b_1": ["m_1", 1],
                "W_2": ["m_1", "m_2"],
                "b_2": ["m_2", 1],
                **ones,
            },
            functions={"f_1": "unspecified", "f_2": "unspecified"},
            symbols={"one": ONES},
            ask={"upstream": {"of": "J", "at": "Z_2"}, "gradients": ["X"]},
            name="first",
        ),
        "layer": Problem.from_equations(
            "h_l = Z @ W_l + one @ b_l.T\nZ_l = f_l(h_l)",
            shapes={"Z": ["N", "m"], "W_l": ["m", "m_l"], "b_l": ["m_l", 1], **ones},
            functions={"f_l": "unspecified"},
            symbols={"one": ONES, "Z": "Z_{l-1}", "m": "m_{l-1}"},
            ask={"upstream": {"of": "J", "at": "Z_l"}, "gradients": ["Z"]},
            name="layer",
        ),
        "output": Problem.from_equations(
            "out = Z_L @ W + one @ b.T",
            shapes={"Z_L": ["N", "m_L"], "W": ["m_L", "n"], "b": ["n", 1], **ones},
            symbols={"one": ONES, "W": "W_{L+1}", "b": "b_{L+1}"},
            ask={"upstream": {"of": "J", "at": "out"}, "gradients": ["Z_L"]},
            name="output",
        ),
        "case": _case(sizes),
    }


def _case(sizes: Sizes) -> Problem:
    """The network whose sizes are numbers. Raises ``ProblemError`` for a gap between its hidden layers."""
    hidden = [name for name in sizes if name.startswith("m_")]
    depth = len(hidden)
    missing = [f"m_{k}" for k in range(1, depth + 1) if f"m_{k}" not in sizes]
    if missing:
        raise ProblemError(f"--sizes: there is no {missing[0]} below {max(hidden)}")
    widths = [sizes["m"], *(sizes[f"m_{k}"] for k in range(1, depth + 1)), sizes["n"]]
    lines, shapes, source = [], {"X": [sizes["N"], widths[0]]}, "X"
    for k in range(1, depth + 2):
        shapes |= {f"W_{k}": [widths[k - 1], widths[k]], f"b_{k}": [widths[k], 1]}
        before = f"h_{k}" if k <= depth else "out"
        lines.append(f"{before} = {source} @ W_{k} + b_{k}.T")
        if k <= depth:
            lines.append(f"Z_{k} = f_{k}(h_{k})")
        source = f"Z_{k}"
    return Problem.from_equations(
        "\n".join(lines),
        shapes=shapes,
        functions={f"f_{k}": "unspecified" for k in range(1, depth + 1)},
        ask={"upstream": {"of": "J", "at": "out"}, "gradients": ["X"]},
        name="case",
    )


def write(work: Worked) -> Iterator[Block]:
    """The chapter, section by section."""
    words, sheets = work.words, work.sheets
    first, layer, output = (sheets[key] for key in ("first", "layer", "output"))
    yield Paragraph(words.say("forward.intro", inputs=first.math("X"), out=output.math("out")))
    yield Heading(1, words.say("forward.recursion"))
    yield Paragraph(words.say("forward.recursion_text"))
    yield equations(first)
    start = Math(f"{layer.symbols.name('Z_0')} = {first.symbols.name('X')}")
    yield Paragraph(words.say("forward.layer", inputs=start, range=Math(r"l = 1, \ldots, L")))
    yield equations(layer)
    yield Paragraph(words.say("forward.output"))
    yield equations(output)
    yield Paragraph(words.say("forward.sizes"))
    yield _sizes(work)
    yield from _bias(work)
    yield from _counts(work)


def _sizes(work: Worked) -> Table:
    """Every symbol of the recursion with what it is and its size, as the solved equations have it."""
    words, sheets = work.words, work.sheets
    rows: list[tuple[Spans, ...]] = []
    for key, names in (
        ("first", ("X", "W_1", "b_1", "h_1", "Z_1", "W_2", "b_2", "h_2", "Z_2")),
        ("layer", ("Z", "W_l", "b_l", "h_l", "Z_l")),
        ("output", ("W", "b", "out")),
    ):
        sheet = sheets[key]
        for name in names:
            said = words.say(f"forward.{_role(name)}")
            rows.append(((sheet.math(name),), said, math(size(sheet, name))))
    head = tuple(words.say(f"problem.{key}") for key in ("symbol", "meaning", "size"))
    return Table(head, tuple(rows), "lll")


def _role(name: str) -> str:
    return {"X": "data", "W": "weights", "b": "bias", "h": "before", "Z": "after", "o": "out"}[name[0]]


def _bias(work: Worked) -> Iterator[Block]:
    words, case, first = work.words, work.sheets["case"], work.sheets["first"]
    shape = (work.sizes["N"], work.sizes["m_1"])
    spread = matrix_of(shape, lambda index: case.symbols.entry("b_1", (index[1], 0)))
    product = first.letters.text(next(arg for arg in _terms(first, "h_1") if "one" in arg.names()))
    column = matrix_of((shape[1], 1), lambda index: case.symbols.entry("b_1", index))
    yield Heading(1, words.say("forward.spread"))
    yield Paragraph(words.say("forward.spread_text", bias=first.math("b_1"), size=Math(size(first, "h_1"))))
    yield Display(
        (
            Chain(first.symbols.name("b_1"), (Link("=", (column,)),)),
            Chain(product, (Link("=", (spread,)),)),
        )
    )
    yield Note(words.say("forward.spread_note", samples=Math(str(shape[0]))))


def _terms(sheet: Sheet, name: str) -> tuple[Expression, ...]:
    return sheet.part.network.equation(name).value.args


def _counts(work: Worked) -> Iterator[Block]:
    """The network with numbers for sizes: every matrix, and the numbers that are to be trained."""
    words, sheet = work.words, work.sheets["case"]
    network = sheet.part.network
    layers = sum(name.startswith("W_") for name in network.data)
    yield Heading(1, words.say("forward.case"))
    yield Paragraph(words.say("forward.case_text", layers=layers - 1, samples=Math(str(work.sizes["N"]))))
    yield equations(sheet)
    computed = [(f"h_{k}", f"Z_{k}") for k in range(1, layers)] + [("out", "")]
    rows: list[tuple[Spans, ...]] = []
    total, colon = 0, Text(words.text("locale.colon"))
    for k in range(1, layers + 1):
        W, b = f"W_{k}", f"b_{k}"
        counts = [prod(int(n) for n in network.shape(name)) for name in (W, b)]
        total += sum(counts)
        before, after = computed[k - 1]
        made = Math(rf"{sheet.symbols.name(before)}, \, {sheet.symbols.name(after)}" if after else "\\mathrm{out}")
        rows.append(
            (
                (sheet.math(W), colon, Math(size(sheet, W))),
                (sheet.math(b), colon, Math(size(sheet, b))),
                (made, colon, Math(size(sheet, before))),
                math(f"{counts[0]} + {counts[1]} = {sum(counts)}"),
            )
        )
    rows.append(((), (), words.say("forward.total"), math(str(total))))
    head = tuple(words.say(f"forward.{key}") for key in ("weights_head", "bias_head", "made", "parameters"))
    yield Table(head, tuple(rows), "lllr")
    layer, output = work.sheets["layer"], work.sheets["output"]
    per_layer, last = (_count(s, *names) for s, names in ((layer, ("W_l", "b_l")), (output, ("W", "b"))))
    yield Paragraph(words.say("forward.count", layer=Math(per_layer), output=Math(last)))
    yield Note(words.say("forward.batch", samples=Math("N")))
    yield from figure(sheet)


def _count(sheet: Sheet, weights: str, bias: str) -> str:
    """m_{l-1} m_l + m_l, from the shapes."""
    rows, columns = (sheet.symbols.size(str(n)) for n in sheet.part.network.shape(weights))
    own = next(sheet.symbols.size(str(n)) for n in sheet.part.network.shape(bias) if n != 1)
    return f"{rows} \\, {columns} + {own}"


CHAPTER = Chapter(
    "forward",
    sizes={"N": 4, "m": 3, "m_1": 5, "m_2": 4, "n": 2},
    most=dict.fromkeys(("N", "m", *(f"m_{k}" for k in range(1, DEEPEST + 1)), "n"), MOST),
    problems=problems,
    write=write,
)

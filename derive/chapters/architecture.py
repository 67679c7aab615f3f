"""Depth and width: what a network costs, counted from the shapes of solved networks, and what it gains, by experiment.

The networks are solved with a letter for the number of samples and numbers for the widths, one for each architecture of
the experiment. The experiment itself is in ``experiment``: it is no proof of anything, and the chapter says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from derive.chapters import experiment as run
from derive.chapters.blocks import equations, rules
from derive.chapters.chapter import Chapter, Sizes, Worked
from derive.chapters.costs import Cost, cost
from derive.numbers.decimals import rational
from derive.numbers.rounding import Rounding, printed
from derive.problem.problem import Problem
from derive.report.compose.sheet import Sheet
from derive.report.document import Block, Figure, Heading, Items, Math, Note, Paragraph, Table, Text
from derive.report.figures.chart import Curve, chart
from derive.report.notation.printed import printed_text

SHOWN = "8, 8"  # the network whose equations are written out
SAMPLES = "N"
MOST, LEAST = 64, 8  # samples


def key(widths: run.Widths) -> str:
    """A problem's key: the widths of its hidden layers."""
    return ", ".join(map(str, widths)) or "none"


def problems(sizes: Sizes, factor: str) -> Mapping[str, Problem]:
    """Each architecture without a single value; the number of samples is a letter."""
    return {
        key(widths): Problem.from_equations(
            run.equations(widths),
            shapes={"X": [SAMPLES, 1], "T": [SAMPLES, 1], **{n: list(s) for n, s in run.layers(widths).items()}},
            ask={"gradients": list(run.layers(widths))},
            name=f"network-{'-'.join(map(str, (1, *widths, 1)))}",
        )
        for widths in run.ARCHITECTURES
    }


def write(worked: Worked) -> Iterator[Block]:
    """The chapter."""
    words, costs = worked.words, _costs(worked)
    yield Paragraph(words.say("architecture.intro"))
    yield from _counted(worked, costs)
    yield from _tried(worked, costs)


def data(worked: Worked) -> Mapping[str, Any]:
    """The costs and the errors of the experiment, which is in doubles: three digits of each error, as the table has."""
    costs = _costs(worked)
    found = [
        {
            "widths": [1, *e.widths, 1],
            **{what: getattr(costs[e.widths], what) for what in ("parameters", "forward", "backward")},
            "training": [_short(x) for x in e.training],
            "validation": [_short(x) for x in e.validation],
        }
        for e in run.experiment(worked.sizes[SAMPLES])
    ]
    setting = {"rate": str(run.RATE), "updates": run.UPDATES, "starts": list(run.STARTS), "certified": False}
    return {"experiment": {**setting, "architectures": found}}


def _short(error: float) -> str:
    return repr(float(f"{error:.3g}"))


def _costs(worked: Worked) -> dict[run.Widths, Cost]:
    """What every network costs, counted from its solved problem."""
    return {widths: cost(worked.sheets[key(widths)].part, SAMPLES) for widths in run.ARCHITECTURES}


def _counted(worked: Worked, costs: Mapping[run.Widths, Cost]) -> Iterator[Block]:
    """What each architecture costs."""
    words, sheet = worked.words, worked.sheets[SHOWN]
    yield Heading(1, words.say("architecture.cost"))
    yield Paragraph(words.say("architecture.network", name=Math(name(run.ARCHITECTURES[-2]))))
    yield equations(sheet)
    sizes = {"left": Math(r"p \times q"), "right": Math(r"q \times r"), "count": Math("p q r")}
    yield Paragraph(words.say("architecture.products", **sizes))
    yield rules(sheet, _with_products(sheet))
    yield Paragraph(words.say("architecture.counted"))
    head = tuple(words.say(f"architecture.{column}") for column in ("layers", "parameters", "forward", "backward"))
    rows = tuple(
        tuple((Math(text),) for text in (name(widths), str(c.parameters), str(c.forward), str(c.backward)))
        for widths, c in costs.items()
    )
    yield Table(head, rows, "lrrr")
    yield Note(words.say("architecture.twice"))


def _with_products(sheet: Sheet) -> list[str]:
    """The names whose derivatives are made by a matrix product, from the output down."""
    assert sheet.part.derivation is not None
    found = sheet.part.derivation.adjoints.items()
    return [of.by for of, formula in found if any(node.op == "matmul" for node in formula.nodes())]


def _tried(worked: Worked, costs: Mapping[run.Widths, Cost]) -> Iterator[Block]:
    """What each architecture gains."""
    words, samples = worked.words, worked.sizes[SAMPLES]
    found = run.experiment(samples)
    yield Heading(1, words.say("architecture.experiment"))
    yield Paragraph(
        words.say(
            "architecture.setting",
            samples=Math(f"{SAMPLES} = {samples}"),
            input=Math("x"),
            target=Math(rf"\sin({run.FREQUENCY} x)"),
            noise=Math(str(run.NOISE)),
            rate=Math(str(run.RATE)),
            updates=words.count(run.UPDATES),
            starts=str(len(run.STARTS)),
        )
    )
    yield Note(words.say("architecture.doubles"))
    columns = ("layers", "parameters", "training", "validation", "span")
    rows = tuple(
        (
            (Math(name(e.widths)),),
            (Math(str(costs[e.widths].parameters)),),
            (Math(three(e.middle[0])),),
            (Math(three(e.middle[1])),),
            (Math(three(min(e.validation))), Text(" – "), Math(three(max(e.validation)))),
        )
        for e in found
    )
    yield Table(tuple(words.say(f"architecture.{column}") for column in columns), rows, "lrrrr")
    yield from _drawn(worked, found)
    best = min(found, key=lambda e: e.middle[0]), min(found, key=lambda e: e.middle[1])
    yield Paragraph(
        words.say("architecture.best", training=Math(name(best[0].widths)), validation=Math(name(best[1].widths)))
    )
    yield Heading(1, words.say("architecture.conclusions"))
    yield Paragraph(words.say("architecture.may"))
    yield Items(tuple(words.say(f"architecture.may_{k}") for k in (1, 2, 3)))
    yield Paragraph(words.say("architecture.may_not"))
    yield Items(tuple(words.say(f"architecture.may_not_{k}") for k in (1, 2, 3, 4)))


def _drawn(worked: Worked, found: Sequence[run.Errors]) -> Iterator[Block]:
    words = worked.words
    curves = [
        Curve(
            tuple((float(k), e.middle[which]) for k, e in enumerate(found)),
            role,
            rf"\text{{{words.text(f'architecture.{label}')}}}",
            dashed=which == 0,
            dots=True,
        )
        for which, role, label in ((0, "input", "legend_training"), (1, "loss", "legend_validation"))
    ]
    ticks = [(float(k), name(e.widths)) for k, e in enumerate(found)]
    scene = chart(curves, "", rf"\text{{{words.text('architecture.error')}}}", ticks)
    if scene is not None:
        yield Figure(scene, words.say("architecture.plot"), words.text("architecture.plot_words"))


def name(widths: run.Widths) -> str:
    """All widths from the input to the output, as LaTeX: ``1 - 8 - 1`` with en dashes."""
    return r"\text{–}".join(map(str, (1, *widths, 1)))


def three(value: float) -> str:
    """A double, to three significant digits."""
    shown = printed(rational(value), Rounding(digits=None, significant=3))
    return "" if shown is None else printed_text(shown)


CHAPTER = Chapter(
    name="architecture",
    sizes={SAMPLES: 16},
    most={SAMPLES: MOST},
    problems=problems,
    write=write,
    least={SAMPLES: LEAST},
    data=data,
)

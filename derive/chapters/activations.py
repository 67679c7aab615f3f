"""Activation functions: definition, slope, the form through the output, limits and saturation, and what depth does.

Everything about a function follows from the one formula that the engine differentiates. The vanishing gradient is the
product of slopes over depth: its bound for the sigmoid, its size for tanh away from 0, against the ones of ReLU.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import sympy
from flint import arb, fmpq

from derive.calculus.functions import KINKED, H, Z, rational_of
from derive.calculus.numeric import of_one_variable
from derive.chapters.behaviour import behaviour, dip, functions, points, rises, steepest, through, turns
from derive.chapters.blocks import math, rules
from derive.chapters.chapter import Chapter, Sizes, Worked
from derive.chapters.losses import entry_text, require_zero
from derive.numbers.certify import certify
from derive.numbers.rounding import Rounding
from derive.problem.problem import Problem
from derive.report.compose.chains import factor_chain
from derive.report.compose.forward import shown
from derive.report.compose.sheet import Sheet
from derive.report.compose.statement import definition, formula_in_z
from derive.report.document import Block, Chain, Display, Figure, Heading, Link, Math, Note, Paragraph, Spans, Table
from derive.report.figures.chart import Curve, chart
from derive.report.notation import Cell, scalar
from derive.report.notation.cells import number
from derive.report.notation.printed import printed_text
from derive.report.scene import PATHS

SLOPE = fmpq(1, 100)  # of the leaky ReLU
WITH_FORMULA: Mapping[str, tuple[object, ...]] = {
    "sigmoid": (),
    "tanh": (),
    "relu": (),
    "leaky_relu": (SLOPE,),
    "softplus": (),
    "elu": (),
    "gelu": (),
    "silu": (),
}
LEFT, RIGHT = -4, 4  # of the plots
DEPTHS = (1, 2, 3, 5, 10, 20, 50)
AWAY = sympy.Integer(1)  # where the slope of tanh is taken for the table
SHOWN = Rounding(digits=None, significant=3)


def problems(sizes: Sizes, factor: str) -> Mapping[str, Problem]:
    """One layer of each function with letters for its sizes, and a softmax of one sample as a column."""
    found = {}
    for name, at in WITH_FORMULA.items():
        call = f"{name}(z, slope=0.01)" if at else f"{name}(z)"
        found[name] = Problem.from_equations(
            f"h = {call}",
            shapes={"z": ["N", "m"]},
            ask={"upstream": {"of": "J", "at": "h"}, "gradients": ["z"]},
            name=name,
        )
    found["softmax"] = Problem.from_equations(
        "s = softmax(z, axis=0)",
        shapes={"z": [sizes["n"], 1]},
        ask={"upstream": {"of": "J", "at": "s"}, "gradients": ["z", "ds/dz"]},
        name="softmax",
    )
    return found


def write(work: Worked) -> Iterator[Block]:
    """The chapter, section by section."""
    words = work.words
    yield Paragraph(words.say("activations.intro"))
    yield _limits(work)
    yield Note(words.say("activations.saturates_note"))
    dips = {name: Math(rf"z \approx {_bottom(name)[0]}") for name in ("gelu", "silu")}
    yield Note(words.say("activations.dips", **dips))
    kinks = {name: Math(_at_kink(work, name)) for name in ("relu", "leaky_relu")}
    yield Note(words.say("activations.kinks", **kinks))
    for name in WITH_FORMULA:
        yield from _one(work, name)
    yield from _softmax(work)
    yield from _depth(work)


def _limits(work: Worked) -> Table:
    """Limits of every function and of its slope, and on which side it saturates."""
    words, rows = work.words, []
    for name, at in WITH_FORMULA.items():
        found = behaviour(name, at)
        left, right = found.saturates
        side = "both" if left and right else "left" if left else "right" if right else "nowhere"
        limits = (found.low, found.high, found.slope_low, found.slope_high)
        said = words.say(f"activations.{side}")
        cells = (math(_number(limit)) for limit in limits)
        rows.append((words.say(f"activation.{name}"), *cells, math(_range(name, at)), said))
    below, above = r"-\infty", r"\infty"
    heads = [rf"f({below})", rf"f({above})", rf"f'({below})", rf"f'({above})"]
    head: tuple[Spans, ...] = (
        words.say("activations.function"),
        *map(math, heads),
        words.say("activations.range"),
        words.say("activations.saturates"),
    )
    return Table(head, tuple(rows), "lrrrrll")


def _range(name: str, at: tuple[object, ...]) -> str:
    """The values of a function: between its limits where it rises all the way, else from the bottom of its dip on."""
    found = behaviour(name, at)
    right = rf"{_number(found.high)})"
    if not rises(name, at):
        return f"[{_bottom(name)[1]}, {right}"
    formula = functions().definition(name, at)
    reached = isinstance(formula, sympy.Piecewise) and formula.args[1][0] == found.low
    return f"{'[' if reached else '('}{_number(found.low)}, {right}"


def _bottom(name: str) -> tuple[str, str]:
    """Where the slope changes its sign and the value there, certified over the interval that encloses the place."""
    formula = functions().definition(name)
    assert formula is not None
    low, high = dip(name)
    value = of_one_variable(formula)

    def place(bits: int) -> arb:
        middle, radius = (low + high) / 2, (high - low) / 2
        return arb(middle) + arb(0, float(radius.p) / float(radius.q) * 1.001)

    return (
        printed_text(certify(place, SHOWN)),
        printed_text(certify(lambda bits: value(place(bits)), SHOWN)),
    )


def _at_kink(work: Worked, name: str) -> str:
    """What stands for the slope at 0."""
    sheet, at = work.sheets[name], WITH_FORMULA[name]
    slope = functions().derivative(name, at)
    assert slope is not None
    return f"{sheet.symbols.slope(name, at)}(0) = {formula_in_z(sheet, slope.subs(Z, 0))}"


def _number(limit: sympy.Expr) -> str:
    """A limit: a rational number as formulas have it, or an infinity."""
    if limit.is_infinite:
        return r"\infty" if limit > 0 else r"-\infty"
    return number(rational_of(limit)).text


def _one(work: Worked, name: str) -> Iterator[Block]:
    """One function: formula, slope, through the output, the rule of a layer, the plot."""
    words, sheet = work.words, work.sheets[name]
    at = WITH_FORMULA[name]
    symbol, primed = sheet.symbols.function(name, at), sheet.symbols.slope(name, at)
    found = definition(sheet, name, at)
    assert found is not None
    yield Heading(1, words.say(f"activation.{name}"))
    yield found
    quotient = functions().through_output(name, at)
    if quotient is not None:
        _through_output_agrees(name, quotient)
        yield Paragraph(words.say("activations.through", slope=Math(f"{primed}(z)"), output=Math(f"{symbol}(z)")))
    else:
        yield from _inverted(work, name)
    yield Paragraph(words.say("activations.layer", equation=Math(f"h = {symbol}(z)")))
    yield rules(sheet, ("z",))
    curve, slope = functions().definition(name, at), functions().derivative(name, at)
    assert curve is not None
    assert slope is not None
    slopes = [points(slope, LEFT, RIGHT)]
    if name in KINKED:  # the slope jumps: a curve for each side
        (right, _), (left, _), *_ = slope.args
        slopes = [points(left, LEFT, 0, 12), points(right, 0, RIGHT, 12)]
    zero = Curve(((float(LEFT), 0.0), (float(RIGHT), 0.0)), "plain")
    scene = chart(
        [
            zero,
            Curve(points(curve, LEFT, RIGHT), PATHS[0], f"{symbol}(z)"),
            *(Curve(piece, PATHS[1], "" if k else f"{primed}(z)") for k, piece in enumerate(slopes)),
        ],
        "z",
        "",
    )
    assert scene is not None
    caption = words.say("activations.plot", function=Math(f"{symbol}(z)"), slope=Math(f"{primed}(z)"))
    yield Figure(scene, caption, words.text("activations.plot_words", name=words.text(f"activation.{name}")))


def _inverted(work: Worked, name: str) -> Iterator[Block]:
    """The slope in terms of the output where no power of e is to be eliminated, or why there is no such form."""
    words, sheet, at = work.words, work.sheets[name], WITH_FORMULA[name]
    output = Math(f"h = {sheet.symbols.function(name, at)}(z)")
    found = through(name, at)
    if found is None:
        assert turns(name) == 1
        yield Paragraph(words.say("activations.no_output", output=output, input=Math("z")))
        return
    branches = found.args if isinstance(found, sympy.Piecewise) else [(found, True)]
    texts = [scalar(branch, lambda symbol: Cell(str(symbol)), sheet.symbols, {}).text for branch, _ in branches]
    right = texts[0]
    if len(texts) > 1:
        right = rf"\begin{{cases}} {texts[0]}, & h > 0 \\ {texts[1]}, & h \le 0 \end{{cases}}"
    yield Paragraph(words.say("activations.inverted", output=output))
    yield Display((Chain(f"{sheet.symbols.slope(name, at)}(z)", (Link("=", (right,)),)),))


def _through_output_agrees(name: str, quotient: tuple[sympy.Expr, sympy.Expr]) -> None:
    """The form through the output, with the definition put in for the output, is SymPy's slope."""
    formula, slope = functions().definition(name), functions().derivative(name)
    top, bottom = quotient
    require_zero((top / bottom).subs(H, formula) - slope, f"the slope of {name} through its output")


def _softmax(work: Worked) -> Iterator[Block]:
    words, sheet = work.words, work.sheets["softmax"]
    ((way,),) = (sheet.part.chains["ds/dz"],)
    yield Heading(1, words.say("activation.softmax"))
    yield Paragraph(words.say("activations.softmax_text"))
    yield shown(sheet, sheet.part.network.equation("s"))
    yield Paragraph(words.say("activations.own_and_other"))
    yield _slopes(sheet)
    yield Paragraph(words.say("activations.jacobian", after=sheet.math("s"), before=sheet.math("z")))
    yield Display(tuple(factor_chain(sheet, factor) for factor in way.factors))
    yield Paragraph(words.say("activations.pullback"))
    yield rules(sheet, ("z",))
    count = _jacobian_agrees(sheet)
    yield Note(words.say("activations.softmax_proof", count=count))


def _slopes(sheet: Sheet) -> Display:
    """The derivative of the first entry by its own input and by the next one, in the names of the entries."""
    explicit = sheet.part.explicit
    assert explicit is not None
    ((way,),) = (sheet.part.chains["ds/dz"],)
    entries, s = explicit.entries(way.factors[0].value), explicit.symbols("s").ravel()
    chains = []
    for j in (0, 1):
        slope = s[0] * sympy.expand(sympy.cancel(entries[0, j] / s[0]))
        left = sheet.symbols.partial(sheet.symbols.entry("s", (0, 0)), sheet.symbols.entry("z", (j, 0)))
        chains.append(Chain(left, (Link("=", (entry_text(sheet, slope),)),)))
    return Display(tuple(chains))


def _jacobian_agrees(sheet: Sheet) -> int:
    """Every entry of diag(s) - s s^T against SymPy's derivative of the softmax; their number."""
    explicit = sheet.part.explicit
    assert explicit is not None
    s, z = (explicit.symbols(name).ravel() for name in ("s", "z"))
    rights = list(explicit.equation("s").ravel())
    (way,) = sheet.part.chains["ds/dz"]
    claimed = explicit.entries(way.factors[0].value)
    values = dict(zip(s, rights, strict=True))
    for i, right in enumerate(rights):
        for j, by in enumerate(z):
            require_zero(sympy.diff(right, by) - claimed[i, j].xreplace(values), "the Jacobian of the softmax")
    return len(rights) ** 2


def _depth(work: Worked) -> Iterator[Block]:
    """The product of slopes over depth, as a table and a plot."""
    words = work.words
    places = {}
    for name in ("sigmoid", "tanh"):
        sheet = work.sheets[name]
        place, slope = steepest(name)
        primed = sheet.symbols.slope(name)
        places[name] = Math(rf"{primed}(z) \le {primed}({_number(place)}) = {_number(slope)}")
    tanh_slope = functions().derivative("tanh")
    sigmoid_slope = functions().derivative("sigmoid")
    assert tanh_slope is not None
    assert sigmoid_slope is not None
    factors = {
        "bound": steepest("sigmoid")[1],
        "sigmoid": sigmoid_slope.subs(Z, AWAY),
        "tanh": tanh_slope.subs(Z, AWAY),
        "relu": behaviour("relu").slope_high,
    }
    yield Heading(1, words.say("activations.vanishing"))
    yield Paragraph(words.say("activations.vanishing_text"))
    yield Paragraph(words.say("activations.bounds", **places))
    yield Table(
        (words.say("activations.layers"), *(words.say(f"activations.column_{key}") for key in factors)),
        tuple((math(str(depth)), *(math(_power(slope, depth)) for slope in factors.values())) for depth in DEPTHS),
        "rrrrr",
    )
    symbols = {name: work.sheets[name].symbols.slope(name) for name in ("sigmoid", "tanh", "relu")}
    legend = {
        "bound": (rf"{symbols['sigmoid']}(0)", PATHS[1]),
        "tanh": (rf"{symbols['tanh']}({AWAY})", PATHS[0]),
        "relu": (rf"{symbols['relu']}({AWAY})", PATHS[2]),
    }
    curves = [
        Curve(tuple((float(k), float(factors[key]) ** k) for k in range(21)), role, latex)
        for key, (latex, role) in legend.items()
    ]
    scene = chart(curves, r"L", "")
    assert scene is not None
    yield Figure(scene, words.say("activations.depth_plot"), words.text("activations.depth_words"))
    yield Note(words.say("activations.depth_note"))


def _power(slope: sympy.Expr, depth: int) -> str:
    """A product of ``depth`` equal slopes, certified to three significant digits."""
    value = of_one_variable(slope**depth)
    return printed_text(certify(lambda bits: value(fmpq(0)), SHOWN))


CHAPTER = Chapter(
    "activations",
    sizes={"n": 3},
    most={"n": 5},
    problems=problems,
    write=write,
    least={"n": 2},
)

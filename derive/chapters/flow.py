"""Back-propagation as a flow: the derivatives from the output down, what they give for parameters, and the updates."""

from __future__ import annotations

from derive.graph.expression import Adjoint
from derive.report.notation import Symbols
from derive.report.scene import Box, Label, Line, Mark, Scene

WIDTH, HEIGHT = 1.5, 1.0  # cm of a box
PAIR = 2.5  # cm of a box for two parameters
GAP = 2.62  # cm from one box to the next
TOP, MIDDLE, BOTTOM = 4.0, 2.05, 0.55  # cm above the ground


def flow_scene(symbols: Symbols, rate: str) -> Scene:
    """The way back through an output layer, the last hidden layer and those below it."""

    def slope(name: str) -> str:
        return symbols.name(Adjoint("J", name))

    W, b, below = symbols.name("W"), symbols.name("b"), symbols.name("Z")
    spine = [
        (slope("out"), "loss", W, b),
        (slope("Z_L"), "gradient", "", ""),
        (slope("h_L"), "gradient", symbols.name("W_L"), symbols.name("b_L")),
        (symbols.partial(symbols.name("J"), below), "gradient", "", ""),
        (slope("h_1"), "gradient", symbols.name("W_1"), symbols.name("b_1")),
    ]
    arrows = [W, symbols.name("f_L") + "'", symbols.name("W_L"), ""]
    places = [0.9 + GAP * k for k in range(4)] + [0.9 + GAP * 5 - 0.4]
    marks: list[Mark] = []
    for k, ((latex, role, weights, bias), x) in enumerate(zip(spine, places, strict=True)):
        marks.append(Box(x, TOP, WIDTH, HEIGHT, latex, role, 12.0))
        if k < len(arrows):
            start, end = x + WIDTH / 2, places[k + 1] - WIDTH / 2
            if arrows[k]:
                marks.append(Line(start, TOP, end, TOP, "gradient"))
                marks.append(Label((start + end) / 2, TOP + 0.26, arrows[k], 0.8, 0.35, size=9.5))
            else:
                marks.append(Line(start, TOP, (start + end) / 2 - 0.35, TOP, "gradient"))
                marks.append(Label((start + end) / 2, TOP, r"\cdots", 0.5, 0.3, size=9.0))
                marks.append(Line((start + end) / 2 + 0.35, TOP, end, TOP, "gradient"))
        if weights:
            pair = rf"{symbols.partial('J', weights)}, \, {symbols.partial('J', bias)}"
            marks.append(Line(x, TOP - HEIGHT / 2, x, MIDDLE + HEIGHT / 2, "gradient"))
            marks.append(Box(x + 0.35, MIDDLE, PAIR, HEIGHT, pair, "gradient", 12.0))
            marks.append(Line(x, MIDDLE - HEIGHT / 2, x, BOTTOM + 0.3, "edge"))
            marks.append(Label(x + 0.45, (MIDDLE - HEIGHT / 2 + BOTTOM + 0.3) / 2, rf"- {rate}", 0.5, 0.3, size=9.5))
            marks.append(Box(x + 0.35, BOTTOM, PAIR, 0.6, rf"{weights}, \, {bias}", "hidden", 10.0))
    return Scene(places[-1] + 0.35 + PAIR / 2 + 0.1, TOP + HEIGHT / 2 + 0.1, tuple(marks))

"""The computation graph: one operation a node, values above the arrows, derivatives below them, and the order of both.

The table beside it has the forward pass in its left half, downwards, and the backward pass in its right half, upwards.
"""

from __future__ import annotations

from collections.abc import Iterator

from derive.errors import ProblemError, Unsupported
from derive.graph import ops
from derive.graph.expression import Adjoint, Expression, Name
from derive.graph.network import Equation
from derive.graph.sizes import is_scalar
from derive.report.compose.sheet import Sheet
from derive.report.document import Block, Figure, Heading, Math, Paragraph, Spans, Table, Text
from derive.report.figures.alternative import graph_alternative
from derive.report.figures.graph import Arrow, Node, graph_scene
from derive.report.notation import Matrices, Symbols
from derive.report.notation.matrices import matrix_of
from derive.report.notation.printed import printed_text
from derive.report.widths import bound
from derive.solution.gates import Gates, inputs

WIDEST = 17.0  # em of a formula in the table
SIGNS = {"matmul": r"\cdot", "divide": r"\div", "maximum": r"\max", "minimum": r"\min", "transpose": r"(\cdot)^{\top}"}


class Circuit:
    """The gates of one part with their symbols and printed values; ``blank`` leaves the values out."""

    kind = ""  # of caption

    def __init__(self, sheet: Sheet, gates: Gates, blank: bool = False) -> None:
        self.sheet, self.gates, self.blank = sheet, gates, blank
        self.symbols = Symbols(sheet.part.problem, gates.network)
        self.letters = Matrices(self.symbols)
        self.numeric = sheet.numeric and not blank

    def scalar(self, name: str) -> bool:
        """Whether a name stands for one number, which has room on an arrow."""
        return is_scalar(self.gates.network.shape(name))

    def value(self, what: Name | Expression, shape: tuple[int | str, ...]) -> str:
        """The printed value of one entry, or of a small matrix."""
        texts = self.gates.shown.shown(what, self.sheet.part.rounding)
        return matrix_of(tuple(map(int, shape)), lambda index: printed_text(texts[sum(index)]))

    def on_arrow(self, name: str) -> str:
        """What flows along an arrow: the number, or the symbol where there is none or it is a matrix."""
        if self.blank:
            return ""
        if self.numeric and self.scalar(name):
            return self.value(name, self.gates.network.shape(name))
        return self.symbols.name(name)

    def comes_back(self, source: str, target: str) -> str:
        """The derivative that comes back along an arrow: the number, or the symbol of what it is a part of."""
        derivation = self.gates.derivation
        if derivation is None or self.blank:
            return ""
        adjoint = derivation.adjoint(source)
        if adjoint not in derivation.adjoints:
            return ""
        if not self.numeric or not self.scalar(source):
            return self._inline(adjoint)
        (chain,) = (step for step in derivation.about(adjoint) if step.rule in ("chain", "known", "independent"))
        shares = [path.after for path in chain.steps if path.why[:1] == (target,)]
        return self.value(ops.add(*shares), self.gates.network.shape(source)) if shares else ""

    def _inline(self, adjoint: Adjoint) -> str:
        return rf"\partial {self.symbols.name(adjoint.of)} / \partial {self.symbols.name(adjoint.by)}"

    # ── the drawing ──

    def figure(self) -> Figure:
        """The graph. Raises ``Unsupported`` where its labels have no room."""
        network = self.gates.network
        nodes, arrows = [], []
        for name in self.gates.order:
            if name in network.data:
                nodes.append(Node(name, self.symbols.name(name), "input"))
        last = str(network.equations[-1].name)
        for equation in network.equations:
            name = str(equation.name)
            nodes.append(Node(name, self.inside(equation), "loss" if name == last else "hidden"))
            for source in inputs(equation.value):
                arrows.append(Arrow(source, name, self.on_arrow(source), self.comes_back(source, name)))
        used = {arrow.source for arrow in arrows}
        for equation in network.equations:
            name = str(equation.name)
            if name not in used:
                arrows.append(Arrow(name, "", self._result(name), self._start(name)))
        scene = graph_scene(nodes, arrows)
        key = "blank" if self.blank else "caption" if self.gates.derivation else "caption_values"
        return Figure(
            scene, self.sheet.words.say(f"graph.{key}{self.kind}"), graph_alternative(nodes, arrows, self.sheet.words)
        )

    def inside(self, equation: Equation) -> str:
        """What stands in the node of an equation: its operation."""
        return self.sign(equation.value)

    def _result(self, name: str) -> str:
        symbol = self.symbols.name(name)
        if self.numeric and self.scalar(name):
            return (
                rf"{symbol} = {self.on_arrow(name)}"
                if self._exact(name)
                else rf"{symbol} \approx {self.on_arrow(name)}"
            )
        return symbol

    def _exact(self, name: Name) -> bool:
        return all(getattr(text, "exact", False) for text in self.gates.shown.shown(name, self.sheet.part.rounding))

    def _start(self, name: str) -> str:
        """The derivative from which the way back starts: 1 at the loss, what is known at an upstream."""
        derivation = self.gates.derivation
        if derivation is None or self.blank:
            return ""
        if derivation.seeds is None:
            return "1" if name == derivation.of else ""
        if name not in derivation.seeds:
            return ""
        adjoint = derivation.adjoint(name)
        return (
            self.value(adjoint, self.gates.network.shape(name))
            if self.numeric and self.scalar(name)
            else self._inline(adjoint)
        )

    def sign(self, value: Expression) -> str:
        """What stands in a node: ``+``, ``\\times``, ``\\exp``; numbers that take part stand with it."""
        named = [arg for arg in value.args if arg.names()]
        numbers = [arg for arg in value.args if not arg.names()]
        match value.op:
            case "name":
                return "="
            case "add":
                sign = "-" if any(arg.op == "multiply" for arg in named) else "+"
                return sign if not numbers else f"+{self._number(numbers[0])}"
            case "multiply":
                if not numbers:
                    return r"\times" if self._scalars(value) else r"\odot"
                return rf"\times {self._number(numbers[0])}"
            case "divide" if numbers and numbers[0] is value.args[0]:
                return rf"{self._number(numbers[0])}/\cdot"
            case "divide" if numbers:
                return rf"\cdot/{self._number(numbers[0])}"
            case "power":
                return rf"(\cdot)^{{{value.at[0]}}}"
            case "sum":
                return r"\Sigma"
            case op if op in SIGNS:
                return SIGNS[op]
            case "derivative" | "first_wins" | "cross_entropy" | "binary_cross_entropy":
                return rf"\operatorname{{{'CE' if value.op == 'cross_entropy' else 'BCE'}}}"
        try:
            return self.symbols.function(value.op, value.at)
        except KeyError:
            return rf"\operatorname{{{value.op.replace('_', ' ')}}}"

    def _number(self, node: Expression) -> str:
        """A number inside a node, in brackets where it is negative."""
        text = self.letters.text(node)
        return f"({text})" if text.startswith("-") else text

    @staticmethod
    def _scalars(value: Expression) -> bool:
        return all(is_scalar(arg.shape) for arg in value.args)

    # ── the table ──

    def table(self) -> Table:
        """Forward on the left, backward on the right, each with the number of its visit."""
        words, network, derivation = self.sheet.words, self.gates.network, self.gates.derivation
        back: dict[str, int] = {}
        if derivation is not None:
            start = [derivation.of] if derivation.seeds is None else []
            order = [*start, *(adjoint.by for adjoint in derivation.adjoints)]
            back = {name: number for number, name in enumerate(order, 1)}
        rows: list[tuple[Spans, ...]] = []
        for number, name in enumerate(self.gates.order, 1):
            formula = "" if name in network.data else self.letters.text(network.equation(name).value)
            row: list[Spans] = [(Text(str(number)),), (Math(self._line(name, self.symbols.name(name), formula)),)]
            if derivation is not None:
                row += [(Text(str(back[name])) if name in back else Text("–"),), self._backward(name)]
            rows.append(tuple(row))
        head = ["order", "forward"] + (["order", "backward"] if derivation is not None else [])
        return Table(tuple(words.say(f"graph.{key}") for key in head), tuple(rows), "rlrl"[: len(head)])

    def _line(self, what: Name, symbol: str, formula: str) -> str:
        """``q = x + y = 3``; a matrix without its numbers, which stand elsewhere."""
        wide = bool(formula) and bound(formula) > WIDEST  # a sum of thirty terms stands where it is worked out
        text = f"{symbol} = {formula}" if formula and not wide else symbol
        shape = self.gates.network.shape(what.by if isinstance(what, Adjoint) else str(what))
        if not self.numeric or not is_scalar(shape):
            return text
        value = self.value(what, shape)
        if value == formula:
            return text
        return f"{text} = {value}" if self._exact(what) else rf"{text} \approx {value}"

    def _backward(self, name: str) -> Spans:
        derivation = self.gates.derivation
        assert derivation is not None
        if derivation.seeds is None and name == derivation.of:
            symbol = self.symbols.name(name)
            return (Math(f"{self.symbols.partial(symbol, symbol)} = 1"),)
        adjoint = derivation.adjoint(name)
        if adjoint not in derivation.adjoints:
            return ()
        formula = self.letters.text(derivation.adjoints[adjoint])
        symbol = self.symbols.name(adjoint)
        return (Math(self._line(adjoint, symbol, "" if formula == symbol else formula)),)


class Coarse(Circuit):
    """One node for each equation, called by its name: for networks whose operations have no room side by side."""

    kind = "_coarse"

    def __init__(self, sheet: Sheet, blank: bool = False) -> None:
        part = sheet.part
        super().__init__(sheet, Gates(part.network, part.derivation, part.run, part.shown), blank)

    def on_arrow(self, name: str) -> str:
        """The number, if it is one; a matrix has its name in the node that it comes from."""
        return super().on_arrow(name) if self.numeric and self.scalar(name) else ""

    def inside(self, equation: Equation) -> str:
        """The symbol of what the equation is for."""
        return self.symbols.name(equation.name)


def circuit(sheet: Sheet) -> Iterator[Block]:
    """The section on the computation graph of a part that has one."""
    gates = sheet.part.gates
    if gates is None:
        return
    drawn = Circuit(sheet, gates)
    figure = _figure(drawn)
    if figure is not None:
        yield figure
    if gates.derivation is not None:
        yield Paragraph(sheet.words.say("graph.order_back"))
    yield drawn.table()


def blank_circuit(sheet: Sheet) -> Iterator[Block]:
    """The graph to fill in, where the problem asks for one."""
    gates = sheet.part.gates
    if gates is None or not sheet.part.problem.ask.graph:
        return
    yield Heading(2, sheet.words.say("graph.heading"))
    figure = _figure(Circuit(sheet, gates, blank=True))
    if figure is not None:
        yield figure


def _figure(drawn: Circuit) -> Figure | None:
    """The drawing, by operations or else by equations; without room it is an error only where it is asked for."""
    problem = drawn.sheet.part.problem
    try:
        return drawn.figure()
    except Unsupported as error:
        if not problem.ask.graph:
            return None
        try:
            return Coarse(drawn.sheet, drawn.blank).figure()
        except Unsupported:
            raise ProblemError(
                f"graph: {error.message}", file=problem.file, line=problem.line("ask", "graph")
            ) from None

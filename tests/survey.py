"""What 155 published questions contain and ask for, and how to see that a problem file has it.

The rows are those of the survey behind the equation language: 31 primitives and 31 kinds of question, most frequent
first. Each has a test on a solved problem, so that nobody ticks a row by hand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from flint import fmpq

from derive.problem import Problem, syntax
from derive.problem.language import walk
from derive.report.compose.proofs import used_in
from derive.solution import Part, Solution

Test = Callable[[Part], bool]


def nodes(problem: Problem) -> Iterator[syntax.Node]:
    """Every node of every equation."""
    for statement in problem.statements:
        yield from walk(statement.expression)


def calls(*names: str) -> Test:
    """One of these functions is called."""
    return lambda part: any(isinstance(n, syntax.Call) and n.function in names for n in nodes(part.problem))


def operator(*signs: str) -> Test:
    """One of these operators is used."""
    return lambda part: any(isinstance(n, syntax.Binary) and n.operator in signs for n in nodes(part.problem))


def either(*tests: Test) -> Test:
    """One of the tests holds."""
    return lambda part: any(test(part) for test in tests)


def _named(node: syntax.Node) -> str:
    return node.id if isinstance(node, syntax.Name) else ""


def _squares(part: Part) -> Iterator[syntax.Node]:
    for node in nodes(part.problem):
        if isinstance(node, syntax.Binary) and node.operator == "**" and node.right == syntax.Number(fmpq(2)):
            yield node.left
        if isinstance(node, syntax.Call) and node.function == "square":
            yield node.arguments[0]


def _difference(part: Part) -> bool:
    differences = {
        s.name
        for s in part.problem.statements
        if isinstance(s.expression, syntax.Binary) and s.expression.operator == "-"
    }
    return any((isinstance(x, syntax.Binary) and x.operator == "-") or _named(x) in differences for x in _squares(part))


def _penalty(part: Part) -> bool:
    return any(_named(x) in part.problem.parameters for x in _squares(part))


def _shared(part: Part) -> bool:
    """A name that several equations use, or one equation several times, other than a label."""
    uses = Counter(_named(n) for n in nodes(part.problem) if isinstance(n, syntax.Name))
    return any(count > 1 for count in uses.values())


def _affine(part: Part) -> bool:
    products = {
        s.name for s in part.problem.statements
        if any(isinstance(n, syntax.Binary) and n.operator == "@" for n in walk(s.expression))
    }  # fmt: skip
    return bool(products) and any(
        isinstance(n, syntax.Binary) and n.operator == "+" and any(
            (isinstance(side, syntax.Binary) and side.operator == "@") or _named(side) in products
            for side in (n.left, n.right)
        ) for n in nodes(part.problem)
    )  # fmt: skip


def _quadratic(part: Part) -> bool:
    """A product whose outer factors are one name, once transposed: ``x.T @ A @ x``."""
    for node in nodes(part.problem):
        if isinstance(node, syntax.Binary) and node.operator == "@" and isinstance(node.left, syntax.Binary):
            first, last = node.left.left, node.right
            turned = [x.operand for x in (first, last) if isinstance(x, syntax.Transpose)]
            plain = [x for x in (first, last) if isinstance(x, syntax.Name)]
            if node.left.operator == "@" and turned and plain and turned[0] == plain[0]:
                return True
    return False


def _gates(part: Part) -> bool:
    """A sigmoid whose value multiplies something."""
    gates = {
        s.name for s in part.problem.statements
        if isinstance(s.expression, syntax.Call) and s.expression.function == "sigmoid"
    }  # fmt: skip
    return any(
        isinstance(n, syntax.Binary) and n.operator == "*" and {_named(n.left), _named(n.right)} & gates
        for n in nodes(part.problem)
    )


def _division(part: Part) -> bool:
    return any(
        isinstance(n, syntax.Binary) and n.operator == "/" and not isinstance(n.right, syntax.Number)
        for n in nodes(part.problem)
    )


def _mask(part: Part) -> bool:
    """A given matrix of zeros and ones multiplies something."""
    masks = {
        name for name, tensor in part.problem.given.items()
        if tensor.shape and {0, 1} == {int(x.p) if x.q == 1 else -1 for x in tensor.entries}
    }  # fmt: skip
    return any(
        isinstance(n, syntax.Binary) and n.operator == "*" and {_named(n.left), _named(n.right)} & masks
        for n in nodes(part.problem)
    )


def _unrolled(part: Part) -> bool:
    return any("[" in str(equation.name) for equation in part.network.equations)


PRIMITIVES: Mapping[str, Test] = {
    "affine, matmul, bias": _affine,
    "sigmoid": calls("sigmoid"),
    "squared error": _difference,
    "upstream gradient given": lambda part: bool(part.problem.ask.upstream),
    "ReLU": calls("relu"),
    "sum, mean": calls("sum", "mean"),
    "softmax": calls("softmax", "log_softmax", "cross_entropy"),
    "product, Hadamard": operator("*"),
    "softmax cross-entropy": calls("cross_entropy"),
    "add, subtract": operator("+", "-"),
    "shared node": _shared,
    "exp, log, division": either(calls("exp", "log"), _division),
    "unspecified activation": lambda part: None in part.problem.functions.values(),
    "binary cross-entropy": calls("binary_cross_entropy"),
    "power": operator("**"),
    "tanh": calls("tanh"),
    "convolution": calls("conv1d", "conv2d"),
    "time unrolling": _unrolled,
    "embedding lookup": calls("embedding"),
    "L2 penalty": _penalty,
    "max, max-pool": calls("max", "maximum", "max_pool"),
    "other activation": either(
        calls("gelu", "softplus", "elu", "silu"),
        lambda part: any(formula is not None for formula in part.problem.functions.values()),
    ),
    "quadratic form": _quadratic,
    "absolute value (L1)": calls("abs"),
    "sine": calls("sin"),
    "gates": _gates,
    "leaky ReLU": calls("leaky_relu"),
    "dropout": _mask,
    "layer norm": calls("layer_norm"),
    "momentum": lambda part: part.problem.ask.update is not None and part.problem.ask.update.rule == "momentum",
    "log-determinant, inverse": calls("logdet", "inv", "det"),
}


def _gradients(part: Part) -> bool:
    return part.derivation is not None and bool(part.asked.gradients)


def _data(part: Part) -> bool:
    return any(
        name in part.network.data and part.network.data[name].role != "parameter" for name in part.asked.gradients
    )


def _trained(part: Part) -> bool:
    return any(datum.role == "parameter" for datum in part.network.data.values())


def _wish(name: str) -> Test:
    """A question of its own kind under ``[ask]``."""
    return lambda part: bool(getattr(part.problem.ask.questions, name, None))


QUESTIONS: Mapping[str, Test] = {
    "gradient, matrix formula": lambda part: _gradients(part) and "matrix" in part.problem.convention.style,
    "gradient, entry by entry": lambda part: _gradients(part) and part.paths is not None,
    "gradient, numbers": lambda part: _gradients(part) and part.numeric,
    "one update": lambda part: part.problem.ask.update is not None and part.problem.ask.update.steps == 1,
    "forward values": lambda part: part.numeric,
    "explain": _gradients,
    "derivative of an activation or loss": lambda part: bool(part.asked.ratios),
    "draw the graph": lambda part: part.gates is not None,
    "gradient by the input": _data,
    "shapes": lambda part: part.problem.ask.shapes,
    "write the forward equations": lambda part: True,
    "value of the loss": lambda part: part.asked.loss is not None and part.numeric,
    "code": lambda part: part.problem.ask.code,
    "several iterations": lambda part: part.problem.ask.update is not None and part.problem.ask.update.steps > 1,
    "general recursion": lambda part: bool(getattr(part.problem.ask, "recursion", False)),
    "parameter count": lambda part: part.problem.ask.shapes and _trained(part),
    "fill in a graph": lambda part: bool(part.problem.ask.graph) and part.gates is not None,
    "cost, counting": lambda part: part.problem.ask.costs,
    "Jacobian": lambda part: any(ratio.kind == "jacobian" for ratio in part.asked.ratios),
    "loss after the update": lambda part: part.history is not None and part.asked.loss is not None,
    "forward mode": _wish("forward"),
    "gradient check": _wish("differences"),
    "reverse mode": lambda part: part.gates is not None and part.gates.derivation is not None,
    "Hessian": lambda part: any(str(text).startswith("d2") for text in part.problem.ask.gradients or ()),
    "list the parameters": _trained,
    "extend to a batch": _wish("batch"),
    "prove a given result": lambda part: part.derivation is not None and bool(used_in([part.derivation])),
    "multiple choice": lambda part: part.quiz is not None and bool(part.quiz.choices),
    "true or false": lambda part: part.quiz is not None and bool(part.quiz.judgements),
    "find the error": lambda part: part.quiz is not None and bool(part.quiz.lines),
    "fill in code": lambda part: part.problem.ask.code,
}


def ticks(solutions: Mapping[str, Solution]) -> str:
    """The table: for each row the problem files that have it."""
    lines = ["# What the problem files cover", ""]
    lines += ["Made by `python -m pytest tests/test_survey.py --regenerate`; a test holds it.", ""]
    for title, rows in (("Primitive", PRIMITIVES), ("Question", QUESTIONS)):
        lines += [f"| {title} | Problem files |", "|:---|:---|"]
        for row, test in rows.items():
            having = [name for name, solution in solutions.items() if any(map(test, solution.parts))]
            shown = ", ".join(f"`{name}`" for name in having[:6])
            lines.append(f"| {row} | {shown}{f' and {len(having) - 6} more' if len(having) > 6 else ''} |")
        lines.append("")
    return "\n".join(lines)

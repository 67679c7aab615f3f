"""From the syntax of a problem to a network: every name gets its size, every inner step that deserves one a name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import prod
from typing import Any

from flint import fmpq

from derive.errors import ProblemError, Unsupported
from derive.graph import blocks, matrices, ops, sizes
from derive.graph.expression import Expression, constant, is_constant, leaf
from derive.graph.indexing import indexed
from derive.graph.labels import assumed_labels
from derive.graph.lookup import Lookup
from derive.graph.naming import named
from derive.graph.network import Datum, Equation, Network
from derive.graph.sizes import ShapeError
from derive.numbers.tensor import Tensor
from derive.problem.problem import Problem
from derive.problem.syntax import Binary, Call, Compare, Index, Name, Negate, Node, Number, Statement, Transpose


def build(problem: Problem) -> Network:
    """The network of one part of a problem. Raises ``ProblemError`` with the equation's line where sizes do not fit."""
    data = {name: Datum(tensor.shape, "given", tensor) for name, tensor in problem.given.items()}
    data |= {name: Datum(tensor.shape, "parameter", tensor) for name, tensor in problem.parameters.items()}
    data |= {name: Datum(shape, "shape") for name, shape in problem.shapes.items()}
    reader = _Reader(problem, data)
    equations: list[Equation] = []
    taken = set(data) | {statement.name for statement in problem.statements}
    for statement in problem.statements:
        value = reader.read(statement)
        inner, value = named(value, equations, taken, statement.name)
        for equation in [*inner, Equation(statement.name, value, statement.line, statement.comment)]:
            equations.append(replace(equation, line=statement.line))
        reader.shapes[statement.name] = value.shape
    _entry_names_fit(problem, reader.shapes)
    assumed = assumed_labels(reader.data, equations) | reader.assumed
    return Network(reader.data, tuple(equations), reader.labels, assumed)


def _entry_names_fit(problem: Problem, shapes: dict[str, Any]) -> None:
    """A matrix of names has the size of what it names; of a stack of matrices the rows stand one below another."""
    for name, rows in problem.names.items():
        shape = shapes[name]
        have = (len(rows), len(rows[0]))
        want = (prod(map(int, shape[:-1])), shape[-1]) if len(shape) > 2 else shape or (1, 1)
        if have != tuple(want):
            raise ProblemError(
                f"[names] {name} has {have[0]} x {have[1]} names, but {name} is {sizes.describe(shape)}",
                file=problem.file,
                line=problem.line("names", name),
            )


class _Reader:
    """Reads one statement after another; ``shapes`` holds what is known so far."""

    def __init__(self, problem: Problem, data: dict[str, Datum]) -> None:
        self.problem, self.data = problem, data
        self.shapes: dict[str, Any] = {name: datum.shape for name, datum in data.items()}
        self.labels: dict[str, Tensor] = {}
        self.assumed: dict[str, int] = {}  # labels without numbers, and the axis of their classes
        self.lookup = Lookup(problem, self.data, self.labels)

    def read(self, statement: Statement) -> Expression:
        """The expression of a statement; a ``ShapeError`` becomes the user's message with the equation and its line."""
        try:
            return self.node(statement.expression)
        except ShapeError as error:
            raise ProblemError(
                f"in the equation {statement.source!r}: {error}", file=self.problem.file, line=statement.line
            ) from None
        except ProblemError as error:
            raise error.at(self.problem.file, statement.line) from None

    def node(self, node: Node) -> Expression:
        match node:
            case Number(value):
                return constant(value)
            case Name("pi") if "pi" not in self.shapes:
                return ops.apply("pi")
            case Name(id):
                return leaf(id, self.shapes[id])
            case Negate(Number(value)):
                return constant(-value)
            case Negate(operand):
                return ops.negate(self.node(operand))
            case Transpose(operand):
                return ops.transpose(self.node(operand))
            case Binary("**", base, exponent):
                return ops.power(self.node(base), exponent_of(exponent))
            case Binary(operator, left, right):
                return BINARY[operator](self.node(left), self.node(right))
            case Call("cross_entropy", arguments):
                return self.cross_entropy(node, arguments)
            case Call("one_hot", (numbers,)):
                classes: Any = dict(node.options)["classes"]
                return self.lookup.one_hot(numbers, int(classes))
            case Call("embedding", (table, numbers)):
                return self.lookup.embedding(self.node(table), numbers)
            case Call(function, arguments):
                return self.call(node, function, tuple(self.node(argument) for argument in arguments))
            case Index(operand, items):
                return indexed(self.node(operand), items)
            case Compare(relation, left, right):
                return ops.apply("compare", self.node(left), self.node(right), at=(relation,))

    def call(self, node: Call, function: str, args: tuple[Expression, ...]) -> Expression:
        options = dict(node.options)
        if function in ("sum", "mean"):
            axis = sizes.axis_of(args[0].shape, _axis(options["axis"]))
            return (ops.total if function == "sum" else ops.mean)(args[0], axis)
        if function in ("max", "min"):
            axis = sizes.axis_of(args[0].shape, _axis(options["axis"]))
            return ops.apply(function, args[0], at=(axis,)) if args[0].shape else args[0]
        if function in ("softmax", "log_softmax"):
            axis = sizes.axis_of(args[0].shape, _axis(options["axis"]))
            return ops.apply(function, args[0], at=(axis,))
        if function in matrices.CALLS:
            return matrices.CALLS[function](args[0], options)
        if function == "outer":
            return matrices.outer(*args)
        if function in REARRANGED:
            return REARRANGED[function](args, options)
        if function == "square":
            return ops.power(args[0], 2)
        if function in self.problem.functions:
            return ops.apply("own", args[0], at=(function,))
        if function in ops.OPS:
            return ops.apply(function, *args, at=tuple(options.values()))
        raise Unsupported(f"{function} is not built yet")

    def cross_entropy(self, node: Call, arguments: tuple[Node, ...]) -> Expression:
        """Labels are one-hot, or a flat list of class numbers that becomes one-hot here."""
        logits = self.node(arguments[0])
        axis = sizes.axis_of(logits.shape, _axis(node.option("axis")))
        if axis is None or len(logits.shape) != 2:
            raise ShapeError(f"cross_entropy needs a matrix of logits, and this is {sizes.describe(logits.shape)}")
        if logits.shape[axis] == 1:
            raise ShapeError(
                f"cross_entropy takes its classes along axis {axis}, and there is only one in "
                f"{sizes.describe(logits.shape)}; did you mean axis={1 - axis}?"
            )
        label = arguments[1]
        if isinstance(label, Name) and label.id in self.data:
            self.one_hot(label.id, logits, axis)
            if self.data[label.id].tensor is None:
                self.assumed[label.id] = axis
        return ops.apply("cross_entropy", logits, self.node(label), at=(axis, node.option("reduction")))

    def one_hot(self, name: str, logits: Expression, axis: int) -> None:
        """Class numbers under ``name`` become rows (columns) with a single 1."""
        tensor = self.data[name].tensor
        if tensor is None or tensor.shape == logits.shape:
            return
        samples, classes = int(logits.shape[1 - axis]), int(logits.shape[axis])
        if tensor.shape not in ((1, samples), (samples, 1), ()) or len(tensor.entries) != samples:
            raise ShapeError(
                f"{name} is {sizes.describe(tensor.shape)}; expected labels of {sizes.describe(logits.shape)} "
                f"or a flat list of {samples} class numbers"
            )
        chosen = []
        for number in tensor:
            if number.q != 1 or not 0 <= number.p < classes:
                raise ProblemError(
                    f"{name} has {number}, which is no class number; expected whole numbers from 0 to {classes - 1}",
                    file=self.problem.file,
                    line=self.problem.line("given", name),
                )
            chosen.append(int(number.p))
        rows, columns = int(logits.shape[0]), int(logits.shape[1])
        entries = (
            fmpq(int((j == chosen[i]) if axis == 1 else (i == chosen[j]))) for i in range(rows) for j in range(columns)
        )
        self.labels[name] = tensor
        self.data[name] = Datum((rows, columns), self.data[name].role, Tensor.of((rows, columns), entries))
        self.shapes[name] = (rows, columns)


REARRANGED: dict[str, Callable[[tuple[Expression, ...], dict[str, Any]], Expression]] = {
    "concat": lambda args, options: blocks.concat(args, options["axis"]),
    "stack": lambda args, options: blocks.stack(args, options["axis"]),
    "reshape": lambda args, options: blocks.reshape(args[0], tuple(options.values())),
    "flatten": lambda args, options: blocks.flatten(args[0]),
    "ones": lambda args, options: blocks.filled(1, tuple(options.values())),
    "zeros": lambda args, options: blocks.filled(0, tuple(options.values())),
}


def matmul(a: Expression, b: Expression) -> Expression:
    """``a @ b``; a minus before a factor stands before the product: ``-v @ N`` is read as ``-(v @ N)``."""
    for k, factor in enumerate((a, b)):
        if factor.op == "multiply" and is_constant(factor.args[0], -1):
            rest = ops.multiply(*factor.args[1:])
            if rest.shape == factor.shape:
                return ops.negate(matmul(rest, b) if k == 0 else matmul(a, rest))
    return ops.matmul(a, b)


BINARY: dict[str, Callable[[Expression, Expression], Expression]] = {
    "+": ops.add,
    "-": ops.subtract,
    "*": ops.multiply,
    "/": ops.divide,
    "@": matmul,
}


def exponent_of(node: Node) -> fmpq:
    """The number an exponent stands for; the reader of the language let only constants through."""
    match node:
        case Number(value):
            return value
        case Negate(operand):
            return -exponent_of(operand)
        case Binary("/", left, right):
            return exponent_of(left) / exponent_of(right)
    raise ProblemError("the exponent of ** is no constant")


def _axis(value: Any) -> int | None:
    return None if value is None else int(value)

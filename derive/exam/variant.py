"""One variant: the numbers and activations of one paper, and the problems that they make of an exam's questions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace

from derive.exam.exam import Exam, Question
from derive.numbers.tensor import Tensor
from derive.problem.functions import FUNCTIONS
from derive.problem.problem import Problem
from derive.problem.syntax import Binary, Call, Compare, Index, Negate, Node, Statement, Transpose
from derive.records import dataclass


@dataclass(frozen=True)
class Chosen:
    """What was chosen for one question: values of data and parameters, and functions for what stands for one."""

    values: Mapping[str, Tensor] = field(default_factory=dict)
    functions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Variant:
    """``number`` counts from 1; ``code`` is short, different for each variant of an exam, and printed on its paper.

    ``student`` is whom it was made for, if for anyone. ``chosen`` has an entry for every question, by its id.
    """

    number: int
    code: str
    chosen: Mapping[str, Chosen]
    student: str | None = None


def problem_of(question: Question, variant: Variant) -> Problem:
    """The problem of a question as it stands on a variant's paper.

    A quiz of the problem's own would be another question: the form of this one says what is to be ticked.
    """
    chosen, problem = variant.chosen[question.id], question.problem
    given = {name: chosen.values.get(name, value) for name, value in problem.given.items()}
    parameters = {name: chosen.values.get(name, value) for name, value in problem.parameters.items()}
    statements = tuple(with_functions(statement, chosen.functions) for statement in problem.statements)
    functions = {name: formula for name, formula in problem.functions.items() if name not in chosen.functions}
    ask = replace(problem.ask, quiz=None)
    return replace(problem, given=given, parameters=parameters, statements=statements, functions=functions, ask=ask)


def problems(exam: Exam, variant: Variant) -> dict[str, Problem]:
    """The problems of a variant, by the ids of their questions."""
    return {question.id: problem_of(question, variant) for question in exam.questions}


def with_functions(statement: Statement, functions: Mapping[str, str]) -> Statement:
    """The statement with other functions: in place of one that it calls, or as the outermost one of its equation."""
    if not functions:
        return statement
    node = _called(statement.expression, functions)
    if statement.name in functions and isinstance(node, Call):
        node = _other(node, functions[statement.name])
    return statement if node == statement.expression else replace(statement, expression=node)


def _called(node: Node, functions: Mapping[str, str]) -> Node:
    match node:
        case Call():
            node = replace(node, arguments=tuple(_called(one, functions) for one in node.arguments))
            return _other(node, functions.get(node.function, node.function))
        case Negate() | Transpose() | Index():
            return replace(node, operand=_called(node.operand, functions))
        case Binary() | Compare():
            return replace(node, left=_called(node.left, functions), right=_called(node.right, functions))
    return node


def _other(node: Call, function: str) -> Call:
    """The call of another function, whose options are the usual ones: a slope, say."""
    if function == node.function:
        return node
    return replace(node, function=function, options=tuple((o.key, o.default) for o in FUNCTIONS[function].options))

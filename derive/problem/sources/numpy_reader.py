"""The reader of a forward function: its statements one after another.

Assignments become equations under their own names; functions of the source are read in where they are called, and one
that writes out a function of the language (``1 / (1 + np.exp(-z))``) is taken for that function.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flint import fmpq

from derive.errors import ProblemError
from derive.problem.names import NAME
from derive.problem.sources.arrays import Array, Arrays, named, number
from derive.problem.sources.draft import Draft
from derive.problem.sources.forms import recognised
from derive.problem.sources.numpy_expressions import Expressions, SourceDraft, Table
from derive.problem.sources.rewrite import replaced
from derive.problem.syntax import Call, Name, Node
from derive.problem.wording import hint, listing, shown

DEEPEST = 20  # functions inside functions
MOST_TURNS = 1000


class _Returned(Exception):
    """No error: a function has come to its end."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


class Forward(Expressions):
    """Reads one function. ``result`` is what it returns."""

    result: Array

    # ── the function ──────────────────────────────────────────────────────────────────────────────────────────────

    def run(self, function: str) -> Forward:
        """Read the function of that name."""
        tree = self.functions.get(function)
        if tree is None:
            names = list(self.functions)
            tip = hint(function, names) or (f"there are {listing(names, 'and')}" if names else "def forward(x): …")
            raise self.draft.error(f"there is no function {shown(function)[1:-1]}", hint=tip)
        self.draft.line = tree.lineno
        scope: dict[str, Any] = {}
        for argument, default in _arguments(tree, self.draft):
            if argument == "self" or (argument not in self.data and self._is_table(tree, argument)):
                scope[argument] = Table()
            elif argument in self.data or default is None:
                scope[argument] = self.datum(argument)
            else:
                scope[argument] = self.expression(default)
        self.scopes.append(scope)
        value = self._body(tree)
        found = value[0] if isinstance(value, list) and value else value
        result = self.array(found)
        if named(result) is None:
            result = self.arrays.let(result, "loss" if not result.shape else "")
        elif result in self.known.values():
            raise self.draft.error("the function gives back what it was given")
        self.result = result
        return self

    @staticmethod
    def _is_table(tree: ast.FunctionDef, name: str) -> bool:
        """Whether an argument is only looked into by keys that are texts: ``params["W1"]``."""
        inside = {
            id(node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Subscript)
            and isinstance(node.slice, ast.Constant)
            and isinstance(node.slice.value, str)
        }
        found = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == name]
        return bool(found) and all(id(node) in inside for node in found)

    # ── statements ────────────────────────────────────────────────────────────────────────────────────────────────

    def _body(self, tree: ast.FunctionDef) -> Any:
        try:
            for statement in tree.body:
                self.statement(statement)
        except _Returned as done:
            return done.value
        raise self.draft.error(f"{tree.name} returns nothing")

    def statement(self, tree: ast.stmt) -> None:
        """One statement; what it assigns is in the scope afterwards."""
        self.draft.line = tree.lineno
        match tree:
            case ast.Assign(targets=[target], value=value):
                self._assign(target, self.expression(value), tree)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._assign(target, self.expression(value), tree)
            case ast.AugAssign(target=ast.Name(id=name), op=op, value=value):
                left = ast.copy_location(ast.Name(name, ast.Load()), tree)
                joined = ast.copy_location(ast.BinOp(left, op, value), tree)
                self._assign(ast.Name(name, ast.Store()), self.expression(joined), tree)
            case ast.Return(value=ast.expr() as value):
                found = self.expression(value)
                raise _Returned(self._commented(found, tree))
            case ast.For(target=ast.Name(id=name), iter=ast.expr() as numbers, orelse=[]):
                for turn in self._turns(numbers):
                    self.scopes[-1][name] = turn
                    for inside in tree.body:
                        self.statement(inside)
            case ast.Expr(value=ast.Constant()) | ast.Pass() | ast.Assert() | ast.Import() | ast.ImportFrom():
                return
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[item])):
                held = self.scopes[-1].get(name)
                if not isinstance(held, list):
                    raise self.draft.unsupported(f"append to {name}, which is no list")
                held.append(self.expression(item))
            case ast.Expr(value=ast.Call(func=ast.Name(id="print"))):
                return
            case _:
                word = type(tree).__name__.lower()
                raise self.draft.unsupported(
                    f"the statement {word}", hint="supported are assignments, for … in range(…), and return"
                )

    def _commented(self, value: Any, tree: ast.stmt) -> Any:
        """What is returned without a name keeps the comment behind it."""
        comment = self.comments.get(tree.lineno, "")
        if comment and isinstance(value, Array) and named(value) is None and len(self.scopes) == 1:
            return self.arrays.let(value, "loss" if not value.shape else "", comment)
        return value

    def _turns(self, tree: ast.expr) -> Iterator[Any]:
        if not (isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and tree.func.id == "range"):
            found = self.expression(tree)
            if isinstance(found, list):
                return iter(found)
            raise self.draft.unsupported("a loop that does not run over range(…) or a list")
        ends = [self.whole(self.expression(end), "the end of a range") for end in tree.args]
        if not 1 <= len(ends) <= 3 or (len(ends) == 3 and not ends[2]):
            raise self.draft.error("range takes one, two or three whole numbers")
        turns = range(*ends)
        if len(turns) > MOST_TURNS:
            raise self.draft.error(f"a loop of {len(turns)} turns, at most {MOST_TURNS} are unrolled")
        return (number(fmpq(turn)) for turn in turns)

    def _assign(self, target: ast.expr, value: Any, tree: ast.stmt) -> None:
        match target:
            case ast.Name(id=name):
                self.scopes[-1][name] = self._named(name, value, tree)
            case ast.Tuple(elts=targets) | ast.List(elts=targets):
                if not isinstance(value, list) or len(value) != len(targets):
                    raise self.draft.unsupported("several names that are assigned from one value")
                for one, part in zip(targets, value, strict=True):
                    self._assign(one, part, tree)
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                self.scopes[-1][f"self.{name}"] = self._named(name, value, tree)
            case ast.Subscript(value=ast.Name(id=name), slice=index) if isinstance(self.scopes[-1].get(name), Table):
                self.scopes[-1][name][self.key(index)] = value
            case ast.Subscript(value=ast.Name(id=name), slice=index) if isinstance(self.scopes[-1].get(name), list):
                place = self.whole(self.expression(index), "an index")
                held = self.scopes[-1][name]
                if not -len(held) <= place < len(held):
                    raise self.draft.error(f"the index {place} into a list of {len(held)}")
                held[place] = self._named(name, value, tree)
            case _:
                raise self.draft.unsupported("an assignment to a part of an array")

    def _named(self, name: str, value: Any, tree: ast.stmt) -> Any:
        """The value under the name of its equation; a name that is taken gets a number."""
        if (
            not isinstance(value, Array)
            or value.value is not None
            or (named(value) is not None and not _provisional(value))
        ):
            return value
        comment = self.comments.get(tree.lineno, "")
        if not NAME.fullmatch(name):
            return self.arrays.let(value, "", comment)
        wish = name
        while not self._free(wish) or wish in self.data:
            self.counts[name] = self.counts.get(name, 1) + 1
            wish = f"{name}{self.counts[name]}"
        self.names.add(wish)
        return self.arrays.let(value, "", comment, wish)

    # ── functions of the source ───────────────────────────────────────────────────────────────────────────────────

    def own(self, function: ast.FunctionDef, tree: ast.Call) -> Any:
        """A function of the source, read in where it is called."""
        if function.name in self.within:
            raise self.draft.unsupported(f"{function.name}, which calls itself")
        if len(self.within) > DEEPEST:
            raise self.draft.unsupported(f"functions inside functions, more than {DEEPEST} deep")
        scope: dict[str, Any] = {}
        wanted = [pair for pair in _arguments(function, self.draft) if pair[0] != "self"]
        given = [self.expression(argument) for argument in tree.args]
        if len(given) > len(wanted):
            raise self.draft.error(f"{function.name} takes {len(wanted)} arguments, found are {len(given)}")
        options = {str(key.arg): self.expression(key.value) for key in tree.keywords}
        for k, (argument, default) in enumerate(wanted):
            if k < len(given):
                scope[argument] = given[k]
            elif argument in options:
                scope[argument] = options.pop(argument)
            elif default is not None:
                scope[argument] = self.expression(default)
            else:
                raise self.draft.error(f"{function.name} is given no {argument}")
        if options:
            raise self.draft.error(f"{function.name} has no argument {next(iter(options))}")
        if known := self._recognised(function, scope):
            return known
        for key, value in scope.items():
            if isinstance(value, Array) and named(value) is None and value.value is None:
                scope[key] = self.arrays.let(value, "soft")
        return self._inside(function, scope)

    def _inside(self, function: ast.FunctionDef, scope: dict[str, Any]) -> Any:
        line = self.draft.line
        self.scopes.append(scope)
        self.within.append(function.name)
        try:
            return self._body(function)
        finally:
            self.scopes.pop()
            self.within.pop()
            self.draft.line = line

    def _recognised(self, function: ast.FunctionDef, scope: Mapping[str, Any]) -> Array | None:
        """A function of one array whose body writes out a function of the language, as that function."""
        arrays = [key for key, value in scope.items() if isinstance(value, Array) and value.value is None]
        if len(arrays) != 1:
            return None
        argument: Array = scope[arrays[0]]
        others = repr([(key, value) for key, value in scope.items() if key != arrays[0]])
        tried = function.name, argument.shape, others
        if tried not in self.tried:
            self.tried[tried] = self._tried_out(function, {**scope, arrays[0]: Array(Name("z"), argument.shape)})
        call = self.tried[tried]
        if call is None:
            return None
        self.draft.require(call.function)
        return Array(replaced(call, {"z": argument.node}), argument.shape)

    def _tried_out(self, function: ast.FunctionDef, scope: dict[str, Any]) -> Call | None:
        """What the language calls a function of ``z``."""
        scratch = Arrays(SourceDraft(self.draft.source), self.arrays.layout)
        reader = Forward(scratch, self.functions, {}, {}, self.modules, self.tried)
        reader.within, reader.read, reader.names = self.within.copy(), self.read, {"z"}
        shape = next(value.shape for value in scope.values() if isinstance(value, Array) and named(value) == "z")
        try:
            found = reader._inside(function, scope)
        except ProblemError:
            return None
        finally:
            self.read = reader.read
        if not isinstance(found, Array) or found.shape != shape:
            return None
        return recognised(_whole(found.node, scratch.draft), "z", scratch.laid(shape))


def _whole(node: Node, draft: Draft) -> Node:
    """An expression with every step of a draft written out."""
    steps: dict[str, Node] = {}
    for step in draft.steps:
        steps[step.name] = replaced(step.node, steps)
    return replaced(node, steps)


def _provisional(array: Array) -> bool:
    return (named(array) or "").startswith("_")


def _arguments(tree: ast.FunctionDef, draft: Draft) -> Sequence[tuple[str, ast.expr | None]]:
    """The arguments of a function with their defaults."""
    every = tree.args
    if every.vararg or every.kwarg:
        raise draft.unsupported(f"{tree.name} with * or ** among its arguments")
    plain = [*every.posonlyargs, *every.args]
    defaults: list[ast.expr | None] = [*[None] * (len(plain) - len(every.defaults)), *every.defaults]
    pairs = [*zip(plain, defaults, strict=True), *zip(every.kwonlyargs, every.kw_defaults, strict=True)]
    return [(argument.arg, default) for argument, default in pairs]

"""The reader of a forward function: its statements one after another, each value an ``Array`` of the language.

Assignments become equations under their own names; functions of the source are read in where they are called, and one
that writes out a function of the language (``1 / (1 + np.exp(-z))``) is taken for that function.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flint import fmpq

from derive.errors import ProblemError, Unsupported
from derive.problem.exact import exact
from derive.problem.functions import FUNCTIONS as OURS
from derive.problem.names import CONSTANTS, NAME
from derive.problem.sources.arrays import Array, Arrays, Item, named, number
from derive.problem.sources.draft import Draft, Shape
from derive.problem.sources.forms import recognised
from derive.problem.sources.numpy_functions import FUNCTIONS, METHODS, bound, picked
from derive.problem.sources.rewrite import replaced
from derive.problem.syntax import Call, Name, Node
from derive.problem.wording import hint, listing, shown
from derive.records import dataclass

DEEPEST = 20  # functions inside functions
MOST_READ = 50_000  # expressions, with those of functions once for each call
MOST_TURNS = 1000

OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
COMPARISONS = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}


@dataclass(frozen=True)
class Datum:
    """An array that is known: its shape in NumPy, its numbers if there are any, and the line where it is assigned."""

    shape: Shape
    value: Any
    trained: bool
    line: int


class SourceDraft(Draft):
    """A draft whose messages have a file and a line."""

    line = 0

    def error(self, message: str, hint: str | None = None) -> ProblemError:
        """Wrong input, on its line."""
        return ProblemError(message, file=self.source, line=self.line or None, hint=hint)

    def unsupported(self, message: str, supported: Any = (), hint: str | None = None) -> Unsupported:
        """What a problem cannot say, on its line."""
        said = f"supported are {', '.join(sorted(supported))}" if supported else None
        return Unsupported(message, file=self.source, line=self.line or None, hint=hint or said)


Tried = dict[tuple[str, Shape, str], Call | None]  # functions of the source, and what the language calls them


class _Returned(Exception):
    """No error: a function has come to its end."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


class Forward:
    """Reads one function. ``result`` is what it returns."""

    result: Array

    def __init__(
        self,
        arrays: Arrays,
        functions: Mapping[str, ast.FunctionDef],
        comments: Mapping[int, str],
        data: Mapping[str, Datum],
        modules: Mapping[str, str],
        tried: Tried | None = None,
    ) -> None:
        self.arrays, self.functions, self.comments, self.data, self.modules = arrays, functions, comments, data, modules
        draft = arrays.draft
        assert isinstance(draft, SourceDraft)
        self.draft = draft
        self.known: dict[str, Array] = {}  # data in use
        self.names: set[str] = set()  # of the equations so far
        self.counts: dict[str, int] = {}  # how often a name was assigned
        self.scopes: list[dict[str, Any]] = []
        self.tried: Tried = {} if tried is None else tried
        self.within: list[str] = []  # the functions that are being read in
        self.read = 0

    # ── the function ────────────────────────────────────────────────────────────────────────────────────────────

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
                scope[argument] = _Table()
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

    def datum(self, name: str) -> Array:
        """Data of that name. Raises ``ProblemError`` where neither numbers nor a shape are known."""
        if name in self.known:
            return self.known[name]
        one = self.data.get(name)
        if one is None:
            raise self.draft.error(
                f"{shown(name)[1:-1]} has no value",
                hint=f"{name} = np.array(…) above the function, or given={{'{name}': …}}",
            )
        own = name if self._free(name) else None
        role = "" if own else "weight" if one.trained else "input"
        found = self.arrays.datum(one.shape, one.value, trained=one.trained, name=own, role=role)
        self.known[name] = found
        if own:
            self.names.add(own)
        return found

    def _free(self, name: str) -> bool:
        return bool(NAME.fullmatch(name)) and name not in OURS and name not in CONSTANTS and name not in self.names

    # ── statements ──────────────────────────────────────────────────────────────────────────────────────────────

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
            case ast.Subscript(value=ast.Name(id=name), slice=index) if isinstance(self.scopes[-1].get(name), _Table):
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

    # ── expressions ─────────────────────────────────────────────────────────────────────────────────────────────

    def expression(self, tree: ast.expr) -> Any:
        """The value of an expression: an array, a list of values, a text, ``None`` or a truth value."""
        self.read += 1
        if self.read > MOST_READ:
            raise self.draft.error(f"more than {MOST_READ} expressions, calls of functions written out")
        match tree:
            case ast.Constant(value=bool() | None | str() as value):
                return value
            case ast.Constant(value=int() | float() as value):
                return number(exact(value))
            case ast.Name(id=name):
                return self._name(name)
            case ast.Tuple(elts=elts) | ast.List(elts=elts):
                return [self.expression(one) for one in elts]
            case ast.Dict(keys=keys, values=values):
                made = _Table()
                for key, value in zip(keys, values, strict=True):
                    if key is not None:
                        made[self.key(key)] = self.expression(value)
                return made
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self.arrays.negate(self.array(self.expression(operand)))
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.expression(operand)
            case ast.BinOp(op=ast.MatMult(), left=left, right=right):
                return self.arrays.matmul(self.array(self.expression(left)), self.array(self.expression(right)))
            case ast.BinOp(op=ast.Pow(), left=left, right=right):
                return self._power(self.array(self.expression(left)), self.array(self.expression(right)))
            case ast.BinOp(op=op, left=left, right=right) if type(op) in OPERATORS:
                return self._binary(OPERATORS[type(op)], self.expression(left), self.expression(right))
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in COMPARISONS:
                sides = self.array(self.expression(left)), self.array(self.expression(right))
                return self.arrays.binary(COMPARISONS[type(op)], *sides)
            case ast.Attribute(value=value, attr=attribute):
                return self._attribute(value, attribute)
            case ast.Subscript(value=value, slice=index):
                return self._subscript(self.expression(value), index)
            case ast.Call():
                return self._call(tree)
        raise self.draft.unsupported(f"{shown(ast.unparse(tree))} in an expression")

    def _name(self, name: str) -> Any:
        for scope in (self.scopes[-1], *self.scopes[:1]) if self.scopes else ():
            if name in scope:
                return scope[name]
        if name in self.data:
            return self.datum(name)
        if name == "pi":
            return Array(Name("pi"), ())
        raise self.draft.error(
            f"{shown(name)[1:-1]} is used and has no value", hint=hint(name, [*self.scopes[-1], *self.data])
        )

    def _binary(self, sign: str, left: Any, right: Any) -> Any:
        if sign == "+" and isinstance(left, list) and isinstance(right, list):
            return left + right
        if sign == "*" and isinstance(left, list):
            return left * self.whole(right, "how often a list is repeated")
        one, other = self.array(left), self.array(right)
        made = self.arrays.binary(sign, one, other)
        if one.value is None or other.value is None or (sign == "/" and other.value == 0):
            return made
        value = {"+": one.value + other.value, "-": one.value - other.value, "*": one.value * other.value}
        result = value[sign] if sign in value else one.value / other.value
        return number(result) if result.q == 1 else Array(made.node, (), result)

    def _power(self, base: Array, exponent: Array) -> Array:
        if exponent.value == fmpq(1, 2):
            return self.arrays.apply("sqrt", base)
        return self.arrays.power(base, exponent)

    def _attribute(self, value: ast.expr, attribute: str) -> Any:
        if isinstance(value, ast.Name) and value.id == "self":
            held = self.scopes[-1].get(f"self.{attribute}")
            return self.datum(attribute) if held is None else held
        if isinstance(value, ast.Name) and self._is_module(value.id):
            if attribute in ("pi",):
                return Array(Name("pi"), ())
            if attribute == "newaxis":
                return None
            raise self.draft.unsupported(f"{value.id}.{attribute}")
        found = self.array(self.expression(value))
        match attribute:
            case "T":
                return self.arrays.transpose(found)
            case "shape":
                return [number(fmpq(self.arrays.whole(size))) for size in found.shape]
            case "size":
                return number(fmpq(self.arrays.count(found)))
            case "ndim":
                return number(fmpq(found.axes))
        raise self.draft.unsupported(f"the attribute .{attribute}", hint="supported are .T, .shape, .size and .ndim")

    def _is_module(self, name: str) -> bool:
        known = name in self.modules or name in ("np", "numpy")
        return known and not any(name in scope for scope in self.scopes)

    def key(self, tree: ast.expr) -> str:
        """A key that is a text."""
        if isinstance(tree, ast.Constant) and isinstance(tree.value, str):
            return tree.value
        raise self.draft.unsupported(f"the key {shown(ast.unparse(tree))}", hint='supported is a text: params["W1"]')

    def _subscript(self, value: Any, index: ast.expr) -> Any:
        if isinstance(value, _Table):
            key = self.key(index)
            return value[key] if key in value else self.datum(key)
        if isinstance(value, list):
            if isinstance(index, ast.Slice):
                ends = [
                    None if end is None else self.whole(self.expression(end), "an index")
                    for end in (index.lower, index.upper, index.step)
                ]
                return value[slice(*ends)]
            place = self.whole(self.expression(index), "an index")
            if not -len(value) <= place < len(value):
                raise self.draft.error(f"the index {place} into a list of {len(value)}")
            return value[place]
        array = self.array(value)
        every = index.elts if isinstance(index, ast.Tuple) else [index]
        if (
            len(every) == 2
            and isinstance(every[0], ast.Call)
            and dotted(every[0].func).rsplit(".", 1)[-1] in ("arange", "range")
        ):
            return picked(self, array, self.array(self.expression(every[1])))
        items: list[Item] = []
        new: list[int] = []  # where an axis is added, counted in the result
        place = 0
        for one in every:
            item = self._item(one)
            if item is None:
                new.append(place)
                place += 1
                continue
            items.append(item)
            place += not isinstance(item, int)
        found = self.arrays.index(array, items)
        for axis in new:
            sizes = [self.arrays.whole(size) for size in found.shape]
            found = self.arrays.reshape(found, [*sizes[:axis], 1, *sizes[axis:]])
        return found

    def _item(self, tree: ast.expr) -> Item | None:
        if isinstance(tree, ast.Slice):
            ends = [
                None if end is None else self.whole(self.expression(end), "an index")
                for end in (tree.lower, tree.upper, tree.step)
            ]
            return ends[0], ends[1], ends[2]
        value = self.expression(tree)
        return None if value is None else self.whole(value, "an index")

    def whole(self, value: Any, what: str) -> int:
        """A value as a whole number that is known while the source is read."""
        found = value.value if isinstance(value, Array) else None
        if found is None or found.q != 1 or isinstance(value, bool):
            raise self.draft.unsupported(f"{what} that is no whole number known while the source is read")
        return int(found.p)

    def array(self, value: Any) -> Array:
        """A value as an array; a list of numbers is none, since it has no name."""
        if isinstance(value, Array):
            return value
        if isinstance(value, bool):
            return number(fmpq(int(value)))
        if isinstance(value, list) and value and all(isinstance(one, Array) for one in value):
            raise self.draft.unsupported(
                "a list of numbers inside a function", hint="give it a name above the function"
            )
        raise self.draft.unsupported(f"{shown(value)} where an array is expected")

    # ── calls ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _call(self, tree: ast.Call) -> Any:
        if any(isinstance(argument, ast.Starred) for argument in tree.args) or any(
            key.arg is None for key in tree.keywords
        ):
            raise self.draft.unsupported("a call with * or **")
        name = dotted(tree.func)
        last = name.rsplit(".", 1)[-1]
        own = self.functions.get(name.removeprefix("self."))
        if own is not None:
            return self._own(own, tree)
        given = [self.expression(argument) for argument in tree.args]
        options = {str(key.arg): self.expression(key.value) for key in tree.keywords}
        root = name.split(".")[0]
        if isinstance(tree.func, ast.Attribute) and not self._is_module(root):
            if last not in METHODS:
                raise self.draft.unsupported(f"the method .{last}", METHODS)
            given = [self.expression(tree.func.value), *given]
        elif last not in FUNCTIONS:
            raise self.draft.unsupported(f"the function {shown(name)[1:-1]}", FUNCTIONS)
        options = bound(last, given, options, self.draft.unsupported)
        rule, arguments = FUNCTIONS[last]
        if arguments[0] not in options:
            raise self.draft.error(f"{last} is given nothing")
        try:
            return rule(self, given, options)
        except KeyError as missing:
            raise self.draft.error(f"{last} is given no {missing.args[0]}") from None

    def _own(self, function: ast.FunctionDef, tree: ast.Call) -> Any:
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


class _Table(dict[str, Any]):
    """A dictionary with keys that are texts; what it does not hold are data of that name."""


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


def dotted(tree: ast.expr) -> str:
    """``np.linalg.norm``; empty for what is no dotted name."""
    match tree:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=attribute):
            return f"{dotted(value)}.{attribute}"
    return ""

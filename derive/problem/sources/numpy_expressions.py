"""Expressions of NumPy source: each value an ``Array`` of the language, a list, a text, or a truth value."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from flint import fmpq

from derive.errors import ProblemError, Unsupported
from derive.problem.exact import exact
from derive.problem.functions import FUNCTIONS as OURS
from derive.problem.names import CONSTANTS, NAME
from derive.problem.sources.arrays import Array, Arrays, Item, number
from derive.problem.sources.draft import Draft, Shape
from derive.problem.sources.numpy_functions import FUNCTIONS, METHODS, bound, picked
from derive.problem.syntax import Call, Name
from derive.problem.wording import hint, shown
from derive.records import dataclass

MOST_READ = 50_000  # expressions, with those of functions once for each call


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


class Table(dict[str, Any]):
    """A dictionary with keys that are texts; what it does not hold are data of that name."""


class Expressions(ABC):
    """Reads expressions, in the scope of the function that is being read."""

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

    # ── expressions ───────────────────────────────────────────────────────────────────────────────────────────────

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
                made = Table()
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
        if isinstance(value, Table):
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

    # ── calls ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _call(self, tree: ast.Call) -> Any:
        if any(isinstance(argument, ast.Starred) for argument in tree.args) or any(
            key.arg is None for key in tree.keywords
        ):
            raise self.draft.unsupported("a call with * or **")
        name = dotted(tree.func)
        last = name.rsplit(".", 1)[-1]
        own = self.functions.get(name.removeprefix("self."))
        if own is not None:
            return self.own(own, tree)
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

    @abstractmethod
    def own(self, function: ast.FunctionDef, tree: ast.Call) -> Any:
        """What a function of the source gives; who reads statements knows."""


def dotted(tree: ast.expr) -> str:
    """``np.linalg.norm``; empty for what is no dotted name."""
    match tree:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=attribute):
            return f"{dotted(value)}.{attribute}"
    return ""

"""From Python's tree of one expression to nodes of ``syntax``: a whitelist, and a message for whatever is not on it."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Mapping
from typing import NoReturn

from flint import fmpq

from derive.errors import ProblemError, Unsupported
from derive.problem.exact import decimal
from derive.problem.functions import ELSEWHERE, FUNCTIONS, Function, Option, OptionValue
from derive.problem.lines import DEEPEST, Line
from derive.problem.names import LARGEST_INDEX, NAME, joined
from derive.problem.syntax import Binary, Call, Compare, Index, Name, Negate, Node, Number, Transpose
from derive.problem.wording import hint, shown

LARGEST_POWER = 1000

OPERATORS: Mapping[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.MatMult: "@",
    ast.Pow: "**",
}
_COMPARISONS: Mapping[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}

# What Python has and the language has not: the class of the tree's node, and its name in a message.
_REFUSED: Mapping[type[ast.AST], str] = {
    ast.Lambda: "lambda",
    ast.ListComp: "a comprehension",
    ast.SetComp: "a comprehension",
    ast.DictComp: "a comprehension",
    ast.GeneratorExp: "a comprehension",
    ast.NamedExpr: "the walrus :=",
    ast.JoinedStr: "an f-string",
    ast.IfExp: "if … else",
    ast.BoolOp: "and / or",
    ast.Starred: "*",
    ast.Await: "await",
    ast.Yield: "yield",
    ast.YieldFrom: "yield",
    ast.Dict: "a dictionary",
    ast.Set: "a set",
    ast.Slice: "a slice outside of brackets",
}


class Reader:
    """Turns the tree of one equation into nodes.

    ``families`` are the names whose index tells a member; ``bound`` is what a loop's variable stands for in this turn.
    """

    def __init__(
        self, line: Line, own: Collection[str], families: Collection[str] = (), bound: Mapping[str, int] | None = None
    ) -> None:
        self.rows, self.lines, self.own = line.text.split("\n"), line.lines, own
        self.families, self.bound = families, dict(bound or {})

    def error(self, node: ast.AST, message: str, hint: str | None = None) -> ProblemError:
        """The error for a node, with the line on which it stands."""
        return ProblemError(message, line=self.line(node), hint=hint)

    def line(self, node: ast.AST) -> int:
        """The line of the problem file on which a node starts."""
        row = getattr(node, "lineno", 1) - 1
        return self.lines[min(max(row, 0), len(self.lines) - 1)]

    def _source(self, node: ast.AST) -> str:
        """The text of a node that stands on one line. Columns count bytes, and outside comments a text is ASCII."""
        row = self.rows[getattr(node, "lineno", 1) - 1]
        end = getattr(node, "end_col_offset", None)
        return row[getattr(node, "col_offset", 0) : end]

    def expression(self, tree: ast.AST, depth: int = 0) -> Node:
        """The node of a tree. Raises ``ProblemError``, and ``Unsupported`` for what is known and not built yet."""
        if depth > DEEPEST:
            raise self.error(
                tree, f"the expression is nested more than {DEEPEST} deep", hint="give parts of it names of their own"
            )
        line = self.line(tree)
        match tree:
            case ast.Expression(body=body):
                return self.expression(body, depth)
            case ast.Constant():
                return Number(self._number(tree), line)
            case ast.Name(id=name) if name in self.bound:
                return Number(fmpq(self.bound[name]), line)
            case ast.Name(id=name):
                return self._name(tree, name)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return Negate(self.expression(operand, depth + 1), line)
            case ast.UnaryOp(op=ast.UAdd()):
                raise self.error(tree, "a + in front of an expression does nothing", hint="leave it out")
            case ast.UnaryOp():
                raise self.error(tree, f"{'not' if isinstance(tree.op, ast.Not) else '~'} is not in the language")
            case ast.BinOp(op=ast.Pow(), left=left, right=right):
                return Binary(
                    "**", self.expression(left, depth + 1), Number(self._power(right), self.line(right)), line
                )
            case ast.BinOp(op=op, left=left, right=right):
                sign = OPERATORS.get(type(op))
                if sign is None:
                    self._refuse_operator(tree, op)
                return Binary(sign, self.expression(left, depth + 1), self.expression(right, depth + 1), line)
            case ast.Compare(left=left, ops=ops, comparators=comparators):
                return self._comparison(tree, left, ops, comparators, depth)
            case ast.Attribute(value=value, attr=attribute):
                if attribute != "T":
                    raise self._attribute_error(tree, value, attribute)
                return Transpose(self.expression(value, depth + 1), line)
            case ast.Subscript(value=ast.Name(id=stem), slice=items) if stem in self.families:
                return Name(self.member(stem, items), line)
            case ast.Subscript(value=value, slice=items):
                every = items.elts if isinstance(items, ast.Tuple) else [items]
                if not every:
                    raise self.error(tree, "an index without a number")
                return Index(self.expression(value, depth + 1), tuple(self._index(item) for item in every), line)
            case ast.Call():
                return self._call(tree, depth)
            case ast.List() | ast.Tuple():
                raise self.error(
                    tree, "a list inside an equation", hint="numbers have a name, under [given] or [parameters]"
                )
            case _:
                what = _REFUSED.get(type(tree), type(tree).__name__)
                raise self.error(tree, f"{what} is not in the language")

    def _number(self, tree: ast.AST) -> fmpq:
        written = self._source(tree)
        value = getattr(tree, "value", None)
        if isinstance(value, str | bytes):
            raise self.error(tree, "a text inside an expression; the language has numbers and names")
        if isinstance(value, bool) or value is None or value is ...:
            raise self.error(tree, f"{shown(value)} is not in the language")
        if isinstance(value, complex) or not re.fullmatch(r"[\d._eE+-]+", written):
            raise self.error(tree, f"{shown(written)} is no decimal number")
        try:
            return decimal(written)
        except ProblemError as error:
            raise error.at(line=self.line(tree)) from None

    def _name(self, tree: ast.AST, name: str) -> Name:
        if name in FUNCTIONS or name in self.own:
            raise self.error(tree, f"{name} is a function, expected is a value", hint=f"write {name}(…)")
        if not NAME.fullmatch(name):
            raise self.error(tree, f"{shown(name)} is no name: a name starts with a letter")
        if name in self.families:
            raise self.error(
                tree,
                f"{name} is a family, and stands here without an index",
                hint=f"its members are {name}[1], {name}[2], …; a name is a family or plain, not both",
            )
        return Name(name, self.line(tree))

    def member(self, stem: str, items: ast.expr) -> str:
        """The name of the member of a family that an index tells: ``h[2]``."""
        number = integer(items, self.bound)
        if number is None:
            if isinstance(items, ast.Slice | ast.Tuple):
                raise self.error(
                    items, f"{stem} is a family, and its index is one whole number", hint="a family is never sliced"
                )
            strange = [part.id for part in ast.walk(items) if isinstance(part, ast.Name) and part.id not in self.bound]
            if strange:
                raise self.error(
                    items,
                    f"the index of {stem} has {strange[0]}, which counts nothing here",
                    hint=f"inside a loop an index is such as {next(iter(self.bound), 't')} - 1, outside a whole number",
                )
            raise self.error(items, f"the index of {stem} is a whole number such as 1 or t - 1")
        if abs(number) > LARGEST_INDEX:
            raise self.error(items, f"the index {number} of {stem} is out of bounds, at most {LARGEST_INDEX}")
        return joined(stem, number)

    def _power(self, tree: ast.AST) -> fmpq:
        """The exponent: a number, a negated number, or a quotient of numbers."""
        value = self._constant(tree)
        if value is None:
            raise self.error(
                tree,
                "an exponent is a constant: a number such as 2, -1 or 1/2",
                hint="a power with a variable exponent is written exp(b * log(a))",
            )
        if abs(value) > LARGEST_POWER or value.q > LARGEST_POWER:
            raise self.error(tree, f"the exponent is out of bounds: at most {LARGEST_POWER} in size and in denominator")
        return value

    def _constant(self, tree: ast.AST, depth: int = 0) -> fmpq | None:
        match tree:
            case ast.Constant():
                return self._number(tree)
            case ast.Name() | ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult()) if self.bound:
                counted = integer(tree, self.bound)
                return None if counted is None else fmpq(counted)
            case ast.UnaryOp(op=ast.USub(), operand=operand) if depth < 4:
                value = self._constant(operand, depth + 1)
                return None if value is None else -value
            case ast.BinOp(op=ast.Div(), left=left, right=right) if depth < 4:
                above, below = self._constant(left, depth + 1), self._constant(right, depth + 1)
                if above is None or below is None:
                    return None
                if below == 0:
                    raise self.error(tree, "an exponent divides by zero")
                return above / below
            case _:
                return None

    def _whole(self, tree: ast.AST) -> int | None:
        counted = isinstance(tree, ast.Constant | ast.UnaryOp) or bool(self.bound)
        value = self._constant(tree) if counted else None
        return int(value.p) if value is not None and value.q == 1 and abs(value) < 10**9 else None

    def _index(self, tree: ast.AST) -> int | tuple[int | None, int | None, int | None]:
        expected = "an index is a whole number or a slice such as 0:2"
        if isinstance(tree, ast.Slice):
            ends = []
            for end in (tree.lower, tree.upper, tree.step):
                number = None if end is None else self._whole(end)
                if end is not None and number is None:
                    raise self.error(tree, expected)
                ends.append(number)
            if ends[2] == 0:
                raise self.error(tree, "a slice of step 0")
            return ends[0], ends[1], ends[2]
        number = self._whole(tree)
        if number is None:
            raise self.error(tree, expected, hint="an index with a name stands in a loop over time only")
        return number

    def _comparison(
        self, tree: ast.AST, left: ast.expr, ops: list[ast.cmpop], comparators: list[ast.expr], depth: int
    ) -> Node:
        if len(ops) != 1:
            raise self.error(tree, "a chained comparison", hint="write (0 < a) * (a < 1)")
        sign = _COMPARISONS.get(type(ops[0]))
        if sign is None:
            raise self.error(tree, "in, not in and is are not in the language")
        return Compare(
            sign, self.expression(left, depth + 1), self.expression(comparators[0], depth + 1), self.line(tree)
        )

    def _refuse_operator(self, tree: ast.AST, op: ast.operator) -> NoReturn:
        if isinstance(op, ast.BitXor):
            raise self.error(tree, "^ is not in the language", hint="a power is written **")
        sign = {ast.Mod: "%", ast.FloorDiv: "//", ast.BitAnd: "&", ast.BitOr: "|", ast.LShift: "<<"}.get(type(op), ">>")
        raise self.error(tree, f"{sign} is not in the language", hint="operators are + - * / @ **")

    def _attribute_error(self, tree: ast.AST, value: ast.expr, attribute: str) -> ProblemError:
        message = f".{attribute} is not in the language; .T alone stands behind a dot"
        if isinstance(value, ast.Name) and value.id in ("np", "numpy", "torch", "jnp", "math", "F"):
            product = attribute in ("dot", "matmul", "mm")
            hint = "a matrix product is written a @ b" if product else f"write {attribute} without {value.id}."
            return self.error(tree, message, hint=hint)
        if attribute in FUNCTIONS:
            return self.error(tree, message, hint=f"write {attribute}(…)")
        if attribute in ELSEWHERE:
            return self.error(tree, message, hint=ELSEWHERE[attribute])
        return self.error(tree, message, hint="a transpose is written .T" if attribute.lower() == "t" else None)

    def _call(self, tree: ast.Call, depth: int) -> Node:
        if not isinstance(tree.func, ast.Name):
            if isinstance(tree.func, ast.Attribute):
                raise self._attribute_error(tree.func, tree.func.value, tree.func.attr)
            raise self.error(tree, "only a function can be called by its name", hint="a product is written with *")
        name = tree.func.id
        if any(isinstance(argument, ast.Starred) for argument in tree.args) or any(
            key.arg is None for key in tree.keywords
        ):
            raise self.error(tree, f"{name} is called with * or **, expected are its arguments one by one")
        if name in self.own:
            if len(tree.args) != 1 or tree.keywords:
                raise self.error(tree, f"{name} takes one argument", hint="it is a function of [functions]")
            return Call(name, (self.expression(tree.args[0], depth + 1),), (), self.line(tree))
        function = FUNCTIONS.get(name)
        if function is None:
            raise self._unknown_function(tree, name)
        if not function.built:
            raise Unsupported(f"the function {name} is not built yet", line=self.line(tree))
        return self._arguments(tree, function, depth)

    def _unknown_function(self, tree: ast.AST, name: str) -> ProblemError:
        tip = ELSEWHERE.get(name) or hint(name, [*self.own, *FUNCTIONS])
        return self.error(tree, f"{shown(name)[1:-1]} is no function of the language", hint=tip)

    def _arguments(self, tree: ast.Call, function: Function, depth: int) -> Call:
        name, count = function.name, function.operands
        if count is None:
            count = max(len(tree.args), 1)
            if tree.args and isinstance(tree.args[0], ast.List | ast.Tuple):
                raise self.error(tree, f"{name} takes its operands one by one, not as a list", hint=function.signature)
        if function.sizes:
            return self._sized(tree, function, count, depth)
        options: dict[str, ast.expr] = {}
        known = [option.key for option in function.options]
        if len(tree.args) < count or len(tree.args) > count + len(known):
            takes = "one value" if count == 1 else f"{count} values"
            raise self.error(tree, f"{name} takes {takes}, found are {len(tree.args)}", hint=function.signature)
        options.update(zip(known, tree.args[count:], strict=False))
        for key in tree.keywords:
            assert key.arg is not None
            if key.arg not in known:
                tip = hint(key.arg, known) or function.signature
                if key.arg in ("keepdims", "keepdim"):
                    tip = "a reduction along an axis always keeps it, with size 1"
                raise self.error(tree, f"{name} has no option {key.arg}", hint=tip)
            if key.arg in options:
                raise self.error(tree, f"{name} is given {key.arg} twice")
            options[key.arg] = key.value
        operands = tuple(self.expression(argument, depth + 1) for argument in tree.args[:count])
        values: dict[str, OptionValue] = {}
        for option in function.options:
            value = self._option(name, option, options.get(option.key))
            if option.kind == "size" and value is None:
                raise self.error(tree, f"{name} is given no {option.key}", hint=function.signature)
            values[option.key] = values[value] if option.kind == "size" and isinstance(value, str) else value
        return Call(name, operands, tuple(values.items()), self.line(tree))

    def _sized(self, tree: ast.Call, function: Function, count: int, depth: int) -> Call:
        """A call whose operands are followed by sizes: one by one, or in brackets as NumPy has them."""
        name, written = function.name, tree.args[count:]
        if tree.keywords:
            raise self.error(tree, f"{name} has no option {tree.keywords[0].arg}", hint=function.signature)
        if len(written) == 1 and isinstance(written[0], ast.Tuple | ast.List):
            written = written[0].elts
        if len(tree.args) < count or not written:
            raise self.error(tree, f"{name} is given no sizes", hint=function.signature)
        sizes = []
        for number, size in enumerate(written, start=1):
            value = self._whole(size)
            if value is None or not (value >= 1 or (value == -1 and count)):
                raise self.error(tree, f"size {number} of {name} is a positive whole number", hint=function.signature)
            sizes.append((f"size{number}", value))
        operands = tuple(self.expression(argument, depth + 1) for argument in tree.args[:count])
        return Call(name, operands, tuple(sizes), self.line(tree))

    def _option(self, function: str, option: Option, tree: ast.expr | None) -> OptionValue:
        if tree is None:
            return option.default
        where = f"{option.key} of {function}"
        match option.kind:
            case "number":
                value = self._constant(tree)
                if value is None:
                    raise self.error(tree, f"{where} is a number such as 0.01")
                return value
            case "reduction":
                if isinstance(tree, ast.Constant) and tree.value in ("mean", "sum"):
                    return str(tree.value)
                raise self.error(tree, f'{where} is "mean" or "sum"')
            case "axis":
                if isinstance(tree, ast.Constant) and tree.value is None:
                    if option.default is None:
                        return None
                    raise self.error(tree, f"{where} is a whole number")
                axis = self._whole(tree)
                if axis is None:
                    raise self.error(tree, f"{where} is a whole number such as 0 or -1")
                return axis
            case "size":
                size = self._whole(tree)
                if size is None or size < 1:
                    raise self.error(tree, f"{where} is a positive whole number")
                return size
            case "count":
                count = self._whole(tree)
                if count is None or count < 0:
                    raise self.error(tree, f"{where} is a whole number from 0 on")
                return count


def integer(tree: ast.AST, bound: Mapping[str, int]) -> int | None:
    """The whole number that an index stands for: numbers, bound names, ``+ - *``; ``None`` for anything else."""
    match tree:
        case ast.Constant(value=int(value)) if not isinstance(value, bool) and value < 10**9:
            return value
        case ast.Name(id=name) if name in bound:
            return bound[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            inner = integer(operand, bound)
            return None if inner is None else -inner
        case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult() as op, left=left, right=right):
            a, b = integer(left, bound), integer(right, bound)
            if a is None or b is None:
                return None
            found = a + b if isinstance(op, ast.Add) else a - b if isinstance(op, ast.Sub) else a * b
            return found if abs(found) < 10**9 else None
    return None

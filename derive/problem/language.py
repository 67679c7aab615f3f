"""The equation language: text to ``Statement``.

Python's ``ast`` reads a line, and a whitelist turns the tree into nodes of ``syntax``; nothing is ever evaluated as
Python. Numbers are taken from the source text. Whatever is Python but not the language is refused, with one message.
"""

from __future__ import annotations

import ast
import keyword
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NoReturn

from flint import fmpq

from derive.errors import ProblemError, Unsupported
from derive.problem.exact import LONGEST, decimal
from derive.problem.functions import ELSEWHERE, FUNCTIONS, Function, Option, OptionValue
from derive.problem.syntax import Binary, Call, Compare, Index, Name, Negate, Node, Number, Statement, Transpose
from derive.problem.wording import hint, listing, shown
from derive.records import dataclass

DEEPEST = 100  # operations inside operations
LARGEST_POWER = 1000
LONGEST_EQUATION = 20_000  # characters
LONGEST_NAME = 60
MOST_EQUATIONS = 20_000

CONSTANTS = frozenset({"pi"})
NAME = re.compile(rf"[A-Za-z][A-Za-z0-9_]{{0,{LONGEST_NAME - 1}}}", re.ASCII)

_OPERATORS: Mapping[type[ast.operator], str] = {
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
_SIGNS = {"×": "*", "·": "*", "⋅": "*", "⊙": "*", "∘": "*", "÷": "/", "−": "-", "–": "-", "²": "**2", "³": "**3"}
_TOKEN = re.compile(
    r"(?P<string>\"[^\"\n]*+\"|'[^'\n]*+')|(?P<comment>#[^\n]*+)|(?P<newline>\n)|(?P<open>[\[({])|(?P<close>[\])}])"
    r"|(?P<word>[A-Za-z_][A-Za-z0-9_]*+)|(?P<number>(?:\d[\d_]*+\.?[\d_]*+|\.\d[\d_]*+)(?:[eE][+-]?\d[\d_]*+)?)"
    r"|(?P<blank>[ \t]++)|(?P<other>.)",
    re.ASCII | re.DOTALL,
)
_CLOSES = {")": "(", "]": "[", "}": "{"}
_PLAIN = frozenset("+-*/@=<>!,.:;%&|~^")


@dataclass(frozen=True, slots=True)
class _Line:
    """One equation as written: its text without comments, where each of its lines stands, and the comments."""

    text: str
    lines: tuple[int, ...]
    comment: str


def read_equations(text: str, lines: Sequence[int] = (), own: Collection[str] = ()) -> tuple[Statement, ...]:
    """The statements of ``text``, in order.

    ``lines[k]`` is the line of the problem file on which line ``k`` of ``text`` stands; ``own`` names the problem's own
    functions. Raises ``ProblemError`` with a line, and ``Unsupported`` for what the language has but derive has not
    yet. Names are not looked up here, only their form is checked.
    """
    statements = []
    for line in _logical_lines(text, lines):
        statements.append(_statement(line, own))
        if len(statements) > MOST_EQUATIONS:
            raise ProblemError(f"more than {MOST_EQUATIONS} equations", line=line.lines[0])
    return tuple(statements)


def read_formula(text: str, line: int = 0) -> tuple[str, Node]:
    """An activation's formula in one variable (``"z**3 / 3"``): the variable and the tree.

    Raises ``ProblemError`` where it has no variable or several, or where it is not elementwise.
    """
    written = list(_logical_lines(text, [line] * (text.count("\n") + 1)))
    if len(written) != 1:
        raise ProblemError(f'{shown(text)} is not one formula; expected is one such as "z**3 / 3"', line=line or None)
    node = _Reader(written[0], ()).expression(_parse(written[0], "eval"))
    for part in walk(node):
        if not _is_elementwise(part):
            raise ProblemError(
                f"the formula {shown(text)} is not elementwise: it has {describe(part)}",
                line=line or None,
                hint="a function of one's own is a formula of one entry",
            )
    variables = sorted({part.id for part in walk(node) if isinstance(part, Name)} - CONSTANTS)
    if len(variables) != 1:
        found = f"the variables {listing(variables, 'and')}" if variables else "no variable"
        raise ProblemError(f"the formula {shown(text)} has {found}, expected is exactly one", line=line or None)
    return variables[0], node


def walk(node: Node) -> Iterator[Node]:
    """The node and everything inside it, in the order of writing (an operation before its operands)."""
    pending = [node]
    while pending:
        at = pending.pop()
        yield at
        pending.extend(reversed(children(at)))


def children(node: Node) -> tuple[Node, ...]:
    """The operands of a node, in order."""
    match node:
        case Number() | Name():
            return ()
        case Negate(operand=operand) | Transpose(operand=operand) | Index(operand=operand):
            return (operand,)
        case Binary(left=left, right=right) | Compare(left=left, right=right):
            return (left, right)
        case Call(arguments=arguments):
            return arguments


def describe(node: Node) -> str:
    """What a node is, in the words of a message."""
    match node:
        case Binary(operator=operator) | Compare(operator=operator):
            return f"the operator {operator}"
        case Transpose():
            return "a transpose"
        case Index():
            return "an index"
        case Call(function=function):
            return f"the function {function}"
        case Name(id=name):
            return f"the name {name}"
        case _:
            return "a number"


def check_name(name: str, what: str, line: int | None = None) -> None:
    """Raise ``ProblemError`` unless ``name`` can name a quantity; ``what`` says what it is to name."""
    if not NAME.fullmatch(name):
        if len(name) > LONGEST_NAME and NAME.match(name):
            raise ProblemError(f"{what} has a name of {len(name)} characters, at most {LONGEST_NAME}", line=line)
        raise ProblemError(
            f"{shown(name)} cannot name {what}: a name is letters a to z, digits and _, and starts with a letter",
            line=line,
            hint=_spelled(name),
        )
    if keyword.iskeyword(name):
        raise ProblemError(f"{name} cannot name {what}: it is a word of the language", line=line)
    if name in CONSTANTS:
        raise ProblemError(f"{name} cannot name {what}: it is a constant", line=line)
    if name in FUNCTIONS:
        raise ProblemError(f"{name} cannot name {what}: it is a function", line=line)


def _logical_lines(text: str, lines: Sequence[int]) -> Iterator[_Line]:
    """Equations as written: comments taken off, lines joined while a bracket is open, foreign signs refused."""
    code: list[str] = []
    comments: list[str] = []
    brackets: list[tuple[str, int]] = []
    start = at = 0  # lines of the text: where the equation starts, where we are

    def place(number: int) -> int:
        return lines[number] if number < len(lines) else number + 1

    def finished() -> _Line | None:
        source = "".join(code)
        if not source.strip():
            return None
        if len(source) > LONGEST_EQUATION:
            raise ProblemError(
                f"an equation of {len(source)} characters, at most {LONGEST_EQUATION}", line=place(start)
            )
        skip = len(source[: len(source) - len(source.lstrip())].split("\n")) - 1
        where = tuple(place(number) for number in range(start + skip, at + 1))
        return _Line(source.strip(), where, " ".join(comment for comment in comments if comment))

    before = ""
    for token in _TOKEN.finditer(text):
        written, group = token[0], token.lastgroup
        if group == "newline":
            if brackets:
                code.append("\n")
            else:
                if line := finished():
                    yield line
                code, comments, start = [], [], at + 1
            at += 1
        elif group == "comment":
            if brackets or "".join(code).strip():
                comments.append(written[1:].strip())
        else:
            _check_token(written, group, before, place(at))
            if group == "open":
                brackets.append((written, at))
                if len(brackets) > DEEPEST:
                    raise ProblemError(f"brackets are nested more than {DEEPEST} deep", line=place(at))
            elif group == "close":
                if not brackets or brackets[-1][0] != _CLOSES[written]:
                    raise ProblemError(f"{written} closes nothing that was opened", line=place(at))
                brackets.pop()
            code.append(written)
        before = group or ""
    if brackets:
        raise ProblemError(f"{brackets[-1][0]} is never closed", line=place(brackets[-1][1]))
    if line := finished():
        yield line


def _check_token(written: str, group: str | None, before: str, line: int) -> None:
    if group == "number" and len(written) > LONGEST:
        raise ProblemError(f"a number of {len(written)} characters, at most {LONGEST} are allowed", line=line)
    if group == "string" and not (written.isascii() and written.isprintable() and "\\" not in written):
        raise ProblemError(f"{shown(written)} is a text; the language has numbers and names", line=line)
    if group == "word" and before == "number":
        raise ProblemError(f"a number runs into {shown(written)}", line=line, hint="a product is written with *: 2 * x")
    if group == "word" and len(written) > LONGEST_NAME:
        raise ProblemError(f"a name of {len(written)} characters, at most {LONGEST_NAME} are allowed", line=line)
    if group == "number" and before == "number":
        raise ProblemError(f"a number runs into {shown(written)}", line=line)
    if group != "other" or written in _PLAIN:
        return
    if written in _SIGNS:
        raise ProblemError(f"{written} is not a sign of the language", line=line, hint=f"write {_SIGNS[written]}")
    if written == "\\":
        raise ProblemError(
            "\\ is not a sign of the language", line=line, hint="an equation in brackets may go over several lines"
        )
    if written in "'\"":
        raise ProblemError(f"a stray {written}: the language has no texts", line=line, hint="a transpose is written .T")
    raise ProblemError(f"{shown(written)} is not a sign of the language", line=line, hint=_spelled(written))


def _spelled(text: str) -> str | None:
    """``write sigma`` for ``σ``."""
    for character in text:
        words = unicodedata.name(character, "").split() if not character.isascii() else []
        if words[:1] == ["GREEK"] and "LETTER" in words:
            name = words[words.index("LETTER") + 1].lower().replace("lamda", "lambda_")
            return f"write {name.capitalize() if 'CAPITAL' in words else name}"
    return None


def _parse(line: _Line, mode: str) -> ast.AST:
    try:
        return ast.parse(line.text, mode=mode)
    except SyntaxError as error:
        at = line.lines[min(max((error.lineno or 1) - 1, 0), len(line.lines) - 1)]
        raise _syntax_error(line.text, error, at) from None
    except (RecursionError, MemoryError):
        raise ProblemError(f"the expression is nested more than {DEEPEST} deep", line=line.lines[0]) from None
    except ValueError as error:
        raise ProblemError(f"{shown(line.text)} cannot be read: {error}", line=line.lines[0]) from None


def _syntax_error(text: str, error: SyntaxError, line: int) -> ProblemError:
    word = re.match(r"[A-Za-z_]\w*", text)
    if word and keyword.iskeyword(word[0]) and word[0] not in ("lambda", "not", "for"):
        return ProblemError(
            f"{word[0]} is a word of Python that the equation language does not have",
            line=line,
            hint="an equation is name = expression",
        )
    if word and word[0] == "for":
        return ProblemError("this loop cannot be read", line=line, hint="for t in range(1, 4): h[t] = …")
    if "nested" in (error.msg or "") or "recursion" in (error.msg or ""):
        return ProblemError(f"the expression is nested more than {DEEPEST} deep", line=line)
    if text.rstrip().endswith("="):
        return ProblemError(f"{shown(text)} has nothing behind =", line=line)
    found = ""
    if error.offset and error.text and 0 < error.offset <= len(error.text) and (error.lineno or 1) == 1:
        rest = text[error.offset - 1 :]
        token = re.match(r"[A-Za-z_]\w*|[\d.]+|\S", rest)
        found = f" at {shown(token[0])}" if token else ""
    return ProblemError(f"{shown(text)} cannot be read{found}", line=line, hint="an equation is name = expression")


def _statement(line: _Line, own: Collection[str]) -> Statement:
    tree = _parse(line, "exec")
    assert isinstance(tree, ast.Module)
    reader = _Reader(line, own)
    if len(tree.body) != 1:
        raise reader.error(tree.body[1], "two statements on one line, expected is one equation a line")
    statement = tree.body[0]
    if isinstance(statement, ast.For):
        raise Unsupported(
            "loops over time (for t in range(…)) are not built yet",
            line=line.lines[0],
            hint="write the steps out: h1 = …, h2 = …",
        )
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        word = line.text.split(maxsplit=1)[0].rstrip(":")
        raise reader.error(statement, _why_not_equation(statement, word), hint="an equation is name = expression")
    target = statement.targets[0]
    if not isinstance(target, ast.Name):
        if isinstance(target, ast.Subscript):
            raise reader.error(target, "a name with an index is assigned, which only a loop over time can do")
        several = isinstance(target, ast.Tuple | ast.List | ast.Starred)
        raise reader.error(target, "several names are assigned at once" if several else "what is assigned is no name")
    check_name(target.id, "an equation", line.lines[0])
    if target.id in own:
        raise reader.error(target, f"{target.id} cannot name an equation: it is a function of [functions]")
    expression = reader.expression(statement.value)
    source = " ".join(piece.strip() for piece in line.text.split("\n") if piece.strip())
    return Statement(target.id, expression, source, line.lines[0], line.comment)


def _why_not_equation(statement: ast.stmt, word: str) -> str:
    match statement:
        case ast.Assign():
            return "several names are assigned at once"
        case ast.AugAssign(op=op):
            return f"{_OPERATORS.get(type(op), '')}= changes a name, and each name is assigned once"
        case ast.AnnAssign():
            return "a name with a type annotation"
        case ast.Expr(value=ast.Compare(ops=[ast.Eq()])):
            return "== compares, an equation is written with one ="
        case ast.Expr(value=ast.NamedExpr()):
            return "the walrus := is not in the language"
        case ast.Expr():
            return "an expression without a name"
        case ast.Import() | ast.ImportFrom():
            return "import is not in the language"
        case _:
            return f"{word} is a word of Python that the equation language does not have"


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


class _Reader:
    """Turns the tree of one equation into nodes."""

    def __init__(self, line: _Line, own: Collection[str]) -> None:
        self.rows, self.lines, self.own = line.text.split("\n"), line.lines, own

    def error(self, node: ast.AST, message: str, hint: str | None = None) -> ProblemError:
        return ProblemError(message, line=self.line(node), hint=hint)

    def line(self, node: ast.AST) -> int:
        row = getattr(node, "lineno", 1) - 1
        return self.lines[min(max(row, 0), len(self.lines) - 1)]

    def source(self, node: ast.AST) -> str:
        """The text of a node that stands on one line. Columns count bytes, and outside comments a text is ASCII."""
        row = self.rows[getattr(node, "lineno", 1) - 1]
        end = getattr(node, "end_col_offset", None)
        return row[getattr(node, "col_offset", 0) : end]

    def expression(self, tree: ast.AST, depth: int = 0) -> Node:
        if depth > DEEPEST:
            raise self.error(
                tree, f"the expression is nested more than {DEEPEST} deep", hint="give parts of it names of their own"
            )
        line = self.line(tree)
        match tree:
            case ast.Expression(body=body):
                return self.expression(body, depth)
            case ast.Constant():
                return Number(self.number(tree), line)
            case ast.Name(id=name):
                return self.name(tree, name)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return Negate(self.expression(operand, depth + 1), line)
            case ast.UnaryOp(op=ast.UAdd()):
                raise self.error(tree, "a + in front of an expression does nothing", hint="leave it out")
            case ast.UnaryOp():
                raise self.error(tree, f"{'not' if isinstance(tree.op, ast.Not) else '~'} is not in the language")
            case ast.BinOp(op=ast.Pow(), left=left, right=right):
                return Binary("**", self.expression(left, depth + 1), Number(self.power(right), self.line(right)), line)
            case ast.BinOp(op=op, left=left, right=right):
                sign = _OPERATORS.get(type(op))
                if sign is None:
                    self.refuse_operator(tree, op)
                return Binary(sign, self.expression(left, depth + 1), self.expression(right, depth + 1), line)
            case ast.Compare(left=left, ops=ops, comparators=comparators):
                return self.comparison(tree, left, ops, comparators, depth)
            case ast.Attribute(value=value, attr=attribute):
                if attribute != "T":
                    raise self.attribute_error(tree, value, attribute)
                return Transpose(self.expression(value, depth + 1), line)
            case ast.Subscript(value=value, slice=items):
                every = items.elts if isinstance(items, ast.Tuple) else [items]
                if not every:
                    raise self.error(tree, "an index without a number")
                return Index(self.expression(value, depth + 1), tuple(self.index(item) for item in every), line)
            case ast.Call():
                return self.call(tree, depth)
            case ast.List() | ast.Tuple():
                raise self.error(
                    tree, "a list inside an equation", hint="numbers have a name, under [given] or [parameters]"
                )
            case _:
                what = _REFUSED.get(type(tree), type(tree).__name__)
                raise self.error(tree, f"{what} is not in the language")

    def number(self, tree: ast.AST) -> fmpq:
        written = self.source(tree)
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

    def name(self, tree: ast.AST, name: str) -> Name:
        if name in FUNCTIONS or name in self.own:
            raise self.error(tree, f"{name} is a function, expected is a value", hint=f"write {name}(…)")
        if not NAME.fullmatch(name):
            raise self.error(tree, f"{shown(name)} is no name: a name starts with a letter")
        return Name(name, self.line(tree))

    def power(self, tree: ast.AST) -> fmpq:
        """The exponent: a number, a negated number, or a quotient of numbers."""
        value = self.constant(tree)
        if value is None:
            raise self.error(
                tree,
                "an exponent is a constant: a number such as 2, -1 or 1/2",
                hint="a power with a variable exponent is written exp(b * log(a))",
            )
        if abs(value) > LARGEST_POWER or value.q > LARGEST_POWER:
            raise self.error(tree, f"the exponent is out of bounds: at most {LARGEST_POWER} in size and in denominator")
        return value

    def constant(self, tree: ast.AST, depth: int = 0) -> fmpq | None:
        match tree:
            case ast.Constant():
                return self.number(tree)
            case ast.UnaryOp(op=ast.USub(), operand=operand) if depth < 4:
                value = self.constant(operand, depth + 1)
                return None if value is None else -value
            case ast.BinOp(op=ast.Div(), left=left, right=right) if depth < 4:
                above, below = self.constant(left, depth + 1), self.constant(right, depth + 1)
                if above is None or below is None:
                    return None
                if below == 0:
                    raise self.error(tree, "an exponent divides by zero")
                return above / below
            case _:
                return None

    def whole(self, tree: ast.AST) -> int | None:
        value = self.constant(tree) if isinstance(tree, ast.Constant | ast.UnaryOp) else None
        return int(value.p) if value is not None and value.q == 1 and abs(value) < 10**9 else None

    def index(self, tree: ast.AST) -> int | tuple[int | None, int | None, int | None]:
        expected = "an index is a whole number or a slice such as 0:2"
        if isinstance(tree, ast.Slice):
            ends = []
            for end in (tree.lower, tree.upper, tree.step):
                number = None if end is None else self.whole(end)
                if end is not None and number is None:
                    raise self.error(tree, expected)
                ends.append(number)
            if ends[2] == 0:
                raise self.error(tree, "a slice of step 0")
            return ends[0], ends[1], ends[2]
        number = self.whole(tree)
        if number is None:
            raise self.error(tree, expected, hint="an index with a name stands in a loop over time only")
        return number

    def comparison(
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

    def refuse_operator(self, tree: ast.AST, op: ast.operator) -> NoReturn:
        if isinstance(op, ast.BitXor):
            raise self.error(tree, "^ is not in the language", hint="a power is written **")
        sign = {ast.Mod: "%", ast.FloorDiv: "//", ast.BitAnd: "&", ast.BitOr: "|", ast.LShift: "<<"}.get(type(op), ">>")
        raise self.error(tree, f"{sign} is not in the language", hint="operators are + - * / @ **")

    def attribute_error(self, tree: ast.AST, value: ast.expr, attribute: str) -> ProblemError:
        message = f".{attribute} is not in the language; .T alone stands behind a dot"
        if isinstance(value, ast.Name) and value.id in ("np", "numpy", "torch", "jnp", "math", "F"):
            return self.error(tree, message, hint=f"write {attribute} without {value.id}.")
        if attribute in FUNCTIONS:
            return self.error(tree, message, hint=f"write {attribute}(…)")
        if attribute in ELSEWHERE:
            return self.error(tree, message, hint=ELSEWHERE[attribute])
        return self.error(tree, message, hint="a transpose is written .T" if attribute.lower() == "t" else None)

    def call(self, tree: ast.Call, depth: int) -> Node:
        if not isinstance(tree.func, ast.Name):
            if isinstance(tree.func, ast.Attribute):
                raise self.attribute_error(tree.func, tree.func.value, tree.func.attr)
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
            raise self.unknown_function(tree, name)
        if not function.built:
            raise Unsupported(f"the function {name} is not built yet", line=self.line(tree))
        return self.arguments(tree, function, depth)

    def unknown_function(self, tree: ast.AST, name: str) -> ProblemError:
        tip = ELSEWHERE.get(name) or hint(name, [*self.own, *FUNCTIONS])
        return self.error(tree, f"{shown(name)[1:-1]} is no function of the language", hint=tip)

    def arguments(self, tree: ast.Call, function: Function, depth: int) -> Call:
        name, count = function.name, function.operands or 0
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
        values = tuple((option.key, self.option(name, option, options.get(option.key))) for option in function.options)
        return Call(name, operands, values, self.line(tree))

    def option(self, function: str, option: Option, tree: ast.expr | None) -> OptionValue:
        if tree is None:
            return option.default
        where = f"{option.key} of {function}"
        match option.kind:
            case "number":
                value = self.constant(tree)
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
                axis = self.whole(tree)
                if axis is None:
                    raise self.error(tree, f"{where} is a whole number such as 0 or -1")
                return axis
            case "size":
                size = self.whole(tree)
                if size is None or size < 1:
                    raise self.error(tree, f"{where} is a positive whole number")
                return size


def _is_elementwise(node: Node) -> bool:
    match node:
        case Binary(operator=operator):
            return operator != "@"
        case Transpose() | Index():
            return False
        case Call(function=function):
            return function in FUNCTIONS and FUNCTIONS[function].elementwise
        case _:
            return True

"""Plain NumPy source of a forward function as a problem: read with Python's ``ast``, never run.

Data are what the module assigns in plain sight (``W1 = np.array([[0.1, 0.2]])``), or what is given beside it. Each
assignment of the function is an equation under the name that it has there. An array of one axis is a row, or a column
where the code reads more simply so (``W @ x + b``).
"""

from __future__ import annotations

import ast
import inspect
import io
import os
import re
import tokenize
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from derive.errors import ProblemError
from derive.problem.language import check_name
from derive.problem.problem import Problem
from derive.problem.sources.arrays import Arrays, Layout
from derive.problem.sources.draft import Shape
from derive.problem.sources.given import shape_of
from derive.problem.sources.numpy_expressions import Datum, SourceDraft, dotted
from derive.problem.sources.numpy_functions import DISTRIBUTIONS
from derive.problem.sources.numpy_reader import Forward
from derive.problem.wording import hint, listing, shown

LONGEST = 200_000  # characters of a source
TRAINED = re.compile(r"(?:[WwUuVvbB]|theta|Theta|gamma|beta|weights?|bias(?:es)?|kernel)(?:_?\w{0,3}|_\w+)", re.ASCII)

Values = Mapping[str, Any]


def from_numpy(
    source: str | os.PathLike[str] | Callable[..., Any],
    function: str = "forward",
    *,
    given: Values | None = None,
    parameters: Values | Sequence[str] | None = None,
    shapes: Mapping[str, Sequence[int | str]] | None = None,
    ask: Mapping[str, Any] | None = None,
    convention: Mapping[str, Any] | None = None,
    title: str | Mapping[str, str] | None = None,
    name: str | None = None,
    **tables: Mapping[str, Any],
) -> Problem:
    """The problem of a forward function in NumPy source: the text, a path that ends in ``.py``, or the function itself.

    What the function takes has its value from ``given`` and ``parameters``, its size from ``shapes``, or both from an
    assignment of numbers in the module. ``parameters`` may be a list of names; without it, what is called like a weight
    or a bias (``W1``, ``b``, ``theta``) is trained. The other arguments are tables of a problem file. Raises
    ``ProblemError`` with file and line, and ``Unsupported`` for what has no place in a problem.
    """
    text, file, stem = _text(source)
    if callable(source) and function == "forward":
        function = getattr(source, "__name__", function)
    module = _Module(text, file)
    values = {"given": dict(given or {}), "parameters": {}, "shapes": dict(shapes or {})}
    if isinstance(parameters, Mapping):
        values["parameters"] = dict(parameters)
    listed = None if parameters is None or isinstance(parameters, Mapping) else list(parameters)
    data = module.data(values, listed)
    drawn = [_drawn(module, function, data, layout) for layout in ("row", "column")]
    done = [one for one in drawn if isinstance(one, Forward)]
    if not done:
        assert isinstance(drawn[0], ProblemError)
        raise drawn[0]
    best = min(done, key=lambda one: one.arrays.turns)  # of two that are as simple, the rows
    result = best.result
    own: dict[str, Any] = {"title": title, "ask": ask, "convention": convention, **tables}
    return best.arrays.draft.problem(result.node, tables=own, name=name or stem)


def _drawn(module: _Module, function: str, data: Mapping[str, Datum], layout: Layout) -> Forward | ProblemError:
    """The function with its arrays of one axis laid out one way, or what stood against it."""
    arrays = Arrays(SourceDraft(module.file), layout)
    try:
        return Forward(arrays, module.functions, module.comments, data, module.modules).run(function)
    except ProblemError as error:
        return error


def _text(source: Any) -> tuple[str, str, str]:
    """The source, what messages call it, and the problem's name."""
    if callable(source):
        try:
            return inspect.cleandoc("\n" + inspect.getsource(source)), source.__name__, source.__name__
        except (OSError, TypeError) as error:
            raise ProblemError(f"the source of {shown(source)} cannot be read: {error}") from None
    if isinstance(source, os.PathLike) or (str(source).endswith(".py") and "\n" not in str(source)):
        path = Path(source)
        try:
            if path.stat().st_size > LONGEST * 4:
                raise ProblemError(f"the source is longer than {LONGEST} characters", file=str(path))
            with tokenize.open(path) as stream:
                return stream.read(), str(path), path.stem
        except (OSError, SyntaxError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise ProblemError(f"the file cannot be read: {reason}", file=str(path)) from None
    return str(source), "source", "problem"


class _Module:
    """What stands in a source: its functions, its comments by line, and the data that it assigns."""

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        if len(text) > LONGEST:
            raise ProblemError(f"the source has {len(text)} characters, at most {LONGEST} are read", file=file)
        try:
            tree = ast.parse(text)
        except SyntaxError as error:
            raise ProblemError(f"this is not Python: {error.msg}", file=file, line=error.lineno) from None
        except (ValueError, RecursionError, MemoryError) as error:
            raise ProblemError(f"this cannot be read: {error}", file=file) from None
        self.functions: dict[str, ast.FunctionDef] = {}
        self.assigned: dict[str, ast.expr] = {}
        self.modules: dict[str, str] = {}
        self._gather(tree.body)
        self.comments = _comments(text)

    def _gather(self, body: Sequence[ast.stmt], owner: str = "") -> None:
        for statement in body:
            match statement:
                case ast.FunctionDef(name=name):
                    self.functions.setdefault(name, statement)
                    if owner and name == "__init__":
                        self._attributes(statement)
                case ast.ClassDef(name=name, body=inside):
                    self._gather(inside, name)
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    self.assigned[name] = value
                case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                    self.assigned[name] = value
                case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
                    for target, value in zip(names, values, strict=False):
                        if isinstance(target, ast.Name):
                            self.assigned[target.id] = value
                case ast.Import(names=names):
                    self.modules.update({alias.asname or alias.name.split(".")[0]: alias.name for alias in names})
                case ast.ImportFrom(names=names):
                    self.modules.update(
                        {alias.asname or alias.name: f"{statement.module}.{alias.name}" for alias in names}
                    )

    def _attributes(self, init: ast.FunctionDef) -> None:
        """``self.W1 = np.array(…)`` of a class."""
        for statement in ast.walk(init):
            if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
                target = statement.targets[0]
                if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
                    self.assigned.setdefault(target.attr, statement.value)

    def data(self, values: Mapping[str, Values], parameters: Sequence[str] | None) -> dict[str, Datum]:
        """Every array that is known, by its numbers or by its shape."""
        found: dict[str, Datum] = {}
        for name, value in self.assigned.items():
            made = self._literal(value)
            if made is not None:
                found[name] = Datum(made[0], made[1], bool(TRAINED.fullmatch(name)), value.lineno)
        for heading in ("given", "parameters"):
            for name, value in values[heading].items():
                check_name(name, "a value")
                found[name] = Datum(shape_of(value), value, heading == "parameters", 0)
        for name, sizes in values["shapes"].items():
            check_name(name, "a value")
            found[name] = Datum(tuple(sizes), None, bool(TRAINED.fullmatch(name)), 0)
        for name in parameters or ():
            if name not in found:
                raise ProblemError(
                    f"{shown(name)[1:-1]} is to be trained, and has no value",
                    file=self.file,
                    hint=hint(name, found) or (f"there are {listing(found, 'and')}" if found else None),
                )
        if parameters is not None:
            found = {name: Datum(one.shape, one.value, name in parameters, one.line) for name, one in found.items()}
        return found

    def _literal(self, value: ast.expr) -> tuple[Shape, Any] | None:
        """Numbers in plain sight: one, nested lists, an array of them, zeros, ones; or a shape, of drawn ones."""
        try:
            written = ast.literal_eval(value)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            return self._made(value) if isinstance(value, ast.Call) else None
        if isinstance(written, bool | str | bytes | complex) or written is None:
            return None
        if isinstance(written, int | float | list):
            plain = _numbers(value)
            return None if plain is None else (shape_of(plain), plain)
        return None

    def _made(self, call: ast.Call) -> tuple[Shape, Any] | None:
        name = dotted(call.func).rsplit(".", 1)[-1]
        if name in ("array", "asarray", "float64", "float32") and call.args:
            return self._literal(call.args[0])
        if name == "reshape" and isinstance(call.func, ast.Attribute):
            return None
        if name in ("zeros", "ones", *DISTRIBUTIONS):
            sizes = call.args[0].elts if call.args and isinstance(call.args[0], ast.Tuple | ast.List) else call.args
            for key in call.keywords:
                if key.arg in ("size", "shape") and isinstance(key.value, ast.Tuple):
                    sizes = key.value.elts
            whole = [size.value for size in sizes if isinstance(size, ast.Constant) and isinstance(size.value, int)]
            if len(whole) != len(sizes) or any(size < 1 for size in whole):
                return None
            if name in ("zeros", "ones"):
                from derive.problem.sources.given import filled

                return tuple(whole), filled(tuple(whole), "0" if name == "zeros" else "1")
            return tuple(whole), None
        return None


def _numbers(tree: ast.expr) -> Any:
    """The numbers of a literal as they are written; ``None`` where there is something else inside."""
    match tree:
        case ast.List(elts=elts) | ast.Tuple(elts=elts):
            found = [_numbers(one) for one in elts]
            return None if None in found else found
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return -value
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return value
    return None


def _comments(text: str) -> dict[int, str]:
    """The comments behind code, by line."""
    found = {}
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT and token.line[: token.start[1]].strip():
                found[token.start[0]] = token.string.lstrip("#").strip()
    except (tokenize.TokenError, IndentationError, SyntaxError):
        return {}
    return found

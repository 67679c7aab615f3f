"""NumPy's functions and methods by name, in the words of the language. They are looked up, never called."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from flint import fmpq

from derive.problem.sources import blocks
from derive.problem.sources.arrays import Array, Arrays, number, shown
from derive.problem.syntax import Call, Number


class Reader(Protocol):
    """What a function needs of the reader of the source."""

    arrays: Arrays

    def whole(self, value: Any, what: str) -> int:
        """A value as a whole number that is known."""

    def array(self, value: Any) -> Array:
        """A value as an array."""


Arguments = list[Any]
Options = dict[str, Any]
Rule = Callable[[Reader, Arguments, Options], Any]

FUNCTIONS: dict[str, tuple[Rule, tuple[str, ...]]] = {}  # name -> rule, the names of its arguments in order
METHODS = (
    *("dot", "sum", "mean", "max", "min", "reshape", "ravel", "flatten", "transpose", "clip", "copy", "astype"),
    *("squeeze", "var", "trace", "swapaxes"),
)
DISTRIBUTIONS = ("randn", "rand", "random", "normal", "standard_normal", "uniform", "random_sample", "empty")


def function(names: str, arguments: str) -> Callable[[Rule], Rule]:
    """Enter a rule under some names, with the names of its arguments in order."""

    def enter(rule: Rule) -> Rule:
        for name in names.split():
            FUNCTIONS[name] = rule, tuple(arguments.split())
        return rule

    return enter


def bound(name: str, given: Sequence[Any], options: Options, wrong: Callable[[str], Exception]) -> Options:
    """The arguments of a call by name."""
    known = FUNCTIONS[name][1]
    several = known[-1:] == ("*",)
    if len(given) > len(known) and not several:
        raise wrong(f"{name} takes {len(known)} arguments, found are {len(given)}")
    found = dict(zip(known, given, strict=False))
    for key, value in options.items():
        if key in ("dtype", "casting", "order", "copy"):
            continue
        if key not in known or key in found:
            raise wrong(f"the option {key} of {name}")
        found[key] = value
    return found


def axes_of(reader: Reader, value: Any) -> list[int] | None:
    """``axis``: a number, several, or none."""
    if value is None:
        return None
    return [reader.whole(one, "axis") for one in (value if isinstance(value, list) else [value])]


def _elementwise(name: str) -> Rule:
    def rule(reader: Reader, given: Arguments, options: Options) -> Array:
        operands = [reader.array(options[key]) for key in ("x", "y", "low", "high") if key in options]
        return reader.arrays.apply(name, *operands)

    return rule


for _name, _ours in {
    **{name: name for name in ("exp", "log", "log2", "sqrt", "square", "sin", "cos", "tanh", "abs")},
    "absolute": "abs",
    "fabs": "abs",
    "expit": "sigmoid",
}.items():
    FUNCTIONS[_name] = _elementwise(_ours), ("x",)
for _name in ("maximum", "minimum"):
    FUNCTIONS[_name] = FUNCTIONS["f" + _name[:3]] = _elementwise(_name), ("x", "y")


@function("log1p", "x")
def _log1p(reader: Reader, given: Arguments, options: Options) -> Array:
    return reader.arrays.apply("log", reader.arrays.binary("+", number(fmpq(1)), reader.array(options["x"])))


@function("expm1", "x")
def _expm1(reader: Reader, given: Arguments, options: Options) -> Array:
    return reader.arrays.binary("-", reader.arrays.apply("exp", reader.array(options["x"])), number(fmpq(1)))


@function("clip", "x a_min a_max")
def _clip(reader: Reader, given: Arguments, options: Options) -> Array:
    ends = [None if options.get(key) is None else reader.array(options[key]) for key in ("a_min", "a_max")]
    return blocks.clip(reader.arrays, reader.array(options["x"]), ends[0], ends[1])


SIGNS = {
    "add": "+",
    "subtract": "-",
    "multiply": "*",
    "divide": "/",
    "true_divide": "/",
    "greater": ">",
    "less": "<",
    "greater_equal": ">=",
    "less_equal": "<=",
    "equal": "==",
    "not_equal": "!=",
}


def _sign(sign: str) -> Rule:
    return lambda reader, given, options: reader.arrays.binary(
        sign, reader.array(options["x"]), reader.array(options["y"])
    )


for _name, _ours in SIGNS.items():
    FUNCTIONS[_name] = _sign(_ours), ("x", "y")


@function("negative", "x")
def _negative(reader: Reader, given: Arguments, options: Options) -> Array:
    return reader.arrays.negate(reader.array(options["x"]))


@function("power", "x y")
def _power(reader: Reader, given: Arguments, options: Options) -> Array:
    return reader.arrays.power(reader.array(options["x"]), reader.array(options["y"]))


@function("dot matmul", "x y")
def _matmul(reader: Reader, given: Arguments, options: Options) -> Array:
    left, right = reader.array(options["x"]), reader.array(options["y"])
    if not left.axes or not right.axes:  # np.dot multiplies by a number
        return reader.arrays.binary("*", left, right)
    return reader.arrays.matmul(left, right)


@function("outer", "x y")
def _outer(reader: Reader, given: Arguments, options: Options) -> Array:
    arrays = reader.arrays
    left = arrays.reshape(reader.array(options["x"]), [-1, 1])
    return arrays.matmul(left, arrays.reshape(reader.array(options["y"]), [1, -1]))


def _reduction(name: str) -> Rule:
    def rule(reader: Reader, given: Arguments, options: Options) -> Array:
        keep = options.get("keepdims", False)
        return reader.arrays.reduce(
            name, reader.array(options["x"]), axes_of(reader, options.get("axis")), keep is True
        )

    return rule


for _name, _ours in {
    "sum": "sum",
    "mean": "mean",
    "average": "mean",
    "max": "max",
    "amax": "max",
    "min": "min",
    "amin": "min",
}.items():
    FUNCTIONS[_name] = _reduction(_ours), ("x", "axis", "keepdims")


@function("var", "x axis ddof keepdims")
def _variance(reader: Reader, given: Arguments, options: Options) -> Array:
    arrays, x = reader.arrays, reader.array(options["x"])
    axes, keep = axes_of(reader, options.get("axis")), options.get("keepdims", False) is True
    if options.get("ddof", number(fmpq(0))).value != 0:
        raise arrays.draft.unsupported("var with ddof")
    squares = arrays.power(arrays.binary("-", x, arrays.reduce("mean", x, axes, True)), number(fmpq(2)))
    return arrays.reduce("mean", squares, axes, keep)


@function("std", "x axis ddof keepdims")
def _deviation(reader: Reader, given: Arguments, options: Options) -> Array:
    return reader.arrays.apply("sqrt", _variance(reader, given, options))


@function("norm", "x")
def _norm(reader: Reader, given: Arguments, options: Options) -> Array:
    return blocks.length(reader.arrays, reader.array(options["x"]))


@function("trace", "x")
def _trace(reader: Reader, given: Arguments, options: Options) -> Array:
    reader.arrays.draft.require("trace")
    return Array(Call("trace", (reader.array(options["x"]).node,)), ())


@function("inv", "x")
def _inverse(reader: Reader, given: Arguments, options: Options) -> Array:
    reader.arrays.draft.require("inv")
    x = reader.array(options["x"])
    return Array(Call("inv", (x.node,)), x.shape)


@function("det", "x")
def _determinant(reader: Reader, given: Arguments, options: Options) -> Array:
    reader.arrays.draft.require("det")
    return Array(Call("det", (reader.array(options["x"]).node,)), ())


@function("transpose", "x axes")
def _transpose(reader: Reader, given: Arguments, options: Options) -> Array:
    return reader.arrays.transpose(reader.array(options["x"]), axes_of(reader, options.get("axes")))


@function("reshape", "x shape *")
def _reshape(reader: Reader, given: Arguments, options: Options) -> Array:
    sizes = options["shape"] if isinstance(options["shape"], list) else given[1:]
    return reader.arrays.reshape(reader.array(options["x"]), [reader.whole(size, "a size") for size in sizes])


@function("ravel flatten", "x")
def _ravel(reader: Reader, given: Arguments, options: Options) -> Array:
    return reader.arrays.reshape(reader.array(options["x"]), [-1])


@function("squeeze", "x axis")
def _squeeze(reader: Reader, given: Arguments, options: Options) -> Array:
    x = reader.array(options["x"])
    axes = axes_of(reader, options.get("axis"))
    over = range(x.axes) if axes is None else [reader.arrays.axis(axis, x.axes) for axis in axes]
    sizes = [reader.arrays.whole(size) for size in x.shape]
    return reader.arrays.reshape(x, [size for k, size in enumerate(sizes) if k not in over or size != 1])


@function("expand_dims", "x axis")
def _expand_dims(reader: Reader, given: Arguments, options: Options) -> Array:
    x = reader.array(options["x"])
    axis = reader.arrays.axis(reader.whole(options["axis"], "axis"), x.axes + 1)
    sizes = [reader.arrays.whole(size) for size in x.shape]
    return reader.arrays.reshape(x, [*sizes[:axis], 1, *sizes[axis:]])


@function("concatenate concat", "x axis")
def _concatenate(reader: Reader, given: Arguments, options: Options) -> Array:
    axis = reader.whole(options.get("axis", number(fmpq(0))), "axis")
    return reader.arrays.join([reader.array(one) for one in _listed(reader, options["x"])], axis)


@function("hstack", "x")
def _hstack(reader: Reader, given: Arguments, options: Options) -> Array:
    every = [reader.array(one) for one in _listed(reader, options["x"])]
    return reader.arrays.join(every, 0 if every[0].axes == 1 else 1)


@function("vstack", "x")
def _vstack(reader: Reader, given: Arguments, options: Options) -> Array:
    arrays = reader.arrays
    every = [reader.array(one) for one in _listed(reader, options["x"])]
    rows = [arrays.reshape(one, [1, -1]) if one.axes == 1 else one for one in every]
    return arrays.join(rows, 0)


@function("stack", "x axis")
def _stack(reader: Reader, given: Arguments, options: Options) -> Array:
    arrays, every = reader.arrays, [reader.array(one) for one in _listed(reader, options["x"])]
    axis = arrays.axis(reader.whole(options.get("axis", number(fmpq(0))), "axis"), every[0].axes + 1)
    sizes = [arrays.whole(size) for size in every[0].shape]
    return arrays.join([arrays.reshape(one, [*sizes[:axis], 1, *sizes[axis:]]) for one in every], axis)


def _listed(reader: Reader, value: Any) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise reader.arrays.draft.unsupported("arrays to join that are no list")
    return value


@function("where", "x y z")
def _where(reader: Reader, given: Arguments, options: Options) -> Array:
    arrays = reader.arrays
    condition, yes, no = (reader.array(options[key]) for key in ("x", "y", "z"))
    kept = arrays.binary("*", yes, condition)
    if no.value == 0:
        return kept
    return arrays.binary("+", kept, arrays.binary("*", arrays.binary("-", number(fmpq(1)), condition), no))


@function("zeros", "shape")
def _zeros(reader: Reader, given: Arguments, options: Options) -> Array:
    return _filled(reader, "zeros", options["shape"])


@function("ones", "shape")
def _ones(reader: Reader, given: Arguments, options: Options) -> Array:
    return _filled(reader, "ones", options["shape"])


@function("zeros_like", "x")
def _zeros_like(reader: Reader, given: Arguments, options: Options) -> Array:
    return _filled(reader, "zeros", [number(fmpq(reader.arrays.whole(s))) for s in reader.array(options["x"]).shape])


@function("ones_like", "x")
def _ones_like(reader: Reader, given: Arguments, options: Options) -> Array:
    return _filled(reader, "ones", [number(fmpq(reader.arrays.whole(s))) for s in reader.array(options["x"]).shape])


def _filled(reader: Reader, name: str, shape: Any) -> Array:
    reader.arrays.draft.require(name)
    sizes = tuple(reader.whole(size, "a size") for size in (shape if isinstance(shape, list) else [shape]))
    laid = tuple(Number(fmpq(size)) for size in reader.arrays.laid(sizes) if isinstance(size, int))
    return Array(Call(name, laid), sizes)


@function("array asarray float64 float32 float copy astype ascontiguousarray", "x *")
def _same(reader: Reader, given: Arguments, options: Options) -> Any:
    return options["x"]


@function("len", "x")
def _length(reader: Reader, given: Arguments, options: Options) -> Array:
    x = options["x"]
    return number(fmpq(len(x) if isinstance(x, list) else reader.arrays.whole(reader.array(x).shape[0])))


@function("softmax log_softmax", "x axis")
def _softmax(reader: Reader, given: Arguments, options: Options) -> Array:
    raise reader.arrays.draft.unsupported(
        "a softmax from elsewhere", hint="write it out: np.exp(z) / np.sum(np.exp(z))"
    )


def picked(reader: Reader, array: Array, labels: Array) -> Array:
    """``p[np.arange(n), y]``: the entry of each row that its label names."""
    if array.axes != 2 or labels.axes != 1 or array.shape[0] != labels.shape[0]:
        raise reader.arrays.draft.unsupported(f"entries of an array of the shape {shown(array.shape)} by lists")
    reader.arrays.draft.require("one_hot")
    classes = reader.arrays.whole(array.shape[-1])
    hot = Array(Call("one_hot", (labels.node, Number(fmpq(classes)))), array.shape)
    return reader.arrays.reduce("sum", reader.arrays.binary("*", array, hot), [1])

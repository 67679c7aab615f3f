"""Names as LaTeX: ``W1`` is W_1, ``yhat`` is a y with a hat, d E / d W1 a fraction of partials."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property

from derive.graph.expression import Adjoint, Name, Plane
from derive.graph.network import Network
from derive.graph.sizes import is_scalar
from derive.problem.problem import Problem, Shape, Size
from derive.problem.size_terms import terms
from derive.report.notation.derived import derived, derived_entry, derived_indexed, is_derived

GREEK = frozenset(
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi "
    "omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega ell".split()
)
ACCENTS = ("hat", "bar", "tilde", "vec", "dot")

FUNCTIONS: Mapping[str, str] = {
    "sigmoid": r"\sigma",
    "tanh": r"\tanh",
    "exp": r"\exp",
    "log": r"\log",
    "log2": r"\log_2",
    "sin": r"\sin",
    "cos": r"\cos",
    "relu": r"\operatorname{ReLU}",
    "leaky_relu": r"\operatorname{LReLU}",
    "elu": r"\operatorname{ELU}",
    "softplus": r"\operatorname{softplus}",
    "gelu": r"\operatorname{GELU}",
    "silu": r"\operatorname{SiLU}",
    "abs": r"\operatorname{abs}",
    "sqrt": r"\operatorname{sqrt}",
    "softmax": r"\operatorname{softmax}",
    "log_softmax": r"\log\operatorname{softmax}",
    "maximum": r"\max",
    "minimum": r"\min",
    "max": r"\max",
    "min": r"\min",
    "layer_norm": r"\operatorname{LayerNorm}",
    "batch_norm": r"\operatorname{BatchNorm}",
}


def letter(name: str) -> str:
    """The default symbol of an identifier: stem, accents, and what follows as an index."""
    stem, index = _split(name)
    return _indexed(_stem(stem), index)


def _split(name: str) -> tuple[str, tuple[str, ...]]:
    """``W1`` into ``W`` and ``1``; ``z_h1`` into ``z`` and ``h1``, ``Wq`` into ``W`` and ``q``; underscores separate
    indices.

    The number of a member comes last: ``h[2]`` is ``h`` and ``2``, of any member ``h[t-1]`` it is ``t-1``.
    """
    name, bracket, number = name.partition("[")
    if bracket:
        stem, parts = _split(name)
        return stem, (*parts, number.removesuffix("]"))
    head, *rest = [part for part in name.split("_") if part] or [name]
    told = re.fullmatch(r"([A-Z])([a-z]{1,2})", head)
    if told and head not in GREEK:  # Wq, Wxh: a matrix and what tells it from the others
        return told[1], (told[2], *rest)
    match = re.fullmatch(r"([A-Za-z]+)(\d+)", head)
    if match and not rest:
        return match[1], (match[2],)
    if match:
        return match[1], (match[2], *rest)
    return head, tuple(rest)


def _stem(stem: str) -> str:
    for accent in ACCENTS:
        base = stem.removesuffix(accent)
        if base and base != stem:
            return rf"\{accent}{{{_stem(base)}}}"
    if stem in GREEK:
        return "\\" + stem
    return stem if len(stem) == 1 else rf"\mathrm{{{stem}}}"


def _index(part: str) -> str:
    if part in GREEK:
        return "\\" + part
    if len(part) == 1 or part.isdigit() or re.fullmatch(r"-?\d+|[A-Za-z](?:\d+|[-+]\d+)", part):
        return part
    return rf"\mathrm{{{part}}}"


def _indexed(base: str, parts: tuple[str, ...]) -> str:
    if not parts:
        return base
    inside = ",".join(_index(part) for part in parts)
    return f"{base}_{inside}" if len(inside) == 1 else f"{base}_{{{inside}}}"


class Symbols:
    """The symbols of one problem: its own where it gives them, the defaults elsewhere."""

    def __init__(self, problem: Problem, network: Network) -> None:
        self._own = dict(problem.symbols)
        self._entries = {name: tuple(t for row in rows for t in row) for name, rows in problem.names.items()}
        self._network = network
        ask = problem.ask
        self._signals = dict(ask.questions.delta) if ask.questions is not None else {}
        self._negative = problem.convention.delta_sign == "negative"
        last = problem.statements[-1].name if problem.statements else ""
        self._wanted_order = problem.convention.index_order
        self._top = ask.upstream[0].of if ask.upstream else ask.loss or last

    def name(self, name: Name) -> str:
        """The symbol of a name; for an adjoint the fraction of partials."""
        if isinstance(name, Adjoint):
            signal = self.signal(name)
            return signal or self.partial(self.name(name.of), self.name(name.by))
        if isinstance(name, Plane):
            return self._plane(name)
        if is_derived(name):
            return derived(self, str(name))
        return self._own.get(name) or self._of_family(name) or letter(name)

    def signal(self, name: Adjoint) -> str:
        """The error signal that an adjoint is, by the problem's own name for it; empty where it is none."""
        own = (self._signals.get(name.by) or self._any_signal(name.by)) if name.of == self._top else None
        if own is None or name.negative != self._negative:
            return ""
        return self._own.get(own) or self._of_family(own) or letter(own)

    def _any_signal(self, by: str) -> str | None:
        """``delta[t+1]`` for ``z[t+1]``, where the members of z have error signals."""
        stem, bracket, number = by.partition("[")
        if not bracket or number[:-1].lstrip("-").isdigit():
            return None
        of_family = (own for name, own in self._signals.items() if name.partition("[")[0] == stem and own.endswith("]"))
        own = next(of_family, None)
        return None if own is None else f"{own.partition('[')[0]}[{number}"

    @cached_property
    def _swapped(self) -> frozenset[str]:
        """The weights whose entries are named the other way round than rows and columns stand."""
        if self._wanted_order is None:
            return frozenset()
        from derive.report.notation.orientation import orders  # only who wants an order pays for it

        own = {*self._entries}
        return frozenset(
            n for n, order in orders(self._network).items() if order != self._wanted_order and n not in own
        )

    @property
    def signals(self) -> frozenset[str]:
        """The names whose adjoints are error signals."""
        return frozenset(self._signals)

    def _signal_entry(self, name: Adjoint, index: tuple[int, ...]) -> str:
        shape = self._network.shape(name.by)
        if is_scalar(shape):
            return self.signal(name)
        places = self._places([k + 1 for k, size in zip(index, shape, strict=True) if size != 1])
        own = self._signals[name.by]
        if own in self._own:
            return f"{{{self._own[own]}}}_{{{places}}}" if "_" in self._own[own] else f"{self._own[own]}_{{{places}}}"
        stem, parts = _split(own)
        return self._subscribed(_stem(stem), parts, places)

    def _plane(self, name: Plane) -> str:
        """``X_{1,2,:,:}``: one matrix of a stack, under its capital; of an adjoint the derivative by it."""
        if isinstance(name.of, Adjoint):
            return self.partial(self.name(name.of.of), self._plane(Plane(name.of.by, name.lead)))
        shape = self._network.shape(name.of)
        if all(size == 1 for size in shape[len(name.lead) :]):
            return self.entry(name.of, (*name.lead, *(0 for _ in shape[len(name.lead) :])))
        index = ",".join((*(str(k + 1) for k in name.lead), *(":" for _ in shape[len(name.lead) :])))
        if name.of in self._own:
            return self.indexed(name.of, index)
        stem, parts = _split(name.of)
        return self._subscribed(_stem(stem), parts, index)

    def _of_family(self, name: str) -> str | None:
        """A member of a family whose symbol the problem gives: its number is one more index."""
        stem, bracket, number = name.partition("[")
        if not bracket:
            return None
        number = number.removesuffix("]")
        for key, general in self._own.items():
            family, _, letter = key.removesuffix("]").partition("[")
            if family == stem and letter.isalpha():  # h[t] is written h^{(t)}, say
                return re.sub(rf"(?<![A-Za-z\\]){letter}(?![A-Za-z])", number, general)
        symbol = self._own.get(stem)
        if symbol is None:
            return None
        if "_" not in symbol:
            return f"{symbol}_{_group(number)}"
        head, _, index = symbol.partition("_")
        return f"{head}_{{{index.removeprefix('{').removesuffix('}')},{number}}}"

    def size(self, name: str) -> str:
        """A size that is a name, or a sum of such."""
        if name in self._own or name.isidentifier():
            return self._own.get(name) or letter(name)
        number, names = terms(name)
        text = ""
        for part, factor in names.items():
            times = "" if abs(factor) == 1 else str(abs(factor))
            text += ("-" if factor < 0 else "+" if text else "") + times + self.size(part)
        return text + (f"{number:+d}" if text and number else "" if text else str(number))

    def factor_of(self, size: Size) -> str:
        """A size beside a times sign: a sum of several terms in brackets."""
        if isinstance(size, int):
            return str(size)
        return self.size(size) if size.isidentifier() else f"({self.size(size)})"

    def partial(self, of: str, by: str, direct: bool = False) -> str:
        """d of / d by; ``direct`` marks the part that comes from one equation alone, as in Pascanu et al. (2013)."""
        sign = r"\partial^{+}" if direct else r"\partial"
        return rf"\frac{{{sign} {of}}}{{\partial {by}}}"

    def entry(self, name: Name, index: tuple[int, ...]) -> str:
        """The symbol of one entry, counted from 1 in print."""
        if isinstance(name, Adjoint):
            index = index[::-1] if name.numerator else index
            if self.signal(name):
                return self._signal_entry(name, index)
            of = self.name(name.of) if name.of else ""
            return self.partial(of, self.entry(name.by, index))
        if is_derived(name):
            return derived_entry(self, str(name), index)
        if isinstance(name, Plane):
            return self.entry(name.of, in_stack(name, index, len(self._shape_of(name.of))))
        shape = self._network.shape(name)
        if not shape:
            return self.name(name)
        if name in self._entries:
            flat = 0
            for k, size in zip(index, shape, strict=True):
                flat = flat * int(size) + k
            return braced(self._entries[name][flat])
        if all(size == 1 for size in shape):
            return self.name(name)
        capital = self.keeps_ones(name)
        if is_stack(shape):
            return self.indexed(name, ",".join(str(k + 1) for k in index))
        capital = capital and len(shape) == 2
        if name in self._swapped:
            index, shape = index[::-1], shape[::-1]
        places = [k + 1 for k, size in zip(index, shape, strict=True) if size != 1 or capital]
        return self.indexed(name, self._places(places))

    def keeps_ones(self, name: str) -> bool:
        """Whether the entries of a row or a column have two indices: a capital stands for a matrix."""
        return _split(name)[0][:1].isupper() and name not in self._own

    def _shape_of(self, name: str | Adjoint) -> Shape:
        return self._network.shape(name.by if isinstance(name, Adjoint) else name)

    def indexed(self, name: str, index: str) -> str:
        """A name with running indices: x_j, W^{(1)}_{ij} in small letters, z_{h,j}."""
        if is_derived(name):
            return derived_indexed(self, name, index)
        if name in self._swapped and len(index) == 2 and index.isalpha():
            index = index[::-1]
        if name in self._own:
            base = self._own[name]
            return f"{{{base}}}_{{{index}}}" if "_" in base else f"{base}_{{{index}}}"
        family, bracket, number = name.partition("[")
        if bracket and family not in self._own and self._of_family(name) is not None:
            whole = self.name(name)
            return f"{whole}_{_group(index)}" if "_" not in whole else f"{{{whole}}}_{_group(index)}"
        if bracket and family in self._own:
            base, number = self._own[family], number.removesuffix("]")
            if "_" in base or "^" in base:
                return f"{{{self.name(name)}}}_{_group(index)}"
            return f"{base}^{{({number})}}_{_group(index)}"
        stem, parts = _split(name)
        matrix = len(stem) == 1 and stem.isupper() and not self._taken(stem.lower(), parts)
        return self._subscribed(stem.lower() if matrix else _stem(stem), parts, index, bool(bracket))

    @staticmethod
    def _subscribed(base: str, parts: tuple[str, ...], index: str, member: bool = False) -> str:
        if len(parts) == 1 and (parts[0].isdigit() or member):
            return f"{base}^{{({parts[0]})}}_{_group(index)}"
        if not parts:
            return f"{base}_{_group(index)}"
        return f"{base}_{{{','.join(map(_index, parts))},{index}}}"

    def _taken(self, stem: str, parts: tuple[str, ...]) -> bool:
        """Whether a small letter would be read as another name's entry."""
        return (stem, parts) in self._known_parts

    @cached_property
    def _known_parts(self) -> frozenset[tuple[str, tuple[str, ...]]]:
        return frozenset(map(_split, self._known))

    @cached_property
    def _known(self) -> tuple[str, ...]:
        names = (*self._network.data, *(str(equation.name) for equation in self._network.equations))
        return tuple(name for name in names if not is_derived(name))

    def shape(self, name: str) -> Shape:
        """The shape of a name of the network."""
        return self._network.shape(name)

    @property
    def known(self) -> tuple[str, ...]:
        """The names of the problem."""
        return self._known

    @property
    def taken(self) -> frozenset[str]:
        """The symbols of the problem's names and entries."""
        return self._taken_symbols

    @staticmethod
    def _places(places: list[int]) -> str:
        texts = [str(place) for place in places]
        return ("" if all(len(text) == 1 for text in texts) else ",").join(texts)

    def function(self, name: str, at: tuple[object, ...] = ()) -> str:
        """The symbol of a function."""
        if name == "own":
            return self._own.get(str(at[0])) or letter(str(at[0]))
        symbol = FUNCTIONS[name]
        return rf"\operatorname{{{name}}}" if symbol in self._taken_symbols else symbol

    @property
    def e(self) -> str:
        """The base of the natural logarithm; empty where the problem calls something else e."""
        return "" if "e" in self._taken_symbols else "e"

    @cached_property
    def _taken_symbols(self) -> frozenset[str]:
        entries = (braced(text) for texts in self._entries.values() for text in texts)
        return frozenset((*map(self.name, self._known), *entries))

    def slope(self, name: str, at: tuple[object, ...] = ()) -> str:
        """The symbol of a function's derivative: a prime, or the sign for the absolute value; one more for f''."""
        if name == "derivative":
            return f"{self.slope(str(at[0]), at[1:])}'"
        return r"\operatorname{sgn}" if name == "abs" else f"{self.function(name, at)}'"


def is_stack(shape: Shape) -> bool:
    """Whether a shape has more than two axes and more to it than a single line of entries."""
    return len(shape) > 2 and sum(size != 1 for size in shape) > 1


def in_stack(name: Plane, index: tuple[int, ...], axes: int) -> tuple[int, ...]:
    """Where the entry of a plane stands in a stack of so many axes."""
    return (*name.lead, *index[len(index) - (axes - len(name.lead)) :])


def braced(text: str) -> str:
    """An entry's name from a problem file: ``w_10`` is meant as w_{10}."""
    return re.sub(r"([_^])([A-Za-z0-9]{2,})", r"\1{\2}", text)


def _group(index: str) -> str:
    return index if len(index) == 1 else f"{{{index}}}"

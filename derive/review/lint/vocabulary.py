r"""What printed symbols stand for: the names of a problem and their entries, in every spelling that is theirs.

The spellings of the report come first (``Spelling``, handed in: this room is below the printer); beside them the usual
ones of an identifier: ``W1`` may be printed W_1, W^{(1)}, \mathbf{W}_1. A spelling of two things is nobody's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, Protocol

from derive.graph.expression import Plane
from derive.records import dataclass
from derive.review.lint.tokens import keys
from derive.solution.part import Part

GREEK = frozenset(
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi rho sigma tau upsilon phi chi psi omega "
    "Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega ell".split()
)


class Spelling(Protocol):
    """How a report prints the names of a part; ``report.notation.Symbols`` is one."""

    def name(self, name: Any) -> str:
        """The symbol of a name, as LaTeX."""

    def entry(self, name: Any, index: tuple[int, ...]) -> str:
        """The symbol of an entry, by its index from 0."""

    def indexed(self, name: str, index: str) -> str:
        """A name with running indices."""

    def function(self, name: str, at: tuple[object, ...] = ()) -> str:
        """The symbol of a function."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A name with all its entries."""

    name: Any


@dataclass(frozen=True, slots=True)
class One:
    """An entry of a name."""

    name: Any
    index: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class InStack:
    """One matrix, or one row, of a name with more than two axes."""

    name: str
    lead: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Running:
    """A name with running indices, as under a sum."""

    name: Any
    letters: str


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What tokens stand for: ``names`` of a part, its ``own`` functions; ``taken`` are the symbols of one token."""

    names: Mapping[tuple[str, ...], Any]
    own: Mapping[tuple[str, ...], Any]
    taken: frozenset[str]


def vocabulary(part: Part, spelling: Spelling | None) -> Vocabulary:
    """The symbols of a part."""
    tables: dict[bool, dict[tuple[str, ...], Any]] = {False: {}, True: {}}
    shapes = shapes_of(part)

    def enter(latex: str, key: Any, *, usual: bool = False) -> None:
        text, table = keys(latex), tables[usual]
        if text:
            held = table.setdefault(text, key)
            if held != key and not _same(held, key, shapes):
                table[text] = None  # nobody's

    if spelling is not None:
        _printed(part, spelling, shapes, enter)
    for name in shapes:
        for latex in spellings(name):
            enter(latex, Whole(name), usual=True)
    for name, rows in part.problem.names.items():
        shape = shapes.get(name, ())
        for index, text in zip(_indices(shape), (text for row in rows for text in row), strict=False):
            for latex in entry_spellings(text):
                enter(latex, One(name, index) if shape else Whole(name), usual=True)
    for name, shape in shapes.items():
        for index in _indices(shape):
            if len(shape) >= 2 and sum(shape) > len(shape):
                for latex in _usual_entries(name, shape, index):
                    enter(latex, One(name, index), usual=True)
    update = part.problem.ask.update
    if update is not None and len(set(update.moving.values())) == 1:
        rate = next(iter(update.moving.values()))
        for latex in spellings(update.symbol):
            enter(latex, rate, usual=True)
    own = {
        keys(spelling.function("own", (name,)) if spelling else name): ("own", name) for name in part.problem.functions
    }
    found = {**tables[True], **tables[False]}
    table = {text: key for text, key in found.items() if key is not None}
    return Vocabulary(table, own, frozenset(text[0] for text in table if len(text) == 1))


def _printed(part: Part, spelling: Spelling, shapes: Mapping[str, tuple[int, ...]], enter: Any) -> None:
    """The symbols as derive's reports print them."""
    for name, shape in shapes.items():
        enter(spelling.name(name), Whole(name))
        if len(shape) >= 2:
            for index in _indices(shape):
                enter(spelling.entry(name, index), One(name, index))
        for lead in _leads(shape):
            enter(spelling.name(Plane(name, lead)), InStack(name, lead))
    for name, shape in shapes.items():
        letters = "".join(letter for letter, size in zip("ij", shape, strict=False) if size != 1)
        if len(shape) == 2 and letters:
            enter(spelling.indexed(name, letters), Running(Whole(name), letters), usual=True)
    for text in seconds_of(part):
        enter(spelling.name(text), Whole(text))
    if part.derivation is not None and part.problem.ask.questions is not None:
        from derive.graph.expression import Adjoint

        negative = part.problem.convention.delta_sign == "negative"
        for adjoint in part.derivation.adjoints:
            if adjoint.by in part.problem.ask.questions.delta and adjoint.by in shapes:
                signal = Adjoint(adjoint.of, adjoint.by, adjoint.numerator, negative)
                enter(spelling.name(signal), Whole(signal))
                shape = shapes[adjoint.by]
                for index in _indices(shape[::-1] if adjoint.numerator else shape):
                    if sum(shape) > len(shape):
                        enter(spelling.entry(signal, index), One(signal, index))


def shapes_of(part: Part) -> dict[str, tuple[int, ...]]:
    """The names of a part that have numbers for their sizes, and their shapes."""
    names = (*part.network.data, *(str(equation.name) for equation in part.network.equations))
    found = {}
    for name in names:
        shape = part.network.shape(name)
        if all(isinstance(size, int) for size in shape):
            found[name] = tuple(int(size) for size in shape)
    return found


def seconds_of(part: Part) -> tuple[str, ...]:
    """The second derivatives that a part has values of."""
    ratios = tuple(ratio.text for ratio in part.asked.ratios if ratio.text.startswith("d2"))
    return ratios + (tuple(one.text for one in part.further.seconds) if part.further is not None else ())


def _indices(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    total = 1
    for size in shape:
        total *= size
    if total <= 4096:  # no page prints more of them
        yield from product(*map(range, shape))


def _leads(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """The places of the matrices of a stack, and of its rows where it has three axes."""
    for count in (len(shape) - 2, len(shape) - 1) if len(shape) == 3 else (len(shape) - 2,) if len(shape) > 3 else ():
        rest = 1
        for size in shape[count:]:
            rest *= size
        if rest > 1:
            yield from _indices(shape[:count])


def _same(a: Any, b: Any, shapes: Mapping[str, tuple[int, ...]]) -> bool:
    """Whether two keys are one number: the only entry of a name, and the name."""
    names = {getattr(key, "name", None) for key in (a, b)}
    if len(names) > 1 or isinstance(a, Running) or isinstance(b, Running):
        return False
    shape = shapes.get(names.pop() or "", ())
    return all(size == 1 for size in shape)


# ── the usual spellings of an identifier ────────────────────────────────────────────────────────────────────────


def spellings(name: str) -> Iterator[str]:
    """``W1``: W_1, W^{(1)}, W^{[1]}, W1 and the same in bold; ``z_h``: z_h; ``yhat``: a y with a hat."""
    match = re.fullmatch(r"([A-Za-z]+?)(hat|bar|tilde)?_?(\d+|(?<=_)[A-Za-z0-9]+)?", name)
    if match is None:
        return
    stem, accent, index = match.groups()
    base = "\\" + stem if stem in GREEK else stem if len(stem) == 1 else rf"\mathrm{{{stem}}}"
    for font in ("{}", r"\mathbf{{{}}}", r"\boldsymbol{{{}}}", r"\bm{{{}}}"):
        here = font.format(base) if "\\" not in base or font == "{}" else base
        here = rf"\{accent}{{{here}}}" if accent else here
        if len(stem) > 1 and "\\" not in here.replace(r"\mathrm", "") and font == "{}":
            yield name
        if index is None:
            yield here
            continue
        index = "\\" + index if index in GREEK else index
        yield f"{here}_{{{index}}}"
        if index.isdigit():
            yield f"{here}^{{({index})}}"
            yield f"{here}^{{[{index}]}}"
            yield f"{here}{index}"


def entry_spellings(text: str) -> Iterator[str]:
    """``z_h1``: z_{h1}, z_{h_1}, z_{h,1}; ``w_10``: w_{10}, w10."""
    braced = re.sub(r"([_^])([A-Za-z0-9]{2,})", r"\1{\2}", text)
    yield braced
    match = re.fullmatch(r"([A-Za-z]+)_\{?([A-Za-z]?)(\d+)\}?", braced)
    if match is None:
        return
    stem, group, number = match.groups()
    if group:
        yield f"{stem}_{{{group}_{{{number}}}}}"
        yield f"{stem}_{{{group},{number}}}"
        yield f"{stem}_{{{group}}}{{}}_{{{number}}}"
    else:
        yield f"{stem}{number}"


def _usual_entries(name: str, shape: tuple[int, ...], index: tuple[int, ...]) -> Iterator[str]:
    """``W1`` at (0, 1): w^{(1)}_{12}, W^{(1)}_{12}, w_{12}; ``h`` at (0, 1): h_2."""
    places = [str(k + 1) for k, size in zip(index, shape, strict=True) if size != 1]
    inside = ("" if all(len(place) == 1 for place in places) else ",").join(places)
    match = re.fullmatch(r"([A-Za-z]+?)(hat|bar|tilde)?_?(\d+)?", name)
    if match is None or len(shape) != 2:
        return
    stem, accent, number = match.groups()
    for letter in dict.fromkeys((stem, stem.lower() if len(stem) == 1 and len(places) == 2 else stem)):
        base = "\\" + letter if letter in GREEK else letter if len(letter) == 1 else rf"\mathrm{{{letter}}}"
        base = rf"\{accent}{{{base}}}" if accent else base
        yield f"{base}_{{{inside}}}"
        yield f"{base}_{{{','.join(places)}}}"
        if number is not None:
            yield f"{base}^{{({number})}}_{{{inside}}}"
        if number is None and len(places) == 1 and "\\" not in base:
            yield f"{base}{inside}"
        if number is not None:
            yield f"{base}_{{{inside}}}^{{({number})}}"
            yield f"{base}^{{[{number}]}}_{{{inside}}}"

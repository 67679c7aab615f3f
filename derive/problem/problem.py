"""The problem, read and frozen: everything that the rest of the house knows of the user's wishes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any

from flint import fmpq

from derive.numbers.tensor import Tensor
from derive.problem.names import stem_of
from derive.problem.questions import Questions
from derive.problem.quiz import Quiz
from derive.problem.syntax import Node, Statement
from derive.records import dataclass

Size = int | str
Shape = tuple[Size, ...]
Text = Mapping[str, str]  # language code -> text; the key "" holds a text that was given without a language


@dataclass(frozen=True, slots=True)
class Batches:
    """Updates from a few samples at a time: the rows of the data ``over`` (with ``along`` 1 the columns).

    Of all ``rows`` each update uses the next ``size`` of a pass. ``orders`` holds the rows, counted from 0, in the
    order of each pass, or one order for every pass. ``each`` asks for an entry of the history for every update.
    """

    over: tuple[str, ...]
    size: int
    rows: int
    orders: tuple[tuple[int, ...], ...]
    along: int = 0
    each: bool = False


@dataclass(frozen=True, slots=True)
class Update:
    """Gradient descent and its kin, ``steps`` times (passes, where there are ``batches``), all names at once.

    ``rates`` maps each updated parameter to its rate. ``symbol`` is the rate's name (``"alpha"``). ``rule`` is a key
    of ``rules.RULES``, ``form`` one of its forms; ``constants`` go by their part in the rule, ``called`` has the names
    that they are printed under. ``decay`` maps parameters to their weight decay: added to the gradient as in an L2
    penalty, or ``decoupled`` from it. ``t`` updates went before, and left ``state`` (moments by name, then by
    parameter). ``slopes``, where there are any, are the gradients of each update, in place of a loss.
    """

    rates: Mapping[str, fmpq]
    symbol: str = "eta"
    steps: int = 1
    show: tuple[str, ...] = ()
    every: int = 1
    rule: str = "sgd"
    form: str = ""
    constants: Mapping[str, fmpq] = field(default_factory=dict)
    called: Mapping[str, str] = field(default_factory=dict)
    decay: Mapping[str, fmpq] = field(default_factory=dict)
    decoupled: bool = False
    batches: Batches | None = None
    t: int = 0
    state: Mapping[str, Mapping[str, Tensor]] = field(default_factory=dict)
    slopes: tuple[Mapping[str, Tensor], ...] = ()

    @property
    def moving(self) -> Mapping[str, fmpq]:
        """The rates of the parameters that move."""
        return {name: rate for name, rate in self.rates.items() if rate != 0}

    @property
    def plain(self) -> bool:
        """Whether each update is ``name - rate * gradient`` of the whole data, and nothing more."""
        return self.rule == "sgd" and not self.decay and self.batches is None and not self.slopes


@dataclass(frozen=True, slots=True)
class Train:
    """Gradient descent, one update after another, until a rule stops it; ``at_most`` counts updates.

    ``below`` stops it where the loss is smaller. ``tolerance`` stops it where an update changes the loss by no more
    than that share of the loss at the start, and no parameter by more than that share of the largest one. Each is
    ``None`` where it is not in force.
    """

    rates: Mapping[str, fmpq]
    symbol: str
    below: fmpq | None
    tolerance: fmpq | None
    at_most: int


@dataclass(frozen=True, slots=True)
class Upstream:
    """``d of / d at`` is taken as known: by name, or with the numbers in ``value``."""

    of: str
    at: str
    value: Tensor | None = None


@dataclass(frozen=True, slots=True)
class Traced:
    """An entry of ``of`` whose paths to the loss are drawn.

    ``entry`` counts from 1, as in print, or is the entry's own name; empty for a number.
    """

    of: str
    entry: tuple[int, ...] | str


@dataclass(frozen=True, slots=True)
class Ask:
    """What is wanted. ``gradients``: ``None`` (not said), ``"parameters"``, ``"all"`` or a list of names and ratios.

    ``shapes`` asks for a section on sizes and parameter counts, ``graph`` for the computation graph, which a small
    network of numbers has unless it is false, ``costs`` for the operations of both passes, ``code`` for both in NumPy.
    ``recursion`` asks for the recursion over a loop, which is shown wherever one is found unless it is false.
    ``paths`` are the entries whose paths to the loss are drawn; ``None`` leaves the choice to the report.
    """

    loss: str | None = None
    gradients: str | tuple[str, ...] | None = None
    update: Update | None = None
    upstream: tuple[Upstream, ...] = ()
    train: Train | None = None
    shapes: bool = False
    graph: bool | None = None
    costs: bool = False
    code: bool = False
    quiz: Quiz | None = None
    recursion: bool | None = None
    paths: tuple[Traced, ...] | None = None
    questions: Questions | None = None


@dataclass(frozen=True, slots=True)
class Convention:
    """Conventions in force; every report prints them.

    ``digits`` counts decimals, ``significant`` (if not ``None``) significant digits instead. ``delta_sign`` says
    whether an error signal is a derivative or its negative, ``index_order`` what the first index of a weight is
    (``None``: its row). ``decimal`` is the sign that numbers are printed with, ``"point"`` or ``"comma"`` (``None``:
    that of the report's language). With ``fractions`` exact values are printed as fractions, where these are short.
    """

    style: tuple[str, ...] = ("matrix", "elements")
    layout: str = "shape"
    digits: int = 4
    significant: int | None = None
    rounding: str = "half-up"
    carry: str = "full"
    relu_at_zero: fmpq = field(default_factory=lambda: fmpq(0))
    delta_sign: str = "positive"
    index_order: str | None = None
    decimal: str | None = None
    fractions: bool = False


@dataclass(frozen=True)
class Problem:
    """One network with its data and what is asked of it.

    ``given`` and ``parameters`` hold exact numbers; ``shapes`` the sizes of names without numbers. ``names`` holds the
    user's names of single entries, row by row. ``functions`` maps an activation to its formula in one variable
    (``(variable, node)``), or to ``None`` where it is unspecified. ``parts`` holds the finished problem of each part,
    each with its ``part`` set; it is empty where the file has none.
    """

    name: str
    title: Text
    statements: tuple[Statement, ...]
    given: Mapping[str, Tensor] = field(default_factory=dict)
    parameters: Mapping[str, Tensor] = field(default_factory=dict)
    shapes: Mapping[str, Shape] = field(default_factory=dict)
    functions: Mapping[str, tuple[str, Node] | None] = field(default_factory=dict)
    names: Mapping[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    symbols: Mapping[str, str] = field(default_factory=dict)
    captions: Mapping[str, Text] = field(default_factory=dict)
    ask: Ask = field(default_factory=Ask)
    convention: Convention = field(default_factory=Convention)
    part: str | None = None
    parts: tuple[Problem, ...] = ()
    file: str | None = field(default=None, compare=False)
    lines: Mapping[tuple[str, ...], int] = field(default_factory=dict, compare=False)

    def each(self) -> Iterator[Problem]:
        """The problems to solve: the parts, or this one."""
        yield from self.parts or (self,)

    def line(self, *keys: str) -> int | None:
        """The line on which a key of the file stands (``line("given", "x")``), or the nearest table above it."""
        while keys:
            for known in (keys, (*keys[:-1], stem_of(keys[-1]))):  # a member stands where its family does
                if known in self.lines:
                    return self.lines[known]
            keys = keys[:-1]
        return None

    def to_toml(self) -> str:
        """The problem file: read again under the same name, it is this problem. Raises ``Unsupported``.

        Every number stands in it, those that came from files of arrays too.
        """
        from derive.problem.write import problem_to_toml  # this module is below the writer

        return problem_to_toml(self)

    @classmethod
    def from_equations(
        cls,
        equations: str,
        *,
        given: Mapping[str, Any] | None = None,
        parameters: Mapping[str, Any] | None = None,
        shapes: Mapping[str, Any] | None = None,
        functions: Mapping[str, str] | None = None,
        names: Mapping[str, str] | None = None,
        symbols: Mapping[str, str] | None = None,
        captions: Mapping[str, Any] | None = None,
        ask: Mapping[str, Any] | None = None,
        convention: Mapping[str, Any] | None = None,
        parts: Sequence[Mapping[str, Any]] | None = None,
        title: str | Mapping[str, str] | None = None,
        name: str = "problem",
        folder: str | Path | None = None,
    ) -> Problem:
        """A problem from Python: the tables of a problem file as dicts, checked as a file is.

        A value is a number, nested lists, a NumPy array, or a text (``"1/3"``); a float is read by its ``repr``. A flat
        list or a 1-D array is a row. ``folder`` is where ``{"file": "w.npz", "array": "W1"}`` looks. Raises
        ``ProblemError`` (``equations:3`` is line 3 of ``equations``) and ``Unsupported``.
        """
        from derive.problem.find import problem_from_equations  # this module is below the reader

        return problem_from_equations(
            equations, name=name, folder=folder, title=title, given=given, parameters=parameters, shapes=shapes,
            functions=functions, names=names, symbols=symbols, captions=captions, ask=ask, convention=convention,
            part=parts,
        )  # fmt: skip

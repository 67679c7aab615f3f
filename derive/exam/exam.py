"""An exam as its file says it, read and frozen: questions, what varies in them, and what must hold of every variant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from types import MappingProxyType

from flint import fmpq

from derive.problem.problem import Problem, Text
from derive.records import dataclass

FORMS = ("worked", "matrix", "table", "choice", "judge", "find_error")
PAPERS = ("a4", "us-letter")
_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Numbers:
    """What each entry of a value may be: exact, ascending, each number once."""

    values: tuple[fmpq, ...]


@dataclass(frozen=True, slots=True)
class Activations:
    """What an activation may be: names of elementwise functions of one argument."""

    names: tuple[str, ...]


Domain = Numbers | Activations


@dataclass(frozen=True, slots=True)
class Decimals:
    """At most ``places`` decimals for every exact value of the quantities ``of``, their products and sums included.

    ``of`` has names and derivatives (``"z"``, ``"dE/dW2"``); empty, it means everything that is worked out, and a value
    that is no decimal of ``places`` places at all (an irrational one, say) does not meet it.
    """

    places: int
    of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Require:
    """What must hold of every variant of a question.

    ``kinks`` allows a ReLU (or any other choice between branches) at its kink; ``dead_relu`` is how many layers may
    have no active unit; ``saturation`` bounds the argument of a sigmoid, a tanh or a softmax in size (``None``: no
    bound); ``smallest`` is what the largest entry of every asked derivative has to reach in size, and ``nonzero`` that
    it has an entry other than 0. ``operations`` is by what share the count of operations (of two numbers, without those
    by 0 and 1) may differ from that of the first variant with the same activations: with others the same work has
    another count (zeros of a ReLU are left out), and of these the first variant is another.
    """

    decimals: tuple[Decimals, ...] = ()
    kinks: bool = False
    dead_relu: int = 0
    saturation: fmpq | None = field(default_factory=lambda: fmpq(6))
    smallest: fmpq = field(default_factory=lambda: fmpq(1, 1000))
    nonzero: bool = True
    operations: fmpq = field(default_factory=lambda: fmpq(1, 10))


@dataclass(frozen=True)
class Question:
    """One question on one problem without parts.

    ``steps`` maps each asked quantity to its points, in the order of working: a name (``"h"``), a derivative
    (``"dE/dW2"``) or a parameter after an update (``"W1@1"``); they add up to ``points``. In the form ``"find_error"``
    it is empty. ``form`` is one of ``FORMS``. ``space`` is the answer space on paper in centimetres; ``None`` leaves
    it to the form. With ``blanks`` every asked matrix stands on paper empty, in its shape. ``vary`` maps data and
    parameters to ``Numbers`` and activations (functions that the equations call, or names of equations whose outermost
    function is meant) to ``Activations``.
    """

    id: str
    problem: Problem
    points: fmpq
    steps: Mapping[str, fmpq]
    form: str = "worked"
    text: Text = field(default_factory=lambda: _NOTHING)
    space: fmpq | None = None
    blanks: bool = False
    vary: Mapping[str, Domain] = field(default_factory=dict)
    require: Require = field(default_factory=Require)
    line: int | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Exam:
    """A whole exam. ``name`` is the stem of its files; ``date`` is a line of text, and never the clock.

    ``sources`` holds the texts that it was read from, by the names that it calls them (the exam file itself under
    ``"exam.toml"``): with these it can be read again anywhere.
    """

    name: str
    title: Text
    questions: tuple[Question, ...]
    date: Text = field(default_factory=lambda: _NOTHING)
    instructions: Text = field(default_factory=lambda: _NOTHING)
    languages: tuple[str, ...] = ("en",)
    paper: str = "a4"
    sources: Mapping[str, str] = field(default_factory=dict, compare=False)
    file: str | None = field(default=None, compare=False)

    @property
    def points(self) -> fmpq:
        """The points of all questions."""
        return sum((question.points for question in self.questions), fmpq(0))

    def question(self, id: str) -> Question:
        """The question of that id; ``KeyError`` for any other."""
        return {one.id: one for one in self.questions}[id]

"""A network on its way to becoming a problem: equations under provisional names, and the data they use.

A source draws each step with ``let`` and leaves the naming to the end, when it is known how many layers there are and
what the last step is. What was drawn is then read like any problem file.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any

from derive.errors import ProblemError, Unsupported
from derive.problem.functions import FUNCTIONS
from derive.problem.problem import Problem
from derive.problem.read import problem_from_tables
from derive.problem.sources.rewrite import renamed, replaced, uses
from derive.problem.sources.titles import Titles
from derive.problem.spell import spell
from derive.problem.syntax import Name, Node, Statement, Transpose, walk
from derive.problem.write_equations import equation_lines
from derive.records import dataclass

Size = int | str
Shape = tuple[Size, ...]

MOST_ENTRIES = 1_000_000  # of one array: far beyond what can be printed, and nothing to wait for
MOST_STEPS = 5_000
LONGEST_INSIDE = 60  # characters of an expression that may stand inside another


@dataclass(frozen=True, slots=True)
class Step:
    """One equation: ``role`` says what kind of step it is, and so what letter it gets where it has no name.

    What has ``loop`` is a turn of a loop; its name is a member such as ``h[2]``.
    """

    name: str
    node: Node
    shape: Shape
    role: str = ""
    comment: str = ""
    loop: bool = False


@dataclass(frozen=True, slots=True)
class Datum:
    """One array: its numbers (anything the reader takes), or ``None`` where it is known by its shape alone."""

    name: str
    shape: Shape
    value: Any = None
    trained: bool = False
    role: str = ""
    caption: str = ""
    layer: int = 0


class Draft:
    """Steps and data as a source finds them. ``source`` is what messages call it, ``where`` the place it has got to."""

    def __init__(self, source: str, taken: Collection[str] = ()) -> None:
        self.source, self.where = source, ""
        self.steps: list[Step] = []
        self.data: dict[str, Datum] = {}
        self.layers = 0  # affine steps so far: what the letters are numbered by
        self._count = 0
        self._taken = set(taken)

    # ── what is drawn ───────────────────────────────────────────────────────────────────────────────────────────

    def let(
        self, node: Node, shape: Shape, role: str = "", comment: str = "", name: str | None = None, loop: bool = False
    ) -> Name:
        """A step; gives its name. Without one it is named at the end; a ``soft`` step with one user is not."""
        if len(self.steps) >= MOST_STEPS:
            raise self.error(f"more than {MOST_STEPS} steps")
        found = name or self._provisional()
        self.steps.append(Step(found, node, shape, role, comment, loop))
        return Name(found)

    def datum(
        self, shape: Shape, value: Any = None, *, trained: bool = False, role: str = "", caption: str = "",
        name: str | None = None,
    ) -> Name:  # fmt: skip
        """An array of the problem; gives its name."""
        count = prod(size for size in shape if isinstance(size, int))
        if count > MOST_ENTRIES:
            raise self.error(f"{name or caption or 'an array'} has {count} entries, at most {MOST_ENTRIES} are allowed")
        found = name or self._provisional()
        self.data[found] = Datum(found, shape, value, trained, role, caption, self.layers)
        return Name(found)

    def role(self, name: str, role: str) -> None:
        """Say what a datum is for, where it has no role yet: the weight of the layer that is being drawn, say."""
        datum = self.data.get(name)
        if datum is not None and not datum.role:
            self.data[name] = Datum(
                datum.name, datum.shape, datum.value, datum.trained, role, datum.caption, self.layers
            )

    def relabel(self, name: str, role: str) -> None:
        """Another role for a step: an affine step is found to be logits by what comes behind it."""
        self.steps = [replace(step, role=role) if step.name == name else step for step in self.steps]

    def role_of(self, name: str | None) -> str:
        """The role of a step; empty for what is none."""
        return next((step.role for step in self.steps if step.name == name), "")

    def written(self, node: Node) -> Node:
        """What a name stands for, where it is a step; anything else as it is."""
        return next((step.node for step in self.steps if isinstance(node, Name) and step.name == node.id), node)

    def _provisional(self) -> str:
        self._count += 1
        return f"_{self._count}"  # no name of the language starts so

    # ── what goes wrong ─────────────────────────────────────────────────────────────────────────────────────────

    def error(self, message: str, hint: str | None = None) -> ProblemError:
        """Wrong input, with the place where it stands."""
        return ProblemError(self._placed(message), hint=hint)

    def unsupported(self, message: str, supported: Collection[str] = (), hint: str | None = None) -> Unsupported:
        """What a problem cannot say, with its place and, where that helps, what it can."""
        names = sorted(name for name in supported if not name.startswith("_"))
        said = f"supported are {', '.join(names)}" if names else None
        return Unsupported(self._placed(message), hint=hint or said)

    def _placed(self, message: str) -> str:
        place = f"{self.source}, {self.where}" if self.where else self.source
        return f"{place}: {message}"

    def require(self, function: str) -> None:
        """Raise ``Unsupported`` unless the language has this function by now."""
        row = FUNCTIONS.get(function)
        if row is None or not row.built:
            raise self.unsupported(f"it needs {function}, which is not built yet")

    # ── the end ─────────────────────────────────────────────────────────────────────────────────────────────────

    def problem(self, result: Node, *, transpose: bool = False, tables: Mapping[str, Any], name: str) -> Problem:
        """The problem whose last equation is ``result``; ``tables`` are the rest of its file (title, ask, …).

        With ``transpose`` a parameter that occurs only transposed is stored transposed, so that its layer reads
        ``x @ W + b``.
        """
        steps = self._inlined(self._needed(result), result)
        data = self._used(steps)
        if transpose:
            steps, data = _turned(steps, data)
        names = Titles(steps, data.values(), self._taken).names()
        plain: dict[str, Any] = {key: value for key, value in tables.items() if value}
        plain["equations"] = _equations(steps, names)
        captions = {names[one.name]: one.caption for one in data.values() if one.caption}
        if captions:
            plain["captions"] = captions | dict(plain.get("captions", {}))
        for one in data.values():
            heading = "shapes" if one.value is None else "parameters" if one.trained else "given"
            value = list(one.shape) if one.value is None else one.value
            plain[heading] = {**plain.get(heading, {}), names[one.name]: value}
        trained = [names[one.name] for one in data.values() if one.trained and one.value is None]
        ask = dict(plain.get("ask", {}))
        if trained and "gradients" not in ask and not steps[-1].shape:
            # what is known by its shape alone is in no [parameters], which is what is asked for without a word
            ask["gradients"] = [names[one.name] for one in data.values() if one.trained]
        if ask:
            plain["ask"] = ask
        return problem_from_tables(plain, name=name)

    def _needed(self, result: Node) -> list[Step]:
        """The steps that the result depends on, and those before it that the source named itself."""
        if not isinstance(result, Name) or result.id in self.data:
            result = self.let(result, ())
        wanted = {result.id}
        kept: list[Step] = []
        for step in reversed(self.steps):
            own = bool(kept) and not step.name.startswith("_")  # what comes after the result is left out
            if step.name in wanted or own:
                wanted |= set(uses(step.node))
                kept.append(step)
        return kept[::-1]

    def _inlined(self, steps: Sequence[Step], result: Node) -> list[Step]:
        """Steps of no weight of their own (a scaling, a transpose) stand inside the one equation that uses them."""
        counts: dict[str, int] = {}
        for step in steps:
            for name in uses(step.node):
                counts[name] = counts.get(name, 0) + 1
        inside: dict[str, Node] = {}
        kept = []
        for step in steps:
            node = replaced(step.node, inside)
            soft = step.role == "soft" and step.name != getattr(result, "id", "") and counts.get(step.name) == 1
            if soft and len(spell(node)) < LONGEST_INSIDE:
                inside[step.name] = node
                continue
            kept.append(replace(step, node=node))
        return kept

    def _used(self, steps: Sequence[Step]) -> dict[str, Datum]:
        used = {name for step in steps for name in uses(step.node)}
        return {name: datum for name, datum in self.data.items() if name in used}


def _equations(steps: Sequence[Step], names: Mapping[str, str]) -> str:
    """The text of the equations, the signs of equality in one column; turns of a loop are rolled up."""
    width = max((len(names[step.name]) for step in steps if not step.loop), default=0)
    variable = next(name for name in ("t", "s", "k", "j", "tau") if name not in names.values())
    statements = []
    for step in steps:
        node = renamed(step.node, names)
        source = f"{names[step.name]:<{width}} = {spell(node)}"
        statements.append(Statement(names[step.name], node, source, 0, step.comment, variable if step.loop else ""))
    return "\n".join(equation_lines(statements))


def _turned(steps: Sequence[Step], data: Mapping[str, Datum]) -> tuple[list[Step], dict[str, Datum]]:
    """Parameters that occur as ``W.T`` and in no other way, stored the other way round."""
    import numpy

    bare: dict[str, int] = {}
    turned: dict[str, int] = {}
    for step in steps:
        for node in walk(step.node):
            if isinstance(node, Name):
                bare[node.id] = bare.get(node.id, 0) + 1
            elif isinstance(node, Transpose) and isinstance(node.operand, Name):
                turned[node.operand.id] = turned.get(node.operand.id, 0) + 1
    names = {
        one.name
        for one in data.values()
        if one.trained and len(one.shape) == 2 and turned.get(one.name) == bare.get(one.name)
    }
    stored = {
        key: Datum(key, one.shape[::-1], None if one.value is None else numpy.array(one.value, dtype=object).T.tolist(),
                   one.trained, one.role, f"{one.caption}, transposed" if one.caption else "", one.layer)
        if key in names else one
        for key, one in data.items()
    }  # fmt: skip
    straight: dict[Node, Node] = {Transpose(Name(name)): Name(name) for name in names}
    return [replace(s, node=replaced(s.node, {}, straight)) for s in steps], stored

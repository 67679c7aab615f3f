"""Some quantities and what they rest on: the part of a solution from which the rest has been left out.

What a derivative rests on is read off the adjoint equations: the derivatives and values that its formula names, and
what these are made of in turn. The equations up to the loss are stated, since a derivative of the loss says nothing
without them; only what the quantities rest on is worked out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from derive.calculus.closed_form import named_values
from derive.errors import ProblemError, Unsupported
from derive.graph.expression import Adjoint, Expression
from derive.graph.network import Network
from derive.problem.problem import Problem
from derive.problem.wording import hint, listing
from derive.records import dataclass
from derive.report.catalogue import Catalogue
from derive.report.document import Math, Spans
from derive.report.notation import Symbols
from derive.solution import Part
from derive.solution.asked import Asked, Ratio
from derive.solution.derivation import Derivation

UPDATED = "@1"  # behind a parameter: its value after the first update
LONGEST_STEM = 60  # characters that quantities may add to the name of a file


@dataclass(frozen=True)
class Excerpt:
    """``part`` without what nobody wants; ``worked`` are the names whose values are found, the others are stated.

    ``symbols`` are those of the whole solution, so that a name looks the same in both; ``wanted`` are the quantities.
    """

    part: Part
    worked: frozenset[str]
    symbols: Symbols
    wanted: tuple[Wanted, ...]

    def listed(self, words: Catalogue) -> Spans:
        """The quantities, by their symbols."""
        return words.listed(self._symbol(one, words) for one in self.wanted)

    def _symbol(self, one: Wanted, words: Catalogue) -> Spans:
        name = self.symbols.name
        if one.kind == "updated":
            return words.say("detail.updated", name=Math(name(one.name)))
        if one.kind == "value":
            return (Math(name(one.name)),)
        return (Math(self.symbols.partial(name(one.of), name(one.name))),)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A quantity: ``kind`` is ``value``, ``gradient``, ``ratio`` or ``updated``; ``name`` is what ``of`` is by."""

    text: str
    kind: str
    name: str
    of: str = ""


def quantities(only: str | Iterable[str]) -> tuple[str, ...]:
    """``"h, dE/dW2"`` as ``("h", "dE/dW2")``, each once. Raises ``ProblemError`` for an empty one."""
    texts = [text.strip() for item in ((only,) if isinstance(only, str) else only) for text in item.split(",")]
    if "" in texts:
        raise ProblemError("an empty name among the quantities of only")
    return tuple(dict.fromkeys(texts))


def stem(texts: Sequence[str]) -> str:
    """The quantities as part of a file's name: ``dE-dW2-h``."""
    joined = "-".join(re.sub(r"[^A-Za-z0-9_]+", "-", text.replace(UPDATED, "-updated")).strip("-") for text in texts)
    return joined if len(joined) <= LONGEST_STEM else f"{joined[:LONGEST_STEM].rstrip('-_')}-etc"


def excerpts(parts: Sequence[Part], texts: Sequence[str]) -> list[Excerpt]:
    """For each part that has one of the quantities what these rest on.

    Raises ``ProblemError`` for a quantity that no part has, with the nearest that there is, and ``Unsupported`` for the
    update by a rule with a memory, which is told whole or not at all.
    """
    there = [{one.text: one for one in _there(part)} for part in parts]
    for text in texts:
        if not any(text in known for known in there):
            raise _unknown(text, parts, list(dict.fromkeys(name for known in there for name in known)))
    return [
        _excerpt(part, tuple(known[text] for text in texts if text in known))
        for part, known in zip(parts, there, strict=True)
        if any(text in known for text in texts)
    ]


def _unknown(text: str, parts: Sequence[Part], known: Sequence[str]) -> ProblemError:
    update = next((part.problem.ask.update for part in parts if part.problem.ask.update is not None), None)
    if update is not None and not update.plain and text.removesuffix(UPDATED) in update.rates:
        return Unsupported(f"{text}: an update by {update.rule} alone is not built; leave --only out")
    if text in {second for part in parts for second in part.asked.seconds}:
        return Unsupported(f"{text}: a second derivative alone is not built; leave --only out")
    tip = hint(text, known) or f"there are {listing(known, 'and')}"
    return ProblemError(f"there is no quantity {text!r} in this solution", hint=tip)


def _there(part: Part) -> Iterator[Wanted]:
    """Every quantity of a part."""
    for name in (*part.network.data, *(str(equation.name) for equation in part.network.equations)):
        yield Wanted(name, "value", name)
    if part.derivation is not None:
        for adjoint in part.derivation.adjoints:
            yield Wanted(str(adjoint), "gradient", adjoint.by, adjoint.of)
    for ratio in part.asked.ratios:
        yield Wanted(ratio.text, "ratio", ratio.by, ratio.of)
    update = part.problem.ask.update
    if update is not None and update.plain and part.numeric and part.asked.top is not None:
        for name in update.moving:
            yield Wanted(f"{name}{UPDATED}", "updated", name)


# ── what it rests on ────────────────────────────────────────────────────────────────────────────────────────────


def _excerpt(part: Part, wanted: tuple[Wanted, ...]) -> Excerpt:
    network, derivation = part.network, part.derivation
    by = tuple(one.name for one in wanted if one.kind in ("gradient", "updated"))
    ratios = tuple(ratio for one in wanted if one.kind == "ratio" and (ratio := part.ratio(one.text)) is not None)
    values = {one.name for one in wanted if one.kind in ("value", "updated")}
    back: set[str] = set()  # names by which the derivative is needed
    if derivation is not None:
        back, used = _behind([derivation.adjoint(name) for name in by], derivation.adjoints)
        values |= used
    for ratio in ratios:
        values |= _of_ratio(part, ratio)
    worked = _made_of(network, values)
    tops = [upstream.at for upstream in part.problem.ask.upstream] or [str(part.asked.top)]
    stated = worked | _made_of(network, {*(tops if by else ()), *back, *(ratio.of for ratio in ratios)})
    moved = {one.name for one in wanted if one.kind == "updated"}
    changed = {
        "network": replace(
            network,
            data={name: datum for name, datum in network.data.items() if name in stated},
            equations=tuple(equation for equation in network.equations if equation.name in stated),
        ),
        "asked": Asked(part.asked.loss if by else None, part.asked.top if by else None, by, ratios),
        "derivation": _restricted(part, back) if by else None,
        "ratios": {ratio.text: part.ratios[ratio.text] for ratio in ratios},
        "chains": {text: ways for text, ways in part.chains.items() if text in {one.text for one in wanted}},
        "problem": _asking(part, moved),
        "checks": tuple(check for check in part.checks if _bears(part, check.of, check.check, worked, back, wanted)),
        "kinks": tuple(kink for kink in part.kinks if kink.name in worked),
        **dict.fromkeys(("history", "training", "convergence", "gates", "quiz", "further", "batch", "opening")),
    }
    return Excerpt(Part(**{**part.__dict__, **changed}), worked, Symbols(part.problem, network), wanted)


def _made_of(network: Network, names: Iterable[str]) -> frozenset[str]:
    """Names and all that they rest on; a cross-entropy is printed with the softmax that has a name."""
    named = named_values(network)
    found: frozenset[str] = frozenset()
    waiting = set(names)
    while waiting:
        found = found.union(*(network.ancestors(name) for name in waiting))
        nodes = (node for e in network.equations if e.name in found for node in e.value.nodes())
        softmaxes = (
            named.get(Expression("softmax", node.args[:1], node.at[:1], node.args[0].shape))
            for node in nodes
            if node.op == "cross_entropy"
        )
        waiting = {str(one.name) for one in softmaxes if one is not None} - found
    return found


def _behind(starts: Iterable[Adjoint], adjoints: Mapping[Adjoint, Expression]) -> tuple[set[str], set[str]]:
    """The names by which derivatives are needed for these, and the values that stand in their formulas."""
    back: set[str] = set()
    values: set[str] = set()
    waiting = list(starts)
    while waiting:
        adjoint = waiting.pop()
        plain = replace(adjoint, negative=False)  # an error signal is defined by the derivative that it stands for
        if plain.by in back or plain not in adjoints:
            continue
        back.add(plain.by)
        for name in adjoints[plain].names():
            if isinstance(name, Adjoint):
                waiting.append(name)
            else:
                values.add(str(name))
    return back, values


def _of_ratio(part: Part, ratio: Ratio) -> set[str]:
    """The values that stand in a ratio's formulas."""
    adjoints = part.ratios[ratio.text].adjoints
    found = {str(name) for value in adjoints.values() for name in value.names() if not isinstance(name, Adjoint)}
    factors = (factor for way in part.chains.get(ratio.text, ()) for factor in way.factors)
    return found | {str(name) for factor in factors for name in factor.value.names()}


def _restricted(part: Part, back: set[str]) -> Derivation:
    """The derivation without the derivatives that are not needed."""
    derivation = part.derivation
    assert derivation is not None
    return replace(
        derivation,
        steps=tuple(
            step for step in derivation.steps if isinstance(step.quantity, Adjoint) and step.quantity.by in back
        ),
        adjoints={adjoint: value for adjoint, value in derivation.adjoints.items() if adjoint.by in back},
    )


def _asking(part: Part, moved: set[str]) -> Problem:
    """The problem without the sections that it asks for; of the update what belongs to the parameters in ``moved``."""
    ask, update = part.problem.ask, part.problem.ask.update
    if update is not None:
        rates = {name: rate for name, rate in update.rates.items() if name in moved}
        update = replace(update, rates=rates, steps=1, show=()) if rates else None
    ask = replace(ask, update=update, train=None, shapes=False, graph=False, costs=False, code=False, quiz=None)
    return replace(part.problem, ask=ask)


def _bears(part: Part, of: str, kind: str, worked: frozenset[str], back: set[str], wanted: Sequence[Wanted]) -> bool:
    """Whether a check is one of a quantity that is worked out."""
    if kind in ("history", "memory", "first_iteration", "gates", "batch", "quotients", "fused"):
        return kind == "fused" and of.rpartition("/d")[2] in back
    if kind == "updates":
        return any(one.kind == "updated" and one.name == of for one in wanted)
    top = part.derivation.of if part.derivation is not None else None
    if of == f"d{top}":  # the derivation as a whole
        return bool(back)
    if of in {one.text for one in wanted}:
        return True
    return of in worked or (top is not None and of.startswith(f"d{top}/d") and of[len(f"d{top}/d") :] in back)

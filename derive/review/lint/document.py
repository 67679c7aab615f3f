"""A document linted: every chain of its formulas, link by link."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from flint import fmpq

from derive.errors import ProblemError
from derive.numbers.balls import Number, precision
from derive.records import dataclass
from derive.review.lint.atoms import known_function
from derive.review.lint.chains import OTHER, RELATIONS, Chain, Side, chains
from derive.review.lint.evaluate import Evaluator, Nameless, literally
from derive.review.lint.judge import RIGHT, UNREAD, WRONG, Digits, Judge, Printed, Verdict, cost
from derive.review.lint.parser import Parser
from derive.review.lint.shown import number
from derive.review.lint.source import Formula, Heading, formulas
from derive.review.lint.tokens import SPELLED, tokens
from derive.review.lint.tree import Misfit, Node, Unread
from derive.review.lint.values import Value, meets, scalar

if TYPE_CHECKING:
    from derive.review.lint.vocabulary import Vocabulary

BITS = 128
LONGEST_LINK = 160
MOST_LINKS = 50_000
"""Relations of a document that is still read."""

_RELATION = re.compile("|".join(map(re.escape, (*RELATIONS, *SPELLED))))


@dataclass(frozen=True, slots=True)
class Link:
    """A relation of the document: where it stands (line from 1), both of its sides as printed, what became of it."""

    line: int
    left: str
    relation: str
    right: str
    verdict: Verdict

    @property
    def text(self) -> str:
        """Both sides and the relation in one line, shortened where it is long."""
        whole = f"{self.left} {self.relation} {self.right}".strip()
        return whole if len(whole) <= LONGEST_LINK else whole[: LONGEST_LINK - 2] + " …"


@dataclass(frozen=True, slots=True)
class Linted:
    """The links of a document in their order, and where it is."""

    file: str
    links: tuple[Link, ...]

    def count(self, kind: str) -> int:
        """How many links have a verdict."""
        return sum(link.verdict.kind == kind for link in self.links)

    @property
    def wrong(self) -> tuple[Link, ...]:
        """The links that cannot be right."""
        return tuple(link for link in self.links if link.verdict.kind == WRONG)

    @property
    def unread(self) -> dict[str, int]:
        """How many links are not read, by reason."""
        found: dict[str, int] = {}
        for link in self.links:
            if link.verdict.kind == UNREAD:
                found[link.verdict.why] = found.get(link.verdict.why, 0) + 1
        return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))


class Scene(Protocol):
    """What is known of a document's names, from its top down; see ``scenes.Known``."""

    def heading(self, heading: Heading) -> None:
        """A new section."""

    def vocabularies(self) -> Sequence[Vocabulary]:
        """The symbols that may be meant here, the likeliest first."""

    def function(self, vocabulary: Vocabulary, name: Any, primes: int) -> Callable[[Number], Number]:
        """A function, with the parameters that it has in the problem. Raises ``Unread``."""

    def judged(self, sides: Sequence[Printed], vocabulary: Vocabulary) -> list[Verdict]:
        """The verdicts on a chain whose sides have been read with these symbols."""


def lint_text(text: str, *, markdown: bool, file: str = "", scene: Scene | None = None) -> Linted:
    """Judges every chain of a document. Raises ``ProblemError`` for formulas that do not end."""
    links: list[Link] = []
    with precision(BITS):
        for piece in formulas(text, markdown, file or None):
            if isinstance(piece, Heading):
                if scene is not None:
                    scene.heading(piece)
            elif _RELATION.search(piece.text):
                links += _formula(piece, scene)
                if len(links) > MOST_LINKS:
                    raise ProblemError(f"the document has more than {MOST_LINKS:,} relations", file=file or None)
    return Linted(file, tuple(links))


def _formula(formula: Formula, scene: Scene | None) -> Iterator[Link]:
    try:
        found = tokens(formula.text)
    except Unread as reason:
        yield Link(formula.line, _short(formula.text), "", "", Verdict(UNREAD, reason.reason, reason.what))
        return
    read = False
    for chain in chains(found):
        read = True
        try:
            verdicts = list(_chain(chain, scene, formula.proof))
        except RecursionError:
            verdicts = [Verdict(UNREAD, "too deep")] * (len(chain.sides) - 1)
        for k, verdict in enumerate(verdicts, start=1):
            # What stands beside a side that was not read is judged by what the chain began with, and shown beside it.
            unread = k > 1 and verdicts[k - 2].kind == UNREAD and verdict.kind != UNREAD
            left, right = (_slice(formula, side) for side in (chain.sides[0 if unread else k - 1], chain.sides[k]))
            place = next((side.tokens[0].start for side in (chain.sides[k], chain.sides[k - 1]) if side.tokens), 0)
            line = formula.line + formula.text.count("\n", 0, place)
            yield Link(line, left, chain.sides[k].relation, right, verdict)
    if not read and len(found) > 1 and any(token.text in RELATIONS for token in found):
        yield Link(formula.line, _short(formula.text), "", "", Verdict(UNREAD, "syntax"))


def _slice(formula: Formula, side: Side) -> str:
    if not side.tokens:
        return ""
    return _short(formula.text[side.tokens[0].start : side.tokens[-1].end])


def _short(text: str) -> str:
    text = " ".join(text[: 4 * LONGEST_LINK].split())
    return text if len(text) <= LONGEST_LINK else text[: LONGEST_LINK - 2] + " …"


def _chain(chain: Chain, scene: Scene | None, proof: bool) -> Iterator[Verdict]:
    count = len(chain.sides) - 1
    if proof or chain.general:
        yield from [Verdict(UNREAD, "proof" if proof else "general")] * count
        return
    defined = _definition(chain, scene)
    if defined is not None:
        yield from defined
        return
    if scene is None:
        sides = [read(side) for side in chain.sides]
        yield from Judge(sides, None, Digits()).verdicts()
        return
    best: list[Verdict] | None = None
    for vocabulary in scene.vocabularies():
        sides = [read(side, vocabulary) for side in chain.sides]
        found = scene.judged(sides, vocabulary)
        if best is None or cost(found) < cost(best):
            best = found
        if cost(best) == (0, 0):
            break
    yield from best or [Verdict(UNREAD, "symbolic")] * count


def read(side: Side, vocabulary: Vocabulary | None = None) -> Printed:
    """A side with its tree, or with the reason why there is none."""
    texts = side.texts
    try:
        if not texts:
            raise Unread("syntax", "")
        other = next((text for text in texts if text in OTHER), None)
        names: Any = vocabulary.names if vocabulary else {}
        own: Any = vocabulary.own if vocabulary else {}
        taken = vocabulary.taken if vocabulary else frozenset()
        try:
            return Printed(side.relation, Parser(texts, names, own, taken).read())
        except Unread as reason:
            if other is not None and reason.reason in ("syntax", "unknown macro", "symbolic"):
                raise Unread("relation", other) from None
            raise
    except Unread as reason:
        return Printed(side.relation, None, reason)
    except RecursionError:
        return Printed(side.relation, None, Unread("too deep", ""))


# ── definitions of functions ────────────────────────────────────────────────────────────────────────────────────

Functions = Callable[[Any, int], Callable[[Number], Number]]
_POINTS = (fmpq(3, 10), fmpq(-7, 5), fmpq(9, 4))


class _AtPoint(Nameless):
    """The letter of a definition stands for a number."""

    def __init__(self, number: fmpq, functions: Functions | None) -> None:
        self.number, self.functions = number, functions

    def value(self, key: Any) -> Value:
        """The number."""
        return scalar(self.number)

    def function(self, name: Any, primes: int) -> Callable[[Number], Number]:
        """A function as the problem has it, where there is one."""
        return self.functions(name, primes) if self.functions is not None else super().function(name, primes)


def _definition(chain: Chain, scene: Scene | None) -> list[Verdict] | None:
    r"""The verdicts on ``\sigma(z) = …``, at three values of its letter; ``None`` where a chain is no definition."""
    first = chain.sides[0].texts
    match = re.fullmatch(r"([^()]+)\(([a-z])\)", "".join(first))
    if match is None or match[1].rstrip("'") == "":
        return None
    names = {(match[2],): "argument"}
    symbol = first[: first.index("(")]
    while symbol and symbol[-1] == "'":
        symbol = symbol[:-1]
    functions: Functions | None = None
    own: Any = {}
    if scene is not None:
        vocabulary = next(iter(scene.vocabularies()))
        own, functions = vocabulary.own, partial(scene.function, vocabulary)
    if symbol not in own and not known_function(first):
        return None
    sides = [_read_definition(side, names, own) for side in chain.sides]
    found: list[Verdict] = []
    for side in sides[1:]:
        if side.tree is None or sides[0].tree is None:
            reason = side.unread or sides[0].unread
            assert reason is not None
            found.append(Verdict(UNREAD, "definition", reason.what))
        else:
            found.append(_at_points(sides[0].tree, side.tree, functions))
    return found


def _read_definition(side: Side, names: Any, own: Any) -> Printed:
    try:
        return Printed(side.relation, Parser(side.texts, names, own).read())
    except Unread as reason:
        return Printed(side.relation, None, reason)


def _at_points(left: Node, right: Node, functions: Functions | None) -> Verdict:
    for point in _POINTS:
        evaluator = Evaluator(_AtPoint(point, functions), literally)
        try:
            a, b = evaluator.value(left), evaluator.value(right)
        except Unread:
            return Verdict(UNREAD, "definition")
        except Misfit as reason:
            return Verdict(WRONG, "sizes", str(reason))
        if not (a.lone and b.lone):
            return Verdict(UNREAD, "definition")
        if not meets(a.entries[0], b.entries[0]):
            return Verdict(WRONG, "definition", number(b.entries[0]), number(a.entries[0]))
    return Verdict(RIGHT, "definition")

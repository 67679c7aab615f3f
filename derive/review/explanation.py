"""Why a printed value may be what it is: one slip, where it happened, and how little it assumes."""

from __future__ import annotations

from derive.graph.expression import Expression
from derive.records import dataclass
from derive.review.evidence import Observed
from derive.review.simulation import Change

# How much an explanation assumes. What other printed numbers bear out comes first, what explains anything last.
PLAIN, EVERYDAY, RARER, MISPRINT = 0, 1, 2, 4


@dataclass(frozen=True, slots=True)
class Explanation:
    """One slip, under the key ``kind`` of its sentence.

    ``quantity`` is what was worked out wrongly; ``wrong`` was written where ``right`` should stand, and ``place`` is
    where in it. ``entry`` is set where a single entry is concerned, ``names`` are what else the sentence names
    (parameters; another part or quantity). ``kept`` and ``dropped`` count the paths of a sum, and ``paths`` says which
    were dropped, by their places in ``Paths.full``. ``besides`` is the other slip of a pair, which is looked for only
    where no single slip explains a value. ``goes_on`` says whether later values follow from the slip.
    """

    kind: str
    quantity: str
    cost: int
    change: Change
    right: Expression | None = None
    wrong: Expression | None = None
    place: Expression | None = None
    entry: tuple[int, ...] | None = None
    names: tuple[str, ...] = ()
    paths: tuple[int, ...] = ()
    kept: int = 0
    besides: Explanation | None = None

    @property
    def goes_on(self) -> bool:
        """Whether later values follow from it."""
        return not self.change.only_here


@dataclass(frozen=True, slots=True)
class Finding:
    """What explains some of the wrong values.

    ``classes`` are ranked by how little they assume; the numbers cannot tell the explanations of one class apart.
    """

    explains: tuple[Observed, ...]
    classes: tuple[tuple[Explanation, ...], ...]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The findings in the order in which the values were worked out, and the wrong values that nothing explains."""

    findings: tuple[Finding, ...] = ()
    unexplained: tuple[Observed, ...] = ()

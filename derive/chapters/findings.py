"""What is said of a printed number: its verdict and the reasons, in a language, for a terminal or a page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from derive.records import dataclass
from derive.report.catalogue import Catalogue
from derive.report.document import Figure, Math, Span, Spans, Text

RIGHT = ("agrees", "carried")  # verdicts of numbers that may stand
NOTHING: Mapping[str, Spans] = MappingProxyType({})

_PLAIN = re.compile(r"([+-]?[0-9]+(?:\.[0-9]+)?|[+-]?\.[0-9]+)(?:[eE]([+-]?[0-9]+))?")
_FRACTION = re.compile(r"([+-]?)(?:\\[dt]?frac\{([0-9]+)\}\{([0-9]+)\}|([0-9]+)/([0-9]+))")


@dataclass(frozen=True, slots=True)
class Finding:
    """A printed number and what was found.

    ``quantity`` is a name, a gradient or a ratio, ``update`` the number of updates before it. ``entry`` counts from 0
    and stands where the equations have it, empty for a scalar; of a Jacobian it is row and column. ``verdict`` is
    ``"agrees"``, ``"carried"``, ``"consistent"``, ``"wrong"`` or ``"undecided"``. ``right`` has as many digits as are
    printed, ``decimals`` of them behind the point, and ``full`` has ten. ``inherits`` names the claims that the error
    comes from; ``slips`` are sentences on what went wrong, ``picture`` draws it. ``note`` and ``place`` are the claim's
    own words. The other fields are those of a verdict.
    """

    id: str
    quantity: str
    entry: tuple[int, ...]
    printed: str
    right: str
    full: str
    verdict: str
    decimals: int = 0
    part: str | None = None
    update: int | None = None
    negated: bool = False
    jacobian: bool = False
    follows: bool = True
    carried: str | None = None
    literal: str | None = None
    unread: str | None = None
    survives: bool = False
    inherits: tuple[str, ...] = ()
    slips: tuple[Spans, ...] = ()
    picture: Figure | None = None
    place: str = ""
    note: str = ""


def reasons(
    finding: Finding,
    words: Catalogue,
    *,
    told: bool = False,
    alternatives: bool = True,
    named: Mapping[str, Spans] = NOTHING,
) -> Iterator[Spans]:
    """Why a number does not stand, sentence by sentence; of one that does, only what a reader may stumble over.

    With ``told`` the verdict itself stands somewhere else, and without ``alternatives`` the slips do that are not told
    apart. ``named`` says what other claims are called.
    """
    if finding.survives:
        yield words.say("errata.survives")
    elif finding.verdict == "wrong" and not finding.follows:
        yield words.say("errata.says_arithmetic")
    elif finding.verdict in ("consistent", "wrong") and not told:
        yield words.say(f"errata.says_{finding.verdict}")
    elif finding.verdict == "undecided":
        yield words.say("errata.doubtful")
    if finding.inherits:
        yield words.say(
            "errata.inherits", claims=words.listed(named.get(claim, (Text(claim),)) for claim in finding.inherits)
        )
    if finding.literal is not None:
        yield words.say("errata.literal", value=number(finding.literal))
    if finding.carried is not None and finding.verdict == "agrees":
        yield words.say("errata.by_hand", value=number(finding.carried))
    if finding.unread is not None:
        yield words.say("errata.unread", why=finding.unread)
    yield from finding.slips[: len(finding.slips) if alternatives else 1]


def number(text: str) -> Span:
    """A number as a formula; what is written in another way stays the text that it is."""
    if match := _PLAIN.fullmatch(text):
        return Math(match[1] if match[2] is None else rf"{match[1]} \times 10^{{{int(match[2])}}}")
    if match := _FRACTION.fullmatch(text):
        return Math(rf"{match[1]}\frac{{{match[2] or match[4]}}}{{{match[3] or match[5]}}}")
    return Text(text)

"""``paths`` under ``[ask]``: the gradient entries whose paths to the loss are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from derive.problem.places import Places
from derive.problem.problem import Traced
from derive.problem.questions import read_entry

if TYPE_CHECKING:
    from derive.problem.ask import Known

TRACED_KEYS = ("of", "entry")
USAGE = 'paths = { of = "W1", entry = [1, 2] }'


def read_traced(value: object, known: Known, places: Places) -> tuple[Traced, ...]:
    """The entries in their order; none for ``false``. Raises ``ProblemError``."""
    if value is False:
        return ()
    found: list[Traced] = []
    for table, here in places.tables(value, TRACED_KEYS, "ask", "paths", hint=USAGE):
        of = table.get("of")
        if not isinstance(of, str):
            raise places.error("paths needs of, the name of what the loss is differentiated by", *here, hint=USAGE)
        if of not in known.names and known.complete:
            raise places.unknown("paths names what does not exist:", of, known.names, *here, "of")
        wish = Traced(of, read_entry(table.get("entry", ()), of, known, places, (*here, "entry")))
        if wish in found:
            raise places.error(f"paths has the same entry of {of} twice", *here)
        found.append(wish)
    return tuple(found)

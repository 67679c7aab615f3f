"""What is printed entry by entry is held to the matrix rule, in certified numbers, before it is printed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy

from derive.calculus.explicit import Entry
from derive.calculus.paths import Paths
from derive.graph.expression import Adjoint
from derive.numbers.balls import overlaps
from derive.solution.checks import Check, require
from derive.solution.elementwise import enclosed

if TYPE_CHECKING:
    from derive.solution.part import Part


def _whole(paths: Paths, entry: Entry) -> sympy.Expr:
    return paths.total(paths.short(entry))


def path_sums(part: Part) -> Iterator[Check]:
    """The paths of every entry of every derivative add up to the entry of the matrix rule."""
    explicit, paths, derivation = part.explicit, part.paths, part.derivation
    if explicit is None or paths is None or derivation is None or not part.numeric:
        return
    for adjoint in derivation.adjoints:
        name = adjoint.by
        certified: Any = part.run.value(Adjoint(adjoint.of, name))
        if paths.is_top(Entry(name, (0,) * certified.ndim)):
            continue
        for index in np.ndindex(certified.shape):
            entry = Entry(name, index)
            whole = explicit.once(("paths", entry), partial(_whole, paths, entry))
            added = enclosed(part, whole)
            place = f"{Adjoint(adjoint.of, name)}[{','.join(str(k + 1) for k in index)}]"
            require(
                Check("paths", place, overlaps(added, certified[index]), ""),
                f"{place}: its paths add up to {added}, the matrix rule gives {certified[index]}",
            )
        yield Check("paths", str(Adjoint(adjoint.of, name)), True, f"{certified.size} of {certified.size}")

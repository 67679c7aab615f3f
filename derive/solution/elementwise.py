"""SymPy as a witness: small networks entry by entry.

Three facts for each gradient. Locally: what all users of an entry hand back, each by SymPy's derivative of its
right-hand side, is the entry of the matrix rule. As a whole: the sum over paths is SymPy's derivative of the loss
written out in full. In numbers: SymPy's expressions with the numbers put in agree with the certified values.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy
from flint import arb, fmpq

from derive.calculus.explicit import Entry, Explicit
from derive.calculus.functions import rational, rational_of
from derive.calculus.numeric import compiled
from derive.calculus.paths import Paths
from derive.calculus.rate import along, rate, speeds
from derive.calculus.vanish import vanishes
from derive.graph.expression import Adjoint
from derive.graph.network import Network
from derive.graph.ops import FUNCTIONS
from derive.graph.ops.windows import work
from derive.numbers.balls import Number, UndecidedSign, overlaps, precision, settle
from derive.records import dataclass
from derive.solution.checks import Check, require
from derive.solution.values import MOST_BITS, START_BITS

if TYPE_CHECKING:
    from derive.solution.part import Part

WRITTEN_OUT = ("softmax", "inv", "det", "logdet", "norm")  # what a derivative is written with by its name
MOST_ROWS = 3  # of a matrix whose determinant or inverse is written out
MOST_ENTRIES = 240  # entries of all names of a network that is small enough to be written out
MOST_TERMS = 1200  # terms of all products of matrices in it
MOST_WHOLE = 24  # entries whose derivative is compared with the loss written out in full
LONGEST_WHOLE = 200  # operations of a loss that is written out in full
DEEPEST_WHOLE = 12  # equations of a network whose loss is written out in full


def is_small(network: Network) -> bool:
    """Whether every entry of a network can be written out."""
    entries = terms = 0
    for name in (*network.data, *(str(equation.name) for equation in network.equations)):
        shape = network.shape(name)
        if any(isinstance(size, str) for size in shape):
            return False
        entries += math.prod(map(int, shape))
    for equation in network.equations:
        for node in equation.value.nodes():
            if node.op in ("inv", "det", "logdet") and int(node.args[0].shape[0]) > MOST_ROWS:
                return False
            if node.op == "matmul":
                terms += math.prod(map(int, (*node.shape, node.args[0].shape[1])))
            terms += work(node)
    return entries <= MOST_ENTRIES and terms <= MOST_TERMS


Open = tuple[tuple[int, ...], sympy.Expr, sympy.Expr]  # an entry, SymPy's derivative and the rule's


@dataclass(frozen=True, slots=True)
class Proof:
    """What SymPy shows of a derivative for all numbers: of ``size`` entries so many, and those that are left open."""

    check: str
    of: str
    shown: int
    size: int
    open: tuple[Open, ...] = ()


def proofs(part: Part, shown: tuple[Proof, ...] | None = None) -> Iterator[Check]:
    """The local and the whole proof of every adjoint. What cannot be shown is judged by numbers and said to be.

    ``shown`` is what ``proved`` gave for the same formulas, perhaps with other numbers.
    """
    for proof in proved(part) if shown is None else shown:
        for index, slope, rule in proof.open:
            _same_numbers(part, proof.check, proof.of, index, slope, rule)
        yield Check(proof.check, proof.of, True, f"{proof.shown} of {proof.size}")


def proved(part: Part) -> Iterator[Proof]:
    """What SymPy shows without any number."""
    explicit, paths, derivation = part.explicit, part.paths, part.derivation
    if explicit is None or paths is None or derivation is None:
        return
    for adjoint in derivation.adjoints:
        name = adjoint.by
        rule = explicit.entries(part.shape_adjoints[Adjoint(adjoint.of, name)])
        if paths.is_top(Entry(name, ())):
            continue
        found: list[Open] = []
        for index in np.ndindex(rule.shape):
            local = _handed_back(paths, Entry(name, index))
            if not equal(part, local, rule[index]):
                found.append((index, local, rule[index]))
        yield Proof("sympy_local", str(Adjoint(adjoint.of, name)), rule.size - len(found), rule.size, tuple(found))
    if part.asked.loss is not None:
        yield from _whole(part, explicit, paths, part.asked.loss)


def _handed_back(paths: Paths, entry: Entry) -> sympy.Expr:
    return sympy.Add(
        *(
            factor.value * (1 if paths.is_top(factor.of) and not paths.tops else paths.adjoint(factor.of))
            for factor in paths.local(entry)
        )
    )


def _whole(part: Part, explicit: Explicit, paths: Paths, loss: str) -> Iterator[Proof]:
    """The sum over all paths against SymPy's derivative of the loss in terms of data and parameters alone."""
    if len(part.network.equations) > DEEPEST_WHOLE:
        return
    sums: dict[str, dict[tuple[int, ...], sympy.Expr]] = {}
    for name in part.asked.gradients:
        if name in part.network.data:
            sums[name] = {}
            for index in itertools.islice(np.ndindex(explicit.symbols(name).shape), MOST_WHOLE):
                found = paths.full(Entry(name, index))
                if found is None:
                    break
                sums[name][index] = paths.total(found)
    if not any(sums.values()):
        return
    written = part.written_out(explicit.symbols(loss).ravel()[0])
    if written is None:
        return
    moving = speeds(explicit.symbols(name)[index] for name, entries in sums.items() for index in entries)
    whole = rate(written, moving)
    for name, entries in sums.items():
        symbols = explicit.symbols(name)
        if not entries:
            continue
        # All entries of a gradient in one proof; where that fails, one by one.
        of_name = {symbols[index] for index in entries}
        slopes = whole.xreplace({v: sympy.S.Zero for x, v in moving.items() if x not in of_name})
        by_paths = {index: explicit.written_out(entry) for index, entry in entries.items()}
        left: list[Open] = []
        if not equal(part, slopes, sympy.Add(*(moving[symbols[index]] * entry for index, entry in by_paths.items()))):
            for index, entry in by_paths.items():
                slope = along(slopes, moving, symbols[index])
                if not equal(part, slope, entry):
                    left.append((index, slope, entry))
        yield Proof("sympy_whole", f"d{loss}/d{name}", len(entries) - len(left), symbols.size, tuple(left))


def equal(part: Part, a: sympy.Expr, b: sympy.Expr) -> bool:
    """Whether SymPy shows two entries equal, given that labels add up to 1.

    They are tried as they stand, and then with the values that equations have named and the formulas of the functions.
    """
    explicit, paths = part.explicit, part.paths
    assert explicit is not None
    assert paths is not None
    last = {labels[-1]: 1 - sympy.Add(*labels[:-1]) for labels in paths.samples}
    difference = (a - b).xreplace(last) if last else a - b
    if vanishes(difference):
        return True
    functions = [str(e.name) for e in part.network.equations if e.value.op in (*WRITTEN_OUT, *FUNCTIONS)]
    spelled = explicit.with_definitions(explicit.written_out(difference, functions))
    return spelled != difference and vanishes(spelled)


def _same_numbers(part: Part, check: str, of: str, index: tuple[int, ...], a: sympy.Expr, b: sympy.Expr) -> None:
    """Where SymPy does not show two entries equal, their numbers decide: two balls that have to meet."""
    if not part.numeric:
        return
    first, second = enclosed(part, a), enclosed(part, b)
    entry = f"{of}[{','.join(str(k + 1) for k in index)}]"
    require(
        Check(check, of, overlaps(first, second), ""),
        f"{entry}: SymPy's derivative gives {_shown(first)}, the rule gives {_shown(second)}",
    )


def enclosed(part: Part, expression: sympy.Expr) -> Number:
    """A SymPy expression in entry symbols at the numbers of a part, with more bits until its branches are decided."""
    assert part.explicit is not None
    entry_of, bits = part.explicit.entry_of, 2 * START_BITS
    evaluated, symbols = part.explicit.once(
        ("compiled", expression), lambda: (compiled(expression), tuple(expression.free_symbols))
    )
    while True:
        known = {s: part.run.value(entry_of[s].name, bits)[entry_of[s].index] for s in symbols}
        try:
            with precision(bits):
                return settle(evaluated(known))
        except UndecidedSign:
            if bits >= MOST_BITS:
                raise
            bits *= 2


def _shown(x: Number) -> str:
    return str(x) if isinstance(x, fmpq) else str(x.str(17, radius=False))


def substitutions(part: Part) -> Iterator[Check]:
    """SymPy's expression of every entry, with the numbers put in, lies where the certified value lies."""
    explicit, derivation = part.explicit, part.derivation
    if explicit is None or not part.numeric:
        return
    wanted: list[tuple[Any, Any]] = [(str(e.name), explicit.equation(str(e.name))) for e in part.network.equations]
    if derivation is not None:
        wanted += [(a, explicit.entries(value)) for a, value in part.shape_adjoints.items()]
    for name, rights in wanted:
        certified: Any = part.run.value(name)
        for index in np.ndindex(rights.shape):
            if not _meets(part, rights[index], certified[index]):
                require(
                    Check("sympy_numbers", str(name), False, ""),
                    f"{name}[{','.join(str(k + 1) for k in index)}]: SymPy gives {substituted(part, rights[index])}, "
                    f"the certified value is {_shown(certified[index])}",
                )
        yield Check("sympy_numbers", str(name), True, "1e-25")


def _meets(part: Part, expression: sympy.Expr, certified: Number) -> bool:
    """Whether SymPy's number lies in the certified ball, up to a part in 10^25.

    Where terms cancel, 40 digits are not enough: it is asked again for 120, of which 20 may be lost.
    """
    for digits, lost in ((40, arb(0)), (120, arb(10) ** -100)):
        value = substituted(part, expression, digits)
        with precision(512):
            found = arb(rational_of(value)) if value.is_Rational else arb(str(value))
            if overlaps(found + (abs(found) * arb(10) ** -25 + lost) * arb(0, 1), certified):
                return True
    return False


def substituted(part: Part, expression: sympy.Expr, digits: int = 40) -> sympy.Expr:
    """``expression`` with SymPy's own substitution of the numbers, to so many digits (rational ones are exact)."""
    explicit = part.explicit
    assert explicit is not None
    bits = START_BITS * -(-digits // 38)
    numbers = {}
    for symbol in expression.free_symbols:
        entry = explicit.entry_of[symbol]
        value = part.run.value(entry.name, bits)[entry.index]
        exactly = isinstance(value, fmpq)
        numbers[symbol] = rational(value) if exactly else sympy.Float(value.str(digits, radius=False), digits)
    plain = explicit.with_definitions(expression)
    return sympy.N(plain.xreplace(numbers), digits)


__all__ = ["MOST_ENTRIES", "enclosed", "is_small", "proofs", "substituted", "substitutions", "vanishes"]

"""The elementwise derivation: an entry's derivative as a sum over paths of local derivatives.

From an entry one walks along whatever uses it, towards the loss. A walk ends at the loss, or at an entry that several
others use (or that a convolution makes): that one has a derivative worth a name of its own, used by name. Each local
factor is SymPy's derivative of one entry's right-hand side; the order of the paths is the order of the equations.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from functools import cached_property

import numpy as np
import sympy

from derive.calculus.explicit import Entry, Explicit
from derive.graph.expression import Adjoint
from derive.graph.network import Network
from derive.graph.ops.windows import CONVOLUTIONS
from derive.records import dataclass

WRITTEN_OUT = 12  # paths of one entry that are walked to the very top, where nobody wants more


@dataclass(frozen=True, slots=True)
class Factor:
    """A local derivative: d ``of`` / d ``by`` is ``value``, in entry symbols; ``of`` uses ``by`` directly."""

    of: Entry
    by: Entry
    value: sympy.Expr


@dataclass(frozen=True, slots=True)
class Path:
    """From ``top`` down: d loss / d ``top`` times the factors.

    ``whole`` says that ``top`` is the loss itself, so that nothing but local derivatives is left.
    """

    top: Entry
    factors: tuple[Factor, ...]
    whole: bool

    @property
    def value(self) -> sympy.Expr:
        """The product of the local factors."""
        return sympy.Mul(*(factor.value for factor in self.factors))


class Paths:
    """All walks from entries to the loss ``of``, or to the entries of ``tops`` where their adjoints are known."""

    def __init__(self, explicit: Explicit, of: str, tops: tuple[str, ...] = ()) -> None:
        self.explicit, self.of, self.tops = explicit, of, tops
        self.network: Network = explicit.network
        above = frozenset().union(*(self.network.ancestors(top) for top in tops or (of,)))
        self._equations = [str(e.name) for e in self.network.equations if e.name in above]
        self._local: dict[Entry, tuple[Factor, ...]] = {}

    def over(self, explicit: Explicit) -> Paths:
        """The same walks among the entries of a network that differs in its numbers alone."""
        twin = copy(self)
        twin.explicit, twin.network = explicit, explicit.network
        return twin

    @cached_property
    def users(self) -> dict[sympy.Symbol, list[tuple[Entry, sympy.Expr]]]:
        """For each entry symbol, the entries that use it, with their right-hand sides."""
        found: dict[sympy.Symbol, list[tuple[Entry, sympy.Expr]]] = {}
        order = {symbol: k for k, symbol in enumerate(self.explicit.entry_of)}
        for name in self._equations:
            array = self.explicit.equation(name)
            for index in _indices(array.shape):
                right = array[index]
                for symbol in sorted(right.free_symbols, key=lambda s: order.get(s, -1)):
                    found.setdefault(symbol, []).append((Entry(name, index), right))
        return found

    def symbol(self, entry: Entry) -> sympy.Symbol:
        """The symbol of an entry."""
        result: sympy.Symbol = self.explicit.symbols(entry.name)[entry.index]
        return result

    def local(self, entry: Entry) -> tuple[Factor, ...]:
        """One factor for each entry that uses this one, by SymPy's derivative; those that vanish are left out.

        Every walk through an entry, every proof and every printed chain uses the same ones: they are worked out once.
        """
        if entry not in self._local:
            symbol = self.symbol(entry)
            found = ((of, self.tidy(of, sympy.diff(right, symbol))) for of, right in self.users.get(symbol, ()))
            self._local[entry] = tuple(Factor(of, entry, slope) for of, slope in found if slope != 0)
        return self._local[entry]

    def tidy(self, of: Entry, slope: sympy.Expr) -> sympy.Expr:
        """The derivative in the names of the problem: functions by the names of their values, softmax as itself."""
        if slope.has(sympy.exp):
            slope = self._softmax_by_name(slope)
        return self._labels_add_up(slope).xreplace(self.explicit.called_by_name)

    @cached_property
    def samples(self) -> list[list[sympy.Symbol]]:
        """The label entries of each sample whose labels add up to exactly 1."""
        found = []
        for equation in self.network.equations:
            for node in equation.value.nodes():
                if node.op == "cross_entropy" and node.args[1].op == "name":
                    name, axis = str(node.args[1].name), node.at[0]
                    if self.network.sums_to_one(name, axis):
                        symbols = self.explicit.symbols(name)
                        found += [list(line) for line in (symbols.T if axis == 0 else symbols)]
        return found

    def _labels_add_up(self, slope: sympy.Expr) -> sympy.Expr:
        """A factor common to all labels of a sample is that factor once."""
        for labels in self.samples:
            if not slope.has(*labels):
                continue
            whole = sympy.expand(slope)
            factors = [whole.coeff(label) for label in labels]
            common = max(factors, key=factors.count)
            if common != 0 and not common.has(*labels):
                rest = whole - sum((common * label for label in labels), sympy.S.Zero)
                slope = sympy.factor_terms(sympy.expand(rest) + common)
        return slope

    def _softmax_by_name(self, slope: sympy.Expr) -> sympy.Expr:
        """e^z_j over the sum of such is the softmax's entry, where an equation names it."""
        for equation in self.network.equations:
            if equation.value.op != "softmax":
                continue
            name = str(equation.name)
            rights, symbols = self.explicit.equation(name), self.explicit.symbols(name)
            for index in _indices(rights.shape):
                power, normal = rights[index].as_numer_denom()
                s = sympy.Dummy("s", positive=True)
                slope = slope.xreplace({normal: s, 1 / normal: 1 / s}).xreplace(
                    _powers(slope, power, symbols[index] * s)
                )
                slope = sympy.expand_mul(slope).xreplace({s: normal}) if slope.has(s) else slope
        return sympy.factor_terms(slope) if slope.is_Add else slope

    def is_top(self, entry: Entry) -> bool:
        """Whether a walk ends here: the loss, or an entry whose adjoint is given."""
        return entry.name in self.tops if self.tops else entry.name == self.of

    def short(self, entry: Entry) -> tuple[Path, ...]:
        """The walks from an entry to the next one that several use, or to the top."""
        return tuple(path for first in self.local(entry) for path in self._walk((first,)))

    def _walk(self, factors: tuple[Factor, ...]) -> Iterator[Path]:
        here = factors[0].of
        if not self.is_top(here) and not self._slides(here):
            steps = self.local(here)
            if len(steps) == 1:
                yield from self._walk((steps[0], *factors))
                return
            if not steps:
                return
        yield self._path(factors)

    def _slides(self, entry: Entry) -> bool:
        """Whether an entry is made by a convolution: its derivative is used by name, as in the matrix form."""
        nodes = self.network.equation(str(entry.name)).value.nodes()
        return any(node.op in CONVOLUTIONS for node in nodes)

    def _path(self, factors: tuple[Factor, ...]) -> Path:
        top = factors[0].of
        return Path(top, factors, top.name == self.of and not self.tops)

    def full(self, entry: Entry, most: int = WRITTEN_OUT) -> tuple[Path, ...] | None:
        """All walks to the very top; ``None`` where there are more than ``most``."""
        found: list[Path] = []
        stack: list[tuple[Factor, ...]] = [(factor,) for factor in reversed(self.local(entry))]
        while stack:
            factors = stack.pop()
            here = factors[0].of
            if self.is_top(here):
                found.append(self._path(factors))
                if len(found) > most:
                    return None
                continue
            stack += [(step, *factors) for step in reversed(self.local(here))]
        return tuple(found)

    def adjoint(self, entry: Entry) -> sympy.Symbol:
        """The symbol of d loss / d entry."""
        result: sympy.Symbol = self.explicit.symbols(Adjoint(self.of, str(entry.name)))[entry.index]
        return result

    def total(self, paths: tuple[Path, ...]) -> sympy.Expr:
        """The sum that paths stand for; d loss / d top stays a symbol where a path stops below the loss."""
        return sympy.Add(*(path.value * (1 if path.whole else self.adjoint(path.top)) for path in paths))


def _powers(slope: sympy.Expr, power: sympy.Expr, value: sympy.Expr) -> dict[sympy.Basic, sympy.Expr]:
    """What stands for e^z and, since SymPy writes its square so, for e^(2 z)."""
    if not isinstance(power, sympy.exp):
        return {power: value}
    times = {e: sympy.cancel(e.exp / power.exp) for e in slope.atoms(sympy.exp)}
    return {e: value**k for e, k in times.items() if k.is_Integer and k > 0}


def _indices(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    yield from np.ndindex(*shape)

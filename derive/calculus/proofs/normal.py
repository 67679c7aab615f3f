"""A normal form for sums over indexed letters: deltas contracted, sums merged, bound indices renamed.

An expression becomes terms *number × Σ over bound indices × product of powers of atoms*, every sum in front. An atom
is a letter with its indices, a function of a normal form, or a normal form under a power that cannot be multiplied out
(the sum of a softmax's denominator). Two expressions with the same normal form are equal for all sizes. The converse
does not hold: the normal form is not complete, and a difference of normal forms that is not zero shows nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby, permutations, product

import sympy

from derive.calculus.proofs.entries import Fresh, index
from derive.records import dataclass

MOST_FACTORS = 4  # a power of a sum is multiplied out up to this exponent
MOST_ORDERS = 5_040  # renamings of the bound indices of one term that are tried

Limits = tuple[tuple[sympy.Symbol, sympy.Expr], ...]  # bound indices with the sizes that they run to
Key = tuple[Limits, sympy.Expr]
Fit = tuple[sympy.Expr, sympy.Expr, int, sympy.Expr]  # start (from 0), count and step of a slice, size of its axis
Hypothesis = tuple[str, int]  # the letter whose entries add up to 1 along an axis


class NotNormal(Exception):
    """An expression that the normal form has no place for."""


@dataclass(frozen=True, slots=True)
class Term:
    """``number`` times the sum over ``bound`` of the product of ``powers``."""

    number: sympy.Rational
    bound: Limits
    powers: tuple[tuple[sympy.Expr, sympy.Expr], ...]


class Normal:
    """Normal forms under one reading of the free indices.

    ``extents`` says up to where each free index runs; ``ones`` are letters whose entries add up to 1 along an axis;
    ``slices`` fit: as i runs over 1, …, count, start + 1 + step (i - 1) stays within 1, …, size.
    """

    def __init__(
        self,
        extents: Mapping[sympy.Symbol, sympy.Expr],
        ones: Iterable[Hypothesis] = (),
        slices: Iterable[Fit] = (),
    ) -> None:
        self.extents: dict[sympy.Symbol, sympy.Expr] = dict(extents)
        self.ones = frozenset(ones)
        self.slices = frozenset(slices)
        self._fresh = Fresh()
        self._known: dict[sympy.Expr, sympy.Expr] = {}

    def collected(self, expression: sympy.Expr) -> dict[Key, sympy.Rational]:
        """The terms of an expression by what they sum over and what they multiply, with their numbers."""
        found: dict[Key, sympy.Rational] = {}
        for term in self.terms(expression):
            for settled in self._settled(term):
                key = self._named(settled)
                found[key] = found.get(key, sympy.S.Zero) + settled.number
        return {key: number for key, number in found.items() if number != 0}

    def form(self, expression: sympy.Expr) -> sympy.Expr:
        """The normal form as a SymPy expression."""
        return whole(self.collected(expression))

    # ── into terms ──

    def terms(self, node: sympy.Expr) -> list[Term]:
        """The expression multiplied out, every sum in front, its bound indices all different."""
        if node.is_Rational:
            return [Term(node, (), ())] if node != 0 else []
        if node.is_Add:
            return [term for part in node.args for term in self.terms(part)]
        if node.is_Mul:
            return self._product([self.terms(factor) for factor in node.args])
        if isinstance(node, sympy.Sum):
            return self._sum(node)
        if node.is_Pow:
            return self._power(node.base, node.exp)
        if node.is_Symbol or node.is_Function or isinstance(node, sympy.Indexed):
            return [Term(sympy.S.One, (), ((self._atom(node), sympy.S.One),))]
        raise NotNormal(f"{type(node).__name__} has no place in a normal form")

    def _product(self, factors: list[list[Term]]) -> list[Term]:
        found = []
        for chosen in product(*factors):
            number, bound, powers = sympy.S.One, dict[sympy.Symbol, sympy.Expr](), dict[sympy.Expr, sympy.Expr]()
            for term in chosen:
                if bound.keys() & {letter for letter, _ in term.bound}:
                    term = self._apart(term)
                number *= term.number
                bound.update(term.bound)
                for base, exponent in term.powers:
                    powers[base] = powers.get(base, sympy.S.Zero) + exponent
            kept = tuple((base, exponent) for base, exponent in powers.items() if exponent != 0)
            found.append(Term(number, tuple(bound.items()), kept))
        return found

    def _apart(self, term: Term) -> Term:
        """The same term with bound indices that nobody else has."""
        new = {letter: self._letter(extent) for letter, extent in term.bound}
        return Term(
            term.number,
            tuple((new[letter], extent) for letter, extent in term.bound),
            tuple((base.xreplace(new), exponent) for base, exponent in term.powers),
        )

    def _letter(self, extent: sympy.Expr) -> sympy.Symbol:
        found = index(f"n{next(self._fresh.numbers):04d}")
        self.extents[found] = extent
        return found

    def _sum(self, node: sympy.Sum) -> list[Term]:
        inner = node.function
        bound: list[tuple[sympy.Symbol, sympy.Expr]] = []
        for letter, low, high in node.limits:
            if low != 1:
                raise NotNormal(f"a sum starts at {low}, not at 1")
            new = self._letter(high)
            inner = inner.xreplace({letter: new})
            bound.append((new, high))
        return [Term(term.number, (*bound, *term.bound), term.powers) for term in self.terms(inner)]

    def _power(self, base: sympy.Expr, exponent: sympy.Expr) -> list[Term]:
        if exponent.is_Integer and 0 < exponent <= MOST_FACTORS:
            return self._product([self.terms(base)] * int(exponent))
        inner = self._atom(base)
        if not exponent.is_Integer:
            return [Term(sympy.S.One, (), ((inner, exponent),))]
        number, powers = sympy.S.One, []
        for factor in sympy.Mul.make_args(inner):
            below, power = factor.as_base_exp()
            if factor.is_Rational:
                number *= factor**exponent
            else:
                powers.append((below, power * exponent) if power.is_Integer else (factor, exponent))
        return [Term(number, (), tuple(powers))]

    def _atom(self, node: sympy.Expr) -> sympy.Expr:
        """What arithmetic cannot take apart, its arguments in normal form."""
        if node.is_Symbol or isinstance(node, sympy.Indexed | sympy.KroneckerDelta):
            return node
        if node not in self._known:
            if node.is_Function:
                self._known[node] = node.func(*(self.form(argument) for argument in node.args))
            else:
                self._known[node] = self.form(node)
        return self._known[node]

    # ── deltas and sums that can be done ──

    def _settled(self, term: Term) -> Iterator[Term]:
        """The term with its deltas contracted, and sums done whose summand does not depend on the index."""
        found = self._contraction(term)
        if found is not None:
            delta, gone, kept = found
            bound = tuple(pair for pair in term.bound if pair[0] != gone)
            factors = [[Term(term.number, bound, ())]]
            for base, exponent in term.powers:
                if base is not delta:
                    factors.append(self._replaced(base, exponent, gone, kept))
                elif len(bound) == len(term.bound):
                    factors.append([Term(sympy.S.One, (), ((delta, sympy.S.One),))])
            for smaller in self._product(factors):
                yield from self._settled(smaller)
            return
        bound_left, powers, number = dict(term.bound), dict(term.powers), term.number
        for letter, extent in term.bound:
            users = [base for base in powers if base.has(letter)]
            if not users:
                powers[extent] = powers.get(extent, sympy.S.Zero) + 1
                del bound_left[letter]
            elif len(users) == 1 and powers[users[0]] == 1 and self._adds_up(users[0], letter):
                del powers[users[0]], bound_left[letter]
        for base in [base for base in powers if base.is_Rational]:  # a size that is a number
            number *= base ** powers.pop(base)
        kept_powers = tuple((base, exponent) for base, exponent in powers.items() if exponent != 0)
        yield Term(number, tuple(bound_left.items()), kept_powers)

    def _replaced(self, base: sympy.Expr, exponent: sympy.Expr, gone: sympy.Symbol, kept: sympy.Expr) -> list[Term]:
        """A factor with one index for another."""
        if not base.has(gone):
            return [Term(sympy.S.One, (), ((base, exponent),))]
        power = base.xreplace({gone: kept}) ** exponent
        if power.has(sympy.zoo, sympy.nan):
            raise NotNormal(f"{base} vanishes under a line")
        return self.terms(power)

    def _contraction(self, term: Term) -> tuple[sympy.Expr, sympy.Symbol, sympy.Expr] | None:
        """A delta, and the index that it replaces by another one of the same range.

        A bound index goes for good; of two free ones the later goes everywhere but in the delta itself.
        """
        bound = {letter for letter, _ in term.bound}
        for base, _ in term.powers:
            if not isinstance(base, sympy.KroneckerDelta):
                continue
            a, b = base.args
            for gone, kept in ((a, b), (b, a)):
                within = gone in bound and self._lies_within(kept, self.extents[gone])
                if within or (gone in bound and not kept.is_Symbol and _vanishes_beyond(term, gone)):
                    return base, gone, kept
            if a not in self.extents or b not in self.extents or self.extents[a] != self.extents[b]:
                continue
            for gone, kept in ((a, b), (b, a)):
                if gone in bound:
                    return base, gone, kept
            first, later = sorted((a, b), key=str)
            if any(other is not base and other.has(later) for other, _ in term.powers):
                return base, later, first
        return None

    def _lies_within(self, place: sympy.Expr, extent: sympy.Expr) -> bool:
        """Whether a place is one of a slice that fits an axis of that size."""
        for start, count, step, size in self.slices:
            inner = sympy.expand((place - start - 1) / step + 1)
            if size == extent and (inner == 1 if count == 1 else self.extents.get(inner) == count):
                return True
        return self._runs_within(place, extent)

    def _runs_within(self, place: sympy.Expr, extent: sympy.Expr) -> bool:
        """Whether a sum of running indices (place q of window i: q + i - 1) stays between 1 and a size."""
        letters = sorted(place.free_symbols & self.extents.keys(), key=str)
        factors = [place.coeff(letter) for letter in letters]
        if len(letters) < 2 or not all(factor.is_Integer and factor > 0 for factor in factors):
            return False
        lowest = sympy.expand(place.xreplace(dict.fromkeys(letters, sympy.S.One)))
        beyond = sympy.expand(extent - place.xreplace({letter: self.extents[letter] for letter in letters}))
        return bool(lowest.is_Integer and lowest >= 1 and beyond.is_Integer and beyond >= 0)

    def _adds_up(self, base: sympy.Expr, letter: sympy.Symbol) -> bool:
        """Whether a letter's entries add up to 1 along the axis that ``letter`` runs over."""
        if not isinstance(base, sympy.Indexed):
            return False
        return any(
            str(base.base) == name and base.indices[axis] == letter and not base.indices[1 - axis].has(letter)
            for name, axis in self.ones
        )

    # ── names of bound indices ──

    def _named(self, term: Term) -> Key:
        """The term under names of its bound indices that do not depend on where they came from.

        Names carry the depth of nesting, so that no inner sum captures an outer index; of all assignments within
        indices of one size the first in order is taken.
        """
        depth = max((_depth(base) for base, _ in term.powers), default=0) + 1
        groups = [list(group) for _, group in groupby(sorted(term.bound, key=_size), key=_size)]
        letters = [index(f"c{depth}_{k}") for k in range(len(term.bound))]
        best: tuple[str, Key] | None = None
        for tried, order in enumerate(product(*(permutations(group) for group in groups))):
            if tried >= MOST_ORDERS:
                break
            flat = [pair for group in order for pair in group]
            new = {old: letter for (old, _), letter in zip(flat, letters, strict=True)}
            limits = tuple((letter, extent) for letter, (_, extent) in zip(letters, flat, strict=True))
            summand = sympy.Mul(*(self._renamed(base, new) ** exponent for base, exponent in term.powers))
            text = str(summand)
            if best is None or text < best[0]:
                best = (text, (limits, summand))
        assert best is not None
        return best[1]

    def _renamed(self, base: sympy.Expr, new: Mapping[sympy.Symbol, sympy.Symbol]) -> sympy.Expr:
        """An atom under new outer names; the inner names follow anew where there are several to choose among."""
        renamed = base.xreplace(dict(new))
        if renamed != base and any(len(inner.limits) > 1 for inner in renamed.atoms(sympy.Sum)):
            return self._atom(renamed)
        return renamed


def _vanishes_beyond(term: Term, letter: sympy.Symbol) -> bool:
    """Whether a factor is a letter with this very index: beyond its axis it is 0, as the delta is."""
    return any(isinstance(base, sympy.Indexed) and letter in base.indices and power == 1 for base, power in term.powers)


def whole(terms: Mapping[Key, sympy.Rational]) -> sympy.Expr:
    """Collected terms as one expression."""
    return sympy.Add(*(number * _summed(limits, summand) for (limits, summand), number in terms.items()))


def _summed(limits: Limits, summand: sympy.Expr) -> sympy.Expr:
    return sympy.Sum(summand, *((letter, 1, extent) for letter, extent in reversed(limits))) if limits else summand


def _size(pair: tuple[sympy.Symbol, sympy.Expr]) -> str:
    return str(pair[1])


def _depth(base: sympy.Expr) -> int:
    """How many sums stand inside each other."""
    if not base.has(sympy.Sum):
        return 0
    inner = max((_depth(argument) for argument in base.args), default=0)
    return inner + isinstance(base, sympy.Sum)

"""Proofs that an expression is zero: it is a quotient of polynomials in its kernels, and the numerator vanishes.

A kernel is whatever arithmetic cannot take apart: a symbol, a function of something, e to a monomial, a root. Each
denominator is kept as powers of a few factors, so that nothing is ever divided or searched for a common divisor; the
polynomials are SymPy's (a sparse ring over the rationals). Kernels that depend on each other (a sine and a cosine)
are taken for independent, so that *not shown* is all that a failure means.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sympy
from sympy.polys.domains import QQ
from sympy.polys.orderings import lex
from sympy.polys.rings import PolyRing

MOST_TERMS = 2_000  # of a numerator; longer ones are left to numbers

Polynomial = Any
Terms = dict[int, Any]  # coefficients by power
Factors = dict[Polynomial, int]  # polynomials with leading coefficient 1, and their powers


class TooLong(Exception):
    """The numerator has more than ``MOST_TERMS`` terms."""


def vanishes(difference: sympy.Expr) -> bool:
    """Whether it is shown that ``difference`` is zero; ``False`` means no more than *not shown*."""
    if difference.is_Rational:
        return bool(difference == 0)
    try:
        if _numerator_vanishes(difference):
            return True
        # Kernels are compared as they are written: sin(a (b + c)) and sin(a b + a c) only meet when multiplied out.
        expanded = sympy.expand(difference)
        return bool(expanded == 0) or (expanded != difference and _numerator_vanishes(expanded))
    except TooLong:
        return False


def in_one_variable(quotient: sympy.Expr, variable: sympy.Symbol) -> tuple[Terms, Terms] | None:
    """Numerator and denominator as {power: coefficient}; ``None`` for what is no quotient of polynomials."""
    field = Quotients(quotient)
    if field.kernels != (variable,):
        return None
    top, factors = field.of(quotient)
    bottom = top.ring.one
    for factor, power in factors.items():
        bottom = bottom * factor**power
    top, bottom = top.cancel(bottom)
    return tuple({power: number for (power,), number in side.terms()} for side in (top, bottom))  # type: ignore[return-value]


def _numerator_vanishes(expression: sympy.Expr) -> bool:
    return not Quotients(expression).of(expression)[0]


class Quotients:
    """The field in which one expression lives; ``of`` gives numerator and denominator of its parts."""

    def __init__(self, expression: sympy.Expr) -> None:
        self._roots: dict[sympy.Expr, int] = {}
        kernels: dict[sympy.Expr, None] = {}
        for kernel in self._kernels(expression):
            kernels.setdefault(kernel)
        self.kernels = tuple(kernels)
        self._ring = PolyRing(tuple(sympy.Symbol(f"k{k}") for k in range(len(kernels))) or ("k0",), QQ, lex)
        self._generator = dict(zip(kernels, self._ring.gens, strict=False))
        self._known: dict[sympy.Expr, tuple[Polynomial, Factors]] = {}

    def _kernels(self, expression: sympy.Expr) -> Iterator[sympy.Expr]:
        """The kernels, each possibly several times; on the way the roots of each base are noted."""
        stack, seen = [expression], set()
        while stack:
            node = stack.pop()
            if node in seen or node.is_Rational:
                continue
            seen.add(node)
            if node.is_Add or node.is_Mul:
                stack += node.args
            elif isinstance(node, sympy.exp):
                for monomial, power in _exponents(node):
                    self._root(sympy.exp(monomial, evaluate=False), power.q)
            elif node.is_Pow and node.exp.is_Rational:
                self._root(node.base, node.exp.q)
                stack += [node.base] if node.exp.q == 1 else []
            else:
                self._root(node, 1)
        for base, root in self._roots.items():
            taken_apart = base.is_Add or base.is_Mul or base.is_Rational or (base.is_Pow and base.exp.is_Rational)
            if not taken_apart or root > 1:
                yield base

    def _root(self, base: sympy.Expr, q: int) -> None:
        self._roots[base] = int(sympy.ilcm(self._roots.get(base, 1), q))

    def of(self, node: sympy.Expr) -> tuple[Polynomial, Factors]:
        """``node`` as a numerator over a product of powers. Raises ``TooLong``."""
        if node not in self._known:
            result = self._of(node)
            if len(result[0]) > MOST_TERMS:
                raise TooLong
            self._known[node] = result
        return self._known[node]

    def _of(self, node: sympy.Expr) -> tuple[Polynomial, Factors]:
        if node.is_Rational:
            return self._ring.ground_new(QQ(int(node.p), int(node.q))), {}
        if node.is_Add:
            return self._sum([self.of(term) for term in node.args])
        if node.is_Mul:
            return self._product([self.of(factor) for factor in node.args])
        if isinstance(node, sympy.exp):
            return self._product([self._power_of(sympy.exp(m, evaluate=False), power) for m, power in _exponents(node)])
        if node.is_Pow and node.exp.is_Rational:
            if node.exp.q == 1 and self._roots.get(node.base, 1) == 1:
                return self._power(self.of(node.base), int(node.exp))
            return self._power_of(node.base, node.exp)
        return self._power_of(node, sympy.S.One)

    def _power_of(self, base: sympy.Expr, exponent: sympy.Rational) -> tuple[Polynomial, Factors]:
        """A kernel to a rational power: the generator is the smallest root of it that occurs."""
        return self._power((self._generator[base], {}), int(exponent * self._roots[base]))

    def _power(self, quotient: tuple[Polynomial, Factors], n: int) -> tuple[Polynomial, Factors]:
        top, bottom = quotient
        if n >= 0:
            if len(top) > 1 and len(top) ** min(n, 9) > 30 * MOST_TERMS:
                raise TooLong
            return top**n, {factor: power * n for factor, power in bottom.items()}
        if not top:
            raise TooLong  # a division by zero is no proof of anything
        above = self._ring.one
        for factor, power in bottom.items():
            above = above * factor ** (power * -n)
        below: Factors = {}
        leading = top.LC
        if len(top) == 1:
            ((monomial, _),) = top.terms()
            for generator, power in zip(self._ring.gens, monomial, strict=True):
                if power:
                    below[generator] = power * -n
        else:
            below[top.quo_ground(leading)] = -n
        return above.quo_ground(leading**-n), below

    def _product(self, quotients: list[tuple[Polynomial, Factors]]) -> tuple[Polynomial, Factors]:
        top, bottom = self._ring.one, dict[Polynomial, int]()
        for above, below in quotients:
            if len(top) * len(above) > 30 * MOST_TERMS:
                raise TooLong
            top = top * above
            for factor, power in below.items():
                bottom[factor] = bottom.get(factor, 0) + power
        return top, bottom

    def _sum(self, quotients: list[tuple[Polynomial, Factors]]) -> tuple[Polynomial, Factors]:
        """Over the common denominator: each factor to the highest of its powers."""
        bottom: Factors = {}
        for _, below in quotients:
            for factor, power in below.items():
                bottom[factor] = max(power, bottom.get(factor, 0))
        top = self._ring.zero
        for above, below in quotients:
            for factor, power in bottom.items():
                missing = power - below.get(factor, 0)
                if missing:
                    if len(above) * len(factor) ** min(missing, 9) > 30 * MOST_TERMS:
                        raise TooLong
                    above = above * factor**missing
            top = top + above
        return (top, bottom) if top else (top, {})


def _exponents(node: sympy.exp) -> Iterator[tuple[sympy.Expr, sympy.Rational]]:
    """e^(2 a b - c/3) as monomials and their coefficients: (a b, 2), (c, -1/3)."""
    for term in sympy.Add.make_args(sympy.expand(node.exp)):
        coefficient, monomial = term.as_coeff_Mul()
        if coefficient.is_Rational:
            yield monomial, coefficient
        else:
            yield term, sympy.S.One

"""Second derivatives, by differentiating the adjoint equations once more.

Reverse mode gives the adjoints as named equations, here called ``bar z``. By a number x each of them is differentiated
in forward mode, so that every line has its ``d bar z / dx``; by vectors the last adjoint is differentiated in reverse
mode, one row of the Hessian for each entry. Both are held against SymPy and against complex steps of the other engine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
import sympy

from derive.calculus.closed_form import close, named_values
from derive.calculus.explicit import Elementwise
from derive.calculus.vanish import vanishes
from derive.errors import Unsupported
from derive.graph import ops
from derive.graph.cancel import cancelled
from derive.graph.collect import collect, label_sums
from derive.graph.expression import Adjoint, Expression, Name, constant, leaf
from derive.graph.forward import tangents
from derive.graph.network import Network
from derive.graph.sizes import describe, is_scalar
from derive.numbers.balls import overlaps
from derive.problem.questions import second_of
from derive.records import dataclass
from derive.solution.asked import Ratio, elementwise_between
from derive.solution.checks import Check, Witness, require
from derive.solution.derivation import derive
from derive.solution.elementwise import enclosed
from derive.solution.flat import flat
from derive.solution.jacobian import Chain, chains
from derive.solution.view import along, bar, down_to_data, extended, refused, view, with_bars

if TYPE_CHECKING:
    from derive.solution.part import Part

PLAIN = ("exp", "log", "sqrt", "sin", "cos")
LONGEST_WRITTEN = 400  # operations of a function whose second derivative is written out in the data
LONGEST_PROVED = 1000  # operations of a difference that is to be shown zero; a longer one is left to numbers
LONGEST_FACTORED = 120  # operations of a second derivative whose factors are looked for
LONGEST_SHOWN = 60  # operations of all entries of a second derivative that is shown written out


@dataclass(frozen=True)
class Second:
    """d^2 ``of`` / d ``first`` d ``then``.

    ``kind`` is ``"number"`` (of a number by numbers), ``"elementwise"`` (entry by entry) or ``"hessian"`` (rows:
    entries of ``first``, columns: entries of ``then``). ``adjoints`` are the names of the adjoint equations that are
    used, and ``speeds`` the names of their derivatives, in order. ``target`` is what the value of the view is asked for
    under. ``formula`` is the sum of the products of Jacobians along ``ways``. ``written`` holds the entries in terms of
    the data, by SymPy, where they are short.
    """

    text: str
    label: str
    of: str
    first: str
    then: str
    kind: str
    adjoints: tuple[str, ...]
    speeds: tuple[str, ...]
    target: str
    view: Part
    ways: tuple[Chain, ...] = ()
    formula: Expression | None = None
    written: sympy.Matrix | None = None


def seconds(part: Part) -> tuple[Second, ...]:
    """Every second derivative that is asked for. Raises ``ProblemError`` for one that is no matrix of numbers."""
    return tuple(_second(part, text, k + 1) for k, text in enumerate(part.asked.seconds))


def _second(part: Part, text: str, number: int) -> Second:
    network = part.network
    found = second_of(text, [*network.data, *(str(e.name) for e in network.equations)])
    assert found is not None  # the reader of [ask] has looked
    of, first, then = found
    if not is_scalar(network.shape(of)) and not (first == then and elementwise_between(network, of, first)):
        raise refused(
            part,
            "gradients",
            f"{text}: {of} is {describe(network.shape(of))}; second derivatives are taken of a number, "
            "or entry by entry where each entry depends on its own entry alone",
        )
    for name in {first, then}:
        if name in network.labels:
            raise refused(part, "gradients", f"{text}: {name} holds class numbers; there is no derivative by them")
        if name == of or of not in network.descendants((name,)):
            raise refused(part, "gradients", f"{text}: {of} does not depend on {name}")
    numbers = is_scalar(network.shape(first)) and is_scalar(network.shape(then))
    kind = "elementwise" if not is_scalar(network.shape(of)) else "number" if numbers else "hessian"
    adjoints = {
        bar(name.by): with_bars(of, value)
        for name, value in derive(network, part.functions, of, dict.fromkeys((then, first))).adjoints.items()
    }
    wider = extended(network, _fused(adjoints), {})
    make = _hessian if kind == "hessian" else _by_a_number
    return make(part, wider, Second(text, f"second-{number}", of, first, then, kind, tuple(adjoints), (), text, part))


def _fused(adjoints: Mapping[str, Expression]) -> dict[str, Expression]:
    """The adjoint equations; where one and the next cancel (cross-entropy behind a sigmoid), they are one."""
    found: dict[str, Expression] = {}
    for name, value in adjoints.items():
        inlined = value.rebuild(lambda node: found.get(str(node.name), node) if node.op == "name" else node)
        shorter = cancelled(inlined)
        divides = any(node.op == "divide" for node in inlined.nodes())
        kept = divides and not any(node.op == "divide" for node in shorter.nodes())
        found[name] = shorter if kept else value
    return found


def _by_a_number(part: Part, wider: Network, wish: Second) -> Second:
    """Every equation that moves with ``then``, the adjoints' too, differentiated by it."""
    outputs = named_values(part.network)
    shape = part.network.shape(wish.then)

    def rewrite(value: Expression) -> Expression:
        return collect(label_sums(collect(flat(close(value, outputs, part.functions))), part.network))

    start: dict[Name, Expression] = {wish.then: ops.spread(constant(1), shape)}
    found = tangents(wider, start, lambda name: along(name, wish.then), rewrite)
    end = along(bar(wish.first), wish.then)
    if end not in found:
        found[end] = Expression("zeros", (), (shape,), shape) if shape else constant(0)
    whole = extended(wider, found, {})
    kept = _needed(whole, end)
    adjoints = tuple(name for name in wish.adjoints if name in kept | _needed(wider, bar(wish.first)))
    speeds = tuple(name for name in found if name in kept)
    used = {**{name: wider.equation(name).value for name in adjoints}, **{name: found[name] for name in speeds}}
    seen = view(part, extended(part.network, {**used, wish.text: leaf(end, shape)}, {}))
    return _with(wish, adjoints=adjoints, speeds=speeds, view=seen, written=_written(part, wish))


def _needed(network: Network, top: str) -> set[str]:
    """``top`` and all it rests on. What an equation calls by name counts; data end the search."""
    return set(network.ancestors(top))


def _hessian(part: Part, wider: Network, wish: Second) -> Second:
    """The adjoint of ``first`` differentiated by ``then``: its Jacobian."""
    ratio = Ratio(wish.text, bar(wish.first), wish.then, "jacobian")
    kept = _needed(wider, bar(wish.first))
    adjoints = tuple(name for name in wish.adjoints if name in kept)
    network = extended(part.network, {name: wider.equation(name).value for name in adjoints}, {})
    seen = view(part, network, ratios=(ratio,))
    ways: tuple[Chain, ...] = ()
    if all(_is_vector(network.shape(name)) for name in _between(network, wish.then, bar(wish.first))):
        try:
            ways = chains(network, part.functions, bar(wish.first), wish.then)
        except Unsupported:  # an operation whose Jacobian is not read off: the entries stand for themselves
            ways = ()
    return _with(wish, adjoints=adjoints, view=seen, ways=ways, formula=_formula(ways), written=_written(part, wish))


def _formula(ways: tuple[Chain, ...]) -> Expression | None:
    return collect(ops.add(*(way.product for way in ways))) if ways else None


def _between(network: Network, below: str, top: str) -> frozenset[str]:
    return network.descendants((below,)) & network.ancestors(top)


def _is_vector(shape: tuple[int | str, ...]) -> bool:
    return not shape or (len(shape) == 2 and 1 in shape)


def _with(wish: Second, **fields: object) -> Second:
    return Second(**{**wish.__dict__, **fields})


def _written(part: Part, wish: Second) -> sympy.Matrix | None:
    """SymPy's second derivative of the function written out in the data; ``None`` where that is long."""
    explicit = part.explicit
    if explicit is None or wish.kind == "elementwise":
        return None
    written = part.written_out(explicit.symbols(wish.of).ravel()[0])
    if written is None or written.count_ops() > LONGEST_WRITTEN:
        return None
    for name in (wish.first, wish.then):
        if name not in part.network.data:  # by an intermediate: the function is written in it
            return None
    rows, columns = explicit.symbols(wish.first).ravel(), explicit.symbols(wish.then).ravel()
    if len(rows) * len(columns) > 64:
        return None
    return sympy.Matrix(
        len(rows), len(columns), [_shortest(_plain(sympy.diff(written, x, y))) for x in rows for y in columns]
    )


def _plain(formula: sympy.Expr) -> sympy.Expr:
    """Powers of e, logarithms, roots, sine and cosine as SymPy's own, with their derivatives worked out."""
    while calls := {call: call.formula() for call in formula.atoms(Elementwise) if call.name in PLAIN}:
        formula = formula.xreplace(calls)
    return formula


def _shortest(formula: sympy.Expr) -> sympy.Expr:
    """The shortest of a formula, its expansion and its factors; of a long one nobody asks for them."""
    if formula.count_ops() > LONGEST_FACTORED:
        return formula
    forms = [formula, sympy.expand(formula), sympy.factor_terms(formula), sympy.factor(formula)]
    signed = [_sign_inside(form) for form in forms]
    return min([*signed, *forms], key=lambda form: (form.count_ops(), str(form).startswith("-")))


def _sign_inside(form: sympy.Expr) -> sympy.Expr:
    """``-x (a - b)`` as ``x (b - a)``."""
    if form.is_Mul and form.as_coeff_Mul()[0] < 0:
        for factor in form.args:
            if factor.is_Add:
                return (-form / factor) * sympy.expand(-factor)
    return form


def shown_written(wish: Second) -> sympy.Matrix | None:
    """The entries in the data where they are short enough to be read."""
    written = wish.written
    return written if written is not None and sum(entry.count_ops() for entry in written) <= LONGEST_SHOWN else None


def checks(part: Part, found: tuple[Second, ...], witness: Witness | None) -> Iterator[Check]:
    """Each against SymPy entry by entry, and against complex steps through the other engine's back-propagation."""
    for one in found:
        if witness is not None:
            ours = one.view.value_of(one.target)
            full = witness.oracle.second(one.of, one.first, one.then)
            theirs = np.diag(full) if one.kind == "elementwise" else full
            yield witness.against("second", one.text, ours, np.reshape(theirs, ours.shape))
        if one.written is not None:
            yield _by_sympy(part, one)


def _by_sympy(part: Part, one: Second) -> Check:
    """The engine's own entries, written out, against SymPy's second derivatives."""
    explicit = one.view.explicit
    assert explicit is not None
    assert one.written is not None
    rows, columns = one.written.shape
    shown = 0
    for k, m in np.ndindex(rows, columns):
        entry = _engine_entry(one, k, m)
        known = {s: explicit.symbols(n)[i] for s, (n, i) in _places(part, one.written[k, m]).items()}
        difference = explicit.with_definitions(explicit.written_out(entry) - one.written[k, m].xreplace(known))
        if difference.count_ops() <= LONGEST_PROVED and vanishes(difference):
            shown += 1
        elif part.numeric:
            ours, theirs = one.view.value_of(one.target).ravel()[k * columns + m], enclosed(part, one.written[k, m])
            require(
                Check("second_sympy", one.text, overlaps(ours, theirs), ""),
                f"{one.text}[{k + 1},{m + 1}]: SymPy gives {theirs}, the adjoint equations give {ours}",
            )
    return Check("second_sympy", one.text, True, f"{shown} of {rows * columns}")


def _places(part: Part, formula: sympy.Expr) -> dict[sympy.Symbol, tuple[Name, tuple[int, ...]]]:
    assert part.explicit is not None
    entry_of = part.explicit.entry_of
    return {s: (entry_of[s].name, entry_of[s].index) for s in formula.free_symbols}


def _engine_entry(one: Second, k: int, m: int) -> sympy.Expr:
    """Entry k, m in the names of the view: of a Hessian, row k by reverse mode from a unit adjoint."""
    explicit = one.view.explicit
    assert explicit is not None
    if one.kind != "hessian":
        return explicit.symbols(along(bar(one.first), one.then)).ravel()[0]
    derivation = one.view.ratios[one.text]
    seeds = list(explicit.symbols(Adjoint("", bar(one.first))).ravel())
    unit = {seed: sympy.Integer(n == k) for n, seed in enumerate(seeds)}
    entry = explicit.symbols(Adjoint(bar(one.first), one.then)).ravel()[m]
    rights: dict[Name, Expression] = dict(derivation.adjoints.items())
    entry = down_to_data(explicit, rights, entry)
    return entry.xreplace(unit)

"""A gradient in a prescribed alphabet: its formula over exactly the names that the question allows.

Adjoints and intermediates that are not allowed are replaced by what they are, from the loss inwards, and whatever an
allowed name stands for is called by that name. Where something is left over, the question cannot be answered in these
letters, and the message names what is missing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from derive.calculus.closed_form import close, named_values
from derive.calculus.functions import KINKED, Functions
from derive.graph import ops
from derive.graph.cancel import cancelled
from derive.graph.collect import coefficient, collect, label_sums, transposed
from derive.graph.expression import Adjoint, Expression, Name, leaf
from derive.graph.network import Network
from derive.numbers.balls import overlaps
from derive.problem.wording import listing
from derive.records import dataclass
from derive.solution.checks import Check, require
from derive.solution.elementwise import equal
from derive.solution.part import Part
from derive.solution.view import down_to_data, refused

MOST_PROVED = 36  # entries of a gradient whose two formulas are proved equal by SymPy
LONGEST = 600  # operations of an entry that is handed to the proof


@dataclass(frozen=True, slots=True)
class Spelled:
    """``name`` is a gradient, ``formula`` says it in ``letters``, in the shape of its variable.

    ``laid_out`` and ``shown`` are the same in the layout of the report.
    """

    name: Adjoint
    letters: tuple[str, ...]
    formula: Expression
    laid_out: Adjoint
    shown: Expression


def spelled(part: Part) -> tuple[Spelled, ...]:
    """Every gradient that is asked for in an alphabet. Raises ``ProblemError`` where the letters do not suffice."""
    questions = part.problem.ask.questions
    wanted = questions.in_terms_of if questions is not None else {}
    if not wanted:
        return ()
    of = part.derivation.of if part.derivation is not None else ""
    adjoints = {by: Adjoint(of, by) for by in part.asked.gradients if Adjoint(of, by) in part.shape_adjoints}
    for name in wanted:
        if name and name not in adjoints:
            raise refused(part, "in_terms_of", f"in_terms_of names {name}, whose derivative is not asked for")
    found = []
    for by, adjoint in adjoints.items():
        letters = wanted.get(by) or wanted.get("")
        if letters is not None:
            found.append(_spelled(part, adjoint, letters, part.problem.convention.layout == "numerator"))
    for ratio in part.asked.ratios:
        letters = wanted.get("")
        if letters is not None and ratio.kind != "jacobian":
            adjoint = Adjoint(ratio.of, ratio.by)
            found.append(_spelled(part, adjoint, letters, False))
    return tuple(found)


def _spelled(part: Part, adjoint: Adjoint, letters: tuple[str, ...], numerator: bool) -> Spelled:
    formula = _in_letters(part, adjoint, frozenset(letters))
    if not numerator or not formula.shape:
        return Spelled(adjoint, letters, formula, adjoint, formula)
    turned = collect(transposed(formula)).rebuild(_positive_first)
    return Spelled(adjoint, letters, formula, Adjoint(adjoint.of, adjoint.by, True), turned)


def _in_letters(part: Part, adjoint: Adjoint, letters: Collection[str]) -> Expression:
    """The formula, or the message."""
    network, functions = part.network, part.functions
    value = _without_adjoints(part, part.shape_adjoints[adjoint], letters)
    first = value
    outputs = {right: name for right, name in named_values(network).items() if str(name.name) in letters}
    value = _tidy(close(_through_named(value, network, letters), outputs, functions), network)
    for equation in reversed(network.equations):
        name = str(equation.name)
        if name in letters or name not in value.names():
            continue
        value = _replaced(value, name, equation.value)
        value = _tidy(close(_through_named(value, network, letters), outputs, functions), network)
    missing = [name for name in value.names() if str(name) not in letters]
    if missing:
        raise _too_few(part, adjoint, first, letters, functions, missing)
    return value.rebuild(_positive_first)


def _positive_first(node: Expression) -> Expression:
    """``yhat - y`` and not ``-y + yhat``."""
    if node.op != "add" or coefficient(node.args[0])[0] > 0:
        return node
    args = sorted(node.args, key=lambda term: coefficient(term)[0] < 0)
    return Expression("add", tuple(args), node.at, node.shape)


def _too_few(
    part: Part, adjoint: Adjoint, first: Expression, letters: Collection[str], functions: Functions, missing: list[Name]
) -> Exception:
    """What the formula needs beside the letters: the names nearest to the loss, and what they are made of."""
    near = [str(name) for name in first.names() if str(name) not in letters]
    needed = [name for name in near if name in part.network.data or _rests_on(part.network, name, missing)] or near
    deeper = [str(name) for name in missing if str(name) not in needed]
    made = f" (or what it is made of: {listing(deeper, 'and')})" if deeper else ""
    return refused(
        part,
        "in_terms_of",
        f"{adjoint} cannot be said in {listing(sorted(letters), 'and')} alone: "
        f"it also needs {listing(needed, 'and')}{made}",
        hint=f"add {listing(needed, 'and')} to in_terms_of",
    )


def _rests_on(network: Network, name: str, missing: list[Name]) -> bool:
    try:
        return not {str(one) for one in missing}.isdisjoint(network.ancestors(name))
    except KeyError:  # a known upstream is no name of the network
        return True


def _without_adjoints(part: Part, value: Expression, letters: Collection[str]) -> Expression:
    """Every adjoint that is not allowed replaced by its own equation, as long as it has one."""
    while True:
        open_ = [
            name
            for name in value.names()
            if isinstance(name, Adjoint) and str(name) not in letters and _has_equation(part.shape_adjoints, name)
        ]
        if not open_:
            return _tidy(value, part.network)
        for name in open_:
            value = _replaced(value, name, part.shape_adjoints[name])


def _has_equation(adjoints: Mapping[Adjoint, Expression], name: Adjoint) -> bool:
    return name in adjoints and adjoints[name] != leaf(name, adjoints[name].shape)


def _replaced(value: Expression, name: Name, by: Expression) -> Expression:
    return value.rebuild(lambda node: by if node.op == "name" and node.name == name else node)


def _through_named(value: Expression, network: Network, letters: Collection[str]) -> Expression:
    """relu'(z) as relu'(h) where h = relu(z) is allowed and z is not: both are 1 where h is positive.

    At z = 0 both take the declared value; below 0, h is 0, so that value has to be 0 (of a leaky ReLU h is negative).
    """
    named = {equation.value: str(equation.name) for equation in network.equations}

    def change(node: Expression) -> Expression:
        if node.op != "derivative" or node.at[0] not in KINKED or node.at[0] == "abs":
            return node
        z = node.args[0]
        h = named.get(Expression(node.at[0], (z,), node.at[1:], z.shape))
        if h is None or h not in letters or (z.op == "name" and str(z.name) in letters):
            return node
        return ops.apply("derivative", leaf(h, z.shape), at=node.at)

    return value.rebuild(change)


def _tidy(value: Expression, network: Network) -> Expression:
    return cancelled(label_sums(collect(value), network))


def checks(part: Part, found: tuple[Spelled, ...]) -> Iterator[Check]:
    """The formula in the letters against the gradient: in certified numbers, and by SymPy where it is short."""
    for one in found:
        text = str(one.name)
        if part.numeric:
            ours, theirs = part.run.expression(one.formula), part.run.value(one.name)
            same = [bool(overlaps(a, b)) for a, b in zip(ours.ravel(), theirs.ravel(), strict=True)]
            yield require(
                Check("alphabet", text, all(same), f"{sum(same)} of {len(same)}"),
                f"{text} in {', '.join(one.letters)} is {ours.ravel()}, by its rule {theirs.ravel()}",
            )
        explicit = part.explicit
        if explicit is None:
            continue
        rules, formulas = explicit.symbols(one.name).ravel(), explicit.entries(one.formula).ravel()
        if len(rules) > MOST_PROVED:
            continue
        rights: dict[Name, Expression] = dict(part.shape_adjoints.items())
        shown = 0
        for rule, formula in zip(rules, formulas, strict=True):
            a, b = down_to_data(explicit, rights, rule), down_to_data(explicit, rights, formula)
            if a.count_ops() + b.count_ops() <= LONGEST and equal(part, a, b):
                shown += 1
        yield Check("alphabet_sympy", text, True, f"{shown} of {len(rules)}")

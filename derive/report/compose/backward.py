"""The way back: each derivative in matrix form, then entry by entry as a sum over paths."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from flint import fmpq

from derive.calculus.explicit import Entry, FirstLargest
from derive.calculus.paths import Factor, Path
from derive.graph.expression import Adjoint, leaf
from derive.graph.sizes import is_scalar
from derive.numbers.certify import Undecided
from derive.numbers.rounding import Printed
from derive.report.compose.reasons import explained
from derive.report.compose.sheet import Sheet, left_out, local_value, packed, pattern_once
from derive.report.document import Block, Chain, Display, Heading, Link, Math, Paragraph
from derive.report.notation import Cell, scalar
from derive.report.notation.cells import add, multiply, number
from derive.report.notation.matrices import MOST_COLUMNS, MOST_ROWS
from derive.solution.derivation import Derivation, Step

FEW = min(MOST_ROWS, MOST_COLUMNS)  # rows and columns of a matrix that is surely printed in full


def backward(sheet: Sheet, derivation: Derivation, adjoints: Sequence[Adjoint]) -> Iterator[Block]:
    """One section for each adjoint."""
    for adjoint in pattern_once(sheet, adjoints, adjoints):
        if not isinstance(adjoint, Adjoint):
            yield adjoint
            continue
        if sheet.detail.reasons:
            yield Heading(3, sheet.words.say("backward.heading", by=Math(sheet.symbols.name(adjoint.by))))
        yield from one(sheet, derivation, adjoint)


def one(sheet: Sheet, derivation: Derivation, adjoint: Adjoint) -> Iterator[Block]:
    """Why, in matrix form, in numbers, and entry by entry where the problem wants that and the entries are worth it."""
    steps = derivation.about(Adjoint(adjoint.of, adjoint.by))
    if sheet.detail.reasons:
        yield from explained(sheet, derivation, steps)
    if sheet.numeric or derivation.adjoints[adjoint] != leaf(adjoint, sheet.shape(adjoint)):
        yield matrix_form(sheet, derivation, adjoint)
    yield from _heat_map(sheet, adjoint)
    yield from _in_one_formula(sheet, adjoint)
    if sheet.slides:
        from derive.report.compose.windows import behind_adjoint

        yield from behind_adjoint(sheet, adjoint, derivation.adjoints[adjoint])
    if "elements" in sheet.part.problem.convention.style:
        yield from elements(sheet, adjoint)
    if sheet.pictures and adjoint.of == sheet.part.asked.top:
        from derive.report.compose.path_pictures import pictured  # only who has a picture pays for it

        yield from pictured(sheet, adjoint.by)


def _heat_map(sheet: Sheet, adjoint: Adjoint) -> Iterator[Block]:
    """A picture of a gradient that is too large to print."""
    if any(isinstance(size, int) and size > FEW for size in sheet.shape(adjoint)):
        from derive.report.compose.heat_maps import map_of, worth_a_map  # only large matrices pay for it

        if worth_a_map(sheet, adjoint):
            yield from map_of(sheet, adjoint)


def _in_one_formula(sheet: Sheet, adjoint: Adjoint) -> Iterator[Block]:
    """The derivative by what is normalised, all steps together."""
    if not any(equation.step[2:] == (adjoint.by,) for equation in sheet.part.network.equations):
        return
    from derive.solution.fused import fused  # only who normalises pays for it

    for found in fused(sheet.part):
        if found.adjoint == adjoint:
            steps = found.normalisation
            places = {"normalised": sheet.math(steps.normalised), "deviation": sheet.math(steps.deviation)}
            yield Paragraph(sheet.words.say("normal.fused", **places))
            numbers = sheet.number_links(adjoint, found.shown) if sheet.numeric else []
            links = [Link("=", sheet.letters.terms(found.shown))]
            yield Display((sheet.chain(sheet.symbols.name(adjoint), links, numbers),))


def matrix_form(sheet: Sheet, derivation: Derivation, adjoint: Adjoint) -> Display:
    """The rule as it came, its rewritings, entry names, numbers, result."""
    if sheet.signal(adjoint) is not None:
        from derive.report.compose.signals import defined  # only who names error signals pays for them

        return defined(sheet, derivation, adjoint)
    links: list[Link] = []
    final = derivation.adjoints[adjoint]
    gathered = sheet.recursion.sum_over_time(adjoint) if sheet.recursion is not None else None
    if gathered is not None:
        from derive.report.compose.recursion import summed_over_time  # only who has a loop pays for it

        links.append(Link("=", summed_over_time(sheet, gathered)))
        if len(gathered.indices) > sheet.detail.steps:
            result = [sheet.result(adjoint, final)] if sheet.numeric else []
            return Display((sheet.chain(sheet.symbols.name(adjoint), links, result),))
    for step in derivation.about(adjoint):
        if not _worth_showing(step) or _hidden(sheet, step) or not sheet.detail.rewritings:
            continue
        terms = sheet.letters.terms(step.after)
        if all(link.terms != terms for link in links):
            links.append(Link("=", terms))
    formula = sheet.formula_links(final)
    links += [link for link in formula if all(link.terms != other.terms for other in links)]
    left = sheet.symbols.name(adjoint)
    links = [link for link in links if link.terms != (left,)] or links[:1]
    numbers = sheet.number_links(adjoint, final) if sheet.numeric else []
    return Display((sheet.chain(left, links, numbers),), of=str(adjoint), uses=sheet.uses(final))


def _worth_showing(step: Step) -> bool:
    """A formula between rule and result, unless it only spreads ones about."""
    return not any(node.op == "spread" for node in step.after.nodes())


def _hidden(sheet: Sheet, step: Step) -> bool:
    """A formula that says the derivative where its negative has a name of its own, or adds up what adds up to 1."""
    network = sheet.part.network
    if any(
        node.op == "sum"
        and node.at[0] is not None
        and node.args[0].op == "name"
        and network.sums_to_one(str(node.args[0].name), node.at[0])
        for node in step.after.nodes()
    ):
        return True
    return any(sheet.turned(node.name) for node in step.after.nodes() if node.op == "name")


# ── entry by entry ──────────────────────────────────────────────────────────────────────────────────────────────


def elements(sheet: Sheet, adjoint: Adjoint) -> Iterator[Block]:
    """The chains of the entries of a name, where they say more than the matrix form does."""
    part, paths = sheet.part, sheet.part.paths
    if not sheet.detail.paths or paths is None or sheet.scalars or not worth_entries(sheet, adjoint):
        return
    if adjoint.of != paths.of:  # the paths are those to the loss, and a ratio of two names has none
        return
    shape = tuple(map(int, part.network.shape(adjoint.by)))
    indices = list(np.ndindex(*shape))
    chains: list[Chain] = []
    late: list[Block] = []
    left = sheet.detail.paths if len(shape) < 3 else sheet.detail.paths // 4
    for index in indices:
        entry = Entry(adjoint.by, index)
        found: Sequence[Path] = paths.short(entry)
        if sheet.symbols.signals:
            from derive.report.compose.signals import shortened

            found = shortened(found, sheet.symbols.signals)
        if not found:
            continue
        if any(beyond_hand(sheet, path) for path in found):
            return
        left -= len(found)
        if chains and left < 0:
            break
        chains.append(entry_chain(sheet, entry, found))
        alone = len(indices) == 1 and len(found) > 1
        if (alone or sheet.detail.every) and not all(path.whole for path in found):
            whole = _all_the_way(sheet, entry)
            left -= len(whole) if sheet.detail.every else 0
            late += _written_out(sheet, entry, whole)
    if not chains:
        return
    if not is_scalar(shape):
        yield Paragraph(sheet.words.say("backward.elements"), detail=True)
    for chain in chains:
        yield Display((chain,), detail=True)
    if left < 0:
        yield left_out(sheet, "backward.more", len(indices), len(chains), detail=True)
    yield from late


def beyond_hand(sheet: Sheet, path: Path) -> bool:
    """Whether a path runs through an inverse: its entries' derivatives are quotients that nobody writes out."""
    equations = (sheet.part.network.equation(str(factor.of.name)) for factor in path.factors)
    return any(node.op in ("inv", "logdet") for equation in equations for node in equation.value.nodes())


def worth_entries(sheet: Sheet, adjoint: Adjoint) -> bool:
    """Data and parameters that were asked for, and entries that several others use; the rest are links of a chain."""
    part, paths = sheet.part, sheet.part.paths
    assert paths is not None
    asked = adjoint.by in part.asked.gradients and (adjoint.by in part.network.data or sheet.excerpt is not None)
    if asked:
        return True
    if any(equation.name == adjoint.by and equation.step for equation in part.network.equations):
        return False  # the one formula behind the steps says more
    if sheet.detail.every:
        return True
    shape = tuple(map(int, part.network.shape(adjoint.by)))
    return any(len(paths.local(Entry(adjoint.by, index))) > 1 for index in list(np.ndindex(*shape))[:4])


def entry_chain(sheet: Sheet, entry: Entry, found: Sequence[Path]) -> Chain:
    """Sum over paths: names of the local derivatives, what they are, numbers, result."""
    left = sheet.symbols.partial(sheet.symbols.name(sheet.part.asked.top or ""), sheet.entry(entry))
    named = [Cell(term(sheet, path), 2) for path in found]
    links = [Link("=", _terms(named))] if _terms(named) != (left,) and len(found) <= sheet.detail.named_paths else []
    worked: list[Link] = []
    chosen = any(factor.value.has(FirstLargest) for path in found for factor in path.factors)
    shown = () if chosen else _terms([_product(sheet, path, False) for path in found])
    if not chosen and all(shown != link.terms for link in links):
        worked.append(Link("=", shown))
    if sheet.numeric:
        numbers = _terms([_product(sheet, path, True) for path in found])
        exact = _all_exact(sheet, found)
        text, is_value = _entry_value(sheet, entry, found)
        result = Link("=" if exact and is_value else r"\approx", (text,))
        if numbers not in (result.terms, shown):
            worked.append(Link("=" if exact else r"\approx", numbers))
        worked.append(result)
    return Chain(left, (*links, *packed(worked)))


def _all_the_way(sheet: Sheet, entry: Entry) -> Sequence[Path]:
    """Every path to the very top, where an entry has several and there are few enough; else none."""
    paths = sheet.part.paths
    assert paths is not None
    found = paths.full(entry, sheet.detail.at_once) or ()
    return found if len(found) >= (1 if sheet.detail.every else 3) else ()


def _written_out(sheet: Sheet, entry: Entry, found: Sequence[Path]) -> Iterator[Block]:
    """The chain along every path to the very top."""
    if not found:
        return
    start, loss = Math(sheet.entry(entry)), sheet.math(sheet.part.asked.top or "")
    if len(found) > 1:
        said = sheet.words.say("backward.all_paths", entry=start, loss=loss, count=len(found))
    else:
        said = sheet.words.say("backward.one_path", entry=start, loss=loss)
    yield Paragraph(said, detail=sheet.detail.every)
    yield Display((entry_chain(sheet, entry, found),), detail=sheet.detail.every)


def term(sheet: Sheet, path: Path) -> str:
    """What a path contributes, by the names of its local derivatives."""
    return _joined([_top(sheet, path), *(_local(sheet, factor) for factor in path.factors)]).text


def path_value(sheet: Sheet, path: Path) -> Printed | Undecided:
    """What a path contributes, as a number; by hand it is the product of what is displayed."""
    paths = sheet.part.paths
    assert paths is not None
    if sheet.part.shown.carried is not None:
        return sheet.product([*_heads(sheet, path), *map(sheet.local_printed, path.factors)])
    return local_value(sheet.part, paths.total((path,)))


def _terms(cells: Sequence[Cell]) -> tuple[str, ...]:
    whole = add(list(cells))
    return whole.terms or (whole.text,)


def _joined(fractions: Sequence[str]) -> Cell:
    return Cell(r" \, ".join(fraction for fraction in fractions if fraction), 2)


def _top(sheet: Sheet, path: Path) -> str:
    """d loss / d top, where a path stops below the loss."""
    if path.whole:
        return ""
    signal = sheet.signal(sheet.adjoint(str(path.top.name)))
    if signal is not None:
        return ("-" if signal.negative else "") + sheet.symbols.entry(signal, sheet.adjoint_index(path.top))
    return sheet.symbols.partial(sheet.symbols.name(sheet.part.asked.top or ""), sheet.entry(path.top))


def _local(sheet: Sheet, factor: Factor) -> str:
    of, by = factor.of, factor.by
    return sheet.local(str(of.name), str(by.name), sheet.entry(of), sheet.entry(by))


def _product(sheet: Sheet, path: Path, numbers: bool) -> Cell:
    """The factors of a path, with symbols or with numbers; a local derivative that is always 1 is left out."""
    part, paths = sheet.part, sheet.part.paths
    assert paths is not None
    assert part.explicit is not None
    explicit = part.explicit
    order = sheet.entry_order
    cells: list[Cell] = []
    if _top(sheet, path):
        if numbers:
            cells.append(sheet.number(sheet.adjoint(str(path.top.name)), sheet.adjoint_index(path.top)))
        else:
            top = _top(sheet, path)
            cells += [number(fmpq(-1)), Cell(top[1:])] if top.startswith("-") else [Cell(top)]
    front: list[Cell] = []  # of a long product the signs and numbers, which standard paths hardly have
    for factor in path.factors:
        if factor.value == 1:
            continue
        if numbers:
            cells.append(sheet.local_value(factor))
        else:
            cell = scalar(factor.value, lambda s: Cell(sheet.entry(explicit.entry_of[s])), sheet.symbols, order)
            (front if sheet.detail.every and factor.value.is_Number else cells).append(cell)
    return multiply([*front, *cells] or [number(fmpq(1))])


def _entry_value(sheet: Sheet, entry: Entry, found: Sequence[Path]) -> tuple[str, bool]:
    """The printed result, and whether it is the value itself; by hand it is the product of what is displayed."""
    if sheet.part.shown.carried is not None:
        return sheet.by_hand([[*_heads(sheet, path), *map(sheet.local_printed, path.factors)] for path in found])
    name, index = sheet.adjoint(str(entry.name)), sheet.adjoint_index(entry)
    value = sheet.printed_entry(name, index)
    return sheet.number(name, index).text, isinstance(value, Printed) and value.exact


def _heads(sheet: Sheet, path: Path) -> list[Printed | Undecided]:
    """The derivative that a path stops at, as it is displayed."""
    if path.whole:
        return []
    return [sheet.printed_entry(sheet.adjoint(str(path.top.name)), sheet.adjoint_index(path.top))]


def _all_exact(sheet: Sheet, found: Sequence[Path]) -> bool:
    for path in found:
        if _top(sheet, path) and not sheet.goes_on(sheet.adjoint(str(path.top.name))):
            return False
        if not all(sheet.local_exact(factor) for factor in path.factors):
            return False
    return True

"""From a solution to a document: which blocks there are, and in which order.

The order is that of a worked case in a textbook: what is given, forward, the loss and its derivative, backward,
update, checks. Words come from the catalogue and formulas from ``notation``; nothing here knows a format.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from derive.errors import ProblemError
from derive.graph.expression import Adjoint, Name
from derive.graph.network import Equation
from derive.report.catalogue import Catalogue, catalogue
from derive.report.compose import statement
from derive.report.compose.backward import backward, one
from derive.report.compose.chains import chain_of_jacobians
from derive.report.compose.detail import STANDARD, Detail, level
from derive.report.compose.forward import forward, shown
from derive.report.compose.sheet import Sheet
from derive.report.compose.sizes import sizes
from derive.report.compose.stacks import values
from derive.report.compose.training import training
from derive.report.compose.updates import first_update, later
from derive.report.compose.witnesses import checks
from derive.report.document import Block, Chain, Display, Document, Heading, Math, Paragraph, stem_in
from derive.report.numerals import set_numbers
from derive.solution import Solution


def compose(
    solution: Solution,
    *,
    questions: bool = False,
    language: str = "en",
    proofs: bool = False,
    detail: str = "standard",
    only: str | Iterable[str] = (),
) -> Document:
    """The report of a solution, or with ``questions`` the sheet without the solutions.

    ``proofs`` appends a proof for all sizes of every rule that the derivation used. ``detail`` is ``"brief"``,
    ``"standard"`` or ``"full"``. ``only`` names quantities (``"dE/dW2"``, ``"h"``, ``"W1@1"`` for the first update,
    several with commas): then these and what they rest on are worked out, and nothing else.

    Raises ``ProblemError`` for an unknown language, detail or quantity.
    """
    words, shown = catalogue(language).with_decimal(solution.problem.convention.decimal), level(detail)
    if questions and (only or shown is not STANDARD):
        raise ProblemError("a sheet of questions has no solutions to be brief or full of, or to take a part of")
    sheets, stem = _sheets(solution, words, shown, only)
    shared = statement.shared_data(sheets)
    problem = solution.problem
    title = statement.localised(problem.title, language) or problem.name
    introductions = [list(statement.introduction(sheet)) for sheet in sheets]
    alike = all(introduction == introductions[0] for introduction in introductions)
    blocks: list[Block] = introductions[0] if alike and not questions else []
    blocks += _problem(max(sheets, key=_stated) if only else sheets[0], questions)
    if shared:
        blocks.append(Heading(2, words.say("problem.shared")))
        blocks += statement.data(sheets[0], shared)
    for number, (sheet, introduction) in enumerate(zip(sheets, introductions, strict=True), 1):
        if len(sheets) > 1 or sheet.part.problem.part is not None:
            blocks.append(Heading(1, words.say("part.title", name=sheet.part.problem.part or "")))
        if questions:
            blocks += statement.data(sheet, sheet.part.network.data.keys() - shared)
            blocks += _blank_graph(sheet)
            blocks += _code(sheet, True)
            blocks += statement.tasks(sheet)
            blocks += _quiz(sheet, True)
        else:
            blocks += [] if alike else introduction
            blocks += _steps(sheet, shared, f"part-{number}-" if len(sheets) > 1 else "")
    if not questions:
        blocks.append(Heading(1, words.say("checks.heading"), "checks"))
        blocks += checks(sheets, words)
        blocks += _proofs(sheets, words) if proofs else ()
    stem += "-questions" if questions else "" if shown is STANDARD else f"-{shown.name}"
    return set_numbers(Document(stem_in(language, stem), title, language, tuple(blocks)), words)


def _sheets(solution: Solution, words: Catalogue, shown: Detail, only: str | Iterable[str]) -> tuple[list[Sheet], str]:
    """A sheet for each part that there is something to say of, and the stem of the file's name."""
    name = solution.problem.name
    if not only:
        return [Sheet(part, words, first=k == 0, detail=shown) for k, part in enumerate(solution.parts)], name
    from derive.report.compose.only import excerpts, quantities, stem  # only who wants less pays for it

    texts = quantities(only)
    found = excerpts(solution.parts, texts)
    sheets = [Sheet(one.part, words, first=k == 0, detail=shown, excerpt=one) for k, one in enumerate(found)]
    return sheets, f"{name}-{stem(texts)}"


def _stated(sheet: Sheet) -> int:
    return len(sheet.part.network.equations)


def _blank_graph(sheet: Sheet) -> Iterator[Block]:
    """The computation graph for the reader to fill in."""
    if sheet.part.gates is not None:
        from derive.report.compose.circuit import blank_circuit

        yield from blank_circuit(sheet)


def _code(sheet: Sheet, questions: bool) -> Iterator[Block]:
    """Both passes in NumPy, where that is asked for; without the derivatives on a sheet of questions."""
    if sheet.part.problem.ask.code:
        from derive.report.compose.code import code

        yield from code(sheet, questions)


def _quiz(sheet: Sheet, questions: bool) -> Iterator[Block]:
    """Questions of choice, and behind the solution their answers."""
    if sheet.part.quiz is not None:
        from derive.report.compose.quiz import answered, asked

        yield from asked(sheet, sheet.part.quiz) if questions else answered(sheet, sheet.part.quiz)


def _proofs(sheets: Sequence[Sheet], words: Catalogue) -> Iterator[Block]:
    """The rules that were used, proved for all sizes; nothing where nothing was derived."""
    from derive.report.compose.proofs import section  # only a report that asks for proofs pays for them

    yield from section(sheets, words)


def _problem(sheet: Sheet, questions: bool) -> Iterator[Block]:
    yield Heading(1, sheet.words.say("problem.heading"), "problem")
    yield from statement.equations(sheet)
    if sheet.excerpt is None:
        yield from statement.figure(sheet)
    yield Heading(2, sheet.words.say("problem.legend"), "symbols")
    yield statement.legend(sheet)
    if sheet.part.problem.ask.shapes:
        yield from sizes(sheet)
    if sheet.part.problem.ask.costs:
        from derive.report.compose.costs import costs

        yield from costs(sheet)
    yield from statement.conventions(sheet)
    if not questions:
        yield from statement.functions(sheet)


def _steps(sheet: Sheet, shared: frozenset[str], prefix: str = "") -> Iterator[Block]:
    """The numbered steps; a step with nothing in it takes no number. ``prefix`` stands before their labels."""
    level = 2 if sheet.part.problem.part is not None else 1
    number = 0
    for key, section in _sections(sheet, shared):
        blocks = list(section())
        if not blocks:
            continue
        number += 1
        title = sheet.words.text(f"step.{key}")
        yield Heading(level, sheet.words.say("step.heading", number=number, title=title), f"{prefix}{key}")
        yield from blocks
    results = list(_results(sheet))
    if results:
        yield Heading(level, sheet.words.say("results.heading"), f"{prefix}results")
        yield from results


def _sections(sheet: Sheet, shared: frozenset[str]) -> Sequence[tuple[str, Callable[[], Iterator[Block]]]]:
    part = sheet.part
    trained = any(datum.role == "parameter" for datum in part.network.data.values())
    loss = part.asked.loss if part.derivation is not None else None
    before, last = _split([e for e in part.network.equations if sheet.works_out(e.name)], loss)
    start, rest = _adjoints(sheet, loss)

    def data() -> Iterator[Block]:
        yield from statement.data(sheet, sheet.part.network.data.keys() - shared)
        yield from statement.kinks(sheet)

    def at_the_loss() -> Iterator[Block]:
        if loss is None:
            return
        for equation in last:
            if sheet.detail.reasons:
                yield Paragraph(sheet.words.say("loss.of"))
            yield shown(sheet, equation)
        for adjoint in start:
            if sheet.detail.reasons:
                yield Paragraph(sheet.words.say("loss.first", by=sheet.math(adjoint.by)))
            assert part.derivation is not None
            yield from one(sheet, part.derivation, adjoint)

    def back() -> Iterator[Block]:
        if part.derivation is None:
            return
        chained = {f"d{part.asked.top}/d{name}" for name in part.asked.gradients} <= part.chains.keys()
        if {"matrix", "elements"} & set(part.problem.convention.style) or not chained:
            if rest and sheet.detail.reasons:
                yield Paragraph(sheet.words.say("backward.start" if sheet.numeric else "backward.start_symbolic"))
            if sheet.recursion is not None:
                from derive.report.compose.recursion import recursion  # only who has a loop pays for it

                yield from recursion(sheet)
            yield from backward(sheet, part.derivation, rest)
        for text, ways in part.chains.items():
            if part.ratio(text) is None:
                yield from chain_of_jacobians(sheet, ways[0].factors[0].of, ways[0].factors[-1].by, ways)
                if sheet.pictures and not {"matrix", "elements"} & set(part.problem.convention.style):
                    from derive.report.compose.path_pictures import pictured

                    yield from pictured(sheet, ways[0].factors[-1].by)

    def graph() -> Iterator[Block]:
        if part.gates is not None:
            from derive.report.compose.circuit import circuit  # only who sees the graph pays for it

            yield from circuit(sheet)

    def second() -> Iterator[Block]:
        if part.further is not None:
            from derive.report.compose.further import second_derivatives  # only who asks for them pays for them

            yield from second_derivatives(sheet)

    def alphabet() -> Iterator[Block]:
        if part.further is not None:
            from derive.report.compose.further import alphabet

            yield from alphabet(sheet)

    def batch() -> Iterator[Block]:
        if part.further is not None:
            from derive.report.compose.further import batch

            yield from batch(sheet)

    def differences() -> Iterator[Block]:
        if part.further is not None:
            from derive.report.compose.further import differences

            yield from differences(sheet)

    def tangents() -> Iterator[Block]:
        if part.further is not None:
            from derive.report.compose.further import forward_mode

            yield from forward_mode(sheet)

    def update() -> Iterator[Block]:
        wish = part.problem.ask.update
        if wish is None or wish.plain:
            yield from first_update(sheet)
            yield from later(sheet)
        else:
            from derive.report.compose.optimisers import worked_updates  # only such updates pay for it

            yield from worked_updates(sheet)

    return (
        ("data" if trained else "data_given", data),
        ("forward", lambda: forward(sheet, before)),
        ("loss", at_the_loss),
        ("backward", back),
        ("ratios", lambda: _ratios(sheet)),
        ("graph", graph),
        ("code", lambda: _code(sheet, False)),
        ("quiz", lambda: _quiz(sheet, False)),
        ("second", second),
        ("tangents", tangents),
        ("alphabet", alphabet),
        ("batch", batch),
        ("differences", differences),
        ("update", update),
        ("training", lambda: training(sheet)),
    )


def worked(sheet: Sheet) -> Iterator[Block]:
    """The forward pass, the loss and the way back of one part, without the steps' headings."""
    for key, section in _sections(sheet, frozenset()):
        if key in ("forward", "loss", "backward"):
            yield from section()


def _split(equations: Sequence[Equation], loss: str | None) -> tuple[list[Equation], list[Equation]]:
    """The equations before the loss, and the loss."""
    last = [equation for equation in equations if equation.name == loss]
    return [equation for equation in equations if equation.name != loss], last


def _adjoints(sheet: Sheet, loss: str | None) -> tuple[list[Adjoint], list[Adjoint]]:
    """The derivatives by what the loss is made of, and all others: the first are taken at the loss itself."""
    derivation = sheet.part.derivation
    if derivation is None:
        return [], []
    if "matrix" not in sheet.part.problem.convention.style and "elements" not in sheet.part.problem.convention.style:
        return [], list(derivation.adjoints)
    network = sheet.part.network
    direct = set(network.equation(loss).value.names()) if loss is not None and loss not in network.data else set()
    users = network.users()
    start = [a for a in derivation.adjoints if a.by in direct and users[a.by] == (loss,)]
    return start, [a for a in derivation.adjoints if a not in start]


def _results(sheet: Sheet) -> Iterator[Block]:
    """What was asked for, once more in one place."""
    part = sheet.part
    if not sheet.numeric or not sheet.detail.reasons or sheet.excerpt is not None:
        return
    wanted: list[Name] = [part.asked.loss] if part.asked.loss is not None else []
    if part.derivation is not None:
        adjoints = map(part.derivation.adjoint, part.asked.gradients)
        wanted += [adjoint for adjoint in adjoints if adjoint in part.derivation.adjoints]
    more: tuple[Chain, ...] = ()
    if part.further is not None:
        from derive.report.compose.further import results

        more = results(sheet)
    if len(wanted) + len(part.asked.ratios) + len(more) > 1:
        yield Display(
            tuple(map(sheet.ratio, part.asked.ratios))
            + more
            + tuple(chain for name in wanted for chain in values(sheet, name))
        )


def _ratios(sheet: Sheet) -> Iterator[Block]:
    """Ratios of two names that do not lead to the loss."""
    part = sheet.part
    for ratio in part.asked.ratios:
        ways = part.chains.get(ratio.text)
        if ways is not None:
            yield from chain_of_jacobians(sheet, ratio.of, ratio.by, ways)
        elif ratio.kind != "jacobian":
            derivation = part.ratios[ratio.text]
            for adjoint in derivation.adjoints:
                yield from one(sheet, derivation, adjoint)
        elif sheet.numeric:
            places = {name: Math(sheet.symbols.name(of)) for name, of in (("of", ratio.of), ("by", ratio.by))}
            yield Paragraph(sheet.words.say("jacobian.entries", **places))
            yield Display((sheet.ratio(ratio),))


def given(sheet: Sheet) -> Iterator[Block]:
    """The problem without a word on what to find, for questions that are put in a way of their own."""
    yield from _problem(sheet, True)
    yield from statement.data(sheet)


def stepped(sheet: Sheet) -> Iterator[Block]:
    """The numbered steps of one part, and no statement of its problem."""
    yield from _steps(sheet, frozenset())

"""The problem as it is put to the reader: equations, symbols, conventions, functions, data, and what to find."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

import sympy
from flint import fmpq

from derive.calculus.functions import H, Z
from derive.graph.expression import Name
from derive.graph.ops import FUNCTIONS
from derive.graph.sizes import is_scalar
from derive.numbers.rounding import as_decimal, minimal, printed
from derive.problem.names import stem_of
from derive.problem.problem import Text as Words
from derive.report.compose.conventions import of_indices, of_labels, of_logarithms, of_signals, of_the_loss
from derive.report.compose.diagram import network_figure
from derive.report.compose.sheet import Sheet
from derive.report.compose.stacks import values
from derive.report.document import (
    Block,
    Chain,
    Display,
    Heading,
    Items,
    Link,
    Math,
    Note,
    Paragraph,
    Span,
    Spans,
    Table,
    Text,
)
from derive.report.notation import Cell, letter, scalar
from derive.report.notation.cells import call, divide, number
from derive.report.notation.entries import condition
from derive.report.notation.matrices import MOST_COLUMNS, MOST_ROWS, WIDE, matrix_of
from derive.report.notation.printed import printed_text
from derive.report.notation.symbols import FUNCTIONS as SYMBOLS

SOFTMAXES = ("softmax", "log_softmax")


def localised(text: Words, language: str) -> str:
    """A text of a problem in a language; its only one, or its first, where that language is missing."""
    return text.get(language) or text.get("") or text.get("en") or next(iter(text.values()), "")


def introduction(sheet: Sheet) -> Iterator[Block]:
    """What the solution does, in a sentence or two."""
    part, words = sheet.part, sheet.words
    if sheet.excerpt is not None:
        said: list[Spans] = [words.say("detail.only", names=sheet.excerpt.listed(words))]
        if part.problem.ask.update is not None:
            rate = Math(rate_symbol(sheet))
            said.append(words.say("intro.update", steps=steps(sheet), rate=rate))
        yield Paragraph(words.sentences(said))
        return
    said = list[Spans]()
    if part.asked.top is not None and part.asked.gradients:
        names = sheet.listed(part.asked.gradients)
        styles = part.problem.convention.style
        key: str = next(style for style in ("elements", "matrix", "jacobian") if style in styles)
        key = "matrix" if key == "elements" and not sheet.detail.paths else key
        key = "scalars" if sheet.scalars else key
        if not sheet.numeric:
            key = "formulas_elements" if key == "elements" and part.explicit is not None else "formulas"
        said.append(words.say(f"intro.{key}", loss=Math(sheet.symbols.name(part.asked.top)), names=names))
    elif part.network.equations:
        said.append(words.say("intro.values"))
    if part.asked.ratios:
        symbols = sheet.symbols
        ratios = [Math(symbols.partial(symbols.name(one.of), symbols.name(one.by))) for one in part.asked.ratios]
        said.append(words.say("intro.ratios", ratios=words.in_a_row(ratios)))
    if part.further is not None:
        from derive.report.compose.further_asked import introduction as further_introduction

        said += further_introduction(sheet)
    update = part.problem.ask.update
    if update is not None:
        rule, rate = words.text(f"rule.{update.rule}"), Math(rate_symbol(sheet))
        key = "update" if update.plain else "update_rule" if part.network.equations else "update_alone"
        said.append(words.say(f"intro.{key}", steps=steps(sheet), rule=rule, rate=rate))
    if any(isinstance(size, str) for datum in part.network.data.values() for size in datum.shape):
        said.append(words.say("intro.symbolic"))
    yield Paragraph(words.sentences(said))


def steps(sheet: Sheet) -> str:
    """``one step``, ``5 steps``, ``2 passes over the samples``"""
    update = sheet.part.problem.ask.update
    assert update is not None
    what = "update" if update.batches is None else "pass"
    if update.steps == 1:
        return sheet.words.text(f"intro.{what}_one")
    return sheet.words.text(f"intro.{what}_many", steps=str(update.steps))


def rate_symbol(sheet: Sheet, name: str | None = None) -> str:
    """alpha = 0.01; of one parameter, or of all: the symbol alone where they have rates of their own."""
    update = sheet.part.problem.ask.update
    assert update is not None
    rates = set(update.rates.values()) if name is None else {update.rates[name]}
    symbol = letter(update.symbol)
    return f"{symbol} = {plain(rates.pop())}" if len(rates) == 1 else symbol


def plain(value: fmpq) -> str:
    """An exact rational from the problem file: a decimal where it is one, else a fraction."""
    decimal = as_decimal(value)
    if decimal is not None:
        return printed_text(minimal(*decimal))
    sign = "-" if value < 0 else ""
    return rf"{sign}\frac{{{abs(value.p)}}}{{{value.q}}}"


def equations(sheet: Sheet) -> Iterator[Block]:
    """The defining equations, as the network has them."""
    if not sheet.part.network.equations:
        return
    yield Paragraph(sheet.words.say("problem.equations"))
    general: dict[Name, Chain | None] = {}
    if sheet.recursion is not None:
        from derive.report.compose.recursion import once

        general = once(sheet)
    chains = []
    for equation in sheet.part.network.equations:
        plain = Chain(sheet.symbols.name(equation.name), (Link("=", sheet.letters.terms(equation.value)),))
        chain = general.get(equation.name, plain)
        chains += [chain] if chain is not None else []
    yield Display(tuple(chains))


def legend(sheet: Sheet) -> Block:
    """Every symbol with its meaning and size."""
    words, network = sheet.words, sheet.part.network
    rows: list[tuple[str, Spans, Spans]] = []
    for name, datum in network.data.items():
        meaning = words.say("problem.labels" if name in network.labels else f"problem.{datum.role}")
        rows.append((name, _described(sheet, name, meaning), _size(sheet, datum.shape)))
    said: dict[str, Spans] = {}
    for equation in network.equations:
        name = str(equation.name)
        comment = _caption(sheet, name) or ((Text(equation.comment),) if equation.comment else None)
        if comment is not None:
            said.setdefault(stem_of(name), comment)  # a loop's comment is that of all its steps
        meaning = (
            comment or said.get(stem_of(name)) or words.say("problem.auto" if equation.auto else "problem.computed")
        )
        if equation.step:
            meaning = words.say(f"normal.called_{equation.step[1]}", x=sheet.math(equation.step[2]))
        rows.append((name, meaning, _size(sheet, equation.value.shape)))
    head = tuple(words.say(f"problem.{key}") for key in ("symbol", "meaning", "size"))
    cells = ((words.in_a_row(sheet.in_runs(names)), meaning, size) for names, meaning, size in _alike(sheet, rows))
    return Table(head, tuple(cells), "lll")


def _alike(sheet: Sheet, rows: Sequence[tuple[str, Spans, Spans]]) -> Sequence[tuple[Sequence[str], Spans, Spans]]:
    """Members of a family in a row share one, if they are alike; in brief all names that are alike do."""
    if not sheet.detail.reasons:
        same: dict[tuple[Spans, Spans], list[str]] = {}
        for name, meaning, size in rows:
            same.setdefault((meaning, size), []).append(name)
        return [(names, *alike) for alike, names in same.items()]
    together: list[tuple[list[str], Spans, Spans]] = []
    last: dict[str, tuple[list[str], Spans, Spans]] = {}
    for name, meaning, size in rows:
        before = last.get(stem_of(name))
        if before is not None and before[1:] == (meaning, size):
            before[0].append(name)
        else:
            last[stem_of(name)] = ([name], meaning, size)
            together.append(last[stem_of(name)])
    return together


def _described(sheet: Sheet, name: str, role: Spans) -> Spans:
    """What a datum is and where it comes from: ``inputs, given``."""
    caption = _caption(sheet, name)
    return role if caption is None else (*caption, Text(sheet.words.text("locale.clause")), *role)


def _caption(sheet: Sheet, name: str) -> Spans | None:
    captions = sheet.part.problem.captions
    caption = captions.get(name) or captions.get(stem_of(name))
    return None if caption is None else (Text(localised(caption, sheet.words.language)),)


def _size(sheet: Sheet, shape: tuple[int | str, ...]) -> Spans:
    if not shape:
        return sheet.words.say("problem.scalar")
    return (Math(r" \times ".join(sheet.symbols.factor_of(size) for size in shape)),)


def conventions(sheet: Sheet) -> Iterator[Block]:
    """The conventions in force; only those that bear on this problem."""
    words, part = sheet.words, sheet.part
    convention, network = part.problem.convention, part.network
    items: list[Spans] = []
    side = _orientation(sheet)
    if side:
        items.append(words.say(f"conventions.{side}"))
    if part.asked.top is not None:
        items.append(words.say(f"conventions.{convention.layout}"))
    shared, broadcast = _stretched(sheet)
    if shared:
        items.append(words.say("conventions.shared"))
    if broadcast:
        items.append(words.say("conventions.broadcast"))
    used = {node.op for equation in network.equations for node in equation.value.nodes()}
    if "relu" in used and part.asked.top is not None:
        items.append(words.say("conventions.relu_at_zero", value=Math(plain(convention.relu_at_zero))))
    if "abs" in used and part.asked.top is not None:
        items.append(words.say("conventions.abs_at_zero"))
    if used & {"max", "min"} and part.asked.top is not None:
        items.append(words.say("conventions.first_of_equals"))
    for op in ("maximum", "minimum"):
        if op in used and part.asked.top is not None:
            items.append(words.say("conventions.first_of_two", function=_function_span(sheet, op)))
    if any(node.op in SOFTMAXES and len(node.shape) > 2 for e in part.network.equations for node in e.value.nodes()):
        items.append(words.say("conventions.softmax_axis"))
    if "clip" in used and part.asked.top is not None:
        items.append(words.say("conventions.clip_ends"))
    if sheet.slides:
        from derive.report.compose.windows import notation_used

        for key, places in notation_used(sheet):
            items.append(words.say(f"windows.{key}", **places))
    if part.asked.top is not None and sheet.some_direct and (sheet.detail.paths or part.chains):
        items.append(words.say("conventions.direct", sign=Math(r"\partial^{+}")))
    items += [*of_signals(sheet), *of_the_loss(sheet), *of_labels(sheet)]
    items += of_indices(sheet) if sheet.detail.named else ()  # in brief no entry has a name
    items += of_logarithms(sheet)
    if sheet.numeric:
        mode = words.text(f"conventions.{convention.rounding}")
        if convention.significant is not None:
            items.append(words.say("conventions.significant", digits=convention.significant, mode=mode))
        else:
            items.append(words.say("conventions.digits", digits=convention.digits, mode=mode))
        if convention.fractions:
            items.append(words.say("conventions.fractions"))
        items.append(words.say(f"conventions.{convention.carry}", equal=Math("="), approx=Math(r"\approx")))
        if _some_in_part(sheet):
            items.append(words.say("conventions.elided", rows=MOST_ROWS, columns=MOST_COLUMNS))
    if items:
        yield Heading(2, words.say("conventions.heading"))
        yield Items(tuple(items))


def _some_in_part(sheet: Sheet) -> bool:
    """Whether the value of anything is too large to be printed whole."""
    part, network = sheet.part, sheet.part.network
    names: list[Name] = [*network.data, *(equation.name for equation in network.equations)]
    names = [name for name in names if sheet.works_out(name)]
    names += part.derivation.adjoints if part.derivation is not None else ()
    if any(len(shape) > 1 and _is_large(shape) for shape in map(sheet.shape, names)):
        return True
    ratios = [part.value_of(ratio.text).shape for ratio in part.asked.ratios if ratio.kind == "jacobian"]
    if any(map(_is_large, ratios)):
        return True
    wide = (name for name in names if sheet.shape(name)[-1:] > (WIDE,))
    return any(r"\cdots" in sheet.value(name) for name in wide)


def _is_large(shape: tuple[int | str, ...]) -> bool:
    return int(shape[-2]) > MOST_ROWS or int(shape[-1]) > MOST_COLUMNS


def kinks(sheet: Sheet) -> Iterator[Block]:
    """A remark for every value that lies exactly where a function has no derivative."""
    for kink in sheet.part.kinks:
        if kink.function == "max_pool":
            yield Note(sheet.words.say("windows.tie", name=sheet.math(kink.name)))
            continue
        yield Note(
            sheet.words.say(
                "conventions.kink", name=sheet.math(kink.name), function=_function_span(sheet, kink.function)
            )
        )


def _function_span(sheet: Sheet, name: str) -> Span:
    return Math(SYMBOLS[name]) if name in SYMBOLS else Text(name)


def _orientation(sheet: Sheet) -> str | None:
    """Rows or columns, as the equations say: on which side of its data a parameter is multiplied."""
    network = sheet.part.network
    for equation in network.equations:
        for node in equation.value.nodes():
            if node.op == "matmul" and all(arg.op == "name" for arg in node.args):
                a, b = (str(arg.name) for arg in node.args)
                for weights, moving, side in ((b, a, "rows"), (a, b, "columns")):
                    if weights in network.data and (
                        moving not in network.data or network.data[weights].role == "parameter"
                    ):
                        return side
    return None


def _stretched(sheet: Sheet) -> tuple[bool, bool]:
    shared = broadcast = False
    for equation in sheet.part.network.equations:
        for node in equation.value.nodes():
            if node.op == "add" and not is_scalar(node.shape):
                for arg in node.args:
                    if arg.shape != node.shape and arg.op == "name":
                        shared |= is_scalar(arg.shape)
                        broadcast |= len(arg.shape) == 2 and not is_scalar(arg.shape)
    return shared, broadcast


def functions(sheet: Sheet) -> Iterator[Block]:
    """Each function that is used, with its definition and SymPy's derivative; where short, through its output."""
    part, words = sheet.part, sheet.words
    used: dict[tuple[str, tuple[object, ...]], None] = {}
    for equation in part.network.equations:
        for node in equation.value.nodes():
            if node.op in FUNCTIONS and node.op not in ("exp", "log", "sin", "cos", "sqrt"):
                used[(node.op, node.at)] = None
    if not used or part.asked.top is None:
        return
    yield Heading(2, words.say("functions.heading"))
    for name, at in used:
        symbol = sheet.symbols.function(name, at)
        found = definition(sheet, name, at)
        if found is None:
            yield Paragraph(words.say("functions.unspecified", function=Math(symbol)))
            continue
        yield Paragraph(words.say("functions.one", function=Math(symbol)))
        yield found


def definition(sheet: Sheet, name: str, at: tuple[object, ...] = ()) -> Display | None:
    """A function's formula, SymPy's derivative of it, and that through the output; ``None`` without a formula."""
    symbol, primed = sheet.symbols.function(name, at), sheet.symbols.slope(name, at)
    formula, slope = sheet.part.functions.definition(name, at), sheet.part.functions.derivative(name, at)
    if formula is None or slope is None:
        return None
    quotient = sheet.part.functions.through_output(name, at)
    links = [Link("=", (formula_in_z(sheet, _over_one_line(slope)),))]
    if quotient is not None:
        shown = {H: Cell(f"{symbol}(z)")}
        top, bottom = (scalar(side, lambda s: shown[s], sheet.symbols, {}) for side in quotient)
        links.append(Link("=", ((top if bottom.text == "1" else divide(top, bottom)).text,)))
    return Display(
        (
            Chain(call(symbol, Cell("z")).text, (Link("=", (formula_in_z(sheet, formula),)),)),
            Chain(f"{primed}(z)", tuple(links)),
        )
    )


def _over_one_line(slope: sympy.Expr) -> sympy.Expr:
    """A sum as one fraction with its numerator multiplied out, where that is shorter; powers of e stay as they are."""
    if not slope.is_Add:
        return slope
    powers = {power: sympy.Dummy() for power in slope.atoms(sympy.exp)}
    back = {dummy: power for power, dummy in powers.items()}
    top, bottom = sympy.fraction(sympy.together(slope.xreplace(powers)))
    whole = sympy.expand(sympy.expand(top).xreplace(back)) / bottom.xreplace(back)
    return whole if whole.count_ops() < slope.count_ops() else slope


def formula_in_z(sheet: Sheet, formula: sympy.Expr) -> str:
    """A formula in z; cases where it has any."""
    if isinstance(formula, sympy.Piecewise):
        rows = []
        left = formula.args
        for value, holds in left:
            rows.append(rf"{formula_in_z(sheet, value)}, & {condition(holds, [c for _, c in left])}")
        return r"\begin{cases} " + r" \\ ".join(rows) + r" \end{cases}"
    return scalar(formula, lambda symbol: Cell("z") if symbol == Z else Cell(str(symbol)), sheet.symbols, {}).text


def shared_data(sheets: Sequence[Sheet]) -> frozenset[str]:
    """The data that all parts have in common."""
    first, *rest = (sheet.part.network.data for sheet in sheets)
    if not rest:
        return frozenset()
    return frozenset(name for name, datum in first.items() if all(other.get(name) == datum for other in rest))


def data(sheet: Sheet, names: Iterable[str] | None = None) -> Iterator[Block]:
    """The numbers of the problem, with the names of their entries."""
    chains: list[Chain] = []
    for name, datum in sheet.part.network.data.items():
        if datum.tensor is None or (names is not None and name not in names) or not sheet.works_out(name):
            continue
        shape, entries = tuple(map(int, datum.shape)), datum.tensor.entries
        if len(shape) > 2:
            chains += values(sheet, name)
            continue
        links = [Link("=", (matrix_of(shape, partial(_given, sheet, entries, shape)),))]
        if not is_scalar(shape) and len(entries) <= sheet.detail.named:
            links.insert(0, Link("=", (matrix_of(shape, partial(sheet.symbols.entry, name)),)))
        chains.append(sheet.chain(sheet.symbols.name(name), links))
    if chains:
        yield Display(tuple(chains))


def _given(sheet: Sheet, entries: tuple[fmpq, ...], shape: tuple[int, ...], index: tuple[int, ...]) -> str:
    """A number of the problem file as it stands there, as long as that is short."""
    value = entries[Sheet._flat(shape, index)]
    text = plain(value)
    if len(text) <= 12 and not sheet.part.rounding.fractions:
        return text
    shown = printed(value, sheet.part.rounding)
    return number(value).text if shown is None else printed_text(shown)


def stopping_rules(sheet: Sheet) -> Spans:
    """What stops a training run, in words."""
    train, loss, words = sheet.part.problem.ask.train, sheet.part.asked.loss, sheet.words
    assert train is not None
    found: list[Span] = []
    if train.below is not None:
        bound = rf"{sheet.symbols.name(str(loss))} < {plain(train.below)}"
        found += [*words.say("training.until_loss", bound=Math(bound)), Text(words.text("training.or"))]
    if train.tolerance is not None:
        found += words.say("training.until_settled", tolerance=Math(plain(train.tolerance)))
        found.append(Text(words.text("training.or")))
    return (*found, *words.say("training.until_most", count=words.count(train.at_most)))


def tasks(sheet: Sheet) -> Iterator[Block]:
    """What the reader is to find: the sheet without its solutions."""
    words, part = sheet.words, sheet.part
    names = [str(equation.name) for equation in part.network.equations if not equation.auto]
    loss = part.asked.loss
    items = []
    if sheet.numeric:
        values = [name for name in names if name != loss]
        if values:
            items.append(words.say("problem.find_values", names=sheet.listed(values)))
        if loss is not None:
            items.append(words.say("problem.find_loss", loss=sheet.math(loss)))
    for name in part.asked.gradients:
        if part.asked.top is not None:
            fraction = sheet.symbols.partial(sheet.symbols.name(part.asked.top), sheet.symbols.name(name))
            items.append(words.say("problem.find_gradient", derivative=Math(fraction)))
    for ratio in part.asked.ratios:
        fraction = sheet.symbols.partial(sheet.symbols.name(ratio.of), sheet.symbols.name(ratio.by))
        items.append(words.say("problem.find_gradient", derivative=Math(fraction)))
    if part.further is not None:
        from derive.report.compose.further_asked import tasks as further_tasks  # only who asks for more pays for it

        items += further_tasks(sheet)
    if part.problem.ask.recursion:
        items.append(words.say("problem.find_recursion"))
    update = part.problem.ask.update
    if update is not None:
        rule, rate = words.text(f"rule.{update.rule}"), Math(rate_symbol(sheet))
        key = "find_update" if update.plain else "find_update_rule"
        items.append(words.say(f"problem.{key}", steps=steps(sheet), rule=rule, rate=rate))
    if part.problem.ask.train is not None:
        items.append(words.say("problem.find_training", rules=stopping_rules(sheet)))
    yield Heading(2, words.say("problem.find"))
    yield Items(tuple(items), ordered=True, tasks=True)
    if update is not None and not update.plain:
        from derive.report.compose.rule_stated import given_gradients, stated  # only such updates pay for it

        yield from stated(sheet, update)
        yield from given_gradients(sheet, update)


def figure(sheet: Sheet) -> Iterator[Block]:
    """The network as a drawing, where it is a chain of layers."""
    drawn = network_figure(sheet)
    if drawn is not None:
        yield drawn

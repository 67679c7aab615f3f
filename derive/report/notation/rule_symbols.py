"""How the names of an update rule are printed: constants by the names they were given, memory by letter and parameter.

Where one parameter moves, what is remembered of it is plainly ``v``; of several it is ``v_{W_1}``. The value before an
update and the value after it have one symbol, as in an assignment.
"""

from __future__ import annotations

from collections.abc import Iterable

from derive.problem.problem import Update
from derive.problem.rules import RULES
from derive.report.notation.symbols import Symbols, letter
from derive.solution import rules

LETTERS = ("m", "v", "s", "g")


def rule_symbols(update: Update, loss: str, symbols: Symbols, names: Iterable[str]) -> dict[str, str]:
    """The symbol of every name of the rule; ``names`` are those of the problem, ``loss`` is among them."""
    taken = {symbols.name(name) for name in names}
    lone = len(update.moving) == 1 and not taken & set(LETTERS)

    def of(base: str, name: str) -> str:
        return base if lone else f"{base}_{{{symbols.name(name)}}}"

    found = {f":{role}": constant_symbol(called) for role, called in update.called.items()}
    found[rules.DECAY] = r"\lambda"
    for name in update.moving:
        rate = letter(update.symbol)
        label = rules.rate_of(name, update)
        found[label] = rate if label == rules.RATE else f"{rate}_{{{symbols.name(name)}}}"
        found[rules.after(name)] = symbols.name(name)
        found[rules.given(name)] = of("g", name)
        found[rules.penalised(name)] = of(r"\tilde{g}" if update.slopes else "g", name)
        ahead = found[rules.ahead(name)] = rf"\tilde{{{symbols.name(name)}}}"
        slope = symbols.partial(symbols.name(loss), ahead) if loss else of("g", name)
        found[rules.slope_ahead(name)] = found[rules.slope_ahead(name, numerator=True)] = slope
        for state in RULES[update.rule].state:
            found[rules.remembered(state, name)] = of(state, name)
            found[rules.after(rules.remembered(state, name))] = of(state, name)
            found[rules.corrected(state, name)] = of(rf"\hat{{{state}}}", name)
    return found


def constant_symbol(called: str) -> str:
    """A constant by the name it was given; ``eps`` is an epsilon."""
    return r"\epsilon" if called == "eps" else letter(called)

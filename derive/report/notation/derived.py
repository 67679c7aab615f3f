r"""The symbols of what a view adds to a problem: ``\dot{z}``, ``\bar{z}``, a second derivative and more.

``dot z`` is the tangent of z, ``bar z`` its adjoint, ``z along x`` the derivative of z by a number x; ``d2f/dxdy`` is a
second derivative. An accent that one of the problem's own symbols bears already gives way to another.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from derive.graph.sizes import is_scalar
from derive.problem.questions import second_of

if TYPE_CHECKING:
    from derive.report.notation.symbols import Symbols

ACCENTS = {"dot": ("dot", "vec", "tilde"), "bar": ("bar", "tilde", "vec")}
_HEAD = re.compile(
    r"\\(?:mathrm|mathbf|operatorname|hat|bar|tilde|vec|dot)\{(?:[^{}]|\{[^{}]*\})*\}|\\[A-Za-z]+|[A-Za-z]"
)


def is_derived(name: object) -> bool:
    """Whether a name is one of a view's own: no name of a problem holds a blank or a stroke."""
    return isinstance(name, str) and (" " in name or "/" in name)


def derived(symbols: Symbols, name: str) -> str:
    """The symbol of a derived name."""
    if " at " in name:
        return _at(symbols, name)
    if " along " in name:
        upper, _, lower = name.partition(" along ")
        return symbols.partial(symbols.name(upper), symbols.name(lower))
    head, _, rest = name.partition(" ")
    if head in ACCENTS:
        return accented(symbols, head, symbols.name(rest))
    found = second_of(name, symbols.known)
    if found is None:
        raise TypeError(f"{name} has no symbol")
    of, first, then = map(symbols.name, found)
    return _second(of, first, "" if first == then else then)


def _second(of: str, first: str, then: str) -> str:
    """d^2 of / d first d then; twice by ``first`` where ``then`` is empty."""
    below = rf"\partial {first} \, \partial {then}"
    if not then:
        below = rf"\partial {{{first}}}^{{2}}" if "^" in first else rf"\partial {first}^{{2}}"
    return rf"\frac{{\partial^{{2}} {of}}}{{{below}}}"


def derived_entry(symbols: Symbols, name: str, index: tuple[int, ...]) -> str:
    """The symbol of one entry of a derived name."""
    if " along " in name:
        upper, _, lower = name.partition(" along ")
        number = is_scalar(symbols.shape(lower))
        return symbols.partial(
            symbols.entry(upper, index), symbols.name(lower) if number else symbols.entry(lower, index)
        )
    head, _, rest = name.partition(" ")
    if head in ACCENTS:
        return accented(symbols, head, symbols.entry(rest, index))
    found = second_of(name, symbols.known)
    if found is None or found[1] != found[2]:
        return derived(symbols, name)
    return _second(symbols.entry(found[0], index), symbols.entry(found[1], index), "")


def derived_indexed(symbols: Symbols, name: str, index: str) -> str:
    """A derived name with running indices."""
    head, _, rest = name.partition(" ")
    if head in ACCENTS and " along " not in name:
        return accented(symbols, head, symbols.indexed(rest, index))
    return rf"\left({derived(symbols, name)}\right)_{{{index}}}"


def accented(symbols: Symbols, kind: str, latex: str) -> str:
    """The accent on the letter that a symbol begins with; indices stay outside of it."""
    taken = symbols.taken
    accent = next(
        (one for one in ACCENTS[kind] if not any(rf"\{one}{{" in symbol for symbol in taken)), ACCENTS[kind][0]
    )
    match = _HEAD.match(latex)
    if match is None:
        return rf"\{accent}{{{latex}}}"
    return rf"\{accent}{{{match[0]}}}{latex[match.end() :]}"


def _at(symbols: Symbols, name: str) -> str:
    """A difference quotient: the step, the loss at both ends, the quotient, the derivative, the distance."""
    what, _, rest = name.partition(" at ")
    loss, of, places = rest.split(" ")
    index = tuple(int(k) for k in places.split(",")) if places else ()
    above, below = symbols.name(loss), symbols.entry(of, index)
    step = "h" if not any(symbol == "h" or symbol.startswith("h_") for symbol in symbols.taken) else r"\varepsilon"
    match what:
        case "step":
            return step
        case "plus":
            return f"{above}({below} + {step})"
        case "minus":
            return f"{above}({below} - {step})"
        case "quotient":
            return rf"\frac{{\Delta {above}}}{{\Delta {below}}}"
        case "slope":
            return symbols.partial(above, below)
    quotient, slope = (_at(symbols, f"{other} at {rest}") for other in ("quotient", "slope"))
    return f"{quotient} - {slope}"

"""From nodes back to text: the equation language, spelled with no more brackets than it needs.

``read`` of what is spelled gives the same nodes. Numbers are written as exact decimals, and as a quotient where a
decimal does not end.
"""

from __future__ import annotations

from collections.abc import Mapping

from flint import fmpq

from derive.problem.functions import FUNCTIONS
from derive.problem.syntax import Binary, Call, Compare, Index, Name, Negate, Node, Number, Transpose

LONGEST_PLAIN = 20  # characters of a decimal that is written without an exponent

# How tightly an operator binds, in Python's order; a negation lies between products and powers, and a number stands
# under a power without brackets, but not in front of a dot.
_BINDS: Mapping[str, int] = {"+": 2, "-": 2, "*": 3, "/": 3, "@": 3, "**": 5}
_COMPARES, _NEGATES, _NUMBER, _CLOSED = 1, 4, 6, 7


def spell(node: Node) -> str:
    """The text of an expression."""
    return _spelled(node)[0]


def spell_number(value: fmpq) -> str:
    """An exact number as a decimal (``0.1``, ``-1e-07``), or as a fraction (``1/3``) where no decimal ends there."""
    decimal = _decimal(value)
    return f"{value.p}/{value.q}" if decimal is None else decimal


def _decimal(value: fmpq) -> str | None:
    """The decimal that is exactly ``value``; ``None`` where there is none."""
    places, rest = 0, int(value.q)
    for prime in (2, 5):
        power = 0
        while rest % prime == 0:
            rest //= prime
            power += 1
        places = max(places, power)
    if rest != 1:
        return None
    digits = str(abs(int(value.p)) * 10**places // int(value.q))
    sign = "-" if value < 0 else ""
    if places == 0:
        kept = digits.rstrip("0")
        zeros = len(digits) - len(kept)
        return sign + (f"{kept}e{zeros}" if kept and zeros > LONGEST_PLAIN else digits)
    plain = digits.zfill(places + 1)
    plain = f"{plain[:-places]}.{plain[-places:]}"
    exponent = len(digits) - 1 - places
    if len(plain) <= LONGEST_PLAIN or exponent >= -4:
        return sign + plain
    return f"{sign}{digits[0]}{'.' + digits[1:] if digits[1:] else ''}e{exponent}"


def _spelled(node: Node) -> tuple[str, int]:
    """The text, and how tightly its outermost operation binds."""
    match node:
        case Number(value=value):
            if _decimal(value) is None:
                return f"{value.p} / {value.q}", _BINDS["/"]
            return spell_number(value), _NEGATES if value < 0 else _NUMBER
        case Name(id=name):
            return name, _CLOSED
        case Negate(operand=operand):
            return f"-{_inside(operand, _NEGATES + 1)}", _NEGATES
        case Binary(operator="**", left=left, right=right):
            return f"{_inside(left, _NUMBER)}**{_exponent(right)}", _BINDS["**"]
        case Binary(operator=operator, left=left, right=right):
            binds = _BINDS[operator]
            second = _inside(right, binds + 1)
            if second.startswith("-"):
                second = f"({second})"  # a * -b is Python, and hard on the eye
            return f"{_inside(left, binds)} {operator} {second}", binds
        case Compare(operator=operator, left=left, right=right):
            return f"{_inside(left, _COMPARES + 1)} {operator} {_inside(right, _COMPARES + 1)}", _COMPARES
        case Transpose(operand=operand):
            return f"{_inside(operand, _CLOSED)}.T", _CLOSED
        case Index(operand=operand, items=items):
            return f"{_inside(operand, _CLOSED)}[{', '.join(map(_item, items))}]", _CLOSED
        case Call():
            return _call(node), _CLOSED


def _inside(node: Node, least: int) -> str:
    text, binds = _spelled(node)
    return text if binds >= least else f"({text})"


def _exponent(node: Node) -> str:
    text, binds = _spelled(node)
    return text if binds >= _NEGATES else f"({text})"


def _item(item: int | tuple[int | None, int | None, int | None]) -> str:
    if isinstance(item, int):
        return str(item)
    start, stop, step = ("" if end is None else str(end) for end in item)
    return f"{start}:{stop}" + (f":{step}" if step else "")


def _call(node: Call) -> str:
    """Options stand under their keywords, those that have their default are left out; sizes stand by themselves."""
    written = [spell(argument) for argument in node.arguments]
    row = FUNCTIONS.get(node.function)
    if row is not None and row.sizes:
        return f"{node.function}({', '.join([*written, *(str(size) for _, size in node.options)])})"
    rows = {} if row is None else {option.key: option for option in row.options}
    values = dict(node.options)
    for key, value in node.options:
        option = rows.get(key)
        if option is not None and option.kind == "size" and option.default is None:
            written.append(_option(value))  # a size that cannot be left out needs no keyword
            continue
        default = None if option is None else option.default
        if isinstance(default, str) and default in values:
            default = values[default]  # the stride of a window is its size
        if option is None or default != value:
            written.append(f"{key}={_option(value)}")
    return f"{node.function}({', '.join(written)})"


def _option(value: object) -> str:
    if isinstance(value, fmpq):
        return spell_number(value) if _decimal(value) is not None else f"{value.p} / {value.q}"
    return f'"{value}"' if isinstance(value, str) else str(value)

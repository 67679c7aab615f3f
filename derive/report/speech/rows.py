"""A row of signs in words: what is said between two of them, and what several of them say together.

Print leaves things to the eye that the ear has to be told: that two letters side by side are multiplied, that a letter
before a bracket is a function, that a sign is a minus of one number and not of two, that ``∂E/∂W`` is one thing.
"""

from __future__ import annotations

from enum import Enum, auto
from functools import lru_cache

from derive.report.latex_tree import (
    BIG_OPERATORS,
    BINARY,
    NAMED_OPERATORS,
    RELATIONS,
    Array,
    Big,
    Fenced,
    Group,
    Number,
    Operator,
    Phantom,
    Row,
    Scripts,
    Space,
    Styled,
    Switch,
    Symbol,
    Words,
)
from derive.report.speech import shapes
from derive.report.speech.phrases import Phrases


class Kind(Enum):
    """What a sign is to its neighbours."""

    START = auto()
    OPERAND = auto()
    OPEN = auto()
    CLOSE = auto()
    BINARY = auto()
    RELATION = auto()
    MARK = auto()  # a comma, a wide space
    FUNCTION = auto()
    NAME = auto()  # a letter that may be a function or a factor: nothing is said before its bracket
    PREFIX = auto()  # the nabla, a sum: what it belongs to follows at once
    WORDS = auto()
    SILENT = auto()


_SYMBOLS = (
    {f"\\{name}": Kind.BINARY for name in BINARY}
    | {f"\\{name}": Kind.RELATION for name in RELATIONS}
    | {f"\\{name}": Kind.FUNCTION for name in NAMED_OPERATORS}
    | {f"\\{name}": Kind.PREFIX for name in (*BIG_OPERATORS, "nabla", "partial", "forall", "exists")}
    | dict.fromkeys(("+", "-", "*", "/"), Kind.BINARY)
    | dict.fromkeys(("=", "<", ">"), Kind.RELATION)
    | dict.fromkeys((",", ";", ":"), Kind.MARK)
    | dict.fromkeys(("(", "[", r"\{", r"\lbrace", r"\lbrack", r"\langle", r"\lfloor", r"\lceil"), Kind.OPEN)
    | dict.fromkeys((r"\lvert", r"\lVert"), Kind.OPEN)
    | dict.fromkeys((")", "]", r"\}", r"\rbrace", r"\rbrack", r"\rangle", r"\rfloor", r"\rceil"), Kind.CLOSE)
    | dict.fromkeys((r"\rvert", r"\rVert", "!"), Kind.CLOSE)
    | dict.fromkeys(("|", r"\|", r"\vert", r"\Vert", ".", "?", "'"), Kind.WORDS)
)  # all others are operands
_LEADS = (Kind.START, Kind.OPEN, Kind.BINARY, Kind.RELATION, Kind.MARK, Kind.FUNCTION, Kind.PREFIX)
_VALUES = (Kind.OPERAND, Kind.CLOSE, Kind.NAME)
_FACTORS = (Kind.OPERAND, Kind.OPEN, Kind.FUNCTION, Kind.NAME, Kind.PREFIX)
_APPLIED = frozenset((r"\sigma", r"\phi", r"\varphi", r"\psi"))  # before a bracket: functions
_OVER = frozenset((r"\max", r"\min", r"\sup", r"\inf", r"\lim"))  # what they run over stands below
_EITHER = frozenset("fg")
_BRACKETS = {"(": "(", "\\lbrack": "[", "\\rbrack": "]", "\\lbrace": "{", "\\rbrace": "}"}


class Reader:
    """Reads rows out in one language."""

    def __init__(self, phrases: Phrases) -> None:
        self.phrases = phrases
        self.fill = phrases.fill
        self.times = phrases["multiplied"]
        self.of = phrases["of"]
        self.row = lru_cache(maxsize=2048)(self._row)  # the same parts stand all over a report
        """A part of a formula."""
        self.shapes = shapes.Shapes(phrases, self.row)

    def sentence(self, row: Row) -> str:
        """A whole formula, with a pause before every relation but the first; never nothing, which nobody could hear."""
        return self._row(row, True) or self.phrases["blank"]

    def _row(self, row: Row, whole: bool = False) -> str:
        words: list[str] = []
        before = Kind.START
        place, related = 0, False
        while place < len(row):
            start = place
            text, kind, taken = self.piece(row, place, before)
            place += taken
            if kind is Kind.SILENT:
                continue
            if before in _VALUES and kind in _FACTORS:
                if before is not Kind.NAME or not (kind is Kind.OPEN or _opens(row, start, "(")):
                    words.append(self.times)
            elif before is Kind.FUNCTION and self.of and (kind is Kind.OPEN or _opens(row, start, "(")):
                words.append(self.of)
            if kind is Kind.MARK and words:
                words[-1] += text
            elif kind is Kind.RELATION and whole and related:
                words[-1] += self.phrases["comma"]
                words.append(text)
            else:
                words.append(text)
            related = kind is Kind.RELATION or (related and kind is not Kind.MARK)
            before = kind
        return " ".join(words)

    def piece(self, row: Row, place: int, before: Kind) -> tuple[str, Kind, int]:
        """What is said of the sign at ``place``, its kind, and how many signs that takes up."""
        node = row[place]
        match node:
            case Number(digits):
                return self.number(row, place, digits)
            case Symbol(name):
                return self.symbol(row, place, name, before)
            case Space(width):
                pause = place > 0 and width > shapes.WIDE
                return self.phrases["comma"], Kind.MARK if pause else Kind.SILENT, 1
            case Switch() | Phantom():
                return "", Kind.SILENT, 1
            case Group(()):
                return "", Kind.SILENT, 1
            case Group((Symbol(name) as inner,)) if name in _SYMBOLS:
                return self.symbol((inner,), 0, name, before)
            case Big(_, _, delimiter):
                return self.phrases.sign(delimiter), _delimiter(delimiter, node.side), 1
            case Words(text):
                text = text.replace("_", " ").strip()
                return text, Kind.WORDS if text else Kind.SILENT, 1
            case Operator(name):
                return self.function(row, place, self.phrases.operator(name))
            case Styled("mathbf", (Number("1"),)) if _opens(row, place + 1, "["):
                return self.phrases["indicator"], Kind.PREFIX, 1
            case Styled("mathrm", (_, _, *_)):
                return self.shapes.said(node), Kind.NAME, 1
            case Scripts():
                return self.scripts(row, place, node)
        return self.shapes.said(node), Kind.OPERAND, 1

    def number(self, row: Row, place: int, digits: str) -> tuple[str, Kind, int]:
        """A number, also one with a decimal comma or with its thousands set apart."""
        taken = 1
        while place + taken + 1 < len(row) and isinstance(following := row[place + taken + 1], Number):
            match row[place + taken]:
                case Group((Symbol(","),)):
                    digits += "," + following.digits
                case Space(width) if width < shapes.WIDE:
                    digits += " " + following.digits
                case _:
                    break
            taken += 2
        return digits, Kind.OPERAND, taken

    def symbol(self, row: Row, place: int, name: str, before: Kind) -> tuple[str, Kind, int]:
        """A character or a command, with what it forms together with the signs behind it."""
        if name in ("-", "+") and before in _LEADS:
            return self.phrases["negative" if name == "-" else "positive"], Kind.BINARY, 1
        if name == ":" and place + 1 < len(row) and row[place + 1] == Symbol("="):
            return self.phrases["coloneqq"], Kind.RELATION, 2
        if name == "\\times":
            power = row[place + 1] if place + 1 < len(row) else None
            tens = isinstance(power, Scripts) and power.base == Number("10")
            return self.phrases["multiplied" if tens else "times"], Kind.BINARY, 1
        if name == "\\partial":
            return self.partial(row, place)
        kind = _SYMBOLS.get(name, Kind.OPERAND)
        if kind is Kind.FUNCTION:
            return self.function(row, place, self.phrases.sign(name))
        if name in _APPLIED and _opens(row, place + 1, "("):
            return self.function(row, place, self.phrases.sign(name))
        if name in _EITHER:
            kind = Kind.NAME
        return self.phrases.sign(shapes.delimiter(name)), kind, 1

    def partial(self, row: Row, place: int) -> tuple[str, Kind, int]:
        """``∂E`` alone, or ``∂E / ∂W`` on one line, which says what the fraction says."""
        if place + 4 < len(row) and row[place + 2] == Symbol("/"):
            said = self.shapes.derivative(row[place : place + 2], row[place + 3 : place + 5])
            if said:
                return said, Kind.OPERAND, 5
        return self.shapes.partial(row[place]), Kind.PREFIX, 1

    def function(self, row: Row, place: int, name: str) -> tuple[str, Kind, int]:
        """A function with its argument where that is one sign in brackets or a matrix, else its name alone."""
        rest = row[place + 1 : place + 5]
        inside: Row = ()
        taken = 1
        match rest:
            case (Symbol("("), inner, Symbol(")"), *_):
                inside, taken = (inner,), 4
            case (Symbol("("), Symbol("-") as sign, inner, Symbol(")"), *_):
                inside, taken = (sign, inner), 5
            case (Fenced("(", body, ")"), *_):
                inside, taken = body, 2
            case (Array(), *_):
                return self.fill["apply"](function=name, argument=self.shapes.said(rest[0])), Kind.OPERAND, 2
        if inside and shapes.is_short(inside):
            return self.fill["apply"](function=name, argument=self.row(inside)), Kind.OPERAND, taken
        return name, Kind.FUNCTION, 1

    def scripts(self, row: Row, place: int, node: Scripts) -> tuple[str, Kind, int]:
        """A sign with its scripts is what the sign is."""
        base = node.base
        match base:
            case Symbol("\\partial"):
                return self.partial(row, place)
            case Symbol(name) if name[1:] in BIG_OPERATORS:
                return self.shapes.big(name[1:], node), Kind.PREFIX, 1
            case Symbol(name) if name in _OVER and node.sub and not node.sup:
                return self.shapes.over(base, node.sub), Kind.PREFIX, 1
            case Operator(_, True) if node.sub and not node.sup:
                return self.shapes.over(base, node.sub), Kind.PREFIX, 1
            case Symbol(name):
                kind = _SYMBOLS.get(name, Kind.OPERAND)
            case Big(_, _, delimiter):
                kind = _delimiter(delimiter, base.side)
            case Operator():
                kind = Kind.FUNCTION
            case _:
                kind = Kind.OPERAND
        text = self.shapes.scripts(node)
        named = isinstance(base, Symbol) and base.name in _APPLIED
        if kind is Kind.FUNCTION or ((named or node.primes) and _opens(row, place + 1, "(")):
            return self.function(row, place, text)
        if kind is Kind.OPERAND and isinstance(base, Symbol) and base.name in _EITHER and node.sup is None:
            kind = Kind.NAME
        return text, kind, 1


def _opens(row: Row, place: int, bracket: str) -> bool:
    """Whether that bracket opens at ``place``, whatever its size."""
    match row[place : place + 1]:
        case (Symbol(name),):
            return _BRACKETS.get(name, name) == bracket
        case (Fenced(left) | Scripts(Fenced(left)),):
            return left == bracket
        case (Scripts(Symbol(name)),):
            return _BRACKETS.get(name, name) == bracket
        case (Big(_, side, delimiter),):
            return side != "r" and delimiter == bracket
    return False


def _delimiter(delimiter: str, side: str) -> Kind:
    if side in ("l", "r"):
        return Kind.OPEN if side == "l" else Kind.CLOSE
    return {"(": Kind.OPEN, "[": Kind.OPEN, "{": Kind.OPEN, ")": Kind.CLOSE, "]": Kind.CLOSE, "}": Kind.CLOSE}.get(
        delimiter, Kind.WORDS
    )

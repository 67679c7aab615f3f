"""Reading the strict subset of LaTeX: cut into tokens, then a tree; what is not known is refused with its place."""

from __future__ import annotations

import re
from functools import lru_cache
from string import ascii_letters
from typing import NamedTuple

from derive.errors import ProblemError
from derive.report.latex_tree import (
    ACCENTS,
    BIG_OPERATORS,
    BINARY,
    CHARACTERS,
    DELIMITERS,
    ENVIRONMENTS,
    FRACTIONS,
    NAMED_OPERATORS,
    ORDINARY,
    RELATIONS,
    SIZES,
    SPACES,
    STYLES,
    SWITCHES,
    Accent,
    Array,
    Big,
    Boxed,
    Braced,
    Fenced,
    Fraction,
    Group,
    Node,
    Number,
    Operator,
    Phantom,
    Root,
    Row,
    Scripts,
    Space,
    Styled,
    Switch,
    Symbol,
    Words,
)

# A piece of a formula: words, a command with a name in braces, a command, a number, blanks, or one character.
_PIECE = re.compile(
    r"""\\text\s*\{(?:[^{}\\$\#%&~^_`<>|*\[\]]|\\_)*\}
      | \\(?:operatorname\*?|begin|end)\s*\{(?:[A-Za-z0-9 *-]|\\[,_])*\}
      | \\(?:[A-Za-z]+|.)
      | \d+(?:(?:\.|\{,\})\d+)?|\.\d+
      | \s+
      | .""",
    re.VERBOSE | re.DOTALL,
)
_NAMED = ("\\operatorname", "\\begin", "\\end")
GAP = re.compile(r"\s*\[\s*(\d*\.?\d+)\s*(ex|em|pt|mm)\s*\]")
_DEEPEST = 60


class Token(NamedTuple):
    """A piece of a formula: its kind, its text, its place, and the argument it swallowed.

    The kind is ``text``, ``named``, ``command``, ``number``, ``space`` or ``character``.
    """

    kind: str
    text: str
    start: int
    argument: str = ""


@lru_cache(maxsize=1024)
def tokens(latex: str) -> tuple[Token, ...]:
    """The formula cut into tokens, spaces included: joining their texts gives the formula back."""
    found = []
    start = 0
    for piece in _PIECE.findall(latex):
        kind = _kind(piece)
        found.append(Token(kind, piece, start, _argument(piece) if kind in ("text", "named") else ""))
        start += len(piece)
    return tuple(found)


def _kind(piece: str) -> str:
    if piece[0] == "\\" and len(piece) > 1:
        if piece[-1] == "}" and len(piece) > 2:
            return "named" if piece.startswith(_NAMED) else "text"
        return "command"
    if piece[-1].isdecimal():
        return "number"
    return "space" if piece.isspace() else "character"


def _argument(piece: str) -> str:
    """What stands in the braces of a command that swallows it."""
    inner = piece[piece.index("{") + 1 : -1]
    return inner if piece.startswith(_NAMED) else inner.replace("\\_", "_")


@lru_cache(maxsize=1024)
def parse(latex: str) -> Row:
    """The tree of a formula.

    Raises ``ProblemError`` that names what is not in the subset and shows the formula.
    """
    reader = _Reader(latex)
    row = reader.row(())
    if reader.here:
        why = "stands outside of an array" if reader.here in ("&", "\\\\") else "closes nothing"
        raise reader.refuse(f"'{reader.here}' {why}")
    return row


_STOPS = frozenset(("}", "\\right", "&", "\\\\"))
_MARKS = frozenset("_^'")
_BARE = ORDINARY | BINARY | RELATIONS  # the commands that TeX takes for an argument as they are
_SIGNS = {name: Symbol(name) for name in CHARACTERS | frozenset(ascii_letters)} | {
    f"\\{name}": Symbol(f"\\{name}") for name in _BARE | BIG_OPERATORS | NAMED_OPERATORS
}  # one node for each sign, however often it is read


class _Reader:
    """A recursive-descent reader over the pieces of one formula."""

    def __init__(self, latex: str) -> None:
        self.latex = latex
        self.pieces = [piece for piece in _PIECE.findall(latex) if not piece.isspace()]
        self.pieces.append("")  # the end
        self.place = 0
        self.depth = 0
        self.here: str = self.pieces[0]  # the piece under the cursor, empty at the end

    def starts(self) -> list[int]:
        """Where each piece starts in the formula."""
        found, start = [], 0
        for piece in _PIECE.findall(self.latex):
            if not piece.isspace():
                found.append(start)
            start += len(piece)
        return found

    # the cursor

    def refuse(self, why: str) -> ProblemError:
        shown = self.latex if len(self.latex) <= 300 else self.latex[:297] + "..."
        return ProblemError(f"cannot set the formula  {shown}  : {why}")

    def take(self, expected: str = "") -> str:
        piece = self.here
        if not piece:
            raise self.refuse(f"it ends where '{expected}' is expected" if expected else "it ends too early")
        if expected and piece != expected:
            raise self.refuse(f"found '{piece}' where '{expected}' is expected")
        self.place += 1
        self.here = self.pieces[self.place]
        return piece

    # rows and atoms

    def row(self, ends: tuple[str, ...]) -> Row:
        """Nodes up to one of ``ends`` (left standing) or the end."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self.refuse(f"it nests deeper than {_DEEPEST} levels")
        nodes: list[Node] = []
        while (piece := self.here) and piece not in ends and piece not in _STOPS and not piece.startswith("\\end{"):
            node = self.base()
            nodes.append(self.scripted(node) if self.here in _MARKS else node)
        self.depth -= 1
        return tuple(nodes)

    def scripted(self, base: Node) -> Node:
        """``base`` with the scripts that follow it, one at least."""
        sub: Row | None = None
        sup: Row | None = None
        primes = 0
        while self.here in _MARKS:
            mark = self.take()
            if mark == "'":
                if sup is not None:
                    raise self.refuse("a prime stands behind a superscript (double superscript)")
                primes += 1
            elif mark == "_":
                if sub is not None:
                    raise self.refuse("double subscript")
                sub = self.argument()
            else:
                if sup is not None:
                    raise self.refuse("double superscript")
                sup = self.argument()
        return Scripts(base, sub, sup, primes)

    def argument(self) -> Row:
        """``{…}``, or the single piece that TeX takes for an argument."""
        piece = self.here
        if piece == "{":
            return self.braces()
        kind = _kind(piece) if piece else ""
        if kind == "number" and len(piece) > 1:  # x^12 is x^1 followed by 2 in TeX
            raise self.refuse(f"'{piece}' needs braces: TeX takes only its first character for an argument")
        if piece in _MARKS:
            raise self.refuse(f"'{piece}' where an argument is expected")
        if kind == "command" and piece[1:] not in _BARE:
            raise self.refuse(f"'{piece}' needs braces where it is an argument")
        return (self.base(),)

    def braces(self) -> Row:
        self.take("{")
        row = self.row(("}",))
        self.take("}")
        return row

    def base(self) -> Node:
        piece = self.here
        if not piece:
            raise self.refuse("it ends where an argument is expected")
        sign = _SIGNS.get(piece)
        if sign is not None and piece != "'":
            self.take()
            return sign
        if piece == "{":
            return Group(self.braces())
        if piece in _MARKS:
            return Group(())  # a script without a base, as in {}^2
        kind = _kind(piece)
        if kind == "number":
            self.take()
            return Number(piece.replace("{,}", ","))
        if kind == "text":
            self.take()
            return Words(_argument(piece))
        if kind == "named":
            return self.named(self.take())
        if kind == "command":
            return self.command(self.take())
        if piece in ("}", "&"):
            raise self.refuse(f"'{piece}' where an argument is expected")
        raise self.refuse(f"the character '{piece}' is not in the LaTeX that derive sets")

    def named(self, piece: str) -> Node:
        argument = _argument(piece)
        if piece.startswith("\\operatorname"):
            if not argument.strip():
                raise self.refuse("\\operatorname has no name")
            name = argument.replace("\\,", " ").replace("\\_", "_").strip()
            return Operator(name, piece.startswith("\\operatorname*"))
        if piece.startswith("\\end"):
            raise self.refuse(f"'{piece}' has nothing to close")
        if argument not in ENVIRONMENTS:
            raise self.refuse(f"the environment '{argument}' is not in the LaTeX that derive sets")
        return self.array(argument)

    def array(self, environment: str) -> Array:
        columns = ""
        if environment == "array":
            self.take("{")
            while self.here != "}":
                columns += self.take()
            self.take("}")
            if not re.fullmatch(r"\|?([lcr]\|?)+", columns):
                raise self.refuse(f"the columns '{columns}' of an array are letters l, c, r and bars")
        rows: list[tuple[Row, ...]] = []
        breaks: list[tuple[int, bool]] = []
        cells: list[Row] = []
        starts: list[int] = []
        while True:
            cells.append(self.row(("&", "\\\\")))
            piece = self.here
            if not piece:
                raise self.refuse(f"\\begin{{{environment}}} is not closed")
            if piece == "&":
                self.take()
                continue
            rows.append(tuple(cells))
            cells = []
            if piece == "\\\\":
                starts = starts or self.starts()
                start = starts[self.place]
                self.take()
                gap = GAP.match(self.latex, start + 2)
                if gap:
                    while self.here and starts[self.place] < gap.end():
                        self.take()
                breaks.append((start, gap is not None))
                continue
            if _kind(piece) != "named" or _argument(piece) != environment:
                raise self.refuse(f"\\begin{{{environment}}} is closed by '{piece}'")
            self.take()
            break
        if len(rows) > 1 and rows[-1] == ((),):  # a \\ behind the last row opens no further row
            rows.pop()
        return Array(environment, columns, tuple(rows), tuple(breaks[: len(rows) - 1]))

    def delimiter(self) -> str:
        piece = self.take()
        if piece not in DELIMITERS:
            raise self.refuse(f"'{piece}' is no delimiter")
        return DELIMITERS[piece]

    def command(self, text: str) -> Node:
        name = text[1:]
        if name in FRACTIONS:
            return Fraction(name, self.argument(), self.argument())
        if name == "sqrt":
            index = None
            if self.here == "[":
                self.take()
                index = self.row(("]",))
                self.take("]")
            return Root(index, self.argument())
        if name == "left":
            left = self.delimiter()
            body = self.row(())
            self.take("\\right")
            return Fenced(left, body, self.delimiter())
        if name in SIZES:
            side = name[-1] if name[-1] in "lrm" else ""
            return Big(SIZES[name], side, self.delimiter())
        if name in STYLES:
            return Styled(name, self.argument())
        if name in ACCENTS:
            return Accent(name, self.argument())
        if name in SPACES:
            return Space(SPACES[name])
        if name in SWITCHES:
            return Switch(name)
        if name in ("underbrace", "overbrace"):
            return Braced(name == "underbrace", self.argument())
        if name == "boxed":
            return Boxed(self.argument())
        if name == "phantom":
            return Phantom(self.argument())
        if text in DELIMITERS:
            return Symbol(text)
        if name in ("text", "operatorname", "begin", "end"):
            raise self.refuse(f"the braces behind '{text}' hold what it cannot hold")
        raise self.refuse(f"'{text}' is not in the LaTeX that derive sets")

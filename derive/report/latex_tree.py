"""The strict LaTeX subset of every formula, read into a small tree.

Formulas are written once, as LaTeX. What is not in this subset is refused here, before any format sees it: nothing is
dropped in silence, and no TeX primitive that a user's symbol smuggles in (``\\input``, ``\\write``) reaches a TeX run.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from derive.errors import ProblemError
from derive.records import dataclass

# ── the vocabulary ──────────────────────────────────────────────────────────────────────────────────────────────

GREEK = frozenset(
    """alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi pi varpi rho varrho
    sigma varsigma tau upsilon phi varphi chi psi omega
    Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega""".split()
)
ORDINARY = GREEK | frozenset(
    "partial nabla infty top bot ell prime dots cdots ldots vdots ddots hbar forall exists emptyset".split()
)
BINARY = frozenset("odot oslash oplus otimes ominus cdot times div pm mp circ ast star bullet cup cap dagger".split())
RELATIONS = frozenset(
    """approx ne neq le leq ge geq in notin to mapsto Rightarrow Leftarrow Leftrightarrow rightarrow leftarrow
    leftrightarrow Longrightarrow longrightarrow iff implies equiv sim simeq cong propto ll gg subset subseteq coloneqq
    mid parallel perp lt gt""".split()
)
BIG_OPERATORS = frozenset("sum prod".split())
NAMED_OPERATORS = frozenset(
    """log ln exp sin cos tan sinh cosh tanh cot sec csc arcsin arccos arctan det dim ker deg arg lg
    max min sup inf lim Pr gcd""".split()
)
SPACES = {",": 3 / 18, ":": 4 / 18, ";": 5 / 18, "!": -3 / 18, " ": 0.333, "quad": 1.0, "qquad": 2.0, "enspace": 0.5,
          "thinspace": 3 / 18, "negthinspace": -3 / 18}  # fmt: skip
STYLES = frozenset("mathrm mathbf mathcal mathbb mathit mathsf mathtt boldsymbol".split())
ACCENTS = frozenset("hat bar tilde vec dot ddot widehat widetilde overline underline".split())
FRACTIONS = frozenset("frac tfrac dfrac".split())
SWITCHES = frozenset("displaystyle textstyle scriptstyle".split())
DELIMITERS = {
    "(": "(", ")": ")", "[": "[", "]": "]", "|": "|", "/": "/", ".": "", "<": "⟨", ">": "⟩",
    "\\{": "{", "\\}": "}", "\\lbrace": "{", "\\rbrace": "}", "\\lbrack": "[", "\\rbrack": "]", "\\|": "‖",
    "\\vert": "|", "\\Vert": "‖", "\\lvert": "|", "\\rvert": "|", "\\lVert": "‖", "\\rVert": "‖",
    "\\langle": "⟨", "\\rangle": "⟩", "\\lfloor": "⌊", "\\rfloor": "⌋", "\\lceil": "⌈", "\\rceil": "⌉",
}  # fmt: skip
_HEIGHTS = {"big": 1.2, "Big": 1.8, "bigg": 2.4, "Bigg": 3.0}  # in em
SIZES = {name + side: height for name, height in _HEIGHTS.items() for side in ("", "l", "r", "m")}
MATRICES = {"matrix": ("", ""), "pmatrix": ("(", ")"), "bmatrix": ("[", "]"), "Bmatrix": ("{", "}"),
            "vmatrix": ("|", "|"), "Vmatrix": ("‖", "‖")}  # fmt: skip
ENVIRONMENTS = frozenset(MATRICES) | {"cases", "aligned", "array"}
CHARACTERS = frozenset("+-=<>/,.;:!?'|()[]*")

# ── the tree ────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Symbol:
    """One character or one command without arguments: ``x``, ``+``, ``\\alpha``, ``\\sum``, ``\\log``.

    ``name`` is the character, or the command with its backslash.
    """

    name: str


@dataclass(frozen=True, slots=True)
class Number:
    """Digits, with the decimal sign where there is one: ``0.4013``, and ``0,4013`` of ``0{,}4013``."""

    digits: str


@dataclass(frozen=True, slots=True)
class Group:
    """``{…}``: one ordinary atom, whatever stands in it; empty, it makes the sign behind it a binary operator."""

    body: Row


@dataclass(frozen=True, slots=True)
class Scripts:
    """``base_{sub}^{sup}`` with ``primes`` (``f''``)."""

    base: Node
    sub: Row | None
    sup: Row | None
    primes: int


@dataclass(frozen=True, slots=True)
class Fraction:
    """``\\frac``, ``\\tfrac`` or ``\\dfrac``."""

    kind: str
    above: Row
    below: Row


@dataclass(frozen=True, slots=True)
class Root:
    """``\\sqrt[index]{body}``"""

    index: Row | None
    body: Row


@dataclass(frozen=True, slots=True)
class Fenced:
    """``\\left( … \\right)``; a delimiter is the printed character, or empty for the dot."""

    left: str
    body: Row
    right: str


@dataclass(frozen=True, slots=True)
class Big:
    """``\\bigl(``: a delimiter of a fixed size in em. ``side`` is ``l``, ``r``, ``m`` or empty."""

    size: float
    side: str
    delimiter: str


@dataclass(frozen=True, slots=True)
class Styled:
    """``\\mathrm{…}`` and its like; the body of ``\\mathrm`` is letters set upright."""

    style: str
    body: Row


@dataclass(frozen=True, slots=True)
class Words:
    """``\\text{…}``: characters, set as prose."""

    text: str


@dataclass(frozen=True, slots=True)
class Operator:
    """``\\operatorname{…}`` (``limits`` for the starred form)."""

    name: str
    limits: bool


@dataclass(frozen=True, slots=True)
class Accent:
    """``\\hat{y}``"""

    accent: str
    body: Row


@dataclass(frozen=True, slots=True)
class Space:
    """A space of ``width`` em."""

    width: float


@dataclass(frozen=True, slots=True)
class Switch:
    """``\\displaystyle`` and its like: the style of what follows in the group."""

    style: str


@dataclass(frozen=True, slots=True)
class Braced:
    """``\\underbrace`` or ``\\overbrace``; the label is a script around it."""

    under: bool
    body: Row


@dataclass(frozen=True, slots=True)
class Boxed:
    """``\\boxed{…}``"""

    body: Row


@dataclass(frozen=True, slots=True)
class Phantom:
    """``\\phantom{…}``: its room without its ink."""

    body: Row


@dataclass(frozen=True, slots=True)
class Array:
    """An environment with cells. ``columns`` is the column specification of ``array``.

    ``breaks`` holds, for the end of each row but the last, the place of its ``\\\\`` in the formula's text and whether
    a gap in brackets follows it.
    """

    environment: str
    columns: str
    rows: tuple[tuple[Row, ...], ...]
    breaks: tuple[tuple[int, bool], ...]


Node = (
    Symbol | Number | Group | Scripts | Fraction | Root | Fenced | Big | Styled | Words | Operator | Accent | Space
    | Switch | Braced | Boxed | Phantom | Array
)  # fmt: skip
Row = tuple[Node, ...]


def children(node: Node) -> tuple[Row, ...]:
    """The rows that stand inside a node."""
    match node:
        case Scripts(base, sub, sup):
            return ((base,), sub or (), sup or ())
        case Fraction(_, above, below):
            return (above, below)
        case Root(index, body):
            return (index or (), body)
        case Array():
            return tuple(cell for row in node.rows for cell in row)
        case Group(body) | Fenced(_, body) | Styled(_, body) | Accent(_, body) | Braced(_, body):
            return (body,)
        case Boxed(body) | Phantom(body):
            return (body,)
    return ()


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────────

_TOKEN = re.compile(
    r"""(?P<text>\\text\s*\{(?P<words>(?:[^{}\\$\#%&~^_`<>|*\[\]]|\\_)*)\})
      | (?P<named>\\(?:operatorname\*?|begin|end)\s*\{(?P<argument>(?:[A-Za-z0-9 *-]|\\[,_])*)\})
      | (?P<command>\\(?:[A-Za-z]+|.))
      | (?P<number>\d+(?:(?:\.|\{,\})\d+)?|\.\d+)
      | (?P<space>\s+)
      | (?P<character>.)""",
    re.VERBOSE | re.DOTALL,
)
GAP = re.compile(r"\s*\[\s*(\d*\.?\d+)\s*(ex|em|pt|mm)\s*\]")
_DEEPEST = 60


class Token(NamedTuple):
    """A piece of a formula: its kind (a group of the pattern), its text, its place, and the argument it swallowed."""

    kind: str
    text: str
    start: int
    argument: str = ""


@lru_cache(maxsize=4096)
def tokens(latex: str) -> tuple[Token, ...]:
    """The formula cut into tokens, spaces included: joining their texts gives the formula back."""
    found = []
    for match in _TOKEN.finditer(latex):
        kind, argument = match.lastgroup or "character", ""
        if kind == "text":
            argument = match["words"].replace("\\_", "_")
        elif kind == "named":
            argument = match["argument"]
        found.append(Token(kind, match[0], match.start(), argument))
    return tuple(found)


@lru_cache(maxsize=4096)
def parse(latex: str) -> Row:
    """The tree of a formula.

    Raises ``ProblemError`` that names what is not in the subset and shows the formula.
    """
    reader = _Reader(latex)
    row = reader.row(())
    if reader.here is not None:
        stray = reader.here.text
        why = "stands outside of an array" if stray in ("&", "\\\\") else "closes nothing"
        raise reader.refuse(f"'{stray}' {why}")
    return row


class _Reader:
    """A recursive-descent reader over the tokens of one formula."""

    def __init__(self, latex: str) -> None:
        self.latex = latex
        self.tokens = [token for token in tokens(latex) if token.kind != "space"]
        self.place = 0
        self.depth = 0
        self.here = self.tokens[0] if self.tokens else None  # the token under the cursor, ``None`` at the end

    # the cursor

    def refuse(self, why: str) -> ProblemError:
        shown = self.latex if len(self.latex) <= 300 else self.latex[:297] + "..."
        return ProblemError(f"cannot set the formula  {shown}  : {why}")

    def take(self, expected: str | None = None) -> Token:
        token = self.here
        if token is None:
            raise self.refuse(f"it ends where '{expected}' is expected" if expected else "it ends too early")
        if expected is not None and token.text != expected:
            raise self.refuse(f"found '{token.text}' where '{expected}' is expected")
        self.place += 1
        self.here = self.tokens[self.place] if self.place < len(self.tokens) else None
        return token

    def at(self, *texts: str) -> bool:
        return self.here is not None and self.here.text in texts

    # rows and atoms

    def row(self, ends: tuple[str, ...]) -> Row:
        """Nodes up to one of ``ends`` (left standing) or the end."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self.refuse(f"it nests deeper than {_DEEPEST} levels")
        nodes: list[Node] = []
        while (token := self.here) is not None and token.text not in ends:
            if token.text in ("}", "\\right", "&", "\\\\") or token.text.startswith("\\end{"):
                break
            nodes.append(self.scripted(self.base()))
        self.depth -= 1
        return tuple(nodes)

    def scripted(self, base: Node) -> Node:
        """``base`` with the scripts that follow it."""
        sub: Row | None = None
        sup: Row | None = None
        primes = 0
        while self.at("_", "^", "'"):
            mark = self.take().text
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
        return base if sub is None and sup is None and not primes else Scripts(base, sub, sup, primes)

    def argument(self) -> Row:
        """``{…}``, or the single token that TeX takes for an argument."""
        if self.at("{"):
            return self.braces()
        token = self.here
        if token is not None and token.kind == "number" and len(token.text) > 1:  # x^12 is x^1 followed by 2 in TeX
            raise self.refuse(f"'{token.text}' needs braces: TeX takes only its first character for an argument")
        if token is not None and token.text in ("_", "^", "'"):
            raise self.refuse(f"'{token.text}' where an argument is expected")
        if token is not None and token.kind == "command" and token.text[1:] not in ORDINARY | BINARY | RELATIONS:
            raise self.refuse(f"'{token.text}' needs braces where it is an argument")
        return (self.base(),)

    def braces(self) -> Row:
        self.take("{")
        row = self.row(("}",))
        self.take("}")
        return row

    def base(self) -> Node:
        token = self.here
        if token is None:
            raise self.refuse("it ends where an argument is expected")
        if token.kind == "number":
            self.take()
            return Number(token.text.replace("{,}", ","))
        if token.kind == "text":
            self.take()
            return Words(token.argument)
        if token.kind == "named":
            return self.named(token)
        if token.kind == "command":
            return self.command(self.take().text)
        if token.text == "{":
            return Group(self.braces())
        if token.text in ("_", "^", "'"):
            return Group(())  # a script without a base, as in {}^2
        if token.text in CHARACTERS or (token.text.isascii() and token.text.isalpha()):
            self.take()
            return Symbol(token.text)
        if token.text in ("}", "&"):
            raise self.refuse(f"'{token.text}' where an argument is expected")
        raise self.refuse(f"the character '{token.text}' is not in the LaTeX that derive sets")

    def named(self, token: Token) -> Node:
        self.take()
        if token.text.startswith("\\operatorname"):
            if not token.argument.strip():
                raise self.refuse("\\operatorname has no name")
            name = token.argument.replace("\\,", " ").replace("\\_", "_").strip()
            return Operator(name, token.text.startswith("\\operatorname*"))
        if token.text.startswith("\\end"):
            raise self.refuse(f"'{token.text}' has nothing to close")
        if token.argument not in ENVIRONMENTS:
            raise self.refuse(f"the environment '{token.argument}' is not in the LaTeX that derive sets")
        return self.array(token.argument)

    def array(self, environment: str) -> Array:
        columns = ""
        if environment == "array":
            self.take("{")
            while not self.at("}"):
                columns += self.take().text
            self.take("}")
            if not re.fullmatch(r"\|?([lcr]\|?)+", columns):
                raise self.refuse(f"the columns '{columns}' of an array are letters l, c, r and bars")
        rows: list[tuple[Row, ...]] = []
        breaks: list[tuple[int, bool]] = []
        cells: list[Row] = []
        while True:
            cells.append(self.row(("&", "\\\\")))
            token = self.here
            if token is None:
                raise self.refuse(f"\\begin{{{environment}}} is not closed")
            if token.text == "&":
                self.take()
                continue
            rows.append(tuple(cells))
            cells = []
            if token.text == "\\\\":
                self.take()
                gap = GAP.match(self.latex, token.start + 2)
                if gap:
                    while self.here is not None and self.here.start < gap.end():
                        self.take()
                breaks.append((token.start, gap is not None))
                continue
            if token.kind != "named" or token.argument != environment:
                raise self.refuse(f"\\begin{{{environment}}} is closed by '{token.text}'")
            self.take()
            break
        if len(rows) > 1 and rows[-1] == ((),):  # a \\ behind the last row opens no further row
            rows.pop()
        return Array(environment, columns, tuple(rows), tuple(breaks[: len(rows) - 1]))

    def delimiter(self) -> str:
        token = self.take()
        if token.text not in DELIMITERS:
            raise self.refuse(f"'{token.text}' is no delimiter")
        return DELIMITERS[token.text]

    def command(self, text: str) -> Node:
        name = text[1:]
        if name in FRACTIONS:
            return Fraction(name, self.argument(), self.argument())
        if name == "sqrt":
            index = None
            if self.at("["):
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
        if name in ORDINARY | BINARY | RELATIONS | BIG_OPERATORS | NAMED_OPERATORS or text in DELIMITERS:
            return Symbol(text)
        if name in ("text", "operatorname", "begin", "end"):
            raise self.refuse(f"the braces behind '{text}' hold what it cannot hold")
        raise self.refuse(f"'{text}' is not in the LaTeX that derive sets")

"""The strict LaTeX subset of every formula, read into a small tree.

Formulas are written once, as LaTeX. What is not in this subset is refused here, before any format sees it: nothing is
dropped in silence, and no TeX primitive that a user's symbol smuggles in (``\\input``, ``\\write``) reaches a TeX run.
"""

from __future__ import annotations

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

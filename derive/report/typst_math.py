"""A formula of the strict LaTeX subset, written as Typst mathematics.

Every node of the tree has one line of Typst; characters go out as Unicode, delimiters escaped (Typst would pair and
stretch them), strings quoted. The result stands between dollar signs of a file that holds ``PRELUDE``.
"""

from __future__ import annotations

import re
from functools import lru_cache

from derive.report.latex_reader import parse
from derive.report.latex_tree import (
    BIG_OPERATORS,
    BINARY,
    DELIMITERS,
    MATRICES,
    NAMED_OPERATORS,
    ORDINARY,
    RELATIONS,
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

PRELUDE = """\
#set math.mat(row-gap: .55em, column-gap: .8em)
#let boxed(body) = box(stroke: .5pt, inset: .35em, $ body $)
#let phantom(body) = hide(body)
#let fit(limit, body) = context {
  let inner = $ body $
  let wide = measure(inner).width
  if wide <= limit.to-absolute() { body } else { scale(limit.to-absolute() / wide * 100%, reflow: true, inner) }
}
"""

# What a command stands for, as a character.
GLYPHS = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ϵ", "varepsilon": "ε", "zeta": "ζ", "eta": "η",
    "theta": "θ", "vartheta": "ϑ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π",
    "varpi": "ϖ", "rho": "ρ", "varrho": "ϱ", "sigma": "σ", "varsigma": "ς", "tau": "τ", "upsilon": "υ", "phi": "ϕ",
    "varphi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω", "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ",
    "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ", "Upsilon": "Υ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω",
    "partial": "∂", "nabla": "∇", "infty": "∞", "top": "⊤", "bot": "⊥", "ell": "ℓ", "prime": "′", "dots": "…",
    "cdots": "⋯", "ldots": "…", "vdots": "⋮", "ddots": "⋱", "hbar": "ℏ", "forall": "∀", "exists": "∃", "emptyset": "∅",
    "odot": "⊙", "oslash": "⊘", "oplus": "⊕", "otimes": "⊗", "ominus": "⊖", "cdot": "⋅", "times": "×", "div": "÷",
    "pm": "±", "mp": "∓", "circ": "∘", "ast": "∗", "star": "⋆", "bullet": "∙", "cup": "∪", "cap": "∩", "dagger": "†",
    "approx": "≈", "ne": "≠", "neq": "≠", "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "in": "∈", "notin": "∉",
    "to": "→", "mapsto": "↦", "Rightarrow": "⇒", "Leftarrow": "⇐", "Leftrightarrow": "⇔", "rightarrow": "→",
    "leftarrow": "←", "leftrightarrow": "↔", "Longrightarrow": "⟹", "longrightarrow": "⟶", "iff": "⟺",
    "implies": "⟹", "equiv": "≡", "sim": "∼", "simeq": "≃", "cong": "≅", "propto": "∝", "ll": "≪", "gg": "≫",
    "subset": "⊂", "subseteq": "⊆", "coloneqq": "≔", "mid": "∣", "parallel": "∥", "perp": "⟂", "lt": "<", "gt": ">",
    "sum": "∑", "prod": "∏",
}  # fmt: skip

EMPTY = '""'  # an empty atom; Typst has no empty group

# Characters whose Unicode class is not the class TeX gives them, or that Typst would read as its own syntax.
_CHARACTERS = {
    "(": r"\(", ")": r"\)", "[": r"\[", "]": r"\]", ",": r"\,", ";": r"\;", "|": 'class("normal", |)',
    "/": r'class("normal", \/)', ".": r'class("normal", \.)', ":": 'class("relation", ":")', "*": "∗",
    "!": 'class("closing", !)', "?": 'class("closing", ?)', "'": "′",
}  # fmt: skip
# A bar opens, closes or does neither only by what its command says.
_BARS = {"|": "normal", "vert": "normal", "Vert": "normal", "lvert": "opening", "lVert": "opening", "rvert": "closing",
         "rVert": "closing"}  # fmt: skip
_BESIDE_STRING = re.compile(" ?\x00 ?")
_STYLES = {
    "mathrm": "upright({})", "mathbf": "bold(upright({}))", "boldsymbol": "bold({})", "mathcal": "cal({})",
    "mathbb": "bb({})", "mathit": "italic({})", "mathsf": "sans(upright({}))", "mathtt": "mono(upright({}))",
}  # fmt: skip
_ACCENTS = {
    "hat": "hat", "widehat": "hat", "bar": "macron", "tilde": "tilde", "widetilde": "tilde", "vec": "arrow",
    "dot": "dot", "ddot": "dot.double", "overline": "overline", "underline": "underline",
}  # fmt: skip
_SPACES = {3 / 18: "thin", 4 / 18: "med", 5 / 18: "thick", 1.0: "quad", 2.0: "wide"}
_SWITCHES = {"displaystyle": "display", "textstyle": "inline", "scriptstyle": "script"}
_FRACTIONS = {"frac": "frac({}, {})", "tfrac": "inline(frac({}, {}))", "dfrac": "display(frac({}, {}))"}


@lru_cache(maxsize=1024)
def to_typst(latex: str) -> str:
    """The Typst mathematics of a formula, without dollar signs.

    Raises ``ProblemError`` that names what is not in the subset and shows the formula.
    """
    return write(parse(latex))


def quoted(text: str) -> str:
    """A Typst string literal: whatever stands in it, it is text."""
    kept = "".join(c if c.isprintable() else " " for c in text)
    return '"' + kept.replace("\\", "\\\\").replace('"', '\\"') + '"'


def write(row: Row) -> str:
    """A row of nodes; a blank stands between any two, so that no two read as one word of Typst.

    Beside a string there is none: Typst would print it.
    """
    parts: list[str] = []
    matrices = len(row) > 1 and any(map(_is_matrix, row))
    for place, node in enumerate(row):
        if isinstance(node, Switch):  # it holds to the end of its group
            parts.append(f"{_SWITCHES[node.style]}({write(row[place + 1 :])})")
            break
        if matrices and place and _thin_between(row[place - 1], node):
            parts.append("thin")
        parts.append(_node(node))
    if not any(part[0] == '"' for part in parts):
        return " ".join(parts)
    return _BESIDE_STRING.sub("", " ".join(f"\x00{part}\x00" if part[0] == '"' else part for part in parts))


def _thin_between(left: Node, right: Node) -> bool:
    """TeX takes a matrix with its fences for an inner atom: beside another, or beside a letter, a thin space stands."""
    return (_is_matrix(left) and (_is_matrix(right) or _is_ordinary(right))) or (
        _is_ordinary(left) and _is_matrix(right)
    )


def _is_matrix(node: Node) -> bool:
    inner = node.base if isinstance(node, Scripts) else node
    if isinstance(inner, Fenced):
        return len(inner.body) == 1 and isinstance(inner.body[0], Array)
    return isinstance(inner, Array) and inner.environment not in ("matrix", "aligned", "array")


def _is_ordinary(node: Node) -> bool:
    inner = node.base if isinstance(node, Scripts) else node
    if isinstance(inner, Symbol):
        return inner.name.isalpha() or inner.name[1:] in ORDINARY
    return isinstance(inner, Number | Fraction | Styled | Accent | Root)


def _argument(row: Row) -> str:
    """A row as an argument of a Typst function; an empty one would be no argument at all."""
    return write(row) or EMPTY


def _node(node: Node) -> str:
    match node:
        case Symbol(name):
            return _symbol(name)
        case Number(digits):
            return digits if digits[0] != "." and "," not in digits else quoted(digits)
        case Group(()):
            return EMPTY
        case Group(body):
            return f'class("normal", {write(body)})'
        case Scripts():
            return _scripts(node)
        case Fraction(kind, above, below):
            return _FRACTIONS[kind].format(_argument(above), _argument(below))
        case Root(None, body):
            return f"sqrt({_argument(body)})"
        case Root(index, body):
            return f"root({_argument(index or ())}, {_argument(body)})"
        case Fenced(left, (Array("array", columns, rows),), right) if columns.strip("r") == "":
            return f"mat(delim: {_pair(left, right)}, align: #right, {_cells(rows)})"
        case Fenced(left, body, right):
            return f"lr({_fence(left)} {write(body)} {_fence(right)})"
        case Big(size, side, delimiter):
            place = {"l": "opening", "r": "closing", "m": "relation"}.get(side, "normal")
            return f'class("{place}", lr(size: #{size:g}em, {_fence(delimiter)}))'
        case Styled(style, body):
            return _styled(style, body)
        case Words(text):
            return quoted(text) if text else EMPTY
        case Operator(name, limits):
            return f"op({quoted(name)}, limits: #true)" if limits else f"op({quoted(name)})"
        case Accent(accent, body):
            return f"{_ACCENTS[accent]}({_argument(body)})"
        case Space(width):
            return _SPACES.get(width) or f"#h({width:.4g}em) "  # or a semicolon behind it would be part of the code
        case Braced(under, body):
            return f"{'under' if under else 'over'}brace({_argument(body)})"
        case Boxed(body):
            return f"boxed({_argument(body)})"
        case Phantom(body):
            return f"phantom({_argument(body)})"
        case Array():
            return _array(node)
        case Switch(style):  # pragma: no cover - write() has taken it
            raise AssertionError(style)


def _symbol(name: str) -> str:
    if not name.startswith("\\"):
        return _CHARACTERS.get(name, name)
    word = name[1:]
    if word in _BARS:
        return f'class("{_BARS[word]}", {DELIMITERS[name]})'
    if name in DELIMITERS:
        return _fence(DELIMITERS[name])
    if word in NAMED_OPERATORS:
        return word
    glyph = GLYPHS[word]
    if word in BINARY:
        return f'class("binary", {glyph})'
    if word in RELATIONS or word in BIG_OPERATORS:
        return glyph
    return glyph if word not in ("top", "bot", "forall", "exists") else f'class("normal", {glyph})'


def _fence(delimiter: str) -> str:
    """A delimiter as a character that Typst does not pair; the empty one keeps its neighbour from being stretched."""
    if not delimiter:
        return EMPTY
    return f"\\{delimiter}" if delimiter in "()[]{}|/" else delimiter


def _styled(style: str, body: Row) -> str:
    letters = [node.name for node in body if isinstance(node, Symbol) and node.name.isalpha()]
    if style == "mathrm" and len(letters) == len(body) > 1:  # a word, with the kerning of words
        return quoted("".join(letters))
    return _STYLES[style].format(_argument(body))


def _scripts(node: Scripts) -> str:
    over = " ".join(["′"] * node.primes + ([write(node.sup)] if node.sup else []))
    if isinstance(node.base, Braced):
        label = node.sub if node.base.under else node.sup
        if label is not None and (node.sup if node.base.under else node.sub) is None and not node.primes:
            name = "underbrace" if node.base.under else "overbrace"
            return f"{name}({_argument(node.base.body)}, {_argument(label)})"
    text = _node(node.base)
    if node.sub is not None:
        text += f"_({_argument(node.sub)})"
    if over or node.sup is not None:
        text += f"^({over or EMPTY})"
    return text


def _array(node: Array) -> str:
    if node.environment in MATRICES:
        left, right = MATRICES[node.environment]
        return f"mat(delim: {_pair(left, right)}, {_cells(node.rows)})"
    if node.environment == "cases":
        return f"mat(delim: {_pair('{', '')}, align: #left, column-gap: #1em, {_cells(node.rows)})"
    if node.environment == "aligned":
        width = max(len(row) for row in node.rows)
        columns = "rl" * ((width + 1) // 2)
        rows = tuple(tuple(cell for cell in row) for row in node.rows)
        return f"display(mat(delim: #none, column-gap: #0em, {_cells(rows, columns, display=True)}))"
    columns = node.columns.replace("|", "")
    bars = [len(node.columns[:i].replace("|", "")) for i, c in enumerate(node.columns) if c == "|"]
    inner = [str(bar) for bar in bars if 0 < bar < len(columns)]
    augment = f"augment: #(vline: ({', '.join(inner)},), stroke: .4pt), " if inner else ""
    return f"mat(delim: #none, {augment}{_cells(node.rows, columns)})"


def _pair(left: str, right: str) -> str:
    if not left and not right:
        return "#none"
    return "#(" + ", ".join(f'"{side}"' if side else "none" for side in (left, right)) + ")"


def _cells(rows: tuple[tuple[Row, ...], ...], columns: str = "", display: bool = False) -> str:
    """``a, b; c, d``; a column's letter puts Typst's alignment point before or behind the cell."""
    width = max(len(row) for row in rows)

    def cell(row: tuple[Row, ...], column: int) -> str:
        text = _argument(row[column]) if column < len(row) else EMPTY
        place = columns[column] if column < len(columns) else "c"
        if display:
            # an empty atom in front, as TeX puts it: a relation keeps the space on its left
            text = f"display({EMPTY}{text})" if place == "l" else f"display({text})"
        return {"l": f"& {text}", "r": f"{text} &", "c": text}[place]

    return "; ".join(", ".join(cell(row, column) for column in range(width)) for row in rows)

"""A short formula set on one line: which glyph stands where, and how much room the whole takes.

Figures need sizes before any typesetter has run, and the SVG writer needs the glyphs themselves. Letters, numbers,
Greek, signs, words, accents, sub- and superscripts and small fractions are set here as Typst sets them (the constants
are those of New Computer Modern Math); a test holds them against Typst's. What is not known is ``Unsupported``.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache

from derive.errors import Unsupported
from derive.records import dataclass
from derive.report.figures.glyphs import GLYPHS
from derive.report.latex_reader import parse
from derive.report.latex_tree import (
    NAMED_OPERATORS,
    Accent,
    Fraction,
    Group,
    Node,
    Number,
    Operator,
    Row,
    Scripts,
    Space,
    Styled,
    Symbol,
    Words,
)
from derive.report.widths import bound

CM_PER_POINT = 2.54 / 72
AXIS = 0.25  # the height of a minus sign over the baseline, in em: formulas are centred on it

SCALES = (1.0, 0.7, 0.5)  # text, script, script of a script
THIN, MEDIUM, THICK = 3 / 18, 4 / 18, 5 / 18

# From the MATH table of New Computer Modern Math, in em.
SUP_UP, SUP_DROP, SUP_BOTTOM, SUP_BOTTOM_WITH_SUB = 0.363, 0.25, 0.108, 0.344
SUB_DOWN, SUB_DROP, SUB_TOP = 0.247, 0.2, 0.344
SCRIPT_GAP, AFTER_SCRIPT, ACCENT_BASE = 0.16, 0.056, 0.45
NUMERATOR_UP, DENOMINATOR_DOWN, FRACTION_GAP, RULE, NULL_DELIMITER = 0.394, 0.345, 0.04, 0.04, 0.12

GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ϵ", "varepsilon": "ε", "zeta": "ζ", "eta": "η",
    "theta": "θ", "vartheta": "ϑ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π",
    "rho": "ρ", "varrho": "ϱ", "sigma": "σ", "tau": "τ", "upsilon": "υ", "phi": "ϕ", "varphi": "φ", "chi": "χ",
    "psi": "ψ", "omega": "ω",
}  # fmt: skip
CAPITALS = {
    "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ", "Upsilon": "Υ",
    "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω",
}  # fmt: skip
SIGNS = {
    "ord": {
        "ell": "ℓ", "partial": "∂", "nabla": "∇", "infty": "∞", "top": "⊤", "prime": "′", "vdots": "⋮",
        "|": "|", "/": "/", ".": ".",
    },
    "inner": {"ldots": "…", "dots": "…", "cdots": "⋯"},
    "bin": {
        "cdot": "·", "times": "×", "odot": "⊙", "pm": "±", "ast": "∗", "circ": "∘", "*": "∗", "+": "+", "-": "−",
    },
    "rel": {
        "to": "→", "rightarrow": "→", "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "ne": "≠", "neq": "≠",
        "approx": "≈", "in": "∈", "mid": "|", "lt": "<", "gt": ">", "=": "=", "<": "<", ">": ">", ":": ":",
    },
    "open": {"(": "(", "[": "[", "{": "{", "lbrace": "{", "lbrack": "["},
    "close": {")": ")", "]": "]", "}": "}", "rbrace": "}", "rbrack": "]", "!": "!", "?": "?"},
    "punct": {",": ",", ";": ";"},
    "op": {"sum": "∑"},
}  # fmt: skip
ACCENTS = {"hat": "^", "bar": "¯", "tilde": "~", "dot": "˙"}


@dataclass(frozen=True, slots=True)
class Setting:
    """A formula laid out, in em of the text size, its baseline at y = 0 and its left end at x = 0, y upwards.

    ``glyphs`` are ``(key, x, y, scale)`` with keys of ``GLYPHS``; ``rules`` are filled rectangles ``(x, y, w, h)`` by
    their lower left corner; ``words`` are ``(text, x, y, scale, width)`` in letters that the table does not have.
    """

    width: float
    depth: float
    height: float
    glyphs: tuple[tuple[str, float, float, float], ...] = ()
    rules: tuple[tuple[float, float, float, float], ...] = ()
    words: tuple[tuple[str, float, float, float, float], ...] = ()
    lean: float = 0.0  # how far the upper right of a slanted last letter stands out, for a superscript
    accent: float | None = None  # where an accent over it starts, if it is one letter

    def moved(self, dx: float, dy: float) -> Setting:
        """The same ink elsewhere; width unchanged."""
        return replace(
            self,
            depth=self.depth - dy,
            height=self.height + dy,
            glyphs=tuple((key, x + dx, y + dy, scale) for key, x, y, scale in self.glyphs),
            rules=tuple((x + dx, y + dy, w, h) for x, y, w, h in self.rules),
            words=tuple((text, x + dx, y + dy, scale, w) for text, x, y, scale, w in self.words),
        )


EMPTY = Setting(0.0, 0.0, 0.0)


def _over(width: float, *parts: Setting, lean: float = 0.0) -> Setting:
    """Parts drawn over each other, as one setting of the given width."""
    return Setting(
        width,
        max(part.depth for part in parts),
        max(part.height for part in parts),
        tuple(glyph for part in parts for glyph in part.glyphs),
        tuple(rule for part in parts for rule in part.rules),
        tuple(word for part in parts for word in part.words),
        lean,
    )


def _glyph(face: str, character: str, level: int) -> Setting:
    """One glyph of the table."""
    key = (face.upper() if level else face) + character
    if key not in GLYPHS:
        key = face + character
    if key not in GLYPHS:
        raise Unsupported(f"a figure cannot set the character {character!r}")
    width, lean, accent, depth, height, _ = GLYPHS[key]
    em = SCALES[level] / 1000
    drawn = ((key, 0.0, 0.0, SCALES[level]),)
    return Setting(width * em, depth * em, height * em, drawn, lean=lean * em, accent=accent * em)


def _words(text: str, level: int) -> Setting:
    """Upright words; letters that the table lacks (Chinese) are left to a font of the reader's."""
    scale, parts, x = SCALES[level], [EMPTY], 0.0
    for run in re.findall(r"[\u2e80-\u9fff\uf900-\uffef]+| |.", text):
        if run == " ":
            x += scale / 3
            continue
        if "r" + run in GLYPHS:
            part = _glyph("r", run, level)
        else:
            width = scale * len(run) * (1.0 if len(run) > 1 or ord(run) >= 0x2E80 else 0.6)
            part = Setting(width, 0.14 * scale, 0.86 * scale, words=((run, 0.0, 0.0, scale, width),))
        parts.append(part.moved(x, 0.0))
        x += part.width
    return _over(x, *parts)


def _scripts(base: Setting, sub: Setting | None, sup: Setting | None, level: int, tall: bool) -> Setting:
    """Sub- and superscript at a base, at the heights of OpenType's MATH table; a ``tall`` base is more than letters."""
    em = SCALES[level]
    up = down = 0.0
    if sup is not None:
        up = max(SUP_UP * em, SUP_BOTTOM * em + sup.depth, base.height - SUP_DROP * em if tall else 0.0)
    if sub is not None:
        down = max(SUB_DOWN * em, sub.height - SUB_TOP * em, base.depth + SUB_DROP * em if tall else 0.0)
    if sup is not None and sub is not None:
        missing = SCRIPT_GAP * em - ((up - sup.depth) - (sub.height - down))
        if missing > 0:
            first = min(max(SUP_BOTTOM_WITH_SUB * em - (up - sup.depth), 0.0), missing)
            up += first + (missing - first) / 2
            down += (missing - first) / 2
    parts, width = [base], base.width
    if sup is not None:
        parts.append(sup.moved(base.width + base.lean, up))
        width = base.width + base.lean + sup.width
    if sub is not None:
        parts.append(sub.moved(base.width, -down))
        width = max(width, base.width + sub.width)
    return _over(width + AFTER_SCRIPT * em, *parts)


def _accented(base: Setting, accent: str, level: int) -> Setting:
    """A letter under an accent."""
    em = SCALES[level]
    mark = _glyph("a", accent, level)
    start = base.accent if base.accent is not None else base.width / 2 - 0.25 * em
    raised = mark.moved(start + (mark.accent or 0.0), max(0.0, base.height - ACCENT_BASE * em))
    return replace(_over(base.width, base, raised), lean=base.lean)


def _fraction(numerator: Setting, denominator: Setting, level: int) -> Setting:
    """A small fraction over a rule on the axis."""
    em = SCALES[level]
    axis, half = AXIS * em, RULE * em / 2
    up = max(NUMERATOR_UP * em, axis + half + FRACTION_GAP * em + numerator.depth)
    down = max(DENOMINATOR_DOWN * em, denominator.height + FRACTION_GAP * em + half - axis)
    inner, side = max(numerator.width, denominator.width), NULL_DELIMITER * em
    rule = Setting(inner, 0.0, 0.0, rules=((side, axis - half, inner, 2 * half),))
    return _over(
        inner + 2 * side,
        numerator.moved(side + (inner - numerator.width) / 2, up),
        denominator.moved(side + (inner - denominator.width) / 2, -down),
        rule,
    )


def _joined(atoms: list[tuple[str, Setting]], level: int) -> Setting:
    """Atoms in a row, with TeX's spaces between their classes."""
    kinds = [kind for kind, _ in atoms]
    solid = [k for k in range(len(kinds)) if kinds[k] != "space"]
    for at, k in enumerate(solid):  # a sign with nothing to join is no operation
        before = kinds[solid[at - 1]] if at else "open"
        after = kinds[solid[at + 1]] if at + 1 < len(solid) else "close"
        lonely = before in ("bin", "op", "rel", "open", "punct") or after in ("rel", "close", "punct")
        if kinds[k] == "bin" and lonely:
            kinds[k] = "ord"
    x, last, parts, lean = 0.0, "", [EMPTY], 0.0
    for kind, (_, box) in zip(kinds, atoms, strict=True):
        if kind == "space":
            x += box.width
            continue
        x += _space(last, kind, level)
        parts.append(box.moved(x, 0.0))
        x, last, lean = x + box.width, kind, box.lean
    whole = _over(x, *parts, lean=lean)
    return replace(whole, accent=atoms[0][1].accent) if len(atoms) == 1 else whole


def _space(left: str, right: str, level: int) -> float:
    """TeX's space between two classes, in em."""
    pair = {left, right}
    if not left:
        return 0.0
    if "op" in pair and pair <= {"op", "ord", "close", "inner"}:
        return THIN * SCALES[level]
    if level:
        return 0.0
    if "bin" in pair:
        return MEDIUM
    if "rel" in pair:
        return 0.0 if pair == {"rel"} or left == "open" or right in ("close", "punct") else THICK
    if left == "punct" or "inner" in pair:
        return 0.0 if left == "open" or right in ("close", "punct") else THIN
    return 0.0


def _row(row: Row, level: int) -> Setting:
    """A row of nodes."""
    return _joined([_atom(node, level) for node in row], level)


def _atom(node: Node, level: int, scripted: bool = False) -> tuple[str, Setting]:
    """A node with its class; ``scripted`` if scripts are to hang on it."""
    inner = min(level + 1, 2)
    match node:
        case Symbol(name):
            kind, box = _symbol(name.removeprefix("\\"), level)
            # Typst, like TeX, lets a slanted letter lean out of its box only where a subscript tucks under it.
            return kind, box if scripted else replace(box, width=box.width + box.lean, lean=0.0)
        case Number(digits):
            return "ord", _words(digits, level)
        case Group(body):
            return "ord", _row(body, level)
        case Styled("mathrm", body):
            return "ord", _words("".join(_letter(letter) for letter in body), level)
        case Words(text):
            return "ord", _words(text, level)
        case Operator(name, False):
            return "op", _words(name, level)
        case Accent(accent, (Symbol(name),)) if accent in ACCENTS:
            return "ord", _accented(_symbol(name.removeprefix("\\"), level)[1], ACCENTS[accent], level)
        case Fraction(_, above, below):
            return "ord", _fraction(_row(above, inner), _row(below, inner), level)
        case Space(width):
            return "space", Setting(width * SCALES[level], 0.0, 0.0)
        case Scripts(base, sub, sup, primes):
            kind, box = _atom(base, level, scripted=True)
            raised = _joined([("ord", _glyph("r", "′", inner))] * primes, inner) if primes else None
            if sup is not None:
                raised = _row(sup, inner)
            tall = isinstance(base, Group | Fraction | Scripts)
            return kind, _scripts(box, None if sub is None else _row(sub, inner), raised, level, tall)
    raise Unsupported(f"a figure cannot set {node} by itself")


def _letter(node: Node) -> str:
    """One letter of an upright word."""
    match node:
        case Symbol(name) if not name.startswith("\\"):
            return name
        case Number(digits):
            return digits
        case Space():
            return " "
    raise Unsupported(f"a figure cannot set {node} upright by itself")


def _symbol(name: str, level: int) -> tuple[str, Setting]:
    """A letter or a sign."""
    if len(name) == 1 and name.isascii() and name.isalpha():
        return "ord", _glyph("i", name, level)
    if name in GREEK:
        return "ord", _glyph("i", GREEK[name], level)
    if name in CAPITALS:
        return "ord", _glyph("r", CAPITALS[name], level)
    if name in NAMED_OPERATORS:
        return "op", _words(name, level)
    for kind, signs in SIGNS.items():
        if name in signs:
            return kind, _glyph("r", signs[name], level)
    raise Unsupported(f"a figure cannot set {name} by itself")


@lru_cache(maxsize=4096)
def set_formula(latex: str) -> Setting:
    """Lay out a formula. Raises ``Unsupported`` for what is not known here, ``ProblemError`` for no formula at all."""
    return _row(parse(latex), 0)


def measure(latex: str, size: float) -> tuple[float, float]:
    """Width and height in cm of a formula at ``size`` points, the height so that its axis is the middle.

    A formula that cannot be set here is estimated, on the large side.
    """
    em = size * CM_PER_POINT
    try:
        box = set_formula(latex)
    except Unsupported:
        return bound(latex) * em, 1.6 * em
    return box.width * em, 2 * em * max(box.height - AXIS, box.depth + AXIS)

r"""LaTeX cut into tokens, each with its place. No macro is carried out: what is not known stays what it is.

Spacing and sizes (``\left``, ``\,``, ``\displaystyle``) are dropped, boxes and colours opened, Unicode signs put in
LaTeX. ``_{1}`` and ``_1`` are the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from derive.review.lint.tree import Unread

LONGEST = 20_000
"""Characters of a formula that is still read."""


class Token(NamedTuple):
    """A token, and where it stands in the formula."""

    text: str
    start: int
    end: int


_WORDS = "operatorname|mathrm|mathbf|mathit|mathsf|mathbb|mathcal|boldsymbol|bm|textbf|textrm|text|mbox"
_TOKEN = re.compile(
    rf"(?P<space>\s+|%[^\n]*)|\\(?:{_WORDS})\*?\s*\{{[^{{}}]*\}}|\\(?:begin|end)\s*\{{[A-Za-z]+\*?\}}|\\[A-Za-z]+\*?|\\\\\*?|\\."
    r"|(?<=[_^])[0-9]|[0-9]+(?:\{,\}[0-9]{3})+\.[0-9]+|[0-9]+(?:(?:\.|\{,\})[0-9]+)?|\.[0-9]+|:=|.",
    re.DOTALL,
)
_GAP = re.compile(r"\\\\\*?\[-?[0-9.]+\s*(?:ex|em|pt|mm|cm|\\jot)\]")  # \\[4pt]: more room between two rows
_DROPPED = frozenset(
    r"\left \right \middle \big \Big \bigg \Bigg \bigl \bigr \Bigl \Bigr \biggl \biggr \Biggl \Biggr \displaystyle "
    r"\textstyle \scriptstyle \limits \nolimits \nonumber \notag \dvnumber \thinspace \, \! \: \> \medspace "
    r"\thickspace \negthinspace \hfill \allowbreak \relax \strut \centering \vcenter".split()
)
_WIDE = frozenset([r"\quad", r"\qquad", r"\;", "\\ ", "~", r"\enspace"])
# Commands whose first groups are not read: how many, and whether the group behind them is (None: there is none).
_SKIPPED = {
    r"\label": (1, False), r"\tag": (1, False), r"\hspace": (1, False), r"\vspace": (1, False), r"\color": (1, False),
    r"\hphantom": (1, False), r"\phantom": (1, False), r"\vphantom": (1, False), r"\eqref": (1, False),
    r"\boxed": (0, True), r"\fbox": (0, True), r"\dvresult": (0, True), r"\ensuremath": (0, True),
    r"\mathstrut": (0, False), r"\textcolor": (1, True), r"\colorbox": (1, True), r"\dvfit": (1, True),
    r"\num": (0, True), r"\numprint": (0, True), r"\underline": (0, True), r"\smash": (0, True),
}  # fmt: skip
_SAME = {
    r"\cr": r"\\", r"\tabularnewline": r"\\", r"\lbrack": "[", r"\rbrack": "]", r"\lparen": "(", r"\rparen": ")",
    r"\lvert": "|", r"\rvert": "|", r"\vert": "|", r"\|": r"\Vert", r"\lVert": r"\Vert", r"\rVert": r"\Vert",
    r"\dfrac": r"\frac", r"\tfrac": r"\frac", r"\cfrac": r"\frac", r"\intercal": r"\top", r"\mathsf{T}": r"\top",
    r"\mathrm{T}": r"\top", r"\mathbf{T}": r"\top", r"\gets": r"\leftarrow", r"\coloneqq": ":=", r"\le": r"\leq",
    r"\ge": r"\geq", r"\ne": r"\neq", r"\ast": "*", r"\circ": r"\odot", r"\lbrace": r"\{", r"\rbrace": r"\}",
    r"\mathrm{d}": "d", r"\lt": "<", r"\gt": ">", r"\ldots": r"\dots", r"\hdots": r"\dots", r"\approxeq": r"\approx",
    r"\thickapprox": r"\approx", r"\simeq": r"\approx", r"\doteq": r"\approx", r"\triangleq": "=", r"\dotsc": r"\dots",
    r"\longleftarrow": r"\leftarrow", r"\mathbf{e}": "e", r"\mathrm{e}": "e", r"\bullet": r"\cdot", r"\\*": r"\\",
}  # fmt: skip
_UNICODE = {
    "≈": r"\approx", "×": r"\times", "·": r"\cdot", "⋅": r"\cdot", "⊙": r"\odot", "∘": r"\odot", "−": "-", "–": "-",
    "∂": r"\partial", "←": r"\leftarrow", "≔": ":=", "√": r"\sqrt", "∑": r"\sum", "…": r"\dots", "⋯": r"\cdots",
    "⊤": r"\top", "ᵀ": "\\top", "（": "(", "）": ")", "，": ",", "。": ".", "；": ";", "＝": "=", "＋": "+",
    "⊘": r"\oslash", "≤": r"\leq", "≥": r"\geq", "≠": r"\neq", "⇒": r"\Rightarrow", "→": r"\to", "′": "'",
    **dict(zip("αβγδεζηθικλμνξπρστυφχψω", (
        r"\alpha \beta \gamma \delta \epsilon \zeta \eta \theta \iota \kappa \lambda \mu \nu \xi \pi \rho \sigma \tau "
        r"\upsilon \phi \chi \psi \omega").split(), strict=True)),
    **dict(zip("₀₁₂₃₄₅₆₇₈₉", (f"_{k}" for k in range(10)), strict=True)),
    **dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹", (f"^{k}" for k in range(10)), strict=True)),
}  # fmt: skip


SPELLED = tuple(
    sign for sign, latex in (*_UNICODE.items(), *_SAME.items()) if latex in ("=", ":=", r"\approx", r"\leftarrow")
)
"""Other spellings of the relations."""


def tokens(latex: str) -> list[Token]:
    """The tokens of a formula. Raises ``Unread`` for one that is too long, or whose braces do not close."""
    if len(latex) > LONGEST:
        raise Unread("too long", f"{len(latex):,}")
    latex = _GAP.sub(lambda match: "\\\\" + " " * (len(match[0]) - 2), latex)
    found: list[Token] = []
    for match in _TOKEN.finditer(latex):
        if match["space"] is not None:
            continue
        text, start, end = match[0], match.start(), match.end()
        if text in _DROPPED:
            continue
        if len(text) == 1 and text in _UNICODE:
            text = _UNICODE[text]
            if text[0] in "_^" and len(text) > 1:  # x₁₂ is x_{12}
                found += [Token(text[0], start, end), Token(text[1], start, end)]
                continue
            text = "^" if text == r"\top" and found and found[-1].text != "^" else text
            found.append(Token(text, start, end))
            if text == "^":
                found.append(Token(r"\top", start, end))
            continue
        if text[0] == "\\" and "{" in text:
            text = re.sub(r"\s+", " ", text).replace(" {", "{").replace("*{", "{") if "\\text" not in text else text
        found.append(Token(r"\quad" if text in _WIDE else _SAME.get(text, text), start, end))
    return _plain_scripts(_opened(found))


def keys(latex: str) -> tuple[str, ...]:
    """The tokens of a name, without their places; empty where it is not read."""
    try:
        return tuple(token.text for token in tokens(latex) if token.text != r"\quad")
    except Unread:
        return ()


def _opened(found: list[Token]) -> list[Token]:
    """Without labels and the like; boxes and colours opened; empty groups dropped."""
    partner = _partners(found)
    kept: list[Token] = []
    hidden: set[int] = set()
    k = 0
    while k < len(found):
        token = found[k]
        if k in hidden or (token.text == "{" and partner[k] == k + 1):
            k += 1 if k in hidden else 2
            continue
        skip = _SKIPPED.get(token.text.removesuffix("*"))
        if skip is None:
            kept.append(token)
            k += 1
            continue
        count, opens = skip
        k += 1
        for _ in range(count):
            if k < len(found) and found[k].text == "{":
                k = partner[k] + 1
        if opens and k < len(found) and found[k].text == "{":
            hidden |= {k, partner[k]}
    return kept


def _partners(found: Sequence[Token]) -> dict[int, int]:
    """Which brace closes which. Raises ``Unread`` where one has no partner."""
    partner: dict[int, int] = {}
    waiting: list[int] = []
    for k, token in enumerate(found):
        if token.text == "{":
            waiting.append(k)
        elif token.text == "}":
            if not waiting:
                raise Unread("syntax", "}")
            partner[waiting.pop()] = k
    if waiting:
        raise Unread("syntax", "{")
    return partner


def _plain_scripts(found: list[Token]) -> list[Token]:
    """``_{1}`` as ``_1``, and likewise above."""
    kept: list[Token] = []
    k = 0
    while k < len(found):
        if (
            found[k].text in ("_", "^")
            and k + 3 < len(found)
            and found[k + 1].text == "{"
            and found[k + 3].text == "}"
            and found[k + 2].text not in ("{", "}")
        ):
            kept += [found[k], found[k + 2]]
            k += 4
        else:
            kept.append(found[k])
            k += 1
    return kept

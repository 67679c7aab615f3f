"""What a formula needs on its way into a TeX file, and what it needs to survive Markdown.

TeX: rows of displayed fractions touch unless a gap pushes them apart. An array of right-aligned columns in brackets,
which is what every reader of Markdown knows, is ``pmatrix*`` of mathtools there, without the room that an array has on
both sides.

Markdown: some readers (GitHub among them) read the text between the dollars as Markdown first, so nothing in it may
mean anything to Markdown: no backslash before punctuation (``\\,`` loses its backslash, ``\\\\`` one of two), no
bracket, bar or angle (links, tables, tags), no underscore that could open emphasis. GitHub's MathJax also refuses
``\\operatorname``, ``\\mbox`` and ``\\phantom``. The words used instead are known to MathJax 2 and 3 (Jupyter, GitHub)
and to KaTeX (VS Code). A ``math`` fence would need less care on GitHub, but Jupyter and VS Code show it as code.
"""

from __future__ import annotations

import re
from functools import lru_cache

from derive.report.latex_reader import GAP, Token, parse, tokens
from derive.report.latex_tree import Array, Fraction, Node, Row, children

# ── TeX ─────────────────────────────────────────────────────────────────────────────────────────────────────────

_FLUSH = re.compile(r"\\left\(\\begin\{array\}\{r+\} ((?:(?!\\begin|\\end).)*?) \\end\{array\}\\right\)", re.DOTALL)
_GAPS = ((r"[3ex]", "dfrac"), (r"[1ex]", "frac"))  # the strut swallows about 0.4 em of a gap


@lru_cache(maxsize=1024)
def for_tex(latex: str) -> str:
    """The formula with gaps between the rows of an array whose fractions would touch, and in the words of mathtools.

    Raises ``ProblemError`` for what is not in the subset.
    """
    return _FLUSH.sub(r"\\begin{pmatrix*}[r] \1 \\end{pmatrix*}", with_gaps(latex))


def with_gaps(latex: str) -> str:
    """The formula with gaps between the rows of an array whose fractions would touch.

    Raises ``ProblemError`` for what is not in the subset.
    """
    inserts: list[tuple[int, str]] = []
    for array in _arrays(parse(latex)):
        for upper, lower, (place, has_gap) in zip(array.rows, array.rows[1:], array.breaks, strict=False):
            gap = ""
            if not has_gap and array.environment != "aligned":
                gap = next((text for text, kind in _GAPS if _has_fraction((*upper, *lower), kind)), "")
            if not has_gap and not gap and latex[place + 2 :].lstrip()[:1] in ("[", "*"):
                gap = "{}"  # TeX would read the bracket of the next cell as the gap
            inserts.append((place + 2, gap))
    for place, text in sorted(inserts, reverse=True):
        latex = latex[:place] + text + latex[place:]
    return latex


def array_columns(latex: str) -> int:
    """The number of columns of the widest array in a formula."""
    if r"\begin" not in latex:
        return 0
    return max((len(row) for array in _arrays(parse(latex)) for row in array.rows), default=0)


def _arrays(row: Row) -> list[Array]:
    found: list[Array] = []
    for node in row:
        if isinstance(node, Array):
            found.append(node)
        for inner in children(node):
            found += _arrays(inner)
    return found


def _has_fraction(rows: tuple[Row, ...], kind: str) -> bool:
    def inside(node: Node) -> bool:
        return (isinstance(node, Fraction) and node.kind == kind) or any(
            inside(n) for row in children(node) for n in row
        )

    return any(inside(node) for row in rows for node in row)


# ── Markdown ────────────────────────────────────────────────────────────────────────────────────────────────────

_WORDS = {
    r"\{": r"\lbrace", r"\}": r"\rbrace", r"\|": r"\Vert", "|": r"\vert", "[": r"\lbrack", "]": r"\rbrack",
    "<": r" \lt ", ">": r" \gt ", "*": r"\ast", r"\,": r"\thinspace", r"\:": r"\thinspace",
    r"\;": r"\thinspace\thinspace", r"\ ": r"\thinspace\thinspace", r"\!": r"\negthinspace", r"\\": r"\cr",
}  # fmt: skip


@lru_cache(maxsize=1024)
def for_markdown(latex: str) -> str:
    """The formula in words that Markdown leaves alone, on one line.

    Raises ``ProblemError`` for what is not in the subset.
    """
    parse(latex)
    source = tokens(latex)
    out: list[str] = []
    place = 0
    while place < len(source):
        token = source[place]
        place += 1
        if token.kind == "space":
            _put(out, " ")
        elif token.text == r"\phantom":
            end = _past_group(source, place)
            _put(out, _room([t.text for t in source[place + 1 : end - 1] if t.kind != "space"]))
            place = end
        elif token.text == r"\sqrt" and place < len(source) and source[place].text == "[":
            # the brackets of an index are syntax, not signs
            _put(out, token.text + "[")
            place += 1
            while source[place].text != "]":
                _put(out, source[place].text)
                place += 1
            _put(out, "]")
            place += 1
        elif token.kind == "named" and token.argument == "array" and token.text.startswith(r"\begin"):
            end = _past_group(source, place)
            _put(out, token.text + "".join(t.text for t in source[place:end]))
            place = end
        elif token.text == r"\\":
            _put(out, r"\cr ")
            place = _past_gap(latex, source, place)
        else:
            _put(out, _word(token, out))
    return "".join(out).strip()


def _room(hidden: list[str]) -> str:
    """What stands in for ``\\phantom``: for digits and a decimal sign blanks of their widths, else a wide one."""
    inside = "".join(hidden)
    if not re.fullmatch(r"(?:\.|\{,\})?\d+", inside):
        return r"\quad"
    digits = sum(c.isdigit() for c in inside)
    return r"\thinspace\thinspace" * (digits < len(inside)) + r"\enspace" * digits


def _word(token: Token, out: list[str]) -> str:
    if token.kind == "text":
        return r"\text{" + token.argument.replace("_", "-") + "}"
    if token.text.startswith(r"\operatorname"):
        return r"\mathrm{" + token.argument.replace("\\,", r"\thinspace ").replace("\\_", r"\text{-}") + "}"
    if token.text == "_":  # behind punctuation it could open emphasis; before a blank it never can
        return "_" if out and out[-1][-1:].isalnum() else "_ "
    if token.text == "&":
        return "& "
    return _WORDS.get(token.text, token.text)


def _put(out: list[str], text: str) -> None:
    """Append, with a blank between a command and a letter that would lengthen it."""
    last = out[-1] if out else ""
    if text[:1].isalpha() and last.rfind("\\") >= 0 and last[last.rfind("\\") + 1 :].isalpha():
        out.append(" ")
    if text != " " or not last.endswith(" "):
        out.append(text)


def _past_group(source: tuple[Token, ...], place: int) -> int:
    """The place behind the ``{…}`` that opens at or after ``place``."""
    depth = 0
    while True:
        text = source[place].text
        place += 1
        depth += (text == "{") - (text == "}")
        if depth == 0 and text == "}":
            return place


def _past_gap(latex: str, source: tuple[Token, ...], place: int) -> int:
    """The place behind ``[3ex]``, where a row ends with one: the renderers of Markdown space rows themselves."""
    gap = GAP.match(latex, source[place - 1].start + 2)
    while gap and place < len(source) and source[place].start < gap.end():
        place += 1
    return place

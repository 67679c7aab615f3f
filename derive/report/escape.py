"""Prose made safe for each format: whatever characters a user writes, they print as themselves and do nothing."""

from __future__ import annotations

import re
from functools import lru_cache

_BLANK = re.compile(r"\s+")


def plain(text: str) -> str:
    """The text on one line, without control characters and without direction overrides."""
    if text.isprintable() and text.isascii() and "  " not in text:  # as nearly every text is
        return text
    text = _BLANK.sub(" ", text)
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


BREAK = "\u200b"  # a place where a line may end
# Hyphenation copes with the letters of words, not with file names; Chinese may break nearly anywhere as it is.
_LONG_WORD = re.compile(r"[^\s\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\u201c\u201d]{12,}")


@lru_cache(maxsize=1024)  # the same words stand in every document
def softened(text: str) -> str:
    """Words too long for the end of a line may break: behind punctuation, and anywhere if that is not enough."""

    def soften(word: re.Match[str]) -> str:
        pieces = re.sub(r"(?<=.[^\w\s(\[{])(?=\w)", BREAK, word[0]).split(BREAK)  # not behind what opens
        return BREAK.join(re.sub(r"(\w{20})(?=\w{5})", rf"\1{BREAK}", piece) for piece in pieces)

    return _LONG_WORD.sub(soften, plain(text))


# ── HTML ────────────────────────────────────────────────────────────────────────────────────────────────────────

HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}


@lru_cache(maxsize=1024)
def html_text(text: str) -> str:
    """Prose inside an element or a quoted attribute."""
    return "".join(HTML.get(c, c) for c in plain(text))


# ── Markdown ────────────────────────────────────────────────────────────────────────────────────────────────────

_MARKDOWN = {c: "\\" + c for c in "\\`*_{}[]|~#"} | {
    "&": "&amp;", "<": "&lt;", ">": "&gt;",
    "$": r"<span>\$</span>",  # GitHub looks for maths after Markdown has taken the backslash away; the tag stops it
}  # fmt: skip
_LINE_START = re.compile(r"^( *)([+=-]|\d+(?=[.)]))")


@lru_cache(maxsize=1024)
def markdown_text(text: str) -> str:
    """Prose inside a line of Markdown."""
    return "".join(_MARKDOWN.get(c, c) for c in plain(text)).replace("!\\[", "\\!\\[")


def markdown_line(line: str) -> str:
    """A finished line whose first characters are not to open a heading, a list or a rule."""
    found = _LINE_START.match(line)
    if found is None:
        return line.lstrip(" ")
    mark, rest = found[2], line[found.end() :]
    return mark + "\\" + rest if mark.isdigit() else "\\" + mark + rest


def markdown_code(text: str) -> str:
    """Code inside a line; the fence is longer than any run of backticks in it."""
    body = plain(text)
    longest = max((len(run) for run in re.findall("`+", body)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if body.startswith("`") or body.endswith("`") or (body.startswith(" ") and body.endswith(" ")) else ""
    return f"{fence}{pad}{body}{pad}{fence}"


# ── TeX ─────────────────────────────────────────────────────────────────────────────────────────────────────────

_TEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "[": "{[}", "]": "{]}", "*": "{*}",  # TeX would take them for an option behind \\ or \item
    "|": r"\textbar{}", '"': r"\textquotedbl{}", "`": r"\textasciigrave{}", "\u00a0": "~", "\u2026": r"\ldots{}",
    "\N{REPLACEMENT CHARACTER}": "?", BREAK: r"\allowbreak{}",
    "−": "$-$", "×": r"$\times$", "·": r"$\cdot$", "→": r"$\to$", "∂": r"$\partial$", "∇": r"$\nabla$",
    "Σ": r"$\Sigma$",
    "≈": r"$\approx$", "≤": r"$\le$", "≥": r"$\ge$", "≠": r"$\ne$", "′": "$'$", "∞": r"$\infty$", "⊙": r"$\odot$",
    "α": r"$\alpha$", "β": r"$\beta$", "γ": r"$\gamma$", "δ": r"$\delta$", "ε": r"$\varepsilon$", "η": r"$\eta$",
    "θ": r"$\theta$", "λ": r"$\lambda$", "μ": r"$\mu$", "π": r"$\pi$", "σ": r"$\sigma$", "φ": r"$\varphi$",
}  # fmt: skip
# Computer Modern, in TeX and as Typst's font, draws these pairs as one sign: dashes, quotes, inverted marks.
_LIGATURES = re.compile(r"(?<=-)(?=-)|(?<=')(?=')|(?<=,)(?=,)|(?<=[`!?])(?=`)|(?<=<)(?=<)|(?<=>)(?=>)")


@lru_cache(maxsize=1024)
def tex_text(text: str) -> str:
    """Prose inside a TeX paragraph."""
    return "".join(_TEX.get(c, c) for c in _LIGATURES.sub("\0", softened(text))).replace("\0", "{}")


def tex_code(text: str) -> str:
    """Code: straight quotes."""
    return r"\texttt{" + tex_text(text).replace("'", r"\textquotesingle{}") + "}"


# ── Typst ───────────────────────────────────────────────────────────────────────────────────────────────────────


NON_JOINER = "\u200c"
_SILENT = re.compile(f"([{NON_JOINER}{BREAK}])")
_APOSTROPHE = re.compile(r"(?<=[^\W\d_])'(?=[^\W\d_])")


def _printable(text: str) -> str:
    if text.isascii():
        return plain(text)
    return "".join(part if part in (NON_JOINER, BREAK) else plain(part) for part in _SILENT.split(text))


def typst_string(text: str) -> str:
    """A Typst string literal; nothing in it is markup or code."""
    return '"' + _printable(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


@lru_cache(maxsize=1024)
def typst_text(text: str) -> str:
    """Prose in Typst markup: a string expression, closed by its semicolon. An apostrophe gets its printed form."""
    return f"#{typst_string(_LIGATURES.sub(NON_JOINER, _APOSTROPHE.sub('’', softened(text))))};"


def typst_code(text: str) -> str:
    """Code in Typst markup."""
    return f"#raw({typst_string(softened(text))});"

"""What each format escapes, how it sets a line of spans, and the environment that its templates run in."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import jinja2

from derive.records import dataclass
from derive.report import escape
from derive.report.document import (
    Code,
    Math,
    Span,
    Spans,
    Strong,
    Text,
)
from derive.report.drawing import TIKZ_STYLES, TYPST_STYLES
from derive.report.latex_dialects import for_markdown, for_tex
from derive.report.own_look import templates_folder
from derive.report.spacing import CLOSING, is_chinese
from derive.report.speech import spoken
from derive.report.typst_math import to_typst

if TYPE_CHECKING:
    from jinja2.runtime import Context


Writer = Callable[[str], str]


class Ready(str):
    """Text of the output format, escaped already."""

    __slots__ = ()


def mathml(latex: str, words: str, display: bool = False) -> Ready:
    """A formula as MathML, with its words for those who cannot see it."""
    from derive.report.html import to_mathml  # only a page pays for it

    return Ready(to_mathml(latex, display).replace("<math", f'<math aria-label="{escape.html_text(words)}"', 1))


def _joined(text: Writer, strong: str, code: Writer, math: Writer) -> Callable[[Spans], Ready]:
    """Spans set one behind the other."""

    def spans(line: Spans) -> Ready:
        parts = []
        for span in line:
            match span:
                case Text(words):
                    parts.append(text(words))
                case Strong(words):
                    parts.append(strong.replace("@", text(words)))
                case Code(words):
                    parts.append(code(words))
                case Math(latex):
                    parts.append(math(latex))
        return Ready("".join(parts))

    return spans


_tex_line = _joined(escape.tex_text, r"\textbf{@}", escape.tex_code, lambda latex: f"${for_tex(latex)}$")


def _tex_spans(line: Spans) -> Ready:
    """Spans of LaTeX; pdflatex has to be told that a line may end between a mark of Chinese and a formula."""
    marks = CLOSING.replace("”", "")  # which stands in any language
    return Ready(re.sub(rf"(?<=[{marks}])\$", r"\\dvbreak$", _tex_line(line)))


def _markdown_spans(line: Spans) -> Ready:
    """Spans of Markdown; GitHub reads a dollar as maths only behind a blank, and before a blank or a full stop."""
    pieces = [_markdown_span(span) for span in line]
    out = ""
    for place, (span, piece) in enumerate(zip(line, pieces, strict=True)):
        following = "".join(pieces[place + 1 :])[:1]
        after_math = place > 0 and isinstance(line[place - 1], Math)
        if isinstance(span, Strong):
            piece = _markdown_strong(out[-1:], piece, following)
        apart = isinstance(span, Math) and out[-1:].strip()
        if apart or (after_math and piece[:1] not in (*" .,;:!?)", "")):
            out += " "
        out += piece
    return Ready(out.strip())


def _markdown_span(span: Span) -> str:
    match span:
        case Text(words) | Strong(words):
            return escape.markdown_text(words)
        case Code(words):
            return escape.markdown_code(words)
        case Math(latex):
            return f"${for_markdown(latex)}$"


def _markdown_strong(before: str, words: str, after: str) -> str:
    """Stars open and close only beside a blank or a letter inside; where they would not, the tag does."""
    bare = words.strip()
    if not bare:
        return words
    opens = bare[0].isalnum() or not (words[:1] if words[:1] == " " else before).strip()
    closes = bare[-1].isalnum() or not (words[-1:] if words[-1:] == " " else after).strip()
    return words.replace(bare, f"**{bare}**" if opens and closes else f"<strong>{bare}</strong>", 1)


def _markdown_line(line: Spans) -> Ready:
    return Ready(escape.markdown_line(_markdown_spans(line)))


def _markdown_cell(line: Spans) -> Ready:
    return Ready("".join(c if c != "|" else "\\|" for c in _markdown_spans(line).replace("\\|", "|")))


@dataclass(frozen=True, slots=True)
class _Format:
    """What a format escapes and sets by; every one has ``spans`` and ``math`` as filters of its templates."""

    text: Callable[[str], str]
    filters: Mapping[str, Callable[..., Ready]]
    styles: str = ""


def _ready(function: Callable[[str], str]) -> Callable[[str], Ready]:
    return lambda text: Ready(function(text))


@jinja2.pass_context
def _html_spans(context: Context, line: Spans) -> Ready:
    parts = []
    for span in line:
        match span:
            case Text(words):
                parts.append(escape.html_text(words))
            case Strong(words):
                parts.append(f"<strong>{escape.html_text(words)}</strong>")
            case Code(words):
                parts.append(f"<code>{escape.html_text(words)}</code>")
            case Math(latex):
                parts.append(mathml(latex, spoken(latex, context["document"].language)))
    return Ready("".join(parts))


@jinja2.pass_context
def _html_inline(context: Context, latex: str) -> Ready:
    return mathml(latex, spoken(latex, context["document"].language))


@jinja2.pass_context
def _typst_spans(context: Context, line: Spans) -> Ready:
    """Spans of Typst; each formula carries its words, which PDF/UA asks for."""
    return _typst_line(context["document"].language)(line)


@lru_cache(maxsize=4)
def _typst_line(language: str) -> Callable[[Spans], Ready]:
    @lru_cache(maxsize=1024)
    def math(latex: str) -> str:
        return f"#derive-math({escape.typst_string(spoken(latex, language))}, ${to_typst(latex)}$);"

    return _joined(escape.typst_text, "#strong[@]", escape.typst_code, math)


def _html_source(lines: tuple[str, ...]) -> Ready:
    return Ready("".join(escape.HTML.get(c, c) for c in _source(lines)))


def _label(name: str) -> Ready:
    """The name of a section or a formula, which TeX must not read as anything else."""
    if not re.fullmatch(r"[A-Za-z0-9/.:+_()-]+", name):
        raise ValueError(f"{name!r} is no label")
    return Ready(name)


def _language(word: str) -> Ready:
    """The name of a programming language, as it stands behind a fence."""
    if not word.isascii() or not word.isalpha():
        raise ValueError(f"{word!r} is no programming language")
    return Ready(word)


def _source(lines: tuple[str, ...]) -> Ready:
    """Lines of a program as they are: names, numbers and operators, which no format reads as its own."""
    for line in lines:
        plain = line.isascii() or is_chinese(line)
        if not (plain and (line.isprintable() or not line)) or "```" in line or "\\" in line:
            raise ValueError(f"{line!r} is no line of a program")
    return Ready("\n".join(lines))


FORMATS = {
    "md": _Format(
        escape.markdown_text,
        {
            "spans": _markdown_spans, "line": _markdown_line, "cell": _markdown_cell, "math": _ready(for_markdown),
            "url": _ready(lambda name: f"({quote(name)})"), "alt": _ready(escape.markdown_text),
            "source": _source, "language": _language,
        },
    ),
    "html": _Format(
        escape.html_text,
        {
            "spans": _html_spans, "display": lambda latex, words: mathml(latex, words, True), "inline": _html_inline,
            "source": _html_source,
        },
    ),
    "tex": _Format(
        escape.tex_text,
        {
            "spans": _tex_spans, "math": _ready(for_tex), "label": _label,
            "source": _source, "language": _language,
        },
        TIKZ_STYLES,
    ),
    "typ": _Format(
        escape.typst_text,
        {
            "spans": _typst_spans, "math": _ready(to_typst),
            "quoted": _ready(escape.typst_string), "source": _source, "language": _language,
        },
        TYPST_STYLES,
    ),
}  # fmt: skip


def options(format: str, strict: bool = False) -> dict[str, Any]:
    """How templates of a format are read. Strict: they print texts and numbers only, as a stranger's have to."""
    how = FORMATS[format]

    def finalize(value: object) -> object:
        if strict and not isinstance(value, str | int | float | jinja2.Undefined):
            raise TypeError(f"a template prints texts and numbers, not a {type(value).__name__}")
        return how.text(value) if isinstance(value, str) and not isinstance(value, Ready) else value

    return {
        "block_start_string": "((*", "block_end_string": "*))", "variable_start_string": "(((",
        "variable_end_string": ")))", "comment_start_string": "((=", "comment_end_string": "=))",
        "undefined": jinja2.StrictUndefined, "finalize": finalize, "trim_blocks": True, "lstrip_blocks": True,
        "keep_trailing_newline": True, "auto_reload": False,
    }  # fmt: skip


def filters(format: str) -> dict[str, Callable[..., Ready]]:
    """The filters of a format's templates."""
    return {
        **FORMATS[format].filters,
        "em": lambda width: Ready(f"{width:.2f}em"),
        "pt": lambda width: Ready(f"{width:.3f}pt"),
    }


@lru_cache(maxsize=4)
def environment(format: str) -> jinja2.Environment:
    """The templates of a format, with its escapes and filters."""
    found = jinja2.Environment(loader=jinja2.FileSystemLoader(templates_folder()), **options(format))
    found.filters.update(filters(format))
    return found

"""A problem file is data from a stranger: what stands in its texts prints as text in every format, or is refused."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest

from derive import api
from derive.errors import ProblemError
from derive.problem.find import problem_from_text
from derive.report.escape import BREAK, NON_JOINER
from derive.report.pdf import typst_pdf
from derive.report.tex_engines import run_tex
from markdown_maths import PLAIN, inline

# Each is read by some language as its own.
TEXTS = {
    "TeX": r"\input{/etc/passwd} \write18{id} \openin1=/etc/passwd \catcode`\%=12 \csname end\endcsname ^^5cinput",
    "TeX, the end": r"} \end{document} \immediate\write18{id} \newcommand{\x}{",
    "Typst": '#read("/etc/passwd") #{1 + 1} ]; #panic("x") // /* <label> @label',
    "Jinja": "{{ 7 * 7 }} {% for x in y %} ((( 7 * 7 ))) ((* include 'x' *)) ((= x =)) {# x #}",
    "HTML": "<script>alert(1)</script> </style></title><img src=x onerror=alert(1)> --> ]]> &lt; &#60;",
    "Markdown": "[a](javascript:alert(1)) ![b](http://example.org/c.png) **d** _e_ ~~f~~ | g | <http://example.org>",
    "mathematics": r"$x^2$ $$y$$ \(z\) \[w\] 5 $ 6%",
    "code": "`a` ``b`` ```c``` ~~~d",
    "a line's start": "# head > quote - item + item 1. item = rule",
    "quotation marks": "\" ' “ ” ‘ ’ \\\" \\' '''''",
    "blanks": "a\tb\nc   d",
    "a long word": "x" * 400,
    "Chinese": "网络（一）$x$，“引用”。",
}
HARMLESS = ("blanks", "a long word", "Chinese")
# What could change the page behind the reader's back, or fill it.
REFUSED = {
    "control characters": "a\x07b",
    "an escape sequence": "a\x1b[31mb",
    "a null": "a\x00b",
    "right to left, overridden": "a\u202eb",
    "a direction, isolated": "a\u2067b",
    "a mark of direction": "a\u200fb",
    "10,000 characters": "x" * 10_000,
    "10,000 words": "x " * 10_000,
}
# Symbols and names of entries are mathematics: a grammar says what may stand there.
FIELDS = ("title", "caption", "part")

_FILE = '''
title = {title}
equations = """
z = x @ W + b   # {comment}
h = sigmoid(z)
E = sum(h**2)
"""
[given]
x = [1, 2]
[parameters]
W = [[1, 2], [3, 4]]
b = 0.5
[captions]
h = {caption}
[symbols]
b = {symbol}
[names]
x = {names}
[ask]
gradients = ["W"]
[[part]]
name = {part}
'''


def problem_file(**texts: str) -> str:
    """The problem file with these texts in it, all others harmless."""
    harmless = {"title": "t", "caption": "c", "symbol": "b", "names": "x_1 x_2", "part": "p"}
    comment = " ".join(texts.pop("comment", "").replace('"""', "").split())
    comment = "".join("\\\\" if c == "\\" else c for c in comment)
    return _FILE.format(comment=comment, **{key: json.dumps(text) for key, text in (harmless | texts).items()})


@cache
def made(kind: str) -> dict[str, bytes]:
    """The report of a problem that says the text wherever a text may stand, in all formats but PDF."""
    said = TEXTS[kind]
    texts = dict.fromkeys((*FIELDS, "comment"), said)
    return api.solve(problem_from_text(problem_file(**texts), "stranger")).files(["md", "tex", "html", "typ"])


def bare(text: str) -> str:
    """Without blanks, and without what is invisible."""
    return re.sub(rf"[\s{BREAK}{NON_JOINER}]", "", text)


def typst_words(source: str) -> set[str]:
    """The words of a Typst source outside of its string literals."""
    return set(re.findall(r"[#@]?[A-Za-z_]{2,}", re.sub(r'"(?:[^"\\\n]|\\.)*"', "", source)))


class Read(HTMLParser):
    """What a browser finds: elements, their attributes, and text."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("kind", TEXTS)
def test_a_browser_finds_text(kind: str) -> None:
    """No element and no attribute comes from a problem file; the text is there, word for word."""
    page, plain = (Read(made(name)["stranger.html"].decode()) for name in (kind, "blanks"))
    assert page.tags == plain.tags
    assert [name for name, _ in page.attributes] == [name for name, _ in plain.attributes]
    assert not [value for name, value in page.attributes if name == "href" and value[0] != "#"]
    assert bare(page.text).count(bare(TEXTS[kind])) >= len(FIELDS) + 1


@pytest.mark.parametrize("kind", TEXTS)
def test_a_reader_of_markdown_finds_text(kind: str) -> None:
    """No link, picture, table, heading or emphasis comes from a problem file; the text is there, word for word."""
    tokens = PLAIN.parse(made(kind)["stranger.md"].decode())
    plain = PLAIN.parse(made("blanks")["stranger.md"].decode())
    assert [token.type for token in tokens] == [token.type for token in plain]
    own = {"text", "softbreak", "html_inline", "code_inline", "image", "strong_open", "strong_close"}
    assert {token.type for token in inline(tokens)} <= own
    tags = {"<span>", "</span>", "<strong>", "</strong>"}
    assert {token.content for token in inline(tokens) if token.type == "html_inline"} <= tags
    images = [token for token in inline(tokens) if token.type == "image"]
    assert all(str(image.attrs["src"]).startswith("stranger-figure-") for image in images)
    said = bare("".join(token.content for token in inline(tokens) if token.type in ("text", "code_inline")))
    assert said.count(bare(TEXTS[kind])) >= len(FIELDS) + 1


@pytest.mark.parametrize("kind", TEXTS)
def test_typst_finds_strings(kind: str) -> None:
    """Every text of a problem file stands in a string literal of Typst, and the PDF is set."""
    ours, *harmless = (typst_words(made(name)["stranger.typ"].decode()) for name in (kind, *HARMLESS))
    assert ours <= set().union(*harmless)
    assert typst_pdf(made(kind)["stranger.typ"].decode()).startswith(b"%PDF-")


@pytest.mark.parametrize("kind", TEXTS)
def test_tex_finds_no_command(kind: str) -> None:
    """The commands of the TeX file are those of the same report with harmless texts, but for the signs of prose."""
    ours, *harmless = (
        set(re.findall(r"\\(?:[A-Za-z@]+|.)", made(name)["stranger.tex"].decode())) for name in (kind, *HARMLESS)
    )
    signs = r"\\(?:text[a-z]+|ldots|allowbreak|[{}$&#%_\\])"
    assert not [command for command in ours.difference(*harmless) if not re.fullmatch(signs, command)]
    assert made(kind)["stranger.tex"].count(rb"\end{document}") == 1


# A comment of an equation stands in the file as it is, where TOML itself forbids what is no text.
PLACES = [(kind, field) for kind in REFUSED for field in FIELDS] + [
    (kind, "comment") for kind, text in REFUSED.items() if not re.search(r"[\x00-\x1f]", text)
]


@pytest.mark.parametrize(("kind", "field"), PLACES)
def test_what_is_no_text_is_refused_with_its_place(kind: str, field: str) -> None:
    """Control characters, marks of direction and texts without an end: one message with file and line."""
    with pytest.raises(ProblemError, match=r"^stranger\.toml:\d+: ") as caught:
        problem_from_text(problem_file(**{field: REFUSED[kind]}), "stranger")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("kind", [*(kind for kind in TEXTS if kind != "blanks"), *REFUSED])
@pytest.mark.parametrize("field", ["symbol", "names"])
def test_symbols_are_no_texts(kind: str, field: str) -> None:
    """What is set as mathematics is held to its grammar: nothing that is hostile as a text is a symbol."""
    with pytest.raises(ProblemError, match=r"^stranger\.toml:\d+: ") as caught:
        problem_from_text(problem_file(**{field: (TEXTS | REFUSED)[kind]}), "stranger")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


@pytest.mark.tex
@pytest.mark.parametrize("engine", ["xelatex", "typst"])
@pytest.mark.parametrize("kind", TEXTS)
def test_a_pdf_says_the_text(kind: str, engine: str, tmp_path: Path) -> None:
    """Both engines print the text itself, and read no file for it."""
    assert shutil.which("pdftotext"), "no pdftotext on the PATH (Debian: apt-get install poppler-utils)"
    files = made(kind)
    file = files["stranger.tex" if engine == "xelatex" else "stranger.typ"].decode()
    beside = {"derive.sty": files["derive.sty"]}
    pdf = run_tex(engine, file, "stranger", beside).pdf if engine == "xelatex" else typst_pdf(file)
    (tmp_path / "a.pdf").write_bytes(pdf)
    ran = subprocess.run(["pdftotext", "-raw", "a.pdf", "-"], cwd=tmp_path, capture_output=True, check=True)
    said = bare(ran.stdout.decode())
    assert "root:" not in said
    assert "uid=" not in said
    straight = str.maketrans({"’": "'", "‘": "'", "‐": "-", "−": "-"})
    for word in TEXTS[kind].split():
        if "-" not in word and len(word) < 60:  # a hyphen may stand where a line ends
            assert bare(word).translate(straight) in said.translate(straight), word

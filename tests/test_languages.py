"""Languages: catalogues that say the same, Chinese set as Chinese, in every format and with fonts of its own."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

from derive import api, cli
from derive.chapters import chapter_names
from derive.chapters.chapter import work_out
from derive.chapters.proofs import proofs
from derive.chapters.prose import own
from derive.cli import shown
from derive.errors import ProblemError, Unsupported
from derive.problem import built_in, find_problem
from derive.report import fonts
from derive.report.catalogue import catalogue, languages
from derive.report.compose import compose
from derive.report.document import Code, Document, Figure, Items, Math, Paragraph, Spans, Strong, Table, Text
from derive.report.pdf import pdf
from derive.report.plain import plain
from derive.report.render import render
from derive.report.spacing import IDEOGRAPHS, columns, spaced, spaced_spans, spaced_text
from overflow import overflows
from sampling import sampled

pytestmark = pytest.mark.slow  # hundreds of documents or proofs: once for each change is enough

PLACE = re.compile(r"\{(\w+)\}")
WORD = re.compile(r"[A-Za-z]{2,}")
# Names of functions, methods and programs: the same in every language.
NAMES = frozenset(
    "ELU GELU Leaky ReLU SiLU Sigmoid Softmax Softplus Tanh sigmoid softmax softplus tanh clip vec im col json logit Logit "
    "NumPy SymPy LSTM dropout Adam AdamW AdaGrad RMSprop Nesterov".split()
)
# What a text alternative reads out of a formula: its own names.
SPOKEN = frozenset("exp hat max min out sin cos log norm top cell".split())
HALF = re.compile(rf"[{IDEOGRAPHS}] *[,;:?!.]|[,;:?!.] *[{IDEOGRAPHS}]|[{IDEOGRAPHS}] *\((?!\$)")


@cache
def document(name: str, language: str = "zh", questions: bool = False) -> Document:
    """A built-in problem or chapter, composed."""
    if name in chapter_names():
        return work_out(name, language=language).document()
    return compose(solved(name).core, questions=questions, language=language)


@cache
def solved(name: str) -> api.Solution:
    """A built-in problem, solved once."""
    return api.solve(name)


def lines(of: Document) -> list[Spans]:
    """All prose of a document, line by line."""
    found: list[Spans] = [(Text(of.title),)]
    for block in of.blocks:
        for part in ("spans", "caption"):
            found.append(getattr(block, part, ()))
        if isinstance(block, Items):
            found += block.items
        if isinstance(block, Table):
            found += [cell for row in (block.head, *block.rows) for cell in row]
        if isinstance(block, Figure):
            found.append((Text(block.alternative),))
    return found


# ── catalogues ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("language", [name for name in languages() if name != "en"])
@pytest.mark.parametrize("of", ["reports", "chapters"])
def test_every_language_says_the_same(language: str, of: str) -> None:
    """A catalogue has exactly the messages of the English one, with the same placeholders (which are all used: test_compose)."""
    read = own if of == "chapters" else lambda code: catalogue(code)._messages
    english, other = read("en"), read(language)
    assert english.keys() - other.keys() == set(), "missing"
    assert other.keys() - english.keys() == set(), "extra"
    for key in english:
        assert set(PLACE.findall(english[key])) == set(PLACE.findall(other[key])), key


def test_no_english_is_left_in_chinese() -> None:
    """Chinese messages hold no word in Latin letters but names, and no half-width punctuation beside a character."""
    for key, message in {**catalogue("zh")._messages, **own("zh")}.items():
        bare = PLACE.sub("$", message)
        assert set(WORD.findall(bare)) <= NAMES, key
        assert not HALF.search(bare), key
        assert not re.search(rf"[{IDEOGRAPHS}] +[{IDEOGRAPHS}$]|[{IDEOGRAPHS}$] +[{IDEOGRAPHS}]", bare), key


def test_a_catalogue_that_lacks_a_message_fails() -> None:
    """Asking for a message or a placeholder that is not there is an error, never an empty place on the page."""
    words = catalogue("zh")
    with pytest.raises(KeyError):
        words.say("part.nothing")
    with pytest.raises(KeyError):
        words.text("part.title")


def test_what_the_terminal_says_is_all_asked_for() -> None:
    """The messages of the terminal are those that the command line and the results ask for: test_compose leaves them to this test."""
    source = "".join(Path(str(module.__file__)).read_text(encoding="utf-8") for module in (cli, shown, api))
    asked = set(re.findall(r'"(terminal\.\w+)"', source))
    asked |= {f"terminal.{unit}_{number}" for unit in ("updates", "passes") for number in ("one", "many")}
    asked |= {f"terminal.stopped_{why}" for why in ("loss", "settled", "at_most", "diverged")}
    assert asked == {key for key in catalogue("en").keys if key.startswith("terminal.")}


def test_catalogues_are_tables_of_sentences() -> None:
    """Every entry is a text in a table; a text outside of a table is only the word that closes a list."""
    for path in Path(fonts.__file__).parent.joinpath("languages").glob("*.toml"):
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        assert {key for key, value in tables.items() if not isinstance(value, dict)} == {"and"}
        assert all(
            isinstance(text, str) for table in tables.values() if isinstance(table, dict) for text in table.values()
        )


@pytest.mark.parametrize("name", built_in())
def test_built_in_problems_speak_chinese(name: str) -> None:
    """Titles and captions have a Chinese text, and no equation leans on a comment, which has no language."""
    problem = find_problem(name)
    assert "zh" in problem.title
    assert all("zh" in caption for caption in problem.captions.values())
    assert not any(s.comment and s.name not in problem.captions for s in problem.statements)


# ── blanks, lists, sentences ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("用NumPy实现", "用 NumPy 实现"),
        ("用  NumPy 实现", "用 NumPy 实现"),
        ("共3步，第2步", "共 3 步，第 2 步"),
        ("损失 ， 见 （图）。", "损失，见（图）。"),
        ("在−1与1之间", "在 −1 与 1 之间"),
        ("A plain text, with  blanks", "A plain text, with  blanks"),
    ],
)
def test_blanks_between_chinese_and_words(text: str, right: str) -> None:
    """One blank beside Latin letters and digits, none beside wide punctuation; other texts stay as they are."""
    assert spaced_text(text) == right
    assert spaced_text(right) == right


def test_blanks_between_chinese_and_formulas() -> None:
    """One blank beside a formula, none beside punctuation, whoever put the line together."""
    line = (
        Text("对"),
        Math("x"),
        Text("和 "),
        Math("y"),
        Text("的导数，"),
        Math("z"),
        Text(" 。见"),
        Code("f"),
        Text("。"),
    )
    right = (
        Text("对 "),
        Math("x"),
        Text(" 和 "),
        Math("y"),
        Text(" 的导数，"),
        Math("z"),
        Text("。见 "),
        Code("f"),
        Text("。"),
    )
    assert spaced_spans(line) == right
    assert spaced_spans(right) == right
    english = (Text("by "), Math("x"), Text(", and "), Strong("so on"))
    assert spaced_spans(english) == english


def test_lists_and_sentences_are_joined_as_the_language_does() -> None:
    """``a, b and c`` and ``a、b和c``; sentences with a blank or without."""
    a, b, c = Text("a"), Text("b"), Text("c")

    def joined(spans: Spans) -> str:
        return "".join(span.text for span in spans if isinstance(span, Text))

    english, chinese = catalogue("en"), catalogue("zh")
    assert joined(english.listed((a, b, c))) == "a, b and c"
    assert joined(chinese.listed((a, b, c))) == "a、b和c"
    assert joined(chinese.in_a_row((a, b, c))) == "a、b、c"
    assert joined(english.sentences(((a, b), c))) == "ab c"
    assert joined(chinese.sentences(((a, b), c))) == "abc"
    assert joined(chinese.clauses((a, b, c))) == "a，b，且c"


def test_a_terminal_folds_chinese_by_its_columns() -> None:
    """A character takes two columns; no line is longer than the page or begins with a closing mark."""
    text = "本解答以矩阵形式推导损失对参数的导数，再逐元素写出，并代入数值（用 NumPy 检验）。" * 4
    folded = plain(Document("d", "标题", "zh", (Paragraph((Text(text),)),)), 40).splitlines()[2:]
    assert "".join(folded).replace(" ", "") == text.replace(" ", "")
    assert all(columns(line) <= 40 and line[0] not in "，。）、" for line in folded)


# ── documents ───────────────────────────────────────────────────────────────────────────────────────────────────

SOME = (
    "case1",
    "case2",
    "adam",
    "choice",
    "convolution",
    "rnn",
    "hessian",
    "backprop",
    "architecture",
    "cross-entropy",
)


@pytest.mark.slow
@pytest.mark.parametrize("name", sampled([*built_in(), *chapter_names()], 2))
def test_documents_in_chinese(name: str) -> None:
    """Every built-in document composes in Chinese, with and without solutions, holds no English, and renders to every format, to the same text each time."""
    for questions in (False, True)[: 1 if name in chapter_names() else 2]:
        found = document(name, "zh", questions)
        assert found.name == f"{name}{'-questions' if questions else ''}.zh"
        for line in lines(spaced(found)):
            said = "".join(span.text for span in line if isinstance(span, Text | Strong))
            assert set(WORD.findall(said)) <= NAMES | SPOKEN, said
        for format in ("md", "tex", "typ", "html"):
            made = render(found, format)
            assert made == render(found, format)
            assert not re.search(rf"[{IDEOGRAPHS}]  +[{IDEOGRAPHS}]", made.text)
        assert plain(found)


def test_both_languages_have_the_same_formulas() -> None:
    """What differs between the languages is prose: the formulas of a solution are those of the other one."""
    for name in ("case1", "convolution", "backprop"):
        ours, theirs = (
            [block for block in document(name, language).blocks if hasattr(block, "chains")]
            for language in ("zh", "en")
        )
        assert ours == theirs


def test_proofs_in_chinese() -> None:
    """The proofs of rules have their own files and no English."""
    found = proofs(("softmax", "matmul"), "zh")
    assert found.name == "proofs.zh"
    for line in lines(found):
        assert set(WORD.findall("".join(span.text for span in line if isinstance(span, Text)))) <= NAMES


# ── fonts ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["case1", "choice"])
def test_a_pdf_in_chinese_is_the_same_each_time(name: str) -> None:
    """Embedded fonts of the package, none of the machine's, and the same bytes on each run."""
    made = pdf(document(name))
    assert made == pdf(document(name))
    assert b"NotoSerifSC" in made
    assert b"NotoSansSC" in made


@pytest.mark.slow
@pytest.mark.parametrize("name", SOME)
def test_chinese_stays_within_the_page(name: str) -> None:
    """No display, table or line of a Chinese report is wider than the page, measured by Typst."""
    assert overflows(document(name)) == []


def test_what_only_chinese_needs_is_only_in_chinese() -> None:
    """A file in English loads no package, font or macro for Chinese."""
    for format in ("tex", "typ"):
        assert not re.search("ctex|CJK|dvbreak|Noto|region", render(document("case1", "en"), format).text)
    assert re.search(r"、\\dvbreak\$", render(document("case1"), "tex").text)
    quoted = Document("d", "d", "en", (Paragraph((Text("“so”"), Math("x"))),))
    assert "dvbreak" not in render(quoted, "tex").text


def test_a_chinese_title_in_an_english_report() -> None:
    """The fonts follow the characters, not the language."""
    assert b"NotoSansSC" in pdf(Document("d", "网络 in English", "en", (Paragraph((Text("Prose."),)),)))


def test_missing_fonts_are_an_error_with_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package there is no PDF in Chinese, and the message says what to install; English needs nothing."""
    monkeypatch.setattr("derive.report.pdf.chinese_fonts", lambda: None)
    with pytest.raises(ProblemError, match=r"needs fonts that are not installed.*pip install pylopdf-fonts-zh-cn"):
        pdf(Document("d", "网络", "zh", ()))
    assert pdf(Document("d", "A network", "en", ()))


def test_a_character_that_the_fonts_lack_is_refused() -> None:
    """Never an empty box: a rare character is named."""
    lacking = next(chr(code) for code in range(0x9FFF, 0x9000, -1) if fonts.undrawn({chr(code)}))
    with pytest.raises(Unsupported, match=f"none yet for '{lacking}'"):
        pdf(Document("d", f"网{lacking}", "zh", ()))
    assert fonts.undrawn(set("网络的导数，。：；（）、“”")) is None

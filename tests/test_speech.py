"""Formulas read out: exact words in two languages, nothing left unsaid, no two formulas that sound alike."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, TypeVar

import numpy as np
import pytest

from derive import api
from derive.chapters import chapter_names
from derive.chapters.chapter import work_out
from derive.problem import built_in
from derive.report import latex_tree
from derive.report.catalogue import catalogue, languages
from derive.report.compose import compose
from derive.report.document import Chain, Display, Document, Figure, Items, Link, Math, Table
from derive.report.latex_reader import parse
from derive.report.scene import Bare
from derive.report.speech import spoken, spoken_display
from derive.report.speech.phrases import Phrases
from derive.report.speech.rows import Reader
from documents import HOSTILE, REALISTIC, WIDE, chain
from formulas import FORMULAS
from spoken_forms import SAME, form

T = TypeVar("T")
SOME = ("case1", "case2", "convolution", "adam", "layer-norm", "hessian", "module", "backprop", "activations")


@cache
def document(name: str, language: str) -> Document:
    """A built-in problem or chapter, composed."""
    if name in chapter_names():
        return work_out(name, language=language).document()
    return compose(solved(name).core, language=language)


@cache
def solved(name: str) -> api.Solution:
    """A built-in problem, solved once."""
    return api.solve(name)


SPOKEN = [
    ("x", "x", "x"),
    ("W_2", "cap W 2", "大写 W2"),
    ("x_{ij}", "x sub i j", "x 下标 i j"),
    ("z_{h1}", "z sub h 1", "z 下标 h 1"),
    ("x_{i+1}", "x sub i plus 1 end sub", "x 下标 i 加 1 下标结束"),
    ("w_{q,11}", "w sub q, 11 end sub", "w 下标 q，11 下标结束"),
    ("u^{(1)}_2", "u super 1 sub 2", "u 上标 1 下标 2"),
    (r"\hat{y}", "y hat", "y 帽"),
    (r"h^{\top}", "h transposed", "h 的转置"),
    ("A^{-1}", "cap A inverse", "大写 A 的逆"),
    (r"A^{-\top}", "cap A inverse transposed", "大写 A 的逆的转置"),
    ("x_i^2", "x sub i squared", "x 下标 i 的平方"),
    (r"h^{\odot 2}", "h squared entry by entry", "逐元素 h 的平方"),
    ("e^{-z}", "e to the power of minus z", "e 的负 z 次方"),
    ("e^{x+1}", "e to the power of x plus 1 end power", "e 的幂，指数 x 加 1，幂结束"),
    (r"8.63 \times 10^{-8}", "8.63 times 10 to the power of minus 8", "8.63 乘 10 的负 8 次方"),
    (r"3 \times 2", "3 by 2", "3 乘以 2"),
    ("-0.25", "minus 0.25", "负 0.25"),
    ("a - b", "a minus b", "a 减 b"),
    ("0{,}25", "0,25", "0,25"),
    (r"12\,345", "12 345", "12 345"),
    (r"\frac{1}{2}", "one half", "二分之一"),
    (r"\frac{a}{b}", "a over b", "b 分之 a"),
    (r"\frac{1}{2 N}", "fraction 1 all over 2 times cap N end fraction", "分式，分母 2 乘大写 N，分子 1，分式结束"),
    (r"\sqrt{2}", "square root of 2", "根号 2"),
    (r"\sqrt{v + 1}", "square root of v plus 1 end root", "根号 v 加 1 根号结束"),
    (r"\frac{\partial E}{\partial W_2}", "partial derivative of cap E by cap W 2", "大写 E 对大写 W2 的偏导数"),
    (r"\partial E / \partial W_2", "partial derivative of cap E by cap W 2", "大写 E 对大写 W2 的偏导数"),
    (r"\frac{\partial^{2} f}{\partial x^{2}}", "second partial derivative of f by x", "f 对 x 的二阶偏导数"),
    (
        r"\frac{\partial^{2} f}{\partial x \, \partial y}",
        "second partial derivative of f by x and y",
        "f 对 x 和 y 的二阶偏导数",
    ),
    (r"\frac{\partial^{+} y}{\partial x}", "direct partial derivative of y by x", "y 对 x 的直接偏导数"),
    (r"\sum_{i=1}^{N} x_i", "sum over i from 1 to cap N of x sub i", "对 i 从 1 到大写 N 求和：x 下标 i"),
    (r"\sum_{i,j} x_{ij}", "sum over i, j of x sub i j", "对 i，j 求和：x 下标 i j"),
    (r"\max_{i} x_i", "maximum over i of x sub i", "对 i 取最大值 x 下标 i"),
    (r"\sigma(z_1)", "sigma of z 1", "σ 括号 z1"),
    (r"\operatorname{ReLU}'(z)", "ReLU prime of z", "ReLU 撇括号 z"),
    (
        r"\log(1 - p)",
        "log of open parenthesis 1 minus p close parenthesis",
        "对数左括号 1 减 p 右括号",
    ),
    (
        "h_1 (1 - h_1)",
        "h 1 times open parenthesis 1 minus h 1 close parenthesis",
        "h1 乘左括号 1 减 h1 右括号",
    ),
    ("f(x)", "f open parenthesis x close parenthesis", "f 左括号 x 右括号"),
    (r"a \odot b", "a times entry by entry b", "a 逐元素乘 b"),
    (r"\mathbf{1}^{\top} G", "vector of ones transposed times cap G", "全 1 向量的转置乘大写 G"),
    (
        r"\mathbf{1}[y \ge z]",
        "indicator of open bracket y is greater than or equal to z close bracket",
        "示性函数左方括号 y 大于或等于 z 右方括号",
    ),
    (r"x \in \mathbb{R}", "x in the real numbers", "x 属于实数集"),
    (r"\left|x\right|", "absolute value of x end absolute value", "绝对值 x 绝对值结束"),
    (
        r"\begin{pmatrix} a & b \\ c & -1 \end{pmatrix}",
        "matrix of 2 rows and 2 columns: row 1: a, b; row 2: c, minus 1; end matrix",
        "2 行 2 列矩阵，第 1 行：a，b；第 2 行：c，负 1；矩阵结束",
    ),
    (
        r"\left(\begin{array}{rr} a & b \\ c & d \end{array}\right)",
        "matrix of 2 rows and 2 columns: row 1: a, b; row 2: c, d; end matrix",
        "2 行 2 列矩阵，第 1 行：a，b；第 2 行：c，d；矩阵结束",
    ),
    (
        r"\begin{pmatrix} a \\ b \end{pmatrix}",
        "column of length 2: a, b; end column",
        "2 维列向量：a，b；列向量结束",
    ),
    (
        r"\begin{cases} z, & z > 0 \\ 0, & z \le 0 \end{cases}",
        "2 cases: z if z is greater than 0; 0 if z is less than or equal to 0; end cases",
        "分 2 种情形：z 大于 0 时为 z；z 小于或等于 0 时为 0；分情形结束",
    ),
    (
        r"w_1 \leftarrow w_1 - \alpha \frac{\partial E}{\partial w_1} \approx 0.1",
        "w 1 becomes w 1 minus alpha times partial derivative of cap E by w 1, approximately equals 0.1",
        "w1 更新为 w1 减 α 乘大写 E 对 w1 的偏导数，约等于 0.1",
    ),
    (
        r"\frac{\partial E}{\partial W_2} = h^{\top} \frac{\partial E}{\partial z_o}",
        "partial derivative of cap E by cap W 2 equals h transposed times partial derivative of cap E by z sub o",
        "大写 E 对大写 W2 的偏导数等于 h 的转置乘大写 E 对 z 下标 o 的偏导数",
    ),
]


@pytest.mark.parametrize(("latex", "english", "chinese"), SPOKEN, ids=[latex for latex, _, _ in SPOKEN])
def test_formulas_in_words(latex: str, english: str, chinese: str) -> None:
    """What is read out in both languages, each in its own word order."""
    assert spoken(latex, "en") == english
    assert spoken(latex, "zh") == chinese


CLOSE = [
    ("W", "w"),
    (r"\Gamma", r"\gamma"),
    (r"\varepsilon", r"\epsilon"),
    ("x_{i+1}", "x_i+1"),
    ("z_{h1}", "z_h 1"),
    ("z_{h1}", "z_{h_1}"),
    ("x_{11}", "x_1 1"),
    ("e^{x+1}", "e^x+1"),
    ("e^{x_1}", "e^x_1"),
    ("u^{(1)}", "u^1"),
    ("u^{(1)}", "u(1)"),
    (r"\frac{1}{2N}", r"\frac{1}{2} N"),
    (r"\frac{a}{b+c}", r"\frac{a}{b}+c"),
    (r"\frac{\frac{a}{b}}{c}", r"\frac{a}{\frac{b}{c}}"),
    (r"\sqrt{x+1}", r"\sqrt{x}+1"),
    (r"\sigma(0)", r"\sigma_0"),
    (r"\log(x y)", r"\log(x) y"),
    (r"\log x", r"\log(x)"),
    (r"h(1-h)", r"h_{1-h}"),
    ("a(b+c)", "ab+c"),
    ("(x)^2", "(x^2)"),
    (r"\frac{\partial E}{\partial W^{\top}}", r"\left(\frac{\partial E}{\partial W}\right)^{\top}"),
    (r"\frac{\partial E}{\partial x} y", r"\frac{\partial E}{\partial xy}"),
    (r"\frac{\partial E}{\partial x}", r"\frac{\partial^{+} E}{\partial x}"),
    (r"\frac{\partial^{2} E}{\partial x^{2}}", r"\frac{\partial E}{\partial x}"),
    (r"\hat{x} y", r"\hat{xy}"),
    (r"\begin{pmatrix} a & b \\ c & d \end{pmatrix}", r"\begin{pmatrix} a & b & c & d \end{pmatrix}"),
    (r"\begin{pmatrix} a & b \end{pmatrix}", r"\begin{pmatrix} a \\ b \end{pmatrix}"),
    (r"\begin{pmatrix} a & b \end{pmatrix} c", r"\begin{pmatrix} a & bc \end{pmatrix}"),
    ("A B", r"A \odot B"),
    ("a - b", "a (-b)"),
    (r"\sum_{i} x y", r"\sum_{iy} x"),
    ("0.25", "25"),
    ("f'", "f"),
]


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize(("one", "other"), CLOSE, ids=[" | ".join(pair) for pair in CLOSE])
def test_what_the_eye_tells_apart_the_ear_does(language: str, one: str, other: str) -> None:
    """Close neighbours in print are different in words."""
    assert spoken(one, language) != spoken(other, language)


def _formulas(of: Document) -> Iterator[str]:
    """Every formula of a document, those of its figures among them."""
    for block in of.blocks:
        lines = [getattr(block, "spans", ()), getattr(block, "caption", ())]
        if isinstance(block, Items):
            lines += block.items
        if isinstance(block, Table):
            lines += [cell for row in (block.head, *block.rows) for cell in row]
        yield from (span.latex for line in lines for span in line if isinstance(span, Math))
        if isinstance(block, Display):
            yield from (" ".join([c.left, *(t for k in c.links for t in (k.relation, *k.terms))]) for c in block.chains)
        if isinstance(block, Figure):
            yield from (mark.latex for mark in block.scene.marks if not isinstance(mark, Bare) and mark.latex)


def _of(names: tuple[str, ...], language: str) -> list[str]:
    return [formula for name in names for formula in _formulas(document(name, language))]


def _check(formulas: list[str], language: str) -> None:
    """No LaTeX is left in the words, and what differs to the ear is what differs on paper."""
    heard: dict[str, tuple[str, object]] = {}
    for latex in formulas:
        words = spoken(latex, language)
        assert not re.search(r"[\\{}^_&$~]", words), (latex, words)
        assert words == words.strip()
        assert "  " not in words
        said = form(parse(latex))
        first = heard.setdefault(words, (latex, said))
        assert first[1] == said, (first[0], latex, words)


@pytest.mark.parametrize("language", languages())
def test_a_formula_is_all_words_and_no_other_sounds_the_same(language: str) -> None:
    """The formulas of the tests and of some documents: no command, brace or script is left, no two are alike."""
    own = [formula for sample in (REALISTIC, WIDE, HOSTILE) for formula in _formulas(sample)]
    _check([*FORMULAS, *own, *_of(SOME, language)], language)


@pytest.mark.slow
@pytest.mark.parametrize("language", languages())
def test_every_report_and_chapter_is_all_words(language: str) -> None:
    """The same for every built-in problem and chapter."""
    _check(_of((*built_in(), *chapter_names()), language), language)


@pytest.mark.parametrize("language", languages())
def test_made_up_formulas_do_not_sound_alike(language: str) -> None:
    """Formulas put together at random from what stands in reports, thousands of them, all different in words."""
    dice = np.random.default_rng(7)
    _check([_made_up(dice, int(dice.integers(1, 3))) for _ in range(4000)], language)


_LEAVES = ("x", "x", "1", "x_1", r"\sigma")  # few, so that what differs is how they are put together
_BUILT = (
    r"\frac{@}{@}", r"\frac{\partial #}{\partial #}", "x^{@}", "W_{@}", "(@)", "(@)^2", r"\sqrt{@}", r"\sum_{i} #",
    r"\sum_{j=1}^{N} #", r"\sigma(@)", r"\tanh'(@)", r"\begin{pmatrix} @ & @ \end{pmatrix}", r"\hat{#}", r"\log #",
    r"\begin{pmatrix} @ & @ \\ @ & @ \end{pmatrix}", r"W_1^{\top}", r"\left(@\right)^{\top}", r"\left|@\right|",
)  # fmt: skip
_BETWEEN = (" ", " + ", " - ", r" \odot ", r" \cdot ", ", ", " = ")


def _made_up(dice: np.random.Generator, depth: int) -> str:
    """A few pieces side by side; ``@`` in a piece is a formula again, ``#`` a single piece."""

    def one_of(choices: tuple[T, ...]) -> T:
        return choices[int(dice.integers(len(choices)))]

    def piece(depth: int) -> str:
        shape = one_of(_LEAVES if depth == 0 or dice.random() < 0.3 else _BUILT)
        return re.sub("[@#]", lambda m: _made_up(dice, depth - 1) if m[0] == "@" else piece(depth - 1), shape)

    made = one_of(("", "", "", "-")) + piece(depth)
    for _ in range(one_of((0, 0, 1, 2))):
        made += one_of(_BETWEEN) + piece(depth)
    return made


NAMED = re.compile(r"\\(?:operatorname\*?|mathrm|text)\{([^}]*)\}")


def test_chinese_has_no_english() -> None:
    """Beside single letters and the names that the formula itself prints, no word in Latin letters is left."""
    for latex in [*FORMULAS, *_of(SOME, "zh")]:
        names = set(re.findall("[A-Za-z]+", " ".join(NAMED.findall(latex)).replace("\\_", " ")))
        assert set(re.findall("[A-Za-z]{2,}", spoken(latex, "zh"))) <= names, latex


@pytest.mark.parametrize("language", languages())
def test_every_command_has_its_words(language: str) -> None:
    """All signs of the subset can be read out, each in its own words unless it is another's spelling."""
    vocabulary = latex_tree.ORDINARY | latex_tree.BINARY | latex_tree.RELATIONS | latex_tree.NAMED_OPERATORS
    signs = [f"\\{name}" for name in sorted(vocabulary)]
    signs += sorted(latex_tree.CHARACTERS) + [name for name in latex_tree.DELIMITERS if name[0] == "\\"]
    heard: dict[str, str] = {}
    for sign in signs:
        words = spoken(sign, language) if sign != "'" else spoken("x'", language)
        assert words
        first = heard.setdefault(words, sign)
        same = {SAME.get(first, first), SAME.get(sign, sign)}
        assert len(same) == 1 or same <= {"/", r"\slash"}, (first, sign, words)
    for accent in latex_tree.ACCENTS:
        assert spoken(rf"\{accent}{{x}}", language) != spoken("x", language)
    for style in latex_tree.STYLES - {"mathrm"}:
        assert spoken(rf"\{style}{{x}}", language) != spoken("x", language)


V = TypeVar("V")


class _Heard(dict[str, V]):
    """A dictionary that knows what it was asked for."""

    def __init__(self, of: dict[str, V], asked: set[str]) -> None:
        super().__init__(of)
        self.asked = asked

    def __getitem__(self, key: str) -> V:
        self.asked.add(key)
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        self.asked.add(key)
        return super().get(key, default)


RARE = (
    r"\sqrt[3]{x} \sqrt{a+b} \left\|x\right\| \begin{Vmatrix} a \end{Vmatrix} \underline{x} \ddot{x} \overbrace{x}^{y}",
    r"\mathbf{x} \boldsymbol{x} \mathcal{L} \mathbb{N} \mathit{x} \mathsf{x} \mathtt{x} \mathrm{d} \prod_{i} x \prod",
    r"\frac{1}{3} \frac{1}{4} x^3 x^{+} \partial^{+} \hat{a+b} \operatorname{vec} \operatorname{erf} \operatorname{sqrt}",
    r"\begin{cases} x \\ y & z \\ 0 & \text{else} \end{cases} \begin{vmatrix} a \end{vmatrix} \sum + {}^2 x",
)


def test_every_phrase_is_used() -> None:
    """A phrase of the table that no formula asks for is to be taken out."""
    phrases = Phrases(catalogue("en"))
    asked = {"capital", "variant", "greek"}
    phrases._phrases = _Heard(phrases._phrases, asked)
    phrases.fill = _Heard(phrases.fill, asked)
    reader = Reader(phrases)
    vocabulary = latex_tree.ORDINARY | latex_tree.BINARY | latex_tree.RELATIONS | latex_tree.NAMED_OPERATORS
    for latex in (*FORMULAS, *RARE, *(f"\\{name}" for name in vocabulary), *(latex for latex, _, _ in SPOKEN)):
        reader.sentence(parse(latex))
    characters = {key for key in phrases._phrases if key in _characters()}
    assert sorted(set(phrases._phrases) - asked - characters) == []


def _characters() -> set[str]:
    """The phrases of single characters, which the table of signs holds from the start."""
    from derive.report.speech.phrases import CHARACTERS

    return set(CHARACTERS.values())


def test_a_display_is_read_chain_by_chain() -> None:
    """All links of a chain in one breath, with a pause before each relation, wherever its rows break on the page."""
    display = Display((chain("z", ("=", "w_1 x_1", "+ b"), (r"\approx", "4.3")), chain("", ("=", "2"))))
    assert spoken_display(display, "en") == "z equals w 1 times x 1 plus b, approximately equals 4.3; equals 2"
    assert spoken_display(display, "zh") == "z 等于 w1 乘 x1 加 b，约等于 4.3；等于 2"
    whole = Display((Chain("z", (Link("=", ("a + b",)),)),))
    cut = Display((Chain("z", (Link("=", ("a", "+ b")),)),))
    assert spoken_display(whole, "en") == spoken_display(cut, "en")

"""Documents made by hand for the tests of rendering: one like case 1, a wide one, and one with hostile prose."""

from __future__ import annotations

from derive.report.document import (
    Chain,
    Code,
    Display,
    Document,
    Figure,
    Heading,
    Items,
    Link,
    Math,
    Note,
    Paragraph,
    Strong,
    Table,
    Text,
)
from derive.report.scene import Circle, Label, Line, Scene
from formulas import LONG_SUM, WIDE_MATRIX


def chain(left: str, *links: tuple[str, ...]) -> Chain:
    """``chain("a", ("=", "b"), ("=", "c", "+ d"))``"""
    return Chain(left, tuple(Link(relation, terms) for relation, *terms_ in links for terms in (tuple(terms_),)))


def pmatrix(*rows: str) -> str:
    """``pmatrix("a b", "c d")``"""
    return r"\begin{pmatrix} " + r" \\ ".join(" & ".join(row.split()) for row in rows) + r" \end{pmatrix}"


def d(above: str, below: str) -> str:
    """A partial derivative."""
    return rf"\frac{{\partial {above}}}{{\partial {below}}}"


SCENE = Scene(
    8.0,
    4.0,
    (
        Line(1.4, 3.0, 5.6, 3.0, "edge"),
        Line(1.4, 1.0, 5.6, 3.0, "edge"),
        Line(1.4, 3.0, 5.6, 1.0, "edge"),
        Line(1.4, 1.0, 5.6, 1.0, "edge"),
        Line(3.0, 0.3, 5.7, 0.8, "bias-edge", dashed=True),
        Label(3.0, 3.0, "w_1 = 0.1", 1.4, 0.35, 0.0, "edge", True),
        Circle(1.0, 3.0, 0.4, "x_1", "input"),
        Circle(1.0, 1.0, 0.4, "x_2", "input"),
        Circle(6.0, 3.0, 0.4, "h_1", "hidden"),
        Circle(6.0, 1.0, 0.4, "h_2", "hidden"),
    ),
)

_W1 = pmatrix("w_1 w_2", "w_3 w_4", "w_5 w_6")
_W1_NUMBERS = pmatrix("0.1 0.2", "0.3 0.4", "0.5 0.6")
_X = pmatrix("x_1 x_2 x_3")
_H = "h"

REALISTIC = Document(
    "case1",
    "One gradient-descent step of a 3-2-2 sigmoid network",
    "en",
    (
        Paragraph((
            Text("The network maps "), Math("x"), Text(" to "), Math("o"), Text(" through one hidden layer; the error is "),
            Math(r"E = \tfrac{1}{2}\sum_k (o_k - t_k)^2"), Text(". All gradients have the shape of their variable, numbers are "),
            Text("rounded half up to "), Strong("four decimals"), Text("."),
        )),
        Note((
            Text("Conventions. Data are rows, so a layer is "), Math("z = xW + b"), Text("; "), Math("b_1"),
            Text(" is one scalar shared by the whole layer. The file says "), Code('b1 = 0.5'), Text("."),
        )),
        Heading(1, (Text("The network"),), "network"),
        Figure(
            SCENE,
            (Text("Two inputs, two hidden units; "), Math("w_1"), Text(" stands on its edge."),),
            "A network with two inputs and two hidden units.",
        ),
        Table(
            ((Text("Symbol"),), (Text("Meaning"),), (Text("Shape"),), (Text("Value"),)),
            (
                ((Math("x"),), (Text("input, a row"),), (Math(r"1\times 3"),), (Math("1"),)),
                ((Math("W_1"),), (Text("weights of the hidden layer"),), (Math(r"3\times 2"),), (Math("-0.25"),)),
                ((Math(r"\lVert x\rVert"),), (Text("norm of the input | a bar"),), (Math(r"|x|"),), (Math("12.5"),)),
            ),
            "llcr",
            (Text("Symbols of the report."),),
        ),
        Heading(1, (Text("Step 1. Forward pass"),)),
        Paragraph((Text("The hidden layer, before activation:"),)),
        Display((
            chain("z_h", ("=", "x W_1", r"+ b_1"), ("=", _X + " " + _W1, "+ b_1"),
                  ("=", r"\begin{pmatrix} w_1x_1+w_3x_2+w_5x_3+b_1 & w_2x_1+w_4x_2+w_6x_3+b_1 \end{pmatrix}"),
                  ("=", pmatrix("1 4 5") + " " + _W1_NUMBERS, "+ 0.5"), ("=", pmatrix("4.3 5.3"))),
        )),
        Paragraph((Text("and after it:"),)),
        Display((
            chain(_H, ("=", r"\sigma(z_h)"), ("=", r"\begin{pmatrix} \dfrac{1}{1+e^{-z_{h1}}} & \dfrac{1}{1+e^{-z_{h2}}} \end{pmatrix}"),
                  (r"\approx", pmatrix("0.9866 0.9950"))),
        )),
        Display((
            chain("z_{h1}", ("=", "w_1x_1", "+ w_3x_2", "+ w_5x_3", "+ b_1"), ("=", r"0.1\cdot 1", r"+ 0.3\cdot 4", r"+ 0.5\cdot 5", "+ 0.5", ), ("=", "4.3")),
            chain("z_{h2}", ("=", "w_2x_1", "+ w_4x_2", "+ w_6x_3", "+ b_1"), ("=", "5.3")),
        )),
        Paragraph((Text("The error is"),)),
        Display((chain("E", ("=", r"\tfrac{1}{2}\bigl((o_1-t_1)^2+(o_2-t_2)^2\bigr)"), (r"\approx", "0.5932")),), boxed=True),
        Heading(1, (Text("Step 2. Backward pass"),)),
        Heading(2, (Text("Output layer, "), Math(d("E", "W_2")))),
        Paragraph((Text("The chain rule along the one path from "), Math("w_7"), Text(" to the error:"),)),
        Display((
            chain(d("E", "w_7"), ("=", r"\cdot".join((d("E", "o_1"), d("o_1", "z_{o1}"), d("z_{o1}", "w_7")))),
                  ("=", r"(o_1-t_1)\cdot o_1(1-o_1)\cdot h_1"), (r"\approx", r"0.7896\cdot 0.0983\cdot 0.9866"), (r"\approx", "0.0765")),
        )),
        Display((
            chain(d("E", "W_2"), ("=", rf"h^{{\top}}\,{d('E', 'z_o')}"),
                  ("=", r"\begin{pmatrix} \dfrac{\partial E}{\partial w_7} & \dfrac{\partial E}{\partial w_8} \\ \dfrac{\partial E}{\partial w_9} & \dfrac{\partial E}{\partial w_{10}} \end{pmatrix}"),
                  (r"\approx", pmatrix("0.0765 0.1193", "0.0772 0.1203"))),
        )),
        Heading(2, (Text("Shared bias"),)),
        Display((
            chain(d("E", "b_1"),
                  ("=", rf"{d('E','o_1')}{d('o_1','z_{o1}')}{d('z_{o1}','h_1')}{d('h_1','b_1')}",
                   rf"+ {d('E','o_1')}{d('o_1','z_{o1}')}{d('z_{o1}','h_2')}{d('h_2','b_1')}",
                   rf"+ {d('E','o_2')}{d('o_2','z_{o2}')}{d('z_{o2}','h_1')}{d('h_1','b_1')}",
                   rf"+ {d('E','o_2')}{d('o_2','z_{o2}')}{d('z_{o2}','h_2')}{d('h_2','b_1')}"),
                  (r"\approx", "0.0024")),
        )),
        Display((
            chain(r"\operatorname{ReLU}'(z)", ("=", r"\begin{cases} \dfrac{1}{1}, & z>0 \\ \dfrac{0}{1}, & z\le 0 \end{cases}")),
        )),
        Heading(1, (Text("Step 3. Update"),)),
        Items(((Text("all parameters move together, from gradients at the old values;"),), (Math(r"\alpha = 0.01"), Text(" is the learning rate."))), True),
        Items(((Text("one"),), (Text("two"),))),
        Display((chain("w_1", (":=", r"w_1", rf"- \alpha {d('E', 'w_1')}"), ("=", "0.1", r"- 0.01\cdot 0.0006"), (r"\approx", "0.1000")),)),
        Table(
            ((Text("Check"),), (Text("Of"),), (Text("Passed"),), (Text("Bound"),)),
            tuple(
                ((Text("rule against finite differences and complex steps" if k % 2 else "entries proved equal"),), (Math(f"w_{{{k}}}"),), (Text("yes"),), (Math(r"3\cdot 10^{-11}"),))
                for k in range(1, 25)
            ),
            "llcl",
        ),
    ),
)  # fmt: skip

WIDE = Document(
    "wide",
    "Wide formulas",
    "en",
    (
        Heading(1, (Text("A wide matrix"),)),
        Display((chain("W", ("=", WIDE_MATRIX)),)),
        Heading(1, (Text("A long sum"),)),
        Display((chain("z", ("=", *LONG_SUM), (r"\approx", "4.3")),)),
        Display((chain(r"z_{1}", ("=", *LONG_SUM[:13])), chain(r"\frac{\partial E}{\partial z_{12}}", ("=", *LONG_SUM[:9])))),
        Display((chain("z", ("=", *LONG_SUM[:25])),), boxed=True),
        Heading(1, (Text("A wide left-hand side"),)),
        Display((chain(" ".join(LONG_SUM[:12]), ("=", *LONG_SUM[3:30]), (r"\Rightarrow", "x")),)),
        Display((chain("", (r"\Rightarrow", *LONG_SUM[3:30])),)),
        Display((chain("x", ("=", "-1"), ("=", "- 2", "+ 3")),)),
        Table(
            ((Text("Name"),), (Text("What it says, at length"),), (Text("And a remark"),)),
            (
                ((Math("x"),), (Text("a sentence that goes on and on until it is much wider than any line of the page could hold"),),
                 (Text("another sentence, about half as long, but long enough"),)),
                ((Code("some.long_name.of_a/path"),), (Text("short"),), (Math(r"x\in\mathbb{R}^{3\times 2}"),)),
            ),
            "lll",
        ),
        Display(tuple(chain(f"z_{{{k}}}", ("=", pmatrix("a b", "c d", "e f")), ("=", "1")) for k in range(1, 9))),
        Heading(2, (Text("After it"),)),
        Paragraph((Text("The end. " * 40),)),
    ),
)  # fmt: skip

HOSTILE_STRINGS = (
    r"\input{/etc/passwd} \write18{ls} $x^2$ 100% & # _ ^ ~ {a} \\",
    '#read("/etc/passwd") #{1+1} $x$ `raw` // comment /* x */ *bold* _it_ @ref <label> = head - item',
    "<script>alert(1)</script> [link](http://x.y) ![image](a.svg) **b** | pipe & amp; &lt; ~~gone~~ $a$ $5",
    '"); #panic() ("',
    "---  -- ``quotes'' ''' ,, !` ?` << >> % # { } \\end{document}",
    "[1] starts with a bracket",
    "* starts with a star",
    "+ plus, - minus, 1. one, # head, > quote, = rule",
    "1. looks like a list",
    "tab\tnew\nline\r\nnull\x00 bell\x07 rtl\u202e",
)
HOSTILE = Document(
    "hostile",
    HOSTILE_STRINGS[0] + HOSTILE_STRINGS[1],
    "en",
    (
        *(Heading(1 + k % 3, (Text(text),)) for k, text in enumerate(HOSTILE_STRINGS)),
        *(Paragraph((Text(text), Strong(text), Code(text), Math("x"), Text(text))) for text in HOSTILE_STRINGS),
        *(Note((Text(text),)) for text in HOSTILE_STRINGS),
        Items(tuple((Text(text),) for text in HOSTILE_STRINGS)),
        Table(
            ((Text("a"),), (Text("b"),)),
            tuple(((Text(text),), (Code(text),)) for text in HOSTILE_STRINGS),
            "lr",
            (Text(HOSTILE_STRINGS[0]),),
        ),
        Figure(SCENE, (Text(HOSTILE_STRINGS[1]),), HOSTILE_STRINGS[2]),
    ),
)

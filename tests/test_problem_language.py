from __future__ import annotations

import pytest
from flint import fmpq

from derive.errors import ProblemError, Unsupported
from derive.problem.functions import ELSEWHERE, FUNCTIONS
from derive.problem.language import read_equations, read_formula, walk
from derive.problem.syntax import Binary, Call, Compare, Index, Name, Negate, Node, Number, Transpose


def _only(text: str) -> Node:
    """The tree of a single equation ``y = text``."""
    (statement,) = read_equations(f"y = {text}")
    return statement.expression


def _number(text: str) -> Number:
    return Number(fmpq(*map(int, text.split("/"))))


def _error(text: str) -> ProblemError:
    with pytest.raises(ProblemError) as caught:
        read_equations(text)
    assert caught.value.line is not None
    return caught.value


def test_precedence_is_pythons() -> None:
    """`-a**2 + b @ c.T / 2` groups as in NumPy."""
    assert _only("-a**2 + b @ c.T / 2") == Binary(
        "+",
        Negate(Binary("**", Name("a"), _number("2"))),
        Binary("/", Binary("@", Name("b"), Transpose(Name("c"))), _number("2")),
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.1", fmpq(1, 10)),
        ("0.1000000000000000055511151231257827", fmpq(1000000000000000055511151231257827, 10**34)),
        ("1e-3", fmpq(1, 1000)),
        ("1_000.5", fmpq(2001, 2)),
        (".5", fmpq(1, 2)),
        ("5.", fmpq(5)),
        ("12345678901234567890123", fmpq(12345678901234567890123)),
    ],
)
def test_numbers_come_from_the_text(text: str, value: fmpq) -> None:
    """A decimal is the fraction that is written, not the float next to it."""
    assert _only(text) == Number(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2", "2"),
        ("-1", "-1"),
        ("(1/2)", "1/2"),
        ("(-1/2)", "-1/2"),
        ("-(3/2)", "-3/2"),
        ("0.5", "1/2"),
        ("1000", "1000"),
    ],
)
def test_exponents_are_folded(text: str, value: str) -> None:
    """The right side of ** is one number, whatever quotient of numbers it was written as."""
    assert _only(f"x**{text}") == Binary("**", Name("x"), _number(value))


@pytest.mark.parametrize(
    "text", ["9**9**9", "n", "(2*3)", "1001", "(1/1001)", "-1001", "sum(x)", "(1/0)", "x**2", "True", "1e300", "2.0j"]
)
def test_other_exponents_are_refused(text: str) -> None:
    """`x ** 9 ** 9 ** 9` and every exponent that is no bounded constant is an error on its line."""
    assert _error(f"x = 1\ny = x**{text}").line == 2


def test_calls_have_their_defaults_filled_in() -> None:
    """A reader of a call never needs the signature: options stand in its order, whether written or not."""
    assert _only("leaky_relu(z)") == Call("leaky_relu", (Name("z"),), (("slope", fmpq(1, 100)),))
    assert _only("leaky_relu(z, 0.2)") == _only("leaky_relu(z, slope=1/5)")
    assert _only("sum(z)") == Call("sum", (Name("z"),), (("axis", None),))
    assert _only("mean(z, axis=0)") == Call("mean", (Name("z"),), (("axis", 0),))
    assert _only("softmax(z)") == _only("softmax(z, axis=-1)")
    assert _only('cross_entropy(z, y, reduction="sum")') == Call(
        "cross_entropy", (Name("z"), Name("y")), (("axis", -1), ("reduction", "sum"))
    )
    assert _only("maximum(a, 0)") == Call("maximum", (Name("a"), _number("0")))


def test_every_row_of_the_table_is_readable_or_says_that_it_is_not_built() -> None:
    """Each known function parses with its number of operands, or is refused as not built yet, by name and line."""
    for name, row in FUNCTIONS.items():
        assert row.signature.startswith(f"{name}(")
        operands = 2 if row.operands is None else row.operands
        needed = [f"{option.key}=2" for option in row.options if option.kind == "size" and option.default is None]
        text = f"\ny = {name}({', '.join(['a'] * operands + ['2', '3'] * row.sizes + needed)})"
        if row.built:
            (statement,) = read_equations(text)
            assert isinstance(statement.expression, Call)
            keys = [option.key for option in row.options] + ["size1", "size2"] * row.sizes
            assert [key for key, _ in statement.expression.options] == keys
        else:
            found = _error(text)
            assert isinstance(found, Unsupported)
            assert name in found.message
            assert found.line == 2
    assert not set(ELSEWHERE) & set(FUNCTIONS)


def test_indices_and_slices() -> None:
    """Indices are whole numbers and slices of them."""
    assert _only("W[0, -1]") == Index(Name("W"), (0, -1))
    assert _only("W[1:, ::2]") == Index(Name("W"), ((1, None, None), (None, None, 2)))
    assert _only("W[0]") == Index(Name("W"), (0,))


def test_a_comparison_is_a_node() -> None:
    """A single comparison is read; what it means is for the rooms above."""
    assert _only("(a > 0) * b") == Binary("*", Compare(">", Name("a"), _number("0")), Name("b"))


def test_lines_comments_and_sources() -> None:
    """A statement keeps its line, its comment and its text; brackets may go over several lines."""
    text = "# a heading\n\na = x   # first\nb = (a +  # left\n     c)   # right\n\nd = b"
    a, b, d = read_equations(text, range(11, 30))
    assert (a.name, a.source, a.line, a.comment) == ("a", "a = x", 13, "first")
    assert (b.name, b.source, b.line, b.comment) == ("b", "b = (a + c)", 14, "left right")
    assert [node.line for node in walk(b.expression) if isinstance(node, Name)] == [14, 15]
    assert (d.line, d.comment) == (17, "")


def test_indented_equations_are_equations() -> None:
    """Indentation in a TOML text has no meaning."""
    assert [statement.name for statement in read_equations("  a = 1\n\tb = a\n")] == ["a", "b"]


@pytest.mark.parametrize(
    ("equation", "message", "hint"),
    [
        ("y = x.sum()", ".sum", "write sum(…)"),
        ("y = x.t", ".t", ".T"),
        ("y = np.exp(x)", ".exp", "without np."),
        ("y = np.dot(x, W)", ".dot", "a @ b"),
        ("y = lambda * x", "word of Python", "lam = '\\lambda'"),
        ("lambda = x", "word of Python", "call it lam"),
        ("y = x.__class__", "__class__", None),
        ("y = lambda z: z", "lambda", None),
        ("y = [a for a in x]", "comprehension", None),
        ("y = sum(a for a in x)", "comprehension", None),
        ("import os", "import", None),
        ("from os import path", "import", None),
        ("y = __import__('os')", "__import__", None),
        ("y = (z := 3)", "walrus", None),
        ("y = f'{x}'", "f-string", None),
        ("y = 'text'", "text", None),
        ("y = b'text'", "text", None),
        ("y = exp(*x)", "* or **", None),
        ("y = exp(**x)", "* or **", None),
        ("y = 0 < x < 1", "chained", "(0 < a) * (a < 1)"),
        ("y = x in z", "not in", None),
        ("y += 1", "+=", None),
        ("a, b = x", "several names", None),
        ("a = b = x", "several names", None),
        ("a: float = x", "annotation", None),
        ("a.T = x", "no name", None),
        ("y = (f)(x)(z)", "by its name", None),
        ("y = f(x)(z)", "by its name", None),
        ("y = x if a else b", "if", None),
        ("y = a and b", "and", None),
        ("y = not a", "not", None),
        ("y = ~a", "~", None),
        ("y = +a", "does nothing", "leave it out"),
        ("y = x^2", "^", "**"),
        ("y = x % 2", "%", None),
        ("y = x // 2", "//", None),
        ("y = [1, 2]", "list", "[given]"),
        ("y = (1, 2)", "list", "[given]"),
        ("y = {1: 2}", "dictionary", None),
        ("y = True", "True", None),
        ("y = None", "None", None),
        ("y = ...", "Ellipsis", None),
        ("y = 2x", "runs into", "2 * x"),
        ("y = 0x10", "runs into", None),
        ("y = 1j", "runs into", None),
        ("y = 1e999999", "too large", None),
        ("y = 1e-999999", "too large or too small", None),
        ("y = " + "9" * 5000, "5000 characters", None),
        ("y = σ(x)", "'σ'", "write sigma"),
        ("y = x × z", "×", "write *"),
        ("y = x − z", "−", "write -"),
        ("y = x²", "²", "write **2"),
        ("y = x'", "stray", ".T"),
        ("y = x \\", "\\", "brackets"),
        ("y = sigmod(x)", "sigmod", "nearest: sigmoid"),
        ("y = Sigmoid(x)", "Sigmoid", "nearest: sigmoid"),
        ("y = dot(a, b)", "dot", "a @ b"),
        ("y = ln(a)", "ln", "log"),
        ("y = relu()", "takes one value", "relu(z)"),
        ("y = maximum(a)", "takes 2 values", "maximum(a, b)"),
        ("y = relu(a, b)", "takes one value", None),
        ("y = sum(a, axes=0)", "no option axes", "nearest: axis"),
        ("y = sum(a, keepdims=True)", "keepdims", "always keeps"),
        ("y = sum(a, 0, axis=1)", "axis twice", None),
        ("y = sum(a, axis=0.5)", "axis of sum", None),
        ("y = sum(a, axis=True)", "True", None),
        ("y = sum(a, axis=(0, 1))", "axis of sum", None),
        ("y = softmax(a, axis=None)", "axis of softmax", None),
        ("y = cross_entropy(a, b, reduction='max')", '"mean" or "sum"', None),
        ("y = leaky_relu(a, slope=b)", "slope of leaky_relu", None),
        ("y = x[a]", "whole number", None),
        ("y = x[0.5]", "whole number", None),
        ("y = x[::0]", "step 0", None),
        ("y = x[None]", "None", None),
        ("y = exp", "is a function", "exp(…)"),
        ("exp = x", "is a function", None),
        ("pi = 3", "constant", None),
        ("if = 3", "if is a word", None),
        ("class A: pass", "class is a word", None),
        ("True = 3", "True is a word", None),
        ("_y = x", "starts with a letter", None),
        ("y = _x", "starts with a letter", None),
        ("x", "without a name", "name = expression"),
        ("y == x", "==", None),
        ("y =", "nothing behind =", None),
        ("= x", "cannot be read", None),
        ("y = x +", "cannot be read", None),
        ("y = x x", "cannot be read", None),
        ("y = x; z = x", "two statements", None),
        ("y = (x", "( is never closed", None),
        ("y = x)", ") closes nothing", None),
        ("y = (x]", "] closes nothing", None),
        ("del x", "del is a word", None),
        ("return x", "return is a word", None),
        ("y = x @@ z", "cannot be read", None),
        ("y = $x", "$", None),
        ("a" * 61 + " = 1", "61 characters", None),
        ("y = " + "(" * 1000 + "x" + ")" * 1000, "nested", None),
        ("y = " + "-" * 5000 + "x", "nested", None),
        ("y = " + "x + " * 3000 + "x", "nested", None),
        ("y = x" + ".T" * 3000, "nested", None),
        ("y = " + "exp(" * 150 + "x" + ")" * 150, "nested", None),
        ("y = " + "x, " * 30000, "characters", None),
        ("y = " + "not " * 3000 + "x", "", None),
        ("y = " + "2**" * 3000 + "2", "", None),
        ("y = x\x00", "'\\x00'", None),
        ("y = x\u2028z = x", "'\\u2028'", None),
        ("y = '\\d'", "text", None),
    ],
)
def test_what_is_not_the_language_gets_one_message(equation: str, message: str, hint: str | None) -> None:
    """Python that is not the language, and what is no Python at all, is one `ProblemError` with the right line."""
    found = _error(f"x = 1\n\n{equation}")
    assert found.line == 3
    assert message in found.message
    assert "\n" not in str(found)
    assert len(str(found)) < 300
    if hint:
        assert hint in (found.hint or "")


def test_a_sum_of_many_terms_within_the_bound_is_read() -> None:
    """Ninety terms are no nesting to complain of."""
    assert isinstance(_only(" + ".join(["x"] * 90)), Binary)


def test_own_functions_take_one_argument() -> None:
    """A function of [functions] is called with one value and no option."""
    (statement,) = read_equations("y = phi(x)", own={"phi"})
    assert statement.expression == Call("phi", (Name("x"),))
    for text in ("y = phi(x, x)", "y = phi(x, axis=0)", "y = phi", "phi = x"):
        with pytest.raises(ProblemError):
            read_equations(text, own={"phi"})


def test_a_formula_has_one_variable() -> None:
    """An activation's formula gives its variable and its tree."""
    variable, node = read_formula("z**3 / 3 + sin(pi * z)")
    assert variable == "z"
    assert isinstance(node, Binary)


@pytest.mark.parametrize(
    "text", ["3", "a + b", "z @ z", "sum(z)", "z.T", "z[0]", "softmax(z)", "", "z = 2", "phi(z)", "z\nz"]
)
def test_a_formula_that_is_not_elementwise_is_refused(text: str) -> None:
    """A formula without a variable, with two, or with what mixes entries, is an error."""
    with pytest.raises(ProblemError):
        read_formula(text)

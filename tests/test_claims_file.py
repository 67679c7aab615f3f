"""Claims files: what may stand in them, and one message with file and line for everything else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from flint import fmpq

from derive.errors import ProblemError
from derive.problem.toml import Source
from derive.review.arithmetic import NotRead, arithmetic
from derive.review.check import check
from derive.review.claims import Claims, claims_of, read_claims, read_quantity
from derive.review.numerals import read_numeral

HEAD = 'problem = "case1"\n'


def read(text: str) -> Claims:
    """The claims in a text."""
    return claims_of(Source(text, "some.claims.toml"), "some.claims.toml", Path("somewhere"))


def test_a_claims_file_is_read() -> None:
    """Everything that may be said of a claim is kept: its entry, its digits, its arithmetic, its place."""
    found = read(
        """
        format  = 1
        title   = { en = "Chapter 5", zh = "第五章" }
        source  = "A book"
        problem = "net.toml"
        decimal = ","

        [[claim]]
        id         = "dw8"
        place      = "page 12"
        quantity   = "dE/dW2@3"
        index      = [1, 2]
        part       = "b"
        printed    = "0,1183"
        expression = "(0,7504)(0,1598)(0,9866)"
        expect     = "carried"
        note       = { en = "as it is printed" }
        """
    )
    (claim,) = found.claims
    assert found.problem == "somewhere/net.toml"
    assert (claim.id, claim.quantity.name, claim.quantity.update, claim.index) == ("dw8", "dE/dW2", 3, (1, 2))
    assert (claim.printed.low, claim.printed.high) == (fmpq(11825, 100000), fmpq(11835, 100000))
    assert (claim.part, claim.expect, claim.place[""], claim.note["en"]) == (
        "b",
        "carried",
        "page 12",
        "as it is printed",
    )
    assert (claim.line, claim.label) == (8, "dE/dW2@3[1,2]")


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("0.7896", fmpq(78955, 100000), fmpq(78965, 100000)),
        ("−12", fmpq(-25, 2), fmpq(-23, 2)),
        ("2.406e-3", fmpq(24055, 10**7), fmpq(24065, 10**7)),
        (r"2.40 \times 10^{-3}", fmpq(2395, 10**6), fmpq(2405, 10**6)),
        (r"\frac{1}{2}", fmpq(1, 2), fmpq(1, 2)),
        ("-3/4", fmpq(-3, 4), fmpq(-3, 4)),
    ],
)
def test_a_printed_number_is_an_interval(text: str, low: fmpq, high: fmpq) -> None:
    """Half a unit of the last digit to both sides; a fraction is not rounded and stands for itself."""
    numeral = read_numeral(text)
    assert (numeral.low, numeral.high) == (low, high)


@pytest.mark.parametrize(
    ("printed", "value", "shown"),
    [("0.7896", "1/3", "0.3333"), ("0.50", "1/2", "0.50"), ("2.4e-3", "1/3", "0.33"), ("1/2", "1/3", "1/3"), ("12", "1/3", "0")],
)  # fmt: skip
def test_another_value_is_shown_to_as_many_digits(printed: str, value: str, shown: str) -> None:
    """The right value stands beside the printed one with the digits that that one has."""
    top, bottom = map(int, value.split("/"))
    assert read_numeral(printed).like(fmpq(top, bottom)) == shown


def test_quantities() -> None:
    """A name, a gradient, either after an update, and the negative of a gradient."""
    assert (read_quantity("W1@1").name, read_quantity("W1@1").update) == ("W1", 1)
    assert read_quantity(" - dL/dz1 ").negated
    assert read_quantity("h[2]").name == "h[2]"
    for wrong in ("", "W1@", "W1@x", "a b", "dE/", "1x", "W1@99999999"):
        with pytest.raises(ProblemError):
            read_quantity(wrong)


CLAIM = '[[claim]]\nquantity = "E"\nprinted = "0.59"\n'

BAD = {
    CLAIM: ": there is no problem: claims need the problem",
    "problem = 3\n" + CLAIM: "1: problem is the number 3",
    HEAD: "there are no claims",
    HEAD + "claim = 3": "there are no claims",
    HEAD + "decimal = ';'\n" + CLAIM: "2: decimal is the text ';', expected is \".\" or \",\"",
    HEAD + "format = 9\n" + CLAIM: "2: format is 9, and this program knows up to 1",
    HEAD + "probem = 1\n" + CLAIM: "2: unknown key probem (nearest: problem)",
    HEAD + CLAIM + 'pritned = "1"': "5: unknown key pritned in [claim] (nearest: printed)",
    HEAD + '[[claim]]\nprinted = "1"': "2: a claim without a quantity",
    HEAD + '[[claim]]\nquantity = "E"': "2: a claim without printed",
    HEAD + '[[claim]]\nquantity = "E"\nprinted = 0.59': "4: printed is the number 0.59, expected is a text in quotes: its digits count (printed = \"0.59\")",
    HEAD + '[[claim]]\nquantity = "E"\nprinted = "zero"': "4: 'zero' is no printed number",
    HEAD + '[[claim]]\nquantity = "E"\nprinted = "nan"': "4: 'nan' is no printed number",
    HEAD + '[[claim]]\nquantity = "E"\nprinted = "0,59"': "4: '0,59' has a comma, and the decimal mark is a point",
    'decimal = ","\n' + HEAD + CLAIM: "5: '0.59' has a point, and the decimal mark is a comma",
    HEAD + '[[claim]]\nquantity = "E"\nprinted = "1/0"': "4: '1/0' is no printed number",
    HEAD + '[[claim]]\nquantity = "E"\nprinted = "' + "1" * 500 + '"': "4: printed has 500 characters",
    HEAD + '[[claim]]\nquantity = "E!"\nprinted = "1"': "3: 'E!' is no quantity",
    HEAD + '[[claim]]\nquantity = 4\nprinted = "1"': "3: quantity is the number 4",
    HEAD + CLAIM + "index = 1": "5: index is the number 1, expected are whole numbers from 1",
    HEAD + CLAIM + "index = [0, 1]": "5: index is the list [0, 1], expected are whole numbers from 1",
    HEAD + CLAIM + "index = [1.5]": "5: index is the list ['1.5']",
    HEAD + CLAIM + 'expect = "right"': "5: expect is right",
    HEAD + CLAIM + 'expect = "wrog"': "5: expect is wrog (nearest: wrong)",
    HEAD + CLAIM + 'expression = "' + "1+" * 3000 + '1"': "5: expression has 6001 characters",
    HEAD + CLAIM + 'place = "\\u202e"': "5: a text has the character U+202E",
    HEAD + CLAIM + 'id = "a"\n' + CLAIM + 'id = "a"': "9: the id 'a' stands twice",
    HEAD + CLAIM + CLAIM.replace("[[claim]]", "[[claim]"): "5: this is not TOML",
}  # fmt: skip


@pytest.mark.parametrize("text", BAD)
def test_bad_files_are_one_message_with_a_line(text: str) -> None:
    """What cannot be meant is refused where it stands, with what was found and what is expected."""
    with pytest.raises(ProblemError) as caught:
        read(text)
    said = str(caught.value)
    assert said.startswith("some.claims.toml")
    assert BAD[text] in said
    assert "\n" not in said


UNKNOWN = {
    'quantity = "z_hh"': "2: there is no quantity z_hh (nearest: z_h)",
    'quantity = "dE/dW_2"\nindex = [1, 1]': "2: dE/dW_2: there is no name W_2 (nearest: W2)",
    'quantity = "dF/dW2"': "2: dF/dW2: there is no equation F",
    'quantity = "dE/dW2"\nindex = [1, 3]': "2: the index [1, 3] is off dE/dW2, which is 2 × 2",
    'quantity = "dE/dW2"\nindex = [3]': "2: the index [3] does not fit: dE/dW2 is 2 × 2",
    'quantity = "dE/dW2"': "2: the claim has no index: dE/dW2 is 2 × 2",
    'quantity = "E"\nindex = [2]': "2: the index [2] does not fit: E is a number",
    'quantity = "E"\npart = "a"': "2: there is no part 'a' (the problem has no parts)",
    'quantity = "d2E/dW9"': "2: there is no quantity d2E/dW9",
}


@pytest.mark.parametrize("claim", UNKNOWN)
def test_what_the_problem_does_not_have_is_an_error(tmp_path: Path, claim: str) -> None:
    """An unknown quantity, an index off the matrix or a part that is not there is an error and never a verdict."""
    path = tmp_path / "some.claims.toml"
    path.write_text(f'{HEAD}[[claim]]\n{claim}\nprinted = "0.1"\n')
    with pytest.raises(ProblemError) as caught:
        check(path)
    assert UNKNOWN[claim] in str(caught.value)
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        ("nothing", "1: there is no built-in problem nothing"),
        ("nothing.toml", "nothing.toml: there is no such file"),
        ("case2", "2: the problem has the parts a, b and c, and this claim names none"),
        ("broken.toml", "broken.toml:1: this is not TOML"),
        ("still.toml", "2: y@1: the problem makes no updates"),
        ("sizes.toml", "2: y@1: the problem makes no updates"),
    ],
)
def test_a_problem_that_cannot_be_solved_is_an_error(tmp_path: Path, problem: str, said: str) -> None:
    """The problem is looked for beside the claims; what is wrong with it is said with its own file."""
    (tmp_path / "broken.toml").write_text("equations = (")
    (tmp_path / "still.toml").write_text('equations = "y = 2 * x"\n[given]\nx = 3\n')
    (tmp_path / "sizes.toml").write_text('equations = "y = 2 * x"\n[shapes]\nx = [2, 3]\n')
    path = tmp_path / "some.claims.toml"
    path.write_text(f'problem = "{problem}"\n[[claim]]\nquantity = "y@1"\nprinted = "0.1"\n')
    with pytest.raises(ProblemError) as caught:
        check(path)
    assert said in str(caught.value)


def test_a_claims_file_that_is_no_file(tmp_path: Path) -> None:
    """A file that is missing, a folder, and bytes that are no text are errors of one line."""
    (tmp_path / "bytes.claims.toml").write_bytes(b"\xff\x00\x81")
    for name in ("missing.claims.toml", "", "bytes.claims.toml"):
        with pytest.raises(ProblemError):
            read_claims(tmp_path / name)


def test_mutilated_files_and_arithmetic() -> None:
    """Whatever befalls a claims file or its arithmetic is read, or is one message: 500 files, 500 expressions."""
    rng = np.random.default_rng(3)
    book = (Path(__file__).parent / "textbook" / "case2.claims.toml").read_text("utf-8")[:3000]
    signs = [*"0123456789.,+-*/^(){}[]\"'\\ \n=eE&%$#_ab\u202e−½∞", r"\frac", r"\quad", r"\begin{pmatrix}", "^{99}"]
    printed = r"-1 \cdot (1 \quad -1) \begin{pmatrix} 1 & 0.5 \\ 0 & 0 \end{pmatrix} + \frac{1}{2} \sigma(4.3)"

    def mutilated(text: str) -> str:
        for _ in range(rng.integers(1, 6)):
            k, cut = rng.integers(len(text)), rng.integers(2)
            text = text[:k] + signs[rng.integers(len(signs))] * int(rng.integers(2)) + text[k + cut :]
        return text

    said: list[str] = []
    for number in range(500):
        try:
            claims_of(Source(mutilated(book), "some"), "some", Path())
        except ProblemError as error:
            said.append(str(error))
        try:
            arithmetic(mutilated(printed), ".,"[number % 2], lambda text: len(text) < 3, (0, 1))
        except NotRead as reason:
            said.append(str(reason) or "\n")
    assert len(said) > 500
    assert not [text for text in said if "\n" in text]

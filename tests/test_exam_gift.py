"""GIFT, read back by a reader of its own."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from html import unescape

import pytest

from derive.exam.platforms.gift import escaped
from derive.report.latex_reader import parse
from exported import EXAM, files, right_values
from gift_reader import Question, read
from moodle_reader import Page


@cache
def questions(language: str = "en", hostile: bool = False) -> tuple[Question, ...]:
    """The questions of the file."""
    return read(files(language, hostile)["gift"])


def of(id: str, number: int, language: str = "en") -> list[Question]:
    """The questions of a question of the exam and a variant, in their order."""
    place = [question.id for question in EXAM.questions].index(id) + 1
    code = ("AB2C", "XK7D")[number - 1]
    return [
        one for one in questions(language) if one.category[3].startswith(f"{place:02d} ") and f"({code})" in one.title
    ]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_entry_is_a_number(language: str) -> None:
    """Each entry that is asked for is a question with its value, and its title says which entry."""
    for id in "abgn":
        for number in (1, 2):
            found, expected = of(id, number, language), right_values(id, number)
            assert len(found) == len(expected)
            for one, (quantity, index, value, _) in zip(found, expected, strict=True):
                right = one.answers[0]
                assert one.kind == "number"
                assert abs(float(right.text) - value) <= right.tolerance
                place = f" [{','.join(map(str, index))}]" if index else ""
                assert one.title.endswith(f"{quantity}{place}")


def test_a_category_for_each_variant() -> None:
    """A category holds all questions of one variant of a question and none of another: drawing one mixes no numbers."""
    by_category = Counter(one.category for one in questions())
    for id in (question.id for question in EXAM.questions):
        for number, code in enumerate(("AB2C", "XK7D"), 1):
            [category] = {one.category for one in of(id, number)}
            assert category[4:] == (code,)
            assert by_category[category] == len(of(id, number))


def test_tolerance() -> None:
    """Within the tolerance a number is right, two tolerances off it is wrong, and what a slip gives is wrong."""
    numbers = [one for one in questions() if one.kind == "number"]
    for one in numbers:
        right = one.answers[0]
        for sign in (-1, 1):
            assert one.mark(repr(float(right.text) + sign * 0.9 * right.tolerance)) == 1
            assert one.mark(repr(float(right.text) + sign * 2 * right.tolerance)) == 0
        assert all(one.mark(wrong.text) == 0 and wrong.feedback for wrong in one.answers[1:])
    assert len(numbers) > 50


def test_choices_and_judgements() -> None:
    """A choice has one right answer and words on the others; a judgement is true in one variant, false in the other."""
    for id in "cf":
        for number in (1, 2):
            for one in of(id, number):
                assert one.kind == "choice"
                assert [answer.fraction for answer in one.answers].count(1) == 1
                assert all(answer.feedback for answer in one.answers if answer.fraction == 0)
                assert len({answer.text for answer in one.answers}) == len(one.answers)
    for id in "de":
        assert {one.kind for one in of(id, 1)} == {"judgement"}
    assert {of("e", number)[0].right for number in (1, 2)} == {"true", "false"}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_pages(language: str) -> None:
    """The prompt is HTML that nests; its formulas are TeX of derive's own subset; a figure is told in words."""
    for one in questions(language):
        assert one.format == "html"
        page = Page(one.text)
        assert page.strangers() == set()
        tex = re.findall(r"\\\((.*?)\\\)", "".join(page.words), re.DOTALL)
        assert len(tex) > 3
        for latex in tex:
            parse(latex.replace("[3ex]", "").replace("[1ex]", ""))
    assert any(("Figure: " if language == "en" else "图：") in one.text for one in questions(language))


def test_a_strangers_text_is_text() -> None:
    """Titles, captions and wordings with answers, comments, tags and TeX are read as the words that they are."""
    made = questions(hostile=True)
    assert len(made) == 2 * 13
    shown = "]]> & <script>alert(1)</script> {1:NUMERICAL:=7} =0.5 ~ # \\(x\\) $$y$$"
    for one in made:
        assert one.kind == "number"
        words = unescape("".join(Page(one.text).words)).replace("\u2060", "")
        assert words.count(shown) >= 3
        assert "$$" not in one.text
        assert Page(one.text).strangers() == set()
        assert shown in one.title.replace("\u2060", "")


def test_escaping() -> None:
    """Every character that means something to GIFT comes out of a question as it went in."""
    text = r"a:b = {c} ~ #d \e \\( \: ::t:: // %50%"
    file = f"::{escaped(text)}::[html]{escaped(text)}{{={escaped(text)}#{escaped(text)} ~no}}\n"
    [one] = read(file.encode())
    assert (one.title, one.text) == (text, text)
    assert (one.answers[0].text, one.answers[0].feedback) == (text, text)

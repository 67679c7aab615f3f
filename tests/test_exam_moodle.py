"""Moodle XML, read back by a reader of its own that marks as Moodle does."""

from __future__ import annotations

import math
from collections import defaultdict
from fractions import Fraction
from functools import cache
from xml.etree import ElementTree as ET

import pytest

from derive.exam.platforms.cloze import inside, outside
from derive.exam.platforms.moodle import quiz
from exported import EXAM, HOSTILE, double, files, right_values
from moodle_reader import Page, Question, formulas, read, without_fields

LANGUAGES = ("en", "zh")


@cache
def questions(language: str = "en", hostile: bool = False) -> dict[tuple[str, int], Question]:
    """The questions of the file, by the question of the exam and the number of the variant."""
    found = {}
    for one in read(files(language, hostile)["moodle"]):
        _, id, number, _ = one.idnumber.split("-", 3)
        assert (id, int(number)) not in found
        found[id, int(number)] = one
    return found


def test_every_question_of_every_variant_is_there() -> None:
    """One question for each question of the exam and variant, in a category for each question of the exam."""
    ids = [question.id for question in EXAM.questions]
    assert list(questions()) == [(id, number) for id in ids for number in (1, 2)]
    categories = defaultdict(set)
    for (id, _), one in questions().items():
        categories[id].add(one.category)
        assert one.category[:2] == ("$course$", "top")
    assert len({next(iter(one)) for one in categories.values()}) == len(ids)
    assert all(len(one) == 1 for one in categories.values())


def test_types() -> None:
    """What one field holds is a question of Moodle's own type, everything else is Cloze."""
    types = {id: one.type for (id, number), one in questions().items() if number == 1}
    assert types == {
        **dict.fromkeys("abcdn", "cloze"), "e": "truefalse", "f": "multichoice", "g": "numerical",
    }  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_fields_are_the_answers_of_the_exam(language: str) -> None:
    """Each entry that the exam asks for is a field whose right answer is its value, with its share of the points."""
    for id in "abgn":
        for number in (1, 2):
            one, expected = questions(language)[id, number], right_values(id, number)
            assert len(one.fields) == len(expected)
            whole = sum(field.weight for field in one.fields)
            for field, (quantity, index, value, points) in zip(one.fields, expected, strict=True):
                [right] = [a for a in field.alternatives if a.fraction == 1]
                assert abs(float(right.answer) - value) <= right.tolerance, (quantity, index)
                assert field.weight / whole * one.grade == pytest.approx(double(points))


def test_the_points_add_up() -> None:
    """A question is worth what the exam says, and so is all that is right in it; nothing is worth nothing."""
    for (id, _), one in questions().items():
        assert one.grade == double(EXAM.question(id).points)
        assert one.mark(one.right) == pytest.approx(one.grade)
        assert one.mark([""] * len(one.fields)) == 0


def test_tolerance() -> None:
    """Within the tolerance a number is right, two tolerances off it is wrong: of every field, on both sides."""
    met = 0
    for one in questions().values():
        for field in one.fields:
            if field.kind != "NUMERICAL":
                continue
            met += 1
            right = field.alternatives[0]
            value, off = float(right.answer), right.tolerance
            assert off > 0
            for sign in (-1, 1):
                assert field.mark(repr(value + sign * 0.9 * off))[0] == 1
                assert field.mark(repr(value + sign * 2 * off))[0] == 0
    assert met > 50


def test_numbers_of_every_kind() -> None:
    """A third, a power of ten, a negative number and zero, in a question that prints commas and fractions."""
    answers = [field.right for field in questions()["n", 1].fields]
    third = Fraction(1, 3)
    assert answers[:3] == [f"{float(third):.4f}", f"{float(-2 * third):.4f}", "0"]
    small = 1 / (1 + math.exp(12))  # below the last decimal: a power of ten with as many significant digits
    assert answers[3] == f"{small:.3e}"
    # One unit of the decimals that are asked for, as on paper: to four of them the value is 0.0000.
    assert {field.alternatives[0].tolerance for field in questions()["n", 1].fields} == {1e-4}
    assert not any("," in answer for answer in answers)


def test_slips_are_named() -> None:
    """What a common slip gives earns nothing, and the answer to it is a sentence; so it is with a wrong choice."""
    told = 0
    for (id, _), one in questions().items():
        for field in one.fields:
            for wrong in field.alternatives[1:] if field.kind == "NUMERICAL" else ():
                fraction, said = field.mark(wrong.answer)
                assert fraction == 0
                assert Page(said).words
                told += 1
            if id in "cf":
                assert all(a.feedback for a in field.alternatives if a.fraction == 0)
    assert told > 50


@pytest.mark.parametrize("id", ["c", "d", "e", "f"])
def test_one_option_is_right(id: str) -> None:
    """A choice has one right answer, and no two options read alike."""
    for number in (1, 2):
        for field in questions()[id, number].fields:
            assert sum(one.fraction == 1 for one in field.alternatives) == 1
            assert len({one.answer for one in field.alternatives}) == len(field.alternatives)


def test_true_and_false_follow_the_variants() -> None:
    """Of two variants one judges a right statement and the other a wrong one."""
    assert {questions()["e", number].right[0] for number in (1, 2)} == {"true", "false"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages(language: str) -> None:
    """Text and feedback are HTML that nests, with MathML that is well-formed and has words, and pictures that are SVG."""
    for one in questions(language).values():
        for text in (one.text, one.feedback):
            shown = without_fields(text)
            page = Page(shown)
            assert page.strangers() == set()
            found = formulas(shown)
            assert len(found) > 3
            assert all(formula.get("aria-label") for formula in found)
        for said in (said for f in one.fields for a in f.alternatives for said in (a.feedback, a.answer)):
            assert Page(said).strangers() == set()
            assert all(formula.get("aria-label") for formula in formulas(said))
        pictures = [a["src"] for tag, a in Page(one.text).elements if tag == "img"]
        assert all(a.get("alt") for tag, a in Page(one.text).elements if tag == "img")
        assert pictures == [f"@@PLUGINFILE@@{name}" for name in one.files]
        for drawn in one.files.values():
            assert ET.fromstring(drawn).tag == "{http://www.w3.org/2000/svg}svg"
    assert any(one.files for one in questions(language).values())


def test_a_strangers_text_is_text() -> None:
    """Titles, captions and wordings with tags, Cloze fields and TeX are read as the words that they are."""
    for one in questions(hostile=True).values():
        assert len(one.fields) == 13  # those of the question, and none of the texts'
        page = Page(without_fields(one.text))
        assert page.strangers() == set()
        words = "".join(page.words).replace("\u2060", "")
        shown = "]]> & <script>alert(1)</script> {1:NUMERICAL:=7} =0.5 ~ # \\(x\\) $$y$$"
        assert words.count(shown) >= 3
        assert "\\(" not in one.text
        assert "$$" not in one.text
        assert "{1:NUMERICAL:=7}" in one.name
        assert one.category[2].startswith("]]> & <script>")
        assert "a/b" in one.category[2]
    assert "\x1b" in HOSTILE


def test_what_stands_in_a_field_comes_out_again() -> None:
    """Every character with a meaning in Cloze survives as feedback and as an option."""
    text = '<b title="x">a ~ b # c } { \\ = % &lt;</b>'
    page = outside("{1:SA:=x}") + "{1:MULTICHOICE_V:=" + inside(text) + "~%0%no#" + inside(text) + "}"
    file = f"<question type='cloze'><name><text/></name><questiontext><text>{_xml(page)}</text></questiontext>"
    rest = "<generalfeedback><text/></generalfeedback><defaultgrade>1</defaultgrade><idnumber/></question>"
    [field] = read(quiz("t", [("q", [(file + rest).encode()])]))[0].fields
    assert field.right == text
    assert field.alternatives[1].feedback == text


def _xml(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")

"""QTI 2.1 packages: held to the rules of the specification, and scored by an interpreter of response processing."""

from __future__ import annotations

import io
import re
import zipfile
from functools import cache
from pathlib import PurePosixPath
from xml.etree import ElementTree as ET

import pytest

from exported import EXAM, double, files, package, right_values
from qti_reader import QTI, Item
from qti_rules import MATHML, PACKAGE, violations

LANGUAGES = ("en", "zh")


@cache
def items(language: str = "en", hostile: bool = False) -> dict[tuple[str, int], Item]:
    """The items of the package, by the question of the exam and the number of the variant."""
    found = {}
    for name, data in package(language, hostile).items():
        if name.startswith("items/"):
            one = Item(data)
            assert name == f"items/{one.identifier}.xml"
            _, id, number, _ = one.identifier.split("-", 3)
            found[id, int(number)] = one
    return found


# ── the rules ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("language", "hostile"), [("en", False), ("zh", False), ("en", True)])
def test_every_file_keeps_the_rules(language: str, hostile: bool) -> None:
    """No element, child, attribute or value that QTI 2.1, content packaging and MathML 2 do not have."""
    checked = [name for name in package(language, hostile) if name.endswith(".xml")]
    assert len(checked) == 2 + len(items(language, hostile))
    assert {name: found for name in checked if (found := violations(package(language, hostile)[name]))} == {}


BROKEN = {
    "an unknown element": (b"<itemBody>", b"<itemBody><figure/>"),
    "children in another order": (b"<itemBody>", b"<itemBody/><itemBody>"),
    "prose where none may stand": (b"<itemBody>", b"<itemBody>words"),
    "a missing attribute": (b' adaptive="false"', b""),
    "an unknown attribute": (b"<itemBody>", b'<itemBody style="x">'),
    "a value out of the list": (b'baseType="float"', b'baseType="number"'),
    "a name that is none": (b'identifier="R1"', b'identifier="1 R"'),
    "two tolerances too many": (b'tolerance="', b'tolerance="1 1 '),
    "an inline element as a block": (b"<itemBody>", b"<itemBody><strong>x</strong>"),
    "a formula that QTI has no attribute for": (b"alttext=", b"aria-label="),
}


@pytest.mark.parametrize("what", BROKEN)
def test_the_rules_see_what_is_broken(what: str) -> None:
    """Each of these, put into an item that keeps the rules, breaks one."""
    old, new = BROKEN[what]
    data = package()[f"items/{items()['a', 1].identifier}.xml"]
    assert old in data
    assert violations(data) == []
    assert violations(data.replace(old, new, 1)) != []


# ── scores ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("language", LANGUAGES)
def test_right_answers_are_all_the_points(language: str) -> None:
    """The declared answers score the points of the question exactly, nothing scores 0, and the maximum says so."""
    assert list(items(language)) == [(question.id, number) for question in EXAM.questions for number in (1, 2)]
    for (id, _), one in items(language).items():
        assert one.mark(one.right).score == double(EXAM.question(id).points)
        assert one.mark({}).score == 0
        assert one.start["MAXSCORE"] == double(EXAM.question(id).points)
        assert [field.get("responseIdentifier") for field in one.fields] == list(one.right)


def test_each_entry_has_its_value_and_its_points() -> None:
    """An entry alone, answered with the exam's own value, earns its share."""
    for id in "abgn":
        for number in (1, 2):
            one, expected = items()[id, number], right_values(id, number)
            for name, (quantity, index, value, points) in zip(one.right, expected, strict=True):
                found = one.mark({name: repr(value)}).score
                assert found == pytest.approx(double(points)), (quantity, index)


def test_tolerance() -> None:
    """Within the tolerance an entry is right, two tolerances off it is not, on both sides."""
    met = 0
    for one in items().values():
        for equal in one.root.iter(f"{QTI}equal"):
            if equal[1].tag != f"{QTI}correct":
                continue
            name, off = str(equal[1].get("identifier")), float(str(equal.get("tolerance")).split()[0])
            value, all_right = float(one.right[name]), one.mark(one.right).score
            met += 1
            for sign in (-1, 1):
                near, far = repr(value + sign * 0.9 * off), repr(value + sign * 2 * off)
                assert one.mark({**one.right, name: near}).score == all_right
                assert one.mark({**one.right, name: far}).score < all_right
    assert met > 50


def test_feedback() -> None:
    """Everybody sees the solution; who enters what a slip gives, or chooses it, is told the slip, and no other one."""
    told = 0
    for one in items().values():
        assert [feedback.get("outcomeIdentifier") for feedback in one.mark(one.right).shown][-1] == "SOLUTION"
        for other in one.root.iter(f"{QTI}responseElseIf"):
            entered = next(other.iter(f"{QTI}variable"))
            wrong, name = str(other.findtext(f".//{QTI}baseValue")), str(entered.get("identifier"))
            shown = one.mark({name: wrong}).shown
            assert [feedback.get("outcomeIdentifier") for feedback in shown] == [f"F{name[1:]}", "SOLUTION"]
            assert "".join(shown[0].itertext()).strip()
            told += 1
    assert told > 50
    for id in "cf":
        for field in items()[id, 1].fields:
            name = str(field.get("responseIdentifier"))
            for option in field.findall(f"{QTI}simpleChoice"):
                chosen = str(option.get("identifier"))
                outcome = items()[id, 1].mark({name: chosen})
                right = items()[id, 1].right[name] == chosen
                assert (outcome.score > 0) == right
                assert right or len(outcome.shown) == 2


def test_judgements_follow_the_variants() -> None:
    """A choice between right and wrong, which is right in one variant and wrong in the other."""
    options = items()["e", 1].fields[0].findall(f"{QTI}simpleChoice")
    assert ["".join(option.itertext()) for option in options] == ["Right", "Wrong"]
    assert {items()["e", number].right["R1"] for number in (1, 2)} == {"C1", "C2"}


# ── the package ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_manifest_names_every_file() -> None:
    """What the manifest names is in the package, what is in the package is named, and dependencies are resources."""
    manifest = ET.fromstring(package()["imsmanifest.xml"])
    named = {str(file.get("href")) for file in manifest.iter(f"{PACKAGE}file")}
    assert named | {"imsmanifest.xml"} == set(package())
    resources = [str(one.get("identifier")) for one in manifest.iter(f"{PACKAGE}resource")]
    assert len(set(resources)) == len(resources)
    assert {str(one.get("identifierref")) for one in manifest.iter(f"{PACKAGE}dependency")} == set(resources[1:])


def test_the_test_draws_one_variant_of_each_question() -> None:
    """A section for each question, of whose items, one for each variant, one is selected."""
    test = ET.fromstring(package()["test.xml"])
    sections = list(test.iter(f"{QTI}assessmentSection"))
    assert len(sections) == len(EXAM.questions)
    referred = []
    for section in sections:
        assert [one.get("select") for one in section.findall(f"{QTI}selection")] == ["1"]
        found = [str(one.get("href")) for one in section.findall(f"{QTI}assessmentItemRef")]
        assert len(found) == 2
        referred += found
    assert referred == [name for name in package() if name.startswith("items/")]


@pytest.mark.parametrize("language", LANGUAGES)
def test_pictures_and_formulas(language: str) -> None:
    """Pictures are SVG, found from the item and told in words; formulas are MathML with words."""
    for one in items(language).values():
        for picture in one.root.iter(f"{QTI}img"):
            path = str(PurePosixPath("items") / str(picture.get("src"))).replace("items/../", "")
            assert ET.fromstring(package(language)[path]).tag == "{http://www.w3.org/2000/svg}svg"
            assert picture.get("alt")
        found = list(one.root.iter(f"{MATHML}math"))
        assert len(found) > 3
        assert all(formula.get("alttext") for formula in found)
        assert one.root.get("{http://www.w3.org/XML/1998/namespace}lang") == language
    shown = [name for name in package(language) if name.startswith("media/")]
    assert len(shown) >= 2


def test_a_strangers_text_is_text() -> None:
    """Titles, captions and wordings with tags and marks of TeX are read as the words that they are."""
    shown = "]]> & <script>alert(1)</script> {1:NUMERICAL:=7} =0.5 ~ # \\(x\\) $$y$$"
    for one in items(hostile=True).values():
        words = "".join(one.root.itertext()).replace("\u2060", "")
        assert words.count(shown) >= 3
        assert one.title.replace("\u2060", "").startswith(shown)
        assert re.fullmatch(r"[A-Za-z][\w-]*", one.identifier)
        assert one.mark(one.right).score == 6


def test_the_archive_has_no_clock() -> None:
    """Every entry of the zip has the same date and the same rights, whatever the machine."""
    with zipfile.ZipFile(io.BytesIO(files()["qti"])) as archive:
        assert archive.testzip() is None
        seen = {(one.date_time, one.create_system, one.external_attr) for one in archive.infolist()}
    assert seen == {((1980, 1, 1, 0, 0, 0), 3, 0o644 << 16)}

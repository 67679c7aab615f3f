"""PDF/UA-1 by a validator that shares nothing with Typst: the Matterhorn checkpoints that a machine can check."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from derive import api
from derive.chapters import chapter_names
from derive.chapters.chapter import work_out
from derive.problem import built_in
from derive.report.compose import compose
from derive.report.document import Document
from derive.report.pdf import pdf, typst_pdf
from derive.report.render import render

pytestmark = pytest.mark.ua
LANGUAGES = ("en", "zh")


@cache
def solved(name: str) -> api.Solution:
    """A built-in problem, solved once."""
    return api.solve(name)


def document(name: str, language: str) -> Document:
    """A built-in problem or chapter, composed."""
    if name in chapter_names():
        return work_out(name, language=language).document()
    return compose(solved(name).core, language=language)


def validated(folder: Path) -> list[dict[str, Any]]:
    """What ``outloud`` finds in every PDF of a folder, file by file in the order of their names."""
    command = [sys.executable, "-m", "outloud.cli", "--layer", "conformance", "--fail-on", "never", "--json", "-"]
    ran = subprocess.run([*command, *map(str, sorted(folder.glob("*.pdf")))], capture_output=True, check=True)
    found: list[dict[str, Any]] = json.loads(ran.stdout)["results"]
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_built_in_report_conforms(language: str, tmp_path: Path) -> None:
    """Every built-in problem and chapter, in both languages: no error, no warning, and the rules were run."""
    names = (*built_in(), *chapter_names())
    for name in names:
        (tmp_path / f"{name}.pdf").write_bytes(pdf(document(name, language)))
    results = validated(tmp_path)
    assert len(results) == len(names)
    for one in results:
        assert one["error"] is None
        assert one["findings"] == []
        assert one["verdict"] == "pass"
        assert not any(rule["status"] == "ran" and rule["outcome"] != "pass" for rule in one["rules"])
        assert sum(rule["status"] == "ran" for rule in one["rules"]) > len(one["rules"]) / 2
        assert one["stats"]["features"]["formulas"]


def test_the_validator_sees_what_is_missing(tmp_path: Path) -> None:
    """A PDF that Typst is not held to the standard for, and one whose words and tags are taken away, are refused."""
    source = render(document(built_in()[0], "en"), "typ").text
    (tmp_path / "a.pdf").write_bytes(typst_pdf(source))
    whole = pdf(document(built_in()[0], "en"))
    (tmp_path / "b.pdf").write_bytes(whole.replace(b"/Alt", b"/Alx"))
    (tmp_path / "c.pdf").write_bytes(whole.replace(b"/StructTreeRoot", b"/StructTreeRxxt"))
    spoilt = {bool(one["counts"]["error"]) for one in validated(tmp_path)}
    assert spoilt == {True}

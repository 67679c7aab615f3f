"""From an exam file to a folder of papers, and from its manifest to the same bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from derive.cli import main
from derive.errors import ProblemError
from derive.exam.building.build import build, rebuild
from derive.exam.reading.read import read_exam

EXAM = """
format = 1
title = "A quiz"

[[question]]
problem = "net.toml"
points = 4

[question.vary]
w = "integers -4..4 except 0"
"""
NET = """
title = "A weight"
equations = '''
y = w * x
E = (y - t)**2
'''

[given]
x = 3
t = 1

[parameters]
w = 2
"""
FORMATS = ("md",)


@pytest.fixture(scope="module")
def quiz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An exam file with its problem beside it, built into the folder `papers`."""
    folder = tmp_path_factory.mktemp("quiz")
    (folder / "quiz.toml").write_text(EXAM)
    (folder / "net.toml").write_text(NET)
    build(read_exam(folder / "quiz.toml"), folder / "papers", 3, formats=FORMATS, workers=1)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_manifest_alone_gives_the_same_bytes(quiz: Path, tmp_path: Path) -> None:
    """Every paper, solution and key; the exam file is not looked at."""
    manifest = tmp_path / "manifest.json"
    manifest.write_bytes((quiz / "papers" / "manifest.json").read_bytes())
    rebuild(manifest, tmp_path / "again", formats=FORMATS, workers=1)
    first, again = contents(quiz / "papers"), contents(tmp_path / "again")
    assert {name for name in first if name not in again} == {name for name in first if name.startswith("set")}
    assert all(first[name] == content for name, content in again.items())
    assert sum(name.startswith("papers/") and name.endswith(".md") for name in again) == 3


def test_single_variants_are_named_by_number_or_code(quiz: Path, tmp_path: Path) -> None:
    """Only these are made; a number that is not there is refused with those that are, and nothing is written."""
    manifest = quiz / "papers" / "manifest.json"
    code = next((quiz / "papers" / "papers").glob("003-*.md")).stem.split("-")[1]
    rebuild(manifest, tmp_path / "one", (1, code), formats=FORMATS, workers=1)
    assert {path.name[:3] for path in (tmp_path / "one" / "papers").glob("*.md")} == {"001", "003"}
    with pytest.raises(ProblemError, match=r"there is no variant 9 in this manifest .*numbers 1 to 3"):
        rebuild(manifest, tmp_path / "none", ("9",), formats=FORMATS)
    assert not (tmp_path / "none").exists()


def test_the_same_build_goes_on_and_another_seed_is_refused(
    quiz: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the command line: status 0 with nothing made anew, status 2 with one message and no file changed."""
    monkeypatch.chdir(quiz)
    before = contents(quiz / "papers")
    wishes = ["exam", "build", "quiz.toml", "--variants", "3", "--out", "papers", "--format", "md", "--workers", "1"]
    assert main(wishes) == 0
    assert capfd.readouterr().out == "3 of 3 variants in papers, 0 of them now\n"
    assert main([*wishes, "--seed", "8"]) == 2
    said = capfd.readouterr()
    assert said.out == ""
    assert said.err.startswith("papers/manifest.json: the folder papers holds the papers of another exam")
    assert said.err.count("\n") == 1
    assert contents(quiz / "papers") == before
    assert (
        main(["exam", "rebuild", "papers/manifest.json", "--only", "2", "--out", str(tmp_path), "--format", "md"]) == 0
    )
    assert capfd.readouterr().out == f"1 of 1 variants in {tmp_path}\n"

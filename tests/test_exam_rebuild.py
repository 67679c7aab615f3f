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
    assert said.err.startswith("papers/manifest.json: papers holds the papers of another exam")
    assert said.err.count("\n") == 1
    assert contents(quiz / "papers") == before
    assert (
        main(["exam", "rebuild", "papers/manifest.json", "--only", "2", "--out", str(tmp_path), "--format", "md"]) == 0
    )
    assert capfd.readouterr().out == f"1 of 1 variants in {tmp_path}\n"


def test_more_variants_are_added_to_those_that_are_there(quiz: Path, tmp_path: Path) -> None:
    """The folder is that of a build of all of them, and the first are not made again; fewer, or others, are refused."""
    exam = read_exam(quiz / "quiz.toml")
    build(exam, tmp_path / "all", 5, formats=FORMATS, workers=1)
    build(exam, tmp_path / "grown", 3, formats=FORMATS, workers=1)
    assert build(exam, tmp_path / "grown", 5, formats=FORMATS, workers=1).made == 2
    assert contents(tmp_path / "grown") == contents(tmp_path / "all")
    for variants, seed in ((4, 7), (6, 8)):
        with pytest.raises(ProblemError, match="of more variants"):
            build(exam, tmp_path / "grown", variants, seed, formats=FORMATS, workers=1)
    assert contents(tmp_path / "grown") == contents(tmp_path / "all")


def test_students_are_added_behind_the_last(quiz: Path, tmp_path: Path) -> None:
    """Whoever comes later has a variant of their own; a list in which another stands before is refused."""
    exam = read_exam(quiz / "quiz.toml")
    build(exam, tmp_path, students=("ada", "bob"), formats=FORMATS, workers=1)
    before = contents(tmp_path)
    with pytest.raises(ProblemError, match="other students"):
        build(exam, tmp_path, students=("ada", "cy", "bob"), formats=FORMATS, workers=1)
    assert contents(tmp_path) == before
    assert build(exam, tmp_path, students=("ada", "bob", "cy"), formats=FORMATS, workers=1).made == 1
    kept = {name for name in before if name.startswith(("papers/", "solutions/", "keys/"))}
    assert {name: contents(tmp_path)[name] for name in kept} == {name: before[name] for name in kept}

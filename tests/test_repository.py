"""The repository as someone finds it: what the README promises holds, and what is committed is what is made."""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import gallery

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
CASES = sorted(path.stem for path in (ROOT / "derive/cases").glob("*.toml"))


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    """``pyproject.toml``, read."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def block(language: str, containing: str) -> str:
    """The README's code block in a language that contains a text."""
    [found] = [b for b in re.findall(rf"```{language}\n(.*?)```", README, re.S) if containing in b]
    return str(found)


# ── the README ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("ending", ["-m derive case1", "-m pytest"])
def test_two_commands_that_set_themselves_up(ending: str) -> None:
    """One line runs the main job and one passes the tests; each makes its environment first."""
    [line] = [line for line in README.splitlines() if line.endswith(ending) and line.startswith("python3 -m venv")]
    steps = line.split(" && ")
    assert len(steps) == 3
    assert steps[1].startswith(".venv/bin/pip install ")


def test_ci_runs_the_readme() -> None:
    """``.ci/run`` takes both commands from the README; it has no copy of its own that could go stale."""
    script = (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert "$(readme '-m pytest')" in script
    assert "$(readme '-m derive case1')" in script


def test_the_problem_in_the_readme(run: Callable[..., subprocess.CompletedProcess[bytes]], tmp_path: Path) -> None:
    """The problem file that the README shows can be solved as it stands."""
    (tmp_path / "my.toml").write_text(block("toml", "# my.toml"), encoding="utf-8")
    done = run("my.toml", "--json")
    assert done.returncode == 0, done.stderr.decode()


def commands(containing: str) -> list[str]:
    """The commands of a block of the README, without what is said behind them."""
    lines = [line.split("  #")[0].split(" # ")[0].strip() for line in block("sh", containing).splitlines()]
    return [line.removeprefix("derive ") for line in lines if line]


@pytest.mark.slow
@pytest.mark.parametrize("command", [*commands("derive my.toml"), *commands("derive check")])
def test_the_commands_in_the_readme(
    command: str, run: Callable[..., subprocess.CompletedProcess[bytes]], tmp_path: Path
) -> None:
    """Each command that the README shows runs as it stands, on the files that it shows."""
    import shlex

    (tmp_path / "my.toml").write_text(block("toml", "# my.toml"), encoding="utf-8")
    (tmp_path / "my.claims.toml").write_text(block("toml", "# my.claims.toml"), encoding="utf-8")
    (tmp_path / "solution.tex").write_text(r"\[ 0.5^2 / 2 = 0.125 \]", encoding="utf-8")
    done = run(*shlex.split(command))
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.slow
def test_the_exam_commands_in_the_readme(run: Callable[..., subprocess.CompletedProcess[bytes]]) -> None:
    """The commands on exams run one behind the other, with three variants in place of thirty."""
    import shlex

    for command in commands("derive exam new"):
        done = run(*shlex.split(command.replace("--variants 30", "--variants 3")))
        assert done.returncode == 0, done.stderr.decode()


def test_the_python_in_the_readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lines of Python that the README shows run as they stand."""
    monkeypatch.chdir(tmp_path)
    exec(compile(block("python", "import derive"), "README.md", "exec"), {})
    assert {path.suffix for path in (tmp_path / "out").iterdir()} >= {".md", ".pdf"}


def test_the_readme_points_at_files_that_exist() -> None:
    """Every file of the repository that the README names, or shows as a picture, is there."""
    own = "|".join(("CHANGELOG.md", r"derive/[\w./]+", r"\.ci/\w+", r"reports/[\w.-]+"))
    named = set(re.findall(rf"`({own})`", README)) | set(re.findall(r"\]\((?!https?:)([^)#]+)", README))
    assert named
    assert not [name for name in sorted(named) if not (ROOT / name).exists()]


# ── the package ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_distribution(project: dict[str, Any]) -> None:
    """The distribution has a name of its own, carries types and a licence, and installs one command."""
    about = project["project"]
    assert about["name"] == "derive-backprop"
    assert about["scripts"] == {"derive": "derive.cli:run"}
    assert about["license"] == "MIT"
    assert "The derive authors" in (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert (ROOT / "derive/py.typed").exists()


def test_every_dependency_has_both_bounds(project: dict[str, Any]) -> None:
    """Each dependency says from where to where it is known to work."""
    extras = project["project"]["optional-dependencies"].values()
    for line in [*project["project"]["dependencies"], *(line for extra in extras for line in extra)]:
        assert re.fullmatch(r"[\w-]+(==[\d.]+|>=[\d.]+,<[\d.]+)", line), line


def test_what_is_imported_is_declared(project: dict[str, Any]) -> None:
    """Whatever ``derive`` imports from outside the standard library is a dependency, and nothing else is one.

    But for math-core, which the HTML reports to come are made with and the tests hold other converters against, and
    for pytest, which a plugin is only loaded by.
    """
    import ast
    import sys

    imported = set()
    for path in (ROOT / "derive").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                imported.add(node.module.split(".")[0])
    outside = imported - set(sys.stdlib_module_names) - {"derive", "pytest"}
    module = {"python-flint": "flint"}
    names = {re.split(r"[<>=]", line)[0] for line in project["project"]["dependencies"]}
    assert {module.get(name, name.replace("-", "_")) for name in names} == outside | {"math_core"}


# ── the reports ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("case", [*CASES, "backprop"])
def test_committed_reports_are_what_is_made(
    case: str, run: Callable[..., subprocess.CompletedProcess[bytes]], tmp_path: Path
) -> None:
    """``reports/`` holds, byte for byte, what ``python -m derive NAME`` writes; a change is accepted by doing that."""
    done = run(case)
    assert done.returncode == 0, done.stderr.decode()
    made = {path.name: path for path in (tmp_path / "reports").iterdir()}
    assert set(made) >= {f"{case}.md", f"{case}.tex", f"{case}.pdf"}
    different = [name for name, path in made.items() if not same(path, ROOT / "reports" / name)]
    assert not different
    assert not [path.name for path in (ROOT / "reports").glob(f"{case}*") if path.name not in made]


GALLERY = sorted(path.stem for path in (ROOT / "derive/cases").glob("*/*.toml"))


@pytest.mark.slow
@pytest.mark.parametrize("name", GALLERY)
def test_the_gallery_is_what_is_made(name: str) -> None:
    """``reports/gallery`` holds the report of each problem of the gallery; ``tests/gallery.py`` makes it anew."""
    made = gallery.report(name)
    assert set(made) >= {f"{name}.md", f"{name}.pdf"}
    folder = ROOT / "reports/gallery"
    assert not [
        file
        for file, content in made.items()
        if not (folder / file).exists() or (folder / file).read_bytes() != content
    ]
    assert not [path.name for path in folder.glob(f"{name}[.-]*") if path.name not in made and owner(path.name) == name]


def owner(file: str) -> str:
    """The problem whose report a file of the gallery is part of."""
    return max((name for name in GALLERY if file.startswith((f"{name}.", f"{name}-figure-"))), key=len, default="")


def test_nothing_else_is_in_the_gallery() -> None:
    """Every file there belongs to a problem, and README shows where they are."""
    assert not [path.name for path in (ROOT / "reports/gallery").iterdir() if not owner(path.name)]
    assert "reports/gallery" in README


def same(made: Path, committed: Path) -> bool:
    """Whether a file is there with the same bytes."""
    return committed.exists() and committed.read_bytes() == made.read_bytes()

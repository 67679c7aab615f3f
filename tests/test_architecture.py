"""Who may import whom. The table is the one in ``derive/README.md``, which gives the reasons."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import jinja2.filters
import jinja2.nodes
import pytest

from derive.report.formats import environment
from derive.report.own_look import FOLDERS

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "derive"

# A room may import the rooms it leans on and those that they lean on.
LEANS_ON: dict[str, tuple[str, ...]] = {
    "errors": (),
    "records": (),
    "aside": (),
    "version": (),
    "cases": (),
    "numbers": ("errors", "records"),
    "problem": ("numbers", "cases"),
    "graph": ("problem",),
    "oracle": ("problem",),
    "calculus": ("graph",),
    "solution": ("calculus", "graph", "oracle", "numbers"),
    "report": ("solution",),
    "chapters": ("report",),
    "review": ("solution",),
    "exam": ("report", "review", "version"),
    "api": ("report", "review"),
    "__init__": ("api", "version"),
    "cli": ("aside", "api", "chapters", "exam", "__init__"),
    "__main__": ("cli",),
}


def allowed(room: str) -> set[str]:
    """Every room that ``room`` may import, itself among them."""
    found, waiting = {room}, list(LEANS_ON[room])
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += LEANS_ON[name]
    return found


@cache
def modules() -> tuple[tuple[Path, ast.Module], ...]:
    """Every module of the package, parsed."""
    return tuple(
        (path, ast.parse(path.read_text(encoding="utf-8"), str(path))) for path in sorted(PACKAGE.rglob("*.py"))
    )


def room_of(path: Path) -> str:
    """``derive/graph/rules.py`` stands in ``graph``, ``derive/errors.py`` in ``errors``."""
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imported(tree: ast.Module, path: Path) -> Iterator[tuple[str, int]]:
    """The rooms a module imports, wherever in the module it does so, each with its line."""
    package = ["derive", *path.relative_to(PACKAGE).parts[:-1]]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            base += node.module.split(".") if node.module else []
            targets = [".".join([*base, alias.name]) for alias in node.names]
        else:
            continue
        for target in targets:
            parts = target.split(".")
            if parts[0] == "derive":
                # `from derive import solve` takes a name of the package's own face
                inside = len(parts) > 1 and ((PACKAGE / parts[1]).is_dir() or (PACKAGE / f"{parts[1]}.py").is_file())
                yield (parts[1] if inside else "__init__"), node.lineno


def test_every_room_is_in_the_table() -> None:
    """No module stands outside the rooms, and no row speaks of a room below ``chapters`` that is not there."""
    assert {room_of(path) for path, _ in modules()} <= set(LEANS_ON)


@pytest.mark.parametrize("room", LEANS_ON)
def test_a_room_imports_only_what_it_leans_on(room: str) -> None:
    """Imports go down the table, never up or across; one inside a function or for a type counts like any other."""
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {target}"
        for path, tree in modules()
        if room_of(path) == room
        for target, line in imported(tree, path)
        if target not in allowed(room)
    ]
    assert not wrong


def test_the_oracle_shares_nothing_with_what_it_judges() -> None:
    """The independent engine starts from the problem as read: no rule of the graph, no certified number."""
    inside = [(path, tree) for path, tree in modules() if room_of(path) == "oracle"]
    assert len(inside) > 1
    targets = {target for path, tree in inside for target, _ in imported(tree, path)}
    assert targets <= {"oracle", "problem", "errors", "records"}


def test_the_table_is_the_one_in_the_readme() -> None:
    """``derive/README.md`` prints this table, row by row."""
    rows = re.findall(r"^\| `(\w+)` \|.*\| ([^|]*) \|$", (PACKAGE / "README.md").read_text(encoding="utf-8"), re.M)
    assert {room: tuple(re.findall(r"`(\w+)`", leans)) for room, leans in rows} == LEANS_ON


def protocols() -> set[str]:
    """The methods that a ``Protocol`` of the package asks for: what they mean is said once, by the protocol."""
    return {
        member.name
        for _, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and any(ast.unparse(base) == "Protocol" for base in node.bases)
        for member in node.body
        if isinstance(member, ast.FunctionDef)
    }


def bare(node: ast.Module | ast.ClassDef, known: set[str]) -> Iterator[str]:
    """The public names under ``node`` that lack a docstring, but for methods that are ``known``."""
    for child in node.body:
        if not isinstance(child, ast.FunctionDef | ast.ClassDef) or child.name.startswith("_"):
            continue
        if not ast.get_docstring(child) and not (isinstance(node, ast.ClassDef) and child.name in known):
            yield f"line {child.lineno}: {child.name}"
        if isinstance(child, ast.ClassDef):
            yield from bare(child, known)


def test_public_names_have_docstrings() -> None:
    """Every module, public class, function and method says what it is; ``eval`` is SymPy's word for its hook."""
    known = protocols() | {"eval"}
    assert not [
        f"{path.relative_to(ROOT)}: {name}"
        for path, tree in modules()
        for name in ([] if ast.get_docstring(tree) else ["the module"]) + list(bare(tree, known))
    ]


def test_every_test_states_its_fact() -> None:
    """Each test has a docstring: the fact that it holds."""
    assert not [
        f"{path.name}: {node.name}"
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and not ast.get_docstring(node)
    ]


# What a template may say: place a value, choose, repeat, include. No arithmetic, no joining of strings, and no call
# but `range(view.something)`, which is how Jinja says "so many times".
PLACING = {
    *("Template", "Output", "TemplateData", "If", "For", "Include", "Assign", "Name", "Const", "Getattr", "Getitem"),
    *("Filter", "Test", "Compare", "Operand", "And", "Or", "Not", "Call"),
}


@pytest.mark.parametrize(
    "path",
    sorted(path for path in (ROOT / "templates").rglob("*.*") if path.parent.name in FOLDERS),
    ids=lambda path: str(path.relative_to(ROOT / "templates")),
)
def test_templates_place_and_never_compute(path: Path) -> None:
    """A template is made of a closed set of words, and hands every string to a filter of its format or to none."""
    words = environment(path.parent.name)
    # what derive/report/render.py adds; Jinja's own filters compute
    own = {name for name, made in words.filters.items() if made is not jinja2.filters.FILTERS.get(name)}
    nodes = list(words.parse(path.read_text(encoding="utf-8")).find_all(jinja2.nodes.Node))
    assert {type(node).__name__ for node in nodes} <= PLACING
    assert {node.name for node in nodes if isinstance(node, jinja2.nodes.Filter)} <= own
    for node in nodes:
        if isinstance(node, jinja2.nodes.Call):
            assert isinstance(node.node, jinja2.nodes.Name)
            assert node.node.name == "range"
            assert [type(argument) for argument in node.args] == [jinja2.nodes.Getattr]


def test_the_engine_knows_no_case_by_name() -> None:
    """The built-in problems are data: no code and no template speaks of one of them."""
    names = [path.stem for path in (PACKAGE / "cases").glob("*.toml")]
    assert names
    spoken = re.compile("|".join(map(re.escape, names)))
    files = [path for path, _ in modules()] + [path for path in (ROOT / "templates").rglob("*") if path.is_file()]
    assert not [str(path.relative_to(ROOT)) for path in files if spoken.search(path.read_text(encoding="utf-8"))]

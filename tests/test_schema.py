"""The JSON Schema knows what the reader knows: the same keys, the same words, and every problem file of the repository."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from derive.problem import ask, batches, convention, problem_from_text, read, train, update
from derive.problem.rules import RULES
from derive.problem.schema import schema
from derive.problem.starters import FOLDER, starter_names

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted(
    [*(ROOT / "derive" / "cases").glob("*.toml"), *(ROOT / "tests" / "problems").glob("*.toml"), *FOLDER.glob("*.toml")]
)
SCHEMA = schema()
CHECK = jsonschema.Draft7Validator(SCHEMA)


def complaints(text: str) -> list[str]:
    """Where the schema has something against a file."""
    return sorted(error.json_path for error in CHECK.iter_errors(tomllib.loads(text)))


def at(*path: str) -> dict[str, Any]:
    """The keys of a table of the schema, with what is said of each."""
    found = SCHEMA["properties"]
    for key in path:
        found = found[key]
        found = next(form for form in (found, *found.get("anyOf", ())) if "properties" in form)["properties"]
    return dict(found)


def test_the_schema_is_one() -> None:
    """It is a JSON Schema of draft 7 itself."""
    jsonschema.Draft7Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        ((), read.KEYS),
        (("ask",), ask.KEYS),
        (("convention",), convention.KEYS),
        (("ask", "train"), train.KEYS),
        (
            ("ask", "update"),
            [*update.KEYS, *batches.KEYS, *(n for rule in RULES.values() for c in rule.constants.values() for n in c.names)],
        ),
    ],
    ids=str,
)  # fmt: skip
def test_the_keys_are_the_readers(path: tuple[str, ...], keys: list[str]) -> None:
    """A key that the reader learns has to be described in ``derive/problem/schema.py`` as well."""
    found = at(*path)
    assert set(found) == set(keys)
    bare = [key for key, said in found.items() if not said]
    assert not bare, f"derive/problem/schema.py does not say what stands behind {bare}"


def test_a_part_has_the_keys_of_a_part() -> None:
    """Its tables are those above, and it has a name."""
    (part,) = (SCHEMA["properties"]["part"][key] for key in ("items",))
    assert set(part["properties"]) == set(read.PART_KEYS)
    assert part["required"] == ["name"]


def test_the_words_are_the_readers() -> None:
    """Conventions, styles and update rules are listed for the editor to offer."""
    for key, words in convention.WORDS.items():
        assert at("convention")[key]["enum"] == list(words)
    assert at("ask", "update")["rule"]["enum"] == list(RULES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_problem_file_is_valid(path: Path) -> None:
    """Built-in problems, test problems and starters."""
    assert complaints(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("askk = {}", "$"),
        ("[ask]\ngradient = ['W']", "$.ask"),
        ("[ask]\nupdate = { rate = 'fast' }", "$.ask.update"),
        ("[ask]\nupdate = { rate = 1, step = 2 }", "$.ask.update"),
        ("[ask]\nupdate = { rate = 1, rule = 'addam' }", "$.ask.update"),
        ("[convention]\nlayout = 'shap'", "$.convention.layout"),
        ("[convention]\ndigits = 99", "$.convention.digits"),
        ("[given]\nx = []", "$.given.x"),
        ("[given]\nx = true", "$.given.x"),
        ("[shapes]\nx = [0]", "$.shapes.x"),
        ("[functions]\ntanh = 'z'", "$.functions"),
        ("[[part]]\ntitle = 'no name'", "$.part[0]"),
        ("format = 2", "$.format"),
        ("equations = ['y = x']", "$.equations"),
        ("title = { english = 'x' }", "$.title"),
    ],
)  # fmt: skip
def test_a_slip_is_marked_where_it_stands(line: str, place: str) -> None:
    """What the reader refuses by its form, an editor marks with the schema."""
    text = line if line.startswith("equations") else line + "\n"
    assert place in complaints(text)


@pytest.mark.parametrize("kind", starter_names())
def test_a_starter_has_comments_and_can_be_solved(kind: str) -> None:
    """Each kind is a problem of its own, checked like any other."""
    from derive import solve

    text = (FOLDER / f"{kind}.toml").read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert text.count("#") >= 3
    solution = solve(problem_from_text(text, kind))
    assert solution.checks

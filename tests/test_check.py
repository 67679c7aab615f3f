"""``derive check`` and the pytest plugin: tables, data, documents, and exit statuses."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from derive.chapters import errata as errata_module
from derive.chapters import findings as findings_module
from derive.chapters.prose import own
from derive.cli import main
from derive.report.catalogue import catalogue
from derive.report.compose import slips as slips_module

HERE = Path(__file__).parent
ROOT = HERE.parent
BOOK = HERE / "textbook" / "case1.claims.toml"

WRONG = """problem = "case1"
[[claim]]
quantity = "dE/db1"
printed  = "0.0008"
[[claim]]
quantity = "E"
printed  = "0.5932"
"""


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit status, standard output and standard error of a run."""
    status = main(arguments)
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def written(folder: Path, text: str, name: str = "some.claims.toml") -> str:
    """The path of a claims file with this text."""
    path = folder / name
    path.write_text(text, "utf-8")
    return str(path)


def test_a_table_of_verdicts(capsys: pytest.CaptureFixture[str]) -> None:
    """Every claim has its line with what is printed, what is right and the verdict; errata that are expected are no failure."""
    status, out, err = told(capsys, "check", str(BOOK))
    assert (status, err) == (0, "")
    rows = [line.split() for line in out.splitlines()]
    assert ["case1.dw8", "dE/dW2[1,2]", "0.1183", "0.1183", "agrees"] in rows
    (line,) = (line for line in out.splitlines() if "case1.db1 " in line and "0.0008" in line)
    assert "0.0024" in line
    assert "consistent with the printed factors but not with the data" in line
    assert "The error comes from case1.db1." in out
    assert re.search(r"agrees: 52\n", out)


def test_the_exit_status_tells_an_unexpected_verdict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """1 where a verdict is not the one expected: a wrong number, and an erratum that is none."""
    status, out, _ = told(capsys, "check", written(tmp_path, WRONG))
    assert status == 1
    assert "Expected: agrees." in out
    assert "Not as expected: dE/db1" in out
    expected = WRONG.replace('"0.0008"', '"0.0008"\nexpect = "wrong"')
    assert told(capsys, "check", written(tmp_path, expected))[0] == 0
    right = WRONG.replace('"0.0008"', '"0.0024"\nexpect = "wrong"')
    assert told(capsys, "check", written(tmp_path, right))[0] == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (WRONG.replace("dE/db1", "dE/db7"), "some.claims.toml:2: dE/db7: there is no name b7"),
        (WRONG.replace('"0.0008"', '"eight"'), "some.claims.toml:4: 'eight' is no printed number"),
        ("problem = ", "some.claims.toml:1: this is not TOML"),
    ],
)
def test_bad_input_is_one_message(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str) -> None:
    """Exit status 2, one line on standard error that opens with the place, no table and no file."""
    status, out, err = told(capsys, "check", written(tmp_path, text), "--report", "md", "--out", str(tmp_path / "out"))
    assert (status, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_wrong_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No file, an unknown format, language or engine, and --json with --report are errors."""
    path = written(tmp_path, WRONG)
    for words in ([], [path, "--report", "doc"], [path, "--lang", "xx"], [path, "--pdf-engine", "word"],
                  [path, "--json", "--report", "md"], [str(tmp_path / "no.toml")], [""]):  # fmt: skip
        assert told(capsys, "check", *words)[0] == 2, words


def test_verdicts_as_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One JSON document for all files; every number is a text, and a key that says nothing is left out."""
    status, out, _ = told(capsys, "check", str(BOOK), written(tmp_path, WRONG), "--json")
    found = json.loads(out)
    assert status == 1
    assert found["format"] == 1
    book, other = found["files"]
    assert (book["as_expected"], other["as_expected"]) == (True, False)
    claims = {claim["id"]: claim for claim in book["claims"]}
    assert claims["case1.dh1"]["arithmetic"] == "0.1503"
    assert claims["case1.factor.dh2dzh2"]["carried"] == "0.0050"
    assert claims["case1.update.b1"]["survives"] is True
    assert claims["case1.update.b1"]["inherits"] == ["case1.db1"]
    assert claims["case1.zh1"] == {
        "id": "case1.zh1", "line": 8, "quantity": "z_h", "index": [1, 1], "printed": "4.3", "right": "4.3",
        "value": "4.3", "verdict": "agrees", "expect": "agrees", "as_expected": True,
    }  # fmt: skip
    assert other["claims"][0]["value"].startswith("0.00238820119")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_errata_in_every_format(tmp_path: Path, capsys: pytest.CaptureFixture[str], language: str) -> None:
    """The errata name place, printed, right and why, and derive the corrected line over all four paths."""
    out = tmp_path / "out"
    arguments = ["check", str(BOOK), "--report", "md,tex,html,pdf", "--out", str(out), "--lang", language]
    assert told(capsys, *arguments)[0] == 0
    stem = "case1-errata" if language == "en" else "case1-errata.zh"
    names = [*(f"{stem}.{end}" for end in ("html", "md", "pdf", "tex")), f"{stem}-figure-1.svg", "derive.sty"]
    assert sorted(path.name for path in out.iterdir()) == sorted(names)
    text = (out / f"{stem}.md").read_text("utf-8")
    first = {path.name: path.read_bytes() for path in out.iterdir()}
    assert "$0.0008$" in text
    assert "$0.0024$" in text
    assert "0.002388201194" in text
    assert r"b_1 \to z_{h1} \to h_1 \to z_{o2} \to o_2 \to E" in text  # one of the two that were dropped
    assert r"w_7 h_1 (1 - h_1)" in text  # the paths
    assert r"w_9 h_2 (1 - h_2)" in text
    assert "$2.0861$" in text  # R1 stands among what is right
    assert ("step 4" if language == "en" else "步骤 4") in text
    assert told(capsys, *arguments)[0] == 0
    assert {path.name: path.read_bytes() for path in out.iterdir()} == first


def test_errata_of_a_file_without_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where everything is right the document says so."""
    text = 'problem = "case1"\n[[claim]]\nquantity = "E"\nprinted = "0.5932"\n'
    assert told(capsys, "check", written(tmp_path, text), "--report", "md", "--out", str(tmp_path))[0] == 0
    assert "Nothing is to be corrected." in (tmp_path / "some-errata.md").read_text("utf-8")


def test_errata_derive_what_was_printed_to_its_digits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A number printed with seven decimals is derived with seven; forward, Jacobian and later updates too."""
    text = """problem = "case1"
[[claim]]
quantity = "z_o"
index = [1, 2]
printed = "1.3887000"
[[claim]]
quantity = "dz_o/dh"
index = [1, 2]
printed = "0.8"
[[claim]]
quantity = "E@2"
printed = "0.7"
[[claim]]
quantity = "W1@2"
index = [1, 1]
printed = "0.3"
[[claim]]
quantity = "d2E/db12"
printed = "7"
"""
    told(capsys, "check", written(tmp_path, text), "--report", "md", "--out", str(tmp_path))
    found = (tmp_path / "some-errata.md").read_text("utf-8")
    assert "1.3887938" in found
    assert r"\partial z_{o1} / \partial h_2" in found
    assert "at the parameters after update 2" in found
    assert "`d2E/db12`" in found


HOSTILE = r"\input{/etc/passwd} $x$ #include(\"a\") <script>alert(1)</script> {{ 7*7 }} *b* [a](http://b)"


def test_no_text_of_a_claims_file_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Title, source, place and note of a stranger's file are text in every format."""
    texts = "\n".join(f"{key} = '{HOSTILE}'" for key in ("title", "source"))
    claim = f"[[claim]]\nquantity = 'dE/db1'\nprinted = '0.0008'\nplace = '{HOSTILE}'\nnote = '{HOSTILE}'\nid = '{HOSTILE}'\n"
    arguments = ["--report", "md,tex,html,pdf", "--out", str(tmp_path)]
    status, out, err = told(capsys, "check", written(tmp_path, f"{texts}\nproblem = 'case1'\n{claim}"), *arguments)
    assert (status, err) == (1, "")
    assert HOSTILE in out
    assert "<script>" not in (tmp_path / "some-errata.html").read_text("utf-8")
    assert r"\input{" not in (tmp_path / "some-errata.tex").read_text("utf-8")
    assert "49" not in (tmp_path / "some-errata.html").read_text("utf-8").partition("<body")[2][:2000]


# ── the words ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_word_on_errata_is_used() -> None:
    """The sentences on other people's solutions are those that the table and the document ask for."""
    from derive.cli import check as command
    from derive.report.compose import path_pictures

    sources = [
        Path(str(module.__file__)).read_text("utf-8")
        for module in (command, errata_module, findings_module, slips_module, path_pictures)
    ]
    asked = set(re.findall(r"[\"']((?:errata|slips)\.\w+)[\"']", "".join(sources)))
    asked |= {f"errata.{key}" for key in ("agrees", "carried", "consistent", "wrong", "undecided")}
    asked |= {
        f"errata.{key}" for key in ("place", "quantity", "printed", "right", "value", "reason", "verdict", "arithmetic")
    }
    asked |= {f"errata.{key}_{part}" for key in ("carried", "rounding") for part in ("list", "text")}
    asked |= {"errata.says_consistent", "errata.says_wrong"}
    kinds = (*slips_module.OF_FORMULAS, *slips_module.OF_UPDATES, *slips_module.OF_DIGITS)
    asked |= {f"slips.{kind}" for kind in kinds}
    known = own("en").keys() | catalogue("en").keys
    assert asked == {key for key in known if key.startswith(("errata.", "slips."))}


# ── the pytest plugin ───────────────────────────────────────────────────────────────────────────────────────────


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Pytest in a process of its own, with the plugin."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-p",
        "derive.review.pytest_plugin",
        *arguments,
    ]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_pytest_collects_claims(tmp_path: Path) -> None:
    """One item for each claim; the failure tells the numbers, and an erratum that is none fails."""
    written(tmp_path, WRONG + "expect = 'wrong'\n")
    ran = run_pytest(tmp_path, "-q")
    assert ran.returncode == 1
    assert "2 failed" in ran.stdout
    failure = re.sub(r"\s+", " ", ran.stdout)
    assert (
        "some.claims.toml:2: dE/db1 printed 0.0008 right 0.0024 (0.002388201194) verdict wrong expected agrees"
        in failure
    )
    assert "some.claims.toml:5: E printed 0.5932 right 0.5932 (0.5932448719) verdict agrees expected wrong" in failure
    assert "Traceback" not in ran.stdout
    chosen = run_pytest(tmp_path, "-q", "some.claims.toml::dE/db1")
    assert "1 failed" in chosen.stdout


def test_pytest_passes_what_is_as_expected(tmp_path: Path) -> None:
    """Right numbers, and wrong ones that are known to be wrong, pass; claims of one name are numbered."""
    written(
        tmp_path,
        WRONG.replace('"0.0008"', '"0.0008"\nexpect = "wrong"')
        + WRONG[len('problem = "case1"\n') :].replace("0.0008", "0.0024"),
    )
    ran = run_pytest(tmp_path, "-v")
    assert ran.returncode == 0
    assert "some.claims.toml::dE/db1#2 PASSED" in ran.stdout


def test_pytest_says_what_is_wrong_with_a_file(tmp_path: Path) -> None:
    """A file that cannot be read is an error of collection, a claim that cannot be judged a failure: one line each."""
    written(tmp_path, WRONG.replace('"0.0008"', "0.0008"))
    ran = run_pytest(tmp_path, "-q")
    assert ran.returncode == 2
    assert "some.claims.toml:4: printed is the number 0.0008, expected is a text in quotes" in ran.stdout
    written(tmp_path, WRONG.replace("dE/db1", "dE/db7"))
    ran = run_pytest(tmp_path, "-q")
    assert ran.returncode == 1
    assert "some.claims.toml:2: dE/db7: there is no name b7" in ran.stdout
    assert "Traceback" not in ran.stdout


def test_the_plugin_is_light() -> None:
    """Nothing of derive but the plugin, two packages and the version is loaded by it, and nothing that derive stands on."""
    code = "import sys, derive.review.pytest_plugin\nprint(sorted(m for m in sys.modules if m.split('.')[0] in "
    code += "('derive', 'sympy', 'numpy', 'flint', 'click', 'jinja2', 'typst')))"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "['derive', 'derive.review', 'derive.review.pytest_plugin', 'derive.version']"


def test_the_plugin_is_an_entry_point() -> None:
    """Whoever installs derive has the plugin, under the name that pytest's -p gives it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["entry-points"]["pytest11"] == {"derive.review.pytest_plugin": "derive.review.pytest_plugin"}


def test_the_plugin_explains_itself() -> None:
    """The file in the plugin's documentation is one that can be used."""
    from derive.problem.toml import Source
    from derive.review import pytest_plugin
    from derive.review.check import judged
    from derive.review.claims import claims_of

    lines = str(pytest_plugin.__doc__).splitlines()
    text = "\n".join(line[4:] for line in lines if line.startswith("    ")).replace("net.toml", "case1")
    found = claims_of(Source(text, "doc"), "doc", Path())
    assert not judged(found).unexpected

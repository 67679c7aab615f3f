"""The command line as a user meets it: in a process of its own, in an empty folder."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from derive import __version__
from derive.chapters import chapter_names
from derive.cli import main

Run = Callable[..., subprocess.CompletedProcess[bytes]]

SMALL = """\
equations = \"\"\"
y = x @ w
E = (y - t)**2 / 2
\"\"\"
[given]
x = [1, 2]
t = 0.5
[parameters]
w = [[0.25], [-1]]
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A problem file that is quick to solve: y = -1.75, dE/dy = -2.25, dE/dw = (-2.25, -4.5)."""
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    return path


def refused(done: subprocess.CompletedProcess[bytes], *words: str, status: int = 2) -> str:
    """The one message of a run that was refused; every word of ``words`` stands in it."""
    message = done.stderr.decode()
    assert done.returncode == status, message
    assert done.stdout == b""
    assert "Traceback" not in message
    for word in words:
        assert word in message
    return message


# ── what is asked for is written ────────────────────────────────────────────────────────────────────────────────


def test_three_files_and_a_summary(run: Run, tmp_path: Path, small: Path) -> None:
    """Without options, three files under ``reports``; the summary names results, checks and files."""
    done = run("small.toml")
    assert done.returncode == 0, done.stderr.decode()
    assert done.stderr == b""
    files = sorted((tmp_path / "reports").iterdir())
    assert {"small.md", "small.tex", "small.pdf"} <= {path.name for path in files}
    assert (tmp_path / "reports" / "small.pdf").read_bytes().startswith(b"%PDF")
    shown = done.stdout.decode()
    for word in ("-2.25", "-4.5", "small.md", "small.tex", "small.pdf", "checks"):
        assert word in shown
    assert "\x1b" not in shown
    assert not re.search(r"\d s\b", shown), "time belongs on a terminal alone"


def test_solve_may_be_written_before(run: Run, small: Path) -> None:
    """``solve FILE`` and ``FILE``, options before or behind, are the same command."""
    outputs = {
        run(*words).stdout
        for words in (
            ("small.toml", "--json"),
            ("solve", "small.toml", "--json"),
            ("--json", "small.toml"),
            ("solve", "--json", "./small.toml"),
        )
    }
    assert len(outputs) == 1
    assert outputs != {b""}


def test_json_is_one_document_and_no_files(run: Run, tmp_path: Path, small: Path) -> None:
    """``--json`` prints the contract's document and leaves the folder as it was."""
    done = run("small.toml", "--json")
    assert done.returncode == 0, done.stderr.decode()
    document = json.loads(done.stdout)
    assert document["format"] == 1
    assert document["problem"] == "small"
    [part] = document["parts"]
    assert part["name"] is None
    assert part["gradients"]["w"] == [["-2.25"], ["-4.5"]]
    assert part["values"]["E"] == [["2.53125"]]
    assert all(check["passed"] for check in part["checks"])
    assert [path.name for path in tmp_path.iterdir()] == ["small.toml"]


@pytest.mark.parametrize(
    "words", [("--format", "md,tex"), ("--format", "md", "--format", "tex"), ("--format", "tex, md,md")]
)
def test_formats_by_commas_or_by_repetition(run: Run, tmp_path: Path, small: Path, words: tuple[str, ...]) -> None:
    """Formats are a list, however it is written; a format twice is written once."""
    done = run("small.toml", "--out", "here/and/there", *words)
    assert done.returncode == 0, done.stderr.decode()
    names = {path.name for path in (tmp_path / "here/and/there").iterdir()}
    assert {"small.md", "small.tex"} <= names
    assert "small.pdf" not in names


def test_questions_give_no_answer_away(run: Run, tmp_path: Path, small: Path) -> None:
    """``--questions`` writes ``NAME-questions`` alone, and no result stands in it or in the summary."""
    done = run("small.toml", "--questions", "--format", "md")
    assert done.returncode == 0, done.stderr.decode()
    assert {path.stem for path in (tmp_path / "reports").glob("*.md")} == {"small-questions"}
    sheet = (tmp_path / "reports" / "small-questions.md").read_text(encoding="utf-8")
    for answer in ("2.25", "4.5", "2.53125"):
        assert answer not in sheet
        assert answer not in done.stdout.decode()


def test_digits_reach_the_page(run: Run, tmp_path: Path, small: Path) -> None:
    """``--digits`` and ``--significant`` override the problem's own convention."""
    for words, shown in ((("--digits", "1"), "2.5"), (("--significant", "2"), "2.5"), (("--digits", "5"), "2.53125")):
        done = run("small.toml", "--format", "md", *words)
        assert done.returncode == 0, done.stderr.decode()
        assert re.search(rf"\bE +{re.escape(shown)}$", done.stdout.decode(), re.M), done.stdout.decode()


def test_output_is_the_same_each_time(run: Run, tmp_path: Path, small: Path) -> None:
    """No clock, hash order or locale in any file: three formats, byte for byte."""
    made = []
    for seed, folder in (("1", "one"), ("2", "two")):
        done = run("small.toml", "--out", folder, PYTHONHASHSEED=seed, LC_ALL="C", TZ=f"UTC+{seed}")
        assert done.returncode == 0, done.stderr.decode()
        made.append({path.name: path.read_bytes() for path in (tmp_path / folder).iterdir()})
    assert made[0] == made[1]


def test_list_names_every_built_in_problem(run: Run, root: Path) -> None:
    """One line for each problem file in ``derive/cases`` and for each chapter, with its title, under its kind."""
    done = run("list")
    assert done.returncode == 0, done.stderr.decode()
    problems, *gallery, chapters = (block.splitlines() for block in done.stdout.decode().split("\n\n"))
    assert (problems[0], chapters[0]) == ("Cases of the textbook", "Chapters")
    folders = sorted(path for path in (root / "derive/cases").iterdir() if path.is_dir() and any(path.glob("*.toml")))
    for folder, shown in zip((root / "derive/cases", *folders), (problems, *gallery), strict=True):
        assert [line.split()[0] for line in shown[1:]] == sorted(path.stem for path in folder.glob("*.toml"))
    assert [line.split()[0] for line in chapters[1:]] == list(chapter_names())
    assert all(len(line.split()) > 3 for block in (problems, *gallery, chapters) for line in block[1:])
    names = [line.split()[0] for block in (problems, *gallery, chapters) for line in block[1:]]
    assert len(set(names)) == len(names)


# ── what is not right gets one message ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["case7"], ["case7", "case"]),
        (["nothing.toml"], ["nothing.toml"]),
        (["no/such/file.toml"], ["no/such/file.toml"]),
        (["smal.toml"], ["smal.toml", "small.toml"]),
        (["./"], ["./"]),
        (["folder.toml"], ["folder.toml", "folder"]),
        (["-"], ["-"]),
        ([""], ["empty"]),
        (["small.toml", "other.toml"], ["other.toml"]),
        (["latin.toml"], ["latin.toml", "UTF-8"]),
        (["small.toml", "--digits", "99"], ["digits", "99"]),
        (["small.toml", "--digits", "-1"], ["digits", "-1"]),
        (["small.toml", "--digits", "four"], ["digits", "four"]),
        (["small.toml", "--significant", "0"], ["significant", "0"]),
        (["small.toml", "--style", "matrx"], ["matrx", "matrix"]),
        (["small.toml", "--style", ""], ["style"]),
        (["small.toml", "--format", "pfd"], ["pfd", "pdf"]),
        (["small.toml", "--format", "docx"], ["docx", "not built yet", "md"]),
        (["small.toml", "--format", "md,"], ["empty"]),
        (["small.toml", "--pdf-engine", "latex"], ["latex", "xelatex"]),
        (["small.toml", "--lang", "tlh"], ["tlh", "en"]),
        (["small.toml", "--out", "small.toml"], ["small.toml"]),
        (["small.toml", "--out", "small.toml/sub"], ["small.toml"]),
        (["small.toml", "--out", ""], ["--out", "empty"]),
        (["small.toml", "--json", "--out", "x"], ["--json", "--out"]),
        (["small.toml", "--jsn"], ["--jsn", "--json"]),
        (["quiz", "small.toml"], ["quiz", "not built yet", "solve"]),
        (["serve"], ["serve", "not built yet"]),
        (["lst"], ["lst", "list"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_bad_words(
    words: list[str],
    expected: list[str],
    tmp_path: Path,
    small: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Status 2, nothing on standard output, one message that names what was found (and, where near, what was meant)."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "latin.toml").write_bytes(SMALL.replace("y", "\xe9").encode("latin-1"))
    before = sorted(tmp_path.rglob("*"))
    assert main(words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert all(word in said.err for word in expected), said.err
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.skipif(os.name == "nt", reason="file names are text on Windows")
def test_a_name_that_is_no_text(run: Run, tmp_path: Path) -> None:
    """A file name that is not UTF-8 cannot stand in a report; it is refused, and shown with its bytes spelled out."""
    refused(run(b"b\xffd.toml"), r"b\xffd.toml", "UTF-8")


def test_wrong_input_names_file_and_line(run: Run, tmp_path: Path) -> None:
    """A message opens with ``file:line:``, as editors read it."""
    (tmp_path / "wrong.toml").write_text(SMALL.replace("y = x @ w", "y = x @ v"))
    message = refused(run("wrong.toml"), "v")
    assert message.startswith("wrong.toml:2: ")
    assert message.count("\n") == 1


def test_a_failed_check_is_status_3(
    small: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Where a witness disagrees, the message names the quantity and both numbers, and no file is written."""
    from derive.oracle import Oracle

    honest = Oracle.backprop
    monkeypatch.setattr(Oracle, "backprop", lambda *a, **k: {n: 1.5 * g for n, g in honest(*a, **k).items()})
    monkeypatch.chdir(tmp_path)
    assert main(["small.toml"]) == 3
    said = capsys.readouterr()
    assert said.out == ""
    assert re.search(r"dE/d\w+, entry 1: .*-2\.25.*-3\.375", said.err), said.err
    assert not (tmp_path / "reports").exists()


def test_an_interrupt_is_not_a_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Ctrl-C ends the program with the shell's status for it, 130."""
    from derive import api

    def interrupt(language: str = "en") -> dict[str, str]:
        raise KeyboardInterrupt

    monkeypatch.setattr(api, "titles", interrupt)
    assert main(["list"]) == 130
    assert "interrupted" in capsys.readouterr().err


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder that nobody may write, not even root")
def test_a_folder_that_cannot_be_written(run: Run, small: Path) -> None:
    """A folder that cannot be made or written is named, with the reason."""
    refused(run("small.toml", "--out", "/proc/reports"), "/proc/reports", "--out")


# ── the program itself ──────────────────────────────────────────────────────────────────────────────────────────


def test_version_and_help(run: Run) -> None:
    """``--version`` says which; ``--help`` has examples that work, under the name the program was called by."""
    assert run("--version").stdout.decode() == f"derive {__version__}\n"
    for words in (("--help",), ("-h",), ("solve", "--help"), ("--help", "solve")):
        done = run(*words)
        assert done.returncode == 0
        shown = done.stdout.decode()
        assert "Usage: python -m derive" in shown
        assert "Examples:" in shown
        assert "  python -m derive case1 " in shown


def test_nothing_asked(run: Run) -> None:
    """Without a word the program says what it can do, on standard error and with status 2: a script has lost a name."""
    done = run()
    assert done.returncode == 2
    assert done.stdout == b""
    assert b"Examples:" in done.stderr


def test_console_script_and_module_are_one(run: Run, tmp_path: Path, small: Path) -> None:
    """The console script prints what ``python -m derive`` prints, and calls itself ``derive``."""
    script = shutil.which("derive", path=str(Path(sys.executable).parent))
    if script is None:  # a checkout without an install: the script's own two lines
        path = tmp_path / "derive"
        path.write_text("from derive.cli import run\nrun()\n")
        command = [sys.executable, str(path)]
    else:
        command = [script]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parent.parent)}

    def script_run(*words: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run([*command, *words], cwd=tmp_path, env=environment, capture_output=True, check=False)

    ours, theirs = script_run("small.toml", "--json"), run("small.toml", "--json")
    assert (ours.returncode, ours.stdout) == (0, theirs.stdout)
    assert b"Usage: derive " in script_run("--help").stdout
    assert script_run("mark").returncode == 2


def test_a_reader_that_leaves(run: Run, tmp_path: Path) -> None:
    """``derive list | head -0`` ends without a complaint."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "derive", "list"],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parent.parent)},
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)
    assert done.stderr == b""
    assert done.returncode == 141


def test_a_terminal_that_cannot_show_it(run: Run, small: Path) -> None:
    """On a terminal that knows ASCII alone nothing fails; what it cannot show is spelled out."""
    assert run("list", PYTHONIOENCODING="ascii").returncode == 0
    assert run("small.toml", "--format", "md", PYTHONIOENCODING="ascii").returncode == 0
    assert json.loads(run("small.toml", "--json", PYTHONIOENCODING="ascii").stdout)


def test_importing_costs_nothing() -> None:
    """``import derive`` and the command line load neither SymPy nor NumPy, rich, Typst or Jinja."""
    heavy = "{'sympy', 'numpy', 'flint', 'rich', 'typst', 'jinja2', 'tree_sitter'}"
    code = f"import sys, derive, derive.cli; print(sorted({heavy} & set(sys.modules)))"
    root = str(Path(__file__).resolve().parent.parent)
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": root}, capture_output=True, check=True
    )
    assert done.stdout.decode().strip() == "[]"


def test_formats_and_engines_are_those_of_the_reports() -> None:
    """What help and messages name before anything is loaded is what the report can be made as."""
    from derive.cli.words import ENGINES, FORMATS
    from derive.report import files, tex_engines

    assert files.FORMATS == FORMATS
    assert set(ENGINES) == {"typst", *tex_engines.ENGINES}

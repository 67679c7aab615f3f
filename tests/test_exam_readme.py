"""The README of the room of exams: its exam file is read, its commands and its Python run, every key stands in it."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from derive.cli import main
from derive.exam.reading.read import QUESTION_KEYS, read_exam
from derive.exam.reading.require import KEYS as REQUIRE_KEYS
from derive.exam.searching.search import search

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "derive" / "exam" / "README.md").read_text(encoding="utf-8")
NET = """
equations = '''
z = x @ W1 + b1
h = relu(z)
y = h @ W2
E = sum((y - t)**2) / 2
'''

[given]
x = [1, 2]
t = 1

[parameters]
W1 = [[1, -0.5], [0.5, 1]]
b1 = [0.5, 0]
W2 = [[1], [-2]]

[ask]
update = { rate = 0.1 }
"""


def block(language: str, containing: str = "") -> str:
    """The one code block in a language that contains a text."""
    [found] = [text for text in re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL) if containing in text]
    return str(found)


def test_every_key_is_described() -> None:
    """Each key of a question and of its requirements stands in a table."""
    for key in (*QUESTION_KEYS, *REQUIRE_KEYS):
        assert f"`{key}`" in README, key


def test_the_exam_file_has_variants(tmp_path: Path) -> None:
    """The exam that is shown reads, and there are variants of it with either activation."""
    (tmp_path / "quiz.toml").write_text(block("toml"), encoding="utf-8")
    (tmp_path / "net.toml").write_text(NET, encoding="utf-8")
    exam = read_exam(tmp_path / "quiz.toml")
    found = search(exam, 8, 7).variants
    assert {one.chosen["a"].functions["h"] for one in found} == {"relu", "tanh"}


@pytest.mark.slow
def test_the_commands_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands, in their order, with three variants and the answers of one student; then the lines of Python."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    for line in block("sh").splitlines():
        _, *words = shlex.split(line.partition(" #")[0].replace("--variants 30", "--variants 3"))
        if words[0] == "mark":
            head, row = "student,variant,question,quantity,index,value", "anna,1,a,y,,0"
            Path("answers.csv").write_text(f"{head}\n{row}\n", encoding="utf-8")
            words.append("--allow-missing")
        assert main(words) == 0, words
    assert Path("again/papers").is_dir()
    program = tmp_path / "papers.py"
    program.write_text(block("python").replace('"quiz", 30', '"third", 3'), encoding="utf-8")
    subprocess.run([sys.executable, program], check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert Path("third/manifest.json").is_file()

"""A commented exam to start from, with its problems: what ``derive exam new`` writes."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent
PROBLEMS = ("network", "logistic")


def starter(stem: str) -> dict[str, str]:
    """The texts of the files by name: the exam, which calls its problems by the names that these files have.

    ``stem`` is that of the exam file; letters, digits, ``.``, ``_`` and ``-``.
    """
    texts = {name: (FOLDER / f"{name}.toml").read_text(encoding="utf-8") for name in ("exam", *PROBLEMS)}
    exam = texts["exam"].replace("FILE", f"{stem}.toml", 1)
    for name in PROBLEMS:
        exam = exam.replace(f'problem = "{name}.toml"', f'problem = "{stem}-{name}.toml"')
    return {f"{stem}.toml": exam} | {f"{stem}-{name}.toml": texts[name] for name in PROBLEMS}

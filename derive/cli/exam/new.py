"""``derive exam new``: an exam file to start from, with its problems beside it."""

from __future__ import annotations

import os
from pathlib import Path

import click

from derive.cli.words import require_text
from derive.errors import ProblemError


@click.command("new")
@click.argument("name", metavar="NAME")
def new(name: str) -> None:
    """Write a commented exam file to start from, and the problem files that it needs.

    NAME is that of the exam ("quiz" for quiz.toml), or a file that ends in .toml. No file is written over.
    """
    require_text(name, "the name")
    from derive.exam.reading.starters import starter
    from derive.problem.find import safe_name
    from derive.problem.wording import shown
    from derive.report.write import write_files

    given = Path(name)
    stem = given.stem if given.suffix == ".toml" else given.name
    if stem != safe_name(stem):
        raise ProblemError(
            f"{shown(name)} cannot name an exam: expected are letters, digits, -, _ and .",
            hint=f"such as {safe_name(stem)}",
        )
    folder = given.parent
    files = {folder / file: text.encode("utf-8") for file, text in starter(stem).items()}
    there = [str(path) for path in files if os.path.lexists(path)]
    if there:
        raise ProblemError(f"{there[0]} is there already, and nothing is written over it", hint="take another name")
    write_files(files)
    for path in files:
        click.echo(path)

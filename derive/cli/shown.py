"""What the terminal shows when something has been solved: results, checks, files; plain, or in colours for a person."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from derive.api import Solution
    from derive.report.catalogue import Catalogue
    from derive.solution import Check

BOUND = re.compile(r"\de[-+]\d+")  # a check that compares numbers begins its figure with the bound that was met
Rows = list[tuple[str, list[str]]]  # what it is, and the lines beside it


def summarise(title: str, rows: Rows, say: Catalogue, seconds: float) -> None:
    """Results, checks and files; on a terminal in colours, and with the time that it took."""
    show = richly if sys.stdout.isatty() else plainly
    show(title, [*rows, (say.text("terminal.time"), [say.numbers(f"{seconds:.2f} s")])] if show is richly else rows)


def ending(checks: Sequence[Check], written: Sequence[Path], say: Catalogue) -> Rows:
    """The rows that close every summary: the checks and the files."""
    return [(say.text("terminal.checks"), [verdict(checks, say)]), (say.text("terminal.files"), files(written, say))]


def results(solution: Solution, say: Catalogue) -> Iterator[tuple[str, list[str]]]:
    """Each result under its name, the columns of a matrix aligned at their decimal signs; parts under a heading."""
    part = None
    found = solution.results(lang=say.language)
    from derive.report.alignment import in_columns

    for result in found:
        if result.part != part:
            part = result.part
            if result is not found[0]:
                yield "", []
            yield say.text("terminal.part", part=str(part)), []
        lines = ["  ".join(row).rstrip() for row in in_columns(result.rows)]
        yield result.quantity, lines or [say.text("terminal.large", size=" x ".join(map(str, result.shape)))]
    if not found:
        yield say.text("terminal.no_numbers"), [say.text("terminal.see_report")]


def verdict(checks: Sequence[Check], say: Catalogue) -> str:
    """How many checks passed, and the weakest bound among those that compare numbers."""
    from derive.report.spacing import spaced_text

    bounds = [(float(match[0]), check) for check in checks if (match := BOUND.match(check.figure))]
    said = say.text("terminal.passed", count=str(len(checks)))
    if bounds:
        weakest, check = max(bounds, key=lambda pair: pair[0])
        what = say.text(f"checks.{check.check}")
        said += say.text("terminal.weakest", bound=f"{weakest:.0e}", check=what, of=check.of)
    return spaced_text(said)


def files(written: Sequence[Path], say: Catalogue) -> list[str]:
    """The files with their sizes."""
    width = max(len(str(path)) for path in written)
    sizes = [say.numbers(f"{path.stat().st_size / 1000:>8,.1f} kB") for path in written]
    return [f"{path!s:<{width}}  {size}" for path, size in zip(written, sizes, strict=True)]


def plainly(title: str, rows: Rows) -> None:
    """For a file or another program to read."""
    from derive.report.spacing import columns, padded

    width = max(columns(name) for name, _ in rows)
    click.echo(title + "\n")
    for name, lines in rows:
        for first, line in zip([name, *[""] * len(lines)], lines or [""], strict=False):
            click.echo(f"{padded(first, width)}  {line}".rstrip())


def richly(title: str, rows: Rows) -> None:
    """For a person at a terminal; ``NO_COLOR`` is respected."""
    from rich.console import Console
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    for name, lines in rows:
        table.add_row(Text(name, style="bold cyan"), Text("\n".join(lines)))
    Console(highlight=False).print(
        Panel(table, title=Text(title, style="bold"), title_align="left", expand=False, padding=(1, 2))
    )

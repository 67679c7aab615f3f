"""What the commands that print papers share: their options, a progress bar, and what they say at the end."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import click

from derive.cli.words import FORMATS, words

if TYPE_CHECKING:
    from derive.exam.building.build import Built, Progress, Searching

    Work = Callable[[Progress | None, Searching | None], Built]

with_formats = click.option(
    "--format",
    "formats",
    metavar="FORMATS",
    multiple=True,
    callback=words,
    default=("pdf",),
    help=f"Of {', '.join(FORMATS)}: several with commas.  [default: pdf]",
)
languages_of = click.option(
    "--lang",
    "languages",
    metavar="LANGUAGES",
    multiple=True,
    callback=words,
    help="Of the papers: en, zh or en,zh.  [default: those of the exam]",
)
_workers = click.option("--workers", type=click.IntRange(min=1), metavar="N", help="Processes.  [default: one a core]")
_force = click.option("--force", is_flag=True, help="Replace the papers of another build in this folder.")


Command = TypeVar("Command", bound=Callable[..., int])

INTERRUPTED = 130  # the exit status of every command that Ctrl-C ends


def by_workers(command: Command) -> Command:
    """The options ``--workers`` and ``--force``."""
    return _workers(_force(command))


def run(work: Work) -> int:
    """Do the work, with a progress bar for a person who watches, and say what came of it. Gives the exit status."""
    done = [0, 0]
    try:
        with _bars(done) as (progress, searching):
            built = work(progress, searching)
    except KeyboardInterrupt:
        if done[1]:
            click.echo(
                f"derive: interrupted: {done[0]} of {done[1]} variants are finished and whole; "
                "the same command goes on from here",
                err=True,
            )
            return INTERRUPTED
        raise
    for note in built.notes:
        click.echo(f"derive: {note}", err=True)
    for failure in built.failures:
        click.echo(f"derive: variant {failure.number} ({failure.code}): {failure.reason}", err=True)
    new = "" if built.made == built.finished else f", {built.made} of them now"
    click.echo(f"{built.finished} of {built.variants} variants in {built.folder}{new}")
    return built.status


@contextmanager
def _bars(done: list[int]) -> Iterator[tuple[Progress, Searching | None]]:
    """What is told of the progress: kept in ``done``, and on a terminal drawn."""

    def count(finished: int, total: int, failed: int) -> None:
        done[:] = finished, total

    if not sys.stderr.isatty():
        yield count, None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        searched = bar.add_task("searching", total=None)
        printed = bar.add_task("printing", total=None, visible=False)

        def search(found: int, total: int) -> None:
            bar.update(searched, completed=found, total=total)

        def draw(finished: int, total: int, failed: int) -> None:
            count(finished, total, failed)
            said = f"printing, {failed} failed" if failed else "printing"
            bar.update(searched, visible=False)
            bar.update(printed, description=said, completed=finished, total=total, visible=True)

        yield draw, search

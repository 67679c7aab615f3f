"""``derive exam build``: variants are searched for, and each is printed as a paper, a solution and a key."""

from __future__ import annotations

import click

from derive.cli.exam.printing import by_workers, languages_of, run, with_formats
from derive.cli.words import by_engine, require_text


@click.command("build")
@click.argument("file", metavar="FILE")
@click.option("--variants", type=click.IntRange(min=1), metavar="N", help="How many.  [default: 30]")
@click.option("--seed", type=int, metavar="N", default=7, show_default=True, help="Other seeds, other variants.")
@click.option("--students", metavar="FILE", help="One variant for each id in this file: one a line, or a CSV.")
@click.option("--out", metavar="DIR", help="Folder for the files.  [default: the exam's name]")
@with_formats
@languages_of
@by_engine
@by_workers
def build(
    file: str,
    variants: int | None,
    seed: int,
    students: str | None,
    out: str | None,
    formats: tuple[str, ...],
    languages: tuple[str, ...],
    engine: str,
    workers: int | None,
    force: bool,
) -> int:
    """Make many papers of one exam file, each with its solution and its key.

    The folder gets manifest.json (the numbers of every variant), papers/, solutions/ and keys/ with a file for each
    variant, papers.pdf and keys.pdf with all of them, and set.md, a report on the set. The same command goes on where
    it was interrupted, and with more variants, or students behind the last, it adds theirs.
    """
    for text, what in ((file, "the exam file"), (students, "the file of --students"), (out, "the folder of --out")):
        if text is not None:
            require_text(text, what)
    from derive.errors import ProblemError
    from derive.exam.building import build as papers
    from derive.exam.reading.read import read_exam

    if students is not None and variants is not None:
        raise ProblemError("--variants and --students exclude each other: each student has one variant")
    exam, ids = read_exam(file), None
    if students is not None:
        from derive.exam.sets.students import read_students

        ids = read_students(students)
    return run(
        lambda progress, searching: papers.build(
            exam, out or exam.name, variants or 30, seed, ids, formats, languages, engine,
            force=force, workers=workers, progress=progress, searching=searching,
        )
    )  # fmt: skip

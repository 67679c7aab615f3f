"""``derive exam export``: the variants of an exam as questions of a learning platform."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from derive.cli.words import require_text, words

if TYPE_CHECKING:
    from derive.exam.exam import Exam
    from derive.exam.variant import Variant
    from derive.solution import Solution

# What `derive.exam.platforms` makes, said here too: help need not wait until it is loaded. A test compares them.
PLATFORMS = ("moodle", "qti", "gift")
MANIFEST = "manifest.json"


@click.command("export")
@click.argument("manifest", metavar="MANIFEST")
@click.option(
    "--to",
    "platforms",
    metavar="PLATFORMS",
    multiple=True,
    required=True,
    callback=words,
    help=f"Of {', '.join(PLATFORMS)}: several with commas, or the option several times.",
)
@click.option(
    "--lang",
    "languages",
    metavar="LANGUAGES",
    multiple=True,
    callback=words,
    help="Languages of the questions, several with commas.  [default: those of the exam]",
)
@click.option("--out", metavar="DIR", help="Folder for the files.  [default: that of the manifest]")
@click.option(
    "--tolerance",
    metavar="NUMBER",
    help="How far off an answer may be: 1u is one unit of the last digit asked for, 0.5u half of one, 0.01 or 1% a "
    "share of the value.  [default: 1u]",
)
def export(
    manifest: str,
    platforms: tuple[str, ...],
    languages: tuple[str, ...],
    out: str | None,
    tolerance: str | None,
) -> None:
    """Write the variants of an exam as questions of a learning platform.

    MANIFEST is the manifest.json that `derive exam build` wrote, or its folder. Each question becomes a category (in
    QTI a section) with one question for each variant, of which the platform draws one: Moodle XML (`quiz.moodle.xml`),
    a QTI 2.1 package (`quiz.qti.zip`). GIFT (`quiz.gift.txt`) has no points and no pictures, and a question for each
    entry: there each variant is a category, to be taken whole.
    """
    require_text(manifest, "the manifest")
    if out is not None:
        require_text(out, "the folder of --out")
    from derive.exam.platforms import export as exported
    from derive.exam.platforms import known
    from derive.exam.sets.manifest import read_manifest
    from derive.exam.tolerance import tolerance as read_tolerance
    from derive.report.catalogue import catalogue
    from derive.report.write import write_files

    wanted, allowed = known(platforms), read_tolerance(tolerance)
    for language in languages:
        catalogue(language)  # refuses what it does not know before anything is solved
    path = Path(manifest) / MANIFEST if Path(manifest).is_dir() else Path(manifest)
    read = read_manifest(path)
    files = exported(read.exam, _solved(read.exam, read.variants), wanted, languages, allowed)
    folder = path.parent if out is None else Path(out)
    write_files({folder / name: content for name, content in files.items()})
    for name, content in files.items():
        click.echo(f"{folder / name}  {len(content) / 1000:,.1f} kB")


def _solved(exam: Exam, variants: tuple[Variant, ...]) -> Iterator[tuple[Variant, Mapping[str, Solution]]]:
    """Each variant with its solutions, one after the other."""
    from derive.exam.building.solved import solved

    for variant in variants:
        yield variant, solved(exam, variant)

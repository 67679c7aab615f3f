"""``derive exam rebuild``: papers from a manifest, byte for byte, without a search."""

from __future__ import annotations

import click

from derive.cli.exam.printing import by_workers, languages_of, run, with_formats
from derive.cli.words import by_engine, require_text, words


@click.command("rebuild")
@click.argument("manifest", metavar="MANIFEST")
@click.option(
    "--only",
    metavar="VARIANTS",
    multiple=True,
    callback=words,
    help="These numbers and codes: 3,7.  [default: all]",
)
@click.option("--out", metavar="DIR", required=True, help="Folder for the files.")
@with_formats
@languages_of
@by_engine
@by_workers
def rebuild(
    manifest: str,
    only: tuple[str, ...],
    out: str,
    formats: tuple[str, ...],
    languages: tuple[str, ...],
    engine: str,
    workers: int | None,
    force: bool,
) -> int:
    """Make the papers of a manifest once more: every file byte for byte where the version is the same.

    MANIFEST is the manifest.json of `derive exam build`; neither the exam file nor a seed is needed. The report on
    the set (set.md) is not made again: it tells of the search.
    """
    require_text(manifest, "the manifest")
    require_text(out, "the folder of --out")
    from derive.exam.building import build as papers

    return run(
        lambda progress, _: papers.rebuild(
            manifest, out, only, formats, languages, engine, force=force, workers=workers, progress=progress
        )
    )

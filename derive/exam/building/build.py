"""All papers of an exam into a folder: the manifest first, then variant by variant, each of them whole or not at all.

manifest.json   the numbers of every variant, from which everything else can be made again
papers/ solutions/ keys/   001-AB2C.pdf, in Chinese 001-AB2C.zh.pdf
papers.pdf keys.pdf        all of them one behind another
set.md          the report on the set
done.jsonl      what is finished, with the digest of every file
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path

from derive.errors import ProblemError
from derive.exam.building.folder import MANIFEST, Built, Progress, make
from derive.exam.building.jobs import Wishes
from derive.exam.exam import Exam
from derive.exam.sets.manifest import Manifest, manifest_bytes, manifest_of, read_manifest
from derive.exam.variant import Variant
from derive.report.document import Document
from derive.report.files import files
from derive.version import __version__

REPORT = "set.md"

Searching = Callable[[int, int], None]  # searches that are done, and of how many


def build(
    exam: Exam,
    folder: str | os.PathLike[str],
    variants: int = 30,
    seed: int = 7,
    students: Sequence[str] | None = None,
    formats: Iterable[str] = ("pdf",),
    languages: Iterable[str] = (),
    engine: str = "typst",
    *,
    force: bool = False,
    executor: Executor | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
    searching: Searching | None = None,
) -> Built:
    """Search for variants of an exam, and print them all; with ``students`` one for each of them.

    They are printed by ``executor``, any of ``concurrent.futures``' kind (``Client.get_executor()`` of Dask), or by
    ``workers`` processes, one for each core. In a folder where the same build was interrupted it goes on, and in one
    with fewer variants of it, or with the first of the students, it adds what is missing. ``searching`` is told how
    many searches are done, and of how many. Raises ``ProblemError`` before anything is written; a variant that cannot
    be made is among the ``failures`` of what comes back.
    """
    place, count = Path(folder), len(students) if students is not None else variants
    wishes = Wishes(tuple(formats), tuple(languages), engine=engine, held=True).check(exam)
    known = _known(place, exam, count, seed, students)
    notes: tuple[str, ...] = ()
    grown = None
    if known is not None:
        manifest, first = known, {MANIFEST: (place / MANIFEST).read_bytes()}
    else:
        from derive.exam.searching.search import search
        from derive.exam.sets.set_document import set_document
        from derive.exam.sets.set_report import set_report

        found = search(exam, count, seed, students, searching)
        manifest = manifest_of(exam, seed, found.variants)
        report = set_document(exam, set_report(exam, found.variants, found.statistics), wishes.languages[0])
        first = {MANIFEST: manifest_bytes(manifest), **_report(report)}
        grown = _fewer(place, manifest)
        notes = tuple(f"question {one.question}: {each}" for one in found.statistics for each in one.unused)
    built = make(
        exam, manifest.variants, place, first, wishes,
        force=force, executor=executor, workers=workers, progress=progress, grown=grown,
    )  # fmt: skip
    return replace(built, notes=notes)


def rebuild(
    manifest: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    only: Iterable[int | str] = (),
    formats: Iterable[str] = ("pdf",),
    languages: Iterable[str] = (),
    engine: str = "typst",
    *,
    force: bool = False,
    executor: Executor | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Built:
    """The papers of a manifest once more: ``only`` those of these numbers and codes, where any are named.

    Raises ``ProblemError`` for what is no manifest, and for a number or a code that it does not have.
    """
    found = read_manifest(os.fspath(manifest))
    wishes = Wishes(tuple(formats), tuple(languages), engine=engine).check(found.exam)
    chosen = _chosen(found, tuple(only), os.fspath(manifest))
    return make(
        found.exam, chosen, Path(folder), {MANIFEST: Path(manifest).read_bytes()}, wishes,
        force=force, executor=executor, workers=workers, progress=progress, whole=len(chosen) == len(found.variants),
    )  # fmt: skip


def _known(folder: Path, exam: Exam, count: int, seed: int, students: Sequence[str] | None) -> Manifest | None:
    """The manifest in a folder, where it is that of the very same build: then nothing has to be searched for."""
    if not exam.sources or not (folder / MANIFEST).is_file() or not (folder / REPORT).is_file():
        return None
    found = read_manifest(folder / MANIFEST)
    same = (
        (found.exam.name, found.exam.sources, found.exam.languages) == (exam.name, exam.sources, exam.languages)
        and (found.seed, found.version, len(found.variants)) == (seed, __version__, count)
        and all(
            one.student == id
            for one, id in zip(found.variants, (*students,) if students else (None,) * count, strict=True)
        )
    )
    return found if same else None


def _fewer(folder: Path, manifest: Manifest) -> bytes | None:
    """The manifest of as many of the variants as a folder has one of: the same bytes if they are the same variants."""
    try:
        count = len(read_manifest(folder / MANIFEST).variants)
    except ProblemError:  # there is none, or none that can be read
        return None
    return manifest_bytes(replace(manifest, variants=manifest.variants[:count]))


def _report(document: Document) -> dict[str, bytes]:
    """The report on a set as ``set.md``, with its pictures."""
    return files(replace(document, name=Path(REPORT).stem), ("md",))


def _chosen(manifest: Manifest, only: Sequence[int | str], file: str) -> tuple[Variant, ...]:
    numbers = {str(one.number): one for one in manifest.variants}
    chosen: dict[int, Variant] = {}
    for wish in only:
        try:
            one = numbers[str(wish)] if str(wish) in numbers else manifest.variant(str(wish))
        except KeyError:
            code = manifest.variants[0].code
            raise ProblemError(
                f"there is no variant {wish} in this manifest",
                file=file,
                hint=f"it has the numbers {next(iter(numbers))} to {len(numbers)}, and codes such as {code}",
            ) from None
        chosen[one.number] = one
    return tuple(chosen[number] for number in sorted(chosen)) if only else manifest.variants


__all__ = ["Built", "Progress", "Searching", "build", "rebuild"]

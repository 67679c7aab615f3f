"""A folder of papers: the manifest first, then variant by variant, each of them whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, overload

from derive.errors import ProblemError
from derive.exam.building.executors import cores, outcomes
from derive.exam.building.jobs import KINDS, Compose, Failure, Wishes, digest, jobs, stem_of
from derive.exam.building.journal import Journal
from derive.exam.exam import Exam
from derive.exam.variant import Variant
from derive.records import dataclass
from derive.report.document import stem_in
from derive.report.write import write_files

MANIFEST = "manifest.json"
MERGED = ("paper", "key")  # the documents of which all variants stand in one file, too

Progress = Callable[[int, int, int], None]  # variants that are finished, of how many, and how many failed
Merge = Callable[[Sequence[tuple[str, bytes]]], bytes]


@dataclass(frozen=True)
class Built:
    """A folder of papers. ``finished`` counts the variants that are whole, ``made`` those of them made this time.

    ``notes`` say what the search could not do though it was wished for: activations that no variant has.
    """

    folder: Path
    variants: int
    finished: int
    made: int
    failures: tuple[Failure, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def status(self) -> int:
        """The exit status: 0, 2 where a variant could not be made, 3 where a check failed in one."""
        return max((failure.status for failure in self.failures), default=0)


def make(
    exam: Exam,
    variants: Sequence[Variant],
    folder: Path,
    first: Mapping[str, bytes],
    wishes: Wishes,
    *,
    force: bool = False,
    executor: Executor | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
    compose: Compose | None = None,
    merge: Merge | None = None,
    whole: bool = True,
    grown: bytes | None = None,
) -> Built:
    """Write ``first`` (the manifest among it), then every variant that is not finished, then the merged files.

    Where these are not the ``whole`` set of variants there are no merged files. ``grown`` is a manifest that may stand
    there, too: that of the first of these variants, whose papers stay.
    ``compose`` and ``merge`` stand in for ``derive.exam.papers``' ``documents`` and ``merged``. Raises ``ProblemError``
    where the folder holds papers of another manifest (``force`` removes these) and where it cannot be written.
    """
    wishes = wishes.check(exam)
    journal = Journal(folder, wishes)
    _claim(folder, (first[MANIFEST], grown), journal, force)
    write_files({folder / name: content for name, content in first.items() if not _is(folder / name, content)})
    finished = {one.number: files for one in variants if (files := journal.finished(one.number, one.code)) is not None}
    before, failures = len(finished), list[Failure]()

    def tell() -> None:
        if progress is not None:
            progress(len(finished), len(variants), len(failures))

    tell()
    todo = [one for one in variants if one.number not in finished]
    for outcome in outcomes(jobs(exam, todo, wishes, compose), executor, _no_more_than(workers, len(todo))):
        if outcome.failure is not None:
            failures.append(outcome.failure)
        else:
            write_files({folder / name: content for name, content in outcome.files.items()})
            finished[outcome.number] = journal.note(outcome)
        tell()
    if "pdf" in wishes.formats and whole:
        _merge([one for one in variants if one.number in finished], finished, folder, wishes, journal, merge)
    journal.settle()
    return Built(folder, len(variants), len(finished), len(finished) - before, tuple(sorted(failures, key=_number)))


def _number(failure: Failure) -> int:
    return failure.number


def _no_more_than(workers: int | None, jobs: int) -> int:
    return max(1, min(workers or cores(), jobs))


def _claim(folder: Path, manifests: Iterable[bytes | None], journal: Journal, force: bool) -> None:
    """Raises ``ProblemError`` for a folder with the papers of another manifest, which ``force`` removes."""
    path = folder / MANIFEST
    if not path.exists() or any(one is not None and _is(path, one) for one in manifests):
        return
    if not force:
        raise ProblemError(
            f"{folder} holds the papers of another exam, seed or version, of more variants or other students",
            file=str(path),
            hint="choose another folder with --out, or replace them with --force; behind the last, variants and "
            "students may be added",
        )
    journal.forget()


def _is(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content


# ── merged files ────────────────────────────────────────────────────────────────────────────────────────────────


class _Read(Sequence[tuple[str, bytes]]):
    """Names and contents of files, each read when it is looked at: all at once need not be in memory."""

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self.folder, self.names = folder, names

    def __len__(self) -> int:
        return len(self.names)

    @overload
    def __getitem__(self, k: int) -> tuple[str, bytes]: ...
    @overload
    def __getitem__(self, k: slice) -> Sequence[tuple[str, bytes]]: ...
    def __getitem__(self, k: int | slice) -> Any:
        if isinstance(k, slice):
            return _Read(self.folder, self.names[k])
        return Path(self.names[k]).stem, (self.folder / self.names[k]).read_bytes()


def _merge(
    variants: Sequence[Variant],
    finished: Mapping[int, Mapping[str, str]],
    folder: Path,
    wishes: Wishes,
    journal: Journal,
    merge: Merge | None,
) -> None:
    """All papers and all keys one behind another, in each language; what stands there unchanged is left alone."""
    for language in wishes.languages:
        for kind in wishes.kinds:
            names = [f"{KINDS[kind]}/{stem_in(language, stem_of(one))}.pdf" for one in variants]
            if kind not in MERGED or not names:
                continue
            name = f"{stem_in(language, KINDS[kind])}.pdf"
            parts = digest("\n".join(_digests(variants, finished, names)).encode())
            if journal.merged(name, parts):
                continue
            content = (merge or _merged())(_Read(folder, names))
            write_files({folder / name: content})
            journal.note_merged(name, parts, content)


def _digests(
    variants: Iterable[Variant], finished: Mapping[int, Mapping[str, str]], names: Iterable[str]
) -> Iterator[str]:
    for one, name in zip(variants, names, strict=True):
        yield finished[one.number][name]


def _merged() -> Merge:
    from derive.exam.papers import merged

    found: Merge = merged
    return found

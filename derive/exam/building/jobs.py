"""One variant as an independent job: bytes in, files out, so that any executor anywhere can do it.

``work`` is a function of a module and takes a ``Job`` as bytes: both travel to threads, to processes and to other
machines alike, whatever an executor makes of its arguments. The exam is unpacked once in each process; the derivations
of its questions, which all variants of one structure share, are made once in each thread (``solved``).
"""

from __future__ import annotations

import hashlib
import io
import pickle
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import lru_cache, partial
from types import MappingProxyType
from typing import Any

from derive.errors import DeriveError, ProblemError
from derive.exam.building.solved import solved
from derive.exam.exam import Exam
from derive.exam.variant import Variant
from derive.records import dataclass
from derive.report.document import Document
from derive.report.files import check_formats, files
from derive.report.page import A4, LETTER
from derive.report.setting import Setting
from derive.solution import CheckFailed, Solution

Compose = Callable[[Exam, Variant, Mapping[str, Solution], str], Mapping[str, Document]]

KINDS: Mapping[str, str] = MappingProxyType({"paper": "papers", "solution": "solutions", "key": "keys"})
"""The documents of a variant, and the folder of each."""

EXAMS_KEPT = 4  # in each process


@dataclass(frozen=True, slots=True)
class Wishes:
    """Which documents of each variant, in which formats and languages, and what sets the PDF.

    ``languages`` is empty for those of the exam. With ``held`` what the exam requires is looked at once more, on the
    certified values of what was solved; a manifest of another version is printed as it is.
    """

    formats: tuple[str, ...] = ("pdf",)
    languages: tuple[str, ...] = ()
    kinds: tuple[str, ...] = tuple(KINDS)
    engine: str = "typst"
    held: bool = False

    def check(self, exam: Exam) -> Wishes:
        """The same with the exam's languages filled in. Raises ``ProblemError`` for what is not known."""
        from derive.report.catalogue import catalogue

        formats = check_formats(self.formats)
        languages = tuple(dict.fromkeys(self.languages or exam.languages))
        for language in languages:
            catalogue(language)
        for kind in self.kinds:
            if kind not in KINDS:
                raise ProblemError(f"the document {kind!r} is not known; known are {', '.join(KINDS)}")
        _setting(exam, formats, self.engine).check(formats)
        return replace(self, formats=formats, languages=languages)


@dataclass(frozen=True, slots=True)
class Job:
    """One variant to be made. ``exam`` and ``variant`` are bytes of ``packed``; ``stem`` names its files."""

    number: int
    code: str
    stem: str
    exam: bytes
    variant: bytes
    wishes: Wishes
    compose: Compose | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a variant could not be made. ``status`` is 3 where a check failed, else 2."""

    number: int
    code: str
    reason: str
    status: int = 2


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a job: its files by name (``papers/001-AB2C.pdf``), or why there are none."""

    number: int
    code: str
    files: Mapping[str, bytes]
    failure: Failure | None = None


def jobs(exam: Exam, variants: Iterable[Variant], wishes: Wishes, compose: Compose | None = None) -> Iterable[Job]:
    """One job for each variant, made when it is asked for. ``compose`` stands in for ``derive.exam.papers.documents``.

    It has to be a function of a module where the jobs go to other processes.
    """
    whole = packed(exam)
    return (Job(one.number, one.code, stem_of(one), whole, packed(one), wishes, compose) for one in variants)


def stem_of(variant: Variant) -> str:
    """What the names of a variant's files begin with: ``001-AB2C``."""
    return f"{variant.number:03d}-{variant.code}"


def work(packed_job: bytes) -> Outcome:
    """Solve, check and print one variant. Never raises: an error becomes the outcome's ``failure``."""
    job: Job = _unpacked(packed_job)
    try:
        return Outcome(job.number, job.code, documents_of(job))
    except CheckFailed as error:
        return failed(job, str(error), CheckFailed.exit_status)
    except DeriveError as error:
        return failed(job, str(error))
    except Exception as error:  # noqa: BLE001 - one variant that cannot be made is not to stop the others
        return failed(job, f"{type(error).__name__}: {error}")


def failed(job: Job, reason: str, status: int = 2) -> Outcome:
    """The outcome of a job that came to nothing."""
    return Outcome(job.number, job.code, {}, Failure(job.number, job.code, reason, status))


def documents_of(job: Job) -> dict[str, bytes]:
    """The files of a variant. Raises ``ProblemError`` and ``CheckFailed``."""
    from derive.report.document import stem_in

    exam, variant, wishes = _exam(job.exam), _unpacked(job.variant), job.wishes
    compose = job.compose or _compose(wishes.kinds)
    solutions = solved(exam, variant)
    if wishes.held:
        _met(exam, solutions)
    setting, made = _setting(exam, wishes.formats, wishes.engine), dict[str, bytes]()
    for language in wishes.languages:
        documents = compose(exam, variant, solutions, language)
        for kind in wishes.kinds:
            document = replace(documents[kind], name=stem_in(language, job.stem))
            for name, content in files(document, wishes.formats, setting).items():
                made[f"{KINDS[kind]}/{name}"] = content
    return made


def _met(exam: Exam, solutions: Mapping[str, Solution]) -> None:
    """The last gate: what was searched for holds of what was solved. Raises ``CheckFailed``."""
    from derive.exam.searching.violations import violations

    for question in exam.questions:
        for broken in violations(question, solutions[question.id]) if question.vary else ():
            raise CheckFailed(f"a check failed, nothing was written: {broken}")


def _compose(kinds: tuple[str, ...]) -> Compose:
    from derive.exam.papers import documents

    return partial(documents, kinds=kinds)


def _setting(exam: Exam, formats: tuple[str, ...], engine: str) -> Setting:
    """The frame is that of LaTeX's class ``exam`` where LaTeX sets anything."""
    tex = "tex" in formats or ("pdf" in formats and engine != "typst")
    return Setting(engine, LETTER if exam.paper == "us-letter" else A4, "exam" if tex else "article")


# ── bytes ───────────────────────────────────────────────────────────────────────────────────────────────────────


class _Pickler(pickle.Pickler):
    """Exams and variants are plain records; only a read-only view of a dictionary is nothing that pickle knows."""

    def reducer_override(self, value: Any) -> Any:
        """The view from a copy of its dictionary."""
        return (_view, (dict(value),)) if isinstance(value, MappingProxyType) else NotImplemented


def _view(content: dict[Any, Any]) -> Mapping[Any, Any]:
    """A function of a module: pickle finds it, unlike the class, by its name."""
    return MappingProxyType(content)


def packed(record: Exam | Variant | Job) -> bytes:
    """A record as bytes, for processes of the same version and nobody else."""
    stream = io.BytesIO()
    _Pickler(stream, pickle.HIGHEST_PROTOCOL).dump(record)
    return stream.getvalue()


def digest(content: bytes) -> str:
    """The SHA-256 of some bytes."""
    return hashlib.sha256(content).hexdigest()


@lru_cache(EXAMS_KEPT)
def _exam(content: bytes) -> Exam:
    found = _unpacked(content)
    assert isinstance(found, Exam)
    return found


def _unpacked(content: bytes) -> Any:
    return pickle.loads(content)

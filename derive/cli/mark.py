"""``derive mark``: the answers of a class, marked with follow-through, as tables, pages and a summary."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from derive.cli.words import by_engine, check_printing, require_text, words
from derive.errors import ProblemError

if TYPE_CHECKING:
    from derive.exam.exam import Exam
    from derive.exam.marking.marks import Paper
    from derive.exam.variant import Variant

MANIFEST = "manifest.json"


@click.command("mark")
@click.argument("exam", metavar="EXAM")
@click.argument("answers", metavar="ANSWERS")
@click.option("--out", metavar="DIR", default="marks", show_default=True, help="Folder for the tables and the pages.")
@click.option(
    "--tolerance",
    metavar="NUMBER",
    help="How far off an answer may be: 1u is one unit of the last digit asked for, 0.5u half of one, 0.01 or 1% a "
    "share of the value.  [default: 1u]",
)
@click.option("--allow-missing", is_flag=True, help="Entries that have no row at all are empty, and earn nothing.")
@click.option("--lang", metavar="LANGUAGE", help="Of the pages.  [default: a student's own, else the exam's first]")
@click.option(
    "--format",
    "formats",
    metavar="FORMATS",
    multiple=True,
    default=("md",),
    show_default=True,
    callback=words,
    help="Of the pages: md, html, pdf, tex, typ.",
)
@click.option("--no-feedback", is_flag=True, help="Tables and the summary alone, no page for each student.")
@by_engine
@click.option("--json", "as_json", is_flag=True, help="Write no files; print all marks as one JSON document.")
def mark(
    exam: str,
    answers: str,
    out: str,
    tolerance: str | None,
    allow_missing: bool,
    lang: str | None,
    formats: tuple[str, ...],
    no_feedback: bool,
    engine: str,
    as_json: bool,
) -> None:
    """Mark the answers to an exam, with credit for what follows from a slip.

    EXAM is the manifest.json that `derive exam build` wrote, or the folder it stands in. ANSWERS is a CSV file with
    the columns student, variant, question, quantity, index, value, or the same as JSON. Where an answer is ticked the
    index is empty and the value is a letter for a choice, true or false for a judgement, and for the quantity "line"
    the number of the wrong line.

    Writes marks.csv, totals.csv, a summary, and a page for each student.
    """
    check_printing(formats, engine)
    require_text(out, "the folder of --out")
    for word, what in ((exam, "the exam"), (answers, "the file of answers")):
        require_text(word, what)

    from derive.exam.building.solved import solved
    from derive.exam.marking.marks import Room, in_order, marked
    from derive.exam.marking.read import read_sheets
    from derive.exam.tolerance import tolerance as read_tolerance
    from derive.report.catalogue import catalogue

    allowed = read_tolerance(tolerance)
    if lang is not None:
        catalogue(lang)
    found, variants = _exam(exam)
    room = Room(found, variants, solved)
    sheets = read_sheets(answers, variants, room.asked(), exam=found.name, allow_missing=allow_missing)
    files: dict[str, bytes] = {}
    papers: list[Paper] = []
    names = _names(found, [sheet.student for sheet in sheets])
    for paper, benches in marked(room, sheets, allowed):
        papers.append(paper)
        if not as_json and not no_feedback:
            from derive.exam.marking.feedback import feedback
            from derive.report.files import files as pages

            language = lang or paper.sheet.language or _first(found)
            page = feedback(found, paper, benches, language, names[paper.sheet.student])
            files |= {f"feedback/{name}": content for name, content in pages(page, formats, engine).items()}
    ordered = in_order(papers, sheets)
    if as_json:
        import json

        from derive.exam.marking.summary import as_json as data

        click.echo(json.dumps(data(found, ordered), ensure_ascii=False, indent=1))
        return
    files |= _tables(found, ordered, room, lang or _first(found), formats, engine)
    _write(files, out)
    _tell(found, ordered, out, files)


def _exam(word: str) -> tuple[Exam, tuple[Variant, ...]]:
    """The exam and its variants, of a manifest or of the folder that it stands in."""
    from derive.exam.sets.manifest import read_manifest

    path = Path(word)
    if path.is_dir():
        path = path / MANIFEST
    if not path.is_file():
        raise ProblemError(f"there is no manifest {path}", hint="`derive exam build` writes one")
    manifest = read_manifest(path)
    if not manifest.variants:
        raise ProblemError("the manifest has no variants", file=str(path))
    return manifest.exam, tuple(manifest.variants)


def _first(exam: Exam) -> str:
    return exam.languages[0] if exam.languages else "en"


def _names(exam: Exam, students: list[str]) -> Mapping[str, str]:
    """A stem for the page of each student: different ones, whatever the students are called."""
    from derive.problem.find import safe_name

    stems: dict[str, str] = {}
    taken: set[str] = set()
    for student in students:
        stem = plain = safe_name(student)
        number = 1
        while stem.casefold() in taken:
            number += 1
            stem = f"{plain}-{number}"
        taken.add(stem.casefold())
        stems[student] = stem
    return stems


def _tables(
    exam: Exam, papers: tuple[Paper, ...], room: object, language: str, formats: tuple[str, ...], engine: str
) -> dict[str, bytes]:
    """The tables, and the summary as a document and as data."""
    import json

    from derive.exam.marking.marks import Room, marks_csv, totals_csv
    from derive.exam.marking.summary import as_json, summary
    from derive.report.files import files

    assert isinstance(room, Room)
    benches = room.benches(papers[0].sheet.variant)
    data = json.dumps(as_json(exam, papers), ensure_ascii=False, indent=1) + "\n"
    return {
        "marks.csv": marks_csv(papers),
        "totals.csv": totals_csv(exam, papers),
        "marks.json": data.encode(),
        **files(summary(exam, papers, benches, language, "summary"), formats, engine),
    }


def _write(files: Mapping[str, bytes], out: str) -> None:
    from derive.report.write import write_files

    write_files({Path(out) / name: content for name, content in files.items()})


def _tell(exam: Exam, papers: tuple[Paper, ...], out: str, files: Mapping[str, bytes]) -> None:
    """A few lines: how many, the means, what is flagged, and where the files are."""
    from derive.exam.marking.marks import number
    from derive.exam.marking.summary import summed
    from derive.numbers.rounding import Rounding

    two = Rounding(digits=2)
    click.echo(f"{len(papers)} paper{'s' * (len(papers) != 1)} marked")
    for one in summed(exam, papers):
        slips = sum(len(slip.students) for slip in one.slips)
        click.echo(f"  question {one.question}: mean {number(one.mean, two)} of {number(one.of, two)}, {slips} slips")
    flagged = [paper for paper in papers if any(one.flag for each in paper.questions for one in each.entries)]
    if flagged:
        names = ", ".join(paper.sheet.student for paper in flagged[:5]) + (", …" if len(flagged) > 5 else "")
        click.echo(f"  flagged as trivial, to be looked at: {names}")
    pages = sum(name.startswith("feedback/") for name in files)
    click.echo(
        f"  {out}: marks.csv, totals.csv, marks.json, summary" + (f", {pages} files in feedback" if pages else "")
    )

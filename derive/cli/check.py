"""``derive check``: printed numbers held against the solution, as a table, as data, and as errata to be sent."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from derive.cli.words import FORMATS, by_engine, check_printing, in_language, require_text, words

if TYPE_CHECKING:
    from derive.chapters.findings import Finding
    from derive.problem.problem import Text
    from derive.report.catalogue import Catalogue
    from derive.review.check import Reviewed
    from derive.review.verdicts import Judged

COLOURS = {"agrees": "green", "carried": "green", "consistent": "red", "wrong": "red", "undecided": "yellow"}


@click.command("check")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--report",
    "formats",
    metavar="FORMATS",
    multiple=True,
    callback=words,
    help=f"Of {', '.join(FORMATS)}: write the errata as a document, with each corrected line derived.",
)
@click.option("--out", metavar="DIR", default="reports", show_default=True, help="Folder for the errata.")
@in_language
@by_engine
@click.option("--json", "as_json", is_flag=True, help="Print all verdicts as one JSON document.")
def check(
    files: tuple[str, ...],
    formats: tuple[str, ...],
    out: str,
    lang: str,
    engine: str,
    as_json: bool,
) -> int:
    """Check the numbers of a printed solution against the right ones.

    FILE is a claims file: the problem, and the printed values with their digits. The exit status is 1 if a verdict is
    not the one that the claim expects.
    """
    check_printing(formats, engine)
    require_text(out, "the folder of --out")
    if as_json and formats:
        raise click.UsageError("--json prints the verdicts and writes no files: --report says nothing")
    for file in files:
        require_text(file, "the claims file")

    from derive.chapters.prose import prose
    from derive.review.check import check as checked

    said = prose(lang)
    reviews = [checked(file) for file in files]
    if as_json:
        import json

        from derive.review.result import as_json as data

        told = [_told(data(one), findings(one, said)) for one in reviews]
        click.echo(json.dumps({"format": 1, "files": told}, ensure_ascii=False, indent=1))
    else:
        every = [findings(one, said) for one in reviews]
        for number, (review, found) in enumerate(zip(reviews, every, strict=True)):
            click.echo(("\n" if number else "") + "\n".join(table(review, found, said)))
        if formats:
            written = write(reviews, every, formats, out, lang, engine)
            click.echo("\n" + "\n".join(written))
    return int(any(review.unexpected for review in reviews))


def _told(data: dict[str, Any], found: Sequence[Finding]) -> dict[str, Any]:
    """The same data, with the slips in words under the claims that they explain."""
    from derive.report.plain import words as in_plain
    from derive.report.spacing import spaced_text

    for claim, finding in zip(data["claims"], found, strict=True):
        if finding.slips:
            claim["said"] = [spaced_text(in_plain(spans)) for spans in finding.slips]
    return data


def findings(review: Reviewed, say: Catalogue) -> list[Finding]:
    """The verdicts as a document says them."""
    return [_finding(review, judged, say) for judged in review.judged]


def _slips(review: Reviewed, judged: Judged, say: Catalogue) -> dict[str, Any]:
    """What explains a number that is not right: in sentences, and as a picture of the paths that are left out."""
    found = review.finding(judged)
    if found is None:
        return {}
    from derive.report.compose.sheet import Sheet
    from derive.report.compose.slips import drawn, told

    sheet = Sheet(review.solution.part(judged.claim.part), say)
    pictures = (drawn(sheet, slip) for slip in found.classes[0])
    return {"slips": told(sheet, found.classes[0]), "picture": next(filter(None, pictures), None)}


def _finding(review: Reviewed, judged: Judged, say: Catalogue) -> Finding:
    from derive.chapters.findings import Finding

    claim, bench = judged.claim, review.benches[judged.claim.part]
    return Finding(
        claim.id,
        claim.quantity.name,
        bench.place(claim),
        claim.printed.text,
        judged.right,
        judged.full,
        judged.verdict.key,
        decimals=claim.printed.decimals,
        part=claim.part,
        update=claim.quantity.update,
        negated=claim.quantity.negated,
        jacobian=bench.answers.name(claim.quantity.name) is None,
        follows=judged.follows,
        carried=judged.carried,
        literal=judged.literal,
        unread=judged.unread,
        survives=judged.survives,
        inherits=judged.inherits,
        **_slips(review, judged, say),
        place=_in(claim.place, say),
        note=_in(claim.note, say),
    )


def _in(text: Text, say: Catalogue) -> str:
    """A text in the language of the page, or in the one it has."""
    return text.get(say.language) or text.get("") or next(iter(text.values()), "")


# ── the table ───────────────────────────────────────────────────────────────────────────────────────────────────


def table(review: Reviewed, found: Sequence[Finding], say: Catalogue) -> Iterator[str]:
    """A line for each claim, the reasons below those that do not simply agree, and the verdicts counted."""
    from derive.report.spacing import columns, padded, spaced_text

    title = _in(review.claims.title, say) or _in(review.claims.source, say) or review.claims.file
    yield spaced_text(title)
    yield ""
    heads = [say.text("errata.claim"), "", *(say.text(f"errata.{key}") for key in ("printed", "right", "verdict"))]
    rows = [
        [*_label(one), one.claim.printed.text, one.right, say.text(f"errata.{one.verdict.key}")]
        for one in review.judged
    ]
    widths = [max(map(columns, column)) for column in zip(heads, *rows, strict=True)]

    def line(cells: Sequence[str], colour: str | None = None) -> str:
        *first, printed, right, verdict = (padded(cell, width) for cell, width in zip(cells, widths, strict=True))
        last = click.style(verdict.rstrip(), fg=colour) if colour and "NO_COLOR" not in os.environ else verdict
        return ("  " + "  ".join([*filter(None, first), _right(printed), _right(right), last])).rstrip()

    yield line(heads)
    for one, row, finding in zip(review.judged, rows, found, strict=True):
        yield line(row, COLOURS[one.verdict.key])
        yield from (f"      {said}" for said in _reasons(one, finding, say))
    yield ""
    counts: dict[str, int] = {}
    for one in review.judged:
        counts[one.verdict.key] = counts.get(one.verdict.key, 0) + 1
    for key in (key for key in COLOURS if key in counts):
        verdict = say.text(f"errata.{key}")
        yield spaced_text("  " + say.text("errata.count", verdict=verdict, count=str(counts[key])))
    if review.unexpected:
        names = ", ".join(one.claim.id for one in review.unexpected)
        yield spaced_text("  " + say.text("errata.count", verdict=say.text("errata.unexpected"), count=names))


def _right(cell: str) -> str:
    """A padded cell with its blanks in front."""
    bare = cell.rstrip()
    return " " * (len(cell) - len(bare)) + bare


def _label(judged: Judged) -> tuple[str, str]:
    """What the claim is called, and the entry that it is on, where its name does not say it."""
    claim = judged.claim
    return claim.id, "" if claim.id.endswith(claim.label) else claim.label


def _reasons(judged: Judged, finding: Finding, say: Catalogue) -> Iterator[str]:
    from derive.chapters.findings import reasons
    from derive.report.plain import words as in_plain
    from derive.report.spacing import spaced_spans, spaced_text

    for spans in reasons(finding, say, told=True):
        yield in_plain(spaced_spans(spans))
    if finding.note and not judged.verdict.right:
        yield spaced_text(finding.note)
    if not judged.expected:
        expected = say.text(f"errata.{judged.claim.expect}")
        yield spaced_text(say.text("errata.expected", verdict=expected))


# ── the errata ──────────────────────────────────────────────────────────────────────────────────────────────────


def write(
    reviews: Sequence[Reviewed],
    every: Sequence[Sequence[Finding]],
    formats: Sequence[str],
    out: str,
    lang: str,
    engine: str,
) -> list[str]:
    """Write the errata of each file; gives the paths."""
    from derive.chapters.errata import errata
    from derive.problem.find import safe_name
    from derive.report.files import files
    from derive.report.write import write_files

    made: dict[Path, bytes] = {}
    taken: dict[str, Any] = {}
    for review, found in zip(reviews, every, strict=True):
        stem = Path(review.claims.file).name.removesuffix(".toml").removesuffix(".claims")
        name = f"{safe_name(stem)}-errata"
        taken[name] = taken.get(name, 0) + 1
        name += f"-{taken[name]}" if taken[name] > 1 else ""
        document = errata(
            review.solution, found, name=name, title=review.claims.title,
            source=review.claims.source, language=lang,
        )  # fmt: skip
        made |= {Path(out) / file: content for file, content in files(document, formats, engine).items()}
    write_files(made)
    return [str(path) for path in made]

"""``derive lint``: the arithmetic that a document prints, judged link by link."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from derive.cli.words import require_text

if TYPE_CHECKING:
    from derive.report.catalogue import Catalogue
    from derive.review.lint import Link, Linted
    from derive.review.lint.vocabulary import Spelling
    from derive.solution.part import Part


KINDS = ("right", "carried", "wrong", "not read")


class Printed:
    """The symbols of derive's own reports, for the reader of documents, which stands below the printer."""

    def names(self, part: Part) -> Spelling:
        """How the names of a part are printed."""
        from derive.report.notation import Symbols

        return Symbols(part.problem, part.network)

    def rule(self, part: Part) -> Mapping[str, str]:
        """How the names of its update rule are printed."""
        from derive.report.notation import Symbols
        from derive.report.notation.rule_symbols import rule_symbols

        history = part.opening
        if history is None:
            return {}
        names = (*part.network.data, *(str(equation.name) for equation in part.network.equations))
        return rule_symbols(history.update, history.loss, Symbols(part.problem, part.network), names)


@click.command("lint")
@click.argument("file")
@click.option("--problem", metavar="PROBLEM", help="What the document solves: a built-in problem or a problem file.")
@click.option("--all", "every", is_flag=True, help="Print every link, not only what is wrong and a count of the rest.")
@click.option("--lang", metavar="LANGUAGE", default="en", show_default=True, help="Language of the table.")
@click.option("--json", "as_json", is_flag=True, help="Print every link as one JSON document.")
def lint(file: str, problem: str | None, every: bool, lang: str, as_json: bool) -> int:
    """Judge the arithmetic that a LaTeX or Markdown file prints: every chain of = and ≈, link by link.

    A printed decimal stands for all numbers that round to it. A link is wrong only where its two sides cannot be equal;
    what cannot be read is counted by its reason, never as right. With --problem the problem's names are known, and its
    data are exact. Exit status: 0, or 1 where a link is wrong.
    """
    require_text(file, "the file")
    from derive.report.catalogue import catalogue
    from derive.review.lint import lint_file

    say = catalogue(lang)
    scene = None
    if problem is not None:
        require_text(problem, "the name of the problem")
        from derive.problem import find_problem
        from derive.review.lint.scenes import Known
        from derive.solution import solve

        scene = Known(solve(find_problem(problem)), Printed())
    found = lint_file(file, scene)
    if as_json:
        import json

        click.echo(json.dumps(as_data(found), ensure_ascii=False, indent=1))
    else:
        click.echo("\n".join(table(found, say, every)))
    return 1 if found.wrong else 0


def as_data(found: Linted) -> dict[str, Any]:
    """Everything as one JSON document."""
    return {
        "file": found.file,
        "counts": {kind: found.count(kind) for kind in KINDS},
        "unread": found.unread,
        "links": [
            {
                "line": link.line,
                "verdict": link.verdict.kind,
                "left": link.left,
                "relation": link.relation,
                "right": link.right,
                "reason": link.verdict.why,
                "printed": link.verdict.printed,
                "expected": link.verdict.right,
                "entry": list(link.verdict.entry) if link.verdict.entry else None,
                "value": link.verdict.value,
            }
            for link in found.links
        ],
    }


def table(found: Linted, say: Catalogue, every: bool) -> list[str]:
    """The table: place, verdict, link, and what it works out to; then the counts."""
    from derive.report.spacing import columns, padded, spaced_text

    shown = [link for link in found.links if every or link.verdict.kind in ("wrong", "carried")]
    places = [f"{found.file}:{link.line}" for link in shown]
    verdicts = [say.text(f"lint.{link.verdict.kind.replace(' ', '_')}") for link in shown]
    widths = [max(map(columns, texts), default=0) for texts in (places, verdicts)]
    lines = []
    for place, verdict, link in zip(places, verdicts, shown, strict=True):
        lines.append(f"{padded(place, widths[0])}  {padded(verdict, widths[1])}  {link.text}")
        what = told(link, say)
        lines += [" " * (sum(widths) + 4) + spaced_text(what)] if what else []
    if lines:
        lines.append("")
    counts = {kind: str(found.count(kind)) for kind in KINDS}
    total = say.text("lint.counts", right=counts["right"], wrong=counts["wrong"], unread=counts["not read"])
    lines.append(spaced_text(total if found.links else say.text("lint.nothing")))
    if found.count("carried"):
        lines.append("  " + spaced_text(say.text("lint.carried_line", count=counts["carried"])))
    for reason, count in found.unread.items():
        line = say.text("lint.unread_line", count=str(count), reason=reason_of(reason, say))
        lines.append("  " + spaced_text(line))
    return lines


def told(link: Link, say: Catalogue) -> str:
    """What is to be said of a link, behind its verdict."""
    verdict = link.verdict
    if verdict.kind in ("right", "carried"):
        return say.text("lint.works_out", value=verdict.value) if verdict.value else ""
    if verdict.kind == "not read":
        what = f" {verdict.printed}" if verdict.printed else ""
        return reason_of(verdict.why, say) + (f":{what}" if what else "")
    if verdict.why == "sizes":
        return say.text("lint.sizes", sizes=verdict.printed)
    where = ""
    if verdict.entry is not None:
        where = say.text("lint.entry", row=str(verdict.entry[0]), column=str(verdict.entry[1])) + " "
    return where + say.text(f"lint.why_{verdict.why}", printed=verdict.printed, right=verdict.right)


def reason_of(reason: str, say: Catalogue) -> str:
    """A reason in words."""
    return say.text(f"lint.unread_{reason.replace(' ', '_')}")

"""``python -m benchmarks``: measure, print each target and what was reached; status 1 if one is missed."""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks import exams, growth, report
from benchmarks.documents import document
from benchmarks.measure import ROOT, medians, process
from benchmarks.networks import parameters

# A built-in problem in all three formats, against the one import that nothing symbolic in Python can do without.
WHOLE = ("-m", "derive", "case1", "--format", "md,tex,pdf", "--out", ".")
IMPORT = ("-c", "import sympy")
# Every claim of every rule of the op table, proved for all sizes.
PROOFS = ("-m", "derive", "prove")
# The printed numbers of a chapter, each with its verdict, and those that are not right with their diagnosis.
CLAIMS = ("-m", "derive", "check", str(ROOT / "tests" / "textbook" / "case1.claims.toml"))


@dataclass(frozen=True, slots=True)
class Target:
    """A ratio, and the most (or the least) that it may be."""

    what: str
    reached: float
    bound: float
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether the target is reached."""
        return self.reached >= self.bound if self.at_least else self.reached <= self.bound

    def __str__(self) -> str:
        sign = "≥" if self.at_least else "≤"
        verdict = "reached" if self.met else "MISSED"
        return f"{self.what:<58} {sign} {self.bound:<8,g} {self.reached:>10,.2f}   {verdict}"


def whole_process(rounds: int) -> Target:
    """Cold processes, nothing cached, no check left out."""
    own, sympy = medians(process(*WHOLE), process(*IMPORT), rounds=rounds)
    print(f"python {' '.join(WHOLE)}: {own:.3f} s;  python -c 'import sympy': {sympy:.3f} s  (medians of {rounds})\n")
    return Target("whole process / import sympy", own / sympy, 2.0)


def all_proofs(rounds: int) -> Target:
    """All proofs in one cold process."""
    own, sympy = medians(process(*PROOFS), process(*IMPORT), rounds=rounds)
    print(f"python {' '.join(PROOFS)}: {own:.3f} s;  python -c 'import sympy': {sympy:.3f} s  (medians of {rounds})\n")
    return Target("all proofs / import sympy", own / sympy, 30.0)


def checked_claims(rounds: int) -> Target:
    """A claims file in a cold process, the problem solved and every check passed, diagnosis included."""
    own, sympy = medians(process(*CLAIMS), process(*IMPORT), rounds=rounds)
    print(f"python -m derive check: {own:.3f} s;  import sympy: {sympy:.3f} s  (medians of {rounds})\n")
    return Target("check of 54 claims / import sympy", own / sympy, 4.0)


def report_as_pdf(rounds: int) -> list[Target]:
    """Six pages, from the document to the bytes of the PDF."""
    name = report.chosen()
    first, later, sympy, xelatex = report.seconds(name, rounds)
    tex = "xelatex is not installed" if xelatex is None else f"xelatex, one pass: {xelatex:.3f} s"
    print(f"{name}, {report.PAGES} pages, to PDF: {first:.3f} s, the first of a process; {later:.3f} s behind another")
    print(f"import sympy: {sympy:.3f} s;  {tex}  (medians of {rounds})\n")
    targets = [Target(f"a report of {report.PAGES} pages to PDF / import sympy", later / sympy, 0.5)]
    if xelatex is not None:
        targets.append(Target("xelatex / the same report to PDF", xelatex / later, 8, at_least=True))
    return targets


def linting(rounds: int, chains: int = 1000) -> Target:
    """A document of so many chains, read and judged in a cold process."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "chains.md"
        path.write_text(document(chains), encoding="utf-8")
        own, sympy = medians(process("-m", "derive", "lint", str(path)), process(*IMPORT), rounds=rounds)
    print(f"lint of {chains:,} chains: {own:.3f} s;  python -c 'import sympy': {sympy:.3f} s  (medians of {rounds})\n")
    return Target(f"lint of {chains:,} chains / import sympy", own / sympy, 4.0)


def exam_papers(quick: bool) -> list[Target]:
    """A hundred variants on two processes, from the search to the last PDF, and how time and memory grow with them."""
    own, xelatex, sympy = exams.table(quick)
    tex = "xelatex is not installed" if xelatex is None else f"xelatex, one pass each: {xelatex:.1f} s"
    print(f"{exams.VARIANTS} variants, paper and solution as PDF, {exams.WORKERS} processes: {own:.2f} s;  {tex}")
    targets = [Target(f"{exams.VARIANTS} variants of an exam / import sympy", own / sympy, 25)]
    if xelatex is not None:
        targets.append(Target("xelatex for each / the same papers", xelatex / own, 10, at_least=True))
    found = {count: (seconds, most) for count, seconds, most in exams.growth((100, 300, 1000))}
    for count, (seconds, most) in found.items():
        print(f"{count:>5,} variants: {seconds:6.2f} s, {most:4.0f} MB in the largest process")
    print()
    # What it costs to start is taken off: 300 and 1,000 variants are compared with their difference to 100.
    start, middle, end = (found[count][0] for count in (100, 300, 1000))
    targets.append(Target("time of 900 more variants / 200 more", (end - start) / (middle - start), 4.5 * 1.2))
    targets.append(Target("memory of 1,000 variants / 100 variants", found[1000][1] / found[100][1], 1.15))
    return targets


def growth_table(quick: bool) -> list[Target]:
    """The table against plain SymPy, and the target that follows from it."""
    print(f"{'network':<20} {'parameters':>10}  {'derive':>10}  plain SymPy")
    targets = []
    for widths, own, other in growth.table(quick):
        alike = len(set(widths)) == 1
        name = f"{len(widths) - 1} layers, {widths[0]} wide" if alike else "-".join(map(str, widths))
        text = "not run" if other is None else str(other)
        if other is not None and other.finished:
            text += f"  ({other.seconds / own:,.0f} × derive)"
            if alike and widths[0] == 8:
                targets.append(Target(f"plain SymPy / derive, {name}", other.seconds / own, 1000, at_least=True))
        print(f"{name:<20} {parameters(widths):>10,}  {own * 1000:>7.2f} ms  {text}", flush=True)
    print()
    return targets


def main() -> int:
    """Run everything; 0 if every target is reached."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, and SymPy only where it finishes")
    quick = parser.parse_args().quick
    targets = [whole_process(5 if quick else 15), all_proofs(3 if quick else 7)]
    targets += [checked_claims(5 if quick else 15), linting(3 if quick else 7)]
    targets += report_as_pdf(5 if quick else 15)
    targets += exam_papers(quick)
    targets += growth_table(quick)
    bounds = {"100 layers / 50 layers": 2.2, "width 32 / width 2": 1.2, "784-128-10 / 8-8-8": 1.2}
    reached = growth.ratios()
    targets += [Target(f"derivation: {what}", reached[what], bound) for what, bound in bounds.items()]
    print(f"{'target':<58} {'':<10} {'reached':>10}")
    print("\n".join(map(str, targets)))
    return 0 if all(target.met for target in targets) else 1


if __name__ == "__main__":
    sys.exit(main())

"""A report as a PDF: inside this process, against ``import sympy`` and against one pass of xelatex on the same report.

Every round is a process of its own, so nothing that Typst has set before can help. What is timed is the way from the
document to the bytes of the PDF: line breaking, templates, Typst. ``python -m benchmarks.report NAME`` prints the
seconds of the first PDF of a process, which loads templates and fonts as well; with a second name, of one behind that.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks.measure import ROOT, environment

PAGES = 6
BEFORE = "case1"  # the report that a later one comes behind
_IMPORT = "import time; start = time.perf_counter(); import sympy; print(time.perf_counter() - start)"


def _pages(pdf: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


def chosen() -> str:
    """The first built-in problem whose report has six pages. Raises ``LookupError`` where there is none."""
    from derive.problem import built_in, find_problem
    from derive.report.compose import compose
    from derive.report.pdf import pdf
    from derive.solution import solve

    for name in built_in():
        if _pages(pdf(compose(solve(find_problem(name))))) == PAGES:
            return name
    raise LookupError(f"no built-in report has {PAGES} pages")


def _printed(*arguments: str) -> float:
    """The seconds that a Python process prints."""
    ran = subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environment(), capture_output=True, check=True)
    return float(ran.stdout)


def sympy_seconds(rounds: int) -> float:
    """The median of ``import sympy`` in processes of their own."""
    return median(_printed("-c", _IMPORT) for _ in range(rounds))


def _xelatex(folder: Path) -> Callable[[], float]:
    """One pass over the report, with nothing left of the pass before."""

    def run() -> float:
        for old in folder.glob("report.*"):
            if old.suffix != ".tex":
                old.unlink()
        start = time.perf_counter()
        command = ["xelatex", "-interaction=batchmode", "-halt-on-error", "-no-shell-escape", "report.tex"]
        subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, check=True)
        return time.perf_counter() - start

    return run


def seconds(name: str, rounds: int) -> tuple[float, float, float, float | None]:
    """Medians: the first PDF of a process, a later one, ``import sympy``, and xelatex where it is installed."""
    from derive.problem import find_problem
    from derive.report.compose import compose
    from derive.report.render import render
    from derive.solution import solve

    taken: list[list[float]] = [[], [], [], []]
    with tempfile.TemporaryDirectory() as place:
        rendered = render(compose(solve(find_problem(name))), "tex")
        (Path(place) / "report.tex").write_text(rendered.text, encoding="utf-8")
        for beside, content in rendered.attachments.items():
            (Path(place) / beside).write_bytes(content)
        xelatex = _xelatex(Path(place)) if shutil.which("xelatex") else None
        for number in range(rounds + 1):  # taking turns; the first round does not count
            first, later = (_printed("-m", "benchmarks.report", name, *before) for before in ((), (BEFORE,)))
            found = [first, later, _printed("-c", _IMPORT), *([xelatex()] if xelatex else [])]
            if number:
                for one, row in zip(found, taken, strict=False):
                    row.append(one)
    return median(taken[0]), median(taken[1]), median(taken[2]), median(taken[3]) if taken[3] else None


def main(name: str, *before: str) -> None:
    """Print the seconds from the document to its PDF, after the reports ``before`` were set in this process."""
    from derive.problem import find_problem
    from derive.report.compose import compose
    from derive.report.pdf import pdf
    from derive.solution import solve

    *earlier, document = [compose(solve(find_problem(one))) for one in (*before, name)]
    for one in earlier:
        pdf(one)
    start = time.perf_counter()
    pdf(document)
    print(time.perf_counter() - start)


if __name__ == "__main__":
    main(*sys.argv[1:])

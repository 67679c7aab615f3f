"""A TeX source run through an engine found on this machine, in a folder that is gone afterwards.

No shell escape, no reading or writing outside the folder, no clock in the bytes, and a limit on time.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from derive.errors import ProblemError, Unsupported
from derive.records import dataclass

_LATEX = ("-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape")
ENGINES = {
    "xelatex": _LATEX,
    "lualatex": _LATEX,
    "pdflatex": _LATEX,
    "tectonic": ("--untrusted", "--chatter", "minimal", "--keep-logs"),
}
MOST_PASSES = 4
_DRAFT = {"xelatex": ("-no-pdf",), "lualatex": ("-draftmode",), "pdflatex": ("-draftmode",)}  # a pass without a PDF
TIME_LIMIT = 120  # seconds; the first run of LuaLaTeX builds a font database
_ERROR = re.compile(r"^(?:! .*|error: .*)$", re.MULTILINE)
_AGAIN = re.compile(r"Rerun (?:to get cross-references right|LaTeX)")
_MISSING = re.compile(r"^Missing character: There is no (\S+)", re.MULTILINE)
_LINE = re.compile(r"^l\.(\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class TexRun:
    """What a run left: the PDF and the engine's log (its warnings)."""

    pdf: bytes
    log: str


def run_tex(engine: str, source: str, name: str, beside: Mapping[str, bytes] | None = None) -> TexRun:
    """The PDF that ``engine`` makes of a TeX source with the files ``beside`` it; ``name`` stands in messages.

    Raises ``ProblemError`` for an engine that is unknown or missing, for the first TeX error, for a run without end.
    """
    if engine not in ENGINES:
        raise ProblemError(f"unknown PDF engine '{engine}'", hint=f"typst, {', '.join(ENGINES)}")
    program = shutil.which(engine)
    if program is None:
        found = [other for other in ENGINES if shutil.which(other)]
        raise ProblemError(
            f"the PDF engine '{engine}' is not on this machine", hint=f"found here: {', '.join(['typst', *found])}"
        )
    with tempfile.TemporaryDirectory(prefix="derive-tex-") as folder:
        for file, content in (beside or {}).items():
            (Path(folder) / file).write_bytes(content)
        return _run(engine, program, source, name, Path(folder))


def _run(engine: str, program: str, source: str, name: str, folder: Path) -> TexRun:
    (folder / "report.tex").write_text(source, encoding="utf-8")
    environment = os.environ | {
        "SOURCE_DATE_EPOCH": "0", "FORCE_SOURCE_DATE": "1", "openin_any": "p", "openout_any": "p", "TEXMFOUTPUT": ".",
        "max_print_line": "1000",
    }  # fmt: skip
    # References and the number of pages are known in the second pass, in which the columns of a long table settle; the
    # pages then in a third.
    settles = any(mark in source for mark in ("\\eqref{", "\\begin{longtable}", "\\dvpages{"))
    passes = MOST_PASSES if settles and engine != "tectonic" else 1
    log, result = "", folder / "report.pdf"
    for number in range(passes):
        draft = _DRAFT[engine] if passes > 1 and number == 0 else ()
        try:
            run = subprocess.run(
                [program, *ENGINES[engine], *draft, "report.tex"], cwd=folder, env=environment, timeout=TIME_LIMIT,
                stdin=subprocess.DEVNULL, capture_output=True, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise ProblemError(f"{engine} did not finish {name}.tex within {TIME_LIMIT} seconds") from error
        log = (folder / "report.log").read_text("utf-8", "replace") if (folder / "report.log").exists() else ""
        log = log or (run.stdout + run.stderr).decode("utf-8", "replace")
        if run.returncode or not (draft or result.exists()):
            error_line = _ERROR.search(log)
            place = _LINE.search(log)
            shown = error_line[0] if error_line else f"exit status {run.returncode}"
            raise ProblemError(f"{engine} refuses {name}.tex{', line ' + place[1] if place else ''}: {shown}")
        if not draft and not _AGAIN.search(log):
            break
    if missing := _MISSING.search(log):
        raise Unsupported(f"{engine} finds no '{missing[1]}' in the fonts of {name}.tex", hint="add a font to the file")
    return TexRun(result.read_bytes(), log)

"""Papers of an exam: many variants on two processes, against xelatex for each of the same documents and SymPy's import.

``python -m benchmarks.exams N FOLDER [KIND…]`` prints so many variants into a folder, and then the seconds and the
most memory (in MB, of the processes that printed) that it took, from the search to the last file.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.measure import ROOT, environment
from benchmarks.report import sympy_seconds

WORKERS = 2
VARIANTS = 100
SAMPLE = 3  # variants whose documents are set by xelatex as well

EXAM = """
format = 1
title = "A quiz"

[[question]]
problem = "net.toml"
points = 10
space = 8

[question.vary]
x = "integers -3..3"
W1 = { from = [-2, 2], step = 0.5 }
b1 = { from = [-1, 1], step = 0.5 }
W2 = { from = [-2, 2], step = 0.5 }
t = { from = [-3, 3], step = 0.5 }

[question.require]
decimals = 2
"""

NET = """
title = "A 2-3-1 network"
equations = '''
z = x @ W1 + b1
h = relu(z)
y = h @ W2 + b2
E = sum((y - t)**2) / 2
'''

[given]
x = [1, 2]
t = 1

[parameters]
W1 = [[1, -0.5, 2], [0.5, 1, -1.5]]
b1 = [0.5, 0, 1]
W2 = [[1], [-2], [0.5]]
b2 = 0.5
"""


def printed(variants: int, folder: Path, kinds: tuple[str, ...] = ("paper", "solution")) -> tuple[float, float]:
    """Seconds and megabytes of a whole process that searches for variants and prints them."""
    command = [sys.executable, "-m", "benchmarks.exams", str(variants), str(folder), *kinds]
    start = time.perf_counter()
    ran = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=True)
    return time.perf_counter() - start, float(ran.stdout.split()[-1])


def xelatex_seconds(folder: Path) -> float | None:
    """The median of one pass over each paper and solution of a few variants; ``None`` without xelatex."""
    if shutil.which("xelatex") is None:
        return None
    _print(SAMPLE, folder, ("paper", "solution"), ("tex",))
    taken = []
    for path in sorted(folder.rglob("*.tex")):
        start = time.perf_counter()
        command = ["xelatex", "-interaction=batchmode", "-halt-on-error", "-no-shell-escape", path.name]
        subprocess.run(command, cwd=path.parent, stdout=subprocess.DEVNULL, check=True)
        taken.append(time.perf_counter() - start)
    return median(taken)


def table(quick: bool) -> tuple[float, float | None, float]:
    """Seconds of 100 variants, of as many documents by xelatex, and of ``import sympy``."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        own = median(printed(VARIANTS, folder / f"own{k}")[0] for k in range(1 if quick else 3))
        one = xelatex_seconds(folder / "tex")
        return own, None if one is None else 2 * VARIANTS * one, sympy_seconds(3 if quick else 7)


def growth(counts: tuple[int, ...]) -> list[tuple[int, float, float]]:
    """Seconds and megabytes for so many variants."""
    found = []
    for count in counts:
        with tempfile.TemporaryDirectory() as name:
            found.append((count, *printed(count, Path(name) / "own")))
    return found


def _print(variants: int, folder: Path, kinds: tuple[str, ...], formats: tuple[str, ...] = ("pdf",)) -> None:
    from derive.exam.building.folder import MANIFEST, make
    from derive.exam.building.jobs import Wishes
    from derive.exam.reading.read import read_exam
    from derive.exam.searching.search import search
    from derive.exam.sets.manifest import manifest_bytes, manifest_of

    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "quiz.toml").write_text(EXAM)
        (Path(name) / "net.toml").write_text(NET)
        exam = read_exam(Path(name) / "quiz.toml")
        found = search(exam, variants, 7).variants
        manifest = manifest_bytes(manifest_of(exam, 7, found))
        wishes = Wishes(formats, kinds=kinds)
        built = make(exam, found, folder, {MANIFEST: manifest}, wishes, workers=WORKERS, whole=False)
        if built.status or built.finished != variants:
            raise RuntimeError(f"{built.finished} of {variants} variants: {built.failures[:1]}")


def _most_memory() -> float:
    import resource

    own, workers = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return max(own, workers) / 1024  # kB on Linux


if __name__ == "__main__":
    _print(int(sys.argv[1]), Path(sys.argv[2]), tuple(sys.argv[3:]) or ("paper", "solution"))
    print(_most_memory())

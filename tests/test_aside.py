"""A function worked out by a copy of the process: the same values and errors as without one, and nothing left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TWO_CORES = sys.platform == "linux" and len(os.sched_getaffinity(0)) > 1
copies = pytest.mark.skipif(not TWO_CORES, reason="copies are made on Linux, where there are two cores")

OPENING = """
import os, signal, sys, threading, time
from derive.aside import Aside

def gone():
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return True
    return False
"""


def said(code: str, folder: Path = ROOT) -> str:
    """What a process of its own prints; it has to end well, and soon."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-c", OPENING + code]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    assert done.returncode == 0
    return done.stdout


@copies
def test_the_copy_does_the_work() -> None:
    """The value comes from another process, which is gone afterwards; what it prints is not heard."""
    code = """
def prepare():
    print("getting ready", flush=True)
    return lambda x: (x + 1, os.getpid())
work = Aside(prepare)
value, pid = work(41)
print(value, pid != os.getpid(), gone())
"""
    assert said(code) == "42 True True\n"


@copies
def test_values_longer_than_a_pipe() -> None:
    """Ten megabytes go there and come back."""
    assert (
        said("print(Aside(lambda: lambda x: x + b'!')(bytes(10**7)) == bytes(10**7) + b'!', gone())") == "True True\n"
    )


@pytest.mark.parametrize(
    "spoil",
    [
        "os.kill(work._pid, signal.SIGKILL)",
        "os.kill(work._pid, signal.SIGKILL); time.sleep(0.2)",
        "work.close()",
    ],
)
@copies
def test_a_copy_that_died(spoil: str) -> None:
    """The work is then done here."""
    assert said(
        f"work = Aside(lambda: lambda x: (x, os.getpid()))\n{spoil}\nprint(work(1) == (1, os.getpid()), gone())"
    ) == ("True True\n")


@pytest.mark.parametrize("value", ["lambda: 0", "threading.Lock()", "open(os.devnull)"])
def test_what_cannot_be_carried(value: str) -> None:
    """An argument or a value that ``pickle`` does not take stays in this process."""
    assert said(f"print(type(Aside(lambda: lambda x: {value})(1)) is type({value}), gone())") == "True True\n"
    assert said(f"print(Aside(lambda: lambda x: os.getpid())({value}) == os.getpid(), gone())") == "True True\n"


def test_errors_are_those_of_one_process() -> None:
    """What the function raises is raised here, by the function itself."""
    code = """
from derive.errors import ProblemError
def fail(x):
    raise ProblemError("found a hole", file="a.toml", line=x)
try:
    Aside(lambda: fail)(3)
except ProblemError as error:
    print(error, gone())
"""
    assert said(code) == "a.toml:3: found a hole True\n"


def test_no_copy_of_a_process_with_threads() -> None:
    """A thread could hold a lock that its copy would wait for."""
    code = """
threading.Thread(target=time.sleep, args=(0.5,)).start()
work = Aside(lambda: lambda x: os.getpid())
print(work._pid, work(0) == os.getpid())
"""
    assert said(code) == "0 True\n"


@copies
def test_a_copy_ends_with_its_process() -> None:
    """A copy that nobody asks anything ends by itself: it does not keep the reader of our output waiting."""
    code = """
work = Aside(lambda: lambda x: x)
print(work._pid, flush=True)
os._exit(0)
"""
    pid = int(said(code))
    for _ in range(100):
        if not Path(f"/proc/{pid}").exists() or Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
            return
        subprocess.run(["sleep", "0.05"], check=True)
    raise AssertionError("the copy is still there")


RUN = """
import derive.aside
from derive.cli import main
fork = derive.aside.Aside._fork
def and_kill(self):
    fork(self)
    if os.getpid() == here and sys.argv[1:] == ["kill"]:
        os.kill(self._pid, signal.SIGKILL)
here = os.getpid()
derive.aside.Aside._fork = and_kill
print(main(["PROBLEM", "--out", "FOLDER"], alone=ALONE), gone())
"""


@copies
def test_the_files_are_the_same_bytes(tmp_path: Path) -> None:
    """With a copy, without one, and with one that is killed, the command line writes the same files."""
    problem = ROOT / "tests" / "problems" / "macleod-2-2-1.toml"
    made = {}
    for how, code in {
        "with": RUN.replace("ALONE", "True"),
        "without": RUN.replace("ALONE", "False"),
        "killed": "sys.argv[1:] = ['kill']" + RUN.replace("ALONE", "True"),
    }.items():
        folder = tmp_path / how
        assert said(code.replace("PROBLEM", str(problem)).replace("FOLDER", str(folder))).endswith("0 True\n")
        made[how] = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
        assert {Path(name).suffix for name in made[how]} >= {".md", ".tex", ".pdf"}
    assert made["with"] == made["without"] == made["killed"]


def test_a_check_that_fails_stops_the_line(tmp_path: Path) -> None:
    """With a copy ready to print, a failed check is still status 3; nothing is written, and the copy is gone."""
    problem = ROOT / "tests" / "problems" / "macleod-2-2-1.toml"
    code = f"""
import contextlib, io
import derive.solution.elementwise as witness
from derive.cli import main
from derive.solution import CheckFailed
def disagree(part, *known):
    raise CheckFailed("a check failed: dE/dw")
    yield
witness.proofs = disagree
with contextlib.redirect_stderr(io.StringIO()) as said:
    status = main([{str(problem)!r}, "--out", {str(tmp_path / "new")!r}], alone=True)
print(status, said.getvalue().strip(), gone())
"""
    assert said(code) == "3 derive: a check failed: dE/dw True\n"
    assert not (tmp_path / "new").exists()

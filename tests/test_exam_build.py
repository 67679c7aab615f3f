"""Papers into a folder: whole or not at all, gone on with where it stopped, the same bytes whoever made them."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flint import fmpq

import paper_stand_ins
from derive.cli.exam.printing import run
from derive.errors import ProblemError
from derive.exam.building.executors import outcomes
from derive.exam.building.folder import MANIFEST, Built, Progress, make
from derive.exam.building.jobs import Wishes, jobs, packed, stem_of, work
from derive.exam.building.journal import NAME
from derive.exam.exam import Exam
from derive.exam.variant import Chosen, Variant
from derive.numbers.tensor import Tensor
from exams import exam, relu_question
from paper_stand_ins import BAD, CRASHES

MD = Wishes(formats=("md",), kinds=("paper", "key"))
CODES = ("AAA2", "AAB3", "AAC4", "AAD5", "AAE6", "AAF7")


class Here(Executor):
    """Does each job at once, in this thread, and counts those that it was handed; after ``most`` of them it stops."""

    def __init__(self, most: int | None = None) -> None:
        self.codes: list[str] = []
        self.most = most

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """The result, or Ctrl-C."""
        if len(self.codes) == self.most:
            raise KeyboardInterrupt
        self.codes.append(pickle.loads(args[0]).code)
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def quiz() -> Exam:
    """One question in one language."""
    return exam(relu_question(), languages=("en",))


def variants(codes: Sequence[str] = CODES) -> list[Variant]:
    """Variants with these codes; each has a target of its own."""
    return [Variant(k, code, {"a": Chosen({"t": Tensor.of((), [fmpq(k, 2)])})}) for k, code in enumerate(codes, 1)]


def first(text: str = "one") -> dict[str, bytes]:
    """A manifest of which the builder reads nothing."""
    return {MANIFEST: text.encode(), "set.md": b"# the set\n"}


def built(folder: Path, codes: Sequence[str] = CODES, **options: Any) -> Built:
    """The papers of these variants in a folder."""
    options = {"executor": Here(), "compose": paper_stand_ins.sheets, "merge": paper_stand_ins.merged, **options}
    wishes = options.pop("wishes", MD)
    return make(quiz(), variants(codes), folder, options.pop("first", first()), wishes, **options)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of an undisturbed run in this thread."""
    folder = tmp_path_factory.mktemp("whole")
    assert built(folder).status == 0
    return contents(folder)


def test_each_variant_has_its_files_beside_the_manifest(whole: dict[str, bytes]) -> None:
    """Papers and keys are named by number and code, in folders of their own; every paper has its own numbers."""
    papers = {f"papers/{k:03d}-{code}.md" for k, code in enumerate(CODES, 1)}
    keys = {name.replace("papers", "keys") for name in papers}
    assert set(whole) == {*papers, *keys, MANIFEST, "set.md", NAME}
    assert len({whole[name] for name in papers}) == len(CODES)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_any_number_of_processes_gives_the_same_bytes(tmp_path: Path, whole: dict[str, bytes], workers: int) -> None:
    """One process, two or none of its own: every file is the same, the journal among them."""
    built(tmp_path, executor=None, workers=workers)
    assert contents(tmp_path) == whole


def test_threads_give_the_same_bytes(tmp_path: Path, whole: dict[str, bytes]) -> None:
    """An executor of the user's is used as it is, and left open."""
    with ThreadPoolExecutor(3) as executor:
        built(tmp_path, executor=executor)
        assert executor.submit(int, 3).result() == 3
    assert contents(tmp_path) == whole


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # of Dask's dependencies, on whose doings this test has no hold
def test_a_cluster_gives_the_same_bytes(tmp_path: Path, whole: dict[str, bytes]) -> None:
    """Dask's executor, on workers that are processes of their own."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0") as cluster,  # type: ignore[no-untyped-call]
        Client(cluster) as client,  # type: ignore[no-untyped-call]
    ):
        built(tmp_path, executor=client.get_executor())
    assert contents(tmp_path) == whole


def test_a_build_that_is_interrupted_goes_on_where_it_stopped(tmp_path: Path, whole: dict[str, bytes]) -> None:
    """After Ctrl-C the finished variants are there, each whole; the next run makes the others and no more."""
    with pytest.raises(KeyboardInterrupt):
        built(tmp_path, executor=Here(most=4), wishes=MD)
    there = contents(tmp_path)
    papers = [name for name in there if name.startswith("papers/")]
    assert papers
    assert len(papers) < len(CODES)
    assert all(there[name] == whole[name] for name in there if name != NAME)
    later = Here()
    result = built(tmp_path, executor=later)
    assert later.codes == list(CODES[len(papers) :])
    assert (result.finished, result.made) == (len(CODES), len(CODES) - len(papers))
    assert contents(tmp_path) == whole


def test_what_is_finished_is_not_made_again(tmp_path: Path) -> None:
    """A second run of the same build hands out no job and changes no file."""
    built(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    idle = Here()
    assert built(tmp_path, executor=idle).made == 0
    assert idle.codes == []
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


@pytest.mark.parametrize("damage", ["cut", "gone", "line"])
def test_a_variant_that_is_not_whole_is_made_again(tmp_path: Path, whole: dict[str, bytes], damage: str) -> None:
    """A file cut off or removed, or a line of the journal that was cut off: that variant alone is made again."""
    built(tmp_path)
    last = tmp_path / f"papers/006-{CODES[-1]}.md"
    if damage == "cut":
        last.write_bytes(last.read_bytes()[:100])
    elif damage == "gone":
        last.unlink()
    else:
        journal = tmp_path / NAME
        journal.write_bytes(journal.read_bytes()[:-40])
    later = Here()
    built(tmp_path, executor=later)
    assert later.codes == [CODES[-1]]
    assert contents(tmp_path) == whole


def test_other_formats_are_made_beside_those_that_are_there(tmp_path: Path) -> None:
    """The same exam in another format is not taken for finished."""
    built(tmp_path)
    later = Here()
    built(tmp_path, executor=later, wishes=Wishes(formats=("tex",), kinds=("paper",)))
    assert later.codes == list(CODES)
    assert {path.suffix for path in (tmp_path / "papers").iterdir()} == {".md", ".tex", ".sty"}
    assert b"{exam}" in (tmp_path / f"papers/001-{CODES[0]}.tex").read_bytes()


@pytest.mark.parametrize(
    ("compose", "status", "reason"),
    [
        (paper_stand_ins.sheets, 2, "exam.toml:7: no digit of y can be decided"),
        (paper_stand_ins.unverified, 3, "a check failed, nothing was written: dE/dW2, entry 1"),
        (paper_stand_ins.mistaken, 2, "KeyError: 'paper'"),
    ],
)
def test_a_variant_that_fails_is_named_and_the_others_go_on(
    tmp_path: Path, compose: Any, status: int, reason: str
) -> None:
    """Its reason and the exit status are told, none of its files is there, and the next run tries it again."""
    codes = ("AAA2", BAD, "AAC4")
    result = built(tmp_path, codes, compose=compose)
    assert result.status == status
    assert [(one.number, one.code, one.reason) for one in result.failures] == [(2, BAD, reason)]
    assert result.finished == 2
    assert not list(tmp_path.rglob(f"*{BAD}*"))
    assert {path.stem for path in (tmp_path / "papers").iterdir()} == {"001-AAA2", "003-AAC4"}
    later = Here()
    built(tmp_path, codes, compose=compose, executor=later)
    assert later.codes == [BAD]


@pytest.mark.slow
def test_a_worker_that_dies_takes_no_other_variant_with_it(tmp_path: Path) -> None:
    """The variant that ends its process is found and named; those that were under way with it are made all the same."""
    codes = ("AAA2", CRASHES, "AAC4", "AAD5", "AAE6")
    result = built(tmp_path, codes, compose=paper_stand_ins.crashing, executor=None, workers=2)
    assert [(one.number, one.reason) for one in result.failures] == [
        (2, "the process that worked on it ended without an answer")
    ]
    assert result.finished == 4
    assert result.status == 2


ORPHANS = """
import os, time
from derive.exam.building.executors import _pool
pool = _pool(2)
pids = {pool.submit(os.getpid).result()}
while len(pids) < 2:
    pids |= {future.result() for future in [pool.submit(os.getpid) for _ in range(20)]}
pool.submit(time.sleep, 600)  # one is at work, the other waits for it
print(*pids, flush=True)
time.sleep(600)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="processes are looked up by signal 0")
def test_workers_end_with_a_main_process_that_is_killed() -> None:
    """However it ends: nothing that it started is left behind, whether it was at work or waiting."""
    with subprocess.Popen([sys.executable, "-c", ORPHANS], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(pids) == 2
        assert all(map(_lives, pids))
        parent.kill()
    end = time.monotonic() + 20
    while any(map(_lives, pids)) and time.monotonic() < end:
        time.sleep(0.05)
    left = [pid for pid in pids if _lives(pid)]
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert left == []


def _lives(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    if status.exists():  # one that has ended may not have been fetched yet by the process that has inherited it
        return status.read_text().rpartition(")")[2].split()[0] != "Z"
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def test_an_interruption_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    """With how far it is and that it goes on, and the status of Ctrl-C."""

    def work(progress: Progress | None, _: object) -> Built:
        assert progress is not None
        progress(2, 8, 0)
        raise KeyboardInterrupt

    assert run(work) == 130
    said = capsys.readouterr().err
    assert said == "derive: interrupted: 2 of 8 variants are finished and whole; the same command goes on from here\n"


def test_a_folder_of_another_exam_is_refused(tmp_path: Path) -> None:
    """Nothing in it is touched; with ``force`` the papers that were made from the other manifest make room."""
    built(tmp_path)
    (tmp_path / "papers" / "notes.txt").write_text("mine")
    before = contents(tmp_path)
    with pytest.raises(ProblemError, match=r"papers of another exam, seed or version.*--force"):
        built(tmp_path, ("BBB2",), first=first("two"))
    assert contents(tmp_path) == before
    built(tmp_path, ("BBB2",), first=first("two"), force=True)
    assert {path.name for path in (tmp_path / "papers").iterdir()} == {"001-BBB2.md", "notes.txt"}
    assert (tmp_path / MANIFEST).read_bytes() == b"two"


def test_a_journal_from_elsewhere_removes_nothing_outside_of_its_folder(tmp_path: Path) -> None:
    """A line that names a file above the folder is not followed."""
    folder = tmp_path / "exam"
    built(folder)
    mine = tmp_path / "mine.txt"
    mine.write_bytes(b"")
    line = json.loads((folder / NAME).read_text().splitlines()[0])
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    with (folder / NAME).open("a") as journal:
        journal.write(json.dumps({**line, "variant": 9, "files": {"../mine.txt": empty}}) + "\n")
    built(folder, first=first("two"), force=True)
    assert mine.exists()


def test_no_more_jobs_are_under_way_than_wanted() -> None:
    """Variants are packed when there is room for them: memory does not grow with their number."""
    packed_so_far = 0

    def counted() -> Iterator[Variant]:
        nonlocal packed_so_far
        for one in variants():
            packed_so_far += 1
            yield one

    made = jobs(quiz(), counted(), MD.check(quiz()), paper_stand_ins.sheets)
    with ThreadPoolExecutor(1) as executor:
        for k, _ in enumerate(outcomes(made, executor, at_once=2)):
            assert packed_so_far <= k + 3


def test_a_job_is_bytes_and_gives_bytes() -> None:
    """What comes back from a worker is pickled by the standard library, and the same record has the same bytes."""
    (job,) = jobs(quiz(), variants(CODES[:1]), MD.check(quiz()), paper_stand_ins.sheets)
    assert pickle.loads(packed(job)) == job
    outcome = work(packed(job))
    assert outcome.failure is None
    assert pickle.loads(pickle.dumps(outcome)) == outcome
    assert packed(quiz()) == packed(quiz())
    assert stem_of(variants()[0]) == job.stem


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        (Wishes(formats=("doc",)), "the format 'doc' is not known"),
        (Wishes(languages=("fr",)), "fr"),
        (Wishes(kinds=("papers",)), "the document 'papers' is not known; known are paper, solution, key"),
    ],
)
def test_wishes_that_nobody_can_meet_write_nothing(tmp_path: Path, wishes: Wishes, message: str) -> None:
    """One message, and the folder is not made."""
    with pytest.raises(ProblemError, match=message):
        built(tmp_path / "new", wishes=wishes)
    assert not (tmp_path / "new").exists()


def test_all_papers_and_all_keys_stand_in_one_file(tmp_path: Path) -> None:
    """In the order of the variants, in each language; remade where a variant joins, and left alone where none does."""
    wishes = Wishes(languages=("en", "zh"))
    codes = ("AAA2", BAD)
    built(tmp_path, codes, wishes=wishes)
    merged = (tmp_path / "papers.zh.pdf").read_text()
    assert [line.split()[0] for line in merged.splitlines()] == ["001-AAA2.zh"]
    assert {path.name for path in tmp_path.glob("*.pdf")} == {
        "papers.pdf", "papers.zh.pdf", "keys.pdf", "keys.zh.pdf",
    }  # fmt: skip
    built(tmp_path, codes, wishes=wishes, compose=paper_stand_ins.documents)
    merged = (tmp_path / "papers.zh.pdf").read_text()
    assert [line.split()[0] for line in merged.splitlines()] == ["001-AAA2.zh", f"002-{BAD}.zh"]
    before = (tmp_path / "keys.pdf").stat().st_mtime_ns
    built(tmp_path, codes, wishes=wishes)
    assert (tmp_path / "keys.pdf").stat().st_mtime_ns == before

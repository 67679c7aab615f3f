"""Jobs through an executor: a bounded number under way at once, and a worker that dies takes nobody with it."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from multiprocessing.connection import wait as wait_for

from derive.exam.building.jobs import Job, Outcome, failed, packed, work

AHEAD = 2  # jobs for each worker that are under way or waiting for it

CRASHED = "the process that worked on it ended without an answer"


def outcomes(
    jobs: Iterable[Job], executor: Executor | None = None, workers: int | None = None, at_once: int | None = None
) -> Iterator[Outcome]:
    """The outcome of each job, as they come.

    Without an ``executor`` they are done by ``workers`` processes of their own (one for each core of this machine). An
    executor of the user's is left open. ``at_once`` bounds the jobs that are handed over and not done.
    """
    queue = iter(jobs)
    if executor is not None:
        yield from _Flight(executor, at_once or AHEAD * cores()).land(queue)
        return
    workers = workers or cores()
    while True:
        pool = _pool(workers)
        flight = _Flight(pool, at_once or AHEAD * workers, keep=True)
        try:
            yield from flight.land(queue)
        finally:
            pool.shutdown(wait=not flight.broken, cancel_futures=True)
        if not flight.broken:
            return
        # Nobody knows which of them ended the process: each is done once more, alone.
        for job in sorted(flight.lost, key=lambda job: job.number):
            alone = _pool(1)
            try:
                yield from _Flight(alone, 1).land(iter([job]))
            finally:
                alone.shutdown(cancel_futures=True)


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Flight:
    """Jobs under way in one executor. ``keep``: those that a dead worker took with it are kept as ``lost``."""

    def __init__(self, executor: Executor, most: int, keep: bool = False) -> None:
        self.executor, self.most, self.keep = executor, most, keep
        self.lost: list[Job] = []
        self.broken = False

    def land(self, queue: Iterator[Job]) -> Iterator[Outcome]:
        """The outcomes, until there are no more jobs or (with ``keep``) the executor is broken."""
        flying: dict[Future[Outcome], Job] = {}
        try:
            while True:
                yield from self._start(queue, flying)
                if not flying:
                    return
                done, _ = wait(flying, return_when=FIRST_COMPLETED)
                for future in sorted(done, key=lambda one: flying[one].number):
                    yield from self._outcome(future, flying.pop(future))
        finally:
            for future in flying:
                future.cancel()

    def _start(self, queue: Iterator[Job], flying: dict[Future[Outcome], Job]) -> Iterator[Outcome]:
        while len(flying) < self.most and not (self.broken and self.keep):
            job = next(queue, None)
            if job is None:
                return
            try:
                flying[self.executor.submit(work, packed(job))] = job
            except BrokenExecutor:
                yield from self._crashed(job)

    def _outcome(self, future: Future[Outcome], job: Job) -> Iterator[Outcome]:
        try:
            yield future.result()
        except BrokenExecutor:
            yield from self._crashed(job)
        except Exception as error:  # noqa: BLE001 - whatever an executor makes of a lost worker is this variant's failure
            yield failed(job, f"{CRASHED}: {type(error).__name__}: {error}")

    def _crashed(self, job: Job) -> Iterator[Outcome]:
        self.broken = True
        if self.keep:
            self.lost.append(job)
        else:
            yield failed(job, CRASHED)


def _pool(workers: int) -> ProcessPoolExecutor:
    """New processes: a copy of this one would copy the locks of its threads, too."""
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_start)


def _start() -> None:
    """What a process of our own does first."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the main process is asked, and says what becomes of the work
    import derive.exam.papers
    import derive.report.files  # noqa: F401  # what every job needs

    gc.freeze()  # SymPy's objects live to the end: looking for garbage need not go through them, and can be done often
    gc.set_threshold(20_000, 10, 10)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A main process that was killed cannot end its workers: each ends itself, or they would wait for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait_for([parent.sentinel])
        os._exit(1)

"""A function that is worked out aside, by a copy of this process, while this one goes on.

Python computes on one core at a time; a copy (``os.fork``) has another. It gets ready, waits for the argument, and
hands the value back through a pipe. Nothing depends on it: wherever there is no copy, or it dies, or what it says
cannot be read, or the function raises, the work is done here instead, so that values and errors are those of one
process.

For a program that owns its process, before it starts threads: a copy of a process with threads may hang.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

A = TypeVar("A")
B = TypeVar("B")


class Aside(Generic[A, B]):
    """The function that ``prepare`` gives, in a copy of this process that prepares at once.

    Argument and value have to be such that ``pickle`` carries them. ``close`` when done with it, in any case. Without
    ``copy`` everything is done here.
    """

    def __init__(self, prepare: Callable[[], Callable[[A], B]], *, copy: bool = True) -> None:
        self._prepare = prepare
        self._pid = 0
        if copy and _may_fork():
            with contextlib.suppress(OSError):
                self._fork()

    def __call__(self, argument: A) -> B:
        """The value, of the first call by the copy. Raises what the function raises."""
        answer = self._ask(argument) if self._pid else None
        return self._prepare()(argument) if answer is None else answer[0]

    def close(self) -> None:
        """Ends the copy where it is still there."""
        if self._pid:
            pid, self._pid = self._pid, 0
            os.close(self._to)
            os.close(self._from)
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)

    def _fork(self) -> None:
        asked, self._to = os.pipe()
        self._from, answered = os.pipe()
        self._pid = os.fork()
        if not self._pid:
            _be_the_copy(self._prepare, asked, answered)
        os.close(asked)
        os.close(answered)

    def _ask(self, argument: A) -> tuple[B] | None:
        """The value in a tuple, ``None`` where the copy has none; the copy is gone afterwards."""
        try:
            with open(self._to, "wb", closefd=False) as to:
                pickle.dump(argument, to, pickle.HIGHEST_PROTOCOL)
            with open(self._from, "rb", closefd=False) as back:
                value: B = pickle.load(back)
        except (OSError, EOFError, pickle.PickleError, TypeError, AttributeError):  # how pickle says what it cannot do
            return None
        finally:
            self.close()
        return (value,)


def _may_fork() -> bool:
    """Whether a copy is safe (this process has one thread, those outside of Python counted) and of use (two cores)."""
    if sys.platform != "linux" or threading.active_count() > 1:
        return False
    try:
        return len(os.listdir("/proc/self/task")) == 1 and len(os.sched_getaffinity(0)) > 1
    except OSError:
        return False


def _be_the_copy(
    prepare: Callable[[], Callable[[A], B]], asked: int, answered: int
) -> None:  # pragma: no cover - in a process that no tool watches
    """What the copy does; it never returns. It says nothing, and ends when the other process does."""
    status = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        # Nothing of the other process stays open here, or its end would not be noticed: not by this copy, not by a
        # reader of its output.
        low, high = sorted((asked, answered))
        for first, last in ((3, low), (low + 1, high), (high + 1, os.sysconf("SC_OPEN_MAX"))):
            os.closerange(first, last)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(nowhere, stream)
        function = prepare()
        with open(asked, "rb") as source:
            argument: A = pickle.load(source)
        made = pickle.dumps(function(argument), pickle.HIGHEST_PROTOCOL)
        with open(answered, "wb") as to:
            to.write(made)
        status = 0
    finally:
        os._exit(status)

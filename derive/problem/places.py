"""Where things stand: from a path of keys to an error with the right file and line.

A part is laid over the problem above it, so a key of a finished part may stand in either of two places; what an exam
asks is laid over both, and stands in another file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field

from derive.errors import ProblemError, Unsupported
from derive.problem import wording
from derive.problem.toml import KeyPath, Source
from derive.records import dataclass


@dataclass(frozen=True)
class Places:
    """Makes errors. ``part`` is the part's name; ``own`` maps a path of the finished part to the part's table.

    ``over`` are the places of what is laid over the problem from another file; its ``own`` has the paths there.
    """

    source: Source | None = None
    file: str | None = None
    part: str | None = None
    own: Mapping[KeyPath, KeyPath] = field(default_factory=dict)
    over: Places | None = None

    def line(self, *path: str | int) -> int | None:
        """The line of a path of the finished problem, or of the nearest thing above it; ``None`` outside of a file."""
        if self.over is not None and self.over.has(*path):
            return self.over.line(*path)
        if self.source is None:
            return None
        for length in range(len(path), 0, -1):
            if path[:length] in self.own:
                return self.source.line(*self.own[path[:length]], *path)
        return self.source.line(*path)

    def has(self, *path: str | int) -> bool:
        """Whether the path, or something that holds it, stands in a table of its own (``own``)."""
        return any(path[:length] in self.own for length in range(1, len(path) + 1))

    def error(self, message: str, *path: str | int, hint: str | None = None) -> ProblemError:
        """The error for what stands at ``path``."""
        return self.placed(ProblemError(message, hint=hint), *path)

    def unsupported(self, message: str, *path: str | int, hint: str | None = None) -> Unsupported:
        """What is right and not built yet, at ``path``."""
        return self.placed(Unsupported(message, hint=hint), *path)  # type: ignore[return-value]  # it stays one

    def placed(self, error: ProblemError, *path: str | int) -> ProblemError:
        """An error from a room that knows no places, put at ``path``. An ``Unsupported`` stays one."""
        if self.over is not None and self.over.has(*path):
            return self.over.placed(error, *path)
        line = error.line or (self.line(*path) if path else None)
        return type(error)(self._in_part(error.message), file=error.file or self.file, line=line, hint=error.hint)

    def unknown(self, what: str, name: str, known: Iterable[str], *path: str | int) -> ProblemError:
        """``name`` is not among ``known``: the error names the nearest, or else all of them."""
        names = sorted(known)
        tip = wording.hint(name, names) or (f"there are {wording.listing(names, 'and')}" if names else None)
        return self.error(f"{what} {wording.shown(name)[1:-1]}", *path, hint=tip)

    def table(self, value: object, *path: str | int) -> dict[str, object]:
        """``value`` as a table with keys that are texts; an error where it is something else."""
        name = f"[{_dotted(path)}]" if path else "the problem"
        if not isinstance(value, Mapping):
            raise self.error(f"{name} is {wording.kind(value)}, expected is a table", *path)
        for key in value:
            if not isinstance(key, str):
                raise self.error(f"{name} has the key {wording.shown(key)}, expected is a text", *path)
        return dict(value)

    def tables(
        self, value: object, known: Sequence[str], *path: str, hint: str
    ) -> Iterator[tuple[dict[str, object], KeyPath]]:
        """One table, or each of a list of them, with its place; an error for anything else, and for an unknown key."""
        name = path[-1]
        single = not isinstance(value, list | tuple)
        items = [value] if not isinstance(value, list | tuple) else value
        if not items:
            raise self.error(f"{name} is an empty list", *path, hint=hint)
        for number, item in enumerate(items):
            here: KeyPath = path if single else (*path, number)
            if not isinstance(item, Mapping):
                verb = "is" if single else "has"
                raise self.error(f"{name} {verb} {wording.kind(item)}, expected is a table", *here, hint=hint)
            table = self.table(item, *here)
            self.keys(table, known, *here)
            yield table, here

    def keys(self, table: Mapping[str, object], known: Iterable[str], *path: str | int) -> None:
        """An error for the first key of a table that is not a known one."""
        known = list(known)
        for key in table:
            if key not in known:
                where = f" in [{_dotted(path)}]" if path else ""
                tip = wording.hint(key, known) or f"known are {wording.listing(known, 'and')}"
                raise self.error(f"unknown key {wording.shown(key)[1:-1]}{where}", *path, key, hint=tip)

    def _in_part(self, message: str) -> str:
        prefix = "" if self.part is None else f"in part {self.part}: "
        return message if message.startswith(prefix) else prefix + message


def _dotted(path: Iterable[str | int]) -> str:
    """``part.given`` for what stands in some part: the line tells which."""
    return ".".join(key for key in path if isinstance(key, str))

"""Which variants of a folder are finished: a line for each, written when all of its files are in place.

A line is JSON with the digest of every file. One that was cut off by a crash is no JSON, and one whose files have
changed since is not believed; such variants are made again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from derive.errors import ProblemError
from derive.exam.building.jobs import Outcome, Wishes, digest
from derive.report.write import write_files
from derive.version import __version__

NAME = "done.jsonl"


class Journal:
    """The journal of a folder, for one set of wishes."""

    def __init__(self, folder: Path, wishes: Wishes) -> None:
        self.folder, self.path = folder, folder / NAME
        self.made_as = {
            "derive": __version__,
            "formats": list(wishes.formats),
            "languages": list(wishes.languages),
            "documents": list(wishes.kinds),
            "engine": wishes.engine,
        }
        self.lines = _lines(self.path)

    def finished(self, number: int, code: str) -> Mapping[str, str] | None:
        """Digests of a variant's files by name, where all are there and as they were written; else ``None``."""
        for line in reversed(self.lines):
            if line.get("variant") == number and line.get("code") == code:
                return self._whole(line)
        return None

    def merged(self, name: str, parts: str) -> bool:
        """Whether a merged file is there that was made of the parts with this digest."""
        for line in reversed(self.lines):
            if line.get("merged") == name:
                return line.get("parts") == parts and self._whole(line) is not None
        return False

    def note(self, outcome: Outcome) -> Mapping[str, str]:
        """Write down that a variant is finished: its files have to be in place. Gives their digests."""
        files = _digests(outcome.files)
        self._add({"variant": outcome.number, "code": outcome.code, "files": files})
        return files

    def note_merged(self, name: str, parts: str, content: bytes) -> None:
        """Write down a merged file."""
        self._add({"merged": name, "parts": parts, "files": _digests({name: content})})

    def settle(self) -> None:
        """Put the lines that hold into order, so that they do not tell who was faster."""
        last = {(line.get("merged", ""), line.get("variant", 0)): line for line in self.lines}
        lines = [last[key] for key in sorted(last) if self._whole(last[key]) is not None]
        text = b"".join(map(_text, lines))
        if text and text != self.path.read_bytes():
            write_files({self.path: text})
        self.lines = lines

    def forget(self) -> None:
        """Remove every file that stands here as it was written, and the journal."""
        for line in self.lines:
            for name, content in line.get("files", {}).items():
                path = self.folder / name
                if _inside(self.folder, path) and path.is_file() and digest(path.read_bytes()) == content:
                    path.unlink()
        self.path.unlink(missing_ok=True)
        self.lines = []

    def _whole(self, line: Mapping[str, Any]) -> Mapping[str, str] | None:
        files: Mapping[str, str] = line.get("files", {})
        if any(line.get(key) != value for key, value in self.made_as.items()):
            return None
        for name, content in files.items():
            path = self.folder / name
            if not _inside(self.folder, path) or not path.is_file() or digest(path.read_bytes()) != content:
                return None
        return files

    def _add(self, line: dict[str, Any]) -> None:
        line = {**line, **self.made_as}
        try:
            with self.path.open("ab") as file:
                if file.tell() and not _ends_line(self.path):
                    file.write(b"\n")  # behind a line that was cut off
                file.write(_text(line))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise ProblemError(f"cannot write {self.path}: {(error.strerror or str(error)).lower()}") from error
        self.lines.append(line)


def _text(line: Mapping[str, Any]) -> bytes:
    return (json.dumps(line, ensure_ascii=False) + "\n").encode()


def _digests(files: Mapping[str, bytes]) -> dict[str, str]:
    return {name: digest(content) for name, content in files.items()}


def _inside(folder: Path, path: Path) -> bool:
    """Whether a path that a file named lies below the folder."""
    return path.resolve().is_relative_to(folder.resolve())


def _ends_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def _lines(path: Path) -> list[dict[str, Any]]:
    """The lines that are whole; no file, no lines."""
    try:
        texts = path.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ProblemError(f"cannot read {path}: {(error.strerror or str(error)).lower()}") from error
    found = []
    for text in texts:
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict) and isinstance(line.get("files"), dict):
            found.append(line)
    return found

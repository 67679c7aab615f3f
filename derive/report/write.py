"""Files written whole or not at all: every one beside its place first, then all moved into place."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from derive.errors import ProblemError


def write_files(files: Mapping[Path, bytes]) -> None:
    """Write all files, or none where one of them cannot be written; missing folders are made.

    A file that is replaced keeps its old content until every new one is complete on the same disk. Raises
    ``ProblemError`` that names the folder and the reason.
    """
    made: list[Path] = []  # folders that this call made, outermost first
    waiting: list[tuple[Path, Path]] = []
    try:
        for path, content in files.items():
            _make_folder(path.parent, made)
            if path.is_dir():
                raise ProblemError(f"cannot write {path}: it is a folder")
            waiting.append((_beside(path, content), path))
        _move_all(waiting)
    except BaseException:
        for temporary, _ in waiting:
            temporary.unlink(missing_ok=True)
        for folder in reversed(made):
            with suppress(OSError):
                folder.rmdir()
        raise


def _make_folder(folder: Path, made: list[Path]) -> None:
    missing: list[Path] = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for step in reversed(missing):
        try:
            step.mkdir()
        except FileExistsError:
            continue  # somebody else was faster
        except OSError as error:
            raise _refusal(step, error) from error
        made.append(step)


def _beside(path: Path, content: bytes) -> Path:
    """The content in a temporary file next to ``path``, complete."""
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    except OSError as error:
        raise _refusal(path.parent, error) from error
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        temporary.chmod(0o666 & ~_umask())
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _refusal(path.parent, error) from error
        raise
    return temporary


def _move_all(waiting: list[tuple[Path, Path]]) -> None:
    """Move every file into place; should one fail, the places already taken get their old content back."""
    kept: list[tuple[Path, Path | None]] = []  # each place with a copy of what stood there
    path = Path()
    try:
        for temporary, path in waiting:
            copy = temporary.with_suffix(".old") if path.exists() else None
            kept.append((path, copy))
            if copy is not None:
                shutil.copy2(path, copy)
            os.replace(temporary, path)
    except OSError as error:
        for place, copy in reversed(kept):
            with suppress(OSError):
                if copy is None:
                    place.unlink(missing_ok=True)
                elif copy.exists():
                    os.replace(copy, place)
        raise _refusal(path.parent, error) from error
    for _, copy in kept:
        if copy is not None:
            copy.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _refusal(folder: Path, error: OSError) -> ProblemError:
    why = (error.strerror or type(error).__name__).lower()
    return ProblemError(f"cannot write into the folder {folder}: {why}", hint="choose another one with --out")

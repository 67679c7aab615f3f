"""Files are written whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from derive.errors import ProblemError
from derive.report.write import write_files


def listing(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_files_appear_whole_in_folders_that_are_made(tmp_path: Path) -> None:
    """Folders are made as needed; nothing else is left behind; an old file is replaced."""
    (tmp_path / "a.md").write_bytes(b"old")
    write_files({tmp_path / "a.md": b"new", tmp_path / "deep" / "er" / "b.tex": b"\x00\xff"})
    assert listing(tmp_path) == {"a.md": b"new", "deep/er/b.tex": b"\x00\xff"}


def test_ordinary_permissions(tmp_path: Path) -> None:
    """A report can be read by those the user's mask allows, as a file made by ``open`` can."""
    write_files({tmp_path / "a": b""})
    (tmp_path / "b").write_bytes(b"")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == stat.S_IMODE((tmp_path / "b").stat().st_mode)


def test_nothing_changes_when_one_cannot_be_written(tmp_path: Path) -> None:
    """A folder where a file should be: the message names it, the other file is as it was, no folder is left."""
    (tmp_path / "a.md").write_bytes(b"old")
    (tmp_path / "b.tex").mkdir()
    with pytest.raises(ProblemError, match=r"b\.tex: it is a folder"):
        write_files({tmp_path / "a.md": b"new", tmp_path / "made" / "c": b"c", tmp_path / "b.tex": b"new"})
    assert listing(tmp_path) == {"a.md": b"old"}
    assert not (tmp_path / "made").exists()


def test_a_file_in_the_way_of_a_folder(tmp_path: Path) -> None:
    """The folder and the reason are named."""
    (tmp_path / "out").write_bytes(b"a file")
    with pytest.raises(ProblemError, match=r"cannot write into the folder .*out.*: (not a directory|file exists)"):
        write_files({tmp_path / "out" / "a.md": b"new"})


def test_a_device_without_files() -> None:
    """A place where nobody may make files, not even root."""
    with pytest.raises(ProblemError, match=r"cannot write into the folder /proc"):
        write_files({Path("/proc/reports/a.md"): b"new"})


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_a_move_that_fails_is_undone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: int) -> None:
    """A full or vanishing disk at the very end: what was there is there again, to the byte."""
    for name in ("a", "c"):
        (tmp_path / name).write_bytes(b"old")
    moves = []
    replace = os.replace

    def fail_once(source: Path, target: Path) -> None:
        if str(source).endswith(".part"):
            moves.append(target)
            if len(moves) == failing + 1:
                raise OSError(28, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(os, "replace", fail_once)
    with pytest.raises(ProblemError, match="no space left on device"):
        write_files({tmp_path / name: b"new" for name in ("a", "b", "c")})
    assert listing(tmp_path) == {"a": b"old", "c": b"old"}


def test_a_full_disk_while_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No half-written file stays behind."""

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fdopen", full)
    with pytest.raises(ProblemError, match="no space left on device"):
        write_files({tmp_path / "a": b"new"})
    assert listing(tmp_path) == {}

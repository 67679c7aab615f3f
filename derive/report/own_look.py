"""Templates of a user's own, read once from a folder laid out as ``templates/``: each stands in for one partial."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from derive.errors import ProblemError
from derive.records import dataclass

FOLDERS = ("md", "html", "tex", "typ")
LARGEST = 200_000  # bytes of one template


@dataclass(frozen=True, slots=True)
class Look:
    """Sources of partials by name (``typ/heading.typ``), and the folder that they were read from."""

    folder: str
    sources: tuple[tuple[str, str], ...]


def read_look(folder: str | os.PathLike[str]) -> Look:
    """The templates in a folder; hidden files and a README beside the formats' folders are passed over.

    Raises ``ProblemError`` for a folder that is not there or holds no template, for a file that is no partial of
    derive's (with the nearest name), and for one that cannot be read as text.
    """
    root = Path(folder)
    if not root.is_dir():
        raise ProblemError(f"there is no folder {root} with templates")
    known = partials()
    sources = []
    for path in _files(root):
        name = path.relative_to(root).as_posix()
        if name.startswith("README"):
            continue
        if name not in known:
            from derive.problem.wording import nearest

            found = nearest(name, known)
            raise ProblemError(
                "no template of derive's has this name",
                file=str(path),
                hint=f"nearest: {found}" if found else f"the folders are {', '.join(FOLDERS)}",
            )
        sources.append((name, _read(path)))
    if not sources:
        raise ProblemError(f"the folder {root} holds no templates", hint="they are laid out as in templates/ of derive")
    return Look(str(root), tuple(sources))


def _files(root: Path) -> Iterator[Path]:
    """The files in a folder, one after the other: the first that is wrong ends the search, however large it is."""
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(folder) / name for name in sorted(files) if not name.startswith("."))


def _read(path: Path) -> str:
    try:
        content = path.read_bytes()
        if len(content) > LARGEST:
            raise ProblemError(f"a template has at most {LARGEST:,} bytes, and this {len(content):,}", file=str(path))
        return content.decode("utf-8").replace("\r\n", "\n")
    except OSError as error:
        raise ProblemError(f"cannot be read: {(error.strerror or '').lower()}", file=str(path)) from error
    except UnicodeDecodeError as error:
        raise ProblemError("is no text in UTF-8", file=str(path)) from error


def partials() -> tuple[str, ...]:
    """The names of derive's own templates: ``html/display.html``, …"""
    root = templates_folder()
    return tuple(sorted(f"{folder}/{path.name}" for folder in FOLDERS for path in (root / folder).iterdir()))


def templates_folder() -> Path:
    """The templates' folder: inside an installed package, or at the top of the repository."""
    package = Path(__file__).parents[1]
    for folder in (package / "_templates", package.parent / "templates"):
        if folder.is_dir():
            return folder
    raise ProblemError(f"derive has lost its templates (looked for {package / '_templates'})", hint="install it anew")

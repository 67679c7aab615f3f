"""The reports of the gallery: ``python tests/gallery.py`` writes them to ``reports/gallery``."""

from __future__ import annotations

from pathlib import Path

import derive

ROOT = Path(__file__).resolve().parent.parent


def report(name: str) -> dict[str, bytes]:
    """The report of a problem as Markdown with its figures and as PDF, by file name."""
    files: dict[str, bytes] = derive.solve(name).files(["md", "pdf"])
    return files


def write() -> None:
    """Every report of the gallery, and nothing else."""
    folder = ROOT / "reports/gallery"
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for path in sorted((ROOT / "derive/cases").glob("*/*.toml")):
        for name, content in report(path.stem).items():
            (folder / name).write_bytes(content)


if __name__ == "__main__":
    write()

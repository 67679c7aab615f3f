"""The same input gives the same bytes, wherever and however often it is made.

Here: under another hash seed, locale and time zone. ``.ci/run`` makes the same files on every
version of Python that is promised, and compares them.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

FORMATS = "md,tex,html,typ,pdf"
SURROUNDINGS = (
    {"PYTHONHASHSEED": "1", "LC_ALL": "C", "LANG": "C", "TZ": "UTC", "COLUMNS": "80"},
    {"PYTHONHASHSEED": "2", "LC_ALL": "de_DE.UTF-8", "LANG": "zh_CN.UTF-8", "TZ": "Asia/Tokyo", "PYTHONUTF8": "0"},
)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "language"), [("case1", "en"), ("case1", "zh"), ("backprop", "zh")])
def test_every_format_is_the_same_elsewhere(
    name: str, language: str, run: Callable[..., subprocess.CompletedProcess[bytes]], tmp_path: Path
) -> None:
    """Every file of a report and of a chapter, in every format."""
    made = []
    for place, surroundings in enumerate(SURROUNDINGS):
        done = run(name, "--lang", language, "--format", FORMATS, "--out", str(place), **surroundings)
        assert done.returncode == 0, done.stderr.decode()
        made.append({path.name: path.read_bytes() for path in (tmp_path / str(place)).iterdir()})
    assert {Path(file).suffix[1:] for file in made[0]} >= set(FORMATS.split(","))
    assert made[0].keys() == made[1].keys()
    assert not [file for file, content in made[1].items() if content != made[0][file]]

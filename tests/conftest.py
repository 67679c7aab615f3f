"""What every test may lean on: where things lie, and how a command is run as a user runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Settings of the shell that runs the tests; what a command prints is not to depend on them.
ENVIRONMENT = {
    key: value
    for key, value in os.environ.items()
    if key not in {"NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "COLUMNS", "LINES", "PYTHONWARNINGS", "PYTHONPATH"}
}


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the checkout, or of the unpacked source distribution."""
    return ROOT


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """``run("case1", "--json")`` is ``python -m derive case1 --json`` in an empty folder; output as bytes."""

    def run(*arguments: str | bytes, **environment: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [sys.executable, "-W", "error", "-m", "derive", *arguments],
            cwd=tmp_path,
            env=ENVIRONMENT | {"PYTHONPATH": str(ROOT)} | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=120,
            check=False,
        )

    return run


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--regenerate`` writes the tables that are made, before they are compared."""
    parser.addoption("--regenerate", action="store_true", help="write the tables that are made")

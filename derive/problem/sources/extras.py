"""Optional extras: what a source needs beyond derive, and the message that names the extra where it is missing."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from derive.errors import ProblemError


def extra(package: str, what: str) -> ModuleType:
    """The package of that name, imported. Raises ``ProblemError`` that says which extra installs it."""
    try:
        return import_module(package)
    except ImportError as error:
        missing = getattr(error, "name", None) == package
        found = f"{package} is not installed" if missing else f"{package} cannot be imported: {error}"
        raise ProblemError(
            f"{what} needs the package {package}: {found}", hint=f"pip install 'derive-backprop[{package}]'"
        ) from None

"""Verify textbook numbers in tests: every claim of a ``*.claims.toml`` file is a test item of pytest.

With derive installed there is nothing to switch on. A file beside the tests, ``chapter-5.claims.toml``:

    problem = "net.toml"          # the problem that the book solves: a file beside this one, or a built-in name

    [[claim]]
    quantity = "dE/dW2"           # a name, a gradient, "W1@1" for the value after update 1
    index    = [1, 2]             # row and column, from 1
    printed  = "0.1183"           # in quotes: its digits count

    [[claim]]
    quantity = "dE/db1"
    printed  = "0.0008"
    expect   = "wrong"            # a known erratum: the item fails when the number turns out to be right

``pytest`` then runs two items; one that fails says what is printed, what is right, and what was expected. ``expect``
is ``"agrees"`` (the default), ``"carried"`` (right if displayed values are carried), ``"consistent"`` (with the factors
printed, not with the data) or ``"wrong"``. Nothing of derive is loaded until such a file is met.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from derive.review.check import Reviewed
    from derive.review.claims import Claims
    from derive.review.verdicts import Judged

ENDING = ".claims.toml"


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Claims files, and nothing else."""
    if file_path.name.endswith(ENDING):
        made: ClaimsFile = ClaimsFile.from_parent(parent, path=file_path)
        return made
    return None


class ClaimsFile(pytest.File):
    """A claims file. The problem is solved once, when the first of its claims is run."""

    @cached_property
    def claims(self) -> Claims:
        """The claims as they are read."""
        from derive.errors import ProblemError
        from derive.review.claims import read_claims

        try:
            return read_claims(self.path)
        except ProblemError as error:
            raise self.CollectError(str(error)) from None

    @cached_property
    def reviewed(self) -> Reviewed:
        """The claims with their verdicts."""
        from derive.review.check import judged

        return judged(self.claims)

    def collect(self) -> Iterator[pytest.Item]:
        """One item for each claim."""
        taken: dict[str, int] = {}
        for number, claim in enumerate(self.claims.claims):
            taken[claim.id] = taken.get(claim.id, 0) + 1
            name = claim.id if taken[claim.id] == 1 else f"{claim.id}#{taken[claim.id]}"
            item: ClaimItem = ClaimItem.from_parent(self, name=name, number=number)
            yield item


class Unexpected(Exception):
    """A verdict that is not the one that was expected."""

    def __init__(self, judged: Judged) -> None:
        super().__init__(judged)
        self.judged = judged


class ClaimItem(pytest.Item):
    """One printed number."""

    def __init__(self, *, number: int, **rest: Any) -> None:
        super().__init__(**rest)
        self.number = number

    def runtest(self) -> None:
        """Raises ``Unexpected`` where the verdict is not the one that the claim expects."""
        assert isinstance(self.parent, ClaimsFile)
        judged = self.parent.reviewed.judged[self.number]
        if not judged.expected:
            raise Unexpected(judged)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The numbers, not the program that compared them."""
        from derive.errors import DeriveError

        if isinstance(excinfo.value, Unexpected):
            return "\n".join(_told(excinfo.value.judged))
        if isinstance(excinfo.value, DeriveError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """File and line of the claim."""
        assert isinstance(self.parent, ClaimsFile)
        line = self.parent.claims.claims[self.number].line
        return self.path, None if line is None else line - 1, self.name


def _told(judged: Judged) -> Iterator[str]:
    claim = judged.claim
    place = claim.place.get("en") or claim.place.get("") or next(iter(claim.place.values()), "")
    yield f"{claim.file}:{claim.line}: {claim.label}" + (f", part {claim.part}" if claim.part is not None else "")
    more = "" if judged.full == judged.right else f"   ({judged.full})"
    rows = [("place", place), ("printed", claim.printed.text), ("right", f"{judged.right}{more}")]
    rows += [("arithmetic", judged.literal or ""), ("not read", judged.unread or "")]
    rows += [("carried", judged.carried or ""), ("verdict", judged.verdict.value), ("expected", claim.expect)]
    rows += [("comes from", ", ".join(judged.inherits))]
    yield from (f"  {name:<11} {text}" for name, text in rows if text)

"""What can go wrong before any mathematics does.

A ``ProblemError`` is the user's to mend, ``Unsupported`` is ours to build. Both print as one message and end
the program with exit status 2; neither ever shows a traceback.
"""

from __future__ import annotations


class DeriveError(Exception):
    """A message for the user. ``exit_status`` is the status the command line ends with."""

    exit_status = 2


class ProblemError(DeriveError):
    """The user's input is wrong.

    ``message`` says what was found and what is expected, ``file`` and ``line`` (counted from 1) say where,
    ``hint`` names the nearest right thing.
    """

    def __init__(
        self, message: str, *, file: str | None = None, line: int | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message)
        self.message, self.file, self.line, self.hint = message, file, line, hint

    def at(self, file: str | None = None, line: int | None = None) -> ProblemError:
        """The same error with a place, where it has none yet."""
        return type(self)(self.message, file=self.file or file, line=self.line or line, hint=self.hint)

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line) if part is not None)
        return (f"{place}: " if place else "") + self.message + (f" ({self.hint})" if self.hint else "")


class Unsupported(ProblemError):
    """Right input for something that is not built yet. ``message`` names it and says what is built."""

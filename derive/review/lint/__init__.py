"""A document's own arithmetic, judged: every chain of ``=`` and ``≈`` that it prints, link by link."""

from __future__ import annotations

from derive.review.lint.document import Link, Linted, lint_text
from derive.review.lint.file import lint_file

__all__ = ["Link", "Linted", "lint_file", "lint_text"]

"""A document for a notebook: Markdown that needs no file beside it, its figures inside as data.

A figure is an ``<img>`` element. The reader of Markdown that VS Code and others use (markdown-it) refuses SVG data in
``![…](…)`` and would print it as text; the element passes there, and JupyterLab keeps it too.
"""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import quote

from derive.report.document import Document, Figure
from derive.report.escape import html_text
from derive.report.render import render
from derive.report.spacing import spaced


def markdown(document: Document) -> str:
    """The document as one text. Raises what ``render`` raises."""
    made = render(document, "md")
    lines = made.text.split("\n")
    alternatives = [block.alternative for block in spaced(document).blocks if isinstance(block, Figure)]
    for (name, picture), alternative in zip(made.attachments.items(), alternatives, strict=True):
        (place,) = [k for k, line in enumerate(lines) if line.startswith("![") and line.endswith(f"]({quote(name)})")]
        data = b64encode(picture).decode("ascii")
        lines[place] = f'<img alt="{html_text(alternative)}" src="data:image/svg+xml;base64,{data}">'
    return "\n".join(lines)

"""Many PDFs as one, with a bookmark for each."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO


def merged(pdfs: Sequence[tuple[str, bytes]]) -> bytes:
    """One PDF of all these, one behind the other, each with a bookmark of its name; the same bytes every time.

    The merged file is for printing: pages of several files share no outline of headings and no order of reading, so
    what a screen reader is to read are the single files.
    """
    from pypdf import PdfReader, PdfWriter  # only who merges pays for it
    from pypdf.generic import NameObject

    writer = PdfWriter()
    for name, content in pdfs:
        reader = PdfReader(BytesIO(content))
        first = len(writer.pages)
        for page in reader.pages:
            copy = writer.add_page(page, excluded_keys=["/StructParents", "/Annots", "/Tabs"])
            copy.pop(NameObject("/StructParents"), None)
        writer.add_outline_item(title=name, page_number=first)
    writer.page_mode = "/UseOutlines"
    out = BytesIO()
    writer.write(out)
    return out.getvalue()

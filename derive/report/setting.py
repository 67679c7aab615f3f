"""How a document is set: on which page, by which engine, in which frame, with whose templates. One value for all."""

from __future__ import annotations

import os
from collections.abc import Sequence

from derive.errors import ProblemError
from derive.records import dataclass
from derive.report.own_look import Look, read_look
from derive.report.page import A4, Page

FRAMES = ("article", "exam")


@dataclass(frozen=True, slots=True)
class Setting:
    """The choices that every format of one document shares.

    ``engine`` sets the PDF; ``frame`` is the class of the TeX file, ``fragment`` makes it a body to ``\\input``;
    ``look`` holds partials of the user's own (``None``: derive's templates alone).
    """

    engine: str = "typst"
    page: Page = A4
    frame: str = "article"
    fragment: bool = False
    look: Look | None = None

    def check(self, formats: Sequence[str]) -> None:
        """Raise ``ProblemError`` for choices that contradict each other or the formats."""
        tex = "tex" in formats or ("pdf" in formats and self.engine != "typst")
        if self.frame not in FRAMES:
            raise ProblemError(f"the frame {self.frame!r} is not known; known are {', '.join(FRAMES)}")
        if self.frame != "article" and not tex:
            raise ProblemError(f"the frame {self.frame} is one of LaTeX", hint="add tex to the formats")
        if not self.fragment:
            return
        if self.frame != "article":
            raise ProblemError(f"a fragment has no frame of its own, and so none for {self.frame}")
        if "tex" not in formats:
            raise ProblemError("a fragment is a TeX file", hint="add tex to the formats")
        if "pdf" in formats and self.engine != "typst":
            raise ProblemError(
                f"a fragment is no document that {self.engine} could set",
                hint="leave pdf out of the formats, or have it set by typst",
            )


PLAIN = Setting()


def setting_of(wish: Setting | str) -> Setting:
    """A setting as it is, or the plain one with a PDF by the engine of that name."""
    return wish if isinstance(wish, Setting) else Setting(engine=wish)


def setting_for(
    formats: Sequence[str],
    *,
    engine: str = "typst",
    frame: str = "article",
    fragment: bool = False,
    templates: str | os.PathLike[str] | None = None,
) -> Setting:
    """The setting of these wishes, with the folder of ``templates`` read.

    Raises ``ProblemError`` for wishes that contradict each other or the formats, and for a folder that is no folder of
    templates.
    """
    look = read_look(templates) if templates is not None else None
    setting = Setting(engine=engine, frame=frame, fragment=fragment, look=look)
    setting.check(formats)
    return setting

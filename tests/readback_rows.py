"""The chains of a report, from its document or from its LaTeX file, each with the part that it speaks of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flint import fmpq

from derive.report.document import Chain, Display, Document, Heading, Text
from derive.solution import Solution
from derive.solution.part import Part
from readback_grammar import numbered
from readback_tokens import tokens
from readback_updates import staged, update_of

POINTS = tuple(fmpq(*pair) for pair in ((3, 10), (-7, 5), (9, 4)))  # where definitions of functions are tried


@dataclass(frozen=True)
class Row:
    """A chain as printed: its left side, and everything after it as one text with its relations."""

    part: Part
    left: str
    text: str

    @property
    def where(self) -> str:
        name = self.part.problem.part
        return (f"part {name}, " if name else "") + self.left


def rows_of(document: Document, solution: Solution) -> Iterator[Row]:
    """Every chain of a document, with the part of the solution it belongs to."""
    where = _Where(solution)
    for block in document.blocks:
        if isinstance(block, Heading):
            title = "".join(s.text for s in block.spans if isinstance(s, Text))
            where.heading(title, block.level, block.label)
        elif isinstance(block, Display):
            left = ""
            for chain in block.chains:
                left = chain.left or left
                yield from _for_every_step(where.row(left, joined(chain)))


class _Where:
    """In which part of the solution a row stands, and within its updates in which one, after which lines."""

    def __init__(self, solution: Solution) -> None:
        self.solution = solution
        self.part = self.whole = solution.parts[0]
        self.update: int | None = None
        self.level = 0
        self.assigned: frozenset[tuple[str, ...]] = frozenset()
        self.known: dict[Any, Part] = {}

    def heading(self, title: str, level: int, label: str = "") -> None:
        """A new section."""
        found = _part_named(self.solution, title, self.whole)
        if found is not self.whole or level < 3:
            self.part = self.whole = found
        self.part = _view(self.whole, label) or self.part
        begun = update_of(title, self.whole)
        if begun is not None or level < self.level:
            self.update, self.assigned, self.level = begun, frozenset(), level
        if re.fullmatch(r"Step \d+: Update", title) and _has_a_rule(self.whole):
            self.update, self.level = 0, level  # what the rule starts from

    def row(self, left: str, text: str) -> Row:
        """A row; what it assigns has its new value from the next row on."""
        if self.update is None:
            return Row(self.part, left, text)
        key = (id(self.whole), self.update, self.assigned)
        if key not in self.known:
            self.known[key] = staged(self.whole, self.update, self.assigned)
        if tokens(text)[:1] == (r"\leftarrow",):
            self.assigned |= {tokens(left)}
        return Row(self.known[key], left, text)


def _has_a_rule(part: Part) -> bool:
    return part.opening is not None and not part.opening.update.plain


def _for_every_step(row: Row) -> Iterator[Row]:
    """A general equation at each of its steps; ``(t = 1, \\dots, 9)`` behind it says which."""
    match = re.search(r"(?:\\quad)?\s*\((\\?[A-Za-z]+) = ([-0-9, ]+?)(?:, \\dots, (-?[0-9]+))?\)\s*$", row.text)
    if match is None:
        yield row
        return
    steps = [int(number) for number in match[2].split(",")]
    if match[3]:
        last = int(match[3])
        gap = steps[1] - steps[0] if len(steps) > 1 else 1 if last > steps[0] else -1
        steps = list(range(steps[0], last + (1 if gap > 0 else -1), gap))
    for step in steps:
        left, text = (" ".join(numbered(tokens(t), match[1], step)) for t in (row.left, row.text[: match.start()]))
        yield Row(row.part, left, text)


def joined(chain: Chain) -> str:
    """What follows the left side, in one line."""
    return " ".join(f"{link.relation} {' '.join(link.terms)}" for link in chain.links)


def _view(part: Part, label: str) -> Part | None:
    """The part as a labelled section sees it, with the names that the section brings along."""
    return part.further.views.get(label) if part.further is not None else None


def _part_named(solution: Solution, title: str, now: Part) -> Part:
    return next((part for part in solution.parts if title == f"Part {part.problem.part}"), now)


def rows_of_tex(text: str, solution: Solution) -> Iterator[Row]:
    """Every chain of a LaTeX file, from its displays."""
    where = _Where(solution)
    body = text[text.index(r"\begin{document}") :]
    pattern = re.compile(
        r"\\(?P<sub>(?:sub)*)section\{(?P<title>[^{}]*)\}|\\begin\{derivation\}(?P<plain>.*?)\\end\{derivation\}"
        r"|\\begin\{aligned\}(?P<boxed>.*?)\\end\{aligned\}",
        re.DOTALL,
    )
    for match in pattern.finditer(body):
        if match["title"] is not None:
            where.heading(match["title"].strip(), 1 + len(match["sub"]) // 3)
            continue
        left, text = "", ""
        for line in _lines(match["plain"] or match["boxed"]):
            here, _, rest = line.partition("&")
            rest = re.sub(r"\\dvnumber\\label\{[^{}]*\}", "", rest.replace(r"\quad", " ")).strip().removeprefix("{}")
            if here.strip():
                if left:
                    yield from _for_every_step(where.row(left, text))
                left, text = here.strip(), ""
            text += " " + _unfitted(rest)
        if left:
            yield from _for_every_step(where.row(left, text))


def _lines(body: str) -> list[str]:
    r"""The rows of a display: ``\\`` outside of matrices ends one."""
    lines, depth, line, k = [], 0, "", 0
    body = re.sub(r"\\\\\[[0-9.]+ex\]", r"\\\\", body)  # more room between the rows of a matrix
    body = re.sub(r"\\begin\{array\}\{[^{}]*\}", r"\\begin{array}", body)
    while k < len(body):
        if body.startswith(r"\begin{", k):
            depth += 1
        elif body.startswith(r"\end{", k):
            depth -= 1
        elif body.startswith("\\\\", k) and depth == 0:
            lines.append(line)
            line, k = "", k + 2 + body.startswith("\\\\*", k)
            continue
        line += body[k]
        k += 1
    return [line for line in [*lines, line] if line.strip()]


def _unfitted(text: str) -> str:
    r"""Without ``\dvfit{…}{…}``, which scales what is too wide; arrays in brackets are the matrices they are elsewhere."""
    text = re.sub(r"\\dvfit\{[^{}]*\}", "", text)
    return text.replace(r"\left(\begin{array}", r"\begin{pmatrix}").replace(r"\end{array}\right)", r"\end{pmatrix}")

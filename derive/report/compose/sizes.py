"""The section on sizes: what each equation makes of which sizes, and how many numbers are trained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from derive.report.compose.sheet import Sheet
from derive.report.document import Block, Heading, Math, Paragraph, Spans, Table


def sizes(sheet: Sheet) -> Iterator[Block]:
    """A row for each equation with the sizes of what it uses; a row for each parameter with its number of entries."""
    words, network = sheet.words, sheet.part.network
    yield Heading(2, words.say("sizes.heading"))
    rows: list[tuple[Spans, ...]] = []
    for equation in network.equations:
        used = r",\; ".join(
            f"{sheet.symbols.name(name)}: {_size(sheet, network.shape(str(name)))}" for name in equation.value.names()
        )
        made = _size(sheet, equation.value.shape)
        rows.append(((sheet.math(equation.name),), (Math(used),), (Math(made),)))
    head = tuple(words.say(f"sizes.{key}") for key in ("equation", "of", "gives"))
    yield Table(head, tuple(rows), "lll")
    trained = [name for name, datum in network.data.items() if datum.role == "parameter"]
    if trained:
        counts = [(name, network.shape(name)) for name in trained]
        yield Table(
            tuple(words.say(f"sizes.{key}") for key in ("parameter", "size", "numbers")),
            tuple(
                ((sheet.math(n),), (Math(_size(sheet, shape)),), (Math(_count(sheet, [shape])),)) for n, shape in counts
            ),
            "llr",
        )
        yield Paragraph(words.say("sizes.total", count=Math(_count(sheet, [shape for _, shape in counts]))))


def _size(sheet: Sheet, shape: tuple[int | str, ...]) -> str:
    return r" \times ".join(_letter(sheet, size) for size in shape) if shape else "1"


def _letter(sheet: Sheet, size: int | str) -> str:
    return sheet.symbols.factor_of(size)


def _count(sheet: Sheet, shapes: list[tuple[int | str, ...]]) -> str:
    """The entries of some matrices together; sizes that are letters stay letters."""
    found: Counter[tuple[str, ...]] = Counter()
    for shape in shapes:
        number = 1
        for size in shape:
            number *= size if isinstance(size, int) else 1
        found[tuple(size for size in shape if isinstance(size, str))] += number
    terms = []
    for letters, number in found.items():
        product = " ".join(_letter(sheet, letter) for letter in letters)
        terms.append(product if product and number == 1 else f"{number} {product}".rstrip())
    return " + ".join(terms)

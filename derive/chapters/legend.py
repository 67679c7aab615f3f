"""What the letters of a chapter stand for: the names of its problems by what they mean, with their sizes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from derive.graph.ops import FUNCTIONS
from derive.report.catalogue import Catalogue
from derive.report.compose.sheet import Sheet
from derive.report.document import Block, Display, Heading, Items, Math, Note, Paragraph, Spans, Table

# Symbols that mean the same in every chapter. The values of a layer are told apart by where the activation is.
LETTERS = {r"\mathrm{out}": "out", r"\mathbf{1}": "ones", r"\ell": "ell"} | {c: c for c in "XYWbJspr"}
SIZES = "Nmn"
MOST_SIZES = 5  # of one kind that are listed

Shape = tuple[int | str, ...]


def with_legend(blocks: Sequence[Block], sheets: Sequence[Sheet], words: Catalogue) -> list[Block]:
    """The blocks of a chapter with the legend behind the sentences that they open with."""
    opening = next((k for k, block in enumerate(blocks) if not isinstance(block, Paragraph | Display)), len(blocks))
    printed = " ".join(_formulas(blocks))
    return [*blocks[:opening], *legend(sheets, words, lambda symbol: _occurs(symbol, printed)), *blocks[opening:]]


def _formulas(blocks: Iterable[Block]) -> Iterator[str]:
    """Every formula of a chapter."""
    for block in blocks:
        if isinstance(block, Display):
            for chain in block.chains:
                yield from (chain.left, *(term for link in chain.links for term in link.terms))
        lines = [block.spans] if isinstance(block, Heading | Paragraph | Note) else []
        lines += block.items if isinstance(block, Items) else ()
        lines += [cell for row in block.rows for cell in row] if isinstance(block, Table) else ()
        yield from (span.latex for line in lines for span in line if isinstance(span, Math))


def _occurs(symbol: str, printed: str) -> bool:
    return re.search(rf"(?<![A-Za-z\\]){re.escape(symbol)}(?![A-Za-z])", printed) is not None


def legend(sheets: Sequence[Sheet], words: Catalogue, occurs: Callable[[str], bool]) -> Iterator[Block]:
    """A table of what occurs and how large it is; sizes are letters wherever a problem has letters for them."""
    kinds: dict[str, dict[str, list[str]]] = {}  # the sizes of each symbol of a kind; of a number "", the only one
    letters: dict[str, dict[str, None]] = {}
    inner = _activations(sheets)
    in_letters: set[str] = set()
    for numbers in (False, True):
        for sheet in (sheet for sheet in sheets if _in_numbers(sheet) == numbers):
            for symbol, shape in _names(sheet):
                kind = LETTERS.get(symbol) or LETTERS.get(symbol[:1]) or inner.get(symbol[:1])
                if kind is None or (numbers and kind in in_letters) or not occurs(symbol):
                    continue
                size = r" \times ".join(map(sheet.symbols.factor_of, shape))
                sizes = kinds.setdefault(kind, {}).setdefault(symbol, [])
                sizes += [size] if size not in sizes else []
                for part in shape:
                    if isinstance(part, str):
                        letters.setdefault(part[:1], {})[sheet.symbols.factor_of(part)] = None
        in_letters = set(kinds)
    head = tuple(words.say(f"problem.{key}") for key in ("symbol", "meaning", "size"))
    rows = [
        (words.in_a_row(map(Math, symbols)), words.say(f"legend.{kind}"), _sizes(symbols.values(), words))
        for kind, symbols in kinds.items()
    ]
    number = words.say("problem.scalar")
    rows += [
        (words.in_a_row(map(Math, letters[stem])), words.say(f"legend.{stem}"), number)
        for stem in SIZES
        if stem in letters
    ]
    yield Heading(1, words.say("problem.legend"))
    yield Table(head, tuple(rows), "lll")


def _names(sheet: Sheet) -> Iterator[tuple[str, Shape]]:
    """Every symbol of a problem with its shape."""
    network = sheet.part.network
    for name in (*network.data, *(str(equation.name) for equation in network.equations)):
        yield sheet.symbols.name(name), network.shape(name)
    for upstream in sheet.part.problem.ask.upstream:
        yield sheet.symbols.name(upstream.of), ()


def _in_numbers(sheet: Sheet) -> bool:
    return all(isinstance(size, int) for datum in sheet.part.network.data.values() for size in datum.shape)


def _activations(sheets: Iterable[Sheet]) -> dict[str, str]:
    """The letters of what an activation acts on, and of what it makes."""
    found: dict[str, str] = {}
    for sheet in sheets:
        for equation in sheet.part.network.equations:
            value = equation.value
            if value.op in (*FUNCTIONS, "softmax") and value.args[0].op == "name":
                found.setdefault(sheet.symbols.name(value.args[0].name)[:1], "before")
                found.setdefault(sheet.symbols.name(equation.name)[:1], "after")
    return found


def _sizes(sizes: Iterable[Sequence[str]], words: Catalogue) -> Spans:
    """The sizes of all symbols of a kind, each once."""
    found = list(dict.fromkeys(size for several in sizes for size in several))
    if "" in found:
        return words.say("problem.scalar")
    in_numbers = any(factor.isdigit() and factor != "1" for size in found for factor in size.split())
    if len(found) > MOST_SIZES or (in_numbers and len(found) > 1):
        return words.say("legend.varies")
    return words.in_a_row(map(Math, found))

"""Both passes as NumPy: data, functions, equations, derivatives and the update, line by line as derived."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flint import fmpq

from derive.errors import Unsupported
from derive.graph.expression import Name
from derive.report.compose.sheet import Sheet
from derive.report.document import Block, Heading, Listing, Paragraph
from derive.report.notation.python import Code, identifier, number

WIDEST = 88  # characters of a line
MOST_NUMBERS = 400  # entries of a datum that is written into the program
BLANK = "..."


def code(sheet: Sheet, questions: bool = False) -> Iterator[Block]:
    """The section; with ``questions`` what is derived is left blank."""
    words = sheet.words
    if questions:
        yield Heading(2, words.say("code.heading"))
    yield Paragraph(words.say("code.blank" if questions else "code.intro"))
    yield Listing("python", tuple(program(sheet, questions)))


def program(sheet: Sheet, blank: bool = False) -> list[str]:
    """The lines. Raises ``Unsupported``, with the problem's line, for an operation that NumPy code is not built for."""
    part = sheet.part
    network, derivation = part.network, part.derivation
    printer = Code(part.functions, _sizes(sheet))
    try:
        forward = [_line(equation.name, printer.text(equation.value)) for equation in network.equations]
        back: list[str] = []
        if derivation is not None:
            for adjoint, value in part.shape_adjoints.items():
                if adjoint.of == derivation.of:
                    right = BLANK if blank else printer.text(value)
                    if right != identifier(adjoint):
                        back.append(_line(adjoint, right))
    except Unsupported as error:
        raise error.at(part.problem.file, part.problem.line("ask", "code")) from None
    lines = ["import numpy as np"]
    if any("math." in line for helper in printer.helpers for line in helper):
        lines.insert(0, "import math")
    for helper in printer.helpers:
        lines += ["", "", *helper]
    data = [*_data(sheet)]
    lines += ["", ""] if printer.helpers else [""]
    lines += [*data, ""] if data else []
    lines += ["# " + sheet.words.text("code.forward"), *_folded(forward)]
    if back:
        lines += ["", "# " + sheet.words.text("code.backward"), *_folded(back)]
    return lines


def _line(name: Name, text: str) -> str:
    return f"{identifier(name)} = {text}"


def _sizes(sheet: Sheet) -> dict[str, str]:
    """Where a size that is a letter can be read."""
    found: dict[str, str] = {}
    for name, datum in sheet.part.network.data.items():
        for axis, size in enumerate(datum.shape):
            if isinstance(size, str):
                found.setdefault(size, f"{identifier(name)}.shape[{axis}]")
    return found


def _data(sheet: Sheet) -> Iterator[str]:
    for name, datum in sheet.part.network.data.items():
        tensor = datum.tensor
        if tensor is None or len(tensor.entries) > MOST_NUMBERS:
            shape = ", ".join(map(str, datum.shape))
            yield f"# {identifier(name)}: " + sheet.words.text(
                "code.array" if datum.shape else "code.number", shape=shape
            )
        elif not tensor.shape:
            yield _line(name, number(tensor.entries[0])[0])
        else:
            yield from _array(identifier(name), tensor.shape, tensor.entries)


def _array(name: str, shape: Sequence[int], entries: Sequence[fmpq]) -> Iterator[str]:
    """An array as nested lists, on one line where that fits, else one line for each of its first axis."""

    def nested(shape: Sequence[int], entries: Sequence[fmpq]) -> str:
        if not shape:
            return number(entries[0])[0]
        step = len(entries) // shape[0]
        return "[" + ", ".join(nested(shape[1:], entries[k * step : (k + 1) * step]) for k in range(shape[0])) + "]"

    whole = f"{name} = np.array({nested(shape, entries)})"
    if len(whole) <= WIDEST:
        yield whole
        return
    step = len(entries) // shape[0]
    yield f"{name} = np.array(["
    for k in range(shape[0]):
        yield from _wrapped("    " + nested(shape[1:], entries[k * step : (k + 1) * step]) + ",", ", ", 5)
    yield "])"


def _folded(lines: Sequence[str]) -> Iterator[str]:
    """Lines that are too wide go on in brackets, broken before an operator."""
    for line in lines:
        if len(line) <= WIDEST:
            yield line
            continue
        name, right = line.split(" = ", 1)
        yield f"{name} = ("
        yield from _wrapped(f"    {right}", " ", 4)
        yield ")"


def _wrapped(line: str, mark: str, indent: int) -> Iterator[str]:
    while len(line) > WIDEST:
        at = line.rfind(mark, indent + 1, WIDEST)
        if at <= indent:
            break
        yield line[: at + len(mark)].rstrip()
        line = " " * indent + line[at + len(mark) :]
    yield line

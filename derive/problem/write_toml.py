"""Numbers, texts, lists and tables as TOML; whatever is written so reads as exactly the same value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from flint import fmpq

from derive.numbers.tensor import Tensor
from derive.problem.problem import Text
from derive.problem.spell import spell_number

WIDTH = 120  # characters of a line, where a value can be broken at all
LARGEST_INTEGER = 2**63 - 1  # what every reader of TOML takes as it stands; a longer number stands in quotes
BARE_KEY = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)

Rows = dict[str, str]  # key -> value, as TOML


def key(name: str) -> str:
    """A key, in quotes where it is no plain word."""
    return name if BARE_KEY.fullmatch(name) else string(name)


def string(words: str) -> str:
    r"""A text in double quotes, or in single ones where a backslash is to stand as it is (``'\mu'``)."""
    if "\\" in words and "'" not in words:
        return f"'{words}'"
    return '"' + words.replace("\\", "\\\\").replace('"', '\\"') + '"'


def text(words: Text) -> str:
    """A text, or a table of texts by language."""
    return string(words[""]) if set(words) == {""} else inline({code: string(each) for code, each in words.items()})


def size(sides: int | str) -> str:
    """A size: a number or a name."""
    return str(sides) if isinstance(sides, int) else string(sides)


def number(exact: fmpq) -> str:
    """A decimal as it stands; a fraction, or an integer that some readers would overflow, in quotes."""
    written = spell_number(exact)
    long = exact.q == 1 and abs(exact.p) > LARGEST_INTEGER and "e" not in written
    return string(written) if "/" in written or long else written


def listed(items: Iterable[str]) -> str:
    """A list of what is written already."""
    return f"[{', '.join(items)}]"


def inline(rows: Rows) -> str:
    """A table on one line."""
    return "{ " + ", ".join(f"{key(name)} = {written}" for name, written in rows.items()) + " }"


def aligned(rows: Rows) -> Iterator[str]:
    """A table a key a line, the values in one column."""
    width = max(len(key(name)) for name in rows)
    for name, written in rows.items():
        yield f"{key(name):<{width}} = {written}"


def block(name: str, lines: Sequence[str]) -> str:
    """A text of several lines under a key."""
    words = "\n".join(lines)
    if "\\" not in words and '"""' not in words:
        return f'{name} = """\n{words}\n"""'
    if "'''" not in words:
        return f"{name} = '''\n{words}\n'''"
    words = words.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    return f'{name} = """\n{words}\n"""'


def one_line(array: Tensor) -> str:
    """An array on one line."""
    numbers = [number(entry) for entry in array.entries]
    if not array.shape:
        return numbers[0]
    shape = array.shape[1:] if len(array.shape) == 2 and array.shape[0] == 1 else array.shape
    for side in reversed(shape[1:]):
        numbers = [listed(numbers[start : start + side]) for start in range(0, len(numbers), side)]
    return listed(numbers)


def value(array: Tensor, name: str) -> str:
    """On one line where it fits beside its name, else a row a line, and a long row over several."""
    line = one_line(array)
    if len(name) + len(line) + 3 <= WIDTH or not array.shape:
        return line
    return "\n".join(_broken(array.shape, [number(entry) for entry in array.entries], ""))


def stacked(arrays: Sequence[Tensor], name: str) -> str:
    """Several arrays as one list, each on a line of its own where they do not fit on one."""
    every = [one_line(array) for array in arrays]
    line = listed(every)
    return line if len(name) + len(line) + 3 <= WIDTH else "\n".join(["[", *(f"  {each}," for each in every), "]"])


def _broken(shape: tuple[int, ...], numbers: list[str], indent: str) -> list[str]:
    """A long list over several lines, a comma behind each entry, as TOML allows."""
    if len(shape) == 2 and shape[0] == 1 and not indent:
        shape = shape[1:]  # a row is a flat list
    inner = indent + "  "
    if len(shape) == 1:
        flat = f"{indent}{listed(numbers)}"
        return [flat] if len(flat) < WIDTH else [f"{indent}[", *_filled(numbers, inner), f"{indent}]"]
    lines, step = [f"{indent}["], len(numbers) // shape[0]
    for start in range(0, len(numbers), step):
        lines += _broken(shape[1:], numbers[start : start + step], inner)
        lines[-1] += ","
    return [*lines, f"{indent}]"]


def _filled(numbers: list[str], indent: str) -> list[str]:
    lines, line = [], indent
    for number in numbers:
        if len(line) + len(number) + 2 > WIDTH and line.strip():
            lines.append(line.rstrip())
            line = indent
        line += f"{number}, "
    return [*lines, line.rstrip()]

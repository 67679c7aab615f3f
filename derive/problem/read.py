"""Plain tables → frozen ``Problem``: the one way in, whether the tables come from TOML or from a Python call.

Parts are laid over the tables above them first; each then becomes a problem by the same function.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from math import prod
from pathlib import Path
from types import MappingProxyType
from typing import Any

from derive.errors import ProblemError
from derive.numbers.tensor import Tensor
from derive.problem import wording
from derive.problem.ask import Known, read_ask
from derive.problem.convention import read_convention
from derive.problem.families import Families, declared
from derive.problem.functions import FUNCTIONS
from derive.problem.language import check_name, read_equations, read_formula, walk
from derive.problem.meanings import DATA, check_functions, check_once, check_order, check_part_data
from derive.problem.names import member, stem_of
from derive.problem.places import Places
from derive.problem.problem import Problem, Shape, Text
from derive.problem.size_terms import canonical, names_in, terms
from derive.problem.symbols import entry_name, symbol
from derive.problem.syntax import Call, Name, Node, Statement
from derive.problem.texts import clean, read_text
from derive.problem.toml import KeyPath, Source
from derive.problem.values import read_value, size_text

FORMAT = 1
TABLES = (*DATA, "functions", "names", "symbols", "captions", "ask", "convention")
KEYS = ("format", "title", "equations", *TABLES, "part")
PART_KEYS = ("name", "title", *TABLES)
EXCLUDING = {"ask": (("loss", "upstream"),), "convention": (("digits", "significant"),)}
MOST_PARTS = 1000
LARGEST_SIZE = 10**9

Tables = dict[str, Any]


def problem_from_tables(
    tables: Tables, *, name: str, source: Source | None = None, file: str | None = None, folder: Path | None = None
) -> Problem:
    """The problem that plain tables describe.

    ``source`` knows the lines, ``folder`` is where ``{ file = … }`` looks. Raises ``ProblemError`` and ``Unsupported``.
    """
    places = Places(source, file)
    places.keys(tables, KEYS)
    _check_format(tables.get("format", FORMAT), places)
    base = _checked_tables(tables, places)
    parts = _parts(tables.get("part", []), places)
    reader = _reader(name, base, parts, places, folder)
    problem = reader.problem(base, places, complete=not parts)
    finished = tuple(reader.problem(*_overlay(base, part, its_places)) for its_places, part in parts)
    for part in finished:
        if part.convention.decimal != problem.convention.decimal:
            raise ProblemError(
                f"part {part.part} has a decimal sign of its own: a report has one",
                file=problem.file,
                line=part.line("convention", "decimal"),
                hint="say decimal in the [convention] above the parts",
            )
    return replace(problem, parts=finished)


def narrowed(
    tables: Tables, part: str | None, ask: Mapping[str, object], over: Places, *, name: str, source: Source
) -> Problem:
    """One question on a problem that has been read: that of its part ``part``, with ``ask`` laid over the part's own.

    ``ask`` is laid over key by key, as a part is over the tables above it; ``over`` knows where its keys stand. The
    problem has no parts. Raises ``ProblemError`` and ``Unsupported``, ``KeyError`` for a part that is not there.
    """
    places = Places(source, source.file)
    base = merged = _checked_tables(tables, places)
    parts = _parts(tables.get("part", []), places)
    reader = _reader(name, base, parts, places, None)
    if part is not None:
        its_places, own = {its.part: (its, own) for its, own in parts}[part]
        merged, places = _overlay(base, own, its_places)
    merged, places = _overlay(merged, {"ask": dict(ask)}, replace(places, over=over))
    return replace(reader.problem(merged, places), part=None)


def _reader(
    name: str, base: Tables, parts: list[tuple[Places, Tables]], places: Places, folder: Path | None
) -> _Reader:
    """The reader of one network, which has the functions and families that any part brings."""
    functions = {key for _, part in parts for key in part.get("functions", {})} | set(base.get("functions", {}))
    given = declared([base, *(part for _, part in parts)])
    statements = _statements(base, functions, given, places)
    return _Reader(name, statements, Families(statements, given), folder)


def _check_format(value: object, places: Places) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise places.error(f"format is {wording.kind(value)}, expected is {FORMAT}", "format")
    if value > FORMAT:
        raise places.error(
            f"format is {value}, and this program knows problem files up to format {FORMAT}",
            "format",
            hint="a newer derive-backprop reads it",
        )


def _checked_tables(tables: Tables, places: Places, *prefix: str | int) -> Tables:
    """The tables with the form of each one checked: a table is a table, its keys are texts."""
    checked = {}
    for key, value in tables.items():
        checked[key] = places.table(value, *prefix, key) if key in TABLES else value
    return checked


def _parts(value: object, places: Places) -> list[tuple[Places, Tables]]:
    """Each part with the places of its keys."""
    if not isinstance(value, list | tuple):
        raise places.error(f"part is {wording.kind(value)}, expected is [[part]], once for each part", "part")
    if len(value) > MOST_PARTS:
        raise places.error(f"{len(value)} parts, at most {MOST_PARTS} are allowed", "part")
    parts: list[tuple[Places, Tables]] = []
    seen: set[str] = set()
    for number, item in enumerate(value):
        prefix = ("part", number)
        table = places.table(item, *prefix)
        if "equations" in table:
            raise places.error("a part has no equations of its own: parts share one network", *prefix, "equations")
        places.keys(table, PART_KEYS, *prefix)
        name = table.get("name")
        if not isinstance(name, str) or not name.strip():
            raise places.error("a part has no name", *prefix, hint='name = "a"')
        try:
            name = clean(name)
        except ProblemError as error:
            raise places.placed(error, *prefix, "name") from None
        if name in seen:
            raise places.error(f"two parts have the name {name}", *prefix, "name")
        seen.add(name)
        checked = _checked_tables(table, places, *prefix)
        own: dict[KeyPath, KeyPath] = {(key,): prefix for key in table if key not in TABLES}
        for key in TABLES:
            own.update({(key, inner): prefix for inner in checked.get(key, {})})
        checked["name"] = name
        parts.append((Places(places.source, places.file, name, own), checked))
    return parts


def _overlay(base: Tables, part: Tables, places: Places) -> tuple[Tables, Places]:
    """The part's tables laid over those above, key by key.

    A name that the part gives under another heading (a size in place of numbers, say) leaves the heading it had, and of
    two settings that exclude each other the part's own one stays.
    """
    merged: Tables = {key: dict(value) if key in TABLES else value for key, value in base.items() if key != "part"}
    for key, value in part.items():
        if key not in TABLES:
            merged[key] = value
            continue
        table = merged.setdefault(key, {})
        for inner in value:
            for heading in DATA if key in DATA else ():
                if inner not in part.get(heading, {}):
                    merged.get(heading, {}).pop(inner, None)
        for pair in EXCLUDING.get(key, ()):
            if any(one in value for one in pair):
                for one in pair:
                    table.pop(one, None)
        table.update(value)
    return merged, places


def _statements(
    tables: Tables, functions: Iterable[str], given: frozenset[str], places: Places
) -> tuple[Statement, ...]:
    text = tables.get("equations")
    if text is None and _gives_gradients(tables):
        return ()
    if text is None:
        raise places.error("the problem has no equations", hint='equations = """ … """, one a line: y = x @ W + b')
    if not isinstance(text, str):
        raise places.error(f"equations is {wording.kind(text)}, expected is a text, one equation a line", "equations")
    lines = places.source.text_lines("equations") if places.source else []
    try:
        statements = read_equations(text, lines, frozenset(functions), given)
    except ProblemError as error:
        raise Places(file=places.file or "equations").placed(error) from None
    if not statements and not _gives_gradients(tables):
        raise places.error("equations has no equation", "equations", hint="one a line: y = x @ W + b")
    for statement in statements:
        try:
            clean(statement.comment)
        except ProblemError as error:
            raise Places(file=places.file or "equations").placed(error.at(line=statement.line)) from None
    return statements


class _Reader:
    """Makes problems of one network; a table that several parts share is converted once."""

    def __init__(self, name: str, statements: tuple[Statement, ...], families: Families, folder: Path | None) -> None:
        self.name, self.statements, self.families, self.folder = name, statements, families, folder
        self.equations = tuple(statement.name for statement in statements)
        self.tensors: dict[int, tuple[object, Tensor]] = {}  # by identity; the value is kept so that it stays itself

    def problem(self, tables: Tables, places: Places, complete: bool = True) -> Problem:
        """The finished problem. Above parts it is not ``complete``: what is missing may come with each of them."""
        functions = self.functions(tables.get("functions", {}), places)
        given = self.data("given", tables, functions, places)
        parameters = self.data("parameters", tables, functions, places)
        shapes = self.shapes(tables, functions, places)
        headings: dict[str, Iterable[str]] = {"given": given, "parameters": parameters, "shapes": shapes}
        check_once(self.statements, headings, places)
        data: dict[str, Shape] = {key: value.shape for key, value in (given | parameters).items()} | shapes
        known = Known(self.equations, data, parameters, complete, _labels(self.statements))
        check_order(self.statements, data, places, complete)
        if complete:
            check_functions(self.statements, functions, places)
            check_part_data(self.statements, places)
        ask = read_ask(tables.get("ask", {}), known, places, self.folder)
        tops = tuple(top.of for top in ask.upstream)
        sizes = tuple(name for shape in shapes.values() for size in shape for name in names_in(size))
        signals = tuple(ask.questions.delta.values()) if ask.questions is not None else ()
        letters = {statement.loop for statement in self.statements if statement.loop}
        general = (f"{stem}[{letter}]" for stem in sorted(self.families.stems) for letter in sorted(letters))
        printed = (
            *known.names,
            *self.families.stems,
            *general,
            *functions,
            *tops,
            *sizes,
            *signals,
            *map(stem_of, signals),
        )
        title = read_text(tables["title"], places, "title") if "title" in tables else MappingProxyType({"": self.name})
        return Problem(
            name=self.name,
            title=title,
            statements=self.statements,
            given=MappingProxyType(given),
            parameters=MappingProxyType(parameters),
            shapes=MappingProxyType(shapes),
            functions=MappingProxyType(functions),
            names=MappingProxyType(self.names(tables.get("names", {}), known, places)),
            symbols=MappingProxyType(self.symbols(tables.get("symbols", {}), printed, places, complete)),
            captions=MappingProxyType(self.captions(tables.get("captions", {}), known, places)),
            ask=ask,
            convention=read_convention(tables.get("convention", {}), places),
            part=places.part,
            file=places.file,
            lines=MappingProxyType(_lines(places)),
        )

    def functions(self, table: Mapping[str, object], places: Places) -> dict[str, tuple[str, Node] | None]:
        found: dict[str, tuple[str, Node] | None] = {}
        for name, formula in table.items():
            path = ("functions", name)
            if name in FUNCTIONS:
                raise places.error(f"{name} is a function of the language already", *path)
            self.check_name(name, "a function", places, path)
            if formula == "unspecified":
                found[name] = None
                continue
            if not isinstance(formula, str):
                raise places.error(
                    f'{name} is {wording.kind(formula)}, expected is "unspecified" or a formula such as "z**3 / 3"',
                    *path,
                )
            try:
                found[name] = read_formula(formula)
            except ProblemError as error:
                plain = type(error)(error.message, hint=error.hint)  # a formula's own line is the line of its key
                raise places.placed(plain, *path) from None
        return found

    def data(self, heading: str, tables: Tables, functions: Iterable[str], places: Places) -> dict[str, Tensor]:
        found = {}
        table = self.families.spread(heading, tables.get(heading, {}), places, self.folder)
        for name, (value, path) in table.items():
            self.check_data_name(name, functions, places, path)
            if id(value) not in self.tensors:
                try:
                    self.tensors[id(value)] = value, read_value(value, places, self.folder, *path)
                except ProblemError as error:
                    raise (
                        places.placed(error, *path) if error.file is None and error.line is None else error
                    ) from None
            found[name] = self.tensors[id(value)][1]
        return found

    def shapes(self, tables: Tables, functions: Iterable[str], places: Places) -> dict[str, Shape]:
        found: dict[str, Shape] = {}
        table = self.families.spread("shapes", tables.get("shapes", {}), places, self.folder)
        for name, (sizes, path) in table.items():
            self.check_data_name(name, functions, places, path)
            if not isinstance(sizes, list | tuple):
                raise places.error(
                    f'the shape of {name} is {wording.kind(sizes)}, expected is a list of sizes such as ["N", 3]',
                    *path,
                    hint="[] is a scalar",
                )
            found[name] = tuple(self.size(size, places, (*path, number)) for number, size in enumerate(sizes))
            if len(found[name]) == 1:
                length = found[name][0]
                raise places.error(
                    f"the shape of {name} has one size; there are no 1-D arrays",
                    *path,
                    hint=f"[1, {length}] is a row, [{length}, 1] a column",
                )
        values = {
            *self.equations,
            *tables.get("given", {}),
            *tables.get("parameters", {}),
            *found,
            *self.families.stems,
        }
        for name, shape in found.items():
            for letter in (part for size in shape for part in names_in(size)):
                if letter in values:
                    what = f"{letter} is a size of {name} and the name of a quantity as well"
                    raise places.error(what, "shapes", name)
        return found

    def size(self, size: object, places: Places, path: KeyPath) -> int | str:
        if isinstance(size, str):
            return self.named_size(size, places, path)
        if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= LARGEST_SIZE:
            raise places.error(
                f"a size of {path[1]} is {wording.kind(size)}, "
                f"expected is a whole number from 1 to {LARGEST_SIZE} or a name",
                *path,
            )
        return size

    def named_size(self, text: str, places: Places, path: KeyPath) -> int | str:
        """A size that is a name, or a linear expression in names such as N - k + 1."""
        try:
            size = canonical(text)
        except ValueError:
            size = 0
        if isinstance(size, int):  # no name in it: the message says what a name is
            self.check_name(text, "a size", places, path)
            return text
        for name in names_in(size):
            self.check_name(name, "a size", places, path)
        number, names = terms(size)
        if number + sum(names.values()) < 1 and not any(factor > 0 for factor in names.values()):
            raise places.error(f"the size {text} of {path[1]} is never positive", *path)
        return size

    def names(
        self, table: Mapping[str, object], known: Known, places: Places
    ) -> dict[str, tuple[tuple[str, ...], ...]]:
        found: dict[str, tuple[tuple[str, ...], ...]] = {}
        quantities = {_canonical(name): name for name in known.names}
        entries: dict[str, str] = {}
        for name, text in table.items():
            path = ("names", name)
            if name not in known.names:
                if known.complete:
                    raise places.unknown("[names] has what does not exist:", name, known.names, *path)
                continue
            if not isinstance(text, str):
                raise places.error(
                    f'the names of {name} are {wording.kind(text)}, expected is a text such as "w_1 w_2; w_3 w_4"',
                    *path,
                )
            rows = tuple(tuple(row.split()) for row in text.split(";"))
            for entry in (entry for row in rows for entry in row):
                try:
                    plain = entry_name(entry)
                except ProblemError as error:
                    raise places.placed(error, *path) from None
                alone = len(rows) == len(rows[0]) == 1  # the only entry of b may be called b
                if plain in entries:
                    raise places.error(
                        f"the name {entry} stands twice: it is in the names of {entries[plain]} already", *path
                    )
                if plain in quantities and not (alone and quantities[plain] == name):
                    raise places.error(f"an entry of {name} has the name of another quantity: {entry}", *path)
                entries[plain] = name
            self.check_count(name, rows, known.data.get(name), places)
            found[name] = rows
        return found

    def check_count(self, name: str, rows: tuple[tuple[str, ...], ...], shape: object, places: Places) -> None:
        path = ("names", name)
        widths = {len(row) for row in rows}
        if 0 in widths:
            raise places.error(f"the names of {name} have an empty row", *path, hint="rows are parted by ;")
        if len(widths) > 1:
            raise places.error(
                f"the rows of the names of {name} have {wording.listing(map(str, sorted(widths)), 'and')} names", *path
            )
        found = (len(rows), len(rows[0]))
        if not isinstance(shape, tuple) or any(isinstance(size, str) for size in shape):
            return
        expected = (prod(shape[:-1]), shape[-1]) if len(shape) > 2 else shape or (1, 1)
        if found != expected:
            raise places.error(
                f"the names of {name} are {size_text(found)}, and {name} is {size_text(shape)}",
                *path,
                hint="rows are parted by ;" if found == expected[::-1] or found[0] == 1 else None,
            )

    def symbols(
        self, table: Mapping[str, object], printed: tuple[str, ...], places: Places, complete: bool
    ) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, text in table.items():
            path = ("symbols", name)
            if name not in printed:
                if complete:
                    raise places.unknown("[symbols] has what does not exist:", name, printed, *path)
                continue
            if not isinstance(text, str):
                raise places.error(f"the symbol of {name} is {wording.kind(text)}, expected is LaTeX in quotes", *path)
            try:
                written = symbol(text)
            except ProblemError as error:
                raise places.placed(error, *path) from None
            for other, same in found.items():
                if same == written:
                    raise places.error(f"{other} and {name} have the same symbol {written}", *path)
            found[name] = written
        return found

    def captions(self, table: Mapping[str, object], known: Known, places: Places) -> dict[str, Text]:
        found = {}
        for name, text in table.items():
            if name not in known.names and name not in self.families.stems and known.complete:
                raise places.unknown("[captions] has what does not exist:", name, known.names, "captions", name)
            found[name] = read_text(text, places, "captions", name)
        return found

    def check_data_name(self, name: str, functions: Iterable[str], places: Places, path: KeyPath) -> None:
        self.check_name(name, "a value", places, path)
        if name in functions:
            raise places.error(f"{name} is a function of [functions] and a value as well", *path)

    def check_name(self, name: str, what: str, places: Places, path: KeyPath) -> None:
        try:
            check_name(stem_of(name) if member(name) else name, what)
        except ProblemError as error:
            raise places.placed(error, *path) from None


def _gives_gradients(tables: Tables) -> bool:
    """Whether updates take their gradients from the problem itself: then there may be no network."""
    parts = tables.get("part", [])
    asks = [tables.get("ask"), *(part.get("ask") for part in parts if isinstance(part, Mapping))]
    updates = [ask.get("update") for ask in asks if isinstance(ask, Mapping)]
    return any(isinstance(update, Mapping) and "with" in update for update in updates)


def _labels(statements: Iterable[Statement]) -> frozenset[str]:
    """Data that may be class numbers or row numbers: in a flat list there is one to a sample, however it lies."""
    place = {"cross_entropy": 1, "one_hot": 0, "embedding": 1}
    calls = (node for statement in statements for node in walk(statement.expression) if isinstance(node, Call))
    numbers = (call.arguments[place[call.function]] for call in calls if call.function in place)
    return frozenset(node.id for node in numbers if isinstance(node, Name))


def _canonical(name: str) -> str:
    """A variable's name as an entry's name would have it: ``x_1`` the entry and ``x_1`` the scalar print alike."""
    try:
        return entry_name(name)
    except ProblemError:
        return name


def _lines(places: Places) -> dict[tuple[str, ...], int]:
    """The lines of the finished problem's keys: the part's where the part has them."""
    if places.source is None:
        return {}
    found: dict[tuple[str, ...], int] = {}
    for path, line in places.source.key_lines():
        if path[0] != "part":
            plain = tuple(key for key in path if isinstance(key, str))
            if len(plain) == len(path):
                found[plain] = line
    for path in places.own:
        plain = tuple(str(key) for key in path)
        if (own := places.line(*path)) is not None:
            found[plain] = own
    if places.over is not None:  # what stands in another file has no line of this one
        laid = {path[0] for path in places.over.own}
        found = {path: line for path, line in found.items() if path[0] not in laid}
    return found

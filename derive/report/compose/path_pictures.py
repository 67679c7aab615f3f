"""The path picture: the paths that the derivative by one entry sums over, each in a colour, with its term beside it.

A network that is a chain of layers is drawn as such, grey behind its paths. Of any other, and of several samples, the
entries on the paths are drawn, one node each, with the local derivatives over the arrows.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import replace

import numpy as np

from derive.calculus.explicit import Entry
from derive.calculus.paths import WRITTEN_OUT, Factor, Path
from derive.errors import Unsupported
from derive.graph.sizes import is_scalar
from derive.numbers.rounding import Printed
from derive.problem.problem import Traced
from derive.problem.wording import hint
from derive.report.compose.backward import beyond_hand, entry_chain, path_value, term, worth_entries
from derive.report.compose.diagram import Dense, columns_of, edges_of, unit_key, whole_chain
from derive.report.compose.sheet import Sheet
from derive.report.document import Block, Display, Figure, Math, Paragraph
from derive.report.figures.alternative import paths_alternative
from derive.report.figures.graph import Arrow, Node, graph_scene
from derive.report.figures.legend import Entry as Row
from derive.report.figures.legend import with_legend
from derive.report.figures.network import Bias, Edge, Layer, Unit, network_scene, shown
from derive.report.notation import Cell, scalar
from derive.report.notation.printed import printed_text
from derive.report.scene import PATHS, Scene
from derive.report.widths import bound
from derive.solution.part import Part
from derive.solution.view import refused

MOST_PATHS = len(PATHS)  # more colours than these nobody tells apart
MOST_TRIED = 24  # entries of one name that are looked at for one with several paths
FIRST_SAID = 6  # entries of a name that are surely written out one by one
MOST_NODES = 20  # of a drawing of entries
WIDEST = 4.0  # em of a local derivative over an arrow

Way = tuple[Entry, ...]  # from the entry to the loss


def pictures(sheet: Sheet) -> dict[Entry, Figure]:
    """Those the problem asks for; else of the first entry with several paths, a weight's if there is one."""
    if sheet.part.problem.ask.paths is not None:
        return dict(_asked(sheet, wish) for wish in sheet.part.problem.ask.paths)
    part, paths = sheet.part, sheet.part.paths
    style = part.problem.convention.style
    if paths is None or part.derivation is None or not sheet.first or sheet.scalars:
        return {}
    if "elements" not in style and "jacobian" not in style:
        return {}
    back = [str(adjoint.by) for adjoint in part.derivation.adjoints]
    names = [name for name in back if name in part.asked.gradients and name in part.network.data]
    weights = [layer.weights for layer in whole_chain(sheet)]
    for name in sorted(names, key=lambda name: name not in weights):
        for index in list(np.ndindex(*map(int, part.network.shape(name))))[:MOST_TRIED]:
            entry = Entry(name, index)
            if len(paths.full(entry) or ()) > 1:
                figure = picture(sheet, entry)
                if figure is not None:
                    return {entry: figure}
    return {}


def _asked(sheet: Sheet, wish: Traced) -> tuple[Entry, Figure]:
    """The picture of one entry that the problem asks for. Raises ``ProblemError`` where there is none."""
    part = sheet.part
    entry = Entry(wish.of, _index(part, wish))
    if part.paths is None or part.derivation is None:
        raise refused(part, "paths", "paths: this problem is not written out entry by entry")
    if part.derivation.adjoint(wish.of) not in part.derivation.adjoints:
        tip = f'gradients = ["{wish.of}"]'
        raise refused(part, "paths", f"paths: the loss is not differentiated by {wish.of}", hint=tip)
    count = len(part.paths.full(entry) or ())
    figure = picture(sheet, entry)
    if figure is None:
        number = f"{count} path{'s' if count > 1 else ''}" if count else f"no path, or more than {WRITTEN_OUT},"
        few = 1 < count <= MOST_PATHS
        why = "they have no room on a page" if few else f"from 2 to {MOST_PATHS} are drawn"
        raise refused(part, "paths", f"paths: this entry of {wish.of} has {number} to the loss; {why}")
    return entry, figure


def _index(part: Part, wish: Traced) -> tuple[int, ...]:
    """The entry, counted from 0. Raises ``ProblemError`` where there is no such entry."""
    shape = tuple(map(int, part.network.shape(wish.of)))
    if isinstance(wish.entry, str):
        names = [name for row in part.problem.names.get(wish.of, ()) for name in row]
        if wish.entry not in names:
            tip = hint(wish.entry, names) or "indices are counted from 1: entry = [1, 2]"
            raise refused(part, "paths", f"paths: no entry of {wish.of} is called {wish.entry}", hint=tip)
        return tuple(int(k) for k in np.unravel_index(names.index(wish.entry), shape)) if shape else ()
    entry = wish.entry
    if len(shape) == 2 and len(entry) == 1 and 1 in shape:  # a row or a column by one index
        entry = (1, *entry) if shape[0] == 1 else (*entry, 1)
    if len(entry) != len(shape) or not all(1 <= k <= size for k, size in zip(entry, shape, strict=True)):
        raise refused(part, "paths", f"paths: {wish.of} has no entry {list(wish.entry)}")
    return tuple(k - 1 for k in entry)


def pictured(sheet: Sheet, name: str) -> Iterator[Block]:
    """The sum over the paths of an entry of ``name``, and its picture, where that is the one to be shown."""
    paths = sheet.part.paths
    for entry, figure in sheet.pictures.items():
        if entry.name == name and paths is not None:
            found = paths.full(entry) or ()
            if not _said(sheet, entry, found):
                loss, count = sheet.math(sheet.part.asked.top or ""), len(found)
                places = {"entry": Math(sheet.entry(entry)), "loss": loss}
                yield Paragraph(sheet.words.say("backward.all_paths", count=count, **places))
                yield Display((entry_chain(sheet, entry, found),))
            yield figure


def _said(sheet: Sheet, entry: Entry, found: Sequence[Path]) -> bool:
    """Whether the sum over these paths stands above the picture already, entry by entry."""
    paths = sheet.part.paths
    assert paths is not None
    name, shape = str(entry.name), tuple(map(int, sheet.part.network.shape(str(entry.name))))
    if "elements" not in sheet.part.problem.convention.style or not worth_entries(sheet, sheet.adjoint(name)):
        return False
    if np.ravel_multi_index(entry.index, shape) >= FIRST_SAID if shape else False:
        return False
    return tuple(found) == paths.short(entry) or (len(found) > 2 and is_scalar(shape))


def picture(sheet: Sheet, entry: Entry, left_out: Container[int] = ()) -> Figure | None:
    """The picture of one entry's paths to the loss; ``None`` where they are too many, or have no room.

    ``left_out`` are the places of paths that somebody forgot; the legend says so.
    """
    paths = sheet.part.paths
    assert paths is not None
    found = paths.full(entry)
    if found is None or not 1 < len(found) <= MOST_PATHS or any(beyond_hand(sheet, path) for path in found):
        return None
    drawn = _as_network(sheet, found) or _as_entries(sheet, found)
    word = sheet.words.text("paths.one")
    rows = [
        Row(k, rf"\text{{{word}}} \; {k}", _row(sheet, path) + (_forgotten(sheet) if k - 1 in left_out else ""))
        for k, path in enumerate(found, 1)
    ]
    whole = with_legend(drawn, rows) if drawn is not None else None
    if whole is None:
        return None
    symbol, loss = sheet.entry(entry), sheet.symbols.name(sheet.part.asked.top or "")
    places = {"entry": Math(symbol), "loss": Math(loss)}
    ways = [[sheet.entry(stop) for stop in way(path)] + ([] if path.whole else [loss]) for path in found]
    said = paths_alternative(symbol, loss, ways, [row.latex for row in rows], sheet.words)
    return Figure(whole, sheet.words.say("paths.caption", **places), said)


def _forgotten(sheet: Sheet) -> str:
    return rf" \quad \text{{{sheet.words.text('slips.left_out')}}}"


def way(path: Path) -> Way:
    """The entries that a path passes, from the one that is moved to its top."""
    return (path.factors[-1].by, *(factor.of for factor in reversed(path.factors)))


def _row(sheet: Sheet, path: Path) -> str:
    """The term of a path, and what it comes to."""
    value = path_value(sheet, path) if sheet.numeric else None
    if not isinstance(value, Printed):
        return term(sheet, path)
    return f"{term(sheet, path)} {'=' if value.exact else chr(92) + 'approx'} {printed_text(value)}"


# ── as a network ────────────────────────────────────────────────────────────────────────────────────────────────


def _as_network(sheet: Sheet, found: Sequence[Path]) -> Scene | None:
    """The layers with the loss behind them; ``None`` where the paths do not run from layer to layer."""
    layers = whole_chain(sheet)
    if not layers or any(_samples(sheet, layer) != 1 for layer in layers):
        return None
    columns = columns_of(sheet, layers)
    if any(shown(column)[1] for column in columns):
        return None
    loss = sheet.part.asked.top or ""
    runs: dict[tuple[str, str], list[int]] = {}
    for number, path in enumerate(found, 1):
        steps = _steps(layers, path, loss)
        if steps is None:
            return None
        for step in steps:
            runs.setdefault(step, []).append(number)
    columns.append(Layer((Unit(loss, sheet.symbols.name(loss)),), "loss"))
    edges = [edge for layer in layers for edge in edges_of(sheet, layer)]
    edges += [Edge(unit.key, loss) for unit in columns[-2].units]
    edges = [_edge(edge, tuple(runs.get((edge.source, edge.target), ()))) for edge in edges]
    passed = {key for step in runs for key in step}
    columns = [
        replace(column, weights="", units=tuple(replace(u, faded=u.key not in passed) for u in column.units))
        for column in columns
    ]
    try:
        return network_scene(columns, edges, _biases(sheet, layers, runs))
    except ValueError:
        return None


def _samples(sheet: Sheet, layer: Dense) -> int | str:
    return sheet.part.network.shape(layer.before)[0 if layer.rows else 1]


def _edge(edge: Edge, paths: tuple[int, ...]) -> Edge:
    """A coloured edge with the name of its weight, or a grey one without."""
    label = edge.short if paths else ""
    return replace(edge, latex=label, short=label, paths=paths, faded=not paths)


def _plus(layer: Dense) -> str:
    return f"+{layer.after}"


def _biases(sheet: Sheet, layers: Sequence[Dense], runs: dict[tuple[str, str], list[int]]) -> list[Bias]:
    """The +1 at which paths start; the others have no part in this."""
    found = []
    for place, layer in enumerate(layers, 1):
        starting = {target: tuple(run) for (source, target), run in runs.items() if source == _plus(layer)}
        if starting:
            name = str(layer.bias)
            shape = sheet.part.network.shape(name)
            if is_scalar(shape):
                shared = sheet.symbols.entry(name, (0,) * len(shape))
                found.append(Bias(place, shared=shared, paths=starting))
            else:
                unit = {target: int(target.rpartition(":")[2]) for target in starting}
                index = {target: (0, j) if shape[0] == 1 else (j, 0) for target, j in unit.items()}
                labels = {target: sheet.symbols.entry(name, index[target]) for target in starting}
                found.append(Bias(place, labels=labels, paths=starting))
    return found


def _steps(layers: Sequence[Dense], path: Path, loss: str) -> list[tuple[str, str]] | None:
    """The edges that a path runs along; ``None`` where it does not keep to the edges of the drawing."""
    steps: list[tuple[str, str]] = []
    factors = list(reversed(path.factors))
    last = layers[-1]
    top: Entry = factors[0].by
    for factor in factors:
        if top.name == last.after and factor.by == top:
            break  # what is behind the last layer is one edge to the loss
        layer = next((layer for layer in layers if factor.of.name in (layer.before, layer.after)), None)
        if layer is None or not _follows(layer, factor, steps):
            return None
        top = factor.of
    if top.name != last.after:
        return None
    return [*steps, (unit_key(str(top.name), _unit(last, top)), loss)]


def _unit(layer: Dense, entry: Entry) -> int:
    return entry.index[1 if layer.rows else 0]


def _follows(layer: Dense, factor: Factor, steps: list[tuple[str, str]]) -> bool:
    """Add the edge of one local derivative; false where there is none in the drawing."""
    of, by = factor.of, factor.by
    target = unit_key(layer.after, _unit(layer, of))
    if by.name == layer.weights and of.name == layer.before:
        steps.append((unit_key(layer.source, by.index[0 if layer.rows else 1]), target))
    elif by.name == layer.source and of.name == layer.before:
        steps.append((unit_key(layer.source, _unit(layer, by)), target))
    elif by.name == layer.bias and of.name == layer.before:
        steps.append((_plus(layer), target))
    else:
        return by.name == layer.before and of.name == layer.after and by.index == of.index
    return True


# ── as entries ──────────────────────────────────────────────────────────────────────────────────────────────────


def _as_entries(sheet: Sheet, found: Sequence[Path]) -> Scene | None:
    """The entries on the paths as a graph, with the local derivatives over its arrows."""
    loss = sheet.part.asked.top or ""
    runs: dict[tuple[Entry, Entry], list[int]] = {}
    factors: dict[tuple[Entry, Entry], Factor] = {}
    end = Entry(loss, ())
    for number, path in enumerate(found, 1):
        for factor in reversed(path.factors):
            runs.setdefault((factor.by, factor.of), []).append(number)
            factors[factor.by, factor.of] = factor
        if not path.whole:
            runs.setdefault((path.top, end), []).append(number)
    stops = list(dict.fromkeys(stop for pair in runs for stop in pair))
    if len(stops) > MOST_NODES:
        return None
    start = found[0].factors[-1].by
    roles = {start: "input", end: "loss"} | {path.top: "loss" for path in found if path.whole}
    nodes = [Node(_key(stop), _symbol(sheet, stop), roles.get(stop, "hidden")) for stop in stops]
    arrows = [
        Arrow(_key(by), _key(of), _over(sheet, factors.get((by, of))), paths=tuple(run))
        for (by, of), run in runs.items()
    ]
    try:
        return graph_scene(nodes, arrows)
    except Unsupported:
        return None


def _key(entry: Entry) -> str:
    return f"{entry.name}{entry.index}"


def _symbol(sheet: Sheet, entry: Entry) -> str:
    return (
        sheet.entry(entry) if entry.index or entry.name in sheet.part.run.equations else sheet.symbols.name(entry.name)
    )


def _over(sheet: Sheet, factor: Factor | None) -> str:
    """The number of a local derivative; without numbers the derivative itself, where it is short."""
    explicit = sheet.part.explicit
    if factor is None or explicit is None:
        return ""
    if sheet.numeric:
        return sheet.local_value(factor).text
    names = explicit.entry_of
    text = scalar(factor.value, lambda s: Cell(sheet.entry(names[s])), sheet.symbols, sheet.entry_order).text
    return text if bound(text) < WIDEST else ""

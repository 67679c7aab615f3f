"""A computation graph as a drawing: operations left to right, values above the arrows, gradients below them.

Columns are the longest way from the inputs; an input stands just before the first that uses it. Rows follow the
neighbours' mean (Sugiyama's barycentres), swept a fixed number of times. An arrow over several columns bends in each.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

from derive.errors import Unsupported
from derive.records import dataclass
from derive.report.figures.bundles import bent, bundle, thickness
from derive.report.figures.formula import measure
from derive.report.figures.labels import Disc, Shape, Track, place_labels, rectangle
from derive.report.scene import Box, Circle, Label, Line, Mark, Scene

MAX_WIDTH, MAX_HEIGHT = 15.5, 10.0  # cm
RADIUS = 0.34
SWEEPS = 24
NAME_SIZE, LABEL_SIZES = 10.0, (8.0, 7.0, 6.5, 6.0)  # points
CLEAR = 0.07  # cm between a label and its arrow
OUT = 1.3  # cm of the arrow that leaves the graph


@dataclass(frozen=True, slots=True)
class Node:
    """An input, an operation (``+``, ``\\times``, ``\\exp``) or the result."""

    key: str
    latex: str
    role: str = "hidden"


@dataclass(frozen=True, slots=True)
class Arrow:
    """``source`` flows into ``target`` (empty: out of the graph); ``gradient`` is what comes back for ``value``.

    ``paths`` are the numbers of the coloured paths that run along it.
    """

    source: str
    target: str
    value: str = ""
    gradient: str = ""
    paths: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class _Spot:
    """A node's place and half its extent; a bend of an arrow has none."""

    x: float
    y: float
    half: float
    round: bool


def graph_scene(
    nodes: Sequence[Node], arrows: Sequence[Arrow], *, max_width: float = MAX_WIDTH, max_height: float = MAX_HEIGHT
) -> Scene:
    """Draw a graph without cycles.

    Raises ``ValueError`` for a cycle, an arrow to nowhere or one given twice, and ``Unsupported`` for a graph whose
    labels have no room on the page.
    """
    ranks = _ranks(nodes, arrows)
    ways = _ways(arrows, ranks)
    columns = _columns(nodes, ways, ranks)
    rows = _rows(columns, ways)
    gaps = max(1, len(columns) - 1)
    half = {node.key: _half(node) for node in nodes}
    side = max(RADIUS, *half.values())
    out = _out(arrows)
    widest = (max_width - 2 * side - out - 0.1) / gaps
    span = max(rows.values()) - min(rows.values())
    highest = (max_height - 2 * RADIUS - 0.8) / max(span, 1.0)
    for size in LABEL_SIZES:
        for gap, spacing in ((1.9, 1.05), (2.2, 1.2), (2.6, 1.4), (3.2, 1.6)):
            gap, spacing = min(gap, widest), min(spacing, highest)
            drawing = _draw(nodes, arrows, ways, columns, rows, half, gap, spacing, size)
            if drawing is not None:
                return drawing
    raise Unsupported(f"a graph of {len(nodes)} nodes in {len(columns)} columns has no room for its labels on a page")


def _out(arrows: Sequence[Arrow]) -> float:
    """How long the arrows are that leave the graph: room for what stands on them."""
    widths = [
        measure(text, LABEL_SIZES[0])[0] for a in arrows if not a.target for text in (a.value, a.gradient) if text
    ]
    leaving = any(not arrow.target for arrow in arrows)
    return max(OUT, *(width + 0.5 for width in widths), 0.0) if leaving else 0.0


# ── columns and rows ────────────────────────────────────────────────────────────────────────────────────────────


def _ranks(nodes: Sequence[Node], arrows: Sequence[Arrow]) -> dict[str, int]:
    """The column of each node."""
    keys = {node.key for node in nodes}
    pairs = [(arrow.source, arrow.target) for arrow in arrows]
    if not nodes or len(keys) < len(nodes):
        raise ValueError("a graph needs nodes, each with a key of its own")
    if len(set(pairs)) < len(pairs):
        raise ValueError("two arrows of a graph join the same nodes")
    if missing := sorted({key for pair in pairs for key in pair if key} - keys):
        raise ValueError(f"an arrow leads to or from {missing[0]}, which does not exist")
    inner = [pair for pair in pairs if pair[1]]
    ranks = dict.fromkeys((node.key for node in nodes), 0)
    for _ in range(len(nodes)):
        moved = [(s, t) for s, t in inner if ranks[t] <= ranks[s]]
        for source, target in moved:
            ranks[target] = max(ranks[target], ranks[source] + 1)
        if not moved:
            break
    else:
        raise ValueError("a computation graph has no cycles")
    fed = {target for _, target in inner}
    for node in nodes:
        users = [ranks[target] for source, target in inner if source == node.key]
        if node.key not in fed and users:
            ranks[node.key] = min(users) - 1
    return ranks


Stop = tuple[str, int]  # a node's key with its column, or an arrow's bend there
Way = tuple[Stop, ...]


def _ways(arrows: Sequence[Arrow], ranks: Mapping[str, int]) -> dict[Arrow, Way]:
    """What an arrow passes, column by column."""
    ways = {}
    for arrow in arrows:
        if arrow.target:
            first, last = ranks[arrow.source], ranks[arrow.target]
            bends = tuple((f"{arrow.source}>{arrow.target}", rank) for rank in range(first + 1, last))
            ways[arrow] = ((arrow.source, first), *bends, (arrow.target, last))
    return ways


def _columns(nodes: Sequence[Node], ways: Mapping[Arrow, Way], ranks: Mapping[str, int]) -> list[list[Stop]]:
    """The stops of each column, in the order given."""
    columns: list[list[Stop]] = [[] for _ in range(max(ranks.values()) + 1)]
    for node in nodes:
        columns[ranks[node.key]].append((node.key, ranks[node.key]))
    for way in ways.values():
        for bend in way[1:-1]:
            columns[bend[1]].append(bend)
    return columns


def _rows(columns: list[list[Stop]], ways: Mapping[Arrow, Way]) -> dict[Stop, float]:
    """A height for every stop, in rows, upwards; neighbours in a column are a row apart at least."""
    links: dict[Stop, list[Stop]] = {stop: [] for column in columns for stop in column}
    for way in ways.values():
        for here, there in itertools.pairwise(way):
            links[here].append(there)
            links[there].append(here)
    rows = {stop: (len(column) - 1) / 2 - k for column in columns for k, stop in enumerate(column)}
    for sweep in range(SWEEPS):
        order = range(len(columns)) if sweep % 2 else range(len(columns) - 1, -1, -1)
        for index in order:
            near = [index - 1, index + 1] if sweep >= SWEEPS // 2 else [index - 1] if sweep % 2 else [index + 1]
            wish = {}
            for stop in columns[index]:
                seen = [rows[other] for other in links[stop] if other[1] in near]
                wish[stop] = sum(seen) / len(seen) if seen else rows[stop]
            if sweep < SWEEPS // 2:  # later sweeps straighten and keep the order
                columns[index].sort(key=lambda stop: -wish[stop])
            rows.update(_spread(columns[index], wish))
    return rows


def _spread(column: Sequence[Stop], wish: Mapping[Stop, float]) -> dict[Stop, float]:
    """The heights nearest to the wishes that keep order and distance (pooled means)."""
    pools: list[tuple[float, int]] = []  # mean of wish + place in the column, and how many share it
    for k, stop in enumerate(column):
        mean, count = wish[stop] + k, 1
        while pools and pools[-1][0] < mean:
            before, members = pools.pop()
            mean = (before * members + mean * count) / (members + count)
            count += members
        pools.append((mean, count))
    flat = [mean for mean, count in pools for _ in range(count)]
    return {stop: mean - k for k, (stop, mean) in enumerate(zip(column, flat, strict=True))}


# ── drawing ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _half(node: Node) -> float:
    """Half the width of a node; wider than a circle, it is a box."""
    return max(RADIUS, measure(node.latex, NAME_SIZE)[0] / 2 + 0.1)


def _border(spot: _Spot, to: _Spot) -> tuple[float, float]:
    """Where the line from the middle of a spot to another leaves it."""
    if not spot.half:
        return spot.x, spot.y
    dx, dy = to.x - spot.x, to.y - spot.y
    if spot.round:
        share = spot.half / math.hypot(dx, dy)
    else:
        share = min(spot.half / abs(dx) if dx else math.inf, RADIUS / abs(dy) if dy else math.inf)
    return spot.x + share * dx, spot.y + share * dy


def _draw(
    nodes: Sequence[Node],
    arrows: Sequence[Arrow],
    ways: Mapping[Arrow, Way],
    columns: Sequence[Sequence[Stop]],
    rows: Mapping[Stop, float],
    half: Mapping[str, float],
    gap: float,
    spacing: float,
    size: float,
) -> Scene | None:
    """The drawing in this room, or ``None`` where its nodes or labels do not fit."""
    reach = [max((half.get(stop[0], 0.0) for stop in column), default=0.0) for column in columns]
    if spacing < 2 * RADIUS + CLEAR or any(a + b + 0.5 > gap for a, b in itertools.pairwise(reach)):
        return None
    left = max((half.get(stop[0], 0.0) for stop in columns[0]), default=RADIUS) + 0.05
    spots = {
        stop: _Spot(left + index * gap, spacing * rows[stop], half.get(stop[0], 0.0), half.get(stop[0]) == RADIUS)
        for index, column in enumerate(columns)
        for stop in column
    }
    home = {stop[0]: spot for stop, spot in spots.items()}
    pieces: list[tuple[Arrow, list[Track]]] = []
    for arrow in arrows:
        if arrow.target:
            stops = [spots[stop] for stop in ways[arrow]]
        else:
            spot = home[arrow.source]
            stops = [spot, _Spot(spot.x + spot.half + _out(arrows), spot.y, 0.0, True)]
        thick = thickness(len(arrow.paths))
        pieces.append((arrow, [Track(_border(a, b), _border(b, a), thick=thick) for a, b in itertools.pairwise(stops)]))

    tracks: list[Track] = []
    words: list[tuple[str, str]] = []
    for arrow, track in pieces:
        tracks += track
        words += [("", "")] * len(track)
        longest = max(track, key=lambda piece: round(piece.length, 6))
        for text, role, side in ((arrow.value, "plain", 1), (arrow.gradient, "gradient", -1)):
            if text:
                width, height = measure(text, size)
                offset = side * (height / 2 + CLEAR + thickness(len(arrow.paths)) / 2)
                tracks.append(Track(longest.start, longest.end, width, height, offset))
                words.append((text, role))
    obstacles: list[Shape] = [
        Disc(spot.x, spot.y, RADIUS) if spot.round else rectangle(spot.x, spot.y, 2 * spot.half, 2 * RADIUS)
        for spot in spots.values()
        if spot.half
    ]
    placed = place_labels(tracks, obstacles)
    if placed is None:
        return None
    marks: list[Mark] = []
    for arrow, track in pieces:
        if arrow.paths:
            marks += bundle(track[0], arrow.paths) if len(track) == 1 else bent(_stops(track), arrow.paths)
            continue
        for piece in track:
            marks.append(Line(*piece.start, *piece.end, "edge", arrow=piece is track[-1]))
    for (text, role), piece, along in zip(words, tracks, placed[0], strict=True):
        if text:
            marks.append(Label(*piece.at(along), text, piece.width, piece.height, piece.angle, role, size=size))
    for node in nodes:
        spot = home[node.key]
        if spot.round:
            marks.append(Circle(spot.x, spot.y, RADIUS, node.latex, node.role, NAME_SIZE))
        else:
            marks.append(Box(spot.x, spot.y, 2 * spot.half, 2 * RADIUS, node.latex, node.role, NAME_SIZE))
    return _framed(marks)


def _stops(track: Sequence[Track]) -> list[tuple[float, float]]:
    """The corners of a way."""
    return [track[0].start, *(piece.end for piece in track)]


def _framed(marks: Sequence[Mark]) -> Scene:
    """The marks moved into a frame of their own."""
    points: list[tuple[float, float]] = []
    for mark in marks:
        match mark:
            case Line():
                points += [(mark.x1, mark.y1), (mark.x2, mark.y2)]
            case Circle():
                points += rectangle(mark.x, mark.y, 2 * mark.radius, 2 * mark.radius).corners
            case Box() | Label():
                angle = mark.angle if isinstance(mark, Label) else 0.0
                points += rectangle(mark.x, mark.y, mark.width, mark.height, angle).corners
    left, low = min(x for x, _ in points) - 0.05, min(y for _, y in points) - 0.05
    width, height = max(x for x, _ in points) + 0.05 - left, max(y for _, y in points) + 0.05 - low
    return Scene(width, height, tuple(mark.moved(-left, -low) for mark in marks))

"""The corpus that rendering is held to: every problem and chapter there is, and random networks, as documents.

Problems built in and under ``tests/``, random programs (``programs.py``) and random dense networks with matrices to
12 × 12, in both languages, with and without their solutions, in every measure of detail.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import further_corpus
import messages_corpus
import updates_corpus
from derive.chapters import chapter_names
from derive.chapters.chapter import work_out
from derive.problem import Problem, built_in, find_problem, read_problem
from derive.problem.find import problem_from_text
from derive.report.breaking import lay_out
from derive.report.compose import compose
from derive.report.document import Display, Document, Figure, Heading, Items, Math, Note, Paragraph, Spans, Table
from derive.report.scene import Bare
from derive.solution import Solution, solve
from programs import network, program
from readback_problems import PROBLEMS

LANGUAGES = ("en", "zh")
LARGEST = 12  # rows or columns of a random matrix
_WISHES: Mapping[str, tuple[str, ...]] = {"detail": ("brief", "standard", "full")}


def wishes() -> list[dict[str, Any]]:
    """Every way in which a solution's report may be asked for, as arguments of ``compose``."""
    known = inspect.signature(compose).parameters
    details: list[dict[str, Any]] = [{"detail": name} for name in _WISHES["detail"]] if "detail" in known else [{}]
    questions: dict[str, Any] = {"questions": True}
    return [{"language": language, **wish} for language in LANGUAGES for wish in (*details, questions)]


# ── problems ────────────────────────────────────────────────────────────────────────────────────────────────────


def dense(seed: int) -> Problem:
    """A random dense network: matrices to 12 × 12, rows or columns, any layout, rounding and style. Some matrix is as large as it may be."""
    random = np.random.default_rng([seed, LARGEST])

    def pick(*choices: Any) -> Any:
        return choices[int(random.integers(len(choices)))]

    def numbers(*shape: int) -> list[list[str]]:
        scale, places = pick((1.5, 2), (1.5, 3), (30, 1), (1e-4, 6))
        return [[repr(round(float(x), places)) for x in row] for row in random.uniform(-scale, scale, size=shape)]

    rows = pick(True, False)
    depth = pick(1, 1, 2, 3)
    widths = [int(n) for n in random.integers(1, LARGEST + 1, size=depth + 1)]
    at = int(random.integers(depth))
    widths[at] = widths[at + 1] = LARGEST
    samples = pick(1, 2, 3, LARGEST)

    def shaped(features: int, count: int) -> tuple[int, int]:
        return (count, features) if rows else (features, count)

    lines: list[str] = []
    given: dict[str, Any] = {"x": numbers(*shaped(widths[0], samples))}
    parameters: dict[str, Any] = {}
    name = "x"
    for layer in range(1, depth + 1):
        m, n = widths[layer - 1], widths[layer]
        parameters[f"W{layer}"] = numbers(m, n) if rows else numbers(n, m)
        product = f"{name} @ W{layer}" if rows else f"W{layer} @ {name}"
        if pick(True, True, False):
            parameters[f"b{layer}"] = numbers(*shaped(n, 1))
            product += f" + b{layer}"
        lines.append(f"z{layer} = {product}")
        name = f"z{layer}"
        if layer < depth or pick(True, False):
            lines.append(f"h{layer} = {pick('sigmoid', 'tanh', 'softplus', 'relu')}({name})")
            name = f"h{layer}"
    if pick(True, False):
        given["t"] = numbers(*shaped(widths[-1], samples))
        lines.append(f"E = {pick('sum((@ - t)**2) / 2', 'mean((@ - t)**2)', 'sum(abs(@ - t))')}".replace("@", name))
    else:
        lines.append(f"E = cross_entropy({name}, t{'' if rows else ', axis=0'})")
        given["t"] = [int(k) for k in random.integers(widths[-1], size=samples)]
    return Problem.from_equations(
        "\n".join(lines),
        given=given,
        parameters=parameters,
        ask={"gradients": "all", "update": {"rate": "0.05", "steps": pick(1, 2)}},
        convention={
            "layout": pick("shape", "shape", "numerator"),
            "style": pick(["matrix"], ["matrix", "elements"], ["elements"]),
            **pick({"digits": 4}, {"digits": 8}, {"significant": 3}),
        },
        name=f"dense-{seed}",
    )


def _sources() -> Iterator[tuple[str, Callable[[], Problem]]]:
    for name in built_in():
        yield name, partial(find_problem, name)
    for path in sorted((Path(__file__).parent / "problems").glob("*.toml")):
        yield path.stem, partial(read_problem, path)
    for name, text in PROBLEMS.items():
        yield f"small-{name}", partial(problem_from_text, text, name=name)
    for module in (further_corpus, messages_corpus, updates_corpus):
        for number, text in enumerate(module.texts()):
            yield f"{module.__name__}-{number}", partial(problem_from_text, text, name=f"{module.__name__}-{number}")
    for kind, count in ((dense, 40), (program, 40), (network, 10)):
        for seed in range(count):
            yield f"{kind.__name__}-{seed}", partial(kind, seed)


SOURCES: Mapping[str, Callable[[], Problem]] = dict(_sources())
CHAPTERS = tuple(f"chapter-{name}" for name in chapter_names())
NAMES = (*SOURCES, *CHAPTERS)


# ── documents ───────────────────────────────────────────────────────────────────────────────────────────────────


def documents(name: str) -> Iterator[Document]:
    """The documents of one of ``NAMES``; the problem is solved once."""
    if name in CHAPTERS:
        for language in LANGUAGES:
            yield work_out(name.removeprefix("chapter-"), language=language).document()
        return
    solution: Solution = solve(SOURCES[name]())
    for wish in wishes():
        yield compose(solution, **wish)


def prose(document: Document) -> Iterator[Spans]:
    """Every line of spans."""
    for block in document.blocks:
        match block:
            case Paragraph() | Heading() | Note():
                yield block.spans
            case Items():
                yield from block.items
            case Table():
                yield block.caption
                for row in (block.head, *block.rows):
                    yield from row
            case Figure():
                yield block.caption


def formulas(document: Document) -> set[tuple[str, ...]]:
    """Every formula as it is set: the pieces that stand side by side, each of which is converted by itself."""
    found: set[tuple[str, ...]] = {(span.latex,) for line in prose(document) for span in line if isinstance(span, Math)}
    layout = lay_out(document)
    for place, block in enumerate(document.blocks):
        if isinstance(block, Display):
            for row in layout.rows[place]:
                found |= {(row.left,), (row.relation, row.latex)}
        if isinstance(block, Figure):
            found |= {(mark.latex,) for mark in block.scene.marks if not isinstance(mark, Bare)}
    return {pieces for pieces in found if any(pieces)}

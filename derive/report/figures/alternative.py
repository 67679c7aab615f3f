"""What a drawing of a network shows, in plain words, for those who cannot see it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from derive.report.catalogue import Catalogue
from derive.report.figures.network import Bias, Edge, Layer, shown
from derive.report.latex_tree import (
    Accent,
    Fraction,
    Group,
    Node,
    Number,
    Operator,
    Row,
    Scripts,
    Styled,
    Symbol,
    Words,
)
from derive.report.latex_tree import parse as parse_latex

if TYPE_CHECKING:
    from derive.report.figures.graph import Arrow
    from derive.report.figures.graph import Node as Gate

_SIGNS = {"\\times": "×", "\\cdot": "·", "\\approx": "≈", "\\odot": "⊙"}  # read out as signs, in any language
_LETTERS = {"\\partial": "∂", "\\ell": "ℓ"}
MOST_EDGES = 40  # labels read out one by one; of more, only the number is told


def network_alternative(
    layers: Sequence[Layer], edges: Sequence[Edge], biases: Sequence[Bias], words: Catalogue
) -> str:
    """One sentence a layer, one for the labelled edges, one for each bias, in the language of ``words``."""
    say, comma = partial(_say, words), words.text("locale.comma")
    names = {unit.key: spoken(unit.latex) for layer in layers for unit in layer.units}
    said = [say("network", count=len(layers))]
    for number, layer in enumerate(layers, 1):
        head = say("layer", number=number, title=spoken(layer.title))
        units, cut = shown(layer)
        listed = comma.join(names[unit.key] + (f" = {spoken(unit.value)}" if unit.value else "") for unit in units)
        said.append(
            say("cut", layer=head, count=layer.count, units=listed) if cut else say("units", layer=head, units=listed)
        )
    labelled = [edge for edge in edges if edge.latex]
    told = labelled if len(labelled) <= MOST_EDGES else []
    parts = [say("edge", source=names[e.source], target=names[e.target], label=spoken(e.latex)) for e in told]
    if len(edges) > len(told):
        parts.append(say("bare", count=len(edges) - len(told)))
    if parts and not any(shown(layer)[1] for layer in layers):
        said.append(say("edges", edges=words.text("locale.semicolon").join(parts)))
    for bias in biases:
        targets = [unit.key for unit in shown(layers[bias.layer])[0]]
        labels = [bias.shared] if bias.shared else [bias.labels[key] for key in targets if key in bias.labels]
        label = comma.join(map(spoken, labels))
        said.append(say("bias", targets=comma.join(names[key] for key in targets), label=label))
    return words.text("locale.sentence").join(said)


def graph_alternative(nodes: Sequence[Gate], arrows: Sequence[Arrow], words: Catalogue) -> str:
    """One sentence an arrow, in the order drawn: from where to where, what flows forward and what comes back."""
    say = partial(_say, words)
    names = {node.key: spoken(node.latex) for node in nodes}
    said = [say("graph", count=len(nodes))]
    for arrow in arrows:
        there = names[arrow.target] if arrow.target in names else say("out")
        flows = say("forward", value=spoken(arrow.value)) if arrow.value else ""
        flows += say("back", value=spoken(arrow.gradient)) if arrow.gradient else ""
        said.append(say("arrow", source=names[arrow.source], target=there, flows=flows))
    return words.text("locale.sentence").join(said)


def paths_alternative(
    entry: str, loss: str, ways: Sequence[Sequence[str]], terms: Sequence[str], words: Catalogue
) -> str:
    """One sentence a path: what it passes, and the term that stands for it."""
    said = [_say(words, "paths", count=len(ways), entry=spoken(entry), loss=spoken(loss))]
    arrow = words.text("alternative.then")
    for number, (way, term) in enumerate(zip(ways, terms, strict=True), 1):
        passed = arrow.join(map(spoken, way))
        said.append(_say(words, "path", number=number, way=passed, term=spoken(term)))
    return words.text("locale.sentence").join(said)


def _say(words: Catalogue, key: str, **places: str | int) -> str:
    return words.text(f"alternative.{key}", **{place: str(value) for place, value in places.items()})


def spoken(latex: str) -> str:
    """A formula as a line of plain characters: ``w_1 = 0.1``, ``hat y``."""
    plain = " ".join(_row(parse_latex(latex)).split())
    return re.sub(r"(^|[=(,<>] ?)- ", r"\1-", plain)


def _row(row: Row) -> str:
    return "".join(_node(node) for node in row)


def _side(row: Row) -> str:
    """One side of a fraction, in brackets where it is more than the differential of a name."""
    said = _row(row)
    return said if re.fullmatch(r"∂ ?[\w^()]+", said) else f"({said})"


def _script(sign: str, row: Row) -> str:
    inner = _row(row).strip()
    return sign + (inner if inner.isalnum() or inner.startswith("(") else f"({inner})")


def _node(node: Node) -> str:
    match node:
        case Symbol(name) if name in ("=", "<", ">", "+", "-"):
            return f" {name} "
        case Symbol(","):
            return ", "
        case Symbol(name) if name in _LETTERS:
            return _LETTERS[name]
        case Symbol(name) if name in _SIGNS:
            return f" {_SIGNS[name]} "
        case Symbol(name):
            return f" {name[1:]} " if name.startswith("\\") else name
        case Number(text) | Words(text) | Operator(text, _):
            return text
        case Group(body) | Styled(_, body):
            return _row(body)
        case Accent(accent, body):
            return f"{accent} {_row(body)}"
        case Fraction(_, above, below):
            return f"{_side(above)}/{_side(below)}"
        case Scripts(base, sub, sup, primes):
            low, high = (_script(sign, part) if part else "" for sign, part in (("_", sub), ("^", sup)))
            return _node(base).rstrip() + low + high + "'" * primes
    return " "

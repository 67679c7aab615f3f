"""What a drawing of a network shows, in plain words, for those who cannot see it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from derive.report.figures.graph import Arrow
from derive.report.figures.graph import Node as Gate
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

PHRASES: Mapping[str, str] = MappingProxyType(
    {
        "network": "A network of {count} layers.",
        "layer": "Layer {number}",
        "title": "Layer {number}, {title}",
        "units": "{layer}: {units}.",
        "cut": "{layer}: {count} units, drawn {units}.",
        "edges": "Edges: {edges}.",
        "edge": "{source} to {target} {label}",
        "bare": "without a label: {count}",
        "bias": "A constant 1 leads to {targets}: {label}.",
        "graph": "A computation graph of {count} nodes.",
        "arrow": "From {source} to {target}",
        "out": "the end",
        "forward": ": forward {value}",
        "back": ", back {value}",
        "comma": ", ",
        "semicolon": "; ",
    }
)
"""English. Another language gives the same keys with the same names in braces."""

MOST_EDGES = 40  # labels read out one by one; of more, only the number is told


def network_alternative(
    layers: Sequence[Layer], edges: Sequence[Edge], biases: Sequence[Bias] = (), phrases: Mapping[str, str] = PHRASES
) -> str:
    """One sentence a layer, one for the labelled edges, one for each bias."""
    comma = phrases["comma"]
    names = {unit.key: spoken(unit.latex) for layer in layers for unit in layer.units}
    said = [phrases["network"].format(count=len(layers))]
    for number, layer in enumerate(layers, 1):
        title = spoken(layer.title)
        head = phrases["title" if title else "layer"].format(number=number, title=title)
        units, cut = shown(layer)
        listed = comma.join(names[unit.key] + (f" = {spoken(unit.value)}" if unit.value else "") for unit in units)
        said.append(phrases["cut" if cut else "units"].format(layer=head, count=layer.count, units=listed))
    labelled = [edge for edge in edges if edge.latex]
    told = labelled if len(labelled) <= MOST_EDGES else []
    parts = [
        phrases["edge"].format(source=names[e.source], target=names[e.target], label=spoken(e.latex)) for e in told
    ]
    if len(edges) > len(told):
        parts.append(phrases["bare"].format(count=len(edges) - len(told)))
    if parts and not any(shown(layer)[1] for layer in layers):
        said.append(phrases["edges"].format(edges=phrases["semicolon"].join(parts)))
    for bias in biases:
        targets = [unit.key for unit in shown(layers[bias.layer])[0]]
        label = bias.shared or comma.join(bias.labels[key] for key in targets if key in bias.labels)
        said.append(phrases["bias"].format(targets=comma.join(names[key] for key in targets), label=spoken(label)))
    return " ".join(said)


def graph_alternative(nodes: Sequence[Gate], arrows: Sequence[Arrow], phrases: Mapping[str, str] = PHRASES) -> str:
    """One sentence an arrow, in the order drawn: from where to where, what flows forward and what comes back."""
    names = {node.key: spoken(node.latex) for node in nodes}
    said = [phrases["graph"].format(count=len(nodes))]
    for arrow in arrows:
        there = names.get(arrow.target, phrases["out"])
        words = phrases["arrow"].format(source=names[arrow.source], target=there)
        if arrow.value:
            words += phrases["forward"].format(value=spoken(arrow.value))
        if arrow.gradient:
            words += phrases["back"].format(value=spoken(arrow.gradient))
        said.append(words + ".")
    return " ".join(said)


def spoken(latex: str) -> str:
    """A formula as a line of plain characters: ``w_1 = 0.1``, ``hat y``."""
    plain = " ".join(_row(parse_latex(latex)).split())
    return re.sub(r"(^|[=(,<>] ?)- ", r"\1-", plain)


def _row(row: Row) -> str:
    return "".join(_node(node) for node in row)


def _script(sign: str, row: Row) -> str:
    inner = _row(row).strip()
    return sign + (inner if inner.isalnum() or inner.startswith("(") else f"({inner})")


def _node(node: Node) -> str:
    match node:
        case Symbol(name) if name in ("=", "<", ">", "+", "-"):
            return f" {name} "
        case Symbol(","):
            return ", "
        case Symbol(name):
            return f" {name[1:]} " if name.startswith("\\") else name
        case Number(text) | Words(text) | Operator(text, _):
            return text
        case Group(body) | Styled(_, body):
            return _row(body)
        case Accent(accent, body):
            return f"{accent} {_row(body)}"
        case Fraction(_, above, below):
            return f"({_row(above)})/({_row(below)})"
        case Scripts(base, sub, sup, primes):
            low, high = (_script(sign, part) if part else "" for sign, part in (("_", sub), ("^", sup)))
            return _node(base).rstrip() + low + high + "'" * primes
    return " "

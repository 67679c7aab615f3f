"""What a drawing of a network shows, in plain words, for those who cannot see it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from derive.report.catalogue import Catalogue
from derive.report.figures.network import Bias, Edge, Layer, shown
from derive.report.speech import spoken

if TYPE_CHECKING:
    from derive.report.figures.graph import Arrow
    from derive.report.figures.graph import Node as Gate

MOST_EDGES = 40  # labels read out one by one; of more, only the number is told


def network_alternative(
    layers: Sequence[Layer], edges: Sequence[Edge], biases: Sequence[Bias], words: Catalogue
) -> str:
    """One sentence a layer, one for the labelled edges, one for each bias, in the language of ``words``."""
    say, comma = partial(_say, words), words.text("locale.comma")
    read = _reader(words)
    names = {unit.key: read(unit.latex) for layer in layers for unit in layer.units}
    said = [say("network", count=len(layers))]
    for number, layer in enumerate(layers, 1):
        head = say("layer", number=number, title=read(layer.title))
        units, cut = shown(layer)
        listed = comma.join(read(f"{unit.latex} = {unit.value}" if unit.value else unit.latex) for unit in units)
        said.append(
            say("cut", layer=head, count=layer.count, units=listed) if cut else say("units", layer=head, units=listed)
        )
    labelled = [edge for edge in edges if edge.latex]
    told = labelled if len(labelled) <= MOST_EDGES else []
    parts = [say("edge", source=names[e.source], target=names[e.target], label=read(e.latex)) for e in told]
    if len(edges) > len(told):
        parts.append(say("bare", count=len(edges) - len(told)))
    if parts and not any(shown(layer)[1] for layer in layers):
        said.append(say("edges", edges=words.text("locale.semicolon").join(parts)))
    for bias in biases:
        targets = [unit.key for unit in shown(layers[bias.layer])[0]]
        labels = [bias.shared] if bias.shared else [bias.labels[key] for key in targets if key in bias.labels]
        label = comma.join(map(read, labels))
        said.append(say("bias", targets=comma.join(names[key] for key in targets), label=label))
    return words.text("locale.sentence").join(said)


def graph_alternative(nodes: Sequence[Gate], arrows: Sequence[Arrow], words: Catalogue) -> str:
    """One sentence an arrow, in the order drawn: from where to where, what flows forward and what comes back."""
    say, read = partial(_say, words), _reader(words)
    names = {node.key: read(node.latex) for node in nodes}
    said = [say("graph", count=len(nodes))]
    for arrow in arrows:
        there = names[arrow.target] if arrow.target in names else say("out")
        flows = say("forward", value=read(arrow.value)) if arrow.value else ""
        flows += say("back", value=read(arrow.gradient)) if arrow.gradient else ""
        said.append(say("arrow", source=names[arrow.source], target=there, flows=flows))
    return words.text("locale.sentence").join(said)


def paths_alternative(
    entry: str, loss: str, ways: Sequence[Sequence[str]], terms: Sequence[str], words: Catalogue
) -> str:
    """One sentence a path: what it passes, and the term that stands for it."""
    read = _reader(words)
    said = [_say(words, "paths", count=len(ways), entry=read(entry), loss=read(loss))]
    arrow = words.text("alternative.then")
    for number, (way, term) in enumerate(zip(ways, terms, strict=True), 1):
        passed = arrow.join(map(read, way))
        said.append(_say(words, "path", number=number, way=passed, term=read(term)))
    return words.text("locale.sentence").join(said)


def _reader(words: Catalogue) -> Callable[[str], str]:
    """Formulas as they are read out everywhere else, in the language of ``words``."""
    return partial(spoken, language=words.language)


def _say(words: Catalogue, key: str, **places: str | int) -> str:
    return words.text(f"alternative.{key}", **{place: str(value) for place, value in places.items()})

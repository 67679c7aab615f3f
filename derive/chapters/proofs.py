"""Proofs of rules as a document: one rule with all its forms, or several."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from derive.calculus.proofs import COMPOSITES, composite, known, prove_rule
from derive.report.catalogue import Catalogue, catalogue
from derive.report.compose.proofs import composite_blocks, rule_blocks
from derive.report.document import Block, Document


def proofs(rules: Sequence[str], language: str = "en") -> Document:
    """The proofs of these rules.

    Raises ``ProblemError`` for an unknown rule, with the nearest, and for an unknown language.
    """
    words = catalogue(language)
    names = tuple(dict.fromkeys(map(known, rules)))
    alone = len(names) == 1
    title = words.text("proof.one", rule=names[0]) if alone else words.text("proof.document")
    blocks = tuple(block for rule in names for block in _blocks(rule, words))
    return Document(f"proof-{names[0]}" if alone else "proofs", title, language, blocks)


def _blocks(rule: str, words: Catalogue) -> Iterator[Block]:
    if rule in COMPOSITES:
        yield from composite_blocks(composite(rule), words, 1)
    else:
        yield from rule_blocks(rule, prove_rule(rule), words, 1)

"""Proofs of rules as a document: one rule with all its forms, or several; and every rule with its verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from derive.calculus.proofs import COMPOSITES, RULES, composite, known, prove_rule
from derive.report.catalogue import Catalogue, catalogue
from derive.report.compose.proofs import composite_blocks, rule_blocks
from derive.report.document import Block, Document, stem_in
from derive.report.numerals import set_numbers
from derive.report.spacing import spaced_text

SAID = ("kink", "tie", "domain")  # hypotheses of a rule as a whole; that of the labels is one claim's own


def every_rule() -> tuple[str, ...]:
    """The rules of single operations, then those of several in a row."""
    return RULES + COMPOSITES


def proofs(rules: Sequence[str], language: str = "en") -> Document:
    """The proofs of these rules.

    Raises ``ProblemError`` for an unknown rule, with the nearest, and for an unknown language.
    """
    words = catalogue(language)
    names = tuple(dict.fromkeys(map(known, rules)))
    alone = len(names) == 1
    title = words.text("proof.one", rule=names[0]) if alone else words.text("proof.document")
    blocks = tuple(block for rule in names for block in _blocks(rule, words))
    stem = stem_in(language, f"proof-{names[0]}" if alone else "proofs")
    return set_numbers(Document(stem, title, language, blocks), words)


def _blocks(rule: str, words: Catalogue) -> Iterator[Block]:
    if rule in COMPOSITES:
        yield from composite_blocks(composite(rule), words, 1)
    else:
        yield from rule_blocks(rule, prove_rule(rule), words, 1)


def verdicts(language: str = "en") -> list[tuple[str, str, str]]:
    """Each rule, its verdict, and how much was proved under which hypotheses."""
    words = catalogue(language)
    rows = []
    for rule in every_rule():
        found = prove_rule(rule)
        shown = sum(proof.proved for proof in found)
        verdict = words.text("proof.list_proved" if shown == len(found) else "proof.list_not_shown")
        count = words.text("proof.list_rules" if rule in COMPOSITES else "proof.list_claims",
                           shown=str(shown), total=str(len(found)))  # fmt: skip
        keys = dict.fromkeys(key for proof in found for key in proof.claim.hypotheses if key in SAID)
        supposed = words.text("locale.last_clause").join(words.text(f"proof.{key}") for key in keys)
        said = count + (words.text("proof.where") + supposed if supposed else "")
        rows.append((rule, verdict, spaced_text(said)))
    return rows

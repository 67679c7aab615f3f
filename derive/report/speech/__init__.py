"""Formulas read out: the words for one, in any language, made from the same tree that every format is made from.

The words stand in a PDF as the alternative of each formula (PDF/UA asks for one) and in a page as the label of its
MathML (browsers hand ``aria-label`` to a screen reader, and not ``alttext``). Nothing is left to the ear: products are
said, what is longer than a sign is closed (``end sub``), brackets are named, capital letters are told from small ones.
A language is a table ``[speech]`` of its catalogue, word order included.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

from derive.report.catalogue import catalogue
from derive.report.document import Chain, Display
from derive.report.latex_reader import parse
from derive.report.latex_tree import Row
from derive.report.spacing import IDEOGRAPHS, spaced_text
from derive.report.speech.phrases import Phrases
from derive.report.speech.rows import Reader

_BETWEEN = re.compile(f"(?<=[{IDEOGRAPHS}]) +(?=[{IDEOGRAPHS}])")  # Chinese has no blanks between words


@lru_cache(maxsize=2048)
def spoken(latex: str, language: str) -> str:
    """A formula in words, on one line. Raises ``ProblemError`` for what is not in the LaTeX subset."""
    return _said(parse(latex), language)


def spoken_display(display: Display, language: str) -> str:
    """The chains of a display, one after the other, each with all its links, wherever its rows break."""
    between = catalogue(language).text("locale.semicolon")
    said = between.join(_spoken_chain(chain, language) for chain in display.chains)
    return _tight(said) if said else spoken("", language)


@lru_cache(maxsize=1024)
def _spoken_chain(chain: Chain, language: str) -> str:
    row: Row = parse(chain.left)
    for link in chain.links:
        row += parse(link.relation)
        for term in link.terms:
            row += parse(term)
    return _said(row, language)


def _said(row: Row, language: str) -> str:
    return _tight(_reader(language).sentence(row))


@cache
def _reader(language: str) -> Reader:
    return Reader(Phrases(catalogue(language)))


def _tight(text: str) -> str:
    return text if text.isascii() else spaced_text(_BETWEEN.sub("", text))

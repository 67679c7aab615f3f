"""The report on a set of variants: its counts, the nearest pair, and the same in every language."""

from __future__ import annotations

from itertools import combinations

import pytest
from flint import fmpq

import exams
from derive.exam.exam import Exam
from derive.exam.searching.constraints import KINDS, Constraint
from derive.exam.searching.search import Found, Searched, Unused, search
from derive.exam.sets.set_document import set_document
from derive.exam.sets.set_report import SetReport, histogram, set_report
from derive.exam.variant import Variant
from derive.report.catalogue import catalogue, languages
from derive.report.document import Document, Figure, Items, Spans, Table
from derive.report.document import Text as Words
from derive.report.render import render
from watched import watched

MANY = 40


@pytest.fixture(scope="module")
def found() -> Found:
    """Some variants of both questions."""
    return search(exams.exam(), MANY, 3)


@pytest.fixture(scope="module")
def report(found: Found) -> SetReport:
    """The report on them."""
    return set_report(exams.exam(), found.variants, found.statistics)


def _entries(variant: Variant, id: str) -> list[fmpq]:
    return [x for tensor in variant.chosen[id].values.values() for x in tensor]


def test_the_nearest_pair_is_the_nearest_of_all_pairs(found: Found, report: SetReport) -> None:
    """Held against every pair, one by one: of each question, and of the whole papers."""
    pairs = list(combinations(found.variants, 2))
    for ids, nearest in [*(((one.id,), one.nearest) for one in report.questions), (("a", "b"), report.nearest)]:
        assert nearest is not None
        different = {
            (left.code, right.code): sum(
                x != y for id in ids for x, y in zip(_entries(left, id), _entries(right, id), strict=True)
            )
            for left, right in pairs
        }
        assert different[nearest.codes] == nearest.different == min(different.values())
        assert nearest.entries == sum(len(_entries(found.variants[0], id)) for id in ids)


def test_the_spreads_are_those_of_the_variants(found: Found, report: SetReport) -> None:
    """Least, middle and most of the given negatives and fractions; each variant stands in one bar."""
    for one, searched in zip(report.questions, found.statistics, strict=True):
        negative = sorted(sum(x < 0 for x in _entries(variant, one.id)) for variant in found.variants)
        fractional = sorted(sum(x.q != 1 for x in _entries(variant, one.id)) for variant in found.variants)
        for spread, counts in ((one.negative, negative), (one.fractional, fractional)):
            middle = fmpq(counts[MANY // 2 - 1] + counts[MANY // 2], 2)
            assert (spread.least, spread.middle, spread.most) == (counts[0], middle, counts[-1])
        assert sum(bar.variants for bar in one.histogram) == MANY == len(searched.operations)
        assert (one.operations.least, one.operations.most) == (min(searched.operations), max(searched.operations))


def test_a_histogram_has_few_bars_of_one_width() -> None:
    """Counts far apart share a bar; equal ones have a single one."""
    wide = histogram(range(100))
    assert len(wide) <= 8
    assert len({bar.high - bar.low for bar in wide}) == 1
    assert sum(bar.variants for bar in wide) == 100
    assert [(bar.low, bar.high, bar.variants) for bar in histogram([4, 4])] == [(4, 4, 2)]


def test_a_single_variant_has_no_pair() -> None:
    """Nor has an exam in which nothing varies anything to report but that."""
    alone = search(exams.exam(), 1, 3)
    assert set_report(exams.exam(), alone.variants, alone.statistics).nearest is None
    fixed = exams.exam(exams.relu_question(vary={}))
    nothing = search(fixed, 1, 3)
    document = set_document(fixed, set_report(fixed, nothing.variants, nothing.statistics), "en")
    assert "No number in this exam varies" in _prose(document)


def _prose(document: Document) -> str:
    found: list[Spans] = []
    for block in document.blocks:
        found.append(getattr(block, "spans", ()))
        if isinstance(block, Items):
            found += block.items
        if isinstance(block, Table):
            found += [cell for row in (block.head, *block.rows) for cell in row]
        if isinstance(block, Figure):
            found += [block.caption, (Words(block.alternative),)]
    return "\n".join("".join(getattr(span, "text", "") for span in spans) for spans in found)


def _everything(exam: Exam, found: Found) -> tuple[Searched, ...]:
    """The statistics with a rejection of every kind, in two halves: a report shows the first eight."""
    every = [(Constraint(kind, "dE/dW1", "2"), 10_000 + k) for k, kind in enumerate(KINDS)]
    operations = found.statistics[0].operations
    unused = (Unused((("h", "tanh"), ("g", "abs")), (Constraint("decimals", "h", "2"),)),)
    return (
        Searched("a", 12_345, 6, tuple(every[:6]), operations, unused),
        Searched("b", 12_345, 6, tuple(every[6:]), operations),
    )


@pytest.mark.parametrize("language", languages())
def test_every_message_is_used_and_none_is_missing(
    language: str, found: Found, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All sentences of the table are asked for, in every language, and no placeholder is left standing."""
    exam, words = exams.exam(), catalogue(language)
    told, asked = watched(language, templates=True)
    monkeypatch.setattr("derive.exam.sets.set_document.catalogue", lambda code: told)
    documents = [set_document(exam, set_report(exam, found.variants, _everything(exam, found)), language)]
    none = tuple(Searched(id, 3, 0, (), found.statistics[0].operations) for id in ("a", "b"))
    documents.append(set_document(exam, set_report(exam, found.variants, none), language))
    alone = search(exam, 1, 3)
    documents.append(set_document(exam, set_report(exam, alone.variants, alone.statistics), language))
    fixed = exams.exam(exams.relu_question(vary={}))
    documents.append(set_document(fixed, set_report(fixed, alone.variants, ()), language))
    assert {key for key in words.keys if key.startswith("exam_set.")} <= asked
    for document in documents:
        assert "{" not in _prose(document) + document.title


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("format", ["md", "html", "tex"])
def test_the_report_is_set_in_every_format(format: str, language: str, report: SetReport) -> None:
    """Markdown, HTML and LaTeX have the codes of the nearest pair and the counts."""
    document = set_document(exams.exam(), report, language)
    text = render(document, format).text
    assert report.nearest is not None
    for code in report.nearest.codes:
        assert code in text


def test_the_pdf_of_the_report_is_the_same_every_time(report: SetReport) -> None:
    """Embedded Typst, twice."""
    from derive.report.pdf import pdf

    document = set_document(exams.exam(), report, "zh")
    assert pdf(document) == pdf(document)

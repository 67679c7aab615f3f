"""The catalogue of a language: every sentence is asked for by some document, and none is missing."""

from __future__ import annotations

from dataclasses import replace

import pytest

import further_corpus
import messages_corpus
import updates_corpus
from compose_corpus import CORPUS, problem
from derive.calculus.proofs import COMPOSITES, RULES, prove_rule
from derive.chapters import chapter_names
from derive.chapters.chapter import work_out
from derive.chapters.proofs import proofs, verdicts
from derive.chapters.prose import own
from derive.problem import built_in, problem_from_text
from derive.report.catalogue import catalogue
from derive.report.compose import compose
from derive.report.compose.exam import composed
from derive.report.compose.proofs import proof_blocks
from derive.report.setting import Setting
from derive.solution import solve
from watched import watched


@pytest.mark.slow
def test_every_message_is_used_and_none_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The corpus and the chapters ask for every sentence of the catalogue and of the chapters' own; a sentence that nobody asks for is to be taken out."""
    plain = catalogue("en")
    words, asked = watched()
    monkeypatch.setattr("derive.report.compose.catalogue", lambda language: words)
    for name in (*CORPUS, *built_in()):
        solution = solve(problem(name))
        compose(solution)
        compose(solution, questions=True)
    for text in (*updates_corpus.texts(), *further_corpus.texts(), *messages_corpus.texts()):
        solution = solve(problem_from_text(text, name="problem"))
        compose(solution)
        compose(solution, questions=True)
    for name in chapter_names():
        worked = work_out(name)
        replace(worked, words=words.with_messages(own("en"))).document()
    monkeypatch.setattr("derive.chapters.proofs.catalogue", lambda language: words)
    for rules in (RULES + COMPOSITES, ("sum",)):
        proofs(rules)
    verdicts()
    unproved = replace(prove_rule("sum")[0], proved=False)
    monkeypatch.setattr("derive.chapters.proofs.prove_rule", lambda rule: (unproved,))
    verdicts()
    for name in ("letters", "windows"):
        compose(solve(problem(name)), proofs=True)
    list(proof_blocks(unproved, words))
    for name in ("letters", "case1"):
        compose(solve(problem(name)), detail="brief")
    compose(solve(problem("convolution")), detail="full")
    compose(solve(problem("case1")), only="b2@1")
    monkeypatch.setattr("derive.report.compose.exam.catalogue", lambda language: words)
    composed(solve(problem("case1")), Setting(frame="exam"))
    # what is said at the terminal is held in test_languages, what a page of HTML adds by its rendering, how formulas
    # are read out in test_speech, what is said of other people's solutions in test_check and test_lint, and what is said
    # of exams in the tests of papers, marks and sets
    exams = ("exam_set.", "exam_paper.", "marking.", "platforms.")
    elsewhere = ("terminal.", "page.", "speech.", "errata.", "slips.", "lint.", *exams)
    said = {key for key in plain.keys | own("en").keys() if not key.startswith(elsewhere)}
    assert sorted(said - asked) == []

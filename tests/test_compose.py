"""Reports as documents: what they say, in which words, and that nothing in them is left to chance."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from compose_corpus import CORPUS, problem
from derive.problem import problem_from_text
from derive.problem.problem import Problem
from derive.report import catalogue as languages
from derive.report.catalogue import catalogue
from derive.report.compose import compose
from derive.report.document import Chain, Display, Document, Heading, Math, Note, Paragraph, Strong, Table, Text
from derive.solution import solve

NAMES = [*CORPUS, "case1", "case2"]


@pytest.fixture(scope="module")
def documents() -> dict[str, Document]:
    """Every report of the corpus."""
    return {name: compose(solve(problem(name))) for name in NAMES}


def spans(document: Document) -> Iterator[object]:
    """Every span of a document."""
    for block in document.blocks:
        match block:
            case Heading(_, inner) | Paragraph(inner) | Note(inner):
                yield from inner
            case Table(head, rows, _, caption):
                for row in (head, *rows):
                    for cell in row:
                        yield from cell
                yield from caption


def test_a_softmax_is_differentiated_by_the_names_of_its_entries() -> None:
    """By its own input an entry has the slope s (1 - s), by another - s s': no exponential is left."""
    problem = Problem.from_equations(
        "s = softmax(z)\nE = sum((s - t)**2) / 2", given={"t": [1, 0]}, parameters={"z": [1, 2]}
    )
    texts = [
        "".join(link.terms)
        for block in compose(solve(problem)).blocks
        if isinstance(block, Display)
        for chain in block.chains
        if chain.left == r"\frac{\partial E}{\partial z_1}"
        for link in chain.links
    ]
    assert "(s_1 - t_1) s_1 (1 - s_1)+ (s_2 - t_2) (-s_1 s_2)" in texts


def test_an_unknown_language_names_the_known_ones() -> None:
    """Languages are the files in the folder; asking for another one is an error that lists them."""
    with pytest.raises(Exception, match=r"there is no language 'xx'.*known are .*en"):
        catalogue("xx")
    assert "en" in languages.languages()


@pytest.mark.parametrize("name", NAMES)
def test_a_document_is_the_same_every_time(name: str, documents: dict[str, Document]) -> None:
    """Solving and composing again gives the same document."""
    assert compose(solve(problem(name))) == documents[name]


@pytest.mark.parametrize("name", NAMES)
def test_no_placeholder_and_no_python_shows(name: str, documents: dict[str, Document]) -> None:
    """No braces of a message, no names of Python objects, no doubled signs in print."""
    document = documents[name]
    for span in spans(document):
        if isinstance(span, Text | Strong):
            assert "{" not in span.text, span
            assert "None" not in span.text, span
    formulas = [span.latex for span in spans(document) if isinstance(span, Math)]
    for block in document.blocks:
        if isinstance(block, Display):
            for chain in block.chains:
                formulas.append(chain.left)
                formulas += [term for link in chain.links for term in link.terms]
    for latex in formulas:
        for wrong in ("+ -", "- -", r"\cdot -", "None", "Expression", "[0]", "[0,", "--", "undecided"):
            assert wrong not in latex, latex


def test_a_loss_is_never_explained_by_its_own_name() -> None:
    """The right-hand side of J = sum(...) is the sum, whatever names it has: no chain says J = J."""
    text = 'equations = "J = sum((a - b) ** 2)"\nshapes = { a = ["N", 2], b = ["N", 2] }\n[ask]\ngradients = ["a"]'
    for chain in chains(compose(solve(problem_from_text(text, name="problem")))):
        assert all(link.terms != (chain.left,) for link in chain.links), chain


def chains(document: Document) -> list[Chain]:
    """Every chain of a document."""
    return [chain for block in document.blocks if isinstance(block, Display) for chain in block.chains]


def test_case1_derives_b1_over_all_four_paths(documents: dict[str, Document]) -> None:
    """The shared bias of the hidden layer acts along four paths; all four are written out, and they give 0.0024."""
    left = r"\frac{\partial E}{\partial b_1}"
    found = [chain for chain in chains(documents["case1"]) if chain.left == left]
    whole = max(found, key=lambda chain: len(chain.links[0].terms))
    assert len(whole.links[0].terms) == 4
    for path in whole.links[0].terms:
        assert path.count(r"\frac") == 5
    assert any(r"\approx 0.0024" in term or term == "0.0024" for link in whole.links for term in link.terms)


def test_case1_has_five_steps_and_case2_three_parts(documents: dict[str, Document]) -> None:
    """Case 1 in five labelled steps, case 2 in three parts with their own steps."""

    def titles(name: str, start: str) -> list[str]:
        texts = ["".join(s.text for s in block.spans if isinstance(s, Text)) for block in documents[name].blocks if isinstance(block, Heading)]  # fmt: skip
        return [text for text in texts if text.startswith(start)]

    assert [title.split(":")[0] for title in titles("case1", "Step")] == [f"Step {k}" for k in range(1, 6)]
    assert titles("case2", "Part") == ["Part a", "Part b", "Part c"]


def test_the_sheet_of_questions_gives_nothing_away(documents: dict[str, Document]) -> None:
    """Without the solutions: the data and what to find, and no number that is not given."""
    sheet = compose(solve(problem("case1")), questions=True)
    printed = " ".join(term for chain in chains(sheet) for link in chain.links for term in link.terms)
    assert "0.7" in printed
    assert "0.9866" not in printed
    assert "0.0024" not in printed
    assert sheet.name == "case1-questions"


def test_sizes_and_counts_of_parameters(documents: dict[str, Document]) -> None:
    """``shapes = true`` counts what is trained: 2 x 2, 2 x 1 and two shared numbers are 8 together."""
    said = [block for block in documents["kinks in a matrix"].blocks if isinstance(block, Paragraph)]
    totals = [block.spans for block in said if Text("Together ") in block.spans]
    assert totals == [(Text("Together "), Math("8"), Text(" numbers are trained."))]

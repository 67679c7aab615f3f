"""Problems with further questions, and what their tests read in a report."""

from __future__ import annotations

from functools import cache

import pytest

import further_corpus
from derive.errors import ProblemError
from derive.problem import problem_from_text
from derive.report.compose import compose
from derive.report.document import Display, Document, Heading, Items, Math, Paragraph, Text
from derive.solution import Solution, solve
from readback_document import read_document

LAYER = further_corpus.LAYER.format(loss="sum((h - t)**2) / 2")
TWO = """
equations = "f = sin(x*y) + x**2*exp(y)"
[given]
x = 1
y = 2
[ask]
"""

SQUARES = '''
equations = """
r = X @ w - y
f = sum(r**2) / 2
"""
[shapes]
X = ["N", "n"]
w = ["n", 1]
y = ["N", 1]
[ask]
'''

KINKED = '''
equations = """
z = x @ W
h = relu(z)
f = sum(h**3)
"""
[given]
x = [1, -2, 0.5]
[parameters]
W = [[1, 2], [-1, 0.5], [0.5, 3]]
[ask]
'''
TWO_LAYERS = '''
equations = """
z_h = x @ W1 + b1
h = sigmoid(z_h)
z_o = h @ W2 + b2
o = sigmoid(z_o)
E = sum((o - t)**2) / 2
"""
[given]
x = [1, 4, 5]
t = [0.1, 0.05]
[parameters]
W1 = [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]
b1 = [0.5, 0.5]
W2 = [[0.7, 0.8], [0.9, 0.1]]
b2 = 0.5
[ask]
'''
SIGNALS = TWO_LAYERS + 'delta = { z_o = "delta_o", z_h = "delta_h" }\n[convention]\n'


@cache
def solved(text: str) -> tuple[Solution, Document]:
    """A problem solved and composed."""
    solution = solve(problem_from_text(text, "p"))
    return solution, compose(solution)


def formulas(document: Document) -> list[str]:
    """Every chain of a document as one line."""
    return [
        f"{chain.left} " + " ".join(f"{link.relation} {' '.join(link.terms)}" for link in chain.links)
        for block in document.blocks
        if isinstance(block, Display)
        for chain in block.chains
    ]


def prose(document: Document) -> str:
    """The sentences and headings of a document, formulas left out."""
    blocks = [block for block in document.blocks if isinstance(block, Heading | Paragraph)]
    return " ".join(span.text for block in blocks for span in block.spans if isinstance(span, Text))


def passed(solution: Solution, kind: str) -> list[str]:
    """What the checks of one kind were about."""
    return [check.of for check in solution.checks if check.check == kind and check.passed]


def refused(text: str) -> ProblemError:
    """The message for a problem."""
    with pytest.raises(ProblemError) as error:
        solve(problem_from_text(text, "p"))
    return error.value


def read_back(text: str) -> None:
    """Every chain of the report is read and right."""
    solution, document = solved(text)
    report = read_document(document, solution)
    found = [finding for finding in report.findings if finding.why != "no numbers"]  # a batch of N has none
    assert not found, "\n".join(map(str, found))
    assert report.links > 10


def said(text: str) -> str:
    """The conventions of a report in words, formulas as LaTeX."""
    document = solved(text)[1]
    items = next(block for block in document.blocks if isinstance(block, Items))
    lines = ("".join(span.latex if isinstance(span, Math) else str(span.text) for span in item) for item in items.items)
    return " ".join(lines)

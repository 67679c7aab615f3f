"""Reports as documents: what they say, in which words, and that nothing in them is left to chance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

import further_corpus
import messages_corpus
import updates_corpus
from derive.calculus.proofs import COMPOSITES, RULES, prove_rule
from derive.chapters import chapter_names
from derive.chapters.chapter import work_out
from derive.chapters.proofs import proofs, verdicts
from derive.chapters.prose import own
from derive.problem import built_in, find_problem, problem_from_text
from derive.problem.problem import Problem
from derive.report import catalogue as languages
from derive.report.catalogue import Catalogue, catalogue
from derive.report.compose import compose
from derive.report.compose.exam import composed
from derive.report.compose.proofs import proof_blocks
from derive.report.document import Chain, Display, Document, Heading, Math, Note, Paragraph, Strong, Table, Text
from derive.report.setting import Setting
from derive.solution import solve

CORPUS = {
    "batch": """
        equations = '''
        z = X @ W1 + b1
        h = tanh(z)
        a = h @ W2 + b2
        J = cross_entropy(a, y)
        '''
        [given]
        X = [[1, 2], [0, -1], [0.5, 1]]
        y = [0, 2, 1]
        [parameters]
        W1 = [[0.1, -0.2], [0.3, 0.4]]
        b1 = [0.1, 0]
        W2 = [[0.5, -0.5, 1], [0.2, 0.1, -1]]
        b2 = [0, 0.1, 0.2]
        [ask]
        update = { rate = { W1 = 0.5, b1 = 0, rest = "1/3" }, steps = 5, symbol = "eta" }
        [convention]
        significant = 4
        rounding = "half-even"
        carry = "displayed"
    """,
    "windows": """
        equations = '''
        Z = conv2d(X, W, stride=3, padding=1) + b
        A = relu(Z)
        P = max_pool(A, 2)
        Q = avg_pool(X, 2) + avg_pool(X, 3, stride=1)
        E = conv2d(X, W)
        R = max_pool(X, 3, stride=1)
        U = conv1d(x, w)
        V = conv1d(y, w, stride=2)
        S = conv2d(B, C)
        M = max_pool(G, 1)
        Y = conv2d(G, H)
        F = conv2d(X, D)
        L = sum(S) + sum(E) + sum(F) + sum(A * P) + sum(Q) + sum(R**2) + sum(U) + sum(V) + sum(M) + sum(Y)
        '''
        [given]
        G = [[1, 2, 0, 1, 2], [1, 2, 0, 1, 2], [1, 2, 0, 1, 2], [1, 2, 0, 1, 2]]
        H = [[1, 2]]
        B = [[1, 2, 0], [1, 2, 1], [0, 1, 1]]
        y = [1, 2, 0, 1, 1]
        D = [[[[1]], [[0]]], [[[1]], [[0]]], [[[1]], [[0]]], [[[1]], [[0]]], [[[1]], [[0]]], [[[1]], [[0]]], [[[1]], [[0]]]]
        [parameters]
        X = [[[[1, 5, 5, 2], [0, 3, 1, 1], [2, 0, 2, 1], [1, 2, 0, 1]], [[1, 5, 5, 2], [0, 3, 1, 1], [2, 0, 2, 1], [1, 2, 0, 1]]]]
        W = [[[[1, 0], [2, 1]], [[0, 1], [1, -1]]], [[[1, 0], [2, 1]], [[0, 1], [1, -1]]]]
        b = [[[[0.5]], [[-0.5]]]]
        x = [1, -2, 0.5, 3, 2]
        w = [0.5, -0.25]
        C = [[0.5, 1], [-0.25, 2]]
        [ask]
        gradients = "all"
        update = { rate = 0.1 }
        """,
    "letters": """
        equations = '''
        Z = X @ W1 + b1
        H = phi(Z)
        Y = H @ W2 + b2
        J = cross_entropy(Y, T) + sum(W1 ** 2)
        '''
        [shapes]
        X = ["N", "m"]
        W1 = ["m", "p"]
        b1 = [1, "p"]
        W2 = ["p", "n"]
        b2 = [1, "n"]
        T = ["N", "n"]
        [functions]
        phi = "unspecified"
        [ask]
        gradients = ["W1", "b1", "W2", "b2", "X"]
    """,
    "upstream": """
        equations = "out = Z @ W + b"
        [shapes]
        Z = [2, 3]
        W = [3, 2]
        b = [1, 2]
        [ask]
        upstream = { of = "J", at = "out" }
        gradients = ["W", "b", "Z", "out"]
    """,
    "circuit": """
        equations = '''
        q = x / y
        r = maximum(q, z)
        s = minimum(r, y)
        u = relu(k)
        v = abs(s) + u
        f = v * z
        '''
        [given]
        x = -2
        y = 5
        z = -4
        k = 0
        w = 1
        [ask]
        gradients = "all"
        loss = "f"
    """.replace("        w = 1\n", ""),
    "every way": """
        equations = '''
        a = x @ W
        h = softplus(a)
        g = log(h)
        k = log_softmax(g)
        c = softmax(k) @ W.T
        r = c / 2
        E = mean(binary_cross_entropy(sigmoid(r), t))
        '''
        [given]
        x = [1, 2]
        t = [0, 1]
        unused = 1
        [parameters]
        W = [[0.1, -0.2], [0.3, 0.4]]
        [captions]
        h = "what is soft"
        [ask]
        gradients = ["W", "a", "dh/da", "dc/dk"]
        [convention]
        style = ["matrix", "jacobian"]
    """.replace("        unused = 1\n", ""),
    "values": """
        equations = "y = x @ w"
        [given]
        x = [1, 2]
        w = [[1], [2]]
    """,
    "long run": """
        equations = "E = (w * x - t) ** 2"
        [given]
        x = 1
        t = 2
        [parameters]
        w = 0
        [ask]
        update = { rate = 0.01, steps = 500, every = 100 }
    """,
    "trained": """
        equations = "E = (w * x - t) ** 2"
        [given]
        x = 1
        t = 2
        [parameters]
        w = 0
        [ask]
        train = { rate = 0.1, until = "E < 0.01", tolerance = 1e-9 }
    """,
    "trained, two parts": """
        equations = "E = (w - 1) ** 4 / 4"
        [parameters]
        w = 3
        [ask]
        update = { rate = 0.05 }
        [[part]]
        name = "settles"
        ask = { train = true }
        [[part]]
        name = "runs away"
        ask = { update = { rate = 10 }, train = { until = "settled" } }
        [[part]]
        name = "climbs"
        ask = { update = { rate = -0.001 }, train = { at_most = 5 } }
    """,
    "two ways": """
        equations = '''
        a = W1 @ x
        b = W2 @ x
        y = a + b
        E = sum(y ** 2) / 2
        '''
        [given]
        x = [[1], [2]]
        W1 = [[1, 2], [3, 4]]
        W2 = [[0, 1], [1, 0]]
        [ask]
        gradients = ["x"]
        [convention]
        style = ["jacobian"]
    """,
    "large": f"""
        equations = "s = sum(x)"
        given = {{ x = {[[k - j for k in range(12)] for j in range(10)]} }}
        [ask]
        gradients = ["x"]
    """,
    "kinks in a matrix": """
        equations = '''
        Z = X @ W
        H = relu(Z)
        Y = H @ V + b + c
        E = sum(Y ** 2)
        '''
        [given]
        X = [[1, 1], [2, 0]]
        [parameters]
        W = [[1, 2], [-1, 3]]
        V = [[1], [2]]
        b = 1
        c = 2
        [ask]
        gradients = ["W", "dH/dW", "V"]
        update = { rate = { W = 0.1, V = 0.2, b = 0, c = 0 } }
        shapes = true
        [convention]
        layout = "numerator"
    """,
    "sampled": f"""
        equations = '''
        y = x @ W
        E = sum(y ** 2) / 2
        '''
        given = {{ x = {[[(7 * k) % 11 for k in range(48)]]} }}
        parameters = {{ W = {[[(5 * j + 3 * k) % 7 for k in range(48)] for j in range(48)]} }}
    """,
    "long loop": """
        equations = '''
        for t in range(1, 9): s[t] = tanh(w * s[t-1] + u * x[t])
        E = s[8] * s[8] * w
        '''
        [given]
        x = [1, 2, 0, 1, 1, 0, 2, 1]
        "s[0]" = 0
        [parameters]
        w = 0.5
        u = -0.5
        [captions]
        s = "state"
    """,
    "moved and chosen": """
        equations = '''
        v = embedding(T, k)
        x = reshape(v, 1, -1)
        a = x[:, 0:2]
        c = concat(tanh(a), a, axis=1)
        g = x * (x > 0)
        h = clip(c, -0.25, 0.75)
        E = max(h) - min(g) + x[0, 3]
        '''
        given = { k = [1, 0] }
        parameters = { T = [[0.5, -1], [2, 0.25]] }
    """,
    "any depth": """
        equations = '''
        for l in range(1, 4): h[l] = phi(h[l-1] @ W[l])
        '''
        [shapes]
        "h[0]" = ["N", "m"]
        W = ["m", "m"]
        [functions]
        phi = "unspecified"
        [ask]
        upstream = { of = "J", at = "h[3]" }
        gradients = ["W"]
        recursion = true
    """,
    "whole matrices": """
        equations = '''
        n = layer_norm(A)
        m = batch_norm(n)
        D = diag(v)
        q = v.T @ A @ v
        E = trace(m @ D) + trace(A) + det(A) + logdet(A) + sum(inv(A) @ A.T) + norm(v) + norm(A)**2 + sum(diag(A)) + q
        '''
        [given]
        v = [[1], [-2]]
        [parameters]
        A = [[3, 1], [1, 2]]
        [ask]
        gradients = "all"
    """,
    "nothing there": """
        equations = '''
        y = x + 0 * x
        E = w ** 2
        '''
        [given]
        x = 1
        w = 2
        [ask]
        gradients = ["x", "w"]
    """,
    "two compared": """
        equations = '''
        a = maximum(w, 0) + c * minimum(w, 0)
        E = sum(a**2)
        '''
        [given]
        c = 0.25
        [parameters]
        w = [1, -2, 0]
    """,
    "wide graph": """
        equations = '''
        z = W1 @ x + b1
        a = sigmoid(z)
        s = W2 @ a + b2
        o = sigmoid(s)
        E = -sum((t - o)**2) / 2
        '''
        [given]
        x = [[1], [-1]]
        t = [[1], [0]]
        [parameters]
        W1 = [[0.5, 0.25], [-0.5, 1]]
        b1 = [[0.1], [0]]
        W2 = [[1, -1], [0.5, 0.5]]
        b2 = [[0], [0.2]]
        [ask]
        graph = true
        gradients = ["W1", "b1", "W2", "b2"]
    """,
    "wide graph of values": """
        equations = '''
        z = W1 @ x + b1
        a = sigmoid(z)
        s = -W2 @ a + b2
        o = softplus(exp(-(sigmoid(s) + 1)) / 3)
        E = sum((t - o)**2) / 2
        '''
        [given]
        x = [[1], [-1]]
        t = [[1], [0]]
        W1 = [[0.5, 0.25], [-0.5, 1]]
        b1 = [[0.1], [0]]
        W2 = [[1, -1], [0.5, 0.5]]
        b2 = [[0], [0.2]]
        [ask]
        graph = true
        gradients = []
    """,
}


def problem(name: str) -> Problem:
    """A problem of the corpus, or a built-in one."""
    return problem_from_text(CORPUS[name], name="problem") if name in CORPUS else find_problem(name)


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


@pytest.mark.slow
def test_every_message_is_used_and_none_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The corpus and the chapters ask for every sentence of the catalogue and of the chapters' own; a sentence that nobody asks for is to be taken out."""
    asked: set[str] = set()

    class Watched(Catalogue):
        def text(self, key: str, **places: str) -> str:
            asked.add(key)
            return super().text(key, **places)

        def say(self, key: str, **places):  # type: ignore[no-untyped-def]
            asked.add(key)
            return super().say(key, **places)

    plain = catalogue("en")
    watched = Watched("en", plain._messages)
    monkeypatch.setattr("derive.report.compose.catalogue", lambda language: watched)
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
        replace(worked, words=watched.with_messages(own("en"))).document()
    monkeypatch.setattr("derive.chapters.proofs.catalogue", lambda language: watched)
    for rules in (RULES + COMPOSITES, ("sum",)):
        proofs(rules)
    verdicts()
    unproved = replace(prove_rule("sum")[0], proved=False)
    monkeypatch.setattr("derive.chapters.proofs.prove_rule", lambda rule: (unproved,))
    verdicts()
    for name in ("letters", "windows"):
        compose(solve(problem(name)), proofs=True)
    list(proof_blocks(unproved, watched))
    for name in ("letters", "case1"):
        compose(solve(problem(name)), detail="brief")
    compose(solve(problem("convolution")), detail="full")
    compose(solve(problem("case1")), only="b2@1")
    monkeypatch.setattr("derive.report.compose.exam.catalogue", lambda language: watched)
    composed(solve(problem("case1")), Setting(frame="exam"))
    # what is said at the terminal is held in test_languages, what a page of HTML adds by its rendering, how formulas
    # are read out in test_speech, what is said of other people's solutions in test_check and test_lint, and what is said
    # of exams in the tests of papers, marks and sets
    exams = ("exam_set.", "exam_paper.", "marking.", "platforms.")
    elsewhere = ("terminal.", "page.", "speech.", "errata.", "slips.", "lint.", *exams)
    said = {key for key in plain.keys | own("en").keys() if not key.startswith(elsewhere)}
    assert sorted(said - asked) == []


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

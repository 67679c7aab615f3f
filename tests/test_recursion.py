"""The recursion of a loop: found in the engine's equations, printed as a lecturer would, and linear in the steps."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from derive.calculus.functions import Functions
from derive.errors import ProblemError
from derive.graph import build
from derive.graph.expression import Adjoint, Expression, Name
from derive.graph.recurrence import General, at, generals, index_of, own
from derive.problem import Problem, problem_from_text
from derive.report.compose import compose
from derive.report.document import Chain, Display, Document, Items, Link, Math, Paragraph, Spans, Table, Text
from derive.report.notation import Matrices, Symbols
from derive.solution import Part, Solution, solve
from derive.solution.derivation import derive
from derive.solution.recursion import Recursion
from readback_document import read_document

HERE = Path(__file__).parent / "problems"


@cache
def solved(name: str) -> Solution:
    """A problem file with a loop, solved once."""
    return solve(problem_from_text((HERE / f"{name}.toml").read_text("utf-8"), name))


def rnn(steps: int, **ask: object) -> Problem:
    """A recurrent network over so many steps."""
    return Problem.from_equations(
        f"for t in range(1, {steps + 1}): h[t] = tanh(x[t] @ U + h[t-1] @ V)\nL = (h[{steps}] @ W - d)**2",
        given={"x": [[1, k % 2] for k in range(steps)], "h[0]": [0, 0], "d": [[1]]},
        parameters={"U": [[0.5, -0.3], [0.2, 0.4]], "V": [[0.1, 0.6], [-0.2, 0.3]], "W": [[1], [-0.5]]},
        ask=ask,
    )


def lines(part: Part, found: tuple[General, ...]) -> list[str]:
    """General equations as they are printed, with the steps that they hold for."""
    printer = Matrices(Symbols(part.problem, part.network))
    return [f"{printer.symbols.name(g.name)} = {printer.text(g.value)} {list(g.indices)}" for g in found]


def d(of: str, by: str) -> str:
    """A fraction of partials."""
    return rf"\frac{{\partial {of}}}{{\partial {by}}}"


def test_the_recursion_of_a_recurrent_network_is_the_textbook_one() -> None:
    """dL/dz_t = (dL/dz_{t+1} V^T) * (1 - h_t^2), the sum of h_{t-1}^T dL/dz_t for V, and where it starts."""
    part = solved("rnn-many-to-one").parts[0]
    found = Recursion(part)
    assert lines(part, found.forward) == [
        "z_t = x_t U + h_{t-1} V + b [1, 2, 3]",
        r"h_t = \tanh(z_t) [1, 2, 3]",
    ]
    step = r"\odot (1 - h_t^{\odot 2})"
    assert lines(part, found.backward) == [
        f"{d('L', 'z_t')} = {d('L', 'h_t')} {step} [3, 2, 1]",
        rf"{d('L', 'h_t')} = {d('L', 'z_{t+1}')} V^{{\top}} [2, 1]",
    ]
    assert lines(part, found.closed)[0] == (
        rf"{d('L', 'z_t')} = \left({d('L', 'z_{t+1}')} V^{{\top}}\right) {step} [2, 1]"
    )
    assert [name.by for name in found.starts] == ["h[3]"]
    gathered = found.sum_over_time(Adjoint("L", "V"))
    assert gathered is not None
    assert Matrices(Symbols(part.problem, part.network)).text(gathered.term) == rf"h_{{t-1}}^{{\top}} {d('L', 'z_t')}"
    assert gathered.indices == (3, 2, 1)
    assert gathered.rest == ()


@pytest.mark.parametrize("sign", ["positive", "negative"])
def test_error_signals_of_a_family_have_the_recursion_by_their_own_name(sign: str) -> None:
    """``delta = { z = "delta" }`` names every step's: delta_t = (delta_{t+1} V^T) * (1 - h_t^2), whatever its sign."""
    text = (
        (HERE / "rnn-many-to-one.toml").read_text("utf-8").replace("update = { rate = 0.1 }", 'delta = { z = "delta" }')
    )
    solution = solve(problem_from_text(text + f'[convention]\ndelta_sign = "{sign}"\n'))
    document = compose(solution)
    assert not read_document(document, solution).findings
    printed = {
        chain.left: [term for link in chain.links for term in link.terms] for chain in reversed(chains(document))
    }
    general = [c for c in chains(document) if c.left == r"\delta_t"]
    assert general[-1].links[0].terms[0].startswith(r"(\delta_{t+1} V^{\top}) \odot (1 - h_t^{\odot 2})")
    minus = "-" if sign == "negative" else ""
    assert printed[d("L", "V")][0] == rf"{minus}\sum_{{t=1}}^{{3}} h_{{t-1}}^{{\top}} \delta_t"
    assert r"\delta_2" in printed


def test_a_loop_over_layers_has_the_recursion_over_depth() -> None:
    """Layers of different sizes share one recursion, and each weight has its own term of it."""
    part = solved("deep-chain").parts[0]
    found = Recursion(part)
    assert found.variable == "l"
    step = r"\odot h_l \odot (1 - h_l)"
    assert lines(part, found.closed)[0] == (
        rf"{d('E', 'z_l')} = \left({d('E', 'z_{l+1}')} W_{{l+1}}^{{\top}}\right) {step} [3, 2, 1]"
    )
    assert rf"{d('E', 'W_l')} = h_{{l-1}}^{{\top}} {d('E', 'z_l')} [4, 3, 2, 1]" in lines(part, found.backward)
    assert f"{d('E', 'b_l')} = {d('E', 'z_l')} [4, 3, 2, 1]" in lines(part, found.backward)


def test_a_skip_connection_adds_its_own_way_to_the_recursion() -> None:
    """dE/dh_l is dE/dh_{l+1} unchanged and what comes through the branch."""
    part = solved("residual-blocks").parts[0]
    closed = lines(part, Recursion(part).closed)
    following = d("E", "h_{l+1}")
    branch = rf"\left[{following} \odot \operatorname{{ReLU}}'(z_{{l+1}})\right] W_{{l+1}}^{{\top}}"
    assert closed == [f"{d('E', 'h_l')} = {following} + {branch} [2, 1]"]


def test_a_loss_at_every_step_joins_the_recursion() -> None:
    """What does not lead back to the state stays a name of its own: dL/do_t."""
    part = solved("rnn-many-to-many").parts[0]
    closed = lines(part, Recursion(part).closed)[0]
    inside = rf"W_h^{{\top}} {d('L', 'z_{t+1}')} + W_y^{{\top}} {d('L', 'o_t')}"
    assert closed == rf"{d('L', 'z_t')} = \left({inside}\right) \odot (1 - h_t^{{\odot 2}}) [2, 1]"


@pytest.mark.parametrize("name", ["rnn-many-to-one", "rnn-many-to-many", "residual-blocks", "deep-chain"])
def test_a_general_equation_at_each_step_is_the_engines_own(name: str) -> None:
    """Operations, names and constants of every member come back from the general form; nothing is typed in."""
    part = solved(name).parts[0]
    found = Recursion(part)
    assert part.derivation is not None
    engine: dict[Name, Expression] = {e.name: e.value for e in part.network.equations} | dict(part.derivation.adjoints)
    count = 0
    for general in (*found.forward, *found.backward):
        for index in general.indices:
            member = next(n for n in engine if own(n).split("[")[0] == own(general.name).split("[")[0]
                          and type(n) is type(general.name) and index_of(n) == index)  # fmt: skip
            assert _plain(at(general.value, index, found.variable)) == _plain(engine[member])
            count += 1
    assert count > 6


def _plain(node: Expression) -> object:
    """An expression without its sizes."""
    return (node.op, node.at if node.op in ("name", "constant", "power") else (), *map(_plain, node.args))


def test_what_differs_is_not_taken_together() -> None:
    """Other functions, other constants and other steps back are other equations; what never shifts is left as it is."""
    problem = Problem.from_equations(
        "h[0] = x\na[1] = tanh(h[0])\na[2] = sigmoid(h[0])\na[3] = 2 * h[0]\nb[1] = a[1] + h[0]\nb[2] = a[1] + h[0]\n"
        "c[1] = a[1] * x\nc[2] = a[2] * x\nc[3] = a[1] * x\nL = sum(b[1] + b[2] + c[1] + c[2] + c[3] + a[3])",
        given={"x": [1, 2]},
    )
    found = generals({e.name: e.value for e in build(problem).equations}, "k")
    assert [(general.name, general.indices) for general in found] == [("b[k]", (1, 2)), ("c[k]", (1, 2))]
    assert found[0].value.names() == ("a[1]", "h[0]")
    assert found[1].value.names() == ("a[k]", "x")


def test_steps_that_are_no_recursion_give_none() -> None:
    """With the wish for one, that is an error with its line; without it, nothing is said."""
    text = 'equations = "y = x @ W\\nL = sum(y)"\n[given]\nx = [1, 2]\n[parameters]\nW = [[1], [2]]\n[ask]\nrecursion = true\n'
    with pytest.raises(ProblemError) as caught:
        solve(problem_from_text(text))
    assert "there is no loop" in caught.value.message
    assert caught.value.line == 7
    assert solve(problem_from_text(text.replace("true", "false"))).parts


# ── printed ─────────────────────────────────────────────────────────────────────────────────────────────────────


def words(spans: Spans) -> str:
    """A paragraph as text, formulas in LaTeX."""
    return "".join(s.text if isinstance(s, Text) else s.latex if isinstance(s, Math) else "" for s in spans)


def chains(document: Document) -> list[Chain]:
    """Every displayed chain."""
    return [chain for block in document.blocks if isinstance(block, Display) for chain in block.chains]


def test_a_sum_over_time_stands_in_front_of_its_terms() -> None:
    """First the sum with its limits, then each step's term, then numbers; one sentence for all of the steps."""
    document = compose(solved("rnn-many-to-one"))
    chain = [chain for chain in chains(document) if chain.left == d("L", "V")][1]
    terms = [term for link in chain.links for term in link.terms]
    assert terms[0] == rf"\sum_{{t=1}}^{{3}} h_{{t-1}}^{{\top}} {d('L', 'z_t')}"
    assert terms[1] == rf"= h_2^{{\top}} {d('L', 'z_3')}"
    said = [words(block.spans) for block in document.blocks if isinstance(block, Paragraph)]
    assert sum(text.startswith("V is used in z_t at every step") for text in said) == 1


def test_paths_are_listed_with_what_each_hands_back() -> None:
    """Tied weights and a penalty: one line for each equation that a name is used in, with its term and its rule."""
    for name, expected in (
        ("tied-autoencoder", [rf"Through r comes \left({d('E', 'r')}\right)^{{\top}} h:", rf"Through z comes x^{{\top}} {d('E', 'z')}:"]),
        ("two-branches-penalty", [rf"Through R comes 2 {d('E', 'R')} W:", rf"Through u comes x^{{\top}} {d('E', 'u')}:"]),
    ):  # fmt: skip
        document = compose(solved(name))
        lists = [[words(item) for item in block.items] for block in document.blocks if isinstance(block, Items)]
        assert any(
            len(items) == len(expected)
            and all(item.startswith(line) for item, line in zip(items, expected, strict=True))
            for items in lists
        )


def test_a_scalar_in_a_loss_of_one_entry_is_shared_by_nobody() -> None:
    """A penalty with its factor, in a loss that is a 1 x 1 matrix: the factor is what is said."""
    said = [words(b.spans) for b in compose(solved("two-branches-penalty")).blocks if isinstance(b, Paragraph)]
    assert "R enters E with a constant factor, which multiplies the derivative." in said


def test_layers_of_other_sizes_keep_their_order_in_the_table_of_symbols() -> None:
    """Only members that follow each other and are alike share a row."""
    tables = [block for block in compose(solved("deep-chain")).blocks if isinstance(block, Table)]
    symbols = [words(row[0]) for row in tables[0].rows]
    assert symbols[2:6] == ["W_1", "W_2", "W_3", "W_4"]
    tables = [block for block in compose(solved("rnn-many-to-one")).blocks if isinstance(block, Table)]
    assert words(tables[0].rows[0][0]) == "x_1, x_2, x_3"


def test_a_wrong_recursion_would_be_noticed() -> None:
    """The reader of printed chains takes a general equation step by step: one wrong index and it objects."""
    solution = solved("rnn-many-to-one")
    document = compose(solution)
    assert not read_document(document, solution).findings
    blocks = tuple(
        Display(tuple(_slipped(chain) for chain in block.chains)) if isinstance(block, Display) else block
        for block in document.blocks
    )
    wrong = read_document(Document(document.name, document.title, document.language, blocks), solution)
    assert {finding.kind for finding in wrong.findings} == {"wrong"}
    assert len(wrong.findings) >= 5


def _slipped(chain: Chain) -> Chain:
    """One index off in the recursion itself, and one step short in every sum over the steps."""
    if chain.left == d("L", "z_t") or any(r"\sum_{t" in term for link in chain.links for term in link.terms):
        return Chain(chain.left, tuple(Link(link.relation, tuple(map(_one_off, link.terms))) for link in chain.links))
    return chain


def _one_off(term: str) -> str:
    return term.replace("(1 - h_t", "(1 - h_{t-1}").replace("_{t=1}", "_{t=2}")


def test_of_a_long_loop_three_steps_are_written_out() -> None:
    """A report of twenty steps is no longer than one of ten: what follows the pattern is said to do so."""
    short, long = (compose(solve(rnn(steps))) for steps in (10, 20))
    assert len(long.blocks) <= len(short.blocks)
    said = [words(block.spans) for block in long.blocks if isinstance(block, Paragraph)]
    assert any(r"t = 3, \dots, 19 follow the same pattern" in text for text in said)
    assert any(r"t = 18, \dots, 2 follow the same pattern" in text for text in said)


def test_a_loop_by_steps_says_which_and_has_no_sum_with_limits() -> None:
    """``range(1, 12, 2)``: its steps are listed as they are, and what they share is added up term by term."""
    problem = Problem.from_equations(
        "for t in range(1, 12, 2): h[t] = tanh(h[t-2] @ V)\nL = sum(h[11])",
        given={"h[-1]": [1, 2]}, parameters={"V": [[0.1, 0.6], [-0.2, 0.3]]},
    )  # fmt: skip
    solution = solve(problem)
    document = compose(solution)
    assert not read_document(document, solution).findings
    text = " ".join(term for chain in chains(document) for link in chain.links for term in link.terms)
    assert r"(t = 1, 3, \dots, 11)" in text
    assert r"\sum_{t" not in text
    assert r"h_{-1}^{\top}" in text


def test_a_step_that_is_asked_for_is_written_out() -> None:
    """``gradients = ["h[5]"]`` of twenty steps: that one has its section, its neighbours follow the pattern."""
    document = compose(solve(rnn(20, gradients=["V", "h[5]"])))
    lefts = [chain.left for chain in chains(document)]
    assert d("L", "h_5") in lefts
    assert "h_5" in lefts
    assert d("L", "h_6") not in lefts
    assert "h_6" not in lefts


def test_the_derivation_grows_with_the_number_of_steps_and_no_faster() -> None:
    """Twice as many steps, twice as many steps of derivation and twice as large formulas: a hundred layers are no trouble."""
    sizes = []
    for steps in (50, 100):
        problem = rnn(steps)
        found = derive(build(problem), Functions(problem), "L", tuple(problem.parameters))
        nodes = sum(1 for value in found.adjoints.values() for _ in value.nodes())
        sizes.append((len(found.steps), nodes))
    (few, small), (many, large) = sizes
    assert many <= 2 * few + 4
    assert large <= 2 * small + 40

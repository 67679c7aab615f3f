"""Printed proofs: every line, read back from its LaTeX, is right in numbers; the command line; the formats."""

from __future__ import annotations

import itertools
import operator
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from claims_in_numbers import ANY, KNOWN, SIZES, called, extent, number, point, slopes
from derive.calculus.proofs import COMPOSITES, OUT, RULES, Claim, claims, prove
from derive.calculus.proofs.claims import UPSTREAM
from derive.chapters.proofs import every_rule, proofs, verdicts
from derive.graph.network import Datum, Equation, Network
from derive.problem import find_problem
from derive.problem.problem import Problem
from derive.report.catalogue import catalogue
from derive.report.compose import compose
from derive.report.compose.proofs import LEFT, proof_blocks
from derive.report.document import Code, Display, Heading
from derive.report.latex_reader import parse
from derive.report.latex_tree import (
    Fenced,
    Fraction,
    Group,
    Node,
    Number,
    Operator,
    Root,
    Row,
    Scripts,
    Space,
    Styled,
    Symbol,
)
from derive.report.notation import Symbols
from derive.report.notation.sums import Sums
from derive.report.plain import formula, plain
from derive.solution import solve
from test_proofs import EVERY, NO_SUM

pytestmark = pytest.mark.slow  # hundreds of documents or proofs: once for each change is enough

Run = Callable[..., subprocess.CompletedProcess[bytes]]

# ── a reader of printed lines ───────────────────────────────────────────────────────────────────────────────────


ORDERS: Mapping[str, Callable[[float, float], bool]] = {
    r"\ge": operator.ge, r"\le": operator.le, "<": operator.lt, ">": operator.gt, "=": operator.eq, r"\ne": operator.ne,
}  # fmt: skip


class Printed:
    """Works a printed line out: letters by ``env``, free indices by ``places``."""

    def __init__(self, env: Mapping[str, Any], shapes: Mapping[str, Any]) -> None:
        self.env = {name.lower(): value for name, value in env.items()}
        self.shapes = {name.lower(): shape for name, shape in shapes.items()}

    def value(self, row: Row, places: Mapping[str, int]) -> float:
        """A sum of terms, each with its sign; in an exponent a quotient on one line."""
        slashes = [k for k, node in enumerate(row) if bare(node) == "/"]
        if slashes:
            (cut,) = slashes
            return self.value(row[:cut], places) / self.value(row[cut + 1 :], places)
        total, sign, term = 0.0, 1.0, []  # type: float, float, list[Node]
        depth = 0
        for node in (*row, Symbol("+")):
            name = bare(node)
            depth += (name in ("(", "[")) - (name in (")", "]"))
            if depth == 0 and name in ("+", "-") and not isinstance(node, Scripts):
                if term:
                    total += sign * self.product(term, places)
                    sign = 1.0
                sign *= -1.0 if name == "-" else 1.0
                term = []
            else:
                term.append(node)
        return total

    def product(self, factors: Sequence[Node], places: Mapping[str, int]) -> float:
        """Factors side by side; a sum reaches to the end of its term."""
        result = 1.0
        rest = list(factors)
        while rest:
            node = rest.pop(0)
            if isinstance(node, Scripts) and node.base == Symbol(r"\sum"):
                assert node.sub is not None
                running = bare(node.sub[0])
                assert running not in places, "a sum over an index that is in use"
                assert node.sup is not None
                reached = range(round(self.value(node.sup, {})))
                return result * sum(self.product(rest, {**places, running: k}) for k in reached)
            if node == Symbol(r"\log"):
                inner, rest = self.argument(rest, places)
                result *= np.log(inner)
            elif node == Operator("clip", False):
                inside, rest = inner_row(rest)
                ends = [-1, *(k for k, part in enumerate(inside) if bare(part) == ","), len(inside)]
                x, low, high = (self.value(inside[a + 1 : b], places) for a, b in itertools.pairwise(ends))
                result *= np.clip(x, low, high)
            elif self.order(node) is not None:
                inner, rest = self.argument(rest, places)
                result *= ANY[self.order(node) or 0](inner)
            elif isinstance(node, Styled) and node.body == (Number("1"),):
                inside, rest = inner_row(rest)
                cuts = [k for k, part in enumerate(inside) if bare(part) in ORDERS]
                ends = [-1, *cuts, len(inside)]
                sides = [self.value(inside[a + 1 : b], places) for a, b in itertools.pairwise(ends)]
                result *= all(ORDERS[bare(inside[cut])](*sides[k : k + 2]) for k, cut in enumerate(cuts))
            elif bare(node) in ("(", "["):
                whole, rest = self.bracket([node, *rest], places)
                result *= whole
            elif node != Symbol(r"\cdot"):
                result *= self.factor(node, places)
        return result

    @staticmethod
    def order(node: Node) -> int | None:
        """How often a function's symbol says to differentiate; ``None`` for what is no function."""
        base, primes = (node.base, node.primes) if isinstance(node, Scripts) else (node, 0)
        if base == Operator("sgn", False):
            return primes + 1
        function = isinstance(base, Operator) or bare(base) in (r"\sigma", r"\tanh", r"\sin", r"\cos", r"\phi")
        if isinstance(node, Scripts) and bare(base) == r"\log":  # the logarithm to base 2
            return primes
        return primes if function else None

    def argument(self, rest: list[Node], places: Mapping[str, int]) -> tuple[float, list[Node]]:
        """What a function is applied to: the bracket or the letter behind it."""
        if bare(rest[0]) in ("(", "["):
            return self.bracket(rest, places)
        return self.factor(rest[0], places), rest[1:]

    def bracket(self, rest: Sequence[Node], places: Mapping[str, int]) -> tuple[float, list[Node]]:
        """A bracket with what stands on it."""
        inside, after = inner_row(rest)
        value = self.value(inside, places)
        closing = rest[len(inside) + 1]
        if isinstance(closing, Scripts) and closing.sup:
            value **= self.value(closing.sup, places)
        return value, after

    def factor(self, node: Node, places: Mapping[str, int]) -> float:
        """One atom."""
        match node:
            case Number(digits):
                return float(digits)
            case Symbol(name):
                if name in places:
                    return places[name] + 1  # inside an index, which counts from 1
                own = None if name in ("N", "n") else self.env.get(name.lower())
                return SIZES[name] if own is None else float(own.item())
            case Fraction(_, above, below):
                return self.value(above, places) / self.value(below, places)
            case Group(body) | Fenced(_, body):
                return self.value(body, places)
            case Root(None, body):
                return float(np.sqrt(self.value(body, places)))
            case Scripts(Symbol("e"), None, sup, 0) if sup:
                return float(np.exp(self.value(sup, places)))
            case Scripts(Symbol(r"\delta"), sub, None, 0) if sub:
                a, b = self.indices(sub, places)
                return float(a == b)
            case Scripts(base, sub, sup, 0):
                value = self.letter(bare(base), sub, places) if sub else self.factor(base, places)
                return value ** self.value(sup, places) if sup else value
        raise AssertionError(node)

    def letter(self, name: str, sub: Row, places: Mapping[str, int]) -> float:
        """An entry: the indices that are printed are those of the axes that are longer than 1."""
        letters = iter(self.indices(sub, places))
        index = tuple(0 if size == 1 else next(letters) for size in self.shapes[name])
        assert next(letters, None) is None
        if any(not 0 <= k < size for k, size in zip(index, self.env[name].shape, strict=True)):
            return 0.0  # beyond the border
        return float(self.env[name][index])

    def indices(self, sub: Row, places: Mapping[str, int]) -> list[int]:
        """Indices counted from 0: letters side by side, or sums such as i + s - 1 with commas between them."""
        sub = tuple(node for node in sub if not isinstance(node, Space))
        if not any(bare(node) in (",", "+", "-") or isinstance(node, Number) for node in sub):
            return [places[bare(node)] if bare(node) in places else SIZES[bare(node)] - 1 for node in sub]
        found: list[list[Node]] = [[]]
        for node in sub:
            if bare(node) == ",":
                found.append([])
            else:
                found[-1].append(node)
        if len(found) == 1 and not any(bare(node) in ("+", "-") for node in sub):
            found = [[node] for node in sub]
        return [round(self.value(tuple(part), places)) - 1 for part in found]


def bare(node: Node) -> str:
    """The sign that a node is, whatever stands on it."""
    if isinstance(node, Scripts):
        return bare(node.base)
    return node.name if isinstance(node, Symbol) else ""


def inner_row(rest: Sequence[Node]) -> tuple[Row, list[Node]]:
    """What stands in the bracket that opens ``rest``, and what follows it."""
    depth = 0
    for k, node in enumerate(rest):
        depth += (bare(node) in ("(", "[")) - (bare(node) in (")", "]"))
        if depth == 0:
            return tuple(rest[1:k]), list(rest[k + 1 :])
    raise AssertionError("a bracket is not closed")


def printer(claim: Claim) -> tuple[Sums, dict[str, Any]]:
    """The printer of a claim's lines, as the report has it."""
    shapes = {**claim.sizes, UPSTREAM: claim.expression.shape, OUT: claim.expression.shape}
    if claim.expression.op in ("max", "min", "first_of"):
        shapes["w"] = claim.expression.args[0].shape
    data = {name: Datum(shape, "shape") for name, shape in shapes.items() if name != OUT}
    symbols = Symbols(Problem("proof", {}, ()), Network(data, (Equation(OUT, claim.expression),)))
    return Sums(symbols, shapes, claim.expression.shape or claim.sizes[claim.by]), shapes


def local(claim: Claim, env: dict[str, Any], index: tuple[int, ...]) -> Any:
    """The derivative of every entry of the result by one entry of the operand, by central differences."""
    ends = []
    for step in (1e-5, -1e-5):
        moved = env[claim.by].copy()
        moved[index] += step
        ends.append(np.array(number(claim.expression, env | {claim.by: moved})))
    return (ends[0] - ends[1]) / 2e-5


def index_of(shape: Any, at: Sequence[int]) -> tuple[int, ...]:
    """Where an entry stands; an axis of size 1 has but one place."""
    return tuple(0 if size == 1 else k for size, k in zip(shape, at, strict=False))


ROOT_OR_BARS = ("sqrt", "abs", "exp")  # printed as themselves; the numbers of the tests take them for any function


@pytest.mark.parametrize("claim", EVERY, ids=called)
def test_every_printed_line_is_right_in_numbers(claim: Claim) -> None:
    """Each line of a proof, read back from its LaTeX, agrees with values and central differences at some entries."""
    env = point(claim, 7)
    sums, shapes = printer(claim)
    reader = Printed(env, shapes)
    out, by = claim.expression.shape, claim.sizes[claim.by]
    value, handed = np.array(number(claim.expression, env)), slopes(claim, env)
    for i, j, k, m in ((0, 1, 0, 1), (2, 1, 2, 1), (1, 1, 1, 1), (2, 0, 1, 2)):
        i, j = (min(at, extent(size) - 1) for at, size in zip((i, j), out or (1, 1), strict=True))
        k, m = (min(at, extent(size) - 1) for at, size in zip((k, m), by or (1, 1), strict=True))
        place, target = index_of(out, (i, j)), index_of(by, (k, m))
        of_result = {letter: at for letter, at, size in zip("ij", (i, j), out, strict=False) if size != 1}
        of_operand = {letter: at for letter, at, size in zip("kl", (k, m), by, strict=False) if size != 1}
        free = {"entry": of_result, "derivative": of_result | of_operand}
        wanted = {"entry": value[place], "derivative": local(claim, env, target)[place]}
        for line in prove(claim).lines:
            kind = LEFT[line.key]
            if kind == "entry" and claim.rule in ROOT_OR_BARS:
                continue
            found = reader.value(parse(" ".join(sums.terms(line.right))), free.get(kind, of_operand))
            right = wanted.get(kind, handed[target])
            assert np.isclose(found, right, rtol=1e-6, atol=1e-7), (line.key, sums.terms(line.right))


# ── documents ───────────────────────────────────────────────────────────────────────────────────────────────────


def latex(blocks: Sequence[object]) -> Iterator[str]:
    """Every formula of the displays."""
    for block in blocks:
        if isinstance(block, Display):
            for chain in block.chains:
                yield chain.left
                for link in chain.links:
                    yield from link.terms


@pytest.mark.parametrize("rule", every_rule())
def test_every_proof_can_be_set(rule: str) -> None:
    """Each formula of each proof is in the LaTeX that derive sets, and has a line of text."""
    document = proofs([rule])
    for text in latex(document.blocks):
        assert formula(text) or not text
    assert "\\" not in plain(document)


def test_the_proof_of_the_matrix_product_line_by_line() -> None:
    """Entry, derivative with deltas, contraction, entry of the claim; the deltas are gone in between."""
    shown = plain(proofs(["matmul"]))
    lines = [
        "out_ij = Σ_{q≤m} z_iq w_qj",
        "∂out_ij/∂w_kl = Σ_{q≤m} δ_kq δ_jl z_iq",
        "∂J/∂w_kl = Σ_{i≤N} Σ_{j≤n} g_ij ∂out_ij/∂w_kl",
        "= Σ_{i≤N} Σ_{j≤n} g_ij Σ_{q≤m} δ_kq δ_jl z_iq",
        "∂J/∂w_kl = Σ_{i≤N} z_ik g_il",
        "(Zᵀ G)_kl = Σ_{i≤N} z_ik g_il",
        "Proved for all sizes.",
    ]
    found = [shown.index(line, shown.index("∂J/∂W for")) for line in lines]
    assert found == sorted(found)


def test_hypotheses_stand_in_the_statement() -> None:
    """Labels that add up to 1, ties, kinks and domains are said where the claim supposes them, and nowhere else."""
    words = catalogue("en")
    for rule, said in {
        "cross_entropy": "add up to 1",
        "maximum": "are equal",
        "relu": "kink",
        "log": "defined",
    }.items():
        for claim in claims(rule):
            blocks = list(proof_blocks(prove(claim), words))
            text = str([span for block in blocks if not isinstance(block, Display) for span in block.spans])  # type: ignore[union-attr]
            assert (said in text) == bool(claim.hypotheses)


def test_a_report_appends_the_rules_it_used() -> None:
    """``proofs=True`` adds a section for each rule of the derivation, and for no other; without it there is none."""
    solution = solve(find_problem("case1"))
    without, with_proofs = compose(solution), compose(solution, proofs=True)
    assert with_proofs.blocks[: len(without.blocks)] == without.blocks
    added = with_proofs.blocks[len(without.blocks) :]
    titles = [block for block in added if isinstance(block, Heading) and block.level == 2]
    rules = {span.text for block in titles for span in block.spans if isinstance(span, Code)}
    assert rules == {"multiply", "sum", "power", "add", "sigmoid", "matmul"}


def test_every_rule_has_a_verdict() -> None:
    """The list holds every rule and every composite, each proved for all sizes but those whose entries are no sums."""
    rows = verdicts()
    assert [row[0] for row in rows] == [*RULES, *COMPOSITES]
    assert {row[0] for row in rows if row[1] != "proved for all sizes"} == set(NO_SUM)


def test_what_is_not_shown_is_listed_with_its_reason() -> None:
    """Every rule with the verdict *not shown*, and no other, is named under that heading in the README of the proofs."""
    text = (
        (Path(__file__).parents[1] / "derive" / "calculus" / "proofs" / "README.md")
        .read_text("utf-8")
        .split("## What stays")[1]
    )
    listed = {name for name in re.findall(r"`(\w+)`", text) if name in RULES}
    beside = {"add", "multiply"}  # proved as they occur, which is said there
    assert listed - beside == {row[0] for row in verdicts() if row[1] != "proved for all sizes"}


# ── the command line ────────────────────────────────────────────────────────────────────────────────────────────


def test_prove_lists_and_prints(run: Run, tmp_path: Path) -> None:
    """Without a rule the list, with one the proof; nothing is written."""
    listed, shown = run("prove"), run("prove", "add", "matmul")
    assert listed.returncode == shown.returncode == 0, listed.stderr + shown.stderr
    assert listed.stdout.decode().splitlines()[0].startswith("add ")
    assert "(Zᵀ G)_kl = Σ_{i≤N} z_ik g_il" in shown.stdout.decode()
    assert not list(tmp_path.iterdir())


def test_prove_writes_documents(run: Run, tmp_path: Path) -> None:
    """``--format`` writes the proof in the formats of a report."""
    done = run("prove", "softmax", "--format", "md,tex,pdf", "--out", "notes")
    assert done.returncode == 0, done.stderr.decode()
    assert {path.name for path in (tmp_path / "notes").iterdir()} == {
        "derive.sty",
        *(f"proof-softmax.{e}" for e in ("md", "tex", "pdf")),
    }
    assert (tmp_path / "notes" / "proof-softmax.pdf").read_bytes().startswith(b"%PDF")


def test_an_unknown_rule_is_one_message(run: Run) -> None:
    """A rule that is not there is refused with the nearest one, exit status 2, nothing printed."""
    done = run("prove", "matmull")
    assert done.returncode == 2
    assert done.stdout == b""
    assert re.fullmatch(rb"derive: there is no rule 'matmull' \(nearest: matmul\)\n", done.stderr)


def test_proofs_belong_to_solutions(run: Run) -> None:
    """``--proofs`` beside ``--questions`` or ``--json`` is a contradiction."""
    for other in ("--questions", "--json"):
        assert run("case1", "--proofs", other).returncode == 2


def test_a_report_without_proofs_does_not_load_them() -> None:
    """The start-up of an ordinary run does not pay for the prover."""
    script = (
        "import sys; from derive.cli import main; main(['case1', '--json']);"
        "sys.exit(any(name.startswith('derive.calculus.proofs') for name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], stdout=subprocess.DEVNULL, check=False)
    assert done.returncode == 0


def test_known_functions_are_the_ones_written_out() -> None:
    """The tests' own numbers know the same two functions as the prover: the exponential and the logarithm."""
    from derive.calculus.proofs.opaque import OPENED

    assert set(KNOWN) == set(OPENED)

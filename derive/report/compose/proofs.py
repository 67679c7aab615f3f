"""A proof for all sizes as blocks: the statement with its hypotheses, the lines with their reasons, the verdict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from derive.calculus.proofs import OUT, UPSTREAM, Claim, Composite, Proof, claims, prove, used
from derive.calculus.proofs.claims import FORMS
from derive.calculus.proofs.entries import TAKEN, places
from derive.calculus.proofs.proof import COLUMN, OUT_COLUMN, OUT_ROW, ROW
from derive.graph.collect import collect
from derive.graph.expression import Expression, leaf
from derive.graph.network import Datum, Equation, Network
from derive.graph.normalising import normalisations
from derive.problem.problem import Problem, Shape
from derive.report.catalogue import Catalogue
from derive.report.compose.sheet import Sheet
from derive.report.document import (
    Block,
    Chain,
    Code,
    Display,
    Heading,
    Link,
    Math,
    Paragraph,
    Span,
    Spans,
    Strong,
    Text,
)
from derive.report.notation import Matrices, Symbols
from derive.report.notation.cells import rounded
from derive.report.notation.sums import Sums
from derive.report.widths import bound
from derive.solution.derivation import Derivation

LOSS = "J"
ALONG = ("softmax", "log_softmax", "cross_entropy")  # what goes along rows or along columns
MOST_LEFT = 8.0  # em of a formula that may stand on the left
SOFTMAX = "S"  # what softmax(Z) is called where a formula needs its entries

# Which left-hand side each line has; a later line with the same one goes on from the line before.
LEFT: Mapping[str, str] = {
    "entry": "entry",
    **dict.fromkeys(("derivative", "derivative_plain"), "derivative"),
    **dict.fromkeys(("contraction", "contraction_plain", "deltas", "collected"), "contraction"),
    **dict.fromkeys(("claim", "expanded", "fraction"), "claim"),
}

CHOOSING = ("max", "min", "first_of")  # ops with letters that say which entry is taken


class _Writer:
    """One claim and its symbols."""

    def __init__(self, claim: Claim, words: Catalogue) -> None:
        self.claim, self.words = claim, words
        out = claim.expression.shape
        self.shapes: Mapping[str, Shape] = {**claim.sizes, UPSTREAM: out, OUT: out, SOFTMAX: claim.expression.shape}
        if claim.expression.op in CHOOSING:
            self.shapes = {**self.shapes, TAKEN: claim.expression.args[0].shape}
        data = {name: Datum(shape, "shape") for name, shape in self.shapes.items() if name != OUT}
        network = Network(data, (Equation(OUT, claim.expression),))
        self.symbols = Symbols(Problem("proof", {}, ()), network)
        self.named = dict(self._softmax())
        self.letters = Matrices(self.symbols)
        self.value = claim.value.rebuild(lambda node: self.named.get(node, node))
        self.sums = Sums(self.symbols, self.shapes, out or claim.sizes[claim.by])

    def _softmax(self) -> Iterator[tuple[Expression, Expression]]:
        """The name of a softmax in the claim: the result's, where it is the result."""
        for node in self.claim.value.nodes():
            if node.op == "softmax":
                yield node, leaf(OUT if node == self.claim.expression else SOFTMAX, node.shape)

    def partial(self, of: str, by: str) -> str:
        return self.symbols.partial(of, by)

    # ── the statement ──

    def statement(self) -> Iterator[Block]:
        """Let out = …; then the adjoint of the operand is …, under the hypotheses."""
        claim, words = self.claim, self.words
        out = self.symbols.name(OUT)
        given = self.letters.terms(claim.expression)
        upstream, adjoint = Math(self.symbols.name(UPSTREAM)), Math(self.partial(LOSS, out))
        let = [
            *self._along(),
            *words.say("proof.let", sizes=self._sizes(), loss=Math(LOSS), upstream=upstream, adjoint=adjoint),
        ]
        yield Paragraph(tuple(let))
        chains = [Chain(out, (Link("=", given),))]
        for node, name in self.named.items():
            if name.name == SOFTMAX:
                chains.append(Chain(SOFTMAX, (Link("=", self.letters.terms(node)),)))
        yield Display(tuple(chains))
        if claim.expression.op in CHOOSING:
            letter = Math(self.symbols.indexed(TAKEN, "ij"))
            yield Paragraph(words.say("proof.taken", letter=letter, by=Math(self.symbols.name(claim.by))))
        yield Paragraph((*words.say("proof.then"), *self._hypotheses(), *words.say("proof.claim_end")))
        by = self.symbols.name(claim.by)
        yield Display((Chain(self.partial(LOSS, by), (Link("=", self.letters.terms(self.value)),)),), boxed=True)

    def _along(self) -> Iterator[Span]:
        """Which way a softmax goes."""
        if self.claim.expression.op in ALONG:
            yield from self.words.say(f"proof.along_{'rows' if self.claim.expression.at[0] == 1 else 'columns'}")
            yield Text(self.words.text("locale.sentence"))

    def form(self) -> Iterator[Span]:
        """What tells the claim from others about the same formula: its axis, and operands that are no matrix."""
        claim, words = self.claim, self.words
        comma = Text(words.text("locale.clause"))
        if claim.expression.op in ALONG:
            yield comma
            yield from words.say(f"proof.form_{'rows' if claim.expression.at[0] == 1 else 'columns'}")
        if "labels" in claim.hypotheses:
            yield comma
            yield from words.say("proof.form_labels")
        for name, shape in claim.sizes.items():
            form = next((form for form, stretched in FORMS.items() if stretched == shape and form != "matrix"), None)
            if form is not None:
                yield comma
                yield from words.say(f"proof.form_{form}", name=Math(self.symbols.name(name)))

    def _sizes(self) -> Spans:
        said: list[Spans] = []
        for name, shape in self.claim.sizes.items():
            symbol = self.symbols.name(name)
            if shape:
                size = r" \times ".join(map(self.symbols.factor_of, shape))
                said.append(self.words.say("proof.matrix", name=Math(symbol), size=Math(size)))
            else:
                said.append(self.words.say("proof.number", name=Math(symbol)))
        return self.words.clauses(said)

    def _hypotheses(self) -> Iterator[Span]:
        for k, key in enumerate(self.claim.hypotheses):
            yield Text(self.words.text("locale.last_clause" if k else "proof.where"))
            if key == "labels":
                labels = self.claim.expression.args[1]
                axis = "rows" if self.claim.expression.at[0] == 1 else "columns"
                yield from self.words.say(f"proof.{axis}_add_up", labels=Math(self.symbols.name(str(labels.name))))
            else:
                yield from self.words.say(f"proof.{key}")

    # ── the lines ──

    def lines(self, proof: Proof) -> Iterator[Block]:
        """One paragraph of reason and one display for each line."""
        claim = self.claim
        out = self.sums.entry(OUT, places(claim.expression.shape, OUT_ROW, OUT_COLUMN))
        shape = claim.sizes[claim.by]
        place = places(shape, ROW, COLUMN)
        by = self.sums.entry(claim.by, place)
        handed = self.partial(LOSS, by)
        letters = "".join(letter for letter, size in zip("kl", shape, strict=False) if size != 1)
        formula = self.letters.cell(self.value)
        long = bound(formula.text) > MOST_LEFT
        claimed = "R" if long else rounded(formula.text) if letters else formula.text
        claimed += rf"_{{{letters}}}" if letters else ""
        lefts = {"entry": out, "derivative": self.partial(out, by), "contraction": handed, "claim": claimed}
        shown: tuple[str, tuple[str, ...]] = ("", ())
        for line in proof.lines:
            terms = self.sums.terms(line.right)
            if shown == (LEFT[line.key], terms):
                continue  # a normal form that looks as what it was made of
            shown = (LEFT[line.key], terms)
            key = "claim_long" if line.key == "claim" and long else line.key
            yield Paragraph(self.words.say(f"proof.{key}", by=Math(by), right=Math("R")))
            links = [Link("=", terms)]
            if line.key == "contraction":
                links = [Link("=", (self._contracted(out, by),)), *links]
            yield Display((Chain(lefts[LEFT[line.key]], tuple(links)),))

    def _contracted(self, out: str, by: str) -> str:
        """The sum over all entries of the result, before anything is known of it."""
        signs = [
            rf"\sum_{{{letter}=1}}^{{{self.symbols.size(str(size))}}}"
            for letter, size in zip("ij", self.claim.expression.shape, strict=False)
            if size != 1
        ]
        upstream = self.sums.entry(UPSTREAM, places(self.claim.expression.shape, OUT_ROW, OUT_COLUMN))
        return " ".join([*signs, upstream, self.partial(out, by)])


def proof_blocks(proof: Proof, words: Catalogue) -> Iterator[Block]:
    """Statement, lines, verdict."""
    writer = _Writer(proof.claim, words)
    yield from writer.statement()
    if proof.lines:
        yield from writer.lines(proof)
    else:
        yield Paragraph(words.say(f"proof.no_sum{_why_no_sum(proof.claim)}"))
    yield Paragraph(_verdict(proof, words))


def _why_no_sum(claim: Claim) -> str:
    """Why an entry of the result is no sum over the indices that a proof has."""
    if any(len(shape) > 2 for shape in (*claim.sizes.values(), claim.expression.shape)):
        return "_stack"
    if claim.expression.op in ("max_pool", "max_pool_pick", "max_pool_route"):
        return "_window"
    return "_reshape" if claim.expression.op == "reshape" else ""


def _verdict(proof: Proof, words: Catalogue) -> Spans:
    return (Strong(words.text(f"proof.{proof.verdict.replace(' ', '_')}")),)


def rule_blocks(rule: str, proofs: Sequence[Proof], words: Catalogue, level: int) -> Iterator[Block]:
    """Every proof of one rule under a heading; with several, a heading for each."""
    yield Heading(level, words.say("proof.rule", rule=Code(rule)))
    for proof in proofs:
        if len(proofs) > 1:
            writer = _Writer(proof.claim, words)
            by = writer.symbols.partial(LOSS, writer.symbols.name(proof.claim.by))
            of = rf"{writer.symbols.name(OUT)} = {Matrices(writer.symbols).text(proof.claim.expression)}"
            heading = words.say("proof.by", adjoint=Math(by), of=Math(of))
            yield Heading(level + 1, (*heading, *writer.form()))
        yield from proof_blocks(proof, words)


def used_blocks(proofs: Iterable[Proof], words: Catalogue, level: int) -> Iterator[Block]:
    """The proofs of the rules that a derivation used, grouped by rule."""
    grouped: dict[str, list[Proof]] = {}
    for proof in proofs:
        grouped.setdefault(proof.claim.rule, []).append(proof)
    for rule, found in grouped.items():
        yield from rule_blocks(rule, found, words, level)


def used_in(derivations: Iterable[Derivation]) -> tuple[Proof, ...]:
    """The proofs of the rules that derivations used, each once, in the order of use."""
    found: dict[Claim, Proof] = {}
    for derivation in derivations:
        tops = tuple(derivation.seeds) if derivation.seeds is not None else (derivation.of,)
        found |= {proof.claim: proof for proof in used(derivation.network, derivation.by, *tops)}
        for steps in normalisations(derivation.network):  # their one formula, beside the rules of the steps
            found |= {claim: prove(claim) for claim in claims(steps.function)}
    return tuple(found.values())


def section(sheets: Iterable[Sheet], words: Catalogue) -> Iterator[Block]:
    """The proofs of all rules that solved problems used, under a heading; nothing where nothing was derived."""
    parts = [sheet.part for sheet in sheets]
    derivations = [part.derivation for part in parts if part.derivation is not None]
    found = used_in([*derivations, *(ratio for part in parts for ratio in part.ratios.values())])
    if found:
        yield Heading(1, words.say("proof.heading"))
        yield Paragraph(words.say("proof.intro"))
        yield from used_blocks(found, words, 2)


def composite_blocks(found: Composite, words: Catalogue, level: int) -> Iterator[Block]:
    """The network, its adjoints pulled back rule by rule, and the proofs of these rules."""
    symbols = Symbols(found.problem, found.network)
    letters = Matrices(symbols)
    yield Heading(level, words.say("proof.rule", rule=Code(found.rule)))
    yield Paragraph(words.say("proof.network"))
    yield Display(
        tuple(
            Chain(symbols.name(equation.name), (Link("=", letters.terms(equation.value)),))
            for equation in found.network.equations
        )
    )
    yield Paragraph(words.say("proof.composed"))
    for equation in found.adjoints:
        shown = dict.fromkeys(letters.terms(value) for value in (equation.value, collect(equation.value)))
        yield Display((Chain(symbols.name(equation.name), tuple(Link("=", terms) for terms in shown)),))
    rules = tuple(dict.fromkeys(part.claim.rule for part in found.parts))
    yield Paragraph(words.say("proof.parts", rules=words.in_a_row(map(Code, rules))))
    yield Paragraph((Strong(words.text(f"proof.{found.verdict.replace(' ', '_')}")),))
    yield from used_blocks(found.parts, words, level + 1)

r"""The strict reader: tokens of one side into a tree. What is not certain to mean one thing is not read.

sum     = ['-' | '+'] term { ('+' | '-') term }
term    = run { ('\odot' | '\oslash') run }                 entrywise
run     = factor { ['\cdot' | '\times' | '*'] factor | '/' factor }
factor  = atom { '^' exponent | '_' index }
atom    = number | name | fraction | bracket | matrix | function bracket | '|' sum '|' | …
"""

from __future__ import annotations

import re

from flint import fmpq

from derive.review.lint.atoms import Atoms
from derive.review.lint.cursor import CLOSING, DEEPEST, literal
from derive.review.lint.tree import Node, Unread

_STOPS = frozenset(
    ["", ")", "]", "}", "&", r"\\", ",", ";", "|", r"\Vert", "+", "-", r"\odot", r"\oslash", "=", "<", ">"]
)
_STOPS |= {r"\leq", r"\geq", r"\neq", r"\star", r"\quad", "/", r"\approx", r"\}", "'", r"\dots", r"\cdots", ":"}
_BARS = frozenset(["|", r"\Vert"])


class Parser(Atoms):
    """Reads one side of a relation."""

    def read(self) -> Node:
        """The whole side. Raises ``Unread``."""
        if not self.text:
            raise Unread("syntax", "nothing")
        node = self._sum()
        self._blanks()
        if self.place < len(self.text):
            raise self._stuck()
        return node

    # ── sums and products ──

    def _sum(self) -> Node:
        signs, terms = [], []
        self._blanks()
        sign = -1 if self.peek == "-" else 1
        self.place += self.peek in ("-", "+")
        while True:
            self._blanks()
            if self.peek in ("-", "+"):
                raise Unread("ambiguous", "two signs")
            terms.append(self._term())
            signs.append(sign)
            if self.depth == 0 and self.peek == r"\quad" and self._past_blanks() in ("+", "-"):
                self._blanks()
            if self.peek not in ("+", "-"):
                break
            sign = 1 if self.peek == "+" else -1
            self.place += 1
        if len(terms) == 1:
            return terms[0] if signs[0] == 1 else Node("neg", (terms[0],))
        return Node("add", tuple(terms), tuple(signs))

    def _past_blanks(self) -> str:
        k = 0
        while self._ahead(k) == r"\quad":
            k += 1
        return self._ahead(k)

    def _term(self) -> Node:
        node, count = self._run(), 0
        while self.peek in (r"\odot", r"\oslash", r"\star"):
            count += 1
            if count > DEEPEST:
                raise Unread("too deep", self.peek)
            kind = self.peek[1:]
            self.place += 1
            at: tuple[int, ...] = ()
            if kind == "star":
                step = self._after_score() if self.peek == "_" else "1"
                if re.fullmatch(r"[1-9]\d?", step) is None:
                    raise Unread("symbolic", rf"\star_{step}")
                at = (int(step),)
            right = self._run()
            if kind == "oslash" and right.kind == "mul":
                raise Unread("ambiguous", "a ⊘ b c")
            node = Node(kind, (node, right), at)
        return node

    def _run(self) -> Node:
        factors = [self._factor()]
        divided = False
        while True:
            here = self.peek
            if here in (r"\cdot", r"\times", "*"):
                self.place += 1
                if divided:
                    raise Unread("ambiguous", "a / b · c")
                factors.append(self._factor())
            elif here == "/":
                self.place += 1
                if divided or (len(factors) > 1 and not all(node.kind in ("num", "sci") for node in factors)):
                    raise Unread("ambiguous", "a b / c")
                below = self._factor()
                factors, divided = [Node("frac", (self._product(factors), below))], True
            elif (here in _STOPS and (here not in _BARS or here in self._bars)) or here.startswith(r"\end{"):
                return self._product(factors)
            else:
                if divided:
                    raise Unread("ambiguous", "a / b c")
                closed, opens = self.text[self.place - 1] in (")", "]"), here in CLOSING
                factor = self._factor()
                self._beside(factors[-1], factor, opens, closed)
                factors.append(factor)

    @staticmethod
    def _product(factors: list[Node]) -> Node:
        return factors[0] if len(factors) == 1 else Node("mul", tuple(factors))

    @staticmethod
    def _beside(left: Node, right: Node, opens: bool, closed: bool) -> None:
        """What may stand side by side: no two bare numbers, no mixed number, nothing that may be a function's value."""
        numbers = ("num", "sci")
        if right.kind in numbers and not opens and (not closed or left.kind == "call"):
            raise Unread("ambiguous", "two numbers side by side")
        if left.kind == "name" and opens and right.kind in (*numbers, "name"):
            raise Unread("ambiguous", "a function's value, or a product")
        if left.kind in numbers and right.kind == "frac" and all(kid.kind in numbers for kid in right.kids):
            raise Unread("ambiguous", "a mixed number")
        if left.kind == "call" and not left.at[2]:
            raise Unread("ambiguous", "what the function takes")

    # ── factors ──

    def _factor(self) -> Node:
        self._blanks()
        if self.peek in ("+", "-"):  # behind a dot: 2 · -3
            raise Unread("ambiguous", "two signs")
        node, count = self._atom(), 0
        while self.peek in ("^", "_", "'"):
            count += 1
            if count > DEEPEST:
                raise Unread("too deep", self.peek)
            if self.peek == "'":
                raise self._stuck()
            if self.peek == "_":
                node = self._index(node)
                continue
            self.place += 1
            node = self._exponent(node)
        return node.kids[0] if node.kind == "bracket" else node

    def _index(self, node: Node) -> Node:
        if node.kind not in ("bracket", "matrix", "partial", "frac", "name"):
            raise self._stuck()
        self.place += 1
        inside = self._script()
        sizes = re.fullmatch(r"(\d{1,4})\\times(\d{1,4})", "".join(inside))
        if sizes is not None and node.kind in ("matrix", "bracket"):  # a mark of its size
            return Node("sized", (node,), (int(sizes[1]), int(sizes[2])))
        letters = "".join(inside).replace(",", "")
        if node.kind == "name" or re.fullmatch("[ij]+", letters) is None:
            raise Unread("symbolic", "_" + letters)
        inner = node.kids[0] if node.kind == "bracket" else node
        return Node("index", (inner,), (letters,))

    def _exponent(self, base: Node) -> Node:
        inside = self._script()
        unbracketed = base.kids[0] if base.kind == "bracket" else base
        if inside in ([r"\top"], ["T"], ["t"]) and (inside != ["t"] or base.kind == "matrix"):
            return Node("transpose", (unbracketed,))
        if inside == ["-", r"\top"]:
            return Node("transpose", (Node("pow", (unbracketed,), (fmpq(-1),)),))
        kind = "pow"
        if inside[:1] == [r"\odot"]:
            kind, inside = "entry_pow", inside[1:]
        match = re.fullmatch(r"(-?)(\d{1,6}(?:\.\d{1,6})?)(?:/(\d{1,6}))?", "".join(inside))
        if base.kind in ("pow", "entry_pow", "frac", "sum", "log"):
            raise Unread("ambiguous", f"a power of {base.kind}")
        if match is None:
            frac = re.fullmatch(r"(-?)\\frac\{?(\d{1,4})\}?\{?(\d{1,4})\}?", "".join(inside))
            if frac is None:
                raise Unread("symbolic", "^" + "".join(inside)[:20])
            match = frac
        value = literal(match[2]) / (int(match[3]) or 1 if match[3] else 1)
        if abs(value) > 1000:
            raise Unread("unbounded", "".join(inside))
        return Node(kind, (unbracketed,), (-value if match[1] else value,))

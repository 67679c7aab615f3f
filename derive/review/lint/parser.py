r"""The strict reader: tokens of one side into a tree. What is not certain to mean one thing is not read.

sum     = ['-' | '+'] term { ('+' | '-') term }
term    = run { ('\odot' | '\oslash') run }                 entrywise
run     = factor { ['\cdot' | '\times' | '*'] factor | '/' factor }
factor  = atom { '^' exponent | '_' index }
atom    = number | name | fraction | bracket | matrix | function bracket | '|' sum '|' | …
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flint import fmpq

from derive.review.lint.tree import Node, Unread

DEEPEST = 40
"""Brackets, fractions and powers inside each other."""

Names = Mapping[tuple[str, ...], Any]

_NUMBER = re.compile(r"[0-9]*(?:\.|\{,\})?[0-9]+")
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_MATRICES = {
    "pmatrix": "",
    "bmatrix": "",
    "matrix": "",
    "smallmatrix": "",
    "array": "",
    "Bmatrix": "",
    "vmatrix": "det",
}
_STOPS = frozenset(
    ["", ")", "]", "}", "&", r"\\", ",", ";", "|", r"\Vert", "+", "-", r"\odot", r"\oslash", "=", "<", ">"]
)
_STOPS |= {r"\leq", r"\geq", r"\neq", r"\star", r"\quad", "/", r"\approx", r"\}", "'", r"\dots", r"\cdots", ":"}
_BARS = frozenset(["|", r"\Vert"])
_DOTS = frozenset([r"\cdots", r"\vdots", r"\ddots", r"\dots"])
_COMPARE = frozenset(["<", ">", "=", r"\leq", r"\geq", r"\neq"])
FUNCTIONS = {
    r"\sigma": "sigmoid", r"\tanh": "tanh", r"\exp": "exp", r"\sin": "sin", r"\cos": "cos", r"\max": "max",
    r"\min": "min", r"\det": "det", r"\ln": "log", r"\log": "log", r"\tr": "tr",
}  # fmt: skip
WORDS = {
    "ReLU": "relu", "relu": "relu", "LReLU": "leaky_relu", "ELU": "elu", "softplus": "softplus", "GELU": "gelu",
    "SiLU": "silu", "abs": "abs", "sqrt": "sqrt", "softmax": "softmax", "diag": "diag", "tr": "tr", "erf": "erf",
    "sgn": "sgn", "sign": "sgn", "clip": "clip", "sigmoid": "sigmoid", "tanh": "tanh", "exp": "exp", "ln": "log",
    "log": "log", "max": "max", "min": "min", "det": "det", "logistic": "sigmoid",
}  # fmt: skip
WINDOWS = frozenset("pad dil rot flip crop maxpool avgpool mask up route vec".split())
_MANY = frozenset(["max", "min", "clip"])
_WORD = re.compile(r"\\(?:operatorname|mathrm|text|mathit)\{([A-Za-z]+)\}")
ONES = frozenset([r"\mathbf{1}", r"\mathbb{1}", r"\boldsymbol{1}", r"\bm{1}"])


class Parser:
    """Reads one side. ``names`` maps the tokens of a name to its key, ``own`` those of a function of the problem."""

    def __init__(self, text: Sequence[str], names: Names, own: Names, taken: frozenset[str] = frozenset()) -> None:
        self.text, self.names, self.own, self.taken = tuple(text), names, own, taken
        self.place = self.depth = 0
        self._bars: list[str] = []
        self._longest_name = max(map(len, names), default=0)

    def read(self) -> Node:
        """The whole side. Raises ``Unread``."""
        if not self.text:
            raise Unread("syntax", "nothing")
        node = self._sum()
        self._blanks()
        if self.place < len(self.text):
            raise self._stuck()
        return node

    # ── helpers ──

    @property
    def peek(self) -> str:
        """The token ahead; empty at the end."""
        return self.text[self.place] if self.place < len(self.text) else ""

    def _ahead(self, k: int) -> str:
        return self.text[self.place + k] if self.place + k < len(self.text) else ""

    def _blanks(self) -> None:
        while self.peek == r"\quad":
            self.place += 1

    def _take(self, wanted: str) -> None:
        self._blanks()
        if self.peek != wanted:
            raise self._stuck()
        self.place += 1

    def _stuck(self) -> Unread:
        here = self.peek
        if here in _DOTS:
            return Unread("elided", here)
        if here.startswith((r"\text{", r"\mbox{", r"\textbf{", r"\textrm{")) or ord(here[:1] or "a") > 0x2E7F:
            return Unread("text", here)
        if here in _COMPARE or here in (r"\in", r"\to", r"\Rightarrow", r"\mapsto", r"\sim", r"\propto"):
            return Unread("relation", here)
        if re.fullmatch(r"[A-Za-z]|\\(?:[a-z]?[A-Z]?[a-z]{1,9})", here) and (len(here) == 1 or here[1:] in LETTERS):
            return Unread("symbolic", here)
        if here.startswith((r"\math", r"\boldsymbol", r"\operatorname", r"\bm")) or here in (r"\hat", r"\bar", r"\vec"):
            return Unread("symbolic", here)
        if here in (r"\tilde", r"\dot", r"\partial", r"\nabla", r"\Delta", r"\sum", r"\prod", "_", "'"):
            return Unread("symbolic", here)
        return Unread("unknown macro" if here.startswith("\\") and here[1:].isalpha() else "syntax", here or "end")

    def _in(self, read: Callable[[], Node]) -> Node:
        self.depth += 1
        if self.depth > DEEPEST:
            raise Unread("too deep", str(DEEPEST))
        node = read()
        self.depth -= 1
        return node

    def _longest(self, table: Names, longest: int) -> tuple[int, Any] | None:
        for length in range(min(longest, len(self.text) - self.place), 0, -1):
            key = self.text[self.place : self.place + length]
            if key in table:
                return length, table[key]
        return None

    def _group(self) -> Node:
        self._take("{")
        node = self._in(self._sum)
        self._take("}")
        return node

    def _argument(self) -> Node:
        r"""What a command takes: a group, or one digit or letter, as in ``\frac12``."""
        if self.peek == "{":
            return self._group()
        if len(self.peek) > 1 and self.peek.isdigit():  # \frac12
            digits = self.peek
            self.text = (*self.text[: self.place], digits[0], digits[1:], *self.text[self.place + 1 :])
        return self._in(self._atom)

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
            node = Node(kind, (node, self._run()), at)
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
                closed, opens = self.text[self.place - 1] in (")", "]"), here in _CLOSING
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
        if left.kind == "call" and left.at[:1] == ("log",) and not left.at[2]:
            raise Unread("ambiguous", "what the logarithm takes")

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
        letters = "".join(inside).replace(",", "")
        if node.kind == "name" or re.fullmatch("[ij]+", letters) is None:
            raise Unread("symbolic", "_" + letters)
        inner = node.kids[0] if node.kind == "bracket" else node
        return Node("index", (inner,), (letters,))

    def _script(self) -> list[str]:
        """The tokens of an exponent or an index."""
        if self.peek != "{":
            self.place += 1
            return [self.text[self.place - 1]] if self.place <= len(self.text) else []
        depth, start = 0, self.place + 1
        while self.peek:
            depth += {"{": 1, "}": -1}.get(self.peek, 0)
            self.place += 1
            if depth == 0:
                return list(self.text[start : self.place - 1])
        raise Unread("syntax", "{")

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

    # ── atoms ──

    def _atom(self) -> Node:
        here = self.peek
        if _NUMBER.fullmatch(here):
            return self._number()
        if here == "e" and self._ahead(1) == "^" and "e" not in self.taken:
            self.place += 2
            return Node("call", (self._argument(),), ("exp", 0, True))
        name, own = self._longest(self.names, self._longest_name), self._longest(self.own, 12)
        if own is not None and (name is None or own[0] > name[0]):
            self.place += own[0]
            return self._call(own[1])
        if name is not None:
            self.place += name[0]
            return Node("name", (), (name[1],))
        word = _WORD.fullmatch(here)
        if here in FUNCTIONS or (word is not None and word[1] in WORDS):
            self.place += 1
            return self._call(FUNCTIONS.get(here) or WORDS[word[1]])  # type: ignore[index]
        if word is not None and word[1] in WINDOWS:
            return self._window(word[1])
        match here:
            case "(" | "[" | "{":
                return self._bracket()
            case r"\frac":
                return self._fraction()
            case r"\sqrt":
                self.place += 1
                if self.peek == "[":
                    raise Unread("symbolic", r"\sqrt[")
                return Node("call", (self._argument(),), ("sqrt", 0, True))
            case "|":
                return Node("call", (self._between("|"),), ("abs", 0, True))
            case r"\Vert":
                return self._norm()
            case r"\sum":
                return self._big_sum()
            case "I":
                self.place += 1
                return Node("eye")
            case r"\mathbf{0}":
                self.place += 1
                return Node("zeros")
            case r"\pi":
                self.place += 1
                return Node("pi")
        if here in ONES:
            return self._ones()
        if here.startswith(r"\begin{"):
            return self._matrix()
        raise self._stuck()

    def _number(self) -> Node:
        digits = self.peek.replace("{,}", "" if "." in self.peek else ".")
        if len(digits) > 60:
            raise Unread("too long", digits[:20])
        self.place += 1
        if self.peek in (r"\times", r"\cdot") and self._ahead(1) == "10" and self._ahead(2) == "^":
            start = self.place
            self.place += 3
            power = "".join(self._script())
            if re.fullmatch(r"-?\d{1,3}", power):
                return Node("sci", (), (digits, int(power)))
            self.place = start
        return Node("num", (), (digits, 0))

    def _bracket(self) -> Node:
        """A sum in brackets, or a row: entries with commas or wide spaces between them."""
        opened = self.peek
        self.place += 1
        entries = [self._in(self._sum)]
        while self.peek in (",", r"\quad"):
            while self.peek in (",", r"\quad"):
                self.place += 1
            if self.peek == _CLOSING[opened]:
                break
            entries.append(self._in(self._sum))
        self._take(_CLOSING[opened])
        if len(entries) == 1:
            return Node("bracket", tuple(entries))
        if opened == "{":
            raise Unread("syntax", "{")
        return Node("matrix", tuple(entries), (1, len(entries)))

    def _between(self, bar: str) -> Node:
        """What stands between two bars; a bar of the same kind inside closes it."""
        self.place += 1
        self._bars.append(bar)
        inner = self._in(self._sum)
        self._bars.pop()
        self._take(bar)
        return inner

    def _norm(self) -> Node:
        inner = self._between(r"\Vert")
        if self.peek == "_":
            self.place += 1
            self._script()
        return Node("norm", (inner,))

    def _fraction(self) -> Node:
        start = self.place
        self.place += 1
        partial = self._partial()
        if partial is not None:
            return partial
        self.place = start + 1
        return Node("frac", (self._argument(), self._argument()))

    def _partial(self) -> Node | None:
        r"""``\frac{\partial E}{\partial w}`` or ``\frac{dE}{dw}``; ``None`` where it is a plain fraction."""
        found: list[Any] = []
        direct = False
        for _ in range(2):
            if self.peek != "{" or self._ahead(1) not in (r"\partial", "d"):
                return None
            self.place += 2
            if self.text[self.place : self.place + 2] == ("^", "+"):
                direct, self.place = True, self.place + 2
            name = self._longest(self.names, self._longest_name)
            if name is None:
                if self.text[self.place - 1] == r"\partial":
                    raise Unread("symbolic", self.peek)
                return None
            found.append(name[1])
            self.place += name[0]
            if self.peek == "(" and ")" in self.text[self.place :]:  # dE(o)/do is dE/do
                self.place = self.text.index(")", self.place) + 1
            if self.peek != "}":
                if self.text[self.place - name[0] - 1] == r"\partial":
                    raise Unread("symbolic", self.peek)
                return None
            self.place += 1
        return Node("partial", (), (found[0], found[1], direct))

    def _call(self, name: Any) -> Node:
        primes, axis = 0, 0
        if self.peek == "_" and name in ("softmax", "max", "min", "log"):
            self.place += 1
            index = "".join(self._script())
            if name == "log" and index == "2":
                name = "log2"
            elif name == "softmax" and index in ("1", "2"):
                axis = int(index)
            elif name in ("max", "min") and re.fullmatch("[ij],?j?", index):
                return Node("extreme", (self._factor(),), (name, index.replace(",", "")))
            else:
                raise Unread("symbolic", f"{name}_{index}")
        while self.peek == "'":
            primes, self.place = primes + 1, self.place + 1
        if self.peek == "^":
            raise Unread("ambiguous", "a power of a function")
        opened = self.peek
        if opened not in ("(", "["):
            if name not in ("log", "log2", "exp", "tanh", "sin", "cos", "det", "sigmoid") or primes:
                raise self._stuck() if opened else Unread("syntax", str(name))
            return Node("call", (self._factor(),), (name, primes, False))
        self.place += 1
        kids = [self._in(self._sum)]
        while self.peek == ",":
            self.place += 1
            kids.append(self._in(self._sum))
        self._take(_CLOSING[opened])
        if len(kids) > 1 and name not in _MANY:
            kids = [Node("matrix", tuple(kids), (1, len(kids)))]
        return Node("call", tuple(kids), (name, primes, True, axis))

    def _after_score(self) -> str:
        self.place += 1
        return "".join(self._script())

    def _window(self, word: str) -> Node:
        """A word about windows: its sizes below, then a bracket, or a matrix that has its own."""
        self.place += 1
        script = self._after_score() if self.peek == "_" else ""
        if self.peek.startswith(r"\begin{"):
            return Node("window", (self._matrix(),), (word, script))
        self._take("(")
        kids = [self._in(self._sum)]
        while self.peek == ",":
            self.place += 1
            kids.append(self._in(self._sum))
        self._take(")")
        return Node("window", tuple(kids), (word, script))

    def _big_sum(self) -> Node:
        self.place += 1
        if self.peek != "_":
            raise self._stuck()
        self.place += 1
        index = "".join(self._script())
        limits = re.fullmatch(r"([ij])=1", index)
        upper: str | None = None
        if self.peek == "^":
            self.place += 1
            upper = "".join(self._script())
        letters = (limits[1] if limits else index).replace(",", "")
        if re.fullmatch("[ij]{1,2}", letters) is None or (limits is None) != (upper is None):
            raise Unread("symbolic", r"\sum")
        return Node("sum", (self._in(self._term),), (letters, int(upper) if upper and upper.isdigit() else None))

    def _ones(self) -> Node:
        self.place += 1
        if self.peek != "[":
            return Node("ones")
        self.place += 1
        sides, relations = [self._in(self._sum)], []
        while self.peek in _COMPARE:
            relations.append(self.peek)
            self.place += 1
            sides.append(self._in(self._sum))
        if not relations:
            raise Unread("ambiguous", "1[")
        self._take("]")
        return Node("indicator", tuple(sides), tuple(relations))

    def _matrix(self) -> Node:
        kind = self.peek[7:-1].rstrip("*")
        if kind == "cases" or kind not in _MATRICES:
            raise Unread("definition" if kind == "cases" else "unknown macro", self.peek)
        end = rf"\end{{{self.peek[7:]}"
        self.place += 1
        if kind == "array" and self.peek == "{":
            self._script()
        rows: list[list[Node]] = [[]]
        while True:
            self._blanks()
            if self.peek == r"\\" and not rows[-1]:
                self.place += 1
                continue
            if self.peek == end and not rows[-1] and len(rows) > 1:
                rows.pop()
                self.place += 1
                break
            if self.peek in _DOTS:
                rows[-1].append(Node("dots", (), (self.peek,)))
                self.place += 1
            elif self.peek == r"\hline":
                raise Unread("unknown macro", self.peek)
            else:
                rows[-1].append(self._in(self._sum))
            self._blanks()
            mark = self.peek
            self.place += 1
            if mark == r"\\":
                rows.append([])
            elif mark == end:
                break
            elif mark != "&":
                self.place -= 1
                raise self._stuck()
        if len({len(row) for row in rows}) != 1:
            raise Unread("syntax", "rows of different length")
        matrix = Node("matrix", tuple(entry for row in rows for entry in row), (len(rows), len(rows[0])))
        return Node("call", (matrix,), ("det", 0, True)) if _MATRICES[kind] else matrix


LETTERS = frozenset(
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi rho sigma tau "
    "upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega ell infty nabla "
    "partial".split()
)


def literal(digits: str, exponent: int = 0) -> fmpq:
    """The rational that a decimal spells."""
    whole, _, part = digits.partition(".")
    return fmpq(int((whole + part) or "0")) * fmpq(10) ** (exponent - len(part))

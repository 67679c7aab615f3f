r"""What a factor may be: numbers, names, brackets and rows, fractions, functions, matrices, sums over an index."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from derive.review.lint.cursor import CLOSING, COMPARE, DOTS, Cursor
from derive.review.lint.tree import Node, Unread

_NUMBER = re.compile(r"[0-9]*(?:\.|\{,\})?[0-9]+")
_MATRICES = {
    "pmatrix": "",
    "bmatrix": "",
    "matrix": "",
    "smallmatrix": "",
    "array": "",
    "Bmatrix": "",
    "vmatrix": "det",
}
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


def known_function(text: Sequence[str]) -> bool:
    """Whether a text begins with a function that everyone knows."""
    word = _WORD.fullmatch(text[0])
    return text[0] in FUNCTIONS or (word is not None and word[1] in WORDS)


class Atoms(Cursor):
    """Reads one atom; sums, terms and factors are the reader's above."""

    @abstractmethod
    def _sum(self) -> Node: ...

    @abstractmethod
    def _term(self) -> Node: ...

    @abstractmethod
    def _factor(self) -> Node: ...

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
        function = FUNCTIONS.get(here) or (WORDS.get(word[1]) if word is not None else None)
        if function is not None:
            self.place += 1
            return self._call(function)
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
            if self.peek == CLOSING[opened]:
                break
            entries.append(self._in(self._sum))
        self._take(CLOSING[opened])
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
        self._take(CLOSING[opened])
        if len(kids) > 1 and name not in _MANY:
            kids = [Node("matrix", tuple(kids), (1, len(kids)))]
        return Node("call", tuple(kids), (name, primes, True, axis))

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
        while self.peek in COMPARE:
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
        aligned = self.peek.endswith("*}")
        self.place += 1
        if aligned and self.peek == "[":  # pmatrix*[r]: how its columns are aligned
            while self.peek not in ("]", ""):
                self.place += 1
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
            if self.peek in DOTS:
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

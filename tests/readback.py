r"""A strict reader of printed mathematics: LaTeX back to numbers.

It knows the grammar of ``derive/report/notation/GRAMMAR.md`` and nothing of the printer. A chain ``left = a ≈ b`` is
read link by link; every side is worked out in FLINT balls, with the certified values of the problem's names put for the
names. A printed decimal is taken three ways: *literally*, as the *interval* of all values that round to it, and
*sharply*, as the certified value it must have been rounded from (one that occurs in the symbolic links of its chain).

* ``=`` holds if both sides are equal when every decimal is taken literally.
* ``≈`` holds if the intervals of both sides meet and the sharp value of the new side is the value of the chain's left.

What is not in the grammar is a ``Slip`` (it should not have been printed), what the reader cannot work out is ``NotRead``.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from flint import arb, arb_mat, fmpq, fmpq_mat

import readback_windows as windows

BITS = 160
RELATIONS = ("=", r"\approx", r"\leftarrow")
Number = Any  # fmpq | arb
ZERO, ONE = fmpq(0), fmpq(1)


class Slip(Exception):
    """Printed text outside the grammar, or a side whose sizes do not fit."""


class NotRead(Exception):
    """A shape that the grammar allows and this reader does not work out; the message names it."""


# ── tokens ──────────────────────────────────────────────────────────────────────────────────────────────────────

_TOKEN = re.compile(
    r"\s+|\\(?:operatorname|mathrm|mathbf|text)\{[^{}]*\}|\\(?:begin|end)\{[a-z]+\}|\\[A-Za-z]+|\\\\|\\[,;|{}]"
    r"|(?<=[_^])[0-9]|[0-9]+(?:\.[0-9]+)?|[A-Za-z]|[-+=(){}\[\]|^_',:&<>/]"
)


# An array of numbers set flush right in round brackets, as it stands in a document and in a LaTeX file: a matrix.
_FLUSH = re.compile(r"\\left\(\\begin\{array\}\{[rc]+\}((?:(?!\\begin|\\end).)*)\\end\{array\}\\right\)", re.DOTALL)
_UNSEEN = re.compile(r"\\phantom\{(?:\.|\{,\})?0+\}")  # noughts that fill a column up to its longest number


def as_centred(latex: str) -> str:
    r"""The formula with its columns of numbers where they stood before they were aligned, and with decimal points.

    Where a number has a decimal comma, semicolons stand for the commas of a list.
    """
    latex = _FLUSH.sub(r"\\begin{pmatrix}\1\\end{pmatrix}", _UNSEEN.sub("", latex))
    latex = latex.replace(r"\begin{pmatrix*}[r]", r"\begin{pmatrix}").replace(r"\end{pmatrix*}", r"\end{pmatrix}")
    if re.search(r"\d\{,\}\d", latex) is None:
        return latex
    return re.sub(r"(?<!\\);", ",", re.sub(r"(?<=\d)\{,\}(?=\d)", ".", latex))


def tokens(latex: str) -> tuple[str, ...]:
    """The tokens of a formula; ``_{1}`` and ``_1`` are the same. Raises ``Slip`` for a character of no token."""
    latex = as_centred(latex)
    found: list[str] = []
    place = 0
    while place < len(latex):
        match = _TOKEN.match(latex, place)
        if match is None:
            raise Slip(f"unknown character {latex[place]!r}")
        place = match.end()
        if not match[0].isspace():
            found.append(match[0])
    return _without_idle_braces(found)


def _without_idle_braces(found: list[str]) -> tuple[str, ...]:
    kept: list[str] = []
    k = 0
    while k < len(found):
        if found[k] == "_" and k + 3 < len(found) and found[k + 1] == "{" and found[k + 3] == "}":
            kept += ["_", found[k + 2]]
            k += 4
        else:
            kept.append(found[k])
            k += 1
    return tuple(kept)


# ── syntax ──────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Node:
    """A piece of a formula. ``at`` holds what is not a piece: digits, a name's key, a function."""

    kind: str
    kids: tuple[Node, ...] = ()
    at: tuple[Any, ...] = ()

    def walk(self) -> Iterator[Node]:
        """This piece and all inside it."""
        yield self
        for kid in self.kids:
            yield from kid.walk()


_CLOSING = {"(": ")", "[": "]"}
_ENDS = {")", "]", "}", "&", r"\\", r"\end{pmatrix}", r"\end{cases}", ",", r"\right", "|", r"\rVert"}
_COMPARE = (r"\ge", r"\le", "<", ">", "=")
_PLAIN_FUNCTIONS = {
    r"\sigma": "sigmoid", r"\tanh": "tanh", r"\exp": "exp", r"\sin": "sin", r"\cos": "cos",
    r"\operatorname{ReLU}": "relu", r"\operatorname{LReLU}": "leaky_relu", r"\operatorname{ELU}": "elu",
    r"\operatorname{softplus}": "softplus", r"\operatorname{GELU}": "gelu", r"\operatorname{SiLU}": "silu",
    r"\operatorname{abs}": "abs", r"\operatorname{sqrt}": "sqrt", r"\operatorname{softmax}": "softmax",
    r"\operatorname{diag}": "diag", r"\operatorname{tr}": "tr", r"\det": "det", r"\operatorname{erf}": "erf", r"\operatorname{sgn}": "sgn", r"\operatorname{clip}": "clip", r"\max": "max", r"\min": "min",
}  # fmt: skip


def _meet(x: Number, y: Number) -> bool:
    return bool(x == y) if isinstance(x, fmpq) and isinstance(y, fmpq) else bool(ball(x).overlaps(ball(y)))


INDICATED: Mapping[str, Callable[[Number, Number], Any]] = {
    "<": operator.lt, r"\le": operator.le, ">": operator.gt, r"\ge": operator.ge,
    "=": _meet, r"\ne": lambda x, y: not _meet(x, y),
}  # fmt: skip


class Parser:
    """Reads one side of a relation. ``names`` maps the tokens of a name to its key, ``functions`` likewise."""

    def __init__(
        self,
        text: tuple[str, ...],
        names: Mapping[tuple[str, ...], Any],
        functions: Mapping[tuple[str, ...], Any] | None = None,
    ) -> None:
        self.text, self.names, self.place = text, names, 0
        self.functions = {(symbol,): name for symbol, name in _PLAIN_FUNCTIONS.items()} | dict(functions or {})
        self.summing = 0

    def read(self) -> Node:
        """The whole text. Raises ``Slip`` where it is no formula."""
        node = self._sum()
        if self.place < len(self.text):
            raise Slip(f"{self._here()} does not fit here")
        return node

    # ── helpers ──

    @property
    def peek(self) -> str:
        return self.text[self.place] if self.place < len(self.text) else ""

    def _here(self) -> str:
        return " ".join(self.text[max(0, self.place - 3) : self.place + 5]) or "the end"

    def _take(self, wanted: str) -> None:
        if self.peek != wanted:
            raise Slip(f"{wanted} expected at {self._here()}")
        self.place += 1

    def _longest(self, table: Mapping[tuple[str, ...], Any]) -> tuple[int, Any] | None:
        for length in range(min(60, len(self.text) - self.place), 0, -1):
            key = self.text[self.place : self.place + length]
            if key in table:
                return length, table[key]
        return None

    def _group(self) -> Node:
        self._take("{")
        node = self._sum()
        self._take("}")
        return node

    # ── sums and products ──

    def _sum(self) -> Node:
        signs, terms = [], []
        sign = 1
        if self.peek == "-":
            self.place, sign = self.place + 1, -1
        while True:
            if self.peek in ("-", "+"):
                raise Slip(f"two signs at {self._here()}")
            terms.append(self._term())
            signs.append(sign)
            if self.peek not in ("+", "-"):
                break
            sign = 1 if self.peek == "+" else -1
            self.place += 1
        if len(terms) == 1:
            return terms[0] if signs[0] == 1 else Node("neg", (terms[0],))
        return Node("add", tuple(terms), tuple(signs))

    def _term(self) -> Node:
        """Runs of factors joined by entrywise signs: the runs bind tighter."""
        node = self._run()
        while self.peek in (r"\odot", r"\oslash", r"\star"):
            op = self.peek
            self.place += 1
            at = (int(self._script() or 1),) if op == r"\star" else ()
            node = Node(op[1:], (node, self._run()), at)
        return node

    def _script(self) -> str:
        """What stands behind an underscore, as one text; nothing where there is none."""
        if self.peek != "_":
            return ""
        self.place += 1
        if self.peek != "{":
            self.place += 1
            return self.text[self.place - 1]
        self.place += 1
        return "".join(self._until_brace())

    def _window(self, word: str) -> Node:
        """``\\operatorname{pad}_1(…)``, or with a matrix, which has brackets of its own."""
        self.place += 1
        script = self._script()
        if self.peek == r"\begin{pmatrix}":
            return Node("window", (self._matrix(),), (word, script))
        tall = self.peek == r"\left"
        self.place += tall
        self._take("(")
        kids = [self._sum()]
        while self.peek == ",":
            self.place += 1
            kids.append(self._sum())
        if tall:
            self._take(r"\right")
        self._take(")")
        return Node("window", tuple(kids), (word, script))

    def _run(self) -> Node:
        factors = [self._factor()]
        while True:
            dotted = False
            if self.peek in (r"\cdot", r"\,"):
                dotted = self.peek == r"\cdot"
                self.place += 1
                if self.peek in (r"\cdot", r"\,"):
                    raise Slip(f"two products at {self._here()}")
            elif not self._begins_a_factor():
                break
            opens = self.peek in ("(", "[")
            factor = self._factor()
            if not dotted:
                self._beside(factors[-1], factor, opens)
            factors.append(factor)
        return factors[0] if len(factors) == 1 else Node("mul", tuple(factors))

    def _begins_a_factor(self) -> bool:
        here = self.peek
        return (
            bool(here)
            and here not in _ENDS
            and here not in ("+", "-", r"\odot", r"\oslash", r"\star", *_COMPARE, "/", r"\approx")
        )

    def _beside(self, left: Node, right: Node, opens: bool) -> None:
        """What may stand side by side without a dot."""
        bare = right.kids[0] if right.kind == "neg" else right
        if right.kind == "num":
            raise Slip(f"a number without a dot before {self._here()}")
        if opens and bare.kind == "num" and left.kind in ("num", "name", "sci"):
            raise Slip(f"a bracketed number beside {left.kind} at {self._here()}")
        if (
            left.kind in ("num", "sci")
            and right.kind == "frac"
            and all(kid.kind in ("num", "sci") for kid in right.kids)
        ):
            raise Slip(f"reads as a mixed number at {self._here()}")
        if left.kind == "log":
            raise Slip(f"what does the logarithm take? {self._here()}")

    # ── factors ──

    def _factor(self) -> Node:
        node = self._atom()
        while self.peek in ("^", "'", "_"):
            if self.peek == "'":
                raise Slip(f"a prime on no function at {self._here()}")
            if self.peek == "_" and node.kind == "bracket" and self._slice_follows(lone=True):
                node = Node("slice", node.kids, (self._places(),))
                continue
            if self.peek == "_":
                if node.kind not in ("bracket", "call") or node.at[:1] not in ((), ("softmax",)):
                    raise Slip(f"unknown name at {self._here()}")
                self.place += 1
                inner = node.kids[0] if node.kind == "bracket" else node
                node = Node("index", (inner,), (self._letters(),))
                continue
            self.place += 1
            node = self._exponent(node)
        return node.kids[0] if node.kind == "bracket" else node

    def _exponent(self, base: Node) -> Node:
        if base.kind in ("pow", "entry_pow", "frac", "sum", "log"):
            raise Slip(f"a power of {base.kind} without brackets at {self._here()}")
        if self.peek == "{":
            self.place += 1
            inside = self._until_brace()
        else:
            inside = [self.peek]
            self.place += 1
        base = base.kids[0] if base.kind == "bracket" else base
        if inside == [r"\top"]:
            return Node("transpose", (base,))
        if inside == ["-", r"\top"]:
            return Node("transpose", (Node("pow", (base,), (-ONE,)),))
        kind = "pow"
        if inside[:1] == [r"\odot"]:
            kind, inside = "entry_pow", inside[1:]
        match = re.fullmatch(r"(-?)(\d+(?:\.\d+)?)(?:/(\d+))?", "".join(inside))
        if match is None:
            raise Slip(f"{' '.join(inside)} is no exponent")
        value = literal(match[2]) / (int(match[3]) if match[3] else 1)
        return Node(kind, (base,), (-value if match[1] else value,))

    def _until_brace(self) -> list[str]:
        inside = []
        while self.peek != "}":
            if not self.peek:
                raise Slip("a brace is not closed")
            inside.append(self.peek)
            self.place += 1
        self.place += 1
        return inside

    def _group_ahead(self) -> list[str]:
        """The tokens of the group behind an underscore."""
        ahead = self.text[self.place + 1 :]
        if ahead[:1] != ("{",):
            return list(ahead[:1])
        return list(ahead[1 : ahead.index("}")])

    def _slice_follows(self, lone: bool = False) -> bool:
        """Whether an underscore opens places of a slice; a single number only where ``lone`` allows it."""
        group = self._group_ahead()
        return (
            ":" in group or r"\{" in group or (r"\," in group and group[0].isdigit()) or (lone and group[0].isdigit())
        )

    def _places(self) -> tuple[tuple[int, ...] | str | None, ...]:
        """``1:2,\\,:`` as the places on each axis, counted from 0; ``None`` is the whole axis."""
        group = [token for token in self._group_ahead() if token != r"\,"]
        self.place += len(self._group_ahead()) + (3 if self.text[self.place + 1] == "{" else 2)
        text = "".join(group)
        found: list[tuple[int, ...] | str | None] = []
        for part in re.findall(r"\\\{[^{}]*\\\}|[^,]+", text):
            match = re.fullmatch(r"(\d+)(?::(\d+))?", part)
            if part == ":":
                found.append(None)
            elif match is not None:
                found.append(tuple(range(int(match[1]) - 1, int(match[2] or match[1]))))
            elif part in ("i", "j"):
                found.append(part)
            elif re.fullmatch(r"\\\{\d+(,\d+)*\\\}", part):
                found.append(tuple(int(place) - 1 for place in part[2:-2].split(",")))
            else:
                raise Slip(f"{part} is no place")
        return tuple(found)

    def _sizes(self) -> tuple[int, int]:
        """``_{2 \\times 3}``"""
        match = re.fullmatch(r"(\d+)\\times(\d+)", "".join(self._group_ahead()))
        if match is None and re.fullmatch(r"\d+(\\times\d+){2,}", "".join(self._group_ahead())):
            raise NotRead("more than two axes")
        if match is None:
            raise Slip(f"no size at {self._here()}")
        self.place += len(self._group_ahead()) + 3
        return int(match[1]), int(match[2])

    def _letters(self) -> str:
        if self.peek == "{":
            self.place += 1
            return "".join(token for token in self._until_brace() if token != ",")
        self.place += 1
        return self.text[self.place - 1]

    def _atom(self) -> Node:
        here = self.peek
        if re.fullmatch(r"[0-9]+(?:\.[0-9]+)?", here):
            return self._number()
        if here == "e" and self.text[self.place + 1 : self.place + 3] == ("^", "{"):
            self.place += 2
            return Node("exp", (self._group(),))
        if here.startswith(r"\operatorname{") and here[14:-1] in windows.WORDS:
            return self._window(here[14:-1])
        name, function = self._longest(self.names), self._longest(self.functions)
        if function is not None and (name is None or function[0] > name[0]):
            self.place += function[0]
            return self._call(function[1])
        if name is not None:
            self.place += name[0]
            if self.peek == "_" and self._slice_follows():
                return Node("slice", (Node("name", (), (name[1],)),), (self._places(),))
            if self.peek in ("_", "'"):
                raise Slip(f"unknown name at {self._here()}")
            return Node("name", (), (name[1],))
        match here:
            case "(" | "[":
                self.place += 1
                node = self._sum()
                self._take(_CLOSING[here])
                return Node("bracket", (node,))
            case r"\left":
                return self._tall()
            case r"\frac":
                return self._fraction()
            case r"\sqrt":
                self.place += 1
                return Node("sqrt", (self._group(),))
            case r"\lVert":
                return self._norm()
            case r"\log":
                return self._log()
            case r"\sum":
                return self._big_sum()
            case r"\begin{pmatrix}":
                return self._matrix()
            case r"\begin{cases}":
                return self._cases()
            case r"\mathbf{1}":
                return self._ones()
            case r"\mathbf{0}":
                self.place += 1
                return Node("zeros", (), self._sizes() if self.peek == "_" else ())
            case r"\operatorname{reshape}":
                self.place += 1
                sizes = self._sizes()
                return Node("reshape", (self._factor(),), sizes)
            case "I":
                self.place += 1
                return Node("eye")
            case r"\operatorname{onehot}":
                return self._onehot()
            case r"\pi":
                self.place += 1
                return Node("pi")
            case r"\text{undecided}":
                raise NotRead("undecided number")
        raise Slip(f"no formula begins with {self._here()}")

    def _number(self) -> Node:
        digits = self.peek
        self.place += 1
        if self.peek != r"\times":
            return Node("num", (), (digits, 0))
        self.place += 1
        self._take("10")
        self._take("^")
        exponent = "".join(self._until_brace_after())
        if re.fullmatch(r"-?\d+", exponent) is None:
            raise Slip(f"10^{exponent} is no power of ten")
        return Node("sci", (), (digits, int(exponent)))

    def _until_brace_after(self) -> list[str]:
        self._take("{")
        return self._until_brace()

    def _tall(self) -> Node:
        self.place += 1
        here = self.peek
        self.place += 1
        if here == r"\lVert":
            return self._norm_ends(r"\right")
        if here == "|":
            node = Node("abs", (self._sum(),))
        elif here in _CLOSING:
            node = Node("bracket", (self._sum(),))
        else:
            raise Slip(f"\\left{here} is not in the grammar")
        self._take(r"\right")
        self._take("|" if here == "|" else _CLOSING[here])
        return node

    def _norm(self) -> Node:
        self.place += 1
        return self._norm_ends("")

    def _norm_ends(self, right: str) -> Node:
        """A norm behind its opening bars; an F below marks that of a matrix."""
        inner = self._sum()
        if right:
            self._take(right)
        self._take(r"\rVert")
        matrix = self.peek == "_"
        if matrix:
            self._take("_")
            self._take("F")
        return Node("norm", (inner,), (matrix,))

    def _fraction(self) -> Node:
        self.place += 1
        if self.text[self.place + 1 : self.place + 2] == (r"\partial",):
            self.place += 1
            direct = self.text[self.place + 1 : self.place + 5] == ("^", "{", "+", "}")
            if direct:
                self.text = (*self.text[: self.place + 1], *self.text[self.place + 5 :])
            above = self._differential()
            self._take("}")
            self._take("{")
            below = self._differential()
            self._take("}")
            return Node("partial", (), (above, below, direct))
        return Node("frac", (self._group(), self._group()))

    def _differential(self) -> Any:
        self._take(r"\partial")
        found = self._longest(self.names)
        if found is None:
            raise Slip(f"unknown name at {self._here()}")
        self.place += found[0]
        return found[1]

    def _log(self) -> Node:
        self.place += 1
        kind = "log"
        if self.peek == "_" and self.text[self.place + 1 : self.place + 2] == ("2",):
            kind, self.place = "log2", self.place + 2
        if self.peek == "'":
            return self._call(kind)
        if self.peek in ("(", "[") or self.text[self.place : self.place + 2] == (r"\left", "("):
            opened = self.place
            node = self._factor()
            ends_with_bracket = self.text[self.place - 1] in (")", "]")
            if not ends_with_bracket:
                raise Slip(f"a power of the argument or of the logarithm? {' '.join(self.text[opened : self.place])}")
            return Node("call", (node,), (kind, 0))
        return Node(kind, (self._factor(),))

    def _call(self, name: Any) -> Node:
        primes = 0
        if name in ("max", "min") and self.peek == "_":
            return self._extreme(name)
        axis: tuple[int, ...] = ()
        if name == "softmax" and self.peek == "_":
            self.place += 1
            axis, self.place = (int(self.peek) - 1,), self.place + 1
        while self.peek == "'":
            primes, self.place = primes + 1, self.place + 1
        if self.peek == r"\left":
            self.place += 1
        opened = self.peek
        if name == "det" and opened not in _CLOSING:  # det A, between bars
            return Node("call", (self._factor(),), (name, primes))
        if opened not in _CLOSING:
            raise Slip(f"the function {name} without its brackets at {self._here()}")
        self.place += 1
        kids = [self._sum()]
        while self.peek == ",":
            self.place += 1
            kids.append(self._sum())
        if self.peek == r"\right":
            self.place += 1
        self._take(_CLOSING[opened])
        if (len(kids) < 2) if name in ("max", "min") else len(kids) != (3 if name == "clip" else 1):
            raise Slip(f"{name} of {len(kids)}")
        return Node("call", tuple(kids), (name, primes, *axis))

    def _steps(self) -> Node:
        """A sum over the steps of a loop: its term at every one of them, added up."""
        self._take("{")
        letter = "".join(self._until("="))
        first = int("".join(self._until_brace()))
        self._take("^")
        if self.peek == "{":
            self.place += 1
            last = int("".join(self._until_brace()))
        else:
            last, self.place = int(self.peek), self.place + 1
        end = self._end_of_term()
        term = self.text[self.place : end]
        nodes = []
        for number in range(first, last + 1):
            inner = Parser(numbered(term, letter, number), self.names)
            inner.functions = self.functions
            nodes.append(inner.read())
        self.place = end
        if len(nodes) < 2:
            raise Slip(f"a sum over {len(nodes)} steps")
        return Node("add", tuple(nodes), (1,) * len(nodes))

    def _until(self, mark: str) -> list[str]:
        found = []
        while self.peek != mark:
            if not self.peek:
                raise Slip(f"{mark} expected")
            found.append(self.peek)
            self.place += 1
        self.place += 1
        return found

    def _end_of_term(self) -> int:
        """Where the term that starts here ends: before a sign outside of all brackets."""
        depth = 0
        for k in range(self.place, len(self.text)):
            here = self.text[k]
            if here in ("(", "[", "{") or here.startswith(r"\begin"):
                depth += 1
            elif here in (")", "]", "}") or here.startswith(r"\end"):
                depth -= 1
            if depth < 0 or (depth == 0 and here in ("+", "-", "&", r"\\") and k > self.place):
                return k
        return len(self.text)

    def _big_sum(self) -> Node:
        self.place += 1
        self._take("_")
        if self.peek == "{" and "=" in self.text[self.place : self.place + 4]:
            return self._steps()
        letters = self._letters()
        if re.fullmatch("[ncij]+", letters) and not re.fullmatch("[ij]+", letters):
            raise NotRead("more than two axes")
        if re.fullmatch("[ij]+", letters) is None:
            raise Slip(f"a sum over {letters!r}")
        self.summing += 1
        body = self._term()
        self.summing -= 1
        return Node("sum", (body,), (letters,))

    def _ones(self) -> Node:
        self.place += 1
        place = self.place
        tall = self.peek == r"\left" and self.text[self.place + 1 : self.place + 2] == ("[",)
        self.place += tall
        if self.peek != "[":
            self.place = place
            return Node("ones")
        self.place += 1
        sides, relations = [self._sum()], []
        while self.peek in INDICATED:
            relations.append(self.peek)
            self.place += 1
            sides.append(self._sum())
        if not relations:
            self.place = place
            return Node("ones")
        if tall:
            self._take(r"\right")
        self._take("]")
        return Node("indicator", tuple(sides), tuple(relations))

    def _onehot(self) -> Node:
        self.place += 1
        classes = "".join(self._group_ahead())
        self.place += 2 if self.text[self.place + 1] != "{" else len(self._group_ahead()) + 3
        if not classes.isdigit():
            raise Slip(f"{classes} is no number of classes")
        return Node("onehot", self._atom().kids, (int(classes),))

    def _extreme(self, name: str) -> Node:
        """The largest over running indices: of entries, of the columns or of the rows of a matrix."""
        self.place += 1
        letters = self._letters()
        if re.fullmatch("[ij]+", letters) is None:
            raise Slip(f"{name} over {letters!r}")
        self.summing += 1
        body = self._factor()
        self.summing -= 1
        return Node("extreme", (body,), (name, letters))

    def _matrix(self) -> Node:
        self.place += 1
        rows: list[list[Node]] = [[]]
        while True:
            if self.peek in (r"\cdots", r"\vdots", r"\ddots"):
                rows[-1].append(Node("dots", (), (self.peek,)))
                self.place += 1
            else:
                rows[-1].append(self._sum())
            mark = self.peek
            self.place += 1
            if mark == r"\\":
                rows.append([])
            elif mark == r"\end{pmatrix}":
                break
            elif mark != "&":
                self.place -= 1
                raise Slip(f"{self._here()} inside a matrix")
        if len({len(row) for row in rows}) != 1:
            raise Slip("a matrix whose rows differ in length")
        if any(entry.kind == "dots" for row in rows for entry in row):
            self._size_beside(rows)
        return Node("matrix", tuple(entry for row in rows for entry in row), (len(rows), len(rows[0])))

    def _size_beside(self, rows: list[list[Node]]) -> None:
        """Behind a matrix that is printed in part its size: more rows or columns than are printed."""
        if self.peek != "_":
            raise Slip("a matrix with dots and without its size")
        size = " ".join(self._group_ahead())
        self.place += len(self._group_ahead()) + 3
        if re.fullmatch(r"\d+( \\times \d+)+", size) is None:
            raise Slip(f"{size!r} is no size")
        found = [int(number) for number in size.split(r" \times ")]
        printed = [len(rows), len(rows[0])]
        if len(found) == 2 and (found == printed or found[0] < printed[0] or found[1] < printed[1]):
            raise Slip(f"dots in a matrix of size {size}")

    def _cases(self) -> Node:
        self.place += 1
        kids: list[Node] = []
        relations: list[str] = []
        while True:
            kids.append(self._sum())
            self._take(",")
            self._take("&")
            kids.append(self._sum())
            if self.peek not in _COMPARE:
                raise Slip(f"no condition at {self._here()}")
            relations.append(self.peek)
            self.place += 1
            kids.append(self._sum())
            mark = self.peek
            self.place += 1
            if mark == r"\end{cases}":
                return Node("cases", tuple(kids), tuple(relations))
            if mark != r"\\":
                raise Slip("cases that do not end")


def numbered(text: Sequence[str], letter: str, number: int) -> tuple[str, ...]:
    """``text`` with a number for a letter in every index: ``h_{t-1}`` becomes ``h_2`` for 3, ``y^{(t)}`` ``y^{(3)}``."""
    found: list[str] = []
    k = 0
    while k < len(text):
        found.append(text[k])
        k += 1
        above = found[-1] == "^" and tuple(text[k : k + 2]) in (("{", "("), ("{", "["))
        if (found[-1] != "_" and not above) or k >= len(text):
            continue
        if text[k] == letter:
            found.append(str(number))
            k += 1
        elif text[k] == "{":
            end = text.index("}", k)
            inside = "".join(text[k + 1 : end])
            pattern = rf"(?<![A-Za-z\\]){re.escape(letter)}([-+]\d+)?(?![A-Za-z])"
            found += tokens(f"{{{re.sub(pattern, lambda m: str(number + int(m[1] or 0)), inside)}}}")
            k = end + 1
    return tokens(" ".join(found))


def visible(node: Node, shape: tuple[int, int]) -> tuple[Node, list[int], list[int]] | None:
    """A matrix printed in part without its dots, and which rows and columns of ``shape`` it shows."""
    if node.kind != "matrix" or not any(kid.kind == "dots" for kid in node.kids):
        return None
    rows, columns = node.at
    grid = [node.kids[k * columns : (k + 1) * columns] for k in range(rows)]
    down = next((k for k in range(rows) if all(kid.kind == "dots" for kid in grid[k])), None)
    across = next((k for k in range(columns) if all(row[k].kind == "dots" for row in grid)), None)
    kept = [[kid for c, kid in enumerate(row) if c != across] for r, row in enumerate(grid) if r != down]
    if any(kid.kind == "dots" for row in kept for kid in row):
        raise Slip("dots in the middle of a matrix")
    places = []
    for size, shown, gap in ((shape[0], rows, down), (shape[1], columns, across)):
        if (size != shown) if gap is None else (size < shown):
            raise Slip(f"{shown} places for {size}")
        after = 0 if gap is None else shown - 1 - gap
        places.append(list(range(size)) if gap is None else [*range(gap), *range(size - after, size)])
    flat = tuple(kid for row in kept for kid in row)
    return Node("matrix", flat, (len(kept), len(kept[0]))), places[0], places[1]


def matrix_of(array: Any) -> Any:
    """The matrix of FLINT's that holds these numbers."""
    kind: Any = fmpq_mat if all(isinstance(x, fmpq) for x in array.ravel()) else arb_mat
    return kind(*array.shape, array.ravel().tolist())


def matrix_inverse(array: Any) -> Any:
    """The inverse; a ``Slip`` where there is none."""
    if array.shape[0] != array.shape[1]:
        raise Slip("the inverse of a matrix that is not square")
    found = np.empty(array.shape, dtype=object)
    try:
        found.reshape(-1)[:] = matrix_of(array).inv().entries()
    except ZeroDivisionError:
        raise Slip("the inverse of a singular matrix") from None
    return found


def literal(digits: str, exponent: int = 0) -> Number:
    """A decimal as the rational it spells."""
    whole, _, part = digits.partition(".")
    return fmpq(int(whole + part)) * fmpq(10) ** (exponent - len(part))


# ── values ──────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Value:
    """Numbers in a matrix (a scalar is 1 x 1). ``free`` marks an axis of fitting size along which nothing changes.

    With ``eye`` it is a multiple of the unit matrix of fitting size.
    """

    array: Any
    free: tuple[bool, bool] = (False, False)
    eye: bool = False

    @classmethod
    def scalar(cls, x: Number) -> Value:
        """One number."""
        array = np.empty((1, 1), dtype=object)
        array[0, 0] = x
        return cls(array)

    @property
    def lone(self) -> bool:
        """Whether it is one number."""
        return self.array.shape == (1, 1) and not any(self.free)

    def fitted(self, shape: tuple[int, int]) -> Any:
        """The array with its free axes stretched. Raises ``Slip`` where the sizes are others."""
        if self.eye and shape[0] == shape[1]:
            array = np.full(shape, fmpq(0), dtype=object)
            np.fill_diagonal(array, self.array[0, 0])
            return array
        wanted = tuple(
            size if free else here for size, here, free in zip(shape, self.array.shape, self.free, strict=True)
        )
        if wanted != shape:
            raise Slip(f"{self.array.shape} where {shape} belongs")
        return np.broadcast_to(self.array, shape)


def combined(f: Callable[..., Number], *parts: Value) -> Value:
    """Entry by entry; a number, a row or a column is stretched."""
    if any(part.eye for part in parts) and len(parts) > 1:
        raise NotRead("a unit matrix in a sum")
    sizes = []
    for axis in (0, 1):
        fixed = {part.array.shape[axis] for part in parts if not part.free[axis] and part.array.shape[axis] != 1}
        if len(fixed) > 1:
            raise Slip("sizes " + " and ".join(str(part.array.shape) for part in parts) + " do not fit")
        sizes.append(fixed.pop() if fixed else 1)
    stretched = np.broadcast_arrays(*(part.array for part in parts))
    result = np.empty(stretched[0].shape, dtype=object)
    for index in np.ndindex(result.shape):
        result[index] = f(*(array[index] for array in stretched))
    free = tuple(
        all(part.free[axis] or part.lone for part in parts) and any(part.free[axis] for part in parts)
        for axis in (0, 1)
    )
    return Value(result, (free[0], free[1]), parts[0].eye)


def times(a: Value, b: Value) -> Value:
    """Scaling where one is a number, else the product of matrices."""
    if a.eye or b.eye:
        scaled = times(Value(a.array, a.free), Value(b.array, b.free))
        return Value(scaled.array, scaled.free, a.lone and b.lone)
    if a.lone or b.lone:
        return combined(lambda x, y: x * y, a, b)
    left, right = a.array, b.array
    if a.free[1] and b.free[0]:
        raise Slip("a product of ones whose size nothing says")
    if a.free[1]:
        left = np.broadcast_to(left, (left.shape[0], right.shape[0]))
    if b.free[0]:
        right = np.broadcast_to(right, (left.shape[1], right.shape[1]))
    if left.shape[1] != right.shape[0]:
        raise Slip(f"a product of {left.shape} and {right.shape}")
    return Value(left.dot(right), (a.free[0], b.free[1]))


def mapped(f: Callable[[Number], Number], a: Value) -> Value:
    """A function of each entry."""
    return combined(f, a)


# ── functions, in balls ─────────────────────────────────────────────────────────────────────────────────────────


def ball(x: Number) -> Number:
    """A number as a ball."""
    return x if isinstance(x, arb) else arb(x)


def _sigmoid(x: Number) -> Number:
    return 1 / (1 + (-ball(x)).exp())


def _relu(x: Number, slope: Number = ZERO) -> Number:
    if x >= 0:
        return x
    if x <= 0:
        return slope * x
    low, high = slope * ball(x).lower(), ball(x).upper()
    return low.union(high)


def _step(x: Number, below: Number, at: Number, above: Number = ONE) -> Number:
    if x > 0:
        return above
    if x < 0:
        return below
    if x == 0:
        return at
    return ball(below).union(ball(above)).union(ball(at))


def _abs(x: Number) -> Number:
    return abs(x) if isinstance(x, arb) else (x if x >= 0 else -x)


def _larger(x: Number, y: Number) -> Number:
    if isinstance(x, fmpq) and isinstance(y, fmpq):
        return max(x, y)
    return ball(x).max(ball(y))


def _smaller(x: Number, y: Number) -> Number:
    return -_larger(-x, -y)


def _power(x: Number, exponent: fmpq) -> Number:
    if exponent.q == 1:
        return x ** int(exponent.p)
    return ball(x) ** ball(exponent)


def _divide(x: Number, y: Number) -> Number:
    if isinstance(y, fmpq) and y == 0:
        raise Slip("division by zero")
    return x / y


def _elu(x: Number) -> Number:
    return x if x >= 0 else ball(x).exp() - 1


def _gelu(x: Number) -> Number:
    return ball(x) * (1 + (ball(x) / arb(2).sqrt()).erf()) / 2


def _gelu_slope(x: Number) -> Number:
    x = ball(x)
    return (1 + (x / arb(2).sqrt()).erf()) / 2 + x * (-x * x / 2).exp() / (2 * arb.pi()).sqrt()


FUNCTIONS: Mapping[str, Callable[[Number], Number]] = {
    "sigmoid": _sigmoid,
    "tanh": lambda x: ball(x).tanh(),
    "exp": lambda x: ball(x).exp(),
    "log": lambda x: ball(x).log(),
    "log2": lambda x: ball(x).log() / arb(2).log(),
    "sin": lambda x: ball(x).sin(),
    "cos": lambda x: ball(x).cos(),
    "relu": _relu,
    "elu": _elu,
    "softplus": lambda x: (1 + ball(x).exp()).log(),
    "silu": lambda x: ball(x) * _sigmoid(x),
    "gelu": _gelu,
    "erf": lambda x: ball(x).erf(),
    "abs": _abs,
    "sgn": lambda x: _step(x, fmpq(-1), fmpq(0)),
    "sqrt": lambda x: ball(x).sqrt(),
}

SLOPES: Mapping[str, Callable[[Number], Number]] = {
    "sigmoid": lambda x: _sigmoid(x) * (1 - _sigmoid(x)),
    "tanh": lambda x: 1 - ball(x).tanh() ** 2,
    "exp": lambda x: ball(x).exp(),
    "log": lambda x: 1 / ball(x),
    "log2": lambda x: 1 / (ball(x) * arb(2).log()),
    "sin": lambda x: ball(x).cos(),
    "cos": lambda x: -ball(x).sin(),
    "softplus": _sigmoid,
    "elu": lambda x: fmpq(1) if x > 0 else ball(x).exp(),
    "silu": lambda x: _sigmoid(x) * (1 + ball(x) * (1 - _sigmoid(x))),
    "gelu": _gelu_slope,
    "abs": lambda x: _step(x, fmpq(-1), fmpq(0)),
    "sqrt": lambda x: 1 / (2 * ball(x).sqrt()),
}


# ── working a side out ──────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Setting:
    """What names and functions stand for.

    ``value(key)`` is the value of a name, ``partial(above, below, direct)`` that of a fraction of partials, ``own(name)`` a
    function of the problem with its parameters and its derivative. ``axis`` is that of a softmax.
    """

    value: Callable[[Any], Value]
    partial: Callable[[Any, Any, bool], Value]
    function: Callable[[Any, int], Callable[[Number], Number]]
    axis: int = 1


class Reader:
    """Works a parsed side out; ``decimal`` gives the number a printed decimal stands for."""

    def __init__(self, setting: Setting, decimal: Callable[[Node], Number]) -> None:
        self.setting, self.decimal = setting, decimal
        self.running: dict[str, int] = {}
        self.seen: list[Value] | None = None  # every value met on the way, where they are collected

    def value(self, node: Node) -> Value:
        """The value of a piece."""
        found = self._value(node)
        if self.seen is not None:
            self.seen.append(found)
        return found

    def _value(self, node: Node) -> Value:
        match node.kind:
            case "num" | "sci":
                return Value.scalar(self.decimal(node))
            case "name":
                return self._name(node.at[0])
            case "partial":
                return self.setting.partial(*node.at)
            case "neg":
                return mapped(lambda x: -x, self.value(node.kids[0]))
            case "add":
                total: Value | None = None
                for sign, kid in zip(node.at, node.kids, strict=True):
                    part = mapped((lambda x: x) if sign > 0 else (lambda x: -x), self.value(kid))
                    total = part if total is None else combined(lambda x, y: x + y, total, part)
                assert total is not None
                return total
            case "mul":
                return self._product([self.value(kid) for kid in node.kids])
            case "odot":
                return combined(lambda x, y: x * y, *map(self.value, node.kids))
            case "star" | "window":
                return self._windows(node)
            case "oslash" | "frac":
                a, b = map(self.value, node.kids)
                if node.kind == "frac" and not b.lone:
                    raise Slip("a fraction under whose line a matrix stands")
                return combined(_divide, a, b)
            case "pow":
                base = self.value(node.kids[0])
                if not base.lone:
                    if node.at[0] != -1:
                        raise Slip("a power of a matrix")
                    return Value(matrix_inverse(base.array))
                return mapped(lambda x: _power(x, node.at[0]), base)
            case "entry_pow":
                return mapped(lambda x: _power(x, node.at[0]), self.value(node.kids[0]))
            case "transpose":
                base = self.value(node.kids[0])
                return Value(base.array.T, base.free[::-1])
            case "norm":
                return self._norm(node)
            case "exp" | "log" | "log2" | "sqrt" | "abs":
                return mapped(FUNCTIONS[node.kind], self.value(node.kids[0]))
            case "call":
                return self._call(node)
            case "sum":
                return self._sum(node)
            case "index":
                return self._index(node)
            case "matrix":
                return self._matrix(node)
            case "ones":
                array = Value.scalar(fmpq(1)).array
                return Value(array, (True, False))
            case "eye":
                return Value(Value.scalar(fmpq(1)).array, eye=True)
            case "zeros" if node.at:
                return Value(np.full(node.at, fmpq(0), dtype=object))
            case "reshape":
                return Value(self.value(node.kids[0]).array.reshape(node.at))
            case "slice":
                return self._slice(self.value(node.kids[0]), node.at[0])
            case "zeros":
                return Value(Value.scalar(fmpq(0)).array, (True, True))
            case "indicator":
                return self._indicator(node)
            case "onehot":
                numbers = [int(x) for x in self.value(node.kids[0]).array.ravel()]
                return Value(np.array([[fmpq(int(k == n)) for k in range(node.at[0])] for n in numbers], dtype=object))
            case "extreme":
                return self._over(node, _larger if node.at[0] == "max" else _smaller)
            case "cases":
                return self._cases(node)
            case "pi":
                return Value.scalar(arb.pi())
        raise NotRead(node.kind)

    def _norm(self, node: Node) -> Value:
        inner = self.value(node.kids[0]).array
        if node.at[0] != (1 not in inner.shape):
            raise Slip("an F belongs to the norm of a matrix, and to no other")
        return Value.scalar(ball(sum(ball(x) ** 2 for x in inner.ravel())).sqrt())

    def _name(self, key: Any) -> Value:
        if isinstance(key, Running):
            whole = self.setting.value(key.name)
            return self._picked(whole, key.letters)
        return self.setting.value(key)

    def _picked(self, whole: Value, letters: str) -> Value:
        place = []
        for axis, letter in enumerate("ij"):
            size = whole.array.shape[axis]
            if letter in letters:
                if letter not in self.running:
                    raise Slip(f"{letter} runs over nothing")
                if self.running[letter] >= size:
                    raise Slip(f"{letter} runs too far")
                place.append(self.running[letter])
            elif size != 1:
                raise Slip(f"an entry without its index {letter}")
            else:
                place.append(0)
        return Value.scalar(whole.array[tuple(place)])

    def _product(self, parts: list[Value]) -> Value:
        """From the left; ones of open size wait for a neighbour that says it."""
        whole = parts[0]
        for part in parts[1:]:
            whole = times(whole, part)
            if self.seen is not None:
                self.seen.append(whole)
        return whole

    def _call(self, node: Node) -> Value:
        name, primes, *axis = node.at
        parts = [self.value(kid) for kid in node.kids]
        match name:
            case "max" | "min":
                extreme = _larger if name == "max" else _smaller
                return combined(lambda *entries: windows.most(extreme, entries), *parts)
            case "clip":
                return combined(lambda x, low, high: _smaller(_larger(x, low), high), *parts)
            case "diag":
                return self._diag(parts[0])
            case "tr" | "det":
                return self._of_square(name, parts[0])
            case "softmax":
                powers = np.vectorize(lambda x: ball(x).exp(), otypes=[object])(parts[0].array)
                return Value(powers / powers.sum(axis=axis[0] if axis else self.setting.axis, keepdims=True))
        return mapped(self.setting.function(name, primes), parts[0])

    @staticmethod
    def _of_square(name: str, a: Value) -> Value:
        """Trace and determinant."""
        if a.array.shape[0] != a.array.shape[1]:
            raise Slip(f"{name} of a matrix that is not square")
        if name == "tr":
            return Value.scalar(sum(a.array.diagonal(), fmpq(0)))
        return Value.scalar(matrix_of(a.array).det())

    def _windows(self, node: Node) -> Value:
        parts = [self.value(kid) for kid in node.kids]
        if any(any(part.free) or part.eye for part in parts):
            raise NotRead("a window on a matrix of ones")
        try:
            if node.kind == "star":
                return Value(windows.star(parts[0].array, parts[1].array, node.at[0]))
            return Value(windows.word(node.at[0], node.at[1], [part.array for part in parts]))
        except windows.Misread as misread:
            raise Slip(str(misread)) from None
        except windows.Unread as unread:
            raise NotRead(str(unread)) from None

    @staticmethod
    def _diag(vector: Value) -> Value:
        if any(vector.free) and vector.array.shape == (1, 1):
            return Value(vector.array, eye=True)
        if 1 not in vector.array.shape:
            if vector.array.shape[0] != vector.array.shape[1]:
                raise Slip("diag of a matrix that is not square")
            return Value(vector.array.diagonal().reshape(1, -1))
        flat = list(vector.array.ravel())
        array = np.empty((len(flat), len(flat)), dtype=object)
        array[:] = fmpq(0)
        for k, x in enumerate(flat):
            array[k, k] = x
        return Value(array)

    def _indicator(self, node: Node) -> Value:
        """0s and 1s. Where what is largest (smallest) in its line is compared with its entries, the first equal counts."""
        sides = [self.value(kid) for kid in node.kids]
        found: Value | None = None
        for relation, a, b in zip(node.at, sides, sides[1:], strict=False):
            here = combined(lambda x, y, holds=INDICATED[relation]: fmpq(int(bool(holds(x, y)))), a, b)
            found = here if found is None else combined(lambda x, y: x * y, found, here)
        assert found is not None
        if node.at == ("=",) and sides[1].array.size < sides[0].array.size:
            marks = found.array.copy()
            lines = [marks.reshape(1, -1)] if sides[1].lone else [marks if sides[1].array.shape[1] == 1 else marks.T]
            for line in (line for rows in lines for line in rows):
                line[1:] = [x * fmpq(int(not any(line[:k]))) for k, x in enumerate(line[1:], start=1)]
            return Value(marks)
        return found

    def _over(self, node: Node, join: Callable[[Number, Number], Number]) -> Value:
        """Entries (or columns, or rows) joined over all values of running indices."""
        letters, body = node.at[-1], node.kids[0]
        sizes = [self._size(letter, body) for letter in letters]
        before, whole = dict(self.running), None
        for place in np.ndindex(*sizes):
            self.running.update(zip(letters, place, strict=True))
            part = self.value(body)
            whole = part if whole is None else combined(join, whole, part)
        self.running = before
        assert whole is not None
        return whole

    def _sum(self, node: Node) -> Value:
        letters, body = node.at[0], node.kids[0]
        sizes = {letter: self._size(letter, body) for letter in letters}
        total: Value | None = None
        before = dict(self.running)
        for place in np.ndindex(*(sizes[letter] for letter in letters)):
            self.running.update(zip(letters, place, strict=True))
            part = self.value(body)
            total = part if total is None else combined(lambda x, y: x + y, total, part)
        self.running = before
        assert total is not None
        return total

    def _size(self, letter: str, body: Node) -> int:
        axis = "ij".index(letter)
        sizes = set()
        for node in body.walk():
            if node.kind == "name" and isinstance(node.at[0], Running) and letter in node.at[0].letters:
                sizes.add(self.setting.value(node.at[0].name).array.shape[axis])
            elif node.kind == "slice" and letter in node.at[0]:
                sizes.add(Reader(self.setting, self.decimal).value(node.kids[0]).array.shape[node.at[0].index(letter)])
            elif node.kind == "index" and letter in node.at[0]:
                sizes.add(Reader(self.setting, self.decimal).value(node.kids[0]).array.shape[axis])
        if not sizes:
            Reader(self.setting, self.decimal).value(body)  # of a stack, whose axes have letters of their own, not read
        if len(sizes) != 1:
            raise Slip(f"{letter} runs over {sorted(sizes) or 'nothing'}")
        return int(sizes.pop())

    def _index(self, node: Node) -> Value:
        return self._picked(Reader(self.setting, self.decimal).value(node.kids[0]), node.at[0])

    def _slice(self, whole: Value, places: tuple[tuple[int, ...] | str | None, ...]) -> Value:
        array = whole.array
        places = tuple((self.running[some],) if isinstance(some, str) else some for some in places)
        if any(whole.free):
            raise Slip("a slice of what has no size")
        if len(places) == 1:
            places = (None, *places) if array.shape[0] == 1 else (*places, None) if array.shape[1] == 1 else ()
        if len(places) != 2:
            raise Slip("a slice with one index of a matrix")
        for axis, some in enumerate(places):
            if some is not None and (not some or max(some) >= array.shape[axis]):
                raise Slip(f"a slice that reaches beyond {array.shape}")
            array = array if some is None else np.take(array, list(map(int, some)), axis=axis)
        return Value(array)

    def _matrix(self, node: Node) -> Value:
        """Entries, or blocks; a unit matrix among them has the size that the others leave it."""
        rows, columns = node.at
        if any(kid.kind == "dots" for kid in node.kids):
            raise NotRead("elided matrix")
        grid: Any = np.empty((rows, columns), dtype=object)
        for place, kid in zip(np.ndindex(rows, columns), node.kids, strict=True):
            grid[place] = self.value(kid)
        sized = [
            [{block.array.shape[axis] for block in line if not (block.eye or block.free[axis])} for line in lines]
            for axis, lines in ((0, grid), (1, grid.T))
        ]
        if any(len(sizes) > 1 for lines in sized for sizes in lines):
            raise Slip("blocks that do not fit")
        body = []
        for place in np.ndindex(rows, columns):
            sizes = [next(iter(sized[axis][k]), None) for axis, k in enumerate(place)]
            if grid[place].eye:
                sizes = [sizes[0] or sizes[1]] * 2
            if None in sizes:
                raise Slip("a block whose size nothing says")
            body.append(grid[place].fitted(tuple(sizes)))
        return Value(np.block([body[k * columns : (k + 1) * columns] for k in range(rows)]))

    def _cases(self, node: Node) -> Value:
        for k, relation in enumerate(node.at):
            value, left, right = node.kids[3 * k : 3 * k + 3]
            a, b = (self.value(side).array[0, 0] for side in (left, right))
            holds = {r"\ge": a >= b, r"\le": a <= b, ">": a > b, "<": a < b, "=": a == b}[relation]
            if holds:
                return self.value(value)
        raise Slip("no case applies")


@dataclass(frozen=True)
class Running:
    """A name with running indices, as in a sum."""

    name: Any
    letters: str


# ── numbers as printed ──────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Digits:
    """How many digits are shown: what has fewer stands there whole, as it is."""

    decimals: int | None
    significant: int | None

    def whole(self, node: Node) -> bool:
        """Whether a printed decimal has fewer digits than are shown."""
        digits, _ = node.at
        count = len(digits.replace(".", "").lstrip("0"))
        if self.significant is not None:
            return count < self.significant
        assert self.decimals is not None
        if node.kind == "sci":
            return count < max(self.decimals, 2)
        return len(digits.partition(".")[2]) < self.decimals

    def half(self, node: Node) -> Number:
        """Half a unit of the last digit."""
        digits, exponent = node.at
        return fmpq(10) ** (exponent - len(digits.partition(".")[2])) / 2


def widened(centre: Number, radius: Number) -> Number:
    """The ball around a number."""
    return ball(centre) + arb(0, ball(radius))


def meets(a: Number, b: Number) -> bool:
    """Whether two may be the same number; a ball without bounds says nothing and so may be any."""
    if isinstance(a, fmpq) and isinstance(b, fmpq):
        return bool(a == b)
    a, b = ball(a), ball(b)
    return not (a.is_finite() and b.is_finite()) or bool(a.overlaps(b))


def telling(a: Number) -> bool:
    """Whether a number is known to far more digits than are printed."""
    return isinstance(a, fmpq) or (a.is_finite() and bool(a.rad() <= abs(a.mid()) * arb(2) ** -60 + arb(2) ** -90))


# ── chains ──────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Side:
    """One side of a relation, as printed and as parsed."""

    relation: str
    latex: str
    node: Node

    @cached_property
    def decimals(self) -> tuple[Node, ...]:
        """The printed decimals that may be rounded."""
        return tuple(node for node in self.node.walk() if node.kind in ("num", "sci"))

    @cached_property
    def symbolic(self) -> bool:
        """Whether names of the problem occur."""
        return any(node.kind in ("name", "partial") for node in self.node.walk())


@dataclass(frozen=True)
class Finding:
    """What is wrong with a chain, or why a part of it was not read."""

    kind: str  # "slip", "wrong", "not read", "timid"
    where: str
    latex: str
    why: str

    def __str__(self) -> str:
        return f"[{self.kind}] {self.where}: {self.latex}\n        {self.why}"


@dataclass
class Report:
    """What reading a document found."""

    findings: list[Finding] = field(default_factory=list)
    links: int = 0
    numbers: int = 0

    def of(self, *kinds: str) -> list[Finding]:
        """The findings of some kinds."""
        return [finding for finding in self.findings if finding.kind in kinds]


def split(text: tuple[str, ...]) -> list[tuple[str, tuple[str, ...]]]:
    """A row cut before each relation outside of all brackets; the first piece has no relation."""
    pieces: list[tuple[str, list[str]]] = [("", [])]
    depth = 0
    for token in text:
        if token in ("{", "(", "[") or token.startswith(r"\begin"):
            depth += 1
        elif token in ("}", ")", "]") or token.startswith(r"\end"):
            depth -= 1
        if depth == 0 and token in RELATIONS:
            pieces.append((token, []))
        else:
            pieces[-1][1].append(token)
    return [(relation, tuple(piece)) for relation, piece in pieces]


def written(text: Sequence[str]) -> str:
    """Tokens as text again, for messages."""
    return " ".join(text)

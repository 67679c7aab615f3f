"""The grammar of ``derive/report/notation/GRAMMAR.md``: tokens to a tree, and nothing else is accepted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import readback_windows as windows
from readback_tokens import NotRead, Slip, tokens
from readback_values import INDICATED, ONE, literal


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

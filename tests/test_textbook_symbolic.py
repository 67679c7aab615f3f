"""The formulas of the textbook, each against what the engine derives by itself.

``tests/textbook/symbolic.toml`` says which quantity of which solved problem a formula is about. The engine's side is
its own equation, its own matrix rule or SymPy's own derivative, written out in entries; the formula's side is the
claim, evaluated over the same entries. What holds has to be equal as a function, its twin with one slip in it has to
differ, and what is wrong in print has to differ as well.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy

from derive.calculus.explicit import Entry, elementwise
from derive.calculus.functions import Functions, H, Z
from derive.chapters.chapter import find_chapter
from derive.graph.expression import Adjoint
from derive.problem import find_problem
from derive.problem.problem import Problem
from derive.solution import Part, solve

pytestmark = pytest.mark.slow  # hundreds of documents or proofs: once for each change is enough

CLAIMS: list[dict[str, Any]] = tomllib.loads((Path(__file__).parent / "textbook" / "symbolic.toml").read_text("utf-8"))[
    "claim"
]
SMALL = {"N": 2, "m": 3, "m_L": 2, "m_l": 2, "n": 2}
Array = Any


def in_numbers(problem: Problem) -> Problem:
    """The same problem with small numbers for the letters of its sizes."""
    shapes = {name: tuple(SMALL.get(str(n), n) for n in shape) for name, shape in problem.shapes.items()}
    return replace(problem, shapes=shapes)


@cache
def solved(name: str) -> Part:
    """The solved problem that a claim is about."""
    if name == "case1":
        problem = find_problem("case1")
        gradients = (*problem.parameters, "o", "h", "z_o", "z_h")
        return solve(replace(problem, ask=replace(problem.ask, gradients=gradients))).part()
    if name.startswith("case2"):
        return solve(find_problem("case2")).part(name[-1])
    if name == "forward":
        return solve(find_chapter("forward").problems({"N": 2, "m": 2, "m_1": 3, "m_2": 2, "n": 2}, "")["case"]).part()
    if name == "mse":
        return solve(find_chapter("mse").problems({"N": 2, "n": 2}, "1/2N")["small"]).part()
    if name == "labelled":
        return solve(find_chapter("cross-entropy").problems({"N": 1, "n": 3}, "1/N")["labelled"]).part()
    problems = find_chapter("backprop").problems({"N": 2, "m": 3, "n": 2}, "")
    return solve(in_numbers(problems[name.removeprefix("through ")])).part()


class World:
    """The entries of a solved problem under their names, and what the engine has to say of any of its quantities."""

    def __init__(self, part: Part, known: tuple[str, ...] = ()) -> None:
        self.known = known  # data whose numbers are meant, not their entries' names
        assert part.explicit is not None
        self.part, self.explicit = part, part.explicit
        self.adjoints = part.shape_adjoints
        self.names: dict[str, Any] = {}
        network = part.network
        for name in (*network.data, *(str(equation.name) for equation in network.equations)):
            symbols = self.explicit.symbols(name)
            self.names[name] = symbols if symbols.shape else symbols[()]
            self._entries(name, symbols)
        for upstream in part.problem.ask.upstream:
            self.names["G"] = self._adjoint(upstream.at)
            self._entries("g", self.names["G"], both=True)
        if any(adjoint.by == "h_L" for adjoint in self.adjoints):
            self.names["H"] = self._adjoint("h_L")
        self.names |= {name: self._function(name) for name in part.problem.functions}
        self.names |= {"sigma": self._function("sigmoid"), "f": lambda a: each(sympy.Function("f"), a), "D": self.D}
        self.names |= {"N": 2, "n": 2, "m": 2, "ones": lambda n: np.full((n, 1), sympy.S.One)}
        self.names |= {"exp": lambda a: each(sympy.exp, a), "log": lambda a: each(sympy.log, a), "sum": np.sum}
        self.names |= {"matrix": lambda rows: np.array(rows, dtype=object), "largest": self._largest}
        self.names["b_each_sample"] = np.array([[sympy.Symbol(f"b_{i}{j}") for j in range(3)] for i in range(2)])
        if "out" in self.names:
            self.names["o_k"] = np.ravel(self.names["out"])[0]

    def _entries(self, name: str, symbols: Array, both: bool = False) -> None:
        texts = self.part.problem.names.get(name)
        for flat, index in enumerate(np.ndindex(*symbols.shape)):
            text = [t for row in texts for t in row][flat] if texts else ""
            plain = text.replace("{", "").replace("}", "")
            if both:
                plain = f"{name}_{index[0] + 1}{index[1] + 1}"
            self.names[plain or f"{name}_{flat + 1}"] = symbols[index]
        if not symbols.shape and name[-1].isdigit():
            self.names[f"{name[:-1]}_{name[-1]}"] = symbols[()]

    def _adjoint(self, by: str) -> Array:
        top = self.part.asked.top
        return self.explicit.symbols(Adjoint(str(top), by))

    def _function(self, name: str) -> Callable[[Array], Array]:
        own = name in self.part.problem.functions
        made = elementwise(self.part.functions, "own" if own else name, (name,) if own else ())
        return lambda a: each(made, a)

    def _largest(self, a: Array, zero: int) -> Array:
        return each(elementwise(self.part.functions, "relu", ()), a)

    def D(self, of: Any, by: Any) -> Any:
        """The Jacobian of one name by another, or the derivative of one entry by another."""
        rows, columns = (np.ravel(np.asarray(side, dtype=object)) for side in (of, by))
        slopes = np.array([[self._one(a, b) for b in columns] for a in rows], dtype=object)
        return slopes if np.ndim(by) or np.ndim(of) else slopes[0, 0]

    def _one(self, of: sympy.Symbol, by: sympy.Symbol) -> sympy.Expr:
        above, below = self.explicit.entry_of[of], self.explicit.entry_of[by]
        whole = Adjoint(str(self.part.asked.top), str(below.name))
        if str(above.name) == self.part.asked.top and whole in self.adjoints:
            return self.explicit.symbols(whole)[below.index]
        assert self.part.paths is not None
        found = [f.value for f in self.part.paths.local(Entry(below.name, below.index)) if f.of == above]
        return sympy.Add(*found)

    def quantity(self, text: str) -> Array:
        """What the engine says: an equation, a product in it, a derivative, its transpose, a local derivative."""
        if text.startswith("D("):
            return self.evaluate(text)
        if text == "Z_L W":
            equation = self.part.network.equation("out").value
            return self.explicit.entries(next(node for node in equation.nodes() if node.op == "matmul"))
        if text.startswith("("):
            return self.quantity(text[1:].removesuffix(")^T")).T
        if "/" in text:
            of, by = (side[1:] for side in text.split("/"))
            return self.explicit.entries(self.adjoints[Adjoint(of, by)])
        return self.explicit.equation(text)

    def evaluate(self, claim: str) -> Array:
        """A claim over the entries of the problem."""
        return eval(claim, {"__builtins__": {}}, self.names)

    def down(self, value: sympy.Expr) -> sympy.Expr:
        """In terms of data and of what is known: adjoints and names put in, functions by their formulas."""
        tops = {upstream.at for upstream in self.part.problem.ask.upstream}
        while True:
            entries = {s: self.explicit.entry_of[s] for s in value.free_symbols if s in self.explicit.entry_of}
            used = {s: e for s, e in entries.items() if isinstance(e.name, Adjoint) and e.name.by not in tops}
            if not used:
                break
            for symbol, entry in used.items():
                assert isinstance(entry.name, Adjoint)
                value = value.xreplace({symbol: self.explicit.entries(self.adjoints[entry.name])[entry.index]})
        value = self.explicit.with_definitions(self.explicit.written_out(value))
        for name in self.known:
            tensor = self.part.network.data[name].tensor
            assert tensor is not None
            numbers = [sympy.Rational(int(q.p), int(q.q)) for q in tensor.entries]
            value = value.xreplace(dict(zip(self.explicit.symbols(name).ravel(), numbers, strict=True)))
        return value


def each(f: Callable[[Any], Any], a: Any) -> Any:
    """``f`` of every entry."""
    if not isinstance(a, np.ndarray):
        return f(a)
    found = np.empty(a.shape, dtype=object)
    for index in np.ndindex(a.shape):
        found[index] = f(a[index])
    return found


def is_zero(value: sympy.Expr) -> bool:
    """Whether an expression vanishes as a function: not at three seeded points, or SymPy proves it."""
    value = sympy.sympify(value)
    if any(abs(at) > 1e-15 for at in at_points(value)):
        return False
    return bool(sympy.simplify(value) == 0)


def at_points(value: sympy.Expr) -> list[float]:
    """An expression in numbers, at three seeded points, where it is one."""
    found = []
    for seed in (1, 2, 3):
        chance = np.random.default_rng(seed)
        symbols = sorted(value.free_symbols, key=lambda s: s.name)
        at = value.subs({s: sympy.Rational(int(chance.integers(-20, 20)), 7) for s in symbols})
        if at.is_comparable:
            found.append(at.evalf(30))
    return found


@cache
def world(problem: str) -> World:
    """The entries of the problem that a claim is about."""
    known = ("Y",) if problem == "labelled" else ("W1", "b1", "W2") if problem.startswith("case2") else ()
    return World(solved(problem), known)


def function_agrees(name: str, of: str, claim: str) -> bool:
    """A claim about an activation function or its slope; ``h`` is the input and ``Z`` the output."""
    functions = Functions(Problem("none", {}, ()))
    definition, slope = functions.definition(name), functions.derivative(name)
    assert definition is not None
    assert slope is not None
    if of.startswith("slope at"):
        return bool(slope.subs(Z, sympy.Integer(of.split()[-1])) == sympy.sympify(claim))
    names = {"h": Z, "Z": H, "exp": sympy.exp, "cases": lambda *rows: sympy.Piecewise(*rows)}
    said = eval(claim, {"__builtins__": {}}, names).subs(H, definition)
    right = {"f": definition, "slope": slope}[of]
    if isinstance(right, sympy.Piecewise):
        return all(right.subs(Z, at) == said.subs(Z, at) for at in (-2, -1, 0, 1, 2))
    return is_zero(said - right)


def agrees(claim: dict[str, Any], text: str) -> bool:
    """Whether a formula gives the engine's entries, as functions of data, parameters and what is known."""
    if claim["problem"] in ("sigmoid", "tanh", "relu"):
        return function_agrees(claim["problem"], claim["of"], text)
    differences = compared(claim, text)
    return differences is not None and all(map(is_zero, differences))


def compared(claim: dict[str, Any], text: str) -> list[sympy.Expr] | None:
    """The engine's entries less those of a formula; ``None`` where the sizes differ, or do not fit each other."""
    here = world(claim["problem"])
    ours = here.quantity(claim["of"])
    if "index" in claim:
        ours = ours[tuple(k - 1 for k in claim["index"])] if np.ndim(ours) else ours[()]
    try:
        said = here.evaluate(text)
    except ValueError:  # sizes that do not fit
        return None
    ours, said = (np.asarray(side, dtype=object) for side in (ours, said))
    if ours.size != said.size or (ours.ndim == said.ndim == 2 and ours.shape != said.shape):
        return None
    pairs = zip(ours.ravel(), said.ravel(), strict=True)
    return [here.down(sympy.sympify(a)) - here.down(sympy.sympify(b)) for a, b in pairs]


HOLDS = [claim for claim in CLAIMS if claim["verdict"] == "holds"]
WRONG = [claim for claim in CLAIMS if claim["verdict"] != "holds"]


def test_no_claim_is_left_out() -> None:
    """92 formulas hold, six are wrong (a size with them makes seven), and each is there once."""
    assert len(HOLDS) == 92
    assert [claim["verdict"] for claim in WRONG].count("wrong") == 7
    assert len({claim["id"] for claim in CLAIMS}) == len(CLAIMS)


@pytest.mark.parametrize("claim", HOLDS, ids=lambda claim: claim["id"])
def test_what_holds_is_what_the_engine_derives(claim: dict[str, Any]) -> None:
    """The formula equals the engine's own result, and the same formula with a slip in it does not."""
    assert agrees(claim, claim["claim"])
    assert not agrees(claim, claim["twin"])


@pytest.mark.parametrize("claim", WRONG, ids=lambda claim: claim["id"])
def test_what_is_wrong_in_print_is_contradicted(claim: dict[str, Any]) -> None:
    """A formula that is wrong, or wrong as its signs are written, is contradicted by its size or by an entry in numbers.

    The formula that is right in its place is what the engine derives.
    """
    differences = compared(claim, claim["claim"])
    if claim["by"] == "size":
        assert differences is None, claim["why"]
    else:
        assert differences is not None
        assert any(abs(at) > 1e-6 for difference in differences for at in at_points(difference)), claim["why"]
    assert agrees(claim, claim["right"])

"""Problems of one structure: what holds for all numbers is worked out once, everything about numbers for each of them.

Two problems have one structure where nothing but the entries of their data and parameters differs, and where their
networks are the same but for these entries: the same equations (constants and class numbers among them), and the same
answers about labels that add up to 1. Then derivation, paths and SymPy's proofs, none of which has a number in it, are
those of the first; values, updates, kinks, every witness that sees numbers, quiz and further questions are made anew.
"""

from __future__ import annotations

from dataclasses import replace

from derive.calculus.functions import Functions
from derive.graph import build
from derive.graph.network import Network
from derive.problem.problem import Problem, Shape
from derive.records import dataclass
from derive.solution.differentiate import Formulas, affordable, formulas, with_numbers
from derive.solution.part import Part, Solution
from derive.solution.shown import Shown
from derive.solution.verify import verified

MOST_STRUCTURES = 64

Shapes = tuple[tuple[str, Shape], ...]


@dataclass(frozen=True)
class Structure:
    """A problem without its numbers, and what was shown of it.

    ``problem`` has no data and no parameters, whose names and shapes are ``shapes``; ``first`` is the part that was
    solved from scratch.
    """

    problem: Problem
    shapes: tuple[Shapes, Shapes]
    formulas: Formulas
    shown: Shown
    first: Part

    def fits(self, problem: Problem) -> bool:
        """Whether a problem differs in its numbers alone, as far as the problem itself tells."""
        return self.shapes == _shapes(problem) and self.problem == _without_numbers(problem)

    def holds(self, network: Network) -> bool:
        """Whether the formulas are those of a network: it differs from the first in numbers that none rests on."""
        own = self.formulas.network
        return (
            network.numeric == own.numeric
            and network.equations == own.equations
            and network.assumed == own.assumed
            and _data(network) == _data(own)
            and all(network.sums_to_one(*asked) == answer for asked, answer in own.answers.items())
        )

    def solve(self, problem: Problem, network: Network) -> Part:
        """The part of another problem of this structure, with every check of its numbers."""
        affordable(problem, network)
        part = with_numbers(problem, self.formulas.over(network))
        return verified(Part(**{**part.__dict__, "_written": self.first._written}), self.shown)


class Again:
    """Solves one problem after another; keeps what ``most`` structures have in common, those used last.

    For one thread at a time.
    """

    def __init__(self, most: int = MOST_STRUCTURES) -> None:
        self.most = most
        self.known: list[Structure] = []  # used last, last

    def solve(self, problem: Problem) -> Solution:
        """As ``derive.solution.solve``: the same solution, and the same errors."""
        return Solution(problem, tuple(self._part(one) for one in problem.each()))

    def _part(self, problem: Problem) -> Part:
        network = build(problem)
        for k, structure in enumerate(self.known):
            if structure.fits(problem) and structure.holds(network):
                self.known.append(self.known.pop(k))
                return structure.solve(problem, network)
        found = formulas(problem, network, Functions(problem))
        part = with_numbers(problem, found)
        shown = Shown(part)
        part = verified(part, shown)
        if found.paths is not None:
            _ = found.paths.samples  # asks about labels here, and not first of a network to which nobody compares
        if part.numeric:  # without numbers there is nothing in which another problem could differ
            self.known = [*self.known, Structure(_without_numbers(problem), _shapes(problem), found, shown, part)]
            self.known = self.known[-self.most :]
        return part


def _without_numbers(problem: Problem) -> Problem:
    return replace(problem, given={}, parameters={}, parts=())


def _shapes(problem: Problem) -> tuple[Shapes, Shapes]:
    given, parameters = (
        tuple((name, one.shape) for name, one in found.items()) for found in (problem.given, problem.parameters)
    )
    return given, parameters


def _data(network: Network) -> list[tuple[object, ...]]:
    """Names, shapes and roles of the data, in order; of class numbers the shape in which they were given as well."""
    return [
        (name, datum.shape, datum.role, network.labels[name].shape if name in network.labels else None)
        for name, datum in network.data.items()
    ]

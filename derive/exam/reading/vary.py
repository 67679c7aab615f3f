"""``vary``: what may change from one variant to the next, and in which numbers or functions it may.

    vary = { W1 = { from = [-2, 2], step = 0.5, except = [0] }, x = "integers -3..3 except 0", b = [0, "1/2", 1] }
    vary = { hidden = ["relu", "tanh"] }

Every entry of a value is chosen on its own. The name of a family means each of its members.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from math import prod

from flint import fmpq

from derive.errors import ProblemError
from derive.exam.exam import Activations, Domain, Numbers
from derive.exam.variant import with_functions
from derive.graph import build
from derive.numbers.tensor import Tensor
from derive.problem import wording
from derive.problem.exact import exact
from derive.problem.functions import FUNCTIONS
from derive.problem.language import walk
from derive.problem.names import members
from derive.problem.places import Places
from derive.problem.problem import Problem
from derive.problem.rates import number
from derive.problem.syntax import Call
from derive.problem.toml import KeyPath

MOST_CHOICES = 10_000  # for one entry
USAGE = '{ from = [-2, 2], step = 0.5 }, "integers -3..3", or a list such as [0, "1/2", 1]'
ELEMENTWISE = tuple(name for name, row in FUNCTIONS.items() if row.elementwise and row.operands == 1)

_INTEGERS = re.compile(r"integers\s+([+-]?\d{1,9})\s*\.\.\s*([+-]?\d{1,9})(?:\s+except\s+(.{1,400}))?", re.ASCII)


def read_vary(value: object, problem: Problem, places: Places, *path: str | int) -> dict[str, Domain]:
    """What varies in a problem. Raises ``ProblemError`` with file and line, for a choice that cannot be built too."""
    found: dict[str, Domain] = {}
    for key, wish in places.table(value, *path).items():
        here = (*path, key)
        data = {**problem.given, **problem.parameters}
        names = _every(key, data)
        if names:
            numbers = _numbers(wish, places, here)
            found |= dict.fromkeys(names, numbers)
        elif key in problem.shapes:
            raise places.error(f"{key} has a size and no numbers: there is nothing to vary", *here)
        elif names := _every(key, _called(problem)):
            found |= dict.fromkeys(names, _activations(wish, places, here))
        else:
            what = " (its equation does not end in an activation)" if key in _equations(problem) else ""
            known = (*data, *sorted(_called(problem)))
            raise places.error(
                f"vary has {wording.shown(key)[1:-1]}{what}, expected are data, parameters and activations: "
                "a function that the equations call, or the name of an equation that ends in one",
                *here, hint=wording.hint(key, known) or f"there are {wording.listing(known, 'and')}",
            )  # fmt: skip
    _build_each(problem, found, places, path)
    return found


def first_choice(problem: Problem, vary: Mapping[str, Domain]) -> Problem:
    """The problem with the first of the functions that each activation may be: all of them have the same sizes."""
    return with_choice(problem, _first(vary))


def _first(vary: Mapping[str, Domain]) -> dict[str, str]:
    return {key: domain.names[0] for key, domain in vary.items() if isinstance(domain, Activations)}


def _every(key: str, names: Collection[str]) -> tuple[str, ...]:
    """What a key means among names: one of them, or every member of a family."""
    if key in names:
        return (key,)
    found = members(names).get(key, {})
    return tuple(found[index] for index in sorted(found))


def _equations(problem: Problem) -> set[str]:
    return {statement.name for statement in problem.statements}


def _called(problem: Problem) -> set[str]:
    """What can stand for an activation: functions of one argument that are called, and equations that end in one."""
    found: set[str] = set()
    for statement in problem.statements:
        calls = [node for node in walk(statement.expression) if isinstance(node, Call)]
        found |= {call.function for call in calls if _is_activation(call.function, problem)}
        if calls and calls[0] is statement.expression and _is_activation(calls[0].function, problem):
            found.add(statement.name)
    return found


def _is_activation(function: str, problem: Problem) -> bool:
    return function in ELEMENTWISE or function in problem.functions


def _activations(value: object, places: Places, path: KeyPath) -> Activations:
    usage = f'{path[-1]} = ["relu", "tanh"]'
    if not isinstance(value, list) or not value:
        what = "an empty list" if isinstance(value, list) else wording.kind(value)
        raise places.error(f"{path[-1]} is {what}, expected is a list of activations", *path, hint=usage)
    names: list[str] = []
    for at, name in enumerate(value):
        if not isinstance(name, str) or isinstance(name, wording.Written):
            raise places.error(
                f"{path[-1]} has {wording.kind(name)}, expected are names of activations", *path, at, hint=usage
            )
        if name not in ELEMENTWISE:
            raise places.unknown(
                f"{path[-1]} has no elementwise function of one argument:", name, ELEMENTWISE, *path, at
            )
        if name in names:
            raise places.error(f"{path[-1]} has {name} twice", *path, at)
        names.append(name)
    return Activations(tuple(names))


def _numbers(value: object, places: Places, path: KeyPath) -> Numbers:
    """The numbers that each entry may be, ascending."""
    match value:
        case Mapping():
            found = _steps(places.table(value, *path), places, path)
        case str() if not isinstance(value, wording.Written):
            found = _integers(value, places, path)
        case list():
            found = _listed(value, places, path)
        case _:
            raise places.error(f"{path[-1]} is {wording.kind(value)}, expected is how it varies", *path, hint=USAGE)
    if not found:
        raise places.error(f"{path[-1]} has no number left to be", *path)
    return Numbers(tuple(sorted(found)))


def _listed(value: list[object], places: Places, path: KeyPath) -> list[fmpq]:
    """The numbers of a list, each there once."""
    if not value:
        raise places.error(f"{path[-1]} is an empty list", *path, hint=USAGE)
    if len(value) > MOST_CHOICES:
        raise _too_many(len(value), places, path)
    found: list[fmpq] = []
    seen: set[fmpq] = set()
    for at, entry in enumerate(value):
        if isinstance(entry, list | Mapping):
            raise places.error(f"{path[-1]} has {wording.kind(entry)}, expected are numbers", *path, at, hint=USAGE)
        try:
            one = exact(entry)
        except ProblemError as error:
            raise places.error(f"{path[-1]}: {error.message}", *path, at, hint=error.hint) from None
        if one in seen:
            raise places.error(f"{path[-1]} has {one} twice", *path, at)
        seen.add(one)
        found.append(one)
    return found


def _steps(table: dict[str, object], places: Places, path: KeyPath) -> list[fmpq]:
    """The numbers of ``{ from = [low, high], step = …, except = […] }``."""
    places.keys(table, ("from", "step", "except"), *path)
    ends = table.get("from")
    if not isinstance(ends, list) or len(ends) != 2:
        what = f"a list of {len(ends)}" if isinstance(ends, list) else wording.kind(ends)
        raise places.error(
            f"from of {path[-1]} is {what}, expected are two numbers", *path, "from", hint="from = [-2, 2]"
        )
    low, high = (number(end, places, (*path, "from")) for end in ends)
    step = number(table.get("step", 1), places, (*path, "step"))
    if low > high:
        raise places.error(
            f"from of {path[-1]} goes down, from {low} to {high}", *path, "from", hint="the smaller first"
        )
    if step <= 0:
        raise places.error(f"step of {path[-1]} is {step}, expected is a number above 0", *path, "step")
    count = (high - low) / step
    if count >= MOST_CHOICES:
        raise _too_many(int(count) + 1, places, (*path, "from"))
    if count.q != 1:
        last = low + step * int(count)
        raise places.error(
            f"steps of {step} from {low} do not meet {high}", *path, "step" if "step" in table else "from",
            hint=f"the last one before is {last}",
        )  # fmt: skip
    every = [low + step * k for k in range(int(count) + 1)]
    return _without(every, table.get("except", []), places, (*path, "except"))


def _integers(text: str, places: Places, path: KeyPath) -> list[fmpq]:
    """The numbers of ``integers -3..3 except 0``."""
    match = _INTEGERS.fullmatch(text.strip())
    if match is None:
        raise places.error(f"{path[-1]} is {wording.kind(text)}, expected is how it varies", *path, hint=USAGE)
    low, high = int(match[1]), int(match[2])
    if low > high:
        raise places.error(f"{path[-1]} goes down, from {low} to {high}", *path, hint="the smaller first")
    if high - low >= MOST_CHOICES:
        raise _too_many(high - low + 1, places, path)
    left_out = [word.strip() for word in match[3].split(",")] if match[3] else []
    return _without([fmpq(k) for k in range(low, high + 1)], left_out, places, path)


def _without(every: list[fmpq], left_out: object, places: Places, path: KeyPath) -> list[fmpq]:
    """The numbers but for those that are left out, each of which is to be one of them."""
    entries = left_out if isinstance(left_out, list) else [left_out]
    there = set(every)
    for entry in entries:
        if isinstance(entry, list | Mapping):
            raise places.error(f"except has {wording.kind(entry)}, expected are numbers", *path, hint="except = [0]")
        one = number(entry, places, path)
        if one not in there:
            raise places.error(
                f"except has {one}, which is not among the numbers from {every[0]} to {every[-1]}", *path
            )
        there.discard(one)
    return [one for one in every if one in there]


def _too_many(count: int, places: Places, path: KeyPath) -> ProblemError:
    return places.error(
        f"{count:,} numbers for one entry, at most {MOST_CHOICES:,} are allowed", *path, hint="a larger step"
    )


def _build_each(problem: Problem, vary: Mapping[str, Domain], places: Places, path: KeyPath) -> None:
    """Every activation has to fit, and every number that stands for a class or a row has to be one."""
    for key, each in _choices(problem, vary):
        try:
            build(each)
        except ProblemError as error:
            raise places.error(f"vary of {key}: {error.message}", *path, key, hint=error.hint) from None


def _choices(problem: Problem, vary: Mapping[str, Domain]) -> Iterator[tuple[str, Problem]]:
    """Problems that between them have every function, and of class numbers every number."""
    first = _first(vary)
    for key, domain in vary.items():
        if isinstance(domain, Activations):
            yield from ((key, with_choice(problem, {**first, key: name})) for name in domain.names)
    start = with_choice(problem, first)
    classes = build(start).class_numbers if any(isinstance(domain, Numbers) for domain in vary.values()) else ()
    for key in (key for key in vary if key in classes):
        shape, domain = (start.given.get(key) or start.parameters[key]).shape, vary[key]
        for one in domain.values if isinstance(domain, Numbers) else ():
            yield key, with_value(start, key, Tensor(shape, (one,) * prod(shape)))


def with_value(problem: Problem, name: str, value: Tensor) -> Problem:
    """The problem with another value of a name that it has."""
    if name in problem.given:
        return replace(problem, given={**problem.given, name: value})
    return replace(problem, parameters={**problem.parameters, name: value})


def with_choice(problem: Problem, functions: Mapping[str, str]) -> Problem:
    """The problem with functions in place of those that vary."""
    if not functions:
        return problem
    statements = tuple(with_functions(statement, functions) for statement in problem.statements)
    kept = {name: formula for name, formula in problem.functions.items() if name not in functions}
    return replace(problem, statements=statements, functions=kept)

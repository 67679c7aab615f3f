"""What a question gives points for, quantity by quantity, and a problem that asks for all of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from flint import fmpq

from derive.errors import ProblemError
from derive.graph import build
from derive.graph.network import Network
from derive.problem import wording
from derive.problem.ask import split_ratio
from derive.problem.places import Places
from derive.problem.problem import Problem, Update
from derive.problem.rates import number
from derive.problem.toml import KeyPath
from derive.records import dataclass
from derive.review.answers import asking
from derive.review.claims import Claim, claim
from derive.solution.asked import Asked, asked

TICKED = ("choice", "judge")  # forms that are about derivatives where no steps say what else
MOST_POINTS = 10_000


@dataclass(frozen=True)
class Work:
    """The points of a question and of its steps, and the problem that asks for every one of them."""

    problem: Problem
    points: fmpq
    steps: Mapping[str, fmpq]


def read_work(table: Mapping[str, object], form: str, problem: Problem, places: Places, path: KeyPath) -> Work:
    """The ``points`` and ``steps`` of a question. Raises ``ProblemError`` with file and line."""
    points = read_points(table["points"], places, (*path, "points")) if "points" in table else None
    if form == "find_error" and "steps" in table:
        raise places.error(
            "a question of the form find_error has no steps: its one slip is what is asked", *path, "steps"
        )
    steps = _read_steps(table["steps"], places, (*path, "steps")) if "steps" in table else None
    if points is None and steps is None:
        raise places.error("a question without points", *path, hint="points = 4, or points for each of its steps")
    claims = [_step(quantity, places, (*path, "steps", quantity)) for quantity in steps or ()]
    narrow = problem
    if steps is not None:
        narrow = _narrowed(problem, claims, places.table(table.get("ask", {}), *path, "ask"))
    wanted = asking(narrow, claims)
    network = build(wanted)
    wish = asked(wanted, network)
    gradients = (*wish.gradients, *(ratio.text for ratio in wish.ratios), *wish.seconds)
    wanted = replace(wanted, ask=replace(wanted.ask, gradients=gradients))
    for one in claims:
        _worked_out(one, problem, network)
    if form == "find_error":
        assert points is not None
        if not wish.gradients:
            raise places.error("find_error needs derivatives, and the problem asks for none", *path, "form", hint=_ASK)
        return Work(wanted, points, {})
    names = tuple(steps) if steps is not None else _asked(wanted, network, wish, form in TICKED)
    if not names:
        raise places.error("nothing is asked", *path, "form", hint=_ASK)
    if form == "judge":
        _have_formulas(names, wish, network, places, (*path, "steps" if steps is not None else "form"))
    if steps is None:
        assert points is not None
        return Work(wanted, points, dict.fromkeys(names, points / len(names)))
    total = sum(steps.values(), fmpq(0))
    if points is not None and points != total:
        raise places.error(f"points is {points}, and the steps add up to {total}", *path, "points")
    return Work(wanted, total, steps)


_ASK = 'ask = { gradients = ["W1"] }, or steps = { "dE/dW1" = 2 }'


def read_points(value: object, places: Places, path: KeyPath) -> fmpq:
    """Points: an exact number above 0. Raises ``ProblemError`` with its place."""
    found = number(value, places, path)
    if not 0 < found <= MOST_POINTS:
        raise places.error(f"{path[-1]} is {found}, expected are points above 0, at most {MOST_POINTS:,}", *path)
    return found


def checked_quantity(text: str, problem: Problem, places: Places, path: KeyPath) -> None:
    """Raises ``ProblemError`` unless ``text`` is a name or a derivative that the problem has."""
    one = _step(text, places, path)
    if one.quantity.update is not None:
        raise one.error(f"{one.quantity.text} is after an update, expected is a name or a derivative")
    asked(wanted := asking(problem, [one]), build(wanted))


def _read_steps(value: object, places: Places, path: KeyPath) -> dict[str, fmpq]:
    table = places.table(value, *path)
    if not table:
        raise places.error("steps is an empty table", *path, hint='steps = { z = 2, "dE/dW2" = 4 }')
    return {quantity: read_points(points, places, (*path, quantity)) for quantity, points in table.items()}


def _step(text: str, places: Places, path: KeyPath) -> Claim:
    """A quantity as a claim on it, which the room of reviews knows how to ask for."""
    try:
        found = claim(text, "0")
    except ProblemError as error:
        raise places.error(error.message, *path, hint=error.hint) from None
    found = replace(found, file=places.file, line=places.line(*path))
    if found.quantity.negated:
        raise found.error(f"{found.quantity.text} has a sign, expected is a name or a derivative without one")
    if found.quantity.text != text:
        raise found.error(f"{wording.shown(text)} has blanks, expected is {wording.shown(found.quantity.text)}")
    ratio = split_ratio(found.quantity.name)
    if ratio is not None and ratio[0] == ratio[1]:
        raise found.error(f"{text} is the derivative of {ratio[0]} by itself")
    return found


def _narrowed(problem: Problem, claims: Iterable[Claim], said: Mapping[str, object]) -> Problem:
    """The problem without the derivatives and updates that no step is about, unless the question itself asks."""
    ask = problem.ask
    if "gradients" not in said:
        ask = replace(ask, gradients=())
    if not {"update", "train"} & set(said) and all(one.quantity.update is None for one in claims):
        ask = replace(ask, update=None, train=None)
    return replace(problem, ask=ask)


def _worked_out(one: Claim, problem: Problem, network: Network) -> None:
    """Points are for what is worked out: data are not, and of parameters only their new values are."""
    name, update = one.quantity.name, one.quantity.update
    if update == 0:
        raise one.error(f"{one.quantity.text} is at the start", f"{name} is its value there")
    moving = problem.ask.update.moving if problem.ask.update is not None else {}
    if name in network.data and (update is None or name not in moving):
        what = "does not move" if update is not None else "is given"
        tip = f"{name}@1 is its value after one update" if name in moving else None
        raise one.error(f"{name} {what}, and points are for what is worked out", tip)


def _asked(problem: Problem, network: Network, wish: Asked, derivative_alone: bool) -> tuple[str, ...]:
    """What a problem asks for, in the order of working; with ``derivative_alone`` the derivatives alone."""
    derivatives = [f"d{wish.top}/d{name}" for name in _backwards(network, wish.gradients)]
    derivatives += [*(ratio.text for ratio in wish.ratios), *wish.seconds]
    if derivative_alone:
        return tuple(derivatives)
    update = problem.ask.update
    if not derivatives and update is None:
        return tuple(str(equation.name) for equation in network.equations if not equation.auto)
    loss = [wish.loss] if wish.loss is not None and wish.gradients and wish.loss == wish.top else []
    return (*loss, *derivatives, *_updated(update))


def _updated(update: Update | None) -> Iterable[str]:
    return (f"{name}@{update.steps}" for name in update.moving) if update is not None else ()


def _backwards(network: Network, names: Sequence[str]) -> list[str]:
    """Names in the order in which a pass backwards comes to their derivatives: the last ones used come first."""
    order = {str(equation.name): place for place, equation in enumerate(network.equations)}
    users = network.users()
    return sorted(names, key=lambda name: -min((order[user] for user in users[name]), default=len(order)))


def _have_formulas(names: Sequence[str], wish: Asked, network: Network, places: Places, path: KeyPath) -> None:
    """What is judged is an equation: that of a name, or of a derivative of the loss."""
    known = [str(equation.name) for equation in network.equations if not equation.auto]
    known += [f"d{wish.top}/d{name}" for name in wish.gradients]
    for name in names:
        if name not in known:
            what = f"the form judge asks for equations, and {wording.shown(name)[1:-1]} has none of its own"
            tip = wording.hint(name, known) or f"there are those of {wording.listing(known, 'and')}"
            raise places.error(what, *path, hint=tip)

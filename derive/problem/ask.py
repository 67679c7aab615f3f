"""``[ask]``: the loss, the gradients, the update and the known upstream gradient.

A quantity is asked for by a plain name (``"W1"``: the loss by W1) or as a ratio of two names (``"do/dz_o"``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from derive.errors import ProblemError
from derive.numbers.tensor import Tensor
from derive.problem import wording
from derive.problem.language import check_name
from derive.problem.names import QUANTITY, members
from derive.problem.places import Places
from derive.problem.problem import Ask, Shape, Update, Upstream
from derive.problem.questions import QUESTION_KEYS, SECOND, read_questions, second_of
from derive.problem.quiz import QUIZ_KEYS, read_quiz
from derive.problem.toml import KeyPath
from derive.problem.train import read_train
from derive.problem.values import read_value
from derive.records import dataclass

SWITCHES = ("shapes", "graph", "costs", "code", "recursion")
KEYS = ("loss", "gradients", "update", "upstream", "train", "paths", *SWITCHES, *QUIZ_KEYS, *QUESTION_KEYS)

RATIO = re.compile(rf"d({QUANTITY})/d({QUANTITY})", re.ASCII)


@dataclass(frozen=True)
class Known:
    """The names of a problem. ``complete`` is false above parts: what is missing there may come with each part."""

    equations: tuple[str, ...]
    data: Mapping[str, Shape]
    parameters: Mapping[str, Tensor]
    complete: bool = True
    labels: frozenset[str] = frozenset()  # data that may be class numbers, one to a sample

    @property
    def names(self) -> tuple[str, ...]:
        """All of them, equations first."""
        return (*self.equations, *self.data)

    def every(self, name: str) -> tuple[str, ...]:
        """The members of a family, by number; a plain name, or one that is not known, stands for itself."""
        found = members(self.names).get(name, {})
        return tuple(found[index] for index in sorted(found)) or (name,)


def read_ask(table: Mapping[str, object], known: Known, places: Places, folder: Path | None) -> Ask:
    """What is wanted. Names are looked up; raises ``ProblemError``, and ``Unsupported`` for what is not built yet."""
    places.keys(table, KEYS, "ask")
    wishes: dict[str, Any] = {key: _switch(table, key, places) for key in SWITCHES if key in table}
    upstream = _upstreams(table["upstream"], known, places, folder) if "upstream" in table else ()
    loss = _loss(table["loss"], known, places) if "loss" in table else None
    if loss is not None and upstream:
        raise places.error(
            "loss and upstream exclude each other: differentiation starts from one of them", "ask", "loss"
        )
    tops = tuple(top.of for top in upstream)
    gradients = _gradients(table["gradients"], known, tops, places) if "gradients" in table else None
    update = None
    if table.get("update", False) is not False:
        update = _update(table["update"], known, tops, places, folder)
        if update is not None and any(top.value is None for top in upstream):
            raise places.error(
                "an update beside an upstream needs the numbers of the upstream: value = [[…]]", "ask", "update"
            )
    train = None
    if table.get("train", False) is not False:
        if upstream:
            raise places.error("train needs a loss of its own; a known upstream holds for one update", "ask", "train")
        if known.parameters or known.complete:
            if update is not None and (update.batches is not None or update.slopes):
                raise places.unsupported(
                    "training from mini-batches or given gradients is not built yet; built is that on all samples",
                    "ask", "train",
                )  # fmt: skip
            top = loss or known.equations[-1]
            train = read_train(table["train"], known.parameters, top, update, places)
            update = update or Update(train.rates, train.symbol)
    if "paths" in table:
        from derive.problem.traced import read_traced  # only who chooses what is drawn pays for it

        wishes["paths"] = read_traced(table["paths"], known, places)
    questions = read_questions(table, known, tops, places, folder)
    return Ask(
        loss, gradients, update, upstream, train, **wishes, questions=questions, quiz=read_quiz(table, known, places)
    )


def _switch(table: Mapping[str, object], key: str, places: Places) -> bool:
    value = table[key]
    if not isinstance(value, bool):
        raise places.error(f"{key} is {wording.kind(value)}, expected is true or false", "ask", key)
    return value


def split_ratio(text: str) -> tuple[str, str] | None:
    """``("E", "W1")`` for ``"dE/dW1"``, and ``None`` for what is no ratio."""
    match = RATIO.fullmatch(text)
    return (match[1], match[2]) if match else None


def _loss(value: object, known: Known, places: Places) -> str:
    if not isinstance(value, str):
        raise places.error(f"loss is {wording.kind(value)}, expected is the name of an equation", "ask", "loss")
    if value in known.data:
        raise places.error(f"loss names {value}, which is data, not an equation", "ask", "loss")
    if value not in known.equations:
        raise places.unknown("loss names no equation:", value, known.equations, "ask", "loss")
    return value


def _gradients(value: object, known: Known, tops: tuple[str, ...], places: Places) -> str | tuple[str, ...]:
    path = ("ask", "gradients")
    if value == "all":
        return "all"
    if value == "parameters":
        if known.complete and not known.parameters:
            raise places.error(
                'gradients = "parameters", and the problem has no parameters', *path, hint="name them, or say all"
            )
        return "parameters"
    if not isinstance(value, list | tuple):
        known_name = isinstance(value, str) and value in known.names
        tip = f'a single name stands in a list: ["{value}"]' if known_name else None
        raise places.error(
            f'gradients is {wording.kind(value)}, expected is "parameters", "all" or a list of names', *path, hint=tip
        )
    return _quantities(value, known, tops, places, path)


def _quantities(value: object, known: Known, tops: tuple[str, ...], places: Places, path: KeyPath) -> tuple[str, ...]:
    """A list of names and ratios, each known and each once."""
    if not isinstance(value, list | tuple):
        raise places.error(f"{path[-1]} is {wording.kind(value)}, expected is a list of names", *path)
    asked: list[str] = []
    for number, quantity in enumerate(value):
        here = (*path, number)
        if not isinstance(quantity, str):
            raise places.error(f"{path[-1]} has {wording.kind(quantity)}, expected are names", *here)
        if quantity in asked:
            raise places.error(f"{path[-1]} has {wording.shown(quantity)[1:-1]} twice", *here)
        for one in _every_member(quantity, known):
            _check_quantity(one, known, tops, places, here)
            asked += [one] if one not in asked else []
    return tuple(asked)


def _every_member(quantity: str, known: Known) -> tuple[str, ...]:
    """``h`` and ``dL/dh`` mean every member of the family ``h``."""
    ratio = split_ratio(quantity)
    if ratio is None:
        return known.every(quantity)
    return tuple(f"d{above}/d{below}" for above in known.every(ratio[0]) for below in known.every(ratio[1]))


def _check_quantity(text: str, known: Known, tops: tuple[str, ...], places: Places, path: KeyPath) -> None:
    if text in known.names:
        return
    key = next(part for part in reversed(path) if isinstance(part, str))
    if SECOND.fullmatch(text):
        _check_second(text, known, places, path)
        return
    ratio = split_ratio(text)
    if ratio is None:
        if "/" in text or "∂" in text:
            raise places.error(
                f"{wording.shown(text)} in {key} is no name and no ratio", *path, hint='a ratio is written "dE/dW1"'
            )
        if known.complete:
            raise places.unknown(f"{key} names what does not exist:", text, known.names, *path)
        return
    above, below = ratio
    if above in known.data:
        raise places.error(f"{text} in {key}: {above} is data and depends on nothing", *path)
    if above not in known.equations and above not in tops:
        raise places.unknown(f"{text} in {key}: there is no equation", above, (*known.equations, *tops), *path)
    if below not in known.names and known.complete:
        raise places.unknown(f"{text} in {key}: there is no name", below, known.names, *path)


def _update(value: object, known: Known, tops: tuple[str, ...], places: Places, folder: Path | None) -> Update | None:
    path = ("ask", "update")
    if value is True:
        raise places.error("update is true, expected is a table with a rate", *path, hint="update = { rate = 0.01 }")
    table = places.table(value, *path)
    from derive.problem.update import read_update  # only a problem with updates pays for it

    show = _quantities(table.get("show", ()), known, tops, places, (*path, "show"))
    update = read_update(table, show, known, places, folder)
    if update is not None and tops:
        _below_an_upstream(update, places)
    return update


def _below_an_upstream(update: Update, places: Places) -> None:
    """A known upstream holds at the parameters of the problem and for all of its data."""
    path = ("ask", "update")
    if update.batches is not None:
        raise places.error("over beside an upstream: what is known holds for all samples together", *path, "over")
    if update.slopes:
        raise places.error("with beside an upstream: the gradient is given, or worked out", *path, "with")
    if (update.rule, update.form) == ("nesterov", "ahead"):
        raise places.error(
            "a known upstream holds at the parameters themselves, and this form of Nesterov's rule looks ahead",
            *path, "rule", hint='form = "sum" takes the gradient at the parameters',
        )  # fmt: skip


def _check_second(text: str, known: Known, places: Places, path: KeyPath) -> None:
    """``d2f/dx2`` and ``d2f/dxdy``: f an equation, x and y names."""
    found = second_of(text, known.names)
    if found is None:
        if known.complete:
            raise places.error(
                f"{text} is no second derivative of names that exist",
                *path,
                hint='"d2f/dx2" differentiates twice by x, "d2f/dxdy" by x and by y',
            )
        return
    if found[0] in known.data:
        raise places.error(f"{text}: {found[0]} is data and depends on nothing", *path)
    if found[0] not in known.equations:
        raise places.unknown(f"{text}: there is no equation", found[0], known.equations, *path)


def _upstreams(value: object, known: Known, places: Places, folder: Path | None) -> tuple[Upstream, ...]:
    usage = 'upstream = { of = "J", at = "out" }'
    found: list[Upstream] = []
    for table, here in places.tables(value, ("of", "at", "value"), "ask", "upstream", hint=usage):
        of, at = table.get("of"), table.get("at")
        if not isinstance(of, str) or not isinstance(at, str):
            raise places.error("upstream needs of and at, both names", *here, hint=usage)
        try:
            check_name(of, "the function that is known by its gradient")
        except ProblemError as error:
            raise places.placed(error, *here, "of") from None
        if of in known.names:
            raise places.error(f"upstream is of {of}, which is a name of the problem already", *here, "of", hint=usage)
        if at not in known.names and known.complete:
            raise places.unknown("upstream is at what does not exist:", at, known.names, *here, "at")
        if any(other.at == at for other in found):
            raise places.error(f"upstream is at {at} twice", *here, "at")
        number_value = read_value(table["value"], places, folder, *here, "value") if "value" in table else None
        found.append(Upstream(of, at, number_value))
    return tuple(found)

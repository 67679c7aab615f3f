"""``[ask] update``: the rule, its constants and rates, mini-batches, and where a run starts that is under way."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from flint import fmpq

from derive.numbers.tensor import Tensor
from derive.problem import batches, wording
from derive.problem.convention import whole
from derive.problem.places import Places
from derive.problem.problem import Update
from derive.problem.rates import number, rate_symbol, read_by_parameter, read_rates
from derive.problem.rules import DECAY_OF_ADAMW, RULES, Rule
from derive.problem.values import read_value, size_text

if TYPE_CHECKING:
    from derive.problem.ask import Known

KEYS = ("rate", "rest", "symbol", "steps", "show", "every", "rule", "form", "decay", "decoupled", "t", "state", "with")
MOST_STEPS = 10_000_000
PATH = ("ask", "update")


def read_update(
    table: Mapping[str, object], show: tuple[str, ...], known: Known, places: Places, folder: Path | None
) -> Update | None:
    """The wish for updates; ``show`` has been read. ``None`` above parts that bring their parameters.

    Raises ``ProblemError``.
    """
    rule = _rule(table, places)
    constants = {name for constant in RULES[rule].constants.values() for name in constant.names}
    others = {name for each in RULES.values() for constant in each.constants.values() for name in constant.names}
    for key in table:
        if key in others - constants:
            own = wording.listing(_own(RULES[rule]), "and")
            raise places.error(f"{key} is no constant of the rule {rule}", *PATH, key, hint=f"it has {own}")
    places.keys(table, (*KEYS, *batches.KEYS, *sorted(constants)), *PATH)
    if not known.parameters:
        if known.complete:
            raise places.error("an update without [parameters]: there is nothing to move", *PATH)
        return None
    if "rate" not in table:
        raise places.error("update has no rate", *PATH, hint="update = { rate = 0.01 }")
    rates = read_rates(table, known.parameters, places, *PATH)
    values, called = _constants(table, RULES[rule], places)
    symbol = rate_symbol(table, "eta", places, *PATH)
    slopes = _slopes(table, rates, known, places, folder)
    steps = whole(table.get("steps", len(slopes) or 1), 1, MOST_STEPS, places, *PATH, "steps")
    if slopes and steps != len(slopes):
        given = "one gradient" if len(slopes) == 1 else f"the gradients of {len(slopes)} updates"
        raise places.error(
            f"with gives {given}, and steps is {steps}", *PATH, "steps", hint="with = [{ w = 1 }, { w = 2 }]"
        )
    decay, decoupled = _decay(table, rule, known, places)
    update = Update(
        rates=MappingProxyType(rates),
        symbol=symbol,
        steps=steps,
        show=show,
        every=whole(table.get("every", 1), 1, MOST_STEPS, places, *PATH, "every"),
        rule=rule,
        form=_form(table, rule, places),
        constants=MappingProxyType(values),
        called=MappingProxyType(called),
        decay=decay,
        decoupled=decoupled,
        batches=batches.read_batches(table, known, steps, places, *PATH),
        t=whole(table.get("t", 0), 0, MOST_STEPS, places, *PATH, "t"),
        state=_state(table, rule, rates, known, places, folder),
        slopes=slopes,
    )
    if slopes and update.batches is not None:
        raise places.error("with and over exclude each other: the gradient is given, or worked out", *PATH, "with")
    if slopes and (rule, update.form) == ("nesterov", "ahead") and (steps > 1 or update.state):
        raise places.error(
            "with gives a gradient, and this form of Nesterov's rule takes it at a point ahead",
            *PATH, "with", hint='form = "sum" takes it at the parameters',
        )  # fmt: skip
    if update.batches is not None and batches.count(update) > MOST_STEPS:
        raise places.error(f"{batches.count(update):,} updates, at most {MOST_STEPS:,} are allowed", *PATH, "steps")
    _printed_apart(update, known, places)
    return update


def _rule(table: Mapping[str, object], places: Places) -> str:
    rule = table.get("rule", "sgd")
    if not isinstance(rule, str):
        raise places.error(f'rule is {wording.kind(rule)}, expected is a text such as "sgd"', *PATH, "rule")
    if rule not in RULES:
        raise places.unknown("there is no update rule", rule, RULES, *PATH, "rule")
    return rule


def _own(rule: Rule) -> list[str]:
    return [constant.names[0] for constant in rule.constants.values()] or ["none but the rate"]


def _constants(table: Mapping[str, object], rule: Rule, places: Places) -> tuple[dict[str, fmpq], dict[str, str]]:
    """The constants by their part, and the names they are given under."""
    values, called = {}, {}
    for role, constant in rule.constants.items():
        found = [name for name in constant.names if name in table]
        if len(found) > 1:
            raise places.error(f"{found[0]} and {found[1]} are two names of one constant", *PATH, found[1])
        name = found[0] if found else constant.names[0]
        value = number(table[name], places, (*PATH, name)) if found else constant.value
        if role == "eps" and value < 0:
            raise places.error(f"{name} is {value}, expected is a number from 0", *PATH, name)
        if role != "eps" and not 0 <= value < 1:
            raise places.error(f"{name} is {value}, expected is a number from 0 to below 1", *PATH, name)
        values[role], called[role] = value, name
    return values, called


def _form(table: Mapping[str, object], rule: str, places: Places) -> str:
    forms = RULES[rule].forms
    form = table.get("form", forms[0])
    if form not in forms:
        if len(forms) == 1:
            raise places.error(f"the rule {rule} has one form", *PATH, "form")
        tip = wording.hint(form, forms) if isinstance(form, str) else None
        named = wording.listing([f'"{one}"' for one in forms])
        raise places.error(f"form is {wording.kind(form)}, expected is {named}", *PATH, "form", hint=tip)
    return str(form)


def _decay(table: Mapping[str, object], rule: str, known: Known, places: Places) -> tuple[Mapping[str, fmpq], bool]:
    """The weight decay of each parameter that has one, and whether it stays out of the gradient."""
    decoupled = table.get("decoupled", rule == "adamw")
    if not isinstance(decoupled, bool):
        raise places.error(f"decoupled is {wording.kind(decoupled)}, expected is true or false", *PATH, "decoupled")
    if "decoupled" in table and "decay" not in table:
        raise places.error("decoupled without decay: which weight decay?", *PATH, "decoupled", hint="decay = 0.01")
    if rule == "adamw" and not decoupled:
        raise places.error("adamw is adam with decoupled decay", *PATH, "decoupled", hint='rule = "adam"')
    given = table.get("decay", DECAY_OF_ADAMW if rule == "adamw" else 0)
    decay = (
        dict.fromkeys(known.parameters, given)
        if isinstance(given, fmpq)
        else read_by_parameter(given, known.parameters, places, (*PATH, "decay"))
    )
    for value in decay.values():
        if value < 0:
            raise places.error(f"decay is {value}, expected is a number from 0", *PATH, "decay")
    decay = {name: value for name, value in decay.items() if value != 0}
    if len(set(decay.values())) > 1:
        raise places.unsupported("decay of several strengths is not built yet; built is one, or 0", *PATH, "decay")
    return MappingProxyType(decay), decoupled


def _state(
    table: Mapping[str, object],
    rule: str,
    rates: Mapping[str, fmpq],
    known: Known,
    places: Places,
    folder: Path | None,
) -> Mapping[str, Mapping[str, Tensor]]:
    """What earlier updates left, by name and parameter; what is not said starts at 0."""
    if "state" not in table:
        return {}
    path = (*PATH, "state")
    given, names = places.table(table["state"], *path), RULES[rule].state
    found = {}
    for name, value in given.items():
        if not names:
            raise places.error(f"the rule {rule} has no state", *path, name)
        if name not in names:
            raise places.unknown(f"the rule {rule} has no state", name, names, *path, name)
        found[name] = _by_parameter(value, name, rates, known, places, folder, (*path, name))
    return MappingProxyType(found)


def _slopes(
    table: Mapping[str, object],
    rates: Mapping[str, fmpq],
    known: Known,
    places: Places,
    folder: Path | None,
) -> tuple[Mapping[str, Tensor], ...]:
    """The gradients that stand in place of a loss, update by update."""
    if "with" not in table:
        return ()
    value, path = table["with"], (*PATH, "with")
    if isinstance(value, Mapping):
        return (_by_parameter(value, "with", rates, known, places, folder, path),)
    if not isinstance(value, list | tuple) or not value or not all(isinstance(each, Mapping) for each in value):
        raise places.error(
            f"with is {wording.kind(value)}, expected is a table of gradients, or a list of such tables",
            *path, hint="with = { w = 0.5 }",
        )  # fmt: skip
    return tuple(_by_parameter(each, "with", rates, known, places, folder, (*path, k)) for k, each in enumerate(value))


def _by_parameter(
    value: object,
    what: str,
    rates: Mapping[str, fmpq],
    known: Known,
    places: Places,
    folder: Path | None,
    path: tuple[str | int, ...],
) -> Mapping[str, Tensor]:
    """A value for every parameter that moves, each of its size; where there is only one, its name may be left out."""
    moving = [name for name, rate in rates.items() if rate != 0]
    if not isinstance(value, Mapping) or ("file" in value and "file" not in rates):
        if len(moving) != 1:
            usage = f"{what} = {{ {', '.join(f'{name} = …' for name in moving)} }}"
            raise places.error(f"{what} needs a value for every parameter that moves", *path, hint=usage)
        value = {moving[0]: value}
    found = {}
    for name, item in value.items():
        if name not in rates:
            raise places.unknown(f"{what} names no parameter:", str(name), rates, *path)
        tensor = read_value(item, places, folder, *path, name)
        wanted = known.parameters[name].shape
        if tensor.shape != wanted:
            raise places.error(
                f"{what} of {name} is {size_text(tensor.shape)}, and {name} is {size_text(wanted)}", *path, name
            )
        found[name] = tensor
    missing = [name for name in moving if name not in found]
    if missing:
        raise places.error(
            f"{what} leaves out {wording.listing(missing, 'and')}", *path, hint="a rate of 0 keeps a parameter as it is"
        )
    return MappingProxyType(found)


def _printed_apart(update: Update, known: Known, places: Places) -> None:
    """A constant that would print as a quantity of the problem does is refused."""
    roles = {**dict.fromkeys(update.called.values(), "constant")}
    if update.decay:
        roles["lambda"] = "weight decay"
    for name, what in roles.items():
        if name in known.names or name == update.symbol:
            other = "the rate" if name == update.symbol else "a quantity of the problem"
            key = "decay" if name == "lambda" else name
            raise places.error(f"the {what} {name} has the name of {other}", *PATH, key)

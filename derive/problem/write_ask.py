"""The table ``[ask]`` of a problem, as TOML: one function for each record of what is asked."""

from __future__ import annotations

from collections.abc import Mapping

from flint import fmpq

from derive.numbers.tensor import Tensor
from derive.problem.problem import Ask, Batches, Problem, Traced, Train, Update, Upstream
from derive.problem.questions import Questions, Quotient
from derive.problem.rules import RULES
from derive.problem.spell import spell_number
from derive.problem.train import TOLERANCE
from derive.problem.write_toml import Rows, inline, listed, number, one_line, string

SWITCHES = ("shapes", "graph", "costs", "code", "recursion")
LISTS = ("choose", "judge")  # an empty list, and not ``false``, takes them back in a part


def ask_rows(problem: Problem) -> Rows:
    """The rows of the table."""
    ask, rows = problem.ask, {}
    if ask.loss is not None:
        rows["loss"] = string(ask.loss)
    if ask.gradients is not None:
        asked = ask.gradients
        rows["gradients"] = string(asked) if isinstance(asked, str) else listed(map(string, asked))
    if ask.update is not None:
        rows["update"] = _update(ask.update)
    if ask.upstream:
        every = [_upstream(upstream) for upstream in ask.upstream]
        rows["upstream"] = every[0] if len(every) == 1 else listed(every)
    if ask.train is not None:
        loss = ask.loss or (problem.statements[-1].name if problem.statements else "")
        rows["train"] = _train(ask.train, ask.update, loss)
    for key in SWITCHES:
        if (wish := getattr(ask, key)) is not None and wish is not getattr(Ask(), key):
            rows[key] = "true" if wish else "false"
    if ask.paths is not None:
        every = [inline(_entry_rows(wish)) for wish in ask.paths]
        rows["paths"] = (every[0] if len(every) == 1 else listed(every)) if every else "false"
    if ask.quiz is not None:
        for key in LISTS:
            if names := getattr(ask.quiz, key):
                rows[key] = listed(map(string, names))
        if ask.quiz.find_error:
            rows["find_error"] = "true"
    if ask.questions is not None:
        rows |= _questions(ask.questions)
    return rows


def withdrawn(above: Rows, own: Rows) -> Rows:
    """What takes back, in a part, a wish of the tables above it. (``loss`` and ``upstream`` drive each other out.)"""
    kept = {key for key in above if key not in own and key not in ("loss", "upstream", "gradients")}
    return {key: "[]" if key in LISTS else "false" for key in above if key in kept}


def _update(update: Update) -> str:
    rows = _rates(update.rates)
    if update.rule != "sgd":
        rows["rule"] = string(update.rule)
    rule = RULES[update.rule]
    if update.form != rule.forms[0]:
        rows["form"] = string(update.form)
    for role, constant in rule.constants.items():
        name = update.called.get(role, constant.names[0])
        if name != constant.names[0] or update.constants.get(role, constant.value) != constant.value:
            rows[name] = number(update.constants[role])
    rows |= {"symbol": string(update.symbol), "steps": str(update.steps)}
    if update.decay or update.rule == "adamw":
        rows["decay"] = _decay(update)
        if update.decoupled != (update.rule == "adamw"):
            rows["decoupled"] = "true" if update.decoupled else "false"
    if update.batches is not None:
        rows |= _batches(update.batches)
    if update.show:
        rows["show"] = listed(map(string, update.show))
    if update.every != 1:
        rows["every"] = str(update.every)
    if update.t:
        rows["t"] = str(update.t)
    if update.state:
        rows["state"] = inline({name: _by_name(values) for name, values in update.state.items()})
    if update.slopes:
        every = [_by_name(slopes) for slopes in update.slopes]
        rows["with"] = every[0] if len(every) == 1 else listed(every)
    return inline(rows)


def _rates(rates: Mapping[str, fmpq]) -> Rows:
    """One rate where all are alike, else a table by name."""
    alike = len(set(rates.values())) == 1
    each = {key: number(rate) for key, rate in rates.items()}
    return {"rate": number(next(iter(rates.values()))) if alike else inline(each)}


def _decay(update: Update) -> str:
    """One strength for all parameters, or by name for those that decay."""
    if not update.decay:
        return "0"
    if set(update.decay) == set(update.rates) and len(set(update.decay.values())) == 1:
        return number(next(iter(update.decay.values())))
    return inline({name: number(strength) for name, strength in update.decay.items()})


def _batches(batches: Batches) -> Rows:
    rows = {"over": listed(map(string, batches.over)), "batch": str(batches.size)}
    if batches.along:
        rows["along"] = str(batches.along)
    if batches.each:
        rows["each"] = string("update")
    orders = [listed(map(str, order)) for order in batches.orders]
    if batches.orders != (tuple(range(batches.rows)),):
        rows["order"] = orders[0] if len(orders) == 1 else listed(orders)
    return rows


def _by_name(values: Mapping[str, Tensor]) -> str:
    return inline({name: one_line(value) for name, value in values.items()})


def _train(train: Train, update: Update | None, loss: str) -> str:
    rows = {} if update is not None else _rates(train.rates) | {"symbol": string(train.symbol)}
    rows["until"] = string("settled" if train.below is None else f"{loss} < {spell_number(train.below)}")
    if train.tolerance is not None and (train.below is not None or train.tolerance != TOLERANCE):
        rows["tolerance"] = number(train.tolerance)
    rows["at_most"] = str(train.at_most)
    return inline(rows)


def _upstream(upstream: Upstream) -> str:
    rows = {"of": string(upstream.of), "at": string(upstream.at)}
    if upstream.value is not None:
        rows["value"] = one_line(upstream.value)
    return inline(rows)


def _questions(questions: Questions) -> Rows:
    rows: Rows = {}
    if questions.forward:
        passes = [_pass(one) for one in questions.forward]
        rows["forward"] = listed(passes) if passes[0].startswith('"') or len(passes) > 1 else passes[0]
    if questions.in_terms_of:
        letters = {key: listed(map(string, names)) for key, names in questions.in_terms_of.items()}
        rows["in_terms_of"] = letters[""] if set(letters) == {""} else inline(letters)
    if questions.delta:
        rows["delta"] = inline({name: string(signal) for name, signal in questions.delta.items()})
    if (batch := questions.batch) is not None:
        table = {"size": string(batch.size)}
        if batch.of is not None:
            table["of"] = listed(map(string, batch.of))
        rows["batch"] = inline(table | {"reduction": string(batch.reduction)})
    if questions.differences:
        every = [inline(_entry_rows(q) | {"h": number(q.step)}) for q in questions.differences]
        rows["differences"] = every[0] if len(every) == 1 else listed(every)
    return rows


def _entry_rows(wish: Quotient | Traced) -> Rows:
    """Of what, and which entry of it."""
    entry = string(wish.entry) if isinstance(wish.entry, str) else listed(map(str, wish.entry))
    return {"of": string(wish.of), "entry": entry}


def _pass(directions: Mapping[str, Tensor | None]) -> str:
    """A name alone, or the direction of each name."""
    plain = {name: one_line(direction) for name, direction in directions.items() if direction is not None}
    return inline(plain) if plain else string(next(iter(directions)))

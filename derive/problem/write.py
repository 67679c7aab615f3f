"""From a ``Problem`` back to its file: TOML that reads as the same problem, entry by entry.

One function for each table, in the order in which a person writes them. What is written is read again before it is
handed out, so that nothing a problem says can get lost on the way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields

from flint import fmpq

from derive.errors import ProblemError, Unsupported
from derive.numbers.tensor import Tensor
from derive.problem.problem import Ask, Convention, Problem, Text, Train, Update, Upstream
from derive.problem.read import FORMAT
from derive.problem.spell import spell, spell_number
from derive.problem.syntax import Node, Statement
from derive.problem.train import TOLERANCE
from derive.problem.wording import listing

WIDTH = 120  # characters of a line, where a value can be broken at all
LARGEST_INTEGER = 2**63 - 1  # what every reader of TOML takes as it stands; a longer number stands in quotes
BARE_KEY = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)

Rows = dict[str, str]  # key -> value, as TOML


def problem_to_toml(problem: Problem) -> str:
    """The problem file of a problem. Values that came from files of arrays stand in it as numbers.

    Raises ``Unsupported`` for what a file cannot say.
    """
    text = "\n".join(_document(problem))
    _check_same(problem, text)
    return text


def _check_same(problem: Problem, text: str) -> None:
    """Read the text as a file and hold it against the problem: a field that this module does not know is no secret."""
    from derive.problem.find import problem_from_text  # the reader leans on nothing here; the check closes the circle

    try:
        again = problem_from_text(text, problem.name)
    except ProblemError as error:
        raise Unsupported(f"a problem file cannot say {problem.name}: {error.message}", hint=error.hint) from None
    for one, other in zip((problem, *problem.parts), (again, *again.parts), strict=False):
        unlike = [f.name for f in fields(Problem) if f.compare and getattr(one, f.name) != getattr(other, f.name)]
        if unlike := [name for name in unlike if name not in ("name", "parts")]:
            part = "" if one.part is None else f" of part {one.part}"
            raise Unsupported(f"a problem file cannot say the {listing(unlike, 'and')}{part} of {problem.name} yet")


def _document(problem: Problem) -> Iterator[str]:
    yield f"format = {FORMAT}"
    if problem.title and dict(problem.title) != {"": problem.name}:  # a problem without a title goes by its name
        yield f"title = {_text(problem.title)}"
    yield ""
    yield from _equations(problem.statements)
    for heading, rows in _tables(problem).items():
        yield from _table(f"[{heading}]", rows)
    for part in problem.parts:
        yield from _part(problem, part)


def _table(header: str, rows: Rows) -> Iterator[str]:
    if rows:
        yield ""
        yield header
        yield from _aligned(rows)


def _aligned(rows: Rows) -> Iterator[str]:
    width = max(len(_key(key)) for key in rows)
    for key, value in rows.items():
        yield f"{_key(key):<{width}} = {value}"


def _tables(problem: Problem) -> dict[str, Rows]:
    return {
        "given": {name: _value(value, name) for name, value in problem.given.items()},
        "parameters": {name: _value(value, name) for name, value in problem.parameters.items()},
        "shapes": {name: _list(_size(size) for size in shape) for name, shape in problem.shapes.items()},
        "functions": {name: _function(formula) for name, formula in problem.functions.items()},
        "names": {name: _string("; ".join(map(" ".join, rows))) for name, rows in problem.names.items()},
        "symbols": {name: _string(symbol) for name, symbol in problem.symbols.items()},
        "captions": {name: _text(text) for name, text in problem.captions.items()},
        "ask": _ask(problem),
        "convention": _convention(problem.convention),
    }


# ── equations ───────────────────────────────────────────────────────────────────────────────────────────────────


def _equations(statements: Sequence[Statement]) -> Iterator[str]:
    """The lines as they were written, their comments in one column."""
    width = max((len(statement.source) for statement in statements if statement.comment), default=0)
    width = min(width, WIDTH // 2)
    lines = [
        f"{statement.source:<{width}}   # {statement.comment}" if statement.comment else statement.source
        for statement in statements
    ]
    text = "\n".join(lines)
    if "\\" not in text and '"""' not in text:
        yield f'equations = """\n{text}\n"""'
    elif "'''" not in text:
        yield f"equations = '''\n{text}\n'''"
    else:
        escaped = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
        yield f'equations = """\n{escaped}\n"""'


def _function(formula: tuple[str, Node] | None) -> str:
    return _string("unspecified" if formula is None else spell(formula[1]))


# ── what is asked, and how it is shown ──────────────────────────────────────────────────────────────────────────


def _ask(problem: Problem) -> Rows:
    ask, rows = problem.ask, {}
    loss = ask.loss or (problem.statements[-1].name if problem.statements else "")
    if ask.loss is not None:
        rows["loss"] = _string(ask.loss)
    if ask.gradients is not None:
        asked = ask.gradients
        rows["gradients"] = _string(asked) if isinstance(asked, str) else _list(map(_string, asked))
    if ask.update is not None:
        rows["update"] = _update(ask.update)
    if ask.upstream:
        every = [_upstream(upstream) for upstream in ask.upstream]
        rows["upstream"] = every[0] if len(every) == 1 else _list(every)
    if ask.train is not None:
        rows["train"] = _train(ask.train, ask.update, loss)
    if ask.shapes:
        rows["shapes"] = "true"
    return rows


def _update(update: Update) -> str:
    rows = _rates(update.rates) | {"symbol": _string(update.symbol), "steps": str(update.steps)}
    if update.show:
        rows["show"] = _list(map(_string, update.show))
    if update.every != 1:
        rows["every"] = str(update.every)
    if not update.plain:
        rows |= _rule(update)
    return _inline(rows)


def _rule(update: Update) -> Rows:
    """What an update says beyond rates and steps: its rule, its samples, where it starts."""
    rows = {"rule": _string(update.rule)} if update.rule != "sgd" else {}
    if update.form:
        rows["form"] = _string(update.form)
    rows |= {update.called[role]: _number(value) for role, value in update.constants.items()}
    if update.decay:
        alike = set(update.decay.values()) if update.decay.keys() >= update.rates.keys() else set()
        table = _inline({name: _number(value) for name, value in update.decay.items()})
        rows["decay"] = _number(alike.pop()) if len(alike) == 1 else table
        rows["decoupled"] = str(update.decoupled).lower()
    elif update.rule == "adamw":
        rows["decay"] = "0"
    batches = update.batches
    if batches is not None:
        rows |= {"over": _list(map(_string, batches.over)), "batch": str(batches.size)}
        rows |= {"along": "1"} if batches.along else {}
        rows |= {"each": _string("update")} if batches.each else {}
        if batches.orders != (tuple(range(batches.rows)),):
            orders = [_list(map(str, order)) for order in batches.orders]
            rows["order"] = orders[0] if len(orders) == 1 else _list(orders)
    rows |= {"t": str(update.t)} if update.t else {}
    if update.state:
        rows["state"] = _inline({state: _tensors(values) for state, values in update.state.items()})
    if update.slopes:
        rows["with"] = _list(list(map(_tensors, update.slopes)))
    return rows


def _tensors(values: Mapping[str, Tensor]) -> str:
    return _inline({name: _one_line(value) for name, value in values.items()})


def _train(train: Train, update: Update | None, loss: str) -> str:
    rows = {} if update is not None else _rates(train.rates) | {"symbol": _string(train.symbol)}
    rows["until"] = _string("settled" if train.below is None else f"{loss} < {spell_number(train.below)}")
    if train.tolerance is not None and (train.below is not None or train.tolerance != TOLERANCE):
        rows["tolerance"] = _number(train.tolerance)
    rows["at_most"] = str(train.at_most)
    return _inline(rows)


def _rates(rates: Mapping[str, fmpq]) -> Rows:
    """One rate where all are alike, else a table by name."""
    alike = len(set(rates.values())) == 1
    return {
        "rate": _number(next(iter(rates.values())))
        if alike
        else _inline({key: _number(rate) for key, rate in rates.items()})
    }


def _upstream(upstream: Upstream) -> str:
    rows = {"of": _string(upstream.of), "at": _string(upstream.at)}
    if upstream.value is not None:
        rows["value"] = _one_line(upstream.value)
    return _inline(rows)


def _convention(convention: Convention) -> Rows:
    """What differs from the default."""
    plain, rows = Convention(), {}
    if convention.style != plain.style:
        rows["style"] = _list(map(_string, convention.style))
    if convention.significant is not None:
        rows["significant"] = str(convention.significant)
    elif convention.digits != plain.digits:
        rows["digits"] = str(convention.digits)
    for key in ("layout", "rounding", "carry"):
        if getattr(convention, key) != getattr(plain, key):
            rows[key] = _string(getattr(convention, key))
    if convention.relu_at_zero != plain.relu_at_zero:
        rows["relu_at_zero"] = _number(convention.relu_at_zero)
    return rows


# ── parts ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _part(base: Problem, part: Problem) -> Iterator[str]:
    """What a part lays over the tables above it: what it says otherwise than they do."""
    yield ""
    yield "[[part]]"
    yield from _aligned(
        {"name": _string(part.part or "")} | ({"title": _text(part.title)} if part.title != base.title else {})
    )
    above = _tables(base)
    for heading, rows in _tables(part).items():
        own = {key: value for key, value in rows.items() if above[heading].get(key) != value}
        if heading == "ask":
            own |= _withdrawn(base.ask, part.ask)
        if heading == "convention":
            own |= _back_to_default(base.convention, part.convention)
        yield from _table(f"[part.{heading}]", own)


def _withdrawn(base: Ask, part: Ask) -> Rows:
    rows = {}
    if base.update is not None and part.update is None:
        rows["update"] = "false"
    if base.train is not None and part.train is None:
        rows["train"] = "false"
    if base.shapes and not part.shapes:
        rows["shapes"] = "false"
    return rows


def _back_to_default(base: Convention, part: Convention) -> Rows:
    """A part's setting that is the default, where the tables above it have another."""
    rows = {}
    for key in ("layout", "rounding", "carry"):
        if getattr(part, key) != getattr(base, key):
            rows[key] = _string(getattr(part, key))
    if part.style != base.style:
        rows["style"] = _list(map(_string, part.style))
    if part.relu_at_zero != base.relu_at_zero:
        rows["relu_at_zero"] = _number(part.relu_at_zero)
    if part.significant is None and (base.significant is not None or part.digits != base.digits):
        rows["digits"] = str(part.digits)
    return rows


# ── TOML ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _key(key: str) -> str:
    return key if BARE_KEY.fullmatch(key) else _string(key)


def _string(text: str) -> str:
    r"""A text in double quotes, or in single ones where a backslash is to stand as it is (``'\mu'``)."""
    if "\\" in text and "'" not in text:
        return f"'{text}'"
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _text(text: Text) -> str:
    return _string(text[""]) if set(text) == {""} else _inline({key: _string(value) for key, value in text.items()})


def _size(size: int | str) -> str:
    return str(size) if isinstance(size, int) else _string(size)


def _number(value: fmpq) -> str:
    """A decimal as it stands; a fraction, or an integer that some readers would overflow, in quotes."""
    written = spell_number(value)
    long = value.q == 1 and abs(value.p) > LARGEST_INTEGER and "e" not in written
    return _string(written) if "/" in written or long else written


def _list(items: Iterator[str] | Sequence[str] | map[str]) -> str:
    return f"[{', '.join(items)}]"


def _inline(rows: Rows) -> str:
    return "{ " + ", ".join(f"{_key(key)} = {value}" for key, value in rows.items()) + " }"


def _one_line(value: Tensor) -> str:
    numbers = [_number(entry) for entry in value.entries]
    if not value.shape:
        return numbers[0]
    shape = value.shape[1:] if len(value.shape) == 2 and value.shape[0] == 1 else value.shape
    for size in reversed(shape[1:]):
        numbers = [_list(numbers[start : start + size]) for start in range(0, len(numbers), size)]
    return _list(numbers)


def _value(value: Tensor, name: str) -> str:
    """On one line where it fits, else a row a line, and a long row over several."""
    line = _one_line(value)
    if len(name) + len(line) + 3 <= WIDTH or not value.shape:
        return line
    return "\n".join(_broken(value.shape, [_number(entry) for entry in value.entries], ""))


def _broken(shape: tuple[int, ...], numbers: list[str], indent: str) -> list[str]:
    """A long list over several lines, a comma behind each entry, as TOML allows."""
    if len(shape) == 2 and shape[0] == 1 and not indent:
        shape = shape[1:]  # a row is a flat list
    inner = indent + "  "
    if len(shape) == 1:
        flat = f"{indent}{_list(numbers)}"
        return [flat] if len(flat) < WIDTH else [f"{indent}[", *_filled(numbers, inner), f"{indent}]"]
    lines, step = [f"{indent}["], len(numbers) // shape[0]
    for start in range(0, len(numbers), step):
        lines += _broken(shape[1:], numbers[start : start + step], inner)
        lines[-1] += ","
    return [*lines, f"{indent}]"]


def _filled(numbers: list[str], indent: str) -> list[str]:
    lines, line = [], indent
    for number in numbers:
        if len(line) + len(number) + 2 > WIDTH and line.strip():
            lines.append(line.rstrip())
            line = indent
        line += f"{number}, "
    return [*lines, line.rstrip()]

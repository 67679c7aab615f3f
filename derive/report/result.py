"""A solution as one JSON document: every number a string, exact or certified, every step as data."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from derive.calculus.closed_form import named_values
from derive.numbers import arrays
from derive.numbers.arrays import Array
from derive.numbers.balls import Number, enclosure, precision
from derive.numbers.json_form import json_number, json_undecided
from derive.problem.problem import Shape
from derive.report.notation import Matrices, Symbols
from derive.solution import Part, Solution, Step
from derive.solution.values import MOST_BITS, START_BITS

FORMAT = 1


def as_json(solution: Solution) -> dict[str, Any]:
    """The document that ``--json`` prints. Nesting is the shape: a scalar is one string, a matrix a list of rows."""
    return {"format": FORMAT, "problem": solution.problem.name, "parts": [_part(part) for part in solution.parts]}


def _part(part: Part) -> dict[str, Any]:
    made: dict[str, Any] = {"name": part.problem.part, "values": {}, "gradients": {}}
    if part.numeric:
        made["values"] = {str(e.name): numbers(partial(part.run.value, e.name)) for e in part.network.equations}
        made["gradients"] = _gradients(part)
        made["data"] = {name: numbers(partial(part.run.value, name)) for name in part.network.data}
        made["adjoints"] = _adjoints(part)
        made |= _updates(part) | _training(part) | _further(part)
    made["checks"] = [
        {"check": check.check.replace("_", " "), "of": check.of, "passed": check.passed, "figure": check.figure}
        for check in part.checks
    ]
    made["derivation"] = _derivation(part)
    return made


def _gradients(part: Part) -> dict[str, Any]:
    """Gradients by name, as they are laid out; what was asked for as a ratio stands under its own text."""
    found: dict[str, Any] = {}
    if part.derivation is not None:
        derivation = part.derivation
        asked = part.problem.ask.gradients
        texts = {f"d{derivation.of}/d{name}": name for name in part.asked.gradients}
        own = {texts[text]: text for text in asked if text in texts} if isinstance(asked, tuple) else {}
        for name in part.asked.gradients:
            key = own.get(name, name)
            if name == derivation.of:
                found[key] = _nested(["1"], part.network.shape(name))
            else:
                found[key] = numbers(partial(part.run.value, derivation.adjoint(name)))
    for ratio in part.asked.ratios:
        found[ratio.text] = numbers(partial(part.value_of, ratio.text))
    for one in part.further.seconds if part.further is not None else ():
        found[one.text] = numbers(partial(part.value_of, one.text))
    return found


def _adjoints(part: Part) -> dict[str, Any]:
    """The derivatives on the way to those that were asked for: a report shows large ones in part."""
    if part.derivation is None:
        return {}
    adjoints = (adjoint for adjoint in part.derivation.adjoints if adjoint.by not in part.asked.gradients)
    return {str(adjoint): numbers(partial(part.run.value, adjoint)) for adjoint in adjoints}


def _further(part: Part) -> dict[str, Any]:
    """The tangents of each forward pass."""
    if part.further is None or not part.further.passes:
        return {}
    return {
        "tangents": [
            {
                "along": list(one.moved),
                "values": {
                    name.removeprefix("dot "): numbers(partial(one.view.run.value, name))
                    for name in (*(f"dot {start}" for start in one.moved), *one.names)
                },
            }
            for one in part.further.passes
        ]
    }


def _updates(part: Part) -> dict[str, Any]:
    update = part.problem.ask.update
    if update is None or part.opening is None:
        return {}
    if part.history is not None:
        from derive.report.history import certified  # only a problem with updates pays for it

        return certified(part, part.history)
    if part.training is None:
        return {}
    from derive.report.history import in_doubles

    return in_doubles(part, part.training)


def _training(part: Part) -> dict[str, Any]:
    """A run of training in doubles: why it stopped, the chosen iterations, the parameters at the end."""
    run = part.convergence
    if run is None:
        return {}
    return {
        "training": {
            "stopped": run.stopped,
            "updates": run.updates,
            "certified": False,
            "history": [{"step": k, "loss": double(run.losses[k]), "certified": False} for k in run.chosen()],
            "parameters": {name: doubles(value) for name, value in run.parameters.items()},
        }
    }


# ── numbers ─────────────────────────────────────────────────────────────────────────────────────────────────────


def numbers(find: Callable[[int], Array]) -> Any:
    """Every entry as a string; precision is doubled until each has its 17 digits, or is said to be undecided."""
    bits = START_BITS
    while True:
        with precision(bits):
            array = find(bits)
            texts = [json_number(entry) for entry in arrays.entries(array)]
        if None not in texts or bits >= MOST_BITS:
            break
        bits *= 2
    with precision(bits):
        told = [
            _undecided(entry) if text is None else text
            for entry, text in zip(arrays.entries(array), texts, strict=True)
        ]
    return _nested(told, array.shape)


def _undecided(entry: Number) -> dict[str, list[str]]:
    return json_undecided(*enclosure(entry))


def doubles(value: Any) -> Any:
    """An array of doubles in the same form, with the digits that tell them apart."""
    return _nested([double(x) for x in value.ravel().tolist()], value.shape)


def double(x: float) -> str:
    """A double as a string: at most 10 digits, since nothing certifies more; a zero has no minus."""
    return repr(float(f"{x:.10g}") + 0.0)


def _nested(entries: list[Any], shape: Shape) -> Any:
    if not shape:
        return entries[0]
    width = len(entries) // int(shape[0]) if shape[0] else 0
    return [_nested(entries[k * width : (k + 1) * width], shape[1:]) for k in range(int(shape[0]))]


# ── steps ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _derivation(part: Part) -> list[dict[str, Any]]:
    printer = Matrices(Symbols(part.problem, part.network)).with_names(named_values(part.network))
    derivations = [part.derivation] if part.derivation is not None else []
    return [_step(step, printer) for derivation in [*derivations, *part.ratios.values()] for step in derivation.steps]


def _step(step: Step, printer: Matrices) -> dict[str, Any]:
    return {
        "rule": step.rule,
        "quantity": str(step.quantity),
        "before": printer.text(step.before),
        "after": printer.text(step.after),
        **({"why": list(step.why)} if step.why else {}),
        "steps": [_step(inner, printer) for inner in step.steps],
    }

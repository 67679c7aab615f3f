"""Verdicts as plain data, as ``derive check --json`` prints them. Every number is a string."""

from __future__ import annotations

from typing import Any

from flint import arb

from derive.numbers.balls import precision
from derive.numbers.json_form import json_number, json_undecided
from derive.review.check import Reviewed
from derive.review.explanation import Explanation
from derive.review.verdicts import Judged


def as_json(review: Reviewed) -> dict[str, Any]:
    """A claims file with its verdicts.

    ``value`` is the right value, exact or with 17 digits; ``right`` has as many digits as are printed. A key that has
    nothing to say is left out.
    """
    return {
        "file": review.claims.file,
        "problem": review.solution.problem.name,
        "as_expected": not review.unexpected,
        "claims": [_claim(review, judged) for judged in review.judged],
    }


def _claim(review: Reviewed, judged: Judged) -> dict[str, Any]:
    claim = judged.claim
    found: dict[str, Any] = {
        "id": claim.id,
        "line": claim.line,
        "part": claim.part,
        "quantity": claim.quantity.text,
        "index": list(claim.index) or None,
        "printed": claim.printed.text,
        "right": judged.right,
        "value": _value(judged),
        "verdict": judged.verdict.key,
        "expect": claim.expect,
        "as_expected": judged.expected,
        "carried": judged.carried,
        "arithmetic": judged.literal,
        "not_read": judged.unread,
        "survives": judged.survives or None,
        "inherits": list(judged.inherits) or None,
        "diagnosis": _diagnosis(review, judged),
    }
    return {key: value for key, value in found.items() if value is not None}


def _diagnosis(review: Reviewed, judged: Judged) -> list[list[dict[str, Any]]] | None:
    """The slips that explain a number, in classes; those of the first assume least, those of one are not told apart.

    ``goes_on`` says whether later values follow from a slip.
    """
    found = review.finding(judged)
    if found is None:
        return None
    return [[_slip(one) for one in alike] for alike in found.classes]


def _slip(one: Explanation) -> dict[str, Any]:
    entry = [k + 1 for k in one.entry] if one.entry else None
    said: dict[str, Any] = {
        "kind": one.kind,
        "quantity": one.quantity or None,
        "index": entry,
        "names": list(one.names) or None,
        "paths_left_out": len(one.paths) or None,
        "goes_on": one.goes_on,
        "besides": _slip(one.besides) if one.besides else None,
    }
    return {key: value for key, value in said.items() if value is not None}


def _value(judged: Judged) -> Any:
    """The right value as a result spells it; an enclosure too wide for 17 digits as its two ends."""
    if judged.low == judged.high:
        return json_number(judged.low)
    with precision(512):
        ball = arb((judged.low + judged.high) / 2, (judged.high - judged.low) / 2)
    return json_number(ball) or json_undecided(judged.low, judged.high)

"""The textbook and the published examples, held: the claims files say what the records say, and so do the verdicts."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from derive.review.check import Reviewed, check
from derive.review.verdicts import Judged, Verdict
from make_claims import EXPECT, example_claim

HERE = Path(__file__).parent
RECORD: list[dict[str, Any]] = tomllib.loads((HERE / "textbook" / "claims.toml").read_text("utf-8"))["claim"]
EXAMPLES = {path.stem: tomllib.loads(path.read_text("utf-8")) for path in sorted((HERE / "examples").glob("*.toml"))}
CARRIED_AND_CLOSE = {"case1.zo1": "2.0861", "case1.factor.do1dzo1": "0.0982", "case1.dh1": "0.1503"}  # R1, R2, R3


@cache
def textbook(case: str) -> Reviewed:
    """One of the textbook's cases, judged."""
    return check(HERE / "textbook" / f"{case}.claims.toml")


@cache
def example(problem: str) -> Reviewed:
    """One of the published examples, judged."""
    return check(HERE / "examples" / "claims" / f"{problem}.claims.toml")


def found(name: str) -> Judged:
    """The verdict on one of the textbook's claims."""
    return next(judged for judged in textbook(name.split(".")[0]).judged if judged.claim.id == name)


def test_every_record_of_the_textbook_is_a_claim() -> None:
    """All 99 numeric claims and the 12 updates with numbers stand in the two files, with the digits of the record."""
    claims = {judged.claim.id: judged.claim for case in ("case1", "case2") for judged in textbook(case).judged}
    assert list(claims) == [fact["id"] for fact in RECORD]
    for fact in RECORD:
        assert claims[fact["id"]].printed.text == fact["printed"]
        assert claims[fact["id"]].expect == EXPECT[fact["verdict"]]


@pytest.mark.parametrize("fact", RECORD, ids=[fact["id"] for fact in RECORD])
def test_verdicts_on_the_textbook_are_those_recorded(fact: dict[str, Any]) -> None:
    """Holds: agrees. Holds with rounded intermediates: agrees, and the arithmetic printed gives another last digit."""
    judged = found(fact["id"])
    assert judged.expected
    assert (judged.verdict is Verdict.AGREES) is (fact["verdict"] != "wrong")
    assert (judged.literal is not None) is (fact["verdict"] == "holds-with-rounded-intermediates")
    assert judged.literal == CARRIED_AND_CLOSE.get(fact["id"])


def test_three_errata_by_number() -> None:
    """E1 is consistent with its factors and wrong by the data, E2 inherits it and survives, E3 is wrong: a sign."""
    first, second, third = map(found, ("case1.db1", "case1.update.b1", "case2.c.dldx.2"))
    assert (first.verdict, first.right, first.survives) == (Verdict.CONSISTENT, "0.0024", False)
    assert first.full == "0.002388201194"
    assert (second.verdict, second.right, second.survives) == (Verdict.CONSISTENT, "0.5000", True)
    assert second.inherits == ("case1.db1",)
    assert (third.verdict, third.right) == (Verdict.WRONG, "-2")


def test_rounding_traps_are_told_from_errors() -> None:
    """R1 to R4 agree; what a reader with a calculator gets from the printed decimals is told beside them."""
    by_hand = {name: found(name).carried for name in ("case1.zo1", "case1.factor.do1dzo1", "case1.factor.dh2dzh2")}
    assert by_hand == {"case1.zo1": "2.0861", "case1.factor.do1dzo1": "0.0982", "case1.factor.dh2dzh2": "0.0050"}
    assert found("case1.factor.dh2dzh2").verdict is Verdict.AGREES


@pytest.mark.parametrize("source", EXAMPLES)
def test_verdicts_on_the_examples_are_those_recorded(source: str) -> None:
    """Every number of the sources is a claim; every recorded erratum is found, and nothing else is accused."""
    facts = EXAMPLES[source]
    for prefix, problem in facts["problems"].items():
        numbers = [fact for fact in facts["printed"] if fact["name"].startswith(prefix)]
        judged = example(problem).judged
        assert [one.claim.printed.text for one in judged] == [fact["value"] for fact in numbers]
        for one, fact in zip(judged, numbers, strict=True):
            assert one.claim.quantity.text == example_claim(facts, prefix, fact, fact)["quantity"]
            assert one.claim.expect == EXPECT[fact["verdict"]]
            assert one.expected, one.claim.id


def test_inherited_numbers_name_their_source() -> None:
    """In the skip connection y and L only pass the slip in z2 on; in MacLeod's example the new weights pass one on."""
    skip = {judged.claim.label: judged for judged in example("freiburg-skip-connection").judged}
    assert skip["z2"].verdict is Verdict.WRONG
    assert skip["y"].inherits == skip["L"].inherits == ("z2",)
    macleod = {judged.claim.label: judged for judged in example("macleod-2-2-1").judged}
    assert macleod["W1@1[1,1]"].inherits == ("-dL/dz1[1]",)
    assert macleod["-dL/dz2"].verdict is Verdict.CARRIED


def test_errata_of_the_textbook_are_diagnosed() -> None:
    """E1: two of the four paths are dropped, o_2 by h_1 and o_1 by h_2. E3: the sign is lost, and the row is that of b."""
    first = textbook("case1").finding(found("case1.db1"))
    assert first is not None
    ((only,),) = first.classes[:1]
    assert (only.kind, only.quantity, only.paths, only.kept) == ("paths", "dE/db1", (1, 2), 2)
    third = textbook("case2").finding(found("case2.c.dldx.2"))
    assert third is not None
    assert ("sign_lost", ("b",)) in [(one.kind, one.names) for one in third.classes[0]]
    assert textbook("case1").finding(found("case1.update.b1")) is None  # it has its error from the first


def test_errata_of_the_examples_are_diagnosed() -> None:
    """Mazur's loss after one step: W2 was updated before the error was passed back. The skip connection: one digit."""
    loss = next(judged for judged in example("mazur-2-2-2").judged if judged.claim.label == "L@1")
    mazur = example("mazur-2-2-2").finding(loss)
    assert mazur is not None
    assert [(one.kind, one.names) for one in mazur.classes[0]] == [("early", ("W2",))]
    z2 = next(judged for judged in example("freiburg-skip-connection").judged if judged.claim.label == "z2")
    skip = example("freiburg-skip-connection").finding(z2)
    assert skip is not None
    assert [one.kind for one in skip.classes[0]] == ["digit"]

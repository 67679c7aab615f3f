"""A delivery engine's side of QTI 2.1: declarations, response processing and feedback of an item, and of a test.

An interpreter of the operators that derive's items use, written from the specification; an operator, a variable or a
rule that it does not know is an error. Null is ``None``, and what it touches is null.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree import ElementTree as ET

QTI = "{http://www.imsglobal.org/xsd/imsqti_v2p1}"
Value = float | str | bool | None


@dataclass(frozen=True)
class Outcome:
    """What comes of a response: the values of all outcome variables, and the feedback that is shown."""

    values: Mapping[str, Value]
    shown: tuple[ET.Element, ...]

    @property
    def score(self) -> float:
        """The points."""
        score = self.values["SCORE"]
        assert isinstance(score, float)
        return score


class Item:
    """One ``assessmentItem``."""

    def __init__(self, data: bytes) -> None:
        self.root = ET.fromstring(data)
        self.identifier, self.title = str(self.root.get("identifier")), str(self.root.get("title"))
        self.types: dict[str, str] = {}
        self.right: dict[str, str] = {}
        for declared in self.root.findall(f"{QTI}responseDeclaration"):
            name = str(declared.get("identifier"))
            assert declared.get("cardinality") == "single"
            self.types[name] = str(declared.get("baseType"))
            self.right[name] = str(declared.findtext(f"{QTI}correctResponse/{QTI}value"))
        self.start: dict[str, Value] = {}
        for declared in self.root.findall(f"{QTI}outcomeDeclaration"):
            name = str(declared.get("identifier"))
            assert name not in self.types
            self.types[name] = str(declared.get("baseType"))
            default = declared.findtext(f"{QTI}defaultValue/{QTI}value")
            self.start[name] = None if default is None else _typed(default, self.types[name])

    @property
    def fields(self) -> list[ET.Element]:
        """The interactions, in the order of the page."""
        kinds = (f"{QTI}textEntryInteraction", f"{QTI}choiceInteraction")
        body = self.root.find(f"{QTI}itemBody")
        assert body is not None
        return [one for one in body.iter() if one.tag in kinds]

    def mark(self, responses: Mapping[str, str]) -> Outcome:
        """What comes of a response to some of the interactions; what is not named was left empty."""
        assert set(responses) <= set(self.right)
        values: dict[str, Value] = dict(self.start)
        given: dict[str, Value] = {
            name: _typed(responses[name], self.types[name]) if name in responses else None for name in self.right
        }
        processing = self.root.find(f"{QTI}responseProcessing")
        assert processing is not None
        self._run(list(processing), values, given)
        shown = [
            one
            for one in self.root.findall(f"{QTI}modalFeedback")
            if (values[str(one.get("outcomeIdentifier"))] == one.get("identifier")) == (one.get("showHide") == "show")
        ]
        return Outcome(values, tuple(shown))

    def _run(self, rules: list[ET.Element], values: dict[str, Value], given: Mapping[str, Value]) -> None:
        for rule in rules:
            name = rule.tag.removeprefix(QTI)
            if name == "setOutcomeValue":
                values[str(rule.get("identifier"))] = self._value(rule[0], values, given)
                continue
            assert name == "responseCondition"
            for branch in rule:
                kind = branch.tag.removeprefix(QTI)
                if kind == "responseElse" or self._value(branch[0], values, given) is True:
                    self._run(list(branch)[kind != "responseElse" :], values, given)
                    break

    def _value(self, node: ET.Element, values: Mapping[str, Value], given: Mapping[str, Value]) -> Value:
        name = node.tag.removeprefix(QTI)
        if name == "variable":
            identifier = str(node.get("identifier"))
            return given[identifier] if identifier in given else values[identifier]
        if name == "correct":
            identifier = str(node.get("identifier"))
            return _typed(self.right[identifier], self.types[identifier])
        if name == "baseValue":
            return _typed(str(node.text), str(node.get("baseType")))
        inner = [self._value(child, values, given) for child in node]
        if name == "isNull":
            return inner[0] is None
        if name == "and":
            return False if False in inner else None if None in inner else True
        if None in inner:
            return None
        return _applied(name, node, inner)


def _applied(name: str, node: ET.Element, inner: list[Value]) -> Value:
    if name == "not":
        return not inner[0]
    if name == "match":
        return inner[0] == inner[1]
    numbers = [float(one) for one in inner if isinstance(one, float)]
    assert len(numbers) == len(inner)
    if name == "equal":
        assert node.get("toleranceMode") == "absolute"
        below, above = (float(one) for one in str(node.get("tolerance")).split())
        return numbers[1] - below * (1 + 1e-9) <= numbers[0] <= numbers[1] + above * (1 + 1e-9)
    if name == "sum":
        return math.fsum(numbers)
    if name == "product":
        return math.prod(numbers)
    assert name == "divide", name
    return numbers[0] / numbers[1]


def _typed(text: str, type: str) -> Value:
    if type == "float":
        return float(text)
    assert type == "identifier"
    return text

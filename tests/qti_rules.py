"""What QTI 2.1 allows, as far as derive writes it: content models and attributes, and a reader that holds XML to them.

Written down from the information model of "IMS Question and Test Interoperability, Assessment Test, Section, and Item
Information Model 2.1" (2012), content packaging 1.1.4, and MathML 2, of each only the elements that derive uses: what
is not in these tables is an error. A content model is a regular expression over the names of the children, each behind
a blank; ``text`` is whether prose may stand among them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.etree import ElementTree as ET

QTI = "{http://www.imsglobal.org/xsd/imsqti_v2p1}"
PACKAGE = "{http://www.imsglobal.org/xsd/imscp_v1p1}"
MATHML = "{http://www.w3.org/1998/Math/MathML}"
XML = "{http://www.w3.org/XML/1998/namespace}"
SCHEMA_LOCATION = "{http://www.w3.org/2001/XMLSchema-instance}schemaLocation"

NAME = r"[A-Za-z_][\w.-]*"
FLOAT = r"-?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?"
TRUE = "true|false"
ANY = r"[\s\S]*"
TYPE = "boolean|directedPair|duration|file|float|identifier|integer|pair|point|string|uri"

INLINE = "em|strong|code|span|sub|sup|img|br|math"
STATIC = f"{INLINE}|p|div|h1|h2|h3|h4|h5|h6|ul|ol|table|pre"
FLOW = f"{STATIC}|textEntryInteraction|choiceInteraction"
BLOCK = "p|div|h1|h2|h3|h4|h5|h6|ul|ol|table|pre|math|choiceInteraction"
VALUE = "and|not|or|isNull|equal|match|variable|correct|baseValue|sum|product|divide|subtract|multiple|testVariables"
RULE = "responseCondition|setOutcomeValue"
BODY = {"id": NAME, "class": r"[\w -]+", XML + "lang": r"[a-zA-Z-]+", "label": ANY}
PRESENTATION = "mrow|mi|mn|mo|mtext|mspace|mfrac|msqrt|mroot|msub|msup|msubsup|mover|munder|munderover|mtable|mphantom|mpadded|mstyle"


@dataclass(frozen=True)
class Rule:
    """The children of an element, whether there is prose between them, and its attributes; ``!`` marks a required one."""

    children: str
    text: bool = False
    attributes: tuple[tuple[str, str], ...] = ()


def _any(of: str) -> str:
    return rf"( ({of}))*"


def _body(children: str, text: bool = True, more: tuple[tuple[str, str], ...] = ()) -> Rule:
    return Rule(children, text, (*BODY.items(), *more))


_RULES: dict[str, Rule] = {
    # items
    "assessmentItem": Rule(
        r"( responseDeclaration)*( outcomeDeclaration)*( stylesheet)*( itemBody)?( responseProcessing)?( modalFeedback)*",
        attributes=(
            ("identifier!", NAME), ("title!", ANY), ("label", ANY), (XML + "lang", "[a-zA-Z-]+"), ("adaptive!", TRUE),
            ("timeDependent!", TRUE), ("toolName", ANY), ("toolVersion", ANY), (SCHEMA_LOCATION, ANY),
        ),
    ),
    "responseDeclaration": Rule(
        "( correctResponse)?",
        attributes=(("identifier!", NAME), ("cardinality!", "single|multiple|ordered|record"), ("baseType", TYPE)),
    ),
    "correctResponse": Rule("( value)+"),
    "defaultValue": Rule("( value)+"),
    "value": Rule("", True, (("baseType", TYPE), ("fieldIdentifier", NAME))),
    "outcomeDeclaration": Rule(
        "( defaultValue)?",
        attributes=(
            ("identifier!", NAME), ("cardinality!", "single|multiple|ordered|record"), ("baseType", TYPE),
            ("normalMaximum", FLOAT), ("normalMinimum", FLOAT), ("masteryValue", FLOAT), ("interpretation", ANY),
        ),
    ),
    "stylesheet": Rule("", attributes=(("href!", ANY), ("type!", ANY), ("media", ANY), ("title", ANY))),
    "itemBody": _body(f"( ({BLOCK}))+", text=False),
    "modalFeedback": Rule(
        _any(STATIC), True,
        (("outcomeIdentifier!", NAME), ("showHide!", "show|hide"), ("identifier!", NAME), ("title", ANY)),
    ),
    # prose
    **{name: _body(_any(f"{INLINE}|textEntryInteraction")) for name in ("p", "h1", "h2", "h3", "h4", "h5", "h6", "pre")},
    **{name: _body(_any(INLINE)) for name in ("em", "strong", "code", "span", "sub", "sup")},
    "div": _body(_any(FLOW)),
    "ul": _body("( li)*", text=False),
    "ol": _body("( li)*", text=False),
    "li": _body(_any(FLOW)),
    "br": _body("", text=False),
    "img": _body(
        "", False, (("src!", ANY), ("alt!", ANY), ("longdesc", ANY), ("height", r"\d+%?"), ("width", r"\d+%?"))
    ),
    "table": _body("( caption)?( thead)?( tfoot)?( tbody)+", False, (("summary", ANY),)),
    "caption": _body(_any(INLINE)),
    "thead": _body("( tr)+", text=False),
    "tbody": _body("( tr)+", text=False),
    "tr": _body("( (td|th))+", text=False),
    **{
        name: _body(
            _any(FLOW), True,
            (("headers", ANY), ("scope", "row|col|rowgroup|colgroup"), ("abbr", ANY), ("axis", ANY),
             ("rowspan", r"\d+"), ("colspan", r"\d+")),
        )
        for name in ("td", "th")
    },
    # interactions
    "textEntryInteraction": _body(
        "", False,
        (("responseIdentifier!", NAME), ("base", r"\d+"), ("stringIdentifier", NAME), ("expectedLength", r"\d+"),
         ("patternMask", ANY), ("placeholderText", ANY)),
    ),
    "choiceInteraction": _body(
        "( prompt)?( simpleChoice)+", False,
        (("responseIdentifier!", NAME), ("shuffle!", TRUE), ("maxChoices!", r"\d+"), ("minChoices", r"\d+"),
         ("orientation", "horizontal|vertical")),
    ),
    "prompt": _body(_any(INLINE)),
    "simpleChoice": _body(
        _any(STATIC), True,
        (("identifier!", NAME), ("fixed", TRUE), ("templateIdentifier", NAME), ("showHide", "show|hide")),
    ),
    # scoring
    "responseProcessing": Rule(f"( ({RULE}))*", attributes=(("template", ANY), ("templateLocation", ANY))),
    "responseCondition": Rule("( responseIf)( responseElseIf)*( responseElse)?"),
    "responseIf": Rule(f"( ({VALUE}))( ({RULE}))*"),
    "responseElseIf": Rule(f"( ({VALUE}))( ({RULE}))*"),
    "responseElse": Rule(f"( ({RULE}))*"),
    "setOutcomeValue": Rule(f"( ({VALUE}))", attributes=(("identifier!", NAME),)),
    "variable": Rule("", attributes=(("identifier!", NAME), ("weightIdentifier", NAME))),
    "correct": Rule("", attributes=(("identifier!", NAME),)),
    "baseValue": Rule("", True, (("baseType!", TYPE),)),
    "not": Rule(f"( ({VALUE}))"),
    "isNull": Rule(f"( ({VALUE}))"),
    **{name: Rule(f"( ({VALUE}))+") for name in ("and", "or", "sum", "product")},
    **{name: Rule(f"( ({VALUE})){{2}}") for name in ("match", "divide", "subtract")},
    "equal": Rule(
        f"( ({VALUE})){{2}}",
        attributes=(
            ("toleranceMode!", "exact|absolute|relative"), ("tolerance", f"{FLOAT}( {FLOAT})?"),
            ("includeLowerBound", TRUE), ("includeUpperBound", TRUE),
        ),
    ),
    # tests
    "assessmentTest": Rule(
        "( outcomeDeclaration)*( stylesheet)*( testPart)+( outcomeProcessing)?( testFeedback)*",
        attributes=(("identifier!", NAME), ("title!", ANY), ("toolName", ANY), ("toolVersion", ANY), (SCHEMA_LOCATION, ANY)),
    ),
    "testPart": Rule(
        "( assessmentSection)+",
        attributes=(
            ("identifier!", NAME), ("navigationMode!", "linear|nonlinear"), ("submissionMode!", "individual|simultaneous"),
        ),
    ),
    "assessmentSection": Rule(
        "( selection)?( ordering)?( (assessmentSection|assessmentItemRef))*",
        attributes=(
            ("identifier!", NAME), ("required", TRUE), ("fixed", TRUE), ("title!", ANY), ("visible!", TRUE),
            ("keepTogether", TRUE),
        ),
    ),
    "selection": Rule("", attributes=(("select!", r"\d+"), ("withReplacement", TRUE))),
    "ordering": Rule("", attributes=(("shuffle", TRUE),)),
    "assessmentItemRef": Rule(
        "", attributes=(("identifier!", NAME), ("required", TRUE), ("fixed", TRUE), ("href!", ANY), ("category", ANY))
    ),
    "outcomeProcessing": Rule("( setOutcomeValue)*"),
    "testVariables": Rule(
        "", attributes=(("variableIdentifier!", NAME), ("sectionIdentifier", NAME), ("baseType", TYPE))
    ),
}  # fmt: skip

_PACKAGING: dict[str, Rule] = {
    "manifest": Rule(
        "( metadata)?( organizations)( resources)( manifest)*",
        attributes=(("identifier!", NAME), ("version", ANY), (SCHEMA_LOCATION, ANY)),
    ),
    "metadata": Rule("( schema)?( schemaversion)?"),
    "schema": Rule("", True),
    "schemaversion": Rule("", True),
    "organizations": Rule("( organization)*", attributes=(("default", NAME),)),
    "resources": Rule("( resource)*"),
    "resource": Rule(
        "( metadata)?( file)*( dependency)*",
        attributes=(("identifier!", NAME), ("type!", "imsqti_(item|test)_xmlv2p1|webcontent"), ("href", ANY)),
    ),
    "file": Rule("( metadata)?", attributes=(("href!", ANY),)),
    "dependency": Rule("", attributes=(("identifierref!", NAME),)),
}

_LOOK = (("class", ANY), ("style", ANY), ("id", NAME), ("mathvariant", r"[a-z-]+"))
_LENGTH = r"-?[\d.]+(em|ex|px|pt|%)?"
_MATH: dict[str, Rule] = {
    "math": Rule(_any(PRESENTATION), attributes=(*_LOOK, ("display", "block|inline"), ("alttext", ANY))),
    **{name: Rule("", True, _LOOK) for name in ("mi", "mn", "mtext")},
    "mo": Rule(
        "", True,
        (*_LOOK, ("form", "prefix|infix|postfix"), ("fence", TRUE), ("separator", TRUE), ("stretchy", TRUE),
         ("symmetric", TRUE), ("largeop", TRUE), ("movablelimits", TRUE), ("accent", TRUE), ("lspace", _LENGTH),
         ("rspace", _LENGTH), ("minsize", _LENGTH), ("maxsize", _LENGTH)),
    ),
    "mspace": Rule("", attributes=(*_LOOK, ("width", _LENGTH), ("height", _LENGTH), ("depth", _LENGTH))),
    **{name: Rule(_any(PRESENTATION), attributes=_LOOK) for name in ("mrow", "msqrt", "mphantom")},
    "mstyle": Rule(_any(PRESENTATION), attributes=(*_LOOK, ("displaystyle", TRUE), ("scriptlevel", r"[+-]?\d+"))),
    "mpadded": Rule(
        _any(PRESENTATION), attributes=(*_LOOK, ("width", ANY), ("height", ANY), ("depth", ANY), ("lspace", ANY))
    ),
    "mfrac": Rule(f"( ({PRESENTATION})){{2}}", attributes=(*_LOOK, ("linethickness", ANY))),
    "mroot": Rule(f"( ({PRESENTATION})){{2}}", attributes=_LOOK),
    **{name: Rule(f"( ({PRESENTATION})){{2}}", attributes=_LOOK) for name in ("msub", "msup")},
    "mover": Rule(f"( ({PRESENTATION})){{2}}", attributes=(*_LOOK, ("accent", TRUE))),
    "munder": Rule(f"( ({PRESENTATION})){{2}}", attributes=(*_LOOK, ("accentunder", TRUE))),
    "msubsup": Rule(f"( ({PRESENTATION})){{3}}", attributes=_LOOK),
    "munderover": Rule(f"( ({PRESENTATION})){{3}}", attributes=(*_LOOK, ("accent", TRUE), ("accentunder", TRUE))),
    "mtable": Rule(
        "( mtr)*", attributes=(*_LOOK, ("displaystyle", TRUE), ("rowspacing", ANY), ("columnspacing", ANY),
                               ("columnalign", ANY), ("rowlines", ANY), ("columnlines", ANY)),
    ),
    "mtr": Rule("( mtd)*", attributes=_LOOK),
    "mtd": Rule(_any(PRESENTATION), attributes=(*_LOOK, ("columnalign", ANY), ("rowspan", r"\d+"), ("columnspan", r"\d+"))),
}  # fmt: skip

RULES = {
    **{QTI + name: rule for name, rule in _RULES.items()},
    **{PACKAGE + name: rule for name, rule in _PACKAGING.items()},
    **{MATHML + name: rule for name, rule in _MATH.items()},
}


def violations(text: bytes) -> list[str]:
    """Everything in an XML file that these rules do not allow."""
    return [one for element in ET.fromstring(text).iter() for one in _of_one(element)]


def _of_one(element: ET.Element) -> list[str]:
    rule = RULES.get(element.tag)
    if rule is None:
        return [f"there is no element {element.tag}"]
    local = element.tag.rpartition("}")[2]
    found = []
    children = "".join(f" {child.tag.rpartition('}')[2]}" for child in element)
    if not re.fullmatch(rule.children, children):
        found.append(f"{local} has the children{children}")
    prose = (element.text or "") + "".join(child.tail or "" for child in element)
    if prose.strip() and not rule.text:
        found.append(f"{local} has the text {prose.strip()[:40]!r}")
    known = {name.rstrip("!"): pattern for name, pattern in rule.attributes}
    for name, value in element.attrib.items():
        if name not in known:
            found.append(f"{local} has no attribute {name}")
        elif not re.fullmatch(known[name], value):
            found.append(f"{local}: {name} is {value!r}")
    found += [f"{local} lacks {n[:-1]}" for n, _ in rule.attributes if n.endswith("!") and n[:-1] not in element.attrib]
    return found

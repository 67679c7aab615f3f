"""A QTI 2.1 content package: an item for each variant, a test that draws one variant for each question, a manifest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from xml.etree import ElementTree as ET

from derive.exam.platforms.archive import zipped
from derive.exam.platforms.fragment import plain
from derive.exam.platforms.items import Item
from derive.exam.platforms.qti_item import INSTANCE, NAMESPACE, SCHEMA, STYLES, QtiItem
from derive.exam.platforms.xml import DECLARATION, child, serialised
from derive.records import dataclass

PACKAGING = "http://www.imsglobal.org/xsd/imscp_v1p1"
PACKAGING_SCHEMA = "http://www.imsglobal.org/xsd/qti/qtiv2p1/qtiv2p1_imscpv1p2_v1p0.xsd"
TEST = "test.xml"
CSS = b"""/* Fields in the shape of their matrix, a picture in the middle; tables as they are in the report. */
.entries { display: flex; align-items: center; margin: 0.6em 0; overflow-x: auto; }
.entries > * { margin-right: 0.5em; }
.matrix { border-left: 2px solid; border-right: 2px solid; border-radius: 0.5em; border-collapse: separate; }
.matrix td { padding: 0.15em 0.3em; }
.figure { text-align: center; }
td, th { padding: 0.1em 0.6em; text-align: left; }
td.c, th.c { text-align: center; }
td.r, th.r { text-align: right; }
"""


@dataclass(frozen=True)
class Packed:
    """An item as it goes into a package: its XML, and the pictures that it shows."""

    identifier: str
    xml: bytes
    pictures: Mapping[str, bytes]


def packed(item: Item) -> Packed:
    """One variant of a question as an ``<assessmentItem>``."""
    found = QtiItem(item)
    return Packed(item.identifier, DECLARATION + serialised(found.element), found.pictures)


def package(title: str, groups: Iterable[tuple[str, Sequence[Packed]]]) -> bytes:
    """The zip: for each question of the exam its title and all its variants. A picture that many show is there once."""
    held = [(name, tuple(items)) for name, items in groups]
    files: dict[str, bytes] = {
        "imsmanifest.xml": DECLARATION + serialised(_manifest([one for _, items in held for one in items])),
        TEST: DECLARATION + serialised(_test(title, held)),
        STYLES: CSS,
    }
    for _, items in held:
        for one in items:
            files[f"items/{one.identifier}.xml"] = one.xml
            files.update((f"media/{name}", drawn) for name, drawn in one.pictures.items())
    return zipped(files)


def _test(title: str, groups: Sequence[tuple[str, Sequence[Packed]]]) -> ET.Element:
    """The test: a section for each question, of which one variant is drawn, and the sum of their scores."""
    found = ET.Element("assessmentTest", {
        "xmlns": NAMESPACE, "xmlns:xsi": INSTANCE, "xsi:schemaLocation": f"{NAMESPACE} {SCHEMA}",
        "identifier": "test", "title": plain(title), "toolName": "derive",
    })  # fmt: skip
    score = child(found, "outcomeDeclaration", identifier="SCORE", cardinality="single", baseType="float")
    child(child(score, "defaultValue"), "value", "0")
    part = child(found, "testPart", identifier="part", navigationMode="nonlinear", submissionMode="simultaneous")
    for number, (name, items) in enumerate(groups, 1):
        identifier = f"section-{number}"
        section = child(part, "assessmentSection", identifier=identifier, title=plain(name), visible="true")
        child(section, "selection", select="1")
        for one in items:
            child(section, "assessmentItemRef", identifier=one.identifier, href=f"items/{one.identifier}.xml")
    total = child(child(child(found, "outcomeProcessing"), "setOutcomeValue", identifier="SCORE"), "sum")
    child(total, "testVariables", variableIdentifier="SCORE")
    return found


def _manifest(items: Sequence[Packed]) -> ET.Element:
    """What is in the package, and which file needs which."""
    found = ET.Element("manifest", {
        "xmlns": PACKAGING, "xmlns:xsi": INSTANCE, "identifier": "manifest",
        "xsi:schemaLocation": f"{PACKAGING} {PACKAGING_SCHEMA} {NAMESPACE} {SCHEMA}",
    })  # fmt: skip
    about = child(found, "metadata")
    child(about, "schema", "QTIv2.1 Package")
    child(about, "schemaversion", "1.0.0")
    child(found, "organizations")
    resources = child(found, "resources")
    test = child(resources, "resource", identifier="resource-test", type="imsqti_test_xmlv2p1", href=TEST)
    child(test, "file", href=TEST)
    for one in items:
        child(test, "dependency", identifierref=f"resource-{one.identifier}")
    for one in items:
        href = f"items/{one.identifier}.xml"
        item = child(
            resources, "resource", identifier=f"resource-{one.identifier}", type="imsqti_item_xmlv2p1", href=href
        )
        for path in (href, STYLES, *(f"media/{name}" for name in one.pictures)):
            child(item, "file", href=path)
    return found

"""HL7 CDA R2 documents (XML): the narrative of their sections becomes texts.

Elements are those of ISO/HL7 27932:2009. Parsed with defusedxml: entities and external references are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError

from radlake.core.fault import Ignored, ItemError
from radlake.core.header import Header, Identity, Text
from radlake.formats.source import MIB, Source

NAME = "cda"
_LIMIT = 64 * MIB
_NS = "{urn:hl7-org:v3}"
_STUDY_TEMPLATE = "1.2.840.10008.9.18"  # DICOM PS3.20 10.2: documentationOf/serviceEvent id is the study
_MAX_DEPTH = 200
_PEOPLE = ("recordTarget", "author", "dataEnterer", "informant", "custodian", "legalAuthenticator", "authenticator",
           "participant", "componentOf", "documentationOf", "informationRecipient", "inFulfillmentOf")  # fmt: skip


def sniff(head: bytes, suffix: str) -> bool:
    """Whether the first bytes are XML whose root is a clinical document."""
    return b"<" in head[:64] and re.search(rb"<(\w+:)?ClinicalDocument[\s>]", head) is not None


def scan(source: Source) -> list[Header]:
    """One document with a text for each section.

    Raises
    ------
    ItemError
        ``unreadable_header`` for broken or hostile XML; `Ignored` when no section says anything.
    """
    root = _root(source.read_all(limit=_LIMIT))
    texts = [text for text in _sections(root) if text.value]
    if not texts:
        raise Ignored("side_file")
    return [
        Header(
            NAME, role="document", identity=_identity(root), values={"stored_bytes": source.stored_size}, texts=texts
        )
    ]


def _root(data: bytes) -> Element:
    """Root element of the document."""
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        root: Element = fromstring(data)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        raise ItemError("unreadable_header") from None
    return root


def _identity(root: Element) -> Identity:
    """Patient, study and order; every text of the header's people and places is known to identify."""
    identity = Identity()
    patient = root.find(f"{_NS}recordTarget/{_NS}patientRole/{_NS}id")
    if patient is not None:
        identity.patient_id = patient.get("extension") or patient.get("root")
    order = root.find(f"{_NS}inFulfillmentOf/{_NS}order/{_NS}id")
    if order is not None:
        identity.accession = order.get("extension")
    for event in root.iterfind(f"{_NS}documentationOf/{_NS}serviceEvent"):
        number = event.find(f"{_NS}id")
        if number is not None and not number.get("extension"):
            identity.study_uid = number.get("root")
    identity.known_texts = sorted({text for name in _PEOPLE for e in root.iterfind(_NS + name) for text in _values(e)})
    return identity


def _values(element: Element) -> Iterator[str]:
    """Texts and numbers of people and places inside an element."""
    for inner in element.iter():
        text = (inner.text or "").strip()
        if len(text) > 1:
            yield text
        for name in ("extension", "value"):
            found = inner.get(name)
            if found and len(found) > 1:
                yield found


def _sections(root: Element) -> Iterator[Text]:
    """Narrative of each section under its title; subsections carry the path of titles above them."""
    for body in root.iterfind(f"{_NS}component/{_NS}structuredBody"):
        yield from _below(body, "")
    for text in root.iterfind(f"{_NS}component/{_NS}nonXMLBody/{_NS}text"):
        if (text.get("mediaType") or "").startswith("text/") and text.get("representation") != "B64":
            yield Text("text", _narrative(text))


def _below(parent: Element, path: str, depth: int = 0) -> Iterator[Text]:
    """Sections directly inside a body or section, and theirs."""
    if depth > _MAX_DEPTH:
        raise ItemError("unreadable_header")
    for section in parent.iterfind(f"{_NS}component/{_NS}section"):
        title = section.find(f"{_NS}title")
        code = section.find(f"{_NS}code")
        name = _narrative(title) if title is not None else (code.get("displayName") or "" if code is not None else "")
        text = section.find(f"{_NS}text")
        if text is not None:
            yield Text(name or "section", _narrative(text), path=path)
        yield from _below(section, f"{path}/{name}" if path else name, depth + 1)


_BLOCKS = frozenset(_NS + name for name in ("paragraph", "item", "tr", "br", "caption", "list", "table"))


def _narrative(element: Element) -> str:
    """Text of an element, a line for each block of it."""
    return "\n".join(line for raw in "".join(_walk(element)).splitlines() if (line := " ".join(raw.split())))


def _walk(element: Element) -> Iterator[str]:
    """Pieces of text in document order, line ends around blocks; iterative, as depth must not exhaust the stack."""
    stack: list[str | Element] = [element]
    while stack:
        piece = stack.pop()
        if isinstance(piece, str):
            yield piece
            continue
        yield ("\n" if piece.tag in _BLOCKS else "") + _flat(piece.text)
        for child in reversed(piece):
            end = "\n" if child.tag in _BLOCKS else ""
            stack += [end + _flat(child.tail), child]


def _flat(text: str | None) -> str:
    """Text with its line ends made spaces: in XML they carry no meaning."""
    return re.sub(r"\s+", " ", text or "")

"""HL7 FHIR R4 in JSON: Patient, Observation, DiagnosticReport, ImagingStudy, alone, in a Bundle or one a line.

Statements become texts of documents; elements are those of https://hl7.org/fhir/R4. Dates, names and numbers of
people are never statements: they are identity, or known texts that cleaning removes.
"""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from radlake.core.fault import Ignored, ItemError
from radlake.core.header import Header, Identity, Text
from radlake.formats.source import MIB, Source

NAME = "fhir"
_LIMIT = 256 * MIB
_ATTACHMENT_LIMIT = MIB
_STUDY_SYSTEM = "urn:dicom:uid"

Resource = dict[str, Any]


def sniff(head: bytes, suffix: str) -> bool:
    """Whether JSON starts here and names a resource type, or the suffix says FHIR's line format."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    return start == b"{" and (b'"resourceType"' in head or (suffix == ".json" and b"resourceType" in head))


def scan(source: Source) -> list[Header]:
    """A document for each resource that states something about a patient.

    Raises
    ------
    ItemError
        ``unreadable_header`` for broken JSON; `Ignored` when there is no statement in it.
    """
    try:
        headers = _documents(list(_resources(source.read_all(limit=_LIMIT))), source)
    except RecursionError:
        raise ItemError("unreadable_header") from None
    if not headers:
        raise Ignored("side_file")
    return headers


def _documents(resources: list[Resource], source: Source) -> list[Header]:
    """Headers of the resources that state something."""
    index = _index(resources)
    known = sorted({text for resource in resources for text in _known_texts(resource)})
    headers: list[Header] = []
    for resource in resources:
        texts = [t for t in _statements(resource) if t.value.strip()]
        if texts:
            identity = _identity(resource, index)
            identity.known_texts = known
            headers.append(
                Header(
                    NAME,
                    member=len(headers),
                    role="document",
                    identity=identity,
                    values={"stored_bytes": source.stored_size},
                    texts=texts,
                )
            )
    return headers


def _resources(data: bytes) -> Iterator[Resource]:
    """Resources of a file: itself, the entries of a Bundle, or one a line; contained ones after their container."""
    try:
        text = data.decode("utf-8-sig")
        try:
            documents = [json.loads(text)]
        except json.JSONDecodeError:
            documents = [json.loads(line) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError):
        raise ItemError("unreadable_header") from None
    for document in documents:
        yield from _flat(document)


def _flat(resource: object) -> Iterator[Resource]:
    """A resource and those inside it."""
    if not isinstance(resource, dict):
        return
    if resource.get("resourceType") == "Bundle":
        for entry in _objects(resource, "entry"):
            for inner in _flat(entry.get("resource")):
                yield inner | {"fullUrl": entry.get("fullUrl")}
    else:
        yield resource
        for inner in _objects(resource, "contained"):
            yield from _flat(inner)


def _objects(element: Resource, name: str) -> list[Resource]:
    """The objects in an element that may repeat; wrong types are left out."""
    found = element.get(name)
    listed = found if isinstance(found, list) else [found]
    return [item for item in listed if isinstance(item, dict)]


def _string(element: Resource, name: str) -> str | None:
    """A string, or a number or truth value as FHIR would write it."""
    value = element.get(name)
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else None


def _index(resources: list[Resource]) -> dict[str, Resource]:
    """Resources by everything that a reference may call them."""
    index: dict[str, Resource] = {}
    for resource in resources:
        kind, identifier = resource.get("resourceType"), resource.get("id")
        for name in (f"{kind}/{identifier}", f"#{identifier}", resource.get("fullUrl")):
            if isinstance(name, str):
                index.setdefault(name, resource)
    return index


def _identity(resource: Resource, index: dict[str, Resource]) -> Identity:
    """Patient, study and accession that a resource names, followed through its references."""
    patient = resource if resource.get("resourceType") == "Patient" else None
    identity = Identity(accession=_identifier(resource, "ACSN"))
    for name in ("subject", "patient"):
        for reference in _objects(resource, name):
            target = _string(reference, "reference") or ""
            patient = patient or index.get(target)
            identity.patient_id = identity.patient_id or target.rpartition("/")[2] or None
    if patient is not None:
        identity.patient_id = _identifier(patient, "MR") or _string(patient, "id") or identity.patient_id
    studies = [resource] if resource.get("resourceType") == "ImagingStudy" else []
    studies += [
        index[target]
        for reference in _objects(resource, "imagingStudy")
        if (target := _string(reference, "reference") or "") in index
    ]
    for study in studies:
        identity.study_uid = identity.study_uid or _study_uid(study)
        identity.accession = identity.accession or _identifier(study, "ACSN")
    return identity


def _identifier(resource: Resource, kind: str) -> str | None:
    """Identifier of a type of HL7 table 0203; of a patient the first one when none has the type."""
    identifiers = _objects(resource, "identifier")
    for identifier in identifiers:
        codes = [_string(c, "code") for t in _objects(identifier, "type") for c in _objects(t, "coding")]
        if kind in codes:
            return _string(identifier, "value")
    return _string(identifiers[0], "value") if identifiers and kind == "MR" else None


def _study_uid(study: Resource) -> str | None:
    """Study Instance UID (https://hl7.org/fhir/R4/imagingstudy.html: identifier of system urn:dicom:uid)."""
    for identifier in _objects(study, "identifier"):
        if _string(identifier, "system") == _STUDY_SYSTEM:
            return (_string(identifier, "value") or "").removeprefix("urn:oid:") or None
    return None


def _known_texts(resource: Resource) -> Iterator[str]:
    """Values that name people and places anywhere in a resource."""
    for name in resource.get("name", []) if isinstance(resource.get("name"), list) else []:
        yield from _leaves(name)
    for element in ("telecom", "address", "identifier", "contact", "birthDate"):
        yield from _leaves(resource.get(element))
    for element in ("subject", "patient", "performer", "resultsInterpreter", "referrer", "interpreter", "location"):
        for reference in _objects(resource, element):
            yield from _leaves(reference.get("display"))


_STRUCTURAL = frozenset({"use", "system", "type", "rank", "period", "coding", "code"})


def _leaves(element: object) -> Iterator[str]:
    """Strings inside an element, without the words that FHIR itself defines."""
    if isinstance(element, str) and len(element) > 1:
        yield element
    elif isinstance(element, dict):
        for name, value in element.items():
            if name not in _STRUCTURAL:
                yield from _leaves(value)
    elif isinstance(element, list):
        for value in element:
            yield from _leaves(value)


def _statements(resource: Resource) -> Iterator[Text]:
    """What a resource states, by its type."""
    kind = resource.get("resourceType")
    state = _STATEMENTS.get(kind) if isinstance(kind, str) else None
    if state is not None:
        yield from state(resource)


def _patient(resource: Resource) -> Iterator[Text]:
    """Sex, and whether the patient is dead."""
    for name in ("gender", "deceasedBoolean"):
        value = _string(resource, name)
        if value is not None:
            yield Text(name, value, path=f"Patient.{name}")


def _observation(resource: Resource, path: str = "Observation") -> Iterator[Text]:
    """The value under the name of its code, those of its components, and the notes."""
    name = _concept(resource, "code") or "value"
    for quantity in _objects(resource, "valueQuantity"):
        comparator = _string(quantity, "comparator") or ""
        unit = _string(quantity, "unit") or _string(quantity, "code")
        yield Text(name, comparator + (_string(quantity, "value") or ""), unit, f"{path}.valueQuantity")
    concept = _concept(resource, "valueCodeableConcept")
    if concept:
        yield Text(name, concept, path=f"{path}.valueCodeableConcept")
    for element in ("valueString", "valueInteger", "valueBoolean"):
        value = _string(resource, element)
        if value is not None:
            yield Text(name, value, path=f"{path}.{element}")
    for note in _objects(resource, "note"):
        yield Text("note", _string(note, "text") or "", path=f"{path}.note")
    for component in _objects(resource, "component"):
        yield from _observation(component, f"{path}.component")


def _report(resource: Resource) -> Iterator[Text]:
    """Conclusion, coded conclusions, narrative and attached plain text."""
    name = _concept(resource, "code") or "report"
    yield Text("conclusion", _string(resource, "conclusion") or "", path="DiagnosticReport.conclusion")
    for code in _objects(resource, "conclusionCode"):
        yield Text("conclusion", _concept_of(code) or "", path="DiagnosticReport.conclusionCode")
    for narrative in _objects(resource, "text"):
        yield Text(name, plain(_string(narrative, "div") or ""), path="DiagnosticReport.text")
    for form in _objects(resource, "presentedForm"):
        yield Text(name, _attachment(form), path="DiagnosticReport.presentedForm")


def _study(resource: Resource) -> Iterator[Text]:
    """Descriptions and modalities of the study and its series."""
    yield Text("description", _string(resource, "description") or "", path="ImagingStudy.description")
    for modality in _objects(resource, "modality"):
        yield Text("modality", _string(modality, "code") or "", path="ImagingStudy.modality")
    for series in _objects(resource, "series"):
        yield Text("description", _string(series, "description") or "", path="ImagingStudy.series.description")


_STATEMENTS: dict[str, Callable[[Resource], Iterator[Text]]] = {
    "Patient": _patient,
    "Observation": _observation,
    "DiagnosticReport": _report,
    "ImagingStudy": _study,
}


def _concept(element: Resource, name: str) -> str | None:
    """What a CodeableConcept of that name says in words."""
    return next((_concept_of(concept) for concept in _objects(element, name)), None)


def _concept_of(concept: Resource) -> str | None:
    """Text, else the display or code of the first coding."""
    codings = _objects(concept, "coding")
    return (
        _string(concept, "text")
        or next((_string(c, "display") for c in codings if c.get("display")), None)
        or next((_string(c, "code") for c in codings), None)
    )


def plain(markup: str) -> str:
    r"""Text of an XHTML narrative, a line for each block.

    Examples
    --------
    >>> plain("<div><p>No nodule &gt; 4 mm.</p><p>Stable.</p></div>")
    'No nodule > 4 mm.\nStable.'
    """
    lines = re.sub(r"<(?:br|/p|/div|/li|/tr|/h\d)\b[^>]*>", "\n", markup, flags=re.IGNORECASE)
    text = html.unescape(re.sub(r"<[^>]*>", " ", lines))
    return "\n".join(line for raw in text.splitlines() if (line := " ".join(raw.split())))


def _attachment(form: Resource) -> str:
    """Text of an attachment that is plain text or HTML; nothing for other types."""
    kind, data = _string(form, "contentType") or "", _string(form, "data") or ""
    if not kind.startswith(("text/plain", "text/html")) or len(data) > _ATTACHMENT_LIMIT:
        return ""
    try:
        text = base64.b64decode(data, validate=False).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""
    return plain(text) if kind.startswith("text/html") else text

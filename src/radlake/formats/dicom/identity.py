"""Who a DICOM object belongs to and what it refers to, and every value in it that could identify somebody.

The result is raw and never stored; `radlake.deid` turns it into pseudonyms and uses the texts to clean free text.
"""

from __future__ import annotations

from collections.abc import Iterator

from radlake.core.header import Identity, Role
from radlake.formats.dicom.elements import Elements
from radlake.formats.dicom.tags import IDENTIFYING, PERSON_NAMES

_IDENTIFYING = frozenset({*PERSON_NAMES, *IDENTIFYING.split()})
# Where objects name the instances that they belong to: SEG and RTSTRUCT, reports, SEG frames.
_REFERENCES = frozenset(
    {"ReferencedInstanceSequence", "ContourImageSequence", "ReferencedSOPSequence", "SourceImageSequence"}
)


def identity_of(elements: Elements, role: Role) -> Identity:
    """Raw identifiers of an object; of all but images also what they refer to."""
    identity = Identity(
        patient_id=elements.text("PatientID"),
        issuer=elements.text("IssuerOfPatientID"),
        accession=elements.text("AccessionNumber"),
        study_uid=elements.text("StudyInstanceUID"),
        series_uid=elements.text("SeriesInstanceUID"),
        instance_uid=elements.text("SOPInstanceUID") or elements.text("MediaStorageSOPInstanceUID"),
        frame_of_reference_uid=elements.text("FrameOfReferenceUID"),
        site=elements.text("InstitutionName"),
        device=_device(elements),
    )
    if role == "image":  # its functional groups may hold ten thousand items, and nobody's name
        inside = elements.items("OtherPatientIDsSequence")
    else:
        inside = list(_descendants(elements))
        _add_references(identity, elements, inside)
    identity.known_texts = list(dict.fromkeys(text for part in (elements, *inside) for text in _identifying(part)))
    return identity


def _device(elements: Elements) -> str | None:
    """Maker and number of a scanner; where it has none, the name of its station."""
    number = elements.text("DeviceSerialNumber") or elements.text("StationName")
    return f"{elements.text('Manufacturer') or ''} {number}" if number else None


def _add_references(identity: Identity, elements: Elements, inside: list[Elements]) -> None:
    """Series, instances and frame of reference that the items of an object's sequences name."""
    instances = [
        uid
        for item in (elements, *inside)
        for name, references in item.sequences.items()
        if name in _REFERENCES
        for reference in references
        if (uid := reference.text("ReferencedSOPInstanceUID"))
    ]
    identity.referenced_instance_uids = list(dict.fromkeys(instances))
    identity.referenced_series_uid = next((uid for item in inside if (uid := item.text("SeriesInstanceUID"))), None)
    if identity.frame_of_reference_uid is None:
        frames = (item.text("FrameOfReferenceUID") for item in inside)
        identity.frame_of_reference_uid = next((uid for uid in frames if uid), None)


def _descendants(elements: Elements) -> Iterator[Elements]:
    """Items of all kept sequences, depth first."""
    for items in elements.sequences.values():
        for item in items:
            yield item
            yield from _descendants(item)


def _identifying(elements: Elements) -> Iterator[str]:
    """Values of the identifying elements of one data set or item."""
    for keyword in elements.values:
        if keyword in _IDENTIFYING:
            yield from filter(None, elements.texts(keyword))

"""A DICOM file's header as a `Header`: role, identity, technical values, region names, report texts.

`reader` finds the elements; `identity`, `values` and `content` give them meaning; here is decided what the object is.
No pixel is decoded, and nothing is judged fit to be kept: that is `radlake.deid`.
"""

from __future__ import annotations

from typing import Literal

from radlake.core.fault import Ignored, ItemError
from radlake.core.header import Header, Identity, Role
from radlake.formats.dicom.classes import is_image_class, role_of
from radlake.formats.dicom.content import meaning, statements
from radlake.formats.dicom.elements import DicomFile, Elements, PixelSpan
from radlake.formats.dicom.identity import identity_of
from radlake.formats.dicom.reader import read
from radlake.formats.dicom.values import common_values, image_values
from radlake.formats.source import Source

_SUFFIXES = frozenset({".dcm", ".dicom", ".dic", ".ima"})
_DATES = ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate")


def sniff(head: bytes, suffix: str) -> bool:
    """Whether a file is to be read as DICOM.

    Parameters
    ----------
    head : bytes
        First bytes of the file, 132 or more where it has them.
    suffix : str
        Lower-case suffix of its name, with the dot.

    Examples
    --------
    >>> sniff(bytes(128) + b"DICM", ""), sniff(b"PK", ".zip")
    (True, False)
    """
    return head[128:132] == b"DICM" or suffix in _SUFFIXES or _looks_headerless(head)


def _looks_headerless(head: bytes) -> bool:
    """Whether the bytes begin with a plausible element of group 0002 or 0008, as in files without a preamble."""
    if len(head) < 12 or head[:2] not in (b"\x08\x00", b"\x02\x00", b"\x00\x08"):
        return False
    order: Literal["big", "little"] = "big" if head[0] == 0 else "little"
    explicit = head[4:6].isalpha() and head[4:6].isupper()
    # A group begins with its length, or with an element that every writer puts early; its value is short.
    return int.from_bytes(head[2:4], order) <= 0x0070 and (explicit or int.from_bytes(head[4:8], order) < 256)


def scan(source: Source) -> list[Header]:
    """Header of a DICOM file, as a list of one.

    Parameters
    ----------
    source : Source
        The file.

    Raises
    ------
    ItemError
        ``unreadable_header``; ``no_pixels``; ``contradictory_header`` or ``bomb`` for senseless or absurd sizes.
    Ignored
        For presentation states, key object selections, plans, waveforms, DICOMDIR and other objects without pixels.
    """
    file = read(source)
    elements = file.elements
    sop_class = elements.text("SOPClassUID") or elements.text("MediaStorageSOPClassUID") or ""
    role = role_of(sop_class)
    header = Header("dicom", role=role, identity=identity_of(elements, role))
    header.study_date = next((day for name in _DATES if (day := elements.text(name))), None)
    values = common_values(file, sop_class)
    if role == "document":
        header.texts = statements(elements)
    elif role == "structures":
        header.rois = [roi.text("ROIName") or "" for roi in elements.items("StructureSetROISequence")]
    else:
        values |= image_values(file, _pixels(file, sop_class, role), sop_class, values["modality"])
        header.rois = [_segment_name(segment) for segment in elements.items("SegmentSequence")]
    if role == "image" and not header.identity.series_uid:
        header.identity.series_uid = _made_up_series(header.identity, source, values["modality"])
    header.values = {name: value for name, value in values.items() if value is not None}
    return [header]


def _made_up_series(identity: Identity, source: Source, modality: str | None) -> str:
    """What stands for the series where an export dropped its UID: patient, study, modality and folder together."""
    return "|".join((source.folder_key, identity.study_uid or "", identity.patient_id or "", modality or ""))


def _pixels(file: DicomFile, sop_class: str, role: Role) -> PixelSpan:
    """The pixels that an image must have."""
    if file.pixels is not None:
        return file.pixels
    if role == "segmentation" or is_image_class(sop_class) or "Rows" in file.elements:
        raise ItemError("no_pixels")
    raise Ignored("no_image_object")


def _segment_name(segment: Elements) -> str:
    """Label of a segment, else what its type is called."""
    return segment.text("SegmentLabel") or meaning(segment.first("SegmentedPropertyTypeCodeSequence")) or ""

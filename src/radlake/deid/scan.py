"""Which identifying fields a file has: their names, never their values. For `radlake plan` and the audit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from radlake.core.header import Header

# Attribute of `Identity` -> DICOM keyword of the field (PS3.6).
_IDENTITY = {
    "patient_id": "PatientID",
    "issuer": "IssuerOfPatientID",
    "accession": "AccessionNumber",
    "study_uid": "StudyInstanceUID",
    "series_uid": "SeriesInstanceUID",
    "instance_uid": "SOPInstanceUID",
    "frame_of_reference_uid": "FrameOfReferenceUID",
    "site": "InstitutionName",
    "device": "DeviceSerialNumber",
    "referenced_series_uid": "ReferencedSeriesInstanceUID",
    "referenced_instance_uids": "ReferencedSOPInstanceUID",
    "known_texts": "names, addresses and numbers of people",
}
_VALUES = {"sex": "PatientSex", "age_years": "PatientAge", "weight_kg": "PatientWeight"}
_SYNTHETIC = ("file:", "folder:")  # what readers of formats without UIDs put in their place: paths


def identifying_fields(headers: Iterable[Header]) -> Counter[str]:
    """How many members hold each identifying field, by the field's name.

    Names are DICOM keywords where there is one; the other names are ours.

    Examples
    --------
    >>> from radlake.core.header import Identity
    >>> identifying_fields([Header("dicom", identity=Identity(patient_id="4711"), study_date="20240301")])
    Counter({'PatientID': 1, 'StudyDate': 1})
    """
    found: Counter[str] = Counter()
    for header in headers:
        found.update(_fields(header))
    return found


def _fields(header: Header) -> Iterable[str]:
    """Names of the identifying fields of one member."""
    for attribute, name in _IDENTITY.items():
        value = getattr(header.identity, attribute)
        if value:
            yield "path" if isinstance(value, str) and value.startswith(_SYNTHETIC) else name
    yield from (name for column, name in _VALUES.items() if header.values.get(column) is not None)
    if header.study_date:
        yield "StudyDate"
    if header.member_name:
        yield "names of archive members"
    if header.rois:
        yield "labels of regions"
    if header.texts:
        yield "texts"
    if header.values.get("burned_in") == "YES":
        yield "BurnedInAnnotation"

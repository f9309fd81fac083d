"""Identifiers of a source folder: what its DICOM files say about people, places, days and devices.

Attributes are sorted by kind here anew, from PS3.6 and PS3.3 C.7; the tables that the cleaner follows are not used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pydicom.datadict import keyword_for_tag
from pydicom.dataset import Dataset

from radlake.deid.verify.dicom_parts import PIXELS, Opened, elements, opened, texts
from radlake.deid.verify.leak import SourceKind
from radlake.deid.verify.needles import Needles, words
from radlake.deid.verify.public import Value, devices

_IDS: dict[str, SourceKind] = {
    **dict.fromkeys(("PatientID", "OtherPatientIDs", "IssuerOfPatientID", "MedicalRecordLocator"), "patient id"),
    **dict.fromkeys(
        ("AccessionNumber", "FillerOrderNumberImagingServiceRequest", "PlacerOrderNumberImagingServiceRequest",
         "RequestedProcedureID", "ScheduledProcedureStepID", "PerformedProcedureStepID", "StudyID"),
        "accession number",
    ),
    **dict.fromkeys(("AdmissionID", "ServiceEpisodeID", "InsurancePlanIdentification", "ClinicalTrialSubjectID"),
                    "other identifier"),
    **dict.fromkeys(("DeviceSerialNumber", "GantryID", "PlateID", "CassetteID", "DetectorID", "StationName"), "device"),
}  # fmt: skip
_TEXTS: dict[str, SourceKind] = {
    **dict.fromkeys(("InstitutionName", "InstitutionalDepartmentName", "RequestingService"), "institution"),
    **dict.fromkeys(
        ("InstitutionAddress", "PatientAddress", "PersonAddress", "ReferringPhysicianAddress", "CountryOfResidence",
         "RegionOfResidence", "CurrentPatientLocation"),
        "address",
    ),
    **dict.fromkeys(("PatientTelephoneNumbers", "PersonTelephoneNumbers", "ReferringPhysicianTelephoneNumbers",
                     "PatientTelecomInformation", "PersonTelecomInformation"), "contact"),
    **dict.fromkeys(("MilitaryRank", "Occupation", "PatientReligiousPreference"), "other identifier"),
}  # fmt: skip
# UIDs that programs and standards bear, not objects.
_PUBLIC_UIDS = frozenset({
    "TransferSyntaxUID", "ImplementationClassUID", "CodingSchemeUID", "ContextUID", "MappingResourceUID",
    "ContextGroupExtensionCreatorUID", "PrivateInformationCreatorUID", "SourceApplicationEntityTitle",
})  # fmt: skip
_MAKER = 0x00080070
_SHORTEST_ROOT = 9  # characters; shorter ones are typing errors that any text may hold


@dataclass
class Sources:
    """What to look for, and the days of each source by its pixels."""

    needles: Needles = field(default_factory=Needles)
    days: dict[str, frozenset[str]] = field(default_factory=dict)  # by digest of the pixel element
    moments: set[tuple[str, str]] = field(default_factory=set)  # day and time of day that belong together
    devices: set[Value] = field(default_factory=set)  # what equipment is called, where no person of the file is
    files: int = 0

    def __bool__(self) -> bool:
        return bool(self.needles)


def collect(folder: Path) -> Sources:
    """Identifiers of all DICOM files under a folder; files of other formats have none that are told apart."""
    found = Sources()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            source = opened(path)
            if source is not None:
                found.files += 1
                _take(source, found)
    return found


def _take(source: Opened, found: Sources) -> None:
    """Add what one file says."""
    days: set[str] = set()
    makers = [words(t) for _, dataset, tag, _ in elements(source.dataset) if tag == _MAKER for t in texts(dataset, tag)]
    for _, dataset, tag, vr in elements(source.dataset):
        if tag == PIXELS or vr in {"OB", "OW", "SQ"}:
            continue
        for text in texts(dataset, tag):
            if _TEXTS.get(keyword_for_tag(tag)) == "institution" and any(_is_part(words(text), m) for m in makers):
                found.needles.add_whole(text, "institution")  # who made the device is named in every file of it
                continue
            _sort(keyword_for_tag(tag), vr, text, found.needles)
            if vr in {"DA", "DT"} and text[:8].isdigit():
                days.add(text[:8])
    found.days[digest(source)] = found.days.get(digest(source), frozenset()) | days
    found.moments |= set(moments(source.dataset))
    found.devices |= set(devices(source.dataset))


def _is_part(some: list[str], whole: list[str]) -> bool:
    """Whether words stand in others one after the other."""
    return any(whole[start : start + len(some)] == some for start in range(len(whole) - len(some) + 1)) and bool(some)


def _sort(keyword: str, vr: str, text: str, needles: Needles) -> None:
    """Put a value where its kind belongs."""
    from pydicom.uid import UID_dictionary  # type: ignore[attr-defined]

    if vr == "PN":
        needles.add_name(text)
    elif vr in {"DA", "DT"}:
        needles.add_date(text)
    elif vr == "UI":
        public = keyword in _PUBLIC_UIDS or keyword.endswith("ClassUID")
        if not public and text not in UID_dictionary and len(text) >= _SHORTEST_ROOT:
            needles.add_uid(text)
    elif keyword in _IDS:
        needles.add_id(text, _IDS[keyword])
    elif keyword in _TEXTS:
        needles.add_text(text, _TEXTS[keyword])


def moments(dataset: Dataset) -> Iterator[tuple[str, str]]:
    """Days with their times of day, where an object has both to the second and the time is not midnight."""
    for name in ("Study", "Series", "Acquisition", "Content", "InstanceCreation"):
        day, time = (next(iter(texts(dataset, f"{name}{part}")), "").strip() for part in ("Date", "Time"))
        if len(day) == 8 and len(time) >= 6 and time[:6].strip("0"):
            yield day, time[:6]


def digest(source: Opened) -> str:
    """Digest of the pixel element, by which a cleaned file and its source know each other; "" where there is none."""
    if source.pixels is None:
        return ""
    start, end = source.pixels
    sha = hashlib.sha256()
    with source.path.open("rb") as stream:
        stream.seek(start)
        while start < end and (data := stream.read(min(1 << 20, end - start))):
            sha.update(data)
            start += len(data)
    return sha.hexdigest()

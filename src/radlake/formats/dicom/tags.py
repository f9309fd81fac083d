"""Which DICOM elements the header reader keeps, by keyword (PS3.6, Registry of DICOM Data Elements).

Only lists live here; `elements` reads them and `header` gives them meaning. An element that is not listed is skipped
without being looked at.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from pydicom._dicom_dict import DicomDictionary

META = """TransferSyntaxUID MediaStorageSOPClassUID MediaStorageSOPInstanceUID"""

IDENTITY = """
    SpecificCharacterSet SOPClassUID SOPInstanceUID StudyInstanceUID SeriesInstanceUID FrameOfReferenceUID
    OtherPatientIDsSequence VerifyingObserverSequence AuthorObserverSequence ParticipantSequence
"""

# What names a person, a place or an order, beside `PERSON_NAMES` (PS3.15 Table E.1-1)
IDENTIFYING = """
    AccessionNumber PatientID IssuerOfPatientID OtherPatientIDs PatientBirthDate PatientAddress
    PatientTelephoneNumbers RegionOfResidence MedicalRecordLocator CurrentPatientLocation PatientInstitutionResidence
    ResponsibleOrganization InstitutionName InstitutionAddress InstitutionalDepartmentName StationName
    DeviceSerialNumber ReferringPhysicianAddress ReferringPhysicianTelephoneNumbers StudyID AdmissionID
    RequestingService RequestedProcedureID ScheduledProcedureStepID PerformedProcedureStepID
    PlacerOrderNumberImagingServiceRequest FillerOrderNumberImagingServiceRequest OrderCallbackPhoneNumber
    VerifyingOrganization
"""

ACQUISITION = """
    ImageType StudyDate SeriesDate AcquisitionDate ContentDate AcquisitionDateTime StudyTime SeriesTime AcquisitionTime
    Modality Manufacturer BodyPartExamined AnatomicRegionSequence ViewPosition Laterality ImageLaterality
    PatientSex PatientAge PatientWeight SliceThickness KVP SpacingBetweenSlices EchoTime MagneticFieldStrength
    TriggerTime GantryDetectorTilt ContrastBolusAgent ContrastBolusAgentSequence AcquisitionMatrix SeriesNumber
    InstanceNumber AcquisitionNumber TemporalPositionIdentifier DiffusionBValue BurnedInAnnotation
"""

PLACE = """
    ImagePositionPatient ImageOrientationPatient PixelSpacing ImagerPixelSpacing NominalScannedPixelSpacing
    SequenceOfUltrasoundRegions RegionSpatialFormat PhysicalUnitsXDirection PhysicalUnitsYDirection PhysicalDeltaX
    PhysicalDeltaY RegionLocationMinX0 RegionLocationMinY0 RegionLocationMaxX1 RegionLocationMaxY1
    GridFrameOffsetVector DetectorInformationSequence EnergyWindowVector DetectorVector PhaseVector RRIntervalVector
    TimeSlotVector SliceVector
"""

PIXELS = """
    SamplesPerPixel PhotometricInterpretation NumberOfFrames Rows Columns BitsAllocated BitsStored PixelRepresentation
    PixelPaddingValue WindowCenter WindowWidth RescaleIntercept RescaleSlope RescaleType ModalityLUTSequence
    DoseGridScaling
"""

FUNCTIONAL_GROUPS = """
    SharedFunctionalGroupsSequence PerFrameFunctionalGroupsSequence PlanePositionSequence PlaneOrientationSequence
    PixelMeasuresSequence FrameContentSequence StackID TemporalPositionIndex DimensionIndexValues
    DimensionIndexSequence DimensionIndexPointer MREchoSequence EffectiveEchoTime MRDiffusionSequence
    DiffusionGradientDirectionSequence DiffusionGradientOrientation PixelValueTransformationSequence
    FrameVOILUTSequence CardiacSynchronizationSequence NominalCardiacTriggerDelayTime MRImageFrameTypeSequence
    CTImageFrameTypeSequence PETFrameTypeSequence FrameType FrameAnatomySequence DerivationImageSequence
    SourceImageSequence
"""

PET = """
    Units SUVType CorrectedImage DecayCorrection FrameReferenceTime ActualFrameDuration
    RadiopharmaceuticalInformationSequence RadionuclideTotalDose RadionuclideHalfLife RadiopharmaceuticalStartTime
    RadiopharmaceuticalStartDateTime
"""

REFERENCES = """
    ReferencedSeriesSequence ReferencedInstanceSequence ReferencedSOPInstanceUID ReferencedSOPSequence
    ReferencedFrameOfReferenceSequence RTReferencedStudySequence RTReferencedSeriesSequence ContourImageSequence
    CurrentRequestedProcedureEvidenceSequence
"""

REGIONS = """SegmentSequence SegmentLabel SegmentedPropertyTypeCodeSequence StructureSetROISequence ROIName ROINumber"""

REPORT = """
    ContentSequence ValueType TextValue ConceptNameCodeSequence ConceptCodeSequence MeasuredValueSequence NumericValue
    MeasurementUnitsCodeSequence CodeValue CodeMeaning
"""


class Private(NamedTuple):
    """A private element: group, the creator that reserves its block, last two digits of the number, VR."""

    group: int
    creator: str
    number: int
    vr: bytes


# Siemens and Philips: conformance statements; GE: "DICOM for PET" white paper. Read where no standard element says it.
PRIVATE: dict[str, Private] = {
    "SiemensCSAImageHeader": Private(0x0029, "SIEMENS CSA HEADER", 0x10, b"OB"),
    "SiemensMosaicTiles": Private(0x0019, "SIEMENS MR HEADER", 0x0A, b"US"),
    "SiemensBValue": Private(0x0019, "SIEMENS MR HEADER", 0x0C, b"IS"),
    "GEBValue": Private(0x0043, "GEMS_PARM_01", 0x39, b"IS"),
    "GEScanDateTime": Private(0x0009, "GEMS_PETD_01", 0x0D, b"DT"),
    "PhilipsBValue": Private(0x2001, "Philips Imaging DD 001", 0x03, b"FL"),
    "PhilipsSUVScale": Private(0x7053, "Philips PET Private Group", 0x00, b"DS"),
    "PhilipsActivityScale": Private(0x7053, "Philips PET Private Group", 0x09, b"DS"),
}
_BLOCKS = range(0x10, 0x18)  # PS3.5 7.8.1 allows 0x10-0xFF; writers count from 0x10
# Names under which a private element of each block is kept, and under which the block's creator is.
PRIVATE_NAMES: dict[str, tuple[tuple[str, str], ...]] = {
    keyword: tuple((f"{keyword} {block:02x}", f"creator {private.group:04x}{block:02x}") for block in _BLOCKS)
    for keyword, private in PRIVATE.items()
}

PERSON_NAMES: tuple[str, ...] = tuple(
    keyword for vr, _, _, _, keyword in DicomDictionary.values() if vr == "PN" and keyword
)

# PS3.5 8.1 and A.4: reading ends where the pixels begin. Contours come after the names of a structure set's regions.
STOPS: dict[str, int] = {
    "FloatPixelData": 0x7FE00008,
    "DoubleFloatPixelData": 0x7FE00009,
    "PixelData": 0x7FE00010,
    "ROIContourSequence": 0x30060039,
    "WaveformSequence": 0x54000100,
}


class Wanted(NamedTuple):
    """How an element is kept: the name it gets, its VR by the dictionary, whether reading ends there."""

    name: str
    vr: bytes
    stop: bool = False


def _little_endian(tag: int) -> bytes:
    """The four bytes of a tag as little endian files have them."""
    return struct.pack("<HH", tag >> 16, tag & 0xFFFF)


def _wanted() -> dict[bytes, Wanted]:
    """The table that the reader asks for every element."""
    groups = (
        META,
        IDENTITY,
        IDENTIFYING,
        ACQUISITION,
        PLACE,
        PIXELS,
        FUNCTIONAL_GROUPS,
        PET,
        REFERENCES,
        REGIONS,
        REPORT,
    )
    keywords = {*" ".join(groups).split(), *PERSON_NAMES}
    table = {
        _little_endian(tag): Wanted(entry[4], entry[0].encode())
        for tag, entry in DicomDictionary.items()
        if entry[4] in keywords
    }
    for keyword, private in PRIVATE.items():
        for block, (name, creator_name) in zip(_BLOCKS, PRIVATE_NAMES[keyword], strict=True):
            table[_little_endian(private.group << 16 | block)] = Wanted(creator_name, b"LO")
            element = private.group << 16 | block << 8 | private.number
            table[_little_endian(element)] = Wanted(name, private.vr)
    table.update({_little_endian(tag): Wanted(name, b"", stop=True) for name, tag in STOPS.items()})
    return table


WANTED: dict[bytes, Wanted] = _wanted()
NAMES: frozenset[str] = frozenset(w.name for w in WANTED.values())

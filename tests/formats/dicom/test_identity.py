"""Raw identifiers, what an object refers to, and every text that identifies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from radlake.formats.dicom.elements import Elements
from radlake.formats.dicom.header import scan
from radlake.formats.dicom.identity import identity_of
from radlake.formats.source import Source

MakeElements = Callable[..., Elements]


def test_identifiers_are_taken_as_they_are(make_elements: MakeElements) -> None:
    elements = make_elements(
        PatientID=" 0042 ",
        IssuerOfPatientID="Clinic",
        AccessionNumber="A1",
        StudyInstanceUID="1.2",
        SeriesInstanceUID="1.3",
    )
    identity = identity_of(elements, "image")
    assert (identity.patient_id, identity.issuer, identity.accession) == ("0042", "Clinic", "A1")
    assert (identity.study_uid, identity.series_uid, identity.instance_uid) == ("1.2", "1.3", "1.2.3")
    assert identity.frame_of_reference_uid is None


def test_every_name_address_and_number_is_known(make_elements: MakeElements) -> None:
    values = {
        "PatientName": "Doe^Jane", "PatientID": "42", "PatientBirthDate": "19500102", "PatientAddress": "1 Main St",
        "PatientTelephoneNumbers": "555-1234", "OperatorsName": ["Op^One", "Op^Two"], "InstitutionName": "General",
        "ReferringPhysicianName": "Ref^Dr", "StationName": "CT1", "AccessionNumber": "A1", "StudyID": "S9",
    }  # fmt: skip
    elements = make_elements(**values, OtherPatientIDsSequence=[{"PatientID": "old-7"}], Modality="CT")
    known = set(identity_of(elements, "image").known_texts)
    singles = {v for v in values.values() if isinstance(v, str)}
    assert known == singles | {"Op^One", "Op^Two", "old-7"}


def test_names_inside_a_report_are_known(make_elements: MakeElements) -> None:
    observer = {"ValueType": "PNAME", "PersonName": "Roe^Richard"}
    elements = make_elements(
        ContentSequence=[{"ValueType": "CONTAINER", "ContentSequence": [observer]}],
        VerifyingObserverSequence=[{"VerifyingObserverName": "Poe^Paula", "VerifyingOrganization": "General"}],
    )
    assert set(identity_of(elements, "document").known_texts) == {"Roe^Richard", "Poe^Paula", "General"}


def test_order_of_known_texts_is_that_of_the_file(make_elements: MakeElements) -> None:
    elements = make_elements(PatientID="3", AccessionNumber="1", InstitutionName="2")
    assert identity_of(elements, "image").known_texts == ["1", "2", "3"]


def test_a_structure_set_refers_to_series_and_slices(make_elements: MakeElements) -> None:
    slices = [{"ReferencedSOPInstanceUID": uid} for uid in ("1.8.1", "1.8.2", "1.8.1")]
    series = {"SeriesInstanceUID": "1.9", "ContourImageSequence": slices}
    study = {"ReferencedSOPInstanceUID": "1.7", "RTReferencedSeriesSequence": [series]}
    frames = [{"FrameOfReferenceUID": "1.6", "RTReferencedStudySequence": [study]}]
    identity = identity_of(make_elements(ReferencedFrameOfReferenceSequence=frames), "structures")
    assert identity.referenced_series_uid == "1.9"
    assert identity.referenced_instance_uids == ["1.8.1", "1.8.2"]
    assert identity.frame_of_reference_uid == "1.6"


def test_a_segmentation_refers_to_series_and_slices(make_elements: MakeElements) -> None:
    series = {"SeriesInstanceUID": "1.9", "ReferencedInstanceSequence": [{"ReferencedSOPInstanceUID": "1.8"}]}
    identity = identity_of(make_elements(ReferencedSeriesSequence=[series]), "segmentation")
    assert (identity.referenced_series_uid, identity.referenced_instance_uids) == ("1.9", ["1.8"])


def test_real_regions_refer_to_the_series_beside_them(shared: Path) -> None:
    folder = shared / "ibsi_sts" / "dicom" / "STS_002" / "MR_T1"
    (mask,) = scan(Source(str(folder / "mask" / "RS.dcm")))
    (image,) = scan(Source(str(folder / "image" / "000000.dcm")))
    assert mask.identity.referenced_series_uid == image.identity.series_uid
    assert len(mask.identity.referenced_instance_uids) == 35

"""Names of identifying fields, never their values."""

from __future__ import annotations

from radlake.core.header import Header, Identity, Text
from radlake.deid.scan import identifying_fields


def test_every_field_that_is_there_is_named_and_counted() -> None:
    identity = Identity("Q7", "iss", "acc", "1.2", "file:/a", None, None, "1.3", ["1.4"], ["Doe"], "St. Quirin", "GE 7")
    full = Header(
        "dicom",
        identity=identity,
        values={"sex": "F", "age_years": 3.0, "weight_kg": 9.0, "burned_in": "YES", "rows": 4},
        member_name="x",
        rois=["a"],
        texts=[Text("a", "b")],
        study_date="20240101",
    )
    found = identifying_fields([full, Header("png"), Header("dicom", identity=Identity(patient_id="Q8"))])
    assert found == {
        "PatientID": 2,
        "IssuerOfPatientID": 1,
        "AccessionNumber": 1,
        "StudyInstanceUID": 1,
        "InstitutionName": 1,
        "DeviceSerialNumber": 1,
        "path": 1,
        "ReferencedSeriesInstanceUID": 1,
        "ReferencedSOPInstanceUID": 1,
        "names, addresses and numbers of people": 1,
        "PatientSex": 1,
        "PatientAge": 1,
        "PatientWeight": 1,
        "StudyDate": 1,
        "names of archive members": 1,
        "labels of regions": 1,
        "texts": 1,
        "BurnedInAnnotation": 1,
    }


def test_a_file_without_identity_has_none() -> None:
    assert identifying_fields([Header("png", values={"rows": 3})]) == {}

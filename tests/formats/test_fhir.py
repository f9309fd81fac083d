from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from radlake.core.fault import Ignored, ItemError
from radlake.core.header import Header
from radlake.formats import fhir
from radlake.formats.source import Source

PATIENT = {
    "resourceType": "Patient",
    "id": "p1",
    "identifier": [{"type": {"coding": [{"code": "MR"}]}, "system": "urn:oid:1.2", "value": "0012345"}],
    "name": [{"family": "Doe", "given": ["Jane"]}],
    "birthDate": "1950-02-03",
    "gender": "female",
}
STUDY = {
    "resourceType": "ImagingStudy",
    "id": "s1",
    "subject": {"reference": "Patient/p1", "display": "Jane Doe"},
    "identifier": [
        {"system": "urn:dicom:uid", "value": "urn:oid:1.2.840.99.1"},
        {"type": {"coding": [{"code": "ACSN"}]}, "value": "A-77"},
    ],
    "modality": [{"code": "CT"}],
    "description": "CT chest",
}
OBSERVATION = {
    "resourceType": "Observation",
    "subject": {"reference": "Patient/p1"},
    "code": {"coding": [{"code": "x", "display": "Nodule diameter"}]},
    "valueQuantity": {"value": 8.5, "unit": "mm", "comparator": "<"},
    "component": [{"code": {"text": "side"}, "valueString": "left"}],
    "note": [{"text": "unsure"}],
}
REPORT = {
    "resourceType": "DiagnosticReport",
    "subject": {"reference": "Patient/p1"},
    "imagingStudy": [{"reference": "ImagingStudy/s1"}],
    "resultsInterpreter": [{"display": "Dr. Smith"}],
    "code": {"text": "CT chest"},
    "conclusion": "Solid nodule.",
    "conclusionCode": [{"coding": [{"display": "Pulmonary nodule"}]}],
    "text": {"div": "<div><p>Findings: 8 mm</p></div>"},
    "presentedForm": [
        {"contentType": "text/plain", "data": base64.b64encode(b"The report.").decode()},
        {"contentType": "application/pdf", "data": "JVBERg=="},
    ],
}
BUNDLE = {"resourceType": "Bundle", "entry": [{"resource": r} for r in (PATIENT, STUDY, OBSERVATION, REPORT)]}


def scan(content: Any, name: str = "a.json") -> list[Header]:
    text = content if isinstance(content, str) else json.dumps(content)
    return fhir.scan(Source(name, data=text.encode()))


def stated(header: Header) -> list[tuple[str, str, str | None]]:
    return [(t.name, t.value, t.unit) for t in header.texts]


def test_a_bundle_gives_a_document_for_each_resource() -> None:
    headers = scan(BUNDLE)
    assert [h.member for h in headers] == [0, 1, 2, 3]
    assert stated(headers[0]) == [("gender", "female", None)]
    assert stated(headers[1]) == [("description", "CT chest", None), ("modality", "CT", None)]
    assert stated(headers[2]) == [
        ("Nodule diameter", "<8.5", "mm"),
        ("note", "unsure", None),
        ("side", "left", None),
    ]
    assert stated(headers[3]) == [
        ("conclusion", "Solid nodule.", None),
        ("conclusion", "Pulmonary nodule", None),
        ("CT chest", "Findings: 8 mm", None),
        ("CT chest", "The report.", None),
    ]


def test_references_lead_to_the_patient_and_the_study() -> None:
    identities = [h.identity for h in scan(BUNDLE)]
    assert {i.patient_id for i in identities} == {"0012345"}
    assert (identities[3].study_uid, identities[3].accession) == ("1.2.840.99.1", "A-77")
    assert {"Doe", "Jane", "1950-02-03", "0012345", "Dr. Smith", "Jane Doe"} <= set(identities[3].known_texts)


def test_dates_and_names_are_never_statements() -> None:
    said = " ".join(t.value for h in scan(BUNDLE) for t in h.texts)
    assert not any(word in said for word in ("1950", "Doe", "Smith", "0012345"))


def test_one_resource_a_line_equals_a_bundle() -> None:
    lines = "\n".join(json.dumps(r) for r in (PATIENT, STUDY, OBSERVATION, REPORT))
    assert [stated(h) for h in scan(lines, "a.ndjson")] == [stated(h) for h in scan(BUNDLE)]


def test_a_reference_that_leads_nowhere_still_names_its_patient() -> None:
    assert scan(OBSERVATION)[0].identity.patient_id == "p1"


@pytest.mark.parametrize("text", ['{"resourceType": "Patient"', "[" * 100_000, '{"a": 1}\n{"b"'])
def test_broken_json_is_unreadable(text: str) -> None:
    with pytest.raises(ItemError) as caught:
        scan(text)
    assert caught.value.code == "unreadable_header"


@pytest.mark.parametrize("depth", [300, 600, 900])
def test_deep_nesting_is_no_way_to_crash(depth: int) -> None:
    inner = '{"a":' * depth + '"Doe"' + "}" * depth
    text = f'{{"resourceType": "Patient", "gender": "male", "address": {inner}}}'
    try:
        assert "Doe" in scan(text)[0].identity.known_texts
    except ItemError as error:
        assert error.code == "unreadable_header"  # how deep Python goes depends on the caller


@pytest.mark.parametrize(
    "content",
    [
        {"resourceType": "Organization", "name": "x"},
        {"resourceType": ["Patient"]},
        {"resourceType": "Patient", "name": "wrong", "identifier": 7, "gender": {"a": 1}},
        {"resourceType": "Bundle", "entry": [1, None, {"resource": []}]},
        [1, 2],
    ],
)
def test_json_without_statements_is_ignored(content: Any) -> None:
    with pytest.raises(Ignored):
        scan(content)


def test_sniff_wants_a_resource_type() -> None:
    assert fhir.sniff(json.dumps(PATIENT).encode(), ".json")
    assert not fhir.sniff(b'{"data": [1, 2]}', ".json")
    assert not fhir.sniff(b"resourceType", ".txt")

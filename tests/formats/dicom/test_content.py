"""Structured reports as flat statements."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pydicom

from radlake.core.header import Text
from radlake.formats.dicom.content import statements
from radlake.formats.dicom.elements import Elements
from radlake.formats.dicom.reader import read
from radlake.formats.source import Source

MakeElements = Callable[..., Elements]


def code(meaning: str) -> list[dict[str, Any]]:
    return [{"CodeValue": "1", "CodingSchemeDesignator": "99X", "CodeMeaning": meaning}]


def item(kind: str, name: str, **values: Any) -> dict[str, Any]:
    return {"ValueType": kind, "ConceptNameCodeSequence": code(name), **values}


def test_texts_codes_and_numbers_keep_their_place(make_elements: MakeElements) -> None:
    measured = [
        {"NumericValue": 12.5, "MeasurementUnitsCodeSequence": [{"CodeValue": "mm", "CodeMeaning": "millimetre"}]}
    ]
    group = item(
        "CONTAINER",
        "Findings",
        ContentSequence=[
            item("NUM", "Diameter", MeasuredValueSequence=measured),
            item("CODE", "Site", ConceptCodeSequence=code("Lung")),
        ],
    )
    report = make_elements(ContentSequence=[item("TEXT", "History", TextValue="cough"), group])
    assert statements(report) == [
        Text("History", "cough", None, "1"),
        Text("Diameter", "12.5", "mm", "2.1"),
        Text("Site", "Lung", None, "2.2"),
    ]


def test_persons_dates_references_and_empty_values_are_no_statements(make_elements: MakeElements) -> None:
    report = make_elements(
        ContentSequence=[
            item("PNAME", "Observer", PersonName="Doe^Jane"),
            item("DATE", "Day", Date="20200101"),
            item("UIDREF", "Device", UID="1.2.3"),
            item("TEXT", "Impression", TextValue=""),
            item("NUM", "Size"),
        ]
    )
    assert statements(report) == []


def test_real_reports_keep_every_text(own_files: list[Path]) -> None:
    def texts(ds: pydicom.Dataset) -> list[str]:
        found = []
        for child in ds.get("ContentSequence", []):
            found += [child.TextValue] if child.get("ValueType") == "TEXT" else []
            found += texts(child)
        return found

    for name in ("test-SR.dcm", "reportsi.dcm"):
        path = next(p for p in own_files if p.name == name)
        expected = texts(pydicom.dcmread(path))
        found = [t.value for t in statements(read(Source(str(path))).elements)]
        assert expected
        assert [t for t in found if t in expected] == expected

"""Statements of reports as rows: quantities stay, words by the vocabulary, empty ones are left out."""

from __future__ import annotations

import pytest

from radlake.core.header import Header, Identity, Text
from radlake.core.schema import to_table
from radlake.deid.documents import document_rows
from radlake.deid.pseudonyms import ids

IDENTITY = Identity(patient_id="Q4711", study_uid="1.2", known_texts=["Small^Mass"])


def _rows(*texts: Text) -> list[dict[str, object]]:
    header = Header("dicom", role="document", identity=IDENTITY, texts=list(texts))
    return list(document_rows(header, ids(b"k" * 32, IDENTITY, file_id="fi-a"), file_id="fi-a"))


@pytest.mark.parametrize(
    ("value", "unit", "expected", "expected_unit"),
    [
        ("12.50", "mm", "12.5", "mm"),
        ("-119.0739163", "[hnsf'U]", "-119.073916", "[hnsf'U]"),
        ("123456", "mm3", "123456", "mm3"),
        ("93", "a", "90", "a"),
        ("12345678", "mm", "[...]", None),
        ("12", "Dr Smith", "12", None),
    ],
)
def test_quantities_keep_number_and_unit(value: str, unit: str, expected: str, expected_unit: str | None) -> None:
    rows = _rows(Text("Diameter", value, unit))
    assert [(r["value"], r["unit"]) for r in rows] == ([] if expected == "[...]" else [(expected, expected_unit)])


def test_known_names_go_also_where_they_are_words_of_reports() -> None:
    (row,) = _rows(Text("Finding", "small effusion, no nodule"))
    assert row["value"] == "[...] effusion, no nodule"


def test_statements_of_which_nothing_is_left_give_no_row() -> None:
    assert _rows(Text("Observer", "Zyxq^Qwert"), Text("Date", "20240101"), Text("Empty", " ")) == []


def test_rows_fit_the_schema_and_paths_are_numbers() -> None:
    rows = _rows(Text("Finding", "nodule", path="1.2.1"), Text("Finding", "nodule", path="Patient/Q4711"))
    assert [r["path"] for r in rows] == ["1.2.1", None]
    assert to_table("documents", rows).num_rows == 2

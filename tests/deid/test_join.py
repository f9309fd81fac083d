"""A clinical table joins a lake by every kind of key; what does not fit is a fault."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from radlake.core.header import Identity
from radlake.core.schema import to_table
from radlake.deid.join import Joined, MissingColumn, Request, resolve
from radlake.deid.pseudonyms import ids
from radlake.deid.rules import Rule
from radlake.deid.units import Catalogue

KEY = b"k" * 32


def _instance(
    file: int, patient: str, study: str, series: str, member: int = 0, issuer: str | None = None
) -> dict[str, Any]:
    identity = Identity(patient, issuer, f"A{study}", study, series, f"{series}.{file}.{member}")
    known = ids(KEY, identity, file_id=f"fi-{file}", member=member)
    return {"owner": f"fi-{file}", "file_id": f"fi-{file}", "member": member, "role": "image", **vars(known)}


ROWS = [
    _instance(1, "007", "1.1", "1.1.1"),
    _instance(2, "007", "1.1", "1.1.1"),
    _instance(3, "007", "1.2", "1.2.1"),
    _instance(4, "P8", "2.1", "2.1.1", issuer="north"),
    _instance(5, "P9", "3.1", "3.1.1", member=0),
    _instance(5, "P9", "3.1", "3.1.1", member=1),
]
FILES = {1: "p7/a/1.dcm", 2: "p7/a/2.dcm", 3: "p7/b/1.dcm", 4: "p8/1.dcm", 5: "set.npz"}
SOURCES = [{"owner": f"fi-{n}", "file_id": f"fi-{n}", "uri": f"/in/{p}"} for n, p in FILES.items()]
IMAGES = [
    {"image_id": "im-1", "series_id": ROWS[0]["series_id"]},
    {"image_id": "im-2", "series_id": ROWS[2]["series_id"]},
]
MASKS = [
    {"mask_id": "mk-1", "image_id": "im-1", "roi": "gtv_1", "file_id": "fi-9"},
    {"mask_id": "mk-2", "image_id": "im-1", "roi": "gtv_2", "file_id": "fi-9"},
    {"mask_id": "mk-3", "image_id": "im-2", "roi": "gtv_1", "file_id": "fi-9"},
]
CATALOGUE = Catalogue(
    to_table("instances", ROWS), to_table("masks", MASKS), to_table("images", IMAGES), to_table("sources", SOURCES)
)


def _join(on: Any, keys: list[Any], column: str | None = None, **columns: list[Any]) -> Joined:
    request = Request(on, column=column, targets=tuple(columns))
    table = pa.table({column or on: keys, **columns})
    return resolve(table, CATALOGUE, request, key=KEY, owner="jo-1")


@pytest.mark.parametrize(
    ("on", "value", "unit", "row"),
    [
        ("patient_id", "007", "patient", 0),
        ("accession", "A1.1", "study", 0),
        ("study_uid", "1.2", "study", 2),
        ("series_uid", "1.1.1", "series", 0),
        ("path", "p7/b/1.dcm", "series", 2),
        ("path", "a/2.dcm", "instance", 1),
        ("path", "p7/a", "series", 0),
        ("path", "p7", "patient", 0),
        ("path", "set.npz", "series", 4),
    ],
)
def test_every_kind_of_key_finds_its_unit(on: Any, value: str, unit: str, row: int) -> None:
    joined = _join(on, [value], size=[3.5])
    (label,) = joined.labels
    assert joined.faults == []
    assert (label["unit"], label["unit_id"]) == (unit, ROWS[row][f"{unit}_id"])
    assert (label["patient_id"], label["target"], label["value"]) == (ROWS[row]["patient_id"], "size", 3.5)


@pytest.mark.parametrize(
    ("on", "value", "code"),
    [
        ("patient_id", "7", "unmatched_key"),
        ("patient_id", None, "unmatched_key"),
        ("patient_id", "P8", "unmatched_key"),
        ("series_uid", "1.1", "unmatched_key"),
        ("path", "1.dcm", "ambiguous_key"),
        ("path", "in", "ambiguous_key"),
    ],
)
def test_keys_that_fit_nothing_or_too_much_are_faults(on: Any, value: Any, code: str) -> None:
    joined = _join(on, [value], size=[3.5])
    assert joined.labels == []
    (fault,) = joined.faults
    assert fault["code"] == code
    assert fault["message"].startswith("row 1:")
    assert fault["hint"]
    assert to_table("faults", joined.faults).num_rows == 1


def test_issuers_are_tried_when_named() -> None:
    table = pa.table({"patient_id": ["P8"], "size": [1.0]})
    request = Request("patient_id", targets=("size",), issuers=("south", "north"))
    (label,) = resolve(table, CATALOGUE, request, key=KEY, owner="jo-1").labels
    assert label["unit_id"] == ROWS[3]["patient_id"]


def test_equal_labels_count_once_and_contradictions_are_faults() -> None:
    joined = _join("patient_id", ["007", "007", "007"], size=[1.0, 1.0, 2.0])
    assert [r["value"] for r in joined.labels] == [1.0]
    assert [(f["code"], f["unit_id"]) for f in joined.faults] == [("conflicting_label", "jo-1:3")]


def test_a_region_narrows_the_unit_to_its_mask() -> None:
    table = pa.table(
        {"path": ["p7/a", "p7/a", "p7/b", "p7"], "structure": ["GTV-1", "GTV-2", "GTV 1", "GTV-1"], "y": [0, 1, 0, 1]}
    )
    request = Request("path", targets=("y",), roi="structure")
    joined = resolve(table, CATALOGUE, request, key=KEY, owner="jo-1")
    assert [(r["unit"], r["unit_id"], r["value"]) for r in joined.labels] == [
        ("mask", "mk-1", 0.0),
        ("mask", "mk-2", 1.0),
        ("mask", "mk-3", 0.0),
    ]
    assert [f["code"] for f in joined.faults] == ["ambiguous_key"]


def test_kept_columns_become_clinical_rows_without_identities() -> None:
    table = pa.table(
        {
            "Patient ID": ["007", "P9"],
            "name": ["Jane Zyxq", "John Qwert"],
            "seen": ["2024-03-01", "2024-03-02"],
            "volume": ["12.5", ""],
            "note": ["Jane Zyxq has a mild effusion", "no change"],
        }
    )
    request = Request("patient_id", keep=("name", "seen", "volume", "note"))
    joined = resolve(table, CATALOGUE, request, key=KEY, owner="jo-1")
    assert to_table("clinical", joined.clinical).num_rows == 7
    blob = str(joined)
    assert not any(s in blob for s in ("Jane", "Zyxq", "Qwert", "2024-03", "'007'"))
    assert [r["number"] for r in joined.clinical if r["name"] == "volume"] == [12.5]
    assert [r["value"] for r in joined.clinical if r["name"] == "note"][1] == "no change"


def test_a_missing_column_is_named_with_its_nearest() -> None:
    with pytest.raises(MissingColumn, match=r"'sise'; near: size"):
        resolve(
            pa.table({"patient_id": ["1"], "size": [1]}),
            CATALOGUE,
            Request("patient_id", targets=("sise",)),
            key=KEY,
            owner="j",
        )


def test_another_key_fits_nothing() -> None:
    table = pa.table({"patient_id": ["007"], "size": [1.0]})
    joined = resolve(table, CATALOGUE, Request("patient_id", targets=("size",)), key=b"o" * 32, owner="jo-1")
    assert [f["code"] for f in joined.faults] == ["unmatched_key"]


def test_columns_follow_own_rules() -> None:
    table = pa.table({"patient_id": ["007", "P8"], "Zip code": ["66123", "66999"], "age": [47, 101]})
    rules = {"zip_code": Rule("mask", 3), "age": Rule("bin", 10)}
    request = Request("patient_id", keep=("Zip code", "age"), issuers=("north",), rules=rules)
    found = resolve(table, CATALOGUE, request, key=KEY, owner="jo-1")
    assert sorted(row["value"] for row in found.clinical) == ["100-110", "40-50", "661**", "669**"]

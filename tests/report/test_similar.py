"""The page of similar series: whose pictures it shows, and what it escapes."""

from __future__ import annotations

import pyarrow as pa

from radlake.engine.similar import SCHEMA
from radlake.lake.store import Lake
from radlake.report.similar import write_similar
from tests.report.conftest import HOSTILE

ROWS = [
    {"rank": 1, "series_id": "se-ct00001", "patient_id": "pt-ct00001", "modality": "CT", "region": HOSTILE,
     "distance": 0.25, "shared": 3, "of": 4, "differs_most": "morph_volume", "same_patient": True},
    {"rank": 2, "series_id": "se-us00001", "patient_id": "pt-us00001", "modality": "US", "region": None,
     "distance": 1.5, "shared": 4, "of": 4, "differs_most": None, "same_patient": False},
]  # fmt: skip


def test_the_page_shows_pictures_only_of_checked_pixels(cohort: Lake) -> None:
    page = write_similar(cohort, "se-ct00000", pa.Table.from_pylist(ROWS, schema=SCHEMA), ("shape", "intensity"))
    text = page.read_text("utf-8")
    assert page.name == "similar-se-ct00000.html"
    assert text.count("data:image/png;base64,") == 2  # the one asked for, and the CT
    assert "not shown: pixel text unchecked" in text
    assert "3 of 4" in text
    assert "same patient" in text
    assert "shape and intensity" in text
    assert "<script>alert" not in text
    assert "http://evil" not in text.replace("&lt;img src=http://evil", "")


def test_no_neighbour_is_said_in_words(cohort: Lake) -> None:
    page = write_similar(cohort, "se-ct00000", SCHEMA.empty_table(), ("shape",))
    text = page.read_text("utf-8")
    assert "No other series has a region of the same name" in text
    assert 'id="numbers"' not in text


def test_the_same_table_gives_the_same_bytes(cohort: Lake) -> None:
    found = pa.Table.from_pylist(ROWS, schema=SCHEMA)
    pages = [write_similar(cohort, "se-ct00000", found, ("shape",)).read_bytes() for _ in range(2)]
    assert pages[0] == pages[1]

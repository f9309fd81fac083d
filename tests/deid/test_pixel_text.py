"""Only objects that cannot carry writing are clean unseen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset

from radlake.deid.pixel_text import margin, state

CT = "1.2.840.10008.5.1.4.1.1.2"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
PLAIN: dict[str, Any] = {"format": "dicom", "sop_class": CT, "photometric": "MONOCHROME2", "bits_stored": 12}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, "clean"),
        ({"image_type": "ORIGINAL\\PRIMARY\\AXIAL"}, "clean"),
        ({"burned_in": "YES"}, "unchecked"),
        ({"burned_in": "NO", "sop_class": SECONDARY_CAPTURE}, "unchecked"),
        ({"photometric": "RGB"}, "unchecked"),
        ({"sop_class": None}, "unchecked"),
        ({"image_type": "DERIVED\\SECONDARY\\SCREEN SAVE"}, "unchecked"),
        ({"image_type": "DERIVED\\SECONDARY"}, "unsure"),
        ({"bits_stored": 8}, "unsure"),
        ({"sop_class": "1.2.840.10008.5.1.4.1.1.6.1", "modality": "US"}, "unchecked"),
        ({"sop_class": "1.2.840.10008.5.1.4.1.1.481.2"}, "clean"),
        ({"format": "png", "rows": 28, "columns": 28}, "unchecked"),
        ({"format": "npz", "rows": 28, "columns": 28}, "clean"),
        ({"format": "npz", "rows": 28, "columns": 28, "samples": 3}, "unchecked"),
        ({"format": "npz", "rows": 224, "columns": 224}, "unchecked"),
        ({"format": "nifti", "rows": 512, "columns": 512, "slices": 40}, "clean"),
        ({"format": "nifti", "rows": 512, "columns": 512, "slices": 1}, "unchecked"),
    ],
)
def test_the_header_decides(change: dict[str, Any], expected: str) -> None:
    assert state(PLAIN | change) == expected


def test_real_images_with_burned_in_names_are_not_clean(shared: Path) -> None:
    from radlake.core.header import Identity
    from radlake.deid.pseudonyms import ids
    from radlake.deid.rows import instance_row
    from radlake.formats import scan_file
    from radlake.formats.source import Source

    files = sorted((shared / "deid" / "burned_in").glob("*.dcm"))
    assert files
    for file in files:
        (header,) = scan_file(Source(str(file)))
        known = ids(b"k" * 32, Identity(), file_id="fi-a")
        assert state(instance_row(header, known, file_id="fi-a", key=b"k" * 32)) == "unchecked"


def region(left: int, top: int, right: int, bottom: int) -> Dataset:
    found = Dataset()
    found.RegionLocationMinX0, found.RegionLocationMinY0 = left, top
    found.RegionLocationMaxX1, found.RegionLocationMaxY1 = right, bottom
    return found


def test_the_margin_is_what_no_ultrasound_region_covers() -> None:
    dataset = Dataset()
    assert margin(dataset, (4, 5)) is None
    dataset.SequenceOfUltrasoundRegions = [region(0, 2, 1, 3), region(3, 2, 4, 3)]
    found = margin(dataset, (4, 5))
    assert found is not None
    assert found.astype(int).tolist() == [[1] * 5, [1] * 5, [0, 0, 1, 0, 0], [0, 0, 1, 0, 0]]
    for odd in (region(0, 0, 4, 3), region(9, 9, 12, 12), Dataset()):
        dataset.SequenceOfUltrasoundRegions = [odd]
        assert margin(dataset, (4, 5)) is None

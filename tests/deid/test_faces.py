from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from radlake.core.image import Geometry, Image, Kind
from radlake.deid.faces import faces, in_volume


def scan(**values: object) -> Dataset:
    """A fine head MR with other values."""
    dataset = Dataset()
    usual = {
        "Modality": "MR", "BodyPartExamined": "HEAD", "PixelSpacing": [1, 1], "SliceThickness": 1, "Rows": 256,
        "Columns": 256,
    }  # fmt: skip
    for name, value in {**usual, **values}.items():
        if value is not None:
            setattr(dataset, name, value)
    return dataset


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"Modality": "CT", "SliceThickness": 5},
        {"BodyPartExamined": None, "SeriesDescription": "t1_mprage_sag"},
        {"BodyPartExamined": None},  # a field of 256 mm, and nobody says of what
        {"BodyPartExamined": None, "PixelSpacing": None},
        {"BodyPartExamined": "CHEST", "StudyDescription": "PET/CT Whole Body"},
        {"SliceThickness": None, "PixelSpacing": None},
    ],
)
def test_heads_whose_voxels_are_small_are_flagged(values: dict[str, object]) -> None:
    assert faces(scan(**values)) == "recognizable"


@pytest.mark.parametrize(
    "values",
    [
        {"Modality": "US"},
        {"SliceThickness": 8},
        {"PixelSpacing": [4, 4]},
        {"BodyPartExamined": "CHEST"},
        {"BodyPartExamined": None, "PixelSpacing": [1.6, 1.6]},  # a field of 410 mm
        {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]},
    ],
)
def test_others_are_not(values: dict[str, object]) -> None:
    assert faces(scan(**values)) == "none"


@pytest.mark.parametrize(
    ("shape", "spacing", "kind", "part", "expected"),
    [
        ((40, 256, 256), (5.0, 1.0, 1.0), "mr", "BRAIN", "recognizable"),
        ((256, 40, 256), (1.0, 5.0, 1.0), "ct", None, "recognizable"),
        ((40, 256, 256), (6.0, 1.0, 1.0), "mr", "BRAIN", "none"),
        ((40, 256, 256), (1.0, 1.0, 1.0), "mr", "LIVER", "none"),
        ((400, 512, 512), (1.5, 0.9, 0.9), "ct", None, "none"),  # a field of 600 mm
        ((400, 512, 512), (1.5, 0.9, 0.9), "ct", "WHOLEBODY", "recognizable"),
        ((40, 256, 256), (1.0, 1.0, 1.0), "pet", "BRAIN", "none"),
        ((256, 256), (1.0, 1.0), "mr", "BRAIN", "none"),
    ],
)
def test_volumes_are_judged_by_voxels_and_field(
    shape: tuple[int, ...], spacing: tuple[float, ...], kind: Kind, part: str | None, expected: str
) -> None:
    image = Image(np.broadcast_to(np.int16(0), shape), Geometry(spacing), kind=kind)
    assert in_volume(image, part) == expected


def test_damaged_values_are_taken_for_the_worst(quiet: None) -> None:
    dataset = scan(PixelSpacing=None)
    dataset.add_new(0x00280030, "DS", "1")
    assert faces(dataset) == "recognizable"


def test_real_heads_are_flagged_and_livers_are_not(shared: Path, quiet: None) -> None:
    head = sorted((shared / "dicom" / "series" / "ct_head_tilt_uneven_10").glob("*.dcm"))[0]
    liver = sorted((shared / "deid" / "tcia_pseudo_phi_mr" / "original").glob("*.dcm"))[0]
    assert faces(dcmread(head, stop_before_pixels=True)) == "recognizable"
    assert faces(dcmread(liver, stop_before_pixels=True)) == "none"

"""Spacing, position and orientation of single frames."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.formats.dicom import placement
from radlake.formats.dicom.elements import Elements
from radlake.formats.dicom.header import scan
from radlake.formats.source import Source

MakeElements = Callable[..., Elements]


def region(**changes: Any) -> dict[str, Any]:
    """An ultrasound region of 100 x 100 pixels with 0.02 cm pixels."""
    return {
        "RegionSpatialFormat": 1,
        "PhysicalUnitsXDirection": 3,
        "PhysicalUnitsYDirection": 3,
        "PhysicalDeltaX": 0.02,
        "PhysicalDeltaY": 0.02,
        "RegionLocationMinX0": 0,
        "RegionLocationMinY0": 0,
        "RegionLocationMaxX1": 100,
        "RegionLocationMaxY1": 100,
    } | changes


def test_first_pixel_spacing_scales_y(make_elements: MakeElements) -> None:
    elements = make_elements(PixelSpacing=[0.5, 0.25], ImagerPixelSpacing=[9, 9])
    assert placement.spacing(elements) == {"spacing_y": 0.5, "spacing_x": 0.25, "spacing_source": "pixel_spacing"}


def test_detector_spacing_is_named_as_such(make_elements: MakeElements) -> None:
    elements = make_elements(ImagerPixelSpacing=[0.1, 0.2])
    assert placement.spacing(elements) == {"spacing_y": 0.1, "spacing_x": 0.2, "spacing_source": "imager"}


@pytest.mark.parametrize("pair", [["0", "0"], ["-1", "1"], ["1"], ["1", "2", "3"], ["1e9", "1"]])
def test_senseless_spacing_is_absent(pair: list[str]) -> None:
    elements = Elements({"PixelSpacing": (b"DS", "\\".join(pair).encode())})
    assert placement.spacing(elements) == {}


def test_ultrasound_spacing_comes_from_the_largest_region_in_centimetres(make_elements: MakeElements) -> None:
    regions = [
        region(PhysicalDeltaX=0.5, RegionLocationMaxX1=10),
        region(PhysicalDeltaY=-0.03),
        region(PhysicalUnitsXDirection=4, RegionLocationMaxX1=900),  # seconds: an M-mode strip
        region(RegionSpatialFormat=2, RegionLocationMaxX1=900),
    ]
    found = placement.spacing(make_elements(SequenceOfUltrasoundRegions=regions))
    assert found == pytest.approx({"spacing_y": 0.3, "spacing_x": 0.2, "spacing_source": "region"})


@pytest.mark.parametrize("missing", ["PhysicalDeltaX", "RegionLocationMaxY1", "RegionSpatialFormat"])
def test_an_incomplete_region_says_nothing(make_elements: MakeElements, missing: str) -> None:
    incomplete = {name: value for name, value in region().items() if name != missing}
    assert placement.spacing(make_elements(SequenceOfUltrasoundRegions=[incomplete])) == {}


@pytest.mark.parametrize(
    "six", [[0] * 6, [1, 0, 0, 1, 0, 0], [2, 0, 0, 0, 2, 0], [1, 0, 0, 0, 1], [1, 0, 0, 0.2, 0.98, 0]]
)
def test_a_senseless_orientation_is_absent(six: list[float]) -> None:
    elements = Elements({"ImageOrientationPatient": (b"DS", "\\".join(map(str, six)).encode())})
    assert placement.orientation(elements) is None


@settings(max_examples=50)
@given(st.tuples(*[st.floats(-np.pi, np.pi)] * 3))
def test_any_rotation_survives_text_and_its_normal_is_perpendicular(angles: tuple[float, float, float]) -> None:
    from scipy.spatial.transform import Rotation

    matrix = Rotation.from_euler("xyz", angles).as_matrix()
    text = "\\".join(f"{x:.6f}" for x in [*matrix[0], *matrix[1]]).encode()
    six = placement.orientation(Elements({"ImageOrientationPatient": (b"DS", text)}))
    assert six is not None
    np.testing.assert_allclose(placement.normal(six), matrix[2], atol=1e-5)


def test_a_real_mosaic_states_its_tiles_and_slices(shared: Path) -> None:
    (header,) = scan(Source(str(shared / "dicom" / "nibabel" / "0.dcm")))
    values = header.values
    assert values["mosaic_tiles"] == 48
    assert values["spacing_z"] > 0
    np.testing.assert_allclose(values["slice_direction"], placement.normal(values["orientation"]), atol=1e-3)


def test_only_mosaics_have_tiles(make_elements: MakeElements) -> None:
    assert placement.mosaic(make_elements(ImageType=["ORIGINAL", "PRIMARY"], SpacingBetweenSlices=2.0)) == {}
    assert placement.mosaic(make_elements(ImageType=["ORIGINAL", "PRIMARY", "M", "MOSAIC"])) == {}

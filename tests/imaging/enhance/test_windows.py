"""Windows as an operation: named, from the file, by numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.pixels import apply_voi_lut

from radlake.core.image import Geometry, Image
from radlake.imaging.enhance import window
from radlake.imaging.enhance.windows import WindowName
from radlake.imaging.window import CT_WINDOWS

CT = Image(np.array([[-2000, -600, 0, 40, 80, 3000]], np.int16), Geometry((1.0, 1.0)), kind="ct", unit="HU")


def test_the_lung_window_by_hand() -> None:
    # -600 is the middle, 0 lies 600 of 1500 above it: 0.5 + 0.4
    assert window(CT, name="lung").array.tolist() == [[0, 128, 230, 236, 243, 255]]
    assert window(CT, name="lung", out_dtype="float32").array[0, 2] == np.float32(0.9)


@given(st.floats(-500, 500), st.floats(1, 2000))
def test_windows_are_those_of_dicom(centre: float, width: float) -> None:
    header = Dataset()
    header.WindowCenter, header.WindowWidth, header.VOILUTFunction = centre, width, "LINEAR_EXACT"
    header.BitsStored, header.PixelRepresentation, header.PhotometricInterpretation = 16, 1, "MONOCHROME2"
    header.RescaleSlope, header.RescaleIntercept = 1, 0
    theirs = apply_voi_lut(CT.array, header)  # from the least to the greatest value of the stored bits
    ours = window(CT.array, centre=centre, width=width, out_dtype=np.float64)
    assert np.allclose(ours, (theirs + 32768) / 65535, atol=1e-9)


def test_without_a_name_the_window_of_the_file_is_used() -> None:
    named = CT.with_array(CT.array, window=(40.0, 80.0))
    assert window(named).array.tolist() == window(CT, name="brain").array.tolist() == [[0, 0, 0, 128, 255, 255]]
    assert window(named).unit == "a.u."
    assert window(window(named)).array.tolist() == window(named).array.tolist()


def test_names_are_those_of_the_table() -> None:
    assert set(WindowName.__args__) == set(CT_WINDOWS)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "options",
    [{"name": "lung", "centre": 1.0, "width": 2.0}, {"centre": 1.0}, {"name": "knee"}, {"centre": 0.0, "width": 0.0}],
)
def test_contradictory_windows_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"window|name|width"):
        window(CT, **options)  # type: ignore[arg-type]


def test_a_named_window_is_for_hounsfield_units() -> None:
    with pytest.raises(ValueError, match="in HU"):
        window(CT.with_array(CT.array, unit="a.u."), name="lung")
    with pytest.raises(ValueError, match="array names no window"):
        window(CT.array)

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import dcmread

from radlake.core.image import Geometry, Image
from radlake.quality.gantry_tilt import check, tilt_deg

FLAT = Image(np.zeros((2, 2, 2)), Geometry((1.0, 1.0, 1.0)))


@given(st.floats(-40, 40), st.integers(2, 20))
@settings(max_examples=40)
def test_the_angle_of_a_sheared_stack_is_found(degrees, count):
    shear = math.tan(math.radians(degrees))
    rows = [{"position": [0, shear * k, k], "orientation": [1, 0, 0, 0, 1, 0]} for k in range(count)]
    assert tilt_deg(FLAT, rows) == pytest.approx(abs(degrees), abs=1e-6)


def test_a_sheared_volume_without_positions_is_found_by_its_directions():
    c, s = math.cos(math.radians(10)), math.sin(math.radians(10))
    image = Image(np.zeros((2, 2, 2)), Geometry((1.0,) * 3, direction=((0, s, c), (0, 1, 0), (1, 0, 0))))
    (found,) = check(image, {}, [])
    assert found.value == pytest.approx(10.0)


def test_the_stated_angle_serves_where_nothing_else_is_known():
    picture = Image(np.zeros((2, 2)), Geometry((1.0, 1.0)))
    (found,) = check(picture, {}, [{"gantry_tilt": -18.0}])
    assert found.value == 18.0
    assert check(picture, {}, [{"gantry_tilt": math.nan}, {}]) == []


def test_a_real_tilted_head_scan_agrees_with_what_its_header_states(shared):
    files = [
        dcmread(p, stop_before_pixels=True) for p in (shared / "dicom/series/ct_head_tilt_uneven_10").glob("*.dcm")
    ]
    rows = [{"position": list(f.ImagePositionPatient), "orientation": list(f.ImageOrientationPatient)} for f in files]
    assert tilt_deg(FLAT, rows) == pytest.approx(abs(float(files[0].GantryDetectorTilt)), abs=0.1)


def test_an_upright_stack_is_silent(slices):
    assert check(FLAT, {}, slices(range(10))) == []
    assert len(check(FLAT, {}, slices(range(10), shear=0.02))) == 1

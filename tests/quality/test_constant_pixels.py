from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.quality.constant_pixels import check, constant


@pytest.mark.parametrize("value", [0, -5, np.nan, True])
def test_an_image_of_one_value_is_an_error(wrap, value):
    (found,) = check(wrap(np.full((3, 8, 8), value)), {}, [])
    assert (found.level, found.value) == ("error", 1.0)


def test_flat_planes_inside_a_volume_are_counted(wrap):
    volume = np.random.default_rng(0).normal(size=(8, 6, 6))
    volume[[2, 5]] = 1.0
    (found,) = check(wrap(volume), {}, [])
    assert found.value == 0.25
    assert found.message == "2 of 8 planes have one value, the first is plane 3"


def test_label_maps_may_have_empty_planes(wrap):
    labels = np.zeros((4, 6, 6), dtype=np.uint8)
    labels[1, 2, 2] = 1
    assert check(wrap(labels, kind="label"), {}, []) == []


@given(st.integers(0, 399))
@settings(max_examples=30)
def test_one_other_sample_anywhere_is_not_constant(index):
    plane = np.zeros((20, 20))
    plane.ravel()[index] = 1
    assert not constant(plane)
    assert constant(np.zeros((20, 20)))


def test_a_plane_of_one_colour_is_constant():
    assert constant(np.tile(np.array([1, 2, 3]), (5, 5, 1)))


def test_an_empty_array_has_no_finding(wrap):
    assert check(wrap(np.zeros((0, 4))), {}, []) == []

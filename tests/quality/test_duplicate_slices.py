from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.core.image import Geometry, Image
from radlake.quality.duplicate_slices import check, equal_planes


def _noise(planes: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 1000, (planes, 20, 20))


def test_a_position_that_holds_two_slices_is_found(wrap, slices):
    (found,) = check(wrap(_noise(4)), {}, slices([0, 1, 1, 2]))
    assert (found.level, found.value) == ("warning", 1.0)


def test_time_points_hold_every_position_as_often(wrap, slices):
    assert check(wrap(_noise(6)), {}, slices([0, 0, 1, 1, 2, 2])) == []


@given(st.integers(2, 12), st.integers(0, 11), st.integers(0, 11))
@settings(max_examples=30)
def test_one_copied_plane_is_counted_wherever_it_is(count, source, target):
    volume = _noise(count)
    source, target = source % count, target % count
    volume[target] = volume[source]
    image = Image(volume, Geometry((1.0, 1.0, 1.0)))
    assert equal_planes(image) == (source != target)


def test_planes_that_differ_in_one_sample_off_the_grid_are_not_equal(wrap):
    volume = np.repeat(np.arange(1600).reshape(1, 40, 40), 2, axis=0)
    volume[1, 1, 1] += 1
    assert equal_planes(wrap(volume)) == 0


def test_flat_planes_are_not_repeats(wrap):
    assert check(wrap(np.zeros((5, 8, 8))), {}, []) == []


@pytest.mark.parametrize(("options", "level"), [({"time_axis": 0}, "info"), ({}, "warning")])
def test_a_repeated_cine_frame_is_less_of_a_concern_than_a_slice(wrap, options, level):
    array = _noise(3)
    array[2] = array[0]
    spacing = (1.0, 1.0) if options else (1.0, 1.0, 1.0)
    assert check(wrap(array, spacing=spacing, **options), {}, [])[0].level == level

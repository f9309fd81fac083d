from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radlake.core.image import Geometry, Image
from radlake.quality.planes import gray, percentiles, plane, plane_count, sample, spread


def test_planes_count_over_time_first_and_keep_channels_last():
    array = np.arange(2 * 3 * 4 * 5 * 3).reshape(3, 2, 3, 4, 5)
    image = Image(array, Geometry((1.0, 1.0, 1.0)), channel_axis=0, time_axis=1)
    assert plane_count(image) == 6
    assert np.array_equal(plane(image, 4), np.moveaxis(array[:, 1, 1], 0, -1))


def test_a_plane_is_a_view():
    array = np.zeros((3, 4, 4))
    assert np.shares_memory(plane(Image(array, Geometry((1.0, 1.0, 1.0))), 1), array)


def test_gray_is_the_mean_of_channels_and_the_magnitude_of_complex_values():
    colour = Image(np.array([[[0, 30, 60]]], dtype=np.uint8), Geometry((1.0, 1.0)), channel_axis=2)
    assert gray(colour, 0)[0, 0] == 30
    assert gray(Image(np.array([[3 + 4j]]), Geometry((1.0, 1.0))), 0)[0, 0] == 5


@given(st.lists(st.integers(1, 9), min_size=2, max_size=3), st.integers(1, 50))
@settings(max_examples=30)
def test_a_sample_stays_within_its_size_and_holds_values_of_the_image(shape, most):
    array = np.arange(np.prod(shape)).reshape(shape)
    values = sample(Image(array, Geometry((1.0,) * len(shape))), most)
    assert 1 <= values.size <= most
    assert np.isin(values, array).all()


def test_a_sample_leaves_out_what_is_not_finite():
    image = Image(np.array([[1.0, np.nan], [np.inf, 2.0]]), Geometry((1.0, 1.0)))
    assert sample(image).tolist() == [1.0, 2.0]


@pytest.mark.parametrize(("count", "most", "expected"), [(0, 3, []), (2, 3, [0, 1]), (10, 4, [2, 4, 6, 8])])
def test_spread_leaves_the_ends_out_where_it_can(count, most, expected):
    assert spread(count, most) == expected


def test_percentiles_of_nothing_are_nothing():
    assert percentiles(np.zeros(0), 1, 99) == []
